# SPDX-License-Identifier: Apache-2.0
"""The forms of the shipped review as a page: order, counts, contradictions, both languages."""

from __future__ import annotations

from sirolens.evidence.extraction.outcome import Population
from sirolens.evidence.extraction.studies import StudyStatus
from sirolens.evidence.extraction.words import outcome_words, time_words
from sirolens.message import Message
from sirolens.report.document import Table
from sirolens.report.worded import texts, worded
from sirolens.report.words import say
from sirolens.study.review.evidence import (
    cells_table,
    conflicts_table,
    findings_table,
    forms_document,
    forms_json,
    is_other,
    is_response,
    is_safety,
    notes_table,
    open_studies_table,
    outcomes_table,
    reports_table,
    studies_table,
)
from tests.evidence.shipped_review import forms


def cells(table: Table, language: str = "en") -> list[list[str]]:
    return [[say(cell, language) if isinstance(cell, Message) else str(cell) for cell in row] for row in table.rows]


def test_randomised_comparisons_come_first_then_primary_itp() -> None:
    rows = cells(studies_table(forms().extractions))
    assert [row[0] for row in rows[:2]] == ["Li 2013", "Int Immunopharmacol 2020"]
    single = [row[2] for row in rows if row[1] == "single arm" and row[7] == "results"]
    assert single[: single.count("primary ITP")] == ["primary ITP"] * single.count("primary ITP")
    assert len(rows) == len(forms().extractions)


def test_every_response_stands_with_its_denominator_mark_and_criteria() -> None:
    rows = cells(outcomes_table(forms().extractions, is_response, "en"))
    assert len(rows) == sum(is_response(one) for form in forms().extractions for one in form.outcomes)
    assert ["12", "20", "60.0", "read in the source", "not reported"] in [row[5:10] for row in rows]
    feng = next(row for row in rows if row[0] == "Feng 2020" and row[4] == "12 months")
    assert feng[5:8] == ["None", "None", "65.0"]  # no count is made up


def test_behind_a_derived_count_stands_its_arithmetic_in_the_readers_language() -> None:
    for language, wanted in (("en", "calculated: 6 + 2"), ("zh", "推算：6 + 2")):
        rows = cells(outcomes_table(forms().extractions, is_response, language), language)
        assert wanted in {row[10] for row in rows}
        derived = [row for row in rows if row[8] in ("calculated from the source", "由原文数据计算")]
        assert len(derived) >= 15
        assert all("calculated: " in row[10] or "推算：" in row[10] for row in derived)


def test_what_nobody_read_is_not_called_not_reported() -> None:
    (row,) = [row for row in cells(studies_table(forms().extractions)) if row[0].startswith("Miano")]
    assert row[4:7] == ["None", "None", "nothing"]


def test_every_report_is_cited_with_what_it_can_be_found_by() -> None:
    rows = cells(reports_table(forms().extractions))
    assert len(rows) == sum(len(form.study.reports) for form in forms().extractions)
    for form in forms().extractions:
        for report in form.study.reports:
            told = " ".join(" ".join(row) for row in rows if row[0] == form.study.name)
            wanted = (
                report.first_author,
                report.title,
                report.doi,
                report.pmid,
                report.pmcid,
                *form.study.registrations,
            )
            assert all(text in told for text in wanted)
    (copy,) = [row for row in rows if row[0] == "NCT05925023"]
    assert copy[1] == "conference abstract"  # nothing of it was seen at the source: nothing is filled in
    assert copy[3] == "abstract in part; seen second-hand only"


def test_what_must_be_known_of_a_study_stands_in_both_languages_trials_first() -> None:
    english, chinese = (cells(notes_table(forms().extractions, language), language) for language in ("en", "zh"))
    assert [row[0] for row in english[:2]] == ["Li 2013", "Int Immunopharmacol 2020"]
    assert all(row[1].startswith("No advantage over ciclosporin") for row in english[:2])
    assert all("未显示优于环孢素" in row[1] for row in chinese[:2])


def test_arms_and_parts_of_ours_are_said_in_chinese() -> None:
    told = " ".join(texts(worded(forms_document(forms(), (), "zh", version="test"), "zh")))
    assert "雷帕霉素 + 小剂量泼尼松（西罗莫司组）" in told
    assert "Wu 2021：系统性红斑狼疮" in told


def test_every_outcome_stands_in_one_table_of_three() -> None:
    for form in forms().extractions:
        for one in form.outcomes:
            assert [is_response(one), is_safety(one), is_other(one)].count(True) == 1
    rows = cells(outcomes_table(forms().extractions, is_other, "en"))
    assert ["Li H 2020", "Relapse, of responders", "4", "38"] in [[row[0], row[3], *row[5:7]] for row in rows]
    assert "178 x10^9/L (P=0.018)" in {row[10] for row in rows}  # a median at 6 months, without counts


def test_contradictions_stand_side_by_side_in_both_languages() -> None:
    english, chinese = (cells(conflicts_table(forms().extractions, language), language) for language in ("en", "zh"))
    assert len(english) == len(chinese) == 10
    assert ["Sirolimus level and response", "Li H 2020"] in [row[:2] for row in english]
    assert ["西罗莫司血药浓度与疗效", "Ann Med 2023"] in [row[:2] for row in chinese]


def test_every_finding_stands_once_where_studies_agree_or_where_they_contradict() -> None:
    both = [*cells(conflicts_table(forms().extractions, "en")), *cells(findings_table(forms().extractions, "en"))]
    assert len(both) == sum(len(form.findings) for form in forms().extractions)
    agreed = [row[:2] for row in cells(findings_table(forms().extractions, "zh"), "zh")]
    assert ["治疗中调节性T细胞的变化", "Blood Coagul Fibrinolysis 2024"] in agreed


def test_cells_are_told_with_their_markers_and_how_they_are_known() -> None:
    table = cells_table(forms().extractions)
    assert len(table.rows) == sum(len(form.cells) for form in forms().extractions)
    (copied,) = [row for row in cells(table) if row[5] != "None"]
    assert copied[1:3] == ["Treg", "CD4+ CD25+ CD127low"]
    assert copied[4:] == ["rises", "5.44 +/- 1.64 to 6.60 +/- 1.34 %", "<0.005", "seen second-hand only"]


def test_an_interim_report_is_told_apart_from_the_paper() -> None:
    rows = [
        row for row in cells(outcomes_table(forms().extractions, is_response, "en")) if row[0].startswith("Bride 2016")
    ]
    assert [row[0] for row in rows if row[5] == "10"] == ["Bride 2016, conference abstract: ALPS"]
    assert [row[0] for row in rows if row[5:7] == ["12", "12"]] == ["Bride 2016: ALPS"]


def test_what_has_no_results_is_listed() -> None:
    rows = cells(open_studies_table(forms().extractions, "zh"), "zh")
    assert len(rows) == sum(form.study.status is not StudyStatus.RESULTS for form in forms().extractions)
    assert {row[1] for row in rows} == {"进行中", "未见结果", "未核实"}


def test_the_page_has_its_words_in_both_languages() -> None:
    for language, heading in (("en", "Responses"), ("zh", "疗效")):
        told = texts(worded(forms_document(forms(), (), language, version="test"), language))
        assert {heading, "Feng 2020"} <= set(told)
        assert not [text for text in told if text.startswith(("appraisal.", "extraction."))]


def test_the_json_holds_every_count() -> None:
    told = forms_json(forms(), (), "en")
    assert len(told["studies"]) == len(forms().extractions)
    assert sum(len(study["outcomes"]) for study in told["studies"]) == sum(
        len(form.rows) for form in forms().extractions
    )
    assert {message["severity"] for message in told["messages"]} <= {"info", "warning"}


def test_every_word_of_the_shipped_review_is_known_to_the_catalogue() -> None:
    rows = [row for form in forms().extractions for row in form.rows]
    assert all(isinstance(outcome_words(row.outcome), Message) for row in rows)
    assert all(isinstance(time_words(row.timepoint), Message) for row in rows)
    assert outcome_words("MY_OWN") == "MY_OWN"
    assert {row.population for row in rows} <= set(Population)
