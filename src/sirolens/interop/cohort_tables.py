# SPDX-License-Identifier: Apache-2.0
"""The CSV tables of a cohort: patients, the kinds of facts with a leading patient, reported responses, controls.

Each table is read row by row into a `Gathering`; every fault names file, line and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sirolens.errors import ChartError
from sirolens.interop.chart_csv import cells_of, open_table
from sirolens.interop.chart_fields import Quantity, choice, day, instant, number, perhaps, quantity, slug, text
from sirolens.interop.chart_patient import PATIENT_FIELDS, read_patient
from sirolens.interop.chart_reading import Field, Row, spelling
from sirolens.interop.chart_sections import Section, cell_measurement
from sirolens.interop.cohort_checks import Columns
from sirolens.interop.cohort_gathering import Enrolled, Gathering
from sirolens.interop.cohort_toml import STUDY_FILE, Declared
from sirolens.interop.cohort_words import COHORT_COLUMNS, LEFT_WHY, PATIENTS_COLUMNS, RESPONSES
from sirolens.interop.instants import Precision
from sirolens.interop.json_lines import Node, Scalar
from sirolens.interop.measurements import LABS, Measurement, lab_name
from sirolens.interop.numbers import clip, plain_width
from sirolens.message import Place, error, info
from sirolens.response.cohort import CharacteristicKind, FollowUp, ReportedResponse, UnreadColumn
from sirolens.response.control import ControlSample
from sirolens.units import CANONICAL

__all__ = [
    "CONTROL_FIELDS",
    "ENROLMENT_FIELDS",
    "RESPONSE_FIELDS",
    "complete_level",
    "read_controls",
    "read_facts",
    "read_patients",
    "read_responses",
]

LATEST_DAY = 20_000.0
_RESULTS = {"positive": True, "阳性": True, "negative": False, "阴性": False}


def _control_of(row: Row) -> Measurement:
    """Return what a control's row measures: a cytokine by its name, else a share or a count of cells."""
    cell = row.cells.get("cell")
    known = lab_name(cell.text) if isinstance(cell, Scalar) else None
    if known is not None and LABS[known].quantity == "cytokine":
        return LABS[known]
    return cell_measurement(row)


ENROLMENT_FIELDS = (
    Field(name="arm", read=text),
    Field(name="died", read=day),
    Field(name="left", read=day),
    Field(name="left_why", read=choice(LEFT_WHY), default="unknown"),
)
"""What the table of patients holds beside the patient."""

RESPONSE_FIELDS = (
    Field(name="patient", read=text, required=True),
    Field(name="response", read=text, required=True),
    Field(name="at", read=instant(Precision.DAY)),
    Field(name="landmark_d", read=number(0.0, LATEST_DAY)),
    Field(name="note", read=text),
)
CONTROL_FIELDS = (
    Field(name="id", read=text, required=True),
    Field(name="cell", read=slug({}), required=True),
    Field(name="value", read=quantity(_control_of), required=True),
    Field(name="unit", read=text, required=True),
    Field(name="gate", read=text, required=True),
    Field(name="note", read=text),
)


def _opened(
    path: Path,
    gathering: Gathering,
    known: Sequence[str],
    required: Sequence[str],
    section: str,
    other_names: Mapping[str, Sequence[str]] = COHORT_COLUMNS,
) -> Iterator[Row]:
    """Yield the rows of a table; at its end, note its hash, its unread columns and what its columns have shown."""
    reading, unread = gathering.reading, gathering.study.unread
    table = open_table(path, known, required, reading, other_names=other_names, unread=unread)
    count = 0
    filled = dict.fromkeys((name for name in (table.unread if table is not None else ()) if name), 0)
    if table is None:
        reading.incomplete.add(section)
    else:
        columns = Columns(section)
        for line, found in table.rows:
            count += 1
            cells = cells_of(table.columns, line, found, reading)
            if cells is None:
                reading.incomplete.add(section)
                continue
            for name, cell in zip(table.unread, found, strict=False):
                if name and cell.strip():
                    filled[name] += 1
            row = Row(cells=cells, line=line, path="", reading=reading)
            columns.watch(row)
            yield row
        columns.tell(reading)
        if count == 0:
            reading.flag(info("cohort.table-empty", place=Place(file=reading.file, line=1)))
    gathering.unread.extend(UnreadColumn(file=path.name, name=name, filled=filled[name]) for name in filled)
    gathering.record_file(path, count)


def read_patients(path: Path, gathering: Gathering) -> None:
    """Read the table of patients.

    Parameters
    ----------
    path : Path
        The file.
    gathering : Gathering
        Where patients, arms, ends of follow-up and declared characteristics are noted.
    """
    declared = {one.name: _characteristic(one) for one in gathering.study.characteristics}
    fixed = [field.name for field in (*PATIENT_FIELDS, *ENROLMENT_FIELDS) if field.name != "id"]
    taken = {spelling(other) for name in ("patient", *fixed) for other in (name, *PATIENTS_COLUMNS.get(name, ()))}
    for name in declared:
        if spelling(name) in taken:
            place = Place(file=str(gathering.folder / STUDY_FILE), field=f"characteristics.{name}")
            gathering.reading.fault(error("cohort.characteristic-taken", place=place, value=clip(name)))
            return
    for row in _opened(path, gathering, ("patient", *fixed, *declared), ("patient",), "patients", PATIENTS_COLUMNS):
        _read_patient_row(row, declared, gathering)


def _read_patient_row(row: Row, declared: Mapping[str, Field], gathering: Gathering) -> None:
    reading = gathering.reading
    cells: dict[str, Node] = dict(row.cells)
    cell = cells.pop("patient", None)
    pseudonym = cell.text.strip() if isinstance(cell, Scalar) else ""
    if cell is not None:
        cells["id"] = cell
    row = replace(row, cells=cells, names={"id": "patient"})
    if pseudonym and not gathering.name_patient(pseudonym, row.place("id")):
        return
    patient = read_patient(row)
    values = _values(row, (*ENROLMENT_FIELDS, *declared.values()))
    if patient is None or values is None:
        reading.incomplete.add("patients")
        return
    gathering.enrolled[pseudonym] = Enrolled(patient, row.place(), diagnosed="diagnosis" in cells)
    if values["arm"] is not None:
        gathering.arms[pseudonym] = values["arm"]
    died: date | None = values["died"]
    left: date | None = values["left"]
    if died is not None and left is not None and left > died:
        reading.fault(error("cohort.left-after-death", place=row.place("left"), left=left, died=died))
    if died is not None or left is not None or values["left_why"] != "unknown":
        gathering.follow_up[pseudonym] = FollowUp(died=died, left=left, why=values["left_why"])
    for name in declared:
        if values[name] is not None:
            gathering.characteristics[name][pseudonym] = values[name]


def _values(row: Row, fields: Sequence[Field]) -> dict[str, Any] | None:
    """Read some fields of a row; None when one has a fault, which is noted."""
    values: dict[str, Any] = {}
    sound = True
    for field in fields:
        if field.name not in row.cells:
            values[field.name] = field.default
            if field.required:
                sound = False
                row.reading.fault(error("chart.field-missing", place=row.place(), name=field.name))
            continue
        try:
            values[field.name] = field.read(row, field.name)
        except ChartError as fault:
            sound = False
            row.reading.fault(*row.placed(fault.messages, field.name))
    return values if sound else None


def _characteristic(one: Declared) -> Field:
    """Make the field of a declared column."""
    match one.kind:
        case CharacteristicKind.NUMBER:
            low, high = (0.0, 100.0) if one.unit.strip() in ("%", "％") else (-1e12, 1e12)
            return Field(name=one.name, read=number(low, high))
        case CharacteristicKind.YES_NO:
            return Field(name=one.name, read=_yes_no)
    return Field(name=one.name, read=text)


def _yes_no(row: Row, name: str) -> bool | None:
    """Read yes or no, also as the result of a test; "unknown" is no value."""
    found = _RESULTS.get(plain_width(text(row, name)).lower())
    return perhaps(row, name) if found is None else found


def read_facts(path: Path, section: Section, gathering: Gathering) -> None:
    """Read one table of facts with a leading patient.

    Parameters
    ----------
    path : Path
        The file.
    section : Section
        What kind of fact it holds.
    gathering : Gathering
        Where the facts are noted.
    """
    known = ("patient", *(field.name for field in section.fields))
    required = ("patient", *(field.name for field in section.fields if field.required))
    for row in _opened(path, gathering, known, required, section.name):
        prepared = _prepared(row, section, gathering)
        gathering.read_fact(section, prepared)
        if section.name == "cell_counts":
            cell, gate = prepared.cells.get("cell"), prepared.cells.get("gate")
            if isinstance(cell, Scalar) and isinstance(gate, Scalar):
                gathering.gates.watch(cell.text.strip().lower(), gate.text, prepared.place("gate"))


def _prepared(row: Row, section: Section, gathering: Gathering) -> Row:
    """Add what the study declares for a whole column: the clock of levels, the CTCAE version of grades."""
    if section.name == "levels":
        return complete_level(row, gathering)
    version = gathering.study.ctcae_version
    if section.name == "adverse_events" and version and "grade" in row.cells and "ctcae_version" not in row.cells:
        return replace(row, cells={**row.cells, "ctcae_version": Scalar("text", version, row.line)})
    return row


def complete_level(row: Row, gathering: Gathering) -> Row:
    """Give a level whose day alone is known the clock time that the study declares, with a flag."""
    clock, cell = gathering.study.level_clock, row.cells.get("at")
    if clock is None or not isinstance(cell, Scalar):
        return row
    plain = plain_width(cell.text)
    if ":" in plain or "时" in plain or "点" in plain or len(plain) < 8:
        return row
    row.reading.flag(info("cohort.level-clock", place=row.place("at"), value=clip(cell.text), clock=clock))
    return replace(row, cells={**row.cells, "at": Scalar("text", f"{plain}T{clock}", cell.line)})


def _names(fields: Sequence[Field]) -> tuple[list[str], list[str]]:
    """Return the names of all fields, and of the required ones."""
    return [field.name for field in fields], [field.name for field in fields if field.required]


def read_responses(path: Path, gathering: Gathering) -> None:
    """Read the response the source itself reports; it is kept and compared, never used.

    Parameters
    ----------
    path : Path
        The file.
    gathering : Gathering
        Where it is noted.
    """
    for row in _opened(path, gathering, *_names(RESPONSE_FIELDS), "responses"):
        pseudonym = gathering.patient_of(row)
        values = _values(row, RESPONSE_FIELDS)
        if values is None or pseudonym is None:
            continue
        written = values["response"]
        plain = " ".join(plain_width(written).lower().split())
        if plain not in RESPONSES:
            gathering.reading.flag(info("cohort.response-word", place=row.place("response"), value=clip(written)))
        landmark = values["landmark_d"]
        gathering.reported[pseudonym].append(
            ReportedResponse(
                response=RESPONSES.get(plain, plain),
                written=written,
                at=values["at"],
                landmark_d=None if landmark is None else round(landmark),
                place=row.place("response"),
            )
        )


def read_controls(path: Path, gathering: Gathering) -> None:
    """Read the healthy controls.

    Parameters
    ----------
    path : Path
        The file.
    gathering : Gathering
        Where they are noted.
    """
    for row in _opened(path, gathering, *_names(CONTROL_FIELDS), "controls"):
        values = _values(row, CONTROL_FIELDS)
        if values is None:
            continue
        value: Quantity = values["value"]
        if value.relation:
            place = row.place("value")
            gathering.reading.fault(error("chart.limit-not-kept", place=place, value=value.relation))
            continue
        gathering.gates.watch(values["cell"], values["gate"], row.place("gate"))
        gathering.controls.append(
            ControlSample(
                id=values["id"],
                cell=values["cell"],
                value=value.value,
                unit=CANONICAL[_control_of(row).quantity],
                gate=values["gate"],
            )
        )
