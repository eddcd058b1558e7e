# SPDX-License-Identifier: Apache-2.0
"""What E-utilities answer, read strictly: hits of a search, fetched records, and the many ways in which they say no.

Seen in public issue threads and code of other clients: the limit of 9,999 records that a PubMed query serves
(``'retstart' cannot be larger than 9998``), ``{"error":"API rate limit exceeded"}`` with a good status, ``Cannot
retrieve history data`` for a history that is gone, server timeouts under status 400, and pages of HTML in place of XML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final
from xml.etree.ElementTree import Element

from sirolens.errors import InputError, SirolensError
from sirolens.evidence.record import Record
from sirolens.evidence.search.service import PassingError, RefusedError
from sirolens.evidence.sources import pubmed_nbib, pubmed_xml
from sirolens.evidence.sources.text import SourceText, Unread
from sirolens.evidence.sources.xml_events import document, text_of
from sirolens.message import Message, error, info, warning

__all__ = ["FORMS", "Answer", "HistoryGoneError", "check_fetched", "check_search", "fetched", "read_search", "refusal"]

FORMS: Final = ("xml", "medline")

_TRUNCATED_AFTER: Final = "</PubmedArticleSet>"
_PASSING_WORDS = re.compile(
    r"rate limit|timeout|timed out|temporar|backend failed|unavailable|try again", re.IGNORECASE
)
_HISTORY_WORDS = re.compile(r"webenv|query_key|history data|history server", re.IGNORECASE)
_RANGE_WORDS = re.compile(r"retstart.*cannot be larger|OUT OF RANGE", re.IGNORECASE | re.DOTALL)
_KEY_WORDS = re.compile(r"api[ _-]?key", re.IGNORECASE)
_SAID = ("PhraseNotFound", "FieldNotFound", "PhraseIgnored", "QuotedPhraseNotFound", "OutputMessage")


@final
class HistoryGoneError(SirolensError):
    """The service has forgotten the search; it is to be made again."""

    def __init__(self) -> None:
        super().__init__(error("retrieval.history-gone"))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one search.

    Parameters
    ----------
    count : int
        Hits, however many are served.
    ids : tuple of str
        PMIDs, in the order of the history.
    web_env, query_key : str
        Where the service keeps them.
    translation : str
        The query as PubMed understood it.
    said : tuple of Message
        What it remarked: phrases not found, words ignored.
    """

    count: int
    ids: tuple[str, ...]
    web_env: str
    query_key: str
    translation: str
    said: tuple[Message, ...]


def check_search(text: str) -> None:
    """Refuse an answer that is no result of a search.

    Raises
    ------
    PassingError
        It may come right the next time.
    RefusedError
        ``retrieval.pubmed-error`` with the service's own words.
    """
    _check_whole(text, "</eSearchResult>")
    _said_no(_parsed(text))


def read_search(text: str) -> Answer:
    """Read a checked answer to a search."""
    root = _parsed(text)
    said = []
    for name in _SAID:
        for one in root.iter(name):
            words = text_of(one)
            # The client itself asks for no more than PubMed serves, and cuts the query by date.
            if words and not words.startswith("Restrictions achieved"):
                said.append(warning("retrieval.pubmed-said", what=name, words=words))
    return Answer(
        count=int(text_of(root.find("Count")) or 0),
        ids=tuple(text_of(one) for one in root.findall("IdList/Id")),
        web_env=text_of(root.find("WebEnv")),
        query_key=text_of(root.find("QueryKey")),
        translation=text_of(root.find("QueryTranslation")),
        said=tuple(said),
    )


def check_fetched(text: str, form: str) -> None:
    """Refuse an answer that is not a whole set of records.

    Raises
    ------
    PassingError
        It was cut off, or the service has a passing fault.
    HistoryGoneError
        The service has forgotten the search.
    RefusedError
        It said no.
    """
    head = text.lstrip()[:500]
    if "<ERROR>" in text[:5000] or "<eFetchResult" in head:
        _check_whole(text, "")
        _said_no(_parsed(text))
    if form == "xml":
        _check_whole(text, _TRUNCATED_AFTER, empty="<PubmedArticleSet/>")
        return
    if head[:1] in ("{", "<"):
        _check_whole(text, "")
    records = text.strip().split("\n\n")
    if records[-1] and not re.search(r"^SO  - ", records[-1], re.MULTILINE):
        raise PassingError(info("retrieval.cut-answer"))


def fetched(text: str, form: str) -> dict[str, str]:
    """Return the raw text of every record of a checked answer, by PMID.

    Raises
    ------
    PassingError
        A record in it cannot be read: the line was disturbed.
    """
    file = SourceText(name="PubMed", text=text.replace("\r\n", "\n"), encoding="utf-8", sha256="0" * 64)
    found: dict[str, str] = {}
    try:
        for piece in (pubmed_xml if form == "xml" else pubmed_nbib).read(file):
            if isinstance(piece, Record):
                found[piece.pmid] = piece.raw
            elif isinstance(piece, Unread) and piece.counts_as_record:
                number = re.search(r"<PMID[^>]*>(\d+)<|^PMID- (\d+)", piece.raw, re.MULTILINE)
                if number is None or form == "xml":
                    raise PassingError(info("retrieval.cut-answer"))
                found[number[1] or number[2]] = piece.raw
    except InputError as fault:
        raise PassingError(info("retrieval.garbled-answer", why=fault.messages[0])) from None
    return found


def refusal(status: int, text: str) -> Message:
    """Return what to tell the user of an answer with a bad status, or raise as `check_fetched` does.

    >>> refusal(400, '{"error":"API key invalid","api-key":"***"}').code
    'retrieval.key-refused'
    """
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())[:300]
    if _RANGE_WORDS.search(text):
        return error("retrieval.out-of-range")
    if _HISTORY_WORDS.search(text):
        raise HistoryGoneError
    if _PASSING_WORDS.search(text):
        raise PassingError(info("retrieval.status", status=status))
    if status in (401, 403) or (status == 400 and _KEY_WORDS.search(text)):
        return error("retrieval.key-refused", service="PubMed", status=status)
    return error("retrieval.refused", service="PubMed", status=status, words=words)


def _check_whole(text: str, ending: str, empty: str = "") -> None:
    """Refuse an answer that is not XML to its end."""
    bare = text.strip()
    if bare.startswith("{"):
        if _PASSING_WORDS.search(bare):
            raise PassingError(info("retrieval.too-fast"))
        raise RefusedError(refusal(400, bare))
    if bare[:200].lower().startswith(("<html", "<!doctype html")):
        raise PassingError(info("retrieval.garbled-answer", why=info("retrieval.html-answer")))
    if not bare.endswith(ending) and not (empty and bare.endswith(empty)):
        raise PassingError(info("retrieval.cut-answer"))


def _parsed(text: str) -> Element:
    try:
        return document(text, file="PubMed")
    except InputError as fault:
        raise PassingError(info("retrieval.garbled-answer", why=fault.messages[0])) from None


def _said_no(root: Element) -> None:
    """Raise what an answer's ERROR elements mean."""
    words = " ".join(filter(None, (text_of(one) for one in root.iter("ERROR"))))
    if words:
        raise RefusedError(refusal(200, words))
