# SPDX-License-Identifier: Apache-2.0
"""`sirolens review init`, `lock` and `status`: the folder, its protocol, and where the review stands."""

from __future__ import annotations

from pathlib import Path

import typer

from sirolens import __version__
from sirolens.cli.review_folder import (
    by_option,
    day_of,
    json_option,
    load_state,
    messages_json,
    opened,
    print_json,
    review_option,
    show_document,
    tell,
    who,
)
from sirolens.cli.show import IMPOSSIBLE, Language, language_option, show_flags
from sirolens.message import info
from sirolens.report.words import label

__all__ = ["add_to"]


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_init(group, language)
    _add_lock(group, language)
    _add_status(group, language)


def _add_init(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.init-{name}-help", language)

    @group.command("init", help=label("review.init-help", language))
    def init_review(
        folder: Path = typer.Argument(..., help=text("folder"), metavar="DIR"),
        by: str = typer.Option(..., "--by", envvar="SIROLENS_REVIEWER", help=text("by"), metavar="NAME"),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.folder import init

        made = init(folder, by=by, language=show_in)
        if as_json:
            print_json({"folder": str(folder), "written": [str(path) for path in made]})
            return
        for path in made:
            typer.echo(label("cli.written", show_in, file=str(path)), err=True)
        tell(info("review.init-next", file=str(folder / "protocol.toml"), folder=str(folder)), show_in)


def _add_lock(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.lock-{name}-help", language)

    @group.command("lock", help=label("review.lock-help", language))
    def lock_protocol(
        why: str = typer.Option("", "--why", help=text("why")),
        key: list[str] = typer.Option([], "--key", help=text("key")),
        on: str = typer.Option("today", "--on", help=text("on"), metavar="DATE"),
        check: bool = typer.Option(False, "--check", help=text("check")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.events import Kind
        from sirolens.evidence.review.folder import append
        from sirolens.evidence.review.protocol import deviations
        from sirolens.evidence.review.protocol_lock import lock_drafts
        from sirolens.evidence.review.state import counting_events

        # Who locks writes down that the protocol was changed: no need to be told so.
        review = opened(folder, show_in, known="review.protocol-changed" if why.strip() else "")
        if check:
            show_flags(review.reading.messages, show_in)
            if as_json:
                print_json({"complete": review.reading.complete})
            elif review.reading.complete:
                tell(info("review.protocol-complete"), show_in)
            if not review.reading.complete:
                raise typer.Exit(IMPOSSIBLE)
            return
        day = day_of(on, "--on")
        events = append(
            review.folder,
            who(by, review),
            lambda now: lock_drafts(now.reading, counting_events(now.events), on=day, why=why, keys=key),
        )
        rows = deviations(counting_events((*review.events, *events)))
        if as_json:
            print_json({"events": [event.id for event in events], "deviations": len(rows)})
        elif events and events[0].kind is Kind.LOCKED:
            tell(info("review.locked", on=day, hash=events[0].text("sha256")[:16]), show_in)
        elif events:
            tell(info("review.amended", count=len(events), rows=len(rows)), show_in)
        else:
            tell(info("review.lock-nothing-new"), show_in)


def _add_status(group: typer.Typer, language: str) -> None:
    @group.command("status", help=label("review.status-help", language))
    def show_status(
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from datetime import UTC, datetime

        from sirolens.study.review.status import next_steps, status_document, status_json

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        today = datetime.now(UTC).astimezone().date()
        steps = next_steps(review, state, today=today)
        if as_json:
            told = status_json(review, state)
            print_json(told | {"next": messages_json(steps, show_in)})
        else:
            show_document(status_document(review, state, steps, version=__version__, language=show_in), show_in)
