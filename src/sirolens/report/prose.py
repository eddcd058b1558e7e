# SPDX-License-Identifier: Apache-2.0
"""Text on a terminal that breaks where a reader expects it: at spaces and between Chinese characters, losing nothing.

Rich breaks at spaces only, and what does not fit a column it cuts off; a Chinese sentence has no spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, OverflowMethod
from rich.containers import Lines
from rich.measure import Measurement
from rich.text import Text

__all__ = ["Prose", "lines", "narrowest_and_widest"]

_CHINESE = "\u3400-\u9fff"
_OPENING = "（《〈【「『“"
_CLOSING = "，。；：、！？）》〉】」』”…"
_PIECE = re.compile(
    rf"[{_OPENING}]*(?:[{_CHINESE}]|[^ \t{_CHINESE}{_OPENING}{_CLOSING}]+)?[{_CLOSING}]*[ \t]*", flags=re.DOTALL
)


def _pieces(text: str) -> Iterator[str]:
    """What is never broken, each with the spaces after it: a word, or one Chinese character with its punctuation."""
    return (piece for piece in _PIECE.findall(text) if piece)


def lines(text: str, width: int) -> list[str]:
    """Break one line of text into lines of at most so many cells.

    Parameters
    ----------
    text : str
        The text, without line ends.
    width : int
        Cells of the terminal; a Chinese character takes two.

    Returns
    -------
    list of str
        The lines; joined they are the text. Only a word wider than a line is broken inside.

    Examples
    --------
    >>> lines("Evans 综合征时，胆红素升高。", 12)
    ['Evans 综合征', '时，胆红素升', '高。']
    """
    found, line = [], ""
    for piece in _pieces(text):
        rest = piece
        if line and cell_len((line + rest).rstrip(" \t")) > width:
            found.append(line)
            line = ""
        while not line and cell_len(rest.rstrip(" \t")) > width:
            fits = next((n for n in range(len(rest), 1, -1) if cell_len(rest[:n]) <= width), 1)
            found.append(rest[:fits])
            rest = rest[fits:]
        line += rest
    return [*found, line] if line else found


def narrowest_and_widest(texts: Iterable[str]) -> tuple[int, int]:
    """Cells of the longest piece that is never broken, and of the longest line.

    >>> narrowest_and_widest(["total bilirubin", "体重"])
    (9, 15)
    """
    whole = [line for text in texts for line in text.splitlines()]
    least = max((cell_len(piece.rstrip(" \t")) for line in whole for piece in _pieces(line)), default=0)
    return least, max(map(cell_len, whole), default=0)


@final
class Prose(Text):
    """A text that Rich lays out by `lines`."""

    def wrap(
        self,
        console: Console,
        width: int,
        *,
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        tab_size: int = 8,
        no_wrap: bool | None = None,
    ) -> Lines:
        """Break it into lines that keep their styles."""
        wrapped = Lines()
        for line in self.split(allow_blank=True):
            offsets: list[int] = []
            for broken in lines(line.plain, max(width, 1))[:-1]:
                offsets.append((offsets[-1] if offsets else 0) + len(broken))
            parts = line.divide(offsets)
            for part in parts:
                part.rstrip_end(width)
            if justify:
                parts.justify(console, width, justify=justify, overflow="fold")
            wrapped.extend(parts)
        return wrapped

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(*narrowest_and_widest([self.plain]))
