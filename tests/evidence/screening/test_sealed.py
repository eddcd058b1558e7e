# SPDX-License-Identifier: Apache-2.0
"""Sealed decisions stay at home until they are opened, and nothing of them is lost or changed on the way."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.review.events import Decision, Stage, seal
from sirolens.evidence.screening.sealed import keep_secret, private_file, read_secrets, sealed_decision

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(Decision), st.lists(TEXT, max_size=3), TEXT, st.lists(TEXT, max_size=3))
def test_what_is_kept_is_read_back(decision: Decision, reasons: list[str], notes: str, tags: list[str]) -> None:
    kept = [
        sealed_decision(name, Stage.TITLE, decision, reasons=reasons, notes=notes, tags=tags) for name in ("r-1", "r-2")
    ]
    with TemporaryDirectory() as folder:
        for secret in kept:
            keep_secret(Path(folder), "wei", secret)
        found, messages = read_secrets(Path(folder), "wei")
    assert list(found.values()) == kept
    assert messages == ()


def test_nobody_elses_secrets_are_read(tmp_path: Path) -> None:
    keep_secret(tmp_path, "wei", sealed_decision("r-1", Stage.TITLE, Decision.INCLUDE))
    assert read_secrets(tmp_path, "li") == ({}, ())


def test_the_private_file_is_the_owners_alone(tmp_path: Path) -> None:
    keep_secret(tmp_path, "wei", sealed_decision("r-1", Stage.TITLE, Decision.INCLUDE))
    assert stat.S_IMODE(private_file(tmp_path, "wei").stat().st_mode) == 0o600


def test_equal_decisions_have_different_seals_and_a_seal_cannot_be_tried_out() -> None:
    secrets = [sealed_decision("r-1", Stage.TITLE, Decision.INCLUDE) for _ in range(20)]
    assert len({secret.sealed for secret in secrets}) == 20
    assert all(len(secret.salt) == 32 for secret in secrets)  # 128 bits
    guesses = {seal("", record="r-1", stage="title", decision=decision.value) for decision in Decision}
    assert not guesses & {secret.sealed for secret in secrets}


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_half_line_of_a_killed_process_loses_nothing_else(tmp_path: Path, cut: int) -> None:
    first, last = (sealed_decision(name, Stage.TITLE, Decision.MAYBE) for name in ("r-1", "r-2"))
    keep_secret(tmp_path, "wei", first)
    path = private_file(tmp_path, "wei")
    path.write_bytes(path.read_bytes() + path.read_bytes()[:cut])
    keep_secret(tmp_path, "wei", last)
    found, messages = read_secrets(tmp_path, "wei")
    assert list(found.values()) == [first, last]
    assert [(message.code, message.place.line) for message in messages if message.place] == [
        ("screening.private-line", 2)
    ]


@pytest.mark.parametrize("change", [{"decision": "exclude"}, {"salt": "00"}, {"notes": "x"}, {"extra": 1}, {"tags": 3}])
def test_a_changed_line_is_passed_over_and_told(tmp_path: Path, change: dict[str, object]) -> None:
    keep_secret(tmp_path, "wei", sealed_decision("r-1", Stage.TITLE, Decision.INCLUDE))
    path = private_file(tmp_path, "wei")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}) + "\nnot json\n[1]\n")
    found, messages = read_secrets(tmp_path, "wei")
    assert found == {}
    assert len(messages) == 3


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "private").write_text("in the way")
    with pytest.raises(InputError, match="private-unwritable"):
        keep_secret(tmp_path, "wei", sealed_decision("r-1", Stage.TITLE, Decision.INCLUDE))
