# SPDX-License-Identifier: Apache-2.0
"""The protocol: faults named by line and key, gaps told, locked at a date, every later change a row with its reason."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.review_folds import START

from sirolens.errors import InputError
from sirolens.evidence.review.events import Event
from sirolens.evidence.review.protocol import changes, deviations, locked_protocol, protocol_hash, read_protocol
from sirolens.evidence.review.protocol_lock import lock_drafts
from sirolens.message import Severity

WHOLE = """
title = "Invented review"
[question]
population = "p"
intervention = "i"
comparison = "c"
outcomes = "o"
designs = "d"
[[databases]]
name = "pubmed"
database = "PubMed"
strategy = "sirolimus[tiab] AND ITP"
[[databases]]
name = "cnki"
database = "CNKI"
language = "zh"
strategy = "SU=西罗莫司"
[[databases]]
name = "citing"
database = "Citations"
arm = "other"
route = "citations"
strategy = "by hand"
[criteria]
include = ["adults"]
[[reasons]]
id = "population"
text = "other population"
[[reasons]]
id = "outcome"
text = "no outcome"
[[outcomes]]
id = "orr"
text = "overall response"
times = ["3 months"]
[[team]]
name = "wei"
[[team]]
name = "李"
[screening]
title_reviewers = 1
[update]
months = 6
"""


def test_a_whole_protocol_is_read_with_its_rules() -> None:
    reading = read_protocol(WHOLE)
    assert reading.messages == ()
    assert reading.protocol is not None
    assert [one.name for one in reading.protocol.databases] == ["pubmed", "cnki", "citing"]
    rules = reading.protocol.rules
    assert (rules.title_reviewers, rules.fulltext_reviewers, rules.reasons) == (1, 2, ("population", "outcome"))
    assert reading.protocol.triggers.months == 6
    assert [one.name for one in reading.protocol.team] == ["wei", "李"]


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('title = "Invented review"', 'titel = "x"', "models.unknown-key", 2),
        ('name = "cnki"', 'name = "pubmed"', "review.protocol-name-twice", 14),
        ('name = "cnki"', 'name = "CN KI"', "review.protocol-name", 14),
        ('arm = "other"', 'arm = "others"', "models.not-one-of", 21),
        ('route = "citations"', "", "review.protocol-route", 18),
        ('name = "李"', 'name = "../x"', "review.reviewer-name", 39),
        ("title_reviewers = 1", "title_reviewers = 0", "models.wrong-type", 41),
        ("months = 6", 'months = "6"', "models.wrong-type", 43),
        ('include = ["adults"]', "include = [1]", "models.wrong-type", 25),
        ("[update]", "[update", "models.not-toml", 42),
    ],
)
def test_a_fault_names_its_line_and_key(old: str, new: str, code: str, line: int) -> None:
    assert old in WHOLE
    reading = read_protocol(WHOLE.replace(old, new, 1), "p.toml")
    (fault, *_) = [message for message in reading.messages if message.code == code]
    assert reading.protocol is None
    assert fault.place is not None
    assert (fault.place.file, fault.place.line) == ("p.toml", line)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_template_has_no_fault_and_says_what_is_to_be_filled_in(language: str) -> None:
    text = files("sirolens.evidence").joinpath("data", f"protocol_{language}.toml").read_text(encoding="utf-8")
    reading = read_protocol(text.replace("{reviewer}", "wei"))
    assert {message.severity for message in reading.messages} == {Severity.WARNING}
    assert {message.values["value"] for message in reading.messages} == {
        "title",
        "population",
        "intervention",
        "outcomes",
        "designs",
        "strategy",
        "include",
        "text",
    }


def _events(drafts: Any, minute: int = 0) -> tuple[Event, ...]:
    return tuple(
        Event.new(kind, by="wei", at=START.replace(minute=minute, second=number), **values)
        for number, (kind, values) in enumerate(drafts)
    )


def test_after_the_lock_every_change_becomes_a_row_with_what_when_and_why() -> None:
    day, later = date(2026, 1, 1), date(2026, 2, 1)
    events = _events(lock_drafts(read_protocol(WHOLE), (), on=day))
    assert locked_protocol(events) == (read_protocol(WHOLE).values, day)
    assert lock_drafts(read_protocol(f"# a comment\n{WHOLE}"), events, on=later) == ()
    new = read_protocol(WHOLE.replace("ITP", "ITP OR Evans").replace('text = "no outcome"', 'text = "none"'))
    with pytest.raises(InputError, match=r"review\.why-needed"):
        lock_drafts(new, events, on=later)
    with pytest.raises(InputError, match=r"review\.key-not-changed"):
        lock_drafts(new, events, on=later, why="x", keys=["team"])
    events += _events(lock_drafts(new, events, on=later, why="a broader population", keys=["databases"]), 1)
    (row,) = deviations(events)
    assert (row.key, row.on, row.why) == ("databases[pubmed].strategy", later, "a broader population")
    assert (row.before, row.after) == ('"sirolimus[tiab] AND ITP"', '"sirolimus[tiab] AND ITP OR Evans"')
    events += _events(lock_drafts(new, events, on=later, why="clearer words"), 2)
    assert [one.key for one in deviations(events)] == ["databases[pubmed].strategy", "reasons[outcome].text"]
    assert lock_drafts(new, events, on=later) == ()
    held = locked_protocol(events)
    assert held is not None
    assert protocol_hash(held[0]) == protocol_hash(new.values)


def test_a_change_cannot_be_told_without_its_neighbour_in_the_same_part() -> None:
    events = _events(lock_drafts(read_protocol(WHOLE), (), on=date(2026, 1, 1)))
    new = read_protocol(WHOLE.replace("ITP", "ITP2").replace("SU=", "TI="))
    with pytest.raises(InputError, match=r"review\.key-part\(keys=\('databases\[cnki\]\.strategy',\)"):
        lock_drafts(new, events, on=date(2026, 1, 2), why="x", keys=["databases[pubmed]"])


def test_a_protocol_with_gaps_is_not_locked_and_every_gap_is_named() -> None:
    with pytest.raises(InputError) as caught:
        lock_drafts(read_protocol('title = "x"'), (), on=date(2026, 1, 1))
    assert len(caught.value.messages) == 7  # the sentence, and six missing parts


def test_the_order_of_reasons_is_part_of_the_protocol_and_the_order_of_the_team_is_not() -> None:
    one, other = {"id": "a", "text": "x"}, {"id": "b", "text": "y"}
    assert [change.key for change in changes({"reasons": [one, other]}, {"reasons": [other, one]})] == ["reasons.order"]
    assert changes({"team": [{"name": "a"}, {"name": "b"}]}, {"team": [{"name": "b"}, {"name": "a"}]}) == ()


@settings(deadline=None, max_examples=150)
@given(start=st.integers(0, len(WHOLE)), length=st.integers(0, 40), put=st.text(max_size=6))
def test_a_damaged_protocol_is_told_and_never_crashes(start: int, length: int, put: str) -> None:
    reading = read_protocol(WHOLE[:start] + put + WHOLE[start + length :])
    errors = [message for message in reading.messages if message.severity is Severity.ERROR]
    assert (reading.protocol is None) == bool(errors)
