# SPDX-License-Identifier: Apache-2.0
"""Compares the linear engine with NONMEM's output for 30 dosing scenarios; writes the result to README.md.

The scenarios and NONMEM's tables are those of the public repository github.com/mrgsolve/nmtests (GPL-2), which is not
part of this project: check it out and name the folder, ``NMTESTS=/path/to/nmtests python -m validation nonmem``.
Without it nothing is compared and the README stays as it is.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from sirolens.engine.linear import NEUTRAL, PARAMETERS, Structure, concentrations, events_from_columns

HERE = Path(__file__).parent
ORAL = Structure(compartments=1, absorption="first-order")
CL_L_H, V_L, KA_1_H = 1.1, 20.0, 1.5  # $THETA of both control streams
# NONMEM prints five digits: half a unit in the last of them is at most 5e-5 of the value.
PRINTED = 5.05e-5
PAGE = """# Dosing conventions beside NONMEM

Written by `NMTESTS=/path/to/nmtests python -m validation nonmem`. One compartment with first-order absorption; the
dosing scenarios, and NONMEM's output for them, are those of github.com/mrgsolve/nmtests. That repository is not part of
this project, so the comparison runs only where a checkout of it is named.

Scenarios 1-29 of its `dosing` folder: boluses and infusions, single and additional, with lag, bioavailability, modelled
duration, at steady state with intervals longer than, as long as and shorter than the infusion, constant infusion, one
steady state on top of another, resets with and without a dose. Its `time-varying` folder: clearance by a weight that
changes at every record.

| scenario | levels | largest relative difference |
|---|---|---|
{rows}

**What agrees.** All of it: no level differs by more than the rounding of NONMEM's five printed digits (5e-5). Levels
below a thousandth of their scenario's highest are held to 5e-8 of that highest.

**What is not covered.** More than one compartment, zero-order and transit absorption, lag and bioavailability that
change within a run of additional doses, and a modelled rate that changes while it runs (NONMEM follows the change, the
engine keeps the rate of the dose record: `docs/science/pk.md`).
"""


def _number(row: dict[str, str], name: str) -> float:
    text = row.get(name, ".")
    return 0.0 if text == "." else float(text)


def _predicted(rows: list[dict[str, str]], *, by_weight: bool) -> np.ndarray:
    """One patient's levels; every record is a parameter set of its own."""
    n = len(rows)
    parameters = np.tile(NEUTRAL, (n, 1))
    for i, row in enumerate(rows):
        cl = CL_L_H * (_number(row, "WT") / 70.0) ** 0.75 if by_weight else CL_L_H
        values = {"cl_l_h": cl, "v1_l": V_L, "ka_1_h": KA_1_H}
        if not by_weight:
            columns = {"f2": "BIOAV", "lag2_h": "LAGT", "duration2_h": "DUR2", "rate2_mg_h": "RAT2"}
            values |= {name: _number(row, column) for name, column in columns.items()}
        for name, value in values.items():
            parameters[i, PARAMETERS.index(name)] = value
    columns = {"time_h": "time", "evid": "evid", "amount_mg": "amt", "rate_mg_h": "rate", "compartment": "cmt"}
    columns |= {"ss": "ss", "ii_h": "ii", "addl": "addl"}
    events = events_from_columns(
        **{name: [_number(row, column) for row in rows] for name, column in columns.items()}, before=np.arange(n)
    )
    return concentrations(ORAL, events, parameters[None]).values


def compare(data: Path, table: Path, *, by_weight: bool) -> dict[int, tuple[int, float]]:
    """Per scenario: number of levels and the largest relative difference."""
    with data.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    printed = [float(line.split()[-1]) for line in table.read_text(encoding="utf-8").splitlines()[2:]]
    out = {}
    for scenario in sorted({int(row["ID"]) for row in rows}):
        mine = [(row, cp) for row, cp in zip(rows, printed, strict=True) if int(row["ID"]) == scenario]
        expected = np.array([cp for row, cp in mine if row["evid"] == "0"])
        got = _predicted([row for row, _ in mine], by_weight=by_weight)
        floor = np.maximum(np.abs(expected), 1e-3 * expected.max())
        out[scenario] = len(expected), float(np.max(np.abs(got - expected) / floor))
    return out


def main() -> None:
    """Compare and write README.md where a checkout is named; say so where none is."""
    if not (named := os.environ.get("NMTESTS")):
        print("not compared: set NMTESTS to a checkout of github.com/mrgsolve/nmtests")
        return
    folder = Path(named)
    fixed = compare(folder / "dosing/data/1001.csv", folder / "dosing/1001/TAB", by_weight=False)
    varying = compare(folder / "time-varying/data/2001.csv", folder / "time-varying/2001/TAB", by_weight=True)
    lines = [f"| dosing {i} | {n} | {worst:.1e} |" for i, (n, worst) in fixed.items()]
    lines += [f"| time-varying | {n} | {worst:.1e} |" for n, worst in varying.values()]
    (HERE / "README.md").write_text(PAGE.format(rows="\n".join(lines)), encoding="utf-8")
    worst = max(worst for _, worst in [*fixed.values(), *varying.values()])
    print(f"{len(lines)} scenarios, largest relative difference {worst:.1e}")
    assert worst <= PRINTED, "a convention has changed"
