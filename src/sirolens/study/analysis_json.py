# SPDX-License-Identifier: Apache-2.0
"""A study's analysis as JSON: the layout of ``docs/schema/study.schema.json``.

Every table of the report, shown or not, in full precision: numbers as numbers, an interval as its three, words beside
their codes and values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sirolens.message import Message
from sirolens.report.document import Column, Interval, Table
from sirolens.report.format import unit_text
from sirolens.report.words import label, say
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.lock import Lock

__all__ = ["FORMAT", "tables_json", "to_json"]

FORMAT = 1
"""Version of the layout."""


def to_json(
    analysis: Analysis,
    tables: Mapping[str, Table],
    language: str,
    *,
    flags: Sequence[Message] = (),
    lock: Lock | None = None,
    verified: Sequence[Message] = (),
) -> dict[str, Any]:
    """Turn an analysis into JSON values.

    Parameters
    ----------
    analysis : Analysis
        What was computed.
    tables : mapping of str to Table
        From `sirolens.study.cohort_page.page.study_tables`.
    language : str
        Of the words.
    flags : sequence of Message
        What was said in reading the files.
    lock : Lock, optional
        The hashes it rests on.
    verified : sequence of Message
        What a lock file says of this run.

    Returns
    -------
    dict
        As ``docs/schema/study.schema.json`` describes.
    """
    cohort, criteria = analysis.cohort, analysis.outcomes.criteria
    zone = cohort.charts[0].zone
    return {
        "sirolens_study_report": FORMAT,
        "intended_use": label("report.intended-use", language),
        "language": language,
        "study": {
            "name": cohort.name,
            "title": cohort.title,
            "patients": len(cohort.charts),
            "arms": [one for one in analysis.outcomes.arm_names if one],
            "invented": cohort.invented,
            "ethics": asdict(cohort.ethics),
        },
        "at": analysis.at.astimezone(ZoneInfo(zone)).isoformat(),
        "criteria": {
            "name": criteria.name,
            "version": criteria.version,
            "source": criteria.source.cite(),
            "not_reported": list(criteria.not_reported),
        },
        "messages": [_message(one, language, zone) for one in analysis.messages],
        "reading": [_message(one, language, zone) for one in dict.fromkeys(flags)],
        "tables": tables_json(tables, language, zone),
        "lock": None if lock is None else asdict(lock),
        "lock_messages": [_message(one, language, zone) for one in verified],
    }


def tables_json(tables: Mapping[str, Table], language: str, zone: str) -> dict[str, Any]:
    """Turn tables into JSON values, by their names."""
    return {name: _table(table, language, zone) for name, table in tables.items()}


def _table(table: Table, language: str, zone: str) -> dict[str, Any]:
    return {
        "caption": "" if table.caption is None else say(table.caption, language, zone=zone),
        "columns": [_column(one, language) for one in table.columns],
        "rows": [[_value(cell, language, zone) for cell in row] for row in table.rows],
        "notes": [say(one, language, zone=zone) for one in table.notes],
    }


def _column(column: Column, language: str) -> dict[str, str]:
    return {"name": column.name, "head": say(column.head, language), "unit": unit_text(column.name, language)}


def _message(message: Message, language: str, zone: str) -> dict[str, Any]:
    return {
        "code": message.code,
        "severity": message.severity.value,
        "text": say(message, language, zone=zone),
        "values": {name: _value(value, language, zone) for name, value in message.items},
    }


def _value(value: Any, language: str, zone: str) -> Any:
    match value:
        case Interval():
            parts = {"middle": value.middle, "low": value.low, "high": value.high}
            return {name: one if math.isfinite(one) else None for name, one in parts.items()}
        case Message():
            told = {name: _value(one, language, zone) for name, one in value.items}
            return {"code": value.code, "text": say(value, language, zone=zone), "values": told}
        case tuple():
            return [_value(one, language, zone) for one in value]
        case datetime() | date():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
