# SPDX-License-Identifier: Apache-2.0
"""Which whole numbers can stand behind a printed figure: exact integer arithmetic, no floating point.

A percentage x with d decimals can have been rounded from k of n when ``|100 k / n - x| <= 10^-d / 2``. Both ends count:
half up, half down and half to even are all honest. Cut off instead of rounded: ``x <= 100 k / n < x + 10^-d``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice, product
from math import ceil, floor
from typing import final

from sirolens.engine.statistics.printed import Printed

__all__ = [
    "Arm",
    "Share",
    "Solution",
    "counts_that_fit",
    "denominators_that_fit",
    "nearest_counts",
    "solve_arm",
    "solve_split",
    "spread_is_possible",
    "sums_that_fit",
]

#: Splits of more patients than this are not searched: rounded percentages fit almost everything there.
LARGEST_SPLIT = 2_000
#: More solutions than this tell nothing; the search stops.
MOST_SOLUTIONS = 10_000
#: So many sets of counts of one arm are listed; that there is one at all is always found.
MOST_COUNTS = 50


def _window(x: Printed, cut: bool) -> tuple[Fraction, Fraction]:
    return (x.value, x.value + 2 * x.half_step) if cut else (x.value - x.half_step, x.value + x.half_step)


def counts_that_fit(percent: Printed, of: int, *, cut: bool = False) -> range:
    """Return every count k of n that prints a percentage.

    Parameters
    ----------
    percent : Printed
        The percentage.
    of : int
        The denominator n, at least 1.
    cut : bool
        Further digits were cut off instead of rounded.

    Returns
    -------
    range
        The counts, from 0 to n; empty when there are none.

    Examples
    --------
    >>> from sirolens.engine.statistics.printed import printed
    >>> list(counts_that_fit(printed("61.3"), 20)), list(counts_that_fit(printed("80.7"), 78, cut=True))
    ([], [63])
    """
    low, high = _window(percent, cut)
    first = max(0, ceil(low * of / 100))
    last = floor(high * of / 100)
    if cut and last * 100 == high * of:
        last -= 1
    return range(first, min(of, last) + 1)


def denominators_that_fit(percent: Printed, count: int, *, most: int) -> range:
    """Return every denominator n with which a count prints a percentage, at most `most`.

    Examples
    --------
    >>> from sirolens.engine.statistics.printed import printed
    >>> list(denominators_that_fit(printed("85.7"), 6, most=100))
    [7]
    """
    low, high = _window(percent, cut=False)
    if count == 0:
        return range(1, most + 1) if low <= 0 else range(0)
    if high <= 0:
        return range(0)
    first = max(count, ceil(Fraction(100 * count) / high))
    last = most if low <= 0 else min(most, floor(Fraction(100 * count) / low))
    return range(first, last + 1)


def nearest_counts(percent: Printed, of: int) -> tuple[int, ...]:
    """Return the counts on either side of a percentage that no count prints.

    Examples
    --------
    >>> from sirolens.engine.statistics.printed import printed
    >>> nearest_counts(printed("61.3"), 20)
    (12, 13)
    """
    below = min(of, max(0, floor(percent.value * of / 100)))
    return tuple(sorted({below, min(of, below + 1)}))


def sums_that_fit(mean: Printed, n: int, step: Fraction, *, cut: bool = False) -> range:
    """Return every sum, in steps, of n values that are multiples of `step` and have a printed mean (GRIM).

    The test: ``sum * step / n`` must print the mean. Brown and Heathers 2017, Soc Psychol Personal Sci 8(4):363-369.

    Examples
    --------
    >>> from sirolens.engine.statistics.printed import printed
    >>> list(sums_that_fit(printed("5.27"), 43, Fraction(1))), list(sums_that_fit(printed("5.28"), 43, Fraction(1)))
    ([], [227])
    """
    low, high = _window(mean, cut)
    first, last = ceil(low * n / step), floor(high * n / step)
    if cut and last * step == high * n:
        last -= 1
    return range(first, last + 1)


def spread_is_possible(total: int, sd: Printed, n: int, step: Fraction) -> bool:
    """Whether n whole numbers with a given sum can have a printed standard deviation (GRIMMER).

    Necessary, not sufficient: the sum of squares Q must be whole, as odd or even as the sum, no smaller than that of
    values as equal as can be, and give the printed SD by ``sd^2 = (Q - sum^2 / n) / (n - 1)``.

    Parameters
    ----------
    total : int
        The sum, in steps.
    sd : Printed
        The standard deviation, in the unit of the values.
    n : int
        How many values, at least 2.
    step : Fraction
        The values are multiples of it.

    Examples
    --------
    >>> from sirolens.engine.statistics.printed import printed
    >>> spread_is_possible(6, printed("1.0"), 3, Fraction(1)), spread_is_possible(6, printed("0.5"), 3, Fraction(1))
    (True, False)
    """
    low = max(Fraction(0), sd.value - sd.half_step) / step
    high = (sd.value + sd.half_step) / step
    centre = Fraction(total * total, n)
    share, rest = divmod(total, n)
    least = (n - rest) * share * share + rest * (share + 1) * (share + 1)
    first = max(least, ceil(low * low * (n - 1) + centre))
    last = floor(high * high * (n - 1) + centre)
    first += (first - total) % 2
    return first <= last


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A percentage of one arm whose count is not printed.

    Parameters
    ----------
    name : str
        Of the outcome.
    percent : Printed
        As printed.
    of : str
        The outcome whose count is the denominator; empty: the arm's size.
    count : int, optional
        The count, where it is printed.
    """

    name: str
    percent: Printed
    of: str = ""
    count: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One size of an arm with every set of counts that prints its percentages."""

    size: int
    counts: tuple[tuple[int, ...], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """One way in which a whole splits into arms that print all percentages."""

    arms: tuple[Arm, ...]


def solve_arm(size: int, shares: Sequence[Share]) -> tuple[tuple[int, ...], ...]:
    """Return every set of counts of an arm of a given size that prints all its percentages.

    Parameters
    ----------
    size : int
        Patients in the arm.
    shares : sequence of Share
        Its percentages; one `of` another comes after it.

    Examples
    --------
    >>> from sirolens.engine.statistics.printed import printed
    >>> whole = Share(name="OR", percent=printed("58"))
    >>> solve_arm(43, [whole, Share(name="SR", percent=printed("68"), of="OR")])
    ((25, 17),)
    """
    roots = [_root(share, shares) for share in shares]
    families = [[i for i, own in enumerate(roots) if own == root] for root in dict.fromkeys(roots)]
    options = [_solve_family(size, [shares[i] for i in family]) for family in families]
    order = [i for family in families for i in family]
    found = []
    for chosen in islice(product(*options), MOST_COUNTS):
        counts = dict(zip(order, chain.from_iterable(chosen), strict=True))
        found.append(tuple(counts[i] for i in range(len(shares))))
    return tuple(found)


def _root(share: Share, shares: Sequence[Share]) -> str:
    """Follow a share to the one of the arm's size it hangs on: shares with different roots do not touch each other."""
    by_name = {one.name: one for one in reversed(shares)}  # of two alike the first, which stands before what is of it
    while share.of and by_name[share.of] is not share:
        share = by_name[share.of]
    return share.name


def _solve_family(size: int, shares: Sequence[Share]) -> list[tuple[int, ...]]:
    """Return every set of counts of shares that hang on one another; one `of` another comes after it."""
    found: list[tuple[int, ...]] = [()]
    names = [share.name for share in shares]
    for share in shares:
        longer = []
        for counts in found:
            of = counts[names.index(share.of)] if share.of else size
            fitting = counts_that_fit(share.percent, of) if of > 0 else range(0)
            options = fitting if share.count is None else [share.count] if share.count in fitting else []
            longer += [(*counts, option) for option in options]
        found = longer
    return found


def solve_split(
    whole: int, arms: Sequence[Sequence[Share]], sizes: Sequence[int | None] | None = None
) -> tuple[Solution, ...] | None:
    """Return every split of a whole into arms for which all printed percentages fit.

    Parameters
    ----------
    whole : int
        Patients in all arms together.
    arms : sequence of sequence of Share
        The percentages of each arm.
    sizes : sequence of int or None, optional
        Sizes already known.

    Returns
    -------
    tuple of Solution, or None
        None: too many patients or arms to search.

    Examples
    --------
    >>> from sirolens.engine.statistics.printed import printed
    >>> half = [Share(name="response", percent=printed("50"))]
    >>> solve_split(61, [half, half])
    ()
    """
    if whole > LARGEST_SPLIT or not 1 <= len(arms) <= 3 or (len(arms) == 3 and whole > 300):
        return None
    known = sizes or [None] * len(arms)
    possible: list[dict[int, tuple[tuple[int, ...], ...]]] = []
    for shares, size in zip(arms, known, strict=True):
        candidates: Iterable[int] = range(1, whole + 1) if size is None else (size,)
        solved = {n: solve_arm(n, shares) for n in candidates}
        possible.append({n: counts for n, counts in solved.items() if counts})
    *before, last = possible
    found = []
    for chosen in product(*before):
        rest = whole - sum(chosen)
        if rest in last:
            parts = (*zip(before, chosen, strict=True), (last, rest))
            found.append(Solution(arms=tuple(Arm(size=n, counts=options[n]) for options, n in parts)))
            if len(found) >= MOST_SOLUTIONS:
                break
    return tuple(found)
