# SPDX-License-Identifier: Apache-2.0
"""Axes of effects: shares, ratios and differences at pixels, with ticks that readers know, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import final

from sirolens.report.drawing import COLOUR
from sirolens.report.sheet import Mark, Stroke, Word, width_of

__all__ = ["EffectScale", "Ruler", "axis_marks", "natural", "side_axis_marks", "ticks", "told_interval", "told_value"]

DIGITS = 4  # of a tick's number
TICK_SIZE = 11.0


class EffectScale(StrEnum):
    """What an effect is and how an axis holds it.

    `SHARE` is a share on its own scale, `LOGIT` a share whose axis is even in logits, `RATIO` a ratio whose axis is
    even in logarithms, `DIFFERENCE` anything even on its own scale.
    """

    SHARE = "share"
    LOGIT = "logit"
    RATIO = "ratio"
    DIFFERENCE = "difference"

    def place(self, value: float) -> float:
        """Put a value readers know on the even scale of the axis.

        >>> EffectScale.RATIO.place(1.0), EffectScale.LOGIT.place(0.5)
        (0.0, 0.0)
        """
        if not math.isfinite(value):
            return value
        if self is EffectScale.RATIO:
            return math.log(value) if value > 0 else -math.inf
        if self is EffectScale.LOGIT:
            return -math.inf if value <= 0 else math.inf if value >= 1 else math.log(value / (1 - value))
        return value


def natural(scale: EffectScale, place: float) -> float:
    """Return the value readers know of a place on the even scale.

    >>> natural(EffectScale.LOGIT, 0.0)
    0.5
    """
    if scale is EffectScale.RATIO:
        return math.exp(place)
    if scale is EffectScale.LOGIT:
        return 1.0 / (1.0 + math.exp(-place))
    return place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """A stretch of pixels with values on it; `start` may lie right of or below `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Return the pixel of a value of the even scale; what lies beyond an end stands at the end.

        >>> Ruler(low=0, high=1, start=100, stop=300).at(0.25)
        150.0
        """
        part = (value - self.low) / (self.high - self.low)
        return self.start + min(max(part, 0.0), 1.0) * (self.stop - self.start)


_DECADES = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)
_RATIOS = (
    tuple(decade * one for decade in _DECADES for one in (1, 1.5, 2, 3, 5, 7)),
    tuple(decade * one for decade in _DECADES for one in (1, 2, 5)),
    tuple(decade * one for decade in _DECADES for one in (1, 3)),
    _DECADES,
)
"""From fine to coarse; the finest whose ticks have room is used."""
_SHARES = (0.5, 0.1, 0.9, 0.01, 0.99, 0.2, 0.8, 0.05, 0.95, 0.3, 0.7, 0.001, 0.999, 0.4, 0.6, 0.02, 0.98)
_FINE = tuple(one / 100 for one in range(5, 100, 5)) + tuple(one / 100 for one in range(1, 100))


def ticks(scale: EffectScale, low: float, high: float, pixels: float, least: float = 38.0) -> list[float]:
    """Choose ticks, on the even scale, at least so many pixels apart.

    >>> ticks(EffectScale.SHARE, 0.0, 1.0, 300.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> [round(natural(EffectScale.RATIO, tick), 3) for tick in ticks(EffectScale.RATIO, -2.5, 2.5, 300.0)]
    [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    >>> ticks(EffectScale.DIFFERENCE, 2021.0, 2024.0, 400.0)
    [2021.0, 2022.0, 2023.0, 2024.0]
    """
    if not high > low:
        return [low]
    if scale is EffectScale.SHARE:
        return _even(low, high, most=max(int(pixels / least), 2), steps=(1.0, 2.0, 2.5, 5.0, 10.0))
    if scale is EffectScale.DIFFERENCE:
        even = _even(low, high, most=max(int(pixels / (1.25 * least)), 2))
        # A tick whose number would be rounded (half a year) would stand beside another with the same number.
        return [one for one in even if abs(float(f"{one:.{DIGITS}g}") - one) <= 1e-9 * max(abs(one), high - low)]
    gap = least * (high - low) / pixels
    if scale is EffectScale.RATIO:
        return _ratios(low, high, gap)
    kept = _apart([scale.place(one) for one in _SHARES], low, high, gap)
    return kept if len(kept) > 2 else _apart([scale.place(one) for one in _FINE], low, high, gap)


def _ratios(low: float, high: float, gap: float) -> list[float]:
    for wanted in _RATIOS:
        found = [place for one in wanted if low - 1e-9 <= (place := math.log(one)) <= high + 1e-9]
        if len(found) > 2 and min(after - one for one, after in pairwise(found)) >= 0.85 * gap:
            return found
    if high - low > 2.0:
        return _apart([math.log(one) for one in (1.0, *_RATIOS[1])], low, high, gap)
    return [math.log(one) for one in _even(math.exp(low), math.exp(high), most=5) if one > 0]


def _apart(places: Iterable[float], low: float, high: float, least: float) -> list[float]:
    kept: list[float] = []
    for place in places:
        if low - 1e-9 <= place <= high + 1e-9 and all(abs(place - other) >= least for other in kept):
            kept.append(place)
    return sorted(kept)


def _even(low: float, high: float, most: int, steps: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)) -> list[float]:
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * one for one in steps if size * one >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def _percent(share: float) -> str:
    percent = 100 * share
    if 0 < percent < 0.05 or 99.95 <= percent < 100:
        return "<0.1" if percent < 50 else ">99.9"  # rounded they would claim that it is nobody, or everybody
    if 0 < percent < 1 or 99 < percent < 100:
        return f"{percent:.1f}"
    return f"{percent:.0f}"


def told_value(scale: EffectScale, value: float) -> str:
    """Write a value as readers know it, without its sign of percent.

    >>> told_value(EffectScale.SHARE, 0.6), told_value(EffectScale.RATIO, 1.234), told_value(EffectScale.DIFFERENCE, -2)
    ('60', '1.23', '−2.00')
    >>> told_value(EffectScale.SHARE, 0.9999), told_value(EffectScale.SHARE, 0.004), told_value(EffectScale.SHARE, 1.0)
    ('>99.9', '0.4', '100')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "\N{MINUS SIGN}∞"
    if scale in (EffectScale.SHARE, EffectScale.LOGIT):
        return _percent(value)
    if scale is EffectScale.RATIO and 0 < value < 0.01:
        return f"{value:.1g}" if value >= 1e-4 else "<0.0001"
    return _signed(f"{value:.{_places(value)}f}")


def _places(*values: float) -> int:
    """Decimal places that the largest of some values needs."""
    size = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if 0 < size < 0.1:
        return 1 - math.floor(math.log10(size))
    return 2 if size < 10 else 1 if size < 100 else 0


def told_interval(scale: EffectScale, middle: float, low: float, high: float, language: str) -> str:
    r"""Write an estimate with its interval; shares with one sign of percent.

    >>> told_interval(EffectScale.SHARE, 0.6, 0.361, 0.809, "en")
    '60\xa0% (36–81)'
    >>> told_interval(EffectScale.DIFFERENCE, -2.0, -3.5, -0.5, "zh")
    '−2.00（−3.50\xa0至\xa0−0.50）'
    """
    share = scale in (EffectScale.SHARE, EffectScale.LOGIT)
    sign = ("%" if language == "zh" else "\u00a0%") if share else ""
    known = not (math.isnan(low) or math.isnan(high))
    if scale is EffectScale.DIFFERENCE:
        places = _places(middle, low, high)
        said = [
            _signed(f"{one:.{places}f}") if math.isfinite(one) else told_value(scale, one)
            for one in (middle, low, high)
        ]
    else:
        said = [told_value(scale, one) for one in (middle, low, high)]
    parts = said[1:]
    dash = ("\u00a0至\u00a0" if language == "zh" else "\u00a0to\u00a0") if scale is EffectScale.DIFFERENCE else "–"
    band = dash.join(parts) if known else "–"
    if math.isnan(middle):
        return f"{band}{sign}" if known else "–"
    return f"{said[0]}{sign}（{band}）" if language == "zh" else f"{said[0]}{sign} ({band})"


def _tick_word(scale: EffectScale, place: float, language: str) -> str:
    if scale in (EffectScale.SHARE, EffectScale.LOGIT):
        return f"{100 * natural(scale, place):.{DIGITS}g}" + ("%" if language == "zh" else "\u00a0%")
    return _signed(f"{natural(scale, place):.{DIGITS}g}")


def axis_marks(
    scale: EffectScale, ruler: Ruler, *, y: float, language: str, title: str = "", top: float | None = None
) -> list[Mark]:
    """Draw a horizontal axis at a height: its line, ticks, their numbers, and faint lines up to `top`."""
    placed = ticks(scale, ruler.low, ruler.high, abs(ruler.stop - ruler.start))
    marks: list[Mark] = []
    if top is not None:
        marks += [
            Stroke(x=ruler.at(one), y=top, x2=ruler.at(one), y2=y, colour=COLOUR["grid"], width=1.0) for one in placed
        ]
    marks.append(Stroke(x=ruler.start, y=y, x2=ruler.stop, y2=y, colour=COLOUR["quiet"]))
    marks += [Stroke(x=ruler.at(one), y=y, x2=ruler.at(one), y2=y + 4, colour=COLOUR["quiet"]) for one in placed]
    marks += [
        Word(text=_tick_word(scale, one, language), x=ruler.at(one), y=y + 13, size=TICK_SIZE, align="center")
        for one in placed
    ]
    if title:
        middle = (ruler.start + ruler.stop) / 2
        marks.append(Word(text=title, x=middle, y=y + 31, size=TICK_SIZE, align="center"))
    return marks


def side_axis_marks(
    scale: EffectScale, ruler: Ruler, *, x: float, language: str, title: str = "", right: float | None = None
) -> list[Mark]:
    """Draw a vertical axis at an x: its line, ticks, numbers, and faint lines to `right`; the title stands turned."""
    placed = ticks(scale, min(ruler.low, ruler.high), max(ruler.low, ruler.high), abs(ruler.stop - ruler.start))
    marks: list[Mark] = []
    if right is not None:
        marks += [
            Stroke(x=x, y=ruler.at(one), x2=right, y2=ruler.at(one), colour=COLOUR["grid"], width=1.0) for one in placed
        ]
    told = [_tick_word(scale, one, language) for one in placed]
    marks.append(Stroke(x=x, y=ruler.start, x2=x, y2=ruler.stop, colour=COLOUR["quiet"]))
    marks += [Stroke(x=x - 4, y=ruler.at(one), x2=x, y2=ruler.at(one), colour=COLOUR["quiet"]) for one in placed]
    marks += [
        Word(text=text, x=x - 7, y=ruler.at(one), size=TICK_SIZE, align="right")
        for one, text in zip(placed, told, strict=True)
    ]
    if title:
        away = max((width_of(text, TICK_SIZE) for text in told), default=0.0) + 19
        middle = (ruler.start + ruler.stop) / 2
        marks.append(Word(text=title, x=x - away, y=middle, size=TICK_SIZE, align="center", turned=True))
    return marks
