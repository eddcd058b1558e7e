# SPDX-License-Identifier: Apache-2.0
"""One document, four renderers: the same words, no value that becomes markup, the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests import catalogues
from tests.report import invented

from sirolens.errors import SirolensError
from sirolens.message import info
from sirolens.report import docx, pdf, terminal
from sirolens.report.document import Column, Document, Figure, Frame, PageBreak, Paragraph, Table
from sirolens.report.drawing import FONT
from sirolens.report.forest_figure import ForestPlot, ForestRow
from sirolens.report.html import page
from sirolens.report.worded import texts, unbroken, worded

LANGUAGES = ("en", "zh")
HOSTILE = "<script>alert(1)</script>\"'}#let x = 1 \\end{a} @page{} </style>&amp; $x$ *bold* _it_ [link]"


def squeezed(text: str) -> str:
    """Without any white space: renderers break lines where they like."""
    return re.sub(r"[\s\u00a0]+", "", text)


def terminal_text(document: Document, language: str) -> str:
    from rich.console import Console

    out = io.StringIO()
    terminal.show(document, language, Console(file=out, width=240))
    return re.sub(r"[│║╭╮╰╯╔╗╚╝═─]", "", out.getvalue())


@cache
def made(render: Callable[[Document, str], Any], document: Document, language: str) -> Any:
    """What a renderer makes of a document, made once for all tests that look at it."""
    return render(document, language)


def html_text(document: Document, language: str) -> str:
    body = made(page, document, language).partition("<body>")[2]
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<svg.*?</svg>", "", body, flags=re.DOTALL)))


def pdf_text(document: Document, language: str) -> str:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(made(pdf.render, document, language)))
    return "".join(one.extract_text() for one in reader.pages)


def docx_text(document: Document, language: str) -> str:
    import docx as word

    file = word.Document(io.BytesIO(made(docx.render, document, language)))
    section = file.sections[0]
    paragraphs = [*file.paragraphs, *section.header.paragraphs, *section.footer.paragraphs]
    cells = [cell.text for table in file.tables for row in table.rows for cell in row.cells]
    return "".join([*(paragraph.text for paragraph in paragraphs), *cells])


RENDERERS: dict[str, Callable[[Document, str], str]] = {
    "terminal": terminal_text,
    "html": html_text,
    "pdf": pdf_text,
    "docx": docx_text,
}


@cache
def _rendered(renderer: str, language: str) -> str:
    return squeezed(RENDERERS[renderer](invented.document(), language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("renderer", RENDERERS)
def test_every_renderer_shows_every_word_of_the_document(renderer: str, language: str) -> None:
    shown = _rendered(renderer, language)
    missing = [text for text in texts(worded(invented.document(), language)) if squeezed(text) not in shown]
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("renderer", RENDERERS)
def test_research_output_is_framed_by_its_warning_on_both_sides(renderer: str, language: str) -> None:
    # H29: mechanism output must never read as dosing advice.
    word = squeezed({"en": "Research: not for dosing", "zh": "研究用途：非给药建议"}[language])
    content = squeezed(invented.TEXTS["demo.mechanism"][LANGUAGES.index(language)])
    before, _, after = _rendered(renderer, language).partition(content)
    assert word in before
    assert word in after


@pytest.mark.parametrize("language", LANGUAGES)
def test_intended_use_and_patient_stand_on_every_printed_page(language: str) -> None:
    # H11: a page that lies alone still says whose it is and what it is not for.
    from pypdf import PdfReader

    said = worded(invented.document(), language)
    reader = PdfReader(io.BytesIO(made(pdf.render, invented.document(), language)))
    assert len(reader.pages) >= 2
    for number, one in enumerate(reader.pages, start=1):
        shown = squeezed(one.extract_text())
        for text in (said.intended_use, said.banner, said.invented):
            assert squeezed(text) in shown
        assert str(number) in shown


@pytest.mark.parametrize("renderer", RENDERERS)
def test_what_a_value_says_is_shown_as_it_stands(renderer: str) -> None:
    hostile = replace(
        invented.document(),
        banner=info("demo.banner", patient=HOSTILE, age_years=1.0, weight_kg=9.0, dose_mg=1.0),
        blocks=(Table(columns=(Column(head=info("demo.regimen"), name="text"),), rows=((HOSTILE,),)),),
    )
    assert squeezed(HOSTILE) in squeezed(RENDERERS[renderer](hostile, "en"))


def test_the_html_page_has_no_script_and_asks_nothing_of_anybody() -> None:
    hostile = replace(invented.document(), banner=info("demo.banner", patient=HOSTILE, dose_mg=1.0))
    for text in (made(page, invented.document(), "zh"), made(page, hostile, "en")):
        assert "<script" not in text
        assert not re.search(r"""(?:src|href|action)\s*=|@import|\son\w+=|javascript:""", text)
        assert not re.search(r"\sstyle=", text)
        assert all(
            one.startswith(("#", "data:font/woff;base64,")) for one in re.findall(r"url\(['\"]?([^)'\"]+)", text)
        )


def test_the_html_page_forbids_itself_all_but_its_own_style() -> None:
    # Oracle: the digest a browser computes over what stands between <style> and </style>.
    text = made(page, invented.document(), "en")
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = html.unescape(re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[0])
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
def test_the_html_page_can_be_read_aloud(language: str, tag: str) -> None:
    text = made(page, invented.document(), language)
    assert f'<html lang="{tag}">' in text
    assert len(re.findall(r"<h1>", text)) == 1
    assert text.count("<th ") == text.count('scope="col"')
    assert text.count("<figure>") == len(re.findall(r'<svg[^>]*role="img"[^>]*><title>[^<]+</title>', text)) == 3
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert all(one in text for one in ("<header>", "<main>", "<footer>", 'name="viewport"'))


def test_the_html_page_carries_the_characters_it_shows() -> None:
    # Chinese must render on a machine that has no Chinese font.
    from fontTools.ttLib import TTFont

    text = made(page, invented.document(), "zh")
    shown = set(html.unescape(re.sub(r"<[^>]+>", "", text.partition("<body>")[2]))) - {"\n"}
    for data in re.findall(r"data:font/woff;base64,([A-Za-z0-9+/=]+)", text):
        with TTFont(io.BytesIO(base64.b64decode(data))) as font:
            assert shown <= {chr(code) for code in font.getBestCmap()}


def test_the_shipped_font_has_every_character_of_every_catalogue() -> None:
    from fontTools.ttLib import TTFont

    from sirolens.report.drawing import font_folder

    with TTFont(font_folder() / "SirolensSans-Regular.otf", lazy=True) as font:
        known = {chr(code) for code in font.getBestCmap()}
    missing = {
        char: code
        for path in catalogues.po_files()
        for code, text in catalogues.texts(path).items()
        for char in text
        if char not in known
    }
    assert not missing


@pytest.mark.parametrize("weight", ["Regular", "Bold"])
def test_the_glyphs_of_a_shipped_font_are_numbered_without_gaps(weight: str) -> None:
    # Every gap is read anew for every sign a figure sets; `tests/make_fonts.py` closes them.
    from fontTools.ttLib import TTFont

    from sirolens.report.drawing import font_folder

    with TTFont(font_folder() / f"SirolensSans-{weight}.otf", lazy=True) as font:
        names = font["CFF "].cff.topDictIndex[0].charset
    assert len(names) > 7000
    assert names == [".notdef", *(f"cid{index:05d}" for index in range(1, len(names)))]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_uses_the_shipped_font_alone_and_is_tagged(language: str) -> None:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(made(pdf.render, invented.document(), language)))
    names = {
        str(font.get_object()["/BaseFont"]) for one in reader.pages for font in one["/Resources"]["/Font"].values()
    }
    assert names
    assert all("SirolensSans" in name for name in names)
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title == worded(invented.document(), language).title


def test_a_drawing_higher_than_a_page_is_made_smaller_not_cut() -> None:
    """Oracle: the places of the words in the PDF, all above the foot of the text."""
    from pypdf import PdfReader

    rows = tuple(ForestRow(name=f"S{index}", middle=0.5) for index in range(120))
    plot = ForestPlot(rows=rows, axis=info("figures.study-head"))
    figure = Figure(name="high", drawing=plot, alt=info("figures.study-head"), caption=None)
    document = Document(title=info("figures.study-head"), blocks=(figure,), version="0")
    places: list[float] = []

    def seen(text: str, at: list[float], *_: object) -> None:
        if text.strip():
            places.append(at[5])

    for one in PdfReader(io.BytesIO(pdf.render(document, "en"))).pages:
        one.extract_text(visitor_text=seen)
    foot = 22 / 25.4 * 72  # points; below stand the page's own lines
    assert sum(place > foot for place in places) > 120
    assert min(place for place in places if place > 0.7 * foot) > foot
    assert min(places) > 0

    import docx as word

    shape = word.Document(io.BytesIO(docx.render(document, "en"))).inline_shapes[0]
    assert shape.height.mm < 297 - 2 * 22  # A4 less its margins
    plain = docx.render(replace(document, blocks=(replace(figure, drawing=replace(plot, rows=rows[:5])),)), "en")
    assert shape.width < word.Document(io.BytesIO(plain)).inline_shapes[0].width


def test_pdf_and_docx_and_html_are_the_same_bytes_each_time() -> None:
    for render in (pdf.render, docx.render, page):
        assert render(invented.document(), "zh") == made(render, invented.document(), "zh")


def test_files_are_written_where_asked(tmp_path: Path) -> None:
    pdf.write(invented.document(), "en", tmp_path / "a.pdf")
    docx.write(invented.document(), "en", tmp_path / "a.docx")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "a.docx").read_bytes().startswith(b"PK")


def test_a_font_that_is_missing_is_an_error_not_a_page_of_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "FONT", f"No {FONT}")
    with pytest.raises(SirolensError) as caught:
        pdf.render(invented.document(), "zh")
    assert caught.value.messages[0].code == "report.pdf-warned"


def test_pdf_without_typst_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(SirolensError) as caught:
        pdf.render(invented.document(), "en")
    assert caught.value.messages[0].code == "report.pdf-needs-typst"


def test_word_gets_a_chinese_font_alt_texts_and_repeating_heads() -> None:
    from zipfile import ZipFile

    with ZipFile(io.BytesIO(made(docx.render, invented.document(), "zh"))) as file:
        styles, body = (file.read(f"word/{name}.xml").decode() for name in ("styles", "document"))
        footer = "".join(file.read(name).decode() for name in file.namelist() if "footer" in name)
    assert 'w:eastAsia="Microsoft YaHei"' in styles
    assert body.count(f'descr="{invented.TEXTS["demo.course-alt"][1]}"') == 2
    assert "<w:tblHeader" in body
    assert "NUMPAGES" in footer


def test_a_number_and_its_unit_are_not_parted() -> None:
    assert unbroken("2 mg daily on 1 Sep 2026 at 83 %") == "2\u00a0mg daily on 1\u00a0Sep\u00a02026 at 83\u00a0%"
    assert unbroken("5 levels") == "5 levels"


def test_a_table_whose_rows_do_not_fit_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells under 1 columns"):
        Table(columns=(Column(head=info("demo.regimen"), name="regimen"),), rows=(("a", "b"),))


def test_a_table_of_many_columns_is_set_smaller_on_a_screen_so_that_none_is_cut_off() -> None:
    for columns, many in ((6, False), (7, True)):
        heads = tuple(Column(head=info("demo.regimen"), name="text") for _ in range(columns))
        document = replace(invented.document(), blocks=(Table(columns=heads, rows=(("a",) * columns,)),))
        assert ('<table class="many">' in page(document, "en")) == many


def test_two_figures_of_one_name_are_refused() -> None:
    figure = Figure(name="a", drawing=invented.bars(), alt=info("demo.bars-alt"))
    document = Document(title=info("demo.title"), blocks=(figure, Frame(blocks=(figure,))))
    with pytest.raises(ValueError, match="same name"):
        worded(document, "en")


def test_a_document_without_banner_levels_or_date_is_shown_too() -> None:
    bare = Document(title=info("demo.title"), blocks=(Paragraph(sentences=(info("demo.mechanism"),)), PageBreak()))
    for render in RENDERERS.values():
        assert "Sirolimusadvice" in squeezed(render(bare, "en"))
