# SPDX-License-Identifier: Apache-2.0
"""Groups and covariates of a pool are those of the kernels, in the units of readers. Studies are invented."""

from __future__ import annotations

import numpy as np
import pytest

from sirolens.engine.pooling.binomial_normal import binomial_normal
from sirolens.engine.pooling.meta_regression import meta_regression, subgroups
from sirolens.engine.pooling.random_effects import random_effects
from sirolens.engine.pooling.two_arm import counts_effect
from sirolens.errors import InputError
from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow
from sirolens.evidence.pool.comparison import compare
from sirolens.evidence.pool.moderators import by_group, over
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.pool.synthesis import pool

LAST_DIGITS = 1e-9
COUNTS = [(8, 11), (38, 45), (12, 16), (5, 15), (3, 20)]
GROUPS = {"S0": "children", "S1": "children", "S2": "children", "S3": "adults", "S4": "adults"}
YEAR = {"S0": 2014.0, "S1": 2016.0, "S2": 2018.0, "S3": 2020.0, "S4": 2024.0}


@pytest.fixture(scope="module")
def pooled() -> Pooled:
    rows = [
        OutcomeRow(study=f"S{i}", outcome="OR", timepoint="3m", k=k, n=n, criteria="IWG 2009")
        for i, (k, n) in enumerate(COUNTS)
    ]
    return pool(rows, outcome="OR", timepoint="3m")


def test_each_group_is_its_own_pool_and_they_are_compared(pooled: Pooled) -> None:
    found = by_group(pooled, GROUPS)
    assert found.names == ("children", "adults")
    first = found.lines[0]
    assert first is not None
    assert first.estimate == pytest.approx(binomial_normal([8, 38, 12], [11, 45, 16]).share, rel=LAST_DIGITS)
    assert found.between_groups == subgroups(pooled.y, pooled.v, list(GROUPS.values())).between_groups
    assert [[line.label for line in group] for group in found.studies] == [["S0", "S1", "S2"], ["S3", "S4"]]


def test_a_group_of_one_shows_no_pooled_line_and_the_left_out_are_told(pooled: Pooled) -> None:
    found = by_group(pooled, {"S0": "a", "S1": "a", "S2": "b"}, common=True)
    assert found.lines[1] is None
    codes = [message.code for message in found.messages]
    assert codes == ["pooling.no-covariate", "pooling.single-in-group", "pooling.groups-are-not-randomised"]
    assert found.messages[0].values["studies"] == ("S3", "S4")
    with pytest.raises(InputError, match="study-not-pooled"):
        by_group(pooled, {"S9": "a"})


def test_a_line_over_a_covariate_is_the_regression_as_shares(pooled: Pooled) -> None:
    found = over(pooled, YEAR)
    oracle = meta_regression(pooled.y, pooled.v, list(YEAR.values()))
    assert found.regression.fit.b.tolist() == oracle.fit.b.tolist()
    at = oracle.fit.b @ [1.0, 2014.0]
    assert found.y[0] == pytest.approx(1 / (1 + np.exp(-at)), rel=LAST_DIGITS)
    assert found.predictions[0].low <= found.intervals[0].low < found.y[0] < found.intervals[0].high <= 1
    assert [bubble.y for bubble in found.bubbles] == [k / n for k, n in COUNTS]
    assert sum(bubble.weight for bubble in found.bubbles) == pytest.approx(1)
    assert "pooling.few-per-covariate" in [message.code for message in found.messages]
    for few in ({"S0": 1.0, "S1": 2.0}, dict.fromkeys(YEAR, 5.0)):
        with pytest.raises(InputError, match="no-regression"):
            over(pooled, few)


def test_effects_of_two_arms_are_grouped_as_ratios() -> None:
    counts = [(5, 20, 9, 21), (8, 30, 12, 28), (3, 15, 6, 16), (10, 40, 11, 41)]
    rows = [
        OutcomeRow(study=f"R{i}", outcome="AE", timepoint="6m", k=k, n=n, role=role, arm=role.value, criteria="CTCAE 5")
        for i, (a, m, c, o) in enumerate(counts)
        for role, k, n in ((ArmRole.TREATED, a, m), (ArmRole.CONTROL, c, o))
    ]
    made = compare(rows, outcome="AE", timepoint="6m", effect="RR")
    found = by_group(made, {"R0": "x", "R1": "x", "R2": "y", "R3": "y"})
    sizes = counts_effect(*zip(*counts[:2], strict=True), effect="RR")
    line = found.lines[0]
    assert line is not None
    assert line.estimate == pytest.approx(np.exp(random_effects(sizes.y, sizes.v).estimate), rel=LAST_DIGITS)
    assert over(made, {"R0": 1.0, "R1": 2.0, "R2": 4.0, "R3": 3.0}).y[0] > 0
