# SPDX-License-Identifier: Apache-2.0
"""The mechanism model for many virtual patients: accuracy against processor time, here and in two other engines.

Processor seconds, measured in turn. The error is that of the platelet count relative to itself, the largest of 181 days
for a patient, the 95th percentile over patients. The reference is one system of equations with pharmacokinetics and
doses, solved at 1e-10; libRoadRunner solves that system (one process), diffrax the same inputs on the same grid as the
lanes do (see benchmarks/peers/diffrax_lanes.py for how to have it; without it only a line says so).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, final

import numpy as np

from benchmarks import Figure
from benchmarks.arithmetic import flops_per_step, peak_flops
from sirolens.engine.expression import to_python
from sirolens.engine.linear import PARAMETERS
from sirolens.engine.network import Network, evaluate_outputs, initial_state
from sirolens.engine.sbml import read_antimony
from sirolens.engine.simd.integrate import Doses, Drive, integrate
from sirolens.engine.simd.lane_system import LaneSystem, compile_lanes
from sirolens.mechanism import simulate
from sirolens.mechanism.exposure import Kinetics, blood_levels, constant_dose, sample_kinetics
from sirolens.mechanism.network import load
from sirolens.mechanism.upstream import HALVINGS, STEP_D, follow, grid
from sirolens.mechanism.virtual import Population, draw
from sirolens.models.catalog import load as load_model

DAYS, PATIENTS, PEERS, DAILY_MG = 180, 512, 8, 2.0
GOAL = 1e-4
ADULTS = {"age": 44.0, "ast": 25.0}
AIM_ROADRUNNER, AIM_DIFFRAX, AIM_SECONDS = 60.0, 10.0, 5.0
MANY, MANY_DAYS, CORES = 10_000, 360, 2
PK = """
  Ag = 0; Ac = 0; Ap = 0; pk_ka = 1; pk_cl = 1; pk_v1 = 1; pk_q = 1; pk_v2 = 1;
  C := 1000*Ac/pk_v1;
  Ag' = -pk_ka*Ag;
  Ac' = pk_ka*Ag - (pk_cl + pk_q)/pk_v1*Ac + pk_q/pk_v2*Ap;
  Ap' = pk_q/pk_v1*Ac - pk_q/pk_v2*Ap;
"""
DAILY = "  next_dose = 0; daily: at (time >= next_dose), t0=false: Ag = Ag + {dose}, next_dose = next_dose + 1;\n"
PK_NAMES = {"pk_ka": "ka_1_h", "pk_cl": "cl_l_h", "pk_v1": "v1_l", "pk_q": "q2_l_h", "pk_v2": "v2_l"}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """One population, whole and cut."""

    population: Population
    kinetics: Kinetics
    whole: LaneSystem
    whole_parameters: np.ndarray
    plan: simulate.Plan
    reference: np.ndarray


def composed(*, events: bool) -> str:
    """The model's own text with pharmacokinetics in place of its port."""
    text = resources.files("sirolens.mechanism").joinpath("itp_sirolimus.ant").read_text(encoding="utf-8")
    text = text.replace("C = 0; C has", "C has")
    head, tail = text.rsplit("end", maxsplit=1)
    return head + PK + (DAILY.format(dose=DAILY_MG) if events else "") + "end" + tail


def whole_parameters(network: Network, population: Population, kinetics: Kinetics) -> np.ndarray:
    own = load().network
    values = dict(zip(own.parameters, population.parameters, strict=True))
    per_day = {"pk_ka": 24.0, "pk_cl": 24.0, "pk_q": 24.0}
    for name, column in PK_NAMES.items():
        values[name] = kinetics.parameters[:, PARAMETERS.index(column)] * per_day.get(name, 1.0)
    count = population.parameters.shape[1]
    return np.array([values.get(name, np.full(count, network.values[name])) for name in network.parameters])


def problem() -> Problem:
    mechanism = load()
    population = draw(mechanism, PATIENTS, seed=1)
    kinetics = sample_kinetics(load_model("golubovic_2019"), ADULTS, seed=1, index=population.index)
    network = read_antimony(composed(events=False), inputs=("flare",))
    whole = compile_lanes(simulate.without(network, "flare"), outputs=["P"])
    parameters = whole_parameters(whole.network, population, kinetics)
    reference = solved_whole(whole, parameters, 1e-10)
    return Problem(
        population=population,
        kinetics=kinetics,
        whole=whole,
        whole_parameters=parameters,
        plan=simulate.Plan.of(mechanism, ("P",)),
        reference=reference,
    )


def solved_whole(system: LaneSystem, parameters: np.ndarray, rtol: float) -> np.ndarray:
    """Everything as one system in lanes, doses as exact stops."""
    count, gut = parameters.shape[1], system.network.states.index("Ag")
    doses = Doses(
        offsets=np.arange(count + 1) * DAYS,
        times=np.tile(np.arange(DAYS, dtype=float), count),
        state=np.full(count * DAYS, gut),
        amount=np.full(count * DAYS, DAILY_MG),
    )
    lanes = integrate(system, parameters, np.arange(DAYS + 1.0), doses=doses, rtol=rtol, atol=rtol * 1e-2, threads=1)
    assert lanes.success.all()
    return lanes.values[0]


def error(found: np.ndarray, reference: np.ndarray) -> float:
    return float(np.quantile(np.abs(found / reference - 1.0).max(axis=0), 0.95))


def least_seconds(work: Callable[[], Any], runs: int = 3) -> tuple[float, Any]:
    work()
    spent = []
    for _ in range(runs):
        began = time.process_time()
        answer = work()
        spent.append(time.process_time() - began)
    return min(spent), answer


def run() -> list[Figure]:
    given = problem()
    return [*pipeline(given), *by_roadrunner(given), *same_inputs(given), *many(given)]


_OURS: dict[str, float] = {}


def pipeline(given: Problem) -> list[Figure]:
    """Pharmacokinetics, upstream inhibition and lanes, as virtual trials run them."""
    figures, doses = [], constant_dose(DAILY_MG, DAYS)
    for rtol in (1e-3, 1e-4, 1e-5, 1e-6):

        def work(rtol: float = rtol) -> Any:
            settings: simulate.Settings = {"plan": given.plan, "threads": 1, "rtol": rtol, "atol": rtol * 1e-2}
            mechanism = given.plan.mechanism
            return simulate.run(
                mechanism, given.population, given.kinetics, doses, np.arange(DAYS + 1.0), **settings
            ).values[0]

        seconds, found = least_seconds(work)
        rate, worst = PATIENTS / seconds, error(found.reshape(DAYS + 1, PATIENTS), given.reference)
        if worst <= GOAL:
            _OURS["pipeline"] = max(rate, _OURS.get("pipeline", 0.0))
        figures += row(f"sirolens, all of it, rtol {rtol:g}", rate, worst)
    return figures


def row(name: str, rate: float, worst: float) -> list[Figure]:
    return [
        Figure(name=name, value=rate, unit="patients/s"),
        Figure(name="    95th percentile of the error", value=worst, unit=""),
    ]


def by_roadrunner(given: Problem) -> list[Figure]:
    """libRoadRunner (CVODE) on the whole system with its doses as events."""
    import antimony
    import roadrunner

    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(composed(events=True)) >= 0, antimony.getLastError()
    runner = roadrunner.RoadRunner(antimony.getSBMLString(antimony.getMainModuleName()))
    network, parameters = given.whole.network, given.whole_parameters[:, :PEERS]
    start = initial_state(network, parameters)
    derived = evaluate_outputs(network, tuple(network.constants), start, parameters)
    names = (*network.parameters, *network.constants, *network.states)
    values = np.concatenate((parameters, derived, start))
    runner.timeCourseSelections = ["time", "P"]
    figures, best = [], 0.0
    for rtol in (1e-5, 1e-6, 1e-7, 1e-8):
        runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = rtol, rtol * 1e-2
        runner.integrator.maximum_num_steps = 100_000

        def work() -> np.ndarray:
            found = []
            for patient in range(PEERS):
                runner.resetAll()
                for name, value in zip(names, values[:, patient], strict=True):
                    runner[network.label(name)] = float(value)
                # The first dose by hand: after a reset an event due at the very start does not fire.
                runner["Ag"], runner["next_dose"] = DAILY_MG, 1.0
                found.append(np.asarray(runner.simulate(0, DAYS, DAYS + 1))[:, 1])
            return np.array(found).T

        seconds, found = least_seconds(work, runs=1)
        rate, worst = PEERS / seconds, error(found, given.reference[:, :PEERS])
        best = max(best, rate) if worst <= GOAL else best
        figures += row(f"libRoadRunner, rtol {rtol:g}", rate, worst)
    if best:
        ratio = _OURS["pipeline"] / best
        figures.append(Figure(name="sirolens over libRoadRunner at 1e-4", value=ratio, unit="x", aim=AIM_ROADRUNNER))
    return figures


def inputs(given: Problem) -> Drive:
    """The inhibitions on their grid, as `simulate` makes them."""
    on = grid(0.0, float(DAYS), np.arange(DAYS, dtype=float), step_d=STEP_D, halvings=HALVINGS)
    levels = blood_levels(given.kinetics, constant_dose(DAILY_MG, DAYS), on.time_d)
    courses = follow(given.plan.cut, given.population.parameters, levels, on)
    order = [courses.names.index(name) for name in given.plan.cut.rest.inputs]
    return Drive(start=0.0, step=STEP_D, values=courses.corrected[order], slopes=courses.slopes[order])


def same_inputs(given: Problem) -> list[Figure]:
    """The lanes alone, and diffrax, on the same inputs."""
    drive, parameters, times = inputs(given), given.population.parameters, np.arange(DAYS + 1.0)
    system = given.plan.system
    reference = integrate(system, parameters, times, drive=drive, rtol=1e-10, atol=1e-12).values[0]
    figures = []
    for rtol in (1e-3, 1e-5, 3e-6, 1e-6):

        def work(rtol: float = rtol) -> Any:
            return integrate(system, parameters, times, drive=drive, rtol=rtol, atol=rtol * 1e-2, threads=1)

        seconds, lanes = least_seconds(work, runs=5)
        rate, worst = PATIENTS / seconds, error(lanes.values[0], reference)
        if worst <= GOAL and rate > _OURS.get("lanes", 0.0):
            _OURS["lanes"] = rate
            flops = flops_per_step(system) * lanes.steps.sum() / seconds
            limit = [
                Figure(name="    floating-point operations in use", value=1e-9 * flops, unit="GFLOP/s"),
                Figure(name="    of this core's measured peak", value=1e-9 * peak_flops(), unit="GFLOP/s"),
            ]
        figures += row(f"lanes alone, rtol {rtol:g}", rate, worst)
        figures.append(Figure(name="    steps a day", value=float(lanes.steps.mean()) / DAYS, unit=""))
    return [*figures, *limit, *by_diffrax(given, drive, reference)]


def by_diffrax(given: Problem, drive: Drive, reference: np.ndarray) -> list[Figure]:
    python = os.environ.get("DIFFRAX_PYTHON")
    if python is None:
        return [Figure(name="diffrax: not measured (DIFFRAX_PYTHON is not set)", value=float("nan"), unit="")]
    network, parameters = given.plan.cut.rest, given.population.parameters
    settings = [("rtol", 1e-6), ("rtol", 1e-7), ("rtol", 3e-8), ("steps", 0.25), ("steps", 0.125)]
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder) / "problem.npz", Path(folder) / "answer.npz"
        np.savez(
            question,
            rates=python_rates(network),
            settings=json.dumps(settings),
            times=np.arange(DAYS + 1.0),
            start=drive.start,
            step=drive.step,
            parameters=parameters.T,
            nodes=drive.values.T,
            slopes=drive.slopes.T,
            initial=initial_state(network, parameters).T,
            platelets=network.states.index("P"),
        )
        script = Path(__file__).parent / "peers" / "diffrax_lanes.py"
        subprocess.run([python, str(script), str(question), str(answer)], check=True)
        found = dict(np.load(answer))
    figures, best = [], 0.0
    for number, (kind, value) in enumerate(settings):
        seconds, compiled = found[f"seconds{number}"]
        rate, worst = PATIENTS / float(seconds), error(found[f"platelets{number}"].T, reference)
        best = max(best, rate) if worst <= GOAL else best
        figures += row(f"diffrax, Tsit5, {kind} {value:g}", rate, worst)
        figures.append(Figure(name="    first run, with compilation", value=float(compiled), unit="s"))
    if best:
        ratio = _OURS["lanes"] / best
        figures.append(Figure(name="lanes over diffrax at 1e-4, same inputs", value=ratio, unit="x", aim=AIM_DIFFRAX))
    return figures


def python_rates(network: Network) -> str:
    """The right-hand side as plain Python, for an engine that traces it."""
    names = {name: f"y[{i}]" for i, name in enumerate(network.states)}
    names |= {name: f"p[{i}]" for i, name in enumerate(network.parameters)}
    names |= {name: f"u[{i}]" for i, name in enumerate(network.inputs)}
    lines = []
    for name, formula in (*network.constants.items(), *network.definitions.items()):
        lines.append(f"    {name}_ = {to_python(formula, names)}\n")
        names[name] = f"{name}_"
    rates = ", ".join(to_python(network.rates[state], names) for state in network.states)
    return "def rates(y, p, u):\n" + "".join(lines) + f"    return stack([{rates}])\n"


def many(given: Problem) -> list[Figure]:
    """The size of a virtual trial."""
    mechanism = given.plan.mechanism
    population = draw(mechanism, MANY, seed=2)
    kinetics = sample_kinetics(given.kinetics.model, ADULTS, seed=2, index=population.index)
    doses = constant_dose(DAILY_MG, MANY_DAYS)
    times = np.arange(MANY_DAYS + 1.0)
    settings: simulate.Settings = {"plan": given.plan, "rtol": 1e-5, "atol": 1e-7}
    began, wall = time.process_time(), time.perf_counter()
    found = simulate.run(mechanism, population, kinetics, doses, times, **settings)
    wall, seconds = time.perf_counter() - wall, time.process_time() - began
    name = f"{MANY} patients x {MANY_DAYS} days, processor time over {CORES} cores"
    return [
        Figure(name=name, value=seconds / CORES, unit="s", aim=AIM_SECONDS),
        Figure(name="    wall time", value=wall, unit="s"),
        Figure(name="    failed", value=float((found.status != 0).sum()), unit="patients"),
    ]
