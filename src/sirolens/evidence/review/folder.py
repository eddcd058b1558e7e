# SPDX-License-Identifier: Apache-2.0
"""A review is a folder: its protocol, the events of each reviewer, and the files as they came from the databases.

::

    protocol.toml           question, databases with exact strategies, criteria, outcomes, team
    events/<reviewer>.jsonl what each reviewer did, one event a line, only ever appended to
    imports/<sha256>.<ext>  every imported file, as it was
    private/                sealed decisions before they are opened; git ignores it
    cache.sqlite            records read from the files; git ignores it, and it can be deleted at any time

The folder can be kept in git: files of different reviewers never touch each other, and one reviewer's own file merges
line by line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.importing import Imported
from sirolens.evidence.review.cache import CACHE, into_cache, read_records
from sirolens.evidence.review.events import Event, Kind, reviewer_fault
from sirolens.evidence.review.files import (
    EVENTS,
    IMPORTS,
    LOCK,
    append_events,
    keep_bytes,
    locked,
    mend,
    read_events,
    write_safely,
)
from sirolens.evidence.review.protocol import PROTOCOL, Reading, changes, locked_protocol, read_protocol_file
from sirolens.evidence.review.state import Rules, State, counting_events, fold
from sirolens.message import Message, Place, Severity, error, warning

__all__ = ["Draft", "Review", "append", "find_review", "init", "keep_import", "open_review"]

Draft = tuple[Kind, dict[str, Any]]
"""An event that is still to be written: its kind and its values."""

_IGNORED = f"# Rebuilt when it is gone, or nobody else's.\n/{CACHE}*\n/{LOCK}\n/private/\n*.part\n"
# Files are kept byte for byte; the lines of one reviewer from two branches are all kept.
_ATTRIBUTES = f"{EVENTS}/*.jsonl merge=union -text\n{IMPORTS}/* -text\n"
_AHEAD = timedelta(days=1)


@final
@dataclass(frozen=True, kw_only=True)
class Review:
    """An open review, as it was when it was read; after `append` open it again or fold with the new events.

    Parameters
    ----------
    folder : Path
    events : tuple of Event
        Of all reviewers.
    reading : Reading
        The protocol file, checked.
    messages : tuple of Message
        What was found wrong with the files on opening.
    """

    folder: Path
    events: tuple[Event, ...]
    reading: Reading
    messages: tuple[Message, ...] = ()

    @property
    def rules(self) -> Rules:
        """What the protocol says on how many must agree; the usual two where it cannot be read."""
        return Rules() if self.reading.protocol is None else self.reading.protocol.rules

    @cached_property
    def loaded(self) -> tuple[State, tuple[Message, ...]]:
        """The state, and what was wrong with the kept files."""
        wanted = {
            event.text("sha256"): (event.text("extension"), event.text("format"))
            for event in counting_events(self.events)
            if event.kind is Kind.IMPORTED
        }
        records, messages = read_records(self.folder, wanted)
        state = fold(self.events, records, self.rules)
        return state, (*messages, *state.messages)

    @property
    def state(self) -> State:
        """The state; reads the records."""
        return self.loaded[0]


def init(folder: Path, *, by: str, language: str = "en") -> tuple[Path, ...]:
    """Make the folder of a review.

    Parameters
    ----------
    folder : Path
        New, or there and empty (a fresh git repository is empty).
    by : str
        The short name of the first reviewer.
    language : {"en", "zh"}
        Of the comments in the protocol.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    InputError
        ``review.folder-not-empty``, ``review.reviewer-name``, ``review.write-failed``.
    """
    fault = reviewer_fault(by)
    if fault is not None:
        raise InputError(fault)
    if folder.exists() and (not folder.is_dir() or any(one.name != ".git" for one in folder.iterdir())):
        raise InputError(error("review.folder-not-empty", place=Place(file=str(folder))))
    try:
        for one in (folder, folder / EVENTS, folder / IMPORTS):
            one.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        told = failure.strerror or type(failure).__name__
        raise InputError(error("review.write-failed", place=Place(file=str(folder)), told=told)) from failure
    template = files("sirolens.evidence").joinpath("data", f"protocol_{language}.toml").read_text(encoding="utf-8")
    made = {
        PROTOCOL: template.partition("\n")[2].replace("{reviewer}", by),  # our licence is not that of the user's text
        ".gitignore": _IGNORED,
        ".gitattributes": _ATTRIBUTES,
        f"{EVENTS}/{by}.jsonl": "",
    }
    for name, text in made.items():
        write_safely(folder / name, text.encode())
    return tuple(folder / name for name in made)


def find_review(start: Path) -> Path:
    """Return the folder of the review at a place or around it.

    Raises
    ------
    InputError
        ``review.no-review``.
    """
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / PROTOCOL).is_file() and (folder / EVENTS).is_dir():
            return start if folder == start.absolute() else Path(os.path.relpath(folder))
    raise InputError(error("review.no-review", place=Place(file=str(start))))


def open_review(folder: Path) -> Review:
    """Open a review: mend what a killed process left, read the events, check the protocol.

    Raises
    ------
    InputError
        The folder is none of a review, or an event cannot be read (all of them are named).
    """
    if not (folder / PROTOCOL).is_file() or not (folder / EVENTS).is_dir():
        raise InputError(error("review.no-review", place=Place(file=str(folder))))
    with locked(folder):
        messages = mend(folder) if os.access(folder / EVENTS, os.W_OK) else ()
        events, told = read_events(folder)
    reading = read_protocol_file(folder / PROTOCOL)
    return Review(
        folder=folder,
        events=events,
        reading=reading,
        messages=(*messages, *told, *_protocol_messages(folder, events, reading), *_clock(events)),
    )


def _protocol_messages(folder: Path, events: Sequence[Event], reading: Reading) -> tuple[Message, ...]:
    faults = tuple(message for message in reading.messages if message.severity is Severity.ERROR)
    before = locked_protocol(counting_events(events))
    if before is None or faults:
        return faults
    changed = tuple(change.key for change in changes(before[0], reading.values))
    if not changed:
        return ()
    return (warning("review.protocol-changed", place=Place(file=str(folder / PROTOCOL)), keys=changed),)


def _clock(events: Iterable[Event]) -> tuple[Message, ...]:
    newest = max(events, key=lambda event: event.order, default=None)
    if newest is None or newest.at <= datetime.now(UTC) + _AHEAD:
        return ()
    return (warning("review.clock-ahead", by=newest.by, at=newest.at),)


def append(folder: Path, by: str, drafts: Sequence[Draft] | Callable[[Review], Sequence[Draft]]) -> tuple[Event, ...]:
    """Append events of one reviewer; when it returns they are on the disk.

    Parameters
    ----------
    folder : Path
    by : str
    drafts : sequence of Draft, or a function of the review that makes them
        A function is called under the lock with the review as it is then: nobody can write in between. It must not
        open or write the review itself, which would wait for the lock for ever.

    Raises
    ------
    InputError
        The values of an event are wrong, or writing failed; then nothing was written.
    """
    fault = reviewer_fault(by)
    if fault is not None:
        raise InputError(fault)
    with locked(folder):
        mend(folder)
        if callable(drafts):
            events, _ = read_events(folder)
            review = Review(folder=folder, events=events, reading=read_protocol_file(folder / PROTOCOL))
            drafts = drafts(review)
        return append_events(folder, by, drafts)


def keep_import(folder: Path, data: bytes, found: Imported, *, name: str, search: str, note: str = "") -> Draft:
    """Keep an imported file in the review and return the event that says so.

    Parameters
    ----------
    folder : Path
    data : bytes
        The file.
    found : Imported
        What was read in it.
    name : str
        The file's name.
    search : str
        The search it belongs to.
    note : str, optional

    Raises
    ------
    InputError
        ``review.file-changing``: the file was written to between reading and keeping it.
    """
    extension = "".join(character for character in Path(name).suffix.lower() if character.isalnum() or character == ".")
    extension = extension if 1 < len(extension) <= 8 else ".txt"
    sha = sha256(data).hexdigest()
    if sha != found.sha256:
        raise InputError(error("review.file-changing", place=Place(file=name)))
    keep_bytes(folder, data, extension)
    into_cache(folder, {sha: found.records})
    return Kind.IMPORTED, {
        "search": search,
        "sha256": sha,
        "file": name,
        "extension": extension,
        "format": found.source,
        "encoding": found.encoding,
        "size": found.size,
        "records": len(found.records),
        "unread": len(found.unread),
        "note": note or None,
    }
