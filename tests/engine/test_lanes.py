# SPDX-License-Identifier: Apache-2.0
"""Lanes spread over threads: each is worked on once, whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.lanes import over_chunks


@settings(deadline=None)
@given(st.integers(0, 200), st.one_of(st.none(), st.integers(1, 9)), st.integers(1, 50))
def test_every_lane_is_worked_on_exactly_once(lanes: int, threads: int | None, worth: int) -> None:
    visits = np.zeros(lanes, int)

    def job(low: int, high: int) -> None:
        visits[low:high] += 1

    over_chunks(lanes, threads, job, worth=worth)
    assert (visits == 1).all()


def test_a_fault_in_a_thread_is_not_lost() -> None:
    def job(low: int, high: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        over_chunks(100, 4, job)
