# SPDX-License-Identifier: Apache-2.0
"""The people of a study report: patient flow, table 1, one line per patient, and what the source said of them."""

from __future__ import annotations

from sirolens.message import Message, Value, info
from sirolens.report.document import Cell, Figure, Heading, Paragraph
from sirolens.response.states import STATES, Reason
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.cohort.baseline import BaselineRow, Numeric
from sirolens.study.cohort.flow import FlowStep
from sirolens.study.page_parts import NamedTable, Part, arm_name, declared_name, table_of

__all__ = ["baseline_parts", "flow_parts", "patient_parts", "reported_parts", "swimmer_figure"]

MOST_LISTED = 60
"""Patients listed on the page; the exported table has all."""


def _groups(analysis: Analysis) -> list[tuple[Message | str, str]]:
    """All patients, and each arm of a study of several."""
    arms = analysis.outcomes.arm_names
    groups: list[tuple[Message | str, str]] = [(info("study.all-patients"), "")]
    if len(arms) > 1:
        groups += [(arm_name(analysis.cohort, arm) if arm else info("study.no-arm"), arm) for arm in arms]
    return groups


def _head(name: Message | str) -> Message:
    return name if isinstance(name, Message) else info("study.name", name=name)


def flow_parts(analysis: Analysis) -> list[Part]:
    """Show how many patients came how far."""
    groups = _groups(analysis)
    columns = [
        (info("study.column-step"), "step"),
        *((_head(name), f"patients{i}") for i, (name, _) in enumerate(groups)),
    ]
    rows: list[list[Cell]] = [[_step(one), *one.counts] for one in analysis.flow]
    table = table_of(columns, rows, caption=info("study.flow-caption"), notes=(info("study.flow-note"),))
    return [Heading(text=info("study.flow")), NamedTable(name="flow", table=table)]


def _step(step: FlowStep) -> Message:
    if step.step == "left":
        return info("study.flow-left", why=info(f"study.left-{step.detail}"))
    if step.detail:
        return info(f"study.flow-{step.step}", landmark_day=step.detail)
    return info(f"study.flow-{step.step}")


def baseline_parts(analysis: Analysis, language: str) -> list[Part]:
    """Show table 1."""
    groups = _groups(analysis)
    columns = [(info("study.column-characteristic"), "characteristic")]
    columns += [(_head(name), f"group{i}") for i, (name, _) in enumerate(groups)]
    columns.append((info("study.column-missing"), "missing"))
    rows = [[_base_name(row, language), *_base_cells(row), _missing(row)] for row in analysis.baseline]
    notes = (info("study.baseline-note"), info("study.baseline-quartiles"))
    table = table_of(columns, rows, caption=info("study.baseline-caption"), notes=notes)
    return [
        Heading(text=info("study.baseline")),
        NamedTable(name="baseline", table=table),
        *_numbers(analysis, language),
    ]


def _numbers(analysis: Analysis, language: str) -> list[Part]:
    """The numbers of table 1 in columns of their own, for whoever goes on computing."""
    heads = ("characteristic", "group", "n", "median", "low", "high", "least", "most", "missing")
    columns = [(info(f"study.number-{head}"), head) for head in heads]
    rows: list[list[Cell]] = []
    for row in analysis.baseline:
        for (name, _), one, missing in zip(_groups(analysis), row.numbers, row.missing, strict=False):
            cells = (one.n, one.median, one.low, one.high, one.least, one.most, missing)
            rows.append([_base_name(row, language), name, *cells])
    table = table_of(columns, rows, caption=info("study.numbers-caption"))
    return [NamedTable(name="baseline-numbers", table=table, shown=False)]


def _base_name(row: BaselineRow, language: str) -> Value:
    name: Value = info(f"study.base-{row.name}") if row.declared is None else declared_name(row.declared, language)
    if not row.counts:
        return name
    return info("study.base-value", name=name, value=_category(row))


def _category(row: BaselineRow) -> Value:
    if not row.value:
        return info("study.not-known")
    if row.value in ("yes", "no") and row.declared is not None:
        return info(f"study.answer-{row.value}")
    if row.declared is not None:
        return row.value
    if row.name == "age-group":
        return info(f"study.age-{row.value}")
    return info("study.diagnosis", diagnosis=row.value) if row.name == "diagnosis" else info("study.sex", sex=row.value)


def _base_cells(row: BaselineRow) -> list[Cell]:
    if row.counts:
        return [info("study.count-share", k=k, n=n, share_percent=100 * k / n) if n else None for k, n in row.counts]
    return [_spread(one) for one in row.numbers]


def _spread(one: Numeric) -> Value:
    if not one.n:
        return None
    return info(
        "study.spread",
        median=_rounded(one.median),
        low=_rounded(one.low),
        high=_rounded(one.high),
        least=_rounded(one.least),
        most=_rounded(one.most),
    )


def _rounded(value: float) -> float:
    return round(value, 1)


def _missing(row: BaselineRow) -> Value:
    return ", ".join(str(one) for one in row.missing)


def patient_parts(analysis: Analysis) -> list[Part]:
    """List every patient with the verdict; a long list is exported and not printed."""
    outcomes, found = analysis.outcomes, analysis.outcomes.classified
    landmarks = outcomes.criteria.landmarks_d
    several = len(outcomes.arm_names) > 1
    columns = [
        (info("study.column-patient"), "patient"),
        *([(info("study.column-arm"), "arm")] if several else []),
        (info("study.column-baseline"), "baseline_10e9_l"),
        *((info("study.column-landmark", day=day), f"landmark{day}") for day in landmarks),
        (info("study.column-best"), "best"),
        (info("study.column-response-day"), "achieved_d"),
        (info("study.column-duration"), "duration_d"),
        (info("study.column-ended"), "ended"),
        (info("study.column-followed"), "followed_d"),
    ]
    rows: list[list[Cell]] = []
    for i, patient in enumerate(outcomes.ids):
        baseline = float(outcomes.visits.baseline_10e9_l[i])
        duration = int(found.duration_d[i])
        rows.append(
            [
                patient,
                *([arm_name(analysis.cohort, outcomes.arms[i])] if several else []),
                None if baseline != baseline else baseline,
                *(_verdict(analysis, i, j) for j in range(len(landmarks))),
                None if found.best[i] < 0 else info(f"study.short-{STATES[int(found.best[i])].value}"),
                _day(int(found.achieved_day[i])),
                None if duration < 0 else duration,
                None if duration < 0 else bool(found.duration_ended[i]),
                _day(int(outcomes.followed_d[i])),
            ]
        )
    shown = len(rows) <= MOST_LISTED
    notes = [info("study.patients-note")]
    table = table_of(columns, rows, caption=info("study.patients-caption"), notes=notes)
    heading = Heading(text=info("study.patients"))
    parts: list[Part] = [heading, NamedTable(name="patients", table=table, shown=shown)]
    if not shown:
        parts.insert(1, Paragraph(sentences=(info("study.patients-exported", patients=len(rows), most=MOST_LISTED),)))
    return parts


def _verdict(analysis: Analysis, patient: int, landmark: int) -> Value:
    states, reasons = analysis.outcomes.at_landmark(landmark)
    state, reason = STATES[int(states[patient])], Reason(int(reasons[patient]))
    short = info(f"study.short-{state.value}")
    if reason in (Reason.CONFIRMED, Reason.NOT_DUE, Reason.COUNT):
        return short
    return info("study.state-reason", state=short, why=info(f"study.why-{reason.name.lower().replace('_', '-')}"))


def _day(day: int) -> Value:
    return None if day < 0 else day


def reported_parts(analysis: Analysis) -> list[Part]:
    """Show where the source's own response column and the verdict differ."""
    if not analysis.reported_compared:
        return []
    heading = Heading(text=info("study.reported"))
    differ = len(analysis.contradictions)
    said = info("study.reported-says", compared=analysis.reported_compared, differ=differ)
    parts: list[Part] = [heading, Paragraph(sentences=(said, info("study.reported-kept")))]
    if not differ:
        return parts
    columns = [
        (info("study.column-patient"), "patient"),
        (info("study.column-about"), "about"),
        (info("study.column-written"), "written"),
        (info("study.column-verdict"), "verdict"),
        (info("study.column-place"), "place"),
    ]
    rows: list[list[Cell]] = []
    for one in analysis.contradictions:
        about: Value = info("study.best") if one.landmark_d is None else info("study.day", day=one.landmark_d)
        verdict = info(f"study.short-{one.found.value}")
        if one.reason not in (None, Reason.CONFIRMED, Reason.COUNT):
            why = info(f"study.why-{one.reason.name.lower().replace('_', '-')}")
            verdict = info("study.state-reason", state=verdict, why=why)
        rows.append([one.patient, about, one.reported.written, verdict, "" if one.place is None else str(one.place)])
    table = table_of(columns, rows, caption=info("study.reported-caption"))
    return [*parts, NamedTable(name="reported", table=table, shown=len(rows) <= MOST_LISTED)]


def swimmer_figure(analysis: Analysis) -> Figure:
    """Draw every patient's lane."""
    swimmer = analysis.swimmer
    drawn, patients = swimmer.shown, len(swimmer.lanes)
    caption = info("study.swimmer-caption")
    if drawn < patients:
        caption = info("study.swimmer-caption-some", drawn=drawn, patients=patients)
    return Figure(name="swimmer", drawing=swimmer, alt=info("study.swimmer-alt", patients=patients), caption=caption)
