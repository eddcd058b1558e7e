# SPDX-License-Identifier: Apache-2.0
"""The classification does not depend on how charts are stored, sorted, batched or threaded.

Oracle: the same charts through another path; what the rules themselves say is tested by the naive interpreter and the
charts reasoned by hand.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirolens.chart import Chart, Fact
from sirolens.response.classify import AT_LANDMARKS, CODES, DAYS, HELD, classify
from sirolens.response.criteria import load
from sirolens.response.kernel import C_CR_DURATION_ENDED, D_ENDED_KIND
from sirolens.response.states import Classified
from sirolens.response.visits import Visits, no_events, visits_of
from tests.response.charts import chart, charts, when

IWG = load("iwg-2009")
AT = when(430)


def answers(found: Classified) -> dict[str, list[object]]:
    return {one.name: getattr(found, one.name).tolist() for one in fields(found)}


def classified(one: Chart, at: datetime = AT) -> dict[str, list[object]]:
    return answers(classify(visits_of([one], at, IWG)[0], IWG))


def drawn_visits(patients: int, seed: int) -> Visits:
    rng = np.random.default_rng(seed)
    sizes, happened = rng.integers(0, 13, patients), rng.integers(0, 3, patients)
    start, event_start = np.cumsum([0, *sizes]), np.cumsum([0, *happened])
    k, m = int(start[-1]), int(event_start[-1])
    owner, event_owner = np.repeat(np.arange(patients), sizes), np.repeat(np.arange(patients), happened)
    day, event_day = rng.integers(1, 400, k), rng.integers(-30, 400, m)
    day, event_day = day[np.lexsort((day, owner))], event_day[np.lexsort((event_day, event_owner))]
    return Visits(
        start=start,
        day=day,
        count_10e9_l=rng.choice([8.0, 29.0, 30.0, 60.0, 99.0, 100.0, 160.0, np.nan], k),
        bleeding=rng.choice([-1, 0, 0, 0, 2], k),
        baseline_10e9_l=rng.choice([10.0, 30.0, 55.0, 120.0], patients),
        baseline_state=rng.choice([0, 0, 0, 1, 2], patients),
        event_start=event_start,
        event_day=event_day,
        event_last_day=event_day + rng.integers(0, 90, m),
        event_kind=rng.integers(0, 10, m),
        event_cover=rng.random(m) < 0.2,
        event_mg_d=rng.choice([np.nan, 5.0, 20.0], m),
        known_day=rng.integers(-1, 420, patients),
    )


def test_threads_and_blocks_change_no_answer() -> None:
    visits = drawn_visits(9000, 1)
    alone = answers(classify(visits, IWG, threads=1))
    assert answers(classify(visits, IWG, threads=2)) == alone
    assert answers(classify(visits, IWG, threads=3)) == alone


def test_a_patient_does_not_depend_on_the_cohort_around() -> None:
    visits = drawn_visits(300, 2)
    together = answers(classify(visits, IWG))
    for i in range(0, 300, 23):
        rows, events = slice(*visits.start[i : i + 2]), slice(*visits.event_start[i : i + 2])
        per_patient = ("baseline_10e9_l", "baseline_state", "known_day")
        changed = {name: getattr(visits, name)[i : i + 1] for name in per_patient}
        changed |= {name: getattr(visits, name)[rows] for name in ("day", "count_10e9_l", "bleeding")}
        names = ("event_day", "event_last_day", "event_kind", "event_cover", "event_mg_d")
        changed |= {name: getattr(visits, name)[events] for name in names}
        changed |= {"start": np.array([0, rows.stop - rows.start])}
        changed |= {"event_start": np.array([0, events.stop - events.start])}
        alone = answers(classify(replace(visits, **changed), IWG))
        for name, values in alone.items():
            shift = visits.start[i] if name == "landmark_row" else 0
            expected = np.array(together[name][i])
            assert (np.array(values[0]) == np.where(expected < 0, expected, expected - shift)).all(), name


@settings(deadline=None, max_examples=150)
@given(one=charts(), seed=st.integers(0, 99))
def test_row_order_plays_no_part(one: Chart, seed: int) -> None:
    def mixed(facts: tuple[Fact, ...]) -> list[Fact]:
        return Random(seed).sample(facts, len(facts))

    names = ("platelet_counts", "bleedings", "therapies", "procedures", "courses")
    shuffled = replace(one, **{name: tuple(mixed(getattr(one, name))) for name in names})
    assert classified(shuffled) == classified(one)


@settings(deadline=None, max_examples=100)
@given(one=charts(), zone=st.sampled_from(["America/New_York", "Pacific/Kiritimati", "UTC"]))
def test_the_viewers_time_zone_plays_no_part(one: Chart, zone: str) -> None:
    """The same instants, written down in another zone; the chart keeps the clinic's."""

    def seen(fact: Fact) -> Fact:
        viewed = {"at": fact.at.astimezone(ZoneInfo(zone)), "recorded": fact.recorded.astimezone(ZoneInfo(zone))}
        return replace(fact, **viewed)

    names = ("platelet_counts", "bleedings", "therapies", "procedures", "courses")
    viewed = replace(one, **{name: tuple(seen(fact) for fact in getattr(one, name)) for name in names})
    assert classified(viewed, AT.astimezone(ZoneInfo(zone))) == classified(one)


@settings(deadline=None, max_examples=150)
@given(one=charts(), later=st.sampled_from([timedelta(0), timedelta(minutes=1)]))
def test_a_duplicate_count_plays_no_part(one: Chart, later: timedelta) -> None:
    """Each count twice, at once or a minute later on the same day; landmark rows move with the rows."""
    copies = tuple(replace(fact, at=fact.at + later, recorded=fact.recorded + later) for fact in one.platelet_counts)
    local = {copy.at.astimezone(ZoneInfo(one.zone)).date() for copy in copies}
    assert local == {fact.at.astimezone(ZoneInfo(one.zone)).date() for fact in one.platelet_counts}
    in_between = any(
        a.at < b.at <= a.at + later and a.count_10e9_l != b.count_10e9_l
        for a in one.platelet_counts
        for b in one.platelet_counts
    )
    if in_between or any(fact.at == when(0) for fact in one.platelet_counts):
        return  # the copy would be another count's successor, or after the first dose
    assert classified(replace(one, platelet_counts=one.platelet_counts + copies)) == classified(one)


@settings(deadline=None, max_examples=100)
@given(one=charts(), day=st.integers(0, 420))
def test_what_was_recorded_later_plays_no_part(one: Chart, day: int) -> None:
    at = when(day, "12:00")
    cut = replace(
        one,
        **{
            name: tuple(fact for fact in getattr(one, name) if fact.recorded <= at)
            for name in ("platelet_counts", "bleedings", "therapies", "procedures")
        },
    )
    assert classified(cut, at) == classified(one, at)


@settings(deadline=None, max_examples=100)
@given(one=charts())
def test_a_landmark_once_final_stays_with_the_same_facts(one: Chart) -> None:
    """After the window and the grace for confirming, time alone changes no landmark."""
    final = [day + IWG.landmark_window_d + IWG.confirming_grace_d for day in IWG.landmarks_d]
    last = when(max(final) + 1)
    first = classified(one.known(last), last)
    much_later = classified(one.known(last), when(2000))
    for name in AT_LANDMARKS:
        assert much_later[name] == first[name], name


def test_one_chart_and_a_cohort_go_through_the_same_numbers() -> None:
    pair = [chart([(-1, 12.0), (30, 120.0), (37, 130.0)]), chart([(-1, 12.0), (100, 8.0), (107, 9.0)])]
    both = answers(classify(visits_of(pair, AT, IWG)[0], IWG))
    for i, one in enumerate(pair):
        alone = classified(one)
        assert {name: both[name][i] for name in both if name != "landmark_row"} == {
            name: values[0] for name, values in alone.items() if name != "landmark_row"
        }


def test_columns_of_the_kernel_and_their_names_are_as_many() -> None:
    assert len(DAYS) + len(HELD) == D_ENDED_KIND + 1
    assert len(CODES) == C_CR_DURATION_ENDED + 1
    names = {one.name for one in fields(Classified)}
    assert names >= set(DAYS) | set(CODES) | set(AT_LANDMARKS)


def test_no_patients_are_no_answers() -> None:
    found = classify(visits_of([], AT, IWG)[0], IWG)
    assert found.state.shape == (0,)
    assert found.landmark_state.shape == (0, 3)


@pytest.mark.parametrize(
    ("name", "value"), [("day", [37, 30]), ("start", [0, 3]), ("bleeding", [0]), ("known_day", [1, 2])]
)
def test_arrays_that_do_not_fit_are_refused(name: str, value: list[int]) -> None:
    good = {
        "start": [0, 2],
        "day": [30, 37],
        "count_10e9_l": [120.0, 130.0],
        "bleeding": [0, 0],
        "baseline_10e9_l": [12.0],
        "baseline_state": [0],
        "known_day": [60],
        **no_events(1),
    }
    with pytest.raises(ValueError, match=r"must|falls"):
        Visits(**(good | {name: np.array(value)}))


def test_instants_without_events_before_the_start_are_too_early() -> None:
    assert classified(chart([(-1, 12.0)]), datetime(2020, 1, 1, tzinfo=UTC))["state"] == [0]
