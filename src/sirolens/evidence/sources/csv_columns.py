# SPDX-License-Identifier: Apache-2.0
"""Which column of a table holds which field: headers of our own export, of databases and of screening tools, as data.

Headers are compared in lower case with single spaces. The lists of Embase, CENTRAL and Scopus are from memory of their
exports, not from a specification: what is not listed is told as unknown, never dropped.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["COLUMNS", "DATABASES", "IDLE", "OWN", "OWN_SIGN", "header_key"]

OWN_SIGN: Final = "sirolens_record"
"""The first column of our own export; it tells that cells were made harmless for spreadsheets and are to be undone."""

OWN: Final = (
    "title", "title_vernacular", "title_translated", "authors", "authors_cut", "year", "month", "online_first",
    "journal", "journal_abbreviation", "issn", "volume", "issue", "pages", "article_number", "doi", "pmid", "pmcid",
    "wos_id", "trial_ids", "accession", "database", "languages", "kinds", "keywords", "abstract", "url", "notices",
    "retracted",
)  # fmt: skip
"""The fields of our own export, in order, after `OWN_SIGN`."""

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "title": ("title", "article title", "primary title", "primary_title", "ti", "document title", "题名", "标题",
              "篇名"),
    "title_vernacular": ("original title", "title vernacular", "original non-english title", "translated title"),
    "authors": ("authors", "author", "author names", "author(s)", "author full names", "au", "作者"),
    "date": ("year", "publication year", "publication_year", "py", "publication date", "date", "year of publication",
             "date of publication", "pub year", "年", "年份", "发表时间"),
    "month": ("month",),
    "journal": ("journal", "source title", "journal/book", "journal name", "journal title", "publication title",
                "secondary_title", "source", "刊名", "来源", "文献来源"),
    "journal_abbreviation": ("abbreviated source title", "journal abbreviation", "alternate_title1"),
    "issn": ("issn", "eissn", "e-issn"),
    "volume": ("volume", "vl", "卷"),
    "issue": ("issue", "number", "journal number", "期"),
    "pages": ("pages", "page", "page range", "页码"),
    "first_page": ("page start", "start page", "start_page", "first page"),
    "last_page": ("page end", "end page", "end_page", "last page"),
    "article_number": ("art. no.", "article number", "article no."),
    "doi": ("doi", "digital object identifier"),
    "pmid": ("pmid", "pubmed id", "pubmed_id", "medline pmid"),
    "pmcid": ("pmcid", "pmc id", "pmc_id"),
    "wos_id": ("ut (unique wos id)", "wos id", "unique wos id", "ut (unique id)"),
    "accession": ("accession number", "embase accession id", "embase accession number", "eid", "cochrane id", "pui",
                  "accession_zr"),
    "abstract": ("abstract", "abstract note", "ab", "摘要"),
    "keywords": ("keywords", "keyword", "author keywords", "index keywords", "mesh terms", "关键词",
                 "emtree drug index terms (major focus)", "emtree drug index terms",
                 "emtree medical index terms (major focus)", "emtree medical index terms"),
    "languages": ("language", "languages", "language of original document", "article language"),
    "kinds": ("document type", "publication type", "type", "item type", "type_of_reference", "article type"),
    "url": ("url", "urls", "link", "full text link", "embase link"),
    "database": ("database", "database provider", "name_of_database"),
    "trial_ids": ("clinical trial number", "clinical trial numbers", "trial registration", "registration",
                  "clinical trial registry number"),
}  # fmt: skip
"""Field -> headers that hold it, best first."""

IDLE: Final = frozenset(
    re.findall(
        r"[^|]+",
        "|key|notes|record_id|included|asreview_label|asreview_time|asreview_note|label|label_included|tags|"
        "exclusion reason|location|customizations|affiliations|authors with affiliations|correspondence address|"
        "editors|publisher|"
        "cited by|references|coden|isbn|author(s) id|page count|open access|publication stage|funding details|funding "
        "texts|conference name|conference date|conference location|conference code|sponsors|molecular sequence numbers|"
        "chemicals/cas|tradenames|manufacturers|citation|first author|create date|nihms id|author addresses|author "
        "email|copyright|cas registry numbers|no|no.|number of references|record number|",
    )
)
"""Headers that are known and hold nothing that a record keeps."""

DATABASES: Final[tuple[tuple[frozenset[str], str, dict[str, str]], ...]] = (
    (frozenset({"eid", "source title"}), "Scopus", {"source": "database"}),
    (frozenset({"author names", "source title", "embase accession id"}), "Embase", {}),
    (frozenset({"medline pmid", "embase accession number"}), "Embase", {}),
    (frozenset({"journal/book", "pmid", "create date"}), "PubMed", {}),
    (frozenset({"cochrane id"}), "CENTRAL", {}),
)
"""Headers that tell a database, its name, and columns that mean something else there."""


def header_key(text: str) -> str:
    r"""Return a header as it is compared.

    >>> header_key(' Source  Title\n')
    'source title'
    """
    return " ".join(text.strip().strip("\ufeff\"'").lower().split())
