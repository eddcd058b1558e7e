# SPDX-License-Identifier: Apache-2.0
"""Outcome rows that cannot be right are named with study, value and what to do; nothing is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sirolens.evidence.extraction.outcome import OutcomeRow, outcome_problems
from sirolens.message import Place
from sirolens.report.words import say

ROW = OutcomeRow(study="INVENTED-1", outcome="OR", timepoint="3m", k=12, n=20)

WRONG = [
    ({"k": 21}, "pooling.more-events-than-patients", "21 of 20"),
    ({"n": 0, "k": 0}, "pooling.no-patients", "leave the row out"),
    ({"k": -1}, "pooling.negative-count", "-1"),
    ({"n": -20}, "pooling.negative-count", "never negative"),
    ({"k": 0.6}, "pooling.share-for-count", "0.6"),
    ({"k": 0.6, "n": None}, "pooling.share-for-count", "enter it as percent"),
    ({"k": 60.0, "n": None}, "pooling.count-without-patients", "if 60"),
    ({"n": 20.5}, "pooling.fraction-of-patients", "20.5"),
    ({"k": float("nan")}, "pooling.no-number", "k is not a number"),
    ({"n": float("inf")}, "pooling.no-number", "n is not a number"),
    ({"percent": 120.0}, "pooling.percent-outside", "120"),
    ({"standard_error": 0.0, "estimate": 0.3}, "pooling.spread-not-positive", "standard_error is 0"),
    ({"sd": -1.0, "mean": 3.0}, "pooling.spread-not-positive", "sd is -1"),
]


def test_a_row_as_it_should_be_has_no_problem() -> None:
    assert outcome_problems(ROW) == ()
    assert outcome_problems(replace(ROW, k=None, n=None, percent=65.0)) == ()


@pytest.mark.parametrize(("change", "code", "told"), WRONG)
def test_what_cannot_be_is_named_with_study_value_and_advice(
    change: dict[str, float | None], code: str, told: str
) -> None:
    place = Place(file="outcomes.csv", line=7)
    (found,) = outcome_problems(replace(ROW, **change), place)
    assert (found.code, found.place) == (code, place)
    english = say(found, "en").replace("\N{MINUS SIGN}", "-")
    assert "INVENTED-1" in english
    assert told in english
    assert "INVENTED-1" in say(found, "zh")


def test_parts_of_a_study_have_their_own_label_and_patients() -> None:
    part = replace(ROW, cohort="children", subgroup="Evans")
    assert part.label == "INVENTED-1 / children / Evans"
    assert part.cluster == ("INVENTED-1", "children")
    assert replace(part, overlap_group="ONE").cluster == replace(ROW, study="INVENTED-2", overlap_group="ONE").cluster
