# SPDX-License-Identifier: Apache-2.0
"""The label's arithmetic is right where it holds and silent elsewhere. Oracle: the rule by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirolens.chart import Chart, Quantification
from sirolens.dosing.interactions import assess
from sirolens.dosing.present import Current, Who, present_regimen
from sirolens.dosing.products import default_products
from sirolens.dosing.proportional import Loading, Proportional, compare, loading, proportional
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.target import default_target
from sirolens.regimen import daily
from tests.dosing.invented_charts import NOW, chart, history, level, prescription, therapy

SETTINGS, PRODUCTS, TARGET = default_settings(), default_products(), default_target()
ADULT = Who(group="adult", age_years=45.0, weight_kg=60.0, messages=())


def rule(found: Chart) -> Proportional:
    current, effects = present_regimen(found, NOW, PRODUCTS), assess(found, NOW)[0]
    return proportional(history(found), current, TARGET, PRODUCTS, SETTINGS, effects=effects)


def on(mg: float, level_ng_ml: float, days: float = 60.0, drawn: float = 0.0) -> Chart:
    return chart(prescriptions=(prescription(daily(mg), days),), levels=(level(level_ng_ml, drawn),))


@given(st.sampled_from([0.5, 1.0, 2.0, 3.0]), st.floats(1.0, 40.0))
def test_new_dose_is_current_times_target_over_level(mg: float, level_ng_ml: float) -> None:
    found = rule(on(mg, level_ng_ml))
    assert found.daily_mg == pytest.approx(mg * math.sqrt(75) / level_ng_ml)
    assert found.nearest_mg is not None
    assert found.nearest_mg <= SETTINGS.hard_daily_cap_mg.value


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (chart(levels=(), prescriptions=(prescription(),)), "dosing.proportional-no-level"),
        (on(2, 7, days=4), "dosing.proportional-not-steady"),
        (on(2, 7, drawn=0.25), "dosing.proportional-not-trough"),
        (
            chart(prescriptions=(prescription(daily(1), 60), prescription(daily(2), 10)), levels=(level(5, 20),)),
            "dosing.proportional-dose-changed",
        ),
        (
            chart(
                prescriptions=(prescription(),),
                levels=(level(2, 0.0, quantification=Quantification.BELOW),),
            ),
            "dosing.proportional-censored",
        ),
    ],
)
def test_the_rule_is_not_given_where_it_does_not_hold(found: Chart, code: str) -> None:
    given_rule = rule(found)
    assert (given_rule.daily_mg, given_rule.message.code) == (None, code)


def test_without_a_dose_there_is_no_rule() -> None:
    found = proportional(history(on(2, 7)), None, TARGET, PRODUCTS, SETTINGS)
    assert found.message.code == "dosing.proportional-no-dose"


def test_an_interaction_after_the_level_silences_the_rule() -> None:
    found = on(2, 7, drawn=10.0)
    began = replace(found, therapies=(therapy("diltiazem", 5),))
    before = replace(found, therapies=(therapy("diltiazem", 50),))
    assert rule(began).message.code == "dosing.proportional-interaction"
    assert rule(before).daily_mg is not None


@pytest.mark.parametrize(("best", "warns"), [(2.5, False), (2.0, False), (1.2, True), (6.0, True)])
def test_a_large_disagreement_warns(best: float, warns: bool) -> None:
    found = compare(rule(on(2, 7)), best, PRODUCTS, "tablet", SETTINGS)
    assert (found is not None) is warns


def test_a_disagreement_within_one_dose_step_does_not_warn() -> None:
    # 0.5 against 0.9 mg is 1.8-fold, yet no more than one tablet of 0.5 mg.
    found = rule(on(0.5, 5.0))
    assert found.daily_mg == pytest.approx(0.866, abs=1e-3)
    assert compare(found, 0.45, PRODUCTS, "tablet", SETTINGS) is None


def load(new_mg: float | None, now_mg: float = 1.0, who: Who = ADULT, blocked: bool = False) -> Loading:
    current = present_regimen(chart(prescriptions=(prescription(daily(now_mg), 60),)), NOW, PRODUCTS)
    assert isinstance(current, Current)
    return loading(new_mg, current, who, blocked=blocked, products=PRODUCTS, form="tablet", settings=SETTINGS)


def test_loading_is_three_times_the_increase() -> None:
    found = load(2.0)
    assert found.dose_mg == 3.0
    assert found.message.values["rule_mg"] == 3.0


@given(st.sampled_from([0.5, 1.0, 2.0, 3.0]), st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]))
def test_no_loading_dose_is_above_the_cap_or_impossible(now_mg: float, new_mg: float) -> None:
    found = load(new_mg, now_mg)
    if found.dose_mg is not None:
        assert new_mg < found.dose_mg <= SETTINGS.soft_daily_cap_mg.value
        assert (found.dose_mg * 2).is_integer()


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (load(1.0), "dosing.loading-no-increase"),
        (load(None), "dosing.loading-no-increase"),
        (load(4.0), "dosing.loading-above-cap"),
        (load(2.0, who=Who(group="child", age_years=8.0, weight_kg=25.0, messages=())), "dosing.loading-too-young"),
        (load(2.0, blocked=True), "dosing.loading-blocked"),
        (load(1.5), "dosing.loading-too-small"),
    ],
)
def test_no_loading_dose_and_the_reason(found: Loading, code: str) -> None:
    assert (found.dose_mg, found.message.code) == (None, code)
