# SPDX-License-Identifier: Apache-2.0
"""Pooled estimates as a snapshot keeps them, on the shipped review. Oracle: the published counts 12/20 and 73/86."""

from __future__ import annotations

from pathlib import Path

import pytest

from sirolens.evidence.review_forms import read_forms
from sirolens.study.review_estimates import estimate_rows

SHIPPED = Path(__file__).parents[2] / "examples" / "review-sirolimus-itp"
TWO_DECIMALS = 0.005  # the interval is known as 0.38 to 0.94


def test_an_estimate_is_kept_with_its_interval_its_studies_and_what_they_brought() -> None:
    rows = {row["name"]: row for row in estimate_rows(read_forms(SHIPPED))}
    row = rows["single-arm-OR-3m-primary-itp"]
    assert row["studies"] == ["feng-2020", "twenty-patients-2024"]
    assert row["counts"] == ["feng-2020 73/86", "twenty-patients-2024 12/20"]
    assert (row["k"], row["method"], row["effect"]) == (2, "binomial-normal", "share")
    assert (row["low"], row["high"]) == (
        pytest.approx(0.38, abs=TWO_DECIMALS),
        pytest.approx(0.94, abs=TWO_DECIMALS),
    )


def test_a_folder_without_forms_has_no_estimates(tmp_path: Path) -> None:
    assert estimate_rows(read_forms(tmp_path)) == ()
