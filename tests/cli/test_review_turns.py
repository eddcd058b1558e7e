# SPDX-License-Identifier: Apache-2.0
"""What a newcomer does out of turn in a review is refused with what to do instead; all records are invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import sirolens

NBIB = """PMID- 99000001
TI  - Invented trial of sirolimus.
LID - 10.99999/inv.1 [doi]
FAU - Zhang, Wei
DP  - 2021

PMID- 99000002
TI  - Another invented cohort.
LID - 10.99999/inv.2 [doi]
FAU - Li, Na
DP  - 2022
"""
FIRST, SECOND = "99000001", "99000002"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A review of two people, blinded, with two records."""
    assert sirolens("review", "init", tmp_path / "rev", "--by", "wei").code == 0
    path = tmp_path / "rev" / "protocol.toml"
    text = path.read_text(encoding="utf-8").replace('strategy = """\n"""', 'strategy = "x"')
    path.write_text(text.replace("[screening]", '[[team]]\nname = "li"\n\n[screening]'), encoding="utf-8")
    monkeypatch.setenv("SIROLENS_REVIEW", str(tmp_path / "rev"))
    monkeypatch.setenv("SIROLENS_REVIEWER", "wei")
    (tmp_path / "a.nbib").write_text(NBIB, encoding="utf-8")
    done = sirolens("review", "import", tmp_path / "a.nbib", "--run-on", "today")
    assert done.code == 0, done.err
    return tmp_path


def _decide(record: str, decision: str, by: str) -> None:
    done = sirolens("review", "decide", record, decision, "--by", by)
    assert done.code == 0, done.err


def _boxes() -> dict[str, int]:
    return {k: v for k, v in json.loads(sirolens("review", "status", "--json").out)["boxes"].items() if v}


def _everybody_decides() -> None:
    for by, second in (("wei", "include"), ("li", "exclude")):
        _decide(FIRST, "include", by)
        _decide(SECOND, second, by)


def test_titles_that_only_wait_to_be_opened_are_not_called_to_be_screened(desk: Path) -> None:
    _everybody_decides()
    told = sirolens("review", "status").out
    assert "unseal --stage title" in " ".join(told.split())
    assert "to be screened" not in told


def test_an_opened_decision_is_not_made_again_in_secret(desk: Path) -> None:
    _everybody_decides()
    for by in ("wei", "li"):
        assert sirolens("review", "unseal", "--by", by).code == 0
    before = _boxes()
    again = sirolens("review", "decide", SECOND, "include", "--by", "li")
    assert (again.code, "resolve" in again.err) == (2, True)
    assert sirolens("review", "resolve", SECOND, "exclude").code == 0
    assert sirolens("review", "decide", SECOND, "include", "--by", "li").code == 2
    assert (before["title-conflict"], _boxes()["title-excluded"]) == (1, 1)


def test_sealed_decisions_may_be_made_again_until_they_are_opened(desk: Path) -> None:
    _decide(FIRST, "exclude", "wei")
    _everybody_decides()
    for by in ("wei", "li"):
        assert sirolens("review", "unseal", "--by", by).code == 0
    assert _boxes() == {"retrieval-pending": 1, "title-conflict": 1}


@pytest.mark.parametrize(
    "command", [("decide", FIRST, "include", "--stage", "fulltext"), ("fulltext", FIRST, "--retrieved")]
)
def test_a_full_text_waits_for_its_title(desk: Path, command: tuple[str, ...]) -> None:
    done = sirolens("review", *command)
    assert (done.code, "has not come to the full text" in done.err) == (2, True)


def test_an_event_is_taken_back_by_the_part_of_its_number_that_a_table_shows(desk: Path) -> None:
    told = json.loads(sirolens("review", "decide", FIRST, "include", "--json").out)["event"]
    assert sirolens("review", "undo", told[:5]).code == 2
    assert sirolens("review", "undo", told[:21]).code == 0
    assert sirolens("review", "undo", told).code == 2  # taken back already


def test_who_has_done_nothing_has_nothing_to_take_back(desk: Path) -> None:
    done = sirolens("review", "undo", "--last", "--by", "li")
    assert (done.code, "li has done nothing" in done.err) == (2, True)


def test_a_day_that_has_not_come_is_no_day_of_a_search(desk: Path) -> None:
    done = sirolens("review", "import", desk / "a.nbib", "--run-on", "2999-01-01")
    assert (done.code, "has not come yet" in done.err) == (2, True)


def test_a_change_of_the_protocol_is_not_complained_of_while_it_is_written_down(desk: Path) -> None:
    path = desk / "rev" / "protocol.toml"
    text = path.read_text(encoding="utf-8")
    for empty in ("title", "population", "intervention", "outcomes", "designs", "text"):
        text = text.replace(f'\n{empty} = ""', f'\n{empty} = "invented"')
    path.write_text(text.replace('include = [""]', 'include = ["invented"]'), encoding="utf-8")
    done = sirolens("review", "lock")
    assert done.code == 0, done.err
    path.write_text(path.read_text(encoding="utf-8").replace('"none (', '"some ('), encoding="utf-8")
    assert "was changed after it was locked" in sirolens("review", "status").err
    assert sirolens("review", "lock", "--why", "invented").err == ""


def test_the_screen_is_told_its_folder_as_every_command_is(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIROLENS_REVIEW")
    for told in (("--review", desk / "rev"), (desk / "rev",)):
        assert "terminal" in sirolens("review", "screen", *told).err


def test_a_version_in_which_nothing_was_done_is_not_closed(desk: Path) -> None:
    assert sirolens("review", "snapshot", "v1", "--version").code == 0
    again = sirolens("review", "snapshot", "v2", "--version")
    assert (again.code, "closed by v1" in again.err) == (2, True)
    assert sirolens("review", "snapshot", "draft").code == 0  # a name for the same state is no new version
    _decide(FIRST, "include", "wei")
    assert sirolens("review", "snapshot", "v2", "--version").code == 0


def test_who_looks_for_conflicts_is_told_of_decisions_that_are_sealed(desk: Path) -> None:
    _everybody_decides()
    assert "2 publications are sealed" in sirolens("review", "conflicts").err


def test_another_number_of_hits_than_records_is_told_when_the_files_come_in(desk: Path) -> None:
    (desk / "one.nbib").write_text(NBIB.replace("9900000", "9900001"), encoding="utf-8")
    (desk / "two.nbib").write_text(NBIB.replace("9900000", "9900002"), encoding="utf-8")
    first = sirolens("review", "import", desk / "one.nbib", "--run-on", "today", "--hits", "4", "--json")
    assert "shows 4" in first.err or "told 4" in first.err or "4 hits" in first.err, first.err
    (search,) = json.loads(first.out)["searches"]
    rest = sirolens("review", "import", desk / "two.nbib", "--search", search)
    assert (rest.code, rest.err) == (0, "")


def test_a_search_by_other_methods_asks_for_its_route(desk: Path) -> None:
    told = ("--from", "letters", "--arm", "other", "--strategy", "invented", "--run-on", "today")
    (desk / "b.nbib").write_text(NBIB.replace("9900000", "9900001"), encoding="utf-8")
    done = sirolens("review", "import", desk / "b.nbib", *told)
    assert (done.code, "--route" in done.err, "citations" in done.err) == (2, True, True)


@pytest.mark.parametrize("command", [("pool",), ("certainty",), ("snapshot", "v1")])
def test_a_study_whose_form_has_a_fault_does_not_leave_a_pool_in_silence(desk: Path, command: tuple[str, ...]) -> None:
    (desk / "rev" / "studies").mkdir()
    (desk / "rev" / "studies" / "invented.toml").write_text('id = "invented"\n', encoding="utf-8")
    told = sirolens("review", *command).err
    assert "'design' is missing" in told
    assert "1 file is left out" in told


def test_the_heading_of_a_table_is_not_told_as_a_part_that_was_not_read(desk: Path) -> None:
    (desk / "t.csv").write_text("Title,Authors,Year\nInvented,Zhang Wei,2020\n", encoding="utf-8")
    done = sirolens("review", "import", desk / "t.csv", "--from", "wos", "--run-on", "today")
    assert (done.code, "1 record (csv)" in done.out, "0 parts not read" in done.out) == (0, True, True)


def test_a_person_may_decide_otherwise_about_what_was_retracted(desk: Path) -> None:
    _everybody_decides()
    for by in ("wei", "li"):
        assert sirolens("review", "unseal", "--by", by).code == 0
    (desk / "list.txt").write_text(f"{FIRST}\n", encoding="utf-8")
    assert sirolens("review", "update", "--retractions", desk / "list.txt").code == 0
    assert _boxes() == {"fulltext-excluded": 1, "title-conflict": 1}
    done = sirolens("review", "resolve", FIRST, "include", "--stage", "fulltext", "--note", "kept with a remark")
    assert done.code == 0, done.err
    assert _boxes() == {"included": 1, "title-conflict": 1}


def test_taking_a_form_in_says_which_record_is_its_report(desk: Path) -> None:
    assert sirolens("review", "forms", "--new", "invented").code == 0
    form = desk / "rev" / "studies" / "invented.toml"
    text = form.read_text(encoding="utf-8").replace('doi = ""', 'doi = "10.99999/inv.1"')
    form.write_text(text, encoding="utf-8")
    told = sirolens("review", "forms", "--take-in")
    assert (told.code, 'records = ["r-' in told.err) == (0, True)
