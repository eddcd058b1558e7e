# SPDX-License-Identifier: Apache-2.0
"""A target is a setting with an author and a reason; slips of the pen are stopped (H18)."""

from __future__ import annotations

import math

import pytest

from sirolens.dosing.target import Target, default_target, target_messages
from sirolens.errors import InputError
from sirolens.source import Mark, Source

SITE = Source(title="Ward rule", mark=Mark.JUDGE)


def made(low: float, high: float, author: str = "Dr A", reason: str = "bleeding risk") -> Target:
    return Target(low_ng_ml=low, high_ng_ml=high, author=author, reason=reason, source=SITE)


def test_the_default_target_is_claim_a3() -> None:
    target = default_target()
    assert (target.low_ng_ml, target.high_ng_ml) == (5.0, 15.0)
    assert [message.code for message in target_messages(target)] == ["protocol.target"]


def test_the_aim_is_the_middle_on_the_log_scale() -> None:
    assert default_target().aim_ng_ml == pytest.approx(math.sqrt(75))


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (15.0, 5.0, "protocol.target-order"),
        (0.0, 15.0, "protocol.target-order"),
        (float("nan"), 15.0, "protocol.target-order"),
        (5.0, 150.0, "protocol.target-implausible"),
        (0.05, 0.15, "protocol.target-implausible"),
    ],
)
def test_a_mistyped_target_is_refused(low: float, high: float, code: str) -> None:
    with pytest.raises(InputError) as caught:
        made(low, high)
    assert caught.value.messages[0].code == code


@pytest.mark.parametrize(("author", "reason"), [("", "why"), ("Dr A", " ")])
def test_a_target_without_author_or_reason_is_refused(author: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        made(4, 12, author, reason)
    assert caught.value.messages[0].code == "protocol.target-without-author"


def test_another_target_is_said_with_its_author() -> None:
    said = target_messages(made(4, 12))
    assert [message.code for message in said] == ["protocol.target-in-force", "protocol.target-differs"]
    assert said[0].values["author"] == "Dr A"


def test_a_target_of_transplantation_is_warned_of() -> None:
    assert "protocol.target-above-toxicity" in [message.code for message in target_messages(made(16, 24))]
