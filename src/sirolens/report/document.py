# SPDX-License-Identifier: Apache-2.0
"""The block model: a report as a tuple of blocks made of messages, values and drawings, still without a language.

A `Document` is written once and shown by four renderers (terminal, HTML, PDF, DOCX) in either language with the same
content. The intended-use sentence is no block: every renderer puts it on every page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, final

from sirolens.message import Message, Value
from sirolens.report.drawing import Drawing

__all__ = [
    "Block",
    "Cell",
    "Column",
    "Document",
    "Figure",
    "Findings",
    "Frame",
    "Heading",
    "Headline",
    "Interval",
    "KeyFact",
    "KeyFacts",
    "PageBreak",
    "Paragraph",
    "Table",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A middle value with its interval, shown as ``7.2 (4.1-12.6)``."""

    middle: float
    low: float
    high: float


Cell: TypeAlias = Value | Interval


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of level 2 (a part of the report) or 3 (a part of a part)."""

    text: Message
    level: int = 2


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The one thing to read: a sentence in large type, with what belongs to it under it.

    Parameters
    ----------
    text : Message
        The sentence; its severity gives the colour.
    details : tuple of Message
        Sentences under it.
    """

    text: Message
    details: tuple[Message, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Sentences that belong together."""

    sentences: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Messages with the shape and the word of their severity and their source, in the order given."""

    messages: tuple[Message, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFact:
    """A value with its label.

    Parameters
    ----------
    label : Message
        What it is.
    value : Value
        The value; a message is said.
    name : str
        Name of the value, whose ending gives the unit.
    """

    label: Message
    value: Value
    name: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """Labels and values side by side."""

    facts: tuple[KeyFact, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    head : Message
        Its head; the unit is added to it.
    name : str
        Name of its values, whose ending gives the unit; without unit, such as ``"regimen"``, the cells are text.
    """

    head: Message
    name: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of values under columns that name the unit once.

    Parameters
    ----------
    columns : tuple of Column
        The columns.
    rows : tuple of tuple of Cell
        One cell for each column; None is shown as a dash.
    caption : Message, optional
        What the table shows.
    notes : tuple of Message
        Sentences under it.
    marked : tuple of int
        Indices of the rows to stand out, such as the regimen taken now.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: Message | None = None
    notes: tuple[Message, ...] = ()
    marked: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} columns")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing with its caption and, for those who do not see it, what it shows.

    Parameters
    ----------
    name : str
        Unique in its document: letters, digits and hyphens.
    drawing : Drawing
        What is drawn.
    alt : Message
        What it shows, in a sentence.
    caption : Message, optional
        The line under it.
    """

    name: str
    drawing: Drawing
    alt: Message
    caption: Message | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PageBreak:
    """On paper, what follows begins on a new page."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Research output: the blocks inside stand in a frame that says on every side that it is not for dosing."""

    blocks: tuple[Block, ...]


Block: TypeAlias = Heading | Headline | Paragraph | Findings | KeyFacts | Table | Figure | PageBreak | Frame


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report.

    Parameters
    ----------
    title : Message
        What it is.
    blocks : tuple of Block
        Its content.
    banner : Message, optional
        Whose report it is; stands on every page.
    made_at : datetime, optional
        The instant it speaks for.
    version : str
        Version of the program.
    zone : str, optional
        The clinic's time zone, an IANA name; all instants are written in it.
    invented : bool
        The patient does not exist; every page says so.

    Examples
    --------
    >>> from sirolens.message import info
    >>> Document(title=info("report.demo-title"), blocks=(Paragraph(sentences=(info("report.demo"),)),)).zone is None
    True
    """

    title: Message
    blocks: tuple[Block, ...]
    banner: Message | None = None
    made_at: datetime | None = None
    version: str = ""
    zone: str | None = None
    invented: bool = False
