# SPDX-License-Identifier: Apache-2.0
"""The entry point: help in two languages, the version, and a clean end for every wrong call."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer import rich_utils
from typer.main import get_command

import sirolens as package
from sirolens.cli.main import application, language_of_command
from sirolens.cli.show import Language
from sirolens.cli.usage import library_words, usage_fault
from tests.cli.command import CHARTS, sirolens
from tests.interop.charts import CHINESE

GROUPED = ("list", "show", "check", "export")
COMMANDS = [(), ("advise",), ("simulate",), ("estimate",), *(("models", name) for name in GROUPED)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "sirolens")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_command_has_its_help_in_both_languages(
    command: tuple[str, ...], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIROLENS_LANGUAGE", language)
    done = sirolens(*command, "--help")
    assert done.code == 0
    assert bool(CHINESE.search(done.out)) == (language == "zh")
    assert "cli." not in done.out


def test_the_headings_of_the_help_are_in_its_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIROLENS_LANGUAGE", "zh")
    told = sirolens("advise", "--help").out + sirolens("--help").out
    assert not [word for word in ("Options", "Arguments", "Commands", "Show this") if word in told]
    assert not [word for word in ("选项", "参数", "命令", "显示本帮助") if word not in told]


def every_command(command: Any, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from every_command(below, *words, name)


def test_no_help_leaves_a_word_of_the_library_or_cuts_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    # The library's own words have no other hook than these names: this fails when a version takes one away.
    assert not [name for name in (*library_words("zh"), "highlighter") if not hasattr(rich_utils, name)]
    monkeypatch.setenv("SIROLENS_LANGUAGE", "zh")
    every = list(every_command(get_command(application(Language.ZH))))
    assert len(every) > 20
    for command in every:
        told = sirolens(*command, "--help").out
        assert "用法：" in told
        english = ("Usage", "[required", "[default", "OPTIONS", "COMMAND", "ARGS", "Show this", "…")
        assert not [word for word in english if word in told], command
    assert ("必填" in sirolens("advise", "--help").out, "默认" in sirolens("advise", "--help").out) == (True, True)


def test_the_language_may_be_asked_for_before_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIROLENS_LANGUAGE", "en")
    for command in ((), ("models",), ("models", "show")):
        assert CHINESE.search(sirolens("--language", "zh", *command, "--help").out)
    alone = sirolens("--language", "zh")
    assert (alone.code, bool(CHINESE.search(alone.out))) == (sirolens().code, True)
    assert CHINESE.search(sirolens("--language", "zh", "models", "list").out)
    assert not CHINESE.search(sirolens("--language", "en", "models", "list").out)


def test_the_librarys_words_are_its_own_again_after_a_help(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: getattr(rich_utils, name) for name in library_words("zh")}
    monkeypatch.setenv("SIROLENS_LANGUAGE", "zh")
    assert sirolens("advise", "--help").code == 0
    assert {name: getattr(rich_utils, name) for name in before} == before


def test_help_states_the_intended_use() -> None:
    words = " ".join(sirolens("--help").out.replace("│", " ").split())
    assert "Decision support for qualified professionals" in words
    assert "Not for emergencies" in words


def test_the_version_is_the_packages() -> None:
    done = sirolens("--version")
    assert (done.code, done.out.strip()) == (0, package.__version__)


@pytest.mark.parametrize(
    "arguments",
    [
        ("advise",),
        ("advise", CHARTS / "adult_three_troughs.json", "--nope"),
        ("advise", CHARTS / "adult_three_troughs.json", "--language", "fr"),
        ("advise", CHARTS / "adult_three_troughs.json", "--seed", "-1"),
        ("simulate", "events.csv"),
        ("simulate", "events.csv", "--model", "wu_2012", "--draws", "x"),
        ("models", "export", "wu_2012", "--to", "fortran"),
        ("nope",),
    ],
    ids=lambda arguments: " ".join(str(one) for one in arguments)[-40:],
)
def test_a_wrong_call_ends_with_code_2_and_names_what_is_wrong(arguments: tuple[str, ...]) -> None:
    done = sirolens(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.strip()


def test_a_command_speaks_the_language_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert language_of_command(["models", "list"]) == "zh"
    assert language_of_command(["models", "list", "--language", "en"]) == "en"
    assert language_of_command(["models", "list", "--language=en"]) == "en"
    monkeypatch.setenv("SIROLENS_LANGUAGE", "en")
    assert language_of_command(["models", "list"]) == "en"
    assert language_of_command(["models", "list", "--language"]) == "en"


CHART = CHARTS / "adult_three_troughs.json"
# What was typed, and what must be named of it, by the kind of fault.
FAULTS = {
    "no argument": (("advise",), "sirolens advise", ("CHART",)),
    "no option that is required": (("simulate", "events.csv"), "sirolens simulate", ("--model",)),
    "no choice that is required": (("models", "export", "wu_2012"), "sirolens models export", ("--to", "mrgsolve")),
    "unknown option": (("advise", CHART, "--zzz"), "sirolens advise", ("--zzz",)),
    "misspelt option": (("advise", CHART, "--langage", "zh"), "sirolens advise", ("--langage", "--language")),
    "option without its value": (("advise", CHART, "--seed"), "sirolens advise", ("--seed",)),
    "flag with a value": (("advise", CHART, "--json=3"), "sirolens advise", ("--json",)),
    "no such choice": (("models", "export", "x", "--to", "fortran"), "sirolens models export", ("fortran", "nonmem")),
    "no such language": (("advise", CHART, "--language", "fr"), "sirolens advise", ("fr", "en", "zh")),
    "number too low": (("advise", CHART, "--seed", "-1"), "sirolens advise", ("-1", "--seed", "0")),
    "no number": (("simulate", "e.csv", "-m", "w", "--draws", "1.5"), "sirolens simulate", ("1.5", "1000000")),
    "too much": (("advise", CHART, "twice", "over"), "sirolens advise", ("twice over",)),
    "unknown command": (("zzz",), "sirolens", ("zzz", "advise", "models")),
    "misspelt command": (("models", "shw"), "sirolens models", ("shw", "show")),
}
LIBRARY_WORDS = ("No such", "Missing", "Invalid value", "Got unexpected", "Usage", "Try ", "Error", "requires an")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_call_is_told_in_the_language_of_the_command(
    fault: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, command, named = FAULTS[fault]
    monkeypatch.setenv("SIROLENS_LANGUAGE", language)
    done = sirolens(*arguments)
    assert (done.code, done.out) == (2, "")
    told, *rest = done.err.splitlines()
    assert not [value for value in named if value not in told]
    assert bool(CHINESE.search(told)) == (language == "zh")
    assert len(rest) == 1
    assert rest[0].endswith(f"{command} --help")
    assert not [word for word in LIBRARY_WORDS if word in done.err]
    assert "cli." not in done.err


def test_a_fault_nobody_foresaw_is_told_in_the_librarys_words() -> None:
    said = usage_fault(RuntimeError("something new"), None)
    assert (said.code, said.values["text"]) == ("cli.usage-other", "something new")


def test_help_is_answered_without_the_libraries_of_the_calculation() -> None:
    # Oracle: a fresh interpreter; what is not loaded costs no time.
    code = (
        "import sys; sys.argv = ['sirolens', '--help']\n"
        "from sirolens.cli.main import main\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'numba', 'numpy', 'pandas', 'scipy', 'jinja2', 'docx', 'xarray'} & set(sys.modules)\n"
        "    assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
