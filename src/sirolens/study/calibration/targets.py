# SPDX-License-Identifier: Apache-2.0
"""What the mechanism is fitted to and checked against: two lists, read from files, frozen before any fit.

Counts come from published abstracts, or from a cohort of real charts; a cohort with invented patients is refused, and
so is a number from memory. What each list is for stands in ``docs/science/calibration.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import numpy as np

from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.response.classify import classify
from sirolens.response.cohort import Cohort
from sirolens.response.criteria import load
from sirolens.response.states import STATES, State
from sirolens.response.visits import visits_of
from sirolens.source import Mark, Source
from sirolens.study.illustration import refuse_invented

__all__ = [
    "Check",
    "Checks",
    "Definition",
    "Direction",
    "FittedCohort",
    "FittedTarget",
    "Targets",
    "calibration_targets",
    "counts_of",
    "validation_targets",
]

CLASSES = ("complete", "partial", "overall")
RULES = ("interval", "range", "direction")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One way in which a paper may have counted a response.

    Parameters
    ----------
    name, meaning : str
        Its name, and in words.
    criteria : str
        A criteria set of the response room.
    confirmed : bool
        Whether a second count is asked for; else the count at the landmark decides.
    """

    name: str
    criteria: str
    confirmed: bool
    meaning: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCohort:
    """A cohort: who was treated how, and by which definitions its partial responses may have been counted."""

    name: str
    study: str
    protocol: str
    patients: int
    definitions: tuple[str, ...]
    source: Source


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTarget:
    """Counts of one cohort on one day.

    Parameters
    ----------
    name, cohort : str
        Whose.
    day : int
        Landmark; the last day with `best`.
    outcomes : mapping of str to int
        Exclusive classes with their counts: ``complete`` and ``partial``, or ``overall``, or ``complete`` alone.
    patients : int
        Denominator.
    weight : float
        Power in the likelihood.
    mark : Mark
        Of the counts.
    how : str
        Which arithmetic or assumption stands behind them.
    best : bool
        A response at any time up to the day.
    among_responders : bool
        Of those who had responded before.
    """

    name: str
    cohort: str
    day: int
    outcomes: Mapping[str, int]
    patients: int
    weight: float
    mark: Mark
    how: str = ""
    best: bool = False
    among_responders: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """Which way a rate went; shown as agreement, already counted in the likelihood."""

    name: str
    cohort: str
    outcome: str
    days: tuple[int, ...]
    rates: tuple[float, ...]
    direction: str
    mark: Mark
    how: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The list that is fitted.

    Parameters
    ----------
    definitions, cohorts : mapping
        By name.
    targets : tuple of FittedTarget
        In the order of the file.
    directions : tuple of Direction
        Likewise.
    digest : str
        SHA-256 of the file.
    """

    definitions: Mapping[str, Definition]
    cohorts: Mapping[str, FittedCohort]
    targets: tuple[FittedTarget, ...]
    directions: tuple[Direction, ...]
    digest: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A target that is not fitted.

    Parameters
    ----------
    name, kind, rule : str
        What it is, what of, and when it counts as a hit.
    told : mapping
        Everything else in the file: ``protocol``, ``day``, ``observed``, ``patients``, ``low``, ``high`` ...
    independent : bool
        False where the number also went into the model's assumptions.
    mark : Mark
        Of the number.
    source : Source
        Where it is from.
    why : str
        What must be known about it.
    """

    name: str
    kind: str
    rule: str
    told: Mapping[str, Any]
    independent: bool
    mark: Mark
    source: Source
    why: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The list that is only checked."""

    checks: tuple[Check, ...]
    digest: str


def _text(name: str, path: Path | None) -> tuple[str, str]:
    if path is None:
        return files("sirolens.study").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml"
    return path.read_text(encoding="utf-8"), path.name


def _table(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise InputError(error("calibration.unreadable", place=Place(file=file), reason=str(fault))) from None


def _mark(told: Mapping[str, Any], place: Place) -> Mark:
    """The mark of a published number; none from memory, none invented, none without a mark."""
    known = [mark.value for mark in Mark if mark is not Mark.MEMORY]
    mark = told.get("mark")
    if told.get("invented") or mark not in known:
        raise InputError(error("calibration.not-evidence", place=place, mark=str(mark), known=", ".join(known)))
    return Mark(mark)


def _source(told: Mapping[str, Any], place: Place) -> Source:
    source = told.get("source")
    if not isinstance(source, dict) or not source.get("title"):
        raise InputError(error("calibration.source-missing", place=place))
    return Source(**{**source, "mark": _mark(source, place)})


def _target(told: Mapping[str, Any], cohorts: Mapping[str, FittedCohort], file: str) -> FittedTarget:
    name = str(told.get("name", ""))
    place = Place(file=file, field=f"target {name}")
    counts = told.get("outcomes", {})
    patients = told.get("patients", 0)
    whole = all(isinstance(k, int) and not isinstance(k, bool) and k >= 0 for k in (*counts.values(), patients))
    mixed = "overall" in counts and len(counts) > 1
    if not counts or not whole or mixed or set(counts) - set(CLASSES) or sum(counts.values()) > patients:
        raise InputError(error("calibration.counts-impossible", place=place, name=name))
    if told.get("cohort") not in cohorts:
        known = ", ".join(cohorts)
        raise InputError(error("calibration.cohort-unknown", place=place, name=str(told.get("cohort")), known=known))
    weight = told.get("weight", 1.0)
    if not 0.0 < weight <= 1.0:
        raise InputError(error("calibration.weight-impossible", place=place, weight=weight))
    return FittedTarget(
        name=name,
        cohort=told["cohort"],
        day=told["day"],
        outcomes=MappingProxyType(dict(counts)),
        patients=patients,
        weight=weight,
        mark=_mark(told, place),
        how=told.get("how", ""),
        best=told.get("best", False),
        among_responders=told.get("among_responders", False),
    )


def calibration_targets(path: Path | None = None) -> Targets:
    """Read what is fitted.

    Parameters
    ----------
    path : Path, optional
        A file of the same form as the shipped list; the shipped one when left out.

    Raises
    ------
    InputError
        ``calibration.unreadable``, ``calibration.not-evidence``, ``calibration.source-missing``,
        ``calibration.counts-impossible``, ``calibration.cohort-unknown``, ``calibration.definition-unknown``,
        ``calibration.weight-impossible``.

    Examples
    --------
    >>> targets = calibration_targets()
    >>> [one.name for one in targets.targets][:2], dict(targets.targets[2].outcomes)
    (['paper-a-3-months', 'paper-a-6-months'], {'complete': 34, 'partial': 39})
    """
    text, file = _text("calibration", path)
    told = _table(text, file)
    definitions = {name: Definition(name=name, **one) for name, one in told.get("definition", {}).items()}
    cohorts: dict[str, FittedCohort] = {}
    for name, one in told.get("cohort", {}).items():
        place = Place(file=file, field=f"cohort {name}")
        for wanted in one["definitions"]:
            if wanted not in definitions:
                known = ", ".join(definitions)
                raise InputError(error("calibration.definition-unknown", place=place, name=wanted, known=known))
        cohorts[name] = FittedCohort(
            name=name,
            study=one["study"],
            protocol=one["protocol"],
            patients=one["patients"],
            definitions=tuple(one["definitions"]),
            source=_source(one, place),
        )
    return Targets(
        definitions=MappingProxyType(definitions),
        cohorts=MappingProxyType(cohorts),
        targets=tuple(_target(one, cohorts, file) for one in told.get("target", [])),
        directions=tuple(_direction(one, file) for one in told.get("direction", [])),
        digest=sha256(text.encode()).hexdigest(),
    )


def _direction(told: Mapping[str, Any], file: str) -> Direction:
    mark = _mark(told, Place(file=file, field=f"direction {told.get('name')}"))
    days, rates = tuple(told["days"]), tuple(told["rates"])
    return Direction(
        name=told["name"], cohort=told["cohort"], outcome=told["outcome"], days=days, rates=rates,
        direction=told["direction"], mark=mark, how=told["how"],
    )  # fmt: skip


def validation_targets(path: Path | None = None) -> Checks:
    """Read what is checked and never fitted; arguments and errors as in `calibration_targets`.

    Examples
    --------
    >>> checks = validation_targets().checks
    >>> len(checks), checks[0].name, checks[0].told["observed"]
    (28, 'xie-median-1-month', 90.0)
    """
    text, file = _text("validation_targets", path)
    checks = []
    for one in _table(text, file).get("target", []):
        place = Place(file=file, field=f"target {one.get('name')}")
        if one.get("rule") not in RULES:
            known = ", ".join(RULES)
            raise InputError(error("calibration.rule-unknown", place=place, name=str(one.get("rule")), known=known))
        mark, source = _mark(one, place), _source(one, place)
        rest = {
            key: value
            for key, value in one.items()
            if key not in ("name", "kind", "rule", "mark", "source", "why", "independent")
        }
        checks.append(
            Check(
                name=one["name"],
                kind=one["kind"],
                rule=one["rule"],
                told=MappingProxyType(rest),
                independent=one.get("independent", True),
                mark=mark,
                source=source,
                why=one["why"],
            )
        )
    return Checks(checks=tuple(checks), digest=sha256(text.encode()).hexdigest())


def counts_of(cohort: Cohort, definition: Definition, day: int) -> dict[str, int]:
    """Count the responses of a cohort of real charts, to be written into a list of targets.

    Parameters
    ----------
    cohort : Cohort
        Real patients; refused when any is invented.
    definition : Definition
        What a response is.
    day : int
        The landmark.

    Returns
    -------
    dict of str to int
        ``complete``, ``partial`` and ``patients`` (everybody whose landmark is due).

    Raises
    ------
    InputError
        ``checker.invented-refused``.
    """
    refuse_invented(cohort)
    criteria = replace(load(definition.criteria), landmarks_d=(day,))
    found = classify(visits_of(cohort.charts, cohort.data_cut, criteria)[0], criteria)
    states = (found.landmark_state if definition.confirmed else found.landmark_single)[:, 0]
    due = ~np.isin(states, [STATES.index(State.NOT_DUE)])
    return {
        "complete": int((states == STATES.index(State.COMPLETE)).sum()),
        "partial": int((states == STATES.index(State.RESPONSE)).sum()),
        "patients": int(due.sum()),
    }
