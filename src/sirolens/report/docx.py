# SPDX-License-Identifier: Apache-2.0
"""A document as an editable Word file: the same words, real tables and headings, pictures with their alt text.

Word takes Chinese characters from a font's East Asian slot, which is set beside the Latin one everywhere. The file
carries no clock: the same document gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sirolens.report.columns import column_widths
from sirolens.report.document import Document
from sirolens.report.drawing import png
from sirolens.report.worded import Worded, unbroken, worded
from sirolens.report.words import label

__all__ = ["render", "write"]

LATIN, EAST_ASIAN = "Arial", "Microsoft YaHei"
LANG = MappingProxyType({"en": "en-GB", "zh": "zh-CN"})
INK, QUIET, BLUE, RESEARCH, PALE = "1C2733", "55626F", "0B5A8F", "7A3B8F", "EAF2F8"
TEXT_WIDTH_MM, FACT_WIDTH_MM = 178, 45
TALLEST_MM = 238  # of a drawing: the height of the text, less a caption
CELL_PT, CELL_MM, CELL_PADDING_MM = 9.0, 3.4, 4.2  # Arial is a little wider than the shipped font
# Shape, colour and shade of each severity; the shape and the word tell it in a print without colour.
LOOKS = MappingProxyType(
    {
        "checked": ("✓", "23633D", "FFFFFF"),
        "info": ("●", "0B5A8F", "FFFFFF"),
        "warning": ("▲", "7D4E05", "FFFAF0"),
        "critical": ("◆", "9C1C15", "FDF1EE"),
        "error": ("×", "9C1C15", "FDF1EE"),
    }
)
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def render(document: Document, language: str) -> bytes:
    """Render a document as DOCX.

    Parameters
    ----------
    document : Document
        What to show.
    language : str
        ``"en"`` or ``"zh"``.

    Returns
    -------
    bytes
        The file.

    Examples
    --------
    >>> from sirolens.message import info
    >>> render(Document(title=info("report.research-frame"), blocks=()), "en")[:2]
    b'PK'
    """
    import docx

    said = worded(document, language)
    file = docx.Document()
    _set_up(file, said)
    file.add_paragraph(said.title, style="Title")
    if said.made:
        _paragraph(file, said.made, colour=QUIET, size=9)
    _blocks(file, said.blocks, said)
    out = BytesIO()
    file.save(out)
    return _without_clock(out.getvalue())


def write(document: Document, language: str, path: Path) -> None:
    """Write a document as a DOCX file."""
    path.write_bytes(render(document, language))


def _without_clock(data: bytes) -> bytes:
    out = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(ZipInfo(entry.filename, FIXED_DATE), old.read(entry.filename), compress_type=ZIP_DEFLATED)
    return out.getvalue()


def _set_up(file: Any, said: Worded) -> None:
    """Page, styles, running header and footer."""
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Mm, Pt, RGBColor

    section = file.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(16)
    section.top_margin, section.bottom_margin = Mm(22), Mm(22)
    sizes = {"Normal": 10, "Title": 18, "Heading 2": 13, "Heading 3": 11}
    for name, size in sizes.items():
        style = file.styles[name]
        _fonts(style.element.get_or_add_rPr())
        style.font.size = Pt(size)
        style.font.color.rgb = RGBColor.from_string(INK)
        style.font.bold = name != "Normal"
    file.styles["Normal"].paragraph_format.space_after = Pt(4)
    file.styles["Title"].paragraph_format.space_after = Pt(2)
    _no_border(file.styles["Title"])
    _language(file.styles["Normal"], LANG[said.language])
    properties = file.core_properties
    properties.title, properties.author, properties.language = said.title, "sirolens", LANG[said.language]
    header = section.header.paragraphs[0]
    _run(header, unbroken(said.banner or said.title), bold=True, size=8)
    if said.invented:
        _run(header, f"    {said.invented}", size=8, colour="7D4E05")
    footer = section.footer.paragraphs[0]
    footer.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH_MM), WD_TAB_ALIGNMENT.RIGHT)
    _run(footer, unbroken(said.intended_use), size=7.5, colour=QUIET)
    _page_number(section.footer.add_paragraph(), said.language)


def _fonts(properties: Any) -> None:
    """Set the Latin and the East Asian font of a style's or run's properties."""
    from docx.oxml.ns import qn

    fonts = properties.get_or_add_rFonts()
    for slot in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{slot}"), LATIN)
    fonts.set(qn("w:eastAsia"), EAST_ASIAN)
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)


def _language(style: Any, tag: str) -> None:
    properties = style.element.get_or_add_rPr()
    properties.append(_element("w:lang", {"w:val": tag, "w:eastAsia": tag if tag.startswith("zh") else "zh-CN"}))


def _no_border(style: Any) -> None:
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_pPr()
    for border in properties.findall(qn("w:pBdr")):
        properties.remove(border)


def _element(tag: str, attributes: Mapping[str, str]) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(qn(name), value)
    return element


def _run(paragraph: Any, text: str, *, bold: bool = False, size: float = 0, colour: str = "") -> Any:
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(text)
    run.bold = bold or None
    if size:
        run.font.size = Pt(size)
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour)
    return run


def _paragraph(parent: Any, text: str, *, bold: bool = False, size: float = 0, colour: str = "") -> Any:
    paragraph = parent.add_paragraph()
    _run(paragraph, unbroken(text), bold=bold, size=size, colour=colour)
    return paragraph


def _page_number(paragraph: Any, language: str) -> None:
    """Write "page x of y" with fields that Word fills in."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    words = label("report.page-of", language, page="\ue000", pages="\ue001")
    for part in _split(words):
        if part in ("\ue000", "\ue001"):
            instruction = _element("w:instrText", {"xml:space": "preserve"})
            instruction.text = "PAGE" if part == "\ue000" else "NUMPAGES"
            for piece in (
                _element("w:fldChar", {"w:fldCharType": "begin"}),
                instruction,
                _element("w:fldChar", {"w:fldCharType": "separate"}),
            ):
                _run(paragraph, "", size=7.5, colour=QUIET)._r.append(piece)
            _run(paragraph, "1", size=7.5, colour=QUIET)
            _run(paragraph, "", size=7.5, colour=QUIET)._r.append(_element("w:fldChar", {"w:fldCharType": "end"}))
        else:
            _run(paragraph, part, size=7.5, colour=QUIET)


def _split(words: str) -> Iterator[str]:
    rest = words
    for sign in ("\ue000", "\ue001"):
        before, _, rest = rest.partition(sign)
        yield from (before, sign)
    yield rest


def _shade(target: Any, fill: str) -> None:
    target.append(_element("w:shd", {"w:val": "clear", "w:color": "auto", "w:fill": fill}))


def _left_bar(paragraph: Any, colour: str, fill: str) -> None:
    """Give a paragraph a coloured bar at its left and a shade."""
    properties = paragraph._p.get_or_add_pPr()
    borders = _element("w:pBdr", {})
    borders.append(_element("w:left", {"w:val": "single", "w:sz": "24", "w:space": "8", "w:color": colour}))
    properties.append(borders)
    _shade(properties, fill)


def _blocks(file: Any, blocks: Sequence[Mapping[str, Any]], said: Worded) -> None:
    for block in blocks:
        _block(file, block, said)


def _block(file: Any, block: Mapping[str, Any], said: Worded) -> None:
    from docx.enum.text import WD_BREAK
    from docx.shared import Pt

    match block["kind"]:
        case "heading":
            file.add_heading(unbroken(block["text"]), level=block["level"])
        case "headline":
            _, colour, fill = LOOKS[block["severity"]]
            shade = PALE if block["severity"] == "info" else fill
            lines = [_paragraph(file, block["text"], bold=True, size=13)]
            lines += [_paragraph(file, detail) for detail in block["details"]]
            for line in lines:
                _left_bar(line, colour, shade)
                line.paragraph_format.space_after = Pt(10 if line is lines[-1] else 0)
        case "paragraph":
            _paragraph(file, block["text"])
        case "findings":
            for item in block["items"]:
                _finding(file, item)
        case "facts":
            _facts(file, block["items"])
        case "table":
            _table(file, block)
        case "figure":
            _figure(file, block, said)
        case "frame":
            _research_bar(file, block["word"])
            _blocks(file, block["blocks"], said)
            _research_bar(file, block["word"])
        case _:
            file.add_paragraph().add_run().add_break(WD_BREAK.PAGE)


def _research_bar(file: Any, word: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = _paragraph(file, word, bold=True, colour="FFFFFF")
    _shade(paragraph._p.get_or_add_pPr(), RESEARCH)  # before the alignment: Word wants its elements in order
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _finding(file: Any, item: Mapping[str, str]) -> None:
    shape, colour, fill = LOOKS[item["severity"]]
    paragraph = file.add_paragraph()
    paragraph.paragraph_format.keep_together = True
    _run(paragraph, f"{shape}\u00a0", bold=True, colour=colour)
    _run(paragraph, item["word"], bold=True, colour=colour)
    _run(paragraph, f"  {unbroken(item['text'])}")
    if item["source"]:
        paragraph.add_run().add_break()
        _run(paragraph, unbroken(item["source"]), size=8.5, colour=QUIET)
    _left_bar(paragraph, colour, fill)


def _facts(file: Any, items: Sequence[Mapping[str, Any]]) -> None:
    table = file.add_table(rows=0, cols=2)
    for item in items:
        cells = table.add_row().cells
        _fill(cells[0], item["label"], colour=QUIET)
        _fill(cells[1], item["value"], bold=not item["wide"])
    _set_widths(table, (FACT_WIDTH_MM, TEXT_WIDTH_MM - FACT_WIDTH_MM))


def _fill(cell: Any, text: str, *, bold: bool = False, colour: str = "", size: float = CELL_PT) -> Any:
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(1)
    _run(paragraph, unbroken(text), bold=bold, colour=colour, size=size)
    return paragraph


def _table(file: Any, block: Mapping[str, Any]) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    if block["caption"]:
        _paragraph(file, block["caption"], bold=True).paragraph_format.keep_with_next = True
    widths_mm, scale = column_widths(block, total_mm=TEXT_WIDTH_MM, size_mm=CELL_MM, padding_mm=CELL_PADDING_MM)
    size = CELL_PT * scale
    table = file.add_table(rows=1, cols=len(block["heads"]))
    _borders(table)
    for cell, head, numeric in zip(table.rows[0].cells, block["heads"], block["numeric"], strict=True):
        paragraph = _fill(cell, head["text"], bold=True, size=size)
        if head["unit"]:
            paragraph.add_run().add_break()
            _run(paragraph, head["unit"], size=0.9 * size, colour=QUIET)
        if numeric:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    table.rows[0]._tr.get_or_add_trPr().append(_element("w:tblHeader", {"w:val": "true"}))
    for row in block["rows"]:
        added = table.add_row()
        added._tr.get_or_add_trPr().append(_element("w:cantSplit", {"w:val": "true"}))
        for index, (cell, text) in enumerate(zip(added.cells, row["cells"], strict=True)):
            mark = "► " if row["marked"] and index == 0 else ""
            paragraph = _fill(cell, mark + text, bold=row["marked"], size=size)
            if block["numeric"][index]:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if row["marked"]:
                _shade(cell._tc.get_or_add_tcPr(), PALE)
    _set_widths(table, widths_mm)
    for note in block["notes"]:
        _paragraph(file, note, size=8.5, colour=QUIET)


def _set_widths(table: Any, widths_mm: Sequence[float]) -> None:
    """Set the widths of columns and of their cells: Word reads the cells, others the columns."""
    from docx.shared import Mm

    table.autofit = False
    for column, width_mm in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width_mm)
        for cell in column.cells:
            cell.width = Mm(width_mm)


def _borders(table: Any) -> None:
    from docx.oxml.ns import qn

    borders = _element("w:tblBorders", {})
    for side, size, colour in (("top", "8", INK), ("bottom", "8", INK), ("insideH", "4", "D5DBE1")):
        borders.append(_element(f"w:{side}", {"w:val": "single", "w:sz": size, "w:space": "0", "w:color": colour}))
    later = [
        child for child in table._tbl.tblPr if child.tag in (qn("w:tblLayout"), qn("w:tblCellMar"), qn("w:tblLook"))
    ]
    if later:
        later[0].addprevious(borders)
    else:
        table._tbl.tblPr.append(borders)


def _figure(file: Any, block: Mapping[str, Any], said: Worded) -> None:
    from docx.shared import Mm

    picture = png(said.drawings[block["name"]], language=said.language, zone=said.zone)
    paragraph = file.add_paragraph()
    shape = paragraph.add_run().add_picture(BytesIO(picture), width=Mm(TEXT_WIDTH_MM))
    if shape.height > Mm(TALLEST_MM):  # what is higher than a page is cut at its foot
        shape.width, shape.height = round(shape.width * Mm(TALLEST_MM) / shape.height), Mm(TALLEST_MM)
    shape._inline.docPr.set("descr", block["alt"])
    shape._inline.docPr.set("name", block["name"])
    if block["caption"]:
        paragraph.paragraph_format.keep_with_next = True
        _paragraph(file, block["caption"], size=8.5, colour=QUIET)
