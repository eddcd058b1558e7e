# SPDX-License-Identifier: Apache-2.0
"""Simulates the patients that a calibration compares: one protocol, one population, measured as a clinic measures.

The protocols are recipes of virtual trials (``study/data/recipes`` and ``study/data/protocols``); patients, doses by
level, visits, noise and verdicts go through the same code as virtual trials. Nobody leaves here: published rates are
told of those still in the study.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.exposure import DoseHistory, Kinetics
from sirolens.mechanism.network import Mechanism, load
from sirolens.mechanism.virtual import Population, draw
from sirolens.message import error
from sirolens.response.classify import classify
from sirolens.response.criteria import load as load_criteria
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import STATES, State
from sirolens.study.calibration.calibrate import Batch, columns_of
from sirolens.study.calibration.prior import Prior, natural, proposal, statistics_of, with_centres
from sirolens.study.calibration.targets import Definition, Targets
from sirolens.study.trial.arms import ArmChunk, follow, visits_of_counts
from sirolens.study.trial.mechanism import described, plan_of, simulated_course
from sirolens.study.trial.recipe import recipes
from sirolens.study.trial.recipe_design import Partner, Recipe
from sirolens.study.trial.recipe_file import read_recipe
from sirolens.study.trial.virtual_patients import Course, Described, People, enrol

__all__ = ["Cohort", "batch_of", "protocol", "protocol_names", "simulated"]

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Draw: TypeAlias = Callable[..., Population]

OTHERS: Mapping[str, Mapping[str, float]] = MappingProxyType({"li-2013": {"GC_0": 0.25, "GC_bg": 0.25}})
"""What a protocol sets in the mechanism: low-dose prednisone (a quarter of the level of 1 mg/kg), taken when the count
before sirolimus was, and kept on (assumed: whether it was new is not printed)."""
COUNT_FACTOR: Mapping[str, float] = MappingProxyType({"xie-2022": 59.0 / 14.0})
"""By how much a protocol's patients begin above the register's median count."""
CHUNK = 4096


@cache
def protocol(name: str) -> Recipe:
    """Return a cohort's protocol, with nobody leaving.

    Parameters
    ----------
    name : str
        A protocol of the calibration or a shipped recipe.

    Raises
    ------
    UnknownNameError
        ``calibration.protocol-unknown``.

    Examples
    --------
    >>> protocol("feng-2020").arms[0].tdm.low_ng_ml, protocol("paper-a").visits.dropped_per_year
    (4.0, 0.0)
    """
    if name not in protocol_names():
        known = ", ".join(protocol_names())
        raise UnknownNameError(error("calibration.protocol-unknown", name=name, known=known))
    own = files("sirolens.study").joinpath("data", "protocols", f"{name}.toml")
    if not own.is_file():
        recipe = recipes()[name]
    else:
        reading = read_recipe(own.read_text(encoding="utf-8"), f"{name}.toml")
        if reading.recipe is None:
            raise InputError(*reading.messages)
        recipe = reading.recipe
    return replace(recipe, visits=replace(recipe.visits, dropped_per_year=0.0))


def protocol_names() -> tuple[str, ...]:
    """Return the protocols that can be simulated.

    >>> "li-2013" in protocol_names()
    True
    """
    folder = files("sirolens.study").joinpath("data", "protocols")
    own = {item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")}
    return tuple(sorted(own | set(recipes())))


@final
class _Disease:
    """The mechanism with one population for each group, as trials ask for it."""

    def __init__(self, mechanism: Mechanism, populations: Mapping[str, Population]) -> None:
        self._mechanism, self._populations = mechanism, populations
        self._plan = plan_of(mechanism)

    def versions(self) -> dict[str, str]:
        return {"variants": ", ".join(self._mechanism.variants)}

    def described(self, group: str, n: int) -> Described:
        return described(self._populations[group].part(slice(0, n)))

    def healthy_treg_percent(self, numbers: Numbers) -> Array:
        """Not asked for here."""
        return np.full(numbers.size, np.nan)

    def course(
        self,
        group: str,
        people: People,
        kinetics: Kinetics,
        doses: DoseHistory,
        partners: Sequence[Partner],
        days: Numbers,
    ) -> Course:
        patients = self._populations[group].part(people.row)
        return simulated_course(patients, kinetics, doses, partners, days, plan=self._plan)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """Simulated patients of one protocol.

    Parameters
    ----------
    name : str
        The protocol.
    recipe : Recipe
        What it says.
    chunk : ArmChunk
        What was measured.
    people : People
        Who they are.
    parameters : mapping of str to ndarray (N,)
        Of the mechanism.
    prior_lines : ndarray (N,)
        Earlier treatments (they only describe).
    origin : int array (N,)
        Each patient's own number in the population of the group.
    """

    name: str
    recipe: Recipe
    chunk: ArmChunk
    people: People
    parameters: Mapping[str, Array]
    prior_lines: Array
    origin: Numbers

    @property
    def failed(self) -> int:
        """Patients whose equations could not be integrated."""
        return int(self.chunk.failed.sum())

    def landmarks(self, definition: Definition, days: Sequence[int]) -> tuple[Flags, Flags, Numbers]:
        """Judge by a definition: complete and overall response on days (N, L), first day of one (N,); -1: none."""
        criteria = replace(load_criteria(definition.criteria), landmarks_d=tuple(days))
        known = self.recipe.days + criteria.landmark_window_d + criteria.confirming_grace_d
        found = classify(
            visits_of_counts(self.chunk.baseline_10e9_l, self.chunk.visit_day, self.chunk.count_10e9_l, known), criteria
        )
        states = found.landmark_state if definition.confirmed else found.landmark_single
        complete = states == STATES.index(State.COMPLETE)
        overall = complete | (states == STATES.index(State.RESPONSE))
        return complete, overall, found.achieved_day.astype(np.int64)


def simulated(
    name: str,
    n: int,
    *,
    mechanism: Mechanism,
    seed: int,
    recipe: Recipe | None = None,
    parameters: Mapping[str, float] | None = None,
    drawn: Draw = draw,
) -> Cohort:
    """Simulate patients under a protocol.

    Parameters
    ----------
    name : str
        Of `protocol_names`.
    n : int
        How many enter.
    mechanism : Mechanism
        With the population's centres and spreads (`sirolens.study.calibration.prior.with_centres`).
    seed : int
        Of the patients.
    recipe : Recipe, optional
        In place of the protocol's own.
    parameters : mapping of str to float, optional
        Further values for everybody.
    drawn : callable
        How patients are drawn from the mechanism, as `sirolens.mechanism.virtual.draw` does.
    """
    wanted = replace(recipe or protocol(name), seed=seed)
    fixed = {**OTHERS.get(name, {}), **(parameters or {})}
    factor = COUNT_FACTOR.get(name, 1.0)
    some = 2 * n + 2048
    populations = {
        group.name: _population(drawn(mechanism, some, seed=seed, who=group.name), mechanism, fixed, factor)
        for group in wanted.groups
    }
    disease = _Disease(mechanism, populations)
    people, _ = enrol(wanted, disease, n)
    criteria = _criteria(wanted)
    parts = [
        follow(wanted, wanted.arms[0], people.at(np.arange(low, min(low + CHUNK, n))), disease, criteria)
        for low in range(0, n, CHUNK)
    ]
    chunk = ArmChunk(
        **{key: np.concatenate([getattr(one, key) for one in parts]) for key in ArmChunk.__dataclass_fields__}
    )
    tables = {group: dict(zip(one.names, one.parameters, strict=True)) for group, one in populations.items()}
    about = {g: {"lines": p.covariates["prior_lines"], "index": p.index.astype(float)} for g, p in populations.items()}
    described = _of_people(people, about)
    return Cohort(
        name=name,
        recipe=wanted,
        chunk=chunk,
        people=people,
        parameters=_of_people(people, tables),
        prior_lines=described["lines"],
        origin=described["index"].astype(np.int64),
    )


def _population(drawn: Population, mechanism: Mechanism, fixed: Mapping[str, float], factor: float) -> Population:
    n = len(drawn)
    for name, value in fixed.items():
        drawn = drawn.with_parameter(name, np.full(n, value))
    if factor != 1.0:
        drawn = drawn.with_parameter("P0", factor * drawn.parameter("P0"))
        # Who produces too little for that count without any immune clearance cannot have it.
        drawn = drawn.part(_clears(mechanism, drawn))
    return drawn


def _clears(mechanism: Mechanism, population: Population) -> Flags:
    from sirolens.engine.expression import evaluate

    known: dict[str, Array] = dict(zip(population.names, population.parameters, strict=True))
    for name, formula in mechanism.network.constants.items():
        known[name] = evaluate(formula, known)
    return np.asarray(known["k_imm0"] > 0.0)


def _of_people(people: People, told: Mapping[str, Mapping[str, Array]]) -> dict[str, Array]:
    """Rows of each group's table for the people who entered, by column."""
    out: dict[str, Array] = {}
    for group, table in told.items():
        own = people.child == (group == "children")
        for name, column in table.items():
            out.setdefault(name, np.empty(people.row.size))[own] = column[people.row[own]]
    return out


def _criteria(recipe: Recipe) -> CriteriaSet:
    return replace(load_criteria(recipe.response.criteria), landmarks_d=recipe.response.landmarks_d)


def batch_of(structure: str, cohort: str, n: int, *, targets: Targets, prior: Prior, seed: int) -> Batch:
    """Simulate one cohort's protocol over the proposal, and judge everybody by every definition.

    Parameters
    ----------
    structure : str
        Variant of the mechanism.
    cohort : str
        Of the targets.
    n : int
        Patients.
    targets, prior, seed
        What is fitted, what may move, and the seed.
    """
    mechanism = with_centres(load(structure), prior, proposal(prior))
    found = simulated(targets.cohorts[cohort].protocol, n, mechanism=mechanism, seed=seed)
    columns = columns_of(targets, cohort)
    return Batch(
        structure=structure,
        cohort=cohort,
        statistics=statistics_of(prior, found.parameters),
        proposal=natural(prior, proposal(prior)[None])[0],
        columns=columns,
        outcomes=outcomes_of(found, targets, columns),
        failed=found.failed,
    )


def outcomes_of(found: Cohort, targets: Targets, columns: Sequence[str]) -> Array:
    """Tell 0 or 1 for every patient and every named outcome, (N, M); names as in `calibrate.columns_of`."""
    days = sorted({int(name.split("@")[1]) for name in columns})
    usual = next(iter(targets.definitions.values()))
    complete, _, _ = found.landmarks(usual, days)
    names = {name.split(":")[1].split("@")[0] for name in columns if ":" in name}
    judged = {name: found.landmarks(targets.definitions[name], days) for name in sorted(names)}
    back = max((int(name.split("@")[1]) for name in columns if name.startswith("best:")), default=0)
    out = np.empty((found.people.number.size, len(columns)))
    for m, name in enumerate(columns):
        what, day = name.split("@")
        at = days.index(int(day))
        if what == "complete":
            out[:, m] = complete[:, at]
            continue
        kind, definition = what.split(":")
        _, overall, first = judged[definition]
        ever = (first >= 0) & (first <= back)
        # A complete response is a response by every definition, also where that definition asks for more visits.
        now = overall[:, at] | complete[:, at]
        out[:, m] = now if kind == "overall" else ever if kind == "best" else ever & now
    return out
