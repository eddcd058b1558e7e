# SPDX-License-Identifier: Apache-2.0
"""What every command shows alike: the choice of language, and flags on the error stream."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from sirolens.message import Message, most_severe_first
from sirolens.report.words import label, say, severity_word

__all__ = ["IMPOSSIBLE", "Language", "language_option", "show_flags", "tell_first_run"]

IMPOSSIBLE = 2
"""Exit code when what was asked for cannot be done; nothing has been written then."""


class Language(StrEnum):
    """The languages sirolens speaks."""

    EN = "en"
    ZH = "zh"


def language_option(default: str) -> Any:
    """Return the option ``--language`` of every command."""
    return typer.Option(Language(default), "--language", help=label("cli.language-help", default))


def show_flags(messages: Iterable[Message], language: str) -> None:
    """Write messages to the error stream, the most serious first, each once."""
    for message in most_severe_first(dict.fromkeys(messages)):
        word = severity_word(message.severity, language)
        typer.echo(label("cli.flag", language, word=word, text=say(message, language)), err=True)


def tell_first_run(language: str) -> None:
    """Say that the kernels are about to be compiled, where no compiled one is found: it takes a minute, once."""
    import sirolens.engine  # settles where compiled kernels are kept

    assert sirolens.engine
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    if next(folder.rglob("*.nbi"), None) is None:
        typer.echo(label("cli.compiling", language), err=True)
