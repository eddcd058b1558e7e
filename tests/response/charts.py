# SPDX-License-Identifier: Apache-2.0
"""Invented charts for the tests of response: made by days, and drawn at random."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from sirolens.chart import Bleeding, BleedingAsked, Chart, Course, Patient, PlateletCount, Procedure, Therapy

ZONE = "Asia/Shanghai"
DAY_0 = date(2026, 1, 5)


def when(day: int, clock: str = "08:00", zone: str = ZONE) -> datetime:
    moment = datetime.fromisoformat(f"{DAY_0 + timedelta(days=day)}T{clock}")
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def count(day: int, value: float, clock: str = "08:00", known: int | None = None) -> PlateletCount:
    at = when(day, clock)
    return PlateletCount(at=at, recorded=at if known is None else when(known, "20:00"), count_10e9_l=value)


def asked(day: int, grade: int | None = 0, clock: str = "08:00") -> Bleeding:
    at = when(day, clock)
    if grade == 0:
        return Bleeding(at=at, recorded=at, asked=BleedingAsked.NONE)
    return Bleeding(at=at, recorded=at, asked=BleedingAsked.GRADED, grade=grade)


def therapy(
    drug: str,
    day: int,
    until: int | None = None,
    *,
    role: str = "itp",
    mg_d: float | None = None,
) -> Therapy:
    at = when(day, "09:00")
    stop = None if until is None else when(until + 1, "00:00")
    unit = None if mg_d is None else "mg/day"
    return Therapy(at=at, recorded=at, stop=stop, drug=drug, role=role, amount=mg_d, unit=unit)


def splenectomy(day: int) -> Procedure:
    at = when(day, "10:00")
    return Procedure(at=at, recorded=at, kind="splenectomy")


def chart(
    counts: list[tuple[int, float]] | tuple[PlateletCount, ...],
    *,
    bleedings: tuple[Bleeding, ...] | None = None,
    therapies: tuple[Therapy, ...] = (),
    procedures: tuple[Procedure, ...] = (),
    stop: int | None = None,
) -> Chart:
    """A course begun on day 0 at 08:00; bleeding was denied at every count unless told otherwise."""
    made = tuple(one if isinstance(one, PlateletCount) else count(*one) for one in counts)
    denied = tuple(Bleeding(at=one.at, recorded=one.recorded, asked=BleedingAsked.NONE) for one in made)
    course = Course(at=when(0), recorded=when(0), stop=None if stop is None else when(stop + 1, "00:00"))
    return Chart(
        patient=Patient(id="p", invented=True),
        zone=ZONE,
        courses=(course,),
        platelet_counts=made,
        bleedings=denied if bleedings is None else bleedings,
        therapies=therapies,
        procedures=procedures,
    )


clocks = st.sampled_from(["00:10", "08:00", "16:00", "23:50"])
values = st.sampled_from([5.0, 12.0, 29.0, 30.0, 45.0, 60.0, 99.0, 100.0, 150.0])
counts = st.builds(count, st.integers(-20, 420), values, clocks, st.none())
bleedings = st.builds(asked, st.integers(-20, 420), st.sampled_from([0, 0, 0, 1, 2, None]), clocks)
drugs = st.sampled_from(["immunoglobulin", "platelet-transfusion", "prednisone", "dexamethasone", "eltrombopag"])
therapies = st.builds(
    lambda drug, day, length, role, mg_d: therapy(drug, day, day + length, role=role, mg_d=mg_d),
    drugs,
    st.integers(-40, 380),
    st.integers(0, 100),
    st.sampled_from(["itp", "rescue", "cover"]),
    st.sampled_from([None, 5.0, 40.0]),
)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """A chart of up to a dozen counts on any day, with bleeding, other treatment and a stop."""
    return chart(
        tuple(draw(st.lists(counts, max_size=12))),
        bleedings=tuple(draw(st.lists(bleedings, max_size=12))),
        therapies=tuple(draw(st.lists(therapies, max_size=4))),
        procedures=tuple(draw(st.lists(st.builds(splenectomy, st.integers(1, 400)), max_size=1))),
        stop=draw(st.none() | st.integers(10, 300)),
    )
