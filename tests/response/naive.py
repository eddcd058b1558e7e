# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/science/response.md once more, in plain Python over lists: slow, readable, and nothing shared.

Written from that page and from the issue's text, not from the kernel. One patient is a list of rows and a list of
events; every question is answered by looking at all of them again. Names in brackets are the page's rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.response.naive_ladders import (
    KINDS,
    NONE,
    QUALIFIES,
    UNKNOWN,
    USABLE,
    Episode,
    Event,
    Person,
    Row,
    Run,
    around,
    candidate_is_late,
    dependent_days,
    failures,
    in_time,
    is_final,
    judged,
    level,
    masked,
    rescue_mask,
    run,
)


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
        rows = of_days(
            [
                Row(row, int(visits.day[row]), None if count != count else count, int(visits.bleeding[row]))
                for row in range(int(visits.start[number]), int(visits.start[number + 1]))
                for count in [float(visits.count_10e9_l[row])]
            ]
        )
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


def of_days(rows: list[Row]) -> list[Row]:
    """Bleeding of a day is the worst told on it, for each of its counts; alone only where there is no count (R-5)."""
    worst = {day: max(row.bleeding for row in rows if row.day == day) for day in {row.day for row in rows}}
    counted = {row.day for row in rows if row.count is not None}
    kept = [row for row in rows if row.count is not None or row.day not in counted]
    return [replace(row, bleeding=worst[row.day]) for row in kept]


def naive(visits: Any, c: Any) -> list[dict[str, Any]]:
    """The answers for every patient."""
    return [answers_of(person, c) for person in people_of(visits)]
