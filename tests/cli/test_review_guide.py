# SPDX-License-Identifier: Apache-2.0
"""The guide of a review names only commands and options that exist, and every command of the group."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.main import get_command

from sirolens.cli.main import application
from sirolens.evidence.review.events import Kind
from sirolens.evidence.review.state import Box
from tests.cli.command import ROOT

GUIDE = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
GROUP = get_command(application("en")).commands["review"].commands
LINES = [line.split("#")[0].strip() for line in GUIDE.splitlines() if line.startswith("sirolens review ")]
INLINE = re.findall(r"`((?:[a-z-]+ )[^`]*--[^`]*)`", GUIDE)


def _options(name: str) -> set[str]:
    return {option for one in GROUP[name].params for option in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_of_the_guide_can_be_typed(line: str) -> None:
    _, _, name, *words = shlex.split(line)
    assert name in GROUP
    assert {word for word in words if word.startswith("--")} <= _options(name)


@pytest.mark.parametrize("text", [text for text in INLINE if text.split()[0] in GROUP])
def test_every_option_named_beside_a_command_is_its_own(text: str) -> None:
    name, *words = text.split()
    assert {word for word in words if word.startswith("--")} <= _options(name)


def test_every_command_of_the_group_is_in_the_guide() -> None:
    named = set(re.findall(r"[a-z-]+", GUIDE))
    assert sorted(name for name in GROUP if name not in named) == []


def test_every_box_and_kind_of_event_is_in_the_guide() -> None:
    assert [str(one) for one in (*Box, *Kind) if f"`{one}`" not in GUIDE] == []
