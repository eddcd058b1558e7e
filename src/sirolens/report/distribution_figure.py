# SPDX-License-Identifier: Apache-2.0
"""Values of several groups side by side: every point, the median with quartiles, and the target as a band.

Points are spread sideways by how crowded their height is, not by chance. Above `MOST_POINTS` a group, points of evenly
chosen ranks are drawn, so that the shape stays; median and quartiles are always of all values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import evenly, told
from sirolens.report.drawing import COLOUR, WIDTH, WORDS, Drawing, as_told, layer, number, panel, stacked, text_width
from sirolens.report.words import label

__all__ = ["MOST_POINTS", "Distributions", "Group"]

MOST_POINTS = 600
HEIGHT = 210
NAME_SIZE = 11.0
MOST_PAIRS = 120


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group of values.

    Parameters
    ----------
    name : Message or str
        What it is; drawn under it with the number of values.
    values : tuple of float
        Every value, finite.
    """

    name: Message | str
    values: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Distributions(Drawing):
    """Groups from left to right.

    Parameters
    ----------
    groups : tuple of Group
        At most eight stay apart.
    axis : Message
        What is measured, with its unit.
    band_low, band_high : float, optional
        The target.
    pairs : tuple of (float, float)
        First and second group of the same patients, joined by lines.
    """

    groups: tuple[Group, ...]
    axis: Message
    band_low: float | None = None
    band_high: float | None = None
    pairs: tuple[tuple[float, float], ...] = ()
    kind: ClassVar[str] = "distributions"

    @property
    def thinned(self) -> bool:
        """Whether some points are not drawn."""
        return any(len(group.values) > MOST_POINTS for group in self.groups) or len(self.pairs) > MOST_PAIRS

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return stacked([_panel(self, language)])


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of ordered values by linear interpolation between ranks.

    >>> quantile([1.0, 2.0, 4.0], 0.5)
    2.0
    """
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _domain(figure: Distributions) -> tuple[float, float]:
    values = [value for group in figure.groups for value in group.values]
    values += [edge for edge in (figure.band_low, figure.band_high) if edge is not None]
    if not values:
        return 0.0, 1.0
    low, high = min([0.0, *values]), max(values)
    air = (high - low) * 0.06 or 1.0
    return (low - air if low < 0 else 0.0), high + air


def _spread(ordered: Sequence[float], most: float, span: float) -> list[float]:
    """Place points of like height beside each other, from the middle outwards."""
    bin_height = span / 45
    bins: dict[int, list[int]] = {}
    for index, value in enumerate(ordered):
        bins.setdefault(int(value // bin_height), []).append(index)
    offsets = [0.0] * len(ordered)
    for members in bins.values():
        step = min(7.0, 2 * most / max(len(members), 1))
        for place, index in enumerate(members):
            side = 1 if place % 2 else -1
            offsets[index] = side * step * ((place + 1) // 2) if len(members) % 2 else side * step * (place // 2 + 0.5)
    return offsets


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _panel(figure: Distributions, language: str) -> dict[str, Any]:
    low, high = _domain(figure)
    y = number("value", (low, high), tickCount=6)
    room = WIDTH / max(len(figure.groups), 1)
    centres = [(index + 0.5) * room for index in range(len(figure.groups))]
    most = min(room * 0.36, 150.0)
    layers = [
        *_band(figure, y, language),
        *_pairs(figure, y, centres),
        *_points(figure, y, centres, most, high - low),
        *_boxes(figure, y, centres, most),
        *_names(figure, centres, room, language),
    ]
    return panel(layers, width=WIDTH, height=HEIGHT, title=told(figure.axis, language))


def _band(figure: Distributions, y: Any, language: str) -> list[dict[str, Any]]:
    if figure.band_low is None or figure.band_high is None:
        return []
    row = [{"value": figure.band_low, "top": figure.band_high}]
    edges = [{"value": edge, "text": f"{edge:g}"} for edge in (figure.band_low, figure.band_high)]
    rule = {"color": COLOUR["target_edge"], "strokeWidth": 1}
    words = {"align": "left", "baseline": "middle", "color": COLOUR["target_edge"], "fontWeight": "bold"}
    middle = [{"value": (figure.band_low + figure.band_high) / 2, "text": label("figures.target", language)}]
    return [
        layer("rect", row, {"color": COLOUR["target"]}, x=0, x2=WIDTH, y=y, y2={"field": "top"}),
        layer("rule", edges, rule, x=0, x2=WIDTH, y=y),
        layer("text", [*edges, *middle], words, x=WIDTH + 6, y=y, text=WORDS),
    ]


def _pairs(figure: Distributions, y: Any, centres: Sequence[float]) -> list[dict[str, Any]]:
    if not figure.pairs or len(centres) < 2:
        return []
    ordered = sorted(figure.pairs)
    rows = [
        {"value": value, "x": centre, "one": index}
        for index in evenly(len(ordered), MOST_PAIRS)
        for value, centre in zip(ordered[index], centres[:2], strict=True)
    ]
    look = {"color": COLOUR["planned"], "strokeWidth": 0.9}
    return [layer("line", rows, look, x=_pixels("x"), y=y, detail={"field": "one", "type": "nominal"})]


def _points(figure: Distributions, y: Any, centres: Sequence[float], most: float, span: float) -> list[dict[str, Any]]:
    # Paired values stand on the axis of their group, so that the lines between them meet them.
    layers = []
    for group, centre in zip(figure.groups, centres, strict=True):
        ordered = sorted(group.values)
        ordered = [ordered[index] for index in evenly(len(ordered), MOST_POINTS)]
        offsets = [0.0] * len(ordered) if figure.pairs else _spread(ordered, most, span)
        rows = [
            {"value": value, "x": centre + offset, "fill": _fill(figure, value)}
            for value, offset in zip(ordered, offsets, strict=True)
        ]
        dot = {"size": 26 if len(ordered) <= 200 else 12, "stroke": "white", "strokeWidth": 0.5, "opacity": 0.9}
        layers.append(layer("point", rows, dot, x=_pixels("x"), y=y, fill=as_told("fill")))
    return layers


def _fill(figure: Distributions, value: float) -> str:
    if figure.band_high is not None and value > figure.band_high:
        return COLOUR["high"]
    if figure.band_low is not None and value < figure.band_low:
        return COLOUR["low"]
    return COLOUR["inside"]


def _boxes(figure: Distributions, y: Any, centres: Sequence[float], most: float) -> list[dict[str, Any]]:
    half = min(most + 8, 150.0)
    boxes, medians = [], []
    for group, centre in zip(figure.groups, centres, strict=True):
        ordered = sorted(group.values)
        if len(ordered) < 3:
            continue  # quartiles of one or two values would draw precision that is not there
        low, middle, high = (quantile(ordered, share) for share in (0.25, 0.5, 0.75))
        side = {"x": centre - half, "x2": centre + half}
        boxes.append({**side, "value": low, "top": high})
        medians.append({**side, "value": middle})
    box = {"fill": None, "stroke": COLOUR["ink"], "strokeWidth": 1}
    line = {"stroke": COLOUR["ink"], "strokeWidth": 2.2}
    sides = {"x": _pixels("x"), "x2": {"field": "x2"}}
    return [
        layer("rect", boxes, box, **sides, y=y, y2={"field": "top"}),
        layer("rule", medians, line, **sides, y=y),
    ]


def _names(figure: Distributions, centres: Sequence[float], room: float, language: str) -> list[dict[str, Any]]:
    rows = []
    for group, centre in zip(figure.groups, centres, strict=True):
        name = told(group.name, language)
        while text_width(name, NAME_SIZE) > room - 6:
            name = f"{name.removesuffix('…')[:-1]}…"
        rows.append({"text": name, "x": centre, "below": 0})
        rows.append({"text": label("figures.n", language, n=len(group.values)), "x": centre, "below": 1})
    look = {"align": "center", "baseline": "top", "fontSize": NAME_SIZE}
    return [
        layer(
            "text",
            [row for row in rows if row["below"] == line],
            look,
            x=_pixels("x"),
            y=HEIGHT + 8 + 15 * line,
            text=WORDS,
        )
        for line in (0, 1)
    ]
