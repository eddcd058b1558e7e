# SPDX-License-Identifier: Apache-2.0
"""What may be offered, in which order, and when nothing is (H5, H17, H20). Oracles: the rules by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import Chart
from sirolens.dosing.options import Band, Option, candidates, evaluate
from sirolens.dosing.present import Current, Who, present_regimen
from sirolens.dosing.products import default_products, practical
from sirolens.dosing.protocol import claim_for, default_settings
from sirolens.dosing.ranking import OVERRIDABLE, Decision, Outcome, Refused, decide, judge
from sirolens.dosing.target import default_target
from sirolens.message import Message, critical, info
from sirolens.regimen import MORNING, daily
from tests.dosing.invented_charts import NOW, chart, prescription, troughs, view

SETTINGS, PRODUCTS, TARGET = default_settings(), default_products(), default_target()
ADULT = Who(group="adult", age_years=45.0, weight_kg=60.0, messages=())
SMALL = Who(group="small-child", age_years=1.5, weight_kg=10.0, messages=())
ALERT = critical("guardrails.platelets-fall-level-high")


def option(
    daily_mg: float,
    p_in: float,
    *,
    p_high: float = 0.0,
    now_mg: float | None = 2.0,
    form: str = "tablet",
    flags: tuple[Message, ...] = (),
) -> Option:
    return Option(
        plan=practical(PRODUCTS, form, "daily", (daily_mg,), MORNING),
        p_true_in=p_in,
        p_level_in=p_in,
        p_low=max(0.0, 1 - p_in - p_high),
        p_high=p_high,
        trough_ng_ml=Band(median=3 * daily_mg, low=2 * daily_mg, high=5 * daily_mg),
        by_model=(),
        change_mg=None if now_mg is None else daily_mg - now_mg,
        change_ratio=None if now_mg is None else daily_mg / now_mg,
        current=daily_mg == now_mg,
        flags=flags,
    )


def current(mg: float = 2.0, settled_d: float | None = 60.0) -> Current:
    found: Chart = chart(prescriptions=(prescription(daily(mg), 60),))
    present = present_regimen(found, NOW, PRODUCTS)
    assert present is not None
    return replace(present, settled_d=settled_d)


def judged(
    *options: Option,
    now: Current | None = None,
    who: Who = ADULT,
    blocks: tuple[Message, ...] = (),
    acknowledged: dict[str, str] | None = None,
) -> tuple[tuple[Option, ...], tuple[Refused, ...]]:
    return judge(
        options,
        current=now,
        who=who,
        blocks=blocks,
        acknowledged=acknowledged or {},
        target=TARGET,
        settings=SETTINGS,
    )


def reasons(refused: tuple[Refused, ...]) -> dict[float, set[str]]:
    return {one.option.daily_mg: {reason.code for reason in one.reasons} for one in refused}


def test_ranked_by_the_chance_of_the_true_trough_then_by_the_smaller_change() -> None:
    offered, _ = judged(option(1.0, 0.6), option(3.0, 0.801), option(1.5, 0.8), option(2.5, 0.804), now=current())
    assert [one.daily_mg for one in offered] == [1.5, 2.5, 3.0, 1.0]


def test_a_rhythm_the_models_cannot_tell_comes_after_the_daily_ones() -> None:
    shaped = option(2.5, 0.95, flags=(info("dosing.rhythm-not-identifiable"),))
    offered, _ = judged(shaped, option(1.5, 0.5), now=current())
    assert [one.daily_mg for one in offered] == [1.5, 2.5]


def test_an_unacknowledged_critical_message_hides_every_increase() -> None:
    options = tuple(option(mg, 0.8) for mg in (1.0, 1.5, 2.0, 2.5, 3.0))
    offered, refused = judged(*options, now=current(), blocks=(ALERT,))
    assert max(one.daily_mg for one in offered) == 2.0
    assert reasons(refused) == {2.5: {"dosing.refused-acknowledge"}, 3.0: {"dosing.refused-acknowledge"}}


def test_an_unacknowledged_critical_message_hides_a_start() -> None:
    offered, _ = judged(option(2.0, 0.8, now_mg=None), now=None, blocks=(ALERT,))
    assert offered == ()


@pytest.mark.parametrize(("mg", "code"), [(4.5, "dosing.refused-step-up"), (0.5, "dosing.refused-step-down")])
def test_a_step_of_more_than_two_fold_needs_a_reason(mg: float, code: str) -> None:
    _, refused = judged(option(mg, 0.8), option(2.0, 0.1), now=current())
    assert code in reasons(refused)[mg]
    overrides = {code: "level 2.1 on 2 mg", "dosing.refused-soft-cap": "same"}
    offered, _ = judged(option(mg, 0.8), option(2.0, 0.1), now=current(), acknowledged=overrides)
    assert mg in [one.daily_mg for one in offered]


def test_an_exact_doubling_or_halving_is_no_large_step() -> None:
    for now_mg in (0.3, 0.5, 0.7, 1.0, 1.5):
        options = [option(round(now_mg * factor, 6), 0.8, now_mg=now_mg, form="solution") for factor in (2, 1)]
        offered, _ = judged(*options, now=current(now_mg))
        assert len(offered) == 2


def test_a_large_step_down_is_open_when_the_present_dose_is_far_above_the_range() -> None:
    offered, refused = judged(option(0.5, 0.8), option(2.0, 0.1, p_high=0.9), now=current())
    assert [one.daily_mg for one in offered] == [0.5]
    assert reasons(refused) == {2.0: {"dosing.refused-above-range"}}


def test_a_dose_more_likely_than_not_above_the_range_is_never_offered() -> None:
    everything = dict.fromkeys(OVERRIDABLE | {"dosing.refused-above-range"}, "wanted")
    offered, refused = judged(option(3.0, 0.4, p_high=0.6), now=current(), acknowledged=everything)
    assert offered == ()
    assert reasons(refused) == {3.0: {"dosing.refused-above-range"}}


def test_the_hard_cap_cannot_be_overridden() -> None:
    everything = dict.fromkeys(OVERRIDABLE | {"dosing.refused-hard-cap"}, "wanted")
    big = option(6.5, 0.9, now_mg=6.0)
    _, refused = judged(big, now=current(6.0), acknowledged=everything)
    assert reasons(refused) == {6.5: {"dosing.refused-hard-cap"}}


def test_the_soft_cap_gives_way_to_a_reason() -> None:
    big = option(4.5, 0.9, now_mg=4.0)
    assert "dosing.refused-soft-cap" in reasons(judged(big, now=current(4.0))[1])[4.5]
    offered, _ = judged(big, now=current(4.0), acknowledged={"dosing.refused-soft-cap": "level 3 on 4 mg, twice"})
    assert [one.daily_mg for one in offered] == [4.5]


def test_no_increase_within_a_week_of_the_last_change() -> None:
    _, refused = judged(option(2.5, 0.9), option(2.0, 0.5), now=current(settled_d=4))
    assert reasons(refused) == {2.5: {"dosing.refused-too-soon"}}


def test_small_children_are_offered_the_solution_only() -> None:
    _, refused = judged(option(0.5, 0.9, now_mg=None), who=SMALL)
    assert reasons(refused) == {0.5: {"dosing.refused-tablet"}}


def decided(*offered: Option, now: Current | None = None, who: Who = ADULT) -> Decision:
    return decide(offered, current=now, who=who, settings=SETTINGS)


def test_keep_when_nothing_is_clearly_better() -> None:
    decision = decided(option(2.5, 0.84), option(2.0, 0.8), now=current())
    assert (decision.outcome, decision.preferred) == (Outcome.KEEP, 1)


def test_change_when_another_is_clearly_better() -> None:
    decision = decided(option(2.5, 0.9), option(2.0, 0.8), now=current())
    assert (decision.outcome, decision.preferred) == (Outcome.CHANGE, 0)


def test_keep_while_the_dose_is_too_recent_to_judge() -> None:
    decision = decided(option(1.5, 0.9), option(2.0, 0.6), now=current(settled_d=3))
    assert (decision.outcome, decision.reasons[0].code) == (Outcome.KEEP, "dosing.keep-too-soon")


def test_a_recent_dose_that_is_not_offered_any_more_is_changed() -> None:
    assert decided(option(1.5, 0.9), now=current(settled_d=3)).outcome is Outcome.CHANGE


def test_nothing_is_put_forward_when_nothing_is_likely() -> None:
    decision = decided(option(2.5, 0.2), option(2.0, 0.1), now=current())
    assert (decision.outcome, decision.preferred) == (Outcome.NONE, None)


def test_nothing_is_put_forward_when_nothing_is_offered() -> None:
    assert decided(now=current()).outcome is Outcome.NONE


def test_small_children_get_a_range_and_no_single_dose() -> None:
    decision = decided(option(0.5, 0.9, now_mg=None, form="solution"), who=SMALL)
    assert (decision.outcome, decision.preferred) == (Outcome.RANGE, None)


@settings(deadline=None, max_examples=25)
@given(
    st.floats(0.8, 12.0),
    st.floats(0.1, 0.8),
    st.one_of(st.none(), st.sampled_from([0.5, 1.0, 2.0, 4.0])),
    st.sampled_from(["tablet", "solution"]),
)
def test_every_offered_option_keeps_every_rule(per_mg: float, log_sd: float, now_mg: float | None, form: str) -> None:
    found = troughs(view(trough_per_mg=per_mg, log_sd=log_sd))
    now = None if now_mg is None else current(now_mg)
    plans = candidates(
        PRODUCTS,
        (form,),
        best_mg=found.best_daily_mg(TARGET),
        settings=SETTINGS,
        split=False,
        clock=MORNING,
        keep_mg=(1.0,),
    )
    rows = evaluate(plans, found, TARGET, current=now, claim=claim_for(45, SETTINGS), settings=SETTINGS)
    offered, refused = judged(*rows, now=now)
    assert len(offered) + len(refused) == len(rows)
    for one in offered:
        assert one.daily_mg <= SETTINGS.soft_daily_cap_mg.value or one.current
        assert one.p_high < SETTINGS.far_outside_probability.value
        if now_mg is not None:
            assert one.daily_mg <= 2 * now_mg + 1e-9
        if not one.current:
            assert one.portions
