# SPDX-License-Identifier: Apache-2.0
"""`sirolens review search`: runs the protocol's PubMed or Web of Science strategy, records it and takes its hits in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens.cli.review_folder import by_option, json_option, opened, print_json, review_option, tell, who
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error, info
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.review.folder import Review
    from sirolens.evidence.review.protocol import Database
    from sirolens.evidence.search.pubmed import PubMed
    from sirolens.evidence.search.run import Found

__all__ = ["add_to", "fetching", "pubmed_client"]

PUBMED_KEY = "NCBI_API_KEY"
WOS_KEY = "WOS_API_KEY"
"""The environment variables of the keys, which are written nowhere."""
ENDINGS = {"xml": "xml", "medline": "nbib", "json": "json"}
"""How a fetched file is called, by the form of its records."""
PUBMED, WOS = "pubmed", "web of science"  # what a source's database is called in the protocol


def add_to(group: typer.Typer, language: str) -> None:
    """Add the command."""

    def text(name: str) -> str:
        return label(f"review.search-{name}-help", language)

    @group.command("search", help=label("review.search-help", language))
    def search(
        source: str = typer.Argument("pubmed", help=text("source"), metavar="[NAME]"),
        email: str = typer.Option("", "--email", envvar="NCBI_EMAIL", help=text("email")),
        requests: int = typer.Option(
            50, "--requests-a-day", min=1, help=label("retrieval.requests-help", language), metavar="N"
        ),
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
        found = _run(database, email, requests, store, show_in)
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
        raise InputError(error("review.source-unknown", place=Place(field="NAME"), value=source, known=known))
    if not _service_of(found):
        raise InputError(error("review.search-only-pubmed", name=found.database))
    if not found.strategy.strip():
        raise InputError(error("review.strategy-empty", name=found.name))
    return found


def _service_of(database: Database) -> str:
    """Which of the two services a source of the protocol is searched through; empty: none of them."""
    return next((name for name in (PUBMED, WOS) if name in database.database.lower()), "")


def pubmed_client(email: str) -> PubMed:
    """Return who asks PubMed, with the key of the environment where there is one.

    Raises
    ------
    InputError
        ``retrieval.email-option``.
    """
    from sirolens.evidence.search.pubmed import PubMed

    if not email.strip():
        raise InputError(error("retrieval.email-option", place=Place(field="--email")))
    return PubMed(email=email, api_key=os.environ.get(PUBMED_KEY, ""))


@contextmanager
def fetching(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far fetching is where somebody watches, while the block runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _run(database: Database, email: str, requests: int, store: Path, language: str) -> Found:
    """Search; what was fetched before a fault, or before the day's requests were used up, is kept in the store."""
    at = datetime.now(UTC).astimezone()
    store.parent.mkdir(mode=0o700, exist_ok=True)
    what = label("retrieval.fetching", language, name=database.database)
    if _service_of(database) == PUBMED:
        from sirolens.evidence.search.pubmed import search_pubmed

        asking = pubmed_client(email)
        with fetching(what) as progress:
            return search_pubmed(database.strategy, asking, at=at, store=store, progress=progress)
    from sirolens.evidence.search.wos_api import WebOfScience, search_wos

    key = os.environ.get(WOS_KEY, "")
    if not key.strip():
        raise InputError(error("retrieval.wos-key-variable", name=WOS_KEY))
    client = WebOfScience(api_key=key, most_requests=requests)
    with fetching(what) as progress:
        return search_wos(database.strategy, client, at=at, store=store, progress=progress)


def _keep(review: Review, by: str, database: Database, found: Found, *, repeats: str, note: str) -> dict[str, Any]:
    """Write the search and its files; a search without a hit is an entry without a file."""
    from sirolens.evidence.importing import import_bytes
    from sirolens.evidence.review.folder import append, keep_import
    from sirolens.evidence.review.search_log import Entry, find_search, known_files, searches_for
    from sirolens.evidence.review.state import counting_events

    run = found.run
    earlier = find_search(counting_events(review.events), repeats).id if repeats else ""
    entry = Entry(
        run_on=run.searched_at.date(), name=database.name, hits=run.count, run_by=by, note=note, repeats=earlier
    )
    ((kind, values),) = (plan.draft for plan in searches_for(review, entry, [("", "")]))
    values |= {"platform": run.platform, "translation": run.translation or None, "strategy": run.query}
    stem = f"{database.name}-{run.searched_at.date()}"
    names = [stem] if len(found.texts) == 1 else [f"{stem}-{number}" for number in range(1, len(found.texts) + 1)]
    data = {f"{name}.{ENDINGS[run.form]}": text.encode() for name, text in zip(names, found.texts, strict=True)}
    read = {name: import_bytes(one, name=name) for name, one in data.items()}  # before anything is written
    (event,) = append(review.folder, by, [(kind, values)])
    known = known_files(review.events)
    new = {name: one for name, one in read.items() if one.sha256 not in known}
    for name, one in new.items():
        append(review.folder, by, [keep_import(review.folder, data[name], one, name=name, search=event.id)])
    return {
        "records": sum(len(one.records) for one in new.values()),
        "unread": sum(piece.reason.code != "import.heading" for one in new.values() for piece in one.unread),
        "files": list(new),
        "search": event.id,
        "hits": run.count,
    }
