# SPDX-License-Identifier: Apache-2.0
"""Where a report stands in print, compared: journal, volume, issue and pages, as databases spell them differently."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, final

from sirolens.evidence.dedup.journals import Agreement, compare_journals
from sirolens.evidence.record import Record

__all__ = [
    "Pages",
    "Place",
    "compare_pages",
    "issue_number",
    "pages",
    "pages_apart",
    "place",
    "volume_number",
]

_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_SPREADSHEET = re.compile(rf"^(?:\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{1,2}})$", re.IGNORECASE)
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_RANGE = re.compile(r"([a-z]{0,4}\.?)\s*(\d+)(?:\s*[-‐-―~～]+\s*([a-z]{0,4}\.?)\s*(\d+))?", re.IGNORECASE)
_LOST_START = re.compile(r"(?:suppl?|t|pt|author reply)\.?\s*-\s*\d+$", re.IGNORECASE)  # "Suppl-37" of "Suppl 3:S29-37"
_NO_PAGES = frozenset(("-", "--", "n/a", "na", "unknown", "?"))
CODE_DIGITS: Final = 4
_LONG_SPAN: Final = 40  # pages: more is a wrong number, not a paper


@final
@dataclass(frozen=True, slots=True)
class Pages:
    """Page numbers, or the number that stands in their place.

    Parameters
    ----------
    first : str
        The first page with its letter ("s42", "e505"), or a code such as "cd001876"; empty when not told.
    spans : tuple of (int, int)
        All ranges; a single page is a range of one.
    """

    first: str = ""
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def several(self) -> bool:
        """True when more than one page is told: then first and last page together are a place of one paper."""
        return any(last > first for first, last in self.spans)

    @property
    def code(self) -> bool:
        """True for an article's own number ("e43268", "cd001876"), which no other article has."""
        letters = self.first.rstrip("0123456789")
        return letters not in {"", "s"} and len(self.first) - len(letters) >= CODE_DIGITS


def _number(text: str) -> str:
    return str(int(text)) if text else ""


def pages(text: str) -> Pages:
    """Read pages as printed.

    >>> pages("201-7").spans, pages("1106-1111+1117").spans, pages("S33-S38").first
    (((201, 207),), ((1106, 1111), (1117, 1117)), 's33')
    >>> pages("01-Oct"), pages("e43268").first
    (Pages(first='', spans=()), 'e43268')
    """
    text = unicodedata.normalize("NFKC", text).strip().strip('"').lower()
    if not text or _SPREADSHEET.match(text) or text in _NO_PAGES or text.startswith("no ") or text.endswith(" p"):
        return Pages()
    text = re.sub(r"^pp?\.?\s+|^(?:第)|页$|\bpages?\b", "", text)
    if _LOST_START.match(text):
        return Pages()
    text = re.sub(r"\[.*?\]|;?\s*(?:discussion|quiz|author reply|reply|passim).*$", "", text)
    spans = []
    first = ""
    for letter, start, other, end in _RANGE.findall(text):
        low, high = int(start), int(end) if end else int(start)
        if end and len(end) < len(start):
            high = int(start[: len(start) - len(end)] + end)
        if not first:
            first = letter.rstrip(".") + _number(start)
        if other and not letter and other.rstrip(".") != "e":
            high = low
        spans.append((low, high if low <= high <= low + _LONG_SPAN * 25 else low))
    return Pages(first, tuple(spans))


def compare_pages(one: Pages, two: Pages) -> tuple[Agreement, bool]:
    """Compare pages: whether they agree, and whether they agree in first and last page of a paper of several pages.

    >>> compare_pages(pages("678-684"), pages("676-682"))
    (<Agreement.SAME: 2>, False)
    >>> compare_pages(pages("165"), pages("165-172")), compare_pages(pages("201-7"), pages("201-207"))[1]
    ((<Agreement.SAME: 2>, False), True)
    """
    if not one.first or not two.first:
        return Agreement.UNKNOWN, False
    if one.first == two.first:
        both = one.code or (one.several and two.several and one.spans[0] == two.spans[0])
        return Agreement.SAME, both
    if one.code != two.code:
        return Agreement.UNKNOWN, False  # an article's number and the pages of its printed twin
    letters = one.first.rstrip("0123456789"), two.first.rstrip("0123456789")
    digits = one.first[len(letters[0]) :], two.first[len(letters[1]) :]
    if digits[0] == digits[1] and "" in letters:
        return Agreement.SAME, False
    if letters[0] != letters[1]:
        placeholder = one if not letters[0] else two
        if ("e" in letters or "cd" in letters) and placeholder.spans and placeholder.spans[0][0] == 1:
            return Agreement.UNKNOWN, False  # an electronic paper's own count of pages
        return Agreement.DIFFERENT, False
    for low, high in one.spans:
        for start, end in two.spans:
            if max(high - low, end - start) > _LONG_SPAN:
                continue
            if low < end and start < high:
                return Agreement.SAME, False
            if (low == high) != (start == end) and low <= end and start <= high:  # one page of the other's
                return Agreement.SAME, False
    if len(one.spans) > 1 and len(two.spans) > 1 and set(one.spans) & set(two.spans):
        return Agreement.SAME, True
    return Agreement.DIFFERENT, False


def pages_apart(one: Pages, two: Pages) -> int | None:
    """Return how many pages lie between two places; None when one is not told or they are numbered differently.

    >>> pages_apart(pages("246-250"), pages("250-254")), pages_apart(pages("S1"), pages("e4"))
    (0, None)
    """
    if not one.spans or not two.spans or one.first.rstrip("0123456789") != two.first.rstrip("0123456789"):
        return None
    (low, high), (start, end) = one.spans[0], two.spans[0]
    return max(0, low - end, start - high)


def _roman(text: str) -> int:
    total = 0
    for letter, after in zip(text, text[1:] + " ", strict=True):
        value = _ROMAN_VALUES[letter]
        total += -value if _ROMAN_VALUES.get(after, 0) > value else value
    return total


def volume_number(text: str) -> str:
    """Return the number of a volume, without leading zeros, supplement or words; empty when there is none.

    >>> volume_number("35 Suppl 1"), volume_number("XXI"), volume_number("(Jul)"), volume_number("30a")
    ('35', '21', '', '30a')
    """
    text = unicodedata.normalize("NFKC", text).strip().lower()
    if text.endswith(")") and "(" not in text:
        return ""  # the end of "39 (Suppl 1)"
    found = re.match(r"(?:vol(?:ume)?\.?\s*|第)?0*(\d+)\s*([a-c](?![a-z]))?", text)
    if found:
        return found[1] + (found[2] or "")
    if text and set(text) <= set(_ROMAN_VALUES):
        return str(_roman(text))
    return ""


def issue_number(text: str) -> str:
    """Return the number of an issue, supplements with s before it; empty when there is none.

    >>> issue_number("03"), issue_number("S2"), issue_number("SUPPL.1"), issue_number("7-8"), issue_number("4 Pt 1")
    ('3', 's2', 's1', '7', '4')
    """
    text = unicodedata.normalize("NFKC", text).strip().lower()
    extra = "s" if re.search(r"suppl|^s\d|^s$|增刊|z\d", text) else ""
    found = re.search(r"\d+", text)
    return extra + (_number(found[0]) if found else "")


@final
@dataclass(frozen=True, slots=True)
class Place:
    """A record's place in print, in normal form.

    Parameters
    ----------
    journals : tuple of str
        The titles as printed: full and abbreviated.
    issns : frozenset of str
    volume, issue : str
    pages : Pages
    year : int or None
    """

    journals: tuple[str, ...]
    issns: frozenset[str]
    volume: str
    issue: str
    pages: Pages
    year: int | None

    def same_journal(self, other: Place) -> Agreement:
        """Compare the journals by ISSN and titles."""
        if self.issns & other.issns:
            return Agreement.SAME
        best = None
        for one in self.journals:
            for two in other.journals:
                found = compare_journals(one, two) if one <= two else compare_journals(two, one)
                if found is Agreement.SAME:
                    return found
                best = found if best is None else max(best, found)
        return Agreement.UNKNOWN if best is None else best


def place(record: Record) -> Place:
    """Return the place of a record.

    Volume "(Jul)" or "Ph.D." is none; an article numbered instead of paged has its number as the first page; pages
    "1-9" of an online-first record are a placeholder.
    """
    told = pages(record.pages)
    if record.online_first and told.spans and told.spans[0][0] == 1:
        told = Pages()
    if not told.first and record.article_number:
        told = pages(record.article_number)
    volume, issue = volume_number(record.volume), issue_number(record.issue)
    return Place(
        tuple(dict.fromkeys(name for name in (record.journal, record.journal_abbreviation) if name)),
        frozenset(record.issn.upper().split()),
        volume,
        issue,
        told,
        record.year,
    )
