# SPDX-License-Identifier: Apache-2.0
"""Kernels that join linear compartment models to the search and to posterior draws: predictions and exact derivatives.

First derivatives are complex steps through the propagation itself, exact to the last digit. Second derivatives, needed
once at the end of a search, are central differences of those.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sirolens.engine.bayes_likelihood import deviance
from sirolens.engine.bayes_search import (
    CURVATURE,
    DONE,
    SLOPE,
    Levels,
    begin,
    receive_curvature,
    receive_slope,
    search_arrays,
)
from sirolens.engine.bayes_starts import STARTS, Found, fill_starts, found_arrays, is_known, keep
from sirolens.engine.dense import copy, dot
from sirolens.engine.effects import LOG_NORMAL, NORMAL
from sirolens.engine.linear_lane import Records, lane_concentrations
from sirolens.engine.linear_modes import CL
from sirolens.engine.linear_step import Work, lane_work

__all__ = ["Patients", "individual_parameters", "predict_draws", "search_modes"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

STEP = 1e-20  # of complex-step derivatives: its square vanishes beside 1
WIDE_STEP = 1e-3  # of central differences of first derivatives, in standard deviations of the prior


class Patients(NamedTuple):
    """Problems end to end: patient p owns periods period_start[p] and on, levels level_start[p] and on."""

    shape: Codes  # (n,)
    records: Records
    start: Codes  # (n, 2) first record, and the one after the last level
    dose_records: Codes  # (n,)
    period_start: Codes  # (n + 1,)
    typical: Array  # (periods, 15)
    occasion_eta: Codes  # (periods,)
    eta_of_parameter: Codes  # (n, 15)
    effect_kind: Codes  # (n, 15)
    n_eta: Codes  # (n,)
    factor: Array  # (n, most etas, most etas)
    level_start: Codes  # (n + 1,)
    levels: Levels
    prior_weight: Array  # (n,)


class Lane(NamedTuple):
    """What one patient's predictions need, with memory to make them in real or complex numbers."""

    shape: int
    records: Records
    first: int
    last: int
    typical: Array
    occasion_eta: Codes
    eta_of_parameter: Codes
    effect_kind: Codes
    work: Work
    parameters: Any
    out: Any


@njit(cache=True, nogil=True, error_model="numpy")
def _disturbed(typical: float, eta: Any, kind: int) -> Any:
    """Apply a normal or logit effect as `effects.disturbed` does, to complex numbers too."""
    return typical + eta if kind == NORMAL else 1.0 / (1.0 + (1.0 - typical) / typical * np.exp(-eta))


@njit(cache=True, nogil=True, error_model="numpy")
def individual_parameters(lane: Lane, eta: Any) -> None:
    """Write the parameters of every period for etas, float64 or complex128."""
    out = lane.parameters
    for p in range(out.shape[1]):
        which, kind = lane.eta_of_parameter[p], lane.effect_kind[p]
        if which < 0:
            for j in range(out.shape[0]):
                out[j, p] = lane.typical[j, p]
        elif kind == LOG_NORMAL:
            gain = np.exp(eta[which])
            for j in range(out.shape[0]):
                out[j, p] = lane.typical[j, p] * gain
        else:
            for j in range(out.shape[0]):
                out[j, p] = _disturbed(lane.typical[j, p], eta[which], kind)
    for j in range(out.shape[0]):
        if lane.occasion_eta[j] >= 0:
            out[j, CL] *= np.exp(eta[lane.occasion_eta[j]])


@njit(cache=True, nogil=True, error_model="numpy")
def _lane(patients: Patients, p: int, like: Any) -> Lane:
    """Lane of patient p for numbers of the type of `like`."""
    a, b = patients.period_start[p], patients.period_start[p + 1]
    m = patients.level_start[p + 1] - patients.level_start[p]
    return Lane(
        patients.shape[p],
        patients.records,
        patients.start[p, 0],
        patients.start[p, 1],
        patients.typical[a:b],
        patients.occasion_eta[a:b],
        patients.eta_of_parameter[p],
        patients.effect_kind[p],
        lane_work(patients.shape[p], patients.dose_records[p], like),
        np.zeros((b - a, patients.typical.shape[1]), like.dtype),
        np.zeros(m, like.dtype),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _levels(patients: Patients, p: int) -> Levels:
    a, b, these = patients.level_start[p], patients.level_start[p + 1], patients.levels
    return Levels(
        these.y[a:b],
        these.censoring[a:b],
        these.kind[a:b],
        these.additive[a:b],
        these.proportional[a:b],
        these.weight[a:b],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _coloured(L: Array, z: Array, eta: Any) -> None:
    """Write eta = L z."""
    for i in range(z.size):
        value = 0.0
        for k in range(i + 1):
            value += L[i, k] * z[k]
        eta[i] = value


# Compiling a kernel compiles again whatever it calls, so there are few storeys above `lane_concentrations`: one kernel
# asks for complex predictions, one for real ones.


@njit(cache=True, nogil=True, error_model="numpy")
def _derivatives(lane: Lane, L: Array, z: Array, eta: Any, f: Array, J: Array, F: Array, second: bool) -> None:
    """Write f and J = df/dz (n_obs, d) at z, and where wanted the second derivatives F (n_obs, d, d)."""
    d = z.size
    _coloured(L, z, eta)
    G = np.zeros((f.size if second else 0, d, d))
    for point in range(2 * d + 1 if second else 1):  # z itself, then one step up and down along each eta
        moved, side, h = (point - 1) // 2, 2.0 * (point % 2) - 1.0, 0.0
        if point > 0:
            h = WIDE_STEP * np.sqrt(dot(L[moved], L[moved]))
            eta[moved] += side * h
        for k in range(max(moved, 0), d):
            eta[k] += STEP * 1j
            individual_parameters(lane, eta)
            lane_concentrations(lane.shape, lane.records, lane.first, lane.last, lane.parameters, lane.work, lane.out)
            eta[k] = eta[k].real
            for i in range(f.size):
                slope = lane.out[i].imag / STEP
                if point == 0:
                    f[i] = lane.out[i].real
                    J[i, k] = slope
                else:
                    G[i, moved, k] += side * slope / (2.0 * h)
        if point > 0:
            eta[moved] -= side * h
    _whiten(L, J, G, F, second)


@njit(cache=True, nogil=True, error_model="numpy")
def _whiten(L: Array, J: Array, G: Array, F: Array, second: bool) -> None:
    """Turn derivatives with respect to eta into derivatives with respect to z; of G the upper triangle is read."""
    n, d = J.shape
    for i in range(n):
        for k in range(d):
            value = 0.0
            for j in range(k, d):
                value += J[i, j] * L[j, k]
            J[i, k] = value
    if not second:
        return
    for i in range(n):
        for a in range(d):
            for b in range(d):
                value = 0.0
                for j in range(a, d):
                    for k in range(b, d):
                        value += L[j, a] * G[i, min(j, k), max(j, k)] * L[k, b]
                F[i, a, b] = value


@njit(cache=True, nogil=True, error_model="numpy")
def search_modes(patients: Patients, most_starts: int, low: int, high: int, out: Found) -> None:
    """Write the modes of patients low <= p < high; every array of `out` has a first axis over patients."""
    for p in range(low, high):
        d = patients.n_eta[p]
        L = patients.factor[p, :d, :d]
        levels, weight = _levels(patients, p), patients.prior_weight[p]
        n = levels.y.size
        eta = np.zeros(d, np.complex128)
        lane = _lane(patients, p, eta)
        f, J, F = np.zeros(n), np.zeros((n, d)), np.zeros((n, d, d))
        found, search, starts = found_arrays(d), search_arrays(d, 0.0), np.zeros((STARTS, d))
        count, s, want = 1, -1, DONE
        while s < count:
            z = search.z if want == CURVATURE else search.trial
            _derivatives(lane, L, z, eta, f, J, F, want == CURVATURE)
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
        found.count[1] = count
        _publish(found, p, d, out)


@njit(cache=True, nogil=True, error_model="numpy")
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
    out.count[p, 0], out.count[p, 1] = found.count[0], found.count[1]


@njit(cache=True, nogil=True, error_model="numpy")
def predict_draws(patients: Patients, p: int, eta: Array, low: int, high: int, f: Array, minus_2_log: Array) -> None:
    """Write predictions f (n, n_obs) and -2 log p(levels | eta) (n,) of rows low <= row < high of eta (n, n_eta)."""
    lane, levels = _lane(patients, p, patients.typical), _levels(patients, p)
    for row in range(low, high):
        individual_parameters(lane, eta[row])
        lane_concentrations(lane.shape, lane.records, lane.first, lane.last, lane.parameters, lane.work, lane.out)
        copy(lane.out, f[row])
        minus_2_log[row] = deviance(
            f[row], levels.y, levels.censoring, levels.kind, levels.additive, levels.proportional, levels.weight
        )
