# SPDX-License-Identifier: Apache-2.0
"""How full a depot is from which a drug is absorbed at a saturable (Michaelis-Menten) rate.

The amount A still to be absorbed obeys dA/dt = -Vm A / (Km + A) between doses. With w = A/Km its solution is
w + ln w = w0 + ln w0 - (Vm/Km) t, that is w = omega(w0 + ln w0 - (Vm/Km) t) with Wright's omega function (Lambert's W
of the exponential), so nothing overflows however large the dose.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.kernel import kernel
from sirolens.errors import InputError
from sirolens.message import error

__all__ = ["absorption_constants", "cycle_arrays", "decayed", "depot_after", "periodic_depot", "refuse_amounts"]

Array = NDArray[np.float64]


@kernel
def _omega(z: float) -> float:
    """Solve w + ln w = z by the fourth-order iteration of Fritsch, Shafer and Crowley (1973)."""
    if z < -36.0:  # w is below the rounding of z
        return math.exp(z)
    if z > 1.0:
        w = z - math.log(z)
    elif z > -2.0:
        w = 0.5671432904097838 * math.exp(0.6381037433651108 * z)  # omega(0) and its relative slope there
    else:
        w = math.exp(z)
    for _ in range(3):
        residual = z - w - math.log(w)
        near = 2.0 * (1.0 + w) * (1.0 + w + 2.0 / 3.0 * residual)
        w *= 1.0 + residual / (1.0 + w) * (near - residual) / (near - 2.0 * residual)
    return w


@kernel
def decayed(amount_mg: float, elapsed_h: float, vm: float, km: float) -> float:
    """Amount left in a depot some time later."""
    if not amount_mg > 0.0:
        return 0.0 * amount_mg
    w = amount_mg / km
    return km * _omega(w + math.log(w) - vm / km * elapsed_h)


@kernel
def _decayed_each(amount_mg: Any, elapsed_h: Any, vm: float, km: float, out: Any) -> None:
    for i in range(out.size):
        out[i] = decayed(amount_mg[i], elapsed_h[i], vm, km)


def depot_after(amount_mg: ArrayLike, elapsed_h: ArrayLike, vmax_mg_h: float, km_mg: float) -> Array:
    """Amount still to be absorbed some time after it was `amount_mg`.

    A(t) = Km omega(A0/Km + ln(A0/Km) - Vm t/Km), exact to rounding.

    Parameters
    ----------
    amount_mg, elapsed_h : array_like
        Amount at the beginning [mg] and time since then [h]; they broadcast.
    vmax_mg_h, km_mg : float
        Largest absorption rate [mg/h] and the amount at which it is half that [mg].

    Examples
    --------
    >>> depot_after(2.0, [0.0, 4.0, 24.0], 4.56, 13.8).round(4)
    array([2.000e+00, 5.907e-01, 8.000e-04])
    """
    amount, elapsed = np.broadcast_arrays(np.asarray(amount_mg, dtype=np.float64), np.asarray(elapsed_h, np.float64))
    out = np.empty(amount.shape)
    _decayed_each(amount.ravel(), elapsed.ravel(), vmax_mg_h, km_mg, out.reshape(-1))
    return out


@kernel
def _around(before_mg: float, gaps_h: Any, dose_mg: Any, vm: float, km: float) -> tuple[float, float]:
    """Depot one cycle later, just before the first dose again, and its derivative."""
    amount, slope = before_mg, 1.0
    for i in range(dose_mg.size):
        given = amount + dose_mg[i]
        amount = decayed(given, gaps_h[i], vm, km)
        # d omega / dz = w / (1 + w), and the same in the denominator at the beginning
        slope *= (amount / (km + amount)) / (given / (km + given)) if given > 0.0 else 0.0
    return amount, slope


@kernel
def _settled(gaps_h: Any, dose_mg: Any, vm: float, km: float) -> float:
    """Fixed point of one cycle by Newton's method inside a bracket that only shrinks."""
    low = _around(0.0, gaps_h, dose_mg, vm, km)[0]
    high = max(1.0, 2.0 * low)
    for _ in range(1100):
        if _around(high, gaps_h, dose_mg, vm, km)[0] <= high:
            break
        low, high = high, 2.0 * high
    x = low
    for _ in range(200):
        after, slope = _around(x, gaps_h, dose_mg, vm, km)
        if after > x:
            low = x
        else:
            high = x
        following = x + (after - x) / (1.0 - slope) if slope < 1.0 else 0.5 * (low + high)
        if not low <= following <= high:
            following = 0.5 * (low + high)
        if abs(following - x) <= 2e-16 * following:
            return following
        x = following
    return x


def cycle_arrays(period_h: float, dose_time_h: ArrayLike, dose_mg: ArrayLike) -> tuple[Array, Array]:
    """Dose times within [0, period) and amounts, sorted; what cannot be is refused."""
    time_h, amount_mg = (
        np.atleast_1d(np.asarray(dose_time_h, np.float64)),
        np.atleast_1d(np.asarray(dose_mg, np.float64)),
    )
    if time_h.shape != amount_mg.shape or not period_h > 0.0 or np.any((time_h < 0.0) | (time_h >= period_h)):
        raise InputError(error("saturable.cycle-impossible", period_h=float(period_h)))
    refuse_amounts(amount_mg)
    order = np.argsort(time_h, kind="stable")
    return time_h[order], amount_mg[order]


def absorption_constants(vmax_mg_h: float, km_mg: float) -> tuple[float, float]:
    """Vm and Km as numbers; refused unless both are positive and finite."""
    if not (0.0 < vmax_mg_h < math.inf and 0.0 < km_mg < math.inf):
        raise InputError(error("saturable.absorption-impossible", vmax=float(vmax_mg_h), km_mg=float(km_mg)))
    return float(vmax_mg_h), float(km_mg)


def refuse_amounts(amount_mg: Array) -> None:
    """Refuse an amount that is negative, infinite or no number."""
    bad = ~(np.isfinite(amount_mg) & (amount_mg >= 0.0))
    if bad.any():
        raise InputError(error("saturable.dose-impossible", dose_mg=float(amount_mg[bad][0])))


def periodic_depot(
    period_h: float, dose_time_h: ArrayLike, dose_mg: ArrayLike, vmax_mg_h: float, km_mg: float
) -> float:
    """Amount in the depot at the beginning of a cycle that has been repeated for ever, before a dose at time 0.

    Parameters
    ----------
    period_h : float
        Length of the cycle [h].
    dose_time_h, dose_mg : array_like (k,)
        Times of the doses within the cycle, 0 <= time < period [h], and their amounts [mg].
    vmax_mg_h, km_mg : float
        Largest absorption rate [mg/h] and the amount at which it is half that [mg].

    Raises
    ------
    InputError
        ``saturable.no-steady-state`` when as much is given in a cycle as can at most be absorbed in it, or more;
        ``saturable.cycle-impossible``, ``saturable.dose-impossible``.

    Examples
    --------
    >>> round(periodic_depot(24.0, [0.0], [40.0], 4.56, 13.8), 4)
    0.2628
    """
    vmax_mg_h, km_mg = absorption_constants(vmax_mg_h, km_mg)
    time_h, amount_mg = cycle_arrays(period_h, dose_time_h, dose_mg)
    if not amount_mg.sum() < vmax_mg_h * period_h:
        raise InputError(
            error(
                "saturable.no-steady-state",
                dose_mg=float(amount_mg.sum()),
                period_h=float(period_h),
                absorbed_mg=float(vmax_mg_h * period_h),
            )
        )
    if amount_mg.sum() == 0.0:
        return 0.0
    gaps_h = np.diff(np.append(time_h, time_h[0] + period_h))
    before_first = _settled(gaps_h, amount_mg, vmax_mg_h, km_mg)
    last = _after_doses(before_first, gaps_h[:-1], amount_mg, vmax_mg_h, km_mg)
    return float(decayed(last, period_h - time_h[-1], vmax_mg_h, km_mg))


def _after_doses(before_mg: float, gaps_h: Array, dose_mg: Array, vm: float, km: float) -> float:
    amount = before_mg + dose_mg[0]
    for gap_h, dose in zip(gaps_h, dose_mg[1:], strict=True):
        amount = decayed(amount, gap_h, vm, km) + dose
    return float(amount)
