# SPDX-License-Identifier: Apache-2.0
"""What the two-letter tags of Web of Science mean, for its tagged and its tab-delimited files alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sirolens.evidence.record import Author
from sirolens.evidence.sources.printed import author, bare_doi, is_cut, issns, says_retracted, year_month

__all__ = ["JOINED", "TAGS", "wos_values"]

_COMMON = "PT AU AF CA BA BF BE GP ED TI SO SE BS LA DT DE ID AB C1 C3 RP EM RI OI FU FP FX CR NR TC PU PI PA SN EI BN"
_PLACE = "J9 JI PD PY VL IS PN SU SI MA BP EP AR DI D2 DL EA EY PG P2 WC WE SC GA UT PM OA HC HP DA ER"
_EVENT = "CT CY CL SP HO U1 U2 Z1 Z2 Z3 Z4 Z5 Z6 Z7 Z8 Z9"
TAGS: Final = frozenset(f"{_COMMON} {_PLACE} {_EVENT}".split())
"""Tags met in exports; others are unread lines of a tagged file and unknown columns of a table."""

JOINED: Final = frozenset({"AU", "AF", "BA", "BF", "BE", "CA", "C1", "C3", "RP", "CR"})
"""Tags with one value a line in tagged files and ``; `` between values in tables."""


def wos_values(fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Turn values by tag into the fields of a `Record`.

    Parameters
    ----------
    fields : mapping of str to sequence of str
        Each author a value; every other tag one value, an abstract's paragraphs apart by line ends.

    Examples
    --------
    >>> one = wos_values({"DT": ["Article; Early Access"], "EA": ["JAN 2026"], "BP": ["1"], "EP": ["9"]})
    >>> one["year"], one["month"], one["online_first"], one["pages"]
    (2026, 1, True, '1-9')
    """

    def first(tag: str) -> str:
        values = fields.get(tag)
        return values[0] if values else ""

    kinds = _parts(first("DT"))
    year, month = year_month(f"{first('PY')} {first('PD')}")
    online = any(kind.lower() == "early access" for kind in kinds)
    if year is None:
        year, month = year_month(first("EA") or first("EY"))
        online = online or year is not None
    authors, cut = _authors(fields)
    supplement = " ".join(filter(None, (first("IS"), f"Suppl. {first('SU')}" if first("SU") else "")))
    return {
        "title": first("TI"),
        "authors": authors,
        "authors_cut": cut,
        "year": year,
        "month": month,
        "online_first": online,
        "journal": first("SO"),
        "journal_abbreviation": first("JI") or first("J9"),
        "issn": issns(first("SN"), first("EI")),
        "volume": first("VL"),
        "issue": supplement,
        "pages": "-".join(filter(None, (first("BP"), first("EP")))),
        "article_number": first("AR"),
        "doi": bare_doi(first("DI") or first("D2")),
        "pmid": first("PM"),
        "wos_id": first("UT"),
        "languages": _parts(first("LA")),
        "kinds": kinds,
        "keywords": (*_parts(first("DE")), *_parts(first("ID"))),
        "abstract": first("AB"),
        "retracted": says_retracted(first("TI"), kinds),
    }


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _authors(fields: Mapping[str, Sequence[str]]) -> tuple[tuple[Author, ...], bool]:
    """Return authors with full names where they are printed, those of a book where there are no others, then groups."""
    short = list(fields.get("AU") or fields.get("BA") or ())
    full = list(fields.get("AF") or fields.get("BF") or ())
    cut = is_cut(short)
    is_cut(full)
    if len(full) == len(short):
        people = [_author(long, name) for long, name in zip(full, short, strict=True)]
    else:
        people = [author(name) for name in short or full]
    groups = [Author(printed=name, collective=True) for name in fields.get("CA", ())]
    return (*people, *groups), cut


def _author(full: str, short: str) -> Author:
    """Join "Zhang, Wei" and "Zhang, W", which prints the initials."""
    family, comma, given = (part.strip() for part in full.partition(","))
    _, _, initials = (part.strip() for part in short.partition(","))
    if not comma:
        return author(full)
    return Author(printed=full, family=family, given=given, initials=initials)
