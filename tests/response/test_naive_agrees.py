# SPDX-License-Identifier: Apache-2.0
"""The kernel beside the naive interpreter of the same rules (oracle: tests/response/naive.py, made from the page)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirolens.response.classify import classify
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import STATES, Classified, OffTreatment, Reason
from tests.response.agreement import differences
from tests.response.drawn_visits import Drawn, drawn_criteria, drawn_patient, seeded, visits_from

SETS, PATIENTS = 100, 30
"""3,000 charts under 75 drawn sets of criteria and 25 times the default one."""


@pytest.mark.parametrize("tenth", range(10))
def test_kernel_agrees_with_the_naive_interpreter_on_seeded_charts(tenth: int) -> None:
    for seed in range(tenth * SETS // 10, (tenth + 1) * SETS // 10):
        assert differences(*seeded(seed, PATIENTS)) == []


@st.composite
def drawn(draw: st.DrawFn) -> tuple[Drawn, CriteriaSet]:
    """A patient under a drawn set of criteria."""

    def pick(values: Sequence[Any]) -> Any:
        return draw(st.sampled_from(values))

    criteria = drawn_criteria(pick, changed=6)
    return drawn_patient(pick, criteria), criteria


@given(drawn())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_kernel_agrees_with_the_naive_interpreter_on_drawn_charts(chart: tuple[Drawn, CriteriaSet]) -> None:
    patient, criteria = chart
    assert differences(visits_from([patient]), criteria) == []


def test_the_seeded_charts_reach_every_state_and_reason() -> None:
    seen: Counter[object] = Counter()
    for seed in range(SETS):
        classified = classify(*seeded(seed, PATIENTS))
        seen.update(STATES[code] for code in classified.state)
        seen.update(STATES[code] for code in classified.landmark_state.ravel())
        for name in ("reason", *(name for name in Classified.__dataclass_fields__ if name.endswith("_reason"))):
            seen.update(Reason(code) for code in getattr(classified, name).ravel())
        seen.update(OffTreatment(code) for code in classified.off_treatment)
    assert {*STATES, *Reason, *OffTreatment} - set(seen) == set()


def test_nobody_changes_because_of_who_stands_beside() -> None:
    visits, criteria = seeded(7, PATIENTS)
    together = classify(visits, criteria)
    for patient in range(PATIENTS):
        rows = slice(*visits.start[patient : patient + 2])
        events = slice(*visits.event_start[patient : patient + 2])
        alone = visits_from(
            [
                Drawn(
                    baseline=visits.baseline_10e9_l[patient],
                    baseline_state=visits.baseline_state[patient],
                    known=visits.known_day[patient],
                    rows=list(zip(visits.day[rows], visits.count_10e9_l[rows], visits.bleeding[rows], strict=True)),
                    events=list(
                        zip(
                            visits.event_day[events],
                            visits.event_last_day[events],
                            visits.event_kind[events],
                            visits.event_cover[events],
                            visits.event_mg_d[events],
                            strict=True,
                        )
                    ),
                )
            ]
        )
        by_itself = classify(alone, criteria)
        for name in set(Classified.__dataclass_fields__) - {"landmark_row"}:
            np.testing.assert_array_equal(getattr(by_itself, name)[0], getattr(together, name)[patient], err_msg=name)


def test_threads_do_not_change_a_single_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sirolens.response.classify.WORTH", 1)  # so that few patients are worth many chunks
    visits, criteria = seeded(11, 300)
    one, two = (classify(visits, criteria, threads=threads) for threads in (1, 2))
    for name in Classified.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
