# SPDX-License-Identifier: Apache-2.0
"""The registry of response criteria, and how a user's own set joins it.

One set is one TOML file of ``response/data/criteria``; the format is described in ``docs/science/response.md``.
"""

from __future__ import annotations

from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from sirolens.errors import InputError
from sirolens.message import Message
from sirolens.registry import Registry
from sirolens.response.criteria_file import read_criteria, read_criteria_file
from sirolens.response.criteria_set import CriteriaSet

__all__ = ["DEFAULT", "check", "criteria_sets", "load"]

DEFAULT = "iwg-2009"
"""The set that is used when none is named."""


def _shipped(file_name: str) -> CriteriaSet:
    text = files("sirolens.response").joinpath("data", "criteria", file_name).read_text(encoding="utf-8")
    reading = read_criteria(text, file_name, criteria_sets().__getitem__)
    if reading.criteria is None:
        raise InputError(*reading.messages)
    return reading.criteria


@cache
def criteria_sets() -> Registry[CriteriaSet]:
    """Return the criteria sets by name.

    Examples
    --------
    >>> list(criteria_sets())[:3]
    ['ash-2024-dexamethasone', 'china-adult-2020', 'ctd-itp-2024']
    """
    registry = Registry[CriteriaSet]("criteria")
    for item in sorted(files("sirolens.response").joinpath("data", "criteria").iterdir(), key=lambda item: item.name):
        if item.name.endswith(".toml"):
            registry.add(item.name.removesuffix(".toml"), partial(_shipped, item.name))
    return registry


def load(name_or_path: str | Path) -> CriteriaSet:
    """Load a criteria set by its name or from a file.

    Parameters
    ----------
    name_or_path : str or Path
        ``"iwg-2009"`` or ``"my_criteria.toml"``. What ends in ``.toml`` or holds a slash is a file.

    Raises
    ------
    UnknownNameError
        No such set.
    InputError
        The file has faults: all of them, each with file, line, field, value and what was expected.

    Examples
    --------
    >>> load("iwg-2009").response_join, load("nct06722586").response_10e9_l
    ('and', None)
    """
    name = str(name_or_path)
    if name in criteria_sets() or not (isinstance(name_or_path, Path) or name.endswith(".toml") or "/" in name):
        return criteria_sets()[name]
    reading = read_criteria_file(name, criteria_sets().__getitem__)
    if reading.criteria is None:
        raise InputError(*reading.messages)
    return reading.criteria


def check(path: str | Path) -> tuple[Message, ...]:
    """Check a criteria file.

    Returns
    -------
    tuple of Message
        One per fault, in the order of the file; empty: the file is good.

    Examples
    --------
    >>> [str(message) for message in check("/no/such/file.toml")]
    ['/no/such/file.toml: models.file-unreadable(expected=TOML, value=No such file or directory)']
    """
    messages = read_criteria_file(path, criteria_sets().__getitem__).messages
    return tuple(sorted(messages, key=lambda message: (message.place.line or 0) if message.place else 0))
