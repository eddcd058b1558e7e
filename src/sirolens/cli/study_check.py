# SPDX-License-Identifier: Apache-2.0
"""`sirolens study check` and `sirolens study reproduce`: a paper's printed figures, checked and illustrated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens import __version__
from sirolens.cli.reports import check_pages, kind_of, rendered
from sirolens.cli.show import Language, language_option, show_flags, tell_first_run
from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.report.document import Document
    from sirolens.response.cohort import Cohort

__all__ = ["add_to"]


def add_to(study: typer.Typer, language: str) -> None:
    """Add both commands to the `study` group, with their help in one language."""
    _add_check(study, language)
    _add_reproduce(study, language)


def _add_check(study: typer.Typer, language: str) -> None:
    @study.command("check", help=label("checker.check-help", language))
    def check_file(
        file: Path = typer.Argument(..., help=label("checker.check-file-help", language), metavar="PUBLISHED.toml"),
        out: list[Path] = typer.Option([], "--out", "-o", help=label("checker.out-help", language)),
        as_json: bool = typer.Option(False, "--json", help=label("cli.json-help", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.write import check_targets, write_together
        from sirolens.study.checker.check import check
        from sirolens.study.checker.page import to_document, to_json
        from sirolens.study.checker.published_file import read_published

        check_pages(out)
        check_targets(out, inputs=[file])
        reading = read_published(_text(file, show_in), str(file))
        if reading.published is None:
            raise InputError(*reading.messages)
        show_flags(reading.messages, show_in)
        checked = check(reading.published)
        document = to_document(checked, version=__version__)
        made = {path: rendered(document, kind_of(path), show_in) for path in out}
        if as_json:
            typer.echo(json.dumps(to_json(checked, show_in), ensure_ascii=False, indent=2))
        else:
            _show(document, show_in)
        write_together(made)
        _tell_written(out, show_in)


def _add_reproduce(study: typer.Typer, language: str) -> None:
    @study.command("reproduce", help=label("checker.reproduce-help", language))
    def reproduce_paper(
        paper: str = typer.Argument("paper-a", help=label("checker.reproduce-paper-help", language)),
        criteria: str = typer.Option("iwg-2009", help=label("checker.reproduce-criteria-help", language)),
        out: list[Path] = typer.Option([], "--out", "-o", help=label("checker.out-help", language)),
        cohort: Path | None = typer.Option(None, help=label("checker.reproduce-cohort-help", language), metavar="DIR"),
        as_json: bool = typer.Option(False, "--json", help=label("cli.json-help", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.write import check_targets, write_together
        from sirolens.study.reproduce import reproduce
        from sirolens.study.reproduce_page import to_document, to_json

        check_pages(out)
        check_targets(out)
        if cohort is not None and cohort.exists():
            raise InputError(error("checker.folder-exists", place=Place(file=str(cohort))))
        tell_first_run(show_in)
        found = reproduce(paper, criteria)
        document = to_document(found, version=__version__)
        made = {path: rendered(document, kind_of(path), show_in) for path in out}
        if as_json:
            typer.echo(json.dumps(to_json(found, show_in), ensure_ascii=False, indent=2))
        else:
            _show(document, show_in)
        write_together(made)
        _tell_written(out, show_in)
        if cohort is not None:
            _write_cohort(found.analysis.cohort, cohort)
            _tell_written([cohort], show_in)


def _text(file: Path, language: str) -> str:
    """Read a file's text; what was assumed of its encoding is told."""
    from sirolens.interop.encoding import decode

    place = Place(file=str(file))
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise InputError(error("file.missing", place=place)) from None
    except OSError:
        raise InputError(error("file.unreadable", place=place)) from None
    text, flags = decode(data, file=str(file))
    show_flags(flags, language)
    return text


def _show(document: Document, language: str) -> None:
    from rich.console import Console

    from sirolens.report.terminal import show

    show(document, language, Console())


def _tell_written(paths: Sequence[Path], language: str) -> None:
    for path in paths:
        typer.echo(label("cli.written", language, file=str(path)), err=True)


def _write_cohort(cohort: Cohort, folder: Path) -> None:
    """Write a cohort's tables into a new folder; every file says that the patients are invented."""
    from sirolens.interop.cohort_write import cohort_files
    from sirolens.interop.write import write_together

    try:
        folder.mkdir(parents=True)
    except OSError as failure:
        told = failure.strerror or str(failure)
        raise InputError(error("write.impossible", place=Place(file=str(folder)), told=told)) from failure
    files = {folder / name: content for name, content in cohort_files(cohort).items()}
    write_together({**files, folder / "README.md": f"{cohort.title}\n".encode()})
