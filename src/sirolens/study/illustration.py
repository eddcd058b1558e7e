# SPDX-License-Identifier: Apache-2.0
"""Builds the invented cohort that illustrates paper A: 20 charts made so that the printed counts come out.

The patients do not exist. The cohort shows that charts, criteria, classification and report do their arithmetic; it is
no evidence of anything, and `refuse_invented` keeps it out of reviews and calibration.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any, TypeAlias, TypeVar, final

from sirolens.chart import (
    AdverseEvent,
    Bleeding,
    BleedingAsked,
    CellCount,
    Chart,
    Course,
    Lab,
    Level,
    Patient,
    PlateletCount,
    Prescription,
    Sex,
    Therapy,
)
from sirolens.engine.sampling import normal, stream, uniform
from sirolens.errors import InputError, UnknownNameError
from sirolens.message import error
from sirolens.regimen import daily
from sirolens.response.cohort import Cohort
from sirolens.response.control import ControlSample
from sirolens.source import Mark, Source

__all__ = ["PaperFigures", "build", "load_paper", "refuse_invented"]

T = TypeVar("T")
When: TypeAlias = Callable[..., datetime]  # day from the start of sirolimus, and hour -> instant
DOSE_HOUR = time(8)
COMPLETE_FROM, COMPLETE_TO = 105, 260  # platelets, 10^9/L
PARTIAL_FLOOR, PARTIAL_TOP = 32, 95
RESPONSE_FROM_DAY = 56
NONE_TOP = 28
BASELINE_FROM, BASELINE_TO = 5, 25
LEVEL_FROM, LEVEL_TO = 5.4, 14.6  # ng/mL
TREG_MEAN, TREG_SD, TREG_RISE_FROM, TREG_RISE_TO = 5.6, 1.1, -0.3, 2.1  # percent of CD4+
FIRST_LINE_FROM_D, FIRST_LINE_TO_D = -150, -75  # first-line treatment, in days from the start of sirolimus


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFigures:
    """What a paper prints, and the recipe of the invented cohort.

    Parameters
    ----------
    name : str
        Such as ``"paper-a"``.
    source : Source
        The paper.
    counts, ranges, directions : tuple of mapping
        What it prints.
    recipe : mapping
        How the cohort is made; nothing in it comes from the paper.
    """

    name: str
    source: Source
    counts: tuple[Mapping[str, Any], ...]
    ranges: tuple[Mapping[str, Any], ...]
    directions: tuple[Mapping[str, Any], ...]
    recipe: Mapping[str, Any]


def load_paper(name: str) -> PaperFigures:
    """Read a paper's printed figures and the recipe of its illustration.

    Parameters
    ----------
    name : str
        ``"paper-a"``.

    Raises
    ------
    UnknownNameError
        No illustration has that name.

    Examples
    --------
    >>> load_paper("paper-a").counts[1]["count"]
    12
    """
    if name != "paper-a":
        raise UnknownNameError(
            error("registry.unknown-name", kind="illustrations", name=name, near=(), known=("paper-a",))
        )
    text = files("sirolens.study").joinpath("data", "paper_a.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return PaperFigures(
        name=data["name"],
        source=Source(mark=Mark.SEEN, **data["source"]),
        counts=tuple(data["counts"]),
        ranges=tuple(data["ranges"]),
        directions=tuple(data["directions"]),
        recipe=data["invented"],
    )


def refuse_invented(cohort: Cohort) -> None:
    """Refuse a cohort with patients who do not exist; reviews and calibration ask this of all they are given.

    Raises
    ------
    InputError
        ``checker.invented-refused``, naming the cohort and how many of its patients are invented.
    """
    invented = sum(chart.patient.invented for chart in cohort.charts)
    if cohort.invented or invented:
        raise InputError(
            error(
                "checker.invented-refused",
                name=cohort.name,
                invented=invented or len(cohort.charts),
                patients=len(cohort.charts),
            )
        )


def build(paper: PaperFigures) -> Cohort:
    """Build the invented cohort: the same charts on every machine.

    Parameters
    ----------
    paper : PaperFigures
        From `load_paper`.

    Returns
    -------
    Cohort
        Marked as invented, and so is every patient.

    Examples
    --------
    >>> cohort = build(load_paper("paper-a"))
    >>> len(cohort.charts), cohort.invented, all(chart.patient.invented for chart in cohort.charts)
    (20, True, True)
    """
    recipe = paper.recipe
    patients = recipe["adults"] + recipe["children"]
    order = _shuffled(range(patients), recipe["seed"], "outcomes")
    kinds = ["complete"] * recipe["complete"] + ["partial"] * recipe["partial"]
    kinds += ["none"] * (patients - len(kinds))
    outcome = dict(zip(order, kinds, strict=True))
    return Cohort(
        name=f"{paper.name}-invented",
        title=f"INVENTED patients built to match the printed counts of {paper.source.cite()}: proves arithmetic only",
        charts=tuple(_chart(recipe, index, outcome[index]) for index in range(patients)),
        data_cut=datetime.combine(recipe["data_cut"], time(), UTC),
        controls=_controls(recipe),
        invented=True,
    )


def _shuffled(items: Sequence[T], seed: int, *names: str | int) -> list[T]:
    keys = uniform(stream(seed, "paper-a", *names), (len(items),))
    return [item for _, item in sorted(zip(keys.tolist(), items, strict=True), key=lambda pair: pair[0])]


def _chart(recipe: Mapping[str, Any], index: int, outcome: str) -> Chart:
    start: date = recipe["first_start"] + timedelta(days=index * recipe["start_every_d"])

    def at(day: int, hour: int = 8) -> datetime:
        return datetime.combine(start + timedelta(days=day), time(hour), UTC)

    child = index >= recipe["adults"]
    chances = uniform(stream(recipe["seed"], "paper-a", "patient", index), (4,)).tolist()
    age = 5 + int(10 * chances[0]) if child else 22 + int(45 * chances[0])
    first, later = _doses(recipe, index, child)
    return Chart(
        patient=Patient(
            id=f"INVENTED-{index + 1:02d}",
            sex=Sex.FEMALE if chances[1] < 0.5 else Sex.MALE,
            age_years=float(age),
            age_at=start,
            diagnosis="primary-itp",
            invented=True,
        ),
        zone=recipe["zone"],
        courses=(Course(at=at(0), recorded=at(0)),),
        prescriptions=(
            Prescription(at=at(0), recorded=at(0), regimen=daily(first, at=DOSE_HOUR), form="tablet"),
            Prescription(
                at=at(recipe["maintenance_from_day"]),
                recorded=at(recipe["maintenance_from_day"]),
                regimen=daily(later, at=DOSE_HOUR),
                form="tablet",
            ),
        ),
        levels=_levels(recipe, index, at),
        platelet_counts=_counts(recipe, index, outcome, at),
        cell_counts=_tregs(recipe, index, at),
        labs=(Lab(at=at(-2), recorded=at(-2), name="weight", value=_weight(age, chances[2]), unit="kg"),),
        adverse_events=_events(index, at),
        therapies=(
            Therapy(
                at=at(FIRST_LINE_FROM_D),
                recorded=at(FIRST_LINE_FROM_D),
                drug="prednisone",
                role="itp",
                stop=at(FIRST_LINE_TO_D),
                stop_recorded=at(FIRST_LINE_TO_D),
            ),
        ),
        bleedings=_bleedings(recipe, outcome, at),
    )


def _doses(recipe: Mapping[str, Any], index: int, child: bool) -> tuple[float, float]:
    who = "child" if child else "adult"
    first, later = recipe[f"{who}_start_mg"], recipe[f"{who}_maintenance_mg"]
    return float(first[index % len(first)]), float(later[index % len(later)])


def _weight(age: int, chance: float) -> float:
    return round(8 + 3 * age + 4 * chance, 1) if age < 18 else round(48 + 40 * chance, 1)


def _levels(recipe: Mapping[str, Any], index: int, at: When) -> tuple[Level, ...]:
    days = recipe["level_days"]
    chances = uniform(stream(recipe["seed"], "paper-a", "levels", index), (len(days),)).tolist()
    return tuple(
        Level(
            at=at(day),
            recorded=at(day, 12),
            level_ng_ml=round(LEVEL_FROM + (LEVEL_TO - LEVEL_FROM) * chance, 1),
            last_dose_at=at(day - 1),
            assay="unknown",
        )
        for day, chance in zip(days, chances, strict=True)
    )


def _counts(recipe: Mapping[str, Any], index: int, outcome: str, at: When) -> tuple[PlateletCount, ...]:
    days = recipe["visit_days"]
    chances = uniform(stream(recipe["seed"], "paper-a", "platelets", index), (len(days) + 1,)).tolist()
    baseline = round(BASELINE_FROM + (BASELINE_TO - BASELINE_FROM) * chances[0])
    values = [_count(outcome, baseline, day, chance) for day, chance in zip(days, chances[1:], strict=True)]
    told = zip((-2, *days), (baseline, *values), strict=True)
    return tuple(PlateletCount(at=at(day), recorded=at(day, 12), count_10e9_l=float(value)) for day, value in told)


def _count(outcome: str, baseline: int, day: int, chance: float) -> int:
    """A platelet count: risen from the second month on in those meant to respond, never doubled in the others."""
    if outcome == "none" or day < RESPONSE_FROM_DAY:
        return min(NONE_TOP, round(baseline * (1 + 0.6 * chance)))
    if outcome == "complete":
        return round(COMPLETE_FROM + (COMPLETE_TO - COMPLETE_FROM) * chance)
    floor = max(PARTIAL_FLOOR, 2 * baseline + 2)
    return round(floor + (PARTIAL_TOP - floor) * chance)


def _tregs(recipe: Mapping[str, Any], index: int, at: When) -> tuple[CellCount, ...]:
    days = recipe["treg_days"]
    named = stream(recipe["seed"], "paper-a", "treg", index)
    before = TREG_MEAN + TREG_SD * float(normal(named, (1,))[0])
    rises = (TREG_RISE_FROM + (TREG_RISE_TO - TREG_RISE_FROM) * uniform(named, (len(days) - 1,))).tolist()
    values = [before, *(before + rise for rise in rises)]
    return tuple(
        CellCount(
            at=at(day), recorded=at(day, 12), cell="treg", value=round(value, 2), unit="%", gate=recipe["treg_gate"]
        )
        for day, value in zip(days, values, strict=True)
    )


def _controls(recipe: Mapping[str, Any]) -> tuple[ControlSample, ...]:
    values = TREG_MEAN + TREG_SD * normal(stream(recipe["seed"], "paper-a", "controls"), (recipe["controls"],))
    return tuple(
        ControlSample(
            id=f"INVENTED-C{i + 1:02d}", cell="treg", value=round(float(value), 2), unit="%", gate=recipe["treg_gate"]
        )
        for i, value in enumerate(values)
    )


def _events(index: int, at: When) -> tuple[AdverseEvent, ...]:
    """Two mild events in the whole cohort, so that its table of events is not empty."""
    if index not in (3, 11):
        return ()
    term = "mouth ulcer" if index == 3 else "hypercholesterolaemia"
    return (
        AdverseEvent(
            at=at(40),
            recorded=at(40, 12),
            term=term,
            grade=1,
            ctcae_version="5",
            serious=False,
            related=True,
            action="none",
        ),
    )


def _bleedings(recipe: Mapping[str, Any], outcome: str, at: When) -> tuple[Bleeding, ...]:
    """Asked at every visit: none in those meant to respond, grade 1 on the WHO scale before and in the others."""
    told = []
    for day in (-2, *recipe["visit_days"]):
        bleeds = day < 0 or (outcome == "none" and day % 2 == 0)
        told.append(
            Bleeding(
                at=at(day),
                recorded=at(day, 12),
                asked=BleedingAsked.GRADED if bleeds else BleedingAsked.NONE,
                grade=1 if bleeds else 0,
                scale="WHO",
            )
        )
    return tuple(told)
