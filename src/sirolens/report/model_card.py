# SPDX-License-Identifier: Apache-2.0
"""The card of one population model as a document: what it is, whom it was made from, its formulas and its values.

It takes the rows that `sirolens.models.card` lays out and knows nothing else of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sirolens.message import Message, Severity, info
from sirolens.report.document import Block, Column, Document, Findings, Heading, KeyFact, KeyFacts, Table

__all__ = ["model_card"]

FACTS = ("role", "default_for", "source", "mark", "primary_table_seen", "levels_from_days", "digest")
COHORT = (
    "description",
    "population",
    "disease",
    "subjects",
    "observations",
    "assay",
    "assay_class",
    "sampling",
    "dosing",
)
TABLES = ("thetas", "parameters", "covariates", "omega", "correlations", "limits", "variants")
WORD_COLUMNS = frozenset({"mark", "effect", "form", "when_missing", "absorption", "kind", "fact"})
"""Columns whose cells are words of the program's own vocabulary."""


def model_card(card: Mapping[str, Any], *, version: str) -> Document:
    """Lay a model's card out as a document.

    Parameters
    ----------
    card : mapping
        From `sirolens.models.card.describe`.
    version : str
        Version of the program.
    """
    target = info("card.target", low_ng_ml=card["low_ng_ml"], high_ng_ml=card["high_ng_ml"])
    blocks: list[Block] = [
        _facts(
            card,
            FACTS,
            extra=() if card["low_ng_ml"] is None else (KeyFact(label=info("card.target-of"), value=target),),
        ),
        Findings(messages=tuple(card["warnings"])),
        Heading(text=info("card.cohort")),
        _facts(card["cohort"], COHORT),
        Heading(text=info("card.supports")),
        Findings(messages=_supports(card)),
        Heading(text=info("card.structure")),
        _facts(card["structure"], tuple(card["structure"])),
        _facts(card["residual"], tuple(card["residual"]), heading="residual-"),
    ]
    for name in TABLES:
        blocks += _table(name, card[name])
    for table in card["dosing_tables"]:
        blocks += _dosing_table(table)
    title = info(
        "card.title", label=card["label"], name=card["name"], variant=card["variant"] or "", title=card["title"]
    )
    return Document(title=title, blocks=tuple(blocks), version=version)


def _supports(card: Mapping[str, Any]) -> tuple[Message, ...]:
    known = tuple(
        Message(code="card.does-support", severity=Severity.CHECKED, items=(("supports", row["supports"]),))
        for row in card["supports"]
    )
    return (*known, *(info("card.does-not-support", supports=row["supports"]) for row in card["does_not_support"]))


def _facts(
    values: Mapping[str, Any], names: Sequence[str], *, heading: str = "", extra: Sequence[KeyFact] = ()
) -> KeyFacts:
    """Label and value of everything that is known; an unknown name (a user's own equation) labels itself."""
    facts = []
    for name in names:
        value = values.get(name)
        if value is None or value == "":
            continue
        code = f"card.{heading}{name.lower().replace('_', '-')}"
        label = info("card.own-name", name=name) if name.startswith("d") and name.endswith("/dt") else info(code)
        facts.append(KeyFact(label=label, value=_cell(name, value), name=name))
    return KeyFacts(facts=(*facts, *extra))


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return info("card.yes") if value else info("card.no")
    if isinstance(value, str) and name in WORD_COLUMNS | {"role", "default_for", "assay", "assay_class"}:
        return info("card.word", kind=value)
    return value


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not rows:
        return []
    columns, cells = _columns(rows)
    return [Heading(text=info(f"card.table-{name}")), Table(columns=columns, rows=cells)]


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[Column, ...], tuple[tuple[Any, ...], ...]]:
    """The columns that hold anything at all, with their cells."""
    used = [key for key in rows[0] if any(row[key] not in (None, "", False) for row in rows)]
    columns = tuple(Column(head=info(f"card.column-{key.lower().replace('_', '-')}"), name=key) for key in used)
    return columns, tuple(tuple(_cell(key, row[key]) for key in used) for row in rows)


def _dosing_table(table: Mapping[str, Any]) -> list[Block]:
    caption = info(
        "card.dosing-caption",
        title=table["title"],
        low_ng_ml=table["low_ng_ml"],
        high_ng_ml=table["high_ng_ml"],
        times=table["doses_per_day"],
        mark=table["mark"],
    )
    rows = table["rows"]
    columns, cells = _columns(rows)
    return (
        [Heading(text=info("card.table-dosing")), Table(columns=columns, rows=cells, caption=caption)] if rows else []
    )
