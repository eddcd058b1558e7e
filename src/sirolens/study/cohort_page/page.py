# SPDX-License-Identifier: Apache-2.0
"""The study report: an analysis as a document, in the order of a paper; the same content as tables to export.

What the numbers mean and by which method they were made is in ``docs/study.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sirolens.message import Message, Severity, info
from sirolens.report.document import Document, Findings, Heading, Headline, KeyFact, KeyFacts, PageBreak, Table
from sirolens.response.criteria_set import CriteriaSet
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.cohort_page.cells import cell_parts
from sirolens.study.cohort_page.design import design_parts, prior_parts
from sirolens.study.cohort_page.exposure import exposure_parts, relation_parts
from sirolens.study.cohort_page.methods import comparison_parts, ethics_parts, lock_parts, method_parts
from sirolens.study.cohort_page.people import baseline_parts, flow_parts, patient_parts, reported_parts
from sirolens.study.cohort_page.predictors import predictor_parts
from sirolens.study.cohort_page.response import course_parts, response_parts, subgroup_parts
from sirolens.study.cohort_page.safety import safety_parts
from sirolens.study.cohort_page.time_to_event import time_parts
from sirolens.study.lock import Lock
from sirolens.study.page_parts import Part, blocks_of, tables_of

__all__ = ["study_document", "study_parts", "study_tables"]


def study_parts(
    analysis: Analysis, *, language: str, lock: Lock | None = None, verified: Sequence[Message] = ()
) -> tuple[Part, ...]:
    """Return everything the report consists of.

    Parameters
    ----------
    analysis : Analysis
        What was computed.
    language : {"en", "zh"}
        For the titles that the study itself gives in two languages.
    lock : Lock, optional
        The hashes it rests on.
    verified : sequence of Message
        What a lock file says of this run.
    """
    parts: list[Part] = [_headline(analysis), _facts(analysis)]
    urgent = tuple(one for one in analysis.messages if one.severity.rank >= Severity.WARNING.rank)
    other = tuple(one for one in analysis.messages if one.severity.rank < Severity.WARNING.rank)
    if urgent:
        parts.append(Findings(messages=urgent))
    parts += flow_parts(analysis)
    parts += baseline_parts(analysis, language)
    parts += response_parts(analysis)
    parts += course_parts(analysis)
    parts += time_parts(analysis)
    parts += exposure_parts(analysis)
    parts += relation_parts(analysis)
    parts += predictor_parts(analysis, language)
    parts += subgroup_parts(analysis, language)
    parts += safety_parts(analysis)
    parts += cell_parts(analysis)
    parts += comparison_parts(analysis)
    parts += design_parts(analysis)
    parts += prior_parts(analysis)
    parts += reported_parts(analysis)
    parts += patient_parts(analysis)
    parts += [PageBreak(), *method_parts(analysis), *ethics_parts(analysis)]
    if other:
        parts += [Heading(text=info("study.remarks")), Findings(messages=other)]
    if lock is not None:
        parts += lock_parts(lock, tuple(verified))
    return tuple(parts)


def study_document(
    analysis: Analysis,
    *,
    version: str,
    language: str,
    lock: Lock | None = None,
    verified: Sequence[Message] = (),
) -> Document:
    """Lay an analysis out as a document.

    Parameters
    ----------
    analysis : Analysis
        What was computed.
    version : str
        Of the program.
    language : {"en", "zh"}
        For the titles that the study itself gives in two languages.
    lock : Lock, optional
        The hashes it rests on.
    verified : sequence of Message
        What a lock file says of this run.
    """
    cohort = analysis.cohort
    return Document(
        title=info("study.title"),
        banner=info("study.banner", study=cohort.title or cohort.name, patients=len(cohort.charts)),
        blocks=blocks_of(study_parts(analysis, language=language, lock=lock, verified=verified)),
        made_at=analysis.at,
        version=version,
        zone=cohort.charts[0].zone,
        invented=cohort.invented or any(chart.patient.invented for chart in cohort.charts),
    )


def study_tables(
    analysis: Analysis, *, language: str, lock: Lock | None = None, verified: Sequence[Message] = ()
) -> dict[str, Table]:
    """Return every table by its name, those that the page does not show too."""
    return tables_of(study_parts(analysis, language=language, lock=lock, verified=verified))


def _headline(analysis: Analysis) -> Headline:
    primary = analysis.primary
    if primary is None or not primary.due[0].n:
        return Headline(text=info("study.headline-none", day=analysis.protocol.primary_landmark_d))
    overall, complete = primary.of("due"), primary.of("due", "complete")
    text = info(
        "study.headline",
        day=primary.landmark_d,
        k=overall.k,
        n=overall.n,
        share_percent=100 * overall.share,
        low=round(100 * overall.exact.low, 1),
        high_percent=100 * overall.exact.high,
    )
    beside = info("study.headline-complete", k=complete.k, n=complete.n, share_percent=100 * complete.share)
    seen = primary.of("observed")
    observed = info("study.headline-observed", k=seen.k, n=seen.n)
    return Headline(text=text, details=(beside, observed))


def _facts(analysis: Analysis) -> KeyFacts:
    cohort, criteria = analysis.cohort, analysis.outcomes.criteria
    arms = [cohort.arm_titles.get(arm, arm) for arm in analysis.outcomes.arm_names if arm]
    facts = [
        KeyFact(label=info("study.fact-study"), value=cohort.title or cohort.name, name="title"),
        KeyFact(label=info("study.fact-patients"), value=len(cohort.charts), name="patients"),
        KeyFact(label=info("study.fact-cut"), value=analysis.at, name="at"),
        KeyFact(label=info("study.fact-criteria"), value=_named(criteria), name="criteria"),
    ]
    if len(arms) > 1:
        facts.insert(2, KeyFact(label=info("study.fact-arms"), value=tuple(arms), name="arms"))
    return KeyFacts(facts=tuple(facts))


def _named(criteria: CriteriaSet) -> Message:
    return info("study.criteria-named", written=criteria.title, version=criteria.version)
