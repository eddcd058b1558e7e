# SPDX-License-Identifier: Apache-2.0
"""How the fonts in `sirolens/report/fonts` were made: run as a module with the folder of the Noto Sans CJK collections.

`python -m tests.make_fonts FOLDER` reads NotoSansCJK-Regular.ttc and NotoSansCJK-Bold.ttc (Debian's fonts-noto-cjk, SIL
Open Font License 1.1) and writes two subsets under a name of their own, "Sirolens Sans": the regular weight has every
character of GBK (names of patients need it), the bold one those of GB2312 (headings). Signs that a clinic's page needs
and the original lacks or draws a full square wide (superscript digits, a narrow multiplication sign, a ballot x) are
made from the font's own outlines.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from fontTools.misc.transform import Transform
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Sirolens Sans"
FONTS = Path(__file__).parent.parent / "src" / "sirolens" / "report" / "fonts"
SIMPLIFIED, KOREAN = 2, 1  # faces of the collections; the Korean one has quotation marks of proportional width
FIRST_SPARE = 0xAC00  # glyphs of Hangul syllables, which the subsets do not need, are drawn over
PROPORTIONAL = "‘’“”·"
NARROW = "×±≥≤≈→←↑↓✓"
NARROW_SCALE, MIDDLE = 0.82, 380.0
SUPERSCRIPTS = dict(zip("0123456789−+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", strict=True))
SUPERSCRIPT_SCALE, SUPERSCRIPT_RISE, SUPERSCRIPT_GAP = 0.56, 345.0, 24.0
EXTRA = "²³¹ⁿµμαβγδεηθκλμρσωΔΣΩ€£¥§©®°‰†‡•‑–—−×÷±≈≠≤≥∞√∂∑←↑→↓⇒▲▼△▽◆◇○●■□★☆✓✔⚠äöüÄÖÜßéèêàçñåøÅØ䓬"


def gbk() -> set[str]:
    """Every character of the GBK encoding, with its ASCII."""
    found = {chr(code) for code in range(0x20, 0x7F)}
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            found |= _decoded(bytes((lead, trail)), "gbk")
    return found


def gb2312() -> set[str]:
    """Every character of the GB2312 encoding, with its ASCII."""
    found = {chr(code) for code in range(0x20, 0x7F)}
    for lead in range(0xA1, 0xF8):
        for trail in range(0xA1, 0xFF):
            found |= _decoded(bytes((lead, trail)), "gb2312")
    return found


def _decoded(code: bytes, encoding: str) -> set[str]:
    try:
        return set(code.decode(encoding))
    except UnicodeDecodeError:
        return set()


def _redrawer(font: TTFont) -> Callable[[str, TTFont, str, Transform, float], None]:
    """Return a function that draws a glyph of any font as a character of this one."""
    cmap = font.getBestCmap()
    top = font["CFF "].cff.topDictIndex[0]
    spare = iter(range(FIRST_SPARE, FIRST_SPARE + 200))

    def draw(char: str, origin: TTFont, glyph: str, transform: Transform, advance: float) -> None:
        slot = cmap[next(spare)]
        selector = top.FDSelect[font.getGlyphID(slot)]
        private = top.FDArray[selector].Private
        pen = T2CharStringPen(round(advance) - private.nominalWidthX, None)
        origin.getGlyphSet()[glyph].draw(TransformPen(pen, transform))
        charstring = pen.getCharString(private=private, globalSubrs=top.GlobalSubrs)
        top.CharStrings[slot] = charstring
        font["hmtx"][slot] = (round(advance), 0)
        for table in font["cmap"].tables:
            if table.isUnicode() and table.format != 14:
                table.cmap[ord(char)] = slot

    return draw


def _bounds(font: TTFont, glyph: str) -> tuple[float, float, float, float]:
    glyphs = font.getGlyphSet()
    pen = BoundsPen(glyphs)
    glyphs[glyph].draw(pen)
    return tuple(pen.bounds)


def add_signs(font: TTFont, korean: TTFont, heavy: TTFont) -> None:
    """Draw the missing signs over spare glyphs."""
    cmap, korean_cmap, heavy_cmap = font.getBestCmap(), korean.getBestCmap(), heavy.getBestCmap()
    draw = _redrawer(font)
    for char in PROPORTIONAL:
        glyph = korean_cmap[ord(char)]
        draw(char, korean, glyph, Transform(), korean["hmtx"][glyph][0])
    for char in NARROW:
        glyph = cmap[ord(char)]
        left, _, right, _ = _bounds(font, glyph)
        side = 60.0
        shift = Transform(NARROW_SCALE, 0, 0, NARROW_SCALE, side - left * NARROW_SCALE, MIDDLE * (1 - NARROW_SCALE))
        draw(char, font, glyph, shift, (right - left) * NARROW_SCALE + 2 * side)
    for plain, char in SUPERSCRIPTS.items():
        glyph = heavy_cmap[ord(plain)]
        advance = heavy["hmtx"][glyph][0]
        scale = Transform(SUPERSCRIPT_SCALE, 0, 0, SUPERSCRIPT_SCALE, SUPERSCRIPT_GAP / 2, SUPERSCRIPT_RISE)
        draw(char, heavy, glyph, scale, advance * SUPERSCRIPT_SCALE + SUPERSCRIPT_GAP)
    times = cmap[ord("×")]
    left, _, right, _ = _bounds(font, times)
    draw("✗", font, times, Transform(1.0, 0, 0, 1.0, 60 - left, 0), right - left + 120)
    space = cmap[ord(" ")]
    for char, width in (("\u2009", 160), ("\u202f", 160)):
        draw(char, font, space, Transform(), width)


def rename(font: TTFont, style: str) -> None:
    """Give the subset a name of its own, keeping copyright and licence."""
    names = font["name"]
    kept = [record for record in names.names if record.nameID in (0, 7, 13, 14) and record.langID in (0x409, 0)]
    names.names = kept
    postscript = f"{FAMILY.replace(' ', '')}-{style}"
    texts = {1: FAMILY, 2: style, 3: f"1.0;{postscript}", 4: f"{FAMILY} {style}", 5: "Version 1.0", 6: postscript}
    for number, text in texts.items():
        names.setName(text, number, 3, 1, 0x409)
    names.setName("A subset of Noto Sans CJK SC 2.004 with added signs", 10, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [postscript]
    top = cff.topDictIndex[0]
    top.FullName, top.FamilyName = f"{FAMILY} {style}", FAMILY


def number_in_a_row(font: TTFont) -> None:
    """Number the glyphs of a subset without gaps.

    The renderer of figures reads the numbers, range by range, anew for every sign it sets: the thousands of ranges that
    a subset keeps from the whole font made a figure three times as slow. The numbers mean nothing (Adobe-Identity).
    """
    top = font["CFF "].cff.topDictIndex[0]
    assert top.ROS[:2] == ("Adobe", "Identity")
    before = font.getGlyphOrder()
    new = {name: f"cid{index:05d}" if index else ".notdef" for index, name in enumerate(before)}
    for table in font["cmap"].tables:
        table.cmap = {code: new[name] for code, name in table.cmap.items()}
    font["hmtx"].metrics = {new[name]: metrics for name, metrics in font["hmtx"].metrics.items()}
    top.CharStrings.charStrings = {new[name]: index for name, index in top.CharStrings.charStrings.items()}
    top.charset = [new[name] for name in before]
    font.setGlyphOrder(top.charset)


def make(folder: Path, style: str, characters: Iterable[str]) -> Path:
    """Write one subset and return its path."""
    collection = folder / f"NotoSansCJK-{style}.ttc"
    font = TTFont(collection, fontNumber=SIMPLIFIED)
    korean = TTFont(collection, fontNumber=KOREAN)
    heavy = TTFont(folder / "NotoSansCJK-Bold.ttc", fontNumber=SIMPLIFIED)
    add_signs(font, korean, heavy)
    options = Options(
        layout_features=[],
        hinting=False,
        notdef_outline=True,
        name_IDs=["*"],
        drop_tables=["GSUB", "GPOS", "vhea", "vmtx", "VORG", "BASE"],
        recalc_timestamp=False,
    )
    subsetter = Subsetter(options)
    signs = "".join((*SUPERSCRIPTS.values(), NARROW, PROPORTIONAL, "✗\u2009\u202f\u00a0"))
    subsetter.populate(text="".join(sorted({*characters, *EXTRA, *signs})))
    subsetter.subset(font)
    rename(font, style)
    path = FONTS / f"SirolensSans-{style}.otf"
    font.save(path)
    with TTFont(path, recalcTimestamp=False, recalcBBoxes=False) as subset:
        number_in_a_row(subset)
        subset.save(path)
    return path


def main() -> None:
    """Make both weights."""
    folder = Path(sys.argv[1])
    for style, characters in (("Regular", gbk()), ("Bold", gb2312())):
        path = make(folder, style, characters)
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
