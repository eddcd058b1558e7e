# SPDX-License-Identifier: Apache-2.0
"""Residual error: how far a measured level scatters around the prediction of its own patient.

========== ===== =============================== =========================
kind       code  level y given prediction f      variance
========== ===== =============================== =========================
additive   0     y = f + a e                     a^2
proportional 1   y = f (1 + b e)                 (b f)^2
combined   2     y = f (1 + b e1) + a e2         a^2 + (b f)^2
log        3     ln y = ln f + s e               s^2, on the log scale
========== ===== =============================== =========================

The e are independent standard normals. The codes are what kernels branch on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import NDArray

__all__ = ["KIND", "Residual", "sd", "variance"]

Array = NDArray[np.float64]

KIND: Mapping[str, int] = MappingProxyType({"additive": 0, "proportional": 1, "combined": 2, "log": 3})
"""The code of each kind of residual error, for kernels."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """One model's residual error.

    Parameters
    ----------
    kind : str
        A key of `KIND`.
    additive_ng_ml : float
        Standard deviation a of the additive part.
    proportional : float
        Standard deviation b of the proportional part, as a fraction.
    log_sd : float
        Standard deviation s on the natural-log scale.

    Examples
    --------
    >>> Residual(kind="combined", additive_ng_ml=0.5, proportional=0.2).code
    2
    """

    kind: str
    additive_ng_ml: float = 0.0
    proportional: float = 0.0
    log_sd: float = 0.0

    @property
    def code(self) -> int:
        """The kind as the number kernels branch on."""
        return KIND[self.kind]

    @property
    def on_log_scale(self) -> bool:
        """Whether residuals are differences of logarithms."""
        return self.kind == "log"


def variance(residual: Residual, predicted_ng_ml: Array) -> Array:
    """Compute the residual variance of each prediction.

    ::

        a^2 + (b f)^2        additive, proportional, combined; (ng/mL)^2
        s^2                  log; on the natural-log scale

    Parameters
    ----------
    residual : Residual
        The error model.
    predicted_ng_ml : ndarray
        Predictions f, any shape.

    Returns
    -------
    ndarray
        The same shape.

    Examples
    --------
    >>> variance(Residual(kind="combined", additive_ng_ml=3.0, proportional=0.4), np.array([10.0]))
    array([25.])
    """
    f = np.asarray(predicted_ng_ml, dtype=np.float64)
    if residual.on_log_scale:
        return np.full(f.shape, residual.log_sd**2)
    return residual.additive_ng_ml**2 + (residual.proportional * f) ** 2


def sd(residual: Residual, predicted_ng_ml: Array) -> Array:
    """Compute the standard deviation that belongs to `variance`.

    Examples
    --------
    >>> sd(Residual(kind="log", log_sd=0.3), np.array([4.0, 8.0]))
    array([0.3, 0.3])
    """
    return np.asarray(np.sqrt(variance(residual, predicted_ng_ml)))
