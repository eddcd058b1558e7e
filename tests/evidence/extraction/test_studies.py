# SPDX-License-Identifier: Apache-2.0
"""A study is not a report, and the same patients count once; the oracle is the rule as written, over all orders."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow
from sirolens.evidence.extraction.studies import (
    Candidate,
    Cohort,
    Design,
    Preference,
    Report,
    ReportKind,
    Study,
    counted_once,
    reports_told_by,
    study_problems,
)
from sirolens.evidence.record import Position, Record

PAPER = Report(id="paper", kind=ReportKind.ARTICLE)
ABSTRACT = Report(id="interim", kind=ReportKind.CONFERENCE)


def study(name: str, *, doi: str = "", group: str = "", registrations: tuple[str, ...] = ()) -> Study:
    report = Report(id="paper", kind=ReportKind.ARTICLE, doi=doi)
    cohort = Cohort(id="all", overlap_group=group)
    return Study(
        id=name, name=name, design=Design.SINGLE_ARM, reports=(report,), cohorts=(cohort,), registrations=registrations
    )


def row(name: str, n: int, **told: Any) -> OutcomeRow:
    plain = OutcomeRow(study=name, outcome="OR", timepoint="6m", k=1, n=n, overlap_group="one")
    return replace(plain, **told)


def test_a_study_id_twice_is_named() -> None:
    found = study_problems([study("a"), study("b"), study("a")])
    assert [(one.code, one.values["study"]) for one in found] == [("extraction.study-twice", "a")]


def test_one_report_cannot_tell_of_two_studies() -> None:
    (found,) = study_problems([study("a", doi="10.1/X"), study("b", doi="10.1/x")])
    assert found.code == "extraction.report-in-two-studies"
    assert found.values["studies"] == ("a", "b")


def test_one_registration_in_two_studies_is_doubted_unless_they_share_an_overlap_group() -> None:
    apart = [study("a", registrations=("NCT1",)), study("b", registrations=("NCT1",))]
    together = [study("a", registrations=("NCT1",), group="g"), study("b", registrations=("NCT1",), group="g")]
    assert [one.code for one in study_problems(apart)] == ["extraction.registration-in-two-studies"]
    assert not study_problems(together)


def test_records_find_the_report_they_are_and_a_shared_registration_is_not_enough() -> None:
    place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=2)
    by_doi = Record(id="r-1", source="ris", position=place, raw="", doi="10.1/x")
    by_trial = Record(id="r-2", source="ris", position=place, raw="", trial_ids=("NCT1",))
    known = [study("a", doi="10.1/X", registrations=("NCT1",))]
    assert reports_told_by([by_doi, by_trial], known) == {"r-1": ("a", "paper")}


def test_a_paper_goes_before_an_abstract_even_when_the_abstract_is_larger() -> None:
    once = counted_once(
        [
            Candidate(row=row("a", 30), report=ABSTRACT),
            Candidate(row=row("a", 20), report=PAPER),
        ]
    )
    assert [one.n for one in once.rows] == [20]
    assert [left.reason for left in once.left_out] == ["fuller-report"]


def test_a_whole_cohort_goes_before_its_parts_and_parts_stand_beside_each_other() -> None:
    parts = [Candidate(row=row("a", 12, subgroup=name), report=PAPER) for name in ("ALPS", "multilineage")]
    whole = Candidate(row=row("a", 30), report=PAPER)
    assert len(counted_once(parts).rows) == 2
    assert counted_once([*parts, whole]).rows == (whole.row,)


def test_the_reviewers_choice_goes_before_every_rule() -> None:
    told = Preference(overlap_group="one", study="small", reason="prospective")
    both = [Candidate(row=row("small", 5), report=ABSTRACT), Candidate(row=row("large", 50), report=PAPER)]
    once = counted_once(both, preferred=[told])
    assert [one.study for one in once.rows] == ["small"]
    assert once.left_out[0].message.code == "extraction.left-out-reviewers"


def test_both_arms_of_a_trial_count() -> None:
    arms = [
        Candidate(row=row("a", 43, role=ArmRole.TREATED), report=PAPER),
        Candidate(row=row("a", 45, role=ArmRole.CONTROL), report=PAPER),
    ]
    assert len(counted_once(arms).rows) == 2


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.integers(1, 90),
            st.sampled_from(["", "g", "h"]),
            st.sampled_from([PAPER, ABSTRACT]),
            st.sampled_from(["3m", "6m"]),
        ),
        max_size=8,
    )
)
def test_nobody_counts_twice_and_nothing_vanishes(told: list[tuple[str, int, str, Report, str]]) -> None:
    given_rows = [
        Candidate(row=row(name, n, overlap_group=group, timepoint=time), report=report)
        for name, n, group, report, time in told
    ]
    once = counted_once(given_rows)
    assert len(once.rows) + len(once.left_out) == len(given_rows)
    clusters = Counter((one.cluster, one.outcome, one.timepoint, one.role) for one in once.rows)
    assert all(times == 1 for times in clusters.values())
    assert clusters.keys() == {
        (one.row.cluster, one.row.outcome, one.row.timepoint, one.row.role) for one in given_rows
    }
