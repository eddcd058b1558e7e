# SPDX-License-Identifier: Apache-2.0
"""What the command-line library says itself, in our own words: its help's fixed words, and faults of a command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import typer

from sirolens.message import Message, error, info
from sirolens.report.words import label

__all__ = ["command_named", "library_words", "name_panels", "usage_fault"]

_QUOTED = re.compile(r"'([^']*)'")
_SUPERFLUOUS = re.compile(r"extra argument\(s\) \((.*)\)")


def name_panels(command: Any, language: str) -> None:
    """Give the help of a command, and of all below it, its headings and fixed words in a language."""
    for parameter in (*command.params, command.get_help_option(typer.Context(command))):
        kind = "arguments" if parameter.param_type_name == "argument" else "options"
        parameter.rich_help_panel = label(f"cli.panel-{kind}", language)
    command.get_help_option(typer.Context(command)).help = label("cli.help-help", language)
    command.options_metavar = label("cli.help-options", language)
    if hasattr(command, "subcommand_metavar"):
        command.subcommand_metavar = label("cli.help-subcommand", language)
    command.format_help = _in_words(command.format_help, language)
    command.get_usage = _named_usage(command.get_usage, language)
    for below in getattr(command, "commands", {}).values():
        below.rich_help_panel = label("cli.panel-commands", language)
        name_panels(below, language)


def _named_usage(inherited: Callable[[Any], str], language: str) -> Callable[[Any], str]:
    """Put our word before the usage line for the library's."""
    return lambda context: inherited(context).replace("Usage:", label("cli.help-usage", language), 1)


def _in_words(inherited: Callable[[Any, Any], None], language: str) -> Callable[[Any, Any], None]:
    """Write a command's help with the library's fixed words in a language, and without cutting any."""

    def format_help(context: Any, formatter: Any) -> None:
        import typer.rich_utils as library  # heavy, and needed by the help alone

        with _replaced(library, library_words(language) | {"highlighter": _folding(library.highlighter)}):
            inherited(context, formatter)

    return format_help


def library_words(language: str) -> dict[str, str]:
    """Return the library's own strings, by their names in it, in a language.

    >>> library_words("zh")["REQUIRED_LONG_STRING"]
    '[必填]'
    """
    return {
        "REQUIRED_LONG_STRING": f"[{label('cli.help-required', language)}]",
        "DEFAULT_STRING": f"[{label('cli.help-default', language)} {{}}]",
    }


def _folding(highlight: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Fold what is too long for its column: Chinese has no blanks, and the library would cut it with dots."""

    def fold(text: Any) -> Any:
        found = highlight(text)
        found.overflow = "fold"
        return found

    return fold


@contextmanager
def _replaced(module: Any, values: dict[str, Any]) -> Iterator[None]:
    before = {name: getattr(module, name) for name in values}
    vars(module).update(values)
    try:
        yield
    finally:
        vars(module).update(before)


def command_named(program: Any, arguments: Sequence[str]) -> tuple[str, Any]:
    """Follow a command line down to the command it names.

    Parameters
    ----------
    program : Command
        The whole program.
    arguments : sequence of str
        What was typed after its name.

    Returns
    -------
    str, Command
        The words that name the command, and the command.
    """
    words, command = "sirolens", program
    for argument in arguments:
        below = getattr(command, "commands", {})
        if argument not in below:
            break
        words, command = f"{words} {argument}", below[argument]
    return words, command


def usage_fault(failure: Any, command: Any) -> Message:
    """Say what is wrong with a command line.

    Parameters
    ----------
    failure : Exception
        What the library raised; its classes are private to it, so they are known by name.
    command : Command
        The command that was called.

    Returns
    -------
    Message
        ``cli.usage-...``; a fault of a kind nobody foresaw is told in the library's words.
    """
    told = str(getattr(failure, "message", failure))
    for kind in (one.__name__ for one in type(failure).__mro__):
        match kind:
            case "NoSuchOption":
                return _unknown_option(failure.option_name, tuple(failure.possibilities or ()))
            case "MissingParameter":
                return _missing(failure.param)
            case "BadParameter":
                return _bad_value(failure)
            case "BadOptionUsage" if "requires" in told:
                return error("cli.usage-no-value", name=failure.option_name)
            case "BadOptionUsage":
                return error("cli.usage-value-not-taken", name=failure.option_name)
            case "UsageError":
                return _other(told, command)
    return error("cli.usage-other", text=told)


def _unknown_option(name: str, near: tuple[str, ...]) -> Message:
    if near:
        return error("cli.usage-unknown-option-near", name=name, near=near)
    return error("cli.usage-unknown-option", name=name)


def _name(parameter: Any) -> str:
    """How a reader calls it: the longest spelling of an option, the placeholder of an argument."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))


def _missing(parameter: Any) -> Message:
    name, choices = _name(parameter), _choices(parameter)
    if choices:
        return error("cli.usage-missing-choice", name=name, known=choices)
    code = "cli.usage-missing-argument" if parameter.param_type_name == "argument" else "cli.usage-missing-option"
    return error(code, name=name)


def _choices(parameter: Any) -> tuple[str, ...]:
    choices = getattr(getattr(parameter, "type_descriptor", None), "choices", None) or ()
    return tuple(str(getattr(choice, "value", choice)) for choice in choices)


def _bad_value(failure: Any) -> Message:
    parameter = failure.param
    value = _given(failure)
    expected = None if parameter is None else _expected(parameter)
    if value is None or expected is None:
        return error("cli.usage-other", text=failure.format_message())
    return error("cli.usage-bad-value", value=value, name=_name(parameter), expected=expected)


def _given(failure: Any) -> str | None:
    """The value that was typed: the library tells it through its cause, or in quotes."""
    try:
        return str(failure.__cause__.errors()[0]["input"])
    except (AttributeError, IndexError, KeyError):
        found = _QUOTED.search(failure.message)
        return None if found is None else found[1]


def _expected(parameter: Any) -> Message | None:
    choices = _choices(parameter)
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    if choices:
        return info("cli.expected-choice", known=choices)
    if low is None:
        return None
    if high is None:
        return info("cli.expected-number-from", low=low)
    return info("cli.expected-number-between", low=low, high=high)


def _other(told: str, command: Any) -> Message:
    commands = tuple(getattr(command, "commands", ()))
    quoted, superfluous = _QUOTED.search(told), _SUPERFLUOUS.search(told)
    if commands and quoted:
        near = tuple(get_close_matches(quoted[1], commands))
        if near:
            return error("cli.usage-unknown-command-near", name=quoted[1], near=near)
        return error("cli.usage-unknown-command", name=quoted[1], known=commands)
    if commands:
        return error("cli.usage-missing-command", known=commands)
    if superfluous:
        return error("cli.usage-too-many", value=superfluous[1])
    return error("cli.usage-other", text=told)
