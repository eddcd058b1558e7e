# SPDX-License-Identifier: Apache-2.0
"""Any life of a review keeps the identities of its flow: import, duplicates found late, decisions, undo, stop, update.

Oracle: `naive`, a second way to the box of a record, written from the rules and not from the code: it walks all events
for each record again and again and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.evidence.review_folds import Story

from sirolens.evidence.review.events import Arm, Event, Kind
from sirolens.evidence.review.state import OPEN, Box, State, as_of, fold, state_hash
from sirolens.evidence.review.update import retraction_drafts, snapshot_draft

BEFORE_SCREENING = (Box.ALREADY_KNOWN, Box.DUPLICATE, Box.REMOVED, Box.AUTOMATIC)
PAST_TITLE = (
    Box.RETRIEVAL_PENDING,
    Box.NOT_RETRIEVED,
    Box.FULLTEXT_PENDING,
    Box.FULLTEXT_CONFLICT,
    Box.FULLTEXT_EXCLUDED,
    Box.INCLUDED,
)
ASSESSED = (Box.FULLTEXT_PENDING, Box.FULLTEXT_CONFLICT, Box.FULLTEXT_EXCLUDED, Box.INCLUDED)
MOST_RECORDS = 14


def _live(events: Sequence[Event]) -> list[Event]:
    gone = {event.text("event") for event in events if event.kind is Kind.UNDONE}
    return [event for event in events if event.id not in gone and event.kind is not Kind.UNDONE]


def _group(events: Sequence[Event], records: Sequence[str]) -> dict[str, frozenset[str]]:
    """Groups by merging sets until nothing changes; in this test nobody keeps records apart."""
    groups = [{record} for record in records]
    for event in events:
        if event.kind is Kind.MERGED:
            touched = [one for one in groups if one & set(event.texts("members"))]
            groups = [one for one in groups if one not in touched] + [set().union(*touched)]
    return {record: frozenset(one) for one in groups for record in one}


def _words(events: Sequence[Event], members: frozenset[str], stage: str) -> tuple[set[str], set[str], bool]:
    """The decisions that count, by whom, and whether something settled them."""
    said: set[str] = set()
    who: set[str] = set()
    settled = False
    for record in members:
        about = [
            event
            for event in events
            if event.kind in (Kind.DECIDED, Kind.RESOLVED) and event.text("stage") == stage and record in event.covered
        ]
        last = max((i for i, event in enumerate(about) if event.kind is Kind.RESOLVED), default=-1)
        rest = about[max(last, 0) :]
        for number, event in enumerate(rest):
            later = [one for one in rest[number + 1 :] if one.kind is Kind.DECIDED and one.by == event.by]
            if event.kind is Kind.RESOLVED:
                settled = True
                said.add(event.text("decision"))
            elif not later:
                said.add(event.text("decision"))
                who.add(event.by)
    if stage == "title" and "maybe" in said:
        said = (said - {"maybe"}) | {"include"}
    return said, who, settled


def naive(events: Sequence[Event], members: frozenset[str]) -> set[Box]:
    """The boxes the publication of these records may be in by the rules; retractions are not among the events."""
    said, who, settled = _words(events, members, "title")
    if not said:
        stopped = any(event.kind is Kind.STOP_ACCEPTED and members & set(event.texts("records")) for event in events)
        return {Box.AUTOMATIC if stopped else Box.TITLE_PENDING}
    if len(said) > 1:
        return {Box.TITLE_CONFLICT}
    if not settled and len(who) < 2:
        return {Box.TITLE_PENDING}
    if said == {"exclude"}:
        return {Box.TITLE_EXCLUDED}
    said, who, settled = _words(events, members, "fulltext")
    if len(said) > 1 or "maybe" in said:
        return {Box.FULLTEXT_CONFLICT}
    if said and (settled or len(who) >= 2):
        return {Box.INCLUDED if said == {"include"} else Box.FULLTEXT_EXCLUDED}
    return {Box.FULLTEXT_PENDING} if said else {Box.RETRIEVAL_PENDING, Box.NOT_RETRIEVED, Box.FULLTEXT_PENDING}


class Review(RuleBasedStateMachine):
    """One review's life; people decide, change their minds, find copies late, and close versions."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.names: list[str] = []
        self.files = 0
        self.retracted = False

    @property
    def elsewhere(self) -> set[str]:
        """The publications that an earlier review had included, by all their copies."""
        events = _live(self.story.events)
        told = {name for event in events if event.kind is Kind.PREVIOUS for name in event.texts("records")}
        return {name for group in _group(events, self.names).values() if group & told for name in group}

    @property
    def state(self) -> State:
        return fold(self.story.events, self.story.records)

    @initialize()
    def start(self) -> None:
        self.take_in(3, "databases")

    @rule(count=st.integers(1, 3), arm=st.sampled_from(list(Arm)))
    def take_in(self, count: int, arm: str) -> None:
        if len(self.names) + count <= MOST_RECORDS:
            self.files += 1
            self.names += self.story.search(f"f{self.files}", count, arm=arm)

    @precondition(lambda self: len(self.names) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        two = data.draw(st.lists(st.sampled_from(self.names), min_size=2, max_size=3, unique=True))
        self.story.add(Kind.MERGED, members=two, method="doi")

    @rule(
        data=st.data(),
        by=st.sampled_from(["wei", "li", "chen"]),
        stage=st.sampled_from(["title", "title", "fulltext"]),
        decision=st.sampled_from(["include", "include", "exclude", "maybe"]),
        everywhere=st.booleans(),
    )
    def decide(self, data: st.DataObject, by: str, stage: str, decision: str, everywhere: bool) -> None:
        name = data.draw(st.sampled_from(self.names))
        state = self.state
        covers = state.clusters[state.grouping.cluster_of[name]].members if everywhere else None
        self.story.decide(name, decision, by, stage=stage, covers=covers)

    @rule(data=st.data(), decision=st.sampled_from(["include", "exclude"]))
    def both_agree(self, data: st.DataObject, decision: str) -> None:
        name = data.draw(st.sampled_from(self.names))
        for stage in ("title", "fulltext"):
            self.story.decide(name, decision, stage=stage)

    @rule(data=st.data(), decision=st.sampled_from(["include", "exclude"]))
    def resolve(self, data: st.DataObject, decision: str) -> None:
        state = self.state
        fought = state.within(Box.TITLE_CONFLICT, Box.FULLTEXT_CONFLICT)
        if fought:
            name = data.draw(st.sampled_from(fought))
            stage = "title" if state.placed[name].box is Box.TITLE_CONFLICT else "fulltext"
            members = state.clusters[name].members
            self.story.add(Kind.RESOLVED, "chen", record=name, covers=members, stage=stage, decision=decision)
            placed = self.state.placed[name].box
            assert placed not in (Box.TITLE_CONFLICT if stage == "title" else Box.FULLTEXT_CONFLICT,)

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        kept = (Kind.SEARCHED, Kind.IMPORTED, Kind.SNAPSHOT, Kind.UNDONE)
        found = [event.id for event in self.state.events if event.kind not in kept]
        if found:
            self.story.add(Kind.UNDONE, event=data.draw(st.sampled_from(found)))

    @rule(data=st.data())
    def take_a_file_back(self, data: st.DataObject) -> None:
        imported = [event.id for event in self.state.events if event.kind is Kind.IMPORTED]
        if len(imported) > 1:
            self.story.add(Kind.UNDONE, event=data.draw(st.sampled_from(imported)))
            self.names = list(self.state.records)

    @rule(data=st.data())
    def take_it_in_again(self, data: st.DataObject) -> None:
        inside = {event.text("sha256") for event in self.state.events if event.kind is Kind.IMPORTED}
        out = {
            e.text("sha256"): e for e in self.story.events if e.kind is Kind.IMPORTED and e.text("sha256") not in inside
        }
        if out:
            event = data.draw(st.sampled_from(list(out.values())))
            self.story.add(Kind.IMPORTED, **event.values)
            self.names = list(self.state.records)

    @rule(data=st.data())
    def earlier_review(self, data: st.DataObject) -> None:
        state = self.state
        names = data.draw(st.lists(st.sampled_from(self.names), max_size=2, unique=True))
        known = len({state.grouping.cluster_of[name] for name in names})
        reports = known + data.draw(st.integers(0, 2))
        self.story.add(Kind.PREVIOUS, label="Invented", studies=known, reports=reports, records=names or None)

    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        pending = self.state.within(Box.TITLE_PENDING)
        if pending:
            self.story.add(Kind.STOP_ACCEPTED, records=pending[: data.draw(st.integers(1, 2))], person="Invented")

    @rule(data=st.data(), had=st.booleans())
    def full_text(self, data: st.DataObject, had: bool) -> None:
        name = data.draw(st.sampled_from(self.names))
        self.story.add(Kind.RETRIEVED if had else Kind.NOT_RETRIEVED, record=name)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.retracted = True
        name = data.draw(st.sampled_from(self.names))
        self.story.add(Kind.RETRACTED, record=name, date="2026-01-01")
        assert self.state.placed[self.state.placed[name].cluster].box is not Box.INCLUDED

    @rule(closes=st.booleans())
    def snapshot(self, closes: bool) -> None:
        state = self.state
        name = f"s{len(state.snapshots)}"
        kind, values = snapshot_draft(self.story.events, state, name=name, on=state.events[0].at.date(), version=closes)
        self.story.add(kind, **values)

    @rule()
    def check_retractions(self) -> None:
        drafts = retraction_drafts(self.state, on=self.state.events[0].at.date())
        assert [kind for kind, _ in drafts] == [Kind.CHECKED]  # no invented record says of itself that it is withdrawn
        self.story.add(drafts[0][0], **drafts[0][1])

    @invariant()
    def each_record_is_in_one_box_and_the_flow_adds_up(self) -> None:
        if not self.names:
            return
        state = self.state
        assert set(state.placed) == set(self.names)
        assert sum(state.counts().values()) == len(self.names)
        for version in range(1, state.version + 1):
            counts = state.counts(version=version)
            by_arm = [state.counts(version=version, arm=arm) for arm in Arm]
            assert all(counts[box] == sum(one[box] for one in by_arm) for box in Box)
            identified = sum(placed.version == version for placed in state.placed.values())
            screened = identified - sum(counts[box] for box in BEFORE_SCREENING)
            titles = (Box.TITLE_PENDING, Box.TITLE_CONFLICT, Box.TITLE_EXCLUDED)
            sought = screened - sum(counts[box] for box in titles)
            assessed = sought - counts[Box.NOT_RETRIEVED] - counts[Box.RETRIEVAL_PENDING]
            assert sought == sum(counts[box] for box in PAST_TITLE)
            assert assessed == sum(counts[box] for box in ASSESSED)
        publications = [name for name, at in state.placed.items() if at.box not in (Box.DUPLICATE, Box.ALREADY_KNOWN)]
        assert set(publications) == set(state.clusters) - self.elsewhere

    @invariant()
    def boxes_are_those_of_the_rules(self) -> None:
        state = self.state
        events = _live(self.story.events)
        groups = _group(events, self.names)
        for name in self.names:
            members = groups[name]
            assert set(state.clusters[state.grouping.cluster_of[name]].members) == members
            if name in self.elsewhere:
                assert state.placed[name].box is Box.ALREADY_KNOWN
            elif state.grouping.cluster_of[name] == name and not self.retracted:
                assert state.placed[name].box in naive(events, members)

    @invariant()
    def a_copy_counts_in_the_arm_and_the_version_it_was_found_in_and_the_first_stands_for_it(self) -> None:
        state = self.state
        ranks = {arm: rank for rank, arm in enumerate(Arm)}
        for name, cluster in state.clusters.items():
            first = state.placed[name]
            for member in cluster.members[1:]:
                copy = state.placed[member]
                assert (first.version, ranks[first.arm]) <= (copy.version, ranks[copy.arm])
                assert (copy.box is Box.ALREADY_KNOWN) == (copy.version > first.version or member in self.elsewhere)

    @invariant()
    def what_a_snapshot_knew_can_be_folded_again_whatever_came_after(self) -> None:
        for one in self.state.snapshots:
            past = fold(as_of(self.story.events, one.event), self.story.records)
            assert state_hash(past) == one.event.text("state")
            if one.version is not None:
                carried = {past.placed[name].cluster for name in past.within(*OPEN)}
                assert {past.placed[name].cluster for name in one.event.texts("open")} == carried


Review.TestCase.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestReview = Review.TestCase
