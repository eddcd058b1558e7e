# SPDX-License-Identifier: Apache-2.0
"""The values of Chinese exports put into the shape of a record: the quirks that all of these formats share.

Seen in exports: ``(#br)`` for a line break; abstracts that begin with ``<正>`` (the text of the first page);
superscripts as ``~(2+)`` and subscripts as ``_3``; keywords split by ``;`` or ``;;``; the DOI missing, in a field of
its own or only inside the link; pages ``1-9`` with neither issue nor volume for a paper published online first; two
page fields, of which one is the number of pages.

The exports have no field for a retraction. A title that begins with 撤稿 in brackets flags the record; a title that
says 撤稿声明 or 撤稿启事 is a notice of one. That is our reading of titles, shown to the reviewer and never acted on
alone.
"""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import unquote

from sirolens.evidence.record import Notice, NoticeKind
from sirolens.evidence.sources.chinese_names import authors
from sirolens.evidence.sources.marked_lines import Fields
from sirolens.evidence.sources.printed import bare_doi, issns, year_month

__all__ = ["assemble", "doi_in_link", "keywords_of", "one_line", "paragraphs_of"]

# From the beginning of blanks only: a line of a million blanks costs no more than it is long.
_BREAK = re.compile(r"(?<!\s)\s*+(?:(?:\(#br\)|<br\s*+/?>)\s*+)++", re.IGNORECASE)
_SPECIAL = re.compile(r"[\t\n\r\u3000\ufeff_~(<]|  ")  # only such a text needs more than its ends cleaned
_FIRST_PAGE = re.compile(r"\s*(?:<正>|＜正＞|&lt;正&gt;)")
_HEADING = re.compile(r"\s*Abstract\s*(?:[:：]\s*|\n+|$)", re.IGNORECASE)
_RAISED = re.compile(r"~\(([0-9+\-−n]{1,4})\)")
_LOWERED = re.compile(r"_(?:\((\d{1,3})\)|(\d{1,3}))(?![a-z0-9_.])")
_UP = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_DOWN = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SEMICOLONS = re.compile(r"[;；\n]+")
_COMMAS = re.compile(r"[，、]|,(?!\d)")
_LINKED_DOI = re.compile(r"doi(?:\.org)?[/=](10\.\d{4,9}/[^\s?&#;；，。]+)", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s；，。]+")
_FILE_NAME = re.compile(r"[?&]file_?name=([A-Za-z0-9._\-]+)", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"1(?:-\d{1,3})?")
_PAGES = re.compile(r"\d[-+,–—~]\s*[A-Za-z]?\d")
_RETRACTED = re.compile(r"\s*[\[［【(（]\s*(?:已)?撤稿\s*[\]］】)）]")
_NOTICE = re.compile(r"撤稿(?:声明|聲明|启事|啟事|公告|通知)")
_JOURNAL_KINDS = ("journal", "期刊")
_DEGREES = re.compile(r"thesis|dissertation|学位|博士|硕士", re.IGNORECASE)


def one_line(text: str) -> str:
    """Write a value on one line: line breaks become a space, sub- and superscripts their signs.

    >>> one_line("Ca~(2+)与CO_2 的(#br)研究，2~4 mg")
    'Ca²⁺与CO₂ 的 研究，2~4 mg'
    """
    text = text.strip()
    if _SPECIAL.search(text) is None:
        return text
    if "(" in text or "<" in text:
        text = _BREAK.sub(" ", text)
    return " ".join(_scripts(text).replace("\ufeff", " ").split())


def _scripts(text: str) -> str:
    if "~(" in text:
        text = _RAISED.sub(lambda found: found[1].translate(_UP), text)
    if "_" in text:
        text = _LOWERED.sub(_lowered, text)
    return text


def _lowered(found: re.Match[str]) -> str:
    before = found.string[found.start() - 1 : found.start()]
    if before in (")", "]") or (before.isascii() and before.isalpha()):
        return (found[1] or found[2]).translate(_DOWN)
    return found[0]


def paragraphs_of(text: str) -> str:
    r"""Write an abstract: its paragraphs on lines of their own, without the mark of a first page.

    >>> paragraphs_of("<正>目的 虚构(#br)方法 虚构"), paragraphs_of("Abstract(#br)Invented.")
    ('目的 虚构\n方法 虚构', 'Invented.')
    """
    if not text:
        return ""
    if "(#br" in text or "<" in text:
        text = _BREAK.sub("\n", text)
    for mark in (_FIRST_PAGE, _HEADING):
        if (found := mark.match(text)) is not None:
            text = text[found.end() :]
    rows = (one_line(row) for row in text.split("\n"))
    return "\n".join(row for row in rows if row)


def keywords_of(values: list[str]) -> tuple[str, ...]:
    """Split keywords at semicolons, or at commas where there is no semicolon.

    >>> keywords_of(["西罗莫司;;ITP；"]), keywords_of(["西罗莫司,1,25-二羟维生素D3"])
    (('西罗莫司', 'ITP'), ('西罗莫司,1,25-二羟维生素D3',))
    """
    found: list[str] = []
    for value in values:
        parts = _SEMICOLONS.split(value)
        if len(parts) == 1 and not re.search(r",\d", value):
            parts = _COMMAS.split(value)
        found += [one_line(part) for part in parts]
    return tuple(dict.fromkeys(word for word in found if word))


def doi_in_link(text: str) -> str:
    """Return the DOI that a link carries.

    >>> doi_in_link("https://link.cnki.net/doi/10.99999/j.fake.2023.03.001?from=x")
    '10.99999/j.fake.2023.03.001'
    """
    found = _LINKED_DOI.search(unquote(text)) if "doi" in text.lower() else None
    return found[1].rstrip(".,;").lower() if found else ""


def assemble(fields: Fields) -> dict[str, Any]:
    """Turn the fields of one record into the arguments of `Record`; what is empty is left out.

    Parameters
    ----------
    fields : Fields
        Under the canonical names ``kind, title, second-title, author, journal, place, year, date, volume, issue, pages,
        keywords, abstract, issn, doi, url, database, language, degree, accession``. ``place`` is the university of a
        thesis, which stands for its journal.
    """
    values = fields.values
    first = _first(values)
    kinds = tuple(dict.fromkeys(map(one_line, values.get("kind", []) + values.get("degree", []))))
    found: dict[str, Any] = {"kinds": kinds, "unparsed": fields.unparsed}
    found["title"], found["title_vernacular"] = one_line(first("title")), one_line(first("second-title"))
    if not found["title"] and found["title_vernacular"]:
        found |= {"title": found["title_vernacular"], "title_vernacular": "", "title_translated": True}
    found["authors"], found["authors_cut"] = authors("\n".join(values.get("author", ())))
    is_thesis = any(_DEGREES.search(kind) for kind in kinds)
    found["journal"] = one_line(first("journal") or (first("place") if is_thesis else ""))
    found["volume"], found["issue"] = one_line(first("volume")), one_line(first("issue"))
    found["pages"] = _pages(values.get("pages", []))
    found |= _dates(first("year"), first("date"), kinds, found)
    found["keywords"] = keywords_of(values.get("keywords", []))
    found["abstract"] = paragraphs_of("\n".join(values.get("abstract", ())))
    found["issn"] = issns(*(value for value in values.get("issn", ()) if not re.search(r"/|\b(?!ISSN)[A-Z]{2}", value)))
    links = html.unescape(" ".join(values.get("url", ()))) if "url" in values else ""
    link = _LINK.search(links)
    found["url"] = link[0] if link else ""
    found["doi"] = bare_doi(" ".join(values.get("doi", ()))) or doi_in_link(links)
    if not first("accession") and (name := _FILE_NAME.search(links)):
        found["accession"] = name[1]
    else:
        found["accession"] = one_line(first("accession"))
    found["database"] = one_line(first("database"))
    found["languages"] = tuple(one_line(part) for part in _SEMICOLONS.split(first("language")) if part.strip())
    found |= _retraction(found["title"])
    return {name: value for name, value in found.items() if value not in ("", (), None, False)}


def _first(values: dict[str, list[str]]) -> Any:
    def first(name: str) -> str:
        return values[name][0] if name in values else ""

    return first


def _pages(values: list[str]) -> str:
    """Of two page fields, one is the number of pages: take the one that is a range, else the last."""
    if not values:
        return ""
    return one_line(next((value for value in values if _PAGES.search(value)), values[-1]))


def _dates(year: str, date: str, kinds: tuple[str, ...], found: dict[str, Any]) -> dict[str, Any]:
    printed, _ = year_month(year)
    dated, month = year_month(date or year)
    journal = not kinds or any(word in kind.lower() for kind in kinds for word in _JOURNAL_KINDS)
    number = printed or dated
    if dated != number:
        month = None
    unassigned = not found["issue"] and not found["volume"]
    only_online = printed is None and dated is not None
    placeholder = bool(_PLACEHOLDER.fullmatch(found["pages"]))
    return {"year": number, "month": month, "online_first": journal and unassigned and (only_online or placeholder)}


def _retraction(title: str) -> dict[str, Any]:
    if "撤稿" not in title:
        return {}
    if _NOTICE.search(title):
        return {"notices": (Notice(kind=NoticeKind.RETRACTION_OF, printed=title),)}
    return {"retracted": _RETRACTED.match(title) is not None}
