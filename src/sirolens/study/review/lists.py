# SPDX-License-Identifier: Apache-2.0
"""Lists of a review as pages: what is to be decided, conflicts, full texts to be had, contacts, the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from sirolens.evidence.record import Record
from sirolens.evidence.review.events import Event, Kind, Stage
from sirolens.evidence.review.standing import Voice
from sirolens.evidence.review.state import Box, State
from sirolens.evidence.screening.two_reviewers import conflicts, to_screen
from sirolens.message import Message, Value, info
from sirolens.report.document import Cell, Column, Document, Paragraph, Table

__all__ = [
    "Listed",
    "conflict_rows",
    "conflicts_document",
    "contacts_document",
    "contacts_json",
    "history_document",
    "history_json",
    "listed",
    "pending_document",
    "pending_rows",
    "retrieval_document",
    "retrieval_rows",
]

SHOWN_TITLE = 110  # characters of a title in a list
SHOWN_ROWS = 50
SHOWN_HISTORY = 30


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One publication in a list.

    Parameters
    ----------
    record : Record
        Its representative.
    copies : int
    stage : Stage or None
    voices : tuple of Voice
        What was decided, where the list is about that; sealed ones without their decision.
    """

    record: Record
    copies: int
    stage: Stage | None = None
    voices: tuple[Voice, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        one = self.record
        told: dict[str, Any] = {
            "record": one.id,
            "title": one.title or one.title_vernacular,
            "title_vernacular": one.title_vernacular,
            "authors": [author.printed for author in one.authors],
            "year": one.year,
            "journal": one.journal,
            "doi": one.doi,
            "pmid": one.pmid,
            "copies": self.copies,
        }
        if self.stage is not None:
            told["stage"] = str(self.stage)
            told["decisions"] = [
                {
                    "by": voice.by,
                    "decision": None if voice.decision is None else str(voice.decision),
                    "role": str(voice.role),
                    "reasons": list(voice.reasons),
                    "notes": voice.notes,
                    "record": voice.record,
                }
                for voice in self.voices
            ]
        return told


def listed(state: State, name: str, stage: Stage | None = None) -> Listed:
    """Return a publication as a row of a list."""
    voices = () if stage is None else state.standing(name, stage).voices
    copies = len(state.clusters[name].members)
    return Listed(record=state.records[name], copies=copies, stage=stage, voices=voices)


def pending_rows(state: State, stage: Stage, by: str) -> tuple[Listed, ...]:
    """Return what a reviewer has still to decide at a stage, in the order of import."""
    return tuple(listed(state, name) for name in to_screen(state, by, stage))


def conflict_rows(state: State) -> tuple[Listed, ...]:
    """Return all conflicts, those of titles first."""
    return tuple(
        listed(state, name, stage) for stage in (Stage.TITLE, Stage.FULLTEXT) for name in conflicts(state, stage)
    )


def retrieval_rows(state: State) -> tuple[Listed, ...]:
    """Return the reports whose full text is to be had."""
    return tuple(listed(state, name) for name in state.within(Box.RETRIEVAL_PENDING))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_TITLE else f"{text[:SHOWN_TITLE]}…"


def _cells(row: Listed) -> tuple[Cell, ...]:
    one = row.record
    author = one.authors[0].printed if one.authors else None
    return one.id, one.year, author, _short(one.title or one.title_vernacular), row.copies


_COLUMNS = tuple(
    Column(head=info(code), name=name)
    for code, name in (
        ("review.column-record", "record"),
        ("review.column-year", "year"),
        ("review.column-author", "author"),
        ("review.column-title", "title"),
        ("review.column-copies", "copies"),
    )
)


def _list(rows: Sequence[Listed], title: Message, hint: Message, *, version: str) -> Document:
    table = Table(
        columns=_COLUMNS,
        rows=tuple(_cells(row) for row in rows[:SHOWN_ROWS]),
        caption=info("review.list-caption", count=len(rows), shown=min(len(rows), SHOWN_ROWS)),
    )
    blocks = (table, Paragraph(sentences=(hint,))) if rows else (Paragraph(sentences=(info("review.list-empty"),)),)
    return Document(title=title, blocks=blocks, version=version)


def pending_document(rows: Sequence[Listed], *, stage: Stage, by: str, version: str) -> Document:
    """Lay out what a reviewer has still to decide."""
    title = info("review.pending-title", stage_word=info(f"review.stage-{stage}"), by=by)
    return _list(rows, title, info("review.pending-hint", stage=str(stage)), version=version)


def retrieval_document(rows: Sequence[Listed], *, version: str) -> Document:
    """Lay out which full texts are to be had."""
    return _list(rows, info("review.retrieval-title"), info("review.retrieval-hint"), version=version)


def _voices(row: Listed) -> tuple[Message, ...]:
    return tuple(
        info(
            "review.voice",
            by=voice.by,
            decision_word=info("review.decision-sealed")
            if voice.decision is None
            else info(f"review.decision-{voice.decision}"),
            role_word=info(f"review.role-{voice.role}"),
            reasons=", ".join(voice.reasons) or "-",
        )
        for voice in row.voices
    )


def conflicts_document(rows: Sequence[Listed], *, version: str) -> Document:
    """Lay out conflicts with who says what."""
    columns = (
        *_COLUMNS[:4],
        Column(head=info("review.column-stage"), name="stage_word"),
        Column(head=info("review.column-decisions"), name="decisions"),
    )
    cells = [
        (*_cells(row)[:4], info(f"review.stage-{row.stage}"), _voices(row)) for row in rows[:SHOWN_ROWS] if row.stage
    ]
    table = Table(
        columns=columns,
        rows=tuple(cells),
        caption=info("review.list-caption", count=len(rows), shown=min(len(rows), SHOWN_ROWS)),
    )
    hint = Paragraph(sentences=(info("review.conflicts-hint"),))
    blocks = (table, hint) if rows else (Paragraph(sentences=(info("review.list-empty"),)),)
    return Document(title=info("review.conflicts-title"), blocks=blocks, version=version)


def contacts_json(state: State) -> list[dict[str, Any]]:
    """Return the log of contacts with authors."""
    return [
        {"by": event.by, "event": event.id, **event.values} for event in state.events if event.kind is Kind.CONTACTED
    ]


def contacts_document(state: State, *, version: str) -> Document:
    """Lay out the log of contacts with authors."""
    keys = ("on", "who", "about", "how", "answered_on", "answer")
    rows: list[tuple[Cell, ...]] = [
        (event.text("record"), *(event.text(key) or None for key in keys), event.by)
        for event in state.events
        if event.kind is Kind.CONTACTED
    ]
    columns = (
        _COLUMNS[0],
        *(Column(head=info(f"review.column-{key.replace('_', '-')}"), name=key) for key in keys),
        Column(head=info("review.column-reviewer"), name="by"),
    )
    table = Table(columns=columns, rows=tuple(rows))
    blocks = (table,) if rows else (Paragraph(sentences=(info("review.list-empty"),)),)
    return Document(title=info("review.contacts-title"), blocks=blocks, version=version)


def history_json(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return all events that count, newest first."""
    return [
        {"id": one.id, "at": one.at.isoformat(), "by": one.by, "kind": str(one.kind), "values": dict(one.values)}
        for one in reversed(events)
    ]


def history_document(events: Sequence[Event], *, version: str) -> Document:
    """Lay out the newest events, so that one can be taken back."""
    heads = ("event", "at", "reviewer", "what", "about")
    rows: list[tuple[Cell, ...]] = [
        (one.id, one.at, one.by, info(f"review.kind-{one.kind}"), _about(one))
        for one in list(reversed(events))[:SHOWN_HISTORY]
    ]
    table = Table(
        columns=tuple(Column(head=info(f"review.column-{name}"), name=name) for name in heads),
        rows=tuple(rows),
        caption=info("review.list-caption", count=len(events), shown=len(rows)),
    )
    hint = Paragraph(sentences=(info("review.undo-hint"),))
    return Document(title=info("review.history-title"), blocks=(table, hint), version=version, zone="UTC")


def _about(event: Event) -> Value:
    """What an event is about, in few words of its own."""
    for key in ("record", "members", "file", "name", "database", "study", "title", "key", "event", "outcome"):
        if key in event.values:
            told = event.values[key]
            return ", ".join(told[:3]) if isinstance(told, list) else str(told)
    return None
