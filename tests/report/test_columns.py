# SPDX-License-Identifier: Apache-2.0
"""Widths of columns: they fill the page, never break a number, and shrink the text only when they must."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.report.columns import column_widths
from sirolens.report.drawing import text_width

TOTAL_MM, SIZE_MM, PADDING_MM = 178.0, 3.1, 3.0
SUM_MM = 1e-9 * TOTAL_MM  # rounding of a sum of a dozen widths


def table(heads: list[str], rows: list[list[str]], numeric: list[bool]) -> dict[str, Any]:
    return {
        "heads": [{"text": head, "unit": ""} for head in heads],
        "rows": [{"cells": cells, "marked": False} for cells in rows],
        "numeric": numeric,
    }


def widths(block: dict[str, Any]) -> tuple[list[float], float]:
    return column_widths(block, total_mm=TOTAL_MM, size_mm=SIZE_MM, padding_mm=PADDING_MM)


CELLS = st.sampled_from(["2 mg daily", "8.88 (6.41–13.1)", "<1 %", "每日一次 1.6 mg", "", "word " * 30])


@settings(deadline=None)
@given(cells=st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=4))
def test_the_columns_fill_the_page_exactly(cells: list[list[str]]) -> None:
    found, scale = widths(table(["Regimen", "Trough", "目标", "Remarks"], cells, [False, True, True, False]))
    assert abs(sum(found) - TOTAL_MM) <= SUM_MM
    assert all(width > 0 for width in found)
    assert 0.72 <= scale <= 1.0


def test_a_number_is_never_broken_and_text_shrinks_before_it_is() -> None:
    interval = "8.88 (6.41–13.1)"
    rows = [["3.5 mg daily", "1 × 2 mg tablet, 1 × 1 mg tablet", *[interval] * 5, "98 %", "remarks of some length"]]
    numeric = [False, False, *[True] * 6, False]
    found, scale = widths(table([f"head {index}" for index in range(9)], rows, numeric))
    assert scale < 1.0
    for width in found[2:7]:
        assert width - PADDING_MM >= text_width(interval, scale * SIZE_MM)


def test_a_small_table_keeps_its_size_of_text() -> None:
    _, scale = widths(table(["Regimen", "In target"], [["2 mg daily", "90 %"]], [False, True]))
    assert scale == 1.0


def test_long_text_gets_what_numbers_leave() -> None:
    found, _ = widths(
        table(["Dose", "In target", "Why"], [["2 mg", "22 %", "a long reason " * 10]], [False, True, False])
    )
    assert found[2] > 0.5 * TOTAL_MM


def test_a_word_of_latin_letters_runs_over_no_other_column() -> None:
    name = "Immunopharmacol"  # in a table of long texts, where every column is at its least
    rows = [[f"Int {name} 2020", *["a text that would like to have much more room than there is"] * 6]]
    found, scale = widths(table(["study", *[f"head {index}" for index in range(6)]], rows, [False] * 7))
    assert found[0] - PADDING_MM >= text_width(name, scale * SIZE_MM)
