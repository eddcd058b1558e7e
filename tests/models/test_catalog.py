# SPDX-License-Identifier: Apache-2.0
"""The catalogue: what ships, with which defaults, and what is known but withheld."""

from __future__ import annotations

from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sirolens.errors import ModelFileError, UnknownNameError
from sirolens.message import Message
from sirolens.models.catalog import catalog, load, unusable
from sirolens.models.check import check
from sirolens.models.covariates import typical
from sirolens.models.population import Role
from sirolens.models.vocabulary import missing_word, title_of
from sirolens.source import Mark

NAMES = ("chen_2021", "cheng_2020", "fan_2024", "golubovic_2019", "jiao_2009", "mao_2024", "wu_2012")
FOLDER = Path(str(files("sirolens.models.catalog")))


def test_exactly_the_models_that_may_ship_are_there() -> None:
    assert tuple(catalog()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_file_has_no_fault_and_its_name_is_the_models_name(name: str) -> None:
    assert check(FOLDER / f"{name}.toml") == ()
    assert load(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_shipped_model_has_a_mark_and_none_is_memory(name: str) -> None:
    for full_name in (name, *(f"{name}:{variant.name}" for variant in load(name).variants)):
        model = load(full_name)
        marks = [theta.mark for theta in model.thetas] + [value.mark for value in model.omega_values]
        marks += [model.residual_mark, model.source.mark, *(table.mark for table in model.dosing_tables)]
        marks += [covariate.spread.mark for covariate in model.covariates if covariate.spread is not None]
        assert Mark.MEMORY not in marks


@pytest.mark.parametrize("name", NAMES)
def test_no_shipped_model_claims_that_its_primary_table_was_seen(name: str) -> None:
    model = load(name)
    assert not model.primary_table_seen
    assert model.source.doi
    assert "models.primary-table-unseen" in {message.code for message in model.warnings}


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_has_its_title_in_both_languages_and_knows_its_cohort(name: str) -> None:
    model = load(name)
    assert isinstance(title_of(name, model.title), Message)
    assert model.cohort.subjects
    assert model.population_scope != "unknown"
    assert model.cohort.disease != "unknown"


def test_only_the_rich_sampling_model_supports_more_than_steady_state_troughs() -> None:
    assert {name for name in NAMES if load(name).supports != {"steady-state-trough"}} == {"wu_2012"}
    assert {name for name in NAMES if not load(name).trough_only} == {"wu_2012"}


def test_targets_are_those_of_the_papers() -> None:
    assert {name: load(name).target_ng_ml for name in NAMES} == {
        "chen_2021": (5.0, 10.0),
        "cheng_2020": (5.0, 15.0),
        "fan_2024": (5.0, 15.0),
        "golubovic_2019": (8.0, 20.0),
        "jiao_2009": (6.0, 12.0),
        "mao_2024": (4.0, 8.0),
        "wu_2012": None,
    }
    for name in ("chen_2021", "golubovic_2019", "jiao_2009", "mao_2024"):
        assert "models.target-differs" in {message.code for message in load(name).warnings}


def test_defaults_for_adults_and_children_are_those_of_the_check() -> None:
    def default(group: str) -> set[str]:
        return {name for name in NAMES if load(name).default_for == group and load(name).role is Role.DEFAULT}

    assert default("adult") == {"golubovic_2019", "jiao_2009", "wu_2012"}
    assert default("child") == {"cheng_2020", "fan_2024", "chen_2021"}
    assert load("mao_2024").role is Role.SENSITIVITY


def test_jiao_has_the_dose_covariate_off_and_its_own_variance_then() -> None:
    default, published = load("jiao_2009"), load("jiao_2009:dose-covariate")
    assert "DDS" not in {covariate.name for covariate in default.covariates}
    assert default.omega[0, 0] == 0.10
    assert published.omega[0, 0] == 0.0551
    assert "DDS" in {covariate.name for covariate in published.covariates}
    assert default.omega[1, 1] == published.omega[1, 1] == 0.2789


def test_doubtful_residuals_are_raised_by_default_and_kept_as_variants() -> None:
    assert load("mao_2024").residual.proportional == 0.182
    assert load("mao_2024:published-residual").residual.proportional == 0.033
    assert load("wu_2012").residual.proportional == 0.147
    assert load("wu_2012:published-residual").residual.proportional == 0.0217
    assert load("wu_2012:published-residual").residual.additive_ng_ml == 0.5
    assert load("mao_2024").residual_mark is Mark.JUDGE
    assert load("mao_2024:published-residual").residual_mark is Mark.SEEN


def test_cheng_has_no_switch_for_its_variability() -> None:
    assert load("cheng_2020").variants == ()
    np.testing.assert_array_equal(np.diag(load("cheng_2020").omega), [0.0353, 0.0727])


def test_no_published_model_has_variability_between_occasions() -> None:
    assert all(load(name).occasion is None for name in NAMES)


def test_dosing_tables_carry_their_own_target() -> None:
    tables = {(name, table.title): table for name in NAMES for table in load(name).dosing_tables}
    assert {key: table.target_ng_ml for key, table in tables.items()} == {
        ("chen_2021", "Table 3, once daily"): (5.0, 10.0),
        ("chen_2021", "Table 3, twice daily"): (5.0, 10.0),
        ("cheng_2020", "Table 4"): (5.0, 15.0),
        ("fan_2024", "Table 4, once daily"): (5.0, 15.0),
        ("fan_2024", "Table 4, twice daily"): (5.0, 15.0),
    }
    assert [row.dose for row in tables["cheng_2020", "Table 4"].rows] == [0.75, 1.5, 1.75, 2.0, 0.5, 0.75, 1.0, 1.5]


def test_the_rows_of_a_dosing_table_cover_their_range_without_gap_or_overlap() -> None:
    for name in NAMES:
        for table in load(name).dosing_tables:
            bands: dict[object, list[tuple[float, float]]] = {}
            for row in table.rows:
                others = tuple(condition for condition in row.conditions if condition[0] != "weight_kg")
                bands.setdefault(others, []).extend((low, high) for n, low, high in row.conditions if n == "weight_kg")
            for ranges in bands.values():
                assert all(before[1] == after[0] for before, after in pairwise(ranges))


def test_a_model_is_loaded_once() -> None:
    assert load("cheng_2020") is load("cheng_2020")
    assert load("jiao_2009:dose-covariate") is load("jiao_2009:dose-covariate")
    assert load("jiao_2009:dose-covariate").full_name == "jiao_2009:dose-covariate"


def test_omega_of_a_loaded_model_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load("cheng_2020").omega[0, 0] = 1.0


def test_an_unknown_model_lists_what_is_known() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load("cheng_2002")
    assert caught.value.messages[0].code == "registry.unknown-name"
    assert "cheng_2020" in str(caught.value)


def test_an_unknown_variant_lists_the_variants() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load("jiao_2009:dose")
    assert caught.value.messages[0].values["known"] == ("dose-covariate",)


def test_a_known_but_unusable_model_says_what_is_missing() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load("djebli_2006")
    message = caught.value.messages[0]
    assert message.code == "models.known-but-unusable"
    missing = message.values["missing"]
    assert isinstance(missing, tuple)
    assert next(one.code for one in missing if isinstance(one, Message)) == "models.missing-q"


def test_the_withheld_model_is_refused_although_its_values_are_known() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load("chen_2020")
    assert caught.value.messages[0].code == "models.withheld"


def test_what_unusable_models_miss_has_words() -> None:
    assert len(unusable()) == 17
    assert {model.name for model in unusable() if model.reason} == {"chen_2020"}
    for model in unusable():
        assert model.missing
        assert all(isinstance(missing_word(slug), Message) for slug in model.missing)


def test_a_users_own_file_is_loaded_like_a_shipped_one() -> None:
    model = load(Path(__file__).parent / "files" / "chen_2020.toml")
    assert model.role is Role.USER
    assert typical(model, {"WT": 70.0, "EXPR": 1.0})[0, 0] == pytest.approx(7.55 * 1.999)


def test_a_missing_file_is_an_error_that_names_it() -> None:
    with pytest.raises(ModelFileError) as caught:
        load("no_such_model.toml")
    assert caught.value.messages[0].code == "models.file-unreadable"
    assert caught.value.messages[0].place is not None
    assert caught.value.messages[0].place.file == "no_such_model.toml"


def test_a_variant_of_a_users_file_is_asked_for_after_a_colon(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "files" / "chen_2020.toml").read_text(encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text(f'{text}\n[variants.wide]\nwhy = "a test"\nmark = "assumed"\nresidual.proportional = 0.5\n')
    assert load(path).residual.proportional == 0.390
    assert load(f"{path}:wide").residual.proportional == 0.5
