# SPDX-License-Identifier: Apache-2.0
"""The end of a study report: published studies beside it, methods, criteria with marks, ethics, files, lock."""

from __future__ import annotations

from sirolens.message import Message, info, warning
from sirolens.report.criteria_table import choices_table
from sirolens.report.document import Cell, Findings, Heading, KeyFact, KeyFacts, Paragraph
from sirolens.study.cohort.analysis import Analysis
from sirolens.study.lock import Lock
from sirolens.study.page_parts import NamedTable, Part, p_value, percent_interval, share_text, table_of

__all__ = ["comparison_parts", "ethics_parts", "lock_parts", "method_parts"]

SHOWN_OF_HASH, FULL_HASH = 16, 64
METHODS = (
    "rates",
    "time",
    "exposure",
    "relation",
    "predictors",
    "comparison",
)


def comparison_parts(analysis: Analysis) -> list[Part]:
    """Set the cohort beside published studies."""
    if not analysis.comparisons:
        return []
    columns = [
        (info("study.column-study"), "study"),
        (info("study.column-day"), "day"),
        (info("study.column-outcome"), "outcome"),
        (info("study.column-own"), "own"),
        (info("study.column-published"), "published"),
        (info("study.column-difference"), "difference_percent"),
        (info("study.column-p-fisher"), "p_value"),
        (info("study.column-mark"), "mark"),
    ]
    rows: list[list[Cell]] = []
    for one in analysis.comparisons:
        published = one.published
        rows.append(
            [
                info(f"study.published-{published.key}"),
                published.landmark_d,
                info(f"study.outcome-{published.outcome}"),
                share_text(one.own),
                f"{published.responders}/{published.patients}",
                percent_interval(one.difference.estimate, one.difference.interval),
                p_value(one.test.p_value),
                info(f"study.mark-{published.source.mark.value}"),
            ]
        )
    derived = tuple(
        info(
            "study.published-derived",
            label=info(f"study.published-{one.published.key}"),
            day=one.published.landmark_d,
            how=info(f"study.derived-{one.published.how}"),
        )
        for one in analysis.comparisons
        if one.published.how
    )
    notes = (info("study.comparison-note"), *derived)
    table = table_of(columns, rows, caption=info("study.comparison-caption"), notes=notes)
    sources = {one.published.key: one.published for one in analysis.comparisons}
    cited = tuple(
        info(
            "study.published-source",
            source=one.source,
            label=info(f"study.published-{one.key}"),
            population=info("study.diagnosis", diagnosis=one.population),
        )
        for one in sources.values()
    )
    return [
        Heading(text=info("study.comparison")),
        Findings(messages=(warning("study.comparison-warning"),)),
        NamedTable(name="published", table=table),
        Findings(messages=cited),
    ]


def ethics_parts(analysis: Analysis) -> list[Part]:
    """Carry what the study states about its approval and consent."""
    ethics = analysis.cohort.ethics
    facts = tuple(
        KeyFact(label=info(f"study.ethics-{name}"), value=getattr(ethics, name) or info("study.not-stated"), name=name)
        for name in ("approval", "registration", "consent")
    )
    return [
        Heading(text=info("study.ethics")),
        KeyFacts(facts=facts),
        Paragraph(sentences=(info("study.ethics-note"),)),
    ]


def method_parts(analysis: Analysis) -> list[Part]:
    """Say by which methods and criteria everything was computed."""
    criteria = analysis.outcomes.criteria
    table = choices_table(criteria, caption=info("study.criteria-caption", written=criteria.title))
    sentences = tuple(info(f"study.method-{one}") for one in METHODS)
    source = info("study.criteria-source", source=criteria.source, name=criteria.name, version=criteria.version)
    return [
        Heading(text=info("study.methods")),
        Paragraph(sentences=sentences),
        Findings(messages=(source,)),
        NamedTable(name="criteria", table=table),
    ]


def lock_parts(lock: Lock, verified: tuple[Message, ...]) -> list[Part]:
    """Show the hashes everything rests on, and what a lock file says of this run."""
    columns = [
        (info("study.column-kind"), "part"),
        (info("study.column-name"), "name"),
        (info("study.column-hash"), "hash"),
    ]
    rows: list[list[Cell]] = []
    rows += [[info("study.lock-part-file"), name, _short(digest)] for name, digest in lock.files.items()]
    rows += [[info("study.lock-part-criteria"), name, _short(value)] for name, value in lock.criteria.items()]
    rows += [[info("study.lock-part-version"), name, value] for name, value in lock.versions.items()]
    rows.append([info("study.lock-part-results"), lock.study, _short(lock.results)])
    table = table_of(columns, rows, caption=info("study.lock-caption"))
    parts: list[Part] = [Heading(text=info("study.lock"))]
    if verified:
        parts.append(Findings(messages=verified))
    return [*parts, NamedTable(name="lock", table=table)]


def _short(value: str) -> str:
    """Begin a hash: enough to compare by eye; the lock file and the JSON have all of it."""
    return f"{value[:SHOWN_OF_HASH]}…" if len(value) == FULL_HASH else value
