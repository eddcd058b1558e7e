# SPDX-License-Identifier: Apache-2.0
"""Checks a model file: one message per fault, with file, line, field, value and what was expected."""

from __future__ import annotations

from pathlib import Path

from sirolens.message import Message, Place, error
from sirolens.models.model_file import Reading, read_model

__all__ = ["LARGEST_FILE_BYTES", "check", "read_file"]

#: No model file is this large; a data file given by mistake is.
LARGEST_FILE_BYTES = 1_000_000


def _text(path: Path) -> tuple[str | None, Message | None]:
    place = Place(file=str(path))
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            size = path.stat().st_size
            return None, error("models.file-too-large", place=place, value=size, expected=LARGEST_FILE_BYTES)
        return path.read_text(encoding="utf-8-sig"), None
    except UnicodeDecodeError as fault:
        found = f"0x{fault.object[fault.start]:02x}"
        return None, error("models.file-not-utf8", place=place, value=found, expected="UTF-8")
    except OSError as fault:
        return None, error("models.file-unreadable", place=place, value=fault.strerror or str(fault), expected="TOML")


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
    text, wrong = _text(Path(path))
    if text is None:
        return Reading(model=None, messages=(wrong,) if wrong is not None else ())
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
