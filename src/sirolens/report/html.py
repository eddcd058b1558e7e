# SPDX-License-Identifier: Apache-2.0
"""A document as one self-contained HTML page: no script, no request, its own font, fit for screen, print and reader.

Everything a value says is escaped by the template; figures are inline SVG. The page forbids itself everything but its
own style and font by a content security policy.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sirolens.report.document import Document
from sirolens.report.drawing import FONT, svg
from sirolens.report.page_font import font_faces
from sirolens.report.worded import Worded, texts, unbroken, worded
from sirolens.report.words import label

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["drawn", "page", "with_units_kept"]

LANG = MappingProxyType({"en": "en", "zh": "zh-Hans"})
ALWAYS = "".join(chr(code) for code in range(0x20, 0x7F)) + "\u00a0·"


def page(document: Document, language: str) -> str:
    """Render a document as an HTML page.

    Parameters
    ----------
    document : Document
        What to show.
    language : str
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        The page; write it as UTF-8.

    Examples
    --------
    >>> from sirolens.message import info
    >>> text = page(Document(title=info("report.research-frame"), blocks=()), "en")
    >>> "<h1>Research: not for dosing</h1>" in text, "<script" in text
    (True, False)
    """
    from markupsafe import Markup

    said = worded(document, language)
    figures = {name: Markup(drawn) for name, drawn in drawn(said)}
    style = _style(said, figures)
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; font-src data:; base-uri 'none'; form-action 'none'"
    )
    return _page().render(
        page=with_units_kept(said), figures=figures, style=Markup(style), policy=policy, lang=LANG[said.language]
    )


@cache
def _page() -> Template:
    """Compile the template of a page, once for a process."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(loader=FunctionLoader(_template), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html")


@cache
def _template(name: str) -> str:
    return (files("sirolens.report") / "templates" / name).read_text(encoding="utf-8")


def _digest(style: str) -> str:
    return b64encode(sha256(style.encode()).digest()).decode()


def drawn(said: Worded) -> Iterator[tuple[str, str]]:
    """Yield the name and the SVG of every figure, in order."""
    for block in _all_blocks(said.blocks):
        if block["kind"] == "figure":
            name = str(block["name"])
            alt = str(block["alt"])
            drawing = said.drawings[name]
            yield name, svg(drawing, name=name, language=said.language, zone=said.zone, alt=alt)


def _all_blocks(blocks: Any) -> Iterator[Mapping[str, Any]]:
    for block in blocks:
        yield block
        yield from _all_blocks(block.get("blocks", ()))


def with_units_kept(said: Worded) -> dict[str, Any]:
    """Keep numbers with their units in every text; the names of figures stay as they are."""

    def visit(part: Any, key: str = "") -> Any:
        if isinstance(part, Mapping):
            return {name: visit(value, name) for name, value in part.items()}
        if isinstance(part, list | tuple):
            return [visit(value, key) for value in part]
        return unbroken(part) if isinstance(part, str) and key not in ("kind", "name", "severity") else part

    kept = ("title", "banner", "intended_use", "made", "invented", "blocks")
    return {name: visit(getattr(said, name), name) for name in kept}


def _style(said: Worded, figures: Mapping[str, str]) -> str:
    margins = label("report.page-of", said.language, page="", pages="")
    characters = frozenset("".join((*texts(said), *figures.values(), margins, ALWAYS)))
    used = "".join(sorted(characters))
    return f"{font_faces(used)}{_template('page.css')}{_paper(said)}"


def _paper(said: Worded) -> str:
    """Put banner, intended use and page numbers into the margins of every printed page."""
    words = label("report.page-of", said.language, page="\ue000", pages="\ue001")
    before, between, after = (_css_text(part) for part in re.split("[\ue000\ue001]", words))
    numbers = f"{before} counter(page) {between} counter(pages) {after}"
    top = " · ".join(text for text in (said.banner or said.title, said.invented) if text)
    small = f'font: 8pt "{FONT}", sans-serif; color: #55626f;'
    return (
        f"@page {{ size: A4; margin: 20mm 15mm 22mm; "
        f"@top-left {{ content: {_css_text(unbroken(top))}; {small} width: 100%; }} "
        f"@bottom-left {{ content: {_css_text(unbroken(said.intended_use))}; {small} width: 82%; text-align: left; }} "
        f"@bottom-right {{ content: {numbers}; {small} white-space: nowrap; }} }}\n"
        f"@page :first {{ @top-left {{ content: none; }} }}\n"
    )


def _css_text(text: str) -> str:
    r"""Write a text as a CSS string in which nothing can end it.

    >>> print(_css_text('a"</style>'))
    "a\22 \3c \2f style\3e "
    """
    return '"' + "".join(char if char.isalnum() or char == " " else f"\\{ord(char):x} " for char in text) + '"'
