# SPDX-License-Identifier: Apache-2.0
"""What one study does to the pool: the pool without it, the pool as studies came in, and how far each pulls.

Oracles: the definitions, by fitting again without the study; closed forms of equal effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.between import Tau2Method
from sirolens.engine.pooling.random_effects import Effects, Width, random_effects
from sirolens.engine.pooling.weighted import checked_studies
from sirolens.engine.statistics.interval import Array

__all__ = ["Baujat", "Influence", "baujat", "cumulative", "influence", "leave_one_out"]


def leave_one_out(
    y: ArrayLike, v: ArrayLike, *, method: str = Tau2Method.REML, width: str = Width.KNAPP_HARTUNG, level: float = 0.95
) -> tuple[Effects, ...]:
    """Return the pool without each study in turn.

    Parameters
    ----------
    y, v : array_like, shape (k,)
        Effects and variances of at least two studies.
    method, width, level
        As in `random_effects`.

    Examples
    --------
    >>> [round(fit.estimate, 2) for fit in leave_one_out([0.0, 1.0, 2.0], [1.0, 1.0, 1.0])]
    [1.5, 1.0, 0.5]
    """
    effects, variances, _ = checked_studies(y, v)
    if effects.size < 2:
        return ()
    rest = ~np.eye(effects.size, dtype=bool)
    return tuple(
        random_effects(effects[keep], variances[keep], method=method, width=width, level=level) for keep in rest
    )


def cumulative(
    y: ArrayLike, v: ArrayLike, *, method: str = Tau2Method.REML, width: str = Width.KNAPP_HARTUNG, level: float = 0.95
) -> tuple[Effects, ...]:
    """Return the pool of the first study, the first two, and so on, in the order given.

    Parameters
    ----------
    y, v : array_like, shape (k,)
        In the order in which studies came in.
    method, width, level
        As in `random_effects`.

    Examples
    --------
    >>> [round(fit.estimate, 2) for fit in cumulative([0.0, 1.0, 2.0], [1.0, 1.0, 1.0])]
    [0.0, 0.5, 1.0]
    """
    effects, variances, _ = checked_studies(y, v)
    return tuple(
        random_effects(effects[:m], variances[:m], method=method, width=width, level=level)
        for m in range(1, effects.size + 1)
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """How far each study pulls; arrays of shape (k,), nan where leaving it out leaves too few.

    Parameters
    ----------
    residual : Array
        Studentised deleted residual: the study against the pool of the others, in its own error.
    dffits : Array
        Change of its fitted value when it leaves, in errors.
    cook : Array
        Cook's distance: squared change of the pooled effect, in its variance.
    cov_ratio : Array
        Variance of the pooled effect without it over that with it; above 1 it adds precision.
    tau2_without, q_without : Array
        Variance between, and Q, of the others.
    hat, weight : Array
        Its leverage and its share of the weight.
    """

    residual: Array
    dffits: Array
    cook: Array
    cov_ratio: Array
    tau2_without: Array
    q_without: Array
    hat: Array
    weight: Array


def influence(y: ArrayLike, v: ArrayLike, *, method: str = Tau2Method.REML) -> Influence:
    r"""Return the diagnostics of Viechtbauer and Cheung; each deletion estimates the variance between anew.

    .. math::
        t_i = \frac{y_i - \hat\mu_{(-i)}}{\sqrt{v_i + \hat\tau^2_{(-i)} + \operatorname{Var}\hat\mu_{(-i)}}}, \quad
        \text{DFFITS}_i = \frac{\hat\mu - \hat\mu_{(-i)}}{\sqrt{h_i(\hat\tau^2_{(-i)} + v_i)}}, \quad
        D_i = \frac{(\hat\mu-\hat\mu_{(-i)})^2}{\operatorname{Var}\hat\mu}

    Parameters
    ----------
    y, v : array_like, shape (k,)
    method : str
        One of `Tau2Method`; errors are Wald's.

    References
    ----------
    Viechtbauer W, Cheung MWL. Res Synth Methods 2010;1:112-125.

    Examples
    --------
    >>> found = influence([0.0, 0.1, 0.2, 3.0], [0.1, 0.1, 0.1, 0.1])
    >>> int(np.argmax(found.cook))
    3
    """
    effects, variances, _ = checked_studies(y, v)
    k = effects.size
    whole = random_effects(effects, variances, method=method, width=Width.WALD)
    rows = []
    for i, rest in enumerate(leave_one_out(effects, variances, method=method, width=Width.WALD)):
        if rest.k < 2:
            rows.append((nan,) * 6)
            continue
        error = rest.se[0]
        hat = whole.weights[i]  # with one column leverage and share of the weight are one
        moved = whole.estimate - rest.estimate
        rows.append(
            (
                (effects[i] - rest.estimate) / np.sqrt(variances[i] + rest.tau2 + error**2),
                moved / np.sqrt(hat * (rest.tau2 + variances[i])),
                (moved / whole.se[0]) ** 2,
                (error / whole.se[0]) ** 2,
                rest.tau2,
                rest.heterogeneity.q.statistic,
            )
        )
    table = np.array(rows, dtype=np.float64).reshape(-1, 6) if rows else np.full((k, 6), nan)
    residual, dffits, cook, ratio, tau2, q = table.T
    return Influence(
        residual=residual,
        dffits=dffits,
        cook=cook,
        cov_ratio=ratio,
        tau2_without=tau2,
        q_without=q,
        hat=whole.weights,
        weight=whole.weights,
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Baujat:
    """The two axes of Baujat's plot; arrays of shape (k,).

    Parameters
    ----------
    heterogeneity : Array
        Each study's part of Q; the parts sum to Q.
    influence : Array
        Squared change of the pooled effect when it leaves, in the variance of the effect without it.
    """

    heterogeneity: Array
    influence: Array


def baujat(y: ArrayLike, v: ArrayLike) -> Baujat:
    r"""Return which studies make heterogeneity and which move the pool, with equal effects.

    .. math:: \frac{(y_i - \hat\mu)^2}{v_i}, \qquad
        \frac{(\hat\mu - \hat\mu_{(-i)})^2}{\operatorname{Var}\hat\mu_{(-i)}}

    Parameters
    ----------
    y, v : array_like, shape (k,)

    References
    ----------
    Baujat B et al. Stat Med 2002;21:2641-2652.

    Examples
    --------
    >>> baujat([0.0, 2.0], [1.0, 1.0]).heterogeneity
    array([1., 1.])
    """
    effects, variances, _ = checked_studies(y, v)
    if effects.size < 2:
        return Baujat(heterogeneity=np.zeros(effects.size), influence=np.full(effects.size, nan))
    w = 1 / variances
    total = w.sum()
    mean = float(w @ effects / total)
    without = (total * mean - w * effects) / (total - w)
    return Baujat(heterogeneity=w * (effects - mean) ** 2, influence=(mean - without) ** 2 * (total - w))
