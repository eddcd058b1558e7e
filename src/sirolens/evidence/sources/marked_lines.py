# SPDX-License-Identifier: Apache-2.0
"""Exports made of marked lines (``{Title}: ...``, ``%T ...``, ``T1 ...``): cut into records, and a record into fields.

Every line that is not blank ends up in exactly one piece, and inside a record either in a field or in the list of lines
that no rule reads. The work is done by one regular expression over a whole record, so that large files are read fast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

from sirolens.evidence.record import Record
from sirolens.evidence.sources.text import SourceText, Unread, stray_lines
from sirolens.message import error, warning

__all__ = ["Fields", "MarkedFormat", "fields_of", "read_marked"]

# How records of other formats begin; such lines inside a record are set apart instead of read as its text.
_OTHER_STARTS: Mapping[str, str] = {
    "cnki-noteexpress": r"\{Reference Type\}",
    "cnki-refer": r"%0 \S",
    "cnki-refworks": r"RT [A-Z][^\n]*\nSR ",
    "cnki-estudy": r"DataType\s*[:：]",
    "cnki-custom": r"SrcDatabase-来源库\s*[:：]",
    "ris": r"TY  - ",
    "nbib": r"PMID- ?\d",
    "wos": r"(?:FN (?:Clarivate|ISI|Thomson)|PT [JBSP]\n(?:AU|BA|CA|TI) )",
    "bibtex": r"@(?:article|book|inproceedings|incollection|phdthesis|mastersthesis|misc|techreport)\s*\{",
    "xml": r"<\?xml ",
}
# Fields whose value never goes on in a second line.
_ONE_LINE = frozenset(
    {"kind", "year", "date", "volume", "issue", "pages", "issn", "doi", "database", "language", "degree"}
)
_LONGEST_START = 400  # characters that may be needed to tell the first record's start


@final
@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one record.

    Parameters
    ----------
    values : dict of str to list of str
        Canonical name to its values in order; a value that goes on over several lines keeps its line ends.
    unparsed : tuple of (int, str)
        Lines that no rule reads, with their numbers.
    last : str
        The last mark, known or not.
    """

    values: dict[str, list[str]]
    unparsed: tuple[tuple[int, str], ...] = ()
    last: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedFormat:
    """What tells one format of marked lines from another.

    Parameters
    ----------
    name : str
        As in `Record.source`.
    start : Pattern
        How the line begins with which a record begins; written with the line end before it, which is searched fast.
    tag : Pattern
        The line end before a marked line, its mark in group 1, and all up to its value.
    names : mapping
        Mark to canonical field, "" for a field that is known and kept in the raw text only. A mark that is not here is
        unread.
    paragraphs : frozenset of str
        Marks whose value may go on after a blank line (abstracts, lists of addresses).
    accept : callable, optional
        ``accept(mark, rest of the line, mark before, marks so far)``: False when a line that looks marked is text.
    inside : frozenset of str
        Names of other formats whose start may stand inside a record of this one.
    closing : str
        The mark that the database prints last in every record; "" where there is none.
    """

    name: str
    start: re.Pattern[str]
    tag: re.Pattern[str]
    names: Mapping[str, str]
    paragraphs: frozenset[str]
    accept: Callable[[str, str, str, Mapping[str, object]], bool] | None = None
    inside: frozenset[str] = frozenset()
    closing: str = ""

    def others(self) -> re.Pattern[str]:
        """Return the pattern of what cannot stand inside a record of this format."""
        left_out = self.inside | {self.name}
        starts = "|".join(start for name, start in _OTHER_STARTS.items() if name not in left_out)
        return re.compile(rf"\n\ufeff?(?:{starts})")


def read_marked(
    file: SourceText, form: MarkedFormat, assemble: Callable[[Fields], dict[str, Any]]
) -> Iterator[Record | Unread]:
    """Read a file of marked lines: records, and what stands before, between and in the place of records.

    Parameters
    ----------
    file : SourceText
    form : MarkedFormat
    assemble : callable
        From the fields to the arguments of `Record`; a result with neither title nor DOI is told as unread.

    Notes
    -----
    These formats have no sign for the end of a record. Where all records of a file end with one mark but the last, the
    file was probably cut: the last line is listed as unparsed. Two others are asked for, one where the format's own
    closing mark is met.
    """
    starts = [0] if form.start.match("\n" + file.text[:_LONGEST_START]) else []
    starts += [match.start() + 1 for match in form.start.finditer(file.text)]
    others = form.others()
    before = file.text[: starts[0]] if starts else file.text
    if before.strip():
        yield _outside(before, 1)
    line = before.count("\n") + 1
    ends: set[str] = set()
    for ordinal, (start, stop) in enumerate(pairwise([*starts, len(file.text)]), 1):
        whole = file.text[start:stop]
        own, foreign = whole, ""
        if (hit := others.search(whole)) is not None:
            own, foreign = whole[: hit.start() + 1], whole[hit.start() + 1 :]
        raw = own.rstrip()
        fields = fields_of(raw, line, form)
        lines = (line, line + raw.count("\n"))
        if ordinal == len(starts) > (1 if ends == {form.closing} else 2) and len(ends) == 1 and fields.last not in ends:
            fields = replace(fields, unparsed=_with_last_line(fields.unparsed, lines[1], raw))
        ends.add(fields.last)
        found = assemble(fields)
        if found.get("title") or found.get("doi"):
            yield file.record(form.name, ordinal, lines, raw, **found)
        else:
            reason = error("chinese.no-title")
            yield Unread(first_line=line, last_line=lines[1], raw=raw, reason=reason, counts_as_record=True)
        if foreign:
            part = _outside(foreign, line + own.count("\n"))
            yield replace(part, reason=warning("chinese.other-format"))
        line += whole.count("\n")


def _with_last_line(unparsed: tuple[tuple[int, str], ...], line: int, raw: str) -> tuple[tuple[int, str], ...]:
    return (*(told for told in unparsed if told[0] != line), (line, raw.rpartition("\n")[2].strip()))


def _outside(part: str, first_line: int) -> Unread:
    """Tell lines outside every record, without the blank ones around them."""
    text = part.rstrip()
    skipped = len(text) - len(text.lstrip())
    return stray_lines(first_line + text.count("\n", 0, skipped), text[skipped:])


def fields_of(raw: str, first_line: int, form: MarkedFormat) -> Fields:
    """Cut one record into its fields.

    Parameters
    ----------
    raw : str
        The record's text.
    first_line : int
        Number of its first line in the file.
    form : MarkedFormat
    """
    text = "\n" + raw
    line = first_line - 1  # of the line end put before
    marks = [(match[1], match.start() + 1, match.end()) for match in form.tag.finditer(text)]
    if form.accept is not None:
        marks = _accepted(text, marks, form.accept)
    values: dict[str, list[str]] = {}
    unparsed: list[tuple[int, str]] = []
    if marks and text[: marks[0][1]].strip("\ufeff \t\n"):
        unparsed += _numbered(text[: marks[0][1]], line)
    if not marks:
        return Fields({}, tuple(_numbered(text, line)))
    ends = [start for _, start, _ in marks[1:]] + [len(text)]
    for (mark, start, end), stop in zip(marks, ends, strict=True):
        name = form.names.get(mark)
        if name is None:
            unparsed += _numbered(text[start:stop], line + text.count("\n", 0, start))
            continue
        value = text[end:stop].strip(" \t\n")
        if "\n" in value:
            value, rest = _several_lines(text[end:stop], name not in _ONE_LINE, mark in form.paragraphs)
            if rest:
                first = line + text.count("\n", 0, end)
                unparsed += [(first + offset, told) for offset, told in rest]
        if name and value:
            values.setdefault(name, []).append(value)
    return Fields(values, tuple(unparsed), marks[-1][0])


def _accepted(
    raw: str, marks: list[tuple[str, int, int]], accept: Callable[[str, str, str, Mapping[str, object]], bool]
) -> list[tuple[str, int, int]]:
    kept: list[tuple[str, int, int]] = []
    seen: dict[str, object] = {}
    before = ""
    for mark, start, end in marks:
        stop = raw.find("\n", end)
        if accept(mark, raw[end : len(raw) if stop < 0 else stop], before, seen):
            kept.append((mark, start, end))
            seen[mark] = True
            before = mark
    return kept


def _numbered(text: str, line: int) -> list[tuple[int, str]]:
    return [(line + offset, row.strip()) for offset, row in enumerate(text.split("\n")) if row.strip("\ufeff \t")]


def _several_lines(text: str, goes_on: bool, paragraphs: bool) -> tuple[str, list[tuple[int, str]]]:
    """Take a value's lines up to a blank one; what follows is a further paragraph or is unread."""
    kept: list[str] = []
    rest: list[tuple[int, str]] = []
    ended = False
    for offset, row in enumerate(text.split("\n")):
        bare = row.strip("\ufeff \t\u3000")
        if not bare:
            ended = ended or bool(kept)
        elif kept and (not goes_on or (ended and not paragraphs)):
            rest.append((offset, bare))
        else:
            kept.append(bare)
    return "\n".join(kept), rest
