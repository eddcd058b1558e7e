# SPDX-License-Identifier: Apache-2.0
"""The figures of a study: valid Vega-Lite (oracle: Altair's schema) and bounded, for none to five thousand patients."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report import study_drawings, vega_lite

from sirolens.message import info
from sirolens.report.axes import day_ticks, evenly
from sirolens.report.distribution_figure import MOST_POINTS, _spread, quantile
from sirolens.report.drawing import MOST_ROWS, svg
from sirolens.report.interval_figure import MOST_ESTIMATES, Estimate, Intervals
from sirolens.report.survival_figure import Curve, _height_at
from sirolens.report.swimmer_figure import MOST_LANES

DRAWINGS = study_drawings.drawings()
SMALL = [name for name in DRAWINGS if not name.endswith("5000")]


@cache
def _svg(name: str, language: str) -> str:
    return svg(DRAWINGS[name], name=name, language=language, alt="what it shows")


def _layers(name: str, language: str = "en") -> list[dict[str, Any]]:
    return [layer for panel in DRAWINGS[name].spec(language, None)["vconcat"] for layer in panel["layer"]]


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_valid_by_altairs_schema(name: str) -> None:
    vega_lite.check(DRAWINGS[name].spec("zh", None))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_figure_draws_on_a_strict_page_without_an_untranslated_code(name: str, language: str) -> None:
    text = _svg(name, language)
    assert "figures." not in text
    assert "NaN" not in text
    assert not re.search(r"\sstyle=|<script|href=", text)


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name.endswith("5000")])
def test_five_thousand_patients_stay_within_what_a_layer_holds_and_are_drawn(name: str) -> None:
    assert all(len(layer["data"]["values"]) <= MOST_ROWS for layer in _layers(name))
    assert len(_svg(name, "en")) < 3_000_000


def test_a_swimmer_plot_of_many_keeps_the_longest_and_the_shortest_course() -> None:
    figure = study_drawings.swimmer(5000)
    assert figure.shown == MOST_LANES
    spans = next(layer for layer in _layers("swimmer-5000") if layer["mark"].get("strokeWidth") == 0.7)
    ends = [row["stop"] for row in spans["data"]["values"]]
    assert max(ends) == max(lane.last_d for lane in figure.lanes)


def test_an_interval_that_does_not_exist_is_not_drawn_as_exact() -> None:
    # `survival` gives its first step an upper limit that is not a number.
    bands = [layer for layer in _layers("survival-20") if layer["mark"]["type"] == "area"]
    assert bands
    assert all(row["high"] is not None for layer in bands for row in layer["data"]["values"])


def test_a_censoring_tick_stands_on_the_curve_after_a_step_on_the_same_day() -> None:
    curve = Curve(name="c", time_d=(3.0, 9.0), probability=(0.8, 0.5))
    assert [_height_at(curve, day) for day in (2.0, 3.0, 8.9, 9.0, 40.0)] == [1.0, 0.8, 0.8, 0.5, 0.5]


def test_more_estimates_than_a_figure_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        Intervals(rows=(Estimate(name="x"),) * (MOST_ESTIMATES + 1), axis=info("figures.chance"))


@settings(deadline=None)
@given(count=st.integers(0, 6000), most=st.integers(2, 500))
def test_even_ranks_keep_the_ends_and_the_bound(count: int, most: int) -> None:
    chosen = evenly(count, most)
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    if count:
        assert (chosen[0], chosen[-1]) == (0, count - 1)


@settings(deadline=None)
@given(last=st.floats(0.5, 20_000))
def test_an_axis_of_days_has_few_ticks(last: float) -> None:
    assert 1 <= len(day_ticks(last)) <= 11


@settings(deadline=None)
@given(values=st.lists(st.floats(0, 40), min_size=1, max_size=MOST_POINTS))
def test_points_are_spread_within_their_group(values: list[float]) -> None:
    offsets = _spread(sorted(values), 80.0, 40.0)
    assert max(abs(offset) for offset in offsets) <= 80.0 + 1e-9


def test_quartiles_agree_with_numpy() -> None:
    import numpy as np

    values = sorted([3.1, 0.2, 7.7, 5.0, 12.4, 4.9])
    for share in (0.25, 0.5, 0.75):
        assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), rel=1e-12)
