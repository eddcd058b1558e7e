# SPDX-License-Identifier: Apache-2.0
"""Records of the same report brought together: merged where it is sure, asked where it is not, companions linked.

Three outcomes for two records: merge, ask, keep apart. A false merge loses a study from a review and nobody sees it, so
a rule merges only on what cannot be a coincidence; a missed duplicate costs a reviewer a minute. What people decided
always stands. The answer does not depend on the order of the records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from sirolens.errors import InputError
from sirolens.evidence.dedup.blocks import candidate_pairs
from sirolens.evidence.dedup.clusters import Grouped, Word, group, words
from sirolens.evidence.dedup.links import between_clusters, flags, printed_links
from sirolens.evidence.dedup.pairs import Finding, Outcome, judge
from sirolens.evidence.dedup.result import (
    Ask,
    Cluster,
    Decision,
    Duplicates,
    Flag,
    FlagKind,
    Join,
    Link,
    LinkKind,
    Verdict,
)
from sirolens.evidence.dedup.traits import Traits, traits
from sirolens.evidence.record import Record
from sirolens.message import error

__all__ = [
    "Ask",
    "Cluster",
    "Decision",
    "Duplicates",
    "Flag",
    "FlagKind",
    "Join",
    "Link",
    "LinkKind",
    "Progress",
    "Verdict",
    "deduplicate",
]

Progress: TypeAlias = Callable[[int, int], None]
"""Called with what is done and what there is in all, in records and then in pairs."""

_PROGRESS_EACH = 2000


def deduplicate(
    records: Iterable[Record],
    *,
    known: Iterable[Collection[str]] = (),
    decided: Iterable[Decision] = (),
    progress: Progress | None = None,
) -> Duplicates:
    """Find the records of the same report.

    Parameters
    ----------
    records : iterable of Record
        Of all sources; their ids are unique.
    known : iterable of collections of str
        Clusters of an earlier run, as record ids. They stay together; one that a person's later decision splits is told
        in the messages. Ids that are not among the records are passed over.
    decided : iterable of Decision
        What people decided, oldest first. It always wins, also against chains: two records kept apart never meet in one
        cluster through a third.
    progress : callable, optional
        Called with what is done and what there is in all.

    Returns
    -------
    Duplicates

    Raises
    ------
    InputError
        ``dedup.id-twice``: two records have one id.

    Examples
    --------
    >>> from sirolens.evidence.record import Author, Position
    >>> def invented(number, **fields):
    ...     place = Position(sha256="0" * 64, ordinal=number, first_line=1, last_line=2)
    ...     return Record(id=f"r-{number}", source="ris", position=place, raw="", **fields)
    >>> title = "Sirolimus in an invented trial of thrombocytopenia"
    >>> by = (Author(printed="Doe J", family="Doe", initials="J"),)
    >>> place = dict(journal="Invented Blood", volume="7", year=2020, authors=by)
    >>> found = deduplicate([
    ...     invented(1, title=title, pages="11-9", **place),
    ...     invented(2, title=title + " [Chinese]", pages="11-19", **place),
    ...     invented(3, title="Erratum to: " + title, pages="80", **place),
    ... ])
    >>> [cluster.members for cluster in found.clusters], [link.kind.value for link in found.links]
    ([('r-1', 'r-2'), ('r-3',)], ['erratum'])
    >>> found.merged[0].joins[0].rule
    'same-title-and-place'
    """
    ordered = sorted(records, key=lambda record: record.id)
    for before, after in pairwise(ordered):
        if before.id == after.id:
            raise InputError(error("dedup.id-twice", record=after.id))
    prepared = _prepared(ordered, progress)
    word = words(decided, {record.id for record in ordered})
    merges, asks, links = _judged(prepared, word, progress)
    by_id = {one.id: one for one in prepared}
    grouped = group(by_id, merges, word=word, known=known)
    clusters = _clusters(ordered, grouped)
    home = {member: cluster.members[0] for cluster in clusters for member in cluster.members}
    return Duplicates(
        clusters=clusters,
        asks=_open_asks([*asks, *grouped.asks], home, word),
        links=between_clusters([*printed_links(ordered, by_id), *links], home),
        flags=flags(ordered, by_id),
        messages=tuple(grouped.messages),
    )


def _prepared(records: Sequence[Record], progress: Progress | None) -> list[Traits]:
    found = []
    for number, record in enumerate(records):
        if progress is not None and number % _PROGRESS_EACH == 0:
            progress(number, len(records))
        found.append(traits(record))
    return found


def _judged(
    prepared: Sequence[Traits], word: Word, progress: Progress | None
) -> tuple[list[Join], list[Ask], list[Link]]:
    """Judge every candidate pair; merges come strongest first."""
    merges: list[tuple[float, Join]] = []
    asks: list[Ask] = []
    links: list[Link] = []
    pairs = candidate_pairs(prepared)
    for number, (at, other) in enumerate(pairs):
        if progress is not None and number % _PROGRESS_EACH == 0:
            progress(number, len(pairs))
        one, two = prepared[at], prepared[other]
        found: Finding = judge(one, two)
        if found.why is None:
            continue
        if found.outcome is Outcome.MERGE:
            merges.append((-found.strength, Join(first=one.id, second=two.id, rule=found.rule, why=found.why)))
        elif found.outcome is Outcome.ASK:
            asks.append(Ask(first=one.id, second=two.id, why=found.why))
        elif found.link is not None:
            links.append(Link(first=one.id, second=two.id, kind=found.link, why=found.why))
    if progress is not None:
        progress(len(pairs), len(pairs))
    merges.sort(key=lambda entry: (entry[0], entry[1].first, entry[1].second))
    return [join for _, join in merges], asks, links


def _tells(record: Record) -> tuple[int, int, int, int, int, int]:
    """How much a record tells, for the choice of the representative."""
    place = sum(map(bool, (record.journal, record.volume, record.issue, record.pages, record.year)))
    return (
        int(bool(record.pmid)),
        int(bool(record.abstract)),
        int(bool(record.doi)),
        place,
        int(not record.authors_cut) * min(len(record.authors), 50),
        len(record.title),
    )


def _clusters(records: Sequence[Record], grouped: Grouped) -> tuple[Cluster, ...]:
    by_id: Mapping[str, Record] = {record.id: record for record in records}
    clusters = []
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            continue
        members = tuple(sorted(grouped.group_of[record.id]))
        seen.update(members)
        best = min(members, key=lambda one: (*(-value for value in _tells(by_id[one])), one))
        clusters.append(Cluster(representative=best, members=members, joins=grouped.joins_of(record.id)))
    return tuple(clusters)


def _open_asks(asks: Iterable[Ask], home: Mapping[str, str], word: Word) -> tuple[Ask, ...]:
    """Keep the questions that are still open: one for each pair of clusters, none that a person has answered."""
    answered = {tuple(sorted((home[one], home[two]))) for one, two in word.apart}
    kept: dict[tuple[str, ...], Ask] = {}
    for ask in sorted(asks, key=lambda one: (one.first, one.second, one.why.code)):
        ends = tuple(sorted((home[ask.first], home[ask.second])))
        if ends[0] != ends[1] and ends not in answered:
            kept.setdefault(ends, ask)
    return tuple(kept.values())
