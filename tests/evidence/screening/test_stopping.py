# SPDX-License-Identifier: Apache-2.0
"""Stopping early misses the target recall no oftener than declared, whatever the ranking was."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, hypergeom

from sirolens.errors import InputError
from sirolens.evidence.screening.stopping import (
    StopAnswer,
    StopPlan,
    error_probability,
    open_sample,
    plan_from_table,
    stop,
)
from sirolens.evidence.screening.stopping_law import boundaries, crossing, fewest_missed

EXACT = 1e-12  # both sum a few exact terms
LAW = 1e-9  # logarithms of factorials against scipy's
TARGET = Fraction("0.95")


def enumerated(unscreened: int, found: int, looks: tuple[int, ...], bounds: tuple[int, ...], missed: int) -> float:
    """Error probability by going through every place the relevant records can have in the order."""
    errors = total = 0
    for places in combinations(range(unscreened), missed):
        total += 1
        for look, bound in zip(looks, bounds, strict=True):
            seen = sum(place < look for place in places)
            if seen <= bound:
                errors += found + seen < TARGET * (found + missed)
                break
    return errors / total


@pytest.mark.parametrize("missed", range(6))
@pytest.mark.parametrize("bounds", [(-1, 0, 1), (0, 1, 1), (1, 0, 2)])
def test_the_error_probability_is_that_of_all_orders(missed: int, bounds: tuple[int, ...]) -> None:
    """Oracle: enumeration of every order of 14 records, in the words of the rule."""
    looks = (4, 7, 11)
    ours = crossing(14, 20, looks, bounds, missed, TARGET)
    assert ours == pytest.approx(enumerated(14, 20, looks, bounds, missed), abs=EXACT)


def test_one_look_is_a_hypergeometric_test() -> None:
    """Oracle: scipy's hypergeometric distribution function."""
    (bound,) = boundaries(3000, 200, (1500,), TARGET, 0.05)
    worst = [hypergeom.cdf(x, 3000, fewest_missed(200, x, TARGET), 1500) for x in range(bound + 2)]
    assert max(worst[: bound + 1]) <= 0.05 < worst[bound + 1]
    for x in range(bound + 1):
        missed = fewest_missed(200, x, TARGET)
        assert crossing(3000, 200, (1500,), (bound,), missed, TARGET) == pytest.approx(worst[x], abs=LAW)


@settings(deadline=None, max_examples=10)
@given(
    unscreened=st.integers(1, 150),
    found=st.integers(0, 150),
    target=st.sampled_from(("0.8", "0.9", "0.95", "0.99")),
    error=st.sampled_from((0.01, 0.05, 0.2)),
)
def test_no_number_of_missed_records_errs_more_often_than_declared(
    unscreened: int, found: int, target: str, error: float
) -> None:
    """Oracle: the declared error; every m up to u is tried, not only the worst ones of the derivation."""
    looks = tuple(sorted({max(1, unscreened * share // 10) for share in range(1, 9)} - {unscreened}))
    recall = Fraction(target)
    bounds = boundaries(unscreened, found, looks, recall, error)
    for missed in range(unscreened + 1):
        assert crossing(unscreened, found, looks, bounds, missed, recall) <= error


@settings(deadline=None, max_examples=60)
@given(found=st.integers(0, 500), x=st.integers(0, 50), target=st.sampled_from(("0.7", "0.9", "0.95")))
def test_fewest_missed_is_the_first_number_that_breaks_the_target(found: int, x: int, target: str) -> None:
    recall = Fraction(target)
    missed = fewest_missed(found, x, recall)
    assert found + x < recall * (found + missed)
    assert found + x >= recall * (found + missed - 1)


def ids(records: int) -> list[str]:
    return [f"r-{number:05d}" for number in range(records)]


@pytest.mark.parametrize("found", [0, 1, 10, 18])
@pytest.mark.parametrize("records", [1, 2, 50, 900])
def test_a_small_review_is_told_to_screen_all(records: int, found: int) -> None:
    sample = open_sample(StopPlan(seed="invented"), ids(records), found)
    verdict = stop(sample, {})
    assert not sample.attainable
    assert verdict.answer is StopAnswer.SCREEN_ALL
    assert [message.code for message in verdict.messages] == ["screening.stop-unattainable"]


def test_only_a_complete_beginning_of_the_order_counts() -> None:
    sample = open_sample(StopPlan(seed="invented"), ids(2000), 100)
    look = sample.earliest
    assert look is not None
    decided = dict.fromkeys(sample.order[1:], False)
    assert stop(sample, decided).answer is StopAnswer.GO_ON
    assert stop(sample, decided).screened == 0
    assert stop(sample, {**decided, sample.order[0]: False}).answer is StopAnswer.MAY_STOP


def test_too_many_relevant_records_in_the_sample_mean_screen_all() -> None:
    sample = open_sample(StopPlan(seed="invented"), ids(2000), 100)
    verdict = stop(sample, dict.fromkeys(sample.order[:300], True))
    assert verdict.answer is StopAnswer.SCREEN_ALL
    assert [message.code for message in verdict.messages] == ["screening.screen-all"]


def test_what_was_read_out_of_order_is_not_left_unread() -> None:
    sample = open_sample(StopPlan(seed="invented"), ids(2000), 100)
    last = sample.order[-1]
    verdict = stop(sample, {**dict.fromkeys(sample.order[: sample.earliest], False), last: True})
    assert verdict.answer is StopAnswer.MAY_STOP
    assert last not in verdict.rest
    assert len(verdict.rest) == 2000 - (sample.earliest or 0) - 1


def test_the_order_depends_on_seed_and_opening_not_on_the_order_of_the_records() -> None:
    plan = StopPlan(seed="invented", openings=2)
    shuffled = ids(100)
    random.Random(1).shuffle(shuffled)
    assert open_sample(plan, ids(100), 5).order == open_sample(plan, shuffled, 5).order
    assert open_sample(plan, ids(100), 5).order != open_sample(plan, ids(100), 5, opening=2).order
    assert open_sample(plan, ids(100), 5).order != open_sample(StopPlan(seed="other"), ids(100), 5).order
    with pytest.raises(InputError, match="openings-spent"):
        open_sample(plan, ids(100), 5, opening=3)


def test_two_openings_share_the_error() -> None:
    two = open_sample(StopPlan(seed="invented", openings=2), ids(2000), 100)
    assert max(error_probability(two, missed) for missed in range(60)) <= 0.025


@pytest.mark.parametrize(
    "table",
    [
        {"seed": ""},
        {"seed": "a", "target_recall": 1.0},
        {"seed": "a", "error": 0},
        {"seed": "a", "looks": []},
        {"seed": "a", "looks": [0.5, 0.4]},
        {"seed": "a", "looks": [0.5, 1.0]},
        {"seed": "a", "looks": ["x"]},
        {"seed": "a", "openings": 0},
        {"seed": "a", "recall": 0.9},
    ],
)
def test_an_impossible_plan_is_refused_by_name(table: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"screening\.plan-(value|key)"):
        plan_from_table(table)


def test_a_plan_survives_its_table() -> None:
    plan = StopPlan(seed="invented", target_recall=0.9, error=0.1, looks=(0.25, 0.5), openings=3)
    assert plan_from_table(plan.table()) == plan


@pytest.mark.parametrize("ranking", ["random", "good", "tail"])
def test_simulated_reviews_err_as_often_as_declared_at_most(ranking: str) -> None:
    """Oracle: the declared .05, by the one-sided 95 % Clopper-Pearson bound; 2,000 reviews in validation/screening."""
    reviews, stopped, errors = 120, 0, 0
    for number in range(reviews):
        stream = random.Random(f"{ranking}:{number}")
        relevant = set(stream.sample(ids(1000), 60))
        unscreened = unscreened_after(ranking, relevant, stream)
        found = 60 - len(relevant & set(unscreened))
        sample = open_sample(StopPlan(seed=f"{number}"), unscreened, found)
        for look in sample.looks:
            verdict = stop(sample, {name: name in relevant for name in sample.order[:look]})
            if verdict.answer is StopAnswer.MAY_STOP:
                stopped += 1
                errors += 60 - len(relevant & set(verdict.rest)) < 0.95 * 60
                break
    assert (stopped > 0) is (ranking != "random")  # a random order finds too little before the sample is opened
    assert beta.ppf(0.95, errors + 1, reviews - errors) <= 0.05 + 0.06  # 120 reviews are worth +-.04


def unscreened_after(ranking: str, relevant: set[str], stream: random.Random) -> list[str]:
    """What is unscreened when the sample is opened; "tail": at the moment that is worst for the rule."""
    if ranking == "random":
        return stream.sample(ids(1000), 500)
    kept = 2 if ranking == "good" else fewest_missed(57, 0, TARGET)
    hidden = set(stream.sample(sorted(relevant), kept))
    return sorted(hidden | set(stream.sample(sorted(set(ids(1000)) - relevant), 500 - kept)))
