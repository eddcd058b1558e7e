# SPDX-License-Identifier: Apache-2.0
"""`sirolens study`: the example cohort to pages, tables, JSON and a lock, all or nothing."""

from __future__ import annotations

import csv
import json
import shutil
from functools import cache
from io import StringIO
from pathlib import Path

import jsonschema
import openpyxl
import pytest

from tests.cli.command import ROOT, Done, sirolens

EXAMPLE = ROOT / "examples" / "cohorts" / "two_starting_doses"
SETTINGS = ROOT / "examples" / "cohorts" / "two_starting_doses.analysis.toml"
SCHEMA = ROOT / "docs" / "schema" / "study.schema.json"


@cache
def _as_json(language: str) -> Done:
    return sirolens("study", EXAMPLE, "--json", "--settings", SETTINGS, "--language", language)


def _told(language: str = "en") -> dict[str, object]:
    done = _as_json(language)
    assert done.code == 0, done.err
    found: dict[str, object] = json.loads(done.out)
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_json_is_as_its_schema_says(language: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(_told(language), schema)


def test_the_two_languages_have_the_same_numbers() -> None:
    def numbers(value: object) -> object:
        if isinstance(value, dict):
            return [
                numbers(one) for key, one in sorted(value.items()) if key not in ("text", "caption", "head", "notes")
            ]
        if isinstance(value, list):
            return [numbers(one) for one in value]
        return value if isinstance(value, int | float) else None

    english, chinese = (_told(language)["tables"] for language in ("en", "zh"))
    assert numbers(english) == numbers(chinese)


def test_the_report_is_written_with_its_tables_and_says_that_nobody_of_it_exists(tmp_path: Path) -> None:
    page, tables = tmp_path / "report.html", tmp_path / "tables"
    done = sirolens("study", EXAMPLE, "-o", page, "--tables", tables, "--settings", SETTINGS, "--language", "en")
    assert done.code == 0, done.err
    text = page.read_text(encoding="utf-8")
    assert "These patients do not exist" in text
    assert text.count("<figure") > 8
    told = _told()["tables"]
    assert isinstance(told, dict)
    assert {path.stem for path in tables.iterdir()} == set(told)
    rows = list(csv.reader(StringIO((tables / "response.csv").read_text(encoding="utf-8-sig"))))
    assert len(rows) == len(told["response"]["rows"]) + 1


def test_a_workbook_has_a_sheet_for_each_table(tmp_path: Path) -> None:
    book = tmp_path / "tables.xlsx"
    assert sirolens("study", EXAMPLE, "--tables", book, "--settings", SETTINGS).code == 0
    told = _told()["tables"]
    assert isinstance(told, dict)
    assert set(openpyxl.load_workbook(book, read_only=True).sheetnames) == set(told)


def test_a_lock_is_written_verified_in_the_other_language_and_names_a_changed_file(tmp_path: Path) -> None:
    copy, lock = tmp_path / "cohort", tmp_path / "study.lock.json"
    shutil.copytree(EXAMPLE, copy)
    assert sirolens("study", copy, "--lock", lock, "--tables", tmp_path / "a.xlsx", "--language", "en").code == 0
    same = sirolens("study", copy, "--lock", lock, "--tables", tmp_path / "b.xlsx", "--language", "zh")
    assert same.code == 0, same.err
    counts = copy / "platelet_counts.csv"
    counts.write_text(counts.read_text(encoding="utf-8").replace(",4,10^9/L", ",5,10^9/L", 1), encoding="utf-8")
    changed = sirolens("study", copy, "--lock", lock, "--tables", tmp_path / "c.xlsx", "--language", "en")
    assert changed.code == 1
    assert "platelet_counts.csv" in changed.err


def test_the_template_is_written_and_not_over_anything(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert sirolens("study", "template", folder, "--language", "zh").code == 0
    assert (folder / "study.toml").exists()
    assert sirolens("study", "template", folder).code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "report.txt"), ".html"),
        (("--tables", "tables.ods"), ".xlsx"),
        (("--criteria", "iwg-2010"), "iwg-2009"),
        (("--settings", "nowhere.toml"), "nowhere.toml"),
        (("--at", "31/03/2026"), "--at"),
        (("-o", "nowhere/report.html"), "nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    arguments: tuple[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = sirolens("study", EXAMPLE, *arguments, "--language", "en")
    assert done.code == 2
    assert said in done.err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    done = sirolens("study", tmp_path / "nothing", "--language", "en")
    assert done.code == 2
    assert "nothing" in done.err


def test_what_was_known_earlier_leaves_later_landmarks_undue() -> None:
    done = sirolens("study", EXAMPLE, "--json", "--at", "2025-03-31", "--language", "en")
    assert done.code == 0, done.err
    rows = json.loads(done.out)["tables"]["response-states"]["rows"]
    (late,) = [row for row in rows if row[0] == 365 and isinstance(row[1], dict)]
    assert late[3] == 22  # nobody is due at day 365 by then
