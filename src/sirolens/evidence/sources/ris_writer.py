# SPDX-License-Identifier: Apache-2.0
"""Writing RIS: what the format has tags for in its tags, the rest in notes (N1) that our own reader understands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sirolens.evidence.record import Record
from sirolens.evidence.sources.printed import plain_line, plain_paragraphs

__all__ = ["write"]

_CODE = re.compile(r"[A-Z]{3,6}")
_PAGES = re.compile(r"([^\s-]+)-([^\s-]+)")
_OTHER_NUMBER = re.compile(r"WOS:|(?:PUBMED |PMID:? ?)?\d{1,8}$")  # in AN it would be read as another number
_TAG_LIKE = re.compile(r"^(?=[A-Z][A-Z0-9] {0,3}-|ER$|Link to)", re.M)


def write(records: Iterable[Record]) -> str:
    r"""Write records as one RIS text.

    Texts are kept; line breaks in them become spaces, but for paragraphs of the abstract. A semicolon inside a keyword
    ends it, as the format has it.

    >>> from sirolens.evidence.record import Position
    >>> place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    >>> write([Record(id="r-1", source="ris", position=place, raw="", title="Invented", year=2023, pmid="99000001")])
    'TY  - JOUR\nTI  - Invented\nPY  - 2023\nN1  - PMID: 99000001\nER  - \n\n'
    """
    return "".join("".join(f"{tag}  - {value}\n" for tag, value in _lines(record)) + "ER  - \n\n" for record in records)


def _lines(record: Record) -> Iterator[tuple[str, str]]:
    kinds = list(record.kinds)
    yield "TY", kinds.pop(0) if kinds and _CODE.fullmatch(kinds[0]) and kinds[0] != "JOUR" else "JOUR"
    for tag, text in _texts(record, kinds):
        line = plain_line(text)
        if line:
            yield tag, line
    abstract = plain_paragraphs(record.abstract)
    if abstract:
        yield "AB", _TAG_LIKE.sub(" ", abstract)
    for note in _notes(record):
        yield "N1", plain_line(note)


def _texts(record: Record, kinds: list[str]) -> Iterator[tuple[str, str]]:
    yield "TI", record.title
    yield "TT", record.title_vernacular
    for author in record.authors:
        yield "AU", author.printed
    yield "JF", record.journal
    yield "JA", record.journal_abbreviation
    if record.year is not None:
        yield "PY", str(record.year)
        if record.month is not None:
            yield "DA", f"{record.year}/{record.month:02d}/"
    yield "VL", record.volume
    yield "IS", record.issue
    pages = _PAGES.fullmatch(plain_line(record.pages))
    if pages is not None and pages[1] != pages[2]:
        yield "SP", pages[1]
        yield "EP", pages[2]
    else:
        yield "SP", record.pages
    yield "C7", record.article_number
    yield "SN", record.issn
    yield "DO", record.doi
    yield "UR", record.url
    for language in record.languages:
        yield "LA", language
    for kind in kinds:
        yield "M3", kind
    for keyword in record.keywords:
        yield "KW", keyword
    yield "DB", record.database
    if not _OTHER_NUMBER.match(record.accession):
        yield "AN", record.accession


def _notes(record: Record) -> Iterator[str]:
    for name, value in (("PMID", record.pmid), ("PMCID", record.pmcid), ("WOS", record.wos_id)):
        if value:
            yield f"{name}: {value}"
    if record.accession and _OTHER_NUMBER.match(record.accession):
        yield f"Accession: {record.accession}"
    for trial in record.trial_ids:
        yield f"Trial registration: {trial}"
    for notice in record.notices:
        yield f"Notice: {notice.kind} | {notice.printed.replace('|', '/')} | {notice.pmid} | {notice.doi}"
    for name, holds in (
        ("Online first", record.online_first),
        ("Title is a translation", record.title_translated),
        ("Author list is cut", record.authors_cut),
        ("Retracted", record.retracted),
    ):
        if holds:
            yield name
