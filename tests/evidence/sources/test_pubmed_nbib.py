# SPDX-License-Identifier: Apache-2.0
"""Tests of evidence.sources.pubmed_nbib and its writer: the quirks of MEDLINE format, and write -> read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.importing import first_fault
from sirolens.evidence.record import Author, Notice, NoticeKind, Position, Record
from sirolens.evidence.sources.printed import author
from sirolens.evidence.sources.pubmed_nbib import detect, read
from sirolens.evidence.sources.pubmed_nbib_writer import write_nbib
from sirolens.evidence.sources.text import SourceText, Unread

TEXT = (Path(__file__).parents[1] / "data" / "retrieval" / "pubmed.nbib").read_text(encoding="utf-8")


def source(text: str) -> SourceText:
    return SourceText(name="a.nbib", text=text, encoding="utf-8", sha256="0" * 64)


def records(text: str) -> list[Record]:
    return [piece for piece in read(source(text)) if isinstance(piece, Record)]


@pytest.fixture(scope="module")
def found() -> list[Record]:
    return records(TEXT)


def test_every_start_of_a_record_is_a_record(found: list[Record]) -> None:
    # Oracle: the lines that begin with PMID-, counted here.
    assert [one.pmid for one in found] == re.findall(r"^PMID- (\d+)", TEXT, re.MULTILINE)
    assert first_fault(TEXT, list(read(source(TEXT)))) is None


def test_a_chinese_article_keeps_its_own_title_beside_the_translated_one(found: list[Record]) -> None:
    one = found[0]
    assert one.title == "Invented trial of sirolimus in immune thrombocytopenia."
    assert one.title_translated
    assert one.title_vernacular == "西罗莫司治疗免疫性血小板减少症的虚构试验."
    assert one.languages == ("chi",)


def test_authors_are_in_order_with_groups_and_without_investigators_and_editors(found: list[Record]) -> None:
    assert found[0].authors == (
        Author(printed="Zhang, Wei", family="Zhang", given="Wei", initials="W"),
        Author(printed="Wang, F", family="Wang", given="F", initials="F"),
        Author(printed="Invented ITP Study Group", collective=True),
    )
    assert [(one.family, one.initials) for one in found[1].authors] == [("Doe", "J"), ("van der Berg", "JA")]
    assert [one.authors_cut for one in found[:2]] == [False, True]


def test_the_numbers_of_a_record_are_read_as_printed(found: list[Record]) -> None:
    one = found[0]
    assert (one.doi, one.pmcid, one.issn) == ("10.99999/fake.2021.03.001", "PMC9900001", "0000-000X 1111-1111")
    assert (one.volume, one.issue, one.pages, one.article_number) == ("42", "3", "201-7", "")
    assert one.trial_ids == ("NCT00000000",)
    assert (one.journal, one.journal_abbreviation) == ("Fake blood journal", "Fake Blood J")
    assert one.keywords == ("Immune thrombocytopenia", "Sirolimus", "Humans", "*Sirolimus/therapeutic use")
    assert one.abstract.endswith("Results: 12/20 invented patients responded (60%).")


def test_an_article_number_stands_in_the_place_of_pages(found: list[Record]) -> None:
    assert (found[1].pages, found[1].article_number) == ("", "e1234")


def test_dates_are_read_in_all_their_forms(found: list[Record]) -> None:
    dates = [(one.year, one.month, one.online_first) for one in found]
    assert dates == [(2021, 3, False), (2026, 1, True), (2018, None, False), (2024, 2, True), (2025, None, False)]


@pytest.mark.parametrize(
    ("printed", "date"),
    [
        ("2021 Jan 19", (2021, 1)),
        ("2019 Nov-Dec", (2019, 11)),
        ("2018 Winter", (2018, None)),
        ("1998 Dec-1999 Jan", (1998, 12)),
        ("2003 Jul 15-21", (2003, 7)),
        ("2017-2018", (2017, None)),
    ],
)
def test_a_free_text_date_gives_its_first_year_and_month(printed: str, date: tuple[int, int | None]) -> None:
    (one,) = records(f"PMID- 1\nTI  - Invented.\nDP  - {printed}\nSO  - x\n")
    assert (one.year, one.month) == date


def test_marks_that_a_record_does_not_keep_are_no_stray_lines() -> None:
    marks = "GR  - X1/Nobody\nCI  - (c) 2021. Nobody.\nCOIS- None, which goes\n      on.\nGN  - NLM: x\nIRAD- Nowhere\n"
    text = f"PMID- 1\nTI  - Invented.\n{marks}OABL- chi\nOAB - Publisher: Chinese; 目的 虚构。\nSO  - x\n"
    (one,) = records(text)
    assert one.unparsed == ()
    assert one.abstract == "Publisher: Chinese; 目的 虚构。"  # the other abstract, where there is no English one


def test_the_notice_of_a_retraction_is_not_the_paper_that_was_retracted() -> None:
    text = "PMID- 1\nTI  - Invented.\nPT  - Retraction of Publication\nROF - Fake J. 2020. PMID: 2\nSO  - x\n"
    (one,) = records(text)
    assert [(notice.kind, notice.pmid) for notice in one.notices] == [(NoticeKind.RETRACTION_OF, "2")]
    assert not one.retracted


def test_links_to_errata_comments_and_retractions_are_kept(found: list[Record]) -> None:
    assert [(notice.kind, notice.pmid, notice.doi) for notice in found[0].notices] == [
        (NoticeKind.ERRATUM_IN, "99000003", "10.99999/fake.2021.06.009"),
        (NoticeKind.COMMENT_IN, "99000004", ""),
    ]
    assert [notice.kind for notice in found[1].notices] == [NoticeKind.RETRACTED_BY, NoticeKind.CONCERN_IN]
    assert [notice.kind for notice in found[2].notices] == [NoticeKind.ERRATUM_FOR]
    assert [one.retracted for one in found] == [False, True, False, False, False]


def test_a_retraction_is_seen_by_its_link_alone() -> None:
    (one,) = records("PMID- 1\nTI  - Invented.\nRIN - Fake J. 2020. PMID: 2\n")
    assert one.retracted


def test_brackets_inside_an_english_title_stay(found: list[Record]) -> None:
    assert "[18F]FDG" in found[1].title
    assert not found[1].title_translated


def test_a_book_has_its_own_title_and_accession(found: list[Record]) -> None:
    assert (found[3].title, found[3].accession) == ("Invented Book of Platelets", "NBK990007")


def test_a_stray_line_is_listed_with_its_number(found: list[Record]) -> None:
    line = TEXT.split("\n").index("this line was typed in by somebody") + 1
    assert found[2].unparsed == ((line, "this line was typed in by somebody"),)


def test_a_cut_last_record_is_listed_with_its_last_line(found: list[Record]) -> None:
    assert found[4].unparsed == ((len(TEXT.split("\n")), "TI  - Half of a record, cut in the mid"),)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("PMID- 1\nTI  - Invented.\n\nPMID- 2\nOWN - NLM", ["record", "half"]),
        ("TI  - No beginning.\nAU  - Doe J\n\nPMID- 2\nTI  - Invented.\n", ["half", "record"]),
        ("saved by somebody\n\nPMID- 2\nTI  - Invented.\n", ["stray", "record"]),
        ("nothing here", ["stray"]),
        ("", []),
    ],
)
def test_what_is_no_whole_record_is_told_as_unread(text: str, kinds: list[str]) -> None:
    def kind(piece: Record | Unread) -> str:
        return "record" if isinstance(piece, Record) else "half" if piece.counts_as_record else "stray"

    pieces = list(read(source(text)))
    assert [kind(piece) for piece in pieces] == kinds
    assert first_fault(text, pieces) is None


def test_a_file_that_begins_with_a_record_without_number_is_known() -> None:
    place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    assert detect(write_nbib([Record(id="r-0", source="ris", position=place, raw="", title="Invented")])) > 0


def test_records_of_pubmed_central_begin_with_its_own_number() -> None:
    text = "\nPMC - PMC1\nPMID- 1\nTI  - A.\nAB  - \nOAB - Publisher: Abstract available from the publisher.\nSO  - x\n"
    text += "\nPMC - PMC2\nPMID- 2\nTI  - B.\nSO  - x\n"
    assert detect(text) > 0
    found = records(text)
    assert [(one.pmid, one.pmcid, one.abstract) for one in found] == [("1", "PMC1", ""), ("2", "PMC2", "")]
    assert first_fault(text, list(read(source(text)))) is None


def test_only_medline_format_is_taken_for_it() -> None:
    assert detect(TEXT[:8000]) > 0
    assert not any(detect(head) for head in ("", "TY  - JOUR", "PT J\nAU x", "<PubmedArticleSet>", "pmid- 1"))


PIECES = [
    "PMID- 1",
    "PMID-",
    "TI  - [A",
    "      b].",
    "AU  - Doe J",
    "FAU - Doe, J",
    "",
    " ",
    "XX  - y",
    "stray",
    "TI -",
]
PIECES += [
    "PMC - PMC1",
    "LA  - chi",
    "TT  - 题",
    "SO  - x",
    "      ",
    "PMID- x",
    "DP  - 20",
    "LID - 10.9/ [doi]",
    "\x00",
    "AB  -",
]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8).map(lambda t: t.replace("\r", ""))), max_size=25)
)
def test_no_line_is_lost_whatever_stands_in_a_file(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert first_fault(text, list(read(source(text)))) is None


WORD = st.text(
    st.characters(blacklist_categories=("C", "Z"), blacklist_characters="[]"), min_size=1, max_size=12
).filter(lambda text: text.lower() not in ("et", "al."))
SPACES = st.sampled_from([" ", " ", " ", "  ", "\u00a0", " \u2002", "\u3000"])
WORDS = st.lists(st.tuples(WORD, SPACES), min_size=1, max_size=30).map(lambda p: "".join(w + s for w, s in p).strip())
NAME = st.builds(
    "{}, {}".format, st.sampled_from(["Zhang", "O'Neil", "van der Berg"]), st.sampled_from(["Wei", "Jo-Ann"])
)
KIND = st.sampled_from(list(NoticeKind))


@st.composite
def bibliographic(draw: st.DrawFn) -> dict[str, object]:
    translated = draw(st.booleans())
    year = draw(st.none() | st.integers(1900, 2099))
    pages = draw(st.sampled_from(["", "201-7", "1106-1111+1117", "e12"]))
    return {
        "pmid": draw(st.sampled_from(["", "99000001"])),
        "title": draw(WORDS),
        "title_translated": translated,
        "title_vernacular": draw(st.just("") | WORDS),
        "languages": ("chi",) if translated else draw(st.sampled_from([(), ("eng",), ("eng", "fre")])),
        "authors": tuple(map(author, draw(st.lists(NAME, max_size=4)))),
        "authors_cut": draw(st.booleans()),
        "year": year,
        "month": None if year is None else draw(st.none() | st.integers(1, 12)),
        "online_first": draw(st.booleans()),
        "journal": draw(st.just("") | WORDS),
        "journal_abbreviation": draw(st.just("") | WORDS),
        "issn": draw(st.sampled_from(["", "0000-000X", "0000-000X 1111-1111"])),
        "volume": draw(st.sampled_from(["", "42"])),
        "issue": draw(st.sampled_from(["", "03", "S2"])),
        "pages": pages,
        "article_number": draw(st.sampled_from(["", "e1234"])) if not pages else "",
        "doi": draw(st.sampled_from(["", "10.99999/fake.1", "10.99999/(sici)1<2::a>3.0;2-g"])),
        "pmcid": draw(st.sampled_from(["", "PMC9900001"])),
        "trial_ids": draw(st.sampled_from([(), ("NCT00000000", "ChiCTR0000000000")])),
        "kinds": tuple(draw(st.lists(WORDS, max_size=3))),
        "keywords": tuple(draw(st.lists(WORDS, max_size=3))),
        "abstract": draw(st.just("") | WORDS),
        "notices": tuple(Notice(kind=kind, printed="Fake J. PMID: 7", pmid="7") for kind in draw(st.sets(KIND))),
    }


@settings(deadline=None, max_examples=80)
@given(st.lists(bibliographic(), max_size=4))
def test_what_is_written_is_read_back(fields: list[dict[str, object]]) -> None:
    # Oracle: the record itself, in every field that the format has a place for.
    place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    made = [Record(id="r-0", source="ris", position=place, raw="", **one) for one in fields]
    text = write_nbib(made)
    back = records(text)
    assert len(back) == len(made)
    for was, now in zip(made, back, strict=True):
        for name in fields[0]:
            assert getattr(now, name) == getattr(was, name), name
        assert now.unparsed == ()
    assert write_nbib(back) == text
    # A line is broken at a single space only: a wider gap would not come back.
    assert not any(len(line) > 88 and re.search(r"(?<!\s) (?!\s)", line[6:].strip()) for line in text.split("\n"))
