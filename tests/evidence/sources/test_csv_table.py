# SPDX-License-Identifier: Apache-2.0
"""Tables of records by their header. Oracle: the invented files, read by eye."""

from __future__ import annotations

import pytest
from tests.evidence.export_files import FORMATS_DATA

from sirolens.evidence.importing import Imported, import_bytes, import_file
from sirolens.evidence.record import Record
from sirolens.evidence.sources.csv_table import detect


def of(name: str) -> Imported:
    return import_file(FORMATS_DATA / name)


def one(text: str) -> Record:
    done = import_bytes(text.encode(), name="invented")
    assert len(done.records) == 1
    return done.records[0]


def names(record: Record) -> list[str]:
    return [author.printed for author in record.authors]


def test_an_open_quote_spoils_its_own_row_only() -> None:
    done = of("broken.csv")
    assert [record.title for record in done.records] == ["Invented, with a comma", 'Next one is "whole"', "Two lines"]
    assert [(piece.first_line, piece.counts_as_record) for piece in done.unread] == [
        (1, False),  # the header, because of a column that nobody knows
        (3, True),
        (5, False),  # the header once more: two tables pasted together
        (8, True),  # the last row is cut
    ]
    assert done.unread[0].reason.values["columns"] == ("weather",)
    assert done.records[2].unparsed == ((6, "surplus"),)
    assert done.records[2].position.last_line == 7


def test_the_columns_of_scopus_are_read_by_what_they_mean_there() -> None:
    (record,) = of("scopus.csv").records
    assert (record.journal, record.database, record.accession) == ("Invented Blood", "Scopus", "2-s2.0-00000000001")
    assert record.pages == "201-206"
    assert record.keywords == ("sirolimus", "ITP", "thrombocytopenia")
    assert names(record) == ["Zhang W.", "Doe J."]


def test_the_list_of_names_of_pubmed_ends_with_a_full_stop() -> None:
    (record,) = of("pubmed.csv").records
    assert names(record) == ["Zhang W", "Doe J"]
    assert (record.pmid, record.pmcid, record.journal, record.year) == (
        "99000001",
        "PMC0000001",
        "Invented Blood",
        2021,
    )


def test_quotes_in_a_table_of_tabs_are_just_quotes() -> None:
    (record,) = of("rayyan.tsv").records
    assert (record.title, record.abstract) == ('Invented "quoted row', 'It is "open')
    assert names(record) == ["Zhang W", "Li H"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(delimiter: str) -> None:
    text = "Title,Year,DOI\nInvented,2020,10.99999/fake.1\n".replace(",", delimiter)
    record = one(text)
    assert (record.title, record.year, record.doi) == ("Invented", 2020, "10.99999/fake.1")


def test_the_line_that_tells_a_spreadsheet_the_delimiter_is_stepped_over() -> None:
    assert one("sep=;\nTitle;Year\nInvented;2020\n").year == 2020


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Zhang, Wei", ["Zhang, Wei"]),
        ('"Zhang, Wei; Doe, Jane"', ["Zhang, Wei", "Doe, Jane"]),
        ('"Zhang W, Doe JM"', ["Zhang W", "Doe JM"]),
        ('"Zhang, Wei and Doe, Jane"', ["Zhang, Wei", "Doe, Jane"]),
        ("张伟，王芳", ["张伟", "王芳"]),
        ("张伟;王芳;", ["张伟", "王芳"]),
        ('"Zhang, Wei (57000000001)"', ["Zhang, Wei"]),
        ("", []),
    ],
)
def test_each_way_to_list_names_in_one_cell_is_read(cell: str, expected: list[str]) -> None:
    assert names(one(f"Title\tYear\tAuthors\nInvented\t2020\t{cell.strip(chr(34))}\n")) == expected


def test_a_table_without_titles_is_no_list_of_records() -> None:
    assert detect("Name,Age,Year\n") == 0
    assert detect("Title\n") == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Title,Author Names,Source title,Publication Year,Embase Accession ID,Medline PMID,DOI\n"
            "Invented,Zhang W.; Doe J.,Invented Blood,2021,L000000001,99000001,10.99999/fake.1\n",
            {"database": "Embase", "accession": "L000000001", "pmid": "99000001", "journal": "Invented Blood"},
        ),
        (
            "Cochrane ID,Author(s),Title,Source,Year,PubMed ID,Publication Type\n"
            "CN-00000001,Zhang W,Invented,Invented Blood,2020,99000001,Journal article\n",
            {"database": "CENTRAL", "accession": "CN-00000001", "pmid": "99000001", "kinds": ("Journal article",)},
        ),
        (
            "record_id,title,authors,abstract,keywords,doi,asreview_label\n"
            '7,Invented,"Zhang, W.; Li, H.",Invented abstract.,a; b,10.99999/fake.1,1\n',
            {"title": "Invented", "keywords": ("a", "b"), "abstract": "Invented abstract.", "unparsed": ()},
        ),
    ],
    ids=["embase", "central", "asreview"],
)
def test_the_tables_of_databases_and_screening_tools_are_read(text: str, wanted: dict[str, object]) -> None:
    # The headers of Embase and CENTRAL are from memory (csv_columns.py says so): what is checked is what the list says.
    record = one(text)
    assert {name: getattr(record, name) for name in wanted} == wanted
