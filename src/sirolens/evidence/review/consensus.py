# SPDX-License-Identifier: Apache-2.0
"""The consensus of two people's forms: both are read and compared, what was decided is checked, the result is kept.

Two forms are two extractions of one study, or two appraisals of one result by one tool. The decisions are a file that
the comparison writes with both values side by side. The settled form takes its place in the review as any form does;
the two forms, the decisions and the result lie beside each other in ``consensus/``, so that it can be done again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, final

import tomli_w

from sirolens.errors import InputError
from sirolens.evidence.appraisal.form import (
    Appraisal,
    Judgement,
    appraisal_of,
    compare_appraisals,
    read_appraisal,
    settle_appraisals,
)
from sirolens.evidence.appraisal.tools import NO_INFORMATION, OVERALL, appraisal_tool
from sirolens.evidence.extraction.double_extraction import (
    ABSENT,
    CHOICES,
    Comparison,
    Decision,
    Difference,
    compare_forms,
    field_name,
    row_of,
    settle_forms,
)
from sirolens.evidence.extraction.form import Extraction
from sirolens.evidence.extraction.form_file import LARGEST_FORM_BYTES, extraction_of, read_extraction
from sirolens.evidence.extraction.form_text import form_text
from sirolens.evidence.review.events import Event
from sirolens.evidence.review.files import write_safely
from sirolens.evidence.review.forms import APPRAISALS, CONSENSUS, SETTLED, STUDIES, take_in
from sirolens.message import Message, Place, Severity, error, warning
from sirolens.models.locate import key_lines, nearest_line
from sirolens.models.toml_table import Faults, Table

__all__ = ["Form", "Pair", "decisions_text", "keep_settled", "read_pair", "settle_pair"]

_NAME = re.compile(r"\w[\w.-]*")
_KEYS = ("field", "first", "second", "choice", "value", "why")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One person's form, without a fault.

    Parameters
    ----------
    path : Path
    content : bytes
    data : mapping
        As `tomllib` gives it.
    read : Extraction or Appraisal
    """

    path: Path
    content: bytes
    data: Mapping[str, Any]
    read: Extraction | Appraisal

    @property
    def by(self) -> str:
        """Who filled it in."""
        return self.read.by if isinstance(self.read, Extraction) else self.read.rater

    @property
    def about(self) -> tuple[str, ...]:
        """The study; of an appraisal also the tool and the result."""
        if isinstance(self.read, Extraction):
            return (self.read.study.id,)
        return (self.read.study, self.read.tool, self.read.outcome)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two people's forms of one thing, how they compare, and what a reader of the comparison must know."""

    first: Form
    second: Form
    comparison: Comparison
    messages: tuple[Message, ...]


def read_pair(first: Path, second: Path) -> Pair:
    """Read two forms and compare them.

    Parameters
    ----------
    first, second : Path
        Two forms of extraction, or two appraisals (files that name a tool).

    Raises
    ------
    InputError
        With every fault of either form: what is no form cannot be compared. ``extraction.not-comparable``: they are
        not about one thing.
    """
    read = [_read(path) for path in (first, second)]
    faults = [one for _, told in read for one in told if one.severity is Severity.ERROR]
    if faults:
        raise InputError(*faults)
    one, other = (form for form, _ in read if form is not None)
    if type(one.read) is not type(other.read) or one.about != other.about:
        about = (" ".join(filter(None, form.about)) for form in (one, other))
        raise InputError(
            error("extraction.not-comparable", place=Place(file=str(second)), second=next(about), first=next(about))
        )
    same = (warning("extraction.same-person", by=one.by),) if one.by == other.by else ()
    return Pair(first=one, second=other, comparison=_compared(one, other), messages=same)


def _read(path: Path) -> tuple[Form | None, list[Message]]:
    """Read a form; its messages carry the whole path, since two people's files are often called alike."""
    place = Place(file=str(path))
    try:
        content, _, data = _toml(path)
    except InputError as fault:
        return None, list(fault.messages)
    told: Sequence[Message]
    found: Extraction | Appraisal | None
    if "tool" in data:
        appraised = read_appraisal(path)
        found, told = appraised.appraisal, appraised.messages
    else:
        extracted = read_extraction(path)
        found, told = extracted.extraction, extracted.messages
    messages = [_at(message, replace(message.place or place, file=str(path))) for message in told]
    return None if found is None else Form(path=path, content=content, data=data, read=found), messages


def _toml(path: Path) -> tuple[bytes, str, dict[str, Any]]:
    place = Place(file=str(path))
    try:
        size = path.stat().st_size
        if size > LARGEST_FORM_BYTES:
            raise InputError(error("extraction.form-too-large", place=place, bytes=size, most=LARGEST_FORM_BYTES))
        content = path.read_bytes()
    except FileNotFoundError as fault:
        raise InputError(error("file.missing", place=place)) from fault
    except OSError as fault:
        raise InputError(error("file.unreadable", place=place)) from fault
    return content, *form_text(content, str(path))


def _at(message: Message, place: Place) -> Message:
    return replace(message, place=place)


def _compared(first: Form, second: Form) -> Comparison:
    if isinstance(first.read, Appraisal) and isinstance(second.read, Appraisal):
        differ = compare_appraisals(first.read, second.read)
        differences = tuple(Difference(field=one.item, first=one.first, second=one.second) for one in differ)
        return Comparison(compared=len(appraisal_tool(first.read.tool).all_items) + 2, differences=differences)
    return compare_forms(first.data, second.data)


def decisions_text(pair: Pair, language: str) -> str:
    """Return the file in which the differences are decided: each with both values, a choice and a reason to fill in.

    Parameters
    ----------
    pair : Pair
    language : {"en", "zh"}
        Of the explanation at its head.
    """
    head = files("sirolens.evidence").joinpath("data", f"decisions_{language}.toml").read_text(encoding="utf-8")
    return "\n".join([head, *_blocks(pair)]) + "\n"


def _blocks(pair: Pair) -> Iterator[str]:
    yield tomli_w.dumps(dict(zip(("study", "tool", "outcome"), pair.first.about, strict=False))).rstrip()
    for one in pair.comparison.differences:
        yield "\n[[difference]]"
        yield tomli_w.dumps({"field": one.field}).rstrip()
        for side, form in (("first", pair.first), ("second", pair.second)):
            row = row_of(form.data, one.field) if one.field.endswith("]") else None
            shown = "" if row is None else f" # {_inline(row)}"
            yield f"{tomli_w.dumps({side: getattr(one, side)}).rstrip()}{shown}"
        yield 'choice = ""\nwhy = ""'


def _inline(row: Mapping[str, Any]) -> str:
    """A whole row on one line, to be read or copied: tables stay inline in a list that holds something else."""
    text = re.sub(r"\n\s*", " ", tomli_w.dumps({"a": [0, row]}))
    return text.removeprefix("a = [ 0, ").removesuffix(", ] ")


def settle_pair(pair: Pair, decisions: Path, *, by: str) -> bytes:
    """Return the settled form as the bytes of its file.

    Parameters
    ----------
    pair : Pair
    decisions : Path
        What `decisions_text` wrote, filled in.
    by : str
        Who settles.

    Raises
    ------
    InputError
        With every fault of the decisions at its line: one that is missing, one about a field that does not differ, one
        without a choice or a reason, one on values that are no longer so, a value with which the form is none.
    """
    told = _Decisions(decisions)
    chosen = told.read(pair, by)
    first, second = pair.first, pair.second
    try:
        if isinstance(first.read, Appraisal) and isinstance(second.read, Appraisal):
            judged = [_judgement(one, first.read, second.read) for one in chosen]
            data = _appraisal_data(settle_appraisals(first.read, second.read, judged))
            messages = appraisal_of(data).messages
        else:
            data = dict(settle_forms(first.data, second.data, chosen).data)
            data["by"] = ", ".join(dict.fromkeys((first.by, second.by)))
            messages = extraction_of(data).messages
    except InputError as fault:
        raise InputError(*(told.located(message, data=first.data) for message in fault.messages)) from fault
    faults = [told.located(message, data=data) for message in messages if message.severity is Severity.ERROR]
    if faults:
        raise InputError(*faults)
    return tomli_w.dumps(data).encode()


@final
class _Decisions:
    """The file of decisions, and where each field stands in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _, text, self.data = _toml(path)
        self.lines = key_lines(text)
        self.at: dict[str, int | None] = {}

    def read(self, pair: Pair, by: str) -> list[Decision]:
        """Check the file as a whole and return what was decided."""
        faults = Faults(str(self.path), self.lines)
        table = Table(self.data, (), faults)
        for key, expected in zip(("study", "tool", "outcome"), pair.first.about, strict=False):
            told = table.text(key, required=key == "study")
            if told and told != expected:
                faults.wrong("models.not-one-of", (key,), told, expected=expected, near=())
        left = {one.field: one for one in pair.comparison.differences}
        found = []
        for row, raw in zip(table.tables("difference"), self.data.get("difference", ()), strict=False):
            one = self._decision(row, raw, left, by)
            if one is not None:
                found.append(one)
        table.close()
        undecided = [name for name in left if name not in self.at]
        missing = [error("extraction.undecided", place=Place(file=str(self.path)), field=one) for one in undecided]
        if faults.messages or missing:
            raise InputError(*faults.messages, *missing)
        return found

    def _decision(self, row: Table, raw: Mapping[str, Any], left: Mapping[str, Difference], by: str) -> Decision | None:
        """Return one decision; None where it is none, which is noted."""
        field, choice, why = row.text("field", required=True), row.text("choice"), row.text("why")
        faults, differs = row.faults, left.get(field)

        def wrong(code: str, key: str, **values: str) -> None:
            faults.wrong(f"extraction.{code}", (*row.path, key), raw.get(key, ""), field=field, **values)

        before = len(faults.messages)
        for key in raw:
            if key not in _KEYS:
                faults.wrong("models.unknown-key", (*row.path, key), key, expected=", ".join(_KEYS), near=())
        if field in self.at:
            wrong("decision-twice", "field")
        elif differs is None:
            wrong("decision-without-difference", "field")
        elif (raw.get("first"), raw.get("second")) != (differs.first, differs.second):
            wrong("decision-stale", "field", first=str(differs.first), second=str(differs.second))
        elif not choice.strip():
            wrong("undecided", "choice")
        elif choice not in CHOICES:
            wrong("decision-choice", "choice", expected=", ".join(CHOICES))
        elif (choice == "other") != ("value" in raw):
            wrong("decision-value", "choice")
        elif not why.strip():
            wrong("decision-without-reason", "why")
        self.at.setdefault(field, nearest_line(self.lines, row.path))
        if len(faults.messages) > before:
            return None
        return Decision(field=field, choice=choice, by=by, why=why, value=raw.get("value", ABSENT))

    def located(self, message: Message, *, data: Mapping[str, Any]) -> Message:
        """Return a fault of a decision, or of the settled form, at the line of the decision that it comes from."""
        told = message.place.field if message.place is not None and message.place.field else ""
        values = dict(message.items)
        field = str(values.get("field") or values.get("item") or field_name(data, told))
        field = field.removeprefix("judgement.").removesuffix(".level") if "tool" in data else field
        row = field if field.endswith("]") else field.rpartition("].")[0] + "]"
        beside = (line for name, line in self.at.items() if row != "]" and name.startswith(row))
        line = self.at[field] if field in self.at else next(beside, None)
        return _at(message, Place(file=str(self.path), line=line, field=field or None))


def _judgement(decision: Decision, first: Appraisal, second: Appraisal) -> Judgement:
    """Return a decision as a judgement: with the reasons of the rater who was right, or with its own."""
    item, by = decision.field, decision.by
    if decision.choice == "other":
        return Judgement(item=item, level=str(decision.value), reason=decision.why, decided_by=by)
    rater = first if decision.choice == "first" else second
    own = Judgement(item=item, reason=rater.overall_reason if item == OVERALL else "")
    told = next((one for one in rater.judgements if one.item == item), own)
    level = next(getattr(one, decision.choice) for one in compare_appraisals(first, second) if one.item == item)
    return replace(told, level=level, reason=told.reason or decision.why, decided_by=by)


def _appraisal_data(appraisal: Appraisal) -> dict[str, Any]:
    """Return an appraisal as the mapping that its file holds."""
    told = {
        "study": appraisal.study,
        "tool": appraisal.tool,
        "outcome": appraisal.outcome,
        "rater": appraisal.rater,
        "raters": list(appraisal.raters),
        "basis": appraisal.basis.value,
        "overall": appraisal.overall_given,
        "overall_reason": appraisal.overall_reason,
    }
    judged = {}
    for one in appraisal.judgements:
        texts = {"reason": one.reason, "reason_zh": one.reason_zh, "decided_by": one.decided_by}
        given = {key: text for key, text in texts.items() if text}
        if given or one.level != NO_INFORMATION:
            judged[one.item] = {"level": one.level, **given}
    return {key: value for key, value in told.items() if value} | {"judgement": judged}


def keep_settled(
    folder: Path, pair: Pair, content: bytes, decisions: Path, *, by: str
) -> tuple[Path, tuple[Event, ...]]:
    """Put a settled form into the review and write the events that take it in.

    Parameters
    ----------
    folder : Path
        Of the review.
    pair : Pair
    content : bytes
        From `settle_pair`.
    decisions : Path
    by : str

    Returns
    -------
    Path
        Where the settled form is.
    tuple of Event

    Raises
    ------
    InputError
        ``extraction.settled-over``: the review has a form on this already that is neither of the two, nor what they
        were settled to before. ``extraction.settled-beside``: it has two. Nothing is written then.
    """
    place = _place(folder, pair)
    beside = folder / CONSENSUS / place.parent.name / place.stem
    kept = beside / SETTLED
    if place.is_file():
        expected = [pair.first.content, pair.second.content, *([kept.read_bytes()] if kept.is_file() else [])]
        if place.read_bytes() not in expected:
            raise InputError(error("extraction.settled-over", place=Place(file=str(place))))
    place.parent.mkdir(exist_ok=True)
    beside.mkdir(parents=True, exist_ok=True)
    made = {"first.toml": pair.first.content, "second.toml": pair.second.content}
    for name, told in (made | {"decisions.toml": decisions.read_bytes(), SETTLED: content}).items():
        write_safely(beside / name, told)
    write_safely(place, content)
    return place, take_in(folder, by, only=place.relative_to(folder).as_posix())


def _place(folder: Path, pair: Pair) -> Path:
    """Return where the settled form goes: where the review has its form on this, else to a new file."""
    appraised = isinstance(pair.first.read, Appraisal)
    inside = folder / (APPRAISALS if appraised else STUDIES)
    there = [path for path in sorted(inside.glob("*.toml")) if _about(path) == pair.first.about]
    if len(there) > 1:
        raise InputError(error("extraction.settled-beside", place=Place(file=str(there[1])), other_file=there[0].name))
    if there:
        return there[0]
    name = "-".join(filter(None, pair.first.about)).replace(" ", "-")
    return inside / f"{name if _NAME.fullmatch(name) else pair.first.path.stem}.toml"


def _about(path: Path) -> tuple[str, ...]:
    form, _ = _read(path)
    return () if form is None else form.about
