# SPDX-License-Identifier: Apache-2.0
"""Reads extraction forms: one study, one TOML file; every fault with its file, line, key, value and what was expected.

The same form can come as a mapping (out of an event or a settled double extraction): then faults have keys, no lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, final

from sirolens.engine.statistics.printed import printed
from sirolens.errors import InputError
from sirolens.evidence.extraction.form import (
    AMONG_RESPONDERS,
    Arm,
    Cells,
    Denominator,
    Extracted,
    Extraction,
    Finding,
    Patients,
    ResponseCriteria,
    Topic,
    Trough,
    is_safety_outcome,
)
from sirolens.evidence.extraction.form_checks import form_problems
from sirolens.evidence.extraction.form_text import form_text
from sirolens.evidence.extraction.outcome import NOT_REPORTED, ArmRole, OutcomeRow, Population
from sirolens.evidence.extraction.studies import (
    Cohort,
    Design,
    Read,
    Report,
    ReportKind,
    Study,
    StudyStatus,
    study_problems,
)
from sirolens.evidence.extraction.words import OUTCOMES, TIMES
from sirolens.message import Message, Place, Severity, error, info, warning
from sirolens.models.locate import Path as KeyPath
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table
from sirolens.source import Mark

__all__ = ["ExtractionReading", "FormFolder", "extraction_of", "read_extraction", "read_form_folder"]

LARGEST_FORM_BYTES = 1_000_000
"""No form is this large; a data file given by mistake is."""
MARKS = tuple(mark.value for mark in Mark)
DIRECTIONS = ("lower", "higher", "no difference", "falls", "rises", "stays", "not reported")
NO_CRITERIA = frozenset(
    {NOT_REPORTED, "not stated", "not given", "unreported", "unknown", "unclear", "none", "na", "n/a", "-", "?"}
    | {"未报告", "未说明", "未知", "不详", "不明", "无"}
)
"""What people write where a report names no criteria; only `NOT_REPORTED` itself is taken."""

IWG_2009 = "iwg-2009"
"""The set of the International Working Group, as forms write it."""
IDENTIFIERS = {
    "doi": (r"10\.\d{4,9}/\S+", "10.1234/..."),
    "pmid": (r"\d{1,8}", "12345678"),
    "pmcid": (r"PMC\d+", "PMC123"),
}
"""How identifiers are written: an address in place of a DOI would match no record."""
W = TypeVar("W", bound=StrEnum)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionReading:
    """What came out of a form: the extraction, unless there were errors, and every message."""

    extraction: Extraction | None
    messages: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FormFolder:
    """Every form of a folder, in the order of the file names, and every message."""

    forms: tuple[Extraction, ...]
    messages: tuple[Message, ...]


def read_form_folder(folder: Path) -> FormFolder:
    """Read every ``*.toml`` of a folder as a form, and check what only the whole can show.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    FormFolder
        A form with an error is left out and its errors are among the messages; of one study in two files the second is.
    """
    readings = [(path.name, read_extraction(path)) for path in sorted(folder.glob("*.toml"))]
    messages = [message for _, reading in readings for message in reading.messages]
    kept: dict[str, Extraction] = {}
    for form in (reading.extraction for _, reading in readings if reading.extraction is not None):
        first = kept.setdefault(form.study.id, form)
        if first is not form:
            where = Place(file=form.file, field="id")
            messages.append(
                error("extraction.study-in-two-files", place=where, study=form.study.id, other_file=first.file)
            )
    forms = tuple(kept.values())
    messages += [
        found for found in study_problems([form.study for form in forms]) if found.code != "extraction.study-twice"
    ]
    messages += _criteria_alike(forms)
    return FormFolder(forms=forms, messages=tuple(messages))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _criteria_alike(forms: Sequence[Extraction]) -> list[Message]:
    """Names of criteria that differ in case or signs only: the studies would stand apart without anybody noticing."""
    names: dict[str, dict[str, None]] = {_plain(IWG_2009): {IWG_2009: None}}
    for name in (row.criteria for form in forms for row in form.rows if row.criteria != NOT_REPORTED):
        names.setdefault(_plain(name), {})[name] = None
    return [warning("extraction.criteria-alike", names=tuple(sets)) for sets in names.values() if len(sets) > 1]


def read_extraction(path: Path) -> ExtractionReading:
    """Read one form.

    Parameters
    ----------
    path : Path
        A TOML file in UTF-8, at most `LARGEST_FORM_BYTES` long.

    Returns
    -------
    ExtractionReading
        Faults stand among the messages; nothing is raised for what a file holds.
    """
    place = Place(file=path.name)
    if path.stat().st_size > LARGEST_FORM_BYTES:
        return _refused(
            error("extraction.form-too-large", place=place, bytes=path.stat().st_size, most=LARGEST_FORM_BYTES)
        )
    raw = path.read_bytes()
    try:
        text, data = form_text(raw, path.name)
    except InputError as fault:
        return ExtractionReading(extraction=None, messages=fault.messages)
    reading = extraction_of(data, file=path.name, lines=key_lines(text))
    if reading.extraction is None:
        return reading
    return replace(reading, extraction=replace(reading.extraction, sha256=sha256(raw).hexdigest()))


def _refused(message: Message) -> ExtractionReading:
    return ExtractionReading(extraction=None, messages=(message,))


def extraction_of(
    data: Mapping[str, Any], *, file: str = "", lines: Mapping[KeyPath, int] | None = None
) -> ExtractionReading:
    """Read a form that is already a mapping.

    Parameters
    ----------
    data : mapping
        As `tomllib` gives it.
    file : str
        Named in faults.
    lines : mapping, optional
        From `sirolens.models.locate.key_lines`.

    Examples
    --------
    >>> data = {"id": "a", "name": "A", "design": "single-arm", "by": "authors",
    ...         "report": [{"id": "paper", "kind": "journal-article"}], "patients": {"population": "primary-itp"},
    ...         "arm": [{"id": "sirolimus", "name": "sirolimus"}],
    ...         "outcome": [{"outcome": "OR", "time": "3m", "arm": "sirolimus", "k": 21, "n": 20}]}
    >>> [str(message) for message in extraction_of(data, file="a.toml").messages][0][:60]
    'a.toml:outcome[0]: pooling.more-events-than-patients(k=21.0,'
    """
    faults = Faults(file, lines or {})
    table = Table(data, (), faults)
    form = _form(table, data, file)
    table.close()
    messages = tuple(faults.messages)
    if any(message.severity is Severity.ERROR for message in messages) or form is None:
        return ExtractionReading(extraction=None, messages=messages)
    messages += form_problems(form)
    broken = any(message.severity is Severity.ERROR for message in messages)
    return ExtractionReading(extraction=None if broken else form, messages=messages)


def _one_of(kind: type[W], table: Table, key: str, default: W | None = None) -> W | None:
    """Take a word of an enumeration."""
    words = tuple(one.value for one in kind)
    found = table.text(key, required=default is None, choices=words)
    return kind(found) if found in words else default


def _form(table: Table, data: Mapping[str, Any], file: str) -> Extraction | None:
    study = _study(table)
    by = table.text("by", required=True)
    patients = _patients(table.table("patients", required=True))
    reports = () if study is None else tuple(one.id for one in study.reports)
    arms = tuple(_arm(one, reports) for one in table.tables("arm"))
    _ids_once(table, "arm", [one.id for one in arms])
    criteria = _criteria(table.table("criteria"))
    cells = tuple(_cells(one) for one in table.tables("cell"))
    findings = tuple(_finding(one) for one in table.tables("finding"))
    if study is None or patients is None:
        table.tables("outcome")
        return None
    about = _About(study=study, patients=patients, arms=arms, criteria=criteria)
    raw = data.get("outcome")
    rows = raw if isinstance(raw, list) else []
    outcomes = tuple(_outcome(one, rows[index], about) for index, one in enumerate(table.tables("outcome")))
    return Extraction(
        study=study,
        by=by,
        patients=patients,
        arms=arms,
        criteria=criteria,
        outcomes=outcomes,
        cells=cells,
        findings=findings,
        file=file,
    )


def _study(table: Table) -> Study | None:
    design = _one_of(Design, table, "design")
    name = table.text("id", required=True)
    known = Study(
        id=name,
        name=table.text("name", required=True),
        design=design or Design.SINGLE_ARM,
        prospective=table.flag("prospective") if "prospective" in table else None,
        status=_one_of(StudyStatus, table, "status", StudyStatus.RESULTS) or StudyStatus.RESULTS,
        reports=tuple(_report(one) for one in table.tables("report", required=True)),
        cohorts=tuple(_cohort(one) for one in table.tables("cohort")),
        registrations=table.texts("registrations"),
        country=table.text("country", default=NOT_REPORTED),
        centres=table.text("centres", default=NOT_REPORTED),
        note=table.text("note"),
        note_zh=table.text("note_zh"),
    )
    _ids_once(table, "report", [one.id for one in known.reports])
    _ids_once(table, "cohort", [one.id for one in known.cohorts])
    return known if design is not None and name else None


def _ids_once(table: Table, key: str, ids: Sequence[str]) -> None:
    """Two parts with one id: a row could not say which of them it means."""
    for at, name in enumerate(ids):
        if name and name in ids[:at]:
            expected = info("extraction.id-of-its-own")
            table.faults.wrong("extraction.id-twice", (*table.path, key, at, "id"), name, expected=expected)


def _report(table: Table) -> Report:
    report = Report(
        id=table.text("id", required=True),
        kind=_one_of(ReportKind, table, "kind") or ReportKind.ARTICLE,
        title=table.text("title"),
        first_author=table.text("first_author"),
        year=table.whole("year", least=1900),
        journal=table.text("journal"),
        place=table.text("place"),
        doi=table.text("doi"),
        pmid=table.text("pmid"),
        pmcid=table.text("pmcid"),
        read=_one_of(Read, table, "read", Read.ABSTRACT) or Read.ABSTRACT,
        mark=Mark(table.text("mark", default=Mark.SEEN.value, choices=MARKS)),
        records=table.texts("records"),
        blank=table.texts("blank"),
    )
    for key, value in (("doi", report.doi), ("pmid", report.pmid), ("pmcid", report.pmcid)):
        shape, expected = IDENTIFIERS[key]
        if value and not re.fullmatch(shape, value):
            table.faults.wrong("extraction.identifier", (*table.path, key), value, expected=expected)
    table.close()
    return report


def _cohort(table: Table) -> Cohort:
    cohort = Cohort(
        id=table.text("id", required=True),
        overlap_group=table.text("overlap_group"),
        overlap_certain=table.flag("overlap_certain", default=True),
        patients=table.whole("patients", least=1),
        note=table.text("note"),
        note_zh=table.text("note_zh"),
    )
    table.close()
    return cohort


def _patients(table: Table | None) -> Patients | None:
    if table is None:
        return None
    counts = table.table("diagnoses")
    diagnoses = (
        ()
        if counts is None
        else tuple((name, number) for name in counts.key_names() if (number := counts.whole(name)) is not None)
    )
    population = _one_of(Population, table, "population")
    patients = Patients(
        population=population or Population.OTHER,
        described=table.text("described", default=NOT_REPORTED),
        age_group=table.text("age_group", default=NOT_REPORTED),
        line=table.text("line", default=NOT_REPORTED),
        enrolled=table.whole("enrolled", least=1),
        completed=table.whole("completed"),
        diagnoses=diagnoses,
    )
    table.close()
    return patients


def _trough(table: Table | None, reports: Sequence[str]) -> Trough | None:
    if table is None:
        return None
    trough = Trough(
        low_ng_ml=table.number("low_ng_ml", least=0.0),
        high_ng_ml=table.number("high_ng_ml", above=0.0),
        matrix=table.text("matrix", default=NOT_REPORTED),
        printed_as=table.text("printed"),
        report=_known(table, "report", reports),
    )
    low, high = trough.low_ng_ml, trough.high_ng_ml
    if low is not None and high is not None and low >= high:
        table.faults.wrong(
            "extraction.target-reversed",
            (*table.path, "low_ng_ml"),
            f"{low:g}-{high:g}",
            expected="low_ng_ml < high_ng_ml",
        )
    table.close()
    return trough


def _arm(table: Table, reports: Sequence[str]) -> Arm:
    arm = Arm(
        id=table.text("id", required=True),
        name=table.text("name", required=True),
        role=_one_of(ArmRole, table, "role", ArmRole.SINGLE) or ArmRole.SINGLE,
        regimen=table.text("regimen", default=NOT_REPORTED),
        dose=table.text("dose", default=NOT_REPORTED),
        duration=table.text("duration", default=NOT_REPORTED),
        assay=table.text("assay", default=NOT_REPORTED),
        partners=table.texts("partners") if "partners" in table else None,
        target=_trough(table.table("target"), reports),
        measured=_trough(table.table("measured"), reports),
        patients=table.whole("patients", least=1),
    )
    table.close()
    return arm


def _criteria(table: Table | None) -> ResponseCriteria:
    if table is None:
        return ResponseCriteria()
    criteria = ResponseCriteria(name=_criteria_name(table, "set", NOT_REPORTED), described=table.text("described"))
    table.close()
    return criteria


def _criteria_name(table: Table, key: str, default: str) -> str:
    """Take the name of a set of criteria: "Not reported" or "unknown" is no set that two studies could share."""
    name = table.text(key, default=default)
    if key in table and name != NOT_REPORTED and name.strip().casefold() in NO_CRITERIA:
        table.faults.wrong("extraction.criteria-not-reported", (*table.path, key), name, expected=f'"{NOT_REPORTED}"')
    return name


def _cells(table: Table) -> Cells:
    cells = Cells(
        cell=table.text("cell", required=True),
        when=table.text("when", required=True),
        direction=table.text("direction", required=True, choices=DIRECTIONS),
        gating=table.text("gating", default=NOT_REPORTED),
        arm=table.text("arm"),
        values=table.text("values"),
        p=table.text("p"),
        mark=Mark(table.text("mark", default=Mark.SEEN.value, choices=MARKS)),
    )
    table.close()
    return cells


def _finding(table: Table) -> Finding:
    finding = Finding(
        topic=_one_of(Topic, table, "topic") or Topic.OTHER,
        direction=table.text("direction", required=True),
        says=table.text("says", required=True),
        says_zh=table.text("says_zh"),
        p=table.text("p"),
        mark=Mark(table.text("mark", default=Mark.SEEN.value, choices=MARKS)),
    )
    table.close()
    return finding


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """What every outcome of a form shares."""

    study: Study
    patients: Patients
    arms: Sequence[Arm]
    criteria: ResponseCriteria


def _number(table: Table, raw: Mapping[str, Any], key: str) -> float | None:
    """Take a number that may be impossible: what cannot be right is said later, with the study beside it."""
    value = raw.get(key)
    if isinstance(value, str) and printed(value) is not None and value.strip().endswith(("%", "％")):
        table.faults.wrong("extraction.percent-for-count", (*table.path, key), value, expected=">= 0")
        table.text(key)
        return None
    return table.number(key)


def _percent(table: Table, raw: Mapping[str, Any]) -> str:
    """Take a percentage as printed: a text, because "60" and "60.0" are not the same statement."""
    if isinstance(raw.get("percent"), int | float) and not isinstance(raw.get("percent"), bool):
        table.faults.wrong(
            "extraction.percent-needs-quotes", (*table.path, "percent"), raw["percent"], expected=f'"{raw["percent"]}"'
        )
        table.number("percent")
        return ""
    text = table.text("percent")
    if text and printed(text) is None:
        table.faults.wrong("extraction.percent-unreadable", (*table.path, "percent"), text, expected='"70", "70.5"')
        return ""
    return text


def _known(table: Table, key: str, names: Sequence[str], *, required: bool = False) -> str:
    """Take the id of an arm, cohort or report of the same form."""
    found = table.text(key, required=required)
    if found and found not in names:
        table.faults.wrong("extraction.no-such-part", (*table.path, key), found, expected=", ".join(names))
    return found


def _code(table: Table, key: str, known: Collection[str]) -> str:
    """Take an outcome or a time: a code that nobody knows is allowed, and a slip of the pen is asked about."""
    code = table.text(key, required=True)
    if not code or code in known or (key == "time" and re.fullmatch(r"\d+[dwmy]", code)):
        return code
    near = sorted(one for one in known if _plain(one) == _plain(code))
    spaced = re.fullmatch(r"(\d+)\s*([dwmy])\w*", code.casefold()) if key == "time" else None
    near += [f"{spaced[1]}{spaced[2]}"] if spaced else []
    if near:
        table.faults.doubtful("extraction.code-alike", (*table.path, key), code, expected=", ".join(near))
    return code


def _outcome(table: Table, raw: Mapping[str, Any], about: _About) -> Extracted:
    study, patients = about.study, about.patients
    arm_id = _known(table, "arm", [one.id for one in about.arms], required=True)
    cohort_id = _known(table, "cohort", [one.id for one in study.cohorts])
    report_id = _known(table, "report", [one.id for one in study.reports])
    arm = next((one for one in about.arms if one.id == arm_id), None)
    cohort, report = study.cohort(cohort_id), study.report(report_id)
    denominator = _one_of(Denominator, table, "denominator", Denominator.ARM) or Denominator.ARM
    percent = _percent(table, raw)
    told = printed(percent) if percent else None
    name = _code(table, "outcome", OUTCOMES)
    timepoint = _code(table, "time", TIMES)
    k = _number(table, raw, "k")
    row = OutcomeRow(
        study=study.id,
        outcome=name + AMONG_RESPONDERS if denominator is Denominator.RESPONDERS else name,
        timepoint=timepoint,
        k=k,
        n=_number(table, raw, "n"),
        percent=float(told.value) if told is not None and k is None else None,
        mean=table.number("mean"),
        sd=table.number("sd"),
        estimate=table.number("estimate"),
        standard_error=table.number("standard_error"),
        unit=table.text("unit"),
        cohort=cohort_id,
        subgroup=table.text("subgroup"),
        overlap_group="" if cohort is None else cohort.overlap_group,
        arm="" if arm is None else arm.name,
        role=ArmRole.SINGLE if arm is None else arm.role,
        partners=() if arm is None or arm.partners is None else arm.partners,
        mark=Mark(table.text("mark", default=Mark.SEEN.value, choices=MARKS)),
        printed_as=table.text("printed"),
        criteria=_criteria_name(table, "criteria", NOT_REPORTED if is_safety_outcome(name) else about.criteria.name),
        population=_one_of(Population, table, "population", patients.population) or patients.population,
        year=None if report is None else report.year,
        note=table.text("note"),
    )
    found = Extracted(
        row=row,
        arm=arm_id,
        report=report_id or (report.id if report else ""),
        denominator=denominator,
        percent=percent,
        how=table.text("how"),
        how_zh=table.text("how_zh"),
        place=table.faults.place(table.path),
    )
    table.close()
    return found
