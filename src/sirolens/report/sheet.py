# SPDX-License-Identifier: Apache-2.0
"""A sheet measured in pixels: lines, fields, shapes and words put where they belong, for figures laid out like a page.

Forest plots, flow diagrams and traffic lights are tables with marks in them; a grammar of scales cannot lay them out.
They place their parts here and are still drawn in Vega-Lite, by the one way to SVG and PNG.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias, final

from sirolens.report.drawing import COLOUR, MARGIN, WIDTH, WORDS, Drawing, layer, panel, stacked, text_width
from sirolens.report.legend import Entry
from sirolens.report.worded import unbroken

__all__ = [
    "PAGE",
    "TALLEST",
    "Field",
    "Mark",
    "Path",
    "Point",
    "Stroke",
    "Word",
    "entries",
    "height_of",
    "paragraph",
    "sheet",
    "widest",
    "width_of",
    "wrapped",
]

PAGE = WIDTH + MARGIN + 38.0
"""Width of a figure that fills the page, as wide as the others with their axes."""
TALLEST = 1000.0
"""Height of a figure that a printed page holds, its heading and caption included; a taller one is cut in pages."""
BOLDER = 1.07  # how much wider bold type runs


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A line of text; `x` is its left edge, middle or right edge as `align` says, `y` its middle."""

    text: str
    x: float
    y: float
    size: float = 11.0
    align: str = "left"
    bold: bool = False
    colour: str = COLOUR["ink"]
    turned: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A straight line."""

    x: float
    y: float
    x2: float
    y2: float
    colour: str = COLOUR["ink"]
    width: float = 1.0
    dash: tuple[int, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A rectangle."""

    x: float
    y: float
    x2: float
    y2: float
    fill: str = "white"
    stroke: str = ""
    width: float = 1.0
    corner: float = 0.0
    dash: tuple[int, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A closed or an open line through points."""

    points: tuple[tuple[float, float], ...]
    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    dash: tuple[int, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A marker of a shape and an area."""

    x: float
    y: float
    shape: str = "circle"
    area: float = 48.0
    fill: str = COLOUR["line"]
    stroke: str = ""
    width: float = 1.0


Mark: TypeAlias = Word | Stroke | Field | Path | Point


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width of a line of text.

    >>> width_of("目标", 10.0)
    20.0
    """
    return text_width(text, size) * (BOLDER if bold else 1.0)


def widest(texts: Iterable[str], size: float, *, bold: bool = False) -> float:
    """Return the width of the widest line."""
    return max((width_of(text, size, bold=bold) for text in texts), default=0.0)


# A word with the spaces after it, or one Chinese character with the punctuation that must not leave it.
_PARTS = re.compile(
    r"[（《「『“]*[\u2e80-\u2fff\u3003-\u3007\u3012-\uff00\uff10-\uffef][，。；：、）》」』”！？%,.;:)]*[ \n]*"
    r"|[（《「『“]*[^ \n/\u2e80-\uffef]+/(?=[A-Za-z]{3})"
    r"|[（《「『“]*[^ \n\u2e80-\uffef]+[，。；：、）》」』”！？]*[ \n]*"
    r"|[^\n ][ \n]*"
    r"|[ \n]+"
)


def wrapped(text: str, wide: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """Break a text into lines that fit, between words or Chinese characters; a longer word is cut where it must.

    >>> wrapped("criteria not reported", 60.0, 10.0)
    ('criteria not', 'reported')
    >>> wrapped("Events/patients", 60.0, 10.0)
    ('Events/', 'patients')
    >>> wrapped("缓解标准未报告，", 45.0, 10.0)
    ('缓解标准', '未报告，')
    """
    lines = [""]
    for part in _PARTS.findall(unbroken(text)):
        if lines[-1] and width_of((lines[-1] + part).rstrip(" \n"), size, bold=bold) > wide:
            lines.append("")
        rest = part
        while width_of(rest.rstrip(" \n"), size, bold=bold) > wide and len(rest) > 1:
            fits = max((at for at in range(1, len(rest)) if width_of(rest[:at], size, bold=bold) <= wide), default=1)
            lines[-1] += rest[:fits]
            rest = rest[fits:]
            lines.append("")
        lines[-1] += rest
    return tuple(line.strip(" \n") for line in lines)


def paragraph(
    text: str, *, x: float, y: float, wide: float, size: float, line: float, bold: bool = False, **look: Any
) -> tuple[list[Word], float]:
    """Set a text in lines under each other from a top edge; return them and the bottom edge."""
    lines = wrapped(text, wide, size, bold=bold)
    words = [
        Word(text=one, x=x, y=y + (index + 0.5) * line, size=size, bold=bold, **look)
        for index, one in enumerate(lines)
        if one
    ]
    return words, y + len(lines) * line


def entries(shown: Sequence[Entry], *, y: float, wide: float = PAGE) -> tuple[list[Mark], float]:
    """Set a legend in rows from a top edge, as `sirolens.report.legend` does above a panel; return its bottom edge."""
    marks: list[Mark] = []
    x, size, row = 0.0, 10.5, 18.0
    for entry in shown:
        needed = 26.0 + width_of(entry.text, size)
        if x and x + needed > wide:
            x, y = 0.0, y + row
        middle = y + row / 2
        if entry.form == "area":
            marks.append(Field(x=x, y=middle - 5, x2=x + 20, y2=middle + 5, fill=entry.fill, stroke=entry.stroke))
        elif entry.form == "line":
            end = x + 20
            marks.append(Stroke(x=x, y=middle, x2=end, y2=middle, colour=entry.stroke, width=2.0, dash=entry.dash))
        else:
            marks.append(Point(x=x + 10, y=middle, shape=entry.form, fill=entry.fill, stroke=entry.stroke, width=1.4))
        marks.append(Word(text=entry.text, x=x + 26, y=middle, size=size))
        x += needed + 18.0
    return marks, y + row


def sheet(marks: Iterable[Mark], *, width: float = PAGE, height: float) -> dict[str, Any]:
    """Describe a sheet in Vega-Lite; later marks lie over earlier ones, and words over all."""
    return stacked([panel(_layers(list(marks)), width=width, height=height)])


def height_of(figure: Drawing) -> float:
    """Return how high a figure on one sheet is, in the language in which it is higher."""
    return max(float(figure.spec(language, None)["vconcat"][0]["height"]) for language in ("en", "zh"))


def _layers(marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """One layer for neighbours of one look: drawing takes its time by layers, not by marks."""
    words = sorted((mark for mark in marks if isinstance(mark, Word)), key=_look)
    others = [mark for mark in marks if not isinstance(mark, Word)]
    return [_layer(list(group)) for _, group in groupby([*others, *words], _look)]


def _look(mark: Mark) -> tuple[Any, ...]:
    match mark:
        case Word():
            return ("word", mark.size, mark.align, mark.bold, mark.colour, mark.turned)
        case Stroke():
            return ("stroke", mark.colour, mark.width, mark.dash)
        case Field():
            return ("field", mark.fill, mark.stroke, mark.width, mark.corner, mark.dash)
        case Path():
            return ("path", mark.fill, mark.stroke, mark.width, mark.dash)
        case Point():
            return ("point", mark.shape, mark.fill, mark.stroke, mark.width)


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _layer(marks: list[Any]) -> dict[str, Any]:
    match marks[0]:
        case Word():
            return _words(marks)
        case Stroke():
            return _strokes(marks)
        case Field():
            return _fields(marks)
        case Path():
            return _paths(marks)
        case _:
            return _points(marks)


def _words(marks: list[Word]) -> dict[str, Any]:
    first = marks[0]
    look = {"align": first.align, "baseline": "middle", "fontSize": first.size, "color": first.colour}
    look |= {"fontWeight": "bold" if first.bold else "normal"} | ({"angle": 270} if first.turned else {})
    rows = [{"text": mark.text, "x": mark.x, "y": mark.y} for mark in marks]
    return layer("text", rows, look, x=_pixels("x"), y=_pixels("y"), text=WORDS)


def _strokes(marks: list[Stroke]) -> dict[str, Any]:
    first = marks[0]
    look: dict[str, Any] = {"color": first.colour, "strokeWidth": first.width}
    look |= {"strokeDash": list(first.dash)} if first.dash else {}
    rows = [{"x": mark.x, "y": mark.y, "x2": mark.x2, "y2": mark.y2} for mark in marks]
    return layer("rule", rows, look, x=_pixels("x"), y=_pixels("y"), x2={"field": "x2"}, y2={"field": "y2"})


def _fields(marks: list[Field]) -> dict[str, Any]:
    first = marks[0]
    look: dict[str, Any] = {"fill": first.fill or None, "stroke": first.stroke or None, "opacity": 1}
    look |= {"strokeWidth": first.width, "cornerRadius": first.corner}
    look |= {"strokeDash": list(first.dash)} if first.dash else {}
    rows = [{"x": mark.x, "y": mark.y, "x2": mark.x2, "y2": mark.y2} for mark in marks]
    return layer("rect", rows, look, x=_pixels("x"), y=_pixels("y"), x2={"field": "x2"}, y2={"field": "y2"})


def _paths(marks: list[Path]) -> dict[str, Any]:
    first = marks[0]
    look: dict[str, Any] = {"fill": first.fill or None, "stroke": first.stroke or None, "strokeWidth": first.width}
    look |= {"strokeDash": list(first.dash)} if first.dash else {}
    look |= {"opacity": 1, "interpolate": "linear-closed" if first.fill else "linear"}
    rows = [
        {"x": x, "y": y, "one": index, "step": step}
        for index, mark in enumerate(marks)
        for step, (x, y) in enumerate(mark.points)
    ]
    one, order = {"field": "one", "type": "nominal"}, {"field": "step", "type": "quantitative"}
    return layer("line", rows, look, x=_pixels("x"), y=_pixels("y"), detail=one, order=order)


def _points(marks: list[Point]) -> dict[str, Any]:
    first = marks[0]
    look: dict[str, Any] = {"shape": first.shape, "fill": first.fill or None, "stroke": first.stroke or None}
    look |= {"strokeWidth": first.width, "opacity": 1}
    rows = [{"x": mark.x, "y": mark.y, "area": mark.area} for mark in marks]
    area = {"field": "area", "type": "quantitative", "scale": None}
    return layer("point", rows, look, x=_pixels("x"), y=_pixels("y"), size=area)
