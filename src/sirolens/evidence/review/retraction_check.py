# SPDX-License-Identifier: Apache-2.0
"""Asks PubMed for the known records again, to see whether one was retracted since it was imported.

Nothing is asked unless somebody says so: this opens a connection and tells NCBI which PMIDs the review holds.
"""

from __future__ import annotations

from collections.abc import Callable

from sirolens.evidence.importing import import_bytes
from sirolens.evidence.record import NoticeKind, Record
from sirolens.evidence.review.state import State
from sirolens.evidence.review.update import Withdrawn
from sirolens.evidence.search.pubmed import PubMed, fetch_pubmed
from sirolens.message import Message, warning

__all__ = ["known_pmids", "withdrawn_in_pubmed"]


def known_pmids(state: State) -> tuple[str, ...]:
    """Return the PMIDs of a review's records, each once, in the order of import."""
    numbers = (record.pmid for record in state.records.values())
    return tuple(dict.fromkeys(one for one in numbers if one.isascii() and one.isdigit()))


def withdrawn_in_pubmed(
    state: State, pubmed: PubMed, *, progress: Callable[[int, int], None] | None = None
) -> tuple[tuple[Withdrawn, ...], tuple[Message, ...]]:
    """Return what PubMed says today is retracted among the known records, without dates, which it does not tell.

    Parameters
    ----------
    state : State
    pubmed : PubMed
        Who asks.
    progress : callable, optional
        Called with PMIDs asked for and all of them.

    Returns
    -------
    tuple of Withdrawn
    tuple of Message
        ``retrieval.pmids-gone``: PubMed does not hand these out any more; ``retrieval.pmids-unread``: it did, and the
        answer cannot be read.

    Raises
    ------
    SirolensError
        As `fetch_pubmed`.
    """
    numbers = known_pmids(state)
    if not numbers:
        return (), ()
    texts, gone = fetch_pubmed(numbers, pubmed, progress=progress)
    read = [import_bytes(text.encode(), name="PubMed", format_name="pubmed-xml") for text in texts]
    records = [record for one in read for record in one.records]
    found = tuple(Withdrawn(pmid=one.pmid) for one in records if _is_withdrawn(one))
    unread = len(numbers) - len(gone) - len({one.pmid for one in records})
    messages = []
    if gone:
        messages.append(warning("retrieval.pmids-gone", times=len(gone), known=gone))
    if unread > 0:
        messages.append(warning("retrieval.pmids-unread", times=unread))
    return found, tuple(messages)


def _is_withdrawn(record: Record) -> bool:
    return record.retracted or any(one.kind is NoticeKind.RETRACTED_BY for one in record.notices)
