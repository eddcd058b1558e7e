# SPDX-License-Identifier: Apache-2.0
"""The `sirolens` command: puts the command groups together and shows what went wrong in words.

Nothing heavy is imported here: each command imports what it needs when it runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from functools import cache

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_group

from sirolens import __version__
from sirolens.cli import advise, mechanism, models, response, review, study, tables, trial
from sirolens.cli.show import IMPOSSIBLE, Language, language_option
from sirolens.cli.usage import command_named, name_panels, usage_fault
from sirolens.errors import SirolensError
from sirolens.report.words import label, say

__all__ = ["application", "main"]

_OBJECTS_BETWEEN_COLLECTIONS = 200_000


def language_of_environment() -> Language:
    """Return the language asked for by ``SIROLENS_LANGUAGE``, else by the locale: Chinese or English."""
    asked = next((v for v in map(os.environ.get, ("SIROLENS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")) if v), "")
    return Language.ZH if asked.lower().startswith("zh") else Language.EN


def language_of_command(arguments: Sequence[str]) -> Language:
    """Return the language a command line chooses for itself, else that of the environment.

    >>> language_of_command(["advise", "chart.json", "--language=zh"]).value
    'zh'
    """
    for flag, following in zip(arguments, (*arguments, "")[1:], strict=True):
        name, _, value = flag.partition("=")
        if name == "--language" and (value or following) in tuple(Language):
            return Language(value or following)
    return language_of_environment()


def application(language: Language) -> typer.Typer:
    """Build the command line with its help in one language."""
    app = typer.Typer(
        name="sirolens",
        help=label("cli.help", language),
        epilog=label("report.intended-use", language),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback(invoke_without_command=True)
    def root(
        context: typer.Context,
        version: bool = typer.Option(False, "--version", help=label("cli.version-help", language)),
        show_in: Language = language_option(language),  # read before anything else: `language_of_command`
    ) -> None:
        if version:
            typer.echo(__version__)
            raise typer.Exit
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())
            raise typer.Exit(IMPOSSIBLE)

    advise.add_to(app, language)
    models.add_to(app, language)
    tables.add_to(app, language)
    response.add_to(app, language)
    study.add_to(app, language)
    trial.add_to(app, language)
    mechanism.add_to(app, language)
    review.add_to(app, language)
    return app


@cache
def _program(language: Language) -> TyperGroup:
    """Build the command once for a process: a notebook or a test may run many."""
    program = get_group(application(language))
    name_panels(program, language)
    return program


def main() -> None:
    """Run the command; what cannot be done ends with its reasons, in the command's language, and exit code 2."""
    _collect_seldom()
    arguments = sys.argv[1:]
    language = language_of_command(arguments)
    program = _program(language)
    try:
        code = program(arguments, prog_name="sirolens", standalone_mode=False)
    except SirolensError as failure:
        for message in failure.messages:
            typer.echo(say(message, language), err=True)
        raise SystemExit(IMPOSSIBLE) from failure
    except TyperException as failure:
        _tell_usage(failure, program, arguments, language)
        raise SystemExit(IMPOSSIBLE) from failure
    except typer.Abort as failure:
        raise SystemExit(1) from failure
    if isinstance(code, int) and code:
        raise SystemExit(code)


def _collect_seldom() -> None:
    """Look for unreachable cycles seldom, and not at all when the process ends: modules are no garbage.

    A command makes some 200,000 objects that last, nearly all while importing; to go through them again and again
    would be a sixth of the work of `advise`.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)


def _tell_usage(failure: TyperException, program: object, arguments: Sequence[str], language: str) -> None:
    """Say what is wrong with the command line; a command that was called alone has shown its help already."""
    if type(failure).__name__ == "NoArgsIsHelpError":
        return
    words, command = command_named(program, arguments)
    typer.echo(say(usage_fault(failure, command), language), err=True)
    typer.echo(label("cli.usage-help", language, command=words), err=True)
