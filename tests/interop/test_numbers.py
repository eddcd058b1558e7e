# SPDX-License-Identifier: Apache-2.0
"""Numbers are read exactly or refused: a comma is never guessed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import ChartError
from sirolens.interop.numbers import LONGEST_ECHO, Number, clip, plain_width, read_number

FULL_WIDTH = str.maketrans("0123456789.-<", "０１２３４５６７８９．－＜")


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_is_read_exactly(value: float) -> None:
    assert read_number(repr(value))[0].value == value


@settings(deadline=None)
@given(st.decimals(-1000, 1000, places=2))
def test_full_width_digits_are_the_same_number_with_a_flag(value: object) -> None:
    plain, flags = read_number(str(value))
    wide, wide_flags = read_number(str(value).translate(FULL_WIDTH))
    assert wide == plain
    assert ([f.code for f in flags], [f.code for f in wide_flags]) == ([], ["chart.full-width"])


@settings(deadline=None)
@given(st.integers(0, 9999), st.integers(0, 99))
def test_a_declared_comma_reads_what_a_point_reads(whole: int, hundredths: int) -> None:
    comma, point = f"{whole},{hundredths:02}", f"{whole}.{hundredths:02}"
    assert read_number(comma, decimal_mark=",") == read_number(point)
    with pytest.raises(ChartError, match="decimal-comma"):
        read_number(comma)
    with pytest.raises(ChartError, match="decimal-mark"):
        read_number(point, decimal_mark=",")


@pytest.mark.parametrize("text", ["1,234", "12,345", "1,234,567", "1.234,5", "1,234.5", "1.234.567", "１，２３４"])
@pytest.mark.parametrize("mark", [".", ","])
def test_marks_between_thousands_are_never_read(text: str, mark: str) -> None:
    with pytest.raises(ChartError, match="thousands"):
        read_number(text, decimal_mark=mark)


def test_three_decimals_behind_a_point_are_a_number_and_behind_a_zero_too() -> None:
    assert read_number("1.234")[0].value == 1.234
    assert read_number("0,125", decimal_mark=",")[0].value == 0.125
    with pytest.raises(ChartError, match="thousands"):
        read_number("1.234", decimal_mark=",")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "7.",
        "7。2",
        "七",
        "①",
        "½",
        "10⁹",
        "1 234",
        "1'234",
        "nan",
        "inf",
        "1e999",
        "--1",
        "٧",
        "1_000",
    ],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ChartError, match="not-a-number"):
        read_number(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<0.5", Number(0.5, "<")),
        ("≤ 0.5", Number(0.5, "<")),
        (">30", Number(30.0, ">")),
        ("＞＝30", Number(30.0, ">")),
        ("7.2 ng/mL", Number(7.2, "", "ng/mL")),
        ("2mg", Number(2.0, "", "mg")),
        ("4.5万/μL", Number(4.5, "", "万/μL")),
        ("1e3", Number(1000.0)),
        ("+2", Number(2.0)),
    ],
)
def test_relations_and_units_are_told_apart(text: str, wanted: Number) -> None:
    assert read_number(text)[0] == wanted


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=20), st.sampled_from([".", ","]))
def test_any_text_is_a_number_or_refused(text: str, mark: str) -> None:
    with suppress(ChartError):
        read_number(text, decimal_mark=mark)


@given(st.text(max_size=200))
def test_what_a_message_repeats_is_short_and_printable(text: str) -> None:
    shown = clip(text)
    assert len(shown) <= LONGEST_ECHO + 1
    assert all(sign.isprintable() for sign in shown)


def test_only_full_width_signs_are_brought_to_plain_ones() -> None:
    assert plain_width("ＡＢＣ１２３，。㎎") == "ABC123,。㎎"
