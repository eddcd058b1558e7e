# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of the calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sirolens.engine.statistics.proportion import clopper_pearson
from sirolens.study.calibration.calibrate import Fit, target_rates
from sirolens.study.calibration.identifiability import identifiability
from sirolens.study.calibration.targets import Check, Direction, FittedTarget
from sirolens.study.mechanism.calibration_checks import CheckResult

PUBLISHED = {
    "overall at 3 months": 0.6,
    "complete at 3 months": 0.3,
    "partial at 3 months": 0.3,
    "complete at 6 months": 0.3,
}
"""Of paper A."""


def _back(found: Fit, cohort: str) -> int:
    return max((one.day for one in found.targets.targets if one.cohort == cohort and one.best), default=182)


def rate_of(found: Fit, target: FittedTarget, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A class's rate, each draw under every definition weighted by that definition's probability there."""
    rates, weights = [], []
    for structure, share in found.weights().items():
        one = found.structures[structure]
        column = dict(zip(one.columns[target.cohort], one.rates[target.cohort].T, strict=True))
        likely = one.by_definition[target.cohort]
        logs = np.stack(list(likely.values()))
        most = np.where(np.isfinite(logs.max(axis=0)), logs.max(axis=0), 0.0)
        chance = np.exp(logs - most)
        chance = chance / np.maximum(chance.sum(axis=0), 1e-300)
        for d, definition in enumerate(likely):
            told = target_rates(target, definition, column, _back(found, target.cohort))[name]
            rates.append(np.broadcast_to(told, share.shape))
            weights.append(share * chance[d])
    return np.concatenate(rates), np.concatenate(weights)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return [*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows), ""]


def _fitted(rows: Sequence[tuple[str, str, int, int, float, float, float]]) -> list[str]:
    told = []
    for name, kind, k, n, middle, low, high in rows:
        ci = clopper_pearson(k, n)
        told.append(
            (
                name,
                kind,
                f"{k}/{n} = {100 * k / n:.1f} %",
                f"{100 * ci.low:.0f}-{100 * ci.high:.0f} %",
                f"{100 * middle:.1f} % ({100 * low:.0f}-{100 * high:.0f})",
            )
        )
    return _table(("target", "class", "published", "95 % of the count", "model, 90 %"), told)


def _directions(found: Fit) -> list[str]:
    rows = []
    for one in found.targets.directions:
        means, agree = _direction(found, one)
        published, shown = (" -> ".join(f"{100 * v:.0f} %" for v in values) for values in (one.rates, means))
        rows.append((one.name, f"{published} ({one.direction})", shown, f"{agree:.2f}"))
    return _table(("direction", "published", "model, posterior means", "probability of that direction"), rows)


def _direction(found: Fit, one: Direction) -> tuple[list[float], float]:
    among = one.name == "taper-loses-some"
    columns = []
    for day in one.days:
        kind, at = "complete" if one.outcome == "complete" else "overall:iwg", day
        if among:
            first = day == one.days[0]
            kind, at = ("best:iwg", _back(found, one.cohort)) if first else ("kept:iwg", day)
        columns.append(found.rate(one.cohort, f"{kind}@{at}"))
    weights = columns[0][1]
    values = np.stack([value for value, _ in columns])
    if among:
        values = values / np.maximum(values[0], 1e-9)
    steps = np.diff(values, axis=0)
    agrees = (steps < 0.0).all(axis=0) if one.direction == "falls" else (np.abs(steps) < 0.05).all(axis=0)
    return [float((weights * row).sum()) for row in values], float((weights * agrees).sum())


def _why(found: Fit, evidence: Mapping[str, float]) -> list[str]:
    rows: list[tuple[str, str]] = [(name, f"{value:+.2f}") for name, value in evidence.items()]
    same, moved = (_mean_log([one.complete[key] for one in found.structures.values()]) for key in ("same", "cohorts"))
    rows.append(("complete responses alone: a shift between cohorts", f"{moved - same:+.2f}"))
    chances = [
        (cohort, ", ".join(f"{name} {value:.2f}" for name, value in found.definitions(cohort).items()))
        for cohort in found.cohorts
    ]
    return [
        *_table(("explanation", "log Bayes factor"), rows),
        *_table(("cohort", "probability of each definition"), chances),
    ]


def _mean_log(parts: Sequence[np.ndarray]) -> float:
    logs = np.concatenate(parts)
    return float(logs.max() + np.log(np.exp(logs - logs.max()).mean()))


def _structures(found: Fit) -> list[str]:
    rows = []
    for name, weights in found.weights().items():
        low, middle = np.quantile(found.structures[name].effective["paper-a"], [0.05, 0.5])
        rows.append((name, f"{weights.sum():.2f}", f"{low:.0f}, {middle:.0f}"))
    return _table(("structure", "posterior weight", "effective patients, 5 % and median of populations"), rows)


def _identified(found: Fit) -> list[str]:
    told = identifiability(found)
    draws = found.theta.shape[0] * len(found.structures)
    rows = [
        (
            one.name,
            f"{one.prior[0]:.2f} ({one.prior[1]:.2f} to {one.prior[2]:.2f})",
            f"{one.posterior[0]:.2f} ({one.posterior[1]:.2f} to {one.posterior[2]:.2f})",
            f"{one.contraction:.2f}",
            one.side,
            " ".join(f"{v:.1f}" for v in one.profile),
        )
        for one in told.told
    ]
    heads = ("hyperparameter", "prior, 90 %", "posterior, 90 %", "contraction", "excluded ends", "profile over tenths")
    pairs = sorted(((abs(told.correlation[i, j]), i, j) for i in range(len(told.told)) for j in range(i)), reverse=True)
    strongest = "; ".join(
        f"{told.told[i].name} and {told.told[j].name} {told.correlation[i, j]:+.2f}" for _, i, j in pairs[:6]
    )
    first = f"Effective draws of the posterior: {told.effective:.0f} of {draws}."
    return [first, "", *_table(heads, rows), f"Strongest correlations: {strongest}.", ""]


def _checked(results: Sequence[tuple[Check, CheckResult]]) -> list[str]:
    rows = []
    for check, one in results:
        told = check.told
        expected = {
            "interval": f"{one.observed:g}",
            "range": f"{told.get('low')}-{told.get('high')}",
            "direction": f">= {told.get('at_least')}",
        }[check.rule]
        model = f"{one.middle:.3g}"
        if one.low != one.high:
            model += f" ({one.low:.3g} to {one.high:.3g})"
        verdict = "hit" if one.hit else "**miss**"
        rows.append((check.name, check.rule, expected, model, "yes" if check.independent else "no", verdict))
    hits = sum(one.hit for _, one in results)
    heads = ("target", "rule", "published", "model, 95 %", "independent", "")
    return [*_table(heads, rows), f"{hits} of {len(results)} hit.", ""]


def tables(
    found: Fit,
    results: Sequence[tuple[Check, CheckResult]],
    fitted: Sequence[tuple[str, str, int, int, float, float, float]],
    evidence: Mapping[str, float],
    more: Mapping[str, Any],
) -> str:
    """Everything that README.md comments on."""
    population = [
        (key, f"{100 * value:.0f} %", f"{100 * more['paper-a'][key]:.1f} %") for key, value in PUBLISHED.items()
    ]
    doses = [
        (name, "; ".join(f"{d:g}: {t:.1f}, {100 * o:.0f} %, {100 * c:.0f} %" for d, t, o, c in rows))
        for name, rows in more["doses"].items()
    ]
    lines = [
        "# Tables of the calibration", "", "Written by `python -m validation calibration`.", "",
        "## Fitted (calibration)", "", *_fitted(fitted),
        "## Directions", "", *_directions(found),
        "## Why the cohorts differ: log evidence against one population and one definition", "", *_why(found, evidence),
        "## Structures", "", *_structures(found),
        "## Identifiability", "", *_identified(found),
        "## Checked (never fitted)", "", *_checked(results),
        "## The population that resembles paper A (calibration)", "",
        *_table(("", "published", "population mean"), population),
        "## Fixed doses in adults, day 91", "",
        *_table(("structure", "dose [mg]: mean trough [ng/mL], overall, complete"), doses),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"
