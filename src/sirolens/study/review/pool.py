# SPDX-License-Identifier: Apache-2.0
"""Pooled answers of a review as pages and values: the studies first, then every method, then what must be said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, TypeAlias

from sirolens.engine.statistics import interval as statistics
from sirolens.evidence.extraction.form import AMONG_RESPONDERS
from sirolens.evidence.extraction.outcome import OutcomeRow
from sirolens.evidence.extraction.words import outcome_words, population_words, time_words
from sirolens.evidence.pool.pooled import SHARE, Pooled, PoolLine, StudyLine
from sirolens.evidence.pool.questions import Kind, Question
from sirolens.message import Message, Value, info, most_severe_first, warning
from sirolens.report.document import (
    Block,
    Cell,
    Column,
    Document,
    Findings,
    Heading,
    Interval,
    Paragraph,
    Table,
)
from sirolens.report.effect_axis import natural, told_value
from sirolens.report.words import say
from sirolens.study.review.figures import (
    RATIOS,
    asymmetry_figures,
    axis_scale,
    counts_head,
    figure_scale,
    forest,
    numbers_of,
    robustness_figures,
    study_name,
)

__all__ = [
    "comparison_notes",
    "comparisons",
    "interval_cell",
    "method_notes",
    "named",
    "p_words",
    "pool_document",
    "pooled_blocks",
    "pooled_json",
    "question_words",
    "single_studies",
]

Answer: TypeAlias = tuple[Question, Pooled]
Further: TypeAlias = Callable[[Question, Pooled], list[Block]]
GENERAL = frozenset(
    {
        "pooling.asymmetry-refused",
        "pooling.error-below-wald",
        "pooling.no-spread",
        "pooling.prediction",
        "pooling.prior",
        "pooling.scales",
        "pooling.way-back",
    }
)
"""What would be said of nearly every pool; it stands once, at the end."""
MINUS = "\N{MINUS SIGN}"
LEAST_FOR_ROBUSTNESS = 3  # studies; leaving one of two out leaves one


def question_words(question: Question) -> Message:
    """Return the message that names a question."""
    return info(
        f"evidence.question-{question.kind}" + ("-partners" if question.partners else ""),
        outcome=outcome_words(question.outcome),
        time=time_words(question.timepoint),
        who=population_words(question.population),
        partners=question.partners,
    )


def pooled_blocks(question: Question, pooled: Pooled, names: Mapping[str, str], *, level: int = 3) -> list[Block]:
    """Lay one pooled question out.

    Parameters
    ----------
    question : Question
    pooled : Pooled
        Of at least two studies.
    names : mapping of str to str
        How each study is shown.
    level : int
        Of its heading.
    """
    title = question_words(question)
    blocks: list[Block] = [Heading(text=title, level=level)]
    blocks += forest(question.name, pooled, names, title)
    blocks += [_studies(pooled, names), _methods(pooled), Paragraph(sentences=_scatter(pooled))]
    if pooled.k >= LEAST_FOR_ROBUSTNESS:
        blocks += robustness_figures(question.name, pooled, names, title)
        blocks += _influences(pooled, names)
    blocks += asymmetry_figures(question.name, pooled, names, title)
    blocks += _asymmetry(pooled)
    own = tuple(named(one, names) for one in pooled.messages if one.code not in GENERAL)
    if own:
        blocks.append(Findings(messages=most_severe_first(own)))
    return blocks


def named(message: Message, names: Mapping[str, str]) -> Message:
    """Return a message with studies as they are shown in place of their ids, each once."""

    def told(key: str, value: Value) -> Value:
        if key == "study":
            return _shown(str(value), names)
        if key != "studies" or not isinstance(value, tuple):
            return value
        return tuple(dict.fromkeys(_shown(str(one), names) for one in value))

    return replace(message, items=tuple((key, told(key, value)) for key, value in message.items))


def _shown(label: str, names: Mapping[str, str]) -> str:
    study, slash, part = label.partition(" / ")
    return f"{names.get(study, study)}{slash}{part}"


def method_notes(answered: Iterable[Answer]) -> tuple[Message, ...]:
    """Return what holds for every pool alike, once: how scales, priors and predictions are to be read."""
    found: dict[str, Message] = {}
    for _, pooled in answered:
        if pooled.k > 1:
            for message in pooled.messages:
                if message.code in GENERAL:
                    found.setdefault(message.code, message)
    return tuple(found.values())


def _scale(pooled: Pooled) -> float:
    return 100.0 if pooled.effect == SHARE else 1.0


def interval_cell(middle: float, interval: statistics.Interval, pooled: Pooled) -> Cell:
    """A share in percent with one decimal: a limit of 0.07 % would claim what no study of this size can tell.

    An effect has three digits.
    """
    if not isfinite(middle):
        return None
    low, mid, high = (_scale(pooled) * x for x in (interval.low, middle, interval.high))
    if pooled.effect == SHARE:
        low, mid, high = (round(x, 1) for x in (low, mid, high))
    else:
        low, mid, high = (float(f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}") for x in (low, mid, high))
    return Interval(middle=mid, low=low, high=high)


def _studies(pooled: Pooled, names: Mapping[str, str]) -> Table:
    """The studies as they stand in the plot, for those who read text."""
    compared = any(line.control is not None for line in pooled.studies)
    heads = (
        info("evidence.column-study"),
        counts_head(pooled),
        *((info("evidence.column-against"),) if compared else ()),
        info("evidence.column-single-estimate", level_percent=95),
    )
    columns = (
        *(Column(head=head, name="text") for head in heads),
        Column(head=info("evidence.column-weight"), name="weight_percent"),
    )
    rows = tuple(
        (*_study_cells(line, pooled, names, compared=compared), round(100 * line.weight, 1)) for line in pooled.studies
    )
    scale = info(f"evidence.scale-{_scale_name(pooled)}")
    return Table(columns=columns, rows=rows, caption=info("evidence.studies-caption", scale=scale))


def _study_cells(line: StudyLine, pooled: Pooled, names: Mapping[str, str], *, compared: bool) -> tuple[Cell, ...]:
    """Name, counts, counts of the control where there is one in the table, and the study's own estimate."""
    against = (None if line.control is None else _counts(line.control, told=True),) if compared else ()
    own = _counts(line.row, told=line.control is not None)
    return (study_name(line, names), own, *against, _estimate(line, pooled))


def _methods(pooled: Pooled) -> Table:
    """One row for each method; the one to show is marked."""
    name = "share_percent" if pooled.effect == SHARE else "effect"
    lines = [line for line in (pooled.main, *pooled.beside) if line is not None]
    columns = (
        Column(head=info("evidence.column-method"), name="text"),
        Column(head=info("evidence.column-estimate", level_percent=95), name=name),
        Column(head=info("evidence.column-prediction"), name="text"),
        Column(head=info("evidence.column-tau", level_percent=95), name="text"),
    )
    rows = tuple(
        (
            info(f"evidence.method-{line.method}"),
            interval_cell(line.estimate, line.interval, pooled),
            _range(line.prediction, pooled),
            _spread_words(line),
        )
        for line in lines
    )
    return Table(columns=columns, rows=rows, caption=info("evidence.methods-caption"), marked=(0,) if rows else ())


def _spread_words(line: PoolLine) -> str | None:
    """The variance between studies with its interval; an end that the data do not bound is infinite."""
    if not isfinite(line.tau2):
        return None
    low, high = line.tau2_interval.low, line.tau2_interval.high
    if not isfinite(low):
        return _digits(line.tau2)
    return f"{_digits(line.tau2)} ({_digits(low)}–{_digits(high) if isfinite(high) else '∞'})"


def _digits(value: float) -> str:
    """Three digits, never with an exponent."""
    if value < 0.001:
        return "<0.001" if value > 0 else "0"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _range(interval: statistics.Interval, pooled: Pooled) -> Cell:
    if not (isfinite(interval.low) and isfinite(interval.high)):
        return info("evidence.not-defined")
    low, high = (told_value(figure_scale(pooled), limit) for limit in (interval.low, interval.high))
    return info("evidence.from-to", low=low, high=high)


def _scatter(pooled: Pooled) -> tuple[Message, ...]:
    found = pooled.heterogeneity
    told = [info("evidence.scatter", scale=info(f"evidence.scale-{_scale_name(pooled)}"))]
    if isfinite(found.q.statistic):
        told.append(
            info(
                "evidence.scatter-q",
                q=f"{found.q.statistic:.1f}",
                df=int(found.q.df or 0),
                p=p_words(found.q.p_value),
                i2_tau_percent=100 * found.i2_tau2,
                i2_q_percent=100 * found.i2_q,
                h2=f"{found.h2_tau2:.1f}",
            )
        )
    if isfinite(pooled.homogeneity.p_value) and pooled.effect == SHARE:
        told.append(info("evidence.scatter-likelihood", p=p_words(pooled.homogeneity.p_value)))
    return tuple(told)


def _influences(pooled: Pooled, names: Mapping[str, str]) -> list[Block]:
    """One row for each study: the pool without it, and how far it stands from the others and moves them."""
    found = pooled.influence
    if found is None or not pooled.leave_one_out:
        return []
    unit = "share_percent" if pooled.effect == SHARE else "effect"
    columns = (
        Column(head=info("evidence.column-without"), name="text"),
        Column(head=info("evidence.column-estimate", level_percent=95), name=unit),
        *(Column(head=info(f"evidence.column-{one}"), name="number") for one in ("residual", "dffits", "cook")),
    )
    measures = zip(found.residual, found.dffits, found.cook, strict=True)
    rows = tuple(
        (
            study_name(study, names),
            interval_cell(line.estimate, line.interval, pooled),
            *(round(float(one), 2) if isfinite(one) else None for one in three),
        )
        for study, line, three in zip(pooled.studies, pooled.leave_one_out, measures, strict=True)
    )
    caption = info("evidence.influence-caption", scale=info(f"evidence.scale-{_scale_name(pooled)}"))
    return [Table(columns=columns, rows=rows, caption=caption)]


def _asymmetry(pooled: Pooled) -> list[Block]:
    """The tests of asymmetry and what trim and fill makes of the pool; below ten studies there are none."""
    told = [
        info(f"evidence.asymmetry-{name}", p=p_words(test.p_value), value=f"{test.statistic:.2f}".replace("-", MINUS))
        for name, test in (("egger", pooled.egger), ("peters", pooled.peters), ("begg", pooled.begg))
        if isfinite(test.p_value)
    ]
    filled = pooled.filled
    if filled is not None and filled.fit is not None:
        fit = filled.fit
        limits = (fit.estimate, fit.interval.low, fit.interval.high)
        estimate = _with_interval(pooled, *(natural(axis_scale(pooled), one) for one in limits))
        side = info(f"evidence.side-{filled.side}")
        told.append(info("evidence.asymmetry-filled", count=filled.missing, side=side, estimate=estimate))
    return [Paragraph(sentences=(info("evidence.asymmetry"), *told))] if told else []


def _scale_name(pooled: Pooled) -> str:
    return pooled.scale if pooled.effect == SHARE else pooled.effect.lower()


def p_words(value: float) -> str:
    """Write a P value as it stands behind the P.

    >>> p_words(0.00001), p_words(0.0377)
    ('< 0.001', '= 0.038')
    """
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def single_studies(answered: Iterable[Answer], names: Mapping[str, str]) -> Table:
    """Return one row for each question that one study alone answers."""
    heads = ("question", "study", "counts", "against", "single-estimate")
    rows = tuple(
        (question_words(question), *_study_cells(line, pooled, names, compared=True))
        for question, pooled in answered
        if pooled.k == 1
        for line in pooled.studies
    )
    columns = tuple(Column(head=info(f"evidence.column-{name}", level_percent=95), name="text") for name in heads)
    return Table(columns=columns, rows=rows, caption=info("evidence.single-caption"))


def _counts(row: OutcomeRow, *, told: bool) -> Cell:
    """Events of patients; of a comparison also what the arm was given."""
    counts = numbers_of(row)
    return info("evidence.counts-of-arm", counts=counts, written=row.arm) if told and row.arm else counts


def _estimate(line: StudyLine, pooled: Pooled) -> Message:
    return _with_interval(pooled, line.estimate, line.interval.low, line.interval.high)


def _with_interval(pooled: Pooled, middle: float, low: float, high: float) -> Message:
    """An estimate with its interval, written as in the plot."""
    code = "evidence.share-with-interval" if pooled.effect == SHARE else "evidence.effect-with-interval"
    effect = info(f"evidence.scale-{_scale_name(pooled)}")
    told = [told_value(figure_scale(pooled), one) for one in (middle, low, high)]
    return info(code, effect=effect, estimate=told[0], low=told[1], high=told[2])


def pool_document(
    answered: Sequence[Answer],
    refused: Sequence[Message],
    names: Mapping[str, str],
    *,
    version: str,
    further: Further | None = None,
) -> Document:
    """Lay out the comparisons, then single arms: what is pooled, then what one study alone answers.

    Parameters
    ----------
    answered : sequence of (Question, Pooled)
    refused : sequence of Message
        Why a question has no answer.
    names : mapping of str to str
        How each study is shown.
    version : str
        Of the program.
    further : function, optional
        What is laid out behind each pool, such as its subgroups.
    """
    blocks: list[Block] = []
    first = comparisons(answered)
    for head, part in (("comparisons", first), ("single", tuple(one for one in answered if one not in first))):
        for question, pooled in part:
            if pooled.k > 1:
                blocks += pooled_blocks(question, pooled, names, level=2)
                blocks += [] if further is None else further(question, pooled)
        alone, said = single_studies(part, names), comparison_notes(part, names)
        blocks += [Heading(text=info(f"evidence.heading-{head}")), alone] if alone.rows else []
        blocks += [Findings(messages=said)] if said else []
    notes = method_notes(answered)
    if notes:
        blocks += [Heading(text=info("evidence.heading-methods")), Findings(messages=notes)]
    if refused:
        blocks.append(Findings(messages=tuple(refused)))
    if not blocks:
        blocks.append(Paragraph(sentences=(info("evidence.nothing-to-pool"),)))
    return Document(title=info("evidence.pool-title"), blocks=tuple(blocks), version=version)


def pooled_json(answered: Sequence[Answer], language: str) -> list[dict[str, Any]]:
    """Return every answer as JSON values; shares between 0 and 1."""
    return [_json(question, pooled, language) for question, pooled in answered]


def _json(question: Question, pooled: Pooled, language: str) -> dict[str, Any]:
    found = pooled.heterogeneity
    return {
        "question": question.name,
        "kind": question.kind.value,
        "outcome": question.outcome,
        "time": question.timepoint,
        "population": question.population.value,
        "partners": list(question.partners),
        "effect": pooled.effect,
        "studies": [
            {
                "study": line.row.study,
                "label": line.label,
                "k": line.row.k,
                "n": line.row.n,
                "control_k": None if line.control is None else line.control.k,
                "control_n": None if line.control is None else line.control.n,
                "mark": line.row.mark.value,
                "criteria": line.row.criteria,
                **_limits(line.estimate, line.interval),
                "weight": _number(line.weight),
            }
            for line in pooled.studies
        ],
        "pooled": [_line(line) for line in (pooled.main, *pooled.beside) if line is not None],
        "q": _number(found.q.statistic),
        "q_p": _number(found.q.p_value),
        "i2_from_tau2": _number(found.i2_tau2),
        "i2_from_q": _number(found.i2_q),
        "h2_from_tau2": _number(found.h2_tau2),
        "h2_from_q": _number(found.h2_q),
        "homogeneity_p": _number(pooled.homogeneity.p_value),
        "leave_one_out": [_line(line) for line in pooled.leave_one_out],
        "cumulative": [_line(line) for line in pooled.cumulative],
        "influence": _influence_json(pooled),
        "asymmetry": {
            name: {"statistic": _number(test.statistic), "p": _number(test.p_value), "reason": test.reason}
            for name, test in (("egger", pooled.egger), ("peters", pooled.peters), ("begg", pooled.begg))
        },
        "trim_and_fill": _filled_json(pooled),
        "left_out": [{"study": one.row.study, "reason": one.reason} for one in pooled.left],
        "messages": [{"code": one.code, "text": say(one, language)} for one in pooled.messages],
    }


def _influence_json(pooled: Pooled) -> list[dict[str, Any]]:
    """Diagnostics on the scale of the inverse-variance pool."""
    found, moved = pooled.influence, pooled.baujat
    if found is None or moved is None:
        return []
    return [
        {
            "study": study.label,
            "residual": _number(found.residual[i]),
            "dffits": _number(found.dffits[i]),
            "cook": _number(found.cook[i]),
            "covariance_ratio": _number(found.cov_ratio[i]),
            "tau2_without": _number(found.tau2_without[i]),
            "q_without": _number(found.q_without[i]),
            "baujat_q": _number(moved.heterogeneity[i]),
            "baujat_influence": _number(moved.influence[i]),
        }
        for i, study in enumerate(pooled.studies)
    ]


def _filled_json(pooled: Pooled) -> dict[str, Any] | None:
    filled = pooled.filled
    if filled is None or filled.fit is None:
        return None
    fit = filled.fit
    limits = (fit.estimate, fit.interval.low, fit.interval.high)
    middle, low, high = (_number(natural(axis_scale(pooled), one)) for one in limits)
    return {"missing": filled.missing, "side": filled.side, "estimate": middle, "low": low, "high": high}


def _line(line: PoolLine) -> dict[str, Any]:
    told: dict[str, Any] = {"method": line.method, **_limits(line.estimate, line.interval)}
    if line.label:
        told["study"] = line.label
    prediction, tau = line.prediction, line.tau2_interval
    told["prediction_low"], told["prediction_high"] = _number(prediction.low), _number(prediction.high)
    told["tau2"], told["tau2_low"], told["tau2_high"] = _number(line.tau2), _number(tau.low), _number(tau.high)
    return told


def _limits(estimate: float, interval: statistics.Interval) -> dict[str, float | None]:
    return {"estimate": _number(estimate), "low": _number(interval.low), "high": _number(interval.high)}


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def comparison_notes(answered: Iterable[Answer], names: Mapping[str, str]) -> tuple[Message, ...]:
    """Say in words which comparisons show a difference and which do not: a table of intervals is easily misread."""
    found: dict[str, list[Message]] = {"no-difference": [], "difference": [], "difference-among-responders": []}
    for question, pooled in comparisons(answered):
        line = pooled.studies[0] if pooled.k == 1 else pooled.main
        if line is None or not (isfinite(line.interval.low) and isfinite(line.interval.high)):
            continue
        none = 1.0 if pooled.effect in RATIOS else 0.0
        told = info(
            "evidence.question-of-study",
            outcome=outcome_words(question.outcome),
            time=time_words(question.timepoint),
            studies=tuple(study_name(one, names) for one in pooled.studies),
        )
        shown = "difference-among-responders" if question.outcome.endswith(AMONG_RESPONDERS) else "difference"
        found["no-difference" if line.interval.low <= none <= line.interval.high else shown].append(told)
    return tuple(
        (info if name == "no-difference" else warning)(f"evidence.{name}", questions=tuple(told))
        for name, told in found.items()
        if told
    )


def comparisons(answered: Iterable[Answer]) -> tuple[Answer, ...]:
    """Return the answers that compare arms."""
    return tuple(one for one in answered if one[0].kind is Kind.COMPARISON)
