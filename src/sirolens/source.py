# SPDX-License-Identifier: Apache-2.0
"""Where a number comes from, and how surely it is known.

Every literature number of sirolens is a `Sourced` value. The mark says what stands behind it; it is never
stronger than the evidence, and it travels with the number to the page a clinician reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

__all__ = ["Mark", "Source", "Sourced"]

T = TypeVar("T")


class Mark(StrEnum):
    """How surely a number is known, strongest first.

    >>> Mark("seen") is Mark.SEEN
    True
    """

    SEEN = "seen"  # read in a published text or public file
    DERIVED = "derived"  # arithmetic from seen numbers
    MEASURED = "measured"  # a result of running named software
    SEEN_SECOND_HAND = "seen-second-hand"  # seen only in a repost or paraphrase
    ASSUMED = "assumed"  # a modelling choice
    JUDGE = "judge"  # an opinion or a design choice without a source
    MEMORY = "memory"  # believed, unverified: never a default


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place a number was taken from.

    Parameters
    ----------
    title : str
        Title of the paper, label, guideline or dataset; for a choice of our own, what was chosen and why.
    mark : Mark
        How surely the number is known.
    year : int, optional
        Year of publication.
    doi, pmid, url : str, optional
        Identifiers; a paper carries at least one.
    place : str, optional
        Table, section or page inside the source.

    Examples
    --------
    >>> Source(title="Sirolimus in ITP", mark=Mark.SEEN, year=2024, doi="10.1097/MBC.0000000000001303").cite()
    'Sirolimus in ITP (2024), doi:10.1097/MBC.0000000000001303'
    """

    title: str
    mark: Mark
    year: int | None = None
    doi: str | None = None
    pmid: str | None = None
    url: str | None = None
    place: str | None = None

    def cite(self) -> str:
        """Return the source on one line: title, year, place, identifier."""
        text = self.title if self.year is None else f"{self.title} ({self.year})"
        identifier = f"doi:{self.doi}" if self.doi else f"PMID {self.pmid}" if self.pmid else self.url
        return ", ".join(part for part in (text, self.place, identifier) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced(Generic[T]):
    """A value with its unit and its source.

    Examples
    --------
    >>> label = Source(title="Label text", mark=Mark.SEEN, url="https://example.org")
    >>> Sourced(value=40.0, unit="mg", source=label).value
    40.0
    """

    value: T
    unit: str
    source: Source
