# SPDX-License-Identifier: Apache-2.0
"""Steady states of the model: is the untreated patient one, is it stable, and what is the tolerant one, health?

Reference code, exact and not fast: slopes come from the derivatives of the formulas, by the chain rule through the
definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.expression import Expression, derivative, evaluate
from sirolens.engine.network import TIME, Network, evaluate_rates, initial_state

__all__ = ["TOLERANT_HELP", "jacobian", "settle", "tolerant_state"]

Array = NDArray[np.float64]

TOLERANT_HELP = 0.05
"""Where the search for the tolerant state begins: help, and all that help keeps alive, as a share of the baseline."""
_FIRST_STEP_D = 0.25
_GROWTH = 1.7
_STEPS = 40
_SETTLED = 1e-9  # |dX/dt| relative to X, per day


def jacobian(
    network: Network, state: ArrayLike, parameters: ArrayLike, inputs: ArrayLike = (), time: ArrayLike = 0.0
) -> Array:
    """Compute d(dX/dt)/dX, exactly.

    Parameters
    ----------
    network : Network
        The model.
    state : array_like, shape (n_states, N)
        In the order of `network.states`.
    parameters : array_like, shape (n_parameters, N)
        In the order of `network.parameters`.
    inputs : array_like, shape (n_inputs, N)
        What the ports give.
    time : array_like
        In the model's unit.

    Returns
    -------
    ndarray, shape (N, n_states, n_states)
        Row: the rate, column: the state.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> decay = Network(
    ...     name="decay", states=("A",), parameters=("k",), values={"k": 0.5},
    ...     initial={"A": parse("8")}, rates={"A": parse("-loss")}, definitions={"loss": parse("k * A^2")},
    ... )
    >>> jacobian(decay, [[4.0]], [[0.5]])
    array([[[-4.]]])
    """
    given = np.asarray(state, dtype=np.float64)
    patients = given.shape[1]
    known: dict[str, Array] = dict(zip(network.parameters, np.asarray(parameters, dtype=np.float64), strict=True))
    for name, formula in network.constants.items():
        known[name] = evaluate(formula, known)
    known.update(zip(network.states, given, strict=True))
    known.update(zip(network.inputs, np.asarray(inputs, dtype=np.float64), strict=True))
    known[TIME] = np.asarray(time, dtype=np.float64)
    # The slope of a name with respect to every state: one row of the identity for a state, by the chain rule else.
    slopes: dict[str, Array] = {}
    for i, name in enumerate(network.states):
        slopes[name] = np.zeros((len(network.states), patients))
        slopes[name][i] = 1.0
    for name, formula in network.definitions.items():
        known[name] = evaluate(formula, known)
        chained = _chained(formula, known, slopes)
        if chained is not None:
            slopes[name] = chained
    out = np.zeros((patients, len(network.states), len(network.states)))
    for i, name in enumerate(network.states):
        chained = _chained(network.rates[name], known, slopes)
        if chained is not None:
            out[:, i, :] = chained.T
    return out


@lru_cache(maxsize=4096)
def _slope(formula: Expression, name: str) -> Expression:
    return derivative(formula, name)


def _chained(formula: Expression, known: Mapping[str, Array], slopes: Mapping[str, Array]) -> Array | None:
    parts = [slopes[name] * evaluate(_slope(formula, name), known) for name in sorted(formula.names) if name in slopes]
    return np.sum(parts, axis=0) if parts else None


def settle(
    network: Network, state: ArrayLike, parameters: ArrayLike, inputs: ArrayLike = (), *, steps: int = _STEPS
) -> tuple[Array, NDArray[np.bool_]]:
    """Follow every patient to the steady state that the given state leads to.

    Linearly implicit Euler steps of growing length: a damped march that ends as Newton's method.

    Returns
    -------
    settled : ndarray, shape (n_states, N)
    found : ndarray of bool, shape (N,)
        Whether the rates there vanish, and all states are finite and not negative.
    """
    current = np.array(state, dtype=np.float64)
    step = _FIRST_STEP_D
    identity = np.eye(len(network.states))
    for _ in range(steps):
        rate = evaluate_rates(network, current, parameters, inputs)
        slope = jacobian(network, current, parameters, inputs)
        change = np.linalg.solve(identity / step - slope, rate.T[:, :, np.newaxis])[:, :, 0].T
        # What would fall below a tenth of itself falls to a tenth: no state of the model may become negative.
        current = np.maximum(current + change, 0.1 * current)
        step *= _GROWTH
    rate = evaluate_rates(network, current, parameters, inputs)
    scale = np.maximum(np.abs(current), 1e-6)
    found = np.isfinite(current).all(axis=0) & (current >= 0.0).all(axis=0)
    return current, found & np.all(np.abs(rate) <= _SETTLED * scale, axis=0)


def tolerant_state(
    network: Network, parameters: ArrayLike, inputs: ArrayLike | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Find health: the steady state of the same equations in which help is low.

    Parameters
    ----------
    network : Network
        The ITP model.
    parameters : array_like, shape (n_parameters, N)
        In the order of `network.parameters`.
    inputs : array_like, shape (n_inputs, N), optional
        By default every port is 0: no drug, no flare.

    Returns
    -------
    state : ndarray, shape (n_states, N)
    found : ndarray of bool, shape (N,)
        Whether it exists; some patients have no tolerant state near.
    """
    start = initial_state(network, parameters)
    index = {name: i for i, name in enumerate(network.states)}
    for name in ("H", "B", "PB", "PL", "Ab"):
        start[index[name]] *= TOLERANT_HELP
    given = np.zeros((len(network.inputs), start.shape[1])) if inputs is None else inputs
    state, found = settle(network, start, parameters, given)
    return state, found & (state[index["H"]] < 0.5)
