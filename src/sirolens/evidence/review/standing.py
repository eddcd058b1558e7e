# SPDX-License-Identifier: Apache-2.0
"""Where a publication stands at one stage: the decisions that count on it, and what they come to together.

A conflict is never settled in silence: not between reviewers, not between copies that were merged after they had been
decided, and not between a resolution and a later decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import final

from sirolens.evidence.review.events import Decision, Event, Kind, Stage, seal
from sirolens.message import Message, warning

__all__ = ["RETRACTED", "Role", "Standing", "Status", "Voice", "opened", "standing"]

RETRACTED = "retracted"
"""The reason of an exclusion by retraction."""


class Status(StrEnum):
    """What the decisions of one stage come to."""

    NONE = "none"  # nobody has decided
    PARTIAL = "partial"  # fewer than the protocol asks for
    SEALED = "sealed"  # enough, but not opened yet
    CONFLICT = "conflict"
    INCLUDE = "include"
    EXCLUDE = "exclude"


class Role(StrEnum):
    """Why a decision counts."""

    REVIEWER = "reviewer"
    RESOLUTION = "resolution"
    RETRACTION = "retraction"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One decision that counts now.

    Parameters
    ----------
    by : str
    decision : Decision or None
        None while it is sealed.
    role : Role
    record : str
        The record it was made on.
    event : str
        The id of its event.
    at : datetime
    reasons, tags : tuple of str
    notes : str
    """

    by: str
    decision: Decision | None
    role: Role
    record: str
    event: str
    at: datetime
    reasons: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    notes: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a publication stands at one stage.

    Parameters
    ----------
    status : Status
    voices : tuple of Voice
        In the order they were made.
    reasons : tuple of str
        Of an exclusion: all that were given, the one that counts first.
    reasons_differ : bool
        True when two who exclude name different first reasons and nobody has settled it.
    """

    status: Status
    voices: tuple[Voice, ...] = ()
    reasons: tuple[str, ...] = ()
    reasons_differ: bool = False


NOTHING = Standing(status=Status.NONE)


def opened(events: Sequence[Event]) -> tuple[Mapping[str, Event], tuple[Message, ...]]:
    """Return what opens each sealed decision, by the id of the sealed event.

    Parameters
    ----------
    events : sequence of Event
        Sorted, without what was undone.

    Returns
    -------
    mapping of str to Event
        Only what its maker opened and what fits the seal.
    tuple of Message
        ``review.seal-broken`` for what does not fit.
    """
    sealed = {event.id: event for event in events if event.kind is Kind.DECIDED and "sealed" in event.values}
    found: dict[str, Event] = {}
    messages = []
    for event in events:
        if event.kind is not Kind.UNSEALED:
            continue
        about = sealed.get(event.text("event"))
        fits = about is not None and about.by == event.by and about.values["sealed"] == _seal_of(event, about)
        if fits:
            found.setdefault(event.text("event"), event)
        else:
            messages.append(warning("review.seal-broken", event=event.text("event"), by=event.by))
    return found, tuple(messages)


def _seal_of(event: Event, about: Event) -> str:
    return seal(
        event.text("salt"),
        record=about.text("record"),
        stage=about.text("stage"),
        decision=event.text("decision"),
        reasons=event.texts("reasons"),
        notes=event.text("notes"),
        tags=event.texts("tags"),
    )


def _voice(event: Event, opening: Mapping[str, Event]) -> Voice:
    told = opening.get(event.id, event)
    decision = Decision(told.text("decision")) if "decision" in told.values else None
    role = {Kind.RESOLVED: Role.RESOLUTION, Kind.RETRACTED: Role.RETRACTION}.get(event.kind, Role.REVIEWER)
    retracted = role is Role.RETRACTION
    return Voice(
        by=event.by,
        decision=Decision.EXCLUDE if retracted else decision,
        role=role,
        record=event.text("record"),
        event=event.id,
        at=event.at,
        reasons=(RETRACTED,) if retracted else told.texts("reasons"),
        tags=told.texts("tags"),
        notes=told.text("notes"),
    )


def _counting(statements: Iterable[Event], members: Iterable[str]) -> dict[str, Event]:
    """The statements that count on any of the members, by event id.

    On each record only the last word of each reviewer counts; what settles a conflict (a resolution, a retraction)
    replaces everything said on the record before it.
    """
    inside = set(members)
    latest: dict[str, dict[str, Event]] = {}
    for event in statements:
        for record in event.covered:
            if record not in inside:
                continue
            if event.kind is Kind.DECIDED:
                latest.setdefault(record, {})[event.by] = event
            else:
                latest[record] = {f"\n{event.kind}": event}  # no reviewer is called so
    counting = {event.id: event for by in latest.values() for event in by.values()}
    return dict(sorted(counting.items(), key=lambda item: item[1].order))


def standing(
    statements: Sequence[Event],
    members: Sequence[str],
    *,
    stage: Stage,
    reviewers: int,
    opening: Mapping[str, Event],
    reason_order: Sequence[str] = (),
) -> Standing:
    """Return where a publication stands.

    Parameters
    ----------
    statements : sequence of Event
        What was decided, resolved, retracted on its records at this stage; sorted.
    members : sequence of str
        Its records.
    stage : Stage
        At the title stage "maybe" goes on to the full text, as an inclusion does; at the full text it is a conflict.
    reviewers : int
        How many must agree.
    opening : mapping
        From `opened`.
    reason_order : sequence of str
        Which reason counts where two are given, the first of these first.
    """
    if not statements:
        return NOTHING
    voices = tuple(_voice(event, opening) for event in _counting(statements, members).values())
    if not voices:
        return NOTHING
    told = {voice.decision for voice in voices if voice.decision is not None}
    if stage is Stage.TITLE and Decision.MAYBE in told:
        told = (told - {Decision.MAYBE}) | {Decision.INCLUDE}
    settled = any(voice.role is not Role.REVIEWER for voice in voices)
    if len(told) > 1 or Decision.MAYBE in told:
        return Standing(status=Status.CONFLICT, voices=voices, reasons=_reasons(voices, reason_order))
    if not settled and len({voice.by for voice in voices}) < reviewers:
        return Standing(status=Status.PARTIAL, voices=voices)
    if any(voice.decision is None for voice in voices):
        return Standing(status=Status.SEALED, voices=voices)
    if Decision.INCLUDE in told:
        return Standing(status=Status.INCLUDE, voices=voices)
    first = {voice.reasons[0] for voice in voices if voice.reasons and voice.decision is Decision.EXCLUDE}
    return Standing(
        status=Status.EXCLUDE,
        voices=voices,
        reasons=_reasons(voices, reason_order),
        reasons_differ=len(first) > 1,
    )


def _reasons(voices: Sequence[Voice], order: Sequence[str]) -> tuple[str, ...]:
    """All reasons, each once: first those of who settled it, then in the protocol's order, then as they were given."""
    ranks = {reason: rank for rank, reason in enumerate(order)}
    ordered = sorted(
        enumerate((voice.role is Role.REVIEWER, reason) for voice in voices for reason in voice.reasons),
        key=lambda item: (item[1][0], ranks.get(item[1][1], len(ranks)), item[0]),
    )
    return tuple(dict.fromkeys(reason for _, (_, reason) in ordered))
