# SPDX-License-Identifier: Apache-2.0
"""The environment every command of these tests runs in: English unless asked, a terminal of known width."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def known_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIROLENS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
