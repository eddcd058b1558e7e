# SPDX-License-Identifier: Apache-2.0
"""Invented records for the tests of deduplication: short to write, and the bilingual set read from its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sirolens.evidence.dedup.deduplicate import Duplicates, deduplicate
from sirolens.evidence.record import Author, Position, Record

BILINGUAL = Path(__file__).parent / "data" / "dedup" / "bilingual.jsonl"
TITLE = "Sirolimus for relapsed immune thrombocytopenia in an invented hospital"


def who(text: str) -> tuple[Author, ...]:
    """Authors of a text such as ``"Doe J; 张伟; Roe, Richard"``."""
    found = []
    for printed in filter(None, (part.strip() for part in text.split(";"))):
        family, comma, given = printed.partition(", ")
        found.append(Author(printed=printed, family=family, given=given) if comma else Author(printed=printed))
    return tuple(found)


def record(name: str, **told: Any) -> Record:
    """One invented record: by default a paper by Doe and Roe in Invented Blood 2020;7(2):11-19."""
    place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    fields: dict[str, Any] = {
        "title": TITLE,
        "authors": "Doe J; Roe R",
        "year": 2020,
        "journal": "Invented Blood",
        "volume": "7",
        "issue": "2",
        "pages": "11-19",
    } | told
    fields["authors"] = who(fields["authors"])
    return Record(id=name, source=fields.pop("source", "ris"), position=place, raw="", **fields)


def merged(*records: Record, **options: Any) -> bool:
    """Whether all records come out as one."""
    return len(deduplicate(records, **options).clusters) == 1


def clusters(found: Duplicates) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(cluster.members) for cluster in found.clusters)


def bilingual() -> list[dict[str, Any]]:
    """The pairs of the set, each with its two records under ``records``."""
    pairs = [json.loads(line) for line in BILINGUAL.read_text(encoding="utf-8").splitlines()]
    for pair in pairs[1:]:
        pair["records"] = tuple(_from(f"{pair['pair']}-{side}", pair[side]) for side in ("en", "zh"))
    return pairs[1:]


def _from(name: str, told: dict[str, Any]) -> Record:
    names = (
        "title",
        "title_translated",
        "journal",
        "year",
        "volume",
        "issue",
        "pages",
        "doi",
        "pmid",
        "issn",
        "database",
    )
    fields = {key: told.get(key, "" if key != "title_translated" else False) for key in names}
    return record(
        name,
        **fields,
        authors="; ".join(told["authors"]),
        authors_cut=told.get("cut", False),
        title_vernacular=told.get("vernacular", ""),
        languages=(told["language"],),
        source=told["source"],
    )
