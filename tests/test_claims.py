# SPDX-License-Identifier: Apache-2.0
"""Every claim of the two source papers names the tests that show it, or the work it waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.named_tests import exists

ROOT = Path(__file__).parent.parent
CLAIMS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "claims.yaml").read_text(encoding="utf-8"))
EXPECTED = {*(f"A{n}" for n in range(1, 9)), *(f"B{n}" for n in range(1, 10))}


def test_all_claims_are_listed() -> None:
    assert set(CLAIMS) == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_claim_names_existing_tests_or_what_it_waits_for(name: str) -> None:
    claim = CLAIMS[name]
    assert claim["claim"]
    assert claim["lives_in"]
    tests = claim.get("tests", [])
    assert tests or claim.get("pending"), f"{name} has neither tests nor a pending subject"
    missing = [test for test in tests if not exists(test)]
    assert not missing
