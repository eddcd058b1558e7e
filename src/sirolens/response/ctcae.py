# SPDX-License-Identifier: Apache-2.0
"""Laboratory values graded by CTCAE version 5 or 6; the version is stored with every grade.

The rules are data (``data/ctcae_5.toml``, ``data/ctcae_6.toml``) with the printed wording beside them. A rule that
needs a limit of normal, a baseline or fasting that nobody recorded is not guessed: the grade is then missing, or "at
least" what the other rules give, with the reason. In immune thrombocytopenia the platelet count has a high grade
before any drug is taken: what counts is whether the grade got worse (`Grade.worsened`).
"""

from __future__ import annotations

import operator
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, final

from sirolens.source import Mark, Source

__all__ = ["VERSIONS", "Ctcae", "Grade", "Rule", "Term", "ctcae", "grade", "grades"]

VERSIONS = ("5", "6")
DIGITS = 12
"""Values and limits are compared at so many significant digits, so that 3 x 0.1 is 0.3."""
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
_RULE = re.compile(
    r"(?P<grade>[1-5]): (?P<operator>[<>]=?) (?:(?P<times>[\d.]+) x )?(?P<of>upper|lower|baseline|[\d.]+)"
    r"(?: \+ (?P<plus>[\d.]+))?(?: if (?P<condition>normal|high|low|not-low|fasting))?"
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way to reach a grade: the value against ``times * of + plus``, under a condition.

    Parameters
    ----------
    grade : int
        What is reached.
    operator : str
        ``"<"``, ``"<="``, ``">"`` or ``">="``.
    times, plus : float
        Of the limit.
    of : str
        ``"upper"``, ``"lower"``, ``"baseline"``; empty: the limit is `plus` alone.
    condition : str
        ``"normal"``, ``"high"``, ``"low"``, ``"not-low"`` (the baseline), ``"fasting"`` or empty.
    """

    grade: int
    operator: str
    times: float
    of: str
    plus: float
    condition: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One laboratory term of CTCAE.

    Parameters
    ----------
    lab : str
        The chart's name of the quantity; ``"platelets"`` for platelet counts.
    direction : str
        ``"low"`` or ``"high"``.
    name : str
        As CTCAE prints it.
    rules : tuple of Rule
    printed : tuple of str
        Grades 1 to 4 as they were seen.
    """

    lab: str
    direction: str
    name: str
    rules: tuple[Rule, ...]
    printed: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ctcae:
    """The laboratory terms of one version, what is not graded and why, and where it was seen."""

    version: str
    terms: tuple[Term, ...]
    absent: Mapping[str, str]
    source: Source


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The grade of one value under one term.

    Parameters
    ----------
    term : str
        As CTCAE prints it.
    version : str
        Of CTCAE.
    value : float
        In the canonical unit.
    grade : int, optional
        0 to 5; None where it cannot be told.
    at_least : bool
        A higher grade is possible: a rule could not be judged.
    reason : str
        Why not, or what was assumed: ``"upper-normal-missing"``, ``"lower-normal-missing"``, ``"baseline-missing"``,
        ``"fasting-unknown"``, ``"baseline-taken-as-normal"`` or empty.
    baseline_grade : int, optional
        The grade of the baseline under the same term.
    """

    term: str
    version: str
    value: float
    grade: int | None
    at_least: bool = False
    reason: str = ""
    baseline_grade: int | None = None

    @property
    def worsened(self) -> bool | None:
        """Whether the grade is higher than at baseline; None where one of the two is not known."""
        if self.grade is None or self.baseline_grade is None:
            return None
        return self.grade > self.baseline_grade


@cache
def ctcae(version: str) -> Ctcae:
    """Return the laboratory terms of one version.

    Parameters
    ----------
    version : {"5", "6"}

    Raises
    ------
    ValueError
        For another version.

    Examples
    --------
    >>> [term.name for term in ctcae("6").terms if term.lab == "platelets"]
    ['Thrombocytopenia']
    """
    if version not in VERSIONS:
        raise ValueError(f"CTCAE versions are {VERSIONS}, not {version!r}")
    text = files("sirolens.response").joinpath("data", f"ctcae_{version}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    origin: dict[str, Any] = dict(table["source"])
    return Ctcae(
        version=version,
        terms=tuple(
            Term(
                lab=entry["lab"],
                direction=entry["direction"],
                name=entry["name"],
                rules=tuple(map(_rule, entry["rules"])),
                printed=tuple(entry["printed"]),
            )
            for entry in table["term"]
        ),
        absent=MappingProxyType(dict(table["absent"])),
        source=Source(mark=Mark(origin.pop("mark")), **origin),
    )


def _rule(text: str) -> Rule:
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a rule: {text!r}")
    of = match["of"]
    named = of in ("upper", "lower", "baseline")
    return Rule(
        grade=int(match["grade"]),
        operator=match["operator"],
        times=float(match["times"] or 1.0),
        of=of if named else "",
        plus=float(match["plus"] or 0.0) if named else float(of),
        condition=match["condition"] or "",
    )


def grades(
    name: str,
    value: float,
    *,
    version: str,
    baseline: float | None = None,
    upper_normal: float | None = None,
    lower_normal: float | None = None,
    fasting: bool | None = None,
) -> tuple[Grade, ...]:
    """Grade a value under every term of its quantity (haemoglobin has one for too little and one for too much).

    Parameters
    ----------
    name : str
        The chart's name of the quantity, or ``"platelets"``.
    value : float
        In its canonical unit (`sirolens.units.CANONICAL`).
    version : {"5", "6"}
        Of CTCAE.
    baseline : float, optional
        The value before treatment, same unit.
    upper_normal, lower_normal : float, optional
        The laboratory's limits of normal, same unit.
    fasting : bool, optional
        Whether the sample was taken fasting; None: not recorded.

    Returns
    -------
    tuple of Grade
        Empty for a quantity that the version does not grade.

    Examples
    --------
    >>> [(found.term, found.grade) for found in grades("haemoglobin", 92, version="5", lower_normal=115)]
    [('Anemia', 2), ('Hemoglobin increased', None)]
    """
    known = {"upper": upper_normal, "lower": lower_normal, "baseline": baseline}
    found = []
    for term in ctcae(version).terms:
        if term.lab != name:
            continue
        reached, possible, reason = _judge(term, value, known, fasting)
        before = None
        if baseline is not None:
            base_grade, base_possible, _ = _judge(term, baseline, known, fasting)
            before = base_grade if base_grade or not base_possible else None
        found.append(
            Grade(
                term=term.name,
                version=version,
                value=value,
                grade=reached if reached or not possible else None,
                at_least=possible and reached > 0,
                reason=reason,
                baseline_grade=before,
            )
        )
    return tuple(found)


def grade(
    name: str,
    value: float,
    *,
    version: str,
    baseline: float | None = None,
    upper_normal: float | None = None,
    lower_normal: float | None = None,
    fasting: bool | None = None,
) -> Grade | None:
    """Grade a value under the term in which it is worst; None for a quantity that the version does not grade.

    Parameters
    ----------
    name, value, version, baseline, upper_normal, lower_normal, fasting
        As for `grades`.

    Examples
    --------
    >>> grade("platelets", 20.0, version="5", baseline=12.0).worsened
    False
    >>> grade("platelets", 20.0, version="5").grade, grade("platelets", 20.0, version="6").grade
    (4, 3)
    """
    found = grades(
        name,
        value,
        version=version,
        baseline=baseline,
        upper_normal=upper_normal,
        lower_normal=lower_normal,
        fasting=fasting,
    )
    # A grade that is missing stands above 0: the value is not shown to be harmless.
    return max(found, key=lambda one: (one.grade or 0, one.grade is None), default=None)


def _judge(term: Term, value: float, known: Mapping[str, float | None], fasting: bool | None) -> tuple[int, bool, str]:
    """Return the highest grade reached, whether a higher one is possible, and why or what was assumed."""
    reached, open_rules, assumed = 0, dict[int, str](), ""
    for rule in term.rules:
        holds, note = _condition(rule, known, fasting)
        assumed = assumed or (note if holds else "")
        if holds is None:
            open_rules[rule.grade] = note
        if not holds:
            continue
        limit = _limit(rule, known)
        if limit is None:
            open_rules[rule.grade] = "baseline-missing" if rule.of == "baseline" else f"{rule.of}-normal-missing"
        elif _OPERATORS[rule.operator](_rounded(value), _rounded(limit)):
            reached = max(reached, rule.grade)
    higher = [reason for grade, reason in open_rules.items() if grade > reached]
    return reached, bool(higher), higher[0] if higher else assumed


def _condition(rule: Rule, known: Mapping[str, float | None], fasting: bool | None) -> tuple[bool | None, str]:
    """Whether a rule applies (None: cannot be told); a baseline nobody measured is taken as normal, and told."""
    baseline, upper, lower = known["baseline"], known["upper"], known["lower"]
    match rule.condition:
        case "fasting":
            return fasting, "fasting-unknown"
        case "normal" | "high":
            if baseline is None or upper is None:
                return rule.condition == "normal", "baseline-taken-as-normal" if upper is not None else ""
            return (baseline > upper) is (rule.condition == "high"), ""
        case "low" | "not-low":
            if baseline is None or lower is None:
                return rule.condition == "not-low", "baseline-taken-as-normal"
            return (baseline < lower) is (rule.condition == "low"), ""
    return True, ""


def _limit(rule: Rule, known: Mapping[str, float | None]) -> float | None:
    if not rule.of:
        return rule.plus
    of = known[rule.of]
    return None if of is None else rule.times * of + rule.plus


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
