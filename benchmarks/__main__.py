# SPDX-License-Identifier: Apache-2.0
"""Run every benchmark of this folder and print its figures."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def main() -> None:
    wanted = sys.argv[1:]
    for module in sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name != "__main__"):
        if wanted and module not in wanted:
            continue
        print(f"# {module}", flush=True)
        for figure in importlib.import_module(f"benchmarks.{module}").run():
            aim = "" if figure.aim is None else f"   aim {figure.aim:g}: {figure.value / figure.aim:.2f} of it"
            print(f"{figure.name:72} {figure.value:12.4g} {figure.unit}{aim}", flush=True)


if __name__ == "__main__":
    main()
