# SPDX-License-Identifier: Apache-2.0
"""`sirolens review export`: records go out to other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirolens.cli.review_folder import (
    check_results,
    json_option,
    load_state,
    opened,
    print_json,
    review_option,
    tell,
)
from sirolens.cli.show import Language, language_option
from sirolens.errors import InputError
from sirolens.message import Place, error, info
from sirolens.report.words import label

if TYPE_CHECKING:
    pass

__all__ = ["add_to"]

FORMATS = {".ris": "ris", ".bib": "bibtex", ".csv": "csv", ".nbib": "pubmed-nbib"}
"""Which format a file's ending asks for; a name given with --format goes before it."""


def add_to(group: typer.Typer, language: str) -> None:
    """Add the commands."""
    _add_export(group, language)


def _add_export(group: typer.Typer, language: str) -> None:
    def text(name: str) -> str:
        return label(f"review.export-{name}-help", language)

    @group.command("export", help=label("review.export-help", language))
    def export_records(
        out: Path = typer.Argument(..., help=text("out"), metavar="FILE"),
        box: list[str] = typer.Option([], "--box", help=text("box")),
        copies: bool = typer.Option(False, "--copies", help=text("copies")),
        format_name: str = typer.Option("", "--format", help=text("format")),
        folder: Path = review_option(language),
        as_json: bool = json_option(language),
        show_in: Language = language_option(language),
    ) -> None:
        from sirolens.evidence.exporting import export
        from sirolens.evidence.review.state import Box
        from sirolens.interop.write import write_whole

        name = format_name or FORMATS.get(out.suffix.lower(), "")
        if not name:
            place = Place(file=str(out))
            raise InputError(error("write.format-unknown", place=place, value=out.suffix, known=tuple(FORMATS)))
        known = tuple(one.value for one in Box)
        wrong = [one for one in box if one not in known]
        if wrong:
            raise InputError(error("review.box-unknown", place=Place(field="--box"), value=wrong[0], known=known))
        check_results([out])
        state = load_state(opened(folder, show_in), show_in)
        chosen = state.within(*(Box(one) for one in box)) if box else state.screened
        if copies:
            chosen = tuple(member for one in chosen for member in state.clusters[state.placed[one].cluster].members)
        records = [state.records[one] for one in dict.fromkeys(chosen)]
        if not records:
            raise InputError(error("review.export-nothing"))
        write_whole(out, export(records, name).encode())
        if as_json:
            print_json({"file": str(out), "records": len(records), "format": name})
        else:
            tell(info("review.exported", count=len(records), file=str(out)), show_in)
