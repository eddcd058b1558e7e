# SPDX-License-Identifier: Apache-2.0
"""`sirolens review dedup`: copies of one publication are merged, doubtful ones asked about; all can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens import __version__
from sirolens.cli.review_folder import (
    by_option,
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
from sirolens.message import error, info
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.review.folder import Draft, Review
    from sirolens.evidence.review.state import State

__all__ = ["add_to", "run_dedup"]


def add_to(group: typer.Typer, language: str) -> None:
    """Add the command."""

    def text(name: str) -> str:
        return label(f"review.dedup-{name}-help", language)

    @group.command("dedup", help=label("review.dedup-help", language))
    def dedup(
        ask: bool = typer.Option(False, "--ask", help=text("ask")),
        merge: list[str] = typer.Option([], "--merge", help=text("merge"), metavar="RECORD"),
        apart: list[str] = typer.Option([], "--apart", help=text("apart"), metavar="RECORD"),
        split: str = typer.Option("", "--split", help=text("split"), metavar="RECORD"),
        show: str = typer.Option("", "--show", help=text("show"), metavar="RECORD"),
        why: str = typer.Option("", "--why", help=text("why")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.folder import append
        from sirolens.study.review.copies import asks_document, asks_json, cluster_document, cluster_json

        review = opened(folder, show_in)
        state = load_state(review, show_in)
        if sum(map(bool, (ask, merge, apart, split, show))) > 1:
            raise InputError(error("review.dedup-one-at-a-time"))
        if show:
            name = state.grouping.cluster_of[record_of(state, show)]
            if as_json:
                print_json(cluster_json(state, name, show_in))
            else:
                show_document(cluster_document(state, name, version=__version__), show_in)
            return
        if ask:
            if as_json:
                print_json(asks_json(state, show_in))
            else:
                show_document(asks_document(state, version=__version__), show_in)
            return
        name = who(by, review)
        if merge or apart or split:
            draft = _word(state, merge, apart, split, why)
            (event,) = append(review.folder, name, [draft])
            if as_json:
                print_json({"event": event.id, "kind": str(event.kind), "values": dict(event.values)})
            else:
                tell(info(f"review.dedup-{event.kind}", event=event.id), show_in)
            return
        told = run_dedup(review, name, show_in)
        if as_json:
            print_json(told)
        else:
            tell(info("review.dedup-done", **told), show_in)
            tell(info("review.dedup-next-ask" if told["asks"] else "review.dedup-next"), show_in)


def _word(state: State, merge: list[str], apart: list[str], split: str, why: str) -> Draft:
    """The event of what a person decided about copies."""
    from sirolens.evidence.review.clusters import PERSON
    from sirolens.evidence.review.events import Kind

    reasons = {"why": [why] if why else None, "method": PERSON}
    if split:
        one = record_of(state, split)
        others = [member for member in state.clusters[state.grouping.cluster_of[one]].members if member != one]
        if not others:
            raise InputError(error("review.split-alone", record=one))
        return Kind.KEPT_APART, {"members": [one], "others": others, **reasons}
    records = list(dict.fromkeys(record_of(state, told) for told in merge or apart))
    if len(records) < 2:
        raise InputError(error("review.dedup-two-needed"))
    return (Kind.MERGED if merge else Kind.KEPT_APART), {"members": records, **reasons}


def run_dedup(review: Review, by: str, language: str) -> dict[str, Any]:
    """Deduplicate all records of a review and write what is new.

    Returns
    -------
    dict
        ``records``, ``publications``, ``merged`` (clusters new or larger), ``asks`` (open), ``links`` (new).
    """
    from sirolens.evidence.dedup.deduplicate import deduplicate
    from sirolens.evidence.review.copies import copies_drafts, decided, known_clusters
    from sirolens.evidence.review.events import Kind
    from sirolens.evidence.review.folder import append, open_review

    state = review.state
    with _progress(language) as tick:
        found = deduplicate(
            state.records.values(), known=known_clusters(state), decided=decided(review.events), progress=tick
        )
    events = append(review.folder, by, copies_drafts(state, found))
    show_flags(found.messages, language)
    after = open_review(review.folder).state
    kinds = [event.kind for event in events]
    return {
        "records": len(after.records),
        "publications": len(after.clusters),
        "merged": kinds.count(Kind.MERGED),
        "asks": len(after.asks),
        "links": kinds.count(Kind.LINKED),
    }


@contextmanager
def _progress(language: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far it is, on the error stream and only where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label("review.dedup-progress", language), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
