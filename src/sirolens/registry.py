# SPDX-License-Identifier: Apache-2.0
"""A registry: from a name to a thing, with errors that list what is known.

Things of other packages join through the entry-point group ``sirolens.<kind>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Generic, TypeVar, final

from sirolens.errors import UnknownNameError
from sirolens.message import error

__all__ = ["Registry"]

T = TypeVar("T")


@final
class Registry(Generic[T]):
    """Named things of one kind, each made when first asked for.

    Parameters
    ----------
    kind : str
        What the things are, such as ``"models"``; also names the entry-point group.

    Examples
    --------
    >>> models = Registry[int]("examples")
    >>> models.add("one", lambda: 1)
    >>> models["one"], list(models)
    (1, ['one'])
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._makers: dict[str, Callable[[], T]] = {}
        self._made: dict[str, T] = {}
        self._plugins_read = False

    def add(self, name: str, make: Callable[[], T]) -> None:
        """Add a thing by the function that makes it; a name is given once."""
        if name in self._makers:
            raise ValueError(f"{self.kind} already has {name!r}")
        self._makers[name] = make

    def _read_plugins(self) -> None:
        if not self._plugins_read:
            self._plugins_read = True
            for entry in entry_points(group=f"sirolens.{self.kind}"):
                self.add(entry.name, entry.load())

    def __getitem__(self, name: str) -> T:
        self._read_plugins()
        if name not in self._makers:
            near = get_close_matches(name, self._makers, n=3)
            raise UnknownNameError(
                error("registry.unknown-name", kind=self.kind, name=name, near=tuple(near), known=tuple(self))
            )
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        self._read_plugins()
        return iter(sorted(self._makers))

    def __len__(self) -> int:
        self._read_plugins()
        return len(self._makers)

    def __contains__(self, name: object) -> bool:
        self._read_plugins()
        return name in self._makers
