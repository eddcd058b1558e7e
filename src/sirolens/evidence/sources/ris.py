# SPDX-License-Identifier: Apache-2.0
r"""RIS, as databases really write it: one tolerant reader, what differs between databases as data.

A record runs from ``TY`` to ``ER``. Seen and read: records numbered before their first line (Ovid), ``ER`` without a
dash or missing, one space instead of two before the dash, values without a space after it, lines without a tag (a
further keyword in Scopus, a link in Embase, else the value goes on), tags of one database only, and tags glued to the
end of the line before (``USAAD  - ``, Web of Science), which hide the accession number of a record from other readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

from sirolens.evidence.record import Notice, NoticeKind, Record
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

NAME: Final = "ris"

# Tags that are known and hold nothing that a record keeps: addresses, places, publishers, users' fields, access dates.
_IDLE: Final = frozenset(
    re.findall(
        "..",
        "A2A3A4ADAVAWBPC1C2C4C5C6C8CACLCNCRCSCYDSEDEMETFNFUFXH1H2L3L4M1M2N3NONRNVOAOPPBPIPPPTPUQ1RIRNRPRSSESRSTT3TATCTHTL"
        "U1U2U3U4U5U6U7U8U9V1VOVWWCWEWPXRXTY2Y3Z9ERTY",
    )
)
_TITLES: Final = ("TI", "T1", "CT")
_ABSTRACTS: Final = ("AB", "N2")
_JOURNALS: Final = ("JF", "T2", "JO", "BT")
_SHORT_JOURNALS: Final = ("JA", "J2", "J9", "JI", "J1", "JO")
_READ: Final = frozenset(
    {*_TITLES, *_ABSTRACTS, *_JOURNALS, *_SHORT_JOURNALS}
    | {
        "TT",
        "AU",
        "A1",
        "PY",
        "Y1",
        "YR",
        "DA",
        "VL",
        "IS",
        "CP",
        "SP",
        "EP",
        "C7",
        "SN",
        "DO",
        "DI",
        "UR",
        "L1",
        "L2",
        "LK",
    }
    | {"M3", "AN", "UT", "ID", "KW", "LA", "DB", "DP", "N1", "C3"}
)
_KNOWN: Final = _IDLE | _READ
_NOT_SPLIT: Final = frozenset((*_TITLES, *_ABSTRACTS, "KW", "T2"))  # free text may hold what looks like a glued tag

# The line end before is part of the pattern: a search for one fixed character is twenty times faster than for ``^``.
_START = re.compile(r"\n((?:[ \t]*(?:\d+\.|<\d+>)[ \t]*\n(?:[ \t]*\n)*)?TY(?:  -| -(?=[ \n]|\Z)))")
# "ER-" alone ends a record; "ER-positive" at the start of a line of an abstract does not.
_END = re.compile(r"(?:^ER(?:  -[^\n]*| ?-[ \t]*|[ \t]*+(?=\s*+\Z))|(?<=\S)ER  -[ \t]*)$", re.M)
_FIELD = re.compile(r"^([A-Z][A-Z0-9])  -[ \t]?([^\n]*(?:\n(?![A-Z][A-Z0-9]  -)[^\n]*)*)", re.M)
_TAG = rf"(?:{'|'.join(sorted(_KNOWN))}) {{1,2}}-(?=[ \n]|\Z)"
_LOOSE_FIELD = re.compile(rf"^(?={_TAG})(..) {{1,2}}-[ \t]?([^\n]*(?:\n(?!{_TAG})[^\n]*)*)", re.M)
_HEADING_LINE = re.compile(r"[A-Za-z][\w -]{0,30}: ?\S")

# Lines of N1 that say what RIS has no tag for; our own export writes them.
_NOTED = re.compile(
    r"(PMID|PMCID|WOS|Accession|Trial registration|Online first|Title is a translation|Author list is cut|Retracted|"
    r"Notice)(?:: (.*))?\Z",
    re.S,
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """What one database does in its own way.

    Parameters
    ----------
    database : str
        As `Record.database` when the export does not name it.
    hints : tuple of str
        Texts of which one must be there before the sign is looked for (a quick test).
    sign : str
        Regular expression that tells the dialect from a record's text.
    idle : frozenset of str
        Tags of this database that hold nothing that a record keeps.
    glued : bool
        Tags may stand at the end of the line before.
    lines : str
        Tag after which a line without a tag is a further value.
    link : str
        Beginning of lines without a tag that are no part of a value.
    id_is_accession : bool
        ``ID`` holds the database's number, not the number of the record in the file.
    """

    database: str
    hints: tuple[str, ...] = ()
    sign: str = ""
    idle: frozenset[str] = frozenset()
    glued: bool = False
    lines: str = ""
    link: str = ""
    id_is_accession: bool = False


_DIALECTS: Final = (
    _Dialect(
        database="Web of Science",
        hints=("AN  - WOS:", "\nWE  - "),
        sign=r"AN  - WOS:|^WE  - ",
        idle=frozenset({"J9", "JI", "PA", "PI", "PU", "SU", "SI", "MA", "PN", "BE", "CT", "HO", "HP", "HC"}),
        glued=True,
    ),
    _Dialect(
        database="Scopus",
        hints=("- Scopus", "scopus.com"),
        sign=r"^(?:DB  - Scopus|UR  - \S*scopus\.com)",
        lines="KW",
    ),
    _Dialect(
        database="Embase",
        hints=("- Embase", "embase.com"),
        sign=r"^(?:DB  - Embase|UR  - \S*embase\.com)",
        idle=frozenset({"L6", "LB", "MO"}),
        lines="KW",
        link="Link to",
    ),
    _Dialect(
        database="CENTRAL",
        hints=("CENTRAL", "Cochrane"),
        sign=r"^DB  - .*(?:CENTRAL|Cochrane)",
        idle=frozenset({"US"}),
    ),
    _Dialect(
        database="Ovid",
        hints=("ovid", "Ovid"),
        sign=r"\A\s*(?:\d+\.|<\d+>)\s*\n|\bovidweb\.cgi\b|^(?:DB|DP|VN) {1,2}- Ovid|\bgateway\.ovid\.com",
        idle=frozenset({"AI", "NL", "VN", "XL", "DU", "SO", "ZZ", "EZ", "NP", "PG", "IN", "TN", "HW", "EI", "ES"}),
        link="Link to",
        id_is_accession=True,
    ),
)
_PLAIN: Final = _Dialect(database="", link="Link to")
_SIGNS: Final = tuple((dialect.hints, re.compile(dialect.sign, re.M), dialect) for dialect in _DIALECTS)
_KNOWN_IN: Final = {one.database: _KNOWN | one.idle for one in (*_DIALECTS, _PLAIN)}
_GLUED = re.compile(r"(?<=\S)(?=(?:" + "|".join(sorted(_KNOWN)) + r")  - )")
_NEAR_START: Final = 200  # characters in which a record's TY stands, after its number
_PARTED: Final = "\x0b\n"
_OF_PUBMED = re.compile(r"pubmed|medline|\bnlm\b", re.I)
_LINK_DOI = re.compile(r"doi\.org/|/doi/", re.I)


def detect(head: str) -> int:
    r"""Score the beginning of a file: RIS begins with ``TY``, after a record's number or some heading lines.

    >>> detect("1. \nTY  - JOUR"), detect("Provider: Invented\n\nTY  - JOUR"), detect("PMID- 1")
    (100, 90, 0)
    """
    found = _START.search(f"\n{head}")
    if found is None or not re.match(r"[ \t]*[A-Z]", head[found.end() - 1 :]):
        return 0
    before = head[: found.start()].strip()
    if not before:
        return SIGNATURE
    return SIGNATURE - 10 if _is_heading(before) else WEAK // 2


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read a file record by record.

    A last record without its ``ER``, in a file whose other records have one, is half a record and is not read: a DOI
    cut in the middle would be another paper's. Where no record has an ``ER`` the last one is read, and its last line is
    listed as unparsed: it may have been cut.
    """
    text = file.text
    starts = _starts(text)
    if not starts:
        yield from _outside(text, 1)
        return
    yield from _outside(text[: starts[0]], 1)
    line = text.count("\n", 0, starts[0]) + 1
    ended = False
    for ordinal, (start, stop) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1):
        chunk = text[start:stop]
        lead = len(chunk) - len(chunk.lstrip())
        end = _END.search(chunk, max(0, chunk.find("\nER  -")))
        ended = ended or end is not None
        whole = chunk[lead : end.end()] if end is not None else chunk[lead:].rstrip()
        raw = whole.rstrip()
        first = line + chunk.count("\n", 0, lead)
        if end is None and ended and stop == len(text):
            yield half_record(first, raw)
        else:
            lines = (first, first + raw.count("\n"))
            body = raw if end is None else chunk[lead : end.start()].rstrip()
            fields = _fields(body, first)
            if end is None and stop == len(text):
                before = [told for told in fields.get("unparsed", ()) if told[0] != lines[1]]
                fields["unparsed"] = (*before, (lines[1], raw.rpartition("\n")[2]))
            yield file.record(NAME, ordinal, lines, raw, **fields)
        if end is not None:
            yield from _outside(chunk[end.end() :], line + chunk.count("\n", 0, end.end()))
        line += chunk.count("\n")


def _starts(text: str) -> list[int]:
    """Return where records start, with the number before one."""
    at_once = _START.match(f"\n{text[:_NEAR_START]}")
    if at_once is None:
        return [found.start(1) for found in _START.finditer(text)]
    return [0, *(found.start(1) for found in _START.finditer(text, at_once.end() - 1))]


def _outside(text: str, line: int) -> Iterator[Unread]:
    """Tell what stands before, between or after records."""
    raw = text.strip()
    if raw:
        first = line + text.count("\n", 0, text.index(raw[0]))
        yield (heading if _is_heading(raw) else stray_lines)(first, raw)


def _is_heading(text: str) -> bool:
    return all(_HEADING_LINE.match(row) for row in text.split("\n") if row.strip())


def _dialect(raw: str) -> _Dialect:
    numbered = not raw.startswith("TY")
    for hints, sign, dialect in _SIGNS:
        if (numbered or any(hint in raw for hint in hints)) and sign.search(raw):
            return dialect
    return _PLAIN


def _fields(raw: str, first_line: int) -> dict[str, Any]:
    dialect = _dialect(raw)
    values, unparsed = _values(raw, first_line, dialect)
    fields: dict[str, Any] = {}
    _names(values, fields)
    _publication(values, fields)
    _numbers(values, dialect, fields)
    _noted(values.get("N1", ()), fields)
    fields["title"] = _first(values, (*_TITLES, "ST"))
    fields["title_vernacular"] = _first(values, ("TT",))
    abstracts = (paragraphs(text) for tag in _ABSTRACTS for text in values.get(tag, ()))
    fields["abstract"] = max(abstracts, key=len, default="")
    words = (word.strip() for text in values.get("KW", ()) for word in text.split(";"))
    fields["keywords"] = tuple(filter(None, words))
    fields["languages"] = tuple(map(one_line, values.get("LA", ())))
    if says_retracted(fields["title"], fields["kinds"]):
        fields["retracted"] = True
    if unparsed:
        fields["unparsed"] = tuple(unparsed)
    return fields


def _values(raw: str, first_line: int, dialect: _Dialect) -> tuple[dict[str, list[str]], list[tuple[int, str]]]:
    """Return the values by tag in the order of the record, and the lines that nothing reads."""
    pattern = _FIELD if "TY  -" in raw[:_NEAR_START] else _LOOSE_FIELD
    if dialect.glued:
        raw = _unglued(raw)
    values: dict[str, list[str]] = {}
    unparsed: list[tuple[int, str]] = []
    if _plain_values(pattern.findall(raw), dialect, values):
        return values, unparsed
    values.clear()
    known = _KNOWN_IN[dialect.database]
    for found in pattern.finditer(raw):
        tag, value = found.groups()
        if "\n" in value:
            value = _continued(tag, value, found.start(2), raw, first_line, dialect, values, unparsed)
        value = value.strip()
        if not value:
            continue
        if tag not in known:
            unparsed.append((_line_at(raw, found.start(), first_line), found.group().strip()))
        else:
            values.setdefault(tag, []).append(value)
    return values, unparsed


def _plain_values(found: list[tuple[str, str]], dialect: _Dialect, values: dict[str, list[str]]) -> bool:
    """Take the values of a record that has known tags only and no line to be sorted; False for any other record."""
    known = _KNOWN_IN[dialect.database]
    for tag, value in found:
        if tag not in known:
            return False
        if "\n" in value and (tag not in _ABSTRACTS or (dialect.link and dialect.link in value)):
            return False
        value = value.strip()
        if value:
            if tag in values:
                values[tag].append(value)
            else:
                values[tag] = [value]
    return True


def _unglued(raw: str) -> str:
    """Put a tag that is glued to the end of the line before on a line of its own, for reading only.

    A line that ends so ends with a vertical tab, which is stripped with the value and keeps the count of lines right.
    """
    rows = []
    for row in raw.split("\n"):
        if row[:2] in _NOT_SPLIT or row.count("  - ") < 2:
            rows.append(row)
        else:
            head, rest = row[:6], row[6:]
            rows.append(head + _GLUED.sub(_PARTED, rest))
    return "\n".join(rows)


def _continued(
    tag: str,
    value: str,
    at: int,
    raw: str,
    first_line: int,
    dialect: _Dialect,
    values: dict[str, list[str]],
    unparsed: list[tuple[int, str]],
) -> str:
    """Sort the lines without a tag: a link of the database's own, further values, or the value that goes on."""
    rows = value.split("\n")
    line = _line_at(raw, at, first_line)
    kept = rows[:1]
    for number, row in enumerate(rows[1:], line + 1):
        if dialect.link and row.startswith(dialect.link):
            unparsed.append((number, row))
        elif dialect.lines == tag and row.strip():
            values.setdefault(tag, []).append(kept.pop() if kept else "")
            kept = [row]
        else:
            kept.append(row)
    return "\n".join(kept) if tag in _ABSTRACTS else one_line("\n".join(row for row in kept if row.strip()))


def _line_at(raw: str, at: int, first_line: int) -> int:
    return first_line + raw.count("\n", 0, at) - raw.count(_PARTED, 0, at)


def _first(values: dict[str, list[str]], tags: tuple[str, ...]) -> str:
    for tag in tags:
        if tag in values:
            return one_line(values[tag][0])
    return ""


def _names(values: dict[str, list[str]], fields: dict[str, Any]) -> None:
    printed = [*values.get("AU", ()), *values.get("A1", ())]
    if len(printed) == 1 and ";" in printed[0]:
        printed = [name for part in printed[0].split(";") if (name := part.strip())]
    names = [one_line(name) for name in printed]
    if is_cut(names):
        fields["authors_cut"] = True
    fields["authors"] = tuple(map(author, names))


def _publication(values: dict[str, list[str]], fields: dict[str, Any]) -> None:
    """Journal, year, volume, issue and pages."""
    journal = _first(values, _JOURNALS)
    tags = [tag for tag in _SHORT_JOURNALS if tag in values and (tag != "JO" or "JF" in values or "T2" in values)]
    short = _first(values, tuple(tags))
    fields["journal"], fields["journal_abbreviation"] = journal, short
    dates = [year_month(values[tag][0]) for tag in ("PY", "Y1", "YR", "DA") if tag in values]
    year = next((year for year, _ in dates if year is not None), None)
    fields["year"] = year
    fields["month"] = next((month for its, month in dates if month is not None and its == year), None)
    if year is not None and "DA" in values and fields["month"] is None:
        fields["month"] = year_month(f"{year} {values['DA'][0]}")[1]
    fields["volume"] = _first(values, ("VL",))
    fields["issue"] = _first(values, ("IS", "CP"))
    first, last = _first(values, ("SP",)), _first(values, ("EP",))
    fields["pages"] = f"{first}-{last}" if first and last and first != last and "-" not in first else first or last
    fields["article_number"] = _first(values, ("C7",))
    fields["issn"] = issns(*values.get("SN", ()))


def _numbers(values: dict[str, list[str]], dialect: _Dialect, fields: dict[str, Any]) -> None:
    """DOI, the databases' own numbers, registration numbers, link and kinds."""
    links = [one_line(link) for tag in ("UR", "LK", "L2", "L1") for link in values.get(tag, ())]
    kinds = [one_line(kind) for kind in values.get("M3", ())]
    doi = next((doi for tag in ("DO", "DI") for text in values.get(tag, ()) if (doi := bare_doi(text))), "")
    doi = doi or next((doi for link in links if _LINK_DOI.search(link) and (doi := bare_doi(link))), "")
    fields["doi"] = doi or next((doi for kind in kinds if kind.startswith("10.") and (doi := bare_doi(kind))), "")
    fields["url"] = next(iter(links), "")
    type_code = _first(values, ("TY",))
    codes = [] if type_code in ("", "JOUR") else [type_code]
    fields["kinds"] = (*codes, *(kind for kind in kinds if not kind.startswith("10.")))
    fields["database"] = _first(values, ("DB", "DP")) or dialect.database
    numbers = [one_line(number) for tag in ("AN", "UT") for number in values.get(tag, ())]
    if dialect.id_is_accession and not numbers:
        numbers = [one_line(number) for number in values.get("ID", ())]
    numbers += [one_line(number) for number in values.get("C3", ()) if re.fullmatch(r"(?:PUBMED|EMBASE) \d+", number)]
    of_pubmed = bool(numbers) and _OF_PUBMED.search(fields["database"]) is not None
    for number in numbers:
        pubmed = re.fullmatch(r"(?:PUBMED |PMID:? ?)(\d{1,8})", number)
        if number.startswith("WOS:"):
            fields.setdefault("wos_id", number)
        elif pubmed or (of_pubmed and re.fullmatch(r"\d{1,8}", number)):
            fields.setdefault("pmid", pubmed[1] if pubmed else number)
        else:
            fields.setdefault("accession", number)
    found = trial_ids(*numbers, *values.get("ID", ()), *values.get("CN", ()))
    if found:
        fields["trial_ids"] = found


def _noted(notes: Any, fields: dict[str, Any]) -> None:
    """Read the notes that our own export writes for what RIS has no tag for."""
    trials: list[str] = []
    notices: list[Notice] = []
    for note in notes:
        found = _NOTED.match(note)
        if found is None:
            continue
        name, value = found[1], one_line(found[2] or "")
        if name in ("PMID", "PMCID", "WOS"):
            fields.setdefault({"PMID": "pmid", "PMCID": "pmcid", "WOS": "wos_id"}[name], value)
        elif name == "Accession":
            fields.setdefault("accession", value)
        elif name == "Trial registration":
            trials.append(value)
        elif name == "Notice":
            kind, *parts = [part.strip() for part in value.split("|")]
            if kind in NoticeKind._value2member_map_ and len(parts) == 3:
                notices.append(Notice(kind=NoticeKind(kind), printed=parts[0], pmid=parts[1], doi=parts[2]))
        elif not value:
            key = {"Online first": "online_first", "Title is a translation": "title_translated"}.get(name)
            fields[key or ("retracted" if name == "Retracted" else "authors_cut")] = True
    if trials:
        fields["trial_ids"] = tuple(dict.fromkeys((*fields.get("trial_ids", ()), *trials)))
    if notices:
        fields["notices"] = tuple(notices)
