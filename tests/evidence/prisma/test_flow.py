# SPDX-License-Identifier: Apache-2.0
"""The flow: every sum holds in any life of a review; the settled rules one by one, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant
from tests.evidence.review.test_flow import Review
from tests.evidence.review_folds import Story

from sirolens.errors import InputError
from sirolens.evidence.prisma.flow import ArmFlow, Flow, Included, faults, prisma_flow
from sirolens.evidence.review.events import Arm, Kind
from sirolens.evidence.review.state import OPEN, fold
from sirolens.evidence.review.update import snapshot_draft


def flow_of(story: Story, version: int | None = None) -> Flow:
    return prisma_flow(story.events, story.records, version=version)


def close(story: Story, name: str) -> None:
    state = fold(story.events, story.records)
    day = state.events[0].at.date()
    kind, values = snapshot_draft(story.events, state, name=name, on=day, version=True)
    story.add(kind, **values)


def include(story: Story, *names: str) -> None:
    for name in names:
        story.decide(name, "include")
        story.add(Kind.RETRIEVED, record=name)
        story.decide(name, "include", stage="fulltext")


class Flowing(Review):
    """The same life as in the test of the state; here the flow of every version is asked for after each step."""

    @invariant()
    def sums_hold_in_every_version_and_a_draft_is_marked(self) -> None:
        if not self.names:
            return
        state = self.state
        for version in range(1, state.version + 1):
            flow = flow_of(self.story, version)  # raises where a sum does not hold
            assert flow.total.studies <= flow.total.reports
            assert min(flow.dropped.studies, flow.dropped.reports, flow.reconsidered.reports) >= 0
        assert flow.main.identified + flow.other.identified == sum(
            placed.version == state.version for placed in state.placed.values()
        )
        assert flow.draft == any(state.counts(version=state.version)[box] for box in OPEN)


Flowing.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestFlow = Flowing.TestCase


def test_a_record_found_in_both_arms_counts_in_the_databases_and_is_a_duplicate_in_the_other() -> None:
    story = Story()
    (cited,) = story.search("cited", 1, arm=Arm.OTHER)
    first, second = story.search("db", 2)
    story.add(Kind.MERGED, members=[cited, first], method="doi")
    include(story, first)
    story.decide(second, "exclude")
    flow = flow_of(story)
    assert (flow.main.identified, flow.main.duplicates, flow.main.included) == (2, 0, 1)
    assert (flow.other.identified, flow.other.duplicates, flow.other.screened) == (1, 1, 0)
    assert flow.main.databases == {"db db": 2}
    assert flow.other.others == {"websites": 1}
    assert not flow.draft


def test_undecided_records_are_pending_and_make_a_draft() -> None:
    story = Story()
    names = story.search("db", 4)
    story.decide(names[0], "include")
    story.decide(names[1], "include", "wei")
    story.decide(names[1], "exclude", "li")
    story.add(Kind.STOP_ACCEPTED, records=[names[3]], person="Invented Person")
    flow = flow_of(story)
    assert (flow.main.automatic, flow.main.screened, flow.main.pending, flow.main.sought) == (1, 3, 2, 1)
    assert flow.main.retrieval_pending == 1
    assert flow.draft
    assert [message.code for message in flow.messages] == ["prisma.draft"]


def test_reasons_are_counted_once_per_report() -> None:
    story = Story()
    names = story.search("db", 3)
    for name, why in zip(names, ("population", "design", "population"), strict=True):
        story.decide(name, "include")
        story.add(Kind.RETRIEVED, record=name)
        story.decide(name, "exclude", stage="fulltext", reasons=[why])
    flow = flow_of(story)
    assert flow.main.reasons == {"population": 2, "design": 1}
    assert (flow.main.assessed, flow.main.included) == (3, 0)


def test_a_study_that_drops_out_stays_among_the_previous_and_one_taken_back_in_is_told_apart() -> None:
    story = Story()
    kept, withdrawn, excluded = story.search("first", 3)
    include(story, kept, withdrawn)
    story.decide(excluded, "exclude")
    close(story, "v1")
    copy, fresh = story.search("second", 2)
    story.add(Kind.MERGED, members=[kept, copy], method="doi")
    include(story, fresh)
    story.add(Kind.RETRACTED, record=withdrawn, date="2026-01-02")
    for stage in ("title", "fulltext"):
        story.decide(excluded, "include", stage=stage)
    flow = flow_of(story)
    assert flow.version == 2
    assert (flow.main.identified, flow.main.known, flow.main.included) == (2, 1, 1)
    assert flow.previous == Included(studies=2, reports=2)
    assert flow.dropped == flow.reconsidered == flow.new == Included(studies=1, reports=1)
    assert flow.total == Included(studies=3, reports=3)
    assert flow_of(story, 1).total == Included(studies=2, reports=2)


def test_two_reports_of_one_study_are_one_study_and_an_earlier_review_counts_as_told() -> None:
    story = Story()
    names = story.search("db", 3)
    include(story, *names)
    story.add(Kind.GROUPED, study="S1", reports=list(names[:2]))
    story.add(Kind.PREVIOUS, label="Invented 2020", studies=4, reports=5)
    flow = flow_of(story)
    assert flow.new == Included(studies=2, reports=3)
    assert flow.previous == Included(studies=4, reports=5)
    assert flow.total == Included(studies=6, reports=8)
    assert [str(message) for message in flow.messages] == ["prisma.ungrouped(count=1)"]


def test_what_an_earlier_review_made_elsewhere_had_included_is_known_and_can_drop_out() -> None:
    story = Story()
    known, copy, fresh = story.search("db", 3)
    story.add(Kind.MERGED, members=[known, copy], method="doi")
    story.add(Kind.PREVIOUS, label="Invented 2015", studies=2, reports=3, records=[copy])
    include(story, fresh)
    flow = flow_of(story)
    assert (flow.main.identified, flow.main.known, flow.main.screened, flow.draft) == (3, 2, 1, False)
    assert flow.previous == Included(studies=2, reports=3)
    assert (flow.new.reports, flow.total) == (1, Included(studies=3, reports=4))
    story.add(Kind.RETRACTED, record=known, date="2026-01-01")
    flow = flow_of(story)
    assert (flow.previous.reports, flow.dropped, flow.total.reports) == (3, Included(studies=1, reports=1), 3)
    close(story, "v1")
    story.search("later", 1)
    later = flow_of(story)
    assert (later.previous, later.dropped.reports) == (flow.total, 0)  # what dropped out before is told once


def test_a_new_report_of_a_study_of_an_earlier_review_is_no_new_study() -> None:
    story = Story()
    known, fresh = story.search("db", 2)
    story.add(Kind.PREVIOUS, label="Invented 2015", studies=1, reports=1, records=[known])
    story.add(Kind.GROUPED, study="s1", reports=[known, fresh])
    include(story, fresh)
    flow = flow_of(story)
    assert (flow.new, flow.total) == (Included(studies=0, reports=1), Included(studies=1, reports=2))


def test_after_a_version_was_closed_its_flow_is_shown_until_something_is_found() -> None:
    story = Story()
    include(story, *story.search("db", 1))
    close(story, "v1")
    assert flow_of(story).version == 1
    with pytest.raises(InputError, match=r"prisma\.version-unknown"):
        flow_of(story, 3)


def test_a_file_that_is_taken_back_after_its_version_and_taken_in_again_is_nothing_new() -> None:
    story = Story()
    first, excluded = story.search("a", 2)
    (other,) = story.search("b", 1, arm="registers")
    include(story, first, other)
    story.decide(excluded, "exclude")
    close(story, "v1")
    before = flow_of(story, 1)
    imported = next(event for event in story.events if event.kind is Kind.IMPORTED)
    story.add(Kind.UNDONE, event=imported.id)
    gone = flow_of(story)  # what dropped out is shown, though nothing new was found
    assert (gone.version, gone.previous.reports, gone.dropped.reports, gone.total.reports) == (2, 2, 1, 1)
    story.add(Kind.IMPORTED, **imported.values)
    again = flow_of(story, 2)
    assert (again.main.identified, again.previous, again.dropped.reports, again.new.reports) == (0, before.total, 0, 0)
    assert again.total == before.total
    assert (flow_of(story), flow_of(story, 1)) == (before, before)


def test_a_file_that_is_taken_back_and_in_again_within_a_version_counts_once() -> None:
    story = Story()
    names = story.search("a", 2)
    imported = story.events[-1]
    include(story, *names)
    before = flow_of(story)
    story.add(Kind.UNDONE, event=imported.id)
    assert flow_of(story).main.identified == 0
    again = story.add(Kind.IMPORTED, **imported.values)
    assert flow_of(story) == before  # what was decided on its records still stands
    close(story, "v1")
    story.add(Kind.UNDONE, event=again.id)
    story.add(Kind.UNDONE, event=next(event.id for event in story.events if event.kind is Kind.UNDONE))
    assert flow_of(story).total == before.total  # the first import counts again


def test_a_flow_without_the_records_of_a_file_that_is_gone_is_a_draft_and_says_so() -> None:
    story = Story()
    for name in story.search("a", 2):
        story.decide(name, "exclude")
    assert not flow_of(story).draft
    story.records = story.records[:1]
    flow = flow_of(story)
    assert flow.draft
    assert [message.code for message in flow.messages] == ["review.records-missing"]


def test_each_sum_that_does_not_hold_is_named() -> None:
    story = Story()
    include(story, *story.search("db", 2))
    good = flow_of(story)
    assert faults(good) == ()
    for wrong, line in (
        (replace(good, main=replace(good.main, screened=1)), "databases: screened"),
        (replace(good, main=replace(good.main, reasons={"design": 1})), "databases: included"),
        (replace(good, other=ArmFlow(not_retrieved=1)), "other: assessed"),
        (replace(good, total=Included(studies=2, reports=1)), "total reports"),
        (replace(good, new=Included(studies=3, reports=2)), "new"),
    ):
        assert line in {str(message.values["line"]) for message in faults(wrong)}
