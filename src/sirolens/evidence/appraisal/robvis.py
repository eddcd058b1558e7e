# SPDX-License-Identifier: Apache-2.0
"""Appraisals as the CSV table that robvis reads and writes: Study, D1, D2 ..., Overall, and back.

The table holds levels only: reasons stay in the appraisal's own file. robvis draws RoB 2 and ROBINS-I; a checklist goes
into its "Generic" drawing, in the words that one knows (its "No" would be drawn as "not applicable"). Source of the
columns and words: robvis (McGuinness, https://github.com/mcguinlu/robvis), code and example tables, read 2026.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import final

from sirolens.errors import InputError
from sirolens.evidence.appraisal.form import Appraisal, Judgement, overall_judgement, row_names
from sirolens.evidence.appraisal.tools import NO_INFORMATION, NOT_APPLICABLE, Tool, appraisal_tool
from sirolens.evidence.extraction.studies import Read
from sirolens.evidence.sources.csv_writer import harmless, undone
from sirolens.message import Message, Place, error, info, warning

__all__ = ["RobvisReading", "from_robvis", "generic_words", "to_robvis"]

WEIGHTS = ("weight", "weights")
SHORT = {"ni": NO_INFORMATION, "na": NOT_APPLICABLE, "n/a": NOT_APPLICABLE}
"""What tables of others write for these two."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RobvisReading:
    """What came out of a robvis table: the appraisals of its good rows, and every message."""

    appraisals: tuple[Appraisal, ...]
    messages: tuple[Message, ...]


def to_robvis(appraisals: Sequence[Appraisal]) -> str:
    r"""Write appraisals by one tool as robvis reads them.

    Parameters
    ----------
    appraisals : sequence of Appraisal
        At least one, all by one tool.

    Raises
    ------
    InputError
        ``appraisal.several-tools``, ``appraisal.none``.

    Examples
    --------
    >>> told = (Judgement(item="randomisation", level="low"),)
    >>> print(to_robvis([Appraisal(study="Invented 2020", tool="rob-2", rater="wei", judgements=told)]))
    Study,D1,D2,D3,D4,D5,Overall
    Invented 2020,Low,No information,No information,No information,No information,No information
    <BLANKLINE>
    """
    tools = sorted({one.tool for one in appraisals})
    if len(tools) != 1:
        raise InputError(error("appraisal.several-tools", tools=tuple(tools)) if tools else error("appraisal.none"))
    tool = appraisal_tool(tools[0])
    items = _items(tool, {judged.item for one in appraisals for judged in one.judgements})
    out = StringIO()
    table = csv.writer(out, lineterminator="\n")
    overall = ("Overall",) if tool.overall != "none" else ()
    table.writerow(("Study", *(f"D{number}" for number in range(1, len(items) + 1)), *overall))
    for name, one in zip(row_names(appraisals), appraisals, strict=True):
        levels = [tool.robvis[one.level(item)] for item in items]
        whole = overall_judgement(one)
        table.writerow((harmless(" ".join(name.split())), *levels, *(() if whole is None else (tool.robvis[whole],))))
    return out.getvalue()


def generic_words(tool_name: str) -> Message | None:
    """Say how a tool that robvis does not know is to be drawn; None for those it knows.

    >>> told = generic_words("jbi-case-series")
    >>> generic_words("rob-2"), None if told is None else told.values["words"]
    (None, ('Yes = Low', 'Unclear = Unclear', 'No = High'))
    """
    tool = appraisal_tool(tool_name)
    if not tool.own:
        return None
    words = tuple(f"{own} = {tool.robvis[level]}" for level, own in tool.own.items())
    return info("appraisal.robvis-generic", tool=tool.name, words=words)


def _items(tool: Tool, judged: set[str]) -> tuple[str, ...]:
    """Return the items of a table: those for comparisons only where one study has one."""
    return tool.all_items if judged & set(tool.comparative_items) else tool.items


def from_robvis(text: str, tool_name: str, *, rater: str, file: str = "") -> RobvisReading:
    r"""Read a robvis table.

    Columns count by position, as in robvis: the study, the tool's items, then Overall and Weight where they are there
    (Weight is not kept). A column of row numbers without a head, which R writes, is passed over. Words are read without
    regard to case; for a checklist its own words are read too.

    Parameters
    ----------
    text : str
    tool_name : str
        Which tool the table is of: the table does not say.
    rater : str
        Whose judgements they are.
    file : str
        Named in faults.

    Returns
    -------
    RobvisReading
        A row with a fault is left out and named; an overall judgement that departs from the tool's rule is kept and
        said.

    Examples
    --------
    >>> table = "Study,D1,D2,D3,D4,D5,Overall\nA 2020,Low,Low,Low,Low,Bad,Low\n"
    >>> [str(message)[:50] for message in from_robvis(table, "rob-2", rater="wei", file="a.csv").messages]
    ['a.csv:2:D5: appraisal.robvis-level(expected=Low, S']
    """
    tool = appraisal_tool(tool_name)
    try:
        table = [(number, row) for number, row in _lines(text) if any(cell.strip() for cell in row)]
    except csv.Error as fault:
        message = error("appraisal.file-unreadable", place=Place(file=file or None), reason_text=str(fault))
        return RobvisReading(appraisals=(), messages=(message,))
    if not table:
        return RobvisReading(appraisals=(), messages=(error("appraisal.robvis-empty", place=Place(file=file or None)),))
    if _numbered(table[0][1]):
        table = [(number, row[1:]) for number, row in table]
    (_, header), *rows = table
    titles = [cell.strip().lower() for cell in header]
    width = len(titles) - (titles[-1] in WEIGHTS)
    with_overall = "overall" in titles
    items = next((known for known in (tool.items, tool.all_items) if 1 + len(known) + with_overall == width), None)
    if items is None:
        place = Place(file=file or None, line=1)
        refused = error(
            "appraisal.robvis-columns",
            place=place,
            number=width,
            tool=tool.name,
            expected=1 + len(tool.items) + (tool.overall != "none"),
        )
        return RobvisReading(appraisals=(), messages=(refused,))
    reader = _Rows(tool=tool, items=items, header=tuple(header), with_overall=with_overall, rater=rater, file=file)
    return _read_rows(rows, reader)


def _numbered(header: Sequence[str]) -> bool:
    """Whether R wrote the numbers of the rows before the study."""
    return len(header) > 1 and not header[0].strip() and header[1].strip().lower() == "study"


def _lines(text: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))
    found, line = [], 1
    for row in reader:
        found.append((line, row))
        line = reader.line_num + 1
    return found


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """How the rows of one table are read."""

    tool: Tool
    items: tuple[str, ...]
    header: tuple[str, ...]
    with_overall: bool
    rater: str
    file: str


def _read_rows(rows: Sequence[tuple[int, list[str]]], how: _Rows) -> RobvisReading:
    found: list[Appraisal] = []
    messages: list[Message] = []
    lines: dict[str, int] = {}
    for line, row in rows:
        said = _row(line, row, how)
        messages += said.messages
        for one in said.appraisals:
            if one.study in lines:
                place = Place(file=how.file or None, line=line)
                messages.append(
                    error("appraisal.robvis-study-twice", place=place, study=one.study, first_line=lines[one.study])
                )
            else:
                lines[one.study] = line
                found.append(one)
    return RobvisReading(appraisals=tuple(found), messages=tuple(messages))


def _row(line: int, row: Sequence[str], how: _Rows) -> RobvisReading:
    wanted = 1 + len(how.items) + how.with_overall
    study = undone(row[0]) if row else ""
    if len(row) < wanted or not study.strip():
        fault = error(
            "appraisal.robvis-row", place=Place(file=how.file or None, line=line), number=len(row), expected=wanted
        )
        return RobvisReading(appraisals=(), messages=(fault,))
    known = SHORT | {word.lower(): level for words in (how.tool.own, how.tool.robvis) for level, word in words.items()}
    levels: list[str] = []
    messages: list[Message] = []
    for column in range(1, wanted):
        word = row[column].strip().lower()
        if word not in known:
            place = Place(file=how.file or None, line=line, field=how.header[column])
            messages.append(
                error(
                    "appraisal.robvis-level",
                    place=place,
                    value=row[column],
                    expected=", ".join(how.tool.robvis.values()),
                )
            )
        levels.append(known.get(word, NO_INFORMATION))
    if messages:
        return RobvisReading(appraisals=(), messages=tuple(messages))
    judged = tuple(Judgement(item=item, level=level) for item, level in zip(how.items, levels, strict=False))
    plain = Appraisal(
        study=study, tool=how.tool.name, rater=how.rater, basis=Read.FULL_TEXT, judgements=judged, raters=(how.rater,)
    )
    return _with_overall(plain, levels[-1] if how.with_overall else "", line, how)


def _with_overall(plain: Appraisal, given: str, line: int, how: _Rows) -> RobvisReading:
    by_rule = overall_judgement(plain)
    if not given or by_rule is None or given == by_rule:
        return RobvisReading(appraisals=(plain,), messages=())
    kept = Appraisal(
        study=plain.study,
        tool=plain.tool,
        rater=plain.rater,
        basis=plain.basis,
        judgements=plain.judgements,
        raters=plain.raters,
        overall_given=given,
    )
    words: Mapping[str, str] = how.tool.robvis
    said = warning(
        "appraisal.overall-differs",
        place=Place(file=how.file or None, line=line),
        study=plain.study,
        value=words[given],
        by_rule=words[by_rule],
    )
    return RobvisReading(appraisals=(kept,), messages=(said,))
