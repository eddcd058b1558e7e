# SPDX-License-Identifier: Apache-2.0
"""Bytes become text or are named. Oracle: Python's own codecs, and what each file really is."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sirolens.errors import InputError
from sirolens.evidence.sources.decode import decode

# Invented text in the words of a Chinese export.
CHINESE = (
    "{Title}: 西罗莫司治疗免疫性血小板减少症的临床研究\n{Author}: 张伟;王芳\n目的：观察疗效与安全性。方法：回顾分析。\n"
)
MOST_MEMORY = 10  # times the file: its text in two encodings is 4 times; a list of all its signs was 40
TRADITIONAL = "%0 Journal Article\n%T 西羅莫司治療免疫性血小板減少症之臨牀觀察與療效評價研究報告\n%A 張偉\n"


def refusal(data: bytes) -> tuple[str, int | None]:
    with pytest.raises(InputError) as refused:
        decode(data, name="invented")
    message = refused.value.messages[0]
    return message.code, None if message.place is None else message.place.line


@pytest.mark.parametrize(
    ("codec", "mark", "told"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("gb18030", b"", "gb18030"),
        ("gb18030", b"\x84\x31\x95\x33", "gb18030"),
    ],
)
@pytest.mark.parametrize("text", [CHINESE, "TY  - JOUR\nTI  - 西罗莫司\nER  - \n"], ids=["cnki", "ris"])
def test_each_encoding_gives_the_text(codec: str, mark: bytes, told: str, text: str) -> None:
    if codec.startswith("utf-16") and not mark and text is CHINESE:
        text = "TY  - JOUR\n" + text  # without a mark the zeros of ASCII characters tell
    file, flags = decode(mark + text.encode(codec), name="invented")
    assert file.text == text
    assert file.encoding == told
    assert [flag.code for flag in flags] == (["import.read-as-gb18030"] if told == "gb18030" and not mark else [])


def test_traditional_characters_in_gb18030_are_read() -> None:
    assert decode(TRADITIONAL.encode("gb18030"), name="invented")[0].text == TRADITIONAL


def test_big5_is_named_and_not_read_as_other_characters() -> None:
    assert refusal(TRADITIONAL.replace("牀", "床").encode("big5")) == ("import.other-encoding", None)


def test_a_western_alphabet_is_read_and_told_with_its_line() -> None:
    file, flags = decode("TY  - JOUR\nAU  - Müller, José\n".encode("cp1252"), name="invented")
    assert "Müller, José" in file.text
    assert [(flag.code, flag.place.line if flag.place else None) for flag in flags] == [
        ("import.read-as-windows-1252", 2)
    ]


def test_damaged_utf8_is_refused_with_its_line_and_not_read_as_gb18030() -> None:
    data = bytearray((CHINESE * 3).encode())
    data[data.index("安全".encode())] = 0xFF
    assert refusal(bytes(data)) == ("import.damaged-text", 3)


def test_damaged_utf16_is_refused_with_its_line() -> None:
    lone = "a\nb\n".encode("utf-16-le") + b"\x00\xd8" + "c\n".encode("utf-16-le")
    assert refusal(b"\xff\xfe" + lone) == ("import.damaged-text", 3)


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("missing", [1, 2])
def test_a_file_cut_inside_a_character_is_read_up_to_it_and_told(codec: str, missing: int) -> None:
    whole = CHINESE + "疗"
    data = whole.encode(codec)
    if missing >= len("疗".encode(codec)):
        return
    mark = b"\xff\xfe" if codec == "utf-16-le" else b""
    file, flags = decode(mark + data[:-missing], name="invented")
    assert file.text.startswith(CHINESE[:-1])
    assert file.text.rstrip() == CHINESE.rstrip()
    assert "import.cut-character" in [flag.code for flag in flags]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import.empty-file"),
        (b" \r\n\x00 ", "import.empty-file"),
        (b"\xef\xbb\xbf\n", "import.empty-file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "import.spreadsheet"),
        (b"PK\x03\x04....xl/workbook.xml", "import.spreadsheet"),
        (b"PK\x03\x04....records.ris", "import.archive"),
        (b"\x1f\x8b\x08\x00", "import.archive"),
        (b"%PDF-1.7\n", "import.pdf"),
        (b"\x89PNG\r\n\x1a\n", "import.not-text"),
        (b"<!DOCTYPE html>\n<html><title>Login</title>", "import.web-page"),
        (b"\n <HTML xmlns:x='urn:schemas-microsoft-com:office:excel'>", "import.web-page"),
        (b"<table><tr><td>Title</td></tr></table>", "import.web-page"),
        (b"\xff\xfe\x00\x00T\x00\x00\x00", "import.other-encoding"),
        (bytes(range(256)) * 8, "import.unclear-encoding"),
        (b"a\x00b\x01" * 100 + b"\x00\x00\x00\x00" * 300, "import.not-text"),
    ],
)
def test_what_is_no_export_is_named_as_what_it_is(data: bytes, code: str) -> None:
    assert refusal(data)[0] == code


def test_line_ends_of_every_kind_become_one() -> None:
    for end in ("\n", "\r\n", "\r", "\r\r\n"):
        text = f"TY  - JOUR{end}TI  - a{end}ER  - {end}"
        assert decode(text.encode(), name="invented")[0].text == "TY  - JOUR\nTI  - a\nER  - \n"


def test_a_stray_return_or_zero_inside_a_field_becomes_a_space_and_is_told() -> None:
    file, flags = decode(b"TY  - JOUR\r\nTI  - a\rb\x00c" + b" " * 200 + b"\r\nER  - \r\n", name="invented")
    assert "TI  - a b c" in file.text
    assert [(flag.code, flag.place.line if flag.place else None) for flag in flags] == [
        ("import.returns-inside", 2),
        ("import.nul-inside", 2),
    ]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\x84\x31\x95\x33\xff")
@example(b"\x81")
def test_any_bytes_become_text_or_a_refusal(data: bytes) -> None:
    try:
        text = decode(data, name="invented")[0].text
    except InputError:
        return  # any other exception fails the test
    assert "\r" not in text
    assert "\x00" not in text
    assert text.strip()


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(lambda text: bool(text.strip())))
def test_text_in_utf8_comes_out_as_it_was(text: str) -> None:
    body = f"TY  - JOUR\nTI  - {text}\n"
    assert decode(body.encode(), name="invented")[0].text == body


def test_telling_an_encoding_takes_a_sample_and_not_memory_for_every_character() -> None:
    data = ("西罗莫司治疗免疫性血小板减少症的虚构研究。\n" * 20_000).encode("gb18030")
    tracemalloc.start()
    decode(data, name="large")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_MEMORY * len(data)
