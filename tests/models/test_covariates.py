# SPDX-License-Identifier: Apache-2.0
"""Covariates become typical parameters; what is missing or cannot be is said, never filled in silently."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.linear import NEUTRAL, PARAMETERS
from sirolens.errors import InputError
from sirolens.message import Severity
from sirolens.models.catalog import load
from sirolens.models.covariates import (
    complete,
    missing_values,
    theta_values,
    to_model_unit,
    typical,
    uncertain_thetas,
)
from sirolens.models.model_file import read_model
from tests.models.test_check import GOOD, OWN

# A power in a kernel and the standard library's may differ in the last digit; a formula has about five operations.
ROUNDING = 1e-14
SKEWED_SAMPLE = 0.05  # of the standard deviation of 40,000 log-normal numbers


def codes(name: str, **values: float) -> list[str]:
    return [message.code for message in complete(load(name), values).messages]


def test_typical_values_have_the_kernels_order_and_neutral_values_elsewhere() -> None:
    row = typical(load("chen_2021"), {"WT": 20.0})[0]
    given_names = ("cl_l_h", "v1_l", "ka_1_h")
    for position, name in enumerate(PARAMETERS):
        if name not in given_names:
            assert row[position] == NEUTRAL[position]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(3, 120), st.floats(1, 300)), min_size=1, max_size=20))
def test_many_patients_at_once_are_each_of_them_alone(rows: list[tuple[float, float]]) -> None:
    # Oracle: the printed equation, with the standard library's power.
    weight, bilirubin = (np.array(column) for column in zip(*rows, strict=True))
    found = typical(load("cheng_2020"), {"WT": weight, "TBIL": bilirubin})
    for i, (wt, tbil) in enumerate(rows):
        alone = typical(load("cheng_2020"), {"WT": wt, "TBIL": tbil})[0]
        np.testing.assert_array_equal(found[i], alone)
        expected = 5.63 * math.pow(tbil / 11.29, -0.32) * math.pow(wt / 28.5, 0.50)
        assert alone[0] == pytest.approx(expected, rel=ROUNDING)


def test_one_value_serves_all_patients() -> None:
    found = typical(load("golubovic_2019"), {"AGE": [20.0, 30.0, 40.0], "AST": 25.0})
    assert found.shape == (3, 15)


def test_ciclosporin_and_herbs_are_absent_unless_told_and_it_is_said() -> None:
    assert codes("jiao_2009", TC=5.0) == ["models.covariate-assumed", *["models.indicator-taken-as-no"] * 2]
    without = typical(load("jiao_2009"), {"TC": 5.66})[0]
    assert without[0] == pytest.approx(10.1 + 0.00417 * 104)
    assert without[1] == pytest.approx(3670 + 7.27 * 104)


def test_cholesterol_is_asked_for_and_never_taken_silently() -> None:
    assert codes("jiao_2009")[0] == "models.covariate-asked"
    with pytest.raises(InputError) as caught:
        typical(load("jiao_2009"), {})
    assert [message.code for message in caught.value.messages] == ["models.covariate-needed"]


def test_a_missing_covariate_with_a_spread_can_be_integrated_over() -> None:
    cholesterol = load("jiao_2009").covariates[0]
    values = missing_values(cholesterol, np.array([-1.0, 0.0, 1.0]))
    assert values is not None
    np.testing.assert_allclose(values, [4.7 * math.exp(-0.2), 4.7, 4.7 * math.exp(0.2)], rtol=ROUNDING)
    assert typical(load("jiao_2009"), {"TC": values}).shape == (3, 15)


def test_integrated_values_stay_plausible() -> None:
    haematocrit = load("mao_2024").covariates[0]
    values = missing_values(haematocrit, np.array([-50.0, 50.0]))
    assert values is not None
    assert values.tolist() == [5.0, 75.0]


def test_a_covariate_without_spread_has_nothing_to_integrate_over() -> None:
    assert missing_values(load("cheng_2020").covariates[0], [0.0]) is None


def test_weight_is_refused_when_missing() -> None:
    with pytest.raises(InputError) as caught:
        typical(load("fan_2024"), {"WT": float("nan")})
    assert [message.code for message in caught.value.messages] == ["models.covariate-refused"]


def test_a_missing_value_of_one_patient_in_a_table_counts_that_patient() -> None:
    done = complete(load("wu_2012"), {"HCT": [40.0, float("nan"), 30.0, float("nan")]})
    assert done.values["HCT"].tolist() == [40.0, 35.1, 30.0, 35.1]
    (message,) = done.messages
    assert message.values["patients"] == 2
    assert message.severity is Severity.INFO


@pytest.mark.parametrize(("name", "values"), [("mao_2024", {"HCT": 0.38}), ("wu_2012", {"HCT": 0.42})])
def test_a_haematocrit_as_a_fraction_is_refused(name: str, values: dict[str, float]) -> None:
    # It would multiply Mao's clearance by 63.
    with pytest.raises(InputError) as caught:
        typical(load(name), values)
    message = caught.value.messages[0]
    assert message.code == "models.covariate-implausible"
    assert (message.values["value"], message.values["low"]) == (values["HCT"], 5.0)


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0])
def test_an_indicator_is_zero_or_one(value: float) -> None:
    with pytest.raises(InputError):
        typical(load("chen_2021"), {"WT": 20.0, "OXC": value})


def test_a_value_beyond_its_clamp_is_moved_with_a_warning() -> None:
    done = complete(load("golubovic_2019"), {"AGE": 80.0, "AST": 20.0})
    (message,) = done.messages
    assert (message.code, message.values["used"]) == ("models.covariate-clamped", 64.0)
    assert message.severity is Severity.WARNING


def test_thetas_may_be_drawn() -> None:
    drawn = typical(load("mao_2024"), {"HCT": 38.0}, thetas={"CL": [5.0, 7.09, 9.0]})
    assert drawn[:, 0].tolist() == [5.0, 7.09, 9.0]
    assert drawn[:, 1].tolist() == [496.0] * 3


def test_a_clearance_that_a_formula_drives_below_zero_is_an_error() -> None:
    with pytest.raises(InputError) as caught:
        typical(load("jiao_2009"), {"TC": 5.66}, thetas={"CL": -1.0})
    assert caught.value.messages[0].code == "models.parameter-impossible"


def test_names_the_model_does_not_know_are_ignored() -> None:
    first = typical(load("fan_2024"), {"WT": 20.0, "SHOE": [1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(first, typical(load("fan_2024"), {"WT": 20.0}))


def test_a_models_own_unit_is_made_from_the_canonical_one() -> None:
    model = read_model(GOOD, "own.toml").model
    assert model is not None
    weight = next(covariate for covariate in model.covariates if covariate.name == "WT")
    assert float(to_model_unit(weight, 45.359237)) == pytest.approx(100.0)


def test_a_model_of_own_equations_has_its_own_columns() -> None:
    model = read_model(OWN, "own.toml").model
    assert model is not None
    assert typical(model, {"WT": 70.0}).tolist() == [[0.5, 0.3, 1.5, 100.0]]


def test_thetas_drawn_from_their_standard_errors_have_them() -> None:
    model = load("wu_2012")
    names = uncertain_thetas(model)
    normal = np.random.default_rng(5).normal(size=(40_000, len(names)))
    drawn = theta_values(model, normal)
    for theta in model.thetas:
        assert theta.rse_percent is not None
        relative = drawn[theta.name].std() / drawn[theta.name].mean()
        assert relative == pytest.approx(
            theta.rse_percent / 100.0, rel=0.05
        )  # the sample SD of a skewed law, n = 40,000
    assert typical(model, {"HCT": 40.0}, thetas=drawn).shape == (40_000, 15)


def test_fixed_thetas_are_not_drawn() -> None:
    assert "KA" not in uncertain_thetas(load("jiao_2009"))
