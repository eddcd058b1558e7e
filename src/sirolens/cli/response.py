# SPDX-License-Identifier: Apache-2.0
"""`sirolens response`: one patient's chart in, whether and since when there is a response out; `sirolens criteria`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from sirolens import __version__
from sirolens.cli.reports import asked_for, instant_of, rendered
from sirolens.cli.show import IMPOSSIBLE, Language, language_option, show_flags
from sirolens.message import Severity
from sirolens.report.words import label

__all__ = ["add_to"]


def add_to(app: typer.Typer, language: str) -> None:
    """Add the commands, with their help in one language."""
    _add_response(app, language)
    _add_criteria(app, language)


def _add_response(app: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"cli.{name}", language)

    @app.command(help=text("response-help"))
    def response(
        chart: Path = typer.Argument(..., help=text("chart-help"), metavar="CHART"),
        at: str | None = typer.Option(None, "--at", help=text("response-at-help"), metavar="TIME"),
        criteria: str = typer.Option("iwg-2009", help=text("criteria-option-help"), metavar="NAME|FILE"),
        course: int | None = typer.Option(None, min=1, help=text("course-help")),
        as_json: bool = typer.Option(False, "--json", help=text("json-help")),
        html: Path | None = typer.Option(None, help=text("html-help")),
        pdf: Path | None = typer.Option(None, help=text("pdf-help")),
        docx: Path | None = typer.Option(None, help=text("docx-help")),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.care.response import assess
        from sirolens.care.response_page import response_document
        from sirolens.interop.chart_json import read_chart
        from sirolens.interop.write import check_targets, write_together
        from sirolens.response.criteria import load

        targets = asked_for(html, pdf, docx)
        check_targets([path for path, _ in targets], inputs=[chart])
        rules = load(criteria)
        read, flags = read_chart(chart)
        known, found, changes = assess(
            read, at=instant_of(at, read), criteria=rules, course=None if course is None else course - 1
        )
        document = response_document(known, found, changes, flags=flags, version=__version__)
        made = {path: rendered(document, kind, show_in) for path, kind in targets}
        if as_json:
            from sirolens.care.response_json import to_json

            values = to_json(known, found, changes, flags=flags, language=show_in)
            typer.echo(json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False))
        else:
            from rich.console import Console

            from sirolens.report.terminal import show

            show(document, show_in, Console())
        write_together(made)
        for path in made:
            typer.echo(label("cli.written", show_in, file=str(path)), err=True)


def _add_criteria(app: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"cli.{name}", language)

    criteria = typer.Typer(help=text("criteria-help"), no_args_is_help=True)
    app.add_typer(criteria, name="criteria")

    @criteria.command("list", help=text("criteria-list-help"))
    def list_sets(show_in: Language = language_option(language)) -> None:
        from rich.console import Console

        from sirolens.care.criteria_card import criteria_list
        from sirolens.report.terminal import show
        from sirolens.response.criteria import criteria_sets

        known = criteria_sets()
        show(criteria_list([known[name] for name in known], version=__version__), show_in, Console())

    @criteria.command("show", help=text("criteria-show-help"))
    def show_set(
        name: str = typer.Argument(..., help=text("criteria-option-help"), metavar="NAME|FILE"),
        show_in: Language = language_option(language),
    ) -> None:
        from rich.console import Console

        from sirolens.care.criteria_card import criteria_card
        from sirolens.report.terminal import show
        from sirolens.response.criteria import load

        show(criteria_card(load(name), version=__version__), show_in, Console())

    @criteria.command("check", help=text("criteria-check-help"))
    def check_file(
        file: Path = typer.Argument(..., help=text("criteria-file-help"), metavar="FILE"),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.response.criteria import check

        messages = check(file)
        show_flags(messages, show_in)
        if any(message.severity is Severity.ERROR for message in messages):
            raise typer.Exit(IMPOSSIBLE)
        if not messages:
            typer.echo(label("cli.check-nothing-found", show_in, file=str(file)))
