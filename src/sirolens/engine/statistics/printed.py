# SPDX-License-Identifier: Apache-2.0
"""Numbers exactly as a paper prints them: the text, its value and its decimals, which tell what it was rounded from.

"60" and "60.0" are the same number and not the same statement: the first may stand for 59.6, the second may not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import final

__all__ = ["Printed", "PrintedP", "percent_text", "plain_text", "printed", "printed_p"]

_NUMBER = re.compile(r"([+-]?\d{1,12})(?:[.·](\d{1,9}))?")
_P = re.compile(r"(?:[pP]\s*)?(<=|>=|≤|≥|<|>|=)?\s*(0?[.·]\d{1,9}|[01](?:[.·]\d{1,9})?)")
_RELATIONS = {"≤": "<=", "≥": ">=", "": "="}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A number as printed.

    Parameters
    ----------
    text : str
        As printed, without a percent sign.
    scaled : int
        Its digits without the point: 705 for "70.5".
    decimals : int
        Digits after the point.

    Examples
    --------
    >>> printed("70.5"), printed("70.5").value
    (Printed(text='70.5', scaled=705, decimals=1), Fraction(141, 2))
    """

    text: str
    scaled: int
    decimals: int

    @property
    def value(self) -> Fraction:
        """The number."""
        return Fraction(self.scaled, 10**self.decimals)

    @property
    def half_step(self) -> Fraction:
        """Half a unit of the last printed digit: how far rounding can move a number."""
        return Fraction(1, 2 * 10**self.decimals)

    def rounds_from(self, exact: Fraction) -> bool:
        """Whether a number, rounded to these decimals, prints this: a tie may go either way."""
        return abs(exact - self.value) <= self.half_step

    def cut_from(self, exact: Fraction) -> bool:
        """Whether a number prints this when its further digits are cut off."""
        if exact < 0:
            return self.value - 2 * self.half_step < exact <= self.value
        return self.value <= exact < self.value + 2 * self.half_step


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedP:
    """A P value as printed.

    Parameters
    ----------
    text : str
        As printed, without the letter P.
    relation : {"=", "<", "<=", ">", ">="}
        What stands before the number.
    number : Printed
        The number.
    """

    text: str
    relation: str
    number: Printed

    def holds_for(self, p: float) -> bool:
        """Whether a computed P value could have been printed so.

        >>> printed_p("<0.05").holds_for(0.037), printed_p("0.70").holds_for(0.6957)
        (True, True)
        """
        if self.relation == "=":
            return self.number.rounds_from(Fraction(p))
        limit = float(self.number.value)
        return {"<": p < limit, "<=": p <= limit, ">": p > limit, ">=": p >= limit}[self.relation]

    def distance(self, p: float) -> float:
        """Return how far a computed P value lies from what is printed: 0 when it agrees."""
        return 0.0 if self.holds_for(p) else abs(p - float(self.number.value))


def printed(text: str) -> Printed | None:
    """Read a printed number; None when it is none.

    >>> printed("60·5 %").decimals, printed("about 60")
    (1, None)
    """
    bare = text.strip().rstrip("%％").strip().replace("\N{MINUS SIGN}", "-")
    found = _NUMBER.fullmatch(bare)
    if found is None:
        return None
    whole, decimals = found[1], found[2] or ""
    return Printed(text=bare.replace("·", "."), scaled=int(whole + decimals), decimals=len(decimals))


def printed_p(text: str) -> PrintedP | None:
    """Read a printed P value, such as ``"0.70"``, ``"<0.05"`` or ``"P = .016"``; None when it is none.

    >>> printed_p("P < .001").relation, printed_p("n.s.")
    ('<', None)
    """
    found = _P.fullmatch(text.strip())
    if found is None:
        return None
    digits = found[2].replace("·", ".")
    number = printed(digits if digits[0] != "." else f"0{digits}")
    if number is None or number.value > 1:
        return None
    relation = _RELATIONS.get(found[1] or "", found[1] or "")
    return PrintedP(text=number.text if relation == "=" else relation + number.text, relation=relation, number=number)


def plain_text(exact: Fraction, decimals: int) -> str:
    """Write a number with so many decimals, rounding half up away from zero.

    >>> plain_text(Fraction(1, 8), 2)
    '0.13'
    """
    scaled = abs(exact) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = "-" if exact < 0 and whole else ""
    return sign + format(Decimal(whole).scaleb(-decimals), "f")


def percent_text(count: int, of: int, decimals: int) -> str:
    """Write a share as a percentage with so many decimals.

    >>> percent_text(55, 78, 2)
    '70.51'
    """
    return plain_text(Fraction(100 * count, of), decimals)
