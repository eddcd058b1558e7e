# SPDX-License-Identifier: Apache-2.0
"""From a chart to hours: only what was known, every doubt said, impossible levels refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import Chart, Dose, DoseStatus, Lab, Level, Patient, Prescription, Quantification, Therapy
from sirolens.dosing.history import from_chart
from sirolens.errors import ChartError
from sirolens.message import Message, Severity
from sirolens.models.timeline import History
from sirolens.regimen import Regimen, alternate_days, daily, every, hold, once, twice_daily, weekdays

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CLINIC = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 5, 8, tzinfo=CLINIC)  # a Monday
EXACT_H = 1e-9  # hours are quotients of whole microseconds


def prescribed(regimen: Regimen, at: datetime = START, **more: Any) -> Prescription:
    return Prescription(at=at, recorded=at, regimen=regimen, **more)


def level(at: datetime, value: float = 7.2, **more: Any) -> Level:
    return Level(at=at, recorded=at + 2 * HOUR, level_ng_ml=value, **more)


def chart(*prescriptions: Prescription, **facts: Any) -> Chart:
    person = Patient(id="invented-1", born=date(1980, 6, 1), invented=True)
    return Chart(patient=person, zone="Europe/Berlin", prescriptions=prescriptions, **facts)


def codes(flags: tuple[Message, ...]) -> list[str]:
    return [flag.code for flag in flags]


def read(one: Chart, days: float = 60) -> tuple[History, tuple[Message, ...]]:
    return from_chart(one, START + days * DAY)


def refused(one: Chart, days: float = 60) -> list[str]:
    with pytest.raises(ChartError) as caught:
        read(one, days)
    return [message.code for message in caught.value.messages]


# Doses and hours


def test_daily_doses_become_hours_from_the_first() -> None:
    history, flags = read(chart(prescribed(daily(2))), days=10)
    assert history.dose_time_h == tuple(24.0 * day for day in range(10))
    assert history.dose_mg == (2.0,) * 10
    assert flags == ()


def test_h13_hours_are_elapsed_time_on_clock_change_days() -> None:
    # Oracle: the last Sundays of March and October 2026 have 23 and 25 hours in Berlin.
    spring = datetime(2026, 3, 28, 8, tzinfo=CLINIC)
    history, _ = from_chart(chart(prescribed(daily(2), spring)), spring + 3 * DAY)
    assert [b - a for a, b in zip(history.dose_time_h, history.dose_time_h[1:], strict=False)] == [23.0, 24.0]
    autumn = datetime(2026, 10, 24, 8, tzinfo=CLINIC)
    history, _ = from_chart(chart(prescribed(daily(2), autumn)), autumn + 3 * DAY)
    assert [b - a for a, b in zip(history.dose_time_h, history.dose_time_h[1:], strict=False)] == [25.0, 24.0]


def test_a_sample_across_a_clock_change_has_its_real_time_after_the_dose() -> None:
    spring = datetime(2026, 3, 1, 8, tzinfo=CLINIC)
    history, _ = from_chart(
        chart(prescribed(daily(2), spring), levels=(level(datetime(2026, 3, 29, 8, tzinfo=CLINIC)),)), spring + 40 * DAY
    )
    assert history.levels[0].after_dose_h == 23.0


def test_a_dose_at_the_instant_of_the_sample_comes_after_it() -> None:
    history, _ = read(chart(prescribed(daily(2)), levels=(level(START + 30 * DAY),)))
    assert history.levels[0].after_dose_h == 24.0


def test_steady_state_since_about_is_a_prelude_of_one_cycle() -> None:
    history, flags = read(chart(prescribed(daily(2), since_about=True), levels=(level(START + 30 * DAY),)))
    assert history.prelude is not None
    assert history.prelude.period_h == 24.0
    assert [history.dose_time_h[0] - at_h for at_h in history.prelude.time_h] == [24.0]
    assert history.levels[0].settled_d is None
    assert "history.steady-state-stated" in codes(flags)


def test_a_weekday_pattern_keeps_its_phase_before_the_start() -> None:
    history, _ = read(chart(prescribed(weekdays(mon=2, wed=2, fri=1), START + 2 * DAY, since_about=True)))  # Wednesday
    assert history.prelude is not None
    assert history.prelude.period_h == 168.0
    assert history.prelude.amount_mg == (2.0, 1.0, 2.0)  # Wednesday, Friday, Monday
    assert history.dose_mg[:4] == (2.0, 1.0, 2.0, 2.0)


def test_steady_state_of_no_dose_is_said() -> None:
    _, flags = read(chart(prescribed(once(6), since_about=True)))
    assert "history.steady-state-of-no-dose" in codes(flags)


def test_a_vague_start_after_known_doses_is_flagged_and_taken_as_stated() -> None:
    history, flags = read(chart(prescribed(daily(2)), prescribed(daily(1), START + 20 * DAY, since_about=True)))
    assert history.prelude is None
    assert "history.start-uncertain" in codes(flags)


def test_the_stated_time_of_the_dose_before_places_that_dose() -> None:
    sample = START + 30 * DAY - HOUR / 2
    taken = START + 29 * DAY + 3 * HOUR
    history, flags = read(chart(prescribed(daily(2)), levels=(level(sample, last_dose_at=taken),)))
    assert history.levels[0].after_dose_h == pytest.approx(20.5, abs=EXACT_H)
    assert history.hours(taken) in history.dose_time_h
    assert len(history.dose_mg) == 60
    assert "history.dose-moved" in codes(flags)
    assert "history.dose-time-assumed" not in codes(flags)


def test_a_planned_dose_between_the_stated_one_and_the_sample_was_taken_after_the_sample() -> None:
    sample = START + 30 * DAY + 2 * HOUR
    history, flags = read(chart(prescribed(daily(2)), levels=(level(sample, last_dose_at=START + 29 * DAY),)))
    assert history.levels[0].after_dose_h == 26.0
    assert history.hours(sample) in history.dose_time_h
    assert history.hours(START + 30 * DAY) not in history.dose_time_h
    assert "history.dose-after-sample" in codes(flags)


def test_planned_doses_long_before_the_sample_but_after_the_stated_one_were_not_taken() -> None:
    sample = START + 30 * DAY
    history, flags = read(chart(prescribed(daily(2)), levels=(level(sample, last_dose_at=START + 27 * DAY),)))
    assert history.levels[0].after_dose_h == 72.0
    assert codes(flags).count("history.dose-not-taken") == 2
    assert len(history.dose_mg) == 58


def test_a_recorded_dose_wins_over_the_time_beside_the_level() -> None:
    taken = START + 29 * DAY
    recorded = Dose(at=taken, recorded=taken, amount_mg=2)
    sample = START + 30 * DAY
    history, flags = read(
        chart(prescribed(daily(2)), doses=(recorded,), levels=(level(sample, last_dose_at=taken + 4 * HOUR),))
    )
    assert history.levels[0].after_dose_h == 24.0
    assert "history.dose-times-disagree" in codes(flags)


def test_uncertain_and_missed_doses_are_flagged() -> None:
    doses = (
        Dose(at=START + 20 * DAY, recorded=START + 20 * DAY, amount_mg=2, status=DoseStatus.UNCERTAIN),
        Dose(at=START + 25 * DAY, recorded=START + 25 * DAY, amount_mg=2, status=DoseStatus.MISSED),
    )
    history, flags = read(chart(prescribed(daily(2)), doses=doses, levels=(level(START + 30 * DAY),)))
    assert {"history.uncertain-doses", "history.missed-before-level"} <= set(codes(flags))
    assert len(history.dose_mg) == 59
    assert history.levels[0].settled_d == pytest.approx(30.0, abs=1 / 12)  # one missed dose is no change of dosing


# Steady state


@pytest.mark.parametrize(
    ("regimen", "name"),
    [(daily(2), "daily"), (alternate_days(2), "alternate"), (twice_daily(1), "twice"), (every(2, 24), "every")],
)
def test_the_days_on_a_regimen_count_from_its_start(regimen: Regimen, name: str) -> None:
    history, _ = read(chart(prescribed(regimen), levels=(level(START + 30 * DAY),)))
    assert history.levels[0].settled_d == pytest.approx(30.0, abs=1 / 12), name


def test_a_change_of_dose_starts_the_count_anew_and_a_repeated_prescription_does_not() -> None:
    changed = chart(prescribed(daily(2)), prescribed(daily(1), START + 25 * DAY), levels=(level(START + 30 * DAY),))
    assert read(changed)[0].levels[0].settled_d == pytest.approx(5.0, abs=1 / 12)
    repeated = chart(prescribed(daily(2)), prescribed(daily(2), START + 25 * DAY), levels=(level(START + 30 * DAY),))
    assert read(repeated)[0].levels[0].settled_d == pytest.approx(30.0, abs=1 / 12)


def test_a_prescribed_weekly_pattern_need_not_come_twice() -> None:
    plan = (
        prescribed(daily(2)),
        prescribed(hold(), START + 56 * DAY),
        prescribed(weekdays(mon=2, wed=2, fri=2), START + 63 * DAY),
    )
    history, _ = read(chart(*plan, levels=(level(START + 71 * DAY),)), days=90)
    assert history.levels[0].settled_d == pytest.approx(8.0, abs=1 / 12)


REGIMENS = {
    "2 daily": daily(2),
    "1 daily": daily(1),
    "2 alternate": alternate_days(2),
    "1 twice": twice_daily(1),
    "weekdays": weekdays(mon=2, wed=2, fri=1),
    "none": hold(),
}


@settings(deadline=None, max_examples=150)
@given(
    first=st.sampled_from(sorted(REGIMENS)),
    second=st.sampled_from(sorted(REGIMENS)),
    change=st.integers(8, 60),
    after=st.integers(1, 40),
)
def test_a_change_of_dosing_is_never_read_as_older_than_it_is(first: str, second: str, change: int, after: int) -> None:
    plan = (prescribed(REGIMENS[first]), prescribed(REGIMENS[second], START + change * DAY))
    one = chart(*plan, doses=(Dose(at=START - DAY, recorded=START - DAY, amount_mg=5.0),))
    history, _ = read(replace(one, levels=(level(START + (change + after) * DAY),)), days=110)
    settled_d = history.levels[0].settled_d
    assert settled_d is not None
    # What was taken says when the change shows: the first day whose milligrams are not those of the old regimen.
    if first != second:
        taken = [daily_mg(REGIMENS[name], change + after) for name in (first, second)]
        old, new = taken[0], [*taken[0][:change], *daily_mg(REGIMENS[second], after, change)]
        shown = next((day for day in range(change, change + after) if new[day] != old[day]), None)
        if shown is not None:
            assert settled_d <= change + after - shown + 7.0 + 1 / 12
            if {first, second} <= {"2 daily", "1 daily"}:
                assert settled_d == pytest.approx(after, abs=1 / 12)
    elif first in ("2 daily", "1 daily", "1 twice", "weekdays"):  # an alternate-day regimen begun anew shifts its days
        assert settled_d >= change + after - 3.0


def daily_mg(regimen: Regimen, days: int, after: int = 0) -> list[float]:
    """Milligrams of each calendar day."""
    start = START + after * DAY
    intakes = regimen.intakes(start, start + (days + 1) * DAY)
    return [sum(i.amount_mg for i in intakes if (i.at.date() - start.date()).days == day) for day in range(days)]


def test_a_date_the_prescription_calls_missed_is_no_change_of_dosing() -> None:
    plan = prescribed(daily(2).missing((START + 20 * DAY).date()))
    history, flags = read(chart(plan, levels=(level(START + 30 * DAY),)))
    assert len(history.dose_mg) == 59
    assert history.levels[0].settled_d == pytest.approx(30.0, abs=1 / 12)
    assert "history.missed-before-level" in codes(flags)


def test_a_gap_in_a_list_of_single_doses_is_read_as_a_missed_dose() -> None:
    doses = tuple(Dose(at=START + day * DAY, recorded=START + day * DAY, amount_mg=2) for day in range(30) if day != 24)
    history, _ = read(chart(doses=doses, levels=(level(START + 30 * DAY),)), days=31)
    assert history.levels[0].settled_d == pytest.approx(30.0, abs=1 / 12)


def test_a_loading_dose_is_not_the_regimen() -> None:
    loaded = chart(prescribed(once(6).then(daily(2))), levels=(level(START + 6 * DAY),))
    assert read(loaded)[0].levels[0].settled_d == pytest.approx(5.0, abs=1 / 12)


def test_a_week_without_doses_is_a_change() -> None:
    missed = tuple(
        Dose(at=START + day * DAY, recorded=START + day * DAY, amount_mg=2, status=DoseStatus.MISSED)
        for day in range(20, 27)
    )
    history, _ = read(chart(prescribed(daily(2)), doses=missed, levels=(level(START + 30 * DAY),)))
    settled_d = history.levels[0].settled_d
    assert settled_d is not None
    assert settled_d < 4.0


def test_a_larger_dose_on_the_morning_of_the_sample_is_a_change() -> None:
    changed = chart(
        prescribed(daily(2)), prescribed(daily(4), START + 30 * DAY), levels=(level(START + 30 * DAY + 6 * HOUR),)
    )
    assert read(changed)[0].levels[0].settled_d == pytest.approx(0.25, abs=EXACT_H)


@pytest.mark.parametrize(("days", "code"), [(5, "not-at-steady-state"), (10, "steady-state-uncertain"), (16, None)])
def test_h7_levels_before_the_label_interval_are_flagged(days: int, code: str | None) -> None:
    # Oracle: label interval of 7 to 14 days after a change.
    _, flags = read(chart(prescribed(daily(2)), levels=(level(START + days * DAY),)))
    found = [flag for flag in flags if "steady-state" in flag.code]
    assert [flag.code for flag in found] == ([f"history.{code}"] if code else [])
    assert all(flag.source is not None for flag in found)


# Levels


@pytest.mark.parametrize(
    ("regimen", "hours", "flagged"),
    [
        (daily(2), 19.5, True),
        (daily(2), 20.5, False),
        (twice_daily(1), 9.0, True),
        (twice_daily(1), 11.0, False),
        (alternate_days(2), 30.0, True),
        (alternate_days(2), 47.0, False),
    ],
)
def test_h6_a_trough_that_is_not_a_trough_is_flagged_and_keeps_its_time(
    regimen: Regimen, hours: float, flagged: bool
) -> None:
    sample = START + 30 * DAY + hours * HOUR
    history, flags = read(chart(prescribed(regimen), levels=(level(sample),)))
    assert ("history.not-a-trough" in codes(flags)) is flagged
    assert history.levels[0].time_h == pytest.approx(history.hours(sample), abs=EXACT_H)
    assert history.levels[0].after_dose_h == pytest.approx(hours, abs=EXACT_H)


def test_a_sample_long_after_the_dose_is_flagged() -> None:
    stopped = replace(prescribed(daily(2)), stop=START + 28 * DAY)
    _, flags = read(chart(stopped, levels=(level(START + 30 * DAY),)))
    assert "history.late-sample" in codes(flags)


def test_a_planned_time_is_said_where_no_dose_time_is_written() -> None:
    _, flags = read(chart(prescribed(daily(2)), levels=(level(START + 30 * DAY),)))
    assert codes(flags) == ["history.dose-time-assumed"]


def test_a_level_without_a_dose_before_it_is_refused() -> None:
    assert refused(chart(prescribed(daily(2)), levels=(level(START - DAY),))) == ["history.level-without-dose"]
    assert refused(chart(levels=(level(START),))) == ["history.level-without-dose"]


def test_a_dose_before_that_is_later_than_the_sample_is_refused() -> None:
    late = level(START + 30 * DAY, last_dose_at=START + 30 * DAY + HOUR)
    assert refused(chart(prescribed(daily(2)), levels=(late,))) == ["history.last-dose-after-sample"]


def test_two_values_at_one_instant_by_one_assay_are_refused_by_two_assays_kept() -> None:
    at = START + 30 * DAY
    same = (level(at, 7.2, assay="cmia"), level(at, 9.1, assay="cmia"))
    assert refused(chart(prescribed(daily(2)), levels=same)) == ["history.levels-disagree"]
    two = (level(at, 7.2, assay="cmia"), level(at, 6.0, assay="lc-ms/ms"))
    history, flags = read(chart(prescribed(daily(2)), levels=two))
    assert len(history.used) == 2
    assert "assay.changed" in codes(flags)


def test_identical_levels_are_merged_with_a_flag() -> None:
    at = START + 30 * DAY
    history, flags = read(chart(prescribed(daily(2)), levels=(level(at), level(at))))
    assert len(history.levels) == 1
    assert "history.levels-merged" in codes(flags)


def test_serum_is_refused() -> None:
    assert refused(chart(prescribed(daily(2)), levels=(level(START + 30 * DAY, matrix="serum"),))) == [
        "history.matrix-refused"
    ]


def test_every_fault_is_told_at_once() -> None:
    wrong = (level(START + 30 * DAY, matrix="serum"), level(START - DAY), level(START + 31 * DAY, 0.0))
    assert refused(chart(prescribed(daily(2)), levels=wrong)) == [
        "history.matrix-refused",
        "history.level-without-dose",
        "history.level-not-positive",
    ]


def test_an_excluded_level_is_kept_with_its_reason_and_not_judged() -> None:
    drawn_from_line = level(START + 30 * DAY, 60.0, matrix="plasma", excluded="drawn from the infusion line")
    history, flags = read(chart(prescribed(daily(2)), levels=(drawn_from_line, level(START + 31 * DAY))))
    assert [one.excluded for one in history.levels] == ["drawn from the infusion line", None]
    assert len(history.used) == 1
    assert "history.level-excluded" in codes(flags)


def test_levels_outside_the_assay_range_are_censored_at_the_limit() -> None:
    both = (
        level(START + 30 * DAY, 2.0, quantification=Quantification.BELOW),
        level(START + 40 * DAY, 30.0, quantification=Quantification.ABOVE),
    )
    history, _ = read(chart(prescribed(daily(2)), levels=both))
    assert [one.censoring for one in history.levels] == [-1, 1]


# Covariates


def test_labs_age_and_therapies_become_timelines() -> None:
    labs = (
        Lab(at=START, recorded=START, name="haematocrit", value=36.0, unit="%"),
        Lab(at=START + 20 * DAY, recorded=START + 20 * DAY, name="haematocrit", value=41.0, unit="%"),
    )
    drug = Therapy(at=START + 10 * DAY, recorded=START + 10 * DAY, drug="silymarin", stop=START + 15 * DAY)
    history, _ = read(chart(prescribed(daily(2)), labs=labs, therapies=(drug,)), days=30)
    assert history.covariates["haematocrit"].value == (36.0, 41.0)
    assert history.covariates["therapy:silymarin"].value == (0.0, 1.0, 0.0)
    assert history.covariates["age"].latest == pytest.approx(45.7, abs=0.1)


def test_old_covariates_are_flagged_and_a_childs_weight_sooner() -> None:
    weight = Lab(at=START, recorded=START, name="weight", value=18.0, unit="kg")
    child = Patient(id="invented-2", born=date(2020, 1, 1), invented=True)
    grown = chart(prescribed(daily(2)), labs=(weight,))
    assert "history.covariate-old" not in codes(read(grown, days=60)[1])
    assert "history.covariate-old" in codes(read(replace(grown, patient=child), days=60)[1])


def test_the_current_cycle_is_the_present_part_of_a_taper() -> None:
    stepped = daily(2).lasting(14).then(daily(1))
    early, _ = read(chart(prescribed(stepped)), days=5)
    late, _ = read(chart(prescribed(stepped)), days=20)
    assert early.current is not None
    assert late.current is not None
    assert (early.current.amount_mg, late.current.amount_mg) == ((2.0,), (1.0,))


def test_the_current_cycle_of_single_doses_is_read_off_the_last_ones() -> None:
    doses = tuple(
        Dose(at=START + day * DAY + (day % 2) * HOUR, recorded=START + day * DAY + HOUR, amount_mg=1.5)
        for day in range(10)
    )
    history, _ = read(chart(doses=doses), days=9.5)
    assert history.current is not None
    assert (history.current.period_h, history.current.amount_mg) == (24.0, (1.5,))
    assert read(chart(doses=doses), days=20)[0].current is None


# What was not known yet


@settings(deadline=None, max_examples=60)
@given(
    seen=st.integers(15, 60),
    recorded_later=st.integers(1, 200),
    happened=st.integers(-20, 55),
    kind=st.sampled_from(["level", "dose", "lab", "prescription", "therapy", "correction"]),
)
def test_a_fact_recorded_later_never_changes_what_was_read_before(
    seen: int, recorded_later: int, happened: int, kind: str
) -> None:
    # Metamorphic: the same chart with one more fact, recorded after the instant that is asked for.
    at = START + seen * DAY
    first = replace(level(START + 10 * DAY), id="L1", recorded=START + 10 * DAY)
    before = chart(prescribed(daily(2)), levels=(first,))
    when, known = START + happened * DAY, at + recorded_later * HOUR
    extra: dict[str, Any] = {
        "level": {"levels": (first, Level(at=when, recorded=known, level_ng_ml=3.0))},
        "correction": {"levels": (first, replace(first, id="L2", replaces="L1", recorded=known, level_ng_ml=9.0))},
        "dose": {"doses": (Dose(at=when, recorded=known, amount_mg=5.0),)},
        "lab": {"labs": (Lab(at=when, recorded=known, name="weight", value=70.0, unit="kg"),)},
        "prescription": {"prescriptions": (*before.prescriptions, replace(prescribed(daily(4), when), recorded=known))},
        "therapy": {"therapies": (Therapy(at=when, recorded=known, drug="rifampicin"),)},
    }[kind]
    after = replace(before, **extra)
    assert from_chart(before, at) == from_chart(after, at)


def test_a_time_of_day_written_in_another_zone_is_the_same_instant() -> None:
    here = chart(prescribed(daily(2)), levels=(level(START + 30 * DAY),))
    there = replace(here, levels=(level((START + 30 * DAY).astimezone(UTC)),))
    assert read(here) == read(there)


def test_evening_doses_are_read_at_their_own_clock_time() -> None:
    history, flags = read(
        chart(prescribed(daily(2, at=time(20))), levels=(level(START + 30 * DAY),)),
    )
    assert history.levels[0].after_dose_h == 12.0
    assert "history.not-a-trough" in codes(flags)


def test_flags_are_never_errors() -> None:
    _, flags = read(chart(prescribed(daily(2)), levels=(level(START + 3 * DAY),)))
    assert all(flag.severity is not Severity.ERROR for flag in flags)
