# SPDX-License-Identifier: Apache-2.0
"""Compiles a network for lanes: checked, written as kernels, ready to be integrated for many patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from sirolens.engine.expression import Call, Expression
from sirolens.engine.expression_tree import nodes
from sirolens.engine.network import Network
from sirolens.engine.ode_codegen import kernel_module
from sirolens.engine.simd.codegen import kernel_text
from sirolens.engine.simd.graph import SUPPORTED
from sirolens.errors import InputError
from sirolens.message import Message, error

__all__ = ["LaneSystem", "compile_lanes"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSystem:
    """A network compiled for lanes.

    Parameters
    ----------
    network : Network
        What was compiled.
    outputs : tuple of str
        What is observed, in the order of the rows of `Lanes.values`.
    text : str
        The generated kernels.
    """

    network: Network
    outputs: tuple[str, ...]
    text: str

    def plain_text(self) -> str:
        """The same kernels with every division on its own, for patients in whom a divisor leaves the usual range."""
        return kernel_text(self.network, self.outputs, paired=False)


def compile_lanes(network: Network, *, outputs: Sequence[str]) -> LaneSystem:
    """Turn a network into kernels; the first integration compiles them, later processes find them compiled.

    Parameters
    ----------
    network : Network
        Without events: those are for `sirolens.engine.network_solver`.
    outputs : sequence of str
        States, definitions, inputs, constants or parameters to observe.

    Returns
    -------
    LaneSystem

    Raises
    ------
    InputError
        With every fault: ``simd.events-unsupported``, ``simd.function-unsupported``, ``simd.output-unknown``,
        ``simd.no-output``, ``simd.no-states``.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> decay = Network(
    ...     name="decay", states=("A",), parameters=("k",), values={"k": 0.5},
    ...     initial={"A": parse("8")}, rates={"A": parse("-k * A")},
    ... )
    >>> compile_lanes(decay, outputs=["A"]).outputs
    ('A',)
    """
    faults = [*_faults(network, outputs)]
    if faults:
        raise InputError(*faults)
    text = kernel_text(network, tuple(outputs))
    kernel_module(text)
    return LaneSystem(network=network, outputs=tuple(outputs), text=text)


def _faults(network: Network, outputs: Sequence[str]) -> Iterator[Message]:
    if not network.states:
        yield error("simd.no-states", model=network.name)
    if not outputs:
        yield error("simd.no-output", model=network.name)
    for event in network.events:
        yield error("simd.events-unsupported", name=event.name)
    groups = (network.states, network.definitions, network.inputs, network.constants, network.parameters)
    known = [name for names in groups for name in names]
    for name in dict.fromkeys(outputs):
        if name not in known:
            yield error("simd.output-unknown", name=name)
    for formulas in (network.constants, network.initial, network.definitions, network.rates):
        for name, formula in formulas.items():
            for function in sorted(_functions(formula) - SUPPORTED):
                yield error("simd.function-unsupported", name=network.label(name), function=function)


@lru_cache(maxsize=4096)
def _functions(formula: Expression) -> frozenset[str]:
    return frozenset(node.function for node in nodes(formula.root) if isinstance(node, Call))
