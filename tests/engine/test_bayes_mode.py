# SPDX-License-Identifier: Apache-2.0
"""The most probable etas: never above the best of many starts of an independent optimiser, with a reason where not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from tests.engine.linear_oracle import vector
from validation.estimation.oracle import best_of_many, objective
from validation.estimation.patients import MODELS, invent

from sirolens.engine.bayes import (
    FunctionProblem,
    Problem,
    Reason,
    levels,
    mode,
    modes,
    normalising_constant,
    random_walk,
)
from sirolens.engine.linear import PARAMETERS, Structure, concentrations, events_from_columns

EXCESS = 1e-6  # of the objective over the best of many starts: the aim
ETA = 1e-4  # the same, for etas
SECOND_MODE = 1e-3  # ... unless another mode lies within this of the objective
CONSTANTS = 1e-10  # two sums of the same terms
FINITE_DIFFERENCES = 2e-5  # the search on a Python function against the one with exact derivatives
STARTS, FEW_STARTS = 25, 8
HESSIAN = 1e-4  # the exact one is taken 1e-4 standard deviations from the minimum or nearer

ORAL = Structure(compartments=1, absorption="first-order")
TYPICAL = vector(cl_l_h=5.63, v1_l=144.16, ka_1_h=0.7521)
CL, V1, F1 = (PARAMETERS.index(name) for name in ("cl_l_h", "v1_l", "f1"))


def which(**etas: int) -> np.ndarray:
    found = np.full(15, -1)
    for name, eta in etas.items():
        found[PARAMETERS.index(name)] = eta
    return found


def events(level_h: list[float], **columns: Any) -> Any:
    """2 mg daily for 60 days, and levels."""
    times = np.array([0.0, *level_h])
    first = {"amount_mg": 2.0, "ii_h": 24.0, "addl": 59} | columns
    return events_from_columns(
        time_h=times,
        evid=[1, *[0] * len(level_h)],
        **{name: np.where(times == 0.0, value, 0) for name, value in first.items()},
    )


def child(observed: list[float], **changes: Any) -> Problem:
    """A child of the catalogue's first model; a level a week from day 14 on."""
    return replace(
        Problem(
            structure=ORAL,
            events=events([24.0 * (14 + 7 * i) for i in range(len(observed))]),
            typical=TYPICAL,
            eta_of_parameter=which(cl_l_h=0, v1_l=1),
            effect_kind=np.zeros(15, dtype=np.int64),
            omega=np.diag([0.0353, 0.0727]),
            levels=levels(observed, residual_kind=1, proportional=0.2245),
        ),
        **changes,
    )


def as_function(problem: Problem) -> FunctionProblem:
    """The same patient, predicted by a Python function that applies the definitions."""

    def predict(eta: np.ndarray) -> np.ndarray:
        out = np.repeat(problem.typical[None], len(eta), 0)
        for p, j in enumerate(problem.eta_of_parameter):
            if j >= 0:
                typical, e = out[:, :, p], eta[:, j : j + 1]
                odds = typical / (1.0 - typical) if problem.effect_kind[p] == 2 else typical
                changed = (typical * np.exp(e), typical + e, odds * np.exp(e) / (1.0 + odds * np.exp(e)))
                out[:, :, p] = changed[problem.effect_kind[p]]
        for period, j in enumerate(problem.occasions):
            if j >= 0:
                out[:, period, CL] *= np.exp(eta[:, j])
        lanes = np.zeros(len(eta), np.int64)
        found = concentrations(problem.structure, problem.events, out, lanes, check=False)
        return found.values.reshape(len(eta), -1)

    return FunctionProblem(
        predict=predict, omega=problem.omega, levels=problem.levels, prior_weight=problem.prior_weight
    )


@pytest.mark.parametrize("name", MODELS)
def test_objective_never_above_best_of_many_starts(name: str) -> None:
    """Oracle: SciPy from many starts on an independently written objective; 1,000 patients in validation/estimation."""
    few = name == "wu_2012"  # its levels cost a hundred times more
    for number in range(1 if few else 5):
        patient = invent(name, 77, number)
        found = mode(patient.problem)
        best, eta = best_of_many(patient, np.random.default_rng(number), FEW_STARTS if few else STARTS)
        assert found.converged
        assert found.reason is Reason.CONVERGED
        assert found.objective == pytest.approx(objective(patient, found.eta)[0], abs=CONSTANTS)
        assert found.objective <= best + EXCESS
        rivals = [m.eta for m in (found, *found.second_modes) if m.objective <= found.objective + SECOND_MODE]
        assert min(np.abs(rival - eta).max() for rival in rivals) <= ETA


def test_hessian_is_that_of_the_objective() -> None:
    # oracle: second differences of the independent objective; the covariance is 2 hessian^-1
    for name in ("golubovic_2019", "mao_2024"):
        patient = invent(name, 78, 1)
        found, d = mode(patient.problem), patient.problem.omega.shape[0]
        h = 1e-3 * np.eye(d)
        second = np.empty((d, d))
        for i in range(d):
            for j in range(d):
                corners = np.array([found.eta + a * h[i] + b * h[j] for a in (1, -1) for b in (1, -1)])
                values = objective(patient, corners)
                second[i, j] = (values[0] - values[1] - values[2] + values[3]) / (4 * 1e-6)
        assert np.abs(found.hessian - second).max() <= HESSIAN * np.abs(second).max()
        assert np.abs(found.covariance @ second / 2.0 - np.eye(d)).max() <= 10.0 * HESSIAN
        assert found.gradient_norm <= 1e-5


def test_batch_is_each_patient_alone_whatever_the_threads() -> None:
    problems = [invent(name, 79, i).problem for i in range(6) for name in ("cheng_2020", "golubovic_2019")]
    linear = [p for p in problems if isinstance(p, Problem)]
    one, two = modes(linear, threads=1), modes(linear, threads=2)
    for i, problem in enumerate(linear):
        alone = mode(problem)
        n = alone.eta.size
        assert (one.eta[i, :n] == alone.eta).all()
        assert (two.eta[i, :n] == alone.eta).all()
        assert np.isnan(one.eta[i, n:]).all()
        assert one.objective[i] == alone.objective == two.objective[i]
        assert (one.covariance[i, :n, :n] == alone.covariance).all()
    assert one.converged.all()
    assert modes([]).eta.shape == (0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"eta_of_parameter": which(cl_l_h=0, f1=1), "effect_kind": np.where(np.arange(15) == F1, 2, 0), "f1": 0.6},
        {"eta_of_parameter": which(cl_l_h=0, v1_l=1), "effect_kind": np.where(np.arange(15) == CL, 1, 0)},
        {"structure": Structure(compartments=1, absorption="transit", transit=3)},
        {"typical": vector(cl_l_h=5.63, v1_l=144.16, ka_1_h=0.7521, lag1_h=0.4)},
        {"eta_of_parameter": which(cl_l_h=0, lag1_h=1), "typical": vector(cl_l_h=5.63, v1_l=100, ka_1_h=2, lag1_h=3)},
        {
            "structure": Structure(compartments=3, absorption="none"),
            "typical": vector(cl_l_h=5.63, v1_l=100, q2_l_h=4, v2_l=300, q3_l_h=2, v3_l=90),
        },
        {
            "structure": Structure(compartments=2, absorption="first-order"),
            "typical": vector(cl_l_h=5.63, v1_l=100, q2_l_h=4, v2_l=300, ka_1_h=0.5),
            "eta_of_parameter": which(cl_l_h=0, q2_l_h=1),
        },
    ],
    ids=["plain", "logit", "normal", "transit", "lag", "eta-on-lag", "three-compartments", "two-compartments"],
)
def test_compiled_models_and_python_functions_agree(changes: dict[str, Any]) -> None:
    typical = np.array(changes.pop("typical", TYPICAL))
    typical[F1] = changes.pop("f1", 1.0)
    problem = child([6.0, 11.0, 4.0], typical=typical[None], **changes)
    compiled, called = mode(problem), mode(as_function(problem))
    assert compiled.converged
    assert called.converged
    assert compiled.objective == pytest.approx(called.objective, abs=1e-7)
    assert np.abs(compiled.eta - called.eta).max() <= FINITE_DIFFERENCES
    assert np.abs(compiled.hessian - called.hessian).max() <= 1e-3 * np.abs(called.hessian).max()


def test_contradicting_levels_leave_two_modes_and_both_are_found() -> None:
    # oracle: a fine grid over the only eta
    problem = FunctionProblem(
        predict=lambda eta: 8.0 * np.exp(-eta) * np.ones(3),
        omega=np.array([[0.25]]),
        levels=levels([3.0, 20.0, 21.0], residual_kind=1, proportional=0.25),
    )
    found = mode(problem)
    grid = np.linspace(-2.0, 2.0, 400_001)
    f = 8.0 * np.exp(-grid)
    s = 0.25 * f
    curve = grid**2 / 0.25 + sum(((y - f) / s) ** 2 + 2.0 * np.log(s) for y in (3.0, 20.0, 21.0))
    dips = np.flatnonzero((curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])) + 1
    assert len(dips) == 1 + len(found.second_modes)
    expected = grid[dips[np.argsort(curve[dips])]]
    assert np.array([m.eta[0] for m in (found, *found.second_modes)]) == pytest.approx(expected, abs=2e-5)
    constant = normalising_constant(problem)
    assert found.objective - constant == pytest.approx(curve[dips].min(), abs=1e-8)


def bimodal() -> FunctionProblem:
    """Levels that two different patients would explain almost equally well."""
    return FunctionProblem(
        predict=lambda eta: 8.0 * np.cosh(2.0 * eta) + 0.2 * eta,
        omega=np.array([[0.25]]),
        levels=levels([20.0], residual_kind=1, proportional=0.1),
    )


def test_second_modes_are_reported_best_first() -> None:
    found = mode(bimodal())
    assert len(found.second_modes) == 1
    other = found.second_modes[0]
    assert found.objective < other.objective < found.objective + 0.1
    assert other.converged
    assert other.eta[0] < -0.5 < 0.5 < found.eta[0]
    assert mode(bimodal(), starts=1).starts_tried == 1


def test_a_level_before_any_drug_is_a_result_with_a_reason() -> None:
    early = replace(child([5.0]), events=events_from_columns(time_h=[0.0, 1.0], evid=[0, 1], amount_mg=[0.0, 2.0]))
    found = mode(early)
    assert not found.converged
    assert found.reason is Reason.NOT_FINITE
    assert found.objective == np.inf
    additive = mode(replace(early, levels=levels([5.0], residual_kind=0, additive_ng_ml=2.0)))
    assert additive.converged  # possible as noise: it just says nothing
    assert np.abs(additive.eta).max() == 0.0


def test_absurd_levels_still_converge() -> None:
    for observed in ([500.0], [0.001], [300.0, 0.01, 40.0]):
        found = mode(child(observed))
        assert found.converged
        assert np.isfinite(found.objective)


def test_without_levels_the_typical_patient_is_most_probable() -> None:
    for problem in (child([7.0, 9.0], levels=levels([7.0, np.nan], residual_kind=1, proportional=0.2, weight=0.0)),):
        found = mode(problem)
        assert found.converged
        assert (found.eta == 0.0).all()
        assert found.covariance == pytest.approx(problem.omega, rel=1e-12)


def test_weight_zero_is_as_if_the_level_were_not_there() -> None:
    both = child([7.0, 30.0], levels=levels([7.0, 30.0], residual_kind=1, proportional=0.2245, weight=[1.0, 0.0]))
    assert mode(both).eta == pytest.approx(mode(child([7.0])).eta, abs=1e-12)


def test_a_heavier_prior_pulls_to_the_typical_patient_and_a_light_one_to_the_levels() -> None:
    low = [mode(child([3.0, 3.2], prior_weight=w)).eta for w in (100.0, 1.0, 0.01)]
    size = [float(np.abs(eta).max()) for eta in low]
    assert size[0] < 0.1 < size[1] < size[2]
    scaled = child([3.0, 3.2], omega=np.diag([0.0353, 0.0727]) / 100.0)
    assert mode(scaled).eta == pytest.approx(low[0], abs=1e-9)  # the same as a tighter omega


@pytest.mark.parametrize(("censoring", "pull"), [(-1, 1.0), (1, -1.0)])
def test_censored_levels_pull_their_way_only_when_they_must(censoring: int, pull: float) -> None:
    """Oracle: SciPy's minimiser of the censored objective over the only eta."""
    from scipy.stats import norm

    limit = 3.0 if censoring < 0 else 12.0
    problem = FunctionProblem(
        predict=lambda eta: 8.0 * np.exp(-eta),
        omega=np.array([[0.09]]),
        levels=levels([limit], residual_kind=2, additive_ng_ml=0.5, proportional=0.2, censoring=censoring),
    )

    def censored(eta: float) -> float:
        f = 8.0 * np.exp(-eta)
        s = np.hypot(0.5, 0.2 * f)
        law = norm.logcdf if censoring < 0 else norm.logsf
        return float(-2.0 * law(limit, f, s) + eta**2 / 0.09)

    found = mode(problem)
    expected = minimize_scalar(censored, bounds=(-2.0, 2.0), method="bounded", options={"xatol": 1e-10}).x
    assert found.eta[0] == pytest.approx(expected, abs=1e-6)
    assert found.eta[0] * pull > 0.05
    easy = replace(problem, levels=problem.levels._replace(y=np.array([60.0 if censoring < 0 else 0.5])))
    assert mode(easy).eta[0] == pytest.approx(0.0, abs=1e-6)


def test_correlated_etas_move_together() -> None:
    omega = np.array([[0.105, 0.0665], [0.0665, 0.1823]])
    found = mode(child([15.0, 15.0, 15.0], omega=omega))
    apart = mode(child([15.0, 15.0, 15.0], omega=np.diag(np.diag(omega))))
    assert found.eta[0] < -0.25
    assert found.eta[1] < apart.eta[1] - 0.05  # nothing but the correlation says so


def test_occasions_walk_on_log_clearance() -> None:
    omega = random_walk(np.diag([0.0353, 0.0727]), 2, 0.04)
    level_h = [24.0 * 14, 24.0 * 28, 24.0 * 42]
    records = events_from_columns(
        time_h=[0.0, *level_h], evid=[1, 0, 0, 0], amount_mg=[2.0, 0, 0, 0], ii_h=[24.0, 0, 0, 0], addl=[59, 0, 0, 0],
        before=[0, 0, 1, 2], at=[0, 0, 1, 2],
    )  # fmt: skip
    problem = child(
        [12.0, 12.0, 6.0],
        events=records,
        typical=np.repeat(TYPICAL[None], 3, 0),
        omega=omega,
        occasion_eta=np.array([-1, 2, 3]),
    )
    found = mode(problem)
    assert found.converged
    assert found.eta == pytest.approx(mode(as_function(problem)).eta, abs=FINITE_DIFFERENCES)
    assert found.eta[0] < 0.0 < found.eta[3] - found.eta[2]  # a slow patient whose clearance rose at last


def test_new_occasion_is_as_uncertain_as_the_last_and_one_step_more() -> None:
    omega = random_walk(np.diag([0.0353]), 2, 0.04)
    problem = child(
        [12.0],
        typical=np.repeat(TYPICAL[None], 2, 0),
        events=events_from_columns(
            time_h=[0.0, 336.0], evid=[1, 0], amount_mg=[2.0, 0], ii_h=[24.0, 0], addl=[59, 0], before=[0, 1], at=[0, 1]
        ),
        eta_of_parameter=which(cl_l_h=0),
        omega=omega,
        occasion_eta=np.array([-1, 1]),
    )
    covariance = mode(problem).covariance
    assert covariance[2, 2] == pytest.approx(covariance[1, 1] + 0.04, rel=1e-9)


def test_normalising_constant_leaves_the_objective_other_programs_print() -> None:
    # oracle: the sum NONMEM defines for one individual, written down once more
    problem = child([6.0, 9.0, 2.0], levels=levels([6.0, 9.0, 2.0], residual_kind=1, proportional=0.2245))
    found = mode(problem)
    f = as_function(problem).predict(found.eta[None])[0]
    s = 0.2245 * f
    printed = (((problem.levels.y - f) / s) ** 2 + 2.0 * np.log(s)).sum() + found.eta**2 @ (
        1.0 / np.diag(problem.omega)
    )
    assert found.objective - normalising_constant(problem) == pytest.approx(printed, abs=CONSTANTS)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"omega": np.array([[0.1, 0.2], [0.2, 0.1]])}, "positive definite"),
        ({"omega": np.array([[0.1]])}, "eta is named"),
        ({"typical": np.ones((1, 14))}, "15 columns"),
        ({"prior_weight": 0.0}, "weight on the prior"),
        ({"levels": levels([5.0], residual_kind=1, proportional=0.2)}, "observation records"),
        ({"occasion_eta": np.array([7])}, "eta is named"),
        ({"events": events_from_columns(time_h=[0.0] * 4, start=[0, 2, 4])}, "one patient"),
        ({"events": events_from_columns(time_h=[0.0, 1.0], before=[0, 3])}, "period"),
    ],
)
def test_questions_that_make_no_sense_are_refused(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        child([5.0, 6.0], **changes)


@pytest.mark.parametrize(
    "arguments",
    [
        {"observed_ng_ml": [-1.0]},
        {"observed_ng_ml": [0.0]},
        {"observed_ng_ml": [np.nan]},
        {"observed_ng_ml": [5.0], "censoring": 2},
        {"observed_ng_ml": [5.0], "residual_kind": 4},
        {"observed_ng_ml": [5.0], "proportional": 0.0},
        {"observed_ng_ml": [5.0], "weight": -1.0},
    ],
)
def test_levels_that_make_no_sense_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"level|weights|residual|code"):
        levels(**({"residual_kind": 1, "proportional": 0.2} | arguments))


def test_the_limit_of_a_censored_level_may_stand_apart() -> None:
    found = levels([np.nan, 5.0], residual_kind=0, additive_ng_ml=1.0, censoring=[-1, 0], limit_ng_ml=2.0)
    assert found.y.tolist() == [2.0, 5.0]


def test_a_function_that_answers_in_the_wrong_shape_is_told() -> None:
    with pytest.raises(ValueError, match="predict gave shape"):
        mode(replace(bimodal(), predict=lambda eta: np.zeros((len(eta), 3))))
