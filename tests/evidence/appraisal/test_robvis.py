# SPDX-License-Identifier: Apache-2.0
"""robvis tables: what is written is read back; tables as the program's examples have them are read."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.evidence.appraisal.form import Appraisal, Judgement, overall_judgement
from sirolens.evidence.appraisal.robvis import from_robvis, generic_words, to_robvis
from sirolens.evidence.appraisal.tools import TOOLS, appraisal_tool

# A table's cell is one line without blanks around it: names are written so, and come back so.
NAMES = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
    .map(lambda name: " ".join(name.split()))
    .filter(bool)
)


@st.composite
def tables(draw: st.DrawFn) -> list[Appraisal]:
    tool = appraisal_tool(draw(st.sampled_from(TOOLS)))
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    return [
        Appraisal(
            study=name,
            tool=tool.name,
            rater="wei",
            raters=("wei",),
            judgements=tuple(Judgement(item=item, level=draw(st.sampled_from(tool.levels))) for item in tool.items),
        )
        for name in names
    ]


@settings(deadline=None, max_examples=60)
@given(tables())
def test_a_table_comes_back_as_it_was(appraisals: list[Appraisal]) -> None:
    text = to_robvis(appraisals)
    reading = from_robvis(text, appraisals[0].tool, rater="wei")
    assert not reading.messages
    assert [(one.study, one.judgements) for one in reading.appraisals] == [
        (one.study, one.judgements) for one in appraisals
    ]
    assert [overall_judgement(one) for one in reading.appraisals] == [overall_judgement(one) for one in appraisals]
    assert to_robvis(reading.appraisals) == text


@settings(deadline=None, max_examples=60)
@given(tables())
def test_no_cell_starts_a_formula(appraisals: list[Appraisal]) -> None:
    for row in csv.reader(StringIO(to_robvis(appraisals))):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=120))
def test_any_text_is_read_or_refused_with_a_message(text: str) -> None:
    reading = from_robvis(text, "rob-2", rater="wei")
    assert reading.appraisals or reading.messages or len(text.splitlines()) <= 1


def test_a_table_with_weights_and_other_letters_is_read() -> None:
    text = "\ufeffstudy,D1,D2,D3,D4,D5,Overall,Weight\r\n"
    text += "Invented 2020,low,LOW,Some concerns,Low,Low,Some concerns,33.3\r\n"
    reading = from_robvis(text, "rob-2", rater="ana")
    assert not reading.messages
    assert overall_judgement(reading.appraisals[0]) == "some-concerns"


def test_row_numbers_of_r_and_short_words_are_read() -> None:
    """As robvis's own example tables have them: ROBINS-I with numbered rows, RoB 2 with "NI" and weights."""
    robins = '"","Study","D1","D2","D3","D4","D5","D6","D7","Overall"\n'
    robins += '"1","Study 1","Moderate","Critical","Low","Low","Moderate","Moderate","Moderate","Critical"\n'
    robins += '"2","Study 2","Moderate","No information","Moderate","Low","Low","Low","Moderate","Moderate"\n'
    reading = from_robvis(robins, "robins-i", rater="ana", file="a.csv")
    assert [one.study for one in reading.appraisals] == ["Study 1", "Study 2"]
    assert [overall_judgement(one) for one in reading.appraisals] == ["critical", "moderate"]  # the second as given
    assert [str(one.place) for one in reading.messages] == ["a.csv:3"]
    short = from_robvis(HEAD.replace("\n", ",Weights\n") + "A,NI,Low,High,Low,Low,High,9\n", "rob-2", rater="ana")
    assert not short.messages
    assert short.appraisals[0].level("randomisation") == "no-information"


# What robvis's "Generic" drawing knows: its code goes by first letters, and takes "No" for "not applicable".
GENERIC = {"High", "Unclear", "Some concerns", "Moderate", "Low", "No information", "Not applicable"}


@pytest.mark.parametrize(("tool", "own"), [("jbi-case-series", ["Yes", "Unclear", "No"]), ("minors", ["2", "0", "1"])])
def test_a_checklist_is_written_in_words_that_robvis_draws_and_read_in_its_own_too(tool: str, own: list[str]) -> None:
    items = appraisal_tool(tool).items
    head = f"Study,{','.join(f'D{n + 1}' for n in range(len(items)))}\n"
    rest = ",No information" * (len(items) - 3)
    reading = from_robvis(f"{head}A,{','.join(own)}{rest}\n", tool, rater="ana")
    assert not reading.messages
    text = to_robvis(reading.appraisals)
    assert text == f"{head}A,Low,Unclear,High{rest}\n"
    assert {cell for row in csv.reader(StringIO(text)) for cell in row[1:] if not cell.startswith("D")} <= GENERIC
    told = generic_words(tool)
    assert told is not None
    wanted = {f"{mine} = {word}" for mine, word in zip(own, ("Low", "Unclear", "High"), strict=True)}
    words = told.values["words"]
    assert isinstance(words, tuple)
    assert set(words) == wanted


HEAD = "Study,D1,D2,D3,D4,D5,Overall\n"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "appraisal.robvis-empty", "a.csv"),
        ("Study,D1,D2\nA,Low,Low\n", "appraisal.robvis-columns", "a.csv:1"),
        (HEAD + "A,Low,Low,Low,Low,Low\n", "appraisal.robvis-row", "a.csv:2"),
        (HEAD + ",Low,Low,Low,Low,Low,Low\n", "appraisal.robvis-row", "a.csv:2"),
        (HEAD + "A,Low,Low,Bad,Low,Low,Low\n", "appraisal.robvis-level", "a.csv:2:D3"),
        (HEAD + "A,Low,Low,Low,Low,Low,Low\n" * 2, "appraisal.robvis-study-twice", "a.csv:3"),
        (HEAD + "A,Low,Low,Low,Low,Low,High\n", "appraisal.overall-differs", "a.csv:2"),
    ],
)
def test_faults_are_named_with_line_and_column(text: str, code: str, place: str) -> None:
    (found,) = from_robvis(text, "rob-2", rater="wei", file="a.csv").messages
    assert (found.code, str(found.place)) == (code, place)


def test_an_overall_judgement_that_departs_from_the_rule_is_kept() -> None:
    text = HEAD + "A,Low,Low,Low,Low,Low,High\n"
    (kept,) = from_robvis(text, "rob-2", rater="wei").appraisals
    assert overall_judgement(kept) == "high"
    assert to_robvis([kept]) == text
