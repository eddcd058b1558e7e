# SPDX-License-Identifier: Apache-2.0
"""The card of a model: everything a person must be able to see about it, as plain data for page, terminal and JSON."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sirolens.message import Message, Value, info
from sirolens.models.catalog import UnusableModel
from sirolens.models.model_file import CONVERSIONS
from sirolens.models.population import (
    SUPPORTS,
    Covariate,
    DosingTable,
    OmegaValue,
    Parameter,
    PopulationModel,
    Theta,
)
from sirolens.models.vocabulary import (
    covariate_word,
    disease_word,
    missing_word,
    population_word,
    support_word,
    title_of,
    written,
)

__all__ = ["describe", "describe_unusable"]

Row = Mapping[str, Value]


def _theta(theta: Theta) -> Row:
    return {
        "name": theta.name,
        "value": theta.value,
        "unit": theta.unit,
        "rse_percent": theta.rse_percent,
        "fixed": theta.fixed,
        "mark": theta.mark.value,
        "note": written(theta.note),
    }


def _parameter(parameter: Parameter) -> Row:
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "formula": parameter.formula.printed,
        "printed": parameter.printed,
        "effect": parameter.effect.value,
        "eta": parameter.eta,
    }


def _covariate(covariate: Covariate) -> Row:
    return {
        "name": covariate.name,
        "covariate": covariate_word(covariate.name, covariate.chart),
        "unit": covariate.unit,
        "form": covariate.form,
        "coefficient": covariate.coefficient or None,
        "reference": covariate.reference,
        "low": covariate.low,
        "high": covariate.high,
        "clamp_low": None if covariate.clamp is None else covariate.clamp[0],
        "clamp_high": None if covariate.clamp is None else covariate.clamp[1],
        "when_missing": covariate.when_missing,
        "missing_value": covariate.missing_value if covariate.when_missing == "reference" else None,
        "note": written(covariate.note),
    }


def _omega(value: OmegaValue) -> Row:
    return {
        "name": value.name,
        "variance": value.variance,
        "sd": float(np.sqrt(value.variance)),
        "published": value.published,
        "conversion": CONVERSIONS[value.conversion] or None,
        "rse_percent": value.rse_percent,
        "fixed": value.fixed,
        "mark": value.mark.value,
        "note": written(value.note),
    }


def _correlations(model: PopulationModel) -> tuple[Row, ...]:
    """Every covariance that is not zero, with the correlation it means."""
    sds = np.sqrt(np.diag(model.omega))
    return tuple(
        {
            "first": model.eta_names[i],
            "second": model.eta_names[j],
            "covariance": float(model.omega[i, j]),
            "correlation": float(model.omega[i, j] / (sds[i] * sds[j])),
        }
        for i in range(len(model.eta_names))
        for j in range(i)
        if model.omega[i, j] != 0.0
    )


def _dosing_rows(table: DosingTable) -> tuple[Row, ...]:
    rows: list[Row] = []
    for row in table.rows:
        ranges: dict[str, Value] = {}
        for fact, low, high in row.conditions:
            ranges[f"{fact}_from"] = low
            ranges[f"{fact}_to"] = None if np.isinf(high) else high
        rows.append({**ranges, "dose": row.dose, "unit": table.unit, "in_target_percent": row.in_target_percent})
    return tuple(rows)


def _dosing_table(table: DosingTable) -> Mapping[str, Value | tuple[Row, ...]]:
    return {
        "title": written(table.title),
        "low_ng_ml": table.target_ng_ml[0],
        "high_ng_ml": table.target_ng_ml[1],
        "doses_per_day": table.doses_per_day,
        "mark": table.mark.value,
        "note": written(table.note),
        "rows": _dosing_rows(table),
    }


def _structure(model: PopulationModel) -> Row:
    if model.structure is not None:
        saturable = model.saturable
        return {
            "compartments": model.structure.compartments,
            "absorption": model.structure.absorption if saturable is None else "saturable",
            "stages": model.structure.stages or None,
            "vmax_mg_h": None if saturable is None else saturable.vmax_mg_h,
            "km_mg": None if saturable is None else saturable.km_mg,
        }
    equations = {} if model.system is None else model.system.equations
    output = "" if model.system is None else model.system.output.printed
    return {**{f"d{state}/dt": formula.printed for state, formula in equations.items()}, "output": output}


def _residual(model: PopulationModel) -> Row:
    residual = model.residual
    return {
        "kind": residual.kind,
        "additive_ng_ml": residual.additive_ng_ml or None,
        "proportional_percent": 100.0 * residual.proportional or None,
        "log_sd": residual.log_sd or None,
        "mark": model.residual_mark.value,
        "note": written(model.residual_note),
    }


def describe(model: PopulationModel) -> dict[str, Value | Row | tuple[Mapping[str, Value | tuple[Row, ...]], ...]]:
    """Lay out a model for showing.

    Parameters
    ----------
    model : PopulationModel
        The model.

    Returns
    -------
    dict
        ``name, label, title, variant, role, default_for, source, doi, mark, primary_table_seen, digest``; the tables
        ``cohort, structure, residual``; the lists of rows ``supports, thetas, parameters, covariates, omega,
        correlations, limits, variants, dosing_tables``; and ``warnings``. Values are numbers, texts or messages.

    Examples
    --------
    >>> from sirolens.models.catalog import load
    >>> card = describe(load("cheng_2020"))
    >>> card["label"], card["parameters"][0]["formula"]
    ('Cheng 2020', 'CL * (TBIL / 11.29)^TBIL_CL * (WT / 28.5)^WT_CL')
    """
    cohort = model.cohort
    target = model.target_ng_ml
    warnings: tuple[Message, ...] = model.warnings
    return {
        "name": model.name,
        "label": model.label,
        "title": title_of(model.name, model.title),
        "variant": model.variant,
        "role": model.role.value,
        "default_for": model.default_for,
        "low_ng_ml": None if target is None else target[0],
        "high_ng_ml": None if target is None else target[1],
        "source": info("common.cited", source=model.source),
        "doi": model.source.doi,
        "pmid": model.source.pmid,
        "mark": model.source.mark.value,
        "primary_table_seen": model.primary_table_seen,
        "file": model.file,
        "digest": model.digest,
        "supports": tuple({"name": one, "supports": support_word(one)} for one in SUPPORTS if one in model.supports),
        "does_not_support": tuple(
            {"name": one, "supports": support_word(one)} for one in SUPPORTS if one not in model.supports
        ),
        "levels_from_days": model.levels_from_day,
        "cohort": {
            "description": written(cohort.description),
            "disease": disease_word(cohort.disease),
            "population": population_word(cohort.population),
            "assay": cohort.assay,
            "assay_class": cohort.assay_class,
            "subjects": cohort.subjects,
            "observations": cohort.observations,
            "sampling": written(cohort.sampling),
            "dosing": written(cohort.dosing),
            "software": cohort.software,
        },
        "structure": _structure(model),
        "thetas": tuple(map(_theta, model.thetas)),
        "parameters": tuple(map(_parameter, model.parameters)),
        "covariates": tuple(map(_covariate, model.covariates)),
        "omega": tuple(map(_omega, model.omega_values)),
        "correlations": _correlations(model),
        "occasion": {} if model.occasion is None else {"etas": model.occasion.eta_names},
        "residual": _residual(model),
        "limits": tuple(
            {
                "fact": limit.fact,
                "hard_low": limit.hard_low,
                "hard_high": limit.hard_high,
                "soft_low": limit.soft_low,
                "soft_high": limit.soft_high,
                "reason": written(limit.reason),
            }
            for limit in model.limits
        ),
        "variants": tuple(
            {"name": one.name, "why": written(one.why), "mark": one.mark.value} for one in model.variants
        ),
        "dosing_tables": tuple(map(_dosing_table, model.dosing_tables)),
        "warnings": warnings,
    }


def describe_unusable(model: UnusableModel) -> Row:
    """Lay out a model that is known but not offered: from whom, what is missing, why it is withheld, where published.

    Examples
    --------
    >>> from sirolens.models.catalog import unusable
    >>> describe_unusable(unusable()[1])["name"]
    'ferron_1997'
    """
    return {
        "name": model.name,
        "population": written(model.population),
        "missing": tuple(missing_word(slug) for slug in model.missing),
        "reason": written(model.reason),
        "published": info("common.cited", source=model.source),
    }
