# SPDX-License-Identifier: Apache-2.0
"""A local stand-in for the Web of Science Starter API, after its public documentation; all records are invented."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.evidence.fake_eutils import FakeTime, Fault


@dataclass
class WosService:
    """The service's state."""

    time: FakeTime
    count: int = 120
    key: str = "wos-key-0123456789"
    quota: int = 1_000
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], float, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    address: str = ""

    def answer(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        if path != "documents":
            return 404, "{}"
        if self.headers.get("X-ApiKey", self.headers.get("X-Apikey")) != self.key:
            return 401, json.dumps({"message": f"Invalid key {self.headers.get('X-Apikey')}"})
        if len(self.requests) > self.quota:
            return 429, json.dumps({"message": "API rate limit exceeded"})
        if fields["q"].count("(") != fields["q"].count(")"):
            return 400, json.dumps(
                {"error": {"status": 400, "title": "Bad Request", "details": "Search Error: parenthesis"}}
            )
        limit, page = int(fields["limit"]), int(fields["page"])
        if not 1 <= limit <= 50:
            return 400, json.dumps({"error": {"status": 400, "title": "limit"}})
        numbers = range((page - 1) * limit, min(page * limit, self.count))
        metadata = {"total": self.count, "page": page, "limit": limit}
        return 200, json.dumps({"metadata": metadata, "hits": [hit(n) for n in numbers]})


def hit(number: int) -> dict[str, Any]:
    return {
        "uid": f"WOS:{number:015d}",
        "title": f"Invented sirolimus study {number}",
        "types": ["Article", "Early Access"] if number % 2 else ["Article"],
        "source": {
            "sourceTitle": "FAKE BLOOD",
            "publishYear": 2021,
            "publishMonth": "MAR-APR",
            "volume": "42",
            "issue": "3",
            "supplement": "1",
            "articleNumber": "101234",
            "pages": {"range": "201-207", "begin": "201", "end": "207", "count": 7},
        },
        "names": {
            "authors": [{"displayName": "Zhang, Wei", "wosStandard": "Zhang, W"}],
            "corp": [{"displayName": "Invented ITP Grp"}],
        },
        "links": {"record": "https://example.invalid/record"},
        "citations": [{"db": "WOS", "count": 1}],
        "identifiers": {
            "doi": "10.99999/Fake.1",
            "issn": "0000-000X",
            "eissn": "1111-1111",
            "pmid": "MEDLINE:99000001",
        },
        "keywords": {"authorKeywords": ["sirolimus", "ITP"]},
    }
