# SPDX-License-Identifier: Apache-2.0
"""NoteExpress text of CNKI, Wanfang and VIP: ``{Field}: value``, a record begins with ``{Reference Type}``.

CNKI prints the authors on one line with semicolons, Wanfang and VIP repeat ``{Author}``, Wanfang adds translated
fields. Seen in files: a full-width colon, no space behind it or one before it, a value that goes on in the next
lines, spaces behind the type, a comma inside the braces (``{Subsidiary Author,}``) and Chinese names
(``{图书印刷版ISBN}``). No specification is published; the names are those met in real exports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.chinese_fields import assemble
from sirolens.evidence.sources.marked_lines import MarkedFormat, read_marked
from sirolens.evidence.sources.text import SIGNATURE, WEAK, SourceText, Unread

__all__ = ["NAME", "detect", "read"]

NAME: Final = "cnki-noteexpress"
_NAMES: Final = {
    "Reference Type": "kind",
    "Title": "title",
    "Translated Title": "second-title",
    "Author": "author",
    "Journal": "journal",
    "Secondary Title": "journal",
    "Publisher": "place",
    "Year": "year",
    "Date": "date",
    "Volume": "volume",
    "Issue": "issue",
    "Pages": "pages",
    "Keywords": "keywords",
    "Abstract": "abstract",
    "ISBN/ISSN": "issn",
    "ISSN": "issn",
    "DOI": "doi",
    "URL": "url",
    "Database Provider": "database",
    "Language": "language",
    "Type of Work": "degree",
    "Accession Number": "accession",
    "Author Address": "",
    "Author Affiliation": "",
    "ISBN": "",
    "图书印刷版ISBN": "",
    "Notes": "",
    "Place Published": "",
    "Subject": "",
    "SrcDatabase": "",
    "Subsidiary Author": "",
    "Secondary Author": "",
    "Tertiary Author": "",
    "Tertiary Title": "",
    "Translated Author": "",
    "Translated Journal": "",
    "TryDate": "",
}
_START = re.compile(r"\n[\ufeff \t]*\{Reference Type\}", re.MULTILINE)
_TAG = re.compile(r"\n[\ufeff \t]*\{[ \t]*([^{}\n]{1,40}?)[ \t,，]*\}[ \t]*[:：][ \t\u3000]*", re.MULTILINE)


_FORM: Final = MarkedFormat(
    name=NAME,
    start=_START,
    tag=_TAG,
    names=_NAMES,
    paragraphs=frozenset({"Abstract", "Author Address"}),
    closing="Database Provider",
)


def detect(head: str) -> int:
    """Tell how surely a file is of this format."""
    if (found := _START.search("\n" + head)) is None:
        return 0
    return WEAK if head[: found.start()].strip() else SIGNATURE


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read the records of a file.

    Examples
    --------
    >>> text = "{Reference Type}: Journal Article\n{Title}：西罗莫司虚构研究\n{Author}: 张伟;王芳;\n{Year}: 2023\n"
    >>> file = SourceText(name="a.net", text=text, encoding="utf-8", sha256="0" * 64)
    >>> [(one.title, len(one.authors), one.year) for one in read(file)]
    [('西罗莫司虚构研究', 2, 2023)]
    """
    yield from read_marked(file, _FORM, assemble)
