# SPDX-License-Identifier: Apache-2.0
"""What one study does: the definitions, by fitting again without it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.pooling.bcg import K1, K2, N1, N2

from sirolens.engine.pooling.influence import baujat, cumulative, influence, leave_one_out
from sirolens.engine.pooling.random_effects import random_effects
from sirolens.engine.pooling.two_arm import counts_effect

LAST_DIGITS = 1e-10
Y, V = (found := counts_effect(K1, N1, K2, N2, "RR")).y, found.v


def test_leave_one_out_is_the_printed_range() -> None:
    # Oracle: a published reanalysis prints risk ratios of 0.452 to 0.533 without one trial each.
    found = [np.exp(fit.estimate) for fit in leave_one_out(Y, V, width="wald")]
    assert (min(found), max(found)) == (pytest.approx(0.452, abs=6e-4), pytest.approx(0.533, abs=6e-4))


def test_cumulative_ends_with_all_and_begins_with_the_first() -> None:
    found = cumulative(Y, V)
    assert (found[0].estimate, found[-1].interval) == (pytest.approx(Y[0]), random_effects(Y, V).interval)
    assert [fit.k for fit in found] == list(range(1, 14))


@pytest.mark.parametrize("method", ["EE", "REML", "DL"])
def test_diagnostics_are_their_definitions(method: str) -> None:
    whole, found = random_effects(Y, V, method=method, width="wald"), influence(Y, V, method=method)
    for i in range(13):
        keep = np.arange(13) != i
        rest = random_effects(Y[keep], V[keep], method=method, width="wald")
        moved = whole.estimate - rest.estimate
        assert found.residual[i] == pytest.approx(
            (Y[i] - rest.estimate) / np.sqrt(V[i] + rest.tau2 + rest.se[0] ** 2), rel=LAST_DIGITS
        )
        assert found.cook[i] == pytest.approx(moved**2 / whole.se[0] ** 2, rel=LAST_DIGITS)
        assert found.cov_ratio[i] == pytest.approx(rest.se[0] ** 2 / whole.se[0] ** 2, rel=LAST_DIGITS)
        assert found.dffits[i] == pytest.approx(moved / np.sqrt(whole.weights[i] * (rest.tau2 + V[i])), rel=LAST_DIGITS)
        assert found.tau2_without[i] == pytest.approx(rest.tau2, rel=LAST_DIGITS)
    assert found.hat.sum() == pytest.approx(1, rel=LAST_DIGITS)


def test_parts_of_baujat_sum_to_q_and_move_as_refitted() -> None:
    whole, found = random_effects(Y, V, method="EE", width="wald"), baujat(Y, V)
    assert found.heterogeneity.sum() == pytest.approx(whole.heterogeneity.q.statistic, rel=LAST_DIGITS)
    for i, rest in enumerate(leave_one_out(Y, V, method="EE", width="wald")):
        assert found.influence[i] == pytest.approx((whole.estimate - rest.estimate) ** 2 / rest.se[0] ** 2, rel=1e-8)


def test_one_study_has_no_influence() -> None:
    assert leave_one_out([0.1], [0.1]) == ()
    assert np.isnan(baujat([0.1], [0.1]).influence).all()
    assert np.isnan(influence([0.1, 0.2], [0.1, 0.1]).cook).all()
