# SPDX-License-Identifier: Apache-2.0
"""Every message has its words in both languages, with the same values, and the compiled catalogues are up to date."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache

from tests import catalogues

DOUBLED_UNIT = re.compile(
    r"\{[a-z0-9_]*(_mg|_ng_ml|_percent|probability|_10e9_l|_kg|_h|_days|_years)\} ?"
    r"(mg\b|ng/mL|%|×10|kg\b|h\b|days?\b|years?\b|天|岁)"
)
FILES = catalogues.code_files()
CHINESE = re.compile(r"[\u4e00-\u9fff]")
UNSAFE_DOSE = re.compile(r"(?<![\d.])\.\d+ ?mg|\d\.0+ ?mg\b|µg\b|μg\b|\bQD\b|\bQOD\b|\bu?gs\b")


def test_every_code_in_the_program_has_words_in_both_languages() -> None:
    missing = [
        f"{use.where}: {use.code} has no words in {folder}"
        for use in catalogues.asked().uses
        for folder in catalogues.FOLDERS
        if use.code not in _texts(folder)
    ]
    assert not missing, "\n".join(missing)


def test_no_words_are_kept_that_no_code_asks_for() -> None:
    asked = catalogues.asked()
    unused = [
        f"{folder}: {code}"
        for folder in catalogues.FOLDERS
        for code in _texts(folder)
        if code.partition(".")[0] not in catalogues.OPEN_VOCABULARY
        and code.removesuffix("-one") not in asked.literals
        and not any(pattern.fullmatch(code) for pattern in asked.patterns)
    ]
    assert not unused, "\n".join(unused)


def test_both_languages_have_the_same_codes_with_the_same_values() -> None:
    english, chinese = (_texts(folder) for folder in catalogues.FOLDERS)
    assert english.keys() == chinese.keys()
    differ = [
        f"{code}: en {sorted(catalogues.placeholders(text))}, zh {sorted(catalogues.placeholders(chinese[code]))}"
        for code, text in english.items()
        if catalogues.placeholders(text) != catalogues.placeholders(chinese[code])
    ]
    assert not differ, "\n".join(differ)


def test_every_value_a_text_names_is_given_where_the_code_is_used() -> None:
    faults = [
        f"{use.where}: {use.code} in {folder} names {sorted(asked - use.values)}, which is not given"
        for use in catalogues.asked().uses
        if use.values is not None
        for folder in catalogues.FOLDERS
        for asked in [catalogues.placeholders(_texts(folder).get(use.code, ""))]
        if not asked <= use.values
    ]
    assert not faults, "\n".join(faults)


def test_a_compiled_catalogue_says_what_its_po_says() -> None:
    assert catalogues.po_files()
    old = [str(path) for path in catalogues.po_files() if catalogues.compiled(path) != catalogues.texts(path)]
    assert not old, "run `make words` and commit the .mo"


def test_codes_belong_to_their_file_and_are_well_formed() -> None:
    wrong = [
        f"{path}: {code}"
        for path in FILES
        for code in catalogues.texts(path)
        if not code.startswith(f"{path.stem}.") or (path.stem != "terms" and not catalogues.CODE.fullmatch(code))
    ]
    assert not wrong


def test_chinese_texts_are_chinese() -> None:
    # A sentence left in English has several words and no Chinese character; symbols and names may stay.
    left = [
        code
        for code, text in _texts("zh_Hans").items()
        if len(re.findall(r"[A-Za-z]{3,}", _said(text))) > 3 and not CHINESE.search(text)
    ]
    assert not left


def test_no_text_writes_a_dose_the_unsafe_way() -> None:
    # Oracle: the ISMP list of error-prone abbreviations: no trailing zero, no naked point, mcg, daily.
    unsafe = [f"{code}: {text}" for code, text in _all_texts() if UNSAFE_DOSE.search(text)]
    assert not unsafe, "\n".join(unsafe)


def test_no_text_repeats_the_unit_that_the_formatter_adds() -> None:
    found = [f"{code}: {text}" for code, text in _all_texts() if DOUBLED_UNIT.search(text)]
    assert not found, "\n".join(found)


def test_every_interacting_drug_has_a_chinese_name() -> None:
    table = tomllib.loads((catalogues.SOURCE / "dosing" / "data" / "interactions.toml").read_text(encoding="utf-8"))
    names = {entry["name"] for entry in table["drug"]}
    assert names
    assert not [name for name in names if not CHINESE.search(_texts("zh_Hans").get(f"terms.{name}", ""))]


@cache
def _texts(folder: str) -> dict[str, str]:
    return {
        code: text
        for path in FILES
        if path.parent.parent.name == folder
        for code, text in catalogues.texts(path).items()
    }


def _all_texts() -> Iterator[tuple[str, str]]:
    for folder in catalogues.FOLDERS:
        yield from _texts(folder).items()


def _said(text: str) -> str:
    return re.sub(r"\{[^}]*\}", "", text)
