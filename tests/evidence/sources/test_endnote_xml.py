# SPDX-License-Identifier: Apache-2.0
"""EndNote XML. Oracle: the invented file, read by eye."""

from __future__ import annotations

from tests.evidence.export_files import FORMATS_DATA

from sirolens.evidence.importing import import_bytes, import_file


def test_styles_are_joined_and_empty_ones_are_nothing() -> None:
    first, second = import_file(FORMATS_DATA / "endnote.xml").records
    assert first.title == "Invented study of CD4+ cells & sirolimus"
    assert [author.printed for author in first.authors] == ["Zhang, Wei", "Doe, J."]
    assert (first.pmid, first.database, first.doi) == ("99000001", "MEDLINE", "10.99999/fake.1")
    assert first.keywords == ("sirolimus",)
    assert (first.journal, first.journal_abbreviation, first.pages) == ("Invented Blood", "Inv Bl", "201-6")
    assert first.kinds == ()
    assert (second.title, second.year, second.kinds) == ("西罗莫司虚构研究", None, ("Thesis",))


def test_a_record_that_is_not_well_formed_is_told_with_its_line_and_the_others_are_read() -> None:
    done = import_file(FORMATS_DATA / "endnote.xml")
    broken = [piece for piece in done.unread if piece.counts_as_record]
    assert [(piece.first_line, piece.reason.code) for piece in broken] == [(4, "retrieval.xml-fault")]
    assert len(done.records) == 2


def test_plain_texts_without_styles_and_without_a_declaration_are_read() -> None:
    text = (
        "<xml><records><record><database>x</database><titles><title>Invented</title></titles>"
        "<contributors><authors><author>Zhang, Wei</author><author>et al.</author></authors></contributors>"
        "<dates><pub-dates><date>2020 Mar</date></pub-dates></dates><accession-num>WOS:000000000000001</accession-num>"
        "<urls><related-urls><url>https://doi.org/10.99999/fake.1</url></related-urls></urls></record></records></xml>"
    )
    (record,) = import_bytes(text.encode(), name="x.txt").records
    assert (record.year, record.month, record.wos_id, record.doi) == (2020, 3, "WOS:000000000000001", "10.99999/fake.1")
    assert record.authors_cut
    assert len(record.authors) == 1
