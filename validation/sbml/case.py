# SPDX-License-Identifier: Apache-2.0
"""One case of the SBML Test Suite: its tags, its files, and how a solution is held against its table."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libsbml
import numpy as np
from numpy.typing import NDArray

from sirolens.engine.network import Network, default_parameters, evaluate_outputs
from sirolens.engine.network_solver import solve_network
from validation.sbml.interpreted import CannotInterpretError, interpreted

__all__ = ["Case", "NotSolvedError", "cases", "disagreement", "solve"]

LEVELS = ("l3v2", "l3v1", "l2v5", "l2v4", "l2v3", "l2v2", "l2v1")
RTOL = 1e-9
"""Relative tolerance of the solver; the suite asks for 1e-4 or so of the result."""
ATOL = 1e-14

Array = NDArray[np.float64]


class NotSolvedError(Exception):
    """The solver gave a lane up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it lies on disk."""

    name: str
    tags: tuple[str, ...]
    kind: str
    files: tuple[Path, ...]  # newest level first
    settings: dict[str, str]
    columns: tuple[str, ...]
    table: Array  # (rows, 1 + columns): time first


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _number(text: str) -> float:
    return float(text.strip().lower().replace("infinity", "inf"))


def cases(folder: Path) -> list[Case]:
    """Read every case below ``cases/semantic`` of a suite that is of level 2 or 3."""
    found = []
    for path in sorted(p for p in (folder / "cases" / "semantic").iterdir() if p.is_dir()):
        model = (path / f"{path.name}-model.m").read_text(encoding="utf-8", errors="replace")
        told = {key: match[1] for key in ("componentTags", "testTags", "testType")
                if (match := re.search(rf"^{key}:(.*)$", model, re.MULTILINE))}  # fmt: skip
        lines = (path / f"{path.name}-settings.txt").read_text(encoding="utf-8").splitlines()
        with (path / f"{path.name}-results.csv").open(newline="") as stream:
            head, *rows = [row for row in csv.reader(stream) if row]
        files = [path / f"{path.name}-sbml-{level}.xml" for level in LEVELS]
        found.append(
            Case(
                name=path.name,
                tags=tuple(sorted({*_listed(told.get("componentTags", "")), *_listed(told.get("testTags", ""))})),
                kind=told.get("testType", "").strip(),
                files=tuple(file for file in files if file.exists()),
                settings={key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)},
                columns=tuple(name.strip() for name in head[1:]),
                table=np.array([[_number(cell) for cell in row] for row in rows]),
            )
        )
    return [case for case in found if case.files]


def solve(network: Network, times: Array, *, compiled: bool) -> Array:
    """Return the states of a network, shape (n_states, K), one patient with the model's own parameters."""
    if not network.states:
        return np.zeros((0, times.size))

    def run() -> Any:
        # Lanes of many patients are compiled for a minute; the solver without them starts at once.
        return solve_network(
            network,
            default_parameters(network),
            times,
            outputs=network.states,
            rtol=RTOL,
            atol=ATOL,
            method="auto" if compiled else "scalar",
        )

    if compiled:
        lanes = run()
    else:
        try:
            with interpreted():
                lanes = run()
        except CannotInterpretError:
            lanes = run()
    if lanes.status[0] != 0:
        raise NotSolvedError(str(int(lanes.status[0])))
    return np.asarray(lanes.values[:, :, 0])


def _column(case: Case, network: Network, model: Any, name: str, states: Array) -> Array:
    """Compute one column as the case wants it: species as amounts or as concentrations."""
    times = case.table[:, 0]
    parameters = default_parameters(network, times.size)

    def value(wanted: str) -> Array:
        return np.asarray(evaluate_outputs(network, (wanted,), states, parameters, time=times)[0])

    species = model.getSpecies(name)
    if species is None:
        return value(name)
    place = model.getCompartment(species.getCompartment())
    is_point = place.isSetSpatialDimensions() and place.getSpatialDimensionsAsDouble() == 0.0
    has_size = not is_point or (model.getLevel() > 2 and place.isSetSize())
    is_concentration = has_size and not species.getHasOnlySubstanceUnits()
    if name in _listed(case.settings["amount"]) and is_concentration:
        return value(name) * value(place.getId())
    if name in _listed(case.settings["concentration"]) and not is_concentration:
        return value(name) / value(place.getId())
    return value(name)


def disagreement(case: Case, network: Network, file: Path, states: Array) -> str:
    """Say where a solution breaks |got - wanted| <= absolute + relative |wanted|; "" where nowhere."""
    model = libsbml.readSBMLFromFile(str(file)).getModel()
    relative, absolute = float(case.settings["relative"]), float(case.settings["absolute"])
    for place, name in enumerate(case.columns, start=1):
        got, wanted = _column(case, network, model, name, states), case.table[:, place]
        fits = np.isclose(got, wanted, rtol=relative, atol=absolute, equal_nan=True)
        if not fits.all():
            row = int(np.flatnonzero(~fits)[0])
            return f"{name} at {case.table[row, 0]:g}: {got[row]!r}, expected {wanted[row]!r}"
    return ""
