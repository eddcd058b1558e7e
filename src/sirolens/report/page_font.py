# SPDX-License-Identifier: Apache-2.0
"""The shipped font, cut to the characters a page needs, and figures as files of their own that carry it."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from io import BytesIO

from sirolens.report.drawing import FONT, Drawing, font_folder, svg

__all__ = ["font_faces", "svg_file"]


def font_faces(characters: str) -> str:
    """Return CSS that brings a page the characters it needs, in both weights.

    >>> font_faces("ab").count("@font-face")
    2
    """
    used = "".join(sorted(set(characters)))
    return "".join(
        f'@font-face {{ font-family: "{FONT}"; font-weight: {weight}; src: url(data:font/woff;base64,{data}) '
        f'format("woff"); }}\n'
        for weight, data in ((400, _font("Regular", used)), (700, _font("Bold", used)))
    )


def svg_file(drawing: Drawing, *, name: str, language: str) -> bytes:
    """Return a figure as an SVG file that looks the same where no font has its characters.

    Parameters
    ----------
    drawing : Drawing
    name : str
        Prefix of every id inside it.
    language : {"en", "zh"}
    """
    drawn = svg(drawing, name=name, language=language)
    head, end, rest = drawn.partition(">")
    return f"{head}{end}<style>{font_faces(drawn)}</style>{rest}".encode()


@cache
def _font(weight: str, characters: str) -> str:
    """Take only the characters of one page out of a shipped font, as base64 WOFF."""
    import uharfbuzz
    from fontTools.ttLib import TTFont

    whole = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(font_folder() / f"SirolensSans-{weight}.otf"))
    wanted = uharfbuzz.SubsetInput()
    wanted.unicode_set.update(map(ord, characters))
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING | uharfbuzz.SubsetFlags.NOTDEF_OUTLINE
    cut = uharfbuzz.subset(whole, wanted).blob.data
    out = BytesIO()
    with TTFont(BytesIO(cut), lazy=True, recalcTimestamp=False, recalcBBoxes=False) as font:
        font.flavor = "woff"
        font.save(out)
    return b64encode(out.getvalue()).decode()
