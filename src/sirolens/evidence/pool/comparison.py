# SPDX-License-Identifier: Apache-2.0
"""Extracted pairs of arms to one effect: odds, risks and means compared, with what is done about zero cells said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.pooling.between import Tau2Method, q_profile
from sirolens.engine.pooling.half_normal import normal_half_normal
from sirolens.engine.pooling.influence import baujat, cumulative, influence, leave_one_out
from sirolens.engine.pooling.random_effects import Effects, Spread, Width, prediction_interval, random_effects
from sirolens.engine.pooling.single_arm import EffectSizes
from sirolens.engine.pooling.small_study import LEAST_STUDIES, begg, egger, peters, trim_and_fill
from sirolens.engine.pooling.stratified import Stratified, mantel_haenszel, peto
from sirolens.engine.pooling.two_arm import Effect, ZeroCells, counts_effect, means_effect
from sirolens.engine.statistics.interval import Array, Interval, Test, Undefined, checked_level, no_interval, no_test
from sirolens.errors import InputError
from sirolens.evidence.extraction.outcome import ArmRole, OutcomeRow, Population
from sirolens.evidence.pool import messages as say
from sirolens.evidence.pool.pooled import Left, Pooled, PoolLine, StudyLine, alone
from sirolens.evidence.pool.rows import Chosen, chosen, once_each
from sirolens.evidence.pool.synthesis import FEW
from sirolens.message import Message, error, info

__all__ = ["PRIOR_SCALES", "compare", "effect_line"]

Flags = NDArray[np.bool_]

PRIOR_SCALES = {Effect.OR: 0.5, Effect.RR: 0.5, Effect.RD: 0.1, Effect.SMD: 0.5}
"""Of the half-normal prior of the spread, a judgement; a mean difference has none, since it depends on the unit."""

MEASURED = frozenset({Effect.MD, Effect.SMD})
"""Effects of means; the others are of counts."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    treated: OutcomeRow
    control: OutcomeRow


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    effect: Effect
    method: Tau2Method
    width: Width
    spread: Spread
    prior_scale: float | None
    level: float


def compare(
    rows: Iterable[OutcomeRow],
    *,
    outcome: str,
    timepoint: str,
    effect: str = Effect.OR,
    populations: Collection[Population] | None = None,
    partners: Collection[str] | None = None,
    subgroup: str | None = "",
    any_criteria: bool = False,
    zero: str = ZeroCells.ONLY_ZERO,
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
    spread: str = Spread.T_K_2,
    prior_scale: float | None = None,
    level: float = 0.95,
) -> Pooled:
    """Pool the effect of a treated against a control arm over comparative studies.

    Parameters
    ----------
    rows : iterable of OutcomeRow
        All extracted rows; those of the question with roles treated and control are paired by study and cohort.
    outcome, timepoint : str
        The question.
    effect : str
        OR, RR, RD, MD or SMD of `Effect`.
    populations, partners, subgroup, any_criteria
        As in `synthesis.pool`; `partners` are those of the treated arm.
    zero : str
        One of `ZeroCells`.
    method, width, spread : str
        `Tau2Method`, `Width`, `Spread`.
    prior_scale : float, optional
        Of the half-normal prior with few studies; `PRIOR_SCALES` when not given.
    level : float

    Raises
    ------
    InputError
        As `synthesis.pool`; also when means lack what an effect needs, or are in different units.

    Examples
    --------
    >>> arm = {"study": "S04", "outcome": "OR", "timepoint": "best"}
    >>> treated = OutcomeRow(**arm, k=25, n=43, role=ArmRole.TREATED, arm="rapamycin")
    >>> control = OutcomeRow(**arm, k=28, n=45, role=ArmRole.CONTROL, arm="ciclosporin")
    >>> found = compare([treated, control], outcome="OR", timepoint="best", effect="RR")
    >>> print(f"{found.studies[0].estimate:.2f}", found.main)
    0.93 None
    """
    how = _How(
        effect=Effect(effect),
        method=Tau2Method(method),
        width=Width(width),
        spread=Spread(spread),
        prior_scale=prior_scale if prior_scale is not None else PRIOR_SCALES.get(Effect(effect)),
        level=checked_level(level),
    )
    once = once_each(
        chosen(
            rows,
            outcome=outcome,
            timepoint=timepoint,
            populations=populations,
            roles=(ArmRole.TREATED, ArmRole.CONTROL),
            partners=None,
            subgroup=subgroup,
            any_criteria=any_criteria,
            counts=False,
        )
    )
    pairs, left = _pairs(once.rows, partners)
    sizes = _sizes(pairs, how.effect, zero)
    told = np.isfinite(sizes.y)
    left += [
        Left(row=pair.treated, reason="no-information") for pair, says in zip(pairs, told, strict=True) if not says
    ]
    picked = replace(once, left=(*once.left, *left))
    if not told.any():
        say.refuse_empty(outcome, timepoint, picked.left)
    used = [pair for pair, says in zip(pairs, told, strict=True) if says]
    kept = replace(sizes, y=sizes.y[told], v=sizes.v[told], corrected=sizes.corrected[told])
    return _compared(used, pairs, kept, picked, how)


def _compared(used: Sequence[_Pair], pairs: Sequence[_Pair], sizes: EffectSizes, picked: Chosen, how: _How) -> Pooled:
    """Return what studies that say something about the effect give; sums over tables take all pairs."""
    y, v = sizes.y, sizes.v
    fit = random_effects(y, v, method=how.method, width=how.width, level=how.level)
    some = y.size > 1
    main = effect_line(fit, how.effect, how.spread, y, v) if some else None
    beside, said = _beside(pairs, y, v, how) if some else ([], [])
    first = used[0].treated
    studies = _studies(used, sizes, fit.weights, how)
    return Pooled(
        outcome=first.outcome,
        timepoint=first.timepoint,
        effect=how.effect.value,
        studies=studies,
        main=main,
        beside=tuple(beside),
        heterogeneity=fit.heterogeneity,
        homogeneity=fit.heterogeneity.q,
        leave_one_out=_without_each(used, y, v, how) if y.size > 2 else (),
        cumulative=_came(used, studies, y, v, how) if some else (),
        influence=influence(y, v, method=how.method) if y.size > 2 else None,
        baujat=baujat(y, v) if some else None,
        y=y,
        v=v,
        scale=how.effect.value,
        egger=egger(y, v).test,
        peters=_peters(used, y, how.effect),
        begg=begg(y, v),
        filled=trim_and_fill(y, v, method=how.method, width=how.width) if y.size >= LEAST_STUDIES else None,
        left=picked.left,
        messages=(
            *picked.messages,
            *say.about_left(picked.left),
            *say.about_rows([row for pair in used for row in (pair.treated, pair.control)]),
            *_about_zeros(used, sizes.corrected, how.effect),
            *say.about_number(y.size, FEW),
            *say.about_prediction(main, how.spread),
            *(say.about_variance(main) if main is not None else ()),
            *_about_fit(fit),
            *said,
        ),
    )


def _beside(pairs: Sequence[_Pair], y: Array, v: Array, how: _How) -> tuple[list[PoolLine], list[Message]]:
    lines, said = [], []
    if y.size < FEW and how.prior_scale is not None:
        lines.append(_believed(y, v, how.effect, how.prior_scale, how.level))
        said.append(info("pooling.prior-effect", effect=how.effect.value, scale=how.prior_scale))
    return [*lines, *_sums(pairs, how.effect, how.level)], said


def _pairs(rows: Sequence[OutcomeRow], partners: Collection[str] | None) -> tuple[list[_Pair], list[Left]]:
    controls: dict[tuple[str, str, str], list[OutcomeRow]] = {}
    for row in rows:
        if row.role is ArmRole.CONTROL:
            controls.setdefault((row.study, row.cohort, row.subgroup), []).append(row)
    pairs, left, paired = [], [], set()
    for row in rows:
        if row.role is ArmRole.CONTROL:
            continue
        if partners is not None and set(row.partners) != set(partners):
            left.append(Left(row=row, reason="combination"))
            continue
        found = controls.get((row.study, row.cohort, row.subgroup), [])
        if len(found) > 1:
            raise InputError(error("pooling.control-unclear", study=row.label, count=len(found)))
        if not found:
            left.append(Left(row=row, reason="no-partner-arm"))
            continue
        pairs.append(_Pair(treated=row, control=found[0]))
        paired.add(id(found[0]))
    alone = [row for those in controls.values() for row in those if id(row) not in paired]
    left.extend(Left(row=row, reason="no-partner-arm") for row in alone)
    return pairs, left


def _column(pairs: Sequence[_Pair], side: str, name: str) -> Array:
    return np.array([getattr(getattr(pair, side), name) for pair in pairs], dtype=np.float64)


def _sizes(pairs: Sequence[_Pair], effect: Effect, zero: str) -> EffectSizes:
    needed = ("mean", "sd", "n") if effect in MEASURED else ("k", "n")
    missing = [row for pair in pairs for row in (pair.treated, pair.control) if _lacks(row, needed)]
    if missing:
        raise InputError(
            *(
                error(
                    "pooling.effect-needs",
                    study=row.label,
                    outcome=row.outcome,
                    timepoint=row.timepoint,
                    effect=effect.value,
                    needed=needed,
                )
                for row in missing
            )
        )
    columns = [_column(pairs, side, name) for side in ("treated", "control") for name in needed]
    if effect not in MEASURED:
        k1, n1, k2, n2 = columns
        return counts_effect(k1, n1, k2, n2, effect, zero)
    units = tuple(sorted({row.unit for pair in pairs for row in (pair.treated, pair.control)}))
    if effect is Effect.MD and len(units) > 1:
        first = pairs[0].treated
        raise InputError(error("pooling.units-mixed", outcome=first.outcome, timepoint=first.timepoint, units=units))
    mean1, sd1, of1, mean2, sd2, of2 = columns
    return means_effect(mean1, sd1, of1, mean2, sd2, of2, effect)


def _lacks(row: OutcomeRow, needed: Sequence[str]) -> bool:
    return any(getattr(row, name) is None for name in needed)


def _shown(value: float, effect: Effect) -> float:
    return exp(value) if effect.is_log else value


def _shown_interval(interval: Interval, effect: Effect) -> Interval:
    if interval.reason is not None or not effect.is_log:
        return interval
    return replace(interval, low=float(np.exp(interval.low)), high=float(np.exp(interval.high)))


def effect_line(fit: Effects, effect: Effect, spread: Spread, y: Array, v: Array, label: str = "") -> PoolLine:
    """Return a pool of effects as a line, in the units readers know."""
    return PoolLine(
        method="inverse-variance",
        estimate=_shown(fit.estimate, effect),
        interval=_shown_interval(fit.interval, effect),
        prediction=_shown_interval(prediction_interval(fit, spread), effect),
        tau2=fit.tau2,
        tau2_interval=q_profile(y, v, level=fit.level),
        label=label,
        reason=fit.reason,
    )


def _labelled(fits: Sequence[Effects], pairs: Sequence[_Pair], how: _How) -> tuple[PoolLine, ...]:
    none = np.empty(0)
    return tuple(
        effect_line(fit, how.effect, how.spread, none, none, pair.treated.label)
        for fit, pair in zip(fits, pairs, strict=True)
    )


def _without_each(pairs: Sequence[_Pair], y: Array, v: Array, how: _How) -> tuple[PoolLine, ...]:
    return _labelled(leave_one_out(y, v, method=how.method, width=how.width, level=how.level), pairs, how)


def _came(pairs: Sequence[_Pair], studies: Sequence[StudyLine], y: Array, v: Array, how: _How) -> tuple[PoolLine, ...]:
    years = [pair.treated.year for pair in pairs]
    order = sorted(range(len(pairs)), key=lambda i: (years[i] is None, years[i] or 0, i))
    fits = cumulative(y[order], v[order], method=how.method, width=how.width, level=how.level)
    return (alone(studies[order[0]]), *_labelled(fits[1:], [pairs[i] for i in order[1:]], how))


def _believed(y: Array, v: Array, effect: Effect, scale: float, level: float) -> PoolLine:
    found = normal_half_normal(y, v, scale, level)
    tau = found.tau_interval
    return PoolLine(
        method="half-normal",
        estimate=_shown(found.median, effect),
        interval=_shown_interval(found.interval, effect),
        prediction=_shown_interval(found.prediction, effect),
        tau2=found.tau_median**2,
        tau2_interval=replace(tau, low=tau.low**2, high=tau.high**2),
    )


def _sums(pairs: Sequence[_Pair], effect: Effect, level: float) -> list[PoolLine]:
    if effect not in (Effect.OR, Effect.RR, Effect.RD):
        return []
    k1, n1, k2, n2 = (_column(pairs, side, name) for side in ("treated", "control") for name in ("k", "n"))
    found: list[Stratified] = [mantel_haenszel(k1, n1, k2, n2, effect, level)]
    if effect is Effect.OR:
        found.append(peto(k1, n1, k2, n2, level))
    nothing = no_interval(level, "equal-effects", Undefined.NOT_IDENTIFIED)
    return [
        PoolLine(
            method=one.interval.method,
            estimate=_shown(one.estimate, effect),
            interval=_shown_interval(one.interval, effect),
            prediction=nothing,
            tau2=0.0,
            tau2_interval=nothing,
            reason=one.reason,
        )
        for one in found
    ]


def _studies(pairs: Sequence[_Pair], sizes: EffectSizes, weights: Array, how: _How) -> tuple[StudyLine, ...]:
    lines = []
    for i, pair in enumerate(pairs):
        y, v = sizes.y[i : i + 1], sizes.v[i : i + 1]
        own = random_effects(y, v, method=Tau2Method.EE, width=Width.WALD, level=how.level)
        lines.append(
            StudyLine(
                label=pair.treated.label,
                row=pair.treated,
                control=pair.control,
                estimate=_shown(own.estimate, how.effect),
                interval=_shown_interval(own.interval, how.effect),
                weight=float(weights[i]),
                corrected=bool(sizes.corrected[i]),
            )
        )
    return tuple(lines)


def _peters(pairs: Sequence[_Pair], y: Array, effect: Effect) -> Test:
    if effect is not Effect.OR:
        return no_test("peters", Undefined.NOT_IDENTIFIED)
    events = _column(pairs, "treated", "k") + _column(pairs, "control", "k")
    return peters(y, events, _column(pairs, "treated", "n") + _column(pairs, "control", "n")).test


def _about_zeros(pairs: Sequence[_Pair], corrected: Flags, effect: Effect) -> list[Message]:
    mended = tuple(pair.treated.label for pair, one in zip(pairs, corrected, strict=True) if one)
    if not mended:
        return []
    if effect is Effect.RD:
        return [info("pooling.variance-corrected", studies=mended)]
    return [info("pooling.zero-cells", studies=mended)]


def _about_fit(fit: Effects) -> list[Message]:
    messages = []
    if fit.k > 1 and fit.tau2 == 0:
        messages.append(info("pooling.no-spread"))
    if fit.k > 1 and np.isfinite(fit.df) and fit.scale < 1:
        messages.append(info("pooling.error-below-wald", scales=(info("pooling.scale-effect"),)))
    return messages
