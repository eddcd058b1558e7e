# SPDX-License-Identifier: Apache-2.0
"""True widths of text in the shipped font, for tests of figures that lay out words."""

from __future__ import annotations

from functools import cache

from sirolens.report.drawing import font_folder


@cache
def _advances(weight: str) -> tuple[dict[int, int], int]:
    from fontTools.ttLib import TTFont

    with TTFont(font_folder() / f"SirolensSans-{weight}.otf", lazy=True) as font:
        names, widths = font.getBestCmap(), font["hmtx"].metrics
        return {sign: widths[name][0] for sign, name in names.items()}, font["head"].unitsPerEm


def measured(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a line; a sign the font lacks is an error."""
    advances, em = _advances("Bold" if bold else "Regular")
    return size * sum(advances[ord(sign)] for sign in text) / em
