# SPDX-License-Identifier: Apache-2.0
"""The platelet course of many patients: each one thin, the median with its interquartile band over them.

Above `MOST_LINES` patients the thin lines are of evenly chosen ones, while median and band are always of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.report.axes import HALO, count_axis, day_axis, evenly, side_text
from sirolens.report.drawing import COLOUR, WIDTH, WORDS, Drawing, layer, panel, stacked, text_width
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label

__all__ = ["MOST_LINES", "ManyCourses", "PatientLine"]

MOST_LINES = 120
MOST_VERTICES = 4800
HEIGHT = 220
LOWEST = 1.0  # a logarithmic axis has no zero; a count below 1 stands on the lowest line


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLine:
    """Counts of one patient in the order of their days."""

    day: tuple[float, ...]
    count_10e9_l: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ManyCourses(Drawing):
    """Counts of all patients with median and quartiles at chosen days.

    Parameters
    ----------
    lines : tuple of PatientLine
        The patients.
    at_d : tuple of float
        Days of the median.
    median_10e9_l, low_10e9_l, high_10e9_l : tuple of float
        Median and quartiles there.
    patients : tuple of int
        How many patients each median is of.
    response_10e9_l, complete_10e9_l : float
        The thresholds labelled R and CR.
    """

    lines: tuple[PatientLine, ...]
    at_d: tuple[float, ...]
    median_10e9_l: tuple[float, ...]
    low_10e9_l: tuple[float, ...]
    high_10e9_l: tuple[float, ...]
    patients: tuple[int, ...]
    response_10e9_l: float = 30.0
    complete_10e9_l: float = 100.0
    kind: ClassVar[str] = "courses"

    @property
    def shown(self) -> int:
        """How many patients are drawn as lines."""
        return len(_chosen(self))

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return stacked([legend(_entries(self, language)), _panel(self, language)])


def _chosen(courses: ManyCourses) -> list[PatientLine]:
    lines = [courses.lines[index] for index in evenly(len(courses.lines), MOST_LINES)]
    while sum(len(line.day) for line in lines) > MOST_VERTICES and len(lines) > 1:
        lines = [lines[index] for index in evenly(len(lines), max(1, len(lines) * 3 // 4))]
    return lines


def _entries(courses: ManyCourses, language: str) -> list[Entry]:
    thin = Entry(text=label("figures.one-patient", language), form="line", stroke=THIN)
    if not courses.at_d:
        return [thin]
    return [
        thin,
        Entry(text=label("figures.median", language), form="line", stroke=COLOUR["platelet"]),
        Entry(text=label("figures.quartiles", language), form="area", fill=BAND),
    ]


THIN, BAND = "#b7b3bf", "#d9c6e0"


def _panel(courses: ManyCourses, language: str) -> dict[str, Any]:
    chosen = _chosen(courses)
    counts = [max(count, LOWEST) for line in chosen for count in line.count_10e9_l]
    days = [day for line in chosen for day in line.day] + list(courses.at_d)
    first, last = min([0.0, *days]), max([1.0, *days])
    air = (last - first) / 60
    low = min([*counts, *(max(one, LOWEST) for one in courses.low_10e9_l), courses.response_10e9_l / 3]) / 1.2
    high = max([*counts, *courses.high_10e9_l, courses.complete_10e9_l * 2]) * 1.25
    x, y = day_axis(first - air, last + air, language), count_axis("count", low, high)
    layers = [_band(courses, x, y), *_thresholds(courses, y, language), *_lines(chosen, x, y), *_median(courses, x, y)]
    return panel(layers, width=WIDTH, height=HEIGHT, title=label("report.figure-platelet-title", language))


def _thresholds(courses: ManyCourses, y: Any, language: str) -> list[dict[str, Any]]:
    rows: list[dict[str, object]] = [
        {"count": courses.response_10e9_l, "text": label("report.figure-r", language, count=courses.response_10e9_l)},
        {"count": courses.complete_10e9_l, "text": label("report.figure-cr", language, count=courses.complete_10e9_l)},
    ]
    rule = {"color": COLOUR["quiet"], "strokeWidth": 1, "strokeDash": [2, 2]}
    return [layer("rule", rows, rule, x=0, x2=WIDTH, y=y), side_text(rows, y, x=WIDTH + 6)]


def _lines(lines: list[PatientLine], x: Any, y: Any) -> list[dict[str, Any]]:
    rows = [
        {"day": day, "count": max(count, LOWEST), "one": index}
        for index, line in enumerate(lines)
        for day, count in zip(line.day, line.count_10e9_l, strict=True)
    ]
    few = len(lines) <= 3
    look = {"color": THIN, "strokeWidth": 1.4 if few else 0.8, "strokeJoin": "round", "opacity": 0.85}
    layers = [layer("line", rows, look, x=x, y=y, detail={"field": "one", "type": "nominal"})]
    if len(lines) <= 30:
        dot = {"fill": THIN, "size": 14, "opacity": 1, "strokeWidth": 0}
        layers.append(layer("point", rows, dot, x=x, y=y))
    return layers


def _summary(courses: ManyCourses) -> list[dict[str, Any]]:
    arrays = (courses.at_d, courses.median_10e9_l, courses.low_10e9_l, courses.high_10e9_l, courses.patients)
    return [
        {"day": day, "count": max(m, LOWEST), "low": max(low, LOWEST), "high": max(high, LOWEST), "text": str(n)}
        for day, m, low, high, n in zip(*arrays, strict=True)
    ]


def _band(courses: ManyCourses, x: Any, y: Any) -> dict[str, Any]:
    rows = _summary(courses)
    return layer("area", rows, {"color": BAND, "opacity": 0.9}, x=x, y={**y, "field": "low"}, y2={"field": "high"})


def _median(courses: ManyCourses, x: Any, y: Any) -> list[dict[str, Any]]:
    rows = _summary(courses)
    line = {"color": COLOUR["platelet"], "strokeWidth": 2.4, "strokeJoin": "round"}
    dot = {"fill": COLOUR["platelet"], "stroke": "white", "strokeWidth": 1, "size": 44, "opacity": 1}
    words = {"align": "center", "baseline": "bottom", "fontSize": 10, "color": COLOUR["quiet"], "clip": False}
    foot = HEIGHT - 3
    labelled = _apart(rows, x)
    return [
        layer("line", rows, line, x=x, y=y),
        layer("point", rows, dot, x=x, y=y),
        layer("text", labelled, {**words, **HALO}, x=x, y=foot, text=WORDS),
        layer("text", labelled, words, x=x, y=foot, text=WORDS),
    ]


def _apart(rows: list[dict[str, Any]], x: Any) -> list[dict[str, Any]]:
    """Keep the numbers that do not touch the one before."""
    first, last = x["scale"]["domain"]
    kept: list[dict[str, Any]] = []
    free_from = -1.0
    for row in rows:
        place = (row["day"] - first) * WIDTH / (last - first)
        half = text_width(row["text"], 10) / 2 + 3
        if place - half >= free_from:
            kept.append(row)
            free_from = place + half
    return kept
