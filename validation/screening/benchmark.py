# SPDX-License-Identifier: Apache-2.0
"""Screen labelled reviews by simulation: the ranking against ASReview 3.0.8 on the same texts, priors and measures.

The texts are not part of the project. Give a folder with one CSV per review (columns title, abstract, label_included)::

    SIROLENS_SCREENING_SETS=FOLDER python -m validation screening
"""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sirolens.evidence.screening.ranking import rank_weighed
from sirolens.evidence.screening.term_weights import TermWeights, weigh

RECALL = 0.95
EARLY_SHARE = 0.10
SEEDS = range(10)


def read(path: Path) -> tuple[dict[str, str], dict[str, bool]]:
    """Return the texts and the true labels of one review."""
    csv.field_size_limit(10**7)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ids = [f"{number:06d}" for number in range(len(rows))]
    texts = {id_: f"{row['title']} {row['abstract']}" for id_, row in zip(ids, rows, strict=True)}
    return texts, {id_: row["label_included"].strip() == "1" for id_, row in zip(ids, rows, strict=True)}


def priors(truth: NDArray[np.int64], seed: int) -> tuple[int, int]:
    """Return the rows of one included and one excluded record, drawn from the seed."""
    stream = np.random.default_rng(seed)
    return int(stream.choice(np.flatnonzero(truth == 1))), int(stream.choice(np.flatnonzero(truth == 0)))


def screened(weighed: TermWeights, truth: dict[str, bool], seed: int) -> dict[str, float]:
    """Screen record by record, the machine trained anew after each, until 95 % are found.

    Returns
    -------
    dict
        ``wss95``: share of the records that need not be read at 95 % recall, less .05; ``recall10``: share of the
        relevant found in the first tenth. Both without the two priors.
    """
    included, excluded = priors(np.array([truth[id_] for id_ in weighed.ids], dtype=np.int64), seed)
    labels = {weighed.ids[included]: True, weighed.ids[excluded]: False}
    relevant, records = sum(truth.values()) - 1, len(truth) - 2
    needed, early = math.ceil(RECALL * relevant), math.floor(EARLY_SHARE * records)
    found: list[int] = []
    total = 0
    while total < needed or len(found) < early:
        first = rank_weighed(weighed, labels, seed=seed).order[0]
        labels[first] = truth[first]
        total += truth[first]
        found.append(total)
    read_until = next(place for place, sum_ in enumerate(found, 1) if sum_ >= needed)
    return {"wss95": (records - read_until) / records - (1 - RECALL), "recall10": found[early - 1] / relevant}


def main(folder: str, seeds: range = SEEDS, out: str = "") -> None:
    """Print mean and spread of every set."""
    for path in sorted(Path(folder).glob("*.csv"), key=lambda path: path.stat().st_size):
        texts, truth = read(path)
        weighed = weigh(texts)
        runs = [screened(weighed, truth, seed) for seed in seeds]
        if out:
            with Path(out).open("a", encoding="utf-8") as file:
                file.writelines(
                    json.dumps({"set": path.stem, "seed": s, **r}) + "\n" for s, r in zip(seeds, runs, strict=True)
                )
        wss, early = (np.array([run[name] for run in runs]) for name in ("wss95", "recall10"))
        print(
            f"| {path.stem} | {len(truth):,} | {sum(truth.values())} | {wss.mean():.3f} | {early.mean():.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], range(*map(int, sys.argv[2].split("-"))), sys.argv[3])
