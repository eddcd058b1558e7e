# SPDX-License-Identifier: Apache-2.0
"""What acts on what in a model, read off its equations: the arrows of its diagram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.network import Network, default_parameters, evaluate_rates, initial_state
from sirolens.engine.sampling import stream

__all__ = ["Influence", "influences"]

_POINTS = 64
_SPREAD = 0.4
_STEP = 1e-6
# Below this share of the largest slope of a rate, a difference is rounding and no influence.
_NOTHING = 1e-9
_LIVELY = 0.3  # where a state or a port begins at 0, so that its effect can be seen


@final
@dataclass(frozen=True, slots=True)
class Influence:
    """One arrow.

    Parameters
    ----------
    source, target : str
        A state or a port, and the state whose rate it changes.
    sign : int
        +1 raises, -1 lowers, 0 either, as the state of the patient decides.
    """

    source: str
    target: str
    sign: int


def influences(
    network: Network, *, typical: Mapping[str, float] = MappingProxyType({}), seed: int = 1
) -> tuple[Influence, ...]:
    """Find which state or port changes the rate of which other state, and in which direction.

    The sign is that of the partial derivative dX'_i / dx_j at many points around the start; a state's effect on
    its own rate is left out.

    Parameters
    ----------
    network : Network
        The model.
    typical : mapping of str to float, optional
        Values around which states and ports are looked at; else a state's start and 1 for a port.
    seed : int
        Of the points.

    Returns
    -------
    tuple of Influence
        By target, then by source, in the order of the model.

    Examples
    --------
    >>> from sirolens.engine.sbml import read_antimony
    >>> prey = "model m() X=1; Y=2; a=1; X' = a*X - X*Y; Y' = X*Y - Y; end"
    >>> [(one.source, one.target, one.sign) for one in influences(read_antimony(prey))]
    [('Y', 'X', -1), ('X', 'Y', 1)]
    """
    generator = stream(seed, "diagram")
    parameters = np.repeat(default_parameters(network), _POINTS, axis=1)
    start = initial_state(network, parameters)
    start = np.where(start == 0.0, _LIVELY, start)
    for name, value in typical.items():
        if name in network.states:
            start[network.states.index(name)] = value
    state = start * np.exp(_SPREAD * generator.standard_normal(start.shape))
    usual = np.array([typical.get(name, 1.0) for name in network.inputs]).reshape(-1, 1)
    inputs = usual * np.exp(_SPREAD * generator.standard_normal((len(network.inputs), _POINTS)))
    found = []
    slopes = {
        name: _slopes(network, parameters, state, inputs, place)
        for place, name in enumerate((*network.states, *network.inputs))
    }
    largest = np.max([np.abs(slope) for slope in slopes.values()], axis=0)
    for index, target in enumerate(network.states):
        for source, slope in slopes.items():
            if source != target and (sign := _sign(slope[index], largest[index])) is not None:
                found.append(Influence(source, target, sign))
    return tuple(found)


def _slopes(
    network: Network,
    parameters: NDArray[np.float64],
    state: NDArray[np.float64],
    inputs: NDArray[np.float64],
    place: int,
) -> NDArray[np.float64]:
    """Return d rate / d log x for one state or port: central differences, relative, so that units do not matter."""
    both = []
    for factor in (1.0 + _STEP, 1.0 - _STEP):
        moved, told = state.copy(), inputs.copy()
        if place < len(state):
            moved[place] *= factor
        else:
            told[place - len(state)] *= factor
        both.append(evaluate_rates(network, moved, parameters, told, 0.0))
    return (both[0] - both[1]) / (2.0 * _STEP)


def _sign(slope: NDArray[np.float64], largest: NDArray[np.float64]) -> int | None:
    real = np.abs(slope) > _NOTHING * largest + 1e-12
    if not real.any():
        return None
    raises, lowers = bool((slope[real] > 0).any()), bool((slope[real] < 0).any())
    return 0 if raises and lowers else 1 if raises else -1
