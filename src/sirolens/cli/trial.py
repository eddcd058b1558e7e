# SPDX-License-Identifier: Apache-2.0
"""`sirolens trial`: a recipe in, how its design behaves out; with it the shipped recipes and the check of one's own.

``sirolens trial DESIGN.toml`` needs no name of a command between them: whatever is none of the group's commands is
taken for a recipe.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from sirolens import __version__
from sirolens.cli.reports import check_pages, kind_of, rendered
from sirolens.cli.show import IMPOSSIBLE, Language, language_option, show_flags, tell_first_run
from sirolens.errors import InputError
from sirolens.message import Place, Severity, error
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.report.document import Document

__all__ = ["add_to"]

RUN = "run"


class _TrialGroup(TyperGroup):
    """A group whose first word is a recipe unless it is one of its commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the running command before a recipe."""
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named or not args else [RUN, *args])


def add_to(app: typer.Typer, language: str) -> None:
    """Add the group with its commands, with their help in one language."""
    group = typer.Typer(help=label("trial.group-help", language), cls=_TrialGroup, no_args_is_help=True)
    _add_run(group, language)
    _add_recipes(group, language)
    app.add_typer(group, name="trial")


def _add_run(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"trial.{name}-help", language)

    @group.command(RUN, help=text("run"))
    def run(
        design: str = typer.Argument(..., help=text("design"), metavar="NAME|DESIGN.toml"),
        report: list[Path] = typer.Option([], "-o", "--report", help=text("report")),
        out: Path | None = typer.Option(None, "--out", help=text("out"), metavar="RESULTS.zarr"),
        resume: bool = typer.Option(False, "--resume", help=text("resume")),
        as_json: bool = typer.Option(False, "--json", help=label("cli.json-help", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.write import check_targets, write_together
        from sirolens.study.trial.mechanism import biology_of
        from sirolens.study.trial.page import trial_document
        from sirolens.study.trial.recipe import load, text_of
        from sirolens.study.trial.run import run_trial

        check_pages(report)
        recipe = load(design)
        check_targets(report, inputs=[Path(design)])
        if resume and out is None:
            raise InputError(error("trial.resume-nothing", place=Place(field="--resume")))
        tell_first_run(show_in)
        with _progress(show_in) as tick:
            result = run_trial(
                recipe, biology_of(recipe), out=out, recipe_text=text_of(design), resume=resume, tick=tick
            )
        document = trial_document(result, version=__version__, language=show_in)
        made = {path: rendered(document, kind_of(path), show_in) for path in report}
        show_flags(result.messages, show_in)
        if as_json:
            from sirolens.study.trial.results_json import to_json

            typer.echo(json.dumps(to_json(result, show_in), ensure_ascii=False, indent=2, allow_nan=False))
        elif not made:
            _show(document, show_in)
        write_together(made)
        for path in (*made, *([] if out is None else [out])):
            typer.echo(label("cli.written", show_in, file=str(path)), err=True)


def _add_recipes(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"trial.{name}-help", language)

    @group.command("list", help=text("list"))
    def list_recipes(show_in: Language = language_option(language)) -> None:
        from sirolens.study.trial.page import recipe_list
        from sirolens.study.trial.recipe import recipes

        known = recipes()
        _show(recipe_list([known[name] for name in known], version=__version__, language=show_in), show_in)

    @group.command("show", help=text("show"))
    def show_recipe(
        design: str = typer.Argument(..., help=text("design"), metavar="NAME|DESIGN.toml"),
        as_toml: bool = typer.Option(False, "--toml", help=text("toml")),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.trial.page import recipe_card
        from sirolens.study.trial.recipe import load, text_of

        recipe = load(design)
        if as_toml:
            typer.echo(text_of(design), nl=False)
        else:
            _show(recipe_card(recipe, version=__version__, language=show_in), show_in)

    @group.command("check", help=text("check"))
    def check_recipe(
        file: Path = typer.Argument(..., help=text("file"), metavar="DESIGN.toml"),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.trial.recipe import check

        messages = check(file)
        show_flags(messages, show_in)
        if any(message.severity is Severity.ERROR for message in messages):
            raise typer.Exit(IMPOSSIBLE)
        if not messages:
            typer.echo(label("cli.check-nothing-found", show_in, file=str(file)))


@contextmanager
def _progress(language: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a run is, on the error stream and only where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label("trial.progress", language), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _show(document: Document, language: str) -> None:
    from rich.console import Console

    from sirolens.report.terminal import show

    show(document, language, Console())
