# SPDX-License-Identifier: Apache-2.0
"""When a fact happened and when it was recorded: the fields that every kind of fact shares.

A fact that does not say when it was recorded counts as recorded when it happened. A correction must say it, since it
cannot have been known before what it corrects.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sirolens.errors import ChartError
from sirolens.interop.chart_fields import instant, instant_given, text
from sirolens.interop.chart_reading import Field, Row
from sirolens.interop.instants import Precision
from sirolens.message import error

__all__ = ["TEXT", "TIME", "happened", "lasted", "lasting_fields", "moment_fields"]

TEXT: Mapping[str, Any] = MappingProxyType({"type": "string"})
TIME: Mapping[str, Any] = MappingProxyType(
    {"type": "string", "description": "Year first: 2026-09-01T08:00+08:00, or without offset in the chart's zone."}
)

_RETRACTED: Mapping[str, Any] = MappingProxyType(
    {
        "type": "string",
        "description": "When it was recorded that the fact was entered in error; it is known until then.",
    }
)


def moment_fields(name: str = "at", needed: Precision = Precision.CLOCK) -> tuple[Field, ...]:
    """Return the fields of a fact that happens at one instant."""
    return (
        Field(name=name, read=instant(needed), form=TIME, required=True),
        Field(name="recorded", read=instant_given(Precision.DAY), form=TIME),
        Field(name="id", read=text, form=TEXT, default=""),
        Field(name="replaces", read=text, form=TEXT),
        Field(name="retracted", read=instant_given(Precision.DAY), form=_RETRACTED),
        Field(name="note", read=text, form=TEXT),
    )


def lasting_fields(needed: Precision = Precision.DAY) -> tuple[Field, ...]:
    """Return the fields of a fact with a beginning and perhaps an end; an end given as a day includes that day."""
    return (
        *moment_fields("start", needed),
        Field(name="stop", read=instant(Precision.DAY, end=True), form=TIME),
        Field(name="stop_recorded", read=instant(Precision.DAY), form=TIME),
    )


def happened(values: Mapping[str, Any], row: Row, name: str = "at", *, plannable: bool = False) -> dict[str, Any]:
    """Return when a fact happened and was recorded, as the fields of `sirolens.chart.Fact`.

    Parameters
    ----------
    values : mapping
        The row's fields, read.
    row : Row
        Where they stand.
    name : str
        The field that says when it happened.
    plannable : bool
        Whether it may be recorded before it happens, as a prescription is and a level is not.

    Raises
    ------
    ChartError
        ``chart.recorded-before``, ``chart.correction-undated`` or ``chart.retracted-before``.
    """
    at: datetime = values[name]
    if values["recorded"] is None:
        if values["replaces"] is not None:
            raise ChartError(error("chart.correction-undated", place=row.place("replaces")))
        recorded = at
    else:
        recorded, given = values["recorded"]
        zone = row.reading.zone
        # A day alone says that it became known on that day: at the earliest when it happened.
        if given is not Precision.CLOCK and zone and at.astimezone(zone).date() == recorded.astimezone(zone).date():
            recorded = max(at, recorded)
        if recorded < at and not plannable:
            raise ChartError(error("chart.recorded-before", place=row.place("recorded"), recorded=recorded, at=at))
    retracted = _retracted(values, row, recorded)
    return {"at": at, "recorded": recorded, "id": values["id"], "replaces": values["replaces"], "retracted": retracted}


def _retracted(values: Mapping[str, Any], row: Row, recorded: datetime) -> datetime | None:
    """Return when the fact was retracted: not before it was recorded, since there was nothing to retract."""
    if values["retracted"] is None:
        return None
    found: datetime
    found, given = values["retracted"]
    zone = row.reading.zone
    if given is not Precision.CLOCK and zone and found.astimezone(zone).date() == recorded.astimezone(zone).date():
        found = max(found, recorded)
    if found < recorded:
        place = row.place("retracted")
        raise ChartError(error("chart.retracted-before", place=place, retracted=found, recorded=recorded))
    return found


def lasted(values: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """Return when a lasting fact began and ended, and when each was recorded.

    Raises
    ------
    ChartError
        ``chart.stop-before-start`` or ``chart.stop-missing``.
    """
    moments = happened(values, row, "start", plannable=True)
    stop, told = values["stop"], values["stop_recorded"]
    if stop is None and told is not None:
        raise ChartError(error("chart.stop-missing", place=row.place("stop_recorded")))
    if stop is not None and stop <= moments["at"]:
        raise ChartError(error("chart.stop-before-start", place=row.place("stop"), stop=stop, start=moments["at"]))
    return {**moments, "stop": stop, "stop_recorded": told}
