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

# Key to canonical field. The labels behind the keys differ between versions (Source-刊名, -来源, -文献来源) and say
# nothing more. The custom export has the same keys, but for PageCount.
NAMES: Final = {
    "DataType": "kind",
    "SrcDatabase": "degree",
    "Title": "title",
    "Author": "author",
    "Source": "journal",
    "Year": "year",
    "PubTime": "date",
    "Keyword": "keywords",
    "Summary": "abstract",
    "Period": "issue",
    "Roll": "volume",
    "Volume": "volume",
    "Page": "pages",
    "PageCount": "page-count",
    "ISSN": "issn",
    "DOI": "doi",
    "Link": "url",
    "URL": "url",
    "Organ": "",
    "FirstDuty": "",
    "Fund": "",
    "CLC": "",
    "CN": "",
    "Language": "language",
    "Database Provider": "database",
    "Publisher": "place",
    "note": "",
    "City": "",
    "Meeting": "",
}
_KINDS: Final = {
    "1": "Journal Article",
    "2": "Thesis",
    "3": "Conference Proceedings",
    "4": "Newspaper Article",
    "6": "Yearbook",
}
_LABEL = r"(?:[\u4e00-\u9fff]|DOI|ISSN|URL)[^\n:：]{0,14}"
KEY = re.compile(
    rf"\n[\ufeff \t]*(DataType(?=[ \t]*[:：])|[A-Za-z][A-Za-z ]{{1,18}}(?=-{_LABEL}[:：]))[^\n:：]*[:：][ \t\u3000]*",
    re.MULTILINE,
)
_RANGE = re.compile(r"[A-Za-z]?\d+\s*[-+,~–—]\s*[A-Za-z]?\d+")
_START = re.compile(r"\n[\ufeff \t]*DataType[ \t]*[:：][ \t]*\d+[ \t]*$", re.MULTILINE)


def accept_key(mark: str, rest: str, before: str, seen: Mapping[str, object]) -> bool:
    """Refuse an unknown key inside a summary, where "IgG-抗体: ..." is text."""
    return mark in NAMES or before != "Summary"


_FORM: Final = MarkedFormat(
    name=NAME,
    start=_START,
    tag=KEY,
    names=NAMES,
    paragraphs=frozenset({"Summary"}),
    accept=accept_key,
    inside=frozenset({"cnki-custom"}),
)


def detect(head: str) -> int:
    """Tell how surely a file is of this format."""
    if (found := _START.search("\n" + head)) is None:
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
    counted = fields.values.get("page-count", [""])[0]
    if "pages" not in fields.values and _RANGE.match(counted):
        fields.values["pages"] = [counted]
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
