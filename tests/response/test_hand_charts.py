# SPDX-License-Identifier: Apache-2.0
"""Charts reasoned by hand through the public `verdict` (oracle: the cases of tests/response/hand)."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from sirolens.chart import Chart, PlateletCount
from sirolens.response.criteria import criteria_sets
from tests.response.hand_charts import Case, cases
from tests.response.hand_check import judged, wrong

CASES = cases()
AT_LEAST = 150


@pytest.mark.parametrize("case", CASES, ids=[f"{case.topic}-{case.id}" for case in CASES])
def test_a_chart_is_judged_as_reasoned_by_hand(case: Case) -> None:
    assert wrong(case) == []


def test_there_are_enough_cases_and_each_says_what_it_tests() -> None:
    assert len(CASES) >= AT_LEAST
    assert len({case.id for case in CASES}) == len(CASES)
    assert [case.id for case in CASES if not (case.clause and case.why and case.expect)] == []


def test_every_shipped_set_of_criteria_has_a_case() -> None:
    assert set(criteria_sets()) - {case.criteria for case in CASES} == set()


@pytest.mark.parametrize("topic", sorted({case.topic for case in CASES}))
def test_row_order_does_not_change_a_verdict(topic: str) -> None:
    shuffle = random.Random(3)
    for case in (one for one in CASES if one.topic == topic):
        kinds = {
            field.name: tuple(shuffle.sample(kind, len(kind)))
            for field in fields(Chart)
            if isinstance(kind := getattr(case.chart, field.name), tuple) and field.name != "courses"
        }
        shuffled = replace(case, chart=replace(case.chart, **kinds))
        assert wrong(shuffled) == []


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_the_viewers_zone_does_not_change_a_verdict(zone: str) -> None:
    assert [line for case in CASES for line in wrong(replace(case, at=case.at.astimezone(ZoneInfo(zone))))] == []


def test_splitting_a_visit_into_duplicates_does_not_change_a_verdict() -> None:
    for case in CASES:
        assert wrong(replace(case, chart=_doubled(case.chart))) == []


def _doubled(chart: Chart) -> Chart:
    """Every count that nobody corrected, written down a second time, without an id."""
    corrected = {count.replaces for count in chart.platelet_counts}
    again = [
        PlateletCount(at=count.at, recorded=count.recorded, count_10e9_l=count.count_10e9_l)
        for count in chart.platelet_counts
        if not count.id or count.id not in corrected
    ]
    return replace(chart, platelet_counts=(*chart.platelet_counts, *again))


@pytest.mark.parametrize("topic", sorted({case.topic for case in CASES}))
def test_what_is_recorded_later_does_not_reach_back(topic: str) -> None:
    for case in (one for one in CASES if one.topic == topic):
        before = judged(case)
        later = PlateletCount(
            at=case.at - timedelta(hours=1), recorded=case.at.astimezone(UTC) + timedelta(seconds=1), count_10e9_l=3.0
        )
        wiser = replace(case, chart=replace(case.chart, platelet_counts=(*case.chart.platelet_counts, later)))
        assert judged(wiser).state == before.state
        assert wrong(wiser) == []
