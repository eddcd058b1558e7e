# SPDX-License-Identifier: Apache-2.0
"""The words that model files use (diseases, populations, warnings, covariates), as messages that can be said."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sirolens.message import Message, Value, info

__all__ = [
    "WARNINGS",
    "covariate_word",
    "disease_word",
    "missing_word",
    "population_word",
    "support_word",
    "title_of",
    "written",
]

WARNINGS = frozenset(
    {
        "models.adult-borrowed",
        "models.age-linear",
        "models.bilirubin-trap",
        "models.chinese-scope",
        "models.dose-covariate-off",
        "models.inhibitor-in-cohort",
        "models.large-uncertainty",
        "models.low-platelets-excluded",
        "models.omega-reading",
        "models.primary-table-unseen",
        "models.residual-judged",
        "models.target-differs",
        "models.trough-only",
        "models.weight-exponent",
    }
)
"""Codes that a model file may list under ``warnings``; any other text there is the author's own."""

_TITLES: Mapping[str, Message] = MappingProxyType(
    {
        "chen_2021": info("models.title-chen-2021"),
        "cheng_2020": info("models.title-cheng-2020"),
        "fan_2024": info("models.title-fan-2024"),
        "golubovic_2019": info("models.title-golubovic-2019"),
        "jiao_2009": info("models.title-jiao-2009"),
        "mao_2024": info("models.title-mao-2024"),
        "wu_2012": info("models.title-wu-2012"),
    }
)

_DISEASES: Mapping[str, Message] = MappingProxyType(
    {
        "advanced-cancer": info("models.disease-advanced-cancer"),
        "aiha": info("models.disease-aiha"),
        "evans": info("models.disease-evans"),
        "immune-cytopenia": info("models.disease-immune-cytopenia"),
        "itp": info("models.disease-itp"),
        "kidney-transplant": info("models.disease-kidney-transplant"),
        "liver-transplant": info("models.disease-liver-transplant"),
        "primary-itp": info("models.disease-itp"),
        "secondary-itp": info("models.disease-itp"),
        "tuberous-sclerosis": info("models.disease-tuberous-sclerosis"),
        "vascular-anomaly": info("models.disease-vascular-anomaly"),
    }
)

_POPULATIONS: Mapping[str, Message] = MappingProxyType(
    {
        "chinese": info("models.population-chinese"),
        "serbian": info("models.population-serbian"),
        "us": info("models.population-us"),
    }
)

_COVARIATES: Mapping[str, Message] = MappingProxyType(
    {
        "age": info("models.covariate-age"),
        "ast": info("models.covariate-ast"),
        "bilirubin": info("models.covariate-bilirubin"),
        "cholesterol": info("models.covariate-cholesterol"),
        "daily-dose": info("models.covariate-daily-dose"),
        "haematocrit": info("models.covariate-haematocrit"),
        "level:ciclosporin": info("models.covariate-ciclosporin"),
        "therapy:glycyrrhizin": info("models.covariate-glycyrrhizin"),
        "therapy:oxcarbazepine": info("models.covariate-oxcarbazepine"),
        "therapy:silymarin": info("models.covariate-silymarin"),
        "weight": info("models.covariate-weight"),
    }
)

_SUPPORTS: Mapping[str, Message] = MappingProxyType(
    {
        "auc": info("models.supports-auc"),
        "early-level": info("models.supports-early-level"),
        "half-life": info("models.supports-half-life"),
        "steady-state-trough": info("models.supports-steady-state-trough"),
        "time-course": info("models.supports-time-course"),
    }
)


_MISSING: Mapping[str, Message] = MappingProxyType(
    {
        "absorption": info("models.missing-absorption"),
        "absorption-stages": info("models.missing-absorption-stages"),
        "clearance": info("models.missing-clearance"),
        "covariate-equations": info("models.missing-covariate-equations"),
        "every-value": info("models.missing-every-value"),
        "group-of-clearance": info("models.missing-group-of-clearance"),
        "identifier": info("models.missing-identifier"),
        "omega": info("models.missing-omega"),
        "omega-v": info("models.missing-omega-v"),
        "q": info("models.missing-q"),
        "residual": info("models.missing-residual"),
        "steady-state-doses": info("models.missing-steady-state-doses"),
        "structure": info("models.missing-structure"),
        "v1": info("models.missing-v1"),
        "v2": info("models.missing-v2"),
        "volume": info("models.missing-volume"),
    }
)


def written(text: str) -> Value:
    """Return a free text of a model file as a message: one of ours is said in the reader's language.

    >>> written("V/F").values, written("")
    ({'written': 'V/F'}, '')
    """
    return info("models.written", written=text) if text else ""


def title_of(name: str, title: str) -> Value:
    """Return the title of a shipped model as a message, of any other model as its own text."""
    return _TITLES.get(name, title)


def disease_word(slug: str) -> Value:
    """Return the message for a disease, or the text itself when it is not one of ours."""
    return _DISEASES.get(slug, slug)


def population_word(slug: str) -> Value:
    """Return the message for a population, or the text itself."""
    return _POPULATIONS.get(slug, slug)


def support_word(slug: str) -> Value:
    """Return the message for what a model may be asked for, or the text itself."""
    return _SUPPORTS.get(slug, slug)


def missing_word(slug: str) -> Value:
    """Return the message for what a publication does not give, or the text itself."""
    return _MISSING.get(slug, slug)


def covariate_word(name: str, chart: str) -> Value:
    """Return the message for a covariate by where a chart holds it, or its name in the formula.

    Examples
    --------
    >>> covariate_word("HCT", "haematocrit").code, covariate_word("SCR", "")
    ('models.covariate-haematocrit', 'SCR')
    """
    return _COVARIATES.get(chart, name)
