# SPDX-License-Identifier: Apache-2.0
"""The forest plot: studies with their numbers and intervals, groups, pooled diamonds and prediction intervals.

The same figure shows a pool without each study in turn, and a pool as studies came in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, Drawing
from sirolens.report.effect_axis import EffectScale, Ruler, axis_marks, natural, told_interval
from sirolens.report.sheet import (
    PAGE,
    TALLEST,
    Field,
    Mark,
    Path,
    Stroke,
    Word,
    height_of,
    paragraph,
    sheet,
    widest,
    width_of,
    wrapped,
)
from sirolens.report.words import label

__all__ = ["MOST_ROWS", "ForestPlot", "ForestRow", "RowKind", "forest_pages", "note_sign"]

MOST_ROWS = 240
SIZE, LINE, AIR = 11.0, 14.0, 7.0
SMALL, SMALL_LINE = 10.0, 13.5
GAP = 14.0
NARROWEST_PLOT, WIDEST_PLOT = 190.0, 340.0
WIDEST_NAME, NARROWEST_NAME = 240.0, 96.0
WIDEST_COLUMN = 104.0
LARGEST_SQUARE, SMALLEST_SQUARE = 13.0, 3.5
_Cell: TypeAlias = tuple[float, str, tuple[str, ...]]
SIGNS = ("*", "†", "‡", "§", "#")


class RowKind(StrEnum):
    """What a row of a forest plot is.

    `STUDY`: a square and its interval. `HEADING`: names the rows under it. `SUBTOTAL`, `POOLED`: a diamond.
    `PREDICTION`: a bar from `low` to `high`. `NOTE`: small words across the page, such as the heterogeneity of a group.
    """

    STUDY = "study"
    HEADING = "heading"
    SUBTOTAL = "subtotal"
    POOLED = "pooled"
    PREDICTION = "prediction"
    NOTE = "note"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One row.

    Parameters
    ----------
    name : Message or str
        The study, the group, the model, or the words of a note.
    kind : RowKind
    middle, low, high : float
        As readers know them: a share between 0 and 1, a ratio, a difference. nan: nothing is drawn.
    columns : tuple of Message or str
        Texts under `ForestPlot.columns`, such as ``"12/20"``; may be empty.
    weight : float
        Its part of the pool, 0 to 1; nan when it has none.
    notes : tuple of int
        Which of `ForestPlot.notes` it is marked with.
    instead : Message, optional
        Stands for estimate and interval where there is none; by default "not estimable".
    """

    name: Message | str
    kind: RowKind = RowKind.STUDY
    middle: float = math.nan
    low: float = math.nan
    high: float = math.nan
    columns: tuple[Message | str, ...] = ()
    weight: float = math.nan
    notes: tuple[int, ...] = ()
    instead: Message | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ForestPlot(Drawing):
    """Rows in the order given.

    Parameters
    ----------
    rows : tuple of ForestRow
        At most `MOST_ROWS`; what a printed page does not hold is cut by `forest_pages`.
    axis : Message
        What is estimated.
    scale : EffectScale
        `SHARE` from 0 to 100 %; `RATIO` on a logarithmic axis with a line of none at 1; `DIFFERENCE` with one at 0.
    name_head : Message, optional
        Over the names; by default "Study".
    columns : tuple of Message or str
        Heads of the texts between name and plot.
    estimate_head : Message, optional
        Over the estimates; by default says what they are and the level of their intervals.
    level : float
        Of the intervals.
    weights : bool
        Whether weights are written; squares have their size by them in any case.
    sides : (Message, Message), optional
        What the two directions mean, such as who is favoured.
    reference : float, optional
        Where a dashed line stands; by default at the first pooled row.
    reach : (float, float), optional
        The ends of the axis, as readers know them; by default what the rows need.
    heaviest : float, optional
        The weight of the largest square; by default the largest of the rows.
    notes : tuple of Message
        Explained under the plot with the sign that rows carry.
    statements : tuple of Message
        Under the plot: heterogeneity, method, "two studies only".
    """

    rows: tuple[ForestRow, ...]
    axis: Message
    scale: EffectScale = EffectScale.SHARE
    name_head: Message | None = None
    columns: tuple[Message | str, ...] = ()
    estimate_head: Message | None = None
    level: float = 0.95
    weights: bool = True
    sides: tuple[Message, Message] | None = None
    reference: float | None = None
    reach: tuple[float, float] | None = None
    heaviest: float | None = None
    notes: tuple[Message, ...] = ()
    statements: tuple[Message, ...] = ()
    kind: ClassVar[str] = "forest"

    def __post_init__(self) -> None:
        if len(self.rows) > MOST_ROWS:
            raise ValueError(f"{len(self.rows)} rows; a forest plot holds at most {MOST_ROWS}")
        for row in self.rows:
            if row.columns and len(row.columns) != len(self.columns):
                raise ValueError(f"a row of {len(row.columns)} texts under {len(self.columns)} columns")
            if any(not 0 <= note < len(self.notes) for note in row.notes):
                raise ValueError(f"a row with the notes {row.notes}; there are {len(self.notes)}")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return _drawn(self, language)


def note_sign(index: int) -> str:
    """Return the sign of a note.

    >>> [note_sign(index) for index in (0, 1, 5)]
    ['*', '†', '**']
    """
    return SIGNS[index % len(SIGNS)] * (index // len(SIGNS) + 1)


def forest_pages(plot: ForestPlot, most: int = 30) -> tuple[ForestPlot, ...]:
    """Split a long forest plot into plots that a page holds; what stands under it stands under the last.

    A plot has at most so many rows, and fewer where long names make them high.

    Axis, sizes of squares and line of reference are those of the whole, so that pages can be compared.

    >>> from sirolens.message import info
    >>> rows = tuple(ForestRow(name=f"S{index}", middle=0.5) for index in range(50))
    >>> [len(page.rows) for page in forest_pages(ForestPlot(rows=rows, axis=info("figures.n", n=50)))]
    [30, 20]
    """
    if len(plot.rows) <= most and height_of(plot) <= TALLEST:
        return (plot,)
    low, high = _reach(plot)
    ends = (natural(plot.scale, low), natural(plot.scale, high))
    plot = replace(plot, reference=_reference(plot), reach=ends, heaviest=_heaviest(plot))
    pages = []
    start = 0
    while start < len(plot.rows):
        pages.append(_page(plot, start, min(start + most, len(plot.rows))))
        start += len(pages[-1].rows)
    return tuple(pages)


def _page(plot: ForestPlot, start: int, stop: int) -> ForestPlot:
    """As many of the rows as a page holds, at least one; a heading does not stay alone at its foot."""
    while True:
        while start + 1 < stop < len(plot.rows) and plot.rows[stop - 1].kind is RowKind.HEADING:
            stop -= 1
        statements = plot.statements if stop == len(plot.rows) else ()
        page = replace(plot, rows=plot.rows[start:stop], statements=statements)
        if stop == start + 1 or height_of(page) <= TALLEST:
            return page
        stop -= 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the columns stand; all in pixels from the left."""

    name_wide: float
    columns: tuple[tuple[float, float], ...]  # left edge and width
    plot: tuple[float, float]
    estimate: float
    weight: float  # right edge


def _drawn(figure: ForestPlot, language: str) -> dict[str, Any]:
    laid = _layout(figure, language)
    heads, top = _heads(figure, laid, language)
    places = _places(figure, laid, language, top)
    foot = places[-1][1] if places else top
    ruler = _ruler(figure, laid)
    marks: list[Mark] = [*heads, *_lines(figure, ruler, top, foot)]
    marks += axis_marks(figure.scale, ruler, y=foot + 2, language=language, title="")
    for row, (up, down) in zip(figure.rows, places, strict=True):
        if row.kind is RowKind.NOTE:
            marks.append(Field(x=0, y=up + 1, x2=PAGE, y2=down - 1))
    marks += _effects(figure, ruler, places)
    marks += _texts(figure, laid, places, language)
    under, bottom = _under(figure, ruler, language, foot + 22)
    return sheet([*marks, *under], height=bottom)


# --- columns ---------------------------------------------------------------------------------------------------------


def _estimate_words(figure: ForestPlot, row: ForestRow, language: str) -> str:
    if row.kind in (RowKind.HEADING, RowKind.NOTE):
        return ""
    if not math.isnan(row.middle) or (row.kind is RowKind.PREDICTION and not math.isnan(row.low)):
        return told_interval(figure.scale, row.middle, row.low, row.high, language)
    return told(row.instead, language) if row.instead else label("figures.not-estimable", language)


def _estimate_head(figure: ForestPlot, language: str) -> str:
    if figure.estimate_head is not None:
        return told(figure.estimate_head, language)
    share = figure.scale in (EffectScale.SHARE, EffectScale.LOGIT)
    percent = round(100 * figure.level, 6)
    if share:
        return label("figures.share-head", language, level_percent=percent)
    return label("figures.estimate-head", language, level_percent=percent)


def _weight_words(row: ForestRow, language: str) -> str:
    if not math.isfinite(row.weight) or row.kind in (RowKind.HEADING, RowKind.NOTE):
        return ""
    return f"{100 * row.weight:.1f}" + ("%" if language == "zh" else "\u00a0%")


def _name(figure: ForestPlot, row: ForestRow, language: str) -> str:
    signs = " ".join(note_sign(note) for note in row.notes)
    name = told(row.name, language)
    return f"{name}\u00a0{signs}" if signs else name


def _is_bold(row: ForestRow) -> bool:
    return row.kind in (RowKind.HEADING, RowKind.SUBTOTAL, RowKind.POOLED)


def _indent(figure: ForestPlot, row: ForestRow) -> float:
    grouped = any(one.kind is RowKind.HEADING for one in figure.rows)
    return 10.0 if grouped and row.kind is RowKind.STUDY else 0.0


def _name_head(figure: ForestPlot, language: str) -> str:
    return told(figure.name_head, language) if figure.name_head else label("figures.study-head", language)


def _layout(figure: ForestPlot, language: str) -> _Layout:
    rows = [row for row in figure.rows if row.kind is not RowKind.NOTE]
    estimates = [_estimate_words(figure, row, language) for row in rows]
    # Only numbers ask for room on one line; a sentence in place of numbers is wrapped, and so is a head.
    wanted = [
        width_of(text, SIZE, bold=_is_bold(row)) for row, text in zip(rows, estimates, strict=True) if not row.instead
    ]
    head = widest(_lines_of(_estimate_head(figure, language), 110.0, bold=True), SIZE, bold=True)
    estimate = max([*wanted, head, 70.0]) + 4
    weight = 0.0
    if figure.weights and any(math.isfinite(row.weight) for row in rows):
        weight = max(
            widest((_weight_words(row, language) for row in rows), SIZE, bold=True),
            width_of(label("figures.weight-head", language), SIZE, bold=True),
        )
    columns = [_column_wide(figure, index, language) for index in range(len(figure.columns))]
    fixed = sum(columns) + GAP * len(columns) + 2 * GAP + estimate + (weight + GAP if weight else 0.0)
    names = [width_of(_name(figure, row, language), SIZE, bold=_is_bold(row)) + _indent(figure, row) for row in rows]
    longest = max([*names, width_of(_name_head(figure, language), SIZE, bold=True)]) + 2
    name = min(longest, max(PAGE - fixed - 230.0, NARROWEST_NAME), WIDEST_NAME)
    plot = min(max(PAGE - fixed - name, NARROWEST_PLOT), WIDEST_PLOT)
    name = max(PAGE - fixed - plot, NARROWEST_NAME)  # what is left belongs to the names
    left, edges = name + GAP, []
    for wide in columns:
        edges.append((left, wide))
        left += wide + GAP
    plot = PAGE - left - GAP - estimate - (weight + GAP if weight else 0.0)
    right = left + plot
    return _Layout(
        name_wide=name, columns=tuple(edges), plot=(left, right), estimate=right + GAP, weight=PAGE if weight else 0.0
    )


def _column_wide(figure: ForestPlot, index: int, language: str) -> float:
    cells = [
        width_of(told(row.columns[index], language), SIZE, bold=_is_bold(row)) for row in figure.rows if row.columns
    ]
    # A head is broken between its words, and asks for the room of the longest.
    name = told(figure.columns[index], language)
    longest = 0.0 if language == "zh" else widest(name.replace("/", "/ ").split(), SIZE, bold=True)
    head = widest(_lines_of(name, max(longest, 70.0), bold=True), SIZE, bold=True)
    return min(max([*cells, head]) + 2, WIDEST_COLUMN)


def _lines_of(text: str, wide: float, *, bold: bool) -> tuple[str, ...]:
    return wrapped(text, wide, SIZE, bold=bold)


# --- rows ------------------------------------------------------------------------------------------------------------


def _cells(figure: ForestPlot, row: ForestRow, laid: _Layout, language: str) -> list[_Cell]:
    """The texts of a row: where they stand, how they are aligned, and their lines."""
    bold = _is_bold(row)
    if row.kind is RowKind.NOTE:
        return [(0.0, "left", wrapped(told(row.name, language), PAGE - 12, SMALL))]
    name = _name(figure, row, language)
    indent = _indent(figure, row)
    wide = laid.plot[0] - GAP if row.kind is RowKind.HEADING and not row.columns else laid.name_wide
    found = [(indent, "left", _lines_of(name, wide - indent, bold=bold))]
    if row.columns:
        for (left, across), text in zip(laid.columns, row.columns, strict=True):
            found.append((left + across / 2, "center", _lines_of(told(text, language), across + 2, bold=bold)))
    estimate = _estimate_words(figure, row, language)
    room = (laid.weight or PAGE) - laid.estimate
    found.append((laid.estimate, "left", _lines_of(estimate, room, bold=bold)))
    if laid.weight:
        found.append((laid.weight, "right", (_weight_words(row, language),)))
    return [(x, align, lines) for x, align, lines in found if any(lines)]


def _places(figure: ForestPlot, laid: _Layout, language: str, top: float) -> list[tuple[float, float]]:
    """The top and the foot of every row: as high as the longest of its texts needs."""
    places = []
    for index, row in enumerate(figure.rows):
        lines = max((len(lines) for _, _, lines in _cells(figure, row, laid, language)), default=1)
        line = SMALL_LINE if row.kind is RowKind.NOTE else LINE
        over = 6.0 if index and row.kind in (RowKind.HEADING, RowKind.POOLED) else 0.0
        places.append((top, top + over + lines * line + AIR))
        top = places[-1][1]
    return places


def _middle(row: ForestRow, place: tuple[float, float]) -> float:
    # The room above headings and pools is above their words, not around them.
    return (place[0] + place[1]) / 2 + (3.0 if row.kind in (RowKind.HEADING, RowKind.POOLED) else 0.0)


def _texts(figure: ForestPlot, laid: _Layout, places: Sequence[tuple[float, float]], language: str) -> list[Mark]:
    marks: list[Mark] = []
    for row, place in zip(figure.rows, places, strict=True):
        small = row.kind is RowKind.NOTE
        line, size = (SMALL_LINE, SMALL) if small else (LINE, SIZE)
        for x, align, lines in _cells(figure, row, laid, language):
            start = _middle(row, place) - line * (len(lines) - 1) / 2
            marks += [
                Word(
                    text=text,
                    x=x,
                    y=start + index * line,
                    size=size,
                    align=align,
                    bold=_is_bold(row),
                    colour=COLOUR["quiet"] if small else COLOUR["ink"],
                )
                for index, text in enumerate(lines)
            ]
    return marks


def _heads(figure: ForestPlot, laid: _Layout, language: str) -> tuple[list[Mark], float]:
    weight = width_of(label("figures.weight-head", language), SIZE, bold=True) + GAP if laid.weight else 0.0
    room = PAGE - laid.estimate - weight
    heads = [(0.0, "left", _lines_of(_name_head(figure, language), laid.name_wide, bold=True))]
    for (left, across), text in zip(laid.columns, figure.columns, strict=True):
        heads.append((left + across / 2, "center", _lines_of(told(text, language), across + 4, bold=True)))
    plot = laid.plot[1] - laid.plot[0]
    heads.append((sum(laid.plot) / 2, "center", _lines_of(told(figure.axis, language), plot + 10, bold=True)))
    heads.append((laid.estimate, "left", _lines_of(_estimate_head(figure, language), room, bold=True)))
    if laid.weight:
        heads.append((laid.weight, "right", (label("figures.weight-head", language),)))
    height = max(len(lines) for _, _, lines in heads) * LINE + 4
    marks: list[Mark] = []
    for x, align, lines in heads:
        start = height - 4 - LINE * (len(lines) - 0.5)
        marks += [
            Word(text=text, x=x, y=start + index * LINE, align=align, bold=True) for index, text in enumerate(lines)
        ]
    marks.append(Stroke(x=0, y=height + 1, x2=PAGE, y2=height + 1, colour=COLOUR["ink"]))
    return marks, height + 4


# --- the plot --------------------------------------------------------------------------------------------------------


def _reference(figure: ForestPlot) -> float | None:
    if figure.reference is not None:
        return figure.reference
    pools = [row.middle for row in figure.rows if row.kind is RowKind.POOLED and math.isfinite(row.middle)]
    return pools[0] if pools else None


def _ruler(figure: ForestPlot, laid: _Layout) -> Ruler:
    low, high = _reach(figure)
    return Ruler(low=low, high=high, start=laid.plot[0] + 8, stop=laid.plot[1] - 8)


def _reach(figure: ForestPlot) -> tuple[float, float]:
    """The ends of the axis: all shares; else what the estimates need, and intervals as far as they stay readable."""
    if figure.reach is not None:
        return figure.scale.place(figure.reach[0]), figure.scale.place(figure.reach[1])
    if figure.scale in (EffectScale.SHARE, EffectScale.LOGIT):
        return (0.0, 1.0) if figure.scale is EffectScale.SHARE else (-6.0, 6.0)
    place = figure.scale.place
    middles = [at for row in figure.rows if math.isfinite(at := place(row.middle))] + [0.0]
    ends = [at for row in figure.rows for one in (row.low, row.high) if math.isfinite(at := place(one))]
    least = math.log(2.0) if figure.scale is EffectScale.RATIO else 0.0
    low, high = min([*middles, -least]), max([*middles, least])
    room = 2.5 * ((high - low) or 1.0)  # intervals beyond are cut, with an arrow
    low, high = max(min([low, *ends]), low - room), min(max([high, *ends]), high + room)
    if figure.scale is EffectScale.RATIO:
        low, high = max(low, math.log(0.001)), min(high, math.log(1000.0))
    air = 0.04 * (high - low) or 1.0
    return low - air, high + air


def _lines(figure: ForestPlot, ruler: Ruler, top: float, foot: float) -> list[Mark]:
    marks: list[Mark] = []
    if figure.scale in (EffectScale.RATIO, EffectScale.DIFFERENCE):
        marks.append(Stroke(x=ruler.at(0.0), y=top, x2=ruler.at(0.0), y2=foot + 2, colour=COLOUR["quiet"], width=1.2))
    reference = _reference(figure)
    if reference is not None and ruler.low <= (at := figure.scale.place(reference)) <= ruler.high:
        x = ruler.at(at)
        marks.append(Stroke(x=x, y=top, x2=x, y2=foot + 2, colour=COLOUR["line"], width=1.0, dash=(4, 3)))
    return marks


def _heaviest(figure: ForestPlot) -> float:
    if figure.heaviest is not None:
        return figure.heaviest
    weights = (row.weight for row in figure.rows if row.kind is RowKind.STUDY)
    return max((weight for weight in weights if weight > 0), default=math.nan)


def _effects(figure: ForestPlot, ruler: Ruler, places: Sequence[tuple[float, float]]) -> list[Mark]:
    heaviest = _heaviest(figure)
    lines: list[Mark] = []
    arrows: list[Mark] = []
    solids: list[Mark] = []
    for row, place in zip(figure.rows, places, strict=True):
        y = _middle(row, place)
        ends = (figure.scale.place(row.low), figure.scale.place(row.high))
        middle = figure.scale.place(row.middle)
        if row.kind is RowKind.STUDY and not math.isnan(middle):
            if not any(map(math.isnan, ends)):
                lines.append(Stroke(x=ruler.at(ends[0]), y=y, x2=ruler.at(ends[1]), y2=y, width=1.4))
                arrows += _arrows(ruler, ends, y)
            if ruler.low <= middle <= ruler.high:
                solids.append(_square(ruler.at(middle), y, row.weight / heaviest))
        elif row.kind in (RowKind.POOLED, RowKind.SUBTOTAL) and math.isfinite(middle):
            solids.append(_diamond(row, ruler, ends, middle, y))
        elif row.kind is RowKind.PREDICTION and not any(map(math.isnan, ends)):
            left, right = ruler.at(ends[0]), ruler.at(ends[1])
            solids.append(Field(x=left, x2=right, y=y - 2.5, y2=y + 2.5, fill=COLOUR["dose"]))
            arrows += _arrows(ruler, ends, y, colour=COLOUR["dose"])
    return [*lines, *arrows, *solids]


def _arrows(ruler: Ruler, ends: tuple[float, float], y: float, *, colour: str = COLOUR["ink"]) -> list[Mark]:
    """Say with an arrow that an interval goes on beyond the axis."""
    found: list[Mark] = []
    if ends[0] < ruler.low - 1e-9:
        x = ruler.start
        found.append(Path(points=((x - 6, y), (x + 2, y - 4), (x + 2, y + 4)), fill=colour))
    if ends[1] > ruler.high + 1e-9:
        x = ruler.stop
        found.append(Path(points=((x + 6, y), (x - 2, y - 4), (x - 2, y + 4)), fill=colour))
    return found


def _square(x: float, y: float, part: float) -> Mark:
    side = 7.0 if math.isnan(part) else max(LARGEST_SQUARE * math.sqrt(max(part, 0.0)), SMALLEST_SQUARE)
    return Field(x=x - side / 2, y=y - side / 2, x2=x + side / 2, y2=y + side / 2, fill=COLOUR["line"])


def _diamond(row: ForestRow, ruler: Ruler, ends: tuple[float, float], middle: float, y: float) -> Mark:
    low, high = (middle if math.isnan(end) else end for end in ends)
    x = ruler.at(middle)
    left, right = min(ruler.at(low), x - 2.5), max(ruler.at(high), x + 2.5)
    pooled = row.kind is RowKind.POOLED
    half = 6.5 if pooled else 5.5
    fill = COLOUR["inside"] if pooled else COLOUR["band50"]
    points = ((left, y), (x, y - half), (right, y), (x, y + half))
    return Path(points=points, fill=fill, stroke=COLOUR["inside"], width=1.0)


# --- under the plot --------------------------------------------------------------------------------------------------


def _under(figure: ForestPlot, ruler: Ruler, language: str, y: float) -> tuple[list[Mark], float]:
    marks: list[Mark] = []
    if figure.sides is not None:
        y = _sides(figure.sides, figure.scale, ruler, language, y, marks)
    y += 6
    used = sorted({note for row in figure.rows for note in row.notes})
    texts = [f"{note_sign(note)}\u00a0{told(figure.notes[note], language)}" for note in used]
    texts += [told(one, language) for one in figure.statements]
    for text in texts:
        words, y = paragraph(text, x=0, y=y, wide=PAGE - 12, size=SMALL, line=SMALL_LINE, colour=COLOUR["ink"])
        marks += words
        y += 2
    return marks, y + 2


def _sides(
    sides: tuple[Message, Message], scale: EffectScale, ruler: Ruler, language: str, y: float, marks: list[Mark]
) -> float:
    """Write what lies on the two sides of no effect, each outward from it."""
    none = ruler.at(0.0) if scale in (EffectScale.RATIO, EffectScale.DIFFERENCE) else (ruler.start + ruler.stop) / 2
    texts = (f"←\u00a0{told(sides[0], language)}", f"{told(sides[1], language)}\u00a0→")
    rooms = (none - 6 - max(ruler.start - 120, 0.0), min(ruler.stop + 120, PAGE) - none - 6)
    foot = y
    for text, room, align, x in zip(texts, rooms, ("right", "left"), (none - 6, none + 6), strict=True):
        for index, line in enumerate(wrapped(text, room, SMALL)):
            marks.append(Word(text=line, x=x, y=y + (index + 0.5) * SMALL_LINE, size=SMALL, align=align))
            foot = max(foot, y + (index + 1) * SMALL_LINE)
    return foot
