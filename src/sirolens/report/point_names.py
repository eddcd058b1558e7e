# SPDX-License-Identifier: Apache-2.0
"""Names beside points of a scatter plot: put where they cover nothing, or left out and counted."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from sirolens.report.drawing import COLOUR
from sirolens.report.sheet import Word, width_of

__all__ = ["placed_names"]

SIZE, HEIGHT, WIDEST = 10.0, 12.0, 170.0
SAME_PLACE = 2.0  # pixels
YEAR = re.compile(r"[ ,]*[12][0-9]{3}[a-z]?$")  # two long names often differ in it alone
_Corner = tuple[float, float, float, float]


def _meet(one: _Corner, other: _Corner) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _within(one: _Corner, room: _Corner) -> bool:
    return room[0] <= one[0] and one[2] <= room[2] and room[1] <= one[1] and one[3] <= room[3]


def _gap(corner: _Corner, point: tuple[float, float]) -> float:
    """How far a point is from a field."""
    left, top, right, foot = corner
    x, y = point
    return math.hypot(max(left - x, x - right, 0.0), max(top - y, y - foot, 0.0))


def _is_its_own(corner: _Corner, index: int, points: Sequence[tuple[float, float]]) -> bool:
    """A name is read as that of the nearest point; points at one place share theirs."""
    own = points[index]
    away = _gap(corner, own)
    return all(
        _gap(corner, other) > away or math.dist(own, other) < SAME_PLACE
        for place, other in enumerate(points)
        if place != index
    )


def _along(line: Sequence[tuple[float, float]]) -> list[_Corner]:
    """Small fields that cover a line."""
    found: list[_Corner] = []
    for (x, y), (x2, y2) in pairwise(line):
        steps = max(int(max(abs(x2 - x), abs(y2 - y)) / 3), 1)
        for step in range(steps + 1):
            at, down = x + (x2 - x) * step / steps, y + (y2 - y) * step / steps
            found.append((at - 1.5, down - 1.5, at + 1.5, down + 1.5))
    return found


def _short(name: str) -> str:
    """Cut a name that would cross half the plot before its year; tables and forest plots carry it whole."""
    if width_of(name, SIZE) <= WIDEST:
        return name
    year = YEAR.search(name)
    end = f" {year[0].strip()}" if year else ""
    head = name.removesuffix(year[0]) if year else name
    while width_of(f"{head}…{end}", SIZE) > WIDEST:
        head = head[:-1].rstrip()
    return f"{head}…{end}"


def placed_names(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    room: tuple[float, float, float, float],
    *,
    radii: Sequence[float],
    most: int = 40,
    lines: Sequence[Sequence[tuple[float, float]]] = (),
    needed: Sequence[bool] = (),
    away_from: float | None = None,
) -> tuple[list[Word], list[int]]:
    """Place names beside their points, the first ones first, and none as near to another point as to its own.

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
    lines : sequence of lines through points (x, y)
        Crossed only where there is no other place.
    needed : sequence of bool, optional
        Which names may cross a line; the others are left out rather. All of them when not given.
    away_from : float, optional
        An x: names left of it stand left of their points.

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
    crossed = [corner for line in lines for corner in _along(line)]
    words: list[Word] = []
    left_out: list[int] = []
    for index, ((x, y), name, r) in enumerate(zip(points, names, radii, strict=True)):
        text = _short(name)
        wide = width_of(text, SIZE)
        tries = [
            (x + r + 3, y),
            (x - r - 3 - wide, y),
            (x - wide / 2, y - r - 8),
            (x - wide / 2, y + r + 8),
            (x + r, y - r - 5),
            (x + r, y + r + 5),
            (x - r - wide, y - r - 5),
            (x - r - wide, y + r + 5),
            (x + r, y - r - 10),
            (x + r, y + r + 10),
            (x - r - wide, y - r - 10),
            (x - r - wide, y + r + 10),
        ]
        if away_from is not None and x < away_from:
            tries[:2] = [tries[1], tries[0]]
        corners = [(left, middle - HEIGHT / 2, left + wide, middle + HEIGHT / 2) for left, middle in tries]
        free = [one for one in corners if _within(one, room) and not any(_meet(one, other) for other in taken)]
        free = [one for one in free if _is_its_own(one, index, points)]
        clear = [one for one in free if not any(_meet(one, other) for other in crossed)]
        allowed = free if not needed or needed[index] else clear
        if not allowed or len(words) >= most:
            left_out.append(index)
            continue
        chosen = (clear or allowed)[0]
        words.append(Word(text=text, x=chosen[0], y=chosen[1] + HEIGHT / 2, size=SIZE, colour=COLOUR["ink"]))
        taken.append(chosen)
    return words, left_out
