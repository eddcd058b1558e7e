# SPDX-License-Identifier: Apache-2.0
"""Cells and cytokines of a cohort, brought to days of treatment and sorted by gate: the start of every comparison.

A subset is a cell, its gate and its unit together: values of different gates or units never meet. What cannot be used
is left out by a message, never silently.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from types import MappingProxyType
from typing import final
from zoneinfo import ZoneInfo

from sirolens.chart import Chart, Course, Fact
from sirolens.message import Message, info, warning
from sirolens.response.control import ControlSample

__all__ = ["CellWindows", "Sample", "Samples", "Subset", "control_values", "nearest", "samples_of"]

CYTOKINE_UNIT = "pg/mL"
SHARE_UNIT = "%"
_DASHES = dict.fromkeys(map(ord, "\N{MINUS SIGN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}"), "-")
NO_METHODS: Mapping[str, str] = MappingProxyType({})


@final
@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Subset:
    """What was measured, and how: only values of one subset are ever compared.

    Parameters
    ----------
    cell : str
        The cell or cytokine.
    gate : str
        The phenotype and its parent, or the method; empty for a cytokine whose method nobody stated.
    unit : str
        ``"%"``, ``"10^6/L"`` or ``"pg/mL"``.
    """

    cell: str
    gate: str
    unit: str

    @property
    def method(self) -> str | Message:
        """The gate as a message says it: words for one that nobody stated."""
        return self.gate or info("cells.method-not-stated")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CellWindows:
    """Which samples count as before and as on treatment; no source decides, so each is a judgement and a setting.

    Parameters
    ----------
    before_days : int
        The last sample from so many days before the first dose to its calendar day counts as before treatment.
    after_day : int
        The sample nearest this day counts as on treatment, the later of two equally near.
    tolerance_days : int
        How far from it a sample may lie.
    """

    before_days: int = 30
    after_day: int = 91
    tolerance_days: int = 28

    def __post_init__(self) -> None:
        if self.before_days < 0 or self.tolerance_days < 0 or self.after_day - self.tolerance_days <= 0:
            raise ValueError("the window on treatment begins after the first dose")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one patient.

    Parameters
    ----------
    patient : str
        The patient's pseudonym.
    subset : Subset
        What was measured.
    day : int
        Calendar days in the clinic's zone from the first dose of the course.
    value : float
        In the subset's unit; the mean where a day has several.
    on_treatment : bool
        After the day of the first dose and not after that of the last.
    """

    patient: str
    subset: Subset
    day: int
    value: float
    on_treatment: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Everything measured in a cohort.

    Parameters
    ----------
    values : tuple of Sample
        Sorted by subset, patient and day.
    messages : tuple of Message
        What was left out or set apart, and why.
    """

    values: tuple[Sample, ...]
    messages: tuple[Message, ...] = ()

    @property
    def subsets(self) -> tuple[Subset, ...]:
        """What was measured, in order."""
        return tuple(sorted({sample.subset for sample in self.values}))

    def of(self, subset: Subset) -> dict[str, tuple[Sample, ...]]:
        """Return one subset's samples by patient, by day."""
        first = bisect_left(self.values, subset, key=lambda sample: sample.subset)
        last = bisect_right(self.values, subset, key=lambda sample: sample.subset)
        by_patient = groupby(self.values[first:last], key=lambda sample: sample.patient)
        return {patient: tuple(own) for patient, own in by_patient}


@cache
def plain(text: str) -> str:
    """Bring a gate to the spelling it is compared by: width, case, spaces and kinds of dash do not matter.

    >>> plain("CD25⁺ CD127low of CD4+") == plain("CD25+CD127LOW of CD4+")
    True
    """
    return "".join(unicodedata.normalize("NFKC", text).translate(_DASHES).casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A value before subsets are named."""

    patient: str
    cell: str
    gate: str
    unit: str
    value: float
    day: int = 0
    on_treatment: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return plain(self.cell), plain(self.gate), self.unit


def nearest(samples: Iterable[Sample], windows: CellWindows, *, after: bool) -> Sample | None:
    """Return the sample that stands for before, or for on treatment; None when the window is empty."""
    if not after:
        before = [sample for sample in samples if -windows.before_days <= sample.day <= 0]
        return max(before, key=lambda sample: sample.day, default=None)
    near = [
        sample
        for sample in samples
        if sample.on_treatment and abs(sample.day - windows.after_day) <= windows.tolerance_days
    ]
    return min(near, key=lambda sample: (abs(sample.day - windows.after_day), -sample.day), default=None)


def _course(chart: Chart) -> Course | None:
    return max(chart.courses, key=lambda course: course.at, default=None)


def _readings(chart: Chart, at: datetime, methods: Mapping[str, str]) -> tuple[list[_Reading], list[Message]]:
    """Read one chart as it stood at an instant."""
    known, zone, messages = chart.known(at), ZoneInfo(chart.zone), list[Message]()
    patient = chart.patient.id
    course = _course(known)
    if course is None:
        if known.cell_counts or any(lab.unit == CYTOKINE_UNIT for lab in known.labs):
            messages.append(warning("cells.no-course", patient=patient))
        return [], messages
    if len(known.courses) > 1:
        messages.append(info("cells.earlier-course", patient=patient, start=course.at.astimezone(zone).date()))
    first = course.at.astimezone(zone).date()
    last = course.stop.astimezone(zone).date() if course.stop is not None else None

    def reading(fact: Fact, cell: str, gate: str, unit: str, value: float) -> _Reading:
        on = fact.at.astimezone(zone).date()
        treated = on > first and (last is None or on <= last)
        return _Reading(
            patient=patient,
            cell=cell,
            gate=gate,
            unit=unit,
            value=value,
            day=(on - first).days,
            on_treatment=treated,
        )

    found = [reading(cell, cell.cell, cell.gate, cell.unit, cell.value) for cell in known.cell_counts]
    named = {plain(name): method for name, method in methods.items()}
    for lab in known.labs:
        if lab.unit == CYTOKINE_UNIT:
            found.append(reading(lab, lab.name, named.get(plain(lab.name), ""), lab.unit, lab.value))
    return found, messages


def _usable(readings: Iterable[_Reading]) -> tuple[list[_Reading], list[Message]]:
    """Leave out what has no gate and what cannot be."""
    kept, messages, ungated = [], list[Message](), defaultdict[str, list[str]](list)
    for one in readings:
        if not one.gate.strip() and one.unit != CYTOKINE_UNIT:
            ungated[one.cell].append(one.patient)
        elif not (math.isfinite(one.value) and one.value >= 0 and (one.unit != SHARE_UNIT or one.value <= 100)):
            messages.append(
                warning("cells.impossible", patient=one.patient, cell=one.cell, value=f"{one.value:g}", unit=one.unit)
            )
        else:
            kept.append(one)
    for cell, people in sorted(ungated.items()):
        messages.append(warning("cells.no-gate", cell=cell, patients=tuple(sorted(set(people))), count=len(people)))
    return kept, messages


def _named(readings: Sequence[_Reading]) -> dict[tuple[str, str, str], Subset]:
    """Name each subset by the spelling that comes first, so that the order of rows does not matter."""
    names: dict[tuple[str, str, str], Subset] = {}
    for cell, gate, unit in sorted({(one.cell, one.gate, one.unit) for one in readings}):
        names.setdefault((plain(cell), plain(gate), unit), Subset(cell=cell, gate=gate, unit=unit))
    return names


def _apart(subsets: Iterable[Subset]) -> list[Message]:
    """Say where one cell was measured by several gates, or in several units: they stay apart (hazard H30)."""
    by_cell: defaultdict[str, list[Subset]] = defaultdict(list)
    for subset in sorted(subsets):
        by_cell[plain(subset.cell)].append(subset)
    messages = []
    for same in by_cell.values():
        gates = {plain(subset.gate): subset.gate for subset in reversed(same)}
        units = sorted({subset.unit for subset in same})
        if len(gates) > 1:
            stated = tuple(sorted(gate for gate in gates.values() if gate))
            messages.append(warning("cells.gates-apart", cell=same[0].cell, gates=stated, groups=len(gates)))
        if len(units) > 1:
            messages.append(warning("cells.units-apart", cell=same[0].cell, units=tuple(units)))
        if any(not subset.gate for subset in same):
            messages.append(info("cells.method-unknown", cell=same[0].cell))
    return messages


def samples_of(
    charts: Sequence[Chart],
    at: datetime,
    *,
    methods: Mapping[str, str] = NO_METHODS,
    controls: Sequence[ControlSample] = (),
) -> Samples:
    """Read the cells and cytokines of a cohort as it was known at an instant.

    Days are counted from the first dose of the last course begun. A cell without a gate is left out; a cytokine's
    method is not in a chart, so the study may state it. Several values of one patient, subset and day become their
    mean.

    Parameters
    ----------
    charts : sequence of Chart
        The cohort.
    at : datetime
        Only what had happened and was recorded by then.
    methods : mapping of str to str
        The method of each cytokine, by name, where the study states it.
    controls : sequence of ControlSample
        Only to name gates by one spelling and to say which stay apart.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> samples_of([], datetime(2026, 1, 1, tzinfo=UTC)).values
    ()
    """
    everything, messages = list[_Reading](), list[Message]()
    for chart in charts:
        found, said = _readings(chart, at, methods)
        everything += found
        messages += said
    readings, left_out = _usable(everything)
    messages += left_out
    names = _named([*readings, *_of_controls(controls)[0]])
    messages += _apart(names.values())
    days: defaultdict[Subset, defaultdict[tuple[str, int], list[_Reading]]] = defaultdict(lambda: defaultdict(list))
    for one in readings:
        days[names[one.key]][one.patient, one.day].append(one)
    values = tuple(
        Sample(
            patient=patient,
            subset=subset,
            day=day,
            value=math.fsum(one.value for one in same) / len(same),
            on_treatment=same[0].on_treatment,
        )
        for subset in sorted(days)
        for (patient, day), same in sorted(days[subset].items(), key=lambda item: item[0])
    )
    return Samples(values=values, messages=tuple(messages))


def _of_controls(controls: Sequence[ControlSample]) -> tuple[list[_Reading], list[Message]]:
    return _usable(
        _Reading(patient=one.id, cell=one.cell, gate=one.gate, unit=one.unit, value=one.value) for one in controls
    )


def control_values(
    controls: Sequence[ControlSample], subsets: Sequence[Subset]
) -> tuple[dict[Subset, dict[str, float]], tuple[Message, ...]]:
    """Sort controls into the subsets of the patients, or into their own; several values of one become their mean.

    Parameters
    ----------
    controls : sequence of ControlSample
        Healthy controls.
    subsets : sequence of Subset
        What was measured in the patients; the same gate in another spelling is the same subset.
    """
    readings, messages = _of_controls(controls)
    names = {(plain(s.cell), plain(s.gate), s.unit): s for s in subsets}
    names = {**_named(readings), **names}
    gathered: defaultdict[Subset, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in readings:
        gathered[names[one.key]][one.patient].append(one.value)
    found = {
        subset: {person: math.fsum(values) / len(values) for person, values in sorted(people.items())}
        for subset, people in sorted(gathered.items())
    }
    for subset, people in sorted(gathered.items()):
        repeated = tuple(sorted(person for person, values in people.items() if len(values) > 1))
        if repeated:
            messages.append(info("cells.control-repeated", cell=subset.cell, gate=subset.method, controls=repeated))
    return found, tuple(messages)
