# SPDX-License-Identifier: Apache-2.0
"""What is extracted from the reports of one study, as typed fields: "not reported" is a value of its own.

A form is a TOML file, one study each (`sirolens.evidence.extraction.form_file` reads it). Counts go out as
`OutcomeRow`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from sirolens.evidence.extraction.outcome import NOT_REPORTED, ArmRole, OutcomeRow, Population
from sirolens.evidence.extraction.studies import Candidate, Study
from sirolens.message import Message, Place, info
from sirolens.source import Mark

__all__ = [
    "AMONG_RESPONDERS",
    "Arm",
    "Cells",
    "Conflict",
    "Denominator",
    "Extracted",
    "Extraction",
    "Finding",
    "Patients",
    "ResponseCriteria",
    "Topic",
    "Trough",
    "candidates",
    "conflicts",
    "is_safety_outcome",
    "rows_for_pooling",
    "topic_words",
]

AMONG_RESPONDERS = "_AMONG_RESPONDERS"
"""Ending of an outcome that is counted among responders: it is never pooled with the same outcome of a whole arm."""

SAFETY = ("AE", "MAJOR", "SERIOUS", "SEVERE", "DISCONTINUED", "INTOLERANT")
"""Beginnings of the outcomes about harm."""


def is_safety_outcome(outcome: str) -> bool:
    """Whether an outcome is about harm: no response criteria apply to it.

    >>> is_safety_outcome("AE_MUCOSITIS"), is_safety_outcome("CR")
    (True, False)
    """
    return outcome.startswith(SAFETY)


class Denominator(StrEnum):
    """Of whom an outcome is counted."""

    ARM = "arm"  # everybody of the arm or cohort who was evaluated
    RESPONDERS = "responders"


class Topic(StrEnum):
    """What a finding is about; findings on one topic are set beside each other."""

    TROUGH = "trough-response"
    BASELINE_TREG = "baseline-treg"
    TREG_CHANGE = "treg-change"
    SJOGREN = "primary-sjogren"
    LUPUS = "lupus"
    AGE = "age"
    STEROID_DEPENDENCE = "steroid-dependence"
    STEROID_RELAPSE = "steroid-relapse"
    DISEASE = "disease"
    LYMPHOCYTES = "lymphocyte-subsets"
    PRIOR_MMF = "prior-mycophenolate"
    TREATMENT_NAIVE = "treatment-naive"
    OTHER = "other"


def topic_words(topic: Topic) -> Message:
    """Return the message that names a topic.

    >>> topic_words(Topic.TROUGH).code
    'extraction.topic-trough-response'
    """
    return info(f"extraction.topic-{topic.value}")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """Whose study it is.

    Parameters
    ----------
    population : Population
    described : str
        As the report says it.
    age_group, line : str
        Such as ``"adults"`` and ``"failed first line"``, or `NOT_REPORTED`.
    enrolled, completed : int or None
        Patients of the whole study, where printed.
    diagnoses : tuple of (str, int)
        How many had what, where printed.
    """

    population: Population
    described: str = NOT_REPORTED
    age_group: str = NOT_REPORTED
    line: str = NOT_REPORTED
    enrolled: int | None = None
    completed: int | None = None
    diagnoses: tuple[tuple[str, int], ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trough:
    """A sirolimus level, aimed at or measured.

    Parameters
    ----------
    low_ng_ml, high_ng_ml : float or None
        Ends of the range; None where there is none.
    matrix : str
        As printed ("plasma" is kept although laboratories measure whole blood), or `NOT_REPORTED`.
    printed_as : str
    report : str
        Which report prints it.
    """

    low_ng_ml: float | None = None
    high_ng_ml: float | None = None
    matrix: str = NOT_REPORTED
    printed_as: str = ""
    report: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm: what was given.

    Parameters
    ----------
    id, name : str
    role : ArmRole
    regimen, dose, duration, assay : str
        As printed, or `NOT_REPORTED`.
    partners : tuple of str or None
        What was given with sirolimus; empty: nothing; None: not reported.
    target, measured : Trough or None
        None: not reported.
    patients : int or None
    """

    id: str
    name: str
    role: ArmRole = ArmRole.SINGLE
    regimen: str = NOT_REPORTED
    dose: str = NOT_REPORTED
    duration: str = NOT_REPORTED
    assay: str = NOT_REPORTED
    partners: tuple[str, ...] | None = None
    target: Trough | None = None
    measured: Trough | None = None
    patients: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCriteria:
    """By what rule a response was counted: the name of a set, or `NOT_REPORTED`, and the report's words."""

    name: str = NOT_REPORTED
    described: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """One outcome with where it was read.

    Parameters
    ----------
    row : OutcomeRow
        As it goes out; among responders its outcome ends in `AMONG_RESPONDERS`.
    arm, report : str
        Ids inside the form.
    denominator : Denominator
    percent : str
        The percentage as printed, with its decimals; empty where none is.
    how : str
        The arithmetic behind a derived count; `how_zh` the same in Chinese.
    place : Place or None
        File, line and key.
    """

    row: OutcomeRow
    arm: str
    report: str
    denominator: Denominator = Denominator.ARM
    percent: str = ""
    how: str = ""
    how_zh: str = ""
    place: Place | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What a report says of a cell or cytokine.

    Parameters
    ----------
    cell : str
        Such as ``"Treg"``.
    gating : str
        Markers as printed, or `NOT_REPORTED`.
    when, arm : str
    direction : str
        ``"lower"``, ``"higher"``, ``"no difference"``, ``"falls"``, ``"rises"``, ``"stays"``.
    values, p : str
        As printed; empty where not.
    mark : Mark
    """

    cell: str
    when: str
    direction: str
    gating: str = NOT_REPORTED
    arm: str = ""
    values: str = ""
    p: str = ""
    mark: Mark = Mark.SEEN


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a report says of a question that other reports answer too.

    Parameters
    ----------
    topic : Topic
    direction : str
        One word; different words on one topic make a conflict.
    says, says_zh : str
        In our own words, in both languages.
    p : str
        As printed; empty where not.
    mark : Mark
    """

    topic: Topic
    direction: str
    says: str
    says_zh: str = ""
    p: str = ""
    mark: Mark = Mark.SEEN


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """One reviewer's form of one study.

    Parameters
    ----------
    study : Study
    by : str
        Who extracted; ``"authors"`` for the shipped review.
    patients : Patients
    arms : tuple of Arm
    criteria : ResponseCriteria
    outcomes : tuple of Extracted
    cells : tuple of Cells
    findings : tuple of Finding
    file, sha256 : str
        Where the form was read, and the hash of its bytes.
    """

    study: Study
    by: str
    patients: Patients
    arms: tuple[Arm, ...] = ()
    criteria: ResponseCriteria = ResponseCriteria()
    outcomes: tuple[Extracted, ...] = ()
    cells: tuple[Cells, ...] = ()
    findings: tuple[Finding, ...] = ()
    file: str = ""
    sha256: str = ""

    @property
    def rows(self) -> tuple[OutcomeRow, ...]:
        """The outcomes as rows for pooling."""
        return tuple(one.row for one in self.outcomes)

    def arm(self, name: str) -> Arm | None:
        """Return one arm by its id, None when there is none."""
        return next((one for one in self.arms if one.id == name), None)


def candidates(forms: Sequence[Extraction]) -> tuple[Candidate, ...]:
    """Return every outcome of several forms with the report it was read in, for `counted_once`."""
    return tuple(
        Candidate(row=one.row, report=report)
        for form in forms
        for one in form.outcomes
        if (report := form.study.report(one.report)) is not None
    )


def rows_for_pooling(forms: Sequence[Extraction]) -> tuple[OutcomeRow, ...]:
    """Return the rows of several forms, each outcome of a study from its fullest report only.

    Studies that share patients stay side by side here: which of them counts depends on the question, and is settled
    by `counted_once` when the question is put.

    Parameters
    ----------
    forms : sequence of Extraction

    Returns
    -------
    tuple of OutcomeRow
        In the order of the forms.
    """
    found = []
    for form in forms:
        fullest: dict[tuple[str, ...], int] = {}
        ranked = []
        for one in form.outcomes:
            row, report = one.row, form.study.report(one.report)
            key = (one.arm, row.cohort, row.subgroup, row.outcome, row.timepoint)
            rank = 0 if report is None else report.kind.rank
            fullest[key] = min(rank, fullest.get(key, rank))
            ranked.append((key, rank, row))
        found += [row for key, rank, row in ranked if rank == fullest[key]]
    return tuple(found)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One question that reports answer differently.

    Parameters
    ----------
    topic : Topic
    sides : tuple of (str, Finding)
        Study id and what it says, in the order of the forms.
    """

    topic: Topic
    sides: tuple[tuple[str, Finding], ...]


def conflicts(forms: Sequence[Extraction]) -> tuple[Conflict, ...]:
    """Return the topics on which studies say different things; nothing is averaged away.

    Parameters
    ----------
    forms : sequence of Extraction

    Returns
    -------
    tuple of Conflict
        In the order of `Topic`; ``OTHER`` never makes a conflict.
    """
    found = []
    for topic in Topic:
        sides = tuple((form.study.id, said) for form in forms for said in form.findings if said.topic is topic)
        differ = len({said.direction for _, said in sides}) > 1 and len({study for study, _ in sides}) > 1
        if topic is not Topic.OTHER and differ:
            found.append(Conflict(topic=topic, sides=sides))
    return tuple(found)
