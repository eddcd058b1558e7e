# SPDX-License-Identifier: Apache-2.0
"""What has been read of a cohort so far, patient by patient, and how it becomes a cohort.

Every reader of a cohort, whatever its tables look like, fills a `Gathering` and ends with `finish`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, final

from sirolens.chart import Chart, Patient
from sirolens.interop.chart_assembly import chart_of, settle
from sirolens.interop.chart_checks import Entry
from sirolens.interop.chart_reading import Reading, Row
from sirolens.interop.chart_sections import Section, read_row
from sirolens.interop.cohort_checks import Gates, check_course, check_gates
from sirolens.interop.cohort_toml import Study
from sirolens.interop.json_lines import Scalar
from sirolens.interop.numbers import clip
from sirolens.message import Message, Place, error, info, warning
from sirolens.response.cohort import (
    Characteristic,
    Cohort,
    FileRecord,
    FollowUp,
    ReportedResponse,
    UnreadColumn,
)
from sirolens.response.control import ControlSample

__all__ = ["Enrolled", "Gathering", "finish"]


class Enrolled(NamedTuple):
    """One row of the table of patients that could be read; `diagnosed` where it says the diagnosis."""

    patient: Patient
    place: Place
    diagnosed: bool


@final
class Gathering:
    """What has been read of a cohort so far.

    Parameters
    ----------
    study : Study
        What the study says of itself.
    folder : Path
        Where the tables lie.
    """

    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self.folder = folder
        self.reading = Reading(str(folder), zone=study.zone, decimal_mark=study.decimal_mark)
        self.named: dict[str, Place] = {}
        self.enrolled: dict[str, Enrolled] = {}
        self.strangers: set[tuple[str, str]] = set()
        self.entries: defaultdict[str, defaultdict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
        self.arms: dict[str, str] = {}
        self.follow_up: dict[str, FollowUp] = {}
        self.reported: defaultdict[str, list[ReportedResponse]] = defaultdict(list)
        self.characteristics: dict[str, dict[str, float | str | bool]] = {one.name: {} for one in study.characteristics}
        self.controls: list[ControlSample] = []
        self.gates = Gates()
        self.files: list[FileRecord] = [study.record]
        self.unread: list[UnreadColumn] = []

    def name_patient(self, pseudonym: str, place: Place) -> bool:
        """Note that a patient is in the study; False, with the fault noted, when the pseudonym was given before."""
        first = self.named.setdefault(pseudonym, place)
        if first is place:
            return True
        self.reading.fault(
            error(
                "cohort.patient-twice",
                place=place,
                value=clip(pseudonym),
                first_file=Path(first.file or "").name,
                first_line=first.line,
            )
        )
        return False

    def patient_of(self, row: Row, name: str = "patient") -> str | None:
        """Return whose row it is; None, with the fault noted once a file, when no such patient is in the study."""
        cell = row.cells.get(name)
        if not isinstance(cell, Scalar):
            self.reading.fault(error("chart.field-missing", place=row.place(), name=row.names.get(name, name)))
            return None
        pseudonym = cell.text.strip()
        if pseudonym in self.named:
            return pseudonym
        # A row of the table of patients that has a fault of its own may be this patient's: that fault is told already.
        if "patients" in self.reading.incomplete or (self.reading.file, pseudonym) in self.strangers:
            return None
        self.strangers.add((self.reading.file, pseudonym))
        near = tuple(get_close_matches(pseudonym, self.named, n=2, cutoff=0.75))
        self.reading.fault(error("cohort.patient-unknown", place=row.place(name), value=clip(pseudonym), near=near))
        return None

    def read_fact(self, section: Section, row: Row, written: str = "") -> None:
        """Read a row into a fact of its patient."""
        pseudonym, fact = self.patient_of(row), read_row(section, row)
        if pseudonym is None:
            self.reading.incomplete.add(section.name)
        if pseudonym is None or fact is None:
            return
        drug = row.cells.get("drug")
        written = written or (drug.text if isinstance(drug, Scalar) else "sirolimus")
        self.entries[pseudonym][section.name].append(
            Entry(fact, row.line, row.path, self.reading.file, written, row.names)
        )

    def record_file(self, path: Path, rows: int) -> None:
        """Note a file with its hash."""
        name = path.relative_to(self.folder).as_posix()
        self.files.append(FileRecord(name=name, sha256=sha256(path.read_bytes()).hexdigest(), rows=rows))


def finish(gathering: Gathering) -> tuple[Cohort, tuple[Message, ...]]:
    """Check every patient's facts against each other and make the cohort, or raise every fault found.

    Parameters
    ----------
    gathering : Gathering
        All that was read.

    Returns
    -------
    cohort : Cohort
    flags : tuple of Message

    Raises
    ------
    ChartError
        With all faults.
    """
    study, reading = gathering.study, gathering.reading
    if not gathering.named and not reading.fault_count:
        reading.fault(error("cohort.no-patients", place=Place(file=str(gathering.folder))))
    settled: dict[str, Mapping[str, Sequence[Entry]]] = {}
    for pseudonym, one in gathering.enrolled.items():
        found: Mapping[str, list[Entry]] = gathering.entries.pop(pseudonym, defaultdict(list))
        settled[pseudonym] = settle(one.patient, found, reading, None)
        check_course(settled[pseudonym], one.place, gathering.follow_up.get(pseudonym), study.data_cut, reading)
    check_gates(gathering.gates, reading)
    assumed = [one for one in gathering.enrolled.values() if not one.diagnosed]
    if assumed:
        count, everybody = len(assumed), len(gathering.enrolled)
        reading.flag(info("cohort.diagnosis-assumed", place=assumed[0].place, count=count, all=everybody))
    invented = _invented(gathering)
    if study.ethics.missing:
        place = Place(file=str(gathering.folder / study.record.name), field="ethics")
        reading.flag(warning("cohort.ethics-missing", place=place, names=study.ethics.missing))
    flags = reading.finish()
    zone = study.zone.key
    return (
        Cohort(
            name=study.name,
            title=study.title,
            charts=tuple(_chart(gathering, pseudonym, zone, found) for pseudonym, found in settled.items()),
            data_cut=study.data_cut,
            arms=gathering.arms,
            arm_titles=study.arms,
            reported={name: tuple(found) for name, found in gathering.reported.items()},
            follow_up=gathering.follow_up,
            methods=study.methods,
            characteristics=tuple(
                Characteristic(
                    name=one.name,
                    kind=one.kind,
                    unit=one.unit,
                    title=one.title or one.name,
                    title_zh=one.title_zh or one.title or one.name,
                    values=gathering.characteristics[one.name],
                )
                for one in study.characteristics
            ),
            controls=tuple(gathering.controls),
            ethics=study.ethics,
            files=tuple(gathering.files),
            unread=tuple(gathering.unread),
            invented=invented,
        ),
        flags,
    )


def _chart(gathering: Gathering, pseudonym: str, zone: str, found: Mapping[str, Sequence[Entry]]) -> Chart:
    patient = gathering.enrolled[pseudonym].patient
    if gathering.study.invented and not patient.invented:
        patient = replace(patient, invented=True)
    return chart_of(patient, zone, found)


def _invented(gathering: Gathering) -> bool:
    """Whether any patient is invented; a study of real and invented patients is told."""
    if gathering.study.invented:
        return True
    made_up = [one for one in gathering.enrolled.values() if one.patient.invented]
    if made_up and len(made_up) < len(gathering.enrolled):
        gathering.reading.flag(
            warning("cohort.invented-mixed", place=made_up[0].place, count=len(made_up), all=len(gathering.enrolled))
        )
    elif made_up:
        gathering.reading.flag(info("cohort.invented", place=made_up[0].place, count=len(made_up)))
    return bool(made_up)
