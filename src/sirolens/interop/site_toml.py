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

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, final

from sirolens.dosing.products import Product, ProductList
from sirolens.dosing.protocol import Settings, changed, default_settings
from sirolens.dosing.target import Target
from sirolens.errors import InputError
from sirolens.interop.encoding import decode
from sirolens.message import Message, Place, error
from sirolens.models.locate import Path as Keys
from sirolens.models.locate import dotted, key_lines, nearest_line
from sirolens.source import Mark, Source

__all__ = ["Site", "read_site"]

KNOWN = ("author", "reason", "target", "limits", "products")
TARGET_KEYS = ("low_ng_ml", "high_ng_ml")
PRODUCTS_KEYS = ("most_tablets", "product")
PRODUCT_KEYS = tuple(field.name for field in fields(Product))
MOST_TABLETS = 4

Made = TypeVar("Made")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a site has set; None where it keeps the default."""

    target: Target | None = None
    products: ProductList | None = None
    settings: Settings | None = None


@final
@dataclass(frozen=True, slots=True)
class _File:
    """Where in the file something stands, for the faults."""

    name: str
    lines: Mapping[Keys, int]

    def place(self, keys: Keys) -> Place:
        return Place(file=self.name, line=nearest_line(self.lines, keys), field=dotted(keys) or None)

    def fault(self, code: str, keys: Keys, value: object = None) -> InputError:
        return InputError(error(code, place=self.place(keys), value=_shown(value)))

    def at(self, keys: Keys, make: Callable[[], Made]) -> Made:
        """Make something; a fault that does not say where it stands is given its place."""
        try:
            return make()
        except InputError as fault:
            raise InputError(*(self._placed(message, keys) for message in fault.messages)) from fault

    def _placed(self, message: Message, keys: Keys) -> Message:
        name = message.values.get("name")
        own = (*keys, name) if isinstance(name, str) and (*keys, name) in self.lines else keys
        return replace(message, place=self.place(own))


def read_site(path: Path | None) -> Site:
    """Read a site's settings.

    Parameters
    ----------
    path : Path, optional
        The file; None: everything stays as it is.

    Raises
    ------
    InputError
        Naming file, line and field: not TOML, an unknown key, no author or reason, a value that cannot be.

    Examples
    --------
    >>> read_site(None)
    Site(target=None, products=None, settings=None)
    """
    if path is None:
        return Site()
    entry, file = _parsed(path)
    _refuse_unknown(entry, KNOWN, file, ())
    author, reason = (_words(entry, name, file) for name in ("author", "reason"))
    origin = Source(title=f"{author}: {reason}", mark=Mark.JUDGE, place=path.name)
    return Site(
        target=_target(entry, author, reason, origin, file),
        products=_products(entry, origin, file),
        settings=_settings(entry, origin, file),
    )


def _parsed(path: Path) -> tuple[Mapping[str, Any], _File]:
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(error("file.missing", place=Place(file=name))) from None
    except OSError:
        raise InputError(error("file.unreadable", place=Place(file=name))) from None
    text, _ = decode(data, file=name)
    try:
        return tomllib.loads(text), _File(name, key_lines(text))
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=name, line=int(line[1]) if line else text.count("\n") + 1)
        raise InputError(error("site.not-toml", place=place, told=str(fault))) from fault


def _shown(value: object) -> str:
    """Write a value for a fault; nothing where there is none."""
    return "" if value is None else str(value)


def _refuse_unknown(entry: Mapping[str, Any], known: tuple[str, ...], file: _File, at: Keys) -> None:
    unknown = [name for name in entry if name not in known]
    if unknown:
        raise InputError(
            *(error("site.unknown-key", place=file.place((*at, name)), value=name, known=known) for name in unknown)
        )


def _words(entry: Mapping[str, Any], name: str, file: _File) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise file.fault("site.words-missing", (name,), value)
    return value


def _number(value: Any, file: _File, keys: Keys) -> float:
    if value is None:
        raise file.fault("site.number-missing", keys)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise file.fault("site.not-a-number", keys, value)
    return float(value)


def _section(entry: Mapping[str, Any], name: str, file: _File) -> Mapping[str, Any] | None:
    value = entry.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise file.fault("site.not-a-table", (name,), value)


def _target(entry: Mapping[str, Any], author: str, reason: str, origin: Source, file: _File) -> Target | None:
    told = _section(entry, "target", file)
    if told is None:
        return None
    _refuse_unknown(told, TARGET_KEYS, file, ("target",))
    low, high = (_number(told.get(name), file, ("target", name)) for name in TARGET_KEYS)
    return file.at(
        ("target",), lambda: Target(low_ng_ml=low, high_ng_ml=high, author=author, reason=reason, source=origin)
    )


def _settings(entry: Mapping[str, Any], origin: Source, file: _File) -> Settings | None:
    told = _section(entry, "limits", file)
    if told is None:
        return None
    usual = default_settings()
    _refuse_unknown(told, tuple(field.name for field in fields(Settings)), file, ("limits",))
    values = {name: _limit(value, getattr(usual, name).value, file, name) for name, value in told.items()}
    return file.at(("limits",), lambda: changed(usual, values, origin=origin))


def _limit(value: Any, usual: Any, file: _File, name: str) -> float | tuple[float, float]:
    """One limit: a number, or two of them where the default is a range."""
    keys = ("limits", name)
    if not isinstance(usual, tuple):
        return _number(value, file, keys)
    if not isinstance(value, list) or len(value) != 2:
        raise file.fault("site.not-a-range", keys, value)
    low, high = (_number(one, file, keys) for one in value)
    if low > high:
        raise file.fault("site.not-a-range", keys, value)
    return low, high


def _products(entry: Mapping[str, Any], origin: Source, file: _File) -> ProductList | None:
    told = _section(entry, "products", file)
    if told is None:
        return None
    _refuse_unknown(told, PRODUCTS_KEYS, file, ("products",))
    rows, at = told.get("product"), ("products", "product")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise file.fault("site.not-a-table", at, rows)
    products = tuple(_product(row, file, (*at, number)) for number, row in enumerate(rows))
    asked = told.get("most_tablets", MOST_TABLETS)
    most = _number(asked, file, ("products", "most_tablets"))
    if most != int(most):
        raise file.fault("site.not-a-number", ("products", "most_tablets"), asked)
    return file.at(
        ("products",),
        lambda: ProductList(name=file.name, products=products, most_tablets=int(most), source=origin),
    )


def _product(row: Mapping[str, Any], file: _File, at: Keys) -> Product:
    _refuse_unknown(row, PRODUCT_KEYS, file, at)
    form = row.get("form")
    if not isinstance(form, str):
        raise file.fault("site.words-missing", (*at, "form"), form)
    amounts = {name: _number(value, file, (*at, name)) for name, value in row.items() if name != "form"}
    return file.at(at, lambda: Product(form=form, **amounts))
