# SPDX-License-Identifier: Apache-2.0
"""Looks for divisions by zero at the start of a model, with its own values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike

from sirolens.engine.expression import Binary, Expression, Node, Number, Unary, evaluate
from sirolens.engine.expression_tree import nodes
from sirolens.engine.network import TIME, Network, default_parameters, initial_state
from sirolens.message import Message, Place, error

__all__ = ["divisions_by_zero"]


def _denominators(root: Node) -> Iterator[Node]:
    for node in nodes(root):
        match node:
            case Binary("/"):
                yield node.right
            case Binary("^", base, Unary("-", Number())):
                yield base
            case Binary("^", base, Number(power)) if power < 0.0:
                yield base
            case _:
                pass


def _zeros(formula: Expression, known: Mapping[str, ArrayLike]) -> Iterator[str]:
    """Yield what is divided by although it is 0, in a formula whose value is therefore not finite."""
    if np.isfinite(evaluate(formula, known)).all():
        return  # perhaps a choice went the other way
    for denominator in map(Expression, _denominators(formula.root)):
        if np.any(evaluate(denominator, known) == 0.0):
            yield denominator.printed


def divisions_by_zero(network: Network, *, file: str | None = None) -> tuple[Message, ...]:
    """Evaluate every formula once at the start and name each that divides by zero.

    Parameters
    ----------
    network : Network
        The model; its parameters have their defaults, a port its resting value (without one it counts as unknown).
    file : str, optional
        Name of the file, for messages.

    Returns
    -------
    tuple of Message
        ``sbml.division-by-zero`` with the name, what is 0, and the line.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> network = Network(
    ...     name="", states=("A",), parameters=(), values={}, initial={"A": parse("0")}, rates={"A": parse("1/A")}
    ... )
    >>> divisions_by_zero(network)[0].values["zero"]
    'A'
    """
    parameters = default_parameters(network)
    known: dict[str, ArrayLike] = dict(zip(network.parameters, parameters, strict=True))
    faults: dict[str, Message] = {}

    def look(name: str, formula: Expression) -> None:
        line = network.lines.get(name)
        for zero in _zeros(formula, known):
            place = Place(file=file, line=line)
            faults.setdefault(name, error("sbml.division-by-zero", place=place, name=network.label(name), zero=zero))

    for name, formula in network.constants.items():
        look(name, formula)
        known[name] = evaluate(formula, known)
    for name, formula in network.initial.items():
        look(name, formula)
    known.update(zip(network.states, initial_state(network, parameters), strict=True))
    known.update({name: np.array([network.values.get(name, np.nan)]) for name in network.inputs})
    known[TIME] = np.zeros(1)
    for name, formula in network.definitions.items():
        look(name, formula)
        known[name] = evaluate(formula, known)
    for name, formula in network.rates.items():
        look(name, formula)
    return tuple(faults.values())
