# SPDX-License-Identifier: Apache-2.0
"""A document in one language: every message said, every value written, nothing laid out yet.

The four renderers read this and only this, so that they cannot differ in content. Its blocks are plain dictionaries of
texts, which JSON can carry to the PDF's layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from sirolens.message import Message, Value
from sirolens.report.catalogue import language_of
from sirolens.report.document import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Findings,
    Frame,
    Heading,
    Headline,
    Interval,
    KeyFact,
    KeyFacts,
    PageBreak,
    Paragraph,
    Table,
)
from sirolens.report.drawing import Drawing, text_width
from sirolens.report.format import bare_number, format_date, unit_text
from sirolens.report.words import cite, label, mark_word, say, say_value, severity_word
from sirolens.source import Mark, Source

__all__ = ["Worded", "texts", "unbroken", "worded"]

MISSING = "–"
NOT_SHOWN = frozenset({"kind", "name", "severity", "alt"})
FACT_SQUARES = 22.0  # longest text, in widths of a Chinese character, that fits beside other facts
CERTAIN = frozenset({Mark.SEEN, Mark.DERIVED, Mark.MEASURED})
_BEFORE_UNIT = re.compile(
    r"(?<=\d) (?=(?:mg|mcg|kg|g|ng|pg|µmol|mmol|mL|L|U|h|cm|m²|SD|%|×10|days?|weeks?|months?|years?"
    r"|天|周|个月|年|岁|倍|分钟)(?![A-Za-z]))"
)
_IN_DATE = re.compile(r"\b(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4})\b")


def unbroken(text: str) -> str:
    r"""Keep a number and its unit, and the parts of a date, on one line.

    >>> unbroken("take 2 mg").split(" ")
    ['take', '2\xa0mg']
    """
    return _IN_DATE.sub("\\1\u00a0\\2\u00a0\\3", _BEFORE_UNIT.sub("\u00a0", text))


def _squares(text: str) -> float:
    return text_width(text, 1.0)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A document in one language.

    Parameters
    ----------
    language : str
        ``"en"`` or ``"zh"``.
    title, banner, intended_use, made, invented : str
        The texts that stand on every page; empty where the document has none.
    blocks : tuple of mapping
        The blocks: ``kind`` and texts.
    drawings : mapping of str to Drawing
        The drawings by the names of their figures.
    zone : str, optional
        The clinic's time zone.
    """

    language: str
    title: str
    banner: str
    intended_use: str
    made: str
    invented: str
    blocks: tuple[Mapping[str, Any], ...]
    drawings: Mapping[str, Drawing]
    zone: str | None


def worded(document: Document, language: str) -> Worded:
    """Put a document into words.

    Parameters
    ----------
    document : Document
        The document.
    language : str
        ``"en"`` or ``"zh"``, or a tag of either.
    """
    language = language_of(language)
    speaker = _Speaker(language=language, zone=document.zone)
    blocks = tuple(speaker.block(block) for block in document.blocks)
    drawings = {figure.name: figure.drawing for figure in _figures(document.blocks)}
    if len(drawings) != sum(1 for _ in _figures(document.blocks)):
        raise ValueError("two figures of one document have the same name")
    return Worded(
        language=language,
        title=speaker.said(document.title),
        banner="" if document.banner is None else speaker.said(document.banner),
        intended_use=label("report.intended-use", language),
        made=_made(document, language),
        invented=label("report.invented", language) if document.invented else "",
        blocks=blocks,
        drawings=drawings,
        zone=document.zone,
    )


def _made(document: Document, language: str) -> str:
    program = label("report.program", language, version=document.version) if document.version else ""
    if document.made_at is None:
        return program
    day = format_date(document.made_at, language, document.zone)
    return label("report.made", language, day=day, program=program)


def _figures(blocks: Sequence[Block]) -> Iterator[Figure]:
    for block in blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, Frame):
            yield from _figures(block.blocks)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Speaker:
    language: str
    zone: str | None

    def said(self, message: Message) -> str:
        return say(message, self.language, zone=self.zone)

    def sentences(self, messages: Sequence[Message]) -> str:
        text = ""
        for message in messages:
            said = self.said(message)
            text = label("report.two-sentences", self.language, first=text, second=said) if text else said
        return text

    def value(self, name: str, value: Value) -> str:
        return say_value(name, value, self.language, zone=self.zone)

    def source(self, source: Source | None) -> str:
        if source is None:
            return ""
        cited = label("report.source", self.language, cite=cite(source, self.language))
        if source.mark in CERTAIN:
            return cited
        return label("report.source-mark", self.language, cite=cited, told=mark_word(source.mark, self.language))

    def cell(self, column: Column, cell: Cell) -> str:
        if cell is None:
            return MISSING
        if isinstance(cell, Interval):
            low, middle, high = (
                bare_number(column.name, one, self.language) for one in (cell.low, cell.middle, cell.high)
            )
            if cell.low < 0:  # a dash beside a minus sign cannot be read
                return label("report.interval-signed", self.language, middle=middle, low=low, high=high)
            return f"{middle} ({low}–{high})"
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return bare_number(column.name, cell, self.language)
        return self.value(column.name, cell)

    def head(self, column: Column) -> dict[str, str]:
        return {"text": self.said(column.head), "unit": unit_text(column.name, self.language)}

    def block(self, block: Block) -> dict[str, Any]:
        match block:
            case Heading():
                return {"kind": "heading", "level": block.level, "text": self.said(block.text)}
            case Headline():
                return {
                    "kind": "headline",
                    "severity": block.text.severity.value,
                    "text": self.said(block.text),
                    "details": [self.said(detail) for detail in block.details],
                }
            case Paragraph():
                return {"kind": "paragraph", "text": self.sentences(block.sentences)}
            case Findings():
                return {"kind": "findings", "items": [self.finding(message) for message in block.messages]}
            case KeyFacts():
                return {"kind": "facts", "items": [self.fact(fact) for fact in block.facts]}
            case Table():
                return self.table(block)
            case Figure():
                caption = "" if block.caption is None else self.said(block.caption)
                return {"kind": "figure", "name": block.name, "alt": self.said(block.alt), "caption": caption}
            case Frame():
                inside = [self.block(one) for one in block.blocks]
                return {"kind": "frame", "word": label("report.research-frame", self.language), "blocks": inside}
            case PageBreak():
                return {"kind": "page-break"}

    def fact(self, fact: KeyFact) -> dict[str, Any]:
        value = self.value(fact.name, fact.value)
        return {"label": self.said(fact.label), "value": value, "wide": _squares(value) > FACT_SQUARES}

    def finding(self, message: Message) -> dict[str, str]:
        return {
            "severity": message.severity.value,
            "word": severity_word(message.severity, self.language),
            "text": self.said(message),
            "source": self.source(message.source),
        }

    def table(self, table: Table) -> dict[str, Any]:
        numeric = [
            bool(unit_text(column.name, self.language)) or column.name.endswith("probability")
            for column in table.columns
        ]
        rows: list[dict[str, Any]] = [
            {
                "marked": index in table.marked,
                "cells": [self.cell(column, cell) for column, cell in zip(table.columns, row, strict=True)],
            }
            for index, row in enumerate(table.rows)
        ]
        return {
            "kind": "table",
            "caption": "" if table.caption is None else self.said(table.caption),
            "heads": [self.head(column) for column in table.columns],
            "numeric": numeric,
            "rows": rows,
            "notes": [self.said(note) for note in table.notes],
        }


def texts(page: Worded) -> tuple[str, ...]:
    """List every text a reader must find, whatever the renderer; a figure is stood for by its caption."""
    found: list[str] = [page.title, page.banner, page.intended_use, page.made, page.invented]

    def visit(part: Any, key: str = "") -> None:
        if isinstance(part, Mapping):
            for name, value in part.items():
                visit(value, name)
        elif isinstance(part, list | tuple):
            for value in part:
                visit(value, key)
        elif isinstance(part, str) and key not in NOT_SHOWN:
            found.append(part)

    visit(page.blocks)
    return tuple(text for text in found if text)
