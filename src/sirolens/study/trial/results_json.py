# SPDX-License-Identifier: Apache-2.0
"""A virtual trial as JSON: the layout of ``docs/schema/trial.schema.json``.

Every table of the report in full precision, beside the recipe's name, what every number rests on, and the messages.
"""

from __future__ import annotations

from typing import Any

from sirolens.message import Message
from sirolens.report.words import label, say
from sirolens.study.analysis_json import tables_json
from sirolens.study.trial.page import trial_tables
from sirolens.study.trial.run import TrialResult

__all__ = ["FORMAT", "to_json"]

FORMAT = 1
"""Version of the layout."""
ZONE = "UTC"


def to_json(result: TrialResult, language: str) -> dict[str, Any]:
    """Turn a virtual trial into JSON values.

    Parameters
    ----------
    result : TrialResult
        What was computed.
    language : {"en", "zh"}
        Of the words.

    Returns
    -------
    dict
        As ``docs/schema/trial.schema.json`` describes.
    """
    recipe = result.recipe
    return {
        "sirolens_trial_report": FORMAT,
        "intended_use": label("report.intended-use", language),
        "research": label("report.research-frame", language),
        "language": language,
        "recipe": {
            "name": recipe.name,
            "version": recipe.version,
            "title": (recipe.title_zh or recipe.title) if language == "zh" else recipe.title,
            "source": recipe.source.cite(),
            "seed": recipe.seed,
            "patients": recipe.patients,
            "replicates": recipe.replicates,
            "arms": [arm.name for arm in recipe.arms],
        },
        "screened": result.screened,
        "entered": result.entered,
        "failed": sum(one.failed for one in result.arms),
        "basis": dict(result.identity),
        "messages": [_message(one, language) for one in result.messages],
        "tables": tables_json(trial_tables(result, language=language), language, ZONE),
    }


def _message(message: Message, language: str) -> dict[str, str]:
    return {"code": message.code, "severity": message.severity.value, "text": say(message, language)}
