# SPDX-License-Identifier: Apache-2.0
"""The interaction table: which drug changes sirolimus, by how much, how surely, and how the change divides.

The data are ``data/interactions.toml``. A ratio of exposure is split between clearance and bioavailability by the ratio
of half-lives or of peaks where a source gives one; otherwise both extremes are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf, sqrt
from typing import Any, final

from sirolens.dosing.literature import source, table
from sirolens.source import Source

__all__ = ["Perpetrator", "Split", "entries_of", "perpetrators", "split"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How a ratio of exposure divides between clearance and bioavailability.

    Parameters
    ----------
    clearance, bioavailability : float
        The multipliers used; exposure changes by bioavailability / clearance.
    extremes : tuple of (float, float)
        The (clearance, bioavailability) pairs between which the truth lies; one pair where the split is sourced.
    by : str
        ``"half-life"``, ``"peak"``, ``"clearance"`` (the source gives CL/F), or ``"unknown"``.
    """

    clearance: float
    bioavailability: float
    extremes: tuple[tuple[float, float], ...]
    by: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Perpetrator:
    """One entry of the interaction table.

    Parameters
    ----------
    name : str
        Non-proprietary name, lower case.
    aliases : tuple of str
        Other spellings.
    kind : str
        ``"inhibitor"``, ``"inducer"``, ``"caution"`` or ``"none"``.
    evidence : str
        ``"trial"``, ``"observational"``, ``"case"``, ``"listed"`` or ``"unverified"``.
    source : Source
        Where it comes from.
    auc, auc_low, auc_high : float, optional
        Ratio of exposure with against without, and its interval.
    split : Split, optional
        Its division; None where no ratio is known.
    applied : bool
        Whether the multiplier enters predictions.
    avoid : bool
        Whether the two are not to be combined.
    population : str, optional
        ``"child"`` when it holds below the adult age only.
    """

    name: str
    kind: str
    evidence: str
    source: Source
    aliases: tuple[str, ...] = ()
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    split: Split | None = None
    applied: bool = False
    avoid: bool = False
    population: str | None = None


def split(
    auc: float, *, cmax: float | None = None, half_life: float | None = None, largest_bioavailability: float = inf
) -> Split:
    """Divide a ratio of exposure between clearance and bioavailability.

    With exposure ratio R, peak ratio C and half-life ratio T (volume unchanged)::

        by half-life:  CL = 1 / T,  F = R / T        by peak:  F = C,  CL = C / R

    An inhibitor never raises clearance and cannot bring bioavailability above 1, an inducer never lowers clearance;
    what a source's ratios would push beyond that goes to the other side.

    Parameters
    ----------
    auc : float
        R, above 0.
    cmax, half_life : float, optional
        C and T; the half-life is preferred.
    largest_bioavailability : float
        The multiplier that would make bioavailability complete.

    Examples
    --------
    >>> rifampicin = split(0.18, cmax=0.29)
    >>> round(rifampicin.bioavailability, 2), round(rifampicin.clearance, 2)
    (0.29, 1.61)
    >>> split(4.0).extremes
    ((0.25, 1.0), (1.0, 4.0))
    """

    def held(bioavailability: float) -> tuple[float, float]:
        low, high = (1.0, min(auc, largest_bioavailability)) if auc >= 1.0 else (auc, 1.0)
        factor = min(max(bioavailability, low), high)
        return factor / auc, factor

    if half_life is not None or cmax is not None:
        by = "peak" if half_life is None else "half-life"
        pair = held(auc / half_life if half_life is not None else cmax or 1.0)
        return Split(clearance=pair[0], bioavailability=pair[1], extremes=(pair,), by=by)
    middle = held(sqrt(auc))
    return Split(clearance=middle[0], bioavailability=middle[1], extremes=(held(1.0), held(auc)), by="unknown")


def _perpetrator(entry: Mapping[str, Any]) -> Perpetrator:
    largest = 1.0 / table("interactions")["bioavailability"]["value"]
    auc, clearance = entry.get("auc"), entry.get("clearance")
    if clearance is not None:
        auc = 1.0 / clearance
        division = Split(clearance=clearance, bioavailability=1.0, extremes=((clearance, 1.0),), by="clearance")
    elif auc is not None:
        division = split(auc, cmax=entry.get("cmax"), half_life=entry.get("half_life"), largest_bioavailability=largest)
    else:
        division = None
    strong = table("interactions")["strong_ratio"]["value"]
    return Perpetrator(
        name=entry["name"],
        aliases=tuple(entry.get("aliases", ())),
        kind=entry["kind"],
        evidence=entry["evidence"],
        source=source(entry["source"]),
        auc=auc,
        auc_low=entry.get("auc_low"),
        auc_high=entry.get("auc_high"),
        split=division,
        applied=division is not None and entry.get("applied", True),
        avoid=entry.get("avoid", False) or (auc is not None and (auc >= strong or auc <= 1.0 / strong)),
        population=entry.get("population"),
    )


@cache
def perpetrators() -> tuple[Perpetrator, ...]:
    """Return the interaction table.

    >>> next(p for p in perpetrators() if p.name == "rifampicin").avoid
    True
    """
    return tuple(_perpetrator(entry) for entry in table("interactions")["drug"])


def entries_of(drug: str, *, child: bool) -> tuple[Perpetrator, ...]:
    """Return the entries of a drug, the one that fits the age first."""
    plain = drug.strip().lower()
    found = [p for p in perpetrators() if plain == p.name or plain in p.aliases]
    return tuple(sorted(found, key=lambda entry: (entry.population == "child") != child))
