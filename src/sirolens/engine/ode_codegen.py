# SPDX-License-Identifier: Apache-2.0
"""Writes a model's equations and the integrator into one file of kernels, and imports it.

One file, because numba can keep compiled code only for functions that stand in a file, never for functions that take
other functions as arguments. The file is named by its content, so it can neither be stale nor be mistaken for another,
and its content is compared before it is imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import ModuleType

from sirolens.engine import ode_trains, tsitouras
from sirolens.engine.expression import PRELUDE, Expression, to_python

__all__ = ["TIME", "Equations", "kernel_module", "kernel_text"]

#: The name by which equations know the time [h].
TIME = "time_h"
_BODY = "# ---- body ----\n"
_KERNEL = '@njit(cache=True, nogil=True, error_model="numpy")\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Equations:
    """What is particular to one model; everything has been checked.

    Parameters
    ----------
    states, parameters : tuple of str
        Names, in the order of the arrays.
    definitions : mapping of str to Expression
        Named intermediate values, each in terms of what stands before it.
    constant : frozenset of str
        The definitions that depend on parameters and time only.
    equations : mapping of str to Expression
        Rate of change of every state.
    output : Expression
        What is observed.
    initial : mapping of str to Expression
        States that do not begin at 0.
    dosing : mapping of str to mapping of str to Expression
        ``bioavailability``, ``lag_h``, ``duration_h``, ``rate_mg_h`` by state, where they are not 1, 0, 0, 0.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    definitions: Mapping[str, Expression]
    constant: frozenset[str]
    equations: Mapping[str, Expression]
    output: Expression
    initial: Mapping[str, Expression]
    dosing: Mapping[str, Mapping[str, Expression]]


def _renamed(model: Equations) -> dict[str, str]:
    names = {TIME: "time_h"}
    names |= {name: f"y[{i}]" for i, name in enumerate(model.states)}
    names |= {name: f"p[{i}]" for i, name in enumerate(model.parameters)}
    names |= {name: f"d{i}" for i, name in enumerate(model.definitions)}
    return names


def _function(head: str, lines: Sequence[str]) -> str:
    return f"{_KERNEL}def {head}:\n" + "".join(f"    {line}\n" for line in lines) + "\n\n"


def _system_text(model: Equations) -> str:
    """The functions that take the place of the example system of `ode_step`."""
    names = _renamed(model)
    every = [f"{names[name]} = {to_python(value, names)}" for name, value in model.definitions.items()]
    constant = [
        f"{names[name]} = {to_python(value, names)}"
        for name, value in model.definitions.items()
        if name in model.constant
    ]
    rates = [f"dy[{i}] = {to_python(model.equations[state], names)}" for i, state in enumerate(model.states)]
    zero = "0.0"
    start = [
        f"y[{i}] = {to_python(model.initial[state], names) if state in model.initial else zero}"
        for i, state in enumerate(model.states)
    ]
    rules = []
    neutral = {"bioavailability": "1.0", "lag_h": "0.0", "duration_h": "0.0", "rate_mg_h": "0.0"}
    for i, state in enumerate(model.states):
        given = {rule: to_python(by[state], names) for rule, by in model.dosing.items() if state in by}
        if given:
            rules += [f"if compartment == {i}:", f"    return {', '.join((neutral | given).values())}"]
    return (
        f"STATES = {len(model.states)}\n\n\n"
        + _function("derivatives(time_h, y, p, dy)", [*every, *rates])
        + _function("output(time_h, y, p)", [*every, f"return {to_python(model.output, names)}"])
        + _function("begin(time_h, p, y)", [*constant, *start])
        + _function("dosing(time_h, p, compartment)", [*constant, *rules, "return 1.0, 0.0, 0.0, 0.0"])
    )


def kernel_text(model: Equations) -> str:
    """Write the whole file: the expression language's functions, the model, the integrator."""
    package = resources.files("sirolens.engine")
    bodies = [
        package.joinpath(name).read_text(encoding="utf-8").split(_BODY, maxsplit=1)[1]
        for name in ("ode_step.py", "ode_lane.py")
    ]
    # Compiled code is keyed by the text of its own file; this makes what it calls elsewhere part of that text.
    called = hashlib.blake2b(digest_size=16)
    for name in ("ode_trains.py", "tsitouras.py"):
        called.update(package.joinpath(name).read_bytes())
    head = (
        f'"""Generated from a model\'s equations; made anew when lost, never edited. Calls {called.hexdigest()}."""\n\n'
    )
    imports = (
        f"from typing import Any\n{PRELUDE}\nfrom sirolens.engine.ode_trains import {', '.join(ode_trains.__all__)}\n"
        f"from sirolens.engine.tsitouras import {', '.join(tsitouras.__all__)}\n"
    )
    return head + imports + "\n\n" + _system_text(model) + "\n".join(bodies)


def _folder() -> Path:
    # The engine has set NUMBA_CACHE_DIR to a folder of the user's own; generated code is as private as compiled code.
    folder = Path(os.environ["NUMBA_CACHE_DIR"]) / "generated"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="sirolens-"))
    return folder if os.access(folder, os.W_OK | os.X_OK) else Path(tempfile.mkdtemp(prefix="sirolens-"))


def _written(text: str, name: str) -> Path:
    """The file of that name with exactly this text, written in one go if it is not there."""
    path = _folder() / f"{name}.py"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    return path


@lru_cache(maxsize=256)
def kernel_module(text: str) -> ModuleType:
    """Import the text of `kernel_text` from its file; the same text gives the same module."""
    name = f"sirolens_ode_{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, _written(text, name))
    assert spec is not None, name
    assert spec.loader is not None, name
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
