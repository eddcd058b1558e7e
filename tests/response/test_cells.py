# SPDX-License-Identifier: Apache-2.0
"""Cells and cytokines: gates stay apart, windows choose samples, comparisons are those of the statistics room."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sirolens.chart import CellCount, Chart, Course, Lab, Patient, PlateletCount
from sirolens.engine.statistics.interval import Undefined
from sirolens.message import Message
from sirolens.response.cell_course import When, associations, cell_courses
from sirolens.response.cell_samples import CellWindows, Subset, samples_of
from sirolens.response.cells import compare_with_controls, paired_change
from sirolens.response.control import ControlSample

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
CUT = datetime(2026, 12, 31, tzinfo=UTC)
LOW = "CD25+CD127low of CD4+"
FOXP3 = "CD25+Foxp3+ of CD4+"
ROUNDING = 1e-12

Row = tuple[int, float]


def _cell(day: int, value: float, *, cell: str = "treg", gate: str = LOW, unit: str = "%") -> CellCount:
    at = START + timedelta(days=day)
    return CellCount(at=at, recorded=at, cell=cell, value=value, unit=unit, gate=gate)


def _cytokine(day: int, value: float, name: str = "tgf-beta") -> Lab:
    at = START + timedelta(days=day)
    return Lab(at=at, recorded=at, name=name, value=value, unit="pg/mL")


def _chart(
    name: str,
    cells: Sequence[CellCount] = (),
    labs: Sequence[Lab] = (),
    *,
    stop: int | None = None,
    platelets: Sequence[Row] = (),
    zone: str = "UTC",
) -> Chart:
    """An invented patient who takes sirolimus from day 0."""
    end = None if stop is None else START + timedelta(days=stop)
    counts = tuple(
        PlateletCount(at=START + timedelta(days=d), recorded=START + timedelta(days=d), count_10e9_l=v)
        for d, v in platelets
    )
    return Chart(
        patient=Patient(id=name, invented=True),
        zone=zone,
        courses=(Course(at=START, recorded=START, stop=end),),
        cell_counts=tuple(cells),
        labs=tuple(labs),
        platelet_counts=counts,
    )


def _controls(values: Sequence[float], *, gate: str = LOW, cell: str = "treg", unit: str = "%") -> list[ControlSample]:
    return [ControlSample(id=f"C{i}", cell=cell, value=v, unit=unit, gate=gate) for i, v in enumerate(values)]


def _codes(messages: Sequence[Message]) -> set[str]:
    return {message.code for message in messages}


BEFORE = [5.1, 6.0, 4.2, 5.5, 6.3, 4.9, 5.0, 5.8]
AFTER = [6.9, 7.2, 5.9, 6.1, 7.7, 6.2, 5.7, 6.8]
HEALTHY = [5.3, 5.9, 4.4, 6.1, 5.0, 5.6, 4.8]


def _cohort() -> list[Chart]:
    return [_chart(f"P{i}", [_cell(-3, b), _cell(92, a)]) for i, (b, a) in enumerate(zip(BEFORE, AFTER, strict=True))]


def test_no_difference_from_controls_before_and_a_rise_on_treatment() -> None:
    """Claim A6 on invented values, each number by SciPy on the same arrays."""
    (against,) = compare_with_controls(_cohort(), _controls(HEALTHY), CUT).comparisons
    assert against.tests is not None
    other = stats.mannwhitneyu(BEFORE, HEALTHY, method="asymptotic", use_continuity=False)
    assert against.tests.mann_whitney_asymptotic.p_value == pytest.approx(other.pvalue)
    assert against.tests.welch.p_value == pytest.approx(stats.ttest_ind(BEFORE, HEALTHY, equal_var=False).pvalue)
    assert against.tests.mann_whitney.p_value > 0.05
    assert 0 in against.tests.shift.interval
    assert against.tests.delta.delta in against.tests.delta.interval
    assert against.patient_summary.median == pytest.approx(np.median(BEFORE))
    assert against.control_summary.n == 7
    (change,) = paired_change(_cohort(), CUT).changes
    difference = np.subtract(AFTER, BEFORE)
    assert change.tests is not None
    assert change.tests.wilcoxon.p_value == pytest.approx(2 / 2**8)
    printed = stats.wilcoxon(difference, correction=False, method="asymptotic")
    assert change.tests.wilcoxon_asymptotic.p_value == pytest.approx(printed.pvalue)
    assert change.tests.paired_t.p_value == pytest.approx(stats.ttest_rel(AFTER, BEFORE).pvalue)
    assert change.tests.shift.interval.low > 0
    assert (change.risen, change.fallen, change.unchanged) == (8, 0, 0)
    assert change.patients == tuple(f"P{i}" for i in range(8))
    assert set(change.before_day) == {-3}
    assert set(change.after_day) == {92}


def test_not_significant_is_not_called_equal() -> None:
    found = compare_with_controls(_cohort(), _controls(HEALTHY), CUT)
    assert "cells.no-difference-is-not-equality" in _codes(found.messages)


def test_gates_are_never_pooled() -> None:
    """Hazard H30: two gates of one cell are two subsets, each against its own controls, and it is said."""
    charts = [_chart(f"P{i}", [_cell(-1, 5 + i), _cell(-1, 8 + i, gate=FOXP3)]) for i in range(4)]
    controls = [*_controls([5, 6, 7]), *_controls([1, 2, 3, 4], gate=FOXP3)]
    found = compare_with_controls(charts, controls, CUT)
    by_gate = {one.subset.gate: one for one in found.comparisons}
    assert by_gate[LOW].control_values.tolist() == [5, 6, 7]
    assert by_gate[FOXP3].control_values.tolist() == [1, 2, 3, 4]
    assert by_gate[FOXP3].patient_values.tolist() == [8, 9, 10, 11]
    assert "cells.gates-apart" in _codes(found.messages)


def test_controls_of_another_gate_are_no_controls() -> None:
    found = compare_with_controls(_cohort(), _controls(HEALTHY, gate=FOXP3), CUT)
    (only,) = found.comparisons
    assert only.tests is None
    assert only.control_values.size == 0
    assert {"cells.no-controls", "cells.only-controls", "cells.gates-apart"} <= _codes(found.messages)


_ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(-40, 130), st.floats(0, 40), st.booleans()),
    max_size=25,
)


@given(_ROWS)
@settings(deadline=None, max_examples=80)
def test_no_result_ever_mixes_gates(rows: list[tuple[str, bool, int, float, bool]]) -> None:
    """Hazard H30: one gate's values lie at most at 40, the other's at least at 60; a mixture would lie between."""

    def value(low_gate: bool, number: float) -> float:
        return number if low_gate else 100 - number

    def gate(low_gate: bool) -> str:
        return LOW if low_gate else FOXP3

    charts = [
        _chart(name, [_cell(day, value(low, x), gate=gate(low)) for who, low, day, x, _ in rows if who == name])
        for name in "abc"
    ]
    controls = [
        ControlSample(id=f"C{i % 3}", cell="treg", value=value(low, x), unit="%", gate=gate(low))
        for i, (_, low, _, x, healthy) in enumerate(rows)
        if healthy
    ]
    found = [(one.subset, one.patient_values, one.control_values)
             for one in compare_with_controls(charts, controls, CUT).comparisons]  # fmt: skip
    found += [(one.subset, one.before, one.after) for one in paired_change(charts, CUT).changes]
    found += [(one.subset, one.value, one.value) for one in cell_courses(charts, CUT).courses]
    for subset, *values in found:
        together = np.concatenate(values)
        assert np.all(together <= 40 if subset.gate == LOW else together >= 60)


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_order_of_rows_and_charts_changes_nothing(shuffler: random.Random) -> None:
    charts = [_chart(f"P{i}", [_cell(-9, 4), _cell(-3, b), _cell(-3, b + 1), _cell(92, a), _cell(99, 3)])
              for i, (b, a) in enumerate(zip(BEFORE, AFTER, strict=True))]  # fmt: skip
    mixed = []
    for chart in charts:
        rows = list(chart.cell_counts)
        shuffler.shuffle(rows)
        mixed.append(replace(chart, cell_counts=tuple(rows)))
    shuffler.shuffle(mixed)
    one, other = paired_change(charts, CUT).changes[0], paired_change(mixed, CUT).changes[0]
    assert one.patients == other.patients
    assert np.array_equal(one.before, other.before)
    assert one.tests == other.tests


def test_spellings_of_one_gate_are_one_gate_but_no_other() -> None:
    charts = [
        _chart("a", [_cell(-1, 5.0)]),
        _chart("b", [_cell(-1, 6.0, gate="CD25⁺ CD127LOW of CD4⁺")]),
        _chart("c", [_cell(-1, 7.0, gate="CD25+CD127lo of CD4+")]),
    ]
    assert len(samples_of(charts, CUT).subsets) == 2


def test_a_cell_without_a_gate_is_left_out_and_named() -> None:
    found = samples_of([_chart("a", [_cell(-1, 5.0, gate=" ")])], CUT)
    assert found.values == ()
    (message,) = found.messages
    assert message.code == "cells.no-gate"
    assert message.values["patients"] == ("a",)


@pytest.mark.parametrize("value", [100.5, -1.0, float("nan")])
def test_a_share_that_cannot_be_is_left_out_and_named(value: float) -> None:
    found = samples_of([_chart("a", [_cell(-1, value)])], CUT)
    assert found.values == ()
    assert _codes(found.messages) == {"cells.impossible"}
    absolute = samples_of([_chart("a", [_cell(-1, 150.0, unit="10^6/L")])], CUT)
    assert absolute.values[0].value == 150


def test_units_stay_apart() -> None:
    charts = [_chart("a", [_cell(-1, 5.0), _cell(-1, 60.0, unit="10^6/L")])]
    found = samples_of(charts, CUT)
    assert {subset.unit for subset in found.subsets} == {"%", "10^6/L"}
    assert "cells.units-apart" in _codes(found.messages)


def test_the_last_sample_before_treatment_and_the_nearest_on_it() -> None:
    """The day of the first dose is before; of two equally near the target, the later."""
    rows = [(-31, 1.0), (-20, 2.0), (0, 3.0), (1, 4.0), (81, 5.0), (101, 6.0), (119, 7.0)]
    (change,) = paired_change([_chart("a", [_cell(d, v) for d, v in rows])], CUT).changes
    assert (change.before[0], change.before_day[0]) == (3.0, 0)
    assert (change.after[0], change.after_day[0]) == (6.0, 101)
    narrow = CellWindows(before_days=30, after_day=30, tolerance_days=10)
    (nobody,) = paired_change([_chart("a", [_cell(d, v) for d, v in rows])], CUT, windows=narrow).changes
    assert nobody.patients == ()
    with pytest.raises(ValueError, match="after the first dose"):
        CellWindows(after_day=20, tolerance_days=20)


def test_a_sample_after_the_last_dose_is_not_on_treatment() -> None:
    (change,) = paired_change([_chart("a", [_cell(0, 5.0), _cell(90, 7.0)], stop=60)], CUT).changes
    assert change.patients == ()
    (kept,) = paired_change([_chart("a", [_cell(0, 5.0), _cell(90, 7.0)], stop=90)], CUT).changes
    assert kept.patients == ("a",)


def test_only_what_was_known_counts() -> None:
    late = replace(_cell(90, 7.0), recorded=CUT + timedelta(days=1))
    (change,) = paired_change([_chart("a", [_cell(0, 5.0), late])], CUT).changes
    assert change.patients == ()
    (later,) = paired_change([_chart("a", [_cell(0, 5.0), late])], CUT + timedelta(days=2)).changes
    assert later.patients == ("a",)


def test_days_are_counted_in_the_clinics_zone() -> None:
    """Start 5 January 16:00 in Shanghai; a sample at 20:00 UTC that day is on the next day there."""
    at = START + timedelta(hours=12)
    sample = replace(_cell(0, 5.0), at=at, recorded=at)
    assert samples_of([_chart("a", [sample])], CUT).values[0].day == 0
    assert samples_of([_chart("a", [sample], zone="Asia/Shanghai")], CUT).values[0].day == 1


def test_several_values_of_one_day_are_their_mean() -> None:
    chart = _chart("a", [_cell(-1, 4.0), replace(_cell(-1, 6.0), at=START - timedelta(hours=20))])
    assert [sample.value for sample in samples_of([chart], CUT).values] == [5.0]


def test_a_later_course_counts_from_its_own_start() -> None:
    again = START + timedelta(days=200)
    chart = replace(
        _chart("a", [_cell(198, 5.0), _cell(291, 7.0)]),
        courses=(Course(at=START, recorded=START), Course(at=again, recorded=again, retreatment=True)),
    )
    found = paired_change([chart], CUT)
    assert (found.changes[0].before[0], found.changes[0].after[0]) == (5.0, 7.0)
    assert "cells.earlier-course" in _codes(found.messages)


def test_cells_without_treatment_are_named() -> None:
    chart = replace(_chart("a", [_cell(0, 5.0)]), courses=())
    found = samples_of([chart], CUT)
    assert found.values == ()
    assert _codes(found.messages) == {"cells.no-course"}


@pytest.mark.parametrize("pairs", [0, 1, 2, 3])
def test_fewer_than_three_pairs_are_shown_not_tested(pairs: int) -> None:
    charts = [*_cohort()[:pairs], _chart("alone", [_cell(-1, 5.0)])]
    found = paired_change(charts, CUT)
    (change,) = found.changes
    assert len(change.patients) == pairs
    assert (change.tests is None) == (pairs < 3)
    assert ("cells.too-few-pairs" in _codes(found.messages)) == (pairs < 3)
    assert "cells.unpaired" in _codes(found.messages)


def test_too_few_controls_are_shown_not_tested() -> None:
    found = compare_with_controls(_cohort(), _controls([5.0, 6.0]), CUT)
    (one,) = found.comparisons
    assert one.tests is None
    assert one.control_summary.n == 2
    assert "cells.too-few" in _codes(found.messages)


def test_several_values_of_one_control_are_their_mean() -> None:
    controls = [*_controls([5.0, 6.0, 7.0]), ControlSample(id="C0", cell="treg", value=9.0, unit="%", gate=LOW)]
    found = compare_with_controls(_cohort(), controls, CUT)
    assert found.comparisons[0].control_values.tolist() == [7.0, 6.0, 7.0]
    assert "cells.control-repeated" in _codes(found.messages)


def test_pairs_that_do_not_change_are_a_result() -> None:
    charts = [_chart(f"P{i}", [_cell(-1, 5.0), _cell(91, 5.0)]) for i in range(4)]
    (change,) = paired_change(charts, CUT).changes
    assert change.unchanged == 4
    assert change.tests is not None
    assert change.tests.wilcoxon.reason is Undefined.ALL_EQUAL
    assert change.tests.paired_t.reason is Undefined.ALL_EQUAL
    assert change.tests.risen_interval.reason is Undefined.NO_OBSERVATIONS


def test_p_values_are_adjusted_over_the_subsets_compared_together() -> None:
    charts = [
        _chart(f"P{i}", [_cell(-1, b), _cell(91, a), _cell(-1, b, cell="th17", gate="IL-17A+ of CD4+"),
                         _cell(91, b + (-1) ** i, cell="th17", gate="IL-17A+ of CD4+")])
        for i, (b, a) in enumerate(zip(BEFORE, AFTER, strict=True))
    ]  # fmt: skip
    changes = paired_change(charts, CUT).changes
    tests = {change.subset.cell: change.tests for change in changes}
    treg = tests["treg"]
    assert treg is not None
    assert treg.holm_p == pytest.approx(2 * treg.wilcoxon.p_value)
    assert treg.benjamini_hochberg_p == pytest.approx(2 * treg.wilcoxon.p_value)


def test_cytokines_have_no_method_in_a_chart_unless_the_study_states_one() -> None:
    charts = [_chart(f"P{i}", labs=[_cytokine(-1, 900.0 + i), _cytokine(91, 1200.0 + i)]) for i in range(4)]
    controls = _controls([800, 850, 900], gate="ELISA kit A", cell="TGF-beta", unit="pg/mL")
    unstated = compare_with_controls(charts, controls, CUT)
    assert {"cells.no-controls", "cells.method-unknown"} <= _codes(unstated.messages)
    stated = compare_with_controls(charts, controls, CUT, methods={"tgf-beta": "ELISA kit A"})
    assert stated.comparisons[0].tests is not None
    assert "cells.method-unknown" not in _codes(stated.messages)


def test_cells_against_platelets_and_tgf_beta() -> None:
    """Oracle: SciPy's rank correlation of the same pairs; the change only of those who have both."""
    x, y = [5.0, 6, 7, 8, 9, 10], [40.0, 30, 80, 70, 120, 100]
    charts = [
        _chart(f"P{i}", [_cell(-1, 5.0), _cell(91, v)], [_cytokine(90, 10 * v)], platelets=[(-2, 10.0), (90, w)])
        for i, (v, w) in enumerate(zip(x, y, strict=True))
    ]
    found = associations(charts, CUT)
    by_when = {one.when: one for one in found.associations if one.subset.cell == "treg"}
    assert by_when[When.ON_TREATMENT].spearman.coefficient == pytest.approx(stats.spearmanr(x, y).statistic)
    assert by_when[When.CHANGE].y.tolist() == [v - 10 for v in y]
    assert by_when[When.BEFORE].spearman.reason is Undefined.ALL_EQUAL
    tgf = associations(charts, CUT, partner="tgf-beta")
    treated = next(one for one in tgf.associations if one.when is When.ON_TREATMENT)
    assert treated.spearman.coefficient == pytest.approx(1)
    assert {"cells.too-few-correlated"} <= _codes(tgf.messages)  # no TGF-beta before treatment
    assert "cells.no-partner" in _codes(associations(charts, CUT, partner="baff").messages)


def test_a_corrected_platelet_count_is_not_used() -> None:
    at = START + timedelta(days=90)
    wrong = PlateletCount(at=at, recorded=at, id="x", count_10e9_l=900.0)
    right = PlateletCount(at=at, recorded=at, replaces="x", count_10e9_l=90.0)
    charts = [
        replace(_chart(f"P{i}", [_cell(91, 5.0 + i)]), platelet_counts=(wrong, replace(right, count_10e9_l=90.0 + i)))
        for i in range(3)
    ]
    treated = next(one for one in associations(charts, CUT).associations if one.when is When.ON_TREATMENT)
    assert treated.y.tolist() == [90, 91, 92]


def test_repeated_visits_rise_by_the_month() -> None:
    """Oracle: values made with 0.5 a month and an offset of each patient's own, without scatter."""
    month = 365.25 / 12
    charts = [
        _chart(f"P{i}", [_cell(-10, 4.0 + i)] + [_cell(d, 4.0 + i + 0.5 * d / month) for d in (30, 91, 182)])
        for i in range(5)
    ]
    (course,) = cell_courses(charts, CUT).courses
    assert course.model.slope == pytest.approx(0.5, rel=1e-6)
    assert course.model.patients == 5
    assert course.value.size == 20
    few = cell_courses(charts[:1], CUT)
    assert few.courses[0].model.reason is Undefined.TOO_FEW
    assert "cells.no-model" in _codes(few.messages)


def test_subsets_sort_by_cell_gate_and_unit() -> None:
    subsets = [Subset(cell="th1", gate="b", unit="%"), Subset(cell="breg", gate="z", unit="%")]
    assert sorted(subsets)[0].cell == "breg"


@pytest.mark.parametrize("patients", [0, 1, 2, 20])
def test_cohorts_of_any_size_are_answered(patients: int) -> None:
    charts = [_chart(f"P{i:02d}", [_cell(-1, 5.0 + i % 3), _cell(91, 6.0 + i % 4)]) for i in range(patients)]
    assert len(compare_with_controls(charts, _controls(HEALTHY), CUT).comparisons) == (patients > 0)
    assert len(paired_change(charts, CUT).changes) == (patients > 0)
    associations(charts, CUT)
    cell_courses(charts, CUT)
