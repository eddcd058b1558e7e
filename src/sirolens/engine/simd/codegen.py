# SPDX-License-Identifier: Apache-2.0
"""Writes one network's equations and the integrator into one file of kernels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib import resources

from sirolens.engine.network import TIME, Network
from sirolens.engine.simd.graph import Graph
from sirolens.engine.simd.text import Program

__all__ = ["kernel_text"]

_BODY = "# ---- body ----\n"
_KERNEL = '@njit(nogil=True, error_model="numpy")\n'
_CLOCK_ROWS = 12
_IMPORTS = """from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from sirolens.engine.kernel import kernel
from sirolens.engine.simd.functions import *
from sirolens.engine.simd.vector import *
from sirolens.engine.tsitouras import *
"""


def kernel_text(network: Network, outputs: Sequence[str], *, paired: bool = True) -> str:
    """Write the whole file: what is particular to the network, then the integrator of `sirolens.engine.simd.march`.

    Where divisions are `paired`, one serves two divisors, and neither may exceed some 1e150.
    """
    package = resources.files("sirolens.engine.simd")
    body = package.joinpath("march.py").read_text(encoding="utf-8").split(_BODY, maxsplit=1)[1]
    # Compiled code is keyed by the text of its own file; this makes what it calls elsewhere part of that text.
    called = hashlib.blake2b(digest_size=16)
    for name in ("functions.py", "vector.py", "../tsitouras.py"):
        called.update(package.joinpath(name).read_bytes())
    head = f'"""Generated from a network; made anew when lost, never edited. Calls {called.hexdigest()}."""\n\n'
    return f"{head}{_IMPORTS}\n\n{_network_text(network, outputs, paired)}\n{body}"


def _function(head: str, lines: Sequence[str]) -> str:
    return f"{_KERNEL}def {head}:\n" + "".join(f"    {line}\n" for line in lines or ["pass"]) + "\n\n"


def _program(network: Network, outputs: Sequence[str]) -> Program:
    graph = Graph()
    leaves = {name: graph.leaf("parameter", name) for name in network.parameters}
    graph.extend(network.constants, leaves)
    leaves |= {name: graph.leaf("state", name) for name in network.states}
    leaves |= {name: graph.leaf("input", name) for name in network.inputs}
    leaves[TIME] = graph.leaf("time", TIME)
    graph.extend(network.definitions, leaves)
    roots = {f"rate {name}": graph.add(network.rates[name].root, leaves) for name in network.states}
    roots |= {f"output {name}": leaves[name] for name in outputs}
    return Program.of(graph, roots)


def _beginning(network: Network) -> list[str]:
    graph = Graph()
    leaves = {name: graph.leaf("parameter", name) for name in network.parameters}
    graph.extend(network.constants, leaves)
    roots = {name: graph.add(network.initial[name].root, leaves) for name in network.states}
    program = Program.of(graph, roots)
    plain = Program(program.graph, program.roots, {})  # computed as it stands: nothing to keep
    return plain.lines(network.states, _leaf(network), str, [f"put(y, {i}, {{}})" for i in range(len(network.states))])


def _leaf(network: Network) -> Callable[[str, str], str]:
    places = {name: i for names in (network.parameters, network.states, network.inputs) for i, name in enumerate(names)}
    written = {"parameter": "get(p, {})", "state": "get(w, y + {})", "input": "get(w, U0 + {})", "time": "time"}

    def leaf(kind: str, name: str) -> str:
        return written[kind].format(places.get(name))

    return leaf


def _network_text(network: Network, outputs: Sequence[str], paired: bool) -> str:
    program = _program(network, outputs)
    leaf = _leaf(network)
    rates, observed = [f"rate {name}" for name in network.states], [f"output {name}" for name in outputs]
    needed = sorted(network.states.index(name) for name in program.leaves(observed, "state"))
    kept = [f"put(w, {i}, {{}})" for i in range(len(program.constants))]

    def constant(row: int) -> str:
        return f"get(w, C0 + {row})"

    return (
        f"STATES, CONSTANTS, INPUTS, OUTPUTS = "
        f"{len(network.states)}, {len(kept)}, {len(network.inputs)}, {len(outputs)}\n"
        f"C0, U0 = {_CLOCK_ROWS}, {_CLOCK_ROWS + len(kept)}\n"
        f"OBSERVES_INPUTS = {bool(program.leaves(observed, 'input'))}\n"
        f"NEEDED = {tuple(needed) or (0,)}\n\n\n"
        + _function("constants(p, w)", program.constant_lines(leaf, lambda row: kept[row]))
        + _function("begin(p, y)", _beginning(network))
        + _function(
            "rates(time, w, y, dy)",
            program.lines(rates, leaf, constant, [f"put(w, dy + {i}, {{}})" for i in range(len(rates))], paired=paired),
        )
        + _function(
            "observe(time, w, y, out)",
            program.lines(observed, leaf, constant, [f"put(w, out + {i}, {{}})" for i in range(len(observed))]),
        )
    )
