# SPDX-License-Identifier: Apache-2.0
"""Invented records and events for tests of the review; every name and number is invented."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sirolens.evidence.record import Position, Record, record_id
from sirolens.evidence.review.events import Event, Kind

START = datetime(2026, 1, 1, 8, tzinfo=UTC)


def sha(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def records(file: str, count: int, **fields: Any) -> tuple[Record, ...]:
    """As many invented records as asked for, of one invented file."""
    made = []
    for ordinal in range(1, count + 1):
        place = Position(sha256=sha(file), ordinal=ordinal, first_line=ordinal, last_line=ordinal)
        title = fields.get("title", f"Invented {file} {ordinal}")
        made.append(Record(id=record_id(place), source="ris", position=place, raw="", **{**fields, "title": title}))
    return tuple(made)


class Story:
    """Writes events one minute after the other."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.records: list[Record] = []
        self._minutes = 0

    def add(self, kind: Kind, by: str = "wei", **values: Any) -> Event:
        self._minutes += 1
        at = START + timedelta(minutes=self._minutes)
        event = Event.new(kind, by=by, at=at, token=f"{self._minutes:012x}", **values)
        self.events.append(event)
        return event

    def search(self, file: str, count: int, arm: str = "databases", by: str = "wei") -> tuple[str, ...]:
        """One search with one file; returns the ids of its records."""
        entry = self.add(Kind.SEARCHED, by, database=f"db {file}", arm=arm, strategy="sirolimus", run_on="2026-01-01")
        self.take_in(entry.id, file, count, by)
        return tuple(record.id for record in records(file, count))

    def take_in(self, search: str, file: str, count: int, by: str = "wei") -> Event:
        self.records += records(file, count)
        values = {"search": search, "sha256": sha(file), "file": file, "extension": "ris", "records": count}
        return self.add(Kind.IMPORTED, by, **values)

    def decide(self, record: str, decision: str, *by: str, stage: str = "title", **more: Any) -> None:
        for name in by or ("wei", "li"):
            self.add(Kind.DECIDED, name, record=record, stage=stage, decision=decision, **more)

    def heads(self) -> dict[str, str]:
        return heads(self.events)


def heads(events: Iterable[Event]) -> dict[str, str]:
    newest: dict[str, Event] = {}
    for event in sorted(events, key=lambda event: event.order):
        newest[event.by] = event
    return {by: event.id for by, event in newest.items()}
