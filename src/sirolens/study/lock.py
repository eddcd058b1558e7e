# SPDX-License-Identifier: Apache-2.0
"""The study lock: hashes of data, criteria, choices and versions, so that a re-run can say what changed.

A lock does not stop anybody. It makes a change visible: `verify` names every file, rule and version that is not what
it was when the lock was written, and whether the results are.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any, final

from sirolens.errors import InputError
from sirolens.message import Message, Place, checked, error, info, warning
from sirolens.response.cohort import Cohort
from sirolens.response.criteria_set import CriteriaSet
from sirolens.study.cohort.protocol import StudyProtocol

__all__ = ["FORMAT", "Lock", "lock_of", "lock_text", "read_lock", "verify"]

FORMAT = 1
DIGITS = 9
LIBRARIES = ("sirolens", "numpy", "scipy", "statsmodels", "numba")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a report rests on.

    Parameters
    ----------
    study : str
        Name of the study.
    at : str
        The data cut.
    files : mapping of str to str
        SHA-256 of every file of the cohort.
    criteria : mapping of str to str
        Name, version and SHA-256 of the criteria set.
    protocol : mapping of str to str
        SHA-256 of each choice of the analysis.
    versions : mapping of str to str
        Of Python and the libraries the numbers come from.
    results : str
        SHA-256 of the results.
    """

    study: str
    at: str
    files: Mapping[str, str]
    criteria: Mapping[str, str]
    protocol: Mapping[str, str]
    versions: Mapping[str, str]
    results: str


def _plain(value: object) -> Any:
    """Return a value as JSON can hold it, the same for the same value everywhere."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON.

    >>> digest((1, "a"))[:8] == digest([1, "a"])[:8]
    True
    """
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _rounded(value: Any) -> Any:
    """Round numbers to the digits that every machine agrees on: sums in another order differ in the last ones."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return value


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def lock_of(cohort: Cohort, criteria: CriteriaSet, protocol: StudyProtocol, at: datetime, results: object) -> Lock:
    """Return the lock of an analysis.

    Parameters
    ----------
    cohort : Cohort
        Names its files with their hashes.
    criteria : CriteriaSet
        The rules.
    protocol : StudyProtocol
        The choices.
    at : datetime
        The data cut that was used.
    results : object
        The numbers, as JSON values.
    """
    return Lock(
        study=cohort.name,
        at=at.isoformat(),
        files={record.name: record.sha256 for record in cohort.files} or {"charts": digest(cohort.charts)},
        criteria={"name": criteria.name, "version": criteria.version, "sha256": digest(criteria)},
        protocol={one.name: digest(getattr(protocol, one.name)) for one in fields(protocol)},
        versions={"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        results=digest(_rounded(results)),
    )


def lock_text(lock: Lock) -> str:
    """Write a lock as JSON, one line a value, for a version control's eyes."""
    return json.dumps({"sirolens_lock": FORMAT, **asdict(lock)}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_lock(text: str, file: str) -> Lock:
    """Read a lock.

    Raises
    ------
    InputError
        ``study.lock-unreadable``.
    """
    try:
        told = json.loads(text)
        if told["sirolens_lock"] != FORMAT:
            raise KeyError("sirolens_lock")
        maps = {name: {str(k): str(v) for k, v in told[name].items()} for name in _MAPS}
        return Lock(study=str(told["study"]), at=str(told["at"]), results=str(told["results"]), **maps)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise InputError(error("study.lock-unreadable", place=Place(file=file), told=str(fault))) from None


_MAPS = ("files", "criteria", "protocol", "versions")


def verify(old: Lock, new: Lock) -> tuple[Message, ...]:
    """Name what changed since a lock was written.

    Parameters
    ----------
    old, new : Lock
        The lock that was written, and that of the present run.

    Returns
    -------
    tuple of Message
        One for each change; a check that found nothing when there is none.

    Examples
    --------
    >>> lock = Lock(study="s", at="t", files={"a.csv": "1"}, criteria={}, protocol={}, versions={}, results="r")
    >>> [message.code for message in verify(lock, lock)]
    ['study.lock-same']
    """
    found: list[Message] = []
    if old.study != new.study:
        found.append(warning("study.lock-study", before=old.study, after=new.study))
    if old.at != new.at:
        found.append(warning("study.lock-cut", before=old.at, after=new.at))
    for part, code in (("files", "file"), ("criteria", "criteria"), ("protocol", "protocol"), ("versions", "version")):
        found += _changes(getattr(old, part), getattr(new, part), code)
    same_results = old.results == new.results
    if not found and same_results:
        return (checked("study.lock-same"),)
    if same_results:
        found.append(info("study.lock-results-same"))
    elif found:
        found.append(warning("study.lock-results-changed"))
    else:
        # Nothing that should matter changed, yet the numbers did: the machine or the program is at fault.
        found.append(warning("study.lock-results-unexplained"))
    return tuple(found)


def _changes(old: Mapping[str, str], new: Mapping[str, str], kind: str) -> list[Message]:
    makers = {
        "file": ("study.lock-file-changed", "study.lock-file-gone", "study.lock-file-new"),
        "criteria": ("study.lock-criteria-changed",) * 3,
        "protocol": ("study.lock-protocol-changed",) * 3,
        "version": ("study.lock-version-changed",) * 3,
    }[kind]
    found = []
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        which = makers[0] if before is not None and after is not None else makers[1] if after is None else makers[2]
        found.append(warning(which, name=name, before=_short(before), after=_short(after)))
    return found


def _short(value: str | None) -> str:
    return "-" if value is None else f"{value[:12]}" if len(value) == 64 else value
