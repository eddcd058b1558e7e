# SPDX-License-Identifier: Apache-2.0
"""The skin of the bleeding tool: every printed row, its limits on both sides, and its gaps kept as gaps.

Oracle: the rows as printed, read into cases by hand.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirolens.report.words import say
from sirolens.response.skin_bleeding import SKIN_ROWS, Skin, row_meaning, skin_grade, skin_grades

PRINTED: list[tuple[str, int, dict[str, Any]]] = [
    ("petechiae", 0, {}),
    ("petechiae", 1, {"petechiae_below": 10, "densest_below": 10}),
    ("petechiae", 2, {"petechiae_below": 11, "densest_below": 11}),
    ("petechiae", 1, {"petechiae_above": 6, "densest_above": 6, "petechiae_below": 5, "densest_below": 5}),
    ("petechiae", 2, {"petechiae_above": 6, "densest_above": 6, "petechiae_below": 6, "densest_below": 6}),
    ("petechiae", 2, {"petechiae_above": 25, "densest_above": 11, "petechiae_below": 25, "densest_below": 9}),
    ("petechiae", 3, {"petechiae_above": 26, "densest_above": 9, "petechiae_below": 25, "densest_below": 9}),
    ("petechiae", 2, {"petechiae_above": 60, "densest_above": 20}),  # many, but on one side of the belt only
    ("ecchymoses", 0, {}),
    ("ecchymoses", 0, {"small_ecchymoses": (2,)}),
    ("ecchymoses", 1, {"small_ecchymoses": (3,)}),
    ("ecchymoses", 1, {"small_ecchymoses": (2, 2)}),
    ("ecchymoses", 2, {"large_ecchymoses": 1}),
    ("ecchymoses", 2, {"large_ecchymoses": 5, "small_ecchymoses": (9,)}),
    ("ecchymoses", 3, {"large_ecchymoses": 6}),
    ("haematomas", 0, {}),
    ("haematomas", 1, {"small_haematomas": 1}),
    ("haematomas", 2, {"small_haematomas": 2}),
    ("haematomas", 3, {"small_haematomas": 3}),
    ("haematomas", 3, {"large_haematomas": 1}),
    ("minor-wounds", 0, {}),
    ("minor-wounds", 1, {"wound_min": 4.9}),
    ("minor-wounds", 2, {"wound_min": 5.1}),
    ("minor-wounds", 2, {"wound_min": 1.0, "wound_disturbs": True}),
]
GAPS: list[tuple[str, tuple[int, int], dict[str, Any]]] = [
    ("ecchymoses", (0, 1), {"small_ecchymoses": (1, 1)}),
    ("ecchymoses", (0, 1), {"small_ecchymoses": (2, 1)}),
    ("minor-wounds", (1, 2), {"wound_min": 5.0}),
]
COUNTS = st.integers(0, 80)


@st.composite
def skins(draw: st.DrawFn) -> Skin:
    above, below = draw(COUNTS), draw(COUNTS)
    return Skin(
        petechiae_above=above,
        petechiae_below=below,
        densest_above=draw(st.integers(min(above, 1), above)),
        densest_below=draw(st.integers(min(below, 1), below)),
        small_ecchymoses=tuple(draw(st.lists(st.integers(0, 5), max_size=4))),
        large_ecchymoses=draw(st.integers(0, 8)),
        small_haematomas=draw(st.integers(0, 5)),
        large_haematomas=draw(st.integers(0, 2)),
        wound_min=draw(st.sampled_from([0.0, 1.0, 5.0, 9.0])),
        wound_disturbs=draw(st.booleans()),
    )


@pytest.mark.parametrize(("row", "grade", "seen"), PRINTED)
def test_every_printed_row_gives_its_grade(row: str, grade: int, seen: dict[str, Any]) -> None:
    skin = Skin(**seen)
    assert skin_grades(skin)[row] == (grade, grade)
    assert skin_grade(skin) == grade


@pytest.mark.parametrize(("row", "grades", "seen"), GAPS)
def test_a_gap_of_the_printed_rows_is_not_guessed(row: str, grades: tuple[int, int], seen: dict[str, Any]) -> None:
    skin = Skin(**seen)
    assert skin_grades(skin)[row] == grades
    assert skin_grade(skin) is None
    assert skin_grade(replace(skin, small_haematomas=2)) == 2  # another row decides


@given(skin=skins())
def test_the_skin_is_as_bad_as_its_worst_row_and_a_word_without_a_document_is_grade_1(skin: Skin) -> None:
    rows = skin_grades(skin)
    assert all(0 <= low <= high <= SKIN_ROWS[row] for row, (low, high) in rows.items())
    grade = skin_grade(skin)
    assert grade is None or grade == max(high for _, high in rows.values())
    assert all(high <= 1 for _, high in skin_grades(skin, documented=False).values())


@given(skin=skins(), more=st.integers(1, 5))
def test_more_bleeding_never_lowers_the_grade(skin: Skin, more: int) -> None:
    for worse in (
        replace(skin, large_haematomas=skin.large_haematomas + more),
        replace(skin, large_ecchymoses=skin.large_ecchymoses + more),
        replace(skin, wound_min=skin.wound_min + more),
        replace(skin, petechiae_above=skin.petechiae_above + more, densest_above=skin.densest_above + more),
    ):
        after = skin_grades(worse)
        assert all(low <= after[row][0] and high <= after[row][1] for row, (low, high) in skin_grades(skin).items())


def test_what_cannot_be_is_refused() -> None:
    for wrong in (
        {"large_ecchymoses": -1},
        {"small_ecchymoses": (2, -1)},
        {"wound_min": float("nan")},
        {"petechiae_above": 3, "densest_above": 4},
        {"petechiae_below": 3},
    ):
        with pytest.raises(ValueError, match="expected"):
            Skin(**wrong)


@pytest.mark.parametrize(("row", "most"), SKIN_ROWS.items())
def test_every_grade_of_a_row_is_said_in_both_languages_with_the_same_numbers(row: str, most: int) -> None:
    for grade in range(most + 1):
        english, chinese = (say(row_meaning(row, grade), language) for language in ("en", "zh"))
        assert "safety." not in english + chinese
        if "each" not in english and "one" not in english:
            assert sorted(re.findall(r"\d+", english)) == sorted(re.findall(r"\d+", chinese))
    with pytest.raises(ValueError, match="no grade"):
        row_meaning(row, most + 1)
