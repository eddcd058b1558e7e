# SPDX-License-Identifier: Apache-2.0
"""Works out the whole numbers behind printed shares where only one answer fits: sizes of arms, counts, denominators.

A size or count taken from here was searched, not guessed: it is used only where all others are ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import final

from sirolens.engine.statistics.integer_search import Share, Solution, counts_that_fit, solve_split
from sirolens.study.checker.findings import subject
from sirolens.study.checker.published import Proportion, Published, Split

__all__ = ["Counts", "SolvedSplit", "work_out"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedSplit:
    """A split with the ways it can be filled; `solutions` is None where it was not searched."""

    split: Split
    whole: int
    shares: tuple[tuple[Share, ...], ...]
    solutions: tuple[Solution, ...] | None

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """Every set of sizes that fits, once."""
        return tuple(dict.fromkeys(tuple(arm.size for arm in one.arms) for one in self.solutions or ()))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was worked out.

    Parameters
    ----------
    published : Published
        The figures, with denominators and sizes put in where only one fits.
    splits : tuple of SolvedSplit
        Every split that was searched.
    moved : tuple of (Proportion, Proportion)
        Shares larger than the outcome they are part of, so that they must be of that outcome; with that outcome.
    """

    published: Published
    splits: tuple[SolvedSplit, ...] = ()
    moved: tuple[tuple[Proportion, Proportion], ...] = ()

    def denominators(self, one: Proportion, within: tuple[Proportion, ...] = ()) -> dict[str, int]:
        """Return the denominators a share may have, by name: the printed one, the one it is said to be of, or all.

        `within` holds the shares on the way here: outcomes said to be of each other have no denominator.
        """
        if one in within:
            return {}
        if one.of is not None:
            return {"": one.of}
        group = self.published.group(one.group)
        sizes = dict(group.sizes) if group is not None else {}
        if not one.among:
            told = {part.of for part in self.parts(one)}
            shared = told.pop() if len(told) == 1 else None
            return self._open(one, sizes) if shared is None else {"": shared}
        if one.among in sizes:
            return {one.among: sizes[one.among]}
        counted = self.pair(self._parent(one, one.among), (*within, one))
        return {} if counted is None or counted[0] == 0 else {one.among: counted[0]}

    def _open(self, one: Proportion, sizes: dict[str, int]) -> dict[str, int]:
        """Return the sizes of the group, and the denominators printed for the same outcome at other times."""
        if one.count is not None:
            return sizes
        for other in self.published.find(one.group, one.outcome):
            denominators = {other.of, *(part.of for part in self.parts(other))} - {None}
            for n in denominators:
                if n is not None and n not in sizes.values():
                    sizes[other.time or other.outcome] = n
        return sizes

    def _parent(self, one: Proportion, outcome: str) -> Proportion | None:
        found = self.published.find(one.group, outcome, one.time) or self.published.find(one.group, outcome)
        return found[0] if found and found[0] is not one else None

    def parent(self, one: Proportion) -> Proportion | None:
        """Return the share of the outcome this one is part of, at its own time or where no times are told."""
        if not one.part_of:
            return None
        found = self._parent(one, one.part_of)
        return found if found is not None and (not found.time or not one.time or found.time == one.time) else None

    def pair(self, one: Proportion | None, within: tuple[Proportion, ...] = ()) -> tuple[int, int] | None:
        """Return count and denominator of a share where only one pair fits.

        A count comes from the print, from the sum of its parts, or from the percentage.
        """
        if one is None:
            return None
        pairs = self.pairs(one, within)
        return pairs[0] if len(pairs) == 1 else None

    def pairs(self, one: Proportion, within: tuple[Proportion, ...] = ()) -> tuple[tuple[int, int], ...]:
        """Return every count and denominator a share may have."""
        denominators = set(self.denominators(one, within).values())
        count = one.count if one.count is not None else self.sum_of_parts(one)
        if count is not None:
            ways = [n for n in denominators if n >= count]
            if len(ways) > 1 and one.percent is not None:
                ways = [n for n in ways if count in counts_that_fit(one.percent, n)] or ways
            return tuple((count, n) for n in sorted(ways))
        if one.percent is None:
            return ()
        return tuple((k, n) for n in sorted(denominators) if n > 0 for k in counts_that_fit(one.percent, n))

    def sum_of_parts(self, one: Proportion) -> int | None:
        """Return the sum of the counts of a share's parts where all of them are printed."""
        parts = self.parts(one)
        counts = [part.count for part in parts if part.count is not None]
        return sum(counts) if parts and len(counts) == len(one.sum_of) else None

    def parts(self, one: Proportion) -> tuple[Proportion, ...]:
        """Return the shares that add up to this one, at its time."""
        found = (self.published.find(one.group, outcome, one.time) for outcome in one.sum_of)
        return tuple(parts[0] for parts in found if parts)


def work_out(published: Published) -> Counts:
    """Work out sizes, denominators and counts.

    Parameters
    ----------
    published : Published
        As printed.

    Returns
    -------
    Counts
        What only one answer fits.
    """
    published, moved = _moved(published)
    solved = []
    for split in published.splits:
        one = _solved(published, split)
        if one is not None:
            solved.append(one)
            if len(one.sizes) == 1:
                published = _with_sizes(published, split, one.sizes[0])
    return Counts(published=published, splits=tuple(solved), moved=moved)


def _moved(published: Published) -> tuple[Published, tuple[tuple[Proportion, Proportion], ...]]:
    """Give shares that are larger than what they are part of that outcome as denominator, in every group alike."""
    counts = Counts(published=published)
    moved = []
    for one in published.proportions:
        parent = counts.parent(one)
        if parent is None or one.among or one.of is not None or one.percent is None or parent.percent is None:
            continue
        if one.percent.value - one.percent.half_step > parent.percent.value + parent.percent.half_step:
            moved.append((one, parent))
    alike = {(one.outcome, one.time) for one, _ in moved}
    proportions = tuple(
        replace(one, among=one.part_of)
        if (one.outcome, one.time) in alike and one.part_of and not one.among and one.of is None
        else one
        for one in published.proportions
    )
    return replace(published, proportions=proportions), tuple(moved)


def _solved(published: Published, split: Split) -> SolvedSplit | None:
    """Search the sizes of a split's parts, where the whole is known and a part is not, or every size is."""
    whole = published.group(split.whole)
    if whole is None or split.size not in whole.sizes:
        return None
    parts = [group for name in split.parts if (group := published.group(name)) is not None]
    shares = tuple(_shares(published, part.name, split.size) for part in parts)
    if len(parts) != len(split.parts) or not any(shares):
        return None
    sizes = [part.sizes.get(split.size) for part in parts]
    total = whole.sizes[split.size]
    if all(size is not None for size in sizes):
        return None
    return SolvedSplit(split=split, whole=total, shares=shares, solutions=solve_split(total, shares, sizes))


def _shares(published: Published, group: str, size: str) -> tuple[Share, ...]:
    """Return the percentages of a part that say something of its size: of the size itself, then of its outcomes."""
    own = [one for one in published.proportions if one.group == group and one.percent is not None and one.of is None]
    direct = [one for one in own if one.among in ("", size)]
    names = [one.outcome for one in direct]
    nested = [one for one in own if one.among in names]
    upon = {one.outcome: _key(one) for one in reversed(direct)} | {_key(one): _key(one) for one in direct}
    return tuple(_share(one, "") for one in direct) + tuple(
        _share(one, upon.get(subject(one.among, one.time), upon[one.among])) for one in nested
    )


def _key(one: Proportion) -> str:
    return subject(one.outcome, one.time)


def _share(one: Proportion, of: str) -> Share:
    assert one.percent is not None
    return Share(name=_key(one), percent=one.percent, of=of, count=one.count)


def _with_sizes(published: Published, split: Split, sizes: Iterable[int]) -> Published:
    found = dict(zip(split.parts, sizes, strict=True))
    groups = tuple(
        replace(group, sizes={**group.sizes, split.size: found[group.name]}) if group.name in found else group
        for group in published.groups
    )
    return replace(published, groups=groups)
