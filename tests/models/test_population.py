# SPDX-License-Identifier: Apache-2.0
"""Etas act on the right parameters, alone and in batches; correlations are those of the file."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sirolens.engine.linear import PARAMETERS
from sirolens.models.catalog import catalog, load
from sirolens.models.covariates import typical
from sirolens.models.model_file import read_model
from sirolens.models.population import effect_index, individual, parameter_names
from tests.models.test_check import GOOD, OWN

ROUNDING = 1e-15


@pytest.mark.parametrize("name", sorted(catalog()))
def test_without_effects_everybody_is_typical(name: str) -> None:
    model = load(name)
    values = {covariate.name: covariate.reference for covariate in model.covariates}
    centre = typical(model, values)
    np.testing.assert_array_equal(individual(model, centre[0], np.zeros((1, len(model.eta_names))))[0], centre[0])


@pytest.mark.parametrize("name", sorted(catalog()))
def test_omega_is_positive_definite_and_symmetric(name: str) -> None:
    omega = load(name).omega
    np.testing.assert_array_equal(omega, omega.T)
    assert np.linalg.eigvalsh(omega).min() > 0.0


def test_mao_correlation_is_as_printed() -> None:
    omega = load("mao_2024").omega
    assert omega[0, 1] / math.sqrt(omega[0, 0] * omega[1, 1]) == pytest.approx(0.481, abs=0.0005)


def test_each_eta_moves_its_own_parameter() -> None:
    model = load("golubovic_2019")
    centre = typical(model, {"AGE": 44.0, "AST": 20.0})[0]
    eta = np.diag(np.full(5, 0.3))
    moved = individual(model, centre, eta)
    names = {"CL": "cl_l_h", "V1": "v1_l", "V2": "v2_l", "Q": "q2_l_h", "KA": "ka_1_h"}
    for row, name in enumerate(model.eta_names):
        at = PARAMETERS.index(names[name])
        expected = centre.copy()
        expected[at] *= math.exp(0.3)
        np.testing.assert_allclose(moved[row], expected, rtol=ROUNDING)


def test_normal_and_logit_effects() -> None:
    model = read_model(GOOD, "own.toml").model
    assert model is not None
    centre = typical(model, {"WT": 100.0, "AGE": 50.0, "SEX": 0.0})[0]
    eta = np.zeros((1, 4))
    eta[0, model.eta_names.index("V1")] = -7.0
    eta[0, model.eta_names.index("F")] = 1.0
    moved = individual(model, centre, eta)[0]
    assert moved[PARAMETERS.index("v1_l")] == pytest.approx(centre[PARAMETERS.index("v1_l")] - 7.0)
    # Oracle: logit 0.8 = log 4, so logit F = log 4 + 1.
    assert moved[PARAMETERS.index("f1")] == pytest.approx(1.0 / (1.0 + math.exp(-(math.log(4.0) + 1.0))))
    kinds = dict(zip(PARAMETERS, effect_index(model)[1], strict=True))
    assert (kinds["cl_l_h"], kinds["v1_l"], kinds["f1"]) == (0, 1, 2)


def test_draws_of_one_patient_meet_all_periods_and_a_cohort_is_paired() -> None:
    model = load("cheng_2020")
    periods = typical(model, {"WT": [20.0, 21.0, 22.0], "TBIL": 10.0})
    eta = np.random.default_rng(1).normal(size=(4, 2))
    draws = individual(model, periods, eta)
    assert draws.shape == (4, 3, 15)
    cohort = individual(model, np.stack([periods] * 4), eta, paired=True)
    np.testing.assert_array_equal(cohort, draws)
    with pytest.raises(ValueError, match="rows"):
        individual(model, periods, eta, paired=True)


def test_a_model_of_own_equations_names_its_own_parameters() -> None:
    model = read_model(OWN, "own.toml").model
    assert model is not None
    assert parameter_names(model) == ("KA", "VMAX", "KM", "V")
    assert effect_index(model)[0].tolist() == [-1, 0, -1, -1]


def test_a_users_file_may_have_occasions() -> None:
    model = read_model(GOOD, "own.toml").model
    assert model is not None
    assert model.occasion is not None
    assert model.occasion.eta_names == ("CL", "F")
    assert model.occasion.omega.tolist() == [[0.02, 0.005], [0.005, 0.03]]
