# SPDX-License-Identifier: Apache-2.0
"""Tests of evidence.sources.pubmed_xml: articles, books, several sets, broken and half records."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.importing import first_fault
from sirolens.evidence.record import Author, NoticeKind, Record
from sirolens.evidence.sources.pubmed_xml import detect, read
from sirolens.evidence.sources.text import SourceText, Unread

TEXT = (Path(__file__).parents[1] / "data" / "retrieval" / "pubmed.xml").read_text(encoding="utf-8")


def source(text: str) -> SourceText:
    return SourceText(name="a.xml", text=text, encoding="utf-8", sha256="0" * 64)


@pytest.fixture(scope="module")
def parts() -> list[Record | Unread]:
    return list(read(source(TEXT)))


@pytest.fixture(scope="module")
def found(parts: list[Record | Unread]) -> list[Record]:
    return [one for one in parts if isinstance(one, Record)]


def test_every_record_element_is_a_record_or_told_as_unread(parts: list[Record | Unread]) -> None:
    # Oracle: the opening tags, counted here.
    counted = sum(isinstance(one, Record) or one.counts_as_record for one in parts)
    assert counted == len(re.findall(r"<Pubmed(?:Book)?Article>", TEXT))
    assert first_fault(TEXT, parts) is None


def test_broken_and_half_records_are_told_with_their_lines(parts: list[Record | Unread]) -> None:
    lines = TEXT.split("\n")
    broken = next(number for number, line in enumerate(lines, 1) if "Broken" in line)
    told = [(one.reason.code, one.first_line) for one in parts if isinstance(one, Unread) and one.counts_as_record]
    assert told == [("retrieval.xml-fault", broken), ("retrieval.xml-cut", broken + 1)]


def test_the_frame_of_the_file_is_told_as_heading(parts: list[Record | Unread]) -> None:
    frame = [one.reason.code for one in parts if isinstance(one, Unread) and not one.counts_as_record]
    assert frame == ["import.heading", "import.heading"]


def test_the_whole_text_of_a_title_with_markup_is_read(found: list[Record]) -> None:
    assert found[0].title == "Invented trial of sirolimus in CD4+ immune thrombocytopenia."
    assert found[0].title_translated
    assert found[0].title_vernacular == "西罗莫司治疗免疫性血小板减少症的虚构试验."


@pytest.mark.parametrize("declared", [' xmlns:mml="http://127.0.0.1:9/mml"', ""])
@pytest.mark.parametrize(
    "head", ["", '<?xml version="1.0"?>', '<!DOCTYPE PubmedArticleSet SYSTEM "http://127.0.0.1:9/x">']
)
def test_a_formula_in_a_title_is_read_without_a_declaration_and_without_loading_anything(
    declared: str, head: str
) -> None:
    formula = f"<mml:math{declared}><mml:mi>x</mml:mi><mml:mo>=</mml:mo><mml:mn>2</mml:mn></mml:math>"
    text = (
        f"{head}<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>When {formula}"
    )
    text += " <b>bold</b></ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
    (one,) = [piece for piece in read(source(text)) if isinstance(piece, Record)]
    assert "".join(one.title.split()) == "Whenx=2bold"


def test_an_abstract_keeps_its_parts_and_labels(found: list[Record]) -> None:
    assert found[0].abstract == "OBJECTIVE: To invent a record of Café.\nRESULTS: 12/20 responded, 109/L."
    assert found[1].abstract == "目的 虚构。"


def test_the_articles_own_numbers_are_taken_and_not_its_references(found: list[Record]) -> None:
    assert [one.doi for one in found] == ["10.99999/fake.2021.03.001", "10.99999/fake.2026", ""]
    assert found[0].pmcid == "PMC9900001"
    assert found[0].trial_ids == ("NCT00000000",)
    assert found[0].issn == "0000-000X 1111-1111"
    assert [(one.pages, one.article_number) for one in found[:2]] == [("201-7", ""), ("e1234", "e1234")]


def test_authors_are_in_order_without_invalid_ones_and_investigators(found: list[Record]) -> None:
    assert found[0].authors == (
        Author(printed="Zhang, Wei", family="Zhang", given="Wei", initials="W"),
        Author(printed="Doe, Jane, Jr", family="Doe", given="Jane", initials="J"),
        Author(printed="Invented ITP Study Group", collective=True),
    )
    assert found[0].authors_cut


def test_dates_are_read_from_words_figures_and_the_online_date(found: list[Record]) -> None:
    dates = [(one.year, one.month, one.online_first) for one in found]
    assert dates == [(2021, 3, False), (2026, 1, True), (2024, 2, False)]


def test_links_and_retractions_are_kept(found: list[Record]) -> None:
    assert [(one.kind, one.pmid, one.doi) for one in found[0].notices] == [
        (NoticeKind.ERRATUM_IN, "99000003", "10.99999/fake.2021.06.009")
    ]
    assert [one.retracted for one in found] == [False, True, False]


def test_keywords_come_before_subject_headings(found: list[Record]) -> None:
    assert found[0].keywords == ("Immune thrombocytopenia", "Humans", "Sirolimus/*therapeutic use")


def test_a_chapter_names_its_book_and_its_authors_not_its_editors(found: list[Record]) -> None:
    book = found[2]
    assert (book.title, book.journal, book.accession) == ("Chapter on mTOR", "Invented Book of Platelets", "NBK990007")
    assert [one.family for one in book.authors] == ["Author"]


def test_a_bomb_is_refused() -> None:
    text = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><PubmedArticleSet></PubmedArticleSet>'
    assert detect(text) > 0
    with pytest.raises(InputError, match="xml-entity"):
        list(read(source(text)))


def test_only_pubmed_xml_is_taken_for_it() -> None:
    assert detect(TEXT[:8000]) > 0
    assert detect("<PubmedArticle><MedlineCitation>") > 0
    assert not any(detect(head) for head in ("", "<xml><records><record>", "PMID- 1", "<?xml version='1.0'?><Trials/>"))


FRAGMENTS = ["<PubmedArticleSet>", "</PubmedArticleSet>", "<PubmedArticle>", "</PubmedArticle>", "<PubmedBookArticle>"]
FRAGMENTS += [
    "<MedlineCitation>",
    "</MedlineCitation>",
    "<Article>",
    "</Article>",
    "<PubDate/>",
    "<Year>x</Year>",
    "\n",
]
FRAGMENTS += [
    "</PubmedBookArticle>",
    "<BookDocument/>",
    "<AuthorList><Author/></AuthorList>",
    "stray",
    "&",
    "\x00",
    "<",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30))
def test_no_text_is_lost_whatever_stands_in_a_file(fragments: list[str]) -> None:
    text = "".join(fragments)
    assert first_fault(text, list(read(source(text)))) is None
