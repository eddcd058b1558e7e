# SPDX-License-Identifier: Apache-2.0
"""Bayesian pooling by quadrature, with a half-normal prior on the spread between studies: no chains, no seeds.

With two to four studies the spread cannot be learned from them; a named prior says what is taken for possible instead.

Oracles: the same integrals by adaptive quadrature (`scipy.integrate`), conjugate limits, a fine brute-force grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.binomial_likelihood import log_likelihood
from sirolens.engine.pooling.single_arm import checked_counts
from sirolens.engine.pooling.weighted import checked_studies
from sirolens.engine.statistics.interval import Array, Interval, Undefined, checked_level, no_interval

__all__ = ["Believed", "binomial_half_normal", "normal_half_normal"]

_BELOW = 40.0  # where the density is e^-40 of its height it ends
_TAUS, _MUS = 48, 144  # places; doubling them changes no result by 1e-8 (tested)
_PRIOR_ENDS = 9.0  # standard deviations of the half-normal prior: e^-40 of its height
_MU_ENDS = 40.0  # the logistic prior has fallen as far
_Z = 81  # places of the normal of a new study


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """What is believed of a pooled effect after the data.

    Parameters
    ----------
    median, mean : float
        Of the typical effect.
    interval : Interval
        Its central credible interval.
    tau_median : float
        Of the standard deviation between studies.
    tau_interval : Interval
        Its central credible interval.
    prediction : Interval
        Where the true effect of a new study lies with that probability.
    scale : float
        Of the half-normal prior on tau.
    mu_prior : str
        ``"uniform-share"`` (logistic on the logit scale) or ``"flat"``.
    k : int
        Studies.
    reason : Undefined, optional
    """

    median: float
    mean: float
    interval: Interval
    tau_median: float
    tau_interval: Interval
    prediction: Interval
    scale: float
    mu_prior: str
    k: int
    reason: Undefined | None = None


def _checked_scale(scale: float) -> float:
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"a half-normal prior has a positive scale, not {scale}")
    return float(scale)


def normal_half_normal(y: ArrayLike, v: ArrayLike, scale: float, level: float = 0.95) -> Believed:
    r"""Return the posterior of the normal-normal model, flat in the effect and half-normal in the spread.

    .. math::
        y_i \sim N(\mu, v_i + \tau^2), \quad p(\mu) \propto 1, \quad \tau \sim |N(0, s^2)|

    Given tau, mu is normal; over tau everything is a mixture, integrated by the trapezoidal rule, which converges
    geometrically since the integrand is even in tau.

    Parameters
    ----------
    y, v : array_like, shape (k,)
        Effects and their variances.
    scale : float
        Of the prior, on the scale of the effects.
    level : float
        Probability inside the intervals.

    References
    ----------
    Roever C. J Stat Softw 2020;93(6):1-51. Roever C et al. Res Synth Methods 2021;12:448-474.

    Examples
    --------
    >>> found = normal_half_normal([0.0, 0.0], [1.0, 1.0], 1e-9)
    >>> print(f"{found.interval.low:.3f} {found.interval.high:.3f}")
    -1.386 1.386
    """
    level, s = checked_level(level), _checked_scale(scale)
    effects, variances, _ = checked_studies(y, v)
    if effects.size == 0:
        return _nobody(level, s, "flat")

    def at(taus: Array) -> tuple[Array, Array, Array]:
        w = 1 / (variances[None, :] + taus[:, None] ** 2)
        total = w.sum(axis=1)
        mean = (w @ effects) / total
        rss = (w * (effects[None, :] - mean[:, None]) ** 2).sum(axis=1)
        return 0.5 * (np.log(w).sum(axis=1) - np.log(total) - rss - (taus / s) ** 2), mean, 1 / total

    top = _PRIOR_ENDS * s
    for _ in range(3):
        coarse = np.linspace(0.0, top, 400)
        top = _last(coarse, at(coarse)[0])
    t, taus, step = _dense_middle(coarse, at(coarse)[0], 4 * _TAUS, at_zero=True)
    height, mean, variance = at(taus)
    density = np.exp(height - height.max()) * step
    mass = _halved(density)
    inner, outer = np.sqrt(variance), np.sqrt(variance + taus**2)
    ends = float((mean - 40 * outer).min()), float((mean + 40 * outer).max())

    def quantiles(spread: Array) -> list[float]:
        from scipy.special import ndtr

        return _inverted(lambda value: float(mass @ ndtr((value - mean) / spread)), level, *ends)

    tau = t, taus, density
    return _told(quantiles(inner), quantiles(outer), float(mass @ mean), tau, s, "flat", effects.size, level)


def binomial_half_normal(k: ArrayLike, n: ArrayLike, scale: float, level: float = 0.95) -> Believed:
    r"""Return the posterior of the binomial-normal model, uniform in the typical share and half-normal in the spread.

    .. math::
        x_i \sim \mathrm{Binomial}(n_i, p_i), \quad \operatorname{logit} p_i \sim N(\mu, \tau^2), \quad
        \operatorname{logit}^{-1}\mu \sim U(0, 1), \quad \tau \sim |N(0, s^2)|

    Studies at 0 or 100 %, and one study alone, need no special care: the priors are proper.

    Parameters
    ----------
    k, n : array_like of int, shape (m,)
        Events and patients.
    scale : float
        Of the prior of the standard deviation between logits.
    level : float
        Probability inside the intervals.

    Returns
    -------
    Believed
        Effects as shares, the spread on the logit scale.

    References
    ----------
    Roever C et al. Res Synth Methods 2021;12:448-474 (priors of the spread).

    Examples
    --------
    >>> found = binomial_half_normal([12, 73], [20, 86], 1.0)
    >>> print(f"{found.median:.2f} ({found.interval.low:.2f} to {found.interval.high:.2f})")
    0.74 (0.36 to 0.90)
    """
    from scipy.special import expit

    level, s = checked_level(level), _checked_scale(scale)
    x, size = checked_counts(k, n)
    if x.size == 0:
        return _nobody(level, s, "uniform-share")

    alike, times = np.unique(np.column_stack([x, size]), axis=0, return_counts=True)
    often = times.astype(np.float64)

    def at(mus: Array, taus: Array) -> Array:
        grid_mu, grid_tau = (one.ravel() for one in np.meshgrid(mus, taus, indexing="ij"))
        value = log_likelihood(alike[:, 0], alike[:, 1], grid_mu, grid_tau, often).value.reshape(mus.size, taus.size)
        prior = -np.abs(mus) - 2 * np.log1p(np.exp(-np.abs(mus)))
        return np.asarray(value + prior[:, None] - 0.5 * (taus / s)[None, :] ** 2, dtype=np.float64)

    mus, taus = np.linspace(-_MU_ENDS, _MU_ENDS, 81), np.linspace(0.0, _PRIOR_ENDS * s, 12)
    for slack in (60.0, 10.0):  # a coarse grid may miss the top by much
        mus, taus = _window(mus, taus, at(mus, taus), _BELOW + slack)
    height = at(mus, taus)
    t_mu, mus, step_mu = _dense_middle(mus, height.max(axis=1), _MUS)
    t_tau, taus, step_tau = _dense_middle(taus, height.max(axis=0), _TAUS, at_zero=True)
    height = at(mus, taus)
    # Densities over t, so that sums over even places of t are integrals over mu and tau.
    density = np.exp(height - height.max()) * step_mu[:, None] * step_tau[None, :]
    by_mu, by_tau = density @ _trapezoid(t_tau), _trapezoid(t_mu) @ density
    total = float(by_mu @ _trapezoid(t_mu))
    quantiles = _inverted(_cumulated(t_mu, by_mu, mus), level, mus[0], mus[-1])
    new = _inverted(_new_study((t_mu, mus), (t_tau, taus), density), level, -_MU_ENDS * 3, _MU_ENDS * 3, middle=False)
    mean = float((by_mu * expit(mus)) @ _trapezoid(t_mu)) / total
    shares, new_shares = ([float(expit(q)) for q in these] for these in (quantiles, new))
    return _told(shares, new_shares, mean, (t_tau, taus, by_tau), s, "uniform-share", x.size, level)


def _dense_middle(places: Array, height: Array, count: int, *, at_zero: bool = False) -> tuple[Array, Array, Array]:
    """Return even places t, places c + a sinh(t) that are dense around the top, and the derivative.

    A posterior of few studies has a narrow top and long shoulders; even steps fine enough for the one would be
    wasted on the others.
    """
    wide = places[height > height.max() - 2.0]
    centre = 0.0 if at_zero else float(places[int(np.argmax(height))])
    a = max(float(np.abs(wide - centre).max()), float(places[1] - places[0])) / 2
    ends = np.arcsinh((places[[0, -1]] - centre) / a)
    t = np.linspace(ends[0], ends[1], count)
    return t, centre + a * np.sinh(t), a * np.cosh(t)


def _window(mus: Array, taus: Array, height: Array, below: float) -> tuple[Array, Array]:
    """Return a grid around all places that are not far below the top, one step wider."""
    near = height > height.max() - below
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    low, high = mus[max(rows[0] - 1, 0)], mus[min(rows[-1] + 1, mus.size - 1)]
    top = taus[min(columns[-1] + 1, taus.size - 1)]
    return np.linspace(low, high, 41), np.linspace(0.0, top, 16)


def _last(taus: Array, height: Array) -> float:
    """Return the first place beyond the last one that is not far below the top."""
    near = np.flatnonzero(height > height.max() - _BELOW)
    return float(taus[min(near[-1] + 1, taus.size - 1)])


def _trapezoid(places: Array) -> Array:
    """Return the weights of the trapezoidal rule on even places."""
    weights = np.full(places.size, places[1] - places[0])
    weights[[0, -1]] /= 2
    return weights


def _halved(density: Array) -> Array:
    """Return masses that sum to 1; the first place is the middle of an even function and counts half."""
    mass = density.copy()
    mass[0] /= 2
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def _cumulated(t: Array, density: Array, places: Array) -> Callable[[float], float]:
    """Return the distribution function over places from a density over even t, through a spline of degree 7."""
    whole = _Integral(t, density, places)
    end = float(whole(places[-1:])[0])
    return lambda value: float(whole(np.array([value]))[0]) / end


@final
class _Integral:
    """The running integral of a density (or of several, in columns) over t, read at places c + a sinh(t)."""

    def __init__(self, t: Array, density: Array, places: Array) -> None:
        from scipy.interpolate import make_interp_spline

        self.whole = make_interp_spline(t, density, k=7).antiderivative()
        self.low, self.high = float(t[0]), float(t[-1])
        # c and a from the two ends and their t: exact, and no further parameter to carry.
        ends = np.sinh(t[[0, -1]])
        self.a = float((places[-1] - places[0]) / (ends[1] - ends[0]))
        self.centre = float(places[0] - self.a * ends[0])

    def __call__(self, value: Array) -> Array:
        return np.asarray(self.whole(self._t(value)), dtype=np.float64)

    def by_column(self) -> Callable[[Array], Array]:
        """Return what reads the first row of places in the first density, the second in the second, and so on."""
        from scipy.interpolate import BSpline

        t, c, k = self.whole.tck
        columns = [BSpline(t, np.ascontiguousarray(one), k) for one in c.T]
        return lambda value: np.array([one(row) for one, row in zip(columns, self._t(value), strict=True)])

    def _t(self, value: Array) -> Array:
        return np.asarray(np.clip(np.arcsinh((value - self.centre) / self.a), self.low, self.high), dtype=np.float64)


def _new_study(mu: tuple[Array, Array], tau: tuple[Array, Array], density: Array) -> Callable[[float], float]:
    """Return the distribution function of a new study's logit: that of mu + tau z, tau by tau."""
    (t_mu, mus), (t_tau, taus) = mu, tau
    whole = _Integral(t_mu, density, mus)
    weights = _trapezoid(t_tau)
    z = np.linspace(-9.0, 9.0, _Z)
    bell = np.exp(-0.5 * z**2)
    bell /= bell.sum()
    end = float(whole(mus[-1:])[0] @ weights)
    moves, read = np.outer(taus, z), whole.by_column()  # each tau at its own places: all at all would be 48 times more

    def below(value: float) -> float:
        return float(weights @ (read(value - moves) @ bell)) / end

    return below


def _inverted(
    below: Callable[[float], float], level: float, low: float, high: float, *, middle: bool = True
) -> list[float]:
    """Return the lower, middle and upper quantile of a distribution function."""
    from scipy.optimize import brentq

    wanted = ((1 - level) / 2, *((0.5,) if middle else ()), (1 + level) / 2)
    return [float(brentq(lambda value, q=q: below(value) - q, low, high, xtol=1e-12, rtol=1e-13)) for q in wanted]


def _told(
    effect: list[float],
    new: list[float],
    mean: float,
    spread: tuple[Array, Array, Array],
    scale: float,
    mu_prior: str,
    k: int,
    level: float,
) -> Believed:
    t, taus, density = spread
    # Mirrored at 0 the density is smooth there, so that the spline is as good at the edge as inside.
    both_t, both_taus = (np.concatenate([-half[:0:-1], half]) for half in (t, taus))
    both = _cumulated(both_t, np.concatenate([density[:0:-1], density]), both_taus)
    low, median, high = _inverted(lambda tau: 2 * both(tau) - 1, level, 0.0, float(taus[-1]))
    return Believed(
        median=effect[1],
        mean=mean,
        interval=Interval(low=effect[0], high=effect[2], level=level, method="half-normal"),
        tau_median=median,
        tau_interval=Interval(low=low, high=high, level=level, method="half-normal"),
        prediction=Interval(low=new[0], high=new[-1], level=level, method="half-normal-prediction"),
        scale=scale,
        mu_prior=mu_prior,
        k=k,
    )


def _nobody(level: float, scale: float, mu_prior: str) -> Believed:
    nothing = no_interval(level, "half-normal", Undefined.NO_OBSERVATIONS)
    return Believed(
        median=nan,
        mean=nan,
        interval=nothing,
        tau_median=nan,
        tau_interval=nothing,
        prediction=nothing,
        scale=scale,
        mu_prior=mu_prior,
        k=0,
        reason=Undefined.NO_OBSERVATIONS,
    )
