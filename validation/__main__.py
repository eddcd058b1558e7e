# SPDX-License-Identifier: Apache-2.0
"""Run every validation topic that has a module of its name with ``main()``; name topics to run only those."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def main() -> None:
    wanted = sys.argv[1:]
    for topic in sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.ispkg):
        if not wanted or topic in wanted:
            print(f"# {topic}", flush=True)
            importlib.import_module(f"validation.{topic}.{topic}").main()


if __name__ == "__main__":
    main()
