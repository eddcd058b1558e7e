# SPDX-License-Identifier: Apache-2.0
"""A cohort written as tables is read back to the same charts; what cannot be written so is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sirolens.interop.cohort_csv import read
from sirolens.interop.cohort_write import cohort_files
from sirolens.regimen import alternate_days
from sirolens.study.illustration import build, load_paper

COHORT = build(load_paper("paper-a"))


def test_a_cohort_comes_back_as_it_was(tmp_path: Path) -> None:
    for name, content in cohort_files(COHORT).items():
        (tmp_path / name).write_bytes(content)
    back, flags = read(tmp_path)
    assert back.charts == COHORT.charts
    assert (back.controls, back.data_cut, back.invented) == (COHORT.controls, COHORT.data_cut, True)
    assert {flag.code for flag in flags} == {"cohort.ethics-missing"}


def test_every_file_says_that_the_patients_are_invented() -> None:
    for name, content in cohort_files(COHORT).items():
        rows = content.decode().splitlines()
        assert all("INVENTED" in row for row in rows[1:] if name.endswith(".csv")), name
    assert b"invented = true" in cohort_files(COHORT)["study.toml"]


def test_a_regimen_or_zones_the_tables_do_not_hold_are_refused() -> None:
    chart = COHORT.charts[0]
    (first, later) = chart.prescriptions
    other = replace(chart, prescriptions=(replace(first, regimen=alternate_days(1)), later))
    with pytest.raises(ValueError, match="a dose a day"):
        cohort_files(replace(COHORT, charts=(other,)))
    moved = replace(chart, zone="Asia/Shanghai", patient=replace(chart.patient, id="other"))
    with pytest.raises(ValueError, match="one time zone"):
        cohort_files(replace(COHORT, charts=(chart, moved)))
