# SPDX-License-Identifier: Apache-2.0
"""Are cells different from healthy controls before treatment, and do they change on it?

Per subset (a cell, its gate and its unit): numbers, quartiles, means, every test a paper may have used, effects with
intervals, and P values adjusted for the number of subsets. Comparisons that the data do not carry are said, not made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import final

import numpy as np

from sirolens.chart import Chart
from sirolens.engine.statistics.interval import Array, Interval
from sirolens.engine.statistics.means import Description, MeanDifference, describe, paired_t, welch
from sirolens.engine.statistics.proportion import clopper_pearson
from sirolens.engine.statistics.ranks import (
    CliffsDelta,
    RankTest,
    Shift,
    benjamini_hochberg,
    cliffs_delta,
    hodges_lehmann,
    hodges_lehmann_paired,
    holm,
    mann_whitney,
    wilcoxon,
)
from sirolens.message import Message, info, warning
from sirolens.response.cell_samples import (
    NO_METHODS,
    CellWindows,
    Sample,
    Samples,
    Subset,
    control_values,
    nearest,
    samples_of,
)
from sirolens.response.control import ControlSample

__all__ = [
    "LEAST",
    "ControlComparison",
    "ControlComparisons",
    "GroupTests",
    "PairedChange",
    "PairedChanges",
    "PairedTests",
    "compare_with_controls",
    "paired_change",
]

LEAST = 3
"""Fewer patients, controls or pairs are shown, not tested."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTests:
    """Two independent groups, first the patients.

    Parameters
    ----------
    mann_whitney : RankTest
        Exact with ties up to 100 people, asymptotic beyond.
    mann_whitney_asymptotic : RankTest
        Without continuity correction, as SPSS prints it.
    welch : MeanDifference
        Welch's t.
    shift : Shift
        Hodges and Lehmann's.
    delta : CliffsDelta
        Cliff's.
    holm_p, benjamini_hochberg_p : float
        The first test's P adjusted over the subsets compared together.
    """

    mann_whitney: RankTest
    mann_whitney_asymptotic: RankTest
    welch: MeanDifference
    shift: Shift
    delta: CliffsDelta
    holm_p: float
    benjamini_hochberg_p: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ControlComparison:
    """Patients before treatment against healthy controls, in one subset.

    Parameters
    ----------
    subset : Subset
        What was measured.
    patients, controls : tuple of str
        Whose values, in the order of the values.
    patient_values, control_values : ndarray
        Every point.
    patient_summary, control_summary : Description
        Of them.
    tests : GroupTests or None
        None with too few of either.
    """

    subset: Subset
    patients: tuple[str, ...]
    controls: tuple[str, ...]
    patient_values: Array
    control_values: Array
    patient_summary: Description
    control_summary: Description
    tests: GroupTests | None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ControlComparisons:
    """All subsets measured in patients before treatment.

    Parameters
    ----------
    comparisons : tuple of ControlComparison
        One a subset, in order.
    windows : CellWindows
        Which samples counted.
    messages : tuple of Message
        What was left out or could not be done, and how to read the rest.
    """

    comparisons: tuple[ControlComparison, ...]
    windows: CellWindows
    messages: tuple[Message, ...]


def _adjusted(p_values: Sequence[float]) -> tuple[Array, Array]:
    return holm(p_values), benjamini_hochberg(p_values)


def _group_tests(pairs: Sequence[tuple[Array, Array]], level: float) -> tuple[GroupTests | None, ...]:
    tests = [mann_whitney(x, y) if min(x.size, y.size) >= LEAST else None for x, y in pairs]
    held, discovered = _adjusted([test.p_value if test is not None else float("nan") for test in tests])
    return tuple(
        None
        if test is None
        else GroupTests(
            mann_whitney=test,
            mann_whitney_asymptotic=mann_whitney(x, y, "asymptotic"),
            welch=welch(x, y, level),
            shift=hodges_lehmann(x, y, level),
            delta=cliffs_delta(x, y, level),
            holm_p=float(held[i]),
            benjamini_hochberg_p=float(discovered[i]),
        )
        for i, (test, (x, y)) in enumerate(zip(tests, pairs, strict=True))
    )


def compare_with_controls(
    charts: Sequence[Chart],
    controls: Sequence[ControlSample],
    at: datetime,
    *,
    windows: CellWindows | None = None,
    methods: Mapping[str, str] = NO_METHODS,
    level: float = 0.95,
) -> ControlComparisons:
    """Compare patients before treatment with healthy controls, each subset by its own gate (claim A6, hazard H30).

    Parameters
    ----------
    charts : sequence of Chart
        The cohort; only what was known at `at`.
    controls : sequence of ControlSample
        Healthy controls. Those of a gate that no patient was measured by are named and not used.
    at : datetime
        The data cut.
    windows : CellWindows, optional
        Which samples count as before treatment.
    methods : mapping of str to str
        Cytokine -> method, where the study states it.
    level : float
        Level of confidence.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> compare_with_controls([], [], datetime(2026, 1, 1, tzinfo=UTC)).comparisons
    ()
    """
    windows = CellWindows() if windows is None else windows
    samples = samples_of(charts, at, methods=methods, controls=controls)
    healthy, said = control_values(controls, samples.subsets)
    messages = [*samples.messages, *said]
    rows, pairs = [], []
    for subset in samples.subsets:
        before, missing = _window(samples, subset, windows, after=False)
        people = healthy.get(subset, {})
        if missing:
            messages.append(info("cells.no-baseline", cell=subset.cell, gate=subset.method, patients=tuple(missing)))
        if not people:
            messages.append(warning("cells.no-controls", cell=subset.cell, gate=subset.method, unit=subset.unit))
        x, y = _values(before), np.array(list(people.values()), dtype=np.float64)
        rows.append((subset, tuple(before), tuple(people)))
        pairs.append((x, y))
        if people and min(x.size, y.size) < LEAST:
            messages.append(
                warning(
                    "cells.too-few", cell=subset.cell, gate=subset.method, patients=x.size, controls=y.size, least=LEAST
                )
            )
    for subset in healthy:
        if subset not in samples.subsets:
            messages.append(warning("cells.only-controls", cell=subset.cell, gate=subset.method, unit=subset.unit))
    found = _group_tests(pairs, level)
    if any(tests is not None and tests.mann_whitney.p_value >= 1 - level for tests in found):
        messages.append(info("cells.no-difference-is-not-equality"))
    comparisons = tuple(
        ControlComparison(
            subset=subset,
            patients=patients,
            controls=people,
            patient_values=x,
            control_values=y,
            patient_summary=describe(x),
            control_summary=describe(y),
            tests=tests,
        )
        for (subset, patients, people), (x, y), tests in zip(rows, pairs, found, strict=True)
    )
    return ControlComparisons(comparisons=comparisons, windows=windows, messages=tuple(messages))


def _window(
    samples: Samples, subset: Subset, windows: CellWindows, *, after: bool
) -> tuple[dict[str, Sample], list[str]]:
    """Return each patient's sample of a window, and who has samples but none in it."""
    chosen = {patient: nearest(own, windows, after=after) for patient, own in samples.of(subset).items()}
    found = {patient: sample for patient, sample in chosen.items() if sample is not None}
    return found, [patient for patient, sample in chosen.items() if sample is None]


def _values(samples: Mapping[str, Sample]) -> Array:
    return np.array([sample.value for sample in samples.values()], dtype=np.float64)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTests:
    """Pairs of the same patients, after less before.

    Parameters
    ----------
    wilcoxon : RankTest
        Signed ranks, exact with ties up to 100 pairs.
    wilcoxon_asymptotic : RankTest
        Without continuity correction, as SPSS prints it.
    paired_t : MeanDifference
        The t test of the differences.
    shift : Shift
        Hodges and Lehmann's centre of the differences.
    risen_interval : Interval
        Exact, of the share that rose among those that changed.
    holm_p, benjamini_hochberg_p : float
        The first test's P adjusted over the subsets compared together.
    """

    wilcoxon: RankTest
    wilcoxon_asymptotic: RankTest
    paired_t: MeanDifference
    shift: Shift
    risen_interval: Interval
    holm_p: float
    benjamini_hochberg_p: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairedChange:
    """One subset before and on treatment, in the patients who have both.

    Parameters
    ----------
    subset : Subset
        What was measured.
    patients : tuple of str
        Whose pairs, in the order of the values.
    before, after : ndarray
        Every point.
    before_day, after_day : ndarray of int
        When, from the first dose.
    before_summary, after_summary, change_summary : Description
        Of them and of after less before.
    risen, fallen, unchanged : int
        How many.
    tests : PairedTests or None
        None with too few pairs.
    """

    subset: Subset
    patients: tuple[str, ...]
    before: Array
    after: Array
    before_day: np.ndarray
    after_day: np.ndarray
    before_summary: Description
    after_summary: Description
    change_summary: Description
    risen: int
    fallen: int
    unchanged: int
    tests: PairedTests | None


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairedChanges:
    """All subsets of which somebody has a sample.

    Parameters
    ----------
    changes : tuple of PairedChange
        One a subset, in order.
    windows : CellWindows
        Which samples counted.
    messages : tuple of Message
        What was left out or could not be done.
    """

    changes: tuple[PairedChange, ...]
    windows: CellWindows
    messages: tuple[Message, ...]


def paired_change(
    charts: Sequence[Chart],
    at: datetime,
    *,
    windows: CellWindows | None = None,
    methods: Mapping[str, str] = NO_METHODS,
    level: float = 0.95,
) -> PairedChanges:
    """Compare each patient on treatment with the same patient before it (claim A6).

    A sample counts as on treatment after the day of the first dose and not after that of the last.

    Parameters
    ----------
    charts : sequence of Chart
        The cohort; only what was known at `at`.
    at : datetime
        The data cut.
    windows : CellWindows, optional
        Which samples count as before and as on treatment.
    methods : mapping of str to str
        Cytokine -> method, where the study states it.
    level : float
        Level of confidence.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> paired_change([], datetime(2026, 1, 1, tzinfo=UTC)).changes
    ()
    """
    windows = CellWindows() if windows is None else windows
    samples = samples_of(charts, at, methods=methods)
    messages = list(samples.messages)
    rows = []
    for subset in samples.subsets:
        before, _ = _window(samples, subset, windows, after=False)
        after, _ = _window(samples, subset, windows, after=True)
        both = tuple(patient for patient in before if patient in after)
        alone = tuple(sorted((before.keys() | after.keys()) - set(both)))
        if alone:
            messages.append(info("cells.unpaired", cell=subset.cell, gate=subset.method, patients=alone))
        if len(both) < LEAST:
            messages.append(
                warning("cells.too-few-pairs", cell=subset.cell, gate=subset.method, pairs=len(both), least=LEAST)
            )
        rows.append((subset, [before[patient] for patient in both], [after[patient] for patient in both]))
    differences = [
        np.array([b.value - a.value for a, b in zip(before, after, strict=True)], dtype=np.float64)
        for _, before, after in rows
    ]
    tests = _paired_tests(differences, level)
    changes = tuple(
        _paired(subset, before, after, difference, test)
        for (subset, before, after), difference, test in zip(rows, differences, tests, strict=True)
    )
    return PairedChanges(changes=changes, windows=windows, messages=tuple(messages))


def _paired_tests(differences: Sequence[Array], level: float) -> tuple[PairedTests | None, ...]:
    tests = [wilcoxon(difference) if difference.size >= LEAST else None for difference in differences]
    held, discovered = _adjusted([test.p_value if test is not None else float("nan") for test in tests])
    return tuple(
        None
        if test is None
        else PairedTests(
            wilcoxon=test,
            wilcoxon_asymptotic=wilcoxon(difference, "asymptotic"),
            paired_t=paired_t(difference, level),
            shift=hodges_lehmann_paired(difference, level),
            risen_interval=clopper_pearson(int(np.sum(difference > 0)), int(np.sum(difference != 0)), level),
            holm_p=float(held[i]),
            benjamini_hochberg_p=float(discovered[i]),
        )
        for i, (test, difference) in enumerate(zip(tests, differences, strict=True))
    )


def _paired(
    subset: Subset,
    before: Sequence[Sample],
    after: Sequence[Sample],
    difference: Array,
    tests: PairedTests | None,
) -> PairedChange:
    first = np.array([sample.value for sample in before], dtype=np.float64)
    second = np.array([sample.value for sample in after], dtype=np.float64)
    return PairedChange(
        subset=subset,
        patients=tuple(sample.patient for sample in before),
        before=first,
        after=second,
        before_day=np.array([sample.day for sample in before], dtype=np.int64),
        after_day=np.array([sample.day for sample in after], dtype=np.int64),
        before_summary=describe(first),
        after_summary=describe(second),
        change_summary=describe(difference),
        risen=int(np.sum(difference > 0)),
        fallen=int(np.sum(difference < 0)),
        unchanged=int(np.sum(difference == 0)),
        tests=tests,
    )
