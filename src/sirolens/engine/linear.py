# SPDX-License-Identifier: Apache-2.0
"""Linear compartment models, propagated exactly between events: concentrations of many patients, and steady states.

One, two or three compartments; doses into the central compartment or through absorption of first order, of zero order,
or along a chain of equal stages (Erlang); every kind of event of the field's tables. The equations and conventions, and
the tests that hold them, are in docs/science/pk.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.lanes import over_chunks
from sirolens.engine.linear_events import Events, events_from_columns, merge_runs
from sirolens.engine.linear_lane import (
    Records,
    lane_concentrations,
    lane_steady_state,
    many_lanes,
    many_steady_states,
)
from sirolens.engine.linear_layout import MAX_STAGES, Work, lane_work
from sirolens.errors import InputError
from sirolens.message import Message, error

__all__ = [
    "NEUTRAL",
    "PARAMETERS",
    "Events",
    "Ragged",
    "Records",
    "SteadyState",
    "Structure",
    "Work",
    "concentrations",
    "events_from_columns",
    "lane_concentrations",
    "lane_steady_state",
    "lane_work",
    "merge_runs",
    "steady_state",
]

PARAMETERS = (
    "cl_l_h",
    "v1_l",
    "q2_l_h",
    "v2_l",
    "q3_l_h",
    "v3_l",
    "ka_1_h",
    "f1",
    "lag1_h",
    "duration1_h",
    "rate1_mg_h",
    "f2",
    "lag2_h",
    "duration2_h",
    "rate2_mg_h",
)
"""Kernel parameters in their order; suffix 1 is the absorption compartment, 2 the central one."""

NEUTRAL: NDArray[np.float64] = np.array([np.nan, np.nan, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], np.float64)
"""Values of parameters that a structure does not use; clearance and volume have none and are NaN."""
NEUTRAL.setflags(write=False)

# Lane-records that keep a thread busy for longer than it takes to start.
WORTH_A_THREAD = 10_000

Absorption = Literal["none", "first-order", "zero-order", "transit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A linear compartment model's shape.

    Parameters
    ----------
    compartments : {1, 2, 3}
        Central compartment and its peripheral ones.
    absorption : {"none", "first-order", "zero-order", "transit"}
        How a dose into compartment 1 reaches the central compartment: at once; at rate ka; at a constant rate over
        duration1_h; through `transit` stages, each left at rate ka_1_h (= ktr).
    transit : int
        Number of stages of transit absorption, 0 otherwise. One stage is first-order absorption.

    Examples
    --------
    >>> Structure(compartments=2, absorption="first-order").code
    102
    """

    compartments: int
    absorption: Absorption
    transit: int = 0

    def __post_init__(self) -> None:
        faults = []
        if self.compartments not in (1, 2, 3):
            faults.append(error("events.compartments-unknown", value=self.compartments))
        if self.absorption not in ("none", "first-order", "zero-order", "transit"):
            faults.append(error("events.absorption-unknown", value=self.absorption))
        stages = range(1, MAX_STAGES + 1) if self.absorption == "transit" else range(1)
        if self.transit not in stages:
            faults.append(error("events.transit-unknown", value=self.transit, most=MAX_STAGES))
        if faults:
            raise InputError(*faults)

    @property
    def stages(self) -> int:
        """Absorption stages in front of the central compartment."""
        return {"first-order": 1, "transit": self.transit}.get(self.absorption, 0)

    @property
    def code(self) -> int:
        """The shape as one number, for kernels: compartments + 10 if zero-order + 100 times the stages."""
        return self.compartments + (10 if self.absorption == "zero-order" else 0) + 100 * self.stages


class Ragged(NamedTuple):
    """Rows of different length, end to end: row i is values[offsets[i]:offsets[i + 1]]."""

    values: NDArray[Any]
    offsets: NDArray[np.int64]

    def row(self, i: int) -> NDArray[Any]:
        """One row, as a view."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]


class SteadyState(NamedTuple):
    """Concentrations [ng/mL] (n, m) of n lanes at m times of a cycle, and the area [ng h/mL] (n,) over one cycle."""

    conc_ng_ml: NDArray[Any]
    auc_ng_h_ml: NDArray[Any]


def _kernel_array(parameters: ArrayLike) -> NDArray[Any]:
    given = np.asarray(parameters)
    return np.ascontiguousarray(given, np.complex128 if np.iscomplexobj(given) else np.float64)


def _parameter_faults(structure: Structure, parameters: NDArray[Any], *, positive: tuple[str, ...]) -> list[Message]:
    """Parameters that no patient can have; the first lane and period of each kind."""
    values = parameters.real
    volumes = ("v1_l", "v2_l", "v3_l")[: structure.compartments]
    must = {*volumes, *(("ka_1_h",) if structure.stages else ()), *positive}
    faults = []
    for i, name in enumerate(PARAMETERS):
        above = name in must
        bad = ~(np.isfinite(values[..., i]) & (values[..., i] > 0.0 if above else values[..., i] >= 0.0))
        if bad.any():
            at = np.unravel_index(int(np.argmax(bad)), bad.shape)
            code = "events.parameter-not-positive" if above else "events.parameter-negative"
            faults.append(error(code, parameter=name, lane=int(at[0]), value=float(values[(*at, i)])))
    return faults


def _modelled(events: Events, structure: Structure) -> tuple[str, ...]:
    """Parameters that dose records ask for: a modelled rate or duration must be positive."""
    dose = (events.evid == 1) | (events.evid == 4)
    asked = []
    for suffix in (1, 2):
        rates = events.rate_mg_h[dose & (events.compartment == suffix)]
        implied = suffix == 1 and structure.absorption == "zero-order"
        if (rates == -2.0).any() or (implied and (rates == 0.0).any()):
            asked.append(f"duration{suffix}_h")
        if (rates == -1.0).any():
            asked.append(f"rate{suffix}_mg_h")
    return tuple(asked)


def _worth(lanes: int, records: int) -> int:
    """How many lanes make a further thread worth its start."""
    return max(1, WORTH_A_THREAD * lanes // max(1, records))


def concentrations(
    structure: Structure,
    events: Events,
    parameters: ArrayLike,
    lane_patient: ArrayLike | None = None,
    *,
    threads: int | None = None,
    check: bool = True,
) -> Ragged:
    """Concentrations at every observation record of every lane.

    Between events dA/dt = K A + R is solved exactly; see docs/science/pk.md.

    Parameters
    ----------
    structure : Structure
        Shape of the model.
    events : Events
        Records of all patients.
    parameters : (lanes, periods, 15) or (lanes, 15)
        Values in the order of `PARAMETERS`; the second axis is what `Events.before` and `Events.at` point into.
        Complex values give complex-step derivatives.
    lane_patient : (lanes,) int, optional
        Patient whose records a lane follows; lane i follows patient i when left out.
    threads : int, optional
        Most threads to use; all cores when left out. The result is the same to the last bit.
    check : bool
        Check parameters first; False where they come from a model that has been checked.

    Returns
    -------
    Ragged
        Concentration 1000 A_central / V1 [ng/mL] at the observation records (EVID 0), lane after lane.

    Raises
    ------
    InputError
        A parameter that is negative, not finite, or zero where it must not be; shapes that do not fit.

    Examples
    --------
    >>> oral = Structure(compartments=1, absorption="first-order")
    >>> parameters = NEUTRAL.copy()
    >>> parameters[[0, 1, 6]] = 10.0, 200.0, 0.75  # CL/F 10 L/h, V/F 200 L, ka 0.75/h
    >>> daily = events_from_columns(time_h=[0, 240], evid=[1, 0], amount_mg=[2, 0], ii_h=[24, 0], addl=[9, 0])
    >>> concentrations(oral, daily, [parameters]).values.round(3)
    array([4.618])
    """
    values = _kernel_array(parameters)
    if values.ndim == 2:
        values = values[:, None, :]
    lanes = np.arange(len(values)) if lane_patient is None else np.asarray(lane_patient, np.int64)
    if values.ndim != 3 or values.shape[2] != len(PARAMETERS) or lanes.shape != values.shape[:1]:
        raise InputError(error("events.parameters-shape", shape=str(values.shape), width=len(PARAMETERS)))
    if values.shape[1] < events.parameter_sets:
        raise InputError(error("events.set-missing", value=events.parameter_sets, periods=values.shape[1]))
    if lanes.size and not (lanes.min() >= 0 and lanes.max() < events.patients):
        raise InputError(error("events.patient-missing", value=int(lanes.max()), patients=events.patients))
    if check and (faults := _parameter_faults(structure, values, positive=_modelled(events, structure))):
        raise InputError(*faults)
    offsets = np.concatenate(([0], np.cumsum(events.observations[lanes]))).astype(np.int64)
    out = np.empty(int(offsets[-1]), values.dtype)
    records, dose_records = events.records, events.dose_records

    def job(low: int, high: int) -> None:
        many_lanes(structure.code, dose_records, records, events.start, lanes, values, offsets, low, high, out)

    visited = int((events.start[lanes + 1] - events.start[lanes]).sum())
    over_chunks(len(lanes), threads, job, worth=_worth(len(lanes), visited))
    return Ragged(out, offsets)


def steady_state(
    structure: Structure,
    parameters: ArrayLike,
    *,
    period_h: float,
    dose_time_h: ArrayLike,
    dose_mg: ArrayLike,
    output_time_h: ArrayLike,
    compartment: Literal[1, 2] = 1,
    threads: int | None = None,
    check: bool = True,
) -> SteadyState:
    """Concentrations over one cycle of a regimen that has gone on for ever, and the exact area under them.

    The area over a cycle is F * sum(doses) / CL.

    Parameters
    ----------
    structure : Structure
        Shape of the model.
    parameters : (lanes, 15)
        Values in the order of `PARAMETERS`.
    period_h : float
        Length of the cycle [h].
    dose_time_h, dose_mg : (k,)
        Doses of one cycle: time within it [h] and amount [mg].
    output_time_h : (m,)
        Times within the cycle [h]. At a dose time (with its lag) the value is the one before the dose: the trough.
    compartment : {1, 2}
        Where the doses go.
    threads, check
        As in `concentrations`.

    Returns
    -------
    SteadyState

    Raises
    ------
    InputError
        A parameter no patient can have (clearance must be positive here), or a cycle that is not one.

    Examples
    --------
    >>> oral = Structure(compartments=1, absorption="first-order")
    >>> parameters = NEUTRAL.copy()
    >>> parameters[[0, 1, 6]] = 10.0, 200.0, 0.75
    >>> daily = steady_state(oral, [parameters], period_h=24, dose_time_h=[0], dose_mg=[2], output_time_h=[0, 24])
    >>> daily.conc_ng_ml.round(3), daily.auc_ng_h_ml
    (array([[4.618, 4.618]]), array([200.]))
    """
    values = _kernel_array(parameters)
    times, doses = np.ascontiguousarray(dose_time_h, np.float64), np.ascontiguousarray(dose_mg, np.float64)
    outputs = np.ascontiguousarray(output_time_h, np.float64)
    if values.ndim != 2 or values.shape[1] != len(PARAMETERS):
        raise InputError(error("events.parameters-shape", shape=str(values.shape), width=len(PARAMETERS)))
    cycle = np.isfinite(period_h) and period_h > 0 and times.shape == doses.shape and times.ndim == outputs.ndim == 1
    if not (cycle and np.isfinite(times).all() and np.isfinite(outputs).all() and (doses >= 0).all()):
        raise InputError(error("events.cycle-impossible", period_h=float(period_h), doses=int(doses.size)))
    positive = ("cl_l_h", *(("duration1_h",) if structure.absorption == "zero-order" and compartment == 1 else ()))
    if check and (faults := _parameter_faults(structure, values, positive=positive)):
        raise InputError(*faults)
    out, area = np.empty((len(values), outputs.size), values.dtype), np.empty(len(values), values.dtype)

    def job(low: int, high: int) -> None:
        many_steady_states(
            structure.code, values, float(period_h), times, doses, int(compartment), outputs, low, high, out, area
        )

    over_chunks(len(values), threads, job, worth=_worth(1, doses.size * outputs.size))
    return SteadyState(out, area)
