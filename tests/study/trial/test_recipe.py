# SPDX-License-Identifier: Apache-2.0
"""A recipe is read strictly: every fault of bad files is named with file, line, key, value and expectation.

Oracle: the sentence of each fault, written by hand from the format's description in docs/trial.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sirolens.errors import InputError, UnknownNameError
from sirolens.message import Message, Severity
from sirolens.report.words import say
from sirolens.study.trial.recipe import check, load, recipes, text_of
from sirolens.study.trial.recipe_design import ByGroup
from sirolens.study.trial.recipe_file import read_recipe

GOOD = text_of("paper-a")


def faults(text: str) -> tuple[Message, ...]:
    reading = read_recipe(text, "my.toml")
    assert (reading.recipe is None) == any(one.severity is Severity.ERROR for one in reading.messages)
    return reading.messages


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("name", list(recipes()))
def test_every_shipped_recipe_is_read_and_names_what_it_rests_on(name: str) -> None:
    recipe = load(name)
    assert recipe.name == name
    assert recipe.source.title
    assert recipe.notes
    assert len(recipe.notes) == len(recipe.notes_zh)
    assert all(group.pk for group in recipe.groups)
    assert all(arm.title_zh for arm in recipe.arms)
    assert recipe.title_zh


def test_a_shipped_recipe_says_what_the_study_did() -> None:
    recipe = load("paper-a")
    arm = recipe.arm("sirolimus")
    assert (recipe.patients, recipe.response.criteria) == (20, "paper-a-2024")
    assert arm.start == ByGroup(adults_mg=3.0, children_mg=1.5)
    assert arm.tdm is not None
    assert (arm.tdm.low_ng_ml, arm.tdm.high_ng_ml) == (5.0, 15.0)


# What is replaced, by what, the code, and a part of the place, of the value and of what was expected.
BAD = [
    ("seed = 20240415", "seed = 20240415\nsede = 1", "models.unknown-key", "sede", "sede", "seed"),
    ("patients = 20", "patients = 0", "models.wrong-type", "patients", "0", ">= 1"),
    ("patients = 20", "patients = 20.5", "models.wrong-type", "patients", "20.5", ">= 1"),
    ("replicates = 200", "replicates = 20000000", "models.out-of-range", "replicates", "20000000", "<= 500000"),
    ("days = 365", "days = 40000", "models.out-of-range", "days", "40000", "3650"),
    ('recipe = "paper-a"', 'recipe = "nobody"', "models.not-one-of", "population.recipe", "nobody", "default"),
    ('pk = "mao_2024"', 'pk = "mao_2023"', "registry.unknown-name", "population.adults.pk", "mao_2023", "mao_2024"),
    ('pk = "mao_2024"', 'pk = "wu_2012"', "trial.pk-not-linear", "population.adults.pk", "wu_2012", "linear"),
    (
        "children_percent = 30",
        "children_percent = 0",
        "trial.group-without-share",
        "population.children",
        "children",
        "",
    ),
    ('count_below = "30 10^9/L"', "count_below = 30", "trial.unit-missing", "entry.count_below", "30", "10^9/L"),
    ('count_below = "30 10^9/L"', 'count_below = "30"', "trial.unit-missing", "entry.count_below", "30", "10^9/L"),
    ('count_below = "30 10^9/L"', 'count_below = "30 mg"', "units.unknown", "entry.count_below", "30", "10^9/L"),
    (
        'count_below = "30 10^9/L"',
        'count_below = "30 10^9/L"\ncount_from = "40 10^9/L"',
        "trial.entry-contradicts",
        "entry.count_below",
        "30",
        "> 40",
    ),
    (
        'count_below = "30 10^9/L"',
        'count_below = "30 10^9/L"\nage_years = [18, 80]',
        "trial.entry-contradicts",
        "entry.age_years",
        "18-80",
        "2-17",
    ),
    ("count_cv_percent = 15", "", "models.key-missing", "measurement.count_cv_percent", "count_cv_percent", ">= 0"),
    (
        "days = [14, 28, 42, 56, 84, 98",
        "days = [14, 28, 42, 56, 84, 80",
        "trial.days-fall",
        "visits.days[5]",
        "80",
        "> 84",
    ),
    ("missed_percent = 5", "missed_percent = 5\nwindow_d = 7", "trial.visits-overlap", "visits.days", "28", "> 28"),
    (
        "missed_percent = 5",
        "missed_percent = 5\nwindow_d = 3",
        "trial.visit-outside",
        "visits.days[13]",
        "365",
        "<= 362",
    ),
    ("missed_percent = 5", "missed_percent = 101", "models.out-of-range", "visits.missed_percent", "101", "0-99"),
    (
        'criteria = "paper-a-2024"',
        'criteria = "paper-b"',
        "registry.unknown-name",
        "response.criteria",
        "paper-b",
        "iwg",
    ),
    ("landmarks_d = [28,", "landmarks_d = [10,", "models.out-of-range", "response.landmarks_d[0]", "10", "> 14"),
    (
        "landmarks_d = [28, 91, 182, 365]",
        "landmarks_d = [28, 91, 182, 210]",
        "trial.landmark-unseen",
        "",
        "210",
        "196-224",
    ),
    (
        "landmarks_d = [28, 91, 182, 365]",
        "landmarks_d = [28, 91, 182, 400]",
        "trial.day-outside",
        "response.landmarks_d[3]",
        "400",
        "1-365",
    ),
    ("day = 91", "day = 90", "models.not-one-of", "primary.day", "90", "91"),
    ("above_percent = 30", "", "trial.primary-unclear", "primary", "primary", "above_percent"),
    (
        "above_percent = 30",
        'compare = ["sirolimus", "placebo"]',
        "models.not-one-of",
        "compare[1]",
        "placebo",
        "sirolimus",
    ),
    ("above_percent = 30", 'compare = ["sirolimus"]', "trial.two-arms", "primary.compare", "sirolimus", "control"),
    ("above_percent = 30", "above_percent = 130", "models.out-of-range", "above_percent", "130", "0-100"),
    (
        "[cells]",
        "[[looks]]\nafter_patients = 20\nstop_at_most = 2\n[cells]",
        "models.out-of-range",
        "looks[0].after_patients",
        "20",
        "1-19",
    ),
    (
        "[cells]",
        "[[looks]]\nafter_patients = 10\nstop_at_most = 5\nsuccess_at_least = 4\n[cells]",
        "trial.look-contradicts",
        "looks[0]",
        "5, 4",
        "0-10",
    ),
    ("days = [84, 175]", "days = [90, 175]", "trial.not-a-visit", "cells.days[0]", "90", "84"),
    ('published = ["tw', 'published = ["nobody", "tw', "models.not-one-of", "published[0]", "nobody", "feng-2020"),
    ('name = "sirolimus"', 'name = "Sirolimus 1"', "models.bad-name", "arms[0].name", "Sirolimus 1", "a-z"),
    ('adults = "3 mg"', 'adults = "3 ug/kg"', "units.unknown", "start.adults", "3", "mg"),
    ('adults = "3 mg"', 'adults = "3.2 mg"', "trial.dose-not-made", "arms[0].start", "3.2", "3 mg, 3.5 mg"),
    ('adults = "3 mg"', 'adults = "8 mg"', "models.out-of-range", "arms[0].start", "8", "<= 6 mg"),
    (
        '{ adults = "3 mg", children = "1.5 mg" }',
        '{ adults = "3 mg" }',
        "models.key-missing",
        "children",
        "children",
        "",
    ),
    ('{ adults = "3 mg", children = "1.5 mg" }', "3", "trial.unit-missing", "arms[0].start", "3", "mg"),
    ("maintenance_from_d = 28", "", "models.key-missing", "maintenance_from_d", "maintenance_from_d", "both"),
    ("maintenance_from_d = 28", "maintenance_from_d = 30", "trial.not-a-visit", "maintenance_from_d", "30", "28"),
    ('target = "5-15 ng/mL"', 'target = "15-5 ng/mL"', "models.range-reversed", "tdm.target", "15-5 ng/mL", "low-high"),
    ('target = "5-15 ng/mL"', 'target = "5-15"', "trial.unit-missing", "arms[0].tdm.target", "5-15", "ng/mL"),
    (
        'target = "5-15 ng/mL"',
        'target = "50-150 ng/mL"',
        "protocol.target-implausible",
        "arms[0].tdm.target",
        "150",
        "30",
    ),
    (
        "days = [14, 28, 42, 56, 84, 126",
        "days = [14, 28, 40, 56, 84, 126",
        "trial.not-a-visit",
        "tdm.days[2]",
        "40",
        "42",
    ),
    (
        "[arms.tdm]",
        '[[arms.partners]]\nname = "aspirin"\n[arms.tdm]',
        "models.not-one-of",
        "partners[0].name",
        "aspirin",
        "",
    ),
    (
        "[arms.tdm]",
        '[arms.taper]\nfrom_d = 60\nstep = "0.5 mg"\nevery_d = 14\nwho = "responders"\n[arms.tdm]',
        "trial.taper-too-early",
        "taper.from_d",
        "60",
        ">= 91",
    ),
    ("[arms.tdm]", '[arms.tdm]\nrule = "magic"', "models.not-one-of", "arms[0].tdm.rule", "magic", "proportional"),
    (
        'title_zh = "按',
        'drug = "none"\ntitle_zh = "按',
        "trial.dose-without-drug",
        "arms[0].start",
        "start",
        "sirolimus",
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "field", "value", "expected"), BAD)
def test_a_fault_is_named_with_line_key_value_and_expectation(
    old: str, new: str, code: str, field: str, value: str, expected: str
) -> None:
    assert GOOD.count(old) >= 1
    said = faults(GOOD.replace(old, new, 1))
    found = next(one for one in said if one.code == code)
    assert found.place is not None
    assert found.place.file == "my.toml"
    assert found.place.line is not None
    assert field in str(found.place.field)
    told = "; ".join(str(one) for one in found.values.values())
    assert value in told
    assert expected in told
    for language in ("en", "zh"):
        assert found.code not in say(found, language)


def test_the_line_is_the_line_of_the_key() -> None:
    text = GOOD.replace('target = "5-15 ng/mL"', 'target = "5-15 ng/dozen"')
    (found,) = faults(text)
    assert found.place is not None
    assert found.place.line == line_of(text, 'target = "5-15')


def test_every_fault_is_told_at_once() -> None:
    text = (
        GOOD.replace("patients = 20", "patients = -1").replace('pk = "mao_2024"', "pk = 7").replace("[cells]", "[cels]")
    )
    assert {one.code for one in faults(text)} >= {"models.wrong-type", "models.unknown-key"}
    assert len(faults(text)) >= 3


def test_two_arms_of_one_name_are_refused() -> None:
    arms = GOOD[GOOD.index("[[arms]]") :]
    assert "trial.arm-twice" in {one.code for one in faults(GOOD + "\n" + arms)}


def test_an_arm_is_needed() -> None:
    assert {one.code for one in faults(GOOD[: GOOD.index("[[arms]]")])} == {"models.key-missing"}


@pytest.mark.parametrize(("text", "code"), [("", "models.file-empty"), ("= 3", "models.not-toml")])
def test_what_is_no_toml_is_named(text: str, code: str) -> None:
    assert [one.code for one in faults(text)] == [code]


def test_a_file_of_ones_own_is_loaded_by_its_path_and_checked(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(GOOD.replace('name = "paper-a"', 'name = "mine"'), encoding="utf-8")
    assert load(mine).name == "mine"
    assert load(str(mine)).digest != load("paper-a").digest
    assert check(mine) == ()
    mine.write_text("days = 1", encoding="utf-8")
    assert check(mine)
    with pytest.raises(InputError):
        load(mine)
    with pytest.raises(UnknownNameError):
        load("paper-aa")


@pytest.mark.parametrize(
    ("content", "code"), [(b"\xff\xfe\x00", "models.file-not-utf8"), (b"#" * 200_001, "models.file-too-large")]
)
def test_a_file_that_is_no_recipe_is_named(content: bytes, code: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(content)
    assert [one.code for one in check(file)] == [code]


def test_the_recipe_of_the_documentation_is_a_good_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "trial.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert faults(text) == ()
