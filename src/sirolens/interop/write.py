# SPDX-License-Identifier: Apache-2.0
"""Results to files: whole or not at all, and all of one result or none of it.

A file is written beside its place and then put there in one step, so that a failure half way leaves what was there
before. Files that belong together are all written first and only then put in their places.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sirolens.errors import InputError
from sirolens.message import Message, Place, error

if TYPE_CHECKING:
    import pandas

__all__ = ["FORMATS", "check_targets", "table_bytes", "write_together", "write_whole"]


def _csv(frame: pandas.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _parquet(frame: pandas.DataFrame) -> bytes:
    return bytes(frame.to_parquet(index=False))


FORMATS: Mapping[str, Callable[[pandas.DataFrame], bytes]] = {".csv": _csv, ".parquet": _parquet}
"""How a table is written, by the ending of its file's name."""


def check_targets(targets: Iterable[Path], *, inputs: Iterable[Path] = (), tables: bool = False) -> None:
    """Refuse places that cannot be written, before anything is computed for them.

    Parameters
    ----------
    targets : iterable of Path
        Where results shall go.
    inputs : iterable of Path
        What was read; it is never written over.
    tables : bool
        The endings of the names must be formats of tables.

    Raises
    ------
    InputError
        With every fault: ``write.impossible``, ``write.over-input``, ``write.twice``, ``write.format-unknown``.

    Examples
    --------
    >>> check_targets([Path("out.xlsx")], tables=True)
    Traceback (most recent call last):
    sirolens.errors.InputError: out.xlsx: write.format-unknown(known=('.csv', '.parquet'), value=.xlsx)
    """
    read = {path.resolve() for path in inputs}
    seen: set[Path] = set()
    faults: list[Message] = []
    for path in targets:
        place = Place(file=str(path))
        if tables and path.suffix.lower() not in FORMATS:
            faults.append(error("write.format-unknown", place=place, value=path.suffix, known=tuple(FORMATS)))
        if path.is_dir():
            faults.append(error("write.is-folder", place=place))
        elif not path.parent.is_dir():
            faults.append(error("write.no-folder", place=place, folder=str(path.parent)))
        if path.resolve() in read:
            faults.append(error("write.over-input", place=place))
        if path.resolve() in seen:
            faults.append(error("write.twice", place=place))
        seen.add(path.resolve())
    if faults:
        raise InputError(*faults)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step.

    Raises
    ------
    InputError
        ``write.impossible`` when the folder is missing or may not be written.
    """
    write_together({path: content})


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write several files, all or none.

    Parameters
    ----------
    files : mapping of Path to bytes
        What goes where.

    Raises
    ------
    InputError
        ``write.impossible``, naming the file; none of the files was changed then.
    """
    staged: list[tuple[str, Path]] = []
    path = Path()
    try:
        for path, content in files.items():
            staged.append((_beside(path, content), path))
        while staged:
            temporary, path = staged[0]
            os.replace(temporary, path)
            del staged[0]
    except OSError as failure:
        told = failure.strerror or str(failure)
        raise InputError(error("write.impossible", place=Place(file=str(path)), told=told)) from failure
    finally:
        for temporary, _ in staged:
            os.unlink(temporary)


def _beside(path: Path, content: bytes) -> str:
    """Write the content to a new file in the same folder and return its name."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes private files; a result is as readable as any other file of its user.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def table_bytes(frame: pandas.DataFrame, path: Path) -> bytes:
    """Write a table in the format that the name of its file ends in.

    Raises
    ------
    InputError
        ``write.format-unknown`` for another ending.
    """
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        place = Place(file=str(path))
        raise InputError(error("write.format-unknown", place=place, value=path.suffix, known=tuple(FORMATS)))
    return write(frame)
