# SPDX-License-Identifier: Apache-2.0
"""The JSON reader agrees with Python's own on what is JSON, and says the line of everything."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import ChartError
from sirolens.interop.json_lines import DEEPEST, Items, Members, Node, Scalar, parse
from tests.interop.charts import said_in_both, the

plain = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=4),
    ),
    max_leaves=20,
)


def value(node: Node) -> Any:
    """What Python's reader would make of it."""
    match node:
        case Scalar("text", text):
            return text
        case Scalar(_, text):
            return json.loads(text)
        case Items(items):
            return [value(item) for item in items]
        case Members(members):
            return {name: value(member) for name, member in members.items()}


@settings(deadline=None)
@given(plain, st.sampled_from([None, 1, 4]))
def test_it_reads_what_python_writes(thing: Any, indent: int | None) -> None:
    """Oracle: the standard library's json."""
    assert value(parse(json.dumps(thing, indent=indent))) == thing
    assert value(parse(json.dumps(thing, indent=indent, ensure_ascii=False))) == thing


@settings(deadline=None, max_examples=400)
@given(st.text(st.sampled_from('{}[]",:.0123456789eE+-truefalsn \n\\u／：'), max_size=25))
def test_it_refuses_what_python_refuses(text: str) -> None:
    """Oracle: the standard library's json, which also reads NaN and Infinity (not JSON, not in this alphabet)."""
    try:
        wanted = json.loads(text)
    except ValueError:
        with pytest.raises(ChartError):
            parse(text)
        return
    found = parse(text)
    if "twice=((" not in repr(found):
        assert value(found) == wanted


def _lines(node: Node) -> list[int]:
    inner: tuple[Node, ...] = ()
    if isinstance(node, Items):
        inner = node.items
    if isinstance(node, Members):
        inner = tuple(node.members.values())
    return [node.line, *(line for one in inner for line in _lines(one))]


def test_every_value_knows_its_line() -> None:
    text = '{\n"a": [1,\n2, "x"],\n\n"b": {"c": true},\r\n"d": null}'
    assert _lines(parse(text)) == [1, 2, 2, 3, 3, 5, 5, 6]


def test_numbers_stay_as_they_were_typed() -> None:
    assert parse("7.20") == Scalar("number", "7.20", 1)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "chart.json-no-value", 1),
        ('{"a": 1', "chart.json-truncated", 1),
        ('{\n"a": [\n1,', "chart.json-truncated", 3),
        ('{"a": "x', "chart.json-truncated", 1),
        ('{"a": 1} x', "chart.json-after-end", 1),
        ('{"a": 1,}', "chart.json-trailing-comma", 1),
        ("[1,\n]", "chart.json-trailing-comma", 2),
        ('{"a" 1}', "chart.json-expected", 1),
        ('{\n"a"：1}', "chart.json-full-width", 2),
        ("{“a”: 1}", "chart.json-full-width", 1),
        ("{a: 1}", "chart.json-name", 1),
        ('{"value": 7,5}', "chart.json-decimal-comma", 1),
        ('{"a": 01}', "chart.json-number", 1),
        ('{"a": 1.}', "chart.json-number", 1),
        ('{"a": +1}', "chart.json-number", 1),
        ('{"a": NaN}', "chart.json-no-value", 1),
        ('{"a": "b\nc"}', "chart.json-text", 1),
        ('{"a": "\\q"}', "chart.json-text", 1),
        ('{"a": "\\ud800"}', "chart.json-text", 1),
        ("[" * (DEEPEST + 2), "chart.json-too-deep", 1),
    ],
)
def test_a_slip_is_named_with_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(ChartError) as refused:
        parse(text, file="a.json")
    message = the(refused.value.messages, code)
    assert message.place is not None
    assert (message.place.file, message.place.line) == ("a.json", line)
    said_in_both(message)


def test_a_name_given_twice_is_kept_with_its_second_line() -> None:
    node = parse('{"a": 1,\n"a": 2}')
    assert isinstance(node, Members)
    assert node.twice == (("a", 2),)


def test_deep_nesting_is_refused_not_crashed() -> None:
    with suppress(ChartError):
        parse("[" * 1_000_000)
    with suppress(ChartError):
        parse('{"a":' * 1_000_000)
