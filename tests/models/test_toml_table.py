# SPDX-License-Identifier: Apache-2.0
"""What a TOML file should hold in a place is said in the reader's language. Oracle: no English letter is left over."""

from __future__ import annotations

import re

from sirolens.models.toml_table import Faults, Table
from sirolens.report.words import say

WORD = re.compile(r"[A-Za-z]{2,}")
KEYS = ("text", "number", "pair", "texts", "matrix")


def test_the_kind_of_value_that_was_expected_is_named_in_chinese() -> None:
    faults = Faults("a", {})
    wrong = Table(dict.fromkeys(("1", "2", "3", "4", "5"), True), (), faults)
    nothing = Table({}, (), faults)
    for key, kind in enumerate(KEYS, 1):
        getattr(wrong, kind)(str(key))
        getattr(nothing, kind)(str(key), required=True)
    assert len(faults.messages) == 2 * len(KEYS)
    told = [say(message, "zh") for message in faults.messages]
    assert not [one for one in told if WORD.search(one.replace("True", ""))], told
    assert "应为：文本。" in told[0]


def test_in_english_the_same_faults_name_the_kind() -> None:
    faults = Faults("a", {})
    Table({"1": 3}, (), faults).text("1")
    assert say(faults.messages[0], "en").endswith("expected: text.")
