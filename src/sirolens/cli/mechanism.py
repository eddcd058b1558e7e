# SPDX-License-Identifier: Apache-2.0
"""`sirolens mechanism`: how the calibration fared, which inputs decide, who benefits; research, never advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens import __version__
from sirolens.cli import mechanism_export
from sirolens.cli.reports import check_pages, kind_of, rendered
from sirolens.cli.show import Language, language_option, tell_first_run
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.report.document import Document

__all__ = ["add_to"]

LEAST, MOST = 200, 20_000


def add_to(app: typer.Typer, language: str) -> None:
    """Add the group with its commands, with their help in one language."""
    group = typer.Typer(help=label("calibration.group-help", language), no_args_is_help=True)
    _add_targets(group, language)
    _add_sensitivity(group, language)
    _add_benefit(group, language)
    mechanism_export.add_to(group, language)
    app.add_typer(group, name="mechanism")


def _text(name: str, language: str) -> str:
    return label(f"calibration.{name}-help", language)


def _add_targets(group: typer.Typer, language: str) -> None:
    @group.command("targets", help=_text("targets", language))
    def targets(
        report: list[Path] = typer.Option([], "-o", "--report", help=_text("report", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.mechanism.calibration_results import calibration_results
        from sirolens.study.mechanism.page import targets_document

        check_pages(report)
        _give(targets_document(calibration_results(), version=__version__), report, show_in)


def _add_sensitivity(group: typer.Typer, language: str) -> None:
    @group.command("sensitivity", help=_text("sensitivity", language))
    def sensitivity(
        report: list[Path] = typer.Option([], "-o", "--report", help=_text("report", language)),
        patients: int = typer.Option(800, "--patients", min=LEAST, max=MOST, help=_text("patients", language)),
        structures: int = typer.Option(5, "--structures", min=1, max=5, help=_text("structures", language)),
        seed: int = typer.Option(1, "--seed", min=0, help=_text("seed", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.calibration.prior import calibration_prior
        from sirolens.study.mechanism.page import sensitivity_document
        from sirolens.study.mechanism.runs import influences

        check_pages(report)
        tell_first_run(show_in)
        base = 2 ** max(5, (patients // 6).bit_length() - 1)
        with _progress(show_in) as tick:
            chosen = calibration_prior().structures[:structures]
            found = influences(chosen, patients=patients, base=base, seed=seed, tick=tick)
        _give(sensitivity_document(found, version=__version__), report, show_in)


def _add_benefit(group: typer.Typer, language: str) -> None:
    @group.command("benefit", help=_text("benefit", language))
    def benefit(
        report: list[Path] = typer.Option([], "-o", "--report", help=_text("report", language)),
        patients: int = typer.Option(1000, "--patients", min=LEAST, max=MOST, help=_text("patients", language)),
        structures: int = typer.Option(3, "--structures", min=1, max=5, help=_text("structures", language)),
        partners: bool = typer.Option(True, "--partners/--no-partners", help=_text("partners", language)),
        seed: int = typer.Option(1, "--seed", min=0, help=_text("seed", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.calibration.prior import calibration_prior
        from sirolens.study.mechanism.page import benefit_document
        from sirolens.study.mechanism.runs import forecasts, partner_gains, subgroup_effects

        check_pages(report)
        tell_first_run(show_in)
        with _progress(show_in) as tick:
            chosen = calibration_prior().structures[:structures]
            found, tested = forecasts(chosen, patients=patients, seed=seed, tick=tick)
            gained = partner_gains(chosen, patients=max(LEAST, patients // 2), seed=seed, tick=tick) if partners else ()
        document = benefit_document(found, subgroup_effects(tested), gained, version=__version__)
        _give(document, report, show_in)


def _give(document: Document, report: list[Path], language: Language) -> None:
    """Write the pages asked for, or show the document."""
    from sirolens.interop.write import check_targets, write_together

    check_targets(report, inputs=[])
    made = {path: rendered(document, kind_of(path), language) for path in report}
    if not made:
        from rich.console import Console

        from sirolens.report.terminal import show

        show(document, language, Console())
    write_together(made)
    for path in made:
        typer.echo(label("cli.written", language, file=str(path)), err=True)


@contextmanager
def _progress(language: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a run is, on the error stream and only where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label("calibration.progress", language), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
