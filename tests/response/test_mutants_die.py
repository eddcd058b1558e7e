# SPDX-License-Identifier: Apache-2.0
"""A changed rule is noticed: a few mutants of the kernel drawn by chance (all of them: validation/mutation)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MUTANTS = 40
FEWEST_KILLED = 38
"""95 % of them."""


def test_charts_notice_a_changed_rule() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "validation.mutation.mutation", str(MUTANTS)],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    killed = re.search(r"\*\*([\d,]+) of ([\d,]+) mutants", done.stdout)
    assert killed is not None, done.stdout
    assert int(killed[2]) == MUTANTS
    assert int(killed[1]) >= FEWEST_KILLED, done.stdout
