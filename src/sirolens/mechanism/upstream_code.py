# SPDX-License-Identifier: Apache-2.0
"""Writes the kernel of the upstream part: the course of every upstream state, on vectors of eight patients.

The text goes into a file named by its content (`sirolens.engine.ode_codegen.kernel_module`), so that it is compiled
once; a digest of the kernels it calls stands in it, because compiled code is keyed by the text of its own file only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from types import ModuleType

from sirolens.engine.expression import Expression
from sirolens.engine.ode_codegen import kernel_module
from sirolens.engine.simd.graph import Graph
from sirolens.engine.simd.text import Program

__all__ = ["forcing_module"]

_CALLED = ("relaxation.py", "simd/functions.py", "simd/vector.py")
_HEAD = '''"""Generated from a model\'s equations; made anew when lost, never edited. Calls {digest}."""

import numpy as np
from numba import njit

from sirolens.engine.relaxation import load_tile, relax, store_tiles
from sirolens.engine.simd.functions import *
from sirolens.engine.simd.vector import *


@njit(cache=True, nogil=True, error_model="numpy")
def forcing(levels, p, course, loss):
    zero = 0.0 * get(p, 0)
{constants}
    for j in range(levels.shape[0]):
        c = get(levels, j)
{courses}
'''
_DRIVER = """

@njit(cache=True, nogil=True, error_model="numpy")
def drive(levels, parameters, start, widths, kind, last, step, low, high, values, slopes, corrected):
    states = values.shape[2]
    fine = levels.shape[1]
    c = np.empty((fine, LANES))
    p = np.empty((parameters.shape[1], LANES))
    x = np.empty((states, LANES))
    course = np.empty((states, fine, LANES))
    loss = np.empty((states, 1, LANES))
    found = np.empty((states, 3 * last.size, LANES))
    for at in range(low, high, LANES):
        load_tile(levels, at, c)
        load_tile(parameters, at, p)
        load_tile(start, at, x)
        forcing(c, p, course, loss)
        for s in range(states):
            relax(course[s], loss[s], x[s : s + 1], widths, kind, last, step, found[s])
        store_tiles(found, at, values, slopes, corrected)
"""


@cache
def _digest() -> str:
    folder = resources.files("sirolens.engine")
    digest = hashlib.blake2b(digest_size=16)
    for name in _CALLED:
        digest.update(folder.joinpath(name).read_bytes())
    return digest.hexdigest()


def forcing_module(
    courses: Sequence[Expression], losses: Sequence[Expression], port: str, used: Sequence[str]
) -> ModuleType:
    """Return the compiled form of the upstream states.

    Parameters
    ----------
    courses : sequence of Expression
        a of each state, in terms of the port and of what is used.
    losses : sequence of Expression
        b of each state, in terms of what is used.
    port : str
        The input they depend on.
    used : sequence of str
        Parameters and constants, in the order of the columns that ``drive`` is given.

    Returns
    -------
    module
        A function ``drive(levels, parameters, start, widths, kind, last, step, low, high, values, slopes, corrected)``:
        (N, M), (N, P), (N, S), what `sirolens.engine.relaxation.relax` wants of the grid, (N, G, S) for the results.
    """
    graph = Graph()
    leaves = {name: graph.leaf("parameter", name) for name in used}
    roots = {f"loss {s}": graph.add(loss.root, leaves) for s, loss in enumerate(losses)}
    leaves[port] = graph.leaf("input", port)
    roots |= {f"course {s}": graph.add(course.root, leaves) for s, course in enumerate(courses)}
    program = Program.of(graph, roots)
    place = {name: f"get(p, {i})" for i, name in enumerate(used)} | {port: "c"}

    def leaf(_: str, name: str) -> str:
        return place[name]

    def named(what: str) -> list[str]:
        return [f"{what} {s}" for s in range(len(courses))]

    constants = program.constant_lines(leaf, lambda row: f"k{row} = zero + {{}}")
    constants += program.lines(
        named("loss"), leaf, lambda row: f"k{row}", [f"put(loss[{s}], 0, zero + {{}})" for s in range(len(courses))]
    )
    varying = program.lines(
        named("course"), leaf, lambda row: f"k{row}", [f"put(course[{s}], j, zero + {{}})" for s in range(len(courses))]
    )
    head = _HEAD.format(
        digest=_digest(),
        constants="\n".join(f"    {line}" for line in constants),
        courses="\n".join(f"        {line}" for line in varying),
    )
    return kernel_module(head + _DRIVER)
