# SPDX-License-Identifier: Apache-2.0
"""Which questions rows can answer, and in which order; single patients are told and never pooled."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow, Population
from sirolens.evidence.pool.questions import Kind, answer, answers, questions


def row(study: str, k: float, n: float, **more: Any) -> OutcomeRow:
    return OutcomeRow(study=study, k=k, n=n, **{"outcome": "OR", "timepoint": "3m", **more})


ROWS = (
    row("AE", 1, 20, outcome="AE", timepoint="any"),
    row("late", 5, 9, timepoint="12m"),
    row("one", 12, 20),
    row("two", 73, 86),
    row("case", 1, 1),
    row("part", 3, 8, subgroup="children"),
    row("evans", 2, 5, population=Population.EVANS),
    row("with", 9, 10, partners=("prednisone",)),
    row("trial", 25, 43, role=ArmRole.TREATED, arm="sirolimus"),
    row("trial", 28, 45, role=ArmRole.CONTROL, arm="ciclosporin"),
    row("no control", 25, 43, role=ArmRole.TREATED, arm="sirolimus"),
    OutcomeRow(study="percent", outcome="CR", timepoint="3m", percent=60.0),
)


def test_comparisons_lead_then_primary_itp_then_others_and_safety_last() -> None:
    assert [one.name for one in questions(ROWS)] == [
        "comparison-OR-3m-primary-itp",
        "single-arm-OR-3m-primary-itp",
        "single-arm-OR-12m-primary-itp",
        "single-arm-OR-3m-primary-itp-prednisone",
        "single-arm-OR-3m-evans",
        "single-arm-AE-any-primary-itp",
    ]


@settings(deadline=None, max_examples=20)
@given(order=st.permutations(ROWS))
def test_the_order_of_the_rows_does_not_matter(order: list[OutcomeRow]) -> None:
    assert questions(order) == questions(ROWS)


def test_a_single_patient_is_told_and_not_pooled() -> None:
    found = answer(questions(ROWS)[1], ROWS)
    assert [line.row.study for line in found.studies] == ["one", "two"]
    told = next(message for message in found.messages if message.code == "evidence.single-patient")
    assert told.values["study"] == "case"


def test_a_comparison_is_a_risk_ratio_and_what_cannot_be_answered_says_why() -> None:
    found, refused = answers((*ROWS, row("wrong", 30, 20, timepoint="6m")))
    first, pooled = found[0]
    assert first.kind is Kind.COMPARISON
    assert pooled.effect == "RR"
    assert pooled.studies[0].estimate == pytest.approx((25 / 43) / (28 / 45), rel=1e-12)
    assert [message.values["study"] for message in refused] == ["wrong"]
