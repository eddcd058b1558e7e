# SPDX-License-Identifier: Apache-2.0
"""What the figures of a study share: axes, looks of groups, and how many marks stay readable.

A figure of five thousand patients is thinned by rank, never by chance: the same data give the same picture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from sirolens.message import Message
from sirolens.report.drawing import COLOUR, WORDS, layer, number
from sirolens.report.words import label, say

__all__ = [
    "HALO",
    "LOOKS",
    "count_axis",
    "day_axis",
    "day_ticks",
    "evenly",
    "look_of",
    "percent_axis",
    "side_text",
    "told",
]

HALO = MappingProxyType({"stroke": "white", "strokeWidth": 3, "strokeJoin": "round"})
"""Outline that keeps words readable over lines."""

LOOKS: tuple[tuple[str, tuple[int, ...]], ...] = (
    (COLOUR["line"], ()),
    (COLOUR["high"], (7, 3)),
    (COLOUR["platelet"], (2, 2)),
    (COLOUR["target_edge"], (9, 3, 2, 3)),
    (COLOUR["quiet"], (4, 4)),
)
"""Colour and dashes of the first, second ... group: they differ without colour too."""

COUNT_TICKS = (1, 3, 10, 30, 100, 300, 1000, 3000)
_STEPS_D = (1, 2, 7, 14, 28, 91, 182, 365, 730, 1825, 3650)


def told(name: Message | str, language: str) -> str:
    """Say a name that is a message, and leave a patient's or an arm's own name as it is.

    >>> told("P-01", "zh")
    'P-01'
    """
    return say(name, language) if isinstance(name, Message) else name


def look_of(index: int) -> tuple[str, tuple[int, ...]]:
    """Return colour and dashes of a group; after the last they begin again."""
    return LOOKS[index % len(LOOKS)]


def evenly(count: int, most: int) -> list[int]:
    """Choose at most so many of the ranks 0, 1 ... count - 1, evenly, with the first and the last.

    >>> evenly(5, 9), evenly(9, 3)
    ([0, 1, 2, 3, 4], [0, 4, 8])
    """
    if count <= most:
        return list(range(count))
    if most == 1:
        return [0]
    return sorted({round(index * (count - 1) / (most - 1)) for index in range(most)})


def day_ticks(last_d: float, most: int = 9) -> list[int]:
    """Choose the ticks of an axis of days: weeks for a short course, quarters of a year for a long one.

    >>> day_ticks(365)
    [0, 91, 182, 273, 364]
    """
    step = next((one for one in _STEPS_D if last_d / one <= most), _STEPS_D[-1])
    return list(range(0, int(last_d) + 1, step))


def day_axis(first_d: float, last_d: float, language: str, *, field: str = "day") -> dict[str, Any]:
    """Describe a channel of days since the first dose."""
    ticks = day_ticks(last_d)
    channel = number(
        field,
        (first_d, last_d),
        values=ticks,
        format="d",
        grid=True,
        labelOverlap=True,
        titleFontWeight="normal",
        titleColor=COLOUR["ink"],
        titleFontSize=11,
        titlePadding=6,
    )
    channel["axis"] |= {"title": label("figures.days", language), "domain": True, "ticks": True}
    del channel["axis"]["minExtent"], channel["axis"]["maxExtent"]
    return channel


def percent_axis(field: str, language: str, *, highest: float = 1.0) -> dict[str, Any]:
    """Describe a channel of probabilities, labelled in percent."""
    step = 0.25 if highest > 0.6 else 0.1 if highest > 0.25 else 0.05
    values = [round(index * step, 4) for index in range(int(highest / step + 1e-9) + 1)]
    sign = json.dumps("%" if language == "zh" else "\u00a0%")
    return number(field, (0.0, highest), values=values, labelExpr=f"format(100 * datum.value, 'd') + {sign}")


def count_axis(field: str, lowest: float, highest: float) -> dict[str, Any]:
    """Describe a logarithmic channel of platelet counts."""
    ticks = [tick for tick in COUNT_TICKS if lowest <= tick <= highest]
    channel = number(field, (lowest, highest), values=ticks, format="d")
    channel["scale"]["type"] = "log"
    return channel


def side_text(rows: Sequence[dict[str, object]], y: Any, *, x: float, color: str = COLOUR["quiet"]) -> dict[str, Any]:
    """Write words beside a panel, each at the height of what it names."""
    look = {"align": "left", "baseline": "middle", "color": color, "fontWeight": "bold"}
    return layer("text", rows, look, x=x, y=y, text=WORDS)
