# SPDX-License-Identifier: Apache-2.0
"""The summary of findings of a review: each judged outcome pooled from the forms, with its certainty and reasons."""

from __future__ import annotations

from collections.abc import Sequence

from sirolens.errors import InputError
from sirolens.evidence.comparison import compare
from sirolens.evidence.extraction import rows_for_pooling
from sirolens.evidence.extraction_words import outcome_words, population_words, time_words
from sirolens.evidence.grade import Certainty, Footnote, SummaryRow, domain_words, level_words, rating_words
from sirolens.evidence.outcome import OutcomeRow
from sirolens.evidence.pooled import Pooled
from sirolens.evidence.review_forms import Forms
from sirolens.evidence.studies import Design
from sirolens.evidence.summary_of_findings import summary_of_pool
from sirolens.evidence.synthesis import pool
from sirolens.message import Message, Value, info
from sirolens.report.document import Block, Cell, Column, Document, Findings, Heading, Paragraph, Table
from sirolens.study.review_pool import named

__all__ = ["footnotes_table", "summary_document", "summary_rows", "summary_table"]


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
    heads = ("evidence", "outcome", "time", "studies", "k-of-n", "per-100", "predicted")
    compared = any(row.comparison is not None for row in rows)
    names = (*heads, *(("against-100", "relative") if compared else ()), "certainty", "footnotes")
    columns = tuple(Column(head=info(f"appraisal.column-{name}"), name="text") for name in names)
    return Table(columns=columns, rows=tuple(_cells(row, compared) for row in rows))


def _cells(row: SummaryRow, compared: bool) -> tuple[Cell, ...]:
    told = row.certainty
    populations: tuple[Value, ...] = tuple(population_words(one) for one in told.populations)
    evidence = info("appraisal.evidence", design_text=info(f"extraction.design-{told.design.value}"), who=populations)
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
        evidence,
        outcome_words(told.outcome),
        time_words(told.timepoint),
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
    said = (message for row in rows for message in (*row.certainty.messages, *row.messages))
    known = tuple(dict.fromkeys(named(message, forms.names()) for message in said))
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


def footnotes_table(rows: Sequence[SummaryRow], language: str) -> Table:
    """Return why certainty was lowered or raised, outcome by outcome."""
    names = ("evidence", "outcome", "time", "footnotes", "domain", "rating", "reason")
    columns = tuple(Column(head=info(f"appraisal.column-{name}"), name="text") for name in names)
    cells = tuple(_footnote(row.certainty, note, language) for row in rows for note in row.certainty.footnotes)
    return Table(columns=columns, rows=cells)


def _footnote(told: Certainty, note: Footnote, language: str) -> tuple[Cell, ...]:
    one = note.rating
    populations: tuple[Value, ...] = tuple(population_words(who) for who in told.populations)
    return (
        info("appraisal.evidence", design_text=info(f"extraction.design-{told.design.value}"), who=populations),
        outcome_words(told.outcome),
        time_words(told.timepoint),
        note.letter,
        domain_words(one.domain),
        rating_words(one.rating),
        one.reason_zh if language.startswith("zh") and one.reason_zh else one.reason,
    )
