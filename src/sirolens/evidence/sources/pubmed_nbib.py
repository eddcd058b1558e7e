# SPDX-License-Identifier: Apache-2.0
"""Reads PubMed's MEDLINE format (.nbib): one record after another, each from its ``PMID-`` line on.

A line is a mark of up to four characters padded to four, ``- `` and a value; a line that begins with a space goes on
with the value above. Marks that tell nothing a `Record` keeps stay in its raw text. PubMed ends every record with
``SO``: where all records of a file do but the last, the file was cut, and the last line is listed as unparsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, TypeAlias

from sirolens.evidence.record import Author, Notice, NoticeKind, Record
from sirolens.evidence.sources.printed import author, bare_doi, issns, one_line, trial_ids, year_month
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, half_record, stray_lines

_Lines: TypeAlias = tuple[tuple[int, str], ...]

__all__ = ["NAME", "NOTICE_MARKS", "NO_ABSTRACT", "detect", "read", "translated_title"]

NAME: Final = "pubmed-nbib"

NOTICE_MARKS: Final[Mapping[str, NoticeKind]] = {
    "RIN": NoticeKind.RETRACTED_BY,
    "ROF": NoticeKind.RETRACTION_OF,
    "PRIN": NoticeKind.PARTLY_RETRACTED_BY,
    "PROF": NoticeKind.PARTIAL_RETRACTION_OF,
    "EIN": NoticeKind.ERRATUM_IN,
    "EFR": NoticeKind.ERRATUM_FOR,
    "CIN": NoticeKind.COMMENT_IN,
    "CON": NoticeKind.COMMENT_ON,
    "ECI": NoticeKind.CONCERN_IN,
    "ECF": NoticeKind.CONCERN_FOR,
    "UIN": NoticeKind.UPDATE_IN,
    "UOF": NoticeKind.UPDATE_OF,
    "CRI": NoticeKind.REPUBLISHED_IN,
    "RPI": NoticeKind.REPUBLISHED_IN,
    "CRF": NoticeKind.REPUBLISHED_FROM,
    "RPF": NoticeKind.REPUBLISHED_FROM,
}

NO_ABSTRACT: Final = "Abstract available from the publisher."
"""What PubMed prints in the place of an abstract that it does not have."""

# With the line end before it: a search for one fixed character is ten times faster than for ``^``.
_START = re.compile(r"\nPMID- ?(?=\d|\n|\Z)")
_LONGEST_START = 40  # characters that tell whether a text begins with a record
_MARK = re.compile(r"^[A-Z][A-Z0-9]{1,3} {0,2}-(?: |$)", re.MULTILINE)
_UNMARKED = re.compile(r"\n(?:[^A-Z \t]|[A-Z](?![A-Z0-9]{1,3} {0,2}-(?: |$)))", re.MULTILINE)
_SHORT_PII = re.compile(r"[A-Za-z]{0,4}\d{1,9}")
_KEPT = "PMID|TI|BTI|CTI|TT|LA|DP|DEP|PST|LID|AID|PT|JT|TA|IS|VI|IP|PG|PMC|SI|OT|MH|AB|OAB|FAU|AU|CN|SO"
_FIELD = re.compile(rf"^({_KEPT}|{'|'.join(NOTICE_MARKS)}) {{0,2}}-(?: |$)(.*(?:\n[ \t].*)*)", re.MULTILINE)
_NAMES = frozenset({"FAU", "AU", "CN"})
_CUT_NAMES = frozenset({"et al", "et al."})


def detect(head: str) -> int:
    """Tell MEDLINE format by its first line."""
    return SIGNATURE if re.match(r"\s*(?:PMC - \S+\n)?PMID-(?: ?\d|[ \t]*\n[A-Z]{2,4} {0,2}- )", head) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read a file of MEDLINE format.

    Examples
    --------
    >>> text = "PMID- 99000001\nTI  - [Invented\n      title].\nLA  - chi\nTT  - 虚构题目.\nSO  - Fake. 2021.\n"
    >>> (one,) = read(SourceText(name="a.nbib", text=text, encoding="utf-8", sha256="0" * 64))
    >>> one.title, one.title_vernacular, one.title_translated
    ('Invented title.', '虚构题目.', True)
    """
    starts = _starts(file.text)
    before = file.text[: starts[0]] if starts else file.text
    headless = _MARK.search(before) is not None
    if before.strip():
        lead = before[: len(before) - len(before.lstrip())]
        yield (half_record if headless else stray_lines)(1 + lead.count("\n"), before.strip())
    line, closed = 1 + before.count("\n"), bool(starts)
    for ordinal, (start, end) in enumerate(pairwise(starts and [*starts, len(file.text)]), 1 + headless):
        whole = file.text[start:end]
        raw = whole.rstrip()
        fields, names, strays = _fields(raw, line)
        last_line = line + raw.count("\n")
        if not any(fields.get(mark) for mark in ("TI", "BTI", "TT", "CTI")):
            yield half_record(line, raw)
        else:
            if end == len(file.text) and len(starts) > 1 and closed and "SO" not in fields:
                strays = (*strays, (last_line, raw.rpartition("\n")[2]))
            values = _record_values(fields, names)
            yield file.record(NAME, ordinal, (line, last_line), raw, **values, unparsed=strays)
        closed = closed and "SO" in fields
        line += whole.count("\n")


def _starts(text: str) -> list[int]:
    """Return where records begin: at ``PMID-``, or at the ``PMC`` line above it, as PubMed Central begins them."""
    starts = [0] if _START.match("\n" + text[:_LONGEST_START]) else []
    for match in _START.finditer(text):
        above = text.rfind("\n", 0, match.start()) + 1
        first = text.startswith("PMC - ", above) and (above < 2 or text.startswith("\n\n", above - 2))
        starts.append(above if first else match.start() + 1)
    return starts


def _fields(raw: str, first_line: int) -> tuple[dict[str, list[str]], list[tuple[str, str]], _Lines]:
    """Cut a record into its values by mark, continued lines joined; its names in order; the lines that have no mark."""
    fields: dict[str, list[str]] = {}
    names = []
    strays: _Lines = ()
    if _UNMARKED.search(raw):
        raw, strays = _without_strays(raw, first_line)
    for mark, value in _FIELD.findall(raw):
        value = one_line(value) if "\n" in value else value.strip()
        if mark in fields:
            fields[mark].append(value)
        else:
            fields[mark] = [value]
        if mark in _NAMES:
            names.append((mark, value))
    return fields, names, strays


def _without_strays(raw: str, first_line: int) -> tuple[str, _Lines]:
    """Set lines apart that have no mark and do not go on with a marked one."""
    kept, strays, open_field = [], [], False
    for number, line in enumerate(raw.split("\n"), first_line):
        marked = _MARK.match(line) is not None
        if marked or (open_field and line[:1] in (" ", "\t") and line.strip()):
            kept.append(line)
            open_field = True
        else:
            open_field = False
            if line.strip():
                strays.append((number, line))
    return "\n".join(kept), tuple(strays)


def _record_values(fields: Mapping[str, Sequence[str]], names: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Turn the values by mark into the fields of a `Record`."""

    def first(mark: str) -> str:
        values = fields.get(mark)
        return values[0] if values else ""

    languages = tuple(fields.get("LA", ()))
    title, translated = translated_title(first("TI") or first("BTI") or first("CTI"), languages)
    authors, cut = _authors(names)
    year, month = year_month(first("DP"))
    online = first("PST").lower() == "aheadofprint"
    if year is None and "DEP" in fields:
        year, month = year_month(first("DEP"))
        online = year is not None
    places = [*fields.get("LID", ()), *fields.get("AID", ())]
    kinds = tuple(fields.get("PT", ()))
    told = [mark for mark in fields if mark in NOTICE_MARKS]
    notices = tuple(_notice(NOTICE_MARKS[mark], value) for mark in told for value in fields[mark])
    return {
        "title": title,
        "title_vernacular": first("TT"),
        "title_translated": translated,
        "authors": authors,
        "authors_cut": cut,
        "year": year,
        "month": month,
        "online_first": online,
        "journal": first("JT") or (first("BTI") if first("TI") else ""),
        "journal_abbreviation": first("TA"),
        "issn": issns(*fields.get("IS", ())),
        "volume": first("VI"),
        "issue": first("IP"),
        "pages": first("PG"),
        "article_number": _article_number(places, first("PG")),
        "doi": next((bare_doi(place) for place in places if place.endswith("[doi]")), ""),
        "pmid": first("PMID"),
        "pmcid": first("PMC"),
        "trial_ids": trial_ids(*fields.get("SI", ())),
        "accession": next((place.partition(" [")[0] for place in places if place.endswith("[bookaccession]")), ""),
        "languages": languages,
        "kinds": kinds,
        "keywords": (*fields.get("OT", ()), *fields.get("MH", ())),
        "abstract": first("AB") or ("" if first("OAB").endswith(NO_ABSTRACT) else first("OAB")),
        "notices": notices,
        "retracted": "Retracted Publication" in kinds or bool(fields.get("RIN")),
    }


def translated_title(title: str, languages: Sequence[str]) -> tuple[str, bool]:
    """Take off the brackets that PubMed puts around its own translation of a title.

    They are PubMed's when one pair holds the whole title and the paper is not in English alone.

    >>> translated_title("[Invented title].", ["chi"]), translated_title("[18F]FDG in an [invented] study.", ["chi"])
    (('Invented title.', True), ('[18F]FDG in an [invented] study.', False))
    >>> translated_title("[Invented].", ["eng"])
    ('[Invented].', False)
    """
    match = re.fullmatch(r"\[(?P<inside>.*)\](?P<dot>\.?)", title, re.DOTALL)
    if match is None or (languages and all(language.lower() in ("eng", "english") for language in languages)):
        return title, False
    depth = 0
    for character in match["inside"]:
        depth += (character == "[") - (character == "]")
        if depth < 0:
            return title, False
    return match["inside"] + ("" if match["inside"].endswith(".") else match["dot"]), True


def _authors(names: Sequence[tuple[str, str]]) -> tuple[tuple[Author, ...], bool]:
    """Return the authors in order, each full name with the short one that follows it, and whether the list was cut."""
    authors: list[Author] = []
    cut = False
    full = ""
    for mark, value in [*names, ("CN", "")]:
        if mark != "AU" and full:
            authors.append(author(full))
            full = ""
        if value.lower() in _CUT_NAMES:
            cut = True
        elif not value:
            continue
        elif mark == "FAU":
            full = value
        elif mark == "AU":
            authors.append(_author(full, value))
            full = ""
        else:
            authors.append(Author(printed=value, collective=True))
    return tuple(authors), cut


def _author(full: str, short: str) -> Author:
    """Join the two forms of one name: "Zhang, Wei" and "Zhang W"."""
    if not full:
        return author(short)
    family, comma, given = full.partition(", ")
    _, space, initials = short.rpartition(" ")
    if comma and space:
        return Author(printed=full, family=family, given=given, initials=initials)
    found = author(full)
    return replace(found, initials=initials) if space else found


def _article_number(places: Sequence[str], pages: str) -> str:
    """Return the article's number: the publisher's item number where it stands in the place of pages."""
    for place in places:
        number, _, kind = place.rpartition(" [")
        if kind == "pii]" and _SHORT_PII.fullmatch(number) and pages in ("", number):
            return number
    return ""


def _notice(kind: NoticeKind, printed: str) -> Notice:
    pmid = re.search(r"PMID: ?(\d+)", printed)
    return Notice(kind=kind, printed=printed, pmid=pmid[1] if pmid else "", doi=bare_doi(printed))
