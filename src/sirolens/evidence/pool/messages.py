# SPDX-License-Identifier: Apache-2.0
"""What a pooled number does not say by itself, as messages: few studies, edges, priors, quantiles, refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

import numpy as np

from sirolens.engine.pooling.binomial_normal import BinomialNormal
from sirolens.engine.pooling.random_effects import Effects, Spread
from sirolens.engine.pooling.single_arm import FreemanTukeySize, Scale, back, freeman_tukey_size
from sirolens.engine.pooling.small_study import LEAST_STUDIES
from sirolens.engine.statistics.interval import Array, Undefined
from sirolens.errors import InputError
from sirolens.evidence.extraction.outcome import OutcomeRow
from sirolens.evidence.pool.pooled import Left, PoolLine
from sirolens.message import Message, error, info, warning
from sirolens.source import Mark

__all__ = [
    "about_left",
    "about_number",
    "about_prediction",
    "about_rows",
    "about_scales",
    "about_shares",
    "about_variance",
    "refuse_empty",
]

_LEFT = {
    "subgroup": "pooling.left-subgroup",
    "comparative": "pooling.left-comparative",
    "single-arm": "pooling.left-single-arm",
    "combination": "pooling.left-combination",
    "population": "pooling.left-population",
    "no-partner-arm": "pooling.left-no-partner-arm",
    "no-information": "pooling.left-no-information",
}
_SIZES = {
    FreemanTukeySize.HARMONIC: "pooling.size-harmonic",
    FreemanTukeySize.GEOMETRIC: "pooling.size-geometric",
    FreemanTukeySize.ARITHMETIC: "pooling.size-arithmetic",
    FreemanTukeySize.INVERSE_VARIANCE: "pooling.size-inverse-variance",
    FreemanTukeySize.INFINITE: "pooling.size-infinite",
}
_SCALES = {
    Scale.LOGIT: "pooling.scale-logit",
    Scale.LOG: "pooling.scale-log",
    Scale.ARCSINE: "pooling.scale-arcsine",
    Scale.FREEMAN_TUKEY: "pooling.scale-freeman-tukey",
}


def _labels(rows: Iterable[OutcomeRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.label for row in rows))


def refuse_empty(outcome: str, timepoint: str, left: Sequence[Left]) -> NoReturn:
    """Raise for a question that no study is left to answer, with why each is not."""
    raise InputError(error("pooling.nothing-left", outcome=outcome, timepoint=timepoint), *about_left(left))


def about_left(left: Sequence[Left]) -> list[Message]:
    """Return who is not in the pool; cohorts that share patients were told when they were sorted out."""
    messages = []
    for reason, code in _LEFT.items():
        rows = [one.row for one in left if one.reason == reason]
        if rows:
            messages.append(info(code, studies=_labels(rows)))
    uncounted = [one.row for one in left if one.reason == "no-counts"]
    if uncounted:
        messages.append(warning("pooling.left-no-counts", studies=_labels(uncounted)))
    return messages


def about_rows(rows: Sequence[OutcomeRow]) -> list[Message]:
    """Return which counts are not printed but derived."""
    derived = [row for row in rows if row.mark is not Mark.SEEN]
    return [info("pooling.derived-counts", studies=_labels(derived))] if derived else []


def about_number(k: int, few: int) -> list[Message]:
    """Return how few studies there are, and that tests of asymmetry are refused."""
    messages = []
    if k == 1:
        messages.append(warning("pooling.one-study"))
    elif k == 2:
        messages.append(warning("pooling.two-studies"))
    elif k < few:
        messages.append(warning("pooling.few-studies", count=k))
    if k < LEAST_STUDIES:
        messages.append(info("pooling.asymmetry-refused", count=k, least=LEAST_STUDIES))
    return messages


def about_prediction(line: PoolLine | None, spread: Spread) -> list[Message]:
    """Return which quantile the prediction interval takes, or why there is none."""
    if line is None or line.reason is not None:
        return []
    if line.prediction.reason is not None:
        return [warning("pooling.prediction-missing", quantile=spread.value)]
    return [info("pooling.prediction", quantile=spread.value)]


def about_variance(line: PoolLine) -> list[Message]:
    """Return that no variance between studies is compatible with effects as alike as these."""
    return [info("pooling.no-variance-interval")] if line.tau2_interval.reason is Undefined.ALL_EQUAL else []


def about_shares(
    rows: Sequence[OutcomeRow],
    exact: BinomialNormal | None,
    prior_scale: float | None,
    line: PoolLine | None,
    spread: Spread,
    few: int,
) -> list[Message]:
    """Return what must be said beside shares pooled by the binomial-normal model."""
    messages = about_number(len(rows), few)
    at_edge = [row for row in rows if row.k == 0 or row.k == row.n]
    if at_edge:
        messages.append(info("pooling.at-edge", studies=_labels(at_edge)))
    if exact is not None:
        messages.extend(_about_exact(exact))
    messages.extend(about_prediction(line, spread))
    if prior_scale is not None:
        # Roever et al. 2021 (doi 10.1002/jrsm.1475) find no agreed value of the scale: the text says it is a judgement.
        messages.append(info("pooling.prior", scale=prior_scale))
    return messages


def _about_exact(fit: BinomialNormal) -> list[Message]:
    if fit.reason is Undefined.NOT_IDENTIFIED:
        return [warning("pooling.separated")]
    messages = []
    if fit.reason is Undefined.NO_EVENTS:
        messages.append(warning("pooling.all-at-edge", share_percent=100 * fit.share))
    elif fit.tau == 0:
        messages.append(info("pooling.no-spread"))
    if fit.interval.reason is not None:
        messages.append(warning("pooling.limit-not-reached"))
    if fit.tau_interval.reason is Undefined.NOT_REACHED:
        messages.append(info("pooling.spread-unbounded"))
    return messages


def about_scales(fits: Mapping[Scale, Effects], n: Array, size: str) -> list[Message]:
    """Return what must be said of the scales beside: the way back, narrow intervals, several maxima."""
    if n.size < 2:
        return []
    messages = [info("pooling.scales")]
    fit = fits[Scale.FREEMAN_TUKEY]
    variance = float(fit.se[0]) ** 2
    ways = [
        100 * float(back([fit.estimate], Scale.FREEMAN_TUKEY, n=freeman_tukey_size(n, one, variance=variance))[0])
        for one in FreemanTukeySize
        if variance > 0 or one is not FreemanTukeySize.INVERSE_VARIANCE
    ]
    messages.append(
        info(
            "pooling.way-back",
            size=info(_SIZES[FreemanTukeySize(size)]),
            low_percent=min(ways),
            high_percent=max(ways),
        )
    )
    narrow = tuple(info(_SCALES[scale]) for scale, one in fits.items() if np.isfinite(one.df) and one.scale < 1)
    if narrow:
        messages.append(info("pooling.error-below-wald", scales=narrow))
    several = tuple(info(_SCALES[scale]) for scale, one in fits.items() if len(one.between.maxima) > 1)
    if several:
        messages.append(warning("pooling.several-maxima", scales=several))
    return messages
