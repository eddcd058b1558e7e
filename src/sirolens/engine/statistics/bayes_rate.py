# SPDX-License-Identifier: Apache-2.0
"""A rate in the light of an earlier study: how much of the earlier study counts is said, and may be doubted.

Oracles: numerical integration on a fine grid, closed forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.engine.statistics.interval import Array, Interval, checked_level

__all__ = ["Comparison", "RobustUpdate", "Update", "power_prior", "probability_above", "rates_compared", "robust_prior"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What is believed of a rate after new data and a share of old data.

    Parameters
    ----------
    a, b : float
        Parameters of its beta distribution.
    mean, median : float
        Its centre.
    interval : Interval
        The central credible interval.
    weight : float
        The share of the old study that was used, 0 to 1.
    borrowed : float
        How many of its patients that is.
    """

    a: float
    b: float
    mean: float
    median: float
    interval: Interval
    weight: float
    borrowed: float


def _checked(k: int, n: int, old_k: int, old_n: int, prior_a: float, prior_b: float) -> None:
    if not (0 <= k <= n and 0 <= old_k <= old_n):
        raise ValueError("more events than patients, or fewer than none")
    if not (prior_a > 0 and prior_b > 0):
        raise ValueError(f"a beta prior has positive parameters, not {prior_a} and {prior_b}")


def power_prior(
    k: int,
    n: int,
    old_k: int,
    old_n: int,
    weight: float,
    prior_a: float = 0.5,
    prior_b: float = 0.5,
    level: float = 0.95,
) -> Update:
    r"""Return the posterior of a rate with an earlier study's likelihood raised to a power.

    :math:`p \sim \mathrm{Beta}(a + w k_0 + k,\; b + w(n_0-k_0) + n - k)`: weight 0 ignores the earlier study, 1 pools
    it. The weight is a judgement; show several.

    Parameters
    ----------
    k, n : int
        Events and patients now.
    old_k, old_n : int
        Events and patients of the earlier study.
    weight : float
        0 to 1.
    prior_a, prior_b : float
        Before either study.
    level : float
        Probability inside the interval.

    References
    ----------
    Ibrahim JG, Chen MH. Stat Sci 2000;15:46-60.

    Examples
    --------
    >>> [round(power_prior(12, 20, 73, 86, w).mean, 3) for w in (0, 0.5, 1)]
    [0.595, 0.766, 0.799]
    """
    from scipy.stats import beta

    _checked(k, n, old_k, old_n, prior_a, prior_b)
    level = checked_level(level)
    if not 0 <= weight <= 1:
        raise ValueError(f"a weight is between 0 and 1, not {weight}")
    a = prior_a + weight * old_k + k
    b = prior_b + weight * (old_n - old_k) + n - k
    low, median, high = (float(beta.ppf(q, a, b)) for q in ((1 - level) / 2, 0.5, (1 + level) / 2))
    return Update(
        a=a,
        b=b,
        mean=a / (a + b),
        median=median,
        interval=Interval(low=low, high=high, level=level, method="power-prior"),
        weight=weight,
        borrowed=weight * old_n,
    )


def probability_above(a: float, b: float, rate: float) -> float:
    """Return the probability that a beta-distributed rate lies above a fixed one.

    Parameters
    ----------
    a, b : float
        Parameters of the beta distribution.
    rate : float
        The fixed rate.

    Examples
    --------
    >>> round(probability_above(12.5, 8.5, 0.3), 4)
    0.9974
    """
    from scipy.stats import beta

    return float(beta.sf(rate, a, b))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two independent rates, each beta-distributed.

    Parameters
    ----------
    higher_probability : float
        That the first is above the second.
    difference : float
        Expected difference, first less second.
    interval : Interval
        The central credible interval of the difference.
    """

    higher_probability: float
    difference: float
    interval: Interval


_NODES = 2000


def _beta_nodes(a: float, b: float, nodes: int) -> Array:
    """Return equally likely values of a beta distribution, the middles of as many slices."""
    from scipy.stats import beta

    return np.asarray(beta.ppf((np.arange(nodes) + 0.5) / nodes, a, b), dtype=np.float64)


def rates_compared(
    k: int, n: int, old_k: int, old_n: int, prior_a: float = 0.5, prior_b: float = 0.5, level: float = 0.95
) -> Comparison:
    r"""Return how probably a rate now lies above that of an earlier study, both with the same prior.

    :math:`P(p > p_0) = \int F_0(p) f(p)\,dp`, over slices of equal probability.

    Parameters
    ----------
    k, n : int
        Events and patients now.
    old_k, old_n : int
        Events and patients of the earlier study.
    prior_a, prior_b : float
        Before either study.
    level : float
        Probability inside the interval.

    Examples
    --------
    >>> print(f"{rates_compared(12, 20, 73, 86).higher_probability:.2f}")
    0.01
    """
    from scipy.optimize import brentq
    from scipy.special import betaincc

    _checked(k, n, old_k, old_n, prior_a, prior_b)
    level = checked_level(level)
    a, b = prior_a + k, prior_b + n - k
    old_a, old_b = prior_a + old_k, prior_b + old_n - old_k
    now = _beta_nodes(a, b, _NODES)

    def below(difference: float) -> float:
        """P(p - p0 <= difference)."""
        return float(np.mean(betaincc(old_a, old_b, np.clip(now - difference, 0, 1))))

    low, high = (
        float(brentq(lambda d, q=q: below(d) - q, -1, 1, xtol=1e-9)) for q in ((1 - level) / 2, (1 + level) / 2)
    )
    return Comparison(
        higher_probability=1 - below(0.0),
        difference=a / (a + b) - old_a / (old_a + old_b),
        interval=Interval(low=low, high=high, level=level, method="beta-difference"),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RobustUpdate:
    """What is believed of a rate when the earlier study may not apply at all.

    Parameters
    ----------
    mean : float
        Of the rate.
    interval : Interval
        The central credible interval.
    prior_weight : float
        Probability given beforehand that the earlier study applies.
    posterior_weight : float
        The same after the data: it falls when both disagree.
    """

    mean: float
    interval: Interval
    prior_weight: float
    posterior_weight: float


def robust_prior(
    k: int,
    n: int,
    old_k: int,
    old_n: int,
    prior_weight: float = 0.5,
    vague_a: float = 1.0,
    vague_b: float = 1.0,
    level: float = 0.95,
) -> RobustUpdate:
    r"""Return the posterior of a rate under a mixture of the earlier study and a vague prior.

    :math:`w \,\mathrm{Beta}(a_0+k_0, b_0+n_0-k_0) + (1-w)\,\mathrm{Beta}(a_0, b_0)`; each part is updated, and the
    weights by how well each had predicted the data (beta-binomial). Conflict discounts the earlier study by itself.

    Parameters
    ----------
    k, n : int
        Events and patients now.
    old_k, old_n : int
        Events and patients of the earlier study.
    prior_weight : float
        Probability that the earlier study applies, 0 to 1.
    vague_a, vague_b : float
        The vague prior.
    level : float
        Probability inside the interval.

    References
    ----------
    Schmidli H et al. Biometrics 2014;70:1023-1032.

    Examples
    --------
    >>> found = robust_prior(12, 20, 73, 86)
    >>> print(f"{found.posterior_weight:.2f} {found.mean:.2f}")
    0.19 0.63
    """
    from scipy.optimize import brentq
    from scipy.stats import beta, betabinom

    _checked(k, n, old_k, old_n, vague_a, vague_b)
    level = checked_level(level)
    if not 0 <= prior_weight <= 1:
        raise ValueError(f"a weight is between 0 and 1, not {prior_weight}")
    old_a, old_b = vague_a + old_k, vague_b + old_n - old_k
    informed = prior_weight * float(betabinom.pmf(k, n, old_a, old_b))
    vague = (1 - prior_weight) * float(betabinom.pmf(k, n, vague_a, vague_b))
    weight = informed / (informed + vague)
    parts = ((weight, old_a + k, old_b + n - k), (1 - weight, vague_a + k, vague_b + n - k))

    def below(p: float) -> float:
        return sum(w * float(beta.cdf(p, a, b)) for w, a, b in parts)

    low, high = (float(brentq(lambda p, q=q: below(p) - q, 0, 1)) for q in ((1 - level) / 2, (1 + level) / 2))
    return RobustUpdate(
        mean=sum(w * a / (a + b) for w, a, b in parts),
        interval=Interval(low=low, high=high, level=level, method="robust-mixture"),
        prior_weight=prior_weight,
        posterior_weight=weight,
    )
