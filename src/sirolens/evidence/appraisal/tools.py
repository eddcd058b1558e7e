# SPDX-License-Identifier: Apache-2.0
"""The tools of appraisal as data: RoB 2, ROBINS-I, JBI for case series, MINORS; and which one for which design."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

from sirolens.errors import UnknownNameError
from sirolens.evidence.extraction.studies import Design
from sirolens.message import Message, error, info
from sirolens.source import Mark, Source

__all__ = [
    "NOT_APPLICABLE",
    "NO_INFORMATION",
    "OVERALL",
    "TOOLS",
    "Tool",
    "appraisal_tool",
    "item_words",
    "judgement_words",
    "source_of",
    "tool_for",
]

NO_INFORMATION = "no-information"
NOT_APPLICABLE = "not-applicable"
OVERALL = "overall"
OUTSIDE = MappingProxyType({NO_INFORMATION: "No information", NOT_APPLICABLE: "Not applicable"})
"""Levels that every tool has here, with their robvis words."""
UNREAD = (Mark.SEEN_SECOND_HAND, Mark.MEMORY)
TOOLS = ("rob-2", "robins-i", "jbi-case-series", "minors")
_FOR = MappingProxyType(
    {Design.RANDOMISED: "rob-2", Design.COMPARATIVE: "robins-i", Design.SINGLE_ARM: "jbi-case-series"}
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One appraisal tool.

    Parameters
    ----------
    name : str
    items : tuple of str
        Domains or questions, in the order of the tool.
    comparative_items : tuple of str
        Further items for studies with a comparison.
    levels : tuple of str
        Best first, `NO_INFORMATION` and `NOT_APPLICABLE` last.
    robvis : mapping
        Level -> the word robvis uses; for a tool that it does not know, the words of its "Generic" drawing.
    own : mapping
        Level -> the tool's own word, where it is another one.
    overall : {"worst", "none"}
        How the items make one judgement; "none": they do not, and no sum is made.
    outranks_missing : str
        From this level on an item decides the overall judgement even where other items lack information.
    items_source, overall_source : Source
        Where they were read; what was not read at the source is `unverified`.
    """

    name: str
    items: tuple[str, ...]
    comparative_items: tuple[str, ...]
    levels: tuple[str, ...]
    robvis: Mapping[str, str]
    own: Mapping[str, str]
    overall: str
    outranks_missing: str
    items_source: Source
    overall_source: Source | None

    @property
    def all_items(self) -> tuple[str, ...]:
        """Every item, those for comparisons last."""
        return (*self.items, *self.comparative_items)

    def rank(self, level: str) -> int:
        """Position of a level, best first."""
        return self.levels.index(level)

    @property
    def unverified(self) -> tuple[Message, ...]:
        """What of the tool was not read at its source.

        >>> [message.code for message in appraisal_tool("robins-i").unverified]
        ['appraisal.overall-unverified']
        """
        found = []
        if self.items_source.mark in UNREAD:
            found.append(info("appraisal.items-unverified", tool=self.name))
        if self.overall_source is not None and self.overall_source.mark in UNREAD:
            found.append(info("appraisal.overall-unverified", tool=self.name))
        return tuple(found)


def source_of(told: Mapping[str, Any]) -> Source:
    """Return a source out of a table of a data file.

    >>> source_of({"title": "Invented", "mark": "seen", "year": 2020}).cite()
    'Invented (2020)'
    """
    return Source(
        title=told["title"],
        mark=Mark(told["mark"]),
        year=told.get("year"),
        doi=told.get("doi"),
        url=told.get("url"),
        place=told.get("place"),
    )


@cache
def appraisal_tool(name: str) -> Tool:
    """Return a tool of the package.

    Parameters
    ----------
    name : str
        One of `TOOLS`.

    Raises
    ------
    UnknownNameError
        ``appraisal.no-such-tool``, listing what is known.

    Examples
    --------
    >>> appraisal_tool("rob-2").levels
    ('low', 'some-concerns', 'high', 'no-information', 'not-applicable')
    """
    if name not in TOOLS:
        raise UnknownNameError(error("appraisal.no-such-tool", value=name, expected=", ".join(TOOLS)))
    path = files("sirolens.evidence").joinpath("data", "appraisal", f"{name}.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    words = {level["name"]: level["robvis"] for level in data["levels"]} | dict(OUTSIDE)
    return Tool(
        name=data["name"],
        items=tuple(data["items"]),
        comparative_items=tuple(data.get("comparative_items", ())),
        levels=tuple(words),
        robvis=MappingProxyType(words),
        own=MappingProxyType({level["name"]: level["own"] for level in data["levels"] if "own" in level}),
        overall=data["overall"],
        outranks_missing=data.get("outranks_missing", ""),
        items_source=source_of(data["items_source"]),
        overall_source=source_of(data["overall_source"]) if "overall_source" in data else None,
    )


def tool_for(design: Design) -> str | None:
    """Return the tool for a design: randomised RoB 2, comparative ROBINS-I, single arm JBI; None for a single case.

    >>> tool_for(Design.SINGLE_ARM), tool_for(Design.CASE_REPORT)
    ('jbi-case-series', None)
    """
    return _FOR.get(design)


def item_words(tool: str, item: str) -> Message:
    """Return the message that names an item of a tool, or `OVERALL`.

    >>> item_words("rob-2", "randomisation").code, item_words("rob-2", OVERALL).code
    ('appraisal.rob-2-randomisation', 'appraisal.overall')
    """
    return info("appraisal.overall") if item == OVERALL else info(f"appraisal.{tool}-{item}")


def judgement_words(level: str) -> Message:
    """Return the message that names a level of judgement.

    >>> judgement_words("some-concerns").code
    'appraisal.level-some-concerns'
    """
    return info(f"appraisal.level-{level}")
