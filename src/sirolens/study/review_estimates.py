# SPDX-License-Identifier: Apache-2.0
"""The pooled estimates of a review as rows that a snapshot keeps, so that a later diff can say which moved and why."""

from __future__ import annotations

from math import isfinite
from typing import Any

from sirolens.errors import InputError
from sirolens.evidence.extraction import rows_for_pooling
from sirolens.evidence.pooled import Pooled, StudyLine
from sirolens.evidence.questions import answer, questions
from sirolens.evidence.review_forms import Forms

__all__ = ["estimate_rows"]


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
