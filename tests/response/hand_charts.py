# SPDX-License-Identifier: Apache-2.0
"""Reads the charts that were reasoned by hand (tests/response/hand/*.toml) into real charts.

A case is written as a physician would jot it down. ``counts = "-1 20; 30 08:00 105 bleed=2; 37 110 unasked known=45"``:
day, optionally the clock time, the count (``-``: none was made), then what is to be known of it. Bleeding was asked and
denied unless it says otherwise. ``therapies = ["dexamethasone 5..8 rescue 40mg/24h"]``: drug, days from..to (both
included), role, dose. Day 0 is Monday 5 January 2026 in Shanghai and the first dose is at 08:00, unless the case says
otherwise. `at` is the end of its day; left out, it is the end of the day of the last count.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sirolens.chart import Bleeding, BleedingAsked, Chart, Course, Patient, PlateletCount, Procedure, Therapy

FOLDER = Path(__file__).parent / "hand"
DAY_0 = date(2026, 1, 5)
FIRST_DOSE = "08:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    id: str
    topic: str
    clause: str
    why: str
    chart: Chart
    at: datetime
    criteria: str
    changes: dict[str, Any]
    course: int | None
    expect: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Turns a day and a clock time of the clinic into an instant."""

    zone: ZoneInfo
    day_0: date

    def instant(self, day: int, clock: str = "00:00") -> datetime:
        moment = datetime.fromisoformat(f"{self.day_0 + timedelta(days=day)}T{clock}").replace(tzinfo=self.zone)
        return moment.astimezone(UTC)


def cases() -> list[Case]:
    """Every case of every file, in the order of files and lines."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        with path.open("rb") as file:
            found += [_case(path.stem, raw) for raw in tomllib.load(file)["case"]]
    return found


def _case(topic: str, raw: dict[str, Any]) -> Case:
    calendar = _Calendar(ZoneInfo(raw.get("zone", "Asia/Shanghai")), date.fromisoformat(raw.get("start", str(DAY_0))))
    counts, bleedings = _counts(raw["counts"], calendar)
    chart = Chart(
        patient=Patient(id=raw["id"], invented=True),
        zone=str(calendar.zone),
        courses=tuple(_course(text, calendar) for text in raw.get("courses", ["0.."])),
        platelet_counts=counts,
        bleedings=bleedings,
        therapies=tuple(_therapy(text, calendar) for text in raw.get("therapies", ())),
        procedures=tuple(_procedure(text, calendar) for text in raw.get("procedures", ())),
    )
    return Case(
        id=raw["id"],
        topic=topic,
        clause=raw["clause"],
        why=raw["why"],
        chart=chart,
        at=_at(raw, calendar),
        criteria=raw.get("criteria", "iwg-2009"),
        changes=raw.get("changes", {}),
        course=raw.get("course"),
        expect=raw["expect"],
    )


def _at(raw: dict[str, Any], calendar: _Calendar) -> datetime:
    if "at" not in raw:
        last = max(int(text.split()[0]) for text in raw["counts"].split(";"))
        return calendar.instant(last, "23:59")
    day, *clock = raw["at"].split()
    instant = calendar.instant(int(day), clock[0] if clock else "23:59")
    return instant.astimezone(ZoneInfo(raw["at_zone"])) if "at_zone" in raw else instant


def _counts(text: str, calendar: _Calendar) -> tuple[tuple[PlateletCount, ...], tuple[Bleeding, ...]]:
    counts, bleedings = [], []
    for entry in text.split(";"):
        day, *rest = entry.split()
        clock = rest.pop(0) if ":" in rest[0] else "00:00"
        value, *words = rest
        flags = dict(word.partition("=")[::2] for word in words)
        at = calendar.instant(int(day), clock)
        recorded = calendar.instant(int(flags["known"])) if "known" in flags else at
        if value != "-":
            counts.append(
                PlateletCount(
                    at=at,
                    recorded=recorded,
                    id=flags.get("id", ""),
                    replaces=flags.get("replaces"),
                    count_10e9_l=float(value),
                )
            )
        if "unasked" not in flags:
            bleedings.append(_bleeding(at, recorded, flags.get("bleed"), flags.get("scale", "who")))
    return tuple(counts), tuple(bleedings)


def _bleeding(at: datetime, recorded: datetime, grade: str | None, scale: str) -> Bleeding:
    if grade is None:
        return Bleeding(at=at, recorded=recorded, asked=BleedingAsked.NONE)
    if grade == "unasked":
        return Bleeding(at=at, recorded=recorded, asked=BleedingAsked.NOT_ASKED)
    if grade == "ungraded":
        return Bleeding(at=at, recorded=recorded, asked=BleedingAsked.GRADED)
    return Bleeding(at=at, recorded=recorded, asked=BleedingAsked.GRADED, grade=int(grade), scale=scale)


def _span(text: str, calendar: _Calendar) -> tuple[datetime, datetime | None]:
    """``5`` is one day, ``5..8`` four days, ``5..`` goes on; a stop includes its whole day."""
    first, dots, last = text.partition("..")
    if not dots:
        last = first
    return calendar.instant(int(first)), calendar.instant(int(last) + 1) if last else None


def _course(text: str, calendar: _Calendar) -> Course:
    span, *words = text.split()
    first, _ = _span(span, calendar)
    _, stop = _span(span, calendar)
    start = first + (calendar.instant(0, FIRST_DOSE) - calendar.instant(0))
    return Course(at=start, recorded=start, stop=stop, stop_recorded=stop, retreatment="retreatment" in words)


def _therapy(text: str, calendar: _Calendar) -> Therapy:
    drug, span, role, *words = text.split()
    start, stop = _span(span, calendar)
    known = next((calendar.instant(int(word[6:])) for word in words if word.startswith("known=")), start)
    dose = next((word for word in words if "mg" in word), None)
    amount, _, interval = (dose or "").partition("mg/")
    return Therapy(
        at=start,
        recorded=known,
        stop=stop,
        stop_recorded=max(stop, known) if stop else None,
        drug=drug.replace("_", " "),
        role=role,
        amount=float(amount) if amount else None,
        unit="mg" if amount else None,
        interval_h=float(interval.removesuffix("h")) if interval else None,
    )


def _procedure(text: str, calendar: _Calendar) -> Procedure:
    kind, span, *words = text.split()
    start, stop = _span(span, calendar)
    known = next((calendar.instant(int(word[6:])) for word in words if word.startswith("known=")), start)
    return Procedure(at=start, recorded=known, stop=stop, stop_recorded=stop, kind=kind)
