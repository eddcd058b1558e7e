# SPDX-License-Identifier: Apache-2.0
"""Between the deduplication and the review: what people decided goes in, new merges, questions and links come out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sirolens.evidence.dedup.result import Decision, Duplicates, Verdict
from sirolens.evidence.review.clusters import PERSON
from sirolens.evidence.review.events import Event, Kind
from sirolens.evidence.review.folder import Draft
from sirolens.evidence.review.state import State, counting_events, sorted_events
from sirolens.message import Message, Severity, Value

__all__ = ["RULE", "copies_drafts", "decided", "known_clusters", "message_of", "message_table"]

RULE = "rule"
"""The method of a merge or a question that comes from the rules."""


_VERDICTS = {Kind.MERGED: Verdict.MERGED, Kind.KEPT_APART: Verdict.KEPT_APART}


def message_table(message: Message) -> dict[str, Any]:
    """Return a message as the values of an event.

    >>> from sirolens.message import info
    >>> message_of(message_table(info("dedup.doi", value="10.9/x"))) == info("dedup.doi", value="10.9/x")
    True
    """
    return {
        "code": message.code,
        "severity": message.severity.value,
        "values": {name: _stored(value) for name, value in message.items},
    }


def _stored(value: Value) -> Any:
    if isinstance(value, Message):
        return {"message": message_table(value)}
    if isinstance(value, tuple):
        return [_stored(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else value.isoformat()


def message_of(told: Mapping[str, Any]) -> Message:
    """Make a message from what `message_table` returned."""
    items = tuple(sorted((name, _read(value)) for name, value in told["values"].items()))
    return Message(code=told["code"], severity=Severity(told["severity"]), items=items)


def _read(value: Any) -> Value:
    if isinstance(value, Mapping):
        return message_of(value["message"])
    if isinstance(value, list):
        return tuple(map(_read, value))
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def decided(events: Iterable[Event]) -> tuple[Decision, ...]:
    """Return what people decided about copies, oldest first.

    A merge that was taken back is a decision too: the rules do not make it again.

    Parameters
    ----------
    events : iterable of Event
        All of the review, also those undone.
    """
    everything = sorted_events(events)
    live = {event.id for event in counting_events(everything)}
    merges = {event.id: event for event in everything if event.kind is Kind.MERGED}
    found = []
    for event in everything:
        undone = merges.get(event.text("event")) if event.kind is Kind.UNDONE else None
        if undone is not None and undone.id not in live:
            found.append(Decision(members=undone.texts("members"), verdict=Verdict.UNMERGED))
        elif event.kind in _VERDICTS and event.id in live and event.text("method") == PERSON:
            members, others = event.texts("members"), event.texts("others")
            found.append(Decision(members=members, verdict=_VERDICTS[event.kind], others=others))
    return tuple(found)


def known_clusters(state: State) -> tuple[tuple[str, ...], ...]:
    """Return the clusters of two records or more, as the deduplication wants them."""
    return tuple(cluster.members for cluster in state.clusters.values() if len(cluster.members) > 1)


def copies_drafts(state: State, found: Duplicates) -> tuple[Draft, ...]:
    """Return the events for what the deduplication found and the review does not know yet.

    Parameters
    ----------
    state : State
    found : Duplicates
        Of all records of the state, with `known_clusters` and `decided` given to it.
    """
    drafts: list[Draft] = []
    for cluster in found.merged:
        if len({state.grouping.cluster_of[member] for member in cluster.members}) > 1:
            joins = [
                {"first": one.first, "second": one.second, "rule": one.rule, "why": message_table(one.why)}
                for one in cluster.joins
            ]
            rules = list(dict.fromkeys(one.rule for one in cluster.joins))
            values = {"members": list(cluster.members), "method": RULE, "why": rules, "joins": joins}
            drafts.append((Kind.MERGED, values))
    asked = {frozenset(event.texts("members")) for event in state.events if event.kind is Kind.ASKED}
    for ask in found.asks:
        if frozenset((ask.first, ask.second)) not in asked:
            told = {"members": [ask.first, ask.second], "method": RULE, "told": message_table(ask.why)}
            drafts.append((Kind.ASKED, told))
    linked = {(frozenset(link.members), link.relation) for link in state.links}
    for link in found.links:
        if (frozenset((link.first, link.second)), link.kind.value) not in linked:
            values = {"members": [link.first, link.second], "relation": link.kind.value, "method": RULE}
            drafts.append((Kind.LINKED, values | {"told": message_table(link.why)}))
    return tuple(drafts)
