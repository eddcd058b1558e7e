# SPDX-License-Identifier: Apache-2.0
"""Lets the compiled integrator call a network's generated text without compiling that text.

Thousands of small models are solved once each here, and compiling takes seconds where solving takes milliseconds. The
generated text is run by Python itself and handed to the integrator by address; everything else is what users run. What
Python's arithmetic refuses (a division of two plain zeros) raises `CannotInterpretError`, and the case is compiled.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from sirolens.engine import network_code, network_solver
from sirolens.engine.expression import PRELUDE

__all__ = ["CannotInterpretError", "interpreted"]

_KIND = ctypes.CFUNCTYPE(None, ctypes.c_double, *[ctypes.c_void_p] * 4)
_WINDOW = 4096  # numbers that a view of an array reaches; only those the text names are touched
_faults: list[Exception] = []
_views: dict[int, Any] = {}


class CannotInterpretError(Exception):
    """The text needs the arithmetic of compiled code."""


def _view(address: int | None) -> Any:
    if address is None:
        return np.zeros(0)
    if address not in _views:
        _views[address] = np.ctypeslib.as_array((ctypes.c_double * _WINDOW).from_address(address))
    return _views[address]


def _cfunc(*_: Any, **__: Any) -> Callable[[Callable[..., None]], Any]:
    def wrap(function: Callable[..., None]) -> Any:
        def called(t: float, *addresses: int | None) -> None:
            try:
                function(np.float64(t), *map(_view, addresses))
            except Exception as fault:  # an exception cannot cross compiled code; `interpreted` raises it afterwards
                _faults.append(fault)

        callback = _KIND(called)
        return SimpleNamespace(address=ctypes.cast(callback, ctypes.c_void_p).value, keep=callback)

    return wrap


def _total(name: str) -> Callable[[float], float]:
    """Return a function of `math` that answers as compiled code does where Python raises."""
    plain = getattr(math, name)
    numpy_name = {"acos": "arccos", "asin": "arcsin", "atan": "arctan"}.get(name, name.replace("a", "arc", 1))

    def function(x: float) -> float:
        try:
            return float(plain(x))
        except (ValueError, OverflowError):
            return float(getattr(np, name if hasattr(np, name) and not name.startswith("a") else numpy_name)(x))

    return function


_MATH = SimpleNamespace(inf=math.inf, nan=math.nan)
for _name in (*("exp", "log", "log10", "sqrt"), *("sin", "cos", "tan", "asin", "acos", "atan")):
    setattr(_MATH, _name, _total(_name))
for _name in ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"):
    setattr(_MATH, _name, _total(_name))


def _words() -> dict[str, Any]:
    plain = PRELUDE.replace("import math\n", "").replace("from numba import njit\n", "")
    scope: dict[str, Any] = {"math": _MATH, "njit": lambda **_: lambda function: function}
    exec(compile(plain, "prelude", "exec"), scope)
    return scope


_WORDS = _words()


def _module(text: str) -> ModuleType:
    module = ModuleType("interpreted")
    kept = [line for line in text.split("\n") if not line.startswith(("from ", "import ", "SIGNATURE"))]
    module.__dict__.update({**_WORDS, "math": _MATH, "np": np, "cfunc": _cfunc, "SIGNATURE": None})
    exec(compile("\n".join(kept), "network", "exec"), module.__dict__)
    return module


@contextmanager
def interpreted() -> Iterator[None]:
    """Solve networks by their text as it stands.

    Raises
    ------
    CannotInterpretError
        On leaving, when the text could not be run so; whatever was computed is void.
    """
    _faults.clear()
    _views.clear()
    network_solver._program.cache_clear()
    try:
        with (
            np.errstate(all="ignore"),
            mock.patch.object(network_solver, "kernel_module", _module),
            mock.patch.object(network_code, "kernel_module", return_value=sys.modules[__name__]),
        ):
            yield
    finally:
        network_solver._program.cache_clear()
    if _faults:
        raise CannotInterpretError(repr(_faults[0]))
