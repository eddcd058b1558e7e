# SPDX-License-Identifier: Apache-2.0
"""Virtual patients: parameters drawn from the register of assumptions, correlated, inside plausible limits.

Candidates are numbered from 0, and each draws from streams of its own. Those outside a limit are left out and counted;
patient i is the i-th that remains, whoever else is drawn. Which values are data and which are assumed stands in the
register; a population of assumptions is plausible, never representative, until it is selected or weighted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.effects import LOG_NORMAL, LOGIT, apply_effects
from sirolens.engine.expression import evaluate
from sirolens.engine.sampling import correlated, effective_draws
from sirolens.errors import InputError
from sirolens.mechanism.assumptions import Assumption
from sirolens.mechanism.draws import patient_normals, patient_uniforms
from sirolens.mechanism.network import Mechanism
from sirolens.mechanism.people import draw_people, people
from sirolens.mechanism.selection import Selection, Target, Weights, select
from sirolens.message import error
from sirolens.source import Mark, Source

__all__ = ["CORRELATIONS", "LIMITS", "Correlation", "Population", "chosen", "draw", "weighted"]

Array = NDArray[np.float64]

MOST_IN_VAIN = 1000
"""Candidates tried for each patient wanted before the limits are called impossible."""

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType({"k_imm0": (0.0, np.inf)})
"""Ranges of what follows from the parameters: immune clearance before treatment is not negative."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Two parameters that go together, as the correlation of their normal scores.

    Parameters
    ----------
    first, second : str
        Symbols.
    value : float
        Between -1 and 1.
    source : Source
        What stands behind it.
    """

    first: str
    second: str
    value: float
    source: Source


def _assumed(first: str, second: str, value: float, why: str) -> Correlation:
    return Correlation(first=first, second=second, value=value, source=Source(title=why, mark=Mark.ASSUMED))


CORRELATIONS: tuple[Correlation, ...] = (
    _assumed(
        "R_0",
        "TGF_0",
        0.4,
        "Treg and TGF-beta went together after treatment (Li 2013); before it, and the size, assumed",
    ),
    _assumed("Th17_0", "IL6_0", 0.3, "IL-6 drives Th17 cells; the size is assumed"),
    _assumed("R_0", "Br_0", 0.2, "both fall in active ITP; the size is assumed"),
    _assumed("R_0", "BAFF_0", -0.2, "low Treg and high BAFF were reported in the same patients; the size is assumed"),
)
"""What goes together between patients, beyond what the equations link."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """Virtual patients; immutable, and drawn again from seed and recipe.

    Parameters
    ----------
    seed : int
        Of every stream.
    recipe : mapping of str to object
        What was drawn: variants, people, how many, correlations, selections, weights; a plain table.
    names : tuple of str
        The model's parameters.
    parameters : ndarray (n_parameters, N)
        In the order of the network.
    covariates : mapping of str to ndarray (N,)
        From `sirolens.mechanism.people`.
    index : ndarray of int (N,)
        Each patient's own number among the candidates: it names all later draws.
    weights : ndarray (N,)
        How much each counts; 1 unless weighted.
    tried : int
        Candidates looked at.
    rejected : mapping of str to int
        How many candidates each limit kept out; one outside several limits counts under each.
    """

    seed: int
    recipe: Mapping[str, object]
    names: tuple[str, ...]
    parameters: Array
    covariates: Mapping[str, Array]
    index: NDArray[np.int64]
    weights: Array
    tried: int
    rejected: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.index.size

    @property
    def effective(self) -> float:
        """Effective number of patients under the weights."""
        return effective_draws(self.weights)

    def parameter(self, name: str) -> Array:
        """One parameter of every patient, (N,)."""
        row: Array = self.parameters[self.names.index(name)]
        return row

    def part(self, which: slice | NDArray[np.bool_] | NDArray[np.int64]) -> Population:
        """Some of the patients, unchanged."""
        return replace(
            self,
            parameters=_fixed(self.parameters[:, which]),
            covariates=MappingProxyType({name: _fixed(column[which]) for name, column in self.covariates.items()}),
            index=self.index[which],
            weights=_fixed(self.weights[which]),
        )

    def with_parameter(self, name: str, values: ArrayLike) -> Population:
        """The same patients with other values of one parameter."""
        table = self.parameters.copy()
        table[self.names.index(name)] = values
        return replace(self, parameters=_fixed(table), recipe=_noted(self.recipe, "replaced", name))


def _fixed(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _noted(recipe: Mapping[str, object], key: str, value: object) -> Mapping[str, object]:
    before = recipe.get(key, ())
    return MappingProxyType({**recipe, key: (*(before if isinstance(before, tuple) else (before,)), value)})


def draw(
    mechanism: Mechanism,
    n: int,
    *,
    seed: int,
    who: str = "adults",
    correlations: Sequence[Correlation] = CORRELATIONS,
    limits: Mapping[str, tuple[float, float]] = LIMITS,
) -> Population:
    """Draw virtual patients.

    Parameters
    ----------
    mechanism : Mechanism
        Its assumptions say how each parameter is distributed.
    n : int
        How many patients.
    seed : int
        Not negative.
    who : str
        ``"adults"`` or ``"children"``.
    correlations : sequence of Correlation
        Between normal scores; those of parameters that do not differ between patients are ignored.
    limits : mapping of str to (low, high)
        Ranges of the model's derived constants, besides the range of every parameter.

    Returns
    -------
    Population

    Raises
    ------
    InputError
        ``mechanism.patients-not-positive``, ``mechanism.correlation-impossible``, ``mechanism.limits-impossible``.

    Examples
    --------
    >>> from sirolens.mechanism.network import load
    >>> ten, hundred = (draw(load(), n, seed=3) for n in (10, 100))
    >>> bool((ten.parameters == hundred.parameters[:, :10]).all())
    True
    """
    if n < 1:
        raise InputError(error("mechanism.patients-not-positive", patients=n))
    network = mechanism.network
    varied = [one for one in mechanism.assumptions.values() if one.distribution is not None]
    table, used = _correlation(varied, correlations)
    found: list[tuple[NDArray[np.int64], Array]] = []
    rejected: dict[str, int] = {}
    have, tried = 0, 0
    while have < n:
        if tried > MOST_IN_VAIN * n:
            raise InputError(error("mechanism.limits-impossible", tried=tried, accepted=have))
        index = np.arange(tried, tried + max(64, int(1.3 * (n - have)) + 16))
        values = _values(mechanism, varied, table, seed, index)
        outside = dict(_outside(mechanism, varied, values, limits))
        kept = np.flatnonzero(~np.any(list(outside.values()), axis=0))[: n - have]
        have += kept.size
        looked_at = index.size if have < n else int(kept[-1]) + 1  # those after the last one wanted do not count
        for name, beyond in outside.items():
            rejected[name] = rejected.get(name, 0) + int(beyond[:looked_at].sum())
        found.append((index[kept], values[:, kept]))
        tried += looked_at
    numbers = np.concatenate([one for one, _ in found])
    return Population(
        seed=seed,
        recipe=MappingProxyType(
            {
                "model": network.name,
                "variants": mechanism.variants,
                "who": who,
                "patients": n,
                "seed": seed,
                "correlations": tuple((one.first, one.second, one.value) for one in used),
            }
        ),
        names=network.parameters,
        parameters=_fixed(np.ascontiguousarray(np.concatenate([one for _, one in found], axis=1))),
        covariates=draw_people(people(who), seed=seed, index=numbers),
        index=numbers,
        weights=_fixed(np.ones(n)),
        tried=tried,
        rejected=MappingProxyType({name: count for name, count in rejected.items() if count}),
    )


def _correlation(
    varied: Sequence[Assumption], correlations: Sequence[Correlation]
) -> tuple[Array, tuple[Correlation, ...]]:
    """The correlation matrix of the normal scores, and what of the given correlations it holds."""
    symbols = [one.symbol for one in varied]
    used = tuple(one for one in correlations if one.first in symbols and one.second in symbols)
    matrix = np.eye(len(symbols))
    for one in used:
        i, j = symbols.index(one.first), symbols.index(one.second)
        matrix[i, j] = matrix[j, i] = one.value
    if symbols and np.linalg.eigvalsh(matrix).min() <= 1e-9:
        raise InputError(
            error("mechanism.correlation-impossible", names=", ".join(f"{one.first}-{one.second}" for one in used))
        )
    return matrix, used


def _values(
    mechanism: Mechanism, varied: Sequence[Assumption], correlation: Array, seed: int, index: NDArray[np.int64]
) -> Array:
    """Every parameter of the candidates, (n_parameters, n)."""
    names = mechanism.network.parameters
    typical = [mechanism.assumptions[name].value if name in mechanism.assumptions else 0.0 for name in names]
    out = np.repeat(np.array(typical)[:, None], index.size, axis=1)
    if not varied:
        return out
    scores = np.stack([patient_normals(seed, "virtual", one.symbol, index=index) for one in varied], axis=1)
    z = correlated(correlation, scores)
    for j, one in enumerate(varied):
        out[names.index(one.symbol)] = _quantity(one, z[:, j], seed, index)
    return out


def _quantity(one: Assumption, z: Array, seed: int, index: NDArray[np.int64]) -> Array:
    """Normal scores of one parameter as its values."""
    law = one.distribution
    assert law is not None
    match law.kind:
        case "lognormal":
            return _disturbed(np.full(z.size, one.value), law.sd * z, LOG_NORMAL)
        case "logitnormal":
            return _disturbed(np.full(z.size, one.value), law.sd * z, LOGIT)
        case "beta":
            from scipy.special import betaincinv, ndtr

            return np.asarray(betaincinv(one.value * law.total, (1.0 - one.value) * law.total, ndtr(z)))
        case "lognormal-mixture":
            which = _component(law.weights, seed, one.symbol, index)
            # A variant moves the mean; the shape of the mixture stays.
            usual = sum(w * m for w, m in zip(law.weights, law.medians, strict=True))
            spread = np.array(law.sds)[which]
            own = np.array(law.medians)[which] * _moved(one, usual)
            return _disturbed(own, spread * z, LOG_NORMAL)
        case "two-point":
            return np.array(law.values)[_component(law.weights, seed, one.symbol, index)]
        case _:
            raise InputError(error("mechanism.distribution-unknown", symbol=one.symbol, kind=law.kind))


def _moved(one: Assumption, usual: float) -> float:
    """By how much a variant scales a mixture; rounding of the printed mean is no variant."""
    factor = one.value / usual
    return factor if abs(factor - 1.0) > 1e-3 else 1.0


def _component(weights: Sequence[float], seed: int, symbol: str, index: NDArray[np.int64]) -> NDArray[np.int64]:
    below = np.cumsum(weights)[:-1]
    return np.searchsorted(below, patient_uniforms(seed, "virtual", symbol, "class", index=index)).astype(np.int64)


def _disturbed(values: Array, eta: Array, kind: int) -> Array:
    """Apply random effects by the kernel that makes the same digits everywhere."""
    of, kinds = np.zeros(1, np.int64), np.full(1, kind, np.int64)
    return np.asarray(apply_effects(values[:, None], np.ascontiguousarray(eta)[:, None], of, kinds, paired=True)[:, 0])


def _outside(
    mechanism: Mechanism, varied: Sequence[Assumption], values: Array, limits: Mapping[str, tuple[float, float]]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Candidates outside the range of each parameter and derived constant."""
    names = mechanism.network.parameters
    for one in varied:
        row = values[names.index(one.symbol)]
        yield one.symbol, ~((row >= one.low) & (row <= one.high))
    yield "", np.zeros(values.shape[1], dtype=bool)
    wanted = {name for name in limits if name in mechanism.network.constants}
    if not wanted:
        return
    known: dict[str, Array] = dict(zip(names, values, strict=True))
    for name, formula in mechanism.network.constants.items():
        known[name] = evaluate(formula, known)
    for name in sorted(wanted):
        low, high = limits[name]
        row = np.broadcast_to(known[name], values.shape[1:])
        yield name, ~((row >= low) & (row <= high))


def chosen(population: Population, values: ArrayLike, target: Target) -> tuple[Population, Selection]:
    """Keep the patients whose quantities are distributed as a cohort's (Allen's selection).

    Parameters
    ----------
    population : Population
        Plausible patients.
    values : array_like (N, d)
        The quantities of the target: parameters, covariates or results of a simulation.
    target : Target
        The cohort.

    Returns
    -------
    Population
        Those kept; the recipe says so.
    Selection
        How well it went.
    """
    found = select(values, target, seed=population.seed, index=population.index)
    kept = population.part(found.kept)
    return replace(kept, recipe=_noted(kept.recipe, "selected", target.names)), found


def weighted(population: Population, weights: Weights) -> Population:
    """Give every patient the weight that makes the population look like a cohort.

    Examples
    --------
    >>> from sirolens.mechanism.network import load
    >>> from sirolens.mechanism.selection import mean_weights
    >>> drawn = draw(load(), 200, seed=1)
    >>> older = weighted(drawn, mean_weights(drawn.covariates["age"][:, None], [45.0]))
    >>> bool(abs((older.weights * older.covariates["age"]).mean() - 45.0) < 1e-6), older.effective < 200
    (True, True)
    """
    if weights.values.shape != population.weights.shape:
        raise InputError(error("mechanism.weights-shape", weights=weights.values.size, patients=len(population)))
    return replace(
        population,
        weights=_fixed(population.weights * weights.values),
        recipe=_noted(population.recipe, "weighted", round(weights.effective, 1)),
    )
