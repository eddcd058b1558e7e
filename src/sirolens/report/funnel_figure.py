# SPDX-License-Identifier: Apache-2.0
"""The funnel plot: effects over their standard errors, and where 95 % of them would lie without heterogeneity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, Drawing
from sirolens.report.effect_axis import EffectScale, Ruler, axis_marks, side_axis_marks
from sirolens.report.legend import Entry
from sirolens.report.point_names import placed_names
from sirolens.report.sheet import PAGE, Field, Mark, Path, Point, Stroke, entries, paragraph, sheet
from sirolens.report.words import label

__all__ = ["FunnelPlot"]

LEFT, TOP, HEIGHT = 74.0, 8.0, 320.0
AREA = 46.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelPlot(Drawing):
    """Points with larger errors lie lower.

    Parameters
    ----------
    effects, errors : tuple of float
        On the scale of the analysis (logits, logarithms of ratios, differences); a point that is not finite or has no
        error above 0 is not drawn.
    names : tuple of str
        Of the studies; those outside the region are written beside their points where there is room.
    centre : float
        The pooled effect, on the same scale; nan: no region.
    axis : Message
        What is estimated.
    scale : EffectScale
        `LOGIT` for shares, `RATIO`, `DIFFERENCE`: how the axis is labelled.
    filled_effects, filled_errors : tuple of float
        Studies filled in by trim and fill, drawn hollow.
    level : float
        Of the region.
    statements : tuple of Message
        Under the plot, such as a test, or why there is none.
    """

    effects: tuple[float, ...]
    errors: tuple[float, ...]
    names: tuple[str, ...]
    centre: float
    axis: Message
    scale: EffectScale = EffectScale.LOGIT
    filled_effects: tuple[float, ...] = ()
    filled_errors: tuple[float, ...] = ()
    level: float = 0.95
    statements: tuple[Message, ...] = ()
    kind: ClassVar[str] = "funnel"

    def __post_init__(self) -> None:
        if not len(self.effects) == len(self.errors) == len(self.names):
            raise ValueError("as many names and errors as effects")
        if len(self.filled_effects) != len(self.filled_errors):
            raise ValueError("as many errors as effects filled in")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return _drawn(self, language)


def _pairs(effects: tuple[float, ...], errors: tuple[float, ...]) -> list[tuple[float, float]]:
    return [(y, e) for y, e in zip(effects, errors, strict=True) if math.isfinite(y) and math.isfinite(e) and e > 0]


def _rulers(figure: FunnelPlot, z: float) -> tuple[Ruler, Ruler]:
    points = _pairs(figure.effects, figure.errors) + _pairs(figure.filled_effects, figure.filled_errors)
    deepest = 1.08 * max([error for _, error in points] + [0.1])
    reach = [effect for effect, _ in points]
    if math.isfinite(figure.centre):
        reach += [figure.centre - z * deepest, figure.centre + z * deepest]
    low, high = (min(reach), max(reach)) if reach else (-1.0, 1.0)
    air = 0.05 * (high - low) or 1.0
    across = Ruler(low=low - air, high=high + air, start=LEFT, stop=PAGE - 20)
    return across, Ruler(low=0.0, high=deepest, start=TOP, stop=TOP + HEIGHT)


def _drawn(figure: FunnelPlot, language: str) -> dict[str, Any]:
    z = NormalDist().inv_cdf(0.5 + figure.level / 2)
    across, down = _rulers(figure, z)
    foot = TOP + HEIGHT
    marks: list[Mark] = [Field(x=across.start, y=TOP, x2=across.stop, y2=foot, fill="#f1f3f5")]
    known = math.isfinite(figure.centre)
    if known:
        centre = across.at(figure.centre)
        left, right = (across.at(figure.centre + side * z * down.high) for side in (-1, 1))
        marks.append(Path(points=((centre, TOP), (right, foot), (left, foot)), fill="white", stroke=COLOUR["quiet"]))
    error = label("figures.standard-error", language)
    marks += side_axis_marks(EffectScale.DIFFERENCE, down, x=across.start, language=language, title=error)
    marks += axis_marks(figure.scale, across, y=foot, language=language, title=told(figure.axis, language))
    if known:
        marks.append(Stroke(x=centre, y=TOP, x2=centre, y2=foot, colour=COLOUR["line"], dash=(4, 3)))
    points, unnamed = _points(figure, across, down, z)
    marks += points
    words, y = entries(_legend(figure, language), y=foot + 50)
    marks += words
    texts = [told(one, language) for one in figure.statements]
    if unnamed:
        texts.insert(0, label("figures.unnamed", language, points=unnamed))
    for text in texts:
        told_words, y = paragraph(text, x=0, y=y + 2, wide=PAGE - 12, size=10.0, line=13.5)
        marks += told_words
    return sheet(marks, height=y + 2)


def _points(figure: FunnelPlot, across: Ruler, down: Ruler, z: float) -> tuple[list[Mark], int]:
    """Points with their names, and how many that should have one found no place for it."""
    marks: list[Mark] = [
        Point(x=across.at(y), y=down.at(e), area=AREA, fill="white", stroke=COLOUR["high"], width=1.6)
        for y, e in _pairs(figure.filled_effects, figure.filled_errors)
    ]
    drawn = [
        (across.at(y), down.at(e), abs(y - figure.centre) > z * e, name)
        for y, e, name in zip(figure.effects, figure.errors, figure.names, strict=True)
        if math.isfinite(y) and math.isfinite(e) and e > 0
    ]
    marks += [Point(x=x, y=y, area=AREA, fill=COLOUR["line"], stroke="white") for x, y, _, _ in drawn]
    # Names outside the region matter most; few studies are all named.
    drawn.sort(key=lambda one: (not one[2], one[1]))
    named = drawn if len(drawn) <= 12 else [one for one in drawn if one[2]]
    # All points keep their place clear, those without a name and those filled in too.
    nameless = [mark for mark in marks if isinstance(mark, Point)]
    places = [(x, y) for x, y, _, _ in named] + [(point.x, point.y) for point in nameless]
    words, left_out = placed_names(
        places,
        [name for _, _, _, name in named] + [""] * len(nameless),
        (across.start, TOP, PAGE, TOP + HEIGHT),
        radii=[5.0] * len(places),
        most=len(named),
        lines=_edges(figure, across, down, z),
        needed=[outside for _, _, outside, _ in named] + [False] * len(nameless),
        away_from=across.at(figure.centre) if math.isfinite(figure.centre) else None,
    )
    unnamed = sum(index < len(named) for index in left_out)
    return [*marks, *(word for word in words if word.text)], unnamed


def _edges(figure: FunnelPlot, across: Ruler, down: Ruler, z: float) -> list[list[tuple[float, float]]]:
    """The lines of the region and of the pooled effect."""
    if not math.isfinite(figure.centre):
        return []
    top, foot = (across.at(figure.centre), down.start), down.stop
    return [[top, (across.at(figure.centre + side * z * down.high), foot)] for side in (-1, 0, 1)]


def _legend(figure: FunnelPlot, language: str) -> list[Entry]:
    found = [Entry(text=label("figures.study-head", language), form="circle", fill=COLOUR["line"])]
    if figure.filled_effects:
        found.append(Entry(text=label("figures.filled", language), form="circle", fill="white", stroke=COLOUR["high"]))
    if math.isfinite(figure.centre):
        percent = round(100 * figure.level, 6)
        region = label("figures.funnel-region", language, level_percent=percent)
        found.append(Entry(text=region, form="area", fill="white", stroke=COLOUR["quiet"]))
        pooled = label("figures.pooled-line", language)
        found.append(Entry(text=pooled, form="line", stroke=COLOUR["line"], dash=(4, 3)))
    return found
