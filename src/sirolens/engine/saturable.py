# SPDX-License-Identifier: Apache-2.0
"""Saturable (Michaelis-Menten) absorption without random effects, as bolus doses that drive exact linear kernels.

What reaches the central compartment, r(t) = Vm A / (Km + A), is turned into boluses by Gauss-Legendre quadrature on
stretches cut at doses and at the times where something is wanted ("stops"): bolus j of weight_j r(t_j) mg at t_j.
Vm and Km are the same for every draw of a population model, so this is done once per regimen and serves all draws.
The boluses come as runs of equal cycles: once the depot has settled, 180 equal days are one run of some 13 nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.saturable_depot import (
    absorption_constants,
    cycle_arrays,
    decayed,
    depot_after,
    periodic_depot,
    refuse_amounts,
)
from sirolens.engine.saturable_nodes import CLOCK_H, Filler
from sirolens.errors import InputError
from sirolens.message import error

__all__ = [
    "FASTEST_RATE_PER_H",
    "FOREVER",
    "BolusRecords",
    "BolusRuns",
    "SteadyCycle",
    "absorbed_input",
    "depot_after",
    "periodic_depot",
    "periodic_input",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Default for the fastest rate of the disposition that the nodes must resolve: 25 times that of a typical adult
#: (Wu 2012: 0.8 per hour), so that extreme draws are covered too.
FASTEST_RATE_PER_H = 20.0
#: In `BolusRuns.cycles`: the cycle has been repeated for ever before.
FOREVER = 0

_SAME_CYCLE = 1e-13  # two depots that differ relatively by less are the same
_LONGEST_BLOCK = 14  # a repeated pattern of doses is looked for up to this many stretches


class BolusRecords(NamedTuple):
    """Dose records into the central compartment, as the columns of a table of events."""

    time_h: Array
    amount_mg: Array
    ii_h: Array
    addl: Integers
    ss: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class BolusRuns:
    """Boluses into the central compartment that stand for a saturable absorption, as runs of equal cycles.

    The runs follow each other without a gap. Run i begins at ``start_h[i]`` and repeats its nodes ``cycles[i]`` times,
    every ``period_h[i]`` hours. Every stop is the end of a run (or the beginning of the first).

    Parameters
    ----------
    start_h, period_h : ndarray (r,)
        Beginning of the run and length of one cycle [h]. A run that repeats for ever has the beginning of its last
        cycle here.
    cycles : ndarray of int (r,)
        How often the nodes repeat; `FOREVER` (only in the first run) if that has no beginning.
    first : ndarray of int (r + 1,)
        The nodes of run i are ``first[i]:first[i + 1]``.
    offset_h, amount_mg : ndarray (n,)
        Time of a node within its cycle [h] and amount of its bolus [mg].
    stop_run : ndarray of int (s,)
        For every stop asked for, the run at whose end it lies; -1 where nothing has been given before.
    end_mg : float
        What is left in the depot at the end of the last run [mg].
    """

    start_h: Array
    period_h: Array
    cycles: Integers
    first: Integers
    offset_h: Array
    amount_mg: Array
    stop_run: Integers
    end_mg: float

    @property
    def records(self) -> BolusRecords:
        """The nodes as dose records of a table of events, sorted by time.

        A cycle without beginning becomes one SS = 1
        record and further SS = 2 records, which add up because the disposition is linear.
        """
        run = np.repeat(np.arange(self.cycles.size), np.diff(self.first))
        time_h = self.start_h[run] + self.offset_h
        order = np.argsort(time_h, kind="stable")
        run, time_h = run[order], time_h[order]
        forever = self.cycles[run] == FOREVER
        steady = np.where(forever, 2, 0)
        steady[: int(forever.any())] = 1
        addl = np.where(forever, 0, self.cycles[run] - 1)
        ii_h = np.where(forever | (addl > 0), self.period_h[run], 0.0)
        return BolusRecords(time_h, self.amount_mg[order], ii_h, addl, steady)

    @property
    def boluses(self) -> tuple[Array, Array]:
        """Every bolus by itself, time [h] and amount [mg], sorted by time; a cycle without beginning counts once."""
        records = self.records
        times = records.addl + 1
        each = np.repeat(np.arange(times.size), times)
        repetition = np.arange(each.size) - np.repeat(np.cumsum(times) - times, times)
        all_h = records.time_h[each] + repetition * records.ii_h[each]
        order = np.argsort(all_h, kind="stable")
        return all_h[order], records.amount_mg[each][order]


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyCycle:
    """Doses that had been repeated for ever before the first one that is known.

    Parameters
    ----------
    until_h : float
        Where the last cycle ends and the known doses take over [h].
    period_h : float
        Length of a cycle [h].
    dose_time_h, dose_mg : ndarray (k,)
        Times of the doses within a cycle, 0 <= time < period [h], and their amounts [mg].
    """

    until_h: float
    period_h: float
    dose_time_h: Array
    dose_mg: Array


@dataclass(frozen=True, slots=True)
class _Piece:
    """The stretch from one dose or stop to the next."""

    length_h: float
    depot_mg: float  # at its beginning, after the dose
    distance_h: float  # from its end to the next stop, at most its length
    stops: bool  # whether a stop lies at its end

    def like(self, other: _Piece) -> bool:
        return (
            not (self.stops or other.stops)
            and self.length_h == other.length_h
            and self.distance_h == other.distance_h
            and abs(self.depot_mg - other.depot_mg) <= _SAME_CYCLE * other.depot_mg
        )


def _on_clock(time_h: ArrayLike) -> Array:
    return CLOCK_H * np.round(np.asarray(time_h, dtype=np.float64) / CLOCK_H)


def _merged(time_h: Array, amount_mg: Array) -> tuple[Array, Array]:
    """Sorted times and the total amount at each."""
    times, place = np.unique(time_h, return_inverse=True)
    total = np.zeros(times.size)
    np.add.at(total, place, amount_mg)
    return times, total


def _pieces(
    begin_mg: float, time_h: Array, amount_mg: Array, stop_h: Array, vm: float, km: float
) -> tuple[list[_Piece], float]:
    """Cut the time from the first dose to the last stop at every dose and stop; and what is left in the depot then."""
    stops = np.unique(stop_h)
    known = time_h <= stops[-1]
    edges = np.union1d(time_h[known], stops[stops >= time_h[0]])
    given = np.zeros(edges.size)
    given[np.searchsorted(edges, time_h[known])] = amount_mg[known]
    following = np.searchsorted(stops, edges)
    pieces = []
    depot_mg = begin_mg
    for i in range(edges.size - 1):
        depot_mg += given[i]
        length_h = float(edges[i + 1] - edges[i])
        distance_h = float(stops[following[i + 1]] - edges[i + 1])
        # Beyond its own length the distance no longer matters: all cycles far from a stop look alike.
        pieces.append(_Piece(length_h, depot_mg, min(distance_h, length_h), distance_h == 0.0))
        depot_mg = decayed(depot_mg, length_h, vm, km)
    return pieces, depot_mg + given[-1]


def _repeats(pieces: list[_Piece], at: int, block: int) -> int:
    """How often the block of pieces that begins at `at` is there in a row."""
    times = 1
    while at + (times + 1) * block <= len(pieces) and all(
        pieces[at + times * block + j].like(pieces[at + j]) for j in range(block)
    ):
        times += 1
    return times


def _blocks(pieces: list[_Piece]) -> list[tuple[int, int, int]]:
    """Find repeated blocks, as (first piece, pieces in a block, times); of up to a fortnight of daily doses."""
    found = []
    at = 0
    while at < len(pieces):
        best = (1, 1)
        longest = 0 if pieces[at].stops else min(_LONGEST_BLOCK, (len(pieces) - at) // 3)  # a stop is like no other
        for block in range(1, longest + 1):
            times = _repeats(pieces, at, block)
            if times >= 3 and block * times > best[0] * best[1]:
                best = (block, times)
        found.append((at, *best))
        at += best[0] * best[1]
    return found


@dataclass(frozen=True, slots=True)
class _Run:
    start_h: float
    period_h: float
    cycles: int
    offset_h: Array
    amount_mg: Array
    end_h: float


def _run(start_h: float, pieces: list[_Piece], cycles: int, filler: Filler) -> _Run:
    offsets, amounts, length_h = [], [], 0.0
    for piece in pieces:
        offset_h, amount_mg = filler.nodes(piece.depot_mg, piece.length_h, piece.distance_h)
        offsets.append(offset_h + length_h)
        amounts.append(amount_mg)
        length_h += piece.length_h
    end_h = start_h + max(cycles, 1) * length_h
    return _Run(start_h, length_h, cycles, np.concatenate(offsets), np.concatenate(amounts), end_h)


def _assembled(runs: list[_Run], stop_h: Array, end_mg: float) -> BolusRuns:
    empty = [np.empty(0)]
    # Times lie on a grid that a float holds exactly, so a stop equals the end of its run to the last bit.
    ends_h = np.array([run.end_h for run in runs])
    found = np.searchsorted(ends_h, stop_h)
    at_end = found < ends_h.size
    at_end[at_end] = ends_h[found[at_end]] == stop_h[at_end]
    return BolusRuns(
        start_h=np.array([run.start_h for run in runs]),
        period_h=np.array([run.period_h for run in runs]),
        cycles=np.array([run.cycles for run in runs], dtype=np.int64),
        first=np.cumsum([0, *(run.offset_h.size for run in runs)], dtype=np.int64),
        offset_h=np.concatenate([run.offset_h for run in runs] or empty),
        amount_mg=np.concatenate([run.amount_mg for run in runs] or empty),
        stop_run=np.where(at_end, found, -1),
        end_mg=float(end_mg),
    )


def _cycle_pieces(
    begin_mg: float, period_h: float, time_h: Array, amount_mg: Array, vm: float, km: float
) -> list[_Piece]:
    """One cycle, far from any stop, beginning at its time 0 with `begin_mg` in the depot."""
    edges = np.union1d(time_h, [0.0, period_h])
    given = np.zeros(edges.size)
    np.add.at(given, np.searchsorted(edges, time_h), amount_mg)
    pieces = []
    for i in range(edges.size - 1):
        begin_mg += given[i]
        length_h = float(edges[i + 1] - edges[i])
        pieces.append(_Piece(length_h, begin_mg, length_h, False))
        begin_mg = decayed(begin_mg, length_h, vm, km)
    return pieces


def _times(time_h: ArrayLike, not_before_h: float) -> Array:
    times = np.atleast_1d(_on_clock(time_h))
    bad = ~(np.isfinite(times) & (times >= not_before_h))
    if bad.any():
        raise InputError(error("saturable.time-impossible", time_h=float(times[bad][0])))
    return times


def absorbed_input(
    dose_time_h: ArrayLike,
    dose_mg: ArrayLike,
    vmax_mg_h: float,
    km_mg: float,
    stop_time_h: ArrayLike,
    *,
    before: SteadyCycle | None = None,
    fastest_rate_per_h: float = FASTEST_RATE_PER_H,
) -> BolusRuns:
    """Turn oral doses with saturable absorption into boluses into the central compartment.

    At every stop, and only there, the response of a linear disposition to the boluses equals its response to the
    absorption rate Vm A/(Km + A).

    Parameters
    ----------
    dose_time_h, dose_mg : array_like (d,)
        Times [h] and amounts [mg]; any order; doses at one time add up.
    vmax_mg_h, km_mg : float
        Largest absorption rate [mg/h] and the amount at which it is half that [mg].
    stop_time_h : array_like (s,)
        Where the response is wanted, or where the parameters of the disposition change [h]; any order.
    before : SteadyCycle, optional
        What had been repeated for ever before; otherwise the depot is empty before the first dose.
    fastest_rate_per_h : float
        The fastest rate constant of the disposition in any lane [1/h].

    Raises
    ------
    InputError
        ``saturable.dose-impossible``, ``saturable.cycle-impossible``, ``saturable.no-steady-state``,
        ``saturable.time-impossible``, ``saturable.doses-shape``, ``saturable.absorption-impossible``.

    Examples
    --------
    Half a year of 2 mg daily is a few single days, one run, and the last day towards the trough:

    >>> import numpy as np
    >>> runs = absorbed_input(24.0 * np.arange(180), np.full(180, 2.0), 4.56, 13.8, [4320.0])
    >>> runs.cycles.tolist()
    [1, 1, 1, 176, 1]
    >>> time_h, amount_mg = runs.boluses
    >>> round(float(amount_mg.sum() + runs.end_mg), 9)
    360.0
    """
    vm, km = absorption_constants(vmax_mg_h, km_mg)
    until_h = -np.inf if before is None else float(_on_clock(before.until_h))
    times, stops = _times(dose_time_h, until_h), _times(stop_time_h, until_h)
    amounts = np.atleast_1d(np.asarray(dose_mg, np.float64))
    refuse_amounts(amounts)
    if amounts.shape != times.shape:
        raise InputError(error("saturable.doses-shape", times=times.size, doses=amounts.size))
    begin_mg, earlier = 0.0, list[_Piece]()
    if before is not None:
        # One cycle more is given dose by dose, so that it can lead up to the first stop.
        period_h = float(_on_clock(before.period_h))
        cycle_h, cycle_mg = cycle_arrays(period_h, _on_clock(before.dose_time_h), before.dose_mg)
        begin_mg = periodic_depot(period_h, cycle_h, cycle_mg, vm, km)
        earlier = _cycle_pieces(begin_mg, period_h, cycle_h, cycle_mg, vm, km)
        times = np.concatenate(([until_h - period_h], until_h - period_h + cycle_h, times))
        amounts = np.concatenate(([0.0], cycle_mg, amounts))
    times, amounts = _merged(times, amounts)
    if times.size == 0 or stops.size == 0 or stops.max() <= times[0]:
        return _assembled([], stops, begin_mg)
    pieces, end_mg = _pieces(begin_mg, times, amounts, stops, vm, km)
    filler = Filler(vm, km, max(piece.depot_mg for piece in (*earlier, *pieces)), fastest_rate_per_h)
    runs = [_run(float(times[0]) - period_h, earlier, FOREVER, filler)] if before is not None else []
    starts_h = float(times[0]) + np.cumsum([0.0, *(piece.length_h for piece in pieces)])
    for at, block, cycles in _blocks(pieces):
        runs.append(_run(float(starts_h[at]), pieces[at : at + block], cycles, filler))
    return _assembled(runs, stops, end_mg)


def periodic_input(
    period_h: float,
    dose_time_h: ArrayLike,
    dose_mg: ArrayLike,
    vmax_mg_h: float,
    km_mg: float,
    stop_time_h: ArrayLike,
    *,
    fastest_rate_per_h: float = FASTEST_RATE_PER_H,
) -> tuple[Array, Array]:
    """Turn one cycle of a regimen repeated for ever into one cycle of boluses into the central compartment.

    Parameters
    ----------
    period_h : float
        Length of the cycle [h].
    dose_time_h, dose_mg : array_like (k,)
        Times of the doses within the cycle, 0 <= time < period [h], and their amounts [mg].
    vmax_mg_h, km_mg : float
        Largest absorption rate [mg/h] and the amount at which it is half that [mg].
    stop_time_h : array_like (s,)
        Times within the cycle, 0 <= time <= period, where the response is wanted [h].
    fastest_rate_per_h : float
        The fastest rate constant of the disposition in any lane [1/h].

    Returns
    -------
    time_h, amount_mg : ndarray (n,)
        Boluses within the cycle, sorted by time; their amounts add up to the doses.

    Raises
    ------
    InputError
        ``saturable.no-steady-state``, ``saturable.cycle-impossible``, ``saturable.dose-impossible``.

    Examples
    --------
    >>> time_h, amount_mg = periodic_input(24.0, [0.0], [2.0], 4.56, 13.8, [24.0])
    >>> round(float(amount_mg.sum()), 12)
    2.0
    """
    vm, km = absorption_constants(vmax_mg_h, km_mg)
    period = float(_on_clock(period_h))
    times, amounts = _merged(*cycle_arrays(period, _on_clock(dose_time_h), dose_mg))
    stops = np.unique(np.atleast_1d(_on_clock(stop_time_h)) % period)
    depot_mg = periodic_depot(period, times, amounts, vm, km)
    edges = np.union1d(np.append(times, [0.0, period]), stops)
    given = np.zeros(edges.size)
    given[np.searchsorted(edges, times)] = amounts
    pieces = []
    for i in range(edges.size - 1):
        depot_mg += given[i]
        length_h = float(edges[i + 1] - edges[i])
        next_stop_h = np.concatenate((stops, stops + period))
        wait_h = next_stop_h[next_stop_h >= edges[i + 1]][0] - edges[i + 1] if stops.size else length_h
        pieces.append(_Piece(length_h, depot_mg, min(float(wait_h), length_h), False))
        depot_mg = decayed(depot_mg, length_h, vm, km)
    filler = Filler(vm, km, max(piece.depot_mg for piece in pieces), fastest_rate_per_h)
    run = _run(0.0, pieces, 1, filler)
    return run.offset_h, run.amount_mg
