# SPDX-License-Identifier: Apache-2.0
"""Draws of one patient in step: the same levels and derivatives as lane by lane, for every plain regimen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.engine.linear_oracle import vector
from tests.engine.linear_regimens import regimens, table

from sirolens.engine.linear import PARAMETERS, Structure, concentrations, events_from_columns
from sirolens.engine.lockstep import Effects, is_plain, make_plan, run
from sirolens.engine.sampling import normal, stream

DRAWS = 5
ROUNDING = 1e-11  # the same formulas, added in another order, over at most some hundred steps
DIFFERENCE = 1e-5  # central differences with a step of 1e-5
CL, V1, F1 = (PARAMETERS.index(name) for name in ("cl_l_h", "v1_l", "f1"))

plain_structures = st.builds(
    lambda n, absorption: Structure(compartments=n, absorption=absorption),
    st.integers(1, 2),
    st.sampled_from(["none", "first-order"]),
)


def effects(typical: np.ndarray, *, occasion: np.ndarray | None = None) -> Effects:
    """Log-normal on clearance and volume, logit on F1; the fourth eta is the occasion's."""
    which, kind = np.full(15, -1), np.zeros(15, dtype=np.int64)
    which[[CL, V1, F1]] = 0, 1, 2
    kind[F1] = 2
    return Effects(typical, np.full(len(typical), -1) if occasion is None else occasion, which, kind)


def individual(these: Effects, eta: np.ndarray) -> np.ndarray:
    """Oracle: the definitions, on whole arrays."""
    out = np.repeat(these.typical[None], len(eta), 0)
    out[:, :, CL] *= np.exp(eta[:, :1])
    out[:, :, V1] *= np.exp(eta[:, 1:2])
    out[:, :, F1] = 1.0 / (1.0 + np.exp(-(np.log(out[:, :, F1] / (1.0 - out[:, :, F1])) + eta[:, 2:3])))
    for j, which in enumerate(these.occasion_eta):
        if which >= 0:
            out[:, j, CL] *= np.exp(eta[:, which])
    return out


def in_step(structure: Structure, events: Any, these: Effects, eta: np.ndarray) -> np.ndarray:
    plan = make_plan(structure.code, events.records, 0, events.time_h.size, these)
    out = np.empty((int(events.observations[0]), len(eta)), eta.dtype)
    run(structure.code, plan, these, eta, out)
    return out.T


def lanes(structure: Structure, events: Any, these: Effects, eta: np.ndarray) -> np.ndarray:
    found = concentrations(structure, events, individual(these, eta), np.zeros(len(eta), np.int64), check=False)
    return found.values.reshape(len(eta), -1)


@given(plain_structures, regimens(), st.integers(0, 1000), st.booleans())
@settings(deadline=None, max_examples=200)
def test_levels_are_those_of_lanes(
    structure: Structure, drawn: tuple[np.ndarray, list[dict[str, Any]]], seed: int, with_occasions: bool
) -> None:
    parameters, records = drawn
    parameters[:, F1] = np.clip(parameters[:, F1], 0.1, 0.9)
    parameters[:, [PARAMETERS.index("lag1_h"), PARAMETERS.index("lag2_h")]] = 0.0
    for record in records:
        record["rate_mg_h"] = 0.0
    assume(all(record["ii_h"] > 0.0 or record["ss"] == 0 for record in records))
    events = table(records)
    occasion = np.full(len(parameters), 3 if with_occasions else -1)
    these = effects(parameters, occasion=occasion)
    eta = 0.4 * normal(stream(seed), (DRAWS, 4))
    assert is_plain(structure.code, events.records, 0, events.time_h.size, these)
    expected = lanes(structure, events, these, eta)
    assert np.abs(in_step(structure, events, these, eta) - expected).max() <= ROUNDING * (1e-9 + np.abs(expected).max())


def daily(**columns: Any) -> Any:
    base = {"time_h": [0.0, 100.0, 150.5], "evid": [1, 0, 0], "amount_mg": [2.0, 0, 0], "ii_h": [24.0, 0, 0]}
    return events_from_columns(**(base | {"addl": [5, 0, 0]} | columns))


ORAL = Structure(compartments=2, absorption="first-order")
TYPICAL = vector(cl_l_h=7.5, v1_l=118.0, q2_l_h=5.07, v2_l=609.0, ka_1_h=2.19, f1=0.5)[None]


def test_complex_steps_are_exact_derivatives() -> None:
    these, eta = effects(TYPICAL), 0.3 * normal(stream(3), (1, 3))
    for j in range(3):
        stepped = eta.astype(np.complex128)
        stepped[0, j] += 1e-20j
        found = in_step(ORAL, daily(), these, stepped).imag / 1e-20
        up, down = eta.copy(), eta.copy()
        up[0, j] += DIFFERENCE
        down[0, j] -= DIFFERENCE
        expected = (in_step(ORAL, daily(), these, up) - in_step(ORAL, daily(), these, down)) / (2 * DIFFERENCE)
        assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-6, 1e-3])
def test_absorption_as_fast_as_elimination_loses_no_digits(gap: float) -> None:
    structure = Structure(compartments=1, absorption="first-order")
    typical = vector(cl_l_h=10.0 * (1.0 + gap), v1_l=100.0, ka_1_h=0.1, f1=0.5)[None]
    these, eta = effects(typical), np.zeros((1, 3))
    assert in_step(structure, daily(), these, eta) == pytest.approx(lanes(structure, daily(), these, eta), rel=ROUNDING)


def test_bits_do_not_depend_on_how_many_draws_go_together() -> None:
    these, eta = effects(TYPICAL), 0.3 * normal(stream(4), (97, 3))
    together = in_step(ORAL, daily(), these, eta)
    alone = np.concatenate([in_step(ORAL, daily(), these, eta[i : i + 1]) for i in range(97)])
    assert (together == alone).all()


def test_periods_with_equal_parameters_cost_nothing() -> None:
    typical = np.repeat(TYPICAL, 4, axis=0)
    typical[3, CL] *= 1.3
    events = daily(before=[0, 1, 3], at=[0, 2, 3])
    plan = make_plan(ORAL.code, events.records, 0, 3, effects(typical))
    assert plan.set_period.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("structure", "columns", "typical"),
    [
        (Structure(compartments=3, absorption="first-order"), {}, {}),
        (Structure(compartments=1, absorption="transit", transit=3), {}, {}),
        (Structure(compartments=1, absorption="zero-order"), {}, {}),
        (ORAL, {"rate_mg_h": [0.5, 0, 0]}, {}),
        (ORAL, {}, {"lag1_h": 0.3}),
        (ORAL, {"ss": [1, 0, 0], "ii_h": 0.0, "addl": 0, "amount_mg": 0.0, "rate_mg_h": [1.0, 0, 0]}, {}),
    ],
)
def test_what_is_not_plain_is_told(structure: Structure, columns: dict[str, Any], typical: dict[str, float]) -> None:
    parameters = TYPICAL.copy()
    for name, value in typical.items():
        parameters[0, PARAMETERS.index(name)] = value
    assert not is_plain(structure.code, daily(**columns).records, 0, 3, effects(parameters))


def test_an_eta_on_the_lag_is_not_plain() -> None:
    these = effects(TYPICAL)
    these.eta_of_parameter[PARAMETERS.index("lag1_h")] = 0
    assert not is_plain(ORAL.code, daily().records, 0, 3, these)
