# SPDX-License-Identifier: Apache-2.0
"""What commands on a chart share: the instant they look back from, and reports of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sirolens.errors import InputError
from sirolens.message import Place, error

if TYPE_CHECKING:
    from sirolens.chart import Chart
    from sirolens.report.document import Document

__all__ = ["asked_for", "check_pages", "instant_of", "kind_of", "rendered"]

PAGES = (".html", ".pdf", ".docx")


def instant_of(text: str | None, chart: Chart) -> datetime:
    """Read the instant asked for; without one, it is when the newest fact was recorded."""
    if text is None:
        if chart.last_recorded is None:
            raise InputError(error("cli.at-needed"))
        return chart.last_recorded
    from sirolens.interop.instants import read_instant

    return read_instant(text, zone=ZoneInfo(chart.zone), place=Place(field="--at"))[0]


def asked_for(html: Path | None, pdf: Path | None, docx: Path | None) -> tuple[tuple[Path, str], ...]:
    """Return the files that options ask for, with the kind of each."""
    return tuple((path, kind) for path, kind in ((html, "html"), (pdf, "pdf"), (docx, "docx")) if path is not None)


def check_pages(out: Sequence[Path]) -> None:
    """Refuse a report whose ending is of no page, before anything is computed."""
    faults = [
        error("write.format-unknown", place=Place(file=str(path)), value=path.suffix, known=PAGES)
        for path in out
        if path.suffix.lower() not in PAGES
    ]
    if faults:
        raise InputError(*faults)


def kind_of(path: Path) -> str:
    """Return the kind of report that a file's ending asks for."""
    return path.suffix.lower().removeprefix(".")


def rendered(document: Document, kind: str, language: str) -> bytes:
    """Make a report: ``"html"``, ``"pdf"`` or ``"docx"``."""
    match kind:
        case "pdf":
            from sirolens.report.pdf import render as to_pdf

            return to_pdf(document, language)
        case "docx":
            from sirolens.report.docx import render as to_docx

            return to_docx(document, language)
        case _:
            from sirolens.report.html import page

            return page(document, language).encode()
