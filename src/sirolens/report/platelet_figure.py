# SPDX-License-Identifier: Apache-2.0
"""The platelet timeline: counts on a logarithmic axis with the response thresholds, bleeding and rescue marked.

The lines at 30 and 100 ×10⁹/L are labelled R and CR. Periods of rescue therapy are shaded, because a count taken in
one does not show a response. Bleeding stands as drops along the top, with its grade.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, final

from sirolens.report.drawing import (
    COLOUR,
    WIDTH,
    WORDS,
    Drawing,
    instant,
    layer,
    number,
    panel,
    stacked,
    text_width,
    wall_ms,
)
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label, term

__all__ = ["Bleed", "PlateletCourse", "PlateletPoint", "Rescue"]

HEIGHT = 120
TICKS = (1, 3, 10, 30, 100, 300, 1000)
LOWEST = 1.0  # a logarithmic axis has no zero; a count below 1 stands on the lowest line
DROP = "M0,-1.3C0.5,-0.5,0.9,0,0.9,0.45A0.9,0.85,0,1,1,-0.9,0.45C-0.9,0,-0.5,-0.5,0,-1.3Z"
HALO = {"stroke": "white", "strokeWidth": 3, "strokeJoin": "round"}
DAY_MS = 86_400_000


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PlateletPoint:
    """One platelet count."""

    at: datetime
    count_10e9_l: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bleed:
    """Bleeding, with its grade on whatever scale the page names."""

    at: datetime
    grade: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """A period of rescue therapy; without `stop` it goes on."""

    start: datetime
    stop: datetime | None
    drug: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PlateletCourse(Drawing):
    """Platelet counts over time, alone or under the levels.

    Parameters
    ----------
    counts : tuple of PlateletPoint
        The counts.
    bleedings : tuple of Bleed
        The bleeding events.
    rescues : tuple of Rescue
        Periods in which a count does not show a response.
    response_10e9_l, complete_10e9_l : float
        The thresholds labelled R and CR.
    now : datetime, optional
        Where the past ends, when drawn alone.
    """

    counts: tuple[PlateletPoint, ...]
    bleedings: tuple[Bleed, ...] = ()
    rescues: tuple[Rescue, ...] = ()
    response_10e9_l: float = 30.0
    complete_10e9_l: float = 100.0
    now: datetime | None = None
    kind: ClassVar[str] = "platelets"

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        times = platelet_span(self, zone)
        if self.now is not None:
            times.append(wall_ms(self.now, zone))
        air = max((max(times) - min(times)) // 60, DAY_MS // 4)
        span = (min(times) - air, max(times) + air)
        now = None if self.now is None else wall_ms(self.now, zone)
        entries = platelet_entries(self, language)
        panels = [legend(entries)] if entries else []
        return stacked([*panels, platelet_panel(self, span, now, language, zone)])


def platelet_span(course: PlateletCourse, zone: str | None) -> list[int]:
    """Return every instant of the course in milliseconds."""
    instants = [point.at for point in course.counts] + [bleed.at for bleed in course.bleedings]
    for rescue in course.rescues:
        instants += [rescue.start, *([rescue.stop] if rescue.stop is not None else [])]
    return [wall_ms(instant, zone) for instant in instants]


def platelet_entries(course: PlateletCourse, language: str) -> list[Entry]:
    """Return the legend of what is drawn besides counts and thresholds."""
    entries = []
    if course.bleedings:
        entries.append(
            Entry(text=label("report.figure-bleeding", language), form=DROP, fill=COLOUR["bleeding"], stroke="white")
        )
    if course.rescues:
        text = label("report.figure-rescue", language)
        entries.append(Entry(text=text, form="area", fill="url(#pattern-rescue)", stroke=COLOUR["rescue_edge"]))
    return entries


def _domain(course: PlateletCourse) -> tuple[float, float]:
    counts = [max(point.count_10e9_l, LOWEST) for point in course.counts]
    return min([*counts, course.response_10e9_l / 3]) / 1.25, max([*counts, course.complete_10e9_l * 2]) * 1.9


def _rescue_layers(
    course: PlateletCourse, span: tuple[int, int], x: Any, language: str, zone: str | None
) -> list[dict[str, Any]]:

    rows, words = [], []
    free_from = 0.0
    for rescue in sorted(course.rescues, key=lambda one: one.start):
        start = wall_ms(rescue.start, zone)
        stop = span[1] if rescue.stop is None else wall_ms(rescue.stop, zone)
        stop = max(stop, start + (span[1] - span[0]) // 170)
        rows.append({"t": start, "stop": stop})
        text = term(rescue.drug, language)
        place = (start - span[0]) * WIDTH / (span[1] - span[0])
        if place >= free_from:
            words.append({"t": start, "text": text})
            free_from = place + text_width(text, 10.5) + 6
    look = {"fill": "url(#pattern-rescue)", "stroke": COLOUR["rescue_edge"], "strokeWidth": 0.6}
    name = {"align": "left", "baseline": "bottom", "dx": 3, "fontSize": 10.5, "color": COLOUR["quiet"]}
    return [
        layer("rect", rows, look, x=x, x2={"field": "stop"}, y=0, y2=HEIGHT),
        layer("text", words, {**name, **HALO}, x=x, y=HEIGHT - 4, text=WORDS),
        layer("text", words, name, x=x, y=HEIGHT - 4, text=WORDS),
    ]


def _threshold_layers(course: PlateletCourse, y: Any, language: str) -> list[dict[str, Any]]:
    rows = [
        {"count": course.response_10e9_l, "text": label("report.figure-r", language, count=course.response_10e9_l)},
        {"count": course.complete_10e9_l, "text": label("report.figure-cr", language, count=course.complete_10e9_l)},
    ]
    rule = {"color": COLOUR["quiet"], "strokeWidth": 1, "strokeDash": [2, 2]}
    words = {"align": "left", "baseline": "middle", "color": COLOUR["quiet"], "fontWeight": "bold"}
    return [
        layer("rule", rows, rule, x=0, x2=WIDTH, y=y),
        layer("text", rows, words, x=WIDTH + 6, y=y, text=WORDS),
    ]


def _bleed_layers(course: PlateletCourse, x: Any, zone: str | None) -> list[dict[str, Any]]:
    rows = [
        {"t": wall_ms(bleed.at, zone), "text": "" if bleed.grade is None else str(bleed.grade)}
        for bleed in course.bleedings
    ]
    drop = {"shape": DROP, "size": 60, "fill": COLOUR["bleeding"], "stroke": "white", "opacity": 1}
    grade = {"dx": 7, "align": "left", "baseline": "middle", "fontSize": 10.5, "color": COLOUR["bleeding"]}
    return [layer("point", rows, drop, x=x, y=10), layer("text", rows, grade, x=x, y=10, text=WORDS)]


def platelet_panel(
    course: PlateletCourse, span: tuple[int, int], now_ms: int | None, language: str, zone: str | None
) -> dict[str, Any]:
    """Draw the panel on a given time axis."""
    x = instant(span, language, labels=True)
    low, high = _domain(course)
    y = number("count", (low, high), values=[tick for tick in TICKS if low <= tick <= high], format="d")
    y["scale"]["type"] = "log"
    rows = [
        {"t": wall_ms(point.at, zone), "count": max(point.count_10e9_l, LOWEST)}
        for point in sorted(course.counts, key=lambda one: one.at)
    ]
    line = {"color": COLOUR["platelet"], "strokeWidth": 1.6, "strokeJoin": "round"}
    dot = {"fill": COLOUR["platelet"], "stroke": "white", "strokeWidth": 1, "size": 48, "opacity": 1}
    layers = [
        *(_rescue_layers(course, span, x, language, zone) if course.rescues else []),
        *_threshold_layers(course, y, language),
        layer("line", rows, line, x=x, y=y),
        layer("point", rows, dot, x=x, y=y),
        *(_bleed_layers(course, x, zone) if course.bleedings else []),
    ]
    if now_ms is not None:
        layers.append(layer("rule", [{"t": now_ms}], {"color": COLOUR["now"], "strokeWidth": 1}, x=x, y=0, y2=HEIGHT))
    return panel(layers, width=WIDTH, height=HEIGHT, title=label("report.figure-platelet-title", language))
