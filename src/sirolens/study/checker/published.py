# SPDX-License-Identifier: Apache-2.0
"""What a paper prints, as data: groups and their sizes, shares, sums, splits, means and P values, each as printed.

Nothing here is computed. `sirolens.study.checker.published_file` reads it from TOML; `sirolens.study.checker.check`
asks whether the figures can stand beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from sirolens.engine.statistics.printed import Printed, PrintedP
from sirolens.message import Place
from sirolens.source import Mark, Source

__all__ = [
    "INTERVAL_METHODS",
    "TESTS",
    "Comparison",
    "Group",
    "Mean",
    "PairedTest",
    "Partition",
    "Proportion",
    "Published",
    "Split",
]

TESTS = ("chi-square", "chi-square-uncorrected", "chi-square-corrected", "fisher", "mid-p", "likelihood-ratio")
"""Tests a paper may name for a table of counts; ``"chi-square"`` alone leaves the continuity correction open."""

INTERVAL_METHODS = ("clopper-pearson", "wilson", "wald", "agresti-coull", "jeffreys")
"""Methods a paper may name for the interval of a share."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of patients: all of them, an arm, a subgroup.

    Parameters
    ----------
    name : str
        As the paper calls it.
    sizes : mapping of str to int
        How many it has, by what is counted: ``{"enrolled": 86, "evaluable at 6 months": 78}``.
    place : Place
        Where it stands in the file.
    """

    name: str
    sizes: Mapping[str, int]
    place: Place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share as printed: any of count, denominator, percentage and interval.

    Parameters
    ----------
    group, outcome, time : str
        Whose, what and when; the time may be empty.
    count, of : int, optional
        As printed.
    percent : Printed, optional
        As printed.
    among : str
        What the denominator is said to be: one of the group's sizes, or an outcome whose count it is; may be empty.
    sum_of : tuple of str
        Outcomes of the same group and time that add up to this one.
    part_of : str
        An outcome of the same group that everybody counted here has too.
    interval : tuple of Printed, optional
        Its confidence interval, in percent.
    level_percent : float
        Confidence level of the interval.
    method : str
        Method named for the interval, one of `INTERVAL_METHODS`, or empty.
    mark : Mark
        How surely it is known.
    quote : str
        The words it was read from.
    place : Place
        Where it stands in the file.
    """

    group: str
    outcome: str
    time: str = ""
    count: int | None = None
    of: int | None = None
    percent: Printed | None = None
    among: str = ""
    sum_of: tuple[str, ...] = ()
    part_of: str = ""
    interval: tuple[Printed, Printed] | None = None
    level_percent: float = 95.0
    method: str = ""
    mark: Mark = Mark.SEEN
    quote: str = ""
    place: Place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A P value printed for one outcome in two or more groups; `test` is the one named, or empty."""

    outcome: str
    groups: tuple[str, ...]
    p: PrintedP
    time: str = ""
    test: str = ""
    mark: Mark = Mark.SEEN
    quote: str = ""
    place: Place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """A P value printed for a change within n patients, by Wilcoxon's signed-rank test or an unnamed one."""

    what: str
    n: int
    p: PrintedP
    time: str = ""
    mark: Mark = Mark.SEEN
    quote: str = ""
    place: Place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean, and perhaps a standard deviation, of values that are whole multiples of a step.

    Parameters
    ----------
    group, quantity, time : str
        Whose, of what and when.
    mean : Printed
        As printed.
    sd : Printed, optional
        As printed.
    sizes : range
        How many values: one number where it is printed, more where it is not.
    step : Fraction
        What the values are multiples of, in the unit of the mean: 1 for a count, 1000 for platelets per uL counted in
        10^9/L.
    mark, quote, place
        As in `Proportion`.
    """

    group: str
    quantity: str
    time: str = ""
    mean: Printed
    sd: Printed | None = None
    sizes: range
    step: Fraction = Fraction(1)
    mark: Mark = Mark.SEEN
    quote: str = ""
    place: Place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Groups that together are a larger one, with no patient in two of them; `size` names what is counted."""

    whole: str
    parts: tuple[str, ...]
    size: str
    place: Place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Outcomes of one group and time of which every patient has exactly one, such as CR, PR and no response."""

    group: str
    time: str = ""
    outcomes: tuple[str, ...]
    place: Place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A paper's figures.

    Parameters
    ----------
    title : str
        What the file is called in reports.
    source : Source
        The paper.
    note : str
        What was read and what was not.
    groups, proportions, comparisons, paired_tests, means, splits, partitions : tuple
        The figures, each kind in the order of the file.
    file : str
        Name of the file.
    """

    title: str
    source: Source
    note: str = ""
    groups: tuple[Group, ...] = ()
    proportions: tuple[Proportion, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    paired_tests: tuple[PairedTest, ...] = ()
    means: tuple[Mean, ...] = ()
    splits: tuple[Split, ...] = ()
    partitions: tuple[Partition, ...] = ()
    file: str = ""

    def group(self, name: str) -> Group | None:
        """Return a group by its name."""
        return next((group for group in self.groups if group.name == name), None)

    def find(self, group: str, outcome: str, time: str | None = None) -> tuple[Proportion, ...]:
        """Return what is printed for an outcome of a group, at a time or at any."""
        return tuple(
            one
            for one in self.proportions
            if one.group == group and one.outcome == outcome and (time is None or one.time == time)
        )
