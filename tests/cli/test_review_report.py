# SPDX-License-Identifier: Apache-2.0
"""`sirolens review pool`, `flow`, `report`: files of every kind, wrong requests named, nothing half written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sirolens.evidence.prisma.flow import prisma_flow
from sirolens.evidence.prisma.table import to_table
from tests.cli.command import sirolens

SHIPPED = Path(__file__).parents[2] / "examples" / "review-sirolimus-itp"
EMPTY = to_table(prisma_flow([], []))


def test_one_question_is_pooled_as_values(tmp_path: Path) -> None:
    asked = ("--outcome", "OR", "--time", "3m", "--population", "primary-itp")
    done = sirolens("review", "pool", "--review", SHIPPED, *asked, "--json")
    assert done.code == 0, done.err
    (only,) = json.loads(done.out)["answers"]
    assert (round(only["pooled"][0]["low"], 2), round(only["pooled"][0]["high"], 2)) == (0.38, 0.94)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_is_one_page_with_its_figures(language: str, tmp_path: Path) -> None:
    page = tmp_path / "review.html"
    done = sirolens("review", "report", "--review", SHIPPED, "-o", page, "--on", "2026-01-02", "--language", language)
    assert done.code == 0, done.err
    text = page.read_text(encoding="utf-8")
    assert text.count("<figure") >= 8
    assert {"en": "Certainty of the evidence", "zh": "证据确定性"}[language] in text


def test_a_table_of_a_flow_is_checked_and_drawn(tmp_path: Path) -> None:
    table, drawing = tmp_path / "flow.csv", tmp_path / "flow.svg"
    table.write_text(EMPTY, encoding="utf-8")
    done = sirolens("review", "flow", "--read", table, "-o", drawing, "-o", tmp_path / "again.csv", "--language", "zh")
    assert done.code == 0, done.err
    assert "@font-face" in drawing.read_text(encoding="utf-8")
    assert (tmp_path / "again.csv").read_text(encoding="utf-8-sig") == EMPTY


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("pool", "--outcome", "XX"), "nothing was extracted for XX"),
        (("flow",), "No record was imported"),
        (("flow", "-o", "flow.png"), "'.png'"),
        (("flow", "--read", "nowhere.csv"), "nowhere.csv"),
        (("report", "-o", "review.txt"), "'.txt'"),
        (("report", "--on", "yesterday"), "yesterday"),
        (("report", "--number", "3"), "no version 3"),
    ],
)
def test_what_cannot_be_told_is_named(wrong: tuple[str, ...], told: str) -> None:
    done = sirolens("review", wrong[0], "--review", SHIPPED, *wrong[1:])
    assert done.code == 2
    assert told in done.err


def test_a_table_that_does_not_add_up_is_refused_and_nothing_is_drawn(tmp_path: Path) -> None:
    table = tmp_path / "flow.csv"
    table.write_text(EMPTY.replace("database_results.html,0", "database_results.html,7"), encoding="utf-8")
    done = sirolens("review", "flow", "--read", table, "-o", tmp_path / "flow.svg")
    assert done.code == 2
    assert "databases: screened" in done.err
    assert not (tmp_path / "flow.svg").exists()


def test_groups_and_a_regression_come_with_the_pools(tmp_path: Path) -> None:
    asked = ("--outcome", "OR", "--population", "secondary-itp", "--by", "design", "--over", "year")
    page = tmp_path / "pools.pdf"
    done = sirolens("review", "pool", "--review", SHIPPED, *asked, "-o", page, "--language", "zh")
    assert done.code == 0, done.err
    assert page.read_bytes()[:5] == b"%PDF-"
    done = sirolens("review", "pool", "--review", SHIPPED, *asked, "--json")
    assert [one["key"] for one in json.loads(done.out)["differences"]] == ["design", "year"]
    done = sirolens("review", "pool", "--review", SHIPPED, "--by", "colour")
    assert done.code == 2
    assert "colour" in done.err
