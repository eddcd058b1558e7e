# SPDX-License-Identifier: Apache-2.0
"""Response criteria as pages: the sets that are known, and one set with every choice, its mark and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sirolens.message import Message, Value, info
from sirolens.report.document import Column, Document, Findings, Heading, KeyFact, KeyFacts, Paragraph, Table
from sirolens.response.criteria_set import Basis, CriteriaSet, choice_names

__all__ = ["criteria_card", "criteria_list"]

LISTED = ("complete_10e9_l", "response_10e9_l", "response_fold", "confirmation_d")
"""The choices shown for each set in the list of all."""


def criteria_list(sets: Sequence[CriteriaSet], *, version: str) -> Document:
    """Lay out the sets that are known.

    Parameters
    ----------
    sets : sequence of CriteriaSet
        The sets.
    version : str
        Version of the program.
    """
    heads = ("name", "written", "complete", "response", "fold", "confirmation", "unreported")
    rows = tuple((one.name, one.title, *(_listed(one, name) for name in LISTED), len(one.not_reported)) for one in sets)
    table = Table(
        columns=tuple(Column(head=info(f"verdict.list-{name}"), name=name) for name in heads),
        rows=rows,
        notes=(info("verdict.sets-note"),),
    )
    return Document(title=info("verdict.sets-title"), blocks=(table,), version=version)


def criteria_card(criteria: CriteriaSet, *, version: str) -> Document:
    """Lay out one set: where it is printed, and every choice with its mark, its place and why.

    Parameters
    ----------
    criteria : CriteriaSet
        The set.
    version : str
        Version of the program.
    """
    columns = tuple(
        Column(head=info(f"verdict.column-{head}"), name=name)
        for head, name in (("choice", "choice"), ("value", "told"), ("mark", "mark"), ("why", "written"))
    )
    rows = tuple(
        (_choice(name), _shown(criteria, name), _mark(criteria.basis.get(name)), _why(criteria.basis.get(name)))
        for name in choice_names()
    )
    source = (
        KeyFact(label=info("verdict.set-name"), value=criteria.name),
        KeyFact(label=info("verdict.set-version"), value=criteria.version),
        KeyFact(label=info("verdict.set-source"), value=criteria.source.cite()),
    )
    notes = tuple(info("verdict.set-note", written=note) for note in criteria.notes)
    return Document(
        title=info("verdict.set-card", written=criteria.title),
        blocks=(
            KeyFacts(facts=source),
            Heading(text=info("verdict.choices")),
            Table(columns=columns, rows=rows),
            *((Heading(text=info("verdict.notes")), Findings(messages=notes)) if notes else ()),
            Paragraph(sentences=(info("verdict.set-rules"),)),
        ),
        version=version,
    )


def _choice(name: str) -> Message:
    return info(f"verdict.choice-{name.replace('_', '-')}")


def _listed(criteria: CriteriaSet, name: str) -> Value:
    """A choice as printed; a question mark where the source does not print it."""
    return "?" if name in criteria.not_reported else _plain(getattr(criteria, name))


def _shown(criteria: CriteriaSet, name: str) -> Value:
    basis = criteria.basis.get(name)
    shown = _plain(getattr(criteria, name))
    if basis is not None and not basis.reported:
        return info("verdict.not-reported-run-with", told=shown)
    return shown


def _plain(value: object) -> Value:
    """A choice's value as a reader sees it: kinds of events by their names, days with their word."""
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


def _mark(basis: Basis | None) -> Value:
    return None if basis is None else basis.mark.value


def _why(basis: Basis | None) -> Value:
    if basis is None:
        return None
    return tuple(text for text in (basis.place, basis.note) if text) or None
