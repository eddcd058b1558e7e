# SPDX-License-Identifier: Apache-2.0
"""What a model file becomes: states with rates, parameters, ports, definitions and events, checked and in order.

A `Network` is written by a reader (`sirolens.engine.sbml`) or by hand, and run by the compilers. `evaluate_rates`
walks its formulas one by one on arrays: slow, and the reference that every compiled form is held against.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.expression import FUNCTIONS, Expression, evaluate, is_forbidden_name
from sirolens.errors import ModelFileError
from sirolens.message import Message, Place, Value, error

__all__ = [
    "RESERVED",
    "TIME",
    "Event",
    "Network",
    "default_parameters",
    "evaluate_outputs",
    "evaluate_rates",
    "in_order",
    "initial_state",
    "is_usable_name",
]

Array = NDArray[np.float64]

#: The name of time inside every formula of a network.
TIME = "time"
#: Names that nothing in a network may bear.
RESERVED = frozenset({*FUNCTIONS, "if", "piecewise", "and", "or", "not", TIME})


def is_usable_name(name: str) -> bool:
    """Say whether something in a network may bear this name.

    >>> is_usable_name("IL6"), is_usable_name("lambda"), is_usable_name("time"), is_usable_name("µ")
    (True, False, False, False)
    """
    return name.isascii() and name.isidentifier() and not is_forbidden_name(name) and name not in RESERVED


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens when a condition becomes true.

    Parameters
    ----------
    name : str
        For messages.
    trigger : Expression
        The event fires when this goes from false (0) to true.
    initially_true : bool
        What the trigger counts as just before the start; False lets the event fire at the start.
    persistent : bool
        Whether an event that waits out its delay is carried out although the trigger has become false meanwhile.
    delay : Expression or None
        Time from firing to carrying out; None is 0.
    priority : Expression or None
        Of the events due at one time, the one with the highest priority is carried out first.
    from_trigger_values : bool
        Whether the new values are computed when the event fires (True) or when it is carried out (False).
    assignments : mapping of str to Expression
        New value of each state; all are computed before any is set.
    line : int or None
        Where it stands in the file.
    """

    name: str
    trigger: Expression
    initially_true: bool = True
    persistent: bool = True
    delay: Expression | None = None
    priority: Expression | None = None
    from_trigger_values: bool = True
    assignments: Mapping[str, Expression] = field(default_factory=dict)
    line: int | None = None

    def formulas(self) -> Iterator[Expression]:
        """Yield every formula of the event.

        >>> from sirolens.engine.expression import parse
        >>> dose = Event(name="dose", trigger=parse("time >= 2"), assignments={"G": parse("G + 1")})
        >>> [formula.printed for formula in dose.formulas()]
        ['time >= 2', 'G + 1']
        """
        yield self.trigger
        yield from (formula for formula in (self.delay, self.priority) if formula is not None)
        yield from self.assignments.values()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A mechanism model: dX/dt = rates(X, parameters, inputs, time).

    Parameters
    ----------
    name : str
        Name of the model.
    states : tuple of str
        What changes: by a rate, or by events alone (its rate is then 0).
    parameters : tuple of str
        Numbers that may differ from patient to patient.
    values : mapping of str to float
        Default of every parameter; may also hold the resting value of an input and plain initial values.
    inputs : tuple of str
        Ports: functions of time that are given from outside.
    initial : mapping of str to Expression
        Value of every state at the start, in parameters and constants.
    constants : mapping of str to Expression
        What is computed once, from parameters and other constants.
    definitions : mapping of str to Expression
        What is computed at every time, from states, parameters, inputs, constants, other definitions and `time`.
    rates : mapping of str to Expression
        dX/dt of every state, in the same names.
    events : tuple of Event
        In the order of the file.
    units, lines : mapping
        Unit and line of a name where the file gives them, for messages.
    labels : mapping of str to str
        The name in the file of whatever could not keep it (``{"lambda_": "lambda"}``).

    `constants` and `definitions` may be given in any order: they are sorted so that each uses only what stands before.

    Raises
    ------
    ModelFileError
        With every fault: ``network.duplicate-name``, ``network.unusable-name``, ``network.undefined-name``,
        ``network.missing-value``, ``network.missing-initial-value``, ``network.missing-rate``,
        ``network.event-target``, ``network.cyclic-definition``.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> network = Network(
    ...     name="decay", states=("A",), parameters=("k",), values={"k": 0.5},
    ...     initial={"A": parse("8 * k")}, rates={"A": parse("-loss")}, definitions={"loss": parse("k * A")},
    ... )
    >>> evaluate_rates(network, [[4.0]], [[0.5]])
    array([[-2.]])
    """

    name: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    values: Mapping[str, float]
    inputs: tuple[str, ...] = ()
    initial: Mapping[str, Expression]
    constants: Mapping[str, Expression] = field(default_factory=dict)
    definitions: Mapping[str, Expression] = field(default_factory=dict)
    rates: Mapping[str, Expression]
    events: tuple[Event, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = list(_faults(self))
        for group in ("constants", "definitions"):
            ordered, cyclic = in_order(getattr(self, group))
            object.__setattr__(self, group, ordered)
            faults.extend(_fault(self, "cyclic-definition", names[0], names=" → ".join(names)) for names in cyclic)
        if faults:
            raise ModelFileError(*faults)

    def label(self, name: str) -> str:
        """Return the name as the file has it."""
        return self.labels.get(name, name)

    def own_name(self, label: str) -> str:
        """Return the name in this network of what the file calls so.

        Examples
        --------
        >>> from sirolens.engine.expression import parse
        >>> zero = parse("0")
        >>> Network(
        ...     name="", states=("lambda_",), parameters=(), values={}, initial={"lambda_": zero},
        ...     rates={"lambda_": zero}, labels={"lambda_": "lambda"},
        ... ).own_name("lambda")
        'lambda_'
        """
        return next((name for name, shown in self.labels.items() if shown == label), label)


def _fault(network: Network, code: str, at: str, /, name: str | None = None, **values: Value) -> Message:
    place = Place(line=network.lines[at]) if at in network.lines else None
    return error(f"network.{code}", source=None, place=place, name=network.label(name or at), **values)


def _faults(network: Network) -> Iterator[Message]:
    yield from _naming_faults(network)
    yield from _missing_faults(network)
    before = {*network.parameters, *network.constants}
    always = {*before, *network.states, *network.inputs, *network.definitions, TIME}
    for group, allowed in (("constants", before), ("initial", before), ("definitions", always), ("rates", always)):
        formulas: Mapping[str, Expression] = getattr(network, group)
        for name, formula in formulas.items():
            yield from _undefined(network, name, formula, allowed, always)
    for event in network.events:
        place = Place(line=event.line) if event.line is not None else None
        for unknown in sorted({name for formula in event.formulas() for name in formula.names} - always):
            yield error("network.undefined-name", place=place, name=network.label(unknown), where=event.name)
        for target in event.assignments:
            if target not in network.states:
                yield error("network.event-target", place=place, name=network.label(target), where=event.name)


def _naming_faults(network: Network) -> Iterator[Message]:
    seen: set[str] = set()
    for group in (network.states, network.parameters, network.inputs, network.constants, network.definitions):
        for name in group:
            if name in seen:
                yield _fault(network, "duplicate-name", name)
            elif not is_usable_name(name):
                yield _fault(network, "unusable-name", name)
            seen.add(name)


def _missing_faults(network: Network) -> Iterator[Message]:
    for name in network.parameters:
        if name not in network.values:
            yield _fault(network, "missing-value", name)
    for name in network.states:
        if name not in network.initial:
            yield _fault(network, "missing-initial-value", name)
        if name not in network.rates:
            yield _fault(network, "missing-rate", name)
    for name in sorted({*network.initial, *network.rates} - {*network.states}):
        yield _fault(network, "undefined-name", name, where=network.label(name))


def _undefined(
    network: Network, name: str, formula: Expression, allowed: Collection[str], always: Collection[str]
) -> Iterator[Message]:
    for used in sorted(formula.names - set(allowed)):
        code = "varying-constant" if used in always else "undefined-name"
        yield _fault(network, code, name, name=used, where=network.label(name))


def in_order(
    formulas: Mapping[str, Expression],
) -> tuple[dict[str, Expression], tuple[tuple[str, ...], ...]]:
    """Sort formulas so that each uses only what stands before it; otherwise the order given is kept.

    Returns
    -------
    ordered : dict of str to Expression
        All formulas; those in a circle stand in the order given.
    cyclic : tuple of tuple of str
        Each circle that was found, as the path that leads back to its first name.

    Examples
    --------
    >>> from sirolens.engine.expression import parse
    >>> list(in_order({"b": parse("a + 1"), "a": parse("2")})[0])
    ['a', 'b']
    >>> in_order({"a": parse("b"), "b": parse("a")})[1]
    (('a', 'b', 'a'),)
    """
    ordered: dict[str, Expression] = {}
    cyclic: list[tuple[str, ...]] = []
    for start in formulas:
        path: dict[str, Iterator[str]] = {}
        if start not in ordered:
            path[start] = iter(sorted(formulas[start].names))
        while path:
            name = next(reversed(path))
            for used in path[name]:
                if used in path:
                    names = list(path)
                    cyclic.append((*names[names.index(used) :], used))
                elif used in formulas and used not in ordered:
                    path[used] = iter(sorted(formulas[used].names))
                    break
            else:
                path.pop(name)
                ordered[name] = formulas[name]
    return ordered, tuple(cyclic)


def default_parameters(network: Network, patients: int = 1) -> Array:
    """Return the default of every parameter for a number of patients, shape (n_parameters, patients).

    Examples
    --------
    >>> default_parameters(Network(name="", states=(), parameters=("k",), values={"k": 2.0}, initial={}, rates={}), 3)
    array([[2., 2., 2.]])
    """
    values = np.array([network.values[name] for name in network.parameters], dtype=np.float64)
    return np.repeat(values[:, np.newaxis], patients, axis=1)


def _rows(names: Sequence[str], values: ArrayLike) -> dict[str, Array]:
    rows = np.asarray(values, dtype=np.float64)
    if rows.shape[:1] != (len(names),):
        raise ModelFileError(error("network.wrong-shape", found=str(rows.shape), rows=len(names)))
    return dict(zip(names, rows, strict=True))


def _extended(known: dict[str, Array], formulas: Mapping[str, Expression]) -> dict[str, Array]:
    for name, formula in formulas.items():
        known[name] = evaluate(formula, known)
    return known


def _stacked(values: Iterable[Array], shape: tuple[int, ...]) -> Array:
    rows = [np.broadcast_to(value, shape) for value in values]
    return np.array(rows, dtype=np.float64).reshape((len(rows), *shape))


def initial_state(network: Network, parameters: ArrayLike) -> Array:
    """Compute the states at the start.

    Parameters
    ----------
    network : Network
        The model.
    parameters : array_like, shape (n_parameters, N)
        In the order of `network.parameters`.

    Returns
    -------
    ndarray, shape (n_states, N)
        In the order of `network.states`.
    """
    known = _extended(_rows(network.parameters, parameters), network.constants)
    shape = np.shape(np.asarray(parameters, dtype=np.float64))[1:]
    return _stacked((evaluate(network.initial[name], known) for name in network.states), shape)


def _at(
    network: Network, state: ArrayLike, parameters: ArrayLike, inputs: ArrayLike, time: ArrayLike
) -> dict[str, Array]:
    known = _rows(network.parameters, parameters)
    _extended(known, network.constants)
    known.update(_rows(network.states, state))
    known.update(_rows(network.inputs, inputs))
    known[TIME] = np.asarray(time, dtype=np.float64)
    return _extended(known, network.definitions)


def evaluate_rates(
    network: Network, state: ArrayLike, parameters: ArrayLike, inputs: ArrayLike = (), time: ArrayLike = 0.0
) -> Array:
    """Compute dX/dt by walking the formulas; slow, and meant as the reference.

    Parameters
    ----------
    network : Network
        The model.
    state : array_like, shape (n_states, N)
        In the order of `network.states`.
    parameters : array_like, shape (n_parameters, N)
        In the order of `network.parameters`.
    inputs : array_like, shape (n_inputs, N)
        What the ports give at this time.
    time : array_like, scalar or shape (N,)
        In the model's unit.

    Returns
    -------
    ndarray, shape (n_states, N)
    """
    known = _at(network, state, parameters, inputs, time)
    shape = np.shape(np.asarray(state, dtype=np.float64))[1:]
    return _stacked((evaluate(network.rates[name], known) for name in network.states), shape)


def evaluate_outputs(
    network: Network,
    outputs: Sequence[str],
    state: ArrayLike,
    parameters: ArrayLike,
    inputs: ArrayLike = (),
    time: ArrayLike = 0.0,
) -> Array:
    """Compute states, definitions or constants by name; the arguments are those of `evaluate_rates`.

    Returns
    -------
    ndarray, shape (n_outputs, N)

    Raises
    ------
    ModelFileError
        ``network.unknown-output`` for a name the model does not have.
    """
    known = _at(network, state, parameters, inputs, time)
    names = [network.own_name(name) for name in outputs]
    unknown = [error("network.unknown-output", name=name) for name in names if name not in known]
    if unknown:
        raise ModelFileError(*unknown)
    shape = np.shape(np.asarray(state, dtype=np.float64))[1:]
    return _stacked((known[name] for name in names), shape)
