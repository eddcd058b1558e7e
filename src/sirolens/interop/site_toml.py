# SPDX-License-Identifier: Apache-2.0
"""A site's own settings: target, product list and limits from one TOML file, each with who decided and why.

::

    author = "Dr Li"                       # who answers for the file
    reason = "Department decision 2026-03" # why

    [target]                               # optional
    low_ng_ml = 4
    high_ng_ml = 12

    [limits]                               # optional; names as in the report's list of limits
    soft_daily_cap_mg = 3

    [products]                             # optional
    most_tablets = 3
    [[products.product]]
    form = "tablet"
    strength_mg = 1
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from sirolens.dosing.products import Product, ProductList
from sirolens.dosing.protocol import Settings, changed, default_settings
from sirolens.dosing.target import Target
from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.source import Mark, Source

__all__ = ["Site", "read_site"]

KNOWN = ("author", "reason", "target", "limits", "products")
TARGET_KEYS = ("low_ng_ml", "high_ng_ml")
PRODUCTS_KEYS = ("most_tablets", "product")
MOST_TABLETS = 4


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a site has set; None where it keeps the default."""

    target: Target | None = None
    products: ProductList | None = None
    settings: Settings | None = None


def read_site(path: Path | None) -> Site:
    """Read a site's settings.

    Parameters
    ----------
    path : Path, optional
        The file; None: everything stays as it is.

    Raises
    ------
    InputError
        Naming the file and the field: not TOML, an unknown key, no author or reason, a value that cannot be.

    Examples
    --------
    >>> read_site(None)
    Site(target=None, products=None, settings=None)
    """
    if path is None:
        return Site()
    file = path.name
    try:
        entry = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise InputError(error("site.unreadable", place=Place(file=file), told=str(fault))) from fault
    _refuse_unknown(entry, KNOWN, file, "")
    author, reason = (_words(entry, name, file) for name in ("author", "reason"))
    origin = Source(title=f"{author}: {reason}", mark=Mark.JUDGE, place=file)
    return Site(
        target=_target(entry, author, reason, origin, file),
        products=_products(entry, origin, file),
        settings=_settings(entry, origin, file),
    )


def _refuse_unknown(entry: Mapping[str, Any], known: tuple[str, ...], file: str, path: str) -> None:
    unknown = [name for name in entry if name not in known]
    if unknown:
        raise InputError(
            *(error("site.unknown-key", place=Place(file=file, field=path + name), known=known) for name in unknown)
        )


def _words(entry: Mapping[str, Any], name: str, file: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(error("site.words-missing", place=Place(file=file, field=name)))
    return value


def _number(value: Any, file: str, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(error("site.not-a-number", place=Place(file=file, field=field), value=str(value)))
    return float(value)


def _section(entry: Mapping[str, Any], name: str, file: str) -> Mapping[str, Any] | None:
    value = entry.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise InputError(error("site.not-a-table", place=Place(file=file, field=name), value=str(value)))


def _target(entry: Mapping[str, Any], author: str, reason: str, origin: Source, file: str) -> Target | None:
    told = _section(entry, "target", file)
    if told is None:
        return None
    _refuse_unknown(told, TARGET_KEYS, file, "target.")
    low, high = (_number(told.get(name), file, f"target.{name}") for name in TARGET_KEYS)
    return Target(low_ng_ml=low, high_ng_ml=high, author=author, reason=reason, source=origin)


def _settings(entry: Mapping[str, Any], origin: Source, file: str) -> Settings | None:
    told = _section(entry, "limits", file)
    if told is None:
        return None
    values: dict[str, float | tuple[float, float]] = {}
    for name, value in told.items():
        if isinstance(value, list) and len(value) == 2:
            low, high = (_number(one, file, f"limits.{name}") for one in value)
            values[name] = (low, high)
        else:
            values[name] = _number(value, file, f"limits.{name}")
    return changed(default_settings(), values, origin=origin)


def _products(entry: Mapping[str, Any], origin: Source, file: str) -> ProductList | None:
    told = _section(entry, "products", file)
    if told is None:
        return None
    _refuse_unknown(told, PRODUCTS_KEYS, file, "products.")
    rows = told.get("product")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(error("site.not-a-table", place=Place(file=file, field="products.product"), value=str(rows)))
    try:
        products = tuple(Product(**row) for row in rows)
    except TypeError as fault:
        place = Place(file=file, field="products.product")
        raise InputError(error("site.unreadable", place=place, told=str(fault))) from fault
    most = int(_number(told.get("most_tablets", MOST_TABLETS), file, "products.most_tablets"))
    return ProductList(name=file, products=products, most_tablets=most, source=origin)
