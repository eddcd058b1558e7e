# SPDX-License-Identifier: Apache-2.0
"""Who the patient is, as far as a chart may say it: a pseudonym, an age, a sex; never a name or a number from a card.

Faults here do not repeat what was written, except for an impossible age.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from sirolens.chart import Patient, Sex
from sirolens.errors import ChartError
from sirolens.interop import chart_words as words
from sirolens.interop.chart_fields import boolean, choice, day, number, slug, text, unechoed
from sirolens.interop.chart_moments import TEXT
from sirolens.interop.chart_reading import Field, Reading, Row, spelling
from sirolens.interop.numbers import clip
from sirolens.message import Place, error, info

__all__ = ["PATIENT_FIELDS", "read_patient", "read_single_patient", "refuse_unknown"]

OLDEST_YEARS = 120.0
_CARD = re.compile(r"[1-9][0-9]{16}[0-9Xx]|[0-9]{15}")  # a Chinese identity card's number, new or old
_DAY: Mapping[str, Any] = MappingProxyType({"type": "string", "description": "A day: 1980-05-01."})


def _pseudonym(row: Row, name: str) -> str:
    found = text(row, name)
    if not found:
        raise ChartError(error("chart.field-missing", place=row.place(), name=name))
    if _CARD.fullmatch(found):
        raise ChartError(error("chart.identity-number", place=row.place(name)))
    return found


PATIENT_FIELDS = (
    Field(name="id", read=_pseudonym, form=TEXT, required=True),
    Field(name="sex", read=unechoed(choice(words.SEXES)), form=TEXT, default=Sex.UNKNOWN),
    Field(name="born", read=unechoed(day), form=_DAY),
    Field(name="age_years", read=number(0.0, OLDEST_YEARS), form=MappingProxyType({"type": ["number", "string"]})),
    Field(name="age_at", read=unechoed(day), form=_DAY),
    Field(name="population", read=slug(words.POPULATIONS), form=TEXT),
    Field(name="diagnosis", read=slug(words.DIAGNOSES), form=TEXT, default="primary-itp"),
    Field(name="invented", read=boolean, form=MappingProxyType({"type": "boolean"}), default=False),
    Field(name="note", read=text, form=TEXT),
)


def read_patient(row: Row) -> Patient | None:
    """Read the patient; None when there are faults, which are noted in the row's reading."""
    values: dict[str, Any] = {}
    faults = row.reading.fault_count
    for field in PATIENT_FIELDS:
        if field.name not in row.cells:
            values[field.name] = field.default
            if field.required:
                row.reading.fault(error("chart.field-missing", place=row.place(), name=field.name))
            continue
        try:
            values[field.name] = field.read(row, field.name)
        except ChartError as fault:
            row.reading.fault(*row.placed(fault.messages, field.name))
    if row.reading.fault_count == faults:
        row.reading.fault(*_age_faults(values, row))
    if row.reading.fault_count > faults:
        return None
    del values["note"]
    return Patient(**values)


def read_single_patient(row: Row) -> Patient | None:
    """Read the patient of a chart that stands alone; a diagnosis nobody wrote down is assumed, and told."""
    patient = read_patient(row)
    if patient is not None and "diagnosis" not in row.cells:
        row.reading.flag(info("chart.diagnosis-assumed", place=row.place(), diagnosis=patient.diagnosis))
    return patient


def _age_faults(values: Mapping[str, Any], row: Row) -> list[Any]:
    if values["born"] is not None and values["age_years"] is not None:
        return [error("chart.age-twice", place=row.place("age_years"))]
    if (values["age_years"] is None) is not (values["age_at"] is None):
        missing = "age_at" if values["age_at"] is None else "age_years"
        return [error("chart.field-missing", place=row.place(), name=missing)]
    return []


def refuse_unknown(names: Mapping[str, int], known: tuple[str, ...], path: str, reading: Reading) -> None:
    """Note every field that a chart does not have, with the names it may have been meant to be.

    Parameters
    ----------
    names : mapping of str to int
        Each unknown field and its line.
    known : tuple of str
        The fields that exist here.
    path : str
        Where they stand.
    reading : Reading
        Where the faults are noted.
    """
    for name, line in names.items():
        where = f"{path}.{clip(name)}" if path else clip(name)
        if spelling(name) in words.IDENTITY:
            reading.fault(error("chart.identity", place=Place(file=reading.file, line=line, field=where)))
            continue
        near = tuple(get_close_matches(spelling(name), known, n=3))
        place = Place(file=reading.file, line=line, field=where)
        reading.fault(error("chart.field-unknown", place=place, name=clip(name), near=near, known=known))
