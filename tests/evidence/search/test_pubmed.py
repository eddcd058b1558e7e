# SPDX-License-Identifier: Apache-2.0
"""Tests of evidence.pubmed, pubmed_answers, pubmed_store and service against a local stand-in for E-utilities.

Oracle throughout: the stand-in's own list of records. Time is a fake clock, so nothing waits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.evidence.fake_eutils import HTML_PAGE, SERVER_TIMEOUT, Eutils, FakeTime, Fault, running

from sirolens.errors import InputError, SirolensError
from sirolens.evidence.importing import import_bytes
from sirolens.evidence.search import pubmed
from sirolens.evidence.search.pubmed import PubMed, fetch_pubmed, search_pubmed
from sirolens.evidence.search.run import Found
from sirolens.evidence.search.service import RefusedError

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
KEY = "0123456789abcdef"
QUERY = '(sirolimus[tiab] OR rapamycin[tiab]) AND "immune thrombocytopenia"[tiab] AND café'


def entries(count: int, first: date = date(2010, 1, 1), per_day: int = 3) -> list[tuple[str, date]]:
    """Newest first, as PubMed orders them."""
    made = [(str(90_000_000 + n), first + timedelta(days=n // per_day)) for n in range(count)]
    return made[::-1]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Eutils]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with running(Eutils(time=FakeTime(), entries=entries(25))) as one:
        yield one


def client(service: Eutils, **more: object) -> PubMed:
    plain = PubMed(
        email="tests@example.invalid", address=service.address, clock=service.time.clock, sleep=service.time.sleep
    )
    return replace(plain, **more)


def search(
    service: Eutils, query: str = QUERY, *, batch: int = 10, form: str = "xml", store: Path | None = None
) -> Found:
    return search_pubmed(query, client(service), at=AT, batch=batch, form=form, store=store)


def pmids(found: Found) -> list[str]:
    return [one.pmid for text in found.texts for one in import_bytes(text.encode(), name="found").records]


def times(service: Eutils, path: str) -> int:
    return sum(where == path for where, *_ in service.requests)


@pytest.mark.parametrize("form", ["xml", "medline"])
def test_every_hit_is_fetched_once_in_the_order_of_the_search(service: Eutils, form: str) -> None:
    found = search(service, form=form)
    assert pmids(found) == [pmid for pmid, _ in service.entries]
    assert (found.run.count, found.run.retrieved, found.run.missing, found.run.date_type) == (25, 25, (), "")
    assert times(service, "efetch.fcgi") == 3


def test_what_prisma_s_asks_for_is_kept(service: Eutils) -> None:
    service.remarks = "<ErrorList><PhraseNotFound>café</PhraseNotFound></ErrorList>"
    run = search(service).run
    assert run.query == QUERY
    assert run.translation == f"{QUERY}[All Fields]"
    assert (run.database, run.platform, run.searched_at) == ("PubMed", "NCBI E-utilities", AT)
    assert [(one.code, one.values["words"]) for one in run.messages] == [("retrieval.pubmed-said", "café")]


def test_tool_and_email_go_with_every_request_and_long_queries_in_its_body(service: Eutils) -> None:
    query = " OR ".join(f"invented word {n}[tiab]" for n in range(1000))
    assert search(service, query).run.query == query
    for _, fields, _, line in service.requests:
        assert (fields["tool"], fields["email"], fields["db"]) == ("sirolens", "tests@example.invalid", "pubmed")
        assert line in ("POST /esearch.fcgi", "POST /efetch.fcgi")
    assert service.requests[0][1]["term"] == query


@pytest.mark.parametrize(("key", "limit"), [("", 3), (KEY, 10)])
def test_no_second_sees_more_requests_than_allowed(service: Eutils, key: str, limit: int) -> None:
    found = search_pubmed(QUERY, client(service, api_key=key), at=AT, batch=1)
    moments = [at for _, _, at, _ in service.requests]
    assert len(moments) == 26
    assert max(sum(start <= at < start + 1.0 for at in moments) for start in moments) <= limit
    # Not needlessly slow either: a hundredth beyond the limit is what the pace adds.
    assert moments[-1] - moments[0] == pytest.approx(25 / limit, rel=0.011)
    assert found.run.retrieved == 25


PASSING = {
    "too many requests": Fault(status=429, body='{"error":"API rate limit exceeded","count":"11"}'),
    "too many requests, said with status 200": Fault(body='{"error":"API rate limit exceeded","count":"11"}'),
    "fault": Fault(status=500, body=HTML_PAGE),
    "bad gateway": Fault(status=502),
    "pause": Fault(status=503, headers={"Retry-After": "7"}),
    "timeout told under 400": Fault(status=400, body=SERVER_TIMEOUT),
    "page in place of XML": Fault(body=HTML_PAGE),
    "backend failed": Fault(body="<eSearchResult><ERROR>Search Backend failed: no answer</ERROR></eSearchResult>"),
    "cut XML": Fault(cut_at=150),
    "broken line": Fault(lost_bytes=50),
    "hung up": Fault(hang_up=True),
    "nothing": Fault(body=""),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("form", ["xml", "medline"])
def test_a_passing_fault_costs_a_second_request_and_no_record(service: Eutils, fault: Fault, form: str) -> None:
    if form == "medline" and fault.body == "":
        fault = replace(fault, hang_up=True)  # an empty answer is a right one there, and asked for again by number
    service.faults = [("esearch.fcgi", fault), ("efetch.fcgi", fault), ("efetch.fcgi", fault)]
    if fault.cut_at is not None:
        service.faults = [("efetch.fcgi", replace(fault, cut_at=30)), ("esearch.fcgi", replace(fault, cut_at=20))]
    found = search(service, form=form)
    assert pmids(found) == [pmid for pmid, _ in service.entries]
    assert service.faults == []


def test_silence_is_given_up_after_the_time_limit_and_asked_again(service: Eutils) -> None:
    service.faults = [("efetch.fcgi", Fault(silence_s=1.5))]
    found = search_pubmed(QUERY, client(service, timeout_s=0.5), at=AT)
    assert found.run.retrieved == 25


def test_the_waits_grow_and_what_the_service_asks_for_is_kept(service: Eutils) -> None:
    date_header = {"Retry-After": "Sun, 22 Nov 2026 09:00:40 GMT", "Date": "Sun, 22 Nov 2026 09:00:00 GMT"}
    service.faults = [("esearch.fcgi", Fault(status=500)) for _ in range(3)]
    service.faults += [
        ("esearch.fcgi", Fault(status=429, headers={"Retry-After": "7"})),
        ("esearch.fcgi", Fault(status=503, headers=date_header)),
    ]
    search(service)
    waited = [one for one in service.time.slept if one >= 1.0]
    assert waited == [1.0, 2.0, 4.0, 7.0, 40.0]


def test_a_service_that_stays_away_is_told_with_the_last_reason(service: Eutils) -> None:
    service.faults = [("esearch.fcgi", Fault(status=503))] * 6
    with pytest.raises(SirolensError) as caught:
        search(service)
    (told,) = caught.value.messages
    assert (told.code, told.values["times"], str(told.values["why"])) == (
        "retrieval.no-answer",
        6,
        "retrieval.status(status=503)",
    )


def test_a_pause_of_an_hour_is_not_waited_for(service: Eutils) -> None:
    service.faults = [("esearch.fcgi", Fault(status=429, headers={"Retry-After": "3600"}))]
    with pytest.raises(RefusedError, match="long-pause"):
        search(service)


def test_nobody_at_the_address_is_told(service: Eutils) -> None:
    with pytest.raises(SirolensError, match="unreachable"):
        search_pubmed(QUERY, client(service, address="http://127.0.0.1:9", attempts=1), at=AT)


def test_a_wrong_key_is_refused_at_once_and_never_shown(service: Eutils, tmp_path: Path) -> None:
    wrong = "feedfeedfeedfeed"
    asking = client(service, api_key=wrong)
    with pytest.raises(RefusedError) as caught:
        search_pubmed(QUERY, asking, at=AT, store=tmp_path / "store")
    assert caught.value.messages[0].code == "retrieval.key-refused"
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert wrong not in repr([repr(one) + str(one) for one in chain]) + repr(asking)
    assert times(service, "esearch.fcgi") == 1
    assert not (tmp_path / "store").exists()


def test_the_key_is_in_no_address_and_no_file(service: Eutils, tmp_path: Path) -> None:
    found = search_pubmed(QUERY, client(service, api_key=KEY), at=AT, store=tmp_path / "store")
    assert all(fields["api_key"] == KEY and KEY not in line for _, fields, _, line in service.requests)
    assert KEY not in (tmp_path / "store").read_text(encoding="utf-8") + repr(found)


def test_a_redirection_is_not_followed(service: Eutils) -> None:
    service.faults = [("esearch.fcgi", Fault(status=302, headers={"Location": "http://127.0.0.1:9/"}))]
    with pytest.raises(RefusedError, match="status=302"):
        search(service)


def test_an_error_in_a_good_answer_is_told_in_its_own_words(service: Eutils) -> None:
    body = "<eSearchResult><ERROR>Invalid db name specified: pubmedd</ERROR></eSearchResult>"
    service.faults = [("esearch.fcgi", Fault(body=body))]
    with pytest.raises(RefusedError, match="Invalid db name"):
        search(service)


def test_nothing_found_is_a_result(service: Eutils) -> None:
    service.entries = ()
    found = search(service)
    assert (found.run.count, found.run.retrieved, found.run.parts) == (0, 0, ())
    assert pmids(found) == []


@pytest.mark.parametrize("lives", [0, 1, 2])
def test_a_history_that_is_gone_is_searched_again(service: Eutils, lives: int) -> None:
    service.history_lives = lives
    found = search(service)
    assert pmids(found) == [pmid for pmid, _ in service.entries]
    assert times(service, "esearch.fcgi") <= 1 + 3


def test_a_history_in_another_order_loses_and_doubles_nothing(service: Eutils) -> None:
    service.history_backwards = True
    service.entries = entries(40)
    found = search(service)
    assert pmids(found) == [pmid for pmid, _ in service.entries]
    # Two batches by history and two by number give all four: what came early is not asked for again.
    assert times(service, "efetch.fcgi") == 4


def test_hits_that_changed_meanwhile_do_not_disturb_the_search(service: Eutils) -> None:
    # A new record stands first when the search is made again: by position, every batch would be off by one.
    first = list(service.entries)
    service.history_lives = 1

    def add(searches: int) -> None:
        if searches > 1:
            service.entries = [("99999999", date(2026, 11, 22)), *first]

    service.on_search = add
    assert pmids(search(service)) == [pmid for pmid, _ in first]


def test_records_that_are_not_handed_out_are_listed(service: Eutils) -> None:
    service.withheld = frozenset({"90000003", "90000011"})
    found = search(service)
    assert found.run.missing == ("90000011", "90000003")
    assert [one.code for one in found.run.messages] == ["retrieval.not-served"]
    assert (found.run.count, found.run.retrieved) == (25, 23)


def test_25_000_hits_are_cut_by_date_and_fetched_once_each(service: Eutils) -> None:
    service.entries = entries(25_000, per_day=40)
    seen: list[tuple[int, int]] = []
    asking = client(service)
    found = search_pubmed(
        QUERY, asking, at=AT, form="medline", batch=500, progress=lambda done, of: seen.append((done, of))
    )
    run = found.run
    assert Counter(number for part in run.parts for number in part.ids) == Counter(pmid for pmid, _ in service.entries)
    assert (run.count, run.retrieved, run.date_type, run.missing) == (25_000, 25_000, "edat", ())
    assert all(len(part.ids) <= 9_999 for part in run.parts)
    ends = [(part.first, part.last) for part in run.parts]
    assert all(last is not None and last < first for (_, last), (first, _) in pairwise(ends) if first)
    assert run.messages == ()
    assert seen[0] == (0, 25_000)
    assert seen[-1] == (25_000, 25_000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    # Halving 327 years of days needs 17 steps of two questions; a few more for the parts themselves.
    assert times(service, "esearch.fcgi") <= 45
    assert "".join(found.texts).count("PMID- ") == 25_000


@pytest.mark.parametrize("form", ["xml", "medline"])
def test_a_large_result_is_several_files_that_can_each_be_imported(
    service: Eutils, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    one = len(search(service, form=form).texts[0]) // 25
    monkeypatch.setattr(pubmed, "LARGEST_FILE", 10 * one)
    found = search(service, form=form)
    assert len(found.texts) == 3
    assert pmids(found) == [pmid for pmid, _ in service.entries]
    texts, gone = fetch_pubmed([pmid for pmid, _ in service.entries], client(service), form=form)
    assert (texts, gone) == (found.texts, ())


@pytest.mark.parametrize("day", [date(2010, 1, 1), date(2010, 1, 20)])
@pytest.mark.parametrize("moment", [2, 12, 19, 21, 23])
def test_no_record_is_missed_when_others_come_in_while_a_query_is_cut(service: Eutils, day: date, moment: int) -> None:
    # As many come into one half as the other holds: a half reckoned from the other would then seem empty.
    first = entries(60)
    service.entries, service.served = first, 20
    late = [(str(99_000_000 + n), day) for n in range(9)]

    def add(searches: int) -> None:
        if searches == moment:
            service.entries = [*late, *first]

    service.on_search = add
    found = search_pubmed(QUERY, client(service, served=20), at=AT)
    assert set(pmids(found)) >= {pmid for pmid, _ in first}
    differs = found.run.retrieved != found.run.count
    assert [one.code for one in found.run.messages] == ["retrieval.parts-differ"] * differs


DAYS = st.lists(st.integers(0, 400), max_size=60).map(lambda days: [date(2020, 1, 1) + timedelta(days=n) for n in days])


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=DAYS, served=st.integers(3, 9))
def test_parts_cover_every_record_once_or_name_the_day_that_is_too_full(
    service: Eutils, days: list[date], served: int
) -> None:
    service.entries = [(str(n + 1), day) for n, day in enumerate(days)]
    service.served = served
    fullest = max(Counter(days).values(), default=0)
    try:
        found = search_pubmed(QUERY, client(service, served=served), at=AT, batch=500)
    except InputError as fault:
        (told,) = fault.messages
        assert told.code == "retrieval.day-too-full"
        assert Counter(days)[told.values["day"]] == told.values["times"] > served
        return
    assert fullest <= served or len(days) <= served
    assert Counter(pmids(found)) == Counter(pmid for pmid, _ in service.entries)


class Killed(BaseException):
    """The machine stops."""


@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_search_broken_off_goes_on_where_it_stopped(service: Eutils, tmp_path: Path, stop_after: int) -> None:
    store = tmp_path / "pubmed.jsonl"
    whole = search(service).texts

    def kill(done: int, _: int) -> None:
        if done >= stop_after * 10:
            raise Killed

    with pytest.raises(Killed):
        search_pubmed(QUERY, client(service), at=AT, batch=10, store=store, progress=kill)
    with store.open("ab") as stream:
        stream.write(b'{"records": {"9000')  # it stopped in the middle of a line
    service.requests.clear()
    service.histories.clear()
    later = search_pubmed(QUERY, client(service), at=AT + timedelta(days=3), batch=10, store=store)
    assert later.texts == whole
    assert later.run.searched_at == AT
    assert [one.code for one in later.run.messages] == ["retrieval.taken-up"]
    assert times(service, "esearch.fcgi") == 0
    asked = [number for _, fields, *_ in service.requests for number in fields["id"].split(",")]
    assert len(asked) == 25 - stop_after * 10
    service.requests.clear()
    assert search(service, store=store).texts == whole
    assert service.requests == []


def test_a_store_of_another_search_or_of_nothing_is_refused(service: Eutils, tmp_path: Path) -> None:
    store = tmp_path / "pubmed.jsonl"
    search(service, store=store)
    with pytest.raises(InputError, match="other-search"):
        search(service, "another", store=store)
    store.write_text(json.dumps({"something": 1}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="not-a-store"):
        search(service, store=store)
    store.write_text("no json\n", encoding="utf-8")
    with pytest.raises(InputError, match="not-a-store"):
        search(service, store=store)


def test_records_are_fetched_by_number_and_those_withdrawn_are_named(service: Eutils) -> None:
    service.withheld = frozenset({"90000003"})
    (text,), missing = fetch_pubmed(["90000003", "90000001", "90000001", "90000002"], client(service), batch=2)
    assert [one.pmid for one in import_bytes(text.encode(), name="again").records] == ["90000001", "90000002"]
    assert missing == ("90000003",)
    assert times(service, "efetch.fcgi") == 2


def test_impossible_requests_are_refused_before_anything_is_sent(service: Eutils) -> None:
    with pytest.raises(InputError) as caught:
        search_pubmed(" ", client(service), at=AT.replace(tzinfo=None))
    assert [one.code for one in caught.value.messages] == ["retrieval.query-empty", "retrieval.time-without-zone"]
    with pytest.raises(InputError) as caught:
        search_pubmed(QUERY, client(service), at=AT, form="ris", batch=0)
    assert [one.code for one in caught.value.messages] == ["retrieval.form-unknown", "retrieval.batch-size"]
    with pytest.raises(InputError, match="not-a-pmid"):
        fetch_pubmed(["90000001", "9000000x"], client(service))
    assert service.requests == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"email": "nobody"}, "email-needed"), ({"address": "http://eutils.example.invalid"}, "not-https")],
)
def test_a_client_without_address_or_with_an_open_line_is_refused(fields: dict[str, str], code: str) -> None:
    with pytest.raises(InputError, match=code):
        PubMed(**{"email": "tests@example.invalid", **fields})
