# SPDX-License-Identifier: Apache-2.0
"""The swimmer plot: one lane per patient from the first dose, coloured by response, with rescue, bleeding and stopping.

The longest course stands on top. Above `MOST_LANES` patients, lanes are drawn of evenly chosen ranks in that order;
`shown` says how many, so that the caption can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, final

from sirolens.report.axes import day_axis, evenly
from sirolens.report.drawing import COLOUR, MARGIN, WORDS, Drawing, as_told, layer, panel, stacked, text_width
from sirolens.report.drawing import WIDTH as PANEL_WIDTH
from sirolens.report.legend import Entry, legend
from sirolens.report.platelet_figure import DROP
from sirolens.report.words import label

__all__ = ["MOST_LANES", "Lane", "LaneMark", "LaneSpan", "LaneState", "MarkKind", "Swimmer"]

MOST_LANES = 80
MOST_NAMES = 40
MOST_MARKS = 4000
NAME_SIZE = 10.5
LONGEST_NAME = 150.0


class LaneState(StrEnum):
    """What a stretch of a lane says."""

    COMPLETE = "complete"
    RESPONSE = "response"
    NONE = "none"
    MASKED = "masked"


class MarkKind(StrEnum):
    """What happened on one day of a lane."""

    RESCUE = "rescue"
    BLEEDING = "bleeding"
    STOPPED = "stopped"
    ONGOING = "ongoing"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSpan:
    """A stretch of days in one state."""

    start_d: float
    stop_d: float
    state: LaneState


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LaneMark:
    """Something on one day."""

    day: float
    kind: MarkKind


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One patient.

    Parameters
    ----------
    name : str
        The pseudonym.
    last_d : float
        Last day followed, from the first dose.
    spans : tuple of LaneSpan
        The stretches; where they leave a gap, the lane shows no response.
    marks : tuple of LaneMark
        What happened.
    """

    name: str
    last_d: float
    spans: tuple[LaneSpan, ...] = ()
    marks: tuple[LaneMark, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Swimmer(Drawing):
    """All lanes, with the landmarks as lines.

    Parameters
    ----------
    lanes : tuple of Lane
        The patients, in any order.
    landmarks_d : tuple of float
        Days to draw a line at.
    """

    lanes: tuple[Lane, ...]
    landmarks_d: tuple[float, ...] = ()
    kind: ClassVar[str] = "swimmer"

    @property
    def shown(self) -> int:
        """How many lanes are drawn.

        >>> Swimmer(lanes=tuple(Lane(name=str(i), last_d=i) for i in range(5000))).shown
        80
        """
        return min(len(self.lanes), MOST_LANES)

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return stacked([legend(_entries(language)), _panel(self, language)])


_FILLS = {
    LaneState.COMPLETE: (COLOUR["inside"], COLOUR["inside"]),
    LaneState.RESPONSE: (COLOUR["band50"], COLOUR["line"]),
    LaneState.NONE: ("#f4f6f8", COLOUR["planned"]),
    LaneState.MASKED: ("url(#pattern-rescue)", COLOUR["rescue_edge"]),
}
_SHAPES = {
    MarkKind.RESCUE: ("triangle-down", COLOUR["high"], "white", 60),
    MarkKind.BLEEDING: (DROP, COLOUR["bleeding"], "white", 42),
    MarkKind.STOPPED: ("stroke", COLOUR["ink"], "white", 60),
    MarkKind.ONGOING: ("triangle-right", COLOUR["ink"], COLOUR["ink"], 30),
}
_PATHS = {"stroke": "M-0.45,-1L0.45,-1L0.45,1L-0.45,1Z"}


def _entries(language: str) -> list[Entry]:
    areas = [
        Entry(text=label(f"figures.lane-{state.value}", language), form="area", fill=fill, stroke=stroke)
        for state, (fill, stroke) in _FILLS.items()
    ]
    marks = [
        Entry(
            text=label(f"figures.mark-{kind.value}", language), form=_PATHS.get(shape, shape), fill=fill, stroke=stroke
        )
        for kind, (shape, fill, stroke, _) in _SHAPES.items()
    ]
    return [*areas, *marks]


def _row_height(count: int) -> float:
    return 20.0 if count <= 12 else 15.0 if count <= MOST_NAMES else 8.0


def _fitting(name: str) -> str:
    """Shorten a pseudonym that would leave no room for its lane."""
    while text_width(name, NAME_SIZE) > LONGEST_NAME:
        name = f"{name.removesuffix('…')[:-1]}…"
    return name


def _drawn(swimmer: Swimmer) -> list[Lane]:
    ordered = sorted(swimmer.lanes, key=lambda lane: (-lane.last_d, lane.name))
    return [ordered[index] for index in evenly(len(ordered), MOST_LANES)]


def _panel(swimmer: Swimmer, language: str) -> dict[str, Any]:
    lanes = _drawn(swimmer)
    height = _row_height(len(lanes))
    names = [_fitting(lane.name) if len(lanes) <= MOST_NAMES else "" for lane in lanes]
    left = max((text_width(name, NAME_SIZE) for name in names), default=0.0) + 10
    last = max([1.0, *(lane.last_d for lane in lanes)]) * 1.03
    width = PANEL_WIDTH + MARGIN - left
    x = day_axis(0.0, last, language)
    places = [(index + 0.5) * height for index in range(len(lanes))]
    layers = [
        *_spans(lanes, places, height, x),
        *_landmarks(swimmer, x, last, height * len(lanes)),
        *_marks(lanes, places, x),
        _names(names, places),
    ]
    return panel(layers, width=width, height=max(height * len(lanes), 20.0))


def _landmarks(swimmer: Swimmer, x: Any, last: float, height: float) -> list[dict[str, Any]]:
    days = [{"day": day} for day in swimmer.landmarks_d if day <= last]
    look = {"color": COLOUR["quiet"], "strokeWidth": 1, "strokeDash": [3, 3]}
    return [layer("rule", days, look, x=x, y=0, y2=height)]


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _spans(lanes: Sequence[Lane], places: Sequence[float], height: float, x: Any) -> list[dict[str, Any]]:
    half = 0.36 * height
    rows = []
    for lane, y in zip(lanes, places, strict=True):
        base = LaneSpan(start_d=0.0, stop_d=lane.last_d, state=LaneState.NONE)
        for span in (base, *lane.spans):
            fill, stroke = _FILLS[span.state]
            stop = max(span.stop_d, span.start_d)
            rows.append({"day": span.start_d, "stop": stop, "y": y - half, "y2": y + half, "f": fill, "s": stroke})
    told = {"fill": as_told("f"), "stroke": as_told("s")}
    sides = {"x": x, "x2": {"field": "stop"}, "y": _pixels("y"), "y2": {"field": "y2"}}
    return [layer("rect", rows[:MOST_MARKS], {"strokeWidth": 0.7}, **sides, **told)]


def _marks(lanes: Sequence[Lane], places: Sequence[float], x: Any) -> list[dict[str, Any]]:
    layers = []
    for kind, (shape, fill, stroke, size) in _SHAPES.items():
        rows = [
            {"day": mark.day, "y": y}
            for lane, y in zip(lanes, places, strict=True)
            for mark in lane.marks
            if mark.kind is kind
        ]
        look = {"shape": _PATHS.get(shape, shape), "size": size, "fill": fill, "stroke": stroke, "opacity": 1}
        if kind is MarkKind.ONGOING:
            look["xOffset"] = 5
        layers.append(layer("point", rows[:MOST_MARKS], {**look, "strokeWidth": 0.8}, x=x, y=_pixels("y")))
    return layers


def _names(names: Sequence[str], places: Sequence[float]) -> dict[str, Any]:
    rows = [{"text": name, "y": y} for name, y in zip(names, places, strict=True) if name]
    look = {"align": "right", "baseline": "middle", "fontSize": NAME_SIZE}
    return layer("text", rows, look, x=-6, y=_pixels("y"), text=WORDS)
