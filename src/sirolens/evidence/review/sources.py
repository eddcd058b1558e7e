# SPDX-License-Identifier: Apache-2.0
"""Where the records of a review come from: its searches, their files, and the version each record counts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from sirolens.evidence.record import Record
from sirolens.evidence.review.events import Arm, Event, Kind
from sirolens.message import Message, warning

__all__ = ["Found", "Import", "Reach", "Search", "find_records", "read_log", "version_reach"]

Reach: TypeAlias = Mapping[str, tuple[Any, str]]
"""The newest event of each reviewer that a snapshot knew, by its order."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One entry of the search log, as it stands after corrections.

    Parameters
    ----------
    id : str
        Of its first event.
    event : Event
        The newest correction, or the entry itself.
    arm : Arm
    version : int
        Of the review, counted from 1, in which it was run.
    imports : tuple of str
        The hashes of its files.
    """

    id: str
    event: Event
    arm: Arm
    version: int
    imports: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file that was taken in, with the search it belongs to."""

    sha256: str
    search: str
    event: Event


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a record came from.

    Parameters
    ----------
    search : str
        Id of the search; empty when it was taken back.
    arm : Arm
    route : str
        Of what was found outside databases and registers.
    sha256 : str
    version : int
        The version of the review it counts for: a record without a final box is carried over to the next.
    order : int
        Of its import among all imports.
    """

    search: str
    arm: Arm
    route: str
    sha256: str
    version: int
    order: int


def version_reach(snapshot: Event, events: Mapping[str, Event]) -> Reach:
    """Return what a snapshot knew, given all events by their ids."""
    return {by: events[name].order for by, name in snapshot.values["heads"].items() if name in events}


def _version(event: Event, reached: Sequence[Reach]) -> int:
    """The first version whose snapshot knew the event, else the one under way."""
    for number, heads in enumerate(reached, start=1):
        if event.by in heads and event.order <= heads[event.by]:
            return number
    return len(reached) + 1


def read_log(
    events: Sequence[Event], reached: Sequence[Reach], messages: list[Message]
) -> tuple[tuple[Search, ...], tuple[Import, ...]]:
    """Return the searches with their corrections, and each imported file once.

    Parameters
    ----------
    events : sequence of Event
        Sorted, without what was undone.
    reached : sequence of Reach
        Of each snapshot that closed a version.
    messages : list of Message
        What does not fit together is added here.
    """
    entries: dict[str, Event] = {}
    newest: dict[str, Event] = {}
    for event in events:
        if event.kind is Kind.SEARCHED:
            corrected = event.text("corrects")
            if corrected in entries:
                newest[corrected] = event
            else:
                entries[event.id] = newest[event.id] = event
    imports: dict[str, Import] = {}
    for event in events:
        if event.kind is not Kind.IMPORTED:
            continue
        sha = event.text("sha256")
        if sha in imports:
            messages.append(warning("review.imported-twice", file=event.text("file")))
            continue
        if event.text("search") not in entries:
            messages.append(warning("review.import-without-search", file=event.text("file")))
        imports[sha] = Import(sha256=sha, search=event.text("search"), event=event)
    searches = tuple(
        Search(
            id=name,
            event=newest[name],
            arm=Arm(newest[name].text("arm")),
            version=_version(first, reached),
            imports=tuple(one.sha256 for one in imports.values() if one.search == name),
        )
        for name, first in entries.items()
    )
    return searches, tuple(imports.values())


def find_records(
    records: Mapping[str, Record],
    searches: Sequence[Search],
    imports: Sequence[Import],
    closing: Sequence[Event],
    reached: Sequence[Reach],
    again: Mapping[str, int],
    messages: list[Message],
) -> dict[str, Found]:
    """Return where each record was found; a record that a version left without a final box counts for the next one.

    Parameters
    ----------
    records : mapping of str to Record
    searches, imports, closing, reached : sequence
    again : mapping of str to int
        Of files that were taken back and in again, by their hash: the first version that knew them.
    messages : list of Message
        What is missing is added here.
    """
    by_id = {search.id: search for search in searches}
    by_file: dict[str, list[Record]] = {}
    for record in records.values():
        by_file.setdefault(record.position.sha256, []).append(record)
    carried = [frozenset(event.texts("open")) for event in closing]
    found: dict[str, Found] = {}
    for order, one in enumerate(imports):
        search = by_id.get(one.search)
        inside = sorted(by_file.get(one.sha256, ()), key=lambda record: record.position.ordinal)
        if len(inside) != one.event.values["records"]:
            messages.append(
                warning(
                    "review.records-missing",
                    file=one.event.text("file"),
                    expected=one.event.values["records"],
                    value=len(inside),
                )
            )
        first = again.get(one.sha256, _version(one.event, reached))
        for record in inside:
            version = first
            while version <= len(carried) and record.id in carried[version - 1]:
                version += 1
            found[record.id] = Found(
                search="" if search is None else search.id,
                arm=Arm.DATABASES if search is None else search.arm,
                route="" if search is None else search.event.text("route"),
                sha256=one.sha256,
                version=version,
                order=order,
            )
    return found
