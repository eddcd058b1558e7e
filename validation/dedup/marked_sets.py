# SPDX-License-Identifier: Apache-2.0
"""Count merges on sets where people marked single records: `python -m validation.dedup.marked_sets FILE ...`.

EndNote libraries (.xml) carry the caption "Duplicate" on all copies, the original too, and do not say which belong
together: a marked record in a cluster of two or more is true, one alone is missed, an unmarked one in a cluster false.
ASySD's labelled table (.csv) marks the copies to remove: a cluster should hold exactly one record that is not marked,
each further one is false, a cluster without any is missed.
"""

from __future__ import annotations

import csv
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sirolens.evidence.dedup.deduplicate import deduplicate
from sirolens.evidence.record import Author, Position, Record
from validation.dedup.published_sets import author, line


def _text(element: ElementTree.Element, path: str) -> str:
    found = element.find(path)
    return "" if found is None else " ".join("".join(found.itertext()).split())


def _record(ordinal: int, **fields: Any) -> Record:
    place = Position(sha256="0" * 64, ordinal=ordinal, first_line=ordinal, last_line=ordinal)
    return Record(id=f"id_{ordinal:06d}", source="marked-set", position=place, raw="", **fields)


def endnote(path: Path) -> list[tuple[Record, bool]]:
    """The records of an EndNote XML library, and whether each is marked."""
    found = []
    for ordinal, element in enumerate(ElementTree.parse(path).getroot().iter("record"), 1):
        year = _text(element, "dates/year")
        made = _record(
            ordinal,
            title=_text(element, "titles/title"),
            authors=tuple(author("".join(one.itertext())) for one in element.iterfind("contributors/authors/author")),
            year=int(year) if year.isdigit() else None,
            journal=_text(element, "periodical/full-title") or _text(element, "titles/secondary-title"),
            volume=_text(element, "volume"),
            issue=_text(element, "number"),
            pages=_text(element, "pages"),
            doi=_text(element, "electronic-resource-num").lower(),
        )
        found.append((made, _text(element, "caption") == "Duplicate"))
    return found


def asysd(path: Path) -> list[tuple[Record, bool]]:
    """The records of the table; names run together there ("Doe J. A.Roe R."), so only the first is read."""
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = []
    for ordinal, row in enumerate(rows, 1):
        told = {name: "" if value in {"NA", None} else value for name, value in row.items()}
        first = told["author"].split(".")[0].strip()
        made = _record(
            ordinal,
            authors=(Author(printed=first),) if first else (),
            authors_cut=True,
            year=int(told["year"]) if told["year"].isdigit() else None,
            issue=told["number"],
            doi=told["doi"].lower(),
            **{name: told[name] for name in ("title", "journal", "volume", "pages")},
        )
        found.append((made, told["source"] == "duplicate"))
    return found


def report_removed(name: str, marked: Iterable[tuple[Record, bool]], *, explain: bool) -> None:
    """Print the counts of one set whose marks say what to remove."""
    pairs = list(marked)
    is_marked = {record.id: flag for record, flag in pairs}
    by_id = {record.id: record for record, _ in pairs}
    found = deduplicate(by_id.values())
    kept = [[one for one in cluster.members if not is_marked[one]] for cluster in found.clusters]
    false, missed = sum(max(0, len(one) - 1) for one in kept), sum(not one for one in kept)
    total = sum(is_marked.values())
    print(
        f"{name}: {len(pairs)} records, marked {total}, TP {total - missed} FP {false} FN {missed}, "
        f"asked {len(found.asks)}, linked {len(found.links)}"
    )
    for cluster, left in zip(found.clusters, kept, strict=True):
        if explain and len(left) != 1:
            print("  FALSE" if left else "  MISSED", *(f"\n      {line(by_id[one])}" for one in cluster.members))


def report(name: str, marked: Iterable[tuple[Record, bool]], *, explain: bool) -> None:
    """Print the counts of one set."""
    pairs = list(marked)
    is_marked = {record.id: flag for record, flag in pairs}
    by_id = {record.id: record for record, _ in pairs}
    found = deduplicate(by_id.values())
    true = false = missed = 0
    for cluster in found.clusters:
        together = len(cluster.members) > 1
        told = [is_marked[one] for one in cluster.members]
        true += together * sum(told)
        false += together * (len(told) - sum(told))
        missed += sum(told) * (not together)
        if explain and (together and not all(told)):
            print(
                "  FALSE", *(f"\n      {line(by_id[one])} {by_id[one].doi} {is_marked[one]}" for one in cluster.members)
            )
        if explain and told == [True]:
            print(f"  MISSED\n      {line(by_id[cluster.members[0]])} {by_id[cluster.members[0]].doi}")
    print(
        f"{name}: {len(pairs)} records, TP {true} FP {false} FN {missed}, "
        f"asked {len(found.asks)}, linked {len(found.links)}"
    )
    if explain:
        for ask in found.asks:
            print(f"  ASK {ask.why}\n      {line(by_id[ask.first])}\n      {line(by_id[ask.second])}")


def main() -> None:
    """Print the counts of every file named; ``-x`` prints the records too."""
    explain = "-x" in sys.argv
    for name in sys.argv[1:]:
        if name != "-x":
            path = Path(name)
            if path.suffix == ".csv":
                report_removed(path.name, asysd(path), explain=explain)
            else:
                report(path.name, endnote(path), explain=explain)


if __name__ == "__main__":
    main()
