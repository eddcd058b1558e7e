# SPDX-License-Identifier: Apache-2.0
"""A patient's chart as JSON: read with every fault named at once, and written so that it reads back the same.

`read_chart` takes a file or a folder of tables, `from_json` a text. Both give the chart and the flags: what was read
with care (converted units, times without an offset, merged rows). The format is documented in ``docs/input.md`` and
published as a JSON Schema (`sirolens.interop.chart_schema`).
"""

from __future__ import annotations

import json
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, Dose, Fact, Level, Patient, PlateletCount, Prescription, Quantification
from sirolens.errors import ChartError, InputError
from sirolens.interop.chart_assembly import assemble, find_zone
from sirolens.interop.chart_checks import Entry
from sirolens.interop.chart_csv import from_csv
from sirolens.interop.chart_fields import exact
from sirolens.interop.chart_patient import PATIENT_FIELDS, read_single_patient, refuse_unknown
from sirolens.interop.chart_reading import Reading, Row
from sirolens.interop.chart_sections import SECTIONS, Section, read_row
from sirolens.interop.chart_words import words_of_a_chart
from sirolens.interop.encoding import decode
from sirolens.interop.json_lines import Items, Members, Node, Scalar, parse
from sirolens.interop.regimen_json import regimen_to_json, tidy
from sirolens.message import Message, Place, error

__all__ = ["TOP_FIELDS", "VERSION", "from_json", "read_chart", "write_chart"]

VERSION = 1
TOP_FIELDS = ("sirolens_chart", "zone", "decimal_mark", "note", "patient", *SECTIONS)


def read_chart(path: str | Path, *, received: datetime | None = None) -> tuple[Chart, tuple[Message, ...]]:
    """Read a chart from a JSON file or from a folder of CSV files.

    Parameters
    ----------
    path : str or Path
        The file or folder.
    received : datetime, optional
        When the chart arrived, with its time zone: facts after it are flagged.

    Returns
    -------
    chart : Chart
    flags : tuple of Message
        What was read with care.

    Raises
    ------
    ChartError
        With every fault found: file, line, field, value, what was expected.
    """
    place = Path(path)
    if place.is_dir():
        return from_csv(place, received=received)
    try:
        data = place.read_bytes()
    except FileNotFoundError:
        raise ChartError(error("file.missing", place=Place(file=str(path)))) from None
    except (OSError, ValueError):  # ValueError: a name with a NUL
        raise ChartError(error("file.unreadable", place=Place(file=str(path)))) from None
    return from_json(data, file=str(path), received=received)


def from_json(
    data: bytes | str, *, file: str = "chart.json", received: datetime | None = None
) -> tuple[Chart, tuple[Message, ...]]:
    """Read a chart from JSON.

    Parameters
    ----------
    data : bytes or str
        The whole text; bytes in UTF-8 or, where plausible, GB18030.
    file : str
        Its name, for faults and flags.
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

    Examples
    --------
    >>> text = '''{
    ...   "sirolens_chart": 1, "zone": "Asia/Shanghai", "patient": {"id": "P-1", "diagnosis": "itp", "invented": true},
    ...   "prescriptions": [{"start": "2026-09-01T08:00+08:00", "regimen": "2 mg daily"}],
    ...   "levels": [{"at": "2026-09-15T07:40+08:00", "value": 790, "unit": "ng/dL", "assay": "cmia"}]
    ... }'''
    >>> chart, flags = from_json(text)
    >>> chart.levels[0].level_ng_ml, [flag.code for flag in flags]
    (7.9, ['chart.converted'])
    """
    try:
        text, flags = decode(_encoded(data), file=file, known=tuple(words_of_a_chart()))
    except InputError as fault:
        raise ChartError(*fault.messages) from None
    root = parse(text, file=file)
    if not isinstance(root, Members):
        raise ChartError(error("chart.not-a-chart", place=Place(file=file, line=root.line)))
    reading = Reading(file)
    reading.flag(*flags)
    patient = _read_top(root, reading)
    entries = {name: _read_section(section, root, reading) for name, section in SECTIONS.items()}
    return assemble(patient, entries, reading, received)


def _encoded(data: bytes | str) -> bytes:
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


def _cells(node: Members) -> dict[str, Node]:
    """Leave out what holds nothing: null and empty texts."""
    return {
        name: cell
        for name, cell in node.members.items()
        if not (isinstance(cell, Scalar) and (cell.kind == "null" or (cell.kind == "text" and not cell.text.strip())))
    }


def _tell_twice(node: Members, path: str, reading: Reading) -> None:
    for name, line in node.twice:
        reading.fault(
            error("chart.json-twice", place=Place(file=reading.file, line=line, field=path or None), name=name)
        )


def _read_top(root: Members, reading: Reading) -> Patient | None:
    """Read everything that is no list of facts."""
    _tell_twice(root, "", reading)
    unknown = {name: node.line for name, node in root.members.items() if name not in TOP_FIELDS}
    refuse_unknown(unknown, TOP_FIELDS, "", reading)
    row = Row(cells=_cells(root), line=root.line, path="", reading=reading)
    for name, read in (("sirolens_chart", exact(str(VERSION))), ("decimal_mark", _decimal_mark)):
        try:
            if name in row.cells:
                read(row, name)
            elif name == "sirolens_chart":
                reading.fault(error("chart.not-a-chart", place=row.place()))
        except ChartError as fault:
            reading.fault(*row.placed(fault.messages, name))
    find_zone(row)
    patient = row.cells.get("patient")
    if patient is None:
        reading.fault(error("chart.field-missing", place=row.place(), name="patient"))
        return None
    if not isinstance(patient, Members):
        reading.fault(error("chart.expected-object", place=row.place("patient")))
        return None
    _tell_twice(patient, "patient", reading)
    names = tuple(field.name for field in PATIENT_FIELDS)
    refuse_unknown({n: node.line for n, node in patient.members.items() if n not in names}, names, "patient", reading)
    return read_single_patient(Row(cells=_cells(patient), line=patient.line, path="patient", reading=reading))


def _decimal_mark(row: Row, name: str) -> None:
    cell = row.cells[name]
    if not isinstance(cell, Scalar) or cell.text not in (".", ","):
        raise ChartError(error("chart.decimal-mark-unknown", place=row.place(name)))
    row.reading.decimal_mark = cell.text


def _read_section(section: Section, root: Members, reading: Reading) -> list[Entry]:
    """Read one list of facts."""
    node = root.members.get(section.name)
    if node is None or (isinstance(node, Scalar) and node.kind == "null"):
        return []
    if not isinstance(node, Items):
        place = Place(file=reading.file, line=node.line, field=section.name)
        reading.fault(error("chart.expected-list", place=place))
        reading.incomplete.add(section.name)
        return []
    names = tuple(field.name for field in section.fields)
    found = []
    for index, item in enumerate(node.items):
        path = f"{section.name}[{index}]"
        if not isinstance(item, Members):
            place = Place(file=reading.file, line=item.line, field=path)
            reading.fault(error("chart.expected-object", place=place))
            reading.incomplete.add(section.name)
            continue
        _tell_twice(item, path, reading)
        unknown = {name: cell.line for name, cell in item.members.items() if name not in names}
        refuse_unknown(unknown, names, path, reading)
        row = Row(cells=_cells(item), line=item.line, path=path, reading=reading)
        fact = read_row(section, row)
        if fact is not None:
            drug = row.cells.get("drug")
            written = drug.text if isinstance(drug, Scalar) else "sirolimus"
            found.append(Entry(fact, item.line, path, reading.file, written))
    return found


def write_chart(chart: Chart) -> str:
    """Write a chart as JSON that `from_json` reads back to the same chart.

    Parameters
    ----------
    chart : Chart
        Whose values lie in the windows of the border.

    Returns
    -------
    str
        Indented text; times with the offset of the clinic's zone, values in canonical units.

    Examples
    --------
    >>> chart = Chart(patient=Patient(id="P-1", invented=True), zone="Asia/Shanghai")
    >>> from_json(write_chart(chart))[0] == chart
    True
    """
    zone = ZoneInfo(chart.zone)
    written: dict[str, Any] = {"sirolens_chart": VERSION, "zone": chart.zone, "patient": _plain(chart.patient, zone)}
    for name in SECTIONS:
        facts = getattr(chart, name)
        if facts:
            written[name] = [_fact(fact, SECTIONS[name].fields[0].name, zone) for fact in facts]
    return json.dumps(written, ensure_ascii=False, indent=2) + "\n"


def _plain(thing: Fact | Patient, zone: ZoneInfo) -> dict[str, Any]:
    """Write the fields that say something, in the order they are declared."""
    found = {name: getattr(thing, name) for name in type(thing).__dataclass_fields__}
    return {name: _value(value, zone) for name, value in found.items() if value is not None and value != ""}


def _value(value: Any, zone: ZoneInfo) -> Any:
    match value:
        case datetime():
            return value.astimezone(zone).isoformat(timespec="auto" if value.microsecond or value.second else "minutes")
        case date():
            return value.isoformat()
        case bool():
            return value
        case Enum():
            return str(value)
        case float() | int():
            return tidy(value)
    return value


def _fact(fact: Fact, time_name: str, zone: ZoneInfo) -> dict[str, Any]:
    """Write one fact under the names and with the units of the format, its time first."""
    rest = _plain(fact, zone)
    moment = {time_name: rest.pop("at")}
    if fact.recorded == fact.at and fact.replaces is None:
        del rest["recorded"]
    match fact:
        case Level():
            if fact.quantification is Quantification.MEASURED:
                del rest["quantification"]
            return {**moment, "value": rest.pop("level_ng_ml"), "unit": "ng/mL", **rest}
        case PlateletCount():
            return {**moment, "value": rest.pop("count_10e9_l"), "unit": "10^9/L", **rest}
        case Dose():
            amount_mg = rest.pop("amount_mg")
            return {**moment, **({"amount": amount_mg, "unit": "mg"} if amount_mg else {}), **rest}
        case Prescription():
            return {**moment, **rest, "regimen": regimen_to_json(fact.regimen)}
    return {**moment, **rest}
