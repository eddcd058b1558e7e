# SPDX-License-Identifier: Apache-2.0
"""BibTeX and the LaTeX in it. Oracle: the invented files read by eye; for accents, Unicode's own composition."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.export_files import FORMATS_DATA, TEXTS

from sirolens.evidence.importing import import_bytes, import_file
from sirolens.evidence.record import Record
from sirolens.evidence.sources.latex import from_latex, to_latex


def one(text: str) -> Record:
    done = import_bytes(text.encode(), name="invented")
    assert len(done.records) == 1
    return done.records[0]


def test_braces_strings_accents_and_a_cut_list_are_read() -> None:
    first, second = import_file(FORMATS_DATA / "mixed.bib").records
    assert first.title == "An Invented ITP Study of Éclairs & 5% CD4+ Cells"
    assert [author.printed for author in first.authors] == ["Müller, José", "Zhang, Wei", "Invented ITP Study Group"]
    assert first.authors[2].collective
    assert first.authors_cut
    assert first.journal == "Invented Haematology Journal"
    assert (first.year, first.month, first.pages, first.issue) == (2021, 3, "201-206", "3")
    assert first.abstract == "First line of the abstract.\nSecond line of it."
    assert first.unparsed == ((16, "crossref = {proceedings2021}"),)  # told, not followed
    assert (second.title, second.journal) == ("西罗莫司的虚构研究", "Invented Congress")
    assert second.kinds == ("inproceedings",)
    assert second.authors[1].family == "Søn"


def test_an_entry_that_never_closes_ends_where_the_next_begins() -> None:
    done = import_bytes(b"@article{a, title={open\n}\n@article{b, title={Whole}}\n", name="invented")
    assert [record.title for record in done.records] == ["Whole"]
    assert [(piece.first_line, piece.last_line, piece.counts_as_record) for piece in done.unread] == [(1, 2, True)]


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ("title = {a {b {c}} d}", "title", "a b c d"),
        ('title = "a {"}b{"} c"', "title", 'a "b" c'),
        ("title = {wrapped\n   title}", "title", "wrapped title"),
        ("title = {p \\{ 0.05}", "title", "p { 0.05"),
        ("author = {van der Doe, Jane and Doe, John}", "authors_cut", False),
        ("author = {Doe, Jane and others}", "authors_cut", True),
        ("year = 2021, month = feb # {~3}", "month", 2),
        ("date = {2021-04}", "month", 4),
        ("pages = {1--9}", "pages", "1-9"),
        ("url = {https://doi.org/10.99999/FAKE.1}", "doi", "10.99999/fake.1"),
        ("keywords = {a; b, c}", "keywords", ("a", "b, c")),
        ("title = {a}, journal = unknownmacro", "journal", "unknownmacro"),
        ("issn = {0000-000X}, eissn = {00000001}", "issn", "0000-000X 0000-0001"),
        ("unique-id = {WOS:000000000000001}", "wos_id", "WOS:000000000000001"),
    ],
)
def test_each_form_of_a_value_is_read(value: str, field: str, expected: object) -> None:
    assert getattr(one(f"@article{{key,\n {value}\n}}\n"), field) == expected


def test_a_name_without_a_comma_has_its_family_name_last() -> None:
    authors = one("@article{k, author={Jane van der Doe and Wei Zhang and 张伟}}").authors
    assert [author.family for author in authors] == ["van der Doe", "Zhang", "张"]


def test_an_unknown_macro_is_told() -> None:
    assert one("@article{k, title={a}, journal = what}").unparsed == ((1, "journal = what"),)


ACCENTS = [("'", 0x301), ("`", 0x300), ("^", 0x302), ('"', 0x308), ("~", 0x303), ("=", 0x304), (".", 0x307)]


@pytest.mark.parametrize(("command", "mark"), ACCENTS)
@pytest.mark.parametrize("form", ["\\{c}{l}", "{{\\{c}{l}}}", "\\{c}{{{l}}}", "\\{c} {l}", "{{\\{c}{{{l}}}}}"])
def test_each_form_of_an_accent_is_its_letter(command: str, mark: int, form: str) -> None:
    for letter in "eoAn":
        wanted = unicodedata.normalize("NFC", letter + chr(mark))
        assert from_latex(f"x{form.format(c=command, l=letter)}y") == f"x{wanted}y"


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\v{S}\v Zahin \c{c}\k{a}\H{o}\u{g}\r{u}\d{t}", "ŠŽahin çąőğůṭ"),
        (r"{\ss}{\O}\o re \aa{}b \L{}\'{\i}", "ßØøre åb Łí"),
        (r"CD4\textsuperscript{+} \emph{in vitro} {\it p}", "CD4+ in vitro p"),
        (r"5\,\% \& \$7 \#1 a\_b", "5 % & $7 #1 a_b"),
        (r"$\alpha$-subunit, $\geq$ 3", "$α$-subunit, $≥$ 3"),
        (r"\unknown{x} stays", r"\unknownx stays"),
        ("plain 西罗莫司", "plain 西罗莫司"),
    ],
)
def test_commands_become_what_they_stand_for(latex: str, text: str) -> None:
    assert from_latex(latex) == text


@settings(deadline=None)
@given(TEXTS)
def test_what_is_written_for_latex_is_read_back(text: str) -> None:
    assert from_latex(to_latex(text)) == text


@settings(deadline=None)
@given(st.text(st.sampled_from("@{}()\\\"',=#% \nabcarticle1"), max_size=80))
def test_any_text_of_its_signs_is_read_or_told(text: str) -> None:
    done = import_bytes(f"@article{{a, title = {{b}}}}\n{text}".encode(), name="invented", format_name="bibtex")
    assert len(done.records) + len(done.unread) >= 1
