# SPDX-License-Identifier: Apache-2.0
"""The event table of many patients: what is given and asked when, checked once and then trusted by the kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.kernel import kernel
from sirolens.engine.linear_lane import Records
from sirolens.errors import TableError
from sirolens.message import Message, error

__all__ = ["Events", "events_from_columns", "merge_runs"]

# Two times are the same moment when they differ by rounding only: this many units in the last place.
SAME_MOMENT_ULPS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """Records of many patients in record order; patient p owns records start[p] <= r < start[p + 1].

    Make one with `events_from_columns`, which checks it; the kernels do not.

    Parameters
    ----------
    start : (n + 1,) int64
        First record of each patient, and the end.
    time_h : (records,) float64
        Time [h]; within a patient it never decreases except at a reset.
    evid : (records,) int8
        0 observation, 1 dose, 2 other (a change of parameters), 3 reset, 4 reset and dose.
    amount_mg : (records,) float64
        Dose [mg].
    rate_mg_h : (records,) float64
        0 bolus (or, with zero-order absorption, over the modelled duration), > 0 infusion rate [mg/h],
        -1 modelled rate, -2 modelled duration.
    compartment : (records,) int8
        1 absorption, 2 central; ignored on observations.
    ss : (records,) int8
        0 no, 1 steady state in place of what is there, 2 steady state added to what is there.
    ii_h : (records,) float64
        Interval of additional or implied doses [h].
    addl : (records,) int64
        Additional doses.
    before : (records,) int64
        Parameter set in force over the interval that ends at this record.
    at : (records,) int64
        Parameter set of the record itself: bioavailability, lag, duration, rate, steady state, the volume that
        turns an observed amount into a concentration.

    Attributes
    ----------
    plain : (records,) int8
        What the fast path needs to know of a record: 0 observation, 1 or 2 a bolus into that compartment and
        nothing more, 3 anything else.
    observations : (n,) int64
        Number of observation records of each patient.
    dose_records : int
        Most dose records of any patient: the room for trains that `lane_work` asks for.
    parameter_sets : int
        Number of parameter sets the records speak of.
    """

    start: NDArray[np.int64]
    time_h: NDArray[np.float64]
    evid: NDArray[np.int8]
    amount_mg: NDArray[np.float64]
    rate_mg_h: NDArray[np.float64]
    compartment: NDArray[np.int8]
    ss: NDArray[np.int8]
    ii_h: NDArray[np.float64]
    addl: NDArray[np.int64]
    before: NDArray[np.int64]
    at: NDArray[np.int64]
    plain: NDArray[np.int8] = field(init=False)
    observations: NDArray[np.int64] = field(init=False)
    dose_records: int = field(init=False)
    parameter_sets: int = field(init=False)

    def __post_init__(self) -> None:
        plain, observations, dose_records, sets = _summary(
            self.start, self.evid, self.rate_mg_h, self.compartment, self.ss, self.addl, self.before, self.at
        )
        for name, value in (
            ("plain", plain),
            ("observations", observations),
            ("dose_records", int(dose_records)),
            ("parameter_sets", int(sets)),
        ):
            object.__setattr__(self, name, value)

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len(self.start) - 1

    @property
    def records(self) -> Records:
        """The columns as kernels take them."""
        return Records(
            self.time_h,
            self.evid,
            self.amount_mg,
            self.rate_mg_h,
            self.compartment,
            self.ss,
            self.ii_h,
            self.addl,
            self.before,
            self.at,
            self.plain,
        )


@kernel
def _summary(
    start: Any, evid: Any, rate_mg_h: Any, compartment: Any, ss: Any, addl: Any, before: Any, at: Any
) -> tuple[Any, Any, int, int]:
    """What every prediction asks of a table, worked out once."""
    plain = np.empty(len(evid), np.int8)
    observations = np.zeros(len(start) - 1, np.int64)
    dose_records = 0
    sets = 0
    for p in range(len(start) - 1):
        doses = 0
        for r in range(start[p], start[p + 1]):
            sets = max(sets, before[r], at[r])
            plain[r] = 3
            if evid[r] == 0:
                observations[p] += 1
                plain[r] = 0
            elif evid[r] == 1 or evid[r] == 4:
                doses += 1
                if evid[r] == 1 and rate_mg_h[r] == 0.0 and ss[r] == 0 and addl[r] == 0:
                    plain[r] = compartment[r]
        dose_records = max(dose_records, doses)
    return plain, observations, dose_records, sets + 1


def events_from_columns(
    *,
    time_h: ArrayLike,
    evid: ArrayLike = 0,
    amount_mg: ArrayLike = 0.0,
    rate_mg_h: ArrayLike = 0.0,
    compartment: ArrayLike = 1,
    ss: ArrayLike = 0,
    ii_h: ArrayLike = 0.0,
    addl: ArrayLike = 0,
    before: ArrayLike = 0,
    at: ArrayLike | None = None,
    start: ArrayLike | None = None,
    merge: bool = True,
) -> Events:
    """Make an event table out of columns, check it, and write runs of equal doses as one record.

    Parameters
    ----------
    time_h : (records,)
        Time of each record [h].
    evid, amount_mg, rate_mg_h, compartment, ss, ii_h, addl, before, at : (records,) or one value for all
        See `Events`; `at` left out is the same as `before`.
    start : (patients + 1,), optional
        First record of each patient, and the end; one patient when left out.
    merge : bool
        Write consecutive equal doses at equal intervals as one record with additional doses. Predictions stay
        the same; a year of daily doses then costs little more than one dose.

    Returns
    -------
    Events

    Raises
    ------
    TableError
        With one message per kind of fault, each naming the first record (counted from 0) that has it.

    Examples
    --------
    >>> events = events_from_columns(time_h=[0, 24, 48, 60], evid=[1, 1, 1, 0], amount_mg=[2, 2, 2, 0])
    >>> events.evid.tolist(), events.addl.tolist(), events.ii_h.tolist()
    ([1, 0], [2, 0], [24.0, 0.0])
    """
    times = np.ascontiguousarray(time_h, np.float64)
    n = times.size

    def column(values: ArrayLike, kind: type[np.generic]) -> NDArray[Any]:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(values), (n,)).astype(kind))

    starts = np.asarray([0, n] if start is None else start, np.int64)
    if starts.ndim != 1 or starts.size < 1 or starts[0] != 0 or starts[-1] != n or np.any(np.diff(starts) < 0):
        raise TableError(error("events.start-unordered", records=n))
    sets = column(before, np.int64)
    events = Events(
        start=starts,
        time_h=times,
        evid=column(evid, np.int8),
        amount_mg=column(amount_mg, np.float64),
        rate_mg_h=column(rate_mg_h, np.float64),
        compartment=column(compartment, np.int8),
        ss=column(ss, np.int8),
        ii_h=column(ii_h, np.float64),
        addl=column(addl, np.int64),
        before=sets,
        at=sets.copy() if at is None else column(at, np.int64),
    )
    faults = _faults(events)
    if faults:
        raise TableError(*faults)
    return merge_runs(events) if merge else events


def _faults(events: Events) -> list[Message]:
    """Every kind of fault, with the first record that has it."""
    start, time, n = events.start, events.time_h, events.time_h.size
    evid, amount, rate, ss, ii = events.evid, events.amount_mg, events.rate_mg_h, events.ss, events.ii_h
    dose = (evid == 1) | (evid == 4)
    first = np.zeros(n, bool)
    first[start[:-1][start[:-1] < n]] = True
    back = np.zeros(n, bool)
    back[1:] = time[1:] < time[:-1]
    modelled = (rate == -1.0) | (rate == -2.0)
    held = dose & (ss > 0) & (ii == 0.0)  # a constant infusion at steady state
    checks = [
        ("events.time-not-finite", ~np.isfinite(time), "time_h"),
        ("events.time-decreases", back & ~first & (evid < 3), "time_h"),
        ("events.evid-unknown", (evid < 0) | (evid > 4), "evid"),
        ("events.amount-negative", dose & ~((amount >= 0.0) & np.isfinite(amount)), "amount_mg"),
        ("events.rate-unknown", dose & ~(((rate >= 0.0) & np.isfinite(rate)) | modelled), "rate_mg_h"),
        ("events.infusion-without-amount", dose & ~held & (rate > 0.0) & ~(amount > 0.0), "amount_mg"),
        ("events.compartment-unknown", dose & (events.compartment != 1) & (events.compartment != 2), "compartment"),
        ("events.ss-unknown", dose & ((ss < 0) | (ss > 2)), "ss"),
        ("events.interval-negative", dose & ~((ii >= 0.0) & np.isfinite(ii)), "ii_h"),
        ("events.ss-without-interval", held & (amount > 0.0), "ii_h"),
        ("events.ss-infusion-without-rate", held & (amount == 0.0) & ~((rate > 0.0) | (rate == -1.0)), "rate_mg_h"),
        ("events.addl-negative", dose & (events.addl < 0), "addl"),
        ("events.addl-without-interval", dose & (events.addl > 0) & ~(ii > 0.0), "ii_h"),
        ("events.set-negative", (events.before < 0) | (events.at < 0), "before"),
    ]
    faults = []
    for code, bad, name in checks:
        if bad.any():
            r = int(np.argmax(bad))
            faults.append(error(code, record=r, value=getattr(events, name)[r].item()))
    return faults


def merge_runs(events: Events) -> Events:
    """Write consecutive equal doses at equal intervals as one record with additional doses.

    Only doses that nothing separates: same amount, rate, compartment and parameter sets, no steady state, intervals
    equal up to rounding.

    Examples
    --------
    >>> daily = events_from_columns(time_h=[0, 24, 48], evid=1, amount_mg=[2, 2, 1], merge=False)
    >>> merge_runs(daily).time_h.tolist(), merge_runs(daily).addl.tolist()
    ([0.0, 48.0], [1, 0])
    """
    keep, ii, addl = _runs(events.start, events.records)
    start = np.concatenate(([0], np.cumsum(keep, dtype=np.int64)))[events.start]
    columns = {
        name: np.ascontiguousarray(getattr(events, name)[keep])
        for name in ("time_h", "evid", "amount_mg", "rate_mg_h", "compartment", "ss", "before", "at")
    }
    return Events(start=start, ii_h=ii[keep], addl=addl[keep], **columns)


@kernel
def _alike(t: Any, a: int, b: int) -> bool:
    return bool(
        t.evid[b] == 1
        and t.ss[b] == 0
        and t.addl[b] == 0
        and t.amount_mg[a] == t.amount_mg[b]
        and t.rate_mg_h[a] == t.rate_mg_h[b]
        and t.compartment[a] == t.compartment[b]
        and t.at[a] == t.at[b]
    )


@kernel
def _run_end(t: Any, first: int, stop: int, ii: float) -> int:
    """Last record of the run of equal doses that begins at `first`."""
    end = first
    while end + 1 < stop and _alike(t, first, end + 1):
        due = t.time_h[first] + (end + 1 - first) * ii
        if abs(t.time_h[end + 1] - due) > SAME_MOMENT_ULPS * np.spacing(abs(due)):
            break
        if end > first and t.before[end + 1] != t.before[first + 1]:
            break
        end += 1
    # The interval after the run must be under the same parameter set, and no dose may slip behind the next record.
    while end > first and end + 1 < stop and t.evid[end + 1] < 3:
        late = t.time_h[first] + (end - first) * ii > t.time_h[end + 1]
        if t.before[end + 1] == t.before[first + 1] and not late:
            break
        end -= 1
    return end


@kernel
def _runs(start: Any, t: Any) -> tuple[Any, Any, Any]:
    """Which records to keep, and their intervals and additional doses."""
    n = len(t.time_h)
    keep, ii, addl = np.ones(n, np.bool_), t.ii_h.copy(), t.addl.copy()
    for p in range(len(start) - 1):
        r, stop = start[p], start[p + 1]
        while r < stop:
            end = r
            if r + 1 < stop and t.evid[r] in (1, 4) and t.ss[r] == 0 and t.addl[r] == 0:
                interval = np.round(t.time_h[r + 1] - t.time_h[r], 9)
                if interval > 0.0:
                    end = _run_end(t, r, stop, interval)
                if end > r:
                    ii[r], addl[r] = interval, end - r
                    keep[r + 1 : end + 1] = False
            r = end + 1
    return keep, ii, addl
