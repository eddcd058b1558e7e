# SPDX-License-Identifier: Apache-2.0
"""Clusters of joined records: people's decisions first, then what is known, then rules; no contradiction is joined."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice, pairwise, product
from typing import Final, final

from sirolens.evidence.dedup.pairs import contradicts
from sirolens.evidence.dedup.result import Ask, Decision, Join, Verdict
from sirolens.evidence.dedup.traits import Traits
from sirolens.message import Message, info, warning

__all__ = ["Grouped", "Word", "group", "words"]

Pair = tuple[str, str]


@final
@dataclass(frozen=True, slots=True)
class Word:
    """The last word on pairs of records.

    Parameters
    ----------
    merged : tuple of (str, str)
        Latest decision first.
    apart : frozenset of (str, str)
    """

    merged: tuple[Pair, ...]
    apart: frozenset[Pair]


def words(decided: Iterable[Decision], present: Collection[str]) -> Word:
    """Fold decisions, oldest first, into the last word on every pair.

    >>> again = [
    ...     Decision(members=("b", "a"), verdict=Verdict.MERGED),
    ...     Decision(members=("a", "b"), verdict=Verdict.UNMERGED),
    ... ]
    >>> words(again, {"a", "b"})
    Word(merged=(), apart=frozenset({('a', 'b')}))
    """
    last: dict[Pair, Verdict] = {}
    for decision in decided:
        pairs = product(decision.members, decision.others) if decision.others else combinations(decision.members, 2)
        for one, two in pairs:
            if one != two and one in present and two in present:
                pair = (one, two) if one < two else (two, one)
                last.pop(pair, None)  # so that the order is that of the last word
                last[pair] = decision.verdict
    merged = tuple(pair for pair, verdict in reversed(last.items()) if verdict is Verdict.MERGED)
    return Word(merged, frozenset(pair for pair, verdict in last.items() if verdict is not Verdict.MERGED))


@final
@dataclass(slots=True)
class Grouped:
    """What grouping leaves behind.

    Parameters
    ----------
    group_of : dict
        Record id -> the list of the members of its group (one list object for all of them).
    joins : dict
        The first member of a group -> the joins that made it.
    asks : list of Ask
        Joins that were refused because they would bring a contradiction together.
    messages : list of Message
    """

    group_of: dict[str, list[str]]
    joins: dict[str, list[Join]] = field(default_factory=dict)
    asks: list[Ask] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def joins_of(self, record: str) -> tuple[Join, ...]:
        """Return the joins that made a record's group."""
        return tuple(self.joins.get(self.group_of[record][0], ()))

    def unite(self, join: Join, apart: Mapping[str, set[str]]) -> bool:
        """Join two groups unless a person keeps two of their members apart; True when they are one afterwards."""
        first, second = self.group_of[join.first], self.group_of[join.second]
        if first is second:
            return True
        small, large = (first, second) if len(first) < len(second) else (second, first)
        if any(not apart[one].isdisjoint(large) for one in small if one in apart):
            return False
        joins = [*self.joins.pop(large[0], ()), *self.joins.pop(small[0], ()), join]
        large.extend(small)
        for one in small:
            self.group_of[one] = large
        self.joins[large[0]] = joins
        return True


EXAMINED: Final = 400  # pairs across two groups that are looked at for contradictions


def _distinct(group: Sequence[str], traits: Mapping[str, Traits]) -> list[str]:
    """Return one record of each print: copies that are the same in all that is compared contradict the same records."""
    kept: dict[object, str] = {}
    for one in sorted(group):
        here = traits[one]
        kept.setdefault((here.titles, here.kind, here.names, here.place, here.pmid, here.doi, here.register), one)
    return list(kept.values())


def _contradiction(first: Sequence[str], second: Sequence[str], traits: Mapping[str, Traits]) -> Pair | None:
    pairs = product(_distinct(first, traits), _distinct(second, traits))
    for one, two in islice(pairs, EXAMINED):
        if contradicts(traits[one], traits[two]):
            return one, two
    return None


def _decided(grouped: Grouped, word: Word, apart: Mapping[str, set[str]]) -> None:
    for one, two in word.merged:
        if not grouped.unite(Join(first=one, second=two, rule="decided", why=info("dedup.decided")), apart):
            grouped.messages.append(warning("dedup.decisions-contradict", first=one, second=two))


def _known(
    grouped: Grouped, known: Iterable[Collection[str]], merges: Sequence[Join], apart: Mapping[str, set[str]]
) -> None:
    """Join again what was one cluster before, with the rule's reason where a rule still gives one."""
    home: dict[str, int] = {}
    clusters = [sorted(one for one in set(cluster) if one in grouped.group_of) for cluster in known]
    for number, cluster in enumerate(clusters):
        for one in cluster:
            home.setdefault(one, number)
    for join in merges:
        if join.first in home and home[join.first] == home.get(join.second, -1):
            grouped.unite(join, apart)
    for cluster in clusters:
        for one, two in pairwise(cluster):
            grouped.unite(Join(first=one, second=two, rule="known", why=info("dedup.known")), apart)
        if len({id(grouped.group_of[one]) for one in cluster}) > 1:
            grouped.messages.append(warning("dedup.known-split", members=tuple(cluster)))


def group(
    traits: Mapping[str, Traits],
    merges: Sequence[Join],
    *,
    word: Word,
    known: Iterable[Collection[str]] = (),
) -> Grouped:
    """Join records into groups.

    Parameters
    ----------
    traits : mapping of str to Traits
    merges : sequence of Join
        Strongest first.
    word : Word
        What people decided; it holds against every chain of joins.
    known : iterable of collections of str
        Clusters of an earlier run: they stay together, unless a person said otherwise.

    Returns
    -------
    Grouped
    """
    grouped = Grouped({one: [one] for one in traits})
    apart: dict[str, set[str]] = {}
    for one, two in word.apart:
        apart.setdefault(one, set()).add(two)
        apart.setdefault(two, set()).add(one)
    _decided(grouped, word, apart)
    _known(grouped, known, merges, apart)
    for join in merges:
        first, second = grouped.group_of[join.first], grouped.group_of[join.second]
        if first is second or (join.first, join.second) in word.apart:
            continue
        clash = _contradiction(first, second, traits) if len(first) + len(second) > 2 else None
        if clash is None and grouped.unite(join, apart):
            continue
        one, two = clash or (join.first, join.second)
        why = warning("dedup.ask-chain", first=one, second=two, reason=join.why)
        grouped.asks.append(Ask(first=join.first, second=join.second, why=why))
    return grouped
