# SPDX-License-Identifier: Apache-2.0
"""Reads Web of Science plain text ("tagged") files: records from ``PT`` to ``ER`` between ``FN`` and ``EF``.

A line is a two-character tag, a space and a value; a line that begins with three spaces goes on. Authors, addresses and
references have a value a line; an abstract a paragraph a line; all else is one text. No tag but ``PT`` is required.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, half_record, heading, stray_lines
from sirolens.evidence.sources.wos_fields import JOINED, TAGS, wos_values

__all__ = ["NAME", "detect", "read"]

NAME: Final = "wos-tagged"

_START = re.compile(r"\nPT [A-Z]")  # with the line end before it, which is searched fast
_LONGEST_START = 4
_END = re.compile(r"^ER[ \t]*$", re.MULTILINE)
_FIELD = re.compile(r"^(?P<tag>[A-Z][A-Z0-9])(?: (?P<value>.*)|[ \t]*)$(?P<more>(?:\n {2,}\S.*)*)", re.MULTILINE)
_FRAME = re.compile(r"(?:FN|VR|EF)(?: .*)?")
_USED = "AU AF BA BF CA TI SO LA DT DE ID AB JI J9 SN EI PY PD EA EY VL IS SU BP EP AR DI D2 PM UT"


def detect(head: str) -> int:
    """Tell a tagged file by its heading, or by the first record where the heading is missing."""
    if re.match(r"\s*FN (?:Clarivate|ISI|Thomson|Web of)", head):
        return SIGNATURE
    return SIGNATURE if re.match(r"\s*PT [A-Z]\n(?:AU|BA|BE|CA|GP|TI|AF|ED) ", head) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    r"""Read a tagged file.

    Examples
    --------
    >>> text = "FN Clarivate Analytics Web of Science\nVR 1.0\nPT J\nAU Zhang, W\nTI INVENTED\n   STUDY\nER\n\nEF"
    >>> found = list(read(SourceText(name="a.txt", text=text, encoding="utf-8", sha256="0" * 64)))
    >>> found[1].title, found[1].authors[0].family
    ('INVENTED STUDY', 'Zhang')
    """
    starts = [0] if _START.match("\n" + file.text[:_LONGEST_START]) else []
    starts += [match.start() + 1 for match in _START.finditer(file.text)]
    line = 1
    for ordinal, (start, end) in enumerate(pairwise([0, *starts, len(file.text)])):
        whole = file.text[start:end]
        if ordinal == 0:
            yield from _between(whole, line)
        else:
            close = _END.search(whole)
            raw, after = (whole[: close.end()].rstrip(), whole[close.end() :]) if close else (whole.rstrip(), "")
            last_line = line + raw.count("\n")
            fields, strays = _fields(raw, line)
            if not close:
                strays = (*strays, (last_line, raw.rpartition("\n")[2]))
            if fields.get("TI") or (close and fields.get("UT")):
                values = wos_values(fields)
                yield file.record(NAME, ordinal, (line, last_line), raw, **values, unparsed=strays)
            else:
                yield half_record(line, raw)
            yield from _between(after, last_line)
        line += whole.count("\n")


def _fields(raw: str, first_line: int) -> tuple[dict[str, list[str]], tuple[tuple[int, str], ...]]:
    """Cut a record into values by tag, and the lines that no known tag holds."""
    fields: dict[str, list[str]] = {}
    unread: list[tuple[int, str]] = []
    done = 0
    for match in _FIELD.finditer(raw):
        tag, value, more = match.groups()
        between = raw[done : match.start()]
        if between.strip():
            unread += _numbered(between, first_line + raw.count("\n", 0, done))
        done = match.end()
        if tag not in TAGS:
            unread += _numbered(match[0], first_line + raw.count("\n", 0, match.start()))
        elif tag in _USED:  # two letters each, with spaces between
            lines = [value or "", *map(str.strip, more.split("\n")[1:])]
            joined = lines if tag in JOINED else ["\n".join(lines) if tag == "AB" else " ".join(lines)]
            fields.setdefault(tag, []).extend(one.strip() for one in joined if one.strip())
    if raw[done:].strip():
        unread += _numbered(raw[done:], first_line + raw.count("\n", 0, done))
    return fields, tuple(unread)


def _numbered(text: str, line: int) -> list[tuple[int, str]]:
    return [(number, one) for number, one in enumerate(text.split("\n"), line) if one.strip()]


def _between(text: str, line: int) -> Iterator[Unread]:
    """Tell the lines outside records: those of the file's frame, and strays; neighbours of one kind together."""
    group: list[tuple[int, str]] = []
    for number, one in [*_numbered(text, line), (0, "")]:
        framed = _FRAME.fullmatch(one) is not None
        if group and (not one or framed is not (_FRAME.fullmatch(group[0][1]) is not None)):
            first = group[0][0]
            gaps = "\n".join(text.split("\n")[first - line : group[-1][0] - line + 1])
            yield (heading if _FRAME.fullmatch(group[0][1]) else stray_lines)(first, gaps)
            group = []
        group.append((number, one))
