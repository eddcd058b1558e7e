# SPDX-License-Identifier: Apache-2.0
"""What all figures share: one look that survives colour blindness and grey print, and one way to SVG and PNG.

A figure is a frozen dataclass of arrays and instants, a `Drawing`, that turns itself into a Vega-Lite description in a
language. `svg` and `png` render it in-process with the package's own font. The SVG carries no style attribute, no
script and no outside reference, and its ids begin with the figure's name, so that many figures fit on one strict page.
"""

from __future__ import annotations

import json
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

__all__ = [
    "COLOUR",
    "FONT",
    "MARGIN",
    "WIDTH",
    "WORDS",
    "Drawing",
    "as_told",
    "font_folder",
    "instant",
    "layer",
    "number",
    "panel",
    "png",
    "stacked",
    "svg",
    "text_width",
    "time_axis",
    "time_ticks",
    "wall_ms",
]

FONT = "Sirolens Sans"
WIDTH = 640  # pixels between the sides of a panel; the labels of lines stand in the margin right of it
MARGIN = 62
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.4.1.json"
MOST_ROWS = 5000

# Blue, orange and vermilion of the Okabe-Ito palette, darkened where they carry lines or text; they differ in
# lightness too, so that a print without colour keeps the order of importance.
COLOUR = MappingProxyType(
    {
        "ink": "#1c2733",
        "quiet": "#5b6875",
        "grid": "#e4e8ec",
        "line": "#0b5a8f",
        "band50": "#7fb2d6",
        "band90": "#c9dfee",
        "target": "#e3f1e6",
        "target_edge": "#3d7d57",
        "high": "#c4441a",
        "low": "#5b8fb9",
        "inside": "#14507d",
        "dose": "#4a5b6a",
        "planned": "#b9c4cd",
        "now": "#1c2733",
        "bleeding": "#a3123a",
        "rescue": "#efe6d2",
        "rescue_edge": "#a08748",
        "platelet": "#7a3b8f",
    }
)

# Fills that are more than a colour; a spec names them as `url(#pattern-name)`.
PATTERNS = MappingProxyType(
    {
        "pattern-high": (
            '<pattern id="pattern-high" patternUnits="userSpaceOnUse" width="6" height="6">'
            '<rect width="6" height="6" fill="#f6cdb9"/>'
            '<path d="M0,0L6,6M6,0L0,6" fill="none" stroke="#c4441a" stroke-width="0.9"/></pattern>'
        ),
        "pattern-low": (
            '<pattern id="pattern-low" patternUnits="userSpaceOnUse" width="6" height="6">'
            '<rect width="6" height="6" fill="#dbe8f2"/>'
            '<path d="M-1,1L1,-1M0,6L6,0M5,7L7,5" fill="none" stroke="#5b8fb9" stroke-width="1.1"/></pattern>'
        ),
        "pattern-above": (
            '<pattern id="pattern-above" patternUnits="userSpaceOnUse" width="9" height="9">'
            '<path d="M-1,1L1,-1M0,9L9,0M8,10L10,8" fill="none" stroke="#c4441a" stroke-width="0.7" '
            'stroke-opacity="0.45"/></pattern>'
        ),
        "pattern-rescue": (
            '<pattern id="pattern-rescue" patternUnits="userSpaceOnUse" width="5" height="5">'
            '<rect width="5" height="5" fill="#f5efe0"/>'
            '<path d="M0,2.5L5,2.5" fill="none" stroke="#d9c99c" stroke-width="0.8"/></pattern>'
        ),
        "pattern-planned": (
            '<pattern id="pattern-planned" patternUnits="userSpaceOnUse" width="3" height="3">'
            '<rect width="3" height="3" fill="#e8ecef"/>'
            '<path d="M0,3L3,0" fill="none" stroke="#8795a1" stroke-width="0.8"/></pattern>'
        ),
    }
)


_WIDTHS = {
    **dict.fromkeys(" \u00a0.,:;'|ijlI", 0.27),
    **dict.fromkeys("()[]-/rtf", 0.36),
    **dict.fromkeys("mwMW%×≥≤@", 0.85),
    **dict.fromkeys("ABCEFJKLPRSTVXYZbdnpq", 0.63),
    **dict.fromkeys("DGHNOQU&±", 0.72),
    **dict.fromkeys("—→←", 0.9),
    **dict.fromkeys("…†‡§", 1.0),
}
"""Widths of signs that differ from a digit's, in sizes of the font; every other sign is about as wide as a digit."""


class Drawing(ABC):
    """A figure that can say itself in a language."""

    __slots__ = ()
    kind: ClassVar[str]

    @abstractmethod
    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite, with words in a language and instants in a zone."""


def font_folder() -> Path:
    """Return the folder of the shipped fonts.

    >>> sorted(path.suffix for path in font_folder().iterdir())
    ['.otf', '.otf', '.txt']
    """
    with as_file(files("sirolens.report") / "fonts") as folder:
        return folder


@cache
def _register_fonts() -> None:
    import vl_convert

    vl_convert.register_font_directory(str(font_folder()))


def stacked(panels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Put panels under each other in the common look: a whole Vega-Lite description.

    The description is written directly: building the same with Altair's classes takes a second for one course, because
    they copy and check every part at every step. The tests check each figure against Altair's schema instead.
    """
    axis = {
        "labelColor": COLOUR["ink"],
        "labelFontSize": 11,
        "domainColor": COLOUR["quiet"],
        "tickColor": COLOUR["quiet"],
        "gridColor": COLOUR["grid"],
        "labelPadding": 5,
    }
    title = {"fontSize": 12.5, "fontWeight": "bold", "color": COLOUR["ink"], "anchor": "start", "frame": "bounds"}
    return {
        "$schema": SCHEMA,
        "vconcat": [dict(panel) for panel in panels],
        "spacing": 10,
        "background": "white",
        "padding": 4,
        "config": {
            "font": FONT,
            "aria": False,
            "axis": axis,
            "view": {"stroke": None},
            "title": title,
            "text": {"font": FONT, "fontSize": 11, "color": COLOUR["ink"]},
        },
    }


def panel(
    layers: Sequence[Mapping[str, Any]], *, width: float, height: float, title: str = "", gap: float = 6
) -> dict[str, Any]:
    """Lay layers over each other, the first at the bottom."""
    described: dict[str, Any] = {"layer": [dict(one) for one in layers], "width": width, "height": height}
    if title:
        described["title"] = {"text": title, "offset": gap}
    return described


def layer(mark: str, rows: Sequence[Mapping[str, object]], look: Mapping[str, Any], **channels: Any) -> dict[str, Any]:
    """Draw one mark for each row (a row of an area or line: one vertex), refusing more rows than a figure can hold."""
    if len(rows) > MOST_ROWS:
        raise ValueError(f"{len(rows)} rows; a layer of a figure holds at most {MOST_ROWS}")
    return {
        "data": {"values": [dict(row) for row in rows]},
        "mark": {"type": mark, **look},
        "encoding": {
            name: {"value": told} if isinstance(told, int | float) else dict(told) for name, told in channels.items()
        },
    }


def number(field: str, domain: tuple[float, float], **axis: Any) -> dict[str, Any]:
    """Describe a quantitative channel on a linear scale from edge to edge."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": list(domain), "nice": False},
        "axis": {"title": None, "domain": False, "ticks": False, "minExtent": 38, "maxExtent": 38, **axis},
    }


def instant(span: tuple[int, int], language: str, *, labels: bool) -> dict[str, Any]:
    """Describe the time channel ``t`` between two milliseconds; bars get no padding, so that all panels agree."""
    return {
        "field": "t",
        "type": "temporal",
        "scale": {"type": "utc", "domain": list(span), "nice": False, "padding": 0},
        "axis": time_axis(*span, language, labels=labels),
    }


def as_told(field: str) -> dict[str, Any]:
    """Describe a channel whose rows carry the look itself: a colour, a pattern, a shape, a text."""
    return {"field": field, "type": "nominal", "scale": None}


WORDS = MappingProxyType({"field": "text", "type": "nominal"})
"""The channel of a text's words."""


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text set in the shipped font: a Chinese character is one square of the size.

    >>> text_width("目标", 11.0)
    22.0
    """
    return size * sum(
        _WIDTHS.get(char) or (1.0 if unicodedata.east_asian_width(char) in "WF" else 0.57) for char in text
    )


def wall_ms(at: datetime, zone: str | None) -> int:
    """Return the clinic's wall-clock time as milliseconds, for axes whose ticks are calendar days there."""
    local = at.astimezone(ZoneInfo(zone)) if zone is not None and at.tzinfo is not None else at
    return round(local.replace(tzinfo=UTC).timestamp() * 1000)


_STEPS_D = (1, 2, 7, 14, 28)
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24)


def _days(first: datetime, last: datetime, step: int) -> list[datetime]:
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    day = day if day == first else day + timedelta(days=1)
    count = (last - day).days // step
    return [day + timedelta(days=step * index) for index in range(count + 1)]


def _months(first: datetime, last: datetime, step: int) -> list[datetime]:
    index = first.year * 12 + first.month - 1
    found: list[datetime] = []
    while True:
        month = datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)
        if month > last:
            return found
        if month >= first and index % step == 0:
            found.append(month)
        index += 1


def time_ticks(first_ms: int, last_ms: int, most: int = 9) -> list[int]:
    """Choose days for the ticks of a time axis: whole days, weeks or first days of months.

    >>> len(time_ticks(0, 30 * 86_400_000))
    5
    """
    first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (first_ms, last_ms))
    tries = [_days(first, last, step) for step in _STEPS_D if (last - first).days / step <= most]
    if not tries:
        tries = [_months(first, last, step) for step in _STEPS_MONTHS if (last - first).days / (30.4 * step) <= most]
    ticks = tries[0] if tries else [first, last]
    return [round(tick.timestamp() * 1000) for tick in ticks]


def time_axis(first_ms: int, last_ms: int, language: str, *, labels: bool) -> dict[str, Any]:
    """Describe a time axis with real dates; the year stands under the first tick and wherever it changes."""
    ticks = time_ticks(first_ms, last_ms)
    years = [datetime.fromtimestamp(tick / 1000, UTC).year for tick in ticks]
    with_year = [tick for index, tick in enumerate(ticks) if index == 0 or years[index] != years[index - 1]]
    day, year = ("%-d %b", "%Y") if language == "en" else ("%-m月%-d日", "%Y年")
    shown = f"[utcFormat(datum.value, '{day}'), utcFormat(datum.value, '{year}')]"
    plain = f"utcFormat(datum.value, '{day}')"
    return {
        "values": ticks,
        "labelExpr": f"indexof({json.dumps(with_year)}, time(datum.value)) >= 0 ? {shown} : {plain}",
        "labels": labels,
        "ticks": labels,
        "domain": labels,
        "grid": True,
        "title": None,
        "labelOverlap": False,
        "labelFlush": False,
        "labelLineHeight": 14,
    }


def _own_ids(text: str, name: str) -> str:
    """Rename every id in order of appearance, so that the text does not depend on what was drawn before."""
    found: dict[str, str] = {}
    for old in re.findall(r'\bid="([^"]+)"', text):
        found.setdefault(old, f"{name}-{len(found) + 1}")
    text = re.sub(r'\bid="([^"]+)"', lambda match: f'id="{found[match[1]]}"', text)
    return re.sub(r"url\(['\"]?#([^)'\"]+)['\"]?\)", lambda match: f"url(#{found.get(match[1], match[1])})", text)


def svg(drawing: Drawing, *, name: str, language: str, zone: str | None = None, alt: str = "") -> str:
    """Render a figure as SVG.

    Parameters
    ----------
    drawing : Drawing
        The figure.
    name : str
        Prefix of every id inside it; unique on its page.
    language : {"en", "zh"}
        Language of its words.
    zone : str, optional
        The clinic's time zone, an IANA name.
    alt : str
        What the figure shows, for those who do not see it.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    import vl_convert

    _register_fonts()
    text = str(vl_convert.vegalite_to_svg(drawing.spec(language, zone)))
    used = "".join(pattern for key, pattern in PATTERNS.items() if f"#{key}" in text)
    described = f"<title>{escape(alt)}</title>" if alt else ""
    role = ' role="img"' if alt else ' aria-hidden="true"'
    text = re.sub(r"<svg([^>]*)>", rf"<svg\1{role}>{described}<defs>{used}</defs>", text, count=1)
    text = text.replace(f'font-family="{FONT}"', f"font-family=\"'{FONT}', sans-serif\"")
    return _own_ids(text, name)


def png(drawing: Drawing, *, language: str, zone: str | None = None, scale: float = 3.0) -> bytes:
    """Render a figure as PNG, `scale` times its nominal 72 pixels per inch."""
    import vl_convert

    text = svg(drawing, name="figure", language=language, zone=zone)
    return bytes(vl_convert.svg_to_png(text, scale=scale))
