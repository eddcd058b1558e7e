# SPDX-License-Identifier: Apache-2.0
"""The findings of a check as a document for the renderers, and as JSON for other programs."""

from __future__ import annotations

from typing import Any

from sirolens.message import Message, info
from sirolens.report.document import Block, Document, Findings, Heading, Headline, KeyFact, KeyFacts, Paragraph
from sirolens.report.words import label, say
from sirolens.study.checker.check import Checked
from sirolens.study.checker.findings import Weight

__all__ = ["FORMAT", "to_document", "to_json"]

FORMAT = 1
"""Version of the JSON layout."""


def _tally(checked: Checked) -> Message:
    found = checked.tally
    return info(
        "checker.page-tally",
        impossible=found[Weight.IMPOSSIBLE],
        inconsistent=found[Weight.INCONSISTENT],
        explained=found[Weight.EXPLAINED],
        notes=found[Weight.NOTE],
        passed=found[Weight.PASSED],
    )


def to_document(checked: Checked, *, version: str) -> Document:
    """Lay a check out: the tally, the paper, then the findings by weight, and what they cannot say.

    Parameters
    ----------
    checked : Checked
        From `sirolens.study.check.check`.
    version : str
        Version of the program.
    """
    published = checked.published
    facts = [KeyFact(label=info("checker.page-source"), value=info("common.cited", source=published.source))]
    if published.note:
        facts.append(KeyFact(label=info("checker.page-note"), value=published.note))
    blocks: list[Block] = [Headline(text=_tally(checked)), KeyFacts(facts=tuple(facts))]
    for weight in Weight:
        findings = checked.of(weight)
        if findings:
            blocks.append(Heading(text=info(f"checker.weight-{weight.value}")))
            blocks.append(Findings(messages=tuple(finding.message for finding in findings)))
    blocks.append(Paragraph(sentences=(info("checker.page-meaning"),)))
    return Document(title=info("checker.page-title", title=published.title), blocks=tuple(blocks), version=version)


def to_json(checked: Checked, language: str) -> dict[str, Any]:
    """Turn a check into JSON values; words come in one language, beside codes and numbers.

    Parameters
    ----------
    checked : Checked
        From `sirolens.study.check.check`.
    language : str
        Of the words.
    """
    published = checked.published
    return {
        "sirolens_check": FORMAT,
        "intended_use": label("report.intended-use", language),
        "language": language,
        "meaning": label("checker.page-meaning", language),
        "file": published.file,
        "title": published.title,
        "source": {
            "cited": published.source.cite(),
            "doi": published.source.doi,
            "pmid": published.source.pmid,
            "mark": published.source.mark.value,
        },
        "note": published.note,
        "tally": {weight.value: count for weight, count in checked.tally.items()},
        "findings": [
            {
                "weight": finding.weight.value,
                "severity": finding.message.severity.value,
                "code": finding.code,
                "line": finding.line,
                "figure": finding.subject,
                "printed": finding.printed,
                "computed": list(finding.computed),
                "would_fit": [
                    {"count": fit.count, "of": fit.of, "denominator": fit.name, "how": fit.how, "percent": fit.percent}
                    for fit in finding.fits
                ],
                "text": say(finding.message, language),
            }
            for finding in checked.findings
        ],
    }
