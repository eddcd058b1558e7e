# SPDX-License-Identifier: Apache-2.0
"""The figures of a review: what was extracted, judged, pooled and folded, brought into the shapes that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, log
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from sirolens.evidence.appraisal.form import Lights, lights, shares
from sirolens.evidence.appraisal.tools import OVERALL, item_words, judgement_words
from sirolens.evidence.extraction.form import AMONG_RESPONDERS, is_safety_outcome
from sirolens.evidence.extraction.outcome import NOT_REPORTED, OutcomeRow
from sirolens.evidence.pool.pooled import SHARE, Pooled, PoolLine, StudyLine
from sirolens.evidence.prisma.flow import ArmFlow, Flow
from sirolens.evidence.review.forms import Forms
from sirolens.evidence.review.protocol import Protocol
from sirolens.message import Message, info
from sirolens.report.baujat_figure import BaujatPlot
from sirolens.report.document import Figure
from sirolens.report.drawing import Drawing
from sirolens.report.effect_axis import EffectScale
from sirolens.report.flow_figure import FlowArm, FlowBox, FlowDiagram, FlowLine, FlowStep
from sirolens.report.forest_figure import ForestPlot, ForestRow, RowKind, forest_pages
from sirolens.report.funnel_figure import FunnelPlot
from sirolens.report.traffic_figure import Light, LightName, TrafficLights, TrafficSummary, traffic_pages
from sirolens.source import Mark

__all__ = [
    "RATIOS",
    "asymmetry_figures",
    "axis_of",
    "axis_scale",
    "counts_head",
    "counts_of",
    "figure_pages",
    "figure_scale",
    "flow_figure",
    "forest",
    "numbers_of",
    "plain_id",
    "reason_words",
    "robustness_figures",
    "study_name",
    "traffic_figures",
]

_Marks: TypeAlias = Callable[[StudyLine], bool]

RATIOS = frozenset({"OR", "RR"})
WANTED = frozenset(
    {"OR", "CR", "PR", "SR", "DURABLE", "OFF_ALL_THERAPY", "IMPROVED", "CR_OR_NEAR_CR", "PLATELETS", "PLATELETS_MEDIAN"}
)
TOLD_ON_THE_PLOT = frozenset(
    {
        "pooling.criteria-joined",
        "pooling.few-studies",
        "pooling.partners-joined",
        "pooling.populations-joined",
        "pooling.two-studies",
    }
)
"""What a plot says by itself when it is taken out of its page."""
UNWANTED = frozenset({"NR", "RELAPSE"})
FEWEST_FOR_FUNNEL = 10  # studies; below, no shape can be told from chance
FEWEST_FOR_BAUJAT = 3

LIGHTS: Mapping[str, Light] = MappingProxyType(
    {
        "low": Light.GOOD,
        "yes": Light.GOOD,
        "adequate": Light.GOOD,
        "some-concerns": Light.SOME,
        "moderate": Light.SOME,
        "unclear": Light.SOME,
        "inadequate": Light.SOME,
        "high": Light.BAD,
        "serious": Light.BAD,
        "no": Light.BAD,
        "not-reported": Light.BAD,
        "critical": Light.WORST,
        "no-information": Light.UNKNOWN,
        "not-applicable": Light.NONE,
    }
)
"""Every level of every appraisal tool with its light."""


def study_name(line: StudyLine, names: Mapping[str, str]) -> str:
    """Return how a study is shown: its name, with its cohort where it has several."""
    return line.label.replace(line.row.study, names.get(line.row.study, line.row.study), 1)


def figure_scale(pooled: Pooled) -> EffectScale:
    """Return the axis of an effect as readers know it."""
    if pooled.effect == SHARE:
        return EffectScale.SHARE
    return EffectScale.RATIO if pooled.effect in RATIOS else EffectScale.DIFFERENCE


def counts_of(k: float | None, n: float | None) -> str:
    """Write events of patients.

    >>> counts_of(12, 20), counts_of(None, 20)
    ('12/20', '–')
    """
    return "–" if k is None or n is None else f"{k:g}/{n:g}"


def counts_head(pooled: Pooled) -> Message:
    """Return what stands over the numbers of the arms."""
    return info("evidence.column-means" if pooled.effect in ("MD", "SMD") else "evidence.column-counts")


def axis_scale(pooled: Pooled) -> EffectScale:
    """Return the scale of the analysis: shares are compared on logits, ratios on logarithms."""
    return EffectScale.LOGIT if pooled.effect == SHARE else figure_scale(pooled)


def numbers_of(row: OutcomeRow) -> str:
    """Write what an arm brings: events of patients, or mean, deviation and patients.

    >>> numbers_of(OutcomeRow(study="A", outcome="OR", timepoint="3m", k=12, n=20))
    '12/20'
    >>> numbers_of(OutcomeRow(study="A", outcome="PLATELETS", timepoint="3m", mean=52.5, sd=11, n=20))
    '52.5 ± 11 (20)'
    """
    if row.k is None and row.mean is not None and row.sd is not None and row.n is not None:
        return f"{row.mean:g} ± {row.sd:g} ({row.n:g})"
    return counts_of(row.k, row.n)


def _sides(pooled: Pooled) -> tuple[Message, Message]:
    """What the directions of a comparison mean: response is wanted, harm is not; else only which is higher."""
    outcome = pooled.outcome.removesuffix(AMONG_RESPONDERS)
    control, sirolimus = info("evidence.favours-control"), info("evidence.favours-sirolimus")
    if outcome in WANTED:
        return control, sirolimus
    if outcome in UNWANTED or is_safety_outcome(outcome):
        return sirolimus, control
    return info("evidence.higher-with-control"), info("evidence.higher-with-sirolimus")


def axis_of(pooled: Pooled) -> Message:
    """Return what is estimated, in words; a difference of means with its unit."""
    unit = pooled.studies[0].row.unit if pooled.studies else ""
    if pooled.effect == "MD" and unit:
        return info("evidence.axis-md-unit", unit=unit)
    return info(f"evidence.axis-{pooled.effect.lower()}")


def forest(name: str, pooled: Pooled, names: Mapping[str, str], title: Message) -> tuple[Figure, ...]:
    """Draw the forest plot of a pooled question; a long one goes over several pages.

    Parameters
    ----------
    name : str
        Of the question.
    pooled : Pooled
    names : mapping of str to str
        How each study is shown.
    title : Message
        What was asked.
    """
    flags = _flags(pooled)
    codes = [code for code, _ in flags]
    compared = any(line.control is not None for line in pooled.studies)
    rows = [
        ForestRow(
            name=study_name(line, names),
            middle=line.estimate,
            low=line.interval.low,
            high=line.interval.high,
            columns=(
                numbers_of(line.row),
                *((numbers_of(line.control),) if line.control is not None else ("–",) * compared),
            ),
            weight=line.weight,
            notes=tuple(index for index, (_, marked) in enumerate(flags) if marked(line)),
        )
        for line in pooled.studies
    ]
    rows += _diamonds(pooled)
    sides = _sides(pooled) if compared else None
    plot = ForestPlot(
        rows=tuple(rows),
        axis=axis_of(pooled),
        scale=figure_scale(pooled),
        columns=(counts_head(pooled), *((info("evidence.column-against"),) if compared else ())),
        sides=sides,
        notes=tuple(info(code) for code in codes),
        statements=_statements(pooled),
    )
    alt = info("evidence.forest-alt", title=title)
    return figure_pages(plain_id("forest", name), forest_pages(plot), alt, title)


def figure_pages(name: str, drawings: Sequence[Drawing], alt: Message, caption: Message) -> tuple[Figure, ...]:
    """One figure for each page of a drawing; the caption stands under the last."""
    last = len(drawings) - 1
    return tuple(
        Figure(
            name=f"{name}-{index}" if last else name, drawing=one, alt=alt, caption=caption if index == last else None
        )
        for index, one in enumerate(drawings)
    )


def plain_id(kind: str, name: str) -> str:
    """Return the name of a figure inside its document.

    >>> plain_id("forest", "OR 3m")
    'forest-or-3m'
    """
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in name)
    return f"{kind}-{plain.lower()}"


def _flags(pooled: Pooled) -> list[tuple[str, _Marks]]:
    """The footnotes that occur, each with the studies that carry it."""
    known: list[tuple[str, _Marks]] = [
        ("evidence.flag-criteria", lambda line: line.row.criteria == NOT_REPORTED),
        ("evidence.flag-derived", lambda line: line.row.mark is Mark.DERIVED),
        ("evidence.flag-second-hand", lambda line: line.row.mark is Mark.SEEN_SECOND_HAND),
        ("evidence.flag-corrected", lambda line: line.corrected),
    ]
    return [(code, marked) for code, marked in known if any(map(marked, pooled.studies))]


def _diamonds(pooled: Pooled) -> list[ForestRow]:
    rows: list[ForestRow] = []
    shown = [line for line in (pooled.main, *pooled.beside) if line is not None]
    for line in shown[:1] + [one for one in shown[1:] if one.method == "half-normal"]:
        words = info(f"evidence.method-{line.method}")
        columns = ("",) * (2 if any(one.control is not None for one in pooled.studies) else 1)
        interval, prediction = line.interval, line.prediction
        rows.append(
            ForestRow(
                name=words,
                kind=RowKind.POOLED,
                middle=line.estimate,
                low=interval.low,
                high=interval.high,
                columns=columns,
            )
        )
        if isfinite(prediction.low) and isfinite(prediction.high):
            rows.append(
                ForestRow(
                    name=info("evidence.column-prediction"),
                    kind=RowKind.PREDICTION,
                    low=prediction.low,
                    high=prediction.high,
                    columns=columns,
                )
            )
    return rows


def _statements(pooled: Pooled) -> tuple[Message, ...]:
    few = [one for one in pooled.messages if one.code in TOLD_ON_THE_PLOT]
    found = pooled.heterogeneity
    if not isfinite(found.q.statistic):
        return tuple(few)
    scatter = info(
        "evidence.forest-scatter",
        q=f"{found.q.statistic:.1f}",
        df=int(found.q.df or 0),
        i2_percent=100 * found.i2_tau2,
        scale=info(f"evidence.scale-{pooled.scale if pooled.effect == SHARE else pooled.effect.lower()}"),
    )
    return (scatter, *few)


def robustness_figures(name: str, pooled: Pooled, names: Mapping[str, str], title: Message) -> tuple[Figure, ...]:
    """Draw the pool without each study in turn, and as studies came in; nothing where neither says anything."""
    labels = {line.label: study_name(line, names) for line in pooled.studies}
    groups = (("evidence.without", pooled.leave_one_out), ("evidence.with-added", pooled.cumulative))
    rows: list[ForestRow] = []
    for heading, lines in groups:
        if lines:
            rows.append(ForestRow(name=info(heading), kind=RowKind.HEADING))
            rows += [_robust(line, labels) for line in lines]
    if not rows:
        return ()
    plot = ForestPlot(rows=tuple(rows), axis=axis_of(pooled), scale=figure_scale(pooled), weights=False)
    caption = info("evidence.robustness-caption", title=title)
    return figure_pages(plain_id("robustness", name), forest_pages(plot), caption, caption)


def _robust(line: PoolLine, labels: Mapping[str, str]) -> ForestRow:
    return ForestRow(
        name=labels.get(line.label, line.label),
        middle=line.estimate,
        low=line.interval.low,
        high=line.interval.high,
    )


def traffic_figures(forms: Forms) -> tuple[tuple[Figure, ...], tuple[Message, ...]]:
    """Draw the appraisals: lights and summary for each tool, and what must be said of them."""
    names = forms.names()
    tools = tuple(dict.fromkeys(one.tool for one in forms.appraisals))
    figures: list[Figure] = []
    messages: list[Message] = []
    for tool in tools:
        told = lights([one for one in forms.appraisals if one.tool == tool], names)
        figures += _traffic(told)
        messages += told.messages
    return tuple(figures), tuple(dict.fromkeys(messages))


def _traffic(told: Lights) -> list[Figure]:
    words = tuple(item_words(told.tool, item) for item in told.items)
    meanings = tuple(LightName(light=LIGHTS[level], name=judgement_words(level)) for level in told.levels)
    name = info(f"evidence.tool-{told.tool}")
    plot = TrafficLights(
        studies=told.studies,
        domains=words,
        lights=tuple(tuple(LIGHTS[told.levels[code]] for code in row) for row in told.codes),
        meanings=meanings,
        study_head=info("evidence.column-study"),
        overall=told.items[-1] == OVERALL,
    )
    summed = shares(told)
    summary = TrafficSummary(
        domains=words,
        shares=tuple(tuple(float(part) for part in row) for row in summed.shares),
        meanings=meanings,
        axis=info("evidence.axis-studies"),
        overall=told.items[-1] == OVERALL,
    )
    shown, whole = (info(f"evidence.{kind}-caption", tool=name) for kind in ("lights", "summary"))
    return [
        *figure_pages(plain_id("lights", told.tool), traffic_pages(plot), shown, shown),
        Figure(name=plain_id("summary", told.tool), drawing=summary, alt=whole, caption=whole),
    ]


def asymmetry_figures(name: str, pooled: Pooled, names: Mapping[str, str], title: Message) -> tuple[Figure, ...]:
    """Draw what each study does to the pool (Baujat), and with enough studies the funnel."""
    known = tuple(study_name(line, names) for line in pooled.studies)
    found: list[Figure] = []
    if pooled.baujat is not None and pooled.k >= FEWEST_FOR_BAUJAT:
        parts, moved = pooled.baujat.heterogeneity, pooled.baujat.influence
        plot = BaujatPlot(heterogeneity=tuple(parts.tolist()), influence=tuple(moved.tolist()), names=known)
        caption = info("evidence.baujat-caption", title=title)
        found.append(Figure(name=plain_id("baujat", name), drawing=plot, alt=caption, caption=caption))
    if pooled.k >= FEWEST_FOR_FUNNEL:
        filled = pooled.filled
        funnel = FunnelPlot(
            effects=tuple(pooled.y.tolist()),
            errors=tuple(np.sqrt(pooled.v).tolist()),
            names=known,
            centre=_centre(pooled),
            axis=axis_of(pooled),
            scale=axis_scale(pooled),
            filled_effects=() if filled is None else tuple(filled.y.tolist()),
            filled_errors=() if filled is None else tuple(np.sqrt(filled.v).tolist()),
        )
        caption = info("evidence.funnel-caption", title=title)
        found.append(Figure(name=plain_id("funnel", name), drawing=funnel, alt=caption, caption=caption))
    return tuple(found)


def _centre(pooled: Pooled) -> float:
    """The pooled effect on the scale of the analysis."""
    line = pooled.line("logit") if pooled.effect == SHARE else pooled.main
    if line is None or not isfinite(line.estimate):
        return float("nan")
    if pooled.effect == SHARE:
        inside = 0.0 < line.estimate < 1.0
        return log(line.estimate / (1.0 - line.estimate)) if inside else float("nan")
    return log(line.estimate) if pooled.effect in RATIOS else line.estimate


def flow_figure(flow: Flow, reasons: Mapping[str, str] | None = None) -> Figure:
    """Draw the PRISMA 2020 flow; what does not occur is left out.

    Parameters
    ----------
    flow : Flow
    reasons : mapping of str to str, optional
        How the reasons to exclude are told; see `reason_words`.
    """
    words = {} if reasons is None else reasons
    living = bool(flow.previous.reports or flow.dropped.reports or flow.reconsidered.reports)
    changes = [
        *_count("flow-dropped", flow.dropped.reports, needed=False),
        *_count("flow-reconsidered", flow.reconsidered.reports, needed=False),
    ]
    diagram = FlowDiagram(
        main=FlowArm(head=info("evidence.flow-main"), steps=_steps(flow.main, flow.main.screened, words)),
        other=FlowArm(head=info("evidence.flow-other"), steps=_steps(flow.other, None, words))
        if flow.other.identified
        else None,
        new=_included("flow-new" if living else "flow-first", flow.new.studies, flow.new.reports),
        previous_head=info("evidence.flow-previous-head") if living else None,
        previous=_included("flow-previous", flow.previous.studies, flow.previous.reports) if living else None,
        total=_included("flow-total", flow.total.studies, flow.total.reports) if living else None,
        changes=FlowBox(lines=tuple(changes)) if changes else None,
        draft=flow.draft,
    )
    alt = info("evidence.flow-alt")
    return Figure(name="flow", drawing=diagram, alt=alt, caption=info("evidence.flow-caption", number=flow.version))


def reason_words(protocol: Protocol | None, language: str) -> dict[str, str]:
    """Return how a protocol tells its reasons to exclude, by their short names."""
    if protocol is None:
        return {}
    zh = language.startswith("zh")
    return {one.id: (one.text_zh if zh and one.text_zh else one.text) for one in protocol.reasons}


def _count(code: str, count: int, *, needed: bool = True, indent: bool = False) -> list[FlowLine]:
    return [FlowLine(text=info(f"evidence.{code}"), count=count, indent=indent)] if count or needed else []


def _included(code: str, studies: int, reports: int) -> FlowBox:
    return FlowBox(
        lines=(
            FlowLine(text=info(f"evidence.{code}"), bold=True),
            FlowLine(text=info("evidence.column-flow-studies"), count=studies),
            FlowLine(text=info("evidence.column-flow-reports"), count=reports),
        )
    )


def _pending(count: int) -> list[FlowLine]:
    return [FlowLine(text=info("evidence.flow-pending"), count=count, pending=True)] if count else []


def _sources(arm: ArmFlow) -> list[FlowLine]:
    lines = _count("flow-identified", arm.identified)
    for named in (arm.databases, arm.registers):
        lines += [
            FlowLine(text=name or info("evidence.flow-unnamed"), count=count, indent=True)
            for name, count in named.items()
        ]
    lines += [FlowLine(text=info(f"evidence.route-{name}"), count=n, indent=True) for name, n in arm.others.items()]
    return lines


def _steps(arm: ArmFlow, screened: int | None, words: Mapping[str, str]) -> tuple[FlowStep, ...]:
    """The steps of an arm; other methods are not screened by title in the diagram, what was excluded so left before."""
    gone = [
        *_count("flow-known", arm.known, needed=False),
        *_count("flow-duplicates", arm.duplicates, needed=screened is not None),
        *_count("flow-automatic", arm.automatic, needed=False),
        *_count("flow-removed", arm.removed, needed=False),
    ]
    if screened is None:
        gone += _count("flow-excluded", arm.excluded, needed=False) + _pending(arm.pending)
    reasons = [
        FlowLine(text=words.get(reason, reason) or info("evidence.flow-no-reason"), count=count, indent=True)
        for reason, count in arm.reasons.items()
    ]
    out = [FlowLine(text=info("evidence.flow-fulltext-excluded"), count=sum(arm.reasons.values())), *reasons]
    if gone:
        gone.insert(0, FlowLine(text=info("evidence.flow-removed-before"), bold=True))
    steps = [FlowStep(row=0, box=FlowBox(lines=tuple(_sources(arm))), aside=_box(gone))]
    if screened is not None:
        aside = _box([*_count("flow-excluded", arm.excluded), *_pending(arm.pending)])
        steps.append(FlowStep(row=1, box=FlowBox(lines=tuple(_count("flow-screened", screened))), aside=aside))
    rest = (
        (
            "flow-sought",
            arm.sought,
            [*_count("flow-not-retrieved", arm.not_retrieved), *_pending(arm.retrieval_pending)],
        ),
        ("flow-assessed", arm.assessed, [*out, *_pending(arm.assessed_pending)]),
    )
    for row, (code, count, beside) in enumerate(rest, start=2):
        steps.append(FlowStep(row=row, box=FlowBox(lines=tuple(_count(code, count))), aside=_box(beside)))
    return tuple(steps)


def _box(lines: list[FlowLine]) -> FlowBox | None:
    return FlowBox(lines=tuple(lines)) if lines else None
