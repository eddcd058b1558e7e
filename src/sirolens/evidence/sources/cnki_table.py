# SPDX-License-Identifier: Apache-2.0
"""CNKI's custom and novelty-search exports saved as a table: the spreadsheet twin of their text, as CSV.

CNKI gives the same columns as a spreadsheet, whose headers are the keys of the text (``Title-题名``,
``PageCount-页码``). A spreadsheet is not read as such; opened and saved as "CSV UTF-8" it is this format. Tabs and
semicolons part cells too. The headers decide, not their order.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any, Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.chinese_fields import assemble
from sirolens.evidence.sources.cnki_custom import named_fields
from sirolens.evidence.sources.cnki_estudy import named_database
from sirolens.evidence.sources.csv_table import table_rows
from sirolens.evidence.sources.marked_lines import Fields
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, half_record, heading, stray_lines
from sirolens.message import error, warning

__all__ = ["NAME", "detect", "read"]

NAME: Final = "cnki-table"
_HEADER = re.compile(r"^[\ufeff\"]*[A-Za-z ]{2,20}-[\u4e00-\u9fff]")
_TITLE = re.compile(r"(?:^|[\",;\t])Title-[\u4e00-\u9fff]")


def detect(head: str) -> int:
    """Tell how surely a file is of this format: a header of at least three keys, one of them the title."""
    line = next((row for row in head.split("\n") if row.strip()), "")
    keys = re.findall(r"[A-Za-z ]{2,20}-(?:[\u4e00-\u9fff]|DOI)", line)
    return SIGNATURE if len(keys) >= 3 and _HEADER.match(line) and _TITLE.search(line) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read a table row by row.

    Examples
    --------
    >>> text = "SrcDatabase-来源库,Title-题名,Author-作者,PageCount-页码\n期刊,西罗莫司虚构研究,张伟;王芳;,201-206\n"
    >>> file = SourceText(name="a.csv", text=text, encoding="utf-8", sha256="0" * 64)
    >>> [(one.title, len(one.authors), one.pages) for one in read(file) if isinstance(one, Record)]
    [('西罗莫司虚构研究', 2, '201-206')]
    """
    first_row = next((row for row in file.text.split("\n") if row.strip()), "")
    delimiter = max(",\t;", key=first_row.count)
    columns = [cell.strip(' \ufeff"') for cell in next(csv.reader([first_row], delimiter=delimiter), [])]
    names = [named_fields().get(cell.partition("-")[0].strip()) for cell in columns]
    ordinal = 0
    for number, (first, last, raw, row) in enumerate(
        table_rows(file.text, delimiter, quoted=delimiter != "\t", columns=len(columns))
    ):
        if number == 0:
            yield _header(first, raw, tuple(cell for cell, name in zip(columns, names, strict=True) if name is None))
        elif row is not None and [cell.strip(' \ufeff"') for cell in row] == columns:
            yield heading(first, raw)  # many files joined into one
        elif row is not None and not any(cell.strip() for cell in row):
            yield stray_lines(first, raw)
        else:
            ordinal += 1
            if row is None or len(row) < len(columns):
                yield half_record(first, raw)
                continue
            found = _values(row, names)
            extra = tuple((first, cell) for cell in row[len(columns) :] if cell.strip())
            if found.get("title") or found.get("doi"):
                yield file.record(NAME, ordinal, (first, last), raw, **found | ({"unparsed": extra} if extra else {}))
            else:
                reason = error("chinese.no-title")
                yield Unread(first_line=first, last_line=last, raw=raw, reason=reason, counts_as_record=True)


def _header(first: int, raw: str, unknown: tuple[str, ...]) -> Unread:
    if not unknown:
        return heading(first, raw)
    reason = warning("import.unknown-columns", columns=unknown)
    return Unread(first_line=first, last_line=first + raw.count("\n"), raw=raw, reason=reason)


def _values(row: list[str], names: list[str | None]) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for name, cell in zip(names, row, strict=False):
        if name and cell.strip():
            values.setdefault(name, []).append(cell.strip())
    return named_database(assemble(Fields(values)))
