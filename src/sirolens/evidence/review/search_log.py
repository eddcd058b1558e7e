# SPDX-License-Identifier: Apache-2.0
"""The search log as PRISMA-S asks for it: which source, which exact string, when, by whom, what came out.

Many files can belong to one search (a platform that exports 500 records at a time). An entry is never changed: a
correction is a new event, and both stay in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.review.events import ARMS, ROUTES, SHAPES, Arm, Event, Kind
from sirolens.evidence.review.folder import Draft, Review
from sirolens.evidence.review.protocol import Database
from sirolens.evidence.review.state import Box, Search, State, counting_events
from sirolens.message import Message, Place, error, info, warning

__all__ = [
    "Entry",
    "Plan",
    "Row",
    "correction",
    "find_search",
    "known_files",
    "log_messages",
    "log_rows",
    "refuse_known",
    "searches_for",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a person tells of a search; what is empty is taken from the protocol's source of that name."""

    run_on: date | None
    name: str = ""
    hits: int | None = None
    limits: str = ""
    strategy: str = ""
    arm: str = ""
    route: str = ""
    run_by: str = ""
    peer_review: str = ""
    note: str = ""
    repeats: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One search to be logged with its files.

    Parameters
    ----------
    name : str
        Of the source.
    known : str
        Id of the search when it is in the log already.
    draft : Draft
        The event of a new one.
    files : tuple of int
        Which of the files belong to it.
    messages : tuple of Message
    """

    name: str
    known: str
    draft: Draft
    files: tuple[int, ...]
    messages: tuple[Message, ...] = ()


def known_files(events: Sequence[Event]) -> dict[str, Event]:
    """Return the imported files by their hashes."""
    return {event.text("sha256"): event for event in counting_events(events) if event.kind is Kind.IMPORTED}


def refuse_known(events: Sequence[Event], files: Sequence[tuple[str, str]]) -> None:
    """Refuse files that are in the review already, or twice among these.

    Raises
    ------
    InputError
        ``review.file-known``, ``review.file-twice``, for each.
    """
    known = known_files(events)
    seen: dict[str, str] = {}
    faults = []
    for name, sha in files:
        place = Place(file=name)
        if sha in known:
            at = known[sha].at.date()
            faults.append(error("review.file-known", place=place, file=known[sha].text("file"), on=at))
        elif sha in seen:
            faults.append(error("review.file-twice", place=place, other=seen[sha]))
        seen[sha] = name
    if faults:
        raise InputError(*faults)


def searches_for(
    review: Review, entry: Entry, files: Sequence[tuple[str, str]], *, to_search: str = ""
) -> tuple[Plan, ...]:
    """Return which searches the files belong to.

    Parameters
    ----------
    review : Review
    entry : Entry
        With a name, all files are of one search. Without one, each file goes to the source of the protocol that its
        format tells (a PubMed file to the one source named after PubMed).
    files : sequence of (str, str)
        Name and format of each.
    to_search : str
        Id, or beginning of the id, of a search in the log: the files are added to it.

    Raises
    ------
    InputError
        ``review.source-...``, ``review.search-unknown``: nothing is guessed.
    """
    everything = tuple(range(len(files)))
    if to_search:
        known = find_search(counting_events(review.events), to_search)
        return (Plan(name=known.text("database"), known=known.id, draft=(Kind.SEARCHED, {}), files=everything),)
    sources = () if review.reading.protocol is None else review.reading.protocol.databases
    if entry.name:
        return (_plan(entry, _source(entry, sources), everything),)
    by_source: dict[str, list[int]] = {}
    for index, (name, source) in enumerate(files):
        by_source.setdefault(_told_by(name, source, sources).name, []).append(index)
    named = {one.name: one for one in sources}
    if len(by_source) > 1 and entry.hits is not None:
        raise InputError(error("review.hits-of-many", place=Place(field="--hits"), known=tuple(by_source)))
    return tuple(_plan(entry, named[name], tuple(indices)) for name, indices in by_source.items())


def find_search(events: Sequence[Event], told: str) -> Event:
    """Return the entry of the log that a person names by its id, the beginning of it, or the source's name."""
    entries = [event for event in events if event.kind is Kind.SEARCHED and not event.text("corrects")]
    found = [event for event in entries if event.id == told] or [
        event for event in entries if event.id.startswith(told) or told in (event.text("name"), event.text("database"))
    ]
    if len(found) != 1:
        code = "review.search-ambiguous" if found else "review.search-unknown"
        known = tuple(f"{event.id} ({event.text('name') or event.text('database')})" for event in found or entries)
        raise InputError(error(code, place=Place(field="--search"), value=told, known=known))
    return found[0]


def _source(entry: Entry, sources: Sequence[Database]) -> Database:
    named = next((one for one in sources if entry.name in (one.name, one.database)), None)
    if named is not None:
        return named
    known = tuple(one.name for one in sources)
    place = Place(field="--from")
    if not entry.strategy or not entry.arm:
        raise InputError(error("review.source-unknown", place=place, value=entry.name, known=known))
    if entry.arm not in ARMS:
        raise InputError(
            error("models.not-one-of", place=Place(field="--arm"), value=entry.arm, expected=", ".join(ARMS))
        )
    return Database(name="", database=entry.name, arm=Arm(entry.arm), route=entry.route, strategy=entry.strategy)


def _told_by(file: str, source: str, sources: Sequence[Database]) -> Database:
    """The one source of the protocol whose name the format carries."""
    found = [one for one in sources if one.name in source.split("-")]
    if len(found) != 1:
        known = tuple(one.name for one in sources)
        raise InputError(error("review.source-needed", place=Place(file=file), format=source, known=known))
    return found[0]


def _plan(entry: Entry, source: Database, files: tuple[int, ...]) -> Plan:
    arm = entry.arm or source.arm
    route = entry.route or source.route
    if arm == Arm.OTHER and not route:
        raise InputError(error("review.route-needed", place=Place(field="--route"), known=ROUTES))
    if arm == Arm.OTHER and route not in ROUTES:
        raise InputError(
            error("models.not-one-of", place=Place(field="--route"), value=route, expected=", ".join(ROUTES))
        )
    strategy = entry.strategy or source.strategy
    messages: list[Message] = []
    if not strategy:
        messages.append(warning("review.strategy-empty", name=source.name or source.database))
    if source.unverified:
        messages.append(warning("review.strategy-unverified", name=source.name or source.database))
    values = {
        "database": source.database,
        "platform": source.platform or None,
        "name": source.name or None,
        "arm": str(arm),
        "route": route or None,
        "language": source.language or None,
        "strategy": strategy,
        "limits": entry.limits or source.limits or None,
        "run_on": None if entry.run_on is None else entry.run_on.isoformat(),
        "hits": entry.hits,
        "run_by": entry.run_by or None,
        "peer_review": entry.peer_review or None,
        "note": entry.note or None,
        "repeats": entry.repeats or None,
        "unverified": source.unverified or None,
    }
    name = source.name or source.database
    return Plan(name=name, known="", draft=(Kind.SEARCHED, values), files=files, messages=tuple(messages))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One search of the log, as PRISMA-S asks.

    Parameters
    ----------
    search : Search
    files : tuple of (str, int)
        Names of the files with the records in each.
    records : int
    duplicates : int
        Of its records, those removed as copies or already known.
    included : int
        Of its records, those that are included now.
    """

    search: Search
    files: tuple[tuple[str, int], ...]
    records: int
    duplicates: int
    included: int

    def as_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        event = self.search.event
        told = {key: value for key, value in event.values.items() if key not in ("corrects",)}
        return {
            "id": self.search.id,
            **told,
            "logged_by": event.by,
            "version": self.search.version,
            "files": [{"file": name, "records": count} for name, count in self.files],
            "records": self.records,
            "duplicates": self.duplicates,
            "included": self.included,
            "corrected": event.id != self.search.id,
        }


def log_rows(state: State) -> tuple[Row, ...]:
    """Return the search log, oldest first."""
    by_file = {one.sha256: one for one in state.imports}
    inside: dict[str, list[str]] = {}
    for record, found in state.found.items():
        inside.setdefault(found.search, []).append(record)
    rows = []
    for search in state.searches:
        boxes = [state.placed[record].box for record in inside.get(search.id, ())]
        files = tuple(
            (by_file[sha].event.text("file"), int(by_file[sha].event.values["records"])) for sha in search.imports
        )
        rows.append(
            Row(
                search=search,
                files=files,
                records=len(boxes),
                duplicates=boxes.count(Box.DUPLICATE) + boxes.count(Box.ALREADY_KNOWN),
                included=boxes.count(Box.INCLUDED),
            )
        )
    return tuple(rows)


def log_messages(rows: Sequence[Row]) -> tuple[Message, ...]:
    """Return what a reader of the log would ask about: hits that are not the records, strategies that are missing."""
    messages: list[Message] = []
    for row in rows:
        event = row.search.event
        hits = event.values.get("hits")
        name = event.text("name") or event.text("database")
        if hits is not None and row.files and hits != row.records:
            messages.append(warning("review.hits-differ", name=name, hits=hits, records=row.records))
        if not event.text("strategy").strip():
            messages.append(warning("review.log-strategy-missing", name=name, on=event.text("run_on")))
        if not row.files:
            messages.append(info("review.search-without-files", name=name))
    return tuple(dict.fromkeys(messages))


def correction(state: State, told: str, changes: Sequence[str]) -> Draft:
    """Return the event that corrects an entry of the log.

    Parameters
    ----------
    state : State
    told : str
        The entry.
    changes : sequence of str
        ``key=value``; an empty value takes the key away.

    Raises
    ------
    InputError
        ``review.set-unreadable``, ``review.search-unknown``, and what the event's own check finds.
    """
    entry = find_search(state.events, told)
    search = next(one for one in state.searches if one.id == entry.id)
    values = {key: value for key, value in search.event.values.items() if key != "corrects"}
    known = {*SHAPES[Kind.SEARCHED].must, *SHAPES[Kind.SEARCHED].may} - {"corrects"}
    if not changes:
        raise InputError(error("review.set-needed", place=Place(field="--set"), known=tuple(sorted(known))))
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign or key not in known:
            raise InputError(
                error("review.set-unreadable", place=Place(field="--set"), value=change, known=tuple(sorted(known)))
            )
        if value:
            values[key] = int(value) if key == "hits" and value.isdigit() else value
        else:
            values.pop(key, None)
    return Kind.SEARCHED, {**values, "corrects": entry.id}
