# SPDX-License-Identifier: Apache-2.0
"""Criteria are data: every shipped set loads, says what it rests on, and a user's own file is checked line by line.

Oracle: the fact base's table of IWG 2009 and of what sirolimus papers printed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sirolens.errors import InputError, UnknownNameError
from sirolens.report.words import say
from sirolens.response.classify import classify
from sirolens.response.criteria import DEFAULT, check, criteria_sets, load
from sirolens.response.criteria_file import MAY_BE_ABSENT, READERS
from sirolens.response.criteria_set import CriteriaSet, choice_names
from sirolens.response.states import STATES
from sirolens.response.visits import Visits, no_events
from sirolens.source import Mark

IWG = load(DEFAULT)
EVERY = [criteria_sets()[name] for name in criteria_sets()]
MINE = """\
name = "mine"
version = "1"
title = "Mine"
base = "iwg-2009"
others = "based-on"

[source]
title = "Our protocol"
place = "section 5"
mark = "assumed"

[choices]
response_10e9_l = { value = 50, mark = "assumed" }
"""


def test_defaults_of_the_code_are_those_of_the_default_file() -> None:
    bare = CriteriaSet(name="x", version="1", title="", source=IWG.source)
    for name in choice_names():
        assert getattr(bare, name) == getattr(IWG, name), name


def test_iwg_2009_is_complete_and_nothing_in_it_is_memory() -> None:
    assert set(IWG.basis) == set(choice_names())
    assert IWG.not_reported == ()
    assert {basis.mark for basis in IWG.basis.values()} <= {Mark.SEEN, Mark.DERIVED, Mark.JUDGE}
    assert (IWG.complete_10e9_l, IWG.response_10e9_l, IWG.response_fold, IWG.response_join) == (100.0, 30.0, 2.0, "and")
    assert (IWG.confirmation_d, IWG.loss_d) == (7, 1)
    for judged in ("mask_d", "late_limit_d", "bridging_d", "baseline_days", "landmark_window_d", "dated_by"):
        assert IWG.basis[judged].mark is Mark.JUDGE, judged


@pytest.mark.parametrize("criteria", EVERY, ids=lambda one: one.name)
def test_every_set_says_what_each_choice_rests_on(criteria: CriteriaSet) -> None:
    assert set(criteria.basis) == set(choice_names())
    assert criteria.source.mark is Mark.SEEN
    for name in criteria.not_reported:
        assert criteria.basis[name].mark is Mark.ASSUMED, name


def test_not_reported_is_a_value_of_its_own_even_where_it_is_run_alike() -> None:
    paper = load("paper-a-2024")
    assert paper.response_10e9_l == IWG.response_10e9_l
    assert not paper.basis["response_10e9_l"].reported
    assert IWG.basis["response_10e9_l"].reported
    assert "response_10e9_l" in paper.not_reported


def test_what_the_papers_print() -> None:
    trial = load("nct06722586")
    assert (trial.complete_operator, trial.fold_operator, trial.response_10e9_l) == (">", ">", None)
    assert not trial.complete_without_bleeding
    assert not trial.response_without_bleeding
    children = load("sickkids")
    assert (children.complete_10e9_l, children.response_10e9_l, children.confirmation_d) == (100.0, 50.0, 60)
    assert children.response_fold is None
    assert load("thirty-or-double").response_join == "or"
    chinese = load("china-adult-2020")
    assert chinese.steroid_above_mg_d == 5.0
    assert chinese.basis["steroid_above_mg_d"].mark is Mark.SEEN
    assert chinese.basis["response_10e9_l"].mark is Mark.MEMORY
    remission = load("nct05325593")
    assert (remission.off_treatment_10e9_l, remission.off_treatment_d) == (30.0, 180)


def test_one_course_reads_differently_under_the_sets() -> None:
    """Baseline 12, 25 and 26 two months apart: more than doubled, below 30."""
    visits = Visits(
        start=[0, 3],
        day=[30, 40, 92],
        count_10e9_l=[25.0, 26.0, 25.5],
        bleeding=[0, 0, 0],
        baseline_10e9_l=[12.0],
        baseline_state=[0],
        known_day=[140],
        **no_events(1),
    )
    states = {one.name: STATES[classify(visits, one).state[0]].value for one in EVERY}
    assert states["iwg-2009"] == "no-response"
    assert states["nct06722586"] == "response"
    assert states["thirty-or-double"] == "response"
    assert states["sickkids"] == "no-response"


def test_an_unknown_name_lists_what_is_known() -> None:
    with pytest.raises(UnknownNameError, match="iwg-2009"):
        load("iwg-2010")


def test_a_users_own_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    assert check(path) == ()
    mine = load(path)
    assert (mine.response_10e9_l, mine.response_fold) == (50.0, 2.0)
    assert mine.basis["response_fold"] == IWG.basis["response_fold"]
    assert classify(
        Visits(
            start=[0, 2],
            day=[30, 40],
            count_10e9_l=[45.0, 45.0],
            bleeding=[0, 0],
            baseline_10e9_l=[12.0],
            baseline_state=[0],
            known_day=np.array([140]),
            **no_events(1),
        ),
        mine,
    ).achieved_day.tolist() == [-1]


FAULTS = {
    'response_10e9_l = { value = "thirty", mark = "seen" }': ("models.wrong-type", 13, "choices.response_10e9_l.value"),
    "response_10e9_l = { value = 30 }": ("models.key-missing", 13, "choices.response_10e9_l.mark"),
    'response_10e9_l = { value = -30, mark = "seen" }': ("models.out-of-range", 13, "choices.response_10e9_l.value"),
    'response_10e9_l = { value = 120, mark = "seen" }': ("models.out-of-range", 13, "choices.response_10e9_l.value"),
    'response_join = { value = "xor", mark = "seen" }': ("models.not-one-of", 13, "choices.response_join.value"),
    'complete_10e9_l = { absent = true, mark = "seen" }': (
        "models.needless-for-kind",
        13,
        "choices.complete_10e9_l.absent",
    ),
    'respons_fold = { value = 2, mark = "seen" }': ("models.unknown-key", 13, "choices.respons_fold"),
    'response_fold = { value = 2, mark = "sure" }': ("models.not-one-of", 13, "choices.response_fold.mark"),
    'response_fold = { value = 2, mark = "seen", why = "?" }': ("models.unknown-key", 13, "choices.response_fold.why"),
    'landmarks_d = { value = [182, 91], mark = "seen" }': ("models.wrong-type", 13, "choices.landmarks_d.value"),
    'landmarks_d = { value = "91", mark = "seen" }': ("models.wrong-type", 13, "choices.landmarks_d.value"),
    'landmarks_d = { value = [10], mark = "seen" }': ("models.out-of-range", None, "choices.landmark_window_d.value"),
    'mask_d = { value = { ivg = 56 }, mark = "seen" }': ("models.unknown-key", 13, "choices.mask_d.value.ivg"),
    'rescues = { value = ["ivg"], mark = "seen" }': ("models.not-one-of", 13, "choices.rescues.value[0]"),
    'final_events = { value = ["stopped-sirolimus"], mark = "seen" }': (
        "models.not-one-of",
        13,
        "choices.final_events.value",
    ),
    "confirmation_d = { not_reported = true }": ("models.key-missing", 13, "choices.confirmation_d.run_with"),
    'failing_between_breaks = { mark = "seen" }': ("models.key-missing", 13, "choices.failing_between_breaks.value"),
    "response_10e9_l = 30": ("models.wrong-type", 13, "choices.response_10e9_l"),
}


@pytest.mark.parametrize("line", FAULTS)
def test_a_fault_is_named_with_its_line_and_field(line: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace('response_10e9_l = { value = 50, mark = "assumed" }', line))
    (message,) = check(path)
    code, number, field = FAULTS[line]
    assert message.place is not None
    assert (message.code, message.place.field) == (code, field)
    assert number is None or message.place.line == number
    for language in ("en", "zh"):
        assert say(message, language)
    with pytest.raises(InputError):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('others = "based-on"\n', 'others = "same"\n', "models.not-one-of"),
        ('base = "iwg-2009"', 'base = "iwg-2010"', "registry.unknown-name"),
        ('name = "mine"', 'name = "My set"', "models.bad-name"),
        ('title = "Our protocol"\n', "", "models.key-missing"),
        ("[choices]", "[choices", "models.not-toml"),
        ("[choices]\n", "[choses]\n", "models.key-missing"),
    ],
)
def test_a_faulty_head_is_told(old: str, new: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace(old, new))
    assert code in {message.code for message in check(path)}


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace('response_10e9_l = { value = 50, mark = "assumed" }', "\n".join(list(FAULTS)[4:8])))
    assert len(check(path)) == 4


def test_without_others_every_choice_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace('others = "based-on"\n', ""))
    assert len(check(path)) == len(choice_names()) - 1


def test_a_file_that_is_no_text_or_too_large_or_missing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert [message.code for message in check(path)] == ["models.file-not-utf8"]
    path.write_text("#" * 300_000)
    assert [message.code for message in check(path)] == ["models.file-too-large"]
    path.write_text("")
    assert [message.code for message in check(path)] == ["models.file-empty"]
    assert [message.code for message in check(tmp_path / "none.toml")] == ["models.file-unreadable"]


def test_every_choice_has_a_reader() -> None:
    assert set(READERS) | {"landmarks_d"} == set(choice_names())
    assert set(choice_names()) >= MAY_BE_ABSENT
