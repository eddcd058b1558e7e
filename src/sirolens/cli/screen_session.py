# SPDX-License-Identifier: Apache-2.0
"""One reviewer at work on one stage: what is shown next, what has been decided, what is written at once.

The screen keeps nothing to itself: every decision is on the disk before the next record is shown, and a note or tag
that waits for its decision is kept in the reviewer's private folder. A session can therefore be killed at any moment
and is resumed from the folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from sirolens.errors import InputError
from sirolens.evidence.record import Record
from sirolens.evidence.review.events import Decision, Kind, Stage
from sirolens.evidence.review.files import write_safely
from sirolens.evidence.review.folder import append, open_review
from sirolens.evidence.screening.ranking import Ranking, rank_weighed
from sirolens.evidence.screening.sealed import keep_secret, private_file, read_secrets
from sirolens.evidence.screening.stopping_events import stopping
from sirolens.evidence.screening.term_weights import TermWeights, weigh
from sirolens.evidence.screening.two_reviewers import (
    Said,
    check_turn,
    decision_draft,
    known_labels,
    own_decisions,
    question_words,
    screening_texts,
    to_screen,
)
from sirolens.message import Message, warning

__all__ = ["Jotted", "Session"]

SMALL = 2_000  # records; up to here the order is learnt anew after every decision
BATCH = 10  # decisions between two orders of a larger review


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Jotted:
    """A note and tags that wait for their decision."""

    notes: str = ""
    tags: tuple[str, ...] = ()


@final
class Session:
    """The work of one reviewer.

    Parameters
    ----------
    folder : Path
    by : str
        The reviewer's short name.
    stage : Stage
    ranked : bool
        True for the learnt order, False for the order of import.
    """

    def __init__(self, folder: Path, by: str, stage: Stage, *, ranked: bool = True) -> None:
        self.folder, self.by, self.stage, self.ranked = folder, by, stage, ranked
        review = open_review(folder)
        self.state, told = review.loaded
        self.protocol = review.reading.protocol
        secrets, lost = read_secrets(folder, by)
        needed = self.state.rules.title_reviewers if stage is Stage.TITLE else self.state.rules.fulltext_reviewers
        self.sealed = needed > 1 and (self.protocol is None or self.protocol.blind)
        self.question = question_words(self.protocol)
        own = own_decisions(self.state, by, stage, secrets)
        in_time = sorted(own.values(), key=lambda said: said.event)
        self.own: dict[str, Said] = {said.record: said for said in in_time if said.decision is not None}
        again = [said for said in in_time if said.decision is None]  # what was sealed is lost: decide again
        self.left: dict[str, None] = dict.fromkeys(
            (*(said.record for said in again), *to_screen(self.state, by, stage))
        )
        gone = tuple(warning("screening.secret-lost", record=said.record, event=said.event) for said in again)
        self.messages: tuple[Message, ...] = (*review.messages, *told, *lost, *gone)
        self.jotted: dict[str, Jotted] = self._read_jotted()
        self._touched: set[str] = set()  # decided or undone since the state was read
        self._weighed: TermWeights | None = None
        self._ranking: tuple[tuple[object, ...], Ranking] | None = None
        at = stopping(self.state) if stage is Stage.TITLE else None
        self.sample = () if at is None or at.sample is None or at.accepted_by else at.sample.order

    @property
    def total(self) -> int:
        """How many records are this reviewer's to decide, done or not."""
        return len(self.own) + len([name for name in self.left if name not in self.own])

    def records(self, name: str) -> tuple[Record, ...]:
        """Return the copies of a publication, the representative first."""
        return tuple(self.state.records[member] for member in self.state.clusters[name].members)

    def reasons(self) -> tuple[tuple[str, str, str], ...]:
        """Return the protocol's reasons: id, English, Chinese."""
        listed = () if self.protocol is None else self.protocol.reasons
        return tuple((reason.id, reason.text, reason.text_zh) for reason in listed)

    def order(self) -> tuple[str, ...]:
        """Return what is left to decide, first what is to be read first.

        While a random sample is open its order comes first: a look at it needs a complete beginning.
        """
        left = tuple(name for name in self.left if name not in self.own)
        if self.sample:
            first = [name for name in self.sample if name in self.left and name not in self.own]
            return (*first, *(name for name in left if name not in set(first)))
        if not self.ranked or self.stage is not Stage.TITLE or not left:
            return left
        wanted = set(left)
        return tuple(name for name in self.ranking().order if name in wanted)

    def ranking(self) -> Ranking:
        """Return the learnt order; a function of the folder's content alone."""
        if self._weighed is None:
            self._weighed = weigh(screening_texts(self.state), self.question)
        labels = self._labels()
        key = tuple(sorted(labels.items()))
        if self._ranking is None or self._ranking[0] != key:
            self._ranking = key, rank_weighed(self._weighed, labels)
        return self._ranking[1]

    def _labels(self) -> Mapping[str, bool]:
        """What the order is learnt from: what is settled, and the own decisions in whole batches, oldest first."""
        batch = 1 if len(self.state.screened) <= SMALL else BATCH
        in_time = sorted(self.own.values(), key=lambda said: said.event)
        used = {said.record: said for said in in_time[: len(in_time) // batch * batch]}
        settled = {name: label for name, label in known_labels(self.state, {}).items() if name not in self._touched}
        labels = {name: label for name, label in settled.items() if name not in self.own}
        for name, said in used.items():
            if name in settled or said.decision is not None:
                labels[name] = settled.get(name, said.decision is not Decision.EXCLUDE)
        screened = set(self.state.screened)
        return {name: label for name, label in labels.items() if name in screened}

    def decide(self, name: str, decision: Decision, reasons: tuple[str, ...] = ()) -> Said:
        """Decide on a record; when this returns the decision is on the disk.

        Raises
        ------
        InputError
            What the stage does not allow, or writing failed; nothing has changed then.
        """
        jotted = self.jot_of(name)
        check_turn(self.state, name, self.stage, self.by, sealed=self.sealed)
        draft, secret = decision_draft(
            self.state,
            name,
            self.stage,
            decision,
            reasons=reasons,
            notes=jotted.notes,
            tags=jotted.tags,
            sealed=self.sealed,
        )
        if secret is not None:
            keep_secret(self.folder, self.by, secret)
        (event,) = append(self.folder, self.by, [draft])
        said = Said(
            record=name,
            decision=decision,
            reasons=reasons,
            tags=jotted.tags,
            notes=jotted.notes,
            event=event.id,
            sealed=secret is not None,
        )
        self.own.pop(name, None)
        self.own[name] = said
        self._touched.add(name)
        if self.jotted.pop(name, None) is not None:
            self._write_jotted()
        return said

    def undo(self) -> Said | None:
        """Take back the newest decision of this stage and return it; None when there is none."""
        if not self.own:
            return None
        name = max(self.own, key=lambda one: self.own[one].event)
        said = self.own[name]
        append(self.folder, self.by, [(Kind.UNDONE, {"event": said.event})])
        del self.own[name]
        self.left[name] = None
        self._touched.add(name)
        if said.notes or said.tags:
            self.jot(name, Jotted(notes=said.notes, tags=said.tags))
        return said

    def jot_of(self, name: str) -> Jotted:
        """Return the note and tags of a record: those that wait, else those of the decision."""
        said = self.own.get(name)
        return self.jotted.get(name, Jotted() if said is None else Jotted(notes=said.notes, tags=said.tags))

    def jot(self, name: str, jotted: Jotted) -> None:
        """Keep a note and tags; on a decided record they are written at once, with the decision again."""
        self.jotted[name] = jotted
        said = self.own.get(name)
        if said is not None and said.decision is not None:
            self.decide(name, said.decision, said.reasons)
        else:
            self._write_jotted()

    def _jotted_file(self) -> Path:
        return private_file(self.folder, self.by).with_suffix(f".{self.stage}.notes.json")

    def _read_jotted(self) -> dict[str, Jotted]:
        try:
            told = json.loads(self._jotted_file().read_bytes())
            return {name: Jotted(notes=str(one["notes"]), tags=tuple(one["tags"])) for name, one in told.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}

    def _write_jotted(self) -> None:
        path = self._jotted_file()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        told = {name: {"notes": one.notes, "tags": list(one.tags)} for name, one in self.jotted.items()}
        write_safely(path, json.dumps(told, ensure_ascii=False).encode())


def first_fault(failure: InputError) -> Message:
    """Return the first of the messages of an error."""
    message: Message = failure.messages[0]
    return message
