# SPDX-License-Identifier: Apache-2.0
"""Reads PubMed XML, as downloaded and as E-utilities answer: articles and books, with their retractions and errata.

Texts hold markup and formulas inside (``<i>``, ``<sup>``, MathML): their whole text is read. An article's own numbers
are taken, never those of its reference list. Several sets in one file, a missing declaration and an old document type
are fine; entities are refused (`sources.xml_events`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element

from sirolens.evidence.record import Author, Notice, NoticeKind, Record
from sirolens.evidence.sources.printed import bare_doi, issns, trial_ids, year_month
from sirolens.evidence.sources.pubmed_nbib import NO_ABSTRACT, translated_title
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, heading, stray_lines
from sirolens.evidence.sources.xml_events import pieces, text_of

__all__ = ["NAME", "detect", "read"]

NAME: Final = "pubmed-xml"

_NOTICES: Final[Mapping[str, NoticeKind]] = {
    "RetractionIn": NoticeKind.RETRACTED_BY,
    "RetractionOf": NoticeKind.RETRACTION_OF,
    "PartialRetractionIn": NoticeKind.PARTLY_RETRACTED_BY,
    "PartialRetractionOf": NoticeKind.PARTIAL_RETRACTION_OF,
    "ErratumIn": NoticeKind.ERRATUM_IN,
    "ErratumFor": NoticeKind.ERRATUM_FOR,
    "CommentIn": NoticeKind.COMMENT_IN,
    "CommentOn": NoticeKind.COMMENT_ON,
    "ExpressionOfConcernIn": NoticeKind.CONCERN_IN,
    "ExpressionOfConcernFor": NoticeKind.CONCERN_FOR,
    "UpdateIn": NoticeKind.UPDATE_IN,
    "UpdateOf": NoticeKind.UPDATE_OF,
    "RepublishedIn": NoticeKind.REPUBLISHED_IN,
    "RepublishedFrom": NoticeKind.REPUBLISHED_FROM,
    "CorrectedandRepublishedIn": NoticeKind.REPUBLISHED_IN,
    "CorrectedandRepublishedFrom": NoticeKind.REPUBLISHED_FROM,
}
# Nothing is read twice (``(?>...)``): a text made to be matched in many ways would otherwise take for ever.
_FRAME = re.compile(
    r"(?:\s|(?><\?.*?\?>)|(?><!--.*?-->)|<!DOCTYPE[^>\[]*+>|</?Pubmed(?:Book)?ArticleSet\b[^>]*+>)*+", re.DOTALL
)
_FIRST = re.compile(
    r"(?:\s|(?><\?xml.*?\?>)|(?><!--.*?-->)|(?><!DOCTYPE[^>\[]*+(?:\[.*?\])?[^>]*+>))*+<(?P<name>\w+)", re.DOTALL
)
_RECORDS = ("PubmedArticle", "PubmedBookArticle")


def detect(head: str) -> int:
    """Tell PubMed XML by the element of the set or of a record, whatever stands before it."""
    match = _FIRST.match(head)
    names = {"PubmedArticleSet", "PubmedBookArticleSet", *_RECORDS}
    return SIGNATURE if match and match["name"] in names else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read a file of PubMed XML.

    Raises
    ------
    InputError
        The file defines an entity.

    Examples
    --------
    >>> text = '''<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>99000001</PMID><Article>
    ... <ArticleTitle>CD4<sup>+</sup> cells, invented</ArticleTitle></Article></MedlineCitation></PubmedArticle>
    ... </PubmedArticleSet>'''
    >>> found = list(read(SourceText(name="a.xml", text=text, encoding="utf-8", sha256="0" * 64)))
    >>> found[1].title, found[1].pmid, len(found)
    ('CD4+ cells, invented', '99000001', 3)
    """
    ordinal = 0
    for piece in pieces(file.text, _RECORDS, file=file.name):
        lines = (piece.first_line, piece.last_line)
        if not piece.tag:
            make = heading if _FRAME.fullmatch(piece.raw) else stray_lines
            yield make(piece.first_line, piece.raw)
            continue
        ordinal += 1
        if piece.fault is not None:
            yield Unread(
                first_line=lines[0], last_line=lines[1], raw=piece.raw, reason=piece.fault, counts_as_record=True
            )
        elif piece.element is not None:
            values = (_article if piece.tag == "PubmedArticle" else _book)(piece.element)
            yield file.record(NAME, ordinal, lines, piece.raw, **values)


def _article(root: Element) -> dict[str, Any]:
    """Turn an article into the fields of a `Record`."""
    citation = _one(root, "MedlineCitation")
    article = _one(citation, "Article")
    issue = _one(article, "Journal/JournalIssue")
    languages = tuple(filter(None, map(text_of, article.findall("Language"))))
    title, translated = translated_title(text_of(article.find("ArticleTitle")), languages)
    kinds = tuple(filter(None, map(text_of, article.findall("PublicationTypeList/PublicationType"))))
    year, month = _date(issue.find("PubDate"))
    online = text_of(root.find("PubmedData/PublicationStatus")) == "aheadofprint"
    if year is None:
        year, month = _date(article.find("ArticleDate"))
        online = online or year is not None
    authors, cut = _authors(article.find("AuthorList"))
    pages = text_of(article.find("Pagination/MedlinePgn")) or _pages(article.find("Pagination"))
    pii = next((text_of(one) for one in article.findall("ELocationID") if one.get("EIdType") == "pii"), "")
    notices = tuple(_notices(citation))
    return {
        "title": title,
        "title_vernacular": text_of(article.find("VernacularTitle")),
        "title_translated": translated,
        "authors": authors,
        "authors_cut": cut,
        "year": year,
        "month": month,
        "online_first": online,
        "journal": text_of(article.find("Journal/Title")),
        "journal_abbreviation": text_of(citation.find("MedlineJournalInfo/MedlineTA"))
        or text_of(article.find("Journal/ISOAbbreviation")),
        "issn": issns(
            *(text_of(one) for one in article.findall("Journal/ISSN")),
            text_of(citation.find("MedlineJournalInfo/ISSNLinking")),
        ),
        "volume": text_of(issue.find("Volume")),
        "issue": text_of(issue.find("Issue")),
        "pages": pages,
        "article_number": pii if re.fullmatch(r"[A-Za-z]{0,4}\d{1,9}", pii) and pages in ("", pii) else "",
        "doi": _doi(root, article),
        "pmid": text_of(citation.find("PMID")),
        "pmcid": _own_id(root, "pmc"),
        "trial_ids": trial_ids(*map(text_of, article.findall("DataBankList/DataBank/AccessionNumberList/*"))),
        "languages": languages,
        "kinds": kinds,
        "keywords": _keywords(citation),
        "abstract": _abstract(article.find("Abstract")) or _abstract(citation.find("OtherAbstract")),
        "notices": notices,
        "retracted": "Retracted Publication" in kinds
        or any(notice.kind is NoticeKind.RETRACTED_BY for notice in notices),
    }


def _book(root: Element) -> dict[str, Any]:
    """Turn a book or a chapter into the fields of a `Record`."""
    document = _one(root, "BookDocument")
    book = text_of(document.find("Book/BookTitle"))
    chapter = text_of(document.find("ArticleTitle"))
    lists = document.findall("AuthorList") or document.findall("Book/AuthorList")
    authors, cut = _authors(next((one for one in lists if one.get("Type") != "editors"), None))
    year, month = _date(document.find("Book/PubDate"))
    if year is None:
        year, month = _date(document.find("ContributionDate"))
    accession = next((text_of(one) for one in document.findall("ArticleIdList/ArticleId[@IdType='bookaccession']")), "")
    return {
        "title": chapter or book,
        "title_vernacular": text_of(document.find("VernacularTitle")),
        "authors": authors,
        "authors_cut": cut,
        "year": year,
        "month": month,
        "journal": book if chapter else "",
        "volume": text_of(document.find("Book/Volume")),
        "pages": text_of(document.find("Pagination/MedlinePgn")) or _pages(document.find("Pagination")),
        "doi": next((bare_doi(text_of(one)) for one in document.findall("ArticleIdList/ArticleId[@IdType='doi']")), ""),
        "pmid": text_of(document.find("PMID")),
        "accession": accession,
        "languages": tuple(filter(None, map(text_of, document.findall("Language")))),
        "kinds": tuple(filter(None, map(text_of, document.findall("PublicationType")))),
        "keywords": tuple(filter(None, map(text_of, document.findall("KeywordList/Keyword")))),
        "abstract": _abstract(document.find("Abstract")),
    }


def _one(parent: Element, path: str) -> Element:
    """Return the element at a path, or an empty one."""
    found = parent.find(path)
    return Element("nothing") if found is None else found


def _date(element: Element | None) -> tuple[int | None, int | None]:
    """Read a date whose parts have their own elements (the month as name or figure), or stand in one text."""
    if element is None:
        return None, None
    year, month = text_of(element.find("Year")), text_of(element.find("Month"))
    if not year:
        return year_month(text_of(element.find("MedlineDate")))
    return year_month(f"{year}-{month}" if month.isdigit() else f"{year} {month}")


def _authors(listed: Element | None) -> tuple[tuple[Author, ...], bool]:
    if listed is None:
        return (), False
    authors = []
    for one in listed.findall("Author"):
        if one.get("ValidYN") == "N":
            continue
        group = text_of(one.find("CollectiveName"))
        if group:
            authors.append(Author(printed=group, collective=True))
            continue
        family, given = text_of(one.find("LastName")), text_of(one.find("ForeName"))
        initials, suffix = text_of(one.find("Initials")), text_of(one.find("Suffix"))
        printed = ", ".join(filter(None, (family, given or initials, suffix)))
        if printed:
            authors.append(Author(printed=printed, family=family, given=given, initials=initials))
    return tuple(authors), listed.get("CompleteYN") == "N"


def _abstract(element: Element | None) -> str:
    """Return an abstract, a paragraph for each of its parts, with their labels."""
    if element is None:
        return ""
    parts = []
    for part in element.findall("AbstractText"):
        text, label = text_of(part), part.get("Label", "")
        if text and text != NO_ABSTRACT:
            parts.append(f"{label}: {text}" if label and label != "UNLABELLED" else text)
    return "\n".join(parts)


def _doi(root: Element, article: Element) -> str:
    for place in article.findall("ELocationID"):
        if place.get("EIdType") == "doi" and place.get("ValidYN") != "N":
            return bare_doi(text_of(place))
    return bare_doi(_own_id(root, "doi"))


def _own_id(root: Element, kind: str) -> str:
    """Return a number from the article's own list; its references have such lists too, deeper inside."""
    own = root.find("PubmedData/ArticleIdList")
    return "" if own is None else text_of(own.find(f"ArticleId[@IdType='{kind}']"))


def _pages(element: Element | None) -> str:
    if element is None:
        return ""
    return "-".join(filter(None, (text_of(element.find("StartPage")), text_of(element.find("EndPage")))))


def _keywords(citation: Element) -> tuple[str, ...]:
    """Return the authors' keywords, then the subject headings as MEDLINE format writes them."""
    own = [text_of(one) for one in citation.findall("KeywordList/Keyword")]
    headings = []
    for one in citation.findall("MeshHeadingList/MeshHeading"):
        parts = [("*" if part.get("MajorTopicYN") == "Y" else "") + text_of(part) for part in one]
        headings.append("/".join(parts))
    return tuple(filter(None, [*own, *headings]))


def _notices(citation: Element) -> Iterator[Notice]:
    for one in citation.findall("CommentsCorrectionsList/CommentsCorrections"):
        kind = _NOTICES.get(one.get("RefType", ""))
        if kind is not None:
            printed = text_of(one.find("RefSource"))
            yield Notice(kind=kind, printed=printed, pmid=text_of(one.find("PMID")), doi=bare_doi(printed))
