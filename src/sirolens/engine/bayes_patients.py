# SPDX-License-Identifier: Apache-2.0
"""Problems end to end, as the kernels of estimation take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.bayes_problem import Problem
from sirolens.engine.bayes_search import Levels
from sirolens.engine.kernel import kernel
from sirolens.engine.linear import Records
from sirolens.engine.lockstep import Effects

__all__ = ["Patients", "colour", "effects_of", "levels_of", "pack", "whiten"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


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


def pack(problems: Sequence[Problem]) -> Patients:
    """Put problems end to end."""
    most = max(p.omega.shape[0] for p in problems)
    factor = np.zeros((len(problems), most, most))
    for i, p in enumerate(problems):
        n = p.omega.shape[0]
        factor[i, :n, :n] = p.factor
    first = _offsets([p.events.time_h.size for p in problems])
    start = np.stack([first[:-1], first[:-1] + [_after_last_level(p) for p in problems]], axis=1)
    return Patients(
        np.array([p.structure.code for p in problems], dtype=np.int64),
        Records(*(np.concatenate(columns) for columns in zip(*(p.events.records for p in problems), strict=True))),
        start,
        np.array([p.events.dose_records for p in problems], dtype=np.int64),
        _offsets([p.typical.shape[0] for p in problems]),
        np.concatenate([p.typical for p in problems]),
        np.concatenate([p.occasions for p in problems]),
        np.stack([p.eta_of_parameter for p in problems]),
        np.stack([p.effect_kind for p in problems]),
        np.array([p.omega.shape[0] for p in problems], dtype=np.int64),
        factor,
        _offsets([p.levels.y.size for p in problems]),
        Levels(*(np.concatenate(columns) for columns in zip(*(p.levels for p in problems), strict=True))),
        np.array([p.prior_weight for p in problems]),
    )


def _offsets(sizes: list[int]) -> Codes:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _after_last_level(problem: Problem) -> int:
    """How many records matter: what follows the last level does not."""
    observed = np.flatnonzero(problem.events.evid == 0)
    return int(observed[-1]) + 1 if observed.size else 0


@kernel
def effects_of(patients: Patients, p: int) -> Effects:
    """Typical parameters and effects of patient p."""
    a, b = patients.period_start[p], patients.period_start[p + 1]
    return Effects(
        patients.typical[a:b], patients.occasion_eta[a:b], patients.eta_of_parameter[p], patients.effect_kind[p]
    )


@kernel
def levels_of(patients: Patients, p: int) -> Levels:
    """Levels of patient p."""
    a, b, these = patients.level_start[p], patients.level_start[p + 1], patients.levels
    return Levels(
        these.y[a:b],
        these.censoring[a:b],
        these.kind[a:b],
        these.additive[a:b],
        these.proportional[a:b],
        these.weight[a:b],
    )


@kernel
def colour(L: Array, z: Array, eta: Array) -> None:
    """Write eta = L z for every row of z."""
    for row in range(z.shape[0]):
        for i in range(L.shape[0]):
            value = 0.0
            for k in range(i + 1):
                value += L[i, k] * z[row, k]
            eta[row, i] = value


@kernel
def whiten(L: Array, J: Array, G: Array, F: Array) -> None:
    """Turn derivatives with respect to eta into derivatives with respect to z, eta = L z.

    J (n_obs, d) is changed in place; of G (n_obs, d, d), which may be empty, the upper triangle is read, and F written.
    """
    n, d = J.shape
    for i in range(n):
        for k in range(d):
            value = 0.0
            for j in range(k, d):
                value += J[i, j] * L[j, k]
            J[i, k] = value
    for i in range(G.shape[0]):
        for a in range(d):
            for b in range(d):
                value = 0.0
                for j in range(a, d):
                    for k in range(b, d):
                        value += L[j, a] * G[i, min(j, k), max(j, k)] * L[k, b]
                F[i, a, b] = value
