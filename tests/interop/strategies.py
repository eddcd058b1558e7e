# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: regimens and whole charts whose values lie in the windows of the border."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from sirolens import chart as words
from sirolens import regimen as r
from sirolens.interop.instants import start_of_day
from sirolens.interop.measurements import LABS
from sirolens.units import CANONICAL

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "UTC")
BEGIN = datetime(2001, 1, 1, tzinfo=UTC)
MINUTES = 25 * 365 * 24 * 60

doses_mg = st.one_of(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0]), st.floats(0.05, 40.0))
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]), st.sampled_from([0, 0, 30]))
answers = st.sampled_from([None, True, False])
calendar_days = st.dates(date(2001, 1, 1), date(2025, 12, 31))


def _weekdays(amounts: list[float], at: time) -> r.Regimen:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return r.weekdays(at=at, **dict(zip(names, amounts, strict=True)))


endless = st.one_of(
    st.builds(lambda mg, at, n: r.daily(mg, at=at, every_days=n), doses_mg, clocks, st.integers(1, 10)),
    st.builds(
        lambda a, b, at: r.twice_daily(a, b, at=at),
        doses_mg,
        doses_mg,
        st.tuples(clocks, clocks).filter(lambda c: c[0] != c[1]),
    ),
    st.builds(_weekdays, st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=7, max_size=7).filter(any), clocks),
    st.builds(r.every, doses_mg, st.integers(4, 200).map(float)),
    st.builds(
        lambda days: r.Calendar(pattern=tuple(tuple(day) for day in days)),
        st.lists(st.lists(st.tuples(clocks, doses_mg), max_size=3), min_size=1, max_size=5).filter(any),
    ),
    st.just(r.hold()),
)
ending = st.one_of(
    st.builds(lambda whole, days: whole.lasting(days), endless, st.integers(1, 100)),
    st.builds(lambda mg, at: r.once(mg, at=at), doses_mg, clocks),
    st.builds(r.hold, st.integers(1, 60)),
)


@st.composite
def regimens(draw: st.DrawFn) -> r.Regimen:
    parts = draw(st.lists(ending, max_size=3))
    whole: r.Regimen = draw(st.one_of(endless, ending))
    for part in reversed(parts):
        whole = part.then(whole)
    if draw(st.booleans()):
        whole = whole.missing(*draw(st.lists(calendar_days, min_size=1, max_size=3)))
    if draw(st.booleans()):
        whole = whole.lasting(draw(st.integers(1, 400)))
    return whole


@cache
def _value(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False).map(lambda value: round(value, 6))


@cache  # a strategy made anew for every fact of every chart costs more than what it draws
def _one_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


@cache
def _up_to(most: int, least: int = 0) -> st.SearchStrategy[int]:
    return st.integers(least, most)


patients = st.builds(
    words.Patient,
    id=st.sampled_from(["P-1", "病例7"]),
    sex=st.sampled_from(words.Sex),
    age_years=st.floats(0.0, 120.0),
    age_at=calendar_days,
    population=st.sampled_from([None, "chinese"]),
    diagnosis=st.sampled_from(["primary-itp", "secondary-itp", "evans"]),
    invented=st.booleans(),
)
quantifications, dose_states = st.sampled_from(words.Quantification), st.sampled_from(words.DoseStatus)
starting_days = st.lists(calendar_days, max_size=3, unique=True)


@st.composite
def charts(draw: st.DrawFn, *, retractions: bool = False) -> words.Chart:
    """A chart that the border reads without a fault; some facts are retracted where that is asked for."""
    zone = draw(_one_of(*ZONES))
    instants: set[int] = set()

    def instant() -> datetime:
        """No two facts happen in the same minute."""
        minute = draw(_up_to(MINUTES))
        while minute in instants:
            minute += 1
        instants.add(minute)
        return BEGIN + timedelta(minutes=minute, seconds=draw(_one_of(0, 0, 7)))

    def moments(count: int) -> list[dict[str, Any]]:
        found = []
        for _ in range(draw(_up_to(count))):
            at = instant()
            later = at + timedelta(minutes=draw(_one_of(0, 0, 600, 100_000)))
            found.append({"at": at, "recorded": later})
            if retractions and draw(st.booleans()):
                found[-1]["retracted"] = later + timedelta(minutes=draw(_one_of(0, 1, 600, 100_000)))
        return found

    def lasting(count: int) -> list[dict[str, Any]]:
        found = moments(count)
        for one in found:
            if draw(st.booleans()):
                one["stop"] = one["at"] + timedelta(hours=draw(_up_to(9999, 1)))
                one["stop_recorded"] = one["stop"] + timedelta(hours=3) if draw(st.booleans()) else None
        return found

    levels = [
        words.Level(
            **moment,
            level_ng_ml=draw(_value(0.5, 300.0)),
            quantification=draw(quantifications),
            assay=draw(_one_of("cmia", "lc-ms/ms", "unknown")),
            last_dose_at=moment["at"] - timedelta(hours=23, minutes=40) if draw(st.booleans()) else None,
            excluded=draw(_one_of(None, "line contamination", "采血管错误")),
        )
        for moment in moments(3)
    ]
    labs = []
    for moment in moments(3):
        lab = LABS[draw(_one_of(*sorted(LABS)))]
        labs.append(
            words.Lab(**moment, name=lab.name, value=draw(_value(*lab.plausible)), unit=CANONICAL[lab.quantity])
        )
    return words.Chart(
        patient=draw(patients),
        zone=zone,
        prescriptions=draw(_prescriptions(ZoneInfo(zone))),
        doses=_sorted(words.Dose(**m, amount_mg=draw(doses_mg), status=draw(dose_states)) for m in moments(3)),
        levels=_sorted(levels),
        platelet_counts=_sorted(words.PlateletCount(**m, count_10e9_l=draw(_value(0.0, 5000.0))) for m in moments(2)),
        labs=_sorted(labs),
        therapies=_sorted(words.Therapy(**m, drug="clarithromycin") for m in lasting(2)),
        courses=_sorted(words.Course(**m, retreatment=draw(answers)) for m in lasting(1)),
        consents=_sorted(words.Consent(**m, scope="research", given=draw(st.booleans())) for m in lasting(1)),
        adverse_events=_sorted(
            words.AdverseEvent(**m, term="rash", serious=draw(answers), related=draw(answers)) for m in lasting(2)
        ),
        bleedings=_sorted(words.Bleeding(**m, asked=words.BleedingAsked.NOT_ASKED) for m in moments(1)),
    )


def _sorted(facts: Any) -> tuple[Any, ...]:
    return tuple(sorted(facts, key=lambda fact: fact.at))


@st.composite
def _prescriptions(draw: st.DrawFn, zone: ZoneInfo) -> tuple[words.Prescription, ...]:
    """Prescriptions one after the other, the first of them a stated steady dose, so that any level has doses."""
    days = sorted(draw(starting_days))
    starts = [start_of_day(date(2000, 5, 1), zone), *(start_of_day(day, zone) for day in days)]
    found = []
    for index, start in enumerate(starts):
        stop = start + timedelta(hours=12) if draw(st.booleans()) else None
        found.append(
            words.Prescription(
                at=start,
                recorded=start,
                regimen=draw(regimens()),
                since_about=index == 0,
                form=draw(_one_of("tablet", "solution", "unknown")),
                stop=stop,
            )
        )
    return tuple(found)
