# SPDX-License-Identifier: Apache-2.0
"""Predictors in a study report: odds ratios one at a time, and together only where the cohort bears it."""

from __future__ import annotations

import math

from sirolens.message import Message, info, warning
from sirolens.report.document import Block, Cell, Figure, Findings, Heading, Paragraph
from sirolens.report.interval_figure import MOST_ESTIMATES, Estimate, Intervals
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.cohort.predictors import Candidate, Predictors
from sirolens.study.cohort_page.exposure import odds_cell
from sirolens.study.page_parts import NamedTable, Part, declared_name, p_value, table_of

__all__ = ["predictor_parts"]


def predictor_parts(analysis: Analysis, language: str) -> list[Part]:
    """Show who responds, as far as the cohort can say."""
    found = analysis.predictors
    heading = Heading(text=info("study.predictors"))
    if found is None or not found.univariate or not found.events:
        return [heading, Paragraph(sentences=(info("study.no-predictors"),))]
    said = info(
        "study.predictors-what",
        day=found.landmark_d,
        patients=found.patients,
        events=found.events,
        candidates=len(found.univariate),
    )
    parts: list[Part] = [heading, Paragraph(sentences=(said, info("study.predictors-hypothesis")))]
    if found.together is None:
        needed = analysis.protocol.events_per_variable
        per = round(found.events_per_variable, 1)
        parts.append(Findings(messages=(warning("study.few-events", per=per, needed=needed),)))
    return [*parts, *_figure(found, language), _table(found, language), *_model(found, language)]


def _name(one: Candidate, language: str) -> Message:
    if one.declared is not None:
        name = declared_name(one.declared, language)
        if one.value in ("", "yes"):
            return info("study.name", name=name)
        return info("study.base-value", name=name, value=one.value)
    if one.name == "sex":
        return info("study.predictor-male")
    if one.name == "diagnosis":
        return info("study.predictor-secondary")
    return info("study.predictor-per", name=info(f"study.base-{one.name}"), step=one.per)


def _figure(found: Predictors, language: str) -> list[Block]:
    rows = []
    for one in found.univariate:
        fit = one.fit.coefficients[0] if one.fit.coefficients else None
        if fit is None or not math.isfinite(fit.estimate):
            continue
        middle, low, high = (math.exp(min(v, 50.0)) for v in (fit.estimate, fit.interval.low, fit.interval.high))
        rows.append(Estimate(name=_name(one.candidate, language), middle=middle, low=low, high=high))
    if not rows or len(rows) > MOST_ESTIMATES:
        return []
    drawing = Intervals(rows=tuple(rows), axis=info("study.odds-axis"), ratio=True)
    alt = info("study.predictors-alt", candidates=len(rows))
    return [Figure(name="predictors", drawing=drawing, alt=alt, caption=info("study.predictors-figure"))]


def _table(found: Predictors, language: str) -> NamedTable:
    columns = [
        (info("study.column-factor"), "factor"),
        (info("study.column-patients"), "patients"),
        (info("study.column-events"), "events"),
        (info("study.column-odds"), "odds"),
        (info("study.column-p"), "p_value"),
        (info("study.column-p-holm"), "p_holm"),
    ]
    rows: list[list[Cell]] = []
    for one in found.univariate:
        fit = one.fit.coefficients[0] if one.fit.coefficients else None
        odds = None if fit is None else odds_cell(fit.estimate, fit.interval.low, fit.interval.high)
        p = math.nan if fit is None else fit.p_value
        name = _name(one.candidate, language)
        rows.append([name, one.fit.n, one.fit.events, odds, p_value(p), p_value(one.p_holm)])
    notes = (info("study.predictors-note"),)
    table = table_of(columns, rows, caption=info("study.predictors-caption"), notes=notes)
    return NamedTable(name="predictors", table=table)


def _model(found: Predictors, language: str) -> list[Part]:
    fit = found.together
    if fit is None or fit.reason is not None:
        return []
    columns = [
        (info("study.column-factor"), "factor"),
        (info("study.column-odds"), "odds"),
        (info("study.column-p"), "p_value"),
    ]
    rows: list[list[Cell]] = [
        [
            _name(one, language),
            odds_cell(coefficient.estimate, coefficient.interval.low, coefficient.interval.high),
            p_value(coefficient.p_value),
        ]
        for one, coefficient in zip(found.in_model, fit.coefficients, strict=True)
    ]
    caption = info("study.model-caption", patients=fit.n, events=min(fit.events, fit.n - fit.events))
    table = table_of(columns, rows, caption=caption, notes=(info("study.model-note"),))
    return [NamedTable(name="predictors-together", table=table)]
