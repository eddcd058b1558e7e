# SPDX-License-Identifier: Apache-2.0
"""Reads an invented cohort of 5,000 patients from tables and counts its safety; writes what it took to README.md.

Run as ``python -m validation cohort``.
"""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from sirolens.interop.cohort_csv import read
from sirolens.response.exposure import exposure
from sirolens.response.safety import adverse_event_table
from sirolens.response.safety_labs import lab_shifts

T = TypeVar("T")

PATIENTS = 5_000
VISITS = 13
HERE = Path(__file__).parent
STUDY = """sirolens_study = 1
name = "invented"
title = "An invented cohort"
zone = "Asia/Shanghai"
data_cut = 2026-06-30
invented = true
ctcae_version = "5"
[ethics]
approval = "none: invented"
registration = "none: invented"
consent = "none: invented"
"""
HEADS = {
    "patients": "patient,sex,age_years,age_at,arm",
    "prescriptions": "patient,start,regimen",
    "platelet_counts": "patient,at,value,unit",
    "bleedings": "patient,at,asked",
    "levels": "patient,at,value,unit,assay",
    "labs": "patient,at,name,value,unit,upper_normal,lower_normal",
    "adverse_events": "patient,start,term,grade,related",
}
TERMS = ("stomatitis", "infection", "acne", "oedema", "headache")
PAGE = """# A cohort of 5,000 patients

{patients:,} invented patients in {tables} tables with {rows:,} rows, read by `sirolens.interop.cohort_csv.read`, then
counted (`python -m validation cohort`; {machine}, CPython {python}, one core).

| step | CPU time |
|---|---|
| reading and checking | {read_s:.0f} s ({row_us:.0f} us a row) |
| exposure | {exposure_s:.1f} s |
| adverse events beside it | {events_s:.1f} s |
| laboratory shifts by CTCAE 5 | {labs_s:.1f} s |

Peak memory {peak_mb:.0f} MB. What limits the reading is Python's own cost per row, as for one chart
(`validation/input/README.md`).
"""


def _rows(chance: Random) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {name: [head] for name, head in HEADS.items()}
    for number in range(PATIENTS):
        name, start = f"P-{number:05}", date(2024, 1, 1) + timedelta(days=chance.randrange(300))
        age = chance.randrange(3, 80)
        tables["patients"].append(f"{name},{chance.choice('fm')},{age},{start},{chance.choice('AB')}")
        tables["prescriptions"].append(f"{name},{start}T08:00+08:00,2 mg daily")
        tables["prescriptions"].append(f"{name},{start + timedelta(days=60)}T08:00+08:00,1 mg daily")
        for visit in range(VISITS):
            day = start + timedelta(days=14 * visit)
            tables["platelet_counts"].append(f"{name},{day},{chance.randrange(5, 200)},10^9/L")
            tables["bleedings"].append(f"{name},{day},none")
            if visit and visit % 2:
                level = f"{chance.uniform(2, 18):.1f}"
                tables["levels"].append(f"{name},{day}T07:40+08:00,{level},ng/mL,cmia")
            if visit % 3 == 0:
                tables["labs"].append(f"{name},{day},cholesterol,{chance.uniform(3, 9):.2f},mmol/L,5.2,2.8")
                tables["labs"].append(f"{name},{day},alt,{chance.randrange(8, 200)},U/L,40,7")
        event = f"{start + timedelta(days=20)},{chance.choice(TERMS)},{chance.randrange(1, 4)},yes"
        tables["adverse_events"].append(f"{name},{event}")
    return tables


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begin = time.process_time()
    return work(), time.process_time() - begin


def main() -> None:
    """Write, read and count the cohort, and write the page."""
    tables = _rows(Random(1))
    rows = sum(len(lines) - 1 for lines in tables.values())
    with TemporaryDirectory() as there:
        folder = Path(there)
        (folder / "study.toml").write_text(STUDY, encoding="utf-8")
        for name, lines in tables.items():
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (cohort, _), read_s = _timed(lambda: read(folder))
    charts, cut = cohort.charts, cohort.data_cut
    treated, exposure_s = _timed(lambda: exposure(charts, cut))
    _, events_s = _timed(lambda: adverse_event_table(charts, cut, treated=treated))
    _, labs_s = _timed(lambda: lab_shifts(charts, cut, version="5", treated=treated))
    page = PAGE.format(
        patients=PATIENTS,
        tables=len(HEADS),
        rows=rows,
        machine=platform.machine(),
        python=platform.python_version(),
        read_s=read_s,
        row_us=read_s / rows * 1e6,
        exposure_s=exposure_s,
        events_s=events_s,
        labs_s=labs_s,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
