# SPDX-License-Identifier: Apache-2.0
"""`sirolens review query`: print the search expression of every database, to be pasted there."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from sirolens.cli.show import IMPOSSIBLE, Language, language_option, show_flags
from sirolens.errors import SirolensError
from sirolens.report.words import cite, label, say

__all__ = ["add_to"]


def add_to(app: typer.Typer, language: str) -> None:
    """Add the command to the group `review`, with its help in one language."""

    def text(name: str) -> str:
        return label(f"chinese.query-{name}-help", language)

    @app.command("query", help=text("command"))
    def query(
        file: Path | None = typer.Argument(None, help=text("file"), metavar="FILE.toml"),
        database: list[str] = typer.Option([], "--database", "-d", help=text("database")),
        longest: int | None = typer.Option(None, "--longest", min=50, help=text("longest")),
        as_json: bool = typer.Option(False, "--json", help=label("cli.json-help", language)),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.search.databases import DATABASES, Expression, dialect, write_query
        from sirolens.evidence.search.query import default_query, read_query_file

        asked = [dialect(name).name for name in database] or [one.name for one in DATABASES]
        told = default_query() if file is None else read_query_file(file)
        written: dict[str, Expression | SirolensError] = {}
        for name in dict.fromkeys(asked):
            try:
                written[name] = write_query(told, name, longest=longest)
            except SirolensError as fault:
                written[name] = fault
        if as_json:
            typer.echo(
                json.dumps([_plain(name, one, show_in) for name, one in written.items()], ensure_ascii=False, indent=2)
            )
        else:
            for name, one in written.items():
                _show(name, one, show_in)
        if any(isinstance(one, SirolensError) for one in written.values()):
            raise typer.Exit(IMPOSSIBLE)


def _title(name: str, language: str) -> str:
    return label(f"chinese.database-{name}", language)


def _plain(name: str, one: object, language: str) -> dict[str, object]:
    from sirolens.evidence.search.databases import Expression

    if isinstance(one, Expression):
        return {
            "database": name,
            "title": _title(name, language),
            "expressions": list(one.parts),
            "unverified": one.unverified,
            "syntax": cite(one.syntax, language),
            "messages": [say(message, language) for message in one.messages],
        }
    messages = one.messages if isinstance(one, SirolensError) else ()
    return {
        "database": name,
        "title": _title(name, language),
        "expressions": [],
        "messages": [say(message, language) for message in messages],
    }


def _show(name: str, one: object, language: str) -> None:
    """Write the expressions alone to the output, so that they can be copied; all else goes to the error stream."""
    from sirolens.evidence.search.databases import Expression

    typer.echo(f"## {_title(name, language)}", err=not isinstance(one, Expression))
    if isinstance(one, Expression):
        for part in one.parts:
            typer.echo(part)
        typer.echo("")
        show_flags(one.messages, language)
    elif isinstance(one, SirolensError):
        show_flags(one.messages, language)
