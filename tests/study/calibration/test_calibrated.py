# SPDX-License-Identifier: Apache-2.0
"""What a calibration kept is complete, says what it rests on, and gives the same patients whoever else is drawn."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from importlib.resources import files

import numpy as np
import pytest

from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.assumptions import register_text
from sirolens.mechanism.network import load
from sirolens.study.calibration.calibrate import NEW_COHORT
from sirolens.study.calibration.calibrated import (
    calibrated,
    draw_calibrated,
    mechanism_of,
    read_sets,
    sets_of,
    structure_of,
    text_of_sets,
)
from sirolens.study.calibration.prior import calibration_prior
from sirolens.study.calibration.targets import calibration_targets, validation_targets
from sirolens.study.mechanism.calibration_batch import simulated
from sirolens.study.mechanism.calibration_checks import USUAL, Study, judge, studies
from sirolens.study.mechanism.calibration_results import calibration_results, text_of_results

KEPT, PRIOR = calibrated(), calibration_prior()
N = 500
THREE_POINTS = 0.03
CHANCE = 2.5  # standard errors of a rate of 500 patients, exceeded once in 80


def test_the_file_names_the_lists_the_model_and_the_pharmacokinetics_it_rests_on() -> None:
    text = files("sirolens.mechanism").joinpath("itp_sirolimus.ant").read_bytes() + register_text().encode()
    assert KEPT.made["targets"] == calibration_targets().digest
    assert KEPT.made["prior"] == PRIOR.digest
    assert KEPT.made["model"] == sha256(text).hexdigest(), "the model has changed: run python -m validation calibration"
    assert "paper-a: children cheng_2020" in KEPT.made["pharmacokinetic_priors"]


def test_every_purpose_keeps_several_sets_of_every_structure_and_their_weights_add_up() -> None:
    for purpose in ("posterior", "paper-a", "feng-2020"):
        sets = KEPT.of(purpose)
        assert {one.structure for one in sets} == set(PRIOR.structures)
        assert sum(one.weight for one in sets) == pytest.approx(1.0, abs=1e-4)
        assert all(NEW_COHORT in one.shifts for one in sets)


def test_writing_and_reading_are_inverse() -> None:
    again = read_sets(text_of_sets(KEPT.sets, KEPT.made, PRIOR))
    assert text_of_sets(again.sets, again.made, PRIOR) == text_of_sets(KEPT.sets, KEPT.made, PRIOR)
    with pytest.raises(InputError, match="inputs-differ"):
        read_sets(text_of_sets(KEPT.sets, KEPT.made, PRIOR).replace('"kap"', '"cap"'))


def test_an_unknown_purpose_is_named_with_those_known() -> None:
    with pytest.raises(UnknownNameError, match=r"purpose-unknown.*paper-a"):
        KEPT.of("paper-b")


def test_a_structure_chooses_the_sets_and_a_disease_keeps_what_it_sets() -> None:
    assert structure_of(load()) == "three-links"
    one = KEPT.of("posterior", "single-link")[0]
    evans = mechanism_of(one, variants=("evans",))
    assert evans.assumptions["dep"].value == load("evans").assumptions["dep"].value
    assert evans.assumptions["kap"].value == pytest.approx(float(np.exp(one.theta[2, 0])))


def test_a_patient_is_the_same_however_many_are_drawn_and_belongs_to_one_set() -> None:
    few, many = (draw_calibrated(load(), n, 5, "adults", purpose="posterior") for n in (12, 60))
    assert (few.parameters == many.parameters[:, :12]).all()
    assert (few.covariates["age"] == many.covariates["age"][:12]).all()
    assert np.isfinite(many.parameters).all()
    which = sets_of(KEPT.of("posterior", "three-links"), 60, 5, "posterior")
    assert len(set(which.tolist())) > 5


def test_paper_as_population_has_its_printed_rates() -> None:
    # Claim A4; calibration, not validation. Oracle: 12/20, 6/20, 6/20 of the abstract, simulated plainly. All
    # structures together lie within 3 points (validation/calibration); 500 patients of one structure are noisier.
    found = simulated("paper-a", N, mechanism=load(), seed=11, drawn=partial(draw_calibrated, purpose="paper-a"))
    complete, overall, first = found.landmarks(USUAL, (91, 182))
    spread = CHANCE * np.sqrt(0.25 / N)
    assert abs(overall[:, 0].mean() - 0.6) < THREE_POINTS + spread
    assert abs(complete[:, 0].mean() - 0.3) < THREE_POINTS + spread
    assert abs((overall & ~complete)[:, 0].mean() - 0.3) < THREE_POINTS + spread
    assert found.failed == 0
    assert (first[overall[:, 0]] >= 0).all()
    # Virtual studies draw patients of one set each, with the sets' weights.
    sets = KEPT.of("paper-a", "three-links")
    belongs = sets_of(sets, int(found.origin.max()) + 1, 11, "paper-a")[found.origin]
    one = Study(cohort=found, belongs=belongs, weights=np.array([kept.weight for kept in sets]))
    for _, who in studies([one], 20, 1, "example", count=5):
        assert who.size == 20
        assert len(set(belongs[who].tolist())) == 1


def test_the_shipped_results_cover_both_lists() -> None:
    results = calibration_results()
    assert [one.name for one in results.checks] == [one.name for one in validation_targets().checks]
    assert {one.target for one in results.fitted} == {one.name for one in calibration_targets().targets}
    assert results.model == KEPT.made["model"]
    assert set(results.evidence) == {"same", "definitions", "cohorts", "both"}


def test_results_are_written_as_they_are_read() -> None:
    results = calibration_results()
    rows = [(one.target, one.outcome, one.count, one.patients, one.rate, one.low, one.high) for one in results.fitted]
    text = files("sirolens.study").joinpath("data", "calibration_results.toml").read_text(encoding="utf-8")
    assert text_of_results(rows, results.checks, results.evidence, results.model) == text


def test_rules_are_those_of_the_list() -> None:
    by_kind = {one.rule: one for one in validation_targets().checks}
    inside = np.linspace(0.0, 200.0, 401)
    assert judge(by_kind["direction"], np.array([1.0, 1.0])).hit
    assert not judge(by_kind["direction"], np.array([0.0, 0.0])).hit
    interval = next(one for one in validation_targets().checks if one.name == "xie-median-3-months")
    assert judge(interval, inside).hit
    assert not judge(interval, np.full(9, np.nan)).hit
    wide = next(one for one in validation_targets().checks if one.name == "adult-dose-6-months")
    assert judge(wide, np.array([0.1, 1.5, 9.0])).hit
    assert not judge(wide, np.array([2.5, 2.5])).hit
