# SPDX-License-Identifier: Apache-2.0
"""The commands on forms: checked and taken in, compared, written for robvis; run as a user runs them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import ROOT, sirolens

SHIPPED = ROOT / "examples" / "review-sirolimus-itp"


@pytest.fixture
def review(tmp_path: Path) -> Path:
    folder = tmp_path / "review"
    shutil.copytree(SHIPPED, folder)
    return folder


def test_the_shipped_review_shows_its_studies(review: Path) -> None:
    done = sirolens("review", "forms", "--review", review)
    assert done.code == 0, done.err
    assert "26 studies in 28 reports" in done.out
    assert "Li 2013" in done.out


def test_a_changed_form_is_told_and_taken_in(review: Path) -> None:
    form = review / "studies" / "feng-2020.toml"
    form.write_text(form.read_text(encoding="utf-8") + "\n# looked at again\n", encoding="utf-8")
    codes = [one["code"] for one in _json("review", "forms", "--review", review, "--json")["messages"]]
    assert "extraction.form-changed" in codes
    again = _json("review", "forms", "--review", review, "--take-in", "--by", "authors", "--json")
    assert "extraction.form-changed" not in [one["code"] for one in again["messages"]]


def _json(*arguments: str | Path) -> dict[str, list[dict[str, str]]]:
    done = sirolens(*arguments)
    assert done.code == 0, done.err
    told: dict[str, list[dict[str, str]]] = json.loads(done.out)
    return told


def test_two_forms_are_compared_field_by_field(review: Path) -> None:
    first = review / "studies" / "feng-2020.toml"
    second = review / "second.toml"
    text = first.read_text(encoding="utf-8").replace("k = 34, n = 86", "k = 35, n = 86")
    second.write_text(text, encoding="utf-8")
    done = sirolens("review", "compare-forms", first, second)
    assert done.code == 0, done.err
    assert "outcome[sirolimus/CR/3m].k: 34 | 35" in done.out


def test_a_form_that_is_no_toml_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "a.toml"
    broken.write_bytes(b"\xff")
    done = sirolens("review", "compare-forms", broken, broken)
    assert done.code != 0
    assert "a.toml" in done.err


def test_appraisals_go_out_to_robvis_and_back(review: Path) -> None:
    done = sirolens("review", "robvis", "rob-2", "--review", review)
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == "Study,D1,D2,D3,D4,D5,Overall"
    table = review / "rob.csv"
    table.write_text(done.out, encoding="utf-8")
    back = sirolens("review", "robvis", "rob-2", "--read", table)
    assert back.code == 0
    assert back.out == done.out  # two results of one study are two rows


def test_an_unknown_tool_lists_those_there_are(review: Path) -> None:
    done = sirolens("review", "robvis", "nos", "--review", review)
    assert done.code != 0
    assert "robins-i" in done.err


def test_the_summary_of_findings_is_shown(review: Path) -> None:
    done = sirolens("review", "certainty", "--review", review)
    assert done.code == 0, done.err
    assert "85/106" in done.out
    assert "Very low" in done.out


def test_a_new_form_is_written_once(review: Path) -> None:
    first = sirolens("review", "forms", "--review", review, "--new", "invented-2021", "--by", "authors")
    assert first.code == 0, first.err
    assert (review / "studies" / "invented-2021.toml").is_file()
    again = sirolens("review", "forms", "--review", review, "--new", "invented-2021", "--by", "authors")
    assert again.code != 0
