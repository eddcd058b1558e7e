# SPDX-License-Identifier: Apache-2.0
"""Writes records in PubMed's MEDLINE format (.nbib), which reference managers and screening programs read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from sirolens.evidence.record import Author, NoticeKind, Record
from sirolens.evidence.sources.pubmed_nbib import NOTICE_MARKS

__all__ = ["write_nbib"]

_WIDTH: Final = 82  # characters of a value on a line, as PubMed breaks it
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARK_OF: Final[dict[NoticeKind, str]] = {}
for _mark, _kind in NOTICE_MARKS.items():
    _MARK_OF.setdefault(_kind, _mark)
_BREAKS = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_SINGLE_SPACE = re.compile(r"(?<!\s) (?!\s)")


def write_nbib(records: Iterable[Record]) -> str:
    r"""Write records as one MEDLINE file.

    Paragraphs of an abstract become one, as in PubMed's own files. The format has no place for a Web of Science number,
    an accession number, a database's name and an address: they are left out. A record without PMID has an empty
    ``PMID-`` line, since that line is what begins a record.

    Parameters
    ----------
    records : iterable of Record

    Examples
    --------
    >>> from sirolens.evidence.record import Author, Position
    >>> place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    >>> one = Record(id="r-0", source="ris", position=place, raw="", pmid="99000001", title="Invented", year=2021)
    >>> print(write_nbib([one]), end="")
    PMID- 99000001
    DP  - 2021
    TI  - Invented
    SO  - 2021
    """
    return "\n".join("".join(_line(mark, value) for mark, value in _values(record)) for record in records)


def _line(mark: str, value: str) -> str:
    flat = _BREAKS.sub(" ", value).strip()
    if len(flat) > _WIDTH:
        flat = "\n      ".join(_wrapped(flat))
    return f"{mark:<4}- {flat}".rstrip() + "\n"


def _wrapped(text: str) -> Iterator[str]:
    """Yield the lines of a long value, broken at single spaces, which reading puts back; words stay whole."""
    line = ""
    for word in _SINGLE_SPACE.split(text):
        if line and len(line) + len(word) >= _WIDTH:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _values(record: Record) -> Iterator[tuple[str, str]]:
    """Yield mark and value in PubMed's order; what the record does not have is left out."""
    yield "PMID", record.pmid
    for number in record.issn.split():
        yield "IS", number
    date = f"{record.year} {_MONTHS[record.month or 0]}".rstrip() if record.year else ""
    title = f"[{record.title}]" if record.title_translated else record.title
    pairs = [
        ("VI", record.volume),
        ("IP", record.issue),
        ("DP", date),
        ("TI", title),
        ("PG", record.pages),
        ("LID", f"{record.article_number} [pii]" if record.article_number else ""),
        ("LID", f"{record.doi} [doi]" if record.doi else ""),
        ("AB", record.abstract),
    ]
    yield from ((mark, value) for mark, value in pairs if value)
    for author in record.authors:
        yield from _author(author)
    if record.authors_cut:
        yield "AU", "et al."
    yield from (("LA", language) for language in record.languages)
    yield from (("SI", number) for number in record.trial_ids)
    yield from (("PT", kind) for kind in record.kinds)
    told = "Retracted Publication" in record.kinds or any(
        notice.kind is NoticeKind.RETRACTED_BY for notice in record.notices
    )
    if record.retracted and not told:
        yield "PT", "Retracted Publication"
    tail = [
        ("TT", record.title_vernacular),
        ("TA", record.journal_abbreviation),
        ("JT", record.journal),
        *((_MARK_OF[notice.kind], _notice_text(notice.printed, notice.pmid, notice.doi)) for notice in record.notices),
        *(("OT", keyword) for keyword in record.keywords),
        ("PMC", record.pmcid),
        ("PST", "aheadofprint" if record.online_first else ""),
    ]
    yield from ((mark, value) for mark, value in tail if value)
    source = ". ".join(filter(None, (record.journal_abbreviation or record.journal, date)))
    yield "SO", source or "-"


def _author(author: Author) -> Iterator[tuple[str, str]]:
    if author.collective:
        yield "CN", author.printed
        return
    if author.given or not author.initials:
        yield "FAU", author.printed
    if author.initials:
        yield "AU", f"{author.family or author.printed} {author.initials}"


def _notice_text(printed: str, pmid: str, doi: str) -> str:
    parts = [printed]
    if doi and doi not in printed.lower():
        parts.append(f"doi: {doi}.")
    if pmid and f"PMID: {pmid}" not in printed:
        parts.append(f"PMID: {pmid}")
    return " ".join(filter(None, parts))
