# SPDX-License-Identifier: Apache-2.0
"""Pooled comparisons say what they rest on. Studies are invented."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.pooling.bcg import K1, K2, N1, N2

from sirolens.engine.pooling.random_effects import random_effects
from sirolens.engine.pooling.stratified import mantel_haenszel
from sirolens.engine.pooling.two_arm import counts_effect, means_effect
from sirolens.errors import InputError
from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow
from sirolens.evidence.pool.comparison import compare
from sirolens.evidence.pool.pooled import Pooled

LAST_DIGITS = 1e-9
Counts = list[tuple[float, float, float, float]]


def _rows(counts: Counts) -> list[OutcomeRow]:
    rows = []
    for i, (k1, n1, k2, n2) in enumerate(counts):
        study = {"study": f"R{i:02}", "outcome": "OR", "timepoint": "6m", "criteria": "IWG 2009"}
        rows.append(OutcomeRow(**study, arm="sirolimus", role=ArmRole.TREATED, k=k1, n=n1))
        rows.append(OutcomeRow(**study, arm="ciclosporin", role=ArmRole.CONTROL, k=k2, n=n2))
    return rows


def _compared(counts: Counts, effect: str) -> Pooled:
    return compare(_rows(counts), outcome="OR", timepoint="6m", effect=effect)


def _codes(found: Pooled) -> set[str]:
    return {message.code for message in found.messages}


@pytest.mark.parametrize("effect", ["OR", "RR", "RD"])
def test_the_pool_is_that_of_the_kernels(effect: str) -> None:
    counts = list(zip(K1, N1, K2, N2, strict=True))
    found = _compared(counts, effect)
    sizes = counts_effect(K1, N1, K2, N2, effect)
    oracle = random_effects(sizes.y, sizes.v)
    shown = np.exp if effect != "RD" else float
    assert found.main is not None
    assert found.main.estimate == pytest.approx(shown(oracle.estimate), rel=LAST_DIGITS)
    assert found.main.interval.low == pytest.approx(shown(oracle.interval.low), rel=LAST_DIGITS)
    sums = mantel_haenszel(K1, N1, K2, N2, effect)
    assert found.line("mantel-haenszel").estimate == pytest.approx(shown(sums.estimate), rel=LAST_DIGITS)
    assert found.k == len(found.leave_one_out) == len(found.cumulative) == 13
    assert found.egger.reason is None
    assert (found.peters.reason is None) == (effect == "OR")


def test_two_trials_without_advantage_show_none_and_say_two() -> None:
    # The form of the two randomised comparisons with ciclosporin: 25/43 v 28/45 and 15/30 v 15/30.
    found = _compared([(25, 43, 28, 45), (15, 30, 15, 30)], "RR")
    assert found.main is not None
    assert found.main.interval.low < 1 < found.main.interval.high
    believed = found.line("half-normal")
    assert believed.interval.low < 1 < believed.interval.high
    assert {"pooling.two-studies", "pooling.prior-effect"} <= _codes(found)


def test_zero_cells_and_empty_studies_are_told() -> None:
    found = _compared([(0, 10, 3, 10), (0, 12, 0, 12), (4, 20, 6, 20)], "OR")
    assert [line.label for line in found.studies] == ["R00", "R02"]
    assert [line.corrected for line in found.studies] == [True, False]
    assert [(left.row.study, left.reason) for left in found.left] == [("R01", "no-information")]
    assert {"pooling.zero-cells", "pooling.left-no-information"} <= _codes(found)
    difference = _compared([(0, 12, 0, 12), (4, 20, 6, 20)], "RD")
    assert difference.k == 2
    assert "pooling.variance-corrected" in _codes(difference)


def test_arms_without_a_partner_are_left_and_two_controls_are_asked_about() -> None:
    rows = _rows([(5, 10, 4, 10), (6, 12, 3, 12)])
    found = compare(rows[:3], outcome="OR", timepoint="6m")
    assert [(left.row.study, left.reason) for left in found.left] == [("R01", "no-partner-arm")]
    assert found.main is None
    twice = OutcomeRow(
        study="R00", outcome="OR", timepoint="6m", arm="placebo", role=ArmRole.CONTROL, k=1, n=9, criteria="IWG 2009"
    )
    with pytest.raises(InputError) as asked:
        compare([*rows, twice], outcome="OR", timepoint="6m")
    assert asked.value.messages[0].code == "pooling.control-unclear"


def test_means_need_their_spread_and_one_unit() -> None:
    arm = {"outcome": "PLT", "timepoint": "6m", "criteria": "count", "unit": "10^9/L"}
    rows = []
    for i, (treated, control) in enumerate(
        [((80.0, 40.0, 20), (60.0, 35.0, 22)), ((95.0, 50.0, 31), (70.0, 42.0, 30))]
    ):
        for role, (mean, sd, n) in ((ArmRole.TREATED, treated), (ArmRole.CONTROL, control)):
            rows.append(OutcomeRow(study=f"M{i}", role=role, arm=role.value, mean=mean, sd=sd, n=n, **arm))
    found = compare(rows, outcome="PLT", timepoint="6m", effect="MD")
    oracle = means_effect([80.0, 95.0], [40.0, 50.0], [20, 31], [60.0, 70.0], [35.0, 42.0], [22, 30])
    assert found.main is not None
    assert found.main.estimate == pytest.approx(random_effects(oracle.y, oracle.v).estimate, rel=LAST_DIGITS)
    assert compare(rows, outcome="PLT", timepoint="6m", effect="SMD").k == 2
    with pytest.raises(InputError) as needed:
        compare(rows, outcome="PLT", timepoint="6m", effect="RR")
    assert {message.code for message in needed.value.messages} == {"pooling.effect-needs"}
    with pytest.raises(InputError) as nothing:
        compare([row for row in rows if row.role is ArmRole.TREATED], outcome="PLT", timepoint="6m", effect="MD")
    assert nothing.value.messages[0].code == "pooling.nothing-left"


def test_a_cumulative_comparison_begins_with_the_first_study_and_its_own_interval() -> None:
    found = _compared([(8, 20, 3, 21), (15, 30, 11, 29), (9, 18, 9, 17)], "OR")
    first = found.cumulative[0]
    assert (first.label, first.estimate) == (found.studies[0].label, found.studies[0].estimate)
    assert first.interval == found.studies[0].interval
    assert found.main is not None
    assert found.cumulative[-1].estimate == pytest.approx(found.main.estimate, rel=LAST_DIGITS)
