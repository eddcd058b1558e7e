# SPDX-License-Identifier: Apache-2.0
"""Gives the invented document its words: a catalogue that exists only in these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.report import invented


@pytest.fixture(autouse=True)
def invented_words() -> Iterator[None]:
    with invented.words():
        yield
