# SPDX-License-Identifier: Apache-2.0
"""`sirolens review compare-forms` and `settle-forms`: two people's forms side by side, and their consensus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sirolens.cli.review_folder import (
    by_option,
    check_results,
    json_option,
    opened,
    print_json,
    review_option,
    tell,
    who,
)
from sirolens.cli.show import Language, language_option, show_flags
from sirolens.errors import InputError
from sirolens.message import Place, error, info
from sirolens.report.words import label

if TYPE_CHECKING:
    from sirolens.evidence.extraction.double_extraction import Comparison

__all__ = ["add_to"]


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_compare(group, language)
    _add_settle(group, language)


def _form(language: str, name: str) -> Any:
    return typer.Argument(..., help=label(f"extraction.compare-{name}-help", language), metavar=name.upper())


def _add_compare(group: typer.Typer, language: str) -> None:
    @group.command("compare-forms", help=label("extraction.compare-help", language))
    def compare(
        first: Path = _form(language, "first"),
        second: Path = _form(language, "second"),
        out: Path | None = typer.Option(
            None, "-o", "--out", help=label("extraction.compare-out-help", language), metavar="DECISIONS.toml"
        ),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.consensus import decisions_text, read_pair

        check_results([out] if out else [], inputs=[first, second])
        pair = read_pair(first, second)
        show_flags(pair.messages, show_in)
        if out is not None:
            _write_new(out, decisions_text(pair, show_in))
            typer.echo(label("cli.written", show_in, file=str(out)), err=True)
        compared = pair.comparison
        if as_json:
            print_json(_compared_json(compared))
            return
        tell(info("extraction.compared", agreed=compared.agreed, compared=compared.compared), show_in)
        for one in compared.differences:
            told = info("extraction.difference", field=one.field, first=str(one.first), second=str(one.second))
            tell(told, show_in)


def _write_new(path: Path, text: str) -> None:
    """Write a file that a person will fill in; one that is there may be filled in already."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError as fault:
        raise InputError(error("import.file-exists", place=Place(file=str(path)))) from fault


def _compared_json(compared: Comparison) -> dict[str, Any]:
    rows = [{"field": one.field, "first": one.first, "second": one.second} for one in compared.differences]
    return {"compared": compared.compared, "agreed": compared.agreed, "differences": rows}


def _add_settle(group: typer.Typer, language: str) -> None:
    @group.command("settle-forms", help=label("extraction.settle-help", language))
    def settle(
        first: Path = _form(language, "first"),
        second: Path = _form(language, "second"),
        decisions: Path = typer.Argument(
            ..., help=label("extraction.settle-decisions-help", language), metavar="DECISIONS.toml"
        ),
        folder: Path = review_option(language),
        by: str | None = by_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.review.consensus import keep_settled, read_pair, settle_pair

        review = opened(folder, show_in)
        name = who(by, review)
        pair = read_pair(first, second)
        show_flags(pair.messages, show_in)
        content = settle_pair(pair, decisions, by=name)
        place, events = keep_settled(review.folder, pair, content, decisions, by=name)
        if as_json:
            kinds = [{"event": one.id, "kind": str(one.kind)} for one in events]
            print_json({"file": str(place), "decided": len(pair.comparison.differences), "events": kinds})
        else:
            count = len(pair.comparison.differences)
            tell(info("extraction.settled", file=str(place), count=count, by=name), show_in)
