# SPDX-License-Identifier: Apache-2.0
"""Virtual patients: as the register says, inside its limits, the same in any number, selected and weighted."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from sirolens.engine.network import initial_state
from sirolens.errors import InputError, UnknownNameError
from sirolens.mechanism.network import Mechanism, load
from sirolens.mechanism.people import draw_people, people
from sirolens.mechanism.selection import Target, class_weights, mean_weights, select
from sirolens.mechanism.virtual import CORRELATIONS, Correlation, chosen, draw, weighted
from sirolens.source import Mark

MANY = 4000


@pytest.fixture(scope="module")
def model() -> Mechanism:
    return load()


def test_patient_i_is_the_same_in_any_number(model: Mechanism) -> None:
    few, many = draw(model, 7, seed=11), draw(model, 500, seed=11)
    np.testing.assert_array_equal(few.parameters, many.parameters[:, :7])
    np.testing.assert_array_equal(few.index, many.index[:7])
    for name, column in few.covariates.items():
        np.testing.assert_array_equal(column, many.covariates[name][:7])
    assert not (few.parameters == draw(model, 7, seed=12).parameters).all()


def test_everybody_is_inside_the_registers_ranges_and_the_others_are_counted(model: Mechanism) -> None:
    drawn = draw(model, MANY, seed=1)
    for symbol, one in model.assumptions.items():
        row = drawn.parameter(symbol)
        if one.distribution is None:
            assert (row == one.value).all()
        else:
            assert one.low <= row.min() <= row.max() <= one.high
    outside = drawn.tried - MANY
    assert 0 < outside <= sum(drawn.rejected.values())
    assert max(drawn.rejected.values()) <= outside
    assert (drawn.parameters >= 0.0).all()
    state = initial_state(model.network, drawn.parameters)
    assert np.isfinite(state).all()


def test_medians_and_mixtures_are_those_of_the_register(model: Mechanism) -> None:
    """Oracle: the register; tolerance: four standard errors, and what the cut at the limits moves (2 %)."""
    drawn = draw(model, MANY, seed=2, correlations=())
    for symbol in ("pot", "kap", "h0"):
        one = model.assumptions[symbol]
        assert one.distribution is not None
        error = 4.0 * 1.25 * one.distribution.sd / np.sqrt(MANY) + 0.02
        assert abs(np.log(np.median(drawn.parameter(symbol)) / one.value)) < error
    law = model.assumptions["rho"].distribution
    assert law is not None
    between = np.sqrt(np.prod(law.medians))
    high_production = (drawn.parameter("rho") > between).mean()
    assert abs(high_production - law.weights[0]) < 0.05
    beta = model.assumptions["wA"]
    assert abs(drawn.parameter("wA").mean() - beta.value) < 0.02
    two = drawn.parameter("E_TRA")
    law = model.assumptions["E_TRA"].distribution
    assert law is not None
    assert set(np.unique(two)) == set(law.values)
    assert abs((two == law.values[0]).mean() - law.weights[0]) < 4.0 * np.sqrt(0.25 / MANY)


def test_a_variant_moves_the_distribution() -> None:
    usual, evans = draw(load(), 1000, seed=3), draw(load("evans"), 1000, seed=3)
    assert np.median(evans.parameter("dep")) > np.median(usual.parameter("dep"))
    assert evans.recipe["variants"] == ("evans",)


def test_correlations_are_those_asked_for(model: Mechanism) -> None:
    """Tolerance: four standard errors and the attenuation by the limits."""
    drawn = draw(model, MANY, seed=4)
    for one in CORRELATIONS:
        first, second = np.log(drawn.parameter(one.first)), np.log(drawn.parameter(one.second))
        assert abs(np.corrcoef(first, second)[0, 1] - one.value) < 4.0 / np.sqrt(MANY) + 0.03
        assert one.source.mark is Mark.ASSUMED
    assert ("R_0", "TGF_0", 0.4) in drawn.recipe["correlations"]


def test_impossible_requests_are_refused_by_name(model: Mechanism) -> None:
    source = CORRELATIONS[0].source
    pairs = (("R_0", "TGF_0", 0.9), ("R_0", "IL6_0", 0.9), ("IL6_0", "TGF_0", -0.9))
    clash = tuple(Correlation(first=a, second=b, value=value, source=source) for a, b, value in pairs)
    with pytest.raises(InputError, match=r"mechanism\.correlation-impossible"):
        draw(model, 3, seed=1, correlations=clash)
    with pytest.raises(InputError, match=r"mechanism\.patients-not-positive"):
        draw(model, 0, seed=1)
    with pytest.raises(InputError, match=r"mechanism\.limits-impossible"):
        draw(model, 1, seed=1, limits={"k_imm0": (1e9, np.inf)})
    with pytest.raises(UnknownNameError, match=r"mechanism\.people-unknown"):
        draw(model, 3, seed=1, who="cats")
    law = model.assumptions["dep"].distribution
    assert law is not None
    odd = replace(model.assumptions["dep"], distribution=replace(law, kind="odd"))
    other = replace(model, assumptions=MappingProxyType({**model.assumptions, "dep": odd}))
    with pytest.raises(InputError, match=r"mechanism\.distribution-unknown"):
        draw(other, 3, seed=1)


def test_a_population_cannot_be_changed(model: Mechanism) -> None:
    drawn = draw(model, 5, seed=1)
    with pytest.raises(ValueError, match="read-only"):
        drawn.parameters[0, 0] = 1.0
    changed = drawn.with_parameter("tox_on", 0.0)
    assert (changed.parameter("tox_on") == 0.0).all()
    assert (drawn.parameter("tox_on") == 1.0).all()
    assert changed.recipe["replaced"] == ("tox_on",)


def test_children_are_younger_and_lighter_and_stay_in_their_ranges() -> None:
    adults, children = (draw_people(people(who), seed=1, index=range(2000)) for who in ("adults", "children"))
    assert children["age"].max() <= 17.0 < 18.0 <= adults["age"].min()
    assert np.median(children["weight"]) < 40.0 < np.median(adults["weight"])
    assert people("adults").source.mark is Mark.ASSUMED
    assert set(np.unique(adults["prior_lines"])) == {1.0, 2.0, 3.0, 4.0}


def test_selection_gives_the_cohorts_means_and_correlation(model: Mechanism) -> None:
    """Oracle: the target itself; Allen's acceptance by density ratio in two dimensions."""
    drawn = draw(model, MANY, seed=6)
    quantities = np.stack([drawn.parameter("R_0"), drawn.parameter("P0")], axis=1)
    target = Target(
        names=("R_0", "P0"),
        mean=np.log([5.0, 11.0]),
        covariance=[[0.04, -0.012], [-0.012, 0.04]],
        logarithm=(True, True),
    )
    kept, found = chosen(drawn, quantities, target)
    logs = np.log([kept.parameter("R_0"), kept.parameter("P0")])
    few = len(kept)
    assert 150 < few < MANY
    assert (found.distance < 0.08).all()
    assert np.abs(logs.mean(axis=1) - target.mean).max() < 4.0 * 0.2 / np.sqrt(few) + 0.01
    assert abs(np.corrcoef(logs)[0, 1] + 0.3) < 4.0 / np.sqrt(few) + 0.05
    assert kept.recipe["selected"] == (("R_0", "P0"),)
    np.testing.assert_array_equal(kept.parameters, drawn.parameters[:, np.isin(drawn.index, kept.index)])


def test_a_cohort_outside_of_what_is_plausible_is_said_to_be_unmatched(model: Mechanism) -> None:
    drawn = draw(model, 500, seed=6)
    far = Target(names=("P0",), mean=np.log([200.0]), covariance=[[0.01]], logarithm=(True,))
    found = select(drawn.parameter("P0")[:, None], far, seed=1, index=drawn.index)
    assert [message.code for message in found.messages] == ["mechanism.target-unmatched"]


def test_weights_give_shares_and_means_and_say_what_they_cost(model: Mechanism) -> None:
    drawn = draw(model, 2000, seed=7)
    classes = np.where(drawn.parameter("rho") > 0.75, "high", "low")
    shares = class_weights(classes, {"high": 0.3, "low": 0.7})
    assert shares.values[classes == "high"].sum() / shares.values.sum() == pytest.approx(0.3)
    assert shares.effective < 2000
    both = np.stack([classes == "high", drawn.parameter("P0")], axis=1)
    tilted = mean_weights(both, [0.4, 12.0])
    np.testing.assert_allclose((tilted.values[:, None] * both).mean(axis=0), [0.4, 12.0], rtol=1e-7)
    patients = weighted(drawn, tilted)
    assert patients.effective == pytest.approx(tilted.effective)
    assert patients.recipe["weighted"] == (round(tilted.effective, 1),)


def test_impossible_targets_and_weights_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"mechanism\.target-impossible"):
        Target(names=("x",), mean=[0.0], covariance=[[-1.0]], logarithm=(False,))
    good = Target(names=("x",), mean=[0.0], covariance=[[1.0]], logarithm=(False,))
    with pytest.raises(InputError, match=r"mechanism\.target-shape"):
        select(np.zeros((30, 2)), good, seed=1, index=range(30))
    with pytest.raises(InputError, match=r"mechanism\.too-few-patients"):
        select(np.zeros((3, 1)), good, seed=1, index=range(3))
    with pytest.raises(InputError, match=r"mechanism\.shares-impossible"):
        class_weights(["a"], {"a": 0.5})
    with pytest.raises(InputError, match=r"mechanism\.class-empty"):
        class_weights(["a"], {"a": 0.5, "b": 0.5})
    with pytest.raises(InputError, match=r"mechanism\.means-unreachable"):
        mean_weights([[0.0], [1.0]], [2.0])
    with pytest.raises(InputError, match=r"mechanism\.weights-shape"):
        weighted(draw(load(), 3, seed=1), mean_weights([[0.0], [1.0]], [0.5]))
