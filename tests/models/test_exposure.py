# SPDX-License-Identifier: Apache-2.0
"""Troughs behind a saturable absorption. Oracle: the sum over boluses and exponentials, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from sirolens.engine.saturable import periodic_input
from sirolens.models.catalog import load
from sirolens.models.covariates import typical
from sirolens.models.exposure import Modes, disposition_modes, saturable_troughs
from sirolens.models.population import individual
from sirolens.regimen import Cycle

ROUNDING = 1e-12  # some hundred terms of one sign in another order
WU = load("wu_2012")


def modes() -> Modes:
    eta = np.random.default_rng(1).normal(0.0, 0.5, (20, len(WU.eta_names)))
    return disposition_modes(WU, individual(WU, typical(WU, {"HCT": [38.0]})[0], eta))


def written_out(found: Modes, cycle: Cycle) -> np.ndarray:
    assert WU.saturable is not None
    before_h = np.array(cycle.offset_h)
    time_h, amount_mg = periodic_input(
        cycle.period_h, cycle.offset_h, cycle.amount_mg, WU.saturable.vmax_mg_h, WU.saturable.km_mg, before_h
    )
    since_h = (before_h[:, None] - time_h) % cycle.period_h
    since_h[since_h == 0.0] = cycle.period_h
    rate, weight = found.rate_per_h[:, None, :, None], found.weight_ng_ml_per_mg[:, None, :, None]
    each = weight * np.exp(-rate * since_h[None, :, None, :]) / (1 - np.exp(-rate * cycle.period_h))
    return np.asarray((each * amount_mg).sum(axis=(2, 3)))


@pytest.mark.parametrize("offset_h", [(0.0,), (0.0, 12.0), (0.0, 8.0)])
def test_troughs_of_many_doses_from_one_disposition_equal_the_sum_written_out(offset_h: tuple[float, ...]) -> None:
    assert WU.saturable is not None
    found = modes()
    for dose_mg in (0.5, 1.0, 2.0, 6.0, 20.0, 2.0):  # the last one again: what was kept is still right
        cycle = Cycle(period_h=24.0, offset_h=offset_h, amount_mg=(dose_mg,) * len(offset_h))
        np.testing.assert_allclose(
            saturable_troughs(WU.saturable, found, cycle), written_out(found, cycle), rtol=ROUNDING
        )
