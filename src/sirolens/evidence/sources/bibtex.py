# SPDX-License-Identifier: Apache-2.0
r"""BibTeX: entries with nested braces, strings joined by ``#``, LaTeX accents, lists cut by ``and others``.

A cross reference is told and not followed: what an entry does not say itself, its record does not say. An entry whose
braces never close ends where the next one begins and is told as half a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sirolens.evidence.record import Author, Notice, NoticeKind, Record
from sirolens.evidence.sources.latex import from_latex
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
from sirolens.evidence.sources.text import SIGNATURE, WEAK, SourceText, Unread, half_record, heading, stray_lines

__all__ = ["NAME", "detect", "read"]

NAME: Final = "bibtex"

_ENTRY = re.compile(r"^[ \t]*@[ \t]*([A-Za-z]+)[ \t]*([{(])", re.M)
_BRACE = re.compile(r"[{}]")
_BRACE_OR_ENTRY = re.compile(r"^[ \t]*@[ \t]*[A-Za-z]+[ \t]*\{|[{}()]|\\.", re.M)
# Possessive and bound to the beginning of a word: the time stays proportional to the text whatever stands in it.
_KEY = re.compile(r"\s*+([^,\s{}()=]*+)\s*+,")
_NAME = re.compile(r"(?<![^\s,={}\"#])([^\s,={}\"#]++)\s*+=\s*+")
_BARE = re.compile(r"[^\s,#{}\"]+")
_AND = re.compile(r"[{}]|(?<!\s)\s++and(?=\s)", re.I)
_JOIN = re.compile(r"\s*#\s*")
_QUOTE_OR_BRACE = re.compile(r'[{}"]')
_FIRST_LAST = re.compile(r"([^a-z\s]\S*(?: [^a-z\s]\S*)*?) ((?:[a-z]\S* )*\S+)")
_NO_RECORDS: Final = ("string", "comment", "preamble")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_NAME: Final = 200  # characters; what is longer is no name of a person
_KINDS: Final = ("article", "misc")  # types that say nothing
_KNOWN: Final = frozenset(
    re.findall(
        r"\S+",
        """
        author title journal journaltitle booktitle shortjournal journalabbrev year date month volume number issue pages
        eid article-number articleno doi url issn eissn pmid pmcid abstract keywords keyword author_keywords language
        langid type title_translation translatedtitle vernaculartitle accession unique-id wosid registration database
        notices marks journal-iso abbrev_source_title
        """,
    )
)
# Known, and nothing that a record keeps.
_IDLE: Final = frozenset(
    re.findall(
        r"\S+",
        """
        editor publisher address school institution organization series edition chapter howpublished annote key isbn
        note file urldate timestamp owner groups copyright day location affiliation affiliations eprint eprinttype
        archiveprefix primaryclass source document_type publication_stage coden correspondence_address references
        cited-references number-of-cited-references times-cited usage-count-last-180-days usage-count-since-2013
        author-email doc-delivery-number web-of-science-categories research-areas keywords-plus researcherid-numbers
        orcid-numbers funding-acknowledgement funding-text da oa web-of-science-index esi-highly-cited-paper
        esi-hot-paper issue_date numpages mendeley-groups creationdate modificationdate comment bdsk-url-1 bdsk-url-2
        date-added date-modified rating read
        """,
    )
)
_MARKS: Final = {
    "online first": "online_first",
    "translated title": "title_translated",
    "retracted": "retracted",
    "authors cut": "authors_cut",
}


def detect(head: str) -> int:
    r"""Score the beginning of a file: the first entry, perhaps after comments.

    >>> detect("% saved by hand\n@article{a, title={Invented}}"), detect("TY  - JOUR")
    (100, 0)
    """
    found = _ENTRY.search(head)
    if found is None:
        return 0
    before = head[: found.start()].strip()
    comments = all(line.lstrip().startswith("%") for line in before.split("\n") if line.strip())
    return SIGNATURE if comments else WEAK // 2


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read a file entry by entry; strings (``@string``) hold from where they stand."""
    text = file.text
    strings = {month: month for month in _MONTHS}
    at, line, ordinal = 0, 1, 0
    while (found := _ENTRY.search(text, at)) is not None:
        yield from _outside(text[at : found.start()], line)
        line += text.count("\n", at, found.start())
        end, closed = _end(text, found)
        raw = text[found.start() : end].rstrip()
        kind = found[1].lower()
        if kind in _NO_RECORDS:
            if kind == "string" and closed:
                _define(raw[found.end() - found.start() : -1], strings)
            yield heading(line, raw) if closed else stray_lines(line, raw)
        else:
            ordinal += 1
            if closed:
                fields = _fields(kind, raw[found.end() - found.start() : -1], raw, line, strings)
                yield file.record(NAME, ordinal, (line, line + raw.count("\n")), raw, **fields)
            else:
                yield half_record(line, raw)
        at, line = end, line + text.count("\n", found.start(), end)
    yield from _outside(text[at:], line)


def _outside(text: str, line: int) -> Iterator[Unread]:
    raw = text.strip()
    if raw:
        first = line + text.count("\n", 0, len(text) - len(text.lstrip()))
        comment = all(row.lstrip().startswith("%") for row in raw.split("\n") if row.strip())
        yield (heading if comment else stray_lines)(first, raw)


def _end(text: str, entry: re.Match[str]) -> tuple[int, bool]:
    """Return where an entry ends and whether its braces close.

    BibTeX counts every brace. An entry that does not close that way, because an escaped brace stands alone in it, is
    tried once more without the escaped ones.
    """
    for escaped_count in (True, False):
        depth, end = 1, -1
        for found in _BRACE_OR_ENTRY.finditer(text, entry.end()):
            sign = found.group()
            if sign.lstrip().startswith("@"):
                end = found.start()
                break
            if sign[0] == "\\":
                sign = sign[1:] if escaped_count else ""
            if sign == "{" or (sign == "(" and entry[2] == "(" and depth == 1):
                depth += 1
            elif sign == "}" or (sign == ")" and entry[2] == "(" and depth == 1):
                depth -= 1
                if depth == 0:
                    return found.end(), True
    return (end if end >= 0 else len(text)), False


def _define(body: str, strings: dict[str, str]) -> None:
    name = _NAME.search(body)
    if name is not None:
        value, _, _ = _value(body, name.end(), strings)
        strings[name[1].lower()] = value


def _value(body: str, at: int, strings: dict[str, str]) -> tuple[str, int, bool]:
    """Read one value from here: parts joined by ``#``; also return where it ends and whether every name was known."""
    parts, known = [], True
    while at < len(body):
        sign = body[at]
        if sign == "{":
            stop = _closing(body, at)
            parts.append(body[at + 1 : stop])
            at = stop + 1
        elif sign == '"':
            stop = _quote(body, at)
            parts.append(body[at + 1 : stop])
            at = stop + 1
        else:
            bare = _BARE.match(body, at)
            if bare is None:
                break
            word = bare.group()
            known = known and (word.isdigit() or word.lower() in strings)
            parts.append(strings.get(word.lower(), word))
            at = bare.end()
        joined = _JOIN.match(body, at)
        if joined is None:
            break
        at = joined.end()
    return "".join(parts), at, known


def _closing(body: str, at: int) -> int:
    depth = 0
    for found in _BRACE.finditer(body, at):
        depth += 1 if found.group() == "{" else -1
        if depth == 0:
            return found.start()
    return len(body)


def _quote(body: str, at: int) -> int:
    """Return where a quoted value ends: at the next quote outside braces."""
    depth = 0
    for found in _QUOTE_OR_BRACE.finditer(body, at + 1):
        if found.group() == '"':
            if depth <= 0:
                return found.start()
        else:
            depth += 1 if found.group() == "{" else -1
    return len(body)


def _fields(kind: str, body: str, raw: str, line: int, strings: dict[str, str]) -> dict[str, Any]:
    values: dict[str, str] = {}
    unparsed: list[tuple[int, str]] = []
    key = _KEY.match(body)
    at = key.end() if key is not None else 0
    offset = len(raw) - 1 - len(body)
    while (name := _NAME.search(body, at)) is not None:
        skipped = body[at : name.start()].strip(" \t\n,")
        here = line + raw.count("\n", 0, offset + name.start(1))
        if skipped:
            unparsed.append((line + raw.count("\n", 0, offset + at), skipped))
        value, at, known = _value(body, name.end(), strings)
        tag = name[1].lower()
        at = max(at, name.end())
        if (tag not in _KNOWN and tag not in _IDLE) or not known:
            unparsed.append((here, body[name.start(1) : at].strip()))
        values.setdefault(tag, value)
    rest = body[at:].strip(" \t\n,")
    if rest:
        unparsed.append((line + raw.count("\n", 0, offset + at), rest))
    return _record(kind, values, unparsed)


def _record(kind: str, values: dict[str, str], unparsed: list[tuple[int, str]]) -> dict[str, Any]:
    def said(*names: str) -> str:
        return next((one_line(from_latex(values[name])) for name in names if values.get(name, "").strip()), "")

    fields: dict[str, Any] = {
        "title": said("title"),
        "title_vernacular": said("vernaculartitle", "title_translation", "translatedtitle"),
        "journal": said("journal", "journaltitle", "booktitle"),
        "journal_abbreviation": said("shortjournal", "journalabbrev", "journal-iso", "abbrev_source_title"),
        "volume": said("volume"),
        "issue": said("number", "issue"),
        "pages": said("pages").replace("--", "-"),
        "article_number": said("eid", "article-number", "articleno"),
        "issn": issns(values.get("issn", ""), values.get("eissn", "")),
        "url": said("url"),
        "pmid": said("pmid"),
        "pmcid": said("pmcid"),
        "database": said("database"),
        "abstract": paragraphs(from_latex(values.get("abstract", ""))),
        "languages": tuple(_listed(said("language", "langid"))),
        "keywords": tuple(_listed(said("keywords", "keyword", "author_keywords"))),
        "trial_ids": trial_ids(said("registration")),
        "doi": bare_doi(said("doi")),
    }
    link = said("url")
    fields["doi"] = fields["doi"] or (bare_doi(link) if "doi.org/" in link else "")
    date = said("year") or said("date")
    fields["year"], fields["month"] = year_month(f"{date} {said('month')}")
    if fields["month"] is None and said("month").isdigit() and 1 <= int(said("month")) <= 12 and fields["year"]:
        fields["month"] = int(said("month"))
    fields["kinds"] = tuple(_listed(said("type"))) or (() if kind in _KINDS else (kind,))
    number = said("accession", "unique-id", "wosid")
    fields["wos_id" if number.startswith("WOS:") else "accession"] = number
    if said("wosid").startswith("WOS:"):
        fields["wos_id"] = said("wosid")
    fields["authors"], fields["authors_cut"] = _authors(values.get("author", ""))
    for mark in _listed(said("marks")):
        if mark in _MARKS:
            fields[_MARKS[mark]] = True
    fields["notices"] = tuple(_notices(said("notices")))
    fields["retracted"] = fields.get("retracted", False) or says_retracted(fields["title"], fields["kinds"])
    fields["unparsed"] = tuple(unparsed)
    return fields


def _listed(text: str) -> list[str]:
    """Return the members of a list: parted by semicolons, else by commas."""
    return [word for part in text.split(";" if ";" in text else ",") if (word := part.strip())]


def _notices(text: str) -> Iterator[Notice]:
    for part in text.split(";"):
        kind, *rest = [piece.strip() for piece in part.split("|")]
        if kind in NoticeKind._value2member_map_ and len(rest) == 3:
            yield Notice(kind=NoticeKind(kind), printed=rest[0], pmid=rest[1], doi=rest[2])


def _authors(text: str) -> tuple[tuple[Author, ...], bool]:
    printed = _parted(text)
    names = [one_line(from_latex(name)) for name in printed]
    cut = is_cut(names)
    made = []
    for name, latex in zip(names, printed, strict=False):
        whole = latex.strip()
        grouped = whole.startswith("{") and _closing(whole, 0) == len(whole) - 1
        made.append(Author(printed=name, collective=True) if grouped else _name(name))
    return tuple(one for one in made if one.printed), cut


def _name(printed: str) -> Author:
    """Take a name apart; one without a comma has its family name last (``Jane van der Doe``)."""
    one = author(printed)
    parts = None if one.family or one.collective or len(printed) > _LONGEST_NAME else _FIRST_LAST.fullmatch(printed)
    return one if parts is None else Author(printed=printed, family=parts[2], given=parts[1])


def _parted(text: str) -> list[str]:
    """Part a list of names at ``and`` outside braces."""
    parts, start, depth, at = [], 0, 0, 0
    for found in _AND.finditer(text):
        sign = found.group()
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
        elif depth <= 0 and found.start() >= at:
            parts.append(text[start : found.start()])
            start = at = found.end()
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]
