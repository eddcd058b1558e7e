# SPDX-License-Identifier: Apache-2.0
"""What the pages of a study report share: named tables, cells of rates and P values, names of arms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from sirolens.engine.statistics import interval as statistics
from sirolens.message import Message, Value, info
from sirolens.report.distribution_figure import MOST_POINTS, Distributions
from sirolens.report.document import Block, Cell, Column, Interval, Table
from sirolens.response.cohort import Characteristic, Cohort
from sirolens.study.cohort.response import Rate

__all__ = [
    "NamedTable",
    "Part",
    "arm_name",
    "as_interval",
    "blocks_of",
    "caption_of",
    "declared_name",
    "label_value",
    "p_value",
    "percent_interval",
    "share_text",
    "significant",
    "table_of",
    "tables_of",
]

SMALLEST_P = 0.001


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTable:
    """A table with the name of its file or sheet; one that is not shown is only exported."""

    name: str
    table: Table
    shown: bool = True


Part: TypeAlias = Block | NamedTable


def blocks_of(parts: Iterable[Part]) -> tuple[Block, ...]:
    """Return what the page shows."""
    shown = [one for one in parts if not isinstance(one, NamedTable) or one.shown]
    return tuple(one.table if isinstance(one, NamedTable) else one for one in shown)


def tables_of(parts: Iterable[Part]) -> dict[str, Table]:
    """Return the tables by name, shown or not."""
    return {one.name: one.table for one in parts if isinstance(one, NamedTable)}


def caption_of(drawing: Distributions, text: Message) -> Message:
    """Return a figure's caption, which says so where not every point is drawn."""
    return info("study.caption-some", caption=text, most=MOST_POINTS) if drawing.thinned else text


def table_of(
    columns: Sequence[tuple[Message, str]],
    rows: Iterable[Sequence[Cell]],
    *,
    caption: Message,
    notes: Sequence[Message] = (),
    marked: Sequence[int] = (),
) -> Table:
    """Make a table of heads, names and rows."""
    return Table(
        columns=tuple(Column(head=head, name=name) for head, name in columns),
        rows=tuple(tuple(row) for row in rows),
        caption=caption,
        notes=tuple(notes),
        marked=tuple(marked),
    )


def arm_name(cohort: Cohort, arm: str | None) -> Message | str:
    """Name an arm by its title; None is everybody."""
    return info("study.all-patients") if not arm else cohort.arm_titles.get(arm, "") or arm


def declared_name(one: Characteristic, language: str) -> str:
    """Name a characteristic as the study does, in the language it gives it in."""
    title = (one.title_zh or one.title) if language == "zh" else one.title
    name = title or one.name
    return f"{name} ({one.unit})" if one.unit else name


def label_value(value: Message | str) -> Value:
    """Let a name stand as a cell."""
    return value


def p_value(p: float) -> Value:
    """Write a P value with the digits it deserves; None where there is none.

    >>> p_value(0.02494), p_value(0.6087), p_value(float("nan"))
    (0.0249, 0.609, None)
    >>> p_value(1e-6).code
    'study.p-small'
    """
    if not math.isfinite(p):
        return None
    if p < SMALLEST_P:
        return info("study.p-small", limit=SMALLEST_P)
    return round(p, 3) if p >= 0.1 else round(p, 4)


def significant(value: float, digits: int = 3) -> float:
    """Round a ratio or an area to the digits that mean something.

    >>> significant(0.034456), significant(51.71)
    (0.0345, 51.7)
    """
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value


def as_interval(middle: float, found: statistics.Interval) -> Interval | None:
    """Put an estimate and its interval into one cell."""
    if not math.isfinite(middle):
        return None
    return Interval(middle=significant(middle), low=significant(found.low), high=significant(found.high))


def percent_interval(share: float, found: statistics.Interval) -> Interval | None:
    """Put a share and its interval into one cell, in percent with one decimal."""
    if not math.isfinite(share):
        return None
    return Interval(middle=round(100 * share, 1), low=round(100 * found.low, 1), high=round(100 * found.high, 1))


def share_text(rate: Rate) -> str:
    """Write a count of how many.

    >>> from sirolens.study.cohort.response import rate
    >>> from sirolens.study.cohort.protocol import StudyProtocol
    >>> share_text(rate("overall", 12, 20, StudyProtocol()))
    '12/20'
    """
    return f"{rate.k}/{rate.n}"
