# SPDX-License-Identifier: Apache-2.0
"""Adverse events of a cohort: patients and events, beside exposure, on hand-counted charts (claim A5)."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import AdverseEvent, Chart, Dose, DoseStatus, Patient, Prescription
from sirolens.interop.chart_words import ACTIONS
from sirolens.regimen import daily
from sirolens.report.words import say
from sirolens.response.exposure import DAYS_PER_YEAR, exposure
from sirolens.response.safety import adverse_event_table

DAY_0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
CUT = DAY_0 + timedelta(days=365)
ANSWERS = (
    ("serious", "not-serious", "seriousness-unknown"),
    ("related", "unrelated", "relation-unknown"),
    ("stopped", "not-stopped", "stopping-unknown"),
)
PRINTED = 0.005
"""Figures are compared with two printed decimals."""


def at(day: float) -> datetime:
    return DAY_0 + timedelta(days=day)


def event(day: float, term: str = "stomatitis", **details: Any) -> AdverseEvent:
    return AdverseEvent(at=at(day), recorded=at(day), term=term, **details)


def treated(name: str, *events: AdverseEvent, days: float | None = None) -> Chart:
    """A patient on 2 mg daily from day 0 on, to a last day where one is given."""
    stop = None if days is None else at(days)
    given_ = Prescription(at=DAY_0, recorded=DAY_0, stop=stop, stop_recorded=stop, regimen=daily(2))
    return Chart(
        patient=Patient(id=name, invented=True), zone="UTC", prescriptions=(given_,), adverse_events=tuple(events)
    )


THREE = (
    treated(
        "P-1",
        event(10, grade=1, serious=False, related=True, action="none", ctcae_version="5"),
        event(40, grade=2, related=True, action="held", ctcae_version="5"),
        event(50, "pneumonia", grade=3, serious=True, related=False, action="stopped", ctcae_version="5"),
    ),
    treated("P-2", event(20, grade=1, related=None, ctcae_version="5")),
    treated("P-3", days=100),
)


def test_patients_count_once_and_events_each_time() -> None:
    table = adverse_event_table(THREE, CUT)
    counted = {row.name: (row.patients, row.events) for row in table.rows}
    assert counted == {
        "any": (2, 4),
        "grade-1": (1, 2),  # P-1 counts under grade 3
        "grade-2": (0, 1),
        "grade-3": (1, 1),
        "grade-4": (0, 0),
        "grade-5": (0, 0),
        "ungraded": (0, 0),
        "severe": (1, 1),
        "serious": (1, 1),
        "not-serious": (1, 1),
        "seriousness-unknown": (2, 2),
        "related": (1, 2),
        "unrelated": (1, 1),
        "relation-unknown": (1, 1),
        "stopped": (1, 1),
        "not-stopped": (1, 2),
        "stopping-unknown": (1, 1),
    }
    assert [(row.term, row.any.patients, row.any.events) for row in table.terms] == [
        ("stomatitis", 2, 3),
        ("pneumonia", 1, 1),
    ]


def test_events_stand_beside_exposure() -> None:
    table = adverse_event_table(THREE, CUT)
    # By hand: two patients to the cut, one until a day after the last of 100 doses.
    assert table.exposure.days.tolist() == [365.0, 365.0, 100.0]
    assert table.exposure.dose_mg.tolist() == [730.0, 730.0, 200.0]
    years = (365 + 365 + 100) / DAYS_PER_YEAR
    assert table.row("any").rate.rate == pytest.approx(100 * 4 / years)
    # Patients are at risk of a first event until it comes: 10, 20 and 100 days.
    assert table.row("any").incidence.rate == pytest.approx(100 * 2 / (130 / DAYS_PER_YEAR))


def test_the_rate_has_the_exact_poisson_interval() -> None:
    # Oracle: Garwood's printed limits for 3 events: 0.6187 to 8.7673; for none: 0 to 3.6889.
    charts = [treated(f"P-{i}", *[event(5, grade=1)] * (3 if i == 0 else 0)) for i in range(100)]
    cut = at(DAYS_PER_YEAR)
    found = adverse_event_table(charts, cut).row("any").rate
    assert found.exposure == pytest.approx(1.0)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.6187, 8.7673), abs=1e-4)
    nothing = adverse_event_table(charts[1:], at(DAYS_PER_YEAR * 100 / 99)).row("any").rate
    assert (nothing.interval.low, nothing.interval.high) == pytest.approx((0.0, 3.6889), abs=1e-4)


def test_no_major_event_in_twenty_patients_still_has_an_upper_limit() -> None:
    # Claim A5 with its interval. Oracle: Clopper-Pearson of 0/20, 0 to 16.84 % (two-sided 95 %).
    table = adverse_event_table([treated(f"P-{i}", event(5, grade=1, serious=False)) for i in range(20)], CUT)
    assert table.row("seriousness-unknown").patients == 0
    for name in ("severe", "serious"):
        row = table.row(name)
        assert (row.patients, row.treated, row.percent) == (0, 20, 0.0)
        assert (row.percent_interval.low, row.percent_interval.high) == pytest.approx((0.0, 16.84), abs=PRINTED)


def test_only_events_on_treatment_count_and_the_rest_is_told() -> None:
    chart = treated("P-1", event(-5, grade=1), event(0, grade=1), event(130, grade=1), event(131, grade=1), days=100)
    nobody = Chart(patient=Patient(id="P-0"), zone="UTC", adverse_events=(event(1, grade=1),))
    table = adverse_event_table([chart, nobody], CUT)
    assert (table.row("any").events, table.before, table.after, table.untreated) == (2, 1, 1, 1)
    assert table.row("any").treated == 1
    codes = {message.code for message in table.messages}
    assert {"safety.before-treatment", "safety.after-treatment", "safety.untreated"} <= codes
    assert adverse_event_table([chart], CUT, after_days=31).row("any").events == 3


def test_an_event_without_a_grade_is_not_grade_1() -> None:
    table = adverse_event_table([treated("P-1", event(5), event(6, "rash", grade=2))], CUT)
    assert table.row("ungraded").events == 1
    assert table.row("grade-1").events == 0
    assert table.row("grade-2").patients == 1
    assert "safety.ungraded" in {message.code for message in table.messages}


def test_what_nobody_recorded_is_never_no() -> None:
    # H23: a blank for "serious" is neither serious nor not serious; the same for the relation and for stopping.
    table = adverse_event_table([treated("P-1", event(5, grade=1)), treated("P-2", event(6, "rash", grade=2))], CUT)
    for yes, no, unknown in ANSWERS:
        assert [table.row(name).patients for name in (yes, no, unknown)] == [0, 0, 2]
    told = {message.code: message.values for message in table.messages}
    for code in ("safety.seriousness-unknown", "safety.stopping-unknown", "safety.relation-unknown"):
        assert (told[code]["count"], told[code]["all"]) == (2, 2)
    assert "safety.action-not-known" not in told
    (rash, stomatitis) = sorted(table.terms, key=lambda row: row.term)
    for row in (rash, stomatitis):
        assert (row.serious.patients, row.seriousness_unknown.patients, row.relation_unknown.patients) == (0, 1, 1)


def test_an_action_in_an_unknown_word_is_no_answer_about_stopping() -> None:
    events = (event(5, action="drug taken away"), event(6, action="not-applicable"), event(7, action="stopped"))
    table = adverse_event_table([treated("P-1", *events)], CUT)
    assert [table.row(name).events for name in ("stopped", "not-stopped", "stopping-unknown")] == [1, 1, 1]
    (said,) = [message for message in table.messages if message.code == "safety.action-not-known"]
    assert said.values["words"] == ("drug taken away",)


def test_every_word_for_an_action_says_whether_it_was_a_stop() -> None:
    answers = {word: event(1, action=word).stopped for word in set(ACTIONS.values())}
    assert [word for word, stopped in answers.items() if stopped] == ["stopped"]
    assert [word for word, stopped in answers.items() if stopped is None] == ["unknown"]


def test_versions_of_ctcae_are_kept_and_a_mixture_is_told() -> None:
    events = (event(5, grade=1, ctcae_version="5"), event(6, grade=1, ctcae_version="6"), event(7, grade=1))
    table = adverse_event_table([treated("P-1", *events)], CUT)
    assert table.versions == ("", "5", "6")
    assert {"safety.versions-mixed", "safety.version-missing"} <= {message.code for message in table.messages}


def test_what_was_recorded_after_the_data_cut_does_not_count() -> None:
    late = replace(event(30, grade=4), recorded=at(90))
    chart = treated("P-1", event(10, grade=1), late)
    assert adverse_event_table([chart], at(60)).row("any").events == 1
    assert adverse_event_table([chart], at(90)).row("grade-4").events == 1


def test_a_corrected_event_counts_as_corrected() -> None:
    first = replace(event(10, grade=4), id="e")
    second = replace(event(10, grade=1), recorded=at(20), id="e2", replaces="e")
    chart = treated("P-1", first, second)
    assert adverse_event_table([chart], at(15)).row("grade-4").patients == 1
    table = adverse_event_table([chart], at(30))
    assert (table.row("grade-4").events, table.row("grade-1").events) == (0, 1)


def test_follow_up_that_ended_ends_the_exposure() -> None:
    table = adverse_event_table([treated("P-1", event(80, grade=1))], CUT, ends={"P-1": at(40)})
    assert table.exposure.days.tolist() == [40.0]
    assert table.after == 1


def test_no_patient_and_no_treatment_are_results() -> None:
    for charts in ([], [Chart(patient=Patient(id="P-1"), zone="UTC")]):
        table = adverse_event_table(charts, CUT)
        row = table.row("any")
        assert (row.patients, row.events, row.treated) == (0, 0, 0)
        assert math.isnan(row.percent)
        assert math.isnan(row.rate.rate)
        assert row.rate.interval.reason is not None
        assert [message.code for message in table.messages] == ["safety.no-events"]


def test_every_message_has_words_in_both_languages() -> None:
    events = (
        event(-5, grade=1),
        event(5),
        event(6, grade=1, ctcae_version="5"),
        event(7, grade=1, ctcae_version="6"),
        event(8, grade=1),
        event(200, grade=1),
    )
    nobody = Chart(patient=Patient(id="P-0"), zone="UTC", adverse_events=(event(1, grade=1),))
    odd = event(9, action="drug taken away")
    table = adverse_event_table([treated("P-1", *events, odd, days=100), nobody], CUT)
    assert len(table.messages) == 10
    for message in table.messages:
        for language in ("en", "zh"):
            words = say(message, language)
            assert message.code not in words
            assert "{" not in words


def test_doses_that_were_missed_are_not_exposure() -> None:
    chart = treated("P-1")
    missed = Dose(at=at(3), recorded=at(3), amount_mg=0.0, status=DoseStatus.MISSED)
    found = exposure([replace(chart, doses=(missed,))], at(10))
    assert found.dose_mg.tolist() == [18.0]
    assert found.days.tolist() == [10.0]
    assert found.daily_mg.tolist() == [1.8]


def test_a_patient_never_treated_has_no_exposure() -> None:
    found = exposure([Chart(patient=Patient(id="P-1"), zone="UTC")], CUT)
    assert (found.treated, found.years, found.start) == (0, 0.0, (None,))
    assert math.isnan(float(found.daily_mg[0]))


EVENTS = st.lists(
    st.builds(
        event,
        st.integers(0, 300),
        st.sampled_from(["rash", "stomatitis", "infection"]),
        grade=st.one_of(st.none(), st.integers(1, 5)),
        serious=st.sampled_from([None, True, False]),
        related=st.sampled_from([None, True, False]),
        action=st.sampled_from(["none", "stopped", "unknown", "another word"]),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=15)
@given(st.lists(EVENTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_rows_add_up_and_do_not_depend_on_order(found: list[list[AdverseEvent]], chance: random.Random) -> None:
    charts = [treated(f"P-{number}", *events) for number, events in enumerate(found)]
    table = adverse_event_table(charts, CUT)
    by_grade = [table.row(f"grade-{grade}") for grade in range(1, 6)] + [table.row("ungraded")]
    assert sum(row.events for row in by_grade) == table.row("any").events == sum(map(len, found))
    assert sum(row.patients for row in by_grade) == table.row("any").patients == sum(map(bool, found))
    for three in ANSWERS:
        assert sum(table.row(name).events for name in three) == table.row("any").events
    assert sum(row.any.events for row in table.terms) == table.row("any").events
    chance.shuffle(charts)
    shuffled = [
        replace(chart, adverse_events=tuple(chance.sample(chart.adverse_events, len(chart.adverse_events))))
        for chart in charts
    ]
    again = adverse_event_table(shuffled, CUT)
    assert [(row.name, row.patients, row.events) for row in again.rows] == [
        (row.name, row.patients, row.events) for row in table.rows
    ]
    assert [row.term for row in again.terms] == [row.term for row in table.terms]
