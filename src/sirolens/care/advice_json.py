# SPDX-License-Identifier: Apache-2.0
"""Advice as JSON, for other programs: the layout of ``docs/schema/advice.schema.json``.

Numbers are full precision; words (messages, sources) come in the language asked for, always beside their codes and
values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sirolens.care.consult import Consultation
from sirolens.dosing.options import Band, Option
from sirolens.message import Message
from sirolens.report.words import label, say

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
    advice, zone = consultation.advice, ZoneInfo(consultation.chart.zone)
    made = consultation.provenance

    def words(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        return [_message(one, language, consultation.chart.zone) for one in messages]

    return {
        "sirolens_advice": FORMAT,
        "intended_use": label("report.intended-use", language),
        "language": language,
        "at": advice.at.astimezone(zone).isoformat(),
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
            "source": advice.target.source.cite(),
        },
        "outcome": advice.outcome.value,
        "preferred": advice.preferred,
        "reasons": words(advice.reasons),
        "current_daily_mg": None if advice.current is None else advice.current.plan.daily_mg,
        "options": [_option(option, language) for option in advice.options],
        "refused": [{**_option(one.option, language), "reasons": words(one.reasons)} for one in advice.refused],
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
        "alternatives": [
            {"name": one.name, "best_mg": one.best_mg, "nearest_mg": one.nearest_mg} for one in advice.alternatives
        ],
        "protocol": words(advice.protocol),
        "proportional_rule": {
            "daily_mg": advice.rule.daily_mg,
            "nearest_mg": advice.rule.nearest_mg,
            **_message(advice.rule.message, language, consultation.chart.zone),
        },
        "loading": {
            "dose_mg": advice.loading.dose_mg,
            **_message(advice.loading.message, language, consultation.chart.zone),
        },
        "next_sample": {
            "earliest": advice.next_sample.earliest.isoformat(),
            "latest": advice.next_sample.latest.isoformat(),
            "reasons": words((advice.next_sample.reason, *advice.next_sample.also)),
        },
        "steady_state_fraction": advice.steady_state_fraction,
        "would_change": words(advice.would_change),
        "messages": words(tuple(dict.fromkeys((*advice.messages, *consultation.flags)))),
        "levels": [
            {
                "model": estimate.model.full_name,
                "time": (consultation.history.origin + timedelta(hours=row.time_h)).astimezone(zone).isoformat(),
                "measured_ng_ml": row.level_ng_ml,
                "typical_ng_ml": row.predicted_typical_ng_ml,
                "fitted_ng_ml": row.predicted_ng_ml,
                "residual_sd": row.residual_sd,
                "prior_probability": row.prior_p,
                "used": row.reason is None,
            }
            for estimate in consultation.estimates
            for row in estimate.levels
        ],
        "provenance": {
            "version": made.version,
            "seed": made.seed,
            "inputs_sha256": made.inputs_digest,
            "models": [{"name": name, "sha256": digest} for name, digest in made.models],
        },
    }


def _band(band: Band | None) -> dict[str, float] | None:
    return None if band is None else {"median": band.median, "low": band.low, "high": band.high}


def _option(option: Option, language: str) -> dict[str, Any]:
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
        "change_mg": option.change_mg,
        "current": option.current,
        "flags": [_message(flag, language, None) for flag in option.flags],
    }


def _message(message: Message, language: str, zone: str | None) -> dict[str, Any]:
    return {
        "code": message.code,
        "severity": message.severity.value,
        "text": say(message, language, zone=zone),
        "values": {name: _value(value, language, zone) for name, value in message.items},
        "source": None if message.source is None else message.source.cite(),
        "mark": None if message.source is None else message.source.mark.value,
    }


def _value(value: Any, language: str, zone: str | None) -> Any:
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
