# SPDX-License-Identifier: Apache-2.0
"""The forms of the review that is shipped as an example, read once a process for all tests that look at them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sirolens.evidence.extraction.form import rows_for_pooling
from sirolens.evidence.extraction.outcome import OutcomeRow
from sirolens.evidence.review.forms import Forms, read_forms

REVIEW = Path(__file__).parents[2] / "examples" / "review-sirolimus-itp"


@cache
def forms() -> Forms:
    return read_forms(REVIEW)


@cache
def rows() -> tuple[OutcomeRow, ...]:
    return rows_for_pooling(forms().extractions)
