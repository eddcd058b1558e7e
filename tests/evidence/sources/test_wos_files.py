# SPDX-License-Identifier: Apache-2.0
"""Tests of evidence.sources.wos_tagged, wos_tab and wos_fields: Web of Science's files with their quirks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.importing import first_fault, import_file
from sirolens.evidence.record import Author, Record
from sirolens.evidence.sources import wos_tab, wos_tagged
from sirolens.evidence.sources.text import SourceText, Unread

FOLDER = Path(__file__).parents[1] / "data" / "retrieval"
TAGGED = (FOLDER / "wos_tagged.txt").read_text(encoding="utf-8")
TAB = (FOLDER / "wos_tab.txt").read_text(encoding="utf-8")


def source(text: str) -> SourceText:
    return SourceText(name="a.txt", text=text, encoding="utf-8", sha256="0" * 64)


def records(parts: list[Record | Unread]) -> list[Record]:
    return [one for one in parts if isinstance(one, Record)]


def unread(parts: list[Record | Unread]) -> list[tuple[str, int]]:
    return [(one.reason.code, one.first_line) for one in parts if isinstance(one, Unread)]


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), 1) if words in line)


@pytest.fixture(scope="module")
def tagged() -> list[Record | Unread]:
    return list(wos_tagged.read(source(TAGGED)))


@pytest.fixture(scope="module")
def tab() -> list[Record | Unread]:
    return list(wos_tab.read(source(TAB)))


def test_every_line_of_both_files_lies_in_one_piece(tagged: list[Record | Unread], tab: list[Record | Unread]) -> None:
    assert first_fault(TAGGED, tagged) is None
    assert first_fault(TAB, tab) is None


def test_tagged_records_are_counted_by_their_starts(tagged: list[Record | Unread]) -> None:
    # Oracle: lines that begin with PT.
    starts = sum(line.startswith("PT ") for line in TAGGED.split("\n"))
    assert sum(isinstance(one, Record) or one.counts_as_record for one in tagged) == starts == 4


def test_frames_strays_and_the_half_record_are_told(tagged: list[Record | Unread]) -> None:
    stray = line_of(TAGGED, "pasted")
    assert unread(tagged) == [
        ("import.heading", 1),
        ("import.stray-lines", stray),
        ("import.heading", stray + 1),
        ("import.half-record", line_of(TAGGED, "Roe, R") - 1),
    ]


def test_values_that_go_on_are_joined_and_paragraphs_kept(tagged: list[Record | Unread]) -> None:
    one = records(tagged)[0]
    assert one.title == "INVENTED SIROLIMUS STUDY IN IMMUNE THROMBOCYTOPENIA"
    assert one.abstract == "Purpose An invented abstract.\nResults Nobody responded."
    assert one.keywords == ("sirolimus", "immune thrombocytopenia", "Treg", "T-CELLS", "MTOR")


def test_full_names_go_with_initials_and_groups_come_last(tagged: list[Record | Unread]) -> None:
    assert records(tagged)[0].authors == (
        Author(printed="Zhang, Wei", family="Zhang", given="Wei", initials="W"),
        Author(printed="Doe, Jane A.", family="Doe", given="Jane A.", initials="JA"),
        Author(printed="Invented ITP Study Grp", collective=True),
    )


def test_early_access_has_its_own_date_and_an_article_number(tagged: list[Record | Unread]) -> None:
    one = records(tagged)[0]
    assert (one.year, one.month, one.online_first) == (2026, 1, True)
    assert (one.pages, one.article_number) == ("", "101234")
    assert (one.doi, one.pmid, one.wos_id) == ("10.99999/fake.1", "99000001", "WOS:000000000000001")
    assert one.issn == "0000-000X 1111-1111"


def test_a_meeting_abstract_in_a_supplement(tagged: list[Record | Unread]) -> None:
    one = records(tagged)[1]
    assert (one.kinds, one.issue, one.pages) == (("Meeting Abstract",), "3 Suppl. 1", "201-207")
    assert (one.year, one.month, one.online_first) == (2019, 3, False)
    assert one.retracted


def test_unknown_tags_and_typed_lines_are_listed(tagged: list[Record | Unread]) -> None:
    first = line_of(TAGGED, "XY a tag")
    assert records(tagged)[1].unparsed == (
        (first, "XY a tag of next year"),
        (first + 1, "   that goes on"),
        (first + 2, "IN a line that somebody typed"),
    )


def test_a_table_of_68_columns_as_windows_users_save_it_is_read() -> None:
    # UTF-16 with a mark, CRLF, a tab at the end of every row but the heading's, quotes that close nothing.
    done = import_file(FOLDER / "wos_tab_win.txt")
    assert (done.source, done.encoding, done.messages) == ("wos-tab", "utf-16-le", ())
    assert done.unread[0].raw.count("\t") == 67
    first, second = done.records
    assert (first.title, first.abstract) == ('Invented "quoted study', 'An abstract that opens a "quote.')
    assert (first.year, first.month, first.pages, first.wos_id) == (2021, 3, "201-207", "WOS:000000000000001")
    assert (second.title, second.year, second.month) == ("免疫性血小板减少症 an invented title", 2026, 1)
    assert (second.online_first, second.article_number) == (True, "101234")
    assert first.unparsed == second.unparsed == ()


@pytest.mark.parametrize(
    "heading",
    ["FN Clarivate Analytics Web of Science", "FN ISI Export Format", "FN Thomson Reuters Web of Science™"],
)
def test_every_name_the_database_has_had_begins_a_tagged_file(heading: str) -> None:
    text = f"{heading}\nVR 1.0\nPT J\nAU Zhang, W\nTI Invented\nER\n\nEF"
    assert wos_tagged.detect(text) > 0
    assert [one.title for one in records(list(wos_tagged.read(source(text))))] == ["Invented"]


def test_no_tag_met_in_exports_is_an_unread_line_and_none_but_the_title_is_needed() -> None:
    met = (
        "BA BE CA LA ID C1 C3 RP EM RI OI FU FX CR NR TC Z9 U1 U2 PU PI PA SN EI J9 JI PD PY VL IS AR GA PG WC WE SC "
        "OA HC HP DA"
    )
    text = "FN Clarivate Analytics Web of Science\nVR 1.0\nPT J\nTI Invented\n"
    text += "".join(f"{tag} x\n" for tag in met.split()) + "ER\n\nPT J\nTI Bare\nER\n\nEF"
    full, bare = records(list(wos_tagged.read(source(text))))
    assert full.unparsed == ()
    assert (bare.title, bare.authors, bare.keywords) == ("Bare", (), ())


def test_table_cells_are_read_by_heading_and_quotes_mean_nothing(tab: list[Record | Unread]) -> None:
    one = records(tab)[0]
    assert (one.title, one.abstract) == ('Invented "quoted study', 'An abstract with one " quote.')
    assert [author.given for author in one.authors] == ["Wei", "Jane A."]
    assert (one.pages, one.wos_id, one.pmid, one.unparsed) == ("201-207", "WOS:000000000000001", "99000001", ())


def test_cells_beyond_the_heading_and_cut_rows_are_listed(tab: list[Record | Unread]) -> None:
    found = records(tab)
    assert found[1].unparsed == ((3, "beyond"),)
    assert [one.online_first for one in found] == [False, True, False, False]
    assert [line for line, _ in found[2].unparsed] == [5]


def test_a_row_without_title_and_stray_words_are_told(tab: list[Record | Unread]) -> None:
    assert unread(tab) == [
        ("import.heading", 1),
        ("import.half-record", 6),
        ("import.stray-lines", 7),
        ("import.heading", 8),
    ]


def test_a_second_heading_takes_over(tab: list[Record | Unread]) -> None:
    one = records(tab)[3]
    assert (one.title, one.year, one.position.ordinal) == ("From a second file", 2019, 5)


def test_each_format_is_taken_for_itself_only() -> None:
    heads = {"tagged": TAGGED, "tab": TAB, "ris": "TY  - JOUR\nPT  - x", "csv": "PT,AU,TI,SO,PY,UT,DI", "none": ""}
    assert [name for name, head in heads.items() if wos_tagged.detect(head)] == ["tagged"]
    assert [name for name, head in heads.items() if wos_tab.detect(head)] == ["tab"]
    assert wos_tagged.detect("FN ISI Export Format\nVR 1.0\n") > 0
    assert wos_tagged.detect("PT J\nAU Zhang, W\n") > 0


LINES = ["PT J", "AU A, B", "   C, D", "TI T", "AB x", "ER", "EF", "FN Clarivate", "VR 1.0", "", "  ", "stray", "XY z"]
LINES += ["PT\tAU\tTI\tSO\tPY\tUT", "J\tA\tT\tS\t2020\tU\t", "J\t", "\t\t", "AF", "TI", "   ", "\x00", "UT WOS:1"]


@pytest.mark.parametrize("read", [wos_tagged.read, wos_tab.read])
def test_no_line_is_lost_whatever_stands_in_a_file(read: Callable[[SourceText], list[Record | Unread]]) -> None:
    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=6)), max_size=25))
    def lost(lines: list[str]) -> None:
        text = "\n".join(lines).replace("\r", "")
        assert first_fault(text, list(read(source(text)))) is None

    lost()
