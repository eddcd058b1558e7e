# SPDX-License-Identifier: Apache-2.0
"""Networks: what they refuse, how they order definitions, and what the reference evaluation gives."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirolens.engine.expression import Expression, Name, Node, Number, parse
from sirolens.engine.expression_tree import Binary
from sirolens.engine.network import (
    Event,
    Network,
    default_parameters,
    evaluate_outputs,
    evaluate_rates,
    in_order,
    initial_state,
    is_usable_name,
)
from sirolens.errors import ModelFileError


def formulas(**texts: str) -> dict[str, Expression]:
    return {name: parse(text) for name, text in texts.items()}


def network(**changes: Any) -> Network:
    """Oral absorption with a port, a constant, two definitions and a dose event."""
    given: dict[str, Any] = {
        "name": "oral",
        "states": ("G", "A"),
        "parameters": ("ka", "V"),
        "values": {"ka": 2.0, "V": 4.0},
        "inputs": ("u",),
        "initial": formulas(G="10 * half", A="0"),
        "constants": formulas(half="V / 8"),
        "definitions": formulas(loss="c * (1 + u)", c="A / V"),
        "rates": formulas(G="-ka * G", A="ka * G - loss"),
        "events": (Event(name="dose", trigger=parse("time >= 24"), assignments=formulas(G="G + 5"), line=9),),
        "lines": {"A": 3, "loss": 7},
    }
    return Network(**{**given, **changes})


def codes(failure: pytest.ExceptionInfo[ModelFileError]) -> list[str]:
    return [message.code.removeprefix("network.") for message in failure.value.messages]


def test_rates_equal_a_calculation_by_hand() -> None:
    model = network()
    assert list(model.definitions) == ["c", "loss"]
    parameters = np.array([[2.0, 1.0], [4.0, 8.0]])
    state = np.array([[3.0, 1.0], [8.0, 16.0]])
    rates = evaluate_rates(model, state, parameters, [[0.0, 0.5]], 1.0)
    # by hand: c = 2, 2; loss = 2, 3; G' = -6, -1; A' = 6 - 2, 1 - 3
    np.testing.assert_array_equal(rates, [[-6.0, -1.0], [4.0, -2.0]])
    np.testing.assert_array_equal(initial_state(model, parameters), [[5.0, 10.0], [0.0, 0.0]])
    outputs = evaluate_outputs(model, ("loss", "half", "G", "time"), state, parameters, [[0.0, 0.5]], 1.0)
    np.testing.assert_array_equal(outputs, [[2.0, 3.0], [0.5, 1.0], [3.0, 1.0], [1.0, 1.0]])


def test_patients_do_not_mix_and_one_patient_needs_no_second_axis() -> None:
    model = network()
    many = evaluate_rates(model, np.ones((2, 3)), default_parameters(model, 3), np.zeros((1, 3)))
    one = evaluate_rates(model, np.ones(2), default_parameters(model)[:, 0], [0.0])
    np.testing.assert_array_equal(many, np.repeat(one[:, np.newaxis], 3, axis=1))


def test_every_fault_of_a_network_is_named_at_once_with_its_line() -> None:
    with pytest.raises(ModelFileError) as failure:
        network(
            parameters=("ka", "V", "G", "class"),
            initial=formulas(G="10 * A"),
            definitions=formulas(loss="c * nothing", c="loss / V"),
            rates=formulas(G="-ka * G", other="1"),
            events=(Event(name="dose", trigger=parse("t > 1"), assignments=formulas(ka="1"), line=9),),
        )
    assert sorted(codes(failure)) == sorted(
        [
            "duplicate-name",  # G
            "unusable-name",  # class
            "missing-value",  # G as a parameter
            "missing-value",  # class
            "missing-initial-value",  # A
            "missing-rate",  # A
            "undefined-name",  # the rate of `other`
            "varying-constant",  # G's initial value uses A
            "undefined-name",  # nothing
            "undefined-name",  # t
            "event-target",  # ka
            "cyclic-definition",
        ]
    )
    by_line = {(m.code, m.place.line) for m in failure.value.messages if m.place is not None}
    assert ("network.event-target", 9) in by_line
    assert ("network.missing-rate", 3) in by_line


def test_a_circle_of_definitions_is_shown_as_a_path() -> None:
    ordered, cyclic = in_order(formulas(a="b + d", b="c", c="a", d="1"))
    assert cyclic == (("a", "b", "c", "a"),)
    assert set(ordered) == {"a", "b", "c", "d"}
    assert in_order(formulas(a="a + 1"))[1] == (("a", "a"),)


@given(st.permutations(range(12)), st.lists(st.sets(st.integers(0, 11), max_size=4), min_size=12, max_size=12))
def test_formulas_without_a_circle_are_sorted_whatever_their_order(order: list[int], links: list[set[int]]) -> None:
    """Oracle: formula i uses only names below i, so an order exists; it must be found from every permutation."""
    made = {}
    for i in order:
        root: Node = Number(1.0)
        for j in sorted(link for link in links[i] if link < i):
            root = Binary("+", root, Name(f"d{j}"))
        made[f"d{i}"] = Expression(root)
    ordered, cyclic = in_order(made)
    assert not cyclic
    assert set(ordered) == set(made)
    seen: set[str] = set()
    for name, formula in ordered.items():
        assert formula.names <= seen
        seen.add(name)


def test_names_of_python_and_of_the_language_are_not_usable() -> None:
    assert not any(map(is_usable_name, ("lambda", "time", "exp", "if", "not", "__x", "x__", "2x", "a b", "α", "")))
    assert all(map(is_usable_name, ("IL6", "_x", "k_1", "T", "np", "less")))


def test_labels_lead_back_to_the_names_of_the_file() -> None:
    model = network(labels={"ka": "lambda"})
    assert (model.label("ka"), model.label("V"), model.own_name("lambda"), model.own_name("V")) == (
        "lambda",
        "V",
        "ka",
        "V",
    )
    np.testing.assert_array_equal(
        evaluate_outputs(model, ("c",), np.ones((2, 1)), default_parameters(model), [[0.0]]), [[0.25]]
    )


def test_an_output_or_an_array_that_does_not_fit_is_refused() -> None:
    model = network()
    with pytest.raises(ModelFileError, match="unknown-output"):
        evaluate_outputs(model, ("zzz",), np.ones((2, 1)), default_parameters(model), [[0.0]])
    with pytest.raises(ModelFileError, match="wrong-shape"):
        evaluate_rates(model, np.ones((3, 1)), default_parameters(model), [[0.0]])


def test_a_network_can_be_sent_to_another_process() -> None:
    model = network()
    assert pickle.loads(pickle.dumps(model)) == model
