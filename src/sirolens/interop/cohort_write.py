# SPDX-License-Identifier: Apache-2.0
"""Writes a cohort as the folder of tables that `sirolens.interop.cohort_csv` reads back to the same charts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sirolens.interop.chart_json import write_chart
from sirolens.response.cohort import Cohort
from sirolens.response.control import ControlSample

__all__ = ["cohort_files"]

PATIENT = "patient"
#: A regimen as `sirolens.interop.chart_json` writes it, but for its dose, whose words "2 mg daily" mean the same.
ONE_A_DAY = {"kind": "daily", "amount": 0, "unit": "mg", "at": "08:00"}
_NO_TABLES = frozenset({"sirolens_chart", "zone", "patient"})


def cohort_files(cohort: Cohort) -> dict[str, bytes]:
    """Write a cohort's charts, controls and description as files by name.

    Parameters
    ----------
    cohort : Cohort
        Of one time zone, every regimen one dose each morning; arms and declared columns are not written.

    Returns
    -------
    dict of str to bytes
        ``study.toml``, ``patients.csv`` and one table for each kind of fact that occurs.

    Raises
    ------
    ValueError
        The charts have several zones, or a regimen is another than one dose each morning.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from sirolens.chart import Chart, Patient
    >>> chart = Chart(patient=Patient(id="P-1", invented=True), zone="UTC")
    >>> cut = datetime(2026, 1, 1, tzinfo=UTC)
    >>> files = cohort_files(Cohort(name="x", title="An example", charts=(chart,), data_cut=cut, invented=True))
    >>> sorted(files), files["patients.csv"].decode().splitlines()[1]
    (['patients.csv', 'study.toml'], 'P-1,unknown,primary-itp,true')
    """
    zones = {chart.zone for chart in cohort.charts}
    if len(zones) != 1:
        raise ValueError(f"a cohort is written in one time zone, not {sorted(zones)}")
    tables: dict[str, list[dict[str, Any]]] = {"patients": []}
    for chart in cohort.charts:
        told: dict[str, Any] = json.loads(write_chart(chart))
        patient = told["patient"]
        tables["patients"].append({PATIENT: patient.pop("id"), **patient})
        for name, rows in told.items():
            if name not in _NO_TABLES:
                tables.setdefault(name, []).extend({PATIENT: chart.patient.id, **row} for row in rows)
    if cohort.controls:
        tables["controls"] = [_control(one) for one in cohort.controls]
    files = {f"{name}.csv": _csv(rows) for name, rows in tables.items()}
    return {**files, "study.toml": _study(cohort, *zones).encode()}


def _control(one: ControlSample) -> dict[str, Any]:
    return {"id": one.id, "cell": one.cell, "value": one.value, "unit": one.unit, "gate": one.gate}


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    listed = list(rows)
    columns = list(dict.fromkeys(name for row in listed for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in listed)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        if {**value, "amount": 0} != ONE_A_DAY:
            raise ValueError(f"only a dose a day, in the morning, is written, not {value}")
        return f"{value['amount']:g} {value['unit']} daily"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _study(cohort: Cohort, zone: str) -> str:
    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    lines = [
        "sirolens_study = 1",
        f"name = {quoted(cohort.name)}",
        f"title = {quoted(cohort.title)}",
        f"zone = {quoted(zone)}",
        f"data_cut = {cohort.data_cut.isoformat()}",
        f"invented = {'true' if cohort.invented else 'false'}",
    ]
    return "\n".join(lines) + "\n"
