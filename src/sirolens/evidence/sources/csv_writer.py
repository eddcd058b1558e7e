# SPDX-License-Identifier: Apache-2.0
"""Writing our own CSV: every field of a record, harmless when it is opened in a spreadsheet program.

A cell that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@`` or a tab) gets an
apostrophe before it; our own reader takes it off again, so that a title comes back as it was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sirolens.evidence.record import Record
from sirolens.evidence.sources.csv_columns import OWN, OWN_SIGN
from sirolens.evidence.sources.printed import plain_line, plain_paragraphs

__all__ = ["harmless", "members", "undone", "write"]

# Full-width signs too: programs set to Chinese or Japanese take them for the plain ones.
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]|'*[\t\r\n]")
_UNDONE = re.compile(r"'+\s*[=+\-@＝＋－＠]|'+[\t\r\n]")
_MEMBER = re.compile(r"(?:\\.|[^\\;])+", re.S)


def write(records: Iterable[Record]) -> str:
    r"""Write records as one CSV text, with a byte-order mark so that spreadsheet programs show Chinese.

    Lists are parted by semicolons; a semicolon or backslash inside a member has a backslash before it.

    >>> from sirolens.evidence.record import Position
    >>> place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=1)
    >>> text = write([Record(id="r-1", source="ris", position=place, raw="", title="=cmd|'x'!A0")])
    >>> text.splitlines()[1][:24]
    '"r-1","\'=cmd|\'x\'!A0","",'
    """
    out = io.StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow((OWN_SIGN, *OWN, "source"))
    for record in records:
        cells = [_cell(record, name) for name in OWN]
        table.writerow([harmless(cell) for cell in (record.id, *cells, record.source)])
    return "\ufeff" + out.getvalue()


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula.

    >>> harmless("=1+1"), harmless("'t Hooft"), undone(harmless("'=1"))
    ("'=1+1", "'t Hooft", "'=1")
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def undone(cell: str) -> str:
    """Return the cell that `harmless` was given."""
    return cell[1:] if _UNDONE.match(cell) else cell


def members(cell: str) -> list[str]:
    r"""Return the members of a list in one of our own cells.

    >>> members(r"sirolimus; a\; b")
    ['sirolimus', 'a; b']
    """
    parts = (re.sub(r"\\(.)", r"\1", part, flags=re.S).strip() for part in _MEMBER.findall(cell))
    return [part for part in parts if part]


def _cell(record: Record, name: str) -> str:
    value: Any = getattr(record, name)
    if name == "authors":
        return _joined(f"{{{one.printed}}}" if one.collective else one.printed for one in record.authors)
    if name == "notices":
        return _joined(
            f"{one.kind} | {one.printed.replace('|', '/')} | {one.pmid} | {one.doi}" for one in record.notices
        )
    if isinstance(value, bool):
        return "yes" if value else ""
    if value is None or isinstance(value, int):
        return "" if value is None else str(value)
    if isinstance(value, tuple):
        return _joined(value)
    return plain_paragraphs(value) if name == "abstract" else plain_line(value)


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(_escaped(parts))


def _escaped(parts: Iterable[str]) -> Iterator[str]:
    for part in map(plain_line, parts):
        if part:
            yield part.replace("\\", "\\\\").replace(";", "\\;")
