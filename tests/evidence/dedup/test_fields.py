# SPDX-License-Identifier: Apache-2.0
"""Titles, pages, issues, names and pinyin as databases spell them; readings written from knowledge of Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirolens.evidence.dedup.journals import Agreement, compare_journals
from sirolens.evidence.dedup.names import Authorship, compare_names, name
from sirolens.evidence.dedup.pinyin import simplified, surname_readings, syllables
from sirolens.evidence.dedup.places import compare_pages, issue_number, pages, volume_number
from sirolens.evidence.dedup.titles import Likeness, about, compare_titles, telling, title
from sirolens.evidence.record import Author


@pytest.mark.parametrize(
    ("one", "two", "agreement", "both"),
    [
        ("201-7", "201-207", Agreement.SAME, True),
        ("201-207+212", "201-207", Agreement.SAME, True),
        ("1106-1111+1117", "1106-11", Agreement.SAME, True),
        ("165", "165-172", Agreement.SAME, False),
        ("726-733", "726-734", Agreement.SAME, False),
        ("P63", "63", Agreement.SAME, False),
        ("569", "567-569", Agreement.SAME, False),
        ("246-250", "250-254", Agreement.DIFFERENT, False),
        ("e43268", "e43268", Agreement.SAME, True),
        ("e43268", "1-9", Agreement.UNKNOWN, False),
        ("a1754", "969-972", Agreement.UNKNOWN, False),
        ("Suppl-37", "S29-37", Agreement.UNKNOWN, False),
        ("01-Oct", "1-10", Agreement.UNKNOWN, False),
        ("S42", "42", Agreement.SAME, False),
        ("S42", "e505", Agreement.DIFFERENT, False),
        ("11-19", "20-28", Agreement.DIFFERENT, False),
        ("", "11", Agreement.UNKNOWN, False),
    ],
)
def test_pages(one: str, two: str, agreement: Agreement, both: bool) -> None:
    assert compare_pages(pages(one), pages(two)) == (agreement, both)
    assert compare_pages(pages(two), pages(one)) == (agreement, both)


@pytest.mark.parametrize(
    ("text", "number"),
    [("03", "3"), ("S2", "s2"), ("Suppl. 2", "s2"), ("增刊1", "s1"), ("11-12", "11"), ("", ""), ("第3期", "3")],
)
def test_issues(text: str, number: str) -> None:
    assert issue_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"), [("007", "7"), ("35 Suppl 1", "35"), ("XLII", "42"), ("Ph.D.", ""), ("vol. 8", "8"), ("1)", "")]
)
def test_volumes(text: str, number: str) -> None:
    assert volume_number(text) == number


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("Am J Hematol", "American Journal of Hematology", Agreement.SAME),
        ("The New England journal of medicine", "N Engl J Med", Agreement.SAME),
        ("Drugs & Aging", "Drugs and Aging", Agreement.SAME),
        ("BMJ (Clinical research ed.)", "BMJ", Agreement.SAME),
        ("J Pediatr", "Journal of Pediatric Surgery", Agreement.DIFFERENT),
        ("Am J Clin Nutr", "American Journal of Clinical Pathology", Agreement.DIFFERENT),
        ("Blood", "Blood Advances", Agreement.DIFFERENT),
        ("", "Blood", Agreement.UNKNOWN),
    ],
)
def test_journals(one: str, two: str, same: Agreement) -> None:
    assert compare_journals(one, two) is same


def _titles(one: str, two: str) -> tuple[Likeness, str]:
    first, second = title(one), title(two)
    assert first is not None
    assert second is not None
    likeness, difference, _ = compare_titles(first, second)
    assert telling(first, second) == telling(second, first)
    return likeness, difference


@pytest.mark.parametrize(
    ("one", "two", "difference"),
    [
        ("Phase 2 trial of an invented drug", "Phase 3 trial of an invented drug", "number"),
        ("Hepatitis A in invented towns and villages", "Hepatitis B in invented towns and villages", "number"),
        ("Sirolimus with steroids in invented patients", "Sirolimus without steroids in invented patients", "opposite"),
        ("Survival of men after an invented disease", "Survival of women after an invented disease", "opposite"),
        ("Hypertension in a large invented cohort", "Hypotension in a large invented cohort", "opposite"),
        ("An invented trial of sirolimus: protocol", "An invented trial of sirolimus: results", "kind"),
        ("西罗莫司治疗成人血小板减少症的研究（一）", "西罗莫司治疗成人血小板减少症的研究（二）", "number"),
    ],
)
def test_a_difference_of_one_word_that_tells(one: str, two: str, difference: str) -> None:
    likeness, found = _titles(one, two)
    assert found == difference
    assert likeness is not Likeness.NEAR


@pytest.mark.parametrize(
    ("one", "two", "likeness"),
    [
        ("Non small cell cancer of invented lungs", "Nonsmall-cell cancer of invented lungs", Likeness.SAME),
        ("TNF-α in invented plasma", "TNF-alpha in invented plasma", Likeness.SAME),
        ("H<sub>2</sub>O and invented platelets", "H2O and invented platelets", Likeness.SAME),
        (
            "Sirolimus in relapsed invented thrombocytopenia",
            "Sirolimus in relapsed invented trombocytopenia",
            Likeness.NEAR,
        ),
        ("An invented trial in thrombocytopenia", "An invented trial in thrombocytopenia: ten years on", Likeness.CUT),
        ("Sirolimus in invented children", "Bridges over an invented river", Likeness.FAR),
        ("环孢素治疗虚构贫血的临床观察", "环磷酰胺治疗虚构贫血的临床观察", Likeness.LIKE),
        ("Sirolimus", "西罗莫司", Likeness.OTHER),
    ],
)
def test_titles(one: str, two: str, likeness: Likeness) -> None:
    assert _titles(one, two)[0] is likeness


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Erratum: An invented trial", "erratum"),
        ("Author Correction: An invented trial", "erratum"),
        ("An invented trial (vol 7, pg 11, 2020)", "erratum"),
        ("An invented trial (Invented Blood (2020) 7 (11-19))", "erratum"),
        ("An invented trial (INVENT (2020) study)", ""),
        ("Retraction notice to: An invented trial", "retraction"),
        ("RETRACTED: An invented trial", "retracted"),
        ("Expression of concern: An invented trial", "concern"),
        ("In reply to: An invented trial", "comment"),
        ("Re: An invented trial", "comment"),
        ("更正：一项虚构试验的结果", "erratum"),
        ("Response to sirolimus in an invented trial", "comment"),
        ("Retinal vessels in an invented trial", ""),
        ("Reply rates in an invented survey", ""),
        ("对虚构患者的观察", ""),
    ],
)
def test_what_a_title_says_of_another_paper(text: str, kind: str) -> None:
    assert about(text)[0] == kind


@pytest.mark.parametrize(
    ("han", "spelt"),
    [
        ("单", "shan"), ("曾", "zeng"), ("仇", "qiu"), ("解", "xie"), ("查", "zha"), ("翟", "zhai"), ("葛", "ge"),
        ("区", "ou"), ("朴", "piao"), ("尉", "yu"), ("盖", "ge"), ("任", "ren"), ("吕", "lv"), ("吕", "lu"),
        ("欧阳", "ouyang"), ("司马", "sima"), ("诸葛", "zhuge"), ("上官", "shangguan"), ("令狐", "linghu"),
        ("尉迟", "yuchi"), ("长孙", "zhangsun"), ("单于", "chanyu"), ("覃", "qin"), ("吕", "lyu"), ("陈", "chan"),
        ("黄", "wong"), ("许", "hsu"), ("鄢", "yan"), ("闫", "yan"), ("邝", "kuang"), ("逄", "pang"), ("佟", "tong"),
    ],
)  # fmt: skip
def test_readings_of_surnames(han: str, spelt: str) -> None:
    assert spelt in surname_readings(han)


@pytest.mark.parametrize(
    ("characters", "spelt"),
    [
        ("张伟", "zhang wei"),
        ("鑫淼磊", "xin miao lei"),
        ("婷玥昕", "ting yue xin"),
        ("女虐略", "nv nve lve"),
        ("去群全", "qu qun quan"),
    ],
)
def test_readings_of_characters(characters: str, spelt: str) -> None:
    assert [reading in syllables(one) for one, reading in zip(characters, spelt.split(), strict=True)] == [True] * len(
        characters
    )


def _names(one: str, two: str) -> Authorship:
    found = []
    for text in (one, two):
        family, comma, given = text.partition(", ")
        made = name(Author(printed=text, family=family, given=given) if comma else Author(printed=text))
        assert made is not None
        found.append(made)
    assert compare_names(*found) is compare_names(*reversed(found))
    return compare_names(*found)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("张伟明", "Zhang WM", Authorship.FIRST),
        ("张伟明", "Zhang, Wei-Ming", Authorship.SAME),
        ("張偉明", "Zhang, Weiming", Authorship.SAME),
        ("张伟明", "Weiming, Zhang", Authorship.SAME),
        ("张伟明", "Zhang, L.", Authorship.DIFFERENT),
        ("张伟明", "Wang, Weiming", Authorship.DIFFERENT),
        ("吕思佳", "Lyu, Sijia", Authorship.SAME),
        ("欧阳倩", "Ouyang Q", Authorship.FIRST),
        ("郝国强[1,2]", "Hao GQ", Authorship.FIRST),
        ("de la Plata, C. A.", "Marquez de la Plata, Carlos", Authorship.FIRST),
        ("von Pawel, J.", "Pawel, J.", Authorship.FIRST),
        ("Müller, K.", "Muller K", Authorship.FIRST),
        ("Ørsted, H.", "Orsted, Hans", Authorship.FIRST),
        ("Doe, J.", "Doe, K.", Authorship.DIFFERENT),
        ("Li, J.", "Lu, J.", Authorship.DIFFERENT),
    ],
)
def test_names(one: str, two: str, same: Authorship) -> None:
    assert _names(one, two) is same


def test_simplified_characters_are_left_alone() -> None:
    text = "西罗莫司治疗免疫性血小板减少症的临床观察"
    assert simplified(text) == text
    assert simplified("西羅莫司治療免疫性血小板減少症的臨床觀察") == text


@given(text=st.text())
def test_nothing_printed_breaks_the_reading_of_fields(text: str) -> None:
    pages(text)
    issue_number(text)
    volume_number(text)
    about(text)
    compare_journals(text, "Blood")
    name(Author(printed=text))
    first = title(text)
    if first is not None:
        assert compare_titles(first, first) == (Likeness.SAME, "", 100.0)
