# SPDX-License-Identifier: Apache-2.0
"""Many exponentials at once, against 50 digits."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from sirolens.engine.exponential import fill_exponentials
from sirolens.engine.sampling import stream, uniform

ULPS = 1.5  # a polynomial and a product, each rounded
RECORDED = "0x1.78b56362cef38p-2"  # exp(-1): the same on every machine


def exponentials(x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    fill_exponentials(x.copy(), out)
    return out


@pytest.mark.parametrize(("low", "high"), [(-700.0, 0.0), (-2.0, 2.0), (-1e-6, 1e-6), (0.0, 700.0)])
def test_every_exponential_is_right_to_the_last_digit_or_so(low: float, high: float) -> None:
    x = low + (high - low) * uniform(stream(1, "exponentials"), (400,))
    with localcontext() as context:
        context.prec = 50
        exact = [Decimal(float(value)).exp() for value in x]
        errors = [
            float(abs(Decimal(float(y)) - e) / Decimal(float(np.spacing(y))))
            for y, e in zip(exponentials(x), exact, strict=True)
        ]
    assert max(errors) <= ULPS


def test_special_places() -> None:
    assert exponentials(np.array([0.0, -0.0])).tolist() == [1.0, 1.0]
    assert float(exponentials(np.array([-1.0]))[0]).hex() == RECORDED
    assert (exponentials(np.array([-708.0, -1e4, -np.inf])) < 1e-307).all()
    assert np.isfinite(exponentials(np.array([709.0, 1e4]))).all()
    assert exponentials(np.zeros(0)).size == 0


def test_bits_do_not_depend_on_how_many_go_together() -> None:
    x = -5.0 * uniform(stream(2, "exponentials"), (67,))
    assert (exponentials(x) == np.concatenate([exponentials(x[i : i + 1]) for i in range(67)])).all()
