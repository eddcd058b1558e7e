# SPDX-License-Identifier: Apache-2.0
"""A folder of CSV files is the same chart as the JSON, faults name file, line and column, a million rows pass."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import ChartError
from sirolens.interop.chart_csv import from_csv
from sirolens.interop.chart_json import from_json, read_chart, write_chart
from sirolens.interop.chart_sections import SECTIONS, section_of
from sirolens.interop.chart_words import COLUMNS
from sirolens.message import Message
from tests.interop.charts import COUNT, LEVEL, PATIENT, PRESCRIPTION, WEIGHT, read, said_in_both, sound, the

EXAMPLES = Path(__file__).parents[2] / "examples" / "charts"


def table(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def folder(path: Path, **files: str | bytes) -> Path:
    """A folder with a sound chart, some of its files replaced; an empty text takes one out."""
    plain = {
        "patient": table([PATIENT | {"invented": "true", "zone": "Asia/Shanghai"}]),
        "prescriptions": table([PRESCRIPTION]),
        "levels": table([LEVEL]),
        "platelet_counts": table([COUNT]),
        "labs": table([WEIGHT]),
    }
    for name, text in (plain | files).items():
        if text != "":
            (path / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path) -> tuple[Message, ...]:
    with pytest.raises(ChartError) as fault:
        from_csv(path)
    return fault.value.messages


def test_the_same_chart_as_json_and_as_csv(tmp_path: Path) -> None:
    assert from_csv(folder(tmp_path)) == read(sound())


def test_the_example_folder_is_the_example_chart() -> None:
    assert read_chart(EXAMPLES / "adult_three_troughs_csv") == read_chart(EXAMPLES / "adult_three_troughs.json")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_columns_separators_and_encodings_are_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    levels = [{"采样时间": "2026/9/15 7:40", "血药浓度": "7.2", "单位": "ng/mL", "检测方法": "CMIA"}]
    path = folder(tmp_path, levels="", 血药浓度=table(levels, delimiter).encode(encoding))
    chart, flags = from_csv(path)
    assert chart == read(sound())[0]
    assert {flag.code for flag in flags} == {"chart.naive-times"} | (
        {"file.read-as-gb18030"} if encoding == "gb18030" else set()
    )


def test_a_declared_decimal_comma_holds_in_every_file(tmp_path: Path) -> None:
    patient = table([PATIENT | {"invented": "yes", "zone": "Asia/Shanghai", "decimal_mark": ","}], ";")
    levels = table([LEVEL | {"value": "7,2"}], ";")
    labs = table([WEIGHT | {"value": "61,0"}], ";")
    assert from_csv(folder(tmp_path, patient=patient, levels=levels, labs=labs))[0] == read(sound())[0]


def test_a_regimen_may_stand_as_json_in_its_cell(tmp_path: Path) -> None:
    regimen = json.dumps({"kind": "daily", "amount": 2, "unit": "mg"})
    prescriptions = table([PRESCRIPTION | {"regimen": regimen}])
    assert from_csv(folder(tmp_path, prescriptions=prescriptions))[0] == read(sound())[0]
    broken = table([PRESCRIPTION | {"regimen": regimen[:-1]}])
    message = the(refused(folder(tmp_path, prescriptions=broken)), "chart.json-truncated")
    assert message.place is not None
    assert (message.place.line, message.place.field) == (2, "regimen")


HEADER = "at,value,unit\n"
ROW = "2026-09-15T07:40+08:00,45,10^9/L\n"


@pytest.mark.parametrize(
    ("name", "text", "code", "line", "field"),
    [
        ("levels", table([LEVEL | {"unit": ""}]), "chart.unit-missing", 2, "value"),
        ("levels", table([LEVEL, LEVEL | {"value": -1}]), "chart.negative", 3, "value"),
        ("levels", table([LEVEL, LEVEL | {"value": 8}]), "chart.values-at-once", 3, "value"),
        ("platelet_counts", "at,vlaue,unit\n", "chart.field-unknown", 1, "vlaue"),
        ("platelet_counts", "at,value,unit,姓名\n", "chart.identity", 1, "姓名"),
        ("platelet_counts", "at,unit\n", "chart.column-missing", 1, None),
        ("platelet_counts", "at,value,value,unit\n", "chart.column-twice", 1, None),
        ("platelet_counts", HEADER + "\n" + ROW + "2026-09-16T07:40+08:00,45\n", "chart.row-length", 4, None),
        ("platelet_counts", HEADER + ROW[:-1] + ",x\n", "chart.row-length", 2, None),
        ("platelet_counts", HEADER[:-1] + ",\n" + ROW[:-1] + ",50\n", "chart.column-nameless", 2, None),
        ("platelet_counts", HEADER + '"2026-09-15T07:40+08:00,45', "chart.csv-broken", 2, None),
        ("platelet_counts", b"", "file.empty", None, None),
        ("platelet_counts", HEADER.encode("utf-16"), "file.encoding", None, None),
        ("patient", "id,zone\n", "chart.patient-rows", None, None),
        ("patient", "id,zone\nA,UTC\nB,UTC\n", "chart.patient-rows", None, None),
        ("patient", "id\nA\n", "chart.column-missing", 1, None),
        ("patient", "id,zone,decimal_mark\nA,UTC,x\n", "chart.decimal-mark-unknown", 2, "decimal_mark"),
        ("patient", "id,zone\nA,Mars/Base\n", "chart.zone-unknown", 2, "zone"),
        ("levles", HEADER, "chart.file-unknown", None, None),
    ],
)
def test_faults_name_file_line_and_column(
    tmp_path: Path, name: str, text: str | bytes, code: str, line: int | None, field: str | None
) -> None:
    path = folder(tmp_path, **{name: text}) if text else folder(tmp_path)
    if not text:
        (path / f"{name}.csv").write_bytes(b"")
    message = the(refused(path), code)
    assert message.place is not None
    assert message.place.file == str(path / f"{name}.csv")
    assert (message.place.line, message.place.field) == (line, field)
    said_in_both(message)


def test_a_folder_without_a_patient_is_refused(tmp_path: Path) -> None:
    said_in_both(the(refused(folder(tmp_path, patient="")), "chart.patient-file-missing"))


def test_empty_columns_of_a_spreadsheet_do_no_harm(tmp_path: Path) -> None:
    counts = HEADER[:-1] + ",,\n" + ROW[:-1] + ",,\n"
    assert len(from_csv(folder(tmp_path, platelet_counts=counts))[0].platelet_counts) == 1


def test_other_files_are_set_aside_and_told(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "levels.xlsx").write_bytes(b"PK")
    (tmp_path / "README.md").write_text("notes")
    _, flags = from_csv(tmp_path)
    said_in_both(the(flags, "chart.file-set-aside"))
    assert len(flags) == 1


@pytest.mark.parametrize(
    ("cell", "serious"),
    [("yes", True), ("no", False), ("否", False), ("", None), ("unknown", None), ("不详", None), ("未记录", None)],
)
def test_an_empty_answer_is_not_recorded_and_never_no(cell: str, serious: bool | None, tmp_path: Path) -> None:
    (tmp_path / "patient.csv").write_text("id,zone\nP-1,UTC\n", encoding="utf-8")
    text = f"start,term,serious,related,action\n2026-09-10,rash,{cell},{cell},\n"
    (tmp_path / "adverse_events.csv").write_text(text, encoding="utf-8")
    chart, _ = read_chart(tmp_path)
    (event,) = chart.adverse_events
    assert (event.serious, event.related, event.stopped) == (serious, serious, None)
    assert from_json(write_chart(chart))[0] == chart


@pytest.mark.parametrize("heading", ["retracted", "作废时间"])
def test_a_column_tells_what_was_retracted(heading: str, tmp_path: Path) -> None:
    (tmp_path / "patient.csv").write_text("id,zone\nP-1,UTC\n", encoding="utf-8")
    rows = f"at,value,unit,{heading}\n2026-09-10,30,10^9/L,2026-09-12\n2026-09-11,31,10^9/L,\n"
    (tmp_path / "platelet_counts.csv").write_text(rows, encoding="utf-8")
    first, second = read_chart(tmp_path)[0].platelet_counts
    assert (first.retracted, second.retracted) == (datetime(2026, 9, 12, tzinfo=UTC), None)


def test_a_cell_may_hold_a_line_break_and_lines_still_count(tmp_path: Path) -> None:
    rows = [COUNT | {"note": "first\nsecond"}, COUNT | {"at": "2026-09-16", "value": -1, "note": ""}]
    message = the(refused(folder(tmp_path, platelet_counts=table(rows))), "chart.negative")
    assert message.place is not None
    assert message.place.line == 4


def test_many_rows_pass(tmp_path: Path) -> None:
    """`validation/input` reads a million."""
    rows = 20_000
    text = HEADER + "".join(f"20{y:02}-{m:02}-{d:02}T{h:02}:{n:02}Z,45,10^9/L\n" for y, m, d, h, n in _clock(rows))
    chart, flags = from_csv(folder(tmp_path, platelet_counts=text))
    assert len(chart.platelet_counts) == rows
    assert flags == ()


def _clock(rows: int) -> list[tuple[int, int, int, int, int]]:
    return [
        (i // 12 // 28 // 24 // 4, i // 28 // 24 // 4 % 12 + 1, i // 24 // 4 % 28 + 1, i // 4 % 24, i % 4 * 15)
        for i in range(rows)
    ]


@pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: section.name)
def test_no_column_has_two_meanings_in_one_file(section: Any) -> None:
    names = [other for field in section.fields for other in (field.name, *COLUMNS.get(field.name, ()))]
    assert len(names) == len(set(names))
    assert all(section_of(name) is section for name in (section.name, *section.names))


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([*SECTIONS, "patient"]),
    st.one_of(
        st.binary(max_size=120), st.text(st.sampled_from('at,value;unit\n"2026-09 血药浓度7.2\t\r'), max_size=60)
    ),
)
def test_any_table_is_read_or_refused(name: str, data: bytes | str) -> None:
    with TemporaryDirectory() as there:
        path = folder(Path(there))
        (path / f"{name}.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
        with suppress(ChartError):
            from_csv(path)
