# SPDX-License-Identifier: Apache-2.0
"""Searches Web of Science through its Starter API, a page of at most 50 records at a time.

What this rests on. Address, parameters (``q``, ``db``, ``limit`` 1-50, ``page``, ``sortField``), the header
``X-ApiKey`` and the names in the answer were seen in the documentation of the publisher's public client; 50 requests a
day for the free plan and 5,000 for institutions in others' descriptions. How many requests a second a plan allows, how
the service says that a quota is used up, and how many hits of a query it hands out are unverified: the pace is one
request a second, and the user is told. The service hands out no abstracts: for screening, import the site's own export.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, final

from sirolens.errors import InputError, SirolensError
from sirolens.evidence.search.run import Found, SearchRun
from sirolens.evidence.search.service import Pace, PassingError, Service, ask
from sirolens.evidence.search.store import Store
from sirolens.message import Message, error, info, warning

__all__ = ["ADDRESS", "PAGE", "WebOfScience", "search_wos"]

ADDRESS: Final = "https://api.clarivate.com/apis/wos-starter/v1"
PAGE: Final = 50
FREE_REQUESTS_A_DAY: Final = 50
DATABASES: Final = ("WOS", "BIOABS", "BCI", "BIOSIS", "CCC", "DIIDW", "DRCI", "MEDLINE", "ZOOREC", "PPRN", "WOK")

_NAME: Final = "Web of Science"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WebOfScience:
    """Who asks Web of Science.

    Parameters
    ----------
    api_key : str
        Sent in a header and written nowhere.
    database : str
        One of `DATABASES`; ``"WOS"`` is the Core Collection.
    most_requests : int
        Requests a day that the plan allows; the free one has 50. A search that needs more is refused after its first
        request; with a store it goes as far as it can, and on when it is called again the next day.
    per_second : float
        Requests a second; what a plan allows is unverified.
    address : str
    clock, sleep : callable
    timeout_s : float
    attempts : int

    Raises
    ------
    InputError
        ``retrieval.key-needed``, ``retrieval.database-unknown``, ``retrieval.not-https``.
    """

    api_key: str = field(repr=False)
    database: str = "WOS"
    most_requests: int = FREE_REQUESTS_A_DAY
    per_second: float = 1.0
    address: str = ADDRESS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    timeout_s: float = 60.0
    attempts: int = 6

    def __post_init__(self) -> None:
        if not self.api_key.strip():
            raise InputError(error("retrieval.key-needed", service=_NAME))
        if self.database not in DATABASES:
            raise InputError(error("retrieval.database-unknown", value=self.database, known=DATABASES))
        self.service()

    def service(self) -> Service:
        """Return the service with a pace of its own."""
        return Service(
            name=_NAME,
            base=self.address,
            pace=Pace(self.per_second, clock=self.clock, sleep=self.sleep),
            headers={"X-ApiKey": self.api_key, "Accept": "application/json"},
            secrets=(self.api_key,),
            timeout_s=self.timeout_s,
            attempts=self.attempts,
        )


def search_wos(
    query: str,
    client: WebOfScience,
    *,
    at: datetime,
    store: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Search Web of Science and fetch all hits, oldest in the database first, so that new ones do not shift the pages.

    Parameters
    ----------
    query : str
        In the syntax of the advanced search (``TS=(sirolimus AND ITP)``); sent and kept exactly.
    client : WebOfScience
    at : datetime
        When the search is made, with its zone.
    store : Path, optional
        File of what was fetched; with it, a search that was broken off (or ran out of its quota) goes on.
    progress : callable, optional
        Called with records fetched and hits.

    Raises
    ------
    InputError
        An empty query, a time without zone, a store of another search, ``retrieval.too-many-requests``.
    RefusedError
        The service refused the key or the query.
    SirolensError
        ``retrieval.no-answer`` after all attempts; ``retrieval.quota-reached``: go on with the same store tomorrow.
    """
    if not query.strip():
        raise InputError(error("retrieval.query-empty"))
    if at.tzinfo is None:
        raise InputError(error("retrieval.time-without-zone"))
    service, log = client.service(), Store(store)
    form = f"json {client.database}"
    begun, hits = log.read(query, form)
    total = None if begun is None else int(begun["count"])
    page, spent = len(hits) // PAGE + 1, 0
    while total is None or page <= -(-total // PAGE):
        if total is not None and spent >= client.most_requests:
            raise SirolensError(error("retrieval.quota-reached", times=len(hits), total=total, limit=spent))
        answer = _page(client, service, query, page)
        spent += 1
        if total is None:
            total = answer["metadata"]["total"]
            if store is None:
                _refuse_many(total, client.most_requests)
            begun = {"query": query, "form": form, "searched_at": at.isoformat(), "count": total}
            log.begin(begun)
        new = {hit["uid"]: json.dumps(hit, ensure_ascii=False) for hit in answer["hits"] if hit["uid"] not in hits}
        if new:
            log.add(new)
            hits |= new
        if progress is not None:
            progress(min(len(hits), total), total)
        page += 1
    searched_at = at if begun is None else datetime.fromisoformat(begun["searched_at"])
    messages: list[Message] = [info("retrieval.wos-unverified"), info("retrieval.wos-no-abstracts")]
    if searched_at != at:
        messages.append(info("retrieval.taken-up", searched_at=searched_at))
    if len(hits) != total:
        messages.append(warning("retrieval.wos-differs", times=total, parts=len(hits)))
    run = SearchRun(
        database=f"{_NAME} ({client.database})",
        platform="Web of Science Starter API",
        query=query,
        translation="",
        searched_at=searched_at,
        count=total,
        retrieved=len(hits),
        parts=(),
        date_type="",
        form="json",
        missing=(),
        messages=tuple(messages),
    )
    return Found(run=run, texts=("".join(f"{hit}\n" for hit in hits.values()),) if hits else ())


def _refuse_many(total: int, most: int) -> None:
    needed = max(1, -(-total // PAGE))
    if needed > most:
        raise InputError(error("retrieval.too-many-requests", times=total, needed=needed, limit=most))


def _page(client: WebOfScience, service: Service, query: str, page: int) -> dict[str, Any]:
    """Fetch one page, checked for its shape."""
    fields = {"q": query, "db": client.database, "limit": str(PAGE), "page": str(page), "sortField": "LD+A"}
    found: dict[str, Any] = {}

    def check(text: str) -> None:
        found.update(_read(text))

    ask(service, "documents", fields, check=check, refusal=_refusal, post=False)
    return found


def _read(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
        total = answer["metadata"]["total"]
        whole = isinstance(total, int) and all(isinstance(hit["uid"], str) for hit in answer["hits"])
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise PassingError(info("retrieval.cut-answer"))
    return dict(answer)


def _refusal(status: int, text: str) -> Message:
    """Return what to tell the user of an answer with a bad status."""
    if status in (401, 403):
        return error("retrieval.key-refused", service=_NAME, status=status)
    return error("retrieval.refused", service=_NAME, status=status, words=" ".join(text.split())[:300])
