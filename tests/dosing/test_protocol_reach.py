# SPDX-License-Identifier: Apache-2.0
"""The protocol comes first and what the models expect of it is printed; far outside is never offered (A1, A2, H15)."""

from __future__ import annotations

from sirolens.dosing.protocol import claim_for, default_settings
from sirolens.dosing.protocol_reach import ProtocolDose, protocol_reach
from sirolens.dosing.target import default_target
from tests.dosing.invented_charts import troughs, view

SETTINGS, TARGET = default_settings(), default_target()


def reach(age: float, per_mg: float) -> dict[tuple[str, float], ProtocolDose]:
    found = troughs(view(trough_per_mg=per_mg, log_sd=0.2), view("two", trough_per_mg=per_mg, seed=2))
    doses = protocol_reach(claim_for(age, SETTINGS), found, (), TARGET, SETTINGS)
    return {(dose.phase, dose.daily_mg): dose for dose in doses}


def test_every_protocol_dose_is_printed_under_each_model() -> None:
    doses = reach(45, 3.0)
    assert set(doses) == {("start", 2.0), ("start", 4.0), ("maintenance", 1.0), ("maintenance", 2.0)}
    assert all(len(dose.by_model) == 2 for dose in doses.values())


def test_2_mg_at_10_kg_is_protocol_text_only() -> None:
    # 9.6 ng/mL per mg is what the paediatric model gives a child of 10 kg (popPK check, section 5).
    dose = reach(3, 9.6)["start", 2.0]
    assert not dose.offered
    assert dose.message is not None
    assert dose.message.code == "dosing.protocol-dose-far-above"


def test_half_a_milligram_at_28_kg_is_expected_below_the_range() -> None:
    dose = reach(8, 4.7)["maintenance", 0.5]
    assert dose.message is not None
    assert dose.message.code == "dosing.protocol-dose-far-below"
