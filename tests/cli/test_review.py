# SPDX-License-Identifier: Apache-2.0
"""`sirolens review` as two people use it, from an empty folder to an update; all records are invented."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sirolens.cli.review_import import take_in
from sirolens.errors import InputError
from sirolens.evidence.importing import import_file
from sirolens.evidence.review.folder import open_review
from sirolens.evidence.review.search_log import Entry
from tests.cli.command import ROOT, Done, sirolens

PUBMED = """PMID- 99000001
TI  - Sirolimus in invented immune thrombocytopenia: a made-up trial.
FAU - Zhang, Wei
DP  - 2021 Jan
TA  - Fake Blood J
VI  - 3
PG  - 11-19
LID - 10.99999/fake.1 [doi]

PMID- 99000002
TI  - Another invented paper on platelets.
FAU - Doe, Jane
DP  - 2022
TA  - Fake Blood J
"""
RIS = """TY  - JOUR
TI  - Sirolimus in invented immune thrombocytopenia: a made-up trial
AU  - Zhang, W.
PY  - 2021
DO  - 10.99999/fake.1
JO  - Fake Blood Journal
ER  -
"""
CNKI = """{Reference Type}: Journal Article
{Title}: 西罗莫司虚构研究
{Author}: 张伟;王芳;
{Journal}: 虚构血液学杂志
{Year}: 2023
{Issue}: 03
{Pages}: 201-206
{Database Provider}: CNKI
"""
FORM = """
id = "zhang-2021"
name = "Zhang 2021 (invented)"
design = "single-arm"
by = "wei"
[[report]]
id = "paper"
kind = "journal-article"
doi = "10.99999/FAKE.1"
[patients]
population = "primary-itp"
[[arm]]
id = "sirolimus"
name = "sirolimus"
[[outcome]]
outcome = "OR"
time = "3m"
arm = "sirolimus"
k = 12
n = 20
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty review of two, with three export files beside it."""
    for name, text in (("pm.txt", PUBMED), ("wos.ris", RIS), ("zh.net", CNKI)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert sirolens("review", "init", tmp_path / "rev", "--by", "wei").code == 0
    monkeypatch.chdir(tmp_path / "rev")
    monkeypatch.setenv("SIROLENS_REVIEWER", "wei")
    path = Path("protocol.toml")
    text = path.read_text(encoding="utf-8").replace("[screening]", '[[team]]\nname = "li"\n\n[screening]')
    text = text.replace('strategy = """\n"""', 'strategy = "sirolimus AND invented"')
    path.write_text(text.replace('= ""\n', '= "invented"\n').replace('[""]', '["invented"]'), encoding="utf-8")
    return tmp_path


def _json(*words: str | Path) -> Any:
    done = sirolens("review", *words, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def _fill(desk: Path) -> None:
    done = sirolens("review", "import", desk / "pm.txt", desk / "zh.net", "--run-on", "2026-01-31")
    assert done.code == 0, done.err
    assert sirolens("review", "import", desk / "wos.ris", "--from", "wos", "--run-on", "today", "--hits", "1").code == 0
    assert sirolens("review", "dedup").code == 0


def _decide(record: str, decision: str, *more: str) -> None:
    for by in ("wei", "li"):
        done = sirolens("review", "decide", record, decision, "--by", by, *more)
        assert done.code == 0, done.err


def test_a_newcomer_goes_from_an_empty_folder_to_included_studies(desk: Path) -> None:
    assert "review lock" in sirolens("review", "status").out
    assert "locked on" in sirolens("review", "lock", "--on", "2026-01-30").out
    _fill(desk)
    told = _json("status")
    assert (told["searches"], told["records"], told["publications"]) == (3, 4, 3)
    assert (told["boxes"]["duplicate"], told["boxes"]["title-pending"]) == (1, 3)
    assert (told["draft"], told["locked_on"]) == (True, "2026-01-30")
    _decide("pmid:99000001", "include")
    _decide("99000002", "exclude")
    third = next(row["record"] for row in _json("decide") if "虚构" in row["title"]) if _json("decide") else ""
    assert third
    _decide(third[:12], "exclude")
    assert _json("status")["boxes"]["title-pending"] == 3  # sealed until both have finished
    for by in ("wei", "li"):
        assert sirolens("review", "unseal", "--by", by).code == 0
    assert _json("status")["boxes"]["title-excluded"] == 2
    assert sirolens("review", "fulltext", "10.99999/fake.1", "--retrieved").code == 0
    _decide("10.99999/fake.1", "include", "--stage", "fulltext")
    for by in ("wei", "li"):
        assert sirolens("review", "unseal", "--stage", "fulltext", "--by", by).code == 0
    done = _json("status")
    assert (done["boxes"]["included"], done["draft"]) == (1, False)
    form = Path("studies/zhang-2021.toml")
    form.parent.mkdir()
    form.write_text(FORM, encoding="utf-8")
    told = sirolens("review", "forms", "--take-in")
    record = re.findall(r'records = \["(r-[0-9a-f]+)"\]', told.err)[0]
    form.write_text(FORM.replace("doi =", f'records = ["{record}"]\ndoi ='), encoding="utf-8")
    assert sirolens("review", "forms", "--take-in").code == 0
    assert _json("status")["studies"] == ["zhang-2021"]


def test_a_retracted_study_leaves_the_answers_and_the_diff_says_so(desk: Path) -> None:
    text = Path("protocol.toml").read_text(encoding="utf-8")
    Path("protocol.toml").write_text(text.replace("[question]", "blind = false\n[question]"), encoding="utf-8")
    _fill(desk)
    for stage in ("title", "fulltext"):
        for by in ("wei", "li"):
            assert sirolens("review", "decide", "99000001", "include", "--stage", stage, "--by", by).code == 0
        sirolens("review", "fulltext", "99000001", "--retrieved")
    record = next(one["values"]["record"] for one in _json("undo") if one["kind"] == "decided")
    Path("studies").mkdir()
    linked = FORM.replace("doi =", f'records = ["{record}"]\ndoi =')
    for number, form in enumerate((linked, FORM, FORM)):
        own = form.replace("zhang-2021", f"study-{number}").replace("FAKE.1", f"fake.{number + 1}")
        Path(f"studies/study-{number}.toml").write_text(own, encoding="utf-8")
    assert "left out" not in sirolens("review", "pool").err
    assert sirolens("review", "snapshot", "v1").code == 0
    (desk / "withdrawn.txt").write_text("10.99999/fake.1\n", encoding="utf-8")
    assert sirolens("review", "update", "--retractions", desk / "withdrawn.txt").code == 0
    assert "study-0 is left out of the answers" in sirolens("review", "pool").err
    (moved,) = _json("diff", "v1")["estimates"]
    assert (moved["why"], moved["removed"]) == (["studies-removed"], ["study-0"])
    page = desk / "report.html"
    assert sirolens("review", "report", "--out", page).code == 0
    assert "left out of the answers" in page.read_text(encoding="utf-8")


def test_every_page_is_shown_in_both_languages(desk: Path) -> None:
    _fill(desk)
    assert sirolens("review", "ongoing", "Invented trial", "--registration", "NCT00000000").code == 0
    assert sirolens("review", "contact", "99000001", "--who", "J Doe", "--about", "counts").code == 0
    assert sirolens("review", "snapshot", "v1", "--version").code == 0
    pages: tuple[tuple[str, ...], ...] = (
        ("status",),
        ("search-log",),
        ("dedup", "--ask"),
        ("dedup", "--show", "99000001"),
        ("decide",),
        ("conflicts",),
        ("fulltext",),
        ("contact",),
        ("undo",),
        ("update", "--check"),
        ("ongoing",),
        ("diff",),
    )
    for words in pages:
        english, chinese = (sirolens("review", *words, "--language", one) for one in ("en", "zh"))
        assert (english.code, chinese.code) == (0, 0), (words, english.err, chinese.err)
        assert english.out != chinese.out, words
        assert "review." not in english.out.replace("`sirolens review", ""), words
        assert isinstance(_json(*words), list | dict)


def test_a_conflict_is_shown_with_who_says_what_and_settled_by_a_person(desk: Path) -> None:
    text = Path("protocol.toml").read_text(encoding="utf-8")
    Path("protocol.toml").write_text(text.replace("[question]", "blind = false\n[question]"), encoding="utf-8")
    _fill(desk)
    assert sirolens("review", "decide", "99000002", "include", "--by", "wei").code == 0
    assert sirolens("review", "decide", "99000002", "exclude", "--by", "li").code == 0
    (row,) = _json("conflicts")
    decided = _json("status")["decided"]
    assert {one["by"]: one["decision"] for one in row["decisions"]} == {"wei": "include", "li": "exclude"}
    assert sirolens("review", "resolve", "99000002", "exclude").code == 0
    assert _json("status")["decided"] == decided == {"li": {"title": 1}, "wei": {"title": 1}}
    assert _json("conflicts") == []
    assert sirolens("review", "undo", "--last").code == 0
    assert len(_json("conflicts")) == 1


def test_a_second_version_screens_only_what_is_new_and_says_what_changed(desk: Path) -> None:
    _fill(desk)
    assert sirolens("review", "decide", "99000002", "exclude", "--stage", "before").code == 0
    assert sirolens("review", "snapshot", "v1", "--version", "--on", "2026-01-31").code == 0
    (desk / "new.nbib").write_text(PUBMED + "\nPMID- 99000003\nTI  - A third invented paper.\nDP  - 2026\n")
    assert sirolens("review", "import", desk / "new.nbib", "--run-on", "2026-06-30").code == 0
    (desk / "withdrawn.txt").write_text("99000001, 2026-05-01\n")
    told = _json("update", "--retractions", desk / "withdrawn.txt")
    assert (told["boxes"]["already-known"], told["boxes"]["title-pending"]) == (1, 2)  # one carried over, one new
    changed = _json("diff", "v1")
    assert {one["after"] for one in changed["moved"]} == {"title-excluded"}
    assert changed["moved"][0]["why"][-1]["kind"] == "retracted"


def test_the_search_log_is_corrected_without_losing_what_was_written_and_exported_whole(desk: Path) -> None:
    _fill(desk)
    assert "hits" in sirolens("review", "search-log", "--correct", "wos", "--set", "hitz=3").err
    done = sirolens("review", "search-log", "--correct", "wos", "--set", "hits=3", "--set", "limits==x()")
    assert "the database showed 3 hits" in done.out
    rows = {row["name"]: row for row in _json("search-log")}
    assert (rows["wos"]["hits"], rows["wos"]["corrected"], rows["wos"]["records"]) == (3, True, 1)
    assert rows["pubmed"]["strategy"] == "sirolimus AND invented"
    assert sirolens("review", "search-log", "-o", desk / "log.csv").code == 0
    text = (desk / "log.csv").read_text(encoding="utf-8-sig")
    assert "sirolimus AND invented" in text
    assert "'=x()" in text
    empty = sirolens("review", "search-log", "--correct", "wos", "--set", "strategy= ")
    assert "no exact strategy stands in the log for wos" in " ".join(empty.out.split())


def test_many_files_are_one_search_and_a_search_outside_the_protocol_says_what_it_is(desk: Path) -> None:
    _fill(desk)
    (desk / "part2.nbib").write_text("PMID- 99000004\nTI  - A fourth invented paper.\n", encoding="utf-8")
    assert sirolens("review", "import", desk / "part2.nbib", "--search", "pubmed").code == 0
    (desk / "cited.ris").write_text(RIS.replace("made-up trial", "trial made up by hand"), encoding="utf-8")
    by_hand = ("--from", "Reference lists", "--run-on", "2026-02-02")
    assert "--strategy" in sirolens("review", "import", desk / "cited.ris", *by_hand).err
    told = (*by_hand, "--strategy", "checked by hand", "--arm", "other")
    assert "websites, organisations, citations" in sirolens("review", "import", desk / "cited.ris", *told).err
    assert sirolens("review", "import", desk / "cited.ris", *told, "--route", "citations").code == 0
    rows = _json("search-log")
    assert [(row["database"], len(row["files"]), row["arm"]) for row in rows] == [
        ("PubMed", 2, "databases"),
        ("CNKI", 1, "databases"),
        ("Web of Science Core Collection", 1, "databases"),
        ("Reference lists", 1, "other"),
    ]
    assert sum(_json("status")["boxes_by_arm"]["other"].values()) == 1
    page = desk / "report.html"
    assert sirolens("review", "report", "--out", page).code == 0
    assert "checked by hand" in page.read_text(encoding="utf-8")  # each strategy stands in the report as it was run


def test_a_version_is_closed_when_something_was_done_be_it_only_taken_back(desk: Path) -> None:
    _fill(desk)
    assert sirolens("review", "snapshot", "v1", "--version").code == 0
    assert "nothing" in _said(sirolens("review", "snapshot", "v2", "--version"))
    event = next(one["id"] for one in _json("undo") if one["values"].get("file") == "zh.net")
    assert sirolens("review", "undo", event).code == 0
    assert sirolens("review", "snapshot", "v2", "--version").code == 0


def test_a_snapshot_that_no_longer_folds_to_what_it_was_is_told(desk: Path) -> None:
    text = Path("protocol.toml").read_text(encoding="utf-8")
    Path("protocol.toml").write_text(text.replace("[question]", "blind = false\n[question]"), encoding="utf-8")
    _fill(desk)
    assert sirolens("review", "decide", "99000002", "exclude", "--by", "wei").code == 0
    assert sirolens("review", "snapshot", "v1").code == 0
    assert sirolens("review", "diff", "v1").err == ""
    text = Path("protocol.toml").read_text(encoding="utf-8")
    Path("protocol.toml").write_text(text.replace("title_reviewers = 2", "title_reviewers = 1"), encoding="utf-8")
    assert "folds to another state" in sirolens("review", "diff", "v1").err


def test_a_file_that_was_taken_back_can_be_imported_again(desk: Path) -> None:
    _fill(desk)
    before = _json("flow")
    event = next(one["id"] for one in _json("undo") if one["values"].get("file") == "pm.txt")
    again = ("review", "import", desk / "pm.txt", "--from", "pubmed", "--run-on", "2026-01-31")
    assert sirolens(*again).code == 2  # it is there
    assert sirolens("review", "undo", event).code == 0
    assert "PubMed" not in _json("flow")["main"]["databases"]
    assert sirolens(*again).code == 0
    assert _json("flow") == before


def test_a_file_that_another_program_takes_in_meanwhile_is_refused_and_leaves_no_search(desk: Path) -> None:
    path = desk / "pm.txt"
    before = open_review(Path("."))
    assert sirolens("review", "import", path, "--from", "pubmed", "--run-on", "2026-01-31").code == 0
    entry = Entry(run_on=date(2026, 1, 31), name="pubmed")
    with pytest.raises(InputError, match=r"review\.file-known"):
        take_in(before, "li", [(path, import_file(path), path.read_bytes())], entry)
    assert [(row["database"], row["records"]) for row in _json("search-log")] == [("PubMed", 2)]


def test_what_an_earlier_review_had_included_is_named_and_known(desk: Path) -> None:
    _fill(desk)
    told = ("review", "previous", "Invented 2015", "--studies", "1", "--record", "99000001", "--record", "99000002")
    refused = sirolens(*told, "--reports", "1")
    assert refused.code == 2
    assert "2 records are named" in refused.err
    assert sirolens(*told, "--reports", "2").code == 0
    flow = _json("flow")
    assert (flow["main"]["known"], flow["main"]["screened"], flow["total"]["reports"]) == (3, 1, 2)
    assert len(_json("decide")) == 1


def test_records_go_out_and_come_back(desk: Path) -> None:
    _fill(desk)
    assert _json("export", desk / "out.ris")["records"] == 3
    assert _json("export", desk / "all.ris", "--copies")["records"] == 4
    assert sirolens("review", "export", desk / "x.ris", "--box", "includd").code == 2
    assert "no record" in sirolens("review", "export", desk / "y.ris", "--box", "included").err


@pytest.mark.parametrize(
    "words",
    [("export",), ("search-log", "--out"), ("flow", "--out"), ("report", "--out"), ("pool", "--out")],
    ids=lambda words: words[0],
)
def test_a_result_replaces_the_file_of_its_name_but_nothing_the_review_keeps(
    desk: Path, words: tuple[str, ...]
) -> None:
    _fill(desk)
    name = "out.html" if words[0] in ("report", "pool") else "out.csv"
    for folder in ("imports", "studies"):
        kept = Path(folder) / name
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("kept", encoding="utf-8")
        refused = sirolens("review", *words, kept)
        assert refused.code == 2
        assert "the review keeps" in refused.err
        assert kept.read_text(encoding="utf-8") == "kept"
    place = desk / name
    place.write_text("older", encoding="utf-8")
    done = sirolens("review", *words, place)
    assert done.code == 0, done.err
    assert place.read_text(encoding="utf-8-sig") != "older"


def _said(done: Done) -> str:
    assert done.code == 2
    assert "Traceback" not in done.err
    return done.err


def test_what_cannot_be_done_is_said_with_what_to_do(desk: Path) -> None:
    assert "--run-on" in _said(sirolens("review", "import", desk / "pm.txt"))
    assert "--from" in _said(sirolens("review", "import", desk / "wos.ris", "--run-on", "today"))
    assert "known: pubmed, wos, cnki" in _said(
        sirolens("review", "import", desk / "wos.ris", "--run-on", "today", "--from", "embase")
    )
    assert "YYYY-MM-DD" in _said(sirolens("review", "import", desk / "pm.txt", "--run-on", "yesterday"))
    assert "no such file" in _said(sirolens("review", "import", desk / "none.txt", "--run-on", "today")).lower()
    _fill(desk)
    again = _said(sirolens("review", "import", desk / "pm.txt", "--run-on", "today"))
    assert "in the review already" in again
    assert _json("status")["searches"] == 3  # what was refused left no entry in the log
    assert "(wei, li)" in _said(sirolens("review", "decide", "99000002", "include", "--by", "wie"))
    assert "r-..." in _said(sirolens("review", "decide", "99000009", "include"))
    assert "one of: include, exclude, maybe" in _said(sirolens("review", "decide", "99000002", "includ"))
    assert "needs a reason" in _said(sirolens("review", "decide", "99000002", "exclude", "--stage", "fulltext"))
    assert "review init" in _said(sirolens("review", "status", "--review", desk))
    assert "not empty" in _said(sirolens("review", "init", desk / "rev", "--by", "li"))
    assert "NAME" in _said(sirolens("review", "diff"))


def test_a_damaged_protocol_does_not_stop_the_work_and_is_named_with_its_line(desk: Path) -> None:
    _fill(desk)
    text = Path("protocol.toml").read_text(encoding="utf-8")
    Path("protocol.toml").write_text(text.replace("[screening]", "[screening"), encoding="utf-8")
    done = sirolens("review", "status")
    assert done.code == 0
    assert "protocol.toml, line" in done.err or "protocol.toml:" in done.err


def test_a_change_of_the_locked_protocol_is_told_until_its_reason_is_given(desk: Path) -> None:
    assert sirolens("review", "lock").code == 0
    path = Path("protocol.toml")
    text = path.read_text(encoding="utf-8").replace("other population", "another population")
    path.write_text(text, encoding="utf-8")
    assert "reasons[population].text" in sirolens("review", "status").err
    assert "--why" in _said(sirolens("review", "lock"))
    assert sirolens("review", "lock", "--why", "clearer").code == 0
    told = sirolens("review", "status", "--json")
    assert (json.loads(told.out)["deviations"], told.err) == (1, "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_group_has_help_in_both_languages(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIROLENS_LANGUAGE", language)
    done = sirolens("review", "--help")
    assert ("文献综述" in done.out) == (language == "zh")
    for command in ("init", "lock", "import", "dedup", "status", "decide", "snapshot", "diff", "update", "export"):
        assert command in done.out


def test_a_snapshot_keeps_the_estimates_of_the_forms_and_the_diff_says_why_one_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shipped"
    shutil.copytree(ROOT / "examples" / "review-sirolimus-itp", folder)
    monkeypatch.setenv("SIROLENS_REVIEW", str(folder))
    monkeypatch.setenv("SIROLENS_REVIEWER", "authors")
    assert "single-arm-OR-3m-primary-itp" in _json("snapshot", "before")["estimates"]
    assert _json("diff")["estimates"] == []
    (folder / "studies" / "feng-2020.toml").unlink()
    moved = {one["name"]: one for one in _json("diff")["estimates"]}
    one = moved["single-arm-OR-3m-primary-itp"]
    assert (one["after"], one["why"]) == (None, ["gone"])  # one study alone is not pooled
