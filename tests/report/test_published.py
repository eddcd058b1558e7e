# SPDX-License-Identifier: Apache-2.0
"""Every free text of a shipped data file is said in Chinese, with the numbers it has in English."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests import catalogues

from sirolens.mechanism.assumptions import register_text
from sirolens.models.catalog import catalog, load
from sirolens.report.words import cite, mark_word, say_value, written
from sirolens.source import Mark, Source

CATALOG = catalogues.SOURCE / "models" / "catalog"
DATA = catalogues.SOURCE / "dosing" / "data"
RESPONSE = catalogues.SOURCE / "response" / "data"
APPRAISAL = catalogues.SOURCE / "evidence" / "data" / "appraisal"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
MARKED = re.compile(rf"(?:{'|'.join(mark.value.upper() for mark in Mark)}): ")
FREE = frozenset({"description", "dosing", "note", "place", "population", "reason", "sampling", "why"})
JOURNAL = re.compile(r"[\w ]+ \d{4}((;\d+)+(:\w+)?|, PMC\d+)?")  # "Blood 1985;66:1105", "JCI 2016, PMC5096901"
PUBLICATIONS = (
    "Cochrane Handbook",
    "GRADE guidelines",
    "robvis:",
    "ROBINS-I: a tool",
)  # beginnings of titles that stay as published
ABBREVIATIONS = ("Treg", "cTfh", "CXCL9, CXCL10")
FILE_NAME = re.compile(r"\S+/\S+")
IDENTIFIER = re.compile(r"NCT\d{8}|Blood \d{4};.*|data-raw/.*")
WORDY_UNIT = re.compile(r"years|\S+/day")
AUTHOR_YEAR = re.compile(r"[A-Z][a-z]+( [A-Z])? \d{4}(, [A-Z][a-z]+ \d{4})?")
# Titles of publications, which stay as published; every other title of a source is our own description of it.
TITLES = frozenset({"twenty-patients-2024", "cheng2020"})
TITLES_IN_CODE = frozenset(
    {
        "ASReview 3.0.8, configuration elas_u4",
        "Long-term evaluation of analytical methods used in sirolimus therapeutic drug monitoring",
        "Sirolimus in ITP",
        "Statistical stopping criteria for automated screening in systematic reviews",
        "",
    }
)


def entries() -> Mapping[str, str]:
    return catalogues.texts(catalogues.LOCALE / "zh_Hans" / "LC_MESSAGES" / f"{catalogues.PUBLISHED}.po")


def strings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a TOML file with the keys that lead to it; rows of a list carry no key."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from strings(inner, (*path, key))
        case list():
            for inner in value:
                yield from strings(inner, path)
        case str():
            yield path, value


def is_free(file: Path, path: tuple[str, ...]) -> bool:
    key = path[-1]
    if file.parent == CATALOG:
        word = key == "population" and path[0] == "cohort"  # a word of the program's own vocabulary
        return (key in FREE and not word) or path[:2] == ("dosing_tables", "title")
    return (key in FREE and key != "population") or (key == "title" and path[0] not in TITLES)


def of_data_files() -> Iterator[str]:
    for file in sorted((*CATALOG.glob("*.toml"), *DATA.glob("*.toml"))):
        for path, text in strings(tomllib.loads(file.read_text(encoding="utf-8"))):
            wordy = path[-1] == "unit" and path[0] in ("covariates", "dosing_tables") and WORDY_UNIT.fullmatch(text)
            if is_free(file, path) or wordy or (path[-1] == "label" and not AUTHOR_YEAR.fullmatch(text)):
                yield text


def of_response() -> Iterator[str]:
    """What criteria sets and bleeding scales say of themselves; titles of their sources stay as published."""
    for file in sorted(RESPONSE.rglob("*.toml")):
        for path, text in strings(tomllib.loads(file.read_text(encoding="utf-8"))):
            said = path[-1] in ("note", "notes") or (path[-1] == "title" and "source" not in path)
            if said or (path[-1] == "place" and not IDENTIFIER.fullmatch(text)):
                yield text


def of_mechanism() -> Iterator[str]:
    """What the mechanism model assumes: every meaning and reason, and our own description of each source."""
    for path, text in strings(tomllib.loads(register_text())):
        if path[-1] in ("meaning", "reason", "title") or (path[-1] == "place" and not JOURNAL.fullmatch(text)):
            yield text


def of_evidence() -> Iterator[str]:
    """What appraisal rests on: the places in its sources, and our own description of some of them."""
    for file in sorted(APPRAISAL.glob("*.toml")):
        for source in tomllib.loads(file.read_text(encoding="utf-8")).values():
            if isinstance(source, dict) and "title" in source:
                if not source["title"].startswith(PUBLICATIONS):
                    yield source["title"]
                if not FILE_NAME.fullmatch(source.get("place", "a/b")):
                    yield source["place"]


def of_review() -> Iterator[str]:
    """What the forms of the shipped review call arms, parts of cohorts, cells and times; abbreviations stay."""
    for file in sorted((catalogues.SOURCE.parents[1] / "examples" / "review-sirolimus-itp" / "studies").glob("*.toml")):
        form = tomllib.loads(file.read_text(encoding="utf-8"))
        yield from (arm["name"] for arm in form.get("arm", []))
        yield from (row["subgroup"] for row in form.get("outcome", []) if row.get("subgroup", "ALPS") != "ALPS")
        yield from (cell["when"] for cell in form.get("cell", []))
        yield from (cell["cell"] for cell in form.get("cell", []) if cell["cell"] not in ABBREVIATIONS)


@cache
def needed() -> frozenset[str]:
    """The texts of all data files, and of the sources that stand in the code."""
    in_files = (*of_data_files(), *of_response(), *of_mechanism(), *of_evidence(), *of_review())
    return frozenset(MARKED.sub("", text) for text in (*in_files, *catalogues.asked().sources)) - TITLES_IN_CODE


def test_every_free_text_of_a_shipped_file_has_its_chinese() -> None:
    missing = sorted(needed() - entries().keys())
    assert not missing, "\n".join(missing)


def test_no_chinese_is_kept_for_a_text_that_stands_in_no_file() -> None:
    unused = sorted(entries().keys() - needed())
    assert not unused, "\n".join(unused)


def test_the_chinese_has_the_numbers_of_the_english_and_is_chinese() -> None:
    told = entries().items()
    assert told
    assert not [text for text, chinese in told if sorted(NUMBER.findall(chinese)) != sorted(NUMBER.findall(text))]
    assert not [text for text, chinese in told if not CHINESE.search(chinese)]


@pytest.mark.parametrize("unit", ["ng/mL", "umol/L", "mmol/L", "L/h", "mg/m2", "U/L", "kg", "CL/F", "V/F", "AUC"])
def test_units_and_symbols_stay_as_they_are(unit: str) -> None:
    different = [text for text, chinese in entries().items() if text.count(unit) > chinese.count(unit)]
    assert not different


def test_a_mark_before_a_text_becomes_the_marks_word() -> None:
    for language in ("en", "zh"):
        for mark in Mark:
            said = written(f"{mark.value.upper()}: a model of adults", language)
            assert mark_word(mark, language) in said
            assert mark.value.upper() not in said


def test_a_users_own_text_is_shown_unchanged() -> None:
    assert say_value("written", "my own note, 3.5 mg", "zh") == "my own note, 3.5 mg"
    assert say_value("note", "abstract", "zh") == "abstract"  # what somebody typed is no text of a data file
    own = Source(title="My thesis", mark=Mark.SEEN, year=2020, place="chapter 3")
    assert cite(own, "zh") == own.cite()


@pytest.mark.parametrize("name", sorted(catalog()))
def test_a_citation_keeps_the_published_title_and_translates_the_place(name: str) -> None:
    source = load(name).source
    told = cite(source, "zh")
    assert source.title in told
    assert source.doi is not None
    assert source.doi in told
    assert CHINESE.search(told)
    assert cite(source, "en") == source.cite()
