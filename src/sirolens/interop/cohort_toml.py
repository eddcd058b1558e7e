# SPDX-License-Identifier: Apache-2.0
"""What a study says about itself: ``study.toml``, beside the tables.

::

    sirolens_study = 1
    name = "example"                 # short, for file names
    title = "Sirolimus in ITP"
    zone = "Asia/Shanghai"           # the clinic's; calendar days are counted in it
    data_cut = 2026-06-30            # what had happened by the end of this day; or an instant with its offset
    invented = false                 # true: no patient of it exists
    decimal_mark = "."
    level_clock = "07:30"            # optional: when levels were drawn that are given as a day
    ctcae_version = "5"              # optional: of grades whose row does not say
    unread = ["bed"]                 # optional: columns that may stand without being read

    [ethics]
    approval = "..."
    registration = "..."
    consent = "..."

    [arms]                           # optional: titles of arms
    A = "Sirolimus"

    [characteristics.prior_lines]    # optional: further columns of patients.csv
    kind = "number"                  # number, category or yes-no
    unit = ""
    title = "Prior lines"
    title_zh = "既往治疗线数"

    [methods]                        # optional: by which method the patients' cytokines were measured
    tgf-beta = "ELISA"

    [related]                        # optional: words of a relation to the drug that are not yes or no
    possible = true
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, final
from zoneinfo import ZoneInfo

from sirolens.errors import InputError
from sirolens.interop.chart_reading import spelling
from sirolens.interop.encoding import decode
from sirolens.interop.instants import known_zone, start_of_day
from sirolens.interop.numbers import clip
from sirolens.message import Message, Place, error
from sirolens.models.locate import Path as Keys
from sirolens.models.locate import dotted, key_lines, nearest_line
from sirolens.response.cohort import CharacteristicKind, Ethics, FileRecord

__all__ = ["CHARACTERISTIC_KEYS", "ETHICS_KEYS", "STUDY_FILE", "STUDY_KEYS", "Declared", "Study", "read_study"]

STUDY_FILE = "study.toml"
STUDY_KEYS: Mapping[str, type] = {
    "sirolens_study": int,
    "name": str,
    "title": str,
    "zone": str,
    "data_cut": date,
    "invented": bool,
    "decimal_mark": str,
    "level_clock": str,
    "ctcae_version": str,
    "unread": list,
    "ethics": dict,
    "arms": dict,
    "characteristics": dict,
    "methods": dict,
    "related": dict,
}
"""Every key and the type of its value."""
ETHICS_KEYS = ("approval", "registration", "consent")
CHARACTERISTIC_KEYS = ("kind", "unit", "title", "title_zh")
VERSION = 1
CTCAE_VERSIONS = ("3", "4", "5", "6")
_REQUIRED = ("sirolens_study", "name", "zone", "data_cut")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_KINDS = tuple(str(kind) for kind in CharacteristicKind)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A further column of the table of patients."""

    name: str
    kind: CharacteristicKind
    unit: str = ""
    title: str = ""
    title_zh: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What ``study.toml`` says.

    Parameters
    ----------
    name, title : str
        As in `sirolens.response.cohort.Cohort`.
    zone : ZoneInfo
        The clinic's.
    data_cut : datetime
        An instant; of a day, its last.
    invented : bool
        No patient exists.
    decimal_mark : str
        Of every table.
    level_clock : str, optional
        Clock time of levels given as a day.
    ctcae_version : str, optional
        Of grades whose row does not say.
    unread : frozenset of str
        Headings that may stand without being read.
    ethics : Ethics
    arms : mapping
        Titles.
    characteristics : tuple of Declared
    methods : mapping
        Method by cytokine.
    related : mapping
        Further words of relation, lower case, and what they mean.
    record : FileRecord
        The file itself.
    """

    name: str
    title: str
    zone: ZoneInfo
    data_cut: datetime
    invented: bool = False
    decimal_mark: str = "."
    level_clock: str | None = None
    ctcae_version: str | None = None
    unread: frozenset[str] = frozenset()
    ethics: Ethics = field(default_factory=Ethics)
    arms: Mapping[str, str] = field(default_factory=dict)
    characteristics: tuple[Declared, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)
    related: Mapping[str, bool] = field(default_factory=dict)
    record: FileRecord


@final
class _File:
    """The parsed file, the lines of its keys, and the faults found in it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.faults: list[Message] = []
        try:
            self.entry: Mapping[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as fault:
            line = re.search(r"line (\d+)", str(fault))
            place = Place(file=name, line=int(line[1]) if line else text.count("\n") + 1)
            raise InputError(error("cohort.not-toml", place=place, told=str(fault))) from None
        self.lines = key_lines(text)

    def place(self, *keys: str | int) -> Place:
        path: Keys = keys
        return Place(file=self.name, line=nearest_line(self.lines, path), field=dotted(path) or None)

    def wrong(self, *keys: str | int, value: object, expected: str) -> None:
        """Note a value that cannot be."""
        self.faults.append(
            error("cohort.key-wrong", place=self.place(*keys), value=clip(str(value)), expected=expected)
        )

    def unknown(self, keys: tuple[str, ...], known: tuple[str, ...]) -> None:
        self.faults.append(error("cohort.key-unknown", place=self.place(*keys), value=clip(keys[-1]), known=known))


def read_study(folder: Path) -> Study:
    """Read ``study.toml`` of a cohort's folder.

    Parameters
    ----------
    folder : Path
        Holds the file.

    Raises
    ------
    InputError
        With every fault: no such file, not TOML, an unknown key, a missing one, a value that cannot be.
    """
    path = folder / STUDY_FILE
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(error("cohort.study-missing", place=Place(file=name), expected=STUDY_FILE)) from None
    except OSError:
        raise InputError(error("file.unreadable", place=Place(file=name))) from None
    text, _ = decode(data, file=name)
    file = _File(name, text)
    _check_keys(file)
    study = _study(file, FileRecord(name=STUDY_FILE, sha256=sha256(data).hexdigest(), rows=0))
    if file.faults or study is None:
        raise InputError(*file.faults)
    return study


def _check_keys(file: _File) -> None:
    for key, value in file.entry.items():
        expected = STUDY_KEYS.get(key)
        if expected is None:
            file.unknown((key,), tuple(STUDY_KEYS))
        elif not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            file.wrong(key, value=value, expected=expected.__name__)
    for key in _REQUIRED:
        if key not in file.entry:
            file.faults.append(error("cohort.key-missing", place=file.place(), name=key))
    if not str(file.entry.get("name", "x")).strip():
        file.wrong("name", value="", expected="name")
    for key in _table(file, "ethics"):
        if key not in ETHICS_KEYS:
            file.unknown(("ethics", key), ETHICS_KEYS)


def _table(file: _File, key: str) -> Mapping[str, Any]:
    found = file.entry.get(key, {})
    return found if isinstance(found, dict) else {}


def _study(file: _File, record: FileRecord) -> Study | None:
    entry = file.entry
    if entry.get("sirolens_study", VERSION) != VERSION:
        file.wrong("sirolens_study", value=entry["sirolens_study"], expected=str(VERSION))
    zone = known_zone(str(entry.get("zone", "")))
    if zone is None and "zone" in entry:
        file.wrong("zone", value=entry["zone"], expected="Asia/Shanghai")
    mark, clock = entry.get("decimal_mark", "."), entry.get("level_clock")
    if mark not in (".", ","):
        file.wrong("decimal_mark", value=mark, expected=". ,")
    if clock is not None and not _CLOCK.fullmatch(str(clock)):
        file.wrong("level_clock", value=clock, expected="07:30")
    version = entry.get("ctcae_version")
    if version is not None and version not in CTCAE_VERSIONS:
        file.wrong("ctcae_version", value=version, expected=" ".join(CTCAE_VERSIONS))
    characteristics = tuple(_declared(file))
    texts = {name: _texts(file, name) for name in ("ethics", "arms", "methods")}
    related = _table(file, "related")
    for word, value in related.items():
        if not isinstance(value, bool):
            file.wrong("related", word, value=value, expected="true false")
    cut = _cut(file, zone)
    if file.faults or zone is None or cut is None:
        return None
    return Study(
        name=entry["name"],
        title=entry.get("title", entry["name"]),
        zone=zone,
        data_cut=cut,
        invented=entry.get("invented", False),
        decimal_mark=mark,
        level_clock=clock,
        ctcae_version=version,
        unread=frozenset(spelling(str(name)) for name in entry.get("unread", ())),
        ethics=Ethics(**texts["ethics"]),
        arms=texts["arms"],
        characteristics=characteristics,
        methods=texts["methods"],
        related={" ".join(word.lower().split()): value for word, value in related.items()},
        record=record,
    )


def _texts(file: _File, section: str) -> dict[str, str]:
    found = _table(file, section)
    for key, value in found.items():
        if not isinstance(value, str):
            file.wrong(section, key, value=value, expected="str")
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _declared(file: _File) -> list[Declared]:
    made = []
    for name, entry in _table(file, "characteristics").items():
        if not isinstance(entry, dict):
            file.wrong("characteristics", name, value=entry, expected="kind")
            continue
        for key in entry:
            if key not in CHARACTERISTIC_KEYS:
                file.unknown(("characteristics", name, key), CHARACTERISTIC_KEYS)
        if entry.get("kind") not in _KINDS:
            file.wrong("characteristics", name, "kind", value=entry.get("kind", ""), expected=", ".join(_KINDS))
            continue
        texts = {key: str(entry.get(key, "")) for key in ("unit", "title", "title_zh")}
        made.append(Declared(name=name, kind=CharacteristicKind(entry["kind"]), **texts))
    return made


def _cut(file: _File, zone: ZoneInfo | None) -> datetime | None:
    """Return the data cut as an instant: of a day, the last microsecond, so that the day itself is known."""
    cut = file.entry.get("data_cut")
    if isinstance(cut, datetime):
        if cut.tzinfo is not None:
            return cut
        return cut.replace(tzinfo=zone) if zone is not None else None
    if isinstance(cut, date) and zone is not None:
        return start_of_day(cut + timedelta(days=1), zone) - time.resolution
    return None
