# SPDX-License-Identifier: Apache-2.0
"""From covariates to typical parameters, with the rule for each covariate that is missing.

A missing value is never filled in silently. ``reference`` uses a stated value and says so; ``ask`` computes nothing
until it is answered or integrated over (`missing_values`); ``refuse`` is an error. A value that can only be a slip of
unit (a haematocrit of 0.38 where percent is meant) is refused before it can move a clearance by a factor of 63.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.expression import evaluate
from sirolens.engine.kernel import kernel
from sirolens.engine.linear import NEUTRAL, PARAMETERS
from sirolens.errors import InputError
from sirolens.message import Message, Severity, error, info, warning
from sirolens.models.population import Covariate, PopulationModel, parameter_names
from sirolens.models.vocabulary import covariate_word
from sirolens.units import CANONICAL, convert

__all__ = ["Completed", "complete", "missing_values", "theta_values", "to_model_unit", "typical", "uncertain_thetas"]

Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """Covariates as the formulas will see them.

    Parameters
    ----------
    values : mapping of str to ndarray (n,)
        Every covariate of the model; not-a-number where it is missing and must be asked for.
    messages : tuple of Message
        What was assumed, moved to the end of a range, asked for or refused.
    """

    values: Mapping[str, Array]
    messages: tuple[Message, ...]


def to_model_unit(covariate: Covariate, canonical: ArrayLike) -> Array:
    """Turn a value in the canonical unit of its quantity (`sirolens.units`) into the unit the formula expects.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> haematocrit = load("mao_2024").covariates[0]
    >>> haematocrit.unit, float(to_model_unit(haematocrit, 38.0))
    ('%', 38.0)
    """
    value = np.asarray(canonical, dtype=np.float64)
    if covariate.quantity not in CANONICAL or covariate.unit == CANONICAL[covariate.quantity]:
        return value
    return np.asarray(value / convert(1.0, covariate.unit, covariate.quantity).value)


def _count(values: Mapping[str, ArrayLike]) -> int:
    return max((np.asarray(value).size for value in values.values()), default=1)


def _say_missing(covariate: Covariate, count: int, model: str) -> Message:
    name, unit = covariate_word(covariate.name, covariate.chart), covariate.unit
    if covariate.when_missing == "reference":
        value = covariate.missing_value
        if covariate.quantity == "indicator":
            code = "models.indicator-taken-as-yes" if value else "models.indicator-taken-as-no"
            return info(code, covariate=name, model=model, patients=count)
        return info("models.covariate-assumed", covariate=name, value=value, unit=unit, model=model, patients=count)
    if covariate.when_missing == "ask":
        return warning("models.covariate-asked", covariate=name, unit=unit, model=model, patients=count)
    return error("models.covariate-refused", covariate=name, unit=unit, model=model, patients=count)


def _implausible(covariate: Covariate, values: Array, model: str) -> Message | None:
    low = -np.inf if covariate.least is None else covariate.least
    high = np.inf if covariate.most is None else covariate.most
    outside = (values < low) | (values > high)
    if covariate.quantity == "indicator":
        outside = (values != 0.0) & (values != 1.0) & ~np.isnan(values)
        low, high = 0.0, 1.0
    if not outside.any():
        return None
    first = float(values[np.argmax(outside)])
    return error(
        "models.covariate-implausible",
        covariate=covariate_word(covariate.name, covariate.chart),
        value=first,
        unit=covariate.unit,
        low=float(low),
        high=float(high),
        model=model,
    )


def _clamped(covariate: Covariate, values: Array, model: str) -> tuple[Array, Message | None]:
    if covariate.clamp is None:
        return values, None
    low, high = covariate.clamp
    moved = np.clip(values, low, high)
    outside = ~np.isnan(values) & (moved != values)
    if not outside.any():
        return values, None
    at = int(np.argmax(outside))
    said = warning(
        "models.covariate-clamped",
        covariate=covariate_word(covariate.name, covariate.chart),
        value=float(values[at]),
        used=float(moved[at]),
        unit=covariate.unit,
        model=model,
    )
    return moved, said


def complete(model: PopulationModel, values: Mapping[str, ArrayLike]) -> Completed:
    """Apply the missing-value rule, the plausible range and the clamp of every covariate.

    Parameters
    ----------
    model : PopulationModel
        Whose covariates.
    values : mapping of str to array_like, shape (n,) or ()
        In the units the model declares; not-a-number or an absent name means missing. Other names are ignored.

    Returns
    -------
    Completed
        All covariates as arrays of shape (n,), and the messages: severity ERROR where a value is refused.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> done = complete(load("jiao_2009"), {"TC": [4.7]})
    >>> float(done.values["CSA"][0]), [message.code for message in done.messages]
    (0.0, ['models.covariate-assumed', 'models.indicator-taken-as-no', 'models.indicator-taken-as-no'])
    """
    names = {covariate.name for covariate in model.covariates}
    given = {
        name: np.atleast_1d(np.asarray(value, dtype=np.float64)) for name, value in values.items() if name in names
    }
    n = _count(given)
    completed: dict[str, Array] = {}
    messages: list[Message | None] = []
    for covariate in model.covariates:
        raw = np.array(np.broadcast_to(given.get(covariate.name, np.full(1, np.nan)), (n,)))
        missing = np.isnan(raw)
        if missing.any():
            messages.append(_say_missing(covariate, int(missing.sum()), model.label))
            if covariate.when_missing == "reference":
                raw[missing] = covariate.missing_value
        messages.append(_implausible(covariate, raw, model.label))
        completed[covariate.name], clamped = _clamped(covariate, raw, model.label)
        messages.append(clamped)
    return Completed(values=completed, messages=tuple(message for message in messages if message is not None))


@kernel
def _log_normal(median: float, log_sd: float, normal: Array, out: Array) -> None:
    for i in range(normal.size):
        out[i] = median * np.exp(log_sd * normal[i])


def missing_values(covariate: Covariate, normal: ArrayLike) -> Array | None:
    """Turn standard normal numbers into values a missing covariate may have.

    ::

        median * exp(log_sd * z), kept inside the plausible range

    Parameters
    ----------
    covariate : Covariate
        The missing one.
    normal : array_like
        Standard normal numbers z.

    Returns
    -------
    ndarray or None
        The same shape; None when the model states no spread, so that there is nothing to integrate over.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> cholesterol = load("jiao_2009").covariates[0]
    >>> missing_values(cholesterol, [0.0])
    array([4.7])
    """
    if covariate.spread is None:
        return None
    z = np.ascontiguousarray(normal, dtype=np.float64)
    out = np.empty(z.shape)
    _log_normal(covariate.spread.median, covariate.spread.log_sd, z.ravel(), out.reshape(-1))
    low = -np.inf if covariate.least is None else covariate.least
    high = np.inf if covariate.most is None else covariate.most
    return np.clip(out, low, high)


def uncertain_thetas(model: PopulationModel) -> tuple[str, ...]:
    """Name the thetas whose uncertainty was published: those with a standard error that were not fixed.

    >>> from sirolens.models.catalog import load
    >>> uncertain_thetas(load("mao_2024"))
    ('CL', 'V', 'HCT_CL')
    """
    return tuple(theta.name for theta in model.thetas if theta.rse_percent is not None and not theta.fixed)


def theta_values(model: PopulationModel, normal: ArrayLike) -> dict[str, Array]:
    """Turn standard normal numbers into thetas drawn from their published uncertainty.

    ::

        theta * exp(s z),  s^2 = log(1 + (rse / 100)^2)

    so that no theta changes its sign. Correlations between thetas were not published: none are used.

    Parameters
    ----------
    model : PopulationModel
        The model.
    normal : array_like, shape (n, k)
        Standard normal numbers, one column for each of `uncertain_thetas`.

    Returns
    -------
    dict of str to ndarray (n,)
        For the argument `thetas` of `typical`.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> {name: float(value[0]) for name, value in theta_values(load("mao_2024"), np.zeros((1, 3))).items()}
    {'CL': 7.09, 'V': 496.0, 'HCT_CL': -0.901}
    """
    z = np.asarray(normal, dtype=np.float64)
    known = {theta.name: theta for theta in model.thetas}
    drawn = {}
    for column, name in enumerate(uncertain_thetas(model)):
        theta = known[name]
        log_sd = math.sqrt(math.log1p(((theta.rse_percent or 0.0) / 100.0) ** 2))
        out = np.empty(z.shape[0])
        _log_normal(theta.value, log_sd, np.ascontiguousarray(z[:, column]), out)
        drawn[name] = out
    return drawn


def typical(
    model: PopulationModel, values: Mapping[str, ArrayLike], *, thetas: Mapping[str, ArrayLike] | None = None
) -> Array:
    """Compute typical parameters from covariates.

    Parameters
    ----------
    model : PopulationModel
        Whose formulas.
    values : mapping of str to array_like, shape (n,) or ()
        Covariates in the units the model declares. The rules of `complete` are applied first.
    thetas : mapping of str to array_like, shape (n,) or (), optional
        Values to use instead of the published ones, such as draws of their uncertainty.

    Returns
    -------
    ndarray, shape (n, n_parameters)
        In the order of `population.parameter_names`; neutral values where the model has no parameter.

    Raises
    ------
    InputError
        A covariate is missing that must be asked for, refused or implausible; a parameter is not positive.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> golubovic = load("golubovic_2019")
    >>> typical(golubovic, {"AGE": [44.0, 25.0], "AST": 20.0})[:, 0].round(3)
    array([7.466, 9.51 ])
    """
    done = complete(model, values)
    refused = [message for message in done.messages if message.severity is Severity.ERROR]
    for covariate in model.covariates:
        if covariate.when_missing == "ask" and np.isnan(done.values[covariate.name]).any():
            name = covariate_word(covariate.name, covariate.chart)
            refused.append(error("models.covariate-needed", covariate=name, unit=covariate.unit, model=model.label))
    if refused:
        raise InputError(*refused)
    used: dict[str, ArrayLike] = {theta.name: theta.value for theta in model.thetas}
    used |= dict(thetas or {})
    used |= dict(done.values)
    n = max(_count(done.values), _count(dict(thetas or {})))
    names = parameter_names(model)
    out = np.empty((n, len(names)))
    if names == PARAMETERS:
        out[:] = NEUTRAL
    for parameter in model.parameters:
        out[:, names.index(parameter.name)] = evaluate(parameter.formula, used)
    _check(model, out, names)
    return out


def _check(model: PopulationModel, typical_values: Array, names: tuple[str, ...]) -> None:
    """A clearance or volume that a formula drives to zero or below is an extrapolation, not a patient."""
    for parameter in model.parameters:
        column = typical_values[:, names.index(parameter.name)]
        least = -np.inf if model.system is not None else 0.0
        wrong = ~np.isfinite(column) | (column < least) | ((column == 0.0) & (parameter.name in ("cl_l_h", "v1_l")))
        if wrong.any():
            value = float(column[np.argmax(wrong)])
            raise InputError(
                error("models.parameter-impossible", parameter=parameter.name, value=value, model=model.label)
            )
