# SPDX-License-Identifier: Apache-2.0
"""Makes a network of an SBML model: who is a state, in what it is counted, and what its rate is.

A kinetic law gives substance per time. A species counted as a concentration in a compartment of fixed size has the
rate (sum of its reactions) / size. Where the size varies, the amount is the state and the concentration is a
definition, amount / size, so that the amount is kept whatever the compartment does.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

from sirolens.engine.expression import Binary, Expression, Name, Node, Number, Unary
from sirolens.engine.expression_tree import nodes, substituted
from sirolens.engine.network import TIME, Event, Network, is_usable_name
from sirolens.engine.sbml.formula import Mathematics, finite_or_not, plus, times
from sirolens.engine.sbml.quantities import Kind, Quantity, Role, declared, references
from sirolens.errors import ModelFileError
from sirolens.message import Message, Place

__all__ = ["assemble"]


def _over(node: Node, size: Node) -> Node:
    return node if size == Number(1.0) else Binary("/", node, size)


@final
@dataclass(slots=True)
class _Draft:
    """A network while it is put together; formulas are still trees, and those of the start may use anything."""

    model: Any
    found: dict[str, Quantity]
    mathematics: Mathematics
    units: frozenset[str]  # compartments that stand for nothing: their size is the number 1
    taken: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    start: dict[str, Node] = field(default_factory=dict)  # of states
    constants: dict[str, Node] = field(default_factory=dict)
    definitions: dict[str, Node] = field(default_factory=dict)
    rates: dict[str, Node] = field(default_factory=dict)
    amounts: dict[str, str] = field(default_factory=dict)  # species -> the amount behind its concentration
    missing: dict[str, Quantity] = field(default_factory=dict)

    def fresh(self, wanted: str, label: str | None = None, line: int | None = None) -> str:
        """Return a name nothing else bears, as near as can be to the one wanted."""
        stem = wanted if is_usable_name(f"{wanted}2") else f"x{wanted.strip('_')}"
        tries = itertools.chain((wanted, f"{stem}_"), (f"{stem}_{number}" for number in itertools.count(2)))
        name = next(name for name in tries if is_usable_name(name) and name not in self.taken)
        self.taken.add(name)
        if name != (label or wanted):
            self.labels[name] = label or wanted
        if line is not None:
            self.lines[name] = line
        return name

    def own(self, quantity: Quantity) -> str:
        """Return the network's name of a quantity."""
        return self.mathematics.names[quantity.name]

    def size(self, quantity: Quantity) -> Node:
        """Return the size of a species' compartment."""
        name = quantity.compartment
        if name in self.units:
            return Number(1.0)
        if name not in self.found:
            return self.mathematics.refuse("undefined-name", quantity.line, where=quantity.name, name=name)
        return Name(self.mathematics.names[name])

    def has_amount_behind(self, quantity: Quantity) -> bool:
        """Say whether a concentration must be kept as an amount, because its compartment changes."""
        compartment = self.found.get(quantity.compartment)
        if not quantity.is_concentration or compartment is None or not compartment.varies:
            return False
        if quantity.role is Role.RATE:  # the rule gives the rate of the concentration itself
            return compartment.is_set_by_event
        return quantity.role is not Role.ASSIGNED


def _named(draft: _Draft) -> None:
    names = draft.mathematics.names
    reactions = [draft.model.getReaction(i) for i in range(draft.model.getNumReactions())]
    wanted = [(q.name, q.line) for q in draft.found.values()]
    wanted += [(str(r.getId()), int(r.getLine()) or None) for r in reactions]
    # Names that can stay as they are come first, so that no invented name takes theirs.
    for name, line in sorted(wanted, key=lambda pair: not is_usable_name(pair[0])):
        if name not in names and name not in draft.units:
            names[name] = draft.fresh(name, line=line)


def _first_value(draft: _Draft, quantity: Quantity, assigned: Mapping[str, Node], as_amount: bool) -> Node | None:
    """Return what a quantity is at the start, as amount or as its id means it; None when nothing says so."""
    size = draft.size(quantity) if quantity.kind is Kind.SPECIES else Number(1.0)
    wants_amount = as_amount or (quantity.kind is Kind.SPECIES and not quantity.is_concentration)
    if quantity.name in assigned:
        return times((assigned[quantity.name], size)) if as_amount else assigned[quantity.name]
    if quantity.value is None:
        return None
    value = finite_or_not(quantity.value)
    if quantity.kind is not Kind.SPECIES or quantity.is_amount_given == wants_amount:
        return value
    return times((value, size)) if wants_amount else _over(value, size)


def _keep(draft: _Draft, name: str, quantity: Quantity, first: Node | None) -> None:
    """Enter what never changes: a parameter when it is a plain number of the file, otherwise a constant."""
    draft.lines.setdefault(name, quantity.line or 0)
    plain = quantity.value is not None and first == finite_or_not(quantity.value)
    if first is None:
        draft.missing[name] = quantity
    elif plain and quantity.value is not None:
        draft.parameters.append(name)
        draft.values[name] = quantity.value
    else:
        draft.constants[name] = first


def _change(draft: _Draft, name: str, quantity: Quantity, first: Node | None) -> None:
    draft.states.append(name)
    draft.lines.setdefault(name, quantity.line or 0)
    draft.rates[name] = Number(0.0)
    if first is None:
        draft.mathematics.refuse("missing-initial-value", quantity.line, name=quantity.name)
        first = Number(0.0)
    draft.start[name] = first
    if isinstance(first, Number):
        draft.values[name] = first.value


def _enter(draft: _Draft, quantity: Quantity, assigned: Mapping[str, Node]) -> None:
    name = draft.own(quantity)
    if quantity.role is Role.ASSIGNED:
        return
    if draft.has_amount_behind(quantity):
        amount = draft.fresh(f"{name}_amount", line=quantity.line)
        draft.amounts[quantity.name] = amount
        draft.definitions[name] = _over(Name(amount), draft.size(quantity))
        enter = _change if quantity.varies else _keep
        enter(draft, amount, quantity, _first_value(draft, quantity, assigned, as_amount=True))
        return
    enter = _change if quantity.varies else _keep
    enter(draft, name, quantity, _first_value(draft, quantity, assigned, as_amount=False))


def _ports(draft: _Draft, inputs: Iterable[str], assigned: Mapping[str, Node]) -> None:
    for name in inputs:
        quantity = draft.found.get(name)
        if quantity is None:
            draft.mathematics.refuse("unknown-input", None, name=name)
        elif quantity.varies or name in assigned or draft.has_amount_behind(quantity):
            draft.mathematics.refuse("input-changed", quantity.line, name=name)
        else:
            own = draft.own(quantity)
            draft.inputs.append(own)
            if quantity.value is not None:
                draft.values[own] = quantity.value


def _rules(draft: _Draft) -> None:
    for rule in map(draft.model.getRule, range(draft.model.getNumRules())):
        line = int(rule.getLine()) or None
        if rule.isAlgebraic():
            draft.mathematics.refuse("algebraic-rule", line)
            continue
        quantity = draft.found.get(str(rule.getVariable()))
        if quantity is None:
            draft.mathematics.refuse("undefined-name", line, where="rule", name=str(rule.getVariable()))
            continue
        tree = draft.mathematics.tree(rule, quantity.name)
        name = draft.own(quantity)
        if line is not None:
            draft.lines[name] = line
        if quantity.role is Role.ASSIGNED:
            draft.definitions[name] = tree
        elif quantity.name in draft.amounts:
            draft.rates[draft.amounts[quantity.name]] = _rate_of_amount(draft, quantity, tree)
        else:
            draft.rates[name] = tree


def _rate_of_amount(draft: _Draft, quantity: Quantity, rate: Node) -> Node:
    # d(c V)/dt = V dc/dt + c dV/dt
    compartment = draft.found[quantity.compartment]
    terms = [times((rate, draft.size(quantity)))]
    for rule in map(draft.model.getRule, range(draft.model.getNumRules())):
        if rule.isRate() and str(rule.getVariable()) == compartment.name:
            terms.append(times((Name(draft.own(quantity)), draft.mathematics.tree(rule, compartment.name))))
    return plus(terms)


def _stoichiometry(draft: _Draft, element: Any, where: str) -> Node:
    if element.getId() and str(element.getId()) in draft.found:
        return Name(draft.mathematics.names[str(element.getId())])
    if element.isSetStoichiometryMath():
        return draft.mathematics.tree(element.getStoichiometryMath(), where)
    if not element.isSetStoichiometry() and draft.model.getLevel() > 2:
        return draft.mathematics.refuse("stoichiometry-missing", int(element.getLine()) or None, where=where)
    denominator = float(element.getDenominator()) if draft.model.getLevel() == 2 else 1.0
    return finite_or_not(float(element.getStoichiometry()) / denominator)


def _local_parameters(draft: _Draft, law: Any, reaction: str) -> dict[str, str]:
    is_new = draft.model.getLevel() > 2
    count = law.getNumLocalParameters() if is_new else law.getNumParameters()
    local = {}
    for element in map(law.getLocalParameter if is_new else law.getParameter, range(count)):
        own, line = str(element.getId()), int(element.getLine()) or None
        name = draft.fresh(f"{reaction}_{own}", label=f"{reaction}.{own}", line=line)
        local[own] = name
        draft.parameters.append(name)
        draft.values[name] = float(element.getValue())
        if not element.isSetValue():
            draft.mathematics.refuse("missing-value", line, name=draft.labels[name])
    return local


def _reactions(draft: _Draft) -> None:
    terms: dict[str, list[Node]] = {}
    for reaction in map(draft.model.getReaction, range(draft.model.getNumReactions())):
        own, line = str(reaction.getId()), int(reaction.getLine()) or None
        if reaction.isSetFast() and reaction.getFast():
            draft.mathematics.refuse("fast-reaction", line, name=own)
        law = reaction.getKineticLaw()
        if law is None:
            draft.mathematics.refuse("kinetic-law-missing", line, name=own)
            continue
        name = draft.mathematics.names[own]
        draft.definitions[name] = draft.mathematics.tree(law, own, _local_parameters(draft, law, name))
        for element, sign in references(reaction):
            species = draft.found.get(str(element.getSpecies()))
            if species is None:
                draft.mathematics.refuse("undefined-name", line, where=own, name=str(element.getSpecies()))
                continue
            if species.role is not Role.REACTION:
                continue
            coefficient = _stoichiometry(draft, element, own)
            flow = times((coefficient, Name(name)))
            terms.setdefault(species.name, []).append(flow if sign > 0 else Unary("-", flow))
    for species_name, flows in terms.items():
        _add_flows(draft, draft.found[species_name], flows)


def _add_flows(draft: _Draft, species: Quantity, flows: Sequence[Node]) -> None:
    total = flows[0]
    for flow in flows[1:]:
        total = Binary("-", total, flow.operand) if isinstance(flow, Unary) else Binary("+", total, flow)
    if species.factor:
        total = times((total, Name(draft.mathematics.names.get(species.factor, species.factor))))
    if species.name in draft.amounts:
        draft.rates[draft.amounts[species.name]] = total
    elif species.is_concentration:
        draft.rates[draft.own(species)] = _over(total, draft.size(species))
    else:
        draft.rates[draft.own(species)] = total


def _events(draft: _Draft) -> Iterator[Event]:
    is_new = draft.model.getLevel() > 2
    for number, element in enumerate(map(draft.model.getEvent, range(draft.model.getNumEvents()))):
        name, line = str(element.getId()) or f"event {number + 1}", int(element.getLine()) or None
        trigger = element.getTrigger()
        if trigger is None:
            draft.mathematics.refuse("trigger-missing", line, name=name)
            continue
        delay, priority = element.getDelay(), element.getPriority()
        yield Event(
            name=name,
            trigger=Expression(draft.mathematics.tree(trigger, name)),
            initially_true=bool(trigger.getInitialValue()) if is_new else True,
            persistent=bool(trigger.getPersistent()) if is_new else True,
            delay=None if delay is None else Expression(draft.mathematics.tree(delay, name)),
            priority=None if priority is None else Expression(draft.mathematics.tree(priority, name)),
            from_trigger_values=bool(element.getUseValuesFromTriggerTime()),
            assignments=_assignments(draft, element, name),
            line=line,
        )


def _assignments(draft: _Draft, event: Any, where: str) -> dict[str, Expression]:
    elements = [event.getEventAssignment(i) for i in range(event.getNumEventAssignments())]
    assignments = {}
    for element in elements:
        own = str(element.getVariable())
        tree, quantity = draft.mathematics.tree(element, where), draft.found.get(own)
        if quantity is None:
            draft.mathematics.refuse("undefined-name", int(element.getLine()) or None, where=where, name=own)
            continue
        if own in draft.amounts:
            # The concentration meant is the one in the size before, even when the same event sets that too.
            assignments[draft.amounts[own]] = Expression(times((tree, draft.size(quantity))))
            if event.getDelay() is not None and event.getUseValuesFromTriggerTime():
                draft.mathematics.refuse("delayed-concentration", int(event.getLine()) or None, name=own, where=where)
        else:
            assignments[draft.own(quantity)] = Expression(tree)
    return assignments


def _reach(draft: _Draft, formula: Expression) -> set[str]:
    """Return every name a formula hangs on, through definitions."""
    reached: set[str] = set()
    waiting = set(formula.names)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        inside = nodes(draft.definitions[name]) if name in draft.definitions else ()
        waiting |= {node.name for node in inside if isinstance(node, Name)} - reached
    return reached


def _surely_differ(first: Expression | None, second: Expression | None) -> bool:
    is_number = isinstance(first, Expression) and isinstance(second, Expression) and not first.names | second.names
    return is_number and first != second


def _chances(draft: _Draft, events: Sequence[Event]) -> None:
    """Refuse events of equal priority of which one can put the other out of force: their order is left to chance."""
    ranked = [(event, _reach(draft, event.trigger)) for event in events if event.priority is not None]
    for (first, one), (second, other) in itertools.combinations(ranked, 2):
        if _surely_differ(first.priority, second.priority):
            continue
        stops_second = not second.persistent and not other.isdisjoint(first.assignments)
        stops_first = not first.persistent and not one.isdisjoint(second.assignments)
        if stops_first or stops_second:
            draft.mathematics.refuse("random-order", second.line, name=second.name, other=first.name)


def _initial_assignments(draft: _Draft) -> dict[str, Node]:
    found = {}
    for element in map(draft.model.getInitialAssignment, range(draft.model.getNumInitialAssignments())):
        name = str(element.getSymbol())
        found[name] = draft.mathematics.tree(element, name)
        if name not in draft.found:
            draft.mathematics.refuse("undefined-name", int(element.getLine()) or None, where="initial", name=name)
    return found


def _freeze(draft: _Draft) -> dict[str, Node]:
    """Make the formulas of the start use parameters and constants only; return the initial values.

    What else they name has a value at the start: it becomes a constant of its own, ``X_at_start``.
    """
    frozen: dict[str, str] = {}
    waiting: list[str] = []
    changing = {**draft.start, **draft.definitions}

    def at_start(root: Node) -> Node:
        values: dict[str, Node] = {TIME: Number(0.0)}
        for name in sorted({node.name for node in nodes(root) if isinstance(node, Name)}):
            if name in draft.inputs:
                draft.mathematics.refuse("input-at-start", draft.lines.get(name), name=name)
            if name not in changing:
                continue
            first = draft.start.get(name)
            if isinstance(first, Number):
                values[name] = first
                continue
            if name not in frozen:
                frozen[name] = draft.fresh(f"{name}_at_start", line=draft.lines.get(name))
                waiting.append(name)
            values[name] = Name(frozen[name])
        return substituted(root, values)

    draft.constants = {name: at_start(tree) for name, tree in draft.constants.items()}
    initial = {name: at_start(tree) for name, tree in draft.start.items()}
    while waiting:
        name = waiting.pop()
        draft.constants[frozen[name]] = at_start(changing[name])
        if name in initial:
            initial[name] = Name(frozen[name])
    return initial


def _used(draft: _Draft, events: Iterable[Event], initial: Mapping[str, Node]) -> set[str]:
    trees = [*draft.constants.values(), *draft.definitions.values(), *draft.rates.values(), *initial.values()]
    names = {node.name for tree in trees for node in nodes(tree) if isinstance(node, Name)}
    return names.union(*(formula.names for event in events for formula in event.formulas()))


def _expressions(trees: Mapping[str, Node]) -> dict[str, Expression]:
    return {name: Expression(tree) for name, tree in trees.items()}


def assemble(
    model: Any, *, inputs: Sequence[str] = (), file: str | None = None, units: Collection[str] = ()
) -> Network:
    """Make a network of an SBML model.

    Parameters
    ----------
    model : libsbml.Model
        Of level 2 or 3.
    inputs : sequence of str
        Ids of what is given from outside as a function of time.
    file : str, optional
        Name of the file, for messages.
    units : collection of str
        Compartments that nobody declared: their size is 1 and stays out of the formulas.

    Raises
    ------
    ModelFileError
        With every fault found, each by its name and line.
    """
    functions = {str(f.getId()): f for f in map(model.getFunctionDefinition, range(model.getNumFunctionDefinitions()))}
    draft = _Draft(
        model=model,
        found={name: quantity for name, quantity in declared(model).items() if name not in units},
        mathematics=Mathematics(names={}, functions=functions, file=file),
        units=frozenset(units),
    )
    _named(draft)
    assigned = _initial_assignments(draft)
    _ports(draft, inputs, assigned)
    for quantity in draft.found.values():
        if draft.own(quantity) not in draft.inputs:
            _enter(draft, quantity, assigned)
    _reactions(draft)
    _rules(draft)
    events = tuple(_events(draft))
    _chances(draft, events)
    initial = _freeze(draft)
    used = _used(draft, events, initial)
    for name, quantity in draft.missing.items():
        if name in used:
            draft.mathematics.refuse("missing-value", quantity.line, name=quantity.name)
    if draft.mathematics.faults:
        raise ModelFileError(*draft.mathematics.faults)
    return _finished(draft, events, initial, file)


def _finished(draft: _Draft, events: tuple[Event, ...], initial: Mapping[str, Node], file: str | None) -> Network:
    shown = {draft.own(quantity): quantity.unit for quantity in draft.found.values() if quantity.unit}
    try:
        return Network(
            name=str(draft.model.getName() or draft.model.getId()),
            states=tuple(draft.states),
            parameters=tuple(draft.parameters),
            values=draft.values,
            inputs=tuple(draft.inputs),
            initial=_expressions(initial),
            constants=_expressions(draft.constants),
            definitions=_expressions(draft.definitions),
            rates=_expressions(draft.rates),
            events=events,
            units=shown,
            lines={name: line for name, line in draft.lines.items() if line},
            labels=draft.labels,
        )
    except ModelFileError as faults:
        raise ModelFileError(*(_in_file(message, file) for message in faults.messages)) from None


def _in_file(message: Message, file: str | None) -> Message:
    return replace(message, place=Place(file=file, line=message.place.line if message.place else None))
