# SPDX-License-Identifier: Apache-2.0
"""Fixing the protocol at a date, and writing down every later change with its reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sirolens.errors import InputError
from sirolens.evidence.review.events import Event, Kind
from sirolens.evidence.review.protocol import Reading, changes, locked_protocol, protocol_hash
from sirolens.message import Place, error

__all__ = ["lock_drafts"]


def lock_drafts(
    reading: Reading, events: Sequence[Event], *, on: date, why: str = "", keys: Sequence[str] = ()
) -> tuple[tuple[Kind, dict[str, Any]], ...]:
    """Return the events that lock a protocol, or that write down what was changed since.

    Parameters
    ----------
    reading : Reading
        The protocol as it stands in its file.
    events : sequence of Event
        Sorted, without what was undone.
    on : date
    why : str
        The reason of a change; required after the first lock.
    keys : sequence of str
        Only these changes, or those under them; all without it.

    Returns
    -------
    tuple of (Kind, values)
        Empty when the protocol is what it was.

    Raises
    ------
    InputError
        With every gap of a protocol that is not complete; ``review.why-needed``, ``review.key-not-changed``.
    """
    if reading.protocol is None or not reading.complete:
        raise InputError(error("review.protocol-incomplete"), *reading.messages)
    values = _plain(reading.values)
    before = locked_protocol(events)
    if before is None:
        told = {"on": on.isoformat(), "sha256": protocol_hash(values), "protocol": values}
        return ((Kind.LOCKED, told | {"registration": reading.protocol.registration or None}),)
    found = changes(before[0], values)
    if not found:
        return ()
    chosen = [one for one in found if not keys or any(one.key == key or one.key.startswith(key) for key in keys)]
    if not chosen:
        raise InputError(
            error("review.key-not-changed", place=Place(field="--key"), known=tuple(one.key for one in found))
        )
    if not why.strip():
        raise InputError(error("review.why-needed", place=Place(field="--why"), keys=tuple(one.key for one in chosen)))
    after = values if len(chosen) == len(found) else _partly(before[0], values, [one.key for one in chosen])
    rows: list[tuple[Kind, dict[str, Any]]] = [
        (
            Kind.AMENDED,
            {
                "on": on.isoformat(),
                "key": one.key,
                "before": one.before,
                "after": one.after,
                "why": why.strip(),
                "sha256": protocol_hash(after),
            },
        )
        for one in chosen
    ]
    rows[-1][1]["protocol"] = after
    return tuple(rows)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them: a date is its text."""
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return plain


def _partly(before: Mapping[str, Any], after: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The earlier protocol with whole parts of the later one: a part is taken when one of its changes is chosen.

    Raises
    ------
    InputError
        ``review.key-part``: other changes stand in the same part, so they need the same reason now.
    """
    parts = {key.partition(".")[0].partition("[")[0] for key in keys}
    mixed = dict(before)
    for part in parts:
        mixed.pop(part, None)
        if part in after:
            mixed[part] = after[part]
    left = {one.key for one in changes(before, mixed)} - set(keys)
    if left:
        raise InputError(error("review.key-part", place=Place(field="--key"), keys=tuple(sorted(left))))
    return mixed
