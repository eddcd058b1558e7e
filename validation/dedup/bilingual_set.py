# SPDX-License-Identifier: Apache-2.0
"""Invented English-Chinese pairs of records, written out for the tests: `python -m validation.dedup.bilingual_set`.

Nobody and nothing in here exists: names, titles, pages and numbers are put together by chance from the lists of
bilingual_words.toml, written by hand. What is real is the way the databases differ, as the formats' facts tell: PubMed
prints pinyin initials, a translated title in brackets and often the vernacular one, CNKI prints characters, a zero
before the issue, no volume and seldom a DOI; Embase and Web of Science print an English journal title and no vernacular
title. The spellings of the names are written by hand beside the characters and know nothing of the matcher's tables.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, final

TARGET: Final = Path(__file__).parents[2] / "tests" / "evidence" / "data" / "dedup" / "bilingual.jsonl"
SEED: Final = 20261122
TRUE_PAIRS, NEGATIVES = 240, 120

Fields: TypeAlias = dict[str, Any]


TRADITIONAL: Final = str.maketrans(
    "张陈刘杨黄赵吴孙马罗郑谢许韩邓冯叶苏卢华国药疗观减亚难儿临血",
    "張陳劉楊黃趙吳孫馬羅鄭謝許韓鄧馮葉蘇盧華國藥療觀減亞難兒臨血",
)


@final
@dataclass(frozen=True, slots=True)
class Person:
    han: str
    family: str
    given: tuple[str, ...]

    def pubmed(self) -> str:
        return f"{self.family} {''.join(part[0].upper() for part in self.given)}"

    def full(self, chance: random.Random) -> str:
        joined = chance.choice(("", "-", " ")).join(self.given) if len(self.given) > 1 else self.given[0]
        return f"{self.family}, {joined.capitalize() if '-' not in joined else joined.title()}"


@final
@dataclass(frozen=True, slots=True)
class Paper:
    """One invented paper, before any database prints it."""

    zh: str
    en: str
    own: str
    people: tuple[Person, ...]
    journal: tuple[str, ...]
    year: int
    volume: int
    issue: int
    first: int
    last: int

    def doi(self) -> str:
        return f"{self.journal[4]}{self.year}.{self.issue:02d}.{self.first % 40 + 1:03d}" if self.journal[4] else ""


def people(lines: Iterable[str]) -> tuple[Person, ...]:
    found = []
    for line in lines:
        han, family, *given = line.split()
        found.append(Person(han, family, tuple(given)))
    return tuple(found)


WORDS: Final = tomllib.loads((Path(__file__).parent / "bilingual_words.toml").read_text(encoding="utf-8"))
EVERYBODY: Final = people(WORDS["people"])
ALL_JOURNALS: Final = tuple(tuple(entry) for entry in WORDS["journals"])


def paper(chance: random.Random, **fixed: Any) -> Paper:
    drug, disease = (chance.choice(WORDS[name]) for name in ("drugs", "diseases"))
    n = chance.randint(12, 180)
    words = chance.choice(WORDS["titles"])
    year = chance.randint(2004, 2024)
    first = chance.randint(1, 980)
    made: Fields = {
        "zh": words["zh"].format(drug=drug[0], disease=disease[0], n=n),
        "en": words["en"].format(drug=drug[1], disease=disease[1], n=n),
        "own": words["own"].format(drug=drug[1], disease=disease[1], n=n),
        "people": tuple(chance.sample(EVERYBODY, chance.choice((1, 2, 3, 4, 5, 6, 7)))),
        "journal": chance.choice(ALL_JOURNALS),
        "year": year,
        "volume": year - 1979,
        "issue": chance.randint(1, 12),
        "first": first,
        "last": first + chance.randint(2, 7),
    }
    return Paper(**(made | fixed))


def short_end(first: int, last: int) -> str:
    """Pages as PubMed prints them."""
    one, two = str(first), str(last)
    while len(one) == len(two) and len(two) > 1 and one[0] == two[0]:
        one, two = one[1:], two[1:]
    return f"{first}-{two}"


def cnki(one: Paper, chance: random.Random) -> Fields:
    """The paper as CNKI prints it."""
    names = [person.han for person in one.people]
    if chance.random() < 0.06:
        names = [f"{name}[{at % 3 + 1}]" for at, name in enumerate(names)]
    pages = f"{one.first}-{one.last}" + (f"+{one.last + chance.randint(3, 9)}" if chance.random() < 0.12 else "")
    made: Fields = {
        "title": one.zh,
        "authors": names,
        "journal": one.journal[0],
        "year": one.year,
        "issue": f"{one.issue:02d}",
        "pages": pages,
        "source": "cnki-noteexpress",
        "database": "CNKI",
        "language": "chi",
    }
    if chance.random() < 0.3:
        made["volume"] = str(one.volume)
    if one.doi() and chance.random() < 0.35:
        made["doi"] = one.doi()
    if chance.random() < 0.6:
        made["issn"] = one.journal[3]
    if chance.random() < 0.05:
        made["title"] = made["title"].translate(TRADITIONAL)
        made["authors"] = [name.translate(TRADITIONAL) for name in names]
    return made


def pubmed(one: Paper, chance: random.Random) -> Fields:
    """The paper as PubMed prints it."""
    made: Fields = {
        "title": one.en,
        "title_translated": True,
        "authors": [person.pubmed() for person in one.people],
        "journal": one.journal[1] or one.journal[2],
        "year": one.year,
        "volume": str(one.volume),
        "issue": str(one.issue),
        "pages": short_end(one.first, one.last),
        "source": "pubmed-nbib",
        "pmid": str(chance.randint(90_000_000, 99_999_999)),
        "language": "chi",
    }
    if chance.random() < 0.55:
        made["vernacular"] = one.zh + "."
    if one.doi() and chance.random() < 0.8:
        made["doi"] = one.doi()
    if chance.random() < 0.5:
        made["issn"] = one.journal[3]
    if chance.random() < 0.5:
        made["authors"] = [person.full(chance) for person in one.people]
    return made


def embase(one: Paper, chance: random.Random) -> Fields:
    """The paper as Embase, Scopus or Web of Science prints it."""
    made: Fields = {
        "title": chance.choice((one.en, one.own)),
        "authors": [
            f"{person.family} {'.'.join(part[0].upper() for part in person.given)}."
            if chance.random() < 0.8
            else person.full(chance)
            for person in one.people
        ],
        "journal": one.journal[2],
        "year": one.year,
        "volume": str(one.volume),
        "issue": str(one.issue),
        "pages": f"{one.first}-{one.last}",
        "source": "ris",
        "database": "Embase",
        "language": "Chinese",
    }
    if one.doi() and chance.random() < 0.5:
        made["doi"] = one.doi()
    return made


def damaged(english: Fields, chinese: Fields, one: Paper, chance: random.Random) -> str:
    """Do to some pairs what exports do; say what was done."""
    fate = chance.random()
    if fate < 0.04:
        chinese["pages"] = f"{one.first + 1}-{one.last}"
        return "first page misprinted"
    if fate < 0.08:
        chinese["year"] = one.year + 1
        return "year of the next volume"
    if fate < 0.11:
        del chinese["issue"]
        return "no issue"
    if fate < 0.14:
        chinese["authors"] = []
        return "no authors"
    if fate < 0.18 and len(one.people) > 3:
        chinese["authors"], chinese["cut"] = chinese["authors"][:3], True
        return "authors cut"
    if fate < 0.22:
        english["authors"] = [name.replace("Lv", "Lyu") for name in english["authors"]]
        english["pages"] = str(one.first)
        return "first page only"
    if fate < 0.26 and len(one.people) > 2:
        chinese["authors"] = [*chinese["authors"][:-2], chinese["authors"][-1], chinese["authors"][-2]]
        return "last authors swapped"
    return ""


def true_pairs(chance: random.Random) -> list[Fields]:
    found = []
    for number in range(TRUE_PAIRS):
        one = paper(chance)
        english = (pubmed if chance.random() < 0.6 else embase)(one, chance)
        chinese = cnki(one, chance)
        why = damaged(english, chinese, one, chance)
        found.append({"pair": f"true-{number + 1:03d}", "same": True, "why": why, "en": english, "zh": chinese})
    return found


def _other(one: Paper, **changes: Any) -> Paper:
    return Paper(**({name: getattr(one, name) for name in Paper.__slots__} | changes))


def same_page_elsewhere(one: Paper, chance: random.Random) -> tuple[Paper, Paper, str]:
    journal = chance.choice([entry for entry in ALL_JOURNALS if entry[0] != one.journal[0]])
    lead = [person for person in EVERYBODY if person.family == one.people[0].family]
    authors = (chance.choice(lead), *chance.sample(EVERYBODY, len(one.people) - 1))
    return (
        one,
        paper(chance, journal=journal, year=one.year, issue=one.issue, first=one.first, last=one.last, people=authors),
        ("another journal: year, issue, pages and first family name agree"),
    )


def same_title(one: Paper, chance: random.Random) -> tuple[Paper, Paper, str]:
    return one, paper(chance, zh=one.zh, en=one.en, own=one.own), "the same title by other authors in another place"


def same_group(one: Paper, chance: random.Random) -> tuple[Paper, Paper, str]:
    other = paper(chance, people=one.people, journal=one.journal, year=one.year, volume=one.volume, issue=one.issue)
    return one, _other(other, first=one.last + 1, last=one.last + 5), "the same authors' next paper in the same issue"


def parts(one: Paper, chance: random.Random) -> tuple[Paper, Paper, str]:
    marks = chance.choice((("（一）", "（二）", " (part 1)", " (part 2)"), ("（上）", "（下）", " (I)", " (II)")))
    first = _other(one, zh=one.zh + marks[0], en=one.en + marks[2], own=one.own + marks[2])
    second = _other(
        one, zh=one.zh + marks[1], en=one.en + marks[3], own=one.own + marks[3], first=one.last + 1, last=one.last + 6
    )
    return first, second, "two parts"


def shared_page(one: Paper, chance: random.Random) -> tuple[Paper, Paper, str]:
    short = _other(one, last=one.first)
    lead = [person for person in EVERYBODY if person.family == one.people[0].family and person != one.people[0]] or [
        chance.choice(EVERYBODY)
    ]
    other = paper(
        chance, journal=one.journal, year=one.year, volume=one.volume, issue=one.issue, first=one.first, last=one.first,
        people=(chance.choice(lead), *chance.sample(EVERYBODY, 1)),
    )  # fmt: skip
    return short, other, "two short reports on one page of one journal"


def next_year(one: Paper, chance: random.Random) -> tuple[Paper, Paper, str]:
    other = _other(one, year=one.year + 2, volume=one.volume + 2, first=chance.randint(1, 900))
    return one, _other(other, last=other.first + 4), "a later edition with the same title and authors"


def erratum(one: Paper, chance: random.Random) -> tuple[Paper, Paper, str]:
    other = _other(
        one,
        zh=f"更正：{one.zh}",
        en=f"Erratum to: {one.en}",
        own=f"Erratum: {one.own}",
        issue=one.issue % 12 + 1,
        first=one.last + 90,
    )
    return other, one, "the paper and its correction" if other.first else chance.choice(("",))


NEGATIVE_KINDS: Final[tuple[Callable[[Paper, random.Random], tuple[Paper, Paper, str]], ...]] = (
    same_page_elsewhere,
    same_title,
    same_group,
    parts,
    shared_page,
    next_year,
    erratum,
)


def negatives(chance: random.Random) -> list[Fields]:
    found = []
    for number in range(NEGATIVES):
        kind = NEGATIVE_KINDS[number % len(NEGATIVE_KINDS)]
        one, other, why = kind(paper(chance), chance)
        if kind is erratum:
            other = _other(other)
            one = _other(one, last=one.first)
        english = (pubmed if chance.random() < 0.6 else embase)(one, chance)
        found.append(
            {"pair": f"not-{number + 1:03d}", "same": False, "why": why, "en": english, "zh": cnki(other, chance)}
        )
    return found


def main() -> None:
    """Write the set."""
    chance = random.Random(SEED)
    pairs = [*true_pairs(chance), *negatives(chance)]
    note = {"note": "Every record in this file is invented. Made by validation/dedup/bilingual_set.py."}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with TARGET.open("w", encoding="utf-8", newline="\n") as stream:
        for entry in (note, *pairs):
            stream.write(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")
    print(f"{len(pairs)} pairs in {TARGET}")


if __name__ == "__main__":
    main()
