# SPDX-License-Identifier: Apache-2.0
"""Response over time: what a model says for each landmark, with its band, and what studies counted beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import HALO, day_axis, look_of, percent_axis, told
from sirolens.report.drawing import COLOUR, WIDTH, WORDS, Drawing, as_told, layer, panel, stacked, text_width
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label

__all__ = ["MOST_OUTCOMES", "ObservedRate", "OutcomeCourse", "ResponseCourse"]

MOST_OUTCOMES = 4
HEIGHT = 250
NAME_SIZE = 10.0
# Studies of one landmark stand beside each other, and so do the outcomes of one study.
_APART_D, _OUTCOMES_APART_D = 8.0, 2.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCourse:
    """Shares of one outcome at some days, with their bands.

    Parameters
    ----------
    name : Message or str
        Such as complete response.
    day, share, low, high : tuple of float
        Days since the first dose; shares between 0 and 1.
    """

    name: Message | str
    day: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRate:
    """What a study counted: the outcome it belongs to (by place), the day, the share with its exact interval."""

    study: Message | str
    outcome: int
    day: float
    share: float
    low: float = math.nan
    high: float = math.nan


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCourse(Drawing):
    """Outcomes of a model as lines with bands, and observed shares as points with intervals.

    Parameters
    ----------
    outcomes : tuple of OutcomeCourse
        At most `MOST_OUTCOMES`.
    observed : tuple of ObservedRate
        Each in the colour of its outcome.
    """

    outcomes: tuple[OutcomeCourse, ...]
    observed: tuple[ObservedRate, ...] = ()
    kind: ClassVar[str] = "response-course"

    def __post_init__(self) -> None:
        if len(self.outcomes) > MOST_OUTCOMES:
            raise ValueError(f"{len(self.outcomes)} outcomes; a figure holds at most {MOST_OUTCOMES}")
        if any(not 0 <= one.outcome < len(self.outcomes) for one in self.observed):
            raise ValueError("an observed share belongs to an outcome that is not drawn")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        entries = _entries(self, language)
        return stacked([*([legend(entries)] if entries else []), _panel(self, language)])


def _entries(figure: ResponseCourse, language: str) -> list[Entry]:
    made = []
    for index, outcome in enumerate(figure.outcomes):
        colour, dash = look_of(index)
        made.append(Entry(text=told(outcome.name, language), form="line", stroke=colour, dash=dash))
    if figure.observed:
        made.append(Entry(text=label("figures.published", language), form="circle", fill=COLOUR["ink"]))
    return made


def _panel(figure: ResponseCourse, language: str) -> dict[str, Any]:
    days = [day for one in figure.outcomes for day in one.day] + [one.day for one in figure.observed]
    last = max([1.0, *days])
    x, y = day_axis(0.0, last * 1.04, language), percent_axis("share", language)
    layers = [_band(one, index, x, y) for index, one in enumerate(figure.outcomes)]
    layers += [mark for index, one in enumerate(figure.outcomes) for mark in _line(one, index, x, y)]
    placed = _placed(figure)
    return panel(
        [*layers, *_points(placed, x, y), *_studies(placed, last * 1.04, x, y, language)], width=WIDTH, height=HEIGHT
    )


def _band(one: OutcomeCourse, index: int, x: Any, y: Any) -> dict[str, Any]:
    rows = [
        {"day": day, "low": low, "high": high}
        for day, low, high in zip(one.day, one.low, one.high, strict=True)
        if math.isfinite(low) and math.isfinite(high)
    ]
    look = {"color": look_of(index)[0], "opacity": 0.16}
    return layer("area", rows, look, x=x, y={**y, "field": "low"}, y2={"field": "high"})


def _line(one: OutcomeCourse, index: int, x: Any, y: Any) -> list[dict[str, Any]]:
    colour, dash = look_of(index)
    rows = [{"day": day, "share": share} for day, share in zip(one.day, one.share, strict=True) if math.isfinite(share)]
    look: dict[str, Any] = {"color": colour, "strokeWidth": 2.2, "strokeJoin": "round"}
    if dash:
        look["strokeDash"] = list(dash)
    dot = {"fill": colour, "size": 26, "opacity": 1, "strokeWidth": 0}
    return [layer("line", rows, look, x=x, y=y), layer("point", rows, dot, x=x, y=y)]


def _placed(figure: ResponseCourse) -> list[tuple[float, ObservedRate]]:
    """Give every study of a landmark its own place, evenly around the day."""
    studies: dict[float, list[str]] = {}
    for one in figure.observed:
        names = studies.setdefault(one.day, [])
        if str(one.study) not in names:
            names.append(str(one.study))
    made = []
    for one in figure.observed:
        names = studies[one.day]
        aside = (names.index(str(one.study)) - (len(names) - 1) / 2) * _APART_D
        made.append((one.day + aside + (one.outcome - (len(figure.outcomes) - 1) / 2) * _OUTCOMES_APART_D, one))
    return made


def _points(placed: list[tuple[float, ObservedRate]], x: Any, y: Any) -> list[dict[str, Any]]:
    rows = [{"day": day, "share": one.share, "fill": look_of(one.outcome)[0]} for day, one in placed]
    ends = [
        {"day": day, "low": one.low, "high": one.high, "fill": look_of(one.outcome)[0]}
        for day, one in placed
        if math.isfinite(one.low) and math.isfinite(one.high)
    ]
    dot = {"shape": "circle", "stroke": "white", "strokeWidth": 1, "size": 72, "opacity": 1, "filled": True}
    return [
        layer(
            "rule",
            ends,
            {"strokeWidth": 1.6},
            x=x,
            y={**y, "field": "low"},
            y2={"field": "high"},
            stroke=as_told("fill"),
        ),
        layer("point", rows, dot, x=x, y=y, fill=as_told("fill")),
    ]


def _studies(
    placed: list[tuple[float, ObservedRate]], last: float, x: Any, y: Any, language: str
) -> list[dict[str, Any]]:
    """Name each study once, beside its highest point, leaving out what would run off the panel."""
    highest: dict[str, tuple[float, ObservedRate]] = {}
    for day, one in placed:
        name = told(one.study, language)
        if name not in highest or one.share > highest[name][1].share:
            highest[name] = (day, one)
    rows = []
    for name, (day, one) in highest.items():
        room = (last - day) * WIDTH / last
        align = "left" if room > text_width(name, NAME_SIZE) + 10 else "right"
        rows.append({"day": day, "share": one.share, "text": name, "align": align})
    made = []
    for align, shift in (("left", 8), ("right", -8)):
        some = [row for row in rows if row["align"] == align]
        look = {"align": align, "baseline": "middle", "dx": shift, "fontSize": NAME_SIZE, "color": COLOUR["ink"]}
        made += [layer("text", some, {**look, **HALO}, x=x, y=y, text=WORDS)]
        made += [layer("text", some, look, x=x, y=y, text=WORDS)]
    return made
