# SPDX-License-Identifier: Apache-2.0
"""The register of assumptions: what every number of the mechanism model means, its source and how surely it is known.

It is read from the files of `PARTS`, one register in three parts. The equations stand in ``itp_sirolimus.ant``;
`sirolens.mechanism.network` holds both against each other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

from sirolens.source import Mark, Source

__all__ = [
    "Assumption",
    "Distribution",
    "Noise",
    "PartnerDose",
    "Register",
    "Role",
    "Variant",
    "assumptions",
    "register_text",
]

#: The files of the register, in the order in which they make one text.
PARTS = (
    "assumptions_t_cells.toml",
    "assumptions_b_cells_and_platelets.toml",
    "assumptions_treatments_and_sources.toml",
)


class Role(StrEnum):
    """What a parameter is for.

    >>> Role("sampled") is Role.SAMPLED
    True
    """

    SAMPLED = "sampled"  # one of the uncertain inputs that make patients differ
    BASELINE = "baseline"  # differs between patients and only scales what is shown
    FIXED = "fixed"
    SETTING = "setting"  # strength of a disturbance that is off by default
    SWITCH = "switch"  # turned by a variant
    PARTNER = "partner"  # strength or duration of another treatment


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How a parameter differs between patients; it is cut to the range of its `Assumption`.

    Parameters
    ----------
    kind : str
        ``lognormal`` (median = value, sd of the logarithm), ``logitnormal`` (median = value, sd of the logit),
        ``beta`` (mean = value, total = a + b), ``lognormal-mixture`` (weights, medians, sds) or ``two-point``
        (weights, values).
    sd : float
        Of the (log- or logit-) normal.
    total : float
        Of the beta.
    weights, medians, sds, values : tuple of float
        Of a mixture.
    """

    kind: str
    sd: float = 0.0
    total: float = 0.0
    weights: tuple[float, ...] = ()
    medians: tuple[float, ...] = ()
    sds: tuple[float, ...] = ()
    values: tuple[float, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One parameter of the model.

    Parameters
    ----------
    symbol, group : str
        Name in the file, and the part of the model it belongs to.
    meaning : str
        In English; the Chinese stands in the catalogue ``published``.
    value : float
        Of a typical patient.
    unit : str
        As people write it.
    low, high : float
        Plausible range.
    role : Role
    distribution : Distribution or None
        None for what does not differ between patients.
    mark : Mark
    source : Source or None
        Under an assumed value it gives the direction or a bound, not the value.
    reason : str or None
        How the value follows from the source, or why it was chosen.
    """

    symbol: str
    group: str
    meaning: str
    value: float
    unit: str
    low: float
    high: float
    role: Role
    distribution: Distribution | None
    mark: Mark
    source: Source | None
    reason: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerDose:
    """What one dose of another treatment adds to the level of its effect."""

    name: str
    state: str
    amount: float
    meaning: str
    mark: Mark
    reason: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How much a measured quantity varies between samples of one patient; applied where visits are simulated."""

    name: str
    outputs: tuple[str, ...]
    cv: float
    low: float
    high: float
    meaning: str
    mark: Mark
    reason: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Other values of named parameters; the equations stay.

    Parameters
    ----------
    name, meaning : str
    kind : str
        ``exposure`` (how concentration acts: dose claims are made over all of these), ``patient``, ``disease`` or
        ``structure``.
    values : mapping of str to float
        New value by symbol; of a parameter that differs between patients it moves the distribution.
    """

    name: str
    meaning: str
    kind: str
    values: Mapping[str, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Everything that the model assumes.

    Parameters
    ----------
    parameters : mapping of str to Assumption
        By symbol, in the order of the file.
    doses, noises, variants : mapping
        By name.
    file : str
        The file with the equations.
    ports : tuple of str
        What is given from outside.
    units : mapping of str to str
        A unit as people write it -> its name in the file.
    """

    parameters: Mapping[str, Assumption]
    doses: Mapping[str, PartnerDose]
    noises: Mapping[str, Noise]
    variants: Mapping[str, Variant]
    file: str
    ports: tuple[str, ...]
    units: Mapping[str, str]


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def _assumption(symbol: str, entry: Mapping[str, Any], sources: Mapping[str, Source]) -> Assumption:
    told = dict(entry)
    distribution, source = told.pop("distribution", None), told.pop("source", None)
    return Assumption(
        symbol=symbol,
        role=Role(told.pop("role")),
        mark=Mark(told.pop("mark")),
        distribution=Distribution(**_tuples(distribution)) if distribution else None,
        source=sources[source] if source else None,
        reason=told.pop("reason", None),
        **told,
    )


def register_text() -> str:
    """Return the whole register as it stands in its files: what is read, and what hashes are taken of.

    >>> register_text().count("[parameter.")
    121
    """
    folder = files("sirolens.mechanism")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in PARTS)


@cache
def assumptions() -> Register:
    """Read the register.

    Examples
    --------
    >>> register = assumptions()
    >>> lifespan = register.parameters["k_sen"]
    >>> lifespan.value, lifespan.unit, lifespan.mark.value, lifespan.source.year
    (0.0952, '1/day', 'derived', 1985)
    >>> sorted(symbol for symbol, one in register.parameters.items() if one.role is Role.SAMPLED)
    ['P0', 'dep', 'fL', 'h0', 'kap', 'pot', 'rho', 'wA']
    """
    table = tomllib.loads(register_text())
    # The mark of a number stands with the number; that of a source says whether the source itself was read.
    sources = {key: Source(**{**entry, "mark": Mark(entry["mark"])}) for key, entry in table["source"].items()}
    return Register(
        parameters=MappingProxyType({key: _assumption(key, one, sources) for key, one in table["parameter"].items()}),
        doses=MappingProxyType(
            {key: PartnerDose(name=key, **{**one, "mark": Mark(one["mark"])}) for key, one in table["dose"].items()}
        ),
        noises=MappingProxyType(
            {key: Noise(name=key, **{**_tuples(one), "mark": Mark(one["mark"])}) for key, one in table["noise"].items()}
        ),
        variants=MappingProxyType({key: _variant(key, one) for key, one in table["variant"].items()}),
        file=table["model"]["file"],
        ports=tuple(table["model"]["ports"]),
        units=MappingProxyType(table["units"]),
    )


def _variant(name: str, entry: Mapping[str, Any]) -> Variant:
    values = MappingProxyType({symbol: float(value) for symbol, value in entry.get("set", {}).items()})
    return Variant(name=name, meaning=entry["meaning"], kind=entry["kind"], values=values)
