# SPDX-License-Identifier: Apache-2.0
"""Simulated concentrations for every patient of an event table: what the model's population would show.

Every patient has random streams of its own, named by its id: adding, dropping or reordering patients changes nobody
else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.sampling import correlated, normal, stream
from sirolens.models.population import PopulationModel
from sirolens.models.residual import sd
from sirolens.models.table_prediction import Prepared, predict_table

if TYPE_CHECKING:
    import pandas

__all__ = ["Simulated", "simulate_patient", "simulate_table", "with_residual"]

Array = NDArray[np.float64]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulated:
    """Simulations of one patient.

    Parameters
    ----------
    eta : ndarray, shape (draws, n_eta)
        Random effects.
    level_ng_ml : ndarray, shape (draws, outputs)
        True concentrations.
    observed_ng_ml : ndarray, shape (draws, outputs)
        The same with residual error; additive error may take a low one below zero.
    """

    eta: Array
    level_ng_ml: Array
    observed_ng_ml: Array


def with_residual(model: PopulationModel, level_ng_ml: Array, deviate: Array) -> Array:
    """Add residual error to predictions.

    ::

        y = f + sd(f) e      or, on the logarithmic scale,      y = f exp(s e)

    Parameters
    ----------
    model : PopulationModel
        Its residual error.
    level_ng_ml, deviate : ndarrays
        Predictions f and standard normal numbers e, of one shape.
    """
    spread = sd(model.residual, level_ng_ml) * deviate
    return level_ng_ml * np.exp(spread) if model.residual.on_log_scale else level_ng_ml + spread


def simulate_patient(prepared: Prepared, patient: int, *, draws: int, seed: int) -> Simulated:
    """Simulate one patient of a table.

    Parameters
    ----------
    prepared : Prepared
        Table and model.
    patient : int
        Position of the patient in the table.
    draws : int
        How many replicates.
    seed : int
        Seeds the patient's streams.
    """
    model, name = prepared.model, prepared.table.ids[patient]
    eta = correlated(model.omega, normal(stream(seed, "eta", name), (draws, len(model.eta_names))))
    level = predict_table(prepared, eta, np.full(draws, patient)).values.reshape(draws, -1)
    deviate = normal(stream(seed, "residual", name), level.shape)
    return Simulated(eta=eta, level_ng_ml=level, observed_ng_ml=with_residual(model, level, deviate))


def _patients(prepared: Prepared, draws: int, seed: int) -> Iterator[Simulated]:
    return (simulate_patient(prepared, p, draws=draws, seed=seed) for p in range(prepared.patients))


def simulate_table(prepared: Prepared, *, draws: int, seed: int) -> pandas.DataFrame:
    """Simulate a table and summarise the draws.

    Parameters
    ----------
    prepared : Prepared
        Table and model.
    draws : int
        Replicates per patient; 0 gives the typical prediction alone.
    seed : int
        Seeds all streams.

    Returns
    -------
    pandas.DataFrame
        One row per output record: ID, TIME, PRED (typical), and with draws the 5th, 25th, 50th, 75th and 95th
        percentile of the true concentration (IPRED_P05 ...) and of the measured one (DV_P05 ...), all in ng/mL.
    """
    import pandas

    table = prepared.table
    owner = np.repeat(np.arange(prepared.patients), np.diff(table.start))
    columns: dict[str, object] = {
        "ID": np.array(table.ids, dtype=object)[owner[prepared.output]],
        "TIME": table.time_h[prepared.output],
        "PRED": typical_predictions(prepared),
    }
    if draws:
        summaries = [
            (np.quantile(s.level_ng_ml, QUANTILES, axis=0), np.quantile(s.observed_ng_ml, QUANTILES, axis=0))
            for s in _patients(prepared, draws, seed)
        ]
        for name, which in (("IPRED", 0), ("DV", 1)):
            joined = np.concatenate([summary[which] for summary in summaries], axis=1)
            columns |= {f"{name}_P{round(100 * q):02d}": joined[row] for row, q in enumerate(QUANTILES)}
    return pandas.DataFrame(columns)


def typical_predictions(prepared: Prepared) -> Array:
    """Predict every output with all random effects at zero."""
    zero = np.zeros((prepared.patients, len(prepared.model.eta_names)))
    return np.asarray(predict_table(prepared, zero, np.arange(prepared.patients)).values)
