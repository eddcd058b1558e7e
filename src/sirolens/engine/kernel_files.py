# SPDX-License-Identifier: Apache-2.0
"""Reads a compiled kernel back from numba's files without what only compiling needs.

numba keeps machine code together with the intermediate code from which other functions would be compiled. Reading a
kernel back, it parses that code too and first imports whatever a compilation may need, SciPy's linear algebra among
it: most of what the first calls of a process cost. Here both wait until something really is compiled. The machine code,
and so every digit, is the same.

This leans on numba's inside, hence `KNOWN`: under another series of numba the kernels are read its own, slower way.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

from llvmlite import binding
from numba import version_info
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult, compile_result
from numba.core.environment import Environment, lookup_environment
from numba.core.runtime.nrt import rtsys

__all__ = ["KNOWN", "Kept"]

#: Whether the installed numba is of the series whose files this module knows.
KNOWN = version_info.short == (0, 68)


class _Library(JITCodeLibrary):
    """Machine code that is ready, and intermediate code that is read when another function is compiled with it."""

    def read(self, machine_code: bytes, intermediate_code: bytes, names: set[str]) -> None:
        self._waiting = intermediate_code
        self.enable_object_caching()
        self._set_compiled_object(machine_code)
        self._finalize_final_module()
        self._codegen._engine._defined_symbols |= names

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None:
            self._shared_module = binding.parse_bitcode(self._waiting)
            self._codegen._engine._load_defined_symbols(self._shared_module)
        return super()._get_module_for_linking()


def _environment(module: str, constants: list[Any], name: str) -> Environment:
    """Make a kernel's surroundings without importing its module, where only interpreted code would look names up."""
    found: Environment | None = lookup_environment(name)
    if found is None:
        found = Environment(vars(sys.modules[module]) if module in sys.modules else {"__name__": module})
        found.consts[:] = constants
        found.env_name = name
        Environment._memo[name] = found
    return found


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numba.core.environment", "_rebuild_env"):
            return _environment
        return super().find_class(module, name)


class _Files(IndexDataCacheFile):
    def _load_data(self, name: str) -> Any:
        with open(self._data_path(name), "rb") as file:
            return _Unpickler(io.BytesIO(file.read())).load()


class _Reading(CompileResultCacheImpl):
    def rebuild(self, target: Any, payload: Any) -> CompileResult:
        code, described, environment, signature, object_mode, lifted, annotation, preparations, environments = payload
        for prepare in preparations:
            prepare()
        name, _, (machine_code, intermediate_code) = code
        library = _Library(target.codegen(), name)
        library.read(machine_code, intermediate_code, {described.llvm_func_name, described.llvm_cpython_wrapper_name})
        entry_point = target.get_executable(library, described, environment)
        for each in environments:
            library.codegen.set_env(each.env_name, each)
        return compile_result(
            typing_context=target.typing_context,
            target_context=target,
            entry_point=entry_point,
            type_annotation=annotation,
            signature=signature,
            objectmode=object_mode,
            lifted=lifted,
            fndesc=described,
            library=library,
            environment=environment,
            reload_init=preparations,
            referenced_envs=environments,
        )


class _Kept(FunctionCache):
    _impl_class = _Reading

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        plain = self._cache_file
        self._cache_file = _Files(plain._cache_path, self._impl.filename_base, plain._source_stamp)

    def load_overload(self, signature: Any, target: Any) -> CompileResult | None:
        """Read the form for one signature, None where there is none yet.

        The runtime, with which machine code gets and frees memory, is all it needs; numba would wake the compiler.
        """
        rtsys.initialize(target)
        found: CompileResult | None = None
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(signature, target)
        return found


class Kept:
    """The compiled forms of one function, in numba's own files.

    The files are looked for when first asked for: most kernels are only ever called by kernels.

    Parameters
    ----------
    function : callable
        The function as it was written.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @cached_property
    def _kept(self) -> _Kept:
        return _Kept(self._function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)
