# SPDX-License-Identifier: Apache-2.0
"""The study lock names what changed; the choices of an analysis are read strictly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sirolens.errors import InputError
from sirolens.study.cohort.protocol import StudyProtocol, read_protocol
from sirolens.study.lock import Lock, lock_text, read_lock, verify

LOCK = Lock(
    study="s",
    at="2026-01-01T00:00:00+00:00",
    files={"a.csv": "1" * 64, "b.csv": "2" * 64},
    criteria={"name": "iwg-2009", "version": "1", "sha256": "3" * 64},
    protocol={"gap_d": "4" * 64},
    versions={"numpy": "2.2"},
    results="5" * 64,
)


def test_a_lock_is_read_as_it_was_written() -> None:
    assert read_lock(lock_text(LOCK), "x.json") == LOCK


def test_nothing_changed_is_said_as_a_check() -> None:
    assert [one.code for one in verify(LOCK, LOCK)] == ["study.lock-same"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"files": {"a.csv": "9" * 64, "b.csv": "2" * 64}}, "study.lock-file-changed"),
        ({"files": {"a.csv": "1" * 64}}, "study.lock-file-gone"),
        ({"files": {**LOCK.files, "c.csv": "7" * 64}}, "study.lock-file-new"),
        ({"criteria": {**LOCK.criteria, "version": "2"}}, "study.lock-criteria-changed"),
        ({"protocol": {"gap_d": "8" * 64}}, "study.lock-protocol-changed"),
        ({"versions": {"numpy": "2.3"}}, "study.lock-version-changed"),
        ({"at": "2026-02-01T00:00:00+00:00"}, "study.lock-cut"),
        ({"study": "t"}, "study.lock-study"),
    ],
)
def test_every_change_is_named_and_the_results_are_told_apart(change: dict[str, Any], code: str) -> None:
    same = [one.code for one in verify(LOCK, replace(LOCK, **change))]
    other = [one.code for one in verify(LOCK, replace(LOCK, results="6" * 64, **change))]
    assert same == [code, "study.lock-results-same"]
    assert other == [code, "study.lock-results-changed"]


def test_results_that_change_by_themselves_are_the_loudest() -> None:
    assert [one.code for one in verify(LOCK, replace(LOCK, results="6" * 64))] == ["study.lock-results-unexplained"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sirolens_lock": 9}', '{"sirolens_lock": 1, "study": "s"}'])
def test_what_is_no_lock_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="lock-unreadable"):
        read_lock(text, "x.json")


def test_no_choices_are_the_defaults() -> None:
    assert read_protocol("", "analysis.toml") == StudyProtocol()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("landmark = 91", "unknown-key"),
        ("primary_landmark_d = 'x'", "wrong-type"),
        ("target_ng_ml = [0, 5]", "wrong-value"),
        ("target_ng_ml = [9, 5]", "range-reversed"),
        ("interval_level = 95", "wrong-value"),
        ("prior = { a = 0, b = 1 }", "out-of-range"),
        ("[historical]\nname = 'x'\nresponders = 9\npatients = 5", "wrong-value"),
        ("[historical]\nname = 'x'\nresponders = 9\npatients = 50\nweight = 2", "wrong-value"),
        ("[design]\np0 = 0.5\np1 = 0.3", "wrong-value"),
        ("[design]\np0 = 0.3\np1 = 0.5\nkind = 'best'", "not-one-of"),
        ("x = [", "not-toml"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_with_its_place(text: str, code: str) -> None:
    with pytest.raises(InputError, match=code) as refused:
        read_protocol(text, "analysis.toml")
    assert all(one.place is not None and one.place.line for one in refused.value.messages)
