# SPDX-License-Identifier: Apache-2.0
"""Tables with a header: our own CSV export and those of databases and screening tools.

Cells are parted by commas, tabs, semicolons or bars, whatever finds most known columns. Columns that are not known are
told by name. A row whose quotes do not close is told alone and does not swallow the rows after it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sirolens.evidence.record import Author, Notice, NoticeKind, Record
from sirolens.evidence.sources.csv_columns import COLUMNS, DATABASES, IDLE, OWN, OWN_SIGN, header_key
from sirolens.evidence.sources.csv_writer import members, undone
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
from sirolens.evidence.sources.text import (
    SIGNATURE,
    TABLE,
    SourceText,
    Unread,
    half_record,
    heading,
    stray_lines,
)
from sirolens.message import warning

__all__ = ["NAME", "detect", "read", "table_rows"]

NAME: Final = "csv"

_DELIMITERS: Final = ",\t;|"
_FIELD_OF: Final = {header: (field, rank) for field, headers in COLUMNS.items() for rank, header in enumerate(headers)}
_LEAST: Final = 2  # known columns, one of them the title, that make a table a list of records
_ID_IN_BRACKETS = re.compile(r"\s*\(\d{6,}\)$")  # Scopus: "Zhang, Wei (57000000000)"
_NAME_AND_INITIALS = re.compile(r"\S.* [A-Z][A-Z.\- ]*")
_YES: Final = frozenset({"yes", "true", "1"})


def detect(head: str) -> int:
    """Score the beginning of a file: a header of known columns, one of them the title.

    >>> detect("Title,Authors,Year,DOI"), detect("Name,Age"), detect("sirolens_record,title")
    (40, 0, 100)
    """
    _, header = _first_row(head)
    cells, _ = _cells_of_header(header)
    if cells and cells[0] == OWN_SIGN:
        return SIGNATURE
    known = {_FIELD_OF[cell][0] for cell in cells if cell in _FIELD_OF}
    return TABLE - 10 if "title" in known and len(known) >= _LEAST else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read a table row by row."""
    at, header = _first_row(file.text)
    cells, delimiter = _cells_of_header(header)
    quoted = delimiter != "\t" or '"' in header
    own = bool(cells) and cells[0] == OWN_SIGN
    fields, database, unknown = _meaning(cells)
    ordinal, begun = 0, False
    for first, last, raw, row in table_rows(file.text, delimiter, quoted=quoted, columns=len(cells)):
        if last < at:  # lines before the header: "sep=," of a spreadsheet program
            yield heading(first, raw)
        elif not begun:
            begun = True
            yield _header(first, raw, unknown)
        elif row is None:
            ordinal += 1
            yield half_record(first, raw)
        elif [header_key(cell) for cell in row] == cells:
            yield heading(first, raw)
        elif not any(cell.strip() for cell in row):
            yield stray_lines(first, raw)
        elif len(row) < len(cells) and last == file.text.count("\n") + 1:
            ordinal += 1
            yield half_record(first, raw)
        else:
            ordinal += 1
            record = _own(row, cells) if own else _fields(row, fields, database)
            extra = [cell for cell in row[len(cells) :] if cell.strip()]
            if extra:
                record["unparsed"] = ((first, delimiter.join(extra)),)
            yield file.record(NAME, ordinal, (first, last), raw, **record)


def _header(first: int, raw: str, unknown: tuple[str, ...]) -> Unread:
    if not unknown:
        return heading(first, raw)
    last = first + raw.count("\n")
    return Unread(first_line=first, last_line=last, raw=raw, reason=warning("import.unknown-columns", columns=unknown))


def _first_row(text: str) -> tuple[int, str]:
    """Return the header's line number and text; a line ``sep=,`` before it is stepped over."""
    for number, line in enumerate(text.split("\n", 20), 1):
        if line.strip() and not re.fullmatch(r'"?sep=."?', line.strip()):
            return number, line
    return 1, ""


def _cells_of_header(header: str) -> tuple[list[str], str]:
    """Return the header's cells as they are compared, with the delimiter that finds most known ones."""
    best: tuple[int, list[str], str] = (-1, [], ",")
    for delimiter in _DELIMITERS:
        try:
            row = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue
        cells = [header_key(cell) for cell in row]
        known = sum(cell in _FIELD_OF or cell in IDLE or cell in OWN or cell == OWN_SIGN for cell in cells)
        if known > best[0]:
            best = (known, cells, delimiter)
    return best[1], best[2]


def _meaning(cells: list[str]) -> tuple[dict[str, list[int]], str, tuple[str, ...]]:
    """Return field -> its columns (best first), the database that the headers tell, and the unknown headers."""
    present = frozenset(cells)
    database, special = next(((name, changed) for signs, name, changed in DATABASES if signs <= present), ("", {}))
    ranked: dict[str, list[tuple[int, int]]] = {}
    unknown = []
    for column, cell in enumerate(cells):
        field, rank = (special[cell], 0) if cell in special else _FIELD_OF.get(cell, ("", 0))
        if field:
            ranked.setdefault(field, []).append((rank, column))
        elif cell not in IDLE and not (cells[0] == OWN_SIGN and (cell in OWN or cell in (OWN_SIGN, "source"))):
            unknown.append(cell)
    return {field: [column for _, column in sorted(found)] for field, found in ranked.items()}, database, tuple(unknown)


def table_rows(
    text: str, delimiter: str, *, quoted: bool, columns: int
) -> Iterator[tuple[int, int, str, list[str] | None]]:
    """Yield first line, last line, raw text and cells of each row that is not blank; None for cells that do not fit.

    A cell whose opening quote has no closing one before a delimiter or a line's end is taken as it stands, so that it
    cannot swallow the rows after it.
    """
    if not quoted:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, number, line.strip(), line.split(delimiter)
        return
    gap = re.escape(delimiter)
    cell = re.compile(f'[ ]*+"([^"]*+(?:""[^"]*+)*+)"[ ]*+(?=[{gap}\\n]|\\Z)|[^{gap}\\n]*+')
    at, first = 0, 1
    while at < len(text):
        start, row, broken, more = at, [], False, True
        while more:
            found = cell.match(text, at)
            whole = found.group() if found is not None else ""
            inside = found[1] if found is not None else None
            row.append(whole if inside is None else inside.replace('""', '"'))
            broken = broken or (inside is None and '"' in whole)
            at += len(whole)
            more = text[at : at + 1] == delimiter
            at += more
        last = first + text.count("\n", start, at)
        raw = text[start:at].strip()
        if raw:
            before = text.count("\n", start, at - len(text[start:at].lstrip()))
            yield first + before, last, raw, None if broken and len(row) != columns else row
        at, first = at + 1, last + 1


def _fields(row: list[str], columns: Mapping[str, list[int]], database: str) -> dict[str, Any]:
    def said(field: str) -> str:
        return next((one_line(row[i]) for i in columns.get(field, ()) if i < len(row) and row[i].strip()), "")

    names = [_ID_IN_BRACKETS.sub("", name) for name in _names(said("authors"))]
    cut = is_cut(names)
    first, last = said("first_page"), said("last_page")
    year, month = year_month(f"{said('date')} {said('month')}")
    link, number = said("url"), said("accession")
    abstract = next((row[i] for i in columns.get("abstract", ()) if i < len(row) and row[i].strip()), "")
    words = (word for i in columns.get("keywords", ()) if i < len(row) for word in _parted(row[i]))
    record: dict[str, Any] = {
        "title": said("title"),
        "title_vernacular": said("title_vernacular"),
        "authors": tuple(map(author, names)),
        "authors_cut": cut,
        "year": year,
        "month": month,
        "journal": said("journal"),
        "journal_abbreviation": said("journal_abbreviation"),
        "issn": issns(*(row[i] for i in columns.get("issn", ()) if i < len(row))),
        "volume": said("volume"),
        "issue": said("issue"),
        "pages": said("pages") or (f"{first}-{last}" if first and last and first != last else first or last),
        "article_number": said("article_number"),
        "doi": bare_doi(said("doi")) or (bare_doi(link) if "doi.org/" in link else ""),
        "pmid": said("pmid"),
        "pmcid": said("pmcid"),
        "wos_id": said("wos_id"),
        "abstract": paragraphs(abstract),
        "keywords": tuple(dict.fromkeys(words)),
        "languages": tuple(_parted(said("languages"))),
        "kinds": tuple(_parted(said("kinds"))),
        "url": link,
        "database": said("database") or database,
        "trial_ids": trial_ids(said("trial_ids"), number),
    }
    record["wos_id" if number.startswith("WOS:") else "accession"] = number
    record["retracted"] = says_retracted(record["title"], record["kinds"])
    return record


def _parted(text: str) -> list[str]:
    """Return the members of a list in one cell: parted by semicolons, else by lines, else one."""
    return [word for part in re.split(r"[;；\n]", text) if (word := part.strip())]


def _names(text: str) -> list[str]:
    """Return the names in one cell: parted by semicolons, by ``and``, or by commas where initials show whole names."""
    text = text.strip().removesuffix(".") if re.search(r" [A-Z]{1,3}\.$", text.strip()) and ";" not in text else text
    if ";" in text or "；" in text:
        return [name for part in re.split(r"[;；]", text) if (name := part.strip())]
    if " and " in text:
        return [name for part in text.split(" and ") if (name := part.strip())]
    parts = [name for part in re.split(r"[,，、]", text) if (name := part.strip())]
    whole = all(_NAME_AND_INITIALS.fullmatch(name) or not name.isascii() for name in parts)
    return parts if len(parts) > 1 and whole else [text.strip()] if text.strip() else []


def _own(row: list[str], cells: list[str]) -> dict[str, Any]:
    """Read a row of our own export: every cell is undone, every field is as it was."""
    said = {name: undone(cell) for name, cell in zip(cells, row, strict=False)}
    record: dict[str, Any] = {}
    for name in OWN:
        text = said.get(name, "")
        if name in ("year", "month"):
            record[name] = int(text) if text.isascii() and text.isdigit() else None
        elif name in ("title_translated", "authors_cut", "online_first", "retracted"):
            record[name] = text.strip().lower() in _YES
        elif name == "authors":
            record[name] = tuple(map(_author, members(text)))
        elif name == "notices":
            record[name] = tuple(_notices(members(text)))
        elif name in ("trial_ids", "languages", "kinds", "keywords"):
            record[name] = tuple(members(text))
        else:
            record[name] = paragraphs(text) if name == "abstract" else one_line(text)
    return record


def _author(printed: str) -> Author:
    group = printed.removeprefix("{").removesuffix("}")
    return Author(printed=group, collective=True) if printed == f"{{{group}}}" else author(printed)


def _notices(parts: list[str]) -> Iterator[Notice]:
    for part in parts:
        kind, *rest = [piece.strip() for piece in part.split("|")]
        if kind in NoticeKind._value2member_map_ and len(rest) == 3:
            yield Notice(kind=NoticeKind(kind), printed=rest[0], pmid=rest[1], doi=rest[2])
