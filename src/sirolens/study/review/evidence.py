# SPDX-License-Identifier: Apache-2.0
"""What the forms of a review say, as tables: studies, responses, safety, contradictions, open studies, reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from re import sub
from typing import Any, TypeVar

from sirolens.evidence.appraisal.tools import tool_for
from sirolens.evidence.extraction.form import (
    Extracted,
    Extraction,
    Finding,
    Topic,
    conflicts,
    is_safety_outcome,
    topic_words,
)
from sirolens.evidence.extraction.outcome import NOT_REPORTED, ArmRole, Population
from sirolens.evidence.extraction.studies import Design, Read, Report, StudyStatus
from sirolens.evidence.extraction.words import (
    design_words,
    mark_words,
    outcome_words,
    population_words,
    read_words,
    role_words,
    status_words,
    time_words,
)
from sirolens.evidence.review.forms import Forms
from sirolens.message import Message, info, most_severe_first
from sirolens.report.document import Block, Cell, Column, Document, Findings, Heading, Paragraph, Table
from sirolens.report.words import say
from sirolens.source import Mark

__all__ = [
    "cells_table",
    "conflicts_table",
    "findings_table",
    "forms_document",
    "forms_json",
    "is_other",
    "is_response",
    "is_safety",
    "notes_table",
    "open_studies_table",
    "outcomes_table",
    "reports_table",
    "studies_table",
]

T = TypeVar("T")
POPULATIONS = tuple(Population)
RESPONSES = frozenset({"OR", "CR", "PR", "NR", "SR", "SR_AMONG_RESPONDERS", "DURABLE", "CR_OR_NEAR_CR", "IMPROVED"})


def is_response(one: Extracted) -> bool:
    """Whether an outcome says how many responded."""
    return one.row.outcome in RESPONSES


def is_safety(one: Extracted) -> bool:
    """Whether an outcome is about harm."""
    return is_safety_outcome(one.row.outcome)


def is_other(one: Extracted) -> bool:
    """Whether an outcome is neither: relapse, treatment stopped, platelets, or a code of a user's own."""
    return not is_response(one) and not is_safety(one)


def _head(name: str) -> Message:
    return info(f"extraction.column-{name}")


def _unknown(text: str) -> Cell:
    return info("extraction.not-reported") if text == NOT_REPORTED else text or None


def _order(form: Extraction) -> tuple[bool, bool, int]:
    """Randomised studies first, those with results before the others, primary ITP before other diseases."""
    with_results = form.study.status is StudyStatus.RESULTS
    return (form.study.design is not Design.RANDOMISED, not with_results, POPULATIONS.index(form.patients.population))


def studies_table(forms: Sequence[Extraction]) -> Table:
    """Return one row for each study: design, patients, treatment, criteria, how much was read.

    Randomised studies stand first.
    """
    names = ("study", "design", "population", "patients", "target", "criteria", "read", "status")
    rows = []
    for form in sorted(forms, key=_order):
        read = form.study.reports[0].read
        rows.append(
            (
                form.study.name,
                design_words(form.study.design),
                population_words(form.patients.population),
                form.patients.enrolled,
                None if read is Read.NOTHING else _target(form),
                None if read is Read.NOTHING else _unknown(form.criteria.name),
                read_words(read),
                status_words(form.study.status),
            )
        )
    columns = tuple(Column(head=_head(name), name="count" if name == "patients" else "text") for name in names)
    return Table(columns=columns, rows=tuple(rows), notes=(info("extraction.not-reported-note"),))


def _target(form: Extraction) -> Message:
    arm = next((one for one in form.arms if one.role is not ArmRole.CONTROL), None)
    if arm is None or arm.target is None:
        return info("extraction.not-reported")
    return _range(arm.target.low_ng_ml, arm.target.high_ng_ml)


def _range(low: float | None, high: float | None) -> Message:
    if low is None:
        return info("extraction.target-up-to", high_ng_ml=high)
    return info("extraction.target-range", low=f"{low:g}", high_ng_ml=high)


def outcomes_table(forms: Sequence[Extraction], wanted: Callable[[Extracted], bool], language: str) -> Table:
    """Return one row for each outcome that is wanted: counts with mark and criteria, randomised comparisons first.

    Parameters
    ----------
    forms : sequence of Extraction
    wanted : function of Extracted
        Such as `is_response` or `is_safety`.
    language : {"en", "zh"}
        Of the arithmetic behind derived counts, which the forms carry in both.
    """
    names = ("study", "population", "arm", "outcome", "time", "k", "n", "percent", "mark", "criteria", "printed")
    told = [(form, one) for form in sorted(forms, key=_order) for one in form.outcomes if wanted(one)]
    kinds = {"percent": "percent", "arm": "written"}  # an arm of ours is said in the reader's language
    columns = tuple(Column(head=_head(name), name=kinds.get(name, "text")) for name in names)
    rows = tuple(_outcome_row(form, one, language) for form, one in told)
    if all(is_safety(one) for _, one in told):  # no response criteria apply to harm
        at = names.index("criteria")
        columns, rows = _without(columns, at), tuple(_without(row, at) for row in rows)
    return Table(columns=columns, rows=rows)


def _without(cells: tuple[T, ...], at: int) -> tuple[T, ...]:
    return (*cells[:at], *cells[at + 1 :])


def _outcome_row(form: Extraction, one: Extracted, language: str) -> tuple[Cell, ...]:
    row = one.row
    share = 100 * row.k / row.n if row.k is not None and row.n else row.percent
    report = form.study.report(one.report)
    name: Message | str = form.study.name
    if report is not None and report is not form.study.reports[0]:  # an interim report beside the paper
        name = info("extraction.study-report", study=name, kind_word=info(f"extraction.kind-{report.kind.value}"))
    return (
        info("extraction.study-part", study=name, written=row.subgroup) if row.subgroup else name,
        population_words(row.population),
        row.arm
        if row.role is ArmRole.SINGLE
        else info("extraction.arm-role", written=row.arm, said=role_words(row.role)),
        outcome_words(row.outcome),
        time_words(row.timepoint),
        None if row.k is None else int(row.k),
        None if row.n is None else int(row.n),
        share,
        mark_words(row.mark),
        _unknown(row.criteria),
        _printed(one, language),
    )


def _printed(one: Extracted, language: str) -> Cell:
    """The words of the report, and behind a derived count the arithmetic."""
    printed, how = one.row.printed_as, one.how_zh if language.startswith("zh") and one.how_zh else one.how
    if not how:
        return printed or None
    return info(
        "extraction.calculated" if not printed else "extraction.printed-and-calculated", printed=printed, how=how
    )


def conflicts_table(forms: Sequence[Extraction], language: str) -> Table:
    """Return what studies say differently, side by side; nothing is averaged away."""
    names = {form.study.id: form.study.name for form in forms}
    rows = tuple(
        (
            topic_words(conflict.topic),
            names[study],
            _said(finding, language),
            finding.p or None,
            mark_words(finding.mark),
        )
        for conflict in conflicts(forms)
        for study, finding in conflict.sides
    )
    columns = tuple(Column(head=_head(name), name="text") for name in ("topic", "study", "says", "p", "mark"))
    return Table(columns=columns, rows=rows)


def findings_table(forms: Sequence[Extraction], language: str) -> Table:
    """Return what studies say of who responds and why, where none says otherwise; topic by topic."""
    disputed = {conflict.topic for conflict in conflicts(forms)}
    rows = tuple(
        (topic_words(said.topic), form.study.name, _said(said, language), said.p or None, mark_words(said.mark))
        for topic in Topic
        for form in forms
        for said in form.findings
        if said.topic is topic and topic not in disputed
    )
    columns = tuple(Column(head=_head(name), name="text") for name in ("topic", "study", "says", "p", "mark"))
    return Table(columns=columns, rows=rows)


def cells_table(forms: Sequence[Extraction]) -> Table:
    """Return what reports say of immune cells and cytokines, with values where they are printed."""
    names = ("study", "cell", "gating", "when", "direction", "values", "p", "mark")
    rows = tuple(
        (
            form.study.name,
            one.cell,
            None if one.gating == NOT_REPORTED else _markers(one.gating),
            one.when,
            info(f"extraction.direction-{one.direction.replace(' ', '-')}"),
            one.values or None,
            one.p or None,
            mark_words(one.mark),
        )
        for form in sorted(forms, key=_order)
        for one in form.cells
    )
    kinds = {"cell": "written", "when": "written"}
    return Table(columns=tuple(Column(head=_head(name), name=kinds.get(name, "text")) for name in names), rows=rows)


def _markers(gating: str) -> str:
    """A row of markers, where a line may be broken: "CD4+CD25+" is one word to a table.

    >>> _markers("CD4+CD25+CD127low")
    'CD4+ CD25+ CD127low'
    """
    return sub(r"\+(?=[^\s+])", "+ ", gating)


def _said(finding: Finding, language: str) -> str:
    return finding.says_zh if language.startswith("zh") and finding.says_zh else finding.says


def open_studies_table(forms: Sequence[Extraction], language: str) -> Table:
    """Return the studies without results here: ongoing, not seen, unverified."""
    zh = language.startswith("zh")
    rows = tuple(
        (
            form.study.name,
            status_words(form.study.status),
            population_words(form.patients.population),
            ", ".join(form.study.registrations) or None,
            (form.study.note_zh if zh and form.study.note_zh else form.study.note) or None,
        )
        for form in forms
        if form.study.status is not StudyStatus.RESULTS
    )
    columns = tuple(
        Column(head=_head(n), name="text") for n in ("study", "status", "population", "registration", "note")
    )
    return Table(columns=columns, rows=rows)


def notes_table(forms: Sequence[Extraction], language: str) -> Table:
    """Return what must be known of studies with results before their numbers are used; randomised studies first."""
    zh = language.startswith("zh")
    rows = tuple(
        (form.study.name, form.study.note_zh if zh and form.study.note_zh else form.study.note)
        for form in sorted(forms, key=_order)
        if form.study.note and form.study.status is StudyStatus.RESULTS
    )
    return Table(columns=tuple(Column(head=_head(name), name="text") for name in ("study", "note")), rows=rows)


def reports_table(forms: Sequence[Extraction]) -> Table:
    """Return one row for each report: how it is cited, DOI or PMID or registration, how much of it was read.

    What was not seen of a report is left out of its citation, never filled in.
    """
    rows = tuple(
        (form.study.name, _citation(one), _identifiers(one, form), _how_read(one))
        for form in sorted(forms, key=_order)
        for one in form.study.reports
    )
    names = ("study", "citation", "identifier", "read")
    return Table(columns=tuple(Column(head=_head(name), name="text") for name in names), rows=rows)


def _how_read(one: Report) -> Message:
    """How much of it was read; what was not read at the source says so."""
    if one.mark is Mark.SEEN:
        return read_words(one.read)
    return info("extraction.read-and-known", read_word=read_words(one.read), mark_text=mark_words(one.mark))


def _citation(one: Report) -> Cell:
    # The place starts with the year where it is known.
    year = "" if one.year is None or one.place.startswith(str(one.year)) else str(one.year)
    where = " ".join(part for part in (one.journal, year) if part)
    where = ". ".join(part for part in (where, one.place) if part)
    told = [part for part in (one.first_author, one.title, where) if part]
    kind = info(f"extraction.kind-{one.kind.value}")
    return kind if not told else info("extraction.cited", kind_word=kind, text=". ".join(told))


def _identifiers(one: Report, form: Extraction) -> str | None:
    found = [f"{name} {value}" for name, value in (("doi", one.doi), ("PMID", one.pmid), ("", one.pmcid)) if value]
    return ", ".join((*(text.strip() for text in found), *form.study.registrations)) or None


def forms_document(forms: Forms, changed: tuple[Message, ...], language: str, *, version: str) -> Document:
    """Lay out what the forms of a review say and what was found in them.

    Parameters
    ----------
    forms : Forms
    changed : tuple of Message
        From `changed_forms`.
    language : {"en", "zh"}
        Of the notes, which the forms carry in both.
    version : str
        Of the program.
    """
    told = forms.extractions
    appraised = {one.study for one in forms.appraisals}
    wanting = sum(form.study.status is StudyStatus.RESULTS and tool_for(form.study.design) is not None for form in told)
    blocks: list[Block] = [
        Paragraph(
            sentences=(
                info(
                    "extraction.forms-count",
                    studies=len(told),
                    reports=sum(len(form.study.reports) for form in told),
                    appraised=len(appraised),
                    wanted=wanting,
                ),
            )
        )
    ]
    parts: list[tuple[str, Table]] = [
        ("studies", studies_table(told)),
        ("responses", outcomes_table(told, is_response, language)),
        ("others", outcomes_table(told, is_other, language)),
        ("safety", outcomes_table(told, is_safety, language)),
        ("conflicts", conflicts_table(told, language)),
        ("findings", findings_table(told, language)),
        ("cells", cells_table(told)),
        ("notes", notes_table(told, language)),
        ("open", open_studies_table(told, language)),
        ("reports", reports_table(told)),
    ]
    for name, table in parts:
        if table.rows:
            blocks += [Heading(text=info(f"extraction.heading-{name}")), table]
    messages = most_severe_first((*forms.messages, *changed))
    if messages:
        blocks += [Heading(text=info("extraction.heading-found")), Findings(messages=messages)]
    return Document(title=info("extraction.forms-title"), blocks=tuple(blocks), version=version)


def forms_json(forms: Forms, changed: tuple[Message, ...], language: str) -> dict[str, Any]:
    """Return the same as JSON values."""
    return {
        "studies": [
            {
                "id": form.study.id,
                "name": form.study.name,
                "design": form.study.design.value,
                "status": form.study.status.value,
                "population": form.patients.population.value,
                "reports": len(form.study.reports),
                "outcomes": [
                    {
                        "outcome": row.outcome,
                        "time": row.timepoint,
                        "subgroup": row.subgroup,
                        "arm": row.arm,
                        "k": None if row.k is None else int(row.k),
                        "n": None if row.n is None else int(row.n),
                        "mark": row.mark.value,
                        "criteria": row.criteria,
                        "printed": row.printed_as,
                    }
                    for row in form.rows
                ],
            }
            for form in forms.extractions
        ],
        "appraisals": [{"study": one.study, "tool": one.tool, "rater": one.rater} for one in forms.appraisals],
        "messages": [
            {
                "code": message.code,
                "severity": message.severity.value,
                "place": str(message.place or ""),
                "text": say(message, language),
            }
            for message in (*forms.messages, *changed)
        ],
    }
