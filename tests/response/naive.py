# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/science/response.md once more, in plain Python over lists: slow, readable, and nothing shared.

Written from that page and from the issue's text, not from the kernel. One patient is a list of rows and a list of
events; every question is answered by looking at all of them again. Names in brackets are the page's rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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


@dataclass
class Course:
    """Everything that the questions below share."""

    person: Person
    c: Any
    rows: list[Row]
    enders: list[Event]
    strict: Run
    lenient: Run
    dependent: set[int]
    failure: Event | None
    final: Event | None
    stopped: int | None

    @property
    def excluded(self) -> bool:
        limit, baseline = self.c.baseline_excludes_10e9_l, self.person.baseline
        return limit is not None and baseline is not None and baseline >= limit

    @property
    def wants_baseline(self) -> bool:
        return self.person.baseline is None and self.c.response_fold is not None and self.c.response_join == "and"


def course_of(person: Person, c: Any) -> Course:
    rows = [replace(row, masked=masked(row.day, person.events, c)) for row in person.rows]
    failed = sorted(failures(person, c), key=lambda event: event.day)
    final = next((event for event in failed if is_final(event, c)), None)
    looked_at = [row for row in rows if final is None or row.day < final.day]
    rescues = [event for event in person.events if event.kind in c.rescues and not event.cover and event.day >= 0]
    enders = [event for event in person.events if event in rescues or event is final]
    stops = [event.day for event in person.events if event.kind == "stopped-sirolimus"]
    limit = c.baseline_excludes_10e9_l
    if limit is not None and person.baseline is not None and person.baseline >= limit:
        rows, looked_at, enders, stops = [], [], [], []  # nothing is evaluable, so nothing is told
    return Course(
        person,
        c,
        looked_at,
        enders,
        run(looked_at, enders, c, False, person.baseline),
        run(looked_at, enders, c, True, person.baseline),
        dependent_days(person, c),
        failed[0] if failed else None,
        final,
        stops[0] if stops else None,
    )


def running_state(course: Course, strict: Run, lenient: Run) -> tuple[str, str]:
    """R-27."""
    c, known = course.c, course.person.known
    if known < 0:
        return "too-early", "NOT_STARTED"
    if course.excluded:
        return "not-evaluable", "BASELINE_TOO_HIGH"
    if course.final is not None:
        return "no-response", "FAILURE"
    for run_, only in ((strict, False), (lenient, True)):
        whole = run_.overall.running
        if whole is not None and not whole.late:
            if run_.complete.running is not None:
                return ("platelets-only", "BLEEDING_NOT_ASKED") if only else ("complete", "CONFIRMED")
            if course.wants_baseline:
                return "not-evaluable", "BASELINE"
            return ("platelets-only", "BLEEDING_NOT_ASKED") if only else ("response", "CONFIRMED")
    if any(run_.overall.running is not None for run_ in (strict, lenient)):
        return "no-response", "LATE"
    standing = [run_ for run_ in (strict, lenient) if run_.overall.candidate is not None]
    if standing:
        late = all(candidate_is_late(run_.overall, run_.overall.candidate[1].day, c) for run_ in standing)
        return ("no-response", "LATE") if late else ("provisional", "UNCONFIRMED")
    if not any(row.count is not None for row in course.person.rows):
        return ("too-early" if known < c.too_early_before_d else "not-evaluable"), "NO_COUNT"
    for run_ in (strict, lenient):
        ended = [episode for episode in run_.overall.episodes if not episode.late]
        if ended:
            return "no-response", "LOST" if ended[-1].by == "counts" else "RESCUE"
    if known < c.too_early_before_d:
        return "too-early", "NO_RESPONSE_YET"
    if not any(evaluable(course, row, True) for row in course.rows):
        no_baseline = any(wants(course, row) and not row.masked for row in course.rows)
        return "not-evaluable", "BASELINE" if no_baseline else "MASKED"
    return "no-response", "NEVER_RESPONDED"


def wants(course: Course, row: Row) -> bool:
    """Whether a count is unknown for want of a baseline: with bleeding settled it still is."""
    return row.count is not None and level(row, "overall", course.c, True, course.person.baseline) == UNKNOWN


def evaluable(course: Course, row: Row, lenient: bool) -> bool:
    return row.count is not None and judged(row, "overall", course.c, lenient, course.person.baseline) != UNKNOWN


def state_of(course: Course, strict: Run, lenient: Run) -> tuple[str, str]:
    """R-27 and R-28."""
    state, reason = running_state(course, strict, lenient)
    if course.person.known in course.dependent and state in ("complete", "response", "platelets-only", "provisional"):
        return "no-response", "STEROID_DEPENDENT"
    return state, reason


def winner(course: Course, t: int, masks: bool, until: int | None) -> tuple[Row | None, bool]:
    """R-36: the count, and whether only masked ones were there."""
    c, w = course.c, course.c.landmark_window_d
    if course.excluded:
        return None, False
    inside = [row for row in course.person.rows if row.count is not None and t - w <= row.day <= t + w]
    inside = [row for row in inside if until is None or row.day < until]
    free = [row for row in inside if not (masks and masked(row.day, course.person.events, c))]
    if not free:
        return None, bool(inside)
    side = 1 if c.landmark_tie == "later" else -1

    def near(row: Row) -> tuple[float, ...]:
        return (-abs(row.day - t), side * row.day, row.number)

    if c.landmark_count == "last":
        return max(free, key=lambda row: (row.day, row.number)), False
    if c.landmark_count == "highest":
        return max(free, key=lambda row: (row.count, *near(row))), False
    return max(free, key=near), False


def before_counts(course: Course, t: int, composite: bool) -> tuple[str, str] | None:
    """The first five lines of R-37."""
    c, person = course.c, course.person
    if person.known <= t + c.landmark_window_d:
        return "not-due", "NOT_DUE"
    if course.excluded:
        return "not-evaluable", "BASELINE_TOO_HIGH"
    if not composite:
        return None
    if course.failure is not None and course.failure.day <= t:
        return "no-response", "FAILURE"
    if rescue_mask(t, person.events, c):
        return "no-response", "RESCUE"
    if t in course.dependent:
        return "no-response", "STEROID_DEPENDENT"
    return None


def landmark(course: Course, t: int, composite: bool, strict: Run, lenient: Run) -> tuple[str, str]:
    """R-37 and R-38."""
    c = course.c
    early = before_counts(course, t, composite)
    if early is not None:
        return early
    until = course.final.day if composite and course.final is not None else None
    row, only_masked = winner(course, t, composite, until)
    if row is None:
        return c.missing_is, "MASKED" if only_masked else "MISSING"
    limit = t + c.landmark_window_d + c.confirming_grace_d
    found = [confirmed_at(course, run_, row, only, limit) for run_, only in ((strict, False), (lenient, True))]
    for answer in sorted(filter(None, found), key=lambda one: one[1] == "LATE"):
        return answer
    qualifying = [
        run_
        for run_, lenient_ in ((strict, False), (lenient, True))
        if level(row, "overall", c, lenient_, course.person.baseline) == QUALIFIES
    ]
    if qualifying and course.person.known <= limit:
        standing = [run_.overall for run_ in qualifying if stands(run_, row)]
        if standing:
            late = all(candidate_is_late(overall, overall.candidate[1].day, c) for overall in standing)
            return ("no-response", "LATE") if late else ("provisional", "UNCONFIRMED")
    if qualifying:
        return "no-response", "UNCONFIRMED"
    if wants(course, row):
        return "not-evaluable", "BASELINE"
    return "no-response", "COUNT"


def confirmed_at(course: Course, run_: Run, row: Row, only: bool, limit: int) -> tuple[str, str] | None:
    """Lines 7 and 8 of R-37 for one run."""
    c, baseline, place = course.c, course.person.baseline, run_.place(row)
    for ladder, name in ((run_.complete, "complete"), (run_.overall, "overall")):
        if level(row, name, c, only, baseline) != QUALIFIES:
            continue
        inside = [episode for episode in ladder.episodes if episode.holds(place) and episode.confirmed <= limit]
        if not inside:
            continue
        whole = inside[0] if name == "overall" else around(run_, inside[0])
        if whole is None:
            continue
        if whole.late:
            return "no-response", "LATE"
        if name == "overall" and course.wants_baseline:
            return "not-evaluable", "BASELINE"
        if only:
            return "platelets-only", "BLEEDING_NOT_ASKED"
        return ("complete" if name == "complete" else "response"), "CONFIRMED"
    return None


def stands(run_: Run, row: Row) -> bool:
    """Whether the candidate of a count still is the candidate at the end."""
    overall, place = run_.overall, run_.place(row)
    return overall.candidate is not None and overall.candidates.get(place) == overall.candidate[0]


def single(course: Course, t: int) -> tuple[str, str]:
    """R-39."""
    c, baseline = course.c, course.person.baseline
    early = before_counts(course, t, True)
    if early is not None:
        return early
    row, only_masked = winner(course, t, True, course.final.day if course.final else None)
    if row is None:
        return c.missing_is, "MASKED" if only_masked else "MISSING"
    for lenient in (False, True):
        if level(row, "overall", c, lenient, baseline) != QUALIFIES:
            continue
        first = next(one for one in course.rows if judged(one, "overall", c, lenient, baseline) == QUALIFIES)
        if not in_time(first.day, c):
            return "no-response", "LATE"
        if lenient:
            return "platelets-only", "BLEEDING_NOT_ASKED"
        return ("complete" if level(row, "complete", c, False, baseline) == QUALIFIES else "response"), "SINGLE"
    return ("not-evaluable", "BASELINE") if wants(course, row) else ("no-response", "COUNT")


def policy(course: Course, t: int) -> tuple[str, str]:
    """R-40, treatment policy: the counts as they came."""
    rows = course.person.rows
    strict, lenient = (run(rows, [], course.c, one, course.person.baseline) for one in (False, True))
    free = replace_course(course, rows, strict, lenient)
    return landmark(free, t, False, strict, lenient)


def replace_course(course: Course, rows: list[Row], strict: Run, lenient: Run) -> Course:
    return Course(course.person, course.c, rows, [], strict, lenient, set(), None, None, course.stopped)


def on_treatment(course: Course, t: int) -> tuple[str, str]:
    """R-40, while on treatment."""
    ends = [] if course.failure is None else [course.failure.day]
    ends += [] if course.stopped is None else [course.stopped + 1]
    if not ends or t < min(ends):
        return landmark(course, t, True, course.strict, course.lenient)
    early, end = before_counts(course, t, False), min(ends)
    if early is not None:
        return early
    rows = [row for row in course.rows if row.day < end]
    enders = [event for event in course.enders if event.day < end]
    runs = [run(rows, enders, course.c, lenient, course.person.baseline) for lenient in (False, True)]
    running = [(run_, only) for run_, only in zip(runs, (False, True), strict=True) if run_.overall.running is not None]
    for run_, only in running:
        if run_.overall.running.late:
            continue
        if run_.complete.running is None and course.wants_baseline:
            return "not-evaluable", "BASELINE"
        if end - 1 in course.dependent:
            return "no-response", "STEROID_DEPENDENT"
        if only:
            return "platelets-only", "BLEEDING_NOT_ASKED"
        return ("complete" if run_.complete.running is not None else "response"), "CONFIRMED"
    return "no-response", "LATE" if running else "NOT_CONFIRMED_ON_TREATMENT"


def dated(episode: Episode, c: Any) -> int:
    return episode.achieved if c.dated_by == "first" else episode.confirmed


def off_treatment(course: Course) -> tuple[str, int, int]:
    """R-35: how it stands, when reached, when it failed."""
    c, person, stop = course.c, course.person, course.stopped
    if stop is None:
        return "NOT_STOPPED", NONE, NONE
    itp = set(KINDS) - {"stopped-sirolimus"}
    happened = [
        (max(e.day, stop + 1), 0, "fails") for e in person.events if e.kind in itp and not e.cover and e.last > stop
    ]
    for row in person.rows:
        if row.day <= stop:
            continue
        low = row.count is not None and row.count < c.off_treatment_10e9_l
        bled = row.bleeding >= c.off_treatment_bleeding_grade
        if low or bled:
            happened.append((row.day, 1, "fails"))
        elif row.count is not None and row.day >= stop + c.off_treatment_d:
            happened.append((row.day, 1, "reached"))
    reached = NONE
    for day, _, what in sorted(happened, key=lambda one: one[:2]):
        if what == "fails":
            return ("FAILED" if reached == NONE else "REACHED"), reached, day
        reached = day if reached == NONE else reached
    return ("RUNNING" if reached == NONE else "REACHED"), reached, NONE


def best(course: Course) -> str | None:
    """R-32."""
    if not any(evaluable(course, row, False) for row in course.rows):
        return None
    found = "no-response"
    c, baseline, strict = course.c, course.person.baseline, course.strict
    for name, ladder in (("overall", strict.overall), ("complete", strict.complete)):
        if name == "overall" and course.wants_baseline:
            continue
        for episode in ladder.episodes:
            whole = episode if name == "overall" else around(strict, episode)
            if whole is None or whole.late:
                continue
            for place, row in enumerate(strict.line):
                if isinstance(row, Event) or place < episode.confirmed_at or not episode.holds(place):
                    continue
                if row.day not in course.dependent and judged(row, name, c, False, baseline) == QUALIFIES:
                    found = "complete" if name == "complete" or found == "complete" else "response"
    return found


def sustained(course: Course) -> int:
    """R-34."""
    c, strict = course.c, course.strict
    if course.excluded:
        return -1
    good = [episode for episode in strict.overall.episodes if not episode.late]
    for episode in good:
        wanted = c.sustained_d + (episode.achieved if c.sustained_from == "achieved" else 0)
        for place, row in enumerate(strict.line):
            if isinstance(row, Event) or place < episode.confirmed_at or not episode.holds(place):
                continue
            if row.day >= wanted and judged(row, "overall", c, False, course.person.baseline) == QUALIFIES:
                return 1
    open_one = any(episode.ended is None for episode in good)
    return -1 if course.person.known < c.sustained_d or open_one else 0


def told(course: Course) -> dict[str, Any]:
    """R-31 to R-34: what is told about the course."""
    c, strict = course.c, course.strict
    good = [episode for episode in strict.overall.episodes if not episode.late]
    deep = [e for e in strict.complete.episodes if (whole := around(strict, e)) is not None and not whole.late]
    last = max((row.day for row in course.rows if row.count is not None), default=NONE)
    first, full = (episodes[0] if episodes else None for episodes in (good, deep))
    ended = next((episode for episode in good if episode.ended is not None), None)
    lost = next((episode for episode in good if episode.by == "counts"), None)
    late = next((episode for episode in strict.overall.episodes if episode.late), None)
    both = [] if first is None else [e for e in strict.complete.episodes if e.achieved == first.achieved]
    answers: dict[str, Any] = {
        "achieved_day": first.achieved if first else NONE,
        "confirmed_day": first.confirmed if first else NONE,
        "achieved_state": None if first is None else "complete" if both else "response",
        "lost_day": lost.ended if lost else NONE,
        "relapse_day": ended.ended if ended else NONE,
        "cr_achieved_day": full.achieved if full else NONE,
        "cr_confirmed_day": full.confirmed if full else NONE,
        "cr_lost_day": full.ended if full and full.ended is not None else NONE,
        "time_to_response_d": dated(first, c) if first else NONE,
        "time_to_complete_d": dated(full, c) if full else NONE,
        "episodes": len(good),
        "pending_day": strict.overall.pending[1].day if strict.overall.pending else NONE,
        "candidate_day": strict.overall.candidate[1].day if strict.overall.candidate else NONE,
        "last_count_day": last,
        "late_day": late.achieved if late else NONE,
        "ended_kind": KINDS.index(first.by) if first and first.by not in (None, "counts") else NONE,
    }
    for name, episode in (("", first), ("cr_", full)):
        until = NONE if episode is None else last if episode.ended is None else episode.ended
        answers[f"{name}duration_d"] = NONE if episode is None else until - dated(episode, c)
        answers[f"{name}duration_ended"] = episode is not None and episode.ended is not None
    days: list[int] = []
    for episode in good:
        days += range(dated(episode, c) + 1, (last if episode.ended is None else episode.ended) + 1)
    answers["days_in_response"] = len([day for day in days if day not in course.dependent])
    answers["days_examined"] = max(last, 0)
    return answers


def answers_of(person: Person, c: Any) -> dict[str, Any]:
    """Everything that `classify` answers about one patient, by the names of its arrays."""
    course = course_of(person, c)
    answers = told(course)
    answers["state"], answers["reason"] = state_of(course, course.strict, course.lenient)
    answers["platelet_state"], _ = state_of(course, course.lenient, course.lenient)
    answers["best"] = best(course)
    answers["sustained"] = sustained(course)
    answers["off_treatment"], answers["off_treatment_day"], answers["off_treatment_end_day"] = off_treatment(course)
    answers["failure_day"] = course.failure.day if course.failure else NONE
    answers["failure_kind"] = KINDS.index(course.failure.kind) if course.failure else NONE
    on_course = [day for day in course.dependent if day >= 0]
    answers["steroid_dependent_day"] = min(on_course, default=NONE)
    answers["steroid_dependent_last_day"] = max(on_course, default=NONE)
    pairs: dict[str, list[tuple[str, str]]] = {
        "landmark": [landmark(course, t, True, course.strict, course.lenient) for t in c.landmarks_d],
        "landmark_single": [single(course, t) for t in c.landmarks_d],
        "landmark_policy": [policy(course, t) for t in c.landmarks_d],
        "landmark_on_treatment": [on_treatment(course, t) for t in c.landmarks_d],
    }
    for name, found in pairs.items():
        answers["landmark_state" if name == "landmark" else name] = [state for state, _ in found]
        answers[f"{name}_reason"] = [reason for _, reason in found]
    rows = [winner(course, t, True, course.final.day if course.final else None)[0] for t in c.landmarks_d]
    answers["landmark_row"] = [NONE if row is None else row.number for row in rows]
    return answers


def people_of(visits: Any) -> list[Person]:
    """Visits as plain lists; what lies after the known day or before day 1 is not looked at (R-3, R-6)."""
    people = []
    for number in range(len(visits.start) - 1):
        known = int(visits.known_day[number])
        rows = [
            Row(row, int(visits.day[row]), None if count != count else count, int(visits.bleeding[row]))
            for row in range(int(visits.start[number]), int(visits.start[number + 1]))
            for count in [float(visits.count_10e9_l[row])]
        ]
        events = [
            Event(
                KINDS[int(visits.event_kind[e])],
                int(visits.event_day[e]),
                int(visits.event_last_day[e]),
                bool(visits.event_cover[e]),
                None if visits.event_mg_d[e] != visits.event_mg_d[e] else float(visits.event_mg_d[e]),
            )
            for e in range(int(visits.event_start[number]), int(visits.event_start[number + 1]))
        ]
        usable = int(visits.baseline_state[number]) == USABLE
        people.append(
            Person(
                [row for row in rows if 1 <= row.day <= known],
                [event for event in events if event.day <= known],
                float(visits.baseline_10e9_l[number]) if usable else None,
                known,
            )
        )
    return people


def naive(visits: Any, c: Any) -> list[dict[str, Any]]:
    """The answers for every patient."""
    return [answers_of(person, c) for person in people_of(visits)]
