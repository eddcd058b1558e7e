# SPDX-License-Identifier: Apache-2.0
"""The summary of findings of a review: each judged outcome pooled from the forms, with its certainty and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sirolens.errors import InputError
from sirolens.evidence.appraisal.grade import Certainty, Footnote, SummaryRow, domain_words, level_words, rating_words
from sirolens.evidence.extraction.form import rows_for_pooling
from sirolens.evidence.extraction.outcome import OutcomeRow
from sirolens.evidence.extraction.studies import Design
from sirolens.evidence.extraction.words import outcome_words, population_words, time_words
from sirolens.evidence.pool.comparison import compare
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.pool.summary_of_findings import summary_of_pool
from sirolens.evidence.pool.synthesis import pool
from sirolens.evidence.review.forms import Forms
from sirolens.message import Message, Value, info
from sirolens.report.document import Block, Cell, Column, Document, Findings, Heading, Paragraph, Table
from sirolens.study.review.pool import named

__all__ = ["footnotes_table", "row_messages", "summary_document", "summary_rows", "summary_table"]


def summary_rows(forms: Forms) -> tuple[tuple[SummaryRow, ...], tuple[Message, ...]]:
    """Pool what the certainties of a review are about.

    Parameters
    ----------
    forms : Forms

    Returns
    -------
    rows : tuple of SummaryRow
        Randomised evidence first.
    messages : tuple of Message
        Why an outcome has no row.
    """
    rows = rows_for_pooling(forms.extractions)
    found: list[SummaryRow] = []
    messages: list[Message] = []
    for certainty in sorted(forms.certainties, key=lambda one: one.design is not Design.RANDOMISED):
        try:
            found.append(summary_of_pool(certainty, _pooled(certainty, rows)))
        except InputError as fault:
            messages += fault.messages
    return tuple(found), tuple(messages)


def _pooled(certainty: Certainty, rows: Sequence[OutcomeRow]) -> Pooled:
    outcome, timepoint, populations = certainty.outcome, certainty.timepoint, certainty.populations or None
    if certainty.design in (Design.RANDOMISED, Design.COMPARATIVE):
        return compare(rows, outcome=outcome, timepoint=timepoint, effect="RR", populations=populations)
    return pool(rows, outcome=outcome, timepoint=timepoint, populations=populations)


def summary_table(rows: Sequence[SummaryRow]) -> Table:
    """Return the table: per 100 patients with confidence and prediction interval; a relative column only for trials."""
    heads = ("outcome", "studies", "k-of-n", "per-100", "predicted")
    compared = any(row.comparison is not None for row in rows)
    names = (*heads, *(("against-100", "relative") if compared else ()), "certainty", "footnotes")
    columns = tuple(Column(head=info(f"appraisal.column-{name}"), name="text") for name in names)
    notes = (info("appraisal.per-100-note"),)
    return Table(columns=columns, rows=tuple(_cells(row, compared) for row in rows), notes=notes)


def _cells(row: SummaryRow, compared: bool) -> tuple[Cell, ...]:
    told = row.certainty
    predicted = None
    if row.predicted_per_100 is not None:
        low, high = row.predicted_per_100
        predicted = info("appraisal.interval", low=_whole(low), high=_whole(high))
    relative: tuple[Cell, ...] = ()
    if compared:
        one = row.comparison
        relative = (
            None if one is None else _whole(one.control_per_100),
            None
            if one is None
            else info(
                "appraisal.ratio",
                measure=one.measure,
                estimate=f"{one.estimate:.2f}",
                low=f"{one.low:.2f}",
                high=f"{one.high:.2f}",
            ),
        )
    return (
        _name(told),
        row.studies,
        f"{row.k}/{row.n}",
        info(
            "appraisal.with-interval",
            estimate=_whole(row.per_100),
            low=_whole(row.low_per_100),
            high=_whole(row.high_per_100),
        ),
        predicted,
        *relative,
        level_words(told.level),
        " ".join(note.letter for note in told.footnotes) or None,
    )


def _whole(value: float) -> str:
    return f"{value:.0f}"


def summary_document(forms: Forms, language: str, *, version: str) -> Document:
    """Lay out the summary of findings with its footnotes and what the reader must know.

    Parameters
    ----------
    forms : Forms
    language : {"en", "zh"}
        Of the reasons, which the judgements carry in both.
    version : str
        Of the program.
    """
    rows, missing = summary_rows(forms)
    known = row_messages(rows, forms.names())
    raters = tuple(sorted({row.certainty.rater for row in rows if row.certainty.rater}))
    blocks: list[Block] = []
    if rows:
        blocks += [summary_table(rows), Paragraph(sentences=(info("appraisal.judged-by", raters=raters),))]
        blocks += [Heading(text=info("appraisal.heading-footnotes")), footnotes_table(rows, language)]
    if known or missing:
        blocks.append(Findings(messages=(*missing, *known)))
    if not blocks:
        blocks.append(Paragraph(sentences=(info("appraisal.no-certainty"),)))
    return Document(title=info("appraisal.summary-title"), blocks=tuple(blocks), version=version)


def row_messages(rows: Sequence[SummaryRow], names: Mapping[str, str]) -> tuple[Message, ...]:
    """Return what must be said of rows, each message once with the rows it is about.

    Parameters
    ----------
    rows : sequence of SummaryRow
    names : mapping of str to str
        How each study is shown.
    """
    found: dict[Message, list[Message]] = {}
    for row in rows:
        told, about = row.certainty, _name(row.certainty)
        for message in dict.fromkeys(named(one, names) for one in (*told.messages, *row.messages)):
            found.setdefault(message, []).append(about)
    return tuple(
        replace(info("appraisal.of-rows", rows=tuple(about), said=message), severity=message.severity)
        for message, about in found.items()
    )


def _name(told: Certainty) -> Message:
    """The outcome, when, and whose evidence it is: one cell, so that the numbers have room."""
    populations: tuple[Value, ...] = tuple(population_words(one) for one in told.populations)
    design = info(f"extraction.design-{told.design.value}")
    return info(
        "appraisal.row-name",
        outcome=outcome_words(told.outcome),
        time=time_words(told.timepoint),
        evidence_text=info("appraisal.evidence", design_text=design, who=populations),
    )


def footnotes_table(rows: Sequence[SummaryRow], language: str) -> Table:
    """Return why certainty was lowered or raised, outcome by outcome."""
    names = ("outcome", "footnotes", "domain", "rating", "reason")
    columns = tuple(Column(head=info(f"appraisal.column-{name}"), name="text") for name in names)
    cells = tuple(_footnote(row.certainty, note, language) for row in rows for note in row.certainty.footnotes)
    return Table(columns=columns, rows=cells)


def _footnote(told: Certainty, note: Footnote, language: str) -> tuple[Cell, ...]:
    one = note.rating
    return (
        _name(told),
        note.letter,
        domain_words(one.domain),
        rating_words(one.rating),
        one.reason_zh if language.startswith("zh") and one.reason_zh else one.reason,
    )
