# SPDX-License-Identifier: Apache-2.0
"""What virtual patients swallow becomes what their blood holds: dose histories, missed doses, any catalogue model.

Concentrations come from the exact engines that also dose real patients. All patients of a history share the
times of its doses; how much each swallows is a matrix, so that a hundred thousand individual histories (titration,
missed doses) need one table of events and no loop in Python. Time here is in days, as in the mechanism; time 0 is the
clock time of the morning dose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, cast, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.linear import PARAMETERS, concentrations, events_from_columns
from sirolens.engine.sampling import correlated
from sirolens.engine.saturable import BolusRuns, absorbed_input
from sirolens.engine.saturable_response import response
from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_normals, patient_rows
from sirolens.message import Message, error, warning
from sirolens.models.covariates import missing_values, to_model_unit, typical
from sirolens.models.population import PopulationModel, individual
from sirolens.models.predict import CL, F1, structure_of
from sirolens.regimen import MORNING, Regimen
from sirolens.source import Mark, Source

__all__ = [
    "Adherence",
    "DoseHistory",
    "Kinetics",
    "blood_levels",
    "constant_dose",
    "prescribed",
    "sample_kinetics",
    "taken",
]

Array = NDArray[np.float64]

H_PER_D = 24.0
# A Monday, so that a regimen of weekdays begins with its first day.
_ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DoseHistory:
    """Doses of sirolimus: shared times, own amounts.

    Parameters
    ----------
    time_d : ndarray (D,)
        When a dose may be taken, ascending [d].
    amount_mg : ndarray (N, D) or (1, D)
        What each patient takes then; 0 is no dose. One row stands for everybody.

    Raises
    ------
    InputError
        ``mechanism.doses-shape``, ``mechanism.doses-order``, ``mechanism.dose-impossible``.

    Examples
    --------
    >>> DoseHistory(time_d=[0, 1], amount_mg=[[2, 1]]).amount_mg
    array([[2., 1.]])
    """

    time_d: Array
    amount_mg: Array

    def __post_init__(self) -> None:
        times = np.array(self.time_d, dtype=np.float64, ndmin=1)
        amounts = np.array(self.amount_mg, dtype=np.float64, ndmin=2)
        if times.ndim != 1 or amounts.ndim != 2 or amounts.shape[1] != times.size:
            raise InputError(error("mechanism.doses-shape", times=str(times.shape), amounts=str(amounts.shape)))
        if not np.isfinite(times).all() or (np.diff(times) <= 0.0).any():
            raise InputError(error("mechanism.doses-order"))
        bad = ~(np.isfinite(amounts) & (amounts >= 0.0))
        if bad.any():
            patient, dose = (int(i) for i in np.argwhere(bad)[0])
            raise InputError(error("mechanism.dose-impossible", patient=patient, at_d=float(times[dose])))
        for name, value in (("time_d", times), ("amount_mg", amounts)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    def of(self, low: int, high: int) -> DoseHistory:
        """The histories of patients low <= i < high."""
        return self if len(self.amount_mg) == 1 else replace(self, amount_mg=self.amount_mg[low:high])


def constant_dose(daily_mg: ArrayLike, days: int, *, from_d: float = 0.0) -> DoseHistory:
    """Give the same dose once a day.

    Parameters
    ----------
    daily_mg : array_like () or (N,)
        For everybody, or for each patient.
    days : int
        How many doses.
    from_d : float
        When the first is taken.

    Examples
    --------
    >>> constant_dose([1, 2], 3).amount_mg
    array([[1., 1., 1.],
           [2., 2., 2.]])
    """
    amounts = np.atleast_1d(np.asarray(daily_mg, dtype=np.float64))
    times = from_d + np.arange(days, dtype=np.float64)
    return DoseHistory(time_d=times, amount_mg=np.repeat(amounts[:, None], days, axis=1))


def prescribed(regimen: Regimen, days: int) -> DoseHistory:
    """Expand a regimen into a history that everybody shares.

    Parameters
    ----------
    regimen : Regimen
        What is prescribed from day one on, a Monday.
    days : int
        For how long.

    Examples
    --------
    >>> from sirolens.regimen import daily, twice_daily
    >>> prescribed(daily(3).lasting(2).then(twice_daily(1)), 4).time_d
    array([0. , 1. , 2. , 2.5, 3. , 3.5])
    """
    morning = _ORIGIN + timedelta(hours=MORNING.hour)
    intakes = regimen.intakes(_ORIGIN, _ORIGIN + timedelta(days=days))
    times = [(intake.at - morning) / timedelta(days=1) for intake in intakes]
    moments, which = np.unique(np.asarray(times, dtype=np.float64), return_inverse=True)
    amounts = np.zeros(moments.size)
    np.add.at(amounts, which, [intake.amount_mg for intake in intakes])
    return DoseHistory(time_d=moments, amount_mg=amounts[None, :])


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """How many doses are really taken; ASSUMED, no figure for sirolimus in ITP was found.

    Parameters
    ----------
    mean : float
        Mean share of doses taken, 0 to 1.
    between : float
        Standard deviation of the logit of that share between patients.
    runs : float
        How much likelier a dose is missed after a missed one: 0 independent, towards 1 long gaps. The share taken
        stays the same.
    source : Source
        What stands behind it.

    Examples
    --------
    >>> Adherence().source.mark.value
    'assumed'
    """

    mean: float = 0.93
    between: float = 1.0
    runs: float = 0.3
    source: Source = field(
        default=Source(
            title="Doses missed: a share of about 7 % in gaps of a day or two, unequal between patients",
            mark=Mark.ASSUMED,
        )
    )

    def __post_init__(self) -> None:
        if not (0.0 < self.mean <= 1.0 and self.between >= 0.0 and 0.0 <= self.runs < 1.0):
            raise InputError(
                error("mechanism.adherence-impossible", mean=self.mean, between=self.between, runs=self.runs)
            )


def taken(
    prescribed_doses: DoseHistory, adherence: Adherence, *, seed: int, index: ArrayLike
) -> tuple[DoseHistory, Array]:
    """Draw which of the prescribed doses are swallowed.

    A patient's share p is logit-normal around the mean; the first dose is missed with probability 1 - p, a later one
    with (1 - p)(1 - runs) after a taken and (1 - p)(1 - runs) + runs after a missed one, so that the share stays p.

    Parameters
    ----------
    prescribed_doses : DoseHistory
        Of n patients, or one row for all.
    adherence : Adherence
        The assumption.
    seed : int
        Of the draws.
    index : array_like of int (n,)
        The patients' own numbers.

    Returns
    -------
    DoseHistory
        With 0 where a dose was missed.
    ndarray (n,)
        Each patient's share p.

    Examples
    --------
    >>> doses, share = taken(constant_dose(2, 300), Adherence(), seed=1, index=range(400))
    >>> doses.amount_mg.shape, bool(abs((doses.amount_mg > 0).mean() - share.mean()) < 0.01)
    ((400, 300), True)
    """
    from scipy.special import expit, logit

    numbers = np.atleast_1d(np.asarray(index, dtype=np.int64))
    count = prescribed_doses.time_d.size
    if adherence.mean == 1.0:
        amounts = np.broadcast_to(prescribed_doses.amount_mg, (numbers.size, count))
        return replace(prescribed_doses, amount_mg=amounts), np.ones(numbers.size)
    z = patient_normals(seed, "adherence", index=numbers)
    share = np.asarray(expit(_centre(adherence, float(logit(adherence.mean))) + adherence.between * z))
    draws = patient_rows(seed, "missed-doses", index=numbers, count=count)
    swallowed = np.empty(draws.shape, dtype=bool)
    missing = np.zeros(numbers.size, dtype=bool)
    fresh = (1.0 - share) * (1.0 - adherence.runs)
    for dose in range(count):
        chance = fresh + adherence.runs * missing if dose else 1.0 - share
        missing = draws[:, dose] < chance
        swallowed[:, dose] = ~missing
    return replace(prescribed_doses, amount_mg=prescribed_doses.amount_mg * swallowed), share


def _centre(adherence: Adherence, start: float) -> float:
    """The median logit at which the mean share is the one asked for (bisection over the normal's quantiles)."""
    from scipy.special import expit, ndtri

    z = ndtri((np.arange(2000) + 0.5) / 2000)
    low, high = start - 1.0, start + adherence.between**2 + 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if expit(middle + adherence.between * z).mean() < adherence.mean else (low, middle)
    return 0.5 * (low + high)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kinetics:
    """How each virtual patient handles sirolimus, under one named model.

    Parameters
    ----------
    model : PopulationModel
        Where the parameters come from; every result names it.
    parameters : ndarray (N, 15)
        Individual values, in the order of `sirolens.engine.linear.PARAMETERS`.
    messages : tuple of Message
        What must be said about using this model here.
    """

    model: PopulationModel
    parameters: Array
    messages: tuple[Message, ...] = ()

    def of(self, low: int, high: int) -> Kinetics:
        """The patients low <= i < high."""
        return replace(self, parameters=self.parameters[low:high])


def sample_kinetics(
    model: PopulationModel,
    covariates: Mapping[str, ArrayLike],
    *,
    seed: int,
    index: ArrayLike,
    clearance: ArrayLike = 1.0,
) -> Kinetics:
    """Draw each patient's pharmacokinetic parameters, with the model's own covariates and random effects.

    Parameters
    ----------
    model : PopulationModel
        A model of the catalogue, or a user's own linear one. With saturable absorption each different history of doses
        costs about half a second a year, because absorption then depends on all of them.
    covariates : mapping of str to array_like (n,)
        By their names in a chart (``"age"``, ``"weight"``, ``"ast"`` ...), in the canonical units of
        `sirolens.units`. What the model wants and nobody drew follows the model's own rule: its reference, or its
        declared spread, drawn for each patient.
    seed : int
        Of the draws.
    index : array_like of int (n,)
        The patients' own numbers.
    clearance : array_like () or (n,)
        Factor on clearance, such as a known interaction.

    Returns
    -------
    Kinetics

    Raises
    ------
    InputError
        ``mechanism.pk-own-equations`` for a model of own differential equations; or a covariate that the model refuses.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> drawn = sample_kinetics(load("cheng_2020"), {"weight": [20.0, 30.0]}, seed=1, index=[0, 1])
    >>> drawn.model.full_name, drawn.parameters.shape
    ('cheng_2020', (2, 15))
    """
    numbers = np.atleast_1d(np.asarray(index, dtype=np.int64))
    if model.system is not None:
        raise InputError(error("mechanism.pk-own-equations", model=model.label))
    values: dict[str, Array] = {}
    for covariate in model.covariates:
        if covariate.chart in covariates:
            values[covariate.name] = to_model_unit(covariate, covariates[covariate.chart])
        elif covariate.when_missing != "reference":
            z = patient_normals(seed, "covariate", model.name, covariate.name, index=numbers)
            drawn = missing_values(covariate, z)
            if drawn is not None:
                values[covariate.name] = drawn
    usual = np.broadcast_to(typical(model, values), (numbers.size, len(PARAMETERS)))
    normals = np.stack(
        [patient_normals(seed, "kinetics", model.name, eta, index=numbers) for eta in model.eta_names], axis=1
    )
    own = individual(model, np.ascontiguousarray(usual), correlated(model.omega, normals), paired=True)
    own[:, CL] *= np.asarray(clearance, dtype=np.float64)
    said = [warning("mechanism.pk-trough-only", model=model.label)] if model.trough_only else []
    return Kinetics(model=model, parameters=own, messages=(*said, *model.warnings))


def blood_levels(kinetics: Kinetics, doses: DoseHistory, time_d: ArrayLike, *, threads: int | None = 1) -> Array:
    """Compute whole-blood concentrations of every patient, exactly.

    Parameters
    ----------
    kinetics : Kinetics
        Of n patients.
    doses : DoseHistory
        Of the same n patients, or one row for all.
    time_d : array_like (m,)
        When, ascending [d]. At the time of a dose the value is the one before it: the trough.
    threads : int, optional
        Most threads to use; the result is the same to the last bit.

    Returns
    -------
    ndarray (n, m)
        In ng/mL.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> adults = sample_kinetics(load("golubovic_2019"), {"age": [44.0]}, seed=1, index=[0])
    >>> blood_levels(adults, constant_dose(2, 60), [60.0]).shape
    (1, 1)
    """
    n = len(kinetics.parameters)
    wanted = np.atleast_1d(np.asarray(time_d, dtype=np.float64))
    if len(doses.amount_mg) not in (1, n):
        raise InputError(error("mechanism.doses-patients", rows=len(doses.amount_mg), patients=n))
    known = doses.time_d <= wanted.max(initial=-np.inf)
    when, amounts = doses.time_d[known], doses.amount_mg[:, known]
    given = amounts.any(axis=0)
    when, amounts = when[given], amounts[:, given]
    if kinetics.model.saturable is not None:
        return _after_saturable_absorption(kinetics, when, np.broadcast_to(amounts, (n, when.size)), wanted)
    times = np.concatenate([wanted, when]) * H_PER_D
    order = np.argsort(times, kind="stable")  # what is asked for stands first: a trough is before its dose
    dose = order >= wanted.size
    # The patient's amount rides on the bioavailability of its dose: one table of events serves everybody.
    events = events_from_columns(
        time_h=times[order],
        evid=dose.astype(np.int8),
        amount_mg=dose.astype(np.float64),
        before=0,
        at=np.where(dose, order - wanted.size + 1, 0),
        merge=False,
    )
    sets = np.repeat(kinetics.parameters[:, None, :], when.size + 1, axis=1)
    sets[:, 1:, F1] *= amounts
    structure = structure_of(kinetics.model)
    found = concentrations(structure, events, sets, np.zeros(n, np.int64), threads=threads, check=False)
    # Sums of decaying terms may end a rounding error below 0, where powers are not defined.
    return np.asarray(np.maximum(found.values, 0.0)).reshape(n, wanted.size)


def _after_saturable_absorption(kinetics: Kinetics, when: Array, amounts: Array, wanted: Array) -> Array:
    """Concentrations where absorption saturates: it has no random effects, so equal histories share it."""
    out = np.zeros((len(amounts), wanted.size))
    if not when.size:
        return out
    seen = wanted >= when[0]
    rows, which = np.unique(amounts, axis=0, return_inverse=True)
    shape = cast(Literal[1, 2, 3], structure_of(kinetics.model).compartments)
    for k, row in enumerate(rows):
        own = np.flatnonzero(which.ravel() == k)
        runs = _absorbed(kinetics.model, when.tobytes(), row.tobytes(), wanted[seen].tobytes())
        if runs.cycles.size:
            parameters = np.ascontiguousarray(kinetics.parameters[own][:, None, :])
            first = np.zeros(runs.start_h.size, np.int64), np.zeros(int(seen.sum()), np.int64)
            out[np.ix_(own, seen)] = response(runs, shape, parameters, run_set=first[0], stop_set=first[1])
    return np.maximum(out, 0.0)


@lru_cache(maxsize=64)
def _absorbed(model: PopulationModel, when: bytes, amounts: bytes, stops: bytes) -> BolusRuns:
    """Doses after saturable absorption, as boluses exact at the stops; chunks of patients share them."""
    assert model.saturable is not None
    times, given, at = (np.frombuffer(text) for text in (when, amounts, stops))
    taken_mg = given > 0.0
    rate = (model.saturable.vmax_mg_h, model.saturable.km_mg)
    return absorbed_input(times[taken_mg] * H_PER_D, given[taken_mg], *rate, at * H_PER_D)
