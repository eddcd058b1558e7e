# SPDX-License-Identifier: Apache-2.0
"""How the files of a review are written so that nothing that was acknowledged is ever lost.

One process writes at a time (a lock on the folder). Events are appended to the file of their reviewer and forced to the
disk before they are acknowledged. A process that dies in the middle leaves at most a half last line: the next one that
opens the folder sets it aside in a file of its own, tells it, and goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sirolens.errors import InputError
from sirolens.evidence.review.events import Event, Kind, from_line, to_line
from sirolens.message import Message, Place, error, warning

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["EVENTS", "IMPORTS", "LOCK", "append_events", "keep_bytes", "locked", "mend", "read_events", "write_safely"]

EVENTS = "events"
IMPORTS = "imports"
SET_ASIDE = "set-aside"
LOCK = ".lock"
_TICK = timedelta(microseconds=1)
_AHEAD = timedelta(days=1)
_TAIL_BYTES = 1 << 18  # more than any line of an event that a person writes; enough to find the newest time


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a review; other processes wait. Where the folder cannot be written there is nothing to lock.

    The lock belongs to the open file and ends with the process, however it ends.
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield
        return
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_safely(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and force it to the disk.

    Raises
    ------
    InputError
        ``review.write-failed`` with what the system says.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
        _sync_folder(path.parent)
    except OSError as failure:
        beside.unlink(missing_ok=True)
        raise _failed(path, failure) from failure


def _sync_folder(folder: Path) -> None:
    """Force the name of a new file to the disk, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(path: Path, failure: OSError) -> InputError:
    return InputError(
        error("review.write-failed", place=Place(file=str(path)), told=failure.strerror or type(failure).__name__)
    )


def keep_bytes(folder: Path, data: bytes, extension: str) -> str:
    """Keep a file as it came, under the hash of its bytes; return the hash."""
    digest = sha256(data).hexdigest()
    path = folder / IMPORTS / f"{digest}{extension}"
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(exist_ok=True)
        write_safely(path, data)
    return digest


def read_events(folder: Path) -> tuple[tuple[Event, ...], tuple[Message, ...]]:
    """Read the events of all reviewers.

    Returns
    -------
    tuple of Event
        In the order of the files.
    tuple of Message
        ``review.half-line`` where a file ends in the middle of a line; that line is not among the events.

    Raises
    ------
    InputError
        With every line that is no event; nothing is dropped in silence.
    """
    events: list[Event] = []
    faults: list[Message] = []
    messages: list[Message] = []
    for path in sorted((folder / EVENTS).glob("*.jsonl")):
        lines, rest = _lines(path)
        if rest:
            messages.append(warning("review.half-line", place=Place(file=str(path), line=len(lines) + 1)))
        for number, line in enumerate(lines, start=1):
            place = Place(file=str(path), line=number)
            if not line.strip():
                continue
            try:
                event = from_line(line.decode("utf-8"), place=place)
            except InputError as failure:
                faults += failure.messages
            except UnicodeDecodeError:
                faults.append(error("review.event-unreadable", place=place, value=repr(line[:60])))
            else:
                events.append(event)
                if event.by != path.stem:
                    faults.append(error("review.event-of-another", place=place, by=event.by, expected=path.stem))
    faults += _same_id_twice(events)
    if faults:
        raise InputError(*faults)
    return tuple(events), tuple(messages)


def _lines(path: Path) -> tuple[list[bytes], bytes]:
    """The whole lines of a file and what stands after the last line end."""
    try:
        *lines, rest = path.read_bytes().split(b"\n")
    except OSError as failure:
        raise InputError(
            error("file.unreadable", place=Place(file=str(path))),
        ) from failure
    return lines, rest


def _same_id_twice(events: Sequence[Event]) -> list[Message]:
    """A line that stands twice is harmless after a merge of branches; two different events of one id are not."""
    seen: dict[str, Event] = {}
    return [
        error("review.event-id-twice", event=event.id)
        for event in events
        if seen.setdefault(event.id, event) is not event and to_line(seen[event.id]) != to_line(event)
    ]


def mend(folder: Path) -> tuple[Message, ...]:
    """Set half last lines aside; call it under the lock.

    A whole event whose line end is missing gets it and counts. Anything else goes, as it is, into the folder
    ``set-aside``, and the events' file ends again with its last whole line.
    """
    messages = []
    for path in sorted((folder / EVENTS).glob("*.jsonl")):
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 1))
            if size == 0 or stream.read(1) == b"\n":
                continue
        lines, rest = _lines(path)
        place = Place(file=str(path), line=len(lines) + 1)
        try:
            with path.open("r+b") as stream:
                if _is_event(rest):
                    stream.seek(0, os.SEEK_END)
                    stream.write(b"\n")
                    messages.append(warning("review.line-end-mended", place=place))
                else:
                    aside = folder / SET_ASIDE / f"{path.stem}-{sha256(rest).hexdigest()[:12]}.txt"
                    aside.parent.mkdir(exist_ok=True)
                    write_safely(aside, rest)
                    stream.truncate(sum(len(line) + 1 for line in lines))
                    messages.append(warning("review.half-line-set-aside", place=place, file=str(aside)))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as failure:
            raise _failed(path, failure) from failure
    return tuple(messages)


def _is_event(line: bytes) -> bool:
    try:
        from_line(line.decode("utf-8"))
    except (InputError, UnicodeDecodeError):
        return False
    return True


def append_events(
    folder: Path, by: str, drafts: Sequence[tuple[Kind, dict[str, Any]]], *, now: datetime | None = None
) -> tuple[Event, ...]:
    """Append events of one reviewer; when this returns they are on the disk. Call it under the lock.

    An event never stands before one that its maker could have seen: its time is that of the clock, or, where a clock
    is behind, just after the newest event of the folder.

    Parameters
    ----------
    folder : Path
    by : str
    drafts : sequence of (Kind, values)
    now : datetime, optional
        The clock's time, for tests.

    Raises
    ------
    InputError
        ``review.write-failed``: nothing of these events is kept.
    """
    if not drafts:
        return ()
    at = datetime.now(UTC) if now is None else now
    newest = max((_newest(path) for path in (folder / EVENTS).glob("*.jsonl")), default=at - _TICK)
    at = max(at, newest + _TICK)
    events = []
    for kind, values in drafts:
        events.append(Event.new(kind, by=by, at=at, **values))
        at += _TICK
    path = folder / EVENTS / f"{by}.jsonl"
    content = "".join(f"{to_line(event)}\n" for event in events).encode()
    fresh = not path.exists()
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("ab", buffering=0) as stream:
            before = stream.seek(0, os.SEEK_END)
            try:
                _write_all(stream.fileno(), content)
                os.fsync(stream.fileno())
            except OSError:
                os.ftruncate(stream.fileno(), before)
                raise
        if fresh:
            _sync_folder(path.parent)
    except OSError as failure:
        raise _failed(path, failure) from failure
    return tuple(events)


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def _newest(path: Path) -> datetime:
    """The newest time in the last lines of a file; a clock that ran far ahead is not followed."""
    latest = datetime.now(UTC) + _AHEAD
    found = datetime.min.replace(tzinfo=UTC)
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _TAIL_BYTES))
        for line in stream.read().split(b"\n"):
            try:
                found = max(found, from_line(line.decode("utf-8")).at)
            except (InputError, UnicodeDecodeError):
                continue
    return min(found, latest)
