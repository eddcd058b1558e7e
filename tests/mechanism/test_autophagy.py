# SPDX-License-Identifier: Apache-2.0
"""Claim B6: sirolimus promotes platelet autophagy, and with it fewer platelets are cleared."""

from __future__ import annotations

import pytest

from sirolens.engine.network import default_parameters, evaluate_outputs, initial_state
from sirolens.mechanism.network import load

EXACT = 1e-12


def _at(inhibition: float, variant: str | None = None) -> dict[str, float]:
    """Autophagy and immune clearance of the untreated patient when only the T-cell inhibition is set."""
    network = load(variant).network
    parameters = default_parameters(network)
    state = initial_state(network, parameters)
    state[network.states.index("u_T")] = inhibition
    found = evaluate_outputs(network, ("Q", "k_imm"), state, parameters, inputs=[[0.0], [0.0]])
    return {name: float(row[0]) for name, row in zip(("Q", "k_imm"), found, strict=True)}


def test_autophagy_rises_with_inhibition_and_clearance_falls() -> None:
    # Oracle: the register's own words: E_Q is the largest rise, e_Q the fall of clearance when autophagy doubles.
    register = load().assumptions
    rise, protection = register["E_Q"].value, register["e_Q"].value
    untreated, treated = _at(0.0), _at(0.6)
    assert untreated["Q"] == pytest.approx(1.0, abs=EXACT)
    assert treated["Q"] == pytest.approx(1.0 + 0.6 * rise, rel=EXACT)
    assert treated["k_imm"] / untreated["k_imm"] == pytest.approx(1.0 / (1.0 + protection * 0.6 * rise), rel=EXACT)


def test_the_effect_can_be_switched_off() -> None:
    untreated, treated = _at(0.0, "no-autophagy"), _at(0.6, "no-autophagy")
    assert treated["k_imm"] == pytest.approx(untreated["k_imm"], rel=EXACT)
