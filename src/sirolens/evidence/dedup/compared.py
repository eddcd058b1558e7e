# SPDX-License-Identifier: Apache-2.0
"""A pair of records, compared field by field, and what a rule can find about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, final

from sirolens.evidence.dedup.journals import Agreement
from sirolens.evidence.dedup.names import Authorship, compare_authors
from sirolens.evidence.dedup.places import compare_pages
from sirolens.evidence.dedup.result import LinkKind
from sirolens.evidence.dedup.traits import TitleMatch, Traits
from sirolens.message import Message

__all__ = ["APART", "Compared", "Finding", "Outcome", "compare", "spot", "two_dois", "two_pmids"]


class Outcome(IntEnum):
    """What two records are to each other."""

    APART = 0
    LINK = 1
    ASK = 2
    MERGE = 3


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome for one pair.

    Parameters
    ----------
    outcome : Outcome
    why : Message or None
        None for two records that have nothing to do with each other.
    strength : float
        Of a merge: stronger ones are joined first.
    link : LinkKind or None
    """

    outcome: Outcome
    why: Message | None = None
    strength: float = 0.0
    link: LinkKind | None = None

    @property
    def rule(self) -> str:
        """The name of the rule: the message's code after the point."""
        return self.why.code.partition(".")[2] if self.why else ""


APART: Final = Finding(Outcome.APART)


@final
@dataclass(frozen=True, slots=True)
class Compared:
    """Everything about a pair that the rules look at."""

    one: Traits
    two: Traits
    title: TitleMatch
    authors: Authorship
    years: int | None  # apart; None when one is missing
    journal: Agreement
    volume: Agreement
    issue: Agreement
    pages: Agreement
    both_pages: bool  # first and last page agree

    @property
    def page(self) -> str:
        """The first page, as the fuller record has it."""
        return max(self.one.place.pages.first, self.two.place.pages.first, key=len)

    @property
    def same_place(self) -> bool:
        """First page and volume agree and nothing of the place speaks against it."""
        return self.pages is Agreement.SAME and self.volume is not Agreement.DIFFERENT and self.near_year

    @property
    def near_year(self) -> bool:
        """The years differ by one at most, or one is missing."""
        return self.years is None or self.years <= 1

    @property
    def one_spot(self) -> bool:
        """First and last page, volume, journal, year and issue agree: two papers cannot stand there."""
        return (
            self.both_pages
            and self.volume is Agreement.SAME
            and self.journal is Agreement.SAME
            and self.issue is not Agreement.DIFFERENT
            and self.years in (0, None)
        )

    @property
    def several_authors(self) -> bool:
        """Each record has two authors or more."""
        return min(self.one.names.count, self.two.names.count) > 1

    @property
    def elsewhere(self) -> bool:
        """The places contradict each other."""
        if self.pages is Agreement.SAME and self.volume is not Agreement.DIFFERENT:
            return False
        different = (self.journal, self.volume, self.pages).count(Agreement.DIFFERENT)
        return different > 1 or self.journal is Agreement.DIFFERENT or self.pages is Agreement.DIFFERENT


def _agreement(one: str, two: str) -> Agreement:
    if not one or not two:
        return Agreement.UNKNOWN
    return Agreement.SAME if one == two else Agreement.DIFFERENT


def _issues(one: str, two: str) -> Agreement:
    """Compare issues; "21" and "21 Suppl 1" do not contradict each other."""
    found = _agreement(one, two)
    if found is Agreement.DIFFERENT and one.lstrip("s") == two.lstrip("s"):
        return Agreement.UNKNOWN
    return found


def compare(one: Traits, two: Traits, title: TitleMatch) -> Compared:
    """Compare every field of two records."""
    here, there = one.place, two.place
    page, both = compare_pages(here.pages, there.pages)
    return Compared(
        one,
        two,
        title,
        compare_authors(one.names, two.names),
        None if here.year is None or there.year is None else abs(here.year - there.year),
        here.same_journal(there),
        _agreement(here.volume, there.volume),
        _issues(here.issue, there.issue),
        page,
        both,
    )


def two_pmids(pair: Compared) -> bool:
    """Tell whether each record has its own PMID."""
    return bool(pair.one.pmid and pair.two.pmid and pair.one.pmid != pair.two.pmid)


def two_dois(pair: Compared) -> bool:
    """Tell whether each record has its own DOI."""
    return bool(pair.one.doi and pair.two.doi and pair.one.doi != pair.two.doi)


def spot(pair: Compared) -> dict[str, Any]:
    """Return what the messages tell of the place."""
    here, there = pair.one.place, pair.two.place
    return {
        "volume": here.volume or there.volume or "-",
        "page": pair.page or "-",
        "year": str(here.year or there.year or "-"),
    }
