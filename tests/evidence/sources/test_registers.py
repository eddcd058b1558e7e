# SPDX-License-Identifier: Apache-2.0
"""Tests of evidence.sources.registers and the readers of registers' XML, tables and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.importing import first_fault
from sirolens.evidence.record import Record
from sirolens.evidence.sources import register_csv, register_json, register_xml
from sirolens.evidence.sources.text import SourceText, Unread

FOLDER = Path(__file__).parents[1] / "data" / "retrieval"
ICTRP = (FOLDER / "ictrp.xml").read_text(encoding="utf-8")
CSV = (FOLDER / "clinicaltrials.csv").read_text(encoding="utf-8")
JSON = (FOLDER / "clinicaltrials.json").read_text(encoding="utf-8")
Reader = Callable[[SourceText], Iterator[Record | Unread]]
CASES: list[tuple[Reader, str]] = [(register_xml.read, ICTRP), (register_csv.read, CSV), (register_json.read, JSON)]


def source(text: str) -> SourceText:
    return SourceText(name="a", text=text, encoding="utf-8", sha256="0" * 64)


def records(read: Reader, text: str) -> list[Record]:
    return [one for one in read(source(text)) if isinstance(one, Record)]


def unread(read: Reader, text: str) -> list[str]:
    return [one.reason.code for one in read(source(text)) if isinstance(one, Unread)]


@pytest.mark.parametrize(("read", "text"), CASES)
def test_every_line_lies_in_one_piece(read: Reader, text: str) -> None:
    assert first_fault(text, list(read(source(text)))) is None


def test_the_who_portals_xml_is_cleaned_of_its_html_and_blanks() -> None:
    first, second = records(register_xml.read, ICTRP)
    assert first.title == "Invented sirolimus trial in adults: a phase 2 study"
    assert first.trial_ids == ("ChiCTR0000000000", "NCT00000001")
    assert first.keywords == ("Immune thrombocytopenia", "ITP", "Group A:sirolimus", "Group B:placebo")
    assert (first.year, first.month, first.database) == (2024, 2, "ChiCTR")
    assert first.kinds == ("Interventional study", "2", "Recruiting")
    assert first.abstract == "Platelets <= 30;"
    assert (second.title, second.database) == ("Only a public title", "ClinicalTrials.gov")


def test_a_trial_without_number_and_title_and_a_stray_line_are_told() -> None:
    codes = ["import.heading", "import.half-record", "import.stray-lines"]
    assert unread(register_xml.read, ICTRP)[:2] == codes[:2]
    assert "import.stray-lines" in unread(register_xml.read, ICTRP)


def test_the_form_in_which_registers_hand_trials_over_is_read() -> None:
    text = (
        "<trials><trial><main><trial_id>ChiCTR0000000000</trial_id><reg_name>ChiCTR</reg_name>"
        "<public_title>虚构试验</public_title></main></trial></trials>"
    )
    assert register_xml.detect(text) > 0
    (one,) = records(register_xml.read, text)
    assert (one.title, one.trial_ids) == ("虚构试验", ("ChiCTR0000000000",))


def test_clinicaltrials_table_with_quotes_and_line_ends() -> None:
    first, second = records(register_csv.read, CSV)[:2]
    assert first.title == 'Invented trial, with a "quote"'
    assert first.abstract == "A summary\nin two lines."
    assert first.trial_ids == ("NCT00000000", "ChiCTR0000000000")
    assert first.keywords == ("ITP", "Evans Syndrome", "DRUG: Sirolimus")
    assert (first.position.first_line, first.position.last_line, first.year) == (2, 3, 2020)
    assert second.unparsed == ((5, "beyond"),)


def test_a_cut_row_is_listed() -> None:
    last = records(register_csv.read, CSV)[-1]
    assert last.accession == "NCT00000003"
    assert last.unparsed == ((6, 'NCT00000003,"Cut in the mid'),)


@pytest.mark.parametrize(
    "heading",
    [
        "TrialID,Public title,Scientific title,Phase,web address",
        "注册号,注册题目,注册时间",
        "NCT Number;Title;Status;URL",
    ],
)
def test_other_registers_tables_are_known_by_their_heading(heading: str) -> None:
    assert register_csv.detect(heading + "\n") > 0


def test_clinicaltrials_json_has_the_same_parts_as_its_table() -> None:
    first, second = records(register_json.read, JSON)
    assert first.title == "Invented official title"
    assert first.trial_ids == ("NCT00000000", "ISRCTN00000000")
    assert first.kinds == ("INTERVENTIONAL", "PHASE2", "COMPLETED")
    assert first.keywords == ("ITP", "Evans Syndrome", "Sirolimus")
    assert (first.year, first.month, second.title) == (2020, 12, "Second")


def test_half_a_study_at_the_end_is_told() -> None:
    assert unread(register_json.read, JSON)[-1] == "import.half-record"


def test_each_form_is_taken_for_itself_only() -> None:
    heads = {"xml": ICTRP, "csv": CSV, "json": JSON, "ris": "TY  - JOUR", "table": "Title,Authors,Year\n", "none": ""}
    detectors = {"xml": register_xml.detect, "csv": register_csv.detect, "json": register_json.detect}
    for name, detect in detectors.items():
        assert [other for other, head in heads.items() if detect(head)] == [name]


PIECES = [
    "<trials>",
    "<Trial>",
    "</Trial>",
    "<TrialID>1</TrialID>",
    "NCT Number,Study Title,Phases",
    "a,b,c",
    'x,"y',
    '"',
]
PIECES += ['{"studies": [', '{"protocolSection": {', '"identificationModule": {"nctId": "N"}', "}}", "]}", "", "stray"]


@pytest.mark.parametrize("read", [read for read, _ in CASES])
def test_no_line_is_lost_whatever_stands_in_a_file(read: Reader) -> None:
    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=20))
    def lost(lines: list[str]) -> None:
        text = "\n".join(lines).replace("\r", "")
        assert first_fault(text, list(read(source(text)))) is None

    lost()
