# SPDX-License-Identifier: Apache-2.0
"""The variance of a residual is that of its definition."""

from __future__ import annotations

import numpy as np
import pytest

from sirolens.models.residual import KIND, Residual, sd, variance

FOUR_SIGMA = 4.0  # of the sample variance of 200,000 draws, which is 0.3 % of it
DRAWS = 200_000


@pytest.mark.parametrize(
    "residual",
    [
        Residual(kind="additive", additive_ng_ml=1.9),
        Residual(kind="proportional", proportional=0.22),
        Residual(kind="combined", additive_ng_ml=0.5, proportional=0.147),
        Residual(kind="log", log_sd=0.299),
    ],
    ids=lambda residual: residual.kind,
)
def test_simulated_scatter_has_the_stated_variance(residual: Residual) -> None:
    # Oracle: the definition of each kind, drawn.
    f = 8.0
    e1, e2 = np.random.default_rng(20).normal(size=(2, DRAWS))
    if residual.on_log_scale:
        seen = np.log(f * np.exp(residual.log_sd * e1)) - np.log(f)
    else:
        seen = f * (1.0 + residual.proportional * e1) + residual.additive_ng_ml * e2 - f
    expected = float(variance(residual, np.array(f)))
    assert seen.var() == pytest.approx(expected, rel=FOUR_SIGMA * np.sqrt(2.0 / DRAWS))
    assert float(sd(residual, np.array(f))) == pytest.approx(np.sqrt(expected))


def test_kernels_know_the_kinds_by_number() -> None:
    assert {kind: Residual(kind=kind).code for kind in KIND} == {
        "additive": 0,
        "proportional": 1,
        "combined": 2,
        "log": 3,
    }


def test_shapes_are_kept() -> None:
    assert variance(Residual(kind="log", log_sd=0.3), np.ones((2, 3))).shape == (2, 3)
