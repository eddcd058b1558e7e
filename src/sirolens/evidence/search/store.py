# SPDX-License-Identifier: Apache-2.0
"""What was fetched so far, in a file that survives a crash: what is in it is not asked for again.

One JSON object a line: the search with its parts first, then a batch of records a line, each on the disk before the
next is asked for. Half a last line (the machine stopped while writing) is taken off. The user's key is never in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from sirolens.errors import InputError
from sirolens.message import Place, error

__all__ = ["Store"]


@final
class Store:
    """The file of one search under way; without a path nothing is kept.

    Parameters
    ----------
    path : Path, optional
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self, query: str, form: str) -> tuple[dict[str, Any] | None, dict[str, str]]:
        """Return the search that was begun (None when there is none) and the records fetched, by PMID.

        Raises
        ------
        InputError
            ``retrieval.other-search``: the file belongs to another search. ``retrieval.not-a-store``: to none at all.
        """
        if self._path is None or not self._path.exists():
            return None, {}
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self._path, len(whole))
        begun: dict[str, Any] | None = None
        records: dict[str, str] = {}
        for number, line in enumerate(whole.decode("utf-8", errors="replace").split("\n"), 1):
            if not line.strip():
                continue
            place = Place(file=self._path.name, line=number)
            entry = self._entry(line, place)
            if "search" in entry:
                begun = entry["search"]
                if not isinstance(begun, dict) or (begun.get("query"), begun.get("form")) != (query, form):
                    raise InputError(error("retrieval.other-search", place=place))
            elif isinstance(entry.get("records"), dict):
                records.update(entry["records"])
            else:
                raise InputError(error("retrieval.not-a-store", place=place))
        return begun, records

    def begin(self, search: Mapping[str, Any]) -> None:
        """Write the search with its parts."""
        self._append({"search": dict(search)})

    def add(self, records: Mapping[str, str]) -> None:
        """Write a batch of records; it is on the disk when this returns."""
        self._append({"records": dict(records)})

    def _append(self, entry: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        with self._path.open("ab") as stream:
            stream.write(json.dumps(entry, ensure_ascii=False).encode("utf-8") + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    @staticmethod
    def _entry(line: str, place: Place) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise InputError(error("retrieval.not-a-store", place=place))
        return entry
