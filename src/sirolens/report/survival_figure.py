# SPDX-License-Identifier: Apache-2.0
"""Curves of time to an event: Kaplan-Meier or cumulative incidence, as steps with intervals and numbers at risk.

Whoever computes them hands arrays over: this file only draws. A curve of more than `MOST_STEPS` steps is drawn at
evenly chosen ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import day_axis, day_ticks, evenly, look_of, percent_axis, told
from sirolens.report.drawing import COLOUR, WIDTH, WORDS, Drawing, layer, panel, stacked
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label

__all__ = ["Curve", "SurvivalCurves"]

MOST_STEPS = 400
MOST_TICKS = 300
HEIGHT = 210
ROW_HEIGHT = 16.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One group or one kind of event.

    Parameters
    ----------
    name : Message or str
        What it is.
    time_d : tuple of float
        Days at which it steps, increasing; it starts at day 0.
    probability : tuple of float
        Value from each day on.
    low, high : tuple of float
        Interval at each day; empty for none. nan draws nothing there.
    censored_d : tuple of float
        Days at which somebody left without event.
    at_risk : tuple of (float, int)
        Day and how many were at risk on it.
    start : float
        Value before the first step: 1 for survival, 0 for incidence.
    last_d : float, optional
        Day to which the curve is carried on.
    """

    name: Message | str
    time_d: tuple[float, ...]
    probability: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    censored_d: tuple[float, ...] = ()
    at_risk: tuple[tuple[float, int], ...] = ()
    start: float = 1.0
    last_d: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurves(Drawing):
    """Curves over days, with the numbers at risk under them.

    Parameters
    ----------
    curves : tuple of Curve
        At most five stay apart.
    axis : Message
        What the height says.
    """

    curves: tuple[Curve, ...]
    axis: Message
    kind: ClassVar[str] = "survival"

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        last = max([1.0, *(_last(curve) for curve in self.curves)]) * 1.02
        entries = _entries(self, language)
        panels = [*([legend(entries)] if entries else []), _panel(self, last, language)]
        if any(curve.at_risk for curve in self.curves):
            panels.append(_risk_panel(self, last, language))
        return stacked(panels)


def _last(curve: Curve) -> float:
    return max([0.0, *curve.time_d, *curve.censored_d, *([] if curve.last_d is None else [curve.last_d])])


def _entries(figure: SurvivalCurves, language: str) -> list[Entry]:
    lines = [
        Entry(text=told(curve.name, language), form="line", stroke=look_of(index)[0], dash=look_of(index)[1])
        for index, curve in enumerate(figure.curves)
    ]
    if any(curve.low for curve in figure.curves):
        lines.append(Entry(text=label("figures.interval95", language), form="area", fill=COLOUR["band90"]))
    if any(curve.censored_d for curve in figure.curves):
        lines.append(Entry(text=label("figures.censored", language), form=TICK, stroke=COLOUR["ink"]))
    return lines


TICK = "M0,-1L0,1"


def _steps(curve: Curve) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"day": 0.0, "p": curve.start}]
    if curve.low:
        rows[0] |= {"low": curve.start, "high": curve.start}
    for index in evenly(len(curve.time_d), MOST_STEPS):
        row: dict[str, Any] = {"day": curve.time_d[index], "p": curve.probability[index]}
        if curve.low:
            low, high = curve.low[index], curve.high[index]
            # An interval that does not exist (nobody left) is not drawn as if it were exact.
            row |= {"low": low if low == low else None, "high": high if high == high else None}
        rows.append(row)
    rows.append({**rows[-1], "day": max(_last(curve), rows[-1]["day"])})
    return rows


def _height_at(curve: Curve, day: float) -> float:
    height = curve.start
    for at, probability in zip(curve.time_d, curve.probability, strict=True):
        if at > day:
            break
        height = probability
    return height


def _panel(figure: SurvivalCurves, last: float, language: str) -> dict[str, Any]:
    x, y = day_axis(0.0, last, language), percent_axis("p", language)
    bands, lines = [layer("point", [], {}, x=x, y=y)], []  # the axes stay when there is no curve
    for index, curve in enumerate(figure.curves):
        colour, dash = look_of(index)
        rows = _steps(curve)
        if curve.low:
            known = [row for row in rows if row["low"] is not None and row["high"] is not None]
            band = {"interpolate": "step-after", "color": colour, "opacity": 0.14}
            low = {**y, "field": "low"}
            bands.append(layer("area", known, band, x=x, y=low, y2={"field": "high"}))
        look: dict[str, Any] = {"interpolate": "step-after", "color": colour, "strokeWidth": 2}
        if dash:
            look["strokeDash"] = list(dash)
        lines.append(layer("line", rows, look, x=x, y=y))
        days = sorted(set(curve.censored_d))
        ticks = [{"day": day, "p": _height_at(curve, day)} for day in (days[i] for i in evenly(len(days), MOST_TICKS))]
        mark = {"shape": TICK, "size": 60, "stroke": colour, "strokeWidth": 1.2, "opacity": 1}
        lines.append(layer("point", ticks, mark, x=x, y=y))
    return panel([*bands, *lines], width=WIDTH, height=HEIGHT, title=told(figure.axis, language))


def _risk_panel(figure: SurvivalCurves, last: float, language: str) -> dict[str, Any]:
    """Numbers at risk, each under its day, each curve on a line that begins with a piece of its own line."""
    head = label("figures.at-risk", language)
    x = {**day_axis(0.0, last, language), "axis": None}
    layers = [_words([{"text": head, "day": 0.0}], x, 0.5 * ROW_HEIGHT, align="left", weight="bold", shift=-44)]
    ticks = day_ticks(last)
    for index, curve in enumerate(figure.curves):
        colour, dash = look_of(index)
        y = (index + 1.5) * ROW_HEIGHT
        rows = [{"text": str(count), "day": day} for day, count in curve.at_risk if day in ticks]
        piece: dict[str, Any] = {"stroke": colour, "strokeWidth": 2}
        if dash:
            piece["strokeDash"] = list(dash)
        layers += [
            layer("rule", [{}], piece, x=-44, x2=-26, y=y),
            _words(rows, x, y, align="center", weight="normal", shift=0),
        ]
    return panel(layers, width=WIDTH, height=(len(figure.curves) + 1) * ROW_HEIGHT)


def _words(
    rows: Sequence[dict[str, Any]], x: Any, y: float, *, align: str, weight: str, shift: float
) -> dict[str, Any]:
    look = {"align": align, "baseline": "middle", "fontSize": 10.5, "fontWeight": weight, "dx": shift}
    return layer("text", rows, look, x=x, y=y, text=WORDS)
