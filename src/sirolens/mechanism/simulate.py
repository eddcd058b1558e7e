# SPDX-License-Identifier: Apache-2.0
"""Runs virtual patients: doses to blood, blood to inhibition, inhibition to platelets, in chunks and on all cores.

One chunk of patients at a time goes through three exact or error-controlled stages: concentrations from the linear
engine, the upstream states on a grid (`sirolens.mechanism.upstream`), and the rest of the model in SIMD lanes. A
patient's numbers do not depend on the chunk, the thread or who else is simulated; memory beyond the results does not
grow with the number of patients. A patient whose integration fails stays in the result, not-a-number from there on,
and is counted with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypedDict, Unpack, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.sampling import normal_quantile
from sirolens.engine.simd.integrate import Drive, Lanes, LaneStatus, integrate
from sirolens.engine.simd.lane_system import LaneSystem, compile_lanes
from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_rows
from sirolens.mechanism.exposure import DoseHistory, Kinetics, blood_levels
from sirolens.mechanism.flares import Flares, flare_course, flare_times
from sirolens.mechanism.network import Mechanism
from sirolens.mechanism.partners import Partner, Titration, engine_doses
from sirolens.mechanism.simulation import Final, Simulation, failures, to_dataset
from sirolens.mechanism.upstream import (
    HALVINGS,
    STEP_D,
    Courses,
    Grid,
    Split,
    follow,
    grid,
    interpolate,
    split,
    without,
)
from sirolens.mechanism.virtual import Population
from sirolens.message import error

if TYPE_CHECKING:
    import xarray

__all__ = ["CHUNK", "Plan", "Settings", "chunks", "run", "simulate"]

Array = NDArray[np.float64]

CHUNK = 256
"""Patients that are worked on together; the result does not depend on it."""
RTOL = 1e-5
ATOL = 1e-7
"""Tolerances of the lanes; measured in validation/upstream."""
PORT, FLARE = "C", "flare"
_WEEK_D = 7.0
#: What most runs look at. Lanes are compiled for a list of outputs, so that runs within this one share one compilation.
USUAL = ("P", "H", "R", "IL6", "BAFF", "Ab", "TPO")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Everything a run needs that does not depend on the patient; made once.

    Parameters
    ----------
    mechanism : Mechanism
        The model.
    cut : Split
        Its upstream part and the rest.
    system : LaneSystem
        The rest, compiled.
    outputs : tuple of str
        What is wanted, in order.
    direct : tuple of str
        Of these, what the lanes give.
    flares : Flares or None
        Whether infections are drawn.
    """

    mechanism: Mechanism
    cut: Split
    system: LaneSystem
    outputs: tuple[str, ...]
    direct: tuple[str, ...]
    flares: Flares | None

    @staticmethod
    def of(mechanism: Mechanism, outputs: Sequence[str], flares: Flares | None = None) -> Plan:
        """Cut and compile the model for some outputs.

        Examples
        --------
        >>> from sirolens.mechanism.network import load
        >>> Plan.of(load(), ("P", "C", "u_T")).direct
        ('P',)
        """
        network = mechanism.network if flares is not None else without(mechanism.network, FLARE)
        cut = split(network, PORT)
        direct = tuple(name for name in outputs if name != PORT and name not in cut.states)
        system = compile_lanes(cut.rest, outputs=USUAL if set(direct) <= set(USUAL) else direct)
        return Plan(mechanism=mechanism, cut=cut, system=system, outputs=tuple(outputs), direct=direct, flares=flares)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """One run, before it is cut into chunks."""

    plan: Plan
    population: Population
    kinetics: Kinetics
    doses: DoseHistory
    time_d: Array
    partners: tuple[Partner, ...]
    titration: Titration | None
    after: Final | None
    grid: Grid
    rtol: float
    atol: float

    @property
    def start_d(self) -> float:
        return 0.0 if self.after is None else self.after.at_d


class Settings(TypedDict, total=False):
    """What `run`, `chunks` and `simulate` take besides patients and doses.

    Attributes
    ----------
    outputs : sequence of str
        States, definitions or parameters of the model, ``"C"`` for blood sirolimus, upstream states; ``("P",)``.
    partners : sequence of Partner
        Other treatments.
    titration : Titration
        A TPO-receptor agonist that follows the count.
    flares : Flares
        Infections; none when left out.
    after : Final
        Go on from the end of an earlier run; doses of partners up to that day are history.
    plan : Plan
        From an earlier run with the same model, outputs and flares.
    chunk, threads : int
        Patients worked on together, and most threads; the result does not depend on them.
    step_d, halvings, rtol, atol : float
        The grid of the upstream states, and the tolerances of the rest.
    """

    outputs: Sequence[str]
    partners: Sequence[Partner]
    titration: Titration | None
    flares: Flares | None
    after: Final | None
    plan: Plan | None
    chunk: int
    threads: int | None
    step_d: float
    halvings: int
    rtol: float
    atol: float


def run(
    mechanism: Mechanism,
    population: Population,
    kinetics: Kinetics,
    doses: DoseHistory,
    time_d: ArrayLike,
    *,
    progress: Callable[[int, int], None] | None = None,
    **settings: Unpack[Settings],
) -> Simulation:
    """Simulate virtual patients; the plain-array form of `simulate`.

    Parameters
    ----------
    mechanism : Mechanism
        The model.
    population : Population
        N patients.
    kinetics : Kinetics
        How each handles sirolimus.
    doses : DoseHistory
        What each takes, from the first dose on (also when the run goes on from `after`).
    time_d : array_like (K,)
        When to look, ascending [d].
    progress : callable, optional
        Told how many patients are done, of how many.
    **settings
        See `Settings`.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        ``mechanism.times-not-ascending``, ``mechanism.run-patients``, or what the engine refuses.

    Examples
    --------
    >>> from sirolens.mechanism.exposure import constant_dose, sample_kinetics
    >>> from sirolens.mechanism.network import load
    >>> from sirolens.mechanism.virtual import draw
    >>> from sirolens.models.catalog import load as catalogue
    >>> model, some = load(), draw(load(), 8, seed=1)
    >>> pk = sample_kinetics(catalogue("golubovic_2019"), some.covariates, seed=1, index=some.index)
    >>> untreated = run(model, some, pk, constant_dose(0, 30), [0.0, 30.0])
    >>> bool(abs(untreated.of("P")[1] / untreated.of("P")[0] - 1).max() < 1e-9), untreated.failed
    (True, 0)
    """
    times = np.atleast_1d(np.asarray(time_d, dtype=np.float64))
    made = _plan(mechanism, settings)
    settings["plan"] = made
    values = np.full((len(made.outputs), times.size, len(population)), np.nan)
    states = np.full((len(made.cut.rest.states), len(population)), np.nan)
    upstream = np.full((len(made.cut.states), len(population)), np.nan)
    status = np.zeros(len(population), np.int64)
    standing = np.full((2, len(population)), np.nan) if settings.get("titration") is not None else None
    done = 0
    for low, high, part in chunks(mechanism, population, kinetics, doses, times, **settings):
        values[:, :, low:high], status[low:high] = part.values, part.status
        states[:, low:high], upstream[:, low:high] = part.final.states, part.final.upstream
        if standing is not None and part.final.standing is not None:
            standing[:, low:high] = part.final.standing
        done += high - low
        if progress is not None:
            progress(done, len(population))
    notes = (note for one in settings.get("partners", ()) for note in one.messages)
    return Simulation(
        time_d=times,
        names=made.outputs,
        units=_units(made),
        values=values,
        status=status,
        index=population.index,
        final=Final(at_d=float(times[-1]), states=states, upstream=upstream, standing=standing),
        model=kinetics.model.full_name,
        variants=mechanism.variants,
        messages=(*failures(status), *kinetics.messages, *notes),
    )


def _plan(mechanism: Mechanism, settings: Settings) -> Plan:
    given = settings.get("plan")
    return given if given is not None else Plan.of(mechanism, settings.get("outputs", ("P",)), settings.get("flares"))


def chunks(
    mechanism: Mechanism,
    population: Population,
    kinetics: Kinetics,
    doses: DoseHistory,
    time_d: ArrayLike,
    **settings: Unpack[Settings],
) -> Iterator[tuple[int, int, Simulation]]:
    """Simulate chunk by chunk, in order: for populations whose results must not be held together.

    The arguments are those of `run`, without `progress`.

    Yields
    ------
    low, high : int
        Which patients.
    Simulation
        Theirs.
    """
    times = np.atleast_1d(np.asarray(time_d, dtype=np.float64))
    after, partners = settings.get("after"), tuple(settings.get("partners", ()))
    step_d, halvings = settings.get("step_d", STEP_D), settings.get("halvings", HALVINGS)
    start_d = 0.0 if after is None else after.at_d
    _check(population, kinetics, doses, partners, after, times, start_d)
    steps = max(1, int(np.ceil((times[-1] - start_d) / step_d - 1e-9)))
    due = doses.time_d[doses.amount_mg.any(axis=0)]
    task = _Task(
        plan=_plan(mechanism, settings),
        population=population,
        kinetics=kinetics,
        doses=doses,
        time_d=times,
        partners=partners,
        titration=settings.get("titration"),
        after=after,
        grid=grid(start_d, steps * step_d, due, step_d=step_d, halvings=halvings),
        rtol=settings.get("rtol", RTOL),
        atol=settings.get("atol", ATOL),
    )
    chunk, threads = settings.get("chunk", CHUNK), settings.get("threads")
    lows = range(0, len(population), chunk)
    workers = min((os.cpu_count() or 1) if threads is None else threads, len(lows))
    if workers <= 1:
        for low in lows:
            high = min(low + chunk, len(population))
            yield low, high, _chunk(task, low, high)
        return
    with ThreadPoolExecutor(workers) as pool:
        # Only a few chunks are ever in work or waiting to be taken, so that memory stays flat.
        waiting = [
            (low, pool.submit(_chunk, task, low, min(low + chunk, len(population)))) for low in lows[: 2 * workers]
        ]
        rest = islice(lows, 2 * workers, None)
        while waiting:
            low, future = waiting.pop(0)
            part = future.result()
            following = next(rest, None)
            if following is not None:
                waiting.append(
                    (following, pool.submit(_chunk, task, following, min(following + chunk, len(population))))
                )
            yield low, min(low + chunk, len(population)), part


def _check(
    population: Population,
    kinetics: Kinetics,
    doses: DoseHistory,
    partners: Sequence[Partner],
    after: Final | None,
    times: Array,
    start_d: float,
) -> None:
    n = len(population)
    if not (times.size and np.isfinite(times).all() and (np.diff(times) >= 0.0).all() and times[0] >= start_d):
        raise InputError(error("mechanism.times-not-ascending", start_d=start_d))
    rows = [len(kinetics.parameters), *([after.states.shape[1]] if after is not None else [])]
    shared = [len(doses.amount_mg), *(len(one.amount) for one in partners)]
    if any(row != n for row in rows) or any(row not in (1, n) for row in shared):
        raise InputError(error("mechanism.run-patients", patients=n, found=", ".join(map(str, [*rows, *shared]))))


def _chunk(task: _Task, low: int, high: int) -> Simulation:
    """One chunk of patients through the three stages."""
    plan, on = task.plan, task.grid
    part = task.population.part(slice(low, high))
    kinetics, doses = task.kinetics.of(low, high), task.doses.of(low, high)
    after = None if task.after is None else task.after.of(low, high)
    levels = blood_levels(kinetics, doses, on.time_d)
    begin = None if after is None else after.upstream
    courses = follow(plan.cut, part.parameters, levels, on, start=begin, every_node=_seen(task))
    del levels
    drive = _drive(task, part, courses)
    partners = [one.of(low, high) for one in task.partners]
    standing = None
    if task.titration is None:
        lanes = _integrate(task, part, drive, partners, task.time_d, after)
    else:
        lanes, standing = _titrated(task, part, drive, partners, after)
    return Simulation(
        time_d=task.time_d,
        names=plan.outputs,
        units=_units(plan),
        values=_collected(task, kinetics, doses, courses, lanes),
        status=np.asarray(lanes.status, dtype=np.int64),
        index=part.index,
        final=Final(
            at_d=float(task.time_d[-1]), states=lanes.final, upstream=_at_end(task, courses), standing=standing
        ),
        model=kinetics.model.full_name,
        variants=plan.mechanism.variants,
        messages=(),
    )


def _seen(task: _Task) -> bool:
    """Whether upstream states are wanted at times of their own: as outputs, or because the end is no node."""
    beyond = abs(task.time_d[-1] - task.grid.node_d[-1]) > 1e-9
    return beyond or any(name in task.plan.cut.states for name in task.plan.outputs)


def _at_end(task: _Task, courses: Courses) -> Array:
    """Upstream states at the last time, (S, n)."""
    return interpolate(courses, [task.time_d[-1]])[:, 0] if _seen(task) else courses.last


def _drive(task: _Task, part: Population, courses: Courses) -> Drive:
    """What the rest of the model takes as input, in its order."""
    inputs = task.plan.cut.rest.inputs
    values, slopes = courses.corrected, courses.slopes
    if inputs != courses.names:
        given = {name: (values[s], slopes[s]) for s, name in enumerate(courses.names)}
        if task.plan.flares is not None:
            node_d = task.grid.node_d
            begun = flare_times(task.plan.flares, float(node_d[-1]), seed=part.seed, index=part.index)
            flare, slope = flare_course(task.plan.flares, begun, node_d)
            given[FLARE] = (flare.T, slope.T)
        values, slopes = (np.stack([given[name][i].T for name in inputs], axis=-1).T for i in (0, 1))
    return Drive(start=task.grid.start_d, step=task.grid.step_d, values=values, slopes=slopes)


def _integrate(
    task: _Task, part: Population, drive: Drive, partners: Sequence[Partner], times: Array, after: Final | None
) -> Lanes:
    states = task.plan.cut.rest.states
    start = 0.0 if after is None else after.at_d
    return integrate(
        task.plan.system,
        part.parameters,
        times,
        initial=None if after is None else after.states,
        drive=drive,
        doses=engine_doses(partners, states, len(part), after_d=start, first=after is None),
        rtol=task.rtol,
        atol=task.atol,
        threads=1,
        start=start,
    )


def _titrated(
    task: _Task, part: Population, drive: Drive, partners: list[Partner], after: Final | None
) -> tuple[Lanes, Array]:
    """Week by week: look at the count, set the dose, go on from where the week before ended."""
    plan, rule = task.plan, task.titration
    assert rule is not None
    states, n, end = plan.cut.rest.states, len(part), float(task.time_d[-1])
    unit = plan.mechanism.register.doses["romiplostim-100-ug"]
    # Weeks are counted from the start of the titration, also in a run that goes on from another; one that falls on
    # the last day belongs to the run that follows.
    first = max(0, int(np.ceil((task.start_d - rule.from_d) / _WEEK_D - 1e-9)))
    last = max(first, int(np.ceil((min(end, rule.until_d) - rule.from_d) / _WEEK_D - 1e-9)))
    noise = normal_quantile(patient_rows(part.seed, "titration-counts", index=part.index, count=last + 1))
    dose, held = np.full(n, rule.start), np.zeros(n, dtype=bool)
    if after is not None and after.standing is not None:
        dose, held = after.standing[0].copy(), after.standing[1] > 0.0
    values = np.full((len(plan.system.outputs), task.time_d.size, n), np.nan)
    status, steps = np.zeros(n, np.int64), np.zeros(n, np.int64)
    seen, at = np.zeros(task.time_d.size, dtype=bool), after
    for week in range(first, last + 1):
        stop = end if week == last else rule.from_d + _WEEK_D * week
        inside = (task.time_d <= stop) & ~seen
        if at is None or stop > at.at_d or inside.any():
            lanes = _integrate(task, part, drive, partners, np.append(task.time_d[inside], stop), at)
            values[:, inside], seen = lanes.values[:, :-1], seen | inside
            status, steps = np.where(status == LaneStatus.DONE, lanes.status, status), steps + lanes.steps
            at = Final(at_d=float(stop), states=lanes.final.copy(), upstream=np.empty((0, n)))
        if week < last:
            count = at.states[states.index("P")] * np.exp(rule.noise_cv * noise[:, week])
            if week:
                dose, held = rule.next_dose(dose, held, count)
            at.states[states.index(unit.state)] += unit.amount * np.where(held, 0.0, dose)
    assert at is not None
    return Lanes(values=values, final=at.states, status=status, steps=steps), np.array([dose, held.astype(np.float64)])


def _collected(task: _Task, kinetics: Kinetics, doses: DoseHistory, courses: Courses, lanes: Lanes) -> Array:
    """The outputs in the order asked for, (Q, K, n)."""
    plan = task.plan
    out = np.empty((len(plan.outputs), task.time_d.size, lanes.status.size))
    seen = interpolate(courses, task.time_d) if any(name in courses.names for name in plan.outputs) else None
    for q, name in enumerate(plan.outputs):
        if name == PORT:
            out[q] = blood_levels(kinetics, doses, task.time_d).T
        elif seen is not None and name in courses.names:
            out[q] = seen[courses.names.index(name)]
        else:
            out[q] = lanes.values[plan.system.outputs.index(name)]
    return out


def _units(plan: Plan) -> tuple[str, ...]:
    """Units of the outputs as people write them."""
    written = {name: unit for unit, name in plan.mechanism.register.units.items()}
    known = plan.mechanism.network.units
    return tuple(written.get(known.get(name, ""), known.get(name, "")) for name in plan.outputs)


def simulate(
    mechanism: Mechanism,
    population: Population,
    kinetics: Kinetics,
    doses: DoseHistory,
    time_d: ArrayLike,
    **settings: Unpack[Settings],
) -> xarray.Dataset:
    """Simulate virtual patients; labelled.

    Parameters
    ----------
    mechanism, population, kinetics, doses, time_d
        As in `run`.
    **settings
        See `Settings`.

    Returns
    -------
    xarray.Dataset
        See `to_dataset`.
    """
    return to_dataset(run(mechanism, population, kinetics, doses, time_d, **settings), population)
