# SPDX-License-Identifier: Apache-2.0
"""The records of one CDISC domain, from a CSV file or a SAS transport file, as rows of text with their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from sirolens.errors import InputError
from sirolens.interop.chart_csv import cells_of, open_table
from sirolens.interop.cohort_gathering import Gathering
from sirolens.interop.encoding import decode
from sirolens.interop.json_lines import Scalar
from sirolens.interop.measurements import number_text
from sirolens.message import Place, error
from sirolens.response.cohort import FileRecord, UnreadColumn

__all__ = ["Record", "records"]


class Record(NamedTuple):
    """One record: what its variables hold, by their names in capitals; empty ones are not there."""

    values: Mapping[str, str]
    line: int


def records(path: Path, read: Sequence[str], required: Sequence[str], gathering: Gathering) -> Iterator[Record]:
    """Yield the records of a domain; afterwards its hash and its unread variables are noted.

    Parameters
    ----------
    path : Path
        A CSV file, or an XPT file of version 5.
    read : sequence of str
        The variables that are read.
    required : sequence of str
        Those that must be there.
    gathering : Gathering
        Where faults, the file and unread variables are noted.
    """
    data = path.read_bytes()
    gathering.reading.file = str(path)
    filled: dict[str, int] = {}
    count = 0
    source = _from_xpt if path.suffix.lower() == ".xpt" else _from_csv
    for record in source(path, read, required, gathering, filled):
        count += 1
        yield record
    gathering.files.append(
        FileRecord(name=path.relative_to(gathering.folder).as_posix(), sha256=sha256(data).hexdigest(), rows=count)
    )
    gathering.unread.extend(UnreadColumn(file=path.name, name=name, filled=rows) for name, rows in filled.items())


def _from_csv(
    path: Path, read: Sequence[str], required: Sequence[str], gathering: Gathering, filled: dict[str, int]
) -> Iterator[Record]:
    reading = gathering.reading
    table = open_table(path, read, required, reading, other_names={}, unread=None)
    if table is None:
        reading.incomplete.add(path.stem.lower())
        return
    filled.update(dict.fromkeys((name for name in table.unread if name), 0))
    for line, row in table.rows:
        cells = cells_of(table.columns, line, row, reading)
        if cells is None:
            continue
        for name, cell in zip(table.unread, row, strict=False):
            if name and cell.strip():
                filled[name] += 1
        values = {name: cell.text.strip() for name, cell in cells.items() if isinstance(cell, Scalar)}
        yield Record(values, line)


def _from_xpt(
    path: Path, read: Sequence[str], required: Sequence[str], gathering: Gathering, filled: dict[str, int]
) -> Iterator[Record]:
    reading = gathering.reading
    try:
        frame = _frame(path)
    except Exception as fault:  # whatever a broken file makes the library raise
        reading.fault(error("cdisc.xpt-unreadable", place=Place(file=str(path)), told=type(fault).__name__))
        reading.incomplete.add(path.stem.lower())
        return
    frame.columns = [str(name).upper() for name in frame.columns]
    for name in required:
        if name not in frame.columns:
            reading.fault(error("chart.column-missing", place=Place(file=str(path)), name=name, known=tuple(read)))
    if any(name not in frame.columns for name in required):
        return
    encoding = _encoding(frame, path, gathering)
    if encoding is None:
        return
    filled.update({name: int(frame[name].notna().sum()) for name in frame.columns if name not in read})
    names = [name for name in frame.columns if name in read]
    for number, row in enumerate(frame[names].itertuples(index=False, name=None), start=1):
        texts = (_text(value, encoding) for value in row)
        yield Record({name: text for name, text in zip(names, texts, strict=True) if text}, number)


def _frame(path: Path) -> Any:
    """Read every record of a transport file.

    pandas takes blanks anywhere in the last card for padding, and so leaves out records that end in empty variables;
    the records are counted here: all that fit, less blank ones at the end.
    """
    import pandas as pd

    with pd.read_sas(path, format="xport", encoding=None, iterator=True) as reader:
        source: Any = reader
        body, length = path.read_bytes()[source.record_start :], source.record_length
        count = len(body) // length
        while count and not body[(count - 1) * length : count * length].strip(b" "):
            count -= 1
        source.nobs = count
        return source.read() if count else pd.DataFrame(columns=[str(name) for name in source.columns])


def _encoding(frame: Any, path: Path, gathering: Gathering) -> str | None:
    """Tell how the texts of a file are encoded; None, with the fault noted, when that is not plausible."""
    texts = {value for name in frame.columns for value in frame[name].unique() if isinstance(value, bytes)}
    if all(value.isascii() for value in texts):
        return "ascii"
    try:
        _, flags = decode(b"\n".join(sorted(texts)), file=str(path))
    except InputError as fault:
        gathering.reading.fault(*fault.messages)
        return None
    gathering.reading.flag(*flags)
    return "gb18030" if flags else "utf-8"


def _text(value: object, encoding: str) -> str:
    if isinstance(value, bytes):
        return value.decode(encoding).strip()
    if isinstance(value, float):
        return "" if value != value else number_text(value)
    return "" if value is None else str(value).strip()
