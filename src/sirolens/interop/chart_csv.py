# SPDX-License-Identifier: Apache-2.0
"""A patient's chart as a folder of CSV files: ``patient.csv`` and one file for each kind of fact.

Columns are the fields of the JSON format, in any order, under their English or Chinese names; the separator is a comma,
a semicolon or a tab. Rows are read one after the other, so that a million of them need no more than the facts
themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from sirolens.chart import Chart, Patient
from sirolens.errors import ChartError, InputError
from sirolens.interop.chart_assembly import assemble, find_zone
from sirolens.interop.chart_checks import Entry
from sirolens.interop.chart_patient import PATIENT_FIELDS, read_single_patient, refuse_unknown
from sirolens.interop.chart_reading import Field, Reading, Row, spelling
from sirolens.interop.chart_sections import SECTIONS, Section, read_row, section_of
from sirolens.interop.chart_words import COLUMNS, IDENTITY, words_of_a_chart
from sirolens.interop.encoding import decode
from sirolens.interop.json_lines import Node, Scalar
from sirolens.message import Message, Place, error, warning

__all__ = ["PATIENT_COLUMNS", "PATIENT_FILE", "Table", "cells_of", "from_csv", "open_table"]

PATIENT_FILE = "patient.csv"
PATIENT_COLUMNS = ("sirolens_chart", "zone", "decimal_mark", *(field.name for field in PATIENT_FIELDS))
_PATIENT_NAMES = frozenset({"patient", "患者", "病人"})
_SEPARATORS = (",", ";", "\t")


class Table(NamedTuple):
    """The columns of one file and its rows with their lines; a column that is not read has no name.

    `unread` holds, column by column, the heading of one that the caller let stand without being read.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]
    unread: tuple[str, ...] = ()


def from_csv(folder: str | Path, *, received: datetime | None = None) -> tuple[Chart, tuple[Message, ...]]:
    """Read a chart from a folder of CSV files.

    Parameters
    ----------
    folder : str or Path
        Holds ``patient.csv`` (one row: the patient, the clinic's time zone, the decimal mark) and, as needed,
        ``prescriptions.csv``, ``levels.csv`` and so on.
    received : datetime, optional
        When the chart arrived, with its time zone.

    Returns
    -------
    chart : Chart
    flags : tuple of Message

    Raises
    ------
    ChartError
        With every fault found.
    """
    place = Path(folder)
    reading = Reading(str(folder))
    patient_file, files = _files(place, reading)
    patient = None
    if patient_file is None:
        reading.fault(error("chart.patient-file-missing", place=Place(file=str(place)), expected=PATIENT_FILE))
    else:
        patient = _read_patient_file(patient_file, reading)
    entries: dict[str, Sequence[Entry]] = {}
    for name, section in SECTIONS.items():
        entries[name] = [entry for path in files.get(name, ()) for entry in _read_file(path, section, reading)]
    return assemble(patient, entries, reading, received)


def _files(folder: Path, reading: Reading) -> tuple[Path | None, dict[str, list[Path]]]:
    """Find which file holds what; a CSV file of an unknown name is a fault, another file is set aside with a flag."""
    patient_file: Path | None = None
    files: dict[str, list[Path]] = {}
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        raise ChartError(error("file.unreadable", place=Place(file=str(folder)))) from None
    for path in found:
        if path.suffix.lower() != ".csv":
            if not path.stem.lower().startswith("readme"):
                reading.flag(warning("chart.file-set-aside", place=Place(file=str(path))))
        elif spelling(path.stem) in _PATIENT_NAMES:
            patient_file = path
        elif (section := section_of(path.stem)) is not None:
            files.setdefault(section.name, []).append(path)
        else:
            near = tuple(f"{name}.csv" for name in get_close_matches(spelling(path.stem), SECTIONS, n=2))
            reading.fault(error("chart.file-unknown", place=Place(file=str(path)), near=near, known=tuple(SECTIONS)))
    return patient_file, files


def open_table(
    path: Path,
    known: Sequence[str],
    required: Sequence[str],
    reading: Reading,
    *,
    other_names: Mapping[str, Sequence[str]] = COLUMNS,
    unread: Collection[str] | None = (),
) -> Table | None:
    """Decode a file and match its columns; None when it has faults, which are noted.

    Parameters
    ----------
    path : Path
        The file; from here on it is the reading's.
    known, required : sequence of str
        The columns it may have, and those it must have.
    reading : Reading
        Where faults and flags are noted.
    other_names : mapping
        Other headings of a column.
    unread : collection of str
        Headings, as compared by `spelling`, that may stand without being read; None: any that tells nobody's identity.
    """
    reading.file = str(path)
    try:
        text, flags = decode(path.read_bytes(), file=str(path), known=tuple(words_of_a_chart()))
    except InputError as fault:
        reading.fault(*fault.messages)
        return None
    except OSError:
        reading.fault(error("file.unreadable", place=Place(file=str(path))))
        return None
    reading.flag(*flags)
    by_spelling = {spelling(other): name for name in known for other in (name, *other_names.get(name, ()))}
    rows = _rows(text, by_spelling, reading)
    _, header = next(rows, (1, []))
    columns = tuple(by_spelling.get(spelling(name), "") for name in header)
    let_stand = tuple(
        name.strip() if not column and _may_stand(spelling(name), unread) else ""
        for name, column in zip(header, columns, strict=True)
    )
    refuse_unknown(
        {
            name: 1
            for name, column, kept in zip(header, columns, let_stand, strict=True)
            if not column and not kept and name.strip()
        },
        tuple(known),
        "",
        reading,
    )
    place = Place(file=reading.file, line=1)
    for name in sorted({name for name in columns if name and columns.count(name) > 1}):
        reading.fault(error("chart.column-twice", place=place, name=name))
    missing = [name for name in required if name not in columns]
    for name in missing:
        reading.fault(error("chart.column-missing", place=place, name=name, known=tuple(known)))
    nameless = [position for position, name in enumerate(header) if not name.strip()]
    return None if missing else Table(columns, _without_nameless(rows, nameless, reading), let_stand)


def _without_nameless(
    rows: Iterator[tuple[int, list[str]]], nameless: Sequence[int], reading: Reading
) -> Iterator[tuple[int, list[str]]]:
    """Note that something stands in a column without a heading; it is not repeated, since it may be a name."""
    for line, row in rows:
        for position in nameless:
            if position < len(row) and row[position].strip():
                place = Place(file=reading.file, line=line)
                reading.fault(error("chart.column-nameless", place=place, column=position + 1))
        yield line, row


def _may_stand(heading: str, unread: Collection[str] | None) -> bool:
    return heading not in IDENTITY if unread is None else heading in unread


def _rows(text: str, names: Collection[str], reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold something, with the line each begins on."""
    table = csv.reader(StringIO(text, newline=""), delimiter=_separator(text, names), strict=True)
    line = 1
    try:
        for row in table:
            if any(cell.strip() for cell in row):
                yield line, row
            line = table.line_num + 1
    except csv.Error:
        reading.fault(error("chart.csv-broken", place=Place(file=reading.file, line=line)))


def _separator(text: str, names: Collection[str]) -> str:
    """Choose the separator under which most columns of the header are known."""
    header = text.lstrip().partition("\n")[0]

    def recognised(separator: str) -> int:
        return sum(spelling(cell.strip('"')) in names for cell in header.split(separator))

    return max(_SEPARATORS, key=recognised)


def cells_of(columns: Sequence[str], line: int, row: list[str], reading: Reading) -> dict[str, Node] | None:
    """Match cells to columns; None, with the fault noted, when a row has more or fewer."""
    if len(row) != len(columns) and not (len(row) > len(columns) and not any(map(str.strip, row[len(columns) :]))):
        place = Place(file=reading.file, line=line)
        reading.fault(error("chart.row-length", place=place, count=len(row), expected=len(columns)))
        return None
    return {name: Scalar("text", cell, line) for name, cell in zip(columns, row, strict=False) if name and cell.strip()}


def _required(fields: Sequence[Field]) -> list[str]:
    return [field.name for field in fields if field.required]


def _read_patient_file(path: Path, reading: Reading) -> Patient | None:
    table = open_table(path, PATIENT_COLUMNS, [*_required(PATIENT_FIELDS), "zone"], reading)
    if table is None:
        return None
    rows = list(table.rows)
    if len(rows) != 1:
        reading.fault(error("chart.patient-rows", place=Place(file=reading.file), count=len(rows)))
        return None
    line, cells = rows[0][0], cells_of(table.columns, *rows[0], reading)
    if cells is None:
        return None
    row = Row(cells=cells, line=line, path="", reading=reading)
    find_zone(row)
    mark = cells.get("decimal_mark")
    if isinstance(mark, Scalar):
        if mark.text.strip() in (".", ","):
            reading.decimal_mark = mark.text.strip()
        else:
            reading.fault(error("chart.decimal-mark-unknown", place=row.place("decimal_mark")))
    return read_single_patient(row)


def _read_file(path: Path, section: Section, reading: Reading) -> Iterator[Entry]:
    names = tuple(field.name for field in section.fields)
    table = open_table(path, names, _required(section.fields), reading)
    if table is None:
        reading.incomplete.add(section.name)
        return
    file, columns = reading.file, table.columns
    for line, found in table.rows:
        cells = cells_of(columns, line, found, reading)
        if cells is None:
            reading.incomplete.add(section.name)
            continue
        fact = read_row(section, Row(cells=cells, line=line, path="", reading=reading))
        if fact is not None:
            drug = cells.get("drug")
            yield Entry(fact, line, "", file, drug.text if isinstance(drug, Scalar) else "sirolimus")
