# SPDX-License-Identifier: Apache-2.0
"""The first half of the naive interpreter: what one count says, and the two ladders over the days.

See `tests.response.naive`; names in brackets are rules of docs/science/response.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "ivig",
    "anti-d",
    "steroid-pulse",
    "platelet-transfusion",
    "new-itp-drug",
    "raised-dose",
    "splenectomy",
    "steroid",
    "stopped-sirolimus",
    "background",
)
NONE = -1
USABLE = 0
QUALIFIES, FAILS, UNKNOWN = "qualifies", "fails", "unknown"


@dataclass(frozen=True)
class Row:
    number: int
    day: int
    count: float | None
    bleeding: int
    masked: bool = False


@dataclass(frozen=True)
class Event:
    kind: str
    day: int
    last: int
    cover: bool
    mg_d: float | None


@dataclass(frozen=True)
class Person:
    rows: list[Row]
    events: list[Event]
    baseline: float | None
    known: int


@dataclass
class Episode:
    """A confirmed response: places are positions in the time line, where events come before the counts of their day."""

    start: int
    achieved: int
    confirmed_at: int
    confirmed: int
    end: int | None = None
    ended: int | None = None
    by: str | None = None
    late: bool = False

    def holds(self, place: int) -> bool:
        return self.start <= place and (self.end is None or place < self.end)


@dataclass
class Ladder:
    episodes: list[Episode] = field(default_factory=list)
    running: Episode | None = None
    candidate: tuple[int, Row] | None = None
    candidates: dict[int, int] = field(default_factory=dict)
    pending: tuple[int, Row] | None = None

    def stop(self, place: int, day: int, by: str) -> None:
        if self.running is not None:
            self.running.end, self.running.ended, self.running.by = place, day, by
        self.running = self.candidate = self.pending = None


@dataclass
class Run:
    """Both ladders over one time line."""

    line: list[Row | Event]
    complete: Ladder
    overall: Ladder

    def place(self, row: Row) -> int | None:
        for place, item in enumerate(self.line):
            if isinstance(item, Row) and item.number == row.number:
                return place
        return None


def compared(a: float, operator: str, b: float) -> bool:
    return a >= b if operator == ">=" else a > b


def all_true(*parts: bool | None) -> bool | None:
    """AND with an unknown (R-12)."""
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def any_true(*parts: bool | None) -> bool | None:
    """OR with an unknown (R-12)."""
    if any(part is True for part in parts):
        return True
    return None if any(part is None for part in parts) else False


def no_bleeding(row: Row, c: Any, not_asked_is_none: bool) -> bool | None:
    if row.bleeding == NONE:
        return True if not_asked_is_none or c.bleeding_not_asked == "none" else None
    return row.bleeding < c.bleeding_grade


def is_complete(row: Row, c: Any, lenient: bool) -> bool | None:
    """R-10."""
    enough = compared(row.count, c.complete_operator, c.complete_10e9_l)
    return all_true(enough, no_bleeding(row, c, lenient)) if c.complete_without_bleeding else enough


def is_response(row: Row, c: Any, lenient: bool, baseline: float | None) -> bool | None:
    """R-11."""
    parts: list[bool | None] = []
    if c.response_10e9_l is not None:
        parts.append(compared(row.count, c.response_operator, c.response_10e9_l))
    if c.response_fold is not None:
        wanted = None if baseline is None else round(c.response_fold * baseline, 6)
        parts.append(None if wanted is None else compared(row.count, c.fold_operator, wanted))
    if not parts:
        return False
    platelets = all_true(*parts) if c.response_join == "and" else any_true(*parts)
    return all_true(platelets, no_bleeding(row, c, lenient)) if c.response_without_bleeding else platelets


def level(row: Row, ladder: str, c: Any, lenient: bool, baseline: float | None) -> str:
    """R-13 and R-14, without the mask."""
    if row.count is None:
        bleeds = row.bleeding >= c.bleeding_grade
        asked_of_all = c.complete_without_bleeding and (ladder == "complete" or c.response_without_bleeding)
        return FAILS if bleeds and asked_of_all else UNKNOWN
    verdict = is_complete(row, c, lenient)
    if ladder == "overall":
        verdict = any_true(verdict, is_response(row, c, lenient, baseline))
    return {True: QUALIFIES, False: FAILS, None: UNKNOWN}[verdict]


def judged(row: Row, ladder: str, c: Any, lenient: bool, baseline: float | None) -> str:
    """The level with the mask (R-20)."""
    found = level(row, ladder, c, lenient, baseline)
    if row.masked and row.count is not None and (found == QUALIFIES or c.masked_failing_counts == "ignored"):
        return UNKNOWN
    return found


def run(rows: list[Row], enders: list[Event], c: Any, lenient: bool, baseline: float | None) -> Run:
    """The two ladders side by side (R-15 to R-17, R-21, R-29)."""
    line: list[Row | Event] = []
    for day in sorted({item.day for item in [*rows, *enders]}):
        line += [event for event in enders if event.day == day]
        line += [row for row in rows if row.day == day]
    both = {"complete": Ladder(), "overall": Ladder()}
    for place, item in enumerate(line):
        if isinstance(item, Event):
            for ladder in both.values():
                ladder.stop(place, item.day, item.kind)
            continue
        lost = step(both["overall"], place, item, judged(item, "overall", c, lenient, baseline), c)
        step(both["complete"], place, item, judged(item, "complete", c, lenient, baseline), c)
        if lost:
            both["complete"].stop(place, item.day, "counts")
    mark_late(both["overall"], c)
    return Run(line, both["complete"], both["overall"])


def step(ladder: Ladder, place: int, row: Row, found: str, c: Any) -> bool:
    """One count; says whether it made a loss."""
    if found == UNKNOWN:
        return False
    if ladder.running is None:
        if found == FAILS:
            if c.failing_between_breaks:
                ladder.candidate = None
            return False
        ladder.candidate = ladder.candidate or (place, row)
        first_place, first = ladder.candidate
        ladder.candidates[place] = first_place
        if row.day - first.day >= c.confirmation_d:
            ladder.running = Episode(first_place, first.day, place, row.day)
            ladder.episodes.append(ladder.running)
            ladder.candidate = ladder.pending = None
        return False
    if found == QUALIFIES:
        ladder.pending = None
        return False
    ladder.pending = ladder.pending or (place, row)
    first_place, first = ladder.pending
    if row.day - first.day < c.loss_d:
        return False
    ladder.stop(first_place, first.day if c.loss_dated_by == "first" else row.day, "counts")
    return True


def mark_late(overall: Ladder, c: Any) -> None:
    """R-19."""
    for number, episode in enumerate(overall.episodes):
        in_time_before = any(in_time(earlier.achieved, c) for earlier in overall.episodes[:number])
        episode.late = not in_time(episode.achieved, c) and not in_time_before


def in_time(day: int, c: Any) -> bool:
    return c.late_limit_d is None or day <= c.late_limit_d


def candidate_is_late(overall: Ladder, day: int, c: Any) -> bool:
    return not in_time(day, c) and not any(in_time(episode.achieved, c) for episode in overall.episodes)


def around(run_: Run, episode: Episode) -> Episode | None:
    """The overall episode that a complete one lies in."""
    return next((whole for whole in run_.overall.episodes if whole.holds(episode.start)), None)


def masked(day: int, events: list[Event], c: Any) -> bool:
    return any(event.kind in c.mask_d and event.day <= day <= event.last + c.mask_d[event.kind] for event in events)


def rescue_mask(day: int, events: list[Event], c: Any) -> bool:
    return masked(day, [event for event in events if event.kind in c.rescues and not event.cover], c)


def failures(person: Person, c: Any) -> list[Event]:
    """R-23."""
    kinds = c.failing_events
    return [event for event in person.events if event.kind in kinds and not event.cover and event.day > c.bridging_d]


def is_final(event: Event, c: Any) -> bool:
    return event.kind in c.final_events or not c.regain_after_rescue


def dependent_days(person: Person, c: Any) -> set[int]:
    """R-24; days up to the known day."""
    if not c.steroid_dependence:
        return set()
    spans = sorted(
        (event.day, event.last)
        for event in person.events
        if event.kind in ("steroid", "steroid-pulse") and (event.mg_d is None or event.mg_d > c.steroid_above_mg_d)
    )
    chains: list[list[int]] = []
    for first, last in spans:
        if chains and first - chains[-1][1] <= c.steroid_gap_d:
            chains[-1][1] = max(chains[-1][1], last)
        else:
            chains.append([first, last])
    days: set[int] = set()
    for first, last in chains:
        days |= set(range(first + c.steroid_days, min(last, person.known) + 1))
    return days
