# SPDX-License-Identifier: Apache-2.0
"""A map of shares: kinds of patients down, treatments (or another trait) across, each field with its share and band."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import told
from sirolens.report.drawing import COLOUR, MARGIN, WIDTH, WORDS, Drawing, as_told, layer, panel, stacked, text_width
from sirolens.report.sheet import wrapped

__all__ = ["MOST_FIELDS", "PhenotypeMap", "Share"]

MOST_FIELDS = 400
ROW_HEIGHT = 34.0
NAME_SIZE = 11.0
LINE = 13.0  # height of a line of a heading
# From pale to deep of one blue: the order survives grey print; words turn white where the field is dark.
_PALE, _DEEP = (241, 246, 250), (14, 66, 105)
_WHITE_FROM = 0.55


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share between 0 and 1 with the range over which it was seen; nan where nothing is known."""

    middle: float
    low: float = math.nan
    high: float = math.nan


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PhenotypeMap(Drawing):
    """Shares by row and column.

    Parameters
    ----------
    rows, columns : tuple of Message or str
        Their names.
    shares : tuple of tuple of Share
        Row by row.
    row_title, column_title : Message
        What rows and columns are.
    """

    rows: tuple[Message | str, ...]
    columns: tuple[Message | str, ...]
    shares: tuple[tuple[Share, ...], ...]
    row_title: Message
    column_title: Message
    kind: ClassVar[str] = "phenotypes"

    def __post_init__(self) -> None:
        if len(self.shares) != len(self.rows) or any(len(row) != len(self.columns) for row in self.shares):
            raise ValueError(f"expected {len(self.rows)} rows of {len(self.columns)} shares")
        if len(self.rows) * len(self.columns) > MOST_FIELDS:
            raise ValueError(f"{len(self.rows)} x {len(self.columns)} fields; a figure holds at most {MOST_FIELDS}")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return stacked([_panel(self, language)])


def _colour(share: float) -> str:
    part = min(max(share, 0.0), 1.0)
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(_PALE, _DEEP, strict=True))


def _percent(share: float, language: str) -> str:
    return f"{100 * share:.0f}" + ("%" if language == "zh" else "\u00a0%")


def _panel(figure: PhenotypeMap, language: str) -> dict[str, Any]:
    names = [told(name, language) for name in figure.rows]
    left = max([text_width(name, NAME_SIZE) for name in names] + [0.0])
    width = max(WIDTH + MARGIN - left - 14, 160.0)
    wide = width / max(len(figure.columns), 1)
    heads = [wrapped(told(name, language), wide - 4, NAME_SIZE) for name in figure.columns]
    above = LINE * max([len(lines) - 1 for lines in heads] + [0])
    fields = [(index, place, share) for index, row in enumerate(figure.shares) for place, share in enumerate(row)]
    layers = [
        _squares(fields, wide),
        *(_numbers(fields, wide, language, white=white) for white in (False, True)),
        _names(names, x=-12 - left),
        _heads(heads, wide),
    ]
    title = f"{told(figure.row_title, language)} × {told(figure.column_title, language)}"
    return panel(layers, width=width, height=max(ROW_HEIGHT * len(names), ROW_HEIGHT), title=title, gap=24 + above)


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _squares(fields: list[tuple[int, int, Share]], wide: float) -> dict[str, Any]:
    rows = [
        {
            "left": place * wide + 1,
            "right": (place + 1) * wide - 1,
            "top": index * ROW_HEIGHT + 1,
            "foot": (index + 1) * ROW_HEIGHT - 1,
            "fill": _colour(share.middle) if math.isfinite(share.middle) else COLOUR["grid"],
        }
        for index, place, share in fields
    ]
    sides = {"x": _pixels("left"), "x2": {"field": "right"}, "y": _pixels("top"), "y2": {"field": "foot"}}
    return layer("rect", rows, {"opacity": 1}, **sides, fill=as_told("fill"))


def _numbers(fields: list[tuple[int, int, Share]], wide: float, language: str, *, white: bool) -> dict[str, Any]:
    rows = []
    for index, place, share in fields:
        dark = math.isfinite(share.middle) and share.middle >= _WHITE_FROM
        if dark is not white:
            continue
        middle = {"x": (place + 0.5) * wide, "y": (index + 0.5) * ROW_HEIGHT}
        if not math.isfinite(share.middle):
            rows.append({**middle, "text": "–"})
        elif math.isfinite(share.low) and math.isfinite(share.high):
            band = f"({100 * share.low:.0f}–{100 * share.high:.0f})"
            rows.append({**middle, "y": middle["y"] - 6, "text": _percent(share.middle, language)})
            rows.append({**middle, "y": middle["y"] + 8, "text": band})
        else:
            rows.append({**middle, "text": _percent(share.middle, language)})
    look = {"align": "center", "baseline": "middle", "fontSize": 11, "color": "white" if white else COLOUR["ink"]}
    return layer("text", rows, look, x=_pixels("x"), y=_pixels("y"), text=WORDS)


def _names(names: list[str], *, x: float) -> dict[str, Any]:
    rows = [{"text": name, "y": (index + 0.5) * ROW_HEIGHT} for index, name in enumerate(names)]
    look = {"align": "left", "baseline": "middle", "fontSize": NAME_SIZE}
    return layer("text", rows, look, x=x, y=_pixels("y"), text=WORDS)


def _heads(heads: list[tuple[str, ...]], wide: float) -> dict[str, Any]:
    rows = [
        {"text": line, "x": (place + 0.5) * wide, "y": -6 - (len(lines) - 1 - at) * LINE}
        for place, lines in enumerate(heads)
        for at, line in enumerate(lines)
    ]
    look = {"align": "center", "baseline": "bottom", "fontSize": NAME_SIZE, "limit": wide - 4, "clip": False}
    return layer("text", rows, look, x=_pixels("x"), y=_pixels("y"), text=WORDS)
