# SPDX-License-Identifier: Apache-2.0
"""Diagnostics: known answers, and standard normal NPDE under the true model."""

from __future__ import annotations

import numpy as np
from scipy import stats

from sirolens.models.diagnostics import npde, prediction_corrected_check, prediction_errors, shrinkage

# 600 deviates: a Kolmogorov-Smirnov p below this would happen once in a thousand seeds; the seed is fixed.
LEAST_P = 1e-3


def _correlated(stream: np.random.Generator, draws: int) -> np.ndarray:
    covariance = np.array([[1.0, 0.8, 0.5], [0.8, 2.0, 0.9], [0.5, 0.9, 1.5]])
    return np.asarray(stream.multivariate_normal([8.0, 7.0, 9.0], covariance, draws))


def test_errors_of_a_worked_example() -> None:
    errors = prediction_errors(np.array([10.0, 5.0, np.nan, 8.0]), np.array([12.0, 5.0, 3.0, 6.0]))
    assert errors is not None
    assert errors.n == 3
    np.testing.assert_allclose(errors.mpe_percent, (20.0 + 0.0 - 25.0) / 3)
    np.testing.assert_allclose(errors.mape_percent, 15.0)
    np.testing.assert_allclose(errors.rmse_ng_ml, np.sqrt((4.0 + 0.0 + 4.0) / 3))
    np.testing.assert_allclose(errors.within_20_percent, 200 / 3)


def test_no_pair_gives_no_summary() -> None:
    assert prediction_errors(np.array([np.nan]), np.array([1.0])) is None


def test_shrinkage_is_complete_when_every_estimate_is_typical() -> None:
    assert shrinkage(np.zeros((5, 2)), np.eye(2)).tolist() == [1.0, 1.0]


def test_npde_is_standard_normal_under_the_true_model_by_kolmogorov_smirnov() -> None:
    stream = np.random.default_rng(7)
    deviates = np.concatenate(
        [npde(_correlated(stream, 1)[0], _correlated(stream, 2000)) for _ in range(200)],
    )
    assert stats.kstest(deviates, "norm").pvalue > LEAST_P
    rows = deviates.reshape(-1, 3)
    assert np.abs(np.corrcoef(rows.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(200)


def test_npde_keeps_its_law_when_low_levels_are_censored() -> None:
    stream = np.random.default_rng(11)
    deviates = []
    for _ in range(300):
        own = stream.normal(8.0, 2.0, 1)
        below = own < 7.0
        deviates.append(
            npde(
                np.where(below, np.nan, own),
                stream.normal(8.0, 2.0, (2000, 1)),
                below=below,
                limit_ng_ml=np.array([7.0]),
                uniform=stream.uniform(size=1),
            )
        )
    assert stats.kstest(np.concatenate(deviates), "norm").pvalue > LEAST_P


def test_npde_sees_a_model_that_predicts_too_low() -> None:
    stream = np.random.default_rng(3)
    deviates = np.concatenate(
        [npde(_correlated(stream, 1)[0] + 2.0, _correlated(stream, 1000)) for _ in range(50)],
    )
    assert deviates.mean() > 0.5


def test_visual_check_covers_the_truth_in_most_bins() -> None:
    stream = np.random.default_rng(5)
    time = np.repeat(np.arange(1.0, 11.0), 40)
    predicted = 10.0 * np.exp(-0.1 * time)

    def draw() -> np.ndarray:
        return np.asarray(predicted * np.exp(stream.normal(0.0, 0.3, time.size)))

    check = prediction_corrected_check(time, draw(), predicted, np.array([draw() for _ in range(300)]), bins=5)
    inside = (check.observed >= check.simulated[:, :, 0]) & (check.observed <= check.simulated[:, :, 2])
    assert check.n.sum() == time.size
    # 15 intervals of 95 %: fewer than 12 inside would happen less than once in 200 seeds; the seed is fixed.
    assert inside.sum() >= 12


def test_equal_times_share_a_bin() -> None:
    check = prediction_corrected_check(np.full(6, 24.0), np.ones(6), np.ones(6), np.ones((4, 6)))
    assert check.n.tolist() == [6]
