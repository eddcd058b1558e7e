# SPDX-License-Identifier: Apache-2.0
"""Doses, levels, probabilities and dates are written one safe way in both languages.

Oracle for doses: the ISMP list of error-prone abbreviations (no trailing zero, no naked decimal point, mcg, daily).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.report.format import bare_number, format_date, format_probability, format_value, unit_text

LANGUAGES = ("en", "zh")


@pytest.mark.parametrize(
    ("name", "value", "english", "chinese"),
    [
        ("dose_mg", 2.0, "2 mg", "2 mg"),
        ("dose_mg", 0.5, "0.5 mg", "0.5 mg"),
        ("dose_mg", 2.857142, "2.86 mg", "2.86 mg"),
        ("dose_mg", 0.004, "0.004 mg", "0.004 mg"),
        ("load_mcg", 500.0, "500 mcg", "500 mcg"),
        ("change_mg", 0.5, "+0.5 mg", "+0.5 mg"),
        ("change_mg", -0.5, "−0.5 mg", "−0.5 mg"),
        ("change_mg", 0.0, "0 mg", "0 mg"),
        ("option_daily_mg", 1.5, "1.5 mg daily", "每日 1.5 mg"),
        ("level_ng_ml", 7.2041, "7.2 ng/mL", "7.2 ng/mL"),
        ("level_ng_ml", 12.345, "12.3 ng/mL", "12.3 ng/mL"),
        ("level_ng_ml", 123.45, "123 ng/mL", "123 ng/mL"),
        ("level_ng_ml", 1234.5, "1235 ng/mL", "1235 ng/mL"),
        ("count_10e9_l", 36.0, "36 ×10⁹/L", "36 ×10⁹/L"),
        ("cl_l_h", 11.0449, "11 L/h", "11 L/h"),
        ("interval_d", 1, "1 day", "1 天"),
        ("interval_d", 13, "13 days", "13 天"),
        ("age_years", 34.52, "34.5 years", "34.5 岁"),
        ("follow_up_years", 2, "2 years", "2 年"),
        ("haematocrit_percent", 38.0, "38 %", "38%"),
        ("width_fold", 4.2, "4.2-fold", "4.2 倍"),
        ("eta_sd", -2.514, "−2.51 SD", "−2.51 SD"),
        ("answer", True, "yes", "是"),
        ("anything", None, "not stated", "未说明"),
        ("rows", 1000000, "1000000", "1000000"),
        ("k_hat", 0.31234, "0.3123", "0.3123"),
        ("value", 914.1719, "914.1719", "914.1719"),
        ("value", 7.0, "7", "7"),
        ("trough_ng_ml", float("nan"), "not available", "无数据"),
    ],
)
def test_a_value_is_written_as_its_name_asks(name: str, value: float, english: str, chinese: str) -> None:
    assert format_value(name, value, "en") == english
    assert format_value(name, value, "zh") == chinese


@settings(deadline=None)
@given(dose=st.floats(min_value=1e-4, max_value=1e4), language=st.sampled_from(LANGUAGES))
def test_no_dose_has_a_trailing_zero_or_a_naked_point(dose: float, language: str) -> None:
    text = format_value("dose_mg", dose, language)
    assert re.fullmatch(r"(0|[1-9]\d*)(\.\d*[1-9])? mg", text)
    assert text != "0 mg"


@settings(deadline=None)
@given(level=st.floats(min_value=0.001, max_value=99.9))
def test_a_level_keeps_three_significant_digits(level: float) -> None:
    # Oracle: Python's own rounding to three significant digits, half a unit in the third digit apart at most.
    shown = float(bare_number("level_ng_ml", level, "en"))
    assert shown == pytest.approx(float(f"{level:.3g}"), rel=0.0101)
    assert len(bare_number("level_ng_ml", level, "en").lstrip("0.").replace(".", "")) <= 3


@settings(deadline=None)
@given(probability=st.floats(min_value=0, max_value=1), language=st.sampled_from(LANGUAGES))
def test_a_probability_never_claims_certainty(probability: float, language: str) -> None:
    text = format_probability(probability, language).replace(" ", "")
    assert re.fullmatch(r"<1%|>99%|[1-9]\d?%", text)


def test_probabilities_at_the_ends() -> None:
    assert [format_probability(p, "en") for p in (0.0, 0.0099, 0.01, 0.5, 0.99, 0.9901, 1.0)] == [
        "<1 %",
        "<1 %",
        "1 %",
        "50 %",
        "99 %",
        ">99 %",
        ">99 %",
    ]


def test_instants_are_written_in_the_clinics_zone_and_utc_is_said() -> None:
    at = datetime(2026, 8, 31, 16, 30, tzinfo=UTC)
    assert format_date(at, "en", "Asia/Shanghai") == "1 Sep 2026, 00:30"
    assert format_date(at, "zh", "Asia/Shanghai") == "2026年9月1日 00:30"
    assert format_date(at, "en") == "31 Aug 2026, 16:30 UTC"
    assert format_date(at.date(), "zh") == "2026年8月31日"


@given(days=st.integers(min_value=0, max_value=40000))
def test_every_day_of_a_century_has_a_date_in_both_languages(days: int) -> None:
    day = date(1990, 1, 1) + timedelta(days=days)
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} \d{4}", format_date(day, "en"))
    assert format_date(day, "zh") == f"{day.year}年{day.month}月{day.day}日"


def test_a_column_head_has_the_unit_without_number() -> None:
    assert unit_text("trough_ng_ml", "en") == "ng/mL"
    assert unit_text("change_daily_mg", "zh") == "每日 mg"
    assert unit_text("width_fold", "en") == "fold"
    assert unit_text("drug", "en") == ""
