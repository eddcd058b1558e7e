# SPDX-License-Identifier: Apache-2.0
"""One model and one patient: the answer is that of direct integration, and whatever was left out or doubted is said."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, norm

from sirolens.dosing import estimate as estimate_module
from sirolens.dosing.assay import AS_IS, relation
from sirolens.dosing.estimate import Estimate, Settings, estimate
from sirolens.dosing.estimate_problem import nodes, residual_of, theta_covariance
from sirolens.engine.bayes_mode import Reason
from sirolens.engine.sampling import weighted_mean, weighted_quantile
from sirolens.message import Message, Severity
from sirolens.models.catalog import load
from sirolens.models.population import PopulationModel
from sirolens.models.predict import periods, predict
from sirolens.models.timeline import History, Multiplier, Observed
from tests.dosing.invented import ADULT, CHILD, cycle, patient, trough

PLAIN = Settings(residual="own", theta_uncertainty=False, scatter=((1.0, 1.0),))
DRAWS = 4000
MODE = 1e-4  # in standard deviations of the prior; the independent search stops earlier than ours
INTEGRAL = 0.02  # relative; 4000 quasi-random draws against a fine grid
MONTE_CARLO_P = 0.02  # 20,000 plain draws


def codes(found: Estimate) -> list[str]:
    return [message.code for message in found.messages]


def said(found: Estimate, code: str) -> Message:
    return next(message for message in found.messages if message.code == code)


def log_spread(found: Estimate) -> float:
    """Width of the middle 80 % of the trough on 2 mg, on the log scale."""
    values, weights = found.trough_draws(cycle(2.0))
    return float(np.diff(weighted_quantile(np.log(values), weights, [0.1, 0.9]))[0])


def log_likelihood(model: PopulationModel, history: History, eta: np.ndarray) -> np.ndarray:
    """Own residual error of the model, written out again."""
    f = predict(model, history, eta, [level.time_h for level in history.used])
    y = np.array([level.level_ng_ml for level in history.used])
    r = model.residual
    if r.kind == "log":
        return (norm.logpdf(np.log(y), np.log(f), r.log_sd) - np.log(y)).sum(axis=1)
    return norm.logpdf(y, f, np.hypot(r.additive_ng_ml, r.proportional * f)).sum(axis=1)


THREE = (trough(30, 9.0), trough(60, 8.0), trough(90, 11.0))


@pytest.mark.parametrize(
    ("name", "known"),
    [("golubovic_2019", ADULT), ("jiao_2009", ADULT), ("wu_2012", ADULT), ("cheng_2020", CHILD), ("fan_2024", CHILD)],
)
def test_the_mode_is_where_an_independent_search_ends(name: str, known: dict[str, float]) -> None:
    # Oracle: SciPy's Nelder-Mead on the objective written out above.
    model, history = load(name), patient(known, dose_mg=1.0 if known is CHILD else 2.0, levels=THREE)
    found = estimate(history, model, seed=1, draws=200, settings=PLAIN)
    prior = multivariate_normal(np.zeros(len(model.omega)), model.omega)

    def objective(eta: np.ndarray) -> float:
        return -2.0 * float(log_likelihood(model, history, eta[None, :])[0] + prior.logpdf(eta))

    best = minimize(
        objective,
        np.zeros(len(model.omega)),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 20_000, "maxfev": 20_000, "adaptive": True},
    )
    sd = np.sqrt(np.diag(model.omega))
    assert found.converged
    assert found.mode.eta / sd == pytest.approx(best.x / sd, abs=MODE)
    assert found.mode.objective <= best.fun + 1e-6


def test_posterior_and_evidence_are_those_of_direct_integration() -> None:
    # Oracle: quadrature over the one random effect of Fan 2024.
    model, history = load("fan_2024"), patient(CHILD, dose_mg=1.0, levels=THREE)
    found = estimate(history, model, seed=3, draws=DRAWS, settings=PLAIN)
    eta = np.linspace(-2.0, 2.0, 4001)
    density = np.exp(log_likelihood(model, history, eta[:, None])) * norm.pdf(eta, 0, math.sqrt(model.omega[0, 0]))
    evidence = np.trapezoid(density, eta)
    clearance = found.parameters_at()[:, 0] / found.parameters[0].a_priori
    expected = np.trapezoid(density * np.exp(eta), eta) / evidence
    assert float(weighted_mean(clearance, found.weight)) == pytest.approx(expected, rel=INTEGRAL)
    assert math.exp(found.log_evidence) == pytest.approx(evidence, rel=INTEGRAL)


def test_the_common_residual_is_the_one_models_are_compared_by() -> None:
    # Oracle: the same quadrature with 0.5 ng/mL and 20 %.
    model, history = load("fan_2024"), patient(CHILD, dose_mg=1.0, levels=THREE)
    found = estimate(history, model, seed=3, draws=DRAWS, settings=PLAIN)
    eta = np.linspace(-2.0, 2.0, 4001)
    f = predict(model, history, eta[:, None], [level.time_h for level in THREE])
    y = np.array([level.level_ng_ml for level in THREE])
    likelihood = norm.pdf(y, f, np.hypot(0.5, 0.2 * f)).prod(axis=1)
    evidence = np.trapezoid(likelihood * norm.pdf(eta, 0, math.sqrt(model.omega[0, 0])), eta)
    assert math.exp(found.common_log_evidence) == pytest.approx(evidence, rel=INTEGRAL)
    common = estimate(history, model, seed=3, draws=DRAWS, settings=replace(PLAIN, residual="common"))
    assert common.log_evidence == pytest.approx(found.common_log_evidence, abs=INTEGRAL)


def test_without_levels_the_answer_is_the_prior() -> None:
    for name in ("golubovic_2019", "wu_2012"):
        found = estimate(patient(ADULT), load(name), seed=1, draws=DRAWS, settings=PLAIN)
        values, weights = found.trough_draws(cycle(2.0))
        assert found.mode.eta == pytest.approx(np.zeros(len(found.mode.eta)), abs=1e-12)
        assert weights == pytest.approx(np.full(DRAWS, 1 / DRAWS))
        assert found.levels == ()
        # Golubovic 44 y: 69 % (popk_check.md section 5), Wu: 36 %, both of random effects only
        inside = float(weights[(values >= 5.0) & (values <= 15.0)].sum())
        assert inside == pytest.approx({"golubovic_2019": 0.69, "wu_2012": 0.36}[name], abs=0.025)


def test_no_model_is_taken_to_measure_better_than_a_laboratory() -> None:
    expected = {"wu_2012": (0.5, 0.2, 0.0), "fan_2024": (3.41, 0.2, 0.0), "jiao_2009": (0.0, 0.0, 0.299)}
    for name, parts in expected.items():
        found = residual_of(load(name), Settings())
        assert (found.additive_ng_ml, found.proportional, found.log_sd) == parts
        assert residual_of(load(name), Settings(residual="own")) == load(name).residual


# Levels a model cannot read


def test_e1_a_day_7_level_is_left_to_the_model_of_the_whole_course() -> None:
    # popk_check.md E1: read by Jiao, a right level of 6 on day 7 would mean a true trough of 18.
    history = patient(ADULT, days=8, levels=(trough(7, 6.0),))
    jiao = estimate(history, load("jiao_2009"), seed=1, draws=200)
    assert jiao.used == frozenset()
    assert jiao.mode.eta == pytest.approx([0.0, 0.0], abs=1e-12)
    assert said(jiao, "estimate.level-early").values["settled_d"] == 7.0
    assert jiao.levels[0].reason is not None
    wu = estimate(history, load("wu_2012"), seed=1, draws=200)
    assert wu.used == {0}
    assert wu.mode.eta[0] < 0.0
    assert "estimate.level-early" not in codes(wu)


@pytest.mark.parametrize(("settled_d", "read"), [(6.9, False), (7.0, True)])
def test_models_of_children_read_levels_from_their_own_first_day_on(settled_d: float, read: bool) -> None:
    history = patient(CHILD, days=31, levels=(trough(30, 6.0, settled_d=settled_d),))
    assert (estimate(history, load("cheng_2020"), seed=1, draws=200).used == {0}) is read


def test_a_level_at_a_stated_steady_state_is_not_early() -> None:
    history = patient(ADULT, levels=(trough(3, 6.0, settled_d=None),))
    assert estimate(history, load("jiao_2009"), seed=1, draws=200).used == {0}


def test_a_level_soon_after_an_interacting_drug_began_is_early_too() -> None:
    history = patient(ADULT, levels=(trough(60, 12.0),)).with_multipliers(
        Multiplier(start_h=50 * 24.0, clearance=0.5, name="clarithromycin")
    )
    assert estimate(history, load("golubovic_2019"), seed=1, draws=200).used == frozenset()
    assert estimate(history, load("wu_2012"), seed=1, draws=200).used == {0}
    always = history.with_multipliers(Multiplier(start_h=-math.inf, clearance=0.5, name="liver"))
    assert estimate(always, load("golubovic_2019"), seed=1, draws=200).used == {0}


def test_a_sample_that_is_no_trough_is_left_out_by_models_of_troughs() -> None:
    peak = trough(60, 25.0, time_h=60 * 24.0 + 2.0, after_dose_h=2.0, trough=False)
    history = patient(ADULT, levels=(peak,))
    jiao = estimate(history, load("jiao_2009"), seed=1, draws=200)
    assert "estimate.level-not-trough" in codes(jiao)
    assert estimate(history, load("wu_2012"), seed=1, draws=200).used == {0}


def test_an_excluded_level_is_not_read() -> None:
    history = patient(ADULT, levels=(trough(60, 60.0, excluded="from the line"), trough(90, 7.0)))
    found = estimate(history, load("wu_2012"), seed=1, draws=200)
    assert [row.level_ng_ml for row in found.levels] == [7.0]


# What is said


def test_h14_a_level_is_judged_by_what_was_expected_before_it() -> None:
    # Oracle: 20,000 plain draws of patients and residuals.
    model, history = load("jiao_2009"), patient(ADULT, levels=(trough(60, 12.0),))
    found = estimate(history, model, seed=1, draws=200, settings=PLAIN)
    rng = np.random.default_rng(5)
    eta = rng.multivariate_normal([0.0, 0.0], model.omega, 20_000)
    y = predict(model, history, eta, [60 * 24.0])[:, 0] * np.exp(model.residual.log_sd * rng.standard_normal(20_000))
    below = float((y <= 12.0).mean())
    assert found.levels[0].prior_p == pytest.approx(2 * min(below, 1 - below), abs=MONTE_CARLO_P)


def test_h14_an_unexpected_level_is_flagged() -> None:
    found = estimate(patient(ADULT, levels=(trough(60, 70.0),)), load("jiao_2009"), seed=1, draws=500)
    assert said(found, "estimate.level-unexpected").severity is Severity.WARNING
    usual = estimate(patient(ADULT, levels=(trough(60, 8.0),)), load("jiao_2009"), seed=1, draws=500)
    assert "estimate.level-unexpected" not in codes(usual)


def test_h16_a_patient_far_from_the_models_centre_is_flagged() -> None:
    levels = tuple(trough(day, 1.6) for day in (30, 60, 75, 90))
    found = estimate(patient(CHILD, dose_mg=2.0, levels=levels), load("chen_2021"), seed=1, draws=500, settings=PLAIN)
    eta_sd = found.parameters[0].eta_sd
    assert eta_sd is not None
    assert eta_sd > 2.5
    assert said(found, "estimate.eta-extreme").values["parameter"] == "cl_l_h"


def test_h16_a_search_that_failed_is_a_result_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # Fault injection: the search reports an indefinite Hessian.
    real = estimate_module.mode

    def failing(problem: object) -> object:
        return replace(real(problem), converged=False, reason=Reason.INDEFINITE)

    monkeypatch.setattr(estimate_module, "mode", failing)
    found = estimate(patient(ADULT, levels=THREE), load("golubovic_2019"), seed=1, draws=500)
    assert not found.converged
    assert said(found, "estimate.not-converged").severity is Severity.CRITICAL
    assert said(found, "estimate.not-converged").values["reason"] == "indefinite"


def test_residuals_are_standardised_by_the_models_own_error() -> None:
    history = patient(ADULT, levels=THREE)
    for name in ("jiao_2009", "golubovic_2019"):
        model = load(name)
        found = estimate(history, model, seed=1, draws=200, settings=PLAIN)
        for row in found.levels:
            f, y, r = row.predicted_ng_ml, row.level_ng_ml, model.residual
            plain = (y - f) / math.hypot(r.additive_ng_ml, r.proportional * f) if r.kind != "log" else 0.0
            expected = math.log(y / f) / r.log_sd if r.kind == "log" else plain
            assert row.residual_sd == pytest.approx(expected, rel=1e-9)


def test_a_censored_level_counts_and_has_no_residual() -> None:
    below = trough(60, 2.0, censoring=-1)
    found = estimate(patient(ADULT, levels=(below,)), load("wu_2012"), seed=1, draws=500)
    assert found.levels[0].residual_sd is None
    assert found.mode.eta[0] > 0.1  # clearance higher than typical


def test_parameters_are_shown_typical_a_priori_and_a_posteriori() -> None:
    old = {**ADULT, "age": 60.0}
    found = estimate(patient(old, levels=THREE), load("golubovic_2019"), seed=1, draws=500, settings=PLAIN)
    clearance = next(row for row in found.parameters if row.name == "cl_l_h")
    assert clearance.typical == pytest.approx(7.466, abs=0.001)  # popk_check.md section 8
    assert clearance.a_priori == pytest.approx(12.2 * (1 - 0.388 * 60 / 44), rel=1e-4)
    assert clearance.a_posteriori == pytest.approx(clearance.a_priori * math.exp(found.mode.eta[0]), rel=1e-9)
    assert clearance.low < clearance.a_posteriori < clearance.high


# What is unknown besides the random effects


def test_cholesterol_nobody_measured_is_integrated_over_and_widens_the_answer() -> None:
    model = load("jiao_2009")
    unknown = {name: value for name, value in ADULT.items() if name != "cholesterol"}
    without = estimate(patient(unknown), model, seed=1, draws=DRAWS, settings=PLAIN)
    known = estimate(patient(ADULT), model, seed=1, draws=DRAWS, settings=PLAIN)
    assert len(without.blocks) == 3
    assert without.weight.sum() == pytest.approx(1.0)
    assert "estimate.covariate-integrated" in codes(without)
    assert "models.covariate-asked" not in codes(without)
    spread = [
        np.diff(weighted_quantile(np.log(e.trough_draws(cycle(2.0))[0]), e.weight, [0.1, 0.9]))
        for e in (without, known)
    ]
    assert spread[0] > spread[1]


def test_a_threshold_is_integrated_over_exactly() -> None:
    # Oracle: P(AST > 37) of a log-normal with median 22 and log SD 0.4 (the model's stated spread).
    unknown = {name: value for name, value in ADULT.items() if name != "ast"}
    model, history = load("golubovic_2019"), patient(unknown)
    found = nodes(model, periods(model, history), AS_IS)
    above = sum(node.weight for node in found if node.missing["AST"] > 37.0)
    assert len(found) == 2
    assert above == pytest.approx(1 - norm.cdf(math.log(37 / 22) / 0.4), abs=1 / 200)


def test_levels_say_which_of_the_possibilities_is_likely() -> None:
    unknown = {name: value for name, value in ADULT.items() if name != "ast"}
    high = tuple(trough(day, 13.0) for day in (30, 45, 60, 90))
    found = estimate(patient(unknown, levels=high), load("golubovic_2019"), seed=1, draws=DRAWS)
    liver = sum(float(block.weight.sum()) for block in found.blocks if block.node.missing["AST"] > 37.0)
    prior = sum(block.node.weight for block in found.blocks if block.node.missing["AST"] > 37.0)
    assert liver > 2 * prior


def test_the_factor_between_assays_moves_and_widens_predictions() -> None:
    model = load("jiao_2009")
    link = relation("chromatography", "cmia")
    made = nodes(model, periods(model, patient(ADULT)), link)
    assert sum(node.weight for node in made) == pytest.approx(1.0)
    mean = sum(node.weight * math.log(node.scale) for node in made)
    variance = sum(node.weight * (math.log(node.scale) - mean) ** 2 for node in made)
    assert math.exp(mean) == pytest.approx(1.219, rel=1e-9)
    assert math.sqrt(variance) == pytest.approx(0.123 / 1.219, rel=1e-9)
    cmia = patient(ADULT, levels=(trough(60, 9.0, assay="cmia"),))
    found = estimate(cmia, model, seed=1, draws=500)
    assert found.laboratory == "cmia"
    plain = predict(model, cmia, [[0.0, 0.0]], [60 * 24.0])[0, 0]
    assert found.levels[0].predicted_typical_ng_ml == pytest.approx(1.219 * plain, rel=1e-9)
    as_is = estimate(cmia, model, seed=1, draws=500, settings=Settings(convert_assays=False))
    assert as_is.levels[0].predicted_typical_ng_ml == pytest.approx(plain, rel=1e-9)
    assert "assay.model-unrelated" in codes(as_is)


def test_levels_of_two_assays_are_brought_to_the_newest() -> None:
    both = (trough(30, 10.0, assay="cmia"), trough(60, 8.0, assay="lc-ms/ms"))
    found = estimate(patient(ADULT, levels=both), load("jiao_2009"), seed=1, draws=500)
    assert [row.on_scale_ng_ml for row in found.levels] == pytest.approx([10.0 / 1.219, 8.0])
    assert [row.level_ng_ml for row in found.levels] == [10.0, 8.0]


def test_printed_standard_errors_widen_the_prior_by_what_they_say() -> None:
    # Oracle: by hand. Wu: CL = theta (35.1/HCT)^0.14; RSE 16.3 %, 55.4 %, V1 38 %, Q 8.17 %, V2 11.3 %.
    wide = theta_covariance(load("wu_2012"), {"HCT": 20.0})
    exponent = 0.14 * 0.554 * math.log(35.1 / 20.0)
    assert np.diag(wide) == pytest.approx([0.163**2 + exponent**2, 0.38**2, 0.0817**2, 0.113**2], rel=1e-6)
    assert wide - np.diag(np.diag(wide)) == pytest.approx(np.zeros((4, 4)), abs=1e-12)
    assert (theta_covariance(load("golubovic_2019"), {"AGE": 44.0, "AST": 20.0}) == 0.0).all()


def test_levels_that_scatter_tell_that_this_patients_levels_scatter() -> None:
    model = load("golubovic_2019")
    even = estimate(patient(ADULT, levels=THREE), model, seed=1, draws=DRAWS)
    wild = tuple(trough(day, value) for day, value in ((30, 3.0), (45, 22.0), (60, 4.0), (75, 25.0), (90, 8.0)))
    uneven = estimate(patient(ADULT, levels=wild), model, seed=1, draws=DRAWS)
    wide = [sum(float(b.weight.sum()) for b in e.blocks if b.node.scatter > 1.0) for e in (even, uneven)]
    assert wide[0] < 1 / 3 < wide[1]
    narrow = estimate(patient(ADULT, levels=wild), model, seed=1, draws=DRAWS, settings=Settings(scatter=((1.0, 1.0),)))
    assert log_spread(uneven) > log_spread(narrow)


# What must not matter, and what must


@settings(deadline=None, max_examples=15)
@given(factor=st.floats(0.1, 8.0), level=st.floats(2.0, 30.0))
def test_doses_and_levels_scaled_together_leave_the_patient_the_same(factor: float, level: float) -> None:
    # Metamorphic: linear disposition and a log-scale residual know no unit of dose.
    model = load("jiao_2009")
    one = estimate(patient(ADULT, levels=(trough(60, level),)), model, seed=1, draws=100)
    other = estimate(
        patient(ADULT, dose_mg=2.0 * factor, levels=(trough(60, level * factor),)), model, seed=1, draws=100
    )
    assert other.mode.eta == pytest.approx(one.mode.eta, abs=1e-6)
    assert other.trough_draws(cycle(2.0))[0] == pytest.approx(one.trough_draws(cycle(2.0))[0], rel=1e-5)


def test_the_same_seed_gives_the_same_draws_and_another_seed_nearly_the_same_answer() -> None:
    history, model = patient(ADULT, levels=THREE), load("golubovic_2019")
    one, again, other = (estimate(history, model, seed=seed, draws=DRAWS) for seed in (1, 1, 2))
    assert (one.trough_draws(cycle(2.0))[0] == again.trough_draws(cycle(2.0))[0]).all()
    assert (one.weight == again.weight).all()
    medians = [float(weighted_quantile(e.trough_draws(cycle(2.0))[0], e.weight, [0.5])[0]) for e in (one, other)]
    assert medians[0] == pytest.approx(medians[1], rel=0.01)


def test_troughs_of_a_rhythm_are_the_sum_of_their_doses() -> None:
    for name in ("golubovic_2019", "wu_2012"):
        found = estimate(patient(ADULT, levels=THREE), load(name), seed=1, draws=300)
        split = found.troughs(cycle(1.0, 1.0, period_h=24.0))
        assert split.shape == (300, 2)
        assert found.trough_draws(cycle(1.0, 1.0))[0] == pytest.approx(split.min(axis=1))
        assert (found.trough_draws(cycle(1.5, 0.5), which="highest")[0] >= found.trough_draws(cycle(1.5, 0.5))[0]).all()


def test_a_heavier_prior_pulls_the_patient_to_the_centre() -> None:
    history, model = patient(ADULT, levels=THREE), load("golubovic_2019")
    etas = [
        estimate(history, model, seed=1, draws=100, settings=Settings(prior_weight=w)).mode.eta
        for w in (0.5, 1.0, 50.0)
    ]
    sizes = [float(np.abs(eta).max()) for eta in etas]
    assert sizes[0] > sizes[1] > sizes[2]


def test_a_walk_between_occasions_forgets_old_levels_and_widens_forecasts() -> None:
    levels = (trough(20, 20.0), trough(350, 6.0))
    history = patient(ADULT, days=360, levels=levels)
    for name in ("golubovic_2019", "wu_2012"):
        still, moving = (
            estimate(history, load(name), seed=1, draws=DRAWS, settings=Settings(occasion_variance=v))
            for v in (0.0, 0.09)
        )
        assert moving.converged
        now = [float(weighted_quantile(e.trough_draws(cycle(2.0))[0], e.weight, [0.5])[0]) for e in (still, moving)]
        assert now[1] < now[0]  # the newest level counts for more
        assert log_spread(moving) > log_spread(still)


@pytest.mark.parametrize("levels", [(), THREE])
def test_predictions_resampled_to_equal_draws_agree_with_weighted_ones(levels: tuple[Observed, ...]) -> None:
    history = patient(ADULT, levels=levels)
    for name in ("golubovic_2019", "wu_2012"):
        found = estimate(history, load(name), seed=1, draws=DRAWS)
        weighted = weighted_quantile(found.predict(history, [2160.0]), found.weight, [0.1, 0.5, 0.9])[:, 0]
        equal = np.quantile(found.predict(history, [2160.0], draws=2000), [0.1, 0.5, 0.9])
        assert equal == pytest.approx(weighted, rel=0.07)  # 2000 plain draws of a wide prior
