# SPDX-License-Identifier: Apache-2.0
"""A reproduction as a document, watermarked on every page, and as JSON, watermarked at its head."""

from __future__ import annotations

from typing import Any

from sirolens.message import Message, info, warning
from sirolens.report.document import Block, Column, Document, Findings, Headline, KeyFact, KeyFacts, Paragraph, Table
from sirolens.report.words import label, say
from sirolens.study.reproduce import Reproduced, Reproduction

__all__ = ["FORMAT", "to_document", "to_json"]

FORMAT = 1
"""Version of the JSON layout."""


def _headline(found: Reproduction) -> Message:
    agree = sum(row.agrees for row in found.rows)
    return info("checker.repro-headline", agree=agree, rows=len(found.rows))


def _agrees(row: Reproduced) -> Message:
    return info("checker.repro-agrees" if row.agrees else "checker.repro-differs")


def to_document(found: Reproduction, *, version: str) -> Document:
    """Lay a reproduction out: the watermark, each printed figure beside the computed one, and what that shows.

    Parameters
    ----------
    found : Reproduction
        From `sirolens.study.reproduce.reproduce`.
    version : str
        Version of the program.
    """
    columns = (
        Column(head=info("checker.repro-figure"), name="figure"),
        Column(head=info("checker.repro-printed"), name="printed"),
        Column(head=info("checker.repro-mark"), name="mark"),
        Column(head=info("checker.repro-computed"), name="computed"),
        Column(head=info("checker.repro-same"), name="same"),
    )
    rows = tuple(
        (
            info(f"checker.repro-row-{row.name}"),
            row.printed,
            info(f"common.mark-{row.mark.value}"),
            row.computed,
            _agrees(row),
        )
        for row in found.rows
    )
    differing = tuple(i for i, row in enumerate(found.rows) if not row.agrees)
    facts = (
        KeyFact(label=info("checker.page-source"), value=info("common.cited", source=found.paper.source)),
        KeyFact(label=info("checker.repro-criteria"), value=found.analysis.outcomes.criteria.name),
        KeyFact(label=info("checker.repro-seed"), value=str(found.paper.recipe["seed"])),
    )
    blocks: list[Block] = [
        Headline(text=_headline(found)),
        Findings(messages=(warning("checker.repro-watermark"),)),
        KeyFacts(facts=facts),
        Table(
            columns=columns,
            rows=rows,
            caption=info("checker.repro-caption"),
            notes=(info("checker.repro-watermark"), info("checker.repro-not-printed")),
            marked=differing,
        ),
        Findings(messages=tuple(one for one in found.analysis.messages if one.code == "study.criteria-not-reported")),
        Paragraph(sentences=(info("checker.repro-meaning"),)),
    ]
    return Document(
        title=info("checker.repro-title"),
        blocks=tuple(block for block in blocks if not isinstance(block, Findings) or block.messages),
        banner=info("checker.repro-watermark"),
        version=version,
        invented=True,
    )


def to_json(found: Reproduction, language: str) -> dict[str, Any]:
    """Turn a reproduction into JSON values.

    Parameters
    ----------
    found : Reproduction
        From `sirolens.study.reproduce.reproduce`.
    language : str
        Of the words.
    """
    return {
        "sirolens_reproduction": FORMAT,
        "invented": True,
        "watermark": label("checker.repro-watermark", language),
        "intended_use": label("report.intended-use", language),
        "language": language,
        "paper": found.paper.name,
        "source": {"cited": found.paper.source.cite(), "doi": found.paper.source.doi, "pmid": found.paper.source.pmid},
        "criteria": found.analysis.outcomes.criteria.name,
        "seed": found.paper.recipe["seed"],
        "figures": [
            {
                "name": row.name,
                "figure": label(f"checker.repro-row-{row.name}", language),
                "printed": row.printed,
                "mark": row.mark.value,
                "computed": say(row.computed, language),
                "values": dict(row.computed.values),
                "agrees": row.agrees,
            }
            for row in found.rows
        ],
        "meaning": label("checker.repro-meaning", language),
    }
