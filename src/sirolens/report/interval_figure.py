# SPDX-License-Identifier: Apache-2.0
"""Estimates with their intervals under each other, like a forest plot: proportions, or ratios on a log scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import percent_axis, told
from sirolens.report.drawing import COLOUR, MARGIN, WORDS, Drawing, layer, number, panel, stacked, text_width
from sirolens.report.drawing import WIDTH as PANEL_WIDTH

__all__ = ["MOST_ESTIMATES", "Estimate", "Intervals"]

MOST_ESTIMATES = 60
ROW_HEIGHT = 21.0
NAME_SIZE = 11.0
LONGEST_NAME = 250.0
RATIO_TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One line: its name, its numbers as text, and the interval; a heading has no numbers.

    Parameters
    ----------
    name : Message or str
        What it is.
    middle, low, high : float
        nan: nothing is drawn.
    text : Message or str
        What stands right of it, such as ``"12/20"``.
    heading : bool
        A line that names those under it.
    """

    name: Message | str
    middle: float = math.nan
    low: float = math.nan
    high: float = math.nan
    text: Message | str = ""
    heading: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals(Drawing):
    """Estimates in the order given.

    Parameters
    ----------
    rows : tuple of Estimate
        At most `MOST_ESTIMATES`; more are a programming error.
    axis : Message
        What is estimated.
    ratio : bool
        Ratios on a logarithmic axis with a line at one; otherwise proportions.
    reference : float, optional
        Value to draw a line at.
    """

    rows: tuple[Estimate, ...]
    axis: Message
    ratio: bool = False
    reference: float | None = None
    kind: ClassVar[str] = "intervals"

    def __post_init__(self) -> None:
        if len(self.rows) > MOST_ESTIMATES:
            raise ValueError(f"{len(self.rows)} estimates; a figure holds at most {MOST_ESTIMATES}")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return stacked([_panel(self, language)])


def _domain(figure: Intervals) -> tuple[float, float]:
    found = [one for row in figure.rows for one in (row.low, row.middle, row.high) if math.isfinite(one) and one > 0]
    low, high = min([0.3, *found]), max([3.0, *found])
    return max(low / 1.3, 0.005), min(high * 1.3, 200.0)


def _x(figure: Intervals, language: str) -> dict[str, Any]:
    if figure.ratio:
        low, high = _domain(figure)
        ticks = [tick for tick in RATIO_TICKS if low <= tick <= high]
        x = number("x", (low, high), values=ticks, format="~g", grid=True)
        x["axis"] |= {"domain": True, "ticks": True}
        x["scale"] |= {"type": "log", "clamp": True}
    else:
        x = percent_axis("x", language)
        x["axis"] |= {"grid": True, "domain": True, "ticks": True}
    x["axis"] |= {"title": told(figure.axis, language), "titleFontWeight": "normal", "titleFontSize": 11}
    del x["axis"]["minExtent"], x["axis"]["maxExtent"]
    return x


def _fitting(name: str, most: float) -> str:
    while text_width(name, NAME_SIZE) > most:
        name = f"{name.removesuffix('…')[:-1]}…"
    return name


def _panel(figure: Intervals, language: str) -> dict[str, Any]:
    names = [_fitting(told(row.name, language), LONGEST_NAME) for row in figure.rows]
    words = [told(row.text, language) for row in figure.rows]
    left = max(
        (text_width(name, NAME_SIZE) * (1.06 if row.heading else 1) for name, row in _with(names, figure)), default=0
    )
    right = max((text_width(word, NAME_SIZE) for word in words), default=0)
    width = max(PANEL_WIDTH + MARGIN + 38 - left - right - 30, 160.0)
    height = max(ROW_HEIGHT * len(figure.rows), ROW_HEIGHT)
    x = _x(figure, language)
    layers = [
        *_reference(figure, x, height),
        *_estimates(figure, x),
        _side(names, figure, x=-12 - left, bold=False),
        _side(names, figure, x=-12 - left, bold=True),
        _side(words, figure, x=width + 10, bold=False),
    ]
    return panel(layers, width=width, height=height)


def _with(names: Sequence[str], figure: Intervals) -> list[tuple[str, Estimate]]:
    return list(zip(names, figure.rows, strict=True))


def _place(index: int) -> float:
    return (index + 0.5) * ROW_HEIGHT


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _reference(figure: Intervals, x: Any, height: float) -> list[dict[str, Any]]:
    at = 1.0 if figure.ratio and figure.reference is None else figure.reference
    if at is None:
        return []
    return [layer("rule", [{"x": at}], {"color": COLOUR["high"], "strokeDash": [4, 3]}, x=x, y=0, y2=height)]


def _estimates(figure: Intervals, x: Any) -> list[dict[str, Any]]:
    rows = [
        {"x": row.middle, "low": row.low, "high": row.high, "y": _place(index)}
        for index, row in enumerate(figure.rows)
        if math.isfinite(row.middle)
    ]
    known = [row for row in rows if math.isfinite(row["low"]) and math.isfinite(row["high"])]
    line = {"color": COLOUR["line"], "strokeWidth": 2}
    dot = {"shape": "square", "fill": COLOUR["ink"], "size": 48, "opacity": 1, "strokeWidth": 0}
    return [
        layer("rule", known, line, x={**x, "field": "low"}, x2={"field": "high"}, y=_pixels("y")),
        layer("point", rows, dot, x=x, y=_pixels("y")),
    ]


def _side(texts: Sequence[str], figure: Intervals, *, x: float, bold: bool) -> dict[str, Any]:
    rows = [
        {"text": text, "y": _place(index)}
        for index, (text, row) in enumerate(_with(texts, figure))
        if text and row.heading is bold
    ]
    look = {"align": "left", "baseline": "middle", "fontSize": NAME_SIZE, "fontWeight": "bold" if bold else "normal"}
    return layer("text", rows, look, x=x, y=_pixels("y"), text=WORDS)
