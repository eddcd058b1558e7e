# SPDX-License-Identifier: Apache-2.0
"""The fit finds the population that made the counts, tells definitions from cohorts, and keeps several answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, multinomial

from sirolens.errors import InputError
from sirolens.mechanism.network import load
from sirolens.mechanism.virtual import draw
from sirolens.study.calibration.calibrate import (
    Batch,
    Fit,
    columns_of,
    fit,
    keep_sets,
    log_likelihood,
)
from sirolens.study.calibration.identifiability import identifiability
from sirolens.study.calibration.prior import calibration_prior, natural, proposal, statistics_of, with_centres
from sirolens.study.calibration.targets import calibration_targets, counts_of, validation_targets
from sirolens.study.illustration import build, load_paper

TARGETS, PRIOR = calibration_targets(), calibration_prior()
ROUNDING = 1e-9
# Invented disease: complete where the clone depends, partial where less so; a loose definition takes 15 % more.
COMPLETE_FROM, OVERALL_FROM, LOOSE_FROM = 0.55, 0.25, 0.12


def invented_batch(cohort: str, n: int = 2000) -> Batch:
    patients = draw(with_centres(load(), PRIOR, proposal(PRIOR)), n, seed=1)
    own = {one.symbol: patients.parameter(one.symbol) for one in PRIOR.inputs}
    effect = own["dep"] * (1.0 - 0.5 * own["fL"])
    columns = columns_of(TARGETS, cohort)
    out = np.empty((n, len(columns)))
    for m, name in enumerate(columns):
        loose = "or-double" in name
        level = COMPLETE_FROM if name.startswith("complete") else LOOSE_FROM if loose else OVERALL_FROM
        out[:, m] = effect > level
    return Batch(
        structure="three-links", cohort=cohort, statistics=statistics_of(PRIOR, own),
        proposal=natural(PRIOR, proposal(PRIOR)[None])[0], columns=columns, outcomes=out,
    )  # fmt: skip


BATCHES = [invented_batch(cohort) for cohort in TARGETS.cohorts]


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(BATCHES, TARGETS, PRIOR, draws=512, seed=4)


def test_the_likelihood_of_two_classes_is_multinomial_up_to_its_constant() -> None:
    # Oracle: scipy's multinomial.
    target = TARGETS.targets[2]
    rates = {"complete": np.array([0.4, 0.2]), "partial": np.array([0.3, 0.5])}
    logs = log_likelihood(target, rates)
    oracle = [multinomial.logpmf([34, 39, 13], 86, [c, p, 1 - c - p]) for c, p in ((0.4, 0.3), (0.2, 0.5))]
    assert logs[0] - logs[1] == pytest.approx(oracle[0] - oracle[1], abs=ROUNDING)


def test_the_likelihood_of_one_class_is_binomial_and_its_weight_is_a_power() -> None:
    # Oracle: scipy's binomial.
    target = TARGETS.targets[1]
    logs = log_likelihood(target, {"complete": np.array([0.3, 0.6])})
    oracle = binom.logpmf(6, 20, 0.3) - binom.logpmf(6, 20, 0.6)
    assert target.weight == 0.5
    assert logs[0] - logs[1] == pytest.approx(0.5 * oracle, abs=ROUNDING)


def test_the_posterior_rates_lie_at_the_counts_they_were_fitted_to(found: Fit) -> None:
    weights = found.weights()["three-links"]
    one = found.structures["three-links"]
    column = dict(zip(one.columns["feng-2020"], one.rates["feng-2020"].T, strict=True))
    rate = float((weights * column["complete@91"]).sum())
    assert abs(rate - 34 / 86) < 0.08  # one binomial standard error of the data is 0.053
    assert weights.sum() == pytest.approx(1.0)
    assert found.effective() > 8


def test_evidence_speaks_for_a_shift_or_a_definition_where_partial_responses_differ(found: Fit) -> None:
    evidence = {name: found.log_evidence(name) for name in ("same", "definitions", "cohorts", "both")}
    assert evidence["definitions"] > evidence["same"]
    assert evidence["both"] > evidence["same"]


def test_a_definition_that_explains_the_counts_is_the_likelier_one(found: Fit) -> None:
    likely = found.structures["three-links"].by_definition["feng-2020"]
    share = {name: float(np.exp(one).sum()) for name, one in likely.items()}
    assert share["thirty-or-double"] > 2 * share["iwg"]  # Feng printed many partial responses


def test_sets_are_kept_with_weights_and_the_same_seed_keeps_the_same(found: Fit) -> None:
    kept = keep_sets(found, each=8, seed=2)
    assert len(kept) == 8
    assert sum(one.weight for one in kept) == pytest.approx(1.0)
    assert [one.draw for one in kept] == [one.draw for one in keep_sets(found, each=8, seed=2)]
    assert all(set(one.definitions) == set(TARGETS.cohorts) for one in kept)


def test_a_population_for_one_cohort_resembles_its_printed_rates(found: Fit) -> None:
    one = found.structures["three-links"]
    column = dict(zip(one.columns["paper-a"], one.rates["paper-a"].T, strict=True))
    near = keep_sets(found, purpose="paper-a", each=8, tolerance=0.03)
    complete = sum(kept.weight * column["complete@91"][kept.draw] for kept in near)
    assert abs(complete - 0.30) < 0.05


def test_identifiability_sees_the_input_that_acts_and_not_the_one_that_does_not(found: Fit) -> None:
    told = {one.name: one for one in identifiability(found).told}
    assert told["dep_centre"].contraction > 0.3
    # Some contraction is the noise of a few dozen effective draws.
    assert told["h0_centre"].contraction < told["dep_centre"].contraction - 0.3
    assert told["h0_centre"].side == "none"
    assert np.allclose(np.diag(identifiability(found).correlation), 1.0)
    assert max(one.profile.max() for one in told.values()) == 0.0


def test_a_missing_batch_or_outcome_is_named() -> None:
    with pytest.raises(InputError, match="batch-missing"):
        fit(BATCHES[:2], TARGETS, PRIOR, draws=16)
    short = replace(BATCHES[0], columns=BATCHES[0].columns[1:], outcomes=BATCHES[0].outcomes[:, 1:])
    with pytest.raises(InputError, match=r"column-missing.*complete@91"):
        fit([short, *BATCHES[1:]], TARGETS, PRIOR, draws=16)


def test_invented_patients_are_no_evidence() -> None:
    # Claims A4, B8: the illustration of paper A must never calibrate anything.
    with pytest.raises(InputError, match="invented-refused"):
        counts_of(build(load_paper("paper-a")), TARGETS.definitions["iwg"], 91)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('mark = "seen"', 'mark = "memory"', "not-evidence"),
        ('mark = "seen"', 'mark = "seen"\ninvented = true', "not-evidence"),
        ("complete = 6, partial = 6", "complete = 16, partial = 6", "counts-impossible"),
        ("complete = 6, partial = 6", "complete = 6.5", "counts-impossible"),
        ('cohort = "paper-a"', 'cohort = "paper-z"', "cohort-unknown"),
        ("weight = 1.0", "weight = 2.0", "weight-impossible"),
        ('"iwg-single", "thirty', '"iwg-double", "thirty', "definition-unknown"),
        ("[[target]]", "[[target]", "unreadable"),
    ],
)
def test_a_faulty_list_of_targets_is_refused_by_name(tmp_path: Path, old: str, new: str, code: str) -> None:
    import sirolens.study.calibration.targets as module

    text = (Path(module.__file__).parents[1] / "data" / "calibration.toml").read_text(encoding="utf-8")
    head, found, rest = text.partition("[[target]]")
    parts = (
        (head.replace(old, new, 1), found + rest)
        if "iwg-single" in old
        else (head, (found + rest).replace(old, new, 1))
    )
    file = tmp_path / "targets.toml"
    file.write_text("".join(parts), encoding="utf-8")
    with pytest.raises(InputError, match=code):
        calibration_targets(file)


def test_a_check_without_a_known_rule_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "checks.toml"
    file.write_text('[[target]]\nname = "x"\nkind = "time"\nrule = "hope"\nmark = "seen"\n', encoding="utf-8")
    with pytest.raises(InputError, match="rule-unknown"):
        validation_targets(file)
