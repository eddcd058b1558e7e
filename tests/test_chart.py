# SPDX-License-Identifier: Apache-2.0
"""The chart is bitemporal: what is known at an instant is what had happened and had been recorded by then.

Advice stands on `Chart.known`, so these laws are what keeps it from seeing the future.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import (
    Chart,
    Course,
    Dose,
    DoseStatus,
    Fact,
    Level,
    Patient,
    PlateletCount,
    Prescription,
    Therapy,
)
from sirolens.regimen import daily, hold, once, twice_daily
from tests.interop.strategies import charts

KINDS = tuple(field.name for field in fields(Chart) if field.name not in ("patient", "zone"))
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2028, 1, 1)).map(lambda local: local.replace(tzinfo=UTC))
PATIENT = Patient(id="P", invented=True)


def chart(**facts: Any) -> Chart:
    return Chart(patient=PATIENT, zone="Europe/Berlin", **facts)


def facts(of: Chart) -> list[Fact]:
    return [fact for kind in KINDS for fact in getattr(of, kind)]


def level(hours: float = 0, *, late_h: float = 0, value: float = 7.0, **more: Any) -> Level:
    at = NOON + hours * HOUR
    return Level(at=at, recorded=at + late_h * HOUR, level_ng_ml=value, **more)


# What is known


@settings(deadline=None, max_examples=80)
@given(charts(), moments)
def test_what_is_known_had_happened_and_had_been_recorded(whole: Chart, at: datetime) -> None:
    for fact in facts(whole.known(at)):
        assert fact.at <= at
        assert fact.recorded <= at


@settings(deadline=None, max_examples=80)
@given(charts(), moments)
def test_nothing_that_was_known_is_left_out(whole: Chart, at: datetime) -> None:
    """These charts hold no corrections, so every fact of the past is there."""
    wanted = sum(fact.at <= at and fact.recorded <= at for fact in facts(whole))
    assert len(facts(whole.known(at))) == wanted


@settings(deadline=None, max_examples=80)
@given(charts(), moments)
def test_knowing_twice_is_knowing_once(whole: Chart, at: datetime) -> None:
    assert whole.known(at).known(at) == whole.known(at)


@settings(deadline=None, max_examples=80)
@given(charts(), moments, moments)
def test_what_was_known_earlier_is_known_from_what_is_known_later(whole: Chart, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert whole.known(later).known(earlier) == whole.known(earlier)


@settings(deadline=None, max_examples=80)
@given(charts(), charts(), moments)
def test_a_fact_recorded_later_never_changes_what_was_known_before(whole: Chart, other: Chart, at: datetime) -> None:
    """Whatever is added with a later recording, even a correction or an end, yesterday's chart stays."""
    added: dict[str, Any] = {}
    for kind in KINDS:
        late = [replace(fact, recorded=max(fact.recorded, at + HOUR)) for fact in getattr(other, kind)]
        ids = [replace(fact, id=f"{kind}-{index}") for index, fact in enumerate(getattr(whole, kind))]
        corrections = [replace(fact, id="", replaces=fact.id, recorded=at + DAY) for fact in ids]
        added[kind] = (*ids, *late, *corrections)
    first = {kind: added[kind][: len(getattr(whole, kind))] for kind in KINDS}
    assert replace(whole, **added).known(at) == replace(whole, **first).known(at)


def test_a_correction_takes_the_place_of_what_it_corrects_from_when_it_was_recorded() -> None:
    wrong = level(value=72.0, id="a")
    right = replace(wrong, id="b", replaces="a", recorded=NOON + 5 * HOUR, level_ng_ml=7.2)
    again = replace(right, id="", replaces="b", recorded=NOON + 9 * HOUR, level_ng_ml=7.4)
    whole = chart(levels=(wrong, right, again))
    known = [[one.level_ng_ml for one in whole.known(NOON + hours * HOUR).levels] for hours in (0, 4, 5, 8, 9)]
    assert known == [[72.0], [72.0], [7.2], [7.2], [7.4]]


@settings(deadline=None, max_examples=80)
@given(charts(retractions=True), moments)
def test_a_retracted_fact_is_known_until_the_retraction_was_recorded_and_not_after(whole: Chart, at: datetime) -> None:
    """The oracle is the rule itself, written as a count; what is known does not say that it will be retracted."""
    wanted = sum(
        max(one.at, one.recorded) <= at and not (one.retracted and one.retracted <= at) for one in facts(whole)
    )
    known = facts(whole.known(at))
    assert len(known) == wanted
    assert not [one for one in known if one.retracted is not None]


@settings(deadline=None, max_examples=80)
@given(charts(), moments, moments)
def test_a_retraction_recorded_later_never_changes_what_was_known_before(
    whole: Chart, one: datetime, other: datetime
) -> None:
    at, told = sorted((one, other))
    told += HOUR
    late: dict[str, Any] = {
        kind: tuple(replace(fact, retracted=max(told, fact.recorded)) for fact in getattr(whole, kind))
        for kind in KINDS
    }
    assert replace(whole, **late).known(at) == whole.known(at)


def test_the_newest_record_may_be_an_end_or_a_retraction() -> None:
    assert chart(levels=(level(),)).last_recorded == NOON
    assert chart(levels=(replace(level(), retracted=NOON + DAY),)).last_recorded == NOON + DAY
    ended = Therapy(at=NOON, recorded=NOON, stop=NOON + DAY, stop_recorded=NOON + 2 * DAY, drug="clarithromycin")
    assert chart(therapies=(ended,)).last_recorded == NOON + 2 * DAY


def test_a_correction_may_say_that_a_fact_happened_later() -> None:
    first = level(id="a")
    moved = replace(first, id="", replaces="a", at=NOON + DAY, recorded=NOON + HOUR)
    whole = chart(levels=(first, moved))
    assert [len(whole.known(NOON + hours * HOUR).levels) for hours in (0, 2, 24)] == [1, 0, 1]


def test_facts_without_an_id_are_never_taken_for_corrected() -> None:
    whole = chart(levels=(level(), level(1, replaces="nothing")))
    assert len(whole.known(NOON + DAY).levels) == 2


def test_an_end_is_known_when_it_has_come_and_was_recorded() -> None:
    therapy = Therapy(at=NOON, recorded=NOON, drug="clarithromycin", stop=NOON + 7 * DAY, stop_recorded=NOON + 9 * DAY)
    whole = chart(therapies=(therapy,))
    ends = [whole.known(NOON + days * DAY).therapies[0].stop for days in (1, 7, 8, 9)]
    assert ends == [None, None, None, NOON + 7 * DAY]
    planned = replace(therapy, stop_recorded=None)
    ends = [chart(therapies=(planned,)).known(NOON + days * DAY).therapies[0].stop for days in (6, 7)]
    assert ends == [None, NOON + 7 * DAY]


def test_a_prescription_for_tomorrow_is_not_taken_today() -> None:
    tomorrow = Prescription(at=NOON + DAY, recorded=NOON, regimen=daily(2))
    assert chart(prescriptions=(tomorrow,)).known(NOON).prescriptions == ()


# Instants


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_instants_are_kept_in_utc_so_that_differences_are_elapsed_time(zone: str) -> None:
    """Hazard H13: across each hour of a year, the local clock never changes what is subtracted."""
    clinic = ZoneInfo(zone)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    counts = [
        PlateletCount(at=(start + h * HOUR).astimezone(clinic), recorded=start.astimezone(clinic), count_10e9_l=30.0)
        for h in range(0, 366 * 24, 5)
    ]
    assert all(count.at.tzinfo is UTC and count.recorded.tzinfo is UTC for count in counts)
    assert {later.at - earlier.at for earlier, later in pairwise(counts)} == {5 * HOUR}


def test_the_two_half_past_twos_of_an_autumn_night_stay_apart() -> None:
    clinic = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 10, 25, 2, 30, tzinfo=clinic)
    first, second = (Level(at=night.replace(fold=f), recorded=night, level_ng_ml=7.0) for f in (0, 1))
    assert second.at - first.at == HOUR


@pytest.mark.parametrize("name", ["at", "recorded", "last_dose_at"])
def test_an_instant_without_a_zone_is_a_programming_error(name: str) -> None:
    naive: dict[str, Any] = {name: datetime(2026, 9, 1)}
    with pytest.raises(ValueError, match=f"Level.{name}"):
        replace(level(), **naive)


# What was taken


def test_a_prescription_lasts_until_its_stop_or_the_next() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 9, 1, tzinfo=berlin)
    first = Prescription(at=start, recorded=start, regimen=daily(2))
    second = Prescription(at=start + 3 * DAY, recorded=start, regimen=daily(1), stop=start + 5 * DAY)
    whole = chart(prescriptions=(second, first))
    until = start + 10 * DAY
    assert [stop for _, stop in whole.prescribed_spans(until)] == [start + 3 * DAY, start + 5 * DAY]
    assert [intake.amount_mg for intake in whole.intakes(until)] == [2, 2, 2, 1, 1]
    assert [intake.amount_mg for intake in whole.intakes(start + 2 * DAY)] == [2, 2]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_intakes_follow_the_clinics_clock_over_the_change(day: date, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime.combine(day - DAY, time(8), berlin)
    first, second = chart(prescriptions=(Prescription(at=start, recorded=start, regimen=daily(2)),)).intakes(
        start + timedelta(hours=30)
    )
    assert second.at - first.at == timedelta(hours=hours)


def test_a_recorded_dose_stands_in_for_the_planned_one_of_its_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 9, 1, tzinfo=berlin)
    prescription = Prescription(at=start, recorded=start, regimen=daily(2))
    late = Dose(at=start + timedelta(days=1, hours=13), recorded=start + 2 * DAY, amount_mg=1.0)
    missed = Dose(at=start + 2 * DAY, recorded=start + 3 * DAY, amount_mg=0.0, status=DoseStatus.MISSED)
    unsure = Dose(
        at=start + timedelta(days=3, hours=9), recorded=start + 4 * DAY, amount_mg=2.0, status=DoseStatus.UNCERTAIN
    )
    whole = chart(prescriptions=(prescription,), doses=(late, missed, unsure))
    found = [
        (i.at.astimezone(berlin).day, i.at.astimezone(berlin).hour, i.amount_mg) for i in whole.intakes(start + 5 * DAY)
    ]
    assert found == [(1, 8, 2), (2, 13, 1.0), (4, 9, 2.0), (5, 8, 2)]


@settings(deadline=None, max_examples=60)
@given(charts(), st.datetimes(datetime(2000, 6, 1), datetime(2010, 1, 1)))
def test_intakes_are_in_order_and_before_the_end(whole: Chart, until: datetime) -> None:
    end = until.replace(tzinfo=UTC)
    found = whole.intakes(end)
    assert [intake.at for intake in found] == sorted(intake.at for intake in found)
    assert all(intake.at < end and intake.amount_mg > 0 for intake in found)


def test_a_hold_is_no_dose_and_a_loading_dose_is_one() -> None:
    start = datetime(2026, 9, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    regimen = once(6).then(twice_daily(1).lasting(2)).then(hold(3)).then(daily(1))
    whole = chart(prescriptions=(Prescription(at=start, recorded=start, regimen=regimen),))
    assert [intake.amount_mg for intake in whole.intakes(start + 8 * DAY)] == [6, 1, 1, 1, 1, 1, 1]


# The patient


@settings(deadline=None)
@given(st.dates(date(1920, 1, 1), date(2026, 1, 1)), st.integers(0, 110), st.integers(0, 364))
def test_ages_are_exact_on_birthdays_and_grow_every_day(born: date, years: int, days: int) -> None:
    patient = Patient(id="P", born=born)
    leap = (born.month, born.day) == (2, 29)
    birthday = (
        date(born.year + years, 3, 1)
        if leap and not _is_leap(born.year + years)
        else born.replace(year=born.year + years)
    )
    assert patient.age_on(birthday) == years
    day = birthday + timedelta(days=days)
    today, tomorrow = patient.age_on(day), patient.age_on(day + DAY)
    assert today is not None
    assert tomorrow is not None
    assert years <= today < years + 1
    assert today < tomorrow


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def test_an_age_told_without_a_date_of_birth_moves_on() -> None:
    patient = Patient(id="P", age_years=5.0, age_at=date(2026, 1, 1))
    assert patient.age_on(date(2026, 1, 1)) == 5.0
    assert patient.age_on(date(2027, 1, 1)) == pytest.approx(6.0, abs=0.01)
    assert Patient(id="P").age_on(date(2026, 1, 1)) is None


def test_a_course_may_be_a_retreatment() -> None:
    first = Course(at=NOON, recorded=NOON, stop=NOON + 90 * DAY)
    again = Course(at=NOON + 200 * DAY, recorded=NOON + 200 * DAY, retreatment=True)
    assert [course.retreatment for course in chart(courses=(first, again)).known(NOON + 300 * DAY).courses] == [
        None,  # not recorded, which is not "no"
        True,
    ]
