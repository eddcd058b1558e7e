# SPDX-License-Identifier: Apache-2.0
"""Tests of evidence.wos_api and sources.wos_starter against a local stand-in made after the public documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.evidence.fake_eutils import FakeTime, Fault, running
from tests.evidence.fake_wos import WosService, hit

from sirolens.errors import InputError, SirolensError
from sirolens.evidence.importing import first_fault, import_bytes
from sirolens.evidence.record import Author
from sirolens.evidence.search.run import Found
from sirolens.evidence.search.service import RefusedError
from sirolens.evidence.search.wos_api import WebOfScience, search_wos
from sirolens.evidence.sources.text import SourceText
from sirolens.evidence.sources.wos_starter import detect, read

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
QUERY = "TS=(sirolimus AND thrombocytopenia)"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[WosService]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with running(WosService(time=FakeTime())) as one:
        yield one


def client(service: WosService, **more: object) -> WebOfScience:
    plain = WebOfScience(
        api_key=service.key, address=service.address, clock=service.time.clock, sleep=service.time.sleep
    )
    return replace(plain, **more)


def numbers(found: Found) -> list[str]:
    return [one.wos_id for text in found.texts for one in import_bytes(text.encode(), name="found").records]


def test_every_hit_is_fetched_once_page_by_page(service: WosService) -> None:
    seen: list[tuple[int, int]] = []
    found = search_wos(QUERY, client(service), at=AT, progress=lambda done, of: seen.append((done, of)))
    assert numbers(found) == [hit(n)["uid"] for n in range(120)]
    assert [fields["page"] for _, fields, *_ in service.requests] == ["1", "2", "3"]
    assert {(f["q"], f["db"], f["limit"], f["sortField"]) for _, f, *_ in service.requests} == {
        (QUERY, "WOS", "50", "LD+A")
    }
    assert seen == [(50, 120), (100, 120), (120, 120)]
    moments = [at for _, _, at, _ in service.requests]
    assert min(later - before for before, later in pairwise(moments)) >= 1.0


def test_the_search_is_kept_and_says_what_is_unverified(service: WosService) -> None:
    run = search_wos(QUERY, client(service, database="WOK"), at=AT).run
    assert (run.database, run.platform, run.query) == ("Web of Science (WOK)", "Web of Science Starter API", QUERY)
    assert (run.count, run.retrieved, run.searched_at) == (120, 120, AT)
    assert [one.code for one in run.messages] == ["retrieval.wos-unverified", "retrieval.wos-no-abstracts"]


def test_a_hit_is_read_into_a_record() -> None:
    text = json.dumps({"metadata": {"total": 1}, "hits": [hit(1)]})
    assert detect(text) > 0
    (one,) = import_bytes(text.encode(), name="answer").records
    assert (one.title, one.wos_id, one.pmid, one.doi) == (
        "Invented sirolimus study 1",
        "WOS:000000000000001",
        "99000001",
        "10.99999/fake.1",
    )
    assert one.authors == (
        Author(printed="Zhang, Wei", family="Zhang", given="Wei"),
        Author(printed="Invented ITP Grp", collective=True),
    )
    assert (one.year, one.month, one.online_first) == (2021, 3, True)
    assert (one.journal, one.volume, one.issue, one.pages) == ("FAKE BLOOD", "42", "3 Suppl. 1", "201-207")
    assert (one.issn, one.article_number, one.keywords) == ("0000-000X 1111-1111", "101234", ("sirolimus", "ITP"))


@pytest.mark.parametrize(
    "text",
    [
        '{"hits": [{"uid": "WOS:1", "title": 5, "source": [], "names": {"authors": {"a": 1}}, "identifiers": null}]}',
        '{"uid": "WOS:1"}\n{"uid": "WOS:2", "tit',
        '{"uid": "WOS:1", "keywords": {"authorKeywords": [1, "x"]}}\nstray',
        "[" * 5000 + '{"uid": "WOS:1"}',
    ],
)
def test_answers_of_another_shape_lose_nothing(text: str) -> None:
    pieces = list(read(SourceText(name="a.json", text=text, encoding="utf-8", sha256="0" * 64)))
    assert first_fault(text, pieces) is None


@pytest.mark.parametrize(
    "fault", [Fault(status=429), Fault(status=500), Fault(cut_at=40), Fault(body="[]"), Fault(hang_up=True)]
)
def test_a_passing_fault_costs_a_second_request(service: WosService, fault: Fault) -> None:
    service.faults = [("documents", fault)]
    assert len(numbers(search_wos(QUERY, client(service), at=AT))) == 120
    assert len(service.requests) == 4


def test_a_wrong_key_is_refused_and_never_shown(service: WosService) -> None:
    wrong = "feedfeedfeedfeed"
    one = client(service, api_key=wrong)
    with pytest.raises(RefusedError) as caught:
        search_wos(QUERY, one, at=AT)
    assert caught.value.messages[0].code == "retrieval.key-refused"
    assert wrong not in str(caught.value) + repr(one) + str(service.requests)


def test_a_query_the_service_cannot_read_is_told_in_its_words(service: WosService) -> None:
    with pytest.raises(RefusedError, match="parenthesis"):
        search_wos("TS=(sirolimus", client(service), at=AT)


def test_more_requests_than_the_plan_allows_are_refused_at_once(service: WosService) -> None:
    with pytest.raises(InputError) as caught:
        search_wos(QUERY, client(service, most_requests=2), at=AT)
    assert caught.value.messages[0].code == "retrieval.too-many-requests"
    assert len(service.requests) == 1


def test_with_a_store_a_search_goes_on_the_next_day(service: WosService, tmp_path: Path) -> None:
    store = tmp_path / "wos.jsonl"
    with pytest.raises(SirolensError, match="quota-reached"):
        search_wos(QUERY, client(service, most_requests=2), at=AT, store=store)
    service.requests.clear()
    found = search_wos(QUERY, client(service, most_requests=2), at=AT + timedelta(days=1), store=store)
    assert numbers(found) == [hit(n)["uid"] for n in range(120)]
    assert [fields["page"] for _, fields, *_ in service.requests] == ["3"]
    assert found.run.searched_at == AT
    assert service.key not in store.read_text(encoding="utf-8")


def test_a_quota_that_is_used_up_is_told_and_nothing_is_lost(service: WosService, tmp_path: Path) -> None:
    service.quota = 1
    with pytest.raises(SirolensError, match=r"no-answer.*status=429"):
        search_wos(QUERY, client(service), at=AT, store=tmp_path / "wos.jsonl")
    service.quota = 1_000
    assert len(numbers(search_wos(QUERY, client(service), at=AT, store=tmp_path / "wos.jsonl"))) == 120


def test_nothing_found_is_a_result(service: WosService) -> None:
    service.count = 0
    assert search_wos(QUERY, client(service), at=AT).run.count == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"api_key": " "}, "key-needed"),
        ({"database": "PUBMED"}, "database-unknown"),
        ({"address": "http://x.invalid"}, "https"),
    ],
)
def test_an_impossible_client_is_refused(fields: dict[str, str], code: str) -> None:
    with pytest.raises(InputError, match=code):
        WebOfScience(**{"api_key": "k", **fields})


@pytest.mark.parametrize(("query", "at"), [(" ", AT), (QUERY, AT.replace(tzinfo=None))])
def test_an_impossible_search_is_refused(service: WosService, query: str, at: datetime) -> None:
    with pytest.raises(InputError):
        search_wos(query, client(service), at=at)
    assert service.requests == []
