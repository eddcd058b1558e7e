# SPDX-License-Identifier: Apache-2.0
"""Where a review stands, as a page: what was found, where each record is, and what is to be done next."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sirolens.evidence.review.events import Arm, Kind, Stage
from sirolens.evidence.review.folder import Review
from sirolens.evidence.review.protocol import deviations, locked_protocol
from sirolens.evidence.review.standing import Status
from sirolens.evidence.review.state import OPEN, Box, State
from sirolens.evidence.review.update import Trigger, triggers
from sirolens.message import Message, Value, info, warning
from sirolens.report.document import Block, Cell, Column, Document, Findings, Heading, KeyFact, KeyFacts, Table

__all__ = ["next_steps", "status_document", "status_json"]


def _facts(review: Review, state: State) -> tuple[KeyFact, ...]:
    locked = locked_protocol(state.events)
    rows: list[tuple[Message, Value]] = [
        (info("review.fact-version"), state.version),
        (info("review.fact-locked"), info("review.not-locked") if locked is None else locked[1]),
        (info("review.fact-deviations"), len(deviations(state.events))),
        (info("review.fact-searches"), len(state.searches)),
        (info("review.fact-records"), len(state.records)),
        (info("review.fact-publications"), len(state.clusters)),
        (info("review.fact-asks"), len(state.asks)),
        (info("review.fact-studies"), len(state.studies)),
        (info("review.fact-folder"), str(review.folder)),
    ]
    return tuple(KeyFact(label=label, value=value, name="value") for label, value in rows)


def _boxes(state: State) -> Table:
    heads = [Column(head=info("review.column-box"), name="box")]
    heads += [Column(head=info(f"review.column-{arm}"), name="count") for arm in Arm]
    heads.append(Column(head=info("review.column-all"), name="count"))
    counts = {arm: state.counts(version=state.version, arm=arm) for arm in Arm}
    rows: list[tuple[Cell, ...]] = [
        (info(f"review.box-{box}"), *(counts[arm][box] for arm in Arm), sum(counts[arm][box] for arm in Arm))
        for box in Box
    ]
    every = tuple(sum(counts[arm].values()) for arm in Arm)
    rows.append((info("review.box-all"), *every, sum(every)))
    return Table(
        columns=tuple(heads),
        rows=tuple(rows),
        caption=info("review.boxes-caption", version=state.version),
        marked=tuple(index for index, box in enumerate(Box) if box in OPEN and rows[index][-1]),
    )


def progress(state: State) -> dict[str, dict[Stage, int]]:
    """Return how many publications each reviewer has decided at each stage: also sealed, also settled since."""
    seen = {
        (event.by, Stage(event.text("stage")), state.grouping.cluster_of[name])
        for event in state.events
        if event.kind is Kind.DECIDED
        for name in event.covered
        if name in state.grouping.cluster_of
    }
    done: dict[str, Counter[Stage]] = {}
    for by, stage, _ in seen:
        done.setdefault(by, Counter())[stage] += 1
    return {by: dict(stages) for by, stages in sorted(done.items())}


def _people(state: State) -> Table:
    stages = (Stage.TITLE, Stage.FULLTEXT)
    return Table(
        columns=(
            Column(head=info("review.column-reviewer"), name="by"),
            *(Column(head=info(f"review.stage-{stage}"), name="count") for stage in stages),
        ),
        rows=tuple((by, *(done.get(stage, 0) for stage in stages)) for by, done in progress(state).items()),
        caption=info("review.people-caption"),
    )


def status_document(
    review: Review, state: State, steps: tuple[Message, ...], *, version: str, language: str = "en"
) -> Document:
    """Lay the state out as a page.

    Parameters
    ----------
    review : Review
    state : State
    steps : tuple of Message
        From `next_steps`.
    version : str
        Of the program.
    language : str
        Of the review's title, where the protocol has it in Chinese too.
    """
    protocol = review.reading.protocol
    title = "" if protocol is None else (protocol.title_zh if language.startswith("zh") else "") or protocol.title
    blocks: list[Block] = [KeyFacts(facts=_facts(review, state)), _boxes(state)]
    if progress(state):
        blocks.append(_people(state))
    blocks += [Heading(text=info("review.heading-next")), Findings(messages=steps)]
    return Document(
        title=info("review.status-title"),
        banner=info("review.banner", title=title) if title else None,
        blocks=tuple(blocks),
        version=version,
    )


def status_json(review: Review, state: State) -> dict[str, Any]:
    """Return the state's counts as JSON values."""
    locked = locked_protocol(state.events)
    return {
        "folder": str(review.folder),
        "version": state.version,
        "locked_on": None if locked is None else locked[1].isoformat(),
        "deviations": len(deviations(state.events)),
        "searches": len(state.searches),
        "records": len(state.records),
        "publications": len(state.clusters),
        "open_questions": len(state.asks),
        "boxes": {box.value: count for box, count in state.counts(version=state.version).items()},
        "boxes_by_arm": {
            arm.value: {box.value: count for box, count in state.counts(version=state.version, arm=arm).items()}
            for arm in Arm
        },
        "boxes_all_versions": {box.value: count for box, count in state.counts().items()},
        "draft": any(state.counts(version=state.version)[box] for box in OPEN),
        "decided": {by: {str(stage): n for stage, n in done.items()} for by, done in progress(state).items()},
        "studies": sorted(state.studies),
        "snapshots": [{"name": one.name, "on": one.on.isoformat(), "version": one.version} for one in state.snapshots],
    }


def next_steps(review: Review, state: State, *, today: date) -> tuple[Message, ...]:
    """Return what is to be done next, in the order of the work.

    Parameters
    ----------
    review : Review
    state : State
    today : date
        For the triggers of an update.
    """
    steps: list[Message] = []
    kinds = Counter(event.kind for event in state.events)
    to_fill = len(review.reading.messages)
    if locked_protocol(state.events) is None:
        file = str(review.folder / "protocol.toml")
        steps.append(
            warning("review.next-fill-in", file=file, count=to_fill) if to_fill else info("review.next-lock", file=file)
        )
    if not state.imports:
        steps.append(info("review.next-import"))
    elif not kinds[Kind.MERGED] and not kinds[Kind.ASKED] and not kinds[Kind.DECIDED]:
        steps.append(info("review.next-dedup"))
    if state.asks:
        steps.append(warning("review.next-asks", count=len(state.asks)))
    counts = state.counts()
    for box, code in (
        (Box.TITLE_PENDING, "review.next-title"),
        (Box.TITLE_CONFLICT, "review.next-conflicts"),
        (Box.RETRIEVAL_PENDING, "review.next-retrieve"),
        (Box.FULLTEXT_PENDING, "review.next-fulltext"),
        (Box.FULLTEXT_CONFLICT, "review.next-conflicts-fulltext"),
    ):
        count = counts[box] - len(_sealed(state, box))
        if count:
            steps.append(info(code, count=count))
    for box, stage in ((Box.TITLE_PENDING, Stage.TITLE), (Box.FULLTEXT_PENDING, Stage.FULLTEXT)):
        waiting = len(_sealed(state, box))
        if waiting:
            steps.append(info("review.next-open", count=waiting, stage=str(stage)))
    differ = sum(at.reasons_differ for at in state.standings.values())
    if differ:
        steps.append(info("review.next-reasons", count=differ))
    steps += [_trigger(one) for one in triggers(state, review.reading.protocol, today=today) if one.due]
    if not steps:
        steps.append(info("review.next-snapshot"))
    return tuple(steps)


def _sealed(state: State, box: Box) -> tuple[str, ...]:
    """The publications of a box that everybody has decided on, only that the decisions are not opened yet."""
    stage = {Box.TITLE_PENDING: Stage.TITLE, Box.FULLTEXT_PENDING: Stage.FULLTEXT}.get(box)
    if stage is None:
        return ()
    return tuple(name for name in state.within(box) if state.standing(name, stage).status is Status.SEALED)


def _trigger(one: Trigger) -> Message:
    return warning("review.next-update", trigger=info(f"review.trigger-{one.kind}", limit=one.limit, value=one.value))
