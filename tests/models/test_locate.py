# SPDX-License-Identifier: Apache-2.0
"""Every key of a TOML text is found on its line."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.models.locate import Path as KeyPath
from sirolens.models.locate import dotted, key_lines, nearest_line

CATALOG = sorted(Path(str(files("sirolens.models.catalog"))).glob("*.toml"))

TRICKY = '''\
# a comment with [brackets] and = signs
"quoted key" = "text with # and ] and \\" inside"
plain.dotted."x y" = 1
many = [
  "a", # a comment, with a comma
  [1, 2],
  { inner = { deep = true }, other = [3] },
]

[table] # comment
text = """
[not.a.table]
key = "no key"
"""
literal = \'\'\'
also = not
\'\'\'
after = 1979-05-27T07:32:00Z

[[list]]
name = "first"
[[list.of]]
n = 1
[[list.of]]
n = 2
[[list]]
name = "second"
[list.table]
n = 3
'''


def every_path(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    found: list[KeyPath] = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += every_path(inner, (*path, key))
    return found


def test_keys_of_a_tricky_text_stand_where_an_editor_shows_them() -> None:
    lines = key_lines(TRICKY)
    shown = TRICKY.splitlines()
    assert lines[("quoted key",)] == 2
    assert shown[lines["many", 2, "inner", "deep"] - 1].startswith("  { inner")
    assert shown[lines["table", "after"] - 1].startswith("after")
    assert shown[lines["list", 0, "of", 1, "n"] - 1] == "n = 2"
    assert shown[lines["list", 1, "table", "n"] - 1] == "n = 3"
    assert shown[lines["list", 1] - 1] == "[[list]]"
    assert ("table", "key") not in lines


@pytest.mark.parametrize("text", [TRICKY, TRICKY.replace("\n", "\r\n"), *[path.read_text() for path in CATALOG]])
def test_every_path_the_parser_knows_has_a_line(text: str) -> None:
    lines = key_lines(text)
    missing = [dotted(path) for path in every_path(tomllib.loads(text)) if path not in lines]
    assert not missing


keys = st.text("abcXYZ_-09", min_size=1, max_size=6)
scalars = st.one_of(
    st.integers(-9, 9).map(str),
    st.sampled_from(['"a # ] }"', "'lit\\'", "true", "1.5", '"""\nx = 1\n"""', "'''\n[y]\n'''", '""', "''"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n ".join(items) + " ]"),
        st.lists(inner, max_size=3).map(lambda items: "[# c ]\n" + "".join(f"{item},#,\n" for item in items) + "]"),
        st.dictionaries(keys, st.sampled_from(["1", '"x"', "[1]", "{}"]), max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)
tables = st.dictionaries(keys, st.dictionaries(keys, values, max_size=3), max_size=3)


@settings(deadline=None, max_examples=200)
@given(tables)
def test_generated_texts_have_a_line_for_every_path(data: dict[str, dict[str, str]]) -> None:
    # Oracle: the standard library's parser for the paths; the text itself for the line of each simple key.
    text = "".join(
        f"[ {name} ]\n" + "".join(f"{key} = {value}\n" for key, value in inner.items()) for name, inner in data.items()
    )
    lines = key_lines(text)
    shown = text.splitlines()
    for path in every_path(tomllib.loads(text)):
        assert path in lines
        if len(path) == 2:
            assert shown[lines[path] - 1].startswith(f"{path[1]} =")


def test_a_path_without_line_is_placed_at_the_table_around_it() -> None:
    lines = key_lines(TRICKY)
    assert nearest_line(lines, ("table", "missing", "deep")) == lines[("table",)]
    assert nearest_line(lines, ("nowhere",)) is None


def test_a_path_is_written_as_people_read_it() -> None:
    assert dotted(("a", 0, "b", 2)) == "a[0].b[2]"
