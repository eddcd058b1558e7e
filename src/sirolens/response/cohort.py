# SPDX-License-Identifier: Apache-2.0
"""A cohort: the charts of one study, and what the study says about itself.

The charts are the data; everything that is computed comes from them. What the source already says about the outcome
(`ReportedResponse`) is kept beside them, to be compared, never to be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar, final

from sirolens.chart import Chart
from sirolens.message import Place
from sirolens.response.control import ControlSample

__all__ = [
    "Characteristic",
    "CharacteristicKind",
    "Cohort",
    "Ethics",
    "FileRecord",
    "FollowUp",
    "ReportedResponse",
    "UnreadColumn",
]

V = TypeVar("V")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ethics:
    """What the study states about its approval; carried into the report, checked for presence only.

    Parameters
    ----------
    approval : str
        The committee and its reference.
    registration : str
        The registry and number.
    consent : str
        How consent was given or waived.
    """

    approval: str = ""
    registration: str = ""
    consent: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the statements that are empty.

        >>> Ethics(approval="No. 7").missing
        ('registration', 'consent')
        """
        return tuple(name for name in ("approval", "registration", "consent") if not getattr(self, name))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """One file the cohort was read from.

    Parameters
    ----------
    name : str
        Its name inside the folder.
    sha256 : str
        Hash of its bytes.
    rows : int
        Rows of data; 0 for a file that is no table.
    """

    name: str
    sha256: str
    rows: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadColumn:
    """A column that was declared, or is known, not to be read; it stays in its file, whose hash is kept.

    Parameters
    ----------
    file, name : str
        Where it stands.
    filled : int
        Rows in which it holds something.
    """

    file: str
    name: str
    filled: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedResponse:
    """What the source itself says about a patient's response; compared with the verdict, never used for it.

    Parameters
    ----------
    response : str
        ``"complete"``, ``"partial"``, ``"response"``, ``"no-response"``, ``"relapse"``, ``"not-evaluable"``, or the
        word as it was written where it is none of these.
    written : str
        The word as it was written.
    at : datetime, optional
        When it was judged.
    landmark_d : int, optional
        The day of the landmark it is about (91, 182, 365).
    place : Place, optional
        Where it stands.
    """

    response: str
    written: str
    at: datetime | None = None
    landmark_d: int | None = None
    place: Place | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """How a patient's time in the study ended.

    Parameters
    ----------
    died : date, optional
        Day of death.
    left : date, optional
        Last day the patient was followed.
    why : str
        ``"completed"``, ``"lost"``, ``"withdrew"``, ``"adverse-event"``, ``"no-response"``, ``"died"``, ``"other"``
        or ``"unknown"``.
    """

    died: date | None = None
    left: date | None = None
    why: str = "unknown"


class CharacteristicKind(StrEnum):
    """What a declared column of ``patients.csv`` holds."""

    NUMBER = "number"
    CATEGORY = "category"
    YES_NO = "yes-no"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """A column of ``patients.csv`` that the study declares: prior lines, steroid dependence, time since diagnosis ...

    Parameters
    ----------
    name : str
        Name of the column.
    kind : CharacteristicKind
        How its cells are read.
    values : mapping
        By patient: float, str or bool; a patient without a value is not in it.
    unit : str
        As the study declares it; shown, never converted.
    title, title_zh : str
        What tables and figures call it; the column's name where nothing is given.
    """

    name: str
    kind: CharacteristicKind
    values: Mapping[str, float | str | bool]
    unit: str = ""
    title: str = ""
    title_zh: str = ""


def _none() -> Mapping[str, V]:
    return MappingProxyType({})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The charts of one study.

    Parameters
    ----------
    name, title : str
        A short name for files and the title of the study.
    charts : tuple of Chart
        In the order of ``patients.csv``; ids are unique.
    data_cut : datetime
        The study knows what had happened and been recorded by then: ``chart.known(data_cut)``.
    arms : mapping
        Arm by patient; empty for a study of one arm.
    arm_titles : mapping
        What an arm is called, by its name; an arm without a title goes by its name.
    reported : mapping
        The source's own response column, by patient.
    follow_up : mapping
        How the time in the study ended, by patient; patients of whom nothing is said are not in it.
    characteristics : tuple of Characteristic
        Further columns the study declares, for table 1, subgroups and predictors.
    controls : tuple of ControlSample
        Healthy controls' cells and cytokines.
    methods : mapping
        By which method the patients' cytokines were measured, by the cytokine's name: values of another method, or of
        an untold one, are not compared.
    ethics : Ethics
        What the study states.
    files : tuple of FileRecord
        What it was read from.
    unread : tuple of UnreadColumn
        Columns that were not read.
    invented : bool
        Some of its patients do not exist: reports carry the watermark, reviews and calibration refuse it.

    Examples
    --------
    >>> from sirolens.chart import Chart, Patient
    >>> chart = Chart(patient=Patient(id="P-1", invented=True), zone="Asia/Shanghai")
    >>> cut = datetime(2026, 1, 1, tzinfo=UTC)
    >>> cohort = Cohort(name="x", title="An example", charts=(chart,), data_cut=cut, invented=True)
    >>> cohort.ids
    ('P-1',)
    """

    name: str
    title: str
    charts: tuple[Chart, ...]
    data_cut: datetime
    arms: Mapping[str, str] = field(default_factory=_none)
    arm_titles: Mapping[str, str] = field(default_factory=_none)
    reported: Mapping[str, tuple[ReportedResponse, ...]] = field(default_factory=_none)
    follow_up: Mapping[str, FollowUp] = field(default_factory=_none)
    characteristics: tuple[Characteristic, ...] = ()
    controls: tuple[ControlSample, ...] = ()
    methods: Mapping[str, str] = field(default_factory=_none)
    ethics: Ethics = Ethics()
    files: tuple[FileRecord, ...] = ()
    unread: tuple[UnreadColumn, ...] = ()
    invented: bool = False

    def __post_init__(self) -> None:
        if self.data_cut.tzinfo is None:
            raise ValueError("data_cut has no time zone")
        object.__setattr__(self, "data_cut", self.data_cut.astimezone(UTC))
        if len(set(self.ids)) != len(self.charts):
            raise ValueError("two charts of a cohort have the same id")

    @property
    def ids(self) -> tuple[str, ...]:
        """The patients' pseudonyms, in the order of the charts."""
        return tuple(chart.patient.id for chart in self.charts)

    def known(self) -> tuple[Chart, ...]:
        """Return the charts as they stood at the data cut."""
        return tuple(chart.known(self.data_cut) for chart in self.charts)
