# SPDX-License-Identifier: Apache-2.0
"""One piece of advice from chart and estimates. Oracles: scenarios by hand, and what must hold for every patient."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import Chart
from sirolens.dosing.posterior import Posterior
from sirolens.dosing.products import default_products, portions
from sirolens.dosing.protocol import default_settings
from sirolens.dosing.ranking import Outcome
from sirolens.dosing.recommend import Advice, recommend
from sirolens.message import Severity, error
from sirolens.regimen import Regimen, daily
from tests.dosing.invented_charts import (
    NOW,
    chart,
    count,
    event,
    history,
    lab,
    level,
    patient,
    posterior,
    prescription,
    therapy,
    view,
)

SETTINGS, PRODUCTS = default_settings(), default_products()
CHINESE = {"population": "chinese"}


def advise(found: Chart, estimated: Posterior | None, **options: Any) -> Advice:
    return recommend(found, estimated, history=history(found), at=NOW, **options)


def on(regimen: Regimen, **facts: Any) -> Chart:
    return chart(prescriptions=(prescription(regimen, 60),), **facts)


def codes(advice: Advice) -> set[str]:
    return {message.code for message in advice.messages}


def test_an_adult_before_the_first_dose_gets_a_start_with_the_protocol_beside_it() -> None:
    advice = advise(chart(), posterior(view(trough_per_mg=3.0)))
    assert advice.outcome is Outcome.START
    assert advice.first is not None
    assert advice.first.daily_mg == 3.0
    assert advice.claim is not None
    assert advice.claim.id == "A1"
    assert [dose.daily_mg for dose in advice.protocol_reach] == [2.0, 4.0, 1.0, 2.0]
    assert advice.next_sample.reason.code == "monitoring.after-start"


def test_a_dose_in_range_is_kept() -> None:
    advice = advise(on(daily(3), levels=(level(8.7, 0),)), posterior(view(log_sd=0.1)))
    assert (advice.outcome, advice.first and advice.first.daily_mg) == (Outcome.KEEP, 3.0)
    assert advice.rule.nearest_mg == 3.0


def test_a_dose_too_low_is_raised_and_the_rule_agrees() -> None:
    advice = advise(on(daily(2), levels=(level(5.0, 0),)), posterior(view(trough_per_mg=2.5, log_sd=0.15)))
    assert advice.outcome is Outcome.CHANGE
    assert advice.first is not None
    assert advice.first.daily_mg == 3.0  # as likely as 3.5 to the percent, and the smaller change
    assert advice.rule.nearest_mg == 3.5
    assert "dosing.rule-disagrees" not in codes(advice)


def test_rule_and_models_far_apart_warn() -> None:
    advice = advise(on(daily(2), levels=(level(15.0, 0),)), posterior(view(trough_per_mg=3.0)))
    assert "dosing.rule-disagrees" in codes(advice)


FALLING = {"platelet_counts": (count(80, 20), count(40, 1)), "levels": (level(10, 20), level(18, 0))}


def test_falling_platelets_under_a_high_level_hide_every_increase_until_acknowledged() -> None:
    found = on(daily(2), **FALLING)
    low = posterior(view(trough_per_mg=2.0, log_sd=0.15))  # the models alone would raise the dose
    advice = advise(found, low)
    assert max(option.daily_mg for option in advice.options) <= 2.0
    assert "guardrails.platelets-fall-level-high" in codes(advice)
    told = advise(found, low, acknowledged={"guardrails.platelets-fall-level-high": "sample from the dosing arm"})
    assert max(option.daily_mg for option in told.options) > 2.0
    assert told.acknowledged == (("guardrails.platelets-fall-level-high", "sample from the dosing arm"),)
    assert "guardrails.platelets-fall-level-high" in codes(told)


@pytest.mark.parametrize(
    "facts",
    [
        {"adverse_events": (event("pneumonitis", 2),)},
        {"adverse_events": (event("sepsis", 4),)},
        {"therapies": (therapy("clarithromycin", 3),)},
        {"therapies": (therapy("雷帕霉素", 3),)},
    ],
)
def test_every_critical_message_hides_increases_and_starts(facts: dict[str, Any]) -> None:
    assert advise(chart(**facts), posterior()).outcome is Outcome.NONE
    advice = advise(on(daily(1), **facts), posterior())
    assert all(option.daily_mg <= 1.0 for option in advice.options)


def test_2_mg_a_day_at_10_kg_is_protocol_text_and_never_an_option() -> None:
    found = chart(3, 10, patient=patient(3, **CHINESE))
    estimated = posterior(view("Cheng", trough_per_mg=9.6, log_sd=0.19), view("Fan", trough_per_mg=13.1, seed=2))
    for acknowledged in ({}, dict.fromkeys(("dosing.refused-above-range", "dosing.protocol-dose-far-above"), "wanted")):
        advice = advise(found, estimated, acknowledged=acknowledged)
        assert 2.0 not in [option.daily_mg for option in advice.options]
        reach = {(dose.phase, dose.daily_mg): dose for dose in advice.protocol_reach}
        assert not reach["start", 2.0].offered
        assert "dosing.protocol-dose-far-above" in codes(advice)


def test_an_infant_gets_published_regimens_and_no_computed_dose() -> None:
    advice = advise(chart(0.5, 6), posterior())
    assert (advice.outcome, advice.options, advice.best_mg) == (Outcome.NOT_COMPUTED, (), None)
    assert [message.code for message in advice.protocol] == [
        "protocol.published-khe-infants",
        "protocol.published-maturation",
    ]


def test_a_child_between_one_and_two_gets_a_range_as_solution_and_an_early_sample() -> None:
    found = chart(1.5, 10, patient=patient(1.5, **CHINESE))
    estimated = posterior(view("low", trough_per_mg=9.0), view("high", trough_per_mg=14.0, seed=2))
    advice = advise(found, estimated)
    assert (advice.outcome, advice.preferred) == (Outcome.RANGE, None)
    assert advice.range_mg is not None
    assert advice.range_mg[0] < advice.range_mg[1]
    assert {option.plan.form for option in advice.options} == {"solution"}
    assert advice.next_sample.earliest == (NOW + timedelta(days=7)).date()


def test_a_teenager_outside_the_weights_is_computed_with_a_scope_warning() -> None:
    advice = advise(chart(15, 60, patient=patient(15, **CHINESE)), posterior())
    assert advice.outcome is Outcome.START
    assert "guardrails.teenager-outside-weights" in codes(advice)


def test_without_a_model_nothing_is_computed_and_the_reasons_are_told() -> None:
    reason = error("estimate.no-model", models=())
    advice = advise(chart(), None, unavailable=(reason,))
    assert advice.outcome is Outcome.NOT_COMPUTED
    assert reason in advice.messages
    assert advice.protocol


def test_models_that_differ_by_more_than_a_step_are_shown_and_warned_of() -> None:
    advice = advise(chart(), posterior(view("low", trough_per_mg=2.2), view("high", trough_per_mg=4.4, seed=2)))
    assert [round(dose.nearest_mg, 1) for dose in advice.per_model] == [4.0, 2.0]
    assert "dosing.models-differ" in codes(advice)
    close = advise(chart(), posterior(view("low", trough_per_mg=2.9), view("high", trough_per_mg=3.1, seed=2)))
    assert "dosing.models-differ" not in codes(close)


def test_a_wide_band_is_a_warning_and_an_early_sample_not_a_refusal() -> None:
    advice = advise(chart(), posterior(view(log_sd=0.5)))
    assert advice.outcome is Outcome.START
    assert "dosing.wide-band" in codes(advice)
    assert advice.next_sample.reason.code == "monitoring.early-because-wide"


def test_the_dose_without_bilirubin_stands_beside_in_haemolysis() -> None:
    found = chart(8, 25, patient=patient(8, diagnosis="evans", **CHINESE), labs=(lab("bilirubin", 40, "umol/L"),))
    other = {"without-bilirubin": posterior(view(trough_per_mg=4.0))}
    advice = advise(found, posterior(view(trough_per_mg=7.0)), alternatives=other)
    assert advice.alternatives[0].best_mg > (advice.best_mg or 0)
    assert "guardrails.bilirubin-haemolysis" in codes(advice)


def test_increases_within_a_week_of_a_change_are_refused() -> None:
    found = chart(prescriptions=(prescription(daily(1), 3),), levels=(level(2, 0),))
    advice = advise(found, posterior(view(trough_per_mg=3.0, log_sd=0.1)))
    assert (advice.outcome, advice.reasons[0].code) == (Outcome.KEEP, "dosing.keep-too-soon")


def test_the_advice_before_a_late_record_is_what_it_was() -> None:
    early = on(daily(2), levels=(level(5.0, 0),))
    tomorrow = NOW + timedelta(days=1)
    late = replace(
        early,
        therapies=(replace(therapy("clarithromycin", 5), recorded=tomorrow),),
        platelet_counts=(replace(count(4, 1), recorded=tomorrow), replace(count(90, 30), recorded=tomorrow)),
        labs=(*early.labs, replace(lab("weight", 90, "kg"), recorded=tomorrow)),
    )
    estimated = posterior()
    before, after = advise(early, estimated), recommend(late, estimated, history=history(early), at=NOW)
    assert before == after


def test_the_same_inputs_give_the_same_advice_bit_for_bit() -> None:
    found = on(daily(2), levels=(level(5.0, 0),))
    assert advise(found, posterior(view(), view("two", seed=2))) == advise(
        found, posterior(view(), view("two", seed=2))
    )


def test_weight_is_not_rounded_before_the_rules() -> None:
    assert advise(chart(3, 6.96), posterior()).outcome is Outcome.NOT_COMPUTED
    assert advise(chart(3, 7.04, patient=patient(3, **CHINESE)), posterior(view(trough_per_mg=10))).options


def test_nothing_found_is_said_as_checked() -> None:
    found = on(
        daily(3),
        levels=(level(8.7, 0),),
        platelet_counts=(count(50, 20), count(60, 1)),
        labs=(lab("haematocrit", 40, "%"), lab("cholesterol", 4, "mmol/L")),
    )
    advice = advise(found, posterior(view(log_sd=0.1)))
    quiet = {message.code for message in advice.messages if message.severity is Severity.CHECKED}
    assert {"guardrails.discordance-checked", "guardrails.haematocrit-checked"} <= quiet


@settings(deadline=None, max_examples=40)
@given(
    st.floats(1.0, 80.0),
    st.floats(5.0, 110.0),
    st.floats(0.5, 15.0),
    st.floats(0.05, 0.9),
    st.one_of(st.none(), st.sampled_from([0.3, 0.5, 1.0, 2.0, 4.0, 8.0])),
    st.sampled_from(["tablet", "solution", "unknown"]),
    st.lists(st.tuples(st.floats(0.5, 60.0), st.integers(0, 50)), max_size=3, unique_by=lambda pair: pair[1]),
)
def test_no_advice_leaves_the_grid_the_caps_or_the_step(
    age: float,
    weight: float,
    per_mg: float,
    log_sd: float,
    now_mg: float | None,
    form: str,
    levels: list[tuple[float, int]],
) -> None:
    taken = () if now_mg is None else (prescription(daily(now_mg), 60, form),)
    drawn = () if now_mg is None else tuple(level(value, days) for value, days in levels)
    found = chart(age, weight, prescriptions=taken, levels=drawn)
    advice = advise(found, posterior(view(trough_per_mg=per_mg, log_sd=log_sd)))
    for option in advice.options:
        if option.current:
            continue
        assert option.daily_mg <= SETTINGS.soft_daily_cap_mg.value
        for amount_mg in option.plan.cycle.amount_mg:
            assert portions(PRODUCTS, option.plan.form, amount_mg) is not None
        if now_mg is not None:
            assert option.daily_mg <= 2 * now_mg + 1e-9
        assert option.p_high < 0.5
    if advice.loading.dose_mg is not None:
        assert advice.loading.dose_mg <= SETTINGS.soft_daily_cap_mg.value
    if age < 1 or (age < 18 and weight < 7):
        assert advice.outcome is Outcome.NOT_COMPUTED
    assert advice.next_sample.latest >= NOW.date()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"adverse_events": (event("pneumonitis", 2),)}, "guardrails.lung"),
        ({"therapies": (therapy("clarithromycin", 3),)}, "interactions.avoid-inhibitor"),
    ],
)
def test_nothing_is_put_forward_while_the_drug_itself_is_in_question(facts: dict[str, Any], code: str) -> None:
    found = on(daily(3), **facts)
    advice = advise(found, posterior())
    assert (advice.outcome, advice.preferred, advice.reasons[0].code) == (
        Outcome.NONE,
        None,
        "dosing.none-until-clear",
    )
    told = advise(found, posterior(), acknowledged={code: "seen by the lung clinic, unrelated"})
    assert told.outcome is Outcome.KEEP


def test_falling_platelets_still_leave_a_decrease_open() -> None:
    advice = advise(on(daily(3), **FALLING), posterior(view(trough_per_mg=6.0)))
    assert advice.outcome is Outcome.CHANGE
    assert advice.first is not None
    assert advice.first.daily_mg == 1.5
    assert advice.next_sample.reason.code == "monitoring.critical-level"


def test_a_small_childs_range_ends_at_the_present_dose_while_an_alert_stands() -> None:
    found = chart(
        1.5,
        10,
        patient=patient(1.5, **CHINESE),
        prescriptions=(prescription(daily(0.5), 60, "solution"),),
        platelet_counts=(count(80, 20), count(40, 1)),
        levels=(level(10, 20), level(18, 0)),
    )
    advice = advise(found, posterior(view(trough_per_mg=9.0, log_sd=0.2)))
    assert advice.range_mg == (0.5, 0.5)
