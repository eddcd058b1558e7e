# SPDX-License-Identifier: Apache-2.0
"""Cuts a JSON text at its records, so that half a record or a second answer behind the first loses nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

__all__ = ["Piece", "pieces"]

_DECODER: Final = json.JSONDecoder()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One record's object with its place, or the text around records.

    Parameters
    ----------
    raw : str
    first_line : int
        Counted from 1.
    is_record : bool
    value : dict or None
        The record; None for the text around records and for a record that is not whole.
    """

    raw: str
    first_line: int
    is_record: bool
    value: dict[str, Any] | None


def pieces(text: str, start: re.Pattern[str]) -> Iterator[Piece]:
    r"""Cut a text at the objects that begin with a pattern; the pieces are the whole text but for blank space.

    Examples
    --------
    >>> found = pieces('{"hits": [\n{"uid": "1"}, {"uid": "2"', re.compile(r'\{"uid"'))
    >>> [(one.first_line, one.is_record, one.value) for one in found]
    [(1, False, None), (2, True, {'uid': '1'}), (2, False, None), (2, True, None)]
    """
    done, line = 0, 1
    while (match := start.search(text, done)) is not None:
        yield from _bare(text[done : match.start()], line, is_record=False, value=None)
        line += text.count("\n", done, match.start())
        value: Any = None
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            following = start.search(text, match.end())
            end = following.start() if following else len(text)
        yield from _bare(text[match.start() : end], line, is_record=True, value=value)
        line += text.count("\n", match.start(), end)
        done = end
    yield from _bare(text[done:], line, is_record=False, value=None)


def _bare(raw: str, line: int, *, is_record: bool, value: dict[str, Any] | None) -> Iterator[Piece]:
    bare = raw.strip()
    if bare:
        lead = raw[: len(raw) - len(raw.lstrip())]
        yield Piece(raw=bare, first_line=line + lead.count("\n"), is_record=is_record, value=value)
