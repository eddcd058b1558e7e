# SPDX-License-Identifier: Apache-2.0
"""The acceptable parameterisations that a calibration kept: read, written, and turned into virtual patients.

``study/data/calibrated.toml`` holds a posterior sample over all structures, and for each cohort a sample of
populations that resemble it. Everything drawn from here is calibrated, not validated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.draws import patient_uniforms
from sirolens.mechanism.network import Mechanism, load
from sirolens.mechanism.virtual import Population, draw
from sirolens.message import error
from sirolens.study.calibration.calibrate import NEW_COHORT, Kept
from sirolens.study.calibration.prior import Prior, calibration_prior, with_centres

__all__ = [
    "Calibrated",
    "calibrated",
    "draw_calibrated",
    "mechanism_of",
    "read_sets",
    "sets_of",
    "structure_of",
    "text_of_sets",
]

Array: TypeAlias = NDArray[np.float64]
DIGITS = 6
DEFAULT = "three-links"
"""The structure of the model without a variant."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a calibration kept.

    Parameters
    ----------
    sets : tuple of Kept
        Of every purpose and structure.
    made : mapping
        What it rests on: seeds, numbers of patients and draws, hashes, versions, the pharmacokinetic priors.
    """

    sets: tuple[Kept, ...]
    made: Mapping[str, Any]

    def of(self, purpose: str, structure: str | None = None) -> tuple[Kept, ...]:
        """Return the sets of one purpose, of one structure or all.

        Raises
        ------
        UnknownNameError
            ``calibration.purpose-unknown``.
        """
        known = {one.purpose for one in self.sets}
        if purpose not in known:
            raise UnknownNameError(error("calibration.purpose-unknown", name=purpose, known=", ".join(sorted(known))))
        found = tuple(one for one in self.sets if one.purpose == purpose and structure in (None, one.structure))
        if not found:
            structures = ", ".join(sorted({one.structure for one in self.sets if one.purpose == purpose}))
            raise UnknownNameError(
                error("calibration.purpose-unknown", name=f"{purpose} {structure}", known=structures)
            )
        return found


def text_of_sets(sets: Sequence[Kept], made: Mapping[str, Any], prior: Prior) -> str:
    """Write what was kept as TOML; numbers have six digits, so that a re-run can be compared byte by byte."""
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        "# Acceptable parameterisations of the mechanism: calibrated, NOT validated (docs/science/calibration.md).",
        "# centre and spread of each input in the order of `inputs`; written by validation/calibration, never by hand.",
        f"inputs = {_list(one.symbol for one in prior.inputs)}",
        "",
        "[made]",
    ]
    lines += [f"{key} = {_value(value)}" for key, value in made.items()]
    lines += ["", "[sets]", "kept = ["]
    for one in sets:
        told = {
            "purpose": one.purpose,
            "structure": one.structure,
            "weight": one.weight,
            "draw": one.draw,
            "centre": tuple(one.theta[:, 0].tolist()),
            "spread": tuple(one.theta[:, 1].tolist()),
            "shift": dict(one.shifts),
            "definition": dict(one.definitions),
        }
        lines.append(f"    {_value(told)},")
    return "\n".join([*lines, "]"]) + "\n"


def _list(values: Any) -> str:
    return "[" + ", ".join(_value(one) for one in values) + "]"


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return repr(float(f"{value:.{DIGITS}g}"))
        case int():
            return str(value)
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
        case tuple() | list():
            return _list(value)
        case _:
            return '"' + str(value).replace('"', "'") + '"'


@cache
def calibrated() -> Calibrated:
    """Read the shipped file.

    Examples
    --------
    >>> {one.purpose for one in calibrated().sets} >= {"posterior", "paper-a", "feng-2020"}
    True
    """
    return read_sets(files("sirolens.study").joinpath("data", "calibrated.toml").read_text(encoding="utf-8"))


def read_sets(text: str) -> Calibrated:
    """Read what `text_of_sets` wrote.

    Raises
    ------
    InputError
        ``calibration.inputs-differ`` when the file was made for other inputs than the prior's.
    """
    told = tomllib.loads(text)
    inputs = [one.symbol for one in calibration_prior().inputs]
    if told["inputs"] != inputs:
        raise InputError(
            error("calibration.inputs-differ", found=", ".join(told["inputs"]), expected=", ".join(inputs))
        )
    sets = tuple(
        Kept(
            purpose=one["purpose"],
            structure=one["structure"],
            draw=one["draw"],
            theta=np.stack([np.array(one["centre"]), np.array(one["spread"])], axis=1),
            shifts=MappingProxyType(one["shift"]),
            definitions=MappingProxyType(one["definition"]),
            weight=one["weight"],
        )
        for one in told["sets"]["kept"]
    )
    return Calibrated(sets=sets, made=MappingProxyType(told["made"]))


def structure_of(mechanism: Mechanism) -> str:
    """Name the calibrated structure that a mechanism's variants stand for; its disease or patient variants are kept.

    >>> structure_of(load()), structure_of(load(("single-link", "evans")))
    ('three-links', 'single-link')
    """
    known = calibration_prior().structures
    return next((name for name in mechanism.variants if name in known), DEFAULT)


def mechanism_of(kept: Kept, cohort: str | None = None, variants: Sequence[str] = ()) -> Mechanism:
    """Return the mechanism of one parameterisation.

    Parameters
    ----------
    kept : Kept
        The parameterisation.
    cohort : str, optional
        Whose patients: adds that cohort's shift; None: the patients that all cohorts have in common.
    variants : sequence of str
        Further variants; what they set stays as they set it.
    """
    model = load((kept.structure, *variants))
    own = {symbol for name in variants for symbol in model.register.variants[name].values}
    shift = 0.0 if cohort is None else kept.shifts[cohort]
    return with_centres(model, calibration_prior(), kept.theta, shift=shift, keep=sorted(own))


def draw_calibrated(
    mechanism: Mechanism, n: int, seed: int, who: str, *, purpose: str, kept: Calibrated | None = None
) -> Population:
    """Draw virtual patients from what was kept: each belongs to one parameterisation, drawn by its weight.

    Parameters
    ----------
    mechanism : Mechanism
        Its structure chooses among the sets; disease and patient variants of it stay.
    n, seed, who
        As in `sirolens.mechanism.virtual.draw`; the first n patients are the same however many are drawn.
    purpose : str
        ``"posterior"`` or a cohort.
    kept : Calibrated, optional
        In place of the shipped file.

    Examples
    --------
    >>> ten, twenty = (draw_calibrated(load(), n, 1, "adults", purpose="paper-a") for n in (10, 20))
    >>> bool((ten.parameters == twenty.parameters[:, :10]).all())
    True
    """
    sets = (kept or calibrated()).of(purpose, structure_of(mechanism))
    # Patients of no cohort of the fit are as far from the common ones as cohorts are from each other.
    cohort = NEW_COHORT if purpose == "posterior" else purpose
    extra = tuple(name for name in mechanism.variants if name not in calibration_prior().structures)
    which = sets_of(sets, n, seed, purpose)
    whole: Population | None = None
    for k, one in enumerate(sets):
        places = np.flatnonzero(which == k)
        if not places.size:
            continue
        # Every parameterisation has candidates of its own; within it patients keep their order.
        own = draw(mechanism_of(one, cohort, extra), places.size, seed=seed + 7919 * (k + 1), who=who)
        whole = _into(whole, own, places, n)
    assert whole is not None
    return replace(
        whole,
        seed=seed,
        recipe=MappingProxyType({**whole.recipe, "patients": n, "seed": seed, "calibrated": purpose}),
    )


def sets_of(sets: Sequence[Kept], n: int, seed: int, purpose: str) -> NDArray[np.intp]:
    """Say which of the sets each of the first n patients belongs to."""
    share = np.cumsum([one.weight for one in sets])
    return np.searchsorted(share / share[-1], patient_uniforms(seed, "calibrated", purpose, index=range(n)))


def _into(whole: Population | None, own: Population, places: NDArray[np.intp], n: int) -> Population:
    """Put the patients of one parameterisation at their places; numbers are those of the places."""
    if whole is None:
        empty = {name: np.full(n, np.nan) for name in own.covariates}
        table, weights = np.full((own.parameters.shape[0], n), np.nan), np.ones(n)
        whole = replace(
            own, parameters=table, covariates=MappingProxyType(empty), index=np.arange(n), weights=weights, tried=0,
            rejected=MappingProxyType({}),
        )  # fmt: skip
    table = whole.parameters.copy()
    table[:, places] = own.parameters
    covariates = {name: column.copy() for name, column in whole.covariates.items()}
    for name, column in covariates.items():
        column[places] = own.covariates[name]
    kept_out = {
        name: whole.rejected.get(name, 0) + own.rejected.get(name, 0) for name in {**whole.rejected, **own.rejected}
    }
    return replace(
        whole,
        parameters=table,
        covariates=MappingProxyType(covariates),
        tried=whole.tried + own.tried,
        rejected=MappingProxyType(kept_out),
    )
