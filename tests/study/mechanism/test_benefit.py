# SPDX-License-Identifier: Apache-2.0
"""Who benefits: features are what a clinic measures, forecasts are tested on others, gains are of the same patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sirolens.engine.sampling import normal, stream, uniform
from sirolens.errors import InputError
from sirolens.study.mechanism.benefit import (
    FEATURES,
    PHENOTYPES,
    classify_responders,
    features_of,
    gains,
    phenotypes_of,
    responded,
    subgroups,
)
from sirolens.study.mechanism.calibration_batch import Cohort, protocol
from sirolens.study.trial.arms import ArmChunk
from sirolens.study.trial.virtual_patients import People

N = 600
RECIPE = protocol("feng-2020")
DAYS = RECIPE.visits.days


def invented(seed: int, *, lift: float = 0.0, n: int = N) -> Cohort:
    """Invented patients: who depends on mTOR rises tenfold, sooner or later; nobody else does."""
    dep, base = uniform(stream(seed, "dep"), (n,)), 12.0 * np.exp(0.4 * normal(stream(seed, "base"), (n,)))
    day = np.repeat(np.array(DAYS, np.int64)[None, :], n, axis=0)
    rises = np.clip(dep + lift, 0.0, 1.0)[:, None] > 0.5
    counts = np.rint(base[:, None] * np.where(rises, 1.0 + 9.0 * np.minimum(day / 56.0, 1.0), 1.0))
    zero, cells = np.zeros(day.shape), np.full((n, 3), 5.0)
    level = np.full(day.shape, np.nan)
    level[:, 0] = 8.0
    chunk = ArmChunk(
        baseline_10e9_l=np.rint(base), baseline_true_10e9_l=base, count_10e9_l=counts, count_true_10e9_l=counts,
        visit_day=day, dose_mg=zero, trough_ng_ml=zero, level_ng_ml=level, treg_percent=cells, treg_true_percent=cells,
        left_day=np.full(n, -1), tapered=np.zeros(n, bool), failed=np.zeros(n, bool),
    )  # fmt: skip
    people = People(
        number=np.arange(n), row=np.arange(n), child=np.zeros(n, bool), age_years=np.full(n, 40.0),
        weight_kg=np.full(n, 60.0),
    )  # fmt: skip
    parameters = {"BAFF_0": np.full(n, 1400.0), "rho": dep[::-1].copy(), "fL": dep, "wA": np.full(n, 0.7), "dep": dep}
    return Cohort(
        name="feng-2020", recipe=RECIPE, chunk=chunk, people=people, parameters=parameters,
        prior_lines=np.ones(n), origin=np.arange(n),
    )  # fmt: skip


TRAIN, TEST = invented(1), invented(2)


def test_features_are_what_was_measured_and_a_missed_visit_is_filled() -> None:
    counts = TEST.chunk.count_10e9_l.copy()
    counts[0, DAYS.index(14)] = np.nan
    missed = replace(TEST, chunk=replace(TEST.chunk, count_10e9_l=counts))
    told = features_of(missed, seed=1)
    assert set(told) == {name for names in FEATURES.values() for name in names}
    assert all(np.isfinite(column).all() for column in told.values())
    expected = np.log(counts[1, DAYS.index(28)] / TEST.chunk.baseline_10e9_l[1])
    assert told["fold_day_28"][1] == pytest.approx(expected)
    assert told["trough_ng_ml"][0] == 8.0


def test_a_protocol_without_the_early_visits_is_refused() -> None:
    late = replace(TEST, recipe=replace(RECIPE, visits=replace(RECIPE.visits, days=(28, 91))))
    with pytest.raises(InputError, match="visit-missing"):
        features_of(late, seed=1)


@pytest.mark.parametrize("kind", ["logistic", "boosted"])
def test_early_counts_tell_responders_and_baseline_values_do_not(kind: str) -> None:
    early = classify_responders(TRAIN, TEST, known="day-28", kind=kind, seed=1, names=("a", "b"))
    before = classify_responders(TRAIN, TEST, known="before", kind=kind, seed=1, names=("a", "b"))
    assert early.area.area > 0.98
    assert early.brier < 0.05 < before.brier
    assert 0.4 < before.area.area < 0.75  # the count itself helps to reach 30
    assert early.patients == N
    assert (early.decision.model <= responded(TEST).mean() + 1e-12).all()


def test_the_area_is_scikit_learns() -> None:
    # Oracle: scikit-learn's rank statistic on the same scores.
    score, happened = TEST.parameters["dep"], responded(TEST)
    from sirolens.engine.statistics.roc import auc

    assert auc(score, happened).area == pytest.approx(roc_auc_score(happened, score), abs=1e-12)


def test_nothing_can_be_learned_where_nobody_responds() -> None:
    nobody = invented(3, lift=-1.0)
    with pytest.raises(InputError, match="one-outcome"):
        classify_responders(TRAIN, nobody, known="before", kind="logistic", seed=1, names=("a", "b"))


def test_subgroups_compare_those_with_and_without_a_trait() -> None:
    found = {one.name: one for one in subgroups(TEST)}
    assert set(found) <= set(PHENOTYPES)
    assert "child" not in found  # nobody is a child here
    independent = found["mtor-independent"]
    assert independent.rate == 0.0
    assert independent.other > 0.5
    assert independent.patients + independent.others == N
    assert set(phenotypes_of(TEST)) == set(PHENOTYPES)


def test_a_gain_is_the_difference_in_the_same_patients_over_structures() -> None:
    alone = {"a": invented(5), "b": invented(6)}
    together = {"a": invented(5, lift=0.2), "b": invented(6, lift=0.1)}
    found = {(one.phenotype, one.day): one for one in gains(alone, together, "more", (91,), (3.0, 1.0))}
    rise = [responded(together[k]).mean() - responded(alone[k]).mean() for k in ("a", "b")]
    everybody = found["all", 91]
    assert everybody.middle == pytest.approx(0.75 * rise[0] + 0.25 * rise[1])
    assert (everybody.low, everybody.high) == (pytest.approx(min(rise)), pytest.approx(max(rise)))
    assert found["mtor-independent", 91].alone == 0.0


def test_other_patients_cannot_be_compared() -> None:
    other = invented(5)
    moved = replace(other, people=replace(other.people, number=other.people.number + 1))
    with pytest.raises(InputError, match="patients-differ"):
        gains({"a": other}, {"a": moved}, "more", (91,))
