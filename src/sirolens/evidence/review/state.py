# SPDX-License-Identifier: Apache-2.0
"""Where a review stands: folded from its events, the same from any order in which the reviewers' files are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, final

from sirolens.evidence.record import Record
from sirolens.evidence.review.boxes import OPEN, Box, Placed, place
from sirolens.evidence.review.clusters import Ask, Cluster, Grouping, Link, group
from sirolens.evidence.review.events import Arm, Event, Kind, Stage
from sirolens.evidence.review.sources import Found, Import, Search, find_records, read_log, version_reach
from sirolens.evidence.review.standing import NOTHING, Standing, Status, opened, standing
from sirolens.message import Message, warning

__all__ = [
    "OPEN",
    "Box",
    "Found",
    "Import",
    "Placed",
    "Rules",
    "Search",
    "Snapshot",
    "State",
    "Study",
    "as_of",
    "counting_events",
    "fold",
    "sorted_events",
    "state_hash",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the fold takes from the protocol.

    Parameters
    ----------
    title_reviewers, fulltext_reviewers : int
        How many must agree on a record.
    reasons : tuple of str
        Reasons to exclude a full text, the one that counts first where two are given first.
    """

    title_reviewers: int = 2
    fulltext_reviewers: int = 2
    reasons: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Reports and cohorts that are one study.

    Parameters
    ----------
    id, label : str
    reports : tuple of str
        Representatives of their clusters.
    cohorts : tuple of str
    overlap_group : str
        Studies of one group may share patients: one of them counts per outcome and time.
    data : mapping
        As it was entered.
    """

    id: str
    label: str
    reports: tuple[str, ...]
    cohorts: tuple[str, ...] = ()
    overlap_group: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A named state of the past."""

    name: str
    on: date
    event: Event
    version: int | None  # the version it closes

    @property
    def id(self) -> str:
        """The id of its event."""
        return self.event.id


@final
@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that follows from the events.

    Parameters
    ----------
    events : tuple of Event
        Those that count, sorted.
    records : mapping of str to Record
    searches, imports, snapshots : tuple
    found : mapping of record id to Found
    grouping : Grouping
        Clusters, questions and links.
    standings : mapping of (cluster, stage) to Standing
        Only where something was decided; ask `standing`.
    placed : mapping of record id to Placed
        Each record once.
    studies : mapping of str to Study
    version : int
        The one under way, counted from 1.
    rules : Rules
    messages : tuple of Message
        What does not fit together.
    """

    events: tuple[Event, ...]
    records: Mapping[str, Record]
    searches: tuple[Search, ...]
    imports: tuple[Import, ...]
    snapshots: tuple[Snapshot, ...]
    found: Mapping[str, Found]
    grouping: Grouping
    standings: Mapping[tuple[str, Stage], Standing]
    placed: Mapping[str, Placed]
    studies: Mapping[str, Study]
    version: int
    rules: Rules
    messages: tuple[Message, ...]

    @property
    def clusters(self) -> Mapping[str, Cluster]:
        """The clusters by their representatives."""
        return self.grouping.clusters

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Questions of the deduplication that are open."""
        return self.grouping.asks

    @property
    def links(self) -> tuple[Link, ...]:
        """Publications that belong together."""
        return self.grouping.links

    def standing(self, record: str, stage: Stage) -> Standing:
        """Return where the publication of a record stands at a stage."""
        return self.standings.get((self.grouping.cluster_of[record], stage), NOTHING)

    @cached_property
    def screened(self) -> tuple[str, ...]:
        """The representatives that are screened in any version, in the order of import."""
        removed = (Box.ALREADY_KNOWN, Box.DUPLICATE, Box.REMOVED)
        return tuple(name for name in self.clusters if self.placed[name].box not in removed)

    def within(self, *boxes: Box) -> tuple[str, ...]:
        """Return the records of some boxes, in the order of import."""
        return tuple(record for record, placed in self.placed.items() if placed.box in boxes)

    def counts(self, *, version: int | None = None, arm: Arm | None = None) -> Mapping[Box, int]:
        """Count the records in each box, of one version and arm where asked."""
        found = Counter(
            placed.box
            for placed in self.placed.values()
            if version in (None, placed.version) and arm in (None, placed.arm)
        )
        return {box: found.get(box, 0) for box in Box}

    def latest(self, kind: Kind, *keys: str) -> tuple[Event, ...]:
        """Return the newest event of a kind for each combination of some of its values and ``by``.

        ``state.latest(Kind.EXTRACTED, "study", "by")`` is each reviewer's newest form of each study.
        """
        newest: dict[tuple[str, ...], Event] = {}
        for event in self.events:
            if event.kind is kind:
                newest[tuple(event.by if key == "by" else event.text(key) for key in keys)] = event
        return tuple(newest.values())


def sorted_events(events: Iterable[Event]) -> tuple[Event, ...]:
    """Sort events by time and id; the same event read twice counts once."""
    return tuple(sorted({event.id: event for event in events}.values(), key=lambda event: event.order))


def counting_events(events: Iterable[Event]) -> tuple[Event, ...]:
    """Sort events and leave out what was undone; an undoing that was itself undone does not count."""
    everything = sorted_events(events)
    undoing = [event for event in everything if event.kind is Kind.UNDONE]
    gone: set[str] = set()
    for event in reversed(undoing):  # what undoes an undoing comes after it
        if event.id not in gone:
            gone.add(event.text("event"))
    return tuple(event for event in everything if event.id not in gone and event.kind is not Kind.UNDONE)


def as_of(events: Iterable[Event], snapshot: Event) -> tuple[Event, ...]:
    """Return the events a snapshot knew: of each reviewer those up to the newest that it names."""
    everything = sorted_events(events)
    by_id = {event.id: event for event in everything}
    heads = {by: by_id[name].order for by, name in snapshot.values["heads"].items() if name in by_id}
    return tuple(event for event in everything if event.by in heads and event.order <= heads[event.by])


def fold(events: Iterable[Event], records: Iterable[Record], rules: Rules | None = None) -> State:
    """Fold events into the state of the review.

    Parameters
    ----------
    events : iterable of Event
        In any order.
    records : iterable of Record
        Of all imported files; which search they belong to follows from the hash of their file.
    rules : Rules, optional

    Returns
    -------
    State
        The same for every order of the events.
    """
    ruled = Rules() if rules is None else rules
    everything = sorted_events(events)
    counting = counting_events(everything)
    messages: list[Message] = []
    heads = {event.id: event for event in everything}
    closing = [event for event in counting if event.kind is Kind.SNAPSHOT and event.values.get("version", False)]
    reached = [version_reach(event, heads) for event in closing]
    searches, imports = read_log(counting, reached, messages)
    known = {record.id: record for record in records}
    again = _known_files(everything, counting, closing)
    found = find_records(known, searches, imports, closing, reached, again, messages)
    ranks = {
        name: (at.version, list(Arm).index(at.arm), at.order, known[name].position.ordinal, name)
        for name, at in found.items()
    }
    grouping = group(counting, found, rank=ranks.__getitem__)
    standings, told = _standings(counting, grouping, ruled)
    placed = place(counting, grouping, found, standings)
    studies = _studies(counting, grouping, messages)
    return State(
        events=counting,
        records={name: known[name] for name in found},
        searches=searches,
        imports=imports,
        snapshots=_snapshots(counting),
        found=found,
        grouping=grouping,
        standings=standings,
        placed=placed,
        studies=studies,
        version=len(closing) + 1,
        rules=ruled,
        messages=(*messages, *grouping.messages, *told),
    )


def _known_files(everything: Sequence[Event], counting: Sequence[Event], closing: Sequence[Event]) -> dict[str, int]:
    """The first version that knew each file, where one was taken back: taken in again it is nothing new."""
    if all(event.kind is not Kind.IMPORTED for event in set(everything).difference(counting)):
        return {}
    files: dict[str, int] = {}
    for number, snapshot in enumerate(closing, start=1):
        for event in counting_events(as_of(everything, snapshot)):
            if event.kind is Kind.IMPORTED:
                files.setdefault(event.text("sha256"), number)
    return files


def _standings(
    events: Sequence[Event], grouping: Grouping, rules: Rules
) -> tuple[dict[tuple[str, Stage], Standing], tuple[Message, ...]]:
    """Where every publication stands at every stage at which something was decided."""
    opening, messages = opened(events)
    said: dict[tuple[str, Stage], dict[str, Event]] = {}
    retracted: dict[str, dict[str, Event]] = {}
    for event in events:
        if event.kind not in (Kind.DECIDED, Kind.RESOLVED, Kind.RETRACTED):
            continue
        for name in {grouping.cluster_of[record] for record in event.covered if record in grouping.cluster_of}:
            if event.kind is Kind.RETRACTED:
                retracted.setdefault(name, {})[event.id] = event
            else:
                said.setdefault((name, Stage(event.text("stage"))), {})[event.id] = event
    reviewers = {Stage.BEFORE: 1, Stage.TITLE: rules.title_reviewers, Stage.FULLTEXT: rules.fulltext_reviewers}

    def stand(name: str, stage: Stage, *more: Event) -> Standing:
        statements = sorted((*said.get((name, stage), {}).values(), *more), key=lambda event: event.order)
        return standing(
            statements,
            grouping.clusters[name].members,
            stage=stage,
            reviewers=reviewers[stage],
            opening=opening,
            reason_order=rules.reasons,
        )

    standings = {(name, stage): stand(name, stage) for name, stage in said}
    # A retraction acts on what is open or included; what was excluded keeps the reason it was excluded for.
    for name, withdrawn in retracted.items():
        passed = standings.get((name, Stage.TITLE), NOTHING).status is Status.INCLUDE
        stages = (Stage.TITLE, Stage.FULLTEXT) if passed else (Stage.TITLE,)
        if all(standings.get((name, stage), NOTHING).status is not Status.EXCLUDE for stage in stages):
            standings[name, stages[-1]] = stand(name, stages[-1], *withdrawn.values())
    return standings, messages


def _studies(events: Sequence[Event], grouping: Grouping, messages: list[Message]) -> dict[str, Study]:
    newest: dict[str, Event] = {}
    for event in events:
        if event.kind is Kind.GROUPED:
            newest[event.text("study")] = event
    owner: dict[str, str] = {}
    for event in sorted(newest.values(), key=lambda event: event.order):
        for record in event.texts("reports"):
            name = grouping.cluster_of.get(record)
            if name is None:
                messages.append(warning("review.report-unknown", study=event.text("study"), record=record))
                continue
            if name in owner and owner[name] != event.text("study"):
                messages.append(
                    warning("review.report-in-two-studies", record=record, one=owner[name], other=event.text("study"))
                )
            owner[name] = event.text("study")
    return {
        study: Study(
            id=study,
            label=event.text("label") or study,
            reports=tuple(name for name, owned in owner.items() if owned == study),
            cohorts=event.texts("cohorts"),
            overlap_group=event.text("overlap_group"),
            data=event.values.get("data", {}),
        )
        for study, event in sorted(newest.items())
    }


def _snapshots(events: Sequence[Event]) -> tuple[Snapshot, ...]:
    found = []
    version = 0
    for event in events:
        if event.kind is Kind.SNAPSHOT:
            closes = bool(event.values.get("version", False))
            version += closes
            on = date.fromisoformat(event.text("on"))
            found.append(Snapshot(name=event.text("name"), on=on, event=event, version=version if closes else None))
    return tuple(found)


def state_hash(state: State) -> str:
    """Return a hash of what a snapshot stands for: the box, the reason and the copies of every record, and the studies.

    >>> len(state_hash(fold([], [])))
    64
    """
    told = {
        "placed": {name: [at.box, at.cluster, at.arm, at.version, at.reason] for name, at in state.placed.items()},
        "searches": [[search.id, search.event.id, *search.imports] for search in state.searches],
        "studies": {name: [list(study.reports), list(study.cohorts)] for name, study in state.studies.items()},
    }
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
