# SPDX-License-Identifier: Apache-2.0
"""From a chart to numbers: what was known at an instant, as one patient's `History`, with a flag for every doubt.

Nothing that happened or was recorded later than the instant is seen. Hours are elapsed time, so a day on which the
clocks change counts what it had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sirolens.chart import Chart
from sirolens.dosing.history_doses import Doses, current_cycle, doses
from sirolens.dosing.history_levels import EARLY_D, levels
from sirolens.errors import ChartError
from sirolens.message import Message, info
from sirolens.models.timeline import Carry, History, Prelude, Timeline
from sirolens.models.vocabulary import covariate_word

__all__ = ["EARLY_D", "OLD_D", "from_chart"]

HOUR = timedelta(hours=1)
AGE_STEP_D = 91  # age moves in steps of a quarter of a year
OLD_D = MappingProxyType({"weight": 90.0, "haematocrit": 30.0})
"""After how many days a covariate is called old (JUDGE); others after `OLD_OTHER_D`."""
OLD_OTHER_D = 90.0
CHILD_YEARS = 18.0
OLD_WEIGHT_CHILD_D = 30.0  # children grow


def from_chart(chart: Chart, at: datetime, *, carry: Carry = Carry.FORWARD) -> tuple[History, tuple[Message, ...]]:
    """Turn what was known of a patient at an instant into numbers.

    Parameters
    ----------
    chart : Chart
        Everything recorded; only ``chart.known(at)`` is used.
    at : datetime
        The instant, with its time zone.
    carry : Carry
        What a covariate is between two measurements.

    Returns
    -------
    History
        Doses, levels and covariates in hours.
    tuple of Message
        A flag for every doubt.

    Raises
    ------
    ChartError
        Levels that cannot be right: no dose before them and no stated steady state, the dose before later than the
        sample, two values at one instant by one assay, a matrix other than whole blood.

    Examples
    --------
    >>> from datetime import UTC
    >>> from sirolens.chart import Level, Patient, Prescription
    >>> from sirolens.regimen import daily
    >>> start = datetime(2026, 3, 1, tzinfo=UTC)
    >>> chart = Chart(
    ...     patient=Patient(id="p", invented=True),
    ...     zone="UTC",
    ...     prescriptions=(Prescription(at=start, recorded=start, regimen=daily(2)),),
    ...     levels=(Level(at=start.replace(day=31, hour=8), recorded=start.replace(day=31, hour=9), level_ng_ml=7.2),),
    ... )
    >>> history, flags = from_chart(chart, datetime(2026, 4, 1, tzinfo=UTC))
    >>> len(history.dose_mg), history.levels[0].after_dose_h, [flag.code for flag in flags]
    (31, 24.0, ['history.dose-time-assumed'])
    """
    known = chart.known(at)
    found, flags = doses(known, at)
    origin = min([at, *(one.at for one in (*found.before, *found.intakes)), *(one.at for one in known.levels)])
    observed, level_flags, errors = levels(known, found, origin)
    if errors:
        raise ChartError(*errors)
    covariates = _covariates(known, found, origin, at)
    history = History(
        origin=origin,
        now_h=(at - origin) / HOUR,
        dose_time_h=tuple((intake.at - origin) / HOUR for intake in found.intakes),
        dose_mg=tuple(intake.amount_mg for intake in found.intakes),
        prelude=_prelude(found, origin),
        levels=observed,
        covariates=covariates,
        facts=_facts(known),
        carry=carry,
        current=current_cycle(known, found, at),
    )
    return history, (*flags, *level_flags, *_data_age(history))


def _prelude(found: Doses, origin: datetime) -> Prelude | None:
    if not found.steady:
        return None
    return Prelude(
        period_h=found.period_h,
        time_h=tuple((intake.at - origin) / HOUR for intake in found.before),
        amount_mg=tuple(intake.amount_mg for intake in found.before),
    )


def _facts(chart: Chart) -> Mapping[str, str | float | None]:
    patient = chart.patient
    return MappingProxyType({"disease": patient.diagnosis, "population": patient.population, "sex": str(patient.sex)})


def _covariates(chart: Chart, found: Doses, origin: datetime, at: datetime) -> Mapping[str, Timeline]:
    points: defaultdict[str, dict[float, float]] = defaultdict(dict)
    for lab in chart.labs:
        points[lab.name][(lab.at - origin) / HOUR] = lab.value
    for drug in {therapy.drug for therapy in chart.therapies}:
        points[f"therapy:{drug}"] = _taken(chart, drug, origin, at)
    if age := _age(chart, origin, at):
        points["age"] = age
    if daily := _daily_dose(chart, found, origin):
        points["daily-dose"] = daily
    return MappingProxyType(
        {
            name: Timeline(time_h=tuple(sorted(values)), value=tuple(values[time_h] for time_h in sorted(values)))
            for name, values in sorted(points.items())
        }
    )


def _taken(chart: Chart, drug: str, origin: datetime, at: datetime) -> dict[float, float]:
    """Say 1 while a drug is taken, 0 otherwise."""
    spans = [(one.at, one.stop or at) for one in chart.therapies if one.drug == drug]
    edges = sorted({instant for span in spans for instant in span})
    states = {min((edges[0] - origin) / HOUR, 0.0) - 1.0: 0.0}
    for edge in edges:
        on = any(
            one.at <= edge and (one.stop is None or edge < one.stop) for one in chart.therapies if one.drug == drug
        )
        states[(edge - origin) / HOUR] = 1.0 if on else 0.0
    return states


def _age(chart: Chart, origin: datetime, at: datetime) -> dict[float, float]:
    zone = ZoneInfo(chart.zone)
    instants = [origin]
    while instants[-1] < at:
        instants.append(min(at, instants[-1] + timedelta(days=AGE_STEP_D)))
    ages = [(instant, chart.patient.age_on(instant.astimezone(zone).date())) for instant in instants]
    return {(instant - origin) / HOUR: age for instant, age in ages if age is not None}


def _daily_dose(chart: Chart, found: Doses, origin: datetime) -> dict[float, float]:
    """Mean daily dose after each change of the doses actually taken, by calendar day of the last two weeks' pattern."""
    changes: dict[float, float] = {}
    for index, intake in enumerate(found.intakes):
        before = found.intakes[index - 1] if index else None
        gap_h = (intake.at - before.at) / HOUR if before else 24.0
        daily_mg = intake.amount_mg * 24.0 / max(gap_h, 12.0)
        if not changes or abs(daily_mg - changes[max(changes)]) > 0.25 * changes[max(changes)]:
            changes[(intake.at - origin) / HOUR] = daily_mg
    return changes


def _data_age(history: History) -> tuple[Message, ...]:
    """Flag covariates that were measured long ago."""
    flags = []
    age = history.covariates.get("age")
    child = age is not None and age.latest < CHILD_YEARS
    for name, timeline in history.covariates.items():
        if name in ("age", "height", "daily-dose") or name.startswith("therapy:"):
            continue
        days = (history.now_h - timeline.time_h[-1]) / 24.0
        limit_d = OLD_WEIGHT_CHILD_D if child and name == "weight" else OLD_D.get(name, OLD_OTHER_D)
        if days > limit_d:
            flags.append(
                info("history.covariate-old", covariate=covariate_word(name, name), age_d=days, limit_d=limit_d)
            )
    return tuple(flags)
