# SPDX-License-Identifier: Apache-2.0
"""Invented patients of every catalogue model: doses, sampling times, true etas, levels with error and a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes import AnyProblem, FunctionProblem, Problem, levels
from sirolens.engine.linear import events_from_columns
from sirolens.engine.sampling import normal, stream, uniform
from sirolens.engine.saturable import BolusRuns, absorbed_input
from sirolens.engine.saturable_response import response
from sirolens.models.catalog import load
from sirolens.models.covariates import typical
from sirolens.models.population import PopulationModel, effect_index, individual

Array = NDArray[np.float64]

MODELS = ("cheng_2020", "fan_2024", "chen_2021", "golubovic_2019", "jiao_2009", "mao_2024", "wu_2012")
LIMIT_NG_ML = 3.5  # lower limit of the least sensitive assay of the catalogue's cohorts: more censoring than usual
TABLET_MG = 0.25  # doses are rounded to it
AIM_NG_ML = 8.0  # typical trough the dose is chosen for, before rounding and before a random factor
STEADY_DAY = 400  # long enough for every model
# Ranges that covariates are drawn from, within the models' own; the others stay at their references.
RANGES: Mapping[str, tuple[float, float]] = {
    "WT": (12.0, 40.0),
    "TBIL": (5.0, 20.0),
    "AGE": (18.0, 64.0),
    "AST": (15.0, 30.0),
    "TC": (4.0, 6.5),
    "HCT": (30.0, 44.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invented:
    """One invented patient.

    Parameters
    ----------
    model : PopulationModel
        The model the patient obeys.
    typical : float64 array (15,)
        Typical parameters with the patient's covariates.
    dose_time_h, dose_mg : float64 arrays
        Every dose.
    time_h : float64 array (m + 1,)
        Sampling times, and last the time of a trough that nobody measures.
    eta : float64 array (n_eta,)
        The truth.
    true_ng_ml : float64 array (m + 1,)
        Levels without residual error.
    problem : Problem or FunctionProblem
        What the estimation sees; the last level has weight 0.
    """

    model: PopulationModel
    typical: Array
    dose_time_h: Array
    dose_mg: Array
    time_h: Array
    eta: Array
    true_ng_ml: Array
    problem: AnyProblem


@cache
def model_of(name: str) -> PopulationModel:
    """The catalogue's model, read once."""
    return load(name)


def invent(name: str, seed: int, number: int) -> Invented:
    """Make patient `number` of a model; the same seed and number make the same patient."""
    model = model_of(name)
    u = uniform(stream(seed, "invented", name, number), (60,))
    covariates = {
        c.name: _between(u[40 + i], *RANGES[c.name]) for i, c in enumerate(model.covariates) if c.name in RANGES
    }
    parameters = typical(model, covariates)[0]
    daily_mg = max(
        TABLET_MG * round(parameters[0] * AIM_NG_ML * 0.024 * _between(u[0], 0.5, 2.0) / TABLET_MG), TABLET_MG
    )
    last_day = 14 + int(76 * u[1])
    days = np.arange(last_day + 8)
    taken = uniform(stream(seed, "taken", name, number), (days.size,)) > 0.05  # one dose in twenty is missed
    dose_mg = np.where(days < 0.5 * last_day, daily_mg, daily_mg * (1.0 if u[2] < 0.5 else 1.5))[taken]
    dose_time_h = 24.0 * days[taken]
    count = 1 + int(4 * u[3])
    sampled = np.sort(7 + np.floor((last_day - 7) * u[4 : 4 + count])) * 24.0 - 0.5 * (u[10 : 10 + count] < 0.5)
    time_h = np.append(np.unique(sampled), 24.0 * (last_day + 7))
    factor = np.linalg.cholesky(model.omega)
    eta = factor @ normal(stream(seed, "eta", name, number), (model.omega.shape[0],))
    true = predict(model, parameters, dose_time_h, dose_mg, time_h, eta[None])[0]
    noise = normal(stream(seed, "residual", name, number), (time_h.size,))
    return Invented(
        model=model,
        typical=parameters,
        dose_time_h=dose_time_h,
        dose_mg=dose_mg,
        time_h=time_h,
        eta=eta,
        true_ng_ml=true,
        problem=_problem(model, parameters, dose_time_h, dose_mg, time_h, _measured(model, true, noise)),
    )


def _between(u: float, low: float, high: float) -> float:
    return float(low + (high - low) * u)


def _measured(model: PopulationModel, true: Array, noise: Array) -> Array:
    r = model.residual
    if r.on_log_scale:
        return np.asarray(true * np.exp(r.log_sd * noise))
    return np.asarray(true + np.hypot(r.additive_ng_ml, r.proportional * true) * noise)


def predict(
    model: PopulationModel, parameters: Array, dose_time_h: Array, dose_mg: Array, time_h: Array, eta: Array
) -> Array:
    """Levels (n, m) of etas (n, n_eta); linear models by superposition of single doses, written down once more here.

    This is the oracle's prediction: closed forms in macro constants, one dose at a time. The model with saturable
    absorption is predicted by the engine, whose own oracle is an integrator.
    """
    values = individual(model, parameters, np.atleast_2d(eta))
    if model.saturable is not None:
        return response(_absorbed(model, dose_time_h.tobytes(), dose_mg.tobytes(), time_h.tobytes()), 2, values)
    assert model.structure is not None
    return superposition(model.structure.compartments, values, dose_time_h, dose_mg, time_h)


@lru_cache(maxsize=64)
def _absorbed(model: PopulationModel, dose_time_h: bytes, dose_mg: bytes, time_h: bytes) -> BolusRuns:
    """What saturable absorption makes of the doses: no eta changes it, so it is worked out once."""
    assert model.saturable is not None
    times, amounts, stops = (np.frombuffer(column) for column in (dose_time_h, dose_mg, time_h))
    return absorbed_input(times, amounts, model.saturable.vmax_mg_h, model.saturable.km_mg, stops)


def superposition(compartments: int, values: Array, dose_time_h: Array, dose_mg: Array, time_h: Array) -> Array:
    """Levels by adding up single oral doses; a dose counts from after its own time."""
    cl, v1, q, v2, ka = (values[:, i, None, None] for i in (0, 1, 2, 3, 6))
    since = time_h[None, :, None] - dose_time_h[None, None, :]
    given = since > 0.0
    t = np.where(given, since, 0.0)
    absorbed = np.exp(-ka * t)
    if compartments == 1:
        k = cl / v1
        unit = ka / (v1 * (ka - k)) * (np.exp(-k * t) - absorbed)
    else:
        k10, k12, k21 = cl / v1, q / v1, q / v2
        middle, root = 0.5 * (k10 + k12 + k21), np.sqrt(0.25 * (k10 + k12 + k21) ** 2 - k10 * k21)
        alpha, beta = middle + root, k10 * k21 / (middle + root)
        a = ka * (k21 - alpha) / (v1 * (ka - alpha) * (beta - alpha))
        b = ka * (k21 - beta) / (v1 * (ka - beta) * (alpha - beta))
        unit = a * np.exp(-alpha * t) + b * np.exp(-beta * t) - (a + b) * absorbed
    return np.asarray(1000.0 * (unit * np.where(given, dose_mg, 0.0)).sum(axis=2))


def _problem(
    model: PopulationModel, parameters: Array, dose_time_h: Array, dose_mg: Array, time_h: Array, y: Array
) -> AnyProblem:
    r, last = model.residual, time_h.size - 1
    below = y < LIMIT_NG_ML
    these = levels(
        np.where(below, LIMIT_NG_ML, y),
        residual_kind=r.code,
        additive_ng_ml=r.additive_ng_ml,
        proportional=r.log_sd if r.on_log_scale else r.proportional,
        censoring=np.where(below, -1, 0),
        weight=np.arange(time_h.size) < last,
    )
    if model.saturable is not None:
        return FunctionProblem(
            predict=lambda eta: predict(model, parameters, dose_time_h, dose_mg, time_h, eta),
            omega=model.omega,
            levels=these,
        )
    assert model.structure is not None
    times = np.concatenate([time_h, dose_time_h])  # a level before the dose at the same time
    order = np.argsort(times, kind="stable")
    dose = (np.arange(times.size) >= time_h.size)[order]
    amounts = np.concatenate([np.zeros(time_h.size), dose_mg])[order]
    which, kind = effect_index(model)
    return Problem(
        structure=model.structure,
        events=events_from_columns(time_h=times[order], evid=dose.astype(int), amount_mg=amounts),
        typical=parameters[None],
        eta_of_parameter=which,
        effect_kind=kind,
        omega=model.omega,
        levels=these,
    )
