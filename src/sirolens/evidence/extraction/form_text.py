# SPDX-License-Identifier: Apache-2.0
"""Reads the text of a form, TOML in UTF-8; another encoding is refused with where and which, never guessed."""

from __future__ import annotations

import re
import tomllib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any

from sirolens.errors import InputError
from sirolens.message import Message, Place, error

__all__ = ["form_text"]

LINE = re.compile(r"at line (\d+)")


def form_text(raw: bytes, file: str, *, code: str = "extraction.form-unreadable") -> tuple[str, dict[str, Any]]:
    r"""Return the text of a form and what it says.

    Parameters
    ----------
    raw : bytes
    file : str
        Named in faults.
    code : str
        Of the message about what is no TOML.

    Raises
    ------
    InputError
        ``extraction.not-utf-8`` with the encoding it can be read as, ``extraction.not-text``, or `code`, each with the
        line where it is known.

    Examples
    --------
    >>> form_text(b"\xef\xbb\xbfid = 'a'", "a.toml")[1]
    {'id': 'a'}
    >>> try:
    ...     form_text("id = 'a'\nname = '西罗莫司'".encode("gb18030"), "a.toml")
    ... except InputError as fault:
    ...     print(fault.messages[0])
    a.toml:2: extraction.not-utf-8(encoding=GB18030)
    """
    try:
        text = raw.decode("utf-8-sig")  # editors of Windows write the mark, which TOML does not know
        return text, tomllib.loads(text)
    except UnicodeDecodeError as fault:
        raise InputError(_not_utf8(raw, fault, file)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        at = LINE.search(str(fault))
        place = Place(file=file, line=int(at[1]) if at else None)
        raise InputError(error(code, place=place, reason_text=str(fault))) from None


def _not_utf8(raw: bytes, fault: UnicodeDecodeError, file: str) -> Message:
    encoding = "utf-16" if raw[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "gb18030"
    line = 1 if encoding == "utf-16" else raw.count(b"\n", 0, fault.start) + 1
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return error("extraction.not-text", place=Place(file=file, line=line), value=f"0x{raw[fault.start]:02X}")
    return error("extraction.not-utf-8", place=Place(file=file, line=line), encoding=encoding.upper())
