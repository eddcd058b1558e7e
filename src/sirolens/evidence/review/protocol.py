# SPDX-License-Identifier: Apache-2.0
"""The protocol of a review: one TOML file with question, databases, search strings, criteria, outcomes and team.

It is locked at a date by an event that keeps the whole of it; what is changed afterwards becomes a row of the table of
deviations, with what, when and why. Comments and line breaks are not part of the protocol: it is compared by its
values.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, final

from sirolens.errors import InputError
from sirolens.evidence.review.events import ARMS, ROUTES, Arm, Event, Kind, reviewer_fault
from sirolens.evidence.review.state import Rules
from sirolens.message import Message, Place, Severity, error
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table
from sirolens.models.toml_text import toml_text

__all__ = [
    "PROTOCOL",
    "Change",
    "Criterion",
    "Database",
    "Deviation",
    "Member",
    "Outcome",
    "Protocol",
    "Reading",
    "Triggers",
    "changes",
    "deviations",
    "locked_protocol",
    "protocol_hash",
    "read_protocol",
    "read_protocol_file",
]

PROTOCOL = "protocol.toml"
LARGEST_FILE_BYTES = 2_000_000
"""No protocol is this large; a data file given by mistake is."""
LANGUAGES = ("en", "zh")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One source to be searched, with its exact strategy.

    Parameters
    ----------
    name : str
        Its short name in commands.
    database, platform : str
        As the report prints them.
    arm : Arm
    route : str
        Of a source outside databases and registers.
    language : {"en", "zh"}
    strategy : str
        Exactly as it is run.
    limits : str
    unverified : bool
        True for an expression that was built and not yet tried on the platform.
    """

    name: str
    database: str
    platform: str = ""
    arm: Arm = Arm.DATABASES
    route: str = ""
    language: str = "en"
    strategy: str = ""
    limits: str = ""
    unverified: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A reason to exclude, by a short name; the order of the file decides which counts where two are given."""

    id: str
    text: str
    text_zh: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is extracted and pooled."""

    id: str
    text: str
    text_zh: str = ""
    definition: str = ""
    times: tuple[str, ...] = ()
    primary: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person of the team."""

    name: str
    full_name: str = ""
    role: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """When an update is due; a limit of None is not looked at.

    Parameters
    ----------
    months : float or None
        Since the newest search.
    new_records : int or None
        Records of the update that are not known yet.
    new_studies : int or None
        Included since the newest version.
    changed_points : float or None
        Change of a pooled estimate between the two newest snapshots: percentage points of a share, else its own unit.
    """

    months: float | None = None
    new_records: int | None = None
    new_studies: int | None = None
    changed_points: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """What the review set out to do."""

    title: str
    title_zh: str = ""
    registration: str = ""
    question: Mapping[str, str] = field(default_factory=dict, hash=False)
    databases: tuple[Database, ...] = ()
    include: tuple[str, ...] = ()
    reasons: tuple[Criterion, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    team: tuple[Member, ...] = ()
    rules: Rules = field(default_factory=Rules)
    blind: bool = True
    triggers: Triggers = field(default_factory=Triggers)

    def database(self, name: str) -> Database | None:
        """Return a source by its short name."""
        return next((one for one in self.databases if one.name == name), None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came out of a protocol file.

    Parameters
    ----------
    protocol : Protocol or None
        None when there are errors.
    values : mapping
        As `tomllib` gives them.
    messages : tuple of Message
        Errors; and as warnings what is still to be filled in.
    """

    protocol: Protocol | None
    values: Mapping[str, Any]
    messages: tuple[Message, ...]

    @property
    def complete(self) -> bool:
        """True when it can be locked: no errors, nothing to be filled in."""
        return self.protocol is not None and not self.messages


def read_protocol_file(path: Path) -> Reading:
    """Read and check a protocol file; every fault names line, key, value and what was expected."""
    try:
        text = toml_text(path, most_bytes=LARGEST_FILE_BYTES)
    except InputError as fault:
        return Reading(protocol=None, values={}, messages=fault.messages)
    return read_protocol(text, str(path))


def read_protocol(text: str, file: str = PROTOCOL) -> Reading:
    """Read and check the text of a protocol.

    Parameters
    ----------
    text : str
    file : str
        Its name, for messages.

    Examples
    --------
    >>> reading = read_protocol("titel = 'Invented'")
    >>> [(message.code, str(message.place)) for message in reading.messages if message.severity is Severity.ERROR]
    [('models.unknown-key', 'protocol.toml:1:titel')]
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=file, line=int(line[1]) if line else text.count("\n") + 1)
        shown = str(fault) if isinstance(fault, tomllib.TOMLDecodeError) else "[[[[..."
        told = error("models.not-toml", place=place, value=shown, expected="TOML")
        return Reading(protocol=None, values={}, messages=(told,))
    faults = Faults(file, key_lines(text))
    protocol = _protocol(Table(data, (), faults))
    wrong = any(message.severity is Severity.ERROR for message in faults.messages)
    return Reading(protocol=None if wrong else protocol, values=data, messages=tuple(faults.messages))


def _fill(table: Table, key: str) -> str:
    """Take a text that must be there before the protocol is locked."""
    value = table.text(key)
    if not value.strip():
        table.faults.doubtful("review.protocol-to-fill-in", (*table.path, key), key)
    return value.strip()


Kept = TypeVar("Kept")


def _gap(root: Table, key: str, instead: Kept) -> Kept:
    root.faults.doubtful("review.protocol-to-fill-in", (*root.path, key), key)
    return instead


def _needed(root: Table, key: str) -> tuple[Table, ...]:
    return root.tables(key) or _gap(root, key, ())


def _protocol(root: Table) -> Protocol:
    reasons = _reasons(root)
    protocol = Protocol(
        title=_fill(root, "title"),
        title_zh=root.text("title_zh"),
        registration=root.text("registration"),
        question=_question(root),
        databases=_databases(root),
        include=_criteria(root),
        reasons=reasons,
        outcomes=_outcomes(root),
        team=_team(root),
        rules=_rules(root, reasons),
        blind=root.flag("blind", default=True),
        triggers=_triggers(root),
    )
    root.close()
    return protocol


QUESTION = ("population", "intervention", "comparison", "outcomes", "designs")


def _question(root: Table) -> dict[str, str]:
    table = root.table("question")
    if table is None:
        return _gap(root, "question", {})
    told = {key: _fill(table, key) for key in QUESTION}
    told |= {f"{key}_zh": text for key in QUESTION if (text := table.text(f"{key}_zh"))}
    table.close()
    return told


def _slug(table: Table, key: str, seen: set[str]) -> str:
    name = table.text(key, required=True, default="?")
    if name != "?" and not _SLUG.fullmatch(name):
        table.faults.wrong("review.protocol-name", (*table.path, key), name, expected="a-z, 0-9, -")
    elif name in seen:
        table.faults.wrong("review.protocol-name-twice", (*table.path, key), name)
    seen.add(name)
    return name


def _arm(table: Table) -> Arm:
    told = table.text("arm", default=Arm.DATABASES, choices=ARMS)
    return Arm(told) if told in ARMS else Arm.DATABASES


def _databases(root: Table) -> tuple[Database, ...]:
    seen: set[str] = set()
    found = []
    for table in _needed(root, "databases"):
        one = Database(
            name=_slug(table, "name", seen),
            database=_fill(table, "database"),
            platform=table.text("platform"),
            arm=_arm(table),
            route=table.text("route", choices=("", *ROUTES)),
            language=table.text("language", default="en", choices=LANGUAGES),
            strategy=_fill(table, "strategy"),
            limits=table.text("limits"),
            unverified=table.flag("unverified"),
        )
        if (one.arm is Arm.OTHER) != bool(one.route):
            table.faults.wrong("review.protocol-route", (*table.path, "route"), one.route, expected=", ".join(ROUTES))
        table.close()
        found.append(one)
    return tuple(found)


def _criteria(root: Table) -> tuple[str, ...]:
    table = root.table("criteria")
    if table is None:
        return _gap(root, "criteria", ())
    include = table.texts("include")
    table.texts("include_zh")
    if not any(text.strip() for text in include):
        table.faults.doubtful("review.protocol-to-fill-in", (*table.path, "include"), "include")
    table.close()
    return include


def _reasons(root: Table) -> tuple[Criterion, ...]:
    seen: set[str] = set()
    found = []
    for table in _needed(root, "reasons"):
        found.append(Criterion(id=_slug(table, "id", seen), text=_fill(table, "text"), text_zh=table.text("text_zh")))
        table.close()
    return tuple(found)


def _outcomes(root: Table) -> tuple[Outcome, ...]:
    seen: set[str] = set()
    found = []
    for table in _needed(root, "outcomes"):
        found.append(
            Outcome(
                id=_slug(table, "id", seen),
                text=_fill(table, "text"),
                text_zh=table.text("text_zh"),
                definition=table.text("definition"),
                times=table.texts("times"),
                primary=table.flag("primary"),
            )
        )
        table.close()
    return tuple(found)


def _team(root: Table) -> tuple[Member, ...]:
    seen: set[str] = set()
    found = []
    for table in _needed(root, "team"):
        name = table.text("name", required=True, default="?")
        if name != "?" and reviewer_fault(name) is not None:
            table.faults.wrong("review.reviewer-name", (*table.path, "name"), name)
        elif name in seen:
            table.faults.wrong("review.protocol-name-twice", (*table.path, "name"), name)
        seen.add(name)
        found.append(Member(name=name, full_name=table.text("full_name"), role=table.text("role")))
        table.close()
    return tuple(found)


def _rules(root: Table, reasons: Sequence[Criterion]) -> Rules:
    order = tuple(reason.id for reason in reasons)
    table = root.table("screening")
    if table is None:
        return Rules(reasons=order)
    title = table.whole("title_reviewers", least=1) or 2
    fulltext = table.whole("fulltext_reviewers", least=1) or 2
    table.close()
    return Rules(title_reviewers=title, fulltext_reviewers=fulltext, reasons=order)


def _triggers(root: Table) -> Triggers:
    table = root.table("update")
    if table is None:
        return Triggers()
    triggers = Triggers(
        months=table.number("months", above=0.0),
        new_records=table.whole("new_records", least=1),
        new_studies=table.whole("new_studies", least=1),
        changed_points=table.number("changed_points", above=0.0),
    )
    table.close()
    return triggers


def protocol_hash(values: Mapping[str, Any]) -> str:
    """Return the hash of a protocol's values.

    >>> protocol_hash({"a": 1, "b": 2}) == protocol_hash({"b": 2, "a": 1})
    True
    """
    return sha256(_canonical(values).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key of the protocol that is not what it was; texts as JSON, empty where the key is not there."""

    key: str
    before: str
    after: str


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """The leaves by their paths; entries of a list of tables go by their name, so that moving one is no change."""
    if isinstance(value, Mapping) and value:
        return {
            key: leaf
            for name, inner in value.items()
            for key, leaf in _flat(inner, f"{path}.{name}" if path else str(name)).items()
        }
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        found: dict[str, str] = {}
        for index, item in enumerate(value):
            name = item.get("name", item.get("id", index))
            found |= _flat(item, f"{path}[{name}]")
        order = [item.get("id") for item in value]
        return found | ({f"{path}.order": _canonical(order)} if None not in order else {})
    return {path: _canonical(value)}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs between two protocols, by key.

    >>> changes({"team": [{"name": "wei"}]}, {"team": [{"name": "wei", "role": "first reviewer"}]})
    (Change(key='team[wei].role', before='', after='"first reviewer"'),)
    """
    old, new = _flat(before), _flat(after)
    return tuple(
        Change(key=key, before=old.get(key, ""), after=new.get(key, ""))
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    )


def locked_protocol(events: Sequence[Event]) -> tuple[Mapping[str, Any], date] | None:
    """Return the protocol as it was last locked or amended and the date it was first locked; None before that.

    Parameters
    ----------
    events : sequence of Event
        Sorted, without what was undone.
    """
    told = [event for event in events if event.kind in (Kind.LOCKED, Kind.AMENDED) and "protocol" in event.values]
    if not told:
        return None
    first = next((event for event in told if event.kind is Kind.LOCKED), told[0])
    return told[-1].values["protocol"], date.fromisoformat(first.text("on"))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One row of the table of deviations from the locked protocol."""

    on: date
    key: str
    before: str
    after: str
    why: str
    by: str
    event: str


def deviations(events: Sequence[Event]) -> tuple[Deviation, ...]:
    """Return the table of deviations, the oldest first."""
    return tuple(
        Deviation(
            on=date.fromisoformat(event.text("on")),
            key=event.text("key"),
            before=event.text("before"),
            after=event.text("after"),
            why=event.text("why"),
            by=event.by,
            event=event.id,
        )
        for event in events
        if event.kind is Kind.AMENDED
    )
