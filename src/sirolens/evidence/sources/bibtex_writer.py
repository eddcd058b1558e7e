# SPDX-License-Identifier: Apache-2.0
"""Writing BibTeX in UTF-8: every special character escaped, so that no title can break the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sirolens.evidence.record import Record
from sirolens.evidence.sources.latex import to_latex
from sirolens.evidence.sources.printed import plain_line, plain_paragraphs

__all__ = ["write"]


def write(records: Iterable[Record]) -> str:
    r"""Write records as one BibTeX text.

    Standard fields where there are any; the rest in fields that BibTeX leaves alone (``pmid``, ``registration``,
    ``marks``, ``notices``). A semicolon inside a keyword ends it.

    >>> from sirolens.evidence.record import Position
    >>> place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    >>> print(write([Record(id="r-1", source="ris", position=place, raw="", title="5 % of {x}", year=2023)]))
    @misc{r-1,
      title = {5 \% of \textbraceleft{}x\textbraceright{}},
      year = {2023},
    }
    <BLANKLINE>
    """
    return "".join(_entry(record) for record in records)


def _entry(record: Record) -> str:
    key = re.sub(r"[^A-Za-z0-9-]", "", record.id) or "record"
    fields = "".join(f"  {name} = {{{value}}},\n" for name, value in _fields(record) if value)
    return f"@{'article' if record.journal else 'misc'}{{{key},\n{fields}}}\n\n"


def _fields(record: Record) -> Iterator[tuple[str, str]]:
    yield "title", _plain(record.title)
    yield "vernaculartitle", _plain(record.title_vernacular)
    yield "author", " and ".join(_names(record))
    yield "journal", _plain(record.journal)
    yield "shortjournal", _plain(record.journal_abbreviation)
    yield "year", "" if record.year is None else str(record.year)
    yield "month", "" if record.year is None or record.month is None else str(record.month)
    yield "volume", _plain(record.volume)
    yield "number", _plain(record.issue)
    yield "pages", _plain(record.pages).replace("-", "--")
    yield "eid", _plain(record.article_number)
    for name in ("issn", "doi", "url", "pmid", "pmcid", "accession", "database"):
        yield name, _plain(getattr(record, name))
    yield "wosid", _plain(record.wos_id)
    yield "registration", _plain("; ".join(record.trial_ids))
    yield "language", _listed(record.languages)
    yield "type", _listed(record.kinds)
    yield "keywords", _listed(record.keywords)
    yield "marks", _listed(tuple(_marks(record)))
    yield "notices", _listed(tuple(_notices(record)))
    yield "abstract", to_latex(plain_paragraphs(record.abstract))


def _plain(text: str) -> str:
    return to_latex(plain_line(text))


def _names(record: Record) -> Iterator[str]:
    for author in record.authors:
        name = _plain(author.printed)
        if name:
            yield f"{{{name}}}" if author.collective or re.search(r"\band\b|^others$", name, re.I) else name
    if record.authors_cut:
        yield "others"


def _listed(words: tuple[str, ...]) -> str:
    """Join the members of a list; one member with a comma is closed by a semicolon, which shows that it is one."""
    kept = [word for word in map(_plain, words) if word]
    return "; ".join(kept) + (";" if len(kept) == 1 and "," in kept[0] else "")


def _marks(record: Record) -> Iterator[str]:
    if record.online_first:
        yield "online first"
    if record.title_translated:
        yield "translated title"
    if record.retracted:
        yield "retracted"
    if record.authors_cut and not record.authors:
        yield "authors cut"


def _notices(record: Record) -> Iterator[str]:
    for notice in record.notices:
        printed = re.sub(r"[|;]", "/", notice.printed)
        yield f"{notice.kind} | {printed} | {notice.pmid} | {notice.doi}"
