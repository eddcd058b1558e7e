# SPDX-License-Identifier: Apache-2.0
"""Why pooled studies differ: groups of studies side by side, and effects over a covariate for the bubble plot.

Both look at a pool that was made (`Pooled`), so that who counts was decided once. With few studies they explore;
they say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sirolens.engine.pooling.between import Tau2Method
from sirolens.engine.pooling.binomial_normal import binomial_normal
from sirolens.engine.pooling.meta_regression import Regression, meta_regression, subgroups
from sirolens.engine.pooling.random_effects import Spread, Width, predicted
from sirolens.engine.pooling.two_arm import Effect
from sirolens.engine.statistics.interval import Array, Interval, Test
from sirolens.errors import InputError
from sirolens.evidence.pool.comparison import effect_line
from sirolens.evidence.pool.pooled import SHARE, Pooled, PoolLine, StudyLine
from sirolens.evidence.pool.synthesis import exact_line
from sirolens.message import Message, error, info, warning

__all__ = ["ENOUGH_PER_COVARIATE", "Bubble", "Grouped", "Over", "by_group", "over"]

ENOUGH_PER_COVARIATE = 10
"""Studies for each covariate; below, a meta-regression is exploration: a convention of the field."""
_ALONG = 41  # places of the line


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """Groups of studies, pooled apart.

    Parameters
    ----------
    names : tuple of str
    studies : tuple of tuple of StudyLine
        Of each group.
    lines : tuple of PoolLine or None
        Each group's pool by the main method; None for a group of one study, which is its own line.
    between_groups : Test
        QM on the scale of `Pooled.y`: that the groups do not differ.
    messages : tuple of Message
    """

    names: tuple[str, ...]
    studies: tuple[tuple[StudyLine, ...], ...]
    lines: tuple[PoolLine | None, ...]
    between_groups: Test
    messages: tuple[Message, ...]


def _known(pooled: Pooled, values: Mapping[str, object]) -> tuple[list[int], list[Message]]:
    """Return which studies have a value, and who has none; a value for nobody is a mistake of the caller's."""
    labels = [line.label for line in pooled.studies]
    strangers = tuple(sorted(set(values) - set(labels)))
    if strangers:
        raise InputError(error("pooling.study-not-pooled", studies=strangers, known=tuple(labels)))
    having = [i for i, label in enumerate(labels) if label in values]
    without = tuple(label for label in labels if label not in values)
    return having, [info("pooling.no-covariate", studies=without)] if without else []


def by_group(
    pooled: Pooled,
    groups: Mapping[str, str],
    *,
    common: bool = False,
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
    spread: str = Spread.T_K_2,
    level: float = 0.95,
) -> Grouped:
    """Pool groups of studies apart, and test whether they differ.

    Parameters
    ----------
    pooled : Pooled
        A pool of shares or of effects.
    groups : mapping of str to str
        The group of each study, by its label; studies without one are left out and told.
    common : bool
        Whether the test lets the groups share one variance between studies.
    method, width, spread, level
        As in `synthesis.pool`.

    Raises
    ------
    InputError
        A label that is not in the pool.

    Examples
    --------
    >>> from sirolens.evidence.extraction.outcome import OutcomeRow
    >>> from sirolens.evidence.pool.synthesis import pool
    >>> counts = {"A": (8, 11), "B": (30, 45), "C": (5, 16)}
    >>> rows = [OutcomeRow(study=s, outcome="OR", timepoint="3m", k=k, n=n) for s, (k, n) in counts.items()]
    >>> made = pool(rows, outcome="OR", timepoint="3m")
    >>> found = by_group(made, {"A": "children", "B": "children", "C": "adults"})
    >>> found.names, found.lines[1]
    (('children', 'adults'), None)
    """
    having, messages = _known(pooled, groups)
    lines = [pooled.studies[i] for i in having]
    named = [groups[line.label] for line in lines]
    y, v = pooled.y[having], pooled.v[having]
    found = subgroups(y, v, named, common=common, method=method, width=width, level=level)
    members = [[i for i, name in enumerate(named) if name == group] for group in found.names]
    pools: list[PoolLine | None] = []
    for group, fit, inside in zip(found.names, found.fits, members, strict=True):
        if len(inside) < 2:
            pools.append(None)
            messages.append(info("pooling.single-in-group", group=group, study=lines[inside[0]].label))
        elif pooled.effect == SHARE:
            k, n = _counts([lines[i] for i in inside])
            pools.append(exact_line(binomial_normal(k, n, level), Spread(spread), group))
        else:
            pools.append(effect_line(fit, Effect(pooled.effect), Spread(spread), y[inside], v[inside], group))
    return Grouped(
        names=found.names,
        studies=tuple(tuple(lines[i] for i in inside) for inside in members),
        lines=tuple(pools),
        between_groups=found.between_groups,
        messages=(*messages, info("pooling.groups-are-not-randomised")),
    )


def _counts(lines: Sequence[StudyLine]) -> tuple[Array, Array]:
    return (
        np.array([line.row.k for line in lines], dtype=np.float64),
        np.array([line.row.n for line in lines], dtype=np.float64),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One study of a bubble plot.

    Parameters
    ----------
    label : str
    x : float
        Its covariate.
    y : float
        Its effect as readers know it.
    weight : float
        Of the regression, 0 to 1: the bubble's area.
    """

    label: str
    x: float
    y: float
    weight: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Effects over a covariate.

    Parameters
    ----------
    regression : Regression
        On the scale of `Pooled.y`: coefficients, QM, QE, variance left, R2.
    bubbles : tuple of Bubble
    x, y : Array, shape (m,)
        The line, as readers know it.
    intervals, predictions : tuple of Interval, length m
        Of the mean, and of a new study, along the line.
    messages : tuple of Message
    """

    regression: Regression
    bubbles: tuple[Bubble, ...]
    x: Array
    y: Array
    intervals: tuple[Interval, ...]
    predictions: tuple[Interval, ...]
    messages: tuple[Message, ...]


def over(
    pooled: Pooled,
    covariate: Mapping[str, float],
    *,
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
    spread: str = Spread.T_K_2,
    level: float = 0.95,
) -> Over:
    """Regress a pool's effects on one covariate.

    Parameters
    ----------
    pooled : Pooled
    covariate : mapping of str to float
        By study label; studies without it are left out and told.
    method, width, spread, level
        As in `synthesis.pool`.

    Raises
    ------
    InputError
        A label that is not in the pool; fewer than three studies with the covariate, or all with the same value.

    Examples
    --------
    >>> from sirolens.evidence.extraction.outcome import OutcomeRow
    >>> from sirolens.evidence.pool.synthesis import pool
    >>> counts = {"A": (8, 11), "B": (30, 45), "C": (5, 16)}
    >>> rows = [OutcomeRow(study=s, outcome="OR", timepoint="3m", k=k, n=n) for s, (k, n) in counts.items()]
    >>> made = pool(rows, outcome="OR", timepoint="3m")
    >>> len(over(made, {"A": 2016, "B": 2018, "C": 2023}).bubbles)
    3
    """
    having, messages = _known(pooled, covariate)
    lines = [pooled.studies[i] for i in having]
    x = np.array([covariate[line.label] for line in lines], dtype=np.float64)
    if x.size < 3 or not np.all(np.isfinite(x)) or np.ptp(x) == 0:
        raise InputError(error("pooling.no-regression", count=int(x.size)))
    found = meta_regression(pooled.y[having], pooled.v[having], x, method=method, width=width, level=level)
    if found.studies_per_covariate < ENOUGH_PER_COVARIATE:
        messages.append(warning("pooling.few-per-covariate", count=int(x.size), least=ENOUGH_PER_COVARIATE))
    messages.append(info("pooling.groups-are-not-randomised"))
    along = np.linspace(x.min(), x.max(), _ALONG)
    told = [predicted(found.fit, [1.0, place], Spread(spread)) for place in along]
    return Over(
        regression=found,
        bubbles=tuple(
            Bubble(label=line.label, x=float(place), y=line.estimate, weight=float(weight))
            for line, place, weight in zip(lines, x, found.fit.weights, strict=True)
        ),
        x=along,
        y=np.array([_shown(float(found.fit.b @ [1.0, place]), pooled.effect) for place in along]),
        intervals=tuple(_shown_interval(about, pooled.effect) for about, _ in told),
        predictions=tuple(_shown_interval(ahead, pooled.effect) for _, ahead in told),
        messages=tuple(messages),
    )


def _shown(value: float, effect: str) -> float:
    if effect == SHARE:
        return float(1 / (1 + np.exp(-value)))
    return float(np.exp(value)) if Effect(effect).is_log else value


def _shown_interval(interval: Interval, effect: str) -> Interval:
    if interval.reason is not None:
        return interval
    low, high = _shown(interval.low, effect), _shown(interval.high, effect)
    return Interval(low=low, high=high, level=interval.level, method=interval.method)
