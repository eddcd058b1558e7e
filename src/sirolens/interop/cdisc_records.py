# SPDX-License-Identifier: Apache-2.0
"""The CDISC domains of what happened, each record turned into a row of the chart's own tables.

Codes are those of SDTM and its controlled terminology (LBTESTCD, EXDOSFRQ, AEACN ...); what is not known among them
is asked, or set aside with a flag, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, final

from sirolens.interop.cdisc_tables import Record, records
from sirolens.interop.chart_reading import Reading, Row
from sirolens.interop.chart_sections import SECTIONS
from sirolens.interop.chart_words import ASSAYS, ROLES
from sirolens.interop.cohort_checks import Columns
from sirolens.interop.cohort_gathering import Gathering
from sirolens.interop.cohort_tables import complete_level
from sirolens.interop.drug_names import SIROLIMUS, drug_name
from sirolens.interop.instants import read_day
from sirolens.interop.json_lines import Node, Scalar
from sirolens.interop.measurements import lab_name
from sirolens.interop.numbers import clip
from sirolens.message import error, info, warning

__all__ = ["DOMAINS", "LAB_CODES", "Domain", "read_domain"]

Told: TypeAlias = "tuple[str, Mapping[str, str], Mapping[str, str]]"  # section, variable by field, text by field

LAB_CODES: Mapping[str, str] = MappingProxyType(
    {
        "WBC": "white_cells",
        "NEUT": "neutrophils",
        "LYM": "lymphocytes",
        "HGB": "haemoglobin",
        "HCT": "haematocrit",
        "ALT": "alt",
        "AST": "ast",
        "BILI": "bilirubin",
        "BILDIR": "direct_bilirubin",
        "CREAT": "creatinine",
        "ALB": "albumin",
        "CHOL": "cholesterol",
        "LDL": "ldl_cholesterol",
        "HDL": "hdl_cholesterol",
        "TRIG": "triglyceride",
        "GLUC": "glucose",
        "WEIGHT": "weight",
        "HEIGHT": "height",
    }
)
"""LBTESTCD and VSTESTCD -> the chart's name; platelets (PLAT) have a table of their own."""
_BLOOD = frozenset({"", "blood", "whole blood", "serum", "plasma", "serum or plasma", "serum/plasma"})
_NOT_QUANTIFIED = frozenset({"BLQ", "BQL", "BLOQ", "BLLOQ", "<LLOQ", "<LOQ", "BELOW LLOQ", "BELOW LIMIT"})
_FREQUENCIES = {"QD": "daily", "Q24H": "daily", "BID": "twice daily", "QOD": "every other day", "ONCE": "once"}
_EVERY = re.compile(r"Q([1-9]\d{0,2})([DH])")
_HOURS = {"QD": "24", "BID": "12", "TID": "8", "QID": "6", "QOD": "48", "Q24H": "24", "QW": "168"}
_RESCUE = frozenset({"rescue", "rescue medication", "rescue therapy", "rescue treatment"})
_RELATED = {
    **dict.fromkeys(("y", "yes", "related"), "yes"),
    **dict.fromkeys(("n", "no", "not related", "unrelated"), "no"),
    **dict.fromkeys(("u", "unk", "unknown"), "unknown"),
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One domain: the variables that are read, those that must be there, and how a record becomes a row.

    `turn` returns the section, the variable each field comes from, and each field's text; None when the record was
    set aside or has a fault, which it notes.
    """

    read: Sequence[str]
    required: Sequence[str]
    turn: Callable[[Record, Gathering], Told | None]


def read_domain(path: Path, domain: Domain, gathering: Gathering) -> None:
    """Read the records of one domain.

    Parameters
    ----------
    path : Path
        Its file.
    domain : Domain
        How it is read.
    gathering : Gathering
        Where the facts are noted.
    """
    reading = gathering.reading
    watched: dict[str, Columns] = {}
    for record in records(path, domain.read, domain.required, gathering):
        told = domain.turn(record, gathering)
        if told is None:
            continue
        section, variables, texts = told
        cells: dict[str, Node] = {
            field: Scalar("text", text, record.line) for field, text in texts.items() if text is not None and text
        }
        if "USUBJID" in record.values:
            cells["patient"] = Scalar("text", record.values["USUBJID"], record.line)
        row = Row(
            cells=cells,
            line=record.line,
            path="",
            reading=reading,
            names=MappingProxyType({**variables, "patient": "USUBJID"}),
        )
        if section == "levels":
            row = complete_level(row, gathering)
        watched.setdefault(section, Columns(section)).watch(row)
        gathering.read_fact(SECTIONS[section], row)
    for columns in watched.values():
        columns.tell(reading)


def _row(record: Record, gathering: Gathering, names: Mapping[str, str]) -> Row:
    """Return a row that only tells where a record stands."""
    return Row(cells={}, line=record.line, path="", reading=gathering.reading, names=names)


def _texts(record: Record, variables: Mapping[str, str]) -> dict[str, str]:
    return {field: record.values[name] for field, name in variables.items() if name in record.values}


_EX = MappingProxyType(
    {"drug": "EXTRT", "regimen": "EXDOSE", "start": "EXSTDTC", "stop": "EXENDTC", "form": "EXDOSFRM"}
)


def _exposure(record: Record, gathering: Gathering) -> Told | None:
    """EX: sirolimus becomes a prescription; a comparator a therapy against ITP."""
    values, row = record.values, _row(record, gathering, _EX)
    drug = values.get("EXTRT", "")
    if drug_name(drug) != SIROLIMUS:
        variables = {"drug": "EXTRT", "amount": "EXDOSE", "unit": "EXDOSU", "start": "EXSTDTC", "stop": "EXENDTC"}
        return "therapies", variables, {**_texts(record, variables), "role": "itp"}
    regimen = _regimen(values, row)
    if regimen is None:
        return None
    form = values.get("EXDOSFRM", "").lower()
    texts = {**_texts(record, _EX), "regimen": regimen, "form": form if form in ("tablet", "solution") else ""}
    return "prescriptions", _EX, texts


def _regimen(values: Mapping[str, str], row: Row) -> str | None:
    """Write a dose and its frequency as a regimen in words; None, with the fault noted, when one is not there."""
    reading = row.reading
    missing = [name for name in ("EXDOSE", "EXDOSU") if not values.get(name)]
    for name in missing:
        reading.fault(error("chart.field-missing", place=row.place(), name=name))
    if missing:
        _no_exposure(reading)
        return None
    if values["EXDOSE"].strip("0.") == "":
        days = _days(values)
        if days is not None:
            return f"hold for {days} days"
        reading.fault(error("cdisc.dose-zero-open", place=row.place("stop")))
        _no_exposure(reading)
        return None
    typed = values.get("EXDOSFRQ", "")
    plain = typed.upper()
    every = _EVERY.fullmatch(plain)
    if plain in _FREQUENCIES:
        how = _FREQUENCIES[plain]
    elif every is not None:
        how = f"every {every[1]} {'days' if every[2] == 'D' else 'h'}" if every[1] != "1" else "daily"
    else:
        known = (*_FREQUENCIES, "Q2D", "Q12H")
        place = row.place("EXDOSFRQ")
        reading.fault(error("cdisc.frequency-unknown", place=place, value=clip(typed), accepted=known))
        _no_exposure(reading)
        return None
    return f"{values['EXDOSE']} {values['EXDOSU']} {how}"


def _no_exposure(reading: Reading) -> None:
    """Note that a prescription is missing, so that no level is called doseless because of it."""
    reading.incomplete.add("prescriptions")


def _days(values: Mapping[str, str]) -> int | None:
    """Return how many days a record covers, both ends included; None when an end is not known."""
    ends = [values.get(name, "").partition("T")[0] for name in ("EXSTDTC", "EXENDTC")]
    if not all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", end) for end in ends):
        return None
    first, last = (read_day(end) for end in ends)
    return (last - first).days + 1


_PC = MappingProxyType(
    {
        "at": "PCDTC",
        "value": "PCORRES",
        "unit": "PCORRESU",
        "drug": "PCTEST",
        "matrix": "PCSPEC",
        "assay": "PCMETHOD",
        "last_dose_at": "PCRFTDTC",
    }
)


def _concentration(record: Record, gathering: Gathering) -> Told | None:
    """PC: a level of sirolimus; another analyte is set aside."""
    values, row = record.values, _row(record, gathering, _PC)
    names = [values[name] for name in ("PCTEST", "PCTESTCD") if name in values]
    if not any(drug_name(name) == SIROLIMUS or name.upper() == SIROLIMUS[:8].upper() for name in names):
        place = row.place("PCTESTCD")
        gathering.reading.flag(info("cdisc.analyte-set-aside", place=place, value=clip(" ".join(names))))
        return None
    if _not_done(values.get("PCSTAT"), row, "PCSTAT"):
        return None
    texts = {**_texts(record, _PC), "drug": SIROLIMUS}
    if texts.get("value", "").upper() in _NOT_QUANTIFIED:
        limit = values.get("PCLLOQ")
        if not limit:
            gathering.reading.fault(error("cdisc.lloq-missing", place=row.place("value"), value=texts["value"]))
            gathering.reading.incomplete.add("levels")
            return None
        texts |= {"value": f"<{limit}", "unit": values.get("PCSTRESU") or values.get("PCORRESU", "")}
    method = " ".join(texts.get("assay", "").lower().split())
    if method and method not in ASSAYS:
        gathering.reading.flag(info("cdisc.assay-unknown", place=row.place("assay"), value=clip(method)))
        texts["assay"] = "unknown"
    if "T" not in texts.get("last_dose_at", ""):
        texts.pop("last_dose_at", None)
    return "levels", _PC, texts


def _not_done(status: str | None, row: Row, name: str) -> bool:
    if (status or "").upper() != "NOT DONE":
        return False
    row.reading.flag(info("cdisc.not-done", place=row.place(name)))
    return True


def _finding(prefix: str) -> Callable[[Record, Gathering], Told | None]:
    """Make the turner of LB or VS."""
    variables = MappingProxyType(
        {
            "at": f"{prefix}DTC",
            "name": f"{prefix}TESTCD",
            "value": f"{prefix}ORRES",
            "unit": f"{prefix}ORRESU",
            "lower_normal": f"{prefix}ORNRLO",
            "upper_normal": f"{prefix}ORNRHI",
        }
    )

    def turn(record: Record, gathering: Gathering) -> Told | None:
        values, row = record.values, _row(record, gathering, variables)
        code = values.get(f"{prefix}TESTCD", "").upper()
        if _not_done(values.get(f"{prefix}STAT"), row, f"{prefix}STAT"):
            return None
        texts = _texts(record, variables)
        specimen = values.get(f"{prefix}SPEC", "").lower()
        urine = specimen not in _BLOOD or "urin" in values.get(f"{prefix}CAT", "").lower()
        if code == "PLAT" and not urine:
            plain = {field: variables[field] for field in ("at", "value", "unit")}
            return "platelet_counts", plain, {field: texts[field] for field in plain if field in texts}
        name = LAB_CODES.get(code) or lab_name(values.get(f"{prefix}TEST", ""))
        if name is None or urine:
            gathering.reading.flag(info("cdisc.test-set-aside", place=row.place("name"), value=clip(code)))
            return None
        return "labs", variables, {**texts, "name": name}

    return turn


_AE = MappingProxyType(
    {
        "term": "AETERM",
        "start": "AESTDTC",
        "stop": "AEENDTC",
        "grade": "AETOXGR",
        "serious": "AESER",
        "related": "AEREL",
        "action": "AEACN",
    }
)


def _adverse_event(record: Record, gathering: Gathering) -> Told | None:
    """AE: the preferred term where there is one, else the term as reported."""
    values, row = record.values, _row(record, gathering, _AE)
    texts = _texts(record, _AE)
    if "AEDECOD" in values:
        texts["term"] = values["AEDECOD"]
    if "grade" in texts:
        texts["grade"] = re.sub(r"(?i)^grade\s*", "", texts["grade"])
        if gathering.study.ctcae_version:
            texts["ctcae_version"] = gathering.study.ctcae_version
        else:
            gathering.reading.flag(info("cdisc.version-missing", place=row.place("grade")))
    if "related" in texts:
        plain = " ".join(texts["related"].lower().split())
        declared = gathering.study.related.get(plain)
        meaning = _RELATED.get(plain) if declared is None else "yes" if declared else "no"
        if meaning is None:
            place = row.place("related")
            gathering.reading.fault(error("cdisc.relation-unknown", place=place, value=clip(texts["related"])))
            gathering.reading.incomplete.add("adverse_events")
            return None
        texts["related"] = meaning
    return "adverse_events", _AE, texts


_CM = MappingProxyType(
    {"drug": "CMTRT", "start": "CMSTDTC", "stop": "CMENDTC", "amount": "CMDOSE", "unit": "CMDOSU", "role": "CMCAT"}
)


def _medication(record: Record, gathering: Gathering) -> Told | None:
    """CM: another drug, for what the category says; one that is empty or in another word leaves it open."""
    texts = _texts(record, _CM)
    texts["drug"] = record.values.get("CMDECOD") or texts.get("drug", "")
    category = " ".join(texts.get("role", "").lower().split())
    texts["role"] = "rescue" if category in _RESCUE else ROLES.get(category, "")
    if category and not texts["role"]:
        place = _row(record, gathering, _CM).place("role")
        gathering.reading.flag(info("cdisc.category-unknown", place=place, value=clip(category)))
    hours = _HOURS.get(record.values.get("CMDOSFRQ", "").upper())
    if hours is not None:
        texts["interval_h"] = hours
    return "therapies", _CM, texts


_PR = MappingProxyType({"kind": "PRTRT", "start": "PRSTDTC", "stop": "PRENDTC"})


def _procedure(record: Record, gathering: Gathering) -> Told | None:
    """PR: a procedure; a transfusion of platelets is a rescue."""
    texts = _texts(record, _PR)
    name = record.values.get("PRDECOD") or texts.get("kind", "")
    if drug_name(name) == "platelet-transfusion":
        row = _row(record, gathering, _PR)
        gathering.reading.flag(warning("cdisc.transfusion", place=row.place("kind"), value=clip(name)))
        variables = {"drug": "PRTRT", "start": "PRSTDTC", "stop": "PRENDTC"}
        return "therapies", variables, {**_texts(record, variables), "drug": "platelet-transfusion", "role": "rescue"}
    return "procedures", _PR, {**texts, "kind": name}


def _findings(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{name}" for name in ("TESTCD", "TEST", "CAT", "SPEC", "ORRES", "ORRESU", "STAT", "DTC"))


DOMAINS: Mapping[str, Domain] = MappingProxyType(
    {
        "EX": Domain(
            read=("USUBJID", "EXTRT", "EXDOSE", "EXDOSU", "EXDOSFRQ", "EXDOSFRM", "EXSTDTC", "EXENDTC"),
            required=("USUBJID", "EXTRT", "EXDOSE", "EXDOSU", "EXSTDTC"),
            turn=_exposure,
        ),
        "PC": Domain(
            read=(
                *("USUBJID", "PCTESTCD", "PCTEST", "PCORRES", "PCORRESU", "PCLLOQ"),
                *("PCSTRESU", "PCSPEC", "PCMETHOD", "PCSTAT", "PCDTC", "PCRFTDTC"),
            ),
            required=("USUBJID", "PCTESTCD", "PCORRES", "PCORRESU", "PCDTC"),
            turn=_concentration,
        ),
        "LB": Domain(
            read=("USUBJID", *_findings("LB"), "LBORNRLO", "LBORNRHI"),
            required=("USUBJID", "LBTESTCD", "LBORRES", "LBORRESU", "LBDTC"),
            turn=_finding("LB"),
        ),
        "VS": Domain(
            read=("USUBJID", *_findings("VS")),
            required=("USUBJID", "VSTESTCD", "VSORRES", "VSORRESU", "VSDTC"),
            turn=_finding("VS"),
        ),
        "AE": Domain(
            read=("USUBJID", "AETERM", "AEDECOD", "AETOXGR", "AESER", "AEREL", "AEACN", "AESTDTC", "AEENDTC"),
            required=("USUBJID", "AETERM", "AESTDTC"),
            turn=_adverse_event,
        ),
        "CM": Domain(
            read=("USUBJID", "CMTRT", "CMDECOD", "CMCAT", "CMDOSE", "CMDOSU", "CMDOSFRQ", "CMSTDTC", "CMENDTC"),
            required=("USUBJID", "CMTRT", "CMSTDTC"),
            turn=_medication,
        ),
        "PR": Domain(
            read=("USUBJID", "PRTRT", "PRDECOD", "PRSTDTC", "PRENDTC"),
            required=("USUBJID", "PRTRT", "PRSTDTC"),
            turn=_procedure,
        ),
    }
)
"""The domains that are read after DM, in this order."""
