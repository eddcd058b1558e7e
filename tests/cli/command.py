# SPDX-License-Identifier: Apache-2.0
"""Runs the command as a user does, through its one entry point, without paying for a new process each time."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from sirolens.cli.main import main

ROOT = Path(__file__).parent.parent.parent
CHARTS = ROOT / "examples" / "charts"
TABLES = ROOT / "examples" / "tables"
OWN_MODEL = ROOT / "tests" / "models" / "files" / "own_equations.toml"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


def sirolens(*arguments: str | Path) -> Done:
    """Run ``sirolens ARGUMENTS``; an exception that is no clean end fails the test."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["sirolens", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    else:
        code = 0
    finally:
        sys.argv = before
    return Done(code, out.getvalue(), err.getvalue())
