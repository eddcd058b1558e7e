# SPDX-License-Identifier: Apache-2.0
"""XML that cannot do harm: records are cut out of the text and parsed one by one, so that a fault stays in its record.

A definition of an entity is refused, and nothing outside the text is ever opened: no document type definition is
loaded, no external entity followed. The text is cut at the tags of its records (comments and CDATA are stepped over),
and each piece goes through the standard library's expat alone. A piece begins with its own tag, so it has no room for
a document type and no entity can be defined in it: nothing can expand. A name that the unread definition would have
explained (``&eacute;``) is looked up among HTML's; one that is not there stays as it is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.entities import html5
from typing import final
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.parsers.expat.errors import XML_ERROR_UNBOUND_PREFIX, codes

from sirolens.errors import InputError
from sirolens.message import Message, Place, error

__all__ = ["Piece", "document", "pieces", "text_of"]

DEEPEST = 200
"""Levels of elements inside a record; formulas in titles need about 30."""

LARGEST_RECORD_CHARACTERS = 16_000_000
"""A record longer than this is not a bibliographic record; books with thousands of authors need about a million."""

LARGEST_TEXT_CHARACTERS = 2_000_000_000
"""More does not fit into the memory of an ordinary machine together with its records."""

_DEFINITION = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|(<!ENTITY)", re.DOTALL)
_UNBOUND_PREFIX = codes[XML_ERROR_UNBOUND_PREFIX]
_PREFIX = re.compile(r"(?:</?|\s)([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*(?=[\s=/>])")
_DECLARED = re.compile(r"\sxmlns:([\w.-]+)\s*=")
_TAG_NAME = re.compile(r"<[^\s/>]+")
_UNKNOWN = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z]")
_NAMED = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))|&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]*);", re.DOTALL)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One record's element with its place, or the text around records.

    Parameters
    ----------
    raw : str
        The text, exactly as it stands.
    first_line, last_line : int
        Counted from 1, both included; records on one line share it.
    element : Element or None
        The parsed record; None for the text around records and for a record that cannot be parsed.
    tag : str
        Which record it is or begins as; empty for the text around records.
    fault : Message or None
        Why a record could not be parsed, with file and line.
    """

    raw: str
    first_line: int
    last_line: int
    element: Element | None = None
    tag: str = ""
    fault: Message | None = None


def pieces(text: str, tags: Iterable[str], *, file: str = "") -> Iterator[Piece]:
    """Cut a text at its records and parse each; the pieces together are the whole text but for blank space.

    Records do not nest: where one begins before the last was closed, the last is told as cut off.

    Parameters
    ----------
    text : str
        Decoded; a declared encoding is of no account any more. Several documents may follow each other, with or
        without declaration.
    tags : iterable of str
        Names of the elements that are records.
    file : str
        For messages.

    Raises
    ------
    InputError
        An entity is defined anywhere, or the text is beyond `LARGEST_TEXT_CHARACTERS`.

    Examples
    --------
    >>> [(p.tag, p.raw) for p in pieces("<set><one><i>In</i>vented</one><one>cut", ["one"])]
    [('', '<set>'), ('one', '<one><i>In</i>vented</one>'), ('one', '<one>cut')]
    """
    _refuse_harm(text, file)
    done, line = 0, 1
    for start, end, tag, whole in _spans(text, tags):
        frame = _piece(text[done:start], line, file)
        if frame is not None:
            yield frame
        line += text.count("\n", done, start)
        found = _piece(text[start:end], line, file, tag=tag, whole=whole)
        if found is not None:
            yield found
        line += text.count("\n", start, end)
        done = end
    rest = _piece(text[done:], line, file)
    if rest is not None:
        yield rest


def _spans(text: str, tags: Iterable[str]) -> Iterator[tuple[int, int, str, bool]]:
    """Yield each record's start, end, name and whether it is closed.

    Every alternative of the pattern ends at the latest with the text, and none looks beyond the next ``<``, but for
    comments and CDATA, which are read once: the time stays proportional to the text whatever stands in it.
    """
    names = "|".join(map(re.escape, tags))
    edge = re.compile(
        rf"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<(?P<close>/?)(?P<tag>{names})(?=[\s/>])[^<>]*>?", re.DOTALL
    )
    opened: re.Match[str] | None = None
    for match in edge.finditer(text):
        if match["tag"] is None:
            continue
        if match["close"]:
            if opened is not None and opened["tag"] == match["tag"]:
                yield opened.start(), match.end(), match["tag"], True
                opened = None
            continue
        if opened is not None:
            yield opened.start(), match.start(), opened["tag"], False
            opened = None
        if match[0].endswith("/>"):
            yield match.start(), match.end(), match["tag"], True
        else:
            opened = match
    if opened is not None:
        yield opened.start(), len(text), opened["tag"], False


def _piece(raw: str, line: int, file: str, *, tag: str = "", whole: bool = True) -> Piece | None:
    """Make a piece of a text that begins at this line, without the blank space around it; None when it is blank."""
    bare = raw.strip()
    if not bare:
        return None
    first = line + raw.count("\n", 0, len(raw) - len(raw.lstrip()))
    last = first + bare.count("\n")
    element, fault = _parsed(bare, first, tag, file, whole) if tag else (None, None)
    return Piece(raw=bare, first_line=first, last_line=last, element=element, tag=tag, fault=fault)


def _parsed(raw: str, line: int, tag: str, file: str, whole: bool) -> tuple[Element | None, Message | None]:
    """Parse one record, or say why it cannot be."""
    here = Place(file=file or None, line=line)
    if len(raw) > LARGEST_RECORD_CHARACTERS:
        return None, error("retrieval.xml-too-long", place=here, tag=tag, limit=LARGEST_RECORD_CHARACTERS)
    if not whole:
        return None, error("retrieval.xml-cut", place=here, tag=tag)
    try:
        element = _element(_explained(raw))
    except ParseError as fault:
        place = Place(file=file or None, line=line + fault.position[0] - 1)
        return None, error("retrieval.xml-fault", place=place, tag=tag, column=fault.position[1] + 1)
    if _deeper_than(element, DEEPEST):
        return None, error("retrieval.xml-too-deep", place=here, tag=tag, limit=DEEPEST)
    return element, None


def _element(text: str) -> Element:
    """Parse a record; prefixes that the file declares outside it (``mml:``) are declared in it."""
    try:
        return fromstring(text)
    except ParseError as fault:
        if fault.code != _UNBOUND_PREFIX:
            raise
    known = {"xml", "xmlns", *_DECLARED.findall(text[: text.find(">")])}
    declared = "".join(f' xmlns:{one}="urn:prefix:{one}"' for one in sorted(set(_PREFIX.findall(text)) - known))
    return fromstring(_TAG_NAME.sub(lambda match: match[0] + declared, text, count=1))


def document(text: str, *, file: str = "") -> Element:
    """Parse one whole document, such as a service's answer.

    Raises
    ------
    InputError
        It is not well formed (with line and column), defines an entity, or is too deep or too large.

    Examples
    --------
    >>> text_of(document("<answer><Count>25</Count></answer>").find("Count"))
    '25'
    """
    _refuse_harm(text, file)
    try:
        root = fromstring(_explained(text))
    except ParseError as fault:
        line, column = fault.position
        place = Place(file=file or None, line=line)
        raise InputError(error("retrieval.xml-fault", place=place, tag="document", column=column + 1)) from fault
    if _deeper_than(root, DEEPEST):
        raise InputError(error("retrieval.xml-too-deep", place=Place(file=file or None), tag=root.tag, limit=DEEPEST))
    return root


def text_of(element: Element | None) -> str:
    """Return the whole text of an element with everything inside it, spaces evened; empty for None.

    >>> text_of(document("<t>CD4<sup>+</sup> T   <i>cells</i></t>"))
    'CD4+ T cells'
    """
    if element is None:
        return ""
    text = "".join(element.itertext()) if len(element) else element.text or ""  # most hold no element
    return " ".join(text.split())


def _refuse_harm(text: str, file: str) -> None:
    """Refuse a text that defines an entity, wherever it does, or that is too large."""
    if len(text) > LARGEST_TEXT_CHARACTERS:
        limit = LARGEST_TEXT_CHARACTERS
        raise InputError(error("retrieval.xml-too-long", place=Place(file=file or None), tag="document", limit=limit))
    if "<!ENTITY" not in text:
        return
    for match in _DEFINITION.finditer(text):
        if match[1]:
            line = text.count("\n", 0, match.start()) + 1
            raise InputError(error("retrieval.xml-entity", place=Place(file=file or None, line=line)))


def _explained(raw: str) -> str:
    """Write named characters that XML itself does not know as the characters they name."""

    def character(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        named = html5.get(f"{match[2]};")
        return f"&amp;{match[2]};" if named is None else named.replace("&", "&amp;").replace("<", "&lt;")

    return _NAMED.sub(character, raw) if _UNKNOWN.search(raw) else raw


def _deeper_than(element: Element, limit: int) -> bool:
    level = [element]
    for _ in range(limit):
        level = [child for parent in level for child in parent]
        if not level:
            return False
    return True
