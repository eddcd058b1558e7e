# SPDX-License-Identifier: Apache-2.0
"""`sirolens advise`: one patient's chart in, the next dose with its reasons out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens import __version__
from sirolens.cli.reports import asked_for, instant_of, rendered
from sirolens.cli.show import IMPOSSIBLE, Language, language_option, show_flags, tell_first_run
from sirolens.errors import InputError
from sirolens.message import Severity, error, warning
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.care.consult import Consultation

__all__ = ["add_to"]


def add_to(app: typer.Typer, language: str) -> None:
    """Add the command, with its help in one language."""

    def text(name: str) -> str:
        return label(f"cli.{name}", language)

    @app.command(help=text("advise-help"))
    def advise(
        chart: Path = typer.Argument(..., help=text("chart-help"), metavar="CHART"),
        at: str | None = typer.Option(None, "--at", help=text("at-help"), metavar="TIME"),
        as_json: bool = typer.Option(False, "--json", help=text("json-help")),
        html: Path | None = typer.Option(None, help=text("html-help")),
        pdf: Path | None = typer.Option(None, help=text("pdf-help")),
        docx: Path | None = typer.Option(None, help=text("docx-help")),
        details: bool = typer.Option(False, "--details", help=text("details-help")),
        model: list[str] = typer.Option([], "--model", "-m", help=text("advise-model-help"), metavar="NAME|FILE"),
        settings: Path | None = typer.Option(None, help=text("settings-help")),
        acknowledge: list[str] = typer.Option([], help=text("acknowledge-help"), metavar="CODE=REASON"),
        seed: int = typer.Option(1, min=0, help=text("seed-help")),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.care.advice_page import advice_document
        from sirolens.dosing.ranking import Outcome
        from sirolens.interop.write import check_targets, write_together

        targets = asked_for(html, pdf, docx)
        check_targets([path for path, _ in targets], inputs=[chart, *([] if settings is None else [settings])])
        tell_first_run(show_in)
        consultation = _consultation(chart, at, model, settings, acknowledge, seed)
        computed = consultation.advice.outcome is not Outcome.NOT_COMPUTED
        document = advice_document(consultation, version=__version__)
        # Every report is made before the first is written: a fault in one leaves none behind.
        made = {path: rendered(document, kind, show_in) for path, kind in targets} if computed else {}
        if as_json:
            from sirolens.care.advice_json import to_json

            typer.echo(json.dumps(to_json(consultation, show_in), ensure_ascii=False, indent=2, allow_nan=False))
        else:
            from rich.console import Console

            from sirolens.report.terminal import show

            show(advice_document(consultation, version=__version__, details=details), show_in, Console())
        _say_how_to_acknowledge(consultation, acknowledge, show_in)
        if not computed:
            _refuse(consultation, show_in)
        write_together(made)
        for path in made:
            typer.echo(label("cli.written", show_in, file=str(path)), err=True)


def _consultation(
    path: Path, at: str | None, models: Sequence[str], settings: Path | None, acknowledged: Sequence[str], seed: int
) -> Consultation:
    from sirolens.care.consult import consult
    from sirolens.interop.chart_json import read_chart
    from sirolens.interop.site_toml import read_site
    from sirolens.models.catalog import load

    chosen = [load(name) for name in models]
    site = read_site(settings)
    told = dict(_acknowledgement(text) for text in acknowledged)
    chart, flags = read_chart(path)
    return consult(
        chart,
        at=instant_of(at, chart),
        models=chosen or None,
        target=site.target,
        products=site.products,
        settings=site.settings,
        acknowledged=told,
        flags=flags,
        seed=seed,
    )


def _acknowledgement(text: str) -> tuple[str, str]:
    code, _, reason = text.partition("=")
    if not code.strip() or not reason.strip():
        raise InputError(error("cli.acknowledgement-unreadable", value=text))
    return code.strip(), reason.strip()


def _say_how_to_acknowledge(consultation: Consultation, given: Sequence[str], language: str) -> None:
    """Name the codes that wait for a reason, and acknowledgements that met nothing."""
    from sirolens.dosing.ranking import OVERRIDABLE

    advice = consultation.advice
    told = {code for code, _ in map(_acknowledgement, given)}
    critical = dict.fromkeys(message.code for message in advice.messages if message.severity is Severity.CRITICAL)
    for code in critical:
        if code not in told:
            option = f'--acknowledge "{code}=..."'
            typer.echo(label("cli.how-to-acknowledge", language, option=option), err=True)
    known = (*critical, *sorted(OVERRIDABLE))
    show_flags(
        (warning("cli.acknowledgement-unused", value=code, known=known) for code in sorted(told - set(known))), language
    )


def _refuse(consultation: Consultation, language: str) -> None:
    """End with exit code 2 where no model may be used: the reasons are said, no report is written."""
    typer.echo(label("cli.no-dose-computed", language), err=True)
    advice = consultation.advice
    reasons = (message for message in advice.messages if message.severity is Severity.ERROR)
    show_flags((*advice.reasons, *reasons), language)
    raise typer.Exit(IMPOSSIBLE)
