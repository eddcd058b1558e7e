# SPDX-License-Identifier: Apache-2.0
"""The level-time figure: model band, target band, measured points and the doses under them, on real dates.

The median is solid up to now and dashed after it; the target band has labelled edges and what lies above it is hatched;
a point's shape tells its assay, a hollow struck one was excluded, a triangle lies outside the assay's range. Under the
axis every dose is a bar of its height in mg, hollow when missed or uncertain. Platelet counts may stand beneath.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, final

from sirolens.report.drawing import (
    COLOUR,
    WIDTH,
    WORDS,
    Drawing,
    as_told,
    instant,
    layer,
    number,
    panel,
    stacked,
    text_width,
    wall_ms,
)
from sirolens.report.format import bare_number, format_date, format_value
from sirolens.report.legend import Entry, legend
from sirolens.report.platelet_figure import PlateletCourse, platelet_entries, platelet_panel, platelet_span
from sirolens.report.words import label, term

__all__ = ["Band", "DoseBar", "LevelCourse", "LevelPoint"]

LEVEL_HEIGHT, DOSE_HEIGHT = 190, 40
MOST_TIMES = 1200
LONGEST_PATTERN = 14  # a week of two doses a day
SHAPES = ("circle", "square", "diamond", "cross", "M-1,-0.4H1V0.4H-1Z", "M-0.4,-1V1H0.4V-1Z")
BELOW, ABOVE = "triangle-down", "triangle-up"
STRUCK = "M-0.8,0A0.8,0.8,0,1,0,0.8,0A0.8,0.8,0,1,0,-0.8,0M-1.2,1.2L1.2,-1.2"
DAY_MS = 86_400_000

_HOLLOW = {"fill": "white", "stroke": COLOUR["dose"]}
_DOSE_LOOKS = {
    "taken": {"fill": COLOUR["dose"], "stroke": COLOUR["dose"]},
    "planned": {"fill": "url(#pattern-planned)", "stroke": COLOUR["planned"]},
    "missed": _HOLLOW,
    "uncertain": _HOLLOW,
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What the model says the level was and will be.

    Parameters
    ----------
    at : sequence of datetime
        The times, ascending, shape (n,).
    median, low50, high50, low90, high90 : sequence of float
        Quantiles of the level at each time, ng/mL, shape (n,).
    """

    at: Sequence[datetime]
    median: Sequence[float]
    low50: Sequence[float]
    high50: Sequence[float]
    low90: Sequence[float]
    high90: Sequence[float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPoint:
    """One level.

    Parameters
    ----------
    at : datetime
        When it was drawn.
    level_ng_ml : float
        The value, or the assay's limit.
    assay : str
        The assay, as a word of the program's vocabulary.
    quantification : {"measured", "below", "above"}
        Where it lies relative to the assay's range.
    excluded : bool
        It is shown and not used.
    """

    at: datetime
    level_ng_ml: float
    assay: str = "unknown"
    quantification: str = "measured"
    excluded: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseBar:
    """One dose: ``"taken"``, ``"missed"``, ``"uncertain"`` or ``"planned"``."""

    at: datetime
    amount_mg: float
    status: str = "taken"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCourse(Drawing):
    """Levels, model, target and doses over time; platelet counts beneath if given.

    Parameters
    ----------
    now : datetime
        Where the past ends.
    target_low_ng_ml, target_high_ng_ml : float
        The target band.
    band : Band, optional
        The model's curve.
    points : tuple of LevelPoint
        The measured levels.
    doses : tuple of DoseBar
        The doses.
    platelets : PlateletCourse, optional
        Drawn on the same dates under the doses.
    """

    now: datetime
    target_low_ng_ml: float
    target_high_ng_ml: float
    band: Band | None = None
    points: tuple[LevelPoint, ...] = ()
    doses: tuple[DoseBar, ...] = ()
    platelets: PlateletCourse | None = None
    kind: ClassVar[str] = "levels"

    def spec(self, language: str, zone: str | None) -> dict[str, Any]:
        """Describe the figure in Vega-Lite."""
        span = _span(self, zone)
        panels = [
            legend(_entries(self, language)),
            _level_panel(self, span, language, zone, last=not self.doses and self.platelets is None),
        ]
        if self.doses:
            panels.append(_dose_panel(self, span, language, zone, last=self.platelets is None))
        if self.platelets is not None:
            panels.append(platelet_panel(self.platelets, span, wall_ms(self.now, zone), language, zone))
        return stacked(panels)


def _span(course: LevelCourse, zone: str | None) -> tuple[int, int]:
    """First and last millisecond of the shared time axis, with a little air."""
    instants = [course.now, *(point.at for point in course.points), *(dose.at for dose in course.doses)]
    if course.band is not None:
        instants += [course.band.at[0], course.band.at[-1]]
    times = [wall_ms(instant, zone) for instant in instants]
    if course.platelets is not None:
        times += platelet_span(course.platelets, zone)
    first, last = min(times), max(times)
    air = max((last - first) // 60, DAY_MS // 4)
    return first - air, last + air


def _assays(course: LevelCourse) -> list[str]:
    return list(dict.fromkeys(point.assay for point in course.points if not point.excluded))


def _shape(course: LevelCourse, point: LevelPoint) -> str:
    if point.excluded:
        return STRUCK
    if point.quantification != "measured":
        return BELOW if point.quantification == "below" else ABOVE
    return SHAPES[_assays(course).index(point.assay) % len(SHAPES)]


def _entries(course: LevelCourse, language: str) -> list[Entry]:
    target = label(
        "report.figure-target",
        language,
        low=bare_number("low_ng_ml", course.target_low_ng_ml, language),
        high_ng_ml=course.target_high_ng_ml,
    )
    entries = []
    if course.band is not None:
        entries += [
            Entry(text=label("report.figure-median", language), form="line", stroke=COLOUR["line"]),
            Entry(text=label("report.figure-band50", language), form="area", fill=COLOUR["band50"]),
            Entry(text=label("report.figure-band90", language), form="area", fill=COLOUR["band90"]),
        ]
    entries += [
        Entry(text=target, form="area", fill=COLOUR["target"], stroke=COLOUR["target_edge"]),
        Entry(
            text=label("report.figure-above", language, high_ng_ml=course.target_high_ng_ml),
            form="area",
            fill="url(#pattern-above)",
            stroke=COLOUR["high"],
        ),
    ]
    used = [point for point in course.points if not point.excluded]
    for index, assay in enumerate(_assays(course)):
        if any(point.assay == assay and point.quantification == "measured" for point in used):
            text = label("report.figure-measured", language, assay=term(assay, language))
            entries.append(Entry(text=text, form=SHAPES[index % len(SHAPES)], fill=COLOUR["ink"], stroke=COLOUR["ink"]))
    for quantification, form, code in (
        ("below", BELOW, "report.figure-below-limit"),
        ("above", ABOVE, "report.figure-above-limit"),
    ):
        if any(point.quantification == quantification for point in used):
            entries.append(Entry(text=label(code, language), form=form, fill="white", stroke=COLOUR["ink"]))
    if any(point.excluded for point in course.points):
        entries.append(Entry(text=label("report.figure-excluded", language), form=STRUCK, stroke=COLOUR["quiet"]))
    statuses = {dose.status for dose in course.doses}
    if statuses & {"missed", "uncertain"}:
        entries.append(
            Entry(
                text=label("report.figure-missed", language),
                form="area",
                fill=_HOLLOW["fill"],
                stroke=_HOLLOW["stroke"],
            )
        )
    if "planned" in statuses:
        entries.append(
            Entry(
                text=label("report.figure-planned", language),
                form="area",
                fill=_DOSE_LOOKS["planned"]["fill"],
                stroke=COLOUR["planned"],
            )
        )
    return entries if course.platelets is None else [*entries, *platelet_entries(course.platelets, language)]


def _ceiling(course: LevelCourse) -> float:
    """Top of the level axis: high enough for median, points and target; the 90 % band may leave it."""
    tops = [course.target_high_ng_ml * 1.35, *(point.level_ng_ml * 1.12 for point in course.points)]
    if course.band is not None:
        tops.append(max(course.band.median) * 1.3)
        tops.append(min(max(course.band.high90) * 1.05, max(course.band.median) * 2.0, course.target_high_ng_ml * 2.2))
    return max(tops)


def _thinned(band: Band) -> list[int]:
    """Indices that keep every peak and trough a reader can see."""
    count = len(band.at)
    if count <= MOST_TIMES:
        return list(range(count))
    kept = {0, count - 1}
    buckets = MOST_TIMES // 2
    for bucket in range(buckets):
        inside = range(bucket * count // buckets, (bucket + 1) * count // buckets)
        kept.add(min(inside, key=lambda index: band.median[index]))
        kept.add(max(inside, key=lambda index: band.median[index]))
    return sorted(kept)


def _band_rows(band: Band, ceiling: float, zone: str | None) -> list[dict[str, float]]:
    return [
        {
            "t": wall_ms(band.at[index], zone),
            "median": min(float(band.median[index]), ceiling),
            "low50": min(float(band.low50[index]), ceiling),
            "high50": min(float(band.high50[index]), ceiling),
            "low90": min(float(band.low90[index]), ceiling),
            "high90": min(float(band.high90[index]), ceiling),
        }
        for index in _thinned(band)
    ]


def _band_layers(course: LevelCourse, x: Any, ceiling: float, zone: str | None) -> list[dict[str, Any]]:
    if course.band is None:
        return []
    rows = _band_rows(course.band, ceiling, zone)
    now = wall_ms(course.now, zone)
    past = [row for row in rows if row["t"] <= now]
    future = [*past[-1:], *(row for row in rows if row["t"] > now)]
    layers = []
    for low, high, colour in (("low90", "high90", "band90"), ("low50", "high50", "band50")):
        look = {"color": COLOUR[colour], "opacity": 0.85}  # the target stays visible under a wide band
        layers.append(layer("area", rows, look, x=x, y=number(low, (0, ceiling)), y2={"field": high}))
    for part, dash in ((past, [1, 0]), (future, [4, 2])):
        look = {"color": COLOUR["line"], "strokeWidth": 1.7, "strokeDash": dash, "strokeJoin": "round"}
        if len(part) > 1:
            layers.append(layer("line", part, look, x=x, y=number("median", (0, ceiling))))
    return layers


def _target_layers(course: LevelCourse, ceiling: float, language: str) -> list[dict[str, Any]]:
    """The fills, which go under the model, and the edges with their labels, which go over it."""
    low, high = course.target_low_ng_ml, course.target_high_ng_ml
    layers = []
    for bottom, top, fill in ((low, high, COLOUR["target"]), (high, ceiling, "url(#pattern-above)")):
        axis = number("low", (0, ceiling), tickCount=6)
        layers.append(
            layer("rect", [{"low": bottom, "high": top}], {"fill": fill}, x=0, x2=WIDTH, y=axis, y2={"field": "high"})
        )
    edges = [{"edge": edge, "text": label("report.figure-edge", language, level_ng_ml=edge)} for edge in (low, high)]
    y = number("edge", (0, ceiling))
    rule = {"color": COLOUR["target_edge"], "strokeWidth": 1.2}
    words = {"align": "left", "baseline": "middle", "color": COLOUR["target_edge"], "fontWeight": "bold"}
    return [
        *layers,
        layer("rule", edges, rule, x=0, x2=WIDTH, y=y),
        layer("text", edges, words, x=WIDTH + 6, y=y, text=WORDS),
    ]


def _now_layers(
    course: LevelCourse, span: tuple[int, int], language: str, zone: str | None, height: int, *, words: bool
) -> list[dict[str, Any]]:
    x = instant(span, language, labels=False)
    text = label("report.figure-now", language, day=format_date(course.now, language, zone))
    rows = [{"t": wall_ms(course.now, zone), "text": text}]
    rule = layer("rule", rows, {"color": COLOUR["now"], "strokeWidth": 1}, x=x, y=0, y2=height)
    if not words:
        return [rule]
    place = (wall_ms(course.now, zone) - span[0]) / (span[1] - span[0])
    align = "right" if place > 0.85 else "left" if place < 0.15 else "center"
    return [rule, layer("text", rows, {"baseline": "bottom", "align": align}, x=x, y=-3, text=WORDS)]


def _point_layers(course: LevelCourse, x: Any, ceiling: float, zone: str | None) -> list[dict[str, Any]]:
    if not course.points:
        return []
    rows = [
        {
            "t": wall_ms(point.at, zone),
            "level": point.level_ng_ml,
            "shape": _shape(course, point),
            "fill": "none" if point.excluded else "white" if point.quantification != "measured" else COLOUR["ink"],
            "stroke": COLOUR["quiet"] if point.excluded else COLOUR["ink"],
        }
        for point in course.points
    ]
    told = {channel: as_told(channel) for channel in ("shape", "fill", "stroke")}
    look = {"size": 62, "strokeWidth": 1.4, "opacity": 1}
    halo = {"size": 110, "fill": "white", "stroke": None, "opacity": 0.75}
    y = number("level", (0, ceiling))
    return [
        layer("point", rows, halo, x=x, y=y, shape=as_told("shape")),
        layer("point", rows, look, x=x, y=y, **told),
    ]


def _level_panel(
    course: LevelCourse, span: tuple[int, int], language: str, zone: str | None, *, last: bool
) -> dict[str, Any]:
    x = instant(span, language, labels=last)
    ceiling = _ceiling(course)
    target = _target_layers(course, ceiling, language)
    layers = [
        *target[:2],
        *_band_layers(course, x, ceiling, zone),
        *target[2:],
        *_now_layers(course, span, language, zone, LEVEL_HEIGHT, words=True),
        *_point_layers(course, x, ceiling, zone),
    ]
    title = label("report.figure-level-title", language)
    return panel(layers, width=WIDTH, height=LEVEL_HEIGHT, title=title, gap=4)


def _runs(amounts: Sequence[float]) -> list[tuple[int, tuple[float, ...]]]:
    """Cut doses into runs of a repeating pattern: where each begins and what repeats.

    >>> _runs([2.0, 2.0, 2.0, 1.0, 2.0, 1.0, 2.0])
    [(0, (2.0,)), (3, (1.0, 2.0))]
    """
    runs, start = [], 0
    while start < len(amounts):
        best_stop, best_period = start + 1, 1
        for period in range(1, LONGEST_PATTERN + 1):
            stop = start + period
            while stop < len(amounts) and amounts[stop] == amounts[stop - period]:
                stop += 1
            if stop >= start + 2 * period and stop > best_stop:
                best_stop, best_period = stop, period
        runs.append((start, tuple(amounts[start : start + best_period])))
        start = best_stop
    return runs


def _dose_labels(course: LevelCourse, span: tuple[int, int], language: str, zone: str | None) -> list[dict[str, Any]]:
    """What is taken, above the first dose of every run, where there is room."""
    doses = sorted((dose for dose in course.doses if dose.amount_mg > 0), key=lambda one: one.at)
    rows: list[dict[str, Any]] = []
    free_from = -1.0
    for start, pattern in _runs([dose.amount_mg for dose in doses]):
        numbers = [bare_number("amount_mg", one, language) for one in pattern[:-1]]
        text = " / ".join([*numbers, format_value("amount_mg", pattern[-1], language)])
        at = wall_ms(doses[start].at, zone)
        place = (at - span[0]) * WIDTH / (span[1] - span[0])
        if place >= free_from:
            rows.append({"t": at, "text": text})
            free_from = place + text_width(text, 11.0) + 8
    return rows


def _drawn_amounts(doses: Sequence[DoseBar]) -> list[tuple[DoseBar, float]]:
    """Height of each bar: a missed dose recorded as 0 mg is as high, and hollow, as the one before it."""
    drawn, before = [], 0.0
    for dose in sorted(doses, key=lambda one: one.at):
        amount_mg = dose.amount_mg
        if amount_mg == 0 and dose.status in ("missed", "uncertain"):
            amount_mg = before
        drawn.append((dose, amount_mg))
        before = amount_mg or before
    return drawn


def _dose_panel(
    course: LevelCourse, span: tuple[int, int], language: str, zone: str | None, *, last: bool
) -> dict[str, Any]:
    x = instant(span, language, labels=last)
    most = max(dose.amount_mg for dose in course.doses)
    width = max(1.2, min(9.0, 0.62 * WIDTH * DAY_MS / (span[1] - span[0])))
    y = number("amount", (0, most * 1.5), values=[0, most], grid=False, format=".3~g")
    rows = [
        {"t": wall_ms(dose.at, zone), "amount": amount_mg, **_DOSE_LOOKS[dose.status]}
        for dose, amount_mg in _drawn_amounts(course.doses)
        if amount_mg > 0
    ]
    words = {"align": "left", "baseline": "bottom", "dy": -2, "dx": 3}
    layers = [
        layer(
            "bar", rows, {"width": width, "strokeWidth": 0.8}, x=x, y=y, fill=as_told("fill"), stroke=as_told("stroke")
        ),
        layer("text", _dose_labels(course, span, language, zone), words, x=x, y=DOSE_HEIGHT / 3, text=WORDS),
        *_now_layers(course, span, language, zone, DOSE_HEIGHT, words=False),
    ]
    return panel(layers, width=WIDTH, height=DOSE_HEIGHT, title=label("report.figure-dose-title", language))
