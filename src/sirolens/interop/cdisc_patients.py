# SPDX-License-Identifier: Apache-2.0
"""The DM domain: who the patients are, their arms, their consent, and how their time in the study ended."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from sirolens.errors import ChartError, InputError
from sirolens.interop.cdisc_tables import Record, records
from sirolens.interop.chart_patient import read_patient
from sirolens.interop.chart_reading import Row
from sirolens.interop.chart_sections import SECTIONS
from sirolens.interop.cohort_gathering import Enrolled, Gathering
from sirolens.interop.instants import read_day
from sirolens.interop.json_lines import Node, Scalar
from sirolens.interop.measurements import number_text
from sirolens.interop.numbers import clip, read_number
from sirolens.message import error, info, warning
from sirolens.response.cohort import FollowUp
from sirolens.units import convert

__all__ = ["DM_READ", "read_dm"]

DM_READ = (
    *("USUBJID", "SEX", "BRTHDTC", "AGE", "AGEU", "RFSTDTC", "ARM"),
    *("RFICDTC", "DTHDTC", "DTHFL", "RFPENDTC"),  # consent, death and whether there was one, end of participation
)
_NAMES = {
    "patient": "USUBJID",
    "id": "USUBJID",
    "sex": "SEX",
    "born": "BRTHDTC",
    "age_years": "AGE",
    "age_at": "RFSTDTC",
    "start": "RFICDTC",
    "died": "DTHDTC",
    "left": "RFPENDTC",
}
_WHOLE_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")
_SEXES = {"undifferentiated": "unknown"}
NOT_IN_AN_ARM = frozenset({"screen failure", "not assigned", "not treated"})
"""Values of ARM that say that the patient is in none."""


def read_dm(path: Path, gathering: Gathering) -> None:
    """Read the DM domain.

    Parameters
    ----------
    path : Path
        Its file.
    gathering : Gathering
        Where patients, arms, consents and ends of follow-up are noted.
    """
    for record in records(path, DM_READ, ("USUBJID",), gathering):
        _read_record(record, gathering)


def _read_record(record: Record, gathering: Gathering) -> None:
    reading, values = gathering.reading, record.values
    cells: dict[str, Node] = {}

    def put(field: str, text: str | None) -> None:
        if text:
            cells[field] = Scalar("text", text, record.line)

    put("id", values.get("USUBJID"))
    sex = values.get("SEX", "").lower()
    put("sex", _SEXES.get(sex, sex))
    row = Row(cells=cells, line=record.line, path="", reading=reading, names=_NAMES)
    if "id" in cells and not gathering.name_patient(values["USUBJID"], row.place("id")):
        return
    born = values.get("BRTHDTC")
    if born and _WHOLE_DAY.fullmatch(born):
        put("born", born[:10])
    else:
        if born:
            reading.flag(info("cdisc.birth-partial", place=row.place("born")))
        _put_age(record, row, cells)
    patient = read_patient(row)
    if patient is None:
        reading.incomplete.add("patients")
        return
    gathering.enrolled[patient.id] = Enrolled(patient, row.place(), diagnosed=False)  # DM has no diagnosis
    _arm(record, row, gathering)
    died, left = (_day(record, row, name) for name in ("DTHDTC", "RFPENDTC"))
    if died is None and values.get("DTHFL", "").upper() == "Y" and not values.get("DTHDTC"):
        reading.flag(warning("cdisc.death-undated", place=row.place("died")))
    if died is not None or left is not None:
        gathering.follow_up[patient.id] = FollowUp(died=died, left=left, why="died" if died is not None else "unknown")
    consent = values.get("RFICDTC")
    if consent:
        texts = {"patient": patient.id, "start": consent, "scope": "research", "given": "true"}
        asked: dict[str, Node] = {name: Scalar("text", text, record.line) for name, text in texts.items()}
        gathering.read_fact(
            SECTIONS["consents"], Row(cells=asked, line=record.line, path="", reading=reading, names=_NAMES)
        )


def _put_age(record: Record, row: Row, cells: dict[str, Node]) -> None:
    """Take the age at the start of treatment, in years; without a day it was true it is set aside."""
    age, unit, day = (record.values.get(name) for name in ("AGE", "AGEU", "RFSTDTC"))
    if not age:
        return
    if not unit:
        row.reading.fault(error("cdisc.age-unit-missing", place=row.place("age_years"), value=clip(age)))
        return
    if not day or not _WHOLE_DAY.fullmatch(day):
        row.reading.flag(info("cdisc.age-undated", place=row.place("age_years"), value=clip(age)))
        return
    try:
        years = convert(read_number(age)[0].value, unit, "age").value
    except InputError as fault:
        row.reading.fault(*row.placed(fault.messages, "age_years"))
        return
    cells["age_years"] = Scalar("text", number_text(years), record.line)
    cells["age_at"] = Scalar("text", day[:10], record.line)


def _arm(record: Record, row: Row, gathering: Gathering) -> None:
    arm, pseudonym = record.values.get("ARM"), record.values["USUBJID"]
    if not arm:
        return
    if arm.lower() in NOT_IN_AN_ARM:
        gathering.reading.flag(info("cdisc.no-arm", place=row.place(), value=clip(arm)))
    else:
        gathering.arms[pseudonym] = arm


def _day(record: Record, row: Row, name: str) -> date | None:
    text = record.values.get(name)
    if not text:
        return None
    field = next(field for field, variable in _NAMES.items() if variable == name)
    try:
        return read_day(text.partition("T")[0])
    except ChartError as fault:
        row.reading.fault(*row.placed(fault.messages, field))
        return None
