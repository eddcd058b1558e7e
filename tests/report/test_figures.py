# SPDX-License-Identifier: Apache-2.0
"""The figures: valid Vega-Lite (oracle: Altair's schema), the same bytes each time, safe inside a strict page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import cache
from xml.etree import ElementTree

import pytest
from tests.report import invented, vega_lite

from sirolens.report.drawing import Drawing, png, svg, text_width, time_ticks, wall_ms
from sirolens.report.level_figure import Band, DoseBar, LevelCourse, LevelPoint, _runs
from sirolens.report.platelet_figure import PlateletCourse, PlateletPoint

DRAWINGS: dict[str, Drawing] = {
    "course": invented.course(),
    "levels-only": replace(invented.course(), platelets=None),
    "prior-only": replace(invented.course(), platelets=None, points=(), doses=()),
    "points-only": replace(invented.course(), platelets=None, band=None, doses=()),
    "platelets": invented.platelets(invented.NOW),
    "options": invented.bars(),
}
DAY_MS = 86_400_000
CASES = [(name, language) for name in DRAWINGS for language in ("en", "zh")]


@cache
def _svg(name: str, language: str) -> str:
    return _drawn(name, language)


def _drawn(name: str, language: str) -> str:
    return svg(DRAWINGS[name], name=name, language=language, zone=invented.ZONE, alt="what it shows")


def _words(text: str) -> str:
    return " ".join(
        "".join(node.itertext()) for node in ElementTree.fromstring(text).iter() if node.tag.endswith("text")
    )


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_valid_by_altairs_schema(name: str) -> None:
    vega_lite.check(DRAWINGS[name].spec("zh", invented.ZONE))


@pytest.mark.parametrize(
    ("amounts", "runs"),
    [
        ((2.0,), [(0, (2.0,))]),
        ((6.0, 2.0, 2.0, 2.0), [(0, (6.0,)), (1, (2.0,))]),
        ((1.0, 2.0) * 20, [(0, (1.0, 2.0))]),
        ((2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0) * 4, [(0, (2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0))]),
    ],
)
def test_doses_are_cut_into_repeating_runs(amounts: tuple[float, ...], runs: list[tuple[int, object]]) -> None:
    assert _runs(amounts) == runs


@pytest.mark.parametrize(("name", "language"), CASES)
def test_a_figure_is_the_same_bytes_each_time_and_carries_only_its_own_ids(name: str, language: str) -> None:
    first = _svg(name, language)
    assert first == _drawn(name, language)
    ids = re.findall(r'\bid="([^"]+)"', first)
    assert all(one.startswith(f"{name}-") for one in ids)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", first)) <= set(ids)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_a_figure_fits_a_strict_page(name: str, language: str) -> None:
    text = _svg(name, language)
    assert not re.search(r"<script|<style|\bstyle=|\bon\w+=|href=|<foreignObject|<image", text)
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root[0].tag.endswith("title")
    assert root[0].text == "what it shows"


def test_the_level_figure_names_target_now_and_every_assay() -> None:
    words = _words(_svg("course", "en"))
    for expected in (
        "5 ng/mL",
        "15 ng/mL",
        "Target 5–15 ng/mL",
        "Above 15 ng/mL",
        "now, 13 Oct 2026, 09:00",
        "Measured, LC-MS/MS",
        "Measured, CMIA immunoassay",
        "Below the assay's limit",
        "Excluded",
        "Missed or uncertain",
        "Planned",
        "R: 30",
        "CR: 100",
        "IVIG",
        "2 mg",
        "2.5 mg",
    ):
        assert expected in words
    assert "血药" not in words


def test_the_chinese_figure_is_chinese() -> None:
    words = _words(_svg("course", "zh"))
    for expected in (
        "西罗莫司全血浓度，ng/mL",
        "血小板计数，×10⁹/L",
        "给药剂量，mg",
        "目标范围 5–15 ng/mL",
        "2026年",
        "已排除",
    ):
        assert expected in words
    assert "Target" not in words


def test_the_median_is_solid_before_now_and_dashed_after() -> None:
    lines = [layer for layer in _layers(DRAWINGS["course"]) if layer["mark"].get("color") == "#0b5a8f"]
    now = wall_ms(invented.NOW, invented.ZONE)
    past, future = lines
    assert past["mark"]["strokeDash"] == [1, 0]
    assert max(row["t"] for row in past["data"]["values"]) <= now
    assert future["mark"]["strokeDash"] != [1, 0]
    assert sorted(row["t"] for row in future["data"]["values"])[1] > now


def test_missed_doses_are_hollow_and_planned_ones_hatched() -> None:
    bars = next(layer for layer in _layers(DRAWINGS["course"]) if layer["mark"]["type"] == "bar")
    fills = [row["fill"] for row in bars["data"]["values"]]
    assert fills[17] == fills[18] == "white"
    assert fills[16] not in ("white", fills[-1])
    assert fills[-1].startswith("url(#pattern")


def test_the_dose_figure_tells_its_parts_by_pattern_and_text() -> None:
    text = _svg("options", "en")
    assert text.count("<pattern") == 2
    words = _words(text)
    for expected in ("90 %", "83 %", "15 %", "31 %", "8.6 (5.2–13.4)", "2.5 mg daily (now)", "Below 5 ng/mL"):
        assert expected in words


def test_what_a_value_says_cannot_become_markup() -> None:
    hostile = '</text><script>alert(1)</script>" onload="x'
    course = replace(invented.course(), points=(LevelPoint(at=invented.NOW, level_ng_ml=7.0, assay=hostile),))
    text = svg(course, name="x", language="en", zone=invented.ZONE, alt=hostile)
    root = ElementTree.fromstring(text)
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    assert hostile in _words(text)


def test_a_long_curve_is_thinned_and_keeps_its_extremes() -> None:
    count = 20_000
    times = tuple(invented.START + timedelta(minutes=15 * index) for index in range(count))
    median = [8.0 + (index % 96) / 24 for index in range(count)]
    median[12_345] = 14.5
    flat = tuple(median)
    band = Band(at=times, median=flat, low50=flat, high50=flat, low90=flat, high90=flat)
    layers = _layers(replace(invented.course(), band=band, platelets=None, points=()))
    drawn = [row["median"] for layer in layers for row in layer["data"]["values"] if "median" in row]
    assert max(drawn) == 14.5
    assert min(drawn) == 8.0
    assert all(len(layer["data"]["values"]) <= 5000 for layer in layers)


def test_more_rows_than_a_figure_holds_are_refused() -> None:
    doses = tuple(DoseBar(at=invented.days(index / 4), amount_mg=1.0) for index in range(5001))
    with pytest.raises(ValueError, match="5001 rows"):
        replace(invented.course(), doses=doses).spec("en", None)


def test_a_count_of_zero_and_a_single_point_can_be_drawn() -> None:
    course = PlateletCourse(counts=(PlateletPoint(at=invented.START, count_10e9_l=0.0),))
    assert svg(course, name="x", language="en").startswith("<svg")
    alone = LevelCourse(now=invented.START, target_low_ng_ml=5.0, target_high_ng_ml=15.0)
    assert svg(alone, name="x", language="zh").startswith("<svg")


def test_png_is_a_picture_of_the_figure() -> None:
    data = png(DRAWINGS["options"], language="zh", zone=invented.ZONE, scale=2.0)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20], "big") > 2 * 640


@pytest.mark.parametrize("span_d", [1, 3, 10, 45, 100, 200, 400, 1000, 4000])
def test_ticks_are_few_whole_days_inside_the_axis(span_d: int) -> None:
    first = wall_ms(invented.START, invented.ZONE)
    ticks = time_ticks(first, first + span_d * DAY_MS)
    assert 1 <= len(ticks) <= 11
    assert all(first <= tick <= first + span_d * DAY_MS for tick in ticks)
    assert all(tick % DAY_MS == 0 for tick in ticks)


def test_estimated_text_width_is_close_to_the_fonts_own() -> None:
    # Oracle: the advance widths in the shipped font.
    from fontTools.ttLib import TTFont

    from sirolens.report.drawing import font_folder

    with TTFont(font_folder() / "SirolensSans-Regular.otf", lazy=True) as font:
        cmap, metrics = font.getBestCmap(), font["hmtx"]
        for text in (
            "1 mg and 2 mg in turn, daily",
            "目标范围 5–15 ng/mL",
            "Measured, CMIA immunoassay",
            "2.5 mg daily (now)",
        ):
            true = 11.0 * sum(metrics[cmap[ord(char)]][0] for char in text) / 1000
            assert true - 3 <= text_width(text, 11.0) <= 1.15 * true + 6


def _layers(drawing: Drawing) -> list[dict[str, dict[str, object]]]:
    found: list[dict[str, dict[str, object]]] = []
    for panel in drawing.spec("en", invented.ZONE)["vconcat"]:
        found += panel["layer"]
    return found
