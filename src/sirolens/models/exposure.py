# SPDX-License-Identifier: Apache-2.0
"""What a regimen leads to once it has gone on long enough: troughs and the area under the curve at steady state.

A linear model answers for one milligram; every dose of the same rhythm is a weighted sum of that answer, so a table of
regimens costs one pass per rhythm. Saturable absorption is turned into boluses once per regimen; the disposition that
follows is linear again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.kernel import kernel
from sirolens.engine.linear import PARAMETERS, steady_state
from sirolens.engine.linear_layout import LAMBDA, ROWS, V1, U
from sirolens.engine.linear_modes import fill_basis
from sirolens.engine.saturable import periodic_input
from sirolens.models.covariates import typical
from sirolens.models.population import PopulationModel, Saturable
from sirolens.models.predict import CL, F1, F2, Periods, structure_of
from sirolens.regimen import Cycle

__all__ = [
    "Exposure",
    "Modes",
    "Rhythm",
    "auc24",
    "combine",
    "disposition_modes",
    "forecast_parameters",
    "rhythm",
    "saturable_troughs",
    "steady_state_exposure",
    "steady_state_trough",
    "steady_state_troughs",
    "unit_troughs",
]

Array = NDArray[np.float64]

Rhythm = tuple[float, tuple[float, ...]]
"""When doses are taken, whatever their size: length of the cycle and time of each dose in it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Exposure at steady state, one row per draw.

    Parameters
    ----------
    trough_ng_ml : ndarray (n,)
        Lowest concentration before a dose within the cycle.
    highest_trough_ng_ml : ndarray (n,)
        Highest concentration before a dose within the cycle; the same for one dose per cycle.
    auc24_ng_h_ml : ndarray (n,), optional
        Mean area under the curve of 24 h; None where the model cannot know it.
    """

    trough_ng_ml: Array
    highest_trough_ng_ml: Array
    auc24_ng_h_ml: Array | None


def rhythm(cycle: Cycle) -> Rhythm:
    """Return when a regimen's doses are taken, whatever their size."""
    return cycle.period_h, cycle.offset_h


def forecast_parameters(
    model: PopulationModel,
    found: Periods,
    period: int,
    *,
    missing: Mapping[str, float] | None = None,
    scale: float = 1.0,
    daily_mg: float | None = None,
) -> Array:
    """Return the typical parameters of one period, for a regimen to come.

    Parameters
    ----------
    model, found, missing, scale
        As in `sirolens.models.predict.typical_parameters`.
    period : int
        Which period of `found`.
    daily_mg : float, optional
        The regimen's daily dose, for the rare model in which clearance depends on it.

    Returns
    -------
    ndarray, shape (15,)
    """
    values = {**(missing or {}), **{name: float(column[period]) for name, column in found.values.items()}}
    if daily_mg is not None:
        values |= {one.name: daily_mg for one in model.covariates if one.chart == "daily-dose"}
    out: Array = np.array(typical(model, values)[0])
    out[CL] *= found.clearance[period]
    out[[F1, F2]] *= found.bioavailability[period] * scale
    return out


def unit_troughs(model: PopulationModel, parameters: Array, pattern: Rhythm) -> Array:
    """Compute what one milligram in each place of a rhythm adds to each trough at steady state.

    Parameters
    ----------
    model : PopulationModel
        A linear model without saturable absorption.
    parameters : ndarray (n, 15)
        Individual parameters.
    pattern : Rhythm
        Length of the cycle and k dose times.

    Returns
    -------
    ndarray, shape (n, k, k)
        [draw, trough before dose i, dose j], ng/mL per mg.
    """
    period_h, offset_h = pattern
    offsets = np.asarray(offset_h, np.float64)
    since_h = (offsets[:, None] - offsets[None, :]) % period_h
    since_h[since_h == 0.0] = period_h
    times, where = np.unique(since_h.ravel(), return_inverse=True)
    found = steady_state(
        structure_of(model), parameters, period_h=period_h, dose_time_h=[0.0], dose_mg=[1.0], output_time_h=times
    )
    return np.asarray(found.conc_ng_ml[:, where.reshape(since_h.shape)])


def combine(unit: Array, amount_mg: tuple[float, ...]) -> Array:
    """Add up what each dose contributes to each trough.

    A sum, not a matrix product: the digits do not depend on how many threads multiply.

    Parameters
    ----------
    unit : ndarray (n, k, k)
        From `unit_troughs`.
    amount_mg : tuple of float
        The k doses.

    Returns
    -------
    ndarray, shape (n, k)
    """
    total = np.zeros(unit.shape[:2])
    for j, amount in enumerate(amount_mg):
        total += unit[:, :, j] * amount
    return total


def steady_state_troughs(model: PopulationModel, parameters: Array, cycle: Cycle) -> Array:
    """Compute the concentration before each dose of a regimen at steady state.

    Parameters
    ----------
    model : PopulationModel
        Its structure and absorption.
    parameters : ndarray (n, 15)
        Individual parameters.
    cycle : Cycle
        The regimen.

    Returns
    -------
    ndarray, shape (n, k)
        In ng/mL, in the order of the doses.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> from sirolens.models.covariates import typical
    >>> mao = load("mao_2024")
    >>> daily_1_mg = Cycle(period_h=24.0, offset_h=(0.0,), amount_mg=(1.0,))
    >>> steady_state_troughs(mao, typical(mao, {"HCT": [38.0]}), daily_1_mg).round(2)
    array([[5.02]])
    """
    if model.saturable is None:
        return combine(unit_troughs(model, parameters, rhythm(cycle)), cycle.amount_mg)
    return saturable_troughs(model.saturable, disposition_modes(model, parameters), cycle)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Modes:
    """What one milligram in the central compartment leaves: a sum of exponentials.

    Parameters
    ----------
    rate_per_h, weight_ng_ml_per_mg : ndarray (n, compartments)
        Rate and height of each, bioavailability included.
    """

    rate_per_h: Array
    weight_ng_ml_per_mg: Array
    _kept: dict[tuple[float, bytes], Array] = field(default_factory=dict, repr=False)

    def repeated(self, period_h: float, since_h: Array) -> Array:
        """Return what 1 mg every `period_h` leaves, `since_h` after its last time, shape (m, n); kept once computed.

        ::

            sum_i w_i exp(-r_i s) / (1 - exp(-r_i P))
        """
        key = (period_h, since_h.tobytes())
        if key not in self._kept:
            out = np.empty((since_h.size, len(self.rate_per_h)))
            _repeated(self.rate_per_h, self.weight_ng_ml_per_mg, period_h, since_h, out)
            self._kept[key] = out
        return self._kept[key]


def disposition_modes(model: PopulationModel, parameters: Array) -> Modes:
    """Split the disposition of each draw into exponentials: C = sum_i w_i exp(-r_i t) after 1 mg into the centre."""
    n = structure_of(model).compartments
    rate, weight = np.empty((len(parameters), n)), np.empty((len(parameters), n))
    _fill_modes(n, np.ascontiguousarray(parameters), rate, weight)
    return Modes(rate_per_h=rate, weight_ng_ml_per_mg=weight)


@kernel
def _fill_modes(n: int, parameters: Array, rate: Array, weight: Array) -> None:
    basis = np.zeros(ROWS)
    for lane in range(len(parameters)):
        fill_basis(n, parameters[lane], basis)
        for i in range(n):
            u = basis[U + i]
            rate[lane, i] = basis[LAMBDA + i]
            weight[lane, i] = 1000.0 * u * u * parameters[lane, F2] / parameters[lane, V1]


def saturable_troughs(absorption: Saturable, modes: Modes, cycle: Cycle) -> Array:
    """Compute troughs at steady state behind a saturable absorption.

    With boluses a_j at t_j in a cycle of length P, at time T

        C = sum_i w_i sum_j a_j exp(-r_i ((T - t_j) mod P)) / (1 - exp(-r_i P))

    Parameters
    ----------
    absorption : Saturable
        Its rate.
    modes : Modes
        The disposition of each draw.
    cycle : Cycle
        The regimen, k doses.

    Returns
    -------
    ndarray, shape (n, k)
    """
    before_h = np.asarray(cycle.offset_h, np.float64)
    time_h, amount_mg = periodic_input(
        cycle.period_h, cycle.offset_h, cycle.amount_mg, absorption.vmax_mg_h, absorption.km_mg, before_h
    )
    out = np.empty((len(modes.rate_per_h), before_h.size))
    for k, at_h in enumerate(before_h):
        since_h = (at_h - time_h) % cycle.period_h
        # A bolus at the very instant of the trough belongs to the dose after it.
        since_h[since_h == 0.0] = cycle.period_h
        # The nodes of many doses lie at the same times: only their amounts differ.
        _add_up(modes.repeated(cycle.period_h, since_h), amount_mg, out[:, k])
    return out


@kernel
def _repeated(rate: Array, weight: Array, period_h: float, since_h: Array, out: Array) -> None:
    out[:] = 0.0
    for i in range(rate.shape[1]):
        for lane in range(rate.shape[0]):
            r = rate[lane, i]
            height = weight[lane, i] / -math.expm1(-r * period_h)
            for j in range(since_h.size):
                out[j, lane] += height * math.exp(-r * since_h[j])


@kernel
def _add_up(each: Array, amount_mg: Array, out: Array) -> None:
    out[:] = 0.0
    for j in range(amount_mg.size):
        for lane in range(out.size):
            out[lane] += amount_mg[j] * each[j, lane]


def steady_state_trough(model: PopulationModel, parameters: Array, cycle: Cycle) -> Array:
    """Compute the lowest concentration before a dose at steady state, shape (n,), ng/mL."""
    return np.asarray(steady_state_troughs(model, parameters, cycle).min(axis=1))


def auc24(model: PopulationModel, parameters: Array, cycle: Cycle) -> Array:
    """Compute the mean area under the curve of 24 h at steady state, in ng h/mL.

    ::

        AUC24 = 1000 F daily dose / CL

    Parameters
    ----------
    model : PopulationModel
        Decides which bioavailability counts.
    parameters : ndarray (n, 15)
        Individual parameters.
    cycle : Cycle
        The regimen.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> from sirolens.models.covariates import typical
    >>> wu = load("wu_2012")
    >>> daily_2_mg = Cycle(period_h=24.0, offset_h=(0.0,), amount_mg=(2.0,))
    >>> auc24(wu, typical(wu, {"HCT": [35.1]}), daily_2_mg).round(1)
    array([155.])
    """
    f = F2 if model.saturable is not None else F1
    return np.asarray(1000.0 * parameters[:, f] * cycle.daily_mg / parameters[:, CL])


def steady_state_exposure(model: PopulationModel, parameters: Array, cycle: Cycle) -> Exposure:
    """Compute troughs and, where the model can know it, the area under the curve at steady state.

    Parameters
    ----------
    model : PopulationModel
        A model that does not support ``"auc"`` gives none.
    parameters : ndarray (n, 15)
        Individual parameters.
    cycle : Cycle
        The regimen.
    """
    assert parameters.shape[1] == len(PARAMETERS)
    troughs = steady_state_troughs(model, parameters, cycle)
    return Exposure(
        trough_ng_ml=troughs.min(axis=1),
        highest_trough_ng_ml=troughs.max(axis=1),
        auc24_ng_h_ml=auc24(model, parameters, cycle) if "auc" in model.supports else None,
    )
