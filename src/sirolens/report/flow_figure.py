# SPDX-License-Identifier: Apache-2.0
"""The flow diagram of a review in the layout of PRISMA 2020: boxes that grow with their text, and arrows.

It knows boxes and lines, not reviews: what is left out by the caller is left out of the diagram.

Source: Page et al., BMJ 2021;372:n71, doi:10.1136/bmj.n71 (the order of the boxes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, Drawing
from sirolens.report.sheet import PAGE, Field, Mark, Path, Stroke, Word, paragraph, sheet, width_of, wrapped
from sirolens.report.words import label

__all__ = ["STEPS", "FlowArm", "FlowBox", "FlowDiagram", "FlowLine", "FlowStep"]

STEPS = 4
"""Rows of an arm: identified (phase of identification), screened, sought, assessed (phase of screening)."""
SIZES = {1: 11.5, 2: 11.5, 3: 11.0, 4: 10.5, 5: 10.0}
"""Type for so many columns."""
PAD, INDENT = 6.0, 7.0
BAR, BAR_GAP = 22.0, 10.0
DOWN = 22.0  # between rows
WIDEST = 320.0
HEAD_FILL, BAR_FILL = "#f1e6c8", "#cfe0ee"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """A line of a box.

    Parameters
    ----------
    text : Message or str
    count : int, optional
        Written behind it as ``(n = 12)``.
    indent : bool
        A part of the line above, such as one database or one reason.
    bold : bool
        A heading inside the box.
    pending : bool
        What nobody has decided yet: marked, and the box is dashed.
    """

    text: Message | str
    count: int | None = None
    indent: bool = False
    bold: bool = False
    pending: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBox:
    """A box of lines."""

    lines: tuple[FlowLine, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One row of an arm: what goes on, and beside it what leaves.

    Parameters
    ----------
    row : int
        0 identified, 1 screened, 2 sought, 3 assessed; rows of two arms stand beside each other.
    box : FlowBox
    aside : FlowBox, optional
    """

    row: int
    box: FlowBox
    aside: FlowBox | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FlowArm:
    """One way by which records came: its head and its steps in order; an arm of other methods has no row 1."""

    head: Message
    steps: tuple[FlowStep, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDiagram(Drawing):
    """The diagram.

    Parameters
    ----------
    main : FlowArm
        Databases and registers.
    new : FlowBox
        New studies and reports included.
    other : FlowArm, optional
        Other methods.
    previous_head, previous : Message and FlowBox, optional
        Studies of the earlier version.
    total : FlowBox, optional
        All studies included: with an earlier version.
    changes : FlowBox, optional
        Beside the total: what dropped out, what was reconsidered.
    draft : bool
        Whether records are undecided; said over the diagram.
    statements : tuple of Message
        Under the diagram.
    """

    main: FlowArm
    new: FlowBox
    other: FlowArm | None = None
    previous_head: Message | None = None
    previous: FlowBox | None = None
    total: FlowBox | None = None
    changes: FlowBox | None = None
    draft: bool = False
    statements: tuple[Message, ...] = ()
    kind: ClassVar[str] = "flow"

    def __post_init__(self) -> None:
        for arm in (self.main, self.other):
            rows = [step.row for step in arm.steps] if arm else []
            if rows != sorted(set(rows)) or any(not 0 <= row < STEPS for row in rows):
                raise ValueError(f"steps stand in the rows 0 to {STEPS - 1}, in order, not {rows}")
        if (self.previous is None) != (self.previous_head is None):
            raise ValueError("an earlier version has a head and a box")
        if self.changes is not None and self.total is None:
            raise ValueError("changes stand beside a total")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return _drawn(self, language)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A box on the sheet."""

    box: FlowBox
    x: float
    y: float
    x2: float
    y2: float

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x + self.x2) / 2, (self.y + self.y2) / 2


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Left edges of the columns that are used, and their common width."""

    wide: float
    size: float
    previous: float
    main: float
    aside: float
    other: float
    other_aside: float

    @property
    def line(self) -> float:
        """Height of a line."""
        return 1.28 * self.size


def _line_text(line: FlowLine, language: str) -> str:
    text = told(line.text, language)
    if line.count is None:
        return text
    number = f"{line.count:,}" if language == "en" else str(line.count)
    # The number stays with its n and its brackets.
    return label("figures.flow-count", language, text=text, n=number).replace("n = ", "n\u00a0=\u00a0")


def _lines(box: FlowBox, wide: float, size: float, language: str) -> Iterator[tuple[FlowLine, str, float]]:
    """Every line as it is broken, with its distance from the box's inner edge."""
    for line in box.lines:
        left = INDENT if line.indent else 0.0
        room = wide - 2 * PAD - left
        broken = wrapped(_line_text(line, language), room - (4.0 if line.indent else 0.0), size, bold=line.bold)
        for index, text in enumerate(broken):
            yield line, text, left + (4.0 if index and line.indent else 0.0)


def _height(box: FlowBox | None, at: _Columns, language: str) -> float:
    if box is None:
        return 0.0
    return len(list(_lines(box, at.wide, at.size, language))) * at.line + 2 * PAD


def _columns(figure: FlowDiagram) -> _Columns:
    aside = any(step.aside for step in figure.main.steps) or figure.changes is not None
    other_aside = figure.other is not None and any(step.aside for step in figure.other.steps)
    used = [figure.previous is not None, True, aside, figure.other is not None, other_aside]
    count = sum(used)
    start = BAR + BAR_GAP
    gap = 16.0 if count > 4 else 18.0
    wide = min((PAGE - start - gap * (count - 1)) / count, WIDEST)
    gap = min((PAGE - start - wide * count) / max(count - 1, 1), 60.0)
    lefts, left = [], start
    for one in used:
        lefts.append(left)
        left += (wide + gap) if one else 0.0
    previous, main, beside, other, other_beside = lefts
    return _Columns(
        wide=wide, size=SIZES[count], previous=previous, main=main, aside=beside, other=other, other_aside=other_beside
    )


def _drawn(figure: FlowDiagram, language: str) -> dict[str, Any]:
    at = _columns(figure)
    marks: list[Mark] = []
    y = 0.0
    if figure.draft:
        y = _draft(language, marks)
    heads, row_top = _heads(figure, at, language, y)
    marks += heads
    tops, feet = _rows(figure, at, language, row_top)
    placed = _placed(figure, at, tops, feet, language)
    marks += _phases(figure, language, y, tops, feet)
    marks += _arrows(figure, placed)
    marks += [_frame(one) for one in placed.values()]
    for one in placed.values():
        marks += _words(one, at, language)
    foot = max(one.y2 for one in placed.values()) + 10
    for statement in figure.statements:
        words, foot = paragraph(
            told(statement, language), x=0, y=foot, wide=PAGE - 12, size=10.0, line=13.5, colour=COLOUR["quiet"]
        )
        marks += words
    return sheet(marks, height=foot)


def _draft(language: str, marks: list[Mark]) -> float:
    text = label("figures.flow-draft", language)
    wide = width_of(text, 12.0, bold=True) + 24
    marks.append(Field(x=0, y=0, x2=wide, y2=22, fill="white", stroke=COLOUR["high"], width=1.6, dash=(5, 3)))
    marks.append(Word(text=text, x=12, y=11.5, size=12.0, bold=True, colour=COLOUR["high"]))
    return 32.0


def _heads(figure: FlowDiagram, at: _Columns, language: str, y: float) -> tuple[list[Mark], float]:
    spans: list[tuple[Message, float, float]] = []
    if figure.previous_head is not None:
        spans.append((figure.previous_head, at.previous, at.previous + at.wide))
    right = at.aside + at.wide if any(step.aside for step in figure.main.steps) else at.main + at.wide
    spans.append((figure.main.head, at.main, right))
    if figure.other is not None:
        beside = any(step.aside for step in figure.other.steps)
        spans.append((figure.other.head, at.other, (at.other_aside if beside else at.other) + at.wide))
    broken = [wrapped(told(head, language), x2 - x - 16, at.size, bold=True) for head, x, x2 in spans]
    high = max(len(lines) for lines in broken) * at.line + 10
    marks: list[Mark] = [
        Field(x=x, y=y, x2=x2, y2=y + high, fill=HEAD_FILL, stroke=COLOUR["rescue_edge"], corner=8.0)
        for _, x, x2 in spans
    ]
    for (_, x, x2), lines in zip(spans, broken, strict=True):
        start = y + high / 2 - at.line * (len(lines) - 1) / 2
        marks += [
            Word(text=text, x=(x + x2) / 2, y=start + index * at.line, size=at.size, align="center", bold=True)
            for index, text in enumerate(lines)
        ]
    return marks, y + high + 14


def _rows(figure: FlowDiagram, at: _Columns, language: str, top: float) -> tuple[list[float], list[float]]:
    """The top and the foot of every row, the two of the included ones last."""
    heights = [0.0] * (STEPS + 2)
    for arm in (figure.main, figure.other):
        for step in arm.steps if arm else ():
            for box in (step.box, step.aside):
                heights[step.row] = max(heights[step.row], _height(box, at, language))
    heights[0] = max(heights[0], _height(figure.previous, at, language))
    heights[STEPS] = _height(figure.new, at, language)
    heights[STEPS + 1] = max(_height(figure.total, at, language), _height(figure.changes, at, language))
    tops, feet = [], []
    for height in heights:
        tops.append(top)
        feet.append(top + height)
        top += height + (DOWN if height else 0.0)
    return tops, feet


def _placed(
    figure: FlowDiagram, at: _Columns, tops: list[float], feet: list[float], language: str
) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}

    def put(name: str, box: FlowBox | None, x: float, row: int, *, beside: bool = False) -> None:
        if box is not None:
            high = _height(box, at, language)
            # A box with nothing beside it stands at the top; the others are level with what leaves them.
            top = tops[row] if row == 0 and not beside else (tops[row] + feet[row] - high) / 2
            found[name] = _Placed(box=box, x=x, y=top, x2=x + at.wide, y2=top + high)

    put("previous", figure.previous, at.previous, 0)
    for arm, name, x, aside in (
        (figure.main, "main", at.main, at.aside),
        (figure.other, "other", at.other, at.other_aside),
    ):
        for step in arm.steps if arm else ():
            put(f"{name}-{step.row}", step.box, x, step.row, beside=step.aside is not None)
            put(f"{name}-{step.row}-aside", step.aside, aside, step.row, beside=True)
    put("new", figure.new, at.main, STEPS)
    put("total", figure.total, at.main, STEPS + 1)
    put("changes", figure.changes, at.aside, STEPS + 1)
    return found


def _frame(one: _Placed) -> Mark:
    open_ = any(line.pending for line in one.box.lines)
    stroke, dash = (COLOUR["high"], (5, 3)) if open_ else (COLOUR["quiet"], ())
    return Field(x=one.x, y=one.y, x2=one.x2, y2=one.y2, fill="white", stroke=stroke, dash=dash, width=1.2)


def _words(one: _Placed, at: _Columns, language: str) -> list[Mark]:
    return [
        Word(
            text=text,
            x=one.x + PAD + left,
            y=one.y + PAD + (index + 0.5) * at.line,
            size=at.size,
            bold=line.bold,
            colour=COLOUR["high"] if line.pending else COLOUR["ink"],
        )
        for index, (line, text, left) in enumerate(_lines(one.box, at.wide, at.size, language))
    ]


def _phases(figure: FlowDiagram, language: str, top: float, tops: list[float], feet: list[float]) -> list[Mark]:
    last = feet[STEPS + 1] if figure.total is not None else feet[STEPS]
    used = [row for row in range(1, STEPS) if feet[row] > tops[row]]
    spans = [("figures.flow-identification", top, feet[0])]
    if used:
        spans.append(("figures.flow-screening", tops[used[0]], feet[used[-1]]))
    spans.append(("figures.flow-included", tops[STEPS], last))
    marks: list[Mark] = []
    for _, start, stop in spans:
        marks.append(Field(x=0, y=start, x2=BAR, y2=stop, fill=BAR_FILL, stroke=COLOUR["low"], corner=6.0))
    for code, start, stop in spans:
        marks += _upright(label(code, language), (start + stop) / 2, language, stop - start)
    return marks


def _upright(text: str, y: float, language: str, room: float) -> list[Mark]:
    """Write a phase along its bar: Chinese from top to bottom, English turned, smaller where the bar is short."""
    if language == "zh":
        start = y - 14.0 * (len(text) - 1) / 2
        return [
            Word(text=sign, x=BAR / 2, y=start + index * 14.0, size=11.5, align="center", bold=True)
            for index, sign in enumerate(text)
        ]
    size = min(11.5, 11.5 * (room - 4) / width_of(text, 11.5, bold=True))
    return [Word(text=text, x=BAR / 2, y=y, size=size, align="center", bold=True, turned=True)]


# --- arrows ----------------------------------------------------------------------------------------------------------


def _arrow(*points: tuple[float, float]) -> list[Mark]:
    """A line through corners with a head at its end."""
    marks: list[Mark] = [
        Stroke(x=x, y=y, x2=x2, y2=y2, colour=COLOUR["quiet"], width=1.2) for (x, y), (x2, y2) in pairwise(points)
    ]
    (x, y), (x2, y2) = points[-2], points[-1]
    if x == x2:
        back = -6.0 if y2 > y else 6.0
        head = ((x2, y2), (x2 - 4, y2 + back), (x2 + 4, y2 + back))
    else:
        back = -6.0 if x2 > x else 6.0
        head = ((x2, y2), (x2 + back, y2 - 4), (x2 + back, y2 + 4))
    return [*marks, Path(points=head, fill=COLOUR["quiet"])]


def _arrows(figure: FlowDiagram, placed: dict[str, _Placed]) -> list[Mark]:
    marks: list[Mark] = []
    for arm, name in ((figure.main, "main"), (figure.other, "other")):
        boxes = [placed[f"{name}-{step.row}"] for step in arm.steps] if arm else []
        for one, after in pairwise(boxes):
            marks += _arrow((one.middle[0], one.y2), (one.middle[0], after.y))
        for step in arm.steps if arm else ():
            if step.aside is not None:
                one, aside = placed[f"{name}-{step.row}"], placed[f"{name}-{step.row}-aside"]
                marks += _arrow((one.x2, one.middle[1]), (aside.x, aside.middle[1]))
        if boxes and name == "main":
            marks += _arrow((boxes[-1].middle[0], boxes[-1].y2), (boxes[-1].middle[0], placed["new"].y))
        elif boxes:
            x, y = boxes[-1].middle[0], placed["new"].middle[1]
            marks += _arrow((x, boxes[-1].y2), (x, y), (placed["new"].x2, y))
    if "total" in placed:
        new, total = placed["new"], placed["total"]
        marks += _arrow((new.middle[0], new.y2), (new.middle[0], total.y))
        if "changes" in placed:
            changes = placed["changes"]
            marks += _arrow((changes.x, changes.middle[1]), (total.x2, total.middle[1]))
        if "previous" in placed:
            previous = placed["previous"]
            x, y = previous.middle[0], total.middle[1]
            marks += _arrow((x, previous.y2), (x, y), (total.x, y))
    return sorted(marks, key=lambda mark: isinstance(mark, Path))  # all lines, then all heads
