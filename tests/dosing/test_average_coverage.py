# SPDX-License-Identifier: Apache-2.0
"""The averaged band holds the true trough, whichever model is the truth. Oracle: the simulated truth itself.

A few patients a row, and only rows with room above the aim; the whole table is validation/coverage/README.md.
"""

from __future__ import annotations

import pytest
from validation.coverage.coverage import AIM, patients
from validation.coverage.patients import AVERAGED, covered

PATIENTS = 30  # of each truth; the draws are fixed, so the share is the same in every run


@pytest.mark.parametrize("truth", ["wu_2012", "mao_2024", "cheng_2020"])
def test_the_averaged_band_holds_the_true_trough_in_at_least_85_percent(truth: str) -> None:
    assert covered(patients(truth, range(PATIENTS)), AVERAGED) >= AIM
