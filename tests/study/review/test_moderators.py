# SPDX-License-Identifier: Apache-2.0
"""Groups and regressions of the shipped review's pools: what forms say of studies, drawn and told."""

from __future__ import annotations

from functools import cache

import pytest

from sirolens.errors import InputError
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.pool.questions import Question, answer, questions
from sirolens.report.bubble_figure import BubblePlot
from sirolens.report.document import Figure, Table
from sirolens.report.forest_figure import ForestPlot, RowKind
from sirolens.study.review.moderators import (
    GROUPS,
    NUMBERS,
    differences_json,
    grouped_blocks,
    over_blocks,
    values_of,
)
from sirolens.study.review.pool import question_words
from tests.evidence.shipped_review import forms, rows


def question(name: str = "single-arm-OR-6m-secondary-itp") -> Question:
    return next(one for one in questions(rows()) if one.name == name)


@cache
def pooled(name: str = "single-arm-OR-6m-secondary-itp") -> Pooled:
    return answer(question(name), rows())


def test_a_study_has_the_covariates_its_form_tells_and_no_others() -> None:
    assert values_of(pooled(), forms().extractions, "year") == {"ctd-itp-2024": 2024, "wu-2021": 2021, "xie-2022": 2022}
    assert set(values_of(pooled(), forms().extractions, "criteria")) == {"ctd-itp-2024"}  # the others do not say
    for key in (*GROUPS, *NUMBERS):
        assert set(values_of(pooled(), forms().extractions, key)) <= {line.label for line in pooled().studies}
    with pytest.raises(InputError, match=r"evidence\.covariate-unknown"):
        values_of(pooled(), forms().extractions, "colour")


def test_groups_stand_with_their_studies_and_their_own_pool() -> None:
    blocks = grouped_blocks(
        question().name, pooled(), forms().extractions, "design", forms().names(), question_words(question())
    )
    (plot,) = [block.drawing for block in blocks if isinstance(block, Figure)]
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert [row[1] for row in table.rows] == [3]
    assert isinstance(plot, ForestPlot)
    kinds = [row.kind for row in plot.rows]
    assert kinds == [RowKind.HEADING, *[RowKind.STUDY] * 3, RowKind.SUBTOTAL]
    assert pooled().main is not None
    assert plot.rows[-1].middle == pytest.approx(pooled().main.estimate, rel=1e-9)  # one group is the whole pool


def test_a_regression_is_drawn_with_its_line_and_says_how_few_studies_it_has() -> None:
    blocks = over_blocks(
        question().name, pooled(), forms().extractions, "year", forms().names(), question_words(question())
    )
    (plot,) = [block.drawing for block in blocks if isinstance(block, Figure)]
    assert isinstance(plot, BubblePlot)
    assert sorted(plot.covariate) == [2021, 2022, 2024]
    assert plot.line_x[0] == 2021
    assert plot.line_x[-1] == 2024
    (table,) = [block for block in blocks if isinstance(block, Table)]
    told = differences_json(question(), pooled(), forms().extractions, "year")
    assert table.rows[1][1] == told["slope"]
    rise = (plot.line[-1] - plot.line[0]) / (plot.line_x[-1] - plot.line_x[0])
    assert rise == pytest.approx(told["slope"], rel=1e-9)


@pytest.mark.parametrize("key", ["target", "patients"])
def test_what_cannot_be_regressed_is_refused_by_name(key: str) -> None:
    pair = "single-arm-OR-3m-primary-itp"
    assert differences_json(question(pair), pooled(pair), forms().extractions, key)["refused"] == [
        "pooling.no-regression"
    ]
