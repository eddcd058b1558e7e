# SPDX-License-Identifier: Apache-2.0
"""A document as PDF on A4, by typst: the same words and drawings, tagged, with the shipped font and no clock in it.

The layout (`templates/page.typ`) takes everything as data, so that nothing a value says can become markup. Fonts of the
machine are ignored: the same document gives the same bytes everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sirolens.errors import SirolensError
from sirolens.message import error
from sirolens.report.columns import column_widths
from sirolens.report.document import Document
from sirolens.report.drawing import FONT, font_folder
from sirolens.report.html import drawn, with_units_kept
from sirolens.report.worded import worded
from sirolens.report.words import label

__all__ = ["render", "write"]

# As in templates/page.typ: the width between the margins, the size of text in cells, the padding of a cell and a frame.
TEXT_WIDTH_MM, CELL_MM, CELL_PADDING_MM, FRAME_MM = 178.0, 3.1, 3.0, 8.0
LANGUAGE_AND_REGION = MappingProxyType({"en": ("en", "GB"), "zh": ("zh", "CN")})


def render(document: Document, language: str) -> bytes:
    """Render a document as PDF.

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

    Raises
    ------
    SirolensError
        ``report.pdf-needs-typst`` when the optional library is not installed; ``report.pdf-warned`` when the layout
        warns, such as of a missing font.

    Examples
    --------
    >>> from sirolens.message import info
    >>> render(Document(title=info("report.research-frame"), blocks=()), "zh")[:5]
    b'%PDF-'
    """
    try:
        import typst
    except ImportError as missing:
        raise SirolensError(error("report.pdf-needs-typst")) from missing
    said = worded(document, language)
    lang, region = LANGUAGE_AND_REGION[said.language]
    told = with_units_kept(said)
    data = {
        **told,
        "blocks": _with_widths(told["blocks"], TEXT_WIDTH_MM),
        "running": said.banner or said.title,
        "font": FONT,
        "lang": lang,
        "region": region,
        "page_of": label("report.page-of", said.language, page="{page}", pages="{pages}"),
        "drawings": dict(drawn(said)),
    }
    layout = (files("sirolens.report") / "templates" / "page.typ").read_bytes()
    compile_it: Any = typst.compile_with_warnings  # its overloads do not cover source given as bytes
    pdf, warnings = compile_it(
        layout,
        font_paths=[str(font_folder())],
        ignore_system_fonts=True,
        sys_inputs={"page": json.dumps(data, ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )
    if warnings:
        raise SirolensError(error("report.pdf-warned", text="; ".join(str(one) for one in warnings)))
    return bytes(pdf)


def _with_widths(blocks: Sequence[dict[str, Any]], total_mm: float) -> list[dict[str, Any]]:
    """Give every table the widths of its columns; inside a frame there is less room."""
    found = []
    for block in blocks:
        if block["kind"] == "table":
            widths_mm, scale = column_widths(block, total_mm=total_mm, size_mm=CELL_MM, padding_mm=CELL_PADDING_MM)
            found.append({**block, "widths_mm": widths_mm, "scale": scale})
        elif block["kind"] == "frame":
            found.append({**block, "blocks": _with_widths(block["blocks"], total_mm - FRAME_MM)})
        else:
            found.append(block)
    return found


def write(document: Document, language: str, path: Path) -> None:
    """Write a document as a PDF file."""
    path.write_bytes(render(document, language))
