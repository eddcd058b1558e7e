# SPDX-License-Identifier: Apache-2.0
"""The figures of a review: valid Vega-Lite (oracle: Altair's schema), numbers where they belong, words in their place.

Where words end is measured with the shipped font, not with the estimate that laid them out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from tests.report import review_drawings as made
from tests.report import vega_lite
from tests.report.font_measure import measured

from sirolens.message import info
from sirolens.report.bubble_figure import BubblePlot
from sirolens.report.drawing import Drawing, svg
from sirolens.report.effect_axis import EffectScale
from sirolens.report.flow_figure import FlowArm, FlowBox, FlowDiagram, FlowLine, FlowStep
from sirolens.report.forest_figure import ForestPlot, ForestRow, RowKind, forest_pages
from sirolens.report.funnel_figure import FunnelPlot
from sirolens.report.point_names import placed_names
from sirolens.report.sheet import PAGE, height_of, width_of
from sirolens.report.traffic_figure import Light, TrafficLights, TrafficSummary, traffic_pages

DRAWINGS = made.drawings()
LANGUAGES = ("en", "zh")
OVER = 3.0  # pixels; the font's kerning and the page's padding are worth more
PIXEL = 1e-6  # positions are computed in one step
TOUCH = 1.5  # pixels by which two lines of text may come into each other's boxes, which are higher than their signs


@pytest.fixture(autouse=True)
def bilingual_words() -> Iterator[None]:
    with made.words():
        yield


@cache
def _panel(name: str, language: str) -> dict[str, Any]:
    with made.words():
        (panel,) = DRAWINGS[name].spec(language, None)["vconcat"]
    return dict(panel)


def _layers(drawing: Drawing, kind: str, language: str = "en") -> list[dict[str, Any]]:
    (panel,) = drawing.spec(language, None)["vconcat"]
    return [layer for layer in panel["layer"] if layer["mark"]["type"] == kind]


def _rows(drawing: Drawing, kind: str, **look: object) -> list[dict[str, Any]]:
    wanted = look.items()
    return [
        row
        for layer in _layers(drawing, kind)
        if all(layer["mark"].get(name) == value for name, value in wanted)
        for row in layer["data"]["values"]
    ]


@dataclass(frozen=True)
class Line:
    """A line of text with its true corners."""

    text: str
    left: float
    top: float
    right: float
    foot: float


def _lines(panel: dict[str, Any]) -> list[Line]:
    found = []
    for layer in panel["layer"]:
        look = layer["mark"]
        if look["type"] != "text":
            continue
        size = look["fontSize"]
        for row in layer["data"]["values"]:
            wide = measured(row["text"], size, bold=look["fontWeight"] == "bold")
            before = {"left": 0.0, "center": wide / 2, "right": wide}[look["align"]]
            x, y, half = row["x"], row["y"], 0.42 * size
            if look.get("angle"):
                found.append(Line(row["text"], x - half, y - wide / 2, x + half, y + wide / 2))
            else:
                found.append(Line(row["text"], x - before, y - half, x - before + wide, y + half))
    return found


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_valid_by_altairs_schema(name: str) -> None:
    vega_lite.check(DRAWINGS[name].spec("zh", None))


@pytest.mark.parametrize(
    ("name", "language"),
    [
        *((name, "en") for name in DRAWINGS if not name.endswith(("20", "100", "grouped", "update"))),
        *((name, "zh") for name in ("forest-grouped", "funnel-filled", "bubble-2", "summary", "flow-update")),
    ],
)
def test_a_figure_draws_on_a_strict_page_without_an_untranslated_code(name: str, language: str) -> None:
    text = svg(DRAWINGS[name], name=name, language=language, alt="what it shows")
    assert "figures." not in text
    assert "NaN" not in text
    assert "nan" not in text
    assert not re.search(r"\sstyle=|<script|href=", text)


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_leaves_the_page(name: str, language: str) -> None:
    panel = _panel(name, language)
    assert panel["width"] == PAGE
    for line in _lines(panel):
        assert line.left >= -OVER, line
        assert line.right <= PAGE + OVER, line
        assert line.top >= -OVER, line
        assert line.foot <= panel["height"] + OVER, line


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_lies_on_another(name: str, language: str) -> None:
    lines = sorted(_lines(_panel(name, language)), key=lambda line: line.top)
    for index, one in enumerate(lines):
        for other in lines[index + 1 :]:
            if other.top >= one.foot - TOUCH:
                break
            apart = one.right <= other.left + TOUCH or other.right <= one.left + TOUCH
            assert apart, (one, other)


# --- forest ----------------------------------------------------------------------------------------------------------


def _forest(*rows: ForestRow, **more: Any) -> ForestPlot:
    return ForestPlot(rows=rows, axis=made.AXIS, **more)


def _middle(row: dict[str, Any]) -> float:
    return float(row["x"] + row["x2"]) / 2


def _squares(plot: ForestPlot) -> list[dict[str, Any]]:
    return [row for row in _rows(plot, "rect") if abs((row["x2"] - row["x"]) - (row["y2"] - row["y"])) < PIXEL]


def test_squares_stand_at_their_shares_and_have_their_weights_as_areas() -> None:
    shares, weights = (0.1, 0.35, 0.85), (0.2, 0.3, 0.5)
    plot = _forest(
        *(
            ForestRow(name="x", middle=share, low=share - 0.05, high=share + 0.05, weight=weight)
            for share, weight in zip(shares, weights, strict=True)
        )
    )
    found = _squares(plot)
    xs = [_middle(row) for row in found]
    assert (xs[1] - xs[0]) / (xs[2] - xs[0]) == pytest.approx((0.35 - 0.1) / (0.85 - 0.1), rel=PIXEL)
    areas = [(row["x2"] - row["x"]) ** 2 for row in found]
    assert [area / areas[2] for area in areas] == pytest.approx([weight / 0.5 for weight in weights], rel=PIXEL)
    ys = [row["y"] for row in found]
    assert ys == sorted(ys)


def test_an_interval_runs_from_its_low_to_its_high_end_on_the_axis_of_the_squares() -> None:
    plot = _forest(
        ForestRow(name="a", middle=0.0, low=0.0, high=1.0), ForestRow(name="b", middle=1.0, low=0.25, high=1.0)
    )
    zero, one = (_middle(row) for row in _squares(plot))
    first, second = _rows(plot, "rule", strokeWidth=1.4)
    assert (first["x"], first["x2"]) == pytest.approx((zero, one))
    assert second["x"] == pytest.approx(zero + 0.25 * (one - zero))


def test_a_diamond_and_a_prediction_interval_span_theirs() -> None:
    plot = _forest(
        ForestRow(name="a", middle=0.0, low=0.0, high=1.0),
        ForestRow(name="b", middle=1.0, low=0.0, high=1.0),
        ForestRow(name="p", kind=RowKind.POOLED, middle=0.6, low=0.4, high=0.7),
        ForestRow(name="i", kind=RowKind.PREDICTION, low=0.1, high=0.9),
    )
    zero, one = (_middle(row) for row in _squares(plot))
    diamond = _rows(plot, "line")
    assert len(diamond) == 4
    xs = [(row["x"] - zero) / (one - zero) for row in diamond]
    assert sorted(xs) == pytest.approx([0.4, 0.6, 0.6, 0.7])
    (bar,) = [row for row in _rows(plot, "rect") if row["x2"] - row["x"] > 50 and row["y2"] - row["y"] < 8]
    assert [(bar[end] - zero) / (one - zero) for end in ("x", "x2")] == pytest.approx([0.1, 0.9])
    (reference,) = _rows(plot, "rule", strokeDash=[4, 3])
    assert (reference["x"] - zero) / (one - zero) == pytest.approx(0.6)


def test_a_ratio_of_two_is_as_far_from_the_line_of_no_effect_as_one_half() -> None:
    plot = _forest(
        ForestRow(name="a", middle=0.5, low=0.4, high=0.6),
        ForestRow(name="b", middle=2.0, low=1.5, high=2.5),
        scale=EffectScale.RATIO,
    )
    left, right = (_middle(row) for row in _squares(plot))
    (none,) = _rows(plot, "rule", strokeWidth=1.2)
    assert none["x"] - left == pytest.approx(right - none["x"])


def test_an_interval_cut_by_the_axis_carries_an_arrow_on_that_side_only() -> None:
    wide = ForestRow(name="a", middle=1.1, low=0.9, high=1e9)
    plot = _forest(wide, ForestRow(name="b", middle=0.9, low=0.7, high=1.2), scale=EffectScale.RATIO)
    arrow = _rows(plot, "line")
    assert len(arrow) == 3
    rule = max(_rows(plot, "rule", strokeWidth=1.4), key=lambda row: row["x2"])
    assert max(row["x"] for row in arrow) > rule["x2"]


def test_a_study_without_an_estimate_is_said_and_not_drawn() -> None:
    plot = _forest(ForestRow(name="a", columns=("0/0",)), columns=("k/n",))
    assert _squares(plot) == []
    assert "not estimable" in [line.text for line in _lines(plot.spec("en", None)["vconcat"][0])]


def test_only_the_notes_that_rows_carry_are_explained_with_their_sign() -> None:
    plot = _forest(ForestRow(name="a", middle=0.5, low=0.3, high=0.7, notes=(1,)), notes=(made.CRITERIA, made.DERIVED))
    texts = [line.text for line in _lines(plot.spec("en", None)["vconcat"][0])]
    assert "a\u00a0†" in texts
    assert "†\u00a0Count derived from a printed percentage." in texts
    assert not any("criteria" in text for text in texts)


def test_pages_of_a_long_plot_keep_every_row_once_the_scale_and_the_pooled_line() -> None:
    whole = made.forest(100)
    pages = forest_pages(whole, most=30)
    assert tuple(row for page in pages for row in page.rows) == whole.rows
    assert {page.reference for page in pages} == {0.62}
    assert [bool(page.statements) for page in pages] == [False, False, False, True]


def test_pages_of_ratios_share_one_axis_and_one_size_of_squares() -> None:
    rows = tuple(
        ForestRow(name="x", middle=ratio, low=ratio / 2, high=ratio * 2, weight=weight)
        for ratio, weight in ((0.1, 0.4), (0.2, 0.1), (1.0, 0.1), (9.0, 0.4))
    )
    whole = _forest(*rows, scale=EffectScale.RATIO)
    pages = forest_pages(whole, most=2)
    assert [row["x"] for page in pages for row in _squares(page)] == pytest.approx([r["x"] for r in _squares(whole)])


def test_rows_that_long_names_make_high_go_over_pages_that_hold_them() -> None:
    """Oracle: the room between an A4 page's margins, 252 mm of the 178 mm that a drawing's 0.96 are wide."""
    room = 252.0 / (0.96 * 178.0) * PAGE
    rows = tuple(ForestRow(name=f"{made.LONG_ZH} {index}", middle=0.5) for index in range(40))
    pages = forest_pages(_forest(*rows))
    assert tuple(row for page in pages for row in page.rows) == rows
    assert all(height_of(page) < room - 60 for page in pages)  # a caption and a heading have room, too
    names = tuple(f"{made.LONG_EN} {index}" for index in range(40))
    lights = traffic_pages(replace(made.traffic(100), studies=names, lights=made.traffic(100).lights[:40]))
    assert tuple(name for page in lights for name in page.studies) == names
    assert all(height_of(page) < room - 60 for page in lights)


def test_pages_do_not_leave_a_heading_at_the_foot() -> None:
    head = ForestRow(name="group", kind=RowKind.HEADING)
    study = ForestRow(name="a", middle=0.5)
    pages = forest_pages(_forest(study, study, head, study), most=3)
    assert [len(page.rows) for page in pages] == [2, 2]


def test_a_head_is_broken_between_its_words() -> None:
    rows = (ForestRow(name="a", middle=0.5, columns=("1/2", "3/4")),)
    plot = _forest(*rows, columns=("Events/patients", "Hospitalisations per patient"))
    texts = {line.text for line in _lines(plot.spec("en", None)["vconcat"][0])}
    assert {"Hospitalisations", "per patient"} <= texts
    assert "Events/patients" in texts or {"Events/", "patients"} <= texts


def test_pages_of_lights_keep_every_study_once() -> None:
    whole = made.traffic(100)
    pages = traffic_pages(whole, most=30)
    assert tuple(row for page in pages for row in page.lights) == whole.lights
    assert tuple(name for page in pages for name in page.studies) == whole.studies
    assert [bool(page.statements) for page in pages] == [False, False, False, True]


def test_rows_that_do_not_fit_their_columns_or_notes_are_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        _forest(ForestRow(name="a", columns=("1/2", "3/4")), columns=("k/n",))
    with pytest.raises(ValueError, match="notes"):
        _forest(ForestRow(name="a", notes=(0,)))


# --- funnel, Baujat, bubble ------------------------------------------------------------------------------------------


def test_the_funnel_is_as_wide_at_an_error_as_its_region_says_and_points_lie_by_it() -> None:
    plot = FunnelPlot(
        effects=(0.0, 1.0, 9.0), errors=(1.0, 0.5, 0.0), names=("a", "b", "c"), centre=0.0, axis=made.AXIS,
        filled_effects=(-1.0,), filled_errors=(0.5,),
    )  # fmt: skip
    apex, right, left = _rows(plot, "line")
    (hollow,) = _rows(plot, "point", fill="white", stroke="#c4441a")[:1]
    first, second = (row for layer in _layers(plot, "point")[1:2] for row in layer["data"]["values"])
    assert second["x"] - apex["x"] == pytest.approx(apex["x"] - hollow["x"])
    per_error = (right["x"] - left["x"]) / 2 / (right["y"] - apex["y"])  # pixels across for one down
    deep = first["y"] - apex["y"]  # an error of 1
    assert per_error * deep == pytest.approx(1.959964 * (second["x"] - first["x"]), rel=1e-6)
    assert second["y"] - apex["y"] == pytest.approx(deep / 2)


def test_a_name_is_nearest_to_its_own_point_and_crosses_a_line_only_where_it_must() -> None:
    points = [(100.0 + 9 * index, 100.0) for index in range(8)]
    names = [f"Invented {index}" for index in range(8)]
    words, left_out = placed_names(points, names, (0, 0, 400, 200), radii=[4.0] * 8)
    assert len(words) + len(left_out) == 8
    for word in words:
        field = (word.x, word.y - 6, word.x + width_of(word.text, word.size), word.y + 6)
        gaps = [math.hypot(max(field[0] - x, x - field[2], 0), max(field[1] - y, y - field[3], 0)) for x, y in points]
        assert names[gaps.index(min(gaps))] == word.text
    wall = [[(120.0, 0.0), (120.0, 200.0)], [(80.0, 0.0), (80.0, 200.0)]]
    for needed, found in ((False, 0), (True, 1)):
        words, _ = placed_names(
            [(100.0, 100.0)], ["Invented name"], (0, 0, 400, 200), radii=[4.0], lines=wall, needed=[needed]
        )
        assert len(words) == found


def test_a_name_that_is_cut_keeps_its_year() -> None:
    long = [f"{made.LONG_ZH.removesuffix('2031')}{year}" for year in (2019, 2023)]
    words, _ = placed_names([(10, 50), (10, 90)], long, (0, 0, 400, 200), radii=[4.0, 4.0])
    assert [word.text[-6:] for word in words] == ["… 2019", "… 2023"]


def test_a_funnel_without_a_pool_has_no_region() -> None:
    assert _layers(DRAWINGS["funnel-0"], "line") == []


def test_baujat_names_the_study_that_matters_most() -> None:
    plot = replace(
        made.baujat(30), heterogeneity=(9.0, *([0.1] * 29)), influence=(3.0, *([0.01] * 29)),
        names=("the one", *(f"other {index}" for index in range(29))),
    )  # fmt: skip
    texts = [line.text for line in _lines(plot.spec("en", None)["vconcat"][0])]
    assert "the one" in texts
    assert any("not named" in text for text in texts)


def test_bubbles_have_their_weights_as_areas_and_the_line_passes_where_it_should() -> None:
    plot = BubblePlot(
        covariate=(0.0, 10.0), effects=(0.0, 2.0), weights=(1.0, 4.0), names=("a", "b"), x_axis=made.AXIS,
        y_axis=made.AXIS, line_x=(0.0, 10.0), line=(0.0, 2.0), low=(-1.0, 1.0), high=(1.0, 3.0),
    )  # fmt: skip
    heavy, light = (row for layer in _layers(plot, "point")[:1] for row in layer["data"]["values"])
    assert heavy["area"] / light["area"] == pytest.approx(4.0)
    line = _layers(plot, "line")[-1]["data"]["values"]
    ends = [row[side] for row in line for side in ("x", "y")]
    assert ends == pytest.approx([light["x"], light["y"], heavy["x"], heavy["y"]])


# --- traffic lights --------------------------------------------------------------------------------------------------


def _lightness(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_light_but_an_empty_one_carries_its_sign() -> None:
    lights = (Light.GOOD, Light.SOME, Light.BAD, Light.WORST, Light.UNKNOWN, Light.NONE)
    plot = TrafficLights(
        studies=("a",), domains=made.DOMAINS, lights=(lights,), meanings=made.ROB, study_head=made.said("Study", "研究")
    )
    discs = _rows(plot, "point")
    signs = {(row["x"], row["y"]): row["text"] for row in _rows(plot, "text", fontSize=15.0)}
    row = sorted((disc for disc in discs if disc["y"] == min(one["y"] for one in discs)), key=lambda disc: disc["x"])
    assert [signs.get((disc["x"], disc["y"]), "") for disc in row] == ["+", "−", "×", "!", "?", ""]


def test_lights_grow_darker_from_good_to_worst_in_grey_print() -> None:
    from sirolens.report.traffic_figure import LOOKS

    order = [_lightness(LOOKS[light][0]) for light in (Light.GOOD, Light.SOME, Light.BAD, Light.WORST)]
    assert order == sorted(order, reverse=True)
    assert len({LOOKS[light][1] for light in Light}) == len(Light)


def test_bars_of_a_summary_have_the_lengths_of_their_shares_and_add_up() -> None:
    plot = TrafficSummary(
        domains=("one", "two"),
        shares=((0.25, 0.75, 0, 0, 0, 0), (1.0, 0, 0, 0, 0, 0)),
        meanings=made.ROB,
        axis=made.AXIS,
    )
    rects = _rows(plot, "rect")
    whole = max(row["x2"] - row["x"] for row in rects)
    assert sorted((row["x2"] - row["x"]) / whole for row in rects) == pytest.approx([0.25, 0.75, 1.0])


# --- flow ------------------------------------------------------------------------------------------------------------


def _boxes(panel: dict[str, Any]) -> list[dict[str, float]]:
    return [
        row
        for layer in panel["layer"]
        if layer["mark"]["type"] == "rect" and layer["mark"]["fill"] == "white"
        for row in layer["data"]["values"]
    ]


FLOWS = [name for name in DRAWINGS if name.startswith("flow")]


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_a_flow_stay_in_their_boxes_and_boxes_apart(name: str, language: str) -> None:
    panel = _panel(name, language)
    boxes = _boxes(panel)
    for line in _lines(panel):
        x, y = (line.left + line.right) / 2, (line.top + line.foot) / 2
        for box in boxes:
            if box["x"] < x < box["x2"] and box["y"] < y < box["y2"]:
                assert box["x"] < line.left, line
                assert line.right < box["x2"], line
                assert box["y"] < line.top, line
                assert line.foot < box["y2"], line
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart = one["x2"] < other["x"] or other["x2"] < one["x"] or one["y2"] < other["y"] or other["y2"] < one["y"]
            assert apart, (one, other)


@pytest.mark.parametrize("name", FLOWS)
def test_every_arrow_of_a_flow_ends_at_a_box_and_begins_at_one(name: str) -> None:
    panel = _panel(name, "en")
    boxes = _boxes(panel)

    def on_an_edge(x: float, y: float) -> bool:
        return any(
            box["x"] - PIXEL <= x <= box["x2"] + PIXEL
            and box["y"] - PIXEL <= y <= box["y2"] + PIXEL
            and (
                min(abs(x - box["x"]), abs(x - box["x2"])) < PIXEL or min(abs(y - box["y"]), abs(y - box["y2"])) < PIXEL
            )
            for box in boxes
        )

    heads = [row for layer in panel["layer"] if layer["mark"]["type"] == "line" for row in layer["data"]["values"]]
    tips = [(row["x"], row["y"]) for row in heads if row["step"] == 0]
    assert tips
    assert all(on_an_edge(*tip) for tip in tips)


def _said(name: str) -> str:
    return " ".join(line.text for line in _lines(_panel(name, "en"))).replace("\u00a0", " ")


def test_parts_that_are_not_used_are_left_out() -> None:
    assert "other methods" not in _said("flow-main")
    assert "Previous studies" not in _said("flow-both")
    assert "dropped out (n = 2)" in _said("flow-update")


def test_pending_records_are_shown_and_the_diagram_says_that_it_is_a_draft() -> None:
    assert "Draft" in _said("flow-both")
    assert "(n = 3)" in _said("flow-both")
    assert "Draft" not in _said("flow-update")
    dashed = [layer for layer in _panel("flow-both", "en")["layer"] if layer["mark"].get("strokeDash") == [5, 3]]
    assert sum(len(layer["data"]["values"]) for layer in dashed) == 2  # the word "draft" and the box


def test_a_flow_that_cannot_be_laid_out_is_refused() -> None:
    box = FlowBox(lines=(FlowLine(text="x", count=1),))
    arm = FlowArm(head=info("figures.n", n=1), steps=(FlowStep(row=1, box=box), FlowStep(row=0, box=box)))
    with pytest.raises(ValueError, match="rows"):
        FlowDiagram(main=arm, new=box)
    arm = replace(arm, steps=arm.steps[:1])
    with pytest.raises(ValueError, match="earlier version"):
        FlowDiagram(main=arm, new=box, previous=box)
    with pytest.raises(ValueError, match="total"):
        FlowDiagram(main=arm, new=box, changes=box)


def test_a_band_that_does_not_exist_is_not_drawn() -> None:
    plot = replace(made.bubble(20), low=(math.nan,) * 11, high=(math.nan,) * 11)
    assert len(_layers(plot, "line")) == 1
