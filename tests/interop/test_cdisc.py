# SPDX-License-Identifier: Apache-2.0
"""CDISC-style domains are the cohort that the same facts make as tables, and what they say badly is asked."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from sirolens.chart import Chart, Quantification
from sirolens.interop.cdisc import is_cdisc
from sirolens.interop.measurements import number_text
from sirolens.message import Severity
from tests.interop.charts import said_in_both, the
from tests.interop.cohorts import DOMAINS, STUDY, folder, read, refused
from tests.interop.xpt import ibm, transport

SIX_DIGITS = 1e-6
"""The writer of the test cuts IBM fractions at 56 bits; values here have at most six digits."""
NUMERIC = frozenset({"AGE", "EXDOSE", "LBORNRLO", "LBORNRHI", "PCLLOQ"})


def domains(path: Path, study: str = STUDY, **files: str | bytes) -> Path:
    return folder(path, study=study, tables=DOMAINS, **files)


def as_transport(text: str, encoding: str = "utf-8") -> bytes:
    names, *rows = csv.reader(StringIO(text))
    cells = [
        [(float(v) if v else None) if n in NUMERIC else v for n, v in zip(names, row, strict=True)] for row in rows
    ]
    return transport(names, cells, encoding)


def comparable(chart: Chart) -> Chart:
    """A chart without what only CDISC has (the consent of DM)."""
    return replace(chart, consents=())


def test_domains_are_the_cohort_that_the_same_facts_make_as_tables(tmp_path: Path) -> None:
    # Oracle: the reader of a cohort's own tables.
    mine, _ = read(folder(tmp_path / "tables"))
    theirs, flags = read(domains(tmp_path / "domains"))
    assert is_cdisc(tmp_path / "domains")
    assert not is_cdisc(tmp_path / "tables")
    assert tuple(map(comparable, theirs.charts)) == tuple(map(comparable, mine.charts))
    assert theirs.arms == mine.arms
    assert theirs.controls == mine.controls
    assert {name: [one.response for one in found] for name, found in theirs.reported.items()} == {"P-1": ["complete"]}
    assert theirs.charts[0].consents[0].scope == "research"
    assert [flag.code for flag in flags] == ["cohort.diagnosis-assumed"]


def test_transport_files_say_the_same_as_csv(tmp_path: Path) -> None:
    plain, _ = read(domains(tmp_path / "csv"))
    path = domains(tmp_path / "xpt")
    for name in ("dm", "ex", "pc", "lb", "ae"):
        (path / f"{name}.csv").unlink()
        (path / f"{name}.xpt").write_bytes(as_transport(DOMAINS[name]))
    packed, flags = read(path)
    assert packed.charts == plain.charts
    assert [flag.code for flag in flags] == ["cohort.diagnosis-assumed"]
    assert {one.name for one in packed.files} >= {"dm.xpt", "lb.xpt"}


def test_records_that_end_in_empty_variables_are_not_lost(tmp_path: Path) -> None:
    # pandas takes blanks of the last card for padding: of these four records it returns fewer.
    text = "USUBJID,ARM,RFICDTC\nP-1,A,2025-12-20\nP-2,A,\nP-3,A,\nP-4,A,\n"
    path = domains(tmp_path, dm="", **dict.fromkeys(("ex", "pc", "lb", "ae"), ""))
    (path / "dm.xpt").write_bytes(as_transport(text))
    assert read(path)[0].ids == ("P-1", "P-2", "P-3", "P-4")


def test_a_transport_file_without_records_is_an_empty_domain(tmp_path: Path) -> None:
    path = domains(tmp_path, ae="")
    full = as_transport(DOMAINS["ae"])
    (path / "ae.xpt").write_bytes(full[: full.index(b"OBS     HEADER") - 20 + 80])
    assert read(path)[0].charts[0].adverse_events == ()


def test_the_number_of_a_transport_file_is_its_ibm_float() -> None:
    # Oracle: SAS technical note TS-140: 1 is 41 10 00 ..., -118.625 is C2 76 A0 00 ...
    assert ibm(1.0).hex() == "4110000000000000"
    assert ibm(-118.625).hex() == "c276a00000000000"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_texts_of_a_transport_file_are_read(tmp_path: Path, encoding: str) -> None:
    path = domains(tmp_path, ae="")
    text = "USUBJID,AETERM,AESTDTC\nP-1,口腔溃疡,2026-01-20\nP-1,高脂血症,2026-02-20\n"
    (path / "ae.xpt").write_bytes(as_transport(text, encoding))
    cohort, flags = read(path)
    assert [event.term for event in cohort.charts[0].adverse_events] == ["口腔溃疡", "高脂血症"]
    assert ("file.read-as-gb18030" in {flag.code for flag in flags}) == (encoding == "gb18030")


HEAD = {name: text.splitlines()[0] + "\n" for name, text in DOMAINS.items()}
REFUSED: dict[str, tuple[str, str, str, int | None, str | None, tuple[str, ...]]] = {
    "a date without a day": (
        "lb",
        HEAD["lb"] + "P-1,PLAT,45,10^9/L,,,,2026-02\n",
        "chart.day-missing",
        2,
        "LBDTC",
        ("2026-02",),
    ),
    "a year alone": (
        "ae",
        HEAD["ae"] + "P-1,rash,,1,N,N,,2026,\n",
        "chart.time-unreadable",
        2,
        "AESTDTC",
        ("2026",),
    ),
    "a level without a clock time": (
        "pc",
        HEAD["pc"] + "P-1,SIROLIMU,Sirolimus,7.2,ng/mL,,,BLOOD,CMIA,2026-02-01\n",
        "chart.clock-missing",
        2,
        "PCDTC",
        ("2026-02-01",),
    ),
    "a count without a unit": (
        "lb",
        HEAD["lb"] + "P-1,PLAT,45,,,,,2026-02-01\n",
        "chart.unit-missing",
        2,
        "LBORRES",
        ("45", "10^9/L"),
    ),
    "a count in the wrong unit": (
        "lb",
        HEAD["lb"] + "P-1,PLAT,45,/mm3,,,,2026-02-01\n",
        "chart.unit-doubt",
        2,
        "LBORRES",
        ("45 /mm3",),
    ),
    "a level below a limit that is not given": (
        "pc",
        HEAD["pc"] + "P-1,SIROLIMU,Sirolimus,BLQ,ng/mL,,,BLOOD,CMIA,2026-02-01T07:40\n",
        "cdisc.lloq-missing",
        2,
        "PCORRES",
        ("BLQ", "PCLLOQ"),
    ),
    "a level in plasma": (
        "pc",
        HEAD["pc"] + "P-1,SIROLIMU,Sirolimus,7.2,ng/mL,,,PLASMA,CMIA,2026-02-01T07:40\n",
        "chart.matrix",
        2,
        "PCSPEC",
        (),
    ),
    "a dose without a frequency": (
        "ex",
        HEAD["ex"] + "P-1,SIROLIMUS,2,mg,,2026-01-01,\n",
        "cdisc.frequency-unknown",
        2,
        "EXDOSFRQ",
        ("QD",),
    ),
    "a dose as needed": (
        "ex",
        HEAD["ex"] + "P-1,SIROLIMUS,2,mg,PRN,2026-01-01,\n",
        "cdisc.frequency-unknown",
        2,
        "EXDOSFRQ",
        ("PRN", "QD"),
    ),
    "a dose without a unit": (
        "ex",
        HEAD["ex"] + "P-1,SIROLIMUS,2,,QD,2026-01-01,\n",
        "chart.field-missing",
        2,
        None,
        ("EXDOSU",),
    ),
    "no dose until nobody knows when": (
        "ex",
        HEAD["ex"] + "P-1,SIROLIMUS,0,mg,QD,2026-01-01,\n",
        "cdisc.dose-zero-open",
        2,
        "EXENDTC",
        (),
    ),
    "a relation that may mean both": (
        "ae",
        HEAD["ae"] + "P-1,rash,,1,N,POSSIBLE,,2026-01-20,\n",
        "cdisc.relation-unknown",
        2,
        "AEREL",
        ("POSSIBLE", "related"),
    ),
    "a grade over 5": (
        "ae",
        HEAD["ae"] + "P-1,rash,,6,N,N,,2026-01-20,\n",
        "chart.out-of-range",
        2,
        "AETOXGR",
        ("6",),
    ),
    "a patient of a domain who is not in DM": (
        "lb",
        HEAD["lb"] + "P-9,PLAT,45,10^9/L,,,,2026-02-01\n",
        "cohort.patient-unknown",
        2,
        "USUBJID",
        ("P-9",),
    ),
    "a patient given twice": (
        "dm",
        DOMAINS["dm"] + "S,P-1,F,40,YEARS,2026-01-01,A,\n",
        "cohort.patient-twice",
        4,
        "USUBJID",
        ("P-1", "2"),
    ),
    "an age without a unit": (
        "dm",
        HEAD["dm"] + "S,P-1,F,40,,2026-01-01,A,\nS,P-2,F,40,YEARS,2026-01-01,A,\n",
        "cdisc.age-unit-missing",
        2,
        "AGE",
        ("40", "AGEU"),
    ),
    "a variable that is not there": ("lb", "USUBJID,LBTESTCD\n", "chart.column-missing", 1, None, ("LBORRES",)),
    "dates in two styles": (
        "lb",
        DOMAINS["lb"] + "P-1,PLAT,45,10^9/L,,,,05/03/2026\n",
        "cohort.date-styles",
        6,
        "LBDTC",
        ("05/03/2026", "2025-12-31"),
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_it_is_refused_with_file_line_variable_value_and_expectation(tmp_path: Path, case: str) -> None:
    name, text, code, line, variable, named = REFUSED[case]
    path = domains(tmp_path, **{name: text})
    found = [one for one in refused(path) if one.code == code]
    assert found, [str(one) for one in refused(path)]
    message = found[0]
    assert message.severity is Severity.ERROR
    assert message.place is not None
    assert message.place.file == str(path / f"{name}.csv")
    assert (message.place.line, message.place.field) == (line, variable)
    for words in said_in_both(message):
        assert not [value for value in named if value not in words], words


FLAGGED: dict[str, tuple[str, str, str, str | None]] = {
    "not done": ("lb", DOMAINS["lb"] + "P-1,PLAT,,,,,NOT DONE,2026-03-01\n", "cdisc.not-done", "LBSTAT"),
    "a test that is not used": (
        "lb",
        DOMAINS["lb"] + "P-1,K,4.1,mmol/L,,,,2026-03-01\n",
        "cdisc.test-set-aside",
        "LBTESTCD",
    ),
    "a birth year alone": (
        "dm",
        "USUBJID,BRTHDTC,AGE,AGEU,RFSTDTC\nP-1,1986,40,YEARS,2026-01-01\nP-2,,,,\n",
        "cdisc.birth-partial",
        "BRTHDTC",
    ),
    "an age at no day": ("dm", "USUBJID,AGE,AGEU\nP-1,40,YEARS\nP-2,,\n", "cdisc.age-undated", "AGE"),
    "a screen failure": (
        "dm",
        "USUBJID,ARM\nP-1,A\nP-2,Screen Failure\n",
        "cdisc.no-arm",
        None,
    ),
    "another analyte": (
        "pc",
        DOMAINS["pc"] + "P-1,TACRO,Tacrolimus,7.2,ng/mL,,,BLOOD,CMIA,2026-02-05T07:40\n",
        "cdisc.analyte-set-aside",
        "PCTESTCD",
    ),
    "another method": (
        "pc",
        HEAD["pc"] + "P-1,SIROLIMU,Sirolimus,7.2,ng/mL,,,BLOOD,MAGIC,2026-02-01T07:40\n",
        "cdisc.assay-unknown",
        "PCMETHOD",
    ),
    "another domain": ("mh", "USUBJID,MHTERM\n", "cdisc.domain-set-aside", None),
    "a transfusion among procedures": (
        "pr",
        "USUBJID,PRTRT,PRSTDTC\nP-1,Platelet transfusion,2026-01-20\n",
        "cdisc.transfusion",
        "PRTRT",
    ),
}


@pytest.mark.parametrize("case", sorted(FLAGGED))
def test_what_is_set_aside_is_flagged(tmp_path: Path, case: str) -> None:
    name, text, code, variable = FLAGGED[case]
    _, flags = read(domains(tmp_path, **{name: text}))
    message = the(flags, code)
    assert message.place is not None
    assert message.place.field == variable
    said_in_both(message)


def test_a_level_below_the_limit_is_kept_as_that_limit(tmp_path: Path) -> None:
    text = HEAD["pc"] + "P-1,SIROLIMU,Sirolimus,<LLOQ,,0.5,ng/mL,BLOOD,CMIA,2026-02-01T07:40+08:00\n"
    (level,) = read(domains(tmp_path, pc=text))[0].charts[0].levels
    assert (level.level_ng_ml, level.quantification) == (0.5, Quantification.BELOW)


def test_a_hold_is_a_prescription_of_nothing(tmp_path: Path) -> None:
    rows = ("P-1,SIROLIMUS,2,mg,QD,2026-01-01,2026-02-01", "P-1,SIROLIMUS,0,mg,QD,2026-02-02,2026-02-05")
    text = HEAD["ex"] + "\n".join([*rows, "P-1,SIROLIMUS,1,mg,Q2D,2026-02-06,"]) + "\n"
    cohort, _ = read(domains(tmp_path, ex=text))
    chart = cohort.charts[0]
    taken = [intake.at.date().isoformat() for intake in chart.intakes(cohort.data_cut)]
    assert not [day for day in taken if "2026-02-02" <= day <= "2026-02-05"]
    assert "2026-02-01" in taken


def test_a_comparator_is_a_therapy(tmp_path: Path) -> None:
    text = DOMAINS["ex"] + "P-2,CYCLOSPORINE,100,mg,BID,2026-01-05,\n"
    (therapy,) = read(domains(tmp_path, ex=text))[0].charts[1].therapies
    assert (therapy.drug, therapy.role, therapy.amount) == ("ciclosporin", "itp", 100.0)


def test_other_drugs_and_rescues_are_read(tmp_path: Path) -> None:
    text = (
        "USUBJID,CMTRT,CMDECOD,CMCAT,CMDOSE,CMDOSU,CMDOSFRQ,CMSTDTC,CMENDTC\n"
        "P-1,Ivig,IMMUNOGLOBULIN,RESCUE MEDICATION,20,g,QD,2026-01-20,2026-01-22\n"
        "P-1,Prednison,PREDNISONE,,10,mg,QD,2025-11,\n"
        "P-1,Amlodipine,AMLODIPINE,Concomitant Medication,5,mg,QD,2025-12,\n"
        "P-1,Rituximab,RITUXIMAB,INFUSIONS,,,,2026-02,\n"
    )
    cohort, flags = read(domains(tmp_path, cm=text))
    assert [(one.drug, one.role, one.interval_h) for one in cohort.charts[0].therapies] == [
        ("prednisone", "unknown", 24.0),
        ("amlodipine", "co-medication", 24.0),
        ("immunoglobulin", "rescue", 24.0),
        ("rituximab", "unknown", None),
    ]
    said_in_both(the(flags, "cdisc.category-unknown"))


def test_weight_comes_from_vital_signs(tmp_path: Path) -> None:
    text = "USUBJID,VSTESTCD,VSORRES,VSORRESU,VSDTC\nP-2,WEIGHT,26,kg,2026-01-05\nP-2,SYSBP,110,mmHg,2026-01-05\n"
    cohort, flags = read(domains(tmp_path, vs=text))
    assert [(lab.name, lab.value) for lab in cohort.charts[1].labs] == [("weight", 26.0)]
    assert "cdisc.test-set-aside" in {flag.code for flag in flags}


def test_a_urine_value_is_not_a_blood_value(tmp_path: Path) -> None:
    text = "USUBJID,LBTESTCD,LBSPEC,LBORRES,LBORRESU,LBDTC\nP-1,GLUC,URINE,5.5,mmol/L,2026-02-01\n"
    cohort, flags = read(domains(tmp_path, lb=text))
    assert not cohort.charts[0].labs
    assert "cdisc.test-set-aside" in {flag.code for flag in flags}


def test_a_word_of_relation_means_what_the_study_declares(tmp_path: Path) -> None:
    study = STUDY + "[related]\npossible = true\nunlikely = false\n"
    text = HEAD["ae"] + "P-1,rash,,1,N,POSSIBLE,,2026-01-20,\nP-1,cold,,1,N,Unlikely,,2026-01-21,\n"
    events = read(domains(tmp_path, study=study, ae=text))[0].charts[0].adverse_events
    assert [event.related for event in events] == [True, False]


@pytest.mark.parametrize(
    ("serious", "relation", "action", "expected"),
    [
        ("N", "N", "DOSE NOT CHANGED", (False, False, False)),
        ("Y", "Y", "DRUG WITHDRAWN", (True, True, True)),
        ("U", "UNKNOWN", "UNKNOWN", (None, None, None)),
        ("", "", "", (None, None, None)),
    ],
)
def test_what_a_record_of_ae_leaves_open_stays_open(
    serious: str, relation: str, action: str, expected: tuple[bool | None, ...], tmp_path: Path
) -> None:
    text = HEAD["ae"] + f"P-1,rash,,1,{serious},{relation},{action},2026-01-20,\n"
    (event,) = read(domains(tmp_path, ae=text))[0].charts[0].adverse_events
    assert (event.serious, event.related, event.stopped) == expected


def test_a_death_without_its_day_and_a_diagnosis_that_dm_cannot_hold_are_told(tmp_path: Path) -> None:
    text = "USUBJID,DTHDTC,DTHFL\nP-1,,Y\nP-2,,\n"
    cohort, flags = read(domains(tmp_path, dm=text))
    assert cohort.follow_up == {}
    said_in_both(the(flags, "cdisc.death-undated"))
    assumed = the(flags, "cohort.diagnosis-assumed")
    assert (assumed.values["count"], assumed.values["all"]) == (2, 2)
    said_in_both(assumed)


def test_ae_without_the_variable_does_not_say_that_nothing_was_serious(tmp_path: Path) -> None:
    text = "USUBJID,AETERM,AESTDTC\nP-1,rash,2026-01-20\n"
    (event,) = read(domains(tmp_path, ae=text))[0].charts[0].adverse_events
    assert (event.serious, event.related, event.stopped, event.grade) == (None, None, None, None)


def test_a_grade_without_a_declared_version_has_none(tmp_path: Path) -> None:
    study = STUDY.replace('ctcae_version = "5"\n', "")
    cohort, flags = read(domains(tmp_path, study=study))
    assert cohort.charts[0].adverse_events[0].ctcae_version is None
    said_in_both(the(flags, "cdisc.version-missing"))


def test_variables_that_are_not_read_are_named(tmp_path: Path) -> None:
    cohort, _ = read(domains(tmp_path))
    assert ("dm.csv", "STUDYID", 2) in [(one.file, one.name, one.filled) for one in cohort.unread]


def test_death_and_the_end_of_participation_are_kept(tmp_path: Path) -> None:
    text = "USUBJID,DTHDTC,RFPENDTC\nP-1,2026-05-01,2026-05-01T10:00\nP-2,,2026-06-01\n"
    cohort, _ = read(domains(tmp_path, dm=text))
    assert [str(cohort.follow_up[name].left) for name in ("P-1", "P-2")] == ["2026-05-01", "2026-06-01"]
    assert cohort.follow_up["P-1"].died is not None


def test_a_domain_given_twice_or_beside_other_patients_is_refused(tmp_path: Path) -> None:
    path = domains(tmp_path, patients="patient\nP-1\n")
    (path / "lb.xpt").write_bytes(as_transport(DOMAINS["lb"]))
    codes = {one.code for one in refused(path)}
    assert {"cdisc.domain-twice", "cdisc.patients-beside-dm"} <= codes
    for message in refused(path):
        said_in_both(message)


def test_a_broken_transport_file_is_named(tmp_path: Path) -> None:
    path = domains(tmp_path, lb="")
    (path / "lb.xpt").write_bytes(b"HEADER RECORD*******" + b"x" * 400)
    said_in_both(the(refused(path), "cdisc.xpt-unreadable"))


def test_a_folder_whose_domains_lack_dm_is_asked_for_patients(tmp_path: Path) -> None:
    assert {one.code for one in refused(domains(tmp_path, dm=""))} >= {"cohort.patients-missing"}


def test_numbers_of_a_transport_file_keep_their_digits(tmp_path: Path) -> None:
    path = domains(tmp_path, ex="")
    (path / "ex.xpt").write_bytes(as_transport(DOMAINS["ex"].replace(",2,mg", ",1.2345,mg")))
    (first, *_) = read(path)[0].charts[0].intakes(read(path)[0].data_cut)
    assert first.amount_mg == pytest.approx(1.2345, rel=SIX_DIGITS)
    assert number_text(first.amount_mg) == "1.2345"
