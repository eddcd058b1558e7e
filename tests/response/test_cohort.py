# SPDX-License-Identifier: Apache-2.0
"""A cohort keeps its charts apart, its data cut in UTC, and says which statements of ethics are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sirolens.chart import Chart, Patient, PlateletCount
from sirolens.response.cohort import Cohort, Ethics

CUT = datetime(2026, 6, 30, tzinfo=UTC)


def chart(name: str) -> Chart:
    late = CUT + timedelta(days=1)
    counts = tuple(PlateletCount(at=at, recorded=at, count_10e9_l=30.0) for at in (CUT, late))
    return Chart(patient=Patient(id=name, invented=True), zone="UTC", platelet_counts=counts)


def test_ids_are_unique() -> None:
    with pytest.raises(ValueError, match="same id"):
        Cohort(name="x", title="X", charts=(chart("P-1"), chart("P-1")), data_cut=CUT)


def test_the_data_cut_has_a_time_zone_and_limits_what_is_known() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Cohort(name="x", title="X", charts=(), data_cut=CUT.replace(tzinfo=None))
    there = timezone(timedelta(hours=8))
    cohort = Cohort(name="x", title="X", charts=(chart("P-1"),), data_cut=CUT.astimezone(there))
    assert cohort.data_cut.tzinfo is UTC
    assert [len(one.platelet_counts) for one in cohort.known()] == [1]
    assert len(cohort.charts[0].platelet_counts) == 2


def test_missing_statements_of_ethics_are_named() -> None:
    assert Ethics().missing == ("approval", "registration", "consent")
    assert Ethics(approval="a", registration="b", consent="c").missing == ()
