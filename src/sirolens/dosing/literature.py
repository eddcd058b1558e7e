# SPDX-License-Identifier: Apache-2.0
"""Read the sourced tables of the dosing room: numbers beside where they come from.

``data/sources.toml`` names every source once; the other tables point to it by its key. A choice of our own stands in
its table with ``mark`` and ``why`` instead of ``source``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from sirolens.source import Mark, Source, Sourced

__all__ = ["source", "sourced", "table"]


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return one table of ``dosing/data`` as parsed TOML.

    >>> "settings" in table("protocol")
    True
    """
    text = files("sirolens.dosing").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


@cache
def source(key: str) -> Source:
    """Return a source by its key.

    >>> source("twenty-patients-2024").pmid
    '38625834'
    """
    entry = dict(table("sources")[key])
    return Source(mark=Mark(entry.pop("mark")), **entry)


def sourced(entry: Mapping[str, Any]) -> Sourced[Any]:
    """Return the value of a table entry with its unit and source.

    Parameters
    ----------
    entry : mapping
        ``value``, ``unit`` and either ``source`` (a key) or ``mark`` and ``why``; a list becomes a tuple.

    Examples
    --------
    >>> sourced({"value": 4.0, "unit": "mg", "mark": "judge", "why": "a choice"}).source.mark
    <Mark.JUDGE: 'judge'>
    """
    value = tuple(entry["value"]) if isinstance(entry["value"], list) else entry["value"]
    origin = source(entry["source"]) if "source" in entry else Source(title=entry["why"], mark=Mark(entry["mark"]))
    return Sourced(value=value, unit=entry["unit"], source=origin)
