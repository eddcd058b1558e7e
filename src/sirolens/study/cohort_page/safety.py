# SPDX-License-Identifier: Apache-2.0
"""Safety in a study report: adverse events by patients and events, beside the exposure they happened in."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

from sirolens.message import checked, info, warning
from sirolens.report.document import Cell, Findings, Heading, Interval, Paragraph
from sirolens.response.safety import Counted, TermRow
from sirolens.response.safety_labs import Counts
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.page_parts import NamedTable, Part, arm_name, table_of

__all__ = ["safety_parts"]

_TOLD = (
    (info("study.event-severe"), "severe"),
    (info("study.event-ungraded"), "ungraded"),
    (info("study.event-related"), "related"),
    (info("study.event-relation-unknown"), "relation_unknown"),
    (info("study.event-serious"), "serious"),
    (info("study.event-seriousness-unknown"), "seriousness_unknown"),
)
MOST_FALLS = 40
"""Falls listed on the page; the exported table has all."""


def safety_parts(analysis: Analysis) -> list[Part]:
    """Show the adverse events."""
    everybody = analysis.safety[0].events
    exposure = everybody.exposure
    said = info("study.safety-exposure", patients=exposure.treated, exposure_years=exposure.years)
    parts: list[Part] = [Heading(text=info("study.safety")), Paragraph(sentences=(said, info("study.safety-what")))]
    if everybody.messages:
        parts.append(Findings(messages=everybody.messages))
    if everybody.row("any").events:
        parts += [_kinds(analysis), _terms(analysis), _all_terms(analysis)]
    return [*parts, *_labs(analysis), *_suspicions(analysis)]


def _arm(analysis: Analysis, arm: str | None) -> list[Cell]:
    return [arm_name(analysis.cohort, arm)] if len(analysis.safety) > 1 else []


def _counted(row: Counted) -> list[Cell]:
    share = None
    if math.isfinite(row.percent):
        share = Interval(middle=row.percent, low=row.percent_interval.low, high=row.percent_interval.high)
    rate: Cell = None
    if math.isfinite(row.rate.rate):
        low, high = round(row.rate.interval.low, 1), round(row.rate.interval.high, 1)
        rate = Interval(middle=round(row.rate.rate, 1), low=low, high=high)
    return [f"{row.patients}/{row.treated}", share, row.events, rate]


def _kinds(analysis: Analysis) -> NamedTable:
    several = len(analysis.safety) > 1
    columns = [
        (info("study.column-event"), "event_kind"),
        *([(info("study.column-arm"), "arm")] if several else []),
        (info("study.column-count"), "count"),
        (info("study.column-share"), "share_percent"),
        (info("study.column-events"), "events"),
        (info("study.column-per-years"), "per_100_py"),
    ]
    names = [
        row.name for row in analysis.safety[0].events.rows if row.events or row.name in ("any", "serious", "stopped")
    ]
    rows: list[list[Cell]] = [
        [info(f"study.event-{name}"), *_arm(analysis, one.arm), *_counted(one.events.row(name))]
        for name in names
        for one in analysis.safety
    ]
    notes = (info("study.safety-note"),)
    return NamedTable(
        name="adverse-events", table=table_of(columns, rows, caption=info("study.safety-caption"), notes=notes)
    )


def _told(row: TermRow) -> tuple[Counted, ...]:
    """What is told of a term's events, each followed by those of which it is not recorded."""
    severe, related = (row.severe, row.ungraded), (row.related, row.relation_unknown)
    return (*severe, *related, row.serious, row.seriousness_unknown)


def _terms(analysis: Analysis) -> NamedTable:
    columns = [
        (info("study.column-event"), "event_term"),
        (info("study.column-patients"), "patients"),
        (info("study.column-share"), "share_percent"),
        (info("study.column-events"), "events"),
        *_TOLD,
    ]
    rows: list[list[Cell]] = []
    for one in analysis.safety[0].events.terms:
        _, share, events, _ = _counted(one.any)
        rows.append([one.term, one.any.patients, share, events, *(told.patients for told in _told(one))])
    caption, notes = info("study.terms-caption"), (info("study.terms-note"),)
    return NamedTable(name="adverse-event-terms", table=table_of(columns, rows, caption=caption, notes=notes))


def _all_terms(analysis: Analysis) -> NamedTable:
    """Terms by arm with their rates, for export."""
    columns = [
        (info("study.column-event"), "event_term"),
        (info("study.column-arm"), "arm"),
        (info("study.column-count"), "count"),
        (info("study.column-share"), "share_percent"),
        (info("study.column-events"), "events"),
        (info("study.column-per-years"), "per_100_py"),
        *_TOLD,
    ]
    rows: list[list[Cell]] = [
        [term.term, arm_name(analysis.cohort, one.arm), *_counted(term.any), *(told.patients for told in _told(term))]
        for one in analysis.safety
        for term in one.events.terms
    ]
    table = table_of(columns, rows, caption=info("study.terms-caption"))
    return NamedTable(name="adverse-event-arms", table=table, shown=False)


def _labs(analysis: Analysis) -> list[Part]:
    """Laboratory values by their worst grade on treatment; beside it the shift from before, for export."""
    several = len(analysis.safety) > 1
    shifts = [(one.arm, lab) for one in analysis.safety for lab in one.labs]
    if not shifts:
        return []
    heads = ("patients", "worsened", "worsened-severe")
    columns = [
        (info("study.lab-term"), "lab_term"),
        *([(info("study.column-arm"), "arm")] if several else []),
        *((info(f"study.lab-{head}"), head) for head in heads),
    ]
    rows: list[list[Cell]] = [
        [
            info("study.term", term=lab.term),
            *_arm(analysis, arm),
            lab.patients,
            lab.worsened,
            lab.worsened_severe,
        ]
        for arm, lab in shifts
    ]
    version = shifts[0][1].version
    table = table_of(
        columns, rows, caption=info("study.labs-caption", version=version), notes=(info("study.labs-note"),)
    )
    return [NamedTable(name="laboratory", table=table), _shift_table(analysis)]


def _shift_table(analysis: Analysis) -> NamedTable:
    columns = [
        (info("study.lab-term"), "lab_term"),
        (info("study.column-arm"), "arm"),
        (info("study.lab-before"), "before"),
        (info("study.lab-worst"), "worst"),
        (info("study.column-patients"), "patients"),
    ]
    rows: list[list[Cell]] = []
    for one in analysis.safety:
        for lab in one.labs:
            for before, line in enumerate(lab.table):
                for worst, count in enumerate(line):
                    if count:
                        name = info("study.term", term=lab.term)
                        arm = arm_name(analysis.cohort, one.arm)
                        rows.append([name, arm, _grade(before, lab.table), _grade(worst, lab.table), int(count)])
    table = table_of(columns, rows, caption=info("study.shift-caption"))
    return NamedTable(name="laboratory-shift", table=table, shown=False)


def _grade(position: int, table: Counts) -> Cell:
    return info("study.not-known") if position == len(table) - 1 else position


def _suspicions(analysis: Analysis) -> list[Part]:
    """Non-response that may be the drug's own doing, before anybody calls it failure (hazard H5)."""
    day = analysis.protocol.primary_landmark_d
    heading = Heading(text=info("study.suspicions"), level=3)
    if not analysis.suspicions:
        return [heading, Findings(messages=(checked("study.no-suspicion", day=day),))]
    patients = tuple(one.patient for one in analysis.suspicions)
    said = warning("study.suspicion", day=day, count=len(patients))
    columns = [
        (info("study.column-patient"), "patient"),
        (info("study.suspicion-day"), "day"),
        (info("study.suspicion-highest"), "highest_10e9_l"),
        (info("study.suspicion-count"), "count_10e9_l"),
        (info("study.suspicion-level"), "level_ng_ml"),
        (info("study.suspicion-why"), "why"),
    ]
    rows: list[list[Cell]] = []
    for one in analysis.suspicions:
        for fall in one.found:
            why = info("study.suspicion-high") if fall.high else info("study.suspicion-rising")
            local = fall.count.at.astimezone(ZoneInfo(one.zone)).date()
            numbers = (fall.highest.count_10e9_l, fall.count.count_10e9_l, fall.level.level_ng_ml)
            rows.append([one.patient, local, *numbers, why])
    table = table_of(columns, rows, caption=info("study.suspicion-caption"))
    return [
        heading,
        Findings(messages=(said,)),
        NamedTable(name="drug-lowered", table=table, shown=len(rows) <= MOST_FALLS),
    ]
