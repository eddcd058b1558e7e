# SPDX-License-Identifier: Apache-2.0
"""The records of a review, read from the kept files once and then from a cache that can be thrown away at any time.

The cache is one SQLite file that git ignores. Its entries are keyed by the hash of the file and the hash of the code
that reads files, so a changed reader reads again. A cache that is damaged is made anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import fields
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from sirolens.errors import InputError, SirolensError
from sirolens.evidence.importing import import_bytes
from sirolens.evidence.record import Author, Notice, NoticeKind, Position, Record
from sirolens.evidence.review.files import IMPORTS
from sirolens.message import Message, Place, error

__all__ = ["CACHE", "forget", "from_fields", "into_cache", "read_records", "reader_version", "to_fields"]

CACHE = "cache.sqlite"
_WAIT_SECONDS = 30.0
_ABSENT: tuple[Any, ...] = ("", (), None, False)
_PLAIN = tuple(
    one.name
    for one in fields(Record)
    if one.name not in {"authors", "notices", "position", "unparsed", "trial_ids", "languages", "kinds", "keywords"}
)
_LISTS = ("trial_ids", "languages", "kinds", "keywords")


def to_fields(record: Record) -> dict[str, Any]:
    """Return a record as JSON values; what is empty is left out.

    >>> from sirolens.evidence.record import record_id
    >>> place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=9)
    >>> one = Record(id=record_id(place), source="ris", position=place, raw="x", authors=(Author(printed="Invented"),))
    >>> from_fields(json.loads(json.dumps(to_fields(one)))) == one
    True
    """
    told: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(record, name)) not in _ABSENT}
    told |= {name: list(value) for name in _LISTS if (value := getattr(record, name))}
    at = record.position
    told["position"] = [at.sha256, at.ordinal, at.first_line, at.last_line]
    if record.authors:
        told["authors"] = [
            [one.printed, one.family, one.given, one.initials, int(one.collective)] for one in record.authors
        ]
    if record.notices:
        told["notices"] = [[one.kind.value, one.printed, one.pmid, one.doi] for one in record.notices]
    if record.unparsed:
        told["unparsed"] = [list(line) for line in record.unparsed]
    return told


def from_fields(told: Mapping[str, Any]) -> Record:
    """Make a record from what `to_fields` returned."""
    given = dict(told)
    sha, ordinal, first, last = given["position"]
    given["position"] = Position(sha256=sha, ordinal=ordinal, first_line=first, last_line=last)
    for name in _LISTS:
        if name in given:
            given[name] = tuple(given[name])
    given["authors"] = tuple(
        Author(printed=printed, family=family, given=own, initials=initials, collective=bool(collective))
        for printed, family, own, initials, collective in given.get("authors", ())
    )
    given["notices"] = tuple(
        Notice(kind=NoticeKind(kind), printed=printed, pmid=pmid, doi=doi)
        for kind, printed, pmid, doi in given.get("notices", ())
    )
    given["unparsed"] = tuple((int(line), str(text)) for line, text in given.get("unparsed", ()))
    given.setdefault("raw", "")
    return Record(**given)


@cache
def reader_version() -> str:
    """Return a hash of the code that makes records of files."""
    room = files("sirolens.evidence")
    sources = (item for item in room.joinpath("sources").iterdir() if item.name.endswith(".py"))
    others = (room.joinpath("importing.py"), room.joinpath("record.py"), room.joinpath("review", "cache.py"))
    digest = sha256()
    for item in (*sorted(sources, key=lambda item: item.name), *others):
        digest.update(item.name.encode() + b"\0" + item.read_bytes())
    return digest.hexdigest()


def read_records(
    folder: Path,
    wanted: Mapping[str, tuple[str, str]],
    *,
    progress: Callable[[str], None] | None = None,
) -> tuple[tuple[Record, ...], tuple[Message, ...]]:
    """Return the records of kept files.

    Parameters
    ----------
    folder : Path
        Of the review.
    wanted : mapping of str to (str, str)
        Hash of a file -> its ending and, where a person named it, its format.
    progress : callable, optional
        Called with the hash of each file that is read anew.

    Returns
    -------
    tuple of Record
    tuple of Message
        ``review.file-lost``, ``review.file-changed``: kept files that are gone or are not what they were.
    """
    messages: list[Message] = []
    whole: dict[str, bytes] = {}
    for sha, (extension, _) in wanted.items():
        try:
            whole[sha] = _kept(folder / IMPORTS / f"{sha}{extension}", sha)
        except InputError as failure:
            messages += failure.messages
    everything = _from_cache(folder, whole)
    fresh: dict[str, tuple[Record, ...]] = {}
    for sha in [sha for sha in whole if sha not in everything]:
        if progress is not None:
            progress(sha)
        try:
            found = import_bytes(whole[sha], name=f"{sha}{wanted[sha][0]}", format_name=wanted[sha][1] or None)
        except SirolensError as failure:
            messages += failure.messages
        else:
            fresh[sha] = found.records
    into_cache(folder, fresh)
    everything |= fresh
    return tuple(record for sha in wanted for record in everything.get(sha, ())), tuple(messages)


def _kept(path: Path, sha: str) -> bytes:
    """The bytes of a kept file, which are what they were."""
    try:
        data = path.read_bytes()
    except OSError as failure:
        raise InputError(error("review.file-lost", place=Place(file=str(path)))) from failure
    if sha256(data).hexdigest() != sha:
        raise InputError(error("review.file-changed", place=Place(file=str(path))))
    return data


def _connect(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / CACHE, timeout=_WAIT_SECONDS)
    connection.execute("CREATE TABLE IF NOT EXISTS files (key TEXT PRIMARY KEY, records TEXT NOT NULL) WITHOUT ROWID")
    return connection


def _from_cache(folder: Path, wanted: Iterable[str]) -> dict[str, tuple[Record, ...]]:
    held: dict[str, tuple[Record, ...]] = {}
    if not (folder / CACHE).exists():
        return held
    try:
        with closing(_connect(folder)) as connection:
            for sha in wanted:
                row = connection.execute("SELECT records FROM files WHERE key = ?", (_key(sha),)).fetchone()
                if row is not None:
                    held[sha] = tuple(map(from_fields, json.loads(row[0])))
    except sqlite3.OperationalError:  # another process holds it, or the folder cannot be written
        return {}
    except (sqlite3.Error, ValueError, TypeError, KeyError):
        forget(folder)
        return {}
    return held


def _key(sha: str) -> str:
    return f"{sha}:{reader_version()}"


def into_cache(folder: Path, fresh: Mapping[str, tuple[Record, ...]]) -> None:
    """Keep what was read; a cache that cannot be written costs time, nothing else."""
    if not fresh:
        return
    rows = [
        (_key(sha), json.dumps([to_fields(record) for record in records], ensure_ascii=False, separators=(",", ":")))
        for sha, records in fresh.items()
    ]
    try:
        with closing(_connect(folder)) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", rows)
    except sqlite3.OperationalError:
        return
    except (sqlite3.Error, UnicodeEncodeError):
        forget(folder)


def forget(folder: Path) -> None:
    """Throw the cache away."""
    for path in folder.glob(f"{CACHE}*"):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue
