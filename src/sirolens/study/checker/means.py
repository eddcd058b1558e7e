# SPDX-License-Identifier: Apache-2.0
"""Checks means and standard deviations of whole numbers: GRIM and GRIMMER, and how many patients a mean allows.

The mean of n whole numbers is a whole number over n. With few patients and enough decimals most numbers are no such
mean. Where every printed mean would fit, the test has no power and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from sirolens.engine.statistics.integer_search import spread_is_possible, sums_that_fit
from sirolens.engine.statistics.printed import plain_text
from sirolens.study.checker.counts import Counts
from sirolens.study.checker.findings import MORE_DECIMALS, Finding, Weight, make, subject
from sirolens.study.checker.published import Mean, Published

__all__ = ["check_means", "sizes_from_means"]

HOW_MANY_SHOWN = 8


def check_means(counts: Counts) -> Iterator[Finding]:
    """Yield what is found of means and standard deviations.

    Parameters
    ----------
    counts : Counts
        From `sirolens.study.checker.counts.work_out`.
    """
    for one in counts.published.means:
        yield _one_size(one, one.sizes[0]) if len(one.sizes) == 1 else _many_sizes(one)


def _fits(one: Mean, n: int, *, cut: bool = False) -> bool:
    """Whether n whole numbers can have the printed mean and, where there is one, the printed SD."""
    sums = sums_that_fit(one.mean, n, one.step, cut=cut)
    if one.sd is None or n < 2:
        return bool(sums)
    return any(spread_is_possible(total, one.sd, n, one.step) for total in sums)


def _powerless(one: Mean, n: int) -> bool:
    """Whether every printed mean would fit: the printed digits are no finer than the means that n values can have."""
    return one.step / n <= 2 * one.mean.half_step


def _one_size(one: Mean, n: int) -> Finding:
    what = subject(one.group, one.quantity, one.time)
    step = _step_text(one)
    if not sums_that_fit(one.mean, n, one.step):
        cut = bool(sums_that_fit(one.mean, n, one.step, cut=True))
        around = ceil(one.mean.value * n / one.step)
        decimals = one.mean.decimals + MORE_DECIMALS
        near = tuple(plain_text(total * one.step / n, decimals) for total in (around - 1, around))
        return make(
            Weight.EXPLAINED if cut else Weight.IMPOSSIBLE,
            "checker.mean-cut" if cut else "checker.mean-impossible",
            what,
            one.place,
            printed=one.mean.text,
            computed=near,
            n=n,
            step=step,
        )
    if one.sd is not None and n >= 2 and not _fits(one, n):
        return make(
            Weight.IMPOSSIBLE, "checker.sd-impossible", what, one.place, printed=one.sd.text, mean=one.mean.text, n=n
        )
    code = "checker.mean-untestable" if _powerless(one, n) else "checker.mean-fits"
    return make(Weight.PASSED, code, what, one.place, printed=one.mean.text, n=n, step=step)


def _step_text(one: Mean) -> str:
    return str(one.step.numerator) if one.step.denominator == 1 else str(float(one.step))


def _many_sizes(one: Mean) -> Finding:
    """A mean of an unknown number of patients: which numbers fit?"""
    what = subject(one.group, one.quantity, one.time)
    rounded = tuple(n for n in one.sizes if _fits(one, n))
    cut = tuple(n for n in one.sizes if n not in rounded and _fits(one, n, cut=True))
    fitting = rounded or cut
    code = "checker.mean-no-size" if not fitting else "checker.mean-sizes" if rounded else "checker.mean-sizes-cut"
    return make(
        Weight.NOTE if fitting else Weight.IMPOSSIBLE,
        code,
        what,
        one.place,
        printed=one.mean.text,
        computed=tuple(map(str, fitting[:HOW_MANY_SHOWN])),
        first=one.sizes[0],
        last=one.sizes[-1],
        ways=len(fitting),
        step=_step_text(one),
    )


def sizes_from_means(published: Published, group: str) -> tuple[int, ...]:
    """Return the sizes of a group that fit all its means whose number of patients is not printed.

    Parameters
    ----------
    published : Published
        The figures.
    group : str
        Which group.
    """
    means = [one for one in published.means if one.group == group and len(one.sizes) > 1]
    if not means:
        return ()
    common = set.intersection(*(set(one.sizes) for one in means))
    return tuple(n for n in sorted(common) if all(_fits(one, n) or _fits(one, n, cut=True) for one in means))
