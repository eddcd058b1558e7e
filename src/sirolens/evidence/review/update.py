# SPDX-License-Identifier: Apache-2.0
"""The living review: when an update is due, what it found, what was withdrawn, and what a version changed and why.

A version is closed by a snapshot. It names the newest event of each reviewer, so that what it knew can be folded again
at any time; a record without a final box then is carried over to the next version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.record import NoticeKind, Record
from sirolens.evidence.review.events import Event, Kind
from sirolens.evidence.review.folder import Draft
from sirolens.evidence.review.protocol import Protocol
from sirolens.evidence.review.state import OPEN, Box, Snapshot, State, sorted_events, state_hash
from sirolens.message import Place, error

__all__ = [
    "Cumulative",
    "Ongoing",
    "Trigger",
    "Withdrawn",
    "carried_over",
    "cumulative",
    "find_snapshot",
    "new_publications",
    "ongoing",
    "read_withdrawn",
    "retraction_drafts",
    "snapshot_draft",
    "triggers",
]

DAYS_OF_A_MONTH = 30.4375  # a twelfth of 365.25


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One reason to update.

    Parameters
    ----------
    kind : str
        ``"months"``, ``"new-records"``, ``"new-studies"``, ``"changed-points"``.
    limit : float
        From the protocol.
    value : float
        As it is now.
    """

    kind: str
    limit: float
    value: float

    @property
    def due(self) -> bool:
        """True when the limit is reached."""
        return self.value >= self.limit


def triggers(state: State, protocol: Protocol | None, *, today: date) -> tuple[Trigger, ...]:
    """Return the triggers of the protocol with where each stands.

    Parameters
    ----------
    state : State
    protocol : Protocol or None
        Without one there are none.
    today : date
    """
    if protocol is None:
        return ()
    limits, found = protocol.triggers, []
    runs = [date.fromisoformat(search.event.text("run_on")) for search in state.searches]
    if limits.months is not None and runs:
        months = int((today - max(runs)).days / DAYS_OF_A_MONTH * 10) / 10
        found.append(Trigger(kind="months", limit=limits.months, value=months))
    if limits.new_records is not None and state.version > 1:
        found.append(Trigger(kind="new-records", limit=limits.new_records, value=len(new_publications(state))))
    if limits.new_studies is not None and state.version > 1:
        included = [name for name in new_publications(state) if state.placed[name].box is Box.INCLUDED]
        found.append(Trigger(kind="new-studies", limit=limits.new_studies, value=len(included)))
    if limits.changed_points is not None and len(state.snapshots) > 1:
        before, after = (_estimates(one.event) for one in state.snapshots[-2:])
        moved = [_points(row, after[name]) for name, row in before.items() if name in after]
        found.append(Trigger(kind="changed-points", limit=limits.changed_points, value=max(moved, default=0.0)))
    return tuple(found)


def _points(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    """How far an estimate moved: a share in percentage points, anything else in its own unit."""
    scale = 100.0 if before.get("effect") == after.get("effect") == "share" else 1.0
    return scale * abs(float(after["estimate"]) - float(before["estimate"]))


def _estimates(event: Event) -> dict[str, Mapping[str, Any]]:
    return {str(row["name"]): row for row in event.values.get("estimates", ())}


def new_publications(state: State) -> tuple[str, ...]:
    """Return the publications of the version under way that no earlier version had: those to be screened.

    What was carried over without a final box is among them.
    """
    known = (Box.DUPLICATE, Box.ALREADY_KNOWN)
    return tuple(
        name for name, placed in state.placed.items() if placed.version == state.version and placed.box not in known
    )


def carried_over(state: State) -> tuple[str, ...]:
    """Return those of the new publications that an earlier version had found and left without a final box."""
    open_then = {record for one in state.snapshots for record in one.event.texts("open")}
    return tuple(name for name in new_publications(state) if not open_then.isdisjoint(state.clusters[name].members))


def snapshot_draft(
    events: Iterable[Event],
    state: State,
    *,
    name: str,
    on: date,
    version: bool = False,
    note: str = "",
    estimates: Sequence[Mapping[str, Any]] = (),
) -> Draft:
    """Return the event that gives the state a name.

    Parameters
    ----------
    events : iterable of Event
        All of the review, also those undone.
    state : State
        Folded from them.
    name : str
        New in this review.
    on : date
    version : bool
        True closes the version under way.
    note : str, optional
    estimates : sequence of mappings
        Pooled results: ``name``, ``estimate``, ``low``, ``high``, ``k``, ``studies``, ``method``.

    Raises
    ------
    InputError
        ``review.snapshot-twice``, ``review.estimate-unreadable``.
    """
    if any(name in (one.name, one.id) for one in state.snapshots):
        raise InputError(error("review.snapshot-twice", value=name))
    _check_estimates(estimates)
    heads = {event.by: event.id for event in sorted_events(events)}
    values: dict[str, Any] = {
        "name": name,
        "on": on.isoformat(),
        "state": state_hash(state),
        "heads": heads,
        "boxes": {box.value: count for box, count in state.counts().items()},
        "included": list(state.within(Box.INCLUDED)),
        "studies": [study for study, one in state.studies.items() if _is_included(state, one.reports)],
        "estimates": [dict(row) for row in estimates] or None,
        "note": note or None,
    }
    if version:
        pending = {state.placed[name].cluster for name in state.within(*OPEN)}
        values |= {
            "version": True,
            "open": [record for record, placed in state.placed.items() if placed.cluster in pending],
        }
    return Kind.SNAPSHOT, values


def _is_included(state: State, reports: Sequence[str]) -> bool:
    return any(state.placed[report].box is Box.INCLUDED for report in reports)


def _check_estimates(rows: Sequence[Mapping[str, Any]]) -> None:
    for number, row in enumerate(rows, start=1):
        numbers = [row.get(key) for key in ("estimate", "low", "high")]
        good = isinstance(row.get("name"), str) and isinstance(numbers[0], int | float)
        if not good or not all(isinstance(one, int | float | None) for one in numbers):
            raise InputError(error("review.estimate-unreadable", number=number))


def find_snapshot(state: State, told: str) -> Snapshot:
    """Return the snapshot of a name, or of the beginning of an id.

    Raises
    ------
    InputError
        ``review.snapshot-unknown``.
    """
    found = [one for one in state.snapshots if told == one.name] or [
        one for one in state.snapshots if one.id.startswith(told)
    ]
    if len(found) != 1:
        raise InputError(error("review.snapshot-unknown", value=told, known=tuple(one.name for one in state.snapshots)))
    return found[0]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A publication that a list says is withdrawn, by DOI or PMID."""

    doi: str = ""
    pmid: str = ""
    on: date | None = None


def read_withdrawn(text: str, file: str = "") -> tuple[Withdrawn, ...]:
    r"""Read a list of withdrawn publications: a DOI or PMID on each line, and after a comma the date where it is known.

    Raises
    ------
    InputError
        ``review.withdrawn-unreadable`` for each line that is neither.

    Examples
    --------
    >>> [one.doi or one.pmid for one in read_withdrawn("10.99999/Fake.1, 2026-03-01\n99000001\n\n# a comment")]
    ['10.99999/fake.1', '99000001']
    """
    found, faults = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        name, _, day = (part.strip() for part in line.partition(","))
        if not name or name.startswith("#"):
            continue
        bare = name.lower().removeprefix("https://doi.org/").removeprefix("doi:").removeprefix("pmid:").strip()
        try:
            on = date.fromisoformat(day) if day else None
        except ValueError:
            on, bare = None, ""
        if bare.startswith("10.") and "/" in bare:
            found.append(Withdrawn(doi=bare, on=on))
        elif bare.isdigit():
            found.append(Withdrawn(pmid=bare, on=on))
        else:
            place = Place(file=file or None, line=number)
            faults.append(error("review.withdrawn-unreadable", place=place, value=line[:80]))
    if faults:
        raise InputError(*faults)
    return tuple(found)


def retraction_drafts(
    state: State, *, on: date, withdrawn: Sequence[Withdrawn] = (), source: str = ""
) -> tuple[Draft, ...]:
    """Look for retractions among all known publications.

    Parameters
    ----------
    state : State
    on : date
        Of the check; a retraction acts at its own date where the list tells it, else at this one.
    withdrawn : sequence of Withdrawn
        Beside what the records themselves say.
    source : str
        Where the list comes from.

    Returns
    -------
    tuple of Draft
        One ``retracted`` for each publication that was not known to be withdrawn, and last the ``checked`` that says
        that somebody looked.
    """
    by_doi = {one.doi: one for one in withdrawn if one.doi}
    by_pmid = {one.pmid: one for one in withdrawn if one.pmid}
    known = {
        state.grouping.cluster_of[name]
        for event in state.events
        if event.kind is Kind.RETRACTED
        for name in event.covered
        if name in state.grouping.cluster_of
    }
    drafts: list[Draft] = []
    for name, cluster in state.clusters.items():
        if name in known:
            continue
        copies = [state.records[member] for member in cluster.members]
        listed = next((hit for one in copies if (hit := by_doi.get(one.doi) or by_pmid.get(one.pmid))), None)
        telling = next((one for one in copies if _says_retracted(one)), None)
        if listed is None and telling is None:
            continue
        notice = next((one for copy in copies for one in copy.notices if one.kind is NoticeKind.RETRACTED_BY), None)
        values = {
            "record": name,
            "covers": list(cluster.members),
            "date": (on if listed is None or listed.on is None else listed.on).isoformat(),
            "source": (telling.source if telling is not None else source) or None,
            "notice": None if notice is None else notice.printed or None,
            "doi": None if notice is None else notice.doi or None,
            "pmid": None if notice is None else notice.pmid or None,
        }
        drafts.append((Kind.RETRACTED, values))
    checked = {"what": "retractions", "on": on.isoformat(), "records": len(state.clusters), "found": len(drafts)}
    return (*drafts, (Kind.CHECKED, checked | {"source": source or None}))


def _says_retracted(record: Record) -> bool:
    return record.retracted or any(one.kind is NoticeKind.RETRACTED_BY for one in record.notices)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cumulative:
    """What was known up to the searches of one day.

    Parameters
    ----------
    on : date
    records : int
        Identified up to then.
    publications : int
    included : tuple of str
        Of the publications included now, those that had been found by then, in the order they were found.
    studies : tuple of str
        The studies these belong to.
    """

    on: date
    records: int
    publications: int
    included: tuple[str, ...]
    studies: tuple[str, ...]


def cumulative(state: State) -> tuple[Cumulative, ...]:
    """Return what was known by the date of each search: the order of a cumulative estimate."""
    run = {search.id: date.fromisoformat(search.event.text("run_on")) for search in state.searches}
    by_record = {name: run[found.search] for name, found in state.found.items() if found.search in run}
    first = {
        name: min(by_record[member] for member in cluster.members if member in by_record)
        for name, cluster in state.clusters.items()
        if any(member in by_record for member in cluster.members)
    }
    study_of = {report: study.id for study in state.studies.values() for report in study.reports}
    rows = []
    for day in sorted(set(run.values())):
        included = tuple(
            sorted(
                (name for name in state.within(Box.INCLUDED) if name in first and first[name] <= day),
                key=lambda name: (first[name], name),
            )
        )
        rows.append(
            Cumulative(
                on=day,
                records=sum(found <= day for found in by_record.values()),
                publications=sum(found <= day for found in first.values()),
                included=included,
                studies=tuple(dict.fromkeys(study_of[name] for name in included if name in study_of)),
            )
        )
    return tuple(rows)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing:
    """A study under way.

    Parameters
    ----------
    title, registration, status, expected, note : str
    seen_on : date
        When this was last written down.
    results : tuple of str
        Publications in the review that carry its registration number: it may be ongoing no longer.
    """

    title: str
    registration: str
    status: str
    expected: str
    note: str
    seen_on: date
    results: tuple[str, ...] = ()


def ongoing(state: State) -> tuple[Ongoing, ...]:
    """Return the table of ongoing studies: the newest word on each registration, or title where there is none."""
    newest: dict[str, Event] = {}
    for event in state.events:
        if event.kind is Kind.ONGOING:
            newest[(event.text("registration") or event.text("title")).upper()] = event
    carried: dict[str, list[str]] = {}
    for name in state.clusters:
        for number in state.records[name].trial_ids:
            carried.setdefault(number.upper(), []).append(name)
    return tuple(
        Ongoing(
            title=event.text("title"),
            registration=event.text("registration"),
            status=event.text("status"),
            expected=event.text("expected"),
            note=event.text("note"),
            seen_on=event.at.date(),
            results=tuple(
                name
                for name in carried.get(event.text("registration").upper(), ())
                if name != state.grouping.cluster_of.get(event.text("record"), "")
            ),
        )
        for _, event in sorted(newest.items())
    )
