# SPDX-License-Identifier: Apache-2.0
"""Pooled shares say what they rest on. Studies are invented, but for the two reports of the anchor."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from sirolens.engine.pooling.binomial_normal import binomial_normal
from sirolens.engine.pooling.random_effects import random_effects
from sirolens.engine.pooling.single_arm import back, scaled
from sirolens.engine.statistics.interval import Undefined
from sirolens.engine.statistics.proportion import clopper_pearson
from sirolens.errors import InputError
from sirolens.evidence.extraction.outcome import OutcomeRow
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.pool.synthesis import pool
from sirolens.message import Message
from sirolens.report.words import say
from sirolens.source import Mark

LAST_DIGITS = 1e-9
COUNTS = [(8, 11), (38, 45), (12, 16), (0, 5), (12, 20), (9, 9), (3, 10), (30, 40), (21, 44), (6, 15), (10, 18)]


def _rows(counts: list[tuple[int, int]]) -> list[OutcomeRow]:
    return [
        OutcomeRow(study=f"S{i:02}", outcome="OR", timepoint="3m", k=k, n=n, criteria="IWG 2009", year=2024 - i)
        for i, (k, n) in enumerate(counts)
    ]


def _pool(counts: list[tuple[int, int]], **asked: object) -> Pooled:
    return pool(_rows(counts), outcome="OR", timepoint="3m", **asked)  # everything asked is a keyword of pool


def _codes(found: Pooled) -> set[str]:
    return {message.code for message in found.messages}


@pytest.fixture(scope="module")
def two() -> Pooled:
    return _pool([(12, 20), (73, 86)])


@pytest.fixture(scope="module")
def many() -> Pooled:
    return _pool(COUNTS)


def test_two_reports_stand_as_studies_first_and_too_few_is_said(two: Pooled) -> None:
    # Oracle: the anchor: exact profile 0.38 to 0.94; logit, REML, Knapp and Hartung -7.26 to 9.48 on the logit.
    assert two.main is not None
    assert (round(two.main.interval.low, 2), round(two.main.interval.high, 2)) == (0.38, 0.94)
    logit = two.line("logit").interval
    assert np.log([logit.low / (1 - logit.low), logit.high / (1 - logit.high)]).round(2).tolist() == [-7.26, 9.48]
    assert [(line.estimate, line.interval) for line in two.studies] == [
        (0.6, clopper_pearson(12, 20)),
        (73 / 86, clopper_pearson(73, 86)),
    ]
    assert {
        "pooling.two-studies",
        "pooling.prior",
        "pooling.prediction-missing",
        "pooling.asymmetry-refused",
    } <= _codes(two)
    assert two.main.prediction.reason is Undefined.TOO_FEW
    # The Bayesian line does predict, widely.
    believed = two.line("half-normal")
    assert believed.prediction.low < believed.interval.low < believed.estimate < believed.prediction.high
    assert two.leave_one_out == ()
    assert two.filled is None


def test_five_studies_and_more_rest_on_the_exact_likelihood(many: Pooled) -> None:
    k, n = zip(*COUNTS, strict=True)
    oracle = binomial_normal(k, n)
    assert many.main is not None
    assert (many.main.method, many.main.estimate, many.main.interval) == (
        "binomial-normal",
        oracle.share,
        oracle.interval,
    )
    assert [line.method for line in many.beside] == ["logit", "log", "arcsine", "freeman-tukey"]
    assert "pooling.prior" not in _codes(many)
    sizes = scaled(k, n)
    logit = random_effects(sizes.y, sizes.v)
    assert many.line("logit").estimate == pytest.approx(back([logit.estimate], "logit")[0], rel=LAST_DIGITS)
    assert [line.weight for line in many.studies] == pytest.approx(logit.weights.tolist())
    assert [line.corrected for line in many.studies] == [k in (0, n) for k, n in COUNTS]
    assert many.heterogeneity == logit.heterogeneity
    assert many.egger.reason is None
    with pytest.raises(KeyError):
        many.line("half-normal")


def test_leave_one_out_and_cumulative_are_fits_of_those_studies(many: Pooled) -> None:
    k, n = (np.array(part) for part in zip(*COUNTS, strict=True))
    without = binomial_normal(np.delete(k, 3), np.delete(n, 3), spread=False)
    assert many.leave_one_out[3].label == "S03"
    assert many.leave_one_out[3].estimate == pytest.approx(without.share, rel=LAST_DIGITS)
    # Years fall with the number of the study: the last row came in first.
    assert [line.label for line in many.cumulative] == [f"S{i:02}" for i in range(10, -1, -1)]
    assert many.main is not None
    assert many.cumulative[-1].estimate == pytest.approx(many.main.estimate, rel=LAST_DIGITS)


def test_a_cumulative_pool_begins_with_the_first_study_as_it_stands_in_the_plot(many: Pooled) -> None:
    own = next(line for line in many.studies if line.label == many.cumulative[0].label)
    assert (many.cumulative[0].estimate, many.cumulative[0].interval) == (own.estimate, own.interval)
    assert many.cumulative[0].method == "one-study"


def test_the_living_review_orders_by_the_day_of_the_search() -> None:
    days = {"S00": date(2026, 3, 1), "S01": date(2025, 3, 1), "S02": date(2026, 1, 1)}
    found = _pool(COUNTS[:3], arrived=days)
    assert [line.label for line in found.cumulative] == ["S01", "S02", "S00"]


def test_studies_at_the_edge_are_kept_and_told(many: Pooled) -> None:
    edges = next(message for message in many.messages if message.code == "pooling.at-edge")
    assert edges.values["studies"] == ("S03", "S05")
    assert many.k == len(COUNTS)


def test_one_study_is_itself() -> None:
    found = _pool([(12, 20)])
    assert (found.main, found.beside, found.k) == (None, (), 1)
    assert "pooling.one-study" in _codes(found)
    assert found.heterogeneity.q.reason is Undefined.TOO_FEW


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ([(3, 10), (3, 10), (3, 10)], "pooling.no-spread"),
        ([(0, 10), (0, 12), (0, 30)], "pooling.all-at-edge"),
        ([(10, 10), (12, 12), (30, 30)], "pooling.all-at-edge"),
        ([(0, 5), (9, 9)], "pooling.separated"),
        ([(0, 5), (0, 9)], "pooling.limit-not-reached"),
        ([(3, 10), (5, 9), (8, 12)], "pooling.few-studies"),
        ([(4, 10), (6, 15), (8, 20)], "pooling.no-variance-interval"),
    ],
)
def test_hard_cases_are_results_that_say_so(counts: list[tuple[int, int]], code: str) -> None:
    found = _pool(counts)
    assert code in _codes(found)
    # What the exact model cannot give, the Bayesian line still does.
    assert 0 < found.line("half-normal").estimate < 1
    for language in ("en", "zh"):
        assert all("pooling." not in say(message, language) for message in found.messages)


def test_the_complement_is_the_mirror_image() -> None:
    here, there = _pool(COUNTS[:5]), _pool([(n - k, n) for k, n in COUNTS[:5]])
    for method in ("binomial-normal", "logit", "arcsine", "freeman-tukey"):
        assert there.line(method).estimate == pytest.approx(1 - here.line(method).estimate, rel=1e-5), method


def test_flags_of_criteria_and_derived_counts_travel_with_the_pool() -> None:
    rows = _rows(COUNTS[:2])
    unknown = [replace(row, criteria="not reported", mark=Mark.DERIVED) for row in rows]
    found = pool(unknown, outcome="OR", timepoint="3m")
    assert found.criteria_flagged
    assert {"pooling.criteria-not-reported", "pooling.derived-counts"} <= _codes(found)
    assert not pool(rows, outcome="OR", timepoint="3m").criteria_flagged


def test_the_way_back_is_named_and_how_far_the_others_go() -> None:
    found = _pool([(1, 4), (500, 900)])
    way = next(message for message in found.messages if message.code == "pooling.way-back")
    low, high = way.values["low_percent"], way.values["high_percent"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low < 100 * found.line("freeman-tukey").estimate + 1e-9 <= high + 2e-9
    assert isinstance(way.values["size"], Message)
    assert say(way.values["size"], "en") == "the harmonic mean of the studies' sizes"


def test_nothing_left_says_why_each_row_is_left() -> None:
    rows = [replace(row, k=None, n=None, percent=40.0) for row in _rows(COUNTS[:2])]
    with pytest.raises(InputError) as found:
        pool(rows, outcome="OR", timepoint="3m")
    assert [message.code for message in found.value.messages] == ["pooling.nothing-left", "pooling.left-no-counts"]


def test_every_code_of_the_domain_has_words_in_both_languages() -> None:
    # Codes handed on through a function are seen by no other test.
    import re
    from pathlib import Path

    import sirolens.evidence as here

    room = Path(here.__file__).parent
    files = [*room.glob("pool/*.py"), room / "extraction" / "outcome.py"]
    codes = {
        code
        for file in files
        for code in re.findall(r'"(pooling\.[a-z0-9-]*[a-z0-9])"', file.read_text(encoding="utf-8"))
    }
    assert len(codes) > 40
    for language, folder in (("en", "en"), ("zh", "zh_Hans")):
        path = room.parent / "report" / "locale" / folder / "LC_MESSAGES" / "pooling.po"
        known = set(re.findall(r'^msgid "(pooling\.[^"]+)"$', path.read_text(encoding="utf-8"), flags=re.MULTILINE))
        assert codes == known, language
