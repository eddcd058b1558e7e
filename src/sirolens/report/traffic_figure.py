# SPDX-License-Identifier: Apache-2.0
"""Traffic lights of how far studies can be trusted, study by study, and the summary as bars.

Every light carries a sign beside its colour, so that grey print and colour-blind readers lose nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, Drawing
from sirolens.report.effect_axis import EffectScale, Ruler, axis_marks
from sirolens.report.sheet import (
    PAGE,
    TALLEST,
    Field,
    Mark,
    Point,
    Stroke,
    Word,
    height_of,
    paragraph,
    sheet,
    width_of,
    wrapped,
)
from sirolens.report.words import label

__all__ = ["Light", "LightName", "TrafficLights", "TrafficSummary", "traffic_pages"]

SIZE, LINE, SMALL = 11.0, 14.0, 10.0
RADIUS = 9.0
ROW, WIDEST_NAME = 26.0, 300.0
MOST_STUDIES = 240


class Light(StrEnum):
    """A light: its colour and its sign.

    `GOOD` +, `SOME` −, `BAD` ×, `WORST` !, `UNKNOWN` ?, `NONE` an empty place (not applicable).
    """

    GOOD = "good"
    SOME = "some"
    BAD = "bad"
    WORST = "worst"
    UNKNOWN = "unknown"
    NONE = "none"


# Colour, sign, and the sign's colour. Lightness falls from good to worst, so that the order survives grey print.
LOOKS = MappingProxyType(
    {
        Light.GOOD: ("#b5e0cd", "+", COLOUR["ink"]),
        Light.SOME: ("#e8bf4a", "−", COLOUR["ink"]),
        Light.BAD: ("#d9552f", "×", "white"),
        Light.WORST: ("#7a1230", "!", "white"),
        Light.UNKNOWN: ("#c3ccd4", "?", COLOUR["ink"]),
        Light.NONE: ("#ffffff", "", COLOUR["ink"]),
    }
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LightName:
    """What a light means in the tool that was used."""

    light: Light
    name: Message | str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficLights(Drawing):
    """Studies down, domains across.

    Parameters
    ----------
    studies, domains : tuple of Message or str
        Their names. Domains are numbered over the columns and explained under the plot.
    lights : tuple of tuple of Light
        Study by study.
    meanings : tuple of LightName
        The tool's levels, for the legend; those that do not occur may be given too.
    overall : bool
        Whether the last domain is the overall judgement, set apart.
    study_head : Message
        Over the studies.
    statements : tuple of Message
        Under the plot.
    """

    studies: tuple[Message | str, ...]
    domains: tuple[Message | str, ...]
    lights: tuple[tuple[Light, ...], ...]
    meanings: tuple[LightName, ...]
    study_head: Message
    overall: bool = False
    statements: tuple[Message, ...] = ()
    kind: ClassVar[str] = "traffic"

    def __post_init__(self) -> None:
        if len(self.lights) != len(self.studies) or any(len(row) != len(self.domains) for row in self.lights):
            raise ValueError(f"expected {len(self.studies)} rows of {len(self.domains)} lights")
        if len(self.studies) > MOST_STUDIES:
            raise ValueError(f"{len(self.studies)} studies; a figure holds at most {MOST_STUDIES}")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return _lights(self, language)


def traffic_pages(figure: TrafficLights, most: int = 28) -> tuple[TrafficLights, ...]:
    """Split a long plot into plots that a page holds, of at most so many studies; statements stand under the last.

    >>> from sirolens.message import info
    >>> lights = ((Light.GOOD,),) * 30
    >>> plot = TrafficLights(
    ...     studies=("S",) * 30, domains=("D",), lights=lights, meanings=(), study_head=info("figures.study-head")
    ... )
    >>> [len(page.studies) for page in traffic_pages(plot)]
    [28, 2]
    """
    if not figure.studies:
        return (figure,)
    pages: list[TrafficLights] = []
    start = 0
    while start < len(figure.studies):
        pages.append(_page(figure, start, min(start + most, len(figure.studies))))
        start += len(pages[-1].studies)
    return tuple(pages)


def _page(figure: TrafficLights, start: int, stop: int) -> TrafficLights:
    """As many of the studies as a page holds, at least one."""
    while True:
        page = replace(
            figure,
            studies=figure.studies[start:stop],
            lights=figure.lights[start:stop],
            statements=figure.statements if stop == len(figure.studies) else (),
        )
        if stop == start + 1 or height_of(page) <= TALLEST:
            return page
        stop -= 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSummary(Drawing):
    """Which share of the studies has which light, domain by domain.

    Parameters
    ----------
    domains : tuple of Message or str
    shares : tuple of tuple of float
        Domain by domain, one share for each of `meanings`; a row adds up to 1, or is all nan.
    meanings : tuple of LightName
        The tool's levels, the best first.
    axis : Message
        What the shares are of: studies, or weight in the pool.
    overall : bool
        Whether the last domain is the overall judgement, set apart.
    statements : tuple of Message
        Under the plot.
    """

    domains: tuple[Message | str, ...]
    shares: tuple[tuple[float, ...], ...]
    meanings: tuple[LightName, ...]
    axis: Message
    overall: bool = False
    statements: tuple[Message, ...] = ()
    kind: ClassVar[str] = "traffic-summary"

    def __post_init__(self) -> None:
        if len(self.shares) != len(self.domains) or any(len(row) != len(self.meanings) for row in self.shares):
            raise ValueError(f"expected {len(self.domains)} rows of {len(self.meanings)} shares")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return _summary(self, language)


def _disc(light: Light, x: float, y: float) -> list[Mark]:
    fill, sign, colour = LOOKS[light]
    stroke = COLOUR["quiet"] if light is not Light.NONE else COLOUR["grid"]
    area = math.pi * RADIUS**2
    marks: list[Mark] = [Point(x=x, y=y, area=area, fill=fill, stroke=stroke)]
    if sign:
        marks.append(Word(text=sign, x=x, y=y, size=15.0, align="center", bold=True, colour=colour))
    return marks


def _by_layer(marks: Sequence[Mark]) -> list[Mark]:
    """Put marks of one look together; none of them lies over another."""
    points = sorted((mark for mark in marks if isinstance(mark, Point)), key=lambda mark: (mark.fill, mark.stroke))
    fields = sorted((mark for mark in marks if isinstance(mark, Field)), key=lambda mark: mark.fill)
    strokes = sorted((mark for mark in marks if isinstance(mark, Stroke)), key=lambda mark: mark.colour)
    return [*fields, *strokes, *points, *(mark for mark in marks if isinstance(mark, Word))]


def _is_short(figure: TrafficLights, language: str, wide: float) -> bool:
    """Whether the domains' own names fit over their columns in two lines."""
    return all(
        len(lines) <= 2 and max(width_of(line, SMALL, bold=True) for line in lines) <= wide
        for lines in (wrapped(told(name, language), wide, SMALL, bold=True) for name in figure.domains)
    )


def _balanced(text: str, wide: float) -> tuple[str, ...]:
    """Break a head into lines of about one length."""
    lines = wrapped(text, wide, SMALL, bold=True)
    for part in (0.6, 0.7, 0.8, 0.9):
        narrower = wrapped(text, wide * part, SMALL, bold=True)
        if len(narrower) == len(lines) and max(width_of(one, SMALL, bold=True) for one in narrower) <= wide:
            return narrower
    return lines


def _lights(figure: TrafficLights, language: str) -> dict[str, Any]:
    count = max(len(figure.domains), 1)
    names = [told(name, language) for name in figure.studies]
    head = told(figure.study_head, language)
    longest = max([width_of(name, SIZE) for name in names] + [width_of(head, SIZE, bold=True)]) + 16
    apart = 10.0 if figure.overall and count > 1 else 0.0
    least = width_of(_number(figure, count - 1, language), SIZE, bold=True) + 6 if figure.overall else 0.0
    cell = min(max((PAGE - apart - min(longest, WIDEST_NAME)) / count, 26.0, least), 90.0)
    left = min(longest, PAGE - apart - cell * count)
    short = _is_short(figure, language, cell - 4)
    heads = [
        _balanced(told(name, language), cell - 4) if short else (_number(figure, index, language),)
        for index, name in enumerate(figure.domains)
    ]
    top = LINE * max([len(lines) for lines in heads] + [1]) + 8
    xs = [
        left + (index + 0.5) * cell + (apart if figure.overall and index == count - 1 else 0.0)
        for index in range(len(figure.domains))
    ]
    marks: list[Mark] = [Word(text=head, x=0, y=top - 8 - LINE / 2, bold=True)]
    for x, lines in zip(xs, heads, strict=True):
        start = top - 8 - LINE * (len(lines) - 0.5)
        marks += [
            Word(text=line, x=x, y=start + at * LINE, size=SMALL if short else SIZE, align="center", bold=True)
            for at, line in enumerate(lines)
        ]
    right = left + cell * count + apart
    marks.append(Stroke(x=0, y=top - 2, x2=right, y2=top - 2))
    y = top
    for name, row in zip(names, figure.lights, strict=True):
        lines = wrapped(name, left - 12, SIZE)
        high = max(ROW, len(lines) * LINE + 6)
        middle = y + high / 2
        start = middle - LINE * (len(lines) - 1) / 2
        marks += [Word(text=line, x=0, y=start + at * LINE) for at, line in enumerate(lines)]
        for x, light in zip(xs, row, strict=True):
            marks += _disc(light, x, middle)
        marks.append(Stroke(x=0, y=y + high, x2=right, y2=y + high, colour=COLOUR["grid"]))
        y += high
    if apart:
        x = right - cell - apart / 2
        marks.append(Stroke(x=x, y=top - 2, x2=x, y2=y, colour=COLOUR["quiet"]))
    legend, y = _legend(figure.meanings, language, y + 10)
    marks += legend
    if not short:
        said, y = _explained(figure, language, y + 4)
        marks += said
    said, y = _statements(figure.statements, language, y + 4)
    return sheet(_by_layer([*marks, *said]), height=y + 2)


def _number(figure: TrafficLights, index: int, language: str) -> str:
    if figure.overall and index == len(figure.domains) - 1:
        return label("figures.overall", language)
    return f"D{index + 1}"


def _legend(meanings: Sequence[LightName], language: str, y: float) -> tuple[list[Mark], float]:
    marks: list[Mark] = []
    x = 0.0
    for one in meanings:
        name = told(one.name, language)
        wide = 2 * RADIUS + 6 + width_of(name, SIZE)
        if x and x + wide > PAGE:
            x, y = 0.0, y + 24
        marks += _disc(one.light, x + RADIUS, y + RADIUS)
        marks.append(Word(text=name, x=x + 2 * RADIUS + 6, y=y + RADIUS))
        x += wide + 20
    return marks, y + 24


def _explained(figure: TrafficLights, language: str, y: float) -> tuple[list[Mark], float]:
    """Say what the numbers over the columns stand for, in two columns where names are short."""
    named = figure.domains[:-1] if figure.overall else figure.domains
    texts = [(_number(figure, index, language), told(name, language)) for index, name in enumerate(named)]
    wide = PAGE / 2 - 12
    two = all(width_of(text, SMALL) < wide - 26 for _, text in texts)
    marks: list[Mark] = []
    half = math.ceil(len(texts) / 2) if two else len(texts)
    foot = y
    for start in range(0, len(texts), max(half, 1)):
        x, at = (PAGE / 2 if start else 0.0), y
        for number, text in texts[start : start + half]:
            marks.append(Word(text=number, x=x, y=at + LINE / 2, size=SMALL, bold=True))
            words, at = paragraph(
                text, x=x + 26, y=at, wide=(wide if two else PAGE) - 36, size=SMALL, line=LINE, colour=COLOUR["ink"]
            )
            marks += words
        foot = max(foot, at)
    return marks, foot


def _statements(statements: Sequence[Message], language: str, y: float) -> tuple[list[Mark], float]:
    marks: list[Mark] = []
    for one in statements:
        words, y = paragraph(
            told(one, language), x=0, y=y, wide=PAGE - 12, size=SMALL, line=13.5, colour=COLOUR["quiet"]
        )
        marks += words
        y += 2
    return marks, y


def _summary(figure: TrafficSummary, language: str) -> dict[str, Any]:
    names = [told(name, language) for name in figure.domains]
    left = min(max([width_of(name, SIZE, bold=True) for name in names] + [60.0]) + 16, 280.0)
    ruler = Ruler(low=0.0, high=1.0, start=left, stop=PAGE - 22)
    fields: list[Mark] = []
    words: list[Mark] = []
    y = 4.0
    for index, (name, row) in enumerate(zip(names, figure.shares, strict=True)):
        apart = figure.overall and index == len(names) - 1
        y += 8 if apart and index else 0
        lines = wrapped(name, left - 12, SIZE, bold=apart)
        high = max(ROW, len(lines) * LINE + 8)
        middle = y + high / 2
        start = middle - LINE * (len(lines) - 1) / 2
        words += [Word(text=line, x=0, y=start + at * LINE, bold=apart) for at, line in enumerate(lines)]
        bar, said = _bar(figure, row, ruler, middle)
        fields += bar
        words += said
        y += high
    under = axis_marks(EffectScale.SHARE, ruler, y=y + 2, language=language, title=told(figure.axis, language))
    legend, y = _legend(figure.meanings, language, y + 48)
    said, y = _statements(figure.statements, language, y + 4)
    return sheet(_by_layer([*fields, *words, *under, *legend, *said]), height=y + 2)


def _bar(figure: TrafficSummary, row: Sequence[float], ruler: Ruler, y: float) -> tuple[list[Mark], list[Mark]]:
    fields: list[Mark] = []
    words: list[Mark] = []
    before = 0.0
    if not any(map(math.isfinite, row)):
        return [], [Word(text="–", x=ruler.start + 6, y=y, size=SIZE, colour=COLOUR["quiet"])]
    for share, meaning in zip(row, figure.meanings, strict=True):
        if not math.isfinite(share) or share <= 0:
            continue
        fill, sign, colour = LOOKS[meaning.light]
        x, x2 = ruler.at(before), ruler.at(before + share)
        fields.append(Field(x=x, y=y - 9, x2=x2, y2=y + 9, fill=fill, stroke=COLOUR["quiet"], width=0.7))
        if sign and x2 - x > 12:
            middle = (x + x2) / 2
            words.append(Word(text=sign, x=middle, y=y, size=14.0, align="center", bold=True, colour=colour))
        before += share
    return fields, words
