# SPDX-License-Identifier: Apache-2.0
"""`sirolens study check` and `sirolens study reproduce`: what they print, write and refuse, in both languages."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from sirolens.cli.study_check import add_to
from sirolens.errors import SirolensError
from sirolens.report.words import say
from tests.cli.command import ROOT, Done

STUDIES = ROOT / "examples" / "studies"
FENG = STUDIES / "feng_2020.toml"
LANGUAGES = ("en", "zh")


def sirolens(*arguments: str | Path) -> Done:
    """Run the two commands inside a group of their own, as `sirolens study` mounts them."""
    language = "zh" if "zh" in arguments else "en"
    group, study = typer.Typer(), typer.Typer()
    add_to(study, language)
    group.add_typer(study, name="study")
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            get_command(group).main(list(map(str, arguments)), standalone_mode=False)
        except SirolensError as failure:
            code = 2
            for message in failure.messages:
                typer.echo(say(message, language), err=True)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_paper_is_checked_with_its_findings_and_source(language: str) -> None:
    done = sirolens("study", "check", FENG, "--language", language)
    assert (done.code, done.err) == (0, "")
    for shown in ("10.3389/fmed.2020.00110", "70.51", "86", "78"):
        assert shown in done.out
    assert ("sum of the rounded" in done.out) == (language == "en")
    assert ("已舍入" in done.out) == (language == "zh")


def test_the_json_names_printed_computed_and_what_would_fit() -> None:
    told = json.loads(sirolens("study", "check", FENG, "--json").out)
    assert told["tally"] == {"impossible": 0, "inconsistent": 0, "explained": 1, "note": 2, "passed": 5}
    assert {"printed", "computed", "would_fit", "code", "severity", "line", "text"} <= set(told["findings"][0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_faulty_file_gives_one_line_per_fault_and_code_2(language: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = FENG.read_text(encoding="utf-8").replace('percent = "85"', "percent = 85").replace("of = 86", "off = 86", 1)
    path.write_text(text, encoding="utf-8")
    done = sirolens("study", "check", path, "--language", language)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) == 2
    assert all(str(path) in line for line in lines)


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    assert sirolens("study", "check", tmp_path / "none.toml").code == 2
    other = tmp_path / "book.toml"
    other.write_bytes(b"PK\x03\x04rest")
    done = sirolens("study", "check", other)
    assert (done.code, done.out) == (2, "")
    assert "Excel" in done.err


def test_pages_are_written_whole_and_another_ending_is_refused(tmp_path: Path) -> None:
    out = [tmp_path / f"page{ending}" for ending in (".html", ".docx")]
    done = sirolens("study", "check", FENG, "-o", out[0], "-o", out[1])
    assert done.code == 0
    assert all(path.stat().st_size > 1000 for path in out)
    assert sirolens("study", "check", FENG, "-o", tmp_path / "page.txt").code == 2
    assert sirolens("study", "check", FENG, "-o", FENG.parent / "nowhere" / "page.html").code == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_a_is_reproduced_and_watermarked(language: str, tmp_path: Path) -> None:
    folder = tmp_path / "cohort"
    done = sirolens("study", "reproduce", "paper-a", "--cohort", folder, "--language", language)
    assert done.code == 0
    assert ("INVENTED" in done.out) == (language == "en")
    assert ("虚构患者" in done.out) == (language == "zh")
    assert "12/20" in done.out
    for path in folder.iterdir():
        assert "INVENTED" in path.read_text(encoding="utf-8"), path
    again = sirolens("study", "reproduce", "paper-a", "--cohort", folder, "--language", language)
    assert again.code == 2


def test_an_unknown_paper_is_refused_with_those_known() -> None:
    done = sirolens("study", "reproduce", "paper-z")
    assert (done.code, done.out) == (2, "")
    assert "paper-a" in done.err
