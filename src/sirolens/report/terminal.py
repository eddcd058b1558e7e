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
    from rich.panel import Panel
    from rich.text import Text

    page = worded(document, language)
    lines = [Text(page.title, style="bold")]
    lines += [Text(text) for text in (page.banner, page.made) if text]
    if page.invented:
        lines.append(Text(page.invented, style="italic yellow"))
    console.print(Panel(Text("\n").join(lines), border_style="blue", expand=True))
    for block in page.blocks:
        _print(block, language, console)
    console.print()
    console.rule(style="dim")
    console.print(Text(page.intended_use, style="italic"))


def _print(block: Mapping[str, Any], language: str, console: Console) -> None:
    for part in _parts(block, language):
        console.print(part)


def _parts(block: Mapping[str, Any], language: str) -> Sequence[RenderableType]:
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.text import Text

    match block["kind"]:
        case "heading":
            style = "bold blue" if block["level"] == 2 else "bold"
            return ["", Text(block["text"], style=style)]
        case "headline":
            _, style = MARKS[block["severity"]]
            text = Text(block["text"], style="bold")
            for detail in block["details"]:
                text.append(f"\n{detail}", style="not bold")
            return ["", Panel(text, border_style=style, padding=(0, 1))]
        case "paragraph":
            return [Padding(Text(block["text"]), (0, 0, 0, INDENT))]
        case "findings":
            return [_findings(block["items"])]
        case "facts":
            return [_facts(block["items"])]
        case "table":
            return _table(block)
        case "figure":
            shown = label("report.figure-left-out", language, alt=block["alt"])
            caption = [Padding(Text(block["caption"], style="italic"), (0, 0, 0, INDENT))] if block["caption"] else []
            return [Padding(Text(shown, style="dim"), (0, 0, 0, INDENT)), *caption]
        case "frame":
            return [_frame(block, language)]
        case _:
            return []


def _findings(items: Sequence[Mapping[str, str]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1), pad_edge=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for item in items:
        shape, style = MARKS[item["severity"]]
        text = Text(item["text"])
        if item["source"]:
            text.append(f"\n{item['source']}", style="dim")
        grid.add_row(Text(f" {shape}", style=style), Text(item["word"], style=style), text)
    return grid


def _facts(items: Sequence[Mapping[str, str]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2), pad_edge=True)
    grid.add_column(style="dim")
    grid.add_column()
    for item in items:
        grid.add_row(Text(f" {item['label']}"), Text(item["value"]))
    return grid


def _table(block: Mapping[str, Any]) -> Sequence[RenderableType]:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("", no_wrap=True)
    for head, numeric in zip(block["heads"], block["numeric"], strict=True):
        text = Text(head["text"])
        if head["unit"]:
            text.append(f"\n{head['unit']}", style="not bold dim")
        table.add_column(text, justify="right" if numeric else "left")
    for row in block["rows"]:
        style = "bold" if row["marked"] else ""
        table.add_row("►" if row["marked"] else " ", *(Text(cell, style=style) for cell in row["cells"]))
    caption = [Padding(Text(block["caption"], style="italic"), (0, 0, 0, INDENT))] if block["caption"] else []
    notes = [Padding(Text(note, style="dim"), (0, 0, 0, INDENT)) for note in block["notes"]]
    return [*caption, Padding(table, (0, 0, 0, INDENT)), *notes]


def _frame(block: Mapping[str, Any], language: str) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.panel import Panel

    inside = [part for one in block["blocks"] for part in _parts(one, language)]
    word = block["word"]
    return Panel(Group(*inside), title=word, subtitle=word, border_style="magenta", box=box.DOUBLE)
