# SPDX-License-Identifier: Apache-2.0
"""From a patient's history and random effects to concentrations, under one population model.

Covariates and interactions cut time into periods with constant parameters; within each the linear disposition is
propagated exactly. What a covariate is between two measurements is the history's `Carry`: forward means that the
interval up to an event has the value that was last known before it, backward (NONMEM's reading) that it has the value
measured next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.effects import apply_effects
from sirolens.engine.linear import PARAMETERS, Events, Structure, concentrations, events_from_columns
from sirolens.engine.sampling import correlated, sobol_normal
from sirolens.engine.saturable import BolusRuns, SteadyCycle, absorbed_input
from sirolens.engine.saturable_response import response
from sirolens.errors import InputError
from sirolens.message import error
from sirolens.models.covariates import to_model_unit, typical
from sirolens.models.population import PopulationModel, individual
from sirolens.models.timeline import Carry, History, Multiplier, Observed, Prelude, Timeline

__all__ = [
    "Carry",
    "History",
    "Multiplier",
    "Observed",
    "Periods",
    "Predictor",
    "Prelude",
    "Timeline",
    "disturb_log_normal",
    "periods",
    "population_curves",
    "predict",
    "predictor",
    "structure_of",
    "typical_parameters",
]

Array = NDArray[np.float64]

OTHER, OBSERVATION, DOSE = 2, 0, 1
CL, F1, F2 = (PARAMETERS.index(name) for name in ("cl_l_h", "f1", "f2"))
# At one instant parameters change first, then a sample is drawn, then a dose is given: a trough is before its dose.
_RANK = {OTHER: 0, OBSERVATION: 1, DOSE: 2}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Stretches of time in which one model's covariates and a patient's interactions do not change.

    Parameters
    ----------
    edge_h : ndarray (k,)
        Where one period ends and the next begins.
    values : mapping of str to ndarray (k + 1,)
        Covariates by the model's names and in its units; a name is absent where nothing was measured.
    clearance, bioavailability : ndarray (k + 1,)
        Products of the interactions in force.
    """

    edge_h: Array
    values: Mapping[str, Array]
    clearance: Array
    bioavailability: Array

    def index(self, time_h: ArrayLike, carry: Carry) -> NDArray[np.int64]:
        """Period of an instant: the one that begins there (forward) or ends there (backward)."""
        times = np.asarray(time_h, dtype=np.float64)
        if carry is Carry.FORWARD:
            return np.searchsorted(self.edge_h, times, side="right").astype(np.int64)
        return np.searchsorted(self.edge_h, times, side="left").astype(np.int64)


def periods(model: PopulationModel, history: History, cuts: Sequence[float] = ()) -> Periods:
    """Cut a history where a covariate of the model or an interaction changes.

    Parameters
    ----------
    model : PopulationModel
        Names the covariates that matter.
    history : History
        The patient.
    cuts : sequence of float
        Further instants to cut at, such as the beginnings of occasions.

    Returns
    -------
    Periods
        One more period than edges.
    """
    found = {
        covariate.name: (covariate, history.covariates[covariate.chart])
        for covariate in model.covariates
        if covariate.chart in history.covariates
    }
    edges = set(cuts) | {edge for _, timeline in found.values() for edge in _changes(timeline, history.carry)}
    edges |= {edge for one in history.multipliers for edge in (one.start_h, one.stop_h) if np.isfinite(edge)}
    edge_h = np.array(sorted(edges), dtype=np.float64)
    middle_h = _middles(edge_h)
    inside = [(one, (one.start_h < middle_h) & (middle_h < one.stop_h)) for one in history.multipliers]
    clearance, bioavailability = np.ones(middle_h.size), np.ones(middle_h.size)
    for one, where in inside:
        clearance[where] *= one.clearance
        bioavailability[where] *= one.bioavailability
    return Periods(
        edge_h=edge_h,
        values={
            name: np.asarray(to_model_unit(covariate, timeline.over(middle_h, history.carry)))
            for name, (covariate, timeline) in found.items()
        },
        clearance=clearance,
        bioavailability=bioavailability,
    )


def _changes(timeline: Timeline, carry: Carry) -> list[float]:
    """Instants at which another value begins to hold: its own time, or (read backward) the time measured before it."""
    times, values = timeline.time_h, timeline.value
    own = 0 if carry is Carry.FORWARD else 1
    return [times[i - own] for i in range(1, len(times)) if values[i] != values[i - 1]]


def disturb_log_normal(values: Array, eta: Array) -> Array:
    """Multiply by exp(eta), by the kernel that makes the same digits everywhere."""
    first, log_normal = np.zeros(1, np.int64), np.zeros(1, np.int64)
    return np.asarray(apply_effects(values[:, None], eta[:, None], first, log_normal, paired=True)[:, 0])


def _middles(edge_h: Array) -> Array:
    if edge_h.size == 0:
        return np.zeros(1)
    return np.concatenate(([edge_h[0] - 1.0], 0.5 * (edge_h[1:] + edge_h[:-1]), [edge_h[-1] + 1.0]))


def typical_parameters(
    model: PopulationModel,
    found: Periods,
    *,
    missing: Mapping[str, float] | None = None,
    thetas: Mapping[str, float] | None = None,
    scale: float = 1.0,
) -> Array:
    """Compute the typical parameters of every period, interactions included.

    ::

        CL = CL(covariates) * product of clearance multipliers
        F  = F(covariates) * product of bioavailability multipliers * scale

    Parameters
    ----------
    model : PopulationModel
        Whose formulas.
    found : Periods
        From `periods`.
    missing : mapping of str to float, optional
        Values for covariates nobody measured, by the model's names.
    thetas : mapping of str to float, optional
        Values instead of the published ones.
    scale : float
        What every concentration is multiplied by, such as the factor between two assays.

    Returns
    -------
    ndarray, shape (periods, 15)

    Raises
    ------
    InputError
        As `sirolens.models.covariates.typical`.
    """
    computed = typical(model, {**(missing or {}), **found.values}, thetas=dict(thetas or {}))
    out = np.array(np.broadcast_to(computed, (found.clearance.size, len(PARAMETERS))))
    out[:, CL] *= found.clearance
    out[:, F1] *= found.bioavailability * scale
    out[:, F2] *= found.bioavailability * scale
    return out


def structure_of(model: PopulationModel) -> Structure:
    """Return the compartments of a linear model.

    Raises
    ------
    InputError
        ``estimate.own-equations`` for a model of own differential equations.
    """
    if model.structure is None:
        raise InputError(error("estimate.own-equations", model=model.label))
    return model.structure


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictor:
    """A history made ready for one model: everything that does not depend on the random effects is done.

    Parameters
    ----------
    model : PopulationModel
        The model.
    typical : ndarray (periods, 15)
        Typical parameters, interactions included.
    periods : Periods
        What they stand for.
    time_h : ndarray (m,)
        When a concentration is wanted; ascending.
    events : Events, optional
        The records of a linear model.
    runs : BolusRuns, optional
        The boluses that stand for saturable absorption.
    stop_h : ndarray (s,)
        Where the boluses can be answered.
    carry : Carry
        How covariates are read.
    occasion_eta : ndarray of int (periods,), optional
        Which further eta is added to log CL in each period; -1 for none.
    """

    model: PopulationModel
    typical: Array
    periods: Periods
    time_h: Array
    carry: Carry
    occasion_eta: NDArray[np.int64] | None = None
    events: Events | None = None
    runs: BolusRuns | None = None
    stop_h: Array = field(default_factory=lambda: np.zeros(0))

    def individual(self, eta: Array) -> Array:
        """Individual parameters of every period, (n, periods, 15)."""
        values = individual(self.model, self.typical, eta[:, : len(self.model.eta_names)])
        for period, which in enumerate(() if self.occasion_eta is None else self.occasion_eta):
            if which >= 0:
                values[:, period, CL] = disturb_log_normal(values[:, period, CL], eta[:, which])
        return values

    def __call__(self, eta: ArrayLike) -> Array:
        """Predict for draws of the random effects (n, n_eta); shape (n, m), ng/mL."""
        values = self.individual(np.atleast_2d(np.asarray(eta, dtype=np.float64)))
        shape = (len(values), self.time_h.size)
        structure = structure_of(self.model)
        if self.events is not None:
            lanes = np.zeros(len(values), np.int64)
            return concentrations(structure, self.events, values, lanes, check=False).values.reshape(shape)
        if self.runs is None or self.runs.cycles.size == 0:
            return np.zeros(shape)
        middle_h = self.runs.start_h + 0.5 * self.runs.period_h
        found = response(
            self.runs,
            cast(Literal[1, 2, 3], structure.compartments),
            values,
            run_set=self.periods.index(middle_h, self.carry),
            stop_set=self.periods.index(self.stop_h, self.carry),
        )
        out = np.zeros(shape)
        answered = np.isin(self.time_h, self.stop_h)
        out[:, answered] = found[:, np.searchsorted(self.stop_h, self.time_h[answered])]
        return out


def predictor(
    model: PopulationModel,
    history: History,
    time_h: ArrayLike,
    *,
    missing: Mapping[str, float] | None = None,
    thetas: Mapping[str, float] | None = None,
    scale: float = 1.0,
    occasions: Sequence[float] = (),
) -> Predictor:
    """Do once what no random effect changes: covariates, events, absorption.

    Parameters
    ----------
    model : PopulationModel
        The model.
    history : History
        The patient; doses after the last time asked for do not matter.
    time_h : array_like (m,)
        When a concentration is wanted; ascending.
    missing, thetas, scale
        As in `typical_parameters`.
    occasions : sequence of float
        Where later occasions begin, ascending; occasion j adds eta ``n_eta + j - 1`` to log CL.

    Returns
    -------
    Predictor
        Call it with random effects.

    Raises
    ------
    InputError
        A covariate is missing or impossible, or the model has own differential equations.
    """
    structure_of(model)
    found = periods(model, history, occasions)
    wanted = np.atleast_1d(np.asarray(time_h, dtype=np.float64))
    known = _until(history, wanted.max(initial=-np.inf))
    ready = Predictor(
        model=model,
        typical=typical_parameters(model, found, missing=missing, thetas=thetas, scale=scale),
        periods=found,
        time_h=wanted,
        carry=history.carry,
        occasion_eta=_occasions(model, found, occasions),
    )
    if model.saturable is None:
        return replace(ready, events=_events(known, found, wanted))
    stop_h, runs = _absorbed(model, known, found, wanted)
    return replace(ready, stop_h=stop_h, runs=runs)


def _events(history: History, found: Periods, wanted: Array) -> Events:
    """Write doses, changes of parameters and the times asked for as one table of events."""
    doses = _dose_records(history)
    first_h = min(doses["time_h"].min(initial=np.inf), wanted.min(initial=np.inf))
    edges = found.edge_h[found.edge_h > first_h]
    times = np.concatenate([doses["time_h"], wanted, edges])
    evid = np.repeat([DOSE, OBSERVATION, OTHER], [doses["time_h"].size, wanted.size, edges.size])
    order = np.lexsort((np.array([_RANK[int(kind)] for kind in evid]), times))
    fill = np.zeros(wanted.size + edges.size)
    columns = {name: np.concatenate([doses[name], fill])[order] for name in ("amount_mg", "ii_h", "ss")}
    before, at = _sets(found, times[order], history.carry)
    return events_from_columns(
        time_h=times[order],
        evid=evid[order],
        amount_mg=columns["amount_mg"],
        ii_h=columns["ii_h"],
        ss=columns["ss"],
        before=before,
        at=at,
    )


def _occasions(model: PopulationModel, found: Periods, occasions: Sequence[float]) -> NDArray[np.int64] | None:
    """Number of the further eta in each period."""
    if not occasions:
        return None
    number = np.searchsorted(np.asarray(occasions, np.float64), _middles(found.edge_h), side="right")
    return np.where(number > 0, len(model.eta_names) + number - 1, -1).astype(np.int64)


def _until(history: History, last_h: float) -> History:
    """Leave out doses that come after everything that is asked for."""
    count = int(np.searchsorted(np.asarray(history.dose_time_h, np.float64), last_h))
    return replace(history, dose_time_h=history.dose_time_h[:count], dose_mg=history.dose_mg[:count])


def _sets(found: Periods, times: Array, carry: Carry) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Parameter set of the interval that ends at each record, and of the record itself."""
    at = found.index(times, carry)
    if carry is Carry.BACKWARD:
        return at, at
    before = at.copy()
    before[1:] = at[:-1]
    return before, at


def _dose_records(history: History) -> dict[str, Array]:
    """Doses as records.

    A stated steady state is one SS 1 record and SS 2 records for the other doses of its cycle, one period before the
    last cycle: from that cycle on, everything that was ever taken is there.
    """
    times, amounts = _known_doses(history)
    none = np.zeros(times.size)
    columns = {"time_h": times, "amount_mg": amounts, "ii_h": none, "ss": none}
    prelude = history.prelude
    if prelude is None:
        return columns
    k = len(prelude.time_h)
    ahead = {
        "time_h": np.asarray(prelude.time_h) - prelude.period_h,
        "amount_mg": np.asarray(prelude.amount_mg),
        "ii_h": np.full(k, prelude.period_h),
        "ss": np.array([1.0] + [2.0] * (k - 1)),
    }
    return {name: np.concatenate([ahead[name], column]) for name, column in columns.items()}


def _known_doses(history: History) -> tuple[Array, Array]:
    """Times and amounts, the last cycle of a stated steady state included."""
    times, amounts = np.asarray(history.dose_time_h, np.float64), np.asarray(history.dose_mg, np.float64)
    if history.prelude is None:
        return times, amounts
    return np.concatenate([history.prelude.time_h, times]), np.concatenate([history.prelude.amount_mg, amounts])


def _absorbed(model: PopulationModel, history: History, found: Periods, wanted: Array) -> tuple[Array, BolusRuns]:
    """Doses after saturable absorption: boluses into the central compartment, exact at the stops."""
    assert model.saturable is not None
    times, amounts = _known_doses(history)
    cycle: SteadyCycle | None = None
    begin_h = times.min(initial=np.inf)
    if (prelude := history.prelude) is not None:
        begin_h = prelude.time_h[0]
        cycle = SteadyCycle(
            until_h=begin_h,
            period_h=prelude.period_h,
            dose_time_h=np.asarray(prelude.time_h) - begin_h,
            dose_mg=np.asarray(prelude.amount_mg),
        )
    stops = np.unique(np.concatenate([wanted, found.edge_h]))
    stops = stops[(stops >= begin_h) & (stops <= wanted.max(initial=begin_h))]
    runs = absorbed_input(times, amounts, model.saturable.vmax_mg_h, model.saturable.km_mg, stops, before=cycle)
    return stops, runs


def predict(
    model: PopulationModel,
    history: History,
    eta: ArrayLike,
    time_h: ArrayLike,
    *,
    missing: Mapping[str, float] | None = None,
    scale: float = 1.0,
) -> Array:
    """Predict concentrations at given times for many draws of the random effects.

    Parameters
    ----------
    model : PopulationModel
        The model.
    history : History
        The patient; doses after the last time asked for do not matter.
    eta : array_like (n, n_eta)
        Random effects; zeros are the typical patient with these covariates.
    time_h : array_like (m,)
        Hours, in any order. At the time of a dose the value is the one before it.
    missing : mapping of str to float, optional
        Values for covariates nobody measured.
    scale : float
        As in `typical_parameters`.

    Returns
    -------
    ndarray, shape (n, m)
        Concentrations in ng/mL.

    Raises
    ------
    InputError
        A covariate is missing or impossible, or the model has own differential equations.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from sirolens.models.catalog import load
    >>> child = History(
    ...     origin=datetime(2026, 1, 1, tzinfo=UTC),
    ...     now_h=720.0,
    ...     dose_time_h=tuple(24.0 * day for day in range(30)),
    ...     dose_mg=(1.0,) * 30,
    ...     covariates={
    ...         "weight": Timeline(time_h=(0.0,), value=(28.5,)),
    ...         "bilirubin": Timeline(time_h=(0.0,), value=(11.29,)),
    ...     },
    ... )
    >>> predict(load("cheng_2020"), child, [[0.0, 0.0]], [720.0]).round(2)
    array([[4.71]])
    """
    wanted = np.atleast_1d(np.asarray(time_h, dtype=np.float64))
    order = np.argsort(wanted, kind="stable")
    computed = predictor(model, history, wanted[order], missing=missing, scale=scale)(eta)
    out = np.empty_like(computed)
    out[:, order] = computed
    return out


def population_curves(
    model: PopulationModel,
    history: History,
    time_h: ArrayLike,
    *,
    draws: int = 1000,
    seed: int = 0,
    probabilities: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
    missing: Mapping[str, float] | None = None,
) -> Array:
    """Compute quantiles of concentrations over patients who share these doses and covariates.

    Parameters
    ----------
    model, history, time_h, missing
        As in `predict`.
    draws : int
        Quasi-random patients.
    seed : int
        Scrambles them.
    probabilities : sequence of float
        Which quantiles.

    Returns
    -------
    ndarray, shape (len(probabilities), m)
        In ng/mL.
    """
    normals = sobol_normal(draws, model.omega.shape[0], seed, "population-curves", model.full_name)
    values = predict(model, history, correlated(model.omega, normals), time_h, missing=missing)
    return np.asarray(np.quantile(values, probabilities, axis=0))
