# SPDX-License-Identifier: Apache-2.0
"""Tables as files: numbers stay numbers, intervals take three columns, no text becomes a formula; oracle: openpyxl."""

from __future__ import annotations

import csv
import math
from datetime import UTC, date, datetime
from io import BytesIO, StringIO

import openpyxl
import pytest

from sirolens.evidence.sources.csv_writer import harmless
from sirolens.message import info
from sirolens.report.document import Column, Interval, Table
from sirolens.report.tables import csv_bytes, plain_table, xlsx_bytes

ZONE = "Asia/Shanghai"
TABLE = Table(
    columns=(
        Column(head=info("figures.target"), name="name"),
        Column(head=info("figures.median"), name="rate_percent"),
        Column(head=info("figures.one-patient"), name="day"),
    ),
    rows=(
        ("=SUM(A1)", Interval(middle=1 / 3 * 100, low=11.89, high=math.nan), date(2026, 9, 1)),
        ("-0.5", 60.0, None),
        ("+86 21", math.nan, datetime(2026, 9, 1, 0, 30, tzinfo=UTC)),
        (info("figures.chance"), None, 3),
    ),
    caption=info("figures.at-risk"),
    notes=(info("figures.censored"),),
)


def _rows(language: str) -> list[list[str]]:
    return list(csv.reader(StringIO(csv_bytes(TABLE, language, ZONE).decode("utf-8-sig"))))


def test_an_interval_takes_three_columns_in_full_precision() -> None:
    head, first, second, *_ = _rows("en")
    assert head[1:4] == [f"{head[1]}", f"{head[1]}, lower limit", f"{head[1]}, upper limit"]
    assert head[1].endswith("(%)")
    assert [float(first[1]), float(first[2]), first[3]] == [1 / 3 * 100, 11.89, ""]
    assert second[1:4] == ["60.0", "", ""]


def test_a_text_that_a_spreadsheet_would_run_is_quoted_and_a_negative_number_is_not() -> None:
    assert [row[0] for row in _rows("en")[1:]] == ["'=SUM(A1)", "-0.5", "'+86 21", "Chance"]


def test_an_instant_stands_in_the_clinics_zone() -> None:
    assert _rows("en")[3][-1] == "2026-09-01T08:30:00+08:00"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_workbook_holds_the_same_as_the_csv(language: str) -> None:
    book = openpyxl.load_workbook(BytesIO(xlsx_bytes({"one": TABLE, "two": TABLE}, language, ZONE)))
    assert book.sheetnames == ["one", "two"]
    sheet = book["one"]
    assert sheet["A2"].value == plain_table(TABLE, language, ZONE)[0][0]
    assert sheet["A3"].value == "=SUM(A1)"
    assert sheet["A3"].data_type == "s"
    assert sheet["B3"].value == pytest.approx(1 / 3 * 100, rel=1e-15)
    assert sheet["D3"].value is None
    assert sheet["E3"].value == datetime(2026, 9, 1)


def test_the_same_tables_are_the_same_bytes() -> None:
    assert xlsx_bytes({"one": TABLE}, "zh", ZONE) == xlsx_bytes({"one": TABLE}, "zh", ZONE)


def test_a_name_that_no_sheet_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match="sheet"):
        xlsx_bytes({"one/two": TABLE}, "en")


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", " =", "\t=", "\u3000=", "＝", "＋", "－", "＠", "\t", "\r", "\n"]
)
def test_no_cell_of_a_table_begins_what_a_spreadsheet_would_run(start: str) -> None:
    # Oracle: the rule of the review's own exports, which take the apostrophe off again.
    table = Table(columns=(Column(head=info("figures.target"), name="name"),), rows=((f"{start}HYPERLINK(1)",),))
    cell = list(csv.reader(StringIO(csv_bytes(table, "en").decode("utf-8-sig"), newline="")))[1][0]
    assert cell == harmless(f"{start}HYPERLINK(1)").replace("\r", "\n")
    assert cell.startswith("'")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_line_end_inside_a_text_does_not_end_the_row(end: str) -> None:
    columns = (Column(head=info("figures.target"), name="name"), Column(head=info("figures.median"), name="other"))
    text = csv_bytes(Table(columns=columns, rows=((f"one{end}two", "three"),)), "en").decode("utf-8-sig")
    assert list(csv.reader(StringIO(text, newline="")))[1:] == [["one\ntwo", "three"]]
