# SPDX-License-Identifier: Apache-2.0
"""Advice as JSON, for other programs: the layout of ``docs/schema/advice.schema.json``.

Numbers are full precision; words (messages, sources) come in the language asked for, always beside their codes and
values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sirolens.care.consult import Consultation
from sirolens.care.warnings import from_reading
from sirolens.dosing.options import Band, ModelTrough, Option
from sirolens.dosing.protocol import Settings
from sirolens.message import Message
from sirolens.report.words import cite, label, say
from sirolens.source import Sourced

__all__ = ["FORMAT", "to_json"]

FORMAT = 1
"""Version of the layout."""


def to_json(consultation: Consultation, language: str) -> dict[str, Any]:
    """Turn a consultation into JSON values.

    Parameters
    ----------
    consultation : Consultation
        What was found and advised.
    language : str
        Of the words.

    Returns
    -------
    dict
        As ``docs/schema/advice.schema.json`` describes.
    """
    advice, zone = consultation.advice, consultation.chart.zone
    local, flags = ZoneInfo(zone), tuple(dict.fromkeys(consultation.flags))
    say_all = partial(_words, language=language, zone=zone)
    say_one = partial(_message, language=language, zone=zone)

    return {
        "sirolens_advice": FORMAT,
        "intended_use": label("report.intended-use", language),
        "language": language,
        "at": advice.at.astimezone(local).isoformat(),
        "patient": {
            "id": advice.patient_id,
            "group": advice.who.group,
            "age_years": advice.who.age_years,
            "weight_kg": advice.who.weight_kg,
            "invented": consultation.chart.patient.invented,
        },
        "target": {
            "low_ng_ml": advice.target.low_ng_ml,
            "high_ng_ml": advice.target.high_ng_ml,
            "author": advice.target.author,
            "reason": advice.target.reason,
            "source": cite(advice.target.source, language),
        },
        "outcome": advice.outcome.value,
        "preferred": advice.preferred,
        "reasons": say_all(advice.reasons),
        "current_daily_mg": None if advice.current is None else advice.current.plan.daily_mg,
        "best_mg": advice.best_mg,
        "range_mg": None if advice.range_mg is None else list(advice.range_mg),
        "response": {
            "criteria": consultation.response.criteria.name,
            "state": consultation.response.state.value,
            "reason": say_one(consultation.response.reason),
        },
        "options": [_option(option, language, zone) for option in advice.options],
        "refused": [{**_option(one.option, language, zone), "reasons": say_all(one.reasons)} for one in advice.refused],
        "per_model": [
            {
                "name": one.name,
                "label": one.label,
                "weight": one.weight,
                "best_mg": one.best_mg,
                "nearest_mg": one.nearest_mg,
            }
            for one in advice.per_model
        ],
        "models": [
            {
                "name": one.name,
                "label": one.label,
                "prior_weight": one.prior_weight,
                "weight": one.weight,
                "effective_draws": _finite(one.effective_draws),
                "k_hat": _finite(one.k_hat),
                "reasons": say_all(one.reasons),
            }
            for one in consultation.models
        ],
        "alternatives": [
            {"name": one.name, "best_mg": one.best_mg, "nearest_mg": one.nearest_mg, **say_one(one.message)}
            for one in advice.alternatives
        ],
        "protocol": say_all(advice.protocol),
        "protocol_reach": [
            {
                "phase": one.phase,
                "daily_mg": one.daily_mg,
                "p_in": one.p_in,
                "p_low": one.p_low,
                "p_high": one.p_high,
                "trough_ng_ml": _band(one.trough_ng_ml),
                "by_model": [_model_trough(model) for model in one.by_model],
                "offered": one.offered,
            }
            for one in advice.protocol_reach
        ],
        "proportional_rule": {
            "daily_mg": advice.rule.daily_mg,
            "nearest_mg": advice.rule.nearest_mg,
            **say_one(advice.rule.message),
        },
        "loading": {"dose_mg": advice.loading.dose_mg, **say_one(advice.loading.message)},
        "taper": {
            "steps": [{"from": day.isoformat(), "daily_mg": daily_mg} for day, daily_mg in advice.taper.steps],
            **say_one(advice.taper.message),
        },
        "next_sample": {
            "earliest": advice.next_sample.earliest.isoformat(),
            "latest": advice.next_sample.latest.isoformat(),
            "reasons": say_all((advice.next_sample.reason, *advice.next_sample.also)),
            "how": say_one(advice.next_sample.how),
        },
        "steady_state_fraction": advice.steady_state_fraction,
        "steady_state_reason": None if advice.steady_state_reason is None else say_one(advice.steady_state_reason),
        "auc24_reason": None if advice.auc24_reason is None else say_one(advice.auc24_reason),
        "interactions": [
            {
                "cause": one.cause,
                "kind": one.kind,
                "clearance_ratio": one.split.clearance,
                "bioavailability_ratio": one.split.bioavailability,
                "auc_low": one.auc_low,
                "auc_high": one.auc_high,
                "start": _instant(one.start, local),
                "full": _instant(one.full, local),
                "stop": _instant(one.stop, local),
                "gone": _instant(one.gone, local),
                "source": cite(one.source, language),
            }
            for one in advice.effects
        ],
        "would_change": say_all(advice.would_change),
        "messages": say_all(dict.fromkeys((*advice.messages, *(m for m in flags if not from_reading(m))))),
        "reading": say_all(m for m in flags if from_reading(m)),
        "acknowledged": [{"code": code, "reason": reason} for code, reason in advice.acknowledged],
        "levels": _levels(consultation, local),
        "settings": [
            {
                "name": name,
                "value": _value(one.value, language, zone),
                "unit": one.unit,
                "source": cite(one.source, language),
            }
            for name, one in _limits(advice.settings)
        ],
        "provenance": _provenance(consultation),
    }


def _levels(consultation: Consultation, zone: ZoneInfo) -> list[dict[str, Any]]:
    return [
        {
            "model": estimate.model.full_name,
            "time": (consultation.history.origin + timedelta(hours=row.time_h)).astimezone(zone).isoformat(),
            "measured_ng_ml": row.level_ng_ml,
            "typical_ng_ml": _finite(row.predicted_typical_ng_ml),
            "fitted_ng_ml": _finite(row.predicted_ng_ml),
            "residual_sd": _finite(row.residual_sd),
            "prior_probability": _finite(row.prior_p),
            "used": row.reason is None,
        }
        for estimate in consultation.estimates
        for row in estimate.levels
    ]


def _limits(settings: Settings) -> list[tuple[str, Sourced[Any]]]:
    return [(field.name, getattr(settings, field.name)) for field in fields(settings)]


def _provenance(consultation: Consultation) -> dict[str, Any]:
    made = consultation.provenance
    return {
        "version": made.version,
        "seed": made.seed,
        "inputs_sha256": made.inputs_digest,
        "models": [{"name": name, "sha256": digest} for name, digest in made.models],
    }


def _instant(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat()


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _band(band: Band | None) -> dict[str, float] | None:
    return None if band is None else {"median": band.median, "low": band.low, "high": band.high}


def _model_trough(model: ModelTrough) -> dict[str, Any]:
    return {
        "name": model.name,
        "label": model.label,
        "median_ng_ml": model.median_ng_ml,
        "p_low": model.p_low,
        "p_in": model.p_in,
        "p_high": model.p_high,
    }


def _option(option: Option, language: str, zone: str) -> dict[str, Any]:
    return {
        "regimen": say(option.plan.message, language),
        "form": option.plan.form,
        "pattern": option.plan.pattern,
        "period_h": option.plan.cycle.period_h,
        "offset_h": list(option.plan.cycle.offset_h),
        "amount_mg": list(option.plan.cycle.amount_mg),
        "daily_mg": option.daily_mg,
        "portions": [[say(portion, language) for portion in intake] for intake in option.portions],
        "p_true_in": option.p_true_in,
        "p_low": option.p_low,
        "p_high": option.p_high,
        "p_level_in": option.p_level_in,
        "trough_ng_ml": _band(option.trough_ng_ml),
        "auc24_ng_h_ml": _band(option.auc24_ng_h_ml),
        "by_model": [_model_trough(model) for model in option.by_model],
        "change_mg": option.change_mg,
        "current": option.current,
        "flags": _words(option.flags, language=language, zone=zone),
    }


def _words(messages: Iterable[Message], *, language: str, zone: str) -> list[dict[str, Any]]:
    return [_message(one, language=language, zone=zone) for one in messages]


def _message(message: Message, *, language: str, zone: str) -> dict[str, Any]:
    return {
        "code": message.code,
        "severity": message.severity.value,
        "text": say(message, language, zone=zone),
        "values": {name: _value(value, language, zone) for name, value in message.items},
        "source": None if message.source is None else cite(message.source, language),
        "mark": None if message.source is None else message.source.mark.value,
    }


def _value(value: Any, language: str, zone: str) -> Any:
    if isinstance(value, Message):
        return say(value, language, zone=zone)
    if isinstance(value, tuple):
        return [_value(one, language, zone) for one in value]
    if isinstance(value, Mapping):
        return {name: _value(one, language, zone) for name, one in value.items()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
