# SPDX-License-Identifier: Apache-2.0
"""`sirolens models`: list, show, check and export population models."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from sirolens import __version__
from sirolens.cli.show import IMPOSSIBLE, Language, language_option
from sirolens.message import Message, Severity
from sirolens.report.words import label, say, severity_word

__all__ = ["add_to"]


class Code(StrEnum):
    """What a model can be written as."""

    NONMEM = "nonmem"
    MRGSOLVE = "mrgsolve"


def add_to(app: typer.Typer, language: str) -> None:
    """Add the commands on models, with their help in one language."""

    def text(name: str) -> str:
        return label(f"cli.{name}", language)

    models = typer.Typer()
    app.add_typer(models, name="models", help=text("models-help"))

    @models.callback(invoke_without_command=True)
    def models_alone(
        called: typer.Context,
        as_json: bool = typer.Option(False, "--json", help=text("json-help")),
        show_in: Language = language_option(language),
    ) -> None:
        if called.invoked_subcommand is None:
            _list(as_json, show_in)

    @models.command("list", help=text("models-list-help"))
    def list_models(
        as_json: bool = typer.Option(False, "--json", help=text("json-help")),
        show_in: Language = language_option(language),
    ) -> None:
        _list(as_json, show_in)

    @models.command("show", help=text("models-show-help"))
    def show(
        name: str = typer.Argument(..., help=text("name-help"), metavar="NAME|FILE"),
        as_json: bool = typer.Option(False, "--json", help=text("json-help")),
        show_in: Language = language_option(language),
    ) -> None:
        from rich.console import Console

        from sirolens.models.card import describe
        from sirolens.models.catalog import load
        from sirolens.report.model_card import model_card
        from sirolens.report.terminal import show as show_document

        card = describe(load(name))
        if as_json:
            _print_json(plain(card, show_in))
        else:
            show_document(model_card(card, version=__version__), show_in, Console())

    @models.command("check", help=text("models-check-help"))
    def check_file(
        file: Path = typer.Argument(..., help=text("file-help")),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.models.check import check

        messages = check(file)
        for message in messages:
            word = severity_word(message.severity, show_in)
            typer.echo(label("cli.flag", show_in, word=word, text=say(message, show_in)), err=True)
        if any(message.severity is Severity.ERROR for message in messages):
            raise typer.Exit(IMPOSSIBLE)
        if not messages:
            typer.echo(label("cli.check-nothing-found", show_in, file=str(file)))

    @models.command("export", help=text("models-export-help"))
    def export(
        name: str = typer.Argument(..., help=text("name-help"), metavar="NAME|FILE"),
        to: Code = typer.Option(..., "--to", help=text("export-to-help")),
        out: Path | None = typer.Option(None, "--out", "-o", help=text("export-out-help")),
    ) -> None:
        from sirolens.interop.write import check_targets, write_whole
        from sirolens.models.catalog import load
        from sirolens.models.translate import to_mrgsolve, to_nonmem

        check_targets([] if out is None else [out], inputs=[Path(name)])
        code = (to_nonmem if to is Code.NONMEM else to_mrgsolve)(load(name))
        if out is None:
            typer.echo(code, nl=False)
        else:
            write_whole(out, code.encode())


def _list(as_json: bool, language: str) -> None:
    from sirolens.models.card import describe, describe_unusable
    from sirolens.models.catalog import catalog, unusable

    cards = [describe(catalog()[name]) for name in catalog()]
    if as_json:
        usable = [plain(card, language) for card in cards]
        _print_json({"models": usable, "known_but_unusable": [one.name for one in unusable()]})
        return
    from rich.console import Console

    from sirolens.report.model_card import model_list
    from sirolens.report.terminal import show as show_document

    withheld = [describe_unusable(one) for one in unusable()]
    show_document(model_list(cards, withheld, version=__version__), language, Console())


def plain(value: Any, language: str) -> Any:
    """Turn rows of values and messages into what JSON can hold, messages in words."""
    if isinstance(value, Message):
        return say(value, language)
    if isinstance(value, dict):
        return {key: plain(one, language) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, language) for one in value]
    return value


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
