# SPDX-License-Identifier: Apache-2.0
"""The algebra of regimens: its laws, its calendar across clock changes, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sirolens.errors import RegimenError
from sirolens.regimen import (
    Calendar,
    Intake,
    Regimen,
    alternate_days,
    cycle,
    daily,
    every,
    hold,
    once,
    taper,
    twice_daily,
    weekdays,
)
from tests.interop.strategies import doses_mg, ending, endless, regimens

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Apia",
    "America/St_Johns",
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
starts = st.builds(
    lambda local, zone: local.replace(second=0, microsecond=0, tzinfo=UTC).astimezone(zone),
    st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1)),
    zones,
)
spans = st.integers(1, 120).map(lambda days: timedelta(days=days))


def instants(intakes: tuple[Intake, ...]) -> list[datetime]:
    return [intake.at.astimezone(UTC) for intake in intakes]


def in_utc(intakes: tuple[Intake, ...]) -> list[tuple[datetime, float]]:
    return [(intake.at.astimezone(UTC), intake.amount_mg) for intake in intakes]


# Laws


@settings(deadline=None, max_examples=150)
@given(regimens(), starts, spans)
def test_intakes_come_in_order_and_inside_the_span(regimen: Regimen, start: datetime, span: timedelta) -> None:
    found = instants(regimen.intakes(start, start + span))
    assert found == sorted(found)
    assert all(start <= at < start + span for at in found)


@settings(deadline=None, max_examples=150)
@given(regimens(), starts, spans, st.integers(0, 120))
def test_a_longer_span_begins_with_the_shorter(regimen: Regimen, start: datetime, span: timedelta, more: int) -> None:
    shorter = in_utc(regimen.intakes(start, start + span))
    longer = in_utc(regimen.intakes(start, start + span + timedelta(days=more)))
    assert longer[: len(shorter)] == shorter
    assert all(at >= start + span for at, _ in longer[len(shorter) :])


@settings(deadline=None, max_examples=100)
@given(ending, ending, endless)
def test_then_is_associative(first: Regimen, second: Regimen, third: Regimen) -> None:
    assert first.then(second).then(third) == first.then(second.then(third))


@settings(deadline=None, max_examples=150)
@given(ending, endless, st.dates(date(2001, 1, 1), date(2030, 1, 1)), st.sampled_from(ZONES[:4]).map(ZoneInfo))
def test_then_is_the_first_until_its_days_are_over_and_the_second_from_there(
    first: Regimen, second: Regimen, day: date, zone: ZoneInfo
) -> None:
    """Oracle: the two parts expanded on their own, each from its own first day (zones that never skip midnight)."""
    days = first.days
    assert days is not None
    start, change = (datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, days))
    stop = change + timedelta(days=30)
    apart = in_utc(first.intakes(start, stop)) + in_utc(second.intakes(change, stop))
    assert in_utc(first.then(second).intakes(start, stop)) == apart


@settings(deadline=None, max_examples=100)
@given(regimens(), starts, st.integers(1, 40))
def test_lasting_keeps_exactly_the_first_calendar_days(regimen: Regimen, start: datetime, days: int) -> None:
    stop = start + timedelta(days=days + 20)
    end = start.date() + timedelta(days=days)
    wanted = [intake for intake in regimen.intakes(start, stop) if intake.at.date() < end]
    assert list(regimen.lasting(days).intakes(start, stop)) == wanted
    assert regimen.lasting(days).days == (days if regimen.days is None else min(days, regimen.days))


@settings(deadline=None, max_examples=100)
@given(regimens(), starts, st.sets(st.integers(0, 30), max_size=5))
def test_missing_takes_out_exactly_its_dates(regimen: Regimen, start: datetime, offsets: set[int]) -> None:
    dates = {start.date() + timedelta(days=offset) for offset in offsets}
    stop = start + timedelta(days=40)
    wanted = [intake for intake in regimen.intakes(start, stop) if intake.at.date() not in dates]
    assert list(regimen.missing(*dates).intakes(start, stop)) == wanted


@settings(deadline=None, max_examples=100)
@given(endless, starts)
def test_a_cycle_is_the_pattern_that_repeats(regimen: Regimen, start: datetime) -> None:
    """Oracle: the doses themselves, counted in a zone without clock changes."""
    found = cycle(regimen)
    begin = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
    if found is None:
        assert regimen == hold()
        return
    periods = 3
    intakes = regimen.intakes(begin, begin + timedelta(hours=found.period_h * periods))
    assert len(intakes) == periods * len(found.amount_mg)
    hours = [(intake.at - intakes[0].at).total_seconds() / 3600 for intake in intakes]
    wanted = [k * found.period_h + offset_h for k in range(periods) for offset_h in found.offset_h]
    assert hours == pytest.approx(wanted, abs=1e-6)
    assert [intake.amount_mg for intake in intakes] == list(found.amount_mg) * periods
    assert found.daily_mg == pytest.approx(sum(i.amount_mg for i in intakes) * 24 / (found.period_h * periods))
    assert found.scaled(2.0).daily_mg == pytest.approx(2.0 * found.daily_mg)


@settings(deadline=None)
@given(regimens())
def test_the_cycle_is_that_of_the_last_part(regimen: Regimen) -> None:
    assert cycle(once(6).then(regimen)) == cycle(regimen)


@settings(deadline=None)
@given(doses_mg, doses_mg, st.integers(1, 30), st.floats(0.0, 1.0))
def test_a_taper_goes_down_to_its_end_and_no_further(from_mg: float, step_mg: float, days: int, share: float) -> None:
    to_mg = round(from_mg * share, 3)
    assume(to_mg < from_mg - 1e-3)  # a step of less than a microgram is no step
    start = datetime(2026, 1, 1, tzinfo=UTC)
    steps = int((from_mg - to_mg) / step_mg) + 2
    assume(steps < 50)
    found = [
        i.amount_mg
        for i in taper(from_mg, step_mg=step_mg, every_days=days, to_mg=to_mg).intakes(
            start, start + timedelta(days=days * steps)
        )
    ]
    assert found[0] == from_mg
    assert found == sorted(found, reverse=True)
    assert min(found) >= to_mg
    assert (found[-1] == to_mg) if to_mg > 0 else (found[-1] <= step_mg + 1e-3)
    assert all(found.count(dose) >= days for dose in set(found) if dose != to_mg)


# The calendar


CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29), 23),
    ("Europe/Berlin", date(2026, 10, 25), 25),
    ("America/New_York", date(2026, 3, 8), 23),
    ("America/New_York", date(2026, 11, 1), 25),
    ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ("Asia/Shanghai", date(1986, 5, 4), 23),
    ("Asia/Shanghai", date(2026, 3, 29), 24),
    ("Pacific/Apia", date(2011, 12, 29), 24),
]


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES)
def test_daily_at_eight_stays_at_eight_and_hours_are_elapsed_time(zone: str, day: date, hours: float) -> None:
    clinic = ZoneInfo(zone)
    start = datetime.combine(day - timedelta(days=1), time(8), clinic)
    first, second = daily(2).intakes(start, start + timedelta(hours=30))
    assert (first.at.time(), second.at.time()) == (time(8), time(8))
    assert (second.at.astimezone(UTC) - first.at.astimezone(UTC)) == timedelta(hours=hours)


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES)
def test_every_24_h_is_elapsed_time_whatever_the_clock_says(zone: str, day: date, hours: float) -> None:
    clinic = ZoneInfo(zone)
    start = datetime.combine(day - timedelta(days=1), time(8), clinic)
    found = instants(every(2, 24).intakes(start, start + timedelta(days=4)))
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(hours=24)}


def test_a_clock_time_that_the_change_skips_is_taken_at_the_same_instant_after_it() -> None:
    clinic = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 12, tzinfo=clinic)
    (intake,) = daily(2, at=time(2, 30)).intakes(start, start + timedelta(hours=24))
    assert intake.at.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_clock_time_that_comes_twice_is_taken_once() -> None:
    clinic = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 25, tzinfo=clinic)
    assert len(daily(2, at=time(2, 30)).intakes(start, start + timedelta(hours=24))) == 1


def test_alternate_days_count_calendar_days_from_the_first() -> None:
    clinic = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 27, 8, tzinfo=clinic)
    found = alternate_days(2).intakes(start, start + timedelta(days=5))
    assert [intake.at.date().day for intake in found] == [27, 29, 31]


@pytest.mark.parametrize("offset", range(7))
def test_weekdays_are_weekdays_from_any_start(offset: int) -> None:
    start = datetime(2026, 9, 7, tzinfo=UTC) + timedelta(days=offset)
    found = weekdays(mon=2, wed=1, fri=2).intakes(start, start + timedelta(days=14))
    assert {(intake.at.weekday(), intake.amount_mg) for intake in found} == {(0, 2), (2, 1), (4, 2)}
    assert len(found) == 6


def test_the_order_in_which_clock_times_are_given_does_not_matter() -> None:
    morning, evening = time(8), time(20)
    assert twice_daily(1, 0.5, at=(morning, evening)) == twice_daily(0.5, 1, at=(evening, morning))
    assert cycle(twice_daily(1, at=(evening, morning))) == cycle(twice_daily(1, at=(morning, evening)))


def test_doses_by_the_hour_keep_the_clock_of_the_start_after_another_part() -> None:
    start = datetime(2026, 9, 1, 9, 30, tzinfo=UTC)
    found = once(6, at=time(9, 30)).then(every(2, 48)).intakes(start, start + timedelta(days=4))
    assert [intake.at.time() for intake in found] == [time(9, 30)] * 3


def test_the_day_of_the_start_is_day_one_even_when_its_dose_is_past() -> None:
    start = datetime(2026, 9, 1, 9, 30, tzinfo=UTC)
    found = alternate_days(2).intakes(start, start + timedelta(days=5))
    assert [intake.at.day for intake in found] == [3, 5]


# What is refused


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: daily(0), "regimen.dose-not-positive"),
        (lambda: daily(-1), "regimen.dose-not-positive"),
        (lambda: daily(float("nan")), "regimen.dose-not-positive"),
        (lambda: daily(float("inf")), "regimen.dose-not-positive"),
        (lambda: daily(2, every_days=0), "regimen.days-not-positive"),
        (lambda: twice_daily(1, 0), "regimen.dose-not-positive"),
        (lambda: weekdays(), "regimen.no-dose"),
        (lambda: weekdays(mon=-1), "regimen.dose-not-positive"),
        (lambda: every(2, 0), "regimen.interval-not-positive"),
        (lambda: every(2, float("nan")), "regimen.interval-not-positive"),
        (lambda: once(0), "regimen.dose-not-positive"),
        (lambda: hold(0), "regimen.days-not-positive"),
        (lambda: daily(2).lasting(0), "regimen.days-not-positive"),
        (lambda: daily(2).then(daily(1)), "regimen.then-after-endless"),
        (lambda: taper(2, step_mg=0.5, every_days=14, to_mg=2), "regimen.taper-not-downward"),
        (lambda: taper(2, step_mg=0, every_days=14), "regimen.dose-not-positive"),
        (lambda: taper(2, step_mg=1e-7, every_days=14), "regimen.step-too-small"),
        (lambda: taper(2, step_mg=0.5, every_days=0), "regimen.days-not-positive"),
        (lambda: daily(2).intakes(datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC)), "regimen.naive-time"),
    ],
)
def test_a_regimen_that_makes_no_sense_is_refused_by_name(make: object, code: str) -> None:
    assert callable(make)
    with pytest.raises(RegimenError) as refused:
        make()
    assert [message.code for message in refused.value.messages] == [code]


def test_a_calendar_without_a_dose_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="without a dose"):
        Calendar(pattern=((), ()))
