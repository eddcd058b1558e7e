# SPDX-License-Identifier: Apache-2.0
"""The PRISMA 2020 flow of a version of the review, folded from what happened; its sums hold or it is not given.

For each arm (databases and registers; other methods), with records and reports counted once:

    identified - known - duplicates - automatic - other removed = screened
    screened - excluded - pending = sought;  sought - not retrieved - pending = assessed
    assessed - excluded by reason - pending = included
    previous - dropped + reconsidered + new = total

Rules where PRISMA is silent: a record found in both arms counts in the databases' and is a duplicate in the other. A
record that an earlier version had, or that an earlier review made elsewhere had included, is "already known". A study
that drops out stays among the previous ones and gets a line of its own. A publication of an earlier version that is
included only now is "reconsidered".

Source: Page et al., BMJ 2021;372:n71, doi:10.1136/bmj.n71.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from sirolens.errors import InputError
from sirolens.evidence.record import Record
from sirolens.evidence.review.boxes import known_elsewhere
from sirolens.evidence.review.events import ROUTES, Arm, Event, Kind, Stage
from sirolens.evidence.review.standing import Status
from sirolens.evidence.review.state import OPEN, Box, Rules, State, as_of, fold
from sirolens.message import Message, error, warning

__all__ = ["ArmFlow", "Flow", "Included", "faults", "prisma_flow"]

UNNAMED = ""
"""Where a record came from when the search it belonged to was taken back."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFlow:
    """The counts of one arm, in the order of the diagram.

    Parameters
    ----------
    databases, registers, others : mapping of str to int
        Records identified, by database, register, and route (``"websites"``, ``"organisations"``, ``"citations"``).
    known, duplicates, automatic, removed : int
        Removed before screening: had by an earlier version, copies, left out by an accepted stop, other reasons.
    screened, excluded, pending : int
        Titles and abstracts; pending: undecided or in conflict.
    sought, not_retrieved, retrieval_pending : int
        Full texts.
    assessed : int
    reasons : mapping of str to int
        Full texts excluded, by the reason that counts; ``""`` where none was given.
    assessed_pending : int
    included : int
    """

    databases: Mapping[str, int] = field(default_factory=dict)
    registers: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    known: int = 0
    duplicates: int = 0
    automatic: int = 0
    removed: int = 0
    screened: int = 0
    excluded: int = 0
    pending: int = 0
    sought: int = 0
    not_retrieved: int = 0
    retrieval_pending: int = 0
    assessed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    assessed_pending: int = 0
    included: int = 0

    @property
    def identified(self) -> int:
        """All records of the arm."""
        return sum(sum(one.values()) for one in (self.databases, self.registers, self.others))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """Studies, and the reports that tell of them."""

    studies: int
    reports: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The whole flow of one version.

    Parameters
    ----------
    version : int
    main, other : ArmFlow
        Databases and registers; other methods.
    previous, dropped, reconsidered, new, total : Included
    draft : bool
        True while a record of the version has no final box, or an imported file cannot be read whole.
    messages : tuple of Message
        What a reader must know: a draft; files whose records are missing; reports that belong to no study yet and
        count as one each.
    """

    version: int
    main: ArmFlow
    other: ArmFlow
    previous: Included
    dropped: Included
    reconsidered: Included
    new: Included
    total: Included
    draft: bool
    messages: tuple[Message, ...] = ()


def prisma_flow(
    events: Iterable[Event], records: Iterable[Record], rules: Rules | None = None, *, version: int | None = None
) -> Flow:
    """Fold the flow of a version.

    Parameters
    ----------
    events : iterable of Event
        All of the review, also those undone.
    records : iterable of Record
        Of all imported files.
    rules : Rules, optional
        From the protocol.
    version : int, optional
        A closed one as it was when it was closed; by default the one under way, or the last closed where nothing was
        found since and nothing that was included dropped out.

    Raises
    ------
    InputError
        ``prisma.version-unknown``, ``prisma.sums``: the counts contradict each other, which would be a fault of this
        program.

    Examples
    --------
    >>> flow = prisma_flow([], [])
    >>> flow.version, flow.main.identified, flow.total, flow.draft
    (1, 0, Included(studies=0, reports=0), False)
    """
    everything, known = tuple(events), tuple(records)
    now = fold(everything, known, rules)
    closed = [one.event for one in now.snapshots if one.version is not None]
    wanted = _wanted(now, len(closed), version)
    if version is None and wanted < now.version:
        then = _included(fold(as_of(everything, closed[-1]), known, rules))
        kept = {now.grouping.cluster_of.get(name) for name in then}
        wanted = wanted if kept == _included(now).keys() else now.version
    state = now if wanted == now.version else fold(as_of(everything, closed[wanted - 1]), known, rules)
    past = None if wanted == 1 else fold(as_of(everything, closed[wanted - 2]), known, rules)
    found = _flow(state, past, wanted)
    wrong = faults(found)
    if wrong:
        raise InputError(*wrong)
    return found


def _wanted(state: State, closed: int, version: int | None) -> int:
    if version is None:
        fresh = any(at.version == state.version for at in state.placed.values())
        return state.version if fresh or not closed else closed
    if not 1 <= version <= closed + 1:
        raise InputError(error("prisma.version-unknown", value=version, known=f"1-{closed + 1}"))
    return version


def _flow(state: State, past: State | None, version: int) -> Flow:
    before = _included(past) if past is not None else {}
    after = _included(state)
    then, here = _NOWHERE if past is None else _elsewhere(past), _elsewhere(state)
    main, other = (_arm(state, version, arms) for arms in ((Arm.DATABASES, Arm.REGISTERS), (Arm.OTHER,)))
    kept = {now for name in before if (now := state.grouping.cluster_of.get(name)) in after}
    fresh = {name for name in after if state.placed[name].version == version}
    again = set(after) - kept - fresh
    # A study of which one report is new and another old is no new study.
    old_studies = {after[name] for name in kept} - here.studies
    new_studies = {after[name] for name in fresh} - old_studies - here.studies
    again_studies = {after[name] for name in again} - old_studies - new_studies - here.studies
    previous = Included(
        studies=len(set(before.values()) - then.studies) + here.told.studies - then.dropped.studies,
        reports=len(before) + here.told.reports - then.dropped.reports,
    )
    total = Included(
        studies=len(set(after.values()) - here.studies) + here.told.studies - here.dropped.studies,
        reports=len(after) + here.told.reports - here.dropped.reports,
    )
    new = Included(studies=len(new_studies), reports=len(fresh))
    # Below 0 where a study turned out to be two, or one that had dropped out is back.
    gone = Included(
        studies=previous.studies + len(new_studies) + len(again_studies) - total.studies,
        reports=previous.reports + len(fresh) + len(again) - total.reports,
    )
    dropped = Included(studies=max(gone.studies, 0), reports=max(gone.reports, 0))
    reconsidered = Included(
        studies=len(again_studies) + max(-gone.studies, 0), reports=len(again) + max(-gone.reports, 0)
    )
    undecided = any(state.counts(version=version)[box] for box in OPEN)
    missing = [message for message in state.messages if message.code == "review.records-missing"]
    alone = sum(name == study for name, study in after.items())
    messages = [*missing, *([warning("prisma.draft")] if undecided else [])]
    messages += [warning("prisma.ungrouped", count=alone)] if alone else []
    return Flow(
        version=version,
        main=main,
        other=other,
        previous=previous,
        dropped=dropped,
        reconsidered=reconsidered,
        new=new,
        total=total,
        draft=undecided or bool(missing),
        messages=tuple(messages),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Elsewhere:
    """What earlier reviews, made elsewhere, had included: told, its studies known here, and what dropped out since."""

    told: Included
    studies: frozenset[str]
    dropped: Included


_NOTHING = Included(studies=0, reports=0)
_NOWHERE = _Elsewhere(told=_NOTHING, studies=frozenset(), dropped=_NOTHING)


def _elsewhere(state: State) -> _Elsewhere:
    events = [event for event in state.events if event.kind is Kind.PREVIOUS]
    told = Included(
        studies=sum(event.values["studies"] for event in events),
        reports=sum(event.values["reports"] for event in events),
    )
    owner = _owner(state)
    reports = known_elsewhere(state.events, state.grouping)
    out = {name for name in reports if any(state.standing(name, stage).status is Status.EXCLUDE for stage in Stage)}
    left = frozenset(owner.get(name, name) for name in reports - out)
    gone = {owner.get(name, name) for name in out} - left
    dropped = Included(studies=min(len(gone), told.studies), reports=min(len(out), told.reports))
    return _Elsewhere(told=told, studies=left, dropped=dropped)


def _owner(state: State) -> dict[str, str]:
    return {report: study.id for study in state.studies.values() for report in study.reports}


def _included(state: State) -> dict[str, str]:
    """The study of every included report; a report of no study is one of its own."""
    owner = _owner(state)
    return {name: owner.get(name, name) for name in state.within(Box.INCLUDED)}


def _arm(state: State, version: int, arms: Sequence[Arm]) -> ArmFlow:
    searches = {search.id: search for search in state.searches}
    sources: dict[Arm, Counter[str]] = {arm: Counter() for arm in Arm}
    boxes: Counter[Box] = Counter()
    reasons: Counter[str] = Counter()
    for name, placed in state.placed.items():
        if placed.version != version or placed.arm not in arms:
            continue
        boxes[placed.box] += 1
        found = state.found[name]
        search = searches.get(found.search)
        told = UNNAMED if search is None else search.event.text("database")
        sources[placed.arm][(found.route or ROUTES[0]) if placed.arm is Arm.OTHER else told] += 1
        if placed.box is Box.FULLTEXT_EXCLUDED:
            reasons[placed.reason] += 1
    removed = [boxes[box] for box in (Box.ALREADY_KNOWN, Box.DUPLICATE, Box.AUTOMATIC, Box.REMOVED)]
    screened = sum(boxes.values()) - sum(removed)
    pending = boxes[Box.TITLE_PENDING] + boxes[Box.TITLE_CONFLICT]
    sought = screened - boxes[Box.TITLE_EXCLUDED] - pending
    assessed = sought - boxes[Box.NOT_RETRIEVED] - boxes[Box.RETRIEVAL_PENDING]
    return ArmFlow(
        databases=dict(sources[Arm.DATABASES]),
        registers=dict(sources[Arm.REGISTERS]),
        others={route: sources[Arm.OTHER][route] for route in ROUTES if sources[Arm.OTHER][route]},
        known=removed[0],
        duplicates=removed[1],
        automatic=removed[2],
        removed=removed[3],
        screened=screened,
        excluded=boxes[Box.TITLE_EXCLUDED],
        pending=pending,
        sought=sought,
        not_retrieved=boxes[Box.NOT_RETRIEVED],
        retrieval_pending=boxes[Box.RETRIEVAL_PENDING],
        assessed=assessed,
        reasons=dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0]))),
        assessed_pending=boxes[Box.FULLTEXT_PENDING] + boxes[Box.FULLTEXT_CONFLICT],
        included=boxes[Box.INCLUDED],
    )


def faults(flow: Flow) -> tuple[Message, ...]:
    """Return the sums of a flow that do not hold, one message each.

    Of a flow that was read from a file too: programs that draw such files do not check them.
    """
    found: list[Message] = []

    def must(line: str, left: int, right: int) -> None:
        if left != right:
            found.append(error("prisma.sums", line=line, value=left, expected=right))

    for name, arm in (("databases", flow.main), ("other", flow.other)):
        removed = arm.known + arm.duplicates + arm.automatic + arm.removed
        must(f"{name}: screened", arm.screened, arm.identified - removed)
        must(f"{name}: sought", arm.sought, arm.screened - arm.excluded - arm.pending)
        must(f"{name}: assessed", arm.assessed, arm.sought - arm.not_retrieved - arm.retrieval_pending)
        left = arm.assessed - sum(arm.reasons.values()) - arm.assessed_pending
        must(f"{name}: included", arm.included, left)
    must("new reports", flow.new.reports, flow.main.included + flow.other.included)
    for kind in ("studies", "reports"):
        parts = (getattr(one, kind) for one in (flow.previous, flow.dropped, flow.reconsidered, flow.new))
        previous, dropped, again, new = parts
        must(f"total {kind}", getattr(flow.total, kind), previous - dropped + again + new)
    for kind, one in (("new", flow.new), ("total", flow.total), ("previous", flow.previous)):
        if one.studies > one.reports:
            found.append(error("prisma.more-studies", line=kind, value=one.studies, expected=one.reports))
    return tuple(found)
