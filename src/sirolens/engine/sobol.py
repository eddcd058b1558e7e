# SPDX-License-Identifier: Apache-2.0
"""Scrambled Sobol points: evenly spread random numbers, the same bits on every machine.

Quasi-random draws make the error of an average fall almost like 1/n instead of 1/sqrt(n). The points are those of
Sobol with the direction numbers of Joe and Kuo (2008), scrambled by a random lower-triangular bit matrix and a random
shift (Matousek 1998), so that each point is uniform by itself and the average stays unbiased. Importing SciPy's own
generator costs half a second at start; it is the oracle in the tests.

Sources: Joe, Kuo, SIAM J Sci Comput 2008;30:2635-54, doi:10.1137/070709359 (first 40 dimensions of
new-joe-kuo-6.21201); Matousek, J Complexity 1998;14:527-56, doi:10.1006/jcom.1998.0489.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BITS", "DIMENSIONS", "LARGEST", "directions", "points"]

BITS = 32
LARGEST = 2**30
"""The most points of one set."""

# (primitive polynomial as a bit pattern, initial direction numbers) for dimension 2 and on
_JOE_KUO = (
    (3, (1,)),
    (7, (1, 3)),
    (11, (1, 3, 1)),
    (13, (1, 1, 1)),
    (19, (1, 1, 3, 3)),
    (25, (1, 3, 5, 13)),
    (37, (1, 1, 5, 5, 17)),
    (41, (1, 1, 5, 5, 5)),
    (47, (1, 1, 7, 11, 19)),
    (55, (1, 1, 5, 1, 1)),
    (59, (1, 1, 1, 3, 11)),
    (61, (1, 3, 5, 5, 31)),
    (67, (1, 3, 3, 9, 7, 49)),
    (91, (1, 1, 1, 15, 21, 21)),
    (97, (1, 3, 1, 13, 27, 49)),
    (103, (1, 1, 1, 15, 7, 5)),
    (109, (1, 3, 1, 15, 13, 25)),
    (115, (1, 1, 5, 5, 19, 61)),
    (131, (1, 3, 7, 11, 23, 15, 103)),
    (137, (1, 3, 7, 13, 13, 15, 69)),
    (143, (1, 1, 3, 13, 7, 35, 63)),
    (145, (1, 3, 5, 9, 1, 25, 53)),
    (157, (1, 3, 1, 13, 9, 35, 107)),
    (167, (1, 3, 1, 5, 27, 61, 31)),
    (171, (1, 1, 5, 11, 19, 41, 61)),
    (185, (1, 3, 5, 3, 3, 13, 69)),
    (191, (1, 1, 7, 13, 1, 19, 1)),
    (193, (1, 3, 7, 5, 13, 19, 59)),
    (203, (1, 1, 3, 9, 25, 29, 41)),
    (211, (1, 3, 5, 13, 23, 1, 55)),
    (213, (1, 3, 7, 3, 13, 59, 17)),
    (229, (1, 3, 1, 3, 5, 53, 69)),
    (239, (1, 1, 5, 5, 23, 33, 13)),
    (241, (1, 1, 7, 7, 1, 61, 123)),
    (247, (1, 1, 7, 9, 13, 61, 49)),
    (253, (1, 3, 3, 5, 3, 55, 33)),
    (285, (1, 3, 1, 15, 31, 13, 49, 245)),
    (299, (1, 3, 5, 15, 31, 59, 63, 97)),
    (301, (1, 3, 1, 11, 11, 11, 77, 249)),
)
DIMENSIONS = len(_JOE_KUO) + 1
"""How many dimensions the table holds."""


def directions(dimensions: int) -> NDArray[np.uint32]:
    """Return the direction numbers, most significant bit first.

    Parameters
    ----------
    dimensions : int
        How many dimensions, at most `DIMENSIONS`.

    Returns
    -------
    uint32 array (dimensions, 32)
        Column k is exclusive-ored in wherever bit k of the Gray code of the point's number is set.

    Examples
    --------
    >>> [hex(v) for v in directions(2)[1, :3]]
    ['0x80000000', '0xc0000000', '0xa0000000']
    """
    table = np.empty((dimensions, BITS), dtype=np.uint32)
    for dimension in range(dimensions):
        table[dimension] = [2 ** (BITS - 1 - bit) for bit in range(BITS)] if dimension == 0 else _recur(dimension - 1)
    return table


def _recur(row: int) -> list[int]:
    """Extend the initial numbers of one dimension by its polynomial (Bratley and Fox)."""
    polynomial, initial = _JOE_KUO[row]
    degree = polynomial.bit_length() - 1
    numbers = [value << (BITS - 1 - bit) for bit, value in enumerate(initial)]
    for bit in range(degree, BITS):
        value = numbers[bit - degree] ^ (numbers[bit - degree] >> degree)
        for k in range(1, degree):
            if polynomial >> (degree - k) & 1:
                value ^= numbers[bit - k]
        numbers.append(value)
    return numbers


def points(count: int, dimensions: int, random_bits: NDArray[np.uint32] | None = None) -> NDArray[np.float64]:
    """Return scrambled Sobol points, strictly inside the unit cube.

    Parameters
    ----------
    count : int
        How many points; powers of two are the most even.
    dimensions : int
        At most `DIMENSIONS`.
    random_bits : uint32 array (dimensions, 33), optional
        What scrambles them: 32 rows of a bit matrix, then a shift. None gives the plain points.

    Returns
    -------
    float64 array (count, dimensions)

    Examples
    --------
    >>> points(4, 2).round(3).tolist()
    [[0.0, 0.0], [0.5, 0.5], [0.75, 0.25], [0.25, 0.75]]
    """
    if not 1 <= dimensions <= DIMENSIONS or not 1 <= count <= LARGEST:
        raise ValueError(f"{count} points in {dimensions} dimensions")
    table = directions(dimensions)
    shift = np.zeros(dimensions, dtype=np.uint32)
    if random_bits is not None:
        table = _scramble(table, random_bits[:, :BITS])
        shift = random_bits[:, BITS].astype(np.uint32)
    numbers = np.empty((dimensions, count), dtype=np.uint32)
    numbers[:, 0] = shift
    step = np.arange(1, count, dtype=np.uint32)
    lowest_set_bit = np.bitwise_count((step & (~step + np.uint32(1))) - np.uint32(1))
    numbers[:, 1:] = table[:, lowest_set_bit]
    unit: NDArray[np.float64] = (np.bitwise_xor.accumulate(numbers, axis=1).T + 0.5) * 2.0**-BITS
    return unit


def _scramble(table: NDArray[np.uint32], rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Multiply every direction number by a random lower-triangular bit matrix with ones on the diagonal."""
    bit = np.uint32(1) << np.arange(BITS - 1, -1, -1, dtype=np.uint32)
    above = ~(bit - np.uint32(1)) & ~bit
    masks = (rows & above) | bit
    parity = np.bitwise_count(masks[:, None, :] & table[:, :, None]) & np.uint8(1)
    scrambled: NDArray[np.uint32] = (parity.astype(np.uint32) * bit).sum(axis=2, dtype=np.uint32)
    return scrambled
