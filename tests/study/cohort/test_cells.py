# SPDX-License-Identifier: Apache-2.0
"""Cytokines of a cohort: compared only with controls of the declared method, and correlated with the cells beside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sirolens.chart import CellCount, Chart, Course, Lab, Patient
from sirolens.response.cohort import Cohort
from sirolens.response.control import ControlSample
from sirolens.response.criteria import load
from sirolens.study.cohort.analysis import analyse
from sirolens.study.cohort_page.cells import cell_parts
from sirolens.study.page_parts import NamedTable

BEGUN = datetime(2026, 1, 5, 8, tzinfo=UTC)
GATE = "CD25+CD127low of CD4+"


def measured(index: int) -> Chart:
    """An invented patient with Treg and TGF-beta a week before the first dose and at three months."""
    days = {-7: (4.0 + 0.1 * index, 300.0 + 9.0 * index), 91: (5.0 + 0.2 * index, 420.0 + 11.0 * index)}
    when = {BEGUN + timedelta(days=day): pair for day, pair in days.items()}
    return Chart(
        patient=Patient(id=f"invented-{index}", invented=True),
        zone="UTC",
        courses=(Course(at=BEGUN, recorded=BEGUN),),
        cell_counts=tuple(
            CellCount(at=at, recorded=at, cell="treg", value=treg, unit="%", gate=GATE)
            for at, (treg, _) in when.items()
        ),
        labs=tuple(Lab(at=at, recorded=at, name="tgf-beta", value=tgf, unit="pg/mL") for at, (_, tgf) in when.items()),
    )


def cohort(methods: dict[str, str]) -> Cohort:
    return Cohort(
        name="invented",
        title="Invented",
        charts=tuple(measured(index) for index in range(8)),
        data_cut=BEGUN + timedelta(days=200),
        controls=tuple(
            ControlSample(id=f"C-{index}", cell="tgf-beta", value=500.0 + index, unit="pg/mL", gate="ELISA")
            for index in range(9)
        ),
        methods=methods,
        invented=True,
    )


def compared(of: Cohort) -> list[int]:
    """How many controls stand beside the patients' TGF-beta."""
    found = analyse(of, load("iwg-2009")).cells.controls.comparisons
    return [len(one.controls) for one in found if one.subset.cell == "tgf-beta"]


def test_a_cytokine_is_compared_with_controls_of_its_declared_method() -> None:
    assert compared(cohort({"tgf-beta": "ELISA"})) == [9]


def test_without_a_method_or_with_another_no_control_stands_beside_a_cytokine() -> None:
    assert set(compared(cohort({}))) <= {0}
    assert set(compared(cohort({"tgf-beta": "Luminex"}))) <= {0}


def test_cells_are_correlated_with_tgf_beta_where_it_was_measured() -> None:
    analysis = analyse(cohort({"tgf-beta": "ELISA"}), load("iwg-2009"))
    names = {part.name for part in cell_parts(analysis) if isinstance(part, NamedTable)}
    assert "cells-tgf-beta" in names
    plain = replace(cohort({}), charts=tuple(replace(measured(index), labs=()) for index in range(8)), controls=())
    without = analyse(plain, load("iwg-2009"))
    assert "cells-tgf-beta" not in {part.name for part in cell_parts(without) if isinstance(part, NamedTable)}
