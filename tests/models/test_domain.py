# SPDX-License-Identifier: Apache-2.0
"""A model is refused outside its hard domain and warns outside the soft one (hazard H15)."""

from __future__ import annotations

import pytest

from sirolens.message import Severity
from sirolens.models.catalog import catalog, load
from sirolens.models.domain import in_hard_domain, scope

ADULT = {"age_years": 40.0, "weight_kg": 65.0, "population": "chinese", "disease": "primary-itp"}
CHILD = {"age_years": 7.0, "weight_kg": 22.0, "population": "chinese", "disease": "primary-itp"}


def severities(name: str, facts: dict[str, float | str | None]) -> dict[str, str]:
    return {message.code: str(message.severity) for message in scope(load(name), facts)}


@pytest.mark.parametrize("weight_kg", [40.001, 41.0, 70.0])
def test_fan_is_never_used_above_forty_kilograms(weight_kg: float) -> None:
    assert severities("fan_2024", CHILD | {"weight_kg": weight_kg})["models.weight-above-hard"] == "error"
    assert not in_hard_domain(load("fan_2024"), CHILD | {"weight_kg": weight_kg})


def test_fan_at_forty_kilograms_is_allowed() -> None:
    assert in_hard_domain(load("fan_2024"), CHILD | {"weight_kg": 40.0})


@pytest.mark.parametrize("name", sorted(catalog()))
def test_every_model_is_for_adults_or_for_children(name: str) -> None:
    model = load(name)
    assert in_hard_domain(model, ADULT) == (model.default_for == "adult")
    assert in_hard_domain(model, CHILD) == (model.default_for == "child")


@pytest.mark.parametrize("name", ["cheng_2020", "fan_2024", "chen_2021"])
@pytest.mark.parametrize("facts", [{"age_years": 0.9}, {"weight_kg": 6.9}])
def test_infants_are_outside_every_model(name: str, facts: dict[str, float]) -> None:
    assert not in_hard_domain(load(name), CHILD | facts)


def test_a_teenager_beyond_the_studied_weights_gets_models_with_a_warning() -> None:
    teenager = {"age_years": 14.0, "weight_kg": 55.0, "population": "chinese", "disease": "primary-itp"}
    usable = {name for name in catalog() if in_hard_domain(load(name), teenager)}
    assert usable == {"cheng_2020", "chen_2021"}
    assert severities("cheng_2020", teenager)["models.weight-above-soft"] == "warning"


def test_an_old_patient_is_extrapolated_with_a_warning() -> None:
    assert severities("golubovic_2019", ADULT | {"age_years": 75.0})["models.age-above-soft"] == "warning"


def test_another_population_is_a_warning_and_an_untold_one_is_said() -> None:
    assert severities("cheng_2020", CHILD | {"population": "us"})["models.population-differs"] == "warning"
    assert severities("cheng_2020", CHILD | {"population": None})["models.population-not-told"] == "info"
    assert "models.population-differs" not in severities("cheng_2020", CHILD)


def test_every_adult_model_says_that_it_is_borrowed() -> None:
    for name in ("jiao_2009", "golubovic_2019", "wu_2012", "mao_2024"):
        assert severities(name, ADULT)["models.disease-differs"] == "warning"


@pytest.mark.parametrize("disease", ["primary-itp", "secondary-itp", "evans"])
def test_the_model_of_immune_cytopenia_fits_its_forms(disease: str) -> None:
    assert "models.disease-differs" not in severities("cheng_2020", CHILD | {"disease": disease})


def test_bilirubin_with_haemolysis_is_a_trap_that_is_said() -> None:
    found = severities("cheng_2020", CHILD | {"disease": "evans", "TBIL": 40.0})
    assert found["models.bilirubin-haemolysis"] == "warning"
    assert "models.bilirubin-haemolysis" not in severities("fan_2024", CHILD | {"disease": "evans"})


def test_another_kind_of_assay_is_said() -> None:
    assert severities("jiao_2009", ADULT | {"assay_class": "immunoassay"})["models.assay-class-differs"] == "info"
    assert "models.assay-class-differs" not in severities("jiao_2009", ADULT | {"assay_class": "chromatography"})


def test_a_covariate_outside_the_observed_range_is_a_warning() -> None:
    found = scope(load("jiao_2009"), ADULT | {"TC": 12.0})
    message = next(message for message in found if message.code == "models.covariate-above-soft")
    assert message.severity is Severity.WARNING
    assert message.values["limit"] == 10.9


def test_an_unknown_weight_is_said() -> None:
    facts = {name: value for name, value in CHILD.items() if name != "weight_kg"}
    assert severities("fan_2024", facts)["models.scope-fact-missing"] == "info"
    assert in_hard_domain(load("fan_2024"), facts)
