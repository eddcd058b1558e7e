# SPDX-License-Identifier: Apache-2.0
"""Where to put the quadrature nodes that stand for a saturable absorption, and how much each is worth.

How many nodes a segment needs follows from Bernstein's ellipses. On the ellipse exp(s) around a segment of length h
the error of m nodes is about exp(-2 m s) times the growth of the integrand there. r is analytic up to the branch
points of omega at -1 +- i pi, and the response exp(-lambda (T - t)) at a stop T, a distance d beyond the segment,
grows by exp(lambda (h (cosh s - 1)/2 - d)): not at all where h (cosh s - 1) <= 2 d. So segments grow with the
distance from the next stop, and only the last of them must resolve the fastest rate of the disposition.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.kernel import kernel
from sirolens.engine.saturable_depot import decayed

__all__ = ["CLOCK_H", "Filler"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_QUADRATURE_ERROR = 1e-11  # bound per segment, relative to the largest value of the integrand
_MOST_NODES = 16  # per segment; a segment that would need more is halved
EMPTY = 1e-14  # what is left below this part of the largest depot is not resolved in time
#: Times lie on this grid, so that equal cycles have equal intervals to the last bit.
CLOCK_H = 2.0**-36


def _legendre(m: int) -> tuple[list[float], list[float]]:
    """Gauss nodes and weights on [0, 1] by Newton's method; scalar arithmetic, so the same bits everywhere."""
    nodes, weights = [], []
    for i in range(m):
        x = -math.cos(math.pi * (i + 0.75) / (m + 0.5))
        for _ in range(20):
            before, value = 1.0, x
            for n in range(2, m + 1):
                before, value = value, ((2 * n - 1) * x * value - (n - 1) * before) / n
            slope = m * (before - x * value) / (1.0 - x * x)
            x, last = x - value / slope, x
            if abs(x - last) < 1e-16:
                break
        nodes.append(0.5 * (x + 1.0))
        weights.append(1.0 / ((1.0 - x * x) * slope * slope))
    return nodes, weights


# Row m holds the rule of m nodes.
_NODES = np.zeros((_MOST_NODES + 1, _MOST_NODES))
_WEIGHTS = np.zeros((_MOST_NODES + 1, _MOST_NODES))
for _m in range(1, _MOST_NODES + 1):
    _NODES[_m, :_m], _WEIGHTS[_m, :_m] = _legendre(_m)


@kernel
def _nodes_needed(from_h: float, length_h: float, distance_h: float, k: float, fullest: float, fastest: float) -> float:
    """Gauss nodes that a segment needs, by its best ellipse; `fullest` is w + ln w of the fullest depot at time 0."""
    half = 0.5 * k * length_h
    # Branch point in units of the half segment. A less full depot only moves it to the right, away from x = 0.
    x = max(0.0, (-1.0 - (fullest - k * from_h - half)) / half)
    y = np.pi / half
    inner, outer = np.sqrt((x - 1.0) ** 2 + y * y), np.sqrt((x + 1.0) ** 2 + y * y)
    largest = np.arccosh(0.5 * (inner + outer)) * 0.95  # the ellipse must pass clear of the singularity itself
    needed = np.inf
    for i in range(1, 25):
        s = min(largest, 6.0) * i / 24.0
        swelling = np.cosh(s) - 1.0
        growth = max(fastest * (0.5 * length_h * swelling - distance_h), half * swelling)
        needed = min(needed, (growth - np.log(_QUADRATURE_ERROR)) / (2.0 * s))
    return max(needed, 1.0)


@kernel
def _layout(
    length_h: float, distance_h: float, k: float, fullest: float, fastest: float, cuts: Any, counts: Any
) -> int:
    """Cut a stretch into segments, from its end backwards; the number of segments."""
    right, at = length_h, 0
    while right > 0.0 and at < counts.size:
        segment = right
        needed = _nodes_needed(right - segment, segment, distance_h + length_h - right, k, fullest, fastest)
        while needed > _MOST_NODES:
            segment *= 0.5
            needed = _nodes_needed(right - segment, segment, distance_h + length_h - right, k, fullest, fastest)
        cuts[at], counts[at] = right, int(np.ceil(needed))
        right = right - segment if segment < right else 0.0
        at += 1
    return at


@kernel
def _fill(
    start_mg: float, length_h: float, cuts: Any, counts: Any, vm: float, km: float, offset: Any, amount: Any
) -> None:
    """Write the nodes of a stretch, in time order; each segment gives exactly what is absorbed in it."""
    at = 0
    left = 0.0
    before = start_mg
    for i in range(counts.size - 1, -1, -1):
        right, m = cuts[i], counts[i]
        after = decayed(start_mg, length_h if i == 0 else right, vm, km)
        total = 0.0
        for j in range(m):
            node = left + (right - left) * _NODES[m, j]
            node = CLOCK_H * np.floor(node / CLOCK_H + 0.5)
            there = decayed(start_mg, node, vm, km)
            offset[at + j] = node
            amount[at + j] = _WEIGHTS[m, j] * there / (km + there)
            total += amount[at + j]
        for j in range(m):
            amount[at + j] *= (before - after) / total
        at += m
        left, before = right, after


class Filler:
    """Makes the nodes of stretches with one absorption; layouts are made once for equal stretches."""

    __slots__ = ("_fastest", "_fullest", "_fullest_mg", "_km", "_layouts", "_vm")

    def __init__(self, vmax_mg_h: float, km_mg: float, fullest_mg: float, fastest_rate_per_h: float) -> None:
        self._vm, self._km, self._fastest = float(vmax_mg_h), float(km_mg), float(fastest_rate_per_h)
        self._fullest_mg = fullest_mg
        self._fullest = fullest_mg / km_mg + np.log(fullest_mg / km_mg) if fullest_mg > 0.0 else 0.0
        self._layouts: dict[tuple[float, float], tuple[Array, Integers]] = {}

    def nodes(self, start_mg: float, length_h: float, distance_h: float) -> tuple[Array, Array]:
        """Nodes of a stretch that starts with `start_mg` in the depot; the next stop lies `distance_h` behind it."""
        if start_mg <= EMPTY * self._fullest_mg:
            return np.zeros(1), np.array([start_mg - decayed(start_mg, length_h, self._vm, self._km)])
        cuts, counts = self._layout(length_h, distance_h)
        offset, amount = np.empty(counts.sum()), np.empty(counts.sum())
        _fill(start_mg, length_h, cuts, counts, self._vm, self._km, offset, amount)
        return offset, amount

    def _layout(self, length_h: float, distance_h: float) -> tuple[Array, Integers]:
        key = (length_h, distance_h)
        if key not in self._layouts:
            # Nothing is resolved after the time at which even the fullest depot is empty.
            empty_h = (-self._km * np.log(EMPTY) + self._fullest_mg) / self._vm
            cuts, counts = np.empty(200), np.empty(200, np.int64)
            resolved = min(length_h, empty_h)
            k = self._vm / self._km
            n = _layout(resolved, distance_h + length_h - resolved, k, self._fullest, self._fastest, cuts, counts)
            self._layouts[key] = cuts[:n].copy(), counts[:n].copy()
        return self._layouts[key]
