# SPDX-License-Identifier: Apache-2.0
"""What only a whole table, or a whole course of a patient, can show to be wrong in a cohort.

Columns: dates in two styles are refused, since one of them may be read wrongly; units that change from row to row are
told. Courses: a visit before the first dose is usual and kept; a fact after death cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import final

from sirolens.chart import Dose, DoseStatus, Prescription
from sirolens.errors import ChartError, InputError
from sirolens.interop.chart_checks import Entry, in_force
from sirolens.interop.chart_reading import Reading, Row
from sirolens.interop.instants import start_of_day
from sirolens.interop.json_lines import Scalar
from sirolens.interop.measurements import LABS, lab_name
from sirolens.interop.numbers import clip, plain_width, read_number
from sirolens.message import Place, error, info, warning
from sirolens.response.cohort import FollowUp
from sirolens.units import convert

__all__ = ["DATE_FIELDS", "EARLY_VISIT_DAYS", "Columns", "Gates", "check_course", "check_gates"]

DATE_FIELDS = frozenset(
    {
        "at",
        "start",
        "stop",
        "recorded",
        "stop_recorded",
        "last_dose_at",
        "planned_for",
        "born",
        "age_at",
        "died",
        "left",
    }
)
EARLY_VISIT_DAYS = 14
"""A visit longer than this before the first dose is told (the longest age of a baseline, JUDGE)."""
_YEAR_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b", re.ASCII)
_VISITS = ("platelet_counts", "bleedings", "cell_counts", "labs")
_BEYOND_LIFE = frozenset({"consents"})
_QUANTITIES = {"levels": "concentration", "platelet_counts": "count", "doses": "dose", "labs": "", "cell_counts": ""}


@final
class Columns:
    """Watches the columns of one table: how dates are written, and in which units values stand.

    Parameters
    ----------
    section : str
        Which table it is; units are watched where it measures something.
    """

    def __init__(self, section: str = "") -> None:
        self.section = section
        self._year_first: dict[str, tuple[Place, str]] = {}
        self._year_last: dict[str, tuple[Place, str]] = {}
        self._units: dict[str, dict[float, tuple[Place, str]]] = {}

    def watch(self, row: Row) -> None:
        """Look at one row."""
        for name, cell in row.cells.items():
            if name in DATE_FIELDS and isinstance(cell, Scalar):
                text = cell.text.lstrip()
                if text[:4].isdigit():
                    if name not in self._year_first:
                        self._year_first[name] = (row.place(name), text)
                elif name not in self._year_last and _YEAR_LAST.match(plain_width(text)):
                    self._year_last[name] = (row.place(name), text)
        if self.section in _QUANTITIES:
            self._watch_unit(row)

    def _watch_unit(self, row: Row) -> None:
        value = row.cells.get("amount" if self.section == "doses" else "value")
        unit = row.cells.get("unit")
        if not isinstance(value, Scalar):
            return
        declared = unit.text.strip() if isinstance(unit, Scalar) else _unit_of(value.text)
        subject = row.cells.get({"labs": "name", "cell_counts": "cell"}.get(self.section, ""))
        about = subject.text.strip().lower() if isinstance(subject, Scalar) else ""
        factor = _factor(self.section, about, declared)
        if factor is not None:
            self._units.setdefault(about, {}).setdefault(factor, (row.place("value"), declared))

    def tell(self, reading: Reading) -> None:
        """Note what the whole table has shown."""
        for name, (place, value) in self._year_last.items():
            if name in self._year_first:
                first, first_value = self._year_first[name]
                reading.fault(
                    error(
                        "cohort.date-styles",
                        place=place,
                        value=clip(value),
                        first_value=clip(first_value),
                        first_line=first.line,
                    )
                )
        for about, found in self._units.items():
            (first, first_unit), *others = found.values()
            for place, unit in others:
                reading.flag(
                    warning(
                        "cohort.units-mixed",
                        place=place,
                        about=clip(about) or self.section,
                        unit=clip(unit),
                        first_unit=clip(first_unit),
                        first_line=first.line,
                    )
                )


def _unit_of(text: str) -> str:
    """Return the unit typed behind a number; empty when there is none."""
    try:
        return read_number(text)[0].unit
    except ChartError:
        return ""


@lru_cache(maxsize=4096)
def _factor(section: str, about: str, unit: str) -> float | None:
    """Return what a unit is worth, so that two spellings of one unit are one; None where it is not known."""
    quantity = _QUANTITIES[section]
    if section == "labs":
        lab = lab_name(about)
        quantity = LABS[lab].quantity if lab is not None else ""
    elif section == "cell_counts":
        quantity = "cells"
    if not quantity or not unit:
        return None
    try:
        return convert(1.0, unit, quantity).value
    except InputError:
        return None


@final
class Gates:
    """Which gates each cell was measured with, over all files."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Place]] = {}

    def watch(self, cell: str, gate: str, place: Place) -> None:
        """Note the gate of one measurement."""
        self._found.setdefault(cell, {}).setdefault(" ".join(gate.lower().split()), place)

    @property
    def mixed(self) -> Iterable[tuple[str, Mapping[str, Place]]]:
        """The cells with more than one gate."""
        return [(cell, gates) for cell, gates in self._found.items() if len(gates) > 1]


def check_gates(gates: Gates, reading: Reading) -> None:
    """Tell the cells measured with more than one gate: they are kept apart."""
    for cell, found in gates.mixed:
        (first, first_place), *others = found.items()
        for gate, place in others:
            reading.flag(
                warning(
                    "cohort.gates-mixed",
                    place=place,
                    cell=clip(cell),
                    gate=clip(gate),
                    first_gate=clip(first),
                    first_file=Path(first_place.file or "").name,
                    first_line=first_place.line,
                )
            )


def check_course(
    entries: Mapping[str, Sequence[Entry]],
    place: Place,
    follow_up: FollowUp | None,
    data_cut: datetime,
    reading: Reading,
) -> None:
    """Check one patient's facts against the first dose, death, the end of follow-up and the data cut.

    Parameters
    ----------
    entries : mapping
        The patient's facts by kind.
    place : Place
        Where the patient stands in the table of patients.
    follow_up : FollowUp, optional
        How the time in the study ended.
    data_cut : datetime
        What lies after it is kept and not used.
    reading : Reading
        Where faults and flags are noted.
    """
    now = {name: in_force(found) for name, found in entries.items()}
    for entry in (one for found in entries.values() for one in found):
        if entry.fact.retracted is not None and entry.fact.recorded <= data_cut < entry.fact.retracted:
            where, at = entry.place("retracted"), entry.fact.retracted
            reading.flag(warning("cohort.retracted-after-cut", place=where, retracted=at, data_cut=data_cut))
    if not any(now.values()):
        reading.flag(warning("cohort.no-facts", place=place))
        return
    start = _start(now)
    if start is None and not reading.incomplete & {"prescriptions", "doses"}:
        reading.flag(warning("cohort.no-dose", place=place))
    elif start is not None:
        _before(now, start, reading)
    _after(now, follow_up, data_cut, reading)


def _start(now: Mapping[str, Sequence[Entry]]) -> datetime | None:
    """Return the earliest start of anything taken."""
    taken = [
        entry.fact.at
        for entry in now.get("doses", ())
        if isinstance(entry.fact, Dose) and entry.fact.status is not DoseStatus.MISSED
    ]
    ordered = [entry.fact.at for entry in now.get("prescriptions", ()) if isinstance(entry.fact, Prescription)]
    return min((*taken, *ordered), default=None)


def _before(now: Mapping[str, Sequence[Entry]], start: datetime, reading: Reading) -> None:
    early = start - timedelta(days=EARLY_VISIT_DAYS)
    for name in _VISITS:
        for entry in now.get(name, ()):
            if entry.fact.at < early:
                reading.flag(info("cohort.before-start", place=entry.place("at"), at=entry.fact.at, start=start))
    for entry in now.get("adverse_events", ()):
        if entry.fact.at < start:
            reading.flag(
                warning("cohort.event-before-start", place=entry.place("start"), at=entry.fact.at, start=start)
            )


def _after(
    now: Mapping[str, Sequence[Entry]], follow_up: FollowUp | None, data_cut: datetime, reading: Reading
) -> None:
    zone = reading.zone
    died = follow_up.died if follow_up is not None else None
    left = follow_up.left if follow_up is not None else None
    dead = start_of_day(died + timedelta(days=1), zone) if died is not None and zone is not None else None
    gone = start_of_day(left + timedelta(days=1), zone) if left is not None and zone is not None else None
    for name, found in now.items():
        if name in _BEYOND_LIFE:
            continue
        field = "at" if name in {*_VISITS, "doses", "levels"} else "start"
        for entry in found:
            at = entry.fact.at
            if dead is not None and died is not None and at >= dead:
                reading.fault(error("cohort.after-death", place=entry.place(field), at=at, died=died))
            elif gone is not None and left is not None and at >= gone:
                reading.flag(warning("cohort.after-left", place=entry.place(field), at=at, left=left))
            if at > data_cut:
                reading.flag(info("cohort.after-cut", place=entry.place(field), at=at, data_cut=data_cut))
