# SPDX-License-Identifier: Apache-2.0
"""What a chart's counts, bleedings and treatments become: visits, baseline and events (rules R-1 to R-9, R-41 to R-45).

Oracle: the numbered rules, reasoned by hand.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sirolens.chart import Chart, Course, Patient, Prescription, Procedure, Therapy
from sirolens.regimen import daily
from sirolens.response.chart_visits import BaselineState, ChartVisits, chart_visits
from sirolens.response.criteria import load
from sirolens.response.events import EventKind
from tests.response.charts import ZONE, asked, chart, count, splenectomy, therapy, when

IWG = load("iwg-2009")
END = when(400)


def read(one: Chart, day: int = 400) -> ChartVisits:
    return chart_visits(one, when(day, "23:59"), IWG)


def kinds(one: Chart) -> list[tuple[str, int, int]]:
    return [(event.kind.label, event.day, event.last_day) for event in read(one).events]


def test_days_are_the_clinics_calendar_days() -> None:
    """Monday 16:00 to the next Monday 08:00 is seven days."""
    found = read(chart((count(7, 60.0, "16:00"), count(14, 60.0, "08:00"))))
    assert [visit.day for visit in found.visits] == [7, 14]


def test_equal_counts_of_a_day_are_one_visit_and_different_ones_stand_in_order() -> None:
    found = read(
        chart((count(9, 60.0, "09:00"), count(9, 60.0, "10:00"), count(9, 80.0, "11:00"), count(9, 60.0, "12:00")))
    )
    assert [visit.count_10e9_l for visit in found.visits] == [60.0, 80.0, 60.0]


def test_different_counts_at_one_instant_are_their_mean_each_value_once() -> None:
    found = read(chart((count(9, 60.0), count(9, 60.0), count(9, 90.0))))
    assert [visit.count_10e9_l for visit in found.visits] == [75.0]


def test_bleeding_of_a_day_is_the_worst_told_and_not_asked_is_not_none() -> None:
    told = (asked(9, 0, "09:00"), asked(9, 2, "10:00"), asked(20, None))
    found = read(chart([(9, 60.0), (10, 60.0)], bleedings=told))
    assert [(visit.day, visit.bleeding) for visit in found.visits] == [(9, 2), (10, -1), (20, 9)]
    assert found.visits[-1].count_10e9_l != found.visits[-1].count_10e9_l  # bleeding without a count


@pytest.mark.parametrize(
    ("counts", "expected", "state"),
    [
        ([(-14, 20.0)], 20.0, BaselineState.USABLE),
        ([(-15, 20.0)], None, BaselineState.MISSING),
        ([(-10, 20.0), (-3, 30.0)], 30.0, BaselineState.USABLE),
        ([], None, BaselineState.MISSING),
    ],
)
def test_baseline_is_the_last_count_of_the_fourteen_days_before(
    counts: list[tuple[int, float]], expected: float | None, state: BaselineState
) -> None:
    baseline = read(chart(counts)).baseline
    assert baseline.state is state
    assert expected is None or baseline.count_10e9_l == expected


def test_baseline_of_one_instant_is_the_mean_of_the_distinct_values() -> None:
    same = (count(-1, 20.0, "00:00"), count(-1, 20.0, "00:00"), count(-1, 30.0, "00:00"))
    assert read(chart(same)).baseline.count_10e9_l == 25.0
    for rule, expected in (("lowest", 20.0), ("highest", 30.0)):
        assert chart_visits(chart(same), END, replace(IWG, baseline_ties=rule)).baseline.count_10e9_l == expected


def test_baseline_under_a_rescue_is_masked_and_an_older_free_one_is_used() -> None:
    ivig = therapy("immunoglobulin", -5, -5, role="rescue")
    assert read(chart([(-1, 60.0)], therapies=(ivig,))).baseline.state is BaselineState.MASKED
    assert read(chart([(-8, 9.0), (-1, 60.0)], therapies=(ivig,))).baseline.count_10e9_l == 9.0


def test_counts_of_day_0_before_the_first_dose_are_baseline_and_later_ones_are_reported() -> None:
    found = read(chart((count(0, 11.0, "07:59"), count(0, 33.0, "10:00"))))
    assert found.baseline.count_10e9_l == 11.0
    assert found.visits == ()
    assert [message.code for message in found.messages] == ["response.count-after-first-dose"]


def test_a_course_that_begins_on_a_day_without_a_time_has_every_count_of_that_day_before_it() -> None:
    one = replace(chart((count(0, 33.0, "10:00"),)), courses=(Course(at=when(0, "00:00"), recorded=when(0)),))
    assert read(one).baseline.count_10e9_l == 33.0


def test_a_retreatment_is_a_course_of_its_own() -> None:
    first = Course(at=when(0), recorded=when(0), stop=when(101, "00:00"))
    second = Course(at=when(200), recorded=when(200), retreatment=True)
    one = replace(chart([(-1, 12.0), (30, 60.0), (199, 8.0), (230, 70.0)]), courses=(second, first))
    last, earlier = read(one), chart_visits(one, when(400), IWG, 0)
    assert (last.baseline.count_10e9_l, [visit.day for visit in last.visits]) == (8.0, [30])
    assert (earlier.baseline.count_10e9_l, [visit.day for visit in earlier.visits]) == (12.0, [30, 199])
    assert [(event.kind, event.day) for event in earlier.events] == [(EventKind.STOPPED_SIROLIMUS, 100)]


def test_without_a_course_the_first_intake_begins_it_and_without_any_there_is_no_day_0() -> None:
    bare = Chart(patient=Patient(id="p", invented=True), zone=ZONE, platelet_counts=(count(9, 60.0),))
    assert read(bare).days is None
    prescribed = replace(bare, prescriptions=(Prescription(at=when(2), recorded=when(2), regimen=daily(2.0)),))
    assert [visit.day for visit in read(prescribed).visits] == [7]


def test_only_what_was_known_is_read() -> None:
    late = chart((count(-1, 12.0), count(30, 60.0, known=50)))
    assert [visit.day for visit in read(late, 40).visits] == []
    assert [visit.day for visit in read(late, 50).visits] == [30]


def test_rescues_keep_their_days_and_cover_is_only_told() -> None:
    given = (
        therapy("immunoglobulin", 10, 11, role="rescue"),
        therapy("platelet-transfusion", 20, role="rescue"),
        therapy("immunoglobulin", 60, 60, role="cover"),
        therapy("anti-d immunoglobulin", 70, 70, role="rescue"),
    )
    found = read(chart([], therapies=given))
    assert kinds(chart([], therapies=given)) == [
        ("ivig", 10, 11),
        ("platelet-transfusion", 20, 20),
        ("ivig", 60, 60),
        ("anti-d", 70, 70),
    ]
    assert [event.cover for event in found.events] == [False, False, True, False]


def test_a_brief_high_steroid_course_is_a_pulse_and_a_long_one_a_span() -> None:
    """40 mg of dexamethasone are 267 mg of prednisone."""
    pulse = therapy("dexamethasone", 40, 43, mg_d=40.0)
    assert kinds(chart([], therapies=(pulse,))) == [("steroid-pulse", 40, 43)]
    assert read(chart([], therapies=(pulse,))).events[0].mg_d == pytest.approx(40.0 * 5.0 / 0.75)
    assert kinds(chart([], therapies=(therapy("prednisone", -30, 50, mg_d=20.0),))) == [("steroid", -30, 50)]


def test_a_taper_is_no_raise_and_a_rise_or_a_new_steroid_is() -> None:
    taper = (therapy("prednisone", -30, 9, mg_d=20.0), therapy("prednisone", 10, 60, mg_d=10.0))
    assert kinds(chart([], therapies=taper)) == [("steroid", -30, 9), ("steroid", 10, 60)]
    risen = (therapy("prednisone", -30, 39, mg_d=20.0), therapy("methylprednisolone", 40, 60, mg_d=20.0))
    assert ("raised-dose", 40, 40) in kinds(chart([], therapies=risen))
    new = (therapy("prednisone", 40, 60, mg_d=5.0),)
    assert kinds(chart([], therapies=new)) == [("raised-dose", 40, 40), ("steroid", 40, 60)]
    untold = (therapy("prednisone", -30, 39), therapy("prednisone", 40, 60, mg_d=20.0))
    found = read(chart([], therapies=untold))
    assert EventKind.RAISED_DOSE not in {event.kind for event in found.events}
    assert "response.dose-untold" in {message.code for message in found.messages}


def test_background_new_and_raised_itp_drugs() -> None:
    steady = therapy("eltrombopag", -60, None, role="co-medication", mg_d=50.0)
    assert kinds(chart([], therapies=(steady,))) == [("background", -60, 400)]
    raised = therapy("eltrombopag", 50, None, mg_d=75.0)
    assert kinds(chart([], therapies=(steady, raised)))[1:] == [("raised-dose", 50, 50), ("background", 50, 400)]
    assert kinds(chart([], therapies=(therapy("rituximab", 50, 50),))) == [("new-itp-drug", 50, 50)]
    comedication = therapy("mycophenolate", 50, None, role="co-medication")
    assert kinds(chart([], therapies=(comedication,))) == []
    assert kinds(chart([], therapies=(therapy("sirolimus", 50, None),))) == []


def test_a_planned_splenectomy_is_reported_and_a_done_one_counts() -> None:
    planned = Procedure(at=when(50), recorded=when(50), kind="splenectomy", planned_for=when(70))
    found = read(chart([], procedures=(planned,)))
    assert found.events == ()
    assert [message.code for message in found.messages] == ["response.splenectomy-planned"]
    assert kinds(chart([], procedures=(splenectomy(70),))) == [("splenectomy", 70, 70)]


def test_a_stop_that_is_not_known_yet_leaves_the_course_open() -> None:
    course = Course(at=when(0), recorded=when(0), stop=when(101, "00:00"), stop_recorded=when(120))
    one = replace(chart([]), courses=(course,))
    assert read(one, 110).events == ()
    assert [event.day for event in read(one, 120).events] == [100]


def test_doses_per_interval_are_brought_to_a_day() -> None:
    twice = Therapy(at=when(-9), recorded=when(-9), drug="prednisone", amount=10.0, unit="mg", interval_h=12.0)
    per_kg = replace(twice, unit="mg/kg")
    assert read(chart([], therapies=(twice,))).events[0].mg_d == 20.0
    assert read(chart([], therapies=(per_kg,))).events[0].mg_d != read(chart([], therapies=(per_kg,))).events[0].mg_d
