# SPDX-License-Identifier: Apache-2.0
"""The response of a study report: rates at each landmark, other estimands beside them, subgroups, platelet courses."""

from __future__ import annotations

from sirolens.message import Message, info
from sirolens.report.course_figure import ManyCourses
from sirolens.report.document import Block, Cell, Figure, Heading, Paragraph, Table
from sirolens.report.interval_figure import MOST_ESTIMATES, Estimate, Intervals
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.cohort.outcomes import ESTIMANDS
from sirolens.study.cohort.response import LandmarkRates, Rate
from sirolens.study.cohort.subgroups import Subgroup
from sirolens.study.cohort_page.people import swimmer_figure
from sirolens.study.page_parts import (
    NamedTable,
    Part,
    arm_name,
    as_interval,
    declared_name,
    p_value,
    percent_interval,
    share_text,
    table_of,
)

__all__ = ["course_parts", "response_parts", "subgroup_parts"]

OUTCOMES = ("overall", "complete", "partial")


def response_parts(analysis: Analysis) -> list[Part]:
    """Show who responded at each landmark."""
    if not analysis.rates:
        return []
    sentences = (info("study.response-what", written=analysis.outcomes.criteria.title), info("study.response-due"))
    return [
        Heading(text=info("study.response")),
        Paragraph(sentences=sentences),
        NamedTable(name="response", table=_rates_table(analysis, "due")),
        *_rates_figure(analysis),
        NamedTable(name="response-observed", table=_rates_table(analysis, "observed")),
        *_contrasts(analysis),
        NamedTable(name="response-states", table=_states_table(analysis)),
        NamedTable(name="estimands", table=_estimands_table(analysis)),
        swimmer_figure(analysis),
    ]


def _several(analysis: Analysis) -> bool:
    return len(analysis.outcomes.arm_names) > 1


def _who(analysis: Analysis, rates: LandmarkRates) -> list[Cell]:
    return [arm_name(analysis.cohort, rates.arm)] if _several(analysis) else []


def _who_column(analysis: Analysis) -> list[tuple[Message, str]]:
    return [(info("study.column-arm"), "arm")] if _several(analysis) else []


def _rates_table(analysis: Analysis, population: str) -> Table:
    columns = [
        (info("study.column-day"), "day"),
        *_who_column(analysis),
        (info("study.column-outcome"), "outcome"),
        (info("study.column-count"), "count"),
        (info("study.column-exact"), "exact_percent"),
        (info("study.column-wilson"), "wilson_percent"),
        (info("study.column-bayes"), "bayes_percent"),
    ]
    rows: list[list[Cell]] = [
        [
            one.landmark_d,
            *_who(analysis, one),
            info(f"study.outcome-{outcome}"),
            *_rate_cells(one.of(population, outcome)),
        ]
        for one in analysis.rates
        if one.estimand == "composite"
        for outcome in OUTCOMES
    ]
    a, b = analysis.protocol.prior
    notes = (info("study.rates-note"), info("study.prior-note", a=a, b=b))
    return table_of(columns, rows, caption=info(f"study.rates-{population}"), notes=notes)


def _rate_cells(rate: Rate) -> list[Cell]:
    intervals = (rate.exact, rate.score, rate.bayes)
    return [share_text(rate), *(percent_interval(rate.share, one) for one in intervals)]


def _rates_figure(analysis: Analysis) -> list[Block]:
    rows: list[Estimate] = []
    for day in analysis.outcomes.criteria.landmarks_d:
        found = [
            one for one in analysis.rates if one.landmark_d == day and one.estimand == "composite" and one.due[0].n
        ]
        if not found:
            continue
        rows.append(Estimate(name=info("study.day", day=day), heading=True))
        for one in found:
            rows += [_estimate(_line_name(analysis, one, outcome), one.of("due", outcome)) for outcome in OUTCOMES[:2]]
    if not rows or len(rows) > MOST_ESTIMATES:
        return []
    drawing = Intervals(rows=tuple(rows), axis=info("study.rate-axis"))
    return [
        Figure(
            name="rates",
            drawing=drawing,
            alt=info("study.rates-alt", rates=len(rows)),
            caption=info("study.rates-figure"),
        )
    ]


def _line_name(analysis: Analysis, one: LandmarkRates, outcome: str) -> Message:
    name = info(f"study.outcome-{outcome}")
    if not _several(analysis):
        return name
    return info("study.outcome-of", outcome=name, arm=arm_name(analysis.cohort, one.arm))


def _estimate(name: Message, rate: Rate) -> Estimate:
    text = info("study.count-share", k=rate.k, n=rate.n, share_percent=100 * rate.share) if rate.n else ""
    return Estimate(name=name, middle=rate.share, low=rate.exact.low, high=rate.exact.high, text=text)


def _contrasts(analysis: Analysis) -> list[Part]:
    """The arms against the first one."""
    if not analysis.contrasts:
        return []
    columns = [
        (info("study.column-day"), "day"),
        (info("study.column-outcome"), "outcome"),
        (info("study.column-arm"), "arm"),
        (info("study.column-reference"), "reference"),
        (info("study.column-difference"), "difference_percent"),
        (info("study.column-ratio"), "ratio"),
        (info("study.column-p-fisher"), "p_value"),
    ]
    rows: list[list[Cell]] = [
        [
            one.landmark_d,
            info(f"study.outcome-{one.outcome}"),
            info("study.arm-count", arm=arm_name(analysis.cohort, one.arm), k=one.own.k, n=one.own.n),
            info("study.arm-count", arm=arm_name(analysis.cohort, one.reference), k=one.other.k, n=one.other.n),
            percent_interval(one.difference.estimate, one.difference.interval),
            as_interval(one.ratio.estimate, one.ratio.interval),
            p_value(one.test.p_value),
        ]
        for one in analysis.contrasts
    ]
    notes = (info("study.contrasts-note"),)
    table = table_of(columns, rows, caption=info("study.contrasts-caption"), notes=notes)
    return [NamedTable(name="response-arms", table=table)]


def _states_table(analysis: Analysis) -> Table:
    heads = (
        "patients",
        "not_due",
        "complete",
        "response",
        "platelets_only",
        "provisional",
        "no_response",
        "missing",
        "not_evaluable",
    )
    columns = [
        (info("study.column-day"), "day"),
        *_who_column(analysis),
        *((info(f"study.states-{head.replace('_', '-')}"), f"n-{head}") for head in heads),
    ]
    rows: list[list[Cell]] = [
        [one.landmark_d, *_who(analysis, one), *(getattr(one, head) for head in heads)]
        for one in analysis.rates
        if one.estimand == "composite"
    ]
    return table_of(columns, rows, caption=info("study.states-caption"), notes=(info("study.states-note"),))


def _estimands_table(analysis: Analysis) -> Table:
    columns = [
        (info("study.column-day"), "day"),
        *_who_column(analysis),
        (info("study.column-estimand"), "estimand"),
        (info("study.outcome-overall"), "overall"),
        (info("study.column-exact"), "overall_percent"),
        (info("study.outcome-complete"), "complete"),
        (info("study.column-exact"), "complete_percent"),
    ]
    rows: list[list[Cell]] = []
    for one in sorted(analysis.rates, key=lambda r: (r.landmark_d, r.arm or "", ESTIMANDS.index(r.estimand))):
        overall, complete = one.of("due"), one.of("due", "complete")
        rows.append(
            [
                one.landmark_d,
                *_who(analysis, one),
                info(f"study.estimand-{one.estimand}"),
                share_text(overall),
                percent_interval(overall.share, overall.exact),
                share_text(complete),
                percent_interval(complete.share, complete.exact),
            ]
        )
    return table_of(columns, rows, caption=info("study.estimands-caption"), notes=(info("study.estimands-note"),))


def course_parts(analysis: Analysis) -> list[Part]:
    """Draw the platelet counts of all patients."""
    courses: ManyCourses = analysis.courses
    if not courses.lines:
        return [Heading(text=info("study.courses")), Paragraph(sentences=(info("study.no-counts"),))]
    patients, drawn = len(courses.lines), courses.shown
    caption = info("study.courses-caption")
    if drawn < patients:
        caption = info("study.courses-caption-some", drawn=drawn, patients=patients)
    figure = Figure(name="courses", drawing=courses, alt=info("study.courses-alt", patients=patients), caption=caption)
    heads = ("day", "patients", "median_10e9_l", "low_10e9_l", "high_10e9_l")
    columns = [(info(f"study.courses-{head.partition('_')[0]}"), head) for head in heads]
    arrays = (courses.at_d, courses.patients, courses.median_10e9_l, courses.low_10e9_l, courses.high_10e9_l)
    rows = [[int(day), *rest] for day, *rest in zip(*arrays, strict=True)]
    table = table_of(columns, rows, caption=info("study.courses-table"))
    return [Heading(text=info("study.courses")), figure, NamedTable(name="platelets", table=table, shown=False)]


def subgroup_parts(analysis: Analysis, language: str) -> list[Part]:
    """Show the response of subgroups, with intervals and without tests."""
    if not analysis.subgroups:
        return []
    columns = [
        (info("study.column-factor"), "factor"),
        (info("study.column-group"), "group"),
        (info("study.column-count"), "count"),
        (info("study.column-exact"), "exact_percent"),
    ]
    names = [(_factor(one, language), _value(analysis, one)) for one in analysis.subgroups]
    rows: list[list[Cell]] = [
        [factor, value, share_text(one.rate), percent_interval(one.rate.share, one.rate.exact)]
        for (factor, value), one in zip(names, analysis.subgroups, strict=True)
    ]
    day = analysis.protocol.primary_landmark_d
    table = table_of(columns, rows, caption=info("study.subgroups-caption", day=day))
    return [
        Heading(text=info("study.subgroups")),
        Paragraph(sentences=(info("study.subgroups-what"),)),
        *_subgroup_figure(analysis, names),
        NamedTable(name="subgroups", table=table),
    ]


def _factor(one: Subgroup, language: str) -> Message:
    if one.declared is not None:
        return info("study.name", name=declared_name(one.declared, language))
    return info(f"study.base-{one.factor}")


def _value(analysis: Analysis, one: Subgroup) -> Message:
    if not one.value:
        return info("study.not-known")
    if one.declared is not None:
        return info(f"study.answer-{one.value}") if one.value in ("yes", "no") else info("study.name", name=one.value)
    match one.factor:
        case "sex":
            return info("study.sex", sex=one.value)
        case "diagnosis":
            return info("study.diagnosis", diagnosis=one.value)
        case "arm":
            return info("study.name", name=arm_name(analysis.cohort, one.value))
        case "age-group":
            return info(f"study.age-{one.value}")
        case _:
            return info(f"study.group-{one.value}")


def _subgroup_figure(analysis: Analysis, names: list[tuple[Message, Message]]) -> list[Block]:
    rows: list[Estimate] = []
    before: Message | None = None
    for (factor, value), one in zip(names, analysis.subgroups, strict=True):
        if factor != before:
            rows.append(Estimate(name=factor, heading=True))
            before = factor
        rows.append(_estimate(value, one.rate))
    if len(rows) > MOST_ESTIMATES:
        return []
    index = analysis.outcomes.landmark_index(analysis.protocol.primary_landmark_d)
    everyone = [
        one.of("due").share
        for one in analysis.rates
        if index is not None
        and one.landmark_d == analysis.protocol.primary_landmark_d
        and one.arm is None
        and one.estimand == "composite"
    ]
    reference = everyone[0] if everyone and everyone[0] == everyone[0] else None
    drawing = Intervals(rows=tuple(rows), axis=info("study.rate-axis"), reference=reference)
    alt = info("study.subgroups-alt", groups=len(analysis.subgroups))
    return [Figure(name="subgroups", drawing=drawing, alt=alt, caption=info("study.subgroups-figure"))]
