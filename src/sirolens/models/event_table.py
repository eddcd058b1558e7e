# SPDX-License-Identifier: Apache-2.0
"""Events and observations of many patients in record order: what a table of the field holds, in checked numbers.

The columns mean what they mean in NM-TRAN: a dose is an event (`evid` 1 or 4), an observation is `evid` 0, `addl`
doses follow every `ii_h` hours, `ss` 1 or 2 asks for steady state, a `rate_mg_h` of -1 or -2 leaves rate or duration to
the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.linear import Events, events_from_columns, merge_runs

__all__ = ["ABOVE", "BELOW", "MEASURED", "EventTable", "ParameterSets", "parameter_sets", "to_events"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BELOW, MEASURED, ABOVE = -1, 0, 1
"""Where an observation lies relative to the assay's range."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventTable:
    """Many patients' records.

    Parameters
    ----------
    ids : tuple of str
        One name per patient.
    start : int array, shape (patients + 1,)
        Patient p owns records ``start[p]:start[p + 1]``.
    time_h, amount_mg, rate_mg_h, ii_h : float arrays, shape (records,)
        Time, dose, infusion rate (or -1, -2), dosing interval.
    evid, compartment, ss, addl : int arrays, shape (records,)
        Kind of event, compartment, steady-state code, further doses.
    observed_ng_ml : float array, shape (records,)
        The measured value; not-a-number where there is none.
    censoring : int array, shape (records,)
        `BELOW`, `MEASURED` or `ABOVE`.
    limit_ng_ml : float array, shape (records,)
        The limit a censored value lies beyond.
    dvid : int array, shape (records,)
        Which kind of observation.
    covariates : mapping of str to float array, shape (records,)
        Values as written; not-a-number where missing.
    line : int array, shape (records,)
        Line of the file each record came from.
    """

    ids: tuple[str, ...]
    start: Ints
    time_h: Floats
    evid: Ints
    amount_mg: Floats
    rate_mg_h: Floats
    compartment: Ints
    ss: Ints
    ii_h: Floats
    addl: Ints
    observed_ng_ml: Floats
    censoring: Ints
    limit_ng_ml: Floats
    dvid: Ints
    covariates: Mapping[str, Floats]
    line: Ints

    @property
    def is_output(self) -> NDArray[np.bool_]:
        """Which records ask for a prediction: shape (records,)."""
        return np.equal(self.evid, 0)

    @property
    def is_measured(self) -> NDArray[np.bool_]:
        """Which records carry a value, censored ones included: shape (records,)."""
        measured: NDArray[np.bool_] = np.isfinite(self.observed_ng_ml) | (self.censoring != MEASURED)
        return self.is_output & measured

    def carried(self, *, backward: bool = False) -> Mapping[str, Floats]:
        """Fill missing covariates within each patient.

        Parameters
        ----------
        backward : bool
            A missing value takes the patient's next one instead of the last one before it. Either way the rest is
            filled from the other side, and a covariate never given stays missing.

        Returns
        -------
        mapping of str to float array, shape (records,)
        """
        owner = np.repeat(np.arange(len(self.ids)), np.diff(self.start))
        return {
            name: _fill(_fill(values, owner, backward), owner, not backward) for name, values in self.covariates.items()
        }


def _fill(values: Floats, owner: Ints, backward: bool) -> Floats:
    """Carry values over gaps inside each owner's run, forward or backward."""
    if backward:
        return _fill(values[::-1], owner[::-1], False)[::-1].copy()
    index = np.where(np.isnan(values), -1, np.arange(values.size))
    last = np.maximum.accumulate(index)
    usable = (last >= 0) & (owner[last] == owner)
    return np.where(usable, values[last], np.nan)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParameterSets:
    """Which records share their covariates, so that a patient whose covariates never change has one parameter set.

    Parameters
    ----------
    of_record : int array, shape (records,)
        The set each record uses, counted from 0 within its patient.
    first_record : int array, shape (patients, sets)
        The record whose covariates make the set; sets a patient does not need repeat the last one.
    """

    of_record: Ints
    first_record: Ints


def parameter_sets(table: EventTable, covariates: Mapping[str, Floats]) -> ParameterSets:
    """Number the runs of equal covariates within each patient.

    Parameters
    ----------
    table : EventTable
        The records.
    covariates : mapping of str to float array, shape (records,)
        Filled covariates (`EventTable.carried`).
    """
    n = table.time_h.size
    owner = np.repeat(np.arange(len(table.ids)), np.diff(table.start))
    changed = np.zeros(n, dtype=bool)
    for values in covariates.values():
        same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
        changed[1:] |= ~same
    changed[table.start[:-1]] = False
    running = np.cumsum(changed)
    of_record = running - running[table.start[:-1]][owner]
    first = np.full((len(table.ids), int(of_record.max(initial=0)) + 1), -1)
    begins = np.flatnonzero(changed | np.isin(np.arange(n), table.start[:-1]))
    first[owner[begins], of_record[begins]] = begins
    return ParameterSets(of_record=of_record, first_record=np.maximum.accumulate(first, axis=1))


def to_events(table: EventTable, sets: ParameterSets, *, backward: bool = False, first_compartment: int = 1) -> Events:
    """Turn the records into the engine's events.

    Parameters
    ----------
    table : EventTable
        The records.
    sets : ParameterSets
        Which parameter set each record uses.
    backward : bool
        Between two records the parameters of the later one hold (NONMEM's way) instead of the earlier one's, which is
        how a clinic means a covariate measured at a visit.
    first_compartment : int
        Where a dose goes that names no compartment.
    """
    earlier = np.concatenate(([0], sets.of_record[:-1]))
    earlier[table.start[:-1]] = 0
    events = events_from_columns(
        start=table.start,
        time_h=table.time_h,
        evid=table.evid,
        amount_mg=table.amount_mg,
        rate_mg_h=table.rate_mg_h,
        ss=table.ss,
        ii_h=table.ii_h,
        addl=table.addl,
        before=sets.of_record if backward else earlier,
        at=sets.of_record,
        merge=False,
    )
    # Models of own equations have more compartments than the two that linear ones can be dosed into.
    compartment = np.where(table.compartment == 0, first_compartment, table.compartment)
    return merge_runs(replace(events, compartment=compartment.astype(np.int8)))
