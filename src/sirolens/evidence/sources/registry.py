# SPDX-License-Identifier: Apache-2.0
"""The registry of formats: which reader reads a file, told by what the file holds and never by its name.

A reader file has ``NAME``, ``detect(head)`` (0: no; the more, the surer: `sources.text`), ``read(file)`` and perhaps
``write(records)``. It joins by one line in `FORMATS` and by its words ``import.format-<name>`` in both catalogues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, final

from sirolens.errors import InputError, UnknownNameError
from sirolens.evidence.record import Record
from sirolens.evidence.sources import (
    bibtex,
    bibtex_writer,
    cnki_custom,
    cnki_estudy,
    cnki_noteexpress,
    cnki_refer,
    cnki_refworks,
    cnki_table,
    csv_table,
    csv_writer,
    endnote_xml,
    gbt7714,
    pubmed_nbib,
    pubmed_nbib_writer,
    pubmed_xml,
    register_csv,
    register_json,
    register_xml,
    ris,
    ris_writer,
    wos_starter,
    wos_tab,
    wos_tagged,
)
from sirolens.evidence.sources.text import SourceText, Unread
from sirolens.message import Message, Place, error, info

__all__ = ["FORMATS", "HEAD", "Format", "format_named", "recognise", "surest"]

HEAD: Final = 8_000  # characters shown to `detect`
_FIRST_LINES: Final = 3  # that decide between formats with the same score


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format of export files.

    Parameters
    ----------
    name : str
        As in `Record.source`.
    detect : callable
        From the first `HEAD` characters to a score on the scale of `sources.text`.
    read : callable
        From a decoded file to its records and unread parts in the order of the file.
    write : callable, optional
        From records to the text of a file in this format.
    caution : Message, optional
        What is to be known of every file in this format (read with low confidence, ...).
    """

    name: str
    detect: Callable[[str], int]
    read: Callable[[SourceText], Iterator[Record | Unread]]
    write: Callable[[Iterable[Record]], str] | None = None
    caution: Message | None = None

    @property
    def title(self) -> Message:
        """What people call the format."""
        return info(f"import.format-{self.name}")


FORMATS: tuple[Format, ...] = (
    Format(name=ris.NAME, detect=ris.detect, read=ris.read, write=ris_writer.write),
    Format(name=bibtex.NAME, detect=bibtex.detect, read=bibtex.read, write=bibtex_writer.write),
    Format(name=endnote_xml.NAME, detect=endnote_xml.detect, read=endnote_xml.read),
    Format(name=csv_table.NAME, detect=csv_table.detect, read=csv_table.read, write=csv_writer.write),
    Format(name=cnki_noteexpress.NAME, detect=cnki_noteexpress.detect, read=cnki_noteexpress.read),
    Format(name=cnki_refer.NAME, detect=cnki_refer.detect, read=cnki_refer.read),
    Format(name=cnki_refworks.NAME, detect=cnki_refworks.detect, read=cnki_refworks.read),
    Format(name=cnki_estudy.NAME, detect=cnki_estudy.detect, read=cnki_estudy.read),
    Format(name=cnki_custom.NAME, detect=cnki_custom.detect, read=cnki_custom.read),
    Format(name=cnki_table.NAME, detect=cnki_table.detect, read=cnki_table.read),
    Format(name=gbt7714.NAME, detect=gbt7714.detect, read=gbt7714.read, caution=gbt7714.CAUTION),
    Format(
        name=pubmed_nbib.NAME,
        detect=pubmed_nbib.detect,
        read=pubmed_nbib.read,
        write=pubmed_nbib_writer.write_nbib,
    ),
    Format(name=pubmed_xml.NAME, detect=pubmed_xml.detect, read=pubmed_xml.read),
    Format(name=wos_tagged.NAME, detect=wos_tagged.detect, read=wos_tagged.read),
    Format(name=wos_starter.NAME, detect=wos_starter.detect, read=wos_starter.read),
    Format(name=wos_tab.NAME, detect=wos_tab.detect, read=wos_tab.read),
    Format(name=register_xml.NAME, detect=register_xml.detect, read=register_xml.read),
    Format(name=register_csv.NAME, detect=register_csv.detect, read=register_csv.read),
    Format(name=register_json.NAME, detect=register_json.detect, read=register_json.read),
)


def format_named(name: str) -> Format:
    """Return the format of that name; an unknown name is an error that lists the known ones."""
    for one in FORMATS:
        if one.name == name:
            return one
    known = tuple(sorted(one.name for one in FORMATS))
    near = tuple(other for other in known if name.lower() in other or other in name.lower())
    raise UnknownNameError(error("registry.unknown-name", kind="formats", name=name, near=near, known=known))


def recognise(text: str, *, file: str) -> Format:
    """Tell the format of a file by its first characters.

    Parameters
    ----------
    text : str
        The file's text, or its first `HEAD` characters.
    file : str
        Its name, for the faults only.

    Raises
    ------
    InputError
        ``import.not-recognised``, with the first line and the formats that are known; ``import.ambiguous``, with those
        that fit equally well.
    """
    head = text[:HEAD]
    fitting = _best(head, FORMATS)
    if not fitting:
        line, first = next(((n, row.strip()) for n, row in enumerate(head.split("\n"), 1) if row.strip()), (1, ""))
        known = tuple(one.title for one in FORMATS)
        place = Place(file=file, line=line)
        raise InputError(error("import.not-recognised", place=place, first=first[:80], known=known))
    if len(fitting) > 1:  # a short file of two formats: what it begins with decides
        beginning = "\n".join([row for row in head.split("\n") if row.strip()][:_FIRST_LINES])
        fitting = _best(beginning, fitting) or fitting
    if len(fitting) > 1:
        names = tuple(one.name for one in fitting)
        raise InputError(error("import.ambiguous", place=Place(file=file), names=names))
    return fitting[0]


def surest(head: str) -> tuple[int, Format]:
    """Return the highest score that a format gives to the beginning of a text, and the first format that gives it."""
    return max(((one.detect(head), one) for one in FORMATS), key=lambda scored: scored[0])


def _best(head: str, formats: Sequence[Format]) -> tuple[Format, ...]:
    """Return the formats with the highest score above nothing."""
    scores = [(one.detect(head), one) for one in formats]
    best = max((score for score, _ in scores), default=0)
    return tuple(one for score, one in scores if score == best and best > 0)
