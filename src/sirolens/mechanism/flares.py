# SPDX-License-Identifier: Apache-2.0
"""Infections that stir the disease up: drawn for each patient, and handed to the model's port as a smooth input.

How often, how long and how strong is ASSUMED; what a flare does to help, clearance and IL-6 stands in the register.
Off unless asked for, because with flares the untreated patient is no steady state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sirolens.errors import InputError
from sirolens.mechanism.draws import patient_rows
from sirolens.message import error
from sirolens.source import Mark, Source

__all__ = ["Flares", "flare_course", "flare_times"]

Array = NDArray[np.float64]

_D_PER_YEAR = 365.25
_ASSUMED = Source(title="Infections that matter: two a year, of about ten days", mark=Mark.ASSUMED)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flares:
    """How infections come.

    Parameters
    ----------
    per_year : float
        Mean number; they come independently of each other (Poisson).
    days : float
        How long each lasts.
    height : float
        Largest value of the port during a flare.
    source : Source
        What stands behind it.

    Examples
    --------
    >>> Flares(per_year=1.0).days
    10.0
    """

    per_year: float = 2.0
    days: float = 10.0
    height: float = 1.0
    source: Source = field(default=_ASSUMED)

    def __post_init__(self) -> None:
        if not (0.0 <= self.per_year < np.inf and 0.0 < self.days < np.inf and 0.0 <= self.height < np.inf):
            raise InputError(
                error("mechanism.flares-impossible", per_year=self.per_year, days=self.days, height=self.height)
            )


def flare_times(flares: Flares, until_d: float, *, seed: int, index: ArrayLike) -> Array:
    """Draw when each patient's flares begin.

    Parameters
    ----------
    flares : Flares
        How they come.
    until_d : float
        Those after it are not needed.
    seed : int
        Of the draws.
    index : array_like of int (n,)
        The patients' own numbers.

    Returns
    -------
    ndarray (n, k)
        Ascending, from day 0 on [d]; those beyond `until_d` are of no account.

    Examples
    --------
    >>> begun = flare_times(Flares(per_year=2.0), 365.25, seed=1, index=range(3000))
    >>> bool(abs((begun < 365.25).sum(axis=1).mean() - 2.0) < 0.1)
    True
    """
    mean = flares.per_year * max(0.0, until_d) / _D_PER_YEAR
    if mean == 0.0:
        return np.full((np.size(index), 1), np.inf)
    # Beyond nine standard deviations of a Poisson number nobody has that many.
    count = int(np.ceil(mean + 9.0 * np.sqrt(mean) + 9.0))
    gaps = -np.log(patient_rows(seed, "flares", index=index, count=count))
    return np.asarray(np.cumsum(gaps, axis=1) * (_D_PER_YEAR / flares.per_year))


def flare_course(flares: Flares, begin_d: Array, node_d: Array) -> tuple[Array, Array]:
    """Write flares as values and slopes at the nodes of a grid.

    ::

        flare(t) = height * 16 s^2 (1 - s)^2,  s = (t - begin) / days inside the flare, else 0; flares add up

    Parameters
    ----------
    flares : Flares
        Length and height.
    begin_d : ndarray (n, k)
        From `flare_times`.
    node_d : ndarray (G,)
        Times of the nodes [d].

    Returns
    -------
    values, slopes : ndarray (n, G)

    Examples
    --------
    >>> values, _ = flare_course(Flares(), np.array([[10.0]]), np.array([0.0, 10.0, 15.0, 20.0]))
    >>> values.tolist()
    [[0.0, 0.0, 1.0, 0.0]]
    """
    values, slopes = np.zeros((len(begin_d), node_d.size)), np.zeros((len(begin_d), node_d.size))
    if node_d.size < 2:
        return values, slopes
    step = float(node_d[1] - node_d[0])
    reach = np.arange(int(np.ceil(flares.days / step)) + 2)
    patient, which = np.nonzero((begin_d <= node_d[-1]) & (begin_d + flares.days >= node_d[0]))
    begin = begin_d[patient, which]
    first = np.floor((begin - node_d[0]) / step).astype(np.int64)
    place = first[:, None] + reach
    inside = (place >= 0) & (place < node_d.size)
    s = (node_d[np.clip(place, 0, node_d.size - 1)] - begin[:, None]) / flares.days
    inside &= (s > 0.0) & (s < 1.0)
    rows = np.broadcast_to(patient[:, None], place.shape)[inside]
    at, s = place[inside], s[inside]
    np.add.at(values, (rows, at), 16.0 * flares.height * s**2 * (1.0 - s) ** 2)
    np.add.at(slopes, (rows, at), 32.0 * flares.height / flares.days * s * (1.0 - s) * (1.0 - 2.0 * s))
    return values, slopes
