# SPDX-License-Identifier: Apache-2.0
"""Checks the figures of a group against each other: parts and totals, one time and the next, one page and another."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby

from sirolens.engine.statistics.integer_search import counts_that_fit
from sirolens.engine.statistics.printed import percent_text, plain_text
from sirolens.study.checker.counts import Counts
from sirolens.study.checker.findings import MORE_DECIMALS, Finding, Fit, Weight, make, subject, what_of
from sirolens.study.checker.published import Partition, Proportion

__all__ = ["check_sums"]


def check_sums(counts: Counts) -> Iterator[Finding]:
    """Yield what is found between figures of one group.

    Parameters
    ----------
    counts : Counts
        From `sirolens.study.checker.counts.work_out`.
    """
    for one in counts.published.proportions:
        if one.sum_of:
            yield from _total(counts, one)
        if one.part_of:
            yield from _part(counts, one)
        yield from _of_responders(counts, one)
    for partition in counts.published.partitions:
        yield from _partition(counts, partition)
    yield from _printed_twice(counts)
    yield from _shifting(counts)


def _total(counts: Counts, one: Proportion) -> Iterator[Finding]:
    what, place, parts = what_of(one), one.place, counts.parts(one)
    missing = tuple(name for name in one.sum_of if name not in [part.outcome for part in parts])
    summed = counts.sum_of_parts(one)
    if summed is not None and one.count is not None:
        agrees = summed == one.count
        yield make(
            Weight.PASSED if agrees else Weight.INCONSISTENT,
            "checker.sum-agrees" if agrees else "checker.sum-differs",
            what,
            place,
            printed=str(one.count),
            computed=(str(summed),),
            parts=one.sum_of,
        )
    elif summed is not None and one.percent is not None:
        yield from _total_percent(counts, one, summed)
    elif one.percent is not None and not missing and all(part.percent is not None for part in parts):
        yield _total_of_percents(one, parts)
    elif one.count is not None and parts:
        yield from _left_over(one, parts, missing)
    elif missing:
        yield make(Weight.NOTE, "checker.sum-not-checked", what, place, parts=missing)


def _total_percent(counts: Counts, one: Proportion, summed: int) -> Iterator[Finding]:
    """A total printed as a percentage only, whose parts are counted."""
    percent = one.percent
    assert percent is not None
    what, place = what_of(one), one.place
    denominators = {name: n for name, n in counts.denominators(one).items() if n >= summed}
    fits = tuple(
        Fit(count=summed, of=n, name=name, percent=percent_text(summed, n, percent.decimals + MORE_DECIMALS))
        for name, n in denominators.items()
    )
    if not fits:
        yield make(Weight.NOTE, "checker.sum-not-checked", what, place, printed=percent.text, parts=one.sum_of)
        return
    computed = tuple(fit.percent for fit in fits)
    right = tuple(fit for fit in fits if summed in counts_that_fit(percent, fit.of))
    if right:
        yield make(Weight.PASSED, "checker.percent-agrees", what, place, printed=percent.text, fits=right)
        return
    parts = counts.parts(one)
    figures = [part.percent for part in parts if part.percent is not None]
    if len(figures) == len(one.sum_of) and sum(figure.value for figure in figures) == percent.value:
        yield make(
            Weight.EXPLAINED,
            "checker.sum-of-rounded",
            what,
            place,
            printed=percent.text,
            computed=computed,
            fits=fits,
            parts=tuple(figure.text for figure in figures),
            rounded=tuple(percent_text(summed, fit.of, percent.decimals) for fit in fits),
        )
        return
    cut = tuple(fit for fit in fits if summed in counts_that_fit(percent, fit.of, cut=True))
    rounded = tuple(percent_text(summed, fit.of, percent.decimals) for fit in fits)
    yield make(
        Weight.EXPLAINED if cut else Weight.INCONSISTENT,
        "checker.percent-cut" if cut else "checker.total-differs",
        what,
        place,
        printed=percent.text,
        computed=computed,
        fits=fits,
        rounded=rounded,
    )


def _total_of_percents(one: Proportion, parts: tuple[Proportion, ...]) -> Finding:
    """A total and parts printed as percentages only: rounding moves each by half a digit at most."""
    assert one.percent is not None
    figures = [part.percent for part in parts if part.percent is not None]
    summed = sum((figure.value for figure in figures), Fraction(0))
    room = one.percent.half_step + sum((figure.half_step for figure in figures), Fraction(0))
    possible = abs(summed - one.percent.value) <= room
    decimals = max(figure.decimals for figure in figures)
    return make(
        Weight.PASSED if possible else Weight.INCONSISTENT,
        "checker.percents-add-up" if possible else "checker.percents-do-not-add-up",
        what_of(one),
        one.place,
        printed=one.percent.text,
        computed=(plain_text(summed, decimals),),
        parts=tuple(figure.text for figure in figures),
    )


def _left_over(one: Proportion, parts: tuple[Proportion, ...], missing: tuple[str, ...]) -> Iterator[Finding]:
    """A total with parts of which some are named and not counted: what is left for them?"""
    assert one.count is not None
    counted = sum(part.count for part in parts if part.count is not None)
    unprinted = (*missing, *(part.outcome for part in parts if part.count is None))
    if counted > one.count:
        code, weight = "checker.sum-differs", Weight.INCONSISTENT
    elif counted == one.count and unprinted:
        code, weight = "checker.part-left-empty", Weight.INCONSISTENT
    else:
        code, weight = "checker.left-over", Weight.NOTE
    yield make(
        weight,
        code,
        what_of(one),
        one.place,
        printed=str(one.count),
        computed=(str(counted),),
        parts=tuple(part.outcome for part in parts if part.count is not None),
        unprinted=unprinted,
        left=one.count - counted,
    )


def _part(counts: Counts, one: Proportion) -> Iterator[Finding]:
    """A part may not be larger than what it is part of."""
    whole = counts.parent(one)
    if whole is None:
        return
    if one.count is not None and whole.count is not None and one.count > whole.count:
        printed, limit = str(one.count), str(whole.count)
    elif one.of is not None and one.of == whole.of and _surely_above(one, whole):
        assert one.percent is not None
        assert whole.percent is not None
        printed, limit = f"{one.percent.text} %", f"{whole.percent.text} %"
    else:
        return
    yield make(
        Weight.IMPOSSIBLE,
        "checker.part-above-whole",
        what_of(one),
        one.place,
        printed=printed,
        computed=(limit,),
        whole=whole.outcome,
    )


def _surely_above(one: Proportion, two: Proportion) -> bool:
    """Whether one percentage is larger than another however both were rounded."""
    if one.percent is None or two.percent is None:
        return False
    return one.percent.value - one.percent.half_step > two.percent.value + 2 * two.percent.half_step


def _of_responders(counts: Counts, one: Proportion) -> Iterator[Finding]:
    """A share of those with another outcome: what it is of the whole group."""
    if one.percent is None or not one.among:
        return
    group = counts.published.group(one.group)
    if group is not None and one.among in group.sizes:
        return
    pair = counts.pair(one)
    of = counts.published.find(one.group, one.among, one.time) or counts.published.find(one.group, one.among)
    wide = counts.pair(of[0]) if of else None
    forced = next((parent for moved, parent in counts.moved if moved.place == one.place), None)
    if pair is None or wide is None:
        if forced is not None and forced.percent is not None:
            yield make(
                Weight.INCONSISTENT,
                "checker.share-above-whole",
                what_of(one),
                one.place,
                printed=one.percent.text,
                computed=(forced.percent.text,),
                whole=forced.outcome,
            )
        return
    k, n = pair
    decimals = one.percent.decimals + MORE_DECIMALS
    wider = percent_text(k, wide[1], decimals)
    whole = of[0]
    yield make(
        Weight.NOTE if forced is None else Weight.EXPLAINED,
        "checker.responders-only-forced" if forced is not None else "checker.responders-only",
        what_of(one),
        one.place,
        printed=one.percent.text,
        computed=(wider,),
        fits=(Fit(count=k, of=n, name=one.among, percent=percent_text(k, n, decimals)),),
        whole=whole.outcome,
        whole_printed=whole.percent.text if whole.percent is not None else str(whole.count),
        wide=Fit(count=k, of=wide[1], percent=wider).message(),
    )


def _partition(counts: Counts, partition: Partition) -> Iterator[Finding]:
    """Outcomes of which everybody has exactly one: counts add up to the denominator, percentages to 100."""
    found = [counts.published.find(partition.group, outcome, partition.time) for outcome in partition.outcomes]
    ones = [parts[0] for parts in found if parts]
    what = subject(partition.group, partition.time)
    if len(ones) < len(partition.outcomes):
        return
    known = [one.count for one in ones if one.count is not None]
    denominators = {one.of for one in ones if one.of is not None}
    if len(known) == len(ones) and len(denominators) == 1:
        of = denominators.pop()
        agrees = sum(known) == of
        yield make(
            Weight.PASSED if agrees else Weight.INCONSISTENT,
            "checker.everyone-counted" if agrees else "checker.not-everyone-counted",
            what,
            partition.place,
            printed=str(of),
            computed=(str(sum(known)),),
            parts=partition.outcomes,
        )
    figures = [one.percent for one in ones if one.percent is not None]
    if len(figures) == len(ones):
        summed = sum((figure.value for figure in figures), Fraction(0))
        room = sum((2 * figure.half_step for figure in figures), Fraction(0))  # some may be cut off instead of rounded
        possible = abs(summed - 100) <= room
        yield make(
            Weight.PASSED if possible else Weight.INCONSISTENT,
            "checker.percents-reach-100" if possible else "checker.percents-miss-100",
            what,
            partition.place,
            printed="100",
            computed=(plain_text(summed, max(figure.decimals for figure in figures)),),
            parts=tuple(figure.text for figure in figures),
        )


def _printed_twice(counts: Counts) -> Iterator[Finding]:
    """The same figure in two places."""
    seen: dict[tuple[str, str, str], Proportion] = {}
    for one in counts.published.proportions:
        first = seen.setdefault((one.group, one.outcome, one.time), one)
        if first is one:
            continue
        differ = [
            (str(a), str(b))
            for a, b in ((first.count, one.count), (first.of, one.of))
            if a is not None and b is not None and a != b
        ]
        if first.percent is not None and one.percent is not None:
            a, b = first.percent, one.percent
            if abs(a.value - b.value) > a.half_step + b.half_step:
                differ.append((a.text, b.text))
        if differ:
            yield make(
                Weight.INCONSISTENT,
                "checker.printed-twice",
                what_of(one),
                one.place,
                printed=", ".join(b for _, b in differ),
                computed=tuple(a for a, _ in differ),
                line=first.place.line or 0,
            )


def _shifting(counts: Counts) -> Iterator[Finding]:
    """The denominator of a group changes from one time to the next: what the later figures are of the first one."""
    for group in counts.published.groups:
        timed = [
            (one, pair)
            for one in counts.published.proportions
            if one.group == group.name
            and one.time
            and not _nested(counts, one)
            and (pair := counts.pair(one)) is not None
        ]
        by_time = [(time, list(ones)) for time, ones in groupby(timed, key=lambda item: item[0].time)]
        if len(by_time) < 2:
            continue
        first_time, first = by_time[0]
        before = first[0][1][1]
        known = {one.outcome for one, _ in first}
        for time, ones in by_time[1:]:
            smaller = [(one, k) for one, (k, n) in ones if n != before and one.outcome in known]
            if not smaller:
                continue
            n = next(n for one, (_, n) in ones if one is smaller[0][0])
            computed = tuple(
                f"{one.outcome} {k}/{before} ({percent_text(k, before, 1)} %)" for one, k in smaller if k <= before
            )
            yield make(
                Weight.NOTE,
                "checker.denominator-shifts",
                subject(group.name, time),
                smaller[0][0].place,
                printed=str(n),
                computed=computed,
                first=first_time,
                before=before,
                change=n - before,
            )


def _nested(counts: Counts, one: Proportion) -> bool:
    group = counts.published.group(one.group)
    return bool(one.among) and (group is None or one.among not in group.sizes)
