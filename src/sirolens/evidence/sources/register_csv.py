# SPDX-License-Identifier: Apache-2.0
"""Reads tables (CSV) of trial registers by their heading: ClinicalTrials.gov, the WHO portal, the Chinese registry."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.registers import column, registration_values
from sirolens.evidence.sources.text import TABLE, SourceText, Unread, half_record, heading, stray_lines

__all__ = ["NAME", "detect", "read"]

NAME: Final = "register-csv"

_SEPARATORS: Final = (",", "\t", ";")


def detect(head: str) -> int:
    """Tell a register's table by a column for the trial's number and one for its title."""
    return max((_score(head.lstrip().partition("\n")[0], separator) for separator in _SEPARATORS), default=0)


def _score(line: str, separator: str) -> int:
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return 0
    parts = [part for part in map(column, cells) if part]
    known = "id" in parts and ("title" in parts or "public_title" in parts) and len(parts) > 2
    return TABLE + len(parts) if known else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read a register's table.

    A row with too few cells may have been cut and is listed as unparsed; cells beyond the heading are listed too. A
    quote that is never closed makes a half record of the rest of the file.

    Examples
    --------
    >>> text = 'NCT Number,Study Title,Conditions\nNCT00000000,"Invented,\nin two lines",ITP\n'
    >>> found = list(read(SourceText(name="a.csv", text=text, encoding="utf-8", sha256="0" * 64)))
    >>> found[1].title, found[1].position.last_line
    ('Invented, in two lines', 3)
    """
    lines = file.text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    separator = max(_SEPARATORS, key=lambda one: _score(first.lstrip(), one))
    columns: Sequence[str] = ()
    ordinal = 0
    for number, last, raw, cells in _rows(lines, separator):
        if not columns:
            if not _score(raw, separator):
                yield stray_lines(number, raw)
                continue
            columns = cells
            yield heading(number, raw)
            continue
        ordinal += 1
        values = registration_values(zip(columns, cells, strict=False))
        if not (values["title"] or values["accession"]) or len(cells) < 2:
            yield half_record(number, raw)
            continue
        beyond = tuple((number, cell) for cell in cells[len(columns) :] if cell.strip())
        unparsed = ((last, raw.rpartition("\n")[2]),) if len(cells) < len(columns) else beyond
        yield file.record(NAME, ordinal, (number, last), raw, **values, unparsed=unparsed)


def _rows(lines: Sequence[str], separator: str) -> Iterator[tuple[int, int, str, list[str]]]:
    """Yield first line, last line, text and cells of every row that is not blank; quoted cells may hold line ends."""
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        end = start + 1
        quotes = lines[start].count('"')
        while quotes % 2 and end < len(lines):
            quotes += lines[end].count('"')
            end += 1
        while end > start + 1 and not lines[end - 1].strip():
            end -= 1
        raw = "\n".join(lines[start:end])
        yield start + 1, end, raw, _cells(raw, separator)
        start = end


def _cells(raw: str, separator: str) -> list[str]:
    """Return a row's cells; a row that the csv rules refuse is cut at its separators."""
    try:
        return next(csv.reader([line + "\n" for line in raw.split("\n")], delimiter=separator))
    except (csv.Error, StopIteration):
        return raw.split(separator)
