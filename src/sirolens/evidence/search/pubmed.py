# SPDX-License-Identifier: Apache-2.0
"""Searches PubMed through E-utilities and fetches every hit once, however many there are and whatever goes wrong.

A search is made with the history of the service, and its PMIDs are taken down at once: they are what has to be fetched.
PubMed serves 9,999 hits of a query; a larger one is cut at dates of entry (``edat``, one for each record, so that parts
neither overlap nor leave a gap), halving a range until each part can be served; that the parts hold as many records as
the whole is checked. A batch that comes short is asked for again by number, and what PubMed does not hand out at all is
listed. Everything PRISMA-S asks for is kept in `search_run.SearchRun`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, final

from sirolens.errors import InputError
from sirolens.evidence.search.pubmed_answers import (
    FORMS,
    Answer,
    HistoryGoneError,
    check_fetched,
    check_search,
    fetched,
    read_search,
    refusal,
)
from sirolens.evidence.search.run import Found, Part, SearchRun
from sirolens.evidence.search.service import Pace, Service, ask
from sirolens.evidence.search.store import Store
from sirolens.message import error, info, warning

__all__ = ["ADDRESS", "SERVED", "PubMed", "fetch_pubmed", "search_pubmed"]

ADDRESS: Final = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
SERVED: Final = 9_999
"""Hits of one query that PubMed serves; its documentation says 10,000, its answers 9,999."""

PER_SECOND: Final = 3.0
PER_SECOND_WITH_KEY: Final = 10.0
LARGEST_BATCH: Final = 500
LARGEST_FILE: Final = 50_000_000
"""Characters of one file of records: what is imported is held in memory, and other programs refuse files of 100 MB."""
SEARCHES_AGAIN: Final = 3
"""How often a part is searched again when its history is gone, before its records are asked for by number."""

_EARLIEST = date(1700, 1, 1)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<PubmedArticleSet>\n'


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PubMed:
    """Who asks PubMed.

    Parameters
    ----------
    email : str
        Of a person; NCBI asks for one with every request, to write before it blocks.
    api_key : str
        Optional; allows 10 requests a second in place of 3. Sent in the body of requests and written nowhere.
    tool : str
    address : str
    clock, sleep : callable
        Seconds that never go back; waiting.
    timeout_s : float
    attempts : int
    served : int
        Hits of one query that the service hands out.

    Raises
    ------
    InputError
        ``retrieval.email-needed``, ``retrieval.not-https``.
    """

    email: str
    api_key: str = field(default="", repr=False)
    tool: str = "sirolens"
    address: str = ADDRESS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    timeout_s: float = 60.0
    attempts: int = 6
    served: int = SERVED

    def __post_init__(self) -> None:
        if "@" not in self.email:
            raise InputError(error("retrieval.email-needed"))
        self.service()

    def service(self) -> Service:
        """Return the service with a pace of its own."""
        per_second = PER_SECOND_WITH_KEY if self.api_key else PER_SECOND
        return Service(
            name="PubMed",
            base=self.address,
            pace=Pace(per_second, clock=self.clock, sleep=self.sleep),
            secrets=(self.api_key,),
            timeout_s=self.timeout_s,
            attempts=self.attempts,
        )

    def fields(self, **fields: str) -> dict[str, str]:
        """Return the fields of a request, with those that go with every one."""
        own = {"db": "pubmed", "tool": self.tool, "email": self.email, "api_key": self.api_key}
        return {name: value for name, value in (own | fields).items() if value}


def search_pubmed(
    query: str,
    pubmed: PubMed,
    *,
    at: datetime,
    store: Path | None = None,
    form: str = "xml",
    batch: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Search PubMed and fetch all hits.

    Parameters
    ----------
    query : str
        In PubMed's own syntax; sent and kept exactly.
    pubmed : PubMed
    at : datetime
        When the search is made, with its zone. A search that is taken up again keeps its first time and its hits.
    store : Path, optional
        File of what was fetched; with it, a search that was broken off goes on where it stopped.
    form : str
        ``"xml"`` (more is in it) or ``"medline"``.
    batch : int
        Records a request, 1 to 500.
    progress : callable, optional
        Called with records fetched and hits.

    Raises
    ------
    InputError
        An empty query, a wrong form or size of batch, a time without zone, a store of another search, or
        ``retrieval.day-too-full``: a single day holds more hits than PubMed serves.
    RefusedError
        PubMed said no (its words are told), or refused the key.
    SirolensError
        ``retrieval.no-answer`` after all attempts. What was fetched is in the store.
    """
    _check_request(query, at, form, batch)
    service = pubmed.service()
    log = Store(store)
    begun, records = log.read(query, form)
    histories: dict[int, Answer] = {}
    if begun is None:
        run, histories = _searched(query, pubmed, service, at, form)
        log.begin(_begun(run))
    else:
        run = _taken_up(begun)
        since = info("retrieval.taken-up", searched_at=run.searched_at)
        run = replace(run, messages=(*run.messages, since))
    wanted = tuple(dict.fromkeys(number for part in run.parts for number in part.ids))
    if progress is not None:
        progress(sum(number in records for number in wanted), run.count)
    for index, part in enumerate(run.parts):
        for new in _fetched(query, pubmed, service, part, histories.get(index), records, form, batch):
            log.add(new)
            records |= new
            if progress is not None:
                progress(sum(number in records for number in wanted), run.count)
    missing = tuple(number for number in wanted if number not in records)
    messages = run.messages
    if missing:
        messages = (*messages, warning("retrieval.not-served", times=len(missing), pmids=missing[:20]))
    got = [records[number] for number in wanted if number in records]
    return Found(run=replace(run, retrieved=len(got), missing=missing, messages=messages), texts=_files(got, form))


def fetch_pubmed(
    numbers: Sequence[str],
    pubmed: PubMed,
    *,
    form: str = "xml",
    batch: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fetch records by PMID as they stand today, to see whether one was retracted since.

    Parameters
    ----------
    numbers : sequence of str
        PMIDs; each is asked for once.
    pubmed : PubMed
    form, batch, progress
        As in `search_pubmed`.

    Returns
    -------
    tuple of (tuple of str, tuple of str)
        Files of all records, and the PMIDs that PubMed does not hand out (withdrawn, or merged into others).

    Raises
    ------
    InputError
        ``retrieval.not-a-pmid`` for each that is none; a wrong form or size of batch.
    RefusedError, SirolensError
        As in `search_pubmed`.
    """
    faults = [error("retrieval.not-a-pmid", value=one) for one in numbers if not one.isascii() or not one.isdigit()]
    if faults:
        raise InputError(*faults)
    _check_form(form, batch)
    service = pubmed.service()
    wanted = tuple(dict.fromkeys(numbers))
    records: dict[str, str] = {}
    for start in range(0, len(wanted), batch):
        asked = wanted[start : start + batch]
        new = _batch(pubmed, service, form, id=",".join(asked))
        records |= {number: new[number] for number in asked if number in new}
        if progress is not None:
            progress(min(start + batch, len(wanted)), len(wanted))
    missing = tuple(number for number in wanted if number not in records)
    return _files([records[number] for number in wanted if number in records], form), missing


def _files(records: Sequence[str], form: str) -> tuple[str, ...]:
    """Put records together into files that can be imported."""
    files: list[list[str]] = []
    size = LARGEST_FILE
    for record in records:
        if size + len(record) > LARGEST_FILE:
            files.append([])
            size = 0
        files[-1].append(record)
        size += len(record)
    if form == "xml":
        return tuple(f"{_HEAD}{chr(10).join(one)}\n</PubmedArticleSet>\n" for one in files)
    return tuple("\n\n".join([*one, ""]) for one in files)


def _check_request(query: str, at: datetime, form: str, batch: int) -> None:
    faults = []
    if not query.strip():
        faults.append(error("retrieval.query-empty"))
    if at.tzinfo is None:
        faults.append(error("retrieval.time-without-zone"))
    if faults:
        raise InputError(*faults)
    _check_form(form, batch)


def _check_form(form: str, batch: int) -> None:
    faults = []
    if form not in FORMS:
        faults.append(error("retrieval.form-unknown", value=form, known=FORMS))
    if not 1 <= batch <= LARGEST_BATCH:
        faults.append(error("retrieval.batch-size", value=batch, limit=LARGEST_BATCH))
    if faults:
        raise InputError(*faults)


def _searched(
    query: str, pubmed: PubMed, service: Service, at: datetime, form: str
) -> tuple[SearchRun, dict[int, Answer]]:
    """Make the search, cut by date where needed, and return it with the histories of its parts."""
    whole = _search(query, pubmed, service)
    messages = list(whole.said)
    if whole.count <= pubmed.served:
        pairs = [(Part(first=None, last=None, ids=whole.ids), whole)] if whole.ids else []
    else:
        # A record may be dated ahead of the clock here; a year covers every zone and every early entry.
        latest = at.date() + timedelta(days=366)
        pairs = list(_halved(query, pubmed, service, _EARLIEST, latest))
    ids = [number for part, _ in pairs for number in part.ids]
    if len(set(ids)) != whole.count:
        messages.append(warning("retrieval.parts-differ", times=whole.count, parts=len(set(ids))))
    run = SearchRun(
        database="PubMed",
        platform="NCBI E-utilities",
        query=query,
        translation=whole.translation,
        searched_at=at,
        count=whole.count,
        retrieved=0,
        parts=tuple(part for part, _ in pairs),
        date_type="edat" if whole.count > pubmed.served else "",
        form=form,
        missing=(),
        messages=tuple(messages),
    )
    return run, {index: answer for index, (_, answer) in enumerate(pairs)}


def _halved(query: str, pubmed: PubMed, service: Service, first: date, last: date) -> Iterator[tuple[Part, Answer]]:
    """Yield the parts of a range that holds more hits than are served, each small enough, in order of time.

    The halves of a range are the range, and both are asked for themselves: what one holds is never reckoned from the
    other, because records come in all the time.
    """
    middle = first + (last - first) // 2
    for start, end in ((first, middle), (middle + timedelta(days=1), last)):
        answer = _search(query, pubmed, service, start, end)
        if answer.count > pubmed.served and start == end:
            raise InputError(error("retrieval.day-too-full", day=start, times=answer.count, limit=pubmed.served))
        if answer.count > pubmed.served:
            yield from _halved(query, pubmed, service, start, end)
        elif answer.ids:
            yield Part(first=start, last=end, ids=answer.ids), answer


def _search(
    query: str, pubmed: PubMed, service: Service, first: date | None = None, last: date | None = None
) -> Answer:
    """Ask for the hits of a query, or of those of its hits that were entered between two dates."""
    dates = {}
    if first is not None and last is not None:
        dates = {"datetype": "edat", "mindate": f"{first:%Y/%m/%d}", "maxdate": f"{last:%Y/%m/%d}"}
    fields = pubmed.fields(term=query, usehistory="y", retmax=str(pubmed.served), retmode="xml", **dates)
    text = ask(service, "esearch.fcgi", fields, check=check_search, refusal=refusal, post=True)
    return read_search(text)


def _fetched(
    query: str,
    pubmed: PubMed,
    service: Service,
    part: Part,
    history: Answer | None,
    known: Mapping[str, str],
    form: str,
    batch: int,
) -> Iterator[dict[str, str]]:
    """Yield the records of a part that are not known yet, a batch at a time, by its history or else by number.

    `known` grows between two batches: the caller keeps what it gets.
    """
    again, own = 0, frozenset(part.ids)
    for start in range(0, len(part.ids), batch):
        numbers = part.ids[start : start + batch]
        missing = [number for number in numbers if number not in known]
        if not missing:
            continue
        new: dict[str, str] = {}
        while history is not None:
            place = {"retstart": str(start), "retmax": str(batch)}
            try:
                new = _batch(pubmed, service, form, WebEnv=history.web_env, query_key=history.query_key, **place)
                break
            except HistoryGoneError:
                again += 1
                history = _again(query, pubmed, service, part) if again <= SEARCHES_AGAIN else None
        # The history may have another order than the list of numbers: what belongs to later batches is kept too.
        new = {number: text for number, text in new.items() if number in own and number not in known}
        lacking = [number for number in missing if number not in new]
        if lacking:
            by_number = _batch(pubmed, service, form, id=",".join(lacking))
            new |= {number: by_number[number] for number in lacking if number in by_number}
        if new:
            yield new


def _again(query: str, pubmed: PubMed, service: Service, part: Part) -> Answer | None:
    """Search a part again; None when it has other hits by now, so that its records are asked for by number."""
    answer = _search(query, pubmed, service, part.first, part.last)
    return answer if answer.ids == part.ids else None


def _batch(pubmed: PubMed, service: Service, form: str, **what: str) -> dict[str, str]:
    """Fetch records and return their texts by PMID."""
    modes = {"retmode": "xml"} if form == "xml" else {"retmode": "text", "rettype": "medline"}

    found: dict[str, str] = {}

    def check(text: str) -> None:
        check_fetched(text, form)
        found.update(fetched(text, form))

    ask(service, "efetch.fcgi", pubmed.fields(**modes, **what), check=check, refusal=refusal, post=True)
    return found


def _begun(run: SearchRun) -> dict[str, Any]:
    """Return what a store keeps of a search."""
    return {
        "query": run.query,
        "form": run.form,
        "translation": run.translation,
        "searched_at": run.searched_at.isoformat(),
        "count": run.count,
        "date_type": run.date_type,
        "parts": [
            {
                "first": part.first and part.first.isoformat(),
                "last": part.last and part.last.isoformat(),
                "ids": list(part.ids),
            }
            for part in run.parts
        ],
        "messages": [{"code": one.code, "values": dict(one.items)} for one in run.messages],
    }


def _taken_up(begun: Mapping[str, Any]) -> SearchRun:
    """Return the search that a store tells of."""
    try:
        return SearchRun(
            database="PubMed",
            platform="NCBI E-utilities",
            query=str(begun["query"]),
            translation=str(begun["translation"]),
            searched_at=datetime.fromisoformat(begun["searched_at"]),
            count=int(begun["count"]),
            retrieved=0,
            parts=tuple(map(_part, begun["parts"])),
            date_type=str(begun["date_type"]),
            form=str(begun["form"]),
            missing=(),
            messages=tuple(warning(str(one["code"]), **one["values"]) for one in begun["messages"]),
        )
    except (KeyError, TypeError, ValueError):
        raise InputError(error("retrieval.not-a-store")) from None


def _part(entry: Mapping[str, Any]) -> Part:
    first, last = entry["first"], entry["last"]
    ids: Sequence[str] = entry["ids"]
    return Part(
        first=None if first is None else date.fromisoformat(first),
        last=None if last is None else date.fromisoformat(last),
        ids=tuple(map(str, ids)),
    )
