# SPDX-License-Identifier: Apache-2.0
"""The dose figure: for every regimen, how likely a trough below, in and above the target is.

Each row is one bar of length one in three parts; every part has its own hatch and its own percent, so that the figure
reads without colour. The regimen taken now is marked, and the expected trough stands behind its bar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.drawing import COLOUR, MARGIN, WORDS, Drawing, as_told, layer, panel, stacked, text_width
from sirolens.report.drawing import WIDTH as PANEL_WIDTH
from sirolens.report.format import bare_number, format_probability
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label, say

__all__ = ["DoseBars", "DoseRow"]

WIDTH = PANEL_WIDTH + MARGIN
ROW_HEIGHT, BAR_HEIGHT = 26, 17
GAP = 12
LINE_HEIGHT, NAME_WIDTH = 14, 250.0
ROOM_FOR_PERCENT = 26.0  # pixels a part needs to hold its own percent


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """One regimen.

    Parameters
    ----------
    regimen : Message
        Its words.
    low_probability, in_probability, high_probability : float
        Probability that the trough is below, in or above the target; they sum to one.
    trough_ng_ml, trough_low_ng_ml, trough_high_ng_ml : float, optional
        Expected trough with its 90 % interval.
    current : bool
        It is what the patient takes now.
    """

    regimen: Message
    low_probability: float
    in_probability: float
    high_probability: float
    trough_ng_ml: float | None = None
    trough_low_ng_ml: float | None = None
    trough_high_ng_ml: float | None = None
    current: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseBars(Drawing):
    """Regimens with their chances, in the order given.

    Parameters
    ----------
    rows : tuple of DoseRow
        The regimens.
    target_low_ng_ml, target_high_ng_ml : float
        The target.
    """

    rows: tuple[DoseRow, ...]
    target_low_ng_ml: float
    target_high_ng_ml: float
    kind: ClassVar[str] = "doses"

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        return stacked([legend(_entries(self, language)), _panel(self, language, zone)])


def _parts(bars: DoseBars, language: str) -> tuple[tuple[str, str, str, str], ...]:
    """Field, words, fill and stroke of the three parts of a bar."""
    low, high = bars.target_low_ng_ml, bars.target_high_ng_ml
    plain_low = bare_number("low_ng_ml", low, language)
    return (
        ("low_probability", label("report.figure-below", language, low_ng_ml=low), "url(#pattern-low)", COLOUR["low"]),
        (
            "in_probability",
            label("report.figure-inside", language, low=plain_low, high_ng_ml=high),
            COLOUR["inside"],
            COLOUR["inside"],
        ),
        (
            "high_probability",
            label("report.figure-above", language, high_ng_ml=high),
            "url(#pattern-high)",
            COLOUR["high"],
        ),
    )


def _entries(bars: DoseBars, language: str) -> list[Entry]:
    return [Entry(text=text, form="area", fill=fill, stroke=stroke) for _, text, fill, stroke in _parts(bars, language)]


def _trough_text(row: DoseRow, language: str) -> str:
    if row.trough_ng_ml is None:
        return ""
    middle = bare_number("trough_ng_ml", row.trough_ng_ml, language)
    if row.trough_low_ng_ml is None or row.trough_high_ng_ml is None:
        return middle
    low, high = (bare_number("trough_ng_ml", one, language) for one in (row.trough_low_ng_ml, row.trough_high_ng_ml))
    return f"{middle} ({low}–{high})"


def _wrapped(text: str, most: float) -> list[str]:
    """Break a text into lines of at most so many pixels: at spaces, or between Chinese characters.

    >>> _wrapped("2 mg on Mondays and Fridays", 100.0)
    ['2 mg on Mondays', 'and Fridays']
    """
    lines, line = [], ""
    for piece in re.findall(r"[\u3000-\u9fff，。；：（）、]|[^\s\u3000-\u9fff，。；：（）、]+|\s+", text):
        if line.strip() and text_width((line + piece).strip(), 11.5) > most:
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()]


def _panel(bars: DoseBars, language: str, zone: str | None) -> dict[str, Any]:
    names = [_wrapped(_name(row, language, zone), NAME_WIDTH) for row in bars.rows]
    troughs = [_trough_text(row, language) for row in bars.rows]
    heads = (
        label("report.figure-regimen", language),
        label("report.figure-chance", language),
        label("report.figure-trough", language) if any(troughs) else "",
    )
    left = max(text_width(text, 11.5) for text in (*chain.from_iterable(names), heads[0])) + GAP
    right = max(text_width(text, 11.0) for text in (*troughs, heads[2])) + GAP if any(troughs) else 0.0
    length = WIDTH - left - right
    parts = _parts(bars, language)
    places = (0.0, left, left + length + GAP)
    words = [
        {"x": x, "y": ROW_HEIGHT / 2, "text": text, "weight": "bold"} for x, text in zip(places, heads, strict=True)
    ]
    segments: list[dict[str, Any]] = []
    top = float(ROW_HEIGHT)
    for row, lines, trough in zip(bars.rows, names, troughs, strict=True):
        height = max(ROW_HEIGHT, LINE_HEIGHT * len(lines) + 8)
        y = top + height / 2
        weight = "bold" if row.current else "normal"
        first = y - LINE_HEIGHT * (len(lines) - 1) / 2
        words += [
            {"x": 0.0, "y": first + LINE_HEIGHT * index, "text": line, "weight": weight}
            for index, line in enumerate(lines)
        ]
        words.append({"x": places[2], "y": y, "text": trough, "weight": weight})
        segments += _bar(row, parts, left, length, y)
        top += height
    layers = [*_segments(segments), *_percents(segments, language), *_words(words)]
    return panel(layers, width=WIDTH, height=top)


def _bar(
    row: DoseRow, parts: Sequence[tuple[str, str, str, str]], left: float, length: float, y: float
) -> list[dict[str, Any]]:
    """Lay the three parts of a bar end to end."""
    placed, x = [], left
    for field, _, fill, stroke in parts:
        share = float(getattr(row, field))
        look = {"fill": fill, "stroke": stroke, "share": share, "dark": field == "in_probability"}
        placed.append({"x": x, "x2": x + share * length, "y": y, **look})
        x += share * length
    return placed


def _name(row: DoseRow, language: str, zone: str | None) -> str:
    name = say(row.regimen, language, zone=zone)
    return label("report.figure-current", language, regimen=name) if row.current else name


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _segments(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bars = [{**row, "y": row["y"] - BAR_HEIGHT / 2, "y2": row["y"] + BAR_HEIGHT / 2} for row in rows]
    told = {"fill": as_told("fill"), "stroke": as_told("stroke")}
    sides = {"x": _pixels("x"), "x2": {"field": "x2"}, "y": _pixels("y"), "y2": {"field": "y2"}}
    return [layer("rect", bars, {"strokeWidth": 1}, **sides, **told)]


def _percents(rows: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """Percents where there is room: white on the dark part, dark with a white outline on the hatched ones."""
    told = [
        {
            "x": (row["x"] + row["x2"]) / 2,
            "y": row["y"],
            "text": format_probability(row["share"], language),
            "dark": row["dark"],
        }
        for row in rows
        if row["x2"] - row["x"] >= ROOM_FOR_PERCENT
    ]
    place = {"x": _pixels("x"), "y": _pixels("y"), "text": WORDS}
    look = {"align": "center", "baseline": "middle", "fontWeight": "bold"}
    outline = {**look, "color": "white", "stroke": "white", "strokeWidth": 3, "strokeJoin": "round"}
    hatched = [row for row in told if not row["dark"]]
    dark = [row for row in told if row["dark"]]
    return [
        layer("text", hatched, outline, **place),
        layer("text", hatched, look, **place),
        layer("text", dark, {**look, "color": "white"}, **place),
    ]


def _words(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    look = {"align": "left", "baseline": "middle"}
    return [
        layer(
            "text",
            [row for row in rows if row["weight"] == weight],
            {**look, "fontWeight": weight},
            x=_pixels("x"),
            y=_pixels("y"),
            text=WORDS,
        )
        for weight in ("normal", "bold")
    ]
