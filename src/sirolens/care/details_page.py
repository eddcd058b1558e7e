# SPDX-License-Identifier: Apache-2.0
"""The pharmacist's pages: every option with its numbers, the rules beside it, the models and their fit, the limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce

from sirolens.care.consult import Consultation
from sirolens.care.warnings import GROUPED
from sirolens.dosing.options import Band, Option
from sirolens.dosing.protocol import listed
from sirolens.dosing.recommend import Advice
from sirolens.message import Message, Severity, info
from sirolens.report.document import (
    Block,
    Cell,
    Column,
    Findings,
    Heading,
    Interval,
    KeyFact,
    KeyFacts,
    Paragraph,
    Table,
)

__all__ = ["details_blocks"]


def details_blocks(consultation: Consultation) -> tuple[Block, ...]:
    """Lay the pharmacist's pages out.

    Parameters
    ----------
    consultation : Consultation
        What was found and advised.
    """
    advice = consultation.advice
    parts = (
        [Heading(text=info("advice.details"))],
        _options(advice),
        _refused(advice),
        _rules(advice),
        _protocol(advice),
        _models(consultation),
        _levels(consultation),
        _parameters(consultation),
        _interactions(advice),
        _changes(advice),
        _remarks(consultation),
        _settings(advice),
        _provenance(consultation),
    )
    return tuple(block for part in parts for block in part)


def _interval(band: Band | None) -> Interval | None:
    return None if band is None else Interval(middle=band.median, low=band.low, high=band.high)


def _option_cells(option: Option, advice: Advice) -> tuple[Cell, ...]:
    portions = tuple(message for intake in option.portions for message in intake)
    return (
        option.plan.message,
        portions or None,
        option.daily_mg,
        _interval(option.trough_ng_ml),
        option.p_low,
        option.p_true_in,
        option.p_high,
        option.p_level_in,
        *((_interval(option.auc24_ng_h_ml),) if advice.auc24_reason is None or option.auc24_ng_h_ml else ()),
        option.change_mg,
    )


def _options(advice: Advice) -> list[Block]:
    if not advice.options:
        return []
    with_auc = all(advice.auc24_reason is None or option.auc24_ng_h_ml for option in advice.options)
    names = (
        ("advice.column-regimen", "regimen"),
        ("advice.column-portions", "portions"),
        ("advice.column-daily", "daily_mg"),
        ("advice.column-trough", "trough_ng_ml"),
        ("advice.column-low", "low_probability"),
        ("advice.column-in", "in_probability"),
        ("advice.column-high", "high_probability"),
        ("advice.column-level-in", "level_in_probability"),
        *((("advice.column-auc", "auc24_ng_h_ml"),) if with_auc else ()),
        ("advice.column-change", "change_mg"),
    )
    table = Table(
        columns=tuple(Column(head=info(code), name=name) for code, name in names),
        rows=tuple(_option_cells(option, advice) for option in advice.options),
        caption=info("advice.options-caption"),
        notes=() if advice.auc24_reason is None else (advice.auc24_reason,),
        marked=tuple(i for i, option in enumerate(advice.options) if option.current),
    )
    return [Heading(text=info("advice.options"), level=3), table, *_flags(advice)]


def _flags(advice: Advice) -> list[Block]:
    """What must be said of options, once each, with the regimens it is true of."""
    regimens: dict[Message, list[Message]] = {}
    for option in advice.options:
        for flag in option.flags:
            regimens.setdefault(flag, []).append(option.plan.message)
    said = tuple(
        Message(
            code="advice.flag-of",
            severity=flag.severity,
            items=(("flag", flag), ("regimens", tuple(of))),
            source=flag.source,
        )
        for flag, of in regimens.items()
    )
    return [Findings(messages=said)] if said else []


def _sentences(messages: Sequence[Message]) -> Message:
    """Several sentences in one cell."""
    return reduce(lambda first, second: info("advice.two-sentences", first=first, second=second), messages)


def _refused(advice: Advice) -> list[Block]:
    if not advice.refused:
        return []
    columns = (
        Column(head=info("advice.column-regimen"), name="regimen"),
        Column(head=info("advice.column-in"), name="in_probability"),
        Column(head=info("advice.column-why-not"), name="reasons_text"),
    )
    rows = tuple((row.option.plan.message, row.option.p_true_in, _sentences(row.reasons)) for row in advice.refused)
    return [Heading(text=info("advice.refused"), level=3), Table(columns=columns, rows=rows)]


def _rules(advice: Advice) -> list[Block]:
    sentences = [advice.rule.message, advice.loading.message, advice.taper.message]
    sentences += [alternative.message for alternative in advice.alternatives]
    blocks: list[Block] = [Heading(text=info("advice.rules"), level=3), Findings(messages=tuple(sentences))]
    if advice.taper.steps:
        columns = (
            Column(head=info("advice.column-from-day"), name="day"),
            Column(head=info("advice.column-daily"), name="daily_mg"),
        )
        blocks.append(Table(columns=columns, rows=advice.taper.steps, caption=info("advice.taper-caption")))
    return blocks


def _protocol(advice: Advice) -> list[Block]:
    blocks: list[Block] = [Heading(text=info("advice.protocol"), level=3), Findings(messages=advice.protocol)]
    if not advice.protocol_reach:
        return blocks if advice.protocol else []
    labels = [model.label for model in advice.protocol_reach[0].by_model]
    columns = (
        Column(head=info("advice.column-phase"), name="phase"),
        Column(head=info("advice.column-daily"), name="daily_mg"),
        Column(head=info("advice.column-trough"), name="trough_ng_ml"),
        Column(head=info("advice.column-in"), name="in_probability"),
        *(Column(head=info("advice.column-in-model", label=name), name="in_probability") for name in labels),
        Column(head=info("advice.column-offered"), name="offered_text"),
    )
    rows = tuple(
        (
            info(f"advice.phase-{dose.phase}"),
            dose.daily_mg,
            _interval(dose.trough_ng_ml),
            dose.p_in,
            *(model.p_in for model in dose.by_model),
            info("advice.yes") if dose.offered else info("advice.no"),
        )
        for dose in advice.protocol_reach
    )
    return [*blocks, Table(columns=columns, rows=rows, caption=info("advice.protocol-caption"))]


def _models(consultation: Consultation) -> list[Block]:
    if not consultation.models:
        return []
    own = {dose.name: dose for dose in consultation.advice.per_model}
    columns = (
        Column(head=info("advice.column-model"), name="label"),
        Column(head=info("advice.column-prior-weight"), name="prior_probability"),
        Column(head=info("advice.column-weight"), name="weight_probability"),
        Column(head=info("advice.column-own-dose"), name="best_mg"),
        Column(head=info("advice.column-nearest"), name="nearest_mg"),
        Column(head=info("advice.column-draws"), name="draws"),
        Column(head=info("advice.column-k-hat"), name="k_hat"),
    )
    rows = tuple(
        (
            model.label,
            model.prior_weight,
            model.weight,
            own[model.name].best_mg if model.name in own else None,
            own[model.name].nearest_mg if model.name in own else None,
            None if model.effective_draws is None else round(model.effective_draws),
            model.k_hat,
        )
        for model in consultation.models
    )
    return [
        Heading(text=info("advice.models"), level=3),
        Table(columns=columns, rows=rows, caption=info("advice.models-caption")),
        Findings(messages=tuple(dict.fromkeys(reason for model in consultation.models for reason in model.reasons))),
    ]


def _levels(consultation: Consultation) -> list[Block]:
    """Every level beside every model that speaks; what a model could not read says why."""
    origin = consultation.history.origin
    rows = tuple(
        (
            origin + timedelta(hours=row.time_h),
            estimate.model.label,
            row.level_ng_ml,
            row.predicted_typical_ng_ml,
            row.prior_p,
            Interval(middle=row.predicted_ng_ml, low=row.low_ng_ml, high=row.high_ng_ml),
            row.residual_sd,
        )
        for estimate in consultation.estimates
        for row in estimate.levels
        if row.reason is None
    )
    unread = dict.fromkeys(row.reason for e in consultation.estimates for row in e.levels if row.reason is not None)
    columns = (
        Column(head=info("advice.column-sampled"), name="at"),
        Column(head=info("advice.column-model"), name="label"),
        Column(head=info("advice.column-measured"), name="measured_ng_ml"),
        Column(head=info("advice.column-before"), name="typical_ng_ml"),
        Column(head=info("advice.column-surprise"), name="surprise_probability"),
        Column(head=info("advice.column-after"), name="fitted_ng_ml"),
        Column(head=info("advice.column-residual"), name="residual"),
    )
    table = Table(columns=columns, rows=rows, caption=info("advice.fit-caption"))
    found: list[Block] = [Heading(text=info("advice.fit"), level=3)]
    found += [table] if rows else []
    found += [Findings(messages=tuple(unread))] if unread else []
    return found if len(found) > 1 else []


def _parameters(consultation: Consultation) -> list[Block]:
    columns = (
        Column(head=info("advice.column-model"), name="label"),
        Column(head=info("advice.column-parameter"), name="parameter"),
        Column(head=info("advice.column-unit"), name="unit"),
        Column(head=info("advice.column-typical"), name="typical"),
        Column(head=info("advice.column-a-priori"), name="a_priori"),
        Column(head=info("advice.column-a-posteriori"), name="a_posteriori"),
        Column(head=info("advice.column-eta"), name="eta"),
    )
    rows = tuple(
        (
            estimate.model.label,
            row.name,
            row.unit,
            row.typical,
            row.a_priori,
            Interval(middle=row.a_posteriori, low=row.low, high=row.high),
            row.eta_sd,
        )
        for estimate in consultation.estimates
        for row in estimate.parameters
    )
    caption = info("advice.parameters-caption")
    table = Table(columns=columns, rows=rows, caption=caption)
    return [Heading(text=info("advice.parameters"), level=3), table] if rows else []


def _interactions(advice: Advice) -> list[Block]:
    if not advice.effects:
        return []
    columns = (
        Column(head=info("advice.column-drug"), name="drug"),
        Column(head=info("advice.column-from-day"), name="day"),
        Column(head=info("advice.column-until-day"), name="day"),
        Column(head=info("advice.column-clearance"), name="clearance"),
        Column(head=info("advice.column-bioavailability"), name="bioavailability"),
    )
    rows = tuple(
        (effect.cause, effect.start, effect.stop, effect.split.clearance, effect.split.bioavailability)
        for effect in advice.effects
    )
    return [
        Heading(text=info("advice.interactions"), level=3),
        Table(columns=columns, rows=rows, caption=info("advice.interactions-caption")),
    ]


def _changes(advice: Advice) -> list[Block]:
    if not advice.would_change:
        return []
    return [Heading(text=info("advice.would-change"), level=3), Findings(messages=advice.would_change)]


def _remarks(consultation: Consultation) -> list[Block]:
    """Everything that is no warning: what was converted, assumed or left out, and what was checked."""
    said = dict.fromkeys((*consultation.advice.messages, *consultation.flags))
    quiet = tuple(m for m in said if m.severity in (Severity.INFO, Severity.CHECKED) or m.code in GROUPED)
    advice = consultation.advice
    steady: tuple[Message, ...] = ()
    if advice.steady_state_fraction is not None:
        steady = (info("advice.steady-state", reached_probability=advice.steady_state_fraction),)
    elif advice.steady_state_reason is not None:
        steady = (advice.steady_state_reason,)
    if not (quiet or steady):
        return []
    return [Heading(text=info("advice.remarks"), level=3), Findings(messages=(*steady, *quiet))]


def _settings(advice: Advice) -> list[Block]:
    """Every limit that was kept, with its source and mark."""
    rows = tuple(
        (name, setting.value, setting.unit, setting.source.mark.value, info("common.cited", source=setting.source))
        for name, setting in listed(advice.settings)
    )
    columns = (
        Column(head=info("advice.column-setting"), name="setting"),
        Column(head=info("advice.column-value"), name="value"),
        Column(head=info("advice.column-unit"), name="unit"),
        Column(head=info("advice.column-mark"), name="mark"),
        Column(head=info("advice.column-source"), name="source"),
    )
    return [
        Heading(text=info("advice.settings"), level=3),
        Table(columns=columns, rows=rows, caption=info("advice.settings-caption")),
    ]


def _provenance(consultation: Consultation) -> list[Block]:
    made = consultation.provenance
    facts = (
        KeyFact(label=info("advice.made-with"), value=made.version),
        KeyFact(label=info("advice.made-seed"), value=made.seed),
        KeyFact(label=info("advice.made-inputs"), value=made.inputs_digest),
        *(KeyFact(label=info("advice.made-model", name=name), value=digest) for name, digest in made.models),
    )
    return [
        Heading(text=info("advice.provenance"), level=3),
        Paragraph(sentences=(info("advice.provenance-says"),)),
        KeyFacts(facts=facts),
    ]
