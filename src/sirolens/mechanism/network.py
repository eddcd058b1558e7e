# SPDX-License-Identifier: Apache-2.0
"""The ITP model with its assumptions: the file's equations and the register's numbers, held against each other.

A variant never copies the file: it sets other values of named parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import as_file, files
from types import MappingProxyType
from typing import final

from sirolens.engine.network import Network
from sirolens.engine.sbml import read_antimony
from sirolens.errors import InputError, ModelFileError, UnknownNameError
from sirolens.mechanism.assumptions import Assumption, Register, Variant, assumptions
from sirolens.message import Message, Place, Value, error

__all__ = ["Mechanism", "disagreements", "load"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """The model of one variant, ready to be drawn from and run.

    Parameters
    ----------
    variants : tuple of str
        What was asked for; empty is the default model.
    network : Network
        The equations, with the values of the variants as defaults.
    assumptions : mapping of str to Assumption
        Every parameter by symbol, with the values of the variants.
    register : Register
        The whole register, as it stands in the file.
    """

    variants: tuple[str, ...]
    network: Network
    assumptions: Mapping[str, Assumption]
    register: Register


def load(variant: str | Sequence[str] | None = None) -> Mechanism:
    """Load the model, with one variant or several.

    Parameters
    ----------
    variant : str or sequence of str, optional
        Names from the register, such as ``single-link`` or ``("single-link", "evans")``.

    Raises
    ------
    UnknownNameError
        ``assumptions.unknown-variant``.
    InputError
        ``assumptions.variants-clash`` when two variants set one parameter to different values.
    ModelFileError
        With every disagreement between file and register.

    Examples
    --------
    >>> load().assumptions["IC50_B"].value, load("single-link").assumptions["IC50_B"].value
    (2.0, 6.11)
    >>> load("no-such")
    Traceback (most recent call last):
    ...
    sirolens.errors.UnknownNameError: assumptions.unknown-variant(known=..., name=no-such)
    """
    names = (variant,) if isinstance(variant, str) else tuple(variant or ())
    return _load(names)


@cache
def _load(names: tuple[str, ...]) -> Mechanism:
    register = assumptions()
    network = _network()
    values = _values(register, names)
    return Mechanism(
        variants=names,
        network=replace(network, values={**network.values, **values}),
        assumptions=MappingProxyType(
            {
                symbol: replace(one, value=values[symbol]) if symbol in values else one
                for symbol, one in register.parameters.items()
            }
        ),
        register=register,
    )


@cache
def _network() -> Network:
    register = assumptions()
    with as_file(files("sirolens.mechanism").joinpath(register.file)) as path:
        network = read_antimony(path, inputs=register.ports)
    faults = tuple(disagreements(network, register))
    if faults:
        raise ModelFileError(*faults)
    return network


def _values(register: Register, names: tuple[str, ...]) -> dict[str, float]:
    values: dict[str, float] = {}
    for name in names:
        for symbol, value in _variant(register, name).values.items():
            if values.setdefault(symbol, value) != value:
                raise InputError(error("assumptions.variants-clash", names=", ".join(names), symbol=symbol))
    return values


def _variant(register: Register, name: str) -> Variant:
    if name not in register.variants:
        known = ", ".join(sorted(register.variants))
        raise UnknownNameError(error("assumptions.unknown-variant", name=name, known=known))
    return register.variants[name]


def disagreements(network: Network, register: Register) -> Iterator[Message]:
    """Yield every difference between the file and the register: a name, a value or a unit.

    Examples
    --------
    >>> list(disagreements(load().network, assumptions()))
    []
    """
    for symbol in network.parameters:
        if symbol not in register.parameters:
            yield _differs("unregistered", network, register, symbol)
    for symbol, one in register.parameters.items():
        if symbol not in network.parameters:
            yield _differs("not-in-file", network, register, symbol)
            continue
        if network.values[symbol] != one.value:
            found = network.values[symbol]
            yield _differs("other-value", network, register, symbol, found=str(found), expected=str(one.value))
        expected, found_unit = register.units.get(one.unit, one.unit), network.units.get(symbol, "")
        if found_unit != expected:
            yield _differs("other-unit", network, register, symbol, found=found_unit, expected=expected)
    known = {*network.parameters}
    for variant in register.variants.values():
        for symbol in sorted(variant.values.keys() - known):
            yield _differs("not-in-file", network, register, symbol)
    for dose in register.doses.values():
        if dose.state not in network.states:
            yield _differs("not-in-file", network, register, dose.state)


def _differs(code: str, network: Network, register: Register, symbol: str, **values: Value) -> Message:
    place = Place(file=register.file, line=network.lines.get(symbol), field=symbol)
    return error(f"assumptions.{code}", source=None, place=place, symbol=symbol, **values)
