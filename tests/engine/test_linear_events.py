# SPDX-License-Identifier: Apache-2.0
"""Event tables are checked before they are trusted, and runs of equal doses become one record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.linear_oracle import vector
from tests.engine.linear_regimens import regimens, structures, table

from sirolens.engine.linear import Structure, concentrations, events_from_columns, merge_runs
from sirolens.errors import TableError

REORDERED = 1e-11  # the same doses by another sum, up to 200 products of float64

FAULTS: dict[str, dict[str, Any]] = {
    "events.time-not-finite": {"time_h": [0.0, np.nan]},
    "events.time-decreases": {"time_h": [5.0, 4.0]},
    "events.evid-unknown": {"evid": [1, 7]},
    "events.amount-negative": {"amount_mg": [-2.0, 0.0]},
    "events.rate-unknown": {"rate_mg_h": [-3.0, 0.0]},
    "events.infusion-without-amount": {"amount_mg": [0.0, 0.0], "rate_mg_h": [1.0, 0.0]},
    "events.compartment-unknown": {"compartment": [3, 1]},
    "events.ss-unknown": {"ss": [3, 0], "ii_h": [24, 0]},
    "events.interval-negative": {"ii_h": [-24.0, 0.0]},
    "events.ss-without-interval": {"ss": [1, 0]},
    "events.ss-infusion-without-rate": {"ss": [1, 0], "amount_mg": [0.0, 0.0]},
    "events.addl-negative": {"addl": [-1, 0]},
    "events.addl-without-interval": {"addl": [3, 0]},
    "events.set-negative": {"before": [-1, 0]},
    "events.start-unordered": {"start": [0, 3]},
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_named_with_its_record(code: str) -> None:
    columns = {"time_h": [0.0, 1.0], "evid": [1, 0], "amount_mg": [2.0, 0.0]} | FAULTS[code]
    with pytest.raises(TableError) as caught:
        events_from_columns(**columns)
    assert code in {message.code for message in caught.value.messages}
    if code != "events.start-unordered":
        assert all(message.values["record"] in (0, 1) for message in caught.value.messages)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(TableError) as caught:
        events_from_columns(time_h=[0, 1], evid=[1, 9], amount_mg=-1, ss=5)
    assert {m.code for m in caught.value.messages} >= {"events.evid-unknown", "events.amount-negative"}


def test_time_starts_afresh_with_each_patient_and_at_a_reset() -> None:
    events = events_from_columns(time_h=[5, 9, 1, 0, 2], evid=[1, 0, 0, 3, 0], amount_mg=1, start=[0, 2, 5])
    assert events.patients == 2
    assert events.observations.tolist() == [1, 2]
    assert events.dose_records == 1


def test_what_separates_two_doses_keeps_them_apart() -> None:
    alike = {"time_h": [0, 24, 48, 72], "evid": [1, 1, 1, 0], "amount_mg": [2, 2, 2, 0]}
    assert events_from_columns(**alike).addl.tolist() == [2, 0]
    for change in (
        {"amount_mg": [2, 2, 1, 0]},
        {"time_h": [0, 24, 49, 72]},
        {"rate_mg_h": [0, 0, -2, 0]},
        {"compartment": [1, 1, 2, 1]},
        {"at": [0, 0, 1, 0]},
        {"evid": [1, 1, 4, 0]},
        {"evid": [1, 1, 0, 0]},
        {"start": [0, 2, 4]},
    ):
        assert events_from_columns(**(alike | change)).addl[0] == 1, change


def test_a_run_ends_where_the_parameter_set_of_the_interval_changes() -> None:
    events = events_from_columns(
        time_h=[0, 24, 48, 72], evid=[1, 1, 1, 0], amount_mg=2, before=[0, 0, 0, 1], at=[0, 0, 0, 0]
    )
    assert events.time_h.tolist() == [0, 48, 72]
    assert events.addl.tolist() == [1, 0, 0]


def test_a_dose_never_slips_behind_the_record_of_its_own_time() -> None:
    """20-minute clock times: interval and multiples round differently, the level is taken after the last dose."""
    minutes = 8 * 60 + 20
    times = [(minutes + 1440 * day) / 60 for day in range(60)]
    columns = {
        "time_h": [*times, times[-1]],
        "evid": [*([1] * 60), 0],
        "amount_mg": 2.0,
        "compartment": 2,
    }
    one = Structure(compartments=1, absorption="none")
    row = vector(cl_l_h=5, v1_l=100)
    merged, plain = (
        concentrations(one, events_from_columns(**columns, merge=flag), [row]).values for flag in (True, False)
    )
    np.testing.assert_allclose(merged, plain, rtol=REORDERED)


@given(structure=structures, regimen=regimens(), repeats=st.integers(1, 30), data=st.data())
@settings(max_examples=60, deadline=None)
def test_merged_runs_predict_the_same(structure: Structure, regimen: Any, repeats: int, data: st.DataObject) -> None:
    parameters, records = regimen
    last = records[-1]
    interval = data.draw(st.sampled_from([6.0, 24.0, 8.1]))
    more = [
        last
        | {"evid": 1, "amount_mg": 2.0, "ss": 0, "addl": 0, "ii_h": 0.0, "rate_mg_h": 0.0}
        | {"time_h": last["time_h"] + interval * (i + 1)}
        for i in range(repeats)
    ]
    records = [*records, *more, more[-1] | {"evid": 0}, more[-1] | {"evid": 0, "time_h": more[-1]["time_h"] + 5.0}]
    plain = table(records, merge=False)
    merged = merge_runs(plain)
    assert len(merged.time_h) <= len(plain.time_h)
    one, other = (concentrations(structure, e, parameters[None]).values for e in (plain, merged))
    np.testing.assert_allclose(one, other, rtol=REORDERED, atol=1e-13 * np.abs(one).max())


def test_no_patients_and_no_observations_are_no_problem() -> None:
    one = Structure(compartments=1, absorption="none")
    empty = events_from_columns(time_h=[], start=[0])
    assert concentrations(one, empty, np.empty((0, 15))).values.size == 0
    blank = events_from_columns(time_h=[0.0], evid=2, start=[0, 0, 1])
    assert concentrations(one, blank, np.ones((2, 15))).offsets.tolist() == [0, 0, 0]
