# SPDX-License-Identifier: Apache-2.0
"""Count what deduplication finds and what it takes; README.md keeps the figures. Run as ``python -m validation dedup``.

The published sets are not kept here: name the folder they lie in (README.md says where they are published) in the
environment variable ``DEDUP_SETS``; without it only the invented records are looked at.
"""

from __future__ import annotations

import os
from pathlib import Path

from validation.dedup import marked_sets, published_sets, speed

__all__ = ["main"]


def main() -> None:
    """Print the counts."""
    if folder := os.environ.get("DEDUP_SETS"):
        for path in published_sets.sets_in(Path(folder)):
            published_sets.report(path, explain=False)
        for path in sorted(Path(folder).glob("*.xml")):
            marked_sets.report(path.name, marked_sets.endnote(path), explain=False)
    speed.report(80_000, explain=False)


if __name__ == "__main__":
    main()
