# SPDX-License-Identifier: Apache-2.0
"""Sirolimus is known by its names, and its look-alikes are told apart (hazard H12)."""

from __future__ import annotations

import pytest

from sirolens.models.drug import SIROLIMUS, assay_class, is_named, looks_like


@pytest.mark.parametrize(
    "name", ["sirolimus", " Sirolimus ", "Rapamycin", "西罗莫司", "雷帕霉素", "ＳＩＲＯＬＩＭＵＳ"]
)
def test_names_of_sirolimus(name: str) -> None:
    assert is_named(SIROLIMUS, name)
    assert looks_like(SIROLIMUS, name) is None


LOOK_ALIKES = (
    ("他克莫司", "tacrolimus"),
    ("Everolimus", "everolimus"),
    ("依维莫司", "everolimus"),
    ("temsirolimus", "temsirolimus"),
)


@pytest.mark.parametrize(("name", "drug"), LOOK_ALIKES)
def test_look_alikes_are_named(name: str, drug: str) -> None:
    assert looks_like(SIROLIMUS, name) == drug
    assert not is_named(SIROLIMUS, name)


def test_assays_have_a_class() -> None:
    assert assay_class(SIROLIMUS, "LC-MS/MS") == "chromatography"
    assert assay_class(SIROLIMUS, "emit") == "immunoassay"
    assert assay_class(SIROLIMUS, None) is None


def test_constants_have_a_source() -> None:
    for constant in (SIROLIMUS.half_life_adult_h, SIROLIMUS.half_life_child_h, SIROLIMUS.tmax_h):
        assert constant.source.pmid
        assert constant.value.low <= constant.value.typical <= constant.value.high
