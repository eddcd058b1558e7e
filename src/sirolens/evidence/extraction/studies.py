# SPDX-License-Identifier: Apache-2.0
"""A study is not a report: which reports tell of which study, which studies share patients, and who counts once.

A report is a citation, or a cluster of records, that tells of a study: a paper, a conference abstract, a registration.
A study has one or more cohorts; cohorts of different studies that share patients carry the name of one overlap group.
`counted_once` lets every group of patients count once per outcome and time, and says what was left out and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from sirolens.evidence.extraction.outcome import NOT_REPORTED, OutcomeRow
from sirolens.evidence.record import Record
from sirolens.message import Message, error, warning
from sirolens.source import Mark, Source

__all__ = [
    "Candidate",
    "Cohort",
    "Counted",
    "Design",
    "LeftOut",
    "Preference",
    "Read",
    "Report",
    "ReportKind",
    "Study",
    "StudyStatus",
    "counted_once",
    "reports_told_by",
    "study_problems",
]


class Design(StrEnum):
    """How a study was made: it decides the appraisal tool and where certainty starts."""

    RANDOMISED = "randomised"
    COMPARATIVE = "non-randomised-comparative"
    SINGLE_ARM = "single-arm"  # a prospective single-arm trial or a case series
    CASE_REPORT = "case-report"


class StudyStatus(StrEnum):
    """What is known of a study's results."""

    RESULTS = "results"
    NOT_SEEN = "results-not-seen"  # it exists; its counts stay blank
    ONGOING = "ongoing"
    UNVERIFIED = "unverified"  # believed to exist: nothing of it was read


class ReportKind(StrEnum):
    """What a report is, the fullest first: of two reports of one cohort the earlier named one is used."""

    ARTICLE = "journal-article"
    LETTER = "letter"
    CONFERENCE = "conference-abstract"
    REGISTRATION = "registration"

    @property
    def rank(self) -> int:
        """Position in the order of fullness.

        >>> ReportKind.ARTICLE.rank < ReportKind.CONFERENCE.rank
        True
        """
        return list(ReportKind).index(self)


class Read(StrEnum):
    """How much of a report was read: more than the abstract decides what can be appraised."""

    FULL_TEXT = "full-text"
    ABSTRACT = "abstract"
    PART = "abstract-in-part"
    METHODS = "methods-only"
    REGISTRY = "registry-entry"
    NOTHING = "nothing"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report of a study.

    Parameters
    ----------
    id : str
        Inside the study.
    kind : ReportKind
    title, first_author, journal, place : str
        As published; empty where they were not seen. ``place``: volume, pages, dates.
    year : int or None
    doi, pmid, pmcid : str
    read : Read
        How much of it was read.
    mark : Mark
        How surely the bibliographic fields are known.
    records : tuple of str
        Ids of the records, or of their clusters, that are this report; empty when no search found it.
    blank : tuple of str
        Bibliographic fields left empty because they are known from memory only.

    Examples
    --------
    >>> Report(id="paper", kind=ReportKind.ARTICLE, title="Invented", year=2020, doi="10.1/x").source().cite()
    'Invented (2020), abstract, doi:10.1/x'
    """

    id: str
    kind: ReportKind
    title: str = ""
    first_author: str = ""
    year: int | None = None
    journal: str = ""
    place: str = ""
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    read: Read = Read.ABSTRACT
    mark: Mark = Mark.SEEN
    records: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()

    def source(self) -> Source:
        """Return the report as a source to be cited."""
        return Source(
            title=self.title,
            mark=self.mark,
            year=self.year,
            doi=self.doi or None,
            pmid=self.pmid or None,
            place={Read.ABSTRACT: "abstract", Read.PART: "abstract"}.get(self.read),
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A group of patients of a study.

    Parameters
    ----------
    id : str
        Inside the study; ``"all"`` when there is one.
    overlap_group : str
        Cohorts that share patients, or probably do, carry one name.
    overlap_certain : bool
        False where the overlap is only probable.
    patients : int or None
    note, note_zh : str
        Why they are thought to overlap; in both languages.
    """

    id: str
    overlap_group: str = ""
    overlap_certain: bool = True
    patients: int | None = None
    note: str = ""
    note_zh: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One study with its reports and cohorts.

    Parameters
    ----------
    id : str
    name : str
        How it is shown in tables and plots.
    design : Design
    prospective : bool or None
        None: not reported.
    status : StudyStatus
    reports : tuple of Report
    cohorts : tuple of Cohort
    registrations : tuple of str
        Trial registration numbers.
    country, centres : str
    note, note_zh : str
    """

    id: str
    name: str
    design: Design
    prospective: bool | None = None
    status: StudyStatus = StudyStatus.RESULTS
    reports: tuple[Report, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    registrations: tuple[str, ...] = ()
    country: str = NOT_REPORTED
    centres: str = NOT_REPORTED
    note: str = ""
    note_zh: str = ""

    def report(self, name: str) -> Report | None:
        """Return one report by its id, None when there is none; an empty id means the first."""
        return next((one for one in self.reports if not name or one.id == name), None)

    def cohort(self, name: str) -> Cohort | None:
        """Return one cohort by its id, None when there is none; an empty id means the first."""
        return next((one for one in self.cohorts if not name or one.id == name), None)

    @property
    def abstract_only(self) -> bool:
        """True when of no report more than an abstract was read."""
        return all(one.read is not Read.FULL_TEXT for one in self.reports)


def study_problems(studies: Sequence[Study]) -> tuple[Message, ...]:
    """Return what is wrong with how studies, reports and cohorts are linked.

    An id used twice, a report (DOI, PMID or record) that belongs to two studies: errors. One registration in two
    studies that share no overlap group: a warning.

    >>> twin = Study(id="a", name="A", design=Design.SINGLE_ARM)
    >>> [found.code for found in study_problems([twin, twin])]
    ['extraction.study-twice']
    """
    found: list[Message] = []
    for name in _twice(study.id for study in studies):
        found.append(error("extraction.study-twice", study=name))
    owners: dict[str, set[str]] = defaultdict(set)
    for study in studies:
        for report in study.reports:
            for key in _keys(report):
                owners[key].add(study.id)
    for key, ids in sorted(owners.items()):
        if len(ids) > 1:
            found.append(error("extraction.report-in-two-studies", report=key, studies=tuple(sorted(ids))))
    found.extend(_unlinked_registrations(studies))
    return tuple(found)


def _twice(names: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, int] = defaultdict(int)
    for name in names:
        seen[name] += 1
    return tuple(name for name, times in seen.items() if times > 1)


def _keys(report: Report) -> tuple[str, ...]:
    doi = (f"doi:{report.doi.lower()}",) if report.doi else ()
    pmid = (f"pmid:{report.pmid}",) if report.pmid else ()
    return (*doi, *pmid, *(f"record:{record}" for record in report.records))


def _unlinked_registrations(studies: Sequence[Study]) -> list[Message]:
    groups: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for study in studies:
        for number in study.registrations:
            groups[number][study.id] = {cohort.overlap_group for cohort in study.cohorts if cohort.overlap_group}
    return [
        warning("extraction.registration-in-two-studies", registration=number, studies=tuple(sorted(sets)))
        for number, sets in sorted(groups.items())
        if len(sets) > 1 and not set.intersection(*sets.values())
    ]


def reports_told_by(records: Iterable[Record], studies: Sequence[Study]) -> Mapping[str, tuple[str, str]]:
    """Match records to the known reports of studies by DOI, PMID or the record's own id.

    Parameters
    ----------
    records : iterable of Record
    studies : sequence of Study

    Returns
    -------
    mapping
        Record id -> (study id, report id). A record that only shares a registration number is not matched: it may be
        another report of the study, which people decide.

    Examples
    --------
    >>> from sirolens.evidence.record import Position
    >>> place = Position(sha256="0" * 64, ordinal=1, first_line=1, last_line=2)
    >>> record = Record(id="r-1", source="ris", position=place, raw="", doi="10.1/x")
    >>> report = Report(id="paper", kind=ReportKind.ARTICLE, doi="10.1/X")
    >>> reports_told_by([record], [Study(id="a", name="A", design=Design.SINGLE_ARM, reports=(report,))])
    {'r-1': ('a', 'paper')}
    """
    known = {key: (study.id, report.id) for study in studies for report in study.reports for key in _keys(report)}
    matched = {}
    for record in records:
        keys = (f"doi:{record.doi.lower()}", f"pmid:{record.pmid}", f"record:{record.id}")
        found = next((known[key] for key in keys if key in known), None)
        if found is not None:
            matched[record.id] = found
    return matched


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An outcome row with the report it was taken from."""

    row: OutcomeRow
    report: Report


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A reviewer's own choice for an overlap group: this study is used, and why."""

    overlap_group: str
    study: str
    reason: str
    reason_zh: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that does not count because another row has the same patients.

    Parameters
    ----------
    row, used : OutcomeRow
        The row left out and the one used instead.
    reason : str
        ``"reviewers"``, ``"part-of-whole"``, ``"fuller-report"``, ``"larger"``, ``"later"`` or ``"order"``.
    message : Message
        The same for people.
    """

    row: OutcomeRow
    used: OutcomeRow
    reason: str
    message: Message


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The rows that count, in the order given, and those left out."""

    rows: tuple[OutcomeRow, ...]
    left_out: tuple[LeftOut, ...]


def counted_once(candidates: Sequence[Candidate], *, preferred: Sequence[Preference] = ()) -> Counted:
    """Let each group of patients count once per outcome, time and arm.

    Among rows of one overlap group: the reviewers' choice, else the whole cohort before a part of it, the fuller kind
    of report, the larger number of patients, the later year, the order given. Parts of one cohort (subgroups) count
    side by side where no row of the whole exists.

    Parameters
    ----------
    candidates : sequence of Candidate
        The rows wanted, already restricted to one question (a population, a treatment).
    preferred : sequence of Preference

    Returns
    -------
    Counted

    Examples
    --------
    >>> paper = Report(id="paper", kind=ReportKind.ARTICLE)
    >>> small = OutcomeRow(study="a", outcome="OR", timepoint="6m", k=3, n=5, overlap_group="one hospital")
    >>> large = OutcomeRow(study="b", outcome="OR", timepoint="6m", k=6, n=9, overlap_group="one hospital")
    >>> once = counted_once([Candidate(row=small, report=paper), Candidate(row=large, report=paper)])
    >>> [row.study for row in once.rows], [(left.row.study, left.reason) for left in once.left_out]
    (['b'], [('a', 'larger')])
    """
    chosen_by_people = {choice.overlap_group: choice for choice in preferred}
    groups: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for one in candidates:
        row = one.row
        groups[(*row.cluster, row.outcome, row.timepoint, row.role)].append(one)
    kept: set[int] = set()
    left: list[LeftOut] = []
    for members in groups.values():
        choice = chosen_by_people.get(members[0].row.overlap_group)
        best = min(members, key=lambda one: _order(one, choice))
        for one in members:
            if one is best or _beside(one, best):
                kept.add(id(one))
            else:
                left.append(_left_out(one, best, choice))
    return Counted(rows=tuple(one.row for one in candidates if id(one) in kept), left_out=tuple(left))


def _order(one: Candidate, choice: Preference | None) -> tuple[bool, bool, int, float, int]:
    row = one.row
    unwanted = choice is not None and row.study != choice.study
    return (unwanted, bool(row.subgroup), one.report.kind.rank, -(row.n or 0.0), -(row.year or 0))


def _beside(one: Candidate, best: Candidate) -> bool:
    """Whether two rows are different parts of one study's cohort, or different arms of it."""
    row, used = one.row, best.row
    same_study = row.study == used.study and row.cohort == used.cohort and one.report == best.report
    parts = bool(row.subgroup) and bool(used.subgroup) and row.subgroup != used.subgroup
    return same_study and (parts or row.arm != used.arm)


def _left_out(one: Candidate, best: Candidate, choice: Preference | None) -> LeftOut:
    names = ("reviewers", "part-of-whole", "fuller-report", "larger", "later")
    pairs = zip(names, _order(best, choice), _order(one, choice), strict=True)
    reason = next((name for name, better, worse in pairs if better != worse), "order")
    row, used = one.row, best.row
    message = warning(
        f"extraction.left-out-{reason}",
        study=row.label,
        used_study=used.label,
        outcome=row.outcome,
        timepoint=row.timepoint,
        group=row.overlap_group or row.study,
    )
    return LeftOut(row=row, used=used, reason=reason, message=message)
