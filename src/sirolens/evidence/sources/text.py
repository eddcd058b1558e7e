# SPDX-License-Identifier: Apache-2.0
"""A file that was decoded, and the pieces a reader makes of it: every line ends in a record or is told as unread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

from sirolens.evidence.record import Position, Record, record_id
from sirolens.message import Message, error, info, warning

__all__ = ["SIGNATURE", "TABLE", "WEAK", "SourceText", "Unread", "half_record", "heading", "stray_lines"]

# The scale of a reader's `detect`. Two formats with the same score are an ambiguity, which is an error.
SIGNATURE: Final = 100  # the first lines can be nothing else
TABLE: Final = 50  # a table with the format's columns; a more special table says TABLE + the number of its own columns
WEAK: Final = 10  # it looks like it, and nothing better was found


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A part of a file that became no record, and why; it is shown and counted, never dropped in silence.

    Parameters
    ----------
    first_line, last_line : int
        Its lines, counted from 1, both included.
    raw : str
    reason : Message
        What was expected there.
    counts_as_record : bool
        True when it is a record that could not be read (half a record at the end of a file), false for stray lines.
    """

    first_line: int
    last_line: int
    raw: str
    reason: Message
    counts_as_record: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    r"""One export, decoded.

    Parameters
    ----------
    name : str
        The file's name, for messages.
    text : str
        Without a byte-order mark; line ends as ``\n``.
    encoding : str
        What it was decoded from.
    sha256 : str
        Of the bytes as they were.

    Examples
    --------
    >>> file = SourceText(name="a.ris", text="TY  - JOUR\nTI  - Invented\nER  - ", encoding="utf-8", sha256="0" * 64)
    >>> file.record("ris", 1, (1, 3), file.text, title="Invented").position.last_line
    3
    """

    name: str
    text: str
    encoding: str
    sha256: str

    def record(self, source: str, ordinal: int, lines: tuple[int, int], raw: str, **fields: Any) -> Record:
        """Make the record that stands at these lines, as the ``ordinal``-th of the file."""
        place = Position(sha256=self.sha256, ordinal=ordinal, first_line=lines[0], last_line=lines[1])
        return Record(id=record_id(place), source=source, position=place, raw=raw, **fields)


def heading(first_line: int, raw: str) -> Unread:
    r"""Tell lines that belong to the file and to no record: its heading, its closing line, the frame of an XML file.

    >>> heading(1, "FN Clarivate Analytics Web of Science\nVR 1.0").last_line
    2
    """
    return Unread(first_line=first_line, last_line=_last(first_line, raw), raw=raw, reason=info("import.heading"))


def stray_lines(first_line: int, raw: str) -> Unread:
    """Tell lines that stand outside every record and that no rule of the format reads.

    >>> stray_lines(7, "saved by somebody").reason.code
    'import.stray-lines'
    """
    return Unread(
        first_line=first_line, last_line=_last(first_line, raw), raw=raw, reason=warning("import.stray-lines")
    )


def half_record(first_line: int, raw: str) -> Unread:
    """Tell a record that begins and does not end, or that is otherwise too broken to be read; it counts as a record.

    >>> half_record(7, "<record><titles>").counts_as_record
    True
    """
    reason = error("import.half-record")
    last = _last(first_line, raw)
    return Unread(first_line=first_line, last_line=last, raw=raw, reason=reason, counts_as_record=True)


def _last(first_line: int, raw: str) -> int:
    return first_line + raw.rstrip("\n").count("\n")
