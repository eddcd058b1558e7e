# SPDX-License-Identifier: Apache-2.0
"""The box of every record: where each one ends as of now, and why; each record is in exactly one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from sirolens.evidence.review.clusters import Grouping
from sirolens.evidence.review.events import Arm, Event, Kind, Stage
from sirolens.evidence.review.sources import Found
from sirolens.evidence.review.standing import NOTHING, Role, Standing, Status

__all__ = ["OPEN", "Box", "Placed", "known_elsewhere", "place"]


class Box(StrEnum):
    """Where a record ends, as of now: each record is in exactly one."""

    ALREADY_KNOWN = (
        "already-known"  # a copy of what an earlier version had, or an earlier review made elsewhere included
    )
    DUPLICATE = "duplicate"  # another copy of this version stands for it
    REMOVED = "removed-other"  # removed before screening for another reason
    AUTOMATIC = "excluded-automatic"  # left unscreened when a named person accepted to stop
    TITLE_PENDING = "title-pending"
    TITLE_CONFLICT = "title-conflict"
    TITLE_EXCLUDED = "title-excluded"
    RETRIEVAL_PENDING = "retrieval-pending"
    NOT_RETRIEVED = "not-retrieved"
    FULLTEXT_PENDING = "fulltext-pending"
    FULLTEXT_CONFLICT = "fulltext-conflict"
    FULLTEXT_EXCLUDED = "fulltext-excluded"
    INCLUDED = "included"


OPEN = frozenset(
    {Box.TITLE_PENDING, Box.TITLE_CONFLICT, Box.RETRIEVAL_PENDING, Box.FULLTEXT_PENDING, Box.FULLTEXT_CONFLICT}
)
"""The boxes that are not final: with a record in one of them a flow diagram is a draft."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The one box of a record.

    Parameters
    ----------
    box : Box
    cluster : str
        The representative of its copies.
    arm : Arm
    version : int
    reason : str
        Why it was excluded, where a reason was given.
    """

    box: Box
    cluster: str
    arm: Arm
    version: int
    reason: str = ""


def known_elsewhere(events: Sequence[Event], grouping: Grouping) -> frozenset[str]:
    """Return the publications that an earlier review, made elsewhere, had included: they are nothing new here."""
    told = (name for event in events if event.kind is Kind.PREVIOUS for name in event.texts("records"))
    return frozenset(grouping.cluster_of[name] for name in told if name in grouping.cluster_of)


def place(
    events: Sequence[Event],
    grouping: Grouping,
    found: Mapping[str, Found],
    standings: Mapping[tuple[str, Stage], Standing],
) -> dict[str, Placed]:
    """Return the box of every record.

    Parameters
    ----------
    events : sequence of Event
        Sorted, without what was undone.
    grouping : Grouping
    found : mapping of record id to Found
    standings : mapping of (cluster, stage) to Standing
    """
    stopped: set[str] = set()
    retrieval: dict[str, Kind] = {}
    for event in events:
        if event.kind is Kind.STOP_ACCEPTED:
            stopped |= {grouping.cluster_of[name] for name in event.texts("records") if name in grouping.cluster_of}
        elif event.kind in (Kind.RETRIEVED, Kind.NOT_RETRIEVED):
            for name in {grouping.cluster_of[name] for name in event.covered if name in grouping.cluster_of}:
                retrieval[name] = event.kind
    elsewhere = known_elsewhere(events, grouping)
    placed: dict[str, Placed] = {}
    for name, cluster in grouping.clusters.items():
        by_stage = {stage: standings.get((name, stage), NOTHING) for stage in Stage}
        box, reason = _box(by_stage, name in stopped, retrieval.get(name))
        if name in elsewhere:
            box, reason = Box.ALREADY_KNOWN, ""
        first = found[name]
        for member in cluster.members:
            here = found[member]
            known = here.version > first.version or name in elsewhere
            copy = Box.ALREADY_KNOWN if known else Box.DUPLICATE
            placed[member] = Placed(
                box=box if member == name else copy,
                cluster=name,
                arm=here.arm,
                version=here.version,
                reason=reason if member == name else "",
            )
    return {name: placed[name] for name in found}


def _box(by_stage: Mapping[Stage, Standing], stopped: bool, retrieval: Kind | None) -> tuple[Box, str]:
    """The box of a publication, and the reason of its exclusion."""
    before, title, fulltext = by_stage[Stage.BEFORE], by_stage[Stage.TITLE], by_stage[Stage.FULLTEXT]

    def why(at: Standing) -> str:
        return at.reasons[0] if at.reasons else ""

    if before.status is Status.EXCLUDE:
        return Box.REMOVED, why(before)
    match title.status:
        case Status.NONE:
            return (Box.AUTOMATIC if stopped else Box.TITLE_PENDING), ""
        case Status.CONFLICT:
            return Box.TITLE_CONFLICT, ""
        case Status.EXCLUDE:
            return Box.TITLE_EXCLUDED, why(title)
        case Status.PARTIAL | Status.SEALED:
            return Box.TITLE_PENDING, ""
        case _:
            pass
    unread = retrieval is Kind.NOT_RETRIEVED and all(voice.role is Role.RETRACTION for voice in fulltext.voices)
    match fulltext.status:
        case _ if unread:
            return Box.NOT_RETRIEVED, ""
        case Status.INCLUDE:
            return Box.INCLUDED, ""
        case Status.EXCLUDE:
            return Box.FULLTEXT_EXCLUDED, why(fulltext)
        case Status.CONFLICT:
            return Box.FULLTEXT_CONFLICT, ""
        case Status.PARTIAL | Status.SEALED:
            return Box.FULLTEXT_PENDING, ""
        case _:
            waiting = {Kind.RETRIEVED: Box.FULLTEXT_PENDING, Kind.NOT_RETRIEVED: Box.NOT_RETRIEVED}
            return (Box.RETRIEVAL_PENDING if retrieval is None else waiting[retrieval]), ""
