# SPDX-License-Identifier: Apache-2.0
"""A folder of tables is a cohort: each patient's chart is the chart the same rows make alone, in any order of rows."""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.interop.chart_csv import from_csv
from sirolens.interop.cohort_csv import TABLES as NAMES
from sirolens.interop.cohort_template import columns
from sirolens.interop.cohort_words import COHORT_COLUMNS, PATIENTS_COLUMNS
from sirolens.response.cohort import CharacteristicKind
from tests.interop.charts import said_in_both, the
from tests.interop.cohorts import STUDY, TABLES, folder, read


def test_a_sound_cohort_is_read_without_a_flag(tmp_path: Path) -> None:
    cohort, flags = read(folder(tmp_path))
    assert flags == ()
    assert cohort.ids == ("P-1", "P-2")
    assert cohort.arms == {"P-1": "A", "P-2": "A"}
    assert cohort.arm_titles == {"A": "Sirolimus"}
    assert cohort.invented
    assert all(chart.patient.invented for chart in cohort.charts)
    assert cohort.ethics.missing == ()


def test_a_patient_of_a_cohort_has_the_chart_that_the_same_rows_make_alone(tmp_path: Path) -> None:
    # Oracle: the reader of one chart, on the patient's rows without the column of the patient.
    cohort, _ = read(folder(tmp_path / "cohort"))
    alone = tmp_path / "alone"
    alone.mkdir()
    patient = "id,sex,age_years,age_at,invented,zone\nP-1,女,40,2026-01-01,true,Asia/Shanghai\n"
    (alone / "patient.csv").write_text(patient, encoding="utf-8")
    for name in ("prescriptions", "platelet_counts", "levels", "bleedings", "cell_counts", "labs", "adverse_events"):
        header, *rows = TABLES[name].splitlines()
        mine = [header, *(row for row in rows if row.startswith("P-1,"))]
        text = "\n".join(row.partition(",")[2] for row in mine) + "\n"
        if name == "adverse_events":  # the study declares the version for the whole column
            text = "\n".join(
                f"{row},{extra}" for row, extra in zip(text.splitlines(), ("ctcae_version", "5"), strict=True)
            )
        (alone / f"{name}.csv").write_text(text, encoding="utf-8")
    assert cohort.charts[0] == from_csv(alone)[0]


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    straight, _ = read(folder(tmp_path / "a"))
    mixed = {}
    for name, text in TABLES.items():
        header, *rows = text.splitlines()
        if name != "patients":
            random.Random(7).shuffle(rows)
        mixed[name] = "\n".join([header, *rows]) + "\n"
    shuffled, _ = read(folder(tmp_path / "b", tables=mixed))
    assert straight.charts == shuffled.charts


def test_the_reported_response_is_kept_beside_the_charts(tmp_path: Path) -> None:
    text = "patient,at,landmark,疗效\nP-1,2026-04-02,91,CR\nP-2,,182,无效\nP-2,,365,much better\n"
    cohort, flags = read(folder(tmp_path, responses=text))
    (first,) = cohort.reported["P-1"]
    assert (first.response, first.written, first.landmark_d) == ("complete", "CR", 91)
    assert first.place is not None
    assert (first.place.line, first.place.field) == (2, "response")
    assert [one.response for one in cohort.reported["P-2"]] == ["no-response", "much better"]
    said_in_both(the(flags, "cohort.response-word"))


def test_declared_columns_become_characteristics(tmp_path: Path) -> None:
    cohort, _ = read(folder(tmp_path))
    lines, dependent, *_ = cohort.characteristics
    assert (lines.kind, lines.values, lines.title_zh) == (CharacteristicKind.NUMBER, {"P-1": 2.0}, "既往治疗线数")
    assert dependent.values == {"P-1": True, "P-2": False}


def test_columns_that_may_stand_unread_are_named(tmp_path: Path) -> None:
    cohort, _ = read(folder(tmp_path))
    assert [(one.file, one.name, one.filled) for one in cohort.unread] == [("patients.csv", "bed", 1)]


def test_every_file_is_kept_with_its_hash_and_rows(tmp_path: Path) -> None:
    cohort, _ = read(folder(tmp_path))
    found = {one.name: one for one in cohort.files}
    assert found.keys() == {"study.toml", *(f"{name}.csv" for name in TABLES)}
    assert found["platelet_counts.csv"].rows == 3
    for name, one in found.items():
        assert one.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def test_controls_are_cells_with_gates_and_cytokines_with_methods(tmp_path: Path) -> None:
    cohort, _ = read(folder(tmp_path))
    assert [(one.cell, one.value, one.unit) for one in cohort.controls] == [("treg", 5.4, "%"), ("il-6", 3.1, "pg/mL")]


def test_the_data_cut_is_the_whole_day_in_the_clinics_zone(tmp_path: Path) -> None:
    cohort, _ = read(folder(tmp_path))
    assert cohort.data_cut == datetime(2026, 6, 30, 15, 59, 59, 999999, tzinfo=UTC)
    late = TABLES["platelet_counts"] + "P-1,2026-07-01,80,10^9/L\n"
    cohort, flags = read(folder(tmp_path, platelet_counts=late))
    assert len(cohort.charts[0].platelet_counts) == 3
    assert len(cohort.known()[0].platelet_counts) == 2
    said_in_both(the(flags, "cohort.after-cut"))


def test_the_way_out_of_the_study_is_kept(tmp_path: Path) -> None:
    text = "patient,died,left,left_why\nP-1,2026-06-01,2026-06-01,死亡\nP-2,,2026-05-01,失访\n"
    cohort, _ = read(folder(tmp_path, patients=text))
    assert cohort.follow_up["P-1"].died == date(2026, 6, 1)
    assert [cohort.follow_up[name].why for name in ("P-1", "P-2")] == ["died", "lost"]


def test_a_level_given_as_a_day_needs_the_studys_clock(tmp_path: Path) -> None:
    levels = "patient,at,value,unit\nP-1,2026-02-01,7.2,ng/mL\n"
    with pytest.raises(InputError):
        read(folder(tmp_path, levels=levels))
    study = STUDY.replace("[ethics]", 'level_clock = "07:30"\n[ethics]', 1)
    cohort, flags = read(folder(tmp_path, study=study, levels=levels))
    assert cohort.charts[0].levels[0].at == datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    said_in_both(the(flags, "cohort.level-clock"))


def test_a_retraction_after_the_data_cut_is_told(tmp_path: Path) -> None:
    head = "patient,at,value,unit,retracted\nP-1,2026-02-03,45,10^9/L,"
    for told, counts, code in (("2026-02-10", 0, "chart.retracted"), ("2099-01-01", 1, "cohort.retracted-after-cut")):
        (tmp_path / told).mkdir()
        cohort, flags = read(folder(tmp_path / told, platelet_counts=f"{head}{told}\n"))
        assert len(cohort.known()[0].platelet_counts) == counts
        said_in_both(the(flags, code))


def test_a_row_that_says_its_ctcae_version_keeps_it(tmp_path: Path) -> None:
    text = "patient,start,term,grade,ctcae_version\nP-1,2026-01-20,rash,1,\nP-2,2026-01-20,rash,1,4\n"
    cohort, _ = read(folder(tmp_path, adverse_events=text))
    assert [chart.adverse_events[0].ctcae_version for chart in cohort.charts] == ["5", "4"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_chinese_tables_are_read(tmp_path: Path, encoding: str) -> None:
    counts = "患者,日期,结果,单位\nP-1,2026年1月2日,4.5,万/μL\n".encode(encoding)
    cohort, flags = read(folder(tmp_path, platelet_counts="", 血小板计数=counts))
    assert cohort.charts[0].platelet_counts[0].count_10e9_l == 45.0
    assert "chart.converted" in {flag.code for flag in flags}


def test_a_cohort_of_real_patients_is_not_called_invented(tmp_path: Path) -> None:
    study = STUDY.replace("invented = true", "invented = false")
    assert not read(folder(tmp_path / "a", study=study))[0].invented
    text = "patient,invented\nP-1,yes\nP-2,no\n"
    cohort, flags = read(folder(tmp_path / "b", study=study, patients=text))
    assert cohort.invented
    said_in_both(the(flags, "cohort.invented-mixed"))


def test_many_patients_pass(tmp_path: Path) -> None:
    """`5,000 patients with 230,000 rows` are read in about a quarter of a minute; here a few."""
    names = [f"P-{number}" for number in range(400)]
    patients = "patient\n" + "".join(f"{name}\n" for name in names)
    counts = "patient,at,value,unit\n" + "".join(
        f"{name},2026-0{month}-01,{month * 20},10^9/L\n" for month in range(1, 6) for name in names
    )
    cohort, _ = read(
        folder(
            tmp_path, tables={"patients": patients, "platelet_counts": counts}, prescriptions="patient,start,regimen\n"
        )
    )
    assert [len(chart.platelet_counts) for chart in cohort.charts] == [5] * len(names)


@pytest.mark.parametrize("table", NAMES)
def test_no_column_has_two_meanings_in_one_table(table: str) -> None:
    others = PATIENTS_COLUMNS if table == "patients" else COHORT_COLUMNS
    names = [other for one in columns(table) for other in (one.name, *others.get(one.name, ()))]
    assert len(names) == len(set(names))


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([*NAMES, "study"]),
    st.one_of(
        st.binary(max_size=120),
        st.text(st.sampled_from('patient,at,value;unit\n"P-1=[]2026-09 血7.2\t\r'), max_size=80),
    ),
)
def test_any_table_is_read_or_refused(name: str, data: bytes | str) -> None:
    with TemporaryDirectory() as there:
        path = folder(Path(there))
        raw = data if isinstance(data, bytes) else data.encode()
        (path / ("study.toml" if name == "study" else f"{name}.csv")).write_bytes(raw)
        with suppress(InputError):
            read(path)
