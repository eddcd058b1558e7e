# SPDX-License-Identifier: Apache-2.0
"""Random effects act as their definitions say."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.effects import LOG_NORMAL, LOGIT, NORMAL, apply_effects

ROUNDING = 1e-13


@settings(deadline=None)
@given(st.floats(0.001, 0.999), st.floats(-6, 6), st.sampled_from([LOG_NORMAL, NORMAL, LOGIT]))
def test_one_effect_is_its_definition(typical: float, eta: float, kind: int) -> None:
    # Oracle: the definitions with the standard library.
    index, code = np.array([0]), np.array([kind])
    found = float(apply_effects(np.array([typical]), np.array([[eta]]), index, code)[0, 0])
    if kind == LOG_NORMAL:
        expected = typical * math.exp(eta)
    elif kind == NORMAL:
        expected = typical + eta
    else:
        expected = 1.0 / (1.0 + math.exp(-(math.log(typical / (1.0 - typical)) + eta)))
    assert math.isclose(found, expected, rel_tol=ROUNDING, abs_tol=ROUNDING)


def test_a_parameter_without_effect_is_left_to_the_last_bit() -> None:
    typical = np.array([0.1, 0.2])
    found = apply_effects(typical, np.array([[1.0]]), np.array([0, -1]), np.array([0, 0]))
    assert found[0, 1] == 0.2


def test_a_batch_is_each_of_its_rows() -> None:
    random = np.random.default_rng(3)
    typical, eta = random.uniform(1, 2, size=(5, 3)), random.normal(size=(7, 2))
    index, code = np.array([1, -1, 0]), np.array([0, 0, 1])
    batch = apply_effects(typical, eta, index, code)
    assert batch.shape == (7, 5, 3)
    for i in range(7):
        for j in range(5):
            np.testing.assert_array_equal(batch[i, j], apply_effects(typical[j], eta[i : i + 1], index, code)[0])
