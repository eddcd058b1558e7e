# SPDX-License-Identifier: Apache-2.0
"""Partial rank correlations and Sobol indices agree with closed forms; a law's quantiles keep to its range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, lognorm, pearsonr, rankdata, spearmanr

from sirolens.engine.sampling import latin_hypercube, normal, stream
from sirolens.errors import InputError
from sirolens.study.mechanism.sensitivity import (
    partial_rank_correlations,
    quantile_of,
    sobol_design,
    sobol_indices,
)

ROUNDING = 1e-9
SAMPLING = 0.05  # Sobol indices from 1,024 base points of a smooth function


def test_partial_rank_correlation_is_the_correlation_of_rank_residuals() -> None:
    # Oracle: Pearson's correlation of the residuals of two linear regressions on the ranks of the others (scipy).
    x = normal(stream(1, "prcc"), (300, 4))
    x[:, 1] += 0.8 * x[:, 0]
    y = x[:, 0] - 2.0 * x[:, 1] ** 3 + normal(stream(2, "prcc"), (300,))
    found = partial_rank_correlations(x, y, ("a", "b", "c", "d"))
    ranks, target = np.apply_along_axis(rankdata, 0, x), rankdata(y)
    for j in range(4):
        others = np.column_stack([np.ones(300), np.delete(ranks, j, axis=1)])
        left = [v - others @ np.linalg.lstsq(others, v, rcond=None)[0] for v in (ranks[:, j], target)]
        assert found[j].value == pytest.approx(pearsonr(*left).statistic, abs=ROUNDING)
        assert found[j].low < found[j].value < found[j].high


def test_with_one_input_it_is_spearmans() -> None:
    x = normal(stream(3, "prcc"), (80, 1))
    y = x[:, 0] + normal(stream(4, "prcc"), (80,))
    (one,) = partial_rank_correlations(x, y, ("a",))
    assert one.value == pytest.approx(spearmanr(x[:, 0], y).statistic, abs=ROUNDING)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_a_growing_transformation_of_an_input_changes_nothing(seed: int) -> None:
    x = normal(stream(seed, "prcc-property"), (60, 3))
    y = x @ [1.0, -0.5, 0.0] + normal(stream(seed, "prcc-noise"), (60,))
    moved = x.copy()
    moved[:, 0] = np.exp(moved[:, 0])
    before, after = (partial_rank_correlations(one, y, "abc") for one in (x, moved))
    assert [one.value for one in before] == pytest.approx([one.value for one in after], abs=ROUNDING)


def test_what_does_not_vary_has_no_correlation_and_too_few_patients_are_refused() -> None:
    x = np.column_stack([np.ones(50), np.arange(50.0)])
    found = partial_rank_correlations(x, np.arange(50.0) ** 2, ("a", "b"))
    assert np.isnan(found[0].value)
    assert found[1].value == pytest.approx(1.0)
    assert all(np.isnan(one.value) for one in partial_rank_correlations(x, np.zeros(50), ("a", "b")))
    with pytest.raises(InputError, match="too-few-patients"):
        partial_rank_correlations(x[:5], np.arange(5.0), ("a", "b"))


def test_sobol_indices_of_ishigamis_function() -> None:
    # Oracle: the closed form of Ishigami and Homma (1990), a = 7, b = 0.1.
    x = 2.0 * np.pi * sobol_design(3, 1024, seed=5) - np.pi
    y = np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = sobol_indices(y, ("a", "b", "c"), seed=1)
    assert [one.first for one in found] == pytest.approx([0.3139, 0.4424, 0.0], abs=SAMPLING)
    assert [one.total for one in found] == pytest.approx([0.5576, 0.4424, 0.2437], abs=SAMPLING)
    assert all(one.total_half > 0.0 for one in found)


def test_an_outcome_that_is_the_same_for_all_has_no_influence() -> None:
    assert [one.total for one in sobol_indices(np.ones(4 * 16), ("a", "b"), seed=1)] == [0.0, 0.0]


def test_quantiles_of_a_law_are_those_of_scipy_inside_its_range() -> None:
    p = np.linspace(0.05, 0.95, 7)
    wide = quantile_of("lognormal", 2.0, 0.4, 1e-9, 1e9, p)
    assert wide == pytest.approx(lognorm.ppf(p, 0.4, scale=2.0), rel=ROUNDING)
    assert quantile_of("beta", 0.4, 3.0, 0.0, 1.0, p) == pytest.approx(beta.ppf(p, 1.2, 1.8), rel=ROUNDING)
    cut = quantile_of("logitnormal", 0.4, 2.4, 0.2, 0.6, latin_hypercube(stream(1, "cut"), 64, 1)[:, 0])
    assert cut.min() >= 0.2
    assert cut.max() <= 0.6
