# SPDX-License-Identifier: Apache-2.0
"""Why studies of a pool differ: subgroups and regressions on what the forms say of them, as pages and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, log
from types import MappingProxyType
from typing import Any

from sirolens.engine.statistics.interval import Test
from sirolens.errors import InputError
from sirolens.evidence.extraction.form import Extraction
from sirolens.evidence.extraction.outcome import NOT_REPORTED, ArmRole
from sirolens.evidence.extraction.studies import Design, Read
from sirolens.evidence.extraction.words import design_words, read_words
from sirolens.evidence.pool.moderators import Grouped, Over, by_group, over
from sirolens.evidence.pool.pooled import SHARE, Pooled
from sirolens.evidence.pool.questions import Question
from sirolens.message import Message, Place, error, info
from sirolens.report.bubble_figure import BubblePlot
from sirolens.report.document import Block, Column, Figure, Findings, Heading, Paragraph, Table
from sirolens.report.forest_figure import ForestPlot, ForestRow, RowKind, forest_pages
from sirolens.study.review.figures import (
    RATIOS,
    axis_of,
    axis_scale,
    counts_of,
    figure_pages,
    figure_scale,
    plain_id,
    study_name,
)
from sirolens.study.review.pool import interval_cell, named, p_words

__all__ = [
    "GROUPS",
    "NUMBERS",
    "differences_json",
    "grouped_blocks",
    "grouped_json",
    "over_blocks",
    "over_json",
    "values_of",
]


def _target(form: Extraction) -> float | None:
    """The middle of the range of levels aimed at."""
    arm = next((one for one in form.arms if one.role is not ArmRole.CONTROL and one.target is not None), None)
    if arm is None or arm.target is None or arm.target.low_ng_ml is None or arm.target.high_ng_ml is None:
        return None
    return 0.5 * (arm.target.low_ng_ml + arm.target.high_ng_ml)


def _told(value: str) -> str | None:
    return None if value == NOT_REPORTED else value


GROUPS: Mapping[str, Callable[[Extraction], str | None]] = MappingProxyType(
    {
        "design": lambda form: form.study.design.value,
        "prospective": lambda form: None if form.study.prospective is None else str(form.study.prospective).lower(),
        "criteria": lambda form: _told(form.criteria.name),
        "age": lambda form: _told(form.patients.age_group),
        "line": lambda form: _told(form.patients.line),
        "country": lambda form: _told(form.study.country),
        "read": lambda form: form.study.reports[0].read.value if form.study.reports else None,
    }
)
"""What studies can be grouped by."""

AGES = MappingProxyType({"adults": "adults", "children": "children", "adults and children": "both"})
"""Age groups that have words in both languages; a report's own stand as they are."""

NUMBERS: Mapping[str, Callable[[Extraction], float | None]] = MappingProxyType(
    {
        "year": lambda form: min((one.year for one in form.study.reports if one.year), default=None),
        "patients": lambda form: form.patients.enrolled,
        "target": _target,
    }
)
"""What effects can be regressed on."""


def values_of(pooled: Pooled, forms: Sequence[Extraction], key: str) -> dict[str, Any]:
    """Return a covariate of the pooled studies by their labels; studies whose form does not say are left out.

    Raises
    ------
    InputError
        ``evidence.covariate-unknown``.
    """
    take = GROUPS.get(key) or NUMBERS.get(key)
    if take is None:
        known = (*GROUPS, *NUMBERS)
        raise InputError(error("evidence.covariate-unknown", place=Place(field=key), value=key, known=known))
    by_study = {form.study.id: take(form) for form in forms}
    found = {line.label: by_study.get(line.row.study) for line in pooled.studies}
    return {label: value for label, value in found.items() if value is not None}


def _key_words(key: str) -> Message:
    return info(f"evidence.covariate-{key}")


def _group_words(key: str, group: str) -> Message | str:
    """Name a group as the tables do; what is a report's own word stays as it is."""
    match key:
        case "design":
            return design_words(Design(group))
        case "read":
            return read_words(Read(group))
        case "prospective":
            return info(f"evidence.prospective-{group}")
        case "age" if group in AGES:
            return info(f"evidence.age-{AGES[group]}")
        case _:
            return group


def grouped_blocks(
    name: str, pooled: Pooled, forms: Sequence[Extraction], key: str, names: Mapping[str, str], title: Message
) -> list[Block]:
    """Lay out the studies of a pool group by group, with each group's pool and the test between them."""
    found = by_group(pooled, values_of(pooled, forms, key))
    rows: list[ForestRow] = []
    for group, studies, line in zip(found.names, found.studies, found.lines, strict=True):
        words = _group_words(key, group)
        rows.append(ForestRow(name=words, kind=RowKind.HEADING))
        for one in studies:
            rows.append(
                ForestRow(
                    name=study_name(one, names),
                    middle=one.estimate,
                    low=one.interval.low,
                    high=one.interval.high,
                    columns=(counts_of(one.row.k, one.row.n),),
                    weight=one.weight,
                )
            )
        if line is not None:
            rows.append(
                ForestRow(
                    name=info("evidence.group-pool", group=words),
                    kind=RowKind.SUBTOTAL,
                    middle=line.estimate,
                    low=line.interval.low,
                    high=line.interval.high,
                    columns=("",),
                )
            )
    told = info("evidence.by-group", key=_key_words(key), title=title)
    plot = ForestPlot(
        rows=tuple(rows),
        axis=axis_of(pooled),
        scale=figure_scale(pooled),
        columns=(info("evidence.column-counts"),),
    )
    figures = figure_pages(plain_id(f"group-{key}", name), forest_pages(plot), told, told)
    tested = Paragraph(sentences=_test(found.between_groups))
    return [Heading(text=told, level=3), *figures, _groups(found, pooled, key), tested, _said(found.messages, names)]


def _groups(found: Grouped, pooled: Pooled, key: str) -> Table:
    """The groups' pools as text; a group of one study stands with that study's own estimate."""
    percent = pooled.effect == SHARE
    columns = (
        Column(head=_key_words(key), name="text"),
        Column(head=info("evidence.column-flow-studies"), name="number"),
        Column(head=info("evidence.column-estimate", level_percent=95), name="share_percent" if percent else "effect"),
    )
    rows = tuple(
        (
            _group_words(key, group),
            len(studies),
            interval_cell(
                *((line.estimate, line.interval) if line else (studies[0].estimate, studies[0].interval)), pooled
            ),
        )
        for group, studies, line in zip(found.names, found.studies, found.lines, strict=True)
    )
    return Table(columns=columns, rows=rows, caption=info("evidence.groups-caption"))


def _said(messages: Sequence[Message], names: Mapping[str, str]) -> Findings:
    return Findings(messages=tuple(named(one, names) for one in messages))


def _test(found: Test) -> tuple[Message, ...]:
    if not isfinite(found.p_value):
        return (info("evidence.no-test"),)
    return (
        info("evidence.between-groups", q=f"{found.statistic:.2f}", df=int(found.df or 0), p=p_words(found.p_value)),
    )


def grouped_json(found: Grouped) -> dict[str, Any]:
    """Return groups as JSON values."""
    groups = []
    for name, studies, line in zip(found.names, found.studies, found.lines, strict=True):
        told: dict[str, Any] = {"group": name, "studies": [one.label for one in studies]}
        if line is not None:
            told |= {"estimate": line.estimate, "low": line.interval.low, "high": line.interval.high}
        groups.append(told)
    test = found.between_groups
    return {"groups": groups, "qm": _finite(test.statistic), "df": test.df, "p": _finite(test.p_value)}


def differences_json(question: Question, pooled: Pooled, forms: Sequence[Extraction], key: str) -> dict[str, Any]:
    """Return the groups of a pool, or its regression, or why there is none, as JSON values."""
    told = {"question": question.name, "key": key}
    try:
        values = values_of(pooled, forms, key)
        found = grouped_json(by_group(pooled, values)) if key in GROUPS else over_json(over(pooled, values))
    except InputError as fault:
        return {**told, "refused": [message.code for message in fault.messages]}
    return {**told, **found}


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def over_blocks(
    name: str, pooled: Pooled, forms: Sequence[Extraction], key: str, names: Mapping[str, str], title: Message
) -> list[Block]:
    """Lay out a regression of the pooled effects on one number: bubble plot, slope, test, what is left."""
    found = over(pooled, values_of(pooled, forms, key))
    labels = {line.label: study_name(line, names) for line in pooled.studies}
    # The effects that the line was fitted to: a study at 0 or 100 % stands where 1/2 added to its cells puts it.
    fitted = {line.label: float(y) for line, y in zip(pooled.studies, pooled.y, strict=True)}
    told = info("evidence.over-number", key=_key_words(key), title=title)
    band = [(one.low, one.high) if one.reason is None else (float("nan"), float("nan")) for one in found.intervals]
    kept = [i for i, (low, high) in enumerate(band) if isfinite(low) and isfinite(high)]
    plot = BubblePlot(
        covariate=tuple(one.x for one in found.bubbles),
        effects=tuple(fitted[one.label] for one in found.bubbles),
        weights=tuple(one.weight for one in found.bubbles),
        names=tuple(labels[one.label] for one in found.bubbles),
        x_axis=_key_words(key),
        y_axis=axis_of(pooled),
        scale=axis_scale(pooled),
        line_x=tuple(float(found.x[i]) for i in kept),
        line=tuple(_inner(float(found.y[i]), pooled) for i in kept),
        low=tuple(_inner(band[i][0], pooled) for i in kept),
        high=tuple(_inner(band[i][1], pooled) for i in kept),
    )
    figure = Figure(name=plain_id(f"over-{key}", name), drawing=plot, alt=told, caption=told)
    return [
        Heading(text=told, level=3),
        figure,
        _coefficients(found, key),
        Paragraph(sentences=(*_test(found.regression.fit.omnibus), *_left(found))),
        _said(found.messages, names),
    ]


def _inner(value: float, pooled: Pooled) -> float:
    """A value as readers know it on the scale of the analysis."""
    if pooled.effect == SHARE:
        return log(value / (1.0 - value)) if 0.0 < value < 1.0 else float("nan")
    if pooled.effect in RATIOS:
        return log(value) if value > 0.0 else float("nan")
    return value


def _coefficients(found: Over, key: str) -> Table:
    fit = found.regression.fit
    heads = ("coefficient", "slope", "standard-error", "p-value")
    columns = tuple(Column(head=info(f"evidence.column-{head}"), name="number") for head in heads)
    tests = fit.tests
    rows = tuple(
        (label, float(fit.b[i]), float(fit.se[i]), _finite(tests[i].p_value))
        for i, label in enumerate((info("evidence.intercept"), _key_words(key)))
    )
    return Table(columns=columns, rows=rows, caption=info("evidence.coefficients-caption"))


def _left(found: Over) -> tuple[Message, ...]:
    r2 = found.regression.r2
    return (info("evidence.explained", r2_percent=100 * r2),) if isfinite(r2) else ()


def over_json(found: Over) -> dict[str, Any]:
    """Return a regression as JSON values."""
    fit = found.regression.fit
    return {
        "intercept": float(fit.b[0]),
        "slope": float(fit.b[1]),
        "slope_standard_error": float(fit.se[1]),
        "qm": _finite(fit.omnibus.statistic),
        "qm_p": _finite(fit.omnibus.p_value),
        "r2": _finite(found.regression.r2),
        "studies": [{"study": one.label, "x": one.x, "y": one.y, "weight": one.weight} for one in found.bubbles],
    }
