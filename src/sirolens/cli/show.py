# SPDX-License-Identifier: Apache-2.0
"""What every command shows alike: the choice of language, and flags on the error stream."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import typer

from sirolens.message import Message, most_severe_first
from sirolens.report.words import label, say, severity_word

__all__ = ["Language", "language_option", "show_flags"]


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
        typer.echo(f"{severity_word(message.severity, language)}: {say(message, language)}", err=True)
