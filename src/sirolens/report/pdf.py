# SPDX-License-Identifier: Apache-2.0
"""A document as PDF on A4, by typst: the same words and drawings, tagged, with the shipped font and no clock in it.

The layout (`templates/page.typ`) takes everything as data, so that nothing a value says can become markup. Fonts of the
machine are ignored: the same document gives the same bytes everywhere.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sirolens.errors import SirolensError
from sirolens.message import error
from sirolens.report.document import Document
from sirolens.report.drawing import FONT, font_folder
from sirolens.report.html import drawn, with_units_kept
from sirolens.report.worded import worded
from sirolens.report.words import label

__all__ = ["render", "write"]

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
    data = {
        **with_units_kept(said),
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


def write(document: Document, language: str, path: Path) -> None:
    """Write a document as a PDF file."""
    path.write_bytes(render(document, language))
