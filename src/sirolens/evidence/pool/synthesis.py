# SPDX-License-Identifier: Apache-2.0
"""Extracted single arms to one share: who is pooled, by which models, and everything that must be said beside it.

With five studies or more the binomial-normal model by exact likelihood is shown; with two to four the studies stand
first, and beside that model a Bayesian one with a named prior; one study is itself. Nothing is pooled silently: mixed
criteria and populations must be asked for, cohorts that share patients count once, and every assumption is a message.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from math import nan

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.pooling.between import Tau2Method, q_profile
from sirolens.engine.pooling.binomial_normal import BinomialNormal, binomial_normal, binomial_prediction
from sirolens.engine.pooling.half_normal import binomial_half_normal
from sirolens.engine.pooling.heterogeneity import heterogeneity
from sirolens.engine.pooling.influence import baujat, influence
from sirolens.engine.pooling.random_effects import Effects, Spread, Width, prediction_interval, random_effects
from sirolens.engine.pooling.single_arm import FreemanTukeySize, Scale, back, freeman_tukey_size, scaled
from sirolens.engine.pooling.small_study import Filled, begg, egger, peters, trim_and_fill
from sirolens.engine.statistics.interval import Array, Interval, Undefined, checked_level, no_test
from sirolens.engine.statistics.proportion import clopper_pearson
from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow, Population
from sirolens.evidence.pool import messages as say
from sirolens.evidence.pool.pooled import SHARE, Pooled, PoolLine, StudyLine, alone
from sirolens.evidence.pool.rows import Chosen, chosen, once_each

Flags = NDArray[np.bool_]

__all__ = ["FEW", "PRIOR_SCALE", "exact_line", "pool"]

FEW = 5
"""Below so many studies the spread between them is not known, and a prior for it is shown beside."""
PRIOR_SCALE = 1.0
"""Of the half-normal prior of the standard deviation between logits: a judgement, said wherever it is used."""


def pool(
    rows: Iterable[OutcomeRow],
    *,
    outcome: str,
    timepoint: str,
    populations: Collection[Population] | None = None,
    roles: Collection[ArmRole] = (ArmRole.SINGLE,),
    partners: Collection[str] | None = (),
    subgroup: str | None = "",
    any_criteria: bool = False,
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
    spread: str = Spread.T_K_2,
    size: str = FreemanTukeySize.HARMONIC,
    prior_scale: float = PRIOR_SCALE,
    arrived: Mapping[str, date] | None = None,
    level: float = 0.95,
) -> Pooled:
    """Pool the shares of single arms.

    Parameters
    ----------
    rows : iterable of OutcomeRow
        All extracted rows; those of the question are picked.
    outcome, timepoint : str
        The question, such as ``"OR"`` and ``"3m"``.
    populations : collection of Population, optional
        Whose outcome; needed where rows of several populations answer. Several are joined only when named here.
    roles : collection of ArmRole
        By default arms of studies without comparison; add `ArmRole.TREATED` for the sirolimus arms of comparisons.
    partners : collection of str or None
        What was given with sirolimus: by default nothing; None pools every combination, and says so.
    subgroup : str or None
        A part of the cohorts; empty for the whole; None for whole cohorts and parts side by side.
    any_criteria : bool
        Whether studies with different named criteria may be pooled.
    method, width, spread : str
        Estimator, interval and prediction quantile of the scales beside: `Tau2Method`, `Width`, `Spread`.
    size : str
        One of `FreemanTukeySize`.
    prior_scale : float
        Of the half-normal prior of the standard deviation between logits.
    arrived : mapping of str to date, optional
        By study, when a search first found it: the order of the cumulative pool instead of the year of publication.
    level : float

    Returns
    -------
    Pooled

    Raises
    ------
    InputError
        A row cannot be right, a study stands twice, or the question mixes what must be asked for.

    Examples
    --------
    >>> rows = [
    ...     OutcomeRow(study="S01", outcome="OR", timepoint="3m", k=12, n=20),
    ...     OutcomeRow(study="S02", outcome="OR", timepoint="3m", k=73, n=86),
    ... ]
    >>> found = pool(rows, outcome="OR", timepoint="3m")
    >>> print(f"{found.main.estimate:.2f}, {found.main.interval.low:.2f} to {found.main.interval.high:.2f}")
    0.77, 0.38 to 0.94
    >>> "pooling.two-studies" in [message.code for message in found.messages]
    True
    """
    level = checked_level(level)
    picked = once_each(
        chosen(
            rows,
            outcome=outcome,
            timepoint=timepoint,
            populations=populations,
            roles=roles,
            partners=partners,
            subgroup=subgroup,
            any_criteria=any_criteria,
            counts=True,
        )
    )
    if not picked.rows:
        say.refuse_empty(outcome, timepoint, picked.left)
    return _pooled(
        picked.rows, picked, arrived or {}, Tau2Method(method), Width(width), Spread(spread), size, prior_scale, level
    )


def _pooled(
    rows: Sequence[OutcomeRow],
    picked: Chosen,
    arrived: Mapping[str, date],
    method: Tau2Method,
    width: Width,
    spread: Spread,
    size: str,
    prior_scale: float,
    level: float,
) -> Pooled:
    k = np.array([row.k for row in rows], dtype=np.float64)
    n = np.array([row.n for row in rows], dtype=np.float64)
    sizes = {scale: scaled(k, n, scale) for scale in Scale}
    logits = sizes[Scale.LOGIT]
    fits = {
        scale: random_effects(found.y, found.v, method=method, width=width, level=level)
        for scale, found in sizes.items()
    }
    exact = binomial_normal(k, n, level) if k.size > 1 else None
    main = None if exact is None else exact_line(exact, spread)
    beside: list[PoolLine] = []
    if k.size > 1:
        if k.size < FEW:
            beside.append(_believed_line(k, n, prior_scale, level))
        beside.extend(
            _scale_line(scale, fits[scale], n, sizes[scale].v, sizes[scale].y, spread, size) for scale in Scale
        )
    logit_fit = fits[Scale.LOGIT]
    studies = _study_lines(rows, logit_fit.weights, logits.corrected, level)
    messages = (
        *picked.messages,
        *say.about_left(picked.left),
        *say.about_rows(rows),
        *say.about_shares(rows, exact, prior_scale if 1 < k.size < FEW else None, main, spread, FEW),
        *say.about_scales(fits, n, size),
        *(found for line in beside if line.method == Scale.LOGIT for found in say.about_variance(line)),
    )
    return Pooled(
        outcome=rows[0].outcome,
        timepoint=rows[0].timepoint,
        effect=SHARE,
        studies=studies,
        main=main,
        beside=tuple(beside),
        heterogeneity=heterogeneity(logits.y, logits.v, np.ones((k.size, 1)), logit_fit.tau2 if k.size > 1 else nan),
        homogeneity=exact.homogeneity if exact is not None else no_test("likelihood-ratio", Undefined.TOO_FEW),
        leave_one_out=_without_each(rows, k, n, spread, level),
        cumulative=_as_they_came(studies, arrived, k, n, spread, level),
        influence=influence(logits.y, logits.v, method=method) if k.size > 2 else None,
        baujat=baujat(logits.y, logits.v) if k.size > 1 else None,
        y=logits.y,
        v=logits.v,
        scale=Scale.LOGIT,
        egger=egger(logits.y, logits.v).test,
        peters=peters(logits.y, k, n).test,
        begg=begg(logits.y, logits.v),
        filled=_filled(logits.y, logits.v, method, width),
        left=picked.left,
        messages=messages,
    )


def _filled(y: Array, v: Array, method: str, width: str) -> Filled | None:
    found = trim_and_fill(y, v, method=method, width=width)
    return None if found.reason is not None else found


def _study_lines(rows: Sequence[OutcomeRow], weights: Array, corrected: Flags, level: float) -> tuple[StudyLine, ...]:
    return tuple(
        StudyLine(
            label=row.label,
            row=row,
            estimate=float(row.k or 0) / float(row.n or 1),
            interval=clopper_pearson(int(row.k or 0), int(row.n or 1), level),
            weight=float(weight),
            corrected=bool(mended),
        )
        for row, weight, mended in zip(rows, weights, corrected, strict=True)
    )


def exact_line(fit: BinomialNormal, spread: Spread, label: str = "") -> PoolLine:
    """Return a binomial-normal fit as a line of a pool."""
    df = {Spread.Z: float("inf"), Spread.T_K_1: fit.k - 1.0, Spread.T_K_2: fit.k - 2.0}[spread]
    low, high = fit.tau_interval.low, fit.tau_interval.high
    return PoolLine(
        method="binomial-normal",
        estimate=fit.share,
        interval=fit.interval,
        prediction=binomial_prediction(fit, df),
        tau2=fit.tau**2,
        tau2_interval=replace(fit.tau_interval, low=low**2, high=high**2),
        label=label,
        reason=fit.reason,
    )


def _believed_line(k: Array, n: Array, prior_scale: float, level: float) -> PoolLine:
    found = binomial_half_normal(k, n, prior_scale, level)
    tau = found.tau_interval
    return PoolLine(
        method="half-normal",
        estimate=found.median,
        interval=found.interval,
        prediction=found.prediction,
        tau2=found.tau_median**2,
        tau2_interval=replace(tau, low=tau.low**2, high=tau.high**2),
    )


def _scale_line(scale: Scale, fit: Effects, n: Array, v: Array, y: Array, spread: Spread, size: str) -> PoolLine:
    patients = freeman_tukey_size(n, size, variance=float(fit.se[0]) ** 2) if scale is Scale.FREEMAN_TUKEY else nan

    def shares(interval: Interval) -> Interval:
        if interval.reason is not None:
            return interval
        low, high = back([interval.low, interval.high], scale, n=patients)
        return replace(interval, low=float(low), high=float(high))

    return PoolLine(
        method=scale.value,
        estimate=float(back([fit.estimate], scale, n=patients)[0]),
        interval=shares(fit.interval),
        prediction=shares(prediction_interval(fit, spread)),
        tau2=fit.tau2,
        tau2_interval=q_profile(y, v, level=fit.level),
        reason=fit.reason,
    )


def _without_each(rows: Sequence[OutcomeRow], k: Array, n: Array, spread: Spread, level: float) -> tuple[PoolLine, ...]:
    if k.size < 3:
        return ()
    everyone = np.arange(k.size)
    fits = _fits(k, n, [np.delete(everyone, i) for i in everyone], level)
    return tuple(exact_line(fit, spread, row.label) for row, fit in zip(rows, fits, strict=True))


def _fits(k: Array, n: Array, subsets: Sequence[NDArray[np.intp]], level: float) -> list[BinomialNormal]:
    """Fit several sets of the studies at once: nearly all their time is in a kernel that lets other threads run."""

    def fit(those: NDArray[np.intp]) -> BinomialNormal:
        return binomial_normal(k[those], n[those], level, spread=False)

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        return list(workers.map(fit, subsets))


def _as_they_came(
    studies: Sequence[StudyLine], arrived: Mapping[str, date], k: Array, n: Array, spread: Spread, level: float
) -> tuple[PoolLine, ...]:
    if k.size < 2:
        return ()
    # Dates sort, and years where there are none; studies without either come last, in the order of the rows.
    rows = [one.row for one in studies]
    when = [arrived.get(row.study, date(row.year, 1, 1) if row.year else date.max) for row in rows]
    order = sorted(range(k.size), key=lambda i: (when[i], i))
    fits = _fits(k, n, [np.array(order[:m], dtype=np.intp) for m in range(2, k.size + 1)], level)
    following = (exact_line(fit, spread, rows[i].label) for i, fit in zip(order[1:], fits, strict=True))
    return (alone(studies[order[0]]), *following)
