# SPDX-License-Identifier: Apache-2.0
"""Each figure paper A prints comes out of the invented charts by the way every cohort goes, watermarked throughout."""

from __future__ import annotations

import json
from functools import cache

import pytest

from sirolens.report.docx import render as to_docx
from sirolens.report.html import page
from sirolens.report.words import label, say
from sirolens.study.reproduce import Reproduced, Reproduction, reproduce
from sirolens.study.reproduce_page import to_document, to_json


@cache
def found() -> Reproduction:
    return reproduce("paper-a")


def row(name: str) -> Reproduced:
    (one,) = [one for one in found().rows if one.name == name]
    return one


def counted(name: str) -> tuple[object, object]:
    values = row(name).computed.values
    return values["count"], values["of"]


def test_every_printed_figure_agrees_with_the_computed_one() -> None:
    assert [one.name for one in found().rows if not one.agrees] == []
    assert len(found().rows) == 13


def test_response_at_3_months_is_12_of_20_with_6_complete_and_6_partial() -> None:
    # Claim A4; oracle: the printed counts of doi 10.1097/MBC.0000000000001303.
    assert counted("overall-3-months") == (12, 20)
    assert counted("complete-3-months") == (6, 20)
    assert counted("partial-3-months") == (6, 20)


def test_complete_response_at_6_months_is_as_at_3() -> None:
    assert counted("complete-6-months") == counted("complete-3-months") == (6, 20)
    assert row("complete-6-months").mark.value == "derived"


def test_treg_do_not_differ_from_controls_before_and_rise_on_treatment() -> None:
    # Claim A6: the abstract prints directions only.
    against, rise = row("treg-against-controls"), row("treg-on-treatment")
    assert float(str(against.computed.values["p"])) > 0.05
    assert float(str(rise.computed.values["p"])) < 0.05
    before, after = (float(str(rise.computed.values[f"{name}_percent"])) for name in ("before", "after"))
    assert after > before


def test_levels_and_doses_lie_where_the_abstract_says() -> None:
    levels = row("levels").computed.values
    assert levels["count"] == levels["of"] == 160
    for name, low, high in (
        ("adult-start", 2, 4),
        ("adult-maintenance", 1, 2),
        ("child-start", 1, 2),
        ("child-maintenance", 0.5, 1),
    ):
        values = row(name).computed.values
        assert low <= float(str(values["low_mg"])) <= float(str(values["high_mg"])) <= high


def test_no_major_adverse_event_but_the_mild_ones_are_counted() -> None:
    assert counted("major-events") == (0, 20)
    assert sum(len(chart.adverse_events) for chart in found().analysis.cohort.charts) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_form_of_the_report_is_watermarked(language: str) -> None:
    watermark = label("checker.repro-watermark", language)
    document = to_document(found(), version="0")
    assert document.invented
    text = page(document, language)
    assert text.count(watermark) >= 3
    assert to_docx(document, language)
    told = to_json(found(), language)
    assert told["invented"] is True
    assert told["watermark"] == watermark
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_printed_and_computed_stand_side_by_side_in_words(language: str) -> None:
    text = page(to_document(found(), version="0"), language)
    for one in found().rows:
        assert "checker." not in say(one.computed, language)
        assert one.name in {figure["name"] for figure in to_json(found(), language)["figures"]}
    assert "10.1097/MBC.0000000000001303" in text


def test_a_figure_that_would_differ_is_said_to_differ() -> None:
    # By criteria that ask for more platelets the same charts give other counts, and the page says so.
    other = reproduce("paper-a", "sickkids")
    differing = [one.name for one in other.rows if not one.agrees]
    assert "partial-3-months" in differing
    assert label("checker.repro-differs", "en") in page(to_document(other, version="0"), "en")
