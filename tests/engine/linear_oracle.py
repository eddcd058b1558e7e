# SPDX-License-Identifier: Apache-2.0
"""Two independent ways to the same concentrations: SciPy's DOP853 on an expanded dose list, and 60-digit closed forms.

Neither knows a mode, a phase, a train or a series: amounts in compartments are integrated interval by interval, and a
steady state is solved from the integrated response of one period.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import count, pairwise
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from sirolens.engine.linear import NEUTRAL, PARAMETERS, Structure

# The first drops through a chain of stages are far below the dose: the absolute tolerance must not blur them.
RTOL, ATOL = 1e-12, 1e-20
NUDGE_DIGITS = 30


def vector(**values: float) -> np.ndarray:
    """Parameter vector with the rest neutral."""
    out = NEUTRAL.copy()
    for name, value in values.items():
        out[PARAMETERS.index(name)] = value
    return out


def named(row: np.ndarray) -> dict[str, float]:
    return dict(zip(PARAMETERS, (float(v) for v in row), strict=True))


def matrix(structure: Structure, row: np.ndarray) -> np.ndarray:
    """dA/dt = K A over absorption stages, central, peripheral 1, peripheral 2."""
    p, N, n = named(row), structure.stages, structure.compartments
    K = np.zeros((N + n, N + n))
    for m in range(N):
        K[m, m] -= p["ka_1_h"]
        K[m + 1, m] += p["ka_1_h"]
    K[N, N] -= p["cl_l_h"] / p["v1_l"]
    for i in range(1, n):
        q, v = p[f"q{i + 1}_l_h"], p[f"v{i + 1}_l"]
        K[N, N] -= q / p["v1_l"]
        K[N + i, N] += q / p["v1_l"]
        K[N + i, N + i] -= q / v
        K[N, N + i] += q / v
    return K


def integrate(K: np.ndarray, x: np.ndarray, rates: np.ndarray, span: float) -> tuple[np.ndarray, np.ndarray]:
    """DOP853 over one interval with constant input rates; the end, and the largest amounts on the way."""
    if span <= 0.0:
        return x, np.abs(x)
    scale = max(np.abs(x).max(initial=0.0), np.abs(rates).max(initial=0.0) * span, 1e-300)
    done = solve_ivp(lambda _t, y: K @ y + rates / scale, (0.0, span), x / scale, method="DOP853", rtol=RTOL, atol=ATOL)
    assert done.success
    return done.y[:, -1] * scale, np.abs(done.y).max(axis=1) * scale


class Patient:
    """One patient followed record by record with an explicit list of everything still to come."""

    def __init__(self, structure: Structure, parameters: np.ndarray) -> None:
        self.structure, self.parameters = structure, parameters
        self.size = structure.stages + structure.compartments
        self.order = count()
        self.peak = 0.0
        self.reset(0.0)

    def reset(self, time: float) -> None:
        self.x, self.rates = np.zeros(self.size), np.zeros(self.size)
        self.todo: list[tuple[float, int, str, int, float]] = []
        self.time = time

    def plan(self, time: float, what: str, where: int, value: float) -> None:
        heapq.heappush(self.todo, (time, next(self.order), what, where, value))

    def move(self, K: np.ndarray, span: float, v1: float) -> None:
        self.x, largest = integrate(K, self.x, self.rates, span)
        self.peak = max(self.peak, 1000.0 * largest[self.structure.stages] / v1)

    def advance(self, time: float, period: int) -> None:
        row = self.parameters[period]
        K, v1 = matrix(self.structure, row), row[1]
        while self.todo and self.todo[0][0] <= time:
            when, _, what, where, value = heapq.heappop(self.todo)
            self.move(K, when - self.time, v1)
            self.time = max(self.time, when)
            if what == "bolus":
                self.x[where] += value
            else:
                self.rates[where] += value
        self.move(K, time - self.time, v1)
        self.time = time

    def dose(self, r: Mapping[str, Any]) -> None:
        p, route = named(self.parameters[r["at"]]), r["compartment"]
        where = 0 if route == 1 else self.structure.stages
        mode = r["rate_mg_h"]
        if self.structure.absorption == "zero-order" and route == 1 and mode == 0:
            mode = -2
        amount = p[f"f{route}"] * r["amount_mg"]
        lag, ii, ss, addl = p[f"lag{route}_h"], r["ii_h"], r["ss"], r["addl"]
        if mode == -2:
            lasts = p[f"duration{route}_h"]
            rate = amount / lasts
        else:
            rate = p[f"rate{route}_mg_h"] if mode == -1 else mode
            lasts = amount / rate if rate else 0.0
        K = matrix(self.structure, self.parameters[r["at"]])
        if ss:
            if ss == 1:
                self.reset(self.time)
            if ii == 0:
                held = np.zeros(self.size)
                held[where] = rate
                self.x = self.x + np.linalg.solve(-K, held)
                return
            self.x = self.x + periodic_state(K, where, amount, rate, lasts, ii, lag)
            j = 1
            while lag - j * ii + lasts > 0.0 or lag - j * ii >= 0.0:
                ago = lag - j * ii
                if ago >= 0.0:
                    self.enter(self.time + ago, where, amount, rate, lasts)
                else:
                    self.rates[where] += rate
                    self.plan(self.time + ago + lasts, "rate", where, -rate)
                j += 1
        for j in range(1 + addl):
            self.enter(self.time + lag + j * ii, where, amount, rate, lasts)

    def enter(self, start: float, where: int, amount: float, rate: float, lasts: float) -> None:
        if lasts > 0.0:
            self.plan(start, "rate", where, rate)
            self.plan(start + lasts, "rate", where, -rate)
        else:
            self.plan(start, "bolus", where, amount)


def periodic_state(
    K: np.ndarray, where: int, amount: float, rate: float, lasts: float, period: float, lag: float
) -> np.ndarray:
    """State at time 0 when doses were recorded at -period, -2 period, ..., each entering `lag` later.

    The response to one period is integrated from zero and from each unit state; x = Phi x + g is solved.
    """
    size = len(K)

    def over_one_period(x: np.ndarray, given: bool) -> np.ndarray:
        # Starts and ends, modulo the period, that lie in (0, period]; an entry at 0 itself belongs to the record.
        cuts = {0.0, period}
        for mark in (lag % period, (lag + lasts) % period):
            cuts.add(mark)
        marks = sorted(cuts)
        for a, b in pairwise(marks):
            mid, rates = 0.5 * (a + b), np.zeros(size)
            if given and lasts > 0.0:
                j = int(np.ceil((lag - mid) / period))  # running: started at lag - j period < mid, not yet ended
                while lag - j * period + lasts > mid:
                    rates[where] += rate
                    j += 1
            if given and lasts <= 0.0 and a == lag % period:
                x = x.copy()
                x[where] += amount
            x, _ = integrate(K, x, rates, b - a)
        return x

    g = over_one_period(np.zeros(size), True)
    Phi = np.column_stack([over_one_period(unit, False) for unit in np.eye(size)])
    return np.linalg.solve(np.eye(size) - Phi, g)


def follow(
    structure: Structure, parameters: np.ndarray, records: Sequence[Mapping[str, Any]]
) -> tuple[np.ndarray, float]:
    """Concentrations [ng/mL] at the observations of one patient by DOP853, and the highest of the whole course."""
    patient, out = Patient(structure, parameters), []
    patient.reset(records[0]["time_h"])
    for r in records:
        if r["evid"] >= 3:
            patient.reset(r["time_h"])
        else:
            patient.advance(r["time_h"], r["before"])
        if r["evid"] == 0:
            out.append(1000.0 * patient.x[structure.stages] / parameters[r["at"]][1])
        elif r["evid"] in (1, 4):
            patient.dose(r)
    return np.array(out), max(patient.peak, max(out, default=0.0))


def exact_oral(row: np.ndarray, compartments: int, stages: int, dose_mg: float, time_h: float) -> float:
    """One dose by partial fractions in many digits; equal rates are told apart by 1e-30, which is also the error.

    Central amount of a dose into stage 1 of N: poles at the disposition rates and an N-fold pole at ka, split into
    N nearby simple poles.
    """
    p = named(row)
    with localcontext() as context:
        context.prec = 40 + NUDGE_DIGITS * (stages + 1)
        v1, t = Decimal(p["v1_l"]), Decimal(time_h)
        k10 = Decimal(p["cl_l_h"]) / v1
        out = [(Decimal(p[f"q{i}_l_h"]) / v1, Decimal(p[f"q{i}_l_h"]) / Decimal(p[f"v{i}_l"])) for i in (2, 3)]
        out = out[: compartments - 1]
        # Central amount after a unit dose into it: prod (s + k_i1) / prod (s + lambda_i).
        back = [k21 for _, k21 in out]
        if len(back) == 2 and back[0] == back[1]:
            back[1] = back[1] * (1 + Decimal(10) ** -NUDGE_DIGITS)
            out[1] = (out[1][0], back[1])
        rates = _roots(k10, out, context.prec)
        ka = Decimal(p["ka_1_h"])
        nudge = Decimal(10) ** -NUDGE_DIGITS
        poles = [*rates, *(ka * (1 + (m + 1) * nudge) for m in range(stages))]
        total = Decimal(0)
        for i, a in enumerate(poles):
            term = (-a * t).exp()
            for b in back:
                term *= b - a
            for j, b in enumerate(poles):
                if j != i:
                    term /= b - a
            total += term
        for m in range(stages):
            total *= poles[len(rates) + m]
        return float(1000 * Decimal(p["f1"]) * Decimal(dose_mg) * total / v1)


def _roots(k10: Decimal, out: list[tuple[Decimal, Decimal]], digits: int) -> list[Decimal]:
    """Disposition rates by bisection between the k21, then by the secant rule."""
    if not out:
        return [k10]

    def f(x: Decimal) -> Decimal:  # characteristic polynomial of the disposition matrix
        value = k10 + sum(k12 for k12, _ in out) - x
        for _, k21 in out:
            value *= k21 - x
        for i, (k12, k21) in enumerate(out):
            part = k12 * k21
            for j, (_, other) in enumerate(out):
                if j != i:
                    part *= other - x
            value -= part
        return value

    marks = sorted(k21 for _, k21 in out)
    edges = [Decimal(0), *marks, 2 * (k10 + sum(a + b for a, b in out)) + 1]
    roots = []
    for a, b in pairwise(edges):
        low, high, sign = a, b, f(a)
        if sign == 0:
            roots.append(a)
            continue
        for _ in range(110):
            mid = (low + high) / 2
            if (f(mid) > 0) == (sign > 0):
                low = mid
            else:
                high = mid
        for _ in range(digits.bit_length()):
            at_low, at_high = f(low), f(high)
            if at_low == at_high:
                break
            low, high = high, high - at_high * (high - low) / (at_high - at_low)
        roots.append(high)
    return roots
