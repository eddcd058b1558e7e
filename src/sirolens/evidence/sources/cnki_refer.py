# SPDX-License-Identifier: Apache-2.0
"""CNKI's EndNote export, the Refer format: ``%T title``, a record begins with ``%0``.

In a bulk export every author has a line; in the window of a single record all of them stand on one (``%A 甲%A 乙``).
For a thesis ``%J`` or ``%I`` is the university and ``%Y`` the supervisor. Two ``%P`` occur, of which one is the
number of pages, and a stray line ``PageCount-页码 0``. Standards and yearbooks are printed as "Legal Rule or
Regulation". Refer files of other programs use the same letters and are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.chinese_fields import assemble
from sirolens.evidence.sources.marked_lines import Fields, MarkedFormat, read_marked
from sirolens.evidence.sources.text import SIGNATURE, WEAK, SourceText, Unread

__all__ = ["NAME", "detect", "read"]

NAME: Final = "cnki-refer"
_NAMES: Final = {
    "0": "kind",
    "A": "author",
    "T": "title",
    "J": "journal",
    "B": "journal",
    "I": "place",
    "D": "year",
    "8": "date",
    "V": "volume",
    "N": "issue",
    "K": "keywords",
    "X": "abstract",
    "P": "pages",
    "@": "issn",
    "U": "url",
    "R": "doi",
    "W": "database",
    "9": "degree",
    "G": "language",
    "M": "accession",
    "+": "",
    "~": "",
    "L": "",
    "Y": "",
    "C": "",
    "E": "",
    "S": "",
    "Z": "",
    "1": "",
    "2": "",
    "3": "",
    "4": "",
    "6": "",
    "7": "",
    "?": "",
    "!": "",
    "<": "",
    ">": "",
    "[": "",
    "&": "",
    "(": "",
    "^": "",
    "*": "",
    "$": "",
    "F": "",
    "H": "",
    "O": "",
    "Q": "",
}
_START = re.compile(r"\n[\ufeff \t]*%0[ \t]", re.MULTILINE)
# ... or the stray line, which has no meaning here and is told as unread
_TAG = re.compile(
    r"\n[\ufeff \t]*(?:%(?=.(?:[ \t]|$)))?((?<=%)[0-9A-Z@+~?!<>\[\]*$&(^]|PageCount-页[码数])(?:[ \t]+|$)", re.MULTILINE
)
_NEXT_AUTHOR = re.compile(r"%A[ \t]*")


def _accept(mark: str, rest: str, before: str, seen: Mapping[str, object]) -> bool:
    """Refuse a second type, title or year inside an abstract: a line that begins with a per cent sign."""
    return before != "X" or mark not in seen or mark in ("K", "A", "P", "U", "@")


_FORM: Final = MarkedFormat(
    name=NAME, start=_START, tag=_TAG, names=_NAMES, paragraphs=frozenset({"X", "+"}), accept=_accept, closing="W"
)


def detect(head: str) -> int:
    """Tell how surely a file is of this format."""
    if (found := _START.search("\n" + head)) is None:
        return 0
    return WEAK if head[: found.start()].strip() else SIGNATURE


def _assembled(fields: Fields) -> dict[str, Any]:
    if "author" in fields.values:
        fields.values["author"] = ["\n".join(_NEXT_AUTHOR.split(value)) for value in fields.values["author"]]
    return assemble(fields)


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read the records of a file.

    Examples
    --------
    >>> text = "%0 Journal Article\n%A 张伟%A 王芳\n%T 西罗莫司虚构研究\n%D 2023\n%P 6\n%P 201-206+212\n"
    >>> file = SourceText(name="a.txt", text=text, encoding="utf-8", sha256="0" * 64)
    >>> [([who.printed for who in one.authors], one.pages) for one in read(file)]
    [(['张伟', '王芳'], '201-206+212')]
    """
    yield from read_marked(file, _FORM, _assembled)
