# SPDX-License-Identifier: Apache-2.0
"""Every choice of a criteria set as a table: its value, its mark, and where it stands or why."""

from __future__ import annotations

from collections.abc import Mapping

from sirolens.message import Message, Value, info
from sirolens.report.document import Cell, Column, Table
from sirolens.response.criteria_set import CriteriaSet, choice_names

__all__ = ["choice_value", "choices_table"]


def choices_table(criteria: CriteriaSet, *, caption: Message | None = None) -> Table:
    """Lay out every choice of a set; what its source does not print is said, with the value it is run with.

    Parameters
    ----------
    criteria : CriteriaSet
        The set.
    caption : Message, optional
        What the table shows.
    """
    columns = tuple(
        Column(head=info(f"verdict.column-{head}"), name=name)
        for head, name in (("choice", "choice"), ("value", "told"), ("mark", "mark"), ("why", "written"))
    )
    return Table(columns=columns, rows=tuple(_row(criteria, name) for name in choice_names()), caption=caption)


def _row(criteria: CriteriaSet, name: str) -> tuple[Cell, ...]:
    shown, basis = choice_value(getattr(criteria, name)), criteria.basis.get(name)
    head = info(f"verdict.choice-{name.replace('_', '-')}")
    if basis is None:
        return (head, shown, None, None)
    if not basis.reported:
        shown = info("verdict.not-reported-run-with", told=shown)
    return (head, shown, basis.mark.value, tuple(text for text in (basis.place, basis.note) if text) or None)


def choice_value(value: object) -> Value:
    """Return a choice's value as a reader sees it: kinds of events by their names, days with their word.

    >>> choice_value(True).code, choice_value(">="), choice_value(None).code
    ('verdict.yes', '>=', 'verdict.no-limit')
    """
    match value:
        case None:
            return info("verdict.no-limit")
        case bool():
            return info("verdict.yes" if value else "verdict.no")
        case Mapping():
            return tuple(info("verdict.kind-days", kind=_kind(kind), days_d=days) for kind, days in value.items())
        case tuple():
            return tuple(_kind(one) if isinstance(one, str) and len(one) > 1 else one for one in value)
        case str():
            return value if value in (">=", ">") else info(f"verdict.word-{value}")
        case int() | float():
            return value
        case _:
            raise TypeError(f"a choice of type {type(value).__name__}")


def _kind(label: str) -> Message:
    return info(f"response.event-{label}")
