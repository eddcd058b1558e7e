# SPDX-License-Identifier: Apache-2.0
"""Small symmetric matrices by plain loops: the same bits on every machine and for any number of threads.

Library routines change their last digits with the processor and the thread count; the matrices here have one to a few
dozen rows, where plain loops are also faster. Everything is a kernel on float64 arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.kernel import kernel

__all__ = ["cholesky", "congruence", "copy", "dot", "invert", "log_determinant", "solve", "solve_lower", "solve_upper"]

Array = NDArray[np.float64]


# Kernels copy and sum by loops: array assignments compile to a page of shape checks each.
@kernel
def copy(source: Array, target: Array) -> None:
    """Copy arrays of equal shape, element by element."""
    for i in range(source.size):
        target.flat[i] = source.flat[i]


@kernel
def dot(a: Array, b: Array) -> float:
    """Return the sum of products of two vectors, in order."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@kernel
def cholesky(A: Array, L: Array) -> bool:
    """Write the lower factor of A = L L' and return whether A is positive definite.

    Parameters
    ----------
    A : float64 array (n, n)
        Symmetric; only the lower triangle is read.
    L : float64 array (n, n)
        Receives the factor; may be `A` itself. Undefined when the answer is False.

    Examples
    --------
    >>> factor = np.empty((2, 2))
    >>> bool(cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]), factor)), factor.tolist()
    (True, [[2.0, 0.0], [1.0, 2.0]])
    """
    n = A.shape[0]
    for j in range(n):
        pivot = A[j, j]
        for k in range(j):
            pivot -= L[j, k] * L[j, k]
        if not pivot > 0.0 or pivot == np.inf:
            return False
        root = np.sqrt(pivot)
        for i in range(j + 1, n):
            value = A[i, j]
            for k in range(j):
                value -= L[i, k] * L[j, k]
            L[i, j] = value / root
        L[j, j] = root
        for k in range(j + 1, n):
            L[j, k] = 0.0
    return True


@kernel
def solve_lower(L: Array, b: Array, x: Array) -> None:
    """Write x with L x = b; `x` may be `b`."""
    for i in range(L.shape[0]):
        value = b[i]
        for k in range(i):
            value -= L[i, k] * x[k]
        x[i] = value / L[i, i]


@kernel
def solve_upper(L: Array, b: Array, x: Array) -> None:
    """Write x with L' x = b; `x` may be `b`."""
    n = L.shape[0]
    for i in range(n - 1, -1, -1):
        value = b[i]
        for k in range(i + 1, n):
            value -= L[k, i] * x[k]
        x[i] = value / L[i, i]


@kernel
def solve(L: Array, b: Array, x: Array) -> None:
    """Write x with L L' x = b; `x` may be `b`.

    Examples
    --------
    >>> x = np.empty(2)
    >>> solve(np.array([[2.0, 0.0], [1.0, 2.0]]), np.array([8.0, 12.0]), x)
    >>> x.tolist()
    [1.0, 2.0]
    """
    solve_lower(L, b, x)
    solve_upper(L, x, x)


@kernel
def invert(L: Array, inverse: Array) -> None:
    """Write the inverse of L L'."""
    n = L.shape[0]
    for j in range(n):
        for i in range(n):
            inverse[j, i] = 1.0 if i == j else 0.0
        solve(L, inverse[j], inverse[j])


@kernel
def congruence(A: Array, M: Array, scale: float, out: Array) -> None:
    """Write scale * A M A'; `out` is neither A nor M.

    Examples
    --------
    >>> out = np.empty((1, 1))
    >>> congruence(np.array([[3.0]]), np.array([[2.0]]), 0.5, out)
    >>> out.tolist()
    [[9.0]]
    """
    n = M.shape[0]
    for i in range(n):
        for j in range(n):
            total = 0.0
            for a in range(n):
                for b in range(n):
                    total += A[i, a] * M[a, b] * A[j, b]
            out[i, j] = scale * total


@kernel
def log_determinant(L: Array) -> float:
    """Return log det(L L')."""
    total = 0.0
    for i in range(L.shape[0]):
        total += np.log(L[i, i])
    return 2.0 * total
