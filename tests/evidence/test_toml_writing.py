# SPDX-License-Identifier: Apache-2.0
"""What is written as TOML is what is read; the oracle is the standard library's own parser."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.toml_writing import toml_text

SHIPPED = sorted((Path(__file__).parents[2] / "examples" / "review-sirolimus-itp").rglob("*.toml"))
WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
SCALARS = st.one_of(
    WORDS,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=12
)


@settings(deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_everything_that_toml_holds_comes_back(data: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(data)) == data


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_forms_of_the_shipped_review_come_back(path: Path) -> None:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert tomllib.loads(toml_text(data)) == data
