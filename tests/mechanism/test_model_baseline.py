# SPDX-License-Identifier: Apache-2.0
"""The untreated patient is an exact and stable steady state, and health a second one of the same equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.mechanism.itp_course import course, wide, with_values

from sirolens.engine.network import default_parameters, evaluate_outputs, evaluate_rates, initial_state
from sirolens.mechanism.assumptions import Role, assumptions
from sirolens.mechanism.network import load
from sirolens.mechanism.steady import jacobian, settle, tolerant_state
from sirolens.mechanism.virtual import draw

Array = NDArray[np.float64]

NETWORK = load().network
REGISTER = assumptions()
ALL_ROLES = (Role.SAMPLED, Role.BASELINE, Role.FIXED)
PATIENTS = 10_000
AT_REST = 1e-10  # the bar for |dX/dt|; sums of terms up to some 100 a day round to 1e-14
YEAR_DRIFT = 1e-8  # the bar, relative
# At rest an explicit method steps as far as it stays stable, and leaves errors of the size of its tolerance.
FINE = 1e-10
COMPLEX_STEP = 1e-30
# A formula's derivative and a complex step of the same formula differ by rounding only.
SLOPES_AGREE = 1e-12
# Nine thousand days at rtol 1e-8 against Newton's method.
STEADY_AGREEMENT = 1e-6


def no_ports(patients: int) -> Array:
    return np.zeros((len(NETWORK.inputs), patients))


def at(name: str, state: Array) -> Array:
    return state[NETWORK.states.index(name)]


def largest_real_part(state: Array, parameters: Array) -> Array:
    slopes = jacobian(NETWORK, state, parameters, no_ports(state.shape[1]))
    return np.linalg.eigvals(slopes).real.max(axis=1)


def test_ten_thousand_drawn_patients_are_at_rest_and_stable() -> None:
    parameters = wide(PATIENTS, seed=1, roles=(Role.SAMPLED, Role.BASELINE))
    state = initial_state(NETWORK, parameters)
    assert np.abs(evaluate_rates(NETWORK, state, parameters, no_ports(PATIENTS))).max() <= AT_REST
    assert largest_real_part(state, parameters).max() < 0.0


@pytest.mark.parametrize("name", [None, *sorted(REGISTER.variants)])
def test_drawn_patients_of_every_variant_are_at_rest_and_stable(name: str | None) -> None:
    """As the product draws them. What a variant starts on day 0 is undone: the baseline is before it."""
    patients = PATIENTS if name is None else 500
    mechanism = load(name)
    parameters = draw(mechanism, patients, seed=11).parameters.copy()
    for started, before in (("splenectomy", 0.0), ("GC_bg", mechanism.assumptions["GC_0"].value)):
        parameters[NETWORK.parameters.index(started)] = before
    state = initial_state(NETWORK, parameters)
    assert np.abs(evaluate_rates(NETWORK, state, parameters, no_ports(patients))).max() <= AT_REST
    assert largest_real_part(state, parameters).max() < 0.0


def test_platelets_live_shorter_in_every_patient_than_in_health() -> None:
    parameters = wide(PATIENTS, seed=12, roles=(Role.SAMPLED,))
    clearance, survival = evaluate_outputs(
        NETWORK, ("k_imm0", "survival"), initial_state(NETWORK, parameters), parameters, no_ports(PATIENTS)
    )
    assert clearance.min() > 0.0
    assert survival.max() < 8.5  # days: the shorter of the published lives


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rest_needs_no_choice_of_numbers(seed: int) -> None:
    """Every parameter of the model over its whole range at once, the switches of other treatments included."""
    parameters = wide(64, seed, roles=(*ALL_ROLES, Role.PARTNER, Role.SETTING))
    state = initial_state(NETWORK, parameters)
    assert np.abs(evaluate_rates(NETWORK, state, parameters, no_ports(64))).max() <= AT_REST


def test_a_steroid_that_goes_on_is_part_of_the_baseline() -> None:
    parameters = with_values(wide(200, seed=2), GC_0=0.7, GC_bg=0.7)
    state = initial_state(NETWORK, parameters)
    assert np.abs(evaluate_rates(NETWORK, state, parameters, no_ports(200))).max() <= AT_REST
    assert largest_real_part(state, parameters).max() < 0.0


def test_untreated_nothing_drifts_in_a_year() -> None:
    parameters = wide(200, seed=3)
    start = initial_state(NETWORK, parameters)
    _, _, lanes = course(parameters, 0.0, 365.0, every_d=73.0, rtol=FINE)
    drift = np.abs(lanes.final - start) / np.maximum(np.abs(start), 1.0)
    assert drift.max() <= YEAR_DRIFT


def test_the_no_drug_arm_is_flat() -> None:
    parameters = wide(50, seed=4)
    _, found, _ = course(parameters, 0.0, 365.0, rtol=FINE)
    assert np.ptp(found["P"], axis=0).max() <= YEAR_DRIFT * 30.0


def test_slopes_agree_with_complex_steps() -> None:
    """Oracle: the rates with one state shifted by an imaginary step, in plain NumPy without the expression language."""
    parameters = default_parameters(NETWORK)
    state = initial_state(NETWORK, parameters) * np.linspace(0.6, 1.4, len(NETWORK.states))[:, None]
    exact = jacobian(NETWORK, state, parameters, np.array([[6.0], [0.1]]))[0]
    for column in range(len(NETWORK.states)):
        shifted = complex_rates(state[:, 0], parameters[:, 0], column, (6.0, 0.1))
        assert shifted == pytest.approx(exact[:, column], rel=SLOPES_AGREE, abs=SLOPES_AGREE * np.abs(exact).max())


def complex_rates(state: Array, parameters: Array, column: int, inputs: tuple[float, float]) -> Array:
    known: dict[str, complex] = dict(zip(NETWORK.parameters, parameters, strict=True))
    known |= dict(zip(NETWORK.inputs, inputs, strict=True))

    def value(text: str) -> complex:
        return complex(eval(text.replace("^", "**").replace("if(", "choose("), words, known))

    def choose(condition: bool, a: complex, b: complex) -> complex:
        return a if condition else b

    words = {"sqrt": np.sqrt, "choose": choose, "__builtins__": {}}
    for name, formula in NETWORK.constants.items():
        known[name] = value(formula.printed).real
    for i, name in enumerate(NETWORK.states):
        known[name] = complex(state[i], COMPLEX_STEP if i == column else 0.0)
    for name, formula in NETWORK.definitions.items():
        # Complex numbers have no order: the one comparison of the model is made on the real part.
        over = known["C_avg"] - known["C_tox"]
        known[name] = (over if over.real > 0 else 0.0) if name == "excess" else value(formula.printed)
    return np.array([value(NETWORK.rates[name].printed).imag for name in NETWORK.states]) / COMPLEX_STEP


def test_health_is_the_tolerant_state_of_the_same_equations_in_published_ranges() -> None:
    """Platelets 150-450 (Langlois), BAFF 644 +/- 308, Treg 6.06 +/- 0.85, Breg 5.42 +/- 3.31, Th17 1.82 +/- 0.58,
    TPO 55 +/- 34, survival 8.5-9.6 d less what the remaining antibody takes: medians within one standard deviation."""
    parameters = drawn(500)
    state, found = tolerant_state(NETWORK, parameters)
    assert found.mean() >= 0.98
    state, parameters = state[:, found], parameters[:, found]
    platelets = at("P", state)
    assert 150 <= np.median(platelets) <= 290
    assert ((platelets > 100) & (platelets < 450)).mean() >= 0.95
    for name, mean, sd in (
        ("BAFF", 644, 308), ("R", 6.06, 0.85), ("Br", 5.42, 3.31), ("Th17", 1.82, 0.58), ("TPO", 55, 34),
    ):  # fmt: skip
        assert abs(np.median(at(name, state)) - mean) <= sd, name
    (survival,) = evaluate_outputs(NETWORK, ("survival",), state, parameters, no_ports(state.shape[1]))
    assert 6.5 <= np.median(survival) <= 9.6
    assert largest_real_part(state, parameters).max() < 0.0
    assert np.median(at("H", state)) < 0.1


def drawn(patients: int) -> Array:
    """Patients as the register distributes them, drawn by NumPy: no product code but the register."""
    rng = np.random.default_rng(9)
    out = default_parameters(NETWORK, patients)
    for row, symbol in enumerate(NETWORK.parameters):
        one = load().assumptions[symbol]
        law = one.distribution
        if law is None or one.role is Role.PARTNER:
            continue
        z = rng.standard_normal(20 * patients)
        if law.kind == "lognormal":
            values = one.value * np.exp(law.sd * z)
        elif law.kind == "logitnormal":
            values = 1 / (1 + (1 - one.value) / one.value * np.exp(-law.sd * z))
        elif law.kind == "beta":
            values = rng.beta(one.value * law.total, (1 - one.value) * law.total, z.size)
        else:
            which = (rng.random(z.size) > law.weights[0]).astype(int)
            values = np.array(law.medians)[which] * np.exp(np.array(law.sds)[which] * z)
        out[row] = values[(values >= one.low) & (values <= one.high)][:patients]
    return out


def test_the_tolerant_state_is_where_the_equations_lead_in_time() -> None:
    """Oracle: integration over ten years from the same start."""
    parameters = drawn(40)
    state, found = tolerant_state(NETWORK, parameters)
    start = initial_state(NETWORK, parameters)
    for name in ("H", "B", "PB", "PL", "Ab"):
        start[NETWORK.states.index(name)] *= 0.05
    _, _, lanes = course(parameters, 0.0, 9000.0, every_d=9000.0, initial=start)
    assert lanes.final[:, found] == pytest.approx(state[:, found], rel=STEADY_AGREEMENT, abs=STEADY_AGREEMENT)


def test_itp_and_health_attract_and_the_border_lies_between() -> None:
    parameters = drawn(100)
    healthy, found = tolerant_state(NETWORK, parameters)
    sick = initial_state(NETWORK, parameters)
    for weight, ends_sick in ((0.1, True), (0.95, False)):
        mixed = (1 - weight) * sick + weight * healthy
        state, settled = settle(NETWORK, mixed, parameters, no_ports(100))
        ok = found & settled
        assert ok.mean() > 0.9
        near = np.abs(at("H", state) - 1.0) < 1e-6
        assert (near[ok] == ends_sick).mean() >= 0.95
