# SPDX-License-Identifier: Apache-2.0
"""The entry point: help in two languages, the version, and a clean end for every wrong call."""

from __future__ import annotations

import pytest

import sirolens as package
from sirolens.cli.main import language_of_command
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
