# SPDX-License-Identifier: Apache-2.0
"""One patient's response as a page: the verdict and why, the landmarks, the counts it rests on, how it has changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sirolens.chart import BleedingAsked, Chart
from sirolens.message import Message, Severity, Value, info
from sirolens.report.document import (
    Block,
    Column,
    Document,
    Figure,
    Findings,
    Heading,
    Headline,
    KeyFact,
    KeyFacts,
    Paragraph,
    Table,
)
from sirolens.report.figures import Bleed, PlateletCourse, PlateletPoint, Rescue
from sirolens.response.reasons import state_name
from sirolens.response.revisions import Revision
from sirolens.response.states import NEVER, STATES, OffTreatment, State
from sirolens.response.verdict import CountUsed, Verdict

__all__ = ["response_document"]

ASKED = {-1: "verdict.bleeding-not-asked", 0: "verdict.bleeding-none"}
UNGRADED = 9
"""A bleeding whose grade was not told."""
SUSTAINED = {1: "verdict.yes", 0: "verdict.no", -1: "verdict.not-known-yet"}


def response_document(
    chart: Chart, found: Verdict, changes: Sequence[Revision], *, flags: Sequence[Message] = (), version: str
) -> Document:
    """Lay a verdict out as a document.

    Parameters
    ----------
    chart : Chart
        What was known.
    found : Verdict
        The verdict on it.
    changes : sequence of Revision
        How it came to it.
    flags : sequence of Message
        What reading the chart had to say.
    version : str
        Version of the program.

    Returns
    -------
    Document
        Without language; the renderers say it in English or Chinese.
    """
    blocks: list[Block] = [
        Headline(text=_headline(found), details=(found.reason, _by(found))),
        KeyFacts(facts=_key_facts(found)),
        Heading(text=info("verdict.landmarks")),
        *_landmarks(found),
        Heading(text=info("verdict.counts")),
        *_counts(found),
        *_figure(chart, found),
        *_changes(changes),
    ]
    if notes := tuple(dict.fromkeys((*found.notes, *flags))):
        blocks += [Heading(text=info("verdict.notes")), Findings(messages=notes)]
    age = chart.patient.age_on(found.at.astimezone(ZoneInfo(chart.zone)).date())
    return Document(
        title=info("verdict.title"),
        banner=info(
            "verdict.banner",
            patient=chart.patient.id,
            age_years=info("advice.unknown") if age is None else age,
            sex=chart.patient.sex.value,
            diagnosis=chart.patient.diagnosis,
        ),
        blocks=tuple(blocks),
        made_at=found.at,
        version=version,
        zone=chart.zone,
        invented=chart.patient.invented,
    )


def _headline(found: Verdict) -> Message:
    good = found.state in (State.COMPLETE, State.RESPONSE)
    code = "verdict.stands" if good else "verdict.stands-not"
    severity = Severity.INFO if good else Severity.WARNING
    return Message(code=code, severity=severity, items=(("state", state_name(found.state)),))


def _by(found: Verdict) -> Message:
    return info("verdict.by-criteria", written=found.criteria.title, version=found.criteria.version)


def _day(found: Verdict, day: int) -> Value:
    """A day of the course as a date with its number; None where it did not happen."""
    if day == NEVER or found.days is None:
        return None
    return info("verdict.day-and-date", on=found.days.date(day), day=day)


def _baseline(found: Verdict) -> Value:
    before = found.baseline
    if math.isnan(before.count_10e9_l) or before.day is None or found.days is None:
        return info("verdict.no-baseline")
    return info("verdict.count-on", count_10e9_l=before.count_10e9_l, on=found.days.date(before.day))


def _key_facts(found: Verdict) -> tuple[KeyFact, ...]:
    course = found.classified
    best = int(course.best[0])
    facts: list[tuple[str, Value]] = [
        ("verdict.baseline", _baseline(found)),
        ("verdict.achieved", _day(found, int(course.achieved_day[0]))),
        ("verdict.confirmed", _day(found, int(course.confirmed_day[0]))),
        ("verdict.relapse", _day(found, int(course.relapse_day[0]))),
        ("verdict.best", None if best == NEVER else state_name(STATES[best])),
    ]
    if course.achieved_day[0] != NEVER:
        facts += [(f"verdict.duration-{kind}", _duration(found, kind)) for kind in found.criteria.durations]
        facts += [("verdict.sustained", info(SUSTAINED[int(course.sustained[0])]))]
    if course.off_treatment[0] != OffTreatment.NOT_STOPPED:
        code = OffTreatment(int(course.off_treatment[0])).name.lower()
        facts += [("verdict.off-treatment", info(f"verdict.off-treatment-{code}"))]
    return tuple(KeyFact(label=info(label), value=value) for label, value in facts if value is not None)


def _duration(found: Verdict, kind: str) -> Message:
    """Both durations of the IWG: until the loss, and the share of the time examined."""
    course = found.classified
    if kind == "b":
        days, examined = int(course.days_in_response[0]), int(course.days_examined[0])
        return info("verdict.days-of", days_d=days, examined_d=examined)
    code = "verdict.ended-after" if course.duration_ended[0] else "verdict.goes-on-for"
    return info(code, days_d=int(course.duration_d[0]))


def _bleeding(grade: int) -> Message:
    if grade in ASKED:
        return info(ASKED[grade])
    return info("verdict.bleeding-ungraded") if grade == UNGRADED else info("verdict.bleeding-grade", grade=grade)


def _head(name: str) -> Message:
    """The head of a column, by the name of its values without their unit."""
    return info(f"verdict.column-{name.removesuffix('_10e9_l').replace('_', '-')}")


def _landmarks(found: Verdict) -> list[Block]:
    if not found.landmarks:
        return [Paragraph(sentences=(found.reason,))]
    heads = ("landmark", "on", "state", "count_10e9_l", "single", "policy", "on_treatment")
    columns = tuple(
        Column(head=info(f"verdict.column-{name.split('_10e9')[0].replace('_', '-')}"), name=name) for name in heads
    )
    rows = tuple(
        (
            info("verdict.day", day=one.day),
            one.on,
            state_name(one.state),
            None if one.count is None else one.count.count_10e9_l,
            *(state_name(state) for state in (one.single, one.policy, one.on_treatment)),
        )
        for one in found.landmarks
    )
    why = tuple(info("verdict.landmark-why", day=one.day, why=one.reason) for one in found.landmarks)
    notes = (info("verdict.landmark-note", window_d=found.criteria.landmark_window_d),)
    return [Table(columns=columns, rows=rows, notes=notes), Paragraph(sentences=why)]


def _counts(found: Verdict) -> list[Block]:
    if not found.counts:
        return [Paragraph(sentences=(info("verdict.no-counts"),))]
    heads = ("use", "day", "on", "count_10e9_l", "bleeding")
    columns = tuple(Column(head=_head(name), name=name) for name in heads)
    return [Table(columns=columns, rows=tuple(_count_row(one) for one in found.counts))]


def _count_row(one: CountUsed) -> tuple[Value, ...]:
    count = None if math.isnan(one.count_10e9_l) else one.count_10e9_l
    bleeding = None if one.use == "baseline" else _bleeding(one.bleeding)
    return (info(f"verdict.use-{one.use}"), one.day, one.on, count, bleeding)


def _figure(chart: Chart, found: Verdict) -> list[Block]:
    """The platelet course of the whole chart, with the thresholds of the criteria."""
    if not chart.platelet_counts:
        return []
    criteria = found.criteria
    drawing = PlateletCourse(
        counts=tuple(PlateletPoint(at=one.at, count_10e9_l=one.count_10e9_l) for one in chart.platelet_counts),
        bleedings=tuple(
            Bleed(at=one.at, grade=one.grade) for one in chart.bleedings if one.asked is BleedingAsked.GRADED
        ),
        rescues=tuple(
            Rescue(start=one.at, stop=one.stop, drug=one.drug) for one in chart.therapies if one.role == "rescue"
        ),
        response_10e9_l=30.0 if criteria.response_10e9_l is None else criteria.response_10e9_l,
        complete_10e9_l=criteria.complete_10e9_l,
        now=found.at,
    )
    return [
        Figure(name="platelets", drawing=drawing, alt=info("verdict.figure-alt", counts=len(chart.platelet_counts)))
    ]


def _changes(changes: Sequence[Revision]) -> list[Block]:
    if not changes:
        return []
    columns = tuple(Column(head=_head(name), name=name) for name in ("seen", "what", "before", "after", "cause"))
    rows = tuple(
        (
            revision.after,
            info("verdict.the-state") if change.landmark_d is None else info("verdict.day", day=change.landmark_d),
            state_name(change.before),
            state_name(change.after),
            revision.causes,
        )
        for revision in changes
        for change in revision.changes
    )
    note = (info("verdict.changes-note"),)
    return [Heading(text=info("verdict.changes")), Table(columns=columns, rows=rows, notes=note)]
