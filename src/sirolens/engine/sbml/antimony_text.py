# SPDX-License-Identifier: Apache-2.0
"""Reads the statements of an Antimony text: where each name is defined, and what Antimony itself lets pass.

Antimony translates to SBML without line numbers; what is said about a model must name lines of the text the user wrote.
Formulas are not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from sirolens.message import Message, Place, error

__all__ = ["Statement", "TextLines", "silent_faults", "statements", "text_lines"]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SKIPPED = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/|\"[^\"\n]*\"", re.DOTALL)
_WORDS = r"(?:(?:const|var|ext|species|compartment|formula|parameter|substanceOnly)\s+)*"
_ASSIGNED = re.compile(rf"\s*{_WORDS}\$?({_NAME})\s*(?:in\s+{_NAME}\s*)?(?:identical\s*)?=(?!=)")
_RULE = re.compile(rf"\s*{_WORDS}\$?({_NAME})\s*(?::=|'\s*=)")
_LABEL = re.compile(rf"\s*({_NAME})\s*:(?!=)")
_TOKEN = re.compile(rf"\b{_NAME}\b")
_ARROW = re.compile(r"->|=>|<->")
_OPENING = re.compile(rf"\s*(\*?\s*model|module|function)\b\s*\*?\s*({_NAME})?")


@final
@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the text, without comments and strings.

    Parameters
    ----------
    text : str
        What stands there.
    line : int
        Where it begins, counted from 1.
    scope : str
        Name of the model or function it stands in; "" outside.
    """

    text: str
    line: int
    scope: str


def _blanked(match: re.Match[str]) -> str:
    # Strings keep their marks, so that an import is still seen; line numbers stay.
    inside = "\n" * match[0].count("\n")
    return f'""{inside}' if match[0].startswith('"') else inside or " "


def statements(text: str) -> Iterator[Statement]:
    r"""Split a text at semicolons and ends of lines.

    Examples
    --------
    >>> [(s.line, s.text.strip(), s.scope) for s in statements("model m()\n k=1; A'=-k // loss\nend")]
    [(1, 'model m()', 'm'), (2, 'k=1', 'm'), (2, "A'=-k", 'm'), (3, 'end', 'm')]
    """
    scope = ""
    for number, line in enumerate(_SKIPPED.sub(_blanked, text).split("\n"), start=1):
        for part in line.split(";"):
            opening = _OPENING.match(part)
            if opening:
                scope = opening[2] or opening[1]
            if part.strip():
                yield Statement(part, number, scope)
            if part.strip() == "end":
                scope = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TextLines:
    """Where each name of a text stands.

    Parameters
    ----------
    rules, labels, values, mentions : dict of str to int
        Line of the rule of a name, of the reaction or event it labels, of its value, and where it first appears.
    """

    rules: dict[str, int]
    labels: dict[str, int]
    values: dict[str, int]
    mentions: dict[str, int]

    def of(self, name: str) -> int | None:
        r"""Return the line that says most about a name.

        >>> text_lines("A = 1\nA' = -k*A").of("A"), text_lines("A = 1").of("B")
        (2, None)
        """
        for group in (self.rules, self.labels, self.values, self.mentions):
            if name in group:
                return group[name]
        return None


def text_lines(text: str) -> TextLines:
    """Find where each name of an Antimony text stands.

    Reactions and events without a name bear the names Antimony gives them, ``_J0``, ``_E0`` and so on.
    """
    lines = TextLines(rules={}, labels={}, values={}, mentions={})
    nameless = {"_J": 0, "_E": 0}
    for statement in statements(text):
        for group, pattern in ((lines.rules, _RULE), (lines.labels, _LABEL), (lines.values, _ASSIGNED)):
            found = pattern.match(statement.text)
            if found:
                group.setdefault(found[1], statement.line)
        is_event = re.match(r"\s*at\b", statement.text) is not None
        if is_event or (_ARROW.search(statement.text) and not _LABEL.match(statement.text)):
            kind = "_E" if is_event else "_J"
            lines.labels.setdefault(f"{kind}{nameless[kind]}", statement.line)
            nameless[kind] += 1
        for name in _TOKEN.findall(statement.text):
            lines.mentions.setdefault(name, statement.line)
    return lines


def silent_faults(text: str, file: str | None) -> Iterator[Message]:
    """Yield what Antimony would accept without a word.

    Returns
    -------
    iterator of Message
        ``sbml.import`` for a file the text would draw in, ``sbml.assigned-twice`` for a name with two values, of which
        Antimony keeps the last.
    """
    first: dict[tuple[str, str], int] = {}
    for statement in statements(text):
        place = Place(file=file, line=statement.line)
        if re.match(r"\s*import\b", statement.text):
            yield error("sbml.import", place=place)
        found = _ASSIGNED.match(statement.text)
        if found and not re.match(r"\s*(unit|function)\b", statement.text):
            key = (statement.scope, found[1])
            if key in first:
                yield error("sbml.assigned-twice", place=place, name=found[1], first_line=first[key])
            first.setdefault(key, statement.line)
