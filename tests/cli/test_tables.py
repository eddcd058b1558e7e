# SPDX-License-Identifier: Apache-2.0
"""`sirolens simulate` and `sirolens estimate`: what they write is what the Python API gives, in every format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest

from sirolens.interop.nonmem import read_table
from sirolens.models.catalog import load
from sirolens.models.individuals import Individuals, estimate_individuals
from sirolens.models.table_prediction import Prepared, prepare
from sirolens.models.table_simulation import simulate_table
from tests.cli.command import OWN_MODEL, TABLES, Done, sirolens
from tests.interop.charts import CHINESE

LEVELS, EVENTS = TABLES / "children_levels.csv", TABLES / "adult_first_days.csv"
DRAWS, SEED = 60, 5
SIBLINGS = ("patients", "summary", "pcvpc")
# Shortest texts of floats are read back to the same floats; JSON of pandas keeps 15 decimals.
JSON_RTOL = 1e-12


def _prepared(path: Path, name: str) -> Prepared:
    model = load(name)
    table, _ = read_table(path, [covariate.name for covariate in model.covariates])
    return prepare(model, table)


@pytest.fixture(scope="module")
def estimated() -> Individuals:
    """Oracle: the same through the Python API."""
    return estimate_individuals(_prepared(LEVELS, "cheng_2020"), draws=DRAWS, seed=SEED)


def _estimate(*more: str | Path) -> Done:
    return sirolens("estimate", LEVELS, "-m", "cheng_2020", "--draws", str(DRAWS), "--seed", str(SEED), *more)


READERS: dict[str, Callable[[Path], pandas.DataFrame]] = {
    ".csv": lambda path: pandas.read_csv(path, float_precision="round_trip"),
    ".parquet": pandas.read_parquet,
}


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".CSV"])
def test_estimate_writes_predictions_and_their_siblings_in_the_format_of_the_ending(
    ending: str, tmp_path: Path, estimated: Individuals
) -> None:
    done = _estimate("--out", tmp_path / f"found{ending}")
    assert (done.code, done.out) == (0, "")
    names = {f"found{ending}", *(f"found.{name}{ending}" for name in SIBLINGS)}
    assert {path.name for path in tmp_path.iterdir()} == names
    read = READERS[ending.lower()]
    pandas.testing.assert_frame_equal(read(tmp_path / f"found{ending}"), estimated.predictions(), check_exact=True)
    pandas.testing.assert_frame_equal(
        read(tmp_path / f"found.patients{ending}"), estimated.patients(), check_exact=True
    )
    assert read(tmp_path / f"found.summary{ending}")["figure"].iloc[0] == "shrinkage CL"
    assert read(tmp_path / f"found.pcvpc{ending}")["N"].sum() == 7


@pytest.mark.parametrize("language", ["en", "zh"])
def test_estimate_shows_every_table_in_words_and_says_what_it_is(language: str) -> None:
    done = _estimate("--language", language)
    assert done.code == 0
    says = {"en": "Individual (empirical Bayes) estimates", "zh": "个体（经验贝叶斯）"}[language]
    assert done.out.startswith(says)
    for word in ("IWRES", "NPDE", "OBJECTIVE", "CONSTANT", "shrinkage", "mape_percent", "OBSERVED_P50"):
        assert word in done.out
    assert bool(CHINESE.search(done.err)) == (language == "zh")


def test_estimate_as_json_holds_the_same_numbers(estimated: Individuals) -> None:
    told = json.loads(_estimate("--json").out)
    assert told["model"] == "cheng_2020"
    assert set(told) == {"model", "predictions", *SIBLINGS}
    found = pandas.DataFrame(told["predictions"])["IPRED"].astype(float)
    pandas.testing.assert_series_equal(found, estimated.predictions()["IPRED"], rtol=JSON_RTOL, check_exact=False)
    assert told["predictions"][6]["DV"] is None  # below the limit: no value, and it says so
    assert told["predictions"][6]["CENSORED"] == -1


def test_without_draws_no_check_is_made(tmp_path: Path) -> None:
    done = sirolens("estimate", LEVELS, "-m", "cheng_2020", "--draws", "0", "--out", tmp_path / "a.csv")
    assert done.code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "a.patients.csv", "a.summary.csv"}


def test_simulate_gives_the_same_on_the_screen_in_a_file_and_as_json(tmp_path: Path) -> None:
    arguments = ("simulate", EVENTS, "-m", "wu_2012", "--draws", str(DRAWS), "--seed", str(SEED))
    expected = simulate_table(_prepared(EVENTS, "wu_2012"), draws=DRAWS, seed=SEED)  # oracle: the Python API
    screen, again = sirolens(*arguments), sirolens(*arguments)
    assert screen.code == 0
    assert screen.out == again.out
    read = pandas.read_csv(io.StringIO(screen.out), float_precision="round_trip")
    pandas.testing.assert_frame_equal(read, expected, check_exact=True)
    assert sirolens(*arguments, "--out", tmp_path / "out.csv").out == ""
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == screen.out
    sirolens(*arguments, "--out", tmp_path / "out.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "out.parquet"), expected, check_exact=True)
    rows = pandas.DataFrame(json.loads(sirolens(*arguments, "--json").out))
    pandas.testing.assert_frame_equal(rows, expected, rtol=JSON_RTOL, check_exact=False)
    other = sirolens(*arguments[:-1], "6")
    assert other.out != screen.out


def test_covariates_can_be_taken_backward_as_nonmem_does() -> None:
    arguments = ("simulate", EVENTS, "-m", "wu_2012", "--draws", "0")
    assert sirolens(*arguments).out != sirolens(*arguments, "--covariates-backward").out


def test_a_model_file_of_ones_own_is_a_model() -> None:
    done = sirolens("simulate", EVENTS, "-m", OWN_MODEL, "--draws", "0")
    assert done.code == 0
    assert "HCT" in done.err  # a column nobody uses is named
    assert len(done.out.splitlines()) == 10


@pytest.mark.parametrize("language", ["en", "zh"])
def test_patients_that_cannot_be_integrated_are_named_with_the_reason(language: str, tmp_path: Path) -> None:
    runaway = OWN_MODEL.read_text(encoding="utf-8").replace('Gut = "-KA*Gut"', 'Gut = "Gut^2"')
    model = tmp_path / "runaway.toml"
    model.write_text(runaway, encoding="utf-8")
    data = tmp_path / "data.csv"
    data.write_text("ID,TIME,AMT,DV\nP7,0,2,.\nP7,24,.,5\nP8,0,.,.\nP8,24,.,.\n", encoding="utf-8")
    done = sirolens("simulate", data, "-m", model, "--draws", "0", "--language", language)
    assert done.code == 0
    assert "P7" in done.err
    assert "P8" not in done.err
    assert ("could not be integrated" in done.err) == (language == "en")
    assert ("未能积分" in done.err) == (language == "zh")
    assert "P7,24.0,\n" in done.out
    found = sirolens("estimate", data, "-m", model, "--draws", "0", "--language", language)
    assert found.code == 0
    assert "P7" in found.err
