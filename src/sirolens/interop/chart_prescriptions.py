# SPDX-License-Identifier: Apache-2.0
"""How prescriptions, doses and other drugs are read from a chart.

Only sirolimus is prescribed or taken here, under any of its names; a look-alike is refused. A dose above a cap happened
and stays, with a flag.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from difflib import get_close_matches
from typing import Any

from sirolens.chart import Dose, DoseStatus, Prescription
from sirolens.dosing.protocol import default_settings
from sirolens.errors import ChartError
from sirolens.interop.chart_fields import Quantity, text
from sirolens.interop.chart_moments import happened, lasted
from sirolens.interop.chart_reading import Row
from sirolens.interop.drug_names import DRUGS, LOOK_ALIKES, SIROLIMUS, drug_name
from sirolens.interop.instants import Precision, read_instant, start_of_day
from sirolens.interop.json_lines import Scalar, parse
from sirolens.interop.numbers import clip, plain_width
from sirolens.interop.regimen_json import read_regimen
from sirolens.message import Message, Place, error, info, warning
from sirolens.regimen import MORNING, Calendar, Every, InTurn, Limited, Missing, Once, Regimen

__all__ = ["dose", "largest_day_mg", "prescription", "read_prescribed", "sirolimus", "therapy_drug"]


def sirolimus(row: Row, name: str) -> str:
    """Read the name of a drug that has to be sirolimus; return it as it was written."""
    found = text(row, name)
    drug = drug_name(found)
    if drug == SIROLIMUS:
        return found
    if drug in LOOK_ALIKES:
        raise ChartError(error("chart.look-alike", place=row.place(name), value=clip(found), drug=drug))
    raise ChartError(error("chart.not-sirolimus", place=row.place(name), value=clip(found)))


def therapy_drug(row: Row, name: str) -> str:
    """Read the name of any other drug; one that is not known stays as written, with a flag."""
    found = text(row, name)
    drug = drug_name(found)
    if drug == SIROLIMUS:
        raise ChartError(error("chart.sirolimus-as-therapy", place=row.place(name), value=clip(found)))
    if drug is not None:
        return drug
    plain = " ".join(plain_width(found).lower().split())
    near = tuple(get_close_matches(plain, DRUGS, n=3, cutoff=0.75))
    make = warning if near else info  # near a known name: perhaps a slip that would hide an interaction
    row.reading.flag(make("chart.drug-unknown", place=row.place(name), value=clip(found), near=near))
    return plain


def read_prescribed(row: Row, name: str) -> Regimen:
    """Read the regimen; where it names no clock time, doses are taken at the clock time of the start."""
    node = row.cells[name]
    place = row.place(name)
    if isinstance(node, Scalar) and node.text.lstrip()[:1] in ("{", "["):  # a regimen's JSON in a cell of a table
        try:
            node = parse(node.text)
        except ChartError as fault:
            raise ChartError(*(_at(message, place) for message in fault.messages)) from None
    clock = _start_clock(row) or MORNING
    path = place.field or name
    regimen, flags = read_regimen(
        node, file=row.reading.file, path=path, clock=clock, decimal_mark=row.reading.decimal_mark
    )
    row.reading.flag(*flags)
    return regimen


def _at(message: Message, place: Place) -> Message:
    return Message(
        code=message.code, severity=message.severity, items=message.items, source=message.source, place=place
    )


def _start_given(row: Row) -> tuple[datetime, Precision] | None:
    """Return a prescription's start and how much of it was given; None when it cannot be read."""
    cell = row.cells.get("start")
    if not isinstance(cell, Scalar):
        return None
    try:
        start, given, _ = read_instant(cell.text, zone=row.reading.zone, needed=Precision.MONTH)
    except ChartError:
        return None  # told where the field itself is read
    return start, given


def _start_clock(row: Row) -> time | None:
    """Return the clock time of a prescription's start; None where only its day is given."""
    found, zone = _start_given(row), row.reading.zone
    if found is None or found[1] is not Precision.CLOCK or zone is None:
        return None
    return found[0].astimezone(zone).time().replace(fold=0)


def prescription(values: Mapping[str, Any], row: Row) -> Prescription:
    """Make a prescription, with what has to be said about its first day and its doses."""
    moments = lasted(values, row)
    regimen: Regimen = values["regimen"]
    since_about: bool = values["since_about"]
    given = (_start_given(row) or (None, Precision.CLOCK))[1]
    with_clock = given is Precision.CLOCK
    if given is Precision.MONTH and not since_about:
        raise ChartError(error("chart.day-missing", place=row.place("start"), value=_typed(row, "start")))
    if _has_interval(regimen) and not with_clock and not since_about:
        raise ChartError(error("chart.clock-missing", place=row.place("start"), value=_typed(row, "start")))
    if with_clock:
        _tell_doses_before(regimen, moments["at"], row)
    row.reading.flag(*_caps(largest_day_mg(regimen), row.place("regimen")))
    return Prescription(**moments, regimen=regimen, form=values["form"], since_about=since_about, food=values["food"])


def _typed(row: Row, name: str) -> str:
    cell = row.cells[name]
    return clip(cell.text) if isinstance(cell, Scalar) else ""


def dose(values: Mapping[str, Any], row: Row) -> Dose:
    """Make a single dose; the amount of a missed one may be left out, and it may be given as a day."""
    at, given = values["at"]
    missed = values["status"] is DoseStatus.MISSED
    if given is not Precision.CLOCK and not missed:
        raise ChartError(error("chart.clock-missing", place=row.place("at"), value=_typed(row, "at")))
    found: Quantity | None = values["amount"]
    if found is None and not missed:
        raise ChartError(error("chart.field-missing", place=row.place(), name="amount"))
    if found is not None and found.relation:
        raise ChartError(error("chart.not-a-number", place=row.place("amount"), value=found.relation))
    amount_mg = 0.0 if found is None else found.value
    moments = happened({**values, "at": at}, row)
    if not missed:
        row.reading.flag(*_caps(amount_mg, row.place("amount")))
    return Dose(**moments, amount_mg=amount_mg, status=values["status"], form=values["form"], food=values["food"])


def _caps(day_mg: float, place: Place) -> tuple[Message, ...]:
    """Flag a day's dose above the highest cap it exceeds."""
    settings = default_settings()
    caps = (settings.label_daily_cap_mg, settings.hard_daily_cap_mg, settings.soft_daily_cap_mg)
    for cap in caps:
        if day_mg > cap.value:
            make = info if cap is settings.soft_daily_cap_mg else warning
            return (make("chart.dose-above-cap", place=place, source=cap.source, day_mg=day_mg, cap_mg=cap.value),)
    return ()


def largest_day_mg(regimen: Regimen) -> float:
    """Return the largest amount a regimen prescribes for one day.

    >>> from sirolens.regimen import daily, once
    >>> largest_day_mg(once(6).then(daily(2)))
    6
    """
    match regimen:
        case Calendar(pattern=pattern):
            return max(sum(amount_mg for _, amount_mg in day) for day in pattern)
        case Every(amount_mg=amount_mg, interval_h=interval_h):
            return amount_mg * max(1.0, 24.0 / interval_h)
        case Once(amount_mg=amount_mg):
            return amount_mg
        case InTurn(parts=parts):
            return max(largest_day_mg(part) for part in parts)
        case Limited(regimen=inner) | Missing(regimen=inner):
            return largest_day_mg(inner)
    return 0.0


def _has_interval(regimen: Regimen) -> bool:
    match regimen:
        case Every():
            return True
        case InTurn(parts=parts):
            return any(_has_interval(part) for part in parts)
        case Limited(regimen=inner) | Missing(regimen=inner):
            return _has_interval(inner)
    return False


def _tell_doses_before(regimen: Regimen, start: datetime, row: Row) -> None:
    """Say that a dose planned on the first day, at a clock time before the start, does not count as taken."""
    zone = row.reading.zone
    first = regimen.parts[0] if isinstance(regimen, InTurn) else regimen
    if zone is None or _has_interval(first):
        return
    midnight = start_of_day(start.astimezone(zone).date(), zone)
    before = first.intakes(midnight.astimezone(zone), start)
    if not before:
        return
    # A repeated dose is taken the next time; a single one would never be, so that is asked.
    make = error if isinstance(first, Once) else warning
    told = make(
        "chart.dose-before-start",
        place=row.place("regimen"),
        planned_at=before[0].at,
        start=start,
        dose_mg=before[0].amount_mg,
    )
    if isinstance(first, Once):
        raise ChartError(told)
    row.reading.flag(told)
