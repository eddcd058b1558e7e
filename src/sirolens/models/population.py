# SPDX-License-Identifier: Apache-2.0
"""A population model as data: structure, typical values, covariates, random effects, residual error and scope.

One TOML file is one `PopulationModel`; `sirolens.models.catalog` loads them, `sirolens.models.model_file` reads them.
Nothing here knows a patient: `covariates.typical` turns covariates into typical parameters, `individual` turns etas
into individual ones, `effect_index` hands the same rule to kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from numpy.typing import NDArray

from sirolens.engine.effects import LOG_NORMAL, LOGIT, NORMAL, apply_effects
from sirolens.engine.expression import Expression
from sirolens.engine.linear import PARAMETERS, Structure
from sirolens.message import Message
from sirolens.models.residual import Residual
from sirolens.source import Mark, Source

__all__ = [
    "SUPPORTS",
    "Cohort",
    "Covariate",
    "DosingRow",
    "DosingTable",
    "Effect",
    "Limit",
    "OccasionEffects",
    "OdeSystem",
    "OmegaValue",
    "Parameter",
    "PopulationModel",
    "Role",
    "Saturable",
    "Spread",
    "Theta",
    "Variant",
    "effect_index",
    "individual",
    "parameter_names",
]

Array = NDArray[np.float64]

SUPPORTS = ("steady-state-trough", "early-level", "time-course", "auc", "half-life")
"""What a model may be asked for: a trough-only model knows the first of them and none of the others."""


class Effect(StrEnum):
    """How a random effect acts on a parameter."""

    NONE = "none"
    LOG_NORMAL = "log-normal"
    NORMAL = "normal"
    LOGIT = "logit"


_CODE = {Effect.NONE: LOG_NORMAL, Effect.LOG_NORMAL: LOG_NORMAL, Effect.NORMAL: NORMAL, Effect.LOGIT: LOGIT}


class Role(StrEnum):
    """What a model is for."""

    DEFAULT = "default"  # averaged by default, inside its scope
    SENSITIVITY = "sensitivity"  # shown beside, never averaged by default
    USER = "user"  # a user's own


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Theta:
    """One published number of a formula.

    Parameters
    ----------
    name, value, unit
        As used in the formulas.
    rse_percent : float, optional
        Relative standard error, where printed.
    fixed : bool
        Not estimated by the authors.
    mark : Mark
        How surely the number is known.
    note : str
        What it refers to, or where it comes from when that is not the model's source.
    """

    name: str
    value: float
    unit: str
    mark: Mark
    rse_percent: float | None = None
    fixed: bool = False
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One structural parameter.

    Parameters
    ----------
    name : str
        One of `sirolens.engine.linear.PARAMETERS`, or a name of the model's own equations.
    unit : str
        Its unit.
    formula : Expression
        Its typical value, in terms of thetas and covariates.
    printed : str
        The formula as the paper prints it.
    effect : Effect
        How its random effect acts.
    eta : str, optional
        Which random effect.
    """

    name: str
    unit: str
    formula: Expression
    printed: str
    effect: Effect = Effect.NONE
    eta: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where an unknown covariate may lie: log-normal around `median`, `log_sd` being the SD of its logarithm."""

    median: float
    log_sd: float
    mark: Mark


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """One covariate.

    Parameters
    ----------
    name, unit : str
        As in the formulas; the unit the formula expects.
    quantity : str
        A key of `sirolens.units.CANONICAL`, or ``"indicator"`` (0 or 1), ``"daily-dose"``, ``"number"``.
    chart : str
        Where a chart holds it: ``"age"``, ``"weight"``, the name of a laboratory value, ``"level:DRUG"`` for another
        drug's trough, ``"therapy:DRUG"`` for 1 while that drug is taken, ``"daily-dose"``, or ``""``.
    form : str
        How it enters: ``"power"``, ``"linear"``, ``"factor"``, ``"threshold"``, ``"other"``.
    coefficient : str
        The theta that carries its effect; ``""`` when several do.
    reference : float
        The value at which the typical values are printed.
    low, high : float, optional
        The range observed in the cohort.
    least, most : float, optional
        The range outside which a value is taken for a mistake and refused.
    clamp : tuple of float, optional
        The formula never sees a value outside this range; the nearest end is used, with a warning.
    when_missing : str
        ``"ask"`` (a level of doubt: not computed without an answer or a spread), ``"reference"`` (the value in
        `missing_value` is used and said), ``"refuse"`` (no computation).
    missing_value : float
        What ``"reference"`` uses; the reference unless the file says otherwise.
    spread : Spread, optional
        What to integrate over when it is missing.
    note : str
        Anything a reader must know.
    """

    name: str
    unit: str
    quantity: str
    chart: str
    form: str
    coefficient: str
    reference: float
    when_missing: str
    missing_value: float
    low: float | None = None
    high: float | None = None
    least: float | None = None
    most: float | None = None
    clamp: tuple[float, float] | None = None
    spread: Spread | None = None
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OmegaValue:
    """One variance of a random effect, with how it was made from what is printed.

    Parameters
    ----------
    name : str
        The eta.
    variance : float
        On the scale of eta.
    published : float, optional
        The number as printed.
    conversion : str
        ``"variance"``, ``"variance-percent"`` (x/100), ``"sd"`` (x^2), ``"sd-percent"`` ((x/100)^2), ``"cv-percent"``
        (ln(1 + (x/100)^2)) or ``"choice"`` (not made from a printed number).
    """

    name: str
    variance: float
    mark: Mark
    conversion: str = "variance"
    published: float | None = None
    rse_percent: float | None = None
    fixed: bool = False
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OccasionEffects:
    """Random effects that are drawn anew for each occasion, added to those of the same name.

    Parameters
    ----------
    eta_names : tuple of str
        Which etas vary between occasions.
    omega : ndarray, shape (k, k)
        Their covariance between occasions.
    occasions : int
        How many occasions an exported control stream provides for.
    """

    eta_names: tuple[str, ...]
    omega: Array
    occasions: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Saturable:
    """Saturable absorption without random effects: rate Vm A / (Km + A) into the central compartment.

    Parameters
    ----------
    vmax_mg_h, km_mg : float
        Their values.
    vmax_formula, km_formula : Expression
        How they follow from thetas.
    """

    vmax_mg_h: float
    km_mg: float
    vmax_formula: Expression
    km_formula: Expression


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OdeSystem:
    """A user's own differential equations; states in mg, time in h.

    Parameters
    ----------
    states : tuple of str
        In the order of compartment numbers, from 1.
    equations : mapping of str to Expression
        The derivative of each state, in terms of states and parameters.
    output : Expression
        The concentration, in the model's concentration unit.
    dose_state : str
        The compartment that a dose without number enters.
    """

    states: tuple[str, ...]
    equations: Mapping[str, Expression]
    output: Expression
    dose_state: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A range in which a model may be used.

    Parameters
    ----------
    fact : str
        ``"age_years"``, ``"weight_kg"`` or the name of a covariate.
    hard_low, hard_high : float, optional
        Outside: the model is refused.
    soft_low, soft_high : float, optional
        Outside: the model warns; usually the range of the cohort.
    reason : str
        Why the hard limit is where it is.
    """

    fact: str
    hard_low: float | None = None
    hard_high: float | None = None
    soft_low: float | None = None
    soft_high: float | None = None
    reason: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Another published or possible reading of the same model: loaded as ``name:variant``."""

    name: str
    why: str
    mark: Mark


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DosingRow:
    """One row of a published dosing table.

    Parameters
    ----------
    conditions : tuple of (str, float, float)
        Fact or covariate with its range: low <= x < high.
    dose : float
        In the table's unit.
    in_target_percent : float, optional
        The share of simulated patients inside the target, as printed.
    """

    conditions: tuple[tuple[str, float, float], ...]
    dose: float
    in_target_percent: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DosingTable:
    """A dosing table as published; it holds for its own target only.

    Parameters
    ----------
    title : str
        Where it stands in the paper.
    target_ng_ml : tuple of float
        The trough range the doses aim at.
    unit : str
        ``"mg/day"`` or ``"mg/kg/day"``: always the total of a day.
    doses_per_day : int
        Into how many equal doses the day's total is split.
    """

    title: str
    target_ng_ml: tuple[float, float]
    unit: str
    doses_per_day: int
    rows: tuple[DosingRow, ...]
    mark: Mark
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Who was studied, and how."""

    description: str
    disease: str
    population: str
    assay: str
    assay_class: str
    subjects: int | None = None
    observations: int | None = None
    sampling: str = ""
    dosing: str = ""
    software: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PopulationModel:
    """One population model, ready to compute with; two are the same only when they are one object.

    Parameters
    ----------
    name : str
        Name in the catalogue, or the file's own.
    label : str
        Short name for people, such as ``"Cheng 2020"``.
    title : str
        What the model describes, in one line.
    variant : str, optional
        Which named variant this is; None is the default reading.
    source : Source
        Where it was published.
    primary_table_seen : bool
        Whether the paper's own parameter table was read (False: read in a transcription).
    structure : Structure, optional
        Compartments and absorption of a linear model; None when `system` is given.
    saturable : Saturable, optional
        Saturable absorption in front of the linear disposition.
    system : OdeSystem, optional
        Own differential equations.
    thetas, parameters, covariates : tuple
        The formulas and what they need.
    eta_names : tuple of str
        Random effects, in the order of `omega`.
    omega : ndarray, shape (n_eta, n_eta)
        Their covariance; positive definite.
    omega_values : tuple of OmegaValue
        The variances with their conversion.
    occasion : OccasionEffects, optional
        Variability between occasions; None: none was published.
    residual : Residual
        Residual error.
    supports : frozenset of str
        Members of `SUPPORTS`.
    limits : tuple of Limit
        Hard and soft domain.
    cohort : Cohort
        Who was studied.
    target_ng_ml : tuple of float, optional
        The trough range the authors aimed at.
    levels_from_day : float
        The day after a start or change of dose from which a level may inform this model; before it, a trough-only
        model would take a level that is still rising for a high clearance.
    default_for : str, optional
        ``"adult"``, ``"child"`` or None.
    role : Role
        What it is for.
    variants : tuple of Variant
        Its other readings.
    dosing_tables : tuple of DosingTable
        As published.
    warnings : tuple of Message
        What must be said whenever it is used.
    dose_unit, concentration_unit, time_unit : str
        Units of data tables that go with the file; inside sirolens mg, ng/mL and h.
    file : str
        Where it was read.
    digest : str
        SHA-256 of the file's text, so that a result can name exactly what made it.
    """

    name: str
    label: str
    title: str
    source: Source
    structure: Structure | None
    thetas: tuple[Theta, ...]
    parameters: tuple[Parameter, ...]
    covariates: tuple[Covariate, ...]
    eta_names: tuple[str, ...]
    omega: Array
    omega_values: tuple[OmegaValue, ...]
    residual: Residual
    residual_mark: Mark
    supports: frozenset[str]
    cohort: Cohort
    role: Role
    file: str
    digest: str
    variant: str | None = None
    primary_table_seen: bool = False
    saturable: Saturable | None = None
    system: OdeSystem | None = None
    occasion: OccasionEffects | None = None
    residual_note: str = ""
    limits: tuple[Limit, ...] = ()
    target_ng_ml: tuple[float, float] | None = None
    levels_from_day: float = 0.0
    default_for: str | None = None
    variants: tuple[Variant, ...] = ()
    dosing_tables: tuple[DosingTable, ...] = ()
    warnings: tuple[Message, ...] = ()
    dose_unit: str = "mg"
    concentration_unit: str = "ng/mL"
    time_unit: str = "h"

    @property
    def full_name(self) -> str:
        """The name under which exactly this reading can be loaded again."""
        return self.name if self.variant is None else f"{self.name}:{self.variant}"

    @property
    def population_scope(self) -> str:
        """The population the cohort came from, such as ``"chinese"``."""
        return self.cohort.population

    @property
    def assay(self) -> str:
        """The assay of the cohort's levels."""
        return self.cohort.assay

    @property
    def assay_class(self) -> str:
        """``"chromatography"``, ``"immunoassay"`` or ``"unknown"``."""
        return self.cohort.assay_class

    @property
    def trough_only(self) -> bool:
        """Whether the model was built on troughs alone and so knows no time course."""
        return "time-course" not in self.supports


def parameter_names(model: PopulationModel) -> tuple[str, ...]:
    """Return the names of the last axis of typical and individual parameters.

    That is `sirolens.engine.linear.PARAMETERS` for linear models, and the model's own order for equations.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> parameter_names(load("cheng_2020"))[:2]
    ('cl_l_h', 'v1_l')
    """
    return PARAMETERS if model.system is None else tuple(parameter.name for parameter in model.parameters)


def effect_index(model: PopulationModel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Describe the random effects for kernels.

    Returns
    -------
    eta_of_parameter : int64 ndarray, shape (n_parameters,)
        The eta that acts on each parameter; -1 for none.
    kind : int64 ndarray, shape (n_parameters,)
        0 log-normal, 1 normal, 2 logit.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> [array[:3].tolist() for array in effect_index(load("cheng_2020"))]
    [[0, 1, -1], [0, 0, 0]]
    """
    names = parameter_names(model)
    eta_of_parameter = np.full(len(names), -1, dtype=np.int64)
    kind = np.zeros(len(names), dtype=np.int64)
    for parameter in model.parameters:
        if parameter.eta is not None:
            at = names.index(parameter.name)
            eta_of_parameter[at] = model.eta_names.index(parameter.eta)
            kind[at] = _CODE[parameter.effect]
    return eta_of_parameter, kind


def individual(model: PopulationModel, typical: Array, eta: Array, *, paired: bool = False) -> Array:
    """Compute individual parameters from typical ones and random effects.

    ::

        log-normal  P = TV exp(eta)      normal  P = TV + eta      logit  logit P = logit TV + eta

    Parameters
    ----------
    model : PopulationModel
        Which effect acts where.
    typical : ndarray, shape (..., n_parameters)
        Typical values, such as one row per covariate period.
    eta : ndarray, shape (n, n_eta)
        Random effects.
    paired : bool
        Row i of `typical` belongs to row i of `eta` (a cohort); otherwise every row of `eta` meets all of `typical`
        (the draws of one patient).

    Returns
    -------
    ndarray, shape (n, ..., n_parameters)
        Individual values.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> from sirolens.models.covariates import typical
    >>> mao = load("mao_2024")
    >>> individual(mao, typical(mao, {"HCT": [38.0]})[0], np.zeros((1, 2)))[0, :2]
    array([ 7.09, 496.  ])
    """
    return apply_effects(typical, eta, *effect_index(model), paired=paired)
