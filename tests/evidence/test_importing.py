# SPDX-License-Identifier: Apache-2.0
"""Importing any file: told by its content, no line lost, damage located. Oracle: the bytes of the file themselves."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.export_files import EXPORTS, FORMATS_DATA, imported, samples

from sirolens.errors import InputError, UnknownNameError
from sirolens.evidence import importing
from sirolens.evidence.importing import first_fault, import_bytes, import_file
from sirolens.evidence.record import Record
from sirolens.evidence.sources.decode import decode
from sirolens.evidence.sources.registry import FORMATS, format_named
from sirolens.evidence.sources.text import SourceText, Unread, heading, stray_lines
from sirolens.report.words import say

NAMES = [one.name for one in FORMATS]
# Formats that are one document: cut anywhere, nothing of it can be read, and it is refused.
WHOLE_DOCUMENTS = {"clinicaltrials-json", "wos-starter"}
PASTED_TOGETHER = ["ris", "bibtex", "pubmed-nbib", "cnki-noteexpress", "cnki-refer", "cnki-refworks", "csv"]
SIGNS = (b"\n", b'"', b"{", b"}", b"<", b"<record>", b"\nER  - \n", b"\nPMID- 1\n", b"\x00", b"\xff", b",", b"\t")
RIS = b"TY  - JOUR\nTI  - Invented\nER  - \n"


def code_of(data: bytes) -> str:
    with pytest.raises(InputError) as refused:
        import_bytes(data, name="invented")
    return refused.value.messages[0].code


@pytest.mark.parametrize("name", NAMES)
def test_every_format_has_an_invented_file_and_words(name: str) -> None:
    assert name in samples(), "write an invented file of this format into tests/evidence/data"
    title = format_named(name).title
    for language in ("en", "zh"):
        assert not say(title, language).startswith("import.")


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
def test_every_line_of_a_file_lies_in_one_piece(path: Path) -> None:
    done = import_file(path)
    text = decode(path.read_bytes(), name=path.name)[0].text
    pieces = sorted(
        [*done.records, *done.unread],
        key=lambda piece: piece.position.first_line if isinstance(piece, Record) else piece.first_line,
    )
    assert first_fault(text, pieces) is None
    inside = "".join(piece.raw for piece in pieces)
    assert "".join(inside.split()) == "".join(text.split())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "gb18030", "crlf"])
def test_the_encoding_and_the_line_ends_change_nothing_but_themselves(name: str, codec: str) -> None:
    data = samples()[name]
    text = decode(data, name="invented")[0].text
    if codec == "gb18030" and text.isascii():
        text = text.replace("Invented", "虚构的西罗莫司研究观察", 3)
        data = text.encode()
    coded = text.replace("\n", "\r\n").encode() if codec == "crlf" else text.encode(codec)
    plain, other = import_bytes(data, name="a"), import_bytes(coded, name="b.xlsx")
    assert other.source == name
    assert [one.raw for one in other.records] == [one.raw for one in plain.records]
    assert [one.raw for one in other.unread] == [one.raw for one in plain.unread]
    assert [(one.title, one.authors, one.doi, one.year) for one in other.records] == [
        (one.title, one.authors, one.doi, one.year) for one in plain.records
    ]


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_damaged_bytes_never_crash_an_importer_and_never_lose_a_line(name: str, data: st.DataObject) -> None:
    # `import_bytes` itself compares the pieces with the text and refuses with import.lines-lost; `imported` fails then.
    damaged = bytearray(samples()[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1)) if damaged else 0
        length = data.draw(st.integers(0, 60))
        how = data.draw(st.sampled_from(("cut", "delete", "insert", "double", "swap", "noise")))
        if how == "cut":
            del damaged[at:]
        elif how == "delete":
            del damaged[at : at + length]
        elif how == "insert":
            signs = (
                b"\n",
                b'"',
                b"{",
                b"}",
                b"<",
                b"<record>",
                b"\nER  - \n",
                b"\nPMID- 1\n",
                b"\x00",
                b"\xff",
                b",",
                b"\t",
            )
            damaged[at:at] = data.draw(st.sampled_from(signs))
        elif how == "double":
            damaged[at:at] = damaged[at : at + 10 * length]
        elif how == "swap":
            lines = bytes(damaged).split(b"\n")
            i, j = at % len(lines), length % len(lines)
            lines[i], lines[j] = lines[j], lines[i]
            damaged = bytearray(b"\n".join(lines))
        else:
            damaged[at : at + length] = data.draw(st.binary(max_size=length))
    imported(bytes(damaged))
    imported(bytes(damaged), format_name=name)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_anywhere_keeps_every_record_before_the_cut(name: str) -> None:
    data = samples()[name]
    text = decode(data, name="invented")[0].text
    full = import_bytes(data, name="invented")
    whole, begun = full.records, len(full.records) + sum(piece.counts_as_record for piece in full.unread)
    ends, at = [], 0
    for record in whole:
        at = text.index(record.raw, at) + len(record.raw)
        ends.append(at)
    for cut in range(max(200, ends[0] + 2), len(text), max(1, len(text) // 40)):
        done = imported(text[:cut].encode(), format_name=name)
        if done is None:
            assert name in WHOLE_DOCUMENTS
            continue
        before = [record.raw for record, end in zip(whole, ends, strict=True) if end < cut - 1]
        read = [record.raw for record in done.records][: len(before)]
        assert read[:-1] == before[:-1]
        assert read[-1].startswith(before[-1])  # the first characters of the next record may go on with the last one
        assert len(done.records) + sum(piece.counts_as_record for piece in done.unread) <= begun


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
@pytest.mark.parametrize("name", PASTED_TOGETHER)
def test_files_pasted_together_with_their_marks_are_all_read(name: str, end: str) -> None:
    if name == "csv" and not end:
        return  # nothing tells a header glued to a row from the row
    text = decode(samples()[name], name="a")[0].text.rstrip()
    if name == "bibtex":
        text = text[text.index("@article") : text.index("@inproceedings")].rstrip()  # whole entries only
    one = import_bytes(text.encode(), name="one")
    both = import_bytes(f"\ufeff{text}{end}\ufeff{text}".encode(), name="both")
    assert [record.title for record in both.records] == [record.title for record in one.records] * 2


@pytest.mark.parametrize("first", NAMES)
def test_a_second_format_in_the_file_is_found_and_named_with_its_line(first: str) -> None:
    data = samples()[first].rstrip()
    for second in ("ris", "pubmed-nbib", "cnki-noteexpress", "cnki-refer", "bibtex"):
        if second == first:
            continue
        both = decode(data, name="a")[0].text + "\n\n" + decode(samples()[second], name="b")[0].text.lstrip()
        with pytest.raises(InputError) as refused:
            import_bytes(both.encode(), name="both")
        message = refused.value.messages[0]
        assert message.code == "import.two-formats", (first, second, str(message))
        assert message.place is not None
        line = message.place.line
        assert line is not None
        second_at = both.split("\n")[line - 1]
        assert second_at in decode(samples()[second], name="b")[0].text
        assert line > data.count(b"\n")


def test_the_sign_of_a_format_inside_an_abstract_is_no_second_format() -> None:
    text = "TY  - JOUR\nTI  - a\nAB  - Lines of exports look so:\nPMID- 123\n%0 Journal Article\n@article{x,\nER  - \n"
    done = import_bytes(text.encode(), name="invented")
    assert len(done.records) == 1
    assert "PMID- 123" in done.records[0].abstract


def test_a_format_that_the_user_names_is_believed() -> None:
    both = RIS + b"\nPMID- 1\nTI  - Invented second\nDP  - 2020\n"
    assert code_of(both) == "import.two-formats"
    done = import_bytes(both, name="invented", format_name="ris")
    assert len(done.records) == 1
    assert [piece.raw.split("\n")[0] for piece in done.unread] == ["PMID- 1"]
    with pytest.raises(UnknownNameError):
        import_bytes(both, name="invented", format_name="word")


def test_the_name_of_a_file_tells_nothing(tmp_path: Path) -> None:
    for name, data in samples().items():
        path = tmp_path / "export.pdf"
        path.write_bytes(data)
        assert import_file(path).source == name


def test_an_unknown_beginning_is_shown_with_the_formats_that_are_known() -> None:
    with pytest.raises(InputError) as refused:
        import_bytes(b"\n\nDear colleague,\nplease find attached\n", name="letter.txt")
    message = refused.value.messages[0]
    assert message.code == "import.not-recognised"
    assert message.values["first"] == "Dear colleague,"
    assert message.place is not None
    assert message.place.line == 3
    for language in ("en", "zh"):
        assert "RIS" in say(message, language)
        assert "NoteExpress" in say(message, language)


def test_folders_missing_files_and_large_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(InputError) as refused:
            import_file(path)
        return refused.value.messages[0].code

    assert refusal(tmp_path) == "import.is-folder"
    assert refusal(tmp_path / "none.ris") == "import.no-such-file"
    path = tmp_path / "large.ris"
    path.write_bytes(RIS)
    monkeypatch.setattr(importing, "LIMIT_BYTES", len(RIS) - 1)
    assert refusal(path) == "import.too-large"
    assert code_of(RIS) == "import.too-large"
    monkeypatch.setattr(importing, "LIMIT_BYTES", len(RIS))
    assert len(import_file(path).records) == 1


def test_an_xml_bomb_is_refused_before_anything_expands() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><xml><records><record>&b;</record>'
    assert code_of(bomb) == "retrieval.xml-entity"
    outside = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><xml><records><record>'
    assert code_of(outside + b"<titles><title>&a;</title></titles></record></records></xml>") == "retrieval.xml-entity"


def test_progress_ends_at_the_whole_file() -> None:
    told: list[tuple[int, int]] = []
    done = import_bytes(RIS * 1000, name="invented", progress=lambda at, of: told.append((at, of)))
    assert len(done.records) == 1000
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == len(RIS) * 1000
    assert len(told) > 3


def test_the_same_file_gives_the_same_ids_and_another_file_others() -> None:
    one, again, other = (import_bytes(data, name="x") for data in (RIS * 3, RIS * 3, RIS * 3 + b"\n"))
    assert [record.id for record in one.records] == [record.id for record in again.records]
    assert not {record.id for record in one.records} & {record.id for record in other.records}
    assert len({record.id for record in one.records}) == 3


def test_what_was_not_read_is_told_with_its_line_and_how_often() -> None:
    text = b"TY  - JOUR\nTI  - a\nQQ  - b\nER  - \nstray\n\nTY  - JOUR\nTI  - c\nER  - \nstray\nTY  - JOUR\nTI  - half"
    done = import_bytes(text, name="invented.ris")
    told = {str(message.values.get("why", "")) or message.code: message for message in done.messages}
    stray = told["import.stray-lines()"]
    assert stray.place is not None
    assert (stray.values["times"], stray.place.line) == (2, 5)
    half = told["import.half-record()"]
    assert half.place is not None
    assert (half.values["times"], half.place.line) == (1, 11)
    assert told["import.unparsed"].values == {"records": 1, "times": 1}
    for language in ("en", "zh"):
        assert all("import." not in say(message, language) for message in done.messages)


@pytest.mark.parametrize(
    ("pieces", "line"),
    [
        ([heading(1, "a"), heading(3, "c")], 2),  # a line is missing
        ([heading(1, "a"), heading(2, "b"), heading(2, "b"), heading(3, "c")], 3),  # a line twice
        ([heading(1, "a"), heading(3, "b"), heading(3, "c")], 2),  # a wrong line number
        ([heading(1, "a"), heading(2, "b")], 3),  # the end is missing
        ([heading(1, "a\nb\nc")], None),
        ([stray_lines(1, "a"), stray_lines(2, "b\nc")], None),
    ],
)
def test_a_reader_that_loses_doubles_or_misplaces_a_line_is_caught(pieces: list[Unread], line: int | None) -> None:
    assert first_fault("a\nb\n\nc".replace("\n\n", "\n"), pieces) == line


def test_a_wrong_ordinal_is_caught() -> None:
    file = SourceText(name="x", text="a\nb", encoding="utf-8", sha256="0" * 64)
    good = [file.record("ris", 1, (1, 1), "a"), file.record("ris", 2, (2, 2), "b")]
    assert first_fault(file.text, good) is None
    assert first_fault(file.text, [good[0], file.record("ris", 3, (2, 2), "b")]) == 2


def test_every_file_of_the_data_folder_is_read_as_what_it_is_called() -> None:
    expected = tomllib.loads((FORMATS_DATA / "expected.toml").read_text(encoding="utf-8"))
    for name, what in expected.items():
        done = import_file(FORMATS_DATA / name)
        counted = len(done.records) + sum(piece.counts_as_record for piece in done.unread)
        assert (done.source, len(done.records), counted) == (what["format"], what["records"], what["counted"]), name
    assert {path.name for path in FORMATS_DATA.iterdir()} - {"README.md", "expected.toml"} == set(expected)


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
def test_one_format_alone_is_surest_of_each_file(path: Path) -> None:
    text = decode(path.read_bytes(), name=path.name)[0].text
    scores = sorted((one.detect(text[:8000]) for one in FORMATS), reverse=True)
    assert scores[0] > scores[1]


@pytest.mark.parametrize(
    "data",
    [
        "{Reference Type}}: Journal Article\n{Title: 虚构".encode(),  # found by damage: no mark is whole
        b"@article{",
        b"@string{a=",
        b"TY  -",
        b"PMID-",
        b"<xml><records><record",
        b"FN \nPT J",
        b"Title,Year\n",
        b"%0",
    ],
)
def test_beginnings_without_anything_after_them_are_read_or_refused(data: bytes) -> None:
    done = imported(data)
    assert done is None or len(done.records) + len(done.unread) > 0
