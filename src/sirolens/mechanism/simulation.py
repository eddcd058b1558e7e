# SPDX-License-Identifier: Apache-2.0
"""What a simulation gives: plain arrays, where to go on from, and the labelled form with units and purpose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.simd.integrate import LaneStatus
from sirolens.errors import InputError
from sirolens.mechanism.virtual import Population
from sirolens.message import Message, error, warning

if TYPE_CHECKING:
    import xarray

__all__ = ["Final", "Simulation", "failures", "to_dataset"]

Array = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Final:
    """Where a simulation ended: what is needed to go on.

    Parameters
    ----------
    at_d : float
        Day.
    states : ndarray (n_states, N)
        Of the rest of the model.
    upstream : ndarray (S, N)
        Upstream states.
    standing : ndarray (2, N), optional
        Of a titration: the standing dose, and 1 where it is held.
    """

    at_d: float
    states: Array
    upstream: Array
    standing: Array | None = None

    def of(self, low: int, high: int) -> Final:
        """Of patients low <= i < high."""
        return self.part(slice(low, high))

    def part(self, which: slice | NDArray[np.bool_] | NDArray[np.int64]) -> Final:
        """Of some patients."""
        standing = None if self.standing is None else self.standing[:, which]
        return replace(self, states=self.states[:, which], upstream=self.upstream[:, which], standing=standing)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation:
    """What was simulated, as plain arrays.

    Parameters
    ----------
    time_d : ndarray (K,)
        When [d].
    names, units : tuple of str
        The Q quantities.
    values : ndarray (Q, K, N)
        Not-a-number from where a patient has failed.
    status : ndarray of int (N,)
        A `LaneStatus` each.
    index : ndarray of int (N,)
        The patients' own numbers.
    final : Final
        To go on from.
    model : str
        The pharmacokinetic model, by its full name.
    variants : tuple of str
        Of the mechanism.
    messages : tuple of Message
        What must be said: failures with their reason, what the pharmacokinetic model cannot know, partners.
    """

    time_d: Array
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: Array
    status: NDArray[np.int64]
    index: NDArray[np.int64]
    final: Final
    model: str
    variants: tuple[str, ...]
    messages: tuple[Message, ...]

    def of(self, name: str) -> Array:
        """One quantity, (K, N).

        Raises
        ------
        InputError
            ``mechanism.quantity-missing``.
        """
        if name not in self.names:
            raise InputError(error("mechanism.quantity-missing", name=name, known=", ".join(self.names)))
        found: Array = self.values[self.names.index(name)]
        return found

    @property
    def failed(self) -> int:
        """How many patients failed."""
        return int((self.status != LaneStatus.DONE).sum())


def failures(status: NDArray[np.int64]) -> tuple[Message, ...]:
    """Say why patients could not be followed: one warning for each reason, with how many it took.

    Examples
    --------
    >>> [message.values["failed"] for message in failures(np.array([0, 3, 3]))]
    [2]
    """
    found = []
    for reason in LaneStatus:
        failed = np.flatnonzero(status == reason)
        if reason is not LaneStatus.DONE and failed.size:
            why = warning(reason.code, lanes=int(failed.size), first_lane=int(failed[0]))
            found.append(
                warning("mechanism.patients-failed", failed=int(failed.size), patients=status.size, reason=why)
            )
    return tuple(found)


def to_dataset(simulation: Simulation, population: Population) -> xarray.Dataset:
    """Label a simulation.

    Returns
    -------
    xarray.Dataset
        ``value`` (patient, time, quantity) with the unit of each quantity; ``status``, ``weight`` and the covariates of
        each patient; model, variants, seed and the note that this is research as attributes. It goes into Zarr.
    """
    import xarray

    per_patient = {name: ("patient", np.asarray(column)) for name, column in population.covariates.items()}
    return xarray.Dataset(
        {
            "value": (("patient", "time", "quantity"), simulation.values.transpose(2, 1, 0)),
            "status": ("patient", simulation.status),
            "weight": ("patient", np.asarray(population.weights)),
            **per_patient,
        },
        coords={
            "patient": np.asarray(simulation.index),
            "time": ("time", simulation.time_d, {"units": "day"}),
            "quantity": list(simulation.names),
            "unit": ("quantity", list(simulation.units)),
        },
        attrs={
            "mechanism": population.recipe["model"],
            "variants": ", ".join(simulation.variants),
            "pharmacokinetic_model": simulation.model,
            "seed": population.seed,
            "failed": simulation.failed,
            "purpose": "research: hypotheses of a model that is not validated, not for dosing anybody",
        },
    )
