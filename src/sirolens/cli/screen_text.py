# SPDX-License-Identifier: Apache-2.0
"""How a record is shown on the screening terminal: title, authors, journal, abstract, the protocol's words marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from sirolens.evidence.record import Record
from sirolens.evidence.screening.term_weights import cut
from sirolens.report.words import label

__all__ = ["cut_to", "marked", "shown", "side_by_side"]

SHORTEST_WORD = 4  # letters; shorter ones are mostly "of", "the", "in"
MOST_AUTHORS = 6
HIGHLIGHT = "bold yellow"
COMMON = frozenset(
    {"with", "from", "that", "this", "than", "were", "been", "have", "into", "over", "also", "their", "which"}
)


def marked(text: str, question: str) -> Text:
    """Return a text with the words of the protocol's question marked.

    English words are marked whole. Chinese has no blanks: two neighbouring characters are marked where they stand
    together in the question as well.

    Examples
    --------
    >>> found = marked("Sirolimus治疗血小板减少", "sirolimus 血小板减少症")
    >>> [found.plain[span.start : span.end] for span in found.spans]
    ['Sirolimus', '血小板减少']
    """
    shown_text = Text(text)
    words, runs = cut(question)
    wanted = {word for word in words if word is not None and len(word) >= SHORTEST_WORD and word not in COMMON}
    for found in re.finditer(r"[^\W\u3400-\u9fff]+", text):
        if found[0].lower() in wanted:
            shown_text.stylize(HIGHLIGHT, found.start(), found.end())
    pairs = {run for run in runs if len(run) == 2}
    hit = [text[place : place + 2] in pairs for place in range(len(text) - 1)]
    start = 0
    while start < len(hit):
        if not hit[start]:
            start += 1
            continue
        end = start
        while end < len(hit) and hit[end]:
            end += 1
        shown_text.stylize(HIGHLIGHT, start, end + 1)
        start = end
    return shown_text


def shown(copies: Sequence[Record], question: str, language: str) -> Text:
    """Return a publication as it is read: its best copy, and the text of a copy in the other language."""
    first = max(copies, key=lambda record: (bool(record.abstract), len(record.abstract)))
    out = Text()
    out.append_text(_styled(marked(first.title or label("screening.no-title", language), question), "bold"))
    for title in _other_titles(copies, first):
        out.append("\n").append_text(_styled(marked(title, question), "bold"))
    out.append(f"\n{_authors(first, language)}\n", style="dim")
    out.append(_where(first), style="dim")
    if any(record.retracted for record in copies):
        out.append(f"\n{label('screening.retracted', language)}", style="bold red")
    for abstract in _abstracts(copies, first):
        out.append("\n\n").append_text(marked(abstract, question))
    if not any(record.abstract for record in copies):
        out.append(f"\n\n{label('screening.no-abstract', language)}", style="italic")
    keywords = dict.fromkeys(word for record in copies for word in record.keywords)
    if keywords:
        out.append(f"\n\n{label('screening.keywords', language)} ", style="dim")
        out.append_text(marked("; ".join(keywords), question))
    if len(copies) > 1:
        out.append(f"\n\n{label('screening.copies', language, count=len(copies))}", style="dim")
    return out


def cut_to(text: str, wide: int) -> str:
    """Cut a text to so many cells of the terminal; a Chinese character takes two.

    >>> cut_to("西罗莫司治疗", 7), cut_to("sirolimus", 9)
    ('西罗莫…', 'sirolimus')
    """
    return text if cell_len(text) <= wide else f"{set_cell_size(text, wide - 1).rstrip()}…"


def side_by_side(pieces: Sequence[Text], wide: int, gap: int = 2) -> Text:
    r"""Set short texts in lines, broken between them and only inside one that is longer than a line.

    >>> side_by_side([Text("1 other population"), Text("2 other design")], 24).plain
    '1 other population\n2 other design'
    """
    out, used = Text(), 0
    for piece in pieces:
        if used and used + gap + piece.cell_len > wide:
            out.append("\n")
            used = 0
        elif used:
            out.append(" " * gap)
            used += gap
        out.append_text(piece)
        used += piece.cell_len
    return out


def _styled(text: Text, style: str) -> Text:
    text.style = style
    return text


def _chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def _other_titles(copies: Sequence[Record], first: Record) -> list[str]:
    told = [record.title_vernacular for record in copies] + [record.title for record in copies]
    return next(([title] for title in told if title and _chinese(title) != _chinese(first.title)), [])


def _abstracts(copies: Sequence[Record], first: Record) -> list[str]:
    told = sorted((record.abstract for record in copies if record.abstract), key=len, reverse=True)
    other = next((text for text in told if _chinese(text) != _chinese(first.abstract)), "")
    return [text for text in (first.abstract, other) if text]


def _authors(record: Record, language: str) -> str:
    names = [author.printed for author in record.authors[:MOST_AUTHORS]]
    more = record.authors_cut or len(record.authors) > MOST_AUTHORS
    joined = "; ".join(names)
    return f"{joined} {label('screening.and-others', language)}" if more else joined


def _where(record: Record) -> str:
    journal = record.journal or record.journal_abbreviation
    place = f"{record.volume}({record.issue})" if record.volume and record.issue else record.volume or record.issue
    parts = [journal, str(record.year or ""), place, record.pages or record.article_number]
    ids = [f"doi:{record.doi}" if record.doi else "", f"PMID {record.pmid}" if record.pmid else "", record.id]
    return " · ".join(part for part in (*parts, *ids) if part)
