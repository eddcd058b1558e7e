# SPDX-License-Identifier: Apache-2.0
"""Importing an export file: what it is, its records with their raw text, and every line that became no record.

Records in are records out: the raw texts of the records and of the unread parts, one after another, are the file's text
but for blanks between them. `import_file` checks this for every file, and refuses one rather than lose a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias, final

from sirolens.errors import InputError
from sirolens.evidence.record import Record
from sirolens.evidence.sources.decode import decode
from sirolens.evidence.sources.registry import HEAD, Format, format_named, recognise, surest
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread
from sirolens.message import Message, Place, error, info, warning

__all__ = ["LIMIT_BYTES", "Imported", "Progress", "first_fault", "import_bytes", "import_file"]

# The whole file is held: its bytes, its text and the raw text of each record. Measured (benchmarks/evidence.py): a file
# of 200 MB needs 0.85 to 0.95 GB; at this limit some 1.2 GB.
LIMIT_BYTES: Final = 256 * 1024 * 1024
_PROGRESS_EACH = 200  # records between two calls of the progress function

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the characters read so far and all of them."""

_LOOKS = 20  # lines of one look that are judged: a sign may stand in an abstract now and then, not more often

# Lines with which a record of some format may begin; each is judged by the formats' own `detect`. The line end is part
# of the pattern: a search for one fixed character is twenty times faster than for ``^``.
_BEGINNINGS = re.compile(
    r"\n(?:\{Reference Type\}|%0 |RT [A-Z]|DataType: ?\d|\nSrcDatabase-|FN [A-Z]|PMID- ?\d|TY {1,2}- |@[A-Za-z]+ ?[{(]|"
    r"<\?xml |<PubmedArticleSet|PT\t)"
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One imported file.

    Parameters
    ----------
    name : str
        Of the file.
    source : str
        Name of its format.
    encoding, sha256 : str
        Of its bytes.
    size : int
        In bytes.
    records : tuple of Record
    unread : tuple of Unread
        Headings, stray lines, records that could not be read.
    messages : tuple of Message
        What should be looked at, the file's own first, then one for each kind of thing that was not read.
    """

    name: str
    source: str
    encoding: str
    sha256: str
    size: int
    records: tuple[Record, ...]
    unread: tuple[Unread, ...]
    messages: tuple[Message, ...]


def import_file(path: Path | str, *, format_name: str | None = None, progress: Progress | None = None) -> Imported:
    """Read an export file of any known format.

    Parameters
    ----------
    path : Path or str
        Its name tells nothing about its format.
    format_name : str, optional
        A format's name, when the user knows better than the detection; then a second format in the file is not looked
        for, and what the reader does not know is unread.
    progress : callable, optional
        Called now and then with (characters done, characters in all).

    Raises
    ------
    InputError
        The file cannot be opened, is empty, a folder, too large (`LIMIT_BYTES`), no text, no known format, or holds
        two formats (named with the line where the second begins).
    UnknownNameError
        There is no such format.
    """
    path = Path(path)
    return import_bytes(_bytes(path), name=path.name, format_name=format_name, progress=progress)


def import_bytes(
    data: bytes, *, name: str, format_name: str | None = None, progress: Progress | None = None
) -> Imported:
    r"""Read the bytes of an export, as `import_file` does; `name` is the file's, for messages.

    >>> done = import_bytes(b"TY  - JOUR\nTI  - Invented\nER  - \n", name="a.txt")
    >>> done.source, len(done.records), done.records[0].title
    ('ris', 1, 'Invented')
    """
    if len(data) > LIMIT_BYTES:
        _refuse_large(len(data), name)
    file, flags = decode(data, name=name)
    one = format_named(format_name) if format_name else recognise(file.text, file=name)
    if not format_name:
        _refuse_second_format(file, one)
    pieces = _read(file, one, progress)
    _check_nothing_is_lost(file, one, pieces)
    records = tuple(piece for piece in pieces if isinstance(piece, Record))
    unread = tuple(piece for piece in pieces if isinstance(piece, Unread))
    if not records and not any(piece.counts_as_record for piece in unread):
        flags = (*flags, warning("import.no-records", place=Place(file=name), title=one.title))
    if one.caution is not None and records:
        flags = (*flags, replace(one.caution, place=Place(file=name)))
    return Imported(
        name=name,
        source=one.name,
        encoding=file.encoding,
        sha256=file.sha256,
        size=len(data),
        records=records,
        unread=unread,
        messages=(*flags, *_told(name, records, unread)),
    )


def _bytes(path: Path) -> bytes:
    place = Place(file=path.name)
    if path.is_dir():
        raise InputError(error("import.is-folder", place=place, file=str(path)))
    try:
        size = path.stat().st_size
        if size > LIMIT_BYTES:
            _refuse_large(size, path.name)
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(error("import.no-such-file", place=place)) from None
    except OSError as fault:
        raise InputError(error("import.cannot-open", place=place, why=fault.strerror or str(fault))) from None


def _refuse_large(size: int, name: str) -> None:
    megabytes = 1024 * 1024
    raise InputError(
        error("import.too-large", place=Place(file=name), size=-(-size // megabytes), limit=LIMIT_BYTES // megabytes)
    )


def _refuse_second_format(file: SourceText, own: Format) -> None:
    """Two exports pasted into one file are refused, because the second would end as unread lines of the first.

    A line is taken for the second's beginning when another format's reader makes a record with a title from it: the
    sign of a format alone may stand in an abstract.
    """
    start = len(file.text) - len(file.text.lstrip())
    looked: dict[str, int] = {}
    for begin in _BEGINNINGS.finditer(file.text, start):
        sign = begin.group().lstrip("\n")[:4]
        looked[sign] = looked.get(sign, 0) + 1
        if looked[sign] > _LOOKS:
            continue
        at = begin.end() - len(begin.group().lstrip("\n"))
        head = file.text[at : at + HEAD]
        score, best = surest(head)
        if best is own or score <= own.detect(head):
            looked[sign] = _LOOKS  # the own format's records begin like this
        elif score >= SIGNATURE and _makes_a_record(replace(file, text=head), best):
            place = Place(file=file.name, line=file.text.count("\n", 0, at) + 1)
            raise InputError(error("import.two-formats", place=place, first=own.title, second=best.title))


def _makes_a_record(head: SourceText, one: Format) -> bool:
    try:
        first = next(one.read(head), None)
    except InputError:
        return False
    return isinstance(first, Record) and bool(first.title)


def _read(file: SourceText, one: Format, progress: Progress | None) -> list[Record | Unread]:
    pieces: list[Record | Unread] = []
    done = 0
    for number, piece in enumerate(one.read(file), 1):
        pieces.append(piece)
        done += len(piece.raw)
        if progress is not None and number % _PROGRESS_EACH == 0:
            progress(min(done, len(file.text)), len(file.text))
    if progress is not None:
        progress(len(file.text), len(file.text))
    return pieces


def _check_nothing_is_lost(file: SourceText, one: Format, pieces: Sequence[Record | Unread]) -> None:
    """Refuse a file whose reader lost, doubled or misplaced anything: a fault of the program, told before it does harm.

    Raises
    ------
    InputError
        ``import.lines-lost`` with the first line concerned.
    """
    line = first_fault(file.text, pieces)
    if line is not None:
        raise InputError(error("import.lines-lost", place=Place(file=file.name, line=line), title=one.title))


def first_fault(text: str, pieces: Sequence[Record | Unread]) -> int | None:
    """Return the first line of a text that does not lie in exactly one piece, or whose piece is misplaced; else None.

    Every piece's raw text must follow the one before with nothing but blanks between, say its own lines, and records
    must be numbered from 1 without a gap.
    """
    at, line, ordinal = 0, 1, 0
    blank = re.compile(r"\s*")
    for piece in pieces:
        place = piece.position if isinstance(piece, Record) else piece
        raw = piece.raw.strip()
        gap = blank.match(text, at)
        begin = gap.end() if gap is not None else at
        line += text.count("\n", at, begin)
        if not raw or not text.startswith(raw, begin):
            return line
        at = begin + len(raw)
        last = line + raw.count("\n")
        if not (place.first_line <= line and last <= place.last_line):
            return line
        if isinstance(piece, Record) or piece.counts_as_record:
            ordinal += 1
            if isinstance(piece, Record) and piece.position.ordinal != ordinal:
                return line
        line = last
    rest = blank.match(text, at)
    if rest is not None and rest.end() == len(text):
        return None
    return line + text.count("\n", at, rest.end() if rest is not None else at)


def _told(name: str, records: Sequence[Record], unread: Sequence[Unread]) -> Iterator[Message]:
    """One message for each kind of thing that was not read, with how often and where first."""
    first: dict[str, Unread] = {}
    times: dict[str, int] = {}
    for piece in unread:
        if piece.reason.code != "import.heading":
            first.setdefault(piece.reason.code, piece)
            times[piece.reason.code] = times.get(piece.reason.code, 0) + 1
    for code, piece in first.items():
        place = Place(file=name, line=piece.first_line)
        make = error if piece.counts_as_record else warning
        yield make("import.unread", place=place, times=times[code], why=piece.reason)
    lines = [line for record in records for line, _ in record.unparsed]
    concerned = sum(bool(record.unparsed) for record in records)
    if lines and lines[-1] == records[-1].position.last_line:
        yield warning("import.end-unsure", place=Place(file=name, line=lines.pop()))
        concerned -= len(records[-1].unparsed) == 1
    if lines:
        yield info("import.unparsed", place=Place(file=name, line=min(lines)), times=len(lines), records=concerned)
