# SPDX-License-Identifier: Apache-2.0
"""A bibliographic record as it was found: a database's export in one shape, with its raw text and its place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import final

__all__ = ["Author", "Notice", "NoticeKind", "Position", "Record", "record_id"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One author, as far as the export tells the parts of the name.

    Parameters
    ----------
    printed : str
        The name as printed in the export.
    family, given, initials : str
        Its parts where the format separates them; a Chinese name keeps its characters (family ``张``, given ``伟``).
    collective : bool
        True for a group ("Invented ITP Study Group").

    Examples
    --------
    >>> Author(printed="Zhang, Wei", family="Zhang", given="Wei").printed
    'Zhang, Wei'
    """

    printed: str
    family: str = ""
    given: str = ""
    initials: str = ""
    collective: bool = False


class NoticeKind(StrEnum):
    """What one publication says of another."""

    RETRACTED_BY = "retracted-by"  # this record was withdrawn; the target is the notice
    RETRACTION_OF = "retraction-of"  # this record is the notice
    PARTLY_RETRACTED_BY = "partly-retracted-by"
    PARTIAL_RETRACTION_OF = "partial-retraction-of"
    ERRATUM_IN = "erratum-in"
    ERRATUM_FOR = "erratum-for"
    COMMENT_IN = "comment-in"
    COMMENT_ON = "comment-on"
    CONCERN_IN = "concern-in"  # an expression of concern
    CONCERN_FOR = "concern-for"
    UPDATE_IN = "update-in"
    UPDATE_OF = "update-of"
    REPUBLISHED_IN = "republished-in"
    REPUBLISHED_FROM = "republished-from"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A link that the database prints between this record and another one.

    Parameters
    ----------
    kind : NoticeKind
    printed : str
        The reference as printed.
    pmid, doi : str
        Of the other publication, where printed.
    """

    kind: NoticeKind
    printed: str = ""
    pmid: str = ""
    doi: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where in which file a record stands.

    Parameters
    ----------
    sha256 : str
        Of the file's bytes.
    ordinal : int
        Which record of the file it is, counted from 1.
    first_line, last_line : int
        Its lines, counted from 1, both included; for a table the lines of its row, for XML those of its element.
    """

    sha256: str
    ordinal: int
    first_line: int
    last_line: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    r"""One record of one export; nothing is merged into it, nothing is guessed.

    A field that the export does not carry is empty (``""``, ``()`` or None). Texts are as printed, but for line breaks,
    which become one space (in an abstract, ``\n`` between its paragraphs), and for the format's own escapes.

    Parameters
    ----------
    id : str
        `record_id` of the position: the same file gives the same ids, on every machine.
    source : str
        Name of the format in the registry of sources, such as ``"pubmed-nbib"``.
    position : Position
    raw : str
        The record's text, whole, as it stands in the file after decoding.
    title : str
        As printed; the brackets that PubMed puts around a translated title are taken off (`title_translated` tells).
    title_vernacular : str
        The title in the language of the paper where the export prints it beside an English one, or the translated one
        where the paper is Chinese (Wanfang's translated title): the second title.
    title_translated : bool
        True when `title` is the database's translation.
    authors : tuple of Author
        In order; investigators and editors are not among them.
    authors_cut : bool
        True when the list was cut ("et al.", 等).
    year, month : int or None
        Of publication, as printed; a year taken from an online-first date says so in `online_first`.
    online_first : bool
    journal, journal_abbreviation, issn, volume, issue, pages, article_number : str
        ``issn``: all that are printed, joined by one space, each ``dddd-dddX``. ``pages`` as printed.
    doi : str
        Lower case, bare (``10....``).
    pmid, pmcid, wos_id : str
        Bare; ``wos_id`` with its ``WOS:``.
    trial_ids : tuple of str
        Registration numbers (NCT..., ChiCTR...).
    accession : str
        The database's own number where it is none of the above.
    database : str
        The provider as the export names it (``"CNKI"``, ``"Embase"``), empty when it does not.
    languages, kinds, keywords : tuple of str
        As printed. ``kinds``: publication types.
    abstract, url : str
    notices : tuple of Notice
        Retractions, errata and comments the database links.
    retracted : bool
        True when the export itself says that the publication was retracted (type or notice).
    unparsed : tuple of (int, str)
        Lines of the record that no rule of the format reads, with their line numbers.

    Examples
    --------
    >>> place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=9)
    >>> one = Record(id=record_id(place), source="ris", position=place, raw="TY  - JOUR", title="Invented")
    >>> one.title, one.doi, one.authors
    ('Invented', '', ())
    """

    id: str
    source: str
    position: Position
    raw: str
    title: str = ""
    title_vernacular: str = ""
    title_translated: bool = False
    authors: tuple[Author, ...] = ()
    authors_cut: bool = False
    year: int | None = None
    month: int | None = None
    online_first: bool = False
    journal: str = ""
    journal_abbreviation: str = ""
    issn: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    article_number: str = ""
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    wos_id: str = ""
    trial_ids: tuple[str, ...] = ()
    accession: str = ""
    database: str = ""
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    abstract: str = ""
    url: str = ""
    notices: tuple[Notice, ...] = ()
    retracted: bool = False
    unparsed: tuple[tuple[int, str], ...] = ()


def record_id(position: Position) -> str:
    """Return the id of the record at a position: a hash of the file's hash and its number there.

    >>> here = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=9)
    >>> len(record_id(here)), record_id(here) == record_id(here)
    (22, True)
    """
    digest = sha256(f"{position.sha256}:{position.ordinal}".encode()).hexdigest()
    return f"r-{digest[:20]}"
