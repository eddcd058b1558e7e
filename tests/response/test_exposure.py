# SPDX-License-Identifier: Apache-2.0
"""Exposure is what expanding every dose gives, also where clocks change, and each regimen is expanded once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import Chart, Patient, Prescription
from sirolens.regimen import Calendar, Every, Regimen, daily, once
from sirolens.response.exposure import LAST_DOSE_LASTS, exposure

SUM = 1e-9
"""Doses are added in another order."""
BERLIN = ZoneInfo("Europe/Berlin")
REGIMENS: tuple[Regimen, ...] = (
    daily(2),
    Calendar(pattern=(((time(2, 30), 1.0),), ())),
    Calendar(pattern=(((time(7), 1.0), (time(19), 0.5)), (), ((time(23, 59), 2.0),))),
    Calendar(pattern=tuple((((time(8), 1.5),) if day in (0, 3) else ()) for day in range(7)), weekly=True),
    Every(amount_mg=1.0, interval_h=36.0),
    once(6).then(daily(2)),
    daily(2).lasting(9),
)


def chart(name: str, prescriptions: list[tuple[Regimen, datetime, float | None]]) -> Chart:
    return Chart(
        patient=Patient(id=name, invented=True),
        zone="Europe/Berlin",
        prescriptions=tuple(
            Prescription(
                at=at,
                recorded=at,
                regimen=regimen,
                stop=None if days is None else at + timedelta(days=days),
            )
            for regimen, at, days in prescriptions
        ),
    )


STARTS = st.builds(
    lambda day, minute: datetime(2025, 3, 20, tzinfo=UTC) + timedelta(days=day, minutes=minute),
    st.integers(0, 230),
    st.integers(0, 24 * 60 - 1),
)
PRESCRIBED = st.lists(
    st.tuples(st.sampled_from(REGIMENS), STARTS, st.one_of(st.none(), st.floats(0.2, 60.0))), min_size=1, max_size=3
)


@settings(deadline=None, max_examples=60)
@given(st.lists(PRESCRIBED, min_size=1, max_size=4), st.integers(40, 300))
def test_it_is_what_every_single_dose_comes_to(
    patients: list[list[tuple[Regimen, datetime, float | None]]], days: int
) -> None:
    # Oracle: the chart's own expansion into single doses.
    cut = datetime(2025, 3, 20, tzinfo=UTC) + timedelta(days=days, hours=5)
    charts = [chart(f"P-{number}", prescribed) for number, prescribed in enumerate(patients)]
    found = exposure(charts, cut)
    for index, one in enumerate(charts):
        known = one.known(cut)
        doses = [intake for intake in known.intakes(cut) if intake.amount_mg > 0]
        assert found.dose_mg[index] == pytest.approx(sum(dose.amount_mg for dose in doses), abs=SUM)
        assert found.start[index] == (doses[0].at if doses else None)
        if doses:
            running = any(stop == cut for _, stop in known.prescribed_spans(cut))
            assert found.end[index] == (cut if running else min(cut, doses[-1].at + LAST_DOSE_LASTS))


def test_patients_on_one_regimen_for_one_time_share_its_expansion() -> None:
    starts = [datetime(2025, 6, 1, 8, tzinfo=BERLIN) + timedelta(days=day) for day in range(50)]
    charts = [chart(f"P-{n}", [(daily(2), at, 30.0)]) for n, at in enumerate(starts)]
    found = exposure(charts, datetime(2025, 12, 1, tzinfo=UTC))
    assert set(found.dose_mg.tolist()) == {60.0}
    assert found.start == tuple(at.astimezone(UTC) for at in starts)
