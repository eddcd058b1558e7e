# SPDX-License-Identifier: Apache-2.0
"""Fits the mechanism's populations to published counts: a hierarchical binomial fit by reweighting one batch.

For a draw of hyperparameters from the prior, the rates of every cohort follow from the batch by density ratios; the
counts then give its likelihood. Complete response is shared between cohorts and fitted first; partial response comes
second, under each definition it may have been counted by, with and without a shift between cohorts. The method is
told in ``docs/science/calibration.md``; `sirolens.study.mechanism.calibration_batch` makes the batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.sampling import effective_draws, normal_quantile, stream, uniform
from sirolens.errors import InputError
from sirolens.message import error
from sirolens.study.calibration.prior import Prior, drawn, natural
from sirolens.study.calibration.reweight import rates_of
from sirolens.study.calibration.targets import FittedTarget, Targets

__all__ = [
    "EXPLANATIONS",
    "NEW_COHORT",
    "Batch",
    "Fit",
    "Kept",
    "StructureFit",
    "columns_of",
    "fit",
    "keep_sets",
    "log_likelihood",
    "target_rates",
]

Array: TypeAlias = NDArray[np.float64]

EXPLANATIONS = ("same", "definitions", "cohorts", "both")
"""Why cohorts may differ: nothing does, definitions of partial response, a shift of the patients, or both."""
NEW_COHORT = "new-cohort"
"""Name of the shift of patients whom no cohort of the fit holds; drawn from the prior of shifts."""
FEWEST = 100.0
"""Effective patients below which a population's rates are not trusted: its likelihood is set to 0 and it is counted."""
SMALLEST_RATE = 1e-4
"""A rate read off a few hundred patients is never exactly 0 or 1."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Simulated patients of one structure under one cohort's protocol.

    Parameters
    ----------
    structure, cohort : str
        Variant of the model, and whose protocol.
    statistics : ndarray (2 K, N)
        From `sirolens.study.calibration.prior.statistics_of`.
    proposal : ndarray (2 K,)
        Natural parameters of the population they were drawn from.
    columns : tuple of str
        M names, as in `columns_of`.
    outcomes : ndarray (N, M)
        0 or 1; a patient that could not be integrated has no response.
    failed : int
        How many those were.
    """

    structure: str
    cohort: str
    statistics: Array
    proposal: Array
    columns: tuple[str, ...]
    outcomes: Array
    failed: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructureFit:
    """One structure: the likelihood of every draw.

    Parameters
    ----------
    structure : str
        Its name.
    rates : mapping of str to ndarray (S, M)
        Of each cohort, with its shift.
    columns : mapping of str to tuple of str
        What the rates are of.
    likelihood : mapping of str to mapping of str to ndarray (S,)
        Explanation -> cohort -> log-likelihood; definitions averaged where they are free.
    by_definition : mapping of str to mapping of str to ndarray (S,)
        Cohort -> definition -> log-likelihood, with the shift.
    complete : mapping of str to ndarray (S,)
        ``"same"`` and ``"cohorts"``: log-likelihood of the complete responses alone.
    effective : mapping of str to ndarray (S,)
        Effective patients of each cohort's populations.
    """

    structure: str
    rates: Mapping[str, Array]
    columns: Mapping[str, tuple[str, ...]]
    likelihood: Mapping[str, Mapping[str, Array]]
    by_definition: Mapping[str, Mapping[str, Array]]
    complete: Mapping[str, Array]
    effective: Mapping[str, Array]

    def total(self, explanation: str) -> Array:
        """Log-likelihood of all cohorts, (S,)."""
        return _sum(self.likelihood[explanation].values())


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """All structures on the same draws of hyperparameters.

    Parameters
    ----------
    prior, targets, seed
        What went in.
    theta : ndarray (S, K, 2)
        Centres and spreads.
    shifts : ndarray (S, C)
        Of each cohort, in the order of `cohorts`.
    cohorts : tuple of str
        Their names.
    structures : mapping of str to StructureFit
        By name.
    """

    prior: Prior
    targets: Targets
    seed: int
    theta: Array
    shifts: Array
    cohorts: tuple[str, ...]
    structures: Mapping[str, StructureFit]

    def log_evidence(self, explanation: str, structure: str | None = None) -> float:
        """Log of the mean likelihood under the prior, of one structure or over all."""
        wanted = self.structures.values() if structure is None else (self.structures[structure],)
        return _log_mean([one.total(explanation) for one in wanted])

    def weights(self, explanation: str = "both") -> Mapping[str, Array]:
        """Posterior weight of every draw under each structure; all together add up to 1."""
        logs = {name: one.total(explanation) for name, one in self.structures.items()}
        most = max(float(one.max()) for one in logs.values())
        raw = {name: np.exp(one - most) for name, one in logs.items()}
        total = sum(float(one.sum()) for one in raw.values())
        return {name: one / total for name, one in raw.items()}

    def definitions(self, cohort: str) -> Mapping[str, float]:
        """Posterior probability of each definition by which a cohort may have counted partial responses."""
        names = self.targets.cohorts[cohort].definitions
        share = dict.fromkeys(names, 0.0)
        for structure, weights in self.weights().items():
            likely = self.structures[structure].by_definition[cohort]
            chance = _shares(np.stack([likely[name] for name in names]))
            for name, one in zip(names, chance, strict=True):
                share[name] += float((weights * one).sum())
        return share

    def rate(self, cohort: str, column: str) -> tuple[Array, Array]:
        """One rate of every draw and structure, and its posterior weight."""
        weights = self.weights()
        rates = [one.rates[cohort][:, one.columns[cohort].index(column)] for one in self.structures.values()]
        return np.concatenate(rates), np.concatenate([weights[name] for name in self.structures])

    def effective(self, explanation: str = "both") -> float:
        """Effective number of draws in the posterior."""
        return effective_draws(np.concatenate(list(self.weights(explanation).values())))


def _sum(parts: Iterable[Array]) -> Array:
    """Add arrays up, in order."""
    total = np.zeros(1)
    for part in parts:
        total = total + part
    return total


def _log_mean(parts: Sequence[Array]) -> float:
    logs = np.concatenate(parts)
    most = float(logs.max())
    return most + float(np.log(np.exp(logs - most).mean())) if np.isfinite(most) else -np.inf


def _looked_back(targets: Targets, cohort: str) -> int:
    """The last day of `responded at any time` in a cohort: 6 months where nothing says otherwise."""
    return max((one.day for one in targets.targets if one.cohort == cohort and one.best), default=182)


def columns_of(targets: Targets, cohort: str) -> tuple[str, ...]:
    """Name the outcomes that a batch of one cohort must tell.

    ``complete@day``; ``overall:definition@day``; ``best:definition@day`` (at any time up to the day);
    ``kept:definition@day`` (in response on the day, and at any time up to the day of ``best``).

    Examples
    --------
    >>> from sirolens.study.calibration.targets import calibration_targets
    >>> columns_of(calibration_targets(), "li-2013")[:4]
    ('complete@182', 'overall:iwg@182', 'overall:iwg-single@182', 'overall:thirty-or-double@182')
    """
    own = targets.cohorts[cohort].definitions
    found: dict[str, None] = {}
    days = {one.day for one in targets.targets if one.cohort == cohort}
    days |= {day for one in targets.directions if one.cohort == cohort for day in one.days}
    for day in sorted(days):
        found[f"complete@{day}"] = None
        for name in own:
            found[f"overall:{name}@{day}"] = None
    for target in targets.targets:
        if target.cohort == cohort and (target.best or target.among_responders):
            back = _looked_back(targets, cohort)
            for name in own:
                found[f"best:{name}@{back}"] = None
                if target.among_responders:
                    found[f"kept:{name}@{target.day}"] = None
    return tuple(found)


def target_rates(target: FittedTarget, definition: str, column: Mapping[str, Array], back: int) -> dict[str, Array]:
    """Return the model's rate of every class of a target; `column` gives the rates by name, (S,) each."""
    complete = column.get(f"complete@{target.day}", np.zeros(1))
    overall = column[f"best:{definition}@{back}" if target.best else f"overall:{definition}@{target.day}"]
    if target.among_responders:
        ever = column[f"best:{definition}@{back}"]
        overall = column[f"kept:{definition}@{target.day}"] / np.maximum(ever, SMALLEST_RATE)
    rate = {"complete": complete, "partial": overall - complete, "overall": overall}
    return {name: np.clip(rate[name], SMALLEST_RATE, 1.0 - SMALLEST_RATE) for name in target.outcomes}


def log_likelihood(target: FittedTarget, rates: Mapping[str, Array]) -> Array:
    """Compute the weighted log-likelihood of a target's counts, without its constant.

    ::

        weight * (sum_k n_k log p_k + (n - sum n_k) log(1 - sum p_k))

    Parameters
    ----------
    target : FittedTarget
        Counts.
    rates : mapping of str to ndarray (S,)
        Rate of each class.

    Examples
    --------
    >>> from sirolens.study.calibration.targets import calibration_targets
    >>> paper = calibration_targets().targets[0]
    >>> rates = {"complete": np.array([0.3, 0.5]), "partial": np.array([0.3, 0.4])}
    >>> log_likelihood(paper, rates).round(2).tolist()
    [-21.78, -28.08]
    """
    total = sum(rates.values())
    rest = np.clip(1.0 - np.asarray(total), SMALLEST_RATE, 1.0)
    other = target.patients - sum(target.outcomes.values())
    logs = other * np.log(rest)
    for name, count in target.outcomes.items():
        logs = logs + count * np.log(rates[name])
    return np.asarray(target.weight * logs)


def fit(batches: Sequence[Batch], targets: Targets, prior: Prior, *, draws: int = 4096, seed: int = 1) -> Fit:
    """Fit the populations of every structure.

    Parameters
    ----------
    batches : sequence of Batch
        One for each structure and cohort.
    targets : Targets
        What is fitted.
    prior : Prior
        What may move.
    draws : int
        Draws of hyperparameters.
    seed : int
        Of the draws.

    Raises
    ------
    InputError
        ``calibration.batch-missing``, ``calibration.column-missing``.
    """
    cohorts = tuple(targets.cohorts)
    theta, shifts = drawn(prior, draws, len(cohorts), seed)
    have = {(one.structure, one.cohort): one for one in batches}
    names = tuple(dict.fromkeys(one.structure for one in batches))
    for name in names:
        for cohort in cohorts:
            if (name, cohort) not in have:
                raise InputError(error("calibration.batch-missing", structure=name, cohort=cohort))
            lacking = set(columns_of(targets, cohort)) - set(have[name, cohort].columns)
            if lacking:
                raise InputError(error("calibration.column-missing", cohort=cohort, names=", ".join(sorted(lacking))))
    fitted = {name: _structure([have[name, one] for one in cohorts], targets, prior, theta, shifts) for name in names}
    return Fit(
        prior=prior, targets=targets, seed=seed, theta=theta, shifts=shifts, cohorts=cohorts,
        structures=MappingProxyType(fitted),
    )  # fmt: skip


def _structure(batches: Sequence[Batch], targets: Targets, prior: Prior, theta: Array, shifts: Array) -> StructureFit:
    likely: dict[str, dict[str, dict[str, Array]]] = {"same": {}, "cohorts": {}}
    complete = {name: np.zeros(theta.shape[0]) for name in likely}
    rates: dict[str, Array] = {}
    effective: dict[str, Array] = {}
    for c, batch in enumerate(batches):
        for name, shift in (("same", 0.0 * shifts[:, c]), ("cohorts", shifts[:, c])):
            found = rates_of(natural(prior, theta, shift), batch.proposal, batch.statistics, batch.outcomes)
            column = dict(zip(batch.columns, found.values.T, strict=True))
            poor = np.where(found.effective < FEWEST, -np.inf, 0.0)
            likely[name][batch.cohort] = {
                one: _cohort(targets, batch.cohort, one, column) + poor
                for one in targets.cohorts[batch.cohort].definitions
            }
            complete[name] = complete[name] + _complete(targets, batch.cohort, column) + poor
            # What is kept is of the shifted populations, the last of the two.
            rates[batch.cohort], effective[batch.cohort] = found.values, found.effective
    usual = next(iter(targets.definitions))
    likelihood = {
        "same": {c: one[usual] for c, one in likely["same"].items()},
        "definitions": {c: _averaged(one) for c, one in likely["same"].items()},
        "cohorts": {c: one[usual] for c, one in likely["cohorts"].items()},
        "both": {c: _averaged(one) for c, one in likely["cohorts"].items()},
    }
    return StructureFit(
        structure=batches[0].structure,
        rates=rates,
        columns={batch.cohort: batch.columns for batch in batches},
        likelihood=likelihood,
        by_definition=likely["cohorts"],
        complete=complete,
        effective=effective,
    )


def _cohort(targets: Targets, cohort: str, definition: str, column: Mapping[str, Array]) -> Array:
    back = _looked_back(targets, cohort)
    own = [one for one in targets.targets if one.cohort == cohort]
    return _sum(log_likelihood(one, target_rates(one, definition, column, back)) for one in own)


def _complete(targets: Targets, cohort: str, column: Mapping[str, Array]) -> Array:
    """Log-likelihood of the complete responses alone: complete against all others."""
    total = np.zeros(1)
    for one in targets.targets:
        if one.cohort == cohort and "complete" in one.outcomes:
            p = np.clip(column[f"complete@{one.day}"], SMALLEST_RATE, 1.0 - SMALLEST_RATE)
            k = one.outcomes["complete"]
            total = total + one.weight * (k * np.log(p) + (one.patients - k) * np.log1p(-p))
    return total


def _averaged(by_definition: Mapping[str, Array]) -> Array:
    """Log of the likelihood averaged over definitions, each as likely as the others before."""
    logs = np.stack(list(by_definition.values()))
    most = logs.max(axis=0)
    safe = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(safe + np.log(np.exp(logs - safe).mean(axis=0)))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """An acceptable parameterisation.

    Parameters
    ----------
    purpose : str
        ``"posterior"``, or the cohort whose printed counts its population resembles.
    structure : str
        Variant of the model.
    draw : int
        Its number among the draws of the fit.
    theta : ndarray (K, 2)
        Centres and spreads.
    shifts : mapping of str to float
        Of each cohort, and of `NEW_COHORT`.
    definitions : mapping of str to str
        How each cohort may have counted partial responses.
    weight : float
        How much it counts among those of its purpose; they add up to 1.
    """

    purpose: str
    structure: str
    draw: int
    theta: Array
    shifts: Mapping[str, float]
    definitions: Mapping[str, str]
    weight: float


def keep_sets(
    found: Fit,
    *,
    purpose: str = "posterior",
    definition: str | None = None,
    each: int = 12,
    tolerance: float = 0.015,
    seed: int = 1,
) -> tuple[Kept, ...]:
    """Keep several parameterisations of every structure.

    They are drawn from the posterior. With a cohort as purpose the posterior is first narrowed, by
    exp(-d^2 / 2 tolerance^2), to populations whose rates lie near the cohort's printed ones: a population that
    resembles the cohort as it was, not what the cohort says about all patients.

    Parameters
    ----------
    found : Fit
        The fit.
    purpose : str
        ``"posterior"`` or a cohort.
    definition : str, optional
        By which definition the cohort's partial responses are taken to have been counted; None: any, by its
        probability.
    each : int
        How many of each structure; structures keep their posterior weight in `Kept.weight`.
    tolerance : float
        Standard deviation, as a rate.
    seed : int
        Of the draws.
    """
    weights = found.weights()
    kept: list[Kept] = []
    shares = {name: _near(found, name, purpose, definition, tolerance) * one for name, one in weights.items()}
    total = sum(float(one.sum()) for one in shares.values())
    for name, share in shares.items():
        own = float(share.sum())
        if own <= 0.0:
            continue
        start = uniform(stream(seed, "calibration", "keep", purpose, name), (1,))[0]
        picks = np.searchsorted(np.cumsum(share) / own, (np.arange(each) + start) / each)
        lots = uniform(stream(seed, "calibration", "definition", purpose, name), (each, len(found.cohorts)))
        fresh = found.prior.shift_sd * normal_quantile(
            uniform(stream(seed, "calibration", "new", purpose, name), (each,))
        )
        for i, pick in enumerate(np.minimum(picks, share.size - 1)):
            kept.append(
                Kept(
                    purpose=purpose,
                    structure=name,
                    draw=int(pick),
                    theta=found.theta[pick],
                    shifts={
                        **dict(zip(found.cohorts, found.shifts[pick].tolist(), strict=True)),
                        NEW_COHORT: float(fresh[i]),
                    },
                    definitions=_definitions(found, name, int(pick), lots[i], purpose, definition, tolerance),
                    weight=own / total / each,
                )
            )
    return tuple(kept)


def _distance(found: Fit, structure: str, cohort: str, definition: str) -> Array:
    """Sum of the squared distances of the rates from the printed ones, (S,)."""
    one = found.structures[structure]
    column = dict(zip(one.columns[cohort], one.rates[cohort].T, strict=True))
    back, total = _looked_back(found.targets, cohort), np.zeros(found.theta.shape[0])
    for target in found.targets.targets:
        if target.cohort == cohort:
            for name, rate in target_rates(target, definition, column, back).items():
                total = total + (rate - target.outcomes[name] / target.patients) ** 2
    return total


def _near(found: Fit, structure: str, purpose: str, definition: str | None, tolerance: float) -> Array:
    if purpose == "posterior":
        return np.ones(found.theta.shape[0])
    own = found.targets.cohorts[purpose].definitions
    if definition is not None:
        shares = _shares(np.stack([found.structures[structure].by_definition[purpose][name] for name in own]))
        distance = _distance(found, structure, purpose, definition)
        return np.asarray(np.exp(-0.5 * distance / tolerance**2) * shares[own.index(definition)])
    kernels = np.stack([np.exp(-0.5 * _distance(found, structure, purpose, name) / tolerance**2) for name in own])
    logs = np.stack([found.structures[structure].by_definition[purpose][name] for name in own])
    return np.asarray((kernels * _shares(logs)).sum(axis=0))


def _shares(logs: Array) -> Array:
    """Probability of each of several explanations given equal odds before, (D, S); equal where none is possible."""
    most = logs.max(axis=0)
    chance = np.exp(logs - np.where(np.isfinite(most), most, 0.0))
    chance[:, ~np.isfinite(most)] = 1.0
    return np.asarray(chance / chance.sum(axis=0))


def _definitions(
    found: Fit, structure: str, pick: int, lots: Array, purpose: str, definition: str | None, tolerance: float
) -> dict[str, str]:
    """Draw by which definition each cohort counted, given the parameters."""
    out = {}
    for cohort, lot in zip(found.cohorts, lots.tolist(), strict=True):
        if cohort == purpose and definition is not None:
            out[cohort] = definition
            continue
        likely = found.structures[structure].by_definition[cohort]
        logs = np.array([one[pick] for one in likely.values()])
        if cohort == purpose:
            near = [_distance(found, structure, cohort, name)[pick] for name in likely]
            logs = logs - 0.5 * np.array(near) / tolerance**2
        chance = np.exp(logs - logs.max())
        place = int(np.searchsorted(np.cumsum(chance) / chance.sum(), lot))
        out[cohort] = list(likely)[min(place, len(likely) - 1)]
    return out
