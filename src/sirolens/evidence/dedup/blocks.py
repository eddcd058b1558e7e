# SPDX-License-Identifier: Apache-2.0
"""Which pairs of records are worth comparing: those that share a number, an end of the title, or a place in print."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np

from sirolens.evidence.dedup.traits import Traits

__all__ = ["candidate_pairs"]

LIMIT: Final = 40  # records of one block that are all compared with each other; larger blocks are divided
NEIGHBOURS: Final = 12  # in a block that cannot be divided: how many of the next ones in order each is compared with
START_LETTERS, START_HAN = 26, 8

Key: TypeAlias = tuple[str | int, ...]


def _digits(traits: Traits) -> str:
    return traits.place.pages.first.lstrip("abcdefghijklmnopqrstuvwxyz.")


def _author(traits: Traits) -> str:
    return traits.names.names[0].last if traits.names.names else ""


def _numbers(traits: Traits) -> Iterator[Key]:
    for field, value in (
        ("pmid", traits.pmid),
        ("doi", traits.doi),
        ("pmcid", traits.pmcid),
        ("wos", traits.wos_id),
        ("accession", traits.accession),
    ):
        if value:
            yield (field, value)
    for trial in traits.trials:
        yield ("trial", trial)


def _titles(traits: Traits) -> Iterator[Key]:
    for title in traits.titles:
        yield ("whole", title.key)


def _ends(traits: Traits) -> Iterator[Key]:
    for title in traits.titles:
        size = START_HAN if title.han else START_LETTERS
        if len(title.key) >= size:
            yield ("start", title.key[:size])
            yield ("end", title.key[-size:])


def _places(traits: Traits) -> Iterator[Key]:
    place, digits = traits.place, _digits(traits)
    if not digits:
        return
    year = place.year or 0
    if place.volume:
        yield ("volume", place.volume, digits, year)
    if place.pages.several:
        yield ("pages", year, *place.pages.spans[0])
    if place.issue and place.pages.several:
        yield ("span", place.issue, *place.pages.spans[0])  # whatever the year: an early version, a misprint
    if place.issue:
        yield ("issue", place.issue, digits, year)
    yield ("author", _author(traits), digits, year)


def _untold(traits: Traits) -> Iterator[Key]:
    """A paper whose other record has other words in its title and lacks a page: author, year and journal's volume."""
    place = traits.place
    if place.volume and place.year and traits.names.names:
        yield ("volume-author", place.volume, place.year, _author(traits))


FAMILIES: Final[tuple[Callable[[Traits], Iterator[Key]], ...]] = (_numbers, _titles, _ends, _places, _untold)

_DIVIDERS: Final[tuple[Callable[[Traits], str], ...]] = (
    lambda traits: traits.titles[0].key[:16] if traits.titles else "",
    _digits,
    _author,
)


def _divided(block: list[int], records: Sequence[Traits], out: list[tuple[int, int]], depth: int = 0) -> None:
    """Add the pairs of a block; a large one is divided by title, page and author, the rest goes by neighbours."""
    if len(block) <= LIMIT:
        out.extend(combinations(block, 2))
        return
    if depth == len(_DIVIDERS):
        order = sorted(block, key=lambda at: (records[at].titles[0].key if records[at].titles else "", records[at].id))
        for step in range(1, NEIGHBOURS + 1):
            out.extend((min(pair), max(pair)) for pair in zip(order, order[step:], strict=False))
        return
    for divider in _DIVIDERS[depth:] if depth == 0 else (_DIVIDERS[depth],):
        parts: dict[str, list[int]] = {}
        for at in block:
            value = divider(records[at])
            if value:
                parts.setdefault(value, []).append(at)
        for part in parts.values():
            if len(part) == len(block):
                _divided(part, records, out, len(_DIVIDERS))
            elif len(part) > 1:
                _divided(part, records, out, depth + 1 if depth else 1)


def candidate_pairs(records: Sequence[Traits]) -> list[tuple[int, int]]:
    """Return the pairs to compare as positions in the sequence, each once, in order.

    Parameters
    ----------
    records : sequence of Traits
        In the order of their ids, so that the pairs do not depend on the order of the files.

    Returns
    -------
    list of (int, int)
        The smaller position first.
    """
    size = len(records)
    codes: list[np.ndarray] = []
    for family in FAMILIES:
        blocks: dict[Key, list[int]] = {}
        for at, one in enumerate(records):
            for key in dict.fromkeys(family(one)):
                blocks.setdefault(key, []).append(at)
        pairs: list[tuple[int, int]] = []
        for block in blocks.values():
            if len(block) > 1:
                _divided(block, records, pairs)
        if pairs:
            found = np.array(pairs, dtype=np.int64)
            codes.append(np.unique(found[:, 0] * size + found[:, 1]))
    if not codes:
        return []
    unique = np.unique(np.concatenate(codes))
    return list(zip((unique // size).tolist(), (unique % size).tolist(), strict=True))
