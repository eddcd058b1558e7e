# SPDX-License-Identifier: Apache-2.0
"""Reading a number as somebody typed it, without ever guessing what a comma means.

A full stop is the decimal mark unless the file declares a comma. "1,234" is never read: it is 1234 to one reader and
1.234 to another. Full-width digits are read, with a flag. Chinese or circled numerals and fractions are refused.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from sirolens.errors import ChartError
from sirolens.message import Message, Place, error, info

__all__ = ["LONGEST_ECHO", "Number", "clip", "plain_width", "read_number"]

LONGEST_ECHO = 40  # signs of a faulty value that a message repeats

# Full-width ASCII and the ideographic space only: full NFKC would also make 10⁹ into 109 and ② into 2.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_TYPED = re.compile(
    r"(?P<relation><=|>=|<|>|≤|≥)?\s*(?P<sign>[+-]?)(?P<digits>[0-9.,]*[0-9])(?P<power>[eE][+-]?[0-9]+)?"
    r"(?:\s*(?P<unit>[A-Za-zµμ%/×\[{\u3380-\u33ff\u4e00-\u9fff][^\s_]*))?"
)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")


class Number(NamedTuple):
    """A number as typed.

    Parameters
    ----------
    value : float
        The number.
    relation : str
        ``"<"``, ``">"`` or nothing.
    unit : str
        What followed it, such as ``"ng/mL"``; may be empty.
    """

    value: float
    relation: str = ""
    unit: str = ""


def plain_width(text: str) -> str:
    """Replace full-width letters, digits and signs by plain ones.

    >>> plain_width("７．５ｍｇ"), plain_width("10⁹")
    ('7.5mg', '10⁹')
    """
    return text.translate(_PLAIN).strip()


def clip(text: str) -> str:
    """Shorten a faulty value for a message.

    >>> clip("x" * 50)[-3:]
    'xx…'
    """
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[: LONGEST_ECHO + 1])
    return shown if len(shown) <= LONGEST_ECHO else shown[:LONGEST_ECHO] + "…"


def read_number(
    text: str, *, decimal_mark: str = ".", place: Place | None = None
) -> tuple[Number, tuple[Message, ...]]:
    """Read a typed number.

    Parameters
    ----------
    text : str
        What was typed.
    decimal_mark : {".", ","}
        The mark the file declares.
    place : Place, optional
        Where it stands.

    Returns
    -------
    number : Number
    flags : tuple of Message
        What was read with care: full-width digits, a missing zero before the mark.

    Raises
    ------
    ChartError
        ``chart.not-a-number``, ``chart.decimal-comma``, ``chart.decimal-mark`` or ``chart.thousands``.

    Examples
    --------
    >>> read_number("<0.5 ng/mL")[0]
    Number(value=0.5, relation='<', unit='ng/mL')
    >>> read_number("7,5", decimal_mark=",")[0].value
    7.5
    """
    plain = plain_width(text)
    match = _TYPED.fullmatch(plain)
    if match is None:
        raise ChartError(error("chart.not-a-number", place=place, value=clip(text)))
    digits = match["digits"]
    other = "," if decimal_mark == "." else "."
    marks = digits.count(".") + digits.count(",")
    grouped = _GROUPED.fullmatch(digits) is not None
    if marks > 1 or (grouped and ("," in digits or decimal_mark == ",")):
        raise ChartError(error("chart.thousands", place=place, value=clip(text)))
    if other in digits:
        if other == ",":
            raise ChartError(error("chart.decimal-comma", place=place, value=clip(text)))
        raise ChartError(error("chart.decimal-mark", place=place, value=clip(text), expected=decimal_mark))
    number = float(f"{match['sign']}{digits.replace(',', '.')}{match['power'] or ''}")
    if not math.isfinite(number):
        raise ChartError(error("chart.not-a-number", place=place, value=clip(text)))
    relation = {"<": "<", "<=": "<", "≤": "<", ">": ">", ">=": ">", "≥": ">"}.get(match["relation"] or "", "")
    flags = []
    if not text.isascii() and text.translate(_PLAIN) != text:
        flags.append(info("chart.full-width", place=place, value=clip(text), read_as=clip(plain)))
    if digits[0] in ".,":
        flags.append(info("chart.naked-decimal", place=place, value=clip(text), read_as=f"{number:.6g}"))
    return Number(number, relation, match["unit"] or ""), tuple(flags)
