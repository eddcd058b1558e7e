# SPDX-License-Identifier: Apache-2.0
"""Count merges on published sets whose duplicates people marked: `python -m validation.dedup.published_sets FOLDER`.

FOLDER holds one folder per set with ``records_pre_merged.csv`` and ``merged_record_ids.csv``, as bib-dedupe publishes
them (README.md says where). Nothing of these sets is kept here.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final, final

from sirolens.evidence.dedup.deduplicate import Duplicates, deduplicate
from sirolens.evidence.record import Author, Position, Record

RUNNING_NUMBER: Final = 0.98  # share of values met once from which a column is the file's own running number


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Records counted as bib-dedupe counts them, and pairs.

    Of a group of n marked duplicates n - 1 should go: those that go are true, those left are missed. A record outside
    every group that goes is false.
    """

    true: int
    false: int
    missed: int
    false_pairs: tuple[tuple[str, str], ...]
    missed_pairs: tuple[tuple[str, str], ...]


def author(text: str) -> Author:
    family, _, given = text.partition(",")
    return Author(printed=text.strip(), family=family.strip(), given=given.strip())


def authors(text: str) -> tuple[Author, ...]:
    return tuple(author(part) for part in text.split(" and ") if part.strip())


def running_number(rows: Iterable[Mapping[str, str]], column: str) -> bool:
    values = [row[column] for row in rows if row.get(column)]
    return len(values) > 50 and len(set(values)) / len(values) > RUNNING_NUMBER


def record(ordinal: int, row: Mapping[str, str], *, with_issue: bool) -> Record:
    place = Position(sha256="0" * 64, ordinal=ordinal, first_line=ordinal, last_line=ordinal)
    title = row["title"]
    year = row.get("year", "")
    return Record(
        id=row["ID"],
        source="published-set",
        position=place,
        raw="",
        title=title.strip(),
        title_translated=title.strip().startswith("["),
        authors=authors(row.get("author") or ""),
        year=int(float(year)) if year and year.replace(".", "").isdigit() else None,
        journal=row.get("journal") or row.get("booktitle") or "",
        volume=row.get("volume") or "",
        issue=(row.get("number") or "") if with_issue else "",
        pages=row.get("pages") or "",
        doi=(row.get("doi") or "").lower(),
        abstract=row.get("abstract") or "",
    )


def read(folder: Path) -> tuple[tuple[Record, ...], tuple[frozenset[str], ...]]:
    """The records of a set and its marked groups."""
    with (folder / "records_pre_merged.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with_issue = not running_number(rows, "number")
    records = tuple(record(ordinal, row, with_issue=with_issue) for ordinal, row in enumerate(rows, 1))
    with (folder / "merged_record_ids.csv").open(encoding="utf-8", newline="") as stream:
        groups = tuple(frozenset(row["merged_ids"].split(";")) for row in csv.DictReader(stream))
    return records, groups


def count(found: Duplicates, groups: Iterable[frozenset[str]]) -> Counts:
    """Compare what was merged with what people marked."""
    home = {member: cluster.members[0] for cluster in found.clusters for member in cluster.members}
    marked = {member: number for number, group in enumerate(groups) for member in group}
    true = sum(len(group) - len({home[one] for one in group}) for group in groups)
    missed = sum(len({home[one] for one in group}) - 1 for group in groups)
    false = 0
    false_pairs = []
    for cluster in found.merged:
        sorts = Counter(marked.get(one, one) for one in cluster.members)
        false += len(sorts) - 1
        false_pairs += [
            pair
            for pair in combinations(cluster.members, 2)
            if marked.get(pair[0], pair[0]) != marked.get(pair[1], pair[1])
        ]
    missed_pairs = [
        (one, two) for group in groups for one, two in combinations(sorted(group), 2) if home[one] != home[two]
    ]
    return Counts(
        true=true, false=false, missed=missed, false_pairs=tuple(false_pairs), missed_pairs=tuple(missed_pairs)
    )


def line(one: Record) -> str:
    return " | ".join(
        (
            one.title[:110],
            str(one.year),
            "; ".join(who.printed for who in one.authors)[:50],
            one.journal[:40],
            one.volume,
            one.issue,
            one.pages,
        )
    )


def sets_in(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if (child / "records_pre_merged.csv").exists())


def report(path: Path, *, explain: bool) -> None:
    """Print the counts of one set, and the pairs behind them if wanted."""
    records, groups = read(path)
    began = time.process_time()
    found = deduplicate(records)
    seconds = time.process_time() - began
    counts = count(found, groups)
    print(
        f"{path.name}: {len(records)} records, TP {counts.true} FP {counts.false} FN {counts.missed}, "
        f"asked {len(found.asks)}, linked {len(found.links)}, {seconds:.1f} s of processor"
    )
    if not explain:
        return
    by_id = {one.id: one for one in records}
    said = {(ask.first, ask.second): ask.why.code for ask in found.asks}
    said |= {(link.first, link.second): link.kind.value for link in found.links}
    for sort, pairs in (("FALSE", counts.false_pairs), ("MISSED", counts.missed_pairs)):
        for one, two in pairs:
            print(
                f"  {sort} {one} {two} {said.get((one, two), '-')}\n      {line(by_id[one])}\n      {line(by_id[two])}"
            )
    for ask in found.asks:
        print(f"  ASK {ask.why}\n      {line(by_id[ask.first])}\n      {line(by_id[ask.second])}")


def main() -> None:
    """Print the counts of every set in the folder; with a second argument the pairs too."""
    for path in sets_in(Path(sys.argv[1])):
        report(path, explain=len(sys.argv) > 2)


if __name__ == "__main__":
    main()
