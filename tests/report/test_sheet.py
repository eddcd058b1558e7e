# SPDX-License-Identifier: Apache-2.0
"""Words on a sheet: broken so that they fit and nothing is lost (oracle: the advance widths of the shipped font)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.font_measure import measured

from sirolens.report.sheet import width_of, wrapped

UNDER = 0.06  # the estimate of a line's width may be so much too small, as a part of it; margins are wider
TEXTS = (
    "Identification of new studies via databases and registers",
    "WHO Immune Thrombocytopenia Working Group (n = 1,234) †",
    "虚构的多中心难治性免疫性血小板减少症成人患者长期随访研究（第二部分，扩展队列）2031",
    "−12.5 (−40.2 to 15.2)",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("bold", [False, True])
def test_the_estimated_width_is_that_of_the_font(text: str, bold: bool) -> None:
    true = measured(text, 11.0, bold=bold)
    assert true * (1 - UNDER) <= width_of(text, 11.0, bold=bold) <= 1.15 * true


@settings(deadline=None)
@given(
    text=st.text(st.sampled_from("ab WxZ，。（）病例研究12%-\n/"), max_size=60),
    wide=st.floats(25, 200),
    bold=st.booleans(),
)
def test_broken_lines_fit_and_lose_no_sign(text: str, wide: float, bold: bool) -> None:
    lines = wrapped(text, wide, 10.0, bold=bold)
    assert all(width_of(line, 10.0, bold=bold) <= wide for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_chinese_punctuation_begins_no_line_and_an_opening_bracket_ends_none() -> None:
    text = "缓解标准未报告，（第二部分）例数由原文（n = 12）百分比推算。"
    for wide in range(30, 200, 3):
        lines = wrapped(text, float(wide), 10.0)
        assert not any(line.startswith(("，", "）", "。")) for line in lines)
        assert wide < 60 or not any(line.endswith("（") for line in lines)


def test_a_number_stays_with_its_unit() -> None:
    assert all("95" not in line or "95\u00a0%" in line for line in wrapped("the interval of 95 % here", 60.0, 10.0))
