# SPDX-License-Identifier: Apache-2.0
"""RIS with the quirks of each database. Oracle: the invented files, read by eye."""

from __future__ import annotations

import pytest
from tests.evidence.export_files import FORMATS_DATA

from sirolens.evidence.importing import Imported, import_bytes, import_file
from sirolens.evidence.record import Record


def of(name: str) -> Imported:
    return import_file(FORMATS_DATA / name)


def one(text: str) -> Record:
    done = import_bytes(text.encode(), name="invented")
    assert len(done.records) == 1
    return done.records[0]


def names(record: Record) -> list[str]:
    return [author.printed for author in record.authors]


def test_ovid_numbers_its_records_and_has_tags_of_its_own() -> None:
    first, second = of("ovid.ris").records
    assert first.raw.startswith("1.")
    assert (first.position.first_line, second.position.first_line) == (1, 23)
    assert first.title == "Invented trial of sirolimus in immune thrombocytopenia"
    assert names(first) == ["Zhang, Wei", "Doe, Jane M"]
    assert (first.accession, first.database, first.pages, first.year) == ("99000001", "Ovid", "201-206", 2019)
    assert first.abstract.endswith("ER-positive at the start of a line. RESULTS: None.")
    assert [line for line, _ in first.unparsed] == [18, 20]  # an unknown tag and the link; NL is known for Ovid
    assert (second.doi, second.year, second.month) == ("10.99999/fake.2", 2020, 3)
    assert second.unparsed == ()


def test_a_link_line_of_embase_does_not_go_into_the_value_before() -> None:
    (record,) = of("embase.ris").records
    assert record.url == "https://www.embase.com/search/results?subaction=viewrecord&id=L0000000001"
    assert [text for _, text in record.unparsed] == ["Link to full text: https://invented.example/1"]
    assert record.keywords == ("sirolimus", "idiopathic thrombocytopenic purpura")
    assert (record.accession, record.journal_abbreviation) == ("L0000000001", "Invent. Haematol.")


def test_lines_without_a_tag_after_a_keyword_are_keywords_in_scopus() -> None:
    (record,) = of("scopus.ris").records
    assert record.keywords == ("Sirolimus", "Thrombocytopenia", "mTOR inhibitor")
    assert (record.article_number, record.database, record.languages) == ("1045", "Scopus", ("English",))


def test_glued_tags_of_web_of_science_give_every_record_its_accession_number() -> None:
    done = of("wos.ris")
    assert [record.wos_id for record in done.records] == ["WOS:000000000000001", "WOS:000000000000002"]
    assert [record.unparsed for record in done.records] == [(), ()]
    assert done.records[0].raw.count("USAAD  - ") == 1  # the raw text stays as it was
    assert done.records[1].title == "LDA  - an invented title that looks glued"
    assert (done.records[0].year, done.records[0].month) == (2020, 1)
    text = "TY  - JOUR\nCY  - USAAD  - x\nTI  - a\nQQ  - b\nWE  - SCIAN  - WOS:000000000000001\nER  - \n"
    assert one(text).unparsed == ((4, "QQ  - b"),)  # lines are counted as they stand in the file


def test_a_record_of_central_keeps_its_numbers_apart() -> None:
    (record,) = of("central.ris").records
    assert (record.accession, record.pmid, record.trial_ids) == ("CN-00000001", "99000003", ("NCT00000000",))


def test_loose_forms_are_read() -> None:
    thesis, article = of("loose.ris").records
    assert (thesis.title, thesis.kinds, thesis.year) == ("An invented thesis", ("THES",), 2018)  # no ER, TY follows
    assert names(article) == ["张伟", "王芳"]
    assert article.authors_cut
    assert article.authors[0].family == "张"
    assert article.abstract == "目的：虚构。\nIL - 6 was invented."  # no tag: one space only where the tag is known
    assert article.keywords == ("西罗莫司", "血小板")
    assert (article.year, article.month, article.journal) == (2023, 5, "虚构血液学杂志")


@pytest.mark.parametrize(
    ("lines", "field", "value"),
    [
        ("T1  - a", "title", "a"),
        ("ST  - a", "title", "a"),
        ("TI  - a\nST  - b", "title", "a"),
        ("TI  - a\n      wrapped title", "title", "a wrapped title"),
        ("TI  - a\nJO  - J", "journal", "J"),
        ("TI  - a\nJF  - Full\nJO  - J", "journal_abbreviation", "J"),
        ("TI  - a\nT2  - Full\nJ2  - Sh", "journal", "Full"),
        ("TI  - a\nPY  - 2019/03/15/", "month", 3),
        ("TI  - a\nY1  - 2019//", "year", 2019),
        ("TI  - a\nDA  - 2019/03/15/", "year", 2019),
        ("TI  - a\nPY  - in press", "year", None),
        ("TI  - a\nSP  - e12", "pages", "e12"),
        ("TI  - a\nSP  - 201-206\nEP  - 206", "pages", "201-206"),
        ("TI  - a\nSP  - 7\nEP  - 7", "pages", "7"),
        ("TI  - a\nDO  - https://doi.org/10.99999/FAKE.1", "doi", "10.99999/fake.1"),
        ("TI  - a\nUR  - https://doi.org/10.99999/FAKE.1", "doi", "10.99999/fake.1"),
        ("TI  - a\nM3  - 10.99999/fake.1", "doi", "10.99999/fake.1"),
        ("TI  - a\nUR  - https://invented.example/10.99999/fake.1", "doi", ""),
        ("TI  - a\nN2  - b\nc", "abstract", "b\nc"),
        ("TI  - a\nKW  - b; c\nKW  - d", "keywords", ("b", "c", "d")),
        ("TI  - a\nSN  - 0000-000x; 00000001", "issn", "0000-000X 0000-0001"),
        ("TI  - a\nAN  - 99000001\nDB  - MEDLINE", "pmid", "99000001"),
        ("TI  - a\nAN  - 99000001\nDB  - PsycINFO", "accession", "99000001"),
        ("TI  - RETRACTED: a", "retracted", True),
        ("TI  - a\nM3  - Retracted Publication", "retracted", True),
        ("TI  - Retracted papers in haematology", "retracted", False),
        ("TI  - a\nA1  - Zhang, W.; Li, H.; et al", "authors_cut", True),
        ("TI  - a\nQ9  - what", "unparsed", ((3, "Q9  - what"),)),
        ("TI  - a\nDO  - not a number", "doi", ""),
    ],
)
def test_each_spelling_of_a_field_is_read(lines: str, field: str, value: object) -> None:
    assert getattr(one(f"TY  - JOUR\n{lines}\nER  - \n"), field) == value


@pytest.mark.parametrize("end", ["ER  - ", "ER  -", "ER -", "ER", "ER  - \n\n\n", ""])
def test_each_spelling_of_the_end_is_an_end(end: str) -> None:
    assert one(f"TY  - JOUR\nTI  - a\nKW  - b\n{end}").keywords == ("b",)


def test_the_last_record_without_its_end_is_half_a_record() -> None:
    done = import_bytes(b"TY  - JOUR\nTI  - a\nER  - \n\nTY  - JOUR\nTI  - b\nDO  - 10.99999/fa", name="invented")
    assert [record.title for record in done.records] == ["a"]
    assert [(piece.first_line, piece.counts_as_record) for piece in done.unread] == [(5, True)]


def test_the_last_line_of_a_file_without_any_end_is_told() -> None:
    done = import_bytes(b"TY  - JOUR\nTI  - a\nDO  - 10.99999/fa", name="invented")
    assert [record.unparsed for record in done.records] == [((3, "DO  - 10.99999/fa"),)]
    assert [message.code for message in done.messages] == ["import.end-unsure"]


def test_a_line_after_the_end_is_told_and_the_next_record_is_read() -> None:
    done = import_bytes(b"TY  - JOUR\nTI  - a\nER  - \nVN  - 1\n\nTY  - JOUR\nTI  - b\nER  - \n", name="invented")
    assert [record.title for record in done.records] == ["a", "b"]
    assert [(piece.raw, piece.reason.code) for piece in done.unread] == [("VN  - 1", "import.stray-lines")]


def test_a_heading_before_the_first_record_is_a_heading() -> None:
    text = b"Provider: Invented Press\nContent:text/plain\n\nTY  - JOUR\nTI  - a\nER  - \n"
    done = import_bytes(text, name="invented")
    assert [piece.reason.code for piece in done.unread] == ["import.heading"]
    assert done.messages == ()
