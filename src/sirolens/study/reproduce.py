# SPDX-License-Identifier: Apache-2.0
"""Sets each figure paper A prints beside the one computed from an invented cohort built to match it.

The way is the real one: charts, criteria, classification, landmark rates, levels, events, cells. That the figures agree
shows that this way does its arithmetic, and nothing else: the cohort was made to agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, final

from sirolens.chart import Chart
from sirolens.message import Message, info
from sirolens.response.cells import compare_with_controls, paired_change
from sirolens.response.cohort import Cohort
from sirolens.response.criteria import load
from sirolens.response.safety import adverse_event_table
from sirolens.source import Mark
from sirolens.study.checker.p_values import p_text
from sirolens.study.cohort.analysis import Analysis, analyse
from sirolens.study.cohort.outcomes import first_dose
from sirolens.study.illustration import PaperFigures, build, load_paper

__all__ = ["Reproduced", "Reproduction", "reproduce"]

ADULT_YEARS = 18.0
MAJOR = frozenset({"severe", "serious"})  # rows of the event table: grade 3 or more, or serious
UNTOLD = ("ungraded", "seriousness-unknown")  # of such events nobody can say that they were not major
SIGNIFICANT = 0.05


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduced:
    """One printed figure beside the computed one.

    Parameters
    ----------
    name : str
        Which figure.
    printed : str
        As the abstract prints it.
    mark : Mark
        Seen there, or derived from what was seen.
    computed : Message
        What comes out of the invented charts.
    agrees : bool
        Whether the two say the same.
    """

    name: str
    printed: str
    mark: Mark
    computed: Message
    agrees: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """All figures of a paper beside those of the invented cohort, and the whole analysis they come from."""

    paper: PaperFigures
    analysis: Analysis
    rows: tuple[Reproduced, ...]


def reproduce(name: str, criteria: str = "iwg-2009") -> Reproduction:
    """Compute a paper's figures from its invented illustration.

    Parameters
    ----------
    name : str
        ``"paper-a"``.
    criteria : str
        By which the charts are judged; the paper's own definition of response is not in its abstract.

    Raises
    ------
    UnknownNameError
        No illustration, or no criteria, of that name.
    """
    paper = load_paper(name)
    analysis = analyse(build(paper), load(criteria))
    rows = (
        *(_count(figure, analysis) for figure in paper.counts),
        *(_range(figure, analysis) for figure in paper.ranges),
        *_directions(paper, analysis.cohort),
    )
    return Reproduction(paper=paper, analysis=analysis, rows=rows)


def _row(figure: Mapping[str, Any], computed: Message, *, agrees: bool) -> Reproduced:
    return Reproduced(
        name=figure["name"],
        printed=figure["printed"],
        mark=Mark(figure["mark"]),
        computed=computed,
        agrees=agrees,
    )


def _count(figure: Mapping[str, Any], analysis: Analysis) -> Reproduced:
    n = len(analysis.cohort.charts)
    if figure["name"] == "patients":
        return _row(figure, info("checker.repro-number", number=n), agrees=n == figure["count"])
    if figure["name"] == "major-events":
        table = adverse_event_table(analysis.cohort.charts, analysis.at)
        k = max(row.patients for row in table.rows if row.name in MAJOR)
        if any(table.row(untold).events for untold in UNTOLD):
            raise ValueError("an event of the illustration has no grade, or does not say whether it was serious")
    else:
        found = next(
            one
            for one in analysis.rates
            if one.landmark_d == figure["landmark_d"] and one.estimand == "composite" and one.arm is None
        ).of("due", figure["outcome"])
        k, n = found.k, found.n
    computed = info("checker.repro-count", count=k, of=n, share_percent=100 * k / n)
    return _row(figure, computed, agrees=(k, n) == (figure["count"], figure["of"]))


def _range(figure: Mapping[str, Any], analysis: Analysis) -> Reproduced:
    if figure["name"] == "levels":
        levels = [level for one in analysis.exposure.patients for level in one.level_ng_ml]
        inside = sum(figure["low"] <= level <= figure["high"] for level in levels)
        computed = info(
            "checker.repro-levels", low_ng_ml=min(levels), high_ng_ml=max(levels), count=inside, of=len(levels)
        )
        return _row(figure, computed, agrees=inside == len(levels))
    who, phase = figure["name"].split("-")
    doses = [_dose(chart, phase) for chart in analysis.outcomes.charts if _is_adult(chart) == (who == "adult")]
    computed = info("checker.repro-doses", low_mg=min(doses), high_mg=max(doses), patients=len(doses))
    return _row(figure, computed, agrees=figure["low"] <= min(doses) and max(doses) <= figure["high"])


def _is_adult(chart: Chart) -> bool:
    start = first_dose(chart)
    age = None if start is None else chart.patient.age_on(start.date())
    return age is None or age >= ADULT_YEARS


def _dose(chart: Chart, phase: str) -> float:
    """The dose of the first day, or of the last day the patient was seen, in mg."""
    start = first_dose(chart)
    assert start is not None
    last = max(count.at for count in chart.platelet_counts)
    begin = start if phase == "start" else last - timedelta(days=1)
    intakes = chart.intakes(begin + timedelta(days=1))
    return sum(intake.amount_mg for intake in intakes if intake.at >= begin)


def _directions(paper: PaperFigures, cohort: Cohort) -> Iterator[Reproduced]:
    """The abstract prints directions only: no difference, and a rise."""
    (apart,) = compare_with_controls(cohort.charts, cohort.controls, cohort.data_cut).comparisons
    (change,) = paired_change(cohort.charts, cohort.data_cut).changes
    assert apart.tests is not None
    assert change.tests is not None
    against, on_treatment = paper.directions
    yield _row(
        against,
        info(
            "checker.repro-against-controls",
            patients_percent=apart.patient_summary.median,
            controls_percent=apart.control_summary.median,
            p=p_text(apart.tests.mann_whitney.p_value),
        ),
        agrees=apart.tests.mann_whitney.p_value > SIGNIFICANT,
    )
    yield _row(
        on_treatment,
        info(
            "checker.repro-rise",
            before_percent=change.before_summary.median,
            after_percent=change.after_summary.median,
            p=p_text(change.tests.wilcoxon.p_value),
        ),
        agrees=change.tests.wilcoxon.p_value < SIGNIFICANT and change.change_summary.median > 0,
    )
