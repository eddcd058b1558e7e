# SPDX-License-Identifier: Apache-2.0
"""Coming off the drug: a stepwise plan by the settings, shown when the course has lasted long enough, never ordered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import final

from sirolens.chart import Chart
from sirolens.dosing.course import course_start
from sirolens.dosing.present import Current, day_of
from sirolens.dosing.products import ProductList, portions
from sirolens.dosing.protocol import Settings
from sirolens.message import Message, info
from sirolens.regimen import Regimen, taper

__all__ = ["TaperPlan", "taper_plan"]

CONFIRMED = timedelta(days=7)
"""Two counts at least this far apart confirm each other (IWG 2009)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaperPlan:
    """A plan for tapering.

    Parameters
    ----------
    regimen : Regimen, optional
        The plan; None where none is shown.
    steps : tuple of (date, float)
        From which day on which daily dose; the last is 0.
    message : Message
        The plan in words, or why there is none.
    """

    regimen: Regimen | None
    steps: tuple[tuple[date, float], ...]
    message: Message


def taper_plan(
    chart: Chart,
    at: datetime,
    current: Current | None,
    products: ProductList,
    settings: Settings,
    *,
    blocked: bool = False,
) -> TaperPlan:
    """Return the plan the patient could follow from today on.

    It is shown after three months of treatment with two counts, a week or more apart, at or above the response line:
    0.5 mg less every two weeks. Every step is a dose that can be dispensed.

    Parameters
    ----------
    chart : Chart
        What is known.
    at : datetime
        The instant of the advice.
    current : Current, optional
        The regimen now; only a once-daily one is stepped down.
    products : ProductList
        What can be dispensed.
    settings : Settings
        When, by how much, how often.
    blocked : bool
        An unacknowledged critical message stands; it comes first.
    """

    def none(message: Message) -> TaperPlan:
        return TaperPlan(regimen=None, steps=(), message=message)

    if blocked:
        return none(info("protocol.taper-blocked"))
    start = course_start(chart)
    after = settings.taper_after_days
    if current is None or start is None or at - start < timedelta(days=after.value):
        return none(info("protocol.taper-too-early", source=after.source, after_d=after.value))
    if not _held(chart, settings):
        return none(
            info(
                "protocol.taper-not-responding",
                source=settings.response_count_10e9_l.source,
                line_10e9_l=settings.response_count_10e9_l.value,
            )
        )
    step_mg, every_days = settings.taper_step_mg.value, settings.taper_every_days.value
    doses_mg = [current.plan.daily_mg]
    while doses_mg[-1] > step_mg + 1e-9:
        doses_mg.append(round(doses_mg[-1] - step_mg, 6))
    made = [portions(products, current.plan.form, dose_mg) for dose_mg in doses_mg]
    if current.plan.pattern != "daily" or any(one is None for one in made):
        return none(info("protocol.taper-not-makable", step_mg=step_mg, daily_mg=current.plan.daily_mg))
    today = day_of(chart, at)
    steps = tuple((today + timedelta(days=every_days * index), dose) for index, dose in enumerate([*doses_mg[1:], 0.0]))
    regimen = taper(doses_mg[1], step_mg=step_mg, every_days=every_days, at=current.clock) if doses_mg[1:] else None
    message = info(
        "protocol.taper-plan",
        source=settings.taper_step_mg.source,
        step_mg=step_mg,
        every_d=every_days,
        last_date=steps[-1][0],
    )
    return TaperPlan(regimen=regimen, steps=steps, message=message)


def _held(chart: Chart, settings: Settings) -> bool:
    counts = sorted(chart.platelet_counts, key=lambda count: count.at)
    if len(counts) < 2:
        return False
    earlier = [count for count in counts[:-1] if counts[-1].at - count.at >= CONFIRMED]
    line = settings.response_count_10e9_l.value
    return bool(earlier) and all(count.count_10e9_l >= line for count in (counts[-1], earlier[-1], counts[-2]))
