# SPDX-License-Identifier: Apache-2.0
"""Writes a mapping as TOML that reads back as the same; the standard library reads TOML and does not write it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

__all__ = ["toml_text", "toml_value"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(data: Mapping[str, Any]) -> str:
    """Return a mapping as a TOML text.

    Parameters
    ----------
    data : mapping
        Of what `tomllib` gives: texts, numbers, flags, dates, lists and mappings.

    Examples
    --------
    >>> print(toml_text({"id": "a", "patients": {"enrolled": 20}, "arm": [{"id": "s", "target": {"low_ng_ml": 5}}]}))
    id = "a"
    <BLANKLINE>
    [patients]
    enrolled = 20
    <BLANKLINE>
    [[arm]]
    id = "s"
    target = { low_ng_ml = 5 }
    <BLANKLINE>
    """
    return "\n".join(_lines(data, ())).lstrip("\n") + "\n"


def _lines(data: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    tables = {key: value for key, value in data.items() if isinstance(value, Mapping) or _is_rows(value)}
    yield from (f"{_key(key)} = {toml_value(value)}" for key, value in data.items() if key not in tables)
    for key, value in tables.items():
        name = ".".join(map(_key, (*path, key)))
        if isinstance(value, Mapping):
            yield from ("", f"[{name}]")
            yield from _lines(value, (*path, key))
            continue
        for row in value:
            yield from ("", f"[[{name}]]")
            yield from (f"{_key(inner)} = {toml_value(told)}" for inner, told in row.items())


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def toml_value(value: Any) -> str:
    r"""Return one value on one line.

    >>> toml_value({"k": 12, "how": "table 2\n", "of": [1.5, True]})
    '{ k = 12, how = "table 2\\n", of = [1.5, true] }'
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            inside = ", ".join(f"{_key(key)} = {toml_value(told)}" for key, told in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case _:
            return f"[{', '.join(map(toml_value, value))}]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else toml_value(name)
