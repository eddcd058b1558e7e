# SPDX-License-Identifier: Apache-2.0
"""Stopping early in a review: declared first, opened once, accepted by a named person, and never in silence."""

from __future__ import annotations

import pytest
from tests.evidence.review_folds import Story

from sirolens.errors import InputError
from sirolens.evidence.review.events import Decision, Kind, Stage
from sirolens.evidence.review.standing import Status
from sirolens.evidence.review.state import Box, Rules, State, fold
from sirolens.evidence.screening.sealed import Secret
from sirolens.evidence.screening.stopping import StopAnswer, StopPlan
from sirolens.evidence.screening.stopping_events import (
    accept_draft,
    opening_draft,
    plan_draft,
    sample_openings,
    stopping,
)
from sirolens.evidence.screening.two_reviewers import decision_draft

PLAN = StopPlan(seed="invented", target_recall=0.5, error=0.2, looks=(0.4, 0.6))
ALONE = Rules(title_reviewers=1)


class Room:
    """One reviewer, twelve records; the target is low so that so few can stop."""

    def __init__(self) -> None:
        self.story = Story()
        self.ids = self.story.search("invented", 12)

    @property
    def state(self) -> State:
        return fold(self.story.events, self.story.records, ALONE)

    def write(self, draft: tuple[Kind, dict[str, object]], by: str = "wei") -> None:
        self.story.add(draft[0], by, **draft[1])

    def ready(self) -> Room:
        """Planned, two found, opened."""
        self.write(plan_draft(self.state, PLAN))
        for record in self.ids[:2]:
            self.story.decide(record, "include", "wei")
        self.write(opening_draft(self.state))
        return self


def test_the_whole_way_to_an_accepted_stop() -> None:
    room = Room().ready()
    at = stopping(room.state)
    assert at.sample is not None
    assert at.sample.found_before == 2
    assert sorted(at.sample.order) == sorted(room.ids[2:])
    look = at.sample.earliest
    assert look is not None
    for record in at.sample.order[:look]:
        assert stopping(room.state).verdict.answer is StopAnswer.GO_ON
        with pytest.raises(InputError, match="may-not-stop"):
            accept_draft(room.state, "Wei (invented)")
        room.story.decide(record, "exclude", "wei")
    with pytest.raises(InputError, match="person-needed"):
        accept_draft(room.state, " ")
    room.write(accept_draft(room.state, "Wei (invented)", why="agreed"))
    assert set(room.state.within(Box.AUTOMATIC)) == set(at.sample.order[look:])
    assert stopping(room.state).accepted_by == "Wei (invented)"


def test_a_plan_declared_after_the_first_decision_guarantees_nothing() -> None:
    room = Room()
    room.story.decide(room.ids[0], "include", "wei")
    room.write(plan_draft(room.state, PLAN))
    assert [message.code for message in stopping(room.state).messages] == ["screening.plan-late"]
    with pytest.raises(InputError, match="plan-late"):
        accept_draft(room.state, "Wei (invented)")


def test_a_plan_is_declared_once_and_the_sample_as_often_as_it_says() -> None:
    room = Room()
    with pytest.raises(InputError, match="plan-missing"):
        opening_draft(room.state)
    room.ready()
    with pytest.raises(InputError, match="plan-twice"):
        plan_draft(room.state, PLAN)
    with pytest.raises(InputError, match="openings-spent"):
        opening_draft(room.state)


def test_half_finished_publications_are_finished_before_the_sample_is_opened() -> None:
    story = Story()
    ids = story.search("invented", 3)
    kind, values = plan_draft(fold(story.events, story.records), PLAN)
    story.add(kind, **values)
    story.decide(ids[0], "include", "wei")
    with pytest.raises(InputError, match="finish-first"):
        opening_draft(fold(story.events, story.records))


@pytest.mark.parametrize("change", ["order", "bounds"])
def test_a_sample_that_is_not_its_plans_is_found_out(change: str) -> None:
    room = Room()
    room.write(plan_draft(room.state, PLAN))
    kind, values = opening_draft(room.state)
    if change == "order":
        values["records"] = values["records"][::-1]
    else:
        values["settings"] = {**values["settings"], "most_found": [9, 9]}
    room.write((kind, values))
    with pytest.raises(InputError, match="sample-differs"):
        stopping(room.state)


def test_blinded_reviewers_open_the_finished_beginning_of_the_sample_and_no_more() -> None:
    story = Story()
    ids = story.search("invented", 12)
    rules = Rules(title_reviewers=2)
    for make in (lambda at: plan_draft(at, PLAN), None, opening_draft):
        if make is None:
            for record in ids[:2]:
                story.decide(record, "include")
            continue
        kind, values = make(fold(story.events, story.records, rules))
        story.add(kind, **values)
    sample = stopping(fold(story.events, story.records, rules)).sample
    assert sample is not None
    kept: dict[str, Secret] = {}
    for by, many in (("wei", 5), ("li", 3)):
        for record in sample.order[:many]:
            at = fold(story.events, story.records, rules)
            (kind, values), secret = decision_draft(at, record, Stage.TITLE, Decision.EXCLUDE, sealed=True)
            assert secret is not None
            kept[secret.sealed] = secret
            story.add(kind, by, **values)
    state = fold(story.events, story.records, rules)
    assert stopping(state).verdict.screened == 0
    for by in ("wei", "li"):
        for kind, values in sample_openings(state, by, kept):
            story.add(kind, by, **values)
    state = fold(story.events, story.records, rules)
    assert stopping(state).verdict.screened == 3
    assert state.standing(sample.order[3], Stage.TITLE).status is Status.PARTIAL


def test_without_a_plan_there_is_nothing_to_say() -> None:
    room = Room()
    assert stopping(room.state).plan is None
    with pytest.raises(InputError, match="may-not-stop"):
        accept_draft(room.state, "Wei (invented)")


def test_an_empty_review_has_nothing_to_plan() -> None:
    with pytest.raises(InputError, match="nothing-to-screen"):
        plan_draft(fold([], []), PLAN)
