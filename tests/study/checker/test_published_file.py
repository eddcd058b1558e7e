# SPDX-License-Identifier: Apache-2.0
"""A faulty file of printed figures: one message per fault, with file, line, field, value and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.message import Message
from sirolens.report.words import say, say_value
from sirolens.source import Mark
from sirolens.study.checker.published_file import LARGEST_GROUP, read_published
from tests.study.checker.printed_figures import EXAMPLES

GOOD = """title = "Invented"

[source]
title = "Invented for a test"
place = "none"
mark = "assumed"

[[groups]]
name = "all"
sizes = { enrolled = 20 }

[[groups]]
name = "A"

[[groups]]
name = "B"

[[splits]]
whole = "all"
parts = ["A", "B"]
size = "enrolled"

[[proportions]]
group = "A"
outcome = "response"
time = "3 months"
count = 6
of = 10
percent = "60"
interval = ["26.2", "87.8"]
level_percent = 95
among = "response"

[[proportions]]
group = "B"
outcome = "response"
time = "3 months"
percent = "50"

[[comparisons]]
outcome = "response"
groups = ["A", "B"]
p = "0.70"
test = "fisher"

[[means]]
group = "A"
quantity = "relapses"
mean = "2.3"
n = 10

[[paired_tests]]
what = "platelets"
n = 7
p = "0.018"

[[partitions]]
group = "A"
outcomes = ["response"]
"""


def faults(text: str) -> tuple[Message, ...]:
    return read_published(text, "mine.toml").messages


def test_a_good_file_has_no_faults() -> None:
    assert faults(GOOD) == ()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_good_and_hold_nothing_unseen(path: Path) -> None:
    reading = read_published(path.read_text(encoding="utf-8"), path.name)
    assert reading.messages == ()
    assert reading.published is not None
    entries = (*reading.published.proportions, *reading.published.comparisons, *reading.published.means)
    marks = {reading.published.source.mark, *(one.mark for one in entries)}
    assert marks <= {Mark.SEEN, Mark.DERIVED, Mark.SEEN_SECOND_HAND}
    source = reading.published.source
    assert source.doi or source.pmid or source.url


CASES = [
    ('title = "Invented"', "titel = 1", "models.key-missing", "title"),
    ('percent = "60"', "percent = 60", "models.wrong-type", "60"),
    ('percent = "60"', 'percent = "sixty"', "checker.not-a-figure", "sixty"),
    ('percent = "50"', "", "checker.nothing-printed", "response"),
    ("count = 6", "count = -1", "models.wrong-type", "-1"),
    ("count = 6", "count = 6.5", "models.wrong-type", "6.5"),
    ("of = 10", "of = 0", "models.wrong-type", "0"),
    ("of = 10", f"of = {LARGEST_GROUP + 1}", "checker.too-many", str(LARGEST_GROUP + 1)),
    ('interval = ["26.2", "87.8"]', 'interval = ["87.8", "26.2"]', "checker.not-an-interval", "87.8"),
    ('interval = ["26.2", "87.8"]', 'interval = ["26.2"]', "checker.not-an-interval", "26.2"),
    ("level_percent = 95", "level_percent = 100", "checker.level-too-high", "100"),
    ("level_percent = 95", "level_percent = 0.95", "models.out-of-range", "0.95"),
    ('among = "response"', 'among = "respons"', "checker.unknown-name", "respons"),
    ('among = "response"', 'part_of = "other"', "checker.unknown-name", "other"),
    ('among = "response"', 'sum_of = ["x", "y"]', "checker.unknown-name", "x"),
    ('p = "0.70"', 'p = "n.s."', "checker.not-a-p-value", "n.s."),
    ('p = "0.70"', "p = 0.7", "models.wrong-type", "0.7"),
    ('test = "fisher"', 'test = "fischer"', "models.not-one-of", "fischer"),
    ('groups = ["A", "B"]', 'groups = ["A"]', "checker.two-groups", "A"),
    ('groups = ["A", "B"]', 'groups = ["A", "C"]', "checker.unknown-name", "C"),
    ('parts = ["A", "B"]', 'parts = ["A", "A"]', "checker.two-groups", "A"),
    ('whole = "all"', 'whole = "al"', "checker.unknown-name", "al"),
    ("n = 10", "", "checker.how-many", "relapses"),
    ("n = 10", "n = 10\nn_from = 3\nn_to = 5", "checker.how-many", "relapses"),
    ("n = 10", "n_from = 5\nn_to = 4", "checker.range-reversed", "4"),
    ("n = 10", 'n = 10\nstep = "0"', "checker.not-a-figure", "0"),
    ("n = 7", "n = 0", "models.wrong-type", "0"),
    ('name = "B"', 'name = "A"', "checker.group-twice", "A"),
    ('outcomes = ["response"]', 'outcomes = ["answer"]', "checker.unknown-name", "answer"),
    ("time =", "tme =", "models.unknown-key", "tme"),
    ('place = "none"', "", "checker.source-untraceable", "Invented for a test"),
    ('mark = "assumed"', 'mark = "sure"', "models.not-one-of", "sure"),
]


@pytest.mark.parametrize(("old", "new", "code", "value"), CASES, ids=[f"{case[2]}-{case[3]}" for case in CASES])
def test_each_fault_is_told_with_its_line_and_value(old: str, new: str, code: str, value: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    reading = read_published(text, "mine.toml")
    assert reading.published is None
    message = next(one for one in reading.messages if one.code == code)
    assert message.place is not None
    assert message.place.file == "mine.toml"
    assert message.place.line is not None or message.place.field == "title"  # what is missing at the top has no line
    assert value in str(message.values["value"])
    for language in ("en", "zh"):
        said = say(message, language)
        assert code not in said
        assert say_value("expected", message.values["expected"], language) in said


def test_all_faults_are_told_at_once() -> None:
    text = GOOD
    for old, new in (('percent = "60"', 'percent = "x"'), ('p = "0.70"', 'p = "y"'), ("n = 7", "n = -7")):
        text = text.replace(old, new, 1)
    assert len(faults(text)) == 3


@pytest.mark.parametrize("text", ["", "title = ", "[[[[", "title = 1", "groups = 3", "[[groups]]\nname = 1"])
def test_what_is_no_such_file_is_refused_with_words(text: str) -> None:
    reading = read_published(text, "mine.toml")
    assert reading.published is None
    assert reading.messages
    assert all(say(message, "zh") for message in reading.messages)


@given(st.text(alphabet="[]{}=\"'.#\n 01aé中", max_size=60))
@settings(deadline=None, max_examples=100)
def test_no_text_brings_the_reader_down(text: str) -> None:
    reading = read_published(text, "mine.toml")
    assert reading.published is not None or reading.messages


def test_the_same_figures_read_twice_are_equal() -> None:
    assert read_published(GOOD, "a.toml") == read_published(GOOD, "a.toml")
