# SPDX-License-Identifier: Apache-2.0
"""Kernels that join linear compartment models to the search and to posterior draws: predictions and exact derivatives.

First derivatives are complex steps through the propagation itself, exact to the last digit. Second derivatives, needed
once at the end of a search, are central differences of those.

Patients with plain records (nearly all) are searched and drawn by kernels that take all directions or draws in step
(`sirolens.engine.lockstep`). The others go lane by lane through `sirolens.engine.linear`; those kernels are compiled
only where they are needed, for they take the longest to compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes_likelihood import deviance
from sirolens.engine.bayes_patients import Patients, colour, effects_of, levels_of, whiten
from sirolens.engine.bayes_search import (
    CURVATURE,
    DONE,
    SLOPE,
    begin,
    receive_curvature,
    receive_slope,
    search_arrays,
)
from sirolens.engine.bayes_starts import STARTS, Found, fill_starts, found_arrays, is_known, keep
from sirolens.engine.dense import dot
from sirolens.engine.effects import LOG_NORMAL, NORMAL
from sirolens.engine.kernel import kernel
from sirolens.engine.linear import PARAMETERS, lane_concentrations, lane_work
from sirolens.engine.lockstep import Effects, Plan, is_plain, make_plan, run

__all__ = [
    "NOT_PLAIN",
    "individual_parameters",
    "lane_derivatives",
    "predict_in_step",
    "predict_lanes",
    "search_modes",
]

Array = NDArray[np.float64]

CL = PARAMETERS.index("cl_l_h")
STEP = 1e-20  # of complex-step derivatives: its square vanishes beside 1
WIDE_STEP = 1e-3  # of central differences of first derivatives, in standard deviations of the prior
BLOCK = 128  # draws in step: more no longer fit the fast memory, fewer repeat the book-keeping
NOT_PLAIN = -1


@kernel
def _moved(L: Array, moved: int) -> float:
    """Step of the central difference along eta number `moved`."""
    step: float = WIDE_STEP * np.sqrt(dot(L[moved], L[moved]))
    return step


@kernel
def _in_step(
    shape: int, plan: Plan, effects: Effects, L: Array, z: Array, f: Array, J: Array, F: Array, second: bool
) -> None:
    """Write f and J = df/dz (n_obs, d) at z, and where wanted the second derivatives F (n_obs, d, d)."""
    d, n = z.size, f.size
    lanes = d + d * (d + 1) if second else d
    eta, out = np.zeros((lanes, d), np.complex128), np.zeros((n, lanes), np.complex128)
    middle = np.zeros((1, d))
    colour(L, z.reshape((1, d)), middle)
    lane = 0
    for point in range(2 * d + 1 if second else 1):  # z itself, then one step up and down along each eta
        moved, side = (point - 1) // 2, 2.0 * (point % 2) - 1.0
        for k in range(max(moved, 0), d):
            for j in range(d):
                eta[lane, j] = middle[0, j]
            if point > 0:
                eta[lane, moved] += side * _moved(L, moved)
            eta[lane, k] += STEP * 1j
            lane += 1
    run(shape, plan, effects, eta, out)
    G = np.zeros((n if second else 0, d, d))
    for i in range(n):
        f[i] = out[i, 0].real
        for k in range(d):
            J[i, k] = out[i, k].imag / STEP
        lane = d
        for point in range(1, 2 * d + 1 if second else 1):
            moved, side = (point - 1) // 2, 2.0 * (point % 2) - 1.0
            for k in range(moved, d):
                G[i, moved, k] += side * out[i, lane].imag / (STEP * 2.0 * _moved(L, moved))
                lane += 1
    whiten(L, J, G, F)


@kernel
def search_modes(patients: Patients, most_starts: int, low: int, high: int, out: Found) -> None:
    """Write the modes of patients low <= p < high; every array of `out` has a first axis over patients.

    Patients whose records are not plain get no modes and the outcome `NOT_PLAIN`.
    """
    for p in range(low, high):
        d, shape, effects = patients.n_eta[p], patients.shape[p], effects_of(patients, p)
        first, last = patients.start[p, 0], patients.start[p, 1]
        if not is_plain(shape, patients.records, first, last, effects):
            out.outcome[p, 0] = NOT_PLAIN
            continue
        plan = make_plan(shape, patients.records, first, last, effects)
        L = patients.factor[p, :d, :d].copy()
        levels, weight = levels_of(patients, p), patients.prior_weight[p]
        n = levels.y.size
        f, J, F = np.zeros(n), np.zeros((n, d)), np.zeros((n, d, d))
        found, search, starts = found_arrays(d), search_arrays(d, 0.0), np.zeros((STARTS, d))
        count, s, want = 1, -1, DONE
        while s < count:
            z = search.z if want == CURVATURE else search.trial
            _in_step(shape, plan, effects, L, z, f, J, F, want == CURVATURE)
            if s < 0:  # predictions of the typical patient: they say where to start, and serve the first start
                count = min(fill_starts(levels, f, J, starts), most_starts)
                s, want = 0, begin(search, starts[0])
            if want == SLOPE:
                want = receive_slope(search, levels, weight, f, J)
            else:
                want = receive_curvature(search, levels, weight, f, J, F)
            if want == DONE:
                keep(found, search)
            if want == DONE or (s > 0 and is_known(found, search)):
                s += 1
                if s < count:
                    want = begin(search, starts[s])
        found.counts[1] = count
        _publish(found, p, d, out)


@kernel
def _publish(found: Found, p: int, d: int, out: Found) -> None:
    """Copy the modes of patient p to their place among those of all."""
    for m in range(found.value.size):
        out.value[p, m] = found.value[m]
        out.norm[p, m] = found.norm[m]
        out.outcome[p, m] = found.outcome[m]
        for j in range(d):
            out.z[p, m, j] = found.z[m, j]
            for k in range(d):
                out.hessian[p, m, j, k] = found.hessian[m, j, k]
    out.counts[p, 0], out.counts[p, 1] = found.counts[0], found.counts[1]


@kernel
def predict_in_step(patients: Patients, p: int, eta: Array, low: int, high: int, f: Array, minus_2_log: Array) -> bool:
    """Write predictions f (n, n_obs) and -2 log p(levels | eta) (n,) of rows low <= row < high of eta (n, n_eta).

    Returns False, and writes nothing, where the patient's records are not plain.
    """
    shape, effects, levels = patients.shape[p], effects_of(patients, p), levels_of(patients, p)
    first, last = patients.start[p, 0], patients.start[p, 1]
    if not is_plain(shape, patients.records, first, last, effects):
        return False
    plan = make_plan(shape, patients.records, first, last, effects)
    for begin_row in range(low, high, BLOCK):
        end_row = min(begin_row + BLOCK, high)
        out = np.zeros((f.shape[1], end_row - begin_row))
        run(shape, plan, effects, eta[begin_row:end_row], out)
        for row in range(begin_row, end_row):
            for i in range(f.shape[1]):
                f[row, i] = out[i, row - begin_row]
            minus_2_log[row] = deviance(
                f[row], levels.y, levels.censoring, levels.kind, levels.additive, levels.proportional, levels.weight
            )
    return True


@kernel
def _disturbed(typical: float, eta: Any, kind: int) -> Any:
    """Apply an effect as `effects.disturbed` does, to complex numbers too."""
    if kind == LOG_NORMAL:
        return typical * np.exp(eta)
    if kind == NORMAL:
        return typical + eta
    return 1.0 / (1.0 + (1.0 - typical) / typical * np.exp(-eta))


@kernel
def individual_parameters(effects: Effects, eta: Any, out: Any) -> None:
    """Write the parameters (n_periods, 15) of every period for etas (n_eta,), float64 or complex128."""
    for p in range(out.shape[1]):
        which, kind = effects.eta_of_parameter[p], effects.effect_kind[p]
        for j in range(out.shape[0]):
            typical = effects.typical[j, p]
            out[j, p] = _disturbed(typical, eta[which], kind) if which >= 0 else typical + 0.0 * eta[0]
    for j in range(out.shape[0]):
        if effects.occasion_eta[j] >= 0:
            out[j, CL] *= np.exp(eta[effects.occasion_eta[j]])


@kernel
def lane_derivatives(patients: Patients, p: int, z: Array, f: Array, J: Array, F: Array, second: bool) -> None:
    """Write f and J = df/dz at z, and where wanted the second derivatives F: the same by lanes, for any records."""
    d = z.size
    L, effects = patients.factor[p, :d, :d].copy(), effects_of(patients, p)
    eta, middle = np.zeros(d, np.complex128), np.zeros((1, d))
    parameters, out = np.zeros(effects.typical.shape, np.complex128), np.zeros(f.size, np.complex128)
    work = lane_work(patients.shape[p], patients.dose_records[p], eta)
    colour(L, z.reshape((1, d)), middle)
    G = np.zeros((f.size if second else 0, d, d))
    for point in range(2 * d + 1 if second else 1):
        moved, side = (point - 1) // 2, 2.0 * (point % 2) - 1.0
        for k in range(max(moved, 0), d):
            for j in range(d):
                eta[j] = middle[0, j]
            if point > 0:
                eta[moved] += side * _moved(L, moved)
            eta[k] += STEP * 1j
            individual_parameters(effects, eta, parameters)
            lane_concentrations(
                patients.shape[p], patients.records, patients.start[p, 0], patients.start[p, 1], parameters, work, out
            )
            for i in range(f.size):
                slope = out[i].imag / STEP
                if point == 0:
                    f[i] = out[i].real
                    J[i, k] = slope
                else:
                    G[i, moved, k] += side * slope / (2.0 * _moved(L, moved))
    whiten(L, J, G, F)


@kernel
def predict_lanes(patients: Patients, p: int, eta: Array, low: int, high: int, f: Array, minus_2_log: Array) -> None:
    """Do what `predict_in_step` does lane by lane, for any records."""
    effects, levels = effects_of(patients, p), levels_of(patients, p)
    parameters = np.zeros(effects.typical.shape)
    work = lane_work(patients.shape[p], patients.dose_records[p], parameters)
    for row in range(low, high):
        individual_parameters(effects, eta[row], parameters)
        lane_concentrations(
            patients.shape[p], patients.records, patients.start[p, 0], patients.start[p, 1], parameters, work, f[row]
        )
        minus_2_log[row] = deviance(
            f[row], levels.y, levels.censoring, levels.kind, levels.additive, levels.proportional, levels.weight
        )
