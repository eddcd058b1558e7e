# SPDX-License-Identifier: Apache-2.0
"""`sirolens review search` and `update --ask-pubmed` against local stand-ins: one command, one log entry, one file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from sirolens.evidence.search import pubmed, wos_api
from tests.cli.command import sirolens
from tests.evidence.fake_eutils import Eutils, FakeTime, running
from tests.evidence.fake_wos import WosService

HITS = 7


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Eutils]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    entries = [(str(99_000_000 + number), date(2026, 1, 1)) for number in range(HITS)]
    with running(Eutils(time=FakeTime(), entries=entries)) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Eutils) -> Path:
    monkeypatch.setattr(
        pubmed,
        "PubMed",
        partial(pubmed.PubMed, address=service.address, clock=service.time.clock, sleep=service.time.sleep),
    )
    assert sirolens("review", "init", tmp_path / "rev", "--by", "wei").code == 0
    path = tmp_path / "rev" / "protocol.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('strategy = """\n"""', 'strategy = "sirolimus invented"', 1), encoding="utf-8")
    monkeypatch.setenv("NCBI_EMAIL", "tests@example.invalid")
    monkeypatch.setenv("SIROLENS_REVIEW", str(tmp_path / "rev"))
    return tmp_path / "rev"


def test_a_search_is_logged_with_its_exact_string_and_its_records_are_kept(folder: Path) -> None:
    done = sirolens("review", "search", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["hits"], told["records"]) == (HITS, HITS)
    (row,) = json.loads(sirolens("review", "search-log", "--json").out)
    assert (row["strategy"], row["hits"], row["records"]) == ("sirolimus invented", HITS, HITS)
    assert row["translation"]
    assert list((folder / "private").iterdir()) == []


def test_a_large_result_is_kept_as_several_files_of_one_search(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubmed, "LARGEST_FILE", 1)
    told = json.loads(sirolens("review", "search", "--json").out)
    assert (told["records"], told["unread"], len(told["files"])) == (HITS, 0, HITS)
    (row,) = json.loads(sirolens("review", "search-log", "--json").out)
    assert (row["hits"], row["records"]) == (HITS, HITS)
    assert len(list((folder / "imports").iterdir())) == HITS


def test_a_search_run_again_says_which_one_it_repeats_and_brings_only_what_is_new(
    folder: Path, service: Eutils
) -> None:
    first = json.loads(sirolens("review", "search", "--json").out)["search"]
    assert sirolens("review", "snapshot", "v1", "--version").code == 0
    service.entries = [*service.entries, ("99000999", date(2026, 6, 1))]
    again = json.loads(sirolens("review", "search", "--repeats", "pubmed", "--json").out)
    told = json.loads(sirolens("review", "update", "--json").out)
    assert told["boxes"]["already-known"] == 0  # all were carried over: nobody had screened them
    assert (told["boxes"]["duplicate"], told["boxes"]["title-pending"]) == (HITS, HITS + 1)
    rows = {row["id"]: row for row in json.loads(sirolens("review", "search-log", "--json").out)}
    assert rows[again["search"]]["repeats"] == first


def test_a_search_run_again_that_finds_nothing_new_is_logged_without_a_second_copy_of_its_file(folder: Path) -> None:
    assert sirolens("review", "search").code == 0
    done = sirolens("review", "search", "--repeats", "pubmed")
    assert done.code == 0, done.err
    assert "the same records" in done.err
    assert len(json.loads(sirolens("review", "search-log", "--json").out)) == 2
    assert len(list((folder / "imports").iterdir())) == 1


def test_what_keeps_a_search_from_running_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PubMed" in sirolens("review", "search", "cnki").err
    assert "known: pubmed" in sirolens("review", "search", "embase").err
    monkeypatch.delenv("NCBI_EMAIL")
    assert "--email" in sirolens("review", "search").err
    monkeypatch.delenv("WOS_API_KEY", raising=False)
    _write_wos_strategy(folder)
    assert "WOS_API_KEY" in sirolens("review", "search", "wos").err


def _write_wos_strategy(folder: Path) -> None:
    path = folder / "protocol.toml"
    head, wos, rest = path.read_text(encoding="utf-8").partition('name = "wos"')
    assert wos
    text = head + wos + rest.replace('strategy = """\n"""', 'strategy = "TS=(sirolimus)"', 1)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def wos(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WosService]:
    _write_wos_strategy(folder)
    with running(WosService(time=FakeTime())) as one:
        plain = partial(wos_api.WebOfScience, address=one.address, clock=one.time.clock, sleep=one.time.sleep)
        monkeypatch.setattr(wos_api, "WebOfScience", plain)
        monkeypatch.setenv("WOS_API_KEY", one.key)
        yield one


def test_web_of_science_is_searched_logged_and_kept_with_its_key_written_nowhere(folder: Path, wos: WosService) -> None:
    done = sirolens("review", "search", "wos", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["hits"], told["records"]) == (wos.count, wos.count)
    assert "no abstracts" in done.err
    (row,) = json.loads(sirolens("review", "search-log", "--json").out)
    assert (row["strategy"], row["platform"]) == ("TS=(sirolimus)", "Web of Science Starter API")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if wos.key.encode() in path.read_bytes()]


def test_a_web_of_science_search_goes_on_where_the_days_requests_ended(folder: Path, wos: WosService) -> None:
    first = sirolens("review", "search", "wos", "--requests-a-day", "2")
    assert (first.code, "tomorrow" in first.err) == (2, True)
    assert json.loads(sirolens("review", "search-log", "--json").out) == []
    again = json.loads(sirolens("review", "search", "wos", "--requests-a-day", "2", "--json").out)
    assert again["records"] == wos.count
    assert [fields["page"] for _, fields, *_ in wos.requests] == ["1", "2", "3"]


def test_pubmed_is_asked_about_retractions_only_when_told_to_and_after_saying_so(folder: Path, service: Eutils) -> None:
    assert sirolens("review", "search").code == 0
    before = len(service.requests)
    service.retracted = frozenset({"99000003"})
    assert sirolens("review", "update").code == 0
    said = sirolens("review", "update", "--ask-pubmed", "--check")
    assert (said.code, f"{HITS} PMIDs" in said.err) == (0, True)
    assert len(service.requests) == before
    done = sirolens("review", "update", "--ask-pubmed")
    assert (done.code, "retracted" in done.out) == (0, True), done.err
    assert len(service.requests) == before + 1
    boxes = json.loads(sirolens("review", "status", "--json").out)["boxes"]
    assert (boxes["title-excluded"], boxes["title-pending"]) == (1, HITS - 1)


def test_records_that_pubmed_does_not_hand_out_any_more_are_named(folder: Path, service: Eutils) -> None:
    assert sirolens("review", "search").code == 0
    service.withheld = frozenset({"99000002"})
    assert "99000002" in sirolens("review", "update", "--ask-pubmed").err
