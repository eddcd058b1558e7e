# SPDX-License-Identifier: Apache-2.0
"""Cells, cytokines and antibody over time in small panels: each as a fold of its own start, group by group."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import day_ticks, look_of, told
from sirolens.report.drawing import COLOUR, Drawing, layer, number, panel, stacked
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label

__all__ = ["MOST_MARKERS", "Marker", "MarkerCourse", "Markers"]

MOST_MARKERS = 24
ACROSS = 3
WIDTH, HEIGHT = 186, 96
FOLD_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerCourse:
    """Median and quartiles of one marker in one group, as folds of the start."""

    median: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """One small panel: the marker's name and its courses, in the order of the groups."""

    name: Message | str
    courses: tuple[MarkerCourse, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Markers(Drawing):
    """Small panels with common axes.

    Parameters
    ----------
    day : tuple of float
        Days of every course.
    groups : tuple of Message or str
        Such as responders and the others; at most five.
    markers : tuple of Marker
        At most `MOST_MARKERS`.
    """

    day: tuple[float, ...]
    groups: tuple[Message | str, ...]
    markers: tuple[Marker, ...]
    kind: ClassVar[str] = "markers"

    def __post_init__(self) -> None:
        if len(self.markers) > MOST_MARKERS:
            raise ValueError(f"{len(self.markers)} markers; a figure holds at most {MOST_MARKERS}")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        rows = [
            {"hconcat": [_panel(self, one, language) for one in self.markers[first : first + ACROSS]], "spacing": 12}
            for first in range(0, len(self.markers), ACROSS)
        ]
        return stacked([legend(_entries(self, language)), *rows])


def _entries(figure: Markers, language: str) -> list[Entry]:
    made = []
    for index, group in enumerate(figure.groups):
        colour, dash = look_of(index)
        made.append(Entry(text=told(group, language), form="line", stroke=colour, dash=dash))
    return [*made, Entry(text=label("figures.quartiles", language), form="area", fill=COLOUR["grid"])]


def _folds(figure: Markers) -> tuple[float, float]:
    every = [
        fold
        for marker in figure.markers
        for course in marker.courses
        for ends in (course.low, course.high)
        for fold in ends
        if math.isfinite(fold) and fold > 0
    ]
    return max(min([0.8, *every]) / 1.1, 0.02), min(max([1.25, *every]) * 1.1, 50.0)


def _panel(figure: Markers, marker: Marker, language: str) -> dict[str, Any]:
    low, high = _folds(figure)
    last = max([1.0, *figure.day])
    x = number("day", (0.0, last), values=day_ticks(last, most=5), format="d", grid=True)
    x["axis"] |= {"domain": True, "ticks": True, "labelFontSize": 9, "labelOverlap": True}
    del x["axis"]["minExtent"], x["axis"]["maxExtent"]
    ticks = [tick for tick in FOLD_TICKS if low <= tick <= high]
    y = number("fold", (low, high), values=ticks, format="~g")
    y["scale"] |= {"type": "log", "clamp": True}
    y["axis"] |= {"labelFontSize": 9, "minExtent": 24, "maxExtent": 24}
    start = layer("rule", [{"fold": 1.0}], {"color": COLOUR["quiet"], "strokeDash": [2, 2]}, x=0, x2=WIDTH, y=y)
    layers = [start]
    for index, course in enumerate(marker.courses):
        layers += _course(figure, course, index, x, y)
    described = panel(layers, width=WIDTH, height=HEIGHT, title=told(marker.name, language))
    described["title"] |= {"fontSize": 10.5}
    return described


def _course(figure: Markers, course: MarkerCourse, index: int, x: Any, y: Any) -> list[dict[str, Any]]:
    colour, dash = look_of(index)
    rows = [
        {"day": day, "fold": middle, "low": low, "high": high}
        for day, middle, low, high in zip(figure.day, course.median, course.low, course.high, strict=True)
        if all(math.isfinite(one) and one > 0 for one in (middle, low, high))
    ]
    look: dict[str, Any] = {"color": colour, "strokeWidth": 2, "strokeJoin": "round"}
    if dash:
        look["strokeDash"] = list(dash)
    band = {"color": colour, "opacity": 0.16}
    return [
        layer("area", rows, band, x=x, y={**y, "field": "low"}, y2={"field": "high"}),
        layer("line", rows, look, x=x, y=y),
    ]
