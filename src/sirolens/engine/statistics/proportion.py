# SPDX-License-Identifier: Apache-2.0
"""How sure a share is: intervals of a proportion k/n, a test against a fixed rate, and rates of rare events.

Oracles: the anchors computed for the published studies, exact coverage by enumeration, statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import final

from sirolens.engine.statistics.interval import Interval, Test, Undefined, checked_level, no_interval, no_test

__all__ = [
    "BetaInterval",
    "Rate",
    "beta_interval",
    "binomial_test",
    "clopper_pearson",
    "poisson_rate",
    "wilson",
]


def _checked(k: int, n: int) -> tuple[int, int]:
    k, n = index(k), index(n)
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no proportion")
    return k, n


def _interval(k: int, n: int, level: float, method: str) -> Interval:
    from scipy.stats import binomtest

    k, n = _checked(k, n)
    level = checked_level(level)
    if n == 0:
        return no_interval(level, method, Undefined.NO_OBSERVATIONS)
    found = binomtest(k, n).proportion_ci(level, method="exact" if method == "clopper-pearson" else "wilson")
    # The score interval of 0/n begins at 0 and that of n/n ends at 1; rounding must not say otherwise.
    low = 0.0 if k == 0 else float(found.low)
    high = 1.0 if k == n else float(found.high)
    return Interval(low=low, high=high, level=level, method=method)


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Interval:
    r"""Return the exact interval of a proportion.

    The limits are the rates at which k or more, and k or fewer, events have probability :math:`(1-L)/2`: beta
    quantiles :math:`B(\alpha/2; k, n-k+1)` and :math:`B(1-\alpha/2; k+1, n-k)`. Its coverage is never below the level.

    Parameters
    ----------
    k, n : int
        Events and patients.
    level : float
        Level of confidence.

    Raises
    ------
    ValueError
        k is negative or above n.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413.

    Examples
    --------
    >>> found = clopper_pearson(12, 20)
    >>> print(f"{100 * found.low:.2f} to {100 * found.high:.2f} %")
    36.05 to 80.88 %
    >>> clopper_pearson(0, 0).reason
    <Undefined.NO_OBSERVATIONS: 'no-observations'>
    """
    return _interval(k, n, level, "clopper-pearson")


def wilson(k: int, n: int, level: float = 0.95) -> Interval:
    r"""Return the score interval of a proportion, without continuity correction.

    All rates p with :math:`|k/n-p| \le z \sqrt{p(1-p)/n}`; its coverage is near the level on average, not at least it.

    Parameters
    ----------
    k, n : int
        Events and patients.
    level : float
        Level of confidence.

    References
    ----------
    Wilson EB. J Am Stat Assoc 1927;22:209-212.

    Examples
    --------
    >>> found = wilson(6, 20)
    >>> print(f"{100 * found.low:.2f} to {100 * found.high:.2f} %")
    14.55 to 51.90 %
    """
    return _interval(k, n, level, "wilson")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BetaInterval:
    """What is believed of a rate after the data: a beta distribution.

    Parameters
    ----------
    a, b : float
        Its parameters.
    mean, median : float
        Its centre.
    interval : Interval
        The central credible interval.
    """

    a: float
    b: float
    mean: float
    median: float
    interval: Interval


def beta_interval(k: int, n: int, prior_a: float = 0.5, prior_b: float = 0.5, level: float = 0.95) -> BetaInterval:
    r"""Return the posterior of a rate under a beta prior; by default Jeffreys' prior.

    :math:`p \mid k \sim \mathrm{Beta}(a+k,\; b+n-k)`. Without patients it is the prior.

    Parameters
    ----------
    k, n : int
        Events and patients.
    prior_a, prior_b : float
        The prior's events and non-events, positive.
    level : float
        Probability inside the interval.

    Examples
    --------
    >>> posterior = beta_interval(12, 20, 1, 1)
    >>> round(posterior.mean, 4)
    0.5909
    """
    from scipy.stats import beta

    k, n = _checked(k, n)
    level = checked_level(level)
    if not (prior_a > 0 and prior_b > 0):
        raise ValueError(f"a beta prior has positive parameters, not {prior_a} and {prior_b}")
    a, b = prior_a + k, prior_b + n - k
    low, median, high = (float(beta.ppf(q, a, b)) for q in ((1 - level) / 2, 0.5, (1 + level) / 2))
    found = Interval(low=low, high=high, level=level, method="beta-posterior")
    return BetaInterval(a=a, b=b, mean=a / (a + b), median=median, interval=found)


def binomial_test(k: int, n: int, p0: float, alternative: str = "two-sided") -> Test:
    """Return the exact binomial test of a rate against a fixed one.

    Parameters
    ----------
    k, n : int
        Events and patients.
    p0 : float
        The rate under the hypothesis.
    alternative : {"two-sided", "greater", "less"}
        Two-sided: all outcomes no likelier than the one seen.

    Examples
    --------
    >>> print(f"{binomial_test(12, 20, 0.3, 'greater').p_value:.4f}")
    0.0051
    """
    from scipy.stats import binomtest

    k, n = _checked(k, n)
    name = "binomial-exact" if alternative == "two-sided" else f"binomial-exact-{alternative}"
    if n == 0:
        return no_test(name, Undefined.NO_OBSERVATIONS)
    if alternative == "two-sided":
        p_value = binomtest(k, n, p0, alternative="two-sided").pvalue
    elif alternative == "greater":
        p_value = binomtest(k, n, p0, alternative="greater").pvalue
    elif alternative == "less":
        p_value = binomtest(k, n, p0, alternative="less").pvalue
    else:
        raise ValueError(f"no alternative is called {alternative!r}")
    return Test(statistic=k / n, p_value=float(p_value), method=name)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Events per exposure.

    Parameters
    ----------
    events : int
        How many.
    exposure : float
        In the unit the caller counts in, such as patient-years.
    rate : float
        Events per unit of exposure.
    interval : Interval
        Of the rate.
    """

    events: int
    exposure: float
    rate: float
    interval: Interval


def poisson_rate(events: int, exposure: float, level: float = 0.95) -> Rate:
    r"""Return a rate of events with its exact interval.

    :math:`\chi^2_{\alpha/2; 2x}/2T` to :math:`\chi^2_{1-\alpha/2; 2x+2}/2T`: the rates at which x or more, and x or
    fewer, events have probability :math:`\alpha/2`. Events of one patient are taken as independent.

    Parameters
    ----------
    events : int
        Not negative.
    exposure : float
        Not negative; 0 gives no rate.
    level : float
        Level of confidence.

    References
    ----------
    Garwood F. Biometrika 1936;28:437-442.

    Examples
    --------
    >>> found = poisson_rate(0, 10.0)
    >>> found.rate, round(found.interval.high, 4)
    (0.0, 0.3689)
    """
    from scipy.stats import chi2

    level = checked_level(level)
    if events < 0 or not exposure >= 0:
        raise ValueError(f"{events} events in an exposure of {exposure}")
    if exposure == 0:
        nothing = no_interval(level, "poisson-exact", Undefined.NO_OBSERVATIONS)
        return Rate(events=events, exposure=0.0, rate=float("nan"), interval=nothing)
    low = float(chi2.ppf((1 - level) / 2, 2 * events)) / (2 * exposure) if events else 0.0
    high = float(chi2.ppf((1 + level) / 2, 2 * events + 2)) / (2 * exposure)
    found = Interval(low=low, high=high, level=level, method="poisson-exact")
    return Rate(events=events, exposure=exposure, rate=events / exposure, interval=found)
