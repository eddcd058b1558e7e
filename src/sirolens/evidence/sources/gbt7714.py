# SPDX-License-Identifier: Apache-2.0
"""Reference lists in the Chinese standard GB/T 7714 as text: one entry a line, read with low confidence.

The style has no marks: ``[1]甲,乙,丙等.题名[J].刊名,2008(05):915-924.`` The first full stop ends the authors, the
sign of the type (``[J]``) ends the title, which may itself hold stops and commas; the rest is journal, year, volume,
issue, pages and, in the 2015 edition, a DOI. At most three authors are printed, so a list of three is marked as cut
when 等 follows. An entry without year or authors is still a record; `CAUTION` says that all of it should be checked,
or better be exported in another format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.chinese_fields import assemble
from sirolens.evidence.sources.marked_lines import Fields
from sirolens.evidence.sources.printed import bare_doi
from sirolens.evidence.sources.text import SIGNATURE, WEAK, SourceText, Unread, stray_lines
from sirolens.message import Message, error, warning

__all__ = ["CAUTION", "NAME", "detect", "read"]

NAME: Final = "gbt7714"
CAUTION: Final[Message] = warning("chinese.low-confidence")

_TYPES: Final = {
    "J": "Journal Article",
    "D": "Thesis",
    "C": "Conference Proceedings",
    "N": "Newspaper Article",
    "P": "Patent",
    "S": "Standard",
    "M": "Book",
    "R": "Report",
    "G": "Collection",
    "Z": "Other",
    "A": "Article in a Collection",
    "EB": "Electronic Bulletin",
    "DB": "Database",
    "DS": "Data Set",
    "CP": "Computer Program",
}
_TYPE = re.compile(r"[\[［]\s*(J|D|C|N|P|S|M|R|G|Z|A|EB|DB|DS|CP)(?:/(OL|CD|MT|DK))?\s*[\]］](?://)?")
_NUMBER = re.compile(r"^[\ufeff \t\u3000]*(?:[\[［【]\s*\d{1,5}\s*[\]］】]|\d{1,5}\s*[.、．](?!\d))[ \t\u3000]*")
_NUMBERED = re.compile(_NUMBER.pattern, re.MULTILINE)
_ENTRY = re.compile(rf"{_NUMBER.pattern}[^\n]*{_TYPE.pattern}", re.MULTILINE)
_STOP = re.compile(r"[.．。](?!\s*[,，])")
_YEAR = re.compile(r"(?:^|[,，.．])\s*((?:1[89]|20)\d{2})(?:-(\d{2})(?:-\d{2})?)?(?!\d)")
_ONLINE_DATE = re.compile(r"[\[［(（]\s*((?:20)\d{2}-\d{2}(?:-\d{2})?)\s*[\]］)）]")
_AFTER_YEAR = re.compile(
    r"\s*(?:[,，]\s*(?P<volume>[^\s(（:：,，.．]{1,12}))?\s*(?:[(（]\s*(?P<issue>[^)）]{1,20})\s*[)）])?"
    r"\s*(?:[:：]\s*(?P<pages>[A-Za-z]?\d[^.．。,，\[［]*))?"
)
_PAGES_ONLY = re.compile(r"[:：,，]\s*([A-Za-z]?\d+(?:[-–+]\d+)*)\s*$")


def detect(head: str) -> int:
    """Tell how surely a file is of this format."""
    first = next((row for row in head.split("\n") if row.strip()), "")
    if _NUMBER.match(first) and _TYPE.search(first):
        return SIGNATURE
    return WEAK if _ENTRY.search(head) or (_TYPE.search(first) and _YEAR.search(first)) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read the entries of a list.

    Examples
    --------
    >>> text = "[1]张伟,王芳,李娜等.西罗莫司虚构研究[J].虚构血液学杂志,2023,44(03):201-206.\n"
    >>> file = SourceText(name="a.txt", text=text, encoding="utf-8", sha256="0" * 64)
    >>> [(one.title, one.journal, one.volume, one.issue, one.authors_cut) for one in read(file)]
    [('西罗莫司虚构研究', '虚构血液学杂志', '44', '03', True)]
    """
    numbered = _NUMBERED.search(file.text) is not None
    ordinal = 0
    for first_line, raw in _entries(file.text, numbered):
        if _NUMBER.match(raw) is None and (numbered or _TYPE.search(raw) is None):
            yield stray_lines(first_line, raw)
            continue
        ordinal += 1
        lines = (first_line, first_line + raw.count("\n"))
        values = _parsed(raw)
        if values is None:
            reason = error("chinese.no-type-sign")
            yield Unread(first_line=first_line, last_line=lines[1], raw=raw, reason=reason, counts_as_record=True)
        else:
            yield file.record(NAME, ordinal, lines, raw, **values)


def _entries(text: str, numbered: bool) -> Iterator[tuple[int, str]]:
    """Yield entries with their first lines; where entries are numbered, an unnumbered line goes on with the last."""
    kept: list[str] = []
    start = 0
    for line, row in enumerate(text.split("\n"), 1):
        begins = _NUMBER.match(row) is not None if numbered else bool(row.strip())
        if kept and (begins or not row.strip()):
            yield start, "\n".join(kept).strip()
            kept = []
        if row.strip():
            if not kept:
                start = line
            kept.append(row)
    if kept:
        yield start, "\n".join(kept).strip()


def _parsed(raw: str) -> dict[str, Any] | None:
    """Take one entry apart; None when it has no sign of a type or no title."""
    entry = _NUMBER.sub("", raw.replace("\n", " "), count=1)
    sign = _TYPE.search(entry)
    if sign is None or not entry[: sign.start()].strip(" .．"):
        return None
    names, title = _names_and_title(entry[: sign.start()])
    rest = entry[sign.end() :].strip().lstrip(".．。/ ")
    doi = bare_doi(rest)
    fields: dict[str, list[str]] = {"kind": [_TYPES[sign[1]]], "title": [title], "author": [names], "doi": [doi]}
    if (link := re.search(r"https?://\S+", rest)) is not None:
        fields["url"] = [link[0].rstrip(".。")]
        rest = rest[: link.start()]
    rest = re.split(r"\b(?:DOI|doi)\s*[:：]|10\.\d{4,9}/", rest, maxsplit=1)[0].rstrip(" .．。")
    _place_and_numbers(rest, fields)
    found = assemble(Fields({name: values for name, values in fields.items() if values[0]}))
    if sign[1] == "N" and "issue" in found:  # a newspaper prints its page in the brackets
        found["pages"] = found.pop("issue")
    return found


def _names_and_title(text: str) -> tuple[str, str]:
    """Part authors from title at the first full stop; without one, or with nothing behind it, all is title."""
    stop = _STOP.search(text)
    if stop is None or not text[stop.end() :].strip():
        return "", text.strip(" .．")
    names = text[: stop.start()]
    if re.search(r"\bet al$", names, re.IGNORECASE):
        names += "."
    return names, text[stop.end() :].strip()


def _place_and_numbers(rest: str, fields: dict[str, list[str]]) -> None:
    year = _YEAR.search(rest)
    online = _ONLINE_DATE.search(rest)
    if year is None and online is not None:
        fields["date"] = [online[1]]
        place = rest[: online.start()].rstrip(" ,，.")
        if (pages := _PAGES_ONLY.search(place)) is not None:
            fields["pages"] = [pages[1]]
            place = place[: pages.start()]
    elif year is None:
        place = rest
    else:
        place = rest[: year.start()]
        fields["year"], fields["date"] = [year[1]], [year[0].strip(",，.． ")]
        numbers = _AFTER_YEAR.match(rest, year.end())
        for name in ("volume", "issue", "pages"):
            if numbers is not None and numbers[name]:
                fields[name] = [numbers[name].strip()]
    place = place.strip(" ,，.．")
    if fields["kind"][0] in ("Conference Proceedings", "Collection"):
        place = re.split(r"[.．]", place, maxsplit=1)[0]
    thesis = fields["kind"][0] == "Thesis"
    fields["place" if thesis else "journal"] = [re.sub(r"^[^:：]{1,10}[:：]\s*", "", place) if thesis else place]
