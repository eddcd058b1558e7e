# SPDX-License-Identifier: Apache-2.0
"""Doses become blood concentrations: against the one-patient path of the dosing room, and by mass balance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.expression import parse
from sirolens.engine.linear import PARAMETERS
from sirolens.errors import InputError
from sirolens.mechanism.exposure import (
    Adherence,
    DoseHistory,
    Kinetics,
    blood_levels,
    constant_dose,
    prescribed,
    sample_kinetics,
    taken,
)
from sirolens.models.catalog import load
from sirolens.models.population import OdeSystem
from sirolens.models.predict import CL, F1, History, predict, predictor
from sirolens.models.timeline import Timeline
from sirolens.regimen import alternate_days, daily, taper, twice_daily

ROUNDING = 1e-11  # the same propagation in another order of events
GOLUBOVIC = load("golubovic_2019")
OWN_EQUATIONS = replace(
    GOLUBOVIC,
    system=OdeSystem(states=("A",), equations={"A": parse("-A")}, output=parse("A"), dose_state="A"),
)


def _patients(n: int, seed: int = 1) -> Kinetics:
    return sample_kinetics(
        GOLUBOVIC, {"age": np.linspace(20, 60, n), "ast": np.full(n, 20.0)}, seed=seed, index=range(n)
    )


def test_levels_are_those_of_the_model_for_one_patient() -> None:
    """Oracle: sirolens.models.predict, which follows one history."""
    doses = DoseHistory(time_d=[0.0, 1.0, 2.5, 7.0], amount_mg=[[2.0, 0.0, 1.0, 4.0]])
    times = np.array([0.5, 1.0, 2.5, 2.75, 9.0])
    history = History(
        origin=datetime(2026, 1, 1, tzinfo=UTC),
        now_h=300.0,
        dose_time_h=(0.0, 60.0, 168.0),
        dose_mg=(2.0, 1.0, 4.0),
        covariates={
            "age": Timeline(time_h=(0.0,), value=(44.0,)),
            "ast": Timeline(time_h=(0.0,), value=(20.0,)),
        },
    )
    typical = sample_kinetics(GOLUBOVIC, {"age": [44.0], "ast": [20.0]}, seed=1, index=[0])
    usual = predict(GOLUBOVIC, history, np.zeros((1, len(GOLUBOVIC.eta_names))), 24.0 * times)[0]
    from sirolens.models.covariates import typical as typical_values

    mean = Kinetics(model=GOLUBOVIC, parameters=typical_values(GOLUBOVIC, {"AGE": [44.0], "AST": [20.0]}))
    np.testing.assert_allclose(blood_levels(mean, doses, times)[0], usual, rtol=ROUNDING)
    assert not np.allclose(blood_levels(typical, doses, times)[0], usual)  # random effects are in


@settings(deadline=None, max_examples=15)
@given(
    amounts=st.lists(st.floats(0.0, 10.0), min_size=3, max_size=3),
    clearance=st.floats(0.5, 2.0),
)
def test_what_is_taken_is_eliminated(amounts: list[float], clearance: float) -> None:
    """Mass balance: CL * AUC = F * dose once everything is gone. Tolerance: Simpson's rule on an hourly grid."""
    drawn = sample_kinetics(GOLUBOVIC, {"age": [44.0], "ast": [20.0]}, seed=2, index=[0], clearance=clearance)
    days = 3.0 + 40.0 * 24.0
    fine = np.concatenate([np.arange(0.0, 4.0, 1.0 / 1440.0), np.arange(4.0, days, 1.0 / 24.0)])
    levels = blood_levels(drawn, DoseHistory(time_d=[0.0, 1.0, 2.0], amount_mg=[amounts]), fine)[0]
    auc_ng_h_ml = np.trapezoid(levels, 24.0 * fine)
    eliminated_mg = drawn.parameters[0, CL] * auc_ng_h_ml / 1000.0
    assert eliminated_mg == pytest.approx(drawn.parameters[0, F1] * sum(amounts), rel=2e-5, abs=1e-9)


def test_saturable_absorption_gives_the_levels_of_the_one_patient_path() -> None:
    """Oracle: sirolens.models.predict, patient by patient; two of the three share a history."""
    wu = load("wu_2012")
    drawn = sample_kinetics(wu, {}, seed=3, index=range(3))
    doses = DoseHistory(time_d=[0.0, 1.0, 2.0], amount_mg=[[2.0, 2.0, 2.0], [10.0, 0.0, 5.0], [2.0, 2.0, 2.0]])
    times = np.array([0.25, 1.0, 1.5, 2.0, 4.0])
    found = blood_levels(drawn, doses, times)
    for i in range(3):
        kept = doses.amount_mg[i] > 0
        history = History(
            origin=datetime(2026, 1, 1, tzinfo=UTC),
            now_h=100.0,
            dose_time_h=tuple(24.0 * doses.time_d[kept]),
            dose_mg=tuple(doses.amount_mg[i][kept]),
            covariates={},
        )
        usual = predictor(wu, history, 24.0 * times)
        places = [PARAMETERS.index(next(p.name for p in wu.parameters if p.eta == name)) for name in wu.eta_names]
        own = [np.log(drawn.parameters[i, places] / usual.typical[0, places])]
        np.testing.assert_allclose(found[i], usual(own)[0], rtol=1e-7)


def test_a_dose_that_is_missed_and_a_dose_of_nothing_are_the_same() -> None:
    four = _patients(4)
    times = np.arange(0.0, 10.0, 0.25)
    gap = DoseHistory(time_d=np.arange(10.0), amount_mg=np.where(np.arange(10) == 4, 0.0, 2.0)[None, :])
    without = DoseHistory(time_d=np.delete(np.arange(10.0), 4), amount_mg=np.full((1, 9), 2.0))
    np.testing.assert_array_equal(blood_levels(four, gap, times), blood_levels(four, without, times))


@pytest.mark.parametrize("which", [[0], [3, 1], [2, 0, 3]])
def test_a_patient_does_not_depend_on_company(which: list[int]) -> None:
    four = _patients(4)
    doses, _ = taken(constant_dose(2.0, 30), Adherence(mean=0.7), seed=4, index=range(4))
    times = np.arange(0.0, 30.0, 0.5)
    some = Kinetics(model=GOLUBOVIC, parameters=four.parameters[which])
    own = DoseHistory(time_d=doses.time_d, amount_mg=doses.amount_mg[which])
    np.testing.assert_array_equal(blood_levels(some, own, times), blood_levels(four, doses, times)[which])
    alone = sample_kinetics(GOLUBOVIC, {"age": np.linspace(20, 60, 4)[which], "ast": 20.0}, seed=1, index=which)
    np.testing.assert_array_equal(alone.parameters, four.parameters[which])


def test_levels_scale_with_the_dose() -> None:
    """Oracle: linearity."""
    three = _patients(3)
    times = np.arange(0.0, 20.0, 0.5)
    one, two = (blood_levels(three, constant_dose(mg, 20), times) for mg in (1.0, 2.0))
    np.testing.assert_allclose(two, 2.0 * one, rtol=ROUNDING)


def test_regimens_expand_to_the_day_after_the_morning_dose() -> None:
    assert prescribed(alternate_days(2.0), 5).time_d.tolist() == [0.0, 2.0, 4.0]
    twice = prescribed(twice_daily(1.0, 0.5), 2)
    assert twice.time_d.tolist() == [0.0, 0.5, 1.0, 1.5]
    assert twice.amount_mg.tolist() == [[1.0, 0.5, 1.0, 0.5]]
    down = prescribed(daily(2.0).lasting(3).then(taper(2.0, step_mg=1.0, every_days=2)), 10)
    assert down.amount_mg.tolist() == [[2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0]]
    assert prescribed(daily(1.0), 0 + 1).amount_mg.tolist() == [[1.0]]


def test_missed_doses_keep_their_mean_and_come_in_runs() -> None:
    index = range(3000)
    shared = constant_dose(1.0, 200)
    alone, share = taken(shared, Adherence(mean=0.8, between=1.0, runs=0.0), seed=1, index=index)
    runs, share_runs = taken(shared, Adherence(mean=0.8, between=1.0, runs=0.6), seed=1, index=index)
    assert abs(share.mean() - 0.8) < 0.01
    assert (share == share_runs).all()
    for doses in (alone, runs):
        assert abs((doses.amount_mg > 0).mean() - 0.8) < 0.01
    missed, missed_runs = alone.amount_mg == 0, runs.amount_mg == 0
    after_missed = (missed[:, 1:] & missed[:, :-1]).sum() / missed[:, :-1].sum()
    after_missed_runs = (missed_runs[:, 1:] & missed_runs[:, :-1]).sum() / missed_runs[:, :-1].sum()
    assert after_missed_runs > after_missed + 0.2


def test_nobody_misses_a_dose_when_adherence_is_off() -> None:
    doses, share = taken(constant_dose(1.0, 5), Adherence(mean=1.0), seed=1, index=range(3))
    assert (doses.amount_mg == 1.0).all()
    assert (share == 1.0).all()


def test_the_model_is_named_and_says_what_it_cannot_know() -> None:
    drawn = _patients(2)
    assert drawn.model.full_name == "golubovic_2019"
    assert "mechanism.pk-trough-only" in [message.code for message in drawn.messages]


def test_random_effects_have_the_models_covariance() -> None:
    """Oracle: omega of the model; tolerance: four standard errors of a variance."""
    n = 20_000
    drawn = sample_kinetics(GOLUBOVIC, {"age": np.full(n, 44.0), "ast": np.full(n, 20.0)}, seed=3, index=range(n))
    at = GOLUBOVIC.eta_names.index("CL")
    variance = GOLUBOVIC.omega[at, at]
    assert abs(np.log(drawn.parameters[:, CL]).var() - variance) < 4.0 * variance * np.sqrt(2.0 / n)


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: DoseHistory(time_d=[0.0], amount_mg=[[1.0, 2.0]]), "mechanism.doses-shape"),
        (lambda: DoseHistory(time_d=[1.0, 1.0], amount_mg=[[1.0, 2.0]]), "mechanism.doses-order"),
        (lambda: DoseHistory(time_d=[0.0], amount_mg=[[-1.0]]), "mechanism.dose-impossible"),
        (lambda: DoseHistory(time_d=[0.0], amount_mg=[[float("nan")]]), "mechanism.dose-impossible"),
        (lambda: Adherence(mean=0.0), "mechanism.adherence-impossible"),
        (lambda: sample_kinetics(OWN_EQUATIONS, {}, seed=1, index=[0]), "mechanism.pk-own-equations"),
        (lambda: blood_levels(_patients(3), constant_dose([1.0, 2.0], 3), [1.0]), "mechanism.doses-patients"),
        (lambda: sample_kinetics(GOLUBOVIC, {}, seed=1, index=[0]), "models.covariate-refused"),
    ],
)
def test_the_impossible_is_refused_by_name(build: Callable[[], object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        build()
    assert code in [message.code for message in caught.value.messages]
