# SPDX-License-Identifier: Apache-2.0
"""The real models feed the advice. Oracles: published troughs per milligram, and faults put in by hand (H15, H16)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sirolens.chart import Chart
from sirolens.dosing.average import Averaged, Member, estimates
from sirolens.dosing.interactions import assess, multipliers
from sirolens.dosing.posterior import Posterior, from_averaged
from sirolens.dosing.ranking import Outcome
from sirolens.dosing.recommend import Advice, recommend
from sirolens.dosing.troughs import daily_cycle
from sirolens.regimen import daily
from tests.dosing.invented_charts import NOW, chart, history, lab, level, patient, prescription, therapy

DRAWS = 1000
SAMPLING = 0.05  # medians of a thousand quasi-random draws
LABS = (
    lab("haematocrit", 38, "%"),
    lab("cholesterol", 4.7, "mmol/L"),
    lab("ast", 20, "U/L"),
    lab("bilirubin", 11.29, "umol/L"),
)


def averaged(found: Chart) -> Averaged:
    numbers, effects = history(found), assess(found, NOW)[0]
    return estimates(
        numbers, seed=1, draws=DRAWS, interactions=lambda model: multipliers(effects, model, numbers.origin)
    )


def advise(found: Chart, posterior: Posterior | None = None) -> Advice:
    return recommend(found, posterior or from_averaged(averaged(found)), history=history(found), at=NOW)


ADULT = chart(44, 70, labs=LABS, prescriptions=(prescription(daily(2), 60),), levels=(level(6.0, 0),))


def test_each_model_speaks_with_its_published_trough_per_milligram() -> None:
    # Oracle: popPK check, section 5, typical troughs at 1 mg: Golubovic 44 y 3.0, Jiao TC 4.7 3.6, Wu 2.0.
    found = from_averaged(averaged(chart(44, 70, labs=LABS)))
    assert found.troughs is not None
    row, scale = found.troughs.of(daily_cycle(1.0))
    medians = {
        view.name: float(piece.ordered_ng_ml[piece.ordered_ng_ml.size // 2] * factor)
        for view, piece, factor in zip(found.troughs.views, row, scale, strict=True)
    }
    assert medians == pytest.approx({"golubovic_2019": 3.0, "jiao_2009": 3.6, "wu_2012": 2.04}, rel=SAMPLING)


def test_exposure_comes_with_what_it_rests_on_and_in_proportion_to_dose() -> None:
    found = from_averaged(averaged(ADULT))
    assert found.auc24_reason is not None
    assert found.auc24_reason.code == "estimate.auc-shape"
    one, two = found.auc24(daily_cycle(1.0)), found.auc24(daily_cycle(2.0))
    assert one is not None
    assert two is not None
    assert two.median == pytest.approx(2 * one.median)


def test_trough_only_models_give_no_exposure_and_no_fraction_of_steady_state() -> None:
    child = chart(8, 28.5, patient=patient(8, population="chinese"), labs=LABS)
    found = from_averaged(averaged(child))
    assert found.auc24(daily_cycle(1.0)) is None
    assert found.steady_state_fraction is None
    assert found.steady_state_reason is not None
    assert all(option.auc24_ng_h_ml is None for option in advise(child, found).options)


def broken(member: Member) -> Member:
    blocks = tuple(replace(block, mode=replace(block.mode, converged=False)) for block in member.estimate.blocks)
    return replace(member, estimate=replace(member.estimate, blocks=blocks))


def test_a_model_that_did_not_converge_is_left_out_and_said() -> None:
    whole = averaged(ADULT)
    partly = from_averaged(replace(whole, members=(broken(whole.members[0]), *whole.members[1:])))
    assert partly.troughs is not None
    assert [view.name for view in partly.troughs.views] == [m.model.full_name for m in whole.members[1:]]
    assert sum(view.weight for view in partly.troughs.views) == pytest.approx(1.0)
    assert "dosing.models-silent" in [message.code for message in partly.messages]


def test_no_suggestion_when_no_estimate_converged() -> None:
    whole = averaged(ADULT)
    advice = advise(ADULT, from_averaged(replace(whole, members=tuple(map(broken, whole.members)))))
    assert (advice.outcome, advice.options) == (Outcome.NOT_COMPUTED, ())
    assert "dosing.no-model" in [message.code for message in advice.messages]


def test_an_adult_with_a_level_in_range_gets_advice_with_all_its_parts() -> None:
    advice = advise(ADULT)
    assert advice.outcome in (Outcome.KEEP, Outcome.CHANGE)
    assert advice.first is not None
    assert len(advice.first.by_model) == 3
    assert advice.first.auc24_ng_h_ml is not None
    assert advice.steady_state_fraction == pytest.approx(1.0, abs=0.05)
    assert advice.rule.daily_mg == pytest.approx(2 * 75**0.5 / 6.0)


@pytest.mark.parametrize(("weight", "offered"), [(10.0, False), (28.5, True)])
def test_the_protocols_2_mg_is_offered_to_a_child_of_28_kg_and_not_of_10_kg(weight: float, offered: bool) -> None:
    found = chart(4, weight, patient=patient(4, population="chinese"), labs=LABS)
    advice = advise(found)
    reach = {(dose.phase, dose.daily_mg): dose for dose in advice.protocol_reach}
    assert reach["start", 2.0].offered is offered
    assert (2.0 in [option.daily_mg for option in advice.options]) is offered


def test_a_level_read_under_an_inhibitor_does_not_make_the_patient_a_slow_one() -> None:
    levels = (level(13.0, 0),)
    taken = (prescription(daily(2), 60),)
    inhibited = chart(44, 70, labs=LABS, prescriptions=taken, levels=levels, therapies=(therapy("diltiazem", 30),))
    plain = chart(44, 70, labs=LABS, prescriptions=taken, levels=levels)
    with_drug, without = advise(inhibited), advise(plain)
    # The same level under 1.6-fold exposure means a faster patient, and the same dose now while the drug goes on.
    assert with_drug.best_mg == pytest.approx(without.best_mg or 0.0, rel=0.25)
    assert "interactions.ratio-inhibitor" in [message.code for message in with_drug.messages]
