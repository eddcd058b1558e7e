# SPDX-License-Identifier: Apache-2.0
"""Which tests exist, by the ids that the documents use: ``tests/path.py::function``."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


@cache
def functions(file: str) -> frozenset[str]:
    """The test functions of a file, methods as ``Class::function``."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return frozenset(name for name in found if name.split("::")[-1].startswith("test_"))


def exists(test_id: str) -> bool:
    """Whether a test of this id exists; parameters in brackets are left out of the comparison."""
    file, _, name = test_id.partition("::")
    return name.partition("[")[0] in functions(file)
