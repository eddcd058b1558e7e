# SPDX-License-Identifier: Apache-2.0
"""What collecting makes lives as long as the run: the search for unreachable cycles passes over it."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # Twelve thousand tests are a million objects; without this they are searched time and again.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
