# SPDX-License-Identifier: Apache-2.0
"""Tables of a report as files: one CSV each, or one XLSX workbook with a sheet for each.

Numbers are written as numbers in full precision and an interval takes three columns, so that nothing has to be typed
again; words are those of the report. A text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sirolens.message import Message
from sirolens.report.document import Cell, Column, Interval, Table
from sirolens.report.format import unit_text
from sirolens.report.words import label, say, say_value

__all__ = ["csv_bytes", "plain_table", "xlsx_bytes"]

Plain: TypeAlias = str | int | float | bool | date | datetime | None
MOST_SHEET_NAME = 31  # what a workbook allows
# Blanks before the sign do not stop a spreadsheet, and set to Chinese it takes a full-width sign for the plain one.
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
# A workbook carries the day it was made; a fixed one keeps the same tables the same bytes.
MADE = datetime(2000, 1, 1, tzinfo=UTC)


def plain_table(table: Table, language: str, zone: str | None = None) -> list[list[Plain]]:
    """Return the head and the rows of a table as plain values.

    Parameters
    ----------
    table : Table
        The table.
    language : {"en", "zh"}
        Language of heads and words.
    zone : str, optional
        The clinic's time zone, an IANA name.

    Examples
    --------
    >>> from sirolens.message import info
    >>> column = Column(head=info("report.figure-trough"), name="trough_ng_ml")
    >>> plain_table(Table(columns=(column,), rows=((Interval(middle=7.25, low=4.0, high=9.0),),)), "en")[1]
    [7.25, 4.0, 9.0]
    """
    wide = [any(isinstance(row[index], Interval) for row in table.rows) for index in range(len(table.columns))]
    heads = [
        head for column, is_wide in zip(table.columns, wide, strict=True) for head in _heads(column, is_wide, language)
    ]
    rows: list[list[Plain]] = [list(heads)]
    for row in table.rows:
        cells: list[Plain] = []
        for column, cell, is_wide in zip(table.columns, row, wide, strict=True):
            cells += _cells(column, cell, is_wide, language, zone)
        rows.append(cells)
    return rows


def _heads(column: Column, wide: bool, language: str) -> list[str]:
    unit = unit_text(column.name, language)
    text = say(column.head, language)
    head = f"{text} ({unit})" if unit else text
    if not wide:
        return [head]
    return [head, *(label(f"figures.{side}", language, head=head) for side in ("low", "high"))]


def _cells(column: Column, cell: Cell, wide: bool, language: str, zone: str | None) -> list[Plain]:
    if isinstance(cell, Interval):
        return [_number(cell.middle), _number(cell.low), _number(cell.high)]
    one: Plain
    if isinstance(cell, Message):
        one = say(cell, language, zone=zone)
    elif isinstance(cell, tuple | str):
        one = say_value(column.name, cell, language, zone=zone)
    elif isinstance(cell, datetime) and zone is not None:
        one = cell.astimezone(ZoneInfo(zone))
    elif isinstance(cell, float):
        one = _number(cell)
    else:
        one = cell
    return [one, None, None] if wide else [one]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _written(value: Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").replace("\r", "\n")  # a lone return would not be quoted, and end the row
        return f"'{value}" if FORMULA.match(value) and not _is_number(value) else value
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace("\N{MINUS SIGN}", "-")))
    except ValueError:
        return False


def csv_bytes(table: Table, language: str, zone: str | None = None) -> bytes:
    """Write one table as CSV: UTF-8 with a mark that spreadsheets know Chinese text by, one line per row.

    Examples
    --------
    >>> from sirolens.message import info
    >>> table = Table(columns=(Column(head=info("report.figure-regimen"), name="regimen"),), rows=(("=1+1",),))
    >>> csv_bytes(table, "en").decode("utf-8-sig").splitlines()[1]
    "'=1+1"
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in plain_table(table, language, zone):
        writer.writerow([_written(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def xlsx_bytes(tables: Mapping[str, Table], language: str, zone: str | None = None) -> bytes:
    """Write tables as one workbook.

    Parameters
    ----------
    tables : mapping of str to Table
        By the names of their sheets, at most 31 letters, digits or hyphens each.
    language : {"en", "zh"}
        Language of heads and words.
    zone : str, optional
        The clinic's time zone, an IANA name.

    Raises
    ------
    ValueError
        A name that no sheet can have.
    """
    import xlsxwriter

    out = BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": MADE.replace(tzinfo=None)})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, table in tables.items():
        if not re.fullmatch(r"[a-z0-9-]{1,31}", name):
            raise ValueError(f"{name!r} cannot name a sheet of at most {MOST_SHEET_NAME} letters")
        _fill_sheet(book.add_worksheet(name), table, language, zone, bold, day)
    if not tables:
        book.add_worksheet("empty")
    book.close()
    return out.getvalue()


def _fill_sheet(sheet: Any, table: Table, language: str, zone: str | None, bold: Any, day: Any) -> None:
    caption = "" if table.caption is None else say(table.caption, language, zone=zone)
    rows = plain_table(table, language, zone)
    sheet.write_string(0, 0, caption)
    for index, head in enumerate(rows[0]):
        sheet.write_string(1, index, str(head), bold)
    for place, row in enumerate(rows[1:], start=2):
        for index, value in enumerate(row):
            _write(sheet, place, index, value, day)
    for place, note in enumerate(table.notes, start=len(rows) + 2):
        sheet.write_string(place, 0, say(note, language, zone=zone))
    sheet.freeze_panes(2, 0)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, max(len(rows[0]) - 1, 1), 15)


def _write(sheet: Any, row: int, column: int, value: Plain, day: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_string(row, column, value.isoformat())
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day)
    else:
        sheet.write_string(row, column, value)
