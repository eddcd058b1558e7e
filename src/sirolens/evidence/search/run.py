# SPDX-License-Identifier: Apache-2.0
"""What a search of a service was, as PRISMA-S wants it reported, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import final

from sirolens.message import Message

__all__ = ["Found", "Part", "SearchRun"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A range of entry dates, both included, and the numbers of the records in it; no dates: the whole query.

    Parameters
    ----------
    first, last : date or None
    ids : tuple of str
    """

    first: date | None
    last: date | None
    ids: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRun:
    """One search as PRISMA-S wants it reported.

    Parameters
    ----------
    database, platform : str
    query : str
        Exactly as given.
    translation : str
        As the service understood it, where it says so.
    searched_at : datetime
    count : int
        Hits that the service told.
    retrieved : int
        Records fetched.
    parts : tuple of Part
    date_type : str
        By which date the query was cut; empty when it was not.
    form : str
        Of the records: ``"xml"``, ``"medline"``, ``"json"``.
    missing : tuple of str
        Numbers of records that the service found and did not hand out.
    messages : tuple of Message
        What the service remarked, and what should be looked at.
    """

    database: str
    platform: str
    query: str
    translation: str
    searched_at: datetime
    count: int
    retrieved: int
    parts: tuple[Part, ...]
    date_type: str
    form: str
    missing: tuple[str, ...]
    messages: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A search and its records.

    Parameters
    ----------
    run : SearchRun
    texts : tuple of str
        Files of all records in the order of the search, each small enough to be imported; none when there is no hit.
    """

    run: SearchRun
    texts: tuple[str, ...]
