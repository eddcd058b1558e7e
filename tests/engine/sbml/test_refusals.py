# SPDX-License-Identifier: Apache-2.0
"""Model files that cannot be used: each is refused by a code of its own, with the line, and never crashes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.sbml.documents import (
    apply,
    compartment,
    document,
    listed,
    parameter,
    reaction,
    reference,
    rule,
    species,
)
from tests.engine.sbml.documents import math as mathml

from sirolens.engine.network import Network
from sirolens.engine.sbml import read_antimony, read_sbml
from sirolens.engine.sbml.document import MAX_BYTES
from sirolens.errors import ModelFileError

PLACE = listed("Compartments", compartment("c"))
ONE = listed("Species", species("A", "c", 'initialConcentration="1"'))


def said(failure: pytest.ExceptionInfo[ModelFileError]) -> set[str]:
    return {str(message) for message in failure.value.messages}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A = 1; A' = -k*A", "1: sbml.missing-value(name=k)"),
        ("k =\nA = 1\nA' = -k*A", "1: sbml.missing-value(name=k)"),
        ("k = 1\n\nA' = -k*A", "3: sbml.missing-initial-value(name=A)"),
        ("k = 1\nJ: A -> B; k*A; A = 1", "2: sbml.missing-initial-value(name=B)"),
        ("x = 1\nx = 2", "2: sbml.assigned-twice(first_line=1, name=x)"),
        ("k = 0\n\nA = 1; A' = A/k", "3: sbml.division-by-zero(name=A, zero=k)"),
        ("k = 0; A = 1\nr := A^-2 * k^-1\nA' = -r", "2: sbml.division-by-zero(name=r, zero=k)"),
        ("x = 1\n\n0 = x - 2", "sbml.algebraic-rule()"),
        ("x = 1\nx' = delay(x, 1)", "2: sbml.unsupported-function(function=delay, where=x)"),
        ("k = 1\nx = normal(0, 1)\nx' = 1", "2: sbml.unsupported-function(function=normal, where=x)"),
        ("x = 1; x' = 1\ny := rateOf(x)", "2: sbml.unsupported-function(function=rateOf, where=y)"),
        ("x = 1\nx' = normal(0, 1)", "normal"),
        ('import "other.ant"\nx = 1', "1: sbml.import()"),
        ("unit ml = 1e-3 litre\nx = 1; x has ml\ny = 2; y has second\n\nz := x + y; z has ml", "5: sbml.unit-clash("),
    ],
)
def test_an_antimony_text_is_refused_with_the_line_of_its_own(text: str, expected: str) -> None:
    with pytest.raises(ModelFileError) as failure:
        read_antimony(text)
    assert any(expected in line for line in said(failure)), said(failure)


def event(trigger: str, assigned: str) -> str:
    assignment = f'<eventAssignment variable="{assigned}">{mathml("<cn>1</cn>")}</eventAssignment>'
    return listed(
        "Events",
        f'<event id="E" useValuesFromTriggerTime="true">{trigger}'
        f"<listOfEventAssignments>{assignment}</listOfEventAssignments></event>",
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            PLACE + ONE + listed("Reactions", '\n<reaction id="J" reversible="false"/>'),
            "5: sbml.kinetic-law-missing(name=J)",
        ),
        (
            PLACE
            + listed("Species", species("A", "c", ""))
            + listed("Reactions", reaction("J", "", reference("A"), mathml("<cn>1</cn>"))),
            "4: sbml.missing-initial-value(name=A)",
        ),
        (
            listed("Compartments", compartment("c", None))
            + ONE
            + listed("Reactions", reaction("J", "", reference("A"), mathml("<cn>1</cn>"))),
            "4: sbml.missing-value(name=c)",
        ),
        (
            PLACE + ONE + listed("Reactions", reaction("J", "", reference("Z"), mathml("<cn>1</cn>"))),
            "4: sbml.undefined-name(name=Z, where=J)",
        ),
        (
            listed("Parameters", parameter("x", 1.0, constant=False)) + event("", "x"),
            "4: sbml.trigger-missing(name=E)",
        ),
        (
            listed("Parameters", parameter("x", 1.0, constant=False))
            + listed(
                "Rules",
                rule("rate", "x", apply("divide", "<cn>1</cn>", "<ci>q</ci>")),
                rule("rate", "zz", "<cn>1</cn>"),
            ),
            "4: sbml.undefined-name(name=q, where=x)",
        ),
        (
            listed("Parameters", parameter("x", 1.0, constant=False), parameter("y", 1.0, constant=False))
            + listed("Rules", rule("assignment", "x", "<ci>y</ci>"), rule("assignment", "y", "<ci>x</ci>")),
            "4: network.cyclic-definition(name=x, names=x → y → x)",
        ),
        (
            listed("Parameters", parameter("x", 1.0), parameter("x", 2.0)),
            "sbml.invalid",
        ),
        ('<listOfParameters><parameter id="x" value="abc" constant="true"/></listOfParameters>', "4: sbml.invalid("),
    ],
)
def test_an_sbml_model_is_refused_with_its_line(body: str, expected: str) -> None:
    with pytest.raises(ModelFileError) as failure:
        read_sbml(document(body))
    assert any(expected in line for line in said(failure)), said(failure)


def test_every_fault_of_a_model_is_named_not_only_the_first() -> None:
    rules = (
        rule("rate", "x", "<ci>q</ci>"),
        rule("rate", "y", "<ci>r</ci>"),
        '<algebraicRule><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>x</ci></math></algebraicRule>',
    )
    body = listed("Parameters", parameter("x", 1.0, constant=False), parameter("y", None, constant=False)) + listed(
        "Rules", *rules
    )
    with pytest.raises(ModelFileError) as failure:
        read_sbml(document(body))
    assert {message.code for message in failure.value.messages} == {
        "sbml.undefined-name",
        "sbml.missing-initial-value",
        "sbml.algebraic-rule",
    }
    assert len(failure.value.messages) == 4


def test_a_fast_reaction_is_refused() -> None:
    body = PLACE + ONE + listed("Reactions", reaction("J", "", reference("A"), mathml("<cn>1</cn>"), 'fast="true"'))
    with pytest.raises(ModelFileError, match=r"sbml\.fast-reaction\(name=J\)"):
        read_sbml(document(body, version=1))


@pytest.mark.parametrize("inputs", [("zzz",), ("A",), ("k2",)])
def test_only_a_constant_of_the_model_can_be_a_port(inputs: tuple[str, ...]) -> None:
    with pytest.raises(ModelFileError, match=r"sbml\.(unknown-input|input-changed)"):
        read_antimony("k = 1; k2 := k; A = 1; A' = -k*A", inputs=inputs)


def test_an_initial_value_cannot_hang_on_a_port() -> None:
    with pytest.raises(ModelFileError, match=r"sbml\.input-at-start\(name=C\)"):
        read_antimony("C = 1; A = 2*C; A' = -A", inputs=("C",))


BOMB = '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaa">]>\n<sbml>&a;</sbml>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sbml.empty-file"),
        ("  \n ", "sbml.empty-file"),
        ("k = 1", "1: sbml.not-xml"),
        ("<html/>", "1: sbml.not-sbml(found=html)"),
        ("<sbml>\n<model>\n</sbml>", "3: sbml.not-well-formed"),
        (BOMB, "2: sbml.entities"),
        ("<sbml>" + "<a>" * 100_000, "1: sbml.too-deep"),
        (
            document("").replace("level3/version2/core", "level1/version2").replace('level="3"', 'level="1"'),
            "sbml.unsupported-level",
        ),
        (document("", level=3).replace("</model>", "").replace('<model id="m" >', ""), "sbml."),
        (
            document("").replace(
                "<sbml ",
                '<sbml xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true" ',
            ),
            "sbml.unsupported-package(package=comp)",
        ),
        (
            document("").replace("<sbml ", '<sbml xmlns:zz="http://example.org/zz" zz:required="true" '),
            "2: sbml.unsupported-package(package=zz)",
        ),
    ],
)
def test_what_is_no_sbml_never_reaches_the_model(text: str, expected: str) -> None:
    with pytest.raises(ModelFileError) as failure:
        read_sbml(text)
    assert any(expected in line for line in said(failure)), said(failure)


def test_deep_nesting_of_an_antimony_formula_is_refused() -> None:
    with pytest.raises(ModelFileError, match=r"2: sbml\.too-deep"):
        read_antimony("x = 1\ny := " + "(" * 9_000 + "x" + ")" * 9_000)


def test_a_statement_without_end_and_a_hidden_end_of_text_are_refused() -> None:
    with pytest.raises(ModelFileError, match=r"2: sbml\.statement-too-long\(limit=20000\)"):
        read_antimony("x = 1\ny := " + "-".join(["x"] * 50_000))
    with pytest.raises(ModelFileError, match=r"2: sbml\.control-character"):
        read_antimony("x = 1\n\x00; y = 2")


def test_files_are_refused_by_size_encoding_and_absence(tmp_path: Path) -> None:
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as stream:
        stream.truncate(200_000_000)  # sparse: nothing is written
    with pytest.raises(
        ModelFileError, match=f"huge.xml: sbml.too-large.found_bytes=200000000, limit_bytes={MAX_BYTES}"
    ):
        read_sbml(huge)
    with pytest.raises(ModelFileError, match=r"huge.xml: sbml.too-large"):
        read_antimony(huge)
    latin = tmp_path / "latin.ant"
    latin.write_bytes(b"// a\n// caf\xe9\n")
    with pytest.raises(ModelFileError, match=r"latin.ant:2: sbml.not-utf-8"):
        read_antimony(latin)
    with pytest.raises(ModelFileError, match=r"none.xml: sbml.unreadable-file\(reason=FileNotFoundError\)"):
        read_sbml(tmp_path / "none.xml")
    with pytest.raises(ModelFileError, match=r"unreadable-file"):
        read_sbml(tmp_path)


def read_or_refused(reader: Callable[[str], Network], text: str) -> bool:
    try:
        return bool(reader(text))
    except ModelFileError as failure:
        return bool(failure.messages)


def test_an_order_that_sbml_leaves_to_chance_is_refused() -> None:
    text = "x = 0; y = 0\na: at (time > 1 && y < 1), priority = 1, persistent = false: x = 1\n"
    with pytest.raises(ModelFileError, match=r"3: sbml\.random-order\(name=b, other=a\)"):
        read_antimony(text + "b: at (time > 1), priority = 1: y = 1")
    assert len(read_antimony(text + "b: at (time > 1), priority = 2: y = 1").events) == 2


def test_a_concentration_fixed_now_for_a_size_to_come_is_refused() -> None:
    text = "compartment c = 1; c' = 1; species S in c; S = 1\nE: at 2 after (time > 1): S = 5"
    with pytest.raises(ModelFileError, match=r"2: sbml\.delayed-concentration\(name=S, where=E\)"):
        read_antimony(text)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_broken_documents_are_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    """A good document with a piece cut out or doubled is either read or refused by a coded message."""
    law = apply("times", "<ci>k</ci>", "<ci>A</ci>")
    good = document(
        PLACE
        + ONE
        + listed("Parameters", parameter("k", 2.0))
        + listed("Reactions", reaction("J", reference("A"), "", mathml(law)))
    )
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(good)), st.integers(0, len(good)))))
    put = data.draw(st.sampled_from(["", good[first:last], "&amp;", "1e999", "\x00", "<", "k"]))
    assert read_or_refused(read_sbml, good[:first] + put + good[last:])


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet="abk=:;'->+*/^() 0123.\n$,\"", max_size=60))
def test_any_antimony_text_is_read_or_refused(text: str) -> None:
    assert read_or_refused(read_antimony, text)
