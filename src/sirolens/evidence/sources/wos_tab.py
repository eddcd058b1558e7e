# SPDX-License-Identifier: Apache-2.0
"""Reads Web of Science tab-delimited files: one line a record, columns named by the heading, quotes without meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, half_record, heading, stray_lines
from sirolens.evidence.sources.wos_fields import JOINED, TAGS, wos_values

__all__ = ["NAME", "detect", "read"]

NAME: Final = "wos-tab"

_NEEDED = frozenset({"AU", "TI"})


def detect(head: str) -> int:
    """Tell the table by its heading of two-character tags with tabs between them."""
    return SIGNATURE if _is_heading(head.lstrip().partition("\n")[0].split("\t")) else 0


def _is_heading(cells: Sequence[str]) -> bool:
    named = [cell.strip() for cell in cells if cell.strip()]
    return set(named) >= _NEEDED and len(TAGS.intersection(named)) >= max(5, len(named) // 2)


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read a table by its heading; a tab at the end of a line and columns nobody knows are fine.

    A row with fewer columns than the heading may have been cut: it is a record when its title is there, and listed as
    unparsed. Cells beyond the heading are listed too. A further heading (files put together) takes over.

    Examples
    --------
    >>> text = "PT\tAU\tTI\tSO\tPY\tUT\nJ\tZhang, W; Doe, J\tInvented\tFAKE\t2021\tWOS:000000000000001\t\n"
    >>> found = list(read(SourceText(name="a.txt", text=text, encoding="utf-16", sha256="0" * 64)))
    >>> found[1].title, len(found[1].authors), found[1].wos_id
    ('Invented', 2, 'WOS:000000000000001')
    """
    columns: list[str] = []
    ordinal = 0
    for number, line in enumerate(file.text.split("\n"), 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if _is_heading(cells):
            columns = [cell.strip() for cell in cells]
            while columns and not columns[-1]:
                columns.pop()
            yield heading(number, line)
            continue
        if not columns or len(cells) < 2:
            yield stray_lines(number, line)
            continue
        ordinal += 1
        values = {tag: cell.strip() for tag, cell in zip(columns, cells, strict=False) if tag}
        if not values.get("TI"):
            yield half_record(number, line)
            continue
        fields = {
            tag: [part.strip() for part in value.split(";") if part.strip()] if tag in JOINED else [value]
            for tag, value in values.items()
            if value
        }
        beyond = [cell for cell in cells[len(columns) :] if cell.strip()]
        unparsed = ((number, line),) if len(cells) < len(columns) else tuple((number, cell) for cell in beyond)
        yield file.record(NAME, ordinal, (number, number), line, **wos_values(fields), unparsed=unparsed)
