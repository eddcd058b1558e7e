# SPDX-License-Identifier: Apache-2.0
"""Checks each printed share by itself: can whole numbers of its denominator give the percentage that is printed?"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from sirolens.engine.statistics.integer_search import counts_that_fit, denominators_that_fit, nearest_counts
from sirolens.engine.statistics.printed import Printed, percent_text
from sirolens.study.checker.counts import Counts
from sirolens.study.checker.findings import MORE_DECIMALS, Finding, Fit, Weight, fits_of, make, what_of
from sirolens.study.checker.published import Proportion

__all__ = ["check_shares"]

#: How far the search for a denominator that nobody printed goes.
LARGEST_DENOMINATOR = 10_000
HOW_MANY_SHOWN = 8
MOST_FITS = 6


def check_shares(counts: Counts) -> Iterator[Finding]:
    """Yield what is found of each share by itself.

    Parameters
    ----------
    counts : Counts
        From `sirolens.study.checker.counts.work_out`.
    """
    for one in counts.published.proportions:
        found = _impossible(one)
        if found is None and one.percent is not None:
            found = _with_count(counts, one, one.percent) if one.count is not None else _alone(counts, one, one.percent)
        if found is not None:
            yield found


def _impossible(one: Proportion) -> Finding | None:
    if one.percent is not None and not 0 <= one.percent.value <= 100:
        return make(Weight.IMPOSSIBLE, "checker.percent-outside", what_of(one), one.place, printed=one.percent.text)
    if one.count is not None and one.of is not None and one.count > one.of:
        return make(
            Weight.IMPOSSIBLE,
            "checker.count-above-denominator",
            what_of(one),
            one.place,
            printed=str(one.count),
            denominator=one.of,
        )
    return None


def _with_count(counts: Counts, one: Proportion, percent: Printed) -> Finding | None:
    """A share with count and percentage: does the one give the other?"""
    assert one.count is not None
    what, place, k = what_of(one), one.place, one.count
    denominators = {name: n for name, n in counts.denominators(one).items() if n >= k}
    if not denominators:
        return _denominator_wanted(one, percent, k)
    right = tuple(fit for fit in fits_of(percent, denominators, most=1_000) if fit.count == k)
    if right:
        return make(Weight.PASSED, "checker.percent-agrees", what, place, printed=percent.text, fits=right)
    cut = tuple(fit for fit in fits_of(percent, denominators, cut=True, most=1_000) if fit.count == k)
    computed = tuple(percent_text(k, n, percent.decimals + MORE_DECIMALS) for n in denominators.values())
    if cut:
        return make(
            Weight.EXPLAINED,
            "checker.percent-cut",
            what,
            place,
            printed=percent.text,
            computed=computed,
            fits=cut,
            rounded=tuple(percent_text(k, n, percent.decimals) for n in denominators.values()),
        )
    same = sorted(fits_of(percent, denominators, most=1_000), key=lambda fit: abs(fit.count - k))[:MOST_FITS]
    elsewhere = tuple(fit for fit in _elsewhere(counts, one, percent, denominators) if fit.count == k)
    return make(
        Weight.INCONSISTENT,
        "checker.percent-disagrees" if same or elsewhere else "checker.percent-disagrees-alone",
        what,
        place,
        printed=percent.text,
        computed=computed,
        fits=(*elsewhere, *same),
        count=k,
        denominators=tuple(denominators.values()),
    )


def _denominator_wanted(one: Proportion, percent: Printed, k: int) -> Finding | None:
    """A count and a percentage without denominator: which one would do?"""
    possible = denominators_that_fit(percent, k, most=LARGEST_DENOMINATOR)
    if k == 0 and possible:
        return None
    if not possible:
        return make(
            Weight.IMPOSSIBLE,
            "checker.no-denominator",
            what_of(one),
            one.place,
            printed=percent.text,
            count=k,
            most=LARGEST_DENOMINATOR,
        )
    fits = tuple(
        Fit(count=k, of=n, percent=percent_text(k, n, percent.decimals + MORE_DECIMALS))
        for n in possible[:HOW_MANY_SHOWN]
    )
    return make(
        Weight.NOTE,
        "checker.denominator-found" if len(possible) <= HOW_MANY_SHOWN else "checker.denominators-many",
        what_of(one),
        one.place,
        printed=percent.text,
        fits=fits,
        count=k,
        first=possible[0],
        last=possible[-1],
    )


def _alone(counts: Counts, one: Proportion, percent: Printed) -> Finding | None:
    """A percentage without count: does any count give it?"""
    what, place = what_of(one), one.place
    if one.sum_of and counts.sum_of_parts(one) is not None:
        return None  # its parts say what it must be: sirolens.study.checker.sums
    denominators = counts.denominators(one)
    if not denominators:
        smallest = next((n for n in range(1, 1_001) if counts_that_fit(percent, n)), None)
        if smallest is None:
            return None
        fits = fits_of(percent, {"": smallest}, most=1)
        return make(Weight.NOTE, "checker.no-size-printed", what, place, printed=percent.text, fits=fits)
    right = fits_of(percent, denominators, most=1_000)
    if len(right) > MOST_FITS:
        return make(
            Weight.PASSED,
            "checker.percent-fits-many",
            what,
            place,
            printed=percent.text,
            fits=(right[0], right[-1]),
            ways=len(right),
        )
    if len({fit.of for fit in right}) > 1:
        return make(Weight.NOTE, "checker.denominator-open", what, place, printed=percent.text, fits=right)
    if right:
        return make(Weight.PASSED, "checker.percent-fits", what, place, printed=percent.text, fits=right)
    cut = fits_of(percent, denominators, cut=True)
    if cut:
        return make(
            Weight.EXPLAINED,
            "checker.percent-cut-only",
            what,
            place,
            printed=percent.text,
            computed=tuple(fit.percent for fit in cut),
            fits=cut,
        )
    elsewhere = (*_elsewhere(counts, one, percent, denominators), *_fewer(percent, denominators))
    nearest = tuple(
        Fit(count=k, of=n, percent=percent_text(k, n, percent.decimals + MORE_DECIMALS))
        for n in denominators.values()
        for k in nearest_counts(percent, n)
    )
    return make(
        Weight.IMPOSSIBLE,
        "checker.percent-no-integer-elsewhere" if elsewhere else "checker.percent-no-integer",
        what,
        place,
        printed=percent.text,
        computed=tuple(fit.percent for fit in nearest),
        fits=elsewhere,
        denominators=tuple(denominators.values()),
        nearest=tuple(fit.message() for fit in nearest),
    )


def _fewer(percent: Printed, denominators: dict[str, int]) -> tuple[Fit, ...]:
    """What would fit if a few patients less were counted: the two nearest denominators, at most a fifth smaller."""
    found: list[Fit] = []
    for n in denominators.values():
        smaller = (fits_of(percent, {"": fewer}) for fewer in range(n - 1, max(1, ceil(0.8 * n)) - 1, -1))
        found += [fits[0] for fits in smaller if fits][:2]
    return tuple(found)


def _elsewhere(counts: Counts, one: Proportion, percent: Printed, tried: dict[str, int]) -> tuple[Fit, ...]:
    """What would fit of another denominator the paper prints: another size of the group, or an outcome's count."""
    group = counts.published.group(one.group)
    others = dict(group.sizes) if group is not None else {}
    for two in counts.published.proportions:
        if two.group == one.group and two.outcome != one.outcome:
            for name, n in ((two.outcome, two.count), (f"{two.outcome}: n", two.of)):
                if n is not None:
                    others.setdefault(name, n)
    used = set(tried.values())
    unused: dict[str, int] = {}
    for name, n in others.items():
        if n > 0 and n not in used:
            unused[name] = n
            used.add(n)
    return fits_of(percent, unused)
