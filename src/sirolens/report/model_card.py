# SPDX-License-Identifier: Apache-2.0
"""Population models as documents: the list of those known, and the card of one with its formulas and its values.

They take the rows that `sirolens.models.card` lays out and know nothing else of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sirolens.message import Message, Severity, info
from sirolens.report.document import Block, Column, Document, Findings, Heading, KeyFact, KeyFacts, Table

__all__ = ["model_card", "model_list"]

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
NOTES = ("note", "reason", "why")
"""Columns of whole sentences: they stand under the table, each after the name of its row."""
NO_UNIT = frozenset({"", "1"})
RANGES = {
    "low": ("seen", "high"),
    "clamp_low": ("clamp", "clamp_high"),
    "hard_low": ("hard", "hard_high"),
    "soft_low": ("soft", "soft_high"),
}
"""Two columns that are one: lower end -> name of the range, upper end."""


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
    if isinstance(value, str) and name == "unit":
        return info("models.written", written=value)
    return value


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not rows:
        return []
    columns, cells = _columns([_joined(row) for row in rows])
    return [Heading(text=info(f"card.table-{name}")), Table(columns=columns, rows=cells, notes=_notes(rows))]


def _joined(row: Mapping[str, Any]) -> dict[str, Any]:
    """Put what belongs together into one cell: a covariate and its unit, the two ends of a range."""
    upper = {high: name for name, high in RANGES.values()}
    told: dict[str, Any] = {}
    for key, value in row.items():
        if key in RANGES:
            name, high = RANGES[key]
            told[name] = _range(value, row[high])
        elif key == "missing_value" and value == row["reference"]:
            told[key] = None  # the column of references says it
        elif key == "covariate" and row["unit"] not in NO_UNIT:
            told[key] = info("card.with-unit", what=value, unit=_cell("unit", row["unit"]))
        elif key not in upper and not (key == "unit" and "covariate" in row):
            told[key] = value
    return told


def _range(low: float | None, high: float | None) -> Message | None:
    if low is None and high is None:
        return None
    if high is None:
        return info("card.at-least", low=low)
    return info("card.at-most", high=high) if low is None else info("card.range", low=low, high=high)


def _notes(rows: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """What is said of each row, after its name (the value of its first column)."""
    return tuple(
        info("card.note-of", about=_cell(*next(iter(row.items()))), note=row[key])
        for row in rows
        for key in NOTES
        if row.get(key)
    )


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[Column, ...], tuple[tuple[Any, ...], ...]]:
    """The columns that hold anything at all, with their cells; sentences are left to the notes."""
    used = [key for key in rows[0] if key not in NOTES and any(row[key] not in (None, "", False) for row in rows)]
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
    if not rows:
        return []
    columns, cells = _columns(rows)
    notes = (info("card.note", note=table["note"]),) if table["note"] else ()
    return [
        Heading(text=info("card.table-dosing")),
        Table(columns=columns, rows=cells, caption=caption, notes=notes),
    ]


def model_list(cards: Sequence[Mapping[str, Any]], withheld: Sequence[Mapping[str, Any]], *, version: str) -> Document:
    """List the models that may be used, and those that are known but cannot be, with what is missing.

    Parameters
    ----------
    cards, withheld : sequence of mapping
        From `sirolens.models.card.describe` and `sirolens.models.card.describe_unusable`.
    version : str
        Version of the program.
    """
    usable = tuple(KeyFact(label=info("card.own-name", name=card["name"]), value=card["title"]) for card in cards)
    unusable = tuple(
        KeyFact(
            label=info("card.own-name", name=row["name"]),
            value=info("card.withheld" if row["reason"] else "card.unusable", **row),
        )
        for row in withheld
    )
    blocks = (
        KeyFacts(facts=usable),
        Heading(text=info("card.known-but-unusable")),
        KeyFacts(facts=unusable),
    )
    return Document(title=info("card.list"), blocks=blocks, version=version)
