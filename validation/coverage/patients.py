# SPDX-License-Identifier: Apache-2.0
"""Patients simulated from one model and fitted with every model of their age group, alone and averaged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from sirolens.dosing.applicability import default_models
from sirolens.dosing.average import estimates
from sirolens.dosing.estimate import estimate
from sirolens.dosing.estimate_problem import COMMON_RESIDUAL
from sirolens.engine.sampling import correlated, normal, stream, uniform, weighted_quantile
from sirolens.models.exposure import forecast_parameters, steady_state_trough
from sirolens.models.population import PopulationModel, individual
from sirolens.models.predict import periods, predictor
from sirolens.models.residual import sd
from sirolens.models.timeline import History, Observed, Timeline
from sirolens.regimen import Cycle

__all__ = ["AVERAGED", "Bands", "bands", "covered", "simulated"]

Array = NDArray[np.float64]

AVERAGED = "averaged"
DAYS = 60
LEVEL_DAYS = (28, 42, 56)
LLOQ_NG_ML = 1.0
ADULT_MG = (1.0, 2.0, 3.0)
CHILD_MG_KG = 0.06  # to a tenth of a milligram (ASSUMED)
BAND = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """One patient: the truth, and the 5, 50 and 95 % points of every fit by the model's name."""

    true_ng_ml: float
    levels: int
    fit: dict[str, tuple[float, float, float]]
    weight: dict[str, float]


def _covariates(draw: Array, *, child: bool) -> dict[str, float]:
    """Everything a model could ask for is known: what is studied is the model, not missing values."""
    if child:
        weight = float(np.exp(np.log(9.0) + draw[0] * np.log(38.0 / 9.0)))
        return {
            "age": 2.0 + 12.0 * (weight - 9.0) / 29.0,
            "weight": weight,
            "bilirubin": float(np.exp(np.log(4.0) + draw[1] * np.log(8.0))),
            "haematocrit": 34.0 + 8.0 * draw[2],
            "cholesterol": 4.0,
            "ast": 25.0,
        }
    return {
        "age": 18.0 + 57.0 * draw[0],
        "weight": 48.0 + 40.0 * draw[1],
        "haematocrit": 28.0 + 17.0 * draw[2],
        "cholesterol": 3.3 + 3.5 * draw[3],
        "ast": 12.0 + 33.0 * draw[4],  # a quarter above the threshold of 37 U/L
    }


def simulated(
    truth: PopulationModel, number: int, levels: int, *, child: bool, seed: int, routine: bool = False
) -> tuple[History, float]:
    """Simulate one patient; return the history and the true trough of what is taken, at steady state.

    The truth is the published model: its typical values, its spread between patients, its residual error, or with
    `routine` the scatter that is assumed of routine care instead. Levels below 1 ng/mL are told as "< 1".
    """
    random = stream(seed, "coverage", truth.name, number)
    known = _covariates(uniform(random, (5,)), child=child)
    dose_mg = round(CHILD_MG_KG * known["weight"], 1) if child else ADULT_MG[number % len(ADULT_MG)]
    cycle = Cycle(period_h=24.0, offset_h=(0.0,), amount_mg=(dose_mg,))
    history = History(
        origin=datetime(2026, 1, 1, tzinfo=UTC),
        now_h=24.0 * DAYS,
        dose_time_h=tuple(24.0 * day for day in range(DAYS)),
        dose_mg=(dose_mg,) * DAYS,
        covariates={name: Timeline(time_h=(0.0,), value=(value,)) for name, value in known.items()},
        facts={"disease": "primary-itp", "population": "chinese", "sex": "female"},
        current=cycle,
    )
    eta = correlated(np.array(truth.omega), normal(random, (1, len(truth.eta_names))))
    row = forecast_parameters(truth, periods(truth, history), 0)
    true_ng_ml = float(steady_state_trough(truth, individual(truth, row, eta), cycle)[0])
    days = LEVEL_DAYS[len(LEVEL_DAYS) - levels :]
    exact = predictor(truth, history, [24.0 * day for day in days])(eta)[0]
    z = normal(random, (levels,))
    residual = COMMON_RESIDUAL if routine else truth.residual
    measured = exact * np.exp(residual.log_sd * z) if residual.on_log_scale else exact + z * sd(residual, exact)
    observed = tuple(
        Observed(
            time_h=24.0 * day,
            level_ng_ml=max(float(value), LLOQ_NG_ML),
            censoring=-1 if value < LLOQ_NG_ML else 0,
            after_dose_h=24.0,
            settled_d=float(day),
        )
        for day, value in zip(days, measured, strict=True)
    )
    return replace(history, levels=observed), true_ng_ml


def bands(
    history: History, true_ng_ml: float, *, draws: int, seed: int, further: tuple[PopulationModel, ...] = ()
) -> Bands:
    """Fit one patient with each default model, with further ones, and with the average of the default ones."""
    cycle = history.current
    assert cycle is not None
    found = estimates(history, default_models(history), seed=seed, draws=draws)
    parts = {member.model.name: member.trough_draws(cycle) for member in found.members}
    for model in further:
        parts[model.name] = estimate(history, model, seed=seed, draws=draws).trough_draws(cycle)
    parts[AVERAGED] = found.trough_draws(cycle)
    fit = {}
    for name, (value, weight) in parts.items():
        low, median, high = (float(point) for point in weighted_quantile(value, weight, BAND))
        fit[name] = (low, median, high)
    shares = {member.model.name: member.weight for member in found.members}
    return Bands(true_ng_ml=true_ng_ml, levels=len(history.levels), fit=fit, weight=shares)


def covered(found: list[Bands], name: str) -> float:
    """Return the share of patients whose true trough lies in one fit's 90 % band."""
    return float(np.mean([one.fit[name][0] <= one.true_ng_ml <= one.fit[name][2] for one in found]))
