# SPDX-License-Identifier: Apache-2.0
"""How certain a body of evidence is, by GRADE, and the rows of a summary-of-findings table.

Certainty starts by design and is moved by five domains down and three up; each judgement needs a reason. Rows of
single-arm studies show numbers per 100 patients and never a relative effect: there is nothing to be relative to.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from math import isfinite
from pathlib import Path
from string import ascii_lowercase
from types import MappingProxyType
from typing import Any, final

from sirolens.errors import InputError
from sirolens.evidence.appraisal.tools import source_of
from sirolens.evidence.extraction.form_text import form_text
from sirolens.evidence.extraction.outcome import Population
from sirolens.evidence.extraction.studies import Design
from sirolens.evidence.extraction.words import design_words
from sirolens.message import Message, Severity, error, info, warning
from sirolens.models.locate import Path as KeyPath
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table
from sirolens.source import Source

__all__ = [
    "Certainty",
    "CertaintyReading",
    "Comparison",
    "Domain",
    "Footnote",
    "Level",
    "Rating",
    "SummaryRow",
    "certainty_of",
    "certify",
    "domain_words",
    "grade_source",
    "level_words",
    "rating_words",
    "read_certainties",
    "summary_row",
]


@cache
def grade_source(name: str) -> Source:
    """Return what a rule of certainty rests on.

    Parameters
    ----------
    name : {"rules", "robins_i_start"}
        Starts by design, the eight domains and that raising is usually for evidence that was not lowered; or the start
        of evidence appraised with ROBINS-I, which is known from memory only.

    Examples
    --------
    >>> grade_source("rules").year, grade_source("robins_i_start").mark
    (2018, <Mark.MEMORY: 'memory'>)
    """
    path = files("sirolens.evidence").joinpath("data", "appraisal", "grade.toml")
    return source_of(tomllib.loads(path.read_text(encoding="utf-8"))[name])


class Level(StrEnum):
    """Certainty of evidence, highest first."""

    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"
    VERY_LOW = "very-low"


class Domain(StrEnum):
    """What can lower or raise certainty."""

    RISK_OF_BIAS = "risk-of-bias"
    INCONSISTENCY = "inconsistency"
    INDIRECTNESS = "indirectness"
    IMPRECISION = "imprecision"
    PUBLICATION_BIAS = "publication-bias"
    LARGE_EFFECT = "large-effect"
    DOSE_RESPONSE = "dose-response"
    OPPOSING_CONFOUNDING = "opposing-confounding"


DOWN = tuple(Domain)[:5]
UP = tuple(Domain)[5:]
STEPS_DOWN = MappingProxyType({"not-serious": 0, "serious": -1, "very-serious": -2, "extremely-serious": -3})
STEPS_UP = MappingProxyType({"none": 0, "present": 1, "very-large": 2})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One domain's judgement with its reason, in both languages."""

    domain: Domain
    rating: str
    reason: str
    reason_zh: str = ""

    @property
    def steps(self) -> int:
        """How far it moves certainty."""
        return (STEPS_DOWN if self.domain in DOWN else STEPS_UP)[self.rating]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Footnote:
    """A reason beside a row: a letter, the domain, how far it moved certainty, and why."""

    letter: str
    rating: Rating


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """The certainty of one outcome.

    Parameters
    ----------
    question, outcome, timepoint : str
        ``question`` names the body of evidence, such as ``"primary-itp-single-arm"``.
    populations : tuple of Population
        Whose outcome it is: the rows behind the judgement.
    design : Design
    start, level : Level
        Before and after the ratings.
    ratings : tuple of Rating
        All eight domains.
    footnotes : tuple of Footnote
        One for each rating that moved certainty.
    rater : str
    messages : tuple of Message
        What the reader must know, such as a rule that is only from memory.
    """

    question: str
    outcome: str
    timepoint: str
    design: Design
    start: Level
    level: Level
    ratings: tuple[Rating, ...]
    footnotes: tuple[Footnote, ...]
    populations: tuple[Population, ...] = ()
    rater: str = ""
    messages: tuple[Message, ...] = ()


def domain_words(domain: Domain) -> Message:
    """Return the message that names a domain."""
    return info(f"appraisal.domain-{domain.value}")


def level_words(level: Level) -> Message:
    """Return the message that names a level of certainty."""
    return info(f"appraisal.certainty-{level.value}")


def rating_words(rating: str) -> Message:
    """Return the message that names a rating."""
    return info(f"appraisal.rating-{rating}")


def certify(
    ratings: Sequence[Rating],
    *,
    design: Design,
    question: str = "",
    outcome: str = "",
    timepoint: str = "",
    populations: Sequence[Population] = (),
    robins_i: bool = False,
    start: Level | None = None,
    rater: str = "",
) -> Certainty:
    """Work out the certainty of one outcome.

    Randomised evidence starts high; single arms and comparisons that were not randomised start low; comparisons
    appraised with ROBINS-I start high (unverified). A lower start of single arms can be chosen, a higher one not.

    Parameters
    ----------
    ratings : sequence of Rating
        Each of the eight domains once.
    design : Design
    question, outcome, timepoint : str
    populations : sequence of Population
    robins_i : bool
        The studies were appraised with ROBINS-I.
    start : Level, optional
        A lower start.
    rater : str

    Raises
    ------
    InputError
        ``appraisal.domain-...`` for a domain missing or twice, ``appraisal.rating-unknown``,
        ``appraisal.reason-missing``, ``appraisal.start-too-high``.

    Examples
    --------
    >>> same = [Rating(domain=domain, rating="not-serious", reason="looked at") for domain in DOWN]
    >>> same += [Rating(domain=domain, rating="none", reason="no comparison") for domain in UP]
    >>> certify(same, design=Design.SINGLE_ARM).level, certify(same, design=Design.RANDOMISED).level
    (<Level.LOW: 'low'>, <Level.HIGH: 'high'>)
    """
    first = Level.HIGH if design is Design.RANDOMISED or _by_robins_i(design, robins_i) else Level.LOW
    faults = _rating_faults(ratings)
    begin = first if start is None else start
    if _rank(begin) < _rank(first):
        faults.append(
            error("appraisal.start-too-high", value=begin.value, expected=first.value, design=design_words(design))
        )
    if faults:
        raise InputError(*faults)
    ordered = tuple(next(one for one in ratings if one.domain is domain) for domain in Domain)
    moved = sum(one.steps for one in ordered)
    level = list(Level)[min(3, max(0, _rank(begin) - moved))]
    notes = tuple(
        Footnote(letter=ascii_lowercase[index], rating=one)
        for index, one in enumerate(one for one in ordered if one.steps)
    )
    messages = _certainty_messages(ordered, design, robins_i)
    return Certainty(
        question=question,
        outcome=outcome,
        timepoint=timepoint,
        design=design,
        start=begin,
        level=level,
        ratings=ordered,
        footnotes=notes,
        populations=tuple(populations),
        rater=rater,
        messages=messages,
    )


def _by_robins_i(design: Design, robins_i: bool) -> bool:
    return robins_i and design is Design.COMPARATIVE


def _rank(level: Level) -> int:
    return list(Level).index(level)


def _rating_faults(ratings: Sequence[Rating]) -> list[Message]:
    faults = []
    for domain in Domain:
        told = [one for one in ratings if one.domain is domain]
        if len(told) != 1:
            code = "appraisal.domain-missing" if not told else "appraisal.domain-twice"
            faults.append(error(code, domain_name=domain.value))
        for one in told:
            known = STEPS_DOWN if domain in DOWN else STEPS_UP
            if one.rating not in known:
                faults.append(
                    error(
                        "appraisal.rating-unknown",
                        domain_name=domain.value,
                        value=one.rating,
                        expected=", ".join(known),
                    )
                )
            if not one.reason.strip():
                faults.append(error("appraisal.reason-missing", value=domain.value, expected="text"))
    return faults


def _certainty_messages(ratings: Sequence[Rating], design: Design, robins_i: bool) -> tuple[Message, ...]:
    found = []
    if _by_robins_i(design, robins_i):
        found.append(warning("appraisal.robins-i-start-unverified", source=grade_source("robins_i_start")))
    raised = any(one.steps > 0 for one in ratings)
    if raised and any(one.steps < 0 for one in ratings):
        found.append(warning("appraisal.raised-though-lowered", source=grade_source("rules")))
    if raised and design is Design.SINGLE_ARM:
        found.append(warning("appraisal.raised-without-comparison"))
    if any(one.rating == "extremely-serious" for one in ratings):
        found.append(warning("appraisal.three-levels-unverified"))
    return tuple(found)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CertaintyReading:
    """What came out of a file: the certainties of its good tables, and every message."""

    certainties: tuple[Certainty, ...]
    messages: tuple[Message, ...]


def read_certainties(path: Path) -> CertaintyReading:
    """Read the certainties of a review from one TOML file of ``[[certainty]]`` tables."""
    try:
        text, data = form_text(path.read_bytes(), path.name, code="appraisal.file-unreadable")
    except InputError as fault:
        return CertaintyReading(certainties=(), messages=fault.messages)
    lines = key_lines(text)
    faults = Faults(path.name, lines)
    whole = Table(data, (), faults)
    count = len(whole.tables("certainty"))
    whole.close()
    readings = [
        certainty_of(one, file=path.name, lines=lines, path=("certainty", index))
        for index, one in enumerate(data["certainty"] if count else [])
    ]
    return CertaintyReading(
        certainties=tuple(one for reading in readings for one in reading.certainties),
        messages=(*faults.messages, *(message for reading in readings for message in reading.messages)),
    )


def certainty_of(
    data: Mapping[str, Any], *, file: str = "", lines: Mapping[KeyPath, int] | None = None, path: KeyPath = ()
) -> CertaintyReading:
    """Read one certainty that is already a mapping.

    Parameters
    ----------
    data : mapping
        ``question``, ``outcome``, ``time``, ``design``, ``populations``, ``rater`` and a table ``domain`` with one
        table per domain.
    file : str
    lines : mapping, optional
    path : path
        Where the table stands in its file.
    """
    faults = Faults(file, lines or {})
    table = Table(data, path, faults)
    design = table.text("design", required=True, choices=[one.value for one in Design])
    start = table.text("start", choices=[one.value for one in Level])
    question, outcome = table.text("question", required=True), table.text("outcome", required=True)
    timepoint, rater = table.text("time", required=True), table.text("rater", required=True)
    robins_i = table.flag("robins_i")
    populations = table.texts("populations", choices=[one.value for one in Population])
    ratings = _ratings(table.table("domain", required=True))
    table.close()
    if any(message.severity is Severity.ERROR for message in faults.messages):
        return CertaintyReading(certainties=(), messages=tuple(faults.messages))
    try:
        found = certify(
            ratings,
            design=Design(design),
            question=question,
            outcome=outcome,
            timepoint=timepoint,
            populations=[Population(one) for one in populations],
            robins_i=robins_i,
            start=Level(start) if start else None,
            rater=rater,
        )
    except InputError as fault:
        place = faults.place((*path, "domain"))
        told = tuple(
            Message(code=one.code, severity=one.severity, items=one.items, place=place) for one in fault.messages
        )
        return CertaintyReading(certainties=(), messages=told)
    return CertaintyReading(certainties=(found,), messages=found.messages)


def _ratings(table: Table | None) -> tuple[Rating, ...]:
    if table is None:
        return ()
    found = []
    for domain in Domain:
        inner = table.table(domain.value)
        if inner is None:
            continue
        choices = tuple(STEPS_DOWN if domain in DOWN else STEPS_UP)
        rating = inner.text("rating", required=True, choices=choices)
        found.append(
            Rating(domain=domain, rating=rating, reason=inner.text("reason"), reason_zh=inner.text("reason_zh"))
        )
        inner.close()
    table.close()
    return tuple(found)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison of two arms, for a row of randomised or comparative evidence.

    Parameters
    ----------
    measure : str
        ``"RR"`` or ``"OR"``.
    estimate, low, high : float
        The relative effect with its interval.
    control_per_100 : float
        With the control treatment.
    difference_per_100, difference_low, difference_high : float
        More (or fewer) per 100 with the treatment.
    """

    measure: str
    estimate: float
    low: float
    high: float
    control_per_100: float
    difference_per_100: float
    difference_low: float
    difference_high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """One row of a summary-of-findings table; `comparison` is None for single arms: there is no relative column.

    Parameters
    ----------
    certainty : Certainty
        With question, outcome, time and footnotes.
    studies, k, n : int
        Studies, events and patients behind the row.
    per_100, low_per_100, high_per_100 : float
        Patients with the outcome per 100, with the confidence interval.
    predicted_per_100 : (float, float) or None
        Where a new study would lie; None where it cannot be told.
    comparison : Comparison or None
    messages : tuple of Message
    """

    certainty: Certainty
    studies: int
    k: int
    n: int
    per_100: float
    low_per_100: float
    high_per_100: float
    predicted_per_100: tuple[float, float] | None = None
    comparison: Comparison | None = None
    messages: tuple[Message, ...] = ()


def summary_row(
    certainty: Certainty,
    *,
    studies: int,
    k: int,
    n: int,
    estimate: float,
    low: float,
    high: float,
    predicted: tuple[float, float] | None = None,
    comparison: Comparison | None = None,
) -> SummaryRow:
    """Make a row of a summary-of-findings table.

    Parameters
    ----------
    certainty : Certainty
    studies, k, n : int
    estimate, low, high : float
        A pooled (or single) proportion with its interval, 0 to 1.
    predicted : (float, float), optional
        Prediction interval, 0 to 1.
    comparison : Comparison, optional
        Not for single arms.

    Raises
    ------
    InputError
        ``appraisal.no-relative-effect`` for a comparison of single arms, ``appraisal.proportion`` for a value outside
        0 to 1 or a reversed interval.

    Examples
    --------
    >>> same = [Rating(domain=domain, rating="not-serious", reason="looked at") for domain in DOWN]
    >>> same += [Rating(domain=domain, rating="none", reason="no comparison") for domain in UP]
    >>> alone = certify(same, design=Design.SINGLE_ARM)
    >>> row = summary_row(alone, studies=1, k=12, n=20, estimate=0.6, low=0.3605, high=0.8088)
    >>> row.per_100, [message.code for message in row.messages]
    (60.0, ['appraisal.one-study', 'appraisal.no-prediction'])
    """
    faults = []
    if comparison is not None and certainty.design in (Design.SINGLE_ARM, Design.CASE_REPORT):
        faults.append(error("appraisal.no-relative-effect", question=certainty.question))
    wild = [value for value in (estimate, low, high, *(predicted or ())) if not isfinite(value) or not 0 <= value <= 1]
    if wild or not low <= estimate <= high:
        faults.append(error("appraisal.proportion", question=certainty.question, values=(low, estimate, high)))
    if faults:
        raise InputError(*faults)
    messages: list[Message] = []
    if studies == 1:
        messages.append(warning("appraisal.one-study"))
    elif studies < 5:
        messages.append(warning("appraisal.few-studies", number=studies))
    if predicted is None:
        messages.append(info("appraisal.no-prediction"))
    return SummaryRow(
        certainty=certainty,
        studies=studies,
        k=k,
        n=n,
        per_100=100 * estimate,
        low_per_100=100 * low,
        high_per_100=100 * high,
        predicted_per_100=None if predicted is None else (100 * predicted[0], 100 * predicted[1]),
        comparison=comparison,
        messages=tuple(messages),
    )
