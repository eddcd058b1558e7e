# SPDX-License-Identifier: Apache-2.0
"""Runs the checks against one mutant after the other, each in a process of its own, without compiling anything.

``NUMBA_DISABLE_JIT=1`` must be set before this module is imported. A child process is forked for each mutant, loads the
changed module in place of the real one, and asks the charts until the first one disagrees. Whatever stops the child (an
answer that differs, an error, a loop without end) kills the mutant.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from validation.mutation.mutants import Mutant

SURVIVED, DIFFERED, FAILED = 0, 1, 2
CPU_S = 20
"""Processor time after which a mutant is taken to have no end; a survivor needs a tenth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a mutant: ``survived``, ``differed``, ``error`` or ``no end``."""

    mutant: Mutant
    module: str
    fate: str


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a changed tree."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, f"<mutant of {self.name}>", "exec"), module.__dict__)


def outcomes(
    todo: Sequence[tuple[str, Mutant]],
    check: Callable[[], bool],
    *,
    jobs: int,
    forget: Sequence[str],
    told: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """The fate of each mutant, in their order.

    Parameters
    ----------
    todo : sequence of (module name, Mutant)
        What to run.
    check : callable
        Whether every chart still agrees; called in the child, after the mutant took its module's place.
    jobs : int
        How many children at once.
    forget : sequence of str
        Modules (by their beginning) that the child must import anew.
    told : callable
        Hears of every outcome as it comes.
    """
    found: dict[int, Outcome] = {}
    running: dict[int, int] = {}
    waiting = list(enumerate(todo))[::-1]
    while waiting or running:
        while waiting and len(running) < jobs:
            number, (module, mutant) = waiting.pop()
            running[_fork(module, mutant, check, forget)] = number
        child, status = os.wait()
        number = running.pop(child)
        module, mutant = todo[number]
        found[number] = Outcome(mutant=mutant, module=module, fate=_fate(status))
        told(found[number])
    return [found[number] for number in range(len(todo))]


def _fork(module: str, mutant: Mutant, check: Callable[[], bool], forget: Sequence[str]) -> int:
    child = os.fork()
    if child:
        return child
    code = FAILED
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        for name in [name for name in sys.modules if name.startswith(tuple(forget))]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Loader(module, mutant.tree_changed()))
        code = SURVIVED if check() else DIFFERED
    finally:
        os._exit(code)


def unchanged_survives(check: Callable[[], bool], *, forget: Sequence[str]) -> bool:
    """Whether the charts agree with the kernel as it is, without which no mutant's death says anything."""
    child = os.fork()
    if child:
        return _fate(os.waitpid(child, 0)[1]) == "survived"
    code = FAILED
    try:
        for name in [name for name in sys.modules if name.startswith(tuple(forget))]:
            del sys.modules[name]
        code = SURVIVED if check() else DIFFERED
    finally:
        os._exit(code)


def _fate(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "no end"
    return {SURVIVED: "survived", DIFFERED: "differed"}.get(os.WEXITSTATUS(status), "error")
