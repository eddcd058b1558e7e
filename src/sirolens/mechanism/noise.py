# SPDX-License-Identifier: Apache-2.0
"""What a laboratory would print of a simulated patient: counts, flow-cytometry percentages and cytokines with noise.

How large the noise is stands in the register (``noise`` entries). The equations never see it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.sampling import lognormal, normal_quantile
from sirolens.errors import InputError
from sirolens.mechanism.assumptions import Noise
from sirolens.mechanism.draws import patient_rows
from sirolens.message import error

__all__ = ["measured", "noise_of", "with_noise"]

Array = NDArray[np.float64]


def with_noise(values: ArrayLike, cv: float, *, seed: int, name: str, index: ArrayLike) -> Array:
    """Multiply a quantity by log-normal noise of mean 1, anew for every patient and time.

    ::

        measured = value * exp(s z - s^2 / 2),  s^2 = log(1 + cv^2)

    Parameters
    ----------
    values : array_like (K, N)
        At K visits of N patients.
    cv : float
        Coefficient of variation.
    seed : int
        Of the draws.
    name : str
        Of the quantity: two quantities have noise of their own.
    index : array_like of int (N,)
        The patients' own numbers.

    Returns
    -------
    ndarray (K, N)
        Not-a-number stays so.

    Examples
    --------
    >>> noisy = with_noise(np.full((50, 400), 100.0), 0.15, seed=1, name="P", index=range(400))
    >>> bool(abs(noisy.mean() - 100) < 0.5), bool(abs(noisy.std() - 15) < 0.5)
    (True, True)
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != np.size(index):
        raise InputError(error("mechanism.noise-shape", found=str(given.shape), patients=int(np.size(index))))
    if not 0.0 <= cv < math.inf:
        raise InputError(error("mechanism.noise-impossible", cv=cv))
    if cv == 0.0:
        return given.copy()
    variance = math.log1p(cv * cv)
    z = normal_quantile(patient_rows(seed, "noise", name, index=index, count=given.shape[0])).T
    factor = lognormal([math.exp(-0.5 * variance)], [[variance]], z.reshape(-1, 1)).reshape(given.shape)
    return np.asarray(given * factor)


def noise_of(noises: Mapping[str, Noise], quantity: str) -> float:
    """Return the coefficient of variation that the register gives for a quantity; 0 where it gives none.

    Examples
    --------
    >>> from sirolens.mechanism.assumptions import assumptions
    >>> noise_of(assumptions().noises, "R"), noise_of(assumptions().noises, "H")
    (0.2, 0.0)
    """
    return next((one.cv for one in noises.values() if quantity in one.outputs), 0.0)


def measured(
    noises: Mapping[str, Noise], names: Sequence[str], values: ArrayLike, *, seed: int, index: ArrayLike
) -> Array:
    """Give every quantity of a simulation the noise that the register has for it.

    Parameters
    ----------
    noises : mapping of str to Noise
        Of the register.
    names : sequence of str
        The Q quantities.
    values : array_like (Q, K, N)
        Of a simulation.
    seed, index
        As in `with_noise`.

    Returns
    -------
    ndarray (Q, K, N)

    Examples
    --------
    >>> from sirolens.mechanism.assumptions import assumptions
    >>> measured(assumptions().noises, ["H"], np.ones((1, 2, 3)), seed=1, index=range(3)).tolist()
    [[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]
    """
    given = np.asarray(values, dtype=np.float64)
    return np.array(
        [
            with_noise(one, noise_of(noises, name), seed=seed, name=name, index=index)
            for name, one in zip(names, given, strict=True)
        ]
    )
