# SPDX-License-Identifier: Apache-2.0
"""How the width of a page is shared among the columns of a table, and how small its text must be to fit.

Numbers and intervals are never broken, words only at spaces, Chinese text not below a few characters a line. What is
left after that goes to the columns whose text is longest. PDF and Word take their widths from here; a browser does the
same by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sirolens.report.drawing import text_width

__all__ = ["column_widths"]

FEWEST_SQUARES = 5.0  # Chinese characters on the narrowest line
LONGEST_WORD = 9.0  # a word of Latin letters up to this width runs over no other column
WIDEST_SQUARES = 22.0  # what a column may ask for
ROOM_FOR_TEXT = 0.4  # of what the columns of text would like; below it, text gets smaller
READABLE, SMALLEST = 0.85, 0.72  # of the usual size of text: for comfort, and where numbers would break
HEAD_LINES = 2.5  # a head takes two lines, or three short ones
BOLD = 1.06  # heads and marked rows are wider


def _longest(texts: list[str], size_mm: float) -> float:
    return max((text_width(text, size_mm) for text in texts), default=0.0)


def _asked(block: Mapping[str, Any], index: int, size_mm: float) -> tuple[float, float]:
    """Least and wanted width of one column."""
    head = block["heads"][index]
    cells = [row["cells"][index] for row in block["rows"]]
    head_words = [*head["text"].split(), head["unit"]]
    least_head = min(_longest(head_words, size_mm), 1.2 * FEWEST_SQUARES * size_mm)
    least_head = max(least_head, text_width(head["text"], size_mm) / HEAD_LINES)
    if block["numeric"][index]:
        least = _longest(cells, size_mm)
        return BOLD * max(least, least_head), BOLD * max(least, least_head)
    words = [word for cell in cells for word in cell.split()]
    whole = [word for word in words if word.isascii() and word.isalpha()]  # it cannot be broken as Chinese text can
    least = max(min(_longest(words, size_mm), FEWEST_SQUARES * size_mm), least_head)
    least = max(least, min(_longest(whole, size_mm), LONGEST_WORD * size_mm))
    wanted = min(_longest(cells, size_mm), WIDEST_SQUARES * size_mm)
    return BOLD * least, BOLD * max(wanted, least)


def column_widths(
    block: Mapping[str, Any], *, total_mm: float, size_mm: float, padding_mm: float
) -> tuple[list[float], float]:
    """Share a width among the columns of a worded table.

    Parameters
    ----------
    block : mapping
        The table as `sirolens.report.worded` tells it.
    total_mm : float
        The width there is.
    size_mm : float
        The usual size of its text.
    padding_mm : float
        Left and right of every cell together.

    Returns
    -------
    list of float, float
        The width of each column in mm, summing to the total, and the factor to make the text smaller by.

    Examples
    --------
    >>> heads = [{"text": "Regimen", "unit": ""}, {"text": "Trough", "unit": "ng/mL"}]
    >>> rows = [{"cells": ["2 mg daily", "8.6 (5.2-13.4)"], "marked": False}]
    >>> table = {"heads": heads, "rows": rows, "numeric": [False, True]}
    >>> widths, scale = column_widths(table, total_mm=100.0, size_mm=3.0, padding_mm=3.0)
    >>> round(sum(widths), 6), scale
    (100.0, 1.0)
    """
    count = len(block["heads"])
    scale = 1.0
    while True:
        asked = [_asked(block, index, scale * size_mm) for index in range(count)]
        least = [low + padding_mm for low, _ in asked]
        wishes = [high - low for low, high in asked]
        roomy = sum(least) + ROOM_FOR_TEXT * sum(wishes) <= total_mm
        if roomy or scale <= SMALLEST or (sum(least) <= total_mm and scale <= READABLE):
            break
        scale = max(SMALLEST, scale - 0.04)
    free = total_mm - sum(least)
    if free <= 0:
        return [total_mm * one / sum(least) for one in least], scale
    if sum(wishes) >= free:
        return [one + free * wish / sum(wishes) for one, wish in zip(least, wishes, strict=True)], scale
    natural = [one + wish for one, wish in zip(least, wishes, strict=True)]
    return [total_mm * one / sum(natural) for one in natural], scale
