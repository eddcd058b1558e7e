# SPDX-License-Identifier: Apache-2.0
"""Exposure in a study report: levels and time in the target, and how they go with the response."""

from __future__ import annotations

import itertools
import math

from sirolens.message import Message, info, warning
from sirolens.report.distribution_figure import Distributions, Group
from sirolens.report.document import Block, Cell, Figure, Findings, Heading, Interval, Paragraph
from sirolens.report.roc_figure import Roc, RocCurve
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.cohort.exposure_response import ExposureResponse
from sirolens.study.page_parts import NamedTable, Part, as_interval, caption_of, p_value, significant, table_of

__all__ = ["exposure_parts", "odds_cell", "relation_parts"]

FEWEST_FOR_FIGURE = 2
MOST_ODDS = 10_000.0
"""A larger odds ratio says only that the groups are apart."""


def exposure_parts(analysis: Analysis) -> list[Part]:
    """Show the levels, the share in the target, and the share of time."""
    exposure, protocol = analysis.exposure, analysis.protocol
    low, high = protocol.target_low_ng_ml, protocol.target_high_ng_ml
    levels = exposure.levels
    heading = Heading(text=info("study.exposure"))
    if not levels:
        return [heading, Paragraph(sentences=(info("study.no-levels"),))]
    limited = sum(any(one.limited) for one in exposure.patients)
    sentences = [info("study.exposure-what", low_ng_ml=low, high_ng_ml=high, gap_d=exposure.gap_d)]
    if exposure.excluded:
        sentences.append(info("study.levels-excluded", levels=exposure.excluded))
    if exposure.after_stop:
        sentences.append(info("study.levels-after-stop", levels=exposure.after_stop))
    if limited:
        sentences.append(info("study.levels-limited", patients=limited))
    drawing = Distributions(
        groups=tuple(Group(name=name, values=values) for name, values in _periods(analysis) if values),
        axis=info("study.level-axis"),
        band_low=low,
        band_high=high,
    )
    caption = caption_of(drawing, info("study.levels-caption"))
    figure = Figure(name="levels", drawing=drawing, alt=info("study.levels-alt", levels=len(levels)), caption=caption)
    return [heading, Paragraph(sentences=tuple(sentences)), figure, _shares(analysis), _by_patient(analysis)]


def _periods(analysis: Analysis) -> list[tuple[Message, tuple[float, ...]]]:
    """All levels, and those between one landmark and the next."""
    edges = (0, *analysis.outcomes.criteria.landmarks_d)
    found: list[tuple[Message, tuple[float, ...]]] = []
    for first, last in itertools.pairwise(edges):
        found.append((info("study.period", first=first, last=last), _between(analysis, first, last)))
    found.append((info("study.period-after", first=edges[-1]), _between(analysis, edges[-1], math.inf)))
    return found


def _between(analysis: Analysis, first: float, last: float) -> tuple[float, ...]:
    return tuple(
        level
        for one in analysis.exposure.patients
        for day, level in zip(one.day, one.level_ng_ml, strict=True)
        if first <= day < last
    )


def _shares(analysis: Analysis) -> NamedTable:
    exposure, protocol = analysis.exposure, analysis.protocol
    counts = exposure.counted(protocol.target_low_ng_ml, protocol.target_high_ng_ml)
    time, total = exposure.time, len(exposure.levels)
    days = (time.below_d, time.in_d, time.above_d)
    rows: list[list[Cell]] = [
        [
            info(f"study.range-{name}"),
            count,
            100 * count / total,
            days_d,
            100 * days_d / time.days if time.days > 0 else None,
        ]
        for name, count, days_d in zip(("below", "in", "above"), counts, days, strict=True)
    ]
    columns = [
        (info("study.column-range"), "range"),
        (info("study.column-levels"), "levels"),
        (info("study.column-share-levels"), "levels_percent"),
        (info("study.column-time"), "time_d"),
        (info("study.column-share-time"), "time_percent"),
    ]
    notes = (info("study.time-in-range-note"),)
    return NamedTable(
        name="exposure", table=table_of(columns, rows, caption=info("study.exposure-caption"), notes=notes)
    )


def _by_patient(analysis: Analysis) -> NamedTable:
    columns = [
        (info("study.column-patient"), "patient"),
        (info("study.column-levels"), "levels"),
        (info("study.column-mean-level"), "mean_ng_ml"),
        (info("study.column-time"), "time_d"),
        (info("study.column-share-time"), "time_percent"),
    ]
    rows: list[list[Cell]] = []
    for one in analysis.exposure.patients:
        levels, share = one.level_ng_ml, one.time.in_share
        mean = math.fsum(levels) / len(levels) if levels else None
        rows.append([one.patient, len(levels), mean, one.time.days, None if math.isnan(share) else 100 * share])
    table = table_of(columns, rows, caption=info("study.exposure-patients"))
    return NamedTable(name="exposure-patients", table=table, shown=False)


def odds_cell(estimate: float, low: float, high: float) -> Cell:
    """Write an odds ratio with its interval from the log scale; a limit that the data do not bound is said so."""
    if not math.isfinite(estimate):
        return None
    middle, lower, upper = (math.exp(min(one, 700.0)) for one in (estimate, low, high))
    if middle > MOST_ODDS:
        return info("study.odds-above", limit=MOST_ODDS, low=significant(min(lower, MOST_ODDS)))
    if upper > MOST_ODDS:
        return info("study.odds-open", odds=significant(middle), low=significant(lower), limit=MOST_ODDS)
    return Interval(middle=significant(middle), low=significant(lower), high=significant(upper))


def relation_parts(analysis: Analysis) -> list[Part]:
    """Show levels before the landmark against response at it, with the warning first."""
    relation = analysis.relation
    if relation is None or not len(relation.response):
        return []
    warnings = Findings(messages=(warning("study.reverse-causation"), warning("study.immortal-time")))
    said = [
        info(
            "study.relation-what",
            day=relation.landmark_d,
            patients=len(relation.response),
            responders=int(relation.response.sum()),
        )
    ]
    if relation.left_out:
        said.append(info("study.relation-left-out", patients=relation.left_out))
    if relation.stopped:
        said.append(info("study.relation-stopped", patients=relation.stopped))
    if relation.before_response:
        said.append(info("study.relation-after-only", patients=relation.before_response))
    parts: list[Part] = [Heading(text=info("study.relation")), warnings, Paragraph(sentences=tuple(said))]
    parts += _relation_figures(analysis, relation)
    return [*parts, _relation_table(relation)]


def _relation_figures(analysis: Analysis, relation: ExposureResponse) -> list[Block]:
    yes = tuple(float(one) for one in relation.mean_ng_ml[relation.response])
    no = tuple(float(one) for one in relation.mean_ng_ml[~relation.response])
    groups = (Group(name=info("study.responders"), values=yes), Group(name=info("study.non-responders"), values=no))
    protocol = analysis.protocol
    drawing = Distributions(
        groups=groups,
        axis=info("study.mean-level-axis", day=relation.landmark_d),
        band_low=protocol.target_low_ng_ml,
        band_high=protocol.target_high_ng_ml,
    )
    alt = info("study.relation-alt", responders=len(yes), others=len(no))
    caption = caption_of(drawing, info("study.relation-caption"))
    figures: list[Block] = [Figure(name="relation", drawing=drawing, alt=alt, caption=caption)]
    if len(yes) >= FEWEST_FOR_FIGURE and len(no) >= FEWEST_FOR_FIGURE:
        area = relation.area
        name = info("study.auc", area=round(area.area, 2))
        if math.isfinite(area.interval.low):
            low, high = round(area.interval.low, 2), round(area.interval.high, 2)
            name = info("study.auc-interval", area=round(area.area, 2), low=low, high=high)
        curve = RocCurve(
            name=name,
            false_positive=tuple(float(1 - one) for one in relation.curve.specificity),
            true_positive=tuple(float(one) for one in relation.curve.sensitivity),
        )
        caption = info("study.roc-caption")
        figures.append(Figure(name="roc", drawing=Roc(curves=(curve,)), alt=info("study.roc-alt"), caption=caption))
    return figures


def _relation_table(relation: ExposureResponse) -> NamedTable:
    columns = [
        (info("study.column-measure"), "measure"),
        (info("study.column-estimate"), "estimate"),
        (info("study.column-p"), "p_value"),
    ]
    rows: list[list[Cell]] = []
    if relation.fit.coefficients:
        one = relation.fit.coefficients[0]
        odds = odds_cell(one.estimate, one.interval.low, one.interval.high)
        rows.append([info("study.odds-per-level"), odds, p_value(one.p_value)])
    rows.append([info("study.mann-whitney"), None, p_value(relation.test.p_value)])
    area = as_interval(relation.area.area, relation.area.interval)
    rows.append([info("study.auc-delong"), area, p_value(relation.area.p_value)])
    notes = [info("study.relation-note")]
    if relation.fit.separated:
        notes.append(info("study.separated"))
    return NamedTable(
        name="exposure-response", table=table_of(columns, rows, caption=info("study.relation-table"), notes=notes)
    )
