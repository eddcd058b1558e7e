# SPDX-License-Identifier: Apache-2.0
"""The empty tables of a cohort are read as soon as they are filled in, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from sirolens.errors import InputError
from sirolens.interop.cohort_csv import TABLES
from sirolens.interop.cohort_template import columns, write
from tests.interop.charts import CHINESE, said_in_both
from tests.interop.cohorts import read, refused


def filled(folder: Path) -> Path:
    study = (folder / "study.toml").read_text(encoding="utf-8")
    for key, value in (("name", '"x"'), ("title", '"X"')):
        study = study.replace(f'# {key} = ""', f"{key} = {value}")
    for key in ("zone", "data_cut"):
        study = study.replace(f"# {key} =", f"{key} =")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    heading = (folder / "patients.csv").read_text(encoding="utf-8").strip()
    (folder / "patients.csv").write_text(f"{heading}\nP-1{',' * heading.count(',')}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_filled_template_is_read(tmp_path: Path, language: str) -> None:
    files = write(tmp_path / "new", language)
    assert {path.name for path in files} == {"study.toml", "README.md", *(f"{table}.csv" for table in TABLES)}
    cohort, flags = read(filled(tmp_path / "new"))
    assert cohort.ids == ("P-1",)
    assert {flag.code for flag in flags} == {
        "cohort.table-empty",
        "cohort.no-facts",
        "cohort.ethics-missing",
        "cohort.diagnosis-assumed",
    }


def test_an_unfilled_template_asks_for_what_nobody_may_guess(tmp_path: Path) -> None:
    write(tmp_path / "new")
    missing = {message.values["name"] for message in refused(tmp_path / "new") if message.code == "cohort.key-missing"}
    assert missing == {"name", "zone", "data_cut"}


def test_the_words_are_in_the_language_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "en", "en")
    write(tmp_path / "zh", "zh")
    for name in ("README.md", "levels.csv", "study.toml"):
        chinese = (tmp_path / "zh" / name).read_text(encoding="utf-8")
        assert CHINESE.search(chinese)
        assert chinese != (tmp_path / "en" / name).read_text(encoding="utf-8")
    assert not CHINESE.search((tmp_path / "en" / "README.md").read_text(encoding="utf-8"))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "levels.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError) as fault:
        write(tmp_path)
    (message,) = fault.value.messages
    assert message.code == "cohort.template-exists"
    said_in_both(message)
    assert [path.name for path in tmp_path.iterdir()] == ["levels.csv"]


@pytest.mark.parametrize("table", TABLES)
def test_required_columns_come_first(table: str) -> None:
    found = [one.required or one.name in ("unit", "amount") for one in columns(table)]
    assert found.index(False) >= sum(one.required for one in columns(table))
