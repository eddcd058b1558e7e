# SPDX-License-Identifier: Apache-2.0
"""How a trial design behaves over its replicates: rates and their scatter, power, type I error, coverage, stopping.

The truth of an arm is its rate over all patients of all replicates. Power and type I error are shares of replicates
with their own exact intervals, because a simulation of R replicates is a sample too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.statistics.contrast import fisher
from sirolens.engine.statistics.proportion import binomial_test, clopper_pearson
from sirolens.study.trial.recipe_design import Look, Primary

__all__ = [
    "Proportion",
    "Rate",
    "Stopping",
    "Success",
    "interval_table",
    "proportion",
    "rate_of",
    "stopping",
    "success",
]

Flags: TypeAlias = NDArray[np.bool_]
Limits: TypeAlias = NDArray[np.float64]
SCATTER = (0.025, 0.975)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share of replicates or patients with its exact 95 % interval."""

    k: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share; nan of none."""
        return self.k / self.n if self.n else float("nan")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A response rate over the replicates.

    Parameters
    ----------
    pooled : Proportion
        Over all patients: the arm's truth.
    trial_low, trial_high : float
        Between which 95 % of the trials' own rates lie.
    exact_coverage, wilson_coverage : float
        Share of the trials whose interval holds the truth.
    """

    pooled: Proportion
    trial_low: float
    trial_high: float
    exact_coverage: float
    wilson_coverage: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """How often the primary analysis succeeds, and how often where the treatment does nothing."""

    power: Proportion
    type_one: Proportion | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """Where trials with interim looks end.

    Parameters
    ----------
    futile, succeeded : tuple of Proportion
        Trials that end at each look.
    patients : float
        Patients expected until the end.
    success : Proportion
        Trials that succeed, at a look or at the end.
    """

    futile: tuple[Proportion, ...]
    succeeded: tuple[Proportion, ...]
    patients: float
    success: Proportion


@cache
def interval_table(n: int, level: float) -> tuple[Limits, Limits]:
    """Return the exact and the score limits of every count of n, as arrays (n + 1, 2).

    The same intervals as `sirolens.engine.statistics.proportion` (tests hold them equal), all counts in one go: a trial
    of thousands of replicates asks for each of them::

        exact  low = B(alpha/2; k, n - k + 1)   high = B(1 - alpha/2; k + 1, n - k)   B: quantile of the beta
        score  (k + z^2/2 -+ z sqrt(k (n - k) / n + z^2/4)) / (n + z^2)

    Parameters
    ----------
    n : int
        Patients.
    level : float
        Level of both.

    Examples
    --------
    >>> interval_table(20, 0.95)[0][12].round(4).tolist()
    [0.3605, 0.8088]
    """
    from scipy.special import betaincinv, ndtri

    k, tail = np.arange(n + 1.0), (1.0 - level) / 2.0
    exact = np.stack([np.zeros(n + 1), np.ones(n + 1)], axis=1)
    exact[1:, 0] = betaincinv(k[1:], n - k[1:] + 1.0, tail)
    exact[:-1, 1] = betaincinv(k[:-1] + 1.0, n - k[:-1], 1.0 - tail)
    z = float(ndtri(1.0 - tail))
    middle, half = (k + z * z / 2.0) / (n + z * z), z * np.sqrt(k * (n - k) / n + z * z / 4.0) / (n + z * z)
    score = np.stack([middle - half, middle + half], axis=1)
    score[0, 0], score[-1, 1] = 0.0, 1.0
    for table in (exact, score):
        table.setflags(write=False)
    return exact, score


def proportion(k: int, n: int) -> Proportion:
    """Return a share with its exact interval.

    >>> proportion(5, 10).low < 0.5 < proportion(5, 10).high
    True
    """
    found = clopper_pearson(k, n)
    return Proportion(k=k, n=n, low=found.low, high=found.high)


def rate_of(responses: Flags, level: float) -> Rate:
    """Describe a response rate.

    Parameters
    ----------
    responses : bool array (R, N)
        Patients of each replicate.
    level : float
        Level of the trials' own intervals.

    Examples
    --------
    >>> found = rate_of(np.array([[True, False], [True, True]]), 0.95)
    >>> found.pooled.k, found.pooled.n, found.exact_coverage
    (3, 4, 1.0)
    """
    replicates, n = responses.shape
    counts = responses.sum(axis=1)
    truth = counts.sum() / (replicates * n)

    exact, score = (table[counts] for table in interval_table(n, level))
    held = np.stack([(limits[:, 0] <= truth) & (truth <= limits[:, 1]) for limits in (exact, score)], axis=1)
    low, high = (float(np.quantile(counts / n, q)) for q in SCATTER)
    return Rate(
        pooled=proportion(int(counts.sum()), replicates * n),
        trial_low=low,
        trial_high=high,
        exact_coverage=float(held[:, 0].mean()),
        wilson_coverage=float(held[:, 1].mean()),
    )


def _against_rate(primary: Primary, n: int) -> Callable[[int], bool]:
    above = primary.above
    assert above is not None

    @cache
    def succeeds(k: int) -> bool:
        return binomial_test(k, n, above, "greater").p_value <= primary.alpha

    return succeeds


def _against_control(primary: Primary, n: int) -> Callable[[int, int], bool]:
    @cache
    def succeeds(k: int, control: int) -> bool:
        return k > control and fisher([[k, n - k], [control, n - control]]).p_value <= primary.alpha

    return succeeds


def success(primary: Primary, arm: Flags, control: Flags | None, null: Flags | None) -> Success:
    """Count how often the primary analysis succeeds.

    Parameters
    ----------
    primary : Primary
        The test.
    arm : bool array (R, N)
        Responses of the arm.
    control : bool array (R, N), optional
        Of its control, where two arms are compared.
    null : bool array (R, N), optional
        Of patients whom the treatment under test does not help: without drug, or a second control.
    """
    replicates, n = arm.shape
    counts = arm.sum(axis=1)
    if control is None:
        by_rate = _against_rate(primary, n)
        won = sum(by_rate(int(k)) for k in counts)
        false = None if null is None else sum(by_rate(int(k)) for k in null.sum(axis=1))
    else:
        by_control, controls = _against_control(primary, n), control.sum(axis=1)
        won = sum(by_control(int(k), int(c)) for k, c in zip(counts, controls, strict=True))
        false = None
        if null is not None:
            false = sum(by_control(int(k), int(c)) for k, c in zip(null.sum(axis=1), controls, strict=True))
    return Success(power=proportion(won, replicates), type_one=None if false is None else proportion(false, replicates))


def stopping(primary: Primary, looks: tuple[Look, ...], arm: Flags) -> Stopping:
    """Follow every trial through its interim looks.

    Parameters
    ----------
    primary : Primary
        The test at the end.
    looks : tuple of Look
        In their order.
    arm : bool array (R, N)
        Responses in the order of enrolment.

    Examples
    --------
    >>> primary = Primary(outcome="overall", day=91, above=0.2, compare=(), alpha=0.05, interval_level=0.95)
    >>> none = np.zeros((4, 20), bool)
    >>> stopping(primary, (Look(after_patients=10, stop_at_most=1, success_at_least=None),), none).patients
    10.0
    """
    replicates, n = arm.shape
    going, patients, won = np.ones(replicates, bool), np.full(replicates, n), np.zeros(replicates, bool)
    futile, succeeded = [], []
    for look in looks:
        k = arm[:, : look.after_patients].sum(axis=1)
        stops = going & (k <= (-1 if look.stop_at_most is None else look.stop_at_most))
        wins = going & (k >= (n + 1 if look.success_at_least is None else look.success_at_least))
        patients[stops | wins] = look.after_patients
        won |= wins
        going &= ~(stops | wins)
        futile.append(proportion(int(stops.sum()), replicates))
        succeeded.append(proportion(int(wins.sum()), replicates))
    by_rate = _against_rate(primary, n)
    won |= going & np.array([by_rate(int(k)) for k in arm.sum(axis=1)])
    return Stopping(
        futile=tuple(futile),
        succeeded=tuple(succeeded),
        patients=float(patients.mean()),
        success=proportion(int(won.sum()), replicates),
    )
