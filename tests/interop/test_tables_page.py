# SPDX-License-Identifier: Apache-2.0
"""docs/tables.md names every column that is read or written, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sirolens.interop.nonmem import KNOWN, MOST_FAULTS, read_table
from sirolens.models.catalog import load
from sirolens.models.individuals import Individuals
from sirolens.models.table_prediction import prepare
from sirolens.models.table_simulation import simulate_table

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
NAMED = {word for span in re.findall(r"`([^`\n]+)`", PAGE) for word in re.findall(r"[A-Z][A-Z0-9_]*", span)}
EXAMPLES = sorted((ROOT / "examples" / "tables").glob("*.csv"))


def test_every_column_that_is_read_is_documented() -> None:
    first_cells = re.findall(r"^\| (`[A-Z`, ]+`) \|", PAGE, flags=re.MULTILINE)
    assert {name for cell in first_cells for name in re.findall(r"[A-Z]+", cell)} >= KNOWN


def test_the_table_on_the_page_is_read_without_a_flag(tmp_path: Path) -> None:
    (block,) = re.findall(r"```csv\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "page.csv").write_text(block, encoding="utf-8")
    model = load("cheng_2020")
    table, flags = read_table(tmp_path / "page.csv", [one.name for one in model.covariates])
    assert (table.ids, flags) == (("C1", "C2"), ())
    assert prepare(model, table).messages == ()


def test_the_python_on_the_page_runs_and_gives_the_documented_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(block, "docs/tables.md", "exec"), names)
    found = names["found"]
    assert isinstance(found, Individuals)
    predictions, patients = set(found.predictions().columns), set(found.patients().columns)
    assert predictions <= NAMED
    own = {name for name in patients if not name.startswith(("ETA_", "COV_")) and not name.islower()}
    assert own <= NAMED
    simulated = {name.rpartition("_P")[0] or name for name in simulate_table(found.prepared, draws=2, seed=1).columns}
    assert {name for name in simulated if name.isupper()} <= {*NAMED, "IPRED", "DV"}


def test_what_the_page_says_of_faults_is_so() -> None:
    assert f"Up to {MOST_FAULTS} faults are listed" in PAGE


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_table_says_that_it_is_invented_and_is_listed(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# Invented")
    assert f"`{path.name}`" in (path.parent / "README.md").read_text(encoding="utf-8")
    assert path.name in PAGE
