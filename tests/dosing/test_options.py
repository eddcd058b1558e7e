# SPDX-License-Identifier: Apache-2.0
"""The rows of the table say what must be said of them (H17, H19). Oracle: rows counted and flagged by hand."""

from __future__ import annotations

import pytest

from sirolens.dosing.options import MOST_PER_FORM, Option, candidates, evaluate
from sirolens.dosing.present import Current, present_regimen
from sirolens.dosing.products import PracticalRegimen, default_products
from sirolens.dosing.protocol import claim_for, default_settings
from sirolens.dosing.target import default_target
from sirolens.dosing.troughs import Troughs
from sirolens.regimen import MORNING, Regimen, daily, weekdays
from tests.dosing.invented_charts import EVERYTHING, NOW, chart, prescription, troughs, view

SETTINGS, PRODUCTS, TARGET = default_settings(), default_products(), default_target()


def plans(*forms: str, best_mg: float = 2.0, split: bool = False) -> tuple[PracticalRegimen, ...]:
    return candidates(
        PRODUCTS, forms, best_mg=best_mg, settings=SETTINGS, split=split, clock=MORNING, keep_mg=(1.0, 2.0)
    )


def now(regimen: Regimen, form: str = "tablet") -> Current | None:
    return present_regimen(chart(prescriptions=(prescription(regimen, 60, form),)), NOW, PRODUCTS)


def rows(found: Troughs, current: Current | None = None, *forms: str, split: bool = False) -> tuple[Option, ...]:
    listed = plans(*(forms or ("tablet",)), split=split)
    return evaluate(listed, found, TARGET, current=current, claim=claim_for(45, SETTINGS), settings=SETTINGS)


def codes(option: Option) -> set[str]:
    return {flag.code for flag in option.flags}


def test_no_candidate_is_above_the_hard_cap() -> None:
    for plan in plans("tablet", "solution"):
        assert max(plan.daily_mg, *plan.cycle.amount_mg) <= SETTINGS.hard_daily_cap_mg.value


@pytest.mark.parametrize("best_mg", [0.05, 0.4, 1.37, 3.0, 9.0])
def test_a_long_list_is_thinned_around_the_best_and_keeps_what_is_asked_for(best_mg: float) -> None:
    doses = [plan.daily_mg for plan in plans("solution", best_mg=best_mg)]
    assert len(doses) <= MOST_PER_FORM + 2
    assert {1.0, 2.0} <= set(doses)
    possible = min(max(best_mg, 0.1), 6.0)
    assert min(abs(dose - possible) for dose in doses) <= 0.05 + 1e-9


def test_the_current_regimen_is_marked_and_added_when_the_products_cannot_make_it() -> None:
    marked = [one for one in rows(troughs(), now(daily(2))) if one.current]
    assert [(one.daily_mg, one.change_mg) for one in marked] == [(2.0, 0.0)]
    odd = [one for one in rows(troughs(), now(daily(0.7))) if one.current]
    assert codes(odd[0]) == {"dosing.not-from-products"}
    week = [one for one in rows(troughs(), now(weekdays(mon=2, wed=2, fri=2))) if one.current]
    assert week[0].daily_mg == pytest.approx(6 / 7)


def test_a_band_wider_than_four_fold_is_flagged() -> None:
    assert all("dosing.wide-band" in codes(one) for one in rows(troughs(view(log_sd=0.6))))
    assert not any("dosing.wide-band" in codes(one) for one in rows(troughs(view(log_sd=0.3))))


def test_doses_above_the_protocol_and_the_soft_cap_are_flagged() -> None:
    high = plans("tablet", best_mg=3.0)
    listed = evaluate(high, troughs(), TARGET, current=None, claim=claim_for(8, SETTINGS), settings=SETTINGS)
    by_dose = {one.daily_mg: codes(one) for one in listed if one.plan.pattern == "daily"}
    assert "dosing.above-protocol" in by_dose[2.5]
    assert "dosing.above-protocol" not in by_dose[2.0]
    assert "dosing.above-soft-cap" in by_dose[4.5]


def test_a_rhythm_that_trough_only_models_cannot_tell_is_flagged() -> None:
    listed = rows(troughs(view(), view("rich", supports=EVERYTHING)))
    assert {one.plan.pattern for one in listed if "dosing.rhythm-not-identifiable" in codes(one)} == {"alternate-days"}
    rich = rows(troughs(view(supports=EVERYTHING)), None, "tablet", split=True)
    assert not any("dosing.rhythm-not-identifiable" in codes(one) for one in rich)
    assert "twice-daily" in {one.plan.pattern for one in rich}


def test_a_change_of_form_is_flagged() -> None:
    listed = rows(troughs(), now(daily(2)), "tablet", "solution")
    assert {one.plan.form for one in listed if "dosing.form-changes" in codes(one)} == {"solution"}


def test_each_model_answers_for_itself() -> None:
    listed = rows(troughs(view(trough_per_mg=2.0), view("two", trough_per_mg=4.0)))
    two = next(one for one in listed if one.plan.pattern == "daily" and one.daily_mg == 2.0)
    assert [round(model.median_ng_ml) for model in two.by_model] == [4, 8]
    assert two.p_true_in == pytest.approx(sum(model.weight * model.p_in for model in two.by_model))
