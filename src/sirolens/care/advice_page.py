# SPDX-License-Identifier: Apache-2.0
"""The first page of advice, for the prescriber: the dose, why, what to watch, when to sample; plain words only.

Five headings in the order a reader asks: was the level to be expected, does the present dose suit, what will the next
one do, when to look again, what to beware of. What a pharmacist needs besides is in `sirolens.care.details_page`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sirolens.care.consult import Consultation
from sirolens.care.details_page import details_blocks
from sirolens.care.warnings import from_reading, gathered
from sirolens.chart import BleedingAsked, Chart, DoseStatus
from sirolens.dosing.options import Option
from sirolens.dosing.ranking import Outcome
from sirolens.dosing.recommend import Advice
from sirolens.message import Message, Severity, Value, info
from sirolens.report.document import (
    Block,
    Document,
    Figure,
    Findings,
    Heading,
    Headline,
    KeyFact,
    KeyFacts,
    PageBreak,
    Paragraph,
)
from sirolens.report.figures import (
    Band,
    Bleed,
    DoseBar,
    DoseBars,
    DoseRow,
    LevelCourse,
    LevelPoint,
    PlateletCourse,
    PlateletPoint,
    Rescue,
)
from sirolens.response.reasons import state_name

__all__ = ["advice_document", "dose_bars", "level_course"]

MOST_BARS = 6
"""Regimens in the figure; the pharmacist's table has all."""
HEADLINES = {
    Outcome.START: "advice.start",
    Outcome.KEEP: "advice.keep",
    Outcome.CHANGE: "advice.change",
    Outcome.RANGE: "advice.range",
    Outcome.NONE: "advice.none",
    Outcome.NOT_COMPUTED: "advice.not-computed",
}


def advice_document(consultation: Consultation, *, version: str, details: bool = True) -> Document:
    """Lay a consultation out as a document.

    Parameters
    ----------
    consultation : Consultation
        What was found and advised.
    version : str
        Version of the program.
    details : bool
        Whether the pharmacist's pages follow the first one.

    Returns
    -------
    Document
        Without language; the renderers say it in English or Chinese.
    """
    advice, chart = consultation.advice, consultation.chart
    blocks: list[Block] = [
        _headline(advice),
        _key_facts(consultation),
        Heading(text=info("advice.expectedness")),
        Paragraph(sentences=_expectedness(consultation)),
        Heading(text=info("advice.suitability")),
        Paragraph(sentences=_suitability(advice)),
        Heading(text=info("advice.prediction")),
        Paragraph(sentences=_prediction(advice)),
        Heading(text=info("advice.remonitoring")),
        Paragraph(sentences=(advice.next_sample.reason, advice.next_sample.how, *advice.next_sample.also)),
        Heading(text=info("advice.warning")),
        Findings(messages=gathered((*advice.messages, *consultation.flags))),
        Heading(text=info("advice.figures")),
        *_figures(consultation),
        *_reading(consultation),
    ]
    if details:
        blocks += [PageBreak(), *details_blocks(consultation)]
    age = chart.patient.age_on(advice.at.astimezone(ZoneInfo(chart.zone)).date())
    weight = advice.who.weight_kg
    return Document(
        title=info("advice.title"),
        banner=info(
            "advice.banner",
            patient=chart.patient.id,
            age_years=info("advice.unknown") if age is None else age,
            weight_kg=info("advice.unknown") if weight is None else weight,
            sex=chart.patient.sex.value,
            diagnosis=chart.patient.diagnosis,
        ),
        blocks=tuple(blocks),
        made_at=advice.at,
        version=version,
        zone=chart.zone,
        invented=chart.patient.invented,
    )


def _headline(advice: Advice) -> Headline:
    first = advice.first
    values: dict[str, Value] = {}
    if first is not None:
        values["regimen_text"] = first.plan.message
    elif advice.range_mg is not None:
        values |= {"low_mg": advice.range_mg[0], "high_mg": advice.range_mg[1]}
    blocked = any(message.severity is Severity.CRITICAL for message in advice.messages)
    severity = Severity.CRITICAL if blocked else Severity.INFO if first is not None else Severity.WARNING
    text = Message(code=HEADLINES[advice.outcome], severity=severity, items=tuple(sorted(values.items())))
    taken = () if first is None else tuple(info("advice.each-intake", portions=i) for i in first.portions if i)
    before = (info("advice.critical-first"),) if blocked else ()
    return Headline(text=text, details=(*before, *taken, *advice.reasons))


def _chance(option: Option, advice: Advice) -> Message:
    return info(
        "advice.chance",
        low_ng_ml=advice.target.low_ng_ml,
        high_ng_ml=advice.target.high_ng_ml,
        in_probability=option.p_true_in,
        below_probability=option.p_low,
        above_probability=option.p_high,
        trough_ng_ml=option.trough_ng_ml.median,
        trough_low_ng_ml=option.trough_ng_ml.low,
        trough_high_ng_ml=option.trough_ng_ml.high,
    )


def _key_facts(consultation: Consultation) -> KeyFacts:
    advice, found = consultation.advice, consultation.response
    sample, target = advice.next_sample, advice.target
    now = info("advice.no-dose") if advice.current is None else advice.current.plan.message
    span = info("advice.target-range", low_ng_ml=target.low_ng_ml, high_ng_ml=target.high_ng_ml)
    when = info("advice.sample-window", earliest=sample.earliest, latest=sample.latest)
    state = info("advice.response-state", state=state_name(found.state), written=found.criteria.title)
    return KeyFacts(
        facts=(
            KeyFact(label=info("advice.present-dose"), value=now),
            KeyFact(label=info("advice.next-sample"), value=when),
            KeyFact(label=info("advice.target"), value=span),
            KeyFact(label=info("advice.response"), value=state),
        )
    )


def _expectedness(consultation: Consultation) -> tuple[Message, ...]:
    """Each of the newest levels beside what was to be expected before it was known."""
    return consultation.expectedness or (info("advice.no-levels"),)


def _suitability(advice: Advice) -> tuple[Message, ...]:
    if advice.current is None:
        return (info("advice.nothing-taken"), *advice.protocol)
    present = [option for option in (*advice.options, *(r.option for r in advice.refused)) if option.current]
    if not present:
        return (info("advice.present-not-computed"), *advice.protocol)
    option = present[0]
    said = info(
        "advice.present-chance",
        regimen_text=option.plan.message,
        in_probability=option.p_true_in,
        below_probability=option.p_low,
        above_probability=option.p_high,
    )
    return (said, *advice.protocol)


def _prediction(advice: Advice) -> tuple[Message, ...]:
    """What is put forward would do; and the label's own rule beside it."""
    said = () if advice.first is None else (_chance(advice.first, advice),)
    return (*said, advice.rule.message, *advice.would_change)


def _figures(consultation: Consultation) -> list[Block]:
    advice = consultation.advice
    course = Figure(
        name="levels",
        drawing=level_course(consultation),
        alt=info("advice.level-alt", levels=len(consultation.chart.levels)),
        caption=consultation.curve_caption,
    )
    if not advice.options:
        return [course]
    bars = Figure(name="doses", drawing=dose_bars(advice), alt=info("advice.doses-alt", options=len(advice.options)))
    return [course, bars]


def _reading(consultation: Consultation) -> list[Block]:
    """What was converted, assumed or set aside in reading the chart: to be looked through before the dose is used."""
    told = tuple(dict.fromkeys(flag for flag in consultation.flags if from_reading(flag)))
    return [Heading(text=info("advice.reading")), Findings(messages=told)] if told else []


def level_course(consultation: Consultation) -> LevelCourse:
    """Gather what the level-time figure draws."""
    chart, advice = consultation.chart, consultation.advice
    since = consultation.since
    curve = consultation.curve
    band = None
    if curve is not None:
        low90, low50, median, high50, high90 = (tuple(row) for row in curve.quantile_ng_ml)
        band = Band(at=curve.at, median=median, low50=low50, high50=high50, low90=low90, high90=high90)
    return LevelCourse(
        now=advice.at,
        target_low_ng_ml=advice.target.low_ng_ml,
        target_high_ng_ml=advice.target.high_ng_ml,
        band=band,
        points=tuple(
            LevelPoint(
                at=level.at,
                level_ng_ml=level.level_ng_ml,
                assay=level.assay,
                quantification=level.quantification.value,
                excluded=level.excluded is not None,
            )
            for level in chart.levels
            if level.at >= since
        ),
        doses=_dose_bars(consultation, since),
        platelets=_platelets(chart, since),
    )


def _dose_bars(consultation: Consultation, since: datetime) -> tuple[DoseBar, ...]:
    chart, at = consultation.chart, consultation.advice.at
    taken = tuple(DoseBar(at=i.at, amount_mg=i.amount_mg) for i in chart.intakes(at) if i.at >= since)
    other = tuple(
        DoseBar(at=dose.at, amount_mg=dose.amount_mg, status=dose.status.value)
        for dose in chart.doses
        if dose.status is not DoseStatus.TAKEN and dose.at >= since
    )
    uncertain = {bar.at for bar in other}
    planned = tuple(DoseBar(at=i.at, amount_mg=i.amount_mg, status="planned") for i in consultation.planned)
    return (*(bar for bar in taken if bar.at not in uncertain), *other, *planned)


def _platelets(chart: Chart, since: datetime) -> PlateletCourse | None:
    counts = tuple(
        PlateletPoint(at=count.at, count_10e9_l=count.count_10e9_l)
        for count in chart.platelet_counts
        if count.at >= since
    )
    if not counts:
        return None
    return PlateletCourse(
        counts=counts,
        bleedings=tuple(
            Bleed(at=bleeding.at, grade=bleeding.grade)
            for bleeding in chart.bleedings
            if bleeding.asked is BleedingAsked.GRADED and bleeding.at >= since
        ),
        rescues=tuple(
            Rescue(start=max(therapy.at, since), stop=therapy.stop, drug=therapy.drug)
            for therapy in chart.therapies
            if therapy.role == "rescue" and (therapy.stop is None or therapy.stop >= since)
        ),
    )


def dose_bars(advice: Advice) -> DoseBars:
    """Gather what the dose figure draws: the best options and what is taken now."""
    best = advice.options[:MOST_BARS]
    now = tuple(option for option in advice.options[MOST_BARS:] if option.current)
    return DoseBars(
        rows=tuple(
            DoseRow(
                regimen=option.plan.message,
                low_probability=option.p_low,
                in_probability=option.p_true_in,
                high_probability=option.p_high,
                trough_ng_ml=option.trough_ng_ml.median,
                trough_low_ng_ml=option.trough_ng_ml.low,
                trough_high_ng_ml=option.trough_ng_ml.high,
                current=option.current,
            )
            for option in (*best, *now)
        ),
        target_low_ng_ml=advice.target.low_ng_ml,
        target_high_ng_ml=advice.target.high_ng_ml,
    )
