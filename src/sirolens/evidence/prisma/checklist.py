# SPDX-License-Identifier: Apache-2.0
"""The items of the PRISMA 2020 checklist, and which part of a review's report answers each.

What a program cannot know (rationale, interpretation, funding) is the authors' to write, and is listed as theirs: the
checklist never says that something is reported because a page exists.

Source of items: Page et al., BMJ 2021;372:n71, doi:10.1136/bmj.n71 (topics in our words).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import final

__all__ = ["ITEMS", "Item", "Part"]


class Part(StrEnum):
    """Where the report answers an item."""

    AUTHORS = "authors"  # nothing in the folder can answer it
    QUESTION = "question"
    PROTOCOL = "protocol"
    SEARCHES = "searches"
    FLOW = "flow"
    STUDIES = "studies"
    RISK = "risk"
    SYNTHESIS = "synthesis"
    CERTAINTY = "certainty"
    BASIS = "basis"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item.

    Parameters
    ----------
    number : str
        As printed, such as ``"13a"``.
    topic : str
        The code of its words.
    part : Part
    """

    number: str
    topic: str
    part: Part


def _items(*rows: tuple[str, str, Part]) -> tuple[Item, ...]:
    return tuple(Item(number=number, topic=topic, part=part) for number, topic, part in rows)


ITEMS = _items(
    ("1", "title", Part.BASIS),
    ("2", "abstract", Part.AUTHORS),
    ("3", "rationale", Part.AUTHORS),
    ("4", "objectives", Part.QUESTION),
    ("5", "eligibility", Part.QUESTION),
    ("6", "sources", Part.SEARCHES),
    ("7", "strategy", Part.SEARCHES),
    ("8", "selection-process", Part.PROTOCOL),
    ("9", "collection-process", Part.PROTOCOL),
    ("10a", "outcomes", Part.QUESTION),
    ("10b", "other-variables", Part.STUDIES),
    ("11", "risk-methods", Part.RISK),
    ("12", "effect-measures", Part.SYNTHESIS),
    ("13a", "synthesis-eligible", Part.SYNTHESIS),
    ("13b", "synthesis-preparation", Part.SYNTHESIS),
    ("13c", "synthesis-display", Part.SYNTHESIS),
    ("13d", "synthesis-methods", Part.SYNTHESIS),
    ("13e", "heterogeneity-methods", Part.SYNTHESIS),
    ("13f", "sensitivity-methods", Part.SYNTHESIS),
    ("14", "reporting-bias-methods", Part.SYNTHESIS),
    ("15", "certainty-methods", Part.CERTAINTY),
    ("16a", "selection", Part.FLOW),
    ("16b", "excluded", Part.FLOW),
    ("17", "characteristics", Part.STUDIES),
    ("18", "risk", Part.RISK),
    ("19", "individual-results", Part.SYNTHESIS),
    ("20a", "synthesis-studies", Part.SYNTHESIS),
    ("20b", "synthesis-results", Part.SYNTHESIS),
    ("20c", "heterogeneity", Part.SYNTHESIS),
    ("20d", "sensitivity", Part.SYNTHESIS),
    ("21", "reporting-bias", Part.SYNTHESIS),
    ("22", "certainty", Part.CERTAINTY),
    ("23a", "interpretation", Part.AUTHORS),
    ("23b", "limits-evidence", Part.AUTHORS),
    ("23c", "limits-process", Part.AUTHORS),
    ("23d", "implications", Part.AUTHORS),
    ("24a", "registration", Part.PROTOCOL),
    ("24b", "protocol", Part.PROTOCOL),
    ("24c", "amendments", Part.PROTOCOL),
    ("25", "support", Part.AUTHORS),
    ("26", "competing-interests", Part.AUTHORS),
    ("27", "availability", Part.BASIS),
)
"""The 27 items with their parts, in order."""
