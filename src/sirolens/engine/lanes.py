# SPDX-License-Identifier: Apache-2.0
"""Spreads lanes (one patient under one set of parameters each) over threads, without changing a bit of the answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

__all__ = ["over_chunks"]

_CHUNKS_PER_THREAD = 4  # lanes differ in cost; small chunks even that out


def over_chunks(lanes: int, threads: int | None, job: Callable[[int, int], None], *, worth: int = 1) -> None:
    """Run ``job(low, high)`` over all lanes, in threads.

    Parameters
    ----------
    lanes : int
        Number of lanes.
    threads : int, optional
        Most threads to use; all cores when left out.
    job : callable
        Works on lanes low <= i < high and writes only what belongs to them; must release the interpreter.
    worth : int
        How many lanes make a further thread worth its start.

    Examples
    --------
    >>> done = np.zeros(10)
    >>> over_chunks(10, 2, lambda low, high: done[low:high].fill(1.0))
    >>> int(done.sum())
    10
    """
    workers = min((os.cpu_count() or 1) if threads is None else threads, max(1, lanes // worth))
    if workers <= 1:
        job(0, lanes)
        return
    cuts = np.linspace(0, lanes, min(_CHUNKS_PER_THREAD * workers, lanes) + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        for chunk in [pool.submit(job, int(low), int(high)) for low, high in pairwise(cuts)]:
            chunk.result()
