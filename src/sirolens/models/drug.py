# SPDX-License-Identifier: Apache-2.0
"""The drug: its names, the names it is mistaken for, its assays and the few constants that are not a model's.

Half-lives and exposure shapes stand here because models built on troughs alone do not know them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from sirolens.source import Mark, Source, Sourced
from sirolens.units import MOLAR_MASS_G_MOL

__all__ = ["SIROLIMUS", "Drug", "Range", "assay_class", "is_named", "looks_like"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A typical value with the spread that was published around it.

    Parameters
    ----------
    typical, low, high : float
        Centre and bounds, in the unit of the `Sourced` that holds it.
    """

    typical: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """One drug.

    Parameters
    ----------
    name : str
        International non-proprietary name, lower case.
    synonyms : tuple of str
        Other names of the same substance.
    look_alikes : mapping of str to tuple of str
        Drugs it is mistaken for, each with its names.
    assays : mapping of str to str
        Assay name to its class, ``"chromatography"`` or ``"immunoassay"``.
    molar_mass : Sourced
        In g/mol.
    half_life_adult_h, half_life_child_h : Sourced
        Terminal half-lives from rich sampling.
    tmax_h : Sourced
        Time of the peak after a dose at steady state.
    blood_plasma_ratio : Sourced
        Whole-blood over plasma concentration.
    """

    name: str
    synonyms: tuple[str, ...]
    look_alikes: Mapping[str, tuple[str, ...]]
    assays: Mapping[str, str]
    molar_mass: Sourced[float]
    half_life_adult_h: Sourced[Range]
    half_life_child_h: Sourced[Range]
    tmax_h: Sourced[Range]
    blood_plasma_ratio: Sourced[Range]


_ZIMMERMAN_1997 = Source(
    title="Zimmerman 1997: 40 renal transplant recipients on ciclosporin, repeated doses, mean +/- SD",
    mark=Mark.SEEN,
    year=1997,
    pmid="9156373",
)
_CHILDREN = Source(
    title="Children on a regimen without calcineurin inhibitor, month 1 after transplantation, median and range",
    mark=Mark.SEEN,
    pmid="15049798",
)


SIROLIMUS = Drug(
    name="sirolimus",
    synonyms=("rapamycin", "rapamune", "西罗莫司", "雷帕霉素", "雷帕鸣"),
    look_alikes=MappingProxyType(
        {
            "tacrolimus": ("tacrolimus", "fk506", "prograf", "他克莫司"),
            "everolimus": ("everolimus", "certican", "依维莫司"),
            "temsirolimus": ("temsirolimus", "替西罗莫司"),
            "pimecrolimus": ("pimecrolimus", "吡美莫司"),
        }
    ),
    assays=MappingProxyType(
        {
            "lc-ms/ms": "chromatography",
            "hplc-uv": "chromatography",
            "cmia": "immunoassay",
            "emit": "immunoassay",
            "meia": "immunoassay",
            "fpia": "immunoassay",
            "acmia": "immunoassay",
            "eclia": "immunoassay",
        }
    ),
    molar_mass=MOLAR_MASS_G_MOL["sirolimus"],
    half_life_adult_h=Sourced(
        value=Range(typical=62.0, low=46.0, high=78.0),
        unit="h",
        source=_ZIMMERMAN_1997,
    ),
    half_life_child_h=Sourced(
        value=Range(typical=9.7, low=7.1, high=24.6),
        unit="h",
        source=_CHILDREN,
    ),
    tmax_h=Sourced(
        value=Range(typical=1.4, low=0.2, high=2.6),
        unit="h",
        source=_ZIMMERMAN_1997,
    ),
    blood_plasma_ratio=Sourced(
        value=Range(typical=38.0, low=25.0, high=51.0),
        unit="1",
        source=_ZIMMERMAN_1997,
    ),
)
"""Sirolimus."""


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().lower()


def is_named(drug: Drug, name: str) -> bool:
    """Say whether a name means this drug.

    >>> is_named(SIROLIMUS, "西罗莫司"), is_named(SIROLIMUS, "他克莫司")
    (True, False)
    """
    return _plain(name) in (drug.name, *drug.synonyms)


def looks_like(drug: Drug, name: str) -> str | None:
    """Return the drug that is meant when a look-alike's name was written, else None.

    >>> looks_like(SIROLIMUS, "FK506"), looks_like(SIROLIMUS, "Rapamycin")
    ('tacrolimus', None)
    """
    wanted = _plain(name)
    return next((other for other, names in drug.look_alikes.items() if wanted in names), None)


def assay_class(drug: Drug, assay: str | None) -> str | None:
    """Return the class of an assay, or None when the assay is not known.

    >>> assay_class(SIROLIMUS, "CMIA"), assay_class(SIROLIMUS, "unknown")
    ('immunoassay', None)
    """
    return None if assay is None else drug.assays.get(_plain(assay))
