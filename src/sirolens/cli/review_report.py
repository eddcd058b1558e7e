# SPDX-License-Identifier: Apache-2.0
"""`sirolens review pool`, `flow` and `report`: pooled answers, the PRISMA flow, and everything as one report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens import __version__
from sirolens.cli.reports import PAGES, check_pages, kind_of, rendered
from sirolens.cli.review_folder import (
    check_results,
    day_of,
    json_option,
    load_state,
    messages_json,
    opened,
    print_json,
    review_option,
    show_document,
    whole_forms,
)
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.report.words import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from sirolens.evidence.pool.pooled import Pooled
    from sirolens.evidence.pool.questions import Question
    from sirolens.evidence.prisma.flow import Flow
    from sirolens.evidence.review.folder import Review
    from sirolens.evidence.review.forms import Forms
    from sirolens.message import Message
    from sirolens.report.document import Block, Document

__all__ = ["add_to"]

DRAWING, TABLE = ".svg", ".csv"


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_pool(group, language)
    _add_flow(group, language)
    _add_report(group, language)


def _text(name: str, language: str) -> str:
    return label(f"evidence.{name}-help", language)


def _out(language: str, name: str) -> Any:
    return typer.Option([], "-o", "--out", help=_text(name, language), metavar="FILE")


def _add_pool(group: typer.Typer, language: str) -> None:
    @group.command("pool", help=_text("pool", language))
    def pool(
        outcome: str = typer.Option("", "--outcome", help=_text("outcome", language)),
        time: str = typer.Option("", "--time", help=_text("time", language)),
        population: str = typer.Option("", "--population", help=_text("population", language)),
        any_criteria: bool = typer.Option(False, "--any-criteria", help=_text("any-criteria", language)),
        by: str = typer.Option("", "--by", help=_text("by", language), metavar="KEY"),
        over: str = typer.Option("", "--over", help=_text("over", language), metavar="KEY"),
        out: list[Path] = _out(language, "pages"),
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.extraction.form import rows_for_pooling
        from sirolens.evidence.pool.questions import answer, questions
        from sirolens.study.review.pool import pool_document, pooled_json

        check_pages(out)
        check_results(out)
        _check_keys(by, over)
        forms = whole_forms(opened(folder, show_in), show_in)
        rows = rows_for_pooling(forms.extractions)
        asked = _asked(questions(rows), outcome, time, population)
        answered: list[tuple[Question, Pooled]] = []
        refused: list[Message] = []
        for question in asked:
            try:
                answered.append((question, answer(question, rows, any_criteria=any_criteria)))
            except InputError as fault:
                refused += fault.messages
        if as_json:
            told = {"answers": pooled_json(answered, show_in), "refused": messages_json(refused, show_in)}
            print_json({**told, "differences": _differences_json(answered, forms, by, over)})
        else:
            further = _further(forms, by, over)
            _give(pool_document(answered, refused, forms.names(), version=__version__, further=further), out, show_in)


def _check_keys(by: str, over: str) -> None:
    """Refuse a covariate nobody knows, before anything is pooled."""
    from sirolens.study.review.moderators import GROUPS, NUMBERS

    for option, key, known in (("--by", by, GROUPS), ("--over", over, NUMBERS)):
        if key and key not in known:
            place = Place(field=option)
            raise InputError(error("evidence.covariate-unknown", place=place, value=key, known=tuple(known)))


def _further(forms: Forms, by: str, over: str) -> Callable[[Question, Pooled], list[Block]]:
    """Return what stands behind each pool: its subgroups, its regression, or why there is none."""
    from sirolens.report.document import Findings
    from sirolens.study.review.moderators import grouped_blocks, over_blocks
    from sirolens.study.review.pool import question_words

    def further(question: Question, pooled: Pooled) -> list[Block]:
        blocks: list[Block] = []
        for key, made in ((by, grouped_blocks), (over, over_blocks)):
            if key:
                title = question_words(question)
                try:
                    blocks += made(question.name, pooled, forms.extractions, key, forms.names(), title)
                except InputError as fault:
                    blocks.append(Findings(messages=fault.messages))
        return blocks

    return further


def _differences_json(
    answered: list[tuple[Question, Pooled]], forms: Forms, by: str, over: str
) -> list[dict[str, Any]]:
    from sirolens.study.review.moderators import differences_json

    keys = [key for key in (by, over) if key]
    return [
        differences_json(question, pooled, forms.extractions, key)
        for question, pooled in answered
        if pooled.k > 1
        for key in keys
    ]


def _asked(known: tuple[Question, ...], outcome: str, time: str, population: str) -> tuple[Question, ...]:
    """Return the questions that were asked for; all of them when nothing was."""
    found = tuple(
        one
        for one in known
        if outcome in ("", one.outcome) and time in ("", one.timepoint) and population in ("", one.population.value)
    )
    if not found and (outcome or time or population):
        there = tuple(dict.fromkeys(f"{one.outcome} {one.timepoint} {one.population}" for one in known))
        value = " ".join(part for part in (outcome, time, population) if part)
        raise InputError(error("evidence.no-question", value=value, known=there))
    return found


def _add_flow(group: typer.Typer, language: str) -> None:
    @group.command("flow", help=_text("flow", language))
    def flow(
        number: int | None = typer.Option(None, "--number", min=1, help=_text("number", language)),
        read: Path | None = typer.Option(None, "--read", help=_text("read", language), metavar="CSV"),
        out: list[Path] = _out(language, "flow-out"),
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.review.figures import reason_words

        _check_flow_files(out)
        check_results(out, inputs=[] if read is None else [read])
        reasons: dict[str, str] = {}
        if read is not None:
            found = _read_table(read)
        else:
            review = opened(folder, show_in)
            found = _folded(review, number, show_in)
            reasons = reason_words(review.reading.protocol, show_in)
        show_flags(found.messages, show_in)
        if as_json:
            from sirolens.study.review.flow import flow_json

            print_json(flow_json(found))
        else:
            _give_flow(found, reasons, out, show_in)


def _check_flow_files(out: list[Path]) -> None:
    known = (DRAWING, TABLE, *PAGES)
    faults = [
        error("write.format-unknown", place=Place(file=str(path)), value=path.suffix, known=known)
        for path in out
        if path.suffix.lower() not in known
    ]
    if faults:
        raise InputError(*faults)


def _folded(review: Review, number: int | None, language: str) -> Flow:
    from sirolens.evidence.prisma.flow import prisma_flow

    state = load_state(review, language)
    if not state.records:
        raise InputError(error("evidence.no-flow"))
    return prisma_flow(review.events, state.records.values(), review.rules, version=number)


def _read_table(path: Path) -> Flow:
    from sirolens.evidence.prisma.table import from_table

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        told = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise InputError(error("prisma.table-unreadable", place=Place(file=str(path)), told=told or "")) from fault
    return from_table(text, str(path))


def _give_flow(found: Flow, reasons: dict[str, str], out: list[Path], language: str) -> None:
    from sirolens.evidence.prisma.table import not_told, to_table
    from sirolens.interop.write import write_together
    from sirolens.report.page_font import svg_file
    from sirolens.study.review.figures import flow_figure
    from sirolens.study.review.flow import flow_document

    document = flow_document(found, reasons, version=__version__)
    if not out:
        show_document(document, language)
        return
    made: dict[Path, bytes] = {}
    for path in out:
        match path.suffix.lower():
            case ".csv":
                show_flags(not_told(found), language)
                made[path] = to_table(found).encode("utf-8-sig")
            case ".svg":
                made[path] = svg_file(flow_figure(found, reasons).drawing, name="flow", language=language)
            case _:
                made[path] = rendered(document, kind_of(path), language)
    write_together(made)
    for path in made:
        typer.echo(label("cli.written", language, file=str(path)), err=True)


def _add_report(group: typer.Typer, language: str) -> None:
    @group.command("report", help=_text("report", language))
    def report(
        out: list[Path] = _out(language, "pages"),
        number: int | None = typer.Option(None, "--number", min=1, help=_text("number", language)),
        on: str = typer.Option("today", "--on", help=_text("on", language)),
        folder: Path = review_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.review.report import material, report_document

        check_pages(out)
        check_results(out)
        review, today = opened(folder, show_in), day_of(on, "--on")
        load_state(review, show_in)
        told = material(review, version=number)
        _give(report_document(told, show_in, version=__version__, today=today), out, show_in)


def _give(document: Document, out: list[Path], language: Language) -> None:
    """Write the pages asked for, or show the document."""
    from sirolens.interop.write import write_together

    made = {path: rendered(document, kind_of(path), language) for path in out}
    if not made:
        show_document(document, language)
    write_together(made)
    for path in made:
        typer.echo(label("cli.written", language, file=str(path)), err=True)
