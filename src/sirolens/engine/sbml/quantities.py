# SPDX-License-Identifier: Apache-2.0
"""What an SBML model declares, and what becomes of each: a state, a parameter, a definition or a port.

Compartments, species, parameters and named stoichiometries are all quantities: each has an id, perhaps a value, and
perhaps a rule. What a rule, a reaction or an event changes decides its role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, final

__all__ = ["Kind", "Quantity", "Role", "declared", "references"]


class Kind(StrEnum):
    """What a quantity is in the file."""

    COMPARTMENT = "compartment"
    SPECIES = "species"
    PARAMETER = "parameter"
    STOICHIOMETRY = "stoichiometry"


class Role(StrEnum):
    """What becomes of a quantity."""

    FIXED = "fixed"  # keeps its first value
    RATE = "rate"  # a rate rule
    ASSIGNED = "assigned"  # an assignment rule
    REACTION = "reaction"  # reactions, and perhaps events
    EVENT = "event"  # events alone


@final
@dataclass(slots=True, kw_only=True)
class Quantity:
    """One declared quantity.

    Parameters
    ----------
    name : str
        Its id in the file.
    kind : Kind
        What it is.
    line : int or None
        Where it is declared.
    value : float or None
        What the file gives; for a species see `is_amount_given`.
    unit : str
        Id of its unit, or "".
    role : Role
        What changes it.
    compartment : str
        Of a species.
    is_concentration : bool
        Whether the id of a species stands for its concentration.
    is_amount_given : bool
        Whether `value` of a species is an amount.
    is_boundary : bool
        Whether reactions leave a species alone.
    factor : str
        Id of its conversion factor, or "".
    is_set_by_event : bool
        Whether an event sets it, whatever else changes it.
    """

    name: str
    kind: Kind
    line: int | None
    value: float | None = None
    unit: str = ""
    role: Role = Role.FIXED
    compartment: str = ""
    is_concentration: bool = False
    is_amount_given: bool = False
    is_boundary: bool = False
    factor: str = ""
    is_set_by_event: bool = False

    @property
    def varies(self) -> bool:
        """Whether anything changes it."""
        return self.role is not Role.FIXED


def _line(element: Any) -> int | None:
    return int(element.getLine()) or None


def _value(element: Any, what: str) -> float | None:
    return float(getattr(element, f"get{what}")()) if getattr(element, f"isSet{what}")() else None


def references(reaction: Any) -> Iterator[tuple[Any, float]]:
    """Yield the species references of a reaction with -1 for what it uses up and 1 for what it makes."""
    for i in range(reaction.getNumReactants()):
        yield reaction.getReactant(i), -1.0
    for i in range(reaction.getNumProducts()):
        yield reaction.getProduct(i), 1.0


def _species(element: Any, model: Any, factor: str) -> Quantity:
    compartment = model.getCompartment(element.getCompartment())
    # A compartment that is a point has no size (level 3 lets it have one): the id of its species stands for the amount.
    has_extension = compartment is None or not (
        compartment.isSetSpatialDimensions()
        and compartment.getSpatialDimensionsAsDouble() == 0.0
        and (model.getLevel() == 2 or not compartment.isSetSize())
    )
    amount, concentration = _value(element, "InitialAmount"), _value(element, "InitialConcentration")
    return Quantity(
        name=str(element.getId()),
        kind=Kind.SPECIES,
        line=_line(element),
        value=concentration if amount is None else amount,
        unit=str(element.getSubstanceUnits()),
        compartment=str(element.getCompartment()),
        is_concentration=has_extension and not element.getHasOnlySubstanceUnits(),
        is_amount_given=amount is not None or not has_extension,
        is_boundary=bool(element.getBoundaryCondition() or element.getConstant()),
        factor=str(element.getConversionFactor()) or factor,
    )


def _elements(model: Any) -> Iterator[Quantity]:
    for element in map(model.getCompartment, range(model.getNumCompartments())):
        yield Quantity(
            name=str(element.getId()),
            kind=Kind.COMPARTMENT,
            line=_line(element),
            value=_value(element, "Size"),
            unit=str(element.getUnits()),
        )
    factor = str(model.getConversionFactor())
    for element in map(model.getSpecies, range(model.getNumSpecies())):
        yield _species(element, model, factor)
    for element in map(model.getParameter, range(model.getNumParameters())):
        yield Quantity(
            name=str(element.getId()),
            kind=Kind.PARAMETER,
            line=_line(element),
            value=_value(element, "Value"),
            unit=str(element.getUnits()),
        )
    for reaction in map(model.getReaction, range(model.getNumReactions())):
        for element, _ in references(reaction):
            # In level 2 such an id cannot stand in a formula.
            if element.getId() and model.getLevel() > 2:
                yield Quantity(
                    name=str(element.getId()),
                    kind=Kind.STOICHIOMETRY,
                    line=_line(element),
                    value=_value(element, "Stoichiometry"),
                )


def _changed_by_events(model: Any) -> Iterable[str]:
    for event in map(model.getEvent, range(model.getNumEvents())):
        for i in range(event.getNumEventAssignments()):
            yield str(event.getEventAssignment(i).getVariable())


def declared(model: Any) -> dict[str, Quantity]:
    """Read every quantity of a model, with the role that its rules, reactions and events give it.

    Parameters
    ----------
    model : libsbml.Model
        An SBML model of level 2 or 3.

    Returns
    -------
    dict of str to Quantity
        By id, in the order of the file.
    """
    found = {quantity.name: quantity for quantity in _elements(model)}
    for name in _changed_by_events(model):
        if name in found:
            found[name].role = Role.EVENT
            found[name].is_set_by_event = True
    for reaction in map(model.getReaction, range(model.getNumReactions())):
        for element, _ in references(reaction):
            species = found.get(str(element.getSpecies()))
            if species is not None and not species.is_boundary:
                species.role = Role.REACTION
    for rule in map(model.getRule, range(model.getNumRules())):
        quantity = found.get(str(rule.getVariable()))
        if quantity is not None and not rule.isAlgebraic():
            quantity.role = Role.RATE if rule.isRate() else Role.ASSIGNED
    return found
