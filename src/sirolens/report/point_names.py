# SPDX-License-Identifier: Apache-2.0
"""Names beside points of a scatter plot: put where they cover nothing, or left out and counted."""

from __future__ import annotations

from collections.abc import Sequence

from sirolens.report.drawing import COLOUR
from sirolens.report.sheet import Word, width_of

__all__ = ["placed_names"]

SIZE, HEIGHT = 10.0, 12.0
_Corner = tuple[float, float, float, float]


def _meet(one: _Corner, other: _Corner) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def placed_names(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    room: tuple[float, float, float, float],
    *,
    radii: Sequence[float],
    most: int = 40,
) -> tuple[list[Word], list[int]]:
    """Place names beside their points, the first ones first.

    Parameters
    ----------
    points : sequence of (x, y)
        In pixels.
    names : sequence of str
        In the order in which they matter.
    room : (left, top, right, foot)
        Where they may stand.
    radii : sequence of float
        Of the points' marks.
    most : int
        No more names than these.

    Returns
    -------
    words : list of Word
    left_out : list of int
        Whose name found no place.

    Examples
    --------
    >>> words, left = placed_names([(50, 50), (50, 50)], ["A", "B"], (0, 0, 100, 100), radii=[4, 4])
    >>> len(words), left
    (2, [])
    """
    taken: list[_Corner] = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)]
    words: list[Word] = []
    left_out: list[int] = []
    for index, ((x, y), name, r) in enumerate(zip(points, names, radii, strict=True)):
        wide = width_of(name, SIZE)
        tries = (
            (x + r + 3, y),
            (x - r - 3 - wide, y),
            (x - wide / 2, y - r - 8),
            (x - wide / 2, y + r + 8),
            (x + r, y - r - 5),
            (x + r, y + r + 5),
            (x - r - wide, y - r - 5),
            (x - r - wide, y + r + 5),
        )
        for left, middle in tries:
            corner = (left, middle - HEIGHT / 2, left + wide, middle + HEIGHT / 2)
            inside = room[0] <= corner[0] and corner[2] <= room[2] and room[1] <= corner[1] and corner[3] <= room[3]
            if len(words) < most and inside and not any(_meet(corner, other) for other in taken):
                words.append(Word(text=name, x=left, y=middle, size=SIZE, colour=COLOUR["ink"]))
                taken.append(corner)
                break
        else:
            left_out.append(index)
    return words, left_out
