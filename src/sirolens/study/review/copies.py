# SPDX-License-Identifier: Apache-2.0
"""Copies of a publication as pages: open questions side by side, and why the copies of one publication are together."""

from __future__ import annotations

from typing import Any

from sirolens.evidence.record import Record
from sirolens.evidence.review.copies import message_of
from sirolens.evidence.review.events import Event, Kind
from sirolens.evidence.review.state import State
from sirolens.message import Message, info
from sirolens.report.document import Block, Cell, Column, Document, Findings, Heading, Paragraph, Table
from sirolens.report.words import say

__all__ = ["asks_document", "asks_json", "cluster_document", "cluster_json"]

SHOWN_ASKS = 20
KEYS = ("record", "title", "title_vernacular", "author", "year", "journal", "volume", "issue", "pages", "doi", "pmid")


def _value(record: Record, key: str) -> Cell:
    if key == "record":
        return record.id
    if key == "author":
        return ", ".join(author.printed for author in record.authors[:3]) or None
    told: Cell = getattr(record, key)
    return told or None


def side_by_side(records: tuple[Record, ...]) -> Table:
    """Return records as columns of a table; rows that none of them fills are left out."""
    rows = [(info(f"review.column-{key.replace('_', '-')}"), *(_value(one, key) for one in records)) for key in KEYS]
    return Table(
        columns=(
            Column(head=info("review.column-field"), name="field_text"),
            *(
                Column(head=info("review.column-copy", number=number), name="copy")
                for number, _ in enumerate(records, 1)
            ),
        ),
        rows=tuple(row for row in rows if any(cell is not None for cell in row[1:])),
    )


def _told(event: Event) -> tuple[Message, ...]:
    """Why the rules ask or join, in their own words."""
    if "told" in event.values:
        return (message_of(event.values["told"]),)
    return tuple(message_of(row["why"]) for row in event.values.get("joins", ()))


def asks_document(state: State, *, version: str) -> Document:
    """Lay out the open questions."""
    events = {event.id: event for event in state.events if event.kind is Kind.ASKED}
    blocks: list[Block] = [Paragraph(sentences=(info("review.asks-count", count=len(state.asks)),))]
    for number, ask in enumerate(state.asks[:SHOWN_ASKS], start=1):
        blocks.append(Heading(text=info("review.ask-number", number=number), level=3))
        blocks.append(side_by_side(tuple(state.records[name] for name in ask.members if name in state.records)))
        blocks.append(Findings(messages=_told(events[ask.event])))
    if state.asks:
        blocks.append(Paragraph(sentences=(info("review.asks-hint"),)))
    return Document(title=info("review.asks-title"), blocks=tuple(blocks), version=version)


def asks_json(state: State, language: str) -> list[dict[str, Any]]:
    """Return the open questions as JSON values."""
    events = {event.id: event for event in state.events if event.kind is Kind.ASKED}
    return [
        {
            "event": ask.event,
            "members": list(ask.members),
            "why": [say(message, language) for message in _told(events[ask.event])],
        }
        for ask in state.asks
    ]


def cluster_document(state: State, name: str, *, version: str) -> Document:
    """Lay out the copies of one publication, why they are together, and what belongs with it."""
    cluster = state.clusters[name]
    blocks: list[Block] = [side_by_side(tuple(state.records[member] for member in cluster.members))]
    reasons = [message for event in cluster.merges for message in _told(event)]
    persons = [info("review.merged-by", by=event.by, event=event.id) for event in cluster.merges if not _told(event)]
    links = [
        info("review.linked-with", other=other, relation_text=link.relation)
        for link in state.links
        if name in {state.grouping.cluster_of.get(member) for member in link.members}
        for other in link.members
        if state.grouping.cluster_of.get(other) != name
    ]
    if reasons or persons or links:
        blocks.append(Findings(messages=(*reasons, *persons, *links)))
    blocks.append(Paragraph(sentences=(info("review.cluster-hint"),)))
    return Document(title=info("review.cluster-title", record=name), blocks=tuple(blocks), version=version)


def cluster_json(state: State, name: str, language: str) -> dict[str, Any]:
    """Return the copies of one publication as JSON values."""
    cluster = state.clusters[name]
    return {
        "record": name,
        "members": list(cluster.members),
        "box": str(state.placed[name].box),
        "merges": [
            {
                "event": event.id,
                "by": event.by,
                "method": event.text("method"),
                "why": [say(m, language) for m in _told(event)],
            }
            for event in cluster.merges
        ],
    }
