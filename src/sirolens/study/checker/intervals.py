# SPDX-License-Identifier: Apache-2.0
"""Recomputes printed confidence intervals of shares under the methods in use, and says which print what is printed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from statistics import NormalDist

from sirolens.engine.statistics.printed import Printed
from sirolens.message import info
from sirolens.study.checker.counts import Counts
from sirolens.study.checker.findings import Finding, Weight, make, what_of
from sirolens.study.checker.published import Proportion

__all__ = ["check_intervals", "intervals_of"]


def intervals_of(k: int, n: int, level: float) -> dict[str, tuple[float, float]]:
    """Return the interval of a share, in percent, under several methods.

    Parameters
    ----------
    k, n : int
        Count and denominator, n at least 1.
    level : float
        Confidence, such as 0.95.

    Returns
    -------
    dict of str to (float, float)
        By the names of `sirolens.study.published.INTERVAL_METHODS`.

    Examples
    --------
    >>> low, high = intervals_of(12, 20, 0.95)["clopper-pearson"]
    >>> round(low, 2), round(high, 2)
    (36.05, 80.88)
    """
    from sirolens.engine.statistics.proportion import beta_interval, clopper_pearson, wilson

    z = NormalDist().inv_cdf((1 + level) / 2)
    share, centre, weight = k / n, (k + z * z / 2) / (n + z * z), n + z * z
    wald = z * math.sqrt(share * (1 - share) / n)
    agresti = z * math.sqrt(centre * (1 - centre) / weight)
    exact, score, jeffreys = (
        clopper_pearson(k, n, level),
        wilson(k, n, level),
        beta_interval(k, n, level=level).interval,
    )
    found = {
        "clopper-pearson": (exact.low, exact.high),
        "wilson": (score.low, score.high),
        "wald": (share - wald, share + wald),
        "agresti-coull": (centre - agresti, centre + agresti),
        "jeffreys": (jeffreys.low, jeffreys.high),
    }
    return {name: (100 * max(0.0, low), 100 * min(1.0, high)) for name, (low, high) in found.items()}


def check_intervals(counts: Counts) -> Iterator[Finding]:
    """Yield what is found of printed intervals.

    Parameters
    ----------
    counts : Counts
        From `sirolens.study.checker.counts.work_out`.
    """
    for one in counts.published.proportions:
        if one.interval is not None:
            found = _interval(counts, one, one.interval)
            if found is not None:
                yield found


def _interval(counts: Counts, one: Proportion, ends: tuple[Printed, Printed]) -> Finding | None:
    what, text = what_of(one), f"{ends[0].text}-{ends[1].text}"
    if one.percent is not None and not ends[0].value <= one.percent.value <= ends[1].value:
        return make(
            Weight.IMPOSSIBLE, "checker.interval-misses", what, one.place, printed=text, computed=(one.percent.text,)
        )
    pair = counts.pair(one)
    if pair is None:
        return make(Weight.NOTE, "checker.interval-counts-unknown", what, one.place, printed=text)
    methods = intervals_of(*pair, one.level_percent / 100)
    decimals = max(end.decimals for end in ends) + 1
    told = {name: f"{low:.{decimals}f}-{high:.{decimals}f}" for name, (low, high) in methods.items()}
    holding = [name for name, limits in methods.items() if all(map(_holds, ends, limits))]
    if one.method and one.method not in holding and holding:
        weight, code = Weight.EXPLAINED, "checker.interval-other-method"
    elif not holding or (one.method and one.method not in holding):
        weight, code = Weight.INCONSISTENT, "checker.interval-not-reproduced"
    else:
        weight, code = Weight.PASSED, "checker.interval-reproduced"
    return make(
        weight,
        code,
        what,
        one.place,
        printed=text,
        computed=tuple(f"{name} {limits}" for name, limits in told.items()),
        table=f"{pair[0]}/{pair[1]}",
        methods=tuple(info(f"checker.interval-by-{name}", limits=limits) for name, limits in told.items()),
        holding=tuple(info(f"checker.method-{name}") for name in holding),
        said=info(f"checker.method-{one.method}") if one.method else "",
    )


def _holds(end: Printed, limit: float) -> bool:
    return end.rounds_from(Fraction(limit))
