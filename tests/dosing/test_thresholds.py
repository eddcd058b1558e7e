# SPDX-License-Identifier: Apache-2.0
"""What would change the advice is named as next levels. Oracle: the direction a clinician expects."""

from __future__ import annotations

from sirolens.dosing.options import Option, candidates, evaluate
from sirolens.dosing.products import default_products
from sirolens.dosing.protocol import claim_for, default_settings
from sirolens.dosing.target import default_target
from sirolens.dosing.thresholds import would_change
from sirolens.dosing.troughs import Troughs
from sirolens.message import Message
from sirolens.regimen import MORNING
from tests.dosing.invented_charts import troughs, view

SETTINGS, PRODUCTS, TARGET = default_settings(), default_products(), default_target()


def table(found: Troughs) -> tuple[Option, ...]:
    plans = candidates(
        PRODUCTS,
        ("tablet",),
        best_mg=found.best_daily_mg(TARGET),
        settings=SETTINGS,
        split=False,
        clock=MORNING,
    )
    return evaluate(plans, found, TARGET, current=None, claim=claim_for(45, SETTINGS), settings=SETTINGS)


def found_for(log_sd: float) -> tuple[Option, dict[str, Message]]:
    found = troughs(view(log_sd=log_sd))
    rows = table(found)
    best = max((row for row in rows if row.plan.pattern == "daily"), key=lambda row: row.p_true_in)
    return best, {m.code: m for m in would_change(best, rows, found, TARGET, SETTINGS)}


def test_a_low_level_points_up_and_a_high_level_points_down() -> None:
    best, said = found_for(0.5)
    low, high = said["dosing.would-change-below"].values, said["dosing.would-change-above"].values
    assert float(str(low["level_ng_ml"])) < best.trough_ng_ml.median < float(str(high["level_ng_ml"]))
    for values, more in ((low, True), (high, False)):
        then = values["then_regimen"]
        assert isinstance(then, Message)
        assert (float(str(then.values["dose_mg"])) > best.daily_mg) is more


def test_a_patient_known_to_the_last_digit_is_not_moved_by_one_level() -> None:
    _, said = found_for(0.02)
    assert set(said) == {"dosing.would-change-events"}
