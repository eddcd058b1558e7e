# SPDX-License-Identifier: Apache-2.0
"""Titles of journals, compared: full and abbreviated, pinyin and Chinese, and the English names of Chinese journals."""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from sirolens.evidence.dedup.pinyin import is_han, romanised, simplified

__all__ = ["Agreement", "compare_journals"]

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

# What the words of Chinese journals' titles say, with the words of their English titles; longest first where one begins
# another. Titles are compared as sets of meanings, and only equality counts.
_MEANINGS_TEXT: Final = (
    "chin=中华,中国/chinese,china,chung-hua|journal=杂志,学报,学杂志/journal,acta,magazine|"
    "hematol=血液病,血液学,血液/hematology,haematology,blood|"
    "exp=实验/experimental|pediatr=儿科学,儿科,小儿/pediatrics,pediatric,paediatrics|"
    "intern=内科学,内科/internal,medicine|med=医学,医药,医/medicine,medical|"
    "clin=临床/clinical|pract=实用/practical,applied|thromb=血栓/thrombosis|hemost=止血/hemostasis,haemostasis|"
    "leuk=白血病/leukemia|lymph=淋巴瘤/lymphoma|"
    "immunol=免疫学,免疫/immunology|pharm=药学,药物,药理,药房/pharmacy,pharmaceutical,pharmacology|"
    "oncol=肿瘤学,肿瘤/oncology,tumor,cancer|"
    "rheum=风湿病学,风湿病/rheumatology|nephrol=肾脏病,肾病/nephrology|transfus=输血/transfusion|"
    "int=国际/international|"
    "univ=大学/university|surg=外科/surgery|nurs=护理/nursing|gen=全科/general|mod=现代/modern|"
    "contemp=当代/contemporary|res=研究/research|"
    "prog=进展/progress|hosp=医院/hospital|prev=预防/preventive|cell=细胞/cellular,cell|mol=分子/molecular|"
    "lab=检验/laboratory"
)


class Agreement(IntEnum):
    """How two fields compare."""

    DIFFERENT = 0
    UNKNOWN = 1  # one is missing, or they cannot be compared
    SAME = 2


@lru_cache(maxsize=65536)
def _journal_forms(text: str) -> tuple[tuple[str, ...], ...]:
    """Give the forms of a journal's title as words: before and after "=", with and without what follows a colon."""
    text = simplified(unicodedata.normalize("NFKC", text)).lower()
    text = re.sub(r"\[[^\]]*\]|\((?![^)]*(?:电子|网络|英文))[^)]*\)", " ", text).replace("&", " and ")
    text = re.split(r"\.\s*conference\b", text)[0]  # Embase: "Blood.Conference: 57th Annual Meeting ..."
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
    >>> compare_journals("Chin J Hematol", "中华血液学杂志").name, compare_journals("Blood", "中华血液学杂志").name
    ('SAME', 'UNKNOWN')
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
                if romanised(chinese) == "".join(latin) or _means(chinese, latin):
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


def _meanings() -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    chinese: dict[str, str] = {}
    english: dict[str, set[str]] = {}
    for entry in _MEANINGS_TEXT.split("|"):
        meaning, _, forms = entry.partition("=")
        characters, _, latin = forms.partition("/")
        chinese |= dict.fromkeys(characters.split(","), meaning)
        for word in latin.split(","):
            english.setdefault(word, set()).add(meaning)
    return chinese, {word: frozenset(found) for word, found in english.items()}


_CHINESE, _ENGLISH = _meanings()
_LIGHT: Final = frozenset(("chin", "journal"))  # said in one language and left out in the other
_LONGEST = max(map(len, _CHINESE))


def _said(chinese: str) -> tuple[str, ...] | None:
    """Give what a Chinese title says, piece by piece; None when a piece is not in the table."""
    found: list[str] = []
    at = 0
    while at < len(chinese):
        for size in range(_LONGEST, 0, -1):
            meaning = _CHINESE.get(chinese[at : at + size])
            if meaning:
                found.append(meaning)
                at += size
                break
        else:
            if chinese[at] not in "与和及学":
                return None
            at += 1
    return tuple(found)


def _means(chinese: str, latin: tuple[str, ...]) -> bool:
    """Tell whether an English title says what a Chinese one says; its words may be abbreviated."""
    said = _said(chinese)
    if said is None or not set(said) - _LIGHT or len(latin) < 2:
        return False
    wanted = set(said) | _LIGHT
    left = set(said) - _LIGHT
    for word in latin:
        meanings = {
            meaning
            for whole, found in _ENGLISH.items()
            if whole == word or (len(word) > 1 and whole.startswith(word)) or (word == "j" and whole == "journal")
            for meaning in found
        } & wanted
        if not meanings:
            return False
        left -= meanings
    return not left


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
