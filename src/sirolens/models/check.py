# SPDX-License-Identifier: Apache-2.0
"""Checks a model file: one message per fault, with file, line, field, value and what was expected."""

from __future__ import annotations

from pathlib import Path

from sirolens.errors import InputError
from sirolens.message import Message
from sirolens.models.model_file import Reading, read_model
from sirolens.models.toml_text import toml_text

__all__ = ["LARGEST_FILE_BYTES", "check", "read_file"]

#: No model file is this large; a data file given by mistake is.
LARGEST_FILE_BYTES = 1_000_000


def read_file(path: str | Path, variant: str | None = None) -> Reading:
    """Read a model file.

    Parameters
    ----------
    path : str or Path
        The file.
    variant : str, optional
        Which of its variants.

    Examples
    --------
    >>> [message.code for message in read_file("/no/such/file.toml").messages]
    ['models.file-unreadable']
    """
    try:
        text = toml_text(path, most_bytes=LARGEST_FILE_BYTES)
    except InputError as fault:
        return Reading(model=None, messages=fault.messages)
    return read_model(text, str(path), variant)


def check(path: str | Path) -> tuple[Message, ...]:
    """Check a model file and all its variants.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    tuple of Message
        One per fault, in the order of the file, each with file, line, field, value and what was expected; severity
        WARNING for what is suspicious but usable. Empty: the file is good.

    Examples
    --------
    >>> [str(message) for message in check("/no/such/file.toml")]
    ['/no/such/file.toml: models.file-unreadable(expected=TOML, value=No such file or directory)']
    """
    reading = read_file(path)
    messages = list(reading.messages)
    if reading.model is not None:
        for variant in reading.model.variants:
            messages += [message for message in read_file(path, variant.name).messages if message not in messages]
    return tuple(sorted(messages, key=lambda message: (message.place.line or 0) if message.place else 0))
