# SPDX-License-Identifier: Apache-2.0
"""docs/cohort.md names every table, every column, every key of study.toml and every variable that is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sirolens.interop.cdisc import READ
from sirolens.interop.cdisc_records import LAB_CODES
from sirolens.interop.cohort_csv import TABLES
from sirolens.interop.cohort_template import columns
from sirolens.interop.cohort_toml import CHARACTERISTIC_KEYS, ETHICS_KEYS, STUDY_KEYS
from sirolens.interop.cohort_words import LEFT_WHY, RESPONSES
from sirolens.response.cohort import CharacteristicKind

PAGE = (Path(__file__).parents[2] / "docs" / "cohort.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))
SHARED = {"recorded", "id", "replaces", "retracted", "note", "stop_recorded", "stop"}


def row_of(name: str) -> str:
    (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", PAGE, flags=re.MULTILINE)
    return str(row)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_names_its_own_columns(table: str) -> None:
    row = row_of(table)
    own = {one.name for one in columns(table)} - (SHARED if table not in ("controls",) else set())
    assert own <= set(re.findall(r"`([a-z_0-9]+)`", row))
    required = {one.name for one in columns(table) if one.required}
    assert required <= set(re.findall(r"`([a-z_0-9]+)`", row.partition(";")[0]))


def test_what_tables_share_is_named() -> None:
    assert SHARED - {"stop"} <= NAMED


def test_every_key_of_the_study_is_named() -> None:
    for key in STUDY_KEYS:
        row_of(key)
    assert {*ETHICS_KEYS, *CHARACTERISTIC_KEYS, *(str(kind) for kind in CharacteristicKind)} <= NAMED


def test_every_word_is_named() -> None:
    assert {*LEFT_WHY.values(), *RESPONSES.values()} <= NAMED


@pytest.mark.parametrize("domain", READ)
def test_every_variable_that_is_read_is_named(domain: str) -> None:
    assert set(READ[domain]) <= set(re.findall(r"`([A-Z]+)`", row_of(domain)))


def test_every_laboratory_code_is_named() -> None:
    assert {*LAB_CODES, "PLAT"} <= NAMED
