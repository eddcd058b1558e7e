# SPDX-License-Identifier: Apache-2.0
"""A row of legend entries above a figure: one mark and its words after the other, wrapped to the figure's width.

The legend is drawn by the same grammar as the figure, so that a hatch, a dash or a marker's shape looks in the legend
as it looks in the panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sirolens.report.drawing import MARGIN, WIDTH, WORDS, layer, panel, text_width

__all__ = ["Entry", "legend"]

TEXT_SIZE = 11.0
MARK_WIDTH, MARK_GAP, ENTRY_GAP, ROW_HEIGHT = 20.0, 6.0, 18.0, 18.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its words and how its mark looks.

    Parameters
    ----------
    text : str
        The words.
    form : str
        ``"area"``, ``"line"`` or a marker's shape.
    fill, stroke : str
        Colours or patterns; empty for none.
    dash : tuple of int
        Dashes of the stroke.
    """

    text: str
    form: str
    fill: str = ""
    stroke: str = ""
    dash: tuple[int, ...] = ()


def _placed(entries: Sequence[Entry], width: float) -> list[tuple[float, float, Entry]]:
    places, x, y = [], 0.0, ROW_HEIGHT / 2
    for entry in entries:
        needed = MARK_WIDTH + MARK_GAP + text_width(entry.text, TEXT_SIZE)
        if x > 0 and x + needed > width:
            x, y = 0.0, y + ROW_HEIGHT
        places.append((x, y, entry))
        x += needed + ENTRY_GAP
    return places


def legend(entries: Sequence[Entry], *, width: float = WIDTH + MARGIN) -> dict[str, Any]:
    """Draw the entries as a panel of their own, to be put above a figure."""
    places = _placed(entries, width)
    layers = []
    for x, y, entry in places:
        look: dict[str, Any] = {"fill": entry.fill or None, "stroke": entry.stroke or None}
        if entry.dash:
            look["strokeDash"] = list(entry.dash)
        if entry.form == "area":
            sides = {"x": x, "x2": x + MARK_WIDTH, "y": y - 5, "y2": y + 5}
            layers.append(layer("rect", [{}], {**look, "strokeWidth": 1}, **sides))
        elif entry.form == "line":
            layers.append(layer("rule", [{}], {**look, "strokeWidth": 2}, x=x, x2=x + MARK_WIDTH, y=y))
        else:
            look |= {"shape": entry.form, "size": 55, "strokeWidth": 1.4, "opacity": 1}
            layers.append(layer("point", [{}], look, x=x + MARK_WIDTH / 2, y=y))
        words = {"align": "left", "baseline": "middle", "fontSize": TEXT_SIZE}
        layers.append(layer("text", [{"text": entry.text}], words, x=x + MARK_WIDTH + MARK_GAP, y=y, text=WORDS))
    return panel(layers, width=width, height=max(y for _, y, _ in places) + ROW_HEIGHT / 2)
