# SPDX-License-Identifier: Apache-2.0
"""Lays the naive interpreter beside `sirolens.response.classify` and tells where they differ."""

from __future__ import annotations

from typing import Any

from sirolens.response.classify import classify
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import STATES, Classified, OffTreatment, Reason
from sirolens.response.visits import Visits
from tests.response.naive import naive

LANDMARKS = ("landmark_state", "landmark_single", "landmark_policy", "landmark_on_treatment")


def spoken(classified: Classified, patient: int) -> dict[str, Any]:
    """One patient's row of the arrays in the words of the naive interpreter."""
    said: dict[str, Any] = {}
    for name in Classified.__dataclass_fields__:
        value = getattr(classified, name)[patient]
        if name in ("state", "platelet_state", "achieved_state", "best"):
            said[name] = None if value < 0 else str(STATES[value])
        elif name == "reason":
            said[name] = Reason(value).name
        elif name in LANDMARKS:
            said[name] = [str(STATES[code]) for code in value]
        elif name.endswith("_reason"):
            said[name] = [Reason(code).name for code in value]
        elif name == "off_treatment":
            said[name] = OffTreatment(value).name
        else:
            said[name] = value.tolist()
    return said


def differences(visits: Visits, c: CriteriaSet, rules: list[dict[str, Any]] | None = None) -> list[str]:
    """One line for each answer that differs, with everything needed to see why; `rules` where already worked out."""
    classified = classify(visits, c)
    found = []
    for patient, expected in enumerate(naive(visits, c) if rules is None else rules):
        given = spoken(classified, patient)
        if set(given) != set(expected):
            raise AssertionError(f"answers of other names: {sorted(set(given) ^ set(expected))}")
        wrong = [name for name in expected if expected[name] != given[name]]
        found += [
            f"{name}: rules {expected[name]}, classify {given[name]} | {shown(visits, c, patient)}" for name in wrong
        ]
    return found


def shown(visits: Visits, c: CriteriaSet, patient: int) -> str:
    """A patient and what is special about the criteria, on one line."""
    plain = CriteriaSet(name=c.name, version=c.version, title=c.title, source=c.source)
    changed = {
        name: getattr(c, name) for name in CriteriaSet.__dataclass_fields__ if getattr(c, name) != getattr(plain, name)
    }
    first, last = visits.start[patient : patient + 2]
    rows = [
        f"{day} {count:g}{'' if bleeding == 0 else f' b{bleeding}'}"
        for day, count, bleeding in zip(visits.day, visits.count_10e9_l, visits.bleeding, strict=True)
    ][first:last]
    begin, end = visits.event_start[patient : patient + 2]
    events = [
        f"{visits.event_kind[e]}@{visits.event_day[e]}..{visits.event_last_day[e]}"
        f"{' cover' if visits.event_cover[e] else ''} {visits.event_mg_d[e]:g}"
        for e in range(begin, end)
    ]
    return (
        f"K={visits.known_day[patient]} baseline={visits.baseline_10e9_l[patient]} ({visits.baseline_state[patient]})"
        f" rows={rows} events={events} changed={changed}"
    )
