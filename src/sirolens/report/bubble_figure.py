# SPDX-License-Identifier: Apache-2.0
"""The bubble plot of a meta-regression: effects over a covariate, sized by weight, with the line and its band."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, Drawing
from sirolens.report.effect_axis import EffectScale, Ruler, axis_marks, side_axis_marks
from sirolens.report.legend import Entry
from sirolens.report.point_names import placed_names
from sirolens.report.sheet import PAGE, Mark, Path, Point, entries, paragraph, sheet
from sirolens.report.words import label

__all__ = ["BubblePlot"]

LEFT, TOP, HEIGHT = 74.0, 8.0, 320.0
LARGEST, SMALLEST = 17.0, 4.0  # radii


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BubblePlot(Drawing):
    """Bubbles, the fitted line and its band.

    Parameters
    ----------
    covariate, effects : tuple of float
        Of each study; effects on the scale of the analysis (logits, logarithms of ratios, differences). A study that is
        not finite is not drawn.
    weights : tuple of float
        Areas are in their proportion.
    names : tuple of str
    x_axis, y_axis : Message
        What they are.
    scale : EffectScale
        How effects are labelled: `LOGIT`, `RATIO`, `DIFFERENCE`.
    line_x, line, low, high : tuple of float
        The fitted line and its band, on the scale of the analysis, from left to right; may be empty.
    level : float
        Of the band.
    statements : tuple of Message
        Under the plot: slope, QM, how few studies.
    """

    covariate: tuple[float, ...]
    effects: tuple[float, ...]
    weights: tuple[float, ...]
    names: tuple[str, ...]
    x_axis: Message
    y_axis: Message
    scale: EffectScale = EffectScale.LOGIT
    line_x: tuple[float, ...] = ()
    line: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    level: float = 0.95
    statements: tuple[Message, ...] = ()
    kind: ClassVar[str] = "bubble"

    def __post_init__(self) -> None:
        if not len(self.covariate) == len(self.effects) == len(self.weights) == len(self.names):
            raise ValueError("as many effects, weights and names as covariates")
        if not len(self.line_x) == len(self.line) == len(self.low) == len(self.high):
            raise ValueError("a line, its low and its high end at the same points")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return _drawn(self, language)


def _span(values: list[float], air: float) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = air * (high - low) or 1.0
    return low - room, high + room


def _drawn(figure: BubblePlot, language: str) -> dict[str, Any]:
    studies = [
        (x, y, w, name)
        for x, y, w, name in zip(figure.covariate, figure.effects, figure.weights, figure.names, strict=True)
        if math.isfinite(x) and math.isfinite(y)
    ]
    foot = TOP + HEIGHT
    x_low, x_high = _span([x for x, _, _, _ in studies] + list(figure.line_x), 0.08)
    y_low, y_high = _reach(figure, [y for _, y, _, _ in studies])
    across = Ruler(low=x_low, high=x_high, start=LEFT, stop=PAGE - 20)
    up = Ruler(low=y_low, high=y_high, start=foot, stop=TOP)
    title_x, title_y = told(figure.x_axis, language), told(figure.y_axis, language)
    marks: list[Mark] = [
        *axis_marks(EffectScale.DIFFERENCE, across, y=foot, language=language, title=title_x, top=TOP),
        *side_axis_marks(figure.scale, up, x=LEFT, language=language, title=title_y, right=across.stop),
        *_fitted(figure, across, up),
    ]
    heaviest = max([w for _, _, w, _ in studies if math.isfinite(w)] + [0.0]) or 1.0
    studies.sort(key=lambda one: -(one[2] if math.isfinite(one[2]) else 0.0))
    places = [(across.at(x), up.at(y)) for x, y, _, _ in studies]
    radii = [
        max(LARGEST * math.sqrt(max(w, 0.0) / heaviest), SMALLEST) if math.isfinite(w) else SMALLEST
        for _, _, w, _ in studies
    ]
    marks += [
        Point(x=x, y=y, area=math.pi * radius**2, fill=COLOUR["band50"], stroke=COLOUR["inside"])
        for (x, y), radius in zip(places, radii, strict=True)
    ]
    words, left_out = placed_names(
        places,
        [name for _, _, _, name in studies],
        (LEFT, 0.0, PAGE, foot),
        radii=radii,
        most=25,
        lines=[[(across.at(x), up.at(y)) for x, y in zip(figure.line_x, figure.line, strict=True) if math.isfinite(y)]],
    )
    marks += words
    told_legend, y = entries(_legend(figure, language), y=foot + 50)
    marks += told_legend
    texts = [told(one, language) for one in figure.statements]
    if left_out:
        texts.insert(0, label("figures.unnamed", language, points=len(left_out)))
    for text in texts:
        said, y = paragraph(text, x=0, y=y + 2, wide=PAGE - 12, size=10.0, line=13.5)
        marks += said
    return sheet(marks, height=y + 2)


def _reach(figure: BubblePlot, effects: list[float]) -> tuple[float, float]:
    """The ends of the axis of effects: studies and line, and the band as far as it leaves them readable."""
    low, high = _span([*effects, *(one for one in figure.line if math.isfinite(one))], 0.12)
    room = 0.4 * (high - low)
    band = [one for one in (*figure.low, *figure.high) if math.isfinite(one)]
    return max(min([low, *band]), low - room), min(max([high, *band]), high + room)


def _fitted(figure: BubblePlot, across: Ruler, up: Ruler) -> list[Mark]:
    if not figure.line_x:
        return []
    xs = [across.at(x) for x in figure.line_x]
    lows = [(x, up.at(one)) for x, one in zip(xs, figure.low, strict=True) if math.isfinite(one)]
    highs = [(x, up.at(one)) for x, one in zip(xs, figure.high, strict=True) if math.isfinite(one)]
    line = [(x, up.at(one)) for x, one in zip(xs, figure.line, strict=True) if math.isfinite(one)]
    marks: list[Mark] = []
    if lows and highs:
        marks.append(Path(points=(*lows, *reversed(highs)), fill=COLOUR["band90"]))
    marks.append(Path(points=tuple(line), stroke=COLOUR["inside"], width=2.0))
    return marks


def _legend(figure: BubblePlot, language: str) -> list[Entry]:
    study = label("figures.bubble-study", language)
    found = [Entry(text=study, form="circle", fill=COLOUR["band50"], stroke=COLOUR["inside"])]
    if figure.line_x:
        found.append(Entry(text=label("figures.fitted-line", language), form="line", stroke=COLOUR["inside"]))
        band = label("figures.fitted-band", language, level_percent=round(100 * figure.level, 6))
        found.append(Entry(text=band, form="area", fill=COLOUR["band90"]))
    return found
