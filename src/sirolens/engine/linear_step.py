# SPDX-License-Identifier: Apache-2.0
"""Kernels that move modes and absorption stages over one interval, exactly, without a branch for equal rates.

Over an interval t with absorption rate k, p_j = exp(-kt) (kt)^j / j! and u_i = U[central, i], N absorption stages a and
modes y move as

    a_m(t) = sum_{l<=m} p_{m-l} a_l                           + R_1 P(m+1, kt) / k
    y_i(t) = exp(-lambda_i t) y_i + u_i sum_m H_{N-1-m} a_m   + R_2 u_i (1 - exp(-lambda_i t)) / lambda_i + R_1 u_i J
    H_j    = integral_0^t exp(-lambda (t-s)) k (ks)^j / j! exp(-ks) ds,      J = integral_0^t H_{N-1}(s) ds

with constant input rates R_1 into stage 1 and R_2 into the central compartment. Everything is a sum of positive terms,
or a ratio taken by series where numerator and denominator vanish together, so ka = k10, ktr = ka or lambda -> 0 need
no case of their own and lose no digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sirolens.engine.kernel import kernel
from sirolens.engine.linear_layout import (
    DT,
    FILLED,
    IN_USE,
    K_ABS,
    LAMBDA,
    LAST,
    RATE_1,
    RATE_2,
    ROWS,
    SCRATCH,
    SLOTS,
    STAGES,
    B,
    C,
    E,
    P,
    U,
    row_width,
    spare_row,
)

SERIES_TERMS = 60


@kernel
def mean_decay(z: Any) -> Any:
    """Return (1 - exp(-z)) / z by its series, for |z| <= 0.5."""
    s = 1.0 - z / 15.0
    for n in range(14, 1, -1):
        s = 1.0 - z / n * s
    return s


@kernel
def decayed(rate: Any, t: Any, left: Any) -> Any:
    """Return (1 - exp(-rate t)) / rate, where left = exp(-rate t)."""
    z = rate * t
    if abs(z.real) <= 0.5:
        return t * mean_decay(z)
    return (1.0 - left) / rate


@kernel
def chain_response(k: Any, rate: Any, t: Any, left: Any, w: Any, p: int, K: int, H: int) -> None:
    """H_0 .. H_K for one mode into w[H:]; w[p:] holds the Poisson terms p_0 .. p_{K+1}, left = exp(-rate t).

    Upwards, H_j = (H_{j-1} - p_j) k / (k - rate), is stable while j < |k - rate| t; downwards from a series at the top,
    H_{j-1} = p_j + (1 - rate / k) H_j, is stable above that.
    """
    x = (k - rate) * t
    turn = min(K + 1.0, np.floor(abs(x.real)))
    low = int(turn) if turn > 0.0 else 0
    h = left
    for j in range(low):
        h = (h - w[p + j]) * k / (k - rate)
        w[H + j] = h
    if low > K:
        return
    total = 1.0 + 0.0 * x
    term = total
    for n in range(1, SERIES_TERMS):
        term = term * x / (K + 1.0 + n)
        total += term
        if abs(term.real) < 1e-17 * abs(total.real):
            break
    w[H + K] = w[p + K + 1] * total
    back = 1.0 - rate / k
    for j in range(K, low, -1):
        w[H + j - 1] = w[p + j] + back * w[H + j]


@kernel
def fill_row(n: int, N: int, w: Any, t: Any, b: int) -> None:
    """Transition over t, without inputs, into the row at b."""
    w[b + DT] = t
    w[b + FILLED] = 0.0
    for i in range(n):
        w[b + E + i] = np.exp(-w[LAMBDA + i] * t)
    if N == 0:
        return
    k = w[K_ABS]
    p0 = np.exp(-k * t)
    w[b + P] = p0
    if N == 1:
        for i in range(n):
            rate, left = w[LAMBDA + i], w[b + E + i]
            z = (k - rate) * t
            h = k * t * left * mean_decay(z) if abs(z.real) <= 0.5 else k * (left - p0) / (k - rate)
            w[b + P + 2 + i] = w[U + i] * h
        return
    for j in range(1, N):
        w[b + P + j] = w[b + P + j - 1] * (k * t) / j
    p, H = SCRATCH, SCRATCH + N + 1
    for j in range(N):
        w[p + j] = w[b + P + j]
    w[p + N] = w[p + N - 1] * (k * t) / N
    for i in range(n):
        chain_response(k, w[LAMBDA + i], t, w[b + E + i], w, p, N - 1, H)
        g = b + P + 2 * N + i * N
        for m in range(N):
            w[g + m] = w[U + i] * w[H + N - 1 - m]


@kernel
def fill_inputs(n: int, N: int, w: Any, b: int) -> None:
    """Answers to constant unit input rates over the row's interval."""
    t = w[b + DT]
    w[b + FILLED] = 1.0
    for i in range(n):
        w[b + C + i] = w[U + i] * decayed(w[LAMBDA + i], t, w[b + E + i])
    if N == 0:
        return
    k = w[K_ABS]
    kt = k * t
    short = kt.real <= N + 1.0
    K = 3 * N + 24 if short else N - 1
    p, H = SCRATCH, SCRATCH + K + 2
    w[p] = w[b + P]
    for j in range(1, K + 2):
        w[p + j] = w[p + j - 1] * kt / j
    for i in range(n):
        rate, left = w[LAMBDA + i], w[b + E + i]
        chain_response(k, rate, t, left, w, p, K, H)
        total = 0.0 * kt
        if short:  # little has come through all stages yet: sum that, instead of taking the rest from the whole
            for j in range(K, N - 1, -1):
                total += w[H + j]
            total /= k
        else:
            for j in range(N):
                total -= w[H + j]
            total = total / k + decayed(rate, t, left)
        w[b + B + i] = w[U + i] * total
    chain_response(k, 0.0 * k, t, 1.0 + 0.0 * k, w, p, K, H)
    for m in range(N):
        w[b + P + N + m] = w[H + m] / k


@kernel
def move(n: int, N: int, w: Any, b: int, s: int) -> None:
    """Move the state at s over the interval of the row at b."""
    for i in range(n):
        y = w[b + E + i] * w[s + i]
        g = b + P + 2 * N + i * N
        for m in range(N):
            y += w[g + m] * w[s + STAGES + m]
        w[s + i] = y
    for m in range(N - 1, -1, -1):
        a = w[b + P] * w[s + STAGES + m]
        for j in range(1, m + 1):
            a += w[b + P + j] * w[s + STAGES + m - j]
        w[s + STAGES + m] = a
    if w[b + FILLED] != 0.0:
        r1, r2 = w[s + RATE_1], w[s + RATE_2]
        for i in range(n):
            w[s + i] += w[b + C + i] * r2 + w[b + B + i] * r1
        for m in range(N):
            w[s + STAGES + m] += w[b + P + N + m] * r1


@kernel
def find_row(n: int, N: int, w: Any, book: Any, t: Any) -> Any:
    """Position of the row for an interval: the one used last, the one after it, any other, or a new one."""
    width = row_width(N)
    used, last = book[IN_USE], book[LAST]
    slot = 0
    if used > 0:
        if w[ROWS + last * width + DT] == t:
            return ROWS + last * width
        slot = last + 1 if last + 1 < used else 0
        if w[ROWS + slot * width + DT] != t:
            slot = 0
            while slot < used and w[ROWS + slot * width + DT] != t:
                slot += 1
    if slot >= used:
        if used < SLOTS:
            book[IN_USE] = used + 1
        else:
            slot = last + 1 if last + 1 < SLOTS else 0
        fill_row(n, N, w, t, ROWS + slot * width)
    book[LAST] = slot
    return ROWS + slot * width


@kernel
def step(n: int, N: int, w: Any, book: Any, t: Any, s: int) -> None:
    """Move the state at s over an interval t under its present input rates."""
    if t == 0.0:
        return
    b = find_row(n, N, w, book, t)
    if w[b + FILLED] == 0.0 and (w[s + RATE_1] != 0.0 or w[s + RATE_2] != 0.0):
        fill_inputs(n, N, w, b)
    move(n, N, w, b, s)


@kernel
def repeat(n: int, N: int, w: Any, b: int, times: int, s: int, gain: int) -> None:
    """Apply state <- T state + gain `times` times, by squaring; T is the row at b, the gain is used up.

    Sums of positive numbers only, so the geometric series 1 + T + ... + T^(n-1) loses no digits when T is near 1.
    """
    r = spare_row(N)
    for j in range(row_width(N)):
        w[r + j] = w[b + j]
    w[r + FILLED] = 0.0
    while True:
        if times & 1:
            move(n, N, w, r, s)
            for j in range(STAGES + N):
                w[s + j] += w[gain + j]
        times >>= 1
        if times == 0:
            return
        _double_gain(n, N, w, r, gain)
        _square(n, N, w, r)


@kernel
def _double_gain(n: int, N: int, w: Any, r: int, s: int) -> None:
    """Gain of twice as many repeats: T gain + gain."""
    for i in range(n):
        y = w[r + E + i] * w[s + i] + w[s + i]
        g = r + P + 2 * N + i * N
        for m in range(N):
            y += w[g + m] * w[s + STAGES + m]
        w[s + i] = y
    for m in range(N - 1, -1, -1):
        a = w[r + P] * w[s + STAGES + m] + w[s + STAGES + m]
        for j in range(1, m + 1):
            a += w[r + P + j] * w[s + STAGES + m - j]
        w[s + STAGES + m] = a


@kernel
def _square(n: int, N: int, w: Any, r: int) -> None:
    """Transition over twice the interval."""
    p = r + P
    for i in range(n):
        g = r + P + 2 * N + i * N
        e = w[r + E + i]
        for m in range(N):
            h = e * w[g + m]
            for j in range(m, N):
                h += w[g + j] * w[p + j - m]
            w[g + m] = h
        w[r + E + i] = e * e
    for j in range(N - 1, -1, -1):
        q = 0.0 * w[p]
        for i in range(j + 1):
            q += w[p + i] * w[p + j - i]
        w[p + j] = q


@kernel
def settle(n: int, N: int, w: Any, b: int, s: int) -> None:
    """Replace a gain per interval, at s, by the steady state x = T x + gain of the row's interval."""
    t, k = w[b + DT], w[K_ABS]
    for m in range(N):
        a = w[s + STAGES + m]
        for j in range(1, m + 1):
            a += w[b + P + j] * w[s + STAGES + m - j]
        w[s + STAGES + m] = a / (k * decayed(k, t, w[b + P]))
    for i in range(n):
        y = w[s + i]
        g = b + P + 2 * N + i * N
        for m in range(N):
            y += w[g + m] * w[s + STAGES + m]
        w[s + i] = y / (w[LAMBDA + i] * decayed(w[LAMBDA + i], t, w[b + E + i]))


@kernel
def central(n: int, w: Any, s: int) -> Any:
    """Amount in the central compartment of the state at s."""
    amount = w[U] * w[s]
    for i in range(1, n):
        amount += w[U + i] * w[s + i]
    return amount
