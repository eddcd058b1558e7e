# SPDX-License-Identifier: Apache-2.0
"""The stop rule on simulated reviews, and the ranking on labelled ones where their texts are at hand."""

from __future__ import annotations

import os

from validation.screening import benchmark, stop_rule

SETS = "SIROLENS_SCREENING_SETS"


def main() -> None:
    """Print both tables of the README."""
    stop_rule.main()
    folder = os.environ.get(SETS)
    if folder:
        benchmark.main(folder)
    else:
        print(f"the ranking is not run: {SETS} names no folder of labelled reviews (the texts are not ours to ship)")


if __name__ == "__main__":
    main()
