# SPDX-License-Identifier: Apache-2.0
"""What is written is read back: every exporter over arbitrary records. Oracle: the record itself, texts in one line."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.export_files import NASTY, RECORDS, TEXTS

from sirolens.errors import InputError, UnknownNameError
from sirolens.evidence.exporting import export, export_file, writable
from sirolens.evidence.importing import import_bytes
from sirolens.evidence.record import Author, Record
from sirolens.evidence.sources.csv_writer import harmless, undone

NOT_EXPORTED = {"id", "source", "position", "raw", "unparsed"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]")


def in_one_line(text: str) -> str:
    return " ".join(line.strip() for line in CONTROL.sub(" ", text).strip().split("\n"))


def in_paragraphs(text: str) -> str:
    return "\n".join(line.strip() for line in CONTROL.sub(" ", text).split("\n") if line.strip())


def kept(record: Record) -> dict[str, object]:
    """What must come back: every field, in one line, names and notices as printed."""
    out: dict[str, object] = {}
    for one in fields(Record):
        value = getattr(record, one.name)
        if one.name in NOT_EXPORTED:
            continue
        if one.name == "abstract":
            value = in_paragraphs(value)
        elif isinstance(value, str):
            value = in_one_line(value)
        elif one.name in ("languages", "kinds", "keywords"):
            value = tuple(line for line in map(in_one_line, value) if line)
        elif one.name == "authors":
            value = tuple(line for line in (in_one_line(author.printed) for author in value) if line)
        elif one.name == "notices":
            value = tuple((notice.kind, in_one_line(notice.printed), notice.pmid, notice.doi) for notice in value)
        out[one.name] = value
    return out


def read_back(text: str) -> list[Record]:
    done = import_bytes(text.encode(), name="own")
    assert not [piece for piece in done.unread if piece.reason.code != "import.heading"]
    return list(done.records)


@pytest.mark.parametrize("name", ["ris", "bibtex", "csv"])
@settings(deadline=None, max_examples=100)
@given(st.lists(RECORDS, min_size=1, max_size=2))
def test_what_is_written_is_read_back(name: str, drawn: list[Record]) -> None:
    back = read_back(export(drawn, name))
    assert [kept(one) for one in back] == [kept(one) for one in drawn]


@pytest.mark.parametrize("name", ["ris", "bibtex", "csv"])
@pytest.mark.parametrize("piece", NASTY)
def test_every_nasty_piece_survives_in_a_title_and_an_abstract(name: str, piece: str) -> None:
    plain = records_of("Invented")[0]
    drawn = [replace(plain, title=f"{piece}a", abstract=f"one\n{piece}b", keywords=(f"x{piece}".replace(";", ""),))]
    assert [kept(one) for one in read_back(export(drawn, name))] == [kept(one) for one in drawn]


def records_of(*titles: str) -> list[Record]:
    text = "".join(f"TY  - JOUR\nTI  - {title}\nER  - \n" for title in titles)
    return list(import_bytes(text.encode(), name="invented").records)


@settings(deadline=None)
@given(TEXTS)
def test_no_cell_of_the_csv_begins_a_formula_and_every_cell_is_undone(cell: str) -> None:
    safe = harmless(cell)
    assert undone(safe) == cell
    assert safe.lstrip(" ")[:1] not in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    assert safe[:1] not in ("\t", "\r", "\n")


def test_a_formula_in_a_title_is_written_harmless_and_comes_back() -> None:
    title = '=HYPERLINK("http://invented.example","x")'
    text = export(records_of(title), "csv")
    assert "\"'=HYPERLINK(" in text
    assert read_back(text)[0].title == title


def test_the_csv_says_that_it_is_utf8_to_a_spreadsheet() -> None:
    assert export(records_of("西罗莫司"), "csv").startswith("\ufeff")


def test_a_group_stays_a_group_and_a_retraction_a_retraction() -> None:
    group = Author(printed="Invented Study of Platelets", collective=True)
    drawn = [replace(records_of("a")[0], authors=(group,), retracted=True)]
    for name in ("bibtex", "csv"):
        back = read_back(export(drawn, name))[0]
        assert back.authors == (group,)
        assert back.retracted


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.ris"
    export_file(records_of("first"), path, format_name="ris")
    before = path.read_bytes()
    with pytest.raises(InputError) as refused:
        export_file(records_of("second"), path, format_name="ris")
    assert refused.value.messages[0].code == "import.file-exists"
    assert path.read_bytes() == before


def test_a_format_that_is_not_written_is_named_with_those_that_are() -> None:
    with pytest.raises(InputError) as refused:
        export(records_of("a"), "endnote-xml")
    assert refused.value.messages[0].code == "import.read-only"
    assert refused.value.messages[0].values["known"] == tuple(writable())
    with pytest.raises(UnknownNameError):
        export(records_of("a"), "word")
