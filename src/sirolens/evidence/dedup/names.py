# SPDX-License-Identifier: Apache-2.0
"""Names of authors, compared: initials and full names, particles, swapped parts, characters and pinyin."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, final

from rapidfuzz.distance import Levenshtein

from sirolens.evidence.dedup.pinyin import COMPOUND_SURNAMES, is_han, simplified, surname_readings, syllables
from sirolens.evidence.record import Author, Record

__all__ = ["Authorship", "Name", "Names", "compare_authors", "compare_names", "name", "names"]

COMPARED: Final = 12  # authors looked at; a list of hundreds differs in length between databases anyway
_PARTICLES = frozenset(
    (
        "de",
        "la",
        "le",
        "van",
        "von",
        "der",
        "den",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "du",
        "el",
        "al",
        "st",
        "ter",
        "ten",
        "zu",
        "y",
        "e",
    )
)
_SUFFIX = re.compile(r"\b(?:jr|sr|ii|iii|iv|md|phd|msc|frcp)\b\.?", re.IGNORECASE)
_MARKS = re.compile(r"[\[(（【][^\[(（【\])）】]*+[\])）】]|[\d*†‡§#^~]+")


@final
@dataclass(frozen=True, slots=True)
class Name:
    """An author's name in normal form.

    Parameters
    ----------
    family : str
        Lower-case letters, or simplified characters.
    last : str
        The family name's last word, for names with particles ("plata" of "de la Plata").
    given : str
        Letters of the given names, or characters.
    initials : str
    han : bool
    readings : frozenset of str
        The spellings of a Chinese family name in Latin letters.
    """

    family: str
    last: str
    given: str
    initials: str
    han: bool = False
    readings: frozenset[str] = frozenset()


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = text.translate(_STROKES)
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()


_STROKES = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"}
)


def _han_name(text: str) -> Name:
    characters = "".join(character for character in text if is_han(character))
    length = 2 if characters[:2] in COMPOUND_SURNAMES and len(characters) > 2 else 1
    family, given = characters[:length], characters[length:]
    return Name(family, family, given, "", True, surname_readings(family))


def name(author: Author) -> Name | None:
    """Return the normal form of a name; None for a group or an empty one.

    >>> one = name(Author(printed="Marquez de la Plata, C. A.", family="Marquez de la Plata", given="C. A."))
    >>> one.family, one.last, one.initials
    ('marquezdelaplata', 'plata', 'ca')
    >>> sorted(name(Author(printed="单伟")).readings)
    ['shan']
    """
    if author.collective:
        return None
    printed = author.printed or f"{author.family}, {author.given or author.initials}"
    return _name(printed, author.family, author.given, author.initials)


@lru_cache(maxsize=262144)
def _name(printed: str, family: str, given: str, initials: str) -> Name | None:
    if any(is_han(character) for character in printed):
        text = _MARKS.sub("", simplified(printed))
        return _han_name(text) if sum(map(is_han, text)) > 1 else None
    if not family:
        text = _MARKS.sub("", printed).strip(" .;,")
        if "," in text:
            family, _, given = text.partition(",")
        else:
            words = text.split()
            if len(words) < 2:
                family = text
            elif _are_initials(words[-1]):
                family, given = " ".join(words[:-1]), words[-1]
            elif all(len(word.strip(".")) <= 2 for word in words[:-1]):
                family, given = words[-1], " ".join(words[:-1])
            else:
                family, given = words[0], " ".join(words[1:])
    words = re.findall(r"[a-z]+", _plain(_SUFFIX.sub("", family)))
    if not words:
        return None
    shown = _SUFFIX.sub("", given or initials)
    parts = re.findall(r"[a-z]+", _plain(shown))
    if shown.replace(".", "").replace(" ", "").replace("-", "").isupper() and all(len(part) <= 3 for part in parts):
        letters, full = "".join(parts), ""
    else:
        letters, full = "".join(part[0] for part in parts), "".join(parts)
    if not letters:
        letters = "".join(re.findall(r"[a-z]", _plain(initials)))
    core = [word for word in words if word not in _PARTICLES] or words
    return Name("".join(words), core[-1], full, letters)


def _are_initials(word: str) -> bool:
    letters = word.replace(".", "").replace("-", "")
    return letters.isupper() and 0 < len(letters) <= 4


class Authorship(IntEnum):
    """How two names or two lists of authors compare, least first."""

    DIFFERENT = 0
    UNKNOWN = 1  # one is missing
    SOME = 2  # part of the authors agree, or only family names could be compared
    FIRST = 3  # the first author agrees, the rest does not contradict
    SAME = 4  # the first author and most of the others agree


def _spelt(given: str, letters: str) -> bool | None:
    """Tell whether Latin letters spell characters; None when a character has no known reading."""
    ends = {0}
    unknown = False
    for character in given:
        readings = syllables(character)
        if not readings:
            unknown = True
            ends = {end + size for end in ends for size in range(1, 7)}
            continue
        spelt = {
            form for reading in readings for form in (reading, reading.replace("v", "u"), reading.replace("v", "yu"))
        }
        ends = {end + len(form) for end in ends for form in spelt if letters.startswith(form, end)}
    if len(letters) in ends:
        return None if unknown else True
    return None if unknown and ends else False


def _initials_spell(given: str, initials: str) -> bool:
    """Tell whether initials fit the characters' readings: one letter each, or the first one alone."""
    for character, letter in zip(given, initials, strict=False):
        readings = syllables(character)
        if readings and letter not in {reading[0] for reading in readings} and not (letter == "l" and "lv" in readings):
            return False
    return len(initials) <= len(given)


def _across_scripts(chinese: Name, latin: Name) -> Authorship:
    """Compare a name in characters with one in letters; parts may be swapped in print."""
    orders = [(latin.family, latin.given, latin.initials)]
    if latin.given:
        orders.append((latin.given, latin.family, latin.family[:1]))
    best = Authorship.DIFFERENT
    for family, given, initials in orders:
        if family not in chinese.readings:
            continue
        if given and chinese.given:
            spelt = _spelt(chinese.given, given)
            found = Authorship.SAME if spelt else Authorship.FIRST if spelt is None else Authorship.DIFFERENT
        elif initials and chinese.given:
            found = Authorship.FIRST if _initials_spell(chinese.given, initials) else Authorship.DIFFERENT
        else:
            found = Authorship.SOME
        best = max(best, found)
    return best


def compare_names(one: Name, two: Name) -> Authorship:
    """Compare two names: SAME (given names agree), FIRST (initials agree), SOME (family only), DIFFERENT.

    >>> zhang = name(Author(printed="张伟明"))
    >>> compare_names(zhang, name(Author(printed="Zhang WM", family="Zhang", initials="WM"))).name
    'FIRST'
    >>> compare_names(zhang, name(Author(printed="Zhang, Weiming", family="Zhang", given="Weiming"))).name
    'SAME'
    >>> compare_names(zhang, name(Author(printed="Zhang L", family="Zhang", initials="L"))).name
    'DIFFERENT'
    """
    if one.han != two.han:
        return _across_scripts(one, two) if one.han else _across_scripts(two, one)
    if one.han:
        if one.family + one.given == two.family + two.given:
            return Authorship.SAME
        return Authorship.DIFFERENT
    if not _same_family(one, two):
        swapped = one.given and two.given and one.family == two.given and two.family == one.given
        return Authorship.SAME if swapped else Authorship.DIFFERENT
    if not one.initials or not two.initials:
        return Authorship.SOME
    if one.initials[0] != two.initials[0]:
        return Authorship.DIFFERENT
    if one.given and two.given:
        return Authorship.SAME if one.given == two.given else Authorship.FIRST
    return Authorship.FIRST


def _same_family(one: Name, two: Name) -> bool:
    if one.family == two.family or one.last == two.last:
        return True
    longer, shorter = (one, two) if len(one.family) >= len(two.family) else (two, one)
    if len(shorter.family) >= 4 and (
        longer.family.startswith(shorter.family) or longer.family.endswith(shorter.family)
    ):
        return True
    limit = 2 if len(shorter.family) >= 8 else 1 if len(shorter.family) >= 5 else 0
    return limit > 0 and Levenshtein.distance(one.family, two.family, score_cutoff=limit) <= limit


@final
@dataclass(frozen=True, slots=True)
class Names:
    """The authors of a record in normal form: at most `COMPARED`, and how many there are.

    Parameters
    ----------
    names : tuple of Name
    count : int
    cut : bool
        True when the export cut the list.
    """

    names: tuple[Name, ...]
    count: int
    cut: bool


def names(record: Record) -> Names:
    """Return the authors of a record in normal form."""
    found = tuple(one for one in (name(author) for author in record.authors[:COMPARED]) if one is not None)
    return Names(found, len(record.authors), record.authors_cut)


def compare_authors(one: Names, two: Names) -> Authorship:
    """Compare two lists of authors.

    >>> from sirolens.evidence.record import Author
    >>> short = Names((name(Author(printed="Kim S", family="Kim", initials="S")),), 1, True)
    >>> compare_authors(short, short).name
    'SAME'
    """
    if not one.names or not two.names:
        return Authorship.UNKNOWN
    if one.names == two.names and (len(one.names) > 1 or (one.count == two.count == 1)):
        return Authorship.SAME
    first = compare_names(one.names[0], two.names[0])
    shorter, longer = (one, two) if len(one.names) <= len(two.names) else (two, one)
    if len(shorter.names) == 1 and first is not Authorship.DIFFERENT:
        return Authorship.SAME if first > Authorship.SOME and longer.count == 1 else Authorship.FIRST
    agreeing = 0
    pool = list(longer.names)
    for wanted in shorter.names:
        for at, candidate in enumerate(pool):  # lists mostly agree in order: the first one left is mostly the one
            if compare_names(wanted, candidate) is not Authorship.DIFFERENT:
                agreeing += 1
                del pool[at]
                break
    share = agreeing / len(shorter.names)
    if first is Authorship.DIFFERENT:
        return Authorship.SOME if share >= 0.5 else Authorship.DIFFERENT
    if share >= 0.7:
        return Authorship.SAME
    return Authorship.FIRST if share >= 0.4 or first is Authorship.SAME else Authorship.SOME
