# SPDX-License-Identifier: Apache-2.0
"""What changed between two states of a review: counts, records that moved and why, estimates that moved and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, final

from sirolens.evidence.review.events import Event, Kind
from sirolens.evidence.review.state import Box, Snapshot, State

__all__ = ["Difference", "Moved", "MovedEstimate", "difference", "snapshot_estimates"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One record that is in another box.

    Parameters
    ----------
    record : str
    before : Box or None
        None for a record that was not there.
    after : Box or None
        None for a record whose import was taken back.
    why : tuple of Event
        The new events about it or its copies, oldest first.
    """

    record: str
    before: Box | None
    after: Box | None
    why: tuple[Event, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MovedEstimate:
    """One pooled estimate that is not what it was.

    Parameters
    ----------
    name : str
    before, after : mapping or None
        The rows of the two snapshots.
    added, removed : tuple of str
        Studies.
    changed : tuple of (str, str)
        Counts of studies that are in both, before and after, such as ``("a 12/20", "a 13/20")``.
    why : tuple of str
        ``"new"``, ``"gone"``, ``"studies-added"``, ``"studies-removed"``, ``"counts"``, ``"method"``, and ``"data"``
        when none of these is told and the numbers are not the same.
    """

    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[tuple[str, str], ...]
    why: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything that changed.

    Parameters
    ----------
    counts : tuple of (Box, int, int)
        Boxes whose count changed.
    moved : tuple of Moved
        Records that were there before and are in another box now.
    added : tuple of Moved
        New records.
    searches : tuple of str
        New entries of the log.
    studies_added, studies_removed : tuple of str
    estimates : tuple of MovedEstimate
    """

    counts: tuple[tuple[Box, int, int], ...]
    moved: tuple[Moved, ...]
    added: tuple[Moved, ...]
    searches: tuple[str, ...]
    studies_added: tuple[str, ...]
    studies_removed: tuple[str, ...]
    estimates: tuple[MovedEstimate, ...]

    @property
    def nothing(self) -> bool:
        """True when the two states are the same."""
        return not (self.counts or self.moved or self.added or self.searches or self.estimates) and (
            not self.studies_added and not self.studies_removed
        )


def difference(
    before: State,
    after: State,
    *,
    estimates_before: Sequence[Mapping[str, Any]] = (),
    estimates_after: Sequence[Mapping[str, Any]] = (),
) -> Difference:
    """Return what changed between two states.

    Parameters
    ----------
    before, after : State
    estimates_before, estimates_after : sequence of mappings
        Pooled results with ``name``, ``estimate`` and, where they are told, ``low``, ``high``, ``k``, ``studies``,
        ``method``.
    """
    old, new = before.counts(), after.counts()
    about = _new_events(before, after)
    names = dict.fromkeys((*before.placed, *after.placed))
    moves = []
    for name in names:
        one, other = before.placed.get(name), after.placed.get(name)
        box_before, box_after = None if one is None else one.box, None if other is None else other.box
        if box_before != box_after:
            moves.append(Moved(record=name, before=box_before, after=box_after, why=_about(name, after, about)))
    known = {search.id for search in before.searches}
    was, now = _included_studies(before), _included_studies(after)
    return Difference(
        counts=tuple((box, old[box], new[box]) for box in Box if old[box] != new[box]),
        moved=tuple(one for one in moves if one.before is not None),
        added=tuple(one for one in moves if one.before is None),
        searches=tuple(search.id for search in after.searches if search.id not in known),
        studies_added=tuple(name for name in now if name not in was),
        studies_removed=tuple(name for name in was if name not in now),
        estimates=_estimates(estimates_before, estimates_after),
    )


def snapshot_estimates(one: Snapshot | None) -> tuple[Mapping[str, Any], ...]:
    """Return the pooled results that a snapshot holds."""
    return () if one is None else tuple(one.event.values.get("estimates", ()))


def _included_studies(state: State) -> tuple[str, ...]:
    return tuple(
        name
        for name, study in state.studies.items()
        if any(state.placed[report].box is Box.INCLUDED for report in study.reports)
    )


_TELLING = (
    Kind.MERGED,
    Kind.KEPT_APART,
    Kind.DECIDED,
    Kind.UNSEALED,
    Kind.RESOLVED,
    Kind.RETRACTED,
    Kind.STOP_ACCEPTED,
    Kind.PREVIOUS,
    Kind.RETRIEVED,
    Kind.NOT_RETRIEVED,
)


def _new_events(before: State, after: State) -> dict[str, list[Event]]:
    """The events that only one of the states counts, by the records they name."""
    old = {event.id for event in before.events}
    new = {event.id for event in after.events}
    sealed = {event.id: event for event in after.events if event.kind is Kind.DECIDED}
    about: dict[str, list[Event]] = {}
    changed = [event for event in after.events if event.id not in old]
    changed += [event for event in before.events if event.id not in new]  # taken back since
    for event in changed:
        if event.kind not in _TELLING:
            continue
        named = {*event.texts("members"), *event.texts("records"), *event.texts("covers"), event.text("record")}
        if event.kind is Kind.UNSEALED and event.text("event") in sealed:
            named |= set(sealed[event.text("event")].covered)
        for name in named:
            about.setdefault(name, []).append(event)
    return about


def _about(name: str, state: State, about: Mapping[str, Sequence[Event]]) -> tuple[Event, ...]:
    cluster = state.grouping.cluster_of.get(name)
    members = (name,) if cluster is None else state.clusters[cluster].members
    found = {event.id: event for member in members for event in about.get(member, ())}
    return tuple(sorted(found.values(), key=lambda event: event.order))


def _estimates(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[MovedEstimate, ...]:
    old = {str(row["name"]): row for row in before}
    new = {str(row["name"]): row for row in after}
    moved = []
    for name in dict.fromkeys((*old, *new)):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        had = tuple(map(str, (was or {}).get("studies", ())))
        has = tuple(map(str, (now or {}).get("studies", ())))
        added = tuple(study for study in has if study not in had)
        removed = tuple(study for study in had if study not in has)
        changed = _changed(was or {}, now or {})
        why = _why(was, now, added, removed, changed)
        moved.append(
            MovedEstimate(name=name, before=was, after=now, added=added, removed=removed, changed=changed, why=why)
        )
    return tuple(moved)


def _changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The counts that differ in studies which stand in both, side by side in their order."""
    both = set(map(str, was.get("studies", ()))) & set(map(str, now.get("studies", ())))
    told = ([str(one) for one in row.get("counts", ()) if str(one).split(" ")[0] in both] for row in (was, now))
    before, after = told
    gone, come = ([one for one in before if one not in after], [one for one in after if one not in before])
    return tuple(zip_longest(gone, come, fillvalue="-"))


def _why(
    was: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    added: Sequence[str],
    removed: Sequence[str],
    changed: Sequence[tuple[str, str]],
) -> tuple[str, ...]:
    if was is None:
        return ("new",)
    if now is None:
        return ("gone",)
    told = ("studies-added",) * bool(added) + ("studies-removed",) * bool(removed)
    told += ("counts",) * bool(changed)
    told += ("method",) * (was.get("method") != now.get("method"))
    return told or ("data",)
