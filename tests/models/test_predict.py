# SPDX-License-Identifier: Apache-2.0
"""Histories become concentrations as an independent integrator says, and steady states are where long courses end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from sirolens.errors import InputError
from sirolens.models.catalog import load
from sirolens.models.exposure import (
    auc24,
    combine,
    forecast_parameters,
    rhythm,
    steady_state_exposure,
    steady_state_trough,
    steady_state_troughs,
    unit_troughs,
)
from sirolens.models.future import continued, cycle_origin_h
from sirolens.models.population import PopulationModel, individual
from sirolens.models.predict import (
    Carry,
    History,
    Multiplier,
    Prelude,
    Timeline,
    periods,
    population_curves,
    predict,
    typical_parameters,
)
from sirolens.regimen import Cycle

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
ORACLE = 1e-7  # relative; DOP853 at rtol 1e-11 restarts at every dose and change of parameters
SAME = 1e-10  # relative; two exact propagations of the same course
PRINTED = 0.005  # relative to the last digit of a printed trough

MEASURED = {
    "age": 44.0,
    "ast": 20.0,
    "bilirubin": 11.29,
    "cholesterol": 4.7,
    "haematocrit": 38.0,
    "weight": 28.5,
}
ADULT = ("golubovic_2019", "jiao_2009", "wu_2012", "mao_2024")
EVERY = (*ADULT, "cheng_2020", "fan_2024", "chen_2021")


def daily_history(days: int, dose_mg: float = 2.0, **covariates: float) -> History:
    values = MEASURED | covariates
    return History(
        origin=ORIGIN,
        now_h=24.0 * days,
        dose_time_h=tuple(24.0 * day for day in range(days)),
        dose_mg=(dose_mg,) * days,
        covariates={name: Timeline(time_h=(0.0,), value=(value,)) for name, value in values.items()},
    )


def cycle(*doses_mg: float, period_h: float = 24.0) -> Cycle:
    k = len(doses_mg)
    return Cycle(period_h=period_h, offset_h=tuple(i * period_h / k for i in range(k)), amount_mg=doses_mg)


def typical_now(model: PopulationModel, history: History) -> np.ndarray:
    return typical_parameters(model, periods(model, history))[-1:]


def typical_trough(name: str, dose_mg: float, **covariates: float) -> float:
    model = load(name)
    parameters = typical_now(model, daily_history(1, **covariates))
    return float(steady_state_trough(model, parameters, cycle(dose_mg))[0])


# Against what the papers print


@pytest.mark.parametrize(
    ("name", "dose_mg", "covariates", "printed"),
    [
        # popk_check.md section 5, typical steady-state troughs once daily
        ("jiao_2009", 2.0, {"cholesterol": 5.66}, 7.7),
        ("jiao_2009", 2.0, {"cholesterol": 4.7}, 7.3),
        ("golubovic_2019", 2.0, {"age": 25.0}, 4.0),
        ("golubovic_2019", 2.0, {"age": 44.0}, 6.0),
        ("golubovic_2019", 2.0, {"age": 60.0}, 9.0),
        ("golubovic_2019", 2.0, {"ast": 40.0}, 12.0),
        ("wu_2012", 2.0, {"haematocrit": 35.0}, 4.1),
        ("wu_2012", 4.0, {"haematocrit": 42.0}, 8.5),
        ("mao_2024", 1.0, {"haematocrit": 38.0}, 5.0),
        ("cheng_2020", 1.0, {"weight": 20.0}, 6.1),
        ("cheng_2020", 1.0, {"weight": 28.5}, 4.7),
        ("fan_2024", 1.0, {"weight": 28.5}, 4.1),
        ("chen_2021", 1.0, {"weight": 20.0}, 8.1),
    ],
)
def test_typical_troughs_are_the_published_ones(
    name: str, dose_mg: float, covariates: dict[str, float], printed: float
) -> None:
    assert typical_trough(name, dose_mg, **covariates) == pytest.approx(printed, abs=0.05 + PRINTED * printed)


@pytest.mark.parametrize(
    ("name", "day_7", "day_14"),
    [("jiao_2009", 33, 55), ("golubovic_2019", 65, 84), ("mao_2024", 91, 99), ("wu_2012", 91, 99)],
)
def test_e1_trough_only_models_believe_in_steady_states_weeks_away(name: str, day_7: int, day_14: int) -> None:
    # Oracle: popk_check.md E1, share of steady state reached on day 7 and 14, in percent.
    model, history = load(name), daily_history(15, cholesterol=5.66)
    reached = predict(model, history, np.zeros((1, len(model.omega))), [168.0, 336.0])[0]
    final = steady_state_trough(model, typical_now(model, history), cycle(2.0))[0]
    assert 100 * reached / final == pytest.approx([day_7, day_14], abs=2.0)


# Against an independent integrator

Slopes = Callable[[float, np.ndarray], np.ndarray]


def _slopes(model: PopulationModel, p: dict[str, float]) -> Slopes:
    def slopes(_: float, a: np.ndarray) -> np.ndarray:
        depot, central, other = a
        if model.saturable is not None:
            absorbed = model.saturable.vmax_mg_h * depot / (model.saturable.km_mg + depot)
        else:
            absorbed = p["ka"] * depot
        between = p["q"] / p["v1"] * central - (p["q"] / p["v2"] * other if p["v2"] else 0.0)
        return np.array([-absorbed, p["f"] * absorbed - p["cl"] / p["v1"] * central - between, between])

    return slopes


def _integrated(model: PopulationModel, history: History, eta: np.ndarray, wanted: list[float]) -> list[float]:
    """Integrate the equations of the papers between doses and changes of parameters."""
    found = periods(model, history)
    rows = individual(model, typical_parameters(model, found), eta[None, :])[0]
    edges = sorted({*history.dose_time_h, *found.edge_h, *wanted})
    state, out = np.zeros(3), {}
    for begin, end in zip([edges[0], *edges], edges, strict=False):
        if end > begin:
            row = rows[int(np.searchsorted(found.edge_h, 0.5 * (begin + end)))]
            f = row[11] if model.saturable is not None else 1.0
            values = {"cl": row[0], "v1": row[1], "q": row[2], "v2": row[3], "ka": row[6], "f": f}
            state = solve_ivp(_slopes(model, values), (begin, end), state, method="DOP853", rtol=1e-11, atol=1e-13).y[
                :, -1
            ]
        here = rows[int(np.searchsorted(found.edge_h, end, side="right"))]
        out[end] = 1000.0 * state[1] / here[1]
        given = sum(a for t, a in zip(history.dose_time_h, history.dose_mg, strict=True) if t == end)
        # Bioavailability belongs to the dose as a whole, except where absorption itself is the equation.
        state[0] += given * (1.0 if model.saturable is not None else here[7])
    return [out[time_h] for time_h in wanted]


@settings(deadline=None, max_examples=12)
@given(
    name=st.sampled_from(EVERY),
    doses=st.lists(st.tuples(st.integers(0, 20), st.sampled_from([0.5, 1.0, 2.0, 3.0])), min_size=1, max_size=8),
    change_h=st.floats(10.0, 300.0),
    clearance=st.floats(0.2, 3.0),
    bioavailability=st.floats(0.5, 4.0),
    seed=st.integers(0, 1000),
)
def test_histories_with_changing_covariates_and_interactions_agree_with_dop853(
    name: str,
    doses: list[tuple[int, float]],
    change_h: float,
    clearance: float,
    bioavailability: float,
    seed: int,
) -> None:
    model = load(name)
    taken = {24.0 * day + 0.25 * day: amount for day, amount in doses}
    later = {"haematocrit": 30.0, "weight": 31.0, "bilirubin": 20.0, "cholesterol": 6.0, "ast": 60.0}
    history = replace(
        daily_history(1),
        dose_time_h=tuple(sorted(taken)),
        dose_mg=tuple(taken[t] for t in sorted(taken)),
        covariates={
            name: Timeline(time_h=(0.0, change_h), value=(value, later.get(name, value)))
            for name, value in MEASURED.items()
        },
        multipliers=(
            Multiplier(
                start_h=0.5 * change_h, stop_h=1.5 * change_h, clearance=clearance, bioavailability=bioavailability
            ),
        ),
    )
    eta = np.random.default_rng(seed).standard_normal(len(model.omega)) * np.sqrt(np.diag(model.omega))
    first_h = min(taken)
    wanted = sorted({first_h + 3.0, first_h + 23.9, change_h + first_h, 520.0})
    computed = predict(model, history, eta[None, :], wanted)[0]
    oracle = _integrated(model, history, eta, wanted)
    scale = max(oracle)
    assert computed == pytest.approx(oracle, rel=ORACLE, abs=ORACLE * scale)


# What must be the same


@pytest.mark.parametrize("name", EVERY)
def test_a_long_course_ends_in_its_steady_state(name: str) -> None:
    model, history = load(name), daily_history(600)
    reached = predict(model, history, np.zeros((1, len(model.omega))), [600 * 24.0])[0, 0]
    assert reached == pytest.approx(steady_state_trough(model, typical_now(model, history), cycle(2.0))[0], rel=1e-6)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("doses_mg", [(2.0,), (1.0, 0.5), (2.0, 1.0, 1.0)])
def test_a_stated_steady_state_is_a_course_without_beginning(name: str, doses_mg: tuple[float, ...]) -> None:
    model, repeated = load(name), cycle(*doses_mg, period_h=24.0 * len(doses_mg))
    base = daily_history(1)
    empty = replace(base, dose_time_h=(), dose_mg=())
    long = continued(empty, repeated, first_h=-600 * repeated.period_h, until_h=200.0)
    last = [t for t in long.dose_time_h if t < 0.0][-len(doses_mg) :]
    prelude = Prelude(period_h=repeated.period_h, time_h=tuple(last), amount_mg=doses_mg)
    known = [(t, a) for t, a in zip(long.dose_time_h, long.dose_mg, strict=True) if t >= 0.0]
    stated = replace(base, dose_time_h=tuple(t for t, _ in known), dose_mg=tuple(a for _, a in known), prelude=prelude)
    wanted = [last[0] + 1.0, last[-1] + 1.0, 0.0, 150.0]
    zeros = np.zeros((1, len(model.omega)))
    assert predict(model, stated, zeros, wanted) == pytest.approx(predict(model, long, zeros, wanted), rel=1e-8)


@settings(deadline=None, max_examples=20)
@given(
    name=st.sampled_from(EVERY),
    doses_mg=st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0]), min_size=1, max_size=4),
    factor=st.floats(0.1, 5.0),
)
def test_troughs_scale_with_the_dose_where_absorption_does_not_saturate(
    name: str, doses_mg: list[float], factor: float
) -> None:
    model = load(name)
    parameters = typical_now(model, daily_history(1))
    regimen = cycle(*doses_mg, period_h=24.0 * len(doses_mg))
    one = steady_state_troughs(model, parameters, regimen)
    other = steady_state_troughs(model, parameters, regimen.scaled(factor))
    if model.saturable is None:
        assert other == pytest.approx(factor * one, rel=SAME)
    else:  # more drug, a slower depot: never the other way round
        assert (other > one).all() if factor > 1 else (other <= one).all()


@pytest.mark.parametrize("name", ["golubovic_2019", "jiao_2009", "cheng_2020"])
def test_unit_answers_combine_into_the_troughs_of_any_doses(name: str) -> None:
    model = load(name)
    parameters = typical_now(model, daily_history(1))
    regimen = Cycle(period_h=168.0, offset_h=(0.0, 48.0, 96.0), amount_mg=(2.0, 1.0, 3.0))
    by_units = combine(unit_troughs(model, parameters, rhythm(regimen)), regimen.amount_mg)
    long = continued(replace(daily_history(1), dose_time_h=(), dose_mg=()), regimen, first_h=0.0, until_h=168.0 * 200)
    wanted = [168.0 * 199 + offset_h for offset_h in regimen.offset_h]
    simulated = predict(model, long, np.zeros((1, len(model.omega))), wanted)
    assert by_units == pytest.approx(simulated, rel=1e-6)


def test_the_area_over_a_day_is_what_a_day_of_the_course_integrates_to() -> None:
    # Oracle: Simpson's rule over one day at steady state.
    model, history = load("wu_2012"), daily_history(300)
    parameters = typical_now(model, history)
    grid = np.linspace(298 * 24.0, 299 * 24.0, 4001)
    conc = predict(model, history, np.zeros((1, 4)), grid)[0]
    simpson = (grid[1] - grid[0]) / 3 * (conc[0] + conc[-1] + 4 * conc[1:-1:2].sum() + 2 * conc[2:-1:2].sum())
    assert auc24(model, parameters, cycle(2.0))[0] == pytest.approx(simpson, rel=1e-5)


def test_only_a_model_of_profiles_knows_an_area() -> None:
    for name in EVERY:
        model = load(name)
        found = steady_state_exposure(model, typical_now(model, daily_history(1)), cycle(1.0, 0.5))
        assert (found.auc24_ng_h_ml is not None) == ("auc" in model.supports)
        assert found.trough_ng_ml[0] < found.highest_trough_ng_ml[0]


# Covariates between measurements


def _two_haematocrits(carry: Carry) -> np.ndarray:
    history = replace(
        daily_history(30),
        covariates=daily_history(30).covariates | {"haematocrit": Timeline(time_h=(0.0, 480.0), value=(30.0, 45.0))},
        carry=carry,
    )
    return predict(load("mao_2024"), history, [[0.0, 0.0]], [480.0, 720.0])[0]


def test_forward_and_backward_differ_where_they_should() -> None:
    # Oracle: forward, day 20 has seen 30 % only; backward, every day has seen 45 % only.
    constant = {
        value: predict(load("mao_2024"), daily_history(30, haematocrit=value), [[0.0, 0.0]], [480.0, 720.0])[0]
        for value in (30.0, 45.0)
    }
    forward, backward = _two_haematocrits(Carry.FORWARD), _two_haematocrits(Carry.BACKWARD)
    assert forward[0] == pytest.approx(constant[30.0][0], rel=SAME)
    assert constant[30.0][1] < forward[1] < constant[45.0][1]
    assert backward == pytest.approx(constant[45.0], rel=SAME)


def test_backward_reads_the_next_value_into_the_interval_before_it() -> None:
    model = load("mao_2024")
    three = Timeline(time_h=(0.0, 240.0, 480.0), value=(30.0, 38.0, 45.0))
    history = replace(daily_history(30), covariates={"haematocrit": three}, carry=Carry.BACKWARD)
    found = periods(model, history)
    assert found.edge_h.tolist() == [0.0, 240.0]
    assert found.values["HCT"].tolist() == [30.0, 38.0, 45.0]
    assert found.index([0.0, 240.0, 241.0], Carry.BACKWARD).tolist() == [0, 1, 2]


def test_a_covariate_a_model_does_not_use_does_not_cut_time() -> None:
    history = replace(
        daily_history(30),
        covariates=daily_history(30).covariates | {"weight": Timeline(time_h=(0.0, 9.0), value=(1, 2))},
    )
    assert periods(load("mao_2024"), history).edge_h.size == 0


def test_a_missing_covariate_is_asked_for_or_given() -> None:
    model = load("jiao_2009")
    history = replace(daily_history(30), covariates={})
    with pytest.raises(InputError) as caught:
        predict(model, history, [[0.0, 0.0]], [720.0])
    assert [message.code for message in caught.value.messages] == ["models.covariate-needed"]
    given_now = predict(model, history, [[0.0, 0.0]], [720.0], missing={"TC": 4.7})
    assert given_now == pytest.approx(predict(model, daily_history(30), [[0.0, 0.0]], [720.0]), rel=SAME)


def test_the_scale_of_another_assay_multiplies_every_prediction() -> None:
    for name in ("wu_2012", "golubovic_2019"):
        model = load(name)
        zeros = np.zeros((1, len(model.omega)))
        plain = predict(model, daily_history(30), zeros, [720.0])
        assert predict(model, daily_history(30), zeros, [720.0], scale=1.219) == pytest.approx(1.219 * plain, rel=SAME)


def test_an_interaction_moves_clearance_and_bioavailability_only_while_it_lasts() -> None:
    history = daily_history(60).with_multipliers(
        Multiplier(start_h=240.0, stop_h=480.0, clearance=0.5, bioavailability=2.0)
    )
    found = periods(load("wu_2012"), history)
    assert found.clearance.tolist() == [1.0, 0.5, 1.0]
    assert found.bioavailability.tolist() == [1.0, 2.0, 1.0]
    zeros, day_10 = np.zeros((1, 4)), [240.0]
    plain = daily_history(60)
    assert predict(load("wu_2012"), history, zeros, day_10) == predict(load("wu_2012"), plain, zeros, day_10)
    assert (
        predict(load("wu_2012"), history, zeros, [480.0]) > 2 * predict(load("wu_2012"), plain, zeros, [480.0])
    ).all()


def test_a_dose_dependent_clearance_sees_the_regimen_it_is_asked_about() -> None:
    model = load("jiao_2009:dose-covariate")
    found = periods(
        model,
        replace(
            daily_history(30),
            covariates=daily_history(30).covariates | {"daily-dose": Timeline(time_h=(0.0,), value=(2.0,))},
        ),
    )
    doubled = forecast_parameters(model, found, 0, daily_mg=4.0)[0] / forecast_parameters(model, found, 0)[0]
    assert doubled == pytest.approx(2.0**0.479, rel=SAME)


# The future


def test_doses_go_on_in_step_with_the_last_ones() -> None:
    alternating = Cycle(period_h=48.0, offset_h=(0.0, 24.0), amount_mg=(2.0, 1.0))
    history = replace(daily_history(5), dose_mg=(2.0, 1.0, 2.0, 1.0, 2.0), now_h=100.0)
    assert cycle_origin_h(history, alternating) == 96.0
    going_on = continued(history, alternating, first_h=100.0, until_h=200.0, in_step=True)
    assert going_on.dose_time_h[5:] == (120.0, 144.0, 168.0, 192.0)
    assert going_on.dose_mg[5:] == (1.0, 2.0, 1.0, 2.0)


def test_a_new_regimen_takes_over_from_its_first_dose() -> None:
    history = continued(daily_history(5), cycle(1.0), first_h=96.0, until_h=168.0)
    assert history.dose_time_h == tuple(24.0 * day for day in range(7))
    assert history.dose_mg == (2.0,) * 4 + (1.0,) * 3


def test_population_curves_are_ordered_and_centred_near_the_typical_patient() -> None:
    model, history = load("cheng_2020"), daily_history(30, 1.0)
    curves = population_curves(model, history, [696.0 + 12.0, 720.0], draws=2048, seed=1)
    assert (np.diff(curves, axis=0) > 0).all()
    typical = predict(model, history, [[0.0, 0.0]], [708.0, 720.0])[0]
    assert curves[2] == pytest.approx(typical, rel=0.03)  # a median of 2048 quasi-random draws
    assert (curves == population_curves(model, history, [708.0, 720.0], draws=2048, seed=1)).all()


def test_order_of_the_times_asked_for_does_not_matter() -> None:
    model, history = load("golubovic_2019"), daily_history(30)
    zeros = np.zeros((1, 5))
    ascending = predict(model, history, zeros, [100.0, 720.0, 300.0])
    assert ascending[0, 1] == predict(model, history, zeros, [720.0])[0, 0]
    assert math.isclose(ascending[0, 2], predict(model, history, zeros, [300.0])[0, 0], rel_tol=SAME)


def test_before_the_first_dose_there_is_nothing() -> None:
    for name in ADULT:
        model = load(name)
        history = replace(daily_history(3), dose_time_h=(48.0,), dose_mg=(2.0,))
        assert predict(model, history, np.zeros((1, len(model.omega))), [10.0, 48.0]).tolist() == [[0.0, 0.0]]
