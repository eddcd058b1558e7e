# SPDX-License-Identifier: Apache-2.0
"""`sirolens review import` and `search-log`: files of a search are taken in, and every search is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens import __version__
from sirolens.cli.review_folder import (
    by_option,
    check_results,
    day_of,
    json_option,
    load_state,
    opened,
    print_json,
    review_option,
    show_document,
    tell,
    who,
)
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Message, Place, error, info, warning
from sirolens.report.words import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from sirolens.evidence.importing import Imported
    from sirolens.evidence.review.folder import Draft, Review
    from sirolens.evidence.review.search_log import Plan

__all__ = ["add_to"]


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_import(group, language)
    _add_log(group, language)


def _add_import(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.import-{name}-help", language)

    @group.command("import", help=label("review.import-help", language))
    def import_files(
        files: list[Path] = typer.Argument(..., help=text("files"), metavar="FILE..."),
        source: str = typer.Option("", "--from", help=text("from"), metavar="NAME"),
        run_on: str = typer.Option("", "--run-on", help=text("run-on"), metavar="DATE"),
        hits: int | None = typer.Option(None, "--hits", min=0, help=text("hits")),
        limits: str = typer.Option("", "--limits", help=text("limits")),
        strategy: str = typer.Option("", "--strategy", help=text("strategy")),
        arm: str = typer.Option("", "--arm", help=text("arm")),
        route: str = typer.Option("", "--route", help=text("route")),
        run_by: str = typer.Option("", "--run-by", help=text("run-by")),
        peer_review: str = typer.Option("", "--peer-review", help=text("peer-review")),
        note: str = typer.Option("", "--note", help=text("note")),
        to_search: str = typer.Option("", "--search", help=text("search"), metavar="ID"),
        format_name: str = typer.Option("", "--format", help=text("format")),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.search_log import Entry

        review = opened(folder, show_in)
        name = who(by, review)
        day = None if not run_on and to_search else day_of(run_on, "--run-on") if run_on else _ask_day()
        read = [_read(path, format_name, show_in) for path in files]
        entry = Entry(
            run_on=day,
            name=source,
            hits=hits,
            limits=limits,
            strategy=strategy,
            arm=arm,
            route=route,
            run_by=run_by,
            peer_review=peer_review,
            note=note,
        )
        done = take_in(review, name, read, entry, to_search=to_search)
        show_flags([message for _, found, _ in read for message in found.messages], show_in)
        show_flags(done["messages"], show_in)
        if as_json:
            print_json({key: value for key, value in done.items() if key != "messages"})
            return
        for one in done["files"]:
            tell(info("review.import-done", **one), show_in)
        tell(info("review.import-next"), show_in)


def _ask_day() -> Any:
    raise InputError(error("review.run-on-needed", place=Place(field="--run-on")))


def _read(path: Path, format_name: str, language: str) -> tuple[Path, Imported, bytes]:
    """Read a file; show how far it is where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from sirolens.evidence.importing import import_file

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label("review.reading", language, file=path.name), total=None)
        found = import_file(
            path,
            format_name=format_name or None,
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    return path, found, path.read_bytes()


def take_in(
    review: Review, by: str, read: list[tuple[Path, Imported, bytes]], entry: Any, *, to_search: str = ""
) -> dict[str, Any]:
    """Log the search, keep its files, and say what was taken in.

    Returns
    -------
    dict
        ``search`` ids, ``files`` with their counts, ``messages``.

    Raises
    ------
    InputError
        A file was taken in before, or the source is not known; nothing is written then.
    """
    from sirolens.evidence.review.events import Kind
    from sirolens.evidence.review.folder import append, keep_import
    from sirolens.evidence.review.search_log import refuse_known, searches_for

    names = [(path.name, found.sha256) for path, found, _ in read]
    refuse_known(review.events, names)
    planned = searches_for(review, entry, [(path.name, found.source) for path, found, _ in read], to_search=to_search)
    told: dict[str, Any] = {"searches": [], "files": [], "messages": []}
    # The files lie in the folder before any event speaks of them; the events of a search are written together.
    kept = [keep_import(review.folder, data, found, name=path.name, search="") for path, found, data in read]
    for plan in planned:
        search = plan.known or append(review.folder, by, [plan.draft])[0].id
        drafts = [(kind, values | {"search": search}) for kind, values in (kept[index] for index in plan.files)]
        try:
            append(review.folder, by, _unless_known(drafts, [names[index] for index in plan.files]))
        except InputError:
            if not plan.known:  # a search that has nothing to show for it
                append(review.folder, by, [(Kind.UNDONE, {"event": search})])
            raise
        told["searches"].append(search)
        told["messages"] += plan.messages
        for index in plan.files:
            path, found, _ = read[index]
            # A table's heading is no record and lacks nothing.
            unread = sum(piece.reason.code != "import.heading" for piece in found.unread)
            one = {"file": path.name, "records": len(found.records), "unread": unread}
            told["files"].append(one | {"format": found.source, "search": plan.name})
        told["messages"] += _hits_differ(review, search, plan, sum(len(read[index][1].records) for index in plan.files))
    return told


def _unless_known(drafts: list[Draft], names: list[tuple[str, str]]) -> Callable[[Review], list[Draft]]:
    """Return what is asked under the lock: somebody may have taken the same files in meanwhile."""
    from sirolens.evidence.review.search_log import refuse_known

    def checked(now: Review) -> list[Draft]:
        refuse_known(now.events, names)
        return drafts

    return checked


def _hits_differ(review: Review, search: str, plan: Plan, records: int) -> list[Message]:
    """Say when the database showed another number of hits than the files of a search hold together: is one missing?"""
    from sirolens.evidence.review.events import Kind
    from sirolens.evidence.review.search_log import find_search
    from sirolens.evidence.review.state import counting_events

    counting = counting_events(review.events)
    before = sum(e.values["records"] for e in counting if e.kind is Kind.IMPORTED and e.text("search") == search)
    hits = (find_search(counting, search).values if plan.known else plan.draft[1]).get("hits")
    if hits is None or hits == before + records:
        return []
    return [warning("review.hits-differ", name=plan.name, hits=hits, records=before + records)]


def _add_log(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.log-{name}-help", language)

    @group.command("search-log", help=label("review.log-help", language))
    def search_log(
        out: Path | None = typer.Option(None, "--out", "-o", help=text("out"), metavar="FILE.csv"),
        correct: str = typer.Option("", "--correct", help=text("correct"), metavar="ID"),
        change: list[str] = typer.Option([], "--set", help=text("set"), metavar="KEY=VALUE"),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.folder import append, open_review
        from sirolens.evidence.review.search_log import correction, log_rows
        from sirolens.study.review.log import log_csv, log_document

        check_results([out] if out else [])
        review = opened(folder, show_in)
        if correct or change:
            append(review.folder, who(by, review), [correction(review.state, correct, change)])
            review = open_review(review.folder)
        state = load_state(review, show_in)
        rows = log_rows(state)
        if out is not None:
            from sirolens.interop.write import write_whole

            write_whole(out, log_csv(rows, show_in))
            typer.echo(label("cli.written", show_in, file=str(out)), err=True)
        if as_json:
            print_json([row.as_json() for row in rows])
        elif out is None:
            show_document(log_document(rows, version=__version__), show_in)
