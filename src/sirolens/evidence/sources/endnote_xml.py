# SPDX-License-Identifier: Apache-2.0
"""EndNote's XML (also written by reference managers and by deduplication tools): texts in one or many styles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element

from sirolens.evidence.record import Record
from sirolens.evidence.sources.printed import (
    author,
    bare_doi,
    is_cut,
    issns,
    one_line,
    paragraphs,
    says_retracted,
    trial_ids,
    year_month,
)
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, heading, stray_lines
from sirolens.evidence.sources.xml_events import pieces

__all__ = ["NAME", "detect", "read"]

NAME: Final = "endnote-xml"

_ROOT = re.compile(r"<xml>\s*<records|<records>\s*<record>|<record>\s*<database\b")
_FRAME = re.compile(
    r"(?:\s++|<\?xml[^>]*\?>|<!--(?:(?!-->).)*+-->|<!DOCTYPE[^>]*>|</?(?:xml|records)[^<>]*>)*+\Z", re.S
)
_PLAIN_KINDS: Final = ("journal article",)  # says nothing that a record without a kind does not


def detect(head: str) -> int:
    """Score the beginning of a file: the frame of EndNote's records.

    >>> detect("<?xml version='1.0'?><xml><records><record>"), detect("<PubmedArticleSet>")
    (100, 0)
    """
    return SIGNATURE if head.lstrip().startswith("<") and _ROOT.search(head) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read a file record by record; one that is not well formed is told and the others are read.

    Raises
    ------
    InputError
        The file defines an entity.
    """
    ordinal = 0
    for piece in pieces(file.text, ["record"], file=file.name):
        if not piece.tag:
            yield (heading if _FRAME.match(piece.raw) else stray_lines)(piece.first_line, piece.raw)
            continue
        ordinal += 1
        lines = (piece.first_line, piece.last_line)
        if piece.element is None:
            if piece.fault is not None:
                yield Unread(
                    first_line=lines[0], last_line=lines[1], raw=piece.raw, reason=piece.fault, counts_as_record=True
                )
            continue
        yield file.record(NAME, ordinal, lines, piece.raw, **_fields(piece.element))


def _text(element: Element | None) -> str:
    """Return an element's text, the styles joined as they stand."""
    return "" if element is None else "".join(element.itertext())


def _fields(record: Element) -> dict[str, Any]:
    def said(*paths: str) -> str:
        return next((text for path in paths if (text := one_line(_text(record.find(path))))), "")

    def each(path: str) -> list[str]:
        return [text for element in record.findall(path) if (text := one_line(_text(element)))]

    names = each("contributors/authors/author")
    cut = is_cut(names)
    kinds = [kind for kind in (_kind(record), said("work-type")) if kind]
    links = each("urls/related-urls/url") + each("urls/web-urls/url") + each("urls/text-urls/url")
    year, month = year_month(said("dates/year"))
    if year is None:
        year, month = year_month(said("dates/pub-dates/date"))
    elif month is None:
        month = year_month(f"{year} {said('dates/pub-dates/date')}")[1]
    doi = bare_doi(said("electronic-resource-num")) or next(
        (bare_doi(link) for link in links if "doi.org/" in link), ""
    )
    fields: dict[str, Any] = {
        "title": said("titles/title"),
        "title_vernacular": said("titles/translated-title", "translated-title"),
        "authors": tuple(map(author, names)),
        "authors_cut": cut,
        "year": year,
        "month": month,
        "journal": said("periodical/full-title", "titles/secondary-title"),
        "journal_abbreviation": said("periodical/abbr-1", "titles/alt-title", "alt-periodical/full-title"),
        "volume": said("volume"),
        "issue": said("number", "issue"),
        "pages": said("pages"),
        "article_number": said("custom7"),
        "issn": issns(said("isbn", "issn")),
        "doi": doi,
        "keywords": tuple(each("keywords/keyword")),
        "languages": tuple(each("language")),
        "kinds": tuple(kinds),
        "abstract": paragraphs(_text(record.find("abstract"))),
        "url": next(iter(links), ""),
        "database": said("remote-database-name", "remote-database-provider"),
    }
    fields.update(_numbers(said("accession-num"), fields["database"]))
    fields["retracted"] = says_retracted(fields["title"], kinds)
    found = trial_ids(said("accession-num"), said("custom1"), said("label"))
    if found:
        fields["trial_ids"] = found
    return fields


def _kind(record: Element) -> str:
    """Return the printed name of the type; a plain journal article needs none."""
    element = record.find("ref-type")
    name = "" if element is None else (element.get("name") or "").strip()
    return "" if name.lower() in _PLAIN_KINDS else name


def _numbers(number: str, database: str) -> dict[str, str]:
    if not number:
        return {}
    if number.startswith("WOS:"):
        return {"wos_id": number}
    if re.fullmatch(r"\d{1,8}", number) and re.search(r"pubmed|medline|\bnlm\b", database, re.I):
        return {"pmid": number}
    return {"accession": number}
