# SPDX-License-Identifier: Apache-2.0
"""The card of a model shows everything, as plain data."""

from __future__ import annotations

import pytest

from sirolens.message import Message
from sirolens.models.card import describe
from sirolens.models.catalog import catalog, load
from sirolens.models.model_file import read_model
from tests.models.test_check import GOOD, OWN


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, tuple):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


@pytest.mark.parametrize("name", sorted(catalog()))
def test_a_card_holds_numbers_texts_and_messages_only(name: str) -> None:
    card = describe(load(name))
    assert {type(leaf) for leaf in leaves(card)} <= {str, int, float, bool, type(None), Message}
    assert card["primary_table_seen"] is False
    assert card["source"]


def test_what_a_model_does_not_support_is_shown() -> None:
    card = describe(load("cheng_2020"))
    missing = card["does_not_support"]
    assert isinstance(missing, tuple)
    assert [row["name"] for row in missing if isinstance(row, dict)] == [
        "early-level",
        "time-course",
        "auc",
        "half-life",
    ]


def test_the_conversion_of_each_variance_is_shown() -> None:
    rows = describe(load("jiao_2009:dose-covariate"))["omega"]
    assert isinstance(rows, tuple)
    first = rows[0]
    assert isinstance(first, dict)
    assert (first["published"], first["conversion"], first["variance"]) == (23.8, "log(1 + (x / 100)^2)", 0.0551)


def test_formulas_are_shown_as_computed_and_as_printed() -> None:
    rows = describe(load("golubovic_2019"))["parameters"]
    assert isinstance(rows, tuple)
    first = rows[0]
    assert isinstance(first, dict)
    assert first["formula"] == "CL44 * AST_CL^(AST > 37) * (1 - AGE_CL * AGE / 44) / (1 - AGE_CL)"
    assert first["printed"] == "CL/F = 12.2 * 0.63^(AST>37) * (1 - 0.388*AGE/44)"


@pytest.mark.parametrize("text", [GOOD, OWN])
def test_users_models_have_cards_too(text: str) -> None:
    model = read_model(text, "own.toml").model
    assert model is not None
    assert describe(model)["title"] == model.title
