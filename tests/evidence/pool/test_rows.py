# SPDX-License-Identifier: Apache-2.0
"""Who enters a pool: each patient once, and nothing mixed unasked. All studies here are invented."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sirolens.errors import InputError
from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow, Population
from sirolens.evidence.pool.rows import Chosen, chosen, once_each, poolable

ROW = OutcomeRow(study="A", outcome="OR", timepoint="3m", k=12, n=20, criteria="IWG 2009")
OTHER = replace(ROW, study="B", k=30, n=41)
ASKED: dict[str, Any] = {
    "outcome": "OR",
    "timepoint": "3m",
    "populations": None,
    "roles": (ArmRole.SINGLE,),
    "partners": (),
    "subgroup": "",
    "any_criteria": False,
    "counts": True,
}


def _chosen(*rows: OutcomeRow, **asked: Any) -> Chosen:
    return once_each(chosen(rows, **(ASKED | asked)))


def _refused(*rows: OutcomeRow, **asked: Any) -> list[str]:
    with pytest.raises(InputError) as found:
        _chosen(*rows, **asked)
    return [message.code for message in found.value.messages]


def _codes(found: Chosen) -> list[str]:
    return [message.code for message in found.messages]


def test_rows_of_the_question_are_taken_and_the_rest_is_told() -> None:
    rows = (
        ROW,
        OTHER,
        replace(ROW, study="C", subgroup="children"),
        replace(ROW, study="D", role=ArmRole.TREATED),
        replace(ROW, study="E", partners=("danazol",)),
        replace(ROW, study="F", k=None, n=None, percent=65.0),
        replace(ROW, study="G", timepoint="6m"),
        replace(ROW, study="H", k=None, estimate=0.4, standard_error=0.1),
    )
    found = _chosen(*rows)
    assert [row.study for row in found.rows] == ["A", "B"]
    assert [(left.row.study, left.reason) for left in found.left] == [
        ("C", "subgroup"),
        ("D", "comparative"),
        ("E", "combination"),
        ("F", "no-counts"),
        ("H", "no-counts"),
    ]
    joined = _chosen(*rows, partners=None, roles=(ArmRole.SINGLE, ArmRole.TREATED), subgroup=None)
    assert [row.study for row in joined.rows] == ["A", "B", "C", "D", "E"]
    assert "pooling.partners-joined" in _codes(joined)


def test_a_study_twice_and_every_wrong_row_are_refused_together() -> None:
    assert _refused(ROW, replace(ROW, k=13)) == ["pooling.study-twice"]
    assert _refused(replace(ROW, k=21), replace(OTHER, n=0, k=0)) == [
        "pooling.more-events-than-patients",
        "pooling.no-patients",
    ]
    # Two arms of one study are not the same row twice.
    assert len(_chosen(replace(ROW, arm="1 mg"), replace(ROW, arm="2 mg")).rows) == 2


def test_different_criteria_pool_only_when_asked_and_unknown_ones_with_a_flag() -> None:
    chinese = replace(OTHER, criteria="China 2020")
    assert _refused(ROW, chinese) == ["pooling.criteria-mixed"]
    assert _codes(_chosen(ROW, chinese, any_criteria=True)) == ["pooling.criteria-joined"]
    unknown = replace(OTHER, criteria="not reported")
    found = _chosen(ROW, unknown)
    assert _codes(found) == ["pooling.criteria-not-reported"]
    assert found.messages[0].values["studies"] == ("B",)
    assert _codes(_chosen(ROW, OTHER)) == []


def test_populations_are_apart_unless_named_and_inseparable_ones_always() -> None:
    secondary = replace(OTHER, population=Population.SECONDARY_ITP)
    assert _refused(ROW, secondary) == ["pooling.populations-mixed"]
    assert [row.study for row in _chosen(ROW, secondary, populations=(Population.PRIMARY_ITP,)).rows] == ["A"]
    both = _chosen(ROW, secondary, populations=(Population.PRIMARY_ITP, Population.SECONDARY_ITP))
    assert _codes(both) == ["pooling.populations-joined"]
    mixed = replace(OTHER, population=Population.NOT_SEPARABLE)
    assert _refused(ROW, mixed) == ["pooling.not-separable"]
    assert _refused(ROW, mixed, populations=tuple(Population)) == ["pooling.not-separable"]
    assert len(_chosen(mixed, populations=(Population.NOT_SEPARABLE,)).rows) == 1


def test_one_cohort_counts_once_and_the_larger_report_is_used() -> None:
    early = replace(ROW, study="ABSTRACT", k=5, n=10, overlap_group="ONE CENTRE", year=2018)
    full = replace(ROW, study="PAPER", k=16, n=30, overlap_group="ONE CENTRE", year=2020)
    found = _chosen(early, OTHER, full)
    assert [row.study for row in found.rows] == ["B", "PAPER"]
    assert [(left.row.study, left.reason) for left in found.left] == [("ABSTRACT", "overlap")]
    (told,) = found.messages
    assert (told.values["study"], told.values["used_study"]) == ("ABSTRACT", "PAPER")


def test_a_question_nobody_answers_lists_what_is_known() -> None:
    assert _refused(ROW, outcome="CR") == ["pooling.no-such-outcome"]


def test_what_can_be_pooled_is_listed() -> None:
    late = replace(ROW, timepoint="6m", population=Population.EVANS)
    found = poolable([ROW, OTHER, late, replace(ROW, study="C", k=None)])
    assert [(one.outcome, one.timepoint, one.population.value, one.clusters) for one in found] == [
        ("OR", "3m", "primary-itp", 2),
        ("OR", "6m", "evans", 1),
    ]
