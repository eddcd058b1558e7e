# SPDX-License-Identifier: Apache-2.0
"""docs/science/safety.md names every graded quantity and term, what is not graded, and every scale with its grades."""

from __future__ import annotations

import re
from pathlib import Path

from sirolens.response.bleeding import scales
from sirolens.response.ctcae import VERSIONS, ctcae
from sirolens.response.safety import EMERGENT_AFTER_DAYS, SEVERE_GRADE

PAGE = (Path(__file__).parents[2] / "docs" / "science" / "safety.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))


def test_every_graded_quantity_is_named() -> None:
    assert {term.lab for version in VERSIONS for term in ctcae(version).terms} <= NAMED


def test_every_term_of_its_own_is_named() -> None:
    shared = re.compile(r"aminotransferase|bilirubin|Fasting")  # one row for several
    terms = {term.name for version in VERSIONS for term in ctcae(version).terms}
    assert not [name for name in terms if not shared.search(name) and name not in PAGE]


def test_what_no_version_grades_is_named() -> None:
    absent = [set(ctcae(version).absent) for version in VERSIONS]
    assert set.intersection(*absent) <= NAMED


def test_every_scale_is_named() -> None:
    assert set(scales()) <= NAMED


def test_the_choices_are_named() -> None:
    assert f"until {EMERGENT_AFTER_DAYS} days after the last (JUDGE" in PAGE
    assert f"grade {SEVERE_GRADE} or more" in PAGE
