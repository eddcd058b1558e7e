# SPDX-License-Identifier: Apache-2.0
"""The runs behind sensitivity: inputs follow their laws, and what the facts call the main axis comes out first."""

from __future__ import annotations

import numpy as np
import pytest

from sirolens.mechanism.network import load
from sirolens.study.mechanism.runs import LEVEL, influences, sampled_inputs

PATIENTS = 60


def test_eight_inputs_make_patients_differ() -> None:
    assert len(sampled_inputs(load())) == 8


def test_dependence_leads_and_runs_can_be_repeated() -> None:
    # Oracle: the ranking measured on a prototype of these equations (dependence first, then count and plasma cells).
    found = influences(("three-links",), patients=PATIENTS, base=0, seed=2)
    by = {one.outcome: {p.name: p.value for p in one.partial} for one in found}
    assert max(by["log-count"], key=lambda name: abs(by["log-count"][name])) == "dep"
    assert by["log-count"]["dep"] > 0.7
    assert by["log-count"]["P0"] > 0.0 > by["log-count"]["fL"]
    assert LEVEL in by["overall"]
    assert all(one.failed == 0 and one.sobol == () for one in found)
    again = influences(("three-links",), patients=PATIENTS, base=0, seed=2)
    assert [p.value for p in again[0].partial] == pytest.approx([p.value for p in found[0].partial], abs=0.0)
    assert np.isfinite([p.value for p in found[0].partial]).all()
