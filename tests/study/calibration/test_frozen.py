# SPDX-License-Identifier: Apache-2.0
"""The lists that the mechanism is fitted to and checked against stay as they were before the first fit."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from sirolens.mechanism.assumptions import Role, assumptions
from sirolens.source import Mark
from sirolens.study.cohort.comparison import comparators

LISTS = ("calibration", "calibration_prior", "validation_targets")
PAGE = Path(__file__).parents[3] / "docs" / "science" / "calibration.md"


def text_of(name: str) -> str:
    return files("sirolens.study").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LISTS)
def test_a_frozen_list_has_the_hash_that_the_page_printed_before_the_fit(name: str) -> None:
    assert sha256(text_of(name).encode()).hexdigest() in PAGE.read_text(encoding="utf-8")


def test_nothing_is_both_fitted_and_checked() -> None:
    fitted = {one["name"] for one in tomllib.loads(text_of("calibration"))["target"]}
    checked = {one["name"] for one in tomllib.loads(text_of("validation_targets"))["target"]}
    assert not fitted & checked
    assert (len(fitted), len(checked)) == (7, 28)


def test_no_count_comes_from_memory() -> None:
    told = [*tomllib.loads(text_of("calibration"))["target"], *tomllib.loads(text_of("validation_targets"))["target"]]
    assert Mark.MEMORY not in {Mark(one["mark"]) for one in told}


def test_counts_agree_with_the_published_ones_of_the_comparison() -> None:
    # Oracle: study/data/comparators.toml, typed independently from the same abstracts.
    published = {(one.key, one.landmark_d, one.outcome): (one.responders, one.patients) for one in comparators()}
    told = tomllib.loads(text_of("calibration"))
    seen = 0
    for target in told["target"]:
        study = told["cohort"][target["cohort"]]["study"]
        for outcome, count in target["outcomes"].items():
            if (study, target["day"], outcome) in published:
                assert published[study, target["day"], outcome] == (count, target["patients"])
                seen += 1
    assert seen == 7


def test_what_the_fit_may_move_differs_between_patients_in_the_register() -> None:
    told = tomllib.loads(text_of("calibration_prior"))
    parameters = assumptions().parameters
    for symbol, one in told["input"].items():
        assert parameters[symbol].role is Role.SAMPLED
        assert parameters[symbol].low <= one["centre"]["value"] <= parameters[symbol].high
    assert told["cohort_effect"]["input"] in told["input"]
    assert set(told["structure"]["variants"]) <= set(assumptions().variants)
