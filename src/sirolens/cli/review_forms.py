# SPDX-License-Identifier: Apache-2.0
"""`sirolens review forms`, `certainty`, `robvis`: what was extracted and judged, checked, taken in, shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens import __version__
from sirolens.cli.review_folder import (
    by_option,
    json_option,
    load_state,
    opened,
    print_json,
    review_option,
    show_document,
    tell,
    who,
    whole_forms,
)
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Message, Place, Severity, error, info, warning
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.extraction.form import Extraction
    from sirolens.evidence.review.state import State

__all__ = ["add_to", "unlinked_reports"]


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_forms(group, language)
    _add_certainty(group, language)
    _add_robvis(group, language)


def _add_forms(group: typer.Typer, language: str) -> None:
    @group.command("forms", help=label("extraction.forms-help", language))
    def forms(
        new: str = typer.Option("", "--new", help=label("extraction.new-help", language), metavar="STUDY"),
        out: Path | None = typer.Option(None, "-o", "--out", help=label("extraction.new-out-help", language)),
        take: bool = typer.Option(False, "--take-in", help=label("extraction.take-in-help", language)),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.forms import changed_forms, new_form, read_forms, take_in
        from sirolens.interop.write import check_targets
        from sirolens.study.review.evidence import forms_document, forms_json

        review = opened(folder, show_in)
        if out is not None and not new:
            raise InputError(error("extraction.out-without-new", place=Place(field="--out")))
        if new:
            check_targets([] if out is None else [out])
            made = new_form(review.folder, new, by=who(by, review), language=show_in, out=out)
            tell(info("extraction.form-made", file=str(made)), show_in)
            return
        if take:
            written = take_in(review.folder, who(by, review))
            review = opened(review.folder, show_in)
        found = read_forms(review.folder)
        changed = changed_forms(review.folder, review.events)
        faulty = any(message.severity is Severity.ERROR for message in found.messages)
        if as_json:
            print_json(forms_json(found, changed, show_in))
            raise typer.Exit(2 if faulty else 0)
        show_document(forms_document(found, changed, show_in, version=__version__), show_in)
        if take:
            state = load_state(review, show_in)
            links = [message for form in found.extractions for message in unlinked_reports(form, state)]
            show_flags(links if state.records else [], show_in)
            tell(info("extraction.taken-in", number=len(written)), show_in)
        raise typer.Exit(2 if faulty else 0)  # a form that was left out is bad input, also when all others were shown


def unlinked_reports(form: Extraction, state: State) -> list[Message]:
    """Which records are the reports of a study where the form does not say so: told, never assumed."""
    by_number = {
        number: state.grouping.cluster_of[name]
        for name, record in state.records.items()
        for number in (record.doi, record.pmid)
        if number
    }
    told: list[Message] = []
    for report in form.study.reports:
        if report.records:
            continue
        found = by_number.get(report.doi.lower()) or by_number.get(report.pmid)
        if found is None:
            told.append(info("review.report-not-found", study=form.study.id, report=report.id))
        else:
            told.append(warning("review.report-found", study=form.study.id, report=report.id, record=found))
    return told


def _add_certainty(group: typer.Typer, language: str) -> None:
    @group.command("certainty", help=label("appraisal.certainty-help", language))
    def certainty(folder: Path = review_option(language), show_in: Language = language_option(language)) -> None:
        from sirolens.study.review.summary import summary_document

        forms = whole_forms(opened(folder, show_in), show_in)
        show_document(summary_document(forms, show_in, version=__version__), show_in)


def _add_robvis(group: typer.Typer, language: str) -> None:
    @group.command("robvis", help=label("appraisal.robvis-help", language))
    def robvis(
        tool: str = typer.Argument(..., help=label("appraisal.robvis-tool-help", language)),
        read: Path | None = typer.Option(None, "--read", help=label("appraisal.robvis-read-help", language)),
        folder: Path = review_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.appraisal.robvis import from_robvis, generic_words, to_robvis
        from sirolens.evidence.appraisal.tools import appraisal_tool

        appraisal_tool(tool)
        if read is not None:
            reading = from_robvis(_text(read), tool, rater="robvis", file=read.name)
            show_flags(reading.messages, show_in)
            if reading.appraisals:
                typer.echo(to_robvis(reading.appraisals), nl=False)
            return
        found = whole_forms(opened(folder, show_in), show_in)
        typer.echo(to_robvis([one for one in found.appraisals if one.tool == tool]), nl=False)
        words = generic_words(tool)
        if words is not None:
            show_flags([words], show_in)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        told = fault.strerror if isinstance(fault, OSError) else str(fault)
        place = Place(file=str(path))
        raise InputError(error("appraisal.file-unreadable", place=place, reason_text=told or "")) from fault
