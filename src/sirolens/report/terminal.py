# SPDX-License-Identifier: Apache-2.0
"""A document on the terminal, by Rich: the same words, tables with thin lines, figures by what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sirolens.report.document import Document
from sirolens.report.worded import worded
from sirolens.report.words import label

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["show"]

# Shape and style of each severity; the shape alone tells it where there is no colour.
MARKS = MappingProxyType(
    {
        "checked": ("✓", "green"),
        "info": ("•", "blue"),
        "warning": ("▲", "yellow"),
        "critical": ("■", "bold red"),
        "error": ("×", "bold red"),
    }
)
INDENT = 2
GAP = 2  # cells between two columns
LONGEST_WORD = 20  # cells above which a word, such as an address, may be broken
COMFORT = 8  # cells below which no column goes while there is room
FRAME = 4  # cells that a frame takes from the width


def show(document: Document, language: str, console: Console) -> None:
    """Print a document.

    Parameters
    ----------
    document : Document
        What to show.
    language : str
        ``"en"`` or ``"zh"``.
    console : rich.console.Console
        Where to.

    Examples
    --------
    >>> import io
    >>> from rich.console import Console
    >>> from sirolens.message import info
    >>> out = io.StringIO()
    >>> show(Document(title=info("report.research-frame"), blocks=()), "en", Console(file=out, width=200))
    >>> "Research: not for dosing" in out.getvalue()
    True
    """
    from rich.padding import Padding
    from rich.panel import Panel

    from sirolens.report.prose import Prose

    page = worded(document, language)
    head = Prose(page.title, style="bold")
    for text in (page.banner, page.made):
        head.append(f"\n{text}" if text else "", style="not bold")
    if page.invented:
        head.append(f"\n{page.invented}", style="not bold italic yellow")
    console.print(Panel(head, border_style="blue", expand=True))
    for block in page.blocks:
        _print(block, language, console)
    console.print()
    console.rule(style="dim")
    console.print(Padding(Prose(page.intended_use, style="italic"), 0))


def _print(block: Mapping[str, Any], language: str, console: Console) -> None:
    for part in _parts(block, language, console.width):
        console.print(part)


def _parts(block: Mapping[str, Any], language: str, width: int) -> Sequence[RenderableType]:
    from rich.padding import Padding
    from rich.panel import Panel

    from sirolens.report.prose import Prose

    match block["kind"]:
        case "heading":
            style = "bold blue" if block["level"] == 2 else "bold"
            return ["", Padding(Prose(block["text"], style=style), 0)]
        case "headline":
            _, style = MARKS[block["severity"]]
            text = Prose(block["text"], style="bold")
            for detail in block["details"]:
                text.append(f"\n{detail}", style="not bold")
            return ["", Panel(text, border_style=style, padding=(0, 1))]
        case "paragraph":
            return [Padding(Prose(block["text"]), (0, 0, 0, INDENT))]
        case "findings":
            return [_findings(block["items"])]
        case "facts":
            return [_facts(block["items"])]
        case "table":
            return _table(block, width - INDENT)
        case "figure":
            shown = label("report.figure-left-out", language, alt=block["alt"])
            caption = [Padding(Prose(block["caption"], style="italic"), (0, 0, 0, INDENT))] if block["caption"] else []
            return [Padding(Prose(shown, style="dim"), (0, 0, 0, INDENT)), *caption]
        case "frame":
            return [_frame(block, language, width - FRAME)]
        case _:
            return []


def _findings(items: Sequence[Mapping[str, str]]) -> RenderableType:
    from rich.table import Table

    from sirolens.report.prose import Prose

    grid = Table.grid(padding=(0, 1), pad_edge=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for item in items:
        shape, style = MARKS[item["severity"]]
        text = Prose(item["text"])
        if item["source"]:
            text.append(f"\n{item['source']}", style="dim")
        grid.add_row(Prose(f" {shape}", style=style), Prose(item["word"], style=style), text)
    return grid


def _facts(items: Sequence[Mapping[str, str]]) -> RenderableType:
    from rich.table import Table

    from sirolens.report.prose import Prose

    grid = Table.grid(padding=(0, 2), pad_edge=True)
    grid.add_column(style="dim")
    grid.add_column()
    for item in items:
        grid.add_row(Prose(f" {item['label']}"), Prose(item["value"]))
    return grid


def _table(block: Mapping[str, Any], width: int) -> Sequence[RenderableType]:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table

    from sirolens.report.prose import Prose

    marked = any(row["marked"] for row in block["rows"])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0), show_edge=False)
    if marked:
        table.add_column("", no_wrap=True)
    widths = _widths(block, width - (1 + GAP if marked else 0))
    for head, numeric, cells in zip(block["heads"], block["numeric"], widths, strict=True):
        text = Prose(head["text"])
        if head["unit"]:
            text.append(f"\n{head['unit']}", style="not bold dim")
        table.add_column(text, justify="right" if numeric else "left", width=cells)
    for row in block["rows"]:
        style = "bold" if row["marked"] else ""
        mark = ("►" if row["marked"] else " ",) if marked else ()
        table.add_row(*mark, *(Prose(cell, style=style) for cell in row["cells"]))
    caption = [Padding(Prose(block["caption"], style="italic"), (0, 0, 0, INDENT))] if block["caption"] else []
    notes = [Padding(Prose(note), (0, 0, 0, INDENT)) for note in block["notes"]]
    return [*caption, Padding(table, (0, 0, 0, INDENT)), *notes]


def _widths(block: Mapping[str, Any], width: int) -> list[int | None]:
    """Cells for each column: no word is broken while another column has room to spare; None: let Rich choose."""
    from sirolens.report.prose import narrowest_and_widest

    asked = [
        narrowest_and_widest([head["text"], head["unit"], *(row["cells"][j] for row in block["rows"])])
        for j, head in enumerate(block["heads"])
    ]
    room = width - GAP * (len(asked) - 1)
    if sum(widest for _, widest in asked) > room:
        for readable in (COMFORT, 0):
            least = [max(min(narrowest, LONGEST_WORD), min(widest, readable)) for narrowest, widest in asked]
            if sum(least) <= room:
                return _shared(least, [widest for _, widest in asked], room)
    return [None] * len(asked)


def _shared(least: Sequence[int], widest: Sequence[int], room: int) -> list[int | None]:
    """Give each column the same over its least, those that want little first, so that only long texts are broken."""
    widths: list[int | None] = list(least)
    free = room - sum(least)
    by_wish = sorted(range(len(least)), key=lambda j: widest[j] - least[j])
    for rank, j in enumerate(by_wish):
        more = min(widest[j] - least[j], free // (len(by_wish) - rank))
        widths[j] = least[j] + more
        free -= more
    return widths


def _frame(block: Mapping[str, Any], language: str, width: int) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.panel import Panel

    inside = [part for one in block["blocks"] for part in _parts(one, language, width)]
    word = block["word"]
    return Panel(Group(*inside), title=word, subtitle=word, border_style="magenta", box=box.DOUBLE)
