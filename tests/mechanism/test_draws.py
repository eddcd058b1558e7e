# SPDX-License-Identifier: Apache-2.0
"""Numbers that belong to a patient: independent of company, order and length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.engine.sampling import stream, uniform
from sirolens.mechanism.draws import ROW, patient_normals, patient_rows, patient_uniforms


@settings(deadline=None, max_examples=30)
@given(index=st.lists(st.integers(0, 50_000), min_size=1, max_size=20), seed=st.integers(0, 2**31))
def test_a_patient_draws_the_same_alone_and_in_any_company(index: list[int], seed: int) -> None:
    together = patient_uniforms(seed, "x", index=index)
    alone = np.array([patient_uniforms(seed, "x", index=[i])[0] for i in index])
    assert (together == alone).all()


@settings(deadline=None, max_examples=20)
@given(index=st.lists(st.integers(0, 5_000), min_size=1, max_size=5), count=st.integers(1, 3 * ROW))
def test_a_longer_row_begins_with_the_same_numbers(index: list[int], count: int) -> None:
    long = patient_rows(1, "x", index=index, count=3 * ROW + 1)
    assert (patient_rows(1, "x", index=index, count=count) == long[:, :count]).all()


def test_the_first_patients_read_the_stream_in_its_own_order() -> None:
    """Oracle: the named stream itself."""
    assert (patient_uniforms(3, "a", 1, index=range(100)) == uniform(stream(3, "a", 1), (100,))).all()


def test_normals_and_uniforms_have_the_moments_of_their_laws() -> None:
    four_standard_errors = 4.0 / np.sqrt(100_000)
    z, u = (draw(5, "moments", index=range(100_000)) for draw in (patient_normals, patient_uniforms))
    assert abs(z.mean()) < four_standard_errors
    assert abs(z.std() - 1.0) < four_standard_errors
    assert abs(u.mean() - 0.5) < four_standard_errors


def test_patients_and_names_are_independent() -> None:
    first, second = (patient_normals(5, name, index=range(50_000)) for name in "ab")
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.0 / np.sqrt(50_000)
    rows = patient_rows(5, "c", index=range(20_000), count=2)
    assert abs(np.corrcoef(rows.T)[0, 1]) < 4.0 / np.sqrt(20_000)


@pytest.mark.parametrize("index", [[-1], [[0]]])
def test_numbers_of_patients_start_at_zero(index: list[int]) -> None:
    with pytest.raises(ValueError, match="numbered from 0"):
        patient_uniforms(1, "x", index=index)
