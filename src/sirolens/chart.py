# SPDX-License-Identifier: Apache-2.0
"""What happened to one patient: the chart.

Every fact has the time it happened (`at`) and the time it was recorded (`recorded`). ``chart.known(at)`` is the chart
as it stood at an instant: only what had happened and had been recorded by then. Everything that advises works on it,
so that advice never sees the future. A correction is a later fact that `replaces` an earlier one by its id; a fact that
was entered in error is `retracted` when that is recorded, and known until then. Nothing is overwritten.

Every instant is kept in UTC, so that comparing and subtracting mean elapsed time on clock-change days too; calendar
days are counted in the chart's `zone`. All values are in canonical units (`sirolens.units`).
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar, final
from zoneinfo import ZoneInfo

from sirolens.regimen import Intake, Regimen

__all__ = [
    "AdverseEvent",
    "Bleeding",
    "BleedingAsked",
    "CellCount",
    "Chart",
    "Consent",
    "Course",
    "Dose",
    "DoseStatus",
    "Fact",
    "Lab",
    "Level",
    "Patient",
    "PlateletCount",
    "Prescription",
    "Procedure",
    "Quantification",
    "Sex",
    "Therapy",
]


class Sex(StrEnum):
    """Sex as recorded; ``UNKNOWN`` is a value of its own."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class Quantification(StrEnum):
    """Where a level lies relative to the assay's range."""

    MEASURED = "measured"
    BELOW = "below"
    ABOVE = "above"


class DoseStatus(StrEnum):
    """Whether an intake happened."""

    TAKEN = "taken"
    MISSED = "missed"
    UNCERTAIN = "uncertain"


class BleedingAsked(StrEnum):
    """Whether bleeding was asked for: not asked is not the same as none."""

    NONE = "none"
    GRADED = "graded"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened and was recorded; the abstract root of every entry.

    Instants are brought to UTC; one without a time zone is a programming error (`ValueError`): borders check first.

    Parameters
    ----------
    at : datetime
        When it happened, with its time zone.
    recorded : datetime
        When it became known, with its time zone.
    id : str
        Names the fact inside its chart, so that it can be corrected; may be empty.
    replaces : str, optional
        The id of the fact this one corrects.
    retracted : datetime, optional
        When it was recorded that the fact was entered in error. What it had replaced does not come back.
    """

    at: datetime
    recorded: datetime
    id: str = ""
    replaces: str | None = None
    retracted: datetime | None = None

    def __post_init__(self) -> None:
        for name in type(self).__dataclass_fields__:
            instant = getattr(self, name)
            if isinstance(instant, datetime):
                if instant.tzinfo is None:
                    raise ValueError(f"{type(self).__name__}.{name} = {instant} has no time zone")
                if instant.tzinfo is not UTC:
                    object.__setattr__(self, name, instant.astimezone(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lasting(Fact):
    """A fact with an end, which is itself known only from when it was recorded.

    `stop` is the first instant no longer covered; `stop_recorded` defaults to when the fact was recorded.
    """

    stop: datetime | None = None
    stop_recorded: datetime | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Who the patient is.

    Parameters
    ----------
    id : str
        A pseudonym; never a name.
    sex : Sex
        As recorded.
    born : date, optional
        Date of birth; or
    age_years : float, optional
        age at `age_at`, where the date of birth is not to be told.
    age_at : date, optional
        The day `age_years` was true.
    population : str, optional
        What model scopes ask for, such as ``"chinese"``; None: not stated.
    diagnosis : str
        ``"primary-itp"``, ``"secondary-itp"``, ``"evans"``, or another condition's name.
    invented : bool
        The patient does not exist.
    """

    id: str
    sex: Sex = Sex.UNKNOWN
    born: date | None = None
    age_years: float | None = None
    age_at: date | None = None
    population: str | None = None
    diagnosis: str = "primary-itp"
    invented: bool = False

    def age_on(self, day: date) -> float | None:
        """Age in years on a day, or None when not told.

        >>> Patient(id="p", born=date(2000, 1, 1)).age_on(date(2020, 1, 1))
        20.0
        """
        if self.born is not None:
            return _years_between(self.born, day)
        if self.age_years is None or self.age_at is None:
            return None
        return self.age_years + (day - self.age_at).days / 365.25


def _years_between(born: date, day: date) -> float:
    """Completed years plus the share of the running one: exactly 1 on the first birthday."""
    completed = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    last, following = (_birthday(born, born.year + completed + years) for years in (0, 1))
    return completed + (day - last).days / (following - last).days


def _birthday(born: date, year: int) -> date:
    return date(year, 3, 1) if (born.month, born.day) == (2, 29) and not isleap(year) else born.replace(year=year)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Course(_Lasting):
    """A course of sirolimus: from the first dose (`at`) to the last (`stop`); a `retreatment` follows an earlier one.

    `retreatment` is None where nobody recorded it.
    """

    retreatment: bool | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prescription(_Lasting):
    """A regimen taken from `at` on, until `stop` or the next prescription.

    Parameters
    ----------
    regimen : Regimen
        What was to be taken.
    form : str
        ``"tablet"``, ``"solution"`` or ``"unknown"``.
    since_about : bool
        The start is only roughly known ("on 2 mg since about May"): steady state with unknown dose times.
    food : str
        ``"fed"``, ``"fasted"``, ``"consistent"`` or ``"unknown"``.
    """

    regimen: Regimen
    form: str = "unknown"
    since_about: bool = False
    food: str = "unknown"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dose(Fact):
    """One intake: taken, missed or uncertain. A missed one takes out the planned intake of its calendar day."""

    amount_mg: float
    status: DoseStatus = DoseStatus.TAKEN
    form: str = "unknown"
    food: str = "unknown"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Level(Fact):
    """A sirolimus concentration; `at` is the sampling time.

    Parameters
    ----------
    level_ng_ml : float
        The value; for a level outside the assay's range, the limit.
    quantification : Quantification
        Measured, below or above the assay's range.
    last_dose_at : datetime, optional
        When the dose before the sample was taken.
    matrix : str
        ``"whole-blood"`` unless stated otherwise.
    assay : str
        ``"lc-ms/ms"``, ``"hplc-uv"``, ``"cmia"``, ``"emit"``, ``"meia"``, ``"fpia"``, ``"acmia"``,
        ``"eclia"`` or ``"unknown"``.
    excluded : str, optional
        Why the level is not to be used; it stays in the chart.
    """

    level_ng_ml: float
    quantification: Quantification = Quantification.MEASURED
    last_dose_at: datetime | None = None
    matrix: str = "whole-blood"
    assay: str = "unknown"
    excluded: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PlateletCount(Fact):
    """A platelet count."""

    count_10e9_l: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CellCount(Fact):
    """A cell subset, as percent of its parent or as a count; meaningless without its gate.

    Parameters
    ----------
    cell : str
        The subset, such as ``"treg"``.
    value : float
        The number.
    unit : str
        ``"%"`` or ``"10^6/L"``.
    gate : str
        The phenotype and its parent, such as ``"CD25+CD127low of CD4+"``.
    """

    cell: str
    value: float
    unit: str
    gate: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lab(Fact):
    """Any other measured quantity: weight, height, haematocrit, bilirubin, cholesterol ...

    Parameters
    ----------
    name : str
        What was measured, by the names of `sirolens.interop.chart_json`.
    value : float
        In the canonical unit of its quantity.
    unit : str
        That unit.
    upper_normal, lower_normal : float, optional
        The laboratory's limits of normal, same unit.
    """

    name: str
    value: float
    unit: str
    upper_normal: float | None = None
    lower_normal: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent(_Lasting):
    """Something unwanted; what nobody recorded is None, or ``"unknown"``, and never "no".

    Parameters
    ----------
    term : str
        What it was.
    grade : int, optional
        CTCAE grade, 1 to 5.
    ctcae_version : str, optional
        Of the grade.
    serious : bool, optional
        Serious, as regulators use the word: not the same as severe.
    related : bool, optional
        To sirolimus.
    action : str
        What was done with sirolimus: ``"stopped"``, ``"held"``, ``"reduced"``, ``"increased"``, ``"none"``,
        ``"not-applicable"``, ``"unknown"``, or another word as it was written.
    """

    term: str
    grade: int | None = None
    ctcae_version: str | None = None
    serious: bool | None = None
    related: bool | None = None
    action: str = "unknown"

    @property
    def stopped(self) -> bool | None:
        """Whether it led to stopping sirolimus; None where the action is not recorded, or in a word not known.

        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> event = AdverseEvent(at=noon, recorded=noon, term="rash")
        >>> event.stopped is None, replace(event, action="held").stopped
        (True, False)
        """
        if self.action == "stopped":
            return True
        return False if self.action in _WENT_ON else None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy(_Lasting):
    """Another drug: co-medication, ITP therapy or rescue, with start and stop.

    Parameters
    ----------
    drug : str
        International non-proprietary name, lower case.
    role : str
        ``"co-medication"``, ``"itp"``, ``"rescue"``, ``"cover"``: given only to cover a procedure, or ``"unknown"``:
        nobody recorded what it was given for.
    amount, unit, interval_h : optional
        The dose where it matters.
    """

    drug: str
    role: str = "unknown"
    amount: float | None = None
    unit: str | None = None
    interval_h: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure(_Lasting):
    """Something done or planned to the patient: ``"splenectomy"``, ``"surgery"``, ``"live-vaccine"``."""

    kind: str
    planned_for: datetime | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bleeding(Fact):
    """Bleeding at a visit: asked or not, and its grade on a named scale."""

    asked: BleedingAsked
    grade: int | None = None
    scale: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(_Lasting):
    """Consent to a use of the chart: ``"treatment"``, ``"research"``."""

    scope: str
    given: bool


F = TypeVar("F", bound=Fact)
_WENT_ON = frozenset({"held", "reduced", "increased", "none", "not-applicable"})  # actions that are no stop


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything recorded about one patient.

    Parameters
    ----------
    patient : Patient
        Who.
    zone : str
        The clinic's time zone, an IANA name; calendar days are counted in it.
    courses, prescriptions, doses, levels, platelet_counts, cell_counts, labs, adverse_events, therapies, procedures,
    bleedings, consents : tuple
        The facts, each kind in the order they happened.

    Examples
    --------
    >>> from datetime import timedelta
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> late = Level(at=noon, recorded=noon + timedelta(hours=5), level_ng_ml=7.0)
    >>> Chart(patient=Patient(id="p"), zone="UTC", levels=(late,)).known(noon + timedelta(hours=1)).levels
    ()
    """

    patient: Patient
    zone: str
    courses: tuple[Course, ...] = ()
    prescriptions: tuple[Prescription, ...] = ()
    doses: tuple[Dose, ...] = ()
    levels: tuple[Level, ...] = ()
    platelet_counts: tuple[PlateletCount, ...] = ()
    cell_counts: tuple[CellCount, ...] = ()
    labs: tuple[Lab, ...] = ()
    adverse_events: tuple[AdverseEvent, ...] = ()
    therapies: tuple[Therapy, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    bleedings: tuple[Bleeding, ...] = ()
    consents: tuple[Consent, ...] = ()

    def known(self, at: datetime) -> Chart:
        """Return the chart as it stood at an instant: what had happened and had been recorded by then."""
        return Chart(
            patient=self.patient,
            zone=self.zone,
            courses=_known(self.courses, at),
            prescriptions=_known(self.prescriptions, at),
            doses=_known(self.doses, at),
            levels=_known(self.levels, at),
            platelet_counts=_known(self.platelet_counts, at),
            cell_counts=_known(self.cell_counts, at),
            labs=_known(self.labs, at),
            adverse_events=_known(self.adverse_events, at),
            therapies=_known(self.therapies, at),
            procedures=_known(self.procedures, at),
            bleedings=_known(self.bleedings, at),
            consents=_known(self.consents, at),
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact of every kind."""
        kinds = (getattr(self, field.name) for field in fields(self))
        return tuple(fact for kind in kinds if isinstance(kind, tuple) for fact in kind)

    @property
    def last_recorded(self) -> datetime | None:
        """When the newest entry was recorded: a fact, an end or a retraction; None for an empty chart."""
        return max((told for fact in self.facts for told in _recordings(fact)), default=None)

    def intakes(self, until: datetime) -> tuple[Intake, ...]:
        """Return every intake before an instant: prescriptions expanded, missed ones out, single doses in.

        A prescription lasts until its stop or the start of the next one. A dose recorded on a calendar day, taken or
        missed, stands in for what was planned on that day.
        """
        zone = ZoneInfo(self.zone)
        recorded_days = {dose.at.astimezone(zone).date() for dose in self.doses}
        planned = (
            intake
            for prescription, stop in self.prescribed_spans(until)
            for intake in prescription.regimen.intakes(prescription.at.astimezone(zone), stop)
        )
        kept = [
            Intake(at=i.at.astimezone(UTC), amount_mg=i.amount_mg) for i in planned if i.at.date() not in recorded_days
        ]
        taken = [
            Intake(at=dose.at, amount_mg=dose.amount_mg)
            for dose in self.doses
            if dose.status is not DoseStatus.MISSED and dose.at < until
        ]
        return tuple(sorted(kept + taken, key=lambda intake: intake.at))

    def prescribed_spans(self, until: datetime) -> tuple[tuple[Prescription, datetime], ...]:
        """Return each prescription with the instant it ended: its stop, the next prescription, or `until`."""
        ordered = sorted(self.prescriptions, key=lambda prescription: prescription.at)
        ends = [*(later.at for later in ordered[1:]), until]
        spans = []
        for prescription, next_at in zip(ordered, ends, strict=False):  # no prescription, no span
            stop = min(next_at, until, prescription.stop or until)
            if prescription.at < stop:
                spans.append((prescription, stop))
        return tuple(spans)


def _known(facts: tuple[F, ...], at: datetime) -> tuple[F, ...]:
    """Keep what had happened and been recorded; take off what was not yet known, leave out what no longer holds."""
    if not facts:
        return ()
    recorded = [fact for fact in facts if fact.recorded <= at]
    replaced = {fact.replaces for fact in recorded if fact.replaces is not None}
    kept = [
        _unretracted(fact)
        for fact in recorded
        if fact.at <= at
        and (not fact.id or fact.id not in replaced)
        and (fact.retracted is None or fact.retracted > at)
    ]
    # All facts of a chart's tuple are of one class, and most of those without an end.
    return tuple([_open_end(fact, at) for fact in kept] if isinstance(facts[0], _Lasting) else kept)


def _recordings(fact: Fact) -> Iterable[datetime]:
    """Every instant at which something about a fact was recorded."""
    end = fact.stop_recorded if isinstance(fact, _Lasting) else None
    return (told for told in (fact.recorded, end, fact.retracted) if told is not None)


def _unretracted(fact: F) -> F:
    return fact if fact.retracted is None else replace(fact, retracted=None)


def _open_end(fact: F, at: datetime) -> F:
    if not isinstance(fact, _Lasting) or fact.stop is None:
        return fact
    told = fact.stop_recorded if fact.stop_recorded is not None else fact.recorded
    return fact if fact.stop <= at and told <= at else replace(fact, stop=None, stop_recorded=None)
