# SPDX-License-Identifier: Apache-2.0
"""Every name means one drug, look-alikes are never sirolimus, and the interaction table is understood."""

from __future__ import annotations

import re

from sirolens.dosing.interactions import known_drugs
from sirolens.interop.drug_names import DRUGS, LOOK_ALIKES, SIROLIMUS, drug_name
from tests.catalogues import LOCALE, texts

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_spelling_means_one_drug() -> None:
    spellings = [spelling for name, others in DRUGS.items() for spelling in (name, *others)]
    assert len(spellings) == len(set(spellings))
    assert all(drug_name(spelling.upper()) == name for name, others in DRUGS.items() for spelling in (name, *others))


def test_sirolimus_is_rapamycin_and_no_look_alike() -> None:
    for name in ("sirolimus", "Sirolimus", "西罗莫司", "雷帕霉素", "RAPAMYCIN", "Rapamune"):
        assert drug_name(name) == SIROLIMUS
    for name in ("tacrolimus", "他克莫司", "FK506", "everolimus", "依维莫司", "temsirolimus", "替西罗莫司"):
        assert drug_name(name) in LOOK_ALIKES


def test_every_drug_of_the_interaction_table_is_understood() -> None:
    missing = [name for name in known_drugs() if drug_name(name) is None]
    assert not missing


def test_the_chinese_names_on_paper_are_read_back() -> None:
    """Oracle: the catalogue of words that reports are written with."""
    words = texts(LOCALE / "zh_Hans" / "LC_MESSAGES" / "terms.po")
    wrong = {
        code: word
        for code, word in words.items()
        if (name := code.removeprefix("terms.")) in DRUGS
        and CHINESE.search(word)
        and drug_name(word) not in (name, None)
    }
    assert not wrong
    assert drug_name(words["terms.clarithromycin"]) == "clarithromycin"
