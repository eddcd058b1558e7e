# SPDX-License-Identifier: Apache-2.0
"""Reads quantities of a recipe that are written with their unit: ``"3 mg"``, ``"5-15 ng/mL"``, ``"30 10^9/L"``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sirolens.errors import InputError
from sirolens.models.toml_table import Table
from sirolens.study.trial.recipe_design import GROUPS, ByGroup
from sirolens.units import accepted_units, convert

__all__ = ["by_group", "coefficient_of_variation", "days", "quantity", "quantity_range", "share"]

NUMBER = r"(\d+(?:\.\d+)?|\.\d+)"
ONE = re.compile(rf"\s*{NUMBER}(?:\s+|(?=[^\d\s.]))(\S.*?)\s*")
RANGE = re.compile(rf"\s*{NUMBER}\s*(?:-|\N{{EN DASH}}|to)\s*{NUMBER}(?:\s+|(?=[^\d\s.]))(\S.*?)\s*")


def _text(table: Table, key: str, required: bool, expected: str) -> str | None:
    """Take a text; a bare number has no unit and is refused, never guessed."""
    if key not in table and required:
        table.faults.wrong("models.key-missing", (*table.path, key), key, expected=expected)
    if key not in table:
        table.text(key)
        return None
    before = len(table.faults.messages)
    found = table.text(key)
    if len(table.faults.messages) > before:
        wrong = table.faults.messages.pop()
        table.faults.wrong("trial.unit-missing", (*table.path, key), wrong.values["value"], expected=expected)
        return None
    return found


def _converted(table: Table, key: str, number: str, unit: str, kind: str) -> float | None:
    try:
        return convert(float(number), unit, kind).value
    except InputError as fault:
        place = table.faults.place((*table.path, key))
        table.faults.messages.append(replace(fault.messages[0], place=place))
        return None


def quantity(table: Table, key: str, kind: str, *, required: bool = False, least: float = 0.0) -> float | None:
    """Take a number with its unit, in the canonical unit of its kind.

    Parameters
    ----------
    table : Table
        Where it stands.
    key : str
        Its key.
    kind : str
        A key of `sirolens.units.CANONICAL`, such as ``"dose"``.
    required : bool
        Whether it must be there.
    least : float
        It must be larger than this.

    Examples
    --------
    >>> from sirolens.models.toml_table import Faults
    >>> quantity(Table({"start": "500 mcg"}, (), Faults("a.toml", {})), "start", "dose")
    0.5
    """
    expected = f"number {accepted_units(kind)[0]}"
    text = _text(table, key, required, expected)
    if text is None:
        return None
    found = ONE.fullmatch(text)
    if found is None:
        table.faults.wrong("trial.unit-missing", (*table.path, key), text, expected=expected)
        return None
    value = _converted(table, key, found[1], found[2], kind)
    if value is not None and value <= least:
        table.faults.wrong("models.out-of-range", (*table.path, key), text, expected=f"> {least:g}")
        return None
    return value


def quantity_range(table: Table, key: str, kind: str, *, required: bool = False) -> tuple[float, float] | None:
    """Take a range with its unit, low below high.

    >>> from sirolens.models.toml_table import Faults
    >>> quantity_range(Table({"target": "5-15 ng/mL"}, (), Faults("a.toml", {})), "target", "concentration")
    (5.0, 15.0)
    """
    expected = f"low-high {accepted_units(kind)[0]}"
    text = _text(table, key, required, expected)
    if text is None:
        return None
    found = RANGE.fullmatch(text)
    if found is None:
        table.faults.wrong("trial.unit-missing", (*table.path, key), text, expected=expected)
        return None
    low = _converted(table, key, found[1], found[3], kind)
    high = None if low is None else _converted(table, key, found[2], found[3], kind)
    if low is None or high is None:
        return None
    if not 0.0 < low < high:
        table.faults.wrong("models.range-reversed", (*table.path, key), text, expected=expected)
        return None
    return low, high


def by_group(table: Table, key: str, *, required: bool = False) -> ByGroup | None:
    """Take a daily dose: one for everybody, or a table with one for each group.

    >>> from sirolens.models.toml_table import Faults
    >>> by_group(Table({"start": {"adults": "3 mg", "children": "1 mg"}}, (), Faults("a.toml", {})), "start")
    ByGroup(adults_mg=3.0, children_mg=1.0)
    """
    faults = table.faults
    if key in table and not _is_table(table, key):
        value = quantity(table, key, "dose", required=required)
        return None if value is None else ByGroup(adults_mg=value, children_mg=value)
    inner = table.table(key, required=required)
    if inner is None:
        return None
    values = {name: quantity(inner, name, "dose") for name in GROUPS}
    inner.close()
    if all(value is None for value in values.values()):
        if not any(name in inner for name in GROUPS):
            faults.wrong("models.key-missing", inner.path, key, expected=", ".join(GROUPS))
        return None
    told = {f"{name}_mg": math.nan if value is None else value for name, value in values.items()}
    return ByGroup(**told)


def _is_table(table: Table, key: str) -> bool:
    probe = len(table.faults.messages)
    is_table = table.table(key) is not None
    del table.faults.messages[probe:]
    return is_table


def share(table: Table, key: str, default: float = 0.0, *, most: float = 100.0) -> float:
    """Take a percentage as a fraction.

    >>> from sirolens.models.toml_table import Faults
    >>> share(Table({"missed_percent": 5}, (), Faults("a.toml", {})), "missed_percent")
    0.05
    """
    value = table.number(key, least=0.0)
    if value is None:
        return default
    if value > most:
        table.faults.wrong("models.out-of-range", (*table.path, key), value, expected=f"0-{most:g}")
        return default
    return value / 100.0


def coefficient_of_variation(table: Table, key: str) -> float | None:
    """Take a coefficient of variation in percent as the standard deviation of the logarithm, sqrt(log(1 + cv^2)).

    >>> from sirolens.models.toml_table import Faults
    >>> table = Table({"count_cv_percent": 15}, (), Faults("a.toml", {}))
    >>> round(coefficient_of_variation(table, "count_cv_percent"), 4)
    0.1492
    """
    value = table.number(key, least=0.0)
    return None if value is None else math.sqrt(math.log1p((value / 100.0) ** 2))


def _wholes(table: Table, key: str, data: Mapping[str, Any], required: bool) -> tuple[int, ...]:
    expected = "[day, day, ...]"
    probe = len(table.faults.messages)
    table.texts(key)  # marks the key as known; what it holds is checked here
    del table.faults.messages[probe:]
    if key not in table:
        if required:
            table.faults.wrong("models.key-missing", (*table.path, key), key, expected=expected)
        return ()
    value: Any = data
    for part in (*table.path, key):
        value = value[part]
    if not isinstance(value, list) or not value or not all(type(one) is int for one in value):
        table.faults.wrong("models.wrong-type", (*table.path, key), value, expected=expected)
        return ()
    return tuple(value)


def days(table: Table, key: str, data: Mapping[str, Any], *, required: bool = False, most: int) -> tuple[int, ...]:
    """Take days in rising order, from 1 to `most`.

    Parameters
    ----------
    table : Table
        Where they stand.
    key : str
        Their key.
    data : mapping
        The whole file, as `tomllib` gives it.
    required : bool
        Whether they must be there.
    most : int
        The last day there is.

    Examples
    --------
    >>> from sirolens.models.toml_table import Faults
    >>> data = {"days": [7, 14]}
    >>> days(Table(data, (), Faults("a.toml", {})), "days", data, most=28)
    (7, 14)
    """
    faults, where = table.faults, (*table.path, key)
    rows = _wholes(table, key, data, required)
    if not rows:
        return ()
    for index, day in enumerate(rows):
        if not 1 <= day <= most:
            faults.wrong("trial.day-outside", (*where, index), day, expected=f"1-{most}")
            return ()
        if index and day <= rows[index - 1]:
            faults.wrong("trial.days-fall", (*where, index), day, expected=f"> {rows[index - 1]}")
            return ()
    return rows
