# SPDX-License-Identifier: Apache-2.0
"""Several models, one patient: shares by the same levels, reasons for all else, one set of draws for all questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from sirolens.chart import Chart, Lab, Level, Patient, Prescription
from sirolens.dosing.average import Averaged, estimates, with_floor
from sirolens.dosing.estimate import Settings
from sirolens.dosing.history import from_chart
from sirolens.engine.sampling import weighted_probability, weighted_quantile
from sirolens.errors import ScopeError
from sirolens.models.catalog import load
from sirolens.models.population import PopulationModel
from sirolens.models.predict import predict
from sirolens.models.timeline import History, Multiplier
from sirolens.regimen import daily
from tests.dosing.invented import ADULT, CHILD, cycle, patient, trough

PLAIN = Settings(theta_uncertainty=False, floor=0.0, scatter=((1.0, 1.0),))
DRAWS = 2000
SHARE = 0.01  # absolute; quasi-random draws against a fine grid
EXACT = 1e-9
THREE = (trough(30, 9.0), trough(60, 8.0), trough(90, 10.0))


def shares(found: Averaged) -> dict[str, float]:
    return {member.model.name: member.weight for member in found.members}


@cache
def answered(who: str) -> Averaged:
    """An adult with three levels, or a child with one."""
    if who == "adult":
        return estimates(patient(ADULT, levels=THREE), seed=1, draws=DRAWS)
    return estimates(patient(CHILD, dose_mg=1.0, levels=(trough(60, 6.0),)), seed=1, draws=DRAWS)


def codes(found: Averaged) -> list[str]:
    return [message.code for message in found.messages]


def median(values: np.ndarray, weights: np.ndarray) -> float:
    return float(weighted_quantile(values, weights, [0.5])[0])


# Who speaks


def test_adults_are_averaged_over_three_models_with_equal_shares() -> None:
    found = estimates(patient(ADULT), seed=1, draws=200)
    assert shares(found) == pytest.approx({"golubovic_2019": 1 / 3, "jiao_2009": 1 / 3, "wu_2012": 1 / 3})
    assert found.common_levels == 0


def test_children_have_the_model_of_their_disease_first() -> None:
    found = estimates(patient(CHILD, dose_mg=1.0), seed=1, draws=200)
    assert shares(found) == pytest.approx({"cheng_2020": 0.5, "fan_2024": 0.25, "chen_2021": 0.25})
    assert "estimate.prior-disease" in codes(found)


@pytest.mark.parametrize(
    ("weight", "names"),
    [(7.5, {"cheng_2020"}), (20.0, {"cheng_2020", "fan_2024", "chen_2021"}), (41.0, {"cheng_2020"})],
)
def test_other_diseases_of_children_join_between_8_and_40_kg(weight: float, names: set[str]) -> None:
    assert set(shares(estimates(patient({**CHILD, "weight": weight}, dose_mg=1.0), seed=1, draws=100))) == names


def test_a_heavy_teenager_gets_every_model_whose_hard_domain_holds() -> None:
    teenager = {**ADULT, **CHILD, "age": 15.0, "weight": 50.0}
    found = estimates(patient(teenager, dose_mg=1.0), seed=1, draws=100)
    assert set(shares(found)) == {"cheng_2020", "chen_2021"}
    assert {one.name for one in found.left_out} == {"golubovic_2019", "jiao_2009", "wu_2012", "fan_2024"}
    assert shares(found)["chen_2021"] == pytest.approx(0.5)  # 2 x 0.5 for the weight of Cheng, 1 for Chen
    assert "models.weight-above-soft" in codes(found)


def test_h15_a_model_outside_its_hard_domain_drops_out_with_the_reason() -> None:
    models = [load("fan_2024"), load("cheng_2020")]
    found = estimates(patient({**CHILD, "weight": 42.0}, dose_mg=1.0), models, seed=1, draws=100)
    assert [one.name for one in found.left_out] == ["fan_2024"]
    assert [reason.code for reason in found.left_out[0].reasons] == ["models.weight-above-hard"]
    assert "estimate.model-left-out" in codes(found)


def test_h15_nobody_left_is_an_error_with_every_reason() -> None:
    with pytest.raises(ScopeError) as caught:
        estimates(patient({**CHILD, "age": 0.5, "weight": 6.0}, dose_mg=0.2), seed=1)
    found = [message.code for message in caught.value.messages]
    assert found[0] == "estimate.no-model"
    assert {"models.age-below-hard", "models.weight-below-hard"} <= set(found)


@pytest.mark.parametrize(("missing", "code"), [("age", "estimate.age-needed"), ("weight", "estimate.weight-needed")])
def test_age_and_a_childs_weight_are_needed(missing: str, code: str) -> None:
    known = {name: value for name, value in CHILD.items() if name != missing}
    with pytest.raises(ScopeError) as caught:
        estimates(patient(known), seed=1)
    assert [message.code for message in caught.value.messages] == [code]


def test_a_model_without_a_covariate_it_cannot_do_without_is_left_out() -> None:
    known = {name: value for name, value in ADULT.items() if name != "age"}
    found = estimates(patient(known), [load("golubovic_2019"), load("wu_2012")], seed=1, draws=100)
    assert set(shares(found)) == {"wu_2012"}
    assert [reason.code for reason in found.left_out[0].reasons] == ["models.covariate-refused"]


# Shares


def _evidence(model: PopulationModel, history: History) -> float:
    """The common-residual likelihood of the levels, integrated over the random effect of clearance on a grid."""
    grid = np.linspace(-2.5, 2.5, 3001)
    f = predict(model, history, grid[:, None], [level.time_h for level in history.used])
    y = np.array([level.level_ng_ml for level in history.used])
    likelihood = norm.pdf(y, f, np.hypot(0.5, 0.2 * f)).prod(axis=1)
    return float(np.trapezoid(likelihood * norm.pdf(grid, 0, math.sqrt(model.omega[0, 0])), grid))


@pytest.mark.parametrize("level", [4.0, 6.0, 9.0, 14.0])
def test_shares_are_prior_times_integrated_likelihood(level: float) -> None:
    # Oracle: quadrature for the two models with one random effect.
    models = [load("fan_2024"), load("chen_2021")]
    history = patient(CHILD, dose_mg=1.5, levels=(trough(60, level), trough(90, 1.1 * level)))
    found = estimates(history, models, seed=1, draws=DRAWS, settings=PLAIN)
    product = np.array([_evidence(model, history) for model in models])
    assert [member.weight for member in found.members] == pytest.approx(product / product.sum(), abs=SHARE)


def test_the_published_residuals_are_a_variant() -> None:
    history = patient(ADULT, levels=THREE)
    own = estimates(history, seed=1, draws=DRAWS, settings=replace(PLAIN, evidence_residual="own"))
    assert [member.log_evidence for member in own.members] == [m.estimate.log_evidence for m in own.members]
    common = estimates(history, seed=1, draws=DRAWS, settings=PLAIN)
    assert shares(own) != shares(common)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(1e-12, 1.0), min_size=1, max_size=8), st.floats(0.0, 0.12))
def test_the_floor_keeps_the_sum_the_order_and_everybody(shares: list[float], floor: float) -> None:
    found = with_floor(np.array(shares), floor)
    assert found.sum() == pytest.approx(1.0)
    assert (found >= floor - EXACT).all()
    order = np.argsort(shares, kind="stable")
    assert (np.diff(found[order]) >= -EXACT).all()


def test_no_model_falls_below_five_percent() -> None:
    low = tuple(trough(day, 30.0) for day in (30, 45, 60, 75, 90))
    found = estimates(patient(ADULT, levels=low), seed=1, draws=500)
    assert min(shares(found).values()) >= 0.05 - EXACT


def test_early_levels_inform_the_model_that_can_read_them_but_not_the_shares() -> None:
    early = patient(ADULT, days=8, levels=(trough(7, 12.0),))
    found = estimates(early, seed=1, draws=DRAWS)
    assert shares(found) == pytest.approx({"golubovic_2019": 1 / 3, "jiao_2009": 1 / 3, "wu_2012": 1 / 3})
    assert "estimate.levels-of-some" in codes(found)
    informed = {m.model.name: median(*m.trough_draws(cycle(2.0))) for m in found.members}
    prior = estimates(replace(early, levels=()), seed=1, draws=DRAWS)
    before = {m.model.name: median(*m.trough_draws(cycle(2.0))) for m in prior.members}
    assert informed["jiao_2009"] == pytest.approx(before["jiao_2009"], rel=EXACT)
    assert informed["wu_2012"] > 1.5 * before["wu_2012"]


def test_shares_rest_on_the_levels_that_every_model_reads() -> None:
    # The early level of the same patient changes no share, only what Wu makes of the patient.
    late = patient(ADULT, levels=(trough(60, 9.0),))
    both = patient(ADULT, levels=(trough(5, 3.0), trough(60, 9.0)))
    one, other = (estimates(history, seed=1, draws=DRAWS, settings=PLAIN) for history in (late, both))
    assert other.common_levels == 1
    assert shares(one) == pytest.approx(shares(other), abs=SHARE)


def test_an_assay_that_cannot_be_related_lowers_a_models_prior() -> None:
    level = trough(60, 9.0, assay="cmia")
    found = estimates(patient(ADULT, levels=(level,)), seed=1, draws=200)
    prior = {member.model.name: member.prior_weight for member in found.members}
    assert prior["golubovic_2019"] == prior["jiao_2009"]
    assert prior["wu_2012"] == pytest.approx(0.75 * prior["jiao_2009"])
    assert {"estimate.prior-assay", "assay.model-converted"} <= set(codes(found))


def test_a_drug_only_one_model_knows_lowers_the_prior_of_the_others() -> None:
    taken = {**ADULT, "level:ciclosporin": 100.0}
    found = estimates(patient(taken), seed=1, draws=200)
    prior = {member.model.name: member.prior_weight for member in found.members}
    assert prior["jiao_2009"] == pytest.approx(0.5)
    assert "estimate.prior-comedication" in codes(found)


def test_interactions_are_given_to_each_model_by_what_it_knows_itself() -> None:
    def halved(model: PopulationModel) -> Sequence[Multiplier]:
        return () if model.name == "jiao_2009" else (Multiplier(start_h=-math.inf, clearance=0.5),)

    found = estimates(patient(ADULT), seed=1, draws=500, interactions=halved)
    plain = estimates(patient(ADULT), seed=1, draws=500)
    for member, other in zip(found.members, plain.members, strict=True):
        ratio = median(*member.trough_draws(cycle(2.0))) / median(*other.trough_draws(cycle(2.0)))
        assert ratio == pytest.approx(1.0) if member.model.name == "jiao_2009" else ratio > 1.8


def test_the_weight_on_the_prior_is_never_used_here() -> None:
    history = patient(ADULT, levels=THREE)
    one, other = (estimates(history, seed=1, draws=300, settings=Settings(prior_weight=w)) for w in (1.0, 20.0))
    assert shares(one) == shares(other)


# One set of draws


def test_draws_are_those_of_the_members_by_their_shares() -> None:
    found = estimates(patient(ADULT, levels=THREE), seed=1, draws=300)
    values, weights = found.trough_draws(cycle(2.0))
    assert values.shape == weights.shape == (900,)
    assert weights.sum() == pytest.approx(1.0)
    for i, member in enumerate(found.members):
        part = slice(300 * i, 300 * (i + 1))
        assert (values[part] == member.trough_draws(cycle(2.0))[0]).all()
        assert weights[part].sum() == pytest.approx(member.weight)


@settings(deadline=None, max_examples=20)
@given(dose=st.floats(0.5, 5.0), more=st.floats(1.01, 3.0), known=st.sampled_from(["adult", "child"]))
def test_more_drug_never_lowers_any_draw_nor_the_chance_of_too_much(dose: float, more: float, known: str) -> None:
    found = answered(known)
    low, weights = found.trough_draws(cycle(dose))
    high, _ = found.trough_draws(cycle(dose * more))
    assert (high > low).all()
    above = [float(weighted_probability(v, weights, 15.0)) for v in (low, high)]
    assert above[1] >= above[0]


@settings(deadline=None, max_examples=20)
@given(dose=st.floats(0.5, 5.0), factor=st.floats(0.2, 4.0))
def test_a_dose_times_k_gives_draws_times_k_where_absorption_does_not_saturate(dose: float, factor: float) -> None:
    one, _ = answered("child").trough_draws(cycle(dose))
    other, _ = answered("child").trough_draws(cycle(dose * factor))
    assert other == pytest.approx(factor * one, rel=1e-9)


def test_the_next_measured_level_scatters_more_than_the_true_one() -> None:
    found = answered("adult")
    true, weights = found.trough_draws(cycle(2.0))
    measured, same = found.next_level_draws(cycle(2.0))
    assert (weights == same).all()
    wide = [np.diff(weighted_quantile(v, weights, [0.05, 0.95]))[0] for v in (true, measured)]
    assert wide[1] > 1.2 * wide[0]
    assert median(measured, weights) == pytest.approx(median(true, weights), rel=0.05)


def test_soon_after_a_change_only_the_model_of_the_course_moves_from_the_present_level() -> None:
    found = answered("adult")
    now_h = found.history.now_h
    wu = next(member for member in found.members if member.model.name == "wu_2012")
    part = slice(DRAWS * found.members.index(wu), DRAWS * (found.members.index(wu) + 1))
    soon, weights = found.next_level_draws(cycle(4.0), first_h=now_h, sample_h=now_h + 72.0)
    settled, _ = found.next_level_draws(cycle(4.0))
    far, _ = found.next_level_draws(cycle(4.0), first_h=now_h, sample_h=now_h + 24.0 * 60)
    assert median(soon[part], weights[part]) < 0.9 * median(settled[part], weights[part])
    assert median(far[part], weights[part]) == pytest.approx(median(settled[part], weights[part]), rel=0.01)
    others = np.ones(soon.size, bool)
    others[part] = False
    assert (soon[others] == settled[others]).all()


def test_exposure_comes_from_a_model_of_profiles_or_not_at_all() -> None:
    area, weights, basis = answered("adult").auc24_draws(cycle(2.0))
    assert basis.code == "estimate.auc-shape"
    assert area is not None
    assert weights is not None
    values, shares_of = answered("adult").trough_draws(cycle(2.0))
    wu = next(member for member in answered("adult").members if member.model.name == "wu_2012")
    own = 1000.0 * 2.0 / wu.estimate.parameters_at()[:, 0]
    ratio = median(own / wu.trough_draws(cycle(2.0))[0], wu.estimate.weight)
    assert median(area, weights) == pytest.approx(ratio * median(values, shares_of), rel=0.05)
    alone = estimates(patient(ADULT), [load("wu_2012")], seed=1, draws=500)
    assert alone.auc24_draws(cycle(2.0))[2].code == "estimate.auc-from-models"
    assert answered("child").auc24_draws(cycle(1.0)) == (None, None, answered("child").auc24_draws(cycle(1.0))[2])
    assert answered("child").auc24_draws(cycle(1.0))[2].code == "estimate.auc-not-identifiable"


@pytest.mark.parametrize(("days", "percent"), [(7, 91), (14, 99)])
def test_h7_the_fraction_of_steady_state_is_that_of_the_model_that_knows_it(days: int, percent: int) -> None:
    # Oracle: popk_check.md E1, typical Wu 2012.
    found, reason = estimates(patient(ADULT, days=days), seed=1, draws=DRAWS).fraction_of_steady_state()
    assert reason is None
    assert found is not None
    assert 100 * found.median == pytest.approx(percent, abs=3)
    assert found.low < found.median < found.high <= 1.0 + EXACT
    assert found.models == ("Wu 2012",)


def test_h7_children_and_paused_patients_have_a_reason_instead() -> None:
    assert answered("child").fraction_of_steady_state()[1] is not None
    paused = estimates(patient(ADULT, current=None), seed=1, draws=100)
    _, reason = paused.fraction_of_steady_state()
    assert reason is not None
    assert reason.code == "estimate.no-regimen"


def test_the_course_has_ordered_bands_and_goes_on_with_the_regimen() -> None:
    found = answered("adult")
    now_h = found.history.now_h
    curve = found.curve([now_h - 24.0, now_h, now_h + 24.0 * 30])
    assert (np.diff(curve, axis=0) > 0).all()
    assert curve[2, 2] == pytest.approx(curve[2, 1], rel=0.05)
    stopped = found.curve([now_h + 24.0 * 30], cycle=cycle(0.5))
    assert stopped[2, 0] < 0.5 * curve[2, 2]
    assert found.curve([now_h], support="time-course").shape == (5, 1)


def test_the_same_seed_gives_the_same_average() -> None:
    one, again = (estimates(patient(ADULT, levels=THREE), seed=4, draws=300) for _ in range(2))
    assert shares(one) == shares(again)
    assert (one.trough_draws(cycle(2.0))[0] == again.trough_draws(cycle(2.0))[0]).all()


# From a chart


def _chart(**more: Any) -> Chart:
    start = datetime(2026, 1, 5, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
    day = timedelta(days=1)
    labs = tuple(
        Lab(at=start, recorded=start, name=name, value=value, unit="as declared")
        for name, value in ADULT.items()
        if name != "age"
    )
    return Chart(
        patient=Patient(id="invented", born=date(1982, 1, 1), population="chinese", invented=True),
        zone="Asia/Shanghai",
        prescriptions=(Prescription(at=start, recorded=start, regimen=daily(2)),),
        levels=(Level(at=start + 30 * day, recorded=start + 31 * day, level_ng_ml=9.0),),
        labs=labs,
        **more,
    )


def test_a_level_recorded_later_does_not_change_the_earlier_answer() -> None:
    chart = _chart()
    at = datetime(2026, 2, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    later = Level(at=at - timedelta(days=1), recorded=at + timedelta(hours=1), level_ng_ml=3.0)
    answers = [
        estimates(from_chart(one, at)[0], seed=1, draws=300).trough_draws(cycle(2.0))
        for one in (chart, replace(chart, levels=(*chart.levels, later)))
    ]
    assert (answers[0][0] == answers[1][0]).all()
    assert (answers[0][1] == answers[1][1]).all()
