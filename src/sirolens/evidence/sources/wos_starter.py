# SPDX-License-Identifier: Apache-2.0
"""Reads answers of the Web of Science Starter API, as our own search saves them (a hit a line) or as they came.

The names (``uid``, ``source.sourceTitle``, ``names.authors`` ...) were seen in the documentation of the publisher's own
public client, not in an answer. The service hands out no abstracts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sirolens.evidence.record import Author, Record
from sirolens.evidence.sources.json_pieces import pieces
from sirolens.evidence.sources.printed import author, bare_doi, issns, says_retracted, year_month
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, half_record, heading, stray_lines

__all__ = ["NAME", "detect", "hit_values", "read"]

NAME: Final = "wos-starter"

_HIT = re.compile(r'\{\s*"uid"\s*:\s*"[A-Z]+:')
_FRAME = re.compile(r'(?:[\s{}\[\],:]|"(?:metadata|hits|total|page|limit)"|\d++)*+')


def detect(head: str) -> int:
    """Tell the service's JSON by a hit in it."""
    return SIGNATURE if head.lstrip()[:1] in ("{", "[") and _HIT.search(head) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read the service's answers.

    Examples
    --------
    >>> text = '{"uid": "WOS:000000000000001", "title": "Invented", "source": {"publishYear": 2021}}'
    >>> (one,) = read(SourceText(name="a.json", text=text, encoding="utf-8", sha256="0" * 64))
    >>> one.wos_id, one.title, one.year
    ('WOS:000000000000001', 'Invented', 2021)
    """
    ordinal = 0
    for piece in pieces(file.text, _HIT):
        if not piece.is_record:
            yield (heading if _FRAME.fullmatch(piece.raw) else stray_lines)(piece.first_line, piece.raw)
            continue
        ordinal += 1
        if piece.value is None:
            yield half_record(piece.first_line, piece.raw)
        else:
            lines = (piece.first_line, piece.first_line + piece.raw.count("\n"))
            yield file.record(NAME, ordinal, lines, piece.raw, **hit_values(piece.value))


def hit_values(hit: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a hit into the fields of a `Record`; what has another shape than described is left empty."""
    source, numbers = _object(hit, "source"), _object(hit, "identifiers")
    pages = _object(source, "pages")
    uid = _text(hit, "uid")
    kinds = _texts(hit.get("types")) or _texts(hit.get("sourceTypes"))
    year, month = year_month(f"{_text(source, 'publishYear')} {_text(source, 'publishMonth')}")
    supplement = _text(source, "supplement")
    range_ = "-".join(filter(None, (_text(pages, "begin"), _text(pages, "end"))))
    title = _text(hit, "title")
    pmid = re.search(r"\d+", _text(numbers, "pmid"))
    links = _object(hit, "links")
    return {
        "title": title,
        "authors": tuple(_authors(_object(hit, "names"))),
        "year": year,
        "month": month,
        "online_first": any(kind.lower() == "early access" for kind in kinds),
        "journal": _text(source, "sourceTitle"),
        "issn": issns(_text(numbers, "issn"), _text(numbers, "eissn")),
        "volume": _text(source, "volume"),
        "issue": " ".join(filter(None, (_text(source, "issue"), f"Suppl. {supplement}" if supplement else ""))),
        "pages": _text(pages, "range") or range_,
        "article_number": _text(source, "articleNumber"),
        "doi": bare_doi(_text(numbers, "doi")),
        "pmid": pmid[0] if pmid else "",
        "wos_id": uid if uid.startswith("WOS:") else "",
        "accession": "" if uid.startswith("WOS:") else uid,
        "database": uid.partition(":")[0],
        "kinds": kinds,
        "keywords": _texts(_object(hit, "keywords").get("authorKeywords")),
        "url": _text(links, "record"),
        "retracted": says_retracted(title, kinds),
    }


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}


def _text(parent: Mapping[str, Any], name: str) -> str:
    found = parent.get(name)
    return " ".join(str(found).split()) if isinstance(found, str | int) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(" ".join(one.split()) for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _authors(names: Mapping[str, Any]) -> Iterator[Author]:
    """Yield the authors, then the groups."""
    for kind in ("authors", "bookCorp", "corp"):
        listed = names.get(kind)
        for one in listed if isinstance(listed, list) else ():
            printed = _text(one, "displayName") if isinstance(one, dict) else ""
            if printed:
                yield author(printed) if kind == "authors" else Author(printed=printed, collective=True)
