# SPDX-License-Identifier: Apache-2.0
"""Two reviewers extract one study: their forms field by field, and the consensus with who decided and why.

Rows are matched by what they are about (arm, outcome, time ...), not by their place in the file. Free words (notes and
told arithmetic) are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, final

from sirolens.errors import InputError
from sirolens.message import Message, error

__all__ = [
    "ABSENT",
    "Comparison",
    "Decision",
    "Difference",
    "Settled",
    "compare_forms",
    "field_name",
    "row_of",
    "settle_forms",
]

ABSENT = "-"
"""What stands for a field or a row that a form does not have."""
ROWS: Mapping[str, tuple[str, ...]] = {
    "report": ("id",),
    "cohort": ("id",),
    "arm": ("id",),
    "outcome": ("arm", "cohort", "subgroup", "outcome", "time", "report"),
    "cell": ("cell", "when", "arm"),
    "finding": ("topic",),
}
"""What the rows of a form are matched by."""
FREE = frozenset({"by", "note", "note_zh", "how", "how_zh", "says", "says_zh"})
"""Words in which two people never agree, and need not."""
CHOICES = ("first", "second", "other")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field on which two forms differ; a row that only one form has is one difference.

    Parameters
    ----------
    field : str
        Such as ``"outcome[sirolimus/OR/3m].k"``.
    first, second : object
        The values; `ABSENT` where there is none.
    """

    field: str
    first: object
    second: object


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two forms have in common: how many fields were compared, and where they differ."""

    compared: int
    differences: tuple[Difference, ...]

    @property
    def agreed(self) -> int:
        """Fields with the same value in both."""
        return self.compared - len(self.differences)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How one difference was settled.

    Parameters
    ----------
    field : str
    choice : {"first", "second", "other"}
    by, why : str
        Who decided, and the reason; neither may be empty.
    value : object
        With ``"other"``: what is right.
    """

    field: str
    choice: str
    by: str
    why: str
    value: object = ABSENT


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The form after consensus.

    Parameters
    ----------
    data : mapping
        The first form with the decisions in it; undecided differences keep the first form's value and are `open`.
    decisions : tuple of Decision
        Those that were used, to be kept with the form.
    open : tuple of Difference
    """

    data: Mapping[str, Any]
    decisions: tuple[Decision, ...]
    open: tuple[Difference, ...]


def compare_forms(first: Mapping[str, Any], second: Mapping[str, Any]) -> Comparison:
    """Compare two forms of one study field by field.

    Parameters
    ----------
    first, second : mapping
        Forms as `tomllib` gives them.

    Examples
    --------
    >>> one = {"id": "a", "outcome": [{"arm": "s", "outcome": "OR", "time": "3m", "k": 12, "n": 20}]}
    >>> two = {"id": "a", "outcome": [{"arm": "s", "outcome": "OR", "time": "3m", "k": 13, "n": 20}]}
    >>> compared = compare_forms(one, two)
    >>> compared.compared, [(d.field, d.first, d.second) for d in compared.differences]
    (6, [('outcome[s/OR/3m].k', 12, 13)])
    """
    left, right = dict(_fields(first)), dict(_fields(second))
    names = list(dict.fromkeys((*left, *right)))
    alone = {name for name in names if name.endswith("]") and (name in left) != (name in right)}
    shown = [name for name in names if not any(name.startswith(f"{row}.") for row in alone)]
    fields = [name for name in shown if not name.endswith("]") or name in alone]
    differences = tuple(
        Difference(field=name, first=_side(name, left, alone), second=_side(name, right, alone))
        for name in fields
        if name in alone or not _same(left.get(name, ABSENT), right.get(name, ABSENT))
    )
    return Comparison(compared=len(fields), differences=differences)


def _side(name: str, fields: Mapping[str, object], alone: set[str]) -> object:
    if name in alone:
        return "row" if name in fields else ABSENT
    return fields.get(name, ABSENT)


def _same(first: object, second: object) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        return " ".join(first.split()) == " ".join(second.split())
    return first == second


def _fields(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the fields of a form; a row is announced by its name alone before its fields."""
    for key, value in data.items():
        if key in FREE:
            continue
        if not prefix and key in ROWS and isinstance(value, list):
            for name, row in _named_rows(key, value):
                yield name, None
                yield from _fields(row, f"{name}.")
        elif isinstance(value, Mapping):
            yield from _fields(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _named_rows(key: str, rows: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    times: dict[str, int] = {}
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        name = f"{key}[{'/'.join(str(row[part]) for part in ROWS[key] if row.get(part))}]"
        times[name] = times.get(name, 0) + 1
        yield (name if times[name] == 1 else f"{name[:-1]} #{times[name]}]"), row


def settle_forms(first: Mapping[str, Any], second: Mapping[str, Any], decisions: Sequence[Decision]) -> Settled:
    """Put the decisions on two forms' differences into one form.

    Parameters
    ----------
    first, second : mapping
    decisions : sequence of Decision

    Returns
    -------
    Settled

    Raises
    ------
    InputError
        ``extraction.decision-...``: about a field on which the forms agree, twice about one field, without a name or a
        reason, or with a choice that does not exist.

    Examples
    --------
    >>> one, two = {"id": "a", "country": "China"}, {"id": "a", "country": "China (Suzhou)"}
    >>> told = Decision(field="country", choice="second", by="wei", why="the affiliation says so")
    >>> settle_forms(one, two, [told]).data["country"]
    'China (Suzhou)'
    """
    differences = {one.field: one for one in compare_forms(first, second).differences}
    faults = _decision_faults(decisions, differences)
    if faults:
        raise InputError(*faults)
    data = deepcopy(dict(first))
    mine = {name: row for key in ROWS for name, row in _named_rows(key, data.get(key, []))}
    for decision in decisions:
        if decision.choice != "first":
            _put(data, mine, second, decision)
    decided = {decision.field for decision in decisions}
    still_open = tuple(one for field, one in differences.items() if field not in decided)
    return Settled(data=data, decisions=tuple(decisions), open=still_open)


def _decision_faults(decisions: Sequence[Decision], differences: Mapping[str, Difference]) -> list[Message]:
    faults, seen = [], set[str]()
    for one in decisions:
        if one.field not in differences:
            faults.append(error("extraction.decision-without-difference", field=one.field))
        if one.field in seen:
            faults.append(error("extraction.decision-twice", field=one.field))
        seen.add(one.field)
        if not one.by.strip() or not one.why.strip():
            faults.append(error("extraction.decision-without-reason", field=one.field))
        row_of_others = one.choice == "other" and one.field.endswith("]")
        if one.choice not in CHOICES or row_of_others:
            faults.append(
                error(
                    "extraction.decision-choice",
                    field=one.field,
                    value=one.choice,
                    expected=", ".join(CHOICES[: 2 if row_of_others else 3]),
                )
            )
    return faults


def _put(data: dict[str, Any], mine: Mapping[str, Any], second: Mapping[str, Any], decision: Decision) -> None:
    """Write the decided value, or take a whole row in or out; `mine` are the rows of `data` by their first names."""
    if decision.field.endswith("]"):
        key = decision.field.partition("[")[0]
        rows = data.setdefault(key, [])
        if decision.field in mine:
            rows[:] = [row for row in rows if row is not mine[decision.field]]
        else:
            rows.append(deepcopy(dict(_named_rows(key, second[key]))[decision.field]))
        return
    value = decision.value if decision.choice == "other" else dict(_fields(second)).get(decision.field, ABSENT)
    table, key = _table_of(data, mine, decision.field)
    if value == ABSENT:
        table.pop(key, None)
    else:
        table[key] = value


def _table_of(data: dict[str, Any], mine: Mapping[str, Any], field: str) -> tuple[dict[str, Any], str]:
    """Return the table of a form that holds a field, and its key there; tables on the way are made."""
    row, inside, rest = field.rpartition("].")
    table: Any = mine[f"{row}]"] if inside else data
    *path, last = rest.split(".")
    for part in path:
        table = table.setdefault(part, {})
    return table, last


def row_of(form: Mapping[str, Any], field: str) -> Mapping[str, Any] | None:
    """Return the row of a form that a difference names; None where the form has none.

    >>> row_of({"arm": [{"id": "s", "name": "sirolimus"}]}, "arm[s]")
    {'id': 's', 'name': 'sirolimus'}
    """
    key = field.partition("[")[0]
    return dict(_named_rows(key, form.get(key, []))).get(field)


def field_name(form: Mapping[str, Any], path: str) -> str:
    """Return how a comparison names the place of a fault: a row by what it is about, not by its number.

    >>> field_name({"outcome": [{"arm": "s", "outcome": "OR", "time": "3m"}]}, "outcome[0].k")
    'outcome[s/OR/3m].k'
    """
    key, bracket, rest = path.partition("[")
    number, _, inside = rest.partition("]")
    if not bracket or key not in ROWS or not number.isdecimal():
        return path
    names = [name for name, _ in _named_rows(key, form[key])]
    return f"{names[int(number)]}{inside}"
