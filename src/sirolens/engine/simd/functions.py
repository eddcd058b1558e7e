# SPDX-License-Identifier: Apache-2.0
"""Exponential, logarithm, power and the rest of the formulas' functions, branch-free, on lanes and on numbers.

Made of exactly rounded operations only, so that every processor gives the same bits, in a vector or alone; the
library functions for the same purpose are neither vectorised nor alike between processors. Errors in units of the last
place, measured against extended precision (tests/engine/simd/test_functions.py): `exp` and `log` below 1, `log10`
below 2, `tanh` below 2, `power` below 1.5 + 0.6 |y log x|. Results below 2.3e-308 are 0.

Truth is a number, as everywhere in the expression language: 1, 0, or not-a-number where an operand is not a number.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from sirolens.engine.simd.vector import absolute, exponent, floor, fma, like, mantissa, power_of_two, select

__all__ = [
    "both",
    "choose",
    "either",
    "equal",
    "exp",
    "greater",
    "greater_equal",
    "larger",
    "less",
    "less_equal",
    "log",
    "log10",
    "log_size",
    "negation",
    "not_equal",
    "reciprocals",
    "signed",
    "smaller",
    "tanh",
    "whole_sign",
]

_MAGIC = 6755399441055744.0  # 1.5 * 2^52: what is added to it is rounded to a whole number
_PER_LOG2 = 1.4426950408889634  # 1 / log 2
# log 2 in two parts, the first of so few bits that whole multiples are exact
_LOG2_HIGH, _LOG2_LOW = (
    6.93147180369123816490e-01,
    1.90821492927058770002e-10,
)
_MOST, _LEAST = 709.782712893384, -708.3964185322641  # log of the largest and of the smallest normal number
_NORMAL = 2.2250738585072014e-308
_PER_LOG10 = 0.4342944819032518  # 1 / log 10
_NAN, _INF = math.nan, math.inf


@njit(cache=True, nogil=True, error_model="numpy")
def exp(x: Any) -> Any:
    """Exponential: x = k log 2 + r with whole k and |r| <= log(2)/2, then the series of exp(r) to order 13."""
    raised = fma(x, _PER_LOG2, _MAGIC)
    k = raised - _MAGIC
    r = fma(k, -_LOG2_LOW, fma(k, -_LOG2_HIGH, x))
    p = fma(like(r, 1.0 / 6227020800.0), r, 1.0 / 479001600.0)
    p = fma(p, r, 1.0 / 39916800.0)
    p = fma(p, r, 1.0 / 3628800.0)
    p = fma(p, r, 1.0 / 362880.0)
    p = fma(p, r, 1.0 / 40320.0)
    p = fma(p, r, 1.0 / 5040.0)
    p = fma(p, r, 1.0 / 720.0)
    p = fma(p, r, 1.0 / 120.0)
    p = fma(p, r, 1.0 / 24.0)
    p = fma(p, r, 1.0 / 6.0)
    p = fma(p, r, 0.5)
    value = (fma(p, r * r, r) + 1.0) * power_of_two(raised) * 2.0
    return select(x > _MOST, _INF, select(x < _LEAST, 0.0, value))


@njit(cache=True, nogil=True, error_model="numpy")
def log(x: Any) -> Any:
    """Natural logarithm: x = 2^k (1 + f), log(1 + f) = 2 atanh(s) with s = f/(2 + f), its series in s^2 fitted.

    The form and the seven coefficients are those of the freely distributable mathematical library (fdlibm, Sun 1993).
    """
    tiny = x < _NORMAL
    y = select(tiny, x * 18014398509481984.0, x)
    k = exponent(y) - select(tiny, 54.0, like(y, 0.0))
    f = mantissa(y) - 1.0
    s = f / (f + 2.0)
    z = s * s
    p = fma(like(z, 1.479819860511658591e-01), z, 1.531383769920937332e-01)
    p = fma(p, z, 1.818357216161805012e-01)
    p = fma(p, z, 2.222219843214978396e-01)
    p = fma(p, z, 2.857142874366239149e-01)
    p = fma(p, z, 3.999999999940941908e-01)
    p = z * fma(p, z, 6.666666666666735130e-01)
    half = 0.5 * f * f
    low = fma(s, half + p, k * _LOG2_LOW)
    value = fma(k, _LOG2_HIGH, f - (half - low))
    value = select(x < _INF, value, x)  # infinite or not a number
    return select(x > 0.0, value, select(x == 0.0, -_INF, select(x < 0.0, _NAN, value)))


@njit(cache=True, nogil=True, error_model="numpy")
def reciprocals(a: Any, b: Any) -> Any:
    """1/a and 1/b by one division, each within 2 units in the last place; not a number where a b is out of range."""
    r = 1.0 / (a * b)
    return r * b, r * a


@njit(cache=True, nogil=True, error_model="numpy")
def log10(x: Any) -> Any:
    """Decimal logarithm."""
    return log(x) * _PER_LOG10


@njit(cache=True, nogil=True, error_model="numpy")
def log_size(x: Any) -> Any:
    """Logarithm of |x|, with a large finite number for 0, so that 0 to the power 0 becomes exp(0)."""
    value = log(absolute(x))
    return select(value < -1e308, -1e308, value)


@njit(cache=True, nogil=True, error_model="numpy")
def whole_sign(y: Any) -> Any:
    """What a power of a negative base is multiplied by: 1 for even exponents, -1 for odd ones, else not a number."""
    odd = floor(0.5 * y) != 0.5 * y
    return select(floor(y) == y, select(odd, like(y, -1.0), 1.0), _NAN)


@njit(cache=True, nogil=True, error_model="numpy")
def signed(x: Any, sign: Any) -> Any:
    """`sign` where x < 0, else 1."""
    return select(x < 0.0, sign, like(x, 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def tanh(x: Any) -> Any:
    """Hyperbolic tangent: to 0.625 a rational approximation (Cephes, Moshier 1989), beyond it 1 - 2/(exp(2|x|) + 1)."""
    size = absolute(x)
    far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0)
    far = select(x < 0.0, -far, far)
    z = x * x
    top = fma(fma(like(z, -9.64399179425052238628e-1), z, -9.92877231001918586564e1), z, -1.61468768441708447952e3)
    bottom = fma(fma(z + 1.12811678491632931402e2, z, 2.23548839060100448583e3), z, 4.84406305325125486048e3)
    return select(size < 0.625, fma(x * z, top / bottom, x), far)


@njit(cache=True, nogil=True, error_model="numpy")
def _truth(holds: Any, a: Any, b: Any) -> Any:
    return select((a != a) | (b != b), _NAN, select(holds, like(a, 1.0), like(b, 0.0)))


@njit(cache=True, nogil=True, error_model="numpy")
def less(a: Any, b: Any) -> Any:
    """Whether a < b."""
    return _truth(a < b, a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def less_equal(a: Any, b: Any) -> Any:
    """Whether a <= b."""
    return _truth(a <= b, a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def greater(a: Any, b: Any) -> Any:
    """Whether a > b."""
    return _truth(a > b, a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def greater_equal(a: Any, b: Any) -> Any:
    """Whether a >= b."""
    return _truth(a >= b, a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def equal(a: Any, b: Any) -> Any:
    """Whether a == b."""
    return _truth(a == b, a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def not_equal(a: Any, b: Any) -> Any:
    """Whether a != b."""
    return _truth(a != b, a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def negation(a: Any) -> Any:
    """Whether a is 0."""
    return _truth(a == 0.0, a, a)


@njit(cache=True, nogil=True, error_model="numpy")
def both(a: Any, b: Any) -> Any:
    """Whether neither is 0."""
    return _truth((a != 0.0) & (b != 0.0), a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def either(a: Any, b: Any) -> Any:
    """Whether one is not 0."""
    return _truth((a != 0.0) | (b != 0.0), a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def choose(condition: Any, value: Any, otherwise: Any) -> Any:
    """`value` where the condition is not 0, else `otherwise`."""
    return select(condition != condition, _NAN, select(condition != 0.0, value, otherwise))


@njit(cache=True, nogil=True, error_model="numpy")
def smaller(a: Any, b: Any) -> Any:
    """The smaller of two."""
    return select((a != a) | (b != b), _NAN, select(a < b, a, b))


@njit(cache=True, nogil=True, error_model="numpy")
def larger(a: Any, b: Any) -> Any:
    """The larger of two."""
    return select((a != a) | (b != b), _NAN, select(a > b, a, b))
