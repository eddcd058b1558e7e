# SPDX-License-Identifier: Apache-2.0
"""`sirolens trial`: a recipe to pages, JSON and a folder; shipped recipes shown; bad ones refused with their line.

The mechanism itself is run here, on few patients.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from sirolens.study.trial.recipe import recipes, text_of
from tests.cli.command import ROOT, Done, sirolens

SCHEMA = ROOT / "docs" / "schema" / "trial.schema.json"
CODE = re.compile(r"trial\.[a-z]")  # a message without words shows its code
SMALL = (
    ("patients = 20", "patients = 12"),
    ("replicates = 200", "replicates = 2"),
    ("days = 365", "days = 110"),
    ("98, 126, 154, 175, 189, 238, 294, 351, 365]", "98]"),
    (", 126, 175, 238, 294]", "]"),
    ("landmarks_d = [28, 91, 182, 365]", "landmarks_d = [28, 91]"),
    ("days = [84, 175]", "days = [84]"),
)


def small_text() -> str:
    text = text_of("paper-a")
    for old, new in SMALL:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def design(tmp_path: Path) -> Path:
    path = tmp_path / "design.toml"
    path.write_text(small_text(), encoding="utf-8")
    return path


@cache
def _as_json(folder: Path, language: str) -> Done:
    path = folder / "design.toml"
    path.write_text(small_text(), encoding="utf-8")
    return sirolens("trial", path, "--json", "--language", language)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trial")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_json_is_as_its_schema_says(language: str, folder: Path) -> None:
    done = _as_json(folder, language)
    assert done.code == 0, done.err
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    told = json.loads(done.out)
    jsonschema.validate(told, schema)
    assert told["failed"] == 0
    assert told["entered"] == 2 * 2 * 12  # two trials of twelve, and as many without drug


def test_the_two_languages_have_the_same_numbers(folder: Path) -> None:
    def numbers(value: object) -> object:
        if isinstance(value, dict):
            words = ("text", "caption", "head", "notes", "unit")
            return [numbers(one) for key, one in sorted(value.items()) if key not in words]
        if isinstance(value, list):
            return [numbers(one) for one in value]
        return value if isinstance(value, int | float) else None

    english, chinese = (json.loads(_as_json(folder, language).out)["tables"] for language in ("en", "zh"))
    assert numbers(english) == numbers(chinese)


def test_a_report_is_framed_as_research_and_a_folder_is_gone_on_with(design: Path, tmp_path: Path) -> None:
    page, out = tmp_path / "report.html", tmp_path / "results.zarr"
    done = sirolens("trial", design, "-o", page, "--out", out, "--language", "en")
    assert done.code == 0, done.err
    text = page.read_text(encoding="utf-8")
    assert "Research: not for dosing" in text
    assert text.count("<figure") == 2
    assert "calibrated, not validated" in text
    assert (out / ".zgroup").exists()
    refused = sirolens("trial", design, "--out", out, "--language", "en")
    assert refused.code == 2
    assert "--resume" in refused.err
    again, other = tmp_path / "again.html", tmp_path / "other.docx"
    done = sirolens("trial", design, "-o", again, "-o", other, "--out", out, "--resume", "--language", "en")
    assert done.code == 0, done.err
    assert again.read_text(encoding="utf-8") == text
    assert other.stat().st_size > 0


def test_without_a_file_the_report_is_shown_in_chinese(design: Path) -> None:
    done = sirolens("trial", design, "--language", "zh")
    assert done.code == 0, done.err
    assert "虚拟试验" in done.out
    assert not CODE.search(done.out)


def test_shipped_recipes_are_listed_shown_and_printed(tmp_path: Path) -> None:
    listed = sirolens("trial", "list", "--language", "en")
    assert listed.code == 0
    assert all(name in listed.out for name in recipes())
    for language in ("en", "zh"):
        for name in recipes():
            shown = sirolens("trial", "show", name, "--language", language)
            assert shown.code == 0, shown.err
            assert not CODE.search(shown.out)
            assert "mao_2024" in shown.out
    text = sirolens("trial", "show", "paper-a", "--toml").out
    mine = tmp_path / "mine.toml"
    mine.write_text(text, encoding="utf-8")
    checked = sirolens("trial", "check", mine, "--language", "en")
    assert checked.code == 0, checked.err
    assert str(mine) in checked.out


def test_a_bad_recipe_is_refused_with_file_line_key_value_and_what_was_expected(design: Path, tmp_path: Path) -> None:
    text = design.read_text(encoding="utf-8").replace("patients = 12", "patients = 0")
    design.write_text(text, encoding="utf-8")
    line = text[: text.index("patients = 0")].count("\n") + 1
    report = tmp_path / "report.html"
    for arguments in (("trial", design, "-o", report), ("trial", "check", design)):
        done = sirolens(*arguments, "--language", "en")
        assert done.code == 2
        assert f"design.toml, line {line}, field patients: " in done.err
        assert ">= 1" in done.err
    assert not report.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("paper-b",), "paper-a"),
        (("nowhere.toml",), "nowhere.toml"),
        (("paper-a", "-o", "report.txt"), ".html"),
        (("paper-a", "-o", "nowhere/report.html"), "nowhere"),
        (("paper-a", "--resume"), "--resume"),
        (("paper-a", "--out", "nowhere/results.zarr"), "nowhere"),
        (("paper-a", "--out", "missing.zarr", "--resume"), "missing.zarr"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_simulated(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = sirolens("trial", *arguments, "--language", "en")
    assert done.code == 2
    assert said in done.err
    assert not list(tmp_path.iterdir())
