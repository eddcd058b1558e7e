# SPDX-License-Identifier: Apache-2.0
"""How a cohort is analysed: every choice in one place, from ``analysis.toml`` or by default.

::

    primary_landmark_d = 91          # of the criteria's landmarks: exposure, predictors, subgroups, design
    interval_level = 0.95
    prior = { a = 0.5, b = 0.5 }     # beta prior of the Bayesian interval (Jeffreys)
    target_ng_ml = [5.0, 15.0]       # trough target
    gap_d = 56                       # longest time between two levels that is joined by a line
    events_per_variable = 10         # fewer: univariate only
    compare_with = ["feng-2020"]     # published studies; all that fit the landmark when left out

    [historical]                     # optional: a response rate to update
    name = "Local experience"
    responders = 12
    patients = 30
    weight = 0.5                     # how much each historical patient counts
    outcome = "overall"              # or "complete"

    [design]                         # optional: the Simon two-stage design the study was planned by
    p0 = 0.3
    p1 = 0.5
    alpha = 0.05
    beta = 0.2
    kind = "optimal"                 # or "minimax"
    outcome = "overall"              # or "complete"
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from sirolens.errors import InputError
from sirolens.message import Place, error
from sirolens.models.locate import key_lines
from sirolens.models.toml_table import Faults, Table

__all__ = ["Design", "Historical", "StudyProtocol", "load_protocol", "read_protocol"]

OUTCOMES = ("overall", "complete")
DESIGNS = ("optimal", "minimax")
DEFAULT_WEIGHTS = (0.0, 0.25, 0.5, 1.0)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Historical:
    """A response rate seen before, to be updated with the cohort's.

    Parameters
    ----------
    name : str
        Where it comes from.
    responders, patients : int
        The counts.
    weights : tuple of float
        How much a historical patient counts beside one of the cohort, from 0 (not at all) to 1 (the same).
    outcome : str
        ``"overall"`` or ``"complete"``.
    """

    name: str
    responders: int
    patients: int
    weights: tuple[float, ...] = DEFAULT_WEIGHTS
    outcome: str = "overall"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A Simon two-stage design.

    Parameters
    ----------
    p0, p1 : float
        Response rates: too low to go on with, and hoped for.
    alpha, beta : float
        Largest chances of the two errors.
    kind : str
        ``"optimal"`` or ``"minimax"``.
    outcome : str
        ``"overall"`` or ``"complete"``.
    """

    p0: float
    p1: float
    alpha: float = 0.05
    beta: float = 0.2
    kind: str = "optimal"
    outcome: str = "overall"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyProtocol:
    """The choices of an analysis; all but the target of the 20-patient study are ours where no file says them.

    Parameters
    ----------
    primary_landmark_d : int
        The landmark of exposure, predictors, subgroups and design.
    interval_level : float
        Level of every interval.
    prior : tuple of float
        Beta prior of the Bayesian interval.
    target_low_ng_ml, target_high_ng_ml : float
        The trough target.
    gap_d : float
        Longest time between two levels that is joined by a line.
    events_per_variable : float
        Below it no multivariable model is shown.
    compare_with : tuple of str
        Published studies by key; empty: all that fit.
    historical : Historical, optional
    design : Design, optional

    Examples
    --------
    >>> StudyProtocol().primary_landmark_d
    91
    """

    primary_landmark_d: int = 91
    interval_level: float = 0.95
    prior: tuple[float, float] = (0.5, 0.5)
    target_low_ng_ml: float = 5.0
    target_high_ng_ml: float = 15.0
    gap_d: float = 56.0
    events_per_variable: float = 10.0
    compare_with: tuple[str, ...] = ()
    historical: Historical | None = None
    design: Design | None = None


def load_protocol(path: Path) -> StudyProtocol:
    """Read ``analysis.toml``.

    Raises
    ------
    InputError
        ``file.unreadable``, or what `read_protocol` raises.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise InputError(error("file.unreadable", place=Place(file=str(path)))) from failure
    return read_protocol(text, str(path))


def read_protocol(text: str, file: str) -> StudyProtocol:
    """Read the choices of an analysis from TOML.

    Parameters
    ----------
    text : str
        TOML.
    file : str
        Name for messages.

    Raises
    ------
    InputError
        With every fault: not TOML, an unknown key, a value that cannot be.

    Examples
    --------
    >>> read_protocol("primary_landmark_d = 182", "analysis.toml").primary_landmark_d
    182
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = Place(file=file, line=int(line[1]) if line else text.count("\n") + 1)
        raise InputError(error("study.not-toml", place=place, told=str(fault))) from None
    faults = Faults(file, key_lines(text))
    root = Table(data, (), faults)
    protocol = _protocol(root)
    root.close()
    if faults.messages:
        raise InputError(*faults.messages)
    return protocol


def _protocol(root: Table) -> StudyProtocol:
    default = StudyProtocol()
    target = root.pair("target_ng_ml") or (default.target_low_ng_ml, default.target_high_ng_ml)
    if not 0 < target[0] < target[1]:
        root.faults.wrong("study.wrong-value", ("target_ng_ml",), list(target), expected="0 < low < high")
    return StudyProtocol(
        primary_landmark_d=root.whole("primary_landmark_d", least=1) or default.primary_landmark_d,
        interval_level=_share(root, "interval_level", default.interval_level),
        prior=_prior(root.table("prior"), default.prior),
        target_low_ng_ml=target[0],
        target_high_ng_ml=target[1],
        gap_d=root.number("gap_d", above=0.0) or default.gap_d,
        events_per_variable=root.number("events_per_variable", above=0.0) or default.events_per_variable,
        compare_with=root.texts("compare_with"),
        historical=_historical(root.table("historical")),
        design=_design(root.table("design")),
    )


def _share(table: Table, key: str, default: float, *, required: bool = False) -> float:
    value = table.number(key, above=0.0, required=required)
    if value is not None and value >= 1:
        table.faults.wrong("study.wrong-value", (*table.path, key), value, expected="0 < ... < 1")
        return default
    return default if value is None else value


def _prior(table: Table | None, default: tuple[float, float]) -> tuple[float, float]:
    if table is None:
        return default
    found = tuple(table.number(key, required=True, above=0.0) or 1.0 for key in ("a", "b"))
    table.close()
    return found[0], found[1]


def _historical(table: Table | None) -> Historical | None:
    if table is None:
        return None
    name = table.text("name", required=True)
    responders = table.whole("responders", required=True) or 0
    patients = table.whole("patients", required=True, least=1) or 1
    weight = table.number("weight", least=0.0)
    if responders > patients:
        table.faults.wrong("study.wrong-value", (*table.path, "responders"), responders, expected=f"<= {patients}")
    if weight is not None and weight > 1:
        table.faults.wrong("study.wrong-value", (*table.path, "weight"), weight, expected="0 <= ... <= 1")
    outcome = table.text("outcome", default="overall", choices=OUTCOMES)
    table.close()
    weights = DEFAULT_WEIGHTS if weight is None else tuple(sorted({0.0, min(weight, 1.0), 1.0}))
    responders = min(responders, patients)
    return Historical(name=name, responders=responders, patients=patients, weights=weights, outcome=outcome)


def _design(table: Table | None) -> Design | None:
    if table is None:
        return None
    p0, p1 = (_share(table, key, 0.5, required=True) for key in ("p0", "p1"))
    if p0 >= p1:
        table.faults.wrong("study.wrong-value", (*table.path, "p1"), p1, expected=f"> {p0:g}")
    design = Design(
        p0=p0,
        p1=p1,
        alpha=_share(table, "alpha", 0.05),
        beta=_share(table, "beta", 0.2),
        kind=table.text("kind", default="optimal", choices=DESIGNS),
        outcome=table.text("outcome", default="overall", choices=OUTCOMES),
    )
    table.close()
    return design
