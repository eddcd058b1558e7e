# SPDX-License-Identifier: Apache-2.0
"""The flow of a review as a page and as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sirolens.evidence.prisma.flow import Flow
from sirolens.message import info
from sirolens.report.document import Block, Column, Document, Findings, Table
from sirolens.study.review.figures import flow_figure

__all__ = ["flow_document", "flow_json", "flow_table"]

LINES = (
    "identified",
    "known",
    "duplicates",
    "automatic",
    "removed",
    "screened",
    "excluded",
    "pending",
    "sought",
    "not_retrieved",
    "retrieval_pending",
    "assessed",
    "assessed_pending",
    "included",
)


def flow_table(flow: Flow, words: Mapping[str, str]) -> Table:
    """Return the counts of both arms, line by line; the terminal shows no figures."""
    rows = [
        (info(f"evidence.flow-{name.replace('_', '-')}"), getattr(flow.main, name), getattr(flow.other, name))
        for name in LINES
    ]
    reasons = dict.fromkeys((*flow.main.reasons, *flow.other.reasons))
    told = [
        (
            info("evidence.flow-reason", reason=words.get(reason, reason))
            if reason
            else info("evidence.flow-no-reason"),
            flow.main.reasons.get(reason, 0),
            flow.other.reasons.get(reason, 0),
        )
        for reason in reasons
    ]
    heads = ("line", "main", "other")
    return Table(
        columns=tuple(Column(head=info(f"evidence.column-flow-{name}"), name="count") for name in heads),
        rows=(*rows[:-1], *told, rows[-1]),
        marked=(len(rows) + len(told) - 1,),
    )


def included_table(flow: Flow) -> Table:
    """Return studies and reports: previous, dropped, reconsidered, new, total."""
    names = ("previous", "dropped", "reconsidered", "new", "total")
    rows = tuple(
        (info(f"evidence.flow-{name}"), getattr(flow, name).studies, getattr(flow, name).reports) for name in names
    )
    heads = ("line", "studies", "reports")
    columns = tuple(Column(head=info(f"evidence.column-flow-{name}"), name="count") for name in heads)
    return Table(columns=columns, rows=rows, marked=(len(names) - 1,))


def flow_document(flow: Flow, reasons: Mapping[str, str] | None = None, *, version: str) -> Document:
    """Lay the flow out: the diagram, and the same numbers as tables.

    Parameters
    ----------
    flow : Flow
    reasons : mapping of str to str, optional
        From `sirolens.study.review.figures.reason_words`.
    version : str
        Of the program.
    """
    words = {} if reasons is None else reasons
    blocks: list[Block] = [flow_figure(flow, words), flow_table(flow, words), included_table(flow)]
    if flow.messages:
        blocks.append(Findings(messages=flow.messages))
    return Document(title=info("evidence.flow-title"), blocks=tuple(blocks), version=version)


def flow_json(flow: Flow) -> dict[str, Any]:
    """Return the counts as JSON values."""
    told = asdict(flow)
    del told["messages"]
    return told
