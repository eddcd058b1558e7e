# SPDX-License-Identifier: Apache-2.0
"""Where a trial's patients are kept: in memory, or in a Zarr folder that a killed run goes on from.

A folder carries what it rests on: the recipe's text and hash, the seed, the versions. It is opened again only by a run
that rests on the same. A chunk of patients is written whole and then ticked off, so that a run that was killed computes
the unfinished chunk again, with the same bits.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.study.trial.arms import ArmChunk
from sirolens.study.trial.virtual_patients import People

if TYPE_CHECKING:
    import xarray

__all__ = ["CHUNK", "FORMAT", "InFolder", "InMemory", "Shape", "Store", "columns_of", "in_folder", "labelled"]

FORMAT = 1
CHUNK = 2000
"""Patients that are simulated and written together: memory does not grow with the trial."""
Column: TypeAlias = NDArray[np.generic]

_DIMS: Mapping[str, tuple[str, str, str]] = {
    "number": ("", "int64", "patient's own number"),
    "child": ("", "int8", "1: child"),
    "age": ("", "float32", "years"),
    "weight": ("", "float32", "kg"),
    "baseline": ("", "float32", "measured platelet count on day 0, 10^9/L"),
    "baseline_true": ("", "float32", "true platelet count on day 0, 10^9/L"),
    "platelets": ("visit", "float32", "measured platelet count, 10^9/L; nan: not seen"),
    "platelets_true": ("visit", "float32", "true platelet count, 10^9/L"),
    "visit_day": ("visit", "int32", "day of the visit"),
    "dose": ("visit", "float32", "daily dose of sirolimus prescribed, mg"),
    "trough": ("visit", "float32", "true trough of sirolimus, ng/mL"),
    "level": ("visit", "float32", "measured level of sirolimus, ng/mL; nan: none taken"),
    "treg": ("cell_day", "float32", "measured regulatory T cells, percent of CD4 cells; day 0 first"),
    "treg_true": ("cell_day", "float32", "true regulatory T cells, percent of CD4 cells"),
    "left_day": ("", "int32", "day of leaving the trial; -1: stayed"),
    "tapered": ("", "int8", "1: doses were lowered"),
    "failed": ("", "int8", "1: the equations could not be integrated"),
}
"""Column -> further dimension after arm and patient, type, and what it is."""


@final
class Shape:
    """How large a trial is.

    Parameters
    ----------
    arms : sequence of str
        Names of the treatments.
    patients : int
        In each of them, over all replicates.
    visits, cell_days : sequence of int
        Planned days.
    """

    __slots__ = ("arms", "cell_days", "patients", "visits")

    def __init__(self, arms: Sequence[str], patients: int, visits: Sequence[int], cell_days: Sequence[int]) -> None:
        self.arms, self.patients = tuple(arms), patients
        self.visits, self.cell_days = tuple(visits), tuple(cell_days)

    @property
    def chunks(self) -> int:
        """Chunks of each arm."""
        return -(-self.patients // CHUNK)

    def span(self, chunk: int) -> tuple[int, int]:
        """First patient of a chunk, and the first of the next."""
        return chunk * CHUNK, min((chunk + 1) * CHUNK, self.patients)

    def of(self, column: str) -> tuple[int, ...]:
        """Shape of a column."""
        further = {"": (), "visit": (len(self.visits),), "cell_day": (len(self.cell_days),)}[_DIMS[column][0]]
        return (len(self.arms), self.patients, *further)

    @property
    def bytes(self) -> int:
        """How much all columns take."""
        return sum(int(np.prod(self.of(name))) * np.dtype(kind).itemsize for name, (_, kind, _) in _DIMS.items())


class Store(Protocol):
    """Keeps what was simulated."""

    shape: Shape

    def done(self, arm: int, chunk: int) -> bool:
        """Whether a chunk is there."""
        ...

    def write(self, arm: int, chunk: int, columns: Mapping[str, Column]) -> None:
        """Keep a chunk."""
        ...

    def read(self, arm: int) -> dict[str, Column]:
        """Return the columns of an arm."""
        ...


def columns_of(people: People, chunk: ArmChunk) -> dict[str, Column]:
    """Return what is kept of patients, by the names of the columns."""
    found: dict[str, NDArray[Any]] = {
        "number": people.number,
        "child": people.child,
        "age": people.age_years,
        "weight": people.weight_kg,
        "baseline": chunk.baseline_10e9_l,
        "baseline_true": chunk.baseline_true_10e9_l,
        "platelets": chunk.count_10e9_l,
        "platelets_true": chunk.count_true_10e9_l,
        "visit_day": chunk.visit_day,
        "dose": chunk.dose_mg,
        "trough": chunk.trough_ng_ml,
        "level": chunk.level_ng_ml,
        "treg": chunk.treg_percent,
        "treg_true": chunk.treg_true_percent,
        "left_day": chunk.left_day,
        "tapered": chunk.tapered,
        "failed": chunk.failed,
    }
    return {name: found[name].astype(kind) for name, (_, kind, _) in _DIMS.items()}


@final
class InMemory:
    """Columns as plain arrays."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._columns = {name: np.zeros(shape.of(name), kind) for name, (_, kind, _) in _DIMS.items()}
        self._done = np.zeros((len(shape.arms), shape.chunks), bool)

    def done(self, arm: int, chunk: int) -> bool:
        """Whether a chunk is there."""
        return bool(self._done[arm, chunk])

    def write(self, arm: int, chunk: int, columns: Mapping[str, Column]) -> None:
        """Keep a chunk."""
        low, high = self.shape.span(chunk)
        for name, column in columns.items():
            self._columns[name][arm, low:high] = column
        self._done[arm, chunk] = True

    def read(self, arm: int) -> dict[str, Column]:
        """Return the columns of an arm."""
        return {name: column[arm] for name, column in self._columns.items()}


@final
class InFolder:
    """Columns in a Zarr folder (format 2)."""

    def __init__(self, path: Path, shape: Shape) -> None:
        import zarr

        self.path, self.shape = path, shape
        self._group = zarr.open_group(str(path), mode="r+", zarr_format=2)

    def _array(self, name: str) -> Any:
        return self._group[name]

    def done(self, arm: int, chunk: int) -> bool:
        """Whether a chunk is there."""
        return bool(self._array("done")[arm, chunk])

    def write(self, arm: int, chunk: int, columns: Mapping[str, Column]) -> None:
        """Keep a chunk, then tick it off."""
        low, high = self.shape.span(chunk)
        for name, column in columns.items():
            self._array(name)[arm, low:high] = column
        self._array("done")[arm, chunk] = True

    def read(self, arm: int) -> dict[str, Column]:
        """Return the columns of an arm."""
        return {name: np.asarray(self._array(name)[arm]) for name in _DIMS}


def in_folder(path: Path, shape: Shape, identity: Mapping[str, Any], recipe_text: str, *, resume: bool) -> InFolder:
    """Open a folder for a trial, or make it.

    Parameters
    ----------
    path : Path
        The folder, by custom ending in ``.zarr``.
    shape : Shape
        How large the trial is.
    identity : mapping
        What the numbers rest on.
    recipe_text : str
        Kept beside them.
    resume : bool
        Go on with what is there.

    Raises
    ------
    InputError
        ``trial.out-exists``, ``trial.resume-nothing``, ``trial.resume-unreadable``, ``trial.resume-differs``,
        ``write.impossible``.
    """
    place = Place(file=str(path))
    if path.exists():
        if not resume:
            raise InputError(error("trial.out-exists", place=place))
        _same(path, identity, place)
        return InFolder(path, shape)
    if resume:
        raise InputError(error("trial.resume-nothing", place=place))
    if not path.parent.is_dir():  # zarr would make every folder on the way
        raise InputError(error("write.impossible", place=place, told=os.strerror(errno.ENOENT)))
    unfinished = path.with_name(f"{path.name}.new")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        _make(unfinished, shape, identity, recipe_text)
        unfinished.rename(path)
    except OSError as failure:
        told = failure.strerror or str(failure)
        raise InputError(error("write.impossible", place=place, told=told)) from failure
    return InFolder(path, shape)


def _same(path: Path, identity: Mapping[str, Any], place: Place) -> None:
    import zarr

    try:
        attributes = zarr.open_group(str(path), mode="r", zarr_format=2).attrs
        told = json.loads(str(attributes["identity"]))
    except (OSError, KeyError, ValueError) as failure:
        raise InputError(error("trial.resume-unreadable", place=place)) from failure
    now = json.loads(_written(identity))
    differ = tuple(sorted(key for key in {*told, *now} if told.get(key) != now.get(key)))
    if differ:
        raise InputError(error("trial.resume-differs", place=place, names=differ))


def _written(identity: Mapping[str, Any]) -> str:
    return json.dumps(identity, sort_keys=True, ensure_ascii=False)


def _make(path: Path, shape: Shape, identity: Mapping[str, Any], recipe_text: str) -> None:
    import zarr

    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    group.attrs.update(
        {"sirolens_trial": FORMAT, "identity": _written(identity), "recipe": recipe_text, "invented": True}
    )
    for name, (further, kind, what) in _DIMS.items():
        whole = shape.of(name)
        array = group.create_array(
            name, shape=whole, chunks=(1, min(CHUNK, whole[1]), *(max(1, one) for one in whole[2:])), dtype=kind
        )
        dims = ["arm", "patient", *([further] if further else [])]
        array.attrs.update({"_ARRAY_DIMENSIONS": dims, "long_name": what})
    done = group.create_array("done", shape=(len(shape.arms), shape.chunks), chunks=(1, 1), dtype="bool")
    done.attrs["_ARRAY_DIMENSIONS"] = ["arm", "chunk"]
    for name, values in (("visit", shape.visits), ("cell_day", shape.cell_days)):
        days = group.create_array(name, shape=(len(values),), chunks=(max(1, len(values)),), dtype="int32")
        days[:] = np.array(values, np.int32)
        days.attrs.update({"_ARRAY_DIMENSIONS": [name], "long_name": "planned day"})
    group.attrs["arms"] = list(shape.arms)


def labelled(store: Store, replicates: int) -> xarray.Dataset:
    """Return what a store keeps as a labelled data set: dimensions arm, patient, visit, cell_day.

    Parameters
    ----------
    store : Store
        Complete.
    replicates : int
        Patients are numbered replicate after replicate; the coordinate ``replicate`` says which.
    """
    import xarray

    shape = store.shape
    arms = [store.read(arm) for arm in range(len(shape.arms))]
    variables = {
        name: (
            ("arm", "patient", *((further,) if further else ())),
            np.stack([columns[name] for columns in arms]),
            {"long_name": what},
        )
        for name, (further, _, what) in _DIMS.items()
    }
    each = shape.patients // replicates
    coordinates = {
        "arm": list(shape.arms),
        "visit": np.array(shape.visits),
        "cell_day": np.array(shape.cell_days),
        "replicate": ("patient", np.arange(shape.patients) // each),
    }
    return xarray.Dataset(variables, coords=coordinates, attrs={"sirolens_trial": FORMAT})
