# SPDX-License-Identifier: Apache-2.0
"""Shifts of laboratory grades: each patient's grade before treatment against the worst on it, counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from sirolens.chart import Chart, Lab, Patient, PlateletCount, Prescription
from sirolens.regimen import daily
from sirolens.response.safety_labs import UNKNOWN, LabShift, lab_shifts

DAY_0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
CUT = DAY_0 + timedelta(days=180)


def at(day: float) -> datetime:
    return DAY_0 + timedelta(days=day)


def cholesterol(day: float, value: float, upper: float | None = 5.2) -> Lab:
    return Lab(at=at(day), recorded=at(day), name="cholesterol", value=value, unit="mmol/L", upper_normal=upper)


def patient(name: str, *labs: Lab, counts: tuple[tuple[float, float], ...] = (), stop: float | None = None) -> Chart:
    end = None if stop is None else at(stop)
    return Chart(
        patient=Patient(id=name, invented=True),
        zone="UTC",
        prescriptions=(Prescription(at=DAY_0, recorded=DAY_0, stop=end, stop_recorded=end, regimen=daily(2)),),
        labs=labs,
        platelet_counts=tuple(PlateletCount(at=at(day), recorded=at(day), count_10e9_l=value) for day, value in counts),
    )


def the(charts: list[Chart], term: str, version: str = "5") -> LabShift:
    return next(one for one in lab_shifts(charts, CUT, version=version) if one.term == term)


def test_each_patient_counts_once_under_the_worst_grade() -> None:
    charts = [
        patient("P-1", cholesterol(-3, 5.0), cholesterol(20, 6.0), cholesterol(50, 8.0), cholesterol(80, 5.0)),
        patient("P-2", cholesterol(-3, 6.0), cholesterol(20, 6.5)),
        patient("P-3", cholesterol(-3, 5.0), cholesterol(20, 11.0)),
        patient("P-4", cholesterol(30, 6.0)),
        patient("P-5", cholesterol(-3, 5.0)),
    ]
    found = the(charts, "Cholesterol high")
    expected = np.zeros((6, 6), dtype=np.int64)
    expected[0, 2] = expected[1, 1] = expected[0, 3] = expected[UNKNOWN, 1] = 1
    np.testing.assert_array_equal(found.table, expected)
    assert (found.patients, found.worsened, found.worsened_severe, found.version) == (4, 2, 1, "5")


def test_a_grade_that_cannot_be_told_is_counted_as_that_with_its_reason() -> None:
    found = the([patient("P-1", cholesterol(-3, 5.0), cholesterol(20, 6.0, upper=None))], "Cholesterol high")
    assert found.table[0, UNKNOWN] == 1
    assert found.reasons == {"upper-normal-missing": 1}
    mixed = [patient("P-1", cholesterol(-3, 5.0), cholesterol(20, 6.0, upper=None), cholesterol(40, 5.0))]
    assert the(mixed, "Cholesterol high").table[0, UNKNOWN] == 1  # a sound value does not clear the unknown one
    worse = [patient("P-1", cholesterol(-3, 5.0), cholesterol(20, 6.0, upper=None), cholesterol(40, 8.0))]
    assert the(worse, "Cholesterol high").table[0, 2] == 1


def test_low_platelets_of_itp_are_no_event_unless_they_fall_a_grade() -> None:
    charts = [
        patient("P-1", counts=((-1, 12), (30, 10), (60, 40))),
        patient("P-2", counts=((-1, 60), (30, 20))),
    ]
    found = the(charts, "Platelet count decreased")
    assert (found.table[4, 4], found.table[2, 4], found.worsened, found.worsened_severe) == (1, 1, 1, 1)
    newer = the(charts, "Thrombocytopenia", version="6")
    assert (newer.table[3, 3], newer.table[2, 3], newer.worsened) == (1, 1, 1)


def test_values_after_treatment_do_not_count() -> None:
    assert lab_shifts([patient("P-1", cholesterol(60, 8.0), stop=30)], CUT, version="5") == ()


def test_a_baseline_above_normal_is_graded_against_itself() -> None:
    def alt(day: float, value: float) -> Lab:
        return Lab(at=at(day), recorded=at(day), name="alt", value=value, unit="U/L", upper_normal=40.0)

    charts = [patient("P-1", alt(-1, 100), alt(30, 140)), patient("P-2", alt(-1, 100), alt(30, 160))]
    found = the(charts, "Alanine aminotransferase increased")
    assert (found.table[0, 0], found.table[0, 1], found.worsened) == (1, 1, 1)
