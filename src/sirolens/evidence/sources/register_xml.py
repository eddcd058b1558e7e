# SPDX-License-Identifier: Apache-2.0
"""Reads XML of trial registers: the WHO portal's export, and trials in the form in which registers hand them to it.

The portal's form (``Trials_downloaded_from_ICTRP`` with a ``Trial`` for each registration) was seen in public code that
reads real exports. The other (``trials`` with a ``trial`` and its ``main``), which the Chinese Clinical Trial Registry
is said to offer as a download, is known from another register's code only and unverified for the Chinese one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from sirolens.evidence.record import Record
from sirolens.evidence.sources.registers import registration_values
from sirolens.evidence.sources.text import SIGNATURE, SourceText, Unread, half_record, heading, stray_lines
from sirolens.evidence.sources.xml_events import pieces, text_of

__all__ = ["NAME", "detect", "read"]

NAME: Final = "register-xml"

_ROOT = re.compile(r"<(?:Trials_downloaded_from_ICTRP|trials|triallist)\b", re.IGNORECASE)
_FRAME = re.compile(
    r"(?:\s|(?><\?.*?\?>)|(?><!--.*?-->)|<!DOCTYPE[^>\[]*+>|"
    r"</?(?:Trials_downloaded_from_ICTRP|trials|triallist)\b[^>]*+>)*+",
    re.DOTALL | re.IGNORECASE,
)


def detect(head: str) -> int:
    """Tell a register's XML by its outermost element."""
    return SIGNATURE if re.match(r"\s*(?:<\?|<!|<)", head) and _ROOT.search(head[:2000]) else 0


def read(file: SourceText) -> Iterator[Record | Unread]:
    """Read a register's XML.

    Examples
    --------
    >>> one = "<Trial><TrialID>NCT00000000 </TrialID><Public_title>Invented</Public_title></Trial>"
    >>> text = f"<Trials_downloaded_from_ICTRP>{one}</Trials_downloaded_from_ICTRP>"
    >>> found = list(read(SourceText(name="a.xml", text=text, encoding="utf-8", sha256="0" * 64)))
    >>> found[1].accession, found[1].title
    ('NCT00000000', 'Invented')
    """
    ordinal = 0
    for piece in pieces(file.text, ("Trial", "trial", "Triall"), file=file.name):
        if not piece.tag:
            yield (heading if _FRAME.fullmatch(piece.raw) else stray_lines)(piece.first_line, piece.raw)
            continue
        ordinal += 1
        lines = (piece.first_line, piece.last_line)
        if piece.fault is not None:
            yield Unread(
                first_line=lines[0], last_line=lines[1], raw=piece.raw, reason=piece.fault, counts_as_record=True
            )
        elif piece.element is not None:
            values = registration_values(_cells(piece.element))
            if values["title"] or values["accession"]:
                yield file.record(NAME, ordinal, lines, piece.raw, **values)
            else:
                yield half_record(lines[0], piece.raw)


def _cells(trial: Element) -> Iterator[tuple[str, str]]:
    """Yield each element that holds text and no further elements, in order."""
    for element in trial.iter():
        if len(element) == 0 and element.tag:
            yield element.tag, element.text or ""
        elif element.tag.lower() in ("scientific_title", "public_title"):
            yield element.tag, text_of(element)
