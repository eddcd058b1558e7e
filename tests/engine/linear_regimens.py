# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: models and regimens of every event kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from tests.engine.linear_oracle import vector

from sirolens.engine.linear import Events, Structure, events_from_columns

COLUMNS = ("time_h", "evid", "amount_mg", "rate_mg_h", "compartment", "ss", "ii_h", "addl", "before", "at")
OBSERVATION = dict.fromkeys(COLUMNS, 0) | {"compartment": 1}


def log_uniform(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda x: float(np.exp(x)))


structures = st.builds(
    lambda n, kind: Structure(compartments=n, absorption=kind[0], transit=kind[1]),
    st.integers(1, 3),
    st.sampled_from(
        [("none", 0), ("first-order", 0), ("zero-order", 0), ("transit", 1), ("transit", 3), ("transit", 6)]
    ),
)


@st.composite
def parameter_rows(draw: st.DrawFn) -> np.ndarray:
    """Ranges a non-stiff integrator can follow at 1e-12; extreme rates have the closed form as their oracle."""
    v1 = draw(log_uniform(5, 300))
    return vector(
        cl_l_h=v1 * draw(log_uniform(0.005, 1.0)),
        v1_l=v1,
        q2_l_h=v1 * draw(log_uniform(0.02, 1.0)),
        v2_l=v1 * draw(log_uniform(0.3, 10.0)),
        q3_l_h=v1 * draw(log_uniform(0.02, 1.0)),
        v3_l=v1 * draw(log_uniform(0.3, 10.0)),
        ka_1_h=draw(log_uniform(0.05, 4.0)),
        f1=draw(st.floats(0.1, 1.5)),
        lag1_h=draw(st.sampled_from([0.0, 0.0, 0.25, 3.0, 12.0, 30.0])),
        duration1_h=draw(log_uniform(0.1, 40.0)),
        rate1_mg_h=draw(log_uniform(0.05, 20.0)),
        f2=draw(st.floats(0.1, 1.5)),
        lag2_h=draw(st.sampled_from([0.0, 0.0, 0.5, 7.3, 24.0])),
        duration2_h=draw(log_uniform(0.1, 40.0)),
        rate2_mg_h=draw(log_uniform(0.05, 20.0)),
    )


@st.composite
def doses(draw: st.DrawFn) -> dict[str, Any]:
    """One dose record of any kind: bolus, infusion, modelled, additional, steady state, constant infusion."""
    record = dict(OBSERVATION) | {
        "evid": draw(st.sampled_from([1, 1, 1, 4])),
        "amount_mg": draw(log_uniform(0.5, 20.0)),
        "rate_mg_h": draw(st.sampled_from([0.0, 0.0, 0.0, 0.2, 1.7, 12.0, -1.0, -2.0])),
        "compartment": draw(st.sampled_from([1, 2])),
        "ss": draw(st.sampled_from([0, 0, 1, 2])),
    }
    if record["ss"] or draw(st.booleans()):
        record["ii_h"] = draw(st.sampled_from([6.0, 12.0, 24.0, 7.77]))
        record["addl"] = draw(st.sampled_from([0, 1, 3, 9]))
    if record["ss"] and draw(st.integers(0, 5)) == 0:
        record |= {"amount_mg": 0.0, "ii_h": 0.0, "addl": 0, "rate_mg_h": draw(st.sampled_from([0.3, 2.0, -1.0]))}
    return record


@st.composite
def regimens(draw: st.DrawFn, *, resets: bool = True) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Parameters (periods, 15) and the records of one patient, observations in between and at the same times."""
    parameters = np.array(draw(st.lists(parameter_rows(), min_size=1, max_size=3)))
    sets = st.integers(0, len(parameters) - 1)
    records: list[dict[str, Any]] = []
    time = draw(st.sampled_from([0.0, -5.0, 8.25]))
    for _ in range(draw(st.integers(1, 4))):
        dose = draw(doses())
        if not resets and dose["evid"] == 4:
            dose["evid"] = 1
        others = [dict(OBSERVATION) for _ in range(draw(st.integers(1, 4)))]
        if draw(st.integers(0, 4)) == 0:
            others.insert(draw(st.integers(0, len(others))), dict(OBSERVATION) | {"evid": 2})
        if resets and draw(st.integers(0, 9)) == 0:
            others.append(dict(OBSERVATION) | {"evid": 3})
        if draw(st.booleans()):
            others.insert(0, dose)
        else:
            others.insert(1, dose)
        for record in others:
            time += draw(st.sampled_from([0.0, 0.0, 0.5, 1.0, 6.0, 24.0, 0.123, 11.9, 40.0]))
            records.append(record | {"time_h": time, "before": draw(sets), "at": draw(sets)})
    return parameters, records


def table(records: list[dict[str, Any]], *, merge: bool = True) -> Events:
    """The event table of one patient."""
    return events_from_columns(**{name: [r[name] for r in records] for name in COLUMNS}, merge=merge)
