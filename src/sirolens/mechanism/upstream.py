# SPDX-License-Identifier: Apache-2.0
"""Splits a model where blood concentration enters it: what depends on concentration alone is computed beforehand.

Such a state obeys dX/dt = a(C) - b X: it feels nothing of the disease, so it can be followed exactly over a grid and
handed to the rest of the model as a smooth input. The rest then never sees the jumps in slope that every tablet makes,
and takes long steps. How fine the grid must be is measured in validation/upstream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.expression import Binary, Expression, Name, Node, Number, derivative, evaluate
from sirolens.engine.expression_tree import Call, Piecewise, Unary, fold, substituted
from sirolens.engine.network import Network
from sirolens.errors import InputError
from sirolens.mechanism.upstream_code import forcing_module
from sirolens.message import error

__all__ = ["HALVINGS", "STEP_D", "Courses", "Grid", "Split", "follow", "grid", "interpolate", "split", "without"]

Array = NDArray[np.float64]

STEP_D = 0.125
"""Distance of the nodes of the grid [d]; measured in validation/upstream."""
HALVINGS = 5
"""How often a step that begins with a dose is halved towards the dose; measured in validation/upstream."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Where upstream states are computed, and where concentrations are wanted for it.

    Parameters
    ----------
    start_d, step_d : float
        First node, and distance of the nodes [d].
    time_d : ndarray (2 n + 1,)
        Ends and middles of the n pieces, ascending.
    width_d : ndarray (k,)
        The lengths that pieces have.
    kind : ndarray of int (n,)
        Which of them each piece has.
    last : ndarray of int (G,)
        How many pieces lie before each node.
    """

    start_d: float
    step_d: float
    time_d: Array
    width_d: Array
    kind: NDArray[np.int64]
    last: NDArray[np.int64]

    @property
    def node_d(self) -> Array:
        """Times of the nodes, (G,)."""
        return np.asarray(self.start_d + self.step_d * np.arange(self.last.size))


def grid(
    start_d: float, days: float, dose_d: ArrayLike = (), *, step_d: float = STEP_D, halvings: int = HALVINGS
) -> Grid:
    """Lay a uniform grid of nodes, with pieces that are short just after a dose.

    After a tablet the concentration rises within the hour; a step that begins with one is halved towards it
    `halvings` times, so that its first piece is step / 2^halvings.

    Parameters
    ----------
    start_d : float
        First node.
    days : float
        From the first node to the last; a multiple of `step_d`.
    dose_d : array_like
        When doses may be taken. A dose between two nodes refines the step it falls in evenly.
    step_d, halvings
        See above.

    Raises
    ------
    InputError
        ``mechanism.grid-uneven`` where `days` is not a whole number of steps.

    Examples
    --------
    >>> grid(0.0, 0.5, [0.0], step_d=0.25, halvings=2).time_d.tolist()
    [0.0, 0.03125, 0.0625, 0.09375, 0.125, 0.1875, 0.25, 0.375, 0.5]
    """
    steps = round(days / step_d)
    if steps < 1 or abs(steps * step_d - days) > 1e-9 * days:
        raise InputError(error("mechanism.grid-uneven", days=days, step_d=step_d))
    place = (np.asarray(dose_d, dtype=np.float64) - start_d) / step_d
    place = place[(place > -1e-9) & (place < steps - 1e-9)]
    on_node = np.abs(place - np.round(place)) < 1e-9
    graded = np.zeros(steps, dtype=bool)
    graded[np.round(place[on_node]).astype(np.int64)] = True
    even = np.zeros(steps, dtype=bool)
    even[np.floor(place[~on_node]).astype(np.int64)] = True
    towards = np.concatenate(([halvings], np.arange(halvings, 0, -1))) if halvings else np.zeros(1, np.int64)
    kinds = {0: np.zeros(1, np.int64), 1: towards, 2: np.full(2**halvings, halvings)}
    choice = np.where(even, 2, np.where(graded, 1, 0))
    kind = np.concatenate([kinds[int(which)] for which in choice]).astype(np.int64)
    width_d: Array = np.ldexp(step_d, -np.arange(halvings + 1))
    last = np.concatenate(([0], np.cumsum(np.array([kinds[which].size for which in (0, 1, 2)])[choice])))
    inside = np.concatenate([np.cumsum(width_d[kinds[which]]) - width_d[kinds[which]] for which in (0, 1, 2)])
    first = np.cumsum([0, *(kinds[which].size for which in (0, 1))])
    offset = inside[np.concatenate([first[which] + np.arange(kinds[int(which)].size) for which in choice])]
    begin = start_d + step_d * np.repeat(np.arange(steps), np.diff(last)) + offset
    time_d = np.empty(2 * kind.size + 1)
    time_d[0:-1:2], time_d[1::2] = begin, begin + 0.5 * width_d[kind]
    time_d[-1] = start_d + step_d * steps
    return Grid(
        start_d=float(start_d),
        step_d=float(step_d),
        time_d=time_d,
        width_d=width_d,
        kind=kind,
        last=last.astype(np.int64),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """A model cut in two.

    Parameters
    ----------
    port : str
        The input at which it was cut.
    states : tuple of str
        The upstream states, in the order of the model.
    course, loss : mapping of str to Expression
        a(port, parameters) and b(parameters) of each: dX/dt = a - b X.
    initial, constants : mapping of str to Expression
        As in the model.
    parameters : tuple of str
        As in the model.
    rest : Network
        The model without them; they are inputs now, and the port is one only if something else uses it.
    """

    port: str
    states: tuple[str, ...]
    course: Mapping[str, Expression]
    loss: Mapping[str, Expression]
    initial: Mapping[str, Expression]
    constants: Mapping[str, Expression]
    parameters: tuple[str, ...]
    rest: Network


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Courses:
    """Upstream states on a uniform grid.

    Parameters
    ----------
    names : tuple of str
        The S states.
    start_d, step_d : float
        First node, and distance of the nodes [d].
    values, slopes : ndarray (S, G, N)
        X and dX/dt at the nodes; `values` may hold the last node only, (S, 1, N).
    corrected : ndarray (S, G, N)
        What drives the rest of the model: `values` moved so that the cubic between two nodes has the area of X there,
        although it cannot follow the hour after a tablet.
    """

    names: tuple[str, ...]
    start_d: float
    step_d: float
    values: Array
    slopes: Array
    corrected: Array

    @property
    def last(self) -> Array:
        """The states at the last node, (S, N): where to go on from."""
        return np.ascontiguousarray(self.values[:, -1])


def _inlined(network: Network) -> dict[str, Expression]:
    """The rate of every state with its definitions written out."""
    by: dict[str, Node] = {}
    for name, formula in network.definitions.items():
        by[name] = substituted(formula.root, by)
    return {name: Expression(substituted(formula.root, by)) for name, formula in network.rates.items()}


def split(network: Network, port: str = "C") -> Split:
    """Find the states that depend on one port alone, and are linear in themselves.

    Parameters
    ----------
    network : Network
        The model.
    port : str
        Name of the input.

    Returns
    -------
    Split
        Whose `rest` has what was found as inputs.

    Raises
    ------
    InputError
        ``mechanism.no-port`` where the model has no such input.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> model = Network(
    ...     name="", states=("u", "P"), parameters=("k", "K"), values={"k": 1.0, "K": 5.0}, inputs=("C",),
    ...     initial={"u": parse("0"), "P": parse("1")},
    ...     rates={"u": parse("k*(C/(K + C) - u)"), "P": parse("1 + u - P")},
    ... )
    >>> cut = split(model)
    >>> cut.states, cut.rest.states, cut.rest.inputs, cut.loss["u"].printed
    (('u',), ('P',), ('u',), 'k')
    """
    if port not in network.inputs:
        raise InputError(error("mechanism.no-port", name=port, known=", ".join(network.inputs)))
    given = {*network.parameters, *network.constants}
    touched = {name for event in network.events for name in event.assignments}
    course: dict[str, Expression] = {}
    loss: dict[str, Expression] = {}
    for state, rate in _inlined(network).items():
        if port not in rate.names or not rate.names <= {state, port, *given} or state in touched:
            continue
        slope = derivative(rate, state)
        if slope.names <= given:
            course[state] = Expression(_apart(substituted(rate.root, {state: Number(0.0)}), port))
            loss[state] = Expression(_negative(slope.root))
    states = tuple(name for name in network.states if name in course)
    return Split(
        port=port,
        states=states,
        course=course,
        loss=loss,
        initial={name: network.initial[name] for name in states},
        constants=network.constants,
        parameters=network.parameters,
        rest=_rest(network, port, states),
    )


def _apart(root: Node, port: str) -> Node:
    """Write (port/k)^h as port^h / k^h: all powers of the port then share one logarithm."""

    def combine(node: Node, parts: tuple[Node, ...]) -> Node:
        match node:
            case Binary("^"):
                match parts[0]:
                    case Binary("/", Name(name), below) if name == port:
                        return Binary("/", Binary("^", Name(port), parts[1]), Binary("^", below, parts[1]))
                return Binary("^", parts[0], parts[1])
            case Unary(operator):
                return Unary(operator, parts[0])
            case Binary(operator):
                return Binary(operator, parts[0], parts[1])
            case Call(function):
                return Call(function, parts)
            case Piecewise():
                return Piecewise(tuple(zip(parts[:-1:2], parts[1:-1:2], strict=True)), parts[-1])
            case _:
                return node

    return fold(root, combine)


def without(network: Network, port: str) -> Network:
    """Close a port: put 0 in its place wherever it stands.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> model = Network(
    ...     name="", states=("P",), parameters=(), values={}, inputs=("flare",), initial={"P": parse("1")},
    ...     rates={"P": parse("flare - P")},
    ... )
    >>> without(model, "flare").rates["P"].printed, without(model, "flare").inputs
    ('0 - P', ())
    """
    nothing: Mapping[str, Node] = {port: Number(0.0)}

    def closed(formulas: Mapping[str, Expression]) -> dict[str, Expression]:
        return {name: Expression(substituted(one.root, nothing)) for name, one in formulas.items()}

    return replace(
        network,
        inputs=tuple(name for name in network.inputs if name != port),
        definitions=closed(network.definitions),
        rates=closed(network.rates),
    )


def _negative(root: Node) -> Node:
    """-root, with the signs that a derivative leaves behind taken out."""
    match root:
        case Number(value):
            return Number(-value)
        case Unary("-", operand):
            return operand
        case Binary("*", left, Number(-1.0)) | Binary("*", left, Unary("-", Number(1.0))):
            return left
        case _:
            return Unary("-", root)


def _rest(network: Network, port: str, upstream: tuple[str, ...]) -> Network:
    """The model without its upstream states; definitions that only they used go with them."""
    states = tuple(name for name in network.states if name not in upstream)
    wanted = {name for state in states for name in network.rates[state].names}
    wanted |= {name for event in network.events for formula in event.formulas() for name in formula.names}
    definitions = dict(network.definitions)
    of_port: set[str] = set()
    for name, formula in definitions.items():
        if formula.names & ({port} | of_port):
            of_port.add(name)
    for name in reversed(list(definitions)):
        if name in wanted or name not in of_port:
            wanted |= definitions[name].names
        else:
            del definitions[name]
    kept = tuple(name for name in network.inputs if name != port or port in wanted)
    return replace(
        network,
        states=states,
        inputs=(*kept, *upstream),
        initial={name: network.initial[name] for name in states},
        definitions=definitions,
        rates={name: network.rates[name] for name in states},
    )


def follow(
    cut: Split,
    parameters: ArrayLike,
    levels: ArrayLike,
    on: Grid,
    *,
    start: ArrayLike | None = None,
    every_node: bool = True,
) -> Courses:
    """Follow the upstream states of many patients.

    ::

        X(t + h) = exp(-b h) X(t) + integral of exp(-b (h - s)) a(C(t + s)),  a as parabolas

    Parameters
    ----------
    cut : Split
        The model.
    parameters : array_like (n_parameters, N)
        In the order of the model.
    levels : array_like (N, M)
        Concentrations at ``on.time_d``.
    on : Grid
        The grid.
    start : array_like (S, N), optional
        States at the start; the model's initial values when left out.
    every_node : bool
        Whether `Courses.values` is wanted at every node; else it holds the last one only.

    Returns
    -------
    Courses

    Raises
    ------
    InputError
        ``mechanism.levels-shape``.
    """
    given = np.asarray(parameters, dtype=np.float64)
    course = np.ascontiguousarray(levels, dtype=np.float64)
    patients = given.shape[1]
    if course.shape != (patients, on.time_d.size):
        raise InputError(error("mechanism.levels-shape", found=str(course.shape), patients=patients))
    known: dict[str, Array] = dict(zip(cut.parameters, given, strict=True))
    for name, formula in cut.constants.items():
        known[name] = evaluate(formula, known)
    if start is None:
        begin = [np.broadcast_to(evaluate(cut.initial[name], known), (patients,)) for name in cut.states]
        first = np.array(begin, dtype=np.float64).reshape(len(cut.states), patients)
    else:
        first = np.asarray(start, dtype=np.float64)
    used = sorted({name for formulas in (cut.course, cut.loss) for one in formulas.values() for name in one.names})
    used = [name for name in used if name != cut.port]
    table = np.zeros((patients, max(1, len(used))))
    for i, name in enumerate(used):
        table[:, i] = known[name]
    # One patient's numbers lie together: so they are read.
    shape = (patients, on.last.size, len(cut.states))
    slopes, corrected = np.empty(shape), np.empty(shape)
    values = np.empty(shape if every_node else (patients, 1, len(cut.states)))
    if cut.states:
        courses, losses = ([formulas[name] for name in cut.states] for formulas in (cut.course, cut.loss))
        module = forcing_module(courses, losses, cut.port, used)
        rows = np.ascontiguousarray(first.T)
        sizes = (on.width_d, on.kind, on.last, on.step_d)
        module.drive(course, table, rows, *sizes, 0, patients, values, slopes, corrected)
    return Courses(
        names=cut.states,
        start_d=on.start_d,
        step_d=on.step_d,
        values=values.T,
        slopes=slopes.T,
        corrected=corrected.T,
    )


def interpolate(courses: Courses, time_d: ArrayLike) -> Array:
    """Read courses between their nodes, by cubics.

    Parameters
    ----------
    courses : Courses
        From `follow`.
    time_d : array_like (K,)
        Inside the grid.

    Returns
    -------
    ndarray (S, K, N)
    """
    times = np.atleast_1d(np.asarray(time_d, dtype=np.float64))
    at = (times - courses.start_d) / courses.step_d
    cell = np.clip(np.floor(at + 1e-9).astype(np.int64), 0, courses.values.shape[1] - 2)
    s = (at - cell)[None, :, None]
    y0, y1 = courses.values[:, cell], courses.values[:, cell + 1]
    d0, d1 = courses.slopes[:, cell] * courses.step_d, courses.slopes[:, cell + 1] * courses.step_d
    rise = y1 - y0
    return np.asarray(y0 + s * (d0 + s * ((3.0 * rise - 2.0 * d0 - d1) + s * (d0 + d1 - 2.0 * rise))))
