# SPDX-License-Identifier: Apache-2.0
"""Which models may speak about a patient, and how much each is worth before any level is seen.

A model outside its hard domain drops out with the reason. Of the others the share follows from disease, age, weight,
assay and co-medication. Every factor here is a judgement (JUDGE), named, said and small: levels decide soon.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from sirolens.dosing.assay import UNKNOWN, relation
from sirolens.dosing.estimate_problem import model_assay
from sirolens.errors import ScopeError
from sirolens.message import Message, Severity, error, info, warning
from sirolens.models.catalog import catalog
from sirolens.models.covariates import to_model_unit
from sirolens.models.domain import scope
from sirolens.models.drug import SIROLIMUS, assay_class
from sirolens.models.population import PopulationModel, Role
from sirolens.models.timeline import History

__all__ = ["ADULT_YEARS", "Candidate", "candidates", "default_models", "scope_facts"]

ADULT_YEARS = 18.0
"""From this age the models of adults are averaged (JUDGE, as the protocol's adult age)."""
CHILD_HEAVIEST_KG = 43.0  # the heaviest child of the cohort in immune cytopenia (Cheng 2020)
CHILD_AVERAGE_KG = (8.0, 40.0)  # where models of children with other diseases are averaged in (popk_check.md 5)
IMMUNE_CYTOPENIA = "immune-cytopenia"

OWN_DISEASE = 2.0
"""Factor of a model made from patients with immune cytopenia."""
OUTSIDE = 0.5
"""Factor for an age, and for a weight, that the cohort did not have."""
UNRELATED_ASSAY = 0.75
"""Factor where the laboratory's assay is known and no figure relates it to the cohort's."""
OTHER_COMEDICATION = 0.5
"""Factor of a model that ignores another drug the patient takes, where another model has it as a covariate."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A model and what it is worth before any level.

    Parameters
    ----------
    model : PopulationModel
        The model.
    factor : float
        Its worth; shares are taken relative to the others.
    scope : tuple of Message
        What `sirolens.models.domain.scope` says, errors included.
    reasons : tuple of Message
        Where the factor comes from.
    """

    model: PopulationModel
    factor: float
    scope: tuple[Message, ...]
    reasons: tuple[Message, ...]

    @property
    def refused(self) -> tuple[Message, ...]:
        """Why the model must not be used at all; empty when it may."""
        return tuple(message for message in self.scope if message.severity is Severity.ERROR)


def _latest(history: History, key: str) -> float | None:
    timeline = history.covariates.get(key)
    return None if timeline is None else timeline.latest


def scope_facts(model: PopulationModel, history: History, laboratory: str) -> dict[str, float | str | None]:
    """Collect what `sirolens.models.domain.scope` compares, as of now and in the model's units."""
    facts: dict[str, float | str | None] = {
        "age_years": _latest(history, "age"),
        "weight_kg": _latest(history, "weight"),
        "population": history.facts.get("population"),
        "disease": history.facts.get("disease"),
        "assay_class": assay_class(SIROLIMUS, laboratory),
    }
    for covariate in model.covariates:
        if covariate.chart in history.covariates:
            facts[covariate.name] = float(to_model_unit(covariate, history.covariates[covariate.chart].latest))
    return facts


def default_models(history: History, *, adult_years: float = ADULT_YEARS) -> tuple[PopulationModel, ...]:
    """Return the models that are averaged unless others are named.

    Adults: those of adults, with equal shares. Children up to 43 kg: the model of immune cytopenia, and between 8 and
    40 kg those of children with other diseases. Heavier teenagers: every model in whose hard domain they are.

    Parameters
    ----------
    history : History
        Age and weight of the patient.
    adult_years : float
        Where adults begin.

    Raises
    ------
    ScopeError
        ``estimate.age-needed`` or ``estimate.weight-needed``.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from sirolens.models.timeline import Timeline
    >>> def patient(age, weight):
    ...     known = {"age": Timeline(time_h=(0.0,), value=(age,)), "weight": Timeline(time_h=(0.0,), value=(weight,))}
    ...     return History(origin=datetime(2026, 1, 1, tzinfo=UTC), now_h=0.0, covariates=known)
    >>> [model.name for model in default_models(patient(44.0, 70.0))]
    ['golubovic_2019', 'jiao_2009', 'wu_2012']
    >>> [model.name for model in default_models(patient(6.0, 20.0))]
    ['chen_2021', 'cheng_2020', 'fan_2024']
    """
    age, weight = _latest(history, "age"), _latest(history, "weight")
    if age is None:
        raise ScopeError(error("estimate.age-needed"))
    known = [model for model in (catalog()[name] for name in catalog()) if model.role is Role.DEFAULT]
    adult = tuple(model for model in known if model.default_for == "adult")
    if age >= adult_years:
        return adult
    if weight is None:
        raise ScopeError(error("estimate.weight-needed", age_years=age))
    child = tuple(model for model in known if model.default_for == "child")
    if weight > CHILD_HEAVIEST_KG:
        return (*adult, *child)
    low, high = CHILD_AVERAGE_KG
    return tuple(model for model in child if low <= weight <= high or model.cohort.disease == IMMUNE_CYTOPENIA)


def candidates(history: History, models: Iterable[PopulationModel], laboratory: str) -> tuple[Candidate, ...]:
    """Judge each model for a patient.

    Parameters
    ----------
    history : History
        The patient, as of now.
    models : iterable of PopulationModel
        Those asked for.
    laboratory : str
        The assay everything is shown on.

    Returns
    -------
    tuple of Candidate
        In the same order, refused ones included.
    """
    asked = tuple(models)
    taken = {key for key, timeline in history.covariates.items() if _is_other_drug(key) and timeline.latest > 0.0}
    known_to_some = {covariate.chart for model in asked for covariate in model.covariates} & taken
    return tuple(_judged(history, model, laboratory, known_to_some) for model in asked)


def _is_other_drug(key: str) -> bool:
    return key.startswith(("therapy:", "level:"))


def _judged(history: History, model: PopulationModel, laboratory: str, drugs: set[str]) -> Candidate:
    said = scope(model, scope_facts(model, history, laboratory))
    factor, reasons = 1.0, []
    if model.cohort.disease == IMMUNE_CYTOPENIA:
        factor *= OWN_DISEASE
        reasons.append(info("estimate.prior-disease", model=model.label, factor=OWN_DISEASE))
    for fact in ("age", "weight"):
        if any(message.code in (f"models.{fact}-below-soft", f"models.{fact}-above-soft") for message in said):
            factor *= OUTSIDE
            reasons.append(info("estimate.prior-outside", model=model.label, covariate=fact, factor=OUTSIDE))
    if laboratory != UNKNOWN and not relation(model_assay(model), laboratory).known:
        factor *= UNRELATED_ASSAY
        reasons.append(
            info(
                "estimate.prior-assay",
                model=model.label,
                laboratory_assay=laboratory,
                other_assay=model.assay,
                factor=UNRELATED_ASSAY,
            )
        )
    ignored = sorted(drugs - {covariate.chart for covariate in model.covariates})
    if ignored:
        factor *= OTHER_COMEDICATION
        named = tuple(key.partition(":")[2] for key in ignored)
        reasons.append(
            warning("estimate.prior-comedication", model=model.label, drugs=named, factor=OTHER_COMEDICATION)
        )
    if model.structure is None:
        said = (*said, error("estimate.own-equations", model=model.label))
    return Candidate(model=model, factor=factor, scope=said, reasons=tuple(reasons))
