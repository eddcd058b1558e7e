# SPDX-License-Identifier: Apache-2.0
"""Dose adjustment over arrays does what the dosing room does for one chart, and levels are the exact engine's.

Oracles: `sirolens.dosing.proportional` on a chart, the exact linear engine, and the rules written by hand.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sirolens.dosing.present import present_regimen
from sirolens.dosing.products import default_products
from sirolens.dosing.proportional import proportional
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.target import default_target
from sirolens.mechanism.exposure import DoseHistory, Kinetics, blood_levels, sample_kinetics
from sirolens.models.catalog import load
from sirolens.models.residual import Residual
from sirolens.regimen import daily
from sirolens.study.trial.tdm import Noise, Plan, Policy, Titrated, noise_of, policy, titrate, troughs, unit_troughs
from tests.dosing.invented_charts import NOW, chart, history, level, prescription

SETTINGS, PRODUCTS = default_settings(), default_products()
RULE = policy(5.0, 15.0)
ROUNDING = 1e-12  # sums of doses in another order
DAYS = 120
VISITS = (14, 28, 42, 56, 84)


def kinetics(n: int) -> Kinetics:
    return sample_kinetics(load("mao_2024"), {}, seed=3, index=range(n))


def plan(
    n: int,
    start_mg: float = 3.0,
    maintenance_mg: float = np.nan,
    maintenance_visit: int = -1,
    seen: np.ndarray | None = None,
    taken: np.ndarray | None = None,
    normal: np.ndarray | None = None,
) -> Plan:
    shape = (n, len(VISITS))
    return Plan(
        days=DAYS,
        start_mg=np.full(n, start_mg),
        maintenance_mg=np.full(n, maintenance_mg),
        maintenance_visit=maintenance_visit,
        visit_day=np.tile(np.array(VISITS), (n, 1)),
        levelled=np.ones(len(VISITS), bool),
        seen=np.ones(shape, bool) if seen is None else seen,
        taken=np.ones((n, DAYS), bool) if taken is None else taken,
        normal=np.zeros(shape) if normal is None else normal,
    )


def next_dose(now_mg: float, level_ng_ml: float, rule: Policy = RULE) -> float:
    """The dose after a level, through the whole walk: one patient whose first trough is that level."""
    return after_level(now_mg, level_ng_ml, rule)[1]


def after_level(now_mg: float, level_ng_ml: float, rule: Policy = RULE) -> tuple[float, float]:
    """The level as it was measured, which a sum of doses may round below a limit, and the dose after it."""
    unit = np.full((1, DAYS), level_ng_ml / now_mg / VISITS[0])
    found = titrate(plan(1, start_mg=now_mg), unit, rule, Noise())
    assert found.level_ng_ml[0, 0] == pytest.approx(level_ng_ml, rel=ROUNDING)
    return float(found.level_ng_ml[0, 0]), float(found.prescribed_mg[0, VISITS[0] + 1])


@given(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0]), st.floats(2.0, 29.0))
@example(0.5, 5.0)  # measured one rounding below the limit
@settings(deadline=None, max_examples=60)
def test_the_next_dose_is_the_dosing_rooms_wherever_its_limits_do_not_bind(now_mg: float, level_ng_ml: float) -> None:
    measured_ng_ml, found = after_level(now_mg, level_ng_ml)
    told = chart(prescriptions=(prescription(daily(now_mg), 60.0),), levels=(level(measured_ng_ml, 0.0),))
    oracle = proportional(
        history(told), present_regimen(told, NOW, PRODUCTS), default_target(), PRODUCTS, SETTINGS
    ).nearest_mg
    assert oracle is not None
    if 5.0 <= measured_ng_ml <= 15.0:
        assert found == now_mg
    elif now_mg / 2 <= oracle <= min(now_mg * 2, SETTINGS.soft_daily_cap_mg.value):
        assert found == oracle
    else:
        assert now_mg / 2 <= found <= min(now_mg * 2, SETTINGS.soft_daily_cap_mg.value)


@pytest.mark.parametrize(
    ("now_mg", "level_ng_ml", "expected_mg"),
    [
        (2.0, 5.01, 2.0),  # inside, to the limits
        (2.0, 14.99, 2.0),
        (2.0, 4.3, 4.0),  # 2 x 8.66 / 4.3 = 4.03
        (2.0, 1.0, 4.0),  # 17 mg: not more than doubled, and at the soft cap
        (3.0, 1.0, 4.0),  # the soft cap
        (1.0, 1.0, 2.0),  # not more than doubled
        (2.0, 16.0, 1.0),  # 1.08
        (4.0, 29.0, 2.0),  # 1.19: not less than halved ...
        (4.0, 31.0, 1.0),  # ... unless the level is above twice the limit: 1.12
        (0.5, 20.0, 0.5),  # no tablet makes less
    ],
)
def test_the_next_dose_by_hand(now_mg: float, level_ng_ml: float, expected_mg: float) -> None:
    assert next_dose(now_mg, level_ng_ml) == expected_mg


@pytest.mark.parametrize("form", ["tablet", "solution"])
def test_every_dose_can_be_dispensed_and_keeps_the_cap(form: str) -> None:
    found = titrate(plan(300), unit_troughs(kinetics(300), DAYS), policy(5, 15, form=form), Noise(log_sd=0.5))
    grid = {round(one, 6) for one in policy(5, 15, form=form).grid_mg}
    assert {round(one, 6) for one in np.unique(found.prescribed_mg)} <= grid
    assert found.prescribed_mg.max() <= SETTINGS.soft_daily_cap_mg.value


def test_troughs_are_those_of_the_exact_engine_with_missed_doses_too() -> None:
    # Oracle: the linear engine on the whole history that came out.
    who, rng = kinetics(40), np.random.default_rng(5)
    taken = rng.random((40, DAYS)) > 0.2
    found = titrate(plan(40, taken=taken), unit_troughs(who, DAYS), RULE, Noise())
    doses = DoseHistory(time_d=np.arange(DAYS, dtype=float), amount_mg=found.prescribed_mg * taken)
    exact = blood_levels(who, doses, VISITS)
    assert found.trough_ng_ml == pytest.approx(exact, rel=1e-9)  # exponentials of long times, summed in another order


def test_the_target_is_reached_and_kept() -> None:
    found = titrate(plan(500), unit_troughs(kinetics(500), DAYS), RULE, Noise())
    within = ((found.trough_ng_ml >= 5.0) & (found.trough_ng_ml <= 15.0)).mean(axis=0)
    assert within[-1] > 0.95
    assert within[-1] > within[0]


def test_a_level_that_was_not_taken_keeps_the_dose() -> None:
    seen = np.ones((1, len(VISITS)), bool)
    seen[0, 0] = False
    unit = np.full((1, DAYS), 1.0 / 3.0 / VISITS[0])
    found = titrate(plan(1, seen=seen), unit, RULE, Noise())
    assert np.isnan(found.level_ng_ml[0, 0])
    assert (found.prescribed_mg[0, : VISITS[1] + 1] == 3.0).all()


def test_without_a_rule_the_dose_is_fixed_and_the_level_is_measured_all_the_same() -> None:
    found = titrate(plan(3), unit_troughs(kinetics(3), DAYS), None, Noise())
    assert (found.prescribed_mg == 3.0).all()
    assert np.isfinite(found.level_ng_ml).all()


@pytest.mark.parametrize(("trough_ng_ml", "expected_mg"), [(16.0, 1.5), (8.0, 3.0), (40.0, 0.5)])
def test_maintenance_is_taken_when_it_foretells_a_trough_in_the_target(trough_ng_ml: float, expected_mg: float) -> None:
    # 3 -> 1.5 mg halves the trough: 16 -> 8 fits; 8 -> 4 does not: the rule gives 3.25, nearest 3 (lower of two);
    # 40 -> 20 does not: the level is far above, the rule gives 0.65, nearest 0.5.
    unit = np.full((1, DAYS), trough_ng_ml / 3.0 / VISITS[0])
    found = titrate(plan(1, maintenance_mg=1.5, maintenance_visit=0), unit, RULE, Noise())
    assert found.prescribed_mg[0, VISITS[0]] == 3.0
    assert found.prescribed_mg[0, VISITS[0] + 1] == expected_mg


def test_maintenance_is_taken_without_a_level_too() -> None:
    seen = np.zeros((1, len(VISITS)), bool)
    found = titrate(
        plan(1, maintenance_mg=1.5, maintenance_visit=1, seen=seen), unit_troughs(kinetics(1), DAYS), RULE, Noise()
    )
    assert found.prescribed_mg[0, [VISITS[1], VISITS[1] + 1]].tolist() == [3.0, 1.5]


def _same(one: Titrated, other: Titrated, rows: slice) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)[rows], equal_nan=True)
        for name in ("prescribed_mg", "trough_ng_ml", "level_ng_ml")
    )


def test_a_patient_alone_in_a_chunk_and_on_any_thread_has_the_same_bits() -> None:
    n = 2000
    rng = np.random.default_rng(1)
    who, z = kinetics(n), rng.normal(size=(n, len(VISITS)))
    unit, noise = unit_troughs(who, DAYS), Noise(log_sd=0.2)
    whole = titrate(plan(n, normal=z), unit, RULE, noise)
    assert _same(titrate(plan(n, normal=z), unit, RULE, noise, threads=1), whole, slice(None))
    for low, high in ((17, 18), (600, 900)):
        own = Kinetics(model=who.model, parameters=who.parameters[low:high])
        part = titrate(plan(high - low, normal=z[low:high]), unit_troughs(own, DAYS), RULE, noise)
        assert _same(part, whole, slice(low, high))


@pytest.mark.parametrize(
    ("residual", "stated", "log_sd"),
    [
        (Residual(kind="log", log_sd=0.299), None, 0.299),
        (Residual(kind="proportional", proportional=0.182), None, np.sqrt(np.log1p(0.182**2))),
        (Residual(kind="combined", additive_ng_ml=1.0, proportional=0.1), None, np.sqrt(np.log1p(0.02))),
        (Residual(kind="log", log_sd=0.299), 0.1, 0.1),
    ],
)
def test_levels_scatter_as_the_model_or_the_recipe_says(
    residual: Residual, stated: float | None, log_sd: float
) -> None:
    z = np.full((1, len(VISITS)), 1.5)
    unit = np.full((1, DAYS), 10.0 / 3.0 / VISITS[0])
    found = titrate(plan(1, normal=z), unit, None, noise_of(residual, stated))
    assert found.level_ng_ml[0, 0] == pytest.approx(10.0 * np.exp(1.5 * log_sd), rel=ROUNDING)


def test_a_level_of_nothing_raises_the_dose_by_the_largest_step() -> None:
    found = titrate(plan(1, start_mg=1.0), np.zeros((1, DAYS)), RULE, Noise(log_sd=0.2))
    assert found.level_ng_ml[0, 0] == 0.0
    assert found.prescribed_mg[0, VISITS[0] + 1] == 2.0


def test_troughs_of_a_history_are_those_of_the_walk() -> None:
    taken = np.random.default_rng(7).random((25, DAYS)) > 0.1
    unit = unit_troughs(kinetics(25), DAYS)
    made = plan(25, taken=taken)
    found = titrate(made, unit, RULE, Noise())
    assert np.array_equal(troughs(found.prescribed_mg * taken, unit, made.visit_day), found.trough_ng_ml)
