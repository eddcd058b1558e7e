# SPDX-License-Identifier: Apache-2.0
"""Kernels that turn clearances and volumes into modes: rates and directions along which amounts decay alone.

With D = diag(1, sqrt(V2/V1), sqrt(V3/V1)) and x = D s, amounts x of the central and peripheral compartments obey
ds/dt = -S s with S symmetric and positive definite:

    S = [[k10 + k12 + k13, -sqrt(k12 k21), -sqrt(k13 k31)],
         [-sqrt(k12 k21),            k21,              0],
         [-sqrt(k13 k31),              0,            k31]]

so S = U diag(lambda) U' with orthogonal U, and y = U' s decays mode by mode. Symmetry is what makes every case safe:
rates are real, directions are orthogonal, and nothing blows up when two rates come close.

Every kernel works on float64 and on complex128 (complex-step derivatives) and branches on real parts only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sirolens.engine.kernel import kernel
from sirolens.engine.linear_layout import CL, K_ABS, KA, LAMBDA, Q2, Q3, SCRATCH, STATE, V1, V2, V3, D, U

MAX_SWEEPS = 16


@kernel
def fill_basis(n: int, parameters: Any, w: Any) -> None:
    """Rates and directions of an n-compartment model."""
    v1 = parameters[V1]
    k10 = parameters[CL] / v1
    for i in range(STATE):
        w[i] = 0.0
    w[K_ABS] = parameters[KA]
    w[D] = 1.0
    if n == 1:
        w[LAMBDA] = k10
        w[U] = 1.0
        return
    w[D + 1] = np.sqrt(parameters[V2] / v1)
    k12, k21 = parameters[Q2] / v1, parameters[Q2] / parameters[V2]
    if n == 2:
        _two(k10, k12, k21, w)
    else:
        w[D + 2] = np.sqrt(parameters[V3] / v1)
        _three(k10, k12, k21, parameters[Q3] / v1, parameters[Q3] / parameters[V3], w)


@kernel
def _two(k10: Any, k12: Any, k21: Any, w: Any) -> None:
    """One rotation; products, not differences, give the small numbers."""
    b2 = k12 * k21
    half = 0.5 * (k10 + k12 - k21)
    r = np.sqrt(half * half + b2)
    fast = 0.5 * (k10 + k12 + k21) + r
    w[LAMBDA] = fast
    w[LAMBDA + 1] = k10 * k21 / fast
    if r.real == 0.0:
        c, s = 1.0 + 0.0 * r, 0.0 * r
    elif half.real >= 0.0:
        c = np.sqrt((r + half) / (2.0 * r))
        s = np.sqrt(b2 / ((r + half) * 2.0 * r))
    else:
        c = np.sqrt(b2 / ((r - half) * 2.0 * r))
        s = np.sqrt((r - half) / (2.0 * r))
    w[U], w[U + 1] = c, s
    w[U + 3], w[U + 4] = -s, c


@kernel
def _rotate(w: Any, p: int, q: int) -> None:
    """Jacobi rotation that clears S[p, q] in the scratch; U collects the rotations."""
    S = SCRATCH
    apq = w[S + 3 * p + q]
    if apq == 0.0:
        return
    gap = w[S + 4 * q] - w[S + 4 * p]
    root = np.sqrt(gap * gap + 4.0 * apq * apq)
    t = 2.0 * apq / (gap + root) if gap.real >= 0.0 else 2.0 * apq / (gap - root)
    c = 1.0 / np.sqrt(1.0 + t * t)
    s = t * c
    w[S + 4 * p] -= t * apq
    w[S + 4 * q] += t * apq
    w[S + 3 * p + q] = w[S + 3 * q + p] = 0.0
    r = 3 - p - q
    rp, rq = w[S + 3 * r + p], w[S + 3 * r + q]
    w[S + 3 * r + p] = w[S + 3 * p + r] = c * rp - s * rq
    w[S + 3 * r + q] = w[S + 3 * q + r] = s * rp + c * rq
    for k in range(U, U + 9, 3):
        up, uq = w[k + p], w[k + q]
        w[k + p] = c * up - s * uq
        w[k + q] = s * up + c * uq


@kernel
def _three(k10: Any, k12: Any, k21: Any, k13: Any, k31: Any, w: Any) -> None:
    """Cyclic Jacobi sweeps, then the slowest rate from the determinant k10 k21 k31."""
    S = SCRATCH
    w[S], w[S + 4], w[S + 8] = k10 + k12 + k13, k21, k31
    w[S + 1] = w[S + 3] = -np.sqrt(k12 * k21)
    w[S + 2] = w[S + 6] = -np.sqrt(k13 * k31)
    w[S + 5] = w[S + 7] = 0.0
    w[U] = w[U + 4] = w[U + 8] = 1.0
    norm = (k10 + k12 + k13 + k21 + k31).real
    done = False
    for _ in range(MAX_SWEEPS):
        last = done  # one sweep more: an imaginary part converges one sweep behind the real one
        done = w[S + 1].real ** 2 + w[S + 2].real ** 2 + w[S + 5].real ** 2 <= 1e-36 * norm * norm
        for p, q in ((0, 1), (0, 2), (1, 2)):
            _rotate(w, p, q)
        if last:
            break
    slow = 0
    for i in range(3):
        w[LAMBDA + i] = w[S + 4 * i]
        if w[S + 4 * i].real < w[S + 4 * slow].real:
            slow = i
    others = w[S + 4 * ((slow + 1) % 3)] * w[S + 4 * ((slow + 2) % 3)]
    if others.real > 0.0:
        w[LAMBDA + slow] = k10 * k21 * k31 / others


@kernel
def to_amounts(n: int, w: Any) -> None:
    """Replace modes by amounts in compartments, x = D U y."""
    y0, y1, y2 = w[STATE], w[STATE + 1], w[STATE + 2]
    for k in range(n):
        u = U + 3 * k
        w[STATE + k] = w[D + k] * (w[u] * y0 + w[u + 1] * y1 + w[u + 2] * y2)


@kernel
def to_modes(n: int, w: Any) -> None:
    """Replace amounts in compartments by modes, y = U' x / D."""
    for k in range(n):
        w[STATE + k] /= w[D + k]
    s0, s1, s2 = w[STATE], w[STATE + 1], w[STATE + 2]
    for i in range(n):
        w[STATE + i] = w[U + i] * s0 + w[U + 3 + i] * s1 + w[U + 6 + i] * s2
