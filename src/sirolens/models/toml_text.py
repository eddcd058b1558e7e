# SPDX-License-Identifier: Apache-2.0
"""Reads the text of a TOML file that somebody wrote: not too large, UTF-8, or a fault that says which."""

from __future__ import annotations

from pathlib import Path

from sirolens.errors import InputError
from sirolens.message import Place, error

__all__ = ["toml_text"]


def toml_text(path: str | Path, *, most_bytes: int) -> str:
    """Return the text of a file, without the mark that some editors put before it.

    Parameters
    ----------
    path : str or Path
        The file.
    most_bytes : int
        No file of its kind is larger; a data file given by mistake is.

    Raises
    ------
    InputError
        ``models.file-too-large``, ``models.file-not-utf8`` with the first byte that is none, or
        ``models.file-unreadable`` with what the system says.

    Examples
    --------
    >>> try:
    ...     toml_text("/no/such/file.toml", most_bytes=1_000)
    ... except InputError as fault:
    ...     print(fault.messages[0])
    /no/such/file.toml: models.file-unreadable(expected=TOML, value=No such file or directory)
    """
    place = Place(file=str(path))
    try:
        size = Path(path).stat().st_size
        if size > most_bytes:
            raise InputError(error("models.file-too-large", place=place, value=size, expected=most_bytes))
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        found = f"0x{fault.object[fault.start]:02x}"
        raise InputError(error("models.file-not-utf8", place=place, value=found, expected="UTF-8")) from None
    except OSError as fault:
        told = fault.strerror or str(fault)
        raise InputError(error("models.file-unreadable", place=place, value=told, expected="TOML")) from None
