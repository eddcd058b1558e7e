# SPDX-License-Identifier: Apache-2.0
"""`sirolens review decide`, `unseal`, `conflicts`, `resolve`, `fulltext`, `contact`, `undo`: decisions on records."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens import __version__
from sirolens.cli.review_folder import (
    by_option,
    day_of,
    json_option,
    load_state,
    opened,
    print_json,
    record_of,
    review_option,
    show_document,
    tell,
    who,
)
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error, info
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.review.folder import Review
    from sirolens.evidence.review.state import State

__all__ = ["add_to", "is_blind", "is_event"]

SHORTEST_EVENT = 14  # "e-" and the time: two events of one millisecond are told apart by what follows


class StageName(StrEnum):
    """Where a decision is made."""

    BEFORE = "before"
    TITLE = "title"
    FULLTEXT = "fulltext"


class DecisionName(StrEnum):
    """What can be decided."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    MAYBE = "maybe"


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_decide(group, language)
    _add_unseal(group, language)
    _add_conflicts(group, language)
    _add_resolve(group, language)
    _add_fulltext(group, language)
    _add_contact(group, language)
    _add_undo(group, language)


def _text(language: str) -> Any:
    return lambda name: label(f"review.{name}-help", language)


def _add_decide(group: typer.Typer, language: str) -> None:
    text = _text(language)

    @group.command("decide", help=text("decide"))
    def decide(
        record: str = typer.Argument("", help=text("decide-record"), metavar="[RECORD]"),
        decision: DecisionName | None = typer.Argument(None, help=text("decide-decision"), metavar="[DECISION]"),
        stage: StageName = typer.Option(StageName.TITLE, "--stage", help=text("stage")),
        reason: list[str] = typer.Option([], "--reason", help=text("reason")),
        note: str = typer.Option("", "--note", help=text("note")),
        tag: list[str] = typer.Option([], "--tag", help=text("tag")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Decision, Stage
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.screening.sealed import keep_secret
        from sirolens.evidence.screening.two_reviewers import check_turn, decision_draft
        from sirolens.study.review.lists import pending_document, pending_rows

        review = opened(folder, show_in)
        name = who(by, review)
        state = load_state(review, show_in)
        if not record:
            rows = pending_rows(state, Stage(stage), name)
            if as_json:
                print_json([row.as_json() for row in rows])
            else:
                show_document(pending_document(rows, stage=Stage(stage), by=name, version=__version__), show_in)
            return
        if decision is None:
            raise InputError(error("review.decision-needed", known=tuple(DecisionName)))
        one = state.grouping.cluster_of[record_of(state, record)]
        sealed = is_blind(review, state, stage)
        draft, secret = decision_draft(
            state,
            one,
            Stage(stage),
            Decision(decision),
            reasons=reason,
            notes=note,
            tags=tag,
            sealed=sealed,
        )
        check_turn(state, one, Stage(stage), name, sealed=sealed)
        if secret is not None:
            keep_secret(review.folder, name, secret)
        (event,) = append(review.folder, name, [draft])
        if as_json:
            print_json({"event": event.id, "record": one, "sealed": secret is not None})
            return
        code = "review.decided" if secret is None else "review.decided-sealed"
        tell(info(code, record=one, decision_word=info(f"review.decision-{decision}"), event=event.id), show_in)


def is_blind(review: Review, state: State, stage: str) -> bool:
    """True when decisions of a stage are sealed: the protocol says so, and more than one reviewer decides."""
    needed = {"title": state.rules.title_reviewers, "fulltext": state.rules.fulltext_reviewers}.get(stage, 1)
    protocol = review.reading.protocol
    return needed > 1 and (protocol is None or protocol.blind)


def _add_unseal(group: typer.Typer, language: str) -> None:
    text = _text(language)

    @group.command("unseal", help=text("unseal"))
    def unseal(
        stage: StageName = typer.Option(StageName.TITLE, "--stage", help=text("stage")),
        early: str = typer.Option("", "--before-time", help=text("unseal-early"), metavar="WHY"),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind, Stage
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.screening.sealed import read_secrets
        from sirolens.evidence.screening.two_reviewers import open_drafts

        review = opened(folder, show_in)
        name = who(by, review)
        state = load_state(review, show_in)
        secrets, told = read_secrets(review.folder, name)
        drafts, lost = open_drafts(state, name, Stage(stage), secrets, early=early)
        append(review.folder, name, drafts)
        show_flags((*told, *lost), show_in)
        opened_now = sum(kind is Kind.UNSEALED for kind, _ in drafts)
        if as_json:
            print_json({"opened": opened_now, "lost": len(lost)})
        else:
            tell(info("review.unsealed", count=opened_now), show_in)


def _add_conflicts(group: typer.Typer, language: str) -> None:
    text = _text(language)

    @group.command("conflicts", help=text("conflicts"))
    def conflicts(
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Stage
        from sirolens.evidence.screening.two_reviewers import progress
        from sirolens.study.review.lists import conflict_rows, conflicts_document

        state = load_state(opened(folder, show_in), show_in)
        rows = conflict_rows(state)
        sealed = sum(progress(state, stage).sealed for stage in (Stage.TITLE, Stage.FULLTEXT))
        if sealed:
            show_flags([info("review.conflicts-sealed", count=sealed)], show_in)
        if as_json:
            print_json([row.as_json() for row in rows])
        else:
            show_document(conflicts_document(rows, version=__version__), show_in)


def _add_resolve(group: typer.Typer, language: str) -> None:
    text = _text(language)

    @group.command("resolve", help=text("resolve"))
    def resolve(
        record: str = typer.Argument(..., help=text("decide-record"), metavar="RECORD"),
        decision: DecisionName = typer.Argument(..., help=text("decide-decision"), metavar="DECISION"),
        stage: StageName = typer.Option(StageName.TITLE, "--stage", help=text("stage")),
        reason: list[str] = typer.Option([], "--reason", help=text("reason")),
        note: str = typer.Option("", "--note", help=text("note")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Decision, Stage
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.screening.two_reviewers import resolution_draft

        review = opened(folder, show_in)
        name = who(by, review)
        state = load_state(review, show_in)
        one = state.grouping.cluster_of[record_of(state, record)]
        draft = resolution_draft(state, one, Stage(stage), Decision(decision), reasons=reason, notes=note)
        (event,) = append(review.folder, name, [draft])
        if as_json:
            print_json({"event": event.id, "record": one})
        else:
            word = info(f"review.decision-{decision}")
            tell(info("review.resolved", record=one, decision_word=word, event=event.id), show_in)


def _add_fulltext(group: typer.Typer, language: str) -> None:
    text = _text(language)

    @group.command("fulltext", help=text("fulltext"))
    def fulltext(
        record: str = typer.Argument("", help=text("decide-record"), metavar="[RECORD]"),
        found: bool = typer.Option(False, "--retrieved", help=text("fulltext-retrieved")),
        lost: str = typer.Option("", "--not-retrieved", help=text("fulltext-not-retrieved"), metavar="WHY"),
        how: str = typer.Option("", "--how", help=text("fulltext-how")),
        on: str = typer.Option("today", "--on", help=text("on"), metavar="DATE"),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind, Stage
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.screening.two_reviewers import check_turn
        from sirolens.study.review.lists import retrieval_document, retrieval_rows

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        if not record:
            rows = retrieval_rows(state)
            if as_json:
                print_json([row.as_json() for row in rows])
            else:
                show_document(retrieval_document(rows, version=__version__), show_in)
            return
        if found == bool(lost):
            raise InputError(error("review.fulltext-either", known=("--retrieved", "--not-retrieved WHY")))
        one = state.clusters[state.grouping.cluster_of[record_of(state, record)]]
        check_turn(state, one.representative, Stage.FULLTEXT)
        values: dict[str, Any] = {
            "record": one.representative,
            "covers": list(one.members),
            "on": day_of(on, "--on").isoformat(),
        }
        kind = Kind.RETRIEVED if found else Kind.NOT_RETRIEVED
        values |= {"how": how or None} if found else {"why": lost}
        (event,) = append(review.folder, who(by, review), [(kind, values)])
        if as_json:
            print_json({"event": event.id, "record": one.representative})
        else:
            tell(info(f"review.fulltext-{kind}", record=one.representative, event=event.id), show_in)


def _add_contact(group: typer.Typer, language: str) -> None:
    text = _text(language)

    @group.command("contact", help=text("contact"))
    def contact(
        record: str = typer.Argument("", help=text("decide-record"), metavar="[RECORD]"),
        person: str = typer.Option("", "--who", help=text("contact-who")),
        about: str = typer.Option("", "--about", help=text("contact-about")),
        how: str = typer.Option("", "--how", help=text("contact-how")),
        on: str = typer.Option("today", "--on", help=text("on"), metavar="DATE"),
        answer: str = typer.Option("", "--answer", help=text("contact-answer")),
        answered_on: str = typer.Option("", "--answered-on", help=text("contact-answered-on"), metavar="DATE"),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind
        from sirolens.evidence.review.folder import append
        from sirolens.study.review.lists import contacts_document, contacts_json

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        if not record:
            if as_json:
                print_json(contacts_json(state))
            else:
                show_document(contacts_document(state, version=__version__), show_in)
            return
        if not person:
            raise InputError(error("review.contact-who-needed", place=Place(field="--who")))
        one = state.grouping.cluster_of[record_of(state, record)]
        values = {
            "record": one,
            "who": person,
            "on": day_of(on, "--on").isoformat(),
            "about": about or None,
            "how": how or None,
            "answer": answer or None,
            "answered_on": day_of(answered_on, "--answered-on").isoformat() if answered_on else None,
        }
        (event,) = append(review.folder, who(by, review), [(Kind.CONTACTED, values)])
        if as_json:
            print_json({"event": event.id, "record": one})
        else:
            tell(info("review.contacted", record=one, event=event.id), show_in)


def is_event(name: str, told: str) -> bool:
    """True when a person means this event: by its number, or by a beginning of it that a table has cut.

    >>> is_event("e-01a2029545de-3309be733fea", "e-01a2029545de-33"), is_event("e-01a2029545de-3309be733fea", "e-01")
    (True, False)
    """
    return name == told or (len(told) >= SHORTEST_EVENT and name.startswith(told))


def _add_undo(group: typer.Typer, language: str) -> None:
    text = _text(language)

    @group.command("undo", help=text("undo"))
    def undo(
        event: str = typer.Argument("", help=text("undo-event"), metavar="[EVENT]"),
        last: bool = typer.Option(False, "--last", help=text("undo-last")),
        why: str = typer.Option("", "--why", help=text("undo-why")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.review.state import counting_events
        from sirolens.study.review.lists import history_document, history_json

        review = opened(folder, show_in)
        counting = counting_events(review.events)
        if not event and not last:
            if as_json:
                print_json(history_json(counting))
            else:
                show_document(history_document(counting, version=__version__), show_in)
            return
        name = who(by, review)
        kept = (Kind.LOCKED, Kind.AMENDED)
        own = [one for one in counting if one.by == name and one.kind not in kept]
        found = own[-1:] if last else [one for one in counting if is_event(one.id, event)]
        if last and not found:
            raise InputError(error("review.undo-nothing", by=name))
        if len(found) != 1:
            raise InputError(error("review.event-unknown", value=event))
        if found[0].kind in kept:
            raise InputError(error("review.undo-protocol", event=found[0].id))
        (done,) = append(review.folder, name, [(Kind.UNDONE, {"event": found[0].id, "why": why or None})])
        if as_json:
            print_json({"event": done.id, "undone": found[0].id, "kind": str(found[0].kind)})
        else:
            tell(info("review.undone", event=found[0].id, what=info(f"review.kind-{found[0].kind}")), show_in)
