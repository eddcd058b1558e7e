# SPDX-License-Identifier: Apache-2.0
"""Compares what a hand-reasoned case expects with the verdict on its chart; only what the case names is looked at."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

from sirolens.response.criteria import load
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.states import STATES, OffTreatment, Reason
from sirolens.response.verdict import Verdict, verdict
from tests.response.hand_charts import Case

DAYS = {
    "achieved": "achieved_day",
    "confirmed": "confirmed_day",
    "lost": "lost_day",
    "relapse": "relapse_day",
    "complete_lost": "cr_lost_day",
    "time_to_response": "time_to_response_d",
    "duration": "duration_d",
    "days_in_response": "days_in_response",
    "days_examined": "days_examined",
    "episodes": "episodes",
    "dependent_since": "steroid_dependent_day",
}
STATES_TOLD = {"achieved_state": "achieved_state", "best": "best"}
SUSTAINED = {1: "yes", 0: "no", -1: "unknown"}


def criteria_of(case: Case) -> CriteriaSet:
    """The case's set of criteria with its changes; "none" stands for a condition or limit left out."""
    changes = {name: _value(value) for name, value in case.changes.items()}
    return replace(load(case.criteria), **changes)


def _value(value: Any) -> Any:
    if value == "none":
        return None
    return tuple(value) if isinstance(value, list) else value


def judged(case: Case) -> Verdict:
    """The verdict through the public door."""
    return verdict(case.chart, case.at, criteria_of(case), course=case.course)


def wrong(case: Case, given: Verdict | None = None) -> list[str]:
    """What differs from the case's expectation, each as one line; empty when all is as reasoned."""
    given = judged(case) if given is None else given
    found = []
    for name, expected in case.expect.items():
        answer = answered(given, name, expected)
        if answer != expected:
            found.append(f"{case.id}: {name} should be {expected}, is {answer} ({case.why})")
    return found


def answered(given: Verdict, name: str, expected: Any) -> Any:
    """What a verdict says to one field of an expectation, in the words of the cases."""
    row = given.classified
    if name == "state":
        return str(given.state)
    if name == "baseline":
        count = given.baseline.count_10e9_l
        return "none" if count is None or math.isnan(count) else count
    if name in DAYS:
        day = int(getattr(row, DAYS[name])[0])
        return "none" if day < 0 else day
    if name in STATES_TOLD:
        code = int(getattr(row, STATES_TOLD[name])[0])
        return "none" if code < 0 else str(STATES[code])
    if name == "late":
        return str(given.state) == "no-response" and Reason(row.reason[0]) is Reason.LATE
    if name == "dependent":
        return bool(row.steroid_dependent_last_day[0] == given.days.known) if given.days is not None else False
    if name == "sustained":
        return SUSTAINED[int(row.sustained[0])]
    if name == "off_treatment":
        return OffTreatment(row.off_treatment[0]).name.lower().replace("_", "-")
    if name == "not_reported":
        reported = given.criteria.not_reported
        return [choice for choice in expected if choice in reported] if expected else list(reported)
    if name == "because":
        return Reason(row.reason[0]).name.lower().replace("_", "-")
    if name == "used":
        return [f"{count.use} {count.day}" for count in given.counts]
    if name in ("on", "first", "second") and given.days is not None:
        day = given.reason.values[name]
        return (day - given.days.date(0)).days if isinstance(day, date) else "none"
    return _at_landmark(given, name)


def _at_landmark(given: Verdict, name: str) -> str:
    """``lm91``, ``lm91_single``, ``lm91_reason``, ``policy_lm91``, ``treated_lm91``."""
    view, _, rest = name.rpartition("lm")
    day, _, what = rest.partition("_")
    number = [landmark.day for landmark in given.landmarks].index(int(day))
    if what == "reason":
        return Reason(given.classified.landmark_reason[0, number]).name.lower().replace("_", "-")
    attribute = {"policy_": "policy", "treated_": "on_treatment", "": "single" if what == "single" else "state"}[view]
    return str(getattr(given.landmarks[number], attribute))
