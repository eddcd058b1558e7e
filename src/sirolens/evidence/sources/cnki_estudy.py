# SPDX-License-Identifier: Apache-2.0
"""CNKI's E-Study text (知网研学): ``Key-标签: value``; a record begins with ``DataType``, without a blank line before.

A paper that is online only has neither Year-年 nor Period-期 nor Roll-卷; its year is that of PubTime-出版时间, and
`Record.online_first` says so. The program's own ``.eln`` file is another thing and is not read: no sample and no
specification of it could be seen; export as text instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.chinese_fields import assemble
from sirolens.evidence.sources.marked_lines import Fields, MarkedFormat, read_marked
from sirolens.evidence.sources.text import SIGNATURE, WEAK, SourceText, Unread

__all__ = ["KEY", "NAME", "NAMES", "accept_key", "detect", "named_database", "read"]

NAME: Final = "cnki-estudy"

# Key with its label to canonical field; the label decides where a key has two meanings. The custom export shares it.
NAMES: Final = {
    "DataType": "kind",
    "SrcDatabase-来源库": "degree",
    "Title-题名": "title",
    "Author-作者": "author",
    "Source-刊名": "journal",
    "Source-文献来源": "journal",
    "Year-年": "year",
    "PubTime-出版时间": "date",
    "PubTime-发表时间": "date",
    "Keyword-关键词": "keywords",
    "Summary-摘要": "abstract",
    "Period-期": "issue",
    "Roll-卷": "volume",
    "Volume-卷": "volume",
    "Page-页码": "pages",
    "PageCount-页码": "pages",
    "PageCount-页数": "",
    "ISSN-国际标准刊号": "issn",
    "ISSN-ISSN": "issn",
    "DOI-DOI": "doi",
    "Link-链接": "url",
    "URL-网址": "url",
    "URL-链接": "url",
    "Organ-机构": "",
    "Organ-单位": "",
    "FirstDuty-第一责任人": "",
    "Fund-基金": "",
    "CLC-中图分类号": "",
    "CN-国内统一刊号": "",
}
_KINDS: Final = {
    "1": "Journal Article",
    "2": "Thesis",
    "3": "Conference Proceedings",
    "4": "Newspaper Article",
    "6": "Yearbook",
}
KEY = re.compile(
    r"^[\ufeff \t]*(DataType|[A-Z][A-Za-z]{1,14}-(?:[\u4e00-\u9fff|]{1,10}|DOI|ISSN|URL))[ \t]*[:：][ \t\u3000]*",
    re.MULTILINE,
)
_START = re.compile(r"^[\ufeff \t]*DataType[ \t]*[:：][ \t]*\d+[ \t]*$", re.MULTILINE)


def accept_key(mark: str, rest: str, before: str, seen: Mapping[str, object]) -> bool:
    """Refuse an unknown key inside a summary, where "IgG-抗体: ..." is text."""
    return mark in NAMES or not before.startswith("Summary-")


_FORM: Final = MarkedFormat(
    name=NAME,
    start=_START,
    tag=KEY,
    names=NAMES,
    paragraphs=frozenset({"Summary-摘要"}),
    accept=accept_key,
    inside=frozenset({"cnki-custom"}),
)


def detect(head: str) -> int:
    """Tell how surely a file is of this format."""
    if (found := _START.search(head)) is None:
        return 0
    return WEAK if head[: found.start()].strip() else SIGNATURE


def named_database(found: dict[str, Any]) -> dict[str, Any]:
    """Name CNKI as the provider where the record's link leads there."""
    if "cnki.net" in found.get("url", ""):
        found["database"] = "CNKI"
    return found


def _assembled(fields: Fields) -> dict[str, Any]:
    number = fields.values.get("kind", [""])[0]
    if number in _KINDS:
        fields.values["kind"] = [_KINDS[number]]
    return named_database(assemble(fields))


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read the records of a file.

    Examples
    --------
    >>> text = "DataType: 1\nTitle-题名: 西罗莫司虚构研究\nAuthor-作者: 张伟;\nPubTime-出版时间: 2026-01-05\n"
    >>> file = SourceText(name="a.txt", text=text, encoding="utf-8", sha256="0" * 64)
    >>> [(one.title, one.year, one.online_first) for one in read(file)]
    [('西罗莫司虚构研究', 2026, True)]
    """
    yield from read_marked(file, _FORM, _assembled)
