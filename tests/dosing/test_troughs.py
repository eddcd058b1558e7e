# SPDX-License-Identifier: Apache-2.0
"""Models are asked once per rhythm where they are proportional, and the best dose behaves. Oracle: brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.dosing.protocol import default_settings
from sirolens.dosing.target import Target, default_target
from sirolens.dosing.troughs import Troughs, View, daily_cycle
from sirolens.regimen import Cycle, alternate_days, cycle
from sirolens.source import Mark, Source
from tests.dosing.invented_charts import DRAWS, EVERYTHING, troughs, view

ONE_STEP = 0.02  # one grid step of the best dose


def target(k: float) -> Target:
    origin = Source(title="test", mark=Mark.JUDGE)
    return Target(low_ng_ml=4 * k, high_ng_ml=8 * k, author="test", reason="test", source=origin)


def counted(name: str, proportional: bool, asked: list[Cycle]) -> View:
    inner = view(name)

    def draw(regimen: Cycle) -> tuple[np.ndarray, np.ndarray]:
        asked.append(regimen)
        return inner.draw(regimen)

    return View(name=name, label=name, weight=1.0, supports=EVERYTHING, proportional=proportional, draw=draw)


def test_a_proportional_model_is_asked_once_per_rhythm() -> None:
    asked: list[Cycle] = []
    found = troughs(counted("one", True, asked))
    found.table([daily_cycle(mg) for mg in (0.5, 1.0, 2.0, 4.0)], default_target())
    assert asked == [daily_cycle(1.0)]


def test_any_other_model_is_asked_once_per_regimen() -> None:
    asked: list[Cycle] = []
    found = troughs(counted("one", False, asked))
    for _ in range(2):
        found.table([daily_cycle(mg) for mg in (0.5, 1.0, 2.0)], default_target())
    assert len(asked) == 3


def test_asking_per_rhythm_and_per_regimen_gives_the_same_table() -> None:
    regimens = [daily_cycle(2), daily_cycle(0.7), cycle(alternate_days(3))]
    cycles = [one for one in regimens if one is not None]
    first = troughs(view(proportional=True)).table(cycles, default_target())
    second = troughs(view(proportional=False)).table(cycles, default_target())
    np.testing.assert_allclose(first.within, second.within, atol=2 / DRAWS)  # a draw on the edge may fall either way
    np.testing.assert_allclose(first.band_ng_ml, second.band_ng_ml, rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.6, 2.5), st.floats(0.1, 0.6))
def test_scaling_both_limits_scales_the_best_dose(k: float, log_sd: float) -> None:
    found = troughs(view(log_sd=log_sd), view("two", log_sd=log_sd, trough_per_mg=4.0, seed=2))
    plain, scaled = found.best_daily_mg(target(1.0)), found.best_daily_mg(target(k))
    assert scaled == pytest.approx(k * plain, rel=ONE_STEP)


def test_a_model_with_saturable_absorption_is_asked_again_near_its_best_dose() -> None:
    asked: list[Cycle] = []
    inner = view(log_sd=0.1)

    def draw(regimen: Cycle) -> tuple[np.ndarray, np.ndarray]:
        asked.append(regimen)
        value, weight = inner.draw(regimen)
        return value * regimen.daily_mg**-0.1, weight  # trough rises less than in proportion

    bent = View(name="bent", label="Bent", weight=1.0, supports=EVERYTHING, proportional=False, draw=draw)
    found = Troughs(views=(bent,), additive_ng_ml=0.5, proportional=0.2).best_daily_mg(default_target())
    # Oracle: median 3 x dose^0.9 meets the middle of the range.
    assert found == pytest.approx((default_target().aim_ng_ml / 3.0) ** (1 / 0.9), rel=0.03)
    assert len(asked) == 2


def test_one_model_alone_can_be_asked() -> None:
    found = troughs(view(trough_per_mg=2.0), view("two", trough_per_mg=4.0))
    alone = found.best_daily_mg(default_target(), only="two")
    assert alone == pytest.approx(found.best_daily_mg(default_target(), only="one") / 2, rel=ONE_STEP)


def test_a_patient_who_would_need_very_much_is_asked_about_the_largest_labelled_dose() -> None:
    asked: list[Cycle] = []
    inner = view(log_sd=0.1, trough_per_mg=0.05)  # 173 mg a day would be needed

    def draw(regimen: Cycle) -> tuple[np.ndarray, np.ndarray]:
        asked.append(regimen)
        return inner.draw(regimen)

    one = View(name="one", label="One", weight=1.0, supports=EVERYTHING, proportional=False, draw=draw)
    found = Troughs(views=(one,), additive_ng_ml=0.5, proportional=0.2).best_daily_mg(default_target())
    assert max(regimen.daily_mg for regimen in asked) == default_settings().label_daily_cap_mg.value
    assert found == pytest.approx(default_target().aim_ng_ml / 0.05, rel=0.03)  # closed form of a proportional model
