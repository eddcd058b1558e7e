# SPDX-License-Identifier: Apache-2.0
"""The summary of findings of the shipped review.

Oracles: the binomial-normal model's profile interval of 12/20 and 73/86 (0.38 to 0.94, worked out by higher-order
quadrature), Clopper-Pearson of 12/20, and the risk ratio of 25/43 against 28/45 by hand.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import exp, log, sqrt

import pytest

from sirolens.errors import InputError
from sirolens.evidence.appraisal.grade import SummaryRow
from sirolens.evidence.extraction.form import rows_for_pooling
from sirolens.evidence.extraction.outcome import OutcomeRow
from sirolens.evidence.extraction.studies import Design
from sirolens.evidence.pool.comparison import compare
from sirolens.evidence.pool.summary_of_findings import summary_of_pool
from sirolens.evidence.pool.synthesis import pool
from sirolens.message import Message
from sirolens.report.worded import texts, worded
from sirolens.report.words import say
from sirolens.study.review.summary import footnotes_table, row_messages, summary_document, summary_rows, summary_table
from tests.evidence.shipped_review import forms

POINTS = 0.5  # percentage points: the published interval has two decimals of a share


@cache
def judged() -> tuple[tuple[SummaryRow, ...], tuple[Message, ...]]:
    """The rows of the judged outcomes, and what is said of those without any."""
    return summary_rows(forms())


def row(question: str, outcome: str, time: str) -> SummaryRow:
    (found,) = [
        one
        for one in judged()[0]
        if (one.certainty.question, one.certainty.outcome, one.certainty.timepoint) == (question, outcome, time)
    ]
    return found


def test_every_judged_outcome_has_a_row_and_randomised_evidence_stands_first() -> None:
    assert not judged()[1]
    assert len(judged()[0]) == len(forms().certainties) == 6
    assert [one.certainty.design for one in judged()[0][:2]] == [Design.RANDOMISED] * 2


def test_two_studies_of_primary_itp_are_shown_with_how_little_they_tell() -> None:
    found = row("primary-itp-single-arm", "OR", "3m")
    assert (found.studies, found.k, found.n) == (2, 85, 106)
    assert found.low_per_100 == pytest.approx(38, abs=POINTS)
    assert found.high_per_100 == pytest.approx(94, abs=POINTS)
    assert found.comparison is None
    codes = {message.code for message in found.messages}
    assert {"appraisal.few-studies", "pooling.criteria-not-reported"} <= codes


def test_a_randomised_comparison_is_absolute_and_relative() -> None:
    found = row("randomised-against-ciclosporin", "OR", "best")
    ratio = (25 / 43) / (28 / 45)
    error = sqrt(1 / 25 - 1 / 43 + 1 / 28 - 1 / 45)
    told = found.comparison
    assert told is not None
    assert told.estimate == pytest.approx(ratio)
    assert (told.low, told.high) == pytest.approx(tuple(exp(log(ratio) + z * error) for z in (-1.959964, 1.959964)))
    assert told.control_per_100 == pytest.approx(100 * 28 / 45)
    assert found.per_100 == pytest.approx(100 * 25 / 43)
    assert told.low < 1 < told.high  # no advantage is shown


def test_one_study_keeps_its_own_exact_interval() -> None:
    alone = pool([OutcomeRow(study="a", outcome="OR", timepoint="3m", k=12, n=20)], outcome="OR", timepoint="3m")
    found = summary_of_pool(row("primary-itp-single-arm", "OR", "3m").certainty, alone)
    assert (found.low_per_100, found.high_per_100) == pytest.approx((36.05, 80.88), abs=0.005)  # two printed decimals
    assert found.predicted_per_100 is None


def test_an_odds_ratio_makes_no_absolute_numbers() -> None:
    odds = compare(rows_for_pooling(forms().extractions), outcome="OR", timepoint="best", effect="OR")
    with pytest.raises(InputError) as raised:
        summary_of_pool(judged()[0][0].certainty, odds)
    assert raised.value.messages[0].code == "appraisal.other-effect"


def test_the_relative_column_is_there_only_with_comparisons() -> None:
    assert len(summary_table(judged()[0]).columns) == 9
    single = [one for one in judged()[0] if one.comparison is None]
    assert len(summary_table(single).columns) == 7


def test_every_step_of_certainty_has_its_reason_in_both_languages() -> None:
    for language in ("en", "zh"):
        table = footnotes_table(judged()[0], language)
        assert len(table.rows) == sum(len(one.certainty.footnotes) for one in judged()[0])
        assert all(isinstance(line[-1], str) and line[-1] for line in table.rows)
    assert footnotes_table(judged()[0], "en").rows != footnotes_table(judged()[0], "zh").rows


def test_an_outcome_nobody_reported_is_told_and_leaves_the_others() -> None:
    unknown = replace(forms().certainties[0], outcome="NOBODY")
    rows, missing = summary_rows(replace(forms(), certainties=(unknown, forms().certainties[1])))
    assert len(rows) == 1
    assert [message.code for message in missing] == ["pooling.no-such-outcome"]


def test_the_page_has_its_words_in_both_languages() -> None:
    first = replace(forms(), certainties=forms().certainties[:1])
    for language, heading in (("en", "Summary of findings"), ("zh", "结果总结")):
        told = texts(worded(summary_document(first, language, version="test"), language))
        assert heading in told
        assert not [text for text in told if text.startswith(("appraisal.", "extraction."))]


def test_what_must_be_said_names_its_rows_and_studies_as_they_are_shown() -> None:
    found = row_messages(judged()[0], forms().names())
    english, chinese = ([say(message, language) for message in found] for language in ("en", "zh"))
    (one,) = [text for text in english if text.startswith("One study.")]
    whose = "(primary ITP, randomised)"
    assert one.endswith(f"[Overall response, best response {whose}, Overall response, 6 months {whose}]")
    assert any("Feng 2020、Blood Coagul Fibrinolysis 2024" in text for text in chinese)
    assert not [text for text in english if "feng-2020" in text]


def test_a_review_without_judgements_says_so() -> None:
    empty = summary_document(replace(forms(), certainties=()), "en", version="test")
    assert any("certainty.toml" in text for text in texts(worded(empty, "en")))
