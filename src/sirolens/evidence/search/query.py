# SPDX-License-Identifier: Apache-2.0
"""Concept blocks, from which the search expressions of every database are built.

A query is a list of blocks that must all be found (the drug, the disease), and perhaps of blocks that must not. A
block is a list of alternatives: words in English and Chinese, and headings of controlled vocabularies. It is written
once, in TOML, and `sirolens.evidence.search.databases` prints it in the language of each database. As a boolean
function, with any(b) true when one of the alternatives of block b is found::

    query = any(b1) AND any(b2) AND ... AND NOT any(e1) AND NOT any(e2) ...
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Final, final

from sirolens.errors import InputError
from sirolens.message import Place, Severity, error
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table
from sirolens.models.toml_text import toml_text
from sirolens.source import Mark

__all__ = [
    "DEFAULT_QUERY",
    "Block",
    "Field",
    "Heading",
    "Query",
    "Term",
    "Vocabulary",
    "default_query",
    "read_query",
    "read_query_file",
    "text_fault",
]

DEFAULT_QUERY: Final = "query_sirolimus_itp.toml"
LARGEST_FILE_BYTES: Final = 1_000_000
SHORTEST_STEM: Final = 4  # PubMed asks for at least four characters before the asterisk; the others ask for no more


class Field(StrEnum):
    """Where the words of a block are looked for; a database may lack one, and then says so."""

    TITLE = "title"
    ABSTRACT = "abstract"
    KEYWORD = "keyword"
    TITLE_ABSTRACT = "title-abstract"
    TOPIC = "topic"  # title, abstract and keywords, as the database itself bundles them
    ALL = "all"


class Vocabulary(StrEnum):
    """Controlled vocabularies."""

    MESH = "mesh"  # PubMed, CENTRAL
    EMTREE = "emtree"  # Embase
    CMESH = "cmesh"  # SinoMed: the Chinese headings of MeSH


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One word or phrase.

    Parameters
    ----------
    text : str
        Without quotation marks; an asterisk at the end of an English one cuts the word there.
    language : {"en", "zh", "both"}
        In which databases it is looked for; "both" for abbreviations such as ITP.
    mark : Mark
        How surely it belongs here: ``seen`` in the searches of the review or ``judge``.
    """

    text: str
    language: str = "en"
    mark: Mark = Mark.JUDGE


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """One heading of a controlled vocabulary, looked for with everything below it."""

    text: str
    vocabulary: Vocabulary
    mark: Mark = Mark.JUDGE


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One concept: its alternatives.

    Parameters
    ----------
    name : str
    terms : tuple of Term
    headings : tuple of Heading
    field : Field
        Where the terms are looked for.
    exclude : bool
        True when records with it are left out.
    """

    name: str
    terms: tuple[Term, ...] = ()
    headings: tuple[Heading, ...] = ()
    field: Field = Field.TOPIC
    exclude: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole search: blocks that must all be found, and blocks that must not."""

    title: str
    blocks: tuple[Block, ...]


def default_query() -> Query:
    """Return the shipped query: sirolimus in immune thrombocytopenia, English and Chinese.

    >>> [block.name for block in default_query().blocks]
    ['sirolimus', 'immune-thrombocytopenia']
    """
    return read_query((files("sirolens.evidence") / "data" / DEFAULT_QUERY).read_text("utf-8"), DEFAULT_QUERY)


def read_query_file(path: Path) -> Query:
    """Read a query from a TOML file; see `read_query`."""
    return read_query(toml_text(path, most_bytes=LARGEST_FILE_BYTES), path.name)


def read_query(text: str, file: str) -> Query:
    r"""Read and check a query.

    Parameters
    ----------
    text : str
        TOML: ``title`` and ``[[blocks]]`` with ``name``, ``field``, ``exclude``, ``terms`` and ``headings``.
    file : str
        Its name, for messages.

    Raises
    ------
    InputError
        With every fault of the file and its line: no block, an empty block, quotation marks or wildcards inside a term,
        a term or a block twice, a cut word that is too short, an unknown key.

    Examples
    --------
    >>> told = 'title = "Invented"\n[[blocks]]\nname = "drug"\nterms = [{text = "rapamycin", language = "both"}]'
    >>> [term.text for term in read_query(told, "a.toml").blocks[0].terms]
    ['rapamycin']
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=file, line=int(line[1]) if line else text.count("\n") + 1)
        raise InputError(error("models.not-toml", place=place, value=str(fault)[:80], expected="TOML")) from None
    faults = Faults(file, key_lines(text))
    root = Table(data, (), faults)
    title = root.text("title", required=True)
    names: set[str] = set()
    blocks = tuple(_block(table, names) for table in root.tables("blocks", required=True))
    root.close()
    if "blocks" in data and not any(not block.exclude for block in blocks):
        faults.wrong("chinese.query-no-block", ("blocks",), "blocks")
    wrong = [message for message in faults.messages if message.severity is Severity.ERROR]
    if wrong:
        raise InputError(*wrong)
    return Query(title=title, blocks=blocks)


def _block(table: Table, names: set[str]) -> Block:
    name = table.text("name", required=True)
    if name in names:
        table.faults.wrong("chinese.query-block-twice", (*table.path, "name"), name)
    names.add(name)
    field = table.text("field", default=Field.TOPIC, choices=tuple(Field))
    exclude = table.flag("exclude")
    seen: set[tuple[str, str]] = set()
    terms = tuple(_term(one, seen) for one in table.tables("terms"))
    headings = tuple(_heading(one, seen) for one in table.tables("headings"))
    table.close()
    if not terms and not headings:
        table.faults.wrong("chinese.query-block-empty", table.path, name)
    known = Field(field) if field in tuple(Field) else Field.TOPIC
    return Block(name=name, terms=terms, headings=headings, field=known, exclude=exclude)


def _term(table: Table, seen: set[tuple[str, str]]) -> Term:
    term = Term(
        text=_words(table, seen),
        language=table.text("language", default="en", choices=("en", "zh", "both")),
        mark=_mark(table),
    )
    table.text("note")
    table.close()
    if term.text and (fault := text_fault(term.text, term.language)) is not None:
        table.faults.wrong(fault[0], (*table.path, "text"), term.text, **fault[1])
    return term


def _heading(table: Table, seen: set[tuple[str, str]]) -> Heading:
    vocabulary = table.text("vocabulary", required=True, choices=tuple(Vocabulary))
    text = _words(table, seen, vocabulary)
    mark = _mark(table)
    table.text("note")
    table.close()
    if (fault := text_fault(text, heading=True)) is not None:
        table.faults.wrong(fault[0], (*table.path, "text"), text, **fault[1])
    known = Vocabulary(vocabulary) if vocabulary in tuple(Vocabulary) else Vocabulary.MESH
    return Heading(text=text, vocabulary=known, mark=mark)


def _words(table: Table, seen: set[tuple[str, str]], vocabulary: str = "") -> str:
    text = " ".join(table.text("text", required=True).split())
    if text and (text.lower(), vocabulary) in seen:
        table.faults.wrong("chinese.query-term-twice", (*table.path, "text"), text)
    seen.add((text.lower(), vocabulary))
    return text


def _mark(table: Table) -> Mark:
    mark = table.text("mark", default=Mark.JUDGE, choices=(Mark.SEEN, Mark.JUDGE))
    return Mark(mark) if mark in tuple(Mark) else Mark.JUDGE


# Quotation marks would end the phrase, brackets and the signs of operators would be read as such.
_SIGNS = re.compile(r"[\"“”„‟＂'‘`´\[\]{}()（）<>=?$#%&|\\^~:;+]")


def text_fault(text: str, language: str = "en", *, heading: bool = False) -> tuple[str, dict[str, str | int]] | None:
    """Say what makes a term or heading unwritable in every database: a message's code and its values; else None.

    >>> text_fault('immune "thrombocytopenia')
    ('chinese.query-quotes', {})
    >>> text_fault("CD4+"), text_fault("thrombocytopeni*")
    (('chinese.query-sign', {'sign': '+'}), None)
    """
    if text.count('"') % 2 or text.count("“") != text.count("”"):
        return "chinese.query-quotes", {}
    sign = _SIGNS.search(text)
    if sign is not None:
        return "chinese.query-sign", {"sign": sign[0]}
    if heading:
        return ("chinese.query-heading-cut", {}) if "*" in text else None
    stem = text.removesuffix("*")
    if "*" in stem:
        return "chinese.query-star-inside", {}
    if stem == text:
        return None
    if language != "en":
        return "chinese.query-star-chinese", {}
    if len(stem.split(" ")[-1]) < SHORTEST_STEM:
        return "chinese.query-stem-short", {"least": SHORTEST_STEM}
    return None
