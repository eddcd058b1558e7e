# SPDX-License-Identifier: Apache-2.0
"""The ROC curve: sensitivity over one minus specificity, with the diagonal of chance and the area in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import evenly, look_of, percent_axis, told
from sirolens.report.drawing import COLOUR, Drawing, layer, panel, stacked
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label

__all__ = ["Roc", "RocCurve"]

SIDE = 250
MOST_STEPS = 600


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RocCurve:
    """One curve.

    Parameters
    ----------
    name : Message or str
        What it is and its area, as it shall stand in the legend.
    false_positive, true_positive : tuple of float
        From (0, 0) to (1, 1).
    """

    name: Message | str
    false_positive: tuple[float, ...]
    true_positive: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Roc(Drawing):
    """Curves over each other."""

    curves: tuple[RocCurve, ...]
    kind: ClassVar[str] = "roc"

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        entries = [
            Entry(text=told(curve.name, language), form="line", stroke=look_of(index)[0], dash=look_of(index)[1])
            for index, curve in enumerate(self.curves)
        ]
        chance = Entry(text=label("figures.chance", language), form="line", stroke=COLOUR["planned"], dash=(3, 3))
        return stacked([legend([*entries, chance]), _panel(self, language)])


def _panel(figure: Roc, language: str) -> dict[str, Any]:
    x, y = percent_axis("fp", language), percent_axis("tp", language)
    x["axis"] |= {"grid": True, "title": label("figures.false-positive", language), "titleFontWeight": "normal"}
    del x["axis"]["minExtent"], x["axis"]["maxExtent"]
    diagonal = [{"fp": 0.0, "tp": 0.0}, {"fp": 1.0, "tp": 1.0}]
    layers = [layer("line", diagonal, {"color": COLOUR["planned"], "strokeDash": [3, 3]}, x=x, y=y)]
    for index, curve in enumerate(figure.curves):
        colour, dash = look_of(index)
        rows = [
            {"fp": curve.false_positive[i], "tp": curve.true_positive[i], "i": i}
            for i in evenly(len(curve.false_positive), MOST_STEPS)
        ]
        look: dict[str, Any] = {"color": colour, "strokeWidth": 2, "strokeJoin": "round"}
        if dash:
            look["strokeDash"] = list(dash)
        order = {"field": "i", "type": "quantitative"}
        layers.append(layer("line", rows, look, x=x, y=y, order=order))
    return panel(layers, width=SIDE, height=SIDE, title=label("figures.sensitivity", language))
