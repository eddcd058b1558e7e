# SPDX-License-Identifier: Apache-2.0
"""The pooled estimates of a review as rows that a snapshot keeps, so that a later diff can say which moved and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import isfinite
from typing import Any

from sirolens.errors import InputError
from sirolens.evidence.extraction.form import rows_for_pooling
from sirolens.evidence.pool.pooled import Pooled, StudyLine
from sirolens.evidence.pool.questions import answer, questions
from sirolens.evidence.review.forms import Forms
from sirolens.evidence.review.state import State
from sirolens.evidence.review.update import cumulative
from sirolens.message import Message
from sirolens.study.review.pool import question_words

__all__ = ["estimate_rows", "estimate_words", "estimates_over_time"]


def estimate_rows(forms: Forms) -> tuple[dict[str, Any], ...]:
    """Pool every question of the forms of a review.

    Parameters
    ----------
    forms : Forms

    Returns
    -------
    tuple of dict
        One row for each question with an estimate: ``name``, ``estimate``, ``low``, ``high``, ``k`` (studies),
        ``studies``, ``method``, ``effect``, and ``counts`` (what each study brought). A question that cannot be pooled
        has none; `sirolens review pool` says why.
    """
    rows = rows_for_pooling(forms.extractions)
    found = []
    for question in questions(rows):
        try:
            pooled = answer(question, rows)
        except InputError:
            continue
        if pooled.main is not None and isfinite(pooled.main.estimate):
            found.append(_row(question.name, pooled))
    return tuple(found)


def estimates_over_time(forms: Forms, state: State) -> tuple[tuple[date, tuple[dict[str, Any], ...]], ...]:
    """Pool what was known by the date of each search: the studies included now that had been found by then.

    Parameters
    ----------
    forms : Forms
        A study belongs to the first search that found one of its reports; one without a linked report belongs to none.
    state : State

    Returns
    -------
    tuple of (date, rows)
        Oldest first; the rows as `estimate_rows` gives them, those alone that are not what they were before.
    """
    found = []
    before: dict[str, dict[str, Any]] = {}
    for known in cumulative(state):
        chosen = tuple(form for form in forms.extractions if form.study.id in known.studies)
        rows = estimate_rows(replace(forms, extractions=chosen))
        new = tuple(row for row in rows if before.get(row["name"]) != row)
        before |= {row["name"]: row for row in new}
        if new:
            found.append((known.on, new))
    return tuple(found)


def estimate_words(forms: Forms) -> dict[str, Message]:
    """Return what each estimate of the forms is called, by its name in `estimate_rows`."""
    return {one.name: question_words(one) for one in questions(rows_for_pooling(forms.extractions))}


def _row(name: str, pooled: Pooled) -> dict[str, Any]:
    assert pooled.main is not None
    interval = pooled.main.interval
    return {
        "name": name,
        "estimate": float(pooled.main.estimate),
        "low": float(interval.low) if isfinite(interval.low) else None,
        "high": float(interval.high) if isfinite(interval.high) else None,
        "k": len(pooled.studies),
        "studies": list(dict.fromkeys(line.row.study for line in pooled.studies)),
        "method": pooled.main.method,
        "effect": pooled.effect,
        "counts": [_counts(line) for line in pooled.studies],
    }


def _counts(line: StudyLine) -> str:
    told = (
        f"{line.row.study} {line.row.k:g}/{line.row.n:g}" if line.row.k is not None and line.row.n else line.row.study
    )
    control = line.control
    if control is None or control.k is None or control.n is None:
        return told
    return f"{told} : {control.k:g}/{control.n:g}"
