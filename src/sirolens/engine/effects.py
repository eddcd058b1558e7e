# SPDX-License-Identifier: Apache-2.0
"""Random effects on parameters: from typical values and etas to individual values.

======= ============ ===========================================
code    name         individual value P of typical value TV
======= ============ ===========================================
0       log-normal   P = TV exp(eta)
1       normal       P = TV + eta
2       logit        P = 1 / (1 + exp(-(log(TV / (1 - TV)) + eta)))
======= ============ ===========================================
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.kernel import kernel

__all__ = ["LOGIT", "LOG_NORMAL", "NORMAL", "apply_effects", "disturbed"]

Array = NDArray[np.float64]

LOG_NORMAL: Final = 0
NORMAL: Final = 1
LOGIT: Final = 2


@kernel
def disturbed(typical: float, eta: float, kind: int) -> float:
    """Apply one random effect to one typical value; for use inside other kernels."""
    if kind == LOG_NORMAL:
        return typical * math.exp(eta)
    if kind == NORMAL:
        return typical + eta
    return 1.0 / (1.0 + (1.0 - typical) / typical * math.exp(-eta))


@kernel
def _apply(
    typical: Array, eta: Array, eta_of_parameter: NDArray[np.int64], kind: NDArray[np.int64], out: Array
) -> None:
    shared = typical.shape[0] == 1
    for i in range(out.shape[0]):
        row = 0 if shared else i
        for j in range(out.shape[1]):
            for p in range(out.shape[2]):
                value = typical[row, j, p]
                which = eta_of_parameter[p]
                out[i, j, p] = value if which < 0 else disturbed(value, eta[i, which], kind[p])


def apply_effects(
    typical: Array, eta: Array, eta_of_parameter: NDArray[np.int64], kind: NDArray[np.int64], *, paired: bool = False
) -> Array:
    """Compute individual parameters.

    Parameters
    ----------
    typical : ndarray, shape (..., n_parameters); paired: (n, ..., n_parameters)
        Typical values.
    eta : ndarray, shape (n, n_eta)
        Random effects, one row per draw or patient.
    eta_of_parameter : int64 ndarray, shape (n_parameters,)
        Which eta acts on each parameter; -1 for none.
    kind : int64 ndarray, shape (n_parameters,)
        0 log-normal, 1 normal, 2 logit.
    paired : bool
        Row i of `typical` belongs to row i of `eta`; otherwise every eta meets every typical value.

    Returns
    -------
    ndarray, shape (n, ..., n_parameters)
        Individual values.

    Examples
    --------
    >>> eta, first, code = np.array([[np.log(2.0)]]), np.array([0, -1]), np.array([0, 0])
    >>> apply_effects(np.array([5.0, 100.0]), eta, first, code)
    array([[ 10., 100.]])
    """
    values = np.ascontiguousarray(typical, dtype=np.float64)
    etas = np.ascontiguousarray(eta, dtype=np.float64)
    n, width = etas.shape[0], values.shape[-1]
    lead = values.shape[1:-1] if paired else values.shape[:-1]
    if paired and values.shape[0] != n:
        raise ValueError(f"{values.shape[0]} rows of typical values for {n} rows of etas")
    rows = values.reshape((n if paired else 1, -1, width))
    out = np.empty((n, rows.shape[1], width))
    _apply(rows, etas, eta_of_parameter, kind, out)
    return out.reshape((n, *lead, width))
