# SPDX-License-Identifier: Apache-2.0
"""Baujat's plot: which studies make the heterogeneity, and which move the pooled effect."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, Drawing
from sirolens.report.effect_axis import EffectScale, Ruler, axis_marks, side_axis_marks
from sirolens.report.point_names import placed_names
from sirolens.report.sheet import PAGE, Mark, Point, paragraph, sheet
from sirolens.report.words import label

__all__ = ["BaujatPlot"]

LEFT, TOP, HEIGHT = 74.0, 8.0, 300.0
AREA = 46.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BaujatPlot(Drawing):
    """One point a study; those at the upper right matter most.

    Parameters
    ----------
    heterogeneity : tuple of float
        Each study's part of Q.
    influence : tuple of float
        Squared, standardised change of the pooled effect without it; a point that is not finite is not drawn.
    names : tuple of str
    statements : tuple of Message
        Under the plot.
    """

    heterogeneity: tuple[float, ...]
    influence: tuple[float, ...]
    names: tuple[str, ...]
    statements: tuple[Message, ...] = ()
    kind: ClassVar[str] = "baujat"

    def __post_init__(self) -> None:
        if not len(self.heterogeneity) == len(self.influence) == len(self.names):
            raise ValueError("as many names and influences as parts of Q")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return _drawn(self, language)


def _drawn(figure: BaujatPlot, language: str) -> dict[str, Any]:
    points = [
        (q, moved, name)
        for q, moved, name in zip(figure.heterogeneity, figure.influence, figure.names, strict=True)
        if math.isfinite(q) and math.isfinite(moved)
    ]
    widest = max([q for q, _, _ in points] + [0.0]) or 1.0
    highest = max([moved for _, moved, _ in points] + [0.0]) or 1.0
    foot = TOP + HEIGHT
    across = Ruler(low=-0.02 * widest, high=1.08 * widest, start=LEFT, stop=PAGE - 20)
    up = Ruler(low=-0.03 * highest, high=1.08 * highest, start=foot, stop=TOP)
    even = EffectScale.DIFFERENCE
    marks: list[Mark] = [
        *axis_marks(even, across, y=foot, language=language, title=label("figures.baujat-q", language), top=TOP),
        *side_axis_marks(
            even, up, x=LEFT, language=language, title=label("figures.baujat-influence", language), right=across.stop
        ),
    ]
    points.sort(key=lambda one: -(one[0] / widest + one[1] / highest))
    places = [(across.at(q), up.at(moved)) for q, moved, _ in points]
    marks += [Point(x=x, y=y, area=AREA, fill=COLOUR["line"], stroke="white") for x, y in places]
    names = [name for _, _, name in points]
    words, left_out = placed_names(places, names, (LEFT, 0.0, PAGE, foot), radii=[4.5] * len(places), most=25)
    marks += words
    y = foot + 44
    texts = [told(one, language) for one in figure.statements]
    if left_out:
        texts.insert(0, label("figures.unnamed", language, points=len(left_out)))
    for text in texts:
        said, y = paragraph(text, x=0, y=y + 2, wide=PAGE - 12, size=10.0, line=13.5)
        marks += said
    return sheet(marks, height=y + 2)
