# SPDX-License-Identifier: Apache-2.0
"""`sirolens study`: a cohort in, the study's report, tables and lock out; with it its template, the checker, paper A.

``sirolens study COHORT`` needs no name of a command between them: whatever is none of the group's commands is taken
for a cohort's folder.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from sirolens import __version__
from sirolens.cli import study_check
from sirolens.cli.reports import check_pages, kind_of, rendered
from sirolens.cli.show import Language, language_option, show_flags, tell_first_run
from sirolens.errors import InputError
from sirolens.message import Message, Place, Severity, error
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.report.document import Document, Table
    from sirolens.response.cohort import Cohort
    from sirolens.study.cohort.analysis import Analysis
    from sirolens.study.cohort.protocol import StudyProtocol
    from sirolens.study.lock import Lock

__all__ = ["LOCK_DIFFERS", "add_to"]

LOCK_DIFFERS = 1
"""Exit code when a lock file says that something has changed; the report is written all the same."""
REPORT = "report"


class _StudyGroup(TyperGroup):
    """A group whose first word is a cohort's folder unless it is one of its commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the report's command before a folder."""
        named = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named or not args else [REPORT, *args])


def add_to(app: typer.Typer, language: str) -> None:
    """Add the group with its commands, with their help in one language."""
    group = typer.Typer(help=label("study.group-help", language), cls=_StudyGroup, no_args_is_help=True)
    _add_report(group, language)
    _add_template(group, language)
    study_check.add_to(group, language)
    app.add_typer(group, name="study")


def _add_report(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"study.{name}-help", language)

    @group.command(REPORT, help=text("report"))
    def report(
        cohort: Path = typer.Argument(..., help=text("cohort"), metavar="COHORT"),
        out: list[Path] = typer.Option([], "--out", "-o", help=text("out")),
        tables: Path | None = typer.Option(None, help=text("tables"), metavar="DIR|FILE.xlsx"),
        as_json: bool = typer.Option(False, "--json", help=label("cli.json-help", language)),
        criteria: str = typer.Option("iwg-2009", help=text("criteria"), metavar="NAME|FILE"),
        settings: Path | None = typer.Option(None, help=text("settings")),
        at: str | None = typer.Option(None, "--at", help=text("at"), metavar="DATE"),
        lock: Path | None = typer.Option(None, help=text("lock")),
        relock: bool = typer.Option(False, "--relock", help=text("relock")),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.cohort_folder import read_cohort
        from sirolens.interop.write import check_targets
        from sirolens.response.criteria import load
        from sirolens.study.cohort.analysis import analyse
        from sirolens.study.cohort.protocol import StudyProtocol, load_protocol
        from sirolens.study.cohort_page.page import study_document, study_tables

        check_pages(out)
        inputs = [cohort, *([] if settings is None else [settings])]
        check_targets([*out, *([lock] if lock is not None else [])], inputs=inputs)
        _check_tables(tables)
        rules = load(criteria)
        protocol = StudyProtocol() if settings is None else load_protocol(settings)
        old = _old_lock(lock, relock=relock)
        tell_first_run(show_in)
        found, flags = read_cohort(cohort)
        analysis = analyse(found, rules, protocol, at=_instant(at, found))
        new, told = _locked(analysis, protocol, old)
        document = study_document(analysis, version=__version__, language=show_in, lock=new, verified=told)
        everything = study_tables(analysis, language=show_in, lock=new, verified=told)
        made = {path: rendered(document, kind_of(path), show_in) for path in out}
        made |= _table_files(tables, everything, show_in, found.charts[0].zone)
        if lock is not None and old is None:
            from sirolens.study.lock import lock_text

            made[lock] = lock_text(new).encode()
        show_flags((*flags, *told), show_in)
        if as_json:
            from sirolens.study.analysis_json import to_json

            as_values = to_json(analysis, everything, show_in, flags=flags, lock=new, verified=told)
            typer.echo(json.dumps(as_values, ensure_ascii=False, indent=2, allow_nan=False))
        elif not made or (lock is not None and list(made) == [lock]):
            _show(document, show_in)
        _write(made, tables)
        for path in made:
            typer.echo(label("cli.written", show_in, file=str(path)), err=True)
        if any(message.severity is Severity.WARNING for message in told):
            raise typer.Exit(LOCK_DIFFERS)


def _add_template(group: typer.Typer, language: str) -> None:
    @group.command("template", help=label("study.template-help", language))
    def template(
        folder: Path = typer.Argument(..., help=label("study.template-folder-help", language), metavar="DIR"),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.interop.cohort_template import write

        for path in write(folder, show_in):
            typer.echo(label("cli.written", show_in, file=str(path)), err=True)


def _check_tables(place: Path | None) -> None:
    """Tables go into one workbook or into a folder, which is made if it is not there."""
    from sirolens.interop.write import check_targets

    if place is None:
        return
    if place.suffix.lower() == ".xlsx":
        check_targets([place])
    elif place.suffix or (place.exists() and not place.is_dir()):
        known = (".xlsx", "DIR")
        raise InputError(error("write.format-unknown", place=Place(file=str(place)), value=place.suffix, known=known))
    elif not place.is_dir():
        check_targets([place])


def _old_lock(path: Path | None, *, relock: bool) -> Lock | None:
    if path is None or relock or not path.exists():
        return None
    from sirolens.study.lock import read_lock

    try:
        return read_lock(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as failure:
        raise InputError(error("file.unreadable", place=Place(file=str(path)))) from failure


def _instant(text: str | None, cohort: Cohort) -> datetime | None:
    """The end of the day asked for, or the instant; without one, the study's own data cut."""
    if text is None:
        return None
    from sirolens.interop.instants import read_day, read_instant, start_of_day

    zone = ZoneInfo(cohort.charts[0].zone) if cohort.charts else ZoneInfo("UTC")
    place = Place(field="--at")
    if ":" in text:
        return read_instant(text, zone=zone, place=place)[0]
    following = start_of_day(read_day(text, place=place) + timedelta(days=1), zone)
    return following - timedelta(microseconds=1)


def _locked(analysis: Analysis, protocol: StudyProtocol, old: Lock | None) -> tuple[Lock, tuple[Message, ...]]:
    """Return the lock of this run, and what the old one says of it."""
    from sirolens.study.analysis_json import tables_json
    from sirolens.study.cohort_page.page import study_tables
    from sirolens.study.lock import lock_of, verify

    # The results are hashed in one language, so that a report in the other one has the same lock.
    results = tables_json(study_tables(analysis, language="en"), "en", analysis.cohort.charts[0].zone)
    new = lock_of(analysis.cohort, analysis.outcomes.criteria, protocol, analysis.at, results)
    return new, () if old is None else verify(old, new)


def _table_files(place: Path | None, tables: dict[str, Table], language: str, zone: str) -> dict[Path, bytes]:
    if place is None:
        return {}
    from sirolens.report.tables import csv_bytes, xlsx_bytes

    if place.suffix.lower() == ".xlsx":
        return {place: xlsx_bytes(tables, language, zone)}
    return {place / f"{name}.csv": csv_bytes(table, language, zone) for name, table in tables.items()}


def _write(made: dict[Path, bytes], tables: Path | None) -> None:
    """Write everything or nothing; a folder that was made for tables is taken away again when writing fails."""
    from sirolens.interop.write import write_together

    fresh = tables is not None and tables.suffix.lower() != ".xlsx" and not tables.exists()
    if fresh and tables is not None:
        try:
            tables.mkdir()
        except OSError as failure:
            told = failure.strerror or str(failure)
            raise InputError(error("write.impossible", place=Place(file=str(tables)), told=told)) from failure
    try:
        write_together(made)
    except InputError:
        if fresh and tables is not None:
            tables.rmdir()
        raise


def _show(document: Document, language: str) -> None:
    from rich.console import Console

    from sirolens.report.terminal import show

    show(document, language, Console())
