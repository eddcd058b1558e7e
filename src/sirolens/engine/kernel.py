# SPDX-License-Identifier: Apache-2.0
"""`@kernel`: a function of arrays and numbers, compiled once per machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from numba import njit

from sirolens.engine.kernel_files import KNOWN, Kept

__all__ = ["kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def kernel(function: Function, /) -> Function: ...


@overload
def kernel(*, forceinline: bool) -> Callable[[Function], Function]: ...


def kernel(
    function: Function | None = None, /, *, forceinline: bool = False
) -> Function | Callable[[Function], Function]:
    """Compile a function at its first call, and keep the compiled form for later processes.

    The interpreter's lock is free while it runs; a division by zero gives inf or nan, as in NumPy.

    Parameters
    ----------
    function : callable
        Takes and gives arrays, numbers and named tuples of them; calls only kernels.
    forceinline : bool
        Whether it is written out wherever another kernel calls it.

    Examples
    --------
    >>> from sirolens.engine.saturable_depot import decayed
    >>> round(decayed(2.0, 4.0, 4.56, 13.8), 4)
    0.5907
    """

    def compiled(given: Function) -> Function:
        made: Any = njit(cache=not KNOWN, nogil=True, error_model="numpy", forceinline=forceinline)(given)
        if KNOWN and made is not given:  # NUMBA_DISABLE_JIT gives the function itself back
            made._cache = Kept(given)
        result: Function = made
        return result

    return compiled if function is None else compiled(function)
