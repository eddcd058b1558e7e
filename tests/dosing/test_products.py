# SPDX-License-Identifier: Apache-2.0
"""No impossible dose leaves the product list (H19). Oracle: enumeration of tablets."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirolens.dosing.products import (
    default_products,
    doses,
    portions,
    read_products,
    regimens,
    smallest_step_mg,
)
from sirolens.errors import InputError

PRODUCTS = default_products()
FORMS = st.sampled_from(["tablet", "solution"])


def test_tablets_make_what_enumeration_says() -> None:
    made = {
        round(sum(chosen), 3)
        for count in range(1, PRODUCTS.most_tablets + 1)
        for chosen in combinations_with_replacement((0.5, 1.0, 2.0), count)
    }
    assert set(doses(PRODUCTS, "tablet", up_to_mg=100)) == made


def test_the_fewest_tablets_are_used() -> None:
    chosen = portions(PRODUCTS, "tablet", 3.5)
    assert chosen is not None
    assert [(one.tablets, one.product.strength_mg) for one in chosen] == [(1, 2.0), (1, 1.0), (1, 0.5)]


@pytest.mark.parametrize("dose_mg", [0.37, 0.25, 0.75, 0.0, -1.0, 100.0])
def test_an_impossible_tablet_dose_is_none(dose_mg: float) -> None:
    assert portions(PRODUCTS, "tablet", dose_mg) is None


def test_a_volume_between_the_marks_of_the_syringe_is_none() -> None:
    assert portions(PRODUCTS, "solution", 0.75) is None
    measured = portions(PRODUCTS, "solution", 0.7)
    assert measured is not None
    assert measured[0].volume_ml == pytest.approx(0.7)


@given(form=FORMS, cap_mg=st.floats(0.5, 8.0), split=st.booleans())
def test_every_regimen_is_made_exactly_by_products_and_stays_under_the_cap(
    form: str, cap_mg: float, split: bool
) -> None:
    for regimen in regimens(PRODUCTS, form, up_to_daily_mg=cap_mg, split=split):
        assert regimen.daily_mg <= cap_mg + 1e-9
        assert len(regimen.portions) == len(regimen.cycle.amount_mg)
        for amount_mg, intake in zip(regimen.cycle.amount_mg, regimen.portions, strict=True):
            assert amount_mg <= cap_mg + 1e-9
            taken = sum(p.tablets * p.product.strength_mg + p.volume_ml * p.product.mg_per_ml for p in intake)
            assert taken == pytest.approx(amount_mg)
            assert all(p.tablets == int(p.tablets) for p in intake)


def test_split_doses_are_listed_only_when_asked_for() -> None:
    patterns = {regimen.pattern for regimen in regimens(PRODUCTS, "tablet", up_to_daily_mg=4)}
    assert patterns == {"daily", "alternate-days"}
    assert "twice-daily" in {r.pattern for r in regimens(PRODUCTS, "tablet", up_to_daily_mg=4, split=True)}


def test_alternate_days_fill_the_gaps_between_tablets() -> None:
    means = [r.daily_mg for r in regimens(PRODUCTS, "tablet", up_to_daily_mg=2) if r.pattern == "alternate-days"]
    assert means == [0.25, 0.75]


def test_steps_are_half_a_milligram_and_a_tenth_of_a_millilitre() -> None:
    assert smallest_step_mg(PRODUCTS, "tablet") == 0.5
    assert smallest_step_mg(PRODUCTS, "solution") == 0.1


SITE = """
name = "ward"
most_tablets = 3
[source]
title = "Ward list"
mark = "judge"
[[product]]
form = "tablet"
strength_mg = 1.0
"""


def test_a_site_lists_its_own_products() -> None:
    ward = read_products(SITE)
    assert ward.forms == ("tablet",)
    assert doses(ward, "tablet", up_to_mg=10) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name = ", "protocol.products-unreadable"),
        (SITE.replace("strength_mg = 1.0", "strength_mg = 0.0"), "protocol.product-impossible"),
        (SITE.replace('"tablet"', '"cream"'), "protocol.product-impossible"),
        (SITE.replace("most_tablets = 3", "most_tablets = 0"), "protocol.no-products"),
        (SITE.replace("[[product]]", "[[thing]]"), "protocol.products-unreadable"),
    ],
)
def test_an_impossible_product_list_is_refused(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_products(text)
    assert caught.value.messages[0].code == code


def test_a_portion_is_said_in_words_without_a_trailing_zero() -> None:
    chosen = portions(PRODUCTS, "tablet", 2.0)
    assert chosen is not None
    assert chosen[0].message.values == {"tablets": 1, "strength_mg": 2.0}
