# SPDX-License-Identifier: Apache-2.0
"""What only several facts together can show to be wrong: repeated rows, two values at once, a level before any dose.

Identical rows are merged with a flag. Different values at one instant are asked for: nobody can say which is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise, permutations
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sirolens.chart import (
    CellCount,
    Dose,
    DoseStatus,
    Fact,
    Lab,
    Level,
    Patient,
    PlateletCount,
    Prescription,
    Quantification,
)
from sirolens.interop.chart_reading import Reading
from sirolens.interop.drug_names import SIROLIMUS
from sirolens.interop.instants import start_of_day
from sirolens.interop.measurements import number_text
from sirolens.interop.numbers import clip
from sirolens.message import Place, error, info, warning

__all__ = ["Entries", "Entry", "check_chart", "in_force", "merge"]

FIRST_INTAKE_DAYS = 400  # longest wait for the first intake of a regimen: its pattern has at most 366 days
SOON_DAYS = 2
LONGEST_DAY = timedelta(hours=25)
_PLANNABLE = frozenset({"courses", "prescriptions", "therapies", "procedures", "consents"})
_NOT_CONTENT = frozenset({"id", "recorded", "stop_recorded", "replaces", "retracted"})


class Entry(NamedTuple):
    """One fact and where it was read; `written` is the drug as it stood there, `names` the source's own names."""

    fact: Fact
    line: int
    path: str
    file: str
    written: str = SIROLIMUS
    names: Mapping[str, str] = MappingProxyType({})

    def place(self, name: str = "") -> Place:
        """Return where the fact, or one of its fields, stands."""
        called = self.names.get(name, name)
        field = f"{self.path}.{called}" if self.path and called else self.path or called
        return Place(file=self.file, line=self.line, field=field or None)


Entries = Mapping[str, Sequence[Entry]]


def in_force(entries: Iterable[Entry]) -> list[Entry]:
    """Leave out the facts that later ones correct, and those that were retracted."""
    kept = list(entries)
    replaced = {entry.fact.replaces for entry in kept if entry.fact.replaces is not None}
    return [
        entry for entry in kept if entry.fact.retracted is None and not (entry.fact.id and entry.fact.id in replaced)
    ]


def merge(entries: Sequence[Entry], reading: Reading) -> list[Entry]:
    """Keep one of several identical facts, the one recorded first, and say so; doses are left to their own check."""
    if not entries or isinstance(entries[0].fact, Dose):
        return list(entries)
    content = attrgetter(*(field.name for field in fields(entries[0].fact) if field.name not in _NOT_CONTENT))
    named = {entry.fact.replaces for entry in entries}
    seen: dict[Hashable, int] = {}
    kept: list[Entry] = []
    for entry in entries:
        corrects = entry.fact.replaces is not None or (entry.fact.id and entry.fact.id in named)
        key = (entry.written.lower(), content(entry.fact))  # the same order under two names of the drug is asked
        if corrects or key not in seen:
            if not corrects:
                seen[key] = len(kept)
            kept.append(entry)
            continue
        first = kept[seen[key]]
        if _one_after_the_other(first.fact, entry.fact):  # retracted, and later entered again
            kept.append(entry)
            continue
        reading.flag(warning("chart.repeated", place=entry.place(), first_line=first.line))
        earlier = entry if entry.fact.recorded < first.fact.recorded else first
        kept[seen[key]] = earlier._replace(fact=replace(earlier.fact, retracted=_last(first.fact, entry.fact)))
    return kept


def _one_after_the_other(first: Fact, second: Fact) -> bool:
    """Whether one of two identical facts was retracted before the other was recorded."""
    return any(
        one.retracted is not None and one.retracted <= two.recorded for one, two in permutations((first, second))
    )


def _last(first: Fact, second: Fact) -> datetime | None:
    """Return when the last of two identical facts was retracted; None while one of them stands."""
    if first.retracted is None or second.retracted is None:
        return None
    return max(first.retracted, second.retracted)


def check_chart(entries: Entries, patient: Patient | None, reading: Reading, received: datetime | None) -> None:
    """Note every fault and flag that only the whole chart shows.

    Parameters
    ----------
    entries : mapping
        Every fact by kind, with its place.
    patient : Patient, optional
        None when it could not be read.
    reading : Reading
        Where faults and flags are noted.
    received : datetime, optional
        When the chart arrived: what lies after it is flagged.
    """
    _corrections(entries, reading)
    _retractions(entries, reading, received)
    now = {name: in_force(found) for name, found in entries.items()}
    _doses_at_once(now.get("doses", []), reading)
    _values_at_once(now, reading)
    _prescriptions(now.get("prescriptions", []), reading)
    if not reading.incomplete & {"prescriptions", "doses"}:  # else the missing dose may be the one with a fault
        _levels_without_dose(now, reading)
    _out_of_life(now, patient, reading, received)


def _corrections(entries: Entries, reading: Reading) -> None:
    """Check that ids are unique and that every correction follows what it corrects."""
    for found in entries.values():
        by_id: dict[str, Entry] = {}
        for entry in found:
            if entry.fact.id and entry.fact.id in by_id:
                first = by_id[entry.fact.id].line
                reading.fault(error("chart.id-twice", place=entry.place("id"), first_line=first))
            elif entry.fact.id:
                by_id[entry.fact.id] = entry
        for entry in found:
            wanted = entry.fact.replaces
            if wanted is None:
                continue
            if wanted not in by_id:
                reading.fault(error("chart.correction-of-nothing", place=entry.place("replaces"), value=clip(wanted)))
            elif entry.fact.recorded <= by_id[wanted].fact.recorded:
                reading.fault(
                    error(
                        "chart.correction-too-early",
                        place=entry.place("recorded"),
                        recorded=entry.fact.recorded,
                        first_recorded=by_id[wanted].fact.recorded,
                    )
                )


def _retractions(entries: Entries, reading: Reading, received: datetime | None) -> None:
    """Tell every retraction; refuse that of a fact which a correction had replaced by then."""
    for found in entries.values():
        replacing = {entry.fact.replaces: entry for entry in found if entry.fact.replaces is not None}
        for entry in found:
            retracted, place = entry.fact.retracted, entry.place("retracted")
            if retracted is None:
                continue
            by = replacing.get(entry.fact.id) if entry.fact.id else None
            if by is not None and by.fact.recorded < retracted:
                reading.fault(
                    error(
                        "chart.retraction-of-replaced",
                        place=place,
                        retracted=retracted,
                        recorded=by.fact.recorded,
                        other_line=by.line,
                    )
                )
            if received is not None and retracted > received:
                reading.flag(warning("chart.retracted-later", place=place, retracted=retracted, received=received))
            elif entry.fact.replaces is not None:
                reading.flag(warning("chart.retracted-correction", place=place, retracted=retracted))
            else:
                reading.flag(info("chart.retracted", place=place, retracted=retracted))


def _groups(entries: Iterable[Entry], key: Callable[[Fact], Hashable]) -> Iterable[list[Entry]]:
    groups: defaultdict[Hashable, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[key(entry.fact)].append(entry)
    return (group for group in groups.values() if len(group) > 1)


def _doses_at_once(doses: Sequence[Entry], reading: Reading) -> None:
    """Ask about two doses at one instant: a row exported twice, or two tablets?"""
    for first, *others in _groups(doses, lambda fact: fact.at):
        for other in others:
            reading.fault(error("chart.doses-at-once", place=other.place(), at=other.fact.at, first_line=first.line))


def _reading_of(fact: Fact) -> tuple[Hashable, str] | None:
    """Return what was measured, and the value in words; None for facts that are no measurements."""
    match fact:
        case Level(excluded=None):
            sign = {Quantification.BELOW: "<", Quantification.ABOVE: ">"}.get(fact.quantification, "")
            return (fact.at, fact.assay, fact.matrix), f"{sign}{number_text(fact.level_ng_ml)} ng/mL"
        case PlateletCount():
            return (fact.at,), f"{number_text(fact.count_10e9_l)} ×10⁹/L"
        case Lab():
            return (fact.at, fact.name), f"{number_text(fact.value)} {fact.unit}"
        case CellCount():
            return (fact.at, fact.cell, fact.gate, fact.unit), f"{number_text(fact.value)} {fact.unit}"
    return None


def _values_at_once(now: Entries, reading: Reading) -> None:
    """Refuse two different values of one quantity at one instant, by the same method."""
    for name in ("levels", "platelet_counts", "labs", "cell_counts"):
        measured = [(entry, found) for entry in now.get(name, ()) if (found := _reading_of(entry.fact)) is not None]
        first: dict[Hashable, tuple[Entry, str]] = {}
        for entry, (key, value) in measured:
            earlier, earlier_value = first.setdefault(key, (entry, value))
            if earlier is entry:
                continue
            place, at, first_line = entry.place("value"), entry.fact.at, earlier.line
            if value == earlier_value:
                reading.fault(error("chart.details-differ", place=place, at=at, value=value, first_line=first_line))
                continue
            reading.fault(
                error(
                    "chart.values-at-once",
                    place=place,
                    at=at,
                    first=earlier_value,
                    second=value,
                    first_line=first_line,
                )
            )


def _prescriptions(found: Sequence[Entry], reading: Reading) -> None:
    """Ask about two prescriptions at one time; sirolimus and rapamycin are one drug."""
    pairs = [(entry, entry.fact) for entry in found if isinstance(entry.fact, Prescription)]
    pairs.sort(key=lambda pair: pair[1].at)
    for (earlier, before), (later, after) in pairwise(pairs):
        names = {"first": clip(earlier.written), "second": clip(later.written)}
        if after.at == before.at or _overlap(before, after, reading.zone):
            reading.fault(
                error(
                    "chart.prescriptions-at-once",
                    place=later.place(),
                    at=after.at,
                    first_line=earlier.line,
                    first=names["first"],
                    second=names["second"],
                )
            )
        elif before.stop is None and names["first"].lower() != names["second"].lower():
            reading.flag(
                warning(
                    "chart.same-ingredient",
                    place=later.place("drug"),
                    first_line=earlier.line,
                    first=names["first"],
                    second=names["second"],
                )
            )


def _overlap(before: Prescription, after: Prescription, zone: ZoneInfo | None) -> bool:
    """Whether one prescription holds beyond the start of the next; a stop given as the day of the change does not."""
    if before.stop is None or before.stop <= after.at:
        return False
    whole_day = zone is not None and before.stop == start_of_day(before.stop.astimezone(zone).date(), zone)
    return not (whole_day and before.stop - after.at <= LONGEST_DAY)


def _first_dose(now: Entries, zone: tzinfo) -> datetime | None:
    """Return the earliest instant from which something was taken."""
    starts = [
        entry.fact.at
        for entry in now.get("doses", ())
        if isinstance(entry.fact, Dose) and entry.fact.status is not DoseStatus.MISSED
    ]
    for entry in now.get("prescriptions", ()):
        one = entry.fact
        if not isinstance(one, Prescription):
            continue
        if one.since_about:
            starts.append(one.at)
            continue
        for days in (SOON_DAYS, FIRST_INTAKE_DAYS):  # most begin at once: no need to expand a year
            horizon = one.at + timedelta(days=days)
            taken = one.regimen.intakes(one.at.astimezone(zone), min(one.stop or horizon, horizon))
            if taken:
                starts.append(taken[0].at)
                break
    return min(starts, default=None)


def _levels_without_dose(now: Entries, reading: Reading) -> None:
    """Refuse a level with no dose before it and no statement that the patient was on a steady dose."""
    levels = [(entry, entry.fact) for entry in now.get("levels", ()) if isinstance(entry.fact, Level)]
    used = [(entry, level) for entry, level in levels if level.excluded is None]
    first = _first_dose(now, reading.zone or UTC) if used else None
    for entry, level in used:
        if first is None or level.at <= first:
            reading.fault(
                error("chart.level-without-dose", place=entry.place(), at=level.at, level_ng_ml=level.level_ng_ml)
            )


def _out_of_life(now: Entries, patient: Patient | None, reading: Reading, received: datetime | None) -> None:
    """Refuse facts before birth; flag facts after the chart was received."""
    zone = reading.zone
    born = start_of_day(patient.born, zone) if patient is not None and patient.born is not None and zone else None
    for name, found in now.items():
        for entry in found:
            if born is not None and entry.fact.at < born:
                reading.fault(error("chart.before-birth", place=entry.place(), at=entry.fact.at))
            if received is not None and entry.fact.at > received and name not in _PLANNABLE:
                reading.flag(warning("chart.in-the-future", place=entry.place(), at=entry.fact.at, received=received))
