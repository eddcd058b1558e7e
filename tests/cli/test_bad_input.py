# SPDX-License-Identifier: Apache-2.0
"""Bad input through the command: the reasons in the command's language, exit code 2, nothing written.

Which faults the readers find, and how they name them, is tested beside the readers (`tests/interop`); here every
line of the list goes once through the door.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sirolens.message import Severity
from sirolens.report.words import severity_word
from tests.cli.command import CHARTS, OWN_MODEL, TABLES, Done, sirolens
from tests.interop.charts import CHINESE, LEVEL, PATIENT, PRESCRIPTION, WEIGHT, sound, text

LANGUAGES = ("en", "zh")
RAW_CODE = re.compile(r"\b[a-z]+\.[a-z0-9]+(-[a-z0-9]+)+\b")
# Chinese that an English fault repeats: what was given, and spellings of units that are read.
GIVEN = re.compile(r"他克莫司|－７．５|纳克/毫升|微克/升")
ADULT = CHARTS / "adult_three_troughs.json"


def _level(**changes: Any) -> str:
    return text(sound(levels=[LEVEL | changes]))


def _lab(**changes: Any) -> str:
    return text(sound(labs=[WEIGHT | changes]))


# what is wrong -> the file's content, and what the words must name
CHART_FAULTS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "unit missing": (text(sound(levels=[{k: v for k, v in LEVEL.items() if k != "unit"}])), ("levels[0].value", "7.2")),
    "ng/dL": (_level(unit="ng/dL"), ("levels[0].value", "7.2 ng/dL", "ng/mL")),
    "ug/mL for ng/mL": (_level(unit="ug/mL"), ("levels[0].value", "7.2 ug/mL", "7200 ng/mL")),
    "nmol/L out of the window": (_level(value=0.52, unit="nmol/L"), ("levels[0].value", "0.52 nmol/L")),
    "mcg for mg": (text(sound(prescriptions=[PRESCRIPTION | {"regimen": "2 mcg daily"}])), ("2 mcg", "mg")),
    "mg for mcg": (text(sound(prescriptions=[PRESCRIPTION | {"regimen": "2000 mg daily"}])), ("2000 mg",)),
    "decimal comma": (_level(value="7,5"), ("levels[0].value", "7,5")),
    "1,234": (_level(value="1,234"), ("levels[0].value", "1,234")),
    "full-width digits in a negative level": (_level(value="－７．５"), ("levels[0].value",)),
    "negative level": (_level(value=-1), ("levels[0].value", "-1")),
    "level zero": (_level(value=0), ("levels[0].value", "<0.5")),
    "level without a dose": (text(sound(prescriptions=None)), ("levels[0]", "since_about")),
    "two levels at once": (text(sound(levels=[LEVEL, LEVEL | {"value": 9}])), ("levels[1].value", "7.2", "9")),
    "dose before, later than its sample": (
        _level(last_dose_at="2026-09-15T08:00+08:00"),
        ("levels[0].last_dose_at", "08:00"),
    ),
    "naive time": (text(sound(zone="", levels=[LEVEL | {"at": "2026-09-15T07:40"}])), ("2026-09-15T07:40",)),
    "weight 700 kg": (_lab(value=700), ("labs[0].value", "700 kg", "500 kg")),
    "age -1": (text(sound(patient=PATIENT | {"age_years": -1})), ("patient.age_years", "-1", "120")),
    "haematocrit 0.38 as percent": (_lab(name="haematocrit", value=0.38, unit="%"), ("labs[0].value", "0.38 %", "L/L")),
    "tacrolimus": (text(sound(prescriptions=[PRESCRIPTION | {"drug": "他克莫司"}])), ("drug", "他克莫司")),
    "empty file": (b"", ()),
    "Big5": ('{"note": "他克莫司 與 血藥濃度"}'.encode("big5"), ("UTF-8",)),
    "truncated JSON": (text(sound())[:-60], ()),
    "unknown field": (text(sound(levels=[LEVEL | {"asay": "cmia"}])), ("levels[0].asay", "asay", "assay")),
}


def _refused(done: Done, folder: Path, before: set[Path], language: str) -> None:
    """Every refusal: exit code 2, words in the language, no code, no trace, no file."""
    assert done.code == 2, done.err
    assert "Traceback" not in done.err
    assert bool(CHINESE.search(GIVEN.sub("", done.err))) == (language == "zh")
    assert not RAW_CODE.search(re.sub(r"\S+\.(json|toml|csv|html|pdf)\S*", "", done.err)), done.err
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", sorted(CHART_FAULTS))
def test_a_bad_chart_is_refused_in_words_and_nothing_is_written(case: str, language: str, tmp_path: Path) -> None:
    content, named = CHART_FAULTS[case]
    chart = tmp_path / "chart.json"
    chart.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = sirolens("advise", chart, "--html", tmp_path / "a.html", "--json", "--language", language)
    _refused(done, tmp_path, {chart}, language)
    assert done.out == ""
    assert str(chart) in done.err
    assert not [value for value in named if value not in done.err], done.err
    if named and "[" in named[0]:
        assert ("line " in done.err) == (language == "en")


DATA = "ID,TIME,AMT,DV,WT,TBIL\n1,0,2,.,18,9\n1,24,.,5,18,9\n"
# what is wrong -> the table, and what the words must name
TABLE_FAULTS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "empty file": (b"", ("ID", "TIME", "AMT")),
    "a column missing": (DATA.replace("AMT", "AMOUNT"), ("AMT", "AMOUNT")),
    "a number that is none": (DATA.replace("1,24,.,5", "1,24,.,5;3"), ("3", "DV", "5;3")),
    "decimal comma": ("ID;TIME;AMT\n1;0;2,5\n", ("ID",)),
    "negative level": (DATA.replace(".,5,", ".,-5,"), ("3", "DV", "-5")),
    "level zero": (DATA.replace(".,5,", ".,0,"), ("3", "DV", "BLQ", "LLOQ")),
    "a weight of 700 kg": (DATA.replace("18", "700"), ("WT", "700")),
    "a covariate missing": (DATA.replace(",TBIL", "").replace(",9", ""), ("TBIL",)),
    "a dose into no compartment": (DATA.replace("TBIL\n", "TBIL,CMT\n").replace(",9\n", ",9,5\n"), ("CMT", "5", "2")),
    "UTF-16": (DATA.encode("utf-16"), ("UTF-8",)),
    "an Excel file": (b"PK\x03\x04rest", ("Excel",)),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["simulate", "estimate"])
@pytest.mark.parametrize("case", sorted(TABLE_FAULTS))
def test_a_bad_table_is_refused_in_words_and_nothing_is_written(
    case: str, command: str, language: str, tmp_path: Path
) -> None:
    content, named = TABLE_FAULTS[case]
    data = tmp_path / "data.csv"
    data.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = sirolens(command, data, "-m", "cheng_2020", "--out", tmp_path / "out.csv", "--language", language)
    _refused(done, tmp_path, {data}, language)
    assert done.out == ""
    assert not [value for value in named if value not in done.err], done.err


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["advise", "simulate", "estimate"])
def test_a_file_that_is_not_there_is_named(command: str, language: str, tmp_path: Path) -> None:
    model = () if command == "advise" else ("-m", "wu_2012")
    done = sirolens(command, tmp_path / "nothing.json", *model, "--language", language)
    _refused(done, tmp_path, set(), language)
    assert str(tmp_path / "nothing.json") in done.err


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["advise", "simulate", "estimate"])
def test_an_unknown_model_is_refused_with_what_is_known(command: str, language: str, tmp_path: Path) -> None:
    source = ADULT if command == "advise" else TABLES / "children_levels.csv"
    done = sirolens(command, source, "--model", "cheng_2021", "--language", language)
    _refused(done, tmp_path, set(), language)
    assert "cheng_2021" in done.err
    assert "cheng_2020" in done.err


OWN = OWN_MODEL.read_text(encoding="utf-8")
MODEL_FAULTS = {
    "an omega that is not positive definite": (OWN.replace("variance = 0.1", "variance = -0.1"), "-0.1"),
    "a formula with a forbidden name": (OWN.replace('"0.5"', '"__import__(1)"'), "__import__"),
    "an unknown key": (OWN.replace("[units]", "[unit]"), "unit"),
    "not TOML": ("name = \n", "TOML"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", sorted(MODEL_FAULTS))
def test_a_faulty_model_file_is_refused_wherever_it_is_used(case: str, language: str, tmp_path: Path) -> None:
    content, named = MODEL_FAULTS[case]
    model = tmp_path / "mine.toml"
    model.write_text(content, encoding="utf-8")
    for arguments in (
        ("advise", ADULT, "--pdf", tmp_path / "a.pdf"),
        ("simulate", TABLES / "adult_first_days.csv", "--out", tmp_path / "a.csv"),
        ("estimate", TABLES / "children_levels.csv", "--out", tmp_path / "a.parquet"),
    ):
        done = sirolens(*arguments, "--model", model, "--language", language)
        _refused(done, tmp_path, {model}, language)
        assert str(model) in done.err
        assert named in done.err


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--at", "2026-13-01T00:00"), "2026-13-01"),
        (("--at", "next week"), "next week"),
        (("--acknowledge", "guardrails.level-far-above"), "guardrails.level-far-above"),
        (("--acknowledge", "=why"), "=why"),
        (("--settings", "nothing.toml"), "nothing.toml"),
    ],
    ids=["no such day", "no instant", "no reason", "no code", "no settings"],
)
def test_an_impossible_option_is_named(arguments: tuple[str, str], named: str, language: str, tmp_path: Path) -> None:
    done = sirolens("advise", ADULT, *arguments, "--html", tmp_path / "a.html", "--language", language)
    assert (done.code, done.out) == (2, "")
    assert named in done.err
    assert bool(CHINESE.search(done.err)) == (language == "zh")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_computed(language: str, tmp_path: Path) -> None:
    copy = tmp_path / "chart.json"
    copy.write_bytes(ADULT.read_bytes())
    data = tmp_path / "data.csv"
    data.write_text(DATA, encoding="utf-8")
    kept = {copy: copy.read_bytes(), data: data.read_bytes()}
    nowhere = tmp_path / "nowhere"
    for arguments, named in (
        (("advise", copy, "--html", nowhere / "a.html"), nowhere),
        (("advise", copy, "--html", tmp_path / "a.html", "--pdf", nowhere / "a.pdf"), nowhere),
        (("advise", copy, "--pdf", tmp_path), tmp_path),
        (("advise", copy, "--docx", copy), copy),
        (("advise", copy, "--html", tmp_path / "a", "--pdf", tmp_path / "a"), tmp_path / "a"),
        (("simulate", data, "-m", "cheng_2020", "--out", nowhere / "a.csv"), nowhere),
        (("simulate", data, "-m", "cheng_2020", "--out", tmp_path / "a.xlsx"), ".xlsx"),
        (("estimate", data, "-m", "cheng_2020", "--out", tmp_path / "a"), ".parquet"),
        (("estimate", data, "-m", "cheng_2020", "--out", data), data),
        (("models", "export", "cheng_2020", "--to", "nonmem", "--out", nowhere / "a.ctl"), nowhere),
    ):
        done = sirolens(*arguments, *(() if arguments[0] == "models" else ("--language", language)))
        assert (done.code, done.out) == (2, ""), arguments
        assert str(named) in done.err
        assert {path: path.read_bytes() for path in tmp_path.rglob("*")} == kept


PREMATURE = {"patient": PATIENT | {"age_years": 0.4}, "labs": [WEIGHT | {"value": 6}], "levels": None}
NO_WEIGHT_CHILD = {"patient": PATIENT | {"age_years": 6}, "labs": None, "levels": None}
OUTSIDE = {
    "an infant": (PREMATURE, ()),
    "a child whose weight nobody knows": (NO_WEIGHT_CHILD, ()),
    "a toddler under an adult's model": (
        {"patient": PATIENT | {"age_years": 3}, "labs": [WEIGHT | {"value": 14}], "levels": None},
        ("--model", "golubovic_2019"),
    ),
    "a heavy child under a model for small ones": (
        {"patient": PATIENT | {"age_years": 15}, "labs": [WEIGHT | {"value": 70}], "levels": None},
        ("--model", "fan_2024"),
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", sorted(OUTSIDE))
def test_a_patient_outside_every_model_is_refused_with_the_reasons_and_no_report(
    case: str, language: str, tmp_path: Path
) -> None:
    changes, more = OUTSIDE[case]
    chart = tmp_path / "chart.json"
    chart.write_text(text(sound(**changes)), encoding="utf-8")
    at = ("--at", "2026-09-20T08:00+08:00")
    done = sirolens("advise", chart, *at, *more, "--pdf", tmp_path / "a.pdf", "--language", language)
    _refused(done, tmp_path, {chart}, language)
    assert severity_word(Severity.ERROR, language) in done.err
    assert len(done.err.splitlines()) >= 2
    assert {"en": "No dose is computed", "zh": "未为该患者计算剂量"}[language] in done.out
    told = json.loads(sirolens("advise", chart, *at, *more, "--json").out)
    assert (told["outcome"], told["options"], told["preferred"]) == ("not-computed", [], None)
    assert told["reasons"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_chart_asks_for_the_instant_and_then_says_that_nothing_is_known(language: str, tmp_path: Path) -> None:
    chart = tmp_path / "chart.json"
    empty = {"sirolens_chart": 1, "zone": "Asia/Shanghai", "patient": {"id": "P-0", "invented": True}}
    chart.write_text(text(empty), encoding="utf-8")
    done = sirolens("advise", chart, "--language", language)
    assert (done.code, done.out) == (2, "")
    assert "--at" in done.err
    known = sirolens("advise", chart, "--at", "2026-09-20T08:00+08:00", "--language", language)
    _refused(known, tmp_path, {chart}, language)
