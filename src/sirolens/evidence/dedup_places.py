# SPDX-License-Identifier: Apache-2.0
"""Where a report stands in print, compared: journal, volume, issue and pages, as databases spell them differently."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, final

from rapidfuzz import fuzz

from sirolens.evidence.dedup_pinyin import is_han, romanised, simplified
from sirolens.evidence.record import Record

__all__ = [
    "Agreement",
    "Pages",
    "Place",
    "compare_journals",
    "compare_pages",
    "issue_number",
    "pages",
    "place",
    "volume_number",
]

_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_SPREADSHEET = re.compile(rf"^(?:\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{1,2}})$", re.IGNORECASE)
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_RANGE = re.compile(r"([a-z]{0,4}\.?)\s*(\d+)(?:\s*[-‐-―~～]+\s*([a-z]{0,4}\.?)\s*(\d+))?", re.IGNORECASE)
_SMALL = frozenset(
    (
        "of",
        "the",
        "and",
        "for",
        "in",
        "on",
        "de",
        "des",
        "du",
        "la",
        "le",
        "les",
        "et",
        "der",
        "die",
        "das",
        "und",
        "fur",
        "d",
        "l",
        "e",
    )
)
_NO_PAGES = frozenset(("-", "--", "n/a", "na", "unknown", "?"))
_LONG_SPAN: Final = 40  # pages: more is a wrong number, not a paper


class Agreement(IntEnum):
    """How two fields compare."""

    DIFFERENT = 0
    UNKNOWN = 1  # one is missing, or they cannot be compared
    SAME = 2


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
        return bool(letters) and len(self.first) - len(letters) >= 5


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
            if low < high and start < end and low < end and start < high and high - low < _LONG_SPAN:
                return Agreement.SAME, False
    if len(one.spans) > 1 and len(two.spans) > 1 and set(one.spans) & set(two.spans):
        return Agreement.SAME, True
    return Agreement.DIFFERENT, False


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


@lru_cache(maxsize=65536)
def _journal_forms(text: str) -> tuple[tuple[str, ...], ...]:
    """Give the forms of a journal's title as words: before and after "=", with and without what follows a colon."""
    text = simplified(unicodedata.normalize("NFKC", text)).lower()
    text = re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", text).replace("&", " and ")
    forms = []
    for part in re.split(r"\s=\s|\s/\s", text):
        if any(is_han(character) for character in part):
            forms.append(("".join(c for c in part if c.isalnum()),))
            continue
        plain = "".join(c for c in unicodedata.normalize("NFKD", part) if not unicodedata.combining(c))
        for piece in dict.fromkeys((plain.split(" : ")[0].split(": ")[0], plain)):
            words = tuple(word for word in re.findall(r"[a-z0-9?]+", piece.replace("'", " ")) if word not in _SMALL)
            if words:
                forms.append(words)
    return tuple(dict.fromkeys(forms))


def _abbreviates(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Tell whether each word of the one begins a word of the other, in order, with none of a short title left out."""
    at = 0
    skipped = 0
    for word in short:
        while at < len(long) and not (
            long[at].startswith(word) or (word[0] == long[at][0] and _contracts(word, long[at]))
        ):
            at += 1
            skipped += 1
        if at == len(long):
            return False
        at += 1
    return skipped + len(long) - at <= max(0, len(long) - 5) and short[0][0] == long[0][0]


def _contracts(word: str, whole: str) -> bool:
    """Tell whether a word is what is left of another without some of its letters (``natl`` of ``national``)."""
    if len(word) < 3 or word.isdigit() or word[0] != whole[0]:
        return False
    letters = iter(whole)
    return all(letter == "?" or letter in letters for letter in word)


@lru_cache(maxsize=262144)
def compare_journals(one: str, two: str) -> Agreement:
    """Compare the titles of two journals: full, abbreviated, pinyin or Chinese.

    A Chinese and an English title cannot be compared; they are unknown, not different.

    >>> compare_journals("Ann Fr Anesth Reanim", "Annales françaises d'anesthésie et de réanimation").name
    'SAME'
    >>> compare_journals("Zhonghua xue ye xue za zhi = Zhonghua xueyexue zazhi", "中华血液学杂志").name
    'SAME'
    >>> compare_journals("Chinese Journal of Hematology", "中华血液学杂志").name
    'UNKNOWN'
    >>> compare_journals("Chest", "Thorax").name
    'DIFFERENT'
    """
    forms, others = _journal_forms(one), _journal_forms(two)
    if not forms or not others:
        return Agreement.UNKNOWN
    unknown = False
    for form in forms:
        for other in others:
            if form == other or "".join(form) == "".join(other):
                return Agreement.SAME
            hans = is_han(form[0][0]), is_han(other[0][0])
            if hans[0] != hans[1]:
                chinese, latin = (form[0], other) if hans[0] else (other[0], form)
                if romanised(chinese) == "".join(latin):
                    return Agreement.SAME
                unknown = True
                continue
            if hans[0]:
                continue
            short, long = (form, other) if len("".join(form)) <= len("".join(other)) else (other, form)
            if _abbreviates(short, long) or _is_acronym(short, long) or _squeezed(short, long):
                return Agreement.SAME
            if fuzz.token_sort_ratio(" ".join(form), " ".join(other)) >= 88:
                return Agreement.SAME
    return Agreement.UNKNOWN if unknown else Agreement.DIFFERENT


def _squeezed(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Tell whether one word is the beginnings of another title's words in one ("Jthoraccardiovascsurg")."""
    if len(short) != 1 or len(short[0]) < 8 or len(long) < 2:
        return False
    ends = {0}
    for word in long:
        ends = {end + size for end in ends for size in range(1, len(word) + 1) if short[0].startswith(word[:size], end)}
    return len(short[0]) in ends


def _is_acronym(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    return len(short) == 1 and len(long) > 2 and short[0] == "".join(word[0] for word in long)


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
