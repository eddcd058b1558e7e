# SPDX-License-Identifier: Apache-2.0
"""`sirolens study check`: asks of a paper's printed figures whether they can stand beside each other."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from sirolens import __version__
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.report.words import label

__all__ = ["add_to"]


def add_to(study: typer.Typer, language: str) -> None:
    """Add the command to the `study` group, with its help in one language."""

    @study.command("check", help=label("checker.check-help", language))
    def check_file(
        file: Path = typer.Argument(..., help=label("checker.check-file-help", language)),
        as_json: bool = typer.Option(False, "--json", help=label("cli.json-help", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.study.check import check
        from sirolens.study.check_page import to_document, to_json
        from sirolens.study.published_file import read_published

        reading = read_published(_text(file, show_in), str(file))
        if reading.published is None:
            raise InputError(*reading.messages)
        show_flags(reading.messages, show_in)
        checked = check(reading.published)
        if as_json:
            typer.echo(json.dumps(to_json(checked, show_in), ensure_ascii=False, indent=2))
            return
        from rich.console import Console

        from sirolens.report.terminal import show

        show(to_document(checked, version=__version__), show_in, Console())


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
