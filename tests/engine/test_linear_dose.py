# SPDX-License-Identifier: Apache-2.0
"""The conventions of the field's event tables, one by one; docs/science/pk.md names these tests.

Oracles are closed forms of one compartment, C = 1000 D / V exp(-kt), added up by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.linear_oracle import matrix, vector
from tests.engine.linear_regimens import parameter_rows, structures

from sirolens.engine.linear import Structure, concentrations, events_from_columns

EXACT = 1e-13  # the same few exponentials in another order
MANY = 1e-10  # a limit cut off where what is missing is below 1e-13 of the whole
IV = Structure(compartments=1, absorption="none")
ORAL = Structure(compartments=1, absorption="first-order")
ZERO = Structure(compartments=1, absorption="zero-order")
K, V = 0.1, 50.0


def row(**values: float) -> np.ndarray:
    return vector(**{"cl_l_h": K * V, "v1_l": V, "ka_1_h": 0.7, **values})


def levels(structure: Structure, *records: dict[str, Any], parameters: Any = None) -> np.ndarray:
    names = ("evid", "amount_mg", "rate_mg_h", "ss", "ii_h", "addl", "before", "at")
    columns = {name: [r.get(name, 0) for r in records] for name in names}
    events = events_from_columns(
        time_h=[r["t"] for r in records], compartment=[r.get("compartment", 1) for r in records], **columns
    )
    rows = np.atleast_2d(row() if parameters is None else parameters)
    return concentrations(structure, events, rows[None]).values


def at(*times: float) -> list[dict[str, Any]]:
    return [{"t": t} for t in times]


def bolus(t: Any, dose: float = 1.0) -> np.ndarray:
    t = np.asarray(t, float)
    return np.where(t >= 0, 1000 * dose / V * np.exp(-K * np.maximum(t, 0.0)), 0.0)


def infusion(t: Any, rate: float, lasts: float) -> np.ndarray:
    t = np.asarray(t, float)
    on, off = np.clip(t, 0, None), np.clip(t - lasts, 0, None)
    return 1000 * rate / (K * V) * (-np.expm1(-K * on) + np.expm1(-K * off))


def test_bioavailability_shortens_an_infusion_of_given_rate() -> None:
    """F scales the amount; RATE > 0 stays, so the duration is F AMT / RATE."""
    t = np.array([0.5, 2.0, 3.0, 10.0])
    got = levels(IV, {"t": 0, "evid": 1, "amount_mg": 8, "rate_mg_h": 2}, *at(*t), parameters=row(f1=0.5))
    np.testing.assert_allclose(got, infusion(t, 2.0, 0.5 * 8 / 2), rtol=EXACT)


def test_bioavailability_scales_the_rate_of_an_infusion_of_given_duration() -> None:
    """RATE = -2: the duration stays, the rate is F AMT / D."""
    t = np.array([0.5, 2.0, 3.0, 10.0])
    got = levels(
        IV, {"t": 0, "evid": 1, "amount_mg": 8, "rate_mg_h": -2}, *at(*t), parameters=row(f1=0.5, duration1_h=2.5)
    )
    np.testing.assert_allclose(got, infusion(t, 0.5 * 8 / 2.5, 2.5), rtol=EXACT)


def test_a_modelled_rate_is_that_of_the_dose_record() -> None:
    """RATE = -1: the rate is the parameter, the duration F AMT / R, also when the parameter changes later."""
    t = np.array([1.0, 3.0, 9.0])
    got = levels(
        IV,
        {"t": 0, "evid": 1, "amount_mg": 6, "rate_mg_h": -1},
        *({"t": x, "before": 1, "at": 1} for x in t),
        parameters=[row(rate1_mg_h=1.5), row(rate1_mg_h=99.0)],
    )
    np.testing.assert_allclose(got, infusion(t, 1.5, 4.0), rtol=EXACT)


def test_lag_shifts_a_dose_and_all_its_additional_doses() -> None:
    """The lag of the dose record applies to every additional dose, also when the parameter changes later."""
    t = np.array([1.0, 3.0, 12.0, 14.0, 30.0])
    got = levels(
        IV,
        {"t": 0, "evid": 1, "amount_mg": 1, "ii_h": 12, "addl": 1},
        *({"t": x, "before": 1, "at": 1} for x in t),
        parameters=[row(lag1_h=2.0, f1=0.8), row(lag1_h=9.0, f1=0.1)],
    )
    np.testing.assert_allclose(got, bolus(t - 2.0, 0.8) + bolus(t - 14.0, 0.8), rtol=EXACT)


def test_a_lagged_infusion_starts_late_and_lasts_as_long() -> None:
    t = np.array([1.0, 2.5, 6.0, 20.0])
    got = levels(IV, {"t": 0, "evid": 1, "amount_mg": 6, "rate_mg_h": 2}, *at(*t), parameters=row(lag1_h=2.0))
    np.testing.assert_allclose(got, infusion(t - 2.0, 2.0, 3.0), rtol=EXACT)


def test_records_at_one_time_are_taken_in_their_order() -> None:
    """A level before the dose record of the same time is the trough, one after it the peak."""
    got = levels(IV, {"t": 0, "evid": 1, "amount_mg": 1}, *at(24), {"t": 24, "evid": 1, "amount_mg": 1}, *at(24))
    np.testing.assert_allclose(got, [bolus(24), bolus(24) + bolus(0)], rtol=EXACT)


def test_an_additional_or_lagged_dose_comes_before_a_record_of_the_same_time() -> None:
    additional = levels(IV, {"t": 0, "evid": 1, "amount_mg": 1, "ii_h": 24, "addl": 1}, *at(24))
    lagged = levels(IV, {"t": 22, "evid": 1, "amount_mg": 1}, *at(24), parameters=row(lag1_h=2.0))
    np.testing.assert_allclose(additional, bolus(24) + bolus(0), rtol=EXACT)
    np.testing.assert_allclose(lagged, bolus(0), rtol=EXACT)


def test_steady_state_is_in_force_just_after_its_dose() -> None:
    t = np.array([0.0, 5.0, 24.0])
    got = levels(IV, {"t": 0, "evid": 1, "amount_mg": 1, "ss": 1, "ii_h": 24}, *at(*t))
    np.testing.assert_allclose(got, bolus(t) / -np.expm1(-24 * K), rtol=EXACT)


def test_steady_state_replaces_what_is_there_and_cancels_what_is_to_come() -> None:
    """SS = 1 empties compartments, ends infusions, drops pending additional and lagged doses."""
    before = [
        {"t": 0, "evid": 1, "amount_mg": 50, "rate_mg_h": 1},
        {"t": 1, "evid": 1, "amount_mg": 9, "ii_h": 5, "addl": 30},
        {"t": 2, "evid": 1, "amount_mg": 7, "compartment": 2},
    ]
    ss = {"t": 3, "evid": 1, "amount_mg": 1, "ss": 1, "ii_h": 24}
    t = (4.0, 30.0)
    got = levels(IV, *before, ss, *at(*t), parameters=row(lag2_h=10.0))
    np.testing.assert_allclose(got, levels(IV, ss, *at(*t)), rtol=EXACT)


def test_a_second_steady_state_is_added_to_what_is_there() -> None:
    """SS = 2 keeps the course that would have been, infusions and pending doses included."""
    first = {"t": 0, "evid": 1, "amount_mg": 1, "ss": 1, "ii_h": 24, "addl": 3}
    second = {"t": 8, "evid": 1, "amount_mg": 0.5, "ss": 2, "ii_h": 24, "addl": 2}
    t = (8.0, 20.0, 40.0)
    got = levels(IV, first, second, *at(*t))
    apart = levels(IV, first, *at(*t)) + levels(IV, second, *at(*t))
    np.testing.assert_allclose(got, apart, rtol=EXACT)


def test_a_constant_infusion_at_steady_state_ends_at_its_record_and_ignores_bioavailability() -> None:
    t = np.array([0.0, 4.0])
    got = levels(IV, {"t": 0, "evid": 1, "rate_mg_h": 2, "ss": 1}, *at(*t), parameters=row(f1=0.3))
    np.testing.assert_allclose(got, 1000 * 2 / (K * V) * np.exp(-K * t), rtol=EXACT)


def test_an_infusion_longer_than_its_interval_runs_on_after_the_steady_state_record() -> None:
    """Oracle: the last hundred infusions of 30 h every 12 h, added up."""
    t = np.array([0.0, 5.0, 7.0, 18.0, 29.0, 50.0])
    got = levels(IV, {"t": 0, "evid": 1, "amount_mg": 60, "rate_mg_h": 2, "ss": 1, "ii_h": 12}, *at(*t))
    expected = sum(infusion(t + 12.0 * j, 2.0, 30.0) for j in range(100))
    np.testing.assert_allclose(got, expected, rtol=MANY)


def test_an_infusion_as_long_as_its_interval_is_a_constant_infusion() -> None:
    got = levels(IV, {"t": 0, "evid": 1, "amount_mg": 24, "rate_mg_h": 2, "ss": 1, "ii_h": 12}, *at(0, 6, 12, 22))
    plateau = 1000 * 2 / (K * V)
    np.testing.assert_allclose(got, plateau * np.array([1, 1, 1, np.exp(-10 * K)]), rtol=EXACT)


@pytest.mark.parametrize("lag", [0.0, 2.0, 12.0, 31.0])
def test_the_lag_at_steady_state_holds_for_all_implied_doses(lag: float) -> None:
    """At the record the course is II - lag into its cycle; a lag beyond II leaves implied doses still to enter."""
    t = np.array([0.0, 1.0, 5.0, 8.0, 25.0, 40.0])
    got = levels(
        IV, {"t": 0, "evid": 1, "amount_mg": 1, "ss": 1, "ii_h": 12, "addl": 1}, *at(*t), parameters=row(lag1_h=lag)
    )
    expected = sum(bolus(t - lag + 12.0 * j) for j in range(-1, 100))
    np.testing.assert_allclose(got, expected, rtol=MANY)


def test_a_reset_empties_everything_and_cancels_what_is_to_come() -> None:
    """EVID 3; time may start afresh at it."""
    got = levels(
        IV,
        {"t": 100, "evid": 1, "amount_mg": 9, "ii_h": 5, "addl": 30},
        {"t": 101, "evid": 1, "amount_mg": 50, "rate_mg_h": 1},
        {"t": 0, "evid": 3},
        *at(0, 6),
        {"t": 7, "evid": 1, "amount_mg": 1},
        *at(9),
    )
    np.testing.assert_allclose(got, [0.0, 0.0, bolus(2)], rtol=EXACT)


def test_a_reset_with_dose_is_a_reset_and_then_that_dose() -> None:
    """EVID 4, also with SS and ADDL."""
    before = [{"t": 0, "evid": 1, "amount_mg": 9, "ii_h": 5, "addl": 30}, {"t": 1, "evid": 1, "amount_mg": 5}]
    dose = {"t": 3, "evid": 4, "amount_mg": 1, "ss": 2, "ii_h": 24, "addl": 2}
    t = (3.0, 30.0, 80.0)
    np.testing.assert_allclose(levels(IV, *before, dose, *at(*t)), levels(IV, dose, *at(*t)), rtol=EXACT)


def test_the_interval_up_to_a_record_is_under_its_own_set() -> None:
    """`before` governs the interval, `at` the record: amounts are carried over, volumes scale what is observed."""
    slow, fast = row(), row(cl_l_h=3 * K * V, v1_l=2 * V, f1=0.5)
    got = levels(
        IV,
        {"t": 0, "evid": 1, "amount_mg": 1, "at": 1},
        {"t": 4, "before": 0, "at": 0},
        {"t": 6, "before": 1, "at": 1},
        {"t": 6, "before": 1, "at": 0},
        parameters=[slow, fast],
    )
    left_4, left_6 = 0.5 * np.exp(-4 * K), 0.5 * np.exp(-4 * K - 2 * 1.5 * K)
    np.testing.assert_allclose(got, 1000 * np.array([left_4 / V, left_6 / (2 * V), left_6 / V]), rtol=EXACT)


def test_zero_order_absorption_takes_a_plain_dose_over_the_modelled_duration() -> None:
    t = np.array([1.0, 3.0, 8.0])
    got = levels(ZERO, {"t": 0, "evid": 1, "amount_mg": 6}, *at(*t), parameters=row(duration1_h=3.0, f1=0.5))
    np.testing.assert_allclose(got, infusion(t, 1.0, 3.0), rtol=EXACT)
    straight = levels(ZERO, {"t": 0, "evid": 1, "amount_mg": 6, "compartment": 2}, *at(*t))
    np.testing.assert_allclose(straight, bolus(t, 6.0), rtol=EXACT)


def test_both_dosing_compartments_have_their_own_parameters() -> None:
    t = np.array([2.0, 9.0])
    both = [{"t": 0, "evid": 1, "amount_mg": 2}, {"t": 0, "evid": 1, "amount_mg": 1, "compartment": 2}]
    got = levels(ORAL, *both, *at(*t), parameters=row(f1=0.5, lag2_h=1.0))
    ka = 0.7
    oral = 1000 * 0.5 * 2 / V * ka / (ka - K) * (np.exp(-K * t) - np.exp(-ka * t))
    np.testing.assert_allclose(got, oral + bolus(t - 1.0), rtol=EXACT)


def test_one_transit_stage_is_first_order_absorption_to_the_last_bit() -> None:
    records = [{"t": 0, "evid": 1, "amount_mg": 2, "ii_h": 12, "addl": 5}, *at(3, 50, 70)]
    one = Structure(compartments=1, absorption="transit", transit=1)
    assert levels(one, *records).tobytes() == levels(ORAL, *records).tobytes()


@given(structure=structures, parameters=parameter_rows(), rate=st.sampled_from([0.0, 3.0, -1.0, -2.0]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_steady_state_is_the_limit_of_many_doses(
    structure: Structure, parameters: np.ndarray, rate: float, data: st.DataObject
) -> None:
    """Oracle: the doses themselves, as many as it takes until the first has decayed below 1e-17."""
    interval = data.draw(st.sampled_from([6.0, 12.0, 24.0]))
    compartment = data.draw(st.sampled_from([1, 2]))
    dose = {"evid": 1, "amount_mg": 2.0, "rate_mg_h": rate, "compartment": compartment, "ii_h": interval}
    first, last = 40.0 / slowest_rate(structure, parameters), data.draw(st.sampled_from([0, 2]))
    many = int(first / interval) + 20
    looks = [0.01, 2.0, 11.0, 30.0, 90.0]
    settled = levels(structure, {"t": 0, **dose, "ss": 1, "addl": last}, *at(*looks), parameters=parameters)
    given = levels(
        structure,
        {"t": 0, **dose, "addl": many + last},
        *at(*(many * interval + x for x in looks)),
        parameters=parameters,
    )
    np.testing.assert_allclose(settled, given, rtol=MANY, atol=MANY * given.max())


def slowest_rate(structure: Structure, parameters: np.ndarray) -> float:
    plain = Structure(compartments=structure.compartments, absorption="none")
    rates = -np.linalg.eigvals(matrix(plain, parameters)).real
    return float(min(rates.min(), parameters[6] if structure.stages else np.inf))


@given(structure=structures, parameters=parameter_rows(), rate=st.sampled_from([0.0, 0.6, -1.0, -2.0]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_run_of_doses_in_one_go_is_the_doses_one_by_one(
    structure: Structure, parameters: np.ndarray, rate: float, data: st.DataObject
) -> None:
    """ADDL with nothing in between takes the geometric series; an observation after every dose prevents it."""
    interval = data.draw(st.sampled_from([8.0, 24.0]))
    number = data.draw(st.integers(1, 200))
    compartment = data.draw(st.sampled_from([1, 2]))
    dose = {"evid": 1, "amount_mg": 2.0, "rate_mg_h": rate, "compartment": compartment, "ii_h": interval}
    end = number * interval + data.draw(st.floats(0.0, 60.0))
    run = levels(structure, {"t": 0, **dose, "addl": number}, *at(end), parameters=parameters)
    marks = [{"t": t, "evid": 2} for t in np.arange(0.0, end, interval)]
    single = levels(structure, {"t": 0, **dose, "addl": number}, *marks, *at(end), parameters=parameters)
    np.testing.assert_allclose(run, single, rtol=1e-11)  # 200 products of float64 in another order
