# SPDX-License-Identifier: Apache-2.0
"""From read facts to a chart: the last step that the JSON and the CSV reader share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

from sirolens.chart import Chart, Patient
from sirolens.errors import ChartError
from sirolens.interop.chart_checks import Entry, check_chart, merge
from sirolens.interop.chart_fields import text
from sirolens.interop.chart_reading import Reading, Row
from sirolens.interop.instants import known_zone
from sirolens.interop.numbers import clip
from sirolens.message import Message, error

__all__ = ["assemble", "chart_of", "find_zone", "settle"]


def find_zone(row: Row) -> None:
    """Read the clinic's time zone into the row's reading, or note why there is none."""
    if "zone" not in row.cells:
        row.reading.fault(error("chart.zone-missing", place=row.place()))
        return
    try:
        name = text(row, "zone")
    except ChartError as fault:
        row.reading.fault(*row.placed(fault.messages, "zone"))
        return
    zone = known_zone(name)
    if zone is None:
        near = tuple(get_close_matches(name, sorted(available_timezones()), n=3, cutoff=0.5))
        row.reading.fault(error("chart.zone-unknown", place=row.place("zone"), value=clip(name), near=near))
    row.reading.zone = zone


def assemble(
    patient: Patient | None, entries: Mapping[str, Sequence[Entry]], reading: Reading, received: datetime | None
) -> tuple[Chart, tuple[Message, ...]]:
    """Check the facts against each other and make the chart, or raise every fault found.

    Parameters
    ----------
    patient : Patient, optional
        None when it could not be read.
    entries : mapping
        Facts by kind, with their places.
    reading : Reading
        What was found so far.
    received : datetime, optional
        When the chart arrived.

    Raises
    ------
    ChartError
        With all faults.
    """
    merged = settle(patient, entries, reading, received)
    flags = reading.finish()
    assert patient is not None, "a chart without faults has a patient"
    assert reading.zone is not None, "a chart without faults has a zone"
    return chart_of(patient, reading.zone.key, merged), flags


def settle(
    patient: Patient | None, entries: Mapping[str, Sequence[Entry]], reading: Reading, received: datetime | None
) -> Mapping[str, Sequence[Entry]]:
    """Merge repeated facts of one patient and check the rest against each other; faults are noted in the reading.

    Parameters
    ----------
    patient, entries, reading, received
        As for `assemble`.

    Returns
    -------
    mapping
        The facts that stay, by kind.
    """
    if received is not None and received.tzinfo is None:
        raise ValueError("received has no time zone")
    merged = {name: merge(found, reading) for name, found in entries.items()}
    check_chart(merged, patient, reading, received)
    return merged


def chart_of(patient: Patient, zone: str, entries: Mapping[str, Sequence[Entry]]) -> Chart:
    """Make the chart of settled facts, each kind in the order they happened."""
    facts: dict[str, Any] = {
        name: tuple(sorted((entry.fact for entry in found), key=lambda fact: fact.at))
        for name, found in entries.items()
    }
    return Chart(patient=patient, zone=zone, **facts)
