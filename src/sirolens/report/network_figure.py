# SPDX-License-Identifier: Apache-2.0
"""A diagram of a model: what is computed as boxes, what acts on what as arrows (raises) or bars (lowers)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, WORDS, Drawing, as_told, layer, panel, stacked, text_width
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label

__all__ = ["Box", "Link", "NetworkMap"]

COLUMN, ROW = 100.0, 62.0
BOX_HEIGHT, NAME_SIZE = 24.0, 10.5
_GAP = 4.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One quantity: its key, its words, where it stands (column and row, fractions allowed) and its kind.

    Parameters
    ----------
    key : str
        By which links name it.
    name : Message or str
        Its words.
    column, row : float
        Its place.
    kind : int
        Boxes of one kind have one colour.
    """

    key: str
    name: Message | str
    column: float
    row: float
    kind: int = 0


@final
@dataclass(frozen=True, slots=True)
class Link:
    """What acts on what: more of the source raises (+1) or lowers (-1) the target; 0: it depends."""

    source: str
    target: str
    sign: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMap(Drawing):
    """Boxes and the links between them; a link from a box to itself is not drawn.

    Parameters
    ----------
    boxes : tuple of Box
        With different keys.
    links : tuple of Link
        Between known keys.
    kinds : tuple of Message or str
        What each kind of box is, in the order of their numbers.
    """

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    kinds: tuple[Message | str, ...]
    kind: ClassVar[str] = "network"

    def __post_init__(self) -> None:
        keys = [box.key for box in self.boxes]
        unknown = {end for link in self.links for end in (link.source, link.target)} - set(keys)
        if len(set(keys)) < len(keys) or unknown:
            raise ValueError(f"boxes need different keys and links known ones; unknown: {sorted(unknown)}")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return stacked([legend(_entries(self, language)), _panel(self, language)])


FILLS = ("#e8eef3", "#d7e8f4", "#f7e3d8", "#e6f1e6", "#efe3f2", "#f5efdc")
SIGNS: Mapping[int, tuple[str, str]] = {
    1: (COLOUR["line"], "figures.raises"),
    -1: (COLOUR["high"], "figures.lowers"),
    0: (COLOUR["quiet"], "figures.depends"),
}


def _entries(figure: NetworkMap, language: str) -> list[Entry]:
    made = [
        Entry(text=told(name, language), form="area", fill=FILLS[index % len(FILLS)], stroke=COLOUR["quiet"])
        for index, name in enumerate(figure.kinds)
    ]
    signs = {link.sign for link in figure.links}
    for sign, (colour, words) in SIGNS.items():
        if sign in signs:
            made.append(Entry(text=label(words, language), form="line", stroke=colour, dash=() if sign else (2, 2)))
    return made


def _size(box: Box, language: str) -> tuple[float, float]:
    return text_width(told(box.name, language), NAME_SIZE) / 2 + 7, BOX_HEIGHT / 2


def _middle(box: Box) -> tuple[float, float]:
    return (box.column + 0.5) * COLUMN, (box.row + 0.5) * ROW


def _panel(figure: NetworkMap, language: str) -> dict[str, Any]:
    width = max((box.column + 1 for box in figure.boxes), default=1) * COLUMN
    height = max((box.row + 1 for box in figure.boxes), default=1) * ROW
    by_key = {box.key: box for box in figure.boxes}
    layers = [one for sign in SIGNS for one in _links(figure, by_key, sign, language)]
    layers += [_boxes(figure, language), _words(figure, language)]
    return panel(layers, width=width, height=height)


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _edge(box: Box, towards: tuple[float, float], language: str) -> tuple[float, float]:
    """Return where the line from a box's middle towards a point leaves the box, with a little gap."""
    (x, y), (half_width, half_height) = _middle(box), _size(box, language)
    dx, dy = towards[0] - x, towards[1] - y
    along = min(
        (half_width + _GAP) / abs(dx) if dx else math.inf, (half_height + _GAP) / abs(dy) if dy else math.inf, 1.0
    )
    return x + along * dx, y + along * dy


def _bent(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Bow a line a little to its left, so that the two directions between two boxes do not lie on each other."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    bow = min(14.0, 0.08 * math.hypot(dx, dy))
    length = math.hypot(dx, dy) or 1.0
    across = (dy / length * bow, -dx / length * bow)
    steps = 12
    return [
        (
            start[0] + dx * t + across[0] * 4 * t * (1 - t),
            start[1] + dy * t + across[1] * 4 * t * (1 - t),
        )
        for t in (step / steps for step in range(steps + 1))
    ]


def _links(figure: NetworkMap, by_key: Mapping[str, Box], sign: int, language: str) -> list[dict[str, Any]]:
    colour = SIGNS[sign][0]
    curves, heads = [], []
    drawn = [link for link in figure.links if link.sign == sign and link.source != link.target]
    for index, link in enumerate(drawn):
        source, target = by_key[link.source], by_key[link.target]
        path = _bent(_edge(source, _middle(target), language), _edge(target, _middle(source), language))
        curves += [{"x": x, "y": y, "one": index, "step": step} for step, (x, y) in enumerate(path)]
        heads.append(_head(path))
    look: dict[str, Any] = {"color": colour, "strokeWidth": 1.3, "opacity": 0.85}
    if sign == 0:
        look["strokeDash"] = [2, 2]
    one = {"field": "one", "type": "nominal"}
    order = {"field": "step", "type": "quantitative"}
    made = [layer("line", curves, look, x=_pixels("x"), y=_pixels("y"), detail=one, order=order)]
    return [*made, _marks(heads, colour, bar=sign < 0)]


def _head(path: Sequence[tuple[float, float]]) -> dict[str, float]:
    (x0, y0), (x1, y1) = path[-2], path[-1]
    return {"x": x1, "y": y1, "turn": math.degrees(math.atan2(y1 - y0, x1 - x0)) + 90.0}


def _marks(heads: list[dict[str, float]], colour: str, *, bar: bool) -> dict[str, Any]:
    look: dict[str, Any] = {"opacity": 1, "filled": True, "color": colour}
    # A bar across the line's end says "lowers", a triangle "raises": told apart without colour.
    look |= {"shape": "M-1,-0.18L1,-0.18L1,0.18L-1,0.18Z" if bar else "triangle-up", "size": 60 if bar else 46}
    turn = {"field": "turn", "type": "quantitative", "scale": None}
    return layer("point", [dict(head) for head in heads], look, x=_pixels("x"), y=_pixels("y"), angle=turn)


def _boxes(figure: NetworkMap, language: str) -> dict[str, Any]:
    rows = []
    for box in figure.boxes:
        (x, y), (half_width, half_height) = _middle(box), _size(box, language)
        sides = {"left": x - half_width, "right": x + half_width, "top": y - half_height, "foot": y + half_height}
        rows.append({**sides, "fill": FILLS[box.kind % len(FILLS)]})
    look = {"stroke": COLOUR["quiet"], "strokeWidth": 1, "cornerRadius": 4, "opacity": 1}
    edges = {"x": _pixels("left"), "x2": {"field": "right"}, "y": _pixels("top"), "y2": {"field": "foot"}}
    return layer("rect", rows, look, **edges, fill=as_told("fill"))


def _words(figure: NetworkMap, language: str) -> dict[str, Any]:
    rows = []
    for box in figure.boxes:
        x, y = _middle(box)
        rows.append({"text": told(box.name, language), "x": x, "y": y})
    look = {"align": "center", "baseline": "middle", "fontSize": NAME_SIZE}
    return layer("text", rows, look, x=_pixels("x"), y=_pixels("y"), text=WORDS)
