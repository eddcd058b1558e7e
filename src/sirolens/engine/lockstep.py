# SPDX-License-Identifier: Apache-2.0
"""Many draws of one patient through one table of plain records, all in step.

Estimation asks for the same few levels again and again: thousands of draws, or a handful of directions of a derivative.
What happens when is the same for all of them, so it is worked out once, as a *plan* (a list of operations), and every
operation is then a short loop over draws. Plain records are doses at once, with additional doses and steady states,
into one or two compartments with or without first-order absorption; `is_plain` says whether a patient's are. Everything
else goes through `sirolens.engine.linear`, which is the oracle for these kernels too.

The arithmetic is that of `sirolens.engine.linear`: modes y_i that decay at rates lambda_i, an amount a to be absorbed,

    y_i <- exp(-lambda_i t) y_i + u_i H_i(t) a        H_i = ka (exp(-lambda_i t) - exp(-ka t)) / (ka - lambda_i)
    a <- exp(-ka t) a

and it works on float64 and on complex128 with imaginary parts of about 1e-20 (complex-step derivatives).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.effects import LOG_NORMAL, NORMAL
from sirolens.engine.kernel import kernel
from sirolens.engine.linear import PARAMETERS, Records
from sirolens.engine.linear_step import mean_decay

__all__ = ["Effects", "Plan", "is_plain", "make_plan", "run"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

CL, V1, Q2, V2, KA = (PARAMETERS.index(name) for name in ("cl_l_h", "v1_l", "q2_l_h", "v2_l", "ka_1_h"))
F1, LAG1, F2, LAG2 = (PARAMETERS.index(name) for name in ("f1", "lag1_h", "f2", "lag2_h"))
NG_PER_ML_PER_MG_PER_L = 1000.0

# Operations: move on by a transition; a dose to be absorbed, and one at once; a level; another parameter set;
# everything empty; the steady state of doses to be absorbed, and of doses at once.
STEP, ABSORB, INJECT, OBSERVE, SWITCH, EMPTY, STEADY_ABSORB, STEADY_INJECT = 0, 1, 2, 3, 4, 5, 6, 7


class Effects(NamedTuple):
    """Typical parameters of a patient and how etas act on them; see `sirolens.engine.bayes_problem.Problem`."""

    typical: Array  # (n_periods, 15)
    occasion_eta: Codes  # (n_periods,)
    eta_of_parameter: Codes  # (15,)
    effect_kind: Codes  # (15,)


class Plan(NamedTuple):
    """Operations in their order, and the transitions and parameter sets they name."""

    operation: Codes  # (n,)
    which: Codes  # (n,) transition of a step or steady state, set of a switch or a level
    amount_mg: Array  # (n,)
    route: Codes  # (n,) position of the bioavailability, F1 or F2
    dosed_set: Codes  # (n,) parameter set of the bioavailability
    step_h: Array  # (k,) length of each transition
    step_set: Codes  # (k,) parameter set it is under
    set_period: Codes  # (s,) first period of each parameter set


@kernel
def is_plain(shape: int, records: Records, first: int, last: int, effects: Effects) -> bool:
    """Say whether records first <= r < last are plain, for `Structure.code` shape."""
    if shape % 10 > 2 or shape // 10 % 10 != 0 or shape // 100 > 1:
        return False
    for r in range(first, last):
        if records.evid[r] == 1 or records.evid[r] == 4:
            lag = LAG1 if records.compartment[r] == 1 else LAG2
            late = effects.eta_of_parameter[lag] >= 0 or effects.typical[records.at[r], lag] != 0.0
            if records.rate_mg_h[r] != 0.0 or late or (records.ss[r] > 0 and not records.ii_h[r] > 0.0):
                return False
    return True


@kernel
def _sets(effects: Effects, set_of: Codes, set_period: Codes) -> int:
    """Give periods with the same parameters one set; how many sets there are."""
    count = 0
    for j in range(set_of.size):
        found = count
        for s in range(count):
            other = set_period[s]
            same = effects.occasion_eta[j] == effects.occasion_eta[other]
            for p in range(effects.typical.shape[1]):
                a, b = effects.typical[j, p], effects.typical[other, p]
                same = same and (a == b or (a != a and b != b))
            if same:
                found = s
                break
        if found == count:
            set_period[count] = j
            count += 1
        set_of[j] = found
    return count


@kernel
def make_plan(shape: int, records: Records, first: int, last: int, effects: Effects) -> Plan:
    """Work out what happens when; for plain records first <= r < last."""
    absorbed, periods = shape // 100 == 1, effects.typical.shape[0]
    set_of, set_period = np.zeros(periods, np.int64), np.zeros(periods, np.int64)
    sets = _sets(effects, set_of, set_period)
    doses, most = 0, 1
    for r in range(first, last):
        dose = records.evid[r] == 1 or records.evid[r] == 4
        doses += 1 if dose else 0
        most += 8 + (3 * records.addl[r] if dose else 0)
    operation, which, amount = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(most)
    route, dosed = np.zeros(most, np.int64), np.zeros(most, np.int64)
    step_h, step_set = np.zeros(most), np.zeros(most, np.int64)
    train, left = np.zeros(doses, np.int64), np.zeros(doses, np.int64)  # records whose additional doses are to come
    n, k, last_k, alive = 0, 0, 0, 0
    held = set_of[records.at[first]] if first < last else 0
    operation[0], which[0], n = SWITCH, held, 1
    now = records.time_h[first] if first < last else 0.0
    for r in range(first, last):
        evid, until = records.evid[r], records.time_h[r]
        if evid >= 3:
            alive, now = 0, until
            operation[n] = EMPTY
            n += 1
        arrived = evid >= 3
        while not arrived:
            next_train, when = -1, until
            for j in range(alive):
                q = train[j]
                due = records.time_h[q] + (records.addl[q] - left[j] + 1) * records.ii_h[q]
                if due < when or (due == when and next_train < 0):
                    next_train, when = j, due
            if when != now:
                under = set_of[records.before[r]]
                if under != held:
                    held = under
                    operation[n], which[n] = SWITCH, under
                    n += 1
                last_k = _transition(when - now, held, step_h, step_set, k, last_k)
                k = max(k, last_k + 1)
                operation[n], which[n] = STEP, last_k
                n += 1
                now = when
            arrived = next_train < 0
            if not arrived:
                q = train[next_train]
                deep = absorbed and records.compartment[q] == 1
                operation[n], amount[n] = ABSORB if deep else INJECT, records.amount_mg[q]
                route[n], dosed[n] = F1 if records.compartment[q] == 1 else F2, set_of[records.at[q]]
                n += 1
                left[next_train] -= 1
                if left[next_train] == 0:
                    alive -= 1
                    train[next_train], left[next_train] = train[alive], left[alive]
        at = set_of[records.at[r]]
        if evid == 0:
            operation[n], which[n] = OBSERVE, at
            n += 1
        elif evid == 1 or evid == 4:
            deep = absorbed and records.compartment[r] == 1
            if records.ss[r] > 0:
                if records.ss[r] == 1:
                    alive = 0
                    operation[n] = EMPTY
                    n += 1
                if at != held:
                    held = at
                    operation[n], which[n] = SWITCH, at
                    n += 1
                last_k = _transition(records.ii_h[r], held, step_h, step_set, k, last_k)
                k = max(k, last_k + 1)
                operation[n], which[n], amount[n] = (
                    STEADY_ABSORB if deep else STEADY_INJECT,
                    last_k,
                    records.amount_mg[r],
                )
                route[n], dosed[n] = F1 if records.compartment[r] == 1 else F2, at
                n += 1
            operation[n], amount[n] = ABSORB if deep else INJECT, records.amount_mg[r]
            route[n], dosed[n] = F1 if records.compartment[r] == 1 else F2, at
            n += 1
            if records.addl[r] > 0:
                train[alive], left[alive] = r, records.addl[r]
                alive += 1
    return Plan(operation[:n], which[:n], amount[:n], route[:n], dosed[:n], step_h[:k], step_set[:k], set_period[:sets])


@kernel
def _transition(dt: float, held: int, step_h: Array, step_set: Codes, count: int, last: int) -> int:
    """Place of a transition: the one used last, the one after it, any other, or a new one at the end."""
    for j in range(count):
        slot = last + j if last + j < count else last + j - count
        if step_h[slot] == dt and step_set[slot] == held:
            return slot
    step_h[count], step_set[count] = dt, held
    return count


@kernel
def _exp(x: Any) -> Any:
    """Exponential; an imaginary part is taken as infinitely small."""
    e = np.exp(x.real)
    return e + e * (x - x.real)


@kernel
def _sqrt(x: Any) -> Any:
    """Square root of a positive number; an imaginary part is taken as infinitely small."""
    root = np.sqrt(x.real)
    return root + (x - x.real) * (0.5 / root)


@kernel
def _fill_parameters(effects: Effects, plan: Plan, eta: Any, values: Any) -> None:
    """Write individual parameters (sets, 15, draws) that plain records read."""
    draws = eta.shape[0]
    for p in (CL, V1, Q2, V2, KA, F1, F2):
        which, kind = effects.eta_of_parameter[p], effects.effect_kind[p]
        for s in range(plan.set_period.size):
            typical = effects.typical[plan.set_period[s], p]
            for lane in range(draws):
                if which < 0:
                    values[s, p, lane] = typical
                elif s > 0 and kind == LOG_NORMAL and values[0, p, 0].real != 0.0:
                    values[s, p, lane] = values[0, p, lane] * (typical / effects.typical[plan.set_period[0], p])
                elif kind == LOG_NORMAL:
                    values[s, p, lane] = typical * _exp(eta[lane, which])
                elif kind == NORMAL:
                    values[s, p, lane] = typical + eta[lane, which]
                else:
                    values[s, p, lane] = 1.0 / (1.0 + (1.0 - typical) / typical * _exp(-eta[lane, which]))
    for s in range(plan.set_period.size):
        occasion = effects.occasion_eta[plan.set_period[s]]
        if occasion >= 0:
            for lane in range(draws):
                values[s, CL, lane] *= _exp(eta[lane, occasion])


@kernel
def _fill_modes(n: int, values: Any, rate: Any, u: Any, spread: Any) -> None:
    """Write rates (sets, n, draws), the central row u of the directions, and sqrt(V2 / V1)."""
    for s in range(values.shape[0]):
        for lane in range(values.shape[2]):
            v1 = values[s, V1, lane]
            k10 = values[s, CL, lane] / v1
            if n == 1:
                rate[s, 0, lane] = k10
                u[s, 0, lane] = 1.0
                continue
            v2 = values[s, V2, lane]
            k12, k21 = values[s, Q2, lane] / v1, values[s, Q2, lane] / v2
            spread[s, lane] = _sqrt(v2 / v1)
            half, b2 = 0.5 * (k10 + k12 - k21), k12 * k21
            r = _sqrt(half * half + b2) if half.real != 0.0 or b2.real != 0.0 else 0.0 * half
            fast = 0.5 * (k10 + k12 + k21) + r
            rate[s, 0, lane] = fast
            rate[s, 1, lane] = k10 * k21 / fast
            if r.real == 0.0 or b2.real == 0.0:
                apart = half.real >= 0.0
                u[s, 0, lane] = 1.0 if apart else 0.0
                u[s, 1, lane] = 0.0 if apart else 1.0
            elif half.real >= 0.0:
                u[s, 0, lane] = _sqrt((r + half) / (2.0 * r))
                u[s, 1, lane] = _sqrt(b2 / ((r + half) * 2.0 * r))
            else:
                u[s, 0, lane] = _sqrt(b2 / ((r - half) * 2.0 * r))
                u[s, 1, lane] = _sqrt((r - half) / (2.0 * r))


@kernel
def _fill_transitions(
    n: int, N: int, plan: Plan, values: Any, rate: Any, u: Any, decay: Any, inflow: Any, stay: Any
) -> None:
    """Write exp(-lambda t) and u H (transitions, n, draws), and exp(-ka t) (transitions, draws)."""
    for k in range(plan.step_h.size):
        t, s = plan.step_h[k], plan.step_set[k]
        for lane in range(decay.shape[2]):
            for i in range(n):
                decay[k, i, lane] = _exp(-rate[s, i, lane] * t)
            if N == 0:
                continue
            ka = values[s, KA, lane]
            stay[k, lane] = _exp(-ka * t)
            for i in range(n):
                z = (ka - rate[s, i, lane]) * t
                if abs(z.real) <= 0.5:
                    h = ka * t * decay[k, i, lane] * mean_decay(z)
                else:
                    h = ka * t * (decay[k, i, lane] - stay[k, lane]) / z
                inflow[k, i, lane] = u[s, i, lane] * h


@kernel
def run(shape: int, plan: Plan, effects: Effects, eta: Any, out: Any) -> None:
    """Write the levels of every draw, in ng/mL.

    Parameters
    ----------
    shape : int
        `Structure.code` of one or two compartments, without or with one absorption stage.
    plan : Plan
        From `make_plan`.
    effects : Effects
        Of the patient.
    eta : float64 or complex128 array (draws, n_eta)
        Etas; a few dozen draws at a time stay in fast memory.
    out : array (n_obs, draws) of the type of `eta`
        Receives the levels.
    """
    n, N, draws, sets, steps = shape % 10, shape // 100, eta.shape[0], plan.set_period.size, plan.step_h.size
    values, spread = np.zeros((sets, len(PARAMETERS), draws), eta.dtype), np.zeros((sets, draws), eta.dtype)
    rate, u = np.zeros((sets, n, draws), eta.dtype), np.zeros((sets, n, draws), eta.dtype)
    decay, inflow = np.zeros((steps, n, draws), eta.dtype), np.zeros((steps, n, draws), eta.dtype)
    stay, y, a = np.zeros((steps, draws), eta.dtype), np.zeros((n, draws), eta.dtype), np.zeros(draws, eta.dtype)
    _fill_parameters(effects, plan, eta, values)
    _fill_modes(n, values, rate, u, spread)
    _fill_transitions(n, N, plan, values, rate, u, decay, inflow, stay)
    held, written = plan.which[0], 0
    for o in range(1, plan.operation.size):
        operation, k, mg, s = plan.operation[o], plan.which[o], plan.amount_mg[o], plan.dosed_set[o]
        if operation == STEP:
            for i in range(n):
                for lane in range(draws):
                    y[i, lane] = decay[k, i, lane] * y[i, lane] + inflow[k, i, lane] * a[lane]
            for lane in range(draws):
                a[lane] *= stay[k, lane]
        elif operation == ABSORB:
            for lane in range(draws):
                a[lane] += values[s, plan.route[o], lane] * mg
        elif operation == INJECT:
            for i in range(n):
                for lane in range(draws):
                    y[i, lane] += u[held, i, lane] * (values[s, plan.route[o], lane] * mg)
        elif operation == OBSERVE:
            for lane in range(draws):
                out[written, lane] = u[held, 0, lane] * y[0, lane]
            for i in range(1, n):
                for lane in range(draws):
                    out[written, lane] += u[held, i, lane] * y[i, lane]
            for lane in range(draws):
                out[written, lane] *= NG_PER_ML_PER_MG_PER_L / values[k, V1, lane]
            written += 1
        elif operation == SWITCH:
            if n == 2:
                _turn(held, k, u, spread, y)
            held = k
        elif operation == EMPTY:
            for lane in range(draws):
                a[lane] = 0.0
                for i in range(n):
                    y[i, lane] = 0.0
        else:
            for lane in range(draws):
                dose = values[s, plan.route[o], lane] * mg
                if operation == STEADY_ABSORB:
                    ahead = dose / _rest(values[held, KA, lane] * plan.step_h[k], stay[k, lane])
                    a[lane] += ahead * stay[k, lane]
                for i in range(n):
                    rest = _rest(rate[held, i, lane] * plan.step_h[k], decay[k, i, lane])
                    if operation == STEADY_ABSORB:
                        y[i, lane] += inflow[k, i, lane] * ahead / rest
                    else:
                        y[i, lane] += u[held, i, lane] * dose * decay[k, i, lane] / rest


@kernel
def _rest(z: Any, left: Any) -> Any:
    """Return 1 - exp(-z), where left = exp(-z)."""
    return z * mean_decay(z) if z.real <= 0.5 else 1.0 - left


@kernel
def _turn(old: int, new: int, u: Any, spread: Any, y: Any) -> None:
    """Modes of two compartments under another parameter set: the amounts stay what they are."""
    for lane in range(y.shape[1]):
        c, s, y0, y1 = u[old, 0, lane], u[old, 1, lane], y[0, lane], y[1, lane]
        central, peripheral = c * y0 + s * y1, spread[old, lane] * (c * y1 - s * y0) / spread[new, lane]
        c, s = u[new, 0, lane], u[new, 1, lane]
        y[0, lane] = c * central - s * peripheral
        y[1, lane] = s * central + c * peripheral
