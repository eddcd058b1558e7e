# SPDX-License-Identifier: Apache-2.0
"""Rewrites the products of a graph: constants together, exponentials under one exponent, one division at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import final

from sirolens.engine.simd.graph import Graph

__all__ = ["with_products_merged"]


@final
@dataclass(slots=True)
class _Factors:
    """What a product is made of."""

    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    exponents: list[tuple[bool, int]] = field(default_factory=list)  # (in the denominator, exponent)
    negative: bool = False


def with_products_merged(graph: Graph, roots: Sequence[int]) -> tuple[Graph, list[int]]:
    """Return a graph with the same roots whose products have been merged.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> graph = Graph()
    >>> leaves = {name: graph.leaf("state", name) for name in "xy"}
    >>> merged, roots = with_products_merged(graph, [graph.add(parse("2 * x^0.3 * 3 * y^0.2").root, leaves)])
    >>> [merged.nodes[place].name for place in merged.needed(roots)].count("exp")
    1
    """
    merged, uses = Graph(), graph.uses(roots)
    place: dict[int, int] = {}
    for old in graph.needed(roots):
        operation = graph.nodes[old]
        if operation.name in ("*", "/") and not graph.is_constant(old):
            place[old] = _rebuilt(graph, uses, old, merged, place)
        elif below := operation.on:
            place[old] = merged.call(operation.name, *(place[other] for other in below))
        elif operation.name == "number":
            place[old] = merged.number(float(operation.text))
        else:
            place[old] = merged.leaf(operation.name, operation.text)
    return merged, [place[root] for root in roots]


def _collect(graph: Graph, uses: Counter[int], old: int, denominator: bool, factors: _Factors, top: bool) -> None:
    operation = graph.nodes[old]
    name = operation.name
    single = top or uses[old] == 1
    if graph.is_constant(old) or not single or name not in ("*", "/", "neg", "exp"):
        (factors.below if denominator else factors.above).append(old)
    elif name == "exp":
        factors.exponents.append((denominator, operation.on[0]))
    elif name == "neg":
        factors.negative = not factors.negative
        _collect(graph, uses, operation.on[0], denominator, factors, False)
    else:
        first, second = operation.on
        _collect(graph, uses, first, denominator, factors, False)
        _collect(graph, uses, second, denominator != (name == "/"), factors, False)


def _rebuilt(graph: Graph, uses: Counter[int], old: int, merged: Graph, place: dict[int, int]) -> int:
    factors = _Factors()
    _collect(graph, uses, old, False, factors, True)
    above, below = [place[i] for i in factors.above], [place[i] for i in factors.below]
    # What was shared, or has become an exponential only now, joins the others where that saves a division.
    exponents = [(below_line, place[exponent]) for below_line, exponent in factors.exponents]
    for i in [i for i in below if merged.nodes[i].name == "exp"]:
        below.remove(i)
        exponents.append((True, merged.nodes[i].on[0]))
    one = merged.number(1.0)

    def product(places: list[int]) -> int:
        return reduce(lambda a, b: merged.call("*", a, b), places, one)

    constant = product([i for i in above if merged.is_constant(i)])
    if factors.negative:
        constant = merged.call("neg", constant)
    constant = merged.call("/", constant, product([i for i in below if merged.is_constant(i)]))
    varying = [i for i in above if not merged.is_constant(i)]
    if exponents:
        total = None
        for below_line, exponent in exponents:
            if total is None:
                total = merged.call("neg", exponent) if below_line else exponent
            else:
                total = merged.call("-" if below_line else "+", total, exponent)
        assert total is not None
        varying.append(merged.call("exp", total))
    numerator = product([constant, *varying])
    return merged.call("/", numerator, product([i for i in below if not merged.is_constant(i)]))
