# SPDX-License-Identifier: Apache-2.0
"""Reads the TOML text of a criteria file into a `CriteriaSet`, noting every fault with its line.

Each choice is an inline table: ``{ value = 30, mark = "seen" }``, ``{ absent = true, mark = "seen" }`` where a
condition or limit is left out on purpose, or ``{ not_reported = true, run_with = 30 }`` where the source does not
print it. Choices that a file does not name are either all "not-reported" or all "based-on" another set; a file that
says neither must name every one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from sirolens.errors import InputError, UnknownNameError
from sirolens.message import Message, Place, Severity, error
from sirolens.models.locate import Path as KeyPath
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table
from sirolens.models.toml_text import toml_text
from sirolens.response.criteria_set import Basis, CriteriaSet, choice_names
from sirolens.response.events import EventKind
from sirolens.source import Mark, Source

__all__ = ["CriteriaReading", "read_criteria", "read_criteria_file"]

LARGEST_FILE_BYTES = 200_000
"""No criteria file is this large; a data file given by mistake is."""
MARKS = tuple(mark.value for mark in Mark)
KINDS = tuple(kind.label for kind in EventKind)
OTHERS = ("not-reported", "based-on")
OPERATORS = (">=", ">")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaReading:
    """What came out of a criteria file: the set, unless there were errors, and every message."""

    criteria: CriteriaSet | None
    messages: tuple[Message, ...]


Reader = Callable[[Table, str], Any]


def _number(above: float | None = None, least: float | None = None) -> Reader:
    return lambda table, key: table.number(key, required=True, above=above, least=least)


def _whole(least: int = 0) -> Reader:
    return lambda table, key: table.whole(key, required=True, least=least)


def _word(*choices: str) -> Reader:
    return lambda table, key: table.text(key, required=True, choices=choices) or None


def _flag(table: Table, key: str) -> bool | None:
    if key not in table:
        table.faults.wrong("models.key-missing", (*table.path, key), key, expected="true, false")
        return None
    return table.flag(key)


def _words(*choices: str) -> Reader:
    return lambda table, key: table.texts(key, required=True, choices=choices)


def _masks(table: Table, key: str) -> Mapping[str, int] | None:
    inner = table.table(key, required=True)
    if inner is None:
        return None
    days = {}
    for kind in inner.key_names():
        if kind in KINDS:
            days[kind] = inner.whole(kind, required=True) or 0
    inner.close()
    return MappingProxyType(days)


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "baseline_days": _whole(),
        "baseline_ties": _word("mean", "lowest", "highest"),
        "baseline_excludes_10e9_l": _number(above=0.0),
        "complete_10e9_l": _number(above=0.0),
        "complete_operator": _word(*OPERATORS),
        "complete_without_bleeding": _flag,
        "response_10e9_l": _number(above=0.0),
        "response_operator": _word(*OPERATORS),
        "response_fold": _number(above=1.0),
        "fold_operator": _word(*OPERATORS),
        "response_join": _word("and", "or"),
        "response_without_bleeding": _flag,
        "bleeding_grade": _whole(1),
        "bleeding_not_asked": _word("unknown", "none"),
        "confirmation_d": _whole(),
        "failing_between_breaks": _flag,
        "dated_by": _word("first", "second"),
        "loss_d": _whole(),
        "loss_dated_by": _word("first", "second"),
        "late_limit_d": _whole(1),
        "mask_d": _masks,
        "masked_failing_counts": _word("fail", "ignored"),
        "rescues": _words(*KINDS),
        "bridging_d": _whole(),
        "failing_events": _words(*KINDS),
        "final_events": _words(*KINDS),
        "regain_after_rescue": _flag,
        "steroid_dependence": _flag,
        "steroid_above_mg_d": _number(least=0.0),
        "steroid_days": _whole(),
        "steroid_gap_d": _whole(),
        "too_early_before_d": _whole(),
        "durations": _words("a", "b"),
        "sustained_d": _whole(1),
        "sustained_from": _word("start", "achieved"),
        "off_treatment_10e9_l": _number(above=0.0),
        "off_treatment_d": _whole(1),
        "off_treatment_bleeding_grade": _whole(1),
        "landmark_window_d": _whole(),
        "landmark_count": _word("nearest", "last", "highest"),
        "landmark_tie": _word("later", "earlier"),
        "confirming_grace_d": _whole(),
        "missing_is": _word("no-response", "not-evaluable"),
        "pulse_at_most_d": _whole(1),
        "pulse_from_mg_d": _number(above=0.0),
    }
)
"""How each choice is read; `landmarks_d` has a way of its own."""
MAY_BE_ABSENT = frozenset({"baseline_excludes_10e9_l", "response_10e9_l", "response_fold", "late_limit_d"})


def _landmarks(raw: object, path: KeyPath, faults: Faults) -> tuple[int, ...] | None:
    good = isinstance(raw, list) and raw and all(type(day) is int and day > 0 for day in raw)
    if not good or not isinstance(raw, list) or sorted(set(raw)) != raw:
        faults.wrong("models.wrong-type", path, raw, expected="[91, 182, 365]")
        return None
    return tuple(raw)


def _value(name: str, key: str, table: Table, raw: Mapping[str, Any]) -> Any:
    if name == "landmarks_d":
        return _landmarks(raw.get(key), (*table.path, key), table.faults)
    return READERS[name](table, key)


def _choice(name: str, raw: Mapping[str, Any], path: KeyPath, faults: Faults) -> tuple[Any, Basis]:
    """Read one choice: its value (None: absent, or a fault) and what it rests on."""
    shown = {key: value for key, value in raw.items() if name != "landmarks_d" or key not in ("value", "run_with")}
    table = Table(shown, path, faults)
    reported, absent = not table.flag("not_reported"), table.flag("absent")
    place, note = table.text("place"), table.text("note")
    if reported:
        mark = Mark(table.text("mark", required=True, default=Mark.ASSUMED, choices=MARKS))
    else:
        mark = Mark(table.text("mark", default=Mark.ASSUMED, choices=MARKS))
    value = None
    if absent and name not in MAY_BE_ABSENT:
        faults.wrong("models.needless-for-kind", (*path, "absent"), "absent", expected="value", kind=name)
    elif not absent:
        value = _value(name, "value" if reported else "run_with", table, raw)
    table.close()
    return value, Basis(mark=mark, reported=reported, place=place, note=note)


def _choices(data: Mapping[str, Any], root: Table) -> tuple[dict[str, Any], dict[str, Basis]]:
    values: dict[str, Any] = {}
    basis: dict[str, Basis] = {}
    table = root.table("choices", required=True)
    for name, _ in table.named() if table is not None else ():
        path: KeyPath = ("choices", name)
        if name not in choice_names():
            known = ", ".join(choice_names())
            near = tuple(get_close_matches(name, choice_names(), n=1))
            root.faults.wrong("models.unknown-key", path, name, expected=known, near=near)
            continue
        values[name], basis[name] = _choice(name, data["choices"][name], path, root.faults)
    return values, basis


def _rest(root: Table, base: Callable[[str], CriteriaSet], values: dict[str, Any], basis: dict[str, Basis]) -> None:
    """Settle the choices that the file does not name."""
    others = root.text("others", choices=OTHERS)
    missing = [name for name in choice_names() if name not in values]
    if not others:
        for name in missing:
            root.faults.wrong("models.key-missing", ("choices",), name, expected=f"choices.{name}")
        root.text("base")
        return
    base_name = root.text("base", required=True)
    try:
        other = base(base_name)
    except UnknownNameError as unknown:
        root.faults.messages.append(replace(unknown.messages[0], place=root.faults.place(("base",))))
        return
    for name in missing:
        values[name] = getattr(other, name)
        if others == "based-on":
            basis[name] = other.basis[name]
        else:
            basis[name] = Basis(mark=Mark.ASSUMED, reported=False, place=other.name)


def _source(root: Table) -> Source:
    table = root.table("source", required=True)
    if table is None:
        return Source(title="", mark=Mark.ASSUMED)
    title = table.text("title", required=True)
    mark = Mark(table.text("mark", required=True, default=Mark.ASSUMED, choices=MARKS))
    doi, pmid, url, place = (table.text(key) or None for key in ("doi", "pmid", "url", "place"))
    source = Source(
        title=title, mark=mark, year=table.whole("year", least=1900), doi=doi, pmid=pmid, url=url, place=place
    )
    table.close()
    return source


def _consistent(criteria: CriteriaSet, faults: Faults) -> None:
    """Note choices that are good alone and impossible together."""
    floor = criteria.response_10e9_l
    if floor is not None and floor >= criteria.complete_10e9_l:
        expected = f"< {criteria.complete_10e9_l:g}"
        faults.wrong("models.out-of-range", ("choices", "response_10e9_l", "value"), floor, expected=expected)
    for kind in criteria.final_events:
        if kind not in criteria.failing_events:
            path: KeyPath = ("choices", "final_events", "value")
            faults.wrong("models.not-one-of", path, kind, expected=", ".join(criteria.failing_events), near=())
    first = criteria.landmarks_d[0]
    if criteria.landmark_window_d >= first:
        path = ("choices", "landmark_window_d", "value")
        faults.wrong("models.out-of-range", path, criteria.landmark_window_d, expected=f"< {first}")


def read_criteria(text: str, file: str, base: Callable[[str], CriteriaSet]) -> CriteriaReading:
    """Read the text of a criteria file.

    Parameters
    ----------
    text : str
        TOML.
    file : str
        Name for messages.
    base : callable
        Gives the set that the file is based on or run with, by its name.

    Returns
    -------
    CriteriaReading
        The set, or None when any message is an error; and every message.

    Examples
    --------
    >>> [str(message) for message in read_criteria("", "my.toml", dict().__getitem__).messages]
    ['my.toml: models.file-empty(expected=TOML)']
    """
    if not text.strip():
        return CriteriaReading(
            criteria=None, messages=(error("models.file-empty", place=Place(file=file), expected="TOML"),)
        )
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=file, line=int(line[1]) if line else text.count("\n") + 1)
        shown = str(fault) if isinstance(fault, tomllib.TOMLDecodeError) else "[[[[..."
        return CriteriaReading(
            criteria=None, messages=(error("models.not-toml", place=place, value=shown, expected="TOML"),)
        )
    faults = Faults(file, key_lines(text))
    root = Table(data, (), faults)
    name = root.text("name", required=True, default="criteria")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        faults.wrong("models.bad-name", ("name",), name, expected="a-z, 0-9, -")
    version, title = root.text("version", required=True), root.text("title", required=True)
    notes, source = root.texts("notes"), _source(root)
    values, basis = _choices(data, root)
    _rest(root, base, values, basis)
    root.close()
    if any(message.severity is Severity.ERROR for message in faults.messages):
        return CriteriaReading(criteria=None, messages=tuple(faults.messages))
    criteria = CriteriaSet(
        name=name, version=version, title=title, source=source, notes=notes, basis=MappingProxyType(basis), **values
    )
    _consistent(criteria, faults)
    return CriteriaReading(criteria=None if faults.messages else criteria, messages=tuple(faults.messages))


def read_criteria_file(path: str | Path, base: Callable[[str], CriteriaSet]) -> CriteriaReading:
    """Read a criteria file.

    Parameters
    ----------
    path : str or Path
        The file.
    base : callable
        As of `read_criteria`.

    Examples
    --------
    >>> [one.code for one in read_criteria_file("/no/such/file.toml", dict().__getitem__).messages]
    ['models.file-unreadable']
    """
    try:
        text = toml_text(path, most_bytes=LARGEST_FILE_BYTES)
    except InputError as fault:
        return CriteriaReading(criteria=None, messages=fault.messages)
    return read_criteria(text, str(path), base)
