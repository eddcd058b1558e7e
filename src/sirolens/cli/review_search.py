# SPDX-License-Identifier: Apache-2.0
"""`sirolens review search`: runs the protocol's PubMed strategy, records the search and takes its records in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens.cli.review_folder import by_option, json_option, opened, print_json, review_option, tell, who
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error, info
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.protocol import Database
    from sirolens.evidence.review import Review
    from sirolens.evidence.search_run import Found

__all__ = ["add_to"]

KEY = "NCBI_API_KEY"
"""The environment variable of the key; it is written nowhere."""


def add_to(group: typer.Typer, language: str) -> None:
    """Add the command."""

    def text(name: str) -> str:
        return label(f"review.search-{name}-help", language)

    @group.command("search", help=label("review.search-help", language))
    def search(
        source: str = typer.Argument("pubmed", help=text("source"), metavar="[NAME]"),
        email: str = typer.Option(..., "--email", envvar="NCBI_EMAIL", help=text("email")),
        repeats: str = typer.Option("", "--repeats", help=text("repeats"), metavar="ID"),
        note: str = typer.Option("", "--note", help=label("review.import-note-help", language)),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        review = opened(folder, show_in)
        name = who(by, review)
        database = _database(review, source)
        store = review.folder / "private" / f"search-{database.name}.part"
        found = _run(database, email, store, show_in)
        told = _keep(review, name, database, found, repeats=repeats, note=note)
        store.unlink(missing_ok=True)
        same = found.run.retrieved and not told["records"]
        show_flags((*found.run.messages, *([info("review.search-same")] if same else [])), show_in)
        if as_json:
            print_json(told)
        else:
            tell(info("review.search-done", name=database.name, hits=found.run.count, records=told["records"]), show_in)
            tell(info("review.import-next"), show_in)


def _database(review: Review, source: str) -> Database:
    protocol = review.reading.protocol
    sources = () if protocol is None else protocol.databases
    found = next((one for one in sources if one.name == source), None)
    if found is None:
        known = tuple(one.name for one in sources)
        raise InputError(error("review.source-unknown", place=Place(field="NAME"), value=source, known=known, near=()))
    if "pubmed" not in found.database.lower():
        raise InputError(error("review.search-only-pubmed", name=found.database))
    if not found.strategy.strip():
        raise InputError(error("review.strategy-empty", name=found.name))
    return found


def _run(database: Database, email: str, store: Path, language: str) -> Found:
    import os

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from sirolens.evidence.pubmed import PubMed, search_pubmed

    store.parent.mkdir(exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label("review.search-progress", language), total=None)
        return search_pubmed(
            database.strategy,
            PubMed(email=email, api_key=os.environ.get(KEY, "")),
            at=datetime.now(UTC).astimezone(),
            store=store,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )


def _keep(
    review: Review, by: str, database: Database, found: Found, *, repeats: str, note: str
) -> dict[str, str | int]:
    """Write the search and its file; a search without a hit is an entry without a file."""
    from sirolens.evidence.importing import import_bytes
    from sirolens.evidence.review import append, keep_import
    from sirolens.evidence.review_events import Kind
    from sirolens.evidence.review_state import counting_events
    from sirolens.evidence.search_log import Entry, find_search, known_files, searches_for

    run = found.run
    earlier = find_search(counting_events(review.events), repeats).id if repeats else ""
    entry = Entry(
        run_on=run.searched_at.date(), name=database.name, hits=run.count, run_by=by, note=note, repeats=earlier
    )
    ((kind, values),) = (plan.draft for plan in searches_for(review, entry, [("", "")]))
    values |= {"platform": run.platform, "translation": run.translation or None, "strategy": run.query}
    told: dict[str, str | int] = {"records": 0}
    if run.retrieved:
        data = found.text.encode()
        file = f"{database.name}-{run.searched_at.date()}.{'xml' if run.form == 'xml' else 'nbib'}"
        read = import_bytes(data, name=file)
        (event,) = append(review.folder, by, [(kind, values)])
        if read.sha256 not in known_files(review.events):
            append(review.folder, by, [keep_import(review.folder, data, read, name=file, search=event.id)])
            told |= {"records": len(read.records), "unread": len(read.unread), "file": file}
    else:
        (event,) = append(review.folder, by, [(Kind.SEARCHED, values)])
    return told | {"search": event.id, "hits": run.count}
