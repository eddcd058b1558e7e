# SPDX-License-Identifier: Apache-2.0
"""A review as one report: question, searches, flow, studies, risk of bias, pooled answers, certainty, checklist.

Every number is folded from the folder when the report is made; the hashes at its end name what it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any, final

from sirolens.evidence.extraction.form import rows_for_pooling
from sirolens.evidence.extraction.studies import StudyStatus
from sirolens.evidence.extraction.words import outcome_words, time_words
from sirolens.evidence.pool.pooled import Pooled
from sirolens.evidence.pool.questions import Question, answers
from sirolens.evidence.prisma.checklist import ITEMS, Part
from sirolens.evidence.prisma.flow import Flow, prisma_flow
from sirolens.evidence.review.folder import Review
from sirolens.evidence.review.forms import Forms, changed_forms, read_forms, without_excluded
from sirolens.evidence.review.protocol import deviations, locked_protocol
from sirolens.evidence.review.search_log import log_messages, log_rows
from sirolens.evidence.review.state import State, state_hash
from sirolens.message import Message, Value, info, most_severe_first, warning
from sirolens.report.document import (
    Block,
    Column,
    Document,
    Findings,
    Heading,
    Headline,
    KeyFact,
    KeyFacts,
    Paragraph,
    Table,
)
from sirolens.study.review.evidence import (
    cells_table,
    conflicts_table,
    findings_table,
    is_other,
    is_response,
    is_safety,
    notes_table,
    open_studies_table,
    outcomes_table,
    reports_table,
    studies_table,
)
from sirolens.study.review.figures import flow_figure, reason_words, traffic_figures
from sirolens.study.review.log import SHORT, log_table, strategy_blocks
from sirolens.study.review.pool import (
    comparison_notes,
    comparisons,
    method_notes,
    named,
    pooled_blocks,
    single_studies,
)
from sirolens.study.review.summary import footnotes_table, row_messages, summary_rows, summary_table

__all__ = ["Material", "material", "report_document"]

QUESTION = ("population", "intervention", "comparison", "outcomes", "designs")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything a report is made of.

    Parameters
    ----------
    review : Review
    state : State
    flow : Flow or None
        None where nothing was imported: then nothing can be said of what was found.
    forms : Forms
    answered : tuple of (Question, Pooled)
    refused : tuple of Message
        Why a question has no answer.
    """

    review: Review
    state: State
    flow: Flow | None
    forms: Forms
    answered: tuple[tuple[Question, Pooled], ...]
    refused: tuple[Message, ...]

    @property
    def forms_hash(self) -> str:
        """A hash of every form's path and content."""
        told = "\n".join(f"{name} {digest}" for name, digest in self.forms.files)
        return sha256(told.encode()).hexdigest()


def material(review: Review, *, version: int | None = None) -> Material:
    """Fold and pool everything a report needs.

    Parameters
    ----------
    review : Review
    version : int, optional
        Whose flow; see `sirolens.evidence.prisma.flow.prisma_flow`.
    """
    state = review.state
    forms = without_excluded(read_forms(review.folder), state)
    records = state.records.values()
    folded = prisma_flow(review.events, records, review.rules, version=version)  # also names a version nobody closed
    flow = folded if state.records else None
    answered, refused = answers(rows_for_pooling(forms.extractions))
    return Material(review=review, state=state, flow=flow, forms=forms, answered=answered, refused=refused)


def report_document(told: Material, language: str, *, version: str, today: date) -> Document:
    """Lay the report out.

    Parameters
    ----------
    told : Material
    language : {"en", "zh"}
        Of the folder's own texts, which it may carry in both.
    version : str
        Of the program.
    today : date
        When the report is made.
    """
    blocks: list[Block] = [_headline(told), *_question(told, language), *_searches(told), *_flow(told, language)]
    blocks += _studies(told, language)
    blocks += _risk(told)
    blocks += _answers(told)
    forms = told.forms.extractions
    blocks += _section("responses", outcomes_table(forms, is_response, language))
    blocks += _section("others", outcomes_table(forms, is_other, language))
    blocks += _section("safety", outcomes_table(forms, is_safety, language))
    blocks += _section("conflicts", conflicts_table(forms, language))
    blocks += _section("findings", findings_table(forms, language))
    blocks += _section("cells", cells_table(forms))
    blocks += _certainty(told, language)
    blocks += _section("notes", notes_table(forms, language))
    blocks += [*_problems(told), *_section("open", open_studies_table(forms, language))]
    blocks += _section("reports", reports_table(forms))
    blocks += [*_deviations(told), *_checklist(told), *_basis(told, version, today)]
    return Document(
        title=info("evidence.report-title", title=_title(told, language)),
        banner=info("review.banner", title=_title(told, language)),
        blocks=tuple(blocks),
        version=version,
    )


def _title(told: Material, language: str) -> str:
    protocol = told.review.reading.protocol
    if protocol is None:
        return told.review.folder.name
    return (protocol.title_zh if language.startswith("zh") else "") or protocol.title


def _head(name: str) -> Heading:
    return Heading(text=info(f"evidence.heading-{name}"))


def _section(name: str, table: Table) -> list[Block]:
    return [_head(name), table] if table.rows else []


def _headline(told: Material) -> Headline:
    forms = told.forms.extractions
    with_results = sum(form.study.status is StudyStatus.RESULTS for form in forms)
    details = [info("evidence.headline-pooled", count=sum(pooled.k > 1 for _, pooled in told.answered))]
    if told.flow is not None and told.flow.draft:
        details.insert(0, warning("prisma.draft"))
    reports = sum(len(form.study.reports) for form in forms)
    text = info("evidence.headline", studies=len(forms), reports=reports, results=with_results)
    return Headline(text=text, details=tuple(details))


def _question(told: Material, language: str) -> list[Block]:
    protocol, values = told.review.reading.protocol, told.review.reading.values
    if protocol is None:
        return []
    zh = language.startswith("zh")

    def own(key: str) -> str:
        return (protocol.question.get(f"{key}_zh", "") if zh else "") or protocol.question.get(key, "")

    columns = tuple(Column(head=info(f"evidence.column-{name}"), name="text") for name in ("topic", "protocol"))
    rows = tuple((info(f"evidence.pico-{key}"), own(key)) for key in QUESTION if own(key))
    blocks: list[Block] = [_head("question"), Table(columns=columns, rows=rows)] if rows else []
    chosen = _criteria(values, "include_zh" if zh else "include") or list(protocol.include)
    if chosen:
        blocks.append(Paragraph(sentences=tuple(info("evidence.criterion", text=text) for text in chosen)))
    return blocks


def _criteria(values: Mapping[str, Any], key: str) -> list[str]:
    criteria = values.get("criteria", {})
    found = criteria.get(key, []) if isinstance(criteria, dict) else []
    return [str(one) for one in found] if isinstance(found, list) else []


def _searches(told: Material) -> list[Block]:
    rows = log_rows(told.state)
    if rows:
        messages = log_messages(rows)
        found: list[Block] = [_head("searches"), log_table(rows, SHORT)]
        told_of = [Findings(messages=messages)] if messages else []
        return [*found, *told_of, *strategy_blocks(rows)]
    blocks: list[Block] = [_head("searches"), Findings(messages=(warning("evidence.no-search"),))]
    protocol = told.review.reading.protocol
    if protocol is not None and protocol.databases:
        columns = tuple(Column(head=info(f"review.log-{name}"), name=name) for name in ("database", "strategy"))
        rows_of = tuple((one.database, one.strategy.strip() or None) for one in protocol.databases)
        blocks.append(Table(columns=columns, rows=rows_of, caption=info("evidence.strategies-not-run")))
    return blocks


def _flow(told: Material, language: str) -> list[Block]:
    if told.flow is None:
        return []
    words = reason_words(told.review.reading.protocol, language)
    blocks: list[Block] = [_head("flow"), flow_figure(told.flow, words)]
    return [*blocks, Findings(messages=told.flow.messages)] if told.flow.messages else blocks


def _studies(told: Material, language: str) -> list[Block]:
    forms = told.forms.extractions
    if not forms:
        return [_head("studies"), Paragraph(sentences=(info("evidence.no-studies"),))]
    return [_head("studies"), studies_table(forms)]


def _risk(told: Material) -> list[Block]:
    figures, messages = traffic_figures(told.forms)
    if not figures:
        return []
    found: list[Block] = [_head("risk"), *figures]
    return [*found, Findings(messages=messages)] if messages else found


def _answers(told: Material) -> list[Block]:
    names, blocks = told.forms.names(), []
    first = comparisons(told.answered)
    rest = tuple(one for one in told.answered if one not in first)
    for name, part in (("comparisons", first), ("single-arms", rest)):
        inside: list[Block] = []
        for question, pooled in part:
            if pooled.k > 1:
                inside += pooled_blocks(question, pooled, names)
        alone = single_studies(part, names)
        if alone.rows:
            inside.append(alone)
        said = (*comparison_notes(part, names), *(_among_responders(told) if name == "comparisons" else ()))
        if said:
            inside.append(Findings(messages=said))
        blocks += [_head(name), *inside] if inside else []
    notes = method_notes(told.answered)
    if notes:
        blocks += [_head("methods"), Findings(messages=notes)]
    return blocks


def _among_responders(told: Material) -> tuple[Message, ...]:
    """What becomes of a comparison among responders when all patients are counted: it stands where it is compared."""
    found = (one for one in told.forms.messages if one.code == "extraction.responders-comparison")
    return tuple(_readable(one, told.forms.names()) for one in found)


def _readable(message: Message, names: Mapping[str, str]) -> Message:
    """Say a finding of the forms without file and line, with studies, outcomes and times as the tables name them."""
    words: Mapping[str, Callable[[str], Value]] = {
        "outcome": outcome_words,
        "timepoint": time_words,
        "earlier": time_words,
    }
    items = tuple((key, words[key](str(value)) if key in words else value) for key, value in message.items)
    return named(replace(message, items=items, place=None), names)


def _certainty(told: Material, language: str) -> list[Block]:
    rows, missing = summary_rows(told.forms)
    if not rows:
        return []
    raters = tuple(sorted({row.certainty.rater for row in rows if row.certainty.rater}))
    known = row_messages(rows, told.forms.names())
    blocks: list[Block] = [_head("certainty"), summary_table(rows)]
    blocks += [Paragraph(sentences=(info("appraisal.judged-by", raters=raters),)), footnotes_table(rows, language)]
    return [*blocks, Findings(messages=(*missing, *known))] if known or missing else blocks


def _deviations(told: Material) -> list[Block]:
    heads = ("on", "key", "before", "after", "why", "by")
    columns = tuple(Column(head=info(f"evidence.deviation-{name}"), name=name) for name in heads)
    rows = tuple(tuple(getattr(one, name) or None for name in heads) for one in deviations(told.state.events))
    return _section("deviations", Table(columns=columns, rows=rows))


def _problems(told: Material) -> list[Block]:
    changed = changed_forms(told.review.folder, told.review.events)
    forms = (_readable(message, told.forms.names()) for message in told.forms.messages)
    found = most_severe_first((*told.refused, *forms, *changed))
    return [_head("found"), Findings(messages=found)] if found else []


def _checklist(told: Material) -> list[Block]:
    columns = tuple(Column(head=info(f"evidence.column-{name}"), name="text") for name in ("item", "topic", "where"))
    present = _present(told)
    rows = tuple(
        (
            item.number,
            info(f"evidence.topic-{item.topic}"),
            info(f"evidence.part-{item.part if item.part in present else 'missing'}"),
        )
        for item in ITEMS
    )
    return [_head("checklist"), Table(columns=columns, rows=rows, notes=(info("evidence.checklist-note"),))]


def _present(told: Material) -> set[Part]:
    """The parts that hold something in this report."""
    found = {Part.AUTHORS, Part.BASIS}
    held: Sequence[tuple[Part, bool]] = (
        (Part.QUESTION, told.review.reading.protocol is not None),
        (Part.PROTOCOL, locked_protocol(told.state.events) is not None),
        (Part.SEARCHES, bool(told.state.searches)),
        (Part.FLOW, told.flow is not None),
        (Part.STUDIES, bool(told.forms.extractions)),
        (Part.RISK, bool(told.forms.appraisals)),
        (Part.SYNTHESIS, bool(told.answered)),
        (Part.CERTAINTY, bool(told.forms.certainties)),
    )
    return found | {part for part, there in held if there}


def _basis(told: Material, version: str, today: date) -> list[Block]:
    locked = locked_protocol(told.state.events)
    title = _title(told, "en")
    cited = info("evidence.cite", title=title, number=told.state.version, on=today, state=state_hash(told.state)[:12])
    facts = (
        KeyFact(label=info("evidence.basis-cite"), value=cited, name="text"),
        KeyFact(label=info("evidence.basis-state"), value=state_hash(told.state), name="text"),
        KeyFact(label=info("evidence.basis-forms"), value=told.forms_hash, name="text"),
        KeyFact(
            label=info("review.fact-locked"),
            value=info("review.not-locked") if locked is None else locked[1],
            name="value",
        ),
        KeyFact(label=info("evidence.basis-program"), value=f"sirolens {version}", name="text"),
    )
    return [_head("basis"), KeyFacts(facts=facts)]
