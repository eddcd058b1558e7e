# SPDX-License-Identifier: Apache-2.0
"""CNKI's custom and novelty-search exports (自定义, 查新) as text: a record begins with ``SrcDatabase-来源库``.

The keys look like those of E-Study and differ: ``PageCount-页码`` holds the pages here, and mostly no space stands
behind the colon. The same columns exist as a spreadsheet: `sources.cnki_table`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.chinese_fields import assemble
from sirolens.evidence.sources.cnki_estudy import KEY, NAMES, accept_key, named_database
from sirolens.evidence.sources.marked_lines import Fields, MarkedFormat, read_marked
from sirolens.evidence.sources.text import SIGNATURE, WEAK, SourceText, Unread

__all__ = ["NAME", "detect", "named_fields", "read"]

NAME: Final = "cnki-custom"
_START = re.compile(r"\n[\ufeff \t]*SrcDatabase-来源库[ \t]*[:：]", re.MULTILINE)
# E-Study has the key too, at the end of its records: only before the title does it begin one.
_OPENING = re.compile(r"\s*\ufeff?SrcDatabase-来源库[^\n]*\n\s*Title-题名")
_ESTUDY = re.compile(r"\n[\ufeff \t]*DataType[ \t]*[:：]", re.MULTILINE)
_NAMES: Final = {**NAMES, "SrcDatabase": "kind", "PageCount": "pages"}
_FORM: Final = MarkedFormat(
    name=NAME,
    start=_START,
    tag=KEY,
    names=_NAMES,
    paragraphs=frozenset({"Summary"}),
    accept=accept_key,
)


def detect(head: str) -> int:
    """Tell how surely a file is of this format."""
    found, other = _START.search("\n" + head), _ESTUDY.search("\n" + head)
    if found is None or (other is not None and other.start() < found.start()):
        return 0
    return SIGNATURE if _OPENING.match(head) else WEAK


def named_fields() -> Mapping[str, str]:
    """Return which key of the export is which field; the spreadsheet twin has the same."""
    return _NAMES


def _assembled(fields: Fields) -> dict[str, Any]:
    return named_database(assemble(fields))


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read the records of a file.

    Examples
    --------
    >>> text = "SrcDatabase-来源库:期刊\nTitle-题名:西罗莫司虚构研究\nYear-年:2023\nPageCount-页码:201-206\n"
    >>> file = SourceText(name="a.txt", text=text, encoding="utf-8", sha256="0" * 64)
    >>> [(one.title, one.pages, one.kinds) for one in read(file)]
    [('西罗莫司虚构研究', '201-206', ('期刊',))]
    """
    yield from read_marked(file, _FORM, _assembled)
