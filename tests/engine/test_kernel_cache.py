# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels are kept in a folder of the user's own, named by the content of every kernel file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sirolens

PACKAGE = Path(sirolens.__file__).parent
SHOW = "import sirolens.engine, os; print(os.environ['NUMBA_CACHE_DIR'])"


def folder(source: Path, **environment: str) -> Path:
    """What a fresh process settles on, with the package at `source` and nothing set beforehand."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        env=clean | {"PYTHONPATH": str(source)} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's engine alone, in a folder that can be edited."""
    target = tmp_path / "source" / "sirolens"
    target.mkdir(parents=True)
    shutil.copy(PACKAGE / "__init__.py", target)
    shutil.copytree(PACKAGE / "engine", target / "engine", ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    return target.parent


def test_an_edited_kernel_file_moves_the_cache(copy: Path, tmp_path: Path) -> None:
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "LOCALAPPDATA": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    before = folder(copy, **home)
    assert before == folder(copy, **home)
    edited = copy / "sirolens" / "engine" / "linear_modes.py"
    edited.write_text(edited.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    after = folder(copy, **home)
    assert before.parent == after.parent
    assert before != after


def test_the_cache_is_the_users_own_and_closed_to_others(copy: Path, tmp_path: Path) -> None:
    settled = folder(copy, XDG_CACHE_HOME=str(tmp_path / "cache"), HOME=str(tmp_path))
    assert settled.is_relative_to(tmp_path)
    assert os.access(settled, os.W_OK)
    if hasattr(os, "getuid"):
        assert settled.stat().st_uid == os.getuid()
        assert settled.stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_written_is_no_obstacle(copy: Path, tmp_path: Path) -> None:
    """A file where the cache folder should be stands for any folder that cannot be made (also for root)."""
    wall = tmp_path / "wall"
    wall.write_text("", encoding="utf-8")
    settled = folder(copy, XDG_CACHE_HOME=str(wall), HOME=str(wall), TMPDIR=str(tmp_path))
    assert os.access(settled, os.W_OK)
    assert not settled.is_relative_to(wall)


def test_a_folder_that_is_already_set_is_left_alone(copy: Path, tmp_path: Path) -> None:
    assert folder(copy, NUMBA_CACHE_DIR=str(tmp_path)) == tmp_path
