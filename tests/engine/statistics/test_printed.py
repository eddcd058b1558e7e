# SPDX-License-Identifier: Apache-2.0
"""A printed number keeps its decimals; a printed P value its relation."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.statistics.printed import percent_text, plain_text, printed, printed_p


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [("60", 60, 0), ("60.0", 60, 1), ("60·5 %", Fraction(121, 2), 1), ("100%", 100, 0), ("-3.2", Fraction(-16, 5), 1)],
)
def test_a_printed_number_keeps_its_decimals(text: str, value: Fraction, decimals: int) -> None:
    read = printed(text)
    assert read is not None
    assert (read.value, read.decimals) == (value, decimals)


@pytest.mark.parametrize("text", ["", "about 60", "6,5", "1e3", "60..5", "%", "n/a", "½", "1234567890123"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert printed(text) is None


@pytest.mark.parametrize(
    ("text", "told", "relation"),
    [
        ("0.70", "0.70", "="),
        ("P = .016", "0.016", "="),
        ("p<0.05", "<0.05", "<"),
        ("≤0.01", "<=0.01", "<="),
        (">0·05", ">0.05", ">"),
        ("1", "1", "="),
    ],
)
def test_a_printed_p_value_keeps_its_relation(text: str, told: str, relation: str) -> None:
    p = printed_p(text)
    assert p is not None
    assert (p.text, p.relation) == (told, relation)


@pytest.mark.parametrize("text", ["", "n.s.", "1.2", "<", "0.05-0.1", "-0.01"])
def test_what_is_no_p_value_is_none(text: str) -> None:
    assert printed_p(text) is None


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**4), st.integers(0, 4))
@settings(deadline=None)
def test_every_honest_rounding_is_accepted_and_cutting_off_is_told_apart(top: int, bottom: int, decimals: int) -> None:
    # Oracle: the decimal module with its four roundings.
    exact = Fraction(top, bottom)
    step = Decimal(1).scaleb(-decimals)
    quotient = Decimal(top) / Decimal(bottom)
    for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN):
        read = printed(format(quotient.quantize(step, rounding=rounding), "f"))
        assert read is not None
        assert read.rounds_from(exact)
    cut = printed(format(quotient.quantize(step, rounding=ROUND_DOWN), "f"))
    assert cut is not None
    assert cut.cut_from(exact)


def test_numbers_are_written_half_up() -> None:
    assert [plain_text(Fraction(1, 8), 2), plain_text(Fraction(-1, 8), 2), plain_text(Fraction(0), 1)] == [
        "0.13",
        "-0.13",
        "0.0",
    ]
    assert percent_text(55, 78, 2) == "70.51"
