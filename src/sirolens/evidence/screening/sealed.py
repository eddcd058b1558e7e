# SPDX-License-Identifier: Apache-2.0
"""Sealed decisions: the shared folder gets a hash, the reviewer's own machine keeps what it stands for.

The secret is kept, and on the disk, before its seal is shared: a decision whose seal is in the folder can be opened by
who made it, unless that person's private folder is lost; then it is made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from secrets import token_hex
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.review.events import Decision, Stage, seal
from sirolens.message import Message, Place, error, warning

__all__ = ["PRIVATE", "Secret", "keep_secret", "private_file", "read_secrets", "sealed_decision"]

PRIVATE = "private"
"""The folder inside a review that git ignores."""
_OWNER_ONLY = 0o600


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What a seal stands for.

    Parameters
    ----------
    sealed : str
        The hash that is shared.
    salt, record, stage, decision, notes : str
    reasons, tags : tuple of str
    """

    sealed: str
    salt: str
    record: str
    stage: str
    decision: str
    reasons: tuple[str, ...] = ()
    notes: str = ""
    tags: tuple[str, ...] = ()


def sealed_decision(
    record: str,
    stage: Stage,
    decision: Decision,
    *,
    reasons: Sequence[str] = (),
    notes: str = "",
    tags: Sequence[str] = (),
) -> Secret:
    """Seal a decision with a fresh salt.

    >>> one = sealed_decision("r-1", Stage.TITLE, Decision.INCLUDE)
    >>> one.sealed == seal(one.salt, record="r-1", stage="title", decision="include")
    True
    """
    salt = token_hex(16)
    stage_name, told = Stage(stage).value, Decision(decision).value
    closed = seal(salt, record=record, stage=stage_name, decision=told, reasons=reasons, notes=notes, tags=tags)
    return Secret(
        sealed=closed,
        salt=salt,
        record=record,
        stage=stage_name,
        decision=told,
        reasons=tuple(reasons),
        notes=notes,
        tags=tuple(tags),
    )


def private_file(folder: Path, by: str) -> Path:
    """Return where a reviewer's secrets are kept."""
    return folder / PRIVATE / f"{by}.jsonl"


def keep_secret(folder: Path, by: str, secret: Secret) -> None:
    """Keep a secret; when this returns it is on the disk.

    Raises
    ------
    InputError
        ``screening.private-unwritable``: then its seal must not be shared.
    """
    path = private_file(folder, by)
    line = json.dumps(asdict(secret), ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
        with os.fdopen(handle, "r+b", buffering=0) as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 1))
            half = size > 0 and stream.read(1) != b"\n"
            # What a killed process left half written stays a line of its own.
            stream.write((b"\n" if half else b"") + line.encode())
            os.fsync(stream.fileno())
    except OSError as failure:
        place = Place(file=str(path))
        told = failure.strerror or type(failure).__name__
        raise InputError(error("screening.private-unwritable", place=place, told=told)) from failure


def read_secrets(folder: Path, by: str) -> tuple[Mapping[str, Secret], tuple[Message, ...]]:
    """Return a reviewer's secrets by their seals, and each line that is none (``screening.private-line``)."""
    path = private_file(folder, by)
    found: dict[str, Secret] = {}
    messages = []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return {}, ()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        secret = _read(line)
        if secret is None:
            messages.append(warning("screening.private-line", place=Place(file=str(path), line=number)))
        else:
            found[secret.sealed] = secret
    return found, tuple(messages)


def _read(line: bytes) -> Secret | None:
    """The secret of a line whose seal is right."""
    try:
        told: dict[str, Any] = json.loads(line)
        if set(told) != {one.name for one in fields(Secret)}:
            return None
        lists = {name: tuple(map(str, told[name])) for name in ("reasons", "tags")}
        secret = Secret(**{**told, **lists})
        values = {name: getattr(secret, name) for name in ("record", "stage", "decision", "reasons", "notes", "tags")}
        return secret if seal(secret.salt, **values) == secret.sealed else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
