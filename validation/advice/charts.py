# SPDX-License-Identifier: Apache-2.0
"""Invented charts, drawn wide: every age and weight, doses and levels that do and do not fit, much of it missing.

Nobody in here exists. A chart follows from its number alone, so a chart that breaks something can be looked at again.
The draws are meant to be wider and messier than any clinic, not typical of one.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sirolens.chart import (
    AdverseEvent,
    Bleeding,
    BleedingAsked,
    Chart,
    Dose,
    DoseStatus,
    Lab,
    Level,
    Patient,
    PlateletCount,
    Prescription,
    Procedure,
    Quantification,
    Sex,
    Therapy,
)
from sirolens.dosing.interactions import known_drugs
from sirolens.dosing.products import default_products, doses
from sirolens.regimen import Regimen, alternate_days, daily, every, hold, once, taper, twice_daily, weekdays

__all__ = ["simulated"]

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ZONES = ("Asia/Shanghai", "Asia/Shanghai", "Europe/Berlin", "America/New_York")
ASSAYS = ("emit", "lc-ms/ms", "cmia", "hplc-uv", "fpia", "meia", "eclia", "acmia", "unknown")
DRUGS = tuple(sorted(known_drugs()))
TABLET_MG = doses(default_products(), "tablet", up_to_mg=6.0)
LAB_RANGES = (
    # name, unit, lowest, highest: drawn evenly on the log scale
    ("haematocrit", "%", 18.0, 60.0),
    ("bilirubin", "umol/L", 2.0, 200.0),
    ("ast", "U/L", 5.0, 400.0),
    ("alt", "U/L", 5.0, 400.0),
    ("cholesterol", "mmol/L", 2.0, 12.0),
    ("triglyceride", "mmol/L", 0.4, 15.0),
    ("creatinine", "umol/L", 20.0, 500.0),
    ("neutrophils", "10^9/L", 0.2, 20.0),
    ("haemoglobin", "g/L", 55.0, 180.0),
    ("urine_protein", "mg/mg", 0.05, 6.0),
    ("child_pugh", "score", 5.0, 13.0),
    ("level:ciclosporin", "ng/mL", 30.0, 400.0),
)
TERMS = (
    "pneumonitis",
    "mouth ulcer",
    "infection",
    "rash",
    "oedema",
    "hypertriglyceridaemia",
    "wound healing complication",
)


def simulated(number: int) -> tuple[Chart, datetime]:
    """Return an invented chart and the instant at which advice is asked; some facts are recorded only after it.

    Parameters
    ----------
    number : int
        Which one; the same number gives the same chart.
    """
    dice = random.Random(f"sirolens invented chart {number}")
    zone = ZoneInfo(dice.choice(ZONES))
    day = datetime(2025, 1, 1, tzinfo=zone) + dice.randrange(500) * DAY
    at = datetime.combine(day.date(), time(dice.randrange(7, 19), dice.randrange(60)), zone).astimezone(UTC)
    age = _age(dice)
    weight_kg = _weight_kg(dice, age)
    prescriptions = _prescriptions(dice, age, at, zone)
    taken = _recorded_doses(dice, prescriptions, at, zone)
    chart = Chart(
        patient=_patient(dice, age, at),
        zone=str(zone),
        prescriptions=prescriptions,
        doses=taken,
        levels=_levels(dice, prescriptions, taken, weight_kg, at, zone),
        labs=_labs(dice, weight_kg, at),
        platelet_counts=_platelets(dice, at),
        adverse_events=_events(dice, at),
        therapies=_therapies(dice, at),
        procedures=_procedures(dice, at),
        bleedings=_bleedings(dice, at),
    )
    return chart, at


def _age(dice: random.Random) -> float:
    """Half adults to 85 years, half children from one year, one in fifty younger."""
    if dice.random() < 0.02:
        return dice.uniform(0.1, 1.0)
    return dice.uniform(18.0, 85.0) if dice.random() < 0.5 else dice.uniform(1.0, 18.0)


def _weight_kg(dice: random.Random, age: float) -> float:
    """Mostly what fits the age, one in eight anything from 5 to 120 kg."""
    if dice.random() < 0.12:
        return round(dice.uniform(5.0, 120.0), 1)
    usual = 62.0 if age >= 18.0 else min(60.0, 8.0 + 2.2 * age + 0.05 * age**2)
    return round(min(120.0, max(5.0, usual * math.exp(dice.gauss(0.0, 0.25)))), 1)


def _patient(dice: random.Random, age: float, at: datetime) -> Patient:
    told = dice.random()
    born = (at - timedelta(days=age * 365.25)).date()
    return Patient(
        id="invented",
        sex=dice.choice((Sex.FEMALE, Sex.MALE, Sex.UNKNOWN)),
        born=born if told < 0.6 else None,
        age_years=round(age, 1) if 0.6 <= told < 0.98 else None,
        age_at=at.date() if 0.6 <= told < 0.98 else None,
        population=dice.choice(("chinese", "chinese", "other", None)),
        diagnosis=dice.choice(("primary-itp", "primary-itp", "primary-itp", "secondary-itp", "evans")),
        invented=True,
    )


def _recorded(dice: random.Random, at: datetime) -> datetime:
    """Mostly on the day, sometimes much later."""
    return at + (dice.expovariate(1 / 6.0) if dice.random() < 0.9 else dice.uniform(24.0, 24.0 * 30)) * HOUR


def _dose_mg(dice: random.Random, form: str, age: float) -> float:
    if form == "tablet":
        return dice.choice(TABLET_MG if dice.random() < 0.2 else tuple(mg for mg in TABLET_MG if mg <= 4.0))
    most = 0.5 + min(age, 18.0) * 0.15
    return round(dice.uniform(0.1, most), 1 if dice.random() < 0.9 else 2)


def _regimen(dice: random.Random, dose_mg: float, *, first: bool) -> Regimen:
    clock = time(dice.choice((7, 8, 8, 9, 20)), dice.choice((0, 30)))
    shape = dice.random()
    if shape < 0.62:
        return daily(dose_mg, at=clock)
    if shape < 0.72:
        return alternate_days(dose_mg, at=clock)
    if shape < 0.80:
        return twice_daily(dose_mg)
    if shape < 0.85:
        return weekdays(mon=dose_mg, wed=dose_mg, fri=dose_mg, at=clock)
    if shape < 0.88:
        return every(dose_mg, dice.choice((24.0, 36.0, 48.0)))
    if shape < 0.92:
        return once(3 * dose_mg, at=clock).then(daily(dose_mg, at=clock))
    if shape < 0.96 and dose_mg > 1.0:
        return taper(dose_mg, step_mg=0.5, every_days=dice.choice((7, 14, 30)), at=clock)
    return daily(dose_mg, at=clock) if first else hold()


def _prescriptions(dice: random.Random, age: float, at: datetime, zone: ZoneInfo) -> tuple[Prescription, ...]:
    """None, or up to four in turn, the newest from the day before at the latest."""
    if dice.random() < 0.15:
        return ()
    form = dice.choice(("tablet", "tablet", "unknown")) if age >= 8.0 else dice.choice(("solution", "tablet"))
    back = dice.uniform(2.0, 240.0)
    made = []
    for index in range(dice.choice((1, 1, 2, 3, 4))):
        start = datetime.combine((at - back * DAY).astimezone(zone).date(), time(), zone)
        amount = _dose_mg(dice, "solution" if form == "solution" else "tablet", age)
        made.append(
            Prescription(
                at=start,
                recorded=_recorded(dice, start),
                stop=start + dice.uniform(5.0, 60.0) * DAY if dice.random() < 0.04 else None,
                regimen=_regimen(dice, amount, first=index == 0),
                form=form,
                since_about=index == 0 and dice.random() < 0.2,
                food=dice.choice(("fed", "fasted", "consistent", "unknown")),
            )
        )
        back *= dice.uniform(0.1, 0.9)
        if back < 1.0 or made[-1].stop is not None:
            break
    return tuple({one.at: one for one in made}.values())


def _recorded_doses(
    dice: random.Random, prescriptions: tuple[Prescription, ...], at: datetime, zone: ZoneInfo
) -> tuple[Dose, ...]:
    """Missed and doubtful doses; the very first dose is always taken, or levels would have none before them."""
    if not prescriptions or dice.random() < 0.5:
        return ()
    chart = Chart(patient=Patient(id="invented"), zone=str(zone), prescriptions=prescriptions)
    plan = chart.intakes(at)[3:]
    share = dice.choice((0.02, 0.1, 0.4))
    days = {}
    for intake in plan:
        if dice.random() >= share:
            continue
        status = dice.choice((DoseStatus.MISSED, DoseStatus.MISSED, DoseStatus.UNCERTAIN, DoseStatus.TAKEN))
        shift = 0.0 if status is DoseStatus.MISSED else dice.uniform(-3.0, 3.0)
        when = intake.at + shift * HOUR
        dose = Dose(at=when, recorded=_recorded(dice, when), amount_mg=intake.amount_mg, status=status)
        days[when.astimezone(zone).date()] = dose
    return tuple(days.values())


def _levels(
    dice: random.Random,
    prescriptions: tuple[Prescription, ...],
    taken: tuple[Dose, ...],
    weight_kg: float,
    at: datetime,
    zone: ZoneInfo,
) -> tuple[Level, ...]:
    """Up to six, some of them no troughs, below or above the assay's range, set aside, or far from any model."""
    if not prescriptions or dice.random() < 0.25:
        return ()
    told = Chart(patient=Patient(id="invented"), zone=str(zone), prescriptions=prescriptions, doses=taken)
    # The chart as known, since a level may be recorded before the prescription it follows.
    known = told.known(at).intakes(at)
    plan = [intake for intake in known if intake.at > min(one.at for one in prescriptions) + DAY]
    sensitivity = math.exp(dice.gauss(0.0, 0.6)) * (70.0 / weight_kg) ** 0.75
    assay = dice.choice(ASSAYS)
    found: dict[datetime, Level] = {}
    for _ in range(dice.choice((1, 1, 2, 3, 4, 6)) if len(plan) > 3 else 0):
        place = dice.randrange(2, len(plan))
        before, nearest = plan[place - 1], plan[place]
        trough = dice.random() < 0.8
        when = nearest.at - dice.uniform(0.0, 1.0) * HOUR if trough else before.at + dice.uniform(0.5, 20.0) * HOUR
        if when <= before.at or when > at:
            continue
        value = 3.0 * before.amount_mg * sensitivity * math.exp(dice.gauss(0.0, 0.35 if trough else 0.8))
        value = dice.uniform(0.6, 120.0) if dice.random() < 0.03 else min(value, 150.0)
        found[when] = _level(dice, when, value, assay, before.at)
    return tuple(found[when] for when in sorted(found))


def _level(dice: random.Random, when: datetime, value: float, assay: str, last_dose_at: datetime) -> Level:
    lowest, highest = dice.choice((0.5, 1.0, 2.0, 3.5)), dice.choice((30.0, 50.0))
    quantified = Quantification.MEASURED
    if value < lowest:
        value, quantified = lowest, Quantification.BELOW
    elif value > highest and dice.random() < 0.7:
        value, quantified = highest, Quantification.ABOVE
    return Level(
        at=when,
        recorded=_recorded(dice, when),
        level_ng_ml=round(value, 1),
        quantification=quantified,
        last_dose_at=last_dose_at if dice.random() < 0.4 else None,
        assay=dice.choice(ASSAYS) if dice.random() < 0.1 else assay,
        excluded="drawn from the wrong patient" if dice.random() < 0.03 else None,
    )


def _labs(dice: random.Random, weight_kg: float, at: datetime) -> tuple[Lab, ...]:
    found: list[Lab] = []
    if dice.random() < 0.92:
        for _ in range(dice.choice((1, 1, 2, 3))):
            value = round(weight_kg * math.exp(dice.gauss(0.0, 0.03)), 1)
            found.append(_lab(dice, "weight", "kg", value, at))
    for name, unit, low, high in LAB_RANGES:
        if dice.random() < (0.1 if name in ("child_pugh", "level:ciclosporin") else 0.5):
            for _ in range(dice.choice((1, 1, 2))):
                value = math.exp(dice.uniform(math.log(low), math.log(high)))
                found.append(_lab(dice, name, unit, float(round(value)) if unit == "score" else round(value, 2), at))
    return tuple(found)


def _lab(dice: random.Random, name: str, unit: str, value: float, at: datetime) -> Lab:
    when = _lately(dice, at)
    return Lab(at=when, recorded=_recorded(dice, when), name=name, value=value, unit=unit)


def _lately(dice: random.Random, at: datetime) -> datetime:
    """Within the last months, or a little ahead: such facts must not be seen."""
    return at - timedelta(minutes=round(dice.uniform(-10.0, 200.0) * 24 * 60))


def _platelets(dice: random.Random, at: datetime) -> tuple[PlateletCount, ...]:
    found = {}
    for _ in range(dice.choice((0, 1, 2, 5, 10))):
        when = _lately(dice, at)
        count = round(math.exp(dice.uniform(math.log(1.0), math.log(500.0))))
        found[when] = PlateletCount(at=when, recorded=_recorded(dice, when), count_10e9_l=float(count))
    return tuple(found[when] for when in sorted(found))


def _events(dice: random.Random, at: datetime) -> tuple[AdverseEvent, ...]:
    if dice.random() < 0.8:
        return ()
    when = _lately(dice, at)
    return (
        AdverseEvent(
            at=when,
            recorded=_recorded(dice, when),
            term=dice.choice(TERMS),
            grade=dice.choice((None, 1, 2, 3, 4)),
            serious=dice.random() < 0.2,
        ),
    )


def _therapies(dice: random.Random, at: datetime) -> tuple[Therapy, ...]:
    """Other drugs, with and without an end; one that begins twice is two spans."""
    found = []
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 3))):
        start = _lately(dice, at)
        over = dice.random() < 0.5
        found.append(
            Therapy(
                at=start,
                recorded=_recorded(dice, start),
                stop=start + dice.uniform(1.0, 60.0) * DAY if over else None,
                drug=dice.choice((*DRUGS, "prednisone", "eltrombopag", "an unheard-of drug")),
            )
        )
    return tuple(found)


def _procedures(dice: random.Random, at: datetime) -> tuple[Procedure, ...]:
    if dice.random() < 0.93:
        return ()
    when = at - dice.uniform(0.0, 30.0) * DAY
    return (
        Procedure(
            at=when,
            recorded=when,
            kind=dice.choice(("surgery", "splenectomy", "live-vaccine")),
            planned_for=at + dice.uniform(-5.0, 40.0) * DAY if dice.random() < 0.8 else None,
        ),
    )


def _bleedings(dice: random.Random, at: datetime) -> tuple[Bleeding, ...]:
    if dice.random() < 0.5:
        return ()
    when = _lately(dice, at)
    asked = dice.choice(tuple(BleedingAsked))
    return (
        Bleeding(
            at=when,
            recorded=_recorded(dice, when),
            asked=asked,
            grade=dice.randrange(5) if asked is BleedingAsked.GRADED else None,
        ),
    )
