# SPDX-License-Identifier: Apache-2.0
"""What changed in a review, as pages: after an update, between two snapshots, and which studies are under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from sirolens.evidence.review.diff import Difference, MovedEstimate
from sirolens.evidence.review.events import Kind
from sirolens.evidence.review.folder import Review
from sirolens.evidence.review.forms import Forms
from sirolens.evidence.review.state import Box, Snapshot, State
from sirolens.evidence.review.update import carried_over, cumulative, new_publications, ongoing, triggers
from sirolens.message import Message, Value, checked, info, warning
from sirolens.report.document import Block, Cell, Column, Document, Findings, Heading, Interval, Paragraph, Table
from sirolens.study.review.estimates import estimate_words, estimates_over_time

__all__ = [
    "diff_document",
    "diff_json",
    "ongoing_document",
    "ongoing_json",
    "update_document",
    "update_json",
    "update_steps",
]

SHOWN_MOVES = 40


def update_steps(state: State, *, retracted: int) -> tuple[Message, ...]:
    """Return what an update found and what is to be done about it."""
    counts = state.counts(version=state.version)
    pending = counts[Box.TITLE_PENDING]
    carried = carried_over(state)
    steps = [
        info("review.update-known", known=counts[Box.ALREADY_KNOWN], duplicates=counts[Box.DUPLICATE]),
        info("review.update-new", count=len(new_publications(state)) - len(carried), carried=len(carried)),
        info("review.update-pending", count=pending),
    ]
    if retracted:
        steps.append(warning("review.update-retracted", count=retracted))
    elif any(event.kind is Kind.CHECKED for event in state.events):
        steps.append(checked("review.update-none-retracted", records=len(state.clusters)))
    if state.asks:
        steps.append(warning("review.next-asks", count=len(state.asks)))
    return tuple(steps)


def update_document(review: Review, forms: Forms, steps: tuple[Message, ...], *, today: date, version: str) -> Document:
    """Lay out what an update found, where each trigger stands, and what was known by the date of each search."""
    state = review.state
    blocks: list[Block] = [Findings(messages=steps)]
    due = triggers(state, review.reading.protocol, today=today)
    if due:
        rows: list[tuple[Cell, ...]] = [
            (
                info(f"review.trigger-name-{one.kind}"),
                one.limit,
                one.value,
                info("review.due" if one.due else "review.not-due"),
            )
            for one in due
        ]
        heads = ("trigger", "limit", "now", "due")
        blocks.append(Table(columns=_columns(heads), rows=tuple(rows), caption=info("review.triggers-caption")))
    blocks.append(_cumulative(state))
    over_time = _over_time(forms, state)
    if over_time.rows:
        blocks.append(over_time)
    return Document(title=info("review.update-title"), blocks=tuple(blocks), version=version)


def _columns(names: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(head=info(f"review.column-{name}"), name=name.replace("-", "_")) for name in names)


def _cumulative(state: State) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (row.on, row.records, row.publications, len(row.included), len(row.studies)) for row in cumulative(state)
    ]
    heads = ("searched-on", "records", "publications", "included", "studies")
    return Table(columns=_columns(heads), rows=tuple(rows), caption=info("review.cumulative-caption"))


def _over_time(forms: Forms, state: State) -> Table:
    """The cumulative estimates, a row where one changed: what each search brought."""
    names = estimate_words(forms)
    told = [(on, row) for on, found in estimates_over_time(forms, state) for row in found]
    rows: list[tuple[Cell, ...]] = [
        (names[name], on, row["k"], _estimate(row)) for name in names for on, row in told if row["name"] == name
    ]
    heads = ("estimate", "searched-on", "studies", "pooled")
    return Table(columns=_columns(heads), rows=tuple(rows), caption=info("review.over-time-caption"))


def update_json(review: Review, forms: Forms, *, today: date) -> dict[str, Any]:
    """Return an update as JSON values."""
    state = review.state
    return {
        "version": state.version,
        "new": list(new_publications(state)),
        "boxes": {box.value: count for box, count in state.counts(version=state.version).items()},
        "triggers": [
            {"kind": one.kind, "limit": one.limit, "value": one.value, "due": one.due}
            for one in triggers(state, review.reading.protocol, today=today)
        ],
        "cumulative": [
            {
                "on": row.on.isoformat(),
                "records": row.records,
                "publications": row.publications,
                "included": list(row.included),
                "studies": list(row.studies),
            }
            for row in cumulative(state)
        ],
        "estimates": [{"on": on.isoformat(), "rows": list(rows)} for on, rows in estimates_over_time(forms, state)],
    }


def ongoing_json(state: State) -> list[dict[str, Any]]:
    """Return the table of ongoing studies as JSON values."""
    return [
        {
            "title": one.title,
            "registration": one.registration,
            "status": one.status,
            "expected": one.expected,
            "note": one.note,
            "seen_on": one.seen_on.isoformat(),
            "results": list(one.results),
        }
        for one in ongoing(state)
    ]


def ongoing_document(state: State, *, version: str) -> Document:
    """Lay out the studies that are under way."""
    rows: list[tuple[Cell, ...]] = [
        (
            one.registration or None,
            one.title,
            one.status or None,
            one.expected or None,
            one.seen_on,
            ", ".join(one.results) or None,
        )
        for one in ongoing(state)
    ]
    heads = ("registration", "title", "state", "expected", "seen-on", "results")
    table = Table(columns=_columns(heads), rows=tuple(rows), caption=info("review.ongoing-caption"))
    blocks = (table,) if rows else (Paragraph(sentences=(info("review.list-empty"),)),)
    return Document(title=info("review.ongoing-title"), blocks=blocks, version=version)


def _box(box: Box | None) -> Value:
    return info("review.box-none") if box is None else info(f"review.box-{box}")


def _estimate(row: Mapping[str, Any] | None) -> Cell:
    if row is None:
        return None
    low, high = row.get("low"), row.get("high")
    if low is None or high is None:
        return float(row["estimate"])
    middle, low, high = float(row["estimate"]), float(low), float(high)
    if row.get("effect") == "share":
        return info("review.diff-share", estimate_percent=100 * middle, low_percent=100 * low, high_percent=100 * high)
    return Interval(middle=middle, low=low, high=high)


def _reasons(one: MovedEstimate) -> tuple[Message, ...]:
    counts = "; ".join(f"{before} → {after}" for before, after in one.changed)
    told = {"studies-added": ", ".join(one.added), "studies-removed": ", ".join(one.removed), "counts": counts}
    return tuple(
        info(f"review.moved-{why}", studies=told[why]) if why in told else info(f"review.moved-{why}")
        for why in one.why
    )


def diff_document(
    found: Difference,
    before: Snapshot,
    after: Snapshot | None,
    state: State,
    *,
    version: str,
    names: Mapping[str, Message] | None = None,
) -> Document:
    """Lay out what changed between two states.

    Parameters
    ----------
    found : Difference
    before : Snapshot
    after : Snapshot or None
        None: now.
    state : State
        The later one.
    version : str
        Of the program.
    names : mapping of str to Message, optional
        What the estimates are called.
    """
    called = {} if names is None else names
    now: Value = info("review.now") if after is None else after.name
    blocks: list[Block] = []
    if found.nothing:
        blocks.append(Paragraph(sentences=(info("review.diff-nothing"),)))
    if found.counts:
        counts: list[tuple[Cell, ...]] = [(_box(box), old, new) for box, old, new in found.counts]
        caption = info("review.diff-counts")
        blocks.append(Table(columns=_columns(("box", "before", "after")), rows=tuple(counts), caption=caption))
    if found.searches or found.studies_added or found.studies_removed:
        told = [
            info(code, names=", ".join(names))
            for code, names in (
                ("review.diff-searches", [_search(state, name) for name in found.searches]),
                ("review.diff-studies-added", found.studies_added),
                ("review.diff-studies-removed", found.studies_removed),
            )
            if names
        ]
        blocks.append(Findings(messages=tuple(told)))
    if found.moved:
        blocks.append(_moves(found, state))
    if found.added:
        blocks.append(_added(found))
    if found.estimates:
        rows: list[tuple[Cell, ...]] = [
            (called.get(one.name, one.name), _estimate(one.before), _estimate(one.after), _reasons(one))
            for one in found.estimates
        ]
        blocks.append(Heading(text=info("review.diff-estimates")))
        blocks.append(Table(columns=_columns(("estimate", "before", "after", "why")), rows=tuple(rows)))
    title = info("review.diff-title", before=before.name, after=now)
    return Document(title=title, blocks=tuple(blocks), version=version)


def _search(state: State, name: str) -> str:
    """A search as people know it: its source and its day."""
    told = next(one.event for one in state.searches if one.id == name)
    return f"{told.text('database')} ({told.text('run_on')})"


def _moves(found: Difference, state: State) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found.moved[:SHOWN_MOVES]:
        record = state.records.get(one.record)
        title = "" if record is None else (record.title or record.title_vernacular)[:80]
        why = tuple(info("review.moved-by", what=info(f"review.kind-{event.kind}"), by=event.by) for event in one.why)
        rows.append((one.record, title, _box(one.before), _box(one.after), why))
    caption = info("review.diff-moved", count=len(found.moved), shown=len(rows))
    return Table(columns=_columns(("record", "title", "before", "after", "why")), rows=tuple(rows), caption=caption)


def _added(found: Difference) -> Table:
    boxes = Counter(one.after for one in found.added)
    rows: list[tuple[Cell, ...]] = [(_box(box), boxes[box]) for box in Box if boxes[box]]
    return Table(
        columns=_columns(("box", "records")),
        rows=tuple(rows),
        caption=info("review.diff-added", count=len(found.added)),
    )


def diff_json(found: Difference, before: Snapshot, after: Snapshot | None) -> dict[str, Any]:
    """Return what changed as JSON values."""
    return {
        "before": before.name,
        "after": None if after is None else after.name,
        "counts": [{"box": box.value, "before": old, "after": new} for box, old, new in found.counts],
        "moved": [
            {
                "record": one.record,
                "before": None if one.before is None else one.before.value,
                "after": None if one.after is None else one.after.value,
                "why": [{"event": event.id, "kind": event.kind.value, "by": event.by} for event in one.why],
            }
            for one in found.moved
        ],
        "added": len(found.added),
        "searches": list(found.searches),
        "studies_added": list(found.studies_added),
        "studies_removed": list(found.studies_removed),
        "estimates": [
            {
                "name": one.name,
                "before": None if one.before is None else dict(one.before),
                "after": None if one.after is None else dict(one.after),
                "added": list(one.added),
                "removed": list(one.removed),
                "changed": [list(pair) for pair in one.changed],
                "why": list(one.why),
            }
            for one in found.estimates
        ],
    }
