# SPDX-License-Identifier: Apache-2.0
"""Checks the calibrated model against targets that it was never fitted to: hit or miss, by rules fixed before the fit.

Virtual studies of the same size as the published ones are drawn from simulated patients: first a structure and a
parameterisation, by their weights, then patients of it; so that their scatter holds what is not known about the
parameters as well as chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.sampling import stream, uniform
from sirolens.engine.statistics.ranks import mann_whitney
from sirolens.study.calibration.targets import Check, Definition
from sirolens.study.mechanism.calibration_batch import Cohort
from sirolens.study.trial.endpoints import cell_tests

__all__ = ["CheckResult", "Pool", "Study", "judge", "measure", "studies"]

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]

STUDIES = 400
ALPHA = 0.05
USUAL = Definition(name="iwg", criteria="iwg-2009", confirmed=True, meaning="")
YEAR_D = 365


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """What a virtual study needs to know of simulated patients.

    Parameters
    ----------
    cohort : Cohort
        The patients.
    belongs : int array (N,)
        Which parameterisation each was drawn from.
    weights : ndarray (K,)
        Of the parameterisations; they add up to 1 over all structures.
    healthy_treg_percent : ndarray (M,), optional
        Measured in healthy people.
    """

    cohort: Cohort
    belongs: Numbers
    weights: Array
    healthy_treg_percent: Array | None = None


Pool: TypeAlias = Mapping[str, Sequence[Study]]
"""Simulated patients by what they stand for: protocol, and variant after a slash; one `Study` for each structure."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """How a check went.

    Parameters
    ----------
    name : str
        The check.
    middle, low, high : float
        Of the model: middle and central 95 % of the virtual studies (of the parameterisations, for a range).
    observed : float
        What was published; nan where the rule has no single number.
    hit : bool
        By the rule of the file.
    """

    name: str
    middle: float
    low: float
    high: float
    observed: float
    hit: bool


def judge(check: Check, values: Array) -> CheckResult:
    """Judge a check by what virtual studies gave.

    Parameters
    ----------
    check : Check
        With its rule.
    values : ndarray (R,)
        The statistic in each virtual study; nan where a study had none. For a direction: 1 where it holds.

    Examples
    --------
    >>> from sirolens.study.calibration.targets import validation_targets
    >>> check = next(one for one in validation_targets().checks if one.name == "xie-median-1-month")
    >>> judge(check, np.linspace(40.0, 80.0, 101)).hit, judge(check, np.linspace(40.0, 180.0, 101)).hit
    (False, True)
    """
    known = values[np.isfinite(values)]
    observed = float(check.told.get("observed", np.nan))
    if not known.size:
        return CheckResult(name=check.name, middle=np.nan, low=np.nan, high=np.nan, observed=observed, hit=False)
    if check.rule == "direction":
        share = float(known.mean())
        hit = share >= check.told["at_least"]
        return CheckResult(name=check.name, middle=share, low=share, high=share, observed=observed, hit=hit)
    middle, low, high = (float(v) for v in np.quantile(known, [0.5, 0.025, 0.975]))
    if check.rule == "interval":
        hit = low <= observed <= high
    else:
        hit = bool(check.told["low"] <= middle <= check.told["high"])
    return CheckResult(name=check.name, middle=middle, low=low, high=high, observed=observed, hit=hit)


def studies(
    found: Sequence[Study],
    size: int,
    seed: int,
    name: str,
    *,
    count: int = STUDIES,
    who: Sequence[NDArray[np.bool_]] | None = None,
) -> list[tuple[int, NDArray[np.intp]]]:
    """Draw virtual studies.

    Parameters
    ----------
    found : sequence of Study
        One for each structure.
    size : int
        Patients in a study.
    seed : int
        Of the draws.
    name : str
        What they are for.
    count : int
        How many studies.
    who : sequence of bool array, optional
        For each structure, who may be drawn.

    Returns
    -------
    list of (int, int array)
        Which structure, and which patients (drawn with replacement) of one parameterisation. A parameterisation
        without anybody to draw gives an empty study.
    """
    table = [(s, k, w) for s, one in enumerate(found) for k, w in enumerate(one.weights)]
    share = np.cumsum([w for _, _, w in table])
    lots = uniform(stream(seed, "check", name, "sets"), (count,)) * share[-1]
    out = []
    for r, place in enumerate(np.searchsorted(share, lots)):
        s, k, _ = table[min(int(place), len(table) - 1)]
        may = found[s].belongs == k
        if who is not None:
            may = may & who[s].astype(bool)
        places = np.flatnonzero(may)
        if places.size:
            picks = uniform(stream(seed, "check", name, r), (size,))
            places = places[np.minimum((picks * places.size).astype(np.intp), places.size - 1)]
        out.append((s, places))
    return out


def _visit(cohort: Cohort, day: int) -> int:
    return int(np.argmin(np.abs(np.array(cohort.recipe.visits.days) - day)))


def _each(
    found: Sequence[Study], check: Check, seed: int, statistic: Callable[[int, NDArray[np.intp]], float],
    who: Sequence[NDArray[np.bool_]] | None = None, size: int | None = None,
) -> Array:  # fmt: skip
    drawn = studies(found, size or int(check.told["patients"]), seed, check.name, who=who)
    return np.array([statistic(s, places) if places.size else np.nan for s, places in drawn])


def measure(check: Check, pool: Pool, seed: int) -> Array:
    """Compute the statistic of a check in virtual studies; for a direction 1 where it holds.

    Parameters
    ----------
    check : Check
        Of the kinds that need simulated patients (all but ``tolerant`` and ``dose-response``).
    pool : Pool
        The simulated patients.
    seed : int
        Of the studies.
    """
    told = check.told
    key = told["protocol"] + (f"/{told['variant']}" if "variant" in told else "")
    return _KINDS[check.kind](check, pool, key, seed)


def _platelets(check: Check, pool: Pool, key: str, seed: int) -> Array:
    found = pool[key]
    average = np.nanmedian if check.told["statistic"] == "median" else np.nanmean
    counts = [one.cohort.chunk.count_10e9_l[:, _visit(one.cohort, check.told["day"])] for one in found]
    return _each(found, check, seed, lambda s, who: float(average(counts[s][who])))


def _response(check: Check, pool: Pool, key: str, seed: int) -> Array:
    found = pool[key]
    which = 0 if check.told["outcome"] == "complete" else 1
    happened = [one.cohort.landmarks(USUAL, (check.told["day"],))[which][:, 0] for one in found]
    if check.rule != "direction":
        return _each(found, check, seed, lambda s, who: float(happened[s][who].sum()))
    usual = pool[check.told["protocol"]][: len(found)]
    plain = [one.cohort.landmarks(USUAL, (check.told["day"],))[which][:, 0] for one in usual]
    held, wanted = [], []
    for s, (one, other) in enumerate(zip(found, usual, strict=True)):
        for k, weight in enumerate(one.weights):
            a, b = happened[s][one.belongs == k], plain[s][other.belongs == k]
            if a.size and b.size:
                held.append(float(a.mean() > b.mean()))
                wanted.append(weight)
    return _repeated(np.array(held), np.array(wanted))


def _repeated(held: Array, weights: Array) -> Array:
    """One number whose mean is the weighted share."""
    return np.array([float((held * weights).sum() / weights.sum())]) if held.size else np.array([np.nan])


def _first_days(one: Study) -> Numbers:
    return one.cohort.landmarks(USUAL, (YEAR_D,))[2]


def _time(check: Check, pool: Pool, key: str, seed: int) -> Array:
    found = pool[key]
    first = [_first_days(one) for one in found]
    responded = [(days >= 0) & (days <= YEAR_D) for days in first]
    if check.kind == "share-by-day":
        by = check.told["day"]
        return _each(found, check, seed, lambda s, who: float((first[s][who] <= by).sum()), responded)
    average = np.median if check.told["statistic"] == "median" else np.mean
    return _each(found, check, seed, lambda s, who: float(average(first[s][who])), responded)


def _dose(check: Check, pool: Pool, key: str, seed: int) -> Array:
    found = pool[key]
    child = check.told["group"] == "children"
    who = [one.cohort.people.child == child for one in found]
    dose = [one.cohort.chunk.dose_mg[:, _visit(one.cohort, check.told["day"])] for one in found]
    return _each(found, check, seed, lambda s, where: float(np.median(dose[s][where])), who, size=100)


def _kept(check: Check, pool: Pool, key: str, seed: int) -> Array:
    found = pool[f"{key}/taper"] if f"{key}/taper" in pool else pool[key]
    if check.rule == "direction":
        held, weights = [], []
        for one in found:
            complete, overall, _ = one.cohort.landmarks(USUAL, (182, one.cohort.recipe.days))
            lost = overall[:, 0] & ~overall[:, 1]
            for k, weight in enumerate(one.weights):
                own = one.belongs == k
                partial, whole = own & overall[:, 0] & ~complete[:, 0], own & complete[:, 0]
                if partial.any() and whole.any():
                    held.append(float(lost[partial].mean() > lost[whole].mean()))
                    weights.append(weight)
        return _repeated(np.array(held), np.array(weights))
    now = [one.cohort.landmarks(USUAL, (check.told["day"],))[1][:, 0] for one in found]
    tapered = [np.asarray(one.cohort.chunk.tapered) for one in found]
    return _each(found, check, seed, lambda s, who: float(now[s][who].sum()), tapered)


def _treg(check: Check, pool: Pool, key: str, seed: int) -> Array:
    found = pool[key]
    cells = [one.cohort.chunk.treg_percent for one in found]
    if check.kind == "treg-size":
        happened = [one.cohort.landmarks(USUAL, (check.told["day"],))[1][:, 0] for one in found]
        rise = [100.0 * (np.nanmean(one[:, [-1]], axis=1) / one[:, 0] - 1.0) for one in cells]
        return _each(found, check, seed, lambda s, who: float(np.nanmean(rise[s][who])), happened)
    size = int(check.told["patients"])
    tests = []
    for r, (s, who) in enumerate(studies(found, size, seed, check.name)):
        healthy = found[s].healthy_treg_percent
        assert healthy is not None
        picks = (uniform(stream(seed, "check", "controls", r), (size,)) * healthy.size).astype(np.intp)
        tests.append(cell_tests(cells[s][who][None, :, :], healthy[picks][None, :], ALPHA))
    if check.kind == "treg-baseline":
        return np.array([np.mean([one.controls_differ for one in tests])])
    return np.array([np.mean([one.rise_significant[0] for one in tests])])


def _exposure(check: Check, pool: Pool, key: str, seed: int) -> Array:
    found = pool[key]
    trough = [np.nanmean(one.cohort.chunk.level_ng_ml, axis=1) for one in found]
    happened = [one.cohort.landmarks(USUAL, (182,))[1][:, 0] for one in found]

    def related(s: int, who: NDArray[np.intp]) -> float:
        level, responded = trough[s][who], happened[s][who]
        use = np.isfinite(level)
        yes, no = level[use & responded], level[use & ~responded]
        if not yes.size or not no.size:
            return 0.0
        return float(np.median(yes) > np.median(no) and mann_whitney(yes, no).p_value < ALPHA)

    shown = _each(found, check, seed, related)
    return 1.0 - shown if check.told.get("none") else shown


_KINDS: Mapping[str, Callable[[Check, Pool, str, int], Array]] = {
    "platelets": _platelets,
    "response": _response,
    "time": _time,
    "share-by-day": _time,
    "dose": _dose,
    "kept-after-taper": _kept,
    "treg-baseline": _treg,
    "treg-rise": _treg,
    "treg-size": _treg,
    "exposure-response": _exposure,
}
