# SPDX-License-Identifier: Apache-2.0
"""Pooled effects, their intervals and the scatter between studies are those of their formulas and of printed tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t
from statsmodels.stats.meta_analysis import combine_effects
from tests.engine.pooling.bcg import K1, K2, N1, N2

from sirolens.engine.pooling.random_effects import predicted, prediction_interval, random_effects
from sirolens.engine.pooling.single_arm import scaled
from sirolens.engine.pooling.two_arm import counts_effect
from sirolens.engine.statistics.interval import Undefined

LAST_DIGITS = 1e-11
PRINTED = 6e-4
TWO = scaled([12, 73], [20, 86])
Y, V = (found := counts_effect(K1, N1, K2, N2, "OR")).y, found.v
Y_RR, V_RR = (found := counts_effect(K1, N1, K2, N2, "RR")).y, found.v


def test_two_reports_by_knapp_and_hartung_say_nothing() -> None:
    # Oracle: the anchor computed outside for 12/20 and 73/86 (logit, REML, Knapp and Hartung): 1.11, -7.26 to 9.48.
    fit = random_effects(TWO.y, TWO.v)
    assert (round(fit.estimate, 2), round(fit.interval.low, 2), round(fit.interval.high, 2)) == (1.11, -7.26, 9.48)
    assert prediction_interval(fit).reason is Undefined.TOO_FEW
    assert prediction_interval(fit, "t(k-1)").reason is None


def test_printed_tables_of_the_vaccine_trials() -> None:
    # Oracle: van Houwelingen 2002, odds ratios: equal effects 0.647 (0.595 to 0.703), ML 0.476 (0.336 to 0.675);
    # published reanalyses, risk ratio by REML: 0.489 (0.344 to 0.696), Q 152.23, I2 92.2 %, prediction 0.155 to 1.549.
    equal = random_effects(Y, V, method="EE", width="wald")
    ml = random_effects(Y, V, method="ML", width="wald")
    for fit, printed in ((equal, (0.647, 0.595, 0.703)), (ml, (0.476, 0.336, 0.675))):
        told = np.exp([fit.estimate, fit.interval.low, fit.interval.high])
        assert told == pytest.approx(printed, abs=1.1e-3)  # the paper rounds its logarithms before
    rr = random_effects(Y_RR, V_RR, width="wald")
    assert np.exp([rr.estimate, rr.interval.low, rr.interval.high]) == pytest.approx((0.489, 0.344, 0.696), abs=PRINTED)
    prediction = prediction_interval(rr, "z")
    assert np.exp([prediction.low, prediction.high]) == pytest.approx((0.155, 1.549), abs=PRINTED)
    assert rr.heterogeneity.q.statistic == pytest.approx(152.23, abs=6e-3)
    assert rr.heterogeneity.i2_tau2 == pytest.approx(0.922, abs=PRINTED)


def test_dersimonian_and_laird_with_both_widths_is_statsmodels() -> None:
    oracle = combine_effects(Y, V, method_re="dl")
    wald, hk = (random_effects(Y, V, method="DL", width=width) for width in ("wald", "knapp-hartung"))
    assert wald.estimate == pytest.approx(oracle.mean_effect_re, rel=LAST_DIGITS)
    assert wald.se[0] == pytest.approx(oracle.sd_eff_w_re, rel=LAST_DIGITS)
    assert hk.se[0] == pytest.approx(oracle.sd_eff_w_re_hksj, rel=LAST_DIGITS)
    assert wald.heterogeneity.i2_q == pytest.approx(oracle.i2, rel=LAST_DIGITS)
    assert wald.heterogeneity.h2_q == pytest.approx(oracle.h2, rel=LAST_DIGITS)
    # With this estimator, and only with it, both definitions of I2 are one.
    assert wald.heterogeneity.i2_tau2 == pytest.approx(wald.heterogeneity.i2_q, rel=LAST_DIGITS)


def test_intervals_are_their_formulas() -> None:
    # Oracle: written out with scipy's quantiles.
    tau2 = 0.25
    w = 1 / (V + tau2)
    mean, se = (w @ Y) / w.sum(), 1 / np.sqrt(w.sum())
    scale = np.sqrt(w @ (Y - mean) ** 2 / 12)
    wald, hk, floor = (
        random_effects(Y, V, tau2=tau2, width=width) for width in ("wald", "knapp-hartung", "knapp-hartung-floor")
    )
    assert wald.interval.high == pytest.approx(mean + norm.ppf(0.975) * se, rel=LAST_DIGITS)
    assert hk.interval.high == pytest.approx(mean + t.ppf(0.975, 12) * se * scale, rel=LAST_DIGITS)
    assert floor.interval.high == pytest.approx(mean + t.ppf(0.975, 12) * se * max(1, scale), rel=LAST_DIGITS)
    assert wald.tests[0].p_value == pytest.approx(2 * norm.sf(abs(mean / se)), rel=LAST_DIGITS)
    for spread, q in (("z", norm.ppf(0.975)), ("t(k-1)", t.ppf(0.975, 12)), ("t(k-2)", t.ppf(0.975, 11))):
        half = q * np.sqrt(tau2 + se**2)
        assert prediction_interval(wald, spread).low == pytest.approx(mean - half, rel=LAST_DIGITS)
    about, ahead = predicted(wald, [1.0])
    assert (about, ahead) == (wald.interval, prediction_interval(wald))


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=3, max_size=8),
    st.sampled_from(["wald", "knapp-hartung", "knapp-hartung-floor"]),
    st.floats(0.2, 5),
)
@settings(deadline=None, max_examples=50)
def test_scale_order_and_floor(pairs: list[tuple[float, float]], width: str, scale: float) -> None:
    y, v = (np.array(part) for part in zip(*pairs, strict=True))
    fit = random_effects(y, v, width=width)
    other = random_effects(-scale * y[::-1], scale**2 * v[::-1], width=width)
    assert other.estimate == pytest.approx(-scale * fit.estimate, rel=1e-6, abs=1e-6 * scale)
    if fit.reason is None:
        assert other.interval.low == pytest.approx(-scale * fit.interval.high, rel=1e-5, abs=1e-5 * scale)
    floor = random_effects(y, v, width="knapp-hartung-floor")
    assert floor.se[0] >= random_effects(y, v, width="wald").se[0] * (1 - 1e-12)


def test_equal_studies_pool_to_their_own_effect_and_split_studies_to_their_whole() -> None:
    # Limit tau2 = 0: a study split in two halves with twice the variance is the same study.
    fit = random_effects([0.7, 0.7, 0.7], [0.2, 0.2, 0.2], width="wald")
    assert fit.estimate == pytest.approx(0.7, rel=LAST_DIGITS)
    assert fit.se[0] == pytest.approx(np.sqrt(0.2 / 3), rel=LAST_DIGITS)
    whole = random_effects([0.1, 0.9], [0.5, 0.25], method="EE", width="wald")
    split = random_effects([0.1, 0.9, 0.9], [0.5, 0.5, 0.5], method="EE", width="wald")
    assert split.interval.high == pytest.approx(whole.interval.high, rel=LAST_DIGITS)


def test_cases_without_an_answer_say_why() -> None:
    one = random_effects([0.3], [0.04])
    assert one.estimate == pytest.approx(0.3)
    assert one.interval.reason is Undefined.TOO_FEW
    assert random_effects([0.3], [0.04], method="EE", width="wald").interval.high == pytest.approx(
        0.3 + 1.96 * 0.2, abs=1e-3
    )
    assert random_effects([], []).reason is Undefined.NO_OBSERVATIONS
    flat = random_effects([0.5, 0.5, 0.5], [0.1, 0.2, 0.3])
    assert flat.scale == pytest.approx(0, abs=1e-7)
    assert random_effects([0.5, 0.5], [0.25, 0.25], width="knapp-hartung-floor").interval.reason is None
    with pytest.raises(ValueError, match="not negative"):
        random_effects([0.5, 0.4], [0.1, 0.1], tau2=-1.0)
