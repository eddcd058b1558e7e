# SPDX-License-Identifier: Apache-2.0
"""Draws criteria and visits that try to break the rules: values on thresholds, days on the edges of windows and masks.

Everything is made of one act, `pick` one of a list, so that a seeded generator and Hypothesis (which then shrinks) draw
from the same charts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.visits import Visits
from sirolens.source import Mark, Source

T = TypeVar("T")
Pick = Callable[[Sequence[T]], T]

SOURCE = Source(title="Drawn", mark=Mark.ASSUMED)
RESCUES = ("ivig", "anti-d", "steroid-pulse", "platelet-transfusion")
FAILING = (*RESCUES, "new-itp-drug", "raised-dose", "splenectomy")
STEROID, STOPPED, BACKGROUND = 7, 8, 9
CHOICES: dict[str, Sequence[Any]] = {
    "baseline_excludes_10e9_l": (100.0, 100.0, 50.0, None),
    "complete_10e9_l": (100.0, 100.0, 150.0, 50.0),
    "complete_operator": (">=", ">"),
    "complete_without_bleeding": (True, False),
    "response_10e9_l": (30.0, 30.0, 50.0, None),
    "response_operator": (">=", ">"),
    "response_fold": (2.0, 2.0, 3.0, 1.5, None),
    "fold_operator": (">=", ">"),
    "response_join": ("and", "or"),
    "response_without_bleeding": (True, False),
    "bleeding_grade": (1, 2),
    "bleeding_not_asked": ("unknown", "none"),
    "confirmation_d": (7, 6, 8, 0, 1, 28),
    "failing_between_breaks": (True, False),
    "dated_by": ("first", "second"),
    "loss_d": (1, 0, 2, 7),
    "loss_dated_by": ("first", "second"),
    "late_limit_d": (182, 181, 91, 30, 0, None),
    "mask_d": (
        dict.fromkeys(RESCUES, 28),
        {"ivig": 28, "platelet-transfusion": 3},
        {},
        {"ivig": 0, "anti-d": 1, "steroid-pulse": 7, "platelet-transfusion": 7},
    ),
    "masked_failing_counts": ("fail", "ignored"),
    "rescues": (RESCUES, ("ivig", "platelet-transfusion"), (), (*RESCUES, "splenectomy")),
    "bridging_d": (28, 27, 0, 56),
    "failing_events": (FAILING, RESCUES, ("splenectomy", "new-itp-drug"), ()),
    "final_events": (("new-itp-drug", "raised-dose", "splenectomy"), (), ("ivig", "splenectomy")),
    "regain_after_rescue": (True, False),
    "steroid_dependence": (True, False),
    "steroid_above_mg_d": (0.0, 5.0),
    "steroid_days": (60, 30),
    "steroid_gap_d": (28, 0, 7),
    "too_early_before_d": (91, 0, 28, 183),
    "durations": (("a", "b"), ("a",), ("b",), ()),
    "sustained_d": (182, 91, 60),
    "sustained_from": ("start", "achieved"),
    "off_treatment_10e9_l": (30.0, 50.0),
    "off_treatment_d": (180, 30),
    "off_treatment_bleeding_grade": (2, 1),
    "landmarks_d": ((91, 182, 365), (91,), (7, 30, 60), (84, 168)),
    "landmark_window_d": (14, 7, 0, 30),
    "landmark_count": ("nearest", "last", "highest"),
    "landmark_tie": ("later", "earlier"),
    "confirming_grace_d": (28, 0, 14),
    "missing_is": ("no-response", "not-evaluable"),
}
"""What each field that the classification reads may be drawn as; the fields left out act before, in `visits_of`."""

GAPS = (0, 1, 1, 2, 3, 6, 6, 7, 7, 7, 8, 8, 10, 14, 14, 21, 28, 35, 60)
NUDGES = (-1.0, -0.5, 0.0, 0.0, 0.5, 1.0)
BASELINES = (
    0.0,
    5.0,
    10.0,
    12.3,
    14.5,
    15.0,
    15.5,
    20.0,
    25.0,
    29.0,
    30.0,
    33.0,
    49.0,
    50.0,
    51.0,
    60.0,
    99.0,
    100.0,
    101.0,
)
BLEEDING_MOODS = ((0,), (0, 0, 0, 0, 1, 2, 9), (0, 0, -1), (-1, -1, 0), (-1,), (0, 1), (0, -1, 1, 2))


@dataclass
class Drawn:
    """One patient before it becomes arrays."""

    baseline: float = math.nan
    baseline_state: int = 1
    known: int = 0
    rows: list[tuple[int, float, int]] = field(default_factory=list)
    events: list[tuple[int, int, int, bool, float]] = field(default_factory=list)


def drawn_criteria(pick: Pick[Any], changed: int = 3) -> CriteriaSet:
    """A set that differs from the default in about one of `changed` fields."""
    coin = (True, *(False,) * (changed - 1))
    choices = {name: pick(values) for name, values in CHOICES.items() if pick(coin)}
    return CriteriaSet(name="drawn", version="1", title="Drawn", source=SOURCE, **choices)


def drawn_patient(pick: Pick[Any], c: CriteriaSet) -> Drawn:
    """One patient whose days and counts lie where the criteria decide."""
    one = Drawn(baseline_state=pick((0, 0, 0, 0, 0, 0, 1, 2)))
    if one.baseline_state == 0:
        one.baseline = pick(BASELINES)
    one.events = sorted(_event(pick, c) for _ in range(pick((0, 0, 0, 0, 1, 1, 2, 3, 4))))
    stops = [event for event in one.events if event[2] == STOPPED]
    one.events = [event for event in one.events if event[2] != STOPPED or event is stops[0]]
    one.rows = _rows(pick, c, one)
    last = max([30, *(row[0] for row in one.rows)])
    edges = [t + c.landmark_window_d + more for t in c.landmarks_d for more in (0, 1)]
    edges += [t + c.landmark_window_d + c.confirming_grace_d + more for t in c.landmarks_d for more in (0, 1)]
    edges += [c.too_early_before_d + more for more in (-1, 0)]
    small = pick((-1, 0, 1, 5, 20, 60))
    one.known = pick((last, last, last + 1, last + 40, last + 400, last + 400, pick(edges), pick(edges), small))
    return one


def _event(pick: Pick[Any], c: CriteriaSet) -> tuple[int, int, int, bool, float]:
    kind = pick((0, 0, 1, 2, 3, 3, 4, 5, 6, STEROID, STEROID, STOPPED, BACKGROUND))
    day = pick(
        (*_edges(c), c.bridging_d - 1, c.bridging_d, c.bridging_d + 1, -60, -30, -1, 0, 1, 10, 20, 40, 60, 100, 200)
    )
    if kind == BACKGROUND:
        day = -abs(day)
    if kind == STOPPED:
        day = abs(day)
    long = (0, 1, 3, 29, 30, 31, 59, 60, 61, 90, 200) if kind in (STEROID, BACKGROUND) else (0, 0, 0, 1, 4)
    last = day + (0 if kind in (4, 5, 6, STOPPED) else pick(long))
    mg_d = pick((math.nan, 2.5, 5.0, 5.5, 40.0)) if kind in (2, STEROID) else math.nan
    return day, last, kind, pick((False, False, False, True)), mg_d


def _edges(c: CriteriaSet) -> list[int]:
    """Days on which a rule turns."""
    late = 182 if c.late_limit_d is None else c.late_limit_d
    w, g = c.landmark_window_d, c.confirming_grace_d
    around = [t + side for t in c.landmarks_d for side in (-w - 1, -w, -3, -1, 0, 1, 3, w, w + 1, w + g, w + g + 1)]
    return [*around, late, late + 1, c.sustained_d, c.sustained_d - 1]


def _rows(pick: Pick[Any], c: CriteriaSet, one: Drawn) -> list[tuple[int, float, int]]:
    mask_ends = [last + c.mask_d.get(FAILING[kind], 0) for _, last, kind, _, _ in one.events if kind < len(FAILING)]
    turning = [
        *_edges(c),
        *(end + more for end in mask_ends for more in (0, 1)),
        *(e[0] + m for e in one.events for m in (-1, 0, 1)),
    ]
    day, days = pick((1, 7, 14, 28, 30, 60, 84, 0, -3)), []
    for _ in range(pick((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12))):
        days.append(day)
        day = pick(turning) if pick((True, False, False, False)) else day + pick(GAPS)
    mood, asked, rows = pick(("good", "full", "poor")), pick(BLEEDING_MOODS), []
    bleeding = 0
    for number, day in enumerate(sorted(days)):
        mood = pick((mood, mood, mood, "good", "full", "poor", "any"))
        same_day = number > 0 and rows[-1][0] == day
        bleeding = bleeding if same_day and pick((True, True, False)) else pick(asked)
        counted = pick((True,) * 11 + (False,))
        rows.append((day, _count(pick, c, one, mood) if counted else math.nan, bleeding))
    return rows


def _count(pick: Pick[Any], c: CriteriaSet, one: Drawn, mood: str) -> float:
    fold = 2.0 * one.baseline if c.response_fold is None else c.response_fold * one.baseline
    doubled = 30.0 if math.isnan(fold) else fold
    floor = 30.0 if c.response_10e9_l is None else c.response_10e9_l
    centre = {
        "poor": pick((floor - 1.0, min(floor, doubled) - 1.0, 5.0)),
        "good": pick((max(floor, doubled), max(floor, doubled) + 5.0)),
        "full": pick((c.complete_10e9_l, c.complete_10e9_l + 20.0, max(doubled, c.complete_10e9_l))),
        "any": pick((floor, doubled, c.complete_10e9_l, c.off_treatment_10e9_l, 80.0)),
    }[mood]
    return max(0.0, round(centre + pick(NUDGES), 6))


def visits_from(people: Sequence[Drawn]) -> Visits:
    """The arrays that `classify` reads."""
    rows = [row for one in people for row in one.rows]
    events = [event for one in people for event in one.events]
    starts = np.cumsum([0, *(len(one.rows) for one in people)])
    event_starts = np.cumsum([0, *(len(one.events) for one in people)])
    columns = [np.array([row[i] for row in rows]) for i in range(3)]
    happened = [np.array([event[i] for event in events]) for i in range(5)]
    return Visits(
        start=starts,
        day=columns[0],
        count_10e9_l=columns[1],
        bleeding=columns[2],
        baseline_10e9_l=np.array([one.baseline for one in people]),
        baseline_state=np.array([one.baseline_state for one in people]),
        event_start=event_starts,
        event_day=happened[0],
        event_last_day=happened[1],
        event_kind=happened[2],
        event_cover=happened[3],
        event_mg_d=happened[4],
        known_day=np.array([one.known for one in people]),
    )


def seeded(seed: int, patients: int, changed: int = 3) -> tuple[Visits, CriteriaSet]:
    """One set of criteria and patients drawn for it, the same for the same seed."""
    pick = random.Random(seed).choice
    c = (
        drawn_criteria(pick, changed)
        if seed % 4
        else CriteriaSet(name="drawn", version="1", title="Drawn", source=SOURCE)
    )
    return visits_from([drawn_patient(pick, c) for _ in range(patients)]), c
