# SPDX-License-Identifier: Apache-2.0
"""Two reviewers' forms field by field; what is compared and decided is known because the test makes the differences."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.extraction.double_extraction import ABSENT, Decision, compare_forms, settle_forms
from sirolens.evidence.extraction.form_file import extraction_of

FORM: dict[str, Any] = {
    "id": "invented-2020",
    "name": "Invented 2020",
    "design": "single-arm",
    "by": "wei",
    "patients": {"population": "primary-itp", "enrolled": 20},
    "report": [{"id": "paper", "kind": "journal-article", "year": 2020}],
    "arm": [{"id": "s", "name": "sirolimus", "target": {"low_ng_ml": 5, "high_ng_ml": 15}}],
    "outcome": [
        {"outcome": "OR", "time": "3m", "arm": "s", "k": 12, "n": 20},
        {"outcome": "CR", "time": "3m", "arm": "s", "k": 6, "n": 20},
    ],
}


def other() -> dict[str, Any]:
    form = deepcopy(FORM)
    form["by"] = "ana"
    return form


def test_equal_forms_agree_whatever_the_order_of_their_rows_and_whoever_filled_them_in() -> None:
    second = other()
    second["outcome"].reverse()
    second["note"] = "own words"
    compared = compare_forms(FORM, second)
    assert not compared.differences
    assert compared.agreed == compared.compared > 10


def test_every_difference_is_named_with_both_values() -> None:
    second = other()
    second["outcome"][0]["k"] = 13
    second["arm"][0]["target"]["low_ng_ml"] = 4
    second["patients"]["age_group"] = "adults"
    told = {(one.field, one.first, one.second) for one in compare_forms(FORM, second).differences}
    assert told == {
        ("patients.age_group", ABSENT, "adults"),
        ("arm[s].target.low_ng_ml", 5, 4),
        ("outcome[s/OR/3m].k", 12, 13),
    }


def test_a_row_that_only_one_found_is_one_difference() -> None:
    second = other()
    second["outcome"].append({"outcome": "PR", "time": "3m", "arm": "s", "k": 6, "n": 20})
    (found,) = compare_forms(FORM, second).differences
    assert (found.field, found.first, found.second) == ("outcome[s/PR/3m]", ABSENT, "row")


def test_a_consensus_keeps_who_decided_and_why_and_reads_as_a_form() -> None:
    second = other()
    second["outcome"][0]["k"] = 13
    second["outcome"].append({"outcome": "PR", "time": "3m", "arm": "s", "k": 6, "n": 20})
    decisions = [
        Decision(field="outcome[s/OR/3m].k", choice="other", value=12, by="wei and ana", why="table 2"),
        Decision(field="outcome[s/PR/3m]", choice="second", by="ana", why="overlooked"),
    ]
    settled = settle_forms(FORM, second, decisions)
    assert settled.decisions == tuple(decisions)
    assert not settled.open
    reading = extraction_of(settled.data)
    assert reading.extraction is not None
    assert [(row.outcome, row.k) for row in reading.extraction.rows] == [("OR", 12), ("CR", 6), ("PR", 6)]


def test_what_nobody_decided_stays_open() -> None:
    second = other()
    second["outcome"][0]["k"] = 13
    settled = settle_forms(FORM, second, [])
    assert [one.field for one in settled.open] == ["outcome[s/OR/3m].k"]
    assert settled.data["outcome"][0]["k"] == 12


def test_a_row_can_be_taken_out() -> None:
    second = other()
    del second["outcome"][1]
    told = Decision(field="outcome[s/CR/3m]", choice="second", by="ana", why="of another time")
    assert [row["outcome"] for row in settle_forms(FORM, second, [told]).data["outcome"]] == ["OR"]


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        (Decision(field="name", choice="first", by="ana", why="x"), "extraction.decision-without-difference"),
        (Decision(field="country", choice="first", by="", why="x"), "extraction.decision-without-reason"),
        (Decision(field="country", choice="first", by="ana", why=" "), "extraction.decision-without-reason"),
        (Decision(field="country", choice="mine", by="ana", why="x"), "extraction.decision-choice"),
    ],
)
def test_a_decision_needs_a_difference_a_name_a_reason_and_a_choice(decision: Decision, code: str) -> None:
    second = other() | {"country": "China"}
    with pytest.raises(InputError) as raised:
        settle_forms(FORM, second, [decision])
    assert [message.code for message in raised.value.messages] == [code]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["OR", "CR", "PR", "NR"]), st.integers(0, 9)), unique_by=lambda row: row[0]),
    st.lists(st.tuples(st.sampled_from(["OR", "CR", "PR", "NR"]), st.integers(0, 9)), unique_by=lambda row: row[0]),
)
def test_deciding_everything_for_the_second_gives_the_second_form(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    forms = [
        {"id": "a", "outcome": [{"arm": "s", "outcome": name, "time": "3m", "k": k} for name, k in rows]}
        for rows in (first, second)
    ]
    found = compare_forms(*forms).differences
    told = [Decision(field=one.field, choice="second", by="ana", why="read again") for one in found]
    settled = settle_forms(*forms, told)
    assert not settled.open
    assert not compare_forms(settled.data, forms[1]).differences
