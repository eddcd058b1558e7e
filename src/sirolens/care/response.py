# SPDX-License-Identifier: Apache-2.0
"""Look at one patient's response: the verdict as known at an instant, and how it came to be so."""

from __future__ import annotations

from datetime import datetime

from sirolens.chart import Chart
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.revisions import Revision, revisions
from sirolens.response.verdict import Verdict, verdict

__all__ = ["assess"]


def assess(
    chart: Chart, *, at: datetime, criteria: CriteriaSet, course: int | None = None
) -> tuple[Chart, Verdict, tuple[Revision, ...]]:
    """Say how a patient stands, and how that changed each time something became known.

    Parameters
    ----------
    chart : Chart
        The patient.
    at : datetime
        Looked back from here; nothing that happened or was recorded later is seen.
    criteria : CriteriaSet
        By whose rules.
    course : int, optional
        Which course of sirolimus, from 0; the last one unless given.

    Returns
    -------
    known : Chart
        What was known.
    found : Verdict
    changes : tuple of Revision
    """
    known = chart.known(at)
    # Looked at through the whole chart: what was known then may have been corrected or retracted since.
    facts = (*chart.platelet_counts, *chart.bleedings, *chart.therapies, *chart.procedures)
    told = {max(fact.at, fact.recorded) for fact in facts}
    told |= {fact.retracted for fact in chart.facts if fact.retracted is not None}
    times = sorted({one for one in told if one <= at} | {at})
    changes = revisions(chart, times, criteria, course=course)
    return known, verdict(known, at, criteria, course=course), changes
