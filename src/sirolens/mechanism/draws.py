# SPDX-License-Identifier: Apache-2.0
"""Random numbers that belong to a patient: the same for patient 17 alone, in a chunk, or among a million.

A stream is named (`sirolens.engine.sampling.stream`), and patient i reads its i-th number, or its i-th row of numbers.
Nothing depends on how many patients are drawn, in which order or on which thread.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.sampling import normal_quantile, stream, uniform

__all__ = ["ROW", "patient_normals", "patient_rows", "patient_uniforms"]

Array = NDArray[np.float64]

ROW = 512
"""Numbers a patient owns in one stream of rows; longer rows go on in a further stream, so that length moves nothing."""
_BLOCK = 4096  # patients whose numbers are made in one go; a sparse selection makes few numbers in vain


def _indices(index: ArrayLike) -> NDArray[np.int64]:
    numbers = np.atleast_1d(np.asarray(index, dtype=np.int64))
    if numbers.ndim != 1 or (numbers.size and numbers.min() < 0):
        raise ValueError("patients are numbered from 0, in one dimension")
    return numbers


def _rows(seed: int, names: tuple[str | int, ...], numbers: NDArray[np.int64], width: int, count: int) -> Array:
    """The first `count` of `width` numbers of each patient."""
    out = np.empty((numbers.size, count))
    block = numbers // max(1, _BLOCK // width)
    for which in np.unique(block):
        inside = np.flatnonzero(block == which)
        own = numbers[inside]
        first, last = int(own.min()), int(own.max())
        generator = stream(seed, *names)
        bits = generator.bit_generator
        assert isinstance(bits, np.random.PCG64DXSM)
        bits.advance(first * width)
        out[inside] = uniform(generator, (last - first + 1, width))[own - first, :count]
    return out


def patient_uniforms(seed: int, *names: str | int, index: ArrayLike) -> Array:
    """Return one uniform number, strictly between 0 and 1, for each patient.

    Parameters
    ----------
    seed : int
        Not negative.
    *names : str or int
        What the number is for.
    index : array_like of int (n,)
        The patients' own numbers, from 0.

    Returns
    -------
    ndarray (n,)

    Examples
    --------
    >>> everybody = patient_uniforms(1, "example", index=range(1000))
    >>> bool((everybody[[7, 400]] == patient_uniforms(1, "example", index=[7, 400])).all())
    True
    """
    return _rows(seed, names, _indices(index), 1, 1)[:, 0]


def patient_normals(seed: int, *names: str | int, index: ArrayLike) -> Array:
    """Return one standard normal number for each patient; the arguments are those of `patient_uniforms`."""
    return normal_quantile(patient_uniforms(seed, *names, index=index))


def patient_rows(seed: int, *names: str | int, index: ArrayLike, count: int) -> Array:
    """Return a row of uniform numbers for each patient, such as one for each day or visit.

    Parameters
    ----------
    seed, *names, index
        As in `patient_uniforms`.
    count : int
        Length of a row; a longer row begins with the same numbers.

    Returns
    -------
    ndarray (n, count)

    Examples
    --------
    >>> short, long = (patient_rows(1, "days", index=[3], count=count) for count in (5, 600))
    >>> bool((short == long[:, :5]).all())
    True
    """
    numbers = _indices(index)
    out = np.empty((numbers.size, count))
    for part, first in enumerate(range(0, count, ROW)):
        size = min(ROW, count - first)
        out[:, first : first + size] = _rows(seed, (*names, part), numbers, ROW, size)
    return out
