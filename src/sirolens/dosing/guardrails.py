# SPDX-License-Identifier: Apache-2.0
"""What a chart says against a dose: hazards that are checked before any option is shown.

Each check is a function from the chart to messages; `check` runs them all. The numbers of the hazards are those of
``docs/safety.md``. A critical message hides every increase until it is acknowledged with a reason. Checks that need
the models (scope, fit, wide bands) or the border (units, names) live where those are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from sirolens.chart import Chart, Level, PlateletCount, Quantification
from sirolens.dosing.checklist import checklist
from sirolens.dosing.literature import source
from sirolens.dosing.present import day_of, latest_lab
from sirolens.dosing.protocol import Settings
from sirolens.dosing.target import Target
from sirolens.message import Message, Severity, checked, critical, info, most_severe_first, warning

__all__ = ["blocking", "check", "discordance"]

LOOK_ALIKES = frozenset({"tacrolimus", "everolimus", "temsirolimus", "zotarolimus", "ridaforolimus", "pimecrolimus"})
SAME_DRUG = frozenset({"sirolimus", "rapamycin", "rapamune", "西罗莫司", "雷帕霉素"})


def blocking(messages: tuple[Message, ...], acknowledged: Mapping[str, str]) -> tuple[Message, ...]:
    """Return the critical messages that nobody has acknowledged with a reason.

    Parameters
    ----------
    messages : tuple of Message
        Everything said so far.
    acknowledged : mapping of str to str
        Reason by code; an empty reason does not count.
    """
    return tuple(
        message
        for message in messages
        if message.severity is Severity.CRITICAL and not acknowledged.get(message.code, "").strip()
    )


def check(chart: Chart, at: datetime, *, target: Target, settings: Settings) -> tuple[Message, ...]:
    """Run every check that needs the chart only.

    Parameters
    ----------
    chart : Chart
        What is known at `at`.
    at : datetime
        The instant of the advice.
    target : Target
        The range in force.
    settings : Settings
        Thresholds.

    Returns
    -------
    tuple of Message
        Most serious first; what was checked and found nothing is among them.
    """
    checks: tuple[Callable[[Chart, datetime, Target, Settings], list[Message]], ...] = (
        discordance,
        _levels,
        _past_doses,
        _haematocrit,
        _names,
        _bilirubin,
    )
    said = [message for one in checks for message in one(chart, at, target, settings)]
    return most_severe_first([*said, *checklist(chart, at, settings)])


def discordance(chart: Chart, at: datetime, target: Target, settings: Settings) -> list[Message]:
    """Notice a falling platelet count under a high or rising level: it may be the drug, not the disease (H5).

    A fall: the newest count is below the one before and below 80 % of the highest of the last six weeks. High: the
    newest level of that time is above the range; rising: it is 25 % above the one before.

    Parameters
    ----------
    chart : Chart
        What is known.
    at : datetime
        Unused: the newest facts of the chart count.
    target : Target
        Its upper limit is what "high" means.
    settings : Settings
        The three thresholds (JUDGE).
    """
    counts = sorted(chart.platelet_counts, key=lambda count: count.at)
    levels = sorted((level for level in chart.levels if level.excluded is None), key=lambda level: level.at)
    if len(counts) < 2 or not levels:
        return [info("guardrails.discordance-not-checked", counts=len(counts), levels=len(levels))]
    window = timedelta(days=settings.platelet_window_days.value)
    highest = _highest(counts, window)
    newest, before, level = counts[-1], counts[-2], levels[-1]
    falling = (
        newest.count_10e9_l < before.count_10e9_l
        and newest.count_10e9_l < settings.platelet_fall_ratio.value * highest.count_10e9_l
    )
    near = abs(newest.at - level.at) <= window
    high = level.level_ng_ml > target.high_ng_ml and level.quantification is not Quantification.BELOW
    rising = len(levels) > 1 and _rises(levels[-2], level, settings)
    if not (falling and near and (high or rising)):
        return [checked("guardrails.discordance-checked", source=source("renal-thresholds"))]
    code = "guardrails.platelets-fall-level-high" if high else "guardrails.platelets-fall-level-rising"
    return [
        critical(
            code,
            source=source("renal-thresholds"),
            count_10e9_l=newest.count_10e9_l,
            count_date=day_of(chart, newest.at),
            earlier_10e9_l=highest.count_10e9_l,
            earlier_date=day_of(chart, highest.at),
            level_ng_ml=level.level_ng_ml,
            level_date=day_of(chart, level.at),
            high_ng_ml=target.high_ng_ml,
        )
    ]


def _highest(counts: list[PlateletCount], window: timedelta) -> PlateletCount:
    recent = [count for count in counts[:-1] if counts[-1].at - count.at <= window] or [counts[-2]]
    return max(recent, key=lambda count: count.count_10e9_l)


def _rises(before: Level, level: Level, settings: Settings) -> bool:
    return level.level_ng_ml > settings.level_rise_ratio.value * before.level_ng_ml


def _levels(chart: Chart, at: datetime, target: Target, settings: Settings) -> list[Message]:
    """Levels outside the plausible window (H1), and the age of the newest."""
    low, high = settings.plausible_level_ng_ml.value
    said = [
        warning(
            "guardrails.level-implausible",
            source=settings.plausible_level_ng_ml.source,
            level_ng_ml=level.level_ng_ml,
            level_date=day_of(chart, level.at),
            low_ng_ml=low,
            high_ng_ml=high,
        )
        for level in chart.levels
        if level.excluded is None
        and level.quantification is Quantification.MEASURED
        and not low <= level.level_ng_ml <= high
    ]
    used = [level for level in chart.levels if level.excluded is None]
    if used:
        newest = max(used, key=lambda level: level.at)
        age_d = (at - newest.at) / timedelta(days=1)
        if age_d > settings.known_after_days.value:
            said.append(
                warning(
                    "guardrails.levels-old",
                    source=settings.stable_interval_days.source,
                    level_date=day_of(chart, newest.at),
                    age_d=age_d,
                )
            )
        # A level far above the range is a reason to stop for some days, not only to take less.
        far = settings.hold_level_ratio.value * target.high_ng_ml
        if newest.level_ng_ml > far and newest.quantification is not Quantification.BELOW:
            said.append(
                critical(
                    "guardrails.level-far-above",
                    source=settings.hold_level_ratio.source,
                    level_ng_ml=newest.level_ng_ml,
                    level_date=day_of(chart, newest.at),
                    high_ng_ml=target.high_ng_ml,
                )
            )
    return said


def _past_doses(chart: Chart, at: datetime, target: Target, settings: Settings) -> list[Message]:
    """Doses already taken above a cap are facts with a flag (H2): perhaps mcg was read as mg."""
    per_day: defaultdict[date, float] = defaultdict(float)
    for intake in chart.intakes(at):
        per_day[day_of(chart, intake.at)] += intake.amount_mg
    cap = settings.hard_daily_cap_mg.value
    above = [(day, amount) for day, amount in sorted(per_day.items()) if amount > cap]
    if not above:
        return []
    day, amount = max(above, key=lambda entry: entry[1])
    return [
        warning(
            "guardrails.past-dose-above-cap",
            source=settings.hard_daily_cap_mg.source,
            days=len(above),
            most_mg=amount,
            most_date=day,
            cap_mg=cap,
        )
    ]


def _haematocrit(chart: Chart, at: datetime, target: Target, settings: Settings) -> list[Message]:
    """Whole-blood levels depend on the red cells (H9); how much, two models answer six-fold differently."""
    lab = latest_lab(chart, "haematocrit")
    if lab is None:
        return [info("guardrails.haematocrit-unknown", source=source("haematocrit-mao"))]
    if lab.value < settings.low_haematocrit_percent.value:
        return [
            warning(
                "guardrails.haematocrit-low",
                source=source("haematocrit-mao"),
                haematocrit_percent=lab.value,
                haematocrit_date=day_of(chart, lab.at),
                least_percent=settings.low_haematocrit_percent.value,
            )
        ]
    return [
        checked(
            "guardrails.haematocrit-checked",
            haematocrit_percent=lab.value,
            haematocrit_date=day_of(chart, lab.at),
        )
    ]


def _names(chart: Chart, at: datetime, target: Target, settings: Settings) -> list[Message]:
    """Look-alike drugs, and sirolimus a second time under its other name (H12)."""
    said: list[Message] = []
    for therapy in chart.therapies:
        if therapy.stop is not None and therapy.stop <= at:
            continue
        name = therapy.drug.strip().lower()
        if name in SAME_DRUG:
            said.append(
                critical("guardrails.sirolimus-twice", written=therapy.drug, start_date=day_of(chart, therapy.at))
            )
        elif name in LOOK_ALIKES:
            said.append(warning("guardrails.look-alike", drug=name, start_date=day_of(chart, therapy.at)))
    return said


def _bilirubin(chart: Chart, at: datetime, target: Target, settings: Settings) -> list[Message]:
    """A raised bilirubin may be haemolysis; a model that reads it as liver disease doses too low (E8)."""
    lab = latest_lab(chart, "bilirubin")
    haemolytic = chart.patient.diagnosis == "evans"
    if lab is None or not (haemolytic or lab.value > settings.high_bilirubin_umol_l.value):
        return []
    return [
        warning(
            "guardrails.bilirubin-haemolysis" if haemolytic else "guardrails.bilirubin-high",
            source=settings.high_bilirubin_umol_l.source,
            bilirubin_umol_l=lab.value,
            bilirubin_date=day_of(chart, lab.at),
        )
    ]
