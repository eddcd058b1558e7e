# SPDX-License-Identifier: Apache-2.0
"""Says whether a model may be used for a patient: refused outside its hard domain, with a warning outside the soft one.

The hard domain is where a model must not be used at all (Fan 2024 above 40 kg). The soft domain is who was studied:
outside it the model extrapolates. Population, disease and assay are compared too, because a model of Chinese children
can ask for half the dose that a child elsewhere needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sirolens.message import Message, Severity, Value, info, warning
from sirolens.models.population import Covariate, Limit, PopulationModel
from sirolens.models.vocabulary import covariate_word, disease_word, population_word

__all__ = ["FACTS", "in_hard_domain", "scope"]

FACTS = ("age_years", "weight_kg", "population", "disease", "assay_class")
"""What `scope` looks at, besides the model's covariates by their names."""

#: Diseases that count as the cohort's own: what the paper studied covers the forms of it that charts tell apart.
_IMMUNE_CYTOPENIA = frozenset({"primary-itp", "secondary-itp", "itp", "evans", "immune-cytopenia"})
#: What a haemolysing patient's bilirubin means is not what the model's bilirubin meant.
_HAEMOLYSIS = frozenset({"evans", "aiha", "secondary-itp"})


def _numeric(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


# fact, side, hard -> code, names of the value and of the limit
_CODES = {
    ("age_years", "below", True): ("models.age-below-hard", "age_years", "limit_years"),
    ("age_years", "above", True): ("models.age-above-hard", "age_years", "limit_years"),
    ("age_years", "below", False): ("models.age-below-soft", "age_years", "limit_years"),
    ("age_years", "above", False): ("models.age-above-soft", "age_years", "limit_years"),
    ("weight_kg", "below", True): ("models.weight-below-hard", "weight_kg", "limit_kg"),
    ("weight_kg", "above", True): ("models.weight-above-hard", "weight_kg", "limit_kg"),
    ("weight_kg", "below", False): ("models.weight-below-soft", "weight_kg", "limit_kg"),
    ("weight_kg", "above", False): ("models.weight-above-soft", "weight_kg", "limit_kg"),
    ("covariate", "below", True): ("models.covariate-below-hard", "value", "limit"),
    ("covariate", "above", True): ("models.covariate-above-hard", "value", "limit"),
    ("covariate", "below", False): ("models.covariate-below-soft", "value", "limit"),
    ("covariate", "above", False): ("models.covariate-above-soft", "value", "limit"),
}


def _crossing(model: PopulationModel, limit: Limit, value: float, hard: bool) -> Message | None:
    low, high = (limit.hard_low, limit.hard_high) if hard else (limit.soft_low, limit.soft_high)
    if low is not None and value < low:
        side, bound = "below", low
    elif high is not None and value > high:
        side, bound = "above", high
    else:
        return None
    personal = limit.fact in ("age_years", "weight_kg")
    code, value_name, limit_name = _CODES[limit.fact if personal else "covariate", side, hard]
    items: dict[str, Value] = {value_name: value, limit_name: bound, "model": model.label}
    if not personal:
        charts = {covariate.name: covariate.chart for covariate in model.covariates}
        items["covariate"] = covariate_word(limit.fact, charts.get(limit.fact, ""))
    severity = Severity.ERROR if hard else Severity.WARNING
    return Message(code=code, severity=severity, items=tuple(sorted(items.items())))


def _limit_messages(model: PopulationModel, limit: Limit, value: float | None) -> tuple[Message, ...]:
    if value is None:
        word = covariate_word(limit.fact, {"age_years": "age", "weight_kg": "weight"}.get(limit.fact, ""))
        return (info("models.scope-fact-missing", fact=word, model=model.label),)
    found = _crossing(model, limit, value, hard=True) or _crossing(model, limit, value, hard=False)
    return () if found is None else (found,)


def _observed(model: PopulationModel, covariate: Covariate, value: float | None) -> tuple[Message, ...]:
    if value is None or covariate.low is None or covariate.high is None or covariate.quantity == "indicator":
        return ()
    limit = Limit(fact=covariate.name, soft_low=covariate.low, soft_high=covariate.high)
    found = _crossing(model, limit, value, hard=False)
    return () if found is None else (found,)


def _population(model: PopulationModel, told: str | None) -> tuple[Message, ...]:
    if model.population_scope == "unknown":
        return ()
    if told is None or told == "unknown":
        return (info("models.population-not-told", own=population_word(model.population_scope), model=model.label),)
    if told != model.population_scope:
        own, other = population_word(model.population_scope), population_word(told)
        return (warning("models.population-differs", own=own, told=other, model=model.label),)
    return ()


def _disease(model: PopulationModel, told: str | None) -> tuple[Message, ...]:
    own = model.cohort.disease
    messages = []
    alike = told == own or (told in _IMMUNE_CYTOPENIA and own in _IMMUNE_CYTOPENIA)
    if told is not None and own != "unknown" and not alike:
        words = disease_word(own), disease_word(told)
        messages.append(warning("models.disease-differs", own=words[0], told=words[1], model=model.label))
    if told in _HAEMOLYSIS and any(covariate.quantity == "bilirubin" for covariate in model.covariates):
        messages.append(warning("models.bilirubin-haemolysis", model=model.label))
    return tuple(messages)


def _assay(model: PopulationModel, told: str | None) -> tuple[Message, ...]:
    if model.assay_class == "unknown" or told is None or told == model.assay_class:
        return ()
    return (info("models.assay-class-differs", own_assay=model.assay_class, told_assay=told, model=model.label),)


def _text(facts: Mapping[str, float | str | None], name: str) -> str | None:
    value = facts.get(name)
    return value if isinstance(value, str) else None


def scope(model: PopulationModel, facts: Mapping[str, float | str | None]) -> tuple[Message, ...]:
    """Compare a patient with those a model was made from.

    Parameters
    ----------
    model : PopulationModel
        The model.
    facts : mapping
        `FACTS` and covariates by name; None or an absent name means not known. Ages in years, weights in kg,
        covariates in the model's units.

    Returns
    -------
    tuple of Message
        Severity ERROR outside the hard domain, WARNING outside the soft one, INFO where a fact is not known.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> child = {"age_years": 11.0, "weight_kg": 41.0, "population": "chinese", "disease": "primary-itp"}
    >>> [(str(message.severity), message.code) for message in scope(load("fan_2024"), child)]
    [('error', 'models.weight-above-hard'), ('warning', 'models.disease-differs')]
    """
    messages: list[Message] = []
    for limit in model.limits:
        messages += _limit_messages(model, limit, _numeric(facts.get(limit.fact)))
    limited = {limit.fact for limit in model.limits}
    for covariate in model.covariates:
        if covariate.name not in limited:
            messages += _observed(model, covariate, _numeric(facts.get(covariate.name)))
    messages += _population(model, _text(facts, "population"))
    messages += _disease(model, _text(facts, "disease"))
    messages += _assay(model, _text(facts, "assay_class"))
    return tuple(messages)


def in_hard_domain(model: PopulationModel, facts: Mapping[str, float | str | None]) -> bool:
    """Say whether a model may be used at all.

    >>> from sirolens.models.catalog import load
    >>> in_hard_domain(load("fan_2024"), {"age_years": 8.0, "weight_kg": 26.0})
    True
    """
    return all(message.severity is not Severity.ERROR for message in scope(model, facts))
