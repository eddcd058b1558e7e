# SPDX-License-Identifier: Apache-2.0
"""Kernels are compiled once per machine; a later process calls them without waking the compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sirolens.engine.kernel_files import KNOWN

KERNELS = """
import numpy as np
from sirolens.engine.kernel import kernel

@kernel
def half(x):
    return 0.5 * x

@kernel
def halves(x):
    return half(x.sum()) + half(np.ones(2)[1])

@kernel
def quarter(x):
    return half(half(x))
"""
TELL = "print(halves(np.arange(4.0)), sum(halves.stats.cache_hits.values()), 'scipy.linalg' in sys.modules)"


@pytest.fixture
def told(tmp_path: Path):
    """What a fresh process prints that can import the kernels above, all processes with the same files of numba."""
    (tmp_path / "invented_kernels.py").write_text(KERNELS, encoding="utf-8")
    surroundings = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}

    def tell(script: str, **more: str) -> list[str]:
        code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom invented_kernels import *\n{script}"
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env=surroundings | more, capture_output=True, text=True, check=True
        ).stdout.split()

    return tell


def test_the_installed_numba_is_of_the_series_whose_files_are_known() -> None:
    """Under another series kernels still work, but every start is slow: read `kernel_files` against it, then extend."""
    assert KNOWN


def test_a_kept_kernel_gives_the_same_without_the_compiler(told) -> None:
    assert told(TELL) == ["3.5", "0", "True"]  # compiling imports SciPy's linear algebra
    assert told(TELL) == ["3.5", "1", "False"]


def test_a_kept_kernel_can_still_be_compiled_into_another(told) -> None:
    """Oracle: arithmetic. The intermediate code of `half` is read when `quarter` needs it; then it is kept too."""
    told("half(1.0)")
    both = "print(half(8.0), sum(half.stats.cache_hits.values()), quarter(8.0), sum(quarter.stats.cache_hits.values()))"
    assert told(both) == ["4.0", "1", "2.0", "0"]
    assert told(both) == ["4.0", "1", "2.0", "1"]


def test_without_compilation_a_kernel_is_the_function_itself(told) -> None:
    assert told("print(halves(np.arange(4.0)), hasattr(halves, 'py_func'))", NUMBA_DISABLE_JIT="1") == ["3.5", "False"]
