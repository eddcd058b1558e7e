# SPDX-License-Identifier: Apache-2.0
"""The platelet course of virtual patients as a fan: median, middle half and 90 % of them, arm by arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sirolens.message import Message
from sirolens.report.axes import count_axis, day_axis, look_of, side_text, told
from sirolens.report.drawing import COLOUR, WIDTH, Drawing, layer, panel, stacked
from sirolens.report.legend import Entry, legend
from sirolens.report.words import label

__all__ = ["MOST_FANS", "Fan", "Fans", "Observed"]

MOST_FANS = 5
HEIGHT = 240
LOWEST = 1.0  # a logarithmic axis has no zero; a count below 1 stands on the lowest line


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """Quantiles of the counts of one arm over time.

    Parameters
    ----------
    name : Message or str
        The arm.
    day : tuple of float
        Days since the first dose, in order.
    median, q25, q75, q05, q95 : tuple of float
        Counts [10^9/L] at those days.
    """

    name: Message | str
    day: tuple[float, ...]
    median: tuple[float, ...]
    q25: tuple[float, ...]
    q75: tuple[float, ...]
    q05: tuple[float, ...]
    q95: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A published median or mean that stands beside the fan: a day and a count [10^9/L]."""

    day: float
    count_10e9_l: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fans(Drawing):
    """One fan with both bands, or several arms with the band of their middle half.

    Parameters
    ----------
    fans : tuple of Fan
        At most `MOST_FANS`.
    observed : tuple of Observed
        Published counts.
    response_10e9_l, complete_10e9_l : float
        The thresholds labelled R and CR.
    """

    fans: tuple[Fan, ...]
    observed: tuple[Observed, ...] = ()
    response_10e9_l: float = 30.0
    complete_10e9_l: float = 100.0
    kind: ClassVar[str] = "fans"

    def __post_init__(self) -> None:
        if len(self.fans) > MOST_FANS:
            raise ValueError(f"{len(self.fans)} arms; a figure holds at most {MOST_FANS}")

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        entries = _entries(self, language)
        return stacked([*([legend(entries)] if entries else []), _panel(self, language)])


def _entries(figure: Fans, language: str) -> list[Entry]:
    if len(figure.fans) == 1:
        made = [
            Entry(text=label("figures.middle", language), form="line", stroke=COLOUR["line"]),
            Entry(text=label("figures.middle-half", language), form="area", fill=COLOUR["band50"]),
            Entry(text=label("figures.middle-90", language), form="area", fill=COLOUR["band90"]),
        ]
    else:
        looks = [look_of(index) for index in range(len(figure.fans))]
        made = [
            Entry(text=told(fan.name, language), form="line", stroke=colour, dash=dash)
            for fan, (colour, dash) in zip(figure.fans, looks, strict=True)
        ]
    if figure.observed:
        made.append(Entry(text=label("figures.published", language), form="diamond", fill=COLOUR["ink"]))
    return made


def _panel(figure: Fans, language: str) -> dict[str, Any]:
    days = [day for fan in figure.fans for day in fan.day] + [one.day for one in figure.observed]
    lowest = [max(one, LOWEST) for fan in figure.fans for one in _low(figure, fan)]
    highest = [one for fan in figure.fans for one in _high(figure, fan)]
    counts = [one.count_10e9_l for one in figure.observed]
    low = min([*lowest, *counts, figure.response_10e9_l / 3]) / 1.2
    high = max([*highest, *counts, figure.complete_10e9_l * 2]) * 1.25
    x, y = day_axis(min([0.0, *days]), max([1.0, *days]), language), count_axis("count", max(low, LOWEST / 1.2), high)
    layers = [one for fan in figure.fans for one in _bands(figure, fan, x, y)]
    layers += _thresholds(figure, y, language)
    layers += [one for index, fan in enumerate(figure.fans) for one in _median(figure, fan, index, x, y)]
    rows = [{"day": one.day, "count": one.count_10e9_l} for one in figure.observed]
    mark = {"shape": "diamond", "fill": COLOUR["ink"], "stroke": "white", "strokeWidth": 1, "size": 70, "opacity": 1}
    layers.append(layer("point", rows, mark, x=x, y=y))
    return panel(layers, width=WIDTH, height=HEIGHT, title=label("report.figure-platelet-title", language))


def _low(figure: Fans, fan: Fan) -> Sequence[float]:
    return fan.q05 if len(figure.fans) == 1 else fan.q25


def _high(figure: Fans, fan: Fan) -> Sequence[float]:
    return fan.q95 if len(figure.fans) == 1 else fan.q75


def _bands(figure: Fans, fan: Fan, x: Any, y: Any) -> list[dict[str, Any]]:
    def band(low: Sequence[float], high: Sequence[float], look: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {"day": day, "low": max(a, LOWEST), "high": max(b, LOWEST)}
            for day, a, b in zip(fan.day, low, high, strict=True)
        ]
        return layer("area", rows, look, x=x, y={**y, "field": "low"}, y2={"field": "high"})

    if len(figure.fans) == 1:
        wide = band(fan.q05, fan.q95, {"color": COLOUR["band90"], "opacity": 0.9})
        return [wide, band(fan.q25, fan.q75, {"color": COLOUR["band50"], "opacity": 0.9})]
    return [band(fan.q25, fan.q75, {"color": look_of(figure.fans.index(fan))[0], "opacity": 0.13})]


def _thresholds(figure: Fans, y: Any, language: str) -> list[dict[str, Any]]:
    rows: list[dict[str, object]] = [
        {"count": figure.response_10e9_l, "text": label("report.figure-r", language, count=figure.response_10e9_l)},
        {"count": figure.complete_10e9_l, "text": label("report.figure-cr", language, count=figure.complete_10e9_l)},
    ]
    rule = {"color": COLOUR["quiet"], "strokeWidth": 1, "strokeDash": [2, 2]}
    return [layer("rule", rows, rule, x=0, x2=WIDTH, y=y), side_text(rows, y, x=WIDTH + 6)]


def _median(figure: Fans, fan: Fan, index: int, x: Any, y: Any) -> list[dict[str, Any]]:
    colour, dash = (COLOUR["line"], ()) if len(figure.fans) == 1 else look_of(index)
    look: dict[str, Any] = {"color": colour, "strokeWidth": 2.4, "strokeJoin": "round"}
    if dash:
        look["strokeDash"] = list(dash)
    rows = [{"day": day, "count": max(count, LOWEST)} for day, count in zip(fan.day, fan.median, strict=True)]
    return [layer("line", rows, look, x=x, y=y)]
