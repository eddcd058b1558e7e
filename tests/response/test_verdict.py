# SPDX-License-Identifier: Apache-2.0
"""Every verdict carries its reason and its counts, in both languages, and later data revise it by a named rule.

Oracle: the numbered rules, reasoned by hand.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from sirolens.chart import Chart
from sirolens.report.words import say
from sirolens.response.criteria import load
from sirolens.response.reasons import event_name, state_name
from sirolens.response.revisions import revisions
from sirolens.response.states import State
from sirolens.response.verdict import Verdict, verdict
from tests.response.charts import asked, chart, charts, count, therapy, when

IWG = load("iwg-2009")
RESPONDER = [(-1, 12.0), (30, 60.0), (37, 70.0), (91, 65.0)]


def at_day(one: Chart, day: int, name: str = "iwg-2009") -> Verdict:
    return verdict(one, when(day, "23:59"), load(name))


def uses(found: Verdict) -> set[tuple[str, int]]:
    return {(one.use, one.day) for one in found.counts}


def test_a_confirmed_response_names_both_counts_and_the_baseline() -> None:
    found = at_day(chart(RESPONDER), 60)
    assert found.state is State.RESPONSE
    assert found.reason.code == "response.confirmed"
    assert found.reason.values["first_10e9_l"] == 60.0
    assert uses(found) == {("baseline", -1), ("achieved", 30), ("confirmed", 37)}
    assert "60" in say(found.reason, "en")
    assert "2026" in say(found.reason, "zh")


def test_a_waiting_count_is_named() -> None:
    found = at_day(chart(RESPONDER), 31)
    assert (found.state, found.reason.code) == (State.PROVISIONAL, "response.unconfirmed")
    assert ("waiting", 30) in uses(found)


def test_a_single_failing_count_is_noted_and_a_second_one_dates_the_loss() -> None:
    counts = [*RESPONDER, (100, 15.0), (102, 14.0)]
    one = at_day(chart(counts[:-1]), 101)
    assert one.state is State.RESPONSE
    assert "response.single-failing-count" in {message.code for message in one.notes}
    lost = at_day(chart(counts), 103)
    assert (lost.state, lost.reason.code) == (State.NO_RESPONSE, "response.lost")
    assert ("lost", 100) in uses(lost)


def test_the_last_loss_is_the_one_that_is_told() -> None:
    counts = [*RESPONDER, (100, 15.0), (102, 14.0), (110, 70.0), (120, 70.0), (130, 9.0), (131, 9.0)]
    found = at_day(chart(counts), 140)
    assert found.reason.values["on"] == found.days.date(130) if found.days else False
    assert "response.regained" in {message.code for message in found.notes}


def test_a_landmark_names_the_count_that_wins_and_stands_beside_its_other_readings() -> None:
    found = at_day(chart([(-1, 12.0), (85, 60.0), (90, 65.0)]), 108)
    first = found.landmarks[0]
    assert (first.day, first.state, first.single) == (91, State.PROVISIONAL, State.RESPONSE)
    assert first.count is not None
    assert first.count.day == 90
    assert [one.state for one in found.landmarks[1:]] == [State.NOT_DUE, State.NOT_DUE]


def test_after_a_new_drug_the_composite_fails_and_the_treatment_policy_does_not() -> None:
    one = chart(RESPONDER, therapies=(therapy("rituximab", 50, 50),))
    first = at_day(one, 200).landmarks[0]
    assert (first.state, first.reason.code) == (State.NO_RESPONSE, "response.failure")
    assert first.policy is State.RESPONSE
    assert first.on_treatment is State.RESPONSE


def test_bleeding_that_was_not_asked_makes_a_platelet_response_only() -> None:
    one = chart(RESPONDER, bleedings=(asked(30),))
    found = at_day(one, 60)
    assert (found.state, found.platelet_state) == (State.PLATELETS_ONLY, State.RESPONSE)
    assert found.reason.code == "response.bleeding-not-asked"


def test_not_reported_and_unverified_choices_are_told_with_every_verdict() -> None:
    paper = {message.code for message in at_day(chart(RESPONDER), 60, "paper-a-2024").notes}
    assert "response.not-reported" in paper
    chinese = {message.code: message for message in at_day(chart(RESPONDER), 60, "china-adult-2020").notes}
    assert "response_10e9_l" in str(chinese["response.unverified"].values["choices"])
    assert not {"response.not-reported", "response.unverified"} & {
        one.code for one in at_day(chart(RESPONDER), 60).notes
    }


def test_before_the_first_dose_nothing_is_judged() -> None:
    found = at_day(chart(RESPONDER), -1)
    assert (found.state, found.reason.code, found.landmarks) == (State.TOO_EARLY, "response.not-begun", ())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_state_and_event_has_a_name(language: str) -> None:
    names = {say(state_name(state), language) for state in State}
    assert len(names) == len(State)
    assert len({say(event_name(kind), language) for kind in range(10)}) == 10


@settings(deadline=None, max_examples=120)
@given(one=charts())
def test_every_reason_and_note_can_be_said_in_both_languages(one: Chart) -> None:
    for name in ("iwg-2009", "nct06722586"):
        found = verdict(one, when(430), load(name))
        said = [found.reason, *found.notes]
        for mark in found.landmarks:
            said += [mark.reason, mark.single_reason, mark.policy_reason, mark.on_treatment_reason]
        for language in ("en", "zh"):
            texts = [say(message, language) for message in said]
            assert not [text for text in texts if "{" in text or "None" in text or text.startswith("response.")]


def test_a_late_entry_and_a_correction_revise_a_verdict_and_are_named() -> None:
    entered = count(37, 70.0, known=60)
    one = chart((count(-1, 12.0), count(30, 60.0), entered, replace(count(40, 10.0), id="typo"), count(45, 9.0)))
    corrected = replace(count(40, 100.0, known=70), id="right", replaces="typo")
    one = replace(one, platelet_counts=(*one.platelet_counts, corrected))
    found = revisions(one, [when(35), when(50, "12:00"), when(61, "12:00"), when(75, "12:00")], IWG)
    codes = [[cause.code for cause in revision.causes] for revision in found]
    assert "response.revised-count" in codes[0]
    assert any("response.revised-late-entry" in one for one in codes)
    assert any("response.revised-corrected" in one for one in codes[1:])
    for revision in found:
        for message in (*revision.causes, *(change.rule for change in revision.changes)):
            assert say(message, "zh")


def test_a_drug_given_for_nobody_recorded_what_is_named_and_not_taken_for_itp_treatment() -> None:
    given = (therapy("rituximab", 60, role="unknown"), therapy("amlodipine", 70, role="co-medication"))
    before, known = therapy("azathioprine", -60, role="unknown"), therapy("eltrombopag", 62, role="unknown")
    found = at_day(replace(chart(RESPONDER), therapies=(before, *given)), 100)
    (said,) = [note for note in found.notes if note.code == "response.role-untold"]
    assert said.values["drug"] == ("rituximab",)
    assert found.state is State.RESPONSE
    assert "rituximab" in say(said, "en").lower()
    treated = at_day(replace(chart(RESPONDER), therapies=(replace(given[0], role="itp"),)), 100)
    assert treated.state is State.NO_RESPONSE  # as it is counted once somebody says so
    drug = at_day(replace(chart(RESPONDER), therapies=(known,)), 100)
    assert drug.state is State.NO_RESPONSE
    assert "response.role-untold" not in {note.code for note in drug.notes}


def test_a_retraction_revises_a_verdict_and_is_named() -> None:
    # The second of two counts that make the response was another patient's: told on day 50.
    wrong = replace(count(37, 70.0), retracted=when(50, "12:00"))
    antibiotic = replace(therapy("clarithromycin", 20, role="co-medication"), retracted=when(50, "12:00"))
    ivig = replace(therapy("immunoglobulin", 20, role="rescue"), retracted=when(50, "12:00"))
    one = replace(chart((count(-1, 12.0), count(30, 60.0), wrong)), therapies=(antibiotic,))
    (only,) = revisions(one, [when(40), when(49), when(51)], IWG)
    assert [(change.before, change.after) for change in only.changes] == [(State.RESPONSE, State.PROVISIONAL)]
    assert [cause.code for cause in only.causes] == ["response.revised-retracted"]
    assert "2026" in say(only.causes[0], "zh")
    # A rescue that was never given no longer masks; an antibiotic is no cause of a verdict.
    rescued = replace(chart((count(-1, 12.0), count(30, 60.0), count(37, 70.0))), therapies=(antibiotic, ivig))
    (freed,) = revisions(rescued, [when(49), when(51)], IWG)
    assert freed.changes[0].after is State.RESPONSE
    assert [cause.code for cause in freed.causes] == ["response.revised-retracted"]


def test_time_alone_revises_only_by_a_rule_that_names_a_day() -> None:
    one = chart([(-1, 12.0), (90, 60.0)])
    found = revisions(one, [when(day) for day in range(91, 150)], IWG)
    changes = [(change.landmark_d, change.before.value, change.after.value) for r in found for change in r.changes]
    assert (91, "not-due", "provisional") in changes
    assert (91, "provisional", "no-response") in changes
    assert {cause.code for r in found for cause in r.causes} == {"response.revised-time"}


@settings(deadline=None, max_examples=40)
@given(one=charts())
def test_no_verdict_changes_without_a_cause(one: Chart) -> None:
    days = range(0, 430, 43)
    for revision in revisions(one, [when(day) for day in days], IWG):
        assert revision.changes
        assert revision.causes
