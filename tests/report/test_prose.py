# SPDX-License-Identifier: Apache-2.0
"""Text on the terminal breaks at spaces and between Chinese characters, and nothing of it is ever left out."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from sirolens.models.card import describe
from sirolens.models.catalog import catalog, load
from sirolens.report.model_card import model_card
from sirolens.report.prose import Prose, lines
from sirolens.report.terminal import show

TEXTS = st.text(alphabet="ab1.5-%，。（）“”体重谷浓度 /\u00a0", max_size=60)


@given(text=TEXTS, width=st.integers(4, 30))
@settings(deadline=None)
def test_no_character_is_lost_and_no_line_is_wider_than_asked(text: str, width: int) -> None:
    broken = lines(text, width)
    assert "".join(broken) == text
    assert all(cell_len(line.rstrip(" ")) <= width for line in broken)


@pytest.mark.parametrize("width", range(6, 20))
def test_punctuation_stays_with_its_character(width: int) -> None:
    broken = lines("胆红素升高（溶血），而非肝病；请复测。", width)
    assert not [line for line in broken if line[0] in "，。；）" or line[-1] == "（"]


def test_styles_survive_the_breaking() -> None:
    text = Prose("体重与胆红素 ")
    text.append("bilirubin", style="bold")
    console = Console(file=io.StringIO(), width=8, color_system=None)
    wrapped = text.wrap(console, 8)
    assert [line.plain.rstrip() for line in wrapped] == ["体重与胆", "红素", "bilirubi", "n"]
    assert [bool(line.spans) for line in wrapped] == [False, False, True, True]


def shown(name: str, language: str, width: int) -> str:
    out = io.StringIO()
    show(model_card(describe(load(name)), version="0"), language, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("name", sorted(catalog()))
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_card_of_a_model_fits_the_terminal_and_leaves_nothing_out(name: str, language: str, width: int) -> None:
    told = shown(name, language, width)
    assert "…" not in told
    assert max(map(cell_len, told.splitlines())) <= width


@pytest.mark.parametrize("name", sorted(catalog()))
def test_notes_stand_under_their_table_in_lines_as_wide_as_the_page(name: str) -> None:
    told = " ".join(shown(name, "en", 80).split())
    model = load(name)
    for theta in model.thetas:
        if theta.note:
            assert f"{theta.name}: {theta.note}" in told
    for covariate in model.covariates:
        if covariate.note:
            assert f"{covariate.name}: {covariate.note}" in told


@pytest.mark.parametrize("name", sorted(catalog()))
def test_a_chinese_card_has_english_only_in_its_citation_and_formulas(name: str) -> None:
    # A sentence left in English has four words in a row; citations and formulas are the only ones meant to.
    model = load(name)
    told = " ".join(shown(name, "zh", 400).split()).replace(model.source.title, "")
    for parameter in model.parameters:
        told = told.replace(parameter.printed, "")
    assert not re.findall(r"(?:[A-Za-z]{2,} ){3,}[A-Za-z]{2,}", told)
