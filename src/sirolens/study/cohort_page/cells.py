# SPDX-License-Identifier: Apache-2.0
"""Cells in a study report: every point of every subset, against controls and before and after, each gate by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sirolens.message import Message, Value, info
from sirolens.report.distribution_figure import Distributions, Group
from sirolens.report.document import Block, Cell, Figure, Findings, Heading, Paragraph
from sirolens.response.cell_course import Association, CellCourse
from sirolens.response.cell_samples import Subset
from sirolens.response.cells import ControlComparison, PairedChange
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.page_parts import NamedTable, Part, as_interval, caption_of, p_value, significant, table_of

__all__ = ["cell_parts"]

MOST_FIGURES = 8
"""Figures of each kind; the tables have every subset."""


def cell_parts(analysis: Analysis) -> list[Part]:
    """Show the cells and cytokines."""
    found = analysis.cells
    heading = Heading(text=info("study.cells"))
    of_tgf_beta = found.tgf_beta.messages if found.tgf_beta.associations else ()  # not measured is nothing to warn of
    groups = (
        found.controls.messages,
        found.changes.messages,
        found.platelets.messages,
        of_tgf_beta,
        found.courses.messages,
    )
    messages = tuple(dict.fromkeys(message for group in groups for message in group))
    told = [Findings(messages=messages)] if messages else []
    if not found.changes.changes and not found.controls.comparisons:
        return [heading, Paragraph(sentences=(info("study.no-cells"),)), *told]
    windows = found.changes.windows
    said = info(
        "study.cells-what",
        before_d=windows.before_days,
        day=windows.after_day,
        tolerance_d=windows.tolerance_days,
    )
    parts: list[Part] = [heading, Paragraph(sentences=(said, info("study.cells-gates")))]
    parts += told
    compared = [one for one in found.controls.comparisons if len(one.controls)]
    paired = [one for one in found.changes.changes if len(one.patients)]
    parts += [_control_figure(one, index) for index, one in enumerate(compared[:MOST_FIGURES])]
    if compared:
        parts.append(_control_table(compared))
    parts += [_paired_figure(one, index) for index, one in enumerate(paired[:MOST_FIGURES])]
    if paired:
        parts.append(_paired_table(paired))
    parts += _association_table(found.platelets.associations, "platelets")
    parts += _association_table(found.tgf_beta.associations, "tgf-beta")
    return [*parts, *_course_table(found.courses.courses), _points(compared, paired)]


def _name(subset: Subset) -> Message:
    return info("study.subset", cell=subset.cell, gate=subset.method, unit=subset.unit)


def _group(name: Message, values: Iterable[float]) -> Group:
    return Group(name=name, values=tuple(float(one) for one in values))


def _control_figure(one: ControlComparison, index: int) -> Block:
    drawing = Distributions(
        groups=(
            _group(info("study.before"), one.patient_values),
            _group(info("study.controls"), one.control_values),
        ),
        axis=_name(one.subset),
    )
    alt = info("study.controls-alt", patients=len(one.patients), controls=len(one.controls))
    return Figure(
        name=f"controls-{index}", drawing=drawing, alt=alt, caption=caption_of(drawing, info("study.controls-figure"))
    )


def _paired_figure(one: PairedChange, index: int) -> Block:
    drawing = Distributions(
        groups=(_group(info("study.before"), one.before), _group(info("study.on-treatment"), one.after)),
        axis=_name(one.subset),
        pairs=tuple((float(a), float(b)) for a, b in zip(one.before, one.after, strict=True)),
    )
    alt = info("study.paired-alt", patients=len(one.patients))
    return Figure(
        name=f"paired-{index}", drawing=drawing, alt=alt, caption=caption_of(drawing, info("study.paired-figure"))
    )


def _spread(median: float, low: float, high: float) -> Value:
    if not math.isfinite(median):
        return None
    return info("study.median-quartiles", median=significant(median), low=significant(low), high=significant(high))


def _control_table(found: list[ControlComparison]) -> NamedTable:
    heads = ("subset", "before", "controls", "shift", "mann-whitney", "welch", "delta", "holm")
    columns = [(info(f"study.cell-{head}"), head) for head in heads]
    rows: list[list[Cell]] = []
    for one in found:
        mine, others, tests = one.patient_summary, one.control_summary, one.tests
        cells: list[Cell] = [None] * 5
        if tests is not None:
            cells = [
                as_interval(tests.shift.estimate, tests.shift.interval),
                p_value(tests.mann_whitney.p_value),
                p_value(tests.welch.p_value),
                as_interval(tests.delta.delta, tests.delta.interval),
                p_value(tests.holm_p),
            ]
        spreads = (_spread(mine.median, mine.q1, mine.q3), _spread(others.median, others.q1, others.q3))
        rows.append([_name(one.subset), *spreads, *cells])
    notes = (info("study.cell-note"), info("study.controls-note"))
    table = table_of(columns, rows, caption=info("study.controls-caption"), notes=notes)
    return NamedTable(name="cells-controls", table=table)


def _paired_table(found: list[PairedChange]) -> NamedTable:
    heads = ("subset", "pairs", "before", "after", "shift", "wilcoxon", "wilcoxon-asymptotic", "paired-t", "holm")
    columns = [(info(f"study.cell-{head}"), head) for head in heads]
    rows: list[list[Cell]] = []
    for one in found:
        before, after, tests = one.before_summary, one.after_summary, one.tests
        cells: list[Cell] = [None] * 5
        if tests is not None:
            cells = [
                as_interval(tests.shift.estimate, tests.shift.interval),
                p_value(tests.wilcoxon.p_value),
                p_value(tests.wilcoxon_asymptotic.p_value),
                p_value(tests.paired_t.p_value),
                p_value(tests.holm_p),
            ]
        spreads = (_spread(before.median, before.q1, before.q3), _spread(after.median, after.q1, after.q3))
        rows.append([_name(one.subset), len(one.patients), *spreads, *cells])
    notes = (info("study.cell-note"), info("study.paired-note"))
    table = table_of(columns, rows, caption=info("study.paired-caption"), notes=notes)
    return NamedTable(name="cells-paired", table=table)


def _association_table(found: tuple[Association, ...], partner: str) -> list[Part]:
    known = [one for one in found if math.isfinite(one.spearman.coefficient)]
    if not known:
        return []
    heads = ("subset", "when", "pairs", "spearman", "p", "holm")
    columns = [(info(f"study.cell-{head}"), head) for head in heads]
    rows: list[list[Cell]] = [
        [
            _name(one.subset),
            info(f"study.when-{one.when.value}"),
            len(one.patients),
            as_interval(one.spearman.coefficient, one.spearman.interval),
            p_value(one.spearman.p_value),
            p_value(one.holm_p),
        ]
        for one in known
    ]
    table = table_of(columns, rows, caption=info(f"study.association-{partner}-caption"))
    return [NamedTable(name=f"cells-{partner}", table=table)]


def _course_table(found: tuple[CellCourse, ...]) -> list[Part]:
    known = [one for one in found if one.model.reason is None]
    if not known:
        return []
    heads = ("subset", "visits", "slope", "p")
    columns = [(info(f"study.cell-{head}"), head) for head in heads]
    rows: list[list[Cell]] = [
        [
            _name(one.subset),
            one.model.visits,
            as_interval(one.model.slope, one.model.slope_interval),
            p_value(one.model.slope_p_value),
        ]
        for one in known
    ]
    table = table_of(columns, rows, caption=info("study.slope-caption"), notes=(info("study.slope-note"),))
    return [NamedTable(name="cells-visits", table=table)]


def _points(compared: list[ControlComparison], paired: list[PairedChange]) -> NamedTable:
    """Every point of the figures, for export."""
    heads = ("subset", "who", "when", "value")
    columns = [(info(f"study.cell-{head}"), head) for head in heads]
    rows: list[list[Cell]] = []
    for one in compared:
        for person, value in zip(one.controls, one.control_values, strict=True):
            rows.append([_name(one.subset), person, info("study.controls"), float(value)])
    for pair in paired:
        for person, before, after in zip(pair.patients, pair.before, pair.after, strict=True):
            rows.append([_name(pair.subset), person, info("study.before"), float(before)])
            rows.append([_name(pair.subset), person, info("study.on-treatment"), float(after)])
    return NamedTable(
        name="cells-points", table=table_of(columns, rows, caption=info("study.points-caption")), shown=False
    )
