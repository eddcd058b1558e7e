# SPDX-License-Identifier: Apache-2.0
"""The figures of virtual patients: valid Vega-Lite (oracle: Altair's schema), bounded, and true to their numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.report import mechanism_drawings, vega_lite

from sirolens.message import info
from sirolens.report.drawing import svg, text_width
from sirolens.report.fan_figure import MOST_FANS, Fans
from sirolens.report.markers_figure import MOST_MARKERS, Marker, Markers
from sirolens.report.network_figure import Box, Link, NetworkMap
from sirolens.report.phenotype_figure import NAME_SIZE, PhenotypeMap, Share, _colour
from sirolens.report.response_figure import MOST_OUTCOMES, ObservedRate, ResponseCourse
from sirolens.report.sheet import wrapped
from sirolens.report.tornado_figure import MOST_BARS, Tornado, TornadoBar

DRAWINGS = mechanism_drawings.drawings()
NAME = info("figures.n", n=1)


def layers(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in described.get("vconcat", described.get("hconcat", ())):
        yield from layers(one)
    yield from described.get("layer", ())


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_valid_by_altairs_schema(name: str) -> None:
    vega_lite.check(DRAWINGS[name].spec("zh", None))


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_figure_draws_on_a_strict_page_without_an_untranslated_code(name: str, language: str) -> None:
    text = svg(DRAWINGS[name], name=name, language=language, alt="what it shows")
    assert "figures." not in text
    assert "NaN" not in text
    assert not re.search(r"\sstyle=|<script|href=", text)


def test_counts_below_one_stand_on_the_lowest_line_of_a_logarithmic_axis() -> None:
    every = [row for one in layers(DRAWINGS["fan"].spec("en", None)) for row in one["data"]["values"]]
    counts = [row[key] for row in every for key in ("count", "low", "high") if key in row]
    assert counts
    assert min(counts) >= 1.0


def test_the_longest_bar_of_a_tornado_is_on_top_and_one_without_an_end_is_not_drawn_as_long() -> None:
    figure = DRAWINGS["tornado"]
    assert isinstance(figure, Tornado)
    assert [bar.high for bar in figure.ordered] == [0.9, 0.7, 0.41]
    drawn = [one for one in layers(figure.spec("en", None)) if one["mark"]["type"] == "rect"]
    assert sum(len(one["data"]["values"]) for one in drawn if "foot" in str(one["encoding"])) == 5


def test_an_unknown_share_is_a_dash_and_colour_follows_the_share() -> None:
    texts = [
        row["text"]
        for one in layers(DRAWINGS["phenotypes"].spec("en", None))
        if one["mark"]["type"] == "text"
        for row in one["data"]["values"]
    ]
    assert "–" in texts
    assert "(70–95)" in texts
    light = [int(_colour(share / 10)[1:3], 16) for share in range(11)]
    assert light == sorted(light, reverse=True)


def test_a_missing_limit_ends_a_band_and_is_not_drawn_as_zero() -> None:
    areas = [one for one in layers(DRAWINGS["markers"].spec("en", None)) if one["mark"]["type"] == "area"]
    assert {len(one["data"]["values"]) for one in areas} == {1, 2}


def test_studies_of_one_day_stand_beside_each_other() -> None:
    points = [
        one
        for one in layers(DRAWINGS["response"].spec("en", None))
        if one["mark"]["type"] == "point" and "fill" in one["encoding"]
    ]
    days = {row["day"] for one in points for row in one["data"]["values"]}
    assert len(days) == 4  # two outcomes of one study, another study beside it, a third at another day


def test_an_arrow_ends_at_the_edge_of_its_box_and_a_link_to_itself_is_left_out() -> None:
    lines = [one for one in layers(DRAWINGS["network"].spec("en", None)) if one["mark"]["type"] == "line"]
    assert sum(len({row["one"] for row in one["data"]["values"]}) for one in lines) == 3


def test_what_does_not_fit_a_figure_is_refused() -> None:
    fan = mechanism_drawings.fan("x", 9.0)
    with pytest.raises(ValueError, match="at most"):
        Fans(fans=(fan,) * (MOST_FANS + 1))
    with pytest.raises(ValueError, match="at most"):
        Tornado(bars=(TornadoBar(name="x", low=0, high=1),) * (MOST_BARS + 1), reference=0, axis=NAME)
    with pytest.raises(ValueError, match="at most"):
        Markers(day=(), groups=(), markers=(Marker(name="x", courses=()),) * (MOST_MARKERS + 1))
    with pytest.raises(ValueError, match="at most"):
        ResponseCourse(outcomes=(mechanism_drawings.outcome("x", 0.5),) * (MOST_OUTCOMES + 1))
    with pytest.raises(ValueError, match="not drawn"):
        ResponseCourse(outcomes=(), observed=(ObservedRate(study="A", outcome=0, day=1, share=0.5),))
    with pytest.raises(ValueError, match="expected"):
        PhenotypeMap(rows=("x",), columns=("y",), shares=((),), row_title=NAME, column_title=NAME)
    wide = (Share(middle=math.nan),) * 401
    with pytest.raises(ValueError, match="at most"):
        PhenotypeMap(rows=("x",), columns=("y",) * 401, shares=(wide,), row_title=NAME, column_title=NAME)
    with pytest.raises(ValueError, match="unknown"):
        NetworkMap(boxes=(Box(key="a", name="a", column=0, row=0),), links=(Link("a", "b", 1),), kinds=())


def test_long_headings_of_a_map_break_into_lines_and_keep_every_character() -> None:
    for name in ("romiplostim by count, three pulses", "地塞米松 3 疗程按计数调整"):
        lines = wrapped(name, 70.0, NAME_SIZE)
        assert len(lines) > 1
        assert "".join(lines).replace(" ", "") == name.replace(" ", "")
        assert max(text_width(line, NAME_SIZE) for line in lines) <= 70.0
    assert wrapped("地塞米松 1 疗程", 200.0, NAME_SIZE) == ("地塞米松 1 疗程",)
