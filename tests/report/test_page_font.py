# SPDX-License-Identifier: Apache-2.0
"""The font a page carries. Oracle: fontTools reads the outlines, of the cut and of the whole font."""

from __future__ import annotations

import base64
import io
import re

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont

from sirolens.report.drawing import font_folder
from sirolens.report.page_font import font_faces

CHARACTERS = "aB7 .·×±≥≤²¹⁰⁻✗药敏血小板计数谷浓度龘（）“”"


def _outlines(font: TTFont, characters: set[str]) -> dict[str, tuple[object, float]]:
    cmap, glyphs = font.getBestCmap(), font.getGlyphSet()
    found: dict[str, tuple[object, float]] = {}
    for char in sorted(characters):
        pen = RecordingPen()
        glyphs[cmap[ord(char)]].draw(pen)
        found[char] = (pen.value, glyphs[cmap[ord(char)]].width)
    return found


@pytest.mark.parametrize(("weight", "number"), [("Regular", 0), ("Bold", 1)])
def test_a_cut_font_draws_its_characters_as_the_whole_one_and_no_other(weight: str, number: int) -> None:
    data = re.findall(r"base64,([A-Za-z0-9+/=]+)", font_faces(CHARACTERS))[number]
    with (
        TTFont(io.BytesIO(base64.b64decode(data))) as cut,
        TTFont(font_folder() / f"SirolensSans-{weight}.otf", lazy=True) as whole,
    ):
        known = {chr(code) for code in whole.getBestCmap()} & set(CHARACTERS)
        assert {chr(code) for code in cut.getBestCmap()} == known
        assert _outlines(cut, known) == _outlines(whole, known)
        assert known >= set(CHARACTERS) - {"龘"}


def test_the_order_of_the_characters_does_not_matter() -> None:
    assert font_faces("ba") == font_faces("ab") == font_faces("aab")
