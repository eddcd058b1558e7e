# SPDX-License-Identifier: Apache-2.0
"""Writes what is particular to one network as Python text: rates, Jacobian, outputs and what events ask of it.

Every function has the same shape, so that one compiled integrator can call those of any network by their address:
``f(t, y, q, u, out)`` with the time, the states, the parameters followed by the constants, the inputs (followed by
their slopes), and the place for the answer. The text is a file, so that compiled code is kept for the next process.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sirolens.engine.expression import PRELUDE
from sirolens.engine.expression_code import python_text
from sirolens.engine.expression_derivative import differentiate
from sirolens.engine.expression_tree import COMPARISONS, Binary, Name, Node, Number, nodes, print_node
from sirolens.engine.network import TIME, Network
from sirolens.engine.ode_codegen import kernel_module

__all__ = ["Comparison", "comparisons", "derivative_text", "main_text"]

_KERNEL = '@cfunc(SIGNATURE, cache=True, error_model="numpy")\n'
_ZERO = Number(0.0)
#: What the generated text takes from the expression language.
_WORDS = tuple(re.findall(r"^def (\w+)", PRELUDE, flags=re.MULTILINE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison whose truth changes what happens.

    Parameters
    ----------
    node : Binary
        The comparison itself.
    ahead : bool
        Whether its truth is known ahead: it depends on the time and on what events alone change.
    straight : bool
        Whether the difference of its sides is a straight line in time.
    """

    node: Binary
    ahead: bool
    straight: bool


def comparisons(network: Network) -> tuple[Comparison, ...]:
    """List the comparisons that the triggers hang on, and those in rates that are known ahead.

    A comparison of two states within a rate is left to the control of the step: stopping wherever it changes could
    stop for ever (a trajectory that slides along the border).

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> network = Network(name="", states=("A",), parameters=("k",), values={"k": 1.0}, initial={"A": parse("1")},
    ...                   rates={"A": parse("if(time < 5, k, if(A > 3, 0, 1))")})
    >>> [(print_node(found.node), found.ahead) for found in comparisons(network)]
    [('time < 5', True)]
    """
    resting = _resting(network)
    ahead = {*network.parameters, *network.constants, *resting, TIME}
    moving = {TIME}
    for name, formula in network.definitions.items():
        if formula.names <= ahead:
            ahead.add(name)
            if formula.names & moving:
                moving.add(name)
    found: dict[str, Comparison] = {}
    triggers = [event.trigger.root for event in network.events]
    rates = [network.rates[state].root for state in network.states]
    for roots, only_ahead in ((triggers, False), (rates, True)):
        used = _needed(network, roots)
        for root in (*roots, *(network.definitions[name].root for name in used)):
            for node in nodes(root):
                if not (isinstance(node, Binary) and node.operator in COMPARISONS):
                    continue
                names = _names(node)
                known = names <= ahead
                if (known and not names & moving) or (only_ahead and not known):
                    continue
                straight = known and _is_straight(node, moving)
                found.setdefault(print_node(node), Comparison(node=node, ahead=known, straight=straight))
    return tuple(found.values())


def _resting(network: Network) -> frozenset[str]:
    """The states that events alone change."""
    return frozenset(state for state in network.states if network.rates[state].root == _ZERO)


def _is_straight(node: Binary, moving: Collection[str]) -> bool:
    difference = Binary("-", node.left, node.right)
    names = {TIME, *_names(difference)} & set(moving)
    if names != {TIME} or any(isinstance(part, Binary) and part.operator in COMPARISONS for part in nodes(difference)):
        return False
    return TIME not in _names(differentiate(difference, TIME))


def _names(root: Node) -> set[str]:
    return {node.name for node in nodes(root) if isinstance(node, Name)}


def _needed(network: Network, roots: Iterable[Node]) -> list[str]:
    """The definitions that formulas use, directly or through others, in order."""
    wanted = {name for root in roots for name in _names(root)}
    used = []
    for name in reversed(list(network.definitions)):
        if name in wanted:
            used.append(name)
            wanted |= network.definitions[name].names
    return used[::-1]


def _renamed(network: Network) -> dict[str, str]:
    names = {TIME: "t"}
    names |= {name: f"y[{i}]" for i, name in enumerate(network.states)}
    names |= {name: f"q[{i}]" for i, name in enumerate((*network.parameters, *network.constants))}
    names |= {name: f"u[{i}]" for i, name in enumerate(network.inputs)}
    names |= {name: f"d{i}" for i, name in enumerate(network.definitions)}
    return names


def _function(name: str, lines: Sequence[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines or ["pass"])
    return f"\n\n{_KERNEL}def {name}(t, y, q, u, out):\n{body}"


def _assigned(network: Network, formulas: Sequence[Node], names: Mapping[str, str], first: int = 0) -> list[str]:
    """Lines that put formulas into ``out``, with the definitions they need before them."""
    lines = [
        f"{names[name]} = {python_text(network.definitions[name].root, names)}" for name in _needed(network, formulas)
    ]
    lines += [f"out[{first + i}] = {python_text(formula, names)}" for i, formula in enumerate(formulas)]
    return lines


def _comparison_function(name: str, network: Network, watched: Sequence[Comparison], names: Mapping[str, str]) -> str:
    """For each comparison two numbers: the difference of its sides, and the class whose change matters."""
    lines = _assigned(network, [Binary("-", item.node.left, item.node.right) for item in watched], names)
    count = len(watched)
    for i, item in enumerate(watched):
        if item.node.operator in ("==", "!="):
            text = f"1.0 if out[{i}] > 0.0 else (-1.0 if out[{i}] < 0.0 else 0.0 * out[{i}])"
        else:
            text = python_text(item.node, names)
        lines.append(f"out[{count + i}] = {text}")
    return _function(name, lines)


def _event_functions(network: Network, names: Mapping[str, str]) -> str:
    triggers = [event.trigger.root for event in network.events]
    delays = [event.delay.root if event.delay is not None else _ZERO for event in network.events]
    values = [formula.root for event in network.events for formula in event.assignments.values()]
    ranked = [(i, event.priority.root) for i, event in enumerate(network.events) if event.priority is not None]
    asked = [*delays, *(priority for _, priority in ranked), *values]
    lines = _assigned(network, [], names)
    lines += [
        f"{names[name]} = {python_text(network.definitions[name].root, names)}" for name in _needed(network, asked)
    ]
    count = len(network.events)
    lines += [f"out[{i}] = {python_text(delay, names)}" for i, delay in enumerate(delays)]
    ranks = dict(ranked)
    for i in range(count):
        # An event without a priority comes after those that have one.
        lines.append(f"out[{count + i}] = {python_text(ranks[i], names) if i in ranks else '-math.inf'}")
    lines += [f"out[{2 * count + i}] = {python_text(value, names)}" for i, value in enumerate(values)]
    return _function("triggers", _assigned(network, triggers, names)) + _function("effects", lines)


def _head() -> str:
    # The language's own small functions stand in one file, named by its content, for all networks.
    words = kernel_module(PRELUDE).__name__
    return (
        '"""Generated from a network; made anew when lost, never edited."""\n\nimport math\n\nimport numpy as np\n'
        f"from numba import cfunc, types\n\nfrom {words} import {', '.join(_WORDS)}\n\n"
        "SIGNATURE = types.void(types.float64, *[types.CPointer(types.float64)] * 4)\n"
    )


def main_text(network: Network, outputs: Sequence[str]) -> str:
    """Write rates and outputs, and for a network with events what they ask of it.

    Parameters
    ----------
    network : Network
        The model.
    outputs : sequence of str
        Names the model has.
    """
    names = _renamed(network)
    watched = comparisons(network)
    text = _head()
    text += _function("rates", _assigned(network, [network.rates[state].root for state in network.states], names))
    text += _function("outputs", _assigned(network, [Name(name) for name in outputs], names))
    for name, ahead in (("ahead", True), ("found", False)):
        chosen = [item for item in watched if item.ahead == ahead]
        if chosen:
            text += _comparison_function(name, network, chosen, names)
    return text + (_event_functions(network, names) if network.events else "")


def derivative_text(network: Network) -> str:
    """Write the Jacobian of the rates and, where time or an input stands in them, their slope in time.

    The Jacobian's entries are sums over the paths through the definitions; what is 0 is not written.
    """
    text = _head() + _function("jacobian", list(_jacobian_lines(network)))
    slope = list(_slope_lines(network))
    return text + (_function("slope", slope) if slope else "")


def _chain(root: Node, inner: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The derivative of a formula, given the text of the derivative of each name in it; empty when it is 0."""
    terms = []
    for name in sorted(_names(root) & inner.keys()):
        outer = differentiate(root, name)
        if outer == _ZERO:
            continue
        if inner[name] == "1.0":
            terms.append(f"({python_text(outer, names)})")
        else:
            terms.append(f"({python_text(outer, names)}) * {inner[name]}")
    return " + ".join(terms)


def _jacobian_lines(network: Network) -> Iterator[str]:
    names = _renamed(network)
    rates = [network.rates[state].root for state in network.states]
    used = _needed(network, rates)
    yield from (f"{names[name]} = {python_text(network.definitions[name].root, names)}" for name in used)
    count = len(network.states)
    for j, state in enumerate(network.states):
        inner = {state: "1.0"}
        for name in used:
            text = _chain(network.definitions[name].root, inner, names)
            if text:
                local = f"g{names[name]}_{j}"
                yield f"{local} = {text}"
                inner[name] = local
        for i, rate in enumerate(rates):
            text = _chain(rate, inner, names)
            if text:
                yield f"out[{i * count + j}] = {text}"


def _slope_lines(network: Network) -> Iterator[str]:
    names = _renamed(network)
    rates = [network.rates[state].root for state in network.states]
    used = _needed(network, rates)
    inner = {TIME: "1.0"} | {name: f"u[{len(network.inputs) + k}]" for k, name in enumerate(network.inputs)}
    lines = []
    for name in used:
        text = _chain(network.definitions[name].root, inner, names)
        if text:
            inner[name] = f"g{names[name]}"
            lines.append(f"{inner[name]} = {text}")
    found = [(i, _chain(rate, inner, names)) for i, rate in enumerate(rates)]
    if any(text for _, text in found):
        yield from (f"{names[name]} = {python_text(network.definitions[name].root, names)}" for name in used)
        yield from lines
        yield from (f"out[{i}] = {text}" for i, text in found if text)
