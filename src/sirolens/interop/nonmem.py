# SPDX-License-Identifier: Apache-2.0
"""Tables of events in the field's own format (NM-TRAN): read with every fault named, in chunks.

Columns, in any order and any case: ID, TIME (h) and AMT (mg), then as needed EVID, DV (ng/mL), MDV, RATE (mg/h, or -1,
-2), CMT, SS, II (h), ADDL, BLQ with LLOQ (ng/mL), ALQ with ULOQ (ng/mL), DVID, and the model's covariates. A dot or an
empty field is missing. Lines that start with ``#`` are comments. Units are the model's: `sirolens models show` prints
them.

What differs from NM-TRAN, on purpose: a dot is missing and never zero; an ID that comes back after another one is a
fault, not a new patient; a column nobody uses is named, not silently dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from sirolens.errors import TableError
from sirolens.interop.encoding import decode
from sirolens.message import Message, Place, error, info, warning
from sirolens.models.event_table import ABOVE, BELOW, MEASURED, EventTable

__all__ = ["read_table"]

Floats = NDArray[np.float64]

REQUIRED = ("ID", "TIME", "AMT")
EVENT_COLUMNS = ("EVID", "RATE", "CMT", "SS", "II", "ADDL")
OBSERVATION_COLUMNS = ("DV", "MDV", "BLQ", "LLOQ", "ALQ", "ULOQ", "DVID")
KNOWN = frozenset((*REQUIRED, *EVENT_COLUMNS, *OBSERVATION_COLUMNS))
WHOLE_NUMBERS = {
    "EVID": (0, 4),
    "CMT": (0, 99),
    "SS": (0, 2),
    "ADDL": (0, 10_000_000),
    "MDV": (0, 1),
    "BLQ": (0, 1),
    "ALQ": (0, 1),
    "DVID": (0, 99),
}
MISSING_TEXT = frozenset(("", ".", "NA", "na", "NaN", "nan"))
CHUNK_LINES = 100_000
MOST_FAULTS = 50
"""After so many faults the rest is only counted: a wrong separator makes one per field."""


@final
@dataclass(slots=True)
class _Faults:
    """The faults of one file, collected so that all are told at once."""

    file: str
    messages: list[Message]
    further: int = 0

    def add(self, code: str, line: int | None, field: str | None, value: str, expected: str) -> None:
        if len(self.messages) >= MOST_FAULTS:
            self.further += 1
            return
        place = Place(file=self.file, line=line, field=field)
        self.messages.append(error(code, place=place, value=value, expected=expected))

    def stop_if_any(self) -> None:
        if self.messages:
            rest = [error("nonmem.further-faults", place=Place(file=self.file), faults=self.further)]
            raise TableError(*self.messages, *(rest if self.further else ()))


def read_table(
    path: Path, covariates: Collection[str], *, separator: str = ","
) -> tuple[EventTable, tuple[Message, ...]]:
    """Read a table of events.

    Parameters
    ----------
    path : Path
        The file; UTF-8 or GB18030.
    covariates : collection of str
        Names of the covariates to read, in any case; other unknown columns are reported and left.
    separator : str
        What separates the columns.

    Returns
    -------
    EventTable
        The checked records, in file order.
    tuple of Message
        Flags: columns not used, observations without a value, identical rows.

    Raises
    ------
    TableError
        With one message per fault: file, line, column, value, what was expected.
    """
    faults = _Faults(str(path), [])
    data = _bytes(path)
    if not data.strip():
        raise TableError(error("nonmem.empty", place=Place(file=str(path))))
    text, flags = decode(data, file=str(path), known=KNOWN)
    lines = _data_lines(text)
    header_line, header = next(lines, (0, ""))
    if not header.strip():
        raise TableError(error("nonmem.empty", place=Place(file=str(path))))
    names = _column_names(header, header_line, separator, faults)
    wanted = {name.upper(): name for name in covariates}
    columns, line_numbers = _read_columns(lines, names, set(names) & (KNOWN | set(wanted)), separator, faults)
    faults.stop_if_any()
    if line_numbers.size == 0:
        raise TableError(error("nonmem.no-rows", place=Place(file=str(path))))
    unused = tuple(sorted(set(names) - KNOWN - set(wanted)))
    told = (info("nonmem.columns-not-used", place=Place(file=str(path)), columns=unused),) if unused else ()
    records, row_flags = _assemble(_Columns(columns, line_numbers.size), line_numbers, wanted, faults)
    faults.stop_if_any()
    return records, (*flags, *told, *row_flags)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise TableError(error("file.missing", place=Place(file=str(path)))) from None
    except (OSError, ValueError):  # a folder, or a name with a NUL
        raise TableError(error("file.unreadable", place=Place(file=str(path)))) from None


def _data_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number the lines and leave out comments and empty ones."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _column_names(header: str, line: int, separator: str, faults: _Faults) -> list[str]:
    names = [name.strip().strip('"').upper() for name in header.split(separator)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.add("nonmem.column-twice", line, name, name, "once")
    missing = [name for name in REQUIRED if name not in names]
    for name in missing:
        faults.add("nonmem.column-missing", line, name, ", ".join(names)[:200], name)
    faults.stop_if_any()
    return names


def _read_columns(
    lines: Iterator[tuple[int, str]], names: list[str], used: set[str], separator: str, faults: _Faults
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Turn the lines into one array per used column, a chunk at a time; ID stays text."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in used}
    numbers: list[NDArray[np.int64]] = []
    while chunk := list(islice(lines, CHUNK_LINES)):
        at = np.array([number for number, _ in chunk], dtype=np.int64)
        rows = [line.split(separator) for _, line in chunk]
        wrong = [i for i, row in enumerate(rows) if len(row) != len(names)]
        for i in wrong:
            faults.add("nonmem.fields-in-row", int(at[i]), None, str(len(rows[i])), str(len(names)))
        if wrong:
            continue
        numbers.append(at)
        cells = list(zip(*rows, strict=True))
        for name in used:
            texts = [text.strip().strip('"') for text in cells[names.index(name)]]
            parts[name].append(_identities(texts, at, faults) if name == "ID" else _numbers(texts, name, at, faults))
    if not numbers:
        return {}, np.empty(0, dtype=np.int64)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}, np.concatenate(numbers)


def _identities(texts: list[str], line: NDArray[np.int64], faults: _Faults) -> NDArray[np.object_]:
    for i, text in enumerate(texts):
        if text in MISSING_TEXT:
            faults.add("nonmem.id-missing", int(line[i]), "ID", text, "ID")
    return np.array(texts, dtype=object)


def _numbers(texts: list[str], name: str, line: NDArray[np.int64], faults: _Faults) -> Floats:
    """Read one column; what is no number is a fault, a missing one is not-a-number."""
    values = np.empty(len(texts))
    for i, text in enumerate(texts):
        try:
            values[i] = float(text)
        except ValueError:
            values[i] = np.nan
            if text not in MISSING_TEXT:
                code = "nonmem.clock-time" if name == "TIME" and ":" in text else "nonmem.not-a-number"
                faults.add(code, int(line[i]), name, text, "number")
    for bad_row in np.flatnonzero(np.isinf(values)):
        faults.add("nonmem.not-finite", int(line[bad_row]), name, texts[bad_row], "finite number")
    if name in WHOLE_NUMBERS:
        low, high = WHOLE_NUMBERS[name]
        bad = ~np.isnan(values) & ((values != np.floor(values)) | (values < low) | (values > high))
        for bad_row in np.flatnonzero(bad):
            faults.add("nonmem.not-in-range", int(line[bad_row]), name, texts[bad_row], f"{low}-{high}")
    return values


@final
@dataclass(slots=True)
class _Columns:
    """The columns of a file by name, with what stands in for a missing one."""

    arrays: dict[str, NDArray[Any]]
    rows: int

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def get(self, name: str, otherwise: float) -> Floats:
        """The column, missing values replaced."""
        if name not in self.arrays:
            return np.full(self.rows, otherwise)
        values = self.arrays[name].astype(np.float64)
        return np.where(np.isnan(values), otherwise, values)


@final
@dataclass(slots=True)
class _Rules:
    """Checks over whole columns that name every line they fail on."""

    faults: _Faults
    line: NDArray[np.int64]

    def refuse(self, bad: NDArray[np.bool_], code: str, field: str, value: Floats, expected: str) -> None:
        for i in np.flatnonzero(bad):
            self.faults.add(code, int(self.line[i]), field, "." if np.isnan(value[i]) else f"{value[i]:g}", expected)

    def refuse_returning(self, ids: tuple[str, ...], start: NDArray[np.int64]) -> None:
        seen: set[str] = set()
        for identity, first in zip(ids, start[:-1], strict=True):
            if identity in seen:
                self.faults.add("nonmem.id-comes-back", int(self.line[first]), "ID", identity, "ID")
            seen.add(identity)


def _assemble(
    columns: _Columns, line: NDArray[np.int64], wanted: dict[str, str], faults: _Faults
) -> tuple[EventTable, tuple[Message, ...]]:
    """Check the records against each other and put them together."""
    identity = columns.arrays["ID"]
    change = np.flatnonzero(identity[1:] != identity[:-1]) + 1
    start = np.concatenate(([0], change, [line.size])).astype(np.int64)
    ids = tuple(str(identity[i]) for i in start[:-1])
    rules = _Rules(faults, line)
    rules.refuse_returning(ids, start)
    events = _events(columns, start, rules)
    observed, censoring, limit = _observations(columns, events["evid"], rules)
    records = EventTable(
        ids=ids,
        start=start,
        time_h=events["time"],
        amount_mg=events["amount"],
        rate_mg_h=events["rate"],
        ii_h=events["ii"],
        evid=np.nan_to_num(events["evid"]).astype(np.int64),
        compartment=columns.get("CMT", 0.0).astype(np.int64),
        ss=events["ss"].astype(np.int64),
        addl=events["addl"].astype(np.int64),
        observed_ng_ml=observed,
        censoring=censoring,
        limit_ng_ml=limit,
        dvid=columns.get("DVID", 1.0).astype(np.int64),
        covariates={wanted[name]: columns.get(name, np.nan) for name in wanted if name in columns},
        line=line,
    )
    return records, _flags(records, faults.file)


def _events(columns: _Columns, start: NDArray[np.int64], rules: _Rules) -> dict[str, Floats]:
    """The columns of events, checked against each other."""
    time, amount = columns.get("TIME", np.nan), columns.get("AMT", 0.0)
    evid = columns.get("EVID", np.nan) if "EVID" in columns else np.where(amount > 0.0, 1.0, 0.0)
    rate, ii, addl, ss = (columns.get(name, 0.0) for name in ("RATE", "II", "ADDL", "SS"))
    is_dose = (evid == 1) | (evid == 4)
    endless_infusion = (ss == 1) & (amount == 0.0) & ((rate > 0.0) | (rate == -1.0))
    needs_interval = (addl > 0) | ((ss > 0) & ~endless_infusion)
    goes_back = np.concatenate(([False], np.diff(time) < 0.0))
    goes_back[start[:-1]] = False
    rules.refuse(np.isnan(time), "nonmem.missing", "TIME", time, ">= 0")
    rules.refuse(np.isnan(evid), "nonmem.missing", "EVID", evid, "0-4")
    rules.refuse(time < 0.0, "nonmem.negative", "TIME", time, ">= 0")
    rules.refuse(amount < 0.0, "nonmem.negative", "AMT", amount, ">= 0")
    rules.refuse(is_dose & (amount == 0.0) & ~endless_infusion, "nonmem.dose-without-amount", "AMT", amount, "> 0")
    rules.refuse(~is_dose & (amount > 0.0), "nonmem.amount-without-dose", "AMT", amount, "EVID 1, 4")
    rules.refuse((rate < 0.0) & (rate != -1.0) & (rate != -2.0), "nonmem.rate", "RATE", rate, ">= 0, -1, -2")
    rules.refuse(is_dose & needs_interval & (ii <= 0.0), "nonmem.interval-missing", "II", ii, "> 0")
    rules.refuse(goes_back & (evid < 3), "nonmem.time-goes-back", "TIME", time, ">=")
    return {"time": time, "amount": amount, "evid": evid, "rate": rate, "ii": ii, "addl": addl, "ss": ss}


def _observations(columns: _Columns, evid: Floats, rules: _Rules) -> tuple[Floats, NDArray[np.int64], Floats]:
    """The columns of observations: what was measured, what lies beyond a limit, what is only to be predicted."""
    observed = columns.get("DV", np.nan)
    below, above = columns.get("BLQ", 0.0) == 1.0, columns.get("ALQ", 0.0) == 1.0
    lower, upper = columns.get("LLOQ", np.nan), columns.get("ULOQ", np.nan)
    is_output = (evid == 0.0) & (columns.get("MDV", 0.0) == 0.0)
    rules.refuse(is_output & ~below & (observed < 0.0), "nonmem.negative", "DV", observed, ">= 0")
    rules.refuse(is_output & ~below & ~above & (observed == 0.0), "nonmem.zero-level", "DV", observed, "BLQ, LLOQ")
    rules.refuse(is_output & below & ~(lower > 0.0), "nonmem.limit-missing", "LLOQ", lower, "> 0")
    rules.refuse(is_output & above & ~(upper > 0.0), "nonmem.limit-missing", "ULOQ", upper, "> 0")
    rules.refuse(below & above, "nonmem.below-and-above", "BLQ", below.astype(float), "BLQ | ALQ")
    censoring = np.where(is_output & below, BELOW, np.where(is_output & above, ABOVE, MEASURED))
    measured = is_output & (censoring == MEASURED)
    limit = np.where(censoring == BELOW, lower, np.where(censoring == ABOVE, upper, np.nan))
    return np.where(measured, observed, np.nan), censoring.astype(np.int64), limit


def _flags(records: EventTable, file: str) -> tuple[Message, ...]:
    """Tell what was read but may surprise: rows that are identical, in file order."""
    columns = (
        np.repeat(np.arange(len(records.ids)), np.diff(records.start)),
        records.time_h,
        records.evid,
        records.amount_mg,
        records.compartment,
        records.dvid,
        np.nan_to_num(records.observed_ng_ml, nan=-1.0),
    )
    same = np.all([column[1:] == column[:-1] for column in columns], axis=0)
    measured = records.is_measured | (records.evid == 1)
    lines = records.line[1:][same & measured[1:]]
    if lines.size == 0:
        return ()
    place = Place(file=file, line=int(lines[0]))
    return (warning("nonmem.identical-rows", place=place, rows=int(lines.size)),)
