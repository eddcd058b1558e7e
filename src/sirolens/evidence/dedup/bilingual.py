# SPDX-License-Identifier: Apache-2.0
"""A Chinese and an English record of one paper, known by place in print, authors' names and what the titles share.

No single field proves it, so the evidence is added up in bits: each agreement counts the binary logarithm of how seldom
it happens between two different papers. Two different records of a large search agree in year, first page, issue, last
page and a family name somewhere: 80,000 records, half of them Chinese, make 1.6e9 pairs of the two languages (31 bits),
so that `ENOUGH` bits leave about one false pair in twenty such searches. The weights are rounded judgements (family
names: the commonest are borne by one in 14, most by fewer; pages: one in several hundred), not estimates from data.
"""

from __future__ import annotations

import re
from typing import Final

from sirolens.evidence.dedup.compared import Compared, Finding, Outcome, spot, two_dois, two_pmids
from sirolens.evidence.dedup.journals import Agreement
from sirolens.evidence.dedup.names import Authorship, Name, Names, compare_names
from sirolens.evidence.dedup.titles import Likeness, Title
from sirolens.message import info, warning

__all__ = ["across_languages"]

ENOUGH: Final = 35.0
WORTH_ASKING: Final = 32.0

YEAR, NEXT_YEAR = 4.3, -2.0
FIRST_PAGE, LAST_PAGE, ISSUE, VOLUME, JOURNAL = 8.5, 2.8, 3.3, 1.5, 6.5
FAMILY, INITIAL, SYLLABLE = 4.5, 3.3, 5.0
OTHER_PLACE_IN_LIST, OTHER_AUTHOR, OTHER_NUMBER_OF_AUTHORS = -1.0, -6.0, -4.0
AUTHORS_AT_MOST: Final = 20.0  # one group's papers share all authors: one fact
COUNTED_AUTHORS: Final = 6
TWO_DOIS: Final = -4.0  # a paper may have the journal's and the database's
SHARED_NUMBER, OTHER_NUMBERS, SHARED_WORD = 5.0, -3.0, 2.5
SHARED_TERM, OTHER_TERM = 2.0, -8.0

# Terms by group: titles that name two members of one group are two papers; the same member counts for one.
_DRUGS: Final = (
    "西罗莫司,雷帕霉素=sirolimus,rapamycin;依维莫司=everolimus;环孢素,环孢菌素=cyclosporin,ciclosporin;"
    "他克莫司=tacrolimus;艾曲泊帕=eltrombopag;罗米司亭,罗普司亭=romiplostim;海曲泊帕=hetrombopag;"
    "阿伐曲泊帕=avatrombopag;利妥昔单抗=rituximab;达那唑=danazol;地西他滨=decitabine;硫唑嘌呤=azathioprine;"
    "长春新碱=vincristine;吗替麦考酚酯,霉酚酸酯=mycophenolate;丙种球蛋白,免疫球蛋白=globulin;"
    "血小板生成素=thrombopoietin;维甲酸=retinoic;沙利度胺=thalidomide;泼尼松=prednisone;伊马替尼=imatinib"
)
_DISEASES: Final = (
    "血小板减少=thrombocytop;再生障碍性贫血=aplastic;溶血性贫血=hemolytic,haemolytic;"
    "红细胞再生障碍=red cell aplasia;狼疮=lupus;evans=evans;白血病=leukemia,leukaemia;淋巴瘤=lymphoma;"
    "骨髓瘤=myeloma;血友病=hemophilia,haemophilia;移植=transplant;抗磷脂=antiphospholipid;"
    "卡梅现象,卡萨巴赫=kasabach;淋巴管=lymphangio,lymphatic"
)


def _terms(text: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    sides = (entry.partition("=") for entry in text.split(";"))
    return tuple((tuple(left.split(",")), tuple(right.split(","))) for left, _, right in sides)


_TERMS: Final = (_terms(_DRUGS), _terms(_DISEASES))


def across_languages(pair: Compared) -> Finding | None:
    """Merge, or ask about, a record in characters and one in Latin letters.

    The first page must agree, years differ by one at most, and journal, volume and issue must not contradict.
    """
    one, two = pair.one, pair.two
    if one.chinese == two.chinese or pair.title.telling or pair.title.likeness > Likeness.LIKE:
        return None
    if pair.title.han and pair.title.likeness is Likeness.FAR:  # both print a Chinese title, and they are two
        return None
    if pair.pages is not Agreement.SAME or pair.years not in (0, 1) or pair.journal is Agreement.DIFFERENT:
        return None
    if Agreement.DIFFERENT in (pair.volume, pair.issue) or two_pmids(pair):
        return None
    authors = _authors(one.names, two.names)
    if authors is None:
        return None
    bits = _place(pair) + authors + _titles(one.titles, two.titles)
    values = spot(pair) | {"issue": one.place.issue or two.place.issue or "-"}
    if bits >= ENOUGH:
        return Finding(Outcome.MERGE, info("dedup.chinese-english", **values), 60.0 + min(bits - ENOUGH, 5.0))
    if bits >= WORTH_ASKING:
        return Finding(Outcome.ASK, warning("dedup.ask-chinese-english", **values))
    return None


def _place(pair: Compared) -> float:
    bits = FIRST_PAGE + (YEAR if pair.years == 0 else NEXT_YEAR)
    bits += ISSUE * (pair.issue is Agreement.SAME) + VOLUME * (pair.volume is Agreement.SAME)
    bits += LAST_PAGE * pair.both_pages + JOURNAL * (pair.journal is Agreement.SAME)
    return bits + TWO_DOIS * two_dois(pair)


def _worth(one: Name, two: Name, found: Authorship) -> float:
    chinese, latin = (one, two) if one.han else (two, one)
    if found is Authorship.SAME:
        return FAMILY + SYLLABLE * len(chinese.given)
    if found is Authorship.FIRST:
        return FAMILY + INITIAL * min(len(chinese.given), len(latin.initials))
    return FAMILY


def _unreadable(name: Name) -> bool:
    return name.han and not name.readings


def _authors(mine: Names, theirs: Names) -> float | None:
    """Add up the authors; None when the first ones are two people."""
    if not mine.names or not theirs.names:
        return 0.0
    first = compare_names(mine.names[0], theirs.names[0])
    if first is Authorship.DIFFERENT and not (_unreadable(mine.names[0]) or _unreadable(theirs.names[0])):
        return None
    bits = 0.0 if mine.count == theirs.count or mine.cut or theirs.cut else OTHER_NUMBER_OF_AUTHORS
    left = list(enumerate(theirs.names))
    for at, name in enumerate(mine.names[: min(COUNTED_AUTHORS, len(theirs.names))]):
        fits = [(where, other) for where, other in left if compare_names(name, other) is not Authorship.DIFFERENT]
        if not fits:
            bits += 0.0 if _unreadable(name) else OTHER_AUTHOR
            continue
        where, other = min(fits, key=lambda fit: abs(fit[0] - at))
        left.remove((where, other))
        bits += _worth(name, other, compare_names(name, other)) + (OTHER_PLACE_IN_LIST if where != at else 0.0)
    return min(bits, AUTHORS_AT_MOST)


def _titles(mine: tuple[Title, ...], theirs: tuple[Title, ...]) -> float:
    """Add up what a Chinese and an English title share: numbers, words in Latin letters, terms of one meaning."""
    chinese = next((title for title in (*mine, *theirs) if title.han), None)
    english = next((title for title in (*mine, *theirs) if not title.han), None)
    if chinese is None or english is None:
        return 0.0
    bits = 0.0
    numbers = [{token for token in title.tokens if token.isdigit() and len(token) > 1} for title in (chinese, english)]
    if numbers[0] & numbers[1]:
        bits += SHARED_NUMBER
    elif numbers[0] and numbers[1]:
        bits += OTHER_NUMBERS
    words = set(re.findall(r"[a-z]{3,}", chinese.key)) & set(english.tokens)
    bits += SHARED_WORD * bool(words)
    text = " ".join(english.tokens)
    for group in _TERMS:
        said = {entry for entry in group if any(form in chinese.key for form in entry[0])}
        meant = {entry for entry in group if any(form in text for form in entry[1])}
        if said & meant:
            bits += SHARED_TERM
        elif said and meant:
            bits += OTHER_TERM
    return bits
