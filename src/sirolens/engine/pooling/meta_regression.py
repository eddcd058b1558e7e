# SPDX-License-Identifier: Apache-2.0
"""Why studies differ: effects over covariates, and groups of studies compared.

Oracles: `statsmodels` weighted least squares at the variance found, printed tables, the closed form of two groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.pooling.between import Tau2Method, between
from sirolens.engine.pooling.random_effects import Effects, Width, random_effects
from sirolens.engine.pooling.weighted import checked_studies
from sirolens.engine.statistics.interval import Test, Undefined, no_test

__all__ = ["Regression", "Subgroups", "meta_regression", "subgroups"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A meta-regression.

    Parameters
    ----------
    fit : Effects
        Intercept first; `fit.omnibus` is QM, `fit.heterogeneity.q` is QE.
    tau2_without : float
        Variance between studies without covariates.
    r2 : float
        Share of it that the covariates explain, 0 to 1; nan when there is nothing to explain.
    studies_per_covariate : float
        Below ten a meta-regression is exploration.
    """

    fit: Effects
    tau2_without: float
    r2: float
    studies_per_covariate: float


def meta_regression(
    y: ArrayLike,
    v: ArrayLike,
    covariates: ArrayLike,
    *,
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
    level: float = 0.95,
) -> Regression:
    r"""Return effects over covariates, with an intercept added.

    .. math:: y_i = \beta_0 + x_i'\beta + u_i + e_i, \quad R^2 = \max\Bigl(0, 1 - \frac{\tau^2}{\tau_0^2}\Bigr)

    Parameters
    ----------
    y, v : array_like, shape (k,)
        Effects and variances.
    covariates : array_like, shape (k,) or (k, q)
        Any unit, finite.
    method, width, level
        As in `random_effects`.

    References
    ----------
    van Houwelingen HC, Arends LR, Stijnen T. Stat Med 2002;21:589-624. Raudenbush SW, 2009 (R2).

    Examples
    --------
    >>> found = meta_regression([0.0, 1.1, 1.9, 3.0], [0.1] * 4, [0, 1, 2, 3])
    >>> [round(float(b), 2) for b in found.fit.b]
    [0.03, 0.98]
    """
    effects, variances, ones = checked_studies(y, v)
    columns = np.asarray(covariates, dtype=np.float64)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or columns.shape[0] != effects.size:
        raise ValueError("one row of covariates for each study")
    fit = random_effects(effects, variances, np.column_stack([ones, columns]), method=method, width=width, level=level)
    before = between(effects, variances, method=method).tau2
    r2 = max(0.0, 1.0 - fit.tau2 / before) if before > 0 else nan
    return Regression(fit=fit, tau2_without=before, r2=r2, studies_per_covariate=effects.size / columns.shape[1])


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroups:
    """Groups of studies pooled apart.

    Parameters
    ----------
    names : tuple of str
        In the order of first appearance.
    fits : tuple of Effects
        One a group.
    between_groups : Test
        QM: the groups' effects are equal.
    common_tau2 : float or None
        The variance between studies that the groups share; None when each has its own.
    """

    names: tuple[str, ...]
    fits: tuple[Effects, ...]
    between_groups: Test
    common_tau2: float | None


def subgroups(
    y: ArrayLike,
    v: ArrayLike,
    groups: Sequence[str],
    *,
    common: bool = False,
    method: str = Tau2Method.REML,
    width: str = Width.KNAPP_HARTUNG,
    level: float = 0.95,
) -> Subgroups:
    r"""Return each group's pool, and the test that the groups do not differ.

    With own variances :math:`Q_M = \sum_g (\hat\mu_g-\bar\mu)^2/\operatorname{se}_g^2` against chi-square with G - 1
    degrees of freedom, the errors being Wald's; with a common variance QM of the regression on the groups, by `width`.

    Parameters
    ----------
    y, v : array_like, shape (k,)
    groups : sequence of str, length k
    common : bool
        Whether groups share one variance between studies: better with few studies a group, and an assumption.
    method, width, level
        As in `random_effects`.

    References
    ----------
    Borenstein M, Higgins JPT. Prev Sci 2013;14:134-143.

    Examples
    --------
    >>> found = subgroups([0.0, 0.2, 1.0, 1.2], [0.1] * 4, ["a", "a", "b", "b"], method="EE", width="wald")
    >>> found.names, round(found.between_groups.statistic, 6)
    (('a', 'b'), 10.0)
    """
    effects, variances, _ = checked_studies(y, v)
    if len(groups) != effects.size:
        raise ValueError(f"{effects.size} studies and {len(groups)} groups")
    names = tuple(dict.fromkeys(groups))
    member = np.array([[group == name for group in groups] for name in names], dtype=bool).reshape(-1, effects.size)
    tau2: float | None = None
    test = no_test("QM", Undefined.ONE_GROUP)
    if common:
        design = member.T.astype(np.float64)
        tau2 = between(effects, variances, design, method).tau2
    fits = tuple(
        random_effects(effects[own], variances[own], method=method, width=width, tau2=tau2, level=level)
        for own in member
    )
    if len(names) > 1:
        if common:
            against_first = np.column_stack([np.ones(effects.size), member[1:].T.astype(np.float64)])
            test = random_effects(effects, variances, against_first, method=method, width=width).omnibus
        else:
            wald = [random_effects(effects[own], variances[own], method=method, width=Width.WALD) for own in member]
            test = _between(np.array([fit.estimate for fit in wald]), np.array([fit.se[0] for fit in wald]))
    return Subgroups(names=names, fits=fits, between_groups=test, common_tau2=tau2)


def _between(means: np.typing.NDArray[np.float64], errors: np.typing.NDArray[np.float64]) -> Test:
    from scipy.special import chdtrc

    w = 1 / errors**2
    statistic = float(w @ (means - w @ means / w.sum()) ** 2)
    df = means.size - 1
    return Test(statistic=statistic, p_value=float(chdtrc(df, statistic)), method="QM-chi2", df=float(df))
