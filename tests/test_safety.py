# SPDX-License-Identifier: Apache-2.0
"""Every hazard of docs/safety.md names the tests that hold its control, or the work it waits for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.named_tests import exists

PAGE = (Path(__file__).parent.parent / "docs" / "safety.md").read_text(encoding="utf-8")
ROWS = {
    cells[0]: cells
    for line in PAGE.splitlines()
    if re.match(r"\| H\d+ \|", line)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
HAZARDS = [f"H{number}" for number in range(1, 35)]


def test_all_hazards_are_listed_once() -> None:
    assert list(ROWS) == HAZARDS
    assert len(re.findall(r"^\| H\d+ \|", PAGE, flags=re.MULTILINE)) == len(HAZARDS)


@pytest.mark.parametrize("hazard", HAZARDS)
def test_hazard_has_existing_tests_or_names_what_it_waits_for(hazard: str) -> None:
    _, told, control, tests, waits_for = ROWS[hazard]
    assert len(told) > 10
    named = re.findall(r"`(tests/[^`]+)`", tests)
    assert named or waits_for != "-", f"{hazard} has neither a test nor the work it waits for"
    assert control != "-" or waits_for != "-"
    assert not [test for test in named if not exists(test)]
