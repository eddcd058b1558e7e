# SPDX-License-Identifier: Apache-2.0
"""Shares of single arms pooled without a scale's corrections: the binomial-normal model by exact likelihood.

Limits are those of the profile likelihood: of the typical share over every spread between studies, of the spread over
every share. The whole surface is looked at on a grid first, so that a second peak is not missed, then polished.

Oracles: brute-force optimisation of an independently integrated likelihood, the binomial, Gauss-Hermite of high order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, nan
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.binomial_likelihood import binomial_constant, log_likelihood
from sirolens.engine.pooling.single_arm import checked_counts
from sirolens.engine.statistics.interval import Array, Interval, Test, Undefined, checked_level, no_interval, no_test

__all__ = ["BinomialNormal", "binomial_normal", "binomial_prediction"]

_FAR = 60.0  # logits beyond this are shares of 0 or 1
_WIDE = 40.0  # a standard deviation between logits beyond this is not an estimate but its absence
_SMALL = 1e-4  # the least spread on the grid; below it the likelihood is that of no spread to 1e-8 of a logarithm
_STEPS = 60  # of the polish
_STILL = 1e-11
_FLAT = 1e-9  # a slope over tau below this is the rounding of a difference


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BinomialNormal:
    """Shares pooled by the binomial-normal model.

    Parameters
    ----------
    mu, se : float
        Mean of the logits, and its error from the curvature.
    tau : float
        Standard deviation of the logits between studies.
    share : float
        The typical study's share, 1/(1+exp(-mu)): the median over studies, not the mean.
    mean_share : float
        The mean over studies.
    interval : Interval
        Of the share, by profile likelihood.
    tau_interval : Interval
        Of tau, by profile likelihood.
    log_likelihood : float
    homogeneity : Test
        Likelihood ratio against tau = 0; P from half chi-square 1, since 0 is at the edge.
    k : int
        Studies.
    level : float
    reason : Undefined, optional
        `NO_EVENTS` when all studies are at 0 % or all at 100 %: the share is known, the spread is not.
        `NOT_IDENTIFIED` when studies are at 0 and at 100 % only: no spread is wide enough.
    """

    mu: float
    se: float
    tau: float
    share: float
    mean_share: float
    interval: Interval
    tau_interval: Interval
    log_likelihood: float
    homogeneity: Test
    k: int
    level: float
    reason: Undefined | None = None


def binomial_normal(k: ArrayLike, n: ArrayLike, level: float = 0.95, *, spread: bool = True) -> BinomialNormal:
    r"""Return the maximum likelihood fit of the binomial-normal model.

    .. math:: x_i \sim \mathrm{Binomial}(n_i, p_i), \quad \operatorname{logit} p_i \sim N(\mu, \tau^2)

    Parameters
    ----------
    k, n : array_like of int, shape (m,)
        Events and patients of at least one study.
    level : float
        Of the profile intervals.
    spread : bool
        Whether the interval of tau is wanted: it takes as long as the rest.

    References
    ----------
    Hamza TH, van Houwelingen HC, Stijnen T. J Clin Epidemiol 2008;61:41-51. Stijnen T, Hamza TH, Oezdemir P. Stat Med
    2010;29:3046-3067.

    Examples
    --------
    >>> fit = binomial_normal([12, 73], [20, 86])
    >>> print(f"{fit.share:.2f} ({fit.interval.low:.2f} to {fit.interval.high:.2f}), tau {fit.tau:.2f}")
    0.77 (0.38 to 0.94), tau 0.53
    """
    from scipy.special import expit

    level = checked_level(level)
    x, size = checked_counts(k, n)
    if x.size == 0:
        return _without(x, level, Undefined.NO_OBSERVATIONS)
    empty, full = x == 0, x == size
    if np.all(empty | full):
        if np.all(empty) or np.all(full):
            return _one_sided(x, size, level)
        return _without(x, level, Undefined.NOT_IDENTIFIED)
    surface = _Surface(x, size)
    mu, tau, best = surface.peak()
    drop = _drop(level)
    low, high = (surface.limit_mu(mu, tau, best - drop, side) for side in (-1.0, 1.0))
    tau_interval = Interval(low=nan, high=nan, level=level, method="profile-likelihood")
    if spread:
        tau_low, tau_high = (surface.limit_tau(mu, tau, best - drop, side) for side in (-1.0, 1.0))
        open_end = None if np.isfinite(tau_high) else Undefined.NOT_REACHED
        tau_interval = replace(tau_interval, low=tau_low, high=tau_high, reason=open_end)
    shares = [float(expit(limit)) for limit in (low, high)]
    missing = Undefined.NOT_REACHED if not np.isfinite([low, high]).all() else None
    return BinomialNormal(
        mu=mu,
        se=surface.error(mu, tau),
        tau=tau,
        share=float(expit(mu)),
        mean_share=_mean_share(mu, tau),
        interval=Interval(low=shares[0], high=shares[1], level=level, method="profile-likelihood", reason=missing),
        tau_interval=tau_interval,
        log_likelihood=best + binomial_constant(x, size),
        homogeneity=_homogeneity(x, size, best),
        k=x.size,
        level=level,
    )


def _drop(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2) ** 2 / 2)


def _mean_share(mu: float, tau: float) -> float:
    """Return the mean of 1/(1+exp(-theta)) for a normal theta, by the trapezoidal rule."""
    from scipy.special import expit

    if tau == 0:
        return float(expit(mu))
    # The step resolves both the normal and the logistic function, so the rule is exact to rounding.
    count = int(np.ceil(17.0 / min(0.5, 0.5 / tau))) + 1
    z = np.linspace(-8.5, 8.5, count)
    mass = np.exp(-(z**2) / 2)
    return float((mass * expit(mu + tau * z)).sum() / mass.sum())


def _homogeneity(x: Array, n: Array, best: float) -> Test:
    from scipy.special import erfc

    if x.size < 2:
        return no_test("likelihood-ratio", Undefined.TOO_FEW)
    common = x.sum() / n.sum()
    plain = float(x.sum() * np.log(common) + (n - x).sum() * np.log1p(-common))
    # Rounding of two likelihoods of this size is no difference between them.
    gain = best - plain if best - plain > 1e-12 * max(1.0, abs(best)) else 0.0
    p_value = 0.5 * float(erfc(np.sqrt(gain))) if gain > 0 else 1.0
    return Test(statistic=2 * gain, p_value=p_value, method="likelihood-ratio", df=1.0)


@final
class _Surface:
    """The log likelihood over (mu, tau), looked at on a grid, then followed by Newton steps."""

    def __init__(self, x: Array, n: Array) -> None:
        self.x, self.n = x, n
        # Studies with the same counts have the same integral.
        self.alike, times = np.unique(np.column_stack([x, n]), axis=0, return_counts=True)
        self.times = times.astype(np.float64)
        logits = np.log((x + 0.5) / (n - x + 0.5))
        self.low, self.high = float(logits.min()), float(logits.max())
        self.taus = np.concatenate([[0.0, _SMALL], np.geomspace(0.02, _WIDE, 14)])

    def at(self, mu: Array | float, tau: Array | float) -> tuple[Array, Array, Array]:
        """Return value and slopes; mirrored where tau is negative, since only its square matters."""
        m, t = np.broadcast_arrays(np.atleast_1d(np.asarray(mu, float)), np.atleast_1d(np.asarray(tau, float)))
        found = log_likelihood(self.alike[:, 0], self.alike[:, 1], m.ravel(), np.abs(t).ravel(), self.times)
        return found.value, found.slope_mu, found.slope_tau * np.sign(t).ravel()

    def best_mu(self, taus: Array) -> tuple[Array, Array]:
        """Return, for each tau, the mu where the likelihood (concave in mu) is highest, and its height."""
        low = np.full(taus.shape, self.low - 1.0)
        high = np.full(taus.shape, self.high + 1.0)
        for ends, side in ((low, 1.0), (high, -1.0)):
            while (wrong := side * self.at(ends, taus)[1] <= 0).any():
                ends[wrong] -= side * 2.0 * (1.0 + taus[wrong])
        for _ in range(200):
            middle = (low + high) / 2
            slope = self.at(middle, taus)[1]
            low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
            if np.all(high - low <= 0.02 * (1 + taus)):
                break
        middle = (low + high) / 2
        return middle, self.at(middle, taus)[0]

    def peak(self) -> tuple[float, float, float]:
        """Return the highest point: every local maximum over tau on the grid is polished, and no spread competes."""
        from scipy.special import logit

        plain = float(logit(self.x.sum() / self.n.sum()))
        best = (plain, 0.0, float(self.at(plain, 0.0)[0][0]))
        mus, heights = self.best_mu(self.taus)
        for i in range(1, self.taus.size):
            after = heights[i + 1] if i + 1 < self.taus.size else -inf
            if heights[i] >= heights[i - 1] - 1e-6 and heights[i] >= after - 1e-6:
                found = self._polished(float(mus[i]), float(self.taus[i]))
                if found is not None and found[2] > best[2] + 1e-13 * abs(best[2]):
                    best = found
        return best

    def _polished(self, mu: float, tau: float) -> tuple[float, float, float] | None:
        """Follow Newton's steps, with the curvature from differences of the exact slopes, to where both are 0."""
        for _ in range(_STEPS):
            gradient, hessian = self._curved(mu, tau)
            if not np.all(np.linalg.eigvalsh(hessian) < 0):
                uphill = gradient / max(1.0, float(np.abs(hessian).max()))
            else:
                uphill = np.asarray(-np.linalg.solve(hessian, gradient), dtype=np.float64)
            step = np.clip(uphill, [-1.0 - tau, -0.5 * tau], [1.0 + tau, 0.5 * tau + 0.1])
            mu, tau = mu + float(step[0]), tau + float(step[1])
            if tau < _SMALL or tau > 2 * _WIDE:
                return None
            if np.all(np.abs(step) <= _STILL * (1 + abs(mu))):
                return mu, tau, float(self.at(mu, tau)[0][0])
        return mu, tau, float(self.at(mu, tau)[0][0])

    def _curved(self, mu: float, tau: float) -> tuple[Array, Array]:
        h, g = 1e-4 * (1 + tau), 1e-4 * tau
        _, slopes_mu, slopes_tau = self.at(
            np.array([mu, mu + h, mu - h, mu, mu]), np.array([tau, tau, tau, tau + g, tau - g])
        )
        cross = ((slopes_tau[1] - slopes_tau[2]) / (2 * h) + (slopes_mu[3] - slopes_mu[4]) / (2 * g)) / 2
        hessian = np.array(
            [
                [(slopes_mu[1] - slopes_mu[2]) / (2 * h), cross],
                [cross, (slopes_tau[3] - slopes_tau[4]) / (2 * g)],
            ]
        )
        return np.array([slopes_mu[0], slopes_tau[0]]), hessian

    def error(self, mu: float, tau: float) -> float:
        """Return the error of mu from the curvature."""
        if tau < _SMALL:
            common = self.x.sum() / self.n.sum()
            return float(1 / np.sqrt(self.n.sum() * common * (1 - common)))
        _, hessian = self._curved(mu, tau)
        return float(np.sqrt(np.linalg.inv(-hessian)[0, 0]))

    def over_tau(self, mu: float) -> tuple[float, float]:
        """Return the tau at which the likelihood of a mu is highest, and its height."""
        value, _, slope = self.at(mu, self.taus)
        best = (0.0, float(value[0]))
        for i in range(1, self.taus.size - 1):
            if slope[i] > _FLAT >= slope[i + 1]:
                tau = self._level_tau(mu, float(self.taus[i]), float(self.taus[i + 1]))
                height = float(self.at(mu, tau)[0][0])
                best = max(best, (tau, height), key=lambda pair: pair[1])
        if slope[-1] > _FLAT:  # still rising at the widest spread
            best = max(best, (float(self.taus[-1]), float(value[-1])), key=lambda pair: pair[1])
        return best

    def _level_tau(self, mu: float, low: float, high: float) -> float:
        """Return where the slope over tau crosses 0; an error of 1e-6 there is one of 1e-12 in the height."""
        from scipy.optimize import brentq

        def slope(t: float) -> float:
            return float(self.at(mu, t)[2][0]) - _FLAT

        return low if slope(low) <= 0 else float(brentq(slope, low, high, rtol=1e-6))

    def limit_mu(self, mu: float, tau: float, target: float, side: float) -> float:
        """Return where the profile of mu falls to the target; infinite when it does not."""
        from scipy.optimize import brentq

        near, step = mu, max(0.5, tau)
        while True:
            far = near + side * step
            if abs(far) > _FAR:
                return side * inf
            if self.over_tau(far)[1] < target:
                break
            near, step = far, step * 1.6
        found = float(brentq(lambda m: self.over_tau(m)[1] - target, near, far, rtol=1e-12, xtol=1e-10))
        # A limit that holds only because no wider spread is looked at is none.
        return side * inf if self.over_tau(found)[0] >= _WIDE else found

    def limit_tau(self, mu: float, tau: float, target: float, side: float) -> float:
        """Return where the profile of tau falls to the target; 0 below and infinite above when it does not."""
        from scipy.optimize import brentq

        def profile(t: float) -> float:
            return self._over_mu(mu, t)[1] - target

        ends = (0.0, tau) if side < 0 else (tau, _WIDE)
        far = ends[0] if side < 0 else ends[1]
        if far == tau or profile(far) >= 0:
            return 0.0 if side < 0 else inf
        return float(brentq(profile, *ends, rtol=1e-12, xtol=1e-11))

    def _over_mu(self, start: float, tau: float) -> tuple[float, float]:
        from scipy.optimize import brentq

        low, high = self.low - 1.0 - tau, self.high + 1.0 + tau
        while self.at(low, tau)[1][0] <= 0:
            low -= 1 + tau
        while self.at(high, tau)[1][0] >= 0:
            high += 1 + tau
        mu = float(brentq(lambda m: float(self.at(m, tau)[1][0]), low, high, rtol=1e-9, xtol=1e-10))
        return mu, float(self.at(mu, tau)[0][0])


def _one_sided(x: Array, n: Array, level: float) -> BinomialNormal:
    """Every study at 0 % (or 100 %): the share is known to be at the edge, its limit is where the profile falls."""
    from scipy.special import expit

    zero = bool(np.all(x == 0))
    surface = _Surface(np.zeros_like(x), n)
    limit = float(expit(surface.limit_mu(float(-np.log(1e4 * n.sum())), 0.0, -_drop(level), 1.0)))
    reached = limit < 1
    interval = Interval(
        low=0.0 if zero else 1 - limit,
        high=limit if zero else 1.0,
        level=level,
        method="profile-likelihood",
        reason=None if reached else Undefined.NOT_REACHED,
    )
    edge = 0.0 if zero else 1.0
    return BinomialNormal(
        mu=-inf if zero else inf,
        se=nan,
        tau=nan,
        share=edge,
        mean_share=edge,
        interval=interval,
        tau_interval=no_interval(level, "profile-likelihood", Undefined.NO_EVENTS),
        log_likelihood=0.0,
        homogeneity=no_test("likelihood-ratio", Undefined.NO_EVENTS),
        k=x.size,
        level=level,
        reason=Undefined.NO_EVENTS,
    )


def _without(x: Array, level: float, reason: Undefined) -> BinomialNormal:
    nothing = no_interval(level, "profile-likelihood", reason)
    return BinomialNormal(
        mu=nan,
        se=nan,
        tau=nan,
        share=nan,
        mean_share=nan,
        interval=nothing,
        tau_interval=nothing,
        log_likelihood=nan,
        homogeneity=no_test("likelihood-ratio", reason),
        k=x.size,
        level=level,
        reason=reason,
    )


def binomial_prediction(fit: BinomialNormal, df: float = inf) -> Interval:
    r"""Return where the share of a new study may lie, the estimates taken as known but for the error of mu.

    .. math:: \operatorname{logit}^{-1}\bigl(\hat\mu \pm q \sqrt{\hat\tau^2 + \operatorname{se}^2}\bigr)

    Parameters
    ----------
    fit : BinomialNormal
    df : float
        Of the t quantile; infinite for the normal one, k-1 or k-2.

    Examples
    --------
    >>> found = binomial_prediction(binomial_normal([12, 73], [20, 86]), 0)
    >>> found.reason
    <Undefined.TOO_FEW: 'too-few'>
    """
    from scipy.special import expit, ndtri, stdtrit

    name = "prediction-z" if np.isinf(df) else f"prediction-t({df:g})"
    if fit.reason is not None or df < 1:
        return no_interval(fit.level, name, fit.reason or Undefined.TOO_FEW)
    at = (1 + fit.level) / 2
    half = float(ndtri(at) if np.isinf(df) else stdtrit(df, at)) * float(np.hypot(fit.tau, fit.se))
    low, high = (float(expit(fit.mu + side * half)) for side in (-1, 1))
    return Interval(low=low, high=high, level=fit.level, method=name)
