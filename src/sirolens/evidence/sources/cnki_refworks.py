# SPDX-License-Identifier: Apache-2.0
"""The RefWorks export of CNKI and VIP: two letters and a space, a record begins with ``RT``.

Seen in files: ``A1`` without a space behind it, ``vo`` in small letters, links behind ``LK`` or the three letters
``URL`` with ``&amp;`` inside, and an abstract that goes on in unmarked lines. Such a line may begin with two
capitals ("AD 患者"); so only known marks count, a mark that comes before ``AB`` in the format's order does not end
an abstract, and one that comes behind it does so only with a value that fits it. VIP prints the authors last, behind
the link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.chinese_fields import assemble
from sirolens.evidence.sources.marked_lines import MarkedFormat, read_marked
from sirolens.evidence.sources.text import SIGNATURE, WEAK, SourceText, Unread

__all__ = ["NAME", "detect", "read"]

NAME: Final = "cnki-refworks"
_NAMES: Final = {
    "RT": "kind",
    "SR": "",
    "A1": "author",
    "A2": "",
    "A3": "",
    "AD": "",
    "T1": "title",
    "JF": "journal",
    "YR": "year",
    "VO": "volume",
    "vo": "volume",
    "IS": "issue",
    "OP": "pages",
    "SP": "pages",
    "K1": "keywords",
    "AB": "abstract",
    "SN": "issn",
    "CN": "",
    "PB": "place",
    "PP": "",
    "CL": "degree",
    "FD": "date",
    "C1": "",
    "U4": "",
    "ID": "accession",
    "LA": "language",
    "DB": "",
    "LK": "url",
    "URL": "url",
    "UL": "url",
    "DO": "doi",
    "DS": "database",
}
# What a mark behind the abstract must look like to end it.
_FITS: Final = {
    "SN": re.compile(r"[\d\-Xx ,;]{8,}$"),
    "CN": re.compile(r"\d{2}-\d{3,5}"),
    "PB": re.compile(r"[^。.]{2,40}$"),
    "PP": re.compile(r"[^。.]{2,30}$"),
    "CL": re.compile(r"\S{2,6}$"),
    "FD": re.compile(r"\d{4}"),
    "C1": re.compile(r"[A-Z/]{1,8}[ \d]"),
    "U4": re.compile(r"\S"),
    "ID": re.compile(r"[A-Za-z0-9._\-/]+$"),
    "LA": re.compile(r"[^。.]{1,20}$"),
    "DB": re.compile(r"[^。.]{1,40}$"),
    "LK": re.compile(r"http"),
    "URL": re.compile(r"http"),
    "UL": re.compile(r"http"),
    "DO": re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?10\."),
    "DS": re.compile(r"[^。.]{1,40}$"),
    "OP": re.compile(r"[A-Za-z]?\d[\d+,\-–— A-Za-z]*$"),
    "YR": re.compile(r"\d{4}$"),
    "IS": re.compile(r"[A-Za-z]?\d{1,4}\S{0,4}$"),
    "VO": re.compile(r"\d{1,4}$"),
    "vo": re.compile(r"\d{1,4}$"),
}
_KINDS = "Journal|Dissertation|Thesis|Conference|Newspaper|Standard|Patent|Other|Book|Report|Magazine|Web|Generic|Year"
_START = re.compile(
    rf"\n[\ufeff \t]*RT[ \t]+(?:(?:{_KINDS})\b|[^\n]*\n[ \t]*(?:SR|A1|T1)[ \t])", re.MULTILINE | re.IGNORECASE
)
_MARKS = "|".join(sorted(_NAMES, key=len, reverse=True))
# A mark, then a space, the end of the line, or (seen) a Chinese character at once.
_TAG = re.compile(rf"\n[\ufeff \t]*({_MARKS})(?:[ \t]+|$|(?=[\u3400-\u9fff]))", re.MULTILINE)


def _accept(mark: str, rest: str, before: str, seen: Mapping[str, object]) -> bool:
    """Tell a mark from a line of an abstract that begins with the same letters."""
    if mark == "RT":
        return not seen
    if before != "AB":
        return mark not in seen or mark in ("A1", "K1", "AB", "LK", "URL") or before == mark
    fits = _FITS.get(mark)
    empty = not rest.strip()  # a mark alone on its line is no text
    return fits is not None and mark not in seen and (empty or fits.match(rest.strip()) is not None)


_FORM: Final = MarkedFormat(
    name=NAME, start=_START, tag=_TAG, names=_NAMES, paragraphs=frozenset({"AB", "AD"}), accept=_accept
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
    >>> text = "RT Journal Article\nSR 1\nA1张伟;王芳\nT1 虚构研究\nvo 44\nAB 目的\nAD 患者的虚构研究\nDS CNKI\n"
    >>> file = SourceText(name="a.txt", text=text, encoding="utf-8", sha256="0" * 64)
    >>> [(one.volume, one.abstract, one.database) for one in read(file)]
    [('44', '目的\nAD 患者的虚构研究', 'CNKI')]
    """
    yield from read_marked(file, _FORM, assemble)
