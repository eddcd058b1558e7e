# SPDX-License-Identifier: Apache-2.0
"""Every quirk of real exports has an invented fixture and a test. Oracle: the list of them, data/quirks.toml."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIST = tomllib.loads((HERE / "data" / "quirks.toml").read_text(encoding="utf-8"))
QUIRKS = {f"{family}: {what}": told for family, quirks in LIST.items() for what, told in quirks.items()}
IN_THE_TEST = "text"
NO_EXPORTS = {"README.md", "expected.toml"}


@cache
def functions_of(name: str) -> frozenset[str]:
    (path,) = HERE.rglob(f"{name}.py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("what", QUIRKS)
def test_a_quirk_has_its_fixture_and_its_test(what: str) -> None:
    fixture, test = QUIRKS[what]
    file, _, name = test.partition("::")
    assert name in functions_of(file)
    assert fixture == IN_THE_TEST or (HERE / "data" / fixture).is_file() or (HERE / f"{fixture}.py").is_file()


def test_every_fixture_stands_for_a_quirk() -> None:
    # Oracle: the folders of exports by Chinese databases, PubMed, Web of Science and the registers.
    files = {
        path.relative_to(HERE / "data").as_posix()
        for folder in ("chinese", "retrieval")
        for path in (HERE / "data" / folder).iterdir()
        if path.name not in NO_EXPORTS
    }
    assert files - {fixture for fixture, _ in QUIRKS.values()} == set()
