# SPDX-License-Identifier: Apache-2.0
"""The diagram is the model: every state stands in it once, and its arrows are those of the equations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sirolens.mechanism.diagram import influences
from sirolens.mechanism.network import load
from sirolens.report.drawing import svg
from sirolens.report.words import say
from sirolens.study.mechanism.cell_map import PLACES, mechanism_map
from tests import generated_docs

ROOT = Path(__file__).parents[3]
MAP = mechanism_map(load())
LINKS = {(link.source, link.target): link.sign for link in MAP.links}


def test_every_state_and_port_has_a_place_of_its_own() -> None:
    network = load().network
    assert set(PLACES) == {*network.states, *network.inputs}
    places = [place[:2] for place in PLACES.values()]
    assert len(set(places)) == len(places)


# Oracle: the claims of the two papers, read by hand (A7, B4 to B6) and the notes of the model file.
@pytest.mark.parametrize(
    ("source", "target", "sign"),
    [
        ("C", "u_T", 1),
        ("u_T", "H", -1),
        ("u_R", "R", 1),
        ("R", "H", -1),
        ("H", "B", 1),
        ("PB", "Ab", 1),
        ("Ab", "P", -1),
        ("CTL", "P", -1),
        ("P", "TPO", -1),
        ("TPO", "K1", 1),
        ("C_avg", "K1", -1),
        ("IVG", "P", 1),
        ("TRA", "K1", 1),
    ],
)
def test_what_the_claims_say_acts_as_they_say(source: str, target: str, sign: int) -> None:
    assert LINKS[source, target] == sign


def test_an_arrow_is_there_where_the_equation_names_the_quantity_directly() -> None:
    # Oracle: names in the rates and in the definitions they use, found by walking the formulas.
    network = load().network
    found: dict[str, set[str]] = {}
    for one in influences(network, typical={"C": 10.0, "C_avg": 25.0}):
        found.setdefault(one.target, set()).add(one.source)
    for target in network.states:
        used: set[str] = set()
        todo = set(network.rates[target].names)
        while todo:
            name = todo.pop()
            used.add(name)
            if name in network.definitions:
                todo |= set(network.definitions[name].names) - used
        named = {name for name in used if name in (*network.states, *network.inputs) and name != target}
        assert found.get(target, set()) == named


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_said_and_drawn_in_both_languages(language: str) -> None:
    text = svg(MAP, name="map", language=language)
    assert "diagram." not in text
    assert not re.search(r"\sstyle=|<script|href=", text)
    for box in MAP.boxes:
        assert not isinstance(box.name, str)
        assert "diagram." not in say(box.name, language)


def test_the_diagram_in_the_docs_is_the_models() -> None:
    assert (ROOT / "docs" / "figures" / "mechanism.svg").read_text(encoding="utf-8") == generated_docs.mechanism_svg()
