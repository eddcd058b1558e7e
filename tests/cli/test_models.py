# SPDX-License-Identifier: Apache-2.0
"""`sirolens models`: what is there, what is in one, whether a file of one's own is sound, and its code elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sirolens.models.catalog import catalog, load, unusable
from sirolens.models.translate import to_mrgsolve, to_nonmem
from tests.cli.command import OWN_MODEL, sirolens
from tests.interop.charts import CHINESE

LANGUAGES = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_names_every_model_and_those_that_cannot_be_used(language: str) -> None:
    done = sirolens("models", "list", "--language", language)
    assert done.code == 0
    assert not [name for name in catalog() if name not in done.out]
    assert not [one.name for one in unusable() if one.name not in done.out]
    assert bool(CHINESE.search(done.out)) == (language == "zh")


def test_the_list_as_json_holds_the_same_names() -> None:
    told = json.loads(sirolens("models", "list", "--json").out)
    assert [model["name"] for model in told["models"]] == list(catalog())
    assert told["known_but_unusable"] == [one.name for one in unusable()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*catalog(), OWN_MODEL], ids=lambda name: Path(str(name)).stem)
def test_a_model_is_shown_with_its_source_and_intended_use(name: str | Path, language: str) -> None:
    done = sirolens("models", "show", name, "--language", language)
    assert done.code == 0
    model = load(str(name))
    assert model.name in done.out or model.label in done.out
    if model.source.doi is not None:
        assert model.source.doi in done.out.replace("\n", "").replace(" ", "") or model.source.doi in done.out
    assert ("Decision support" in done.out) == (language == "en")
    told = json.loads(sirolens("models", "show", name, "--json", "--language", language).out)
    assert told["name"] == model.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sound_file_of_ones_own_is_said_to_be_sound(language: str) -> None:
    done = sirolens("models", "check", OWN_MODEL, "--language", language)
    assert (done.code, done.err) == (0, "")
    assert str(OWN_MODEL) in done.out


FAULTY = (
    OWN_MODEL.read_text(encoding="utf-8")
    .replace("variance = 0.1", "variance = -0.1")
    .replace('formula = "0.5"', 'formula = "__import__(1)"')
    .replace("reference = 70", 'reference = "seventy"')
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_faulty_file_gives_one_line_per_fault_with_its_place(language: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FAULTY, encoding="utf-8")
    done = sirolens("models", "check", path, "--language", language)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) >= 3
    assert all(str(path) in line for line in lines)
    for value in ("-0.1", "__import__", "seventy"):
        number = next(i for i, line in enumerate(FAULTY.splitlines(), start=1) if value in line)
        where = f"line {number}" if language == "en" else f"第 {number} 行"
        assert any(value in line and where in line for line in lines), done.err


@pytest.mark.parametrize(("to", "translate"), [("nonmem", to_nonmem), ("mrgsolve", to_mrgsolve)])
def test_export_writes_the_code_to_the_screen_or_whole_to_a_file(to: str, translate: object, tmp_path: Path) -> None:
    assert callable(translate)
    code = translate(load("cheng_2020"))
    assert sirolens("models", "export", "cheng_2020", "--to", to).out == code
    path = tmp_path / "model.txt"
    done = sirolens("models", "export", "cheng_2020", "--to", to, "--out", path)
    assert (done.code, done.out) == (0, "")
    assert path.read_text(encoding="utf-8") == code
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["show", "export"])
def test_an_unknown_model_is_refused_with_what_is_known(command: str, language: str) -> None:
    more = ("--to", "nonmem") if command == "export" else ("--language", language)
    done = sirolens("models", command, "cheng_2021", *more)
    assert (done.code, done.out) == (2, "")
    assert "cheng_2021" in done.err
    assert "cheng_2020" in done.err
