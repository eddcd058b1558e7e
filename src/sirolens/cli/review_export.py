# SPDX-License-Identifier: Apache-2.0
"""`sirolens review export` and `extract-in`: records go out to other programs, filled forms come in."""

from __future__ import annotations

import re
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
from sirolens.message import Message, Place, Severity, error, info, warning
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.extraction import Extraction
    from sirolens.evidence.review_state import State

__all__ = ["add_to", "unlinked_reports"]

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
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review_files import write_safely
        from sirolens.evidence.review_forms import take_in

        review = opened(folder, show_in)
        name = who(by, review)
        state = load_state(review, show_in)
        read = [_form(path, state) for path in files]
        messages = [message for one in read for message in one[1]]
        faults = [one for one in messages if one.severity is Severity.ERROR]
        if faults:
            raise InputError(*faults)
        show_flags(messages, show_in)
        for place, _, content in read:
            (review.folder / place).parent.mkdir(exist_ok=True)
            write_safely(review.folder / place, content)
        events = take_in(review.folder, name)
        if as_json:
            print_json([{"event": one.id, "kind": str(one.kind), "study": one.text("study")} for one in events])
            return
        for one in events:
            what = info(f"review.kind-{one.kind}")
            tell(info("review.extract-done", study=one.text("study"), what=what, event=one.id), show_in)


def _form(path: Path, state: State) -> tuple[str, list[Message], bytes]:
    """Where a form belongs in the folder, its messages, its bytes; a file that names a tool is an appraisal."""
    from sirolens.evidence.appraisal import read_appraisal
    from sirolens.evidence.extraction_file import read_extraction
    from sirolens.evidence.review_forms import APPRAISALS, STUDIES

    content, values = _toml(path)
    if "tool" in values:
        reading = read_appraisal(path)
        return f"{APPRAISALS}/{path.name}", list(reading.messages), content
    form = read_extraction(path)
    if form.extraction is None:
        return "", list(form.messages), content
    told = [*form.messages, *unlinked_reports(form.extraction, state)]
    study = form.extraction.study.id
    name = study if re.fullmatch(r"\w[\w.-]*", study) else path.stem  # it becomes the name of a file
    return f"{STUDIES}/{name}.toml", told, content


def _toml(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        content = path.read_bytes()
        return content, tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError as failure:
        raise InputError(error("file.missing", place=Place(file=str(path)))) from failure
    except (OSError, UnicodeDecodeError) as failure:
        raise InputError(error("file.unreadable", place=Place(file=str(path)))) from failure
    except (tomllib.TOMLDecodeError, RecursionError) as failure:
        place = Place(file=str(path))
        raise InputError(error("models.not-toml", place=place, value=str(failure), expected="TOML")) from failure


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
