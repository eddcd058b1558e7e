# SPDX-License-Identifier: Apache-2.0
r"""What happened in a review, one event after the other: nothing else is stored, every count is folded from these.

An event is one line of JSON. It says when, by whom, what kind, and the values of that kind; `SHAPES` lists them all.
Events are never changed: who changes a mind writes another one, who takes something back writes an ``undone``.

>>> event = Event.new(Kind.UNDONE, by="wei", at=datetime(2026, 1, 2, tzinfo=UTC), token="0" * 12, event="e-1")
>>> print(to_line(event))
{"at":"2026-01-02T00:00:00.000000Z","by":"wei","id":"e-019b7c010400-000000000000","kind":"undone","values":{"event":"e-1"}}
>>> from_line(to_line(event)) == event
True
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from hashlib import sha256
from secrets import token_hex
from typing import Any, final

from sirolens.errors import InputError
from sirolens.message import Message, Place, Value, error, info
from sirolens.models.toml_table import NUMBER as A_NUMBER
from sirolens.models.toml_table import TEXT as A_TEXT
from sirolens.models.toml_table import TEXTS as SOME_TEXTS

__all__ = [
    "ARMS",
    "DECISIONS",
    "ROUTES",
    "SHAPES",
    "STAGES",
    "Arm",
    "Decision",
    "Event",
    "Kind",
    "Stage",
    "from_line",
    "reviewer_fault",
    "seal",
    "to_line",
]


class Kind(StrEnum):
    """Everything that can happen in a review."""

    SEARCHED = "searched"  # a search was run: one entry of the search log
    IMPORTED = "imported"  # a file of a search was taken in
    MERGED = "merged"  # these records are copies of one publication
    KEPT_APART = "kept-apart"  # these records are not
    ASKED = "asked"  # whether they are must be decided by a person
    LINKED = "linked"  # different publications that belong together
    DECIDED = "decided"  # one reviewer's decision, open or sealed
    UNSEALED = "unsealed"  # a sealed decision opened by who made it
    UNBLINDED = "unblinded"  # somebody looked at others' decisions before time
    RESOLVED = "resolved"  # a conflict was settled
    SAMPLED = "sampled"  # a random sample for stopping was declared
    STOP_ACCEPTED = "stop-accepted"  # a named person accepted to stop screening
    RETRIEVED = "retrieved"  # the full text is at hand
    NOT_RETRIEVED = "not-retrieved"  # it could not be had
    CONTACTED = "contacted"  # authors were asked
    GROUPED = "grouped"  # which reports and cohorts make one study
    EXTRACTED = "extracted"
    APPRAISED = "appraised"
    GRADED = "graded"
    ONGOING = "ongoing"  # a study under way, to come back to
    PREVIOUS = "previous"  # what an earlier version made elsewhere had included
    RETRACTED = "retracted"  # a publication was withdrawn
    CHECKED = "checked"  # somebody looked for retractions, with or without finding any
    LOCKED = "locked"  # the protocol was fixed
    AMENDED = "amended"  # one thing of the fixed protocol was changed
    SNAPSHOT = "snapshot"  # the state was given a name
    UNDONE = "undone"  # an earlier event shall not count


class Stage(StrEnum):
    """Where a decision is made."""

    BEFORE = "before"  # removed before screening for another reason than being a copy
    TITLE = "title"
    FULLTEXT = "fulltext"


class Decision(StrEnum):
    """What a reviewer says of a record."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    MAYBE = "maybe"


class Arm(StrEnum):
    """Where the records of a search belong in the flow diagram; the earlier counts when a record is found in two."""

    DATABASES = "databases"
    REGISTERS = "registers"
    OTHER = "other"


STAGES = tuple(Stage)
DECISIONS = tuple(Decision)
ARMS = tuple(Arm)
ROUTES = ("websites", "organisations", "citations")
"""How something outside databases and registers was found, as the flow diagram counts it."""

Check = Callable[[Any], bool]


def _clean(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _text(value: Any) -> bool:
    return isinstance(value, str) and _clean(value)


def _word(value: Any) -> bool:
    return _text(value) and bool(value.strip())


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_word, value))


def _ids(value: Any) -> bool:
    return _texts(value) and len(value) > 0 and len(set(value)) == len(value)


def _pair_or_more(value: Any) -> bool:
    return _ids(value) and len(value) > 1


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e300


def _json(value: Any) -> bool:
    match value:
        case None | bool():
            return True
        case str():
            return _clean(value)
        case int() | float():
            return _number(value)
        case list():
            return all(map(_json, value))
        case dict():
            return all(_text(key) and _json(inner) for key, inner in value.items())
        case _:
            return False


def _table(value: Any) -> bool:
    return isinstance(value, dict) and _json(value)


def _rows(value: Any) -> bool:
    return isinstance(value, list) and all(map(_table, value))


def _day(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _sha256(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _extension(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\.?[a-z0-9]{1,8}", value) is not None


def _one_of(*choices: str) -> tuple[Value, Check]:
    return ", ".join(choices), lambda value: value in choices


TEXT: tuple[Value, Check] = A_TEXT, _text
WORD: tuple[Value, Check] = info("review.value-word"), _word
TEXTS: tuple[Value, Check] = SOME_TEXTS, _texts
IDS: tuple[Value, Check] = info("review.value-ids"), _ids
MEMBERS: tuple[Value, Check] = info("review.value-members"), _pair_or_more
COUNT: tuple[Value, Check] = ">= 0", _count
FLAG: tuple[Value, Check] = "true, false", _flag
NUMBER: tuple[Value, Check] = A_NUMBER, _number
DAY: tuple[Value, Check] = "YYYY-MM-DD", _day
SHA: tuple[Value, Check] = "sha256", _sha256
TABLE: tuple[Value, Check] = "{...}", _table
ROWS: tuple[Value, Check] = "[{...}, ...]", _rows
EXTENSION: tuple[Value, Check] = ".ris", _extension  # it becomes part of a file's name
ARM, ROUTE, STAGE, DECISION = _one_of(*ARMS), _one_of(*ROUTES), _one_of(*STAGES), _one_of(*DECISIONS)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The values of one kind of event: what must and what may be there, each with what is expected of it."""

    must: Mapping[str, tuple[Value, Check]]
    may: Mapping[str, tuple[Value, Check]]


def _shape(must: Mapping[str, tuple[Value, Check]], **may: tuple[Value, Check]) -> Shape:
    return Shape(must=must, may=may)


# A statement on a record says in `covers` which copies its maker saw as one with it; a later statement by the same
# person that covers a record replaces the earlier one on it.
_ON = {"record": WORD}
_WHY: dict[str, tuple[Value, Check]] = {"reasons": TEXTS, "notes": TEXT, "tags": TEXTS, "covers": IDS}

SHAPES: Mapping[Kind, Shape] = {
    Kind.SEARCHED: _shape(
        {"database": WORD, "arm": ARM, "strategy": TEXT, "run_on": DAY},
        platform=TEXT,
        name=TEXT,  # the key of the database in the protocol
        language=TEXT,
        route=ROUTE,
        limits=TEXT,
        hits=COUNT,
        run_by=TEXT,
        peer_review=TEXT,
        translation=TEXT,  # what the database made of the strategy
        repeats=WORD,  # the search that this one runs again
        corrects=WORD,  # the entry of the log that this one replaces
        note=TEXT,
        unverified=FLAG,
    ),
    Kind.IMPORTED: _shape(
        {"search": WORD, "sha256": SHA, "file": WORD, "extension": EXTENSION, "records": COUNT},
        format=TEXT,
        encoding=TEXT,
        size=COUNT,
        unread=COUNT,
        note=TEXT,
    ),
    Kind.MERGED: _shape({"members": MEMBERS}, why=TEXTS, method=TEXT, joins=ROWS),
    # With `others` each of the members is kept apart from each of them, else every two of the members.
    Kind.KEPT_APART: _shape({"members": IDS}, others=IDS, why=TEXTS, method=TEXT),
    Kind.ASKED: _shape({"members": MEMBERS}, why=TEXTS, method=TEXT, told=TABLE),
    Kind.LINKED: _shape({"members": MEMBERS, "relation": WORD}, why=TEXTS, method=TEXT, told=TABLE),
    Kind.DECIDED: _shape({**_ON, "stage": STAGE}, decision=DECISION, sealed=SHA, seconds=NUMBER, **_WHY),
    Kind.UNSEALED: _shape({"event": WORD, "salt": WORD, "decision": DECISION}, reasons=TEXTS, notes=TEXT, tags=TEXTS),
    Kind.UNBLINDED: _shape({"stage": STAGE, "why": WORD}),
    Kind.RESOLVED: _shape({**_ON, "stage": STAGE, "decision": DECISION}, **_WHY),
    Kind.SAMPLED: _shape({"records": IDS, "settings": TABLE}, name=TEXT),
    Kind.STOP_ACCEPTED: _shape({"records": IDS, "person": WORD}, sample=WORD, why=TEXT, settings=TABLE),
    Kind.RETRIEVED: _shape(_ON, covers=IDS, how=TEXT, on=DAY, sha256=SHA, note=TEXT),
    Kind.NOT_RETRIEVED: _shape(_ON, covers=IDS, why=TEXT, on=DAY, note=TEXT),
    Kind.CONTACTED: _shape({**_ON, "on": DAY, "who": WORD}, about=TEXT, how=TEXT, answer=TEXT, answered_on=DAY),
    Kind.GROUPED: _shape({"study": WORD, "reports": TEXTS}, label=TEXT, cohorts=TEXTS, overlap_group=TEXT, data=TABLE),
    Kind.EXTRACTED: _shape({"study": WORD, "data": TABLE}, consensus=FLAG),
    Kind.APPRAISED: _shape({"study": WORD, "tool": WORD, "data": TABLE}, consensus=FLAG),
    Kind.GRADED: _shape({"outcome": WORD, "data": TABLE}, consensus=FLAG),
    Kind.ONGOING: _shape({"title": WORD}, record=WORD, registration=TEXT, status=TEXT, expected=TEXT, note=TEXT),
    Kind.PREVIOUS: _shape({"label": WORD, "studies": COUNT, "reports": COUNT}, records=TEXTS, note=TEXT),
    Kind.RETRACTED: _shape({**_ON, "date": DAY}, notice=TEXT, doi=TEXT, pmid=TEXT, source=TEXT, covers=IDS),
    Kind.CHECKED: _shape({"what": _one_of("retractions"), "on": DAY, "records": COUNT}, found=COUNT, source=TEXT),
    Kind.LOCKED: _shape({"on": DAY, "sha256": SHA, "protocol": TABLE}, registration=TEXT),
    Kind.AMENDED: _shape(
        {"on": DAY, "key": WORD, "why": WORD, "sha256": SHA},
        before=TEXT,
        after=TEXT,
        protocol=TABLE,  # the whole protocol after it
    ),
    Kind.SNAPSHOT: _shape(
        {"name": WORD, "on": DAY, "state": SHA, "heads": TABLE, "boxes": TABLE},
        version=FLAG,  # it closes a version: what is found later counts for the next one
        open=TEXTS,  # records without a final box, carried over to the next version
        included=TEXTS,
        studies=TEXTS,
        estimates=ROWS,
        note=TEXT,
    ),
    Kind.UNDONE: _shape({"event": WORD}, why=TEXT),
}
"""Every kind of event with its values."""

_REVIEWER = re.compile(r"\w[\w.-]{0,39}")


def reviewer_fault(name: str) -> Message | None:
    """Say what is wrong with a reviewer's short name, which is also the name of a file.

    >>> reviewer_fault("wei"), reviewer_fault("张伟"), str(reviewer_fault("../x"))
    (None, None, 'review.reviewer-name(value=../x)')
    """
    if _REVIEWER.fullmatch(name) and unicodedata.normalize("NFC", name) == name and not name.endswith("."):
        return None
    return error("review.reviewer-name", value=name)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Parameters
    ----------
    id : str
        ``e-``, milliseconds since 1970 in hexadecimal, random part: sorts by time, never twice the same.
    at : datetime
        With a time zone.
    by : str
        The reviewer's short name.
    kind : Kind
    values : mapping of str to JSON value
        As `SHAPES` says; never changed.

    Raises
    ------
    InputError
        ``review.event-...`` with every fault of the values.
    """

    id: str
    at: datetime
    by: str
    kind: Kind
    values: Mapping[str, Any] = field(hash=False)

    def __post_init__(self) -> None:
        faults = value_faults(self.kind, self.values)
        if self.at.tzinfo is None:
            faults = (*faults, error("review.event-value", field="at", kind_name=self.kind, expected="...Z"))
        name = reviewer_fault(self.by)
        if faults or name:
            raise InputError(*faults, *(() if name is None else (name,)))

    @classmethod
    def new(cls, kind: Kind, *, by: str, at: datetime, token: str | None = None, **values: Any) -> Event:
        """Make an event with a fresh id; values that are None are left out, tuples become lists."""
        milliseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        given = {name: _plain(value) for name, value in values.items() if value is not None}
        name = f"e-{milliseconds:012x}-{token_hex(6) if token is None else token}"
        return cls(id=name, at=at.astimezone(UTC), by=by, kind=Kind(kind), values=given)

    @property
    def order(self) -> tuple[datetime, str]:
        """What events are sorted by."""
        return self.at, self.id

    def text(self, name: str) -> str:
        """Return a text, empty when it is not there."""
        return str(self.values.get(name, ""))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty when it is not there."""
        return tuple(self.values.get(name, ()))

    @property
    def covered(self) -> tuple[str, ...]:
        """The records a statement is about: the one it names, and the copies its maker saw with it."""
        return tuple(dict.fromkeys((self.text("record"), *self.texts("covers"))))


def _plain(value: Any) -> Any:
    """Tuples to lists, dates and words of a vocabulary to text: what JSON would make of it."""
    match value:
        case StrEnum():
            return value.value
        case datetime():
            return value.isoformat()
        case date():
            return value.isoformat()
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case _:
            return value


def value_faults(kind: Kind, values: Mapping[str, Any]) -> tuple[Message, ...]:
    """Return every fault of an event's values.

    >>> [str(fault) for fault in value_faults(Kind.UNDONE, {"evnt": "e-1"})]
    ['review.event-key-missing(expected=review.value-word(), field=event, kind_name=undone)',
     "review.event-key-unknown(field=evnt, kind_name=undone, near=('event',))"]
    """
    shape = SHAPES[kind]
    known = {**shape.must, **shape.may}
    faults = [
        error("review.event-key-missing", field=name, kind_name=str(kind), expected=shape.must[name][0])
        for name in shape.must
        if name not in values
    ]
    for name, value in values.items():
        if name not in known:
            near = tuple(get_close_matches(name, known, n=1))
            faults.append(error("review.event-key-unknown", field=name, kind_name=str(kind), near=near))
        elif not known[name][1](value):
            faults.append(error("review.event-value", field=name, kind_name=str(kind), expected=known[name][0]))
    if kind is Kind.DECIDED and not faults and ("decision" in values) == ("sealed" in values):
        faults.append(error("review.event-value", field="decision", kind_name=str(kind), expected="decision | sealed"))
    if kind is Kind.KEPT_APART and not faults and len({*values["members"], *values.get("others", ())}) < 2:
        faults.append(error("review.event-value", field="members", kind_name=str(kind), expected=MEMBERS[0]))
    return tuple(faults)


def seal(
    salt: str,
    *,
    record: str,
    stage: str,
    decision: str,
    reasons: Sequence[str] = (),
    notes: str = "",
    tags: Sequence[str] = (),
) -> str:
    """Return the hash that stands for a decision until it is opened; the salt keeps three choices from being tried.

    >>> seal("00", record="r-1", stage="title", decision="include")[:8]
    'cc5d60dd'
    """
    told = [salt, record, stage, decision, list(reasons), notes, list(tags)]
    return sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def to_line(event: Event) -> str:
    """Write an event as one line of JSON, without the line end: keys sorted, so that equal events are equal bytes."""
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = {"id": event.id, "at": at, "by": event.by, "kind": event.kind.value, "values": dict(event.values)}
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_line(line: str, *, place: Place | None = None) -> Event:
    """Read an event from a line.

    Parameters
    ----------
    line : str
    place : Place, optional
        Where the line stands; every fault names it.

    Raises
    ------
    InputError
        ``review.event-unreadable``; ``review.kind-unknown`` for a kind this version does not know, by name;
        ``review.event-...`` for values that do not fit their kind.
    """
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict) or set(fields) != {"id", "at", "by", "kind", "values"}:
            raise ValueError
        name, by, kind, values = fields["id"], fields["by"], fields["kind"], fields["values"]
        at = datetime.fromisoformat(fields["at"])
        if not (_word(name) and _word(by) and _word(kind) and isinstance(values, dict)):
            raise ValueError
    except (ValueError, TypeError, RecursionError) as failure:
        raise InputError(error("review.event-unreadable", place=place, value=line[:80])) from failure
    if kind not in tuple(Kind):
        raise InputError(error("review.kind-unknown", place=place, value=kind))
    try:
        return Event(id=name, at=at, by=by, kind=Kind(kind), values=values)
    except RecursionError as failure:
        raise InputError(error("review.event-unreadable", place=place, value=line[:80])) from failure
    except InputError as failure:
        raise InputError(*(replace(one, place=place) for one in failure.messages)) from failure
