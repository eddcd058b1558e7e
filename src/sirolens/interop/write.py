# SPDX-License-Identifier: Apache-2.0
"""Results to files: whole or not at all.

A file is written beside its place and then put there in one step, so that a failure half way leaves what was there
before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sirolens.errors import InputError
from sirolens.message import Place, error

if TYPE_CHECKING:
    import pandas

__all__ = ["FORMATS", "write_frame", "write_whole"]


def _csv(frame: pandas.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _parquet(frame: pandas.DataFrame) -> bytes:
    return bytes(frame.to_parquet(index=False))


FORMATS: Mapping[str, Callable[[pandas.DataFrame], bytes]] = {".csv": _csv, ".parquet": _parquet}
"""How a table is written, by the ending of its file's name."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step.

    Raises
    ------
    InputError
        ``write.impossible`` when the folder is missing or may not be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            # mkstemp makes private files; a result is as readable as any other file of its user.
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as failure:
        raise InputError(error("write.impossible", place=Place(file=str(path)), told=str(failure))) from failure


def write_frame(frame: pandas.DataFrame, path: Path) -> None:
    """Write a table in the format its file's name ends in.

    Raises
    ------
    InputError
        ``write.format-unknown`` for another ending.
    """
    write = FORMATS.get(path.suffix.lower())
    if write is None:
        raise InputError(error("write.format-unknown", place=Place(file=str(path)), known=tuple(FORMATS)))
    write_whole(path, write(frame))
