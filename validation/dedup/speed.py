# SPDX-License-Identifier: Apache-2.0
"""Time and memory of 80,000 invented records: `python -m validation.dedup.speed [RECORDS]`.

The records are a mixture of what is hard on a matcher: titles of a field's few words, journals and volumes shared by
many, copies as other databases print them, a supplement of abstracts under one DOI, editorials of one title, Chinese
records with an English one beside. Since it is known which are copies, false merges are counted too.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import time
from typing import Any, Final

from sirolens.evidence.dedup.deduplicate import deduplicate
from sirolens.evidence.record import Author, Position, Record
from validation.dedup.bilingual_set import EVERYBODY, Paper, cnki, embase, paper, pubmed

SEED: Final = 5
WORDS: Final = 2500
FAMILIES: Final = 1500
JOURNALS: Final = 600
PARTS: Final = (
    "an",
    "ter",
    "lo",
    "mi",
    "ra",
    "cy",
    "to",
    "ro",
    "sis",
    "im",
    "mu",
    "no",
    "ge",
    "pla",
    "te",
    "let",
    "fi",
)


def _word(chance: random.Random) -> str:
    parts = PARTS
    return "".join(chance.choice(parts) for _ in range(chance.randint(1, 4)))


def _english(chance: random.Random, words: list[str], families: list[str], journals: list[str]) -> dict[str, Any]:
    year, first = chance.randint(1990, 2025), chance.randint(1, 1500)
    journal = min(int(chance.paretovariate(0.7)) - 1, len(journals) - 1)
    return {
        "title": " ".join(
            words[min(int(chance.paretovariate(0.55)) - 1, len(words) - 1)] for _ in range(chance.randint(6, 16))
        ),
        "authors": tuple(
            Author(printed="", family=chance.choice(families), given=chance.choice("ABCDEFGHJKLMRSTW") + ".")
            for _ in range(chance.randint(1, 8))
        ),
        "year": year,
        "journal": journals[journal],
        "volume": str(year - 1960 - journal % 20),
        "issue": str(chance.randint(1, 12)),
        "pages": f"{first}-{first + chance.randint(1, 11)}",
        "doi": f"10.{1000 + journal}/j.{year}.{first}" if chance.random() < 0.7 else "",
        "abstract": "",
    }


def _copy(told: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Print a record as another database would."""
    made = dict(told)
    if chance.random() < 0.4:
        made["doi"] = ""
    if chance.random() < 0.3:
        made["title"] = str(told["title"]).upper()
    if chance.random() < 0.2:
        made["issue"] = ""
    if chance.random() < 0.2:
        made["pages"] = str(told["pages"]).split("-")[0]
    return made


def _chinese(one: Paper, chance: random.Random) -> list[dict[str, Any]]:
    printed = [cnki(one, chance)]
    if chance.random() < 0.5:
        printed.append((pubmed if chance.random() < 0.6 else embase)(one, chance))
    found = []
    for told in printed:
        found.append({
            "title": told["title"],
            "title_vernacular": told.get("vernacular", ""),
            "authors": tuple(Author(printed=name) for name in told["authors"]),
            **{name: told.get(name, "") for name in ("journal", "volume", "issue", "pages", "doi", "pmid", "issn")},
            "year": told["year"],
        })  # fmt: skip
    return found


def invented(count: int) -> tuple[list[Record], dict[str, int]]:
    """Make ``count`` records, and tell which paper each is of."""
    chance = random.Random(SEED)
    words = sorted({_word(chance) for _ in range(WORDS)})
    families = sorted({_word(chance) for _ in range(FAMILIES)})
    journals = [f"{_word(chance)} {_word(chance)} {_word(chance)}" for _ in range(JOURNALS)]
    told: list[dict[str, Any]] = []
    papers = 0
    while len(told) < count:
        draw = chance.random()
        if draw < 0.2:
            made = _chinese(paper(chance, people=tuple(chance.sample(EVERYBODY, chance.randint(1, 6)))), chance)
        elif draw < 0.22:
            made = [{"title": "Editorial", "journal": chance.choice(journals), "year": 2010, "pages": "1"}]
        else:
            one = _english(chance, words, families, journals)
            if chance.random() < 0.05:
                one |= {"doi": "10.9999/supplement", "journal": "Invented Blood", "volume": "130"}
            made = [one, *(_copy(one, chance) for _ in range(chance.choice((0, 0, 0, 1, 1, 2))))]
        papers += 1
        told += [one | {"paper": papers} for one in made]
    chance.shuffle(told)
    records, home = [], {}
    for number, fields in enumerate(told[:count], 1):
        home[f"r-{number:08d}"] = int(str(fields.pop("paper")))
        place = Position(sha256="0" * 64, ordinal=number, first_line=number, last_line=number)
        records.append(Record(id=f"r-{number:08d}", source="invented", position=place, raw="", **fields))
    return records, home


def report(count: int, *, explain: bool) -> None:
    """Print what ``count`` records take, and what became of them."""
    records, home = invented(count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    load = os.getloadavg()[0]
    wall, cpu = time.perf_counter(), time.process_time()
    found = deduplicate(records)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    false = sum(len({home[one] for one in cluster.members}) - 1 for cluster in found.merged)
    copies = len(records) - len(set(home.values()))
    print(
        f"{len(records)} records: {wall:.1f} s on the clock, {cpu:.1f} s of processor, load {load:.1f} before; "
        f"memory {before:.0f} -> {after:.0f} MB; copies {copies}, removed {found.removed}, false {false}, "
        f"asked {len(found.asks)}, linked {len(found.links)}"
    )
    for cluster in found.merged if explain else ():
        if len({home[one] for one in cluster.members}) > 1:
            print(cluster.members, [(join.rule, join.why.items) for join in cluster.joins])


def main() -> None:
    """Report on as many records as the first argument says; with a second one print the false clusters too."""
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 80_000, explain=len(sys.argv) > 2)


if __name__ == "__main__":
    main()
