# SPDX-License-Identifier: Apache-2.0
"""What a check finds: one printed figure, what it comes to, what would fit, and how much it weighs.

A finding is arithmetic about figures. It never says why they differ: a slip of the typesetter, another denominator
and another rounding look alike from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import final

from sirolens.engine.statistics.integer_search import counts_that_fit
from sirolens.engine.statistics.printed import Printed, percent_text
from sirolens.message import Message, Place, Severity, Value
from sirolens.study.checker.published import Proportion

__all__ = ["Finding", "Fit", "Weight", "fits_of", "make", "subject", "what_of"]

MORE_DECIMALS = 2  # a computed value is shown with so many decimals more than the printed one


class Weight(StrEnum):
    """What a finding means, heaviest first."""

    IMPOSSIBLE = "impossible"  # no whole numbers give what is printed
    INCONSISTENT = "inconsistent"  # two printed figures cannot both be right as they are said
    EXPLAINED = "explained"  # not what is said, but an ordinary reason gives exactly it: cut off, sum of rounded parts
    NOTE = "note"  # possible, and a reader should know
    PASSED = "passed"  # looked at, and it fits

    @property
    def severity(self) -> Severity:
        """How a report shows it.

        >>> Weight.PASSED.severity.value
        'checked'
        """
        if self in (Weight.IMPOSSIBLE, Weight.INCONSISTENT):
            return Severity.WARNING
        return Severity.CHECKED if self is Weight.PASSED else Severity.INFO


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whole numbers that give a printed percentage.

    Parameters
    ----------
    count, of : int
        k and n.
    name : str
        What n counts; empty where it is the printed denominator.
    how : {"rounded", "cut"}
        Rounded, or further digits cut off.
    percent : str
        k of n, with two decimals more than printed.
    """

    count: int
    of: int
    name: str = ""
    how: str = "rounded"
    percent: str

    def message(self) -> Message:
        """Say it."""
        named = "-named" if self.name else ""
        values: tuple[tuple[str, Value], ...] = (
            ("computed", self.percent),
            ("count", self.count),
            ("denominator", self.name),
            ("of", self.of),
        )
        return Message(code=f"checker.fit-{self.how}{named}", severity=Severity.INFO, items=values)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found.

    Parameters
    ----------
    weight : Weight
        How much it weighs.
    message : Message
        What it says; its place is the line of the file.
    subject : str
        Which figure: group, outcome and time.
    printed : str
        As printed.
    computed : tuple of str
        What it comes to.
    fits : tuple of Fit
        Whole numbers that would give it.
    """

    weight: Weight
    message: Message
    subject: str
    printed: str
    computed: tuple[str, ...] = ()
    fits: tuple[Fit, ...] = ()

    @property
    def code(self) -> str:
        """The message's code."""
        return self.message.code

    @property
    def line(self) -> int:
        """The line of the file the figure stands on; 0 where it has none."""
        return (self.message.place.line if self.message.place is not None else None) or 0


def subject(*parts: str) -> str:
    """Name a figure by what is known of it.

    >>> subject("all", "complete response", "")
    'all, complete response'
    """
    return ", ".join(part for part in parts if part)


def what_of(one: Proportion) -> str:
    """Name a share."""
    return subject(one.group, one.outcome, one.time)


def make(
    weight: Weight,
    code: str,
    what: str,
    place: Place,
    *,
    printed: str = "",
    computed: tuple[str, ...] = (),
    fits: tuple[Fit, ...] = (),
    **values: Value,
) -> Finding:
    """Make a finding; `what`, `printed`, `computed` and `fits` are values of its message too."""
    said: dict[str, Value] = {
        "what": what,
        "printed": printed,
        "computed": computed,
        "fits": tuple(fit.message() for fit in fits),
        **values,
    }
    message = Message(
        code=code, severity=weight.severity, items=tuple(sorted(said.items())), place=Place(line=place.line)
    )
    return Finding(weight=weight, message=message, subject=what, printed=printed, computed=computed, fits=fits)


def fits_of(percent: Printed, denominators: dict[str, int], *, cut: bool = False, most: int = 6) -> tuple[Fit, ...]:
    """Return the whole numbers that print a percentage, over several denominators, at most so many.

    >>> from sirolens.engine.statistics.printed import printed
    >>> [(fit.count, fit.of) for fit in fits_of(printed("70.5"), {"evaluable": 78, "enrolled": 86})]
    [(55, 78)]
    """
    decimals = percent.decimals + MORE_DECIMALS
    found = [
        Fit(count=k, of=n, name=name, how="cut" if cut else "rounded", percent=percent_text(k, n, decimals))
        for name, n in denominators.items()
        if n > 0
        for k in counts_that_fit(percent, n, cut=cut)[:most]
    ]
    return tuple(found[:most])
