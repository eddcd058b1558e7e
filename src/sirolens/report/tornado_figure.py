# SPDX-License-Identifier: Apache-2.0
"""Which inputs matter: a bar for each from one end of its effect to the other, the largest on top."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, MARGIN, WIDTH, WORDS, Drawing, layer, number, panel, stacked, text_width
from sirolens.report.legend import Entry, legend

__all__ = ["MOST_BARS", "Tornado", "TornadoBar"]

MOST_BARS = 30
ROW_HEIGHT = 24.0
NAME_SIZE = 11.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TornadoBar:
    """One input and its effect.

    Parameters
    ----------
    name : Message or str
        The input.
    low, high : float
        What is shown at the input's low and at its high end; for an index of sensitivity `low` is the reference.
    interval : (float, float), optional
        Interval of the end `high`.
    text : str
        What stands right of the bar.
    """

    name: Message | str
    low: float
    high: float
    interval: tuple[float, float] | None = None
    text: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tornado(Drawing):
    """Bars around a reference, in the order of their length.

    Parameters
    ----------
    bars : tuple of TornadoBar
        At most `MOST_BARS`.
    reference : float
        Where the bars begin.
    axis : Message
        What is shown.
    low_end, high_end : Message, optional
        Words of the two ends, where bars have two.
    """

    bars: tuple[TornadoBar, ...]
    reference: float
    axis: Message
    low_end: Message | None = None
    high_end: Message | None = None
    kind: ClassVar[str] = "tornado"

    def __post_init__(self) -> None:
        if len(self.bars) > MOST_BARS:
            raise ValueError(f"{len(self.bars)} inputs; a figure holds at most {MOST_BARS}")

    @property
    def ordered(self) -> tuple[TornadoBar, ...]:
        """The bars, the longest first; equal ones keep their order."""
        return tuple(sorted(self.bars, key=lambda bar: -_length(bar, self.reference)))

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        panels = [_panel(self, language)]
        if self.low_end is not None and self.high_end is not None:
            ends = [(self.low_end, COLOUR["low"]), (self.high_end, COLOUR["inside"])]
            entries = [Entry(text=told(words, language), form="area", fill=colour) for words, colour in ends]
            panels.insert(0, legend(entries))
        return stacked(panels)


def _length(bar: TornadoBar, reference: float) -> float:
    reach = [abs(end - reference) for end in (bar.low, bar.high) if math.isfinite(end)]
    return max(reach, default=0.0)


def _domain(figure: Tornado) -> tuple[float, float]:
    ends = [end for bar in figure.bars for end in (bar.low, bar.high, *(bar.interval or ()))]
    found = [end for end in ends if math.isfinite(end)] + [figure.reference]
    low, high = min(found), max(found)
    air = 0.06 * (high - low) or 1.0
    return (low - air if low < figure.reference else low), high + air


def _panel(figure: Tornado, language: str) -> dict[str, Any]:
    bars = figure.ordered
    names = [told(bar.name, language) for bar in bars]
    left = max((text_width(name, NAME_SIZE) for name in names), default=0.0)
    right = max((text_width(bar.text, NAME_SIZE) for bar in bars), default=0.0)
    width = max(WIDTH + MARGIN - left - right - 30, 160.0)
    height = max(ROW_HEIGHT * len(bars), ROW_HEIGHT)
    x = number("x", _domain(figure), grid=True, format="~g", tickCount=6)
    x["axis"] |= {"title": told(figure.axis, language), "titleFontWeight": "normal", "titleFontSize": 11}
    x["axis"] |= {"domain": True, "ticks": True}
    del x["axis"]["minExtent"], x["axis"]["maxExtent"]
    rows = [{**_ends(bar, figure), "y": (index + 0.5) * ROW_HEIGHT} for index, bar in enumerate(bars)]
    layers = [
        _bars(rows, x, "low", COLOUR["low"]),
        _bars(rows, x, "high", COLOUR["inside"]),
        _intervals(bars, x),
        layer("rule", [{"x": figure.reference}], {"color": COLOUR["ink"], "strokeWidth": 1}, x=x, y=0, y2=height),
        _words(names, x=-12 - left),
        _words([bar.text for bar in bars], x=width + 10),
    ]
    return panel(layers, width=width, height=height)


def _ends(bar: TornadoBar, figure: Tornado) -> dict[str, float]:
    ends = {"low": bar.low, "high": bar.high, "x": figure.reference}
    return {name: end if math.isfinite(end) else figure.reference for name, end in ends.items()}


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _bars(rows: list[dict[str, float]], x: Any, end: str, colour: str) -> dict[str, Any]:
    sides = [
        {"x": row["x"], "end": row[end], "top": row["y"] - 8, "foot": row["y"] + 8}
        for row in rows
        if row[end] != row["x"]
    ]
    look = {"color": colour, "opacity": 1}
    return layer("rect", sides, look, x=x, x2={"field": "end"}, y=_pixels("top"), y2={"field": "foot"})


def _intervals(bars: tuple[TornadoBar, ...], x: Any) -> dict[str, Any]:
    rows = [
        {"low": bar.interval[0], "high": bar.interval[1], "y": (index + 0.5) * ROW_HEIGHT}
        for index, bar in enumerate(bars)
        if bar.interval is not None and all(map(math.isfinite, bar.interval))
    ]
    look = {"color": COLOUR["ink"], "strokeWidth": 1.6}
    return layer("rule", rows, look, x={**x, "field": "low"}, x2={"field": "high"}, y=_pixels("y"))


def _words(texts: list[str], *, x: float) -> dict[str, Any]:
    rows = [{"text": text, "y": (index + 0.5) * ROW_HEIGHT} for index, text in enumerate(texts) if text]
    look = {"align": "left", "baseline": "middle", "fontSize": NAME_SIZE}
    return layer("text", rows, look, x=x, y=_pixels("y"), text=WORDS)
