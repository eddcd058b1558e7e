# SPDX-License-Identifier: Apache-2.0
"""`sirolens review export` and `extract-in`: records go out to other programs, filled forms come in."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens.cli.review_folder import (
    by_option,
    json_option,
    load_state,
    opened,
    print_json,
    review_option,
    tell,
    who,
)
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Message, Place, Severity, error, info
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.extraction import Extraction
    from sirolens.evidence.review import Draft
    from sirolens.evidence.review_state import State

__all__ = ["add_to"]

FORMATS = {".ris": "ris", ".bib": "bibtex", ".csv": "csv", ".nbib": "pubmed-nbib"}
"""Which format a file's ending asks for; a name given with --format goes before it."""


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_export(group, language)
    _add_extract(group, language)


def _add_export(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.export-{name}-help", language)

    @group.command("export", help=label("review.export-help", language))
    def export_records(
        out: Path = typer.Argument(..., help=text("out"), metavar="FILE"),
        box: list[str] = typer.Option([], "--box", help=text("box")),
        copies: bool = typer.Option(False, "--copies", help=text("copies")),
        format_name: str = typer.Option("", "--format", help=text("format")),
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.exporting import export_file
        from sirolens.evidence.review_state import Box

        name = format_name or FORMATS.get(out.suffix.lower(), "")
        if not name:
            place = Place(file=str(out))
            raise InputError(error("write.format-unknown", place=place, value=out.suffix, known=tuple(FORMATS)))
        known = tuple(one.value for one in Box)
        wrong = [one for one in box if one not in known]
        if wrong:
            raise InputError(error("review.box-unknown", place=Place(field="--box"), value=wrong[0], known=known))
        state = load_state(opened(folder, show_in), show_in)
        chosen = state.within(*(Box(one) for one in box)) if box else state.screened
        if copies:
            chosen = tuple(member for one in chosen for member in state.clusters[state.placed[one].cluster].members)
        records = [state.records[one] for one in dict.fromkeys(chosen)]
        if not records:
            raise InputError(error("review.export-nothing"))
        export_file(records, out, format_name=name)
        if as_json:
            print_json({"file": str(out), "records": len(records), "format": name})
        else:
            tell(info("review.exported", count=len(records), file=str(out)), show_in)


def _add_extract(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.extract-{name}-help", language)

    @group.command("extract-in", help=label("review.extract-help", language))
    def extract_in(
        files: list[Path] = typer.Argument(..., help=text("files"), metavar="FORM.toml..."),
        consensus: bool = typer.Option(False, "--consensus", help=text("consensus")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review import append

        review = opened(folder, show_in)
        name = who(by, review)
        state = load_state(review, show_in)
        drafts: list[Draft] = []
        messages: list[Message] = []
        for path in files:
            more, told = _form_drafts(path, state, consensus=consensus)
            drafts += more
            messages += told
        show_flags([one for one in messages if one.severity is not Severity.ERROR], show_in)
        faults = [one for one in messages if one.severity is Severity.ERROR]
        if faults:
            raise InputError(*faults)
        events = append(review.folder, name, drafts)
        if as_json:
            print_json([{"event": one.id, "kind": str(one.kind), "study": one.text("study")} for one in events])
            return
        for one in events:
            tell(info(f"review.extract-{one.kind}", study=one.text("study"), event=one.id), show_in)


def _form_drafts(path: Path, state: State, *, consensus: bool) -> tuple[list[Draft], list[Message]]:
    """The events of one file: an extraction with its study, or an appraisal (a file that names a tool)."""
    from sirolens.evidence.appraisal import read_appraisal
    from sirolens.evidence.extraction_file import read_extraction
    from sirolens.evidence.review_events import Kind

    data = _toml(path)
    flag = True if consensus else None
    if "tool" in data:
        reading = read_appraisal(path)
        one = reading.appraisal
        told: list[Draft] = []
        if one is not None:
            told = [(Kind.APPRAISED, {"study": one.study, "tool": one.tool, "data": data, "consensus": flag})]
        return told, list(reading.messages)
    form = read_extraction(path)
    if form.extraction is None:
        return [], list(form.messages)
    study = form.extraction.study.id
    grouped, missing = _grouped(form.extraction, state)
    return [grouped, (Kind.EXTRACTED, {"study": study, "data": data, "consensus": flag})], [*form.messages, *missing]


def _toml(path: Path) -> dict[str, Any]:
    import json

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as failure:
        raise InputError(error("file.missing", place=Place(file=str(path)))) from failure
    except (OSError, UnicodeDecodeError) as failure:
        raise InputError(error("file.unreadable", place=Place(file=str(path)))) from failure
    try:
        plain: dict[str, Any] = json.loads(json.dumps(tomllib.loads(text), default=str, allow_nan=False))
    except (ValueError, RecursionError) as failure:
        place = Place(file=str(path))
        raise InputError(error("models.not-toml", place=place, value=str(failure), expected="TOML")) from failure
    return plain


def _grouped(form: Extraction, state: State) -> tuple[Draft, list[Message]]:
    """Which records of the review are the reports of a study: by their ids, DOIs and PMIDs."""
    from sirolens.evidence.review_events import Kind

    by_number = {
        number: state.grouping.cluster_of[name]
        for name, record in state.records.items()
        for number in (record.doi, record.pmid)
        if number
    }
    reports: list[str] = []
    missing: list[Message] = []
    for report in form.study.reports:
        told = [state.grouping.cluster_of[one] for one in report.records if one in state.grouping.cluster_of]
        told += [by_number[one] for one in (report.doi.lower(), report.pmid) if one in by_number]
        if told:
            reports += told[:1]
        else:
            missing.append(info("review.report-not-found", study=form.study.id, report=report.id))
    values = {
        "study": form.study.id,
        "label": form.study.name,
        "reports": list(dict.fromkeys(reports)),
        "cohorts": [cohort.id for cohort in form.study.cohorts] or None,
        "overlap_group": next((one.overlap_group for one in form.study.cohorts if one.overlap_group), None),
    }
    return (Kind.GROUPED, values), missing
