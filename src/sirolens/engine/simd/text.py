# SPDX-License-Identifier: Apache-2.0
"""Writes a graph of operations as straight-line text that compiles for a vector of lanes, a number, or a GPU thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from sirolens.engine.simd.graph import Graph
from sirolens.engine.simd.products import with_products_merged

__all__ = ["Program"]

_INFIX = frozenset({"+", "-", "*", "/"})


@final
@dataclass(frozen=True, slots=True)
class Program:
    """A graph whose roots are to be computed, and what is a constant of the lane in it.

    Parameters
    ----------
    graph : Graph
        The operations.
    roots : mapping of str to int
        Named results.
    constants : mapping of int to int
        Nodes that depend on parameters only and are wanted by what does not, and the row each is kept in.
    """

    graph: Graph
    roots: Mapping[str, int]
    constants: Mapping[int, int]

    @staticmethod
    def of(graph: Graph, roots: Mapping[str, int]) -> Program:
        """Merge products, and find the constants."""
        merged, places = with_products_merged(graph, list(roots.values()))
        rows: dict[int, int] = {}
        varying = [place for place in merged.needed(places) if not merged.is_constant(place)]
        wanted = [below for place in varying for below in merged.nodes[place].on]
        for place in [*wanted, *places]:
            if merged.is_constant(place) and merged.value(place) is None:
                rows.setdefault(place, len(rows))
        return Program(merged, dict(zip(roots, places, strict=True)), rows)

    def constant_lines(self, leaf: Callable[[str, str], str], result: Callable[[int], str]) -> list[str]:
        """Text that computes every constant of a lane."""
        results = [result(row) for row in self.constants.values()]
        return _lines(self.graph, list(self.constants), leaf, {}, results, paired=False)

    def lines(
        self,
        names: Sequence[str],
        leaf: Callable[[str, str], str],
        constant: Callable[[int], str],
        results: Sequence[str],
        *,
        paired: bool = False,
    ) -> list[str]:
        """Text that computes named results; `results` are templates such as ``put(w, 3, {})``.

        Divisions take several times as long as anything else: `paired` makes one serve two divisors.
        """
        held = {place: constant(row) for place, row in self.constants.items()}
        return _lines(self.graph, [self.roots[name] for name in names], leaf, held, results, paired=paired)

    def leaves(self, names: Sequence[str], kind: str) -> list[str]:
        """The leaves of one kind that named results depend on."""
        found = [self.graph.nodes[place] for place in self.graph.needed(self.roots[name] for name in names)]
        return [operation.text for operation in found if operation.name == kind]


def _until_constants(graph: Graph, roots: Sequence[int], held: Mapping[int, str]) -> list[int]:
    """Like `Graph.needed`, but what is held is not looked into."""
    done: dict[int, None] = {}
    for root in roots:
        waiting = [(root, False)]
        while waiting:
            place, ready = waiting.pop()
            if place in done:
                continue
            below = () if place in held else graph.nodes[place].on
            if ready or not below:
                done[place] = None
            else:
                waiting.append((place, True))
                waiting.extend((other, False) for other in reversed(below))
    return list(done)


def _lines(
    graph: Graph,
    roots: Sequence[int],
    leaf: Callable[[str, str], str],
    held: Mapping[int, str],
    results: Sequence[str],
    *,
    paired: bool,
) -> list[str]:
    divisors = _divisors(graph, roots, held)
    order = _until_constants(graph, [place for level in divisors for place in level] + [*roots], held)
    computed = [place for place in order if place not in held]
    uses = Counter(roots)
    for place in computed:
        uses.update(graph.nodes[place].on)
    fused = {product for place in computed for product in _fused(graph, place, uses, held)}
    partner = {a: (a, b) for level in divisors for a, b in _pairs(level, 2 if paired else 1)}
    partner |= {b: pair for pair in partner.values() for b in pair}
    name: dict[int, str] = {}
    lines: list[str] = []
    inverted: set[int] = set()

    for place in order:
        operation = graph.nodes[place]
        if (value := graph.value(place)) is not None:
            name[place] = repr(value)
            continue
        if place in fused:
            continue
        if place in held:
            written = held[place]
        elif not operation.on:
            written = leaf(operation.name, operation.text)
        elif operation.name == "/" and operation.on[1] in partner:
            above, below = operation.on
            if below not in inverted:
                inverted |= {*partner[below]}
                lines.append(_inversion(partner[below], name))
            written = f"r{below}" if graph.value(above) == 1.0 else f"{name[above]} * r{below}"
        else:
            written = _operation_text(graph, place, fused, name.__getitem__)
        name[place] = f"v{place}"
        lines.append(f"v{place} = {written}")
    return lines + [template.format(name[root]) for root, template in zip(roots, results, strict=True)]


def _divisors(graph: Graph, roots: Sequence[int], held: Mapping[int, str]) -> list[list[int]]:
    """What is divided by, in levels: a level needs divisions of those before it only."""
    depth: dict[int, int] = {}
    levels: dict[int, dict[int, None]] = {}
    for place in _until_constants(graph, roots, held):
        operation = graph.nodes[place]
        below = () if place in held else operation.on
        depth[place] = max((depth[other] for other in below), default=0)
        if below and operation.name == "/" and graph.value(below[1]) is None and below[1] not in held:
            depth[place] += 1
            levels.setdefault(depth[place], {}).setdefault(below[1])
    # A divisor that serves two levels is inverted at the first.
    seen: set[int] = set()
    found = []
    for level in sorted(levels):
        found.append([place for place in levels[level] if place not in seen])
        seen |= {*levels[level]}
    return found


def _pairs(places: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Cut into pairs; one that is left over is a pair with itself, as all are where `size` is 1."""
    return [(places[i], places[min(i + size, len(places)) - 1]) for i in range(0, len(places), size)]


def _inversion(pair: tuple[int, int], name: Mapping[int, str]) -> str:
    a, b = pair
    return f"r{a} = 1.0 / {name[a]}" if a == b else f"r{a}, r{b} = reciprocals({name[a]}, {name[b]})"


def _fused(graph: Graph, place: int, uses: Counter[int], held: Mapping[int, str]) -> tuple[int, ...]:
    """The product that a sum takes in as one multiply-and-add."""
    operation = graph.nodes[place]
    if operation.name not in ("+", "-"):
        return ()
    for other in reversed(operation.on):
        if graph.nodes[other].name == "*" and uses[other] == 1 and other not in held:
            return (other,)
    return ()


def _operation_text(graph: Graph, place: int, fused: set[int], text: Callable[[int], str]) -> str:
    operation = graph.nodes[place]
    below = operation.on
    if operation.name in ("+", "-") and (product := next((p for p in reversed(below) if p in fused), None)) is not None:
        left, right = (text(p) for p in graph.nodes[product].on)
        sign = "-" if operation.name == "-" else ""
        if product == below[1]:
            return f"fma({sign}{left}, {right}, {text(below[0])})"
        return f"fma({left}, {right}, {sign}{text(below[1])})"
    if operation.name in _INFIX:
        return f"{text(below[0])} {operation.name} {text(below[1])}"
    if operation.name == "neg":
        return f"-{text(below[0])}"
    return f"{operation.name}({', '.join(text(p) for p in below)})"
