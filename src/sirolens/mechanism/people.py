# SPDX-License-Identifier: Apache-2.0
"""Age, weight, sex, earlier treatments and duration of disease of virtual patients; ASSUMED, and said so.

No cohort of sirolimus in ITP that was read prints these distributions, so they are choices. Pharmacokinetic models use
age and weight; the others only describe, until a calibration links them to the mechanism.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.engine.sampling import lognormal
from sirolens.errors import UnknownNameError
from sirolens.mechanism.draws import patient_normals, patient_uniforms
from sirolens.message import error
from sirolens.source import Mark, Source

__all__ = ["PEOPLE", "People", "draw_people", "people"]

Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A log-normal quantity, cut to a range by drawing its quantiles inside it."""

    median: float
    log_sd: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who the virtual patients are.

    Parameters
    ----------
    name : str
        ``"adults"`` or ``"children"``.
    age_years : Spread
        Age.
    female : float
        Share of women and girls.
    weight_kg : tuple of float
        Median weight a + b age of men and boys: (a, b).
    female_weight : float
        Factor on it for women and girls.
    weight_log_sd : float
        Spread around the median.
    prior_lines : mapping of int to float
        Share of patients by number of earlier treatments.
    duration_months : Spread
        Duration of disease.
    source : Source
        What stands behind all of it.
    """

    name: str
    age_years: Spread
    female: float
    weight_kg: tuple[float, float]
    female_weight: float
    weight_log_sd: float
    prior_lines: Mapping[int, float]
    duration_months: Spread
    source: Source


_ASSUMED = Source(
    title="Description of virtual patients: no cohort of sirolimus in ITP prints these", mark=Mark.ASSUMED
)

PEOPLE: Mapping[str, People] = MappingProxyType(
    {
        "adults": People(
            name="adults",
            age_years=Spread(median=42.0, log_sd=0.35, low=18.0, high=80.0),
            female=0.6,
            weight_kg=(69.0, 0.0),
            female_weight=0.84,
            weight_log_sd=0.15,
            prior_lines=MappingProxyType({1: 0.35, 2: 0.35, 3: 0.2, 4: 0.1}),
            duration_months=Spread(median=24.0, log_sd=1.0, low=3.0, high=240.0),
            source=_ASSUMED,
        ),
        "children": People(
            name="children",
            age_years=Spread(median=9.0, log_sd=0.45, low=2.0, high=17.0),
            female=0.5,
            weight_kg=(8.0, 2.7),
            female_weight=0.97,
            weight_log_sd=0.15,
            prior_lines=MappingProxyType({1: 0.4, 2: 0.4, 3: 0.2}),
            duration_months=Spread(median=15.0, log_sd=0.8, low=3.0, high=120.0),
            source=_ASSUMED,
        ),
    }
)


def people(name: str) -> People:
    """Return a description of patients by its name.

    Raises
    ------
    UnknownNameError
        ``mechanism.people-unknown``.

    Examples
    --------
    >>> people("children").age_years.high
    17.0
    """
    if name not in PEOPLE:
        raise UnknownNameError(error("mechanism.people-unknown", name=name, known=", ".join(sorted(PEOPLE))))
    return PEOPLE[name]


def _cut(spread: Spread, uniform: Array) -> Array:
    from scipy.special import ndtr, ndtri

    low, high = (ndtr(np.log(end / spread.median) / spread.log_sd) for end in (spread.low, spread.high))
    z = ndtri(low + uniform * (high - low))
    return lognormal([spread.median], [[spread.log_sd**2]], z[:, None])[:, 0]


def draw_people(who: People, *, seed: int, index: ArrayLike) -> Mapping[str, Array]:
    """Draw what a chart would say of each patient.

    Parameters
    ----------
    who : People
        The description.
    seed : int
        Of the draws.
    index : array_like of int (n,)
        The patients' own numbers.

    Returns
    -------
    mapping of str to ndarray (n,)
        ``age`` [years], ``weight`` [kg], ``female`` (0 or 1), ``prior_lines``, ``duration_months``.

    Examples
    --------
    >>> drawn = draw_people(people("adults"), seed=1, index=range(2000))
    >>> bool(30 < np.median(drawn["age"]) < 50), bool(drawn["prior_lines"].min() == 1)
    (True, True)
    """

    def uniform(name: str) -> Array:
        return patient_uniforms(seed, "people", name, index=index)

    age = _cut(who.age_years, uniform("age"))
    female = (uniform("sex") < who.female).astype(np.float64)
    usual = (who.weight_kg[0] + who.weight_kg[1] * age) * np.where(female == 1.0, who.female_weight, 1.0)
    z = np.clip(patient_normals(seed, "people", "weight", index=index), -2.5, 2.5)
    lines = np.array(sorted(who.prior_lines))
    below = np.cumsum([who.prior_lines[int(line)] for line in lines])
    chosen = np.minimum(np.searchsorted(below, uniform("prior-lines")), lines.size - 1)
    return MappingProxyType(
        {
            "age": age,
            "weight": usual * lognormal([1.0], [[who.weight_log_sd**2]], z[:, None])[:, 0],
            "female": female,
            "prior_lines": lines[chosen].astype(np.float64),
            "duration_months": _cut(who.duration_months, uniform("duration")),
        }
    )
