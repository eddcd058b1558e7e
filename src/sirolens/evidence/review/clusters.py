# SPDX-License-Identifier: Apache-2.0
"""Which records are copies of one publication: folded from what was merged, kept apart, asked and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias, final

from sirolens.evidence.review.events import Event, Kind
from sirolens.message import Message, warning

__all__ = ["PERSON", "Ask", "Cluster", "Grouping", "Link", "Rank", "group"]

Rank: TypeAlias = Callable[[str], tuple[Any, ...]]

PERSON = "person"
"""The method of a merge, or of keeping apart, that a person decided: no rule overrides it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The copies of one publication.

    Parameters
    ----------
    representative : str
        The record that is screened and counted.
    members : tuple of str
        All record ids, the representative first.
    merges : tuple of Event
        Why they are together; empty for a record alone.
    """

    representative: str
    members: tuple[str, ...]
    merges: tuple[Event, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Records of which a person must say whether they are copies."""

    members: tuple[str, ...]
    why: tuple[str, ...]
    event: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Different publications that belong together, such as an abstract and its paper."""

    members: tuple[str, ...]
    relation: str
    why: tuple[str, ...]
    event: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """All clusters, which one each record is in, and what is still to be asked."""

    clusters: Mapping[str, Cluster]
    cluster_of: Mapping[str, str]
    asks: tuple[Ask, ...]
    links: tuple[Link, ...]
    messages: tuple[Message, ...]


@final
class _Union:
    """Groups that grow; two records that were kept apart never come into one."""

    __slots__ = ("_apart", "_group")

    def __init__(self, apart: Iterable[tuple[str, str]]) -> None:
        self._group: dict[str, list[str]] = {}
        self._apart: dict[str, set[str]] = {}
        for one, other in apart:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def group(self, record: str) -> list[str]:
        return self._group.setdefault(record, [record])

    def join(self, one: str, other: str) -> bool:
        first, second = self.group(one), self.group(other)
        if first is second:
            return True
        inside = set(second)
        if any(not self._apart[record].isdisjoint(inside) for record in first if record in self._apart):
            return False
        first.extend(second)
        for record in second:
            self._group[record] = first
        return True


def _pairs(event: Event) -> Iterable[tuple[str, str]]:
    others = event.texts("others")
    if others:
        return ((min(one, other), max(one, other)) for one in event.texts("members") for other in others)
    return combinations(sorted(event.texts("members")), 2)


def _kept_apart(events: Sequence[Event]) -> dict[tuple[str, str], Event]:
    """The pairs that are kept apart in the end: the later word on a pair counts, but no rule overrides a person."""
    apart: dict[tuple[str, str], Event] = {}
    contested = {pair for event in events if event.kind is Kind.KEPT_APART for pair in _pairs(event)}
    if not contested:
        return apart
    for event in events:
        if event.kind not in (Kind.KEPT_APART, Kind.MERGED):
            continue
        for pair in _pairs(event):
            if event.kind is Kind.KEPT_APART:
                apart[pair] = event
            elif pair in apart and PERSON in (event.text("method"), *_unless_person(apart[pair])):
                del apart[pair]
    return apart


def _unless_person(event: Event) -> tuple[str, ...]:
    return () if event.text("method") == PERSON else (PERSON,)


def group(events: Sequence[Event], records: Iterable[str], *, rank: Rank) -> Grouping:
    """Fold the clusters.

    Parameters
    ----------
    events : sequence of Event
        Sorted, without what was undone.
    records : iterable of str
        The ids of all records.
    rank : callable
        The least of a cluster by it is its representative.

    Returns
    -------
    Grouping
        A contradiction (a is b, b is c, but a is not c) is told, and the later merge of the chain is not made.
    """
    known = set(records)
    messages: list[Message] = []
    apart = _kept_apart(events)
    union = _Union(apart)
    merges = [event for event in events if event.kind is Kind.MERGED]
    for event in merges:
        members = [record for record in event.texts("members") if record in known]
        if len(members) < len(event.texts("members")):
            messages.append(warning("review.merge-of-unknown", event=event.id))
        for index, record in enumerate(members[1:], start=1):
            before = members[:index]
            joined = any(union.join(other, record) for other in before)
            if not joined and not any((min(record, o), max(record, o)) in apart for o in before):
                messages.append(warning("review.merge-contradicts", event=event.id, record=record))
    clusters, cluster_of = _named(union, known, merges, rank)
    asks = tuple(
        Ask(members=event.texts("members"), why=event.texts("why"), event=event.id)
        for event in events
        if event.kind is Kind.ASKED and _open(event, apart, cluster_of)
    )
    links = tuple(
        Link(members=event.texts("members"), relation=event.text("relation"), why=event.texts("why"), event=event.id)
        for event in events
        if event.kind is Kind.LINKED
    )
    return Grouping(clusters=clusters, cluster_of=cluster_of, asks=asks, links=links, messages=tuple(messages))


def _named(
    union: _Union, known: set[str], merges: Sequence[Event], rank: Rank
) -> tuple[dict[str, Cluster], dict[str, str]]:
    cluster_of: dict[str, str] = {}
    members_of: dict[str, tuple[str, ...]] = {}
    for record in known:
        if record in cluster_of:
            continue
        members = tuple(sorted(union.group(record), key=rank))
        members_of[members[0]] = members
        for member in members:
            cluster_of[member] = members[0]
    why: dict[str, dict[str, Event]] = {}
    for event in merges:
        for record in event.texts("members"):
            if record in cluster_of and len(members_of[cluster_of[record]]) > 1:
                why.setdefault(cluster_of[record], {})[event.id] = event
    clusters = {
        name: Cluster(representative=name, members=members, merges=tuple(why.get(name, {}).values()))
        for name, members in sorted(members_of.items(), key=lambda item: rank(item[0]))
    }
    return clusters, cluster_of


def _open(event: Event, apart: Mapping[tuple[str, str], Event], cluster_of: Mapping[str, str]) -> bool:
    """True when some pair of the question is neither merged nor kept apart."""
    return any(
        one in cluster_of and other in cluster_of and cluster_of[one] != cluster_of[other] and (one, other) not in apart
        for one, other in _pairs(event)
    )
