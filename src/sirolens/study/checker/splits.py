# SPDX-License-Identifier: Apache-2.0
"""Checks groups against the whole they make up: sizes, counts, and whether any sizes at all fit what is printed."""

from __future__ import annotations

from collections.abc import Iterator

from sirolens.engine.statistics.integer_search import Solution
from sirolens.message import Message, info
from sirolens.study.checker.counts import Counts, SolvedSplit
from sirolens.study.checker.findings import Finding, Weight, make, subject
from sirolens.study.checker.means import sizes_from_means
from sirolens.study.checker.published import Split

__all__ = ["check_splits"]

HOW_MANY_SHOWN = 5


def check_splits(counts: Counts) -> Iterator[Finding]:
    """Yield what is found between groups and the whole they make up.

    Parameters
    ----------
    counts : Counts
        From `sirolens.study.checker.counts.work_out`.
    """
    searched = {solved.split: solved for solved in counts.splits}
    for split in counts.published.splits:
        if split in searched:
            yield from _searched(searched[split])
        else:
            yield from _sizes(counts, split)
        yield from _by_means(counts, split)
        yield from _counts(counts, split)


def _searched(solved: SolvedSplit) -> Iterator[Finding]:
    """Sizes nobody printed: those that fit all percentages."""
    split = solved.split
    what = subject(split.whole, split.size)
    printed = str(solved.whole)
    figures = tuple(
        info("checker.share-of", group=name, name=share.name, printed=share.percent.text)
        for name, shares in zip(split.parts, solved.shares, strict=True)
        for share in shares
    )
    if solved.solutions is None:
        yield make(Weight.NOTE, "checker.split-not-searched", what, split.place, printed=printed, parts=split.parts)
        return
    sizes = solved.sizes
    if not sizes:
        code, weight = "checker.no-split", Weight.IMPOSSIBLE
    elif len(solved.solutions) == 1 and all(len(arm.counts) == 1 for arm in solved.solutions[0].arms):
        code, weight = "checker.split-found", Weight.NOTE
    else:
        code, weight = "checker.split-open", Weight.NOTE
    shown = sizes[:HOW_MANY_SHOWN]
    yield make(
        weight,
        code,
        what,
        split.place,
        printed=printed,
        computed=tuple(" + ".join(map(str, one)) for one in shown),
        parts=split.parts,
        figures=figures,
        ways=len(sizes),
        solution=_told(solved, solved.solutions[0]) if code == "checker.split-found" else (),
    )


def _told(solved: SolvedSplit, solution: Solution) -> tuple[Message, ...]:
    """Say the one solution, arm by arm."""
    told = []
    for name, arm, shares in zip(solved.split.parts, solution.arms, solved.shares, strict=True):
        (counts,) = arm.counts
        found = dict(zip((share.name for share in shares), counts, strict=True))
        fractions = tuple(
            f"{share.name} {found[share.name]}/{found[share.of] if share.of else arm.size}" for share in shares
        )
        told.append(info("checker.arm-found", group=name, size=arm.size, shares=fractions))
    return tuple(told)


def _sizes(counts: Counts, split: Split) -> Iterator[Finding]:
    """Sizes that are printed: do they add up?"""
    whole = counts.published.group(split.whole)
    parts = [counts.published.group(name) for name in split.parts]
    sizes = [part.sizes.get(split.size) for part in parts if part is not None]
    if whole is None or split.size not in whole.sizes or None in sizes or len(sizes) != len(split.parts):
        return
    known = [size for size in sizes if size is not None]
    agrees = sum(known) == whole.sizes[split.size]
    yield make(
        Weight.PASSED if agrees else Weight.INCONSISTENT,
        "checker.sizes-add-up" if agrees else "checker.sizes-do-not-add-up",
        subject(split.whole, split.size),
        split.place,
        printed=str(whole.sizes[split.size]),
        computed=(str(sum(known)),),
        parts=tuple(map(str, known)),
    )


def _by_means(counts: Counts, split: Split) -> Iterator[Finding]:
    """Sizes that only the printed means tell: do they add up to the printed whole?"""
    whole = counts.published.group(split.whole)
    found = [sizes_from_means(counts.published, name) for name in split.parts]
    only = [sizes[0] for sizes in found if len(sizes) == 1]
    if whole is None or split.size not in whole.sizes or len(only) != len(split.parts):
        return
    if sum(only) != whole.sizes[split.size]:
        yield make(
            Weight.INCONSISTENT,
            "checker.means-do-not-add-up",
            subject(split.whole, split.size),
            split.place,
            printed=str(whole.sizes[split.size]),
            computed=(str(sum(only)),),
            parts=tuple(f"{name} {size}" for name, size in zip(split.parts, only, strict=True)),
        )


def _counts(counts: Counts, split: Split) -> Iterator[Finding]:
    """Counts of one outcome in the parts and in the whole."""
    for one in counts.published.proportions:
        if one.group != split.whole or one.count is None:
            continue
        found = [counts.published.find(name, one.outcome, one.time) for name in split.parts]
        known = [parts[0].count for parts in found if parts and parts[0].count is not None]
        if len(known) == len(split.parts) and sum(known) != one.count:
            yield make(
                Weight.INCONSISTENT,
                "checker.groups-do-not-add-up",
                subject(one.group, one.outcome, one.time),
                one.place,
                printed=str(one.count),
                computed=(str(sum(known)),),
                parts=tuple(map(str, known)),
            )
