# SPDX-License-Identifier: Apache-2.0
"""Certainty: starts, steps and reasons; oracle: GRADE guidelines 18, Table 1 (starts, five domains down, three up)."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.appraisal.form import appraisal_of
from sirolens.evidence.appraisal.grade import (
    DOWN,
    UP,
    Certainty,
    Comparison,
    Domain,
    Level,
    Rating,
    certainty_of,
    certify,
    read_certainties,
    summary_row,
)
from sirolens.evidence.extraction.studies import Design

NOTHING: dict[Domain, str] = dict.fromkeys(DOWN, "not-serious") | dict.fromkeys(UP, "none")


def ratings(**told: str) -> list[Rating]:
    chosen = NOTHING | {Domain(name.replace("_", "-")): rating for name, rating in told.items()}
    return [Rating(domain=domain, rating=rating, reason="invented") for domain, rating in chosen.items()]


def alone(**told: str) -> Certainty:
    return certify(ratings(**told), design=Design.SINGLE_ARM)


def test_certainty_starts_by_design() -> None:
    assert certify(ratings(), design=Design.RANDOMISED).level is Level.HIGH
    assert certify(ratings(), design=Design.COMPARATIVE).level is Level.LOW
    assert alone().level is Level.LOW
    assert certify(ratings(), design=Design.SINGLE_ARM, start=Level.VERY_LOW).level is Level.VERY_LOW


def test_robins_i_starts_high_and_says_that_this_is_unverified() -> None:
    found = certify(ratings(), design=Design.COMPARATIVE, robins_i=True)
    assert found.start is Level.HIGH
    assert [message.code for message in found.messages] == ["appraisal.robins-i-start-unverified"]
    assert certify(ratings(), design=Design.SINGLE_ARM, robins_i=True).start is Level.LOW


def test_a_single_arm_cannot_start_higher() -> None:
    with pytest.raises(InputError) as raised:
        certify(ratings(), design=Design.SINGLE_ARM, start=Level.MODERATE)
    assert raised.value.messages[0].code == "appraisal.start-too-high"


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(list(Design)),
    st.fixed_dictionaries(
        {domain: st.sampled_from(["not-serious", "serious", "very-serious"]) for domain in DOWN}
        | {domain: st.sampled_from(["none", "present", "very-large"]) for domain in UP}
    ),
)
def test_every_step_counts_within_the_four_levels_and_has_a_footnote(design: Design, told: dict[Domain, str]) -> None:
    steps = {"not-serious": 0, "serious": -1, "very-serious": -2, "none": 0, "present": 1, "very-large": 2}
    given_ratings = [Rating(domain=domain, rating=rating, reason="invented") for domain, rating in told.items()]
    found = certify(given_ratings, design=design)
    start = 4 if design is Design.RANDOMISED else 2
    expected = min(4, max(1, start + sum(steps[rating] for rating in told.values())))
    assert found.level is list(Level)[4 - expected]
    assert len(found.footnotes) == sum(steps[rating] != 0 for rating in told.values())
    assert [note.letter for note in found.footnotes] == list("abcdefgh"[: len(found.footnotes)])


def test_every_domain_needs_a_judgement_with_a_reason() -> None:
    with pytest.raises(InputError) as raised:
        certify(ratings()[1:], design=Design.RANDOMISED)
    assert raised.value.messages[0].values["domain_name"] == "risk-of-bias"
    twice = [*ratings(), ratings()[0]]
    with pytest.raises(InputError, match="domain-twice"):
        certify(twice, design=Design.RANDOMISED)
    silent = [Rating(domain=one.domain, rating=one.rating, reason=" ") for one in ratings()]
    with pytest.raises(InputError) as raised:
        certify(silent, design=Design.RANDOMISED)
    assert len(raised.value.messages) == 8


def test_raising_is_questioned_where_something_was_lowered_or_nothing_compared() -> None:
    codes = [message.code for message in alone(large_effect="present", imprecision="serious").messages]
    assert codes == ["appraisal.raised-though-lowered", "appraisal.raised-without-comparison"]


COMPARED = Comparison(
    measure="RR",
    estimate=0.9,
    low=0.6,
    high=1.4,
    control_per_100=62,
    difference_per_100=-4,
    difference_low=-24,
    difference_high=16,
)


def test_single_arms_have_no_relative_column() -> None:
    with pytest.raises(InputError) as raised:
        summary_row(alone(), studies=2, k=85, n=106, estimate=0.8, low=0.4, high=0.9, comparison=COMPARED)
    assert raised.value.messages[0].code == "appraisal.no-relative-effect"
    trial = certify(ratings(), design=Design.RANDOMISED)
    row = summary_row(trial, studies=2, k=40, n=73, estimate=0.55, low=0.4, high=0.7, comparison=COMPARED)
    assert row.comparison == COMPARED


def test_a_row_is_per_100_with_both_intervals_and_says_how_few_studies_it_has() -> None:
    row = summary_row(alone(), studies=2, k=85, n=106, estimate=0.75, low=0.38, high=0.94, predicted=(0.1, 0.99))
    assert (row.per_100, row.low_per_100, row.high_per_100) == pytest.approx((75, 38, 94))
    assert row.predicted_per_100 == pytest.approx((10, 99))
    assert [message.code for message in row.messages] == ["appraisal.few-studies"]


@pytest.mark.parametrize("wrong", [(60.0, 0.3, 0.8), (0.6, 0.7, 0.8), (nan, 0.3, 0.8), (0.6, -0.1, 0.8)])
def test_what_is_no_proportion_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(InputError) as raised:
        summary_row(alone(), studies=1, k=12, n=20, estimate=wrong[0], low=wrong[1], high=wrong[2])
    assert raised.value.messages[0].code == "appraisal.proportion"


def test_faults_of_a_file_are_located(tmp_path: Path) -> None:
    path = tmp_path / "certainty.toml"
    path.write_text(
        "[[certainty]]\nquestion = 'q'\noutcome = 'OR'\ntime = '3m'\ndesign = 'single-arm'\nrater = 'wei'\n"
        "[certainty.domain]\nimprecision = { rating = 'bad', reason = 'x' }\n",
        encoding="utf-8",
    )
    reading = read_certainties(path)
    assert not reading.certainties
    assert str(reading.messages[0]).startswith("certainty.toml:8:certainty[0].domain.imprecision.rating")


@pytest.mark.parametrize(
    "text", ["certainty = 3", "[certainty]\nx = 1", "certainty = ['a']", "other = 1", "[[certainty]]"]
)
def test_a_file_of_another_shape_is_named_and_never_crashes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "certainty.toml"
    path.write_text(text, encoding="utf-8")
    reading = read_certainties(path)
    assert not reading.certainties
    assert reading.messages
    assert all(message.place is not None for message in reading.messages)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["low", "serious", "", "single-arm", "rob-2"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*Domain, "level", "rating"]), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(["question", "outcome", "time", "design", "start", "domain", "tool", "judgement", "overall"])


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(KEYS, VALUES))
def test_values_of_any_shape_are_refused_with_messages(data: dict[str, object]) -> None:
    assert not certainty_of(data).certainties
    reading = appraisal_of(data)
    assert reading.appraisal is None
    assert reading.messages
