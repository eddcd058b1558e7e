# SPDX-License-Identifier: Apache-2.0
"""The docs name only what exists, and what the program writes of them is up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.generated_docs import PAGES, ROOT
from tests.named_tests import exists

PAGES_OF_DOCS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "validation").rglob("*.md")],
)
# A path in backticks: at least one slash, or a file at the root with an ending we use.
PATH = re.compile(r"`((?:src|tests|docs|validation|benchmarks|examples)/[\w./-]+)`")
TEST_ID = re.compile(r"`(tests/[\w/]+\.py::[\w:]+)`")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


@pytest.mark.parametrize("page", PAGES_OF_DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_named_in_docs_exist(page: Path) -> None:
    named = PATH.findall(page.read_text(encoding="utf-8"))
    assert not [path for path in named if not (ROOT / path.rstrip("/.")).exists()]


@pytest.mark.parametrize("page", PAGES_OF_DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_tests_named_in_docs_exist(page: Path) -> None:
    named = TEST_ID.findall(page.read_text(encoding="utf-8"))
    assert not [test for test in named if not exists(test)]


def test_readme_names_the_two_commands_the_makefile_has() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("run", "test"):
        assert f"make {command}" in readme
        assert re.search(rf"^{command}:", makefile, flags=re.MULTILINE)


def test_pictures_named_in_the_readme_exist_and_are_the_programs_own() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme)
    assert pictures
    for picture in pictures:
        assert "vega" in (ROOT / picture).read_text(encoding="utf-8").lower() or "<svg" in (ROOT / picture).read_text()


def test_links_of_the_readme_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [link for link in re.findall(r"\]\(((?!https?:)[^)#]+)\)", readme) if not (ROOT / link).exists()]
