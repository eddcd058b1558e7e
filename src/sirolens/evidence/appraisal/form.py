# SPDX-License-Identifier: Apache-2.0
"""Judgements of how far a study can be trusted: read, checked, compared between two raters, laid out for plots.

What an abstract does not say is "no information": an item that nobody judged, or could judge, never counts as good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import InputError
from sirolens.evidence.appraisal.tools import NO_INFORMATION, NOT_APPLICABLE, OVERALL, TOOLS, Tool, appraisal_tool
from sirolens.evidence.extraction.form_text import form_text
from sirolens.evidence.extraction.studies import Read
from sirolens.message import Message, Severity, error, warning
from sirolens.models.locate import Path as KeyPath
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table

__all__ = [
    "Appraisal",
    "AppraisalReading",
    "Disagreement",
    "Judgement",
    "Lights",
    "Shares",
    "appraisal_of",
    "compare_appraisals",
    "lights",
    "overall_judgement",
    "read_appraisal",
    "row_names",
    "settle_appraisals",
    "shares",
]

CONSENSUS = "consensus"
BASIS = "basis"
"""What was read: on this, too, two raters can differ."""
BY_RULE = "-"
"""What stands for an overall judgement that follows from the items by the tool's rule."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One item's judgement with its reason, in both languages; `decided_by` is set where two raters had differed."""

    item: str
    level: str = NO_INFORMATION
    reason: str = ""
    reason_zh: str = ""
    decided_by: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """One rater's appraisal of one study.

    Parameters
    ----------
    study, tool, rater : str
        ``rater`` is ``"consensus"`` after two raters were settled.
    basis : Read
        How much was read.
    outcome : str
        The result it is about (RoB 2 judges results); empty: the study.
    judgements : tuple of Judgement
        Every item of the tool, in its order.
    overall_given : str
        A rater's own overall judgement where it departs from the rule; then with `overall_reason`.
    overall_reason : str
    raters : tuple of str
        Who stands behind it: one name, or two after consensus.
    file : str
        Where it was read.
    """

    study: str
    tool: str
    rater: str
    basis: Read = Read.ABSTRACT
    outcome: str = ""
    judgements: tuple[Judgement, ...] = ()
    overall_given: str = ""
    overall_reason: str = ""
    raters: tuple[str, ...] = ()
    file: str = ""

    def level(self, item: str) -> str:
        """Return an item's level: "no information" where it was not judged, items for comparisons do not apply then."""
        unjudged = NOT_APPLICABLE if item in appraisal_tool(self.tool).comparative_items else NO_INFORMATION
        return next((one.level for one in self.judgements if one.item == item), unjudged)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AppraisalReading:
    """What came out of a file: the appraisal, unless there were errors, and every message."""

    appraisal: Appraisal | None
    messages: tuple[Message, ...]


def overall_judgement(appraisal: Appraisal) -> str | None:
    """Return the overall judgement: the rater's own, else by the tool's rule; None for a tool that has none.

    The rule "worst": the worst level of all items; where an item lacks information, only a level from the tool's
    `outranks_missing` on decides, else the overall judgement lacks information too.

    >>> told = (Judgement(item="randomisation", level="low"), Judgement(item="deviations", level="some-concerns"))
    >>> overall_judgement(Appraisal(study="a", tool="rob-2", rater="wei", judgements=told))
    'no-information'
    """
    tool = appraisal_tool(appraisal.tool)
    if tool.overall == "none":
        return None
    return appraisal.overall_given or _worst(tool, [appraisal.level(item) for item in tool.items])


def _worst(tool: Tool, levels: Sequence[str]) -> str:
    judged = [level for level in levels if level in tool.levels[:-2]]
    worst = max(judged, key=tool.rank, default=NO_INFORMATION)
    missing = NO_INFORMATION in levels
    decides = bool(judged) and tool.rank(worst) >= tool.rank(tool.outranks_missing)
    return worst if decides or not missing else NO_INFORMATION


def read_appraisal(path: Path) -> AppraisalReading:
    """Read one appraisal from a TOML file; faults stand among the messages with file, line and key."""
    try:
        text, data = form_text(path.read_bytes(), path.name, code="appraisal.file-unreadable")
    except InputError as fault:
        return AppraisalReading(appraisal=None, messages=fault.messages)
    return appraisal_of(data, file=path.name, lines=key_lines(text))


def appraisal_of(
    data: Mapping[str, Any], *, file: str = "", lines: Mapping[KeyPath, int] | None = None
) -> AppraisalReading:
    """Read an appraisal that is already a mapping.

    Parameters
    ----------
    data : mapping
        ``study``, ``tool``, ``rater``, ``basis`` and a table ``judgement`` with one table per judged item; after two
        raters were settled also ``raters``, and ``decided_by`` in what they had differed on.
    file : str
    lines : mapping, optional

    Examples
    --------
    >>> told = {"study": "a", "tool": "rob-2", "rater": "wei", "judgement": {"randomisation": {"level": "high"}}}
    >>> [str(message) for message in appraisal_of(told, file="a.toml").messages]
    ['a.toml:judgement.randomisation.reason: appraisal.reason-missing(expected=text, value=high)']
    """
    faults = Faults(file, lines or {})
    table = Table(data, (), faults)
    name = table.text("tool", required=True, choices=TOOLS)
    basis = table.text("basis", default=Read.ABSTRACT.value, choices=[one.value for one in Read])
    appraisal = Appraisal(
        study=table.text("study", required=True),
        tool=name,
        rater=table.text("rater", required=True),
        basis=Read(basis) if basis in list(Read) else Read.ABSTRACT,
        outcome=table.text("outcome"),
        overall_given=table.text("overall"),
        overall_reason=table.text("overall_reason"),
        raters=table.texts("raters") or (str(data.get("rater", "")),),
        file=file,
    )
    judged = table.table("judgement")
    if name in TOOLS:
        tool = appraisal_tool(name)
        appraisal = replace(appraisal, judgements=_judgements(judged, tool, appraisal.basis))
        _check_overall(appraisal, tool, faults)
    table.close()
    messages = tuple(faults.messages)
    broken = any(message.severity is Severity.ERROR for message in messages)
    return AppraisalReading(appraisal=None if broken else appraisal, messages=messages)


def _judgements(table: Table | None, tool: Tool, basis: Read) -> tuple[Judgement, ...]:
    if table is None:
        return tuple(Judgement(item=item) for item in tool.items)
    asked = tool.items + tuple(item for item in tool.comparative_items if item in table)
    found = []
    for item in asked:
        inner = table.table(item)
        found.append(Judgement(item=item) if inner is None else _judgement(inner, item, tool, basis))
    table.close()
    return tuple(found)


def _judgement(table: Table, item: str, tool: Tool, basis: Read) -> Judgement:
    level = table.text("level", required=True, choices=tool.levels)
    reason = table.text("reason")
    if level != NO_INFORMATION and not reason.strip():
        table.faults.wrong("appraisal.reason-missing", (*table.path, "reason"), level, expected="text")
    if level == tool.levels[0] and tool.overall != "none" and basis is not Read.FULL_TEXT:
        table.faults.doubtful("appraisal.best-from-less", (*table.path, "level"), level)
    if level != NO_INFORMATION and basis in (Read.NOTHING, Read.REGISTRY):
        table.faults.wrong("appraisal.nothing-read", (*table.path, "level"), level, expected=NO_INFORMATION)
    judgement = Judgement(
        item=item,
        level=level,
        reason=reason,
        reason_zh=table.text("reason_zh"),
        decided_by=table.text("decided_by"),
    )
    table.close()
    return judgement


def _check_overall(appraisal: Appraisal, tool: Tool, faults: Faults) -> None:
    given = appraisal.overall_given
    if not given:
        return
    if tool.overall == "none":
        faults.wrong("appraisal.no-overall", ("overall",), given, tool=tool.name)
    elif given not in tool.levels:
        faults.wrong("models.not-one-of", ("overall",), given, expected=", ".join(tool.levels), near=())
    elif not appraisal.overall_reason.strip():
        faults.wrong("appraisal.reason-missing", ("overall_reason",), given, expected="text")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """An item on which two raters differ; also what they read (`BASIS`) and an overall judgement of their own."""

    item: str
    first: str
    second: str


def compare_appraisals(first: Appraisal, second: Appraisal) -> tuple[Disagreement, ...]:
    """Return the items on which two raters of one study and tool differ, in the tool's order.

    Raises
    ------
    InputError
        ``appraisal.not-comparable`` when study, tool or outcome differ.
    """
    if (first.study, first.tool, first.outcome) != (second.study, second.tool, second.outcome):
        raise InputError(error("appraisal.not-comparable", first=first.study, second=second.study, tool=first.tool))
    told = _told(first), _told(second)
    return tuple(
        Disagreement(item=item, first=level, second=told[1][item])
        for item, level in told[0].items()
        if level != told[1][item]
    )


def _told(appraisal: Appraisal) -> dict[str, str]:
    """Return everything that two raters can differ on."""
    items = {item: appraisal.level(item) for item in appraisal_tool(appraisal.tool).all_items}
    return {**items, BASIS: appraisal.basis.value, OVERALL: appraisal.overall_given or BY_RULE}


def settle_appraisals(first: Appraisal, second: Appraisal, decisions: Sequence[Judgement]) -> Appraisal:
    """Make the consensus of two raters.

    Parameters
    ----------
    first, second : Appraisal
    decisions : sequence of Judgement
        One for every item on which they differ, with a level, a reason and `decided_by`.

    Raises
    ------
    InputError
        ``appraisal.undecided`` for every difference without a decision, ``appraisal.decision-...`` for a decision
        without a difference, a name or a reason.

    Examples
    --------
    >>> one = Appraisal(study="a", tool="rob-2", rater="wei", judgements=(Judgement(item="measurement", level="low"),))
    >>> two = Appraisal(study="a", tool="rob-2", rater="ana")
    >>> told = Judgement(item="measurement", level="some-concerns", reason="open label", decided_by="wei and ana")
    >>> agreed = settle_appraisals(one, two, [told])
    >>> agreed.rater, agreed.raters, agreed.level("measurement")
    ('consensus', ('wei', 'ana'), 'some-concerns')
    """
    tool = appraisal_tool(first.tool)
    differ = [one.item for one in compare_appraisals(first, second)]
    told = {one.item: one for one in decisions}
    faults = [error("appraisal.undecided", item=item) for item in differ if item not in told]
    levels = {BASIS: tuple(one.value for one in Read), OVERALL: (*tool.levels, BY_RULE)}
    for one in decisions:
        known_levels = levels.get(one.item, tool.levels)
        if one.item not in differ:
            faults.append(error("appraisal.decision-without-difference", item=one.item))
        if one.level not in known_levels or not one.reason.strip() or not one.decided_by.strip():
            faults.append(error("appraisal.decision-incomplete", item=one.item, expected=", ".join(known_levels)))
    if faults:
        raise InputError(*faults)
    known = {one.item: one for one in first.judgements}
    items = [item for item in tool.all_items if item in known or item in told]
    agreed = replace(
        first,
        rater=CONSENSUS,
        raters=(first.rater, second.rater),
        judgements=tuple(told[item] if item in told else known[item] for item in items),
    )
    if BASIS in told:
        agreed = replace(agreed, basis=Read(told[BASIS].level))
    if OVERALL in told:
        own = told[OVERALL].level != BY_RULE
        given = told[OVERALL].level if own else ""
        agreed = replace(agreed, overall_given=given, overall_reason=told[OVERALL].reason if own else "")
    return agreed


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lights:
    """Everything a traffic-light plot needs.

    Parameters
    ----------
    tool : str
    studies, items, levels : tuple of str
        ``items`` ends with `OVERALL` where the tool has an overall judgement.
    codes : int8 array, shape (studies, items)
        Position of the level in `levels`.
    messages : tuple of Message
        What the reader must know: single rater, abstracts only, parts of the tool from memory.
    """

    tool: str
    studies: tuple[str, ...]
    items: tuple[str, ...]
    levels: tuple[str, ...]
    codes: NDArray[np.int8]
    messages: tuple[Message, ...]


def lights(appraisals: Sequence[Appraisal], names: Mapping[str, str] | None = None) -> Lights:
    """Lay out appraisals by one tool for a traffic-light plot.

    Parameters
    ----------
    appraisals : sequence of Appraisal
        All by one tool; at least one.
    names : mapping, optional
        Study id -> how it is shown.

    Raises
    ------
    InputError
        ``appraisal.several-tools``, ``appraisal.none``.
    """
    tools = sorted({one.tool for one in appraisals})
    if len(tools) != 1:
        raise InputError(error("appraisal.several-tools", tools=tuple(tools)) if tools else error("appraisal.none"))
    tool = appraisal_tool(tools[0])
    used = {item for one in appraisals for item in (judged.item for judged in one.judgements)}
    items = tool.items + tuple(item for item in tool.comparative_items if item in used)
    rows = [[tool.rank(one.level(item)) for item in items] for one in appraisals]
    if tool.overall != "none":
        rows = [
            [*row, tool.rank(overall_judgement(one) or NO_INFORMATION)]
            for row, one in zip(rows, appraisals, strict=True)
        ]
        items += (OVERALL,)
    shown = row_names(appraisals, names)
    codes = np.array(rows, dtype=np.int8)
    return Lights(
        tool=tool.name,
        studies=shown,
        items=items,
        levels=tool.levels,
        codes=codes,
        messages=_reader_must_know(appraisals, tool),
    )


def row_names(appraisals: Sequence[Appraisal], names: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Name the rows of a plot or table; a study that stands there for several results carries the result.

    >>> both = [Appraisal(study="a", tool="rob-2", rater="wei", outcome=result) for result in ("OR", "SR")]
    >>> row_names(both, {"a": "A 2020"})
    ('A 2020: OR', 'A 2020: SR')
    """
    names = names or {}
    times = [one.study for one in appraisals]
    return tuple(
        f"{names.get(one.study, one.study)}: {one.outcome}"
        if times.count(one.study) > 1 and one.outcome
        else names.get(one.study, one.study)
        for one in appraisals
    )


def _reader_must_know(appraisals: Sequence[Appraisal], tool: Tool) -> tuple[Message, ...]:
    single = sum(len(set(one.raters)) < 2 for one in appraisals)
    unread = sum(one.basis is not Read.FULL_TEXT for one in appraisals)
    found = list(tool.unverified)
    if single:
        found.append(warning("appraisal.single-rater", number=single, total=len(appraisals)))
    if unread:
        found.append(warning("appraisal.abstracts-only", number=unread, total=len(appraisals)))
    return tuple(found)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Everything a summary plot needs: ``shares[i, j]`` of the weight has level j on item i; rows add up to 1."""

    items: tuple[str, ...]
    levels: tuple[str, ...]
    shares: NDArray[np.float64]


def shares(plot: Lights, weights: Sequence[float] | None = None) -> Shares:
    """Sum a traffic-light plot up over its studies.

    Parameters
    ----------
    plot : Lights
    weights : sequence of float, optional
        One per study, positive; equal by default.

    Examples
    --------
    >>> plot = lights([Appraisal(study="a", tool="minors", rater="wei", judgements=(Judgement(item="aim"),))])
    >>> shares(plot).shares[0]
    array([0., 0., 0., 1., 0.])
    """
    weight = np.ones(len(plot.studies)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (len(plot.studies),) or not np.all(weight > 0) or not np.all(np.isfinite(weight)):
        raise InputError(error("appraisal.weights", number=len(plot.studies)))
    hits = plot.codes[:, :, None] == np.arange(len(plot.levels))[None, None, :]
    summed = np.einsum("s,sil->il", weight, hits.astype(np.float64)) / weight.sum()
    return Shares(items=plot.items, levels=plot.levels, shares=summed)
