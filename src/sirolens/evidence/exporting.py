# SPDX-License-Identifier: Apache-2.0
"""Exporting records: one text in any format that can be written, and the file of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sirolens.errors import InputError
from sirolens.evidence.record import Record
from sirolens.evidence.sources.registry import FORMATS, format_named
from sirolens.message import Message, Place, error

__all__ = ["export", "export_file", "writable"]


def writable() -> dict[str, Message]:
    """Return the formats that can be written: name -> what people call it.

    >>> sorted(writable())[:2]
    ['bibtex', 'csv']
    """
    return {one.name: one.title for one in FORMATS if one.write is not None}


def export(records: Iterable[Record], format_name: str) -> str:
    """Return records as one text in a format.

    Parameters
    ----------
    records : iterable of Record
    format_name : str
        One of `writable`. Our own ``csv`` keeps every field; what the others cannot hold is said in their writers.

    Raises
    ------
    UnknownNameError
        There is no such format.
    InputError
        The format can be read but not written (``import.read-only``, with those that can).
    """
    one = format_named(format_name)
    if one.write is None:
        raise InputError(error("import.read-only", title=one.title, known=tuple(writable())))
    return one.write(records)


def export_file(records: Iterable[Record], path: Path | str, *, format_name: str) -> None:
    """Write records to a file in UTF-8; an existing file is never overwritten (``import.file-exists``)."""
    path = Path(path)
    text = export(records, format_name)
    try:
        with path.open("x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except FileExistsError:
        raise InputError(error("import.file-exists", place=Place(file=path.name))) from None
