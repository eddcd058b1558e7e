# SPDX-License-Identifier: Apache-2.0
"""The search log of a review as a page and as a table for the report's appendix (PRISMA-S)."""

from __future__ import annotations

from collections.abc import Sequence

from sirolens.evidence.review.search_log import Row, log_messages
from sirolens.message import info
from sirolens.report.document import Block, Cell, Column, Document, Findings, Heading, Paragraph, Table
from sirolens.report.tables import csv_bytes

__all__ = ["log_csv", "log_document", "log_table", "strategy_blocks"]


def _cells(row: Row, keys: Sequence[str]) -> tuple[Cell, ...]:
    event = row.search.event
    told: dict[str, Cell] = {
        "id": row.search.id if len(keys) > len(SHORT) else row.search.id[:SHORTEST_EVENT],
        "arm": info(f"review.column-{row.search.arm}"),
        "hits": event.values.get("hits"),
        "records": row.records,
        "files": "; ".join(f"{name} ({count})" for name, count in row.files) or None,
        "duplicates": row.duplicates,
        "included": row.included,
        "run_by": event.text("run_by") or event.by,
        "version": row.search.version,
    }
    return tuple(told[key] if key in told else event.text(key) or None for key in keys)


SHORTEST_EVENT = 14  # the beginning of an id by which commands know the event; whole ids break out of their column
SHORT = ("id", "database", "platform", "arm", "run_on", "hits", "records", "duplicates", "included")
FULL = (
    "id",
    "version",
    "database",
    "platform",
    "arm",
    "language",
    "run_on",
    "run_by",
    "strategy",
    "limits",
    "hits",
    "records",
    "files",
    "duplicates",
    "included",
    "translation",
    "peer_review",
    "note",
)


def log_table(rows: Sequence[Row], keys: Sequence[str] = FULL) -> Table:
    """Return the log as a table: all of it, or some columns."""
    return Table(
        columns=tuple(Column(head=info(f"review.log-{key.replace('_', '-')}"), name=key) for key in keys),
        rows=tuple(_cells(row, keys) for row in rows),
        caption=info("review.log-caption"),
    )


def log_csv(rows: Sequence[Row], language: str) -> bytes:
    """Return the whole log as CSV; what a spreadsheet would take for a formula is neutralised."""
    return csv_bytes(log_table(rows), language, None)


def log_document(rows: Sequence[Row], *, version: str) -> Document:
    """Lay the log out as a page: the counts first, then each strategy as it was run."""
    if not rows:
        empty = Paragraph(sentences=(info("review.log-empty"),))
        return Document(title=info("review.log-title"), blocks=(empty,), version=version)
    blocks: list[Block] = [log_table(rows, SHORT)]
    told = log_messages(rows)
    if told:
        blocks.append(Findings(messages=told))
    return Document(title=info("review.log-title"), blocks=(*blocks, *strategy_blocks(rows)), version=version)


def strategy_blocks(rows: Sequence[Row]) -> list[Block]:
    """Return each strategy as it was run, with its limits and the files that hold what it found."""
    blocks: list[Block] = []
    for row in rows:
        event = row.search.event
        name = info("review.log-of", name=event.text("database"), on=event.text("run_on"), id=row.search.id)
        blocks.append(Heading(text=name, level=3))
        sentences = [info("review.log-strategy-text", text=event.text("strategy").strip() or "-")]
        if event.text("limits"):
            sentences.append(info("review.log-limits-text", text=event.text("limits")))
        sentences.append(
            info("review.log-files-text", text="; ".join(f"{name} ({count})" for name, count in row.files) or "-")
        )
        blocks += [Paragraph(sentences=(sentence,)) for sentence in sentences]
    return blocks
