# SPDX-License-Identifier: Apache-2.0
"""How a linear disposition answers a saturable absorption: concentrations of many lanes from one set of runs.

Mode i of the disposition decays at rate lambda_i. Over one cycle of length P it gains
v_i = u_i sum_j a_j exp(-lambda_i (P - t_j)), and over n cycles

    y_i <- exp(-n lambda_i P) y_i + v_i (1 - exp(-n lambda_i P)) / (1 - exp(-lambda_i P)).

Cycles that differ only in the amounts of their nodes share the exponentials, so that half a year of daily doses costs a
lane some hundred of them.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.kernel import kernel
from sirolens.engine.lanes import over_chunks
from sirolens.engine.linear import PARAMETERS
from sirolens.engine.linear_layout import LAMBDA, ROUTE_2, ROWS, STATE, V1, F, U
from sirolens.engine.linear_modes import fill_basis, to_amounts, to_modes
from sirolens.engine.linear_step import decayed
from sirolens.engine.saturable import FOREVER, BolusRuns
from sirolens.engine.saturable_block import many_in_step
from sirolens.errors import InputError
from sirolens.message import error

__all__ = ["Plan", "lane_response", "plan", "response"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

NG_PER_ML_PER_MG_PER_L = 1000.0
_WORTH_A_THREAD = 500  # lanes


class Plan(NamedTuple):
    """Runs as the kernel takes them: equal layouts of nodes are written once, as patterns."""

    cycles: Integers  # (r,) per run
    first: Integers  # (r + 1,) nodes of a run
    amount_mg: Array  # (n,) of a node
    run_set: Integers  # (r,) parameter set in force over a run
    column: Integers  # (r,) column of the output for the end of a run, or -1
    pattern: Integers  # (r,) of a run
    length_h: Array  # (p,) of a cycle, per pattern
    begin: Integers  # (p + 1,) nodes of a pattern
    left_h: Array  # (m,) from a node to the end of its cycle


def plan(runs: BolusRuns, run_set: ArrayLike = 0) -> Plan:
    """Bring runs into the form of `lane_response`; `run_set` says which parameter set is in force over each run."""
    patterns: dict[tuple[float, bytes], int] = {}
    which, lengths, lefts = [], [], []
    for i, period_h in enumerate(runs.period_h):
        offset_h = runs.offset_h[runs.first[i] : runs.first[i + 1]]
        key = (float(period_h), offset_h.tobytes())
        if key not in patterns:
            patterns[key] = len(patterns)
            lengths.append(float(period_h))
            lefts.append(period_h - offset_h)
        which.append(patterns[key])
    column = np.full(runs.cycles.size, -1)
    wanted = np.unique(runs.stop_run[runs.stop_run >= 0])
    column[wanted] = np.arange(wanted.size)
    sets = np.array(np.broadcast_to(np.asarray(run_set, np.int64), runs.cycles.shape))
    return Plan(
        runs.cycles,
        runs.first,
        runs.amount_mg,
        sets,
        column.astype(np.int64),
        np.array(which, dtype=np.int64),
        np.array(lengths),
        np.cumsum([0, *(left_h.size for left_h in lefts)], dtype=np.int64),
        np.concatenate(lefts or [np.empty(0)]),
    )


@kernel
def _tabulate(n: int, basis: Any, p: int, plan: Plan, table: Any) -> None:
    """Decays from every node of pattern p to the end of its cycle."""
    for i in range(n):
        rate = basis[LAMBDA + i]
        for j in range(plan.begin[p], plan.begin[p + 1]):
            table[i, j] = np.exp(-rate * plan.left_h[j])


@kernel
def _repeat(n: int, basis: Any, length_h: float, cycles: int, gain: Any, state: Any) -> None:
    for i in range(n):
        rate = basis[LAMBDA + i]
        left = np.exp(-rate * length_h)
        if cycles == 1:
            state[i] = left * state[i] + gain[i]
        elif cycles == FOREVER:
            state[i] = gain[i] / (rate * decayed(rate, length_h, left))
        else:
            span = cycles * length_h
            left_after = np.exp(-rate * span)
            geometric = decayed(rate, span, left_after) / decayed(rate, length_h, left)
            state[i] = left_after * state[i] + gain[i] * geometric


@kernel
def lane_response(n: int, plan: Plan, parameters: Any, table: Any, table_set: Any, out: Any) -> None:
    """Central amounts [mg] of one lane at the stops.

    Parameters
    ----------
    n : int
        Compartments of the disposition.
    plan : Plan
        From `plan`.
    parameters : (n_periods, 15) float64 or complex128
        In the order of linear.PARAMETERS; clearances, volumes and f2 are used.
    table, table_set : (3, m) of the parameters' type, (p,) int64
        Scratch memory, m and p as in `Plan`; what it holds does not matter.
    out : (columns,) of the parameters' type
        Receives the amounts.
    """
    kind = parameters.dtype
    basis = np.zeros(ROWS, kind)
    state, gain = basis[STATE : STATE + 3], np.zeros(3, kind)
    table_set[:] = -1
    held = -1
    for r in range(plan.cycles.size):
        wanted = plan.run_set[r]
        if wanted != held:
            if held >= 0:
                to_amounts(n, basis)
            fill_basis(n, parameters[wanted], basis)
            if held >= 0:
                to_modes(n, basis)
            held = wanted
        p = plan.pattern[r]
        if table_set[p] != held:
            _tabulate(n, basis, p, plan, table)
            table_set[p] = held
        shift = plan.first[r] - plan.begin[p]
        for i in range(n):
            total = 0.0 * gain[i]
            for j in range(plan.begin[p], plan.begin[p + 1]):
                total += plan.amount_mg[shift + j] * table[i, j]
            gain[i] = basis[U + i] * parameters[held, ROUTE_2 + F] * total
        _repeat(n, basis, plan.length_h[p], plan.cycles[r], gain, state)
        if plan.column[r] >= 0:
            amount = basis[U] * state[0]
            for i in range(1, n):
                amount += basis[U + i] * state[i]
            out[plan.column[r]] = amount


@kernel
def _many(n: int, plan: Plan, parameters: Any, low: int, high: int, out: Any) -> None:
    table = np.zeros((3, plan.left_h.size), parameters.dtype)
    table_set = np.zeros(plan.length_h.size, np.int64)
    for lane in range(low, high):
        lane_response(n, plan, parameters[lane], table, table_set, out[lane])


def response(
    runs: BolusRuns,
    compartments: Literal[1, 2, 3],
    parameters: ArrayLike,
    *,
    run_set: ArrayLike = 0,
    stop_set: ArrayLike = 0,
    threads: int | None = None,
) -> NDArray[Any]:
    """Concentrations at the stops, for many lanes.

    Parameters
    ----------
    runs : BolusRuns
        From `sirolens.engine.saturable.absorbed_input`; its stops must include every change of parameters.
    compartments : {1, 2, 3}
        Compartments of the disposition.
    parameters : (lanes, 15) or (lanes, periods, 15)
        Values in the order of `sirolens.engine.linear.PARAMETERS`, of which clearances, volumes and f2 are used.
        Complex values give complex-step derivatives.
    run_set : (r,) int or int
        Parameter set in force over each run.
    stop_set : (s,) int or int
        Parameter set whose volume turns the amount at a stop into a concentration.
    threads : int, optional
        Most threads to use; all cores when left out. The result is the same to the last bit.

    Returns
    -------
    ndarray (lanes, s)
        Concentrations [ng/mL]; 0 before the first dose.

    Raises
    ------
    InputError
        ``saturable.parameters-shape``.

    Examples
    --------
    >>> from sirolens.engine.linear import NEUTRAL
    >>> from sirolens.engine.saturable import absorbed_input
    >>> typical = NEUTRAL.copy()
    >>> typical[:4] = 12.9, 53.4, 29.0, 611.0  # Wu 2012, haematocrit 35.1 %
    >>> month = absorbed_input(24.0 * np.arange(30), np.full(30, 2.0), 4.56, 13.8, [720.0])
    >>> response(month, 2, [typical]).round(2)
    array([[4.09]])
    """
    given = np.asarray(parameters)
    values = np.ascontiguousarray(given, np.complex128 if np.iscomplexobj(given) else np.float64)
    if values.ndim == 2:
        values = values[:, None, :]
    sets = max(int(np.max(run_set, initial=0)), int(np.max(stop_set, initial=0)))
    if values.ndim != 3 or values.shape[2] != len(PARAMETERS) or values.shape[1] <= sets:
        raise InputError(error("saturable.parameters-shape", shape=str(given.shape), periods=sets + 1))
    made = plan(runs, run_set)
    amounts = np.zeros((len(values), int(made.column.max(initial=-1)) + 2), values.dtype)

    def job(low: int, high: int) -> None:
        if values.dtype == np.float64:
            many_in_step(compartments, made, values, low, high, amounts)
        else:
            _many(compartments, made, values, low, high, amounts)

    over_chunks(len(values), threads, job, worth=_WORTH_A_THREAD)
    # The last column stays zero: what index -1 finds for a stop before the first dose.
    columns = np.where(runs.stop_run >= 0, made.column[runs.stop_run], -1) if runs.cycles.size else runs.stop_run
    volumes = values[:, np.broadcast_to(np.asarray(stop_set, np.int64), columns.shape), V1]
    result: NDArray[Any] = NG_PER_ML_PER_MG_PER_L * amounts[:, columns] / volumes
    return result
