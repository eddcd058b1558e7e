# SPDX-License-Identifier: Apache-2.0
"""A local stand-in for E-utilities that answers as the real ones do, with faults on demand; all records are invented.

Its limits and refusals are those seen in public issue threads: 9,999 hits a query, status 429 with a JSON body, history
errors under status 400, HTML error pages, timeouts told under status 400.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs

HISTORY_GONE = (
    "<?xml version='1.0'?>\n<eFetchResult>\n\t<ERROR>Cannot retrieve history data. query_key: 1, WebEnv: MCID_0, "
    "retstart: 0, retmax: 200</ERROR>\n</eFetchResult>"
)
SERVER_TIMEOUT = (
    "<eFetchResult><ERROR> Error: External viewer error: Empty Response. Bytes read: 0 Status: Timeout</ERROR>"
    "</eFetchResult>"
)
HTML_PAGE = "<!DOCTYPE html><html><head><title>WWW Error 500 Diagnostic</title></head><body>Server Error</body></html>"


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Fault:
    """What to answer in place of the right thing."""

    status: int = 200
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None  # of the right answer, this many characters from its end are left off
    lost_bytes: int = 0  # told in Content-Length and never sent
    silence_s: float = 0.0
    hang_up: bool = False


@dataclass
class Eutils:
    """The service's state."""

    time: FakeTime
    entries: Sequence[tuple[str, date]] = ()
    served: int = 9_999
    key: str = "0123456789abcdef"
    history_lives: int = 1_000_000  # fetches until a history is forgotten
    history_backwards: bool = False
    withheld: frozenset[str] = frozenset()
    retracted: frozenset[str] = frozenset()
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    remarks: str = ""
    on_search: Callable[[int], None] | None = None
    requests: list[tuple[str, dict[str, str], float, str]] = field(default_factory=list)
    histories: dict[str, list[Any]] = field(default_factory=dict)
    address: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # of the last request

    def answer(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        now = self.time.now
        limit = 10 if fields.get("api_key") else 3
        recent = sum(1 for _, _, at, _ in self.requests if now - 1.0 < at <= now)
        if recent > limit:
            return 429, json.dumps({"error": "API rate limit exceeded", "count": str(recent), "limit": str(limit)})
        if fields.get("api_key", self.key) != self.key:
            refusal = {"error": "API key invalid", "api-key": fields["api_key"], "type": "api", "status": "unknown"}
            return 400, json.dumps(refusal)
        return self.search(fields) if path == "esearch.fcgi" else self.fetch(fields)

    def search(self, fields: dict[str, str]) -> tuple[int, str]:
        if not fields.get("term", "").strip():
            return 200, "<eSearchResult><ERROR>Empty term and query_key - nothing todo</ERROR></eSearchResult>"
        if self.on_search is not None:
            self.on_search(sum(path == "esearch.fcgi" for path, *_ in self.requests))
        low, high = date.min, date.max
        if fields.get("datetype") == "edat":
            low, high = (date(*map(int, fields[name].split("/"))) for name in ("mindate", "maxdate"))
        found = [pmid for pmid, entered in self.entries if low <= entered <= high]
        name = f"MCID_{len(self.histories)}"
        self.histories[name] = [found[::-1] if self.history_backwards else found, self.history_lives]
        ids = "".join(f"<Id>{pmid}</Id>" for pmid in found[: min(int(fields.get("retmax", 20)), self.served)])
        remarks = self.remarks
        if len(found) > self.served:
            remarks += (
                f"<WarningList><OutputMessage>Restrictions achieved. start and count adjusted to 0, {self.served}"
                "</OutputMessage></WarningList>"
            )
        return 200, (
            '<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eSearchResult PUBLIC "-//NLM//DTD esearch//EN" '
            f'"http://127.0.0.1:9/esearch.dtd">\n<eSearchResult><Count>{len(found)}</Count><RetMax>0</RetMax>'
            f"<QueryKey>1</QueryKey><WebEnv>{name}</WebEnv><IdList>{ids}</IdList><QueryTranslation>"
            f"{fields['term']}[All Fields]</QueryTranslation>{remarks}</eSearchResult>\n"
        )

    def fetch(self, fields: dict[str, str]) -> tuple[int, str]:
        if "id" in fields:
            asked = fields["id"].split(",")
        else:
            history = self.histories.get(fields.get("WebEnv", ""))
            if history is None or history[1] <= 0:
                return 400, HISTORY_GONE
            history[1] -= 1
            start = int(fields.get("retstart", 0))
            if start > self.served - 1:
                words = f"'retstart' cannot be larger than {self.served - 1}."
                return (
                    400,
                    f"<eFetchResult><ERROR>Search backend cannot retrieve history data. {words}</ERROR></eFetchResult>",
                )
            asked = history[0][start : start + int(fields.get("retmax", 20))]
        known = {pmid for pmid, _ in self.entries}
        given = [pmid for pmid in asked if pmid in known and pmid not in self.withheld]
        if fields.get("retmode") == "text":
            return 200, "\n" + "\n".join(medline(pmid) for pmid in given)
        records = "\n".join(article(pmid, retracted=pmid in self.retracted) for pmid in given)
        return 200, (
            '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" '
            f'"http://127.0.0.1:9/pubmed.dtd">\n<PubmedArticleSet>\n{records}</PubmedArticleSet>'
        )


class Fake(Protocol):
    """What a stand-in has in common with another."""

    time: FakeTime
    faults: list[tuple[str, Fault]]
    requests: list[tuple[str, dict[str, str], float, str]]
    headers: dict[str, str]
    address: str

    def answer(self, path: str, fields: dict[str, str]) -> tuple[int, str]: ...


def fault_for(service: Fake, path: str) -> Fault | None:
    for index, (where, fault) in enumerate(service.faults):
        if where == path:
            del service.faults[index]
            return fault
    return None


def article(pmid: str, *, retracted: bool = False) -> str:
    kinds = (
        '<PublicationTypeList><PublicationType UI="D016441">Retracted Publication</PublicationType>'
        "</PublicationTypeList>"
    )
    return (
        f'<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><ArticleTitle>Invented {pmid} '
        f"中</ArticleTitle>{kinds if retracted else ''}</Article></MedlineCitation></PubmedArticle>"
    )


def medline(pmid: str) -> str:
    return f"PMID- {pmid}\nTI  - Invented {pmid}.\nSO  - Fake J. 2020.\n"


def handler(service: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            path, _, query = self.path.lstrip("/").partition("?")
            self.respond(path, query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("ascii")
            self.respond(self.path.lstrip("/"), body)

        def respond(self, path: str, query: str) -> None:
            fields = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
            service.headers = dict(self.headers)
            service.requests.append((path, fields, service.time.now, f"{self.command} {self.path}"))
            fault = fault_for(service, path) or Fault()
            if fault.silence_s:
                time.sleep(fault.silence_s)
            if fault.hang_up:
                self.close_connection = True
                return
            status, body = (
                (fault.status, fault.body or "")
                if fault.body is not None or fault.status != 200
                else service.answer(path, fields)
            )
            if fault.cut_at is not None:
                body = body[: -fault.cut_at]
            data = body.encode("utf-8")
            try:
                (self.send_response_only if "Date" in fault.headers else self.send_response)(status)
                for name, value in fault.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data) + fault.lost_bytes))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                self.close_connection = True  # the client has given up waiting

    return Handler


FakeT = TypeVar("FakeT", bound=Fake)


@contextmanager
def running(service: FakeT) -> Iterator[FakeT]:
    """Serve on a free port of this machine until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(service))
    server.daemon_threads = True
    service.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
