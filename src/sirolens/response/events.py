# SPDX-License-Identifier: Apache-2.0
"""What happened besides counts: a chart's therapies, procedures and stops as events on days (rules R-41 to R-45)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

from sirolens.chart import Chart, Course, Fact, Procedure, Therapy
from sirolens.message import Message, info, warning
from sirolens.response.criteria_set import CriteriaSet
from sirolens.response.days import Days

__all__ = ["Event", "EventKind", "events_of"]

NOT_TOLD = float("nan")
SIROLIMUS = "sirolimus"
COVER = "cover"
PREDNISONE_MG = 5.0


@final
class EventKind(IntEnum):
    """What happened besides counts; `label` is its name in criteria files."""

    IVIG = 0
    ANTI_D = 1
    STEROID_PULSE = 2
    PLATELET_TRANSFUSION = 3
    NEW_ITP_DRUG = 4
    RAISED_DOSE = 5
    SPLENECTOMY = 6
    STEROID = 7
    STOPPED_SIROLIMUS = 8
    BACKGROUND = 9

    @property
    def label(self) -> str:
        """The kind's name in criteria files.

        >>> EventKind.ANTI_D.label
        'anti-d'
        """
        return self.name.lower().replace("_", "-")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a course.

    Parameters
    ----------
    kind : EventKind
        What it was.
    day, last_day : int
        First and last calendar day from day 0.
    cover : bool
        Given only to cover a procedure.
    mg_d : float
        Prednisone-equivalent dose of a steroid; nan where not told.
    fact : Fact
        What the chart says.
    """

    kind: EventKind
    day: int
    last_day: int
    cover: bool
    mg_d: float
    fact: Fact


@cache
def _table() -> Mapping[str, Any]:
    text = files("sirolens.response").joinpath("data", "therapies.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


@cache
def _kinds() -> Mapping[str, EventKind]:
    named = {kind.label: kind for kind in EventKind}
    rescues = {key: drugs for key, drugs in _table()["kinds"].items() if key in named}
    return MappingProxyType({drug: named[key] for key, drugs in rescues.items() for drug in drugs})


def _daily(therapy: Therapy) -> float:
    """Amount a day as written; nan where it is not told."""
    if therapy.amount is None:
        return NOT_TOLD
    unit = (therapy.unit or "").replace(" ", "").lower()
    if unit.endswith(("/d", "/day")):
        return therapy.amount
    return NOT_TOLD if therapy.interval_h is None else therapy.amount * 24.0 / therapy.interval_h


def _prednisone_mg_d(therapy: Therapy) -> float:
    unit = (therapy.unit or "").replace(" ", "").lower()
    if unit not in ("mg", "mg/d", "mg/day"):
        return NOT_TOLD
    equal_mg: float = _table()["steroids"]["equal_mg"][therapy.drug]
    return _daily(therapy) * PREDNISONE_MG / equal_mg


@final
class _Reader:
    """The therapies of one course on the way to events, in the order they began."""

    def __init__(self, days: Days, criteria: CriteriaSet) -> None:
        self.days, self.criteria = days, criteria
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self.steroids: list[Event] = []
        self.given: dict[str, float] = {}
        self.untold: dict[str, None] = {}

    def last(self, therapy: Therapy, *, open_ended: bool) -> int:
        if therapy.stop is not None:
            return self.days.last(therapy.stop)
        return self.days.known if open_ended else self.days.of(therapy.at)

    def add(self, kind: EventKind, fact: Fact, last_day: int, *, cover: bool = False, mg_d: float = NOT_TOLD) -> Event:
        event = Event(kind=kind, day=self.days.of(fact.at), last_day=last_day, cover=cover, mg_d=mg_d, fact=fact)
        self.events.append(event)
        return event

    def therapy(self, therapy: Therapy) -> None:
        if therapy.drug == SIROLIMUS:
            return
        cover = therapy.role == COVER
        if therapy.drug in _kinds():
            self.add(_kinds()[therapy.drug], therapy, self.last(therapy, open_ended=False), cover=cover)
        elif therapy.drug in _table()["steroids"]["equal_mg"]:
            self.steroid(therapy, cover=cover)
        elif therapy.role in ("itp", "rescue") or therapy.drug in _table()["kinds"]["itp"]:
            self.drug(therapy)
        elif therapy.role == "unknown" and self.days.of(therapy.at) > 0:
            self.untold[therapy.drug] = None

    def steroid(self, therapy: Therapy, *, cover: bool) -> None:
        """R-42."""
        mg_d, last_day = _prednisone_mg_d(therapy), self.last(therapy, open_ended=True)
        length = last_day - self.days.of(therapy.at) + 1
        brief = therapy.stop is not None and length <= self.criteria.pulse_at_most_d
        if therapy.role == "rescue" or (brief and mg_d >= self.criteria.pulse_from_mg_d):
            self.add(EventKind.STEROID_PULSE, therapy, last_day, cover=cover, mg_d=mg_d)
            return
        event = self.add(EventKind.STEROID, therapy, last_day, cover=cover, mg_d=mg_d)
        running = [one for one in self.steroids if event.day - one.last_day <= self.criteria.steroid_gap_d]
        self.steroids.append(event)
        if event.day <= 0:
            self.background(therapy, last_day)
        elif cover:
            return
        elif not running or mg_d > running[-1].mg_d:
            self.add(EventKind.RAISED_DOSE, therapy, event.day)
        elif not mg_d <= running[-1].mg_d:
            self.messages.append(warning("response.dose-untold", drug=therapy.drug, begun=therapy.at))

    def drug(self, therapy: Therapy) -> None:
        """R-43."""
        daily, before = _daily(therapy), self.given.get(therapy.drug)
        self.given[therapy.drug] = daily
        last_day = self.last(therapy, open_ended=True)
        if self.days.of(therapy.at) <= 0:
            self.add(EventKind.BACKGROUND, therapy, last_day)
            self.background(therapy, last_day)
        elif before is None:
            self.add(EventKind.NEW_ITP_DRUG, therapy, last_day)
        else:
            self.add(EventKind.BACKGROUND, therapy, last_day)
            if daily > before:
                self.add(EventKind.RAISED_DOSE, therapy, self.days.of(therapy.at))
            elif not daily <= before:
                self.messages.append(warning("response.dose-untold", drug=therapy.drug, begun=therapy.at))

    def background(self, therapy: Therapy, last_day: int) -> None:
        """R-25: it is said of what still goes on when sirolimus begins; what had ended is history."""
        if last_day >= 0:
            self.messages.append(info("response.background", drug=therapy.drug, begun=therapy.at))

    def procedure(self, procedure: Procedure) -> None:
        """R-44."""
        if procedure.kind != "splenectomy":
            return
        if procedure.planned_for is not None:
            self.messages.append(info("response.splenectomy-planned", planned_for=procedure.planned_for))
            return
        self.add(EventKind.SPLENECTOMY, procedure, self.days.of(procedure.at))


def _in_order(facts: Iterable[Therapy]) -> list[Therapy]:
    """By start, then by what was given: the order of the rows plays no part."""
    return sorted(
        facts,
        key=lambda one: (one.at, one.drug, one.role, one.amount or 0.0, one.stop is None, one.stop or one.at, one.id),
    )


def events_of(
    chart: Chart, course: Course | None, days: Days, criteria: CriteriaSet
) -> tuple[tuple[Event, ...], tuple[Message, ...]]:
    """Return what happened besides counts, in the order of days, and what has to be said about it.

    Parameters
    ----------
    chart : Chart
        What is known.
    course : Course, optional
        The course of sirolimus.
    days : Days
        Its days.
    criteria : CriteriaSet
        What a pulse is, and how far apart steroid courses may lie.
    """
    reader = _Reader(days, criteria)
    for therapy in _in_order(chart.therapies):
        if days.of(therapy.at) <= days.end:
            reader.therapy(therapy)
    if reader.untold:  # it may have been a treatment of ITP, and is not taken for one
        reader.messages.append(warning("response.role-untold", drug=tuple(reader.untold)))
    for procedure in chart.procedures:
        if days.of(procedure.at) <= days.end:
            reader.procedure(procedure)
    if course is not None and course.stop is not None:
        stop_day = days.last(course.stop)
        reader.events.append(
            Event(
                kind=EventKind.STOPPED_SIROLIMUS,
                day=stop_day,
                last_day=stop_day,
                cover=False,
                mg_d=NOT_TOLD,
                fact=course,
            )
        )
    ordered = sorted(reader.events, key=lambda one: (one.day, one.kind, one.last_day, one.cover))
    return tuple(ordered), tuple(reader.messages)
