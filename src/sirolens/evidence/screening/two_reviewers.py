# SPDX-License-Identifier: Apache-2.0
"""Screening by two reviewers: what each has still to read, by what the order is learnt, conflicts, agreement.

Everything here is a function of the review's state. A blinded reviewer's order rests on the reviewer's own decisions
and on what is settled, never on what another one has decided in secret. How a blinded decision is sealed and opened
stands in `sirolens.evidence.screening.sealed`; what the decisions come to together in
`sirolens.evidence.review.standing`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.record import Record
from sirolens.evidence.review.events import Decision, Event, Kind, Stage
from sirolens.evidence.review.folder import Draft
from sirolens.evidence.review.protocol import Protocol
from sirolens.evidence.review.standing import Role, Standing, Status, Voice, opened
from sirolens.evidence.review.state import Box, Rules, State
from sirolens.evidence.screening.agreement import Agreement, agreement
from sirolens.evidence.screening.sealed import Secret, sealed_decision
from sirolens.message import Message, error, warning

__all__ = [
    "Progress",
    "Said",
    "agreement_at",
    "check_decision",
    "check_turn",
    "conflicts",
    "decision_draft",
    "known_labels",
    "open_drafts",
    "own_decisions",
    "progress",
    "question_words",
    "resolution_draft",
    "screening_text",
    "screening_texts",
    "to_screen",
]

_PENDING = {Stage.TITLE: Box.TITLE_PENDING, Stage.FULLTEXT: Box.FULLTEXT_PENDING}
_AT_FULLTEXT = frozenset(
    {
        Box.RETRIEVAL_PENDING,
        Box.NOT_RETRIEVED,
        Box.FULLTEXT_PENDING,
        Box.FULLTEXT_CONFLICT,
        Box.FULLTEXT_EXCLUDED,
        Box.INCLUDED,
    }
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A decision as its maker knows it.

    Parameters
    ----------
    record : str
        The representative of the publication.
    decision : Decision or None
        None when it is sealed and its secret is gone.
    reasons, tags : tuple of str
    notes : str
    event : str
        The id of its event.
    sealed : bool
        True while it is not opened.
    """

    record: str
    decision: Decision | None
    reasons: tuple[str, ...]
    tags: tuple[str, ...]
    notes: str
    event: str
    sealed: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage has come.

    Parameters
    ----------
    records : int
        Publications that reached the stage and were not left out by an accepted stop.
    by_reviewer : mapping of str to int
        On how many of them each has decided.
    settled, conflicts, sealed, pending : int
        Publications with a final answer, with a conflict, with enough decisions that are not opened, with too few.
    """

    records: int
    by_reviewer: Mapping[str, int]
    settled: int
    conflicts: int
    sealed: int
    pending: int


def decision_draft(
    state: State,
    record: str,
    stage: Stage,
    decision: Decision,
    *,
    reasons: Sequence[str] = (),
    notes: str = "",
    tags: Sequence[str] = (),
    sealed: bool = False,
) -> tuple[Draft, Secret | None]:
    """Return the event of one reviewer's decision, and its secret when it is sealed.

    Parameters
    ----------
    state : State
    record : str
        Any copy of the publication; the event covers all copies as they are known now.
    stage : Stage
    decision : Decision
    reasons : sequence of str
        Ids of the protocol's reasons; an exclusion of a full text needs one.
    notes : str
    tags : sequence of str
    sealed : bool
        True for a blinded decision: keep the secret first, then write the event.

    Raises
    ------
    InputError
        As `check_decision`; ``screening.record-unknown``.
    """
    check_decision(state.rules, stage, decision, reasons)
    if record not in state.grouping.cluster_of:
        raise InputError(error("screening.record-unknown", value=record))
    members = state.clusters[state.grouping.cluster_of[record]].members
    values: dict[str, Any] = {"record": record, "stage": stage.value}
    if len(members) > 1:
        values["covers"] = list(members)
    if sealed:
        secret = sealed_decision(record, stage, decision, reasons=reasons, notes=notes, tags=tags)
        return (Kind.DECIDED, {**values, "sealed": secret.sealed}), secret
    told = {"reasons": list(reasons), "notes": notes, "tags": list(tags)}
    return (Kind.DECIDED, {**values, "decision": decision.value, **{k: v for k, v in told.items() if v}}), None


def check_decision(rules: Rules, stage: Stage, decision: Decision, reasons: Sequence[str]) -> None:
    """Refuse a decision that the stage does not know.

    Raises
    ------
    InputError
        ``screening.reason-needed`` (an excluded full text needs one), ``screening.reason-unknown``,
        ``screening.maybe-at-fulltext``.

    Examples
    --------
    >>> check_decision(Rules(), Stage.TITLE, Decision.MAYBE, ())
    """
    faults = _decision_faults(rules, stage, decision, reasons)
    if faults:
        raise InputError(*faults)


def _decision_faults(rules: Rules, stage: Stage, decision: Decision, reasons: Sequence[str]) -> tuple[Message, ...]:
    faults = []
    if stage is Stage.FULLTEXT and decision is Decision.MAYBE:
        faults.append(error("screening.maybe-at-fulltext"))
    if stage is Stage.FULLTEXT and decision is Decision.EXCLUDE and not reasons:
        faults.append(error("screening.reason-needed", known=rules.reasons))
    faults += [
        error("screening.reason-unknown", value=reason, known=rules.reasons)
        for reason in reasons
        if rules.reasons and reason not in rules.reasons
    ]
    return tuple(faults)


def check_turn(state: State, record: str, stage: Stage, by: str = "", *, sealed: bool = False) -> None:
    """Refuse what is not this stage's turn: a full text whose title was not passed, a blinded decision made again.

    Parameters
    ----------
    state : State
    record : str
        Any copy of the publication.
    stage : Stage
    by : str
        Who decides; without it only the stage is looked at.
    sealed : bool
        True for a blinded stage: what is open there, one's own decision or a resolution, is not decided again in
        secret, since it would reopen what everybody has seen.

    Raises
    ------
    InputError
        ``screening.not-at-fulltext``, ``screening.open-already``.
    """
    name = state.grouping.cluster_of[record]
    if stage is Stage.FULLTEXT and state.placed[name].box not in _AT_FULLTEXT:
        raise InputError(error("screening.not-at-fulltext", record=name))
    if not sealed:
        return
    for voice in state.standing(name, stage).voices:
        own = voice.role is Role.REVIEWER and voice.by == by and voice.decision is not None
        if own or voice.role is Role.RESOLUTION:
            raise InputError(error("screening.open-already", record=name, event=voice.event))


def resolution_draft(
    state: State, record: str, stage: Stage, decision: Decision, *, reasons: Sequence[str] = (), notes: str = ""
) -> Draft:
    """Return the event that settles a conflict, or decides otherwise about a publication that was retracted.

    Raises
    ------
    InputError
        As `decision_draft`; ``screening.no-conflict`` where there is nothing to settle.
    """
    values = decision_draft(state, record, stage, decision, reasons=reasons, notes=notes)[0][1]
    retracted = any(voice.role is Role.RETRACTION for voice in state.standing(record, stage).voices)
    if not retracted and state.grouping.cluster_of[record] not in conflicts(state, stage):
        raise InputError(error("screening.no-conflict", value=record))
    return Kind.RESOLVED, values


Secrets = Mapping[str, Secret]
"""What a reviewer has sealed, by the seal; `sirolens.evidence.screening.sealed.read_secrets` reads it."""


def own_decisions(state: State, by: str, stage: Stage, secrets: Secrets) -> Mapping[str, Said]:
    """Return what a reviewer has decided, as that reviewer knows it, by representative."""
    events = {event.id: event for event in state.events if event.kind is Kind.DECIDED and event.by == by}
    found = {}
    for (name, at), standing in state.standings.items():
        mine = [v for v in standing.voices if v.by == by and v.role is Role.REVIEWER] if at is stage else []
        if mine:
            found[name] = _said(name, mine[-1], events[mine[-1].event], secrets)
    return found


def _said(name: str, voice: Voice, event: Event, secrets: Secrets) -> Said:
    secret = secrets.get(event.text("sealed"))
    if voice.decision is not None or secret is None:
        decision, told = voice.decision, (voice.reasons, voice.tags, voice.notes)
    else:
        decision, told = Decision(secret.decision), (secret.reasons, secret.tags, secret.notes)
    return Said(
        record=name,
        decision=decision,
        reasons=told[0],
        tags=told[1],
        notes=told[2],
        event=event.id,
        sealed=voice.decision is None,
    )


def to_screen(state: State, by: str, stage: Stage) -> tuple[str, ...]:
    """Return the publications that a reviewer has still to decide on, in the order of import.

    A publication that as many others as the protocol asks for have decided on is not among them.
    """
    needed = state.rules.title_reviewers if stage is Stage.TITLE else state.rules.fulltext_reviewers
    found = []
    for name in state.within(_PENDING[stage]):
        voices = {voice.by for voice in state.standing(name, stage).voices}
        if by not in voices and len(voices) < needed:
            found.append(name)
    return tuple(found)


def known_labels(state: State, own: Mapping[str, Said]) -> Mapping[str, bool]:
    """Return what a reviewer may rank by: the own decisions and what is settled; "maybe" counts as included."""
    settled = {
        name: standing.status is Status.INCLUDE
        for (name, stage), standing in state.standings.items()
        if stage is Stage.TITLE and standing.status in (Status.INCLUDE, Status.EXCLUDE)
    }
    mine = {name: said.decision is not Decision.EXCLUDE for name, said in own.items() if said.decision is not None}
    return {**mine, **settled}


def progress(state: State, stage: Stage) -> Progress:
    """Count how far a stage has come."""
    reached = _reached(state, stage)
    standings = [state.standing(name, stage) for name in reached]
    people: dict[str, int] = {}
    for standing in standings:
        for by in {voice.by for voice in standing.voices if voice.role is Role.REVIEWER}:
            people[by] = people.get(by, 0) + 1
    count = [standing.status for standing in standings].count
    return Progress(
        records=len(reached),
        by_reviewer=dict(sorted(people.items())),
        settled=count(Status.INCLUDE) + count(Status.EXCLUDE),
        conflicts=count(Status.CONFLICT),
        sealed=count(Status.SEALED),
        pending=count(Status.NONE) + count(Status.PARTIAL),
    )


def _reached(state: State, stage: Stage) -> tuple[str, ...]:
    if stage is Stage.TITLE:
        return tuple(name for name in state.screened if state.placed[name].box is not Box.AUTOMATIC)
    fulltext = (Box.FULLTEXT_PENDING, Box.FULLTEXT_CONFLICT, Box.FULLTEXT_EXCLUDED, Box.INCLUDED)
    return state.within(*fulltext)


def conflicts(state: State, stage: Stage) -> tuple[str, ...]:
    """Return the publications on which the decisions, or the reasons that count, differ."""
    return tuple(
        name
        for name in _reached(state, stage)
        if _differs(state.standing(name, stage), reasons=stage is Stage.FULLTEXT)
    )


def _differs(standing: Standing, *, reasons: bool) -> bool:
    return standing.status is Status.CONFLICT or (reasons and standing.reasons_differ)


def open_drafts(
    state: State,
    by: str,
    stage: Stage,
    secrets: Secrets,
    *,
    records: Collection[str] | None = None,
    early: str = "",
) -> tuple[tuple[Draft, ...], tuple[Message, ...]]:
    """Return the events that open a reviewer's sealed decisions.

    Parameters
    ----------
    state : State
    by : str
    stage : Stage
    secrets : mapping
        From `sirolens.evidence.screening.sealed.read_secrets`.
    records : collection of str, optional
        Open only these publications, such as the part of a random sample that everybody has finished.
    early : str, optional
        Why they are opened before everybody has finished; this is logged as an unblinding.

    Returns
    -------
    tuple of Draft
    tuple of Message
        ``screening.secret-lost`` for each sealed decision whose secret is gone: decide again.

    Raises
    ------
    InputError
        ``screening.not-finished``: some publications have too few decisions, and no reason to open early is given.
    """
    reached = [name for name in _reached(state, stage) if records is None or name in records]
    waiting = [name for name in reached if state.standing(name, stage).status in (Status.NONE, Status.PARTIAL)]
    if waiting and not early.strip():
        raise InputError(error("screening.not-finished", left=len(waiting), records=len(reached)))
    events = {event.id: event for event in state.events if event.kind is Kind.DECIDED}
    drafts: list[Draft] = []
    messages: list[Message] = []
    for name in reached:
        for voice in state.standing(name, stage).voices:
            if voice.by != by or voice.decision is not None:
                continue
            secret = secrets.get(events[voice.event].text("sealed"))
            if secret is None:
                messages.append(warning("screening.secret-lost", record=name, event=voice.event))
            else:
                drafts.append(_opening(voice.event, secret))
    if waiting and drafts:
        drafts.insert(0, (Kind.UNBLINDED, {"stage": stage.value, "why": early}))
    return tuple(drafts), tuple(messages)


def _opening(event: str, secret: Secret) -> Draft:
    told = {"reasons": list(secret.reasons), "notes": secret.notes, "tags": list(secret.tags)}
    values = {"event": event, "salt": secret.salt, "decision": secret.decision}
    return Kind.UNSEALED, {**values, **{k: v for k, v in told.items() if v}}


def agreement_at(state: State, stage: Stage, *, confidence: float = 0.95) -> Agreement:
    """Return how far the reviewers agreed before they saw each other's decisions.

    Of each reviewer the last decision on a publication counts that was made before any decision on it was opened or a
    conflict on it was settled. Sealed decisions count once they are opened. At the title stage "maybe" is an inclusion.
    """
    opening, _ = opened(state.events)
    sealed_on = {event.id: event.text("record") for event in state.events if event.kind is Kind.DECIDED}
    closed: set[str] = set()
    decisions: dict[str, dict[str, str]] = {}
    for event in state.events:
        about = sealed_on.get(event.text("event"), "") if event.kind is Kind.UNSEALED else event.text("record")
        name = state.grouping.cluster_of.get(about)
        if name is None:
            continue
        if event.kind is Kind.UNSEALED or (event.kind is Kind.RESOLVED and event.text("stage") == stage.value):
            closed.add(name)
        elif event.kind is Kind.DECIDED and event.text("stage") == stage.value and name not in closed:
            told = opening.get(event.id, event).text("decision")
            if told:
                decisions.setdefault(name, {})[event.by] = _counted(stage, told)
    kinds = (Decision.INCLUDE.value, Decision.EXCLUDE.value)
    return agreement(decisions, kinds, confidence=confidence)


def _counted(stage: Stage, decision: str) -> str:
    return Decision.INCLUDE.value if stage is Stage.TITLE and decision == Decision.MAYBE.value else decision


def screening_texts(state: State) -> Mapping[str, str]:
    """Return the text of every publication that is screened, for the ranking."""
    return {
        name: screening_text([state.records[member] for member in state.clusters[name].members])
        for name in state.screened
    }


def screening_text(copies: Sequence[Record]) -> str:
    """Return the title and abstract of a publication: of its copies the longest text in each script.

    An English and a Chinese record of one paper both tell something; two English ones tell the same.
    """
    best: dict[bool, str] = {}
    for record in copies:
        for text in (f"{record.title} {record.abstract}".strip(), record.title_vernacular):
            chinese = any("\u4e00" <= character <= "\u9fff" for character in text)
            if len(text) > len(best.get(chinese, "")):
                best[chinese] = text
    return " ".join(best[chinese] for chinese in sorted(best))


def question_words(protocol: Protocol | None) -> str:
    """Return the words of the protocol's question, both languages: for the first order and for highlighting."""
    if protocol is None:
        return ""
    parts = ("population", "intervention", "outcomes")
    told = [protocol.question.get(f"{part}{language}", "") for part in parts for language in ("", "_zh")]
    return " ".join(text for text in (protocol.title, protocol.title_zh, *told) if text)
