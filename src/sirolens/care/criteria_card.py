# SPDX-License-Identifier: Apache-2.0
"""Response criteria as pages: the sets that are known, and one set with every choice, its mark and why."""

from __future__ import annotations

from collections.abc import Sequence

from sirolens.message import Value, info
from sirolens.report.criteria_table import choice_value, choices_table
from sirolens.report.document import Column, Document, Findings, Heading, KeyFact, KeyFacts, Paragraph, Table
from sirolens.response.criteria_set import CriteriaSet

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
            choices_table(criteria),
            *((Heading(text=info("verdict.notes")), Findings(messages=notes)) if notes else ()),
            Paragraph(sentences=(info("verdict.set-rules"),)),
        ),
        version=version,
    )


def _listed(criteria: CriteriaSet, name: str) -> Value:
    """A choice as printed; a question mark where the source does not print it."""
    return "?" if name in criteria.not_reported else choice_value(getattr(criteria, name))
