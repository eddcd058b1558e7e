# SPDX-License-Identifier: Apache-2.0
"""Invented cohorts of any size, made by arithmetic: nobody's data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sirolens.chart import (
    AdverseEvent,
    Bleeding,
    BleedingAsked,
    CellCount,
    Chart,
    Course,
    Level,
    Patient,
    PlateletCount,
    Sex,
    Therapy,
)
from sirolens.response.cohort import Characteristic, CharacteristicKind, Cohort, Ethics, ReportedResponse
from sirolens.response.control import ControlSample

ZONE = "Asia/Shanghai"
START = datetime(2024, 1, 8, 0, 0, tzinfo=UTC)
CUT = datetime(2026, 1, 1, tzinfo=UTC)
VISITS = (14, 28, 56, 84, 91, 98, 140, 175, 182, 189, 301, 358, 365, 372)
GOLDEN = 0.6180339887498949  # spreads kinds over patients without any pattern in their numbers
GATE = "CD25+CD127low of CD4+"
COMPLETE = (130.0,) * len(VISITS)
RESPONSE = (60.0,) * len(VISITS)
NONE = (14.0,) * len(VISITS)
LOST = (*COMPLETE[:7], *NONE[7:])


def _at(start: datetime, day: float) -> datetime:
    return start + timedelta(days=day)


def chart(
    index: int,
    counts: Sequence[float],
    *,
    baseline: float | None = 10.0,
    start: datetime | None = None,
    bleeding: BleedingAsked | None = BleedingAsked.NONE,
    levels: Sequence[float] = (),
    full: bool = False,
) -> Chart:
    """One invented patient with counts at the first of `VISITS`."""
    begun = START + timedelta(days=index % 200) if start is None else start
    days = VISITS[: len(counts)]
    platelets = [
        PlateletCount(at=_at(begun, day), recorded=_at(begun, day), count_10e9_l=count)
        for day, count in zip(days, counts, strict=True)
    ]
    if baseline is not None:
        before = _at(begun, -2)
        platelets.insert(0, PlateletCount(at=before, recorded=before, count_10e9_l=baseline))
    asked = (
        ()
        if bleeding is None
        else tuple(Bleeding(at=_at(begun, day), recorded=_at(begun, day), asked=bleeding) for day in days)
    )
    drawn = tuple(
        Level(at=_at(begun, 10 + 30 * k), recorded=_at(begun, 10 + 30 * k), level_ng_ml=level)
        for k, level in enumerate(levels)
    )
    extra = _extra(index, begun) if full else {}
    return Chart(
        patient=Patient(
            id=f"P-{index + 1:04d}",
            sex=(Sex.FEMALE, Sex.MALE, Sex.FEMALE)[index % 3],
            age_years=20.0 + index % 50,
            age_at=date(2024, 1, 1),
            invented=True,
        ),
        zone=ZONE,
        courses=(Course(at=begun, recorded=begun),),
        platelet_counts=tuple(platelets),
        bleedings=asked,
        levels=drawn,
        **extra,
    )


def _extra(index: int, begun: datetime) -> dict[str, Any]:
    event = AdverseEvent(
        at=_at(begun, 20),
        recorded=_at(begun, 20),
        term="mucositis",
        grade=1 + index % 3,
        ctcae_version="5",
        related=True,
    )
    steroid = Therapy(at=_at(begun, -90), recorded=_at(begun, -90), stop=_at(begun, -60), drug="prednisone", role="itp")
    cells = tuple(
        CellCount(at=_at(begun, day), recorded=_at(begun, day), cell="treg", value=value, unit="%", gate=GATE)
        for day, value in ((-1, 4.0 + 0.07 * (index % 13)), (90, 5.1 + 0.05 * (index % 17)))
    )
    return {"adverse_events": (event,) if index % 4 == 0 else (), "therapies": (steroid,), "cell_counts": cells}


def mixed(count: int, *, full: bool = True) -> tuple[Chart, ...]:
    """Responders of all kinds and others, in turn."""
    kinds = (COMPLETE, RESPONSE, NONE, RESPONSE, LOST, NONE)
    return tuple(
        chart(
            i,
            kinds[int(i * GOLDEN % 1 * len(kinds))],
            levels=tuple(4.0 + (i * 7 + k * 3) % 13 for k in range(6)),
            full=full,
        )
        for i in range(count)
    )


def cohort(charts: Sequence[Chart], *, arms: int = 1, declared: bool = False) -> Cohort:
    """Put charts into a cohort, in so many arms."""
    ids = [one.patient.id for one in charts]
    characteristics: tuple[Characteristic, ...] = ()
    if declared:
        dependent = {one: index % 3 == 0 for index, one in enumerate(ids) if index % 7}
        lines = {one: float(1 + index % 4) for index, one in enumerate(ids)}
        characteristics = (
            Characteristic(
                name="steroid_dependent", kind=CharacteristicKind.YES_NO, values=dependent, title_zh="激素依赖"
            ),
            Characteristic(name="lines", kind=CharacteristicKind.NUMBER, values=lines, title="Lines"),
        )
    return Cohort(
        name="invented",
        title="An invented cohort",
        charts=tuple(charts),
        data_cut=CUT,
        arms={} if arms == 1 else {one: f"arm-{index % arms}" for index, one in enumerate(ids)},
        arm_titles={"arm-0": "First"},
        reported={ids[0]: (ReportedResponse(response="complete", written="CR", landmark_d=91),)} if ids else {},
        characteristics=characteristics,
        controls=tuple(
            ControlSample(id=f"C-{k}", cell="treg", value=5.0 + 0.1 * k, unit="%", gate=GATE) for k in range(8)
        ),
        ethics=Ethics(approval="invented"),
        invented=True,
    )


def _levels(index: int) -> tuple[float, ...]:
    return tuple(4.0 + (index * 7 + k * 3) % 13 for k in range(6))
