# SPDX-License-Identifier: Apache-2.0
"""A document in words: intervals can be read in every case."""

from __future__ import annotations

import pytest

from sirolens.message import info
from sirolens.report.document import Column, Document, Interval, Table
from sirolens.report.worded import worded


def _written(interval: Interval, language: str) -> str:
    table = Table(columns=(Column(name="value", head=info("figures.middle")),), rows=((interval,),))
    document = Document(title=info("figures.middle"), blocks=(table,))
    (block,) = worded(document, language).blocks
    return str(block["rows"][0]["cells"][0])


@pytest.mark.parametrize(
    ("interval", "english", "chinese"),
    [
        (Interval(middle=8.88, low=6.41, high=13.1), "8.88 (6.41–13.1)", "8.88 (6.41–13.1)"),
        (Interval(middle=-0.19, low=-0.32, high=-0.05), "−0.19 (−0.32 to −0.05)", "−0.19 (−0.32 至 −0.05)"),
        (Interval(middle=15.0, low=-13.4, high=40.4), "15 (−13.4 to 40.4)", "15 (−13.4 至 40.4)"),
    ],
)
def test_an_interval_with_a_negative_end_has_a_word_between_its_ends(
    interval: Interval, english: str, chinese: str
) -> None:
    assert _written(interval, "en").replace("\u00a0", " ") == english
    assert _written(interval, "zh").replace("\u00a0", " ") == chinese
