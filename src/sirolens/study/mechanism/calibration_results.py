# SPDX-License-Identifier: Apache-2.0
"""How the shipped calibration fared, as a small file: fitted targets, checks, and why cohorts may differ.

``study/data/calibration_results.toml`` is written by ``validation/calibration`` and shown by
``sirolens mechanism targets``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

from sirolens.study.mechanism.calibration_checks import CheckResult

__all__ = ["CalibrationResults", "FittedRow", "calibration_results", "text_of_results"]

DIGITS = 4


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRow:
    """One class of one fitted target: published count, and the model's rate with its 90 % interval."""

    target: str
    outcome: str
    count: int
    patients: int
    rate: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationResults:
    """How the calibration fared.

    Parameters
    ----------
    fitted : tuple of FittedRow
        What it was fitted to.
    checks : tuple of CheckResult
        What it was only checked against.
    evidence : mapping of str to float
        Log Bayes factor of each explanation against one population and one definition.
    model : str
        SHA-256 of the model and its register at that time.
    """

    fitted: tuple[FittedRow, ...]
    checks: tuple[CheckResult, ...]
    evidence: Mapping[str, float]
    model: str


def _number(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return repr(float(f"{value:.{DIGITS}g}")) if value == value else "nan"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def text_of_results(
    fitted: Sequence[tuple[str, str, int, int, float, float, float]],
    checks: Sequence[CheckResult],
    evidence: Mapping[str, float],
    model: str,
) -> str:
    """Write the results as TOML."""
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        "# How the calibration fared; written by validation/calibration, never by hand.",
        f'model = "{model}"',
        "",
        "[evidence]",
        *(f'"{name}" = {_number(value)}' for name, value in evidence.items()),
    ]
    names = tuple(FittedRow.__dataclass_fields__)
    for row in fitted:
        lines += ["", "[[fitted]]", *(f"{key} = {_number(value)}" for key, value in zip(names, row, strict=True))]
    for one in checks:
        lines += ["", "[[check]]"]
        lines += [f"{key} = {_number(getattr(one, key))}" for key in CheckResult.__dataclass_fields__]
    return "\n".join(lines) + "\n"


@cache
def calibration_results() -> CalibrationResults:
    """Read the shipped results.

    Examples
    --------
    >>> results = calibration_results()
    >>> results.fitted[0].target, results.fitted[0].count, len(results.checks)
    ('paper-a-3-months', 6, 28)
    """
    text = files("sirolens.study").joinpath("data", "calibration_results.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    return CalibrationResults(
        fitted=tuple(FittedRow(**one) for one in told["fitted"]),
        checks=tuple(CheckResult(**one) for one in told["check"]),
        evidence=MappingProxyType(told["evidence"]),
        model=told["model"],
    )
