# SPDX-License-Identifier: Apache-2.0
"""The likelihood of shares that differ normally on the logit scale, integrated to the last digits.

Each study's integrand is log-concave, so its one mode and both ends are found safely, and the trapezoidal rule between
ends where it has fallen below rounding converges geometrically: for a bell it is as good as Gauss and Hermite's nodes,
and for studies at 0 or 100 %, whose integrand is a step, it keeps converging where theirs are slow. Nodes are doubled
until the integral stands still.

Oracles: `scipy.integrate.quad`, Gauss-Hermite rules of high order, the binomial at variance 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.engine.kernel import kernel
from sirolens.engine.statistics.interval import Array

__all__ = ["Likelihood", "binomial_constant", "log_likelihood"]

_FALL = 42.0  # the integrand ends where it is e^-42 of its height: below rounding of the integral
_FIRST, _LAST = 20, 10240  # steps
_STILL = 1e-7  # halving the step squares the error: a change below this leaves one of 1e-14
_NO_SPREAD = 1e-7  # a standard deviation below this on the logit scale is none: it changes no digit of the likelihood


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """Log likelihoods with their slopes, one for each pair of parameters.

    Parameters
    ----------
    value : Array, shape (m,)
        Without the binomial coefficients.
    slope_mu, slope_tau : Array, shape (m,)
        Derivatives.
    """

    value: Array
    slope_mu: Array
    slope_tau: Array


def binomial_constant(k: Array, n: Array) -> float:
    """Return the sum of the logarithms of the binomial coefficients.

    >>> round(float(np.exp(binomial_constant(np.array([2.0]), np.array([4.0])))), 9)
    6.0
    """
    from scipy.special import gammaln

    return float((gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)).sum())


def log_likelihood(k: Array, n: Array, mu: Array, tau: Array, times: Array | None = None) -> Likelihood:
    r"""Return the log likelihood of every pair (mu, tau).

    .. math::
        \ell(\mu,\tau) = \sum_i \log \int p(\theta)^{x_i} (1-p(\theta))^{n_i-x_i}
        \frac{1}{\tau}\varphi\Bigl(\frac{\theta-\mu}{\tau}\Bigr) d\theta, \quad p(\theta)=\frac1{1+e^{-\theta}}

    Parameters
    ----------
    k, n : Array, shape (studies,)
        Events and patients.
    mu, tau : Array, shape (m,)
        Mean and standard deviation of the studies' logits.
    times : Array, shape (studies,), optional
        How many studies have these counts; one each when not given.

    References
    ----------
    Hamza TH, van Houwelingen HC, Stijnen T. J Clin Epidemiol 2008;61:41-51. Trefethen LN, Weideman JAC. SIAM Rev
    2014;56:385-458 (the rule).

    Examples
    --------
    >>> one = log_likelihood(np.array([12.0]), np.array([20.0]), np.array([0.0]), np.array([0.0]))
    >>> round(float(one.value[0] / np.log(2)), 9)
    -20.0
    """
    value, slope_mu, slope_tau = (np.empty(mu.size) for _ in range(3))
    _sums(
        np.ascontiguousarray(k, dtype=np.float64),
        np.ascontiguousarray(n, dtype=np.float64),
        np.ones(k.size) if times is None else times,
        np.ascontiguousarray(mu, dtype=np.float64),
        np.ascontiguousarray(tau, dtype=np.float64),
        value,
        slope_mu,
        slope_tau,
    )
    return Likelihood(value=value, slope_mu=slope_mu, slope_tau=slope_tau)


@kernel
def _height(theta: float, x: float, n: float, mu: float, tau: float) -> float:
    """Return the logarithm of a study's integrand, but for a constant."""
    soft = theta + math.log1p(math.exp(-theta)) if theta > 0 else math.log1p(math.exp(theta))
    return x * theta - n * soft - 0.5 * ((theta - mu) / tau) ** 2


@kernel
def _mode(x: float, n: float, mu: float, tau: float) -> float:
    """Return where the integrand is highest: Newton on a concave function, between two sure ends.

    A thousandth of tau is near enough: the mode places the nodes, and enters no result.
    """
    # The slope x - np - (theta-mu)/tau^2 is positive at mu - tau^2 (n-x) and negative at mu + tau^2 x.
    low, high = mu - tau * tau * (n - x), mu + tau * tau * x
    theta = min(max(math.log((x + 0.5) / (n - x + 0.5)), low), high)
    for _ in range(80):
        p = 1.0 / (1.0 + math.exp(-theta))
        slope = x - n * p - (theta - mu) / (tau * tau)
        if slope > 0:
            low = theta
        else:
            high = theta
        following = theta + slope / (n * p * (1.0 - p) + 1.0 / (tau * tau))
        if following < low or following > high:
            following = (low + high) / 2.0
        moved = abs(following - theta)
        theta = following
        if moved <= 1e-3 * tau:
            break
    return theta


@kernel
def _end(side: float, mode: float, top: float, x: float, n: float, mu: float, tau: float) -> float:
    """Return how far from its mode the integrand has fallen by `_FALL`, or a little farther."""
    near, far = 0.0, math.sqrt(2.0 * _FALL) * tau  # the normal alone has fallen so far by then
    for _ in range(9):
        middle = (near + far) / 2.0
        if top - _height(mode + side * middle, x, n, mu, tau) >= _FALL:
            far = middle
        else:
            near = middle
    return far


@kernel
def _study(x: float, n: float, mu: float, tau: float) -> tuple[float, float, float]:
    """Return one study's log integral and its slopes over mu and tau."""
    mode = _mode(x, n, mu, tau)
    top = _height(mode, x, n, mu, tau)
    low = mode - _end(-1.0, mode, top, x, n, mu, tau)
    width = mode + _end(1.0, mode, top, x, n, mu, tau) - low
    zeroth, first, second, last = 0.0, 0.0, 0.0, -1.0
    steps, begin, stride = _FIRST, 1, 1
    while True:
        for i in range(begin, steps, stride):
            theta = low + width * i / steps
            away = (theta - mu) / tau
            mass = math.exp(_height(theta, x, n, mu, tau) - top)
            zeroth += mass
            first += mass * away
            second += mass * away * away
        integral = zeroth * width / steps
        if abs(integral - last) <= _STILL * integral or steps >= _LAST:
            break
        # The next round adds the places between.
        last, steps, begin, stride = integral, steps * 2, 1, 2
    value = math.log(integral / tau) + top - 0.5 * math.log(2.0 * math.pi)
    return value, first / zeroth / tau, (second / zeroth - 1.0) / tau


@kernel
def _sums(
    x: Array, n: Array, times: Array, mu: Array, tau: Array, value: Array, slope_mu: Array, slope_tau: Array
) -> None:
    for j in range(mu.shape[0]):
        total, by_mu, by_tau = 0.0, 0.0, 0.0
        for i in range(x.shape[0]):
            if tau[j] < _NO_SPREAD:
                soft = mu[j] + math.log1p(math.exp(-mu[j])) if mu[j] > 0 else math.log1p(math.exp(mu[j]))
                one = x[i] * mu[j] - n[i] * soft
                up, wide = x[i] - n[i] / (1.0 + math.exp(-mu[j])), 0.0
            else:
                one, up, wide = _study(x[i], n[i], mu[j], tau[j])
            total += times[i] * one
            by_mu += times[i] * up
            by_tau += times[i] * wide
        value[j], slope_mu[j], slope_tau[j] = total, by_mu, by_tau
