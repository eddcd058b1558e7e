# SPDX-License-Identifier: Apache-2.0
"""What the page and the values of a pool give beside its figures. Studies are invented."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import exp
from pathlib import Path

import pytest

from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.pool.questions import Kind, Question, answer, questions
from sirolens.evidence.review.forms import Forms, read_forms
from sirolens.message import Message
from sirolens.report.bubble_figure import BubblePlot
from sirolens.report.document import Figure, Interval, Paragraph, Table
from sirolens.report.forest_figure import ForestPlot
from sirolens.report.words import say
from sirolens.study.review.figures import forest
from sirolens.study.review.moderators import grouped_blocks, over_blocks
from sirolens.study.review.pool import pooled_blocks, pooled_json, question_words

COUNTS = ((3, 12), (0, 9), (14, 14), (22, 31), (8, 40), (55, 60), (17, 25), (33, 80), (6, 10), (120, 151), (19, 27))
LAST_DIGITS = 1e-9
FORM = """id = "{id}"
name = "{id}"
design = "single-arm"
country = "China"
by = "wei"
outcome = [ {{ time = "3m", outcome = "OR", arm = "s", k = {k}, n = {n}, printed = "invented" }} ]
[patients]
population = "primary-itp"
described = "invented"
age_group = "{age}"
enrolled = {n}
[[report]]
id = "paper"
kind = "journal-article"
title = "Invented"
first_author = "An"
year = {year}
journal = "Invented"
read = "full-text"
[[cohort]]
id = "all"
patients = {n}
[[arm]]
id = "s"
name = "sirolimus"
regimen = "sirolimus"
patients = {n}
"""


@cache
def _pool(count: int) -> Pooled:
    rows = [
        OutcomeRow(study=f"S{i:02}", outcome="OR", timepoint="3m", k=k, n=n, criteria="IWG 2009")
        for i, (k, n) in enumerate(COUNTS[:count])
    ]
    question = Question(kind=Kind.SINGLE_ARM, outcome="OR", timepoint="3m", population=rows[0].population)
    return answer(question, rows)


def _question() -> Question:
    row = OutcomeRow(study="S", outcome="OR", timepoint="3m")
    return Question(kind=Kind.SINGLE_ARM, outcome="OR", timepoint="3m", population=row.population)


def _words(pooled: Pooled, language: str) -> str:
    blocks = pooled_blocks(_question(), pooled, {})
    told: list[Message] = [one for block in blocks if isinstance(block, Paragraph) for one in block.sentences]
    return " ".join(say(one, language) for one in told)


def test_ten_studies_have_their_tests_of_asymmetry_and_five_have_none() -> None:
    many = _pool(11)
    for language, name in (("en", "Egger's test"), ("zh", "Egger检验")):
        assert name in _words(many, language)
        assert name not in _words(_pool(5), language)
    (told,) = pooled_json([(_question(), many)], "en")
    assert told["asymmetry"]["egger"]["p"] == many.egger.p_value
    assert many.filled is not None
    assert many.filled.fit is not None
    assert told["trim_and_fill"]["missing"] == many.filled.missing
    share = 1 / (1 + exp(-many.filled.fit.estimate))
    assert told["trim_and_fill"]["estimate"] == pytest.approx(share, rel=LAST_DIGITS)
    (few,) = pooled_json([(_question(), _pool(5))], "en")
    assert few["trim_and_fill"] is None
    assert few["asymmetry"]["egger"] == {"statistic": None, "p": None, "reason": "too-few"}


def test_every_study_has_a_row_of_the_pool_without_it_and_how_far_it_moves_it() -> None:
    pooled = _pool(6)
    tables = [block for block in pooled_blocks(_question(), pooled, {}) if isinstance(block, Table)]
    rows = tables[-1].rows
    assert len(rows) == pooled.k
    assert pooled.influence is not None
    for row, line, cook in zip(rows, pooled.leave_one_out, pooled.influence.cook, strict=True):
        cell = row[1]
        assert isinstance(cell, Interval)
        assert cell.middle == pytest.approx(100 * line.estimate, abs=0.05)  # shares have one decimal
        assert row[-1] == pytest.approx(cook, abs=0.005)
    (told,) = pooled_json([(_question(), pooled)], "en")
    assert [one["study"] for one in told["influence"]] == [line.label for line in pooled.studies]


def test_an_effect_is_written_with_three_digits_and_never_as_nothing() -> None:
    rows = []
    for study, (k1, n1, k2, n2) in {"A": (25, 43, 28, 45), "B": (1, 400, 90, 400), "C": (8, 20, 3, 21)}.items():
        base = OutcomeRow(study=study, outcome="OR", timepoint="6m", criteria="IWG 2009")
        rows.append(replace(base, role=ArmRole.TREATED, arm="sirolimus", k=k1, n=n1))
        rows.append(replace(base, role=ArmRole.CONTROL, arm="ciclosporin", k=k2, n=n2))
    question = replace(_question(), kind=Kind.COMPARISON, timepoint="6m")
    pooled = answer(question, rows)
    assert pooled.main is not None
    tables = [block for block in pooled_blocks(question, pooled, {}) if isinstance(block, Table)]
    methods = next(table for table in tables if table.marked == (0,))
    cell, ahead = methods.rows[0][1], methods.rows[0][2]
    assert isinstance(cell, Interval)
    assert cell.middle == pytest.approx(pooled.main.estimate, rel=0.005)  # three digits
    assert isinstance(ahead, Message)
    assert "0.00 " not in say(ahead, "en")


def _compared(outcome: str, **arms: tuple[float, float]) -> Pooled:
    base = OutcomeRow(study="A", outcome=outcome, timepoint="6m", criteria="IWG 2009")
    (k1, n1), (k2, n2) = arms["treated"], arms["control"]
    rows = [
        replace(base, role=ArmRole.TREATED, arm="sirolimus", k=k1, n=n1),
        replace(base, role=ArmRole.CONTROL, arm="ciclosporin", k=k2, n=n2),
    ]
    (question,) = questions(rows)
    return answer(question, rows)


def test_a_plot_of_different_criteria_says_so_itself() -> None:
    rows = [
        OutcomeRow(study=f"S{i}", outcome="OR", timepoint="3m", k=k, n=n, criteria=("IWG 2009", "CSH 2020")[i % 2])
        for i, (k, n) in enumerate(COUNTS[:6])
    ]
    (figure,) = forest("name", answer(_question(), rows, any_criteria=True), {}, question_words(_question()))
    assert isinstance(figure.drawing, ForestPlot)
    told = [say(one, language) for one in figure.drawing.statements for language in ("en", "zh")]
    assert sum("IWG 2009" in one for one in told) == 2


@pytest.mark.parametrize(
    ("outcome", "right"),
    [
        ("CR", "favours sirolimus"),
        ("AE_INFECTION", "favours control"),
        ("RELAPSE", "favours control"),
        ("NR_AMONG_RESPONDERS", "favours control"),
        ("VISITS", "higher with sirolimus"),
    ],
)
def test_more_harm_with_sirolimus_is_never_said_to_favour_it(outcome: str, right: str) -> None:
    pooled = _compared(outcome, treated=(12, 40), control=(5, 41))
    (figure,) = forest("name", pooled, {}, question_words(_question()))
    assert isinstance(figure.drawing, ForestPlot)
    assert figure.drawing.sides is not None
    assert say(figure.drawing.sides[1], "en") == right


def test_means_of_two_arms_are_compared_and_shown_with_their_unit() -> None:
    """Oracle: the difference and its variance by hand."""
    base = OutcomeRow(study="A", outcome="PLATELETS", timepoint="3m", unit="10^9/L", criteria="IWG 2009")
    rows = []
    for study, (m1, m2) in {"A": (81.0, 60.0), "B": (70.0, 64.0), "C": (90.0, 75.0)}.items():
        rows.append(replace(base, study=study, role=ArmRole.TREATED, arm="sirolimus", mean=m1, sd=20.0, n=25))
        rows.append(replace(base, study=study, role=ArmRole.CONTROL, arm="ciclosporin", mean=m2, sd=30.0, n=25))
    (question,) = questions(rows)
    pooled = answer(question, rows)
    assert pooled.effect == "MD"
    assert pooled.main is not None
    assert pooled.main.estimate == pytest.approx((21 + 6 + 15) / 3, rel=LAST_DIGITS)  # equal variances
    (plot,) = (block.drawing for block in pooled_blocks(question, pooled, {})[:2] if isinstance(block, Figure))
    assert isinstance(plot, ForestPlot)
    assert plot.rows[0].columns == ("81 ± 20 (25)", "60 ± 30 (25)")
    assert say(plot.axis, "en") == "Mean difference, 10^9/L"
    assert say(plot.columns[0], "zh") == "均值±标准差（例数）" if isinstance(plot.columns[0], Message) else False
    alone = [row for row in rows if row.role is ArmRole.TREATED]
    assert questions(alone) == ()
    counts = [replace(row, study="D", mean=None, sd=None, k=9.0) for row in rows[:2]]
    mixed = answer(question, [*rows, *counts])
    assert (mixed.effect, [line.label for line in mixed.studies]) == ("RR", ["D"])
    left = next(message for message in mixed.messages if message.code == "pooling.left-means")
    assert left.values["studies"] == ("A", "B", "C")


def _folder(folder: Path) -> Forms:
    (folder / "studies").mkdir()
    for i, (k, n) in enumerate(COUNTS[:5]):
        age = "children" if i % 2 else "adults"
        text = FORM.format(id=f"s-{i}", k=k, n=n, age=age, year=2001 + 3 * i)
        (folder / "studies" / f"s-{i}.toml").write_text(text, encoding="utf-8")
    return read_forms(folder)


def test_a_study_at_none_or_all_is_drawn_where_the_regression_has_it(tmp_path: Path) -> None:
    forms = _folder(tmp_path)
    rows = [
        OutcomeRow(study=f"s-{i}", outcome="OR", timepoint="3m", k=k, n=n, criteria="IWG 2009")
        for i, (k, n) in enumerate(COUNTS[:5])
    ]
    pooled = answer(_question(), rows)
    blocks = over_blocks("name", pooled, forms.extractions, "year", {}, question_words(_question()))
    (plot,) = [block.drawing for block in blocks if isinstance(block, Figure)]
    assert isinstance(plot, BubblePlot)
    assert plot.effects == tuple(pooled.y)  # 0/9 and 14/14 with 1/2 added
    groups = grouped_blocks("name", pooled, forms.extractions, "age", {}, question_words(_question()))
    (table,) = [block for block in groups if isinstance(block, Table)]
    names = [row[0] for row in table.rows]
    assert [say(name, "zh") for name in names if isinstance(name, Message)] == ["成人", "儿童"]
