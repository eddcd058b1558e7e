# SPDX-License-Identifier: Apache-2.0
"""Bad input of a cohort is refused or flagged: file, line, column, value, what was expected, in two languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from sirolens.message import Severity
from tests.interop.charts import said_in_both, the
from tests.interop.cohorts import STUDY, TABLES, folder, read, refused

COUNTS = TABLES["platelet_counts"]

# what is wrong -> file, its text, code, line, column, and what the words must name
REFUSED: dict[str, tuple[str, str, str, int | None, str | None, tuple[str, ...]]] = {
    "an unknown column": (
        "platelet_counts",
        "patient,at,value,unit,batch\n",
        "chart.field-unknown",
        1,
        "batch",
        ("batch", "value"),
    ),
    "a value in a column without a heading": (
        "platelet_counts",
        "patient,at,value,unit,\nP-1,2026-02-01,45,10^9/L,60\n",
        "chart.column-nameless",
        2,
        None,
        ("5",),
    ),
    "a column that tells who a person is": (
        "patients",
        "patient,姓名\nP-1,x\nP-2,y\n",
        "chart.identity",
        1,
        "姓名",
        (),
    ),
    "a column that is not there": (
        "platelet_counts",
        "patient,at,unit\n",
        "chart.column-missing",
        1,
        None,
        ("value",),
    ),
    "a table of facts without patients": (
        "platelet_counts",
        "at,value,unit\n",
        "chart.column-missing",
        1,
        None,
        ("patient",),
    ),
    "a patient given twice": (
        "patients",
        "patient\nP-1\nP-2\nP-1\n",
        "cohort.patient-twice",
        4,
        "patient",
        ("P-1", "patients.csv", "2"),
    ),
    "a patient of a table who is not in the study": (
        "platelet_counts",
        COUNTS + "P-11,2026-02-01,45,10^9/L\n",
        "cohort.patient-unknown",
        5,
        "patient",
        ("P-11", "P-1"),
    ),
    "a row of nobody": (
        "platelet_counts",
        COUNTS + ",2026-02-01,45,10^9/L\n",
        "chart.field-missing",
        5,
        None,
        ("patient",),
    ),
    "a count in /mm3 that was declared in 10^9/L": (
        "platelet_counts",
        COUNTS + "P-1,2026-03-01,45000,10^9/L\n",
        "chart.impossible",
        5,
        "value",
        ("45000", "0-5000"),
    ),
    "a count in 10^9/L that was declared in /mm3": (
        "platelet_counts",
        COUNTS + "P-1,2026-03-01,45,/mm3\n",
        "chart.unit-doubt",
        5,
        "value",
        ("45 /mm3", "0.045"),
    ),
    "a count in 10^9/L that was declared in 万/uL": (
        "platelet_counts",
        COUNTS + "P-1,2026-03-01,180,万/uL\n",
        "chart.unit-doubt",
        5,
        "value",
        ("180 万/uL", "1800"),
    ),
    "a count without a unit": (
        "platelet_counts",
        COUNTS + "P-1,2026-03-01,45,\n",
        "chart.unit-missing",
        5,
        "value",
        ("45", "10^9/L"),
    ),
    "a percentage over 100": (
        "cell_counts",
        "patient,at,cell,value,unit,gate\nP-1,2026-01-01,treg,120,%,x\n",
        "chart.impossible",
        2,
        "value",
        ("120 %", "0-100"),
    ),
    "a declared percentage over 100": (
        "patients",
        "patient,relapsed_percent\nP-1,101\nP-2,5\n",
        "chart.out-of-range",
        2,
        "relapsed_percent",
        ("101", "100"),
    ),
    "a control's percentage over 100": (
        "controls",
        "id,cell,value,unit,gate\nC-1,treg,105,%,x\n",
        "chart.impossible",
        2,
        "value",
        ("105 %",),
    ),
    "a cell without a gate": (
        "cell_counts",
        "patient,at,cell,value,unit,gate\nP-1,2026-01-01,treg,5,%,\n",
        "chart.field-missing",
        2,
        None,
        ("gate",),
    ),
    "a control's cell without a gate": (
        "controls",
        "id,cell,value,unit,gate\nC-1,treg,5,%,\n",
        "chart.field-missing",
        2,
        None,
        ("gate",),
    ),
    "dates in two styles in one column": (
        "platelet_counts",
        "patient,at,value,unit\nP-1,2026-03-05,45,10^9/L\nP-2,05/03/2026,50,10^9/L\n",
        "cohort.date-styles",
        3,
        "at",
        ("05/03/2026", "2026-03-05", "2"),
    ),
    "dates in two styles of which the wrong one comes first": (
        "platelet_counts",
        "patient,at,value,unit\nP-2,05/03/2026,50,10^9/L\nP-1,2026-03-05,45,10^9/L\n",
        "cohort.date-styles",
        2,
        "at",
        ("05/03/2026", "2026-03-05", "3"),
    ),
    "a visit after death": (
        "patients",
        "patient,died\nP-1,2026-01-15\nP-2,\n",
        "cohort.after-death",
        3,
        "at",
        ("2026",),
    ),
    "follow-up beyond death": (
        "patients",
        "patient,died,left\nP-1,,\nP-2,2026-05-01,2026-05-02\n",
        "cohort.left-after-death",
        3,
        "left",
        ("2026",),
    ),
    "a visit before birth": (
        "patients",
        "patient,born\nP-1,2026-01-15\nP-2,\n",
        "chart.before-birth",
        2,
        None,
        (),
    ),
    "a level before the first dose": (
        "levels",
        "patient,at,value,unit\nP-2,2026-01-04T08:00+08:00,7,ng/mL\n",
        "chart.level-without-dose",
        2,
        None,
        ("7 ng/mL",),
    ),
    "a response of nobody": (
        "responses",
        "patient,response\nP-9,CR\n",
        "cohort.patient-unknown",
        2,
        "patient",
        ("P-9",),
    ),
    "a file of an unknown name": ("platelets_new", "x\n", "chart.file-unknown", None, None, ("platelet_counts",)),
    "no bytes": ("patients", " ", "file.empty", None, None, ()),
    "no patient": ("patients", "patient\n", "cohort.no-patients", None, None, ()),
    "yes or no that is neither": (
        "patients",
        "patient,steroid_dependent\nP-1,perhaps\nP-2,\n",
        "chart.expected-boolean",
        2,
        "steroid_dependent",
        ("perhaps",),
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_it_is_refused_with_file_line_column_value_and_expectation(tmp_path: Path, case: str) -> None:
    name, text, code, line, column, named = REFUSED[case]
    path = folder(tmp_path, tables=TABLES | {name: text})
    if case == "no patient":
        for other in TABLES:
            if other != "patients":
                (tmp_path / f"{other}.csv").unlink()
    found = [message for message in refused(path) if message.code == code]
    assert found, [message.code for message in refused(path)]
    (message, *_) = [one for one in found if one.place is not None and one.place.line in (line, None)] or found
    assert message.severity is Severity.ERROR
    assert message.place is not None
    if code not in ("cohort.after-death", "chart.before-birth"):  # these stand where the fact is
        assert message.place.file == str(tmp_path / f"{name}.csv" if case != "no patient" else tmp_path)
        assert (message.place.line, message.place.field) == (line, column)
    for words in said_in_both(message):
        assert not [value for value in named if value not in words], words


STUDY_REFUSED: dict[str, tuple[str, str, str | None, tuple[str, ...]]] = {
    "no TOML": ("name = \n", "cohort.not-toml", None, ()),
    "an unknown key": (STUDY.replace("title =", "titel =", 1), "cohort.key-unknown", "titel", ("titel", "title")),
    "no time zone": (STUDY.replace('zone = "Asia/Shanghai"\n', ""), "cohort.key-missing", None, ("zone",)),
    "no data cut": (STUDY.replace("data_cut = 2026-06-30\n", ""), "cohort.key-missing", None, ("data_cut",)),
    "an unknown zone": (STUDY.replace("Asia/Shanghai", "Asia/Beijing"), "cohort.key-wrong", "zone", ("Asia/Beijing",)),
    "a data cut that is a text": (STUDY.replace("2026-06-30", '"soon"'), "cohort.key-wrong", "data_cut", ("soon",)),
    "another version": (STUDY.replace("study = 1", "study = 2"), "cohort.key-wrong", "sirolens_study", ("2", "1")),
    "no name": (STUDY.replace('name = "invented"', 'name = " "'), "cohort.key-wrong", "name", ()),
    "an unknown CTCAE version": (
        STUDY.replace('version = "5"', 'version = "5.1"'),
        "cohort.key-wrong",
        "ctcae_version",
        ("5.1",),
    ),
    "an unknown kind": (
        STUDY.replace('"category"', '"colour"'),
        "cohort.key-wrong",
        "characteristics.phase.kind",
        ("colour", "category"),
    ),
    "an unknown statement": (
        STUDY.replace("approval =", "aproval ="),
        "cohort.key-unknown",
        "ethics.aproval",
        ("aproval", "approval"),
    ),
    "a declared column that is there already": (
        STUDY.replace("[characteristics.phase]", '[characteristics."性别"]'),
        "cohort.characteristic-taken",
        "characteristics.性别",
        ("性别",),
    ),
}


@pytest.mark.parametrize("case", sorted(STUDY_REFUSED))
def test_what_the_study_says_is_checked_too(tmp_path: Path, case: str) -> None:
    text, code, field, named = STUDY_REFUSED[case]
    message = the(refused(folder(tmp_path, study=text)), code)
    assert message.place is not None
    assert message.place.file == str(tmp_path / "study.toml")
    assert message.place.field == field
    for words in said_in_both(message):
        assert not [value for value in named if value not in words], words


FLAGGED: dict[str, tuple[str, str, str, int | None, str | None, tuple[str, ...]]] = {
    "a visit long before the start": (
        "platelet_counts",
        COUNTS + "P-1,2025-10-01,9,10^9/L\n",
        "cohort.before-start",
        5,
        "at",
        ("2025", "2026"),
    ),
    "an adverse event before the start": (
        "adverse_events",
        "patient,start,term\nP-1,2025-12-20,rash\n",
        "cohort.event-before-start",
        2,
        "start",
        (),
    ),
    "mixed gates of one cell": (
        "cell_counts",
        "patient,at,cell,value,unit,gate\nP-1,2026-01-01,treg,5,%,FoxP3+ of CD4+\n",
        "cohort.gates-mixed",
        None,
        "gate",
        ("foxp3+ of cd4+", "cd25+cd127low of cd4+"),
    ),
    "mixed units in one column": (
        "platelet_counts",
        COUNTS + "P-1,2026-03-01,4.5,万/μL\n",
        "cohort.units-mixed",
        5,
        "value",
        ("万/μL", "10^9/L", "2"),
    ),
    "mixed units typed behind the numbers": (
        "levels",
        "patient,at,value\nP-1,2026-02-01T07:40+08:00,7.2 ng/mL\nP-1,2026-03-01T07:40+08:00,720 ng/dL\n",
        "cohort.units-mixed",
        3,
        "value",
        ("ng/dL", "ng/mL"),
    ),
    "a table with a heading and no row": ("procedures", "patient,start,kind\n", "cohort.table-empty", 1, None, ()),
    "a visit after the last day of follow-up": (
        "patients",
        "patient,left\nP-1,2026-01-25\nP-2,\n",
        "cohort.after-left",
        None,
        "at",
        (),
    ),
    "a patient without a dose": ("prescriptions", "patient,start,regimen\n", "cohort.no-dose", None, None, ()),
    "a patient without anything": ("patients", "patient\nP-1\nP-2\nP-3\n", "cohort.no-facts", 4, None, ()),
    "another file": ("notes", "", "chart.file-set-aside", None, None, ()),
}


@pytest.mark.parametrize("case", sorted(FLAGGED))
def test_what_is_unusual_is_kept_and_flagged(tmp_path: Path, case: str) -> None:
    name, text, code, line, column, named = FLAGGED[case]
    extra = {"levels": ""} if case == "a patient without a dose" else {}
    path = folder(tmp_path, tables=TABLES | extra | {name: text})
    if case == "another file":
        (path / "notes.xlsx").write_bytes(b"PK")
    _, flags = read(path)
    found = [flag for flag in flags if flag.code == code]
    assert found, [flag.code for flag in flags]
    assert found[0].severity in (Severity.INFO, Severity.WARNING)
    assert found[0].place is not None
    assert line is None or found[0].place.line == line
    assert found[0].place.field == column
    for words in said_in_both(found[0]):
        assert not [value for value in named if value not in words], words


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        platelet_counts=COUNTS + "P-1,2026-03-01,-5,10^9/L\n",
        levels="patient,at,value,unit\nP-9,2026-02-01T08:00,7,ng/mL\n",
        controls="id,cell,value,unit,gate\nC-1,treg,105,%,x\n",
    )
    assert {"chart.negative", "cohort.patient-unknown", "chart.impossible"} <= {one.code for one in refused(path)}


def test_both_faults_of_one_row_are_told(tmp_path: Path) -> None:
    path = folder(tmp_path, platelet_counts=COUNTS + "P-9,2026-03-01,400000,10^9/L\n")
    assert [one.code for one in refused(path)] == ["cohort.patient-unknown", "chart.impossible"]


def test_spellings_of_one_unit_are_not_two_units(tmp_path: Path) -> None:
    text = COUNTS + "P-1,2026-03-01,45,×10⁹/L\nP-1,2026-03-08,45,10*9/L\n"
    _, flags = read(folder(tmp_path, platelet_counts=text))
    assert "cohort.units-mixed" not in {flag.code for flag in flags}


def test_a_percentage_and_a_count_of_one_cell_are_two_measures(tmp_path: Path) -> None:
    text = TABLES["cell_counts"] + "P-1,2025-12-31,treg,51,10^6/L,CD25+CD127low of CD4+\n"
    cohort, flags = read(folder(tmp_path, cell_counts=text))
    assert "cohort.units-mixed" not in {flag.code for flag in flags}
    assert [one.unit for one in cohort.charts[0].cell_counts] == ["%", "10^6/L"]


def test_a_patient_given_in_two_files_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, 患者="patient\nP-2\n")
    message = the(refused(path), "cohort.patient-twice")
    assert message.place is not None
    assert message.place.file == str(tmp_path / "患者.csv") or message.values["first_file"] == "患者.csv"
    said_in_both(message)


def test_a_folder_without_a_study_or_without_patients_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, patients="")
    said_in_both(the(refused(path), "cohort.patients-missing"))
    (path / "study.toml").unlink()
    said_in_both(the(refused(path), "cohort.study-missing"))


def test_the_number_of_an_identity_card_is_not_repeated(tmp_path: Path) -> None:
    card = "11010519491231002X"
    for message in refused(folder(tmp_path, patients=f"patient\n{card}\n")):
        for words in (*said_in_both(message), str(message)):
            assert card not in words


def test_missing_statements_of_ethics_are_told(tmp_path: Path) -> None:
    study = STUDY.replace('approval = "none: invented"\n', "")
    _, flags = read(folder(tmp_path, study=study))
    message = the(flags, "cohort.ethics-missing")
    assert message.values["names"] == ("approval",)
    said_in_both(message)


def test_a_patient_who_is_not_in_the_study_is_told_once_a_file(tmp_path: Path) -> None:
    path = folder(tmp_path, platelet_counts=COUNTS + "P-9,2026-03-01,40,10^9/L\nP-9,2026-03-08,41,10^9/L\n")
    assert [message.code for message in refused(path)].count("cohort.patient-unknown") == 1


def test_a_faulty_row_of_a_patient_makes_no_stranger_of_the_patient(tmp_path: Path) -> None:
    path = folder(tmp_path, patients="patient,sex\nP-1,female\nP-2,female,too,much\n")
    codes = [message.code for message in refused(path)]
    assert "chart.row-length" in codes
    assert "cohort.patient-unknown" not in codes
